"""A month's figures become warnings: once per cause, worse only when worse, corrected when facts change, never twice."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.models import Membership, Notice
from core.registries import month_end_steps
from monitoring.models import Warning, WarningChange, WarningFigure
from monitoring.services import following, raising, warnings
from monitoring.services.evaluating import evaluate_month
from monitoring.states import Act
from monitoring.verification_warnings import verify_warnings
from rules.periods import Month
from tests.monitoring import warning_ground as ground
from tests.monitoring.warning_ground import AUGUST, JULY, REASON, again, live, month_row, newest, share_row

SEPTEMBER, OCTOBER, NOVEMBER = AUGUST.plus(1), AUGUST.plus(2), AUGUST.plus(3)


@pytest.fixture(autouse=True)
def _clock(time_machine):
    time_machine.move_to(ground.NOW)


def judged(world, month, percent):
    """The month's share comes in and is judged."""
    share_row(world.alliance, month, percent)
    return evaluate_month(world.qingxi, month)


def acts(w):
    return [change.act for change in w.changes.order_by("pk")]


def told(user):
    return list(Notice.objects.filter(user=user).order_by("pk").values_list("text", flat=True))


def test_a_breach_is_raised_once_with_its_figure_and_its_trace(world):
    w = ground.raised(world, "15.44")
    figure = w.figures.get()
    assert (figure.value, figure.threshold_value, figure.level) == (Decimal("0.154400"), Decimal("0.16"), "red")
    # from the mildest level, 18 %: 2.56 % of a million
    assert (figure.affected, figure.data_to, figure.data["shown"]) == (Decimal("25600.00"), date(2026, 7, 31), "15.44%")
    assert [step["label"] for step in figure.trace] == ["基层支出占比", "预警等级", "涉及金额"]
    assert all(step["clause"] for step in figure.trace)
    assert figure.place_month.place == w.place and figure.data["rows"] == [figure.place_month_id]
    assert (w.source, w.cause, w.indicator, w.period) == ("threshold", "primary_share", "primary_share", JULY)


def test_judging_twice_does_nothing_twice(world):
    live(world)
    first, second = judged(world, JULY, "15.5"), evaluate_month(world.qingxi, JULY)
    assert (first.raised, second.raised, second.updated, second.text) == (1, 0, 0, "2026-07 预警：没有变化。")
    assert (Warning.objects.count(), WarningFigure.objects.count(), WarningChange.objects.count()) == (1, 1, 2)


def test_within_the_levels_nothing_is_raised(world):
    live(world)
    assert judged(world, JULY, "18").raised == 0 and not Warning.objects.exists()


def test_the_next_month_at_the_same_level_only_adds_a_figure(world):
    w = ground.raised(world, "15.5")
    before = len(told(world.hospital)), len(told(world.county_officer))
    outcome = judged(world, AUGUST, "15.2")
    assert (outcome.updated, outcome.raised, outcome.worsened) == (1, 0, 0)
    assert acts(w)[-1] == Act.UPDATE and w.figures.count() == 2
    assert (len(told(world.hospital)), len(told(world.county_officer))) == before


def test_only_a_higher_level_worsens_and_is_told(world):
    w = warnings.send(world.officer, ground.raised(world, "17.5"))
    assert judged(world, AUGUST, "16.5").worsened == 1
    w = again(w)
    assert (w.level, w.title, w.state, w.due_on) == ("orange", "基层支出占比低于 17%", "sent", date(2026, 8, 28))
    assert "由黄升为橙" in told(world.hospital)[-1]
    assert judged(world, SEPTEMBER, "17.5").worsened == 0 and again(w).level == "orange"
    assert judged(world, OCTOBER, "16.5").worsened == 0
    assert verify_warnings() == []


def test_a_worsening_asks_an_accepted_warning_anew(world):
    w = ground.accepted(world)
    judged(world, AUGUST, "15.5")
    w = again(w)
    assert (w.state, w.level, w.accepted_by, w.due_on) == ("sent", "red", None, date(2026, 8, 28))


def test_an_unsent_warning_that_turns_red_is_sent_by_the_system(world):
    w = ground.raised(world, "17.5")
    judged(world, AUGUST, "15.5")
    assert again(w).state == "sent" and acts(w) == ["raise", "worsen", "send"]


def test_two_good_months_recover_a_warning_and_a_reviewer_closes_it(world):
    w = ground.accepted(world)
    judged(world, AUGUST, "18.5")
    assert not again(w).recovered
    assert judged(world, SEPTEMBER, "19").recovered == 1
    assert again(w).recovered and again(w).state == "accepted"
    assert "的指标已恢复，可以解除" in told(world.reviewer)[-1]
    assert warnings.close(world.reviewer, w, "").state == "closed"
    assert judged(world, OCTOBER, "17.5").raised == 1
    assert newest(world).pk != w.pk and newest(world).number.endswith("-02")


def test_a_bad_month_takes_the_recovery_back(world):
    w = ground.accepted(world)
    judged(world, AUGUST, "18.5")
    judged(world, SEPTEMBER, "18.5")
    judged(world, OCTOBER, "17.5")
    assert not again(w).recovered


def test_a_missing_month_is_noted_and_neither_raises_nor_recovers(world):
    w = ground.accepted(world)
    judged(world, AUGUST, "18.5")
    share_row(world.alliance, SEPTEMBER, None)
    outcome = evaluate_month(world.qingxi, SEPTEMBER)
    assert (outcome.updated, outcome.recovered, outcome.unjudged) == (1, 0, 1)
    figure = w.figures.last()
    assert (figure.value, figure.level) == (None, "") and "缺少基层机构基金支出" in figure.data["why_not"]
    assert evaluate_month(world.qingxi, SEPTEMBER).updated == 0
    assert evaluate_month(world.qingxi, OCTOBER).recovered == 0
    assert "2026-10 数据尚未接入" in w.figures.last().data["why_not"]
    assert judged(world, NOVEMBER, "18.5").recovered == 1


def test_a_month_that_comes_late_is_an_update_and_no_correction(world):
    w = ground.raised(world, "15.5")
    evaluate_month(world.qingxi, AUGUST)
    outcome = judged(world, AUGUST, "15.4")
    assert (outcome.updated, outcome.restated) == (1, 0)
    assert acts(w)[-1] == Act.UPDATE and w.figures.last().level == "red"


def test_zero_and_negative_denominators_raise_nothing(world):
    live(world)
    for month, whole in ((JULY, 0), (AUGUST, -5)):
        month_row(world.alliance, month, fund_primary=1, fund_in_alliance=whole, charged=1)
        outcome = evaluate_month(world.qingxi, month)
        assert (outcome.raised, outcome.unjudged) == (0, 1)


def test_changed_facts_of_a_noted_month_are_a_correction(world):
    w = ground.raised(world, "17.5")
    outcome = judged(world, JULY, "17.2")
    assert (outcome.restated, outcome.raised) == (1, 0)
    change = w.changes.last()
    assert change.act == Act.RESTATE and change.reason == "2026-07 为 17.20%（黄），原为 17.50%（黄）"
    assert [figure.value for figure in w.figures.order_by("pk")] == [Decimal("0.175"), Decimal("0.172")]
    assert evaluate_month(world.qingxi, JULY).restated == 0


def test_a_correction_to_a_graver_level_also_worsens(world):
    w = ground.raised(world, "17.5")
    outcome = judged(world, JULY, "15")
    assert (outcome.restated, outcome.worsened) == (1, 1)
    assert acts(w) == ["raise", "restate", "worsen", "send"] and again(w).level == "red"
    assert verify_warnings() == []


def test_facts_of_an_earlier_month_that_changed_are_corrected_with_the_next_one(world):
    w = ground.raised(world, "17.5")
    share_row(world.alliance, JULY, "17.1")
    outcome = judged(world, AUGUST, "17.3")
    assert (outcome.restated, outcome.updated) == (1, 1)
    noted = [(figure.month, figure.value) for figure in w.figures.order_by("pk")]
    assert noted == [(7, Decimal("0.175")), (7, Decimal("0.171")), (8, Decimal("0.173"))]


def test_late_facts_are_noted_on_a_closed_warning_without_raising_the_same_again(world):
    w = ground.closed(world)
    outcome = judged(world, JULY, "17.9")
    assert (outcome.restated, outcome.raised) == (1, 0)
    assert again(w).state == "closed" and acts(w)[-1] == Act.RESTATE


def test_facts_that_breach_anew_after_closing_raise_a_warning_that_says_so(world):
    w = ground.closed(world)
    outcome = judged(world, JULY, "15.5")
    assert (outcome.restated, outcome.raised) == (1, 1)
    fresh = newest(world)
    assert fresh.pk != w.pk and f"数据更正后再次触发，原预警 {w.number}" in fresh.changes.first().reason
    assert evaluate_month(world.qingxi, JULY).text == "2026-07 预警：没有变化。"


def test_a_warning_closed_unrecovered_comes_back_only_when_it_worsens(world):
    w = ground.closed(world)
    assert judged(world, AUGUST, "17.2").raised == 0
    assert acts(w)[-1] == Act.UPDATE
    outcome = judged(world, SEPTEMBER, "16.5")
    assert outcome.raised == 1 and "较已解除的预警" in newest(world).changes.first().reason


def test_a_warning_closed_unrecovered_comes_back_after_its_recovery(world):
    w = ground.closed(world)
    judged(world, AUGUST, "18.5")
    judged(world, SEPTEMBER, "18.5")
    assert again(w).recovered
    assert judged(world, OCTOBER, "17.5").raised == 1


def test_several_thresholds_of_one_indicator_are_one_cause(world):
    live(world)
    live(world, span="to_date", yellow="0.20", orange="0.19", red="0.185")
    for number in range(1, 8):
        share_row(world.alliance, Month(2026, number), 18.2 if number < 7 else 17.5)
    assert evaluate_month(world.qingxi, JULY).raised == 1
    w = newest(world)
    assert (w.level, w.threshold.span) == ("red", "to_date")


def test_the_threshold_of_the_warning_stays_its_measure(world):
    live(world, span="to_date", yellow="0.20", orange=None, red=None)
    live(world)
    for number in range(1, 8):
        share_row(world.alliance, Month(2026, number), 21 if number < 7 else 17.5)
    evaluate_month(world.qingxi, JULY)
    w = newest(world)
    assert w.threshold.span == "month"
    judged(world, AUGUST, "19")
    assert w.figures.last().value == Decimal("0.19")


def test_the_same_indicator_against_last_year_names_what_it_was_compared_with(world):
    live(world, indicator="inpatient_average", above=True, basis="last_year", relative=True, yellow="0.08", orange=None,
         red=None, min_volume="100")  # fmt: skip
    month_row(world.alliance, JULY.plus(-12), inpatient_cost=1_000_000, discharges=200)
    month_row(world.alliance, JULY, inpatient_cost=1_100_000, discharges=200)
    evaluate_month(world.qingxi, JULY)
    w = newest(world)
    figure = w.figures.get()
    assert w.title == "次均住院费用比上年同期高 8% 以上"
    assert (figure.value, figure.compared, figure.threshold_value) == (Decimal(5500), Decimal(5000), Decimal(5400))
    assert figure.affected == Decimal("20000.00")


def test_without_last_year_nothing_is_judged(world):
    live(world, indicator="inpatient_average", above=True, basis="last_year", relative=True, yellow="0.08", orange=None, red=None)
    month_row(world.alliance, JULY, inpatient_cost=1_100_000, discharges=200)
    outcome = evaluate_month(world.qingxi, JULY)
    assert (outcome.raised, outcome.unjudged) == (0, 1)


def test_small_numbers_are_not_judged(world):
    live(world, min_volume="2000000")
    outcome = judged(world, JULY, "1")
    assert (outcome.raised, outcome.unjudged) == (0, 1)


def test_execution_ahead_of_the_pace_of_earlier_years_is_raised(world):
    live(world, indicator="execution", basis="pace", span="to_date", above=True, yellow="0.05", orange=None, red="0.10")
    for number in range(1, 13):  # last year 60 % was spent by July
        month_row(world.alliance, Month(2025, number), charged=60 if number <= 7 else Decimal(280) / 5, package=700)
    for number in range(1, 8):
        month_row(world.alliance, Month(2026, number), charged=70, package=700)
    evaluate_month(world.qingxi, JULY)
    w = newest(world)
    figure = w.figures.get()
    assert (w.title, w.level) == ("预算执行率快于序时进度 5 个百分点以上", "yellow")
    # 490 ÷ 700 = 70 %, pace 60 %: exactly 10 points is not beyond the red level
    assert (figure.value, figure.compared) == (Decimal("0.7"), Decimal("0.6"))


def test_a_hospital_is_held_against_five_others_at_least(world):
    from core.models import Alliance

    live(world, basis="peers", yellow="-0.05", orange=None, red=None)
    others = [
        Alliance.objects.create(county=world.yunling, code=f"YL-{number}", name=f"云岭县第{number}医共体", valid_from=date(2020, 1, 1))
        for number in range(3)
    ]  # fmt: skip
    for alliance, percent in zip((world.alliance, world.east, world.west, *others[:2]), (10, 20, 21, 22, 23), strict=True):
        share_row(alliance, JULY, percent)
    assert evaluate_month(world.qingxi, JULY).unjudged == 1  # of four others the median would tell one of them too much
    share_row(others[2], JULY, 24)
    assert evaluate_month(world.qingxi, JULY).raised == 1
    # median of 20 to 24 is 22: 5 points below is 17
    assert newest(world).figures.get().threshold_value == Decimal("0.17")


def test_a_providers_warning_goes_to_the_alliance_it_belonged_to_that_month(world):
    live(world, indicator="inpatient_average", kind="institution", above=True, yellow="1000", orange=None, red=None)
    month_row(world.township, JULY, inpatient_cost=300_000, discharges=200)
    month_row(world.township, AUGUST, inpatient_cost=300_000, discharges=200)
    Membership.objects.filter(institution=world.township).update(valid_to=date(2026, 7, 31))
    Membership.objects.create(institution=world.township, alliance=world.east, valid_from=date(2026, 8, 1))
    evaluate_month(world.qingxi, JULY)
    w = Warning.objects.get(institution=world.township)
    assert w.alliance == world.alliance
    evaluate_month(world.qingxi, AUGUST)
    assert Warning.objects.get(institution=world.township).alliance == world.alliance


def test_the_citys_own_fund_is_judged_for_the_pooling_area(world):
    live(world, indicator="current_balance_rate", kind="city", yellow="0", orange=None, red=None, fund_type="EMP")
    month_row(world.area, JULY, "EMP", income=100, fund_spending=120)
    assert evaluate_month(world.qingxi, JULY).raised == 0
    assert evaluate_month(world.area, JULY).raised == 1
    w = Warning.objects.with_places().get()
    assert (w.kind, w.county, w.figures.get().affected) == ("city", None, Decimal("20.00"))
    assert evaluate_month(world.area, JULY).raised == 0


def test_the_same_queries_serve_any_number_of_places(world):
    from core.models import Institution

    live(world)
    live(world, indicator="inpatient_average", kind="institution", above=True, yellow="9000", orange=None, red=None)

    def count():
        with CaptureQueriesContext(connection) as seen:
            evaluate_month(world.qingxi, JULY)
        return len(seen)

    share_row(world.alliance, JULY, 30)
    few = count()
    for number in range(20):
        house = Institution.objects.create(
            county=world.qingxi, code=f"H99010101{number:03}", name=f"第{number}卫生院", kind="township"
        )
        month_row(house, JULY, inpatient_cost=300_000, discharges=200)
    assert count() == few


def test_a_run_that_dies_between_warnings_leaves_nothing_half(world, monkeypatch):
    live(world, fund_type="")
    share_row(world.alliance, JULY, 12, "RES")
    share_row(world.alliance, JULY, 12, "EMP")
    done, send = [], raising.send_at_once

    def dies(*args):
        if done:
            raise KeyboardInterrupt
        done.append(1)
        send(*args)

    monkeypatch.setattr(raising, "send_at_once", dies)
    with pytest.raises(KeyboardInterrupt):
        evaluate_month(world.qingxi, JULY)
    assert (Warning.objects.count(), WarningFigure.objects.count()) == (1, 1) and verify_warnings() == []
    monkeypatch.setattr(raising, "send_at_once", send)
    assert evaluate_month(world.qingxi, JULY).raised == 1
    assert Warning.objects.count() == 2 and verify_warnings() == []


def test_what_somebody_else_raised_meanwhile_is_not_raised_again(world):
    """Two runs plan on the same state; the second decides again under the lock and finds nothing to do."""
    ground.raised(world, "15.5")
    w = newest(world)
    tally = following.Tally()
    signal = raising.Signal(
        place=ground.ref_of(world.alliance), fund_type="RES", cause="primary_share", month=JULY, level="red",
        value=w.figures.get().value, affected=w.figures.get().affected,
    )  # fmt: skip
    assert following.plan(signal, [], 2)[0].act == Act.RAISE
    following.carry_out(signal, world.qingxi, 2, None, tally)
    assert not tally.counts and Warning.objects.count() == 1


def test_numbers_run_without_gaps_for_a_place_fund_and_year(world, time_machine):
    live(world, fund_type="")
    live(world, indicator="drug_share", above=True, yellow="0.3", orange=None, red=None, fund_type="")
    for fund in ("RES", "EMP"):
        month_row(world.alliance, JULY, fund, fund_primary=1, fund_in_alliance=100, charged=100, drug_cost=50, total_cost=100)
    evaluate_month(world.qingxi, JULY)
    numbers = sorted(Warning.objects.values_list("number", flat=True))
    assert numbers == [f"警-2026-0814-QX-{fund}-0{number}" for fund in ("EMP", "RES") for number in (1, 2)]
    time_machine.move_to("2027-01-08 09:00:00+08:00")
    w = warnings.raise_manual(world.officer, world.alliance, "RES", "新年度首条", "yellow", REASON)
    assert w.number == "警-2027-0108-QX-RES-01"


def test_the_months_end_judges_the_county_and_the_city(world):
    live(world)
    share_row(world.alliance, JULY, "15.5")
    step = dict(month_end_steps)["warnings"]
    assert step.label == "风险预警"
    assert step.run(world.alliance, JULY, None).startswith("2026-07 预警：新触发 1 条。")
    assert "没有变化" in step.run(world.alliance, JULY, None)


def test_a_small_provider_is_left_out_unless_it_has_a_warning_already(world):
    live(world, indicator="inpatient_average", kind="institution", above=True, yellow="1000", orange=None, red=None,
         min_volume="100")  # fmt: skip
    month_row(world.township, JULY, inpatient_cost=300_000, discharges=200)
    month_row(world.lead, JULY, inpatient_cost=300_000, discharges=99)
    outcome = evaluate_month(world.qingxi, JULY)
    assert (outcome.raised, outcome.unjudged) == (1, 0)
    month_row(world.township, AUGUST, inpatient_cost=300_000, discharges=99)
    outcome = evaluate_month(world.qingxi, AUGUST)
    assert (outcome.updated, outcome.unjudged) == (1, 1)
    assert "低于最小规模 100" in WarningFigure.objects.last().data["why_not"]


def test_the_reasons_say_values_with_two_decimals(world):
    w = ground.raised(world, "17.4567")
    judged(world, JULY, "16.9876")
    assert "2026-07 为 16.99%" in w.changes.last().reason and "原为 17.46%" in w.changes.last().reason
