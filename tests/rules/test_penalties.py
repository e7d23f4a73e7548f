"""Penalties: the range follows the law of the day, discretion stays within it, every refusal names its reasons."""

import tomllib
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.dated import STATUSES
from rules.money import from_fen
from rules.penalties import (
    ACTS,
    ARTICLES,
    FACTS,
    GRADES,
    PARTIES,
    RULES,
    THRESHOLDS,
    FineItem,
    Offence,
    PenaltyError,
    acts_for,
    check_fine,
    fine_range,
    grade_range,
    limitation,
    narrowed,
    needs_hearing,
    needs_legal_review,
    repeat_offences,
    rule_on,
    surcharge,
    suspension_problems,
)
from tests.rules.golden_cases import GOLDEN

CASES = tomllib.loads((GOLDEN / "penalties.toml").read_text(encoding="utf-8"))
REGULATION = date(2021, 5, 1)
LOSSES = st.integers(1, 10**11).map(from_fen)
FINED = [act.key for act in ACTS if act.article in ("provider_non_fraud", "provider_fraud", "person_fraud")]


def of(row):
    items = [FineItem(item["act"], Decimal(item["loss"]), item.get("on")) for item in row["items"]]
    flags = {name: row.get(name, False) for name in ("repeat", "refused", "grave")}
    return fine_range(items, on=row["on"], decided_on=row.get("decided_on"), **flags)


def bound(text):
    return None if text == "none" else Decimal(text)


@pytest.mark.parametrize("row", CASES["fine"], ids=lambda row: row["id"].split()[0])
def test_a_golden_case_gives_its_legal_range(row):
    legal = of(row)
    assert (legal.lower, legal.upper) == (Decimal(row["lower"]), bound(row["upper"]))
    assert [[one.lower, one.upper] for one in legal.suspensions] == ([row["suspension"]] if "suspension" in row else [])
    assert list(legal.trace)[-2].value == legal.lower
    assert all(step.clause for step in legal.trace)


@pytest.mark.parametrize("row", CASES["band"], ids=lambda row: row["loss"])
def test_the_henan_bands_narrow_the_range_by_the_loss(row):
    facts = ["first_minor_corrected"] if row["first"] else []
    legal = fine_range([("agency_fraud", Decimal(row["loss"]))], on=date(2025, 2, 1))
    held = narrowed(legal, "henan", facts)
    assert (held.lower, held.upper) == (Decimal(row["lower"]), Decimal(row["upper"]))
    assert narrowed(legal, "jiangxi", facts).upper == legal.upper


@pytest.mark.parametrize("row", CASES["grade"], ids=lambda row: row["key"])
def test_a_grade_leaves_its_part_of_the_range(row):
    left = grade_range(fine_range([("overcharging", Decimal(100_000))], on=date(2025, 2, 1)), row["key"])
    assert (left.lower, left.upper) == (Decimal(row["lower"]), Decimal(row["upper"]))
    assert all(step.status == "待核实" for step in left.trace)


@pytest.mark.parametrize("row", CASES["surcharge"], ids=lambda row: row["working"])
def test_the_surcharge_runs_by_the_day_up_to_the_fine(row):
    paused = [tuple(span) for span in row.get("paused", [])]
    added = surcharge(Decimal(50_000), date(2026, 3, 2), row["paid_on"], paused)
    assert (added.days, added.amount) == (row["days"], Decimal(row["amount"]))


@pytest.mark.parametrize("row", CASES["limitation"], ids=lambda row: f"{row['act_on']} {row['found_on']}")
def test_an_old_act_is_barred_but_money_comes_back(row):
    barred = limitation(row["act_on"], row["found_on"], row["harm"])
    assert (barred.barred, barred.until) == (row["barred"], row["until"])
    assert barred.recovers


@pytest.mark.parametrize("row", CASES["hearing"], ids=lambda row: f"{row['party']} {row['fine']}")
def test_a_hearing_and_a_legal_review_start_on_the_threshold(row):
    facts = (row["party"], Decimal(row["fine"]), row.get("suspension", False), row.get("termination", False))
    limits = THRESHOLDS["guangdong"]
    assert needs_hearing(*facts, thresholds=limits).needed == row["needed"]
    assert needs_legal_review(*facts, thresholds=limits).needed == row["needed"]
    assert needs_legal_review(*facts, True, thresholds=limits).reasons[-1] == "涉及重大公共利益"


def test_every_act_has_a_known_article_party_and_status():
    assert len({act.key for act in ACTS}) == len(ACTS)
    assert {act.article for act in ACTS} == set(ARTICLES)
    assert {act.party for act in ACTS} <= set(PARTIES)
    assert {act.source.status for act in ACTS} <= set(STATUSES)
    assert all(act.source.basis and act.clause and act.label for act in ACTS)
    assert len([act for act in ACTS if act.article == "provider_non_fraud" and act.source.confirmed]) == 7
    assert {act.article for act in acts_for("person")} == {"person_abuse", "person_fraud"}


def test_every_penalised_act_has_one_rule_now_and_none_overlap():
    for act in ACTS:
        rules = [rule for rule in RULES if act.article in rule.articles and rule.source.holds(date(2026, 11, 1))]
        assert len(rules) == (1 if act.penalised else 0), act.key
        spans = sorted(
            (rule.source.valid_from, rule.source.valid_to or date.max) for rule in RULES if act.article in rule.articles
        )
        assert all(first[1] < second[0] for first, second in zip(spans, spans[1:], strict=False)), act.key


def test_the_seed_rule_ends_the_day_before_the_regulation():
    act = next(act for act in ACTS if act.key == "overcharging")
    assert rule_on(act, date(2019, 12, 31)) is None
    assert rule_on(act, date(2020, 1, 1)).key == "ningde-2019"
    assert rule_on(act, date(2021, 4, 30)).key == "ningde-2019"
    assert rule_on(act, REGULATION).key == "regulation-38"


def test_a_repeated_breach_of_2020_also_asks_for_accountability():
    items = [("overcharging", Decimal(100))]
    assert fine_range(items, on=date(2020, 6, 1), repeat=True).further == (
        "重复违规的，提请卫健部门对医疗机构负责人严肃问责",
    )
    assert fine_range(items, on=date(2020, 6, 1)).further == ()


def test_all_problems_of_the_items_are_listed_at_once():
    items = [
        ("no_such_act", Decimal(1)),
        ("overcharging", Decimal("0.00")),
        ("overcharging", Decimal("-5.00")),
        ("agreement_breach", Decimal(100)),
        ("overcharging", Decimal(100), date(2019, 12, 31)),
        ("trace_code_not_collected", Decimal(0), date(2026, 3, 31)),
        ("overcharging", Decimal("1.005")),
    ]
    with pytest.raises(PenaltyError) as error:
        fine_range(items, on=date(2026, 4, 1), decided_on=date(2026, 3, 31))
    text = str(error.value)
    for words in ("“no_such_act”", "须大于零，现为0.00元", "现为-5.00元", "只作协议处理，没有行政处罚", "2019-12-31没有可适用的罚则",
                  "2026-03-31没有可适用的罚则", "最多两位小数", "晚于决定日"):  # fmt: skip
        assert words in text
    with pytest.raises(PenaltyError, match="没有可以计算处罚的违法行为"):
        fine_range([], on=REGULATION)


@given(
    st.lists(st.tuples(st.sampled_from(FINED), LOSSES), min_size=1, max_size=6), st.dates(REGULATION, date(2030, 1, 1))
)
def test_the_range_is_the_sum_of_its_items(items, on):
    legal = fine_range(items, on=on)
    assert legal.lower == sum(fine_range([item], on=on).lower for item in items)
    assert legal.upper == sum(fine_range([item], on=on).upper for item in items)
    assert legal.loss == sum(loss for _act, loss in items)
    assert legal.loss <= legal.lower <= legal.upper <= 5 * legal.loss


@given(st.sampled_from(FINED[:7]), LOSSES, st.dates(date(2020, 1, 1), date(2021, 4, 30)), st.booleans())
def test_a_later_law_never_makes_a_penalty_heavier(act, loss, on, repeat):
    former = fine_range([(act, loss)], on=on, repeat=repeat)
    decided = fine_range([(act, loss)], on=on, decided_on=date(2024, 1, 1), repeat=repeat)
    assert decided.lower <= former.lower
    assert decided.upper is not None
    assert former.upper is None or decided.upper <= former.upper


@given(LOSSES, st.sampled_from(["overcharging", "phantom_service"]))
def test_the_grades_cover_the_range_without_gaps(loss, act):
    legal = fine_range([(act, loss)], on=REGULATION)
    none, mitigated, *parts = (grade_range(legal, grade.key) for grade in GRADES)
    assert (none.lower, none.upper) == (0, 0)
    assert mitigated.upper == legal.lower - Decimal("0.01")
    assert parts[0].lower == legal.lower
    assert parts[-1].upper == legal.upper
    assert all(first.upper == second.lower for first, second in zip(parts, parts[1:], strict=False))


@given(LOSSES, st.integers(0, 10**12).map(from_fen), st.sampled_from([grade.key for grade in GRADES]))
def test_a_fine_that_passes_lies_in_the_law_or_is_mitigated(loss, fine, grade):
    legal = fine_range([("overcharging", loss)], on=REGULATION, refused=True)
    if not check_fine(legal, grade, fine, "事实与情节清楚", ["self_found_returned", "minor_corrected"]):
        assert legal.lower <= fine <= legal.upper or (grade == "mitigated" and 0 < fine < legal.lower)


def test_a_grade_without_a_supporting_fact_is_refused():
    legal = fine_range([("overcharging", Decimal(100_000))], on=REGULATION)
    fine = {"none": 0, "mitigated": 50_000, "lighter": 110_000, "ordinary": 150_000, "heavier": 190_000}
    reason = "经查证属实"
    for grade in ("none", "mitigated", "lighter", "heavier"):
        problems = check_fine(legal, grade, Decimal(fine[grade]), reason)
        assert ["没有相应情节支持" in problem.text for problem in problems] == [True], grade
    assert check_fine(legal, "ordinary", Decimal(150_000), reason) == ()
    assert check_fine(legal, "lighter", Decimal(110_000), reason, ["self_found_returned"]) == ()
    assert check_fine(legal, "mitigated", Decimal(50_000), reason, ["self_found_returned"]) == ()
    assert check_fine(legal, "none", Decimal(0), reason, ["first_minor_corrected"]) == ()
    repeated = fine_range([("overcharging", Decimal(100_000))], on=REGULATION, repeat=True)
    assert check_fine(repeated, "heavier", Decimal(190_000), reason) == ()
    (problem,) = check_fine(repeated, "none", Decimal(0), reason, ["first_minor_corrected"])
    assert problem.text == "有“重复违规”情节，不能不予处罚"


def test_everything_wrong_with_a_fine_is_said_at_once():
    legal = fine_range([("overcharging", Decimal(100_000))], on=REGULATION)
    texts = [problem.text for problem in check_fine(legal, "lighter", Decimal("200000.01"), " 轻 ", ["kindness"])]
    assert len(texts) == 4
    assert "没有裁量情节“kindness”" in texts[0]
    assert "至少 4 个字" in texts[1]
    assert "没有相应情节支持" in texts[2]
    assert "罚款 200,000.01 元不在“从轻处罚”的幅度内（100,000.00 元至 130,000.00 元" in texts[3]
    assert "没有裁量等次“harsh”" in check_fine(legal, "harsh", Decimal(1), "经查证属实")[0].text
    assert "不能为负数" in check_fine(legal, "ordinary", Decimal(-1), "经查证属实")[0].text
    assert "最多两位小数" in check_fine(legal, "ordinary", Decimal("150000.001"), "经查证属实")[0].text


def test_a_range_without_upper_limit_binds_from_below_only():
    legal = fine_range([("overcharging", Decimal(100))], on=date(2020, 6, 1), repeat=True)
    assert legal.text == "200.00 元至无上限"
    assert check_fine(legal, "ordinary", Decimal(10_000), "经查证属实") == ()
    assert "不在“一般处罚”的幅度内" in check_fine(legal, "ordinary", Decimal("199.99"), "经查证属实")[0].text


def test_where_no_fine_is_due_only_zero_passes():
    legal = fine_range([("overcharging", Decimal(100))], on=date(2020, 6, 1))
    assert legal.text == "不处罚款"
    assert check_fine(legal, "none", Decimal(0), "首次违规只拒付") == ()
    assert check_fine(legal, "ordinary", Decimal(0), "首次违规只拒付") == ()
    assert "不在“一般处罚”的幅度内（0.00 元" in check_fine(legal, "ordinary", Decimal(1), "首次违规只拒付")[0].text
    assert (
        "没有可以“减轻处罚”的幅度"
        in check_fine(legal, "mitigated", Decimal(1), "首次违规", ["self_found_returned"])[0].text
    )


def test_the_months_of_a_suspension_stay_within_the_rule():
    fraud = fine_range([("phantom_service", Decimal(100))], on=REGULATION)
    assert [bool(suspension_problems(fraud, months)) for months in (None, 5, 6, 12, 13)] == [
        False,
        True,
        False,
        False,
        True,
    ]
    mild = fine_range([("overcharging", Decimal(100))], on=REGULATION)
    assert "没有暂停措施" in suspension_problems(mild, 6)[0].text


def test_every_fact_supports_grades_that_exist():
    keys = {grade.key for grade in GRADES}
    assert all(fact.allows and set(fact.allows) <= keys for fact in FACTS)
    assert {"self_found_returned", "repeat", "refused", "grave"} <= {fact.key for fact in FACTS}


@given(LOSSES, st.integers(0, 400), st.lists(st.tuples(st.integers(-10, 410), st.integers(0, 60)), max_size=5))
def test_a_surcharge_never_exceeds_the_fine_or_counts_a_day_twice(fine, late, spans):
    due = date(2026, 1, 1)
    paused = [(due + timedelta(days=first), due + timedelta(days=first + length)) for first, length in spans]
    added = surcharge(fine, due, due + timedelta(days=late), paused)
    assert 0 <= added.amount <= fine
    assert added.days + added.paused_days == late
    assert added.amount <= surcharge(fine, due, due + timedelta(days=late)).amount


def test_a_pause_that_ends_before_it_begins_is_refused():
    with pytest.raises(PenaltyError, match="止日2026-03-04早于起日2026-03-05"):
        surcharge(Decimal(100), date(2026, 3, 1), date(2026, 3, 9), [(date(2026, 3, 5), date(2026, 3, 4))])
    with pytest.raises(PenaltyError, match="早于行为日"):
        limitation(date(2026, 1, 2), date(2026, 1, 1))
    with pytest.raises(PenaltyError, match="没有当事人类别"):
        needs_hearing("hospital", Decimal(1))


def test_repeated_offences_are_of_the_same_article_decided_before_and_recent():
    former = [
        Offence("substitution", date(2025, 6, 1), "2025-2"),
        Offence("overcharging", date(2025, 1, 1), "2025-1"),
        Offence("phantom_service", date(2025, 6, 1), "2025-3"),
        Offence("overcharging", date(2023, 6, 1), "2023-1"),
        Offence("overcharging", date(2025, 7, 1), "2025-4"),
    ]
    found = repeat_offences(former, "overcharging", date(2025, 7, 1))
    assert [one.case_number for one in found] == ["2025-1", "2025-2"]
    assert [one.case_number for one in repeat_offences(former, "overcharging", date(2025, 7, 1), months=36)][
        0
    ] == "2023-1"
    assert repeat_offences(former, "records_not_kept", date(2025, 7, 1)) == ()
    with pytest.raises(PenaltyError, match="“old_code”"):
        repeat_offences([Offence("old_code", date(2020, 1, 1), "x")], "overcharging", REGULATION)


def test_the_stored_range_holds_plain_text_only():
    data = fine_range(
        [("overcharging", Decimal("10.10"))], on=date(2020, 6, 1), decided_on=REGULATION, repeat=True
    ).as_json()
    assert (data["lower"], data["upper"]) == ("10.10", "20.20")
    assert data["items"][0]["note"] == "新规定较轻，适用新规定"
    assert data["trace"][0]["label"] == "适用法律"
    assert "第三十七条" in data["trace"][0]["clause"]
