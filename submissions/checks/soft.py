"""Soft checks S1–S9: the figures may stand, but somebody has to say why (domain §5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from rules.money import round_fen
from rules.quarterly import change_percent, derived
from submissions.checks.context import FUNDS, STEP, CheckContext, at_member, at_row, sheets_rows, tolerance
from submissions.checks.wording import apart, percent, shown
from submissions.figures import Found, MemberValues

HUNDRED = Decimal(100)
AVERAGES = {
    "average_outpatient_cost": ("9.o", "次均门诊费用"),
    "average_inpatient_cost": ("9.i", "次均住院费用"),
}
"""Formula → the typed row it is shown at, and its name."""


def changes(context: CheckContext) -> Iterator[Found]:
    """S1: a figure moved by more than the limit against the same period last year."""
    limit = context.limits.max_change
    for fund, row in sheets_rows(context, FUNDS):
        filed, last = context.figures.current(fund, row.code), context.last(fund, row.code)
        change = change_percent(filed, last)
        if row.prefill or filed is None or last is None or change is None:
            continue
        if abs(filed - last) > limit * abs(last):
            word = "增长" if change > 0 else "下降"
            text = f"较上年同期 {shown(last, row.unit)} {word} {abs(change)}%（限 ±{percent(limit)}）。"
            yield at_row(context, fund, row.code, text)


def averages(context: CheckContext) -> Iterator[Found]:
    """S2: an average cost far from that of the same period last year, or of the period before."""
    for fund in FUNDS:
        now = context.figures.values(fund)
        for formula, (code, name) in AVERAGES.items():
            filed = derived(formula, now, context.period.months)
            for when, values, months in _histories(context, fund):
                known = derived(formula, values, months)
                if filed is None or not known:
                    continue
                if _far(context, filed, known):
                    yield at_row(context, fund, code, _far_text(context, name, filed, when, known))
                break


def _histories(context: CheckContext, fund: str) -> Iterator[tuple[str, Mapping[str, Decimal | None], int]]:
    yield "上年同期", context.last_values(fund), context.period.months
    before = context.period.previous
    if context.previous is not None and before is not None:
        yield "上期", context.previous.values(fund), before.months


def _far(context: CheckContext, filed: Decimal, known: Decimal) -> bool:
    limits = context.limits
    return not known * limits.average_low <= filed <= known * limits.average_high


def _far_text(context: CheckContext, name: str, filed: Decimal, when: str, known: Decimal) -> str:
    low, high = context.limits.average_low, context.limits.average_high
    return f"{name} {filed:,} 元，{when} {known:,} 元，是其 {round_fen(filed / known)} 倍（限 {low}–{high} 倍）。"


def primary(context: CheckContext) -> Iterator[Found]:
    """S3: primary institutions get less than the floor."""
    floor = context.limits.primary_floor
    bases = {"in_alliance": "医共体内支出", "package": "打包总额（按月数）", "county": "全县基金支出"}
    for fund in FUNDS:
        share = primary_share(context, fund)
        if share is not None and share < floor and "4.p" in context.figures.funds[fund]:
            text = f"占{bases[context.limits.primary_base]} {percent(share)}，低于 {percent(floor)}。"
            yield at_row(context, fund, "4.p", text)


def primary_share(context: CheckContext, fund: str) -> Decimal | None:
    """Primary spending as a fraction of the base in force (A14); None where it cannot be said."""
    spent = context.figures.current(fund, "4.p")
    base = context.figures.current(fund, "4")
    if context.limits.primary_base == "package":
        package = context.figures.current(fund, "2")
        base = None if package is None else package * context.period.months / 12
    elif context.limits.primary_base == "county":
        base = context.facts.get(fund, {}).get("county")
    return None if spent is None or not base else spent / base


def outflow(context: CheckContext) -> Iterator[Found]:
    """S4: the share spent outside rose by more than the limit."""
    yield from _points(context, "outflow_share", "5", "占范围内支出", context.limits.outflow_points)


def drugs(context: CheckContext) -> Iterator[Found]:
    """S5: the drug share rose by more than the limit."""
    yield from _points(context, "drug_share", "9.1", "药占比", context.limits.drug_points)


def _points(context: CheckContext, formula: str, code: str, name: str, limit: Decimal) -> Iterator[Found]:
    for fund in FUNDS:
        now = derived(formula, context.figures.values(fund), context.period.months)
        last = derived(formula, context.last_values(fund), context.period.months)
        if now is not None and last is not None and now - last > limit * HUNDRED:
            text = f"{name} {now}%，上年同期 {last}%，+{now - last} 个百分点（限 {(limit * HUNDRED).normalize():f}）。"
            yield at_row(context, fund, code, text)


def facts(context: CheckContext) -> Iterator[Found]:
    """S6: a main row is apart from the settlement system's monthly figures."""
    limit = context.limits.facts_share
    for fund, row in sheets_rows(context, FUNDS):
        filed, known = context.figures.current(fund, row.code), context.facts.get(fund, {}).get(row.fact)
        if row.level or row.optional or filed is None or known is None:
            continue
        if beyond(filed, known, limit, tolerance(row.unit)):
            share = f"{percent(abs(filed - known) / abs(known))}，" if known else ""
            held = f"结算系统 1–{context.period.months} 月为 {shown(known, row.unit)}"
            text = f"{held}，{apart(filed, known, row.unit)}（{share}限 {percent(limit)}）。"
            yield at_row(context, fund, row.code, text)


def beyond(filed: Decimal, known: Decimal, limit: Decimal, slack: Decimal) -> bool:
    """Whether a filed figure is further from the facts than the limit allows; ``slack`` is the rounding of the sheet."""
    if not known:
        return bool(filed)
    return abs(filed - known) > max(limit * abs(known), slack)


def stays(context: CheckContext) -> Iterator[Found]:
    """S7: an average length of stay that cannot well be, of the alliance or of a member."""
    for fund in FUNDS:
        value = derived("length_of_stay", context.figures.values(fund), context.period.months)
        if value is not None and _odd_stay(context, value):
            yield at_row(context, fund, "8.1", _stay_text(context, value))
    for member in context.figures.members:
        days, left = member.values.get("bed_days"), member.values.get("discharges")
        if days is not None and left and _odd_stay(context, days / left):
            yield at_member(context, member, "bed_days", _stay_text(context, days / left))


def _odd_stay(context: CheckContext, days: Decimal) -> bool:
    return not context.limits.stay_low <= days <= context.limits.stay_high


def _stay_text(context: CheckContext, days: Decimal) -> str:
    return f"平均住院日 {round_fen(days)} 天，不在 {context.limits.stay_low}–{context.limits.stay_high} 天之间。"


def member_averages(context: CheckContext) -> Iterator[Found]:
    """S8: a member's average inpatient cost is far from that of the same period last year."""
    if context.last_year is None:
        return
    before = {(member.institution, member.fund_type): member for member in context.last_year.members}
    for member in context.figures.members:
        held = before.get((member.institution, member.fund_type))
        filed, known = _inpatient_average(member), _inpatient_average(held) if held else None
        if filed is not None and known and _far(context, filed, known):
            text = _far_text(context, "次均住院费用", round_fen(filed), "上年同期", round_fen(known))
            yield at_member(context, member, "inpatient_cost", text)


def _inpatient_average(member: MemberValues) -> Decimal | None:
    cost, left = member.values.get("inpatient_cost"), member.values.get("discharges")
    return None if cost is None or not left else cost / left


def member_pace(context: CheckContext) -> Iterator[Found]:
    """S9: a member has spent its yearly budget far ahead of the calendar."""
    due = Decimal(context.period.months) / 12
    for member in context.figures.members:
        spent, budget = member.values.get("spending"), member.values.get("budget")
        if spent is None or not budget or spent < STEP:
            continue
        pace = spent / budget
        if pace - due > context.limits.pace_points:
            text = f"已执行年度分配预算 {shown(budget, 'wan')} 的 {percent(pace)}，快于序时进度 {percent(due)} 达 {percent(pace - due)}。"
            yield at_member(context, member, "spending", text)
