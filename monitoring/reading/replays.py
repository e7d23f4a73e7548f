"""The replays of a city kept in the database, and its histories: what every projection of the city leans on.

A city's histories are read once per process and state of the facts. A replayed case is worked out once and kept; it is
worked out anew only when the history of its year was changed by late corrections.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from threading import Lock

from claims import reading as claims
from claims.reading import PackageScope
from core.models import Alliance, PoolingArea
from monitoring.models import ReplayCase
from rules.forecast import Case, Errors, History, Pool, Score, pools_of, replay, score
from rules.forecast.history import MONTHS
from rules.histories import FactRow
from rules.histories.table import IN_ALLIANCE, INPATIENT, OUT_OF_COUNTY, OUTPATIENT
from rules.periods import Month
from rules.trace import text_of

METHOD = "2026-2"
"""Raised when the same facts would be read or projected otherwise: every case is worked out anew then."""
FIRST_YEAR = 2000
BOOKS_KEPT = 3
Key = tuple[int, str]


@dataclass(frozen=True)
class CityBook:
    """All that is known of a city's alliances at the end of a month: histories, pools by fund type, replayed cases."""

    area: PoolingArea
    month: Month
    histories: Mapping[Key, History]
    pools: Mapping[tuple[str, str], Pool]
    cases: tuple[Case, ...]
    errors: Errors
    _scores: dict[tuple[str, int], Score] = field(default_factory=dict, compare=False, repr=False)

    def pool(self, fund_type: str) -> Pool | None:
        return self.pools.get((self.area.code, fund_type))

    def known_cases(self, fund_type: str) -> list[Case]:
        """The cases of earlier years that were wholly known by then."""
        return [
            case
            for case in self.cases
            if case.fund_type == fund_type and case.year < self.month.year and case.settled <= self.month
        ]

    def score(self, fund_type: str, as_of: int = 0) -> Score:
        """The known cases scored, all or those drawn in the month ``as_of`` (1–12); the same for every alliance of the city."""
        key = (fund_type, as_of)
        if key not in self._scores:
            known = self.known_cases(fund_type)
            self._scores[key] = score([case for case in known if not as_of or case.as_of.month == as_of])
        return self._scores[key]


_books: OrderedDict[tuple[int, str, str], CityBook] = OrderedDict()
_lock = Lock()


def city_book(area: PoolingArea, month: Month, scopes: Mapping[Key, PackageScope]) -> tuple[CityBook, list[ReplayCase]]:
    """The book, and the cases that are new or changed and have still to be written (empty when it was kept)."""
    alliances = list(
        Alliance.objects.on(month.last_day).filter(county__pooling_area=area).select_related("county").order_by("code")
    )
    stamp = _stamp(area, alliances, month, scopes)
    key = (area.pk, str(month), stamp)
    with _lock:
        known = _books.get(key)
    if known is not None and _are_kept(known):
        return known, []
    book, fresh = _make(area, alliances, month, scopes)
    with _lock:
        _books[key] = book
        _books.move_to_end(key)
        while len(_books) > BOOKS_KEPT:
            _books.popitem(last=False)
    return book, fresh


def histories_of(
    area: PoolingArea, alliances: Sequence[Alliance], month: Month, scopes: Mapping[Key, PackageScope]
) -> dict[Key, History]:
    """What was known when of every alliance and fund type, months up to ``month``."""
    codes = {alliance.pk: alliance.code for alliance in alliances}
    counties = {alliance.pk: alliance.county_id for alliance in alliances}
    known = claims.triangle(alliances, month, scopes)
    rows: dict[Key, list[FactRow]] = {}
    for new in known.newly:
        part = IN_ALLIANCE if new.inside else OUT_OF_COUNTY
        service = INPATIENT if new.inpatient else OUTPATIENT
        row = FactRow(
            area.code, codes[new.alliance], new.fund_type, new.settled, new.known, part, service, new.settlements, new.yuan
        )
        rows.setdefault((new.alliance, new.fund_type), []).append(row)
    return {
        key: History.from_rows(found, known.untold.get(counties[key[0]], ()))[0] for key, found in sorted(rows.items())
    }


def _are_kept(book: CityBook) -> bool:
    """Whether the cases of a book reached the database: whoever made it may have been killed before."""
    places = {case.place for case in book.cases}
    return ReplayCase.objects.filter(pooling_area=book.area, alliance__code__in=places).count() >= len(book.cases)


def _stamp(area: PoolingArea, alliances: Collection[Alliance], month: Month, scopes: Mapping[Key, PackageScope]) -> str:
    counties = {alliance.county_id for alliance in alliances}
    told = (
        METHOD,
        area.code,
        [(alliance.pk, alliance.code) for alliance in alliances],
        sorted((key, repr(scope)) for key, scope in scopes.items()),
        claims.facts_stamp(counties, FIRST_YEAR, month.year),
    )
    return hashlib.sha256(repr(told).encode()).hexdigest()


def _make(
    area: PoolingArea, alliances: Sequence[Alliance], month: Month, scopes: Mapping[Key, PackageScope]
) -> tuple[CityBook, list[ReplayCase]]:
    histories = histories_of(area, alliances, month, scopes)
    pools = pools_of(histories.values())
    by_place = {alliance.code: alliance for alliance in alliances}
    held = {
        (row.alliance_id, row.fund_type, row.year, row.month): row
        for row in ReplayCase.objects.filter(pooling_area=area, alliance__in=[alliance.pk for alliance in alliances])
    }
    digests = {
        (key, year): _digest(history, year)
        for key, history in histories.items()
        for year in history.years
        if year < month.year and history.final_year(year) is not None
    }
    stale = {
        (key, year)
        for (key, year), digest in digests.items()
        if not any(
            (row := held.get((*key, year, number))) is not None and row.inputs == digest for number in range(1, MONTHS + 1)
        )
    }
    good = [row for row in held.values() if digests.get(((row.alliance_id, row.fund_type), row.year)) == row.inputs]
    codes = {alliance.pk: alliance.code for alliance in alliances}
    cases = [_case_of(row, area.code, codes[row.alliance_id]) for row in good]
    errors = Errors.of(cases)
    fresh: list[ReplayCase] = []
    for year in sorted({year for _key, year in stale}):
        wanted = [histories[key] for key in histories if (key, year) in stale]
        for case in replay(wanted, {year}, pools, errors):
            cases.append(case)
            alliance = by_place[case.place]
            fresh.append(_row_of(case, area, alliance, digests[((alliance.pk, case.fund_type), year)]))
    return CityBook(area, month, histories, pools, tuple(cases), errors), fresh


def _digest(history: History, year: int) -> str:
    """Of everything that was ever known of the months up to the year's end."""
    last = year * MONTHS + MONTHS - 1
    digest = hashlib.sha256(f"{METHOD}|{year}".encode())
    for cell, series in sorted(history.yuan.items()):
        for month, line in sorted(series.cumulated.items()):
            if month <= last:
                digest.update(f"{cell}{month}{','.join(map(str, line))}".encode())
    return digest.hexdigest()


def _case_of(row: ReplayCase, area: str, place: str) -> Case:
    said = {name: None if text is None else Decimal(text) for name, text in row.said.items()}
    return Case(
        area=area, place=place, fund_type=row.fund_type, as_of=row.period, settled=Month.parse(row.settled),
        whole_years=row.whole_years, truth=row.truth, said=said, low=row.low, high=row.high,
    )  # fmt: skip


def _row_of(case: Case, area: PoolingArea, alliance: Alliance, digest: str) -> ReplayCase:
    return ReplayCase(
        pooling_area=area, alliance=alliance, fund_type=case.fund_type, year=case.year, month=case.as_of.month,
        settled=str(case.settled), whole_years=case.whole_years, truth=case.truth,
        said={name: None if value is None else text_of(value) for name, value in case.said.items()},
        low=case.low, high=case.high, inputs=digest,
    )  # fmt: skip

