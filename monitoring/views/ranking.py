"""What the league and the heat map ask for: kind of place, county, indicator, fund type, period, text to look for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest
from django.utils import timezone

from core.access import Denied, NotAllowed
from core.models import InstitutionKind
from core.texts import whole
from monitoring.models import PlaceKind
from monitoring.reading import seen
from monitoring.reading.indicator_text import indicators_of
from monitoring.reading.places import PlaceRef
from rules.indicators import Indicator

DEFAULT = {PlaceKind.INSTITUTION: "inpatient_average"}


@dataclass(frozen=True)
class Chosen:
    """``total`` is the place above them all, where the person sees it and nothing narrows the rows to a part of it."""

    kind: str
    indicator: Indicator
    asked: seen.Asked
    places: list[PlaceRef]
    total: PlaceRef | None
    selects: list[tuple[str, str, Any]]
    values: dict[str, str]
    said: list[str]

    @property
    def kind_text(self) -> str:
        return str(PlaceKind(self.kind).label)


def chosen_of(request: HttpRequest) -> Chosen:
    """Everything the address chooses; wrong values are refused by name, foreign counties do not exist."""
    user: Any = request.user
    kinds = [kind for kind in seen.kinds_seen(user) if kind != PlaceKind.CITY]
    widest = PlaceKind.ALLIANCE if PlaceKind.ALLIANCE in kinds else PlaceKind.INSTITUTION
    kind = PlaceKind(seen.kind_of(user, request.GET.get("kind", ""), widest))
    indicator = seen.wanted_indicator(request.GET.get("indicator", ""), kind, DEFAULT.get(kind, "execution"))
    asked = seen.asked(request.GET, seen.latest_month(user, kind))
    county, counties = _county(request, kind, kinds)
    places = seen.seen_places(user, kind, county)
    everything = list(places)
    house = request.GET.get("house", "")
    if kind == PlaceKind.INSTITUTION and house in InstitutionKind.values:
        places = [place for place in places if place.institution_kind == house]
    text = request.GET.get("q", "").strip()
    if text:
        places = [place for place in places if text in place.name or text.upper() in place.code.upper()]
    values = {
        **request.GET.dict(), "kind": kind, "indicator": indicator.key, "fund": asked.fund, "span": str(asked.span),
        "county": str(county or ""),
    }  # fmt: skip
    selects: list[tuple[str, str, Any]] = [
        ("kind", "层级", [(one.value, one.label) for one in (kinds or [PlaceKind.ALLIANCE])]),
        ("indicator", "指标", [(one.key, one.label) for one in indicators_of(kind)]),
    ]
    if counties:
        first = [] if kind == PlaceKind.INSTITUTION else [("", "全部")]
        selects.append(("county", "县（区）", [*first, *((str(one.pk), one.name) for one in counties)]))
    if kind == PlaceKind.INSTITUTION:
        selects.append(("house", "类别", [("", "全部"), *InstitutionKind.choices]))
    said = [f"县（区）：{one.name}" for one in counties if one.pk == county]
    said += [f"类别：{InstitutionKind(house).label}"] if house in InstitutionKind.values and len(places) else []
    said += [f"查找：{text}"] if text else []
    total = _total(user, kind, county, everything) if len(places) == len(everything) else None
    return Chosen(kind, indicator, asked, places, total, selects, values, said)


def _county(request: HttpRequest, kind: PlaceKind, kinds: Sequence[PlaceKind]) -> tuple[int | None, list[PlaceRef]]:
    """The county asked for; institutions are always those of one county where the person sees several."""
    user: Any = request.user
    if kind == PlaceKind.COUNTY or PlaceKind.COUNTY not in kinds:
        return None, []
    counties = seen.seen_places(user, PlaceKind.COUNTY)
    given = request.GET.get("county", "")
    county = whole(given)
    if given and county not in {one.pk for one in counties}:
        raise Http404("没有找到这个县（区），或者它不在您的管理范围内。")
    if county is None and kind == PlaceKind.INSTITUTION and counties:
        county = counties[0].pk
    return county, counties if len(counties) > 1 else []


def _total(user: Any, kind: PlaceKind, county: int | None, places: list[PlaceRef]) -> PlaceRef | None:
    """The county's own row for its alliances and institutions, the city's for all."""
    if county is not None:
        return next((one for one in seen.seen_places(user, PlaceKind.COUNTY) if one.pk == county), None)
    areas = {place.area for place in places}
    if len(areas) != 1 or kind == PlaceKind.INSTITUTION:
        return None
    return next((one for one in seen.seen_places(user, PlaceKind.CITY) if one.pk in areas), None)


def export_place(request: HttpRequest) -> Any:
    """Where the download is noted: the place of the person's first post."""
    user: Any = request.user
    grant = next(iter(user.grants_on(timezone.localdate())), None)
    if grant is None:
        raise NotAllowed(Denied("您还没有岗位，没有可导出的内容。请系统管理员授予岗位。"))
    return grant.place
