"""What changed since the last projection: late claims, volume, mix, outflow and price; adds up to the fen.

Months that were over at the earlier projection changed only by what became known late. Of the others, per service, N is
the number of settlements, P yuan each, o the share outside the county; ' marks the later projection:
volume = all settlements' relative change × the earlier amount; mix = Σ (N' − N × all'/all) × P of the service;
outflow = Σ N' × (o' − o) × (P outside − P inside); price = Σ N' × (P' − P) by service and part: the rest to the fen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from rules.forecast.estimate import CellEstimate
from rules.forecast.forecast import Forecast
from rules.forecast.history import MONTHS, ZERO, Cell, ForecastError, index_of
from rules.histories.table import IN_ALLIANCE, OUT_OF_COUNTY
from rules.money import round_fen, round_ratio
from rules.trace import Step, Trace, Value, percent

CLAUSE = "设计测算方法：全年推算变动分解，仅供分析，不作支付依据"
NAMES = {
    "volume": "人次", "price": "次均费用", "mix": "服务结构", "outflow": "县外流向", "late": "晚报补足",
    "unsplit": "未能区分",
}  # fmt: skip


class _Pair(NamedTuple):
    """Yuan and settlements of a cell in the months still open at the earlier projection: then and now."""

    yuan: Decimal
    number: Decimal
    yuan_now: Decimal
    number_now: Decimal

    @property
    def is_usable(self) -> bool:
        both = self.number > 0 and self.number_now > 0
        return both or not (self.number or self.number_now or self.yuan or self.yuan_now)


@dataclass(frozen=True)
class Decomposition:
    """The parts of a change in yuan. ``unsplit`` is what services without numbers of settlements changed by."""

    volume: Decimal
    price: Decimal
    mix: Decimal
    outflow: Decimal
    late: Decimal
    unsplit: Decimal
    trace: Trace

    @property
    def total(self) -> Decimal:
        return self.volume + self.price + self.mix + self.outflow + self.late + self.unsplit

    def named(self) -> list[tuple[str, Decimal]]:
        """(Chinese name, yuan), for pages."""
        return [(text, getattr(self, name)) for name, text in NAMES.items()]


def decompose(before: Forecast, after: Forecast) -> Decomposition:
    """The change of the year end from ``before`` to ``after``, both of the same place, fund type and year.

    Raises ForecastError otherwise, and when ``after`` is not the later one.
    """
    if (before.place, before.fund_type) != (after.place, after.fund_type):
        raise ForecastError.one("对象", after.place, "两次推算不是同一医共体和险种，不能比较", "请选择同一对象")
    if before.as_of.year != after.as_of.year or after.as_of <= before.as_of:
        text = f"{before.as_of}与{after.as_of}的推算不属同一年度或先后颠倒，不能分解变动"
        raise ForecastError.one("月份", str(after.as_of), text, "请选择同一年度先后两个月的推算")
    closed = index_of(before.as_of) % MONTHS + 1
    cells = sorted(set(before.cells) | set(after.cells))
    late = sum(
        (_sum(after.cells.get(cell), 0, closed) - _sum(before.cells.get(cell), 0, closed) for cell in cells), ZERO
    )
    pairs = {
        cell: _Pair(
            _sum(before.cells.get(cell), closed, MONTHS),
            _sum(before.volumes.get(cell), closed, MONTHS),
            _sum(after.cells.get(cell), closed, MONTHS),
            _sum(after.volumes.get(cell), closed, MONTHS),
        )
        for cell in cells
    }
    open_change = sum((pair.yuan_now - pair.yuan for pair in pairs.values()), ZERO)
    services = [
        service
        for service in sorted({service for _, service in cells})
        if all(pair.is_usable for (_, name), pair in pairs.items() if name == service)
        and any(pair.number > 0 for (_, name), pair in pairs.items() if name == service)
    ]
    used = {cell: pair for cell, pair in pairs.items() if cell[1] in services}
    split = sum((pair.yuan_now - pair.yuan for pair in used.values()), ZERO)
    volume, mix, outflow = _split(used, services) if services else (ZERO, ZERO, ZERO)
    price = split - volume - mix - outflow
    steps = _steps(before, after, late, used, services, {"volume": volume, "mix": mix, "outflow": outflow})
    result = Decomposition(volume, price, mix, outflow, late, open_change - split, Trace(()))
    total = _step(
        "全年推算变动",
        "人次 + 次均费用 + 服务结构 + 县外流向 + 晚报补足 + 未能区分；次均费用取余数，合计到分相等",
        tuple(result.named()),
        result.total,
    )
    return Decomposition(volume, price, mix, outflow, late, open_change - split, Trace([*steps, total]))


def _split(pairs: Mapping[Cell, _Pair], services: list[str]) -> tuple[Decimal, Decimal, Decimal]:
    all_then = sum((pair.number for pair in pairs.values()), ZERO)
    all_now = sum((pair.number_now for pair in pairs.values()), ZERO)
    yuan = sum((pair.yuan for pair in pairs.values()), ZERO)
    growth = all_now / all_then
    volume = round_fen(yuan * (growth - 1))
    mix = outflow = ZERO
    for service in services:
        inside, outside = (pairs.get((part, service)) or _NOTHING for part in (IN_ALLIANCE, OUT_OF_COUNTY))
        then, now = inside.number + outside.number, inside.number_now + outside.number_now
        mix += (now - then * growth) * (inside.yuan + outside.yuan) / then
        if inside.number > 0 and outside.number > 0:
            gap = outside.yuan / outside.number - inside.yuan / inside.number
            outflow += now * (outside.number_now / now - outside.number / then) * gap
    return volume, round_fen(mix), round_fen(outflow)


_NOTHING = _Pair(ZERO, ZERO, ZERO, ZERO)


def _sum(cell: CellEstimate | None, first: int, last: int) -> Decimal:
    return sum((month.expected for month in cell.months[first:last]), ZERO) if cell is not None else ZERO


def _steps(
    before: Forecast,
    after: Forecast,
    late: Decimal,
    pairs: Mapping[Cell, _Pair],
    services: list[str],
    parts: Mapping[str, Decimal],
) -> list[Step]:
    closed = index_of(before.as_of) % MONTHS + 1
    was = sum((row.expected for row in before.months[:closed]), ZERO)
    now = sum((row.expected for row in after.months[:closed]), ZERO)
    inputs: tuple[tuple[str, Value], ...] = (("上次对已过月份的估计", was), ("本次对同样月份的估计", now))
    steps = [_step("晚报补足", "本次 − 上次", inputs, late)]
    if not services:
        return steps
    then = sum((pair.number for pair in pairs.values()), ZERO)
    later = sum((pair.number_now for pair in pairs.values()), ZERO)
    yuan = sum((pair.yuan for pair in pairs.values()), ZERO)
    steps.append(
        _step(
            "人次",
            "上次对其余月份的金额 ×（本次人次 ÷ 上次人次 − 1）",
            (("上次金额", yuan), ("上次人次", then), ("本次人次", later)),
            parts["volume"],
        )
    )
    named: list[tuple[str, Value]] = []
    flows: list[tuple[str, Value]] = []
    for service in services:
        inside, outside = (pairs.get((part, service)) or _NOTHING for part in (IN_ALLIANCE, OUT_OF_COUNTY))
        text = SERVICE_NAMES.get(service, service or "全部")
        count, count_now = inside.number + outside.number, inside.number_now + outside.number_now
        named += [
            (f"{text}上次人次", count),
            (f"{text}本次人次", count_now),
            (f"{text}上次次均", round_fen((inside.yuan + outside.yuan) / count)),
        ]
        flows += [
            (f"{text}上次县外占比", percent(round_ratio(outside.number / count))),
            (f"{text}本次县外占比", percent(round_ratio(outside.number_now / count_now))),
        ]
    steps.append(_step("服务结构", "Σ（本次人次 − 上次人次 × 总人次变动比）× 上次次均", tuple(named), parts["mix"]))
    text = "Σ 本次人次 ×（本次县外占比 − 上次县外占比）×（县外次均 − 县内次均，均为上次）"
    steps.append(_step("县外流向", text, tuple(flows), parts["outflow"]))
    return steps


SERVICE_NAMES = {"inpatient": "住院", "outpatient": "门诊"}


def _step(label: str, text: str, inputs: tuple[tuple[str, Value], ...], value: Decimal) -> Step:
    return Step(label, text, inputs, value, CLAUSE)
