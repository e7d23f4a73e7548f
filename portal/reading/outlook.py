"""Where the year of an alliance and fund type stands and where it is heading: the figures of the overview.

Everything for any number of alliances in a constant number of queries. The two fund types are never added up (A3).
Execution and pace follow seed 001 §二(二). The year end is the stored projection of the newest whole month where there is
one, else the simple estimate of :mod:`rules.projection`; either is carried through the scheme of the package in force.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from budgets import reading as budgets
from budgets.reading import PackageInForce
from claims import reading as claims
from claims.reading import FundYear, MonthDetail
from core.errors import Refused
from core.kept import kept
from core.models import Alliance, FundType
from core.policies import thaw
from monitoring.reading import projections
from monitoring.reading.projections import Projection
from rules.errors import RuleError
from rules.money import ZERO, allocate, round_ratio
from rules.prepayment import Plan, plan, terms_of
from rules.projection import HISTORY_YEARS, PastYear, SeasonalShare, YearEnd, project_year, seasonal_share
from rules.scheme import Scheme
from rules.settlement import YearSettlement, settle_year
from rules.sharing import ShareResult

Key = tuple[int, str]


@dataclass(frozen=True)
class ScaleTier:
    """A tier as signed fractions of the package: surplus negative, an open end None."""

    label: str
    lower: Decimal | None
    upper: Decimal | None


@dataclass(frozen=True)
class FundOutlook:
    """One alliance, year and fund type; amounts in yuan, ratios as fractions, None where there is nothing to say.

    ``months`` are the delivered months of the year, ``spent`` the sum of the whole ones among them, on which ``season``
    and ``end`` rest. ``projection`` is the stored one ``end`` was taken from, None where it is the simple estimate.
    ``shared`` applies the scheme to the estimated year.
    """

    alliance: Alliance
    year: int
    fund_type: str
    package: PackageInForce | None
    scheme: Scheme | None
    prepaid: Decimal
    facts: FundYear
    months: tuple[MonthDetail, ...]
    history: tuple[tuple[int, tuple[MonthDetail, ...]], ...]
    spent: Decimal
    season: SeasonalShare | None
    end: YearEnd | None
    shared: ShareResult | None
    projection: Projection | None = None

    @property
    def range_text(self) -> str:
        """How the range came about, or why there is none."""
        if self.projection is not None:
            return self.projection.range_text
        return self.season.range_text if self.season else ""

    @property
    def end_title(self) -> str:
        """What the year end rests on, in words."""
        return "年末预测（趋势预测）" if self.projection is not None else "年末预测（简单估计）"

    @property
    def range_name(self) -> str:
        return "80% 区间" if self.projection is not None else "历年占比区间"

    @property
    def expected_inside(self) -> Decimal | None:
        """The part of the estimated year inside the alliance."""
        if self.projection is not None:
            inside: Decimal | None = self.projection.in_alliance
            return inside
        if self.season is None or self.end is None:
            return None
        return self.season.carry(sum((month.in_alliance for month in self.whole_months), ZERO))

    @property
    def key(self) -> Key:
        return (self.alliance.pk, self.fund_type)

    @property
    def charged(self) -> Decimal:
        return self.facts.charged

    @property
    def has_data(self) -> bool:
        return bool(self.facts.months_present)

    @property
    def total(self) -> Decimal | None:
        return self.package.total if self.package else None

    @property
    def execution(self) -> Decimal | None:
        """执行率: charged to date ÷ package."""
        return ratio_of(self.charged, self.total) if self.has_data else None

    @property
    def pace(self) -> Decimal | None:
        """序时进度: the share of a year the whole months are."""
        return self.season.share if self.season else None

    @property
    def ahead(self) -> Decimal | None:
        """Whole months' spending ÷ package, less the pace: positive is ahead of it."""
        used = ratio_of(self.spent, self.total)
        return None if used is None or self.season is None else used - self.season.share

    @property
    def prepaid_ratio(self) -> Decimal | None:
        return ratio_of(self.prepaid, self.total)

    @property
    def difference(self) -> Decimal | None:
        """Estimated year less package: positive is an overrun."""
        return None if self.end is None or self.package is None else self.end.expected - self.package.total

    @property
    def ratio(self) -> Decimal | None:
        return None if self.difference is None else ratio_of(self.difference, self.total)

    @property
    def low_ratio(self) -> Decimal | None:
        return self._ratio_of_end(self.end.low if self.end else None)

    @property
    def high_ratio(self) -> Decimal | None:
        return self._ratio_of_end(self.end.high if self.end else None)

    @property
    def is_overrun(self) -> bool:
        return self.difference is not None and self.difference > 0

    @property
    def outflow_share(self) -> Decimal | None:
        return ratio_of(self.facts.outflow, self.charged)

    @property
    def tiers(self) -> list[ScaleTier]:
        return scale_of(self.scheme) if self.scheme else []

    @property
    def data_to(self) -> date | None:
        return self.facts.data_to

    @property
    def whole_months(self) -> tuple[MonthDetail, ...]:
        return tuple(month for month in self.months if month.is_complete)

    def label_at(self, charged: Decimal | None) -> str:
        """The tier a year's amount would fall into; empty where the scheme does not say."""
        if charged is None or self.package is None or self.scheme is None:
            return ""
        shared = _share(self.scheme, self.package.total, charged)
        return shared.label if shared else ""

    def same_months(self, year: int) -> list[MonthDetail]:
        """The delivered months of an earlier year that this year has too; empty unless all of them are there."""
        wanted = {month.month.month for month in self.whole_months}
        found = [
            month for number, rows in self.history if number == year for month in rows if month.month.month in wanted
        ]
        return found if wanted and len(found) == len(wanted) else []

    def _ratio_of_end(self, amount: Decimal | None) -> Decimal | None:
        return None if amount is None or self.package is None else ratio_of(amount - self.package.total, self.total)


@dataclass(frozen=True)
class CashOutlook:
    """The year-end cash if the estimate comes true, prepayment goes on as planned and nothing else is settled."""

    settled: YearSettlement
    plan: Plan | None
    prepaid: Decimal
    low: Decimal | None
    high: Decimal | None


def ratio_of(part: Decimal, whole: Decimal | None) -> Decimal | None:
    return round_ratio(part / whole) if whole else None


def scale_of(scheme: Scheme) -> list[ScaleTier]:
    """Both sides of a scheme on one scale, lowest first."""
    surplus = scheme.brackets.surplus.tiers if scheme.brackets.surplus else ()
    overrun = scheme.brackets.overrun.tiers if scheme.brackets.overrun else ()
    below = [ScaleTier(tier.label, None if tier.upper is None else -tier.upper, -tier.lower) for tier in surplus]
    return [*reversed(below), *(ScaleTier(tier.label, tier.lower, tier.upper) for tier in overrun)]


def default_year(alliances: Collection[Alliance], today: date) -> int:
    """The last year up to now that has data; this year without any."""
    key = (tuple(alliance.pk for alliance in alliances), today.year)
    return kept("default year", key, lambda: claims.latest_year(alliances, today.year) or today.year)


def outlooks(alliances: Collection[Alliance], year: int) -> dict[Key, FundOutlook]:
    """The outlook of every alliance and fund type, in a constant number of queries; kept until the trail moves."""
    return kept("outlooks", (tuple(alliance.pk for alliance in alliances), year), lambda: _outlooks(alliances, year))


def _outlooks(alliances: Collection[Alliance], year: int) -> dict[Key, FundOutlook]:
    packages = budgets.packages_in_force(alliances, year)
    scopes = {key: package.scope for key, package in packages.items()}
    prepaid = budgets.prepaid_of(alliances, year)
    facts = claims.fund_years(alliances, year, scopes)
    months = claims.months_by_year(alliances, year - HISTORY_YEARS, year, scopes)
    schemes = _schemes(packages.values())
    projected = projections.latest(alliances, year)
    found = {}
    for alliance in alliances:
        for fund_type in FundType.values:
            key = (alliance.pk, fund_type)
            package = packages.get(key)
            scheme = schemes.get(_frozen(package)) if package else None
            found[key] = _outlook(
                alliance, year, fund_type, package, scheme, prepaid.get(key, ZERO), facts[key], months[key],
                projected.get(key),
            )  # fmt: skip
    return found


def cash_outlook(outlook: FundOutlook, other_payments: Decimal) -> CashOutlook | None:
    """The projected year-end cash (domain formula with full assessment); None where no year end can be estimated."""
    package, scheme, end, inside = outlook.package, outlook.scheme, outlook.end, outlook.expected_inside
    if package is None or scheme is None or end is None or outlook.season is None or inside is None:
        return None
    planned = _plan(scheme, package, outlook.year)
    prepaid = max(planned.total if planned else ZERO, outlook.prepaid)
    sisters = outlook.season.carry(outlook.facts.treated_for_sisters)

    def settle(charged: Decimal, s_in: Decimal) -> YearSettlement | None:
        try:
            return settle_year(
                scheme,
                package=package.total,
                s_in=s_in,
                outflow=charged - s_in,
                prepaid=prepaid,
                treated_for_sisters=sisters,
                other_payments=other_payments,
                ratio_base=None if scheme.ratio_base == "adjusted_package" else package.total,
                assumed_factor=Decimal(1),
            )
        except RuleError:
            return None

    settled = settle(end.expected, inside)
    if settled is None:
        return None
    edges = []
    if end.low is not None and end.high is not None and end.expected:
        for edge in (end.low, end.high):
            moved = settle(edge, allocate(edge, [inside, end.expected - inside])[0])
            edges.append(moved.cash if moved else None)
    known = sorted(edge for edge in edges if edge is not None)
    low, high = (known[0], known[-1]) if len(known) == 2 else (None, None)
    return CashOutlook(settled, planned, prepaid, low, high)


def _outlook(
    alliance: Alliance,
    year: int,
    fund_type: str,
    package: PackageInForce | None,
    scheme: Scheme | None,
    prepaid: Decimal,
    facts: FundYear,
    months: Iterable[MonthDetail],
    projected: Projection | None,
) -> FundOutlook:
    by_year: dict[int, list[MonthDetail]] = {}
    for month in months:
        by_year.setdefault(month.month.year, []).append(month)
    mine = tuple(by_year.pop(year, ()))
    history = tuple((number, tuple(rows)) for number, rows in sorted(by_year.items()))
    whole = [month for month in mine if month.is_complete]
    spent = sum((month.charged for month in whole), ZERO)
    season = _season(whole, history)
    newest = whole[-1].month if whole else None
    if projected is not None and (projected.expected is None or projected.period != newest):
        projected = None
    end = project_year(spent, season) if season else None
    if projected is not None and projected.expected is not None and season is not None:
        end = YearEnd(spent, projected.expected, projected.low, projected.high, (), season)
    else:
        projected = None
    shared = _share(scheme, package.total, end.expected) if scheme and package and end else None
    return FundOutlook(
        alliance, year, fund_type, package, scheme, prepaid, facts, mine, history, spent, season, end, shared,
        projected,
    )  # fmt: skip


def _season(
    whole: Collection[MonthDetail], history: Iterable[tuple[int, Collection[MonthDetail]]]
) -> SeasonalShare | None:
    past = [PastYear(year, {month.month.month: month.charged for month in rows}) for year, rows in history]
    try:
        return seasonal_share([month.month.month for month in whole], past)
    except RuleError:
        return None


def _share(scheme: Scheme, package: Decimal, charged: Decimal) -> ShareResult | None:
    base = None if scheme.ratio_base == "adjusted_package" else package
    try:
        return scheme.share(package, charged, ratio_base=base)
    except RuleError:
        return None


def _plan(scheme: Scheme, package: PackageInForce, year: int) -> Plan | None:
    try:
        return plan(package.total, year=year, terms=terms_of(scheme), planned_outflow=package.out_of_county)
    except RuleError:
        return None


def prepayment_plan(outlook: FundOutlook) -> Plan | None:
    """The planned prepayments of the year with their cap; None where the scheme sets none."""
    if outlook.package is None or outlook.scheme is None:
        return None
    return _plan(outlook.scheme, outlook.package, outlook.year)


def _frozen(package: PackageInForce) -> str:
    return json.dumps(package.scheme_frozen, sort_keys=True)


def _schemes(packages: Iterable[PackageInForce]) -> Mapping[str, Scheme]:
    """Each distinct frozen scheme once: packages of one area and year share theirs."""
    found: dict[str, Scheme] = {}
    for package in packages:
        key = _frozen(package)
        if key not in found:
            try:
                found[key] = thaw(package.scheme_frozen)
            except Refused:
                continue
    return found
