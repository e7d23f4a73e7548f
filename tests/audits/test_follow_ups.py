"""回头看: planned, checked once, a new lead where nothing was mended."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from audits.models import FollowUp, Lead, LeadSource
from audits.services import follow_ups
from audits.services.reminders import remind
from audits.states import CaseState, TrackKind, TrackState
from audits.todos_papers import todos
from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.models import Notice
from tests.audits import ground
from tests.audits.ground import NOW
from tests.audits.papers_ground import follow_up
from tests.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW)]


def _finish(actor: Any, planned: FollowUp, result: str, **given: Any) -> FollowUp:
    values: dict[str, Any] = {"done_on": timezone.localdate(), "text": "抽查三十份病历，仍有重复收费", **given}
    return follow_ups.finish_follow_up(actor, planned, result=result, **values)


def test_a_follow_up_is_planned_from_the_review_on_with_a_day_to_come(world: World) -> None:
    case = ground.case_in(world, CaseState.REVIEWED)
    with pytest.raises(Refused) as refused:
        follow_ups.plan_follow_up(world.auditor, case, due_on=timezone.localdate() - timedelta(days=1), focus="看" * 301)
    assert {problem.field for problem in refused.value.problems} == {"due_on", "focus"}
    assert follow_up(world.auditor, case).due_on == date(2026, 10, 1)
    with pytest.raises(Conflict):
        follow_up(world.auditor, ground.investigated(world))


def test_what_was_not_mended_becomes_one_lead_of_the_same_party(world: World) -> None:
    case = ground.case_in(world, CaseState.CLOSED)
    done = _finish(world.auditor, follow_up(world.auditor, case), "not")
    lead = Lead.objects.get(source=LeadSource.FOLLOW_UP)
    assert done.lead == lead
    assert (lead.institution, lead.origin_type, lead.origin_key) == (case.institution, follow_ups.ORIGIN, str(done.pk))
    assert case.number in lead.detail and "抽查三十份病历" in lead.detail


def test_what_was_mended_opens_no_lead(world: World) -> None:
    done = _finish(world.auditor, follow_up(world.auditor, ground.case_in(world, CaseState.CLOSED)), "mended")
    assert done.lead is None
    assert not Lead.objects.filter(source=LeadSource.FOLLOW_UP).exists()


def test_what_was_partly_mended_is_looked_at_again(world: World) -> None:
    case = ground.case_in(world, CaseState.CLOSED)
    planned = follow_up(world.auditor, case)
    with pytest.raises(Refused, match="没有填写再次回头看的期限"):
        _finish(world.auditor, planned, "partly")
    _finish(world.auditor, planned, "partly", next_due=date(2026, 11, 30))
    again = case.follow_ups.get(done_on=None)
    assert (again.due_on, again.focus) == (date(2026, 11, 30), planned.focus)


def test_a_result_is_kept_once_and_checked_whole(world: World) -> None:
    planned = follow_up(world.auditor, ground.case_in(world, CaseState.CLOSED))
    with pytest.raises(Refused) as refused:
        _finish(world.auditor, planned, "maybe", done_on=timezone.localdate() + timedelta(days=1), text="好")
    assert {problem.field for problem in refused.value.problems} == {"result", "done_on", "reason"}
    _finish(world.auditor, planned, "not")
    with pytest.raises(Conflict, match="已由赵衡"):
        _finish(world.auditor, planned, "mended")
    assert Lead.objects.filter(source=LeadSource.FOLLOW_UP).count() == 1


def test_an_auditor_who_was_no_officer_may_look_again_but_no_other_post(world: World) -> None:
    people, case = ground.crew(world), ground.case_in(world, CaseState.CLOSED)
    planned = follow_up(people.spare, case)
    assert _finish(people.county_auditor, planned, "mended").done_by == people.county_auditor
    for stranger in (people.reviewer, people.other_county_auditor, world.officer, world.member):
        with pytest.raises(NotAllowed):
            follow_up(stranger, case)


def test_a_missed_follow_up_is_reminded_of_and_stands_on_the_planners_list(world: World, time_machine: Any) -> None:
    people, case = ground.crew(world), ground.case_in(world, CaseState.CLOSED)
    planned = follow_up(people.spare, case, days=20)
    assert todos(people.spare) == []
    time_machine.move_to("2026-09-22 09:00:00+08:00")
    Notice.objects.all().delete()
    assert remind(None) == 1
    assert {notice.user_id for notice in Notice.objects.all()} >= {people.officer.pk, people.partner.pk}
    assert [(one.title, one.due) for one in todos(people.spare)] == [(f"回头看：{case.party_name}", planned.due_on)]


def test_providers_never_see_a_planned_follow_up(world: World) -> None:
    track = ground.track_in(world, TrackKind.AGREEMENT, TrackState.NOTIFIED)
    follow_up(world.auditor, ground.again(track.case))
    assert FollowUp.objects.visible_to(world.observer).count() == 1
    assert not FollowUp.objects.visible_to(world.member).exists()
