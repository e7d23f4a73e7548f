"""Where a year's cash is heading: facts to date carried to year end, then the year-end formula (E4).

Seasonal share first (last year's same months over last year), straight months where last year is not whole, the
package's own parts where there are no facts yet. For warnings only; nothing is paid by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from claims.reading import PackageScope, fund_year, monthly_series
from core.models import Alliance
from rules.errors import RuleError
from rules.money import ZERO, round_fen, round_ratio
from rules.periods import Month
from rules.scheme import Scheme
from rules.settlement import settle_year
from rules.trace import Step, Trace, percent

CLAUSE = "设计测算方法：季节占比优先，无完整上年数据时按月份比例"
METHODS = {"seasonal": "按上年同期占比", "straight": "按已有月份比例", "planned": "按打包总额构成（尚无本年数据）"}


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
        return METHODS[self.method]


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
    if not facts.months_present or not facts.charged:
        method, (s_in, outflow), sisters = "planned", planned_parts, ZERO
    else:
        method, share = _share(alliance, year, fund_type, scope, facts.months_present, steps)
        s_in, outflow = round_fen(facts.in_alliance / share), round_fen(facts.outflow / share)
        sisters = round_fen(facts.treated_for_sisters / share)
        for label, so_far, whole in (
            ("预计全年医共体内应付", facts.in_alliance, s_in),
            ("预计全年县域外支付", facts.outflow, outflow),
        ):
            inputs = (("至今发生", so_far), ("占全年比例", percent(share)))
            steps.append(Step(label, "至今发生 ÷ 占全年比例，四舍五入到分", inputs, whole, CLAUSE))
    try:
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


def _share(
    alliance: Alliance, year: int, fund_type: str, scope: PackageScope, present: tuple[Month, ...], steps: list[Step]
) -> tuple[str, Decimal]:
    """The part of a year the present months make up."""
    last = {point.month.month: point.charged for point in monthly_series(alliance, year - 1, fund_type, scope)}
    same = sum((last.get(month.month, ZERO) for month in present), ZERO)
    whole = sum(last.values(), ZERO)
    if len(last) == 12 and same > 0 and whole > 0:
        share = round_ratio(same / whole)
        inputs = ((f"{year - 1}年同期", same), (f"{year - 1}年全年", whole))
        steps.append(Step("占全年比例", "上年同期发生 ÷ 上年全年发生，六位小数", inputs, share, CLAUSE, "比例"))
        return "seasonal", share
    share = round_ratio(Decimal(len(present)) / 12)
    inputs_ = (("已有月份", f"{len(present)}个月"), ("全年", "12个月"))
    steps.append(Step("占全年比例", "已有月份 ÷ 12，六位小数", inputs_, share, CLAUSE, "比例"))
    return "straight", share
