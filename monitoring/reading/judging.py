"""Figures held against thresholds, for many places at once. Writes nothing; the month's evaluation and previews use it.

Four queries of figures whatever the number of places (the peers of a threshold against peers come beside).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum

from core.models import Alliance, County, Institution, InstitutionKind
from monitoring.models import Basis, PlaceKind, PlaceMonth, Threshold
from monitoring.reading.figures import Figure, Key, figures
from monitoring.reading.peers import least_for, peer_medians
from monitoring.reading.places import PlaceRef, ref_of
from rules.indicators import BY_KEY
from rules.periods import Month
from rules.spans import QUARTER, Span
from rules.warnings import RANK, Judgement, Levels, exact_value, judge_reading

PACE_GAP = "pace_gap"


@dataclass(frozen=True)
class Judged:
    """One figure against one threshold. ``why_not`` is filled when it could not be judged: no value, too small, ..."""

    place: PlaceRef
    fund_type: str
    threshold: Threshold
    figure: Figure
    compared: Decimal | None
    judgement: Judgement
    why_not: str = ""

    @property
    def level(self) -> str | None:
        """None: not judged."""
        return None if self.why_not else self.judgement.level


def levels_of(threshold: Threshold) -> Levels:
    return Levels(
        threshold.basis,
        threshold.above,
        threshold.relative,
        threshold.yellow,
        threshold.orange,
        threshold.red,
        threshold.clause,
    )


def is_due(threshold: Threshold, month: Month) -> bool:
    """Whether the threshold's span ends with the month."""
    return threshold.span != QUARTER or month.month % 3 == 0


def judge_all(
    wanted: Mapping[tuple[PlaceRef, str], Sequence[Threshold]], month: Month, keep: Collection[tuple[str, str]] = ()
) -> list[Judged]:
    """Every threshold of every (place, fund type) for the spans that end with the month.

    Of providers too small for a threshold nothing is worked out, unless (place key, fund type) is in ``keep``.
    """
    due = {
        key: [threshold for threshold in thresholds if is_due(threshold, month)] for key, thresholds in wanted.items()
    }
    due = _large_enough(due, month, keep)
    found: dict[Key, dict[str, Figure]] = {}
    peers: dict[tuple[str, str, str, str], Decimal | None] = {}
    by_kind: dict[str, list[tuple[PlaceRef, str]]] = defaultdict(list)
    for place, fund in due:
        if due[place, fund]:
            by_kind[place.kind].append((place, fund))
    for keys in by_kind.values():
        rules = {threshold.pk: threshold for key in keys for threshold in due[key]}.values()
        spans = {Span.of(rule.span, month) for rule in rules}
        spans |= {Span.of(rule.span, month).year_before() for rule in rules if rule.basis == Basis.LAST_YEAR}
        names = {rule.indicator for rule in rules}
        if any(rule.basis == Basis.PACE for rule in rules):
            names.add(PACE_GAP)
        places = sorted({place for place, _fund in keys}, key=lambda place: place.key)
        found |= figures(places, sorted(spans), names, sorted({fund for _place, fund in keys}))
        for rule in rules:
            if rule.basis == Basis.PEERS:
                span = Span.of(rule.span, month)
                medians = peer_medians(places, span, [rule.indicator])
                peers |= {(*key, str(span)): value for key, value in medians.items()}
    return [
        _judged(place, fund, threshold, found, peers, month)
        for (place, fund), thresholds in due.items()
        for threshold in thresholds
    ]


def worst(judged: Sequence[Judged], kept: int | None = None) -> Judged:
    """The gravest of several judgements of one cause; among equals the threshold ``kept``, then the oldest."""
    return min(
        judged,
        key=lambda row: (row.level is None, -RANK[row.level or ""], row.threshold.pk != kept, row.threshold.pk),
    )


def narrowest(thresholds: Iterable[Threshold]) -> list[Threshold]:
    """Of the thresholds that concern one place and fund: one per indicator, basis and span, the narrowest."""
    chosen: dict[tuple[str, str, str], Threshold] = {}
    for threshold in sorted(thresholds, key=lambda row: (_narrow(row), row.valid_from, row.pk)):
        chosen[threshold.indicator, threshold.basis, threshold.span] = threshold
    return sorted(chosen.values(), key=lambda row: row.pk)


def concerns(threshold: Threshold, place: PlaceRef, fund_type: str, alliance: int | None) -> bool:
    """Whether a threshold is about this place at all. ``alliance``: the one the place is or belongs to."""
    if threshold.pooling_area_id != place.area or threshold.kind != place.kind:
        return False
    if threshold.fund_type not in ("", fund_type):
        return False
    if threshold.county_id is not None and threshold.county_id != place.county:
        return False
    return threshold.alliance_id is None or threshold.alliance_id == alliance


def places_of_area(area: int, kind: str, month: Month) -> list[PlaceRef]:
    """Every place of a kind in a pooling area in the month, whoever asks."""
    if kind == PlaceKind.COUNTY:
        rows = County.objects.on(month.last_day).filter(pooling_area=area).select_related("pooling_area")
        return [ref_of(row) for row in rows]
    if kind == PlaceKind.ALLIANCE:
        alliances = Alliance.objects.on(month.last_day).filter(county__pooling_area=area)
        return [ref_of(row) for row in alliances.select_related("county__pooling_area")]
    institutions = Institution.objects.filter(county__pooling_area=area).exclude(kind=InstitutionKind.PHARMACY)
    return [ref_of(row) for row in institutions.select_related("county__pooling_area")]


def _large_enough(
    due: dict[tuple[PlaceRef, str], list[Threshold]], month: Month, keep: Collection[tuple[str, str]]
) -> dict[tuple[PlaceRef, str], list[Threshold]]:
    """Without the thresholds providers are too small for: a county has many clinics; one query a span."""
    houses = {key: rules for key, rules in due.items() if key[0].kind == PlaceKind.INSTITUTION}
    bases: dict[Span, set[str]] = defaultdict(set)
    for rules in houses.values():
        for rule in rules:
            if rule.min_volume > 0:
                bases[Span.of(rule.span, month)].add(BY_KEY[rule.indicator].volume)
    volumes: dict[tuple[Span, str, str], dict[str, Decimal | None]] = {}
    for span, names in bases.items():
        rows = PlaceMonth.objects.current().filter(
            place__in={place.key for place, _fund in houses}, year=span.year,
            month__gte=span.first.month, month__lte=span.last.month,
        )  # fmt: skip
        keys = sorted(names)
        totals = {f"sum_{name}": Sum(name) for name in keys}
        grouped = rows.order_by().values("place", "fund_type").annotate(**totals)
        for house, fund, *sums in grouped.values_list("place", "fund_type", *totals):
            volumes[span, house, fund] = dict(zip(keys, sums, strict=True))

    def fits(place: PlaceRef, fund: str, rule: Threshold) -> bool:
        if rule.min_volume <= 0 or (place.key, fund) in keep:
            return True
        held = volumes.get((Span.of(rule.span, month), place.key, fund), {})
        volume = held.get(BY_KEY[rule.indicator].volume)
        return volume is not None and volume >= rule.min_volume

    return due | {key: [rule for rule in rules if fits(*key, rule)] for key, rules in houses.items()}


def _narrow(threshold: Threshold) -> tuple[int, int]:
    place = 2 if threshold.alliance_id is not None else 1 if threshold.county_id is not None else 0
    return place, int(bool(threshold.fund_type))


def _judged(
    place: PlaceRef,
    fund: str,
    threshold: Threshold,
    found: Mapping[Key, Mapping[str, Figure]],
    peers: Mapping[tuple[str, str, str, str], Decimal | None],
    month: Month,
) -> Judged:
    span = Span.of(threshold.span, month)
    figure = found[place.key, fund, span][threshold.indicator]
    compared: Decimal | None = None
    missing = ""
    if figure.value is None:
        missing = figure.missing
    elif threshold.basis == Basis.LAST_YEAR:
        before = found[place.key, fund, span.year_before()][threshold.indicator]
        compared, missing = exact_value(before.reading), f"上年同期：{before.missing}" if before.value is None else ""
    elif threshold.basis == Basis.PACE:
        gap = found[place.key, fund, span][PACE_GAP]
        compared = None if gap.value is None else figure.value - gap.value
        missing = gap.missing
    elif threshold.basis == Basis.PEERS:
        compared = peers.get((place.key, fund, threshold.indicator, str(span)))
        missing = f"有数的同类不足 {least_for(place.kind)} 个，不能与中位数比。" if compared is None else ""
    if not missing and threshold.min_volume > 0:
        volume = figure.reading.volume
        if volume is None or volume < threshold.min_volume:
            missing = f"规模 {volume if volume is not None else '未知'} 低于最小规模 {threshold.min_volume.normalize():f}，不判断。"
    if missing:
        empty = Judgement("", None, None, None, figure.reading.trace, missing)
        return Judged(place, fund, threshold, figure, compared, empty, missing)
    judgement = judge_reading(figure.reading, compared, levels_of(threshold))
    return Judged(place, fund, threshold, figure, compared, judgement, judgement.cannot)
