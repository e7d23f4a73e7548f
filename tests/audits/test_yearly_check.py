"""年度检查考核: score and points give the grade, the effects are carried on, the ratio goes its lawful way (R-057, R-102)."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from audits.models import YearlyCheck
from audits.services import points, yearly_check
from audits.todos_agreements import todos, waiting_ratios
from budgets.models import PrepaymentRatio
from budgets.reading import monthly_ratio
from budgets.services import approve_ratio
from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.models import Notice
from core.trail import history
from tests.audits.agreement_ground import NOW, TODAY, agreement, given

REASON = "按年度检查考核办法逐项评分"


@pytest.fixture(autouse=True)
def _clock(time_machine):
    time_machine.move_to(NOW)


def checked(world, score, year=2025, institution=None, approve=True):
    row = yearly_check.propose(world.auditor, institution or world.lead, year, Decimal(score), REASON)
    return yearly_check.decide_check(world.audit_reviewer, row, True) if approve else row


def test_points_lower_the_score_and_the_grade(world):
    given(world, 6, date(2026, 3, 1), institution=world.lead)
    row = checked(world, "82", 2026)
    assert (row.points, row.deduction, row.final_score, row.grade) == (6, Decimal("3"), Decimal("79"), "basically_qualified")
    assert [step["label"] for step in row.trace][:3] == ["年度考核扣分", "年度得分", "年度等次"]
    assert [event.action for event in history(row)] == [yearly_check.PROPOSE, yearly_check.DECIDE]


def test_a_check_is_approved_by_another_person_and_once(world):
    row = checked(world, "90", approve=False)
    with pytest.raises(NotAllowed):
        yearly_check.decide_check(world.auditor, row, True)
    yearly_check.decide_check(world.audit_reviewer, row, True)
    with pytest.raises(Conflict, match="已审定"):
        yearly_check.decide_check(world.audit_reviewer, row, True)
    with pytest.raises(Refused, match="2025 年度检查考核已有"):
        checked(world, "95")
    with pytest.raises(IntegrityError), transaction.atomic():
        row.pk = None
        row.save(force_insert=True)


def test_wrong_input_is_told_all_at_once(world):
    with pytest.raises(Refused) as refused:
        yearly_check.propose(world.auditor, world.lead, 2019, Decimal("101.5"), "长" * 2001)
    for words in ("年度 2019 不在", "现为 101.5", "说明有 2001 个字"):
        assert words in str(refused.value)
    with pytest.raises(Refused, match="超过两位小数"):
        yearly_check.propose(world.auditor, world.lead, 2025, Decimal("90.125"))
    with pytest.raises(NotAllowed):
        yearly_check.propose(world.hospital, world.lead, 2025, Decimal("90"))


def test_a_bad_year_of_the_lead_hospital_brings_next_years_ratio_to_the_fund_officer(world):
    row = checked(world, "70")
    assert (row.lead_of, row.grade) == (world.alliance, "basically_qualified")
    assert row.effects["prepayment_ratio"] == "0.047500"
    assert "按考核结果录入预付比例" in todos(world.officer)[0].title
    assert todos(world.auditor) == []
    with pytest.raises(NotAllowed):
        yearly_check.enter_prepayment_ratio(world.audit_reviewer, row)
    row = yearly_check.enter_prepayment_ratio(world.officer, row)
    entered = PrepaymentRatio.objects.get()
    assert (row.ratio, entered.alliance, entered.year) == (entered.pk, world.alliance, 2026)
    assert (entered.monthly_ratio, entered.entered_by, entered.approved_at) == (Decimal("0.0475"), world.officer, None)
    assert monthly_ratio(world.alliance, 2026, TODAY) == Decimal("0.05")
    approve_ratio(world.reviewer, entered)
    assert monthly_ratio(world.alliance, 2026, TODAY) == Decimal("0.0475")
    assert not waiting_ratios(world.officer).exists()
    with pytest.raises(Conflict, match="录入过预付比例"):
        yearly_check.enter_prepayment_ratio(world.officer, row)


def test_a_qualified_year_and_a_member_change_no_ratio(world):
    good, member = checked(world, "90"), checked(world, "50", institution=world.township)
    assert not waiting_ratios(world.officer).exists()
    assert (member.lead_of, member.effects["may_refuse_renewal"]) == (None, True)
    with pytest.raises(Conflict, match="不调低按月预付比例"):
        yearly_check.enter_prepayment_ratio(world.officer, good)
    waiting = checked(world, "50", 2026, approve=False)
    with pytest.raises(Conflict, match="审定后才能录入"):
        yearly_check.enter_prepayment_ratio(world.officer, waiting)


def test_two_unqualified_years_in_a_row_propose_to_terminate(world):
    held = agreement(world)
    first = checked(world, "40", 2024, world.township)
    assert not first.effects["terminated"] and not held.changes.filter(kind="terminate").exists()
    second = checked(world, "45", 2025, world.township)
    change = held.changes.get(kind="terminate")
    assert second.effects["terminated"] and "连续两年不合格" in change.text
    assert (change.status, change.proposed_by, change.data["yearly_check"]) == ("proposed", world.auditor, second.pk)


def test_a_good_year_between_two_bad_ones_ends_nothing(world):
    agreement(world)
    checked(world, "40", 2023, world.township)
    checked(world, "90", 2024, world.township)
    assert not checked(world, "45", 2025, world.township).effects["terminated"]


def test_points_that_changed_since_send_the_check_back(world):
    entry = given(world, 9, date(2026, 3, 1), institution=world.lead)
    row = checked(world, "84", 2026, approve=False)
    points.withdraw(world.audit_reviewer, entry, "申诉成立，事实有误")
    assert Notice.objects.filter(user=world.auditor, text__contains="所依据的记分已撤销 9 分").exists()
    with pytest.raises(Conflict, match="提出时记分 9 分，现在是 0 分"):
        yearly_check.decide_check(world.audit_reviewer, row, True)
    yearly_check.decide_check(world.audit_reviewer, row, False, "记分已变，重新提出")
    assert checked(world, "84", 2026).grade == "qualified"


def test_a_provider_sees_its_check_once_it_is_approved(world):
    row = checked(world, "70", approve=False)
    assert not YearlyCheck.objects.visible_to(world.hospital).exists()
    yearly_check.decide_check(world.audit_reviewer, row, True)
    assert YearlyCheck.objects.visible_to(world.hospital).get() == row
    assert not YearlyCheck.objects.visible_to(world.sister_hospital).exists()
