"""Documents: what stands in them, numbers without gaps, versions, who sees them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import Error, transaction
from django.utils import timezone

from audits.documents.kinds import BY_KEY, KINDS
from audits.documents.letterhead import FORM, LETTER, LIST, template_of
from audits.documents.word import WRITERS
from audits.models import CaseDocument, NumberSeries
from audits.services import documents, measures, tracks
from audits.states import CaseState, TrackKind, TrackState
from audits.verification_papers import verify_documents
from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.models import Notice, TrailEvent
from tests.audits import ground
from tests.audits.ground import NOW, REASON
from tests.audits.papers_ground import measure, referral, text_of
from tests.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW)]


def _text(document: CaseDocument) -> str:
    return text_of(document.file.path.read_bytes())


def _series(kind: str) -> int:
    return sum(NumberSeries.objects.filter(series=BY_KEY[kind].series("990101")).values_list("last", flat=True))


def test_every_kind_of_document_has_a_writer_and_a_shipped_template() -> None:
    assert {kind.key for kind in KINDS} == set(WRITERS)
    assert all(template_of(layout).exists() for layout in (LETTER, FORM, LIST))
    assert {kind.layout for kind in KINDS} == {LETTER, FORM, LIST}


def test_the_agreement_notice_says_facts_sums_rights_and_last_day(world: World) -> None:
    track = ground.track_in(world, TrackKind.AGREEMENT, TrackState.NOTIFIED)
    made = CaseDocument.objects.get(case=track.case, kind="agreement_notice")
    text = _text(made)
    assert made.number == "青医保稽告〔2026〕1号"
    for said in (
        "青溪县医疗保障经办机构", "协议处理告知书", "青医保稽告〔2026〕1号", "石桥镇中心卫生院：", "同日同项目计费两次",
        "条例第三十八条第（三）项",
        "居民基金 1,000.00 元、职工基金 500.00 元", "1,500.00", "5 个工作日内（至2026年9月8日）", "责令改正", "现场检查笔录",
        "赵衡（执法证号 赣01）、高文（执法证号 赣02）", made.content["trail_head"],
    ):  # fmt: skip
        assert said in text, said


def test_the_penalty_notice_offers_a_hearing_only_where_there_is_a_right(world: World) -> None:
    small = ground.track_in(world, TrackKind.PENALTY, TrackState.NOTIFIED)
    big = ground.track_in(world, TrackKind.PENALTY, TrackState.NOTIFIED, big=True)
    without, with_right = (_text(CaseDocument.objects.get(case=track.case, kind="penalty_notice")) for track in (small, big))
    assert "罚款幅度 1,500.00 元至3,000.00 元" in without
    assert "处罚款 2,250.00 元" in without
    assert "一般" in without and "首次违法，情节一般" in without
    assert "有权要求听证" not in without
    assert "有权要求听证" in with_right
    assert "自收到本告知书之日起5 个工作日内（至2026年9月8日）提出" in with_right


def test_the_decision_says_what_is_refused_and_recovered_and_how_to_seek_redress(world: World) -> None:
    track = ground.track_in(world, TrackKind.AGREEMENT, TrackState.SERVED)
    text = _text(CaseDocument.objects.get(case=track.case, kind="agreement_decision"))
    for said in ("拒付", "追回", "1,000.00", "500.00", "行政复议", "行政诉讼", "无异议", "30 日内（至"):
        assert said in text, said
    assert "S_in" not in text


def test_the_penalty_decision_sends_the_fine_to_the_treasury(world: World) -> None:
    track = ground.track_in(world, TrackKind.PENALTY, TrackState.SERVED)
    text = _text(CaseDocument.objects.get(case=track.case, kind="penalty_decision"))
    assert "15 日内（至2026年9月16日）缴入国库" in text
    assert "每日按罚款数额的百分之三加处罚款" in text
    assert "向青溪县人民政府申请行政复议" in text
    assert "6 个月内（至2027年3月1日）" in text


def test_unconfirmed_figures_are_noted_for_the_officer_and_never_printed(world: World) -> None:
    track = ground.track_in(world, TrackKind.AGREEMENT, TrackState.NOTIFIED)
    made = CaseDocument.objects.get(case=track.case, kind="agreement_notice")
    assert any("当事人陈述申辩" in note and "待核实" in note for note in made.content["notes"])
    assert "待核实" not in _text(made)


def test_insured_persons_appear_in_no_document(world: World) -> None:
    case = ground.investigated(world)
    found = case.findings.get()
    ground.line(found, 10, person="化名-0001", diagnosis="I10.x00")
    with transaction.atomic():
        made = [documents.make_document(world.auditor, case, kind) for kind in ("filing", "closing", "evidence_list")]
    assert all("化名-0001" not in _text(one) and "I10.x00" not in _text(one) for one in made)


def test_a_person_as_party_is_addressed_by_pseudonym_only(world: World) -> None:
    case = ground.investigated(world)
    case.party_kind, case.party_name, case.party_code = "person", "李小华", "p-7f3a"
    case.save()
    with transaction.atomic():
        text = _text(documents.make_document(world.auditor, case, "registration"))
    assert "p-7f3a" in text
    assert "李小华" not in text


def test_numbers_run_without_gaps_over_the_kinds_of_one_word(world: World) -> None:
    for kind in (TrackKind.AGREEMENT, TrackKind.PENALTY, TrackKind.AGREEMENT):
        ground.track_in(world, kind, TrackState.NOTIFIED)
    notices = CaseDocument.objects.filter(kind__in=["agreement_notice", "penalty_notice"]).order_by("pk")
    assert [one.number for one in notices] == [f"青医保稽告〔2026〕{count}号" for count in (1, 2, 3)]
    assert verify_documents() == []


def test_a_rolled_back_act_gives_its_number_back(world: World) -> None:
    case = ground.investigated(world)
    with pytest.raises(RuntimeError), transaction.atomic():
        documents.make_document(world.auditor, case, "filing")
        raise RuntimeError("the act failed after its document")
    assert _series("filing") == 0
    with transaction.atomic():
        assert documents.make_document(world.auditor, case, "filing").number == "青医保稽立〔2026〕1号"
    assert verify_documents() == []


def test_another_county_has_its_own_series(world: World) -> None:
    ours = ground.investigated(world)
    theirs = ground.investigated(world, institution=world.east_lead)
    with transaction.atomic():
        numbers = [documents.make_document(world.auditor, case, "filing").number for case in (ours, theirs)]
    assert numbers == ["青医保稽立〔2026〕1号", "云医保稽立〔2026〕1号"]


def test_a_new_year_begins_at_one_again(world: World, time_machine: object) -> None:
    first, second = ground.investigated(world), ground.investigated(world)
    with transaction.atomic():
        documents.make_document(world.auditor, first, "filing")
    time_machine.move_to("2027-01-04 09:00:00+08:00")  # type: ignore[attr-defined]
    with transaction.atomic():
        assert documents.make_document(world.auditor, second, "filing").number == "青医保稽立〔2027〕1号"


def test_a_new_version_keeps_number_and_the_older_one_and_needs_a_reason(world: World) -> None:
    track = ground.track_in(world, TrackKind.AGREEMENT, TrackState.NOTIFIED)
    first = CaseDocument.objects.get(case=track.case, kind="agreement_notice")
    before = first.file.sha256
    with pytest.raises(Refused):
        documents.renew_document(world.auditor, first, "错")
    second = documents.renew_document(world.auditor, first, "联系电话有误，更正后重新送达")
    first.refresh_from_db()
    assert (second.number, second.version, second.replaced_reason) == (first.number, 2, "联系电话有误，更正后重新送达")
    assert first.file.sha256 == before and first.file.path.exists()
    assert "第 2 版" in _text(second)
    assert verify_documents() == []


def test_a_notice_made_again_after_a_return_tells_the_reason_of_the_return(world: World) -> None:
    people = ground.crew(world)
    track = ground.track_in(world, TrackKind.AGREEMENT, TrackState.RE_REVIEW)
    tracks.return_re(people.second, track, "第二项事实认定依据不足")
    ground.propose(world, track)
    tracks.notify(people.officer, ground.fresh(track))
    held = CaseDocument.objects.filter(case=track.case, kind="agreement_notice").order_by("version")
    assert [one.version for one in held] == [1, 2]
    assert held[0].number == held[1].number
    assert held[1].replaced_reason == "复审退回：第二项事实认定依据不足"


def test_rows_of_documents_are_never_changed_or_deleted(world: World) -> None:
    track = ground.track_in(world, TrackKind.AGREEMENT, TrackState.NOTIFIED)
    made = CaseDocument.objects.get(case=track.case)
    with pytest.raises(Error), transaction.atomic():
        CaseDocument.objects.filter(pk=made.pk).update(number="青医保稽告〔2026〕9号")
    with pytest.raises(Error), transaction.atomic():
        CaseDocument.objects.filter(pk=made.pk).delete()


def test_a_document_by_hand_is_made_once_and_told_in_the_trail(world: World) -> None:
    case = ground.case_in(world, CaseState.CLOSED)
    made = documents.write_document(world.auditor, case, "closing")
    event = TrailEvent.objects.get(action=documents.MAKE)
    assert event.data["sha256"] == made.file.sha256
    assert event.data["number"] == made.number
    with pytest.raises(Conflict):
        documents.write_document(world.auditor, case, "closing")
    assert _series("closing") == 1


def test_a_document_the_state_has_no_place_for_is_refused_and_takes_no_number(world: World) -> None:
    case = ground.case_in(world, CaseState.REVIEWED)
    for kind in ("closing", "dismissal", "registration", "agreement_notice", "talk", "transfer", "service_receipt", "unknown"):
        with pytest.raises(Refused) as refused:
            documents.write_document(world.auditor, case, kind)
        assert refused.value.problems[0].remedy, kind
    assert not NumberSeries.objects.filter(series__startswith="doc-").exists()


def test_a_receipt_of_service_names_the_served_document_and_its_hash(world: World) -> None:
    track = ground.track_in(world, TrackKind.AGREEMENT, TrackState.NOTIFIED)
    notice = CaseDocument.objects.get(case=track.case)
    receipt = documents.write_document(world.auditor, track.case, "service_receipt", track, notice)
    text = _text(receipt)
    assert notice.number in text and notice.file.sha256 in text
    assert receipt.serves == notice


def test_the_dismissal_tells_the_reason_of_the_dismissal(world: World) -> None:
    case = ground.case_in(world, CaseState.DISMISSED)
    made = documents.write_document(world.audit_reviewer, case, "dismissal")
    assert REASON in _text(made)


def test_the_hearing_notice_says_day_place_and_host(world: World) -> None:
    from audits.services import hearings

    people = ground.crew(world)
    track = ground.track_in(world, TrackKind.PENALTY, TrackState.HEARING)
    day = timezone.localdate() + timedelta(days=17)
    hearings.announce(people.legal, track, held_on=day, place="县医保局三楼会议室", host=people.legal)
    text = _text(CaseDocument.objects.get(kind="hearing_notice"))
    assert "2026年9月18日在县医保局三楼会议室举行听证" in text
    assert "听证主持人：冯律" in text


def test_only_officers_of_the_case_and_reviewers_make_documents(world: World) -> None:
    people = ground.crew(world)
    case = ground.case_in(world, CaseState.CLOSED)
    for stranger in (people.spare, people.other_county_auditor, world.officer, world.member):
        with pytest.raises(NotAllowed):
            documents.write_document(stranger, case, "closing")
    assert documents.write_document(people.second, case, "closing").version == 1


def test_a_preview_says_what_the_document_would_say_and_keeps_nothing(world: World) -> None:
    track = ground.propose(world, ground.track_in(world, TrackKind.AGREEMENT, TrackState.TO_NOTIFY))
    content = documents.preview(track.case, "agreement_notice", track)
    assert content["number"] == documents.UNNUMBERED
    assert "1,500.00" in str(content["sections"])
    assert not CaseDocument.objects.exists()
    assert _series("agreement_notice") == 0


def test_a_provider_sees_only_what_is_addressed_to_it_and_sent(world: World) -> None:
    track = ground.track_in(world, TrackKind.AGREEMENT, TrackState.NOTIFIED)
    case = ground.again(track.case)
    with transaction.atomic():
        documents.make_document(world.auditor, case, "filing")
        documents.make_document(world.auditor, case, "evidence_list")
    order = measure(world.auditor, case, "rectify")
    measure(world.auditor, case, "circular", to_party=False, addressee="各定点医疗机构")
    referral(world.auditor, case)

    def seen() -> set[str]:
        return set(CaseDocument.objects.visible_to(world.member).values_list("kind", flat=True))

    assert seen() == {"agreement_notice"}
    measures.send_measure(world.auditor, order, timezone.localdate())
    assert seen() == {"agreement_notice", "rectify"}
    assert set(CaseDocument.objects.visible_to(world.hospital).values_list("kind", flat=True)) == seen()
    assert not CaseDocument.objects.visible_to(world.sister_hospital).exists()
    assert not CaseDocument.objects.visible_to(ground.crew(world).other_county_auditor).exists()
    assert CaseDocument.objects.visible_to(world.officer).count() == 6


def test_a_provider_sees_nothing_before_its_case_was_notified(world: World) -> None:
    case = ground.investigated(world)
    order = measure(world.auditor, case, "rectify")
    measures.send_measure(world.auditor, order, timezone.localdate())
    assert not CaseDocument.objects.visible_to(world.member).exists()


def test_the_party_hears_of_a_new_version_addressed_to_it(world: World) -> None:
    track = ground.track_in(world, TrackKind.AGREEMENT, TrackState.NOTIFIED)
    Notice.objects.all().delete()
    documents.renew_document(world.auditor, CaseDocument.objects.get(), "更正告知书中的笔误")
    assert set(Notice.objects.values_list("user__username", flat=True)) >= {"member", "hospital"}
    assert Notice.objects.latest("pk").url == track.case.get_absolute_url()


def test_verification_names_a_missing_number_and_a_missing_version(world: World) -> None:
    ground.track_in(world, TrackKind.AGREEMENT, TrackState.NOTIFIED)
    series = NumberSeries.objects.get(series=BY_KEY["agreement_notice"].series("990101"))
    series.last = 3
    series.save()
    assert "2、3" in verify_documents()[0].text
