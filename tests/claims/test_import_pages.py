"""The pages of an import: uploading, what was found, deciding, downloading; the command; the API."""

from io import StringIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.management.base import CommandError
from django.urls import reverse

from claims.models import ClaimsImport, FactSet, OpenReject
from core.models import Job, TrailEvent
from core.registries import home_todos, search_sources
from core.workbook import read_sheets
from tests.claims.extracts import claim, imported, in_month, received, run, written

GOOD = [claim(number) for number in range(1, 41)]
BAD = [*GOOD[:20], *(claim(number, visit_type="99") for number in range(50, 55))]


def uploaded(client, content, **declared):
    given = {"county": "990101", "period_from": "2026-09", "period_to": "2026-09", **declared}
    return client.post(reverse("claims:upload"), {**given, "file": SimpleUploadedFile("九月明细.csv", content)})


def test_an_upload_leads_to_the_page_of_its_import(world, client_of):
    client = client_of(world.county_officer)
    answer = uploaded(client, written(GOOD))
    found = ClaimsImport.objects.get()
    assert answer["Location"] == f"/claims/imports/{found.pk}/"
    page = client.get(answer["Location"]).content.decode()
    assert "九月明细.csv" in page and "检查医保结算明细" not in page and "hx-get" in page
    run(found)
    page = client.get(answer["Location"]).content.decode()
    assert "已入库" in page and "没有发现差错" in page and "2.40" in page


def test_a_refused_upload_keeps_what_was_typed_and_names_every_reason(world, client_of):
    answer = uploaded(client_of(world.officer), b"", period_from="2026-12", period_to="2026-09", county="990102")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="2026-12"' in page and 'value="2026-09"' in page and '<option value="990102" selected>' in page
    assert "早于" in page and "0 字节" in page


def test_the_same_file_again_is_a_conflict_on_the_page(world, client_of):
    imported(world, GOOD)
    answer = uploaded(client_of(world.second_officer), written(GOOD))
    assert answer.status_code == 409 and "同一份文件" in answer.content.decode()


def test_missing_fields_and_a_foreign_county_are_refused_by_the_form(world, client_of):
    client = client_of(world.county_officer)
    assert uploaded(client, written(GOOD), county="990102").status_code == 422
    assert uploaded(client, written(GOOD), period_from="九月").status_code == 422
    assert client.post(reverse("claims:upload"), {}).status_code == 422
    assert not ClaimsImport.objects.exists()


def test_the_page_shows_what_was_found_with_lines_values_and_remedies(world, client_of):
    found = imported(world, BAD)
    page = client_of(world.officer).get(f"/claims/imports/{found.pk}/").content.decode()
    for text in ("C11", "医疗类别不识别", "请管理员在对照表中登记", "待经办确认", "20.00%", "说明理由并接收", "5,000.00"):
        assert text in page
    assert "360101" not in page


def test_a_decision_without_a_reason_comes_back_with_its_dialog_open(world, client_of):
    found = imported(world, BAD)
    client = client_of(world.officer)
    answer = client.post(f"/claims/imports/{found.pk}/accept/", {"reason": "短"})
    page = answer.content.decode()
    assert answer.status_code == 422 and "data-open-now" in page and ">短</textarea>" in page
    assert client.post(f"/claims/imports/{found.pk}/accept/", {"reason": "先行接收，下月更正"}).status_code == 302
    run(found)
    assert FactSet.objects.exists()
    assert client.post(f"/claims/imports/{found.pk}/reject/", {"reason": "请更正类别"}).status_code == 409


def test_a_written_off_month_shows_by_whom_and_why(world, client_of):
    found = imported(world, [*GOOD, claim(90, visit_type="99")])
    rejects = OpenReject.objects.get()
    client = client_of(world.officer)
    refused = client.post(f"/claims/rejects/{rejects.pk}/write-off/", {"reason": ""})
    assert refused.status_code == 422 and "data-open-now" in refused.content.decode()
    client.post(f"/claims/rejects/{rejects.pk}/write-off/", {"reason": "系统外已办结，凭证 18 号"})
    page = client.get(f"/claims/imports/{found.pk}/").content.decode()
    assert "凭证 18 号" in page and "林晓岚" in page
    assert client_of(world.stranger_officer).post(f"/claims/rejects/{rejects.pk}/write-off/").status_code == 404


def test_the_report_downloads_as_csv_and_xlsx_and_leaves_a_trace(world, client_of):
    found = imported(world, BAD)
    client = client_of(world.officer)
    csv = b"".join(client.get(f"/claims/imports/{found.pk}/rejects.csv").streaming_content).decode("utf-8-sig")
    assert csv.splitlines()[0] == "代码,行号,列,内容,结算ID,问题,改正方法" and csv.count("C11") == 5
    sheets = read_sheets(client.get(f"/claims/imports/{found.pk}/rejects.xlsx").content, "x")
    assert sheets["汇总"][2][:5] == ["C11", "医疗类别不识别", "退回", 5.0, 5000.0]
    assert len(sheets["明细"]) == 6
    assert TrailEvent.objects.filter(action="claims.open_rows").count() == 1
    assert client_of(world.observer).get(f"/claims/imports/{found.pk}/rejects.csv").status_code == 403


def test_an_import_is_seen_by_its_own_place_only(world, client_of):
    found = imported(world, GOOD)
    url = f"/claims/imports/{found.pk}/"
    for person in (world.officer, world.county_officer, world.reviewer, world.observer):
        assert client_of(person).get(url).status_code == 200
    for person in (world.hospital, world.member, world.stranger_officer, world.nobody):
        assert client_of(person).get(url).status_code == 404
        assert client_of(person).post(f"{url}accept/").status_code == 404
    assert client_of(world.reviewer).post(f"{url}accept/", {"reason": "我来接收"}).status_code == 403


def test_what_waits_is_on_the_home_page_and_can_be_found(world, client_of):
    found = imported(world, BAD)
    imported(world, [*(in_month(n, "2026-08") for n in range(200, 230)), in_month(231, "2026-08", visit_type="99")], "2026-08")
    titles = [todo.title for todo in dict(home_todos)["claims"](world.officer)]
    assert titles[:2] == ["确认青溪县 2026-09 结算明细", "处理青溪县 2026-08 退回的 1 行结算"]
    assert all(title.startswith("接入") for title in titles[2:])
    assert dict(home_todos)["claims"](world.hospital) == [] and dict(home_todos)["claims"](world.reviewer) == []
    assert dict(search_sources)["claims"](world.officer, "明细.csv")[-1].url == f"/claims/imports/{found.pk}/"
    assert dict(search_sources)["claims"](world.hospital, "明细.csv") == []
    page = client_of(world.officer).get(reverse("claims:list")).content.decode()
    assert "待经办确认" in page and "未处理的退回行" in page


def test_the_list_is_filtered_and_exported_as_shown(world, client_of):
    imported(world, GOOD)
    imported(world, BAD[20:], "2026-09", name="另一份.csv")
    client = client_of(world.officer)
    page = client.get(reverse("claims:list"), {"q": "另一份"}).content.decode()
    assert "另一份.csv" in page and "明细.csv" not in page
    rows = read_sheets(client.get(reverse("claims:list-xlsx"), {"state": "accepted"}).content, "x")["明细导入"]
    assert len(rows) == 4 and rows[3][4] == "明细.csv"
    assert client.get(reverse("claims:list"), {"month": "2026-01"}).content.decode().count("号</a>") == 0


def test_the_command_imports_like_the_page(world, tmp_path):
    path = tmp_path / "九月.csv"
    path.write_bytes(written(GOOD))
    out = StringIO()
    call_command("import_claims", str(path), county="990101", first="2026-09", stdout=out)
    assert "入库 40 行" in out.getvalue()
    assert ClaimsImport.objects.get().uploaded_by in (world.officer, world.second_officer, world.county_officer)
    with pytest.raises(CommandError, match="同一份文件"):
        call_command("import_claims", str(path), county="990101", first="2026-09")


def test_the_command_waits_for_a_reason_and_takes_one(world, tmp_path):
    path = tmp_path / "九月.csv"
    path.write_bytes(written(BAD))
    out = StringIO()
    call_command("import_claims", str(path), county="990101", first="2026-09", user="officer", stdout=out)
    assert "等待确认" in out.getvalue() and not FactSet.objects.exists()
    path.write_bytes(written(BAD[1:]))
    call_command(
        "import_claims", str(path), county="990101", first="2026-09", user="officer", accept="先行接收，下月更正", stdout=out
    )
    assert FactSet.objects.get().settlements == 19


def test_the_command_names_what_is_wrong_with_its_arguments(world, tmp_path):
    path = tmp_path / "九月.csv"
    path.write_bytes(written([in_month(n, "2025-01") for n in range(5)]))
    for wrong, word in (
        ({"county": "000000"}, "没有代码"),
        ({"county": "990101", "first": "九月"}, "月份"),
        ({"county": "990101", "user": "nobody-here"}, "没有用户"),
        ({"county": "990101", "user": "reviewer"}, "岗位"),
        ({"county": "990101", "first": "2026-09", "user": "officer"}, "申报期间"),
    ):
        with pytest.raises(CommandError, match=word):
            call_command("import_claims", str(path), **{"first": "2026-09", **wrong})
    with pytest.raises(CommandError, match="没有文件"):
        call_command("import_claims", str(tmp_path / "none.csv"), county="990101")


def test_the_api_uploads_decides_and_refuses_like_the_page(world, client_of):
    client = client_of(world.officer)
    given = {"county": "990101", "period_from": "2026-09", "period_to": "2026-09"}
    made = client.post("/api/v1/claims/imports/", {**given, "file": SimpleUploadedFile("a.csv", written(BAD))})
    assert made.status_code == 201 and made.json()["state"] == "received"
    url = f"/api/v1/claims/imports/{made.json()['id']}/"
    again = client.post("/api/v1/claims/imports/", {**given, "file": SimpleUploadedFile("b.csv", written(BAD))})
    assert again.status_code == 409 and "同一份文件" in again.json()["problems"][0]["text"]
    run(ClaimsImport.objects.get())
    held = client.get(url).json()
    assert (held["state"], held["needs_admission"], held["findings"][0]["code"]) == ("awaiting_decision", True, "C11")
    assert client.post(f"{url}accept/", {"reason": ""}, "application/json").status_code == 422
    assert client.post(f"{url}accept/", {"reason": "先行接收，下月更正"}, "application/json").status_code == 200
    run(ClaimsImport.objects.get())
    assert client.post(f"{url}reject/", {"reason": "请更正类别"}, "application/json").status_code == 409
    assert client.get(url).json()["good_pooled"] == "12000.00"


def test_the_api_shows_coverage_and_facts_and_takes_reports(world, client_of):
    imported(world, GOOD)
    client = client_of(world.officer)
    months = client.get("/api/v1/claims/coverage/", {"county": "990101", "year": 2026}).json()
    assert [m["rows"] for m in months if m["month"] == "2026-09"] == [40] and len(months) == 12
    factset = client.get("/api/v1/claims/factsets/", {"county__code": "990101", "current": True}).json()["results"][0]
    sums = client.get(f"/api/v1/claims/factsets/{factset['id']}/sums/").json()
    assert sums["institutions"][0]["fund_payable"] == "24000.00"
    report = {"county": "990101", "fund_type": "RES", "month": "2026-09", "values": {"insured_heads": "77", "income_other": ""}}
    made = client.post("/api/v1/claims/monthly-reports/", report, "application/json")
    assert made.status_code == 201 and (made.json()["insured_heads"], made.json()["income_other"]) == (77, None)
    bad = {**report, "values": {"insured_heads": "x"}}
    assert client.post("/api/v1/claims/monthly-reports/", bad, "application/json").status_code == 422


def test_the_api_keeps_foreign_places_and_other_posts_out(world, client_of):
    found = imported(world, GOOD)
    for person in (world.hospital, world.stranger_officer, world.member):
        client = client_of(person)
        assert client.get("/api/v1/claims/imports/").json()["results"] == []
        assert client.get(f"/api/v1/claims/imports/{found.pk}/").status_code == 404
        assert client.get("/api/v1/claims/coverage/", {"county": "990101", "year": 2026}).status_code == 404
    client = client_of(world.reviewer)
    assert client.post(f"/api/v1/claims/imports/{found.pk}/accept/", {}, "application/json").status_code == 403
    assert Job.objects.filter(name="claims.accept").count() == 0


def test_the_queries_of_an_import_page_do_not_grow_with_its_findings(world, client_of, django_assert_max_num_queries):
    small = imported(world, [*GOOD, claim(90, visit_type="99")])
    faults = [claim(91, sex="7"), claim(92, total_cost="1.001"), claim(93, settled_on="x"), claim(94, method="zz")]
    large = imported(world, [*(claim(n + 200) for n in range(90)), *faults, in_month(95, "2026-07", visit_type="99")])
    client = client_of(world.officer)
    for found in (small, large):
        client.get(f"/claims/imports/{found.pk}/")
        with django_assert_max_num_queries(22):
            assert client.get(f"/claims/imports/{found.pk}/").status_code == 200


def test_a_received_import_waits_for_its_job(world):
    found = received(world, GOOD)
    assert (found.state, found.job.state, found.job.label) == ("received", "queued", "导入青溪县医保结算明细")
