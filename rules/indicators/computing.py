"""One indicator of one place and period, with its trace (domain §5). Nothing is estimated and nothing is made up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from rules.indicators.bases import BASE_BY_KEY, BASES
from rules.indicators.catalogue import BY_KEY, Indicator, Kind
from rules.money import round_fen, round_ratio
from rules.trace import Step, Trace, Value, percent

Sums = Mapping[str, Decimal | None]
PRIMARY_BASES = {
    "in_alliance": ("fund_in_alliance", "医共体内基金支出"),
    "package": ("package", "打包总额"),
    "county": ("fund_all", "全县基金支出"),
}
"""Choice of the parameter ``budgets.primary_share_base`` → base (A14)."""
YEAR = 12
UNITS = {"ratio": "比例", "points": "百分点差", "yuan": "元", "days": "日", "months": "个月", "number": "倍"}


@dataclass(frozen=True)
class Window:
    """The sums an indicator may ask for (yuan and counts; None: not known).

    ``now`` the period, ``before`` the same period a year earlier, ``to_date`` January to the period's end, ``year`` the
    last twelve months (every base None unless all twelve are there). ``pace`` is the usual share of the year up to the
    period's end, ``pace_text`` says where it comes from. ``primary_base`` is the choice of A14; measured against the
    package, a period of ``months`` months has that part of the year's.
    """

    now: Sums
    before: Sums = field(default_factory=dict)
    to_date: Sums = field(default_factory=dict)
    year: Sums = field(default_factory=dict)
    pace: Decimal | None = None
    pace_text: str = ""
    primary_base: str = "in_alliance"
    months: int = 1

    def sums(self, over: str) -> Sums:
        return {"now": self.now, "to_date": self.to_date, "year": self.year}[over]


class Missing(ValueError):
    """Why an indicator has no value; the text is for people."""


@dataclass(frozen=True)
class Reading:
    """``value`` as the indicator's unit says, None with the reason in ``missing``. ``top`` and ``bottom`` are the sums,
    ``volume`` and ``affected`` those of the indicator's bases in the period (None where not known)."""

    key: str
    value: Decimal | None
    missing: str
    top: Decimal | None
    bottom: Decimal | None
    volume: Decimal | None
    affected: Decimal | None
    trace: Trace

    @property
    def indicator(self) -> Indicator:
        return BY_KEY[self.key]


def add_up(months: Sequence[Sums]) -> dict[str, Decimal | None]:
    """The bases of consecutive months, oldest first, as one period: flows summed, stocks of the last month.

    A flow that one month does not know is not known for the period.
    """
    held = set().union(*months)
    found: dict[str, Decimal | None] = {}
    for base in BASES:
        if base.key not in held:
            found[base.key] = None
            continue
        values = [month.get(base.key) for month in months]
        if base.stock:
            found[base.key] = values[-1]
        else:
            known = [value for value in values if value is not None]
            found[base.key] = sum(known, Decimal(0)) if len(known) == len(values) else None
    return found


def compute(key: str, window: Window) -> Reading:
    """The indicator over the window. Never raises for data: what cannot be worked out says why in ``missing``."""
    indicator = BY_KEY[key]
    sums = window.sums(indicator.over)
    volume = _known(window.now, indicator.volume)
    affected = _known(sums, indicator.affected)
    try:
        top, bottom, value, steps = _work_out(indicator, window)
    except Missing as why:
        return Reading(key, None, str(why), None, None, volume, affected, Trace())
    return Reading(key, value, "", top, bottom, volume, affected, Trace(steps))


def _work_out(indicator: Indicator, window: Window) -> tuple[Decimal, Decimal, Decimal, list[Step]]:
    if indicator.kind == Kind.CHANGE:
        return _change(indicator, window)
    sums = window.sums(indicator.over)
    bottoms = indicator.bottom
    if indicator.kind == Kind.PRIMARY:
        bottoms = (PRIMARY_BASES[window.primary_base][0],)
    _need((*indicator.top, *bottoms), sums)
    top, inputs = _sum(indicator.top, sums)
    bottom, more = _sum(bottoms, sums)
    if indicator.kind == Kind.PRIMARY and bottoms == ("package",):
        bottom = round_fen(bottom * window.months / YEAR)
        more = ((f"打包总额 × {window.months} ÷ {YEAR}", bottom),)
    _need_positive(bottom, bottoms)
    value = _rounded(indicator, _scaled(indicator, top) / bottom)
    step = Step(indicator.label, indicator.expression, (*inputs, *more), value, indicator.clause, UNITS[indicator.unit])
    if indicator.kind != Kind.PACE:
        return top, bottom, value, [step]
    if window.pace is None:
        raise Missing("没有可比的序时进度。")
    used = step._replace(label="预算执行率", expression="本年累计打包范围内基金支出 ÷ 打包总额", unit=UNITS["ratio"])
    gap = round_ratio(value - window.pace)
    parts: tuple[tuple[str, Value], ...] = (("预算执行率", percent(value)), (window.pace_text, percent(window.pace)))
    return top, bottom, gap, [used, Step(indicator.label, indicator.expression, parts, gap, indicator.clause, UNITS["points"])]


def _change(indicator: Indicator, window: Window) -> tuple[Decimal, Decimal, Decimal, list[Step]]:
    name = BASE_BY_KEY[indicator.top[0]].label
    _need(indicator.top, window.now)
    top, _inputs = _sum(indicator.top, window.now)
    if window.before.get(indicator.top[0]) is None:
        raise Missing(f"没有上年同期的“{name}”，不能同比。")
    bottom, _more = _sum(indicator.top, window.before)
    if bottom <= 0:
        raise Missing(f"上年同期“{name}”为 {bottom}，不能同比。")
    value = round_ratio(top / bottom - 1)
    inputs: tuple[tuple[str, Value], ...] = ((f"本期{name}", top), (f"上年同期{name}", bottom))
    return top, bottom, value, [Step(indicator.label, indicator.expression, inputs, value, indicator.clause, UNITS["ratio"])]


def _need(keys: Iterable[str], sums: Sums) -> None:
    """Everything that is missing, said at once."""
    names = dict.fromkeys(key.removeprefix("-") for key in keys)
    missing = [BASE_BY_KEY[key].label for key in names if sums.get(key) is None]
    if missing:
        raise Missing(f"缺少{'、'.join(missing)}。")


def _sum(keys: Iterable[str], sums: Sums) -> tuple[Decimal, tuple[tuple[str, Value], ...]]:
    """The signed total of bases that are all known, and each with its label."""
    total, inputs = Decimal(0), []
    for signed in keys:
        key = signed.removeprefix("-")
        value = sums[key]
        assert value is not None  # _need has asked
        total += -value if signed.startswith("-") else value
        inputs.append((BASE_BY_KEY[key].label, value))
    return total, tuple(inputs)


def _need_positive(bottom: Decimal, keys: Sequence[str]) -> None:
    name = BASE_BY_KEY[keys[0].removeprefix("-")].label
    if bottom == 0:
        raise Missing(f"分母“{name}”为零，不计算。")
    if bottom < 0:
        raise Missing(f"分母“{name}”为负（冲销大于发生），不计算。")


def _scaled(indicator: Indicator, top: Decimal) -> Decimal:
    return top * indicator.scale / (10_000 if indicator.key == "cmi" else 1)


def _rounded(indicator: Indicator, value: Decimal) -> Decimal:
    return round_fen(value) if indicator.unit == "yuan" else round_ratio(value)


def _known(sums: Sums, key: str) -> Decimal | None:
    return sums.get(key) if key else None


__all__ = ["PRIMARY_BASES", "Missing", "Reading", "Window", "add_up", "compute"]
