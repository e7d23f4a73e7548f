"""Fund distress: judged every month for every county and fund, reported to the city at once (R-062)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from core.models import County, FundType
from core.templatetags.fund import yuan
from monitoring.reading.distress import FundState, fund_states, months_missing_text, settings_at
from monitoring.reading.places import PlaceRef, ref_of
from monitoring.services.raising import DISTRESS, Signal
from rules.distress import Causes, Distress
from rules.money import round_fen
from rules.periods import Month
from rules.trace import Trace


def judge_distress(county: County, fund_type: str, month: Month) -> Distress | None:
    """The state of one fund (``level`` empty: none); None when the months of the year are not all known."""
    states = fund_states([ref_of(county)], month, settings_at(county, month.last_day), [fund_type])
    return states[0].distress


def distress_signals(county: County, place: PlaceRef, month: Month) -> list[Signal]:
    """What the month says of both funds of a county."""
    return [_signal(state) for state in fund_states([place], month, settings_at(county, month.last_day))]


def _signal(state: FundState) -> Signal:
    fund, found = FundType(state.fund_type).label, state.distress
    common: dict[str, Any] = {
        "place": state.place, "fund_type": state.fund_type, "cause": DISTRESS, "month": state.month, "source": DISTRESS,
        "data_to": state.data_to, "rows": state.rows,
    }  # fmt: skip
    if found is None:
        return Signal(**common, level=None, title=f"{fund}基金出险", why_not=months_missing_text(state))
    data: dict[str, Any] = {
        "text": found.text,
        "shown": f"累计当期结余 {yuan(found.balance)} 元",
        "kinds": list(found.kinds),
        "continuing": state.continuing,
        "income": str(found.income),
        "spending": str(found.spending),
        "projected_income": _text(found.projected_income),
        "projected_spending": _text(found.projected_spending),
    }
    trace = found.trace
    if state.causes is not None:
        data |= {"worsening": str(state.causes.worsening), "causes": _causes(state.causes)}
        trace = trace + state.causes.trace
    elif found.level:
        data |= {"worsening": "", "causes": [], "causes_missing": "没有上年同期的完整数据，不能分析原因。"}
    before = _before(state.causes)
    return Signal(
        **common,
        level=found.level,
        title=f"{fund}基金出险：{found.text}" if found.level else f"{fund}基金当期收支正常",
        value=round_fen(found.balance),
        compared=before,
        bound=Decimal("0.00"),
        affected=found.shortfall,
        trace=Trace(trace).as_json(),
        data=data,
    )


def _causes(found: Causes) -> list[dict[str, Any]]:
    """Each cause as strings: ``share`` is yuan (the counted ones add up to ``worsening``), ``ratio`` its part of it."""
    return [
        {
            "key": cause.key,
            "label": cause.label,
            "unit": cause.unit,
            "now": _text(cause.now),
            "before": _text(cause.before),
            "change": _text(cause.change),
            "share": str(cause.share),
            "ratio": _text(cause.ratio),
            "text": cause.text,
            "counted": cause.counted,
        }
        for cause in found.causes
    ]


def _before(found: Causes | None) -> Decimal | None:
    """Last year's balance of the same months."""
    if found is None:
        return None
    sides = dict(found.trace.steps[0].inputs)
    return Decimal(str(sides["上年收入"])) - Decimal(str(sides["上年支出"]))


def _text(value: Decimal | None) -> str:
    return "" if value is None else f"{value:f}"
