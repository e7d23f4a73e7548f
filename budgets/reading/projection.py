"""Where a year's cash is heading: facts to date carried to year end, then the year-end formula (E4).

Carried by :mod:`rules.projection`, the same estimate the overview shows; the package's own parts where there are no
facts yet. For warnings only; nothing is paid by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from claims.reading import PackageScope, fund_year, months_by_year
from core.models import Alliance
from rules.errors import RuleError
from rules.money import ZERO
from rules.periods import Month
from rules.projection import HISTORY_YEARS, METHODS, PastYear, SeasonalShare, project_year, seasonal_share
from rules.scheme import Scheme
from rules.settlement import settle_year
from rules.trace import Step, Trace

PLANNED = "planned"
METHOD_TEXTS = {**METHODS, PLANNED: "按打包总额构成（尚无本年数据）"}


@dataclass(frozen=True)
class Projection:
    """A year carried to its end (yuan). ``cash`` below zero means that prepayment is running ahead of what is due."""

    method: str
    s_in: Decimal
    outflow: Decimal
    prepaid: Decimal
    cash: Decimal
    data_to: date | None
    trace: Trace

    @property
    def method_text(self) -> str:
        return METHOD_TEXTS[self.method]


def project(
    alliance: Alliance,
    year: int,
    fund_type: str,
    *,
    scheme: Scheme,
    package: Decimal,
    planned_parts: tuple[Decimal, Decimal],
    prepaid: Decimal,
    scope: PackageScope = PackageScope.DEFAULT,
    through: Month | None = None,
) -> Projection | None:
    """Project year-end cash; None where the scheme cannot settle such a figure.

    ``package`` B, ``planned_parts`` its in-alliance and out-of-county parts, ``prepaid`` the planned P of the whole
    year; the assessment is taken as full.
    """
    facts = fund_year(alliance, year, fund_type, scope, through)
    steps: list[Step] = []
    try:
        if not facts.months_present or not facts.charged:
            method, (s_in, outflow), sisters = PLANNED, planned_parts, ZERO
        else:
            season = _season(alliance, year, fund_type, scope, facts.months_present)
            inside = project_year(facts.in_alliance, season, "全年医共体内应付")
            outside = project_year(facts.outflow, season, "全年县域外支付")
            method, s_in, outflow = season.method, inside.expected, outside.expected
            sisters = season.carry(facts.treated_for_sisters)
            steps += [*season.trace, *inside.steps, *outside.steps]
        settled = settle_year(
            scheme,
            package=package,
            s_in=s_in,
            outflow=outflow,
            prepaid=prepaid,
            treated_for_sisters=sisters,
            ratio_base=None if scheme.ratio_base == "adjusted_package" else package,
            assumed_factor=Decimal(1),
        )
    except RuleError:
        return None
    cash_inputs = (
        ("预计医共体内应付", s_in),
        ("预计收治兄弟医共体", sisters),
        ("预计留用结余", settled.retained),
        ("预计医共体承担超支", settled.alliance_bears),
        ("全年计划预付", prepaid),
    )
    text = "医共体内应付 + 收治兄弟医共体 + 留用结余 − 承担超支 − 全年计划预付"
    steps.append(Step("预计年终现金", text, cash_inputs, settled.cash, "赣医保发〔2022〕23号 §二(二)4-5"))
    return Projection(method, s_in, outflow, prepaid, settled.cash, facts.data_to, Trace(steps))


def _season(
    alliance: Alliance, year: int, fund_type: str, scope: PackageScope, present: tuple[Month, ...]
) -> SeasonalShare:
    """The share of a year the present months make up, by the earlier years delivered."""
    key = (alliance.pk, fund_type)
    by_year: dict[int, dict[int, Decimal]] = {}
    for point in months_by_year([alliance], year - HISTORY_YEARS, year - 1, {key: scope})[key]:
        by_year.setdefault(point.month.year, {})[point.month.month] = point.charged
    return seasonal_share([month.month for month in present], [PastYear(*past) for past in by_year.items()])
