"""Data of the overview's two charts, in 万元 as text with two decimals; None where a month has nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from core.templatetags.fund import percent, signed, wan
from monitoring.reading.projections import month_lines
from portal.reading.outlook import FundOutlook
from rules.forecast import ACTUAL
from rules.money import ZERO, round_fen
from rules.projection import SeasonalShare

MONTHS = range(1, 13)
NAMES = [f"{month}月" for month in MONTHS]


def monthly_chart(outlook: FundOutlook) -> dict[str, Any] | None:
    """Spending by month inside and outside the alliance, the rest as estimated, beside the monthly pace of the package."""
    if not outlook.months:
        return None
    by_month = {month.month.month: month for month in outlook.months}
    series: list[dict[str, Any]] = [
        {
            "name": "医共体内",
            "look": "solid",
            "data": [_wan(by_month[m].in_alliance) if m in by_month else None for m in MONTHS],
        },
        {
            "name": "县域外",
            "look": "soft",
            "data": [_wan(by_month[m].outflow) if m in by_month else None for m in MONTHS],
        },
    ]
    if outlook.season is not None and outlook.end is not None:
        coming = _coming(outlook)
        if coming:
            series.append({"name": "预计", "look": "expected", "data": [_wan(coming.get(m)) for m in MONTHS]})
        if outlook.package is not None:
            pace = outlook.season.pace(outlook.package.total)
            series.append(
                {"name": "序时额度", "look": "ink", "type": "line", "step": True, "data": [_wan(part) for part in pace]}
            )
    return {"categories": NAMES, "series": series}


def gap_chart(outlook: FundOutlook) -> dict[str, Any] | None:
    """How far spending is from the package's pace, month by month, to the estimated year end and its tiers."""
    if outlook.season is None or outlook.package is None or outlook.end is None or outlook.difference is None:
        return None
    package = outlook.package.total
    pace = outlook.season.pace(package)
    spent = {month.month.month: month.charged for month in outlook.whole_months}
    actual: list[str | None] = []
    gap = start = ZERO
    for month in MONTHS:
        gap += spent.get(month, ZERO) - pace[month - 1]
        actual.append(_wan(gap) if month in spent else None)
        start = gap if month in spent else start
    ends = {"projected": outlook.end.expected, "low": outlook.end.low, "high": outlook.end.high}
    paths = {name: _path(outlook.season, start, end, package) for name, end in ends.items()}
    data: dict[str, Any] = {
        "categories": NAMES,
        "actual": actual,
        "limits": _limits(outlook, package),
        "end_label": f"{signed(wan(outlook.difference))} · {signed(percent(outlook.ratio))}",
        "end_red": outlook.is_overrun,
        **paths,
    }
    if outlook.end.low is None:
        series = [
            {"name": "实际", "look": "solid", "data": actual},
            {"name": "预计", "look": "expected", "data": paths["projected"]},
        ]
        return {"kind": "line", "categories": NAMES, "series": series, "limits": data["limits"]}
    return {"kind": "band", "range_name": outlook.range_name, **data}


def describe(outlook: FundOutlook) -> str:
    """The figures of the charts in words."""
    told = [f"{month.month.month}月 {wan(month.charged)}" for month in outlook.months]
    end = f"，预计全年 {wan(outlook.end.expected)} 万元" if outlook.end else ""
    return f"各月发生（万元）：{'、'.join(told)}{end}" if told else "暂无数据"


def describe_gap(outlook: FundOutlook) -> str:
    """The gap to pace and the estimated year end in words."""
    if outlook.difference is None or outlook.season is None:
        return "暂无数据"
    side = "超支" if outlook.is_overrun else "结余"
    label = f"，落档 {outlook.shared.label}" if outlook.shared else ""
    return f"预计年末{side} {wan(abs(outlook.difference))} 万元（{signed(percent(outlook.ratio))}）{label}；{outlook.range_text}"


def _coming(outlook: FundOutlook) -> dict[int, Decimal]:
    """The estimate of the months still to come; a month only partly there shows what is missing on top."""
    assert outlook.season is not None and outlook.end is not None
    if outlook.projection is not None:
        held = {month.month.month: month.charged for month in outlook.months}
        lines = month_lines(outlook.projection)
        return {
            line.month.month: max(line.expected - held.get(line.month.month, ZERO), ZERO)
            for line in lines
            if line.kind != ACTUAL
        }
    missing = [month for month in MONTHS if month not in outlook.season.months]
    rest = outlook.season.spread(outlook.end.expected - outlook.spent)
    known = {month.month.month: month.charged for month in outlook.months}
    return {month: max(part - known.get(month, ZERO), ZERO) for month, part in zip(missing, rest, strict=True)}


def _path(season: SeasonalShare, start: Decimal, end: Decimal | None, package: Decimal) -> list[str | None]:
    """From the last whole month to the year end, rising as the months usually do."""
    last = season.months[-1]
    missing = [month for month in MONTHS if month > last]
    if end is None or not missing:
        return [None] * 12
    path = {last: start}
    rises = season.spread(end - package - start)[-len(missing) :]
    level = end - package - sum(rises, ZERO)
    for month, rise in zip(missing, rises, strict=True):
        level += rise
        path[month] = level
    return [_wan(path.get(month)) for month in MONTHS]


def _limits(outlook: FundOutlook, package: Decimal) -> list[dict[str, Any]]:
    """The package itself and the tier bounds on the side the estimate falls to, up to one beyond it."""
    limits: list[dict[str, Any]] = [{"name": "打包总额", "value": "0.00", "at": "end"}]
    sign = 1 if outlook.is_overrun else -1
    reach = max(abs(r) for r in (outlook.ratio, outlook.low_ratio, outlook.high_ratio, Decimal(0)) if r is not None)
    tiers = outlook.tiers if sign > 0 else list(reversed(outlook.tiers))
    for here, beyond in zip(tiers, tiers[1:], strict=False):
        bound = here.upper if sign > 0 else here.lower
        if bound is None or bound * sign <= 0:
            continue
        limits.append(
            {
                "name": f"{here.label} / {beyond.label}  {signed(percent(bound, 0))}",
                "value": _wan(package * bound),
                "red": sign > 0,
            }
        )
        if bound * sign > reach:
            break
    return limits


def _wan(amount: Decimal | None) -> str | None:
    return None if amount is None else str(round_fen(amount / 10000))
