"""Which places a person may open on the indicator pages, and what an address asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.http import Http404
from django.utils import timezone

from core.access import has_any_role, require_somewhere
from core.errors import Problem, Refused
from core.models import Alliance, FundType, Membership, Role
from core.models.places import Institution, valid_on
from core.scope import Scope, scope_of
from monitoring.models import PlaceKind, PlaceMonth
from monitoring.models.figures import FIGURE_READERS
from monitoring.reading.places import PlaceRef, place_of, ref_of, visible_places
from rules.errors import RuleError
from rules.indicators import BY_KEY, Indicator
from rules.periods import Month
from rules.spans import HALF, KINDS, LENGTHS, MONTH, QUARTER, TO_DATE, YEAR, Span

READ = "monitoring.read_figures"
HELD = {MONTH: 24, QUARTER: 8, HALF: 4, YEAR: 5, TO_DATE: 12}
CHILDREN = {
    PlaceKind.CITY: PlaceKind.COUNTY,
    PlaceKind.COUNTY: PlaceKind.ALLIANCE,
    PlaceKind.ALLIANCE: PlaceKind.INSTITUTION,
}
NOTHING_YET = "还没有监测数据。请基金经办在“数据接入”接收当月数据，月末处理完成后这里自动显示。"


@dataclass(frozen=True)
class Asked:
    """A fund type and a span; ``latest`` is the newest month held, None while there is nothing at all."""

    fund: str
    span: Span
    latest: Month | None

    @property
    def query(self) -> str:
        return f"fund={self.fund}&span={self.span}"


def need_reader(user: Any) -> None:
    """Raise ``NotAllowed`` for a person none of whose posts reads figures. Who has no post at all is told so by the pages."""
    if user.grants_on(timezone.localdate()) and not has_any_role(user, FIGURE_READERS):
        require_somewhere(user, READ)


def only_configures(user: Any) -> bool:
    """Whether the person administers and has no post that reads figures: of the warnings she sees the thresholds."""
    return has_any_role(user, {Role.ADMINISTRATOR}) and not has_any_role(user, FIGURE_READERS)


def seen_places(user: Any, kind: str, county: int | None = None) -> list[PlaceRef]:
    """The places of a kind the person sees today, by code. A hospital's former members are no longer hers."""
    houses = _own_institutions(user) if kind == PlaceKind.INSTITUTION else set()
    found = [place for place in visible_places(user, kind) if _covers(_scope(user), place, houses)]
    return [place for place in found if county is None or place.county == county]


def seen_place(user: Any, key: str) -> PlaceRef:
    """The place of a key such as A12; 404 where there is none or it is not the person's."""
    need_reader(user)
    place = ref_of(place_of(user, key))
    houses = _own_institutions(user) if place.kind == PlaceKind.INSTITUTION else set()
    if not _covers(_scope(user), place, houses):
        raise Http404("没有找到这个地方，或者它不在您的管理范围内。")
    return place


def _scope(user: Any) -> Scope:
    """Where the person's posts that read figures stand."""
    return scope_of(user, FIGURE_READERS)


def _covers(scope: Scope, place: PlaceRef, houses: set[int]) -> bool:
    """Whether a post at the place or above it reads it; ``houses`` are the person's own institutions."""
    if place.area in scope.pooling_area or place.county in scope.county:
        return True
    if place.kind == PlaceKind.ALLIANCE:
        return place.pk in scope.alliance
    return place.kind == PlaceKind.INSTITUTION and place.pk in houses


def _own_institutions(user: Any) -> set[int]:
    """Today's members of the person's alliances and her own institutions."""
    scope = _scope(user)
    if not scope.alliance and not scope.institution:
        return set()
    members = Membership.objects.filter(valid_on(timezone.localdate()), alliance__in=scope.alliance)
    return set(members.values_list("institution", flat=True)) | set(scope.institution)


def children_of(user: Any, place: PlaceRef, span: Span) -> list[PlaceRef]:
    """What a place is made of, as far as the person sees it: counties, alliances, members on the span's last day."""
    kind = CHILDREN.get(PlaceKind(place.kind))
    if kind is None:
        return []
    if kind == PlaceKind.COUNTY:
        return [one for one in seen_places(user, kind) if one.area == place.pk]
    if kind == PlaceKind.ALLIANCE:
        return seen_places(user, kind, place.pk)
    day = span.last.last_day
    alliance = Alliance.objects.visible_to(user).filter(pk=place.pk).first()
    if alliance is None:
        return []
    rows = Institution.objects.visible_to(user).members_of(alliance, day).select_related("county").order_by("code")
    return [ref_of(row) for row in rows]


def kinds_seen(user: Any) -> list[PlaceKind]:
    """The kinds of place the person has any of, from the widest; no query."""
    need_reader(user)
    scope = _scope(user)
    kinds = []
    if scope.pooling_area:
        kinds.append(PlaceKind.CITY)
    if scope.pooling_area or scope.county:
        kinds.append(PlaceKind.COUNTY)
    if scope.pooling_area or scope.county or scope.alliance:
        kinds.append(PlaceKind.ALLIANCE)
    if scope.pooling_area or scope.county or scope.alliance or scope.institution:
        kinds.append(PlaceKind.INSTITUTION)
    return kinds


def kind_of(user: Any, text: str, default: str = "") -> str:
    """The kind named in an address; :class:`Refused` for an unknown one, the widest seen when none is named."""
    seen = kinds_seen(user)
    if not text:
        return default or (seen[0] if seen else PlaceKind.ALLIANCE)
    if text not in PlaceKind.values:
        known = "、".join(f"{kind.value}（{kind.label}）" for kind in PlaceKind)
        raise Refused([Problem("层级", text, f"没有“{text}”这个层级。", f"可选：{known}。")])
    return text


def indicator_of(key: str) -> Indicator:
    """404 for a name that is no indicator."""
    if key not in BY_KEY:
        raise Http404(f"没有“{key[:40]}”这个指标。全部指标见“帮助 · 公式与条款”。")
    return BY_KEY[key]


def wanted_indicator(key: str, kind: str, default: str) -> Indicator:
    """The indicator of a filter: one the kind of place has."""
    chosen = BY_KEY.get(key or default)
    if chosen is None:
        raise Refused([Problem("指标", key, f"没有“{key[:40]}”这个指标。", "请在指标列表中选择，或见“帮助 · 公式与条款”。")])
    if kind not in chosen.places:
        where = "、".join(str(PlaceKind(one).label) for one in reversed(chosen.places))
        text = f"“{chosen.label}”没有{PlaceKind(kind).label}一级的数值。"
        raise Refused([Problem("指标", chosen.label, text, f"该指标适用于：{where}。请改选层级或指标。")])
    return chosen


def fund_of(text: str) -> str:
    if not text:
        return FundType.RESIDENT.value
    if text not in FundType.values:
        raise Refused([Problem("险种", text, f"没有“{text}”这个险种。", "可选：RES（居民）、EMP（职工）。两险种不合并计算。")])
    return text


def span_of(text: str, latest: Month | None) -> Span:
    """The span of an address, else January to ``latest``."""
    if not text:
        return Span.to_date(latest or Month.of(timezone.localdate()).previous())
    try:
        span = Span.parse(text)
    except RuleError as error:
        raise Refused(
            [Problem("期间", text, f"期间无效：“{text[:40]}”。", "请按 2026-09、2026Q3、2026H1、2026 或 2026M09 填写。")]
        ) from error
    if not 2000 <= span.year <= 2099:
        raise Refused([Problem("期间", text, f"{span.year} 年不在可查询的范围内。", "请选择 2000 至 2099 年之间的期间。")])
    return span


def asked(given: Any, latest: Month | None) -> Asked:
    """Fund type and span of an address, everything wrong told at once."""
    problems: list[Problem] = []
    fund, span = FundType.RESIDENT.value, None
    try:
        fund = fund_of(given.get("fund", ""))
    except Refused as refusal:
        problems += refusal.problems
    try:
        span = span_of(given.get("span", ""), latest)
    except Refused as refusal:
        problems += refusal.problems
    if problems or span is None:
        raise Refused(problems)
    return Asked(fund, span, latest)


def latest_month(user: Any, kind: str, place: PlaceRef | None = None) -> Month | None:
    """The newest month of the kind (of the place) the person sees; one query along an index."""
    held = PlaceMonth.objects.current().visible_to(user)
    held = held.filter(kind=kind) if place is None else held.filter(place=place.key)
    found = held.order_by("-year", "-month").values_list("year", "month").first()
    return Month(*found) if found else None


def default_end(user: Any, kind: str, places: Sequence[PlaceRef] = ()) -> Month | None:
    """Where a period ends that nobody named: the newest month whose data are all in, for every one of the places (of all
    of the kind the person sees), else the newest month held. A month under way would leave nearly every figure blank."""
    held = PlaceMonth.objects.current().visible_to(user).filter(kind=kind)
    if places:
        held = held.filter(place__in=[place.key for place in places])
    months = held.order_by("-year", "-month").values_list("year", "month")
    whole = months.annotate(partial=Count("pk", filter=Q(declared=False))).filter(partial=0)
    found = whole.values_list("year", "month").first() or months.first()
    return Month(*found) if found else None


def span_choices(latest: Month | None, chosen: Span) -> list[tuple[str, list[tuple[str, str]]]]:
    """Spans to choose from, grouped by kind, newest first; the chosen one is always among them."""
    end = max(latest or chosen.last, chosen.last) if latest is None else latest
    groups = []
    for kind in (TO_DATE, MONTH, QUARTER, HALF, YEAR):
        spans: list[Span] = []
        for number in range(HELD[kind]):
            step = 1 if kind == TO_DATE else LENGTHS[kind]
            spans.append(Span.of(kind, end.plus(-number * step)))
        if chosen.kind == kind and chosen not in spans:
            spans.append(chosen)
        groups.append((KINDS[kind], [(str(span), span.text) for span in sorted(set(spans), reverse=True)]))
    return groups


def names_of(places: Sequence[PlaceRef]) -> list[tuple[str, str]]:
    return [(place.key, place.name) for place in places]
