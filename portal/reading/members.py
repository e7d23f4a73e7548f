"""The member table of an alliance: allocation, spending, pace, estimate, with subtotal, outflow and total.

Village clinics stand in one line, as they are settled through their township centres. Primary units are managed by
budget execution without a quota (seed 000 §四(七)): their amount is a reference. The table adds up to S exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from budgets import reading as budgets
from claims import reading as claims
from claims.reading import PackageScope
from core.models import Alliance, Institution, InstitutionKind, Membership
from portal.reading.outlook import FundOutlook, ratio_of
from rules.money import ZERO, allocate

SORTS: dict[str, Callable[[Any], Any]] = {
    "allocation": lambda row: row.allocation or ZERO,
    "charged": lambda row: row.charged,
    "execution": lambda row: row.execution or ZERO,
    "ahead": lambda row: row.ahead or ZERO,
    "expected": lambda row: row.expected or ZERO,
    "balance": lambda row: row.balance or ZERO,
}


@dataclass(frozen=True)
class MemberRow:
    """One line; amounts in yuan. ``code`` is the institution's, empty for sums. ``reference``: no quota stands behind."""

    name: str
    kind: str
    code: str
    allocation: Decimal | None
    reference: bool
    charged: Decimal
    share: Decimal | None
    expected: Decimal | None
    pace: Decimal | None
    settlements: int
    level: str = "member"

    @property
    def execution(self) -> Decimal | None:
        return ratio_of(self.charged, self.allocation)

    @property
    def ahead(self) -> Decimal | None:
        return None if self.execution is None or self.pace is None else self.execution - self.pace

    @property
    def balance(self) -> Decimal | None:
        """Allocation less estimated year: negative is an expected overrun."""
        return None if self.allocation is None or self.expected is None else self.allocation - self.expected

    @property
    def is_over(self) -> bool:
        return self.balance is not None and self.balance < 0

    @property
    def bar(self) -> Decimal | None:
        return None if self.execution is None else self.execution * 100

    @property
    def bar_mark(self) -> Decimal | None:
        return None if self.pace is None else self.pace * 100


@dataclass(frozen=True)
class MemberTable:
    rows: tuple[MemberRow, ...]
    inside: MemberRow
    outflow: MemberRow
    total: MemberRow

    @property
    def lines(self) -> tuple[MemberRow, ...]:
        """Every line as it is shown and exported."""
        return (*self.rows, self.inside, self.outflow, self.total)


@dataclass
class _Sum:
    name: str
    kind: str
    code: str = ""
    order: tuple[int, str] = (9, "")
    allocation: Decimal | None = None
    reference: bool = False
    charged: Decimal = ZERO
    settlements: int = 0
    count: int = 0


def member_table(outlook: FundOutlook, sort: str = "") -> MemberTable:
    """The table of one alliance and fund type; ``sort`` is a key of ``SORTS``, with a minus for descending."""
    package = outlook.package
    scope = package.scope if package else PackageScope.DEFAULT
    sums = _members(outlook.alliance, date(outlook.year, 12, 31))
    for line in claims.member_spending(outlook.alliance, outlook.year, outlook.fund_type, scope):
        found = _of(sums, line.institution)
        found.charged += line.amount
        found.settlements += line.settlements
    for part in budgets.member_allocations(outlook.alliance, outlook.year, outlook.fund_type):
        found = _of(sums, part.institution)
        found.allocation = (found.allocation or ZERO) + part.amount
        found.reference = found.reference or not part.is_quota
    facts = outlook.facts
    unnamed = facts.in_alliance - sum((found.charged for found in sums.values()), ZERO)
    if unnamed:
        sums["?"] = _Sum("未登记机构", "待登记", charged=unnamed)
    expected_inside, expected_outflow = _expected(outlook)
    ordered = sorted(sums.values(), key=lambda found: found.order)
    expected = _divided(expected_inside, [found.charged for found in ordered])
    rows = [
        MemberRow(
            name=f"{found.name}（{found.count} 家）" if found.count else found.name,
            kind=found.kind,
            code=found.code,
            allocation=found.allocation,
            reference=found.reference,
            charged=found.charged,
            share=ratio_of(found.charged, facts.in_alliance),
            expected=amount,
            pace=outlook.pace,
            settlements=found.settlements,
        )
        for found, amount in zip(ordered, expected, strict=True)
    ]
    rows = _sorted(rows, sort)
    whole = ratio_of(facts.in_alliance, facts.in_alliance)
    settlements = sum(row.settlements for row in rows)
    inside, outflow, total = (
        MemberRow(name, kind, "", allocation, False, charged, share, amount, outlook.pace, count, level)
        for name, kind, allocation, charged, share, amount, count, level in (
            ("医共体内小计", "", package.in_alliance if package else None, facts.in_alliance, whole,
             expected_inside, settlements, "sum"),
            ("县域外就医", "县域外", package.out_of_county if package else None, facts.outflow, None,
             expected_outflow, facts.settlements - settlements, "outflow"),
            ("合计", "", package.total if package else None, facts.charged, None,
             outlook.end.expected if outlook.end else None, facts.settlements, "total"),
        )
    )  # fmt: skip
    return MemberTable(tuple(rows), inside, outflow, total)


def _members(alliance: Alliance, day: date) -> dict[str, _Sum]:
    """The members of the alliance on a day, village clinics as one."""
    sums: dict[str, _Sum] = {}
    memberships = Membership.objects.on(day).filter(alliance=alliance).select_related("institution")
    for membership in memberships:
        found = _of(sums, membership.institution)
        if membership.is_lead:
            found.kind, found.order = "牵头医院", (0, found.code)
        if membership.institution.kind == InstitutionKind.VILLAGE:
            found.count += 1
    return sums


def _of(sums: dict[str, _Sum], institution: Institution) -> _Sum:
    if institution.kind == InstitutionKind.VILLAGE:
        return sums.setdefault("village", _Sum("村卫生室", "基层", "village", (3, "")))
    if institution.is_primary:
        made = _Sum(institution.name, "基层", institution.code, (2, institution.code))
    else:
        made = _Sum(institution.name, "县级", institution.code, (1, institution.code))
    return sums.setdefault(institution.code, made)


def _expected(outlook: FundOutlook) -> tuple[Decimal | None, Decimal | None]:
    """The estimated year inside the alliance and outside; together the estimate of S."""
    inside = outlook.expected_inside
    if inside is None or outlook.end is None:
        return None, None
    return inside, outlook.end.expected - inside


def _divided(total: Decimal | None, weights: Sequence[Decimal]) -> Iterable[Decimal | None]:
    """The estimate over the members by what they were paid so far; adds up exactly."""
    positive = [max(weight, ZERO) for weight in weights]
    if total is None or not sum(positive):
        return [None] * len(weights)
    return allocate(total, positive)


def _sorted(rows: list[MemberRow], sort: str) -> list[MemberRow]:
    key = SORTS.get(sort.removeprefix("-"))
    return rows if key is None else sorted(rows, key=key, reverse=sort.startswith("-"))
