"""Hand-overs to police, discipline, health and market bodies; what the findings suggest."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from audits.models import CaseDocument, Referral
from audits.reading.hints import hints
from audits.services import referrals
from audits.services.reminders import remind
from audits.states import CaseState, TrackKind, TrackState
from audits.todos_papers import todos
from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.models import Notice
from tests.audits import ground
from tests.audits.ground import NOW
from tests.audits.papers_ground import referral, signed, text_of
from tests.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW)]


def test_a_hand_over_gets_its_numbered_letter_with_reason_and_materials(world: World) -> None:
    made = referral(world.auditor, ground.investigated(world))
    letter = CaseDocument.objects.get(kind="transfer")
    text = text_of(letter.file.path.read_bytes())
    assert made.number == letter.number == "青医保稽移〔2026〕1号"
    for said in ("青溪县公安局：", "涉嫌诈骗医疗保障基金", "1. 现场笔录", "2. 结算清单", "王警官", "1,500.00", "2026年10月1日前"):
        assert said in text, said


def test_everything_wrong_with_a_hand_over_is_said_at_once(world: World) -> None:
    case, today = ground.investigated(world), timezone.localdate()
    with pytest.raises(Refused) as refused:
        referrals.refer(
            world.auditor, case, body="court", body_name=" ", handed_on=today + timedelta(days=1), reason="罪", items="",
            received_by="", due_on=today,
        )  # fmt: skip
    fields = {problem.field for problem in refused.value.problems}
    assert fields == {"body", "body_name", "items", "received_by", "handed_on", "due_on", "reason"}
    assert not Referral.objects.exists() and not CaseDocument.objects.exists()


def test_the_signed_record_may_follow_and_is_never_exchanged(world: World) -> None:
    made = referral(world.auditor, ground.investigated(world))
    first, second = signed(world.auditor), signed(world.auditor, b"another")
    assert referrals.attach_record(world.auditor, made, first).record == first
    with pytest.raises(Conflict, match="不能更换"):
        referrals.attach_record(world.auditor, made, second)


def test_a_reply_is_kept_once_and_not_before_the_hand_over(world: World) -> None:
    made, today = referral(world.auditor, ground.investigated(world)), timezone.localdate()
    with pytest.raises(Refused, match="早于移送日期"):
        referrals.note_reply(world.auditor, made, reply="已受理并立案", replied_on=today - timedelta(days=1))
    done = referrals.note_reply(world.auditor, made, reply="已受理并立案", replied_on=today, file=signed(world.auditor, b"reply"))
    assert (done.reply, done.replied_on, done.reply_by) == ("已受理并立案", today, world.auditor)
    with pytest.raises(Conflict, match="已由赵衡"):
        referrals.note_reply(world.auditor, made, reply="又一次回复", replied_on=today)


def test_only_officers_hand_a_case_over_and_nobody_a_dismissed_one(world: World) -> None:
    people, case = ground.crew(world), ground.investigated(world)
    for stranger in (people.spare, people.reviewer, people.county_auditor, world.member):
        with pytest.raises(NotAllowed):
            referral(stranger, case)
    with pytest.raises(Conflict):
        referral(world.auditor, ground.case_in(world, CaseState.DISMISSED))


def test_a_closed_case_can_still_be_handed_over(world: World) -> None:
    assert referral(world.auditor, ground.case_in(world, CaseState.CLOSED), "discipline").pk


def test_providers_and_other_counties_never_see_a_hand_over(world: World) -> None:
    track = ground.track_in(world, TrackKind.AGREEMENT, TrackState.NOTIFIED)
    made = referral(world.auditor, ground.again(track.case))
    assert list(Referral.objects.visible_to(world.officer)) == [made]
    for user in (world.member, world.hospital, ground.crew(world).other_county_auditor, world.stranger_officer):
        assert not Referral.objects.visible_to(user).exists()


def test_a_missing_reply_is_asked_for_after_its_day(world: World, time_machine: Any) -> None:
    made = referral(world.auditor, ground.investigated(world), due_on=date(2026, 9, 10))
    time_machine.move_to("2026-09-11 09:00:00+08:00")
    Notice.objects.all().delete()
    assert remind(None) == 1
    assert "移送公安机关的回复已于 2026-09-10 到期" in Notice.objects.latest("pk").text
    assert [one.due for one in todos(world.auditor)] == [made.due_on]
    referrals.note_reply(world.auditor, made, reply="已受理并立案", replied_on=timezone.localdate())
    assert todos(world.auditor) == []


def test_a_repeated_offence_suggests_the_health_department_until_it_was_told(world: World, time_machine: Any) -> None:
    track = ground.track_in(world, TrackKind.AGREEMENT, TrackState.SERVED)
    assert hints(ground.investigated(world)) == []  # done before the first decision
    time_machine.move_to("2026-12-10 09:00:00+08:00")
    later = ground.investigated(world, on=date(2026, 12, 1))
    found = hints(later)
    assert [one.body for one in found] == ["health"]
    assert track.case.number in found[0].text
    referral(world.auditor, later, "health", body_name="青溪县卫生健康委员会")
    assert hints(later) == []


def test_a_first_offence_and_another_article_suggest_nothing(world: World, time_machine: Any) -> None:
    assert hints(ground.investigated(world)) == []
    ground.track_in(world, TrackKind.AGREEMENT, TrackState.SERVED)
    time_machine.move_to("2026-12-10 09:00:00+08:00")
    assert hints(ground.investigated(world, act="no_internal_management", on=date(2026, 12, 1))) == []


def test_fraud_from_the_amount_on_suggests_the_police_and_says_it_is_unconfirmed(world: World) -> None:
    case = ground.investigated(world, act="forged_documents")
    assert hints(case) == []
    ground.line(case.findings.get(), Decimal("1499.99"))
    assert hints(case) == []
    ground.line(case.findings.get(), Decimal("0.01"))
    found = hints(case)
    assert [(one.body, one.confirmed) for one in found] == [("police", False)]
    assert "3,000.00 元，达到 3,000.00 元" in found[0].text


def test_what_is_no_fraud_never_suggests_the_police(world: World) -> None:
    assert hints(ground.investigated(world, big=True)) == []
