"""Which threshold holds where, what one would have done, what history suggests."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal

from django.db.models import Q

from core.models import FundType, Membership, PoolingArea
from core.models.places import valid_on
from monitoring.models import Basis, PlaceKind, PlaceMonth, Threshold, ThresholdStatus
from monitoring.reading.figures import Figure, figures
from monitoring.reading.judging import PACE_GAP, concerns, judge_all, narrowest, places_of_area
from monitoring.reading.peers import peer_history
from monitoring.reading.places import PlaceRef, ref_of
from rules.indicators import BY_KEY
from rules.money import round_ratio
from rules.periods import Month
from rules.spans import QUARTER, Span
from rules.warnings import LEVEL_NAMES, exact_value, shown

LOOK_BACK, PEER_LOOK_BACK = 24, 6
FEWEST = 20
MOST_PLACES = 60
QUANTILES = (Decimal("0.80"), Decimal("0.90"), Decimal("0.95"))
NAMED = 5


@dataclass(frozen=True)
class Breach:
    """``level`` is yellow, orange or red."""

    place: PlaceRef
    fund_type: str
    figure: Figure
    compared: Decimal | None
    level: str


@dataclass(frozen=True)
class Preview:
    """What a threshold would have done in one month. ``judged`` counts figures (places × funds) that could be judged,
    ``breaches`` are those of the places the caller may name;
    ``everywhere``: every one of them is in breach, and they are those of two places at least."""

    places: int
    judged: int
    breaches: tuple[Breach, ...]
    everywhere: bool
    text: str


@dataclass(frozen=True)
class Suggestion:
    """Levels in the terms of the basis; ``relative`` as the threshold's field of that name is to be set."""

    yellow: Decimal
    orange: Decimal
    red: Decimal
    sample: int
    text: str
    relative: bool = False


def in_force(
    places: Sequence[PlaceRef], on: date, *, trial: bool = False
) -> dict[tuple[PlaceRef, str], list[Threshold]]:
    """By place and fund type the thresholds that hold on a day, the narrower in place of the wider; two queries.

    What was ended later held until then. ``trial``: those on trial since then instead.
    """
    rows = Threshold.objects.filter(pooling_area__in={place.area for place in places}).order_by("pk")
    if trial:
        rows = rows.filter(status=ThresholdStatus.TRIAL, valid_from__lte=on)
    else:
        approved = Q(status__in=(ThresholdStatus.LIVE, ThresholdStatus.ENDED), decided_at__isnull=False)
        rows = rows.filter(approved, valid_on(on))
    held = list(rows)
    if not held:
        return {}
    alliances = _alliances(places, on)
    found: dict[tuple[PlaceRef, str], list[Threshold]] = {}
    for place in places:
        for fund in FundType.values:
            mine = narrowest(row for row in held if concerns(row, place, fund, alliances.get(place.key)))
            if mine:
                found[place, fund] = mine
    return found


def threshold_for(place: PlaceRef, fund_type: str, indicator: str, on: date) -> list[Threshold]:
    """What holds for one indicator of one place, the narrowest of each basis and span."""
    held = in_force([place], on).get((place, fund_type), [])
    return [threshold for threshold in held if threshold.indicator == indicator]


def latest_month(threshold: Threshold) -> Month | None:
    """The newest month there are whole data for at the threshold's kind of place (a quarter's end where it asks so)."""
    rows = PlaceMonth.objects.current().filter(
        pooling_area=threshold.pooling_area_id, kind=threshold.kind, declared=True
    )
    if threshold.span == QUARTER:
        rows = rows.filter(month__in=(3, 6, 9, 12))
    found = rows.order_by("-year", "-month").values_list("year", "month").first()
    return Month(*found) if found else None


def preview(threshold: Threshold, month: Month, named: Collection[str] | None = None) -> Preview:
    """What the threshold (saved or not) would have said for the month at every place it is about.

    ``named`` are the keys of the places that ``breaches`` and ``text`` may name (None: all); all of them are counted.
    """
    if threshold.span == QUARTER and month.month % 3:
        month = month.quarter.previous().months[2]
    places = _scope(threshold, month)
    funds = [threshold.fund_type] if threshold.fund_type else list(FundType.values)
    rows = judge_all({(place, fund): [threshold] for place in places for fund in funds}, month)
    judged = [row for row in rows if row.level is not None]
    breaches = tuple(
        Breach(row.place, row.fund_type, row.figure, row.compared, row.level) for row in judged if row.level
    )
    everywhere = len(breaches) == len(judged) and len({row.place for row in judged}) > 1
    shown = tuple(one for one in breaches if named is None or one.place.key in named)
    text = _preview_text(threshold, month, places, judged, len(breaches), shown, everywhere)
    return Preview(len(places), len(judged), shown, everywhere, text)


def suggestions(
    area: PoolingArea, indicator: str, kind: str, fund_type: str, basis: str, span: str, above: bool, month: Month
) -> Suggestion | None:
    """Levels that 20, 10 and 5 % of the last months' values would have passed; None from fewer than 20 values.

    With many places an even choice of them is read. ``fund_type`` empty: both.
    """
    places = _places(area.pk, kind, month)
    step = max(1, -(-len(places) // MOST_PLACES))
    chosen = sorted(places, key=lambda place: place.code)[::step]
    funds = [fund_type] if fund_type else list(FundType.values)
    relative = basis in (Basis.LAST_YEAR, Basis.PEERS) and BY_KEY[indicator].unit not in ("ratio", "points")
    values = sorted(_history(chosen, indicator, funds, basis, span, month, relative), reverse=not above)
    if len(values) < FEWEST:
        return None
    levels = [round_ratio(values[int((share * len(values)).to_integral_value(ROUND_CEILING)) - 1]) for share in QUANTILES]
    which = f"{len(chosen)} 个地方（共 {len(places)} 个，等距抽取）" if step > 1 else f"{len(chosen)} 个地方"
    words = (
        f"近 {_look_back(chosen, basis)} 个月 {which}共 {len(values)} 个值："
        f"分别约有 20%、10%、5% 的值{'高于' if above else '低于'}黄、橙、红线。"
    )
    return Suggestion(levels[0], levels[1], levels[2], len(values), words, relative)


def _history(
    places: Sequence[PlaceRef], indicator: str, funds: list[str], basis: str, span: str, month: Month, relative: bool
) -> list[Decimal]:
    months = [month.plus(-back) for back in range(_look_back(places, basis))]
    if span == QUARTER:
        months = [one for one in months if one.month % 3 == 0]
    spans = [Span.of(span, one) for one in months]
    asked = set(spans)
    if basis == Basis.LAST_YEAR:
        asked |= {one.year_before() for one in spans}
    keys = {indicator, PACE_GAP} if basis == Basis.PACE else {indicator}
    medians = peer_history(places, spans, indicator, funds) if basis == Basis.PEERS else {}
    found = figures(places, sorted(asked), keys, funds)

    def value_of(place: PlaceRef, fund: str, one: Span) -> Decimal | None:
        return exact_value(found[place.key, fund, one][indicator].reading)

    values: list[Decimal] = []
    for one in spans:
        for fund in funds:
            known = {place: value for place in places if (value := value_of(place, fund, one)) is not None}
            for place, value in known.items():
                compared: Decimal | None = None
                if basis == Basis.PACE:
                    gap = found[place.key, fund, one][PACE_GAP].value
                    if gap is not None:
                        values.append(gap)
                    continue
                if basis == Basis.ABSOLUTE:
                    values.append(value)
                    continue
                if basis == Basis.LAST_YEAR:
                    compared = value_of(place, fund, one.year_before())
                else:
                    compared = medians.get((place.key, fund, one))
                if compared is not None and (compared > 0 or not relative):
                    values.append(value / compared - 1 if relative else value - compared)
    return values


def _look_back(places: Sequence[PlaceRef], basis: str) -> int:
    """How many months history is read for; fewer beside peers, who are many where institutions are compared."""
    many = basis == Basis.PEERS and any(place.kind == PlaceKind.INSTITUTION for place in places)
    return PEER_LOOK_BACK if many else LOOK_BACK


def _alliances(places: Sequence[PlaceRef], on: date) -> dict[str, int]:
    """The alliance each place is or belongs to on a day, by place key."""
    found = {place.key: place.pk for place in places if place.kind == PlaceKind.ALLIANCE}
    houses = {place.pk: place.key for place in places if place.kind == PlaceKind.INSTITUTION}
    if houses:
        rows = Membership.objects.on(on).filter(institution__in=list(houses))
        found |= {houses[house]: alliance for house, alliance in rows.values_list("institution", "alliance")}
    return found


def _places(area: int, kind: str, month: Month) -> list[PlaceRef]:
    if kind == PlaceKind.CITY:
        return [ref_of(PoolingArea.objects.get(pk=area))]
    return places_of_area(area, kind, month)


def _scope(threshold: Threshold, month: Month) -> list[PlaceRef]:
    """The places a threshold is about."""
    places = _places(threshold.pooling_area_id, threshold.kind, month)
    alliances = _alliances(places, month.last_day) if threshold.alliance_id is not None else {}
    return [
        place
        for place in places
        if (threshold.county_id is None or threshold.county_id == place.county)
        and (threshold.alliance_id is None or threshold.alliance_id == alliances.get(place.key))
    ]


def _preview_text(
    threshold: Threshold,
    month: Month,
    places: Sequence[PlaceRef],
    judged: Sequence[object],
    count: int,
    breaches: Sequence[Breach],
    everywhere: bool,
) -> str:
    kind = PlaceKind(threshold.kind).label
    if not judged:
        return f"{month}：{len(places)} 个{kind}都没有可判断的数据（未接入、规模不足或没有可比数），无法预览。"
    told = f"{month}：{len(places)} 个{kind}，可判断 {len(judged)} 项（险种分列），触发 {count} 项"
    if breaches:
        unit = BY_KEY[threshold.indicator].unit
        named = "、".join(
            f"{one.place}{FundType(one.fund_type).label} {shown(unit, one.figure.value or Decimal(0))}（{LEVEL_NAMES[one.level]}）"
            for one in breaches[:NAMED]
        )
        told += f"：{named}{' 等' if count > min(NAMED, len(breaches)) else ''}"
    return f"{told}。" + ("所有可判断的地方都会触发，等于没有区分，请核对数值和单位。" if everywhere else "")
