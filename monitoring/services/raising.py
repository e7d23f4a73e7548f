"""A warning comes into the world: its number, its first figure, who hears of it, and whether the system sends it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from core.models import Alliance, County, Membership, PoolingArea, User
from core.notices import notify
from core.trail import record
from monitoring.models import Level, PlaceKind, Threshold, Warning, WarningFigure
from monitoring.parameters import ANSWER_DAYS, AUTO_SEND
from monitoring.reading.places import PlaceRef
from monitoring.services.rights import answerers, city_people, deciders
from monitoring.services.steps import change_row, choice, due_after, finish, must, name_of, trail_data
from monitoring.states import Act, Transition, WarningState, action_name
from rules.money import round_ratio
from rules.periods import Month

DISTRESS = "distress"


@dataclass(frozen=True)
class Signal:
    """What one month says of one cause at one place. ``level`` None: not known, ``why_not`` tells why; empty: within.

    ``former``: a threshold no longer in force says so; it follows the warning raised under it and raises none."""

    place: PlaceRef
    fund_type: str
    cause: str
    month: Month
    level: str | None
    title: str = ""
    indicator: str = ""
    source: str = "threshold"
    threshold: Threshold | None = None
    value: Decimal | None = None
    compared: Decimal | None = None
    bound: Decimal | None = None
    affected: Decimal | None = None
    data_to: date | None = None
    trace: list[dict[str, Any]] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    rows: tuple[int, ...] = ()
    why_not: str = ""
    former: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        return self.place.key, self.fund_type, self.cause


def lock_place(place: County | PoolingArea) -> None:
    """Raising at one county (the city: at one city) goes one at a time: numbers have no gaps, causes no twins."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a place is locked inside the transaction of the act")
    type(place)._default_manager.select_for_update(no_key=True).get(pk=place.pk)


def next_number(place: PlaceRef, fund_type: str, on: date) -> str:
    """警-2026-0814-QX-RES-03: day, place, fund, and the number of the place's warning of that fund in the year.

    Safe because the place is locked.
    """
    of_year = Warning.objects.filter(place=place.key, fund_type=fund_type, number__startswith=f"警-{on.year}-")
    return f"警-{on.year}-{on:%m%d}-{place.code}-{fund_type}-{of_year.count() + 1:02d}"


def alliance_of(place: PlaceRef, on: date) -> Alliance | None:
    """The alliance a place is or belongs to on a day."""
    alliances = Alliance.objects.select_related("county__pooling_area")
    if place.kind == PlaceKind.ALLIANCE:
        return alliances.get(pk=place.pk)
    if place.kind == PlaceKind.INSTITUTION:
        members = Membership.objects.on(on).filter(institution=place.pk).values("alliance")
        return alliances.filter(pk__in=members).first()
    return None


def create_warning(place: PlaceRef, alliance: Alliance | None, *, month: Month, **fields: Any) -> Warning:
    """The row, raised and not yet sent."""
    made = Warning.objects.create(
        kind=place.kind,
        place=place.key,
        pooling_area_id=place.area,
        county_id=place.county,
        alliance=alliance,
        institution_id=place.pk if place.kind == PlaceKind.INSTITUTION else None,
        year=month.year,
        month=month.month,
        raised_at=timezone.now(),
        **fields,
    )
    return Warning.objects.with_places().get(pk=made.pk)


def announce(
    actor: User | None, w: Warning, summary: str, *, reason: str = "", tell: Iterable[User] | None = None
) -> None:
    """The first change row, the notice to the officers (unless ``tell`` names others) and the trail."""
    step = Transition("", Act.RAISE, WarningState.RAISED)
    change = change_row(w, step, actor, reason)
    notify(deciders(w) if tell is None else tell, summary, w.get_absolute_url())
    record(actor, action_name(Act.RAISE), w, summary, trail_data(change), place=w.alliance or w.at)


def raise_warning(signal: Signal, place: County | PoolingArea, actor: User | None, remark: str = "") -> Warning:
    """A new warning with its first figure; sent at once where the parameter says so, distress reported to the city."""
    today = timezone.localdate()
    w = create_warning(
        signal.place,
        alliance_of(signal.place, signal.month.last_day),
        month=signal.month,
        number=next_number(signal.place, signal.fund_type, today),
        source=signal.source,
        fund_type=signal.fund_type,
        cause=signal.cause,
        indicator=signal.indicator,
        threshold=signal.threshold,
        title=signal.title[:120],
        level=signal.level,
    )
    note_figure(w, signal)
    sends = sends_at_once(w)
    announce(actor, w, f"触发{name_of(w)}。{remark}", reason=remark, tell=() if sends else None)
    if signal.source == DISTRESS:
        report_to_city(actor, w, signal)
    if sends:
        send_at_once(actor, w)
    return w


def sends_at_once(w: Warning) -> bool:
    """Distress always, others as the parameter says."""
    chosen = choice(AUTO_SEND, w)
    return w.source == DISTRESS or chosen == "all" or (chosen == "red" and w.level == Level.RED)


def send_at_once(actor: User | None, w: Warning) -> None:
    """Sent by the system: the one who answers and the officers who decide hear of it."""
    due = due_after(w, ANSWER_DAYS)
    fields = {"sent_at": timezone.now(), "sent_by": actor, "due_on": due, "escalations": 0}
    summary = f"系统送达{name_of(w)}，请于 {due} 前答复。"
    told = [*answerers(w), *deciders(w)]
    finish(actor, w, must(w.state, Act.SEND), summary, until=due, data={"by": "system"}, tell=told, fields=fields)


def report_to_city(actor: User | None, w: Warning, signal: Signal) -> None:
    """R-062: the city hears of distress at once, with the causes the policy names."""
    told = str(signal.data.get("text", ""))
    again = "（连续出险）" if signal.data.get("continuing") else ""
    summary = f"{w.at}{w.get_fund_type_display()}基金出险{again}上报：{told}，涉及 {signal.affected:,f} 元，见 {w.number}。"
    data = {"by": "system", "continuing": bool(signal.data.get("continuing")), "month": str(signal.month)}
    finish(actor, w, must(w.state, Act.REPORT), summary, reason=told, data=data, tell=city_people(w))


def note_figure(w: Warning, signal: Signal) -> WarningFigure:
    """Append what the month says."""
    data = {**signal.data, "rows": list(signal.rows)}
    if signal.why_not:
        data["why_not"] = signal.why_not
    if signal.threshold is not None:
        data["threshold"] = signal.threshold.pk
    return WarningFigure.objects.create(
        warning=w,
        year=signal.month.year,
        month=signal.month.month,
        value=signal.value,
        compared=None if signal.compared is None else round_ratio(signal.compared),
        threshold_value=None if signal.bound is None else round_ratio(signal.bound),
        level=signal.level or "",
        affected=signal.affected,
        data_to=signal.data_to,
        trace=signal.trace,
        data=data,
        place_month_id=signal.rows[-1] if signal.rows else None,
        noted_at=timezone.now(),
    )
