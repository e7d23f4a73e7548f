"""Pages and API of leads: who sees what, what may be done and why not, what is kept when something fails."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from audits.models import Lead
from audits.services import leads
from audits.states import LeadState
from audits.todos_leads import badge, todos
from core.models import StoredFile
from core.workbook import read_sheets
from tests.audits import ground
from tests.audits import leads_ground as made
from tests.monitoring import desk_ground

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock(time_machine):
    time_machine.move_to(ground.NOW)


def url(name, *args):
    return reverse(f"audits:{name}", args=args)


def act(lead, name):
    return url("lead-act", lead.pk, name)


def numbers(page):
    return [row.number for row in page.context["page_obj"]]


def text_of(page):
    return page.content.decode()


def entry(world, **changed):
    return {
        "source": "tip", "received_on": "2026-08-31", "county": world.qingxi.code, "party_kind": "provider",
        "institution": world.outsider.code, "fund_type": "RES", "estimate": "1200.50", "title": "虚假住院",
        "detail": "病区空床仍有在院病人",
        **changed,
    }  # fmt: skip


def filing(people, **changed):
    return {
        "kind": "special", "way": "on_site", "title": "重复收费", "claims_from": "2026-01-01", "claims_to": "2026-08-31",
        "leading": people.officer.pk, "leading_card": "赣01", "second": people.partner.pk, "second_card": "赣02", **changed,
    }  # fmt: skip


# ---- the inbox


def test_the_inbox_shows_open_leads_with_the_nearest_limit_first(world, client_of):
    ended = made.filed(world)
    later, sooner = made.lead(world), made.lead(world, received_on=made.TODAY.replace(month=8))
    page = client_of(world.auditor).get(url("leads"))
    assert numbers(page) == [sooner.number, later.number, ended.number]
    assert "剩 15 个工作日" in text_of(page) and "已逾期" in text_of(page) and ended.case.number in text_of(page)


def test_a_county_auditor_sees_only_the_leads_of_her_county(world, client_of):
    own, foreign = made.lead(world), made.lead(world, institution=world.east_lead)
    client = client_of(ground.crew(world).county_auditor)
    assert numbers(client.get(url("leads"))) == [own.number]
    assert client.get(url("lead", foreign.pk)).status_code == 404
    assert client.post(act(foreign, "assign"), {}).status_code == 404
    assert foreign.number not in str(read_sheets(client.get(url("leads-xlsx")).content, "x.xlsx"))
    assert client.get("/api/v1/audit-leads/").json()["count"] == 1


def test_providers_never_reach_leads_by_any_way(world, client_of):
    held = made.filed(world)
    for user in (world.hospital, world.member, world.nobody):
        client = client_of(user)
        assert client.get(url("lead", held.pk)).status_code == 404
        assert client.post(act(held, "merge"), {}).status_code == 404
        refused = client.get(url("leads"))
        assert refused.status_code == 403 and "只供医保局岗位查看" in text_of(refused)
        assert client.get(f"/api/v1/audit-leads/{held.pk}/").status_code == 404
        assert "稽核监管" not in text_of(client.get("/"))
        assert held.title not in text_of(client.get(reverse("portal:search"), {"q": held.number}))


def test_fund_posts_read_leads_but_are_told_why_they_do_not_act(world, client_of):
    held = made.lead(world)
    for user in (world.officer, world.finance, world.observer):
        client = client_of(user)
        page = client.get(url("lead", held.pk))
        assert page.status_code == 200 and page.context["panel"].acts == ()
        refused = client.post(act(held, "assign"), {"to": world.auditor.pk})
        assert refused.status_code == 403 and "稽核复核" in text_of(refused)
        assert client.get(url("lead-new")).status_code == 403
    held.refresh_from_db()
    assert held.state == LeadState.NEW


def test_the_inbox_filters_by_everything_it_offers(world, client_of):
    first = made.assigned(world, source="tip")
    second = made.lead(world, institution=world.east_lead, title="串换药品")
    late = made.lead(world, institution=world.outsider, received_on=made.TODAY.replace(month=7))
    client = client_of(world.auditor)

    def found(query):
        return set(numbers(client.get(f"{url('leads')}?{query}")))

    assert found("state=assigned") == {first.number}
    assert found("state=open") == {first.number, second.number, late.number}
    assert found("source=tip") == {first.number}
    assert found(f"county={world.yunling.code}") == {second.number}
    assert found("overdue=on") == {late.number}
    assert found("mine=on") == found("state=waiting") == {first.number}
    assert found("q=串换") == {second.number}
    assert found(f"q={world.outsider.name[:4]}") == {late.number}
    assert found("state=nonsense&source=tip") == {first.number}
    assert [numbers(client.get(f"{url('leads')}?sort={sort}"))[0] for sort in ("number", "-number")] == [first.number, second.number]


def test_the_strip_counts_what_the_filter_chose(world, client_of):
    made.lead(world, estimate=Decimal(1000))
    made.filed(world, estimate=Decimal(500))
    strip = client_of(world.auditor).get(url("leads")).context["strip"]
    assert {one["label"]: one.get("value", one.get("money")) for one in strip} == {
        "未办结": 1, "待分派": 1, "核查中": 0, "待审批": 0, "已立案": 1, "已逾期": 0, "未办结涉及金额": Decimal(1000),
    }  # fmt: skip


def test_the_export_holds_exactly_the_rows_shown(world, client_of):
    made.lead(world, estimate=Decimal("120.50"))
    made.lead(world, institution=world.east_lead)
    client = client_of(world.auditor)
    for query in ("", "?sort=-number", f"?county={world.qingxi.code}"):
        page = client.get(url("leads") + query)
        rows = read_sheets(client.get(url("leads-xlsx") + query).content, "x.xlsx")["稽核线索"]
        assert [row[0] for row in rows if "〔2026〕" in str(row[0])] == numbers(page)
    assert any(120.5 in row for row in rows)


def test_the_inbox_asks_the_database_as_often_for_many_as_for_few(world, client_of, django_assert_max_num_queries):
    for _number in range(12):
        made.assigned(world)
    client = client_of(world.auditor)
    client.get(url("leads"))
    with django_assert_max_num_queries(26):
        assert len(numbers(client.get(url("leads")))) == 12


# ---- one lead


def test_a_lead_shows_its_claims_its_course_and_what_comes_next(world, client_of):
    row = leads.PointedClaim(world.qingxi, "S77", made.TODAY, "RES", Decimal("345.60"))
    held = made.assigned(world, claims=[row], estimate=Decimal("345.60"))
    page = client_of(world.auditor).get(url("lead", held.pk))
    text = text_of(page)
    assert "S77" in text and "345.60" in text and "由赵衡核查" in text
    assert [one.act for one in page.context["panel"].acts] == ["prop_file", "prop_refuse"]
    reviewer = client_of(world.audit_reviewer).get(url("lead", held.pk))
    assert [one.act for one in reviewer.context["panel"].acts] == ["assign", "extend_lead", "merge", "hand"]


def test_an_auditor_not_charged_with_a_lead_is_told_who_is(world, client_of):
    held = made.assigned(world)
    page = client_of(ground.crew(world).spare).get(url("lead", held.pk))
    assert page.context["panel"].acts == () and "由赵衡核查" in "".join(page.context["panel"].denied)


@pytest.mark.parametrize("state", list(LeadState))
def test_every_state_of_a_lead_has_a_page_for_every_reader(world, client_of, state):
    held = made.filed(world)
    Lead.objects.filter(pk=held.pk).update(state=state)
    for user in (world.auditor, world.audit_reviewer, world.observer):
        assert client_of(user).get(url("lead", held.pk)).status_code == 200


def test_the_origin_of_a_lead_is_named_and_linked(world, client_of):
    warning = desk_ground.sent(world)
    client = client_of(world.auditor)
    shown = client.get(warning.get_absolute_url())
    assert "转为稽核线索" in text_of(shown)
    made_page = client.post(url("lead-from-warning", warning.pk), follow=True)
    lead = Lead.objects.get()
    assert lead.estimate == Decimal("884827.39") and warning.get_absolute_url() in text_of(made_page)
    assert "查看稽核线索" in text_of(client.get(warning.get_absolute_url()))
    client.post(url("lead-from-warning", warning.pk))
    assert Lead.objects.count() == 1


def test_the_button_on_a_warning_is_for_the_posts_of_the_audit_only(world, client_of):
    warning = desk_ground.sent(world)
    for user in (world.officer, world.hospital):
        assert "稽核线索" not in text_of(client_of(user).get(warning.get_absolute_url()))
    assert client_of(world.officer).post(url("lead-from-warning", warning.pk)).status_code == 403
    foreign = client_of(ground.crew(world).other_county_auditor)
    assert foreign.post(url("lead-from-warning", warning.pk)).status_code == 404


def test_a_warning_of_a_fund_offers_no_lead_and_says_why(world, client_of):
    warning = desk_ground.distress(world)
    client = client_of(world.auditor)
    assert "转为稽核线索" not in text_of(client.get(warning.get_absolute_url()))
    told = client.post(url("lead-from-warning", warning.pk), follow=True)
    assert "没有可以稽核的机构" in text_of(told) and not Lead.objects.exists()


# ---- entering by hand


def test_a_lead_of_any_source_is_entered_by_hand_with_its_files(world, client_of):
    client = client_of(world.auditor)
    assert "写明涉嫌串换为医疗费用的养老费用" in text_of(client.get(url("lead-new")))
    file = SimpleUploadedFile("来函.pdf", b"%PDF-1.4 letter")
    done = client.post(url("lead-new"), {**entry(world), "files": [file]})
    held = Lead.objects.get()
    assert done.status_code == 302 and (held.party_name, held.estimate) == ("青溪康宁医院", Decimal("1200.50"))
    assert client.get(url("lead-file", held.pk, held.files.get().pk)).status_code == 200
    assert client_of(world.hospital).get(url("lead-file", held.pk, held.files.get().pk)).status_code == 404


def test_a_refused_entry_says_everything_and_keeps_what_was_typed(world, client_of):
    file = SimpleUploadedFile("恶意.exe", b"MZ")
    page = client_of(world.auditor).post(
        url("lead-new"), {**entry(world, source="", title="", estimate="一千", received_on="昨天"), "files": [file]}
    )
    text = text_of(page)
    assert page.status_code == 422 and "病区空床仍有在院病人" in text and 'value="昨天"' in text
    for words in ("没有选择来源", "没有填写事由", "涉及金额（元）须填数字", "收到日期不是有效日期", "不能接收这种类型的附件"):
        assert words in text
    assert not Lead.objects.exists() and not StoredFile.objects.exists()


def test_an_institution_of_another_county_is_not_offered_to_a_county_auditor(world, client_of):
    client = client_of(ground.crew(world).county_auditor)
    page = client.post(url("lead-new"), entry(world, institution=world.east_lead.code))
    assert page.status_code == 422 and "云岭县人民医院" not in text_of(page)


# ---- acts


def test_a_lead_is_taken_through_its_life_by_its_pages(world, client_of):
    people, held = ground.crew(world), made.lead(world)
    reviewer, auditor = world.audit_reviewer, world.auditor
    assert client_of(reviewer).post(act(held, "assign"), {"to": auditor.pk}).status_code == 302
    assert client_of(auditor).post(act(held, "prop_file"), {"reason": made.REASON}).status_code == 302
    done = client_of(reviewer).post(act(held, "file"), filing(people))
    held.refresh_from_db()
    assert held.state == LeadState.FILED and done.headers["Location"] == held.case.get_absolute_url()


def test_a_filing_refused_keeps_what_was_typed_and_opens_no_case(world, client_of):
    people, held = ground.crew(world), made.proposed(world)
    wrong = filing(people, second=people.officer.pk, claims_to="2025-01-01", title="超标准收费")
    page = client_of(world.audit_reviewer).post(act(held, "file"), wrong)
    text = text_of(page)
    assert page.status_code == 422 and "两名办案人员是同一人" in text and "早于起日" in text
    assert 'value="超标准收费"' in text and 'value="赣01"' in text
    held.refresh_from_db()
    assert held.case is None and held.state == LeadState.PROPOSED


def test_the_proposer_gets_the_reason_instead_of_the_decision(world, client_of):
    held = made.proposed(world)
    Lead.objects.filter(pk=held.pk).update(proposed_by=world.audit_reviewer)
    client = client_of(world.audit_reviewer)
    page = client.get(url("lead", held.pk))
    assert "由您本人提请" in "".join(page.context["panel"].denied)
    refused = client.post(act(held, "file"), filing(ground.crew(world)))
    assert refused.status_code == 403 and "由您本人提请" in text_of(refused)


def test_a_lead_that_moved_on_is_a_conflict_that_says_so(world, client_of):
    held = made.filed(world)
    page = client_of(world.audit_reviewer).post(act(held, "hand"), {"to": "县市场监管局", "reason": "不属本局管辖"})
    assert page.status_code == 409 and "已立案" in text_of(page)


def test_only_the_same_party_is_offered_for_merging(world, client_of):
    first, second, other = made.lead(world), made.lead(world), made.lead(world, institution=world.outsider)
    client = client_of(world.audit_reviewer)
    text = text_of(client.get(url("lead", second.pk)))
    assert f'value="L{first.pk}"' in text and f'value="L{other.pk}"' not in text
    assert client.post(act(second, "merge"), {"into": f"L{other.pk}", "reason": "同一事项"}).status_code == 422
    assert client.post(act(second, "merge"), {"into": f"L{first.pk}", "reason": "同一事项"}).status_code == 302


def test_a_lost_session_and_an_unknown_act_end_on_known_pages(world, client_of):
    held = made.lead(world)
    client = client_of(world.audit_reviewer)
    assert client.get(act(held, "assign")).headers["Location"] == held.get_absolute_url()
    assert client.post(act(held, "nonsense"), {}).status_code == 404


# ---- desk and API


def test_everybody_is_asked_only_for_what_waits_for_them(world):
    made.lead(world, title="新来的")
    made.assigned(world, title="核查的")
    made.proposed(world, title="提请的")
    titles = {user.username: [todo.title.split()[-1] for todo in todos(user)] for user in (world.auditor, world.audit_reviewer)}
    assert titles == {"auditor": ["核查的"], "audit_reviewer": ["新来的", "提请的"]}
    assert todos(world.officer) == todos(world.hospital) == [] and badge(world.audit_reviewer) == 2
    assert [todo.due for todo in todos(world.auditor)] == [Lead.objects.first().due_on]


def test_the_api_enters_and_decides_like_the_pages(world, client_of):
    people = ground.crew(world)
    api = "/api/v1/audit-leads/"
    wrong = client_of(world.auditor).post(api, {"county": world.qingxi.code}, content_type="application/json")
    assert wrong.status_code == 422 and {one["field"] for one in wrong.json()["problems"]} >= {"source", "title", "institution"}
    body = {**entry(world), "institution": world.township.code}
    made_one = client_of(world.auditor).post(api, body, content_type="application/json")
    assert made_one.status_code == 201 and made_one.json()["estimate"] == "1200.50"
    one = f"{api}{made_one.json()['id']}/"

    def done(user, name, **given):
        return client_of(user).post(f"{one}{name}/", given, content_type="application/json")

    assert done(world.officer, "assign", to=world.auditor.pk).status_code == 403
    assert done(world.audit_reviewer, "assign", to=world.auditor.pk).json()["assigned_to"] == "auditor"
    assert done(world.auditor, "propose-filing", reason=made.REASON).json()["state"] == "proposed"
    assert done(world.audit_reviewer, "file").status_code == 422
    assert done(world.audit_reviewer, "file", **filing(people)).json()["case"] == "青稽〔2026〕1号"
    assert done(world.audit_reviewer, "return", reason="退回补充").status_code == 409
