"""The home page of one person: deadlines, to-dos, month-end run, running work, what changed since the last login."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.utils import timezone

from core.kept import kept
from core.models import Job, TrailEvent, User
from core.models.jobs import JobState
from core.registries import Todo, home_todos, month_end_steps
from core.working_days import is_working_day, overrides_between, working_days_left
from monitoring.reading.runs import step_states
from rules.periods import Month

CALENDAR_DAYS = 20
NEWS = 8
SOON = 3
FIRST_LOOK_BACK = timedelta(days=7)
QUIET_ACTIONS = ("core.login", "core.change_password", "core.export")
WEEKDAYS = "一二三四五六日"


@dataclass(frozen=True)
class DayItem:
    label: str
    title: str
    url: str
    red: bool = False


@dataclass(frozen=True)
class CalendarDay:
    """``off``: no work that day. ``items`` are the deadlines on it, several of one kind as one."""

    day: date
    off: bool
    today: bool
    items: tuple[DayItem, ...]

    @property
    def weekday(self) -> str:
        return "今天" if self.today else f"周{WEEKDAYS[self.day.weekday()]}"


@dataclass(frozen=True)
class Desk:
    todos: tuple[Todo, ...]
    calendar: tuple[CalendarDay, ...]
    soon: int
    overdue: int


@dataclass
class StepState:
    """A month-end step over all alliances of the person: how many have it behind them, and what it said."""

    label: str
    done: int = 0
    failed: int = 0
    running: int = 0
    texts: list[str] = field(default_factory=list)

    def state_of(self, total: int) -> str:
        if self.failed:
            return "bad"
        if self.done == total:
            return "done"
        return "current" if self.running or self.done else "todo"


@dataclass(frozen=True)
class MonthEnd:
    """The latest month-end run: ``total`` alliances, each step's state, and the job behind it."""

    period: str
    total: int
    finished: int
    failed: int
    started: datetime | None
    steps: tuple[tuple[StepState, str], ...]
    job: Job

    @property
    def steps_done(self) -> int:
        return sum(state == "done" for _step, state in self.steps)

    @property
    def percent(self) -> int:
        return self.finished * 100 // self.total if self.total else 0


@dataclass(frozen=True)
class News:
    at: datetime
    text: str
    actor: str
    url: str


def desk(user: User, today: date, fund: str = "", on: str = "") -> Desk:
    """What waits for the person, earliest deadline first; ``fund`` and ``on`` (a day) narrow the list, not the calendar."""
    found = kept("todos", user.pk, lambda: [todo for _name, source in home_todos for todo in source(user)])
    found = sorted(found, key=lambda todo: (todo.due is None, todo.due or today))
    dues = [todo.due for todo in found if todo.due is not None]
    last = today + timedelta(days=CALENDAR_DAYS)
    overrides = overrides_between(min([today, *dues]), max([last, *dues]))
    left = [working_days_left(today, due, overrides) for due in dues]
    shown = tuple(
        todo for todo in found if (not fund or todo.fund_type == fund) and (not on or str(todo.due or "") == on)
    )
    days = tuple(
        CalendarDay(day, not is_working_day(day, overrides), day == today, _items(found, day, today))
        for day in (today + timedelta(days=n) for n in range(CALENDAR_DAYS))
    )
    return Desk(shown, days, sum(0 <= days_left <= SOON for days_left in left), sum(due < today for due in dues))


def month_end(user: User) -> MonthEnd | None:
    """The latest month-end run at the person's places; None before the first one."""
    mine = Job.objects.visible_to(user).filter(name="month_end_alliance")
    latest = mine.order_by("-period", "-pk").first()
    if latest is None:
        return None
    by_scope = {job.scope: job for job in mine.filter(period=latest.period).order_by("pk")}
    jobs = list(by_scope.values())
    ran = step_states(user, Month.parse(latest.period))
    steps = []
    for at, (name, step) in enumerate(month_end_steps):
        state = StepState(step.label)
        for job in jobs:
            _count(state, job, ran.get((job.alliance_id or 0, name)), at)
        steps.append(state)
    started = [job.started_at for job in jobs if job.started_at]
    return MonthEnd(
        period=latest.period,
        total=len(jobs),
        finished=sum(job.state == JobState.DONE for job in jobs),
        failed=sum(job.state == JobState.FAILED for job in jobs),
        started=min(started, default=None),
        steps=tuple((step, step.state_of(len(jobs))) for step in steps),
        job=next((job for job in jobs if job.state == JobState.FAILED), latest),
    )


def _count(state: StepState, job: Job, ran: Any, at: int) -> None:
    """Add one alliance to a step: by the row of the step, or by the job alone where it was not noted."""
    if ran is not None:
        said = str(ran.state)
    elif job.state == JobState.DONE:
        said = "done"
    else:
        said = {JobState.FAILED: "failed", JobState.RUNNING: "running"}.get(JobState(job.state), "") if at == 0 else ""
    state.done += said == "done"
    state.failed += said in ("failed", "skipped")
    state.running += said == "running"
    if ran is not None and ran.outcome:
        state.texts.append(ran.outcome)


def running_jobs(user: User, limit: int = 4) -> list[Job]:
    """Unfinished work the person may see, newest first; children only through their parent."""
    return list(Job.objects.visible_to(user).unfinished().filter(parent=None).order_by("-pk")[:limit])


def news(user: User, now: datetime) -> tuple[list[News], int, datetime]:
    """What happened at the person's places since the last login: newest rows, how many in all, since when."""
    since = user.previous_login_at or now - FIRST_LOOK_BACK
    events = TrailEvent.objects.visible_to(user).filter(at__gt=since).exclude(action__in=QUIET_ACTIONS)
    notices = user.notices.filter(created_at__gt=since)
    count = events.count() + notices.count()
    newest = list(events.order_by("-at")[:NEWS])
    urls = _urls_of(newest)
    told = [News(event.at, event.summary, event.actor_name, urls.get(event.pk, "")) for event in newest]
    told += [News(notice.created_at, notice.text, "", notice.url) for notice in notices.order_by("-created_at")[:NEWS]]
    return sorted(told, key=lambda row: row.at, reverse=True)[:NEWS], count, timezone.localtime(since)


def _items(todos: Sequence[Todo], day: date, today: date) -> tuple[DayItem, ...]:
    """The deadlines of a day; what is overdue stands on today."""
    here = [todo for todo in todos if todo.due == day]
    kinds = Counter(_kind(todo) for todo in here)
    items = []
    for kind, count in kinds.items():
        first = next(todo for todo in here if _kind(todo) == kind)
        several = f"{kind} {count} 项"
        items.append(
            DayItem(kind, first.title, first.url) if count == 1 else DayItem(several, several, _filter_url(day))
        )
    late = [todo for todo in todos if day == today and todo.due is not None and todo.due < today]
    if late:
        items.insert(0, DayItem(f"逾期 {len(late)} 项", f"逾期 {len(late)} 项", "#todos", red=True))
    return tuple(items)


def _kind(todo: Todo) -> str:
    """The short name of a to-do: what stands before the colon of its title."""
    return todo.title.split("：", 1)[0]


def _filter_url(day: date) -> str:
    return f"?{urlencode({'due': day.isoformat()})}#todos"


def _urls_of(events: Sequence[TrailEvent]) -> dict[int, str]:
    """Pages of the events' subjects, one query a kind of subject."""
    by_type: dict[str, dict[str, list[int]]] = {}
    for event in events:
        by_type.setdefault(event.subject_type, {}).setdefault(event.subject_id, []).append(event.pk)
    urls: dict[int, str] = {}
    for type_name, ids in by_type.items():
        model: Any = _model(type_name)
        if model is None or not hasattr(model, "get_absolute_url"):
            continue
        for key, subject in model._default_manager.in_bulk(list(ids)).items():
            urls.update(dict.fromkeys(ids[str(key)], subject.get_absolute_url()))
    return urls


def _model(type_name: str) -> Any:
    try:
        return apps.get_model(type_name)
    except (LookupError, ValueError):
        return None
