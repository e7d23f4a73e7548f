"""Service agreements: applied for and signed, supplemented, suspended, ended; what is refused and why (R-100…R-106, R-119)."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from audits.models import Agreement, AgreementChange
from audits.reading import agreements as reading
from audits.reading.agreement_terms import terms_for
from audits.services import agreements
from audits.todos_agreements import badge, todos
from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.models import Notice
from core.trail import history
from rules.periods import Month
from tests.audits import ground
from tests.audits.agreement_ground import NOW, TODAY, agreement, application, second_reviewer
from tests.monitoring.warning_ground import month_row


@pytest.fixture(autouse=True)
def _clock(time_machine):
    time_machine.move_to(NOW)


def change(world, held, kind, who=None, **given):
    values = {"text": "按约定办理，见所附材料", "from_on": TODAY, **given}
    return agreements.propose_change(who or world.auditor, held, kind, **values)


def problems_of(call):
    with pytest.raises(Refused) as refused:
        call()
    return refused.value


def test_an_agreement_is_applied_for_by_one_and_signed_by_another(world):
    made = agreements.enter(world.officer, world.lead, application(world.lead, limits="XA01,某中药饮片,10g,12.5"))
    assert (made.state, made.number) == ("applied", "青医协〔2026〕1号")
    assert {"primary", "lead_duties"} <= {row["key"] for row in made.terms}
    assert made.limits == [{"code": "XA01", "name": "某中药饮片", "unit": "10g", "limit": "12.5"}]
    sign = made.changes.get()
    with pytest.raises(NotAllowed):
        agreements.decide_change(world.officer, sign, True)
    agreements.decide_change(world.reviewer, sign, True)
    made.refresh_from_db()
    assert (made.state, made.approved_by) == ("in_force", world.reviewer)
    assert [event.action for event in history(made)] == [agreements.ENTER, agreements.DECIDE]
    assert Notice.objects.filter(user=world.hospital, text__contains=made.number).exists()


def test_an_application_tells_everything_wrong_at_once(world):
    limits = "X,名,盒\nXB02,名,盒,-1\nXB02,名,盒,2"
    wanted = application(world.township, year=2024, valid_from=date(2026, 5, 1), valid_to=date(2026, 3, 1), limits=limits)
    wanted["terms"]["fund_use"] = " "
    wanted["terms"]["lead_duties"] = "不属于它"
    wanted["indicators"]["fund_growth"] = "900"
    wanted["indicators"]["readmission"] = "很多"
    told = str(problems_of(lambda: agreements.enter(world.officer, world.township, wanted)))
    for words in (
        "年度 2024", "期满日期 2026-03-01 早于", "已过", "条款“医保基金使用”", "没有“lead_duties”", "目标值 900", "“很多”不是数字",
        "第 1 行应有四项", "限额“-1”", "与第 2 行重复",
    ):  # fmt: skip
        assert words in told
    assert not Agreement.objects.exists()


def test_two_agreements_of_the_same_days_are_refused(world):
    agreement(world)
    wanted = application(world.township, valid_from=date(2026, 10, 1))
    told = str(problems_of(lambda: agreements.enter(world.officer, world.township, wanted)))
    assert "已有协议 青医协〔2026〕1号（履行中" in told
    with pytest.raises(IntegrityError), transaction.atomic():
        held = Agreement.objects.get()
        held.pk, held.number = None, "另一份"
        held.save()


def test_an_application_that_is_not_signed_leaves_the_year_free(world):
    made = agreements.enter(world.officer, world.township, application(world.township))
    with pytest.raises(Refused, match="没有写明理由"):
        agreements.decide_change(world.reviewer, made.changes.get(), False)
    agreements.decide_change(world.reviewer, made.changes.get(), False, "基层管理条款没有谈妥")
    made.refresh_from_db()
    assert made.state == "refused"
    assert agreement(world).state == "in_force"


def test_fund_posts_designate_and_audit_posts_sanction(world):
    held = agreement(world)
    with pytest.raises(NotAllowed):
        change(world, held, "suspend", world.officer)
    with pytest.raises(NotAllowed):
        change(world, held, "supplement", world.auditor)
    with pytest.raises(NotAllowed):
        agreements.enter(world.county_officer, world.east_lead, application(world.east_lead))
    made = change(world, held, "suspend", until=date(2026, 11, 30))
    with pytest.raises(NotAllowed):
        agreements.decide_change(world.reviewer, made, True)
    assert [todo.verb for todo in todos(world.audit_reviewer)] == ["审定"]
    assert badge(world.audit_reviewer) == 1 and badge(world.reviewer) == 0


def test_a_suspension_is_lifted_and_a_termination_is_final(world):
    held = agreement(world)
    agreements.decide_change(world.audit_reviewer, change(world, held, "suspend", until=date(2026, 10, 31)), True)
    held.refresh_from_db()
    assert held.state == "suspended"
    agreements.decide_change(world.audit_reviewer, change(world, held, "resume"), True)
    held.refresh_from_db()
    assert held.state == "in_force"
    agreements.decide_change(world.audit_reviewer, change(world, held, "terminate"), True)
    held.refresh_from_db()
    assert held.state == "terminated"
    told = str(problems_of(lambda: change(world, held, "resume")))
    assert "现在是“解除”，不能办理“恢复协议”" in told
    assert reading.running(world.township, TODAY) is None


def test_a_suspension_whose_time_is_over_asks_to_be_resumed(world, time_machine):
    held = agreement(world)
    agreements.decide_change(world.audit_reviewer, change(world, held, "suspend", until=date(2026, 9, 30)), True)
    assert todos(world.auditor) == []
    time_machine.move_to("2026-10-09 09:00:00+08:00")
    assert "中止期满" in todos(world.auditor)[0].title


def test_the_listed_disease_function_is_opened_and_closed(world):
    held = agreement(world)
    agreements.decide_change(world.reviewer, change(world, held, "listed_on", world.officer), True)
    held.refresh_from_db()
    assert held.listed_disease
    assert "已开通" in str(problems_of(lambda: change(world, held, "listed_on", world.officer)))
    agreements.decide_change(world.audit_reviewer, change(world, held, "listed_off"), True)
    held.refresh_from_db()
    assert not held.listed_disease


def test_a_supplement_keeps_the_growth_of_costs_as_its_ground(world):
    held = agreement(world)
    for year, amount in ((2025, "1000000"), (2026, "1300000")):
        for month in range(1, 9):
            month_row(world.township, Month(year, month), charged=Decimal(amount))
    made = change(world, held, "supplement", world.officer, text="次均费用不合理增长，约定控制措施")
    rows = {(row["fund"], row["label"]): row for row in made.data["growth"]}
    assert rows["居民", "基金支出增长率"]["now"] == "30.00%"
    agreements.decide_change(world.reviewer, made, True)
    held.refresh_from_db()
    assert held.state == "in_force"


def test_a_change_names_everything_wrong_at_once(world):
    held = agreement(world)
    case = ground.opened(world, institution=world.lead)
    told = str(
        problems_of(
            lambda: change(world, held, "terminate", text=" ", from_on=date(2027, 1, 1), until=date(2026, 1, 1), case=case)
        )
    )
    for words in ("没有写明内容", "2027-01-01 不在协议期限", "截止日期 2026-01-01 早于", "没有截止日期", f"案件 {case.number} 的对象是"):
        assert words in told
    assert not AgreementChange.objects.exclude(kind="sign").exists()


def test_a_change_from_a_case_names_the_case(world):
    held = agreement(world)
    case = ground.opened(world)
    made = change(world, held, "suspend", case=case)
    assert (made.case, list(case.agreement_changes.all())) == (case, [made])
    assert "已有待审定的“中止协议”" in str(problems_of(lambda: change(world, held, "suspend")))


def test_a_change_is_not_decided_before_its_day_nor_twice_nor_by_its_proposer(world):
    held = agreement(world)
    later = change(world, held, "suspend", from_on=date(2026, 9, 15))
    assert "自 2026-09-15 起生效" in str(problems_of(lambda: agreements.decide_change(world.audit_reviewer, later, True)))
    agreements.decide_change(world.audit_reviewer, later, False, "日期改为今天起")
    with pytest.raises(Conflict, match="已退回"):
        agreements.decide_change(second_reviewer(world), later, True)
    made = change(world, held, "suspend")
    with pytest.raises(IntegrityError), transaction.atomic():
        AgreementChange.objects.filter(pk=made.pk).update(decided_by=made.proposed_by)
    with pytest.raises(DatabaseError), transaction.atomic():
        made.delete()


def test_an_expired_agreement_takes_no_change_but_its_end(world, time_machine):
    held = agreement(world)
    early = str(problems_of(lambda: change(world, held, "expire", world.officer, from_on=date(2027, 1, 1))))
    assert "才期满" in early
    time_machine.move_to("2027-01-05 09:00:00+08:00")
    told = str(problems_of(lambda: change(world, held, "suspend", from_on=date(2026, 12, 31))))
    assert "已于 2026-12-31 期满" in told
    made = change(world, held, "expire", world.officer, from_on=date(2027, 1, 1))
    agreements.decide_change(world.reviewer, made, True)
    held.refresh_from_db()
    assert held.state == "expired"
    expired = application(world.township)
    assert "不能签订已到期的协议" in str(problems_of(lambda: agreements.enter(world.officer, world.township, expired)))


def test_a_provider_sees_its_own_agreement_once_it_is_signed(world):
    made = agreements.enter(world.officer, world.township, application(world.township))
    assert not Agreement.objects.visible_to(world.member).exists()
    agreements.decide_change(world.reviewer, made.changes.get(), True)
    change(world, made, "suspend")
    assert Agreement.objects.visible_to(world.member).get() == made
    assert Agreement.objects.visible_to(world.hospital).get() == made
    assert [row.kind for row in AgreementChange.objects.visible_to(world.member)] == ["sign"]
    assert not Agreement.objects.visible_to(world.sister_hospital).exists()
    assert not Agreement.objects.visible_to(world.stranger_officer).exists()


def test_the_terms_fit_the_kind_of_provider(world):
    lead = {one.key for one in terms_for(world.lead, TODAY, True).terms}
    member = {one.key for one in terms_for(world.township, TODAY, False).terms}
    world.outsider.kind = "pharmacy"
    pharmacy = {one.key for one in terms_for(world.outsider, TODAY, False).terms}
    assert lead - member == {"primary", "lead_duties"}
    assert member - pharmacy == {"case_payment", "listed_disease"}
    told = str(problems_of(lambda: agreements.enter(world.officer, world.outsider, application(world.outsider, listed_disease=True))))
    assert "不开通门诊规定病种结算" in told
