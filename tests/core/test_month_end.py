"""The clock starts a month's end once, when the month is over."""

from __future__ import annotations

import time_machine

from core.handlers import look_for_month_end
from core.models import Job


@time_machine.travel("2026-10-01 08:00:00+08:00", tick=False)
def test_a_month_is_started_once_when_it_is_over(world):
    look_for_month_end()
    look_for_month_end()
    assert list(Job.objects.filter(name="month_end").values_list("period", flat=True)) == ["2026-09"]


@time_machine.travel("2026-10-01 08:00:00+08:00", tick=False)
def test_a_finished_month_is_not_started_again_by_the_clock(world):
    look_for_month_end()
    Job.objects.update(state="done")
    look_for_month_end()
    assert Job.objects.filter(name="month_end").count() == 1


def test_nothing_starts_where_there_is_no_alliance(db):
    look_for_month_end()
    assert not Job.objects.exists()


@time_machine.travel("2026-10-01 08:00:00+08:00", tick=False)
def test_it_waits_for_the_imports_under_way(world):
    Job.objects.create(name="claims.import", label="导入")
    look_for_month_end()
    assert not Job.objects.filter(name="month_end").exists()
