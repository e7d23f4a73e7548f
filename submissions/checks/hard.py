"""Hard checks H1–H12: a table with one of these is not accepted for filing (domain §5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from rules.money import ZERO
from rules.quarterly import derived
from submissions.checks.context import (
    FUNDS,
    SHEETS,
    CheckContext,
    at_member,
    at_row,
    differs,
    name_of,
    sheets_rows,
    tolerance,
    total,
)
from submissions.checks.soft import primary_share
from submissions.checks.wording import apart, hint, percent, shown, slip_of, wan
from submissions.declaration import UNITS, Row
from submissions.figures import Found, MemberValues

CORRECTIONS = ("更正", "冲销", "冲回")
"""Words in 说明 that allow a cumulative figure to fall."""


def sums(context: CheckContext) -> Iterator[Found]:
    """H1: money rows equal the rows they are made of, in both ways; member lines too."""
    for fund, row in sheets_rows(context):
        if row.is_money:
            yield from _row_sums(context, fund, row)
            if row.budget:
                yield from _added(context, fund, row, row.sum, "budget")
    for member in context.figures.members:
        for column in context.table.member_columns:
            if column.sum and column.is_money:
                yield from _member_sum(context, member, column.key)


def level_sums(context: CheckContext) -> Iterator[Found]:
    """H2: visits, discharges and other counts equal their levels exactly."""
    for fund, row in sheets_rows(context):
        if not row.is_money:
            yield from _row_sums(context, fund, row)


def _row_sums(context: CheckContext, fund: str, row: Row) -> Iterator[Found]:
    for codes in (row.sum, row.parts):
        yield from _added(context, fund, row, codes, "current")


def _added(context: CheckContext, fund: str, row: Row, codes: tuple[str, ...], column: str) -> Iterator[Found]:
    filed = context.typed(fund, row.code, column)
    cells = [(code, context.typed(fund, code, column)) for code in codes]
    added = total(value for _code, value in cells)
    if not codes or filed is None or added is None or not differs(filed, added, row.unit, len(codes)):
        return
    slack = tolerance(row.unit, len(codes))
    listed = "、".join(codes)
    text = f"{listed} 合计 {shown(added, row.unit)}，第 {row.code} 行 {shown(filed, row.unit)}，差 {shown(abs(filed - added), row.unit)}。"
    known = [(code, value) for code, value in cells if value is not None]
    slip = slip_of([(row.code, filed)], added, row.unit, slack) or slip_of(known, filed, row.unit, slack)
    if slip is None:
        remedy = f"请核对第 {row.code} 行与 {listed} 各行，使合计相等。"
        yield at_row(context, fund, row.code, text, remedy, column)
    else:
        yield at_row(context, fund, slip.key, text, slip.hint, column)


def _member_sum(context: CheckContext, member: MemberValues, key: str) -> Iterator[Found]:
    column = context.table.member_by_key[key]
    filed = member.values.get(key)
    added = total(member.values.get(part) for part in column.sum)
    if filed is None or added is None or not differs(filed, added, column.unit, len(column.sum)):
        return
    names = "、".join(context.table.member_by_key[part].label for part in column.sum)
    text = f"{names}合计 {shown(added, column.unit)}，{apart(filed, added, column.unit)}。"
    remedy = hint(filed, added, column.unit) or f"请核对该单位的{names}。"
    yield at_member(context, member, key, text, remedy)


def members_add_up(context: CheckContext) -> Iterator[Found]:
    """H3: all members together equal the row of the fund sheet."""
    for fund, row in sheets_rows(context, FUNDS):
        if not row.member:
            continue
        members = context.members(fund)
        filed = context.figures.current(fund, row.code)
        added = total(member.values.get(row.member) for member in members)
        lines = max(len(members), 1)
        if filed is None or added is None or not differs(filed, added, row.unit, lines):
            continue
        column = context.table.member_by_key[row.member]
        text = (
            f"成员表“{column.label}”合计 {shown(added, row.unit)}，情况表{name_of(row)} {shown(filed, row.unit)}，"
            f"差 {shown(abs(filed - added), row.unit)}。"
        )
        slack = tolerance(row.unit, lines)
        cells = [(str(at), member.values[row.member] or ZERO) for at, member in enumerate(members)]
        slip = slip_of([(row.code, filed)], added, row.unit, slack)
        wrong = None if slip else slip_of(cells, filed, row.unit, slack)
        if wrong is not None:
            yield at_member(context, members[int(wrong.key)], row.member, text, wrong.hint)
        else:
            remedy = slip.hint if slip else f"请核对成员表各行与情况表第 {row.code} 行，两处须同口径。"
            yield at_row(context, fund, row.code, text, remedy)


def not_below_last_period(context: CheckContext) -> Iterator[Found]:
    """H4: a cumulative figure does not fall below what was accepted for the period before."""
    if context.previous is None:
        return
    for fund, row in sheets_rows(context, FUNDS):
        filed, before = context.figures.current(fund, row.code), context.previous.current(fund, row.code)
        if filed is None or before is None or not _is_cumulative(context, row):
            continue
        note = context.figures.funds[fund][row.code].note
        if filed < before - tolerance(row.unit) and not any(word in note for word in CORRECTIONS):
            text = f"累计数小于上期已受理的 {shown(before, row.unit)}，少 {shown(before - filed, row.unit)}。"
            yield at_row(context, fund, row.code, text)


def _is_cumulative(context: CheckContext, row: Row) -> bool:
    """Sums of the year so far; not stocks, budgets in force, averages or balances that may fall."""
    stock = "insured"
    inside = context.table.by_code.get(row.within)
    if row.fact == stock or (inside is not None and inside.fact == stock):
        return False
    return row.adds and row.sign != "any" and row.prefill != "package"


def funds_add_up(context: CheckContext) -> Iterator[Found]:
    """H5: residents and employees together equal the total, where a row adds."""
    if any(fund not in context.figures.funds for fund in SHEETS):
        return
    for row in context.table.typed_rows:
        if row.adds:
            for column in ("current", "budget") if row.budget else ("current",):
                yield from _fund_total(context, row, column)


def _fund_total(context: CheckContext, row: Row, column: str) -> Iterator[Found]:
    parts = [context.typed(fund, row.code, column) for fund in FUNDS]
    if row.optional:
        parts = [part for part in parts if part is not None]
    added, filed = total(parts), context.typed("ALL", row.code, column)
    if added is None or (not parts and filed is None):
        return
    names = "、".join(f"{context.table.sheets[fund]} {shown(context.typed(fund, row.code, column), row.unit) or '空'}" for fund in FUNDS)
    if filed is None:
        yield at_row(context, "ALL", row.code, f"合计没有填；{names}，应为 {shown(added, row.unit)}。", "请填合计数。", column)
    elif differs(filed, added, row.unit, 2):
        text = f"{names}，相加 {shown(added, row.unit)}，{apart(filed, added, row.unit)}。"
        remedy = hint(filed, added, row.unit) or "合计须等于居民与职工之和；请核对三张表的这一行。"
        yield at_row(context, "ALL", row.code, text, remedy, column)


def chains(context: CheckContext) -> Iterator[Found]:
    """H6: fund ≤ eligible ≤ total, parts within their whole, bed-days not below discharges; members too."""
    for fund, row in sheets_rows(context):
        filed = context.figures.current(fund, row.code)
        if filed is None:
            continue
        limit = context.figures.current(fund, row.within) if row.within else None
        if limit is not None and filed > limit + tolerance(row.unit):
            above = context.table.by_code[row.within]
            text = f"大于{name_of(above)} {shown(limit, above.unit)}，{apart(filed, limit, row.unit)}。"
            yield at_row(context, fund, row.code, text, hint(filed, limit, row.unit) or f"应不大于第 {row.within} 行。{row.how}")
        for codes in filter(None, ((row.at_least,) if row.at_least else (), row.at_least_sum)):
            floor = total(context.figures.current(fund, code) for code in codes)
            if floor is not None and filed < floor - tolerance(row.unit, len(codes)):
                names = "与".join(name_of(context.table.by_code[code]) for code in codes)
                text = f"小于{names} {shown(floor, row.unit)}，{apart(filed, floor, row.unit)}。"
                yield at_row(context, fund, row.code, text, f"应不小于{names}。{row.how}")
    floors = _member_floors(context)
    for member in context.figures.members:
        yield from _member_chains(context, member, floors)


def _member_floors(context: CheckContext) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """What the rows' relations mean for member columns: (larger columns, smaller columns) by the column to mend."""
    rows = context.table.by_code
    found: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
    for row in context.table.typed_rows:
        lower = (row.at_least,) if row.at_least else row.at_least_sum
        smaller = tuple(rows[code].member for code in lower)
        if row.member and smaller and all(smaller):
            found[row.member] = ((row.member,), smaller)
        for part in row.parts:
            whole = tuple(rows[code].member for code in row.sum)
            if row.sum and rows[part].member and all(whole):
                found[rows[part].member] = (whole, (rows[part].member,))
    return found


def _member_chains(
    context: CheckContext, member: MemberValues, floors: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
) -> Iterator[Found]:
    columns = context.table.member_by_key
    for key, (larger, smaller) in floors.items():
        top, low = (total(member.values.get(name) for name in names) for names in (larger, smaller))
        unit = columns[key].unit
        if top is None or low is None or low <= top + tolerance(unit, len(smaller)):
            continue
        upper, under = ("与".join(name_of(columns[name]) for name in names) for names in (larger, smaller))
        text = f"{under} {shown(low, unit)} 大于{upper} {shown(top, unit)}，差 {shown(low - top, unit)}。"
        yield at_member(context, member, key, text)


def counts(context: CheckContext) -> Iterator[Found]:
    """H7: persons, visits and days are whole; nothing is negative that cannot be."""
    for fund, row in sheets_rows(context):
        for column in ("current", "last", "budget"):
            value = context.typed(fund, row.code, column)
            text = _count_fault(value, row.unit, row.is_whole, row.sign == "any")
            if text:
                yield at_row(context, fund, row.code, text, column=column)
    for member in context.figures.members:
        for column_ in context.table.member_columns:
            if column_.is_typed:
                text = _count_fault(member.values.get(column_.key), column_.unit, column_.is_whole, False)
                if text:
                    yield at_member(context, member, column_.key, text)


def _count_fault(value: Decimal | None, unit: str, whole: bool, signed: bool) -> str:
    if value is None:
        return ""
    if whole and value != value.to_integral_value():
        return f"不是整数；单位是{UNITS[unit]}。"
    return "是负数；此项不能为负。" if value < 0 and not signed else ""


def prepaid_is_the_ledgers(context: CheckContext) -> Iterator[Found]:
    """H8: 累计预付 equals the payment ledger through the last day."""
    day = context.period.last_day
    for fund, row in sheets_rows(context, FUNDS):
        filed, paid = context.figures.current(fund, row.code), context.prepaid.get(fund)
        if row.prefill == "prepaid" and filed is not None and paid is not None and differs(filed, paid, row.unit):
            text = f"支付账截至 {day.month}月{day.day}日为 {wan(paid)}，{apart(filed, paid, row.unit)}。"
            remedy = hint(filed, paid, row.unit) or f"{day.month}月{day.day}日以后收到的不计入本期；改为 {wan(paid)}。"
            yield at_row(context, fund, row.code, text, remedy)


def package_in_force(context: CheckContext) -> Iterator[Found]:
    """H9: the package and the yearly budgets equal the version in force at the period's end."""
    for fund, row in sheets_rows(context, FUNDS):
        known = context.package.get(fund) if row.prefill == "package" else None
        yield from _as_in_force(context, fund, row, known, "current")
        if row.budget:
            yield from _as_in_force(context, fund, row, context.budgets.get(fund, {}).get(row.code), "budget")


def _as_in_force(context: CheckContext, fund: str, row: Row, known: Decimal | None, column: str) -> Iterator[Found]:
    filed = context.typed(fund, row.code, column)
    if known is None or (filed is None and _told_by_reader(row, column)):
        return
    day = context.period.last_day
    in_force = f"{day.year}年{day.month}月{day.day}日有效的打包预算为 {wan(known)}"
    if filed is None:
        yield at_row(context, fund, row.code, f"没有填；{in_force}。", f"改为 {wan(known)}。", column)
    elif differs(filed, known, row.unit):
        remedy = hint(filed, known, row.unit) or f"此项已预填，不得改动；改为 {wan(known)}。"
        yield at_row(context, fund, row.code, f"{in_force}，{apart(filed, known, row.unit)}。", remedy, column)


def _told_by_reader(row: Row, column: str) -> bool:
    """A blank cell of 本期累计 is named while the workbook is read, unless its row may stay blank."""
    return column == "current" and not row.optional


def last_year_as_accepted(context: CheckContext) -> Iterator[Found]:
    """H10: 上年同期 equals last year's accepted table."""
    if context.last_year is None:
        return
    year = context.period.year - 1
    for fund, row in sheets_rows(context):
        filed, known = context.typed(fund, row.code, "last"), context.last_year.current(fund, row.code)
        if known is None and filed is None:
            continue
        if known is None:
            text, remedy = f"{year} 年已受理的同期报表这一行是空的。", "请清空该格。"
        elif filed is None:
            text, remedy = f"没有填；{year} 年同期已受理 {shown(known, row.unit)}。", f"改为 {shown(known, row.unit)}。"
        elif differs(filed, known, row.unit):
            text = f"{year} 年同期已受理 {shown(known, row.unit)}，{apart(filed, known, row.unit)}。"
            remedy = hint(filed, known, row.unit) or f"此列已预填，不得改动；改为 {shown(known, row.unit)}。"
        else:
            continue
        yield at_row(context, fund, row.code, text, remedy, "last")


def causes_are_given(context: CheckContext) -> Iterator[Found]:
    """H11: a fund type with a negative current balance or a red signal has its causes and measures analysed."""
    for fund in FUNDS:
        reasons = _red_signals(context, fund)
        name = context.table.sheets[fund]
        lines = [cause for cause in context.figures.causes if cause.fund_type in (fund, name)]
        if not reasons or any(cause.cause.strip() and cause.measure.strip() for cause in lines):
            continue
        fault = "原因分析表里没有这个险种的分析" if not lines else "原因分析表里没有同时写明原因和整改措施"
        yield Found(
            code="", severity="", fund_type=fund, sheet=context.table.sheets["causes"], place=f"{name}原因分析",
            text=f"{name}{'；'.join(reasons)}；{fault}。",
        )  # fmt: skip


def _red_signals(context: CheckContext, fund: str) -> list[str]:
    balance = derived("current_balance", context.figures.values(fund), context.period.months)
    share, floor = primary_share(context, fund), context.limits.primary_floor
    found = [f"当期结余 {wan(balance)}，小于零"] if balance is not None and balance < 0 else []
    if share is not None and share < floor:
        found.append(f"基层支出占比 {percent(share)}，低于 {percent(floor)}")
    return found


def scores(context: CheckContext) -> Iterator[Found]:
    """H12: an assessment score lies between 0 and 100."""
    if "score" not in context.table.member_by_key:
        return
    for member in context.figures.members:
        score = member.values.get("score")
        if score is not None and not 0 <= score <= 100:
            yield at_member(context, member, "score", "考核得分不在 0 到 100 之间。")
