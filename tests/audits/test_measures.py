"""Supervisory measures: recorded with their letter, sent, ended once; reminders of what is overdue."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import Error, transaction
from django.utils import timezone

from audits.jobs_papers import REMIND_JOB, look_for_reminders
from audits.models import CaseChange, CaseDocument, Measure
from audits.services import measures
from audits.services.reminders import remind, to_remind
from audits.states import Act, CaseState
from audits.todos_papers import todos
from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.jobs import run_now
from core.models import Job, Notice, TrailEvent
from tests.audits import ground
from tests.audits.ground import NOW
from tests.audits.papers_ground import TEXT, measure, text_of
from tests.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW)]


def test_each_measure_makes_its_letter_and_dual_accountability_makes_none(world: World) -> None:
    case = ground.investigated(world)
    kinds = {"talk": "约谈通知书", "circular": "通报", "inquiry": "询问函", "rectify": "责令改正通知书"}
    for kind, title in kinds.items():
        made = measure(world.auditor, case, kind)
        text = text_of(made.documents.get().file.path.read_bytes())
        assert title in text and TEXT in text and "2026年10月1日前" in text, kind
    dual = measure(world.auditor, case, "dual", to_party=False, addressee="青溪县医疗保障局基金监管股")
    assert not dual.documents.exists()
    numbers = sorted(CaseDocument.objects.values_list("number", flat=True))
    assert numbers == sorted(f"青医保稽{word}〔2026〕1号" for word in "约通询改")


def test_a_letter_to_another_body_is_addressed_to_it(world: World) -> None:
    case = ground.investigated(world)
    made = measure(world.auditor, case, "inquiry", to_party=False, addressee="青溪县卫生健康委员会")
    assert "青溪县卫生健康委员会：" in text_of(made.documents.get().file.path.read_bytes())
    assert not made.documents.get().to_party


def test_a_measure_stands_in_the_case_and_in_the_trail(world: World) -> None:
    case = ground.investigated(world)
    made = measure(world.auditor, case)
    change = CaseChange.objects.get(act=Act.CONSEQUENCE)
    assert (change.actor, change.reason, change.until, change.data["measure"]) == (world.auditor, TEXT, made.due_on, made.pk)
    assert TrailEvent.objects.filter(action="audits.consequence").count() == 1


def test_everything_wrong_with_a_measure_is_said_at_once(world: World) -> None:
    case = ground.investigated(world)
    with pytest.raises(Refused) as refused:
        measures.record_measure(
            world.auditor, case, kind="flogging", on=date(2020, 1, 1), text="改", to_party=False, due_on=date(2019, 1, 1)
        )
    assert {problem.field for problem in refused.value.problems} == {"kind", "addressee", "on", "due_on", "reason"}
    assert not Measure.objects.exists() and not CaseDocument.objects.exists()


def test_dual_accountability_is_never_addressed_to_the_party(world: World) -> None:
    with pytest.raises(Refused, match="负有监管责任的部门"):
        measure(world.auditor, ground.investigated(world), "dual")


def test_only_officers_of_the_case_take_measures(world: World) -> None:
    people, case = ground.crew(world), ground.investigated(world)
    for stranger in (people.spare, people.reviewer, people.other_county_auditor, world.member):
        with pytest.raises(NotAllowed):
            measure(stranger, case)
    with pytest.raises(Conflict):
        measure(world.auditor, ground.case_in(world, CaseState.DISMISSED))


def test_a_letter_is_sent_once_and_never_on_a_day_to_come(world: World) -> None:
    made = measure(world.auditor, ground.case_in(world, CaseState.REVIEWED))
    today = timezone.localdate()
    with pytest.raises(Refused, match="晚于今天"):
        measures.send_measure(world.auditor, made, today + timedelta(days=1))
    assert measures.send_measure(world.auditor, made, today).sent_on == today
    with pytest.raises(Conflict, match="已于 2026-09-01 送达"):
        measures.send_measure(world.auditor, made, today)


def test_sending_tells_the_party_once_it_knows_of_the_case(world: World) -> None:
    from audits.states import TrackKind, TrackState

    track = ground.track_in(world, TrackKind.AGREEMENT, TrackState.NOTIFIED)
    made = measure(world.auditor, ground.again(track.case), "talk")
    Notice.objects.all().delete()
    measures.send_measure(world.auditor, made, timezone.localdate())
    assert set(Notice.objects.values_list("user__username", flat=True)) >= {"member", "hospital"}
    assert list(Measure.objects.visible_to(world.member)) == [made]


def test_an_outcome_is_kept_once_and_only_after_the_letter_was_sent(world: World) -> None:
    made, today = measure(world.auditor, ground.investigated(world)), timezone.localdate()
    with pytest.raises(Conflict, match="还没有送达"):
        measures.end_measure(world.auditor, made, outcome="已全部退回并整改", on=today)
    measures.send_measure(world.auditor, made, today)
    ended = measures.end_measure(world.auditor, made, outcome="已全部退回并整改", on=today)
    assert (ended.outcome, ended.outcome_on, ended.outcome_by) == ("已全部退回并整改", today, world.auditor)
    with pytest.raises(Conflict, match="已由赵衡"):
        measures.end_measure(world.auditor, made, outcome="另一个结果", on=today)
    made.refresh_from_db()
    assert made.outcome == "已全部退回并整改"


def test_measures_are_never_deleted_from_the_database(world: World) -> None:
    made = measure(world.auditor, ground.investigated(world))
    with pytest.raises(Error), transaction.atomic():
        Measure.objects.filter(pk=made.pk).delete()


def test_an_overdue_measure_is_reminded_of_once_a_step_until_it_ends(world: World, time_machine: Any) -> None:
    case = ground.investigated(world)
    made = measure(world.auditor, case, days=10)
    time_machine.move_to("2026-09-11 09:00:00+08:00")
    assert not to_remind()
    time_machine.move_to("2026-09-12 09:00:00+08:00")
    Notice.objects.all().delete()
    assert remind(None) == 1
    assert set(Notice.objects.values_list("user", flat=True)) == {world.auditor.pk, ground.crew(world).partner.pk}
    assert remind(None) == 0
    assert TrailEvent.objects.filter(action="audits.remind").count() == 1
    time_machine.move_to("2026-09-21 09:00:00+08:00")
    assert remind(None) == 1
    assert world.audit_reviewer.pk in set(Notice.objects.values_list("user", flat=True))
    measures.send_measure(world.auditor, made, timezone.localdate())
    measures.end_measure(world.auditor, made, outcome="已整改并书面报告", on=timezone.localdate())
    time_machine.move_to("2026-10-21 09:00:00+08:00")
    assert not to_remind()


def test_the_clock_enqueues_reminders_only_where_something_is_overdue(world: World, time_machine: Any) -> None:
    measure(world.auditor, ground.investigated(world), days=1)
    look_for_reminders()
    assert not Job.objects.filter(name=REMIND_JOB).exists()
    time_machine.move_to("2026-09-04 09:00:00+08:00")
    look_for_reminders()
    look_for_reminders()
    done = run_now(Job.objects.get(name=REMIND_JOB))
    assert "1 项" in done.outcome
    look_for_reminders()
    assert Job.objects.filter(name=REMIND_JOB).count() == 1


def test_home_lists_letters_to_send_and_answers_due_for_the_officers_only(world: World) -> None:
    people, case = ground.crew(world), ground.investigated(world)
    sent = measure(world.auditor, case, "inquiry", days=5)
    measures.send_measure(world.auditor, sent, timezone.localdate())
    measure(world.auditor, case, "talk", days=60)
    told = {one.title: one.due for one in todos(people.partner)}
    assert told == {
        f"登记函询结果：{case.party_name}": date(2026, 9, 6),
        f"送达约谈：{case.party_name}": date(2026, 10, 31),
    }
    assert not todos(people.spare) and not todos(world.officer)
