"""The places figures are kept for, as pages and rules name them: city, county, alliance, institution."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import Http404

from core.models import Alliance, County, Institution, PoolingArea
from core.models.places import Place
from core.texts import whole
from monitoring.models import PlaceKind

LETTERS = {PlaceKind.CITY: "P", PlaceKind.COUNTY: "C", PlaceKind.ALLIANCE: "A", PlaceKind.INSTITUTION: "I"}
KINDS = {letter: kind for kind, letter in LETTERS.items()}
_MODELS: dict[str, Any] = {
    PlaceKind.CITY: PoolingArea, PlaceKind.COUNTY: County, PlaceKind.ALLIANCE: Alliance, PlaceKind.INSTITUTION: Institution,
}  # fmt: skip
_PLACES = {
    PlaceKind.CITY: (), PlaceKind.COUNTY: ("pooling_area",), PlaceKind.ALLIANCE: ("county__pooling_area",),
    PlaceKind.INSTITUTION: ("county__pooling_area",),
}  # fmt: skip


@dataclass(frozen=True)
class PlaceRef:
    """A place with the ids above it. ``key`` is what :class:`monitoring.models.PlaceMonth` stores (A12)."""

    kind: str
    pk: int
    code: str
    name: str
    area: int
    county: int | None = None
    institution_kind: str = ""

    @property
    def key(self) -> str:
        return f"{LETTERS[PlaceKind(self.kind)]}{self.pk}"

    @property
    def kind_text(self) -> str:
        return str(PlaceKind(self.kind).label)

    def __str__(self) -> str:
        return self.name


def ref_of(place: Place) -> PlaceRef:
    """The reference of a place of the registers."""
    if isinstance(place, PoolingArea):
        return PlaceRef(PlaceKind.CITY, place.pk, place.code, place.name, place.pk)
    if isinstance(place, County):
        return PlaceRef(PlaceKind.COUNTY, place.pk, place.code, place.name, place.pooling_area_id, place.pk)
    area = place.county.pooling_area_id
    if isinstance(place, Alliance):
        return PlaceRef(PlaceKind.ALLIANCE, place.pk, place.code, place.name, area, place.county_id)
    return PlaceRef(PlaceKind.INSTITUTION, place.pk, place.code, place.name, area, place.county_id, place.kind)


def visible_places(user: Any, kind: str) -> list[PlaceRef]:
    """Every place of a kind the user sees, by code; one query."""
    rows = _MODELS[kind].objects.visible_to(user).select_related(*_PLACES[PlaceKind(kind)]).order_by("code")
    return [ref_of(row) for row in rows]


def place_of(user: Any, key: str) -> Place:
    """The place of a key, 404 where there is none or it is not the user's."""
    kind, pk = KINDS.get(key[:1]), whole(key[1:])
    found = None
    if kind is not None and pk is not None:
        found = _MODELS[kind].objects.visible_to(user).select_related(*_PLACES[kind]).filter(pk=pk).first()
    if found is None:
        raise Http404("没有找到这个地方，或者它不在您的管理范围内。")
    return found  # type: ignore[no-any-return]


def refs_by_key(keys: Iterable[str]) -> dict[str, PlaceRef]:
    """References of many keys whatever the user; four queries at most. For jobs, never for pages."""
    by_kind: dict[PlaceKind, list[int]] = {}
    for key in keys:
        by_kind.setdefault(KINDS[key[0]], []).append(int(key[1:]))
    return {
        ref.key: ref
        for kind, pks in by_kind.items()
        for ref in map(ref_of, _MODELS[kind].objects.select_related(*_PLACES[kind]).filter(pk__in=pks))
    }
