"""An accepted table against the facts: compared at acceptance, explained, signed by both, made again with new facts."""

from decimal import Decimal

import pytest

from claims.models import FundMonthlyReport
from claims.services import record_factset
from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.models import AgreedShare, Notice, TrailEvent
from rules.periods import Month
from submissions import jobs, services
from submissions.declaration import shipped_table
from submissions.models import Reconciliation, SubmissionChange
from submissions.reading.behind import lines_behind
from tests.claims.facts import fact
from tests.submissions.accepting import accepted_version, sound_facts
from tests.submissions.figures import LEAD, TOWNSHIP, sound_figures, yuan

D = Decimal
WORDS = "9 月末有 300 笔住院结算在 10 月补传"


def lines_of(submission):
    held = Reconciliation.objects.get(submission=submission)
    return {(line.fund_type, line.row_code): line for line in held.lines.all()}


def one_difference(world):
    """Everything agrees but the residents' inpatient spending at the lead hospital: 400.00 of 10,400.00 missing."""
    sound_facts(world, RES="10400.00")
    return accepted_version(world)


def explained(world, submission):
    held = Reconciliation.objects.get(submission=submission)
    return services.explain_lines(
        world.hospital, held, {line.pk: WORDS for line in held.lines.all() if line.must_explain}
    )


def test_a_table_that_says_what_the_facts_say_needs_no_words(world):
    sound_facts(world)
    lines = lines_of(accepted_version(world))
    assert [key for key, line in lines.items() if line.must_explain] == []
    different = [
        key for key, line in lines.items()
        if line.amount_filed is not None and line.amount_filed != line.amount_facts
    ]  # fmt: skip
    assert different == []
    line = lines[("EMP", "3")]
    assert (line.amount_filed, line.amount_facts) == (yuan("45780.18"), yuan("45780.18"))
    assert (lines[("RES", "1")].number_facts, lines[("RES", "7.a")].number_facts) == (352816, 80000)


def test_every_row_with_a_fact_has_a_line_for_each_fund(world):
    sound_facts(world)
    table = services.table_in_force(world.area, accepted_version(world).assignment.of)
    named = [row.code for row in table.typed_rows if row.fact]
    held = Reconciliation.objects.get()
    assert [(line.fund_type, line.row_code) for line in held.lines.all()] == [
        (fund, code) for fund in ("RES", "EMP") for code in named
    ]
    assert len(held.factsets) == 9 + 2 and str(held.data_to) == "2026-09-30"


def test_rows_beyond_half_a_per_cent_must_be_explained(world):
    lines = lines_of(one_difference(world))
    assert [key for key, line in lines.items() if line.must_explain] == [
        ("RES", "3"), ("RES", "4"), ("RES", "4.3"), ("RES", "4.a"),
    ]  # fmt: skip
    line = lines[("RES", "4.a")]
    assert line.amount_filed - line.amount_facts == yuan("-400.00")


def test_a_filed_figure_the_facts_know_nothing_of_must_be_explained(world):
    sound_facts(world)
    figures = sound_figures()
    figures.funds["RES"]["15.2"].current = yuan("0.05")
    assert lines_of(accepted_version(world, figures))[("RES", "15.2")].must_explain


def test_an_optional_row_left_blank_needs_no_words(world):
    sound_facts(world)
    figures = sound_figures()
    figures.funds["RES"]["15.1"].current = None
    line = lines_of(accepted_version(world, figures))[("RES", "15.1")]
    assert (line.amount_filed, line.amount_facts, line.must_explain) == (None, yuan("310.00"), False)


def test_without_every_month_nothing_is_compared_and_nothing_signed(world):
    held = Reconciliation.objects.get(submission=accepted_version(world))
    assert not any(line.must_explain or line.amount_facts is not None for line in held.lines.all())
    with pytest.raises(Refused, match="月度数据尚未齐全"):
        services.sign(world.hospital, held)


def test_the_hospital_explains_then_signs_then_the_bureau(world):
    submission = one_difference(world)
    held = explained(world, submission)
    held = services.sign(world.hospital, held)
    assert held.hospital_signed_by == world.hospital and not held.is_signed
    held = services.sign(world.officer, held)
    assert held.is_signed and held.bureau_signed_by == world.officer
    assert SubmissionChange.objects.filter(submission=submission, act="sign").count() == 2
    events = TrailEvent.objects.filter(action="submissions.sign").order_by("pk")
    assert [event.actor for event in events] == [world.hospital, world.officer]


def test_unexplained_lines_are_all_named_before_a_signature(world):
    held = Reconciliation.objects.get(submission=one_difference(world))
    with pytest.raises(Refused) as refusal:
        services.sign(world.hospital, held)
    assert [problem.text for problem in refusal.value.problems] == [
        f"居民第 {code} 行的差异还没有说明。" for code in ("3", "4", "4.3", "4.a")
    ]


def test_the_bureau_cannot_sign_before_the_hospital(world):
    held = explained(world, one_difference(world))
    with pytest.raises(Conflict, match="医共体尚未签认"):
        services.sign(world.officer, held)


def test_nobody_signs_twice_or_for_the_other_side(world):
    held = services.sign(world.hospital, explained(world, one_difference(world)))
    with pytest.raises(Conflict, match="不需要再次签认"):
        services.sign(world.hospital, held)
    services.sign(world.officer, held)
    with pytest.raises(Conflict, match="双方均已签认"):
        services.sign(world.second_officer, held)


@pytest.mark.parametrize("who", ["reviewer", "observer", "auditor", "sister_hospital", "stranger_officer", "member"])
def test_other_posts_neither_explain_nor_sign(world, who):
    held = Reconciliation.objects.get(submission=one_difference(world))
    actor = getattr(world, who)
    with pytest.raises(NotAllowed):
        services.sign(actor, held)
    with pytest.raises(NotAllowed):
        services.explain_line(actor, held.lines.first(), WORDS)


def test_the_bureau_does_not_explain_for_the_hospital(world):
    held = Reconciliation.objects.get(submission=one_difference(world))
    with pytest.raises(NotAllowed):
        services.explain_line(world.officer, held.lines.first(), WORDS)


def test_texts_are_kept_all_or_none_with_every_problem(world):
    held = Reconciliation.objects.get(submission=one_difference(world))
    first, second, third = list(held.lines.all())[:3]
    with pytest.raises(Refused) as refusal:
        services.explain_lines(world.hospital, held, {first.pk: WORDS, second.pk: "短", third.pk: "长" * 501, 999999: WORDS})
    assert {problem.field for problem in refusal.value.problems} == {
        f"explanation-{pk}" for pk in (second.pk, third.pk, 999999)
    }
    assert not held.lines.exclude(explanation="").exists()


def test_an_empty_text_takes_an_explanation_back(world):
    held = Reconciliation.objects.get(submission=one_difference(world))
    line = held.lines.get(fund_type="RES", row_code="3")
    services.explain_line(world.hospital, line, WORDS)
    line.refresh_from_db()
    assert (line.explanation, line.explained_by) == (WORDS, world.hospital)
    services.explain_line(world.hospital, line, "  ")
    line.refresh_from_db()
    assert (line.explanation, line.explained_by, line.explained_at) == ("", None, None)


def test_an_explanation_stands_once_the_hospital_has_signed(world):
    held = services.sign(world.hospital, explained(world, one_difference(world)))
    with pytest.raises(Conflict, match="说明不能再改"):
        services.explain_line(world.hospital, held.lines.first(), WORDS)


def test_new_facts_clear_the_words_of_changed_rows_and_both_signatures(world):
    submission = one_difference(world)
    held = services.sign(world.officer, services.sign(world.hospital, explained(world, submission)))
    assert services.outdated() == []
    sound_facts(world, RES="10300.00")
    assert services.outdated() == [submission]
    assert services.refresh_reconciliations() == 1
    lines = lines_of(submission)
    assert lines[("RES", "4.a")].amount_facts == yuan("12800.00")
    assert all(lines[("RES", code)].explanation == "" for code in ("3", "4", "4.3", "4.a"))
    held.refresh_from_db()
    assert not held.is_signed and held.hospital_signed_by is None and held.bureau_signed_by is None
    event = TrailEvent.objects.filter(action="submissions.reconcile").get()
    assert "4 行有变化，原签认失效" in event.summary
    assert Notice.objects.filter(text__contains="原签认失效", user=world.hospital).exists()
    assert services.outdated() == []


def test_new_facts_that_change_no_row_keep_words_and_signatures(world):
    submission = one_difference(world)
    held = services.sign(world.officer, services.sign(world.hospital, explained(world, submission)))
    extra = fact("1.00", fund_type="MEMO", visit_type="outpatient")
    record_factset(world.officer, world.qingxi, Month(2026, 3), [extra], "table")
    assert services.refresh_reconciliations() == 1
    held.refresh_from_db()
    assert held.is_signed
    assert lines_of(submission)[("RES", "3")].explanation == WORDS
    assert services.refresh_reconciliations() == 0


def test_words_of_rows_that_did_not_change_survive_new_facts(world):
    submission = one_difference(world)
    held = explained(world, submission)
    kept = held.lines.get(fund_type="EMP", row_code="4.1")
    services.explain_line(world.hospital, kept, WORDS)
    sound_facts(world, RES="10300.00")
    services.refresh_reconciliations()
    kept.refresh_from_db()
    assert kept.explanation == WORDS


def test_facts_of_other_places_years_and_later_months_make_nothing_outdated(world):
    one_difference(world)
    record_factset(world.officer, world.yunling, Month(2026, 9), [], "table")
    record_factset(world.officer, world.qingxi, Month(2026, 10), [], "table")
    record_factset(world.officer, world.qingxi, Month(2025, 9), [], "table")
    assert services.outdated() == []


def test_the_clock_starts_a_job_that_makes_it_again(world, django_capture_on_commit_callbacks):
    submission = one_difference(world)
    jobs.look_for_new_facts()
    sound_facts(world)
    with django_capture_on_commit_callbacks(execute=False):
        jobs.look_for_new_facts()
    from core.jobs import run_now
    from core.models import Job

    done = run_now(Job.objects.get(name="submissions.reconcile"))
    assert done.outcome == "已按新的月度数据重新形成 1 份对账。"
    assert not any(line.must_explain for line in lines_of(submission).values())


def test_a_superseded_version_is_not_worked_on_any_more(world):
    former = one_difference(world)
    services.reopen(world.officer, former.assignment, "医院申请更正住院支出")
    accepted_version(world)
    held = Reconciliation.objects.get(submission=former)
    with pytest.raises(Conflict, match="已被替代"):
        services.explain_line(world.hospital, held.lines.first(), WORDS)
    with pytest.raises(Conflict, match="已被替代"):
        services.reconcile(former)
    sound_facts(world)
    assert [submission.number for submission in services.outdated()] == [2]


def test_behind_a_line_stand_its_months_and_institutions(world):
    submission = one_difference(world)
    line = lines_of(submission)[("RES", "4")]
    behind = lines_behind(submission, line, shipped_table().by_code[line.row_code])
    assert sum(one.value for one in behind) == line.amount_facts
    assert [(one.month.month, one.code) for one in behind][:2] == [(8, TOWNSHIP), (9, LEAD)]
    assert not behind[0].has_claims


def test_a_fund_report_that_comes_later_is_compared_too(world):
    sound_facts(world)
    FundMonthlyReport.objects.all().delete()
    submission = accepted_version(world)
    assert lines_of(submission)[("RES", "1")].number_facts is None
    report = {"county": world.qingxi, "fund_type": "RES", "year": 2026, "entered_by": world.officer}
    FundMonthlyReport.objects.create(**report, month=8, version=1, insured_heads=1)
    assert services.outdated() == []
    FundMonthlyReport.objects.create(**report, month=9, version=1, insured_heads=360000)
    assert services.refresh_reconciliations() == 1
    line = lines_of(submission)[("RES", "1")]
    assert (line.number_facts, line.must_explain) == (360000, True)
    assert services.outdated() == []


def test_a_report_that_cannot_be_split_makes_nothing_outdated_for_ever(world):
    accepted_version(world, alliance=world.east, by=world.sister_hospital)
    AgreedShare.objects.filter(year=2026).delete()
    FundMonthlyReport.objects.create(
        county=world.yunling, fund_type="RES", year=2026, month=9, version=1, insured_heads=9, entered_by=world.officer
    )
    assert services.refresh_reconciliations() == 1
    assert services.outdated() == []


def test_asking_what_is_outdated_costs_three_queries(world, django_assert_num_queries):
    one_difference(world)
    with django_assert_num_queries(3):
        services.outdated()
