"""Stays of known persons and how many came back within fifteen days: only the lake knows persons.

A stay of the month counts as the facts count a discharge: settled in the month, once however many interim settlements it
has, minus one where the month takes back what an earlier one settled. It is a readmission when the same person left an
earlier stay at most fifteen days before this admission with a main diagnosis of the same first three characters, at the
place's own level: the same institution, a member of the same alliance, any institution of the county. What was not known
when the month was over is not looked at, nor what was settled more than three months earlier.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from claims import lake
from claims.reading.measures import INPATIENT, PACKAGED
from claims.reading.package_scope import PackageScope
from core.models import County, Institution, Membership
from rules.periods import Month, months_between

DAYS = 15
LOOK_BACK = 3
"""Months before the month whose settlements are searched for an earlier stay."""
SAME = 3
"""Leading characters of the main diagnosis that must agree."""
Key = tuple[int, str]


@dataclass(frozen=True)
class Returns:
    """``stays`` discharges of known persons, ``readmitted`` of them (None: the month before is not in the lake)."""

    stays: int
    readmitted: int | None


@dataclass(frozen=True)
class Readmissions:
    """By fund type of the county and by (id, fund type) below it; places without a stay are left out (zero)."""

    county: Mapping[str, Returns]
    alliances: Mapping[Key, Returns]
    institutions: Mapping[Key, Returns]
    with_before: bool

    @property
    def none(self) -> Returns:
        """The count of a place without a stay."""
        return Returns(0, 0 if self.with_before else None)


class _Stay(NamedTuple):
    person: str
    admitted: date
    left: date
    visit: str
    fund: str
    diagnosis: str
    institution: int
    alliance: int | None
    counts: int
    stands: bool


@dataclass
class _Counting:
    stays: dict[Any, int] = field(default_factory=lambda: defaultdict(int))
    readmitted: dict[Any, int] = field(default_factory=lambda: defaultdict(int))


def readmissions(
    county: County, month: Month, scopes: Mapping[Key, PackageScope] | None = None
) -> Readmissions | None:
    """None for a month whose claims the lake does not hold; from the manifest's files only.

    ``scopes`` by (alliance id, fund type) says whose inpatient and maternity care counts, the default scope elsewhere.
    """
    held = lake.live_files(county, months_between(month.plus(-LOOK_BACK), month))
    if not any(file.declared and file.month == month for file in held):
        return None
    with_before = any(file.declared and file.month == month.previous() for file in held)
    places = dict(Institution.objects.filter(county=county).values_list("code", "pk"))
    rows = _visits([file.path for file in held], sorted(places), month)
    stays = _stays(rows, places, _members(county), scopes or {})
    return _counted(stays, with_before)


def _counted(stays: Sequence[_Stay], with_before: bool) -> Readmissions:
    earlier: dict[tuple[str, str], list[_Stay]] = defaultdict(list)
    for stay in stays:
        if stay.diagnosis and stay.stands:
            earlier[(stay.person, stay.diagnosis)].append(stay)
    found = _Counting()
    for stay in stays:
        if not stay.counts:
            continue
        levels: list[tuple[Any, list[_Stay]]] = []
        before = [one for one in earlier.get((stay.person, stay.diagnosis), ()) if _came_back(one, stay)]
        levels.append((stay.fund, before))
        if stay.alliance is not None:
            levels.append((("A", stay.alliance, stay.fund), [one for one in before if one.alliance == stay.alliance]))
        same = [one for one in before if one.institution == stay.institution]
        levels.append((("I", stay.institution, stay.fund), same))
        for key, mine in levels:
            found.stays[key] += stay.counts
            if mine:
                found.readmitted[key] += stay.counts

    def of(key: Any) -> Returns:
        return Returns(found.stays.get(key, 0), found.readmitted.get(key, 0) if with_before else None)

    return Readmissions(
        county={fund: of(fund) for fund in PACKAGED},
        alliances={key[1:]: of(key) for key in found.stays if key[0] == "A"},
        institutions={key[1:]: of(key) for key in found.stays if key[0] == "I"},
        with_before=with_before,
    )


def _came_back(earlier: _Stay, later: _Stay) -> bool:
    first = (earlier.admitted, earlier.left, earlier.visit) < (later.admitted, later.left, later.visit)
    return first and 0 <= (later.admitted - earlier.left).days <= DAYS


def _stays(
    rows: Sequence[tuple[Any, ...]],
    places: Mapping[str, int],
    members: Mapping[int, Sequence[tuple[int, date, date]]],
    scopes: Mapping[Key, PackageScope],
) -> list[_Stay]:
    """Stays that still stand (net of reversals) or that the month takes back."""
    found = []
    visits: dict[Key | str, frozenset[str]] = {fund: PackageScope.DEFAULT.visit_types(fund) for fund in PACKAGED}
    visits |= {key: scope.visit_types(key[1]) for key, scope in scopes.items()}
    for visit, person, fund, kind, code, admitted, left, settled, diagnosis, net, of_month in rows:
        institution = places[code]
        spans = members.get(institution, ())
        alliance = next((pk for pk, first, last in spans if first <= settled <= last), None)
        inside = visits.get((alliance, fund), visits[fund]) if alliance is not None else visits[fund]
        if kind not in inside or admitted is None or left is None:
            continue
        counts = (of_month > 0) - (of_month < 0)
        if net > 0 or counts < 0:
            found.append(_Stay(person, admitted, left, visit, fund, diagnosis, institution, alliance, counts, net > 0))
    return found


def _members(county: County) -> dict[int, list[tuple[int, date, date]]]:
    found: dict[int, list[tuple[int, date, date]]] = defaultdict(list)
    rows = Membership.objects.filter(institution__county=county).order_by("valid_from")
    for institution, alliance, first, last in rows.values_list("institution_id", "alliance_id", "valid_from", "valid_to"):
        found[institution].append((alliance, first, last or date.max))
    return found


def _visits(files: Sequence[Path], codes: Sequence[str], month: Month) -> list[tuple[Any, ...]]:
    """One row a stay: net settlements up to the month's end and those of the month itself."""
    first, last = f"DATE '{month.first_day}'", f"DATE '{month.last_day}'"
    kinds = ", ".join(f"'{kind}'" for kind in sorted(INPATIENT))
    funds = ", ".join(f"'{fund}'" for fund in PACKAGED)
    sign = "CASE WHEN reversal_of IS NULL THEN 1 ELSE -1 END"
    query = f"""
        SELECT coalesce(visit_id, settlement_id) AS visit, person, fund_type, visit_type, institution_code,
               min(admission_date), max(discharge_date), max(settled_on),
               coalesce(upper(left(arg_max(diagnosis_code, settled_on), {SAME})), ''),
               sum({sign}), coalesce(sum({sign}) FILTER (settled_on >= {first}), 0)
        FROM read_parquet($1, union_by_name=true)
        WHERE visit_type IN ({kinds}) AND fund_type IN ({funds}) AND settled_on <= {last}
          AND person IS NOT NULL AND institution_code IN (SELECT unnest($2))
        GROUP BY 1, 2, 3, 4, 5 ORDER BY 2, 6, 7, 1"""
    with lake.reader() as connection:
        return list(connection.execute(query, [[str(path) for path in files], list(codes)]).fetchall())


__all__ = ["DAYS", "LOOK_BACK", "Readmissions", "Returns", "readmissions"]
