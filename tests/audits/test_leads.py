"""Leads: one service for every source, gapless numbers, the filing limit, four eyes, merging, what the trail never says."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from audits.models import Case, Lead, LeadChange
from audits.services import lead_decisions, leads
from audits.services.lead_sources import lead_from_warning
from audits.services.leads import PointedClaim
from audits.services.numbers import short_name
from audits.states import Act, LeadState
from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.models import County, Notice, TrailEvent
from core.trail import history
from tests.audits import ground
from tests.audits import leads_ground as made
from tests.monitoring import desk_ground
from tests.world import START

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock(time_machine):
    time_machine.move_to(ground.NOW)


def fields(refusal):
    return {problem.field for problem in refusal.value.problems}


# ---- entering


def test_numbers_run_without_gaps_by_county_and_year(world):
    first, second = made.lead(world), made.lead(world)
    other = made.lead(world, institution=world.east_lead)
    assert [first.number, second.number, other.number] == ["青线〔2026〕1号", "青线〔2026〕2号", "云线〔2026〕1号"]


def test_a_refused_entry_takes_no_number(world):
    with pytest.raises(Refused):
        made.lead(world, title=" ")
    assert made.lead(world).number == "青线〔2026〕1号"


def test_counties_that_begin_alike_get_longer_short_names(world):
    alike = County.objects.create(pooling_area=world.area, code="990103", name="青山县", valid_from=START)
    same = County.objects.create(pooling_area=world.foreign_area, code="990203", name="青山县", valid_from=START)
    assert short_name(world.qingxi) == "青溪"
    assert short_name(world.yunling) == "云"
    assert {short_name(alike), short_name(same)} == {"青山县990103", "青山县990203"}


def test_the_same_origin_again_returns_the_held_lead(world):
    origin = {"origin_type": "audits.plantarget", "origin_key": "7"}
    first = made.lead(world, **origin)
    again = made.lead(world, **origin, title="另一说法")
    assert again.pk == first.pk and again.title == "重复收费"
    assert made.lead(world, source="other", **origin).pk != first.pk
    assert Lead.objects.count() == 2 and made.lead(world).number.endswith("3号")


def test_a_job_enters_leads_without_a_person(world):
    held = made.lead(world, actor=None)
    assert held.entered_by is None and history(held).get().actor_name == "系统"


def test_the_filing_limit_counts_fifteen_working_days_with_shifted_ones(world):
    # Sunday 20 September is worked for the national holiday of 1 to 7 October
    assert made.lead(world, received_on=date(2026, 8, 31)).due_on == date(2026, 9, 20)
    assert made.lead(world, received_on=date(2026, 9, 1)).due_on == date(2026, 9, 21)


def test_everything_wrong_with_an_entry_is_said_at_once(world):
    with pytest.raises(Refused) as refusal:
        leads.enter_lead(
            world.auditor, source="rumour", county=world.yunling, institution=world.township, party_kind="ghost", title="",
            detail="", estimate=Decimal(-1), fund_type="ZZZ", received_on=date(2026, 9, 2),
        )  # fmt: skip
    assert fields(refusal) == {
        "source", "party_kind", "fund_type", "institution", "title", "detail", "estimate", "received_on",
    }  # fmt: skip


def test_a_provider_needs_its_institution_and_a_person_only_a_pseudonym(world):
    with pytest.raises(Refused) as refusal:
        made.lead(world, institution=None)
    assert fields(refusal) == {"institution", "party_name"}
    person = made.lead(world, institution=None, party_kind="person", party_code="a3f9")
    assert person.party_name == "" and person.party_code == "a3f9" and person.at == world.qingxi


def test_only_the_posts_of_the_audit_enter_leads_and_only_at_their_place(world):
    for user in (world.officer, world.hospital, world.observer, ground.crew(world).other_county_auditor):
        with pytest.raises(NotAllowed):
            made.lead(world, actor=user)
    assert made.lead(world, actor=ground.crew(world).county_auditor).entered_by.username == "qingxi_auditor"


def test_claim_rows_are_kept_as_known_and_never_twice(world):
    row = PointedClaim(world.qingxi, "S1", date(2026, 5, 1), "RES", Decimal("120.50"))
    held = made.lead(world, claims=[row])
    assert [(one.settlement_id, one.amount) for one in held.claims.all()] == [("S1", Decimal("120.50"))]
    with pytest.raises(Refused, match="S1 列了两次"):
        made.lead(world, claims=[row, row])


def test_neither_trail_nor_notices_repeat_what_an_informant_said(world):
    people = ground.crew(world)
    held = made.lead(world, source="tip", title="张三举报", detail=made.SECRET)
    leads.assign(people.reviewer, held, people.officer, "张三可以作证")
    leads.extend(people.reviewer, held, "张三还要补材料")
    leads.propose(people.officer, held, filing=True, reason="张三所述属实")
    leads.return_lead(people.reviewer, held, "请找张三核对")
    told = [f"{event.summary}{event.data}" for event in TrailEvent.objects.filter(subject_type="audits.lead")]
    told += list(Notice.objects.filter(url=held.get_absolute_url()).values_list("text", flat=True))
    assert len(told) >= 8 and not [text for text in told if "张三" in text]
    assert held.changes.filter(reason__contains="张三").count() == 4


# ---- from a warning


def test_a_warning_becomes_a_lead_with_its_figure_money_and_place(world):
    warning = desk_ground.sent(world)
    held = lead_from_warning(world.auditor, warning)
    assert held.source == "warning" and held.institution == world.lead and held.fund_type == warning.fund_type
    assert held.estimate == warning.figures.last().affected and warning.number in held.detail
    assert lead_from_warning(ground.crew(world).county_auditor, warning).pk == held.pk


def test_a_warning_of_a_fund_names_nobody_to_audit(world):
    with pytest.raises(Refused, match="没有可以稽核的机构"):
        lead_from_warning(world.auditor, desk_ground.distress(world))


# ---- the course


def test_a_lead_goes_from_entry_to_a_case_with_two_officers(world):
    held = made.filed(world)
    assert held.state == LeadState.FILED and held.case.number == "青稽〔2026〕1号"
    assert {row.card: row.leads for row in held.case.officers.all()} == {"赣01": True, "赣02": False}
    assert held.case.opened_by == world.auditor and held.case.approved_by == world.audit_reviewer
    acts = list(LeadChange.objects.filter(lead=held).values_list("act", flat=True))
    assert acts == [Act.ENTER, Act.ASSIGN, Act.PROPOSE_FILE, Act.FILE]


def test_a_filing_with_everything_wrong_says_all_of_it(world):
    people, held = ground.crew(world), made.proposed(world)
    with pytest.raises(Refused) as refusal:
        lead_decisions.file(
            people.reviewer, held, kind="", way="air", title="", claims_from=date(2026, 9, 2), claims_to=date(2026, 1, 1),
            officers=[(people.officer, " ", True), (people.other_county_auditor, "云01", True)],
        )  # fmt: skip
    assert fields(refusal) == {"kind", "way", "title", "claims_from", "claims_to", "officers", "card"}
    assert not Case.objects.exists()


def test_one_officer_named_twice_is_not_two_officers(world):
    people, held = ground.crew(world), made.proposed(world)
    same = [(people.officer, "赣01", True), (people.officer, "赣01", False)]
    with pytest.raises(Refused, match="两名办案人员是同一人"):
        lead_decisions.file(people.reviewer, held, **made.frame(world, officers=same))


def test_who_put_a_lead_forward_does_not_decide_on_it(world):
    held = made.proposed(world)
    Lead.objects.filter(pk=held.pk).update(proposed_by=world.audit_reviewer)
    for act in (lead_decisions.refuse, leads.return_lead):
        with pytest.raises(NotAllowed, match="由您本人提请"):
            act(world.audit_reviewer, held, made.REASON)
    with pytest.raises(NotAllowed, match="由您本人提请"):
        lead_decisions.file(world.audit_reviewer, held, **made.frame(world))


def test_only_what_was_put_forward_can_be_approved(world):
    reviewer = world.audit_reviewer
    to_file, to_refuse = made.proposed(world), made.proposed(world, filing=False)
    with pytest.raises(Conflict, match="提请的是立案"):
        lead_decisions.refuse(reviewer, to_file)
    with pytest.raises(Conflict, match="提请的是不予立案"):
        lead_decisions.file(reviewer, to_refuse, **made.frame(world))
    assert lead_decisions.refuse(reviewer, to_refuse).state == LeadState.REFUSED


def test_only_the_one_charged_with_a_lead_puts_it_forward(world):
    people, held = ground.crew(world), made.assigned(world)
    with pytest.raises(NotAllowed, match="赵衡核查"):
        leads.propose(people.spare, held, filing=True, reason=made.REASON)
    with pytest.raises(Refused, match="没有写明理由"):
        leads.propose(people.officer, held, filing=True, reason=" ")


def test_a_returned_lead_is_checked_and_put_forward_again(world):
    held = leads.return_lead(world.audit_reviewer, made.proposed(world), "缺少费用清单")
    assert (held.state, held.proposal, held.proposed_by) == (LeadState.ASSIGNED, "", None)
    assert leads.propose(world.auditor, held, filing=False, reason=made.REASON).proposal == Act.REFUSE


def test_a_lead_is_assigned_only_to_an_auditor_of_its_place(world):
    people, held = ground.crew(world), made.lead(world)
    for wrong in (None, world.officer, people.other_county_auditor, people.reviewer):
        with pytest.raises(Refused):
            leads.assign(people.reviewer, held, wrong)
    leads.assign(people.reviewer, held, people.county_auditor)
    assert leads.assign(people.reviewer, held, people.spare).assigned_to == people.spare
    with pytest.raises(Refused, match="已经由马骏核查"):
        leads.assign(people.reviewer, held, people.spare)


def test_the_limit_is_extended_once_by_fifteen_working_days_and_never_after_its_end(world, time_machine):
    held = made.lead(world)
    longer = leads.extend(world.audit_reviewer, held, "涉及病历较多")
    assert (held.due_on, longer.due_on, longer.is_extended) == (date(2026, 9, 21), date(2026, 10, 19), True)
    with pytest.raises(Refused, match="已延长过一次"):
        leads.extend(world.audit_reviewer, held, "还要延长")
    late = made.lead(world)
    time_machine.move_to("2026-09-22 09:00:00+08:00")
    with pytest.raises(Refused, match="已经届满"):
        leads.extend(world.audit_reviewer, late, "涉及病历较多")


def test_leads_of_one_party_are_merged_with_their_claims(world):
    rows = [PointedClaim(world.qingxi, f"S{number}", date(2026, 5, 1), "RES", Decimal(100)) for number in (1, 2)]
    first, second = made.assigned(world, claims=rows[:1]), made.lead(world, claims=rows)
    leads.merge(world.audit_reviewer, second, "同一事项", into=first)
    assert sorted(first.claims.values_list("settlement_id", flat=True)) == ["S1", "S2"]
    leads.propose(world.auditor, first, filing=True, reason=made.REASON)
    filed = lead_decisions.file(world.audit_reviewer, first, **made.frame(world))
    second.refresh_from_db()
    assert second.state == LeadState.MERGED and second.case == filed.case


def test_a_lead_joins_an_open_case_of_its_party_and_no_other(world):
    case, held = made.filed(world).case, made.lead(world)
    leads.merge(world.audit_reviewer, held, "同一事项", case=case)
    held.refresh_from_db()
    assert held.case == case and case.changes.filter(act=Act.MERGE).count() == 1
    stranger = made.lead(world, institution=world.outsider)
    with pytest.raises(Refused, match="不是同一对象"):
        leads.merge(world.audit_reviewer, stranger, "同一事项", case=case)


def test_a_lead_is_merged_neither_into_itself_nor_into_nothing_nor_into_what_ended(world):
    held, ended = made.lead(world), made.filed(world)
    for given, words in (({"into": held}, "不能并入自己"), ({}, "没有选择并入"), ({"into": ended}, "不能再并入")):
        with pytest.raises(Refused, match=words):
            leads.merge(world.audit_reviewer, held, "同一事项", **given)


def test_a_lead_of_others_is_handed_over_naming_the_body(world):
    with pytest.raises(Refused) as refusal:
        leads.hand_over(world.audit_reviewer, made.lead(world), " ", "")
    assert fields(refusal) == {"to", "reason"}
    held = leads.hand_over(world.audit_reviewer, made.lead(world), "县市场监管局", "属价格违法，不涉及基金")
    assert held.state == LeadState.HANDED and held.changes.last().data["to"] == "县市场监管局"


def test_a_lead_that_moved_on_tells_who_moved_it(world):
    held = made.lead(world)
    leads.hand_over(world.audit_reviewer, held, "县市场监管局", "属价格违法，不涉及基金")
    with pytest.raises(Conflict, match="钱理"):
        leads.assign(world.audit_reviewer, held, world.auditor)
