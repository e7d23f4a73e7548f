"""Pages and API of audit plans: who sees what, four eyes, what is kept when something fails, exports, query counts."""

from __future__ import annotations

import pytest
from django.urls import reverse

from audits.models import AuditPlan, Lead, PlanState
from audits.todos_leads import todos
from core.workbook import read_sheets
from tests.audits import ground
from tests.audits import leads_ground as made

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock(time_machine):
    time_machine.move_to(ground.NOW)


def url(name, *args):
    return reverse(f"audits:{name}", args=args)


def act(plan, name):
    return url("plan-act", plan.pk, name)


def target_act(row, name):
    return url("plan-target-act", row.plan_id, row.pk, name)


def text_of(page):
    return page.content.decode()


def typed(world, **changed):
    return {**{key: str(value) for key, value in made.plan_values().items()}, "place": f"C{world.qingxi.pk}", **changed}


def test_a_plan_goes_from_draft_to_done_by_its_pages(world, client_of):
    auditor, reviewer = client_of(world.auditor), world.audit_reviewer
    assert auditor.post(url("plan-new"), typed(world)).status_code == 302
    held = AuditPlan.objects.get()
    page = auditor.get(url("plan-targets", held.pk))
    assert "没有检查记录" in text_of(page) and world.east_lead.name not in text_of(page)
    auditor.post(url("plan-targets", held.pk), {"institution": [world.township.code, world.outsider.code]})
    assert auditor.post(act(held, "plan_submit")).status_code == 302
    assert [todo.title for todo in todos(reviewer)] == [f"审批稽核计划：{held.title}"]
    assert client_of(reviewer).post(act(held, "plan_approve"), {"reason": "同意"}).status_code == 302
    auditor = client_of(world.auditor)
    township, outsider = made.target_of(held, world.township), made.target_of(held, world.outsider)
    lead = {"result": "lead", "checked_on": "2026-08-20", "title": "串换药品", "detail": "进销存不符", "estimate": "860"}
    assert auditor.post(target_act(township, "result"), lead).status_code == 302
    refused = auditor.post(target_act(outsider, "result"), {"result": "checked", "checked_on": "2026-08-20"})
    assert refused.status_code == 422 and "涉企检查备案" in text_of(refused)
    auditor.post(target_act(outsider, "filing"), {"filing_number": "涉企备18", "filed_on": "2026-08-19"})
    assert auditor.post(target_act(outsider, "result"), {"result": "checked", "checked_on": "2026-08-20"}).status_code == 302
    assert auditor.post(act(held, "plan_complete")).status_code == 302
    page = auditor.get(url("plan", held.pk))
    assert Lead.objects.get().number in text_of(page) and "涉企备18" in text_of(page)
    assert AuditPlan.objects.get().state == PlanState.DONE


def test_a_refused_plan_says_everything_and_keeps_what_was_typed(world, client_of):
    page = client_of(world.auditor).post(url("plan-new"), typed(world, title="", starts_on="某日", ends_on="", focus="查收费"))
    text = text_of(page)
    assert page.status_code == 422 and "查收费" in text and 'value="某日"' in text
    assert "没有填写名称" in text and "开始日期不是有效日期" in text and "没有填写结束日期" in text
    assert not AuditPlan.objects.exists()


def test_a_draft_is_changed_and_its_place_stays(world, client_of):
    held = made.draft(world)
    client = client_of(world.auditor)
    page = client.get(url("plan-edit", held.pk))
    assert "place" not in page.context["form"].fields and held.basis in text_of(page)
    assert client.post(url("plan-edit", held.pk), typed(world, title="改名")).status_code == 302
    held.refresh_from_db()
    assert held.title == "改名"
    wrong = client.post(url("plan-edit", held.pk), typed(world, ends_on="2026-01-01", title="再改"))
    assert wrong.status_code == 422 and 'value="再改"' in text_of(wrong)


def test_a_county_auditor_sees_plans_of_her_county_only(world, client_of):
    own, foreign, city = made.draft(world), made.draft(world, world.yunling), made.draft(world, world.area)
    client = client_of(ground.crew(world).county_auditor)
    assert [row["plan"] for row in client.get(url("plans")).context["rows"]] == [own]
    for hidden in (foreign, city):
        assert client.get(url("plan", hidden.pk)).status_code == 404
        assert client.post(act(hidden, "plan_submit")).status_code == 404
    places = dict(client.get(url("plan-new")).context["form"].fields["place"].choices)
    assert set(places) == {"", f"C{world.qingxi.pk}"}


def test_providers_see_no_plans_and_fund_posts_only_read_them(world, client_of):
    held = made.targeted(world)
    row = made.target_of(held, world.township)
    client = client_of(world.hospital)
    assert client.get(url("plans")).status_code == 403 and client.get(url("plan", held.pk)).status_code == 404
    assert client.get(f"/api/v1/audit-plans/{held.pk}/").status_code == 404
    client = client_of(world.officer)
    assert client.get(url("plan", held.pk)).status_code == client.get(url("plan-target", held.pk, row.pk)).status_code == 200
    for address in (act(held, "plan_submit"), url("plan-targets", held.pk), target_act(row, "remove"), url("plan-edit", held.pk)):
        refused = client.post(address, {})
        assert refused.status_code == 403 and "稽核岗位" in text_of(refused)


def test_the_preparer_is_told_why_she_does_not_approve(world, client_of):
    held = made.submitted(world)
    AuditPlan.objects.filter(pk=held.pk).update(prepared_by=world.audit_reviewer)
    client = client_of(world.audit_reviewer)
    page = client.get(url("plan", held.pk))
    assert "由您本人编制" in "".join(page.context["denied"])
    refused = client.post(act(held, "plan_approve"), {"reason": ""})
    assert refused.status_code == 403 and "由您本人编制" in text_of(refused)


def test_the_checklist_of_a_target_names_the_clause_and_can_be_chosen(world, client_of):
    held = made.targeted(world)
    row = made.target_of(held, world.township)
    client = client_of(world.auditor)
    text = text_of(client.get(url("plan-target", held.pk, row.pk)))
    assert "串换药品" in text and "§二(三)1" in text and "空刷盗刷" not in text
    assert client.post(target_act(row, "risks"), {"risks": ["care_as_medical"]}).status_code == 302
    row.refresh_from_db()
    assert row.risks == ["care_as_medical"]
    assert client.post(target_act(row, "risks"), {"risks": ["empty_card"]}).status_code == 422
    assert client.post(target_act(row, "remove")).status_code == 302 and held.targets.count() == 1


def test_a_refused_result_keeps_what_was_typed(world, client_of):
    row = made.target_of(made.approved(world), world.township)
    page = client_of(world.auditor).post(target_act(row, "result"), {"result": "lead", "checked_on": "2026-09-02", "detail": "进销存不符"})
    text = text_of(page)
    assert page.status_code == 422 and "进销存不符" in text and "没有填写线索事由" in text and "晚于今天" in text


def test_unknown_institutions_are_told_and_the_ticks_are_kept(world, client_of):
    held = made.draft(world)
    page = client_of(world.auditor).post(url("plan-targets", held.pk), {"institution": [world.township.code, "H00"]})
    assert page.status_code == 422 and "没有编码为“H00”的机构" in text_of(page)
    assert page.context["ticked"] == [world.township.code, "H00"] and held.targets.count() == 0


def test_the_list_filters_and_its_export_holds_exactly_what_is_shown(world, client_of):
    routine, special = made.approved(world), made.draft(world, world.yunling, kind="special", way="document", title="专项")
    client = client_of(world.auditor)

    def found(query):
        rows = [row["plan"].number for row in client.get(f"{url('plans')}?{query}").context["rows"]]
        sheet = read_sheets(client.get(f"{url('plans-xlsx')}?{query}").content, "x.xlsx")["稽核计划"]
        assert [row[0] for row in sheet if "〔2026〕" in str(row[0])] == rows
        return rows

    assert found("") == [special.number, routine.number]
    assert found("state=approved") == found("kind=routine") == found("way=on_site") == [routine.number]
    assert found(f"county={world.yunling.code}") == found("q=专项") == [special.number]
    assert found("q=石桥镇") == [routine.number] and found("year=2025") == []
    assert found("sort=number")[0] == routine.number and found("sort=-number")[0] == special.number


def test_the_targets_of_a_plan_are_exported_with_their_results(world, client_of):
    held = made.approved(world)
    book = read_sheets(client_of(world.auditor).get(url("plan-targets-xlsx", held.pk)).content, "x.xlsx")
    rows = next(iter(book.values()))
    assert [row[1] for row in rows[-2:]] == [world.township.name, world.outsider.name]


def test_list_and_plan_ask_the_database_as_often_for_many_as_for_few(world, client_of, django_assert_max_num_queries):
    for _number in range(8):
        held = made.approved(world, world.lead, world.township, world.village, world.outsider)
    client = client_of(world.auditor)
    client.get(url("plans"))
    with django_assert_max_num_queries(24):
        client.get(url("plans"))
    with django_assert_max_num_queries(34):
        client.get(url("plan", held.pk))


def test_the_api_prepares_and_carries_out_a_plan_like_the_pages(world, client_of):
    api = "/api/v1/audit-plans/"

    def post(user, address, **given):
        return client_of(user).post(address, given, content_type="application/json")

    assert post(world.officer, api, **typed(world)).status_code == 403
    wrong = post(world.auditor, api, place=f"C{world.qingxi.pk}")
    assert wrong.status_code == 422 and len(wrong.json()["problems"]) == 8
    one = f"{api}{post(world.auditor, api, **typed(world)).json()['id']}/"
    proposed = client_of(world.auditor).get(f"{one}candidates/").json()
    assert {row["institution"] for row in proposed} == {p.code for p in (world.lead, world.township, world.village, world.outsider)}
    added = post(world.auditor, f"{one}targets/", institutions=[world.township.code]).json()
    target = f"{one}targets/{added['targets'][0]['id']}/"
    assert post(world.auditor, f"{one}submit/").json()["state"] == "submitted"
    assert post(world.auditor, f"{one}approve/").status_code == 403
    assert post(world.audit_reviewer, f"{one}approve/").json()["approved_by"] == "audit_reviewer"
    assert post(world.auditor, f"{target}result/", result="skipped").status_code == 422
    done = post(world.auditor, f"{target}result/", result="skipped", note="机构已停业").json()
    assert done["targets"][0]["state"] == "skipped"
    assert post(world.auditor, f"{one}complete/").json()["state"] == "done"
