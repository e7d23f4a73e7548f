"""The watch list: who may be put on it, by whom, and what stands in the way (R-064)."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.models import Notice
from core.trail import history
from monitoring.models import WatchEntry
from monitoring.reading.watching import candidates
from monitoring.services import warnings
from monitoring.services.watching import decide_watch, end_watch, propose_watch
from rules.periods import Month
from tests.monitoring import warning_ground as ground
from tests.monitoring.warning_ground import REASON, distressed, month_row

START = date(2026, 9, 1)
DETAIL = "住院支出增幅高于全县 30 个百分点，纳入重点监控并逐月核查"


@pytest.fixture(autouse=True)
def _clock(time_machine):
    time_machine.move_to(ground.NOW)


@pytest.fixture
def continuing(world):
    distressed(world, Month(2026, 3))
    return distressed(world, Month(2026, 4))


def propose(world, warning, who=None, institution=None, consequence="watch", detail=DETAIL, start=START, end=None):
    return propose_watch(who or world.officer, warning, institution or world.lead, consequence, detail, start, end)


def told(user):
    return list(Notice.objects.filter(user=user).order_by("pk").values_list("text", flat=True))


def test_a_measure_is_proposed_approved_and_lifted(world, continuing):
    entry = propose(world, continuing)
    assert (entry.status, entry.county, entry.fund_type) == ("proposed", world.qingxi, "EMP")
    assert "纳入监控重点" in told(world.reviewer)[-1]
    entry = decide_watch(world.reviewer, entry, True, "")
    assert (entry.status, entry.decided_by) == ("approved", world.reviewer)
    assert "核准对青溪县人民医院" in told(world.hospital)[-1]
    entry = end_watch(world.reviewer, entry, "基金收支已恢复平衡")
    assert (entry.status, entry.valid_to) == ("ended", START)
    actions = ["monitoring.propose_watch", "monitoring.decide_watch", "monitoring.end_watch"]
    assert [event.action for event in history(entry)] == actions


def test_a_rejection_needs_a_reason_and_frees_the_way(world, continuing):
    entry = propose(world, continuing)
    with pytest.raises(Refused, match="没有写明理由"):
        decide_watch(world.reviewer, entry, False, "")
    assert decide_watch(world.reviewer, entry, False, "增幅系新院区启用").status == "rejected"
    assert told(world.hospital) == []
    assert propose(world, continuing).status == "proposed"


def test_before_distress_continues_nobody_is_put_on_the_list(world):
    warning = distressed(world, Month(2026, 3))
    with pytest.raises(Refused, match="尚未连续出险"):
        propose(world, warning)


def test_an_ordinary_warning_is_no_ground_for_the_list(world):
    with pytest.raises(Refused, match="尚未连续出险"):
        propose(world, ground.raised(world))


def test_after_the_distress_is_lifted_nothing_more_is_proposed(world, continuing):
    warnings.close(world.reviewer, continuing, REASON)
    with pytest.raises(Conflict, match="已解除"):
        propose(world, continuing)


def test_everything_wrong_with_a_proposal_is_said_at_once(world, continuing):
    with pytest.raises(Refused) as refusal:
        propose(world, continuing, institution=world.east_lead, consequence="jail", detail=" ", end=date(2026, 8, 1))
    assert {problem.field for problem in refusal.value.problems} == {"institution", "consequence", "detail", "valid_to"}
    with pytest.raises(Refused) as refusal:
        propose(world, continuing, start=None)
    assert {problem.field for problem in refusal.value.problems} == {"valid_from"}


def test_the_same_measure_is_not_taken_twice(world, continuing):
    propose(world, continuing)
    with pytest.raises(Conflict, match="已有同样的措施（待核准）"):
        propose(world, continuing)
    assert propose(world, continuing, consequence="quota").consequence == "quota"


def test_posts_decide_who_proposes_and_who_approves(world, continuing):
    for person in (world.hospital, world.reviewer, world.stranger_officer, world.admin, world.nobody):
        with pytest.raises(NotAllowed):
            propose(world, continuing, who=person)
    entry = propose(world, continuing, who=world.county_officer)
    for person in (world.officer, world.county_officer, world.hospital, world.stranger_reviewer):
        with pytest.raises(NotAllowed):
            decide_watch(person, entry, True, "")
    with pytest.raises(IntegrityError), transaction.atomic():
        WatchEntry.objects.filter(pk=entry.pk).update(decided_by=world.county_officer)


def test_what_is_decided_stays_decided_and_is_never_deleted(world, continuing):
    entry = propose(world, continuing)
    with pytest.raises(Conflict, match="不能解除"):
        end_watch(world.reviewer, entry, REASON)
    decide_watch(world.reviewer, entry, True, "")
    with pytest.raises(Conflict, match="不能核准"):
        decide_watch(world.reviewer, entry, True, "")
    with pytest.raises(DatabaseError), transaction.atomic():
        WatchEntry.objects.filter(pk=entry.pk)._raw_delete("default")


def test_those_who_grow_faster_than_the_county_are_named_first(world, continuing, django_assert_max_num_queries):
    grown = {world.lead: (100, 150), world.township: (100, 112), world.outsider: (50, 90), world.village: (10, 9)}
    months = [Month(2026, number) for number in range(1, 5)]
    for month in months:
        for institution, (before, now) in grown.items():
            month_row(institution, month.plus(-12), "EMP", charged=before)
            month_row(institution, month, "EMP", charged=now)
        month_row(world.qingxi, month.plus(-12), "EMP", charged=1000, income=100, fund_spending=120)
        month_row(world.qingxi, month, "EMP", charged=1100, income=100, fund_spending=120)
    propose(world, continuing, institution=world.outsider)
    with django_assert_max_num_queries(8):
        found = candidates(world.officer, continuing)
    # the county grew 10 %, 15 % and more is abnormal: 600 − 4 × 110, 360 − 4 × 55
    assert [(one.place.code, one.excess, one.watched) for one in found] == [
        (world.lead.code, Decimal("160.00"), False),
        (world.outsider.code, Decimal("140.00"), True),
    ]
    assert found[0].growth == Decimal("0.5") and "同比 50%" in found[0].text
    assert candidates(world.stranger_officer, continuing) == []


def test_without_the_countys_own_growth_nobody_is_named(world, continuing):
    month_row(world.lead, Month(2026, 4), "EMP", charged=100)
    assert candidates(world.officer, continuing) == []
