"""Pages of evidence, findings, claim rows, statements and hearings: forms that keep what was typed, who sees what, exports."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from audits.line_files import add_from_file, template
from audits.models import Deadline, Evidence, Finding, FindingLine, ProviderStatement, StatementReply
from audits.registries import case_cards
from audits.services.statements import Point, give_statement
from core.errors import Refused
from core.models import TrailEvent
from core.workbook import Sheet, write_workbook
from tests.audits.findings_ground import (
    claims,
    finding,
    ground,
    piece,
    stored,
    with_lines,
)

D = Decimal
__all__ = ["ground"]


def url(ground, rest):
    return f"/audits/cases/{ground.case.pk}/{rest}"


def body(response):
    return response.content.decode()


def card(ground, name, user):
    request = RequestFactory().get("/")
    request.user = user
    return dict(case_cards)[name](request, ground.again(), "", None)


def notified(ground, kind="penalty", **given):
    track = ground.track("notified", kind, needs_hearing=True, **given)
    for key in ("statement", "hearing_request"):
        Deadline.objects.create(
            case=track.case, track=track, key=key, starts_on=track.notified_on, due_on=date(2026, 10, 14), count=5, unit="working_days"
        )
    return track


# --- evidence --------------------------------------------------------------------------------------------------------


def evidence_form(ground, **given):
    return {
        "kind": "photo", "name": "药房照片", "collected_on": "2026-09-10", "collected_by": ground.officer.pk,
        "witnessed_by": ground.partner.pk, "file": SimpleUploadedFile("药房.png", b"\x89PNG picture"), **given,
    }  # fmt: skip


def test_evidence_is_registered_on_its_page_and_shown_inline(ground, client_of):
    client = client_of(ground.officer)
    assert "登记证据" in body(client.get(url(ground, "evidence/new/")))
    assert client.post(url(ground, "evidence/new/"), evidence_form(ground, registered="on")).status_code == 302
    page = body(client.get(url(ground, "evidence/1/")))
    assert f'src="{url(ground, "evidence/1/shown/")}"' in page and Evidence.objects.get().sha256 in page and "校验一致" in page
    shown = client.get(url(ground, "evidence/1/shown/"))
    assert (shown["Content-Type"], shown["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert "attachment" in client.get(url(ground, "evidence/1/file/"))["Content-Disposition"]
    acts = [event.summary.split("案件")[0] for event in TrailEvent.objects.filter(action="audits.open_evidence").order_by("pk")]
    assert acts == ["查看", "打开", "下载"]


def test_a_refused_piece_keeps_what_was_typed(ground, client_of):
    client = client_of(ground.officer)
    answer = client.post(url(ground, "evidence/new/"), evidence_form(ground, witnessed_by=ground.officer.pk, note="门诊药房"))
    assert answer.status_code == 422 and "取证不得少于两人" in body(answer) and 'value="门诊药房"' in body(answer)
    bad = evidence_form(ground, name="", file=SimpleUploadedFile("木马.exe", b"x"))
    answer = client.post(url(ground, "evidence/new/"), bad)
    assert answer.status_code == 422 and "没有填写名称" in body(answer) and "不能接收这种类型" in body(answer)


def test_a_text_is_shown_escaped_and_other_kinds_are_downloaded(ground, client_of):
    piece(ground, "<script>坏</script>".encode("gb18030"), file=stored("<script>坏</script>".encode("gb18030"), "明细.csv"))
    piece(ground, file=stored(b"PK", "表.xlsx"))
    client = client_of(ground.legal)
    assert "&lt;script&gt;坏" in body(client.get(url(ground, "evidence/1/")))
    assert "请下载后查看" in body(client.get(url(ground, "evidence/2/")))
    assert client.get(url(ground, "evidence/2/shown/")).status_code == 404


def test_a_registered_piece_is_dealt_with_on_its_page(ground, client_of):
    piece(ground, registered=True)
    client = client_of(ground.partner)
    answer = client.post(url(ground, "evidence/1/do/handle/"), {"text": "退"})
    assert answer.status_code == 422 and "没有写明处理情况" in body(answer)
    assert client.post(url(ground, "evidence/1/do/handle/"), {"text": "原件退还机构"}).status_code == 302
    assert client.post(url(ground, "evidence/1/do/withdraw/"), {"text": "与本案无关"}).status_code == 302
    assert "不再采用" in body(client.get(url(ground, "evidence/1/")))
    assert client.post(url(ground, "evidence/1/do/other/"), {}).status_code == 404
    assert client.get(url(ground, "evidence/1/do/handle/")).status_code == 302


def test_evidence_does_not_exist_for_the_provider(ground, client_of):
    piece(ground)
    ground.track("notified")
    for user in (ground.world.member, ground.world.hospital, ground.world.stranger_officer):
        client = client_of(user)
        for rest in ("evidence/1/", "evidence/1/file/", "evidence/1/shown/"):
            assert client.get(url(ground, rest)).status_code == 404
    assert card(ground, "evidence", ground.world.member) is None
    for user in (ground.world.officer, ground.world.observer):
        assert client_of(user).get(url(ground, "evidence/1/")).status_code == 403


def test_the_card_says_how_many_hashes_are_right(ground):
    made = piece(ground)
    other = piece(ground, b"changed later")
    found = card(ground, "evidence", ground.officer).context
    assert (found["intact"], found["count"], found["may_add"]) == (2, 2, True)
    other.file.path.write_bytes(b"tampered")
    found = card(ground, "evidence", ground.first).context
    assert (found["intact"], found["count"], found["may_add"], made.number) == (1, 2, False, 1)
    other.file.path.unlink()


# --- findings and their rows -----------------------------------------------------------------------------------------


def test_a_finding_is_made_on_its_page_with_the_clause_filled_in(ground, client_of):
    made = piece(ground)
    client = client_of(ground.officer)
    assert "条例第三十八条第（三）项" in body(client.get(url(ground, "findings/new/?act=overcharging")))
    given = {"act": "overcharging", "acted_from": "2026-08-01", "acted_to": "2026-07-01", "text": "同日同项目计费两次", "evidence": made.pk}
    answer = client.post(url(ground, "findings/new/"), given)
    assert answer.status_code == 422 and "早于行为起" in body(answer) and "同日同项目计费两次" in body(answer)
    assert client.post(url(ground, "findings/new/"), {**given, "acted_to": "2026-09-01"}).status_code == 302
    assert Finding.objects.get().clause == "条例第三十八条第（三）项"
    edited = {**given, "acted_to": "2026-09-02", "clause": "服务协议第 5 条"}
    assert client.post(url(ground, "findings/1/edit/"), edited).status_code == 302
    assert Finding.objects.get().clause == "服务协议第 5 条" and "服务协议第 5 条" in body(client.get(url(ground, "findings/1/edit/")))
    assert client_of(ground.first).get(url(ground, "findings/new/")).status_code == 403


def test_claims_are_picked_from_the_extract(ground, client_of):
    claims(ground.world)
    finding(ground)
    client = client_of(ground.officer)
    page = body(client.get(url(ground, "findings/1/pick/")))
    assert "S000005" in page and "J44.***" in page and "J44.100" not in page and "5 行" in page
    assert body(client.get(url(ground, "findings/1/pick/?diagnosis=K"))).count("S00000") == 0
    given = {"claim": ["S000001", "S000002"], "amount-S000001": "700", "amount-S000002": "x"}
    answer = client.post(url(ground, "findings/1/pick/"), given)
    assert answer.status_code == 422 and "不是数字" in body(answer) and 'value="700"' in body(answer)
    answer = client.post(url(ground, "findings/1/pick/"), {**given, "amount-S000002": ""})
    assert "超过基金支付 600.00 元" in body(answer) and answer.status_code == 422
    assert client.post(url(ground, "findings/1/pick/"), {**given, "amount-S000001": "7.5", "amount-S000002": ""}).status_code == 302
    assert list(FindingLine.objects.order_by("settlement_id").values_list("amount", flat=True)) == [D("7.50"), D("600.00")]
    assert TrailEvent.objects.filter(action="audits.open_lines", summary__contains="可选的结算行（青溪县").count() == 4


def test_claims_of_other_providers_are_not_offered(ground, client_of):
    from tests.claims.extracts import accepted, claim

    accepted(ground.world, [claim(1), claim(2, institution_code="H99010100031")])
    finding(ground)
    page = body(client_of(ground.officer).get(url(ground, "findings/1/pick/")))
    assert "S00000" not in page and "没有符合条件的结算" in page


def sheet(rows, header=("结算单号", "认定金额", "参保县（区）", "说明")):
    return write_workbook([Sheet("说明", ("填写须知",), [("不要改动表头",)]), Sheet("结算行", header, rows)])


def test_a_workbook_of_ids_and_amounts_is_taken_whole(ground, client_of):
    claims(ground.world)
    finding(ground)
    client = client_of(ground.officer)
    upload = SimpleUploadedFile("清单.xlsx", sheet([("S000001", D("10.25"), "青溪县", "第二次住院"), ("S000002", None, "990101", "")]))
    assert client.post(url(ground, "findings/1/upload/"), {"file": upload}).status_code == 302
    first, second = FindingLine.objects.order_by("settlement_id")
    assert (first.amount, first.note, second.amount) == (D("10.25"), "第二次住院", D("600.00"))
    assert ground.case.changes.last().data["source"] == "文件“清单.xlsx”"
    assert client.get(url(ground, "findings/1/upload/template/")).status_code == 200
    assert "结算单号" in [cell.value for row in load_workbook(io.BytesIO(template())).active for cell in row]


def test_every_fault_of_a_workbook_names_sheet_and_row(ground, client_of):
    claims(ground.world)
    finding(ground)
    rows = [
        ("S000001", "十元", "", ""), ("", D("1.00"), "", ""), ("S000002", D("600.01"), "", ""), ("S000009", None, "某县", ""),
        ("S000009", None, "", ""),
    ]  # fmt: skip
    upload = SimpleUploadedFile("清单.xlsx", sheet(rows))
    answer = client_of(ground.officer).post(url(ground, "findings/1/upload/"), {"file": upload})
    page = body(answer)
    assert answer.status_code == 422
    for word in (
        "认定金额不是数字", "没有填写结算单号", "600.01 元超过基金支付", "没有名称或代码为“某县”", "S000009 在青溪县的结算明细中没有",
    ):  # fmt: skip
        assert word in page, word
    with pytest.raises(Refused) as refusal:
        add_from_file(ground.officer, Finding.objects.get(), sheet(rows), "清单.xlsx")
    assert sorted(problem.field for problem in refusal.value.problems) == [f"结算行!{row}" for row in range(2, 7)]
    assert not FindingLine.objects.exists()


@pytest.mark.parametrize(
    ("content", "name", "word"),
    [
        (b"PK\x03\x04 broken", "清单.xlsx", "不是完整的 xlsx"),
        (sheet([], header=("编号", "金额")), "清单.xlsx", "没有找到表头"),
        (b"\xff\xfe\x00\x00", "清单.csv", "编码的文本"),
        ("结算单号\nS000001\n".encode(), "清单.csv", "缺少列：认定金额"),
        (write_workbook([Sheet("结算行", ("结算单号", "认定金额"), [(1234567890123456789, 1)])]), "清单.xlsx", "被存为数字"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_list_is_refused_by_name(ground, content, name, word):
    made = finding(ground)
    with pytest.raises(Refused) as refusal:
        add_from_file(ground.officer, made, content, name)
    assert word in "；".join(str(problem) for problem in refusal.value.problems)


def test_a_csv_of_a_chinese_spreadsheet_is_read(ground):
    claims(ground.world)
    made = finding(ground)
    assert add_from_file(ground.officer, made, "结算单号,认定金额\nS000001,\"1,00.50\"\n".encode("gb18030"), "清单.csv") == 1
    assert made.lines.get().amount == D("100.50")


def test_a_claim_is_entered_by_hand_on_its_page(ground, client_of):
    claims(ground.world)
    finding(ground)
    given = {
        "county": "990101", "settlement_id": "H-1", "settled_on": "2026-09-03", "fund_type": "RES", "paid": "100", "amount": "60",
        "own": "on",
    }  # fmt: skip
    client = client_of(ground.officer)
    answer = client.post(url(ground, "findings/1/by-hand/"), given)
    assert answer.status_code == 422 and "已有结算明细" in body(answer) and 'value="H-1"' in body(answer)
    assert client.post(url(ground, "findings/1/by-hand/"), {**given, "settled_on": "2026-08-03"}).status_code == 302
    assert "手工登记" in body(client.get(url(ground, "findings/1/")))


def test_rows_are_paged_recorded_and_cost_no_query_each(ground, client_of):
    claims(ground.world, 60)
    with_lines(ground, *[None] * 5)
    client = client_of(ground.first)
    with CaptureQueriesContext(connection) as few:
        client.get(url(ground, "findings/1/"))
    from audits.services.lines import add_lines
    from tests.audits.findings_ground import wanted

    add_lines(ground.officer, Finding.objects.get(), [wanted(ground.world, n) for n in range(6, 61)])
    with CaptureQueriesContext(connection) as many:
        page = body(client.get(url(ground, "findings/1/")))
    assert len(many) <= len(few) + 1 and page.count("S0000") == 50 and "36,000.00" in page
    rows = body(client.get(url(ground, "findings/1/rows/")))
    assert rows.count("S0000") == 5 and "显示 5 / 60 行" in rows
    assert TrailEvent.objects.filter(action="audits.open_lines", actor=ground.first).count() == 3
    assert client_of(ground.world.observer).get(url(ground, "findings/1/")).status_code == 403


def test_the_exports_have_the_totals_of_the_pages(ground, client_of):
    claims(ground.world)
    with_lines(ground, None, "100.25")
    client = client_of(ground.officer)
    book = load_workbook(io.BytesIO(client.get(url(ground, "findings.xlsx")).content))
    assert [cell.value for cell in list(book["认定事实"].rows)[-1]][4:] == [2, 700.25, 0, 700.25]
    last = [cell.value for cell in list(book["结算行"].rows)[-1]]
    assert (last[0], last[1], last[9], last[10]) == ("合计", "2 行", 1200, 700.25)
    one = load_workbook(io.BytesIO(client.get(url(ground, "findings/1/lines.xlsx")).content)).active
    assert [cell.value for cell in list(one.rows)[-1]][10] == 700.25
    assert "J44.***" in [cell.value for cell in list(one.rows)[2]]
    assert TrailEvent.objects.filter(action="core.export").count() == 2


def test_the_reviewer_takes_rows_out_on_the_page(ground, client_of):
    claims(ground.world)
    made = with_lines(ground, None, None)
    ground.to("first")
    first, second = made.lines.all()
    client = client_of(ground.first)
    answer = client.post(url(ground, "findings/1/drop-lines/"), {"line": [first.pk], "reason": "短"})
    assert answer.status_code == 422 and f'value="{first.pk}" form="lines-form"' in body(answer) and " checked" in body(answer)
    assert client.post(url(ground, "findings/1/drop-lines/"), {"line": [first.pk], "reason": "病情确需住院"}).status_code == 302
    page = body(client.get(url(ground, "findings/1/")))
    assert "已剔除的结算行" in page and "病情确需住院" in page
    lower = url(ground, f"findings/1/lines/{second.pk}/lower/")
    assert "现认定 600.00 元" in body(client.get(lower))
    assert client.post(lower, {"amount": "700", "reason": "改高一些"}).status_code == 422
    assert client.post(lower, {"amount": "99.50", "reason": "只认定床位费"}).status_code == 302
    assert client.post(url(ground, "findings/1/drop/"), {"reason": "事实不能成立"}).status_code == 302
    assert "不予认定" in body(client.get(url(ground, "findings/1/")))
    assert client_of(ground.officer).post(url(ground, "findings/1/drop/"), {"reason": "事实不能成立"}).status_code in (403, 409)


def test_the_provider_sees_what_stands_without_notes_and_names(ground, client_of):
    claims(ground.world)
    with_lines(ground, None, None)
    dropped = finding(ground, act="overcharging")
    Finding.objects.filter(pk=dropped.pk).update(dropped=True, dropped_reason="内部意见")
    FindingLine.objects.filter(settlement_id="S000001").update(note="办案人员备注")
    assert client_of(ground.world.member).get(url(ground, "findings/1/")).status_code == 404
    ground.track("notified")
    client = client_of(ground.world.member)
    page = body(client.get(url(ground, "findings/1/")))
    assert "S000001" in page and "办案人员备注" not in page and "证据" not in page and "剔除" not in page
    assert "办案人员备注" in body(client_of(ground.officer).get(url(ground, "findings/1/")))
    client = client_of(ground.world.member)
    assert client.get(url(ground, "findings/2/")).status_code == 404
    context = card(ground, "findings", ground.world.member).context
    assert len(context["rows"]) == 1 and context["may_find"] is False and context["inside"] is False
    assert len(card(ground, "findings", ground.first).context["rows"]) == 2
    book = load_workbook(io.BytesIO(client.get(url(ground, "findings.xlsx")).content))
    cells = [cell.value for table in book for row in table.rows for cell in row]
    assert "办案人员备注" not in cells and "不予认定" not in str(cells)
    for user in (ground.world.sister_hospital, ground.world.stranger_officer):
        assert client_of(user).get(url(ground, "findings/1/")).status_code == 404


# --- statements and hearings -----------------------------------------------------------------------------------------


def test_the_provider_answers_each_finding_on_its_page(ground, client_of):
    claims(ground.world)
    made = with_lines(ground, None)
    notified(ground)
    client = client_of(ground.world.member)
    page = body(client.get(url(ground, "tracks/penalty/statements/new/")))
    assert "分解住院" in page and "600.00" in page and "申请听证" in page
    given = {"kind": "statement", "text": "3 对系病情反复，附病历。", f"point-{made.pk}": "no", f"point-{made.pk}-text": ""}
    answer = client.post(url(ground, "tracks/penalty/statements/new/"), given)
    assert answer.status_code == 422 and "对事实 1 有异议，没有写明理由" in body(answer) and "3 对系病情反复" in body(answer)
    given = {**given, f"point-{made.pk}-text": "病情反复", "files": SimpleUploadedFile("病历.pdf", b"%PDF proof")}
    assert client.post(url(ground, "tracks/penalty/statements/new/"), given).status_code == 302
    statement = ProviderStatement.objects.get()
    page = body(client.get(url(ground, f"statements/{statement.pk}/")))
    assert "病情反复" in page and "病历.pdf" in page
    assert client.get(url(ground, f"statements/{statement.pk}/files/{statement.files.get().pk}/")).status_code == 200
    row = card(ground, "findings", ground.first).context["rows"][0]
    assert row["said"].words == "有异议：病情反复"
    assert client_of(ground.officer).get(url(ground, "tracks/penalty/statements/new/")).status_code == 403


def test_the_reviewer_answers_on_the_statements_page(ground, client_of):
    made = finding(ground)
    track = notified(ground)
    statement = give_statement(ground.world.member, track, text="病情确需住院", points=[Point(made.pk, False, "病情反复")])
    track.state = "re_review"
    track.save()
    page = url(ground, f"statements/{statement.pk}/")
    assert "复审时由复审人答复" in body(client_of(ground.first).get(page))
    client = client_of(ground.second)
    assert client.post(page, {"outcome": "", "text": "病历不足"}).status_code == 422
    assert client.post(page, {"outcome": "refused", "text": "病历不足以证明。"}).status_code == 302
    assert StatementReply.objects.get().outcome == "refused"
    assert "病历不足以证明" in body(client_of(ground.world.member).get(page))
    assert card(ground, "findings", ground.first).context["rows"][0]["said"].words == "有异议：病情反复（不采纳）"
    assert client_of(ground.world.member).post(page, {"outcome": "adopted", "text": "采纳采纳"}).status_code == 403


def test_agreeing_and_asking_for_a_hearing_are_forms_of_the_provider(ground, client_of):
    finding(ground)
    track = notified(ground)
    client = client_of(ground.world.member)
    assert client.post(url(ground, "tracks/penalty/statements/agree/"), {}).status_code == 302
    answer = client.post(url(ground, "tracks/penalty/hearing/ask/"), {"text": ""})
    assert answer.status_code == 422 and "没有填写请求和理由" in body(answer)
    assert client.post(url(ground, "tracks/penalty/hearing/ask/"), {"text": "请求就罚款幅度听证"}).status_code == 302
    track.refresh_from_db()
    assert track.state == "hearing" and ProviderStatement.objects.count() == 2
    assert client.get(url(ground, "tracks/agreement/statements/new/")).status_code == 404


def test_the_hearing_is_announced_and_closed_on_its_page(ground, client_of, time_machine):
    finding(ground)
    track = notified(ground)
    ground.case.tracks.filter(pk=track.pk).update(state="hearing")
    client = client_of(ground.legal)
    page = url(ground, "tracks/penalty/hearing/")
    given = {"held_on": "2026-10-13", "place": "三楼会议室", "host": ground.legal.pk}
    answer = client.post(page + "do/announce/", given)
    assert answer.status_code == 422 and "工作日前通知" in body(answer) and 'value="三楼会议室"' in body(answer)
    assert client.post(page + "do/announce/", {**given, "held_on": "2026-10-22"}).status_code == 302
    assert "2026年10月22日" in body(client_of(ground.world.member).get(page))
    time_machine.move_to("2026-10-22 17:00:00+08:00")
    client = client_of(ground.legal)
    record = SimpleUploadedFile("笔录.pdf", b"%PDF r")
    done = {"held_on": "2026-10-22", "participants": "黄晨、赵衡", "conclusion": "建议维持拟处罚意见", "file": record}
    assert client.post(page + "do/hold/", {**done, "file": ""}).status_code == 422
    assert client.post(page + "do/hold/", done).status_code == 302
    assert "建议维持" in body(client.get(page))
    member = client_of(ground.world.member)
    assert "建议维持" not in body(member.get(page)) and member.get(page + "record/").status_code == 200
    assert member.post(page + "do/announce/", given).status_code == 403
    assert member.post(page + "do/other/", {}).status_code == 404


def test_a_track_not_yet_notified_does_not_exist_for_the_provider(ground, client_of):
    notified(ground, "agreement")
    ground.track("to_notify", "penalty", notified_on=None)
    client = client_of(ground.world.member)
    assert client.get(url(ground, "tracks/penalty/hearing/")).status_code == 404
    kinds = [row["track"].kind for row in card(ground, "statements", ground.world.member).context["tracks"]]
    assert kinds == ["agreement"]
    assert len(card(ground, "statements", ground.first).context["tracks"]) == 2
    assert card(ground, "statements", ground.world.member).context["tracks"][0]["may_state"] is True


def test_the_cards_cost_no_query_per_finding(ground):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            for name in ("findings", "evidence", "statements"):
                card(ground, name, ground.first)
        return len(seen)

    piece(ground)
    finding(ground)
    track = notified(ground)
    few = queries()
    ground.to("investigate")
    for number in range(4):
        finding(ground, evidence=[piece(ground, f"more {number}".encode()).pk])
    ground.to("reviewed")
    give_statement(ground.world.member, track, text="部分事实有出入")
    give_statement(ground.world.member, track, text="补充两份病历")
    assert queries() <= few + 2
