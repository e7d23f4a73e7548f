"""Audit plans: four eyes, targets by risk, the enterprise filing before an on-site check, results that become leads."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from audits.models import AuditPlan, PlanState, PointEntry, TargetState
from audits.plan_acts import PLAN_ROWS, PlanAct
from audits.reading.plan_targets import candidates, chosen_plans
from audits.reading.risk_lists import is_private, lists_for, own_risks, risk_lists, risks_by_key
from audits.services import plans
from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.models import Institution, Notice
from core.trail import history
from tests.audits import ground
from tests.audits import leads_ground as made
from tests.monitoring import desk_ground

pytestmark = pytest.mark.django_db
ON = date(2026, 8, 20)


@pytest.fixture(autouse=True)
def _clock(time_machine):
    time_machine.move_to(ground.NOW)


def fields(refusal):
    return {problem.field for problem in refusal.value.problems}


# ---- risk lists


def test_every_kind_of_subject_of_the_policy_has_its_risk_list_with_a_clause():
    lists = risk_lists()
    assert {"level2", "primary", "private", "pharmacy", "insured", "agency"} <= set(lists)
    assert all(one.clause and one.risks for one in lists.values())
    assert len(risks_by_key()) == sum(len(one.risks) for one in lists.values())


def test_a_provider_is_checked_for_the_risks_of_its_kind(world):
    assert [one.of for one in lists_for(world.lead)][0] == "level2"
    assert [one.of for one in lists_for(world.township)][0] == "primary"
    assert [one.of for one in lists_for(world.outsider)][:2] == ["private", "level2"]
    pharmacy = Institution(kind="pharmacy", grade=1, ownership="private")
    assert [one.of for one in lists_for(pharmacy)] == ["pharmacy", "listed"]
    assert own_risks(world.township) == ["swapped_drugs", "swapped_materials", "swapped_items"]
    assert is_private(world.outsider) and not is_private(world.lead)


# ---- preparing and approving


def test_plans_are_numbered_by_county_and_by_the_city_itself(world):
    numbers = [made.draft(world).number, made.draft(world).number, made.draft(world, world.area).number]
    assert numbers == ["青稽计〔2026〕1号", "青稽计〔2026〕2号", "澜川市本级稽计〔2026〕1号"]


def test_everything_wrong_with_a_plan_is_said_at_once(world):
    wrong = made.plan_values(
        kind="", way="", title="", basis="依" * 301, focus=" ", starts_on=date(2025, 7, 1), ends_on=date(2025, 1, 1)
    )
    with pytest.raises(Refused) as refusal:
        plans.prepare(world.auditor, world.qingxi, wrong)
    assert fields(refusal) == {"kind", "way", "title", "basis", "focus", "starts_on", "ends_on"}
    with pytest.raises(Refused) as refusal:
        plans.prepare(world.auditor, world.qingxi, made.plan_values(year=None, starts_on=None, ends_on=None))
    assert fields(refusal) == {"year", "starts_on", "ends_on"}


def test_a_plan_without_targets_is_not_put_forward(world):
    with pytest.raises(Refused, match="没有检查对象"):
        plans.submit(world.auditor, made.draft(world))


def test_who_prepared_a_plan_does_not_approve_it(world):
    held = made.submitted(world)
    AuditPlan.objects.filter(pk=held.pk).update(prepared_by=world.audit_reviewer)
    for act, words in ((plans.approve, ""), (plans.return_plan, "请补充依据")):
        with pytest.raises(NotAllowed, match="不能由本人"):
            act(world.audit_reviewer, held, words)
    assert plans.approve(ground.crew(world).second, held).approved_by == ground.crew(world).second


def test_auditors_do_not_approve_and_fund_posts_do_nothing_with_plans(world):
    held = made.submitted(world)
    for user in (world.auditor, world.officer, world.finance, world.observer, world.hospital):
        with pytest.raises(NotAllowed):
            plans.approve(user, held)
    with pytest.raises(NotAllowed):
        made.draft(world).pk and plans.prepare(ground.crew(world).other_county_auditor, world.qingxi, made.plan_values())


def test_a_returned_plan_is_changed_and_put_forward_again(world):
    held = plans.return_plan(world.audit_reviewer, made.submitted(world), "请补充检查重点")
    assert (held.state, held.remark) == (PlanState.DRAFT, "请补充检查重点")
    changed = plans.edit(world.auditor, held, made.plan_values(focus="收费、协议和待遇"))
    assert changed.focus == "收费、协议和待遇"
    assert plans.submit(world.auditor, changed).state == PlanState.SUBMITTED
    with pytest.raises(Conflict, match="待审批"):
        plans.edit(world.auditor, changed, made.plan_values())
    assert Notice.objects.filter(user=world.audit_reviewer, url=held.get_absolute_url()).count() == 2


def test_the_year_of_a_numbered_plan_stays(world):
    with pytest.raises(Refused, match="编号属于 2026 年度"):
        plans.edit(world.auditor, made.draft(world), made.plan_values(year=2027, starts_on=date(2027, 1, 1), ends_on=date(2027, 2, 1)))


def test_a_draft_is_given_up_by_its_auditor_and_a_plan_under_way_by_the_reviewer(world):
    assert plans.cancel(world.auditor, made.draft(world), "并入专项计划").state == PlanState.CANCELLED
    held = made.approved(world)
    with pytest.raises(NotAllowed, match="由稽核复核办理"):
        plans.cancel(world.auditor, held, "并入专项计划")
    with pytest.raises(Refused, match="没有写明理由"):
        plans.cancel(world.audit_reviewer, held, "")
    assert plans.cancel(world.audit_reviewer, held, "并入专项计划").state == PlanState.CANCELLED


def test_every_row_of_the_plans_table_is_refused_in_every_other_state(world):
    sources = {act: {row.source for row in PLAN_ROWS if row.act == act} for act in PlanAct}
    held, reviewer = made.submitted(world), world.audit_reviewer
    acts = {
        PlanAct.SUBMIT: lambda: plans.submit(world.auditor, held),
        PlanAct.APPROVE: lambda: plans.approve(reviewer, held),
        PlanAct.RETURN: lambda: plans.return_plan(reviewer, held, "请补充依据"),
        PlanAct.COMPLETE: lambda: plans.complete(world.auditor, held),
        PlanAct.CANCEL: lambda: plans.cancel(reviewer, held, "并入专项计划"),
        PlanAct.EDIT: lambda: plans.edit(world.auditor, held, made.plan_values()),
        PlanAct.TARGETS: lambda: plans.add_targets(world.auditor, held, [(world.village, ())]),
    }
    for state in PlanState:
        AuditPlan.objects.filter(pk=held.pk).update(state=state)
        for act, attempt in acts.items():
            if state not in sources[act]:
                with pytest.raises(Conflict):
                    attempt()


# ---- targets


def test_targets_stay_inside_the_place_and_stand_on_a_plan_once(world):
    held = made.targeted(world, world.township)
    with pytest.raises(Refused) as refusal:
        plans.add_targets(world.auditor, held, [(world.township, ()), (world.east_lead, ()), (world.lead, ["swapped_drugs"])])
    words = str(refusal.value)
    assert "已在计划中" in words and "不在青溪县" in words and "检查清单里没有“swapped_drugs”" in words
    assert held.targets.count() == 1


def test_a_target_is_taken_off_a_draft_but_not_off_an_approved_plan(world):
    held = made.targeted(world)
    plans.remove_target(world.auditor, made.target_of(held, world.outsider))
    assert held.targets.count() == 1
    approved = made.approved(world)
    with pytest.raises(Conflict):
        plans.remove_target(world.auditor, made.target_of(approved, world.outsider))


def test_the_checklist_of_a_target_comes_from_the_lists_of_its_kind(world):
    row = made.target_of(made.targeted(world), world.township)
    assert plans.choose_risks(world.auditor, row, ["swapped_drugs", "care_as_medical"]).risks == ["swapped_drugs", "care_as_medical"]
    with pytest.raises(Refused, match="检查清单里没有“empty_card”"):
        plans.choose_risks(world.auditor, row, ["empty_card"])
    with pytest.raises(Refused, match="没有为石桥镇中心卫生院选择检查项目"):
        plans.choose_risks(world.auditor, row, [])


def test_the_riskiest_providers_are_proposed_first_with_the_reasons(world):
    desk_ground.noted(desk_ground.raised(world, world.township))
    PointEntry.objects.create(
        institution=world.lead, on=date(2026, 3, 1), points=6, severity="重复收费", clause="协议", reason="记分", status="in_force",
        proposed_by=world.auditor, proposed_at="2026-03-01T09:00:00+08:00",
    )  # fmt: skip
    case = made.filed(world, institution=world.outsider).case
    case.tracks.create(kind="agreement", state="served", holds_money=True, opened_at="2026-08-01T09:00:00+08:00", served_on=ON)
    found = candidates(world.auditor, made.draft(world))
    assert [one.institution for one in found] == [world.outsider, world.township, world.lead, world.village]
    assert found[0].reasons == ["近 3 年已处理案件 1 件"] and found[0].last_checked == made.TODAY
    assert found[1].reasons == ["未解除预警 1 条", "3 年内未检查（没有检查记录）"]
    assert found[2].reasons == ["本年协议记分 6 分", "3 年内未检查（没有检查记录）"]
    assert [one.institution for one in candidates(world.auditor, made.draft(world), {"reason": "cases"})] == [world.outsider]
    assert found[0].is_private


def test_a_provider_checked_within_three_years_is_covered_and_one_checked_before_is_not(world):
    held = made.approved(world, world.township, world.lead)
    for place, checked in ((world.township, date(2023, 9, 1)), (world.lead, date(2023, 8, 31))):
        held.targets.filter(institution=place).update(state=TargetState.CHECKED, checked_on=checked)
    by_place = {one.institution: one.overdue for one in candidates(world.auditor, made.draft(world))}
    assert by_place[world.township] is False and by_place[world.lead] is True


def test_the_proposal_asks_the_database_as_often_for_many_as_for_few(world, django_assert_max_num_queries):
    held = made.draft(world)
    for number in range(20):
        code = f"P9901010{number:04}"
        Institution.objects.create(county=world.qingxi, code=code, name=f"药店{number}", kind="pharmacy", ownership="private")
    with django_assert_max_num_queries(9):
        assert len(candidates(world.auditor, held)) == 24


# ---- results


def test_a_private_provider_is_not_checked_on_site_before_the_enterprise_filing(world):
    row = made.target_of(made.approved(world), world.outsider)
    sound = {"result": "checked", "checked_on": ON, "note": ""}
    with pytest.raises(Refused, match="涉企检查备案"):
        plans.record_result(world.auditor, row, **sound)
    with pytest.raises(Refused) as refusal:
        plans.file_enterprise_check(world.auditor, row, " ", date(2026, 9, 2))
    assert fields(refusal) == {"filing_number", "filed_on"}
    plans.file_enterprise_check(world.auditor, row, "涉企备〔2026〕18号", date(2026, 8, 21))
    with pytest.raises(Refused, match="早于涉企检查备案日期"):
        plans.record_result(world.auditor, row, **sound)
    assert plans.record_result(world.auditor, row, **{**sound, "checked_on": date(2026, 8, 21)}).state == TargetState.CHECKED


def test_neither_documents_nor_a_check_that_was_not_made_need_the_filing(world):
    by_documents = made.target_of(made.approved(world, way="document"), world.outsider)
    assert plans.record_result(world.auditor, by_documents, result="checked", checked_on=ON, note="").checked_on == ON
    skipped = made.target_of(made.approved(world), world.outsider)
    done = plans.record_result(world.auditor, skipped, result="skipped", checked_on=ON, note="机构已停业")
    assert (done.state, done.checked_on) == (TargetState.SKIPPED, None)


@pytest.mark.parametrize(("kind", "source"), [("routine", "routine"), ("special", "inspection"), ("tip", "tip")])
def test_a_problem_found_becomes_a_lead_of_the_plans_kind(world, kind, source):
    row = made.target_of(made.approved(world, kind=kind), world.township)
    done = plans.record_result(
        world.auditor, row, result="lead", checked_on=ON, note="", title="串换药品", detail="药品进销存不符", estimate=Decimal("860.00")
    )
    assert done.lead.source == source and done.lead.institution == world.township and done.lead.received_on == ON
    assert (done.lead.origin_type, done.lead.origin_key) == ("audits.plantarget", str(row.pk))
    with pytest.raises(Conflict, match="已登记结果"):
        plans.record_result(world.auditor, row, result="checked", checked_on=ON, note="")


def test_everything_wrong_with_a_result_is_said_at_once(world):
    row = made.target_of(made.approved(world), world.outsider)
    with pytest.raises(Refused) as refusal:
        plans.record_result(world.auditor, row, result="lead", checked_on=date(2026, 9, 2), note="说" * 301)
    assert fields(refusal) == {"note", "checked_on", "filing_number", "title", "detail"}
    with pytest.raises(Refused, match="没有写明未检查的原因"):
        plans.record_result(world.auditor, row, result="skipped", checked_on=None, note="")
    assert row.plan.targets.filter(lead__isnull=False).count() == 0


def test_a_plan_is_completed_when_every_target_has_a_result(world):
    held = made.approved(world)
    with pytest.raises(Refused, match="还有 2 个对象没有登记结果"):
        plans.complete(world.auditor, held)
    for row in held.targets.all():
        plans.record_result(world.auditor, row, result="skipped", checked_on=None, note="机构已停业")
    assert plans.complete(world.auditor, held).state == PlanState.DONE
    assert [event.action for event in history(held)][-1] == "audits.plan_complete"


def test_a_search_by_provider_keeps_the_counts_of_the_whole_plan(world):
    made.approved(world)
    found = chosen_plans(world.auditor, {"q": "石桥镇"}).get()
    assert (found.all_targets, found.done_targets, found.led_targets) == (2, 0, 0)
