"""A place beside its peers: alliances and counties of the same fund, institutions of the same kind.

A group is everything alike in the pooling area, peers are the others of it; a kind of institution that the area has very
many of (village clinics) is compared within its county. People of hospitals see of their peers the median and the
quartiles only, and these only when at least five peers stand behind them; thresholds against peers, whose warnings go to
hospitals, keep to the same number.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count

from core.access import BUREAU_ROLES, has_any_role
from core.kept import kept
from core.models import Alliance, County, FundType, Institution, InstitutionKind, Membership, Role
from monitoring.models import PlaceKind
from monitoring.reading.figures import figures
from monitoring.reading.places import PlaceRef
from rules.indicators import BY_KEY, Better
from rules.money import round_fen, round_ratio
from rules.spans import Span

LEAST_VALUES = 3
LEAST_PEERS = 5
MOST_IN_AREA = 300


@dataclass(frozen=True)
class Group:
    """What is compared with each other; ``county`` None: in the whole pooling area. A city has no peers (kind city)."""

    kind: str
    area: int
    institution_kind: str = ""
    county: int | None = None

    @property
    def text(self) -> str:
        """同统筹区医共体, 同县乡镇卫生院."""
        if self.kind == PlaceKind.INSTITUTION:
            return f"同{'统筹区' if self.county is None else '县'}{InstitutionKind(self.institution_kind).label}"
        return f"同统筹区{PlaceKind(self.kind).label}"


@dataclass(frozen=True)
class PeerStats:
    """``known`` peers stand behind the quartiles; ``rank`` 1 is the best of all with the place itself."""

    group: Group
    known: int
    median: Decimal | None
    low: Decimal | None
    high: Decimal | None
    rank: int | None


def sees_peers(user: Any) -> bool:
    """Whether a person may know peers beyond their median and quartiles: posts of the bureau and observers."""
    return has_any_role(user, BUREAU_ROLES | {Role.OBSERVER})


def groups_of(places: Sequence[PlaceRef]) -> dict[str, Group]:
    """The group of each place by its key; one query if there are institutions among them."""
    kinds = {(place.area, place.institution_kind) for place in places if place.kind == PlaceKind.INSTITUTION}
    many: set[tuple[int, str]] = set()
    if kinds:
        held = Institution.objects.filter(
            county__pooling_area__in={area for area, _kind in kinds}, kind__in={kind for _area, kind in kinds}
        ).order_by()
        counted = held.values_list("county__pooling_area", "kind").annotate(number=Count("pk"))
        many = {(area, kind) for area, kind, number in counted if number > MOST_IN_AREA}
    return {
        place.key: Group(
            place.kind,
            place.area,
            place.institution_kind,
            place.county if (place.area, place.institution_kind) in many else None,
        )
        for place in places
    }


def members_of(group: Group, on: date) -> list[PlaceRef]:
    """Every place of a group on a day, whoever asks: only sums of many of them may be shown. One query."""
    if group.kind == PlaceKind.COUNTY:
        found = County.objects.on(on).filter(pooling_area=group.area).values_list("pk", "code", "name")
        return [PlaceRef(group.kind, pk, code, name, group.area, pk) for pk, code, name in found]
    if group.kind == PlaceKind.ALLIANCE:
        alliances = Alliance.objects.on(on).filter(county__pooling_area=group.area)
        rows = alliances.values_list("pk", "code", "name", "county")
        return [PlaceRef(group.kind, pk, code, name, group.area, county) for pk, code, name, county in rows]
    if group.kind == PlaceKind.INSTITUTION:
        members = Membership.objects.on(on).values("institution")
        held = Institution.objects.filter(
            county__pooling_area=group.area, kind=group.institution_kind, pk__in=members
        )
        if group.county is not None:
            held = held.filter(county=group.county)
        return [
            PlaceRef(group.kind, pk, code, name, group.area, county, group.institution_kind)
            for pk, code, name, county in held.values_list("pk", "code", "name", "county")
        ]
    return []


def group_values(group: Group, span: Span, keys: Collection[str], fund: str) -> Mapping[str, Mapping[str, Decimal]]:
    """Indicator → place key → value, of every member that has one. Kept in memory for pages that read."""
    wanted = tuple(sorted(key for key in keys if group.kind in BY_KEY[key].places))

    def values() -> dict[str, dict[str, Decimal]]:
        members = members_of(group, span.last.last_day)
        found: dict[str, dict[str, Decimal]] = {key: {} for key in wanted}
        for (place, _fund, _span), readings in figures(members, [span], wanted, [fund]).items():
            for key, figure in readings.items():
                if figure.value is not None:
                    found[key][place] = figure.value
        return found

    if group.kind == PlaceKind.CITY or not wanted:
        return {}
    return kept("peer values", (group, span, wanted, fund), values)


def peer_medians(
    places: Sequence[PlaceRef], span: Span, keys: Collection[str], funds: Iterable[str] = FundType.values
) -> dict[tuple[str, str, str], Decimal | None]:
    """The median of each place's peers by (place key, fund type, indicator); None where too few stand behind it."""
    groups = groups_of(places)
    found: dict[tuple[str, str, str], Decimal | None] = {}
    for fund in funds:
        for group in set(groups.values()):
            values = group_values(group, span, keys, fund)
            mine = [place.key for place in places if groups[place.key] == group]
            for key in keys:
                medians = _medians(group, key, mine, values.get(key, {}))
                found |= {(place, fund, key): median for place, median in medians.items()}
    return found


def peer_history(
    places: Sequence[PlaceRef], spans: Sequence[Span], key: str, funds: Collection[str]
) -> dict[tuple[str, str, Span], Decimal | None]:
    """The same medians of one indicator for many spans, by (place key, fund type, span): each group is read once."""
    groups = groups_of(places)
    found: dict[tuple[str, str, Span], Decimal | None] = {}
    for group in set(groups.values()):
        members = {span: {one.key: one for one in members_of(group, span.last.last_day)} for span in spans}
        everybody = {name: one for held in members.values() for name, one in held.items()}
        held = figures(list(everybody.values()), spans, [key], funds)
        mine = [place.key for place in places if groups[place.key] == group]
        for span in spans:
            for fund in funds:
                values = {one: held[(one, fund, span)][key].value for one in members[span]}
                known = {one: value for one, value in values.items() if value is not None}
                found |= {(one, fund, span): median for one, median in _medians(group, key, mine, known).items()}
    return found


def least_for(kind: str) -> int:
    """How many peers must stand behind a median that a place of the kind is judged by: counties are read by the bureau only."""
    return LEAST_VALUES if kind == PlaceKind.COUNTY else LEAST_PEERS


def _medians(group: Group, key: str, places: Sequence[str], values: Mapping[str, Decimal]) -> dict[str, Decimal | None]:
    """By place key the median of the others; None where too few have a value."""
    least = least_for(group.kind)
    ranked = sorted(values.values())
    found: dict[str, Decimal | None] = {}
    for place in places:
        others = _without(ranked, values.get(place))
        found[place] = quantile(key, others, 2) if len(others) >= least else None
    return found


def peer_stats(user: Any, place: PlaceRef, span: Span, keys: Collection[str], fund: str) -> dict[str, PeerStats]:
    """Median, quartiles and own rank per indicator; what the person may not know or too few stand behind is None."""
    if place.kind == PlaceKind.CITY:
        return {}
    group = groups_of([place])[place.key]
    values = group_values(group, span, keys, fund)
    least = LEAST_VALUES if sees_peers(user) else LEAST_PEERS
    found: dict[str, PeerStats] = {}
    for key, by_place in values.items():
        ranked, own = sorted(by_place.values()), by_place.get(place.key)
        others = _without(ranked, own)
        if len(others) < least:
            found[key] = PeerStats(group, len(others), None, None, None, None)
            continue
        low, median, high = (quantile(key, others, part) for part in (1, 2, 3))
        found[key] = PeerStats(group, len(others), median, low, high, rank_of(key, own, ranked))
    return found


def _without(ranked: Sequence[Decimal], own: Decimal | None) -> list[Decimal]:
    """Sorted values less the place's own: the peers are the others."""
    others = list(ranked)
    if own is not None:
        others.remove(own)
    return others


def rank_of(key: str, own: Decimal | None, known: Sequence[Decimal]) -> int | None:
    """1 for the best; the same value has the same rank. For an indicator without direction the highest is first."""
    if own is None:
        return None
    if BY_KEY[key].better == Better.LOW:
        return 1 + sum(1 for value in known if value < own)
    return 1 + sum(1 for value in known if value > own)


def quantile(key: str, known: Sequence[Decimal], part: int) -> Decimal:
    """The ``part``-th quarter (1 to 3) of sorted values, between two neighbours in proportion; rounded as the unit is."""
    at = Decimal(part * (len(known) - 1)) / 4
    below = int(at)
    above = min(below + 1, len(known) - 1)
    value = known[below] + (known[above] - known[below]) * (at - below)
    return round_fen(value) if BY_KEY[key].unit == "yuan" else round_ratio(value)
