"""The month-end runs as people look at them: every alliance × step of a month, and the months in a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Min, Q
from django.utils import timezone

from core.access import Denied, NotAllowed, has_any_role
from core.models import Alliance, Job, PoolingArea
from core.models.jobs import JOB_READERS
from core.registries import month_end_steps
from monitoring.models import AnalysisReport
from monitoring.models.periods import PERIOD_TONES, RUN_TONES, Period, PeriodState, RunState, StepRun
from monitoring.reading.owing import Owed, is_quarter_end, owed
from rules.periods import Month
from settlement.reading import YearRow, year_rows
from submissions.reading import Standing, standings

JOBS = ("month_end", "month_end_alliance")
ORDER = (RunState.FAILED, RunState.SKIPPED, RunState.RUNNING, RunState.WAITING)


@dataclass(frozen=True)
class Cell:
    """One step of one alliance; ``run`` None: never started."""

    step: str
    label: str
    run: StepRun | None

    @property
    def state(self) -> str:
        return self.run.state if self.run is not None else RunState.WAITING

    @property
    def text(self) -> str:
        return str(RunState(self.state).label)

    @property
    def tone(self) -> str:
        return RUN_TONES[RunState(self.state)]


@dataclass(frozen=True)
class AllianceRun:
    """One alliance's month: its steps, what is owed, and at a quarter's end its table."""

    alliance: Alliance
    cells: tuple[Cell, ...]
    owed: tuple[Owed, ...]
    table: Standing | None
    job: Job | None

    @property
    def done(self) -> int:
        return sum(cell.state == RunState.DONE for cell in self.cells)

    @property
    def state(self) -> str:
        """The worst of the steps; done when all are."""
        states = {cell.state for cell in self.cells}
        return next((state for state in ORDER if state in states), RunState.DONE)

    @property
    def state_text(self) -> str:
        return str(RunState(self.state).label)

    @property
    def tone(self) -> str:
        return RUN_TONES[RunState(self.state)]


@dataclass(frozen=True)
class MonthLine:
    """A month in the list: how many steps of how many alliances are done, and whether it is closed."""

    month: Month
    alliances: int
    total: int
    done: int
    failed: int
    started: datetime | None
    finished: datetime | None
    period: Period | None

    @property
    def state(self) -> str:
        return self.period.state if self.period is not None else PeriodState.OPEN

    @property
    def state_text(self) -> str:
        return str(PeriodState(self.state).label)

    @property
    def tone(self) -> str:
        return PERIOD_TONES[PeriodState(self.state)]

    @property
    def percent(self) -> int:
        return self.done * 100 // self.total if self.total else 0


def need_reader(user: Any) -> None:
    """Raise ``NotAllowed`` for who has no post that sees the month's end."""
    if not has_any_role(user, JOB_READERS):
        raise NotAllowed(Denied("月末处理供医保部门各岗位查看。本单位要办的事项在工作台和通知里。"))


def areas_of(user: Any) -> list[PoolingArea]:
    """The pooling areas the user's posts stand in."""
    seen = Alliance.objects.visible_to(user).values("county__pooling_area")
    return list(PoolingArea.objects.filter(pk__in=seen).order_by("code"))


def month_lines(user: Any) -> list[MonthLine]:
    """The months that ran or were closed, and the last one that is over, newest first; four queries."""
    seen = StepRun.objects.visible_to(user).order_by()
    counted: dict[Month, Any] = {
        Month(row["year"], row["month"]): row
        for row in seen.values("year", "month").annotate(
            done=Count("pk", filter=Q(state=RunState.DONE)),
            failed=Count("pk", filter=Q(state__in=[RunState.FAILED, RunState.SKIPPED])),
            started=Min("started_at"),
            finished=Max("finished_at"),
        )
    }
    periods = {row.of: row for row in Period.objects.visible_to(user).select_related("pooling_area", "closed_by")}
    alliances = list(Alliance.objects.visible_to(user))
    steps = len(list(month_end_steps))
    months = {*counted, *periods, Month.of(timezone.localdate()).previous()}
    lines = []
    for month in sorted(months, reverse=True):
        row: Any = counted.get(month, {})
        standing = sum(_in_force(alliance, month) for alliance in alliances)
        lines.append(
            MonthLine(
                month, standing, standing * steps, row.get("done", 0), row.get("failed", 0), row.get("started"),
                row.get("finished"), periods.get(month),
            )
        )  # fmt: skip
    return lines


def alliance_runs(user: Any, month: Month) -> list[AllianceRun]:
    """Every alliance in force at the month's end that the user sees; the same number of queries for any number."""
    alliances = list(
        Alliance.objects.on(month.last_day).visible_to(user).select_related("county__pooling_area").order_by("code")
    )
    runs = {(row.alliance_id, row.step): row for row in StepRun.objects.visible_to(user).filter(
        alliance__in=alliances, year=month.year, month=month.month)}  # fmt: skip
    jobs = {job.scope: job for job in _jobs(user, month).filter(name="month_end_alliance").order_by("pk")}
    missing = owed(alliances, month)
    tables = standings(alliances, month.quarter) if is_quarter_end(month) else {}
    return [
        AllianceRun(
            alliance,
            tuple(Cell(name, step.label, runs.get((alliance.pk, name))) for name, step in month_end_steps),
            tuple(missing.get(alliance.pk, ())),
            tables.get(alliance.pk),
            jobs.get(alliance.code),
        )
        for alliance in alliances
    ]


def running(user: Any, month: Month) -> list[Job]:
    """The unfinished jobs of the month: parents first, children only where no parent runs."""
    unfinished = list(_jobs(user, month).unfinished().order_by("pk"))
    parents = [job for job in unfinished if job.name == "month_end"]
    return parents or unfinished


def trial_rows(user: Any, month: Month) -> Sequence[YearRow]:
    """At a year's end the settlement of the year, drafted or not; nothing for other months."""
    return year_rows(user, month.year) if month.month == 12 else ()


def reports_of(user: Any, month: Month) -> list[AnalysisReport]:
    """The monthly, quarterly, half-yearly and yearly reports that end with the month, newest version of each first."""
    rows = AnalysisReport.objects.visible_to(user).with_places().filter(ends_on=month.last_day)
    return list(rows.order_by("kind", "place", "-version"))


def step_states(user: Any, month: Month) -> dict[tuple[int, str], StepRun]:
    """By (alliance id, step): for the home page."""
    rows = StepRun.objects.visible_to(user).filter(year=month.year, month=month.month)
    return {(row.alliance_id, row.step): row for row in rows}


def _jobs(user: Any, month: Month) -> Any:
    return Job.objects.visible_to(user).filter(name__in=JOBS, period=str(month))


def _in_force(alliance: Alliance, month: Month) -> bool:
    return alliance.valid_from <= month.last_day and (alliance.valid_to is None or alliance.valid_to >= month.last_day)
