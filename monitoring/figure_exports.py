"""The indicator pages as workbooks: the same lines in the same order, the same totals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.models import FundType
from core.workbook import Sheet
from monitoring.reading.heat import Heat, HeatRow
from monitoring.reading.indicator_text import UNITS, sheet_change, sheet_value
from monitoring.reading.league import LeagueRow
from monitoring.reading.places import PlaceRef
from monitoring.reading.series import Line, Point, Version, bases_shown
from rules.indicators import BASE_BY_KEY, Indicator
from rules.periods import Month
from rules.spans import Span

FUNDS_APART = "两险种分账核算，不合并计算"


def _head(place: str, fund: str, span: str, *more: str) -> tuple[str, ...]:
    return (f"{place} · {FundType(fund).label} · {span}", *more, FUNDS_APART)


def sheet_of_place(place: PlaceRef, fund: str, span: Span, lines: Sequence[Line]) -> Sheet:
    header = (
        "组别", "指标", "单位", "本期", "上年同期", "变化（百分点或%）", "同类中位数", "同类下四分位", "同类上四分位", "排名",
        "数据截至", "缺数原因", "公式", "依据",
    )  # fmt: skip
    rows = []
    for line in lines:
        one, peers = line.indicator, line.peers
        rows.append(
            [
                one.group, one.label, UNITS[one.unit], sheet_value(one, line.now.value), sheet_value(one, line.before.value),
                sheet_change(one, line.change),
                *(sheet_value(one, getattr(peers, part) if peers else None) for part in ("median", "low", "high")),
                peers.rank if peers else None, line.now.data_to, line.now.missing, one.expression, one.clause,
            ]
        )  # fmt: skip
    return Sheet("运行指标", header, rows, frozenset(range(3, 9)), _head(place.name, fund, span.text))


def league_sheet(
    indicator: Indicator, fund: str, span: Span, rows: Sequence[LeagueRow], total: LeagueRow | None, said: Sequence[str] = ()
) -> Sheet:
    header = (
        "排名", "编号", "对象", f"{indicator.label}（{UNITS[indicator.unit]}）", "上年同期", "变化（百分点或%）", "规模", "规模单位",
        "预警等级", "数据截至", "缺数原因",
    )  # fmt: skip
    unit = BASE_BY_KEY[indicator.volume].unit if indicator.volume else ""
    lines: list[list[Any]] = []
    for row in [*rows, *([total] if total else [])]:
        is_total = total is not None and row is total
        lines.append(
            [
                row.rank, row.place.code, f"{row.place.name}（合计）" if is_total else row.place.name,
                sheet_value(indicator, row.now.value), sheet_value(indicator, row.before.value),
                sheet_change(indicator, row.change), row.now.reading.volume, unit, row.level_text, row.now.data_to,
                row.now.missing,
            ]
        )  # fmt: skip
    note = ("合计由上级地方自身的基数重新计算，不是各行的平均",) if total else ()
    return Sheet("排行", header, lines, frozenset({3, 4, 5, 6}), _head(indicator.label, fund, span.text, *said, *note))


def heat_sheet(indicator: Indicator, fund: str, found: Heat, rows: Sequence[HeatRow], said: Sequence[str] = ()) -> Sheet:
    header = ("编号", "对象", *(str(month) for month in found.months))
    lines = [
        [row.place.code, f"{row.place.name}（合计）" if row is found.total else row.place.name]
        + [sheet_value(indicator, cell.figure.value) for cell in row.cells]
        for row in [*rows, *([found.total] if found.total else [])]
    ]
    span = f"{found.months[0]} 至 {found.months[-1]}，单位：{UNITS[indicator.unit]}"
    columns = frozenset(range(2, 2 + len(found.months)))
    return Sheet("逐月", header, lines, columns, _head(indicator.label, fund, span, *said))


def trend_sheet(place: PlaceRef, indicator: Indicator, fund: str, points: Sequence[Point]) -> Sheet:
    bases = bases_shown(indicator)
    header = (
        "月份", f"{indicator.label}（{UNITS[indicator.unit]}）", "上年同月", "变化（百分点或%）",
        *(f"{base.label}（{base.unit}）" for base in bases), "数据截至", "缺数原因",
    )  # fmt: skip
    rows = [
        [
            str(point.month), sheet_value(indicator, point.now.value), sheet_value(indicator, point.before.value),
            sheet_change(indicator, point.change),
            *(point.row.sums[base.key] if point.row else None for base in bases),
            point.row.data_to if point.row else None, point.now.missing,
        ]
        for point in points
    ]  # fmt: skip
    span = f"{points[0].month} 至 {points[-1].month}"
    return Sheet("逐月", header, rows, frozenset(range(1, 4 + len(bases))), _head(place.name, fund, span))


def version_sheet(indicator: Indicator, span: Span, rows: Sequence[Version]) -> Sheet:
    header = ("版本", "计算时间", "形成原因", "整月数据", "数据截至", f"当时（{UNITS[indicator.unit]}）", "现在")
    lines = [
        [
            row.number, f"{row.computed_at:%Y-%m-%d %H:%M}", row.reason, "是" if row.declared else "否", row.data_to,
            sheet_value(indicator, row.then.value), sheet_value(indicator, row.now.value),
        ]
        for row in rows
    ]  # fmt: skip
    return Sheet("何时所知", header, lines, frozenset({5, 6}), (f"{span.last} 的各版本，{indicator.label}（{span.text}）",))


def month_sheet(place: PlaceRef, fund: str, rows: Sequence[tuple[Month, Any]]) -> Sheet:
    header = (
        "月份", "版本", "整月数据", "数据截至", "打包范围内基金支出（元）", "参保人基金支出合计（元）",
        "医疗费用总额（元）", "形成原因", "计算时间",
    )  # fmt: skip
    lines = [
        [
            str(month), row.version, "是" if row.declared else "否", row.data_to, row.charged, row.fund_all, row.total_cost,
            row.reason, f"{row.computed_at:%Y-%m-%d %H:%M}",
        ]
        if row
        else [str(month), None, "否", None, None, None, None, "没有数据", ""]
        for month, row in rows
    ]  # fmt: skip
    span = f"{rows[0][0]} 至 {rows[-1][0]}"
    return Sheet("各月数据", header, lines, frozenset({4, 5, 6}), _head(place.name, fund, span))
