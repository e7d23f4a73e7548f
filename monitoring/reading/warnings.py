"""Warnings as lists show them: filtered, sorted, with their newest figure; who waits for whom. Scope is asked here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from core.access import has_any_role
from core.models import Role, RoleGrant
from core.models.places import valid_on
from core.scope import Scope, scope_of
from core.templatetags.fund import BLANK, percent, points, yuan
from monitoring.models import Level, Warning, WarningFigure, WatchEntry
from monitoring.models.warnings import WarningQuerySet
from monitoring.states import OPEN_STATES, WAITING_FOR_HOSPITAL, WarningState
from rules.indicators import BY_KEY
from rules.periods import Month

OPEN, WAITING = "open", "waiting"
RANKS = {Level.YELLOW: 1, Level.ORANGE: 2, Level.RED: 3}
STATE_RANKS = {state: number for number, state in enumerate(WarningState.values)}
SORTS = ("number", "level", "place", "fund", "state", "due", "raised", "indicator")
SUFFIXES = {"days": " 日", "months": " 个月", "number": ""}
OTHER_CAUSES = {"distress": "基金出险", "manual": "人工发起"}
PLACE_NAME = Coalesce("institution__name", "alliance__name", "county__name", "pooling_area__name")
TO_DECIDE = Q(state__in=(WarningState.RAISED, WarningState.ANSWERED))
"""What an officer must do: send what was raised, judge what was answered."""


@dataclass(frozen=True)
class WarningRow:
    """One warning with its newest figure that has a value (else its newest), as a line of a list."""

    warning: Warning
    figure: WarningFigure | None
    today: date

    @property
    def value(self) -> str:
        return shown_value(self.warning, self.figure.value if self.figure else None)

    @property
    def month(self) -> Month | None:
        """The month the value is of; None while there is none."""
        return Month(self.figure.year, self.figure.month) if self.figure and self.figure.value is not None else None

    @property
    def limit(self) -> str:
        """Where the breached level begins, in the indicator's unit."""
        return shown_value(self.warning, self.figure.threshold_value if self.figure else None)

    @property
    def rule_text(self) -> str:
        """The breached level as the rule words it: 高于上年同期 8.00%."""
        rule = self.warning.threshold
        return against(rule, getattr(rule, self.warning.level)) if rule is not None else ""

    @property
    def affected(self) -> Decimal | None:
        return self.figure.affected if self.figure else None

    @property
    def data_to(self) -> date | None:
        return self.figure.data_to if self.figure else None

    @property
    def indicator(self) -> str:
        return cause_text(self.warning)

    @property
    def is_overdue(self) -> bool:
        return is_overdue(self.warning, self.today)

    @property
    def url(self) -> str:
        return self.warning.get_absolute_url()


@dataclass(frozen=True)
class Tally:
    """How many warnings of a selection stand at each level (open ones) and in each state; how many are overdue."""

    levels: Mapping[str, int]
    states: Mapping[str, int]
    overdue: int
    affected: Decimal | None

    @property
    def open(self) -> int:
        return sum(number for state, number in self.states.items() if state in OPEN_STATES)


def told(key: str, value: Decimal | None) -> str:
    """A value of an indicator in its own unit."""
    if value is None:
        return BLANK
    unit = BY_KEY[key].unit if key in BY_KEY else "number"
    if unit == "ratio":
        return percent(value)
    if unit == "points":
        return points(value)
    if unit == "yuan":
        return f"{yuan(value)} 元"
    shown = f"{value:.2f}"
    return f"{shown}{SUFFIXES[unit]}"


def shown_value(warning: Warning, value: Decimal | None) -> str:
    """A figure of a warning: the indicator's unit, or yuan of a fund's balance."""
    if warning.source == "distress" and value is not None:
        return f"{yuan(value)} 元"
    return told(warning.indicator, value)


def against(rule: Any, value: Decimal | None) -> str:
    """A level of a rule in words: 高于上年同期 8.00%, 低于同类中位数 2.00 个百分点."""
    if value is None:
        return BLANK
    way = "高于" if rule.above else "低于"
    if rule.basis == "absolute":
        return f"{way} {told(rule.indicator, value)}"
    size = abs(value)
    if rule.relative:
        shown = percent(size)
    elif rule.indicator in BY_KEY and BY_KEY[rule.indicator].unit in ("ratio", "points"):
        shown = points(size).lstrip("+")
    else:
        shown = told(rule.indicator, size)
    base = {"last_year": "上年同期", "peers": "同类中位数", "pace": "序时进度"}[rule.basis]
    if value < 0:
        way = "低于"
    return f"{way}{base} {shown}"


def cause_text(warning: Warning) -> str:
    """What the warning is about: the indicator's name, or distress, or raised by hand."""
    if warning.indicator in BY_KEY:
        return BY_KEY[warning.indicator].label
    return OTHER_CAUSES.get(warning.cause, warning.get_source_display())


def is_overdue(warning: Warning, today: date) -> bool:
    return warning.is_open and warning.due_on is not None and warning.due_on < today


def seen_by(user: Any) -> WarningQuerySet:
    """What the user may see, with its places."""
    return Warning.objects.visible_to(user).with_places()


def chosen(user: Any, wanted: Mapping[str, Any], sort: str = "") -> WarningQuerySet:
    """The warnings of a filter, sorted."""
    today = timezone.localdate()
    found: WarningQuerySet = seen_by(user)
    state = wanted.get("state") or ""
    if state == OPEN:
        found = found.open()
    elif state == WAITING:
        found = found.filter(waiting_of(user))
    elif state:
        found = found.filter(state=state)
    for name in ("level", "fund_type"):
        if wanted.get(name):
            found = found.filter(**{name: wanted[name]})
    if cause := wanted.get("cause"):
        found = found.filter(source="manual") if cause == "manual" else found.filter(cause=cause)
    place = wanted.get("place") or ""
    if place:
        level = {"P": "pooling_area", "C": "county", "A": "alliance", "I": "institution"}.get(place[:1])
        found = found.filter(**{level: int(place[1:])}) if level else found.none()
    if wanted.get("overdue"):
        found = found.open().filter(due_on__lt=today)
    for word in (wanted.get("q") or "").split():
        found = found.filter(words(word))
    return sorted_by(found, sort)


def words(word: str) -> Q:
    """Number, title or place."""
    return (
        Q(number__icontains=word)
        | Q(title__icontains=word)
        | Q(institution__name__icontains=word)
        | Q(alliance__name__icontains=word)
        | Q(county__name__icontains=word)
    )


def sorted_by(found: WarningQuerySet, sort: str) -> WarningQuerySet:
    name, backwards = sort.lstrip("-"), sort.startswith("-")
    keys: dict[str, Any] = {
        "number": "number",
        "level": _ranked("level", RANKS),
        "place": PLACE_NAME,
        "fund": "fund_type",
        "state": _ranked("state", STATE_RANKS),
        "due": "due_on",
        "raised": "raised_at",
        "indicator": "cause",
    }
    if name not in SORTS:
        shut = Case(When(state=WarningState.CLOSED, then=Value(1)), default=Value(0), output_field=IntegerField())
        return found.order_by(shut, _ranked("level", RANKS).desc(), "-raised_at", "-pk")
    key = keys[name]
    if isinstance(key, str):
        return found.order_by(f"-{key}" if backwards else key, "-pk")
    return found.order_by(key.desc() if backwards else key.asc(), "-pk")


def _ranked(field: str, ranks: Mapping[Any, int]) -> Case:
    cases = [When(**{field: str(value)}, then=Value(rank)) for value, rank in ranks.items()]
    return Case(*cases, default=Value(0), output_field=IntegerField())


def with_figures(found: QuerySet[Warning] | Iterable[Warning]) -> list[WarningRow]:
    """Lines of the warnings with their figures: one query more than the warnings."""
    rows = list(found)
    newest = newest_figures(rows)
    today = timezone.localdate()
    return [WarningRow(row, newest.get(row.pk), today) for row in rows]


def newest_figures(warnings: Sequence[Warning]) -> dict[int, WarningFigure]:
    """The figure of each warning's newest month that has a value, as known last; one query.

    Where no month has a value that of the newest month.
    """
    of_each = WarningFigure.objects.filter(warning=OuterRef("pk")).alias(blank=Q(value__isnull=True))
    last = of_each.order_by("blank", "-year", "-month", "-pk").values("pk")[:1]
    pks = Warning.objects.filter(pk__in=[row.pk for row in warnings]).annotate(newest=Subquery(last)).values("newest")
    return {row.warning_id: row for row in WarningFigure.objects.filter(pk__in=pks)}


def tally(found: WarningQuerySet) -> Tally:
    """Counts of a selection: three queries."""
    plain = found.order_by()
    opened = plain.filter(state__in=OPEN_STATES)
    states = dict(plain.values_list("state").annotate(number=Count("pk")))
    levels = dict(opened.values_list("level").annotate(number=Count("pk")))
    overdue = opened.filter(due_on__lt=timezone.localdate()).count()
    return Tally(levels, states, overdue, None)


def waiting_of(user: Any) -> Q:
    """Which warnings wait for one of the user's posts, as a filter on what she sees; those whom the services ask.

    The hospital answers for its alliance. What has no alliance is answered by the county's own officer and decided by the
    city; the county's own officers decide about its alliances, the city where a county has none. The reviewer closes what
    has recovered.
    """
    asked = Q(pk__in=[])
    if has_any_role(user, {Role.HOSPITAL_FINANCE}):
        mine = scope_of(user, frozenset({Role.HOSPITAL_FINANCE}))
        asked |= Q(state__in=WAITING_FOR_HOSPITAL, alliance__in=mine.alliance)
    if has_any_role(user, {Role.FUND_OFFICER}):
        asked |= _officer_waiting(scope_of(user, frozenset({Role.FUND_OFFICER})))
    if has_any_role(user, {Role.FUND_REVIEWER}):
        mine = scope_of(user, frozenset({Role.FUND_REVIEWER}))
        near = Q(pooling_area__in=mine.pooling_area) | Q(county__in=mine.county, alliance__isnull=False)
        asked |= near & Q(state=WarningState.ACCEPTED, recovered=True)
    return asked


def _officer_waiting(mine: Scope) -> Q:
    held = RoleGrant.objects.filter(valid_on(timezone.localdate()), role=Role.FUND_OFFICER, user__is_active=True)
    staffed = Q(county__in=held.filter(county__isnull=False).values("county"))
    hospital, own = Q(alliance__isnull=False), Q(alliance__isnull=True)
    to_answer = Q(state__in=WAITING_FOR_HOSPITAL)
    county = Q(county__in=mine.county) & ((hospital & TO_DECIDE) | (own & to_answer))
    city = Q(pooling_area__in=mine.pooling_area) & (
        (own & TO_DECIDE) | (hospital & TO_DECIDE & ~staffed) | (own & to_answer & (~staffed | Q(county__isnull=True)))
    )
    return county | city


def waiting(user: Any) -> WarningQuerySet:
    """What waits for the user's post."""
    return Warning.objects.visible_to(user).filter(waiting_of(user))


def watched(user: Any, wanted: Mapping[str, Any], sort: str = "") -> QuerySet[WatchEntry]:
    """Watch entries of a filter, sorted."""
    found: QuerySet[WatchEntry] = (
        WatchEntry.objects.visible_to(user)
        .select_related("county", "county__pooling_area", "institution__county__pooling_area", "warning", "proposed_by", "decided_by")
    )  # fmt: skip
    for name in ("status", "consequence", "fund_type"):
        if wanted.get(name):
            found = found.filter(**{name: wanted[name]})
    if wanted.get("county"):
        found = found.filter(county__code=wanted["county"])
    for word in (wanted.get("q") or "").split():
        found = found.filter(Q(institution__name__icontains=word) | Q(warning__number__icontains=word) | Q(detail__icontains=word))
    name, backwards = sort.lstrip("-"), sort.startswith("-")
    keys = {
        "institution": "institution__name", "county": "county__code", "status": "status", "from": "valid_from",
        "consequence": "consequence",
    }  # fmt: skip
    return found.order_by(f"{'-' if backwards else ''}{keys[name]}", "-pk") if name in keys else found.order_by("-pk")
