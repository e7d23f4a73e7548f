"""Core's own pages: jobs, trail, notices, policy versions, parameters, refusals."""

import io
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import reverse
from openpyxl import load_workbook

from core import parameters, policies, trail
from core.errors import Problem
from core.models import Job, Notice, Parameter, PolicyParameter, StoredFile, TrailEvent
from core.models.jobs import JobState
from core.notices import notify, notify_role
from rules.scheme import shipped_text
from tests.world import START

KEY = "overrun.O1.rate"


def text_of(response):
    return response.content.decode()


@pytest.mark.parametrize("name", ["jobs", "parameters", "policies", "notices"])
@pytest.mark.parametrize("person", ["officer", "hospital", "member", "observer", "admin", "nobody"])
def test_the_pages_open_for_everybody_who_is_signed_in(world, client_of, name, person):
    assert client_of(getattr(world, person)).get(reverse(f"core:{name}")).status_code == 200


@pytest.mark.parametrize("name", ["jobs", "parameters", "policies", "notices", "trail"])
def test_a_visitor_comes_to_the_login(client, db, name):
    assert client.get(reverse(f"core:{name}")).url.startswith(reverse("core:login"))


# --- jobs


@pytest.fixture
def job(world):
    return Job.objects.create(
        name="month_end", label="月末处理", period="2026-09", actor=world.officer, pooling_area=world.area,
        county=world.qingxi, alliance=world.alliance, state=JobState.RUNNING, progress_done=1, progress_total=4,
        progress_text="青溪县",
    )  # fmt: skip


def test_a_running_job_shows_its_progress_and_asks_again(world, client_of, job):
    client = client_of(world.officer)
    assert "运行中 25%" in text_of(client.get(reverse("core:jobs")))
    page = text_of(client.get(job.get_absolute_url()))
    assert f'hx-get="{reverse("core:job-progress", args=[job.pk])}"' in page
    Job.objects.filter(pk=job.pk).update(state=JobState.DONE, outcome="处理完毕。")
    bar = text_of(client.get(reverse("core:job-progress", args=[job.pk])))
    assert "处理完毕" in bar
    assert "hx-get" not in bar


def test_a_job_of_another_place_does_not_exist_for_others(world, client_of, job):
    for person in (world.stranger_officer, world.hospital, world.nobody):
        client = client_of(person)
        assert client.get(job.get_absolute_url()).status_code == 404
        assert client.get(reverse("core:job-progress", args=[job.pk])).status_code == 404
        assert "2026-09" not in text_of(client.get(reverse("core:jobs")))


def test_a_job_lists_its_children_with_what_came_of_each(world, client_of, job):
    Job.objects.create(name="c", label="月末处理 · 东部", parent=job, state=JobState.FAILED, outcome="缺数据。\n请补。")
    page = text_of(client_of(world.officer).get(job.get_absolute_url()))
    assert "月末处理 · 东部" in page
    assert "缺数据。<br>请补。" in page


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({"state": "running"}, 1),
        ({"state": "done"}, 0),
        ({"q": "2026-09"}, 1),
        ({"q": "x"}, 0),
        ({"until": "2020-01-01"}, 0),
    ],
)
def test_jobs_are_found_by_state_text_and_day(world, client_of, job, asked, shown):
    response = client_of(world.officer).get(reverse("core:jobs"), asked)
    assert response.context["page_obj"].paginator.count == shown


# --- trail


def test_the_trail_is_read_by_the_bureau_and_refused_to_others_with_a_reason(world, client_of):
    for person in (world.officer, world.auditor, world.admin, world.county_officer):
        assert client_of(person).get(reverse("core:trail")).status_code == 200
    for person in (world.hospital, world.member, world.observer, world.nobody):
        response = client_of(person).get(reverse("core:trail"))
        assert response.status_code == 403
        assert "操作轨迹供医保部门各岗位" in text_of(response)


def test_a_county_officer_sees_the_rows_of_the_county_only(world, client_of):
    with transaction.atomic():
        trail.record(world.officer, "core.export", world.alliance, "青溪的事")
        trail.record(world.officer, "core.export", world.east, "云岭的事")
    page = text_of(client_of(world.county_officer).get(reverse("core:trail")))
    assert "青溪的事" in page
    assert "云岭的事" not in page


def test_the_trail_is_found_by_text_act_and_day_and_exported_as_shown(world, client_of):
    with transaction.atomic():
        trail.record(world.officer, "core.export", world.alliance, "导出甲")
        trail.record(world.finance, "core.login", world.alliance, "吴佳登录")
    client = client_of(world.auditor)
    for asked, shown in (
        ({"q": "导出甲"}, 1),
        ({"q": "吴佳"}, 1),
        ({"action": "core.export"}, 1),
        ({"until": "2020-01-01"}, 0),
    ):
        assert client.get(reverse("core:trail"), asked).context["page_obj"].paginator.count == shown
    response = client.get(reverse("core:trail-xlsx"), {"action": "core.export"})
    rows = list(load_workbook(io.BytesIO(response.content)).active.values)
    assert rows[0][0].startswith("澜川市　导出时链首 ")
    assert rows[1][0] == "筛选 动作：core.export"
    assert [row[7] for row in rows[3:]] == ["导出甲"]
    assert TrailEvent.objects.latest("pk").summary.startswith("导出 操作轨迹-")


def test_the_trail_costs_the_same_queries_whatever_its_length(world, client_of, django_assert_max_num_queries):
    with transaction.atomic():
        for number in range(60):
            trail.record(world.officer, "core.export", world.alliance, f"导出 {number}")
    client = client_of(world.officer)
    with django_assert_max_num_queries(17):
        assert client.get(reverse("core:trail")).context["page_obj"].paginator.num_pages == 2


# --- notices


def test_notices_reach_the_holders_of_a_post_once_and_are_read_together(world, client_of):
    notify_role(["fund_reviewer"], world.alliance, "有一份打包预算待复核", "/budgets/1/")
    notify([world.reviewer, world.reviewer], "再看一次")
    assert Notice.objects.filter(user=world.reviewer).count() == 2
    assert Notice.objects.filter(user=world.second_reviewer).count() == 1
    client = client_of(world.reviewer)
    page = text_of(client.get(reverse("core:notices")))
    assert 'href="/budgets/1/"' in page
    assert "2 条未读" in page
    client.post(reverse("core:notices"))
    assert "没有未读" in text_of(client.get(reverse("core:notices")))
    assert Notice.objects.get(user=world.second_reviewer).read_at is None


# --- policy versions


def test_a_reviewer_approves_an_entered_version_on_its_page(world, client_of):
    version = policies.enter_version(world.admin, world.area, shipped_text("ningde-2019"), date(2027, 1, 1))
    approve = reverse("core:policy-approve", args=[version.pk])
    assert approve not in text_of(client_of(world.admin).get(version.get_absolute_url()))
    assert client_of(world.admin).post(approve).status_code == 403
    assert client_of(world.stranger_reviewer).post(approve).status_code == 404
    client = client_of(world.reviewer)
    assert approve in text_of(client.get(version.get_absolute_url()))
    assert client.post(approve).url == version.get_absolute_url()
    version.refresh_from_db()
    assert version.approved_by == world.reviewer
    again = client.post(approve)
    assert again.status_code == 409
    assert "已由何劲松审定" in text_of(again)


def test_a_version_shows_every_parameter_with_clause_and_status(world, client_of):
    page = text_of(client_of(world.hospital).get(world.scheme.get_absolute_url()))
    for parameter in policies.effective(world.scheme).scheme.parameters():
        assert parameter.key in page
    assert world.scheme.sha256 in page
    assert client_of(world.stranger_officer).get(world.scheme.get_absolute_url()).status_code == 404


# --- parameters


def given(world, **changes):
    return {"version": world.scheme.pk, "key": KEY, "value": "0.7", "document_title": "赣医保发〔2026〕1号", **changes}


def test_an_official_value_is_entered_with_its_document_and_confirmed_by_another(world, client_of):
    document = SimpleUploadedFile("复函.pdf", b"%PDF-1.7 letter")
    client = client_of(world.admin)
    client.post(reverse("core:parameter-enter"), given(world, document_file=document))
    row = PolicyParameter.objects.get()
    shown = client.get(reverse("core:parameter-document", args=[row.pk]))
    assert b"".join(shown.streaming_content) == b"%PDF-1.7 letter"
    assert "filename*=utf-8''" in shown["Content-Disposition"]
    reviewer = client_of(world.reviewer)
    confirm = reverse("core:parameter-confirm", args=[row.pk])
    assert confirm in text_of(reviewer.get(reverse("core:parameters")))
    assert reviewer.post(confirm).status_code == 302
    (group,) = reviewer.get(reverse("core:parameters")).context["groups"]
    assert KEY not in [row["parameter"].key for row in group["rows"]]
    assert reviewer.post(confirm).status_code == 409


@pytest.mark.parametrize(
    ("changes", "said"), [({"value": "seven"}, "不能取这个值"), ({"document_title": ""}, "没有填写正式文件")]
)
def test_a_refused_value_keeps_what_was_typed(world, client_of, changes, said):
    response = client_of(world.admin).post(reverse("core:parameter-enter"), given(world, **changes))
    assert response.status_code == 422
    assert said in text_of(response)
    typed = changes.get("value") or given(world)["value"]
    assert f'value="{typed}"' in text_of(response)


def test_an_attachment_that_is_no_document_is_refused(world, client_of):
    for name, content, said in (("a.exe", b"MZ", "不能接收这种类型"), ("a.pdf", b"", "空文件")):
        upload = SimpleUploadedFile(name, content)
        response = client_of(world.admin).post(reverse("core:parameter-enter"), given(world, document_file=upload))
        assert said in text_of(response)
    assert not PolicyParameter.objects.exists()


@pytest.mark.parametrize(("person", "status"), [("officer", 403), ("hospital", 403), ("stranger_officer", 404)])
def test_nobody_else_enters_a_value_or_leaves_a_file_behind(world, client_of, person, status):
    upload = SimpleUploadedFile("a.pdf", b"%PDF")
    response = client_of(getattr(world, person)).post(
        reverse("core:parameter-enter"), given(world, document_file=upload)
    )
    assert response.status_code == status
    assert not StoredFile.objects.exists()


def test_of_two_waiting_values_the_newer_is_put_up_for_confirmation(world, client_of):
    client = client_of(world.admin)
    for value in ("0.70", "0.75"):
        client.post(reverse("core:parameter-enter"), given(world, value=value))
    page = text_of(client_of(world.reviewer).get(reverse("core:parameters")))
    newest = PolicyParameter.objects.order_by("pk").last()
    assert reverse("core:parameter-confirm", args=[newest.pk]) in page


def test_values_of_another_city_cannot_be_confirmed_or_read(world, client_of):
    client_of(world.admin).post(reverse("core:parameter-enter"), given(world))
    row = PolicyParameter.objects.get()
    client = client_of(world.stranger_reviewer)
    assert client.post(reverse("core:parameter-confirm", args=[row.pk])).status_code == 404
    assert client.get(reverse("core:parameter-document", args=[row.pk])).status_code == 404


def test_a_single_parameter_is_confirmed_on_the_page(world, client_of):
    key = "settlement.confirm_days"
    row = parameters.enter_parameter(world.admin, key, world.qingxi, "15", "澜医保〔2026〕2号", START)
    client = client_of(world.reviewer)
    confirm = reverse("core:parameter-confirm-single", args=[row.pk])
    assert confirm in text_of(client.get(reverse("core:parameters")))
    assert client_of(world.stranger_reviewer).post(confirm).status_code == 404
    assert client_of(world.officer).post(confirm).status_code == 403
    assert client_of(world.reviewer).post(confirm).status_code == 302
    assert Parameter.objects.get().confirmed_by == world.reviewer
    assert client_of(world.reviewer).post(confirm).status_code == 409


# --- what is wrong, said in words


@pytest.mark.parametrize(
    ("field", "shown"),
    [("收入预算", True), ("Sheet1!H8", True), ("上报.xlsx", True), ("old_password", False), ("amount", False), ("", False)],
)
def test_a_problem_names_its_place_but_never_a_field_of_the_code(rf, field, shown):
    from django.template.loader import render_to_string

    page = render_to_string("components/problems.html", {"problems": [Problem(field, "", "有误。", "请改正。")]})
    assert ("<b>" in page) is shown


def test_a_page_that_does_not_exist_says_so_in_chinese(world, client_of):
    response = client_of(world.officer).get("/no/such/page/")
    assert response.status_code == 404
    assert 'lang="zh-hans"' in text_of(response)


@pytest.mark.parametrize("name", ["parameter-enter", "parameter-confirm", "policy-approve"])
def test_acts_are_not_done_by_following_a_link(world, client_of, name):
    arguments = [] if name == "parameter-enter" else [world.scheme.pk]
    assert client_of(world.reviewer).get(reverse(f"core:{name}", args=arguments)).status_code == 405
