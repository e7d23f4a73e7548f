"""The trace of a projection: the figures and the arithmetic, in the order in which a person would redo them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from rules.forecast.decomposition import SERVICE_NAMES
from rules.forecast.development import LAGS, NONE, OWN
from rules.forecast.estimate import COMPLETED, FADE, MISSING, PROJECTED, CellEstimate
from rules.forecast.history import MONTHS, ZERO, month_at
from rules.forecast.replaying import REACH
from rules.histories.table import IN_ALLIANCE, OUT_OF_COUNTY
from rules.money import round_ratio
from rules.trace import Step, Trace, Value, percent

if TYPE_CHECKING:
    from rules.forecast.forecast import Forecast

CLAUSE = "设计测算方法：季节权重 × 水平，晚报按进展系数补足；仅供预警，不作支付依据"
PART_NAMES = {IN_ALLIANCE: "医共体内", OUT_OF_COUNTY: "县外及其他医共体"}
_SOURCES = {OWN: "本地", "pool": "统筹区", NONE: "无数据，按已到齐"}


def explain(forecast: Forecast) -> Trace:
    """The steps of every cell, then the year end and its range."""
    steps: list[Step] = []
    for (part, service), cell in forecast.cells.items():
        name = PART_NAMES[part] + SERVICE_NAMES.get(service, service)
        steps += _cell(name, cell, forecast)
    inputs: tuple[tuple[str, Value], ...] = tuple(
        (f"{PART_NAMES[part]}{SERVICE_NAMES.get(service, service)}", cell.expected)
        for (part, service), cell in forecast.cells.items()
    )
    steps.append(_step("预计全年发生", "各部分相加", inputs, forecast.expected))
    spread = forecast.spread
    if forecast.low is not None and forecast.high is not None and spread.low is not None and spread.high is not None:
        for name, ratio, value in (("下限", spread.low, forecast.low), ("上限", spread.high, forecast.high)):
            parts: tuple[tuple[str, Value], ...] = (
                ("预计全年发生", forecast.expected),
                ("1 ∓ 往年误差", ratio),
                ("依据", forecast.range_text),
            )
            steps.append(
                _step(
                    f"80%区间{name}",
                    f"预计 ×（1 ∓ 往年同月及上月误差大小的 {percent(REACH)} 分位），四舍五入到分",
                    parts,
                    value,
                )
            )
    else:
        steps.append(Step("80%区间", forecast.range_text, (), "不给区间", CLAUSE, ""))
    return Trace(steps)


def _cell(name: str, cell: CellEstimate, forecast: Forecast) -> list[Step]:
    first = forecast.as_of.year * MONTHS
    season, development = cell.season, cell.development
    years = "、".join(map(str, season.years)) or "无"
    weights: tuple[tuple[str, Value], ...] = tuple(
        (f"{place + 1}月", season.weight(first + place)) for place in range(MONTHS)
    )
    source = f"完整年份：{years}" + ("，并与统筹区权重加权" if season.pooled else "")
    steps = [
        _step(
            f"{name}月份权重",
            f"各年（本月 ÷ 当年月均）的中位数，已按春节日期移动（淡季每日减 {percent(season.dip)}）；{source}",
            weights,
            sum((season.weight(first + place) for place in range(MONTHS)), ZERO),
            "权重",
        )
    ]
    if any(month.kind == COMPLETED for month in cell.months):
        shown: list[tuple[str, Value]] = []
        for lag in range(LAGS):
            source = f"{_SOURCES[development.sources[lag]]}，{development.months[lag]}个月"
            before, after = development.sums[lag]
            shown.append((f"满{lag}个月时合计（{source}）", before))
            shown.append((f"再过1个月合计（{source}）", after))
            shown.append((f"满{lag}个月后的进展系数（后者 ÷ 前者，六位小数）", development.factors[lag]))
        text = "1 ÷ 其后各进展系数之积，六位小数；值为当月末已知比例"
        steps.append(_step(f"{name}已知比例", text, tuple(shown), development.shares[0], "比例"))
    rows: list[tuple[str, Value]] = []
    for row in cell.rests_on:
        rows.append((f"{month_at(row.month)} 已知 {row.known} ÷（权重×已知比例）{row.exposure}", row.size))
        rows.append((f"{month_at(row.month)} 计入的分量", row.portion))
    growth = percent(forecast.view.growth)
    text = f"各月水平按分量加权平均；每早一月分量 ×{FADE}，往年月份先按常年增速 {growth} 抬升，偏离过大的月份截到界限"
    steps.append(_step(f"{name}月均水平", text, tuple(rows), cell.level))
    late = _of_kind(cell, COMPLETED) - sum((row.known for row in cell.months if row.kind == COMPLETED), ZERO)
    missing = _of_kind(cell, MISSING)
    rest: tuple[tuple[str, Value], ...] = tuple(
        (str(month_at(first + place)), row.expected)
        for place, row in enumerate(cell.months)
        if row.kind in (PROJECTED, MISSING)
    )
    if rest:
        steps.append(
            _step(f"{name}其余月份", "月均水平 × 月份权重，逐月四舍五入到分", rest, _of_kind(cell, PROJECTED) + missing)
        )
    inputs: tuple[tuple[str, Value], ...] = (
        ("已知", cell.known),
        ("预计晚报（月均水平 × 权重 ×（1 − 已知比例））", late),
        ("其余月份及缺月", _of_kind(cell, PROJECTED) + missing),
    )
    steps.append(_step(f"{name}预计全年", "三项相加", inputs, cell.expected))
    return steps


def _of_kind(cell: CellEstimate, kind: str) -> Decimal:
    return sum((row.expected for row in cell.months if row.kind == kind), ZERO)


def _step(label: str, text: str, inputs: tuple[tuple[str, Value], ...], value: Decimal, unit: str = "元") -> Step:
    return Step(label, text, inputs, value if unit == "元" else round_ratio(value), CLAUSE, unit)
