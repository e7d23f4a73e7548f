"""Pages and API of documents, measures, hand-overs and follow-ups: who sees and does what, what is typed stays."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from audits.models import Case, CaseDocument, FollowUp, Lead, Measure, Referral
from audits.services import documents, measures
from audits.states import CaseState, TrackKind, TrackState
from audits.views.cards import documents as documents_card
from audits.views.cards import measures as measure_cards
from core.models import TrailEvent
from tests.audits import ground
from tests.audits.ground import NOW
from tests.audits.papers_ground import TEXT, follow_up, measure, referral, text_of
from tests.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW)]


@pytest.fixture
def track(world: World) -> Any:
    return ground.track_in(world, TrackKind.AGREEMENT, TrackState.NOTIFIED)


def _url(name: str, *args: Any) -> str:
    return reverse(f"audits:{name}", args=args)


def _page(response: Any) -> str:
    return str(response.content.decode())


def _today() -> str:
    return str(timezone.localdate())


# --- documents ---------------------------------------------------------------------------------------------------------


def test_the_page_of_a_document_shows_what_is_in_the_word_file(world: World, client_of: Any, track: Any) -> None:
    made = CaseDocument.objects.get(case=track.case)
    page = _page(client_of(world.auditor).get(_url("document", made.pk)))
    text = text_of(made.file.path.read_bytes())
    for part in made.content["sections"]:
        for said in part["sentences"]:
            assert said in text
            assert said.replace('"', "&quot;") in page
    assert "送达前请核对" in page


def test_a_party_reads_its_notice_without_the_officers_notes(world: World, client_of: Any, track: Any) -> None:
    made = CaseDocument.objects.get(case=track.case)
    for user in (world.member, world.hospital):
        response = client_of(user).get(_url("document", made.pk))
        assert response.status_code == 200
        assert "同日同项目计费两次" in _page(response)
        assert "送达前请核对" not in _page(response)


def test_papers_of_the_bureau_and_of_others_do_not_exist_for_a_party(world: World, client_of: Any, track: Any) -> None:
    with transaction.atomic():
        inner = documents.make_document(world.auditor, ground.again(track.case), "filing")
    notice = CaseDocument.objects.get(kind="agreement_notice")
    for user, document in (
        (world.member, inner), (world.hospital, inner), (world.sister_hospital, notice), (world.stranger_officer, notice),
        (ground.crew(world).other_county_auditor, notice),
    ):  # fmt: skip
        client = client_of(user)
        for name in ("document", "document-file"):
            assert client.get(_url(name, document.pk)).status_code == 404, (user, name)


def test_a_download_gives_the_stored_bytes_and_is_noted(world: World, client_of: Any, track: Any) -> None:
    made = CaseDocument.objects.get(case=track.case)
    response = client_of(world.member).get(_url("document-file", made.pk))
    assert response.content == made.file.path.read_bytes()
    event = TrailEvent.objects.filter(action="core.export").latest("pk")
    assert (event.actor, event.subject_id) == (world.member, str(made.pk))


def test_a_preview_makes_nothing_and_is_for_who_makes_documents(world: World, client_of: Any) -> None:
    held = ground.propose(world, ground.track_in(world, TrackKind.AGREEMENT, TrackState.TO_NOTIFY))
    url = f"{_url('document-preview', held.case.pk)}?what=agreement_notice:{held.pk}:"
    page = _page(client_of(world.auditor).get(url))
    assert documents.UNNUMBERED in page and "1,500.00" in page
    assert not CaseDocument.objects.exists()
    assert client_of(world.officer).get(url).status_code == 403
    assert client_of(world.stranger_officer).get(url).status_code == 404
    for wrong in ("", "nothing::", "agreement_notice:999:", "talk::", f"penalty_notice:{held.pk}:"):
        assert client_of(world.auditor).get(_url("document-preview", held.case.pk), {"what": wrong}).status_code == 404, wrong


def test_a_document_is_made_from_the_page_and_looked_at_before(world: World, client_of: Any) -> None:
    case = ground.case_in(world, CaseState.CLOSED)
    client = client_of(world.auditor)
    looked = client.post(_url("document-make", case.pk), {"what": "closing::", "look": "1"})
    assert looked.status_code == 302 and looked.url.startswith(_url("document-preview", case.pk))
    assert not CaseDocument.objects.exists()
    made = client.post(_url("document-make", case.pk), {"what": "closing::"})
    assert made.url == _url("document", CaseDocument.objects.get(kind="closing").pk)


def test_a_refused_document_says_why_and_keeps_the_choice(world: World, client_of: Any, track: Any) -> None:
    response = client_of(world.auditor).post(_url("document-make", track.case.pk), {"what": "closing::"})
    assert response.status_code == 422
    assert "还没有结案" in _page(response)
    assert '<option value="closing::" selected' in _page(response)


def test_a_new_version_from_the_page_needs_its_reason(world: World, client_of: Any, track: Any) -> None:
    made = CaseDocument.objects.get(case=track.case)
    client, url = client_of(world.auditor), _url("document-renew", track.case.pk)
    refused = client.post(url, {"document": made.pk, "reason": ""})
    assert refused.status_code == 422 and "没有填写换版理由" in _page(refused)
    done = client.post(url, {"document": made.pk, "reason": "更正承办人联系方式"})
    newest = CaseDocument.objects.latest("pk")
    assert done.url == _url("document", newest.pk) and newest.version == 2
    page = _page(client.get(done.url))
    assert "更正承办人联系方式" in page and _url("document", made.pk) in page


def test_who_may_not_make_documents_is_told_why(world: World, client_of: Any, track: Any) -> None:
    url = _url("document-make", track.case.pk)
    refused = client_of(world.officer).post(url, {"what": "filing::"})
    assert refused.status_code == 403 and "制作文书" in _page(refused)
    assert client_of(ground.crew(world).other_county_auditor).post(url, {"what": "filing::"}).status_code == 404
    assert client_of(world.auditor).get(url).status_code == 302


def _cards(user: Any, case: Case) -> dict[str, Any]:
    request = RequestFactory().get("/")
    request.user = user
    given = {
        "documents": documents_card.card, "measures": measure_cards.measures, "referrals": measure_cards.referrals,
        "follow_ups": measure_cards.follow_ups,
    }  # fmt: skip
    return {name: card(request, case, "", None) for name, card in given.items()}


def test_a_party_gets_the_cards_of_what_was_sent_to_it_only(world: World, track: Any) -> None:
    case = ground.again(track.case)
    order = measure(world.auditor, case)
    referral(world.auditor, case)
    follow_up(world.auditor, case)
    seen = _cards(world.member, case)
    assert [paper.newest.kind for paper in seen["documents"].context["papers"]] == ["agreement_notice"]
    assert not seen["documents"].context["papers_may"]
    assert seen["measures"] is seen["referrals"] is seen["follow_ups"] is None
    measures.send_measure(world.auditor, order, timezone.localdate())
    seen = _cards(world.member, case)
    assert [one["row"] for one in seen["measures"].context["measures"]] == [order]
    assert not seen["measures"].context["measures_may"]
    inside = _cards(world.auditor, case)
    assert all(inside.values())
    assert len(inside["documents"].context["papers"]) == 3


def test_the_cards_need_no_query_more_for_more_rows(world: World, track: Any) -> None:
    from django.db import connection
    from django.template.loader import render_to_string
    from django.test.utils import CaptureQueriesContext

    case = ground.again(track.case)

    def count() -> int:
        user = type(world.auditor).objects.get(pk=world.auditor.pk)
        request = RequestFactory().get("/")
        with CaptureQueriesContext(connection) as taken:
            for card in _cards(user, case).values():
                render_to_string(card.template, {"case": case, "request": request, **card.context})
        return len(taken)

    measure(world.auditor, case)
    referral(world.auditor, case)
    follow_up(world.auditor, case)
    before = count()
    for kind in ("talk", "inquiry", "circular"):
        measure(world.auditor, case, kind)
        referral(world.auditor, case)
        follow_up(world.auditor, case)
    assert count() <= before


# --- measures, hand-overs, follow-ups ----------------------------------------------------------------------------------


def test_a_measure_goes_from_the_page_to_its_outcome(world: World, client_of: Any, track: Any) -> None:
    client, case = client_of(world.auditor), track.case
    given = {"kind": "rectify", "to": "party", "on": _today(), "due_on": _today(), "text": TEXT}
    assert client.post(_url("measure-new", case.pk), given).url == case.get_absolute_url()
    made = Measure.objects.get()
    assert client.post(_url("measure-send", made.pk), {"on": _today()}).status_code == 302
    upload = SimpleUploadedFile("整改报告.pdf", b"%PDF-1.4 done", "application/pdf")
    client.post(_url("measure-end", made.pk), {"on": _today(), "outcome": "已整改到位", "files": upload})
    made.refresh_from_db()
    assert (str(made.sent_on), made.outcome) == (_today(), "已整改到位")


def test_a_refused_measure_says_everything_and_keeps_what_was_typed(world: World, client_of: Any, track: Any) -> None:
    given = {"kind": "dual", "to": "party", "on": "2020-01-01", "due_on": "2019-12-31", "text": "约谈主要负责人并通报全县"}
    response = client_of(world.auditor).post(_url("measure-new", track.case.pk), given)
    page = _page(response)
    assert response.status_code == 422
    for said in ("一案双查的对象是负有监管责任的部门", "措施日期早于立案日期", "期限早于措施日期"):
        assert said in page, said
    assert "约谈主要负责人并通报全县" in page and 'value="2019-12-31"' in page
    assert not Measure.objects.exists()


def test_a_file_nobody_can_open_is_refused_with_the_rest(world: World, client_of: Any, track: Any) -> None:
    upload = SimpleUploadedFile("record.exe", b"MZ", "application/octet-stream")
    given = {"kind": "", "to": "party", "on": _today(), "text": TEXT, "files": upload}
    response = client_of(world.auditor).post(_url("measure-new", track.case.pk), given)
    assert response.status_code == 422
    assert "没有选择措施" in _page(response) and "不能接收这种类型的附件" in _page(response)


def test_a_hand_over_with_its_record_and_reply_from_the_page(world: World, client_of: Any, track: Any) -> None:
    client, case = client_of(world.auditor), track.case
    given = {
        "body": "police", "body_name": "青溪县公安局", "handed_on": _today(), "received_by": "王警官", "reason": "涉嫌诈骗基金",
        "items": "现场笔录", "due_on": _today(),
    }  # fmt: skip
    assert client.post(_url("referral-new", case.pk), given).status_code == 302
    made = Referral.objects.get()
    empty = client.post(_url("referral-attach", made.pk), {})
    assert empty.status_code == 422 and "没有选择交接记录" in _page(empty)
    for name, data in (("referral-attach", {}), ("referral-reply", {"replied_on": _today(), "reply": "已受理并立案侦查"})):
        upload = SimpleUploadedFile(f"{name}.pdf", name.encode(), "application/pdf")
        assert client.post(_url(name, made.pk), {**data, "files": upload}).status_code == 302
    assert b"".join(client.get(_url("referral-record", made.pk)).streaming_content) == b"referral-attach"
    assert b"".join(client.get(_url("referral-reply-file", made.pk)).streaming_content) == b"referral-reply"
    made.refresh_from_db()
    assert made.reply == "已受理并立案侦查"


def test_a_follow_up_from_the_page_opens_the_new_lead(world: World, client_of: Any) -> None:
    case = ground.case_in(world, CaseState.CLOSED)
    client = client_of(world.auditor)
    due = str(timezone.localdate() + timedelta(days=60))
    assert client.post(_url("follow-up-new", case.pk), {"due_on": due, "focus": "收费是否规范"}).status_code == 302
    planned = FollowUp.objects.get()
    given = {"done_on": _today(), "result": "not", "text": "仍有重复收费"}
    assert client.post(_url("follow-up-finish", planned.pk), given).status_code == 302
    assert Lead.objects.get(source="follow_up").institution == case.institution


def test_acts_refuse_other_posts_with_a_reason_and_hide_other_places(world: World, client_of: Any, track: Any) -> None:
    case = ground.again(track.case)
    order, handed, planned = measure(world.auditor, case), referral(world.auditor, case), follow_up(world.auditor, case)
    addresses = [
        ("measure-new", case.pk), ("measure-send", order.pk), ("measure-end", order.pk), ("referral-new", case.pk),
        ("referral-attach", handed.pk), ("referral-reply", handed.pk), ("follow-up-new", case.pk), ("follow-up-finish", planned.pk),
    ]  # fmt: skip
    for name, pk in addresses:
        reader = client_of(world.officer).post(_url(name, pk), {})
        assert reader.status_code == 403 and "稽核" in _page(reader), name
        assert client_of(ground.crew(world).other_county_auditor).post(_url(name, pk), {}).status_code == 404, name
        assert client_of(world.stranger_officer).post(_url(name, pk), {}).status_code == 404, name
        assert client_of(world.member).post(_url(name, pk), {}).status_code in (403, 404), name
    for name in ("referral-record", "referral-reply-file"):
        assert client_of(world.member).get(_url(name, handed.pk)).status_code == 404


# --- API ---------------------------------------------------------------------------------------------------------------


def _api(client: Any, path: str, data: dict[str, Any] | None = None) -> Any:
    if data is None:
        return client.get(f"/api/v1/{path}")
    return client.post(f"/api/v1/{path}", json.dumps(data), content_type="application/json")


def test_the_api_makes_lists_renews_and_downloads_documents(world: World, client_of: Any, track: Any) -> None:
    client = client_of(world.auditor)
    made = _api(client, "case-documents/", {"case": track.case.number, "kind": "evidence_list"})
    assert made.status_code == 201, made.content
    assert made.json()["number"] == "青医保稽证〔2026〕1号"
    renewed = _api(client, f"case-documents/{made.json()['id']}/renew/", {"reason": "补充登记证据后更新"})
    assert renewed.json()["version"] == 2
    listed = _api(client, f"case-documents/?case__number={track.case.number}").json()
    assert {row["kind"] for row in listed["results"]} == {"agreement_notice", "evidence_list"}
    file = _api(client, f"case-documents/{made.json()['id']}/file/")
    assert text_of(file.content).startswith("青溪县医疗保障局")


def test_the_api_hides_inner_papers_and_notes_from_a_party(world: World, client_of: Any, track: Any) -> None:
    with transaction.atomic():
        inner = documents.make_document(world.auditor, ground.again(track.case), "filing")
    client = client_of(world.member)
    rows = _api(client, "case-documents/").json()["results"]
    assert [row["kind"] for row in rows] == ["agreement_notice"]
    assert "notes" not in _api(client, f"case-documents/{rows[0]['id']}/").json()["content"]
    assert _api(client, f"case-documents/{inner.pk}/").status_code == 404
    for path in ("case-referrals/", "case-follow-ups/", "case-measures/"):
        assert _api(client, path).json()["results"] == []


def test_the_api_takes_measures_hand_overs_and_follow_ups_through_the_services(world: World, client_of: Any) -> None:
    case, client = ground.case_in(world, CaseState.REVIEWED), client_of(world.auditor)
    made = _api(client, "case-measures/", {"case": case.number, "kind": "talk", "on": _today(), "text": TEXT}).json()
    assert _api(client, f"case-measures/{made['id']}/send/", {"on": _today()}).json()["sent_on"] == _today()
    assert _api(client, f"case-measures/{made['id']}/end/", {"on": _today(), "outcome": "已约谈"}).status_code == 422
    ended = _api(client, f"case-measures/{made['id']}/end/", {"on": _today(), "outcome": "已约谈主要负责人"})
    assert ended.json()["outcome"] == "已约谈主要负责人"
    handed = _api(client, "case-referrals/", {
        "case": case.number, "body": "market", "body_name": "青溪县市场监督管理局", "handed_on": _today(), "reason": "涉嫌价格违法",
        "items": "收费清单", "received_by": "李科长",
    }).json()  # fmt: skip
    assert handed["number"] == "青医保稽移〔2026〕1号" and handed["has_record"] is False
    replied = _api(client, f"case-referrals/{handed['id']}/reply/", {"replied_on": _today(), "reply": "已立案调查"})
    assert replied.json()["replied_on"] == _today()
    planned = _api(client, "case-follow-ups/", {"case": case.number, "due_on": _today(), "focus": "价格公示"}).json()
    done = _api(client, f"case-follow-ups/{planned['id']}/finish/", {"done_on": _today(), "result": "not", "text": "仍未公示"})
    assert done.json()["lead"].startswith("青线〔2026〕")


def test_the_api_asks_for_the_right_before_it_judges_the_input(world: World, client_of: Any, track: Any) -> None:
    reader = client_of(world.officer)
    for path in ("case-documents/", "case-measures/", "case-referrals/", "case-follow-ups/"):
        refused = _api(reader, path, {"case": track.case.number})
        assert refused.status_code == 403 and "稽核" in refused.json()["detail"], path
    stranger = client_of(world.stranger_officer)
    for path in ("case-documents/", "case-measures/", "case-referrals/", "case-follow-ups/"):
        assert _api(stranger, path, {"case": track.case.number}).status_code == 404, path
