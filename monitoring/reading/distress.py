"""The state of a county's funds month by month: distress, whether it continues, and why. Reads 基金月报 and facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from core.models import FundType
from monitoring.parameters import CONTINUING_PERIODS, CONTINUING_UNIT, SINGLE_MONTH
from monitoring.reading.figures import MonthRow, month_rows
from monitoring.reading.places import PlaceRef
from rules.distress import Causes, Distress, Sides, causes_of, is_continuing, judge_fund
from rules.indicators import Window, add_up, compute
from rules.periods import Month
from rules.projection import HISTORY_YEARS
from rules.spans import Span

BASES = (
    "income", "fund_spending", "fund_inpatient", "fund_outpatient", "fund_all", "fund_in_county",
    "insured_discharges_in_county", "inpatient_cost", "discharges",
)  # fmt: skip
LOOK_BACK = 12
"""Months looked back on for a continuing distress."""


@dataclass(frozen=True)
class FundState:
    """A fund at a month's end. ``distress`` None: not known, ``missing`` names the months. ``causes`` None: no last year.
    ``rows`` are the ids of the months it was made of."""

    place: PlaceRef
    fund_type: str
    month: Month
    distress: Distress | None
    continuing: bool
    causes: Causes | None
    missing: tuple[Month, ...]
    data_to: date | None
    rows: tuple[int, ...]


def fund_states(
    places: Sequence[PlaceRef],
    month: Month,
    settings: dict[str, Any],
    fund_types: Sequence[str] = tuple(FundType.values),
) -> list[FundState]:
    """Every fund of the counties at a month's end; one query. ``settings``: the parameters by key (texts)."""
    first = Month(month.year - HISTORY_YEARS - 1, 1)
    rows = month_rows(places, first, month, BASES, list(fund_types))
    return [
        _state(place, fund, month, rows.get((place.key, fund), {}), settings) for place in places for fund in fund_types
    ]


def settings_at(place: Any, on: date) -> dict[str, str]:
    """The parameters of the judgement at a county; one query."""
    from core.parameters import values

    held = values([SINGLE_MONTH, CONTINUING_UNIT, CONTINUING_PERIODS], place, on)
    return {key: value.text for key, value in held.items()}


def _state(
    place: PlaceRef, fund: str, month: Month, rows: dict[Month, MonthRow], settings: dict[str, str]
) -> FundState:
    single = settings[SINGLE_MONTH] in ("both", fund)
    flows = {
        base: {one: row.sums[base] for one, row in rows.items() if row.sums[base] is not None}
        for base in ("income", "fund_spending")
    }

    def at(one: Month) -> Distress | None:
        return judge_fund(flows["income"], flows["fund_spending"], one, single_month=single)

    distress = at(month)
    states: dict[Month, bool | None] = {}
    if distress is not None and distress.level:
        earlier = {one: at(one) for one in (month.plus(-back) for back in range(1, LOOK_BACK + 1))}
        states = {one: None if found is None else bool(found.level) for one, found in earlier.items()}
        states[month] = True
    needed = int(Decimal(settings[CONTINUING_PERIODS]))
    continuing = is_continuing(states, month, settings[CONTINUING_UNIT], needed)
    span = Span.to_date(month)
    used = [one for one in (*span.year_before().months, *span.months) if one in rows]
    causes = _causes(rows, span) if distress is not None and distress.level else None
    reach = [rows[one].data_to for one in span.months if one in rows]
    return FundState(
        place=place,
        fund_type=fund,
        month=month,
        distress=distress,
        continuing=continuing,
        causes=causes,
        missing=tuple(
            one for one in span.months if one not in flows["income"] or one not in flows["fund_spending"]
        ),
        data_to=max((one for one in reach if one is not None), default=None),
        rows=tuple(rows[one].pk for one in used),
    )


def _causes(rows: dict[Month, MonthRow], span: Span) -> Causes | None:
    now, before = _sides(rows, span.months), _sides(rows, span.year_before().months)
    return None if now is None or before is None else causes_of(now, before)


def _sides(rows: dict[Month, MonthRow], months: Sequence[Month]) -> Sides | None:
    if any(one not in rows or not rows[one].declared for one in months):
        return None
    sums = add_up([rows[one].sums for one in months])
    income, spending = sums["income"], sums["fund_spending"]
    if income is None or spending is None:
        return None
    everything, inside = sums["fund_all"], sums["fund_in_county"]
    return Sides(
        income=income,
        spending=spending,
        inpatient=sums["fund_inpatient"],
        outpatient=sums["fund_outpatient"],
        away=None if everything is None or inside is None else everything - inside,
        discharges=sums["insured_discharges_in_county"],
        average=compute("inpatient_average", Window(now=sums)).value,
    )


def months_missing_text(state: FundState) -> str:
    """Why a fund could not be judged."""
    named = "、".join(str(month) for month in state.missing[:6])
    return f"缺少 {named} 的基金月报（当期收入或支出），不判断是否出险。"


