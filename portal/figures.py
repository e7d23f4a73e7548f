"""The figures of the overview as the pages show them: cards of a fund, rows of a city or county, with their traces.

Amounts stay Decimal yuan; templates format. Nothing is computed here that :mod:`portal.reading` has not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.urls import reverse

from budgets import reading as budgets
from budgets.reading import PrepaymentYear
from core.models import Alliance, FundType
from core.templatetags.fund import percent, scale_positions, signed, wan
from portal import traces
from portal.reading.outlook import CashOutlook, FundOutlook, Key, cash_outlook, prepayment_plan, ratio_of
from portal.reading.shares import OutflowShare, PrimaryFigure, outflow_share, primary_figure
from rules.money import ZERO
from rules.trace import Trace

HUNDRED = Decimal(100)


TRACES = {
    "package": "打包总额（调整后）",
    "prepaid": "累计预付",
    "charged": "累计发生 S",
    "end": "年末预测",
    "cash": "预计清算现金",
    "outflow": "县域外就医占比",
    "primary": "基层支出占比",
}
"""The traced figures of an alliance's fund type by the name in their address."""


@dataclass(frozen=True)
class FundCard:
    """One fund type of one alliance as a strip of key figures; each figure's trace is worked out when it is opened."""

    outlook: FundOutlook
    cash: CashOutlook | None
    cap: Decimal | None
    payments: PrepaymentYear | None = None
    outflow: OutflowShare | None = None
    primary: PrimaryFigure | None = None

    def trace_of(self, name: str) -> Trace:
        """The trace of a figure of ``TRACES``; empty where the figure is not there."""
        match name:
            case "package":
                return traces.package_trace(self.outlook)
            case "prepaid" if self.payments is not None:
                return traces.prepaid_trace(self.outlook, self.payments)
            case "charged":
                return traces.charged_trace(self.outlook)
            case "end":
                return traces.year_end_trace(self.outlook)
            case "cash" if self.cash is not None:
                return traces.cash_trace(self.outlook, self.cash)
            case "outflow" if self.outflow is not None:
                return self.outflow.trace
            case "primary" if self.primary is not None:
                return self.primary.trace
        return Trace()

    @property
    def trace_urls(self) -> dict[str, str]:
        """Where each figure's trace is opened."""
        at = self.outlook
        query = f"?year={at.year}&fund={at.fund_type}"
        return {name: reverse("portal:figure-trace", args=[at.alliance.code, name]) + query for name in TRACES}

    @property
    def paid_months(self) -> int:
        return sum(bool(month.paid) for month in self.payments.months) if self.payments else 0

    @property
    def fund(self) -> str:
        return self.outlook.fund_type

    @property
    def package_url(self) -> str:
        """The worksheet of the package in force."""
        return reverse("budgets:package", args=[self.outlook.package.package]) if self.outlook.package else ""

    @property
    def rows_text(self) -> str:
        return f"{len(self.outlook.months)} 个月、{self.outlook.facts.settlements:,} 人次结算"

    @property
    def end_text(self) -> str:
        """The estimated difference without its sign, or the estimated year where there is no package."""
        at = self.outlook
        if at.difference is not None:
            return wan(abs(at.difference))
        return wan(at.end.expected if at.end else None)

    @property
    def over_cap(self) -> bool:
        return self.cap is not None and self.outlook.prepaid > self.cap

    @property
    def cash_tone(self) -> str:
        """Red where prepayment would have to be taken back (E4)."""
        return "neg" if self.cash and self.cash.settled.cash < 0 else ""

    @property
    def saving(self) -> Decimal | None:
        return None if self.outlook.difference is None else -self.outlook.difference

    @property
    def rows_url(self) -> str:
        """The months behind the figures."""
        at = self.outlook
        return f"{reverse('portal:months', args=[at.alliance.code])}?year={at.year}&fund={at.fund_type}"

    @property
    def scale(self) -> dict[str, Any] | None:
        """The tier scale with the estimated point and its range."""
        if not self.outlook.tiers or self.outlook.ratio is None:
            return None
        at = self.outlook
        return scale_positions(at.tiers, at.ratio, at.low_ratio, at.high_ratio, "预计")

    @property
    def tier(self) -> str:
        """The tier of the estimate, and the one its upper end would reach."""
        if self.outlook.shared is None:
            return ""
        label = self.outlook.shared.label
        high = self.outlook.label_at(self.outlook.end.high if self.outlook.end else None)
        low = self.outlook.label_at(self.outlook.end.low if self.outlook.end else None)
        if high and high != label:
            return f"{label} · 上端触 {high}"
        return f"{label} · 下端触 {low}" if low and low != label else label

    @property
    def shared_lines(self) -> list[tuple[str, Decimal]]:
        """What both sides would bear or keep of the estimate."""
        shared = self.outlook.shared
        if shared is None or shared.outcome == "balanced":
            return []
        if shared.outcome == "overrun":
            return [("基金分担", shared.fund_bears), ("医共体承担", shared.alliance_bears)]
        return [("医共体留用", shared.alliance_keeps), ("返还统筹基金", shared.returned_to_fund)]

    @property
    def range_text(self) -> str:
        """The range as percent of the package, or why there is none."""
        low, high = self.outlook.low_ratio, self.outlook.high_ratio
        if low is not None and high is not None:
            return f"{signed(percent(low))} ~ {signed(percent(high))}"
        return self.outlook.range_text

    @property
    def projection_url(self) -> str:
        """The page of the stored projection; empty for a simple estimate."""
        projection = self.outlook.projection
        return projection.get_absolute_url() if projection is not None else ""

    @property
    def range_amounts(self) -> str:
        """The range in 万元 above or below the package."""
        end, package = self.outlook.end, self.outlook.package
        if end is None or package is None or end.low is None or end.high is None:
            return ""
        return f"{signed(wan(end.low - package.total))} ~ {signed(wan(end.high - package.total))}"

    @property
    def is_unconfirmed(self) -> bool:
        """Whether a parameter in the estimate is still 待核实."""
        shared, cash = self.outlook.shared, self.cash
        return bool(shared and shared.unconfirmed) or bool(cash and cash.settled.unconfirmed)

    @property
    def unconfirmed(self) -> list[dict[str, str]]:
        """The unconfirmed parameters the estimate used, as the notice shows them."""
        shared, scheme = self.outlook.shared, self.outlook.scheme
        if shared is None or scheme is None:
            return []
        known = (scheme.parameter(key) for key in shared.unconfirmed)
        return [{"key": p.key, "label": p.title, "value": p.text, "clause": p.clause} for p in known]

    @property
    def prepaid_bar(self) -> Decimal | None:
        ratio = self.outlook.prepaid_ratio
        return None if ratio is None else ratio * HUNDRED

    @property
    def cap_ratio(self) -> Decimal | None:
        return ratio_of(self.cap, self.outlook.total) if self.cap is not None else None

    @property
    def cap_mark(self) -> Decimal | None:
        return None if self.cap_ratio is None else self.cap_ratio * HUNDRED

    @property
    def outflow_bar(self) -> Decimal | None:
        return self.outflow.share * HUNDRED if self.outflow else None

    @property
    def outflow_mark(self) -> Decimal | None:
        """Last year's share of the same months on the bar."""
        return self.outflow.last_year * HUNDRED if self.outflow and self.outflow.last_year is not None else None

    @property
    def primary_short(self) -> bool:
        return self.primary is not None and not self.primary.share.met

    @property
    def primary_tone(self) -> str:
        return "neg" if self.primary_short else ""

    @property
    def primary_gap(self) -> str:
        """How far the share is below its floor."""
        if self.primary is None:
            return ""
        return f"{percent(self.primary.share.floor - self.primary.share.ratio)[:-1]} 个百分点"

    @property
    def primary_bar(self) -> Decimal | None:
        """The share on a bar whose mark, the floor, stands at four fifths."""
        if self.primary is None or not self.primary.share.floor:
            return None
        return self.primary.share.ratio / self.primary.share.floor * 80

    @property
    def primary_mark(self) -> Decimal | None:
        return Decimal(80) if self.primary_bar is not None else None

    @property
    def cap_left(self) -> Decimal | None:
        return None if self.cap is None else self.cap - self.outlook.prepaid


def fund_cards(found: Mapping[Key, FundOutlook], alliance: Alliance) -> list[FundCard]:
    """Both fund types of an alliance for the home page: estimate and cash only."""
    return [_card(found[(alliance.pk, fund)]) for fund in FundType.values]


def full_cards(found: Mapping[Key, FundOutlook], alliance: Alliance) -> list[FundCard]:
    """Both fund types with every figure of the alliance's overview."""
    return [full_card(found[(alliance.pk, fund)]) for fund in FundType.values]


def full_card(outlook: FundOutlook) -> FundCard:
    return replace(
        _card(outlook),
        payments=budgets.prepayment_year(outlook.alliance, outlook.year, outlook.fund_type),
        outflow=outflow_share(outlook),
        primary=primary_figure(outlook),
    )


def _card(outlook: FundOutlook) -> FundCard:
    other = budgets.other_payments(outlook.alliance, outlook.year, outlook.fund_type)
    planned = prepayment_plan(outlook)
    return FundCard(outlook, cash_outlook(outlook, other), planned.cap if planned else None)


@dataclass(frozen=True)
class FundTotal:
    """One fund type over several alliances (yuan); the two types stand apart and are never added up (A3)."""

    fund: str
    package: Decimal
    provisional: int
    without_package: int
    prepaid: Decimal
    charged: Decimal
    expected: Decimal | None
    data_to: date | None
    rows: tuple[FundOutlook, ...]

    @property
    def execution(self) -> Decimal | None:
        """Charged ÷ package of those that have one."""
        with_package = sum((row.charged for row in self.rows if row.package), ZERO)
        return ratio_of(with_package, self.package)

    @property
    def prepaid_ratio(self) -> Decimal | None:
        return ratio_of(self.prepaid, self.package)

    @property
    def difference(self) -> Decimal | None:
        """Sum of the estimated differences of those alliances that have both a package and an estimate."""
        known = [row.difference for row in self.rows if row.difference is not None]
        return sum(known, ZERO) if known else None

    @property
    def outflow_share(self) -> Decimal | None:
        return ratio_of(sum((row.facts.outflow for row in self.rows), ZERO), self.charged)

    @property
    def overruns(self) -> int:
        return sum(row.is_overrun for row in self.rows)

    def trace_of(self, name: str) -> Trace:
        """The sum behind ``package``, ``prepaid``, ``charged`` or ``expected``."""
        label, clause = {
            "package": ("打包总额合计", traces.PACKAGE_CLAUSE),
            "prepaid": ("累计预付合计", traces.PREPAID_CLAUSE),
            "charged": ("累计发生合计", traces.CHARGED_CLAUSE),
            "expected": ("预计全年发生合计", traces.PACE_CLAUSE),
        }[name]
        parts = [(row.alliance.name, amount) for row in self.rows if (amount := amount_of(row, name)) is not None]
        return traces.sum_trace(label, parts, sum((amount for _name, amount in parts), ZERO), clause)


def amount_of(row: FundOutlook, name: str) -> Decimal | None:
    """The named amount of an outlook (yuan)."""
    return {
        "package": row.total,
        "prepaid": row.prepaid,
        "charged": row.charged if row.has_data else None,
        "expected": row.end.expected if row.end else None,
    }[name]


def fund_totals(found: Mapping[Key, FundOutlook], alliances: Sequence[Alliance]) -> list[FundTotal]:
    return [_total(fund, [found[(alliance.pk, fund)] for alliance in alliances]) for fund in FundType.values]


def _total(fund: str, rows: Iterable[FundOutlook]) -> FundTotal:
    rows = tuple(rows)
    packages = [row.package for row in rows if row.package is not None]
    expected = [row.end.expected for row in rows if row.end is not None]
    dates = [row.data_to for row in rows if row.data_to is not None]
    return FundTotal(
        fund=fund,
        package=sum((package.total for package in packages), ZERO),
        provisional=sum(package.provisional for package in packages),
        without_package=len(rows) - len(packages),
        prepaid=sum((row.prepaid for row in rows), ZERO),
        charged=sum((row.charged for row in rows), ZERO),
        expected=sum(expected, ZERO) if expected else None,
        data_to=min(dates, default=None),
        rows=rows,
    )
