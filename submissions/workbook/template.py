"""The workbook a hospital fills: one per alliance and period, made from the declaration of the table.

Everything but the input cells is locked (without a password). Formulas are for the eye only: the reader never uses them.
"""

from __future__ import annotations

import io
from decimal import Decimal

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.workbook.protection import WorkbookProtection
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from rules.money import round_fen
from submissions.declaration import FUND_SHEETS, MONEY_UNIT, UNITS, WHOLE_UNITS, Row, Table
from submissions.workbook import looks
from submissions.workbook.cells import WAN
from submissions.workbook.formulas import change_formula, derived_formula, execution_formula
from submissions.workbook.meta import META, meta_rows
from submissions.workbook.model import Prefill

CAUSE_LINES = 40
FUNDS = ("RES", "EMP")
VALUES = ("current", "last", "budget")
UNIT_LINE = "单位：万元，两位小数（人数、人次、床日、例数等见项目名称）"


def template_workbook(table: Table, prefill: Prefill) -> bytes:
    """The prefilled template of one alliance and period as xlsx."""
    book = Workbook()
    book.remove(book.active)
    book.properties.creator = "医共体打包基金管理"
    book.properties.title = f"{table.title} {prefill.period.text}"
    for fund in FUND_SHEETS:
        _fund_sheet(book.create_sheet(table.sheets[fund]), table, prefill, fund)
    _member_sheet(book.create_sheet(table.sheets["members"]), table, prefill)
    _cause_sheet(book.create_sheet(table.sheets["causes"]), table, prefill)
    _guide_sheet(book.create_sheet(table.sheets["guide"]), table)
    _meta_sheet(book.create_sheet(META), table, prefill)
    book.security = WorkbookProtection(lockStructure=True)
    book.calculation.fullCalcOnLoad = True
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def put(cell: Cell, value: str | int | Decimal | None) -> Cell:
    """Write a value; text stays text whatever it begins with."""
    cell.value = value
    if isinstance(value, str):
        cell.data_type = "s"
    return cell


def sheet_number(value: Decimal, unit: str) -> Decimal:
    """A kept value as the sheet holds it: yuan in 万元 with two decimals."""
    return round_fen(value / WAN) if unit == MONEY_UNIT else value


def headline(table: Table, sheet: str) -> str:
    """The title of a sheet: the table with the sheet's name in brackets."""
    return f"{table.title}（{sheet}）"


def _head(sheet: Worksheet, table: Table, prefill: Prefill, width: int) -> None:
    """Rows 1–4: title, place, period and unit, and who filled it."""
    place = f"县（市、区）：{prefill.county_name}　　医共体：{prefill.alliance_name}　　牵头医院：{prefill.lead_name}"
    time = f"期间：{prefill.period.text}（累计，{prefill.period.kind_text}）　　{UNIT_LINE}"
    looks.apply(put(sheet["A2"], place), looks.LINE)
    looks.apply(put(sheet["A3"], time), looks.LINE)
    for number in range(1, width + 1):
        looks.apply(put(sheet.cell(1, number), headline(table, sheet.title) if number == 1 else None), looks.TITLE)
    sheet.row_dimensions[1].height = 26
    for number, label in enumerate(("填报人", "复核人", "负责人", "填报日期")):
        looks.apply(put(sheet.cell(4, 2 * number + 1), label), looks.SIGN_LABEL)
        looks.apply(sheet.cell(4, 2 * number + 2), looks.SIGN)


def _headers(sheet: Worksheet, row: int, titles: list[tuple[str, int]]) -> None:
    for number, (title, width) in enumerate(titles, 1):
        looks.apply(put(sheet.cell(row, number), title), looks.HEADER)
        sheet.column_dimensions[get_column_letter(number)].width = width
    sheet.row_dimensions[row].height = 30


def _fund_sheet(sheet: Worksheet, table: Table, prefill: Prefill, fund: str) -> None:
    _head(sheet, table, prefill, len(table.columns))
    _headers(sheet, table.header_row, [(column.label, column.width) for column in table.columns])
    for row in table.rows:
        _fund_row(sheet, table, prefill, fund, row)
    looks.finish(sheet, f"C{table.header_row + 1}", table.header_row, landscape=False)


def _fund_row(sheet: Worksheet, table: Table, prefill: Prefill, fund: str, row: Row) -> None:
    line = table.row_number(row.code)
    strong = row.level == 0
    for number, column in enumerate(table.columns, 1):
        cell = sheet.cell(line, number)
        if column.kind == "code":
            looks.apply(put(cell, row.code), looks.text(strong))
        elif column.kind == "label":
            looks.apply(put(cell, row.title), looks.label(strong, row.level))
        elif column.kind == "note":
            looks.apply(cell, looks.NOTE)
        elif column.kind == "change":
            looks.apply(put_formula(cell, change_formula(table, row)), looks.derived("percent", strong))
        elif column.kind == "execution":
            formula = execution_formula(table, row) if row.budget else ""
            looks.apply(put_formula(cell, formula), looks.derived("percent", strong))
        else:
            _value(cell, table, prefill, fund, row, column.kind)
    if row.is_typed:
        _prompt(sheet, f"{table.cell(row.code)}:{table.cell(row.code, 'last')}", row.unit, row.sign, row.code, row.how)


def _value(cell: Cell, table: Table, prefill: Prefill, fund: str, row: Row, kind: str) -> None:
    strong = row.level == 0
    if not row.is_typed:
        shown = kind in ("current", "last")
        formula = derived_formula(table, row, kind, prefill.period.months) if shown else ""
        looks.apply(put_formula(cell, formula), looks.derived(row.unit, strong))
    elif kind == "budget" and not row.budget:
        looks.apply(cell, looks.derived(row.unit, strong))
    elif (value := prefill.values.get((fund, row.code, kind))) is not None:
        looks.apply(put(cell, sheet_number(value, row.unit)), looks.prefilled(row.unit, strong))
    else:
        looks.apply(cell, looks.entry(row.unit, strong))


def put_formula(cell: Cell, formula: str) -> Cell:
    if formula:
        cell.value = formula
    return cell


def _prompt(sheet: Worksheet, cells: str, unit: str, sign: str, title: str, how: str) -> None:
    """How to fill the cell, shown when it is selected; a number outside its kind only warns."""
    rule = DataValidation(
        type="whole" if unit in WHOLE_UNITS else "decimal",
        operator="between" if sign == "any" else "greaterThanOrEqual",
        formula1="-99999999" if sign == "any" else "0",
        formula2="99999999" if sign == "any" else None,
        allow_blank=True,
        errorStyle="warning",
        errorTitle="请核对",
        error=f"此格应填{'整数' if unit in WHOLE_UNITS else '数字'}{'（' + UNITS[unit] + '）' if UNITS[unit] else ''}。",
        promptTitle=title[:32],
        prompt=how[:250] or None,
        showInputMessage=bool(how),
        showErrorMessage=True,
    )
    rule.add(cells)
    sheet.add_data_validation(rule)


def _member_sheet(sheet: Worksheet, table: Table, prefill: Prefill) -> None:
    _head(sheet, table, prefill, len(table.member_columns))
    _headers(sheet, table.header_row, [(column.title, column.width) for column in table.member_columns])
    line = table.header_row
    for member in prefill.members:
        for fund in FUNDS:
            line += 1
            known = {
                "institution": member.institution,
                "name": member.name,
                "level": member.level_text,
                "fund_type": table.sheets[fund],
            }
            for number, column in enumerate(table.member_columns, 1):
                cell = sheet.cell(line, number)
                value = prefill.member_values.get((member.institution, fund, column.key))
                if not column.is_typed:
                    looks.apply(put(cell, known.get(column.key, "")), looks.text(False))
                elif value is not None:
                    looks.apply(put(cell, sheet_number(value, column.unit)), looks.prefilled(column.unit, False))
                else:
                    looks.apply(cell, looks.entry(column.unit, False))
    if line > table.header_row:
        for number, column in enumerate(table.member_columns, 1):
            if column.is_typed:
                letter = get_column_letter(number)
                cells = f"{letter}{table.header_row + 1}:{letter}{line}"
                _prompt(sheet, cells, column.unit, "nonnegative", column.label, column.how)
    looks.finish(sheet, f"E{table.header_row + 1}", table.header_row, landscape=True)


def _cause_sheet(sheet: Worksheet, table: Table, prefill: Prefill) -> None:
    _head(sheet, table, prefill, len(table.cause_columns))
    _headers(sheet, table.header_row, [(column.label, column.width) for column in table.cause_columns])
    first, last = table.header_row + 1, table.header_row + CAUSE_LINES
    for line in range(first, last + 1):
        for number, column in enumerate(table.cause_columns, 1):
            known = prefill.causes[line - first].get(column.key) if line - first < len(prefill.causes) else None
            looks.apply(put(sheet.cell(line, number), known), looks.DAY if column.unit == "date" else looks.NOTE)
    for number, column in enumerate(table.cause_columns, 1):
        if column.choices:
            letter = get_column_letter(number)
            choices = DataValidation(
                type="list", formula1=f'"{",".join(column.choices)}"', allow_blank=True, showErrorMessage=True,
                errorTitle="请选择", error="请从下拉列表中选择。",
            )  # fmt: skip
            choices.add(f"{letter}{first}:{letter}{last}")
            sheet.add_data_validation(choices)
    looks.finish(sheet, f"A{first}", table.header_row, landscape=True)


RULES = (
    "只填白色格；灰色格为预填或系统计算，已锁定。请勿插入、删除行列，不要改工作表名称、行次、项目和表头。",
    "金额单位为万元、两位小数；人数、人次、床日、例数填整数。只填数字，不带单位。",
    "本期累计为本年 1 月 1 日至期末。没有发生的填 0；空着表示没有填，不等于零。",
    "居民、职工分表填报，合计表为两者之和（病例组合指数等不能相加的除外，按全部参保人计算填写）。",
    "合计行（如第 3、4、5 行）也要填数，系统会核对；增减%、执行率%和系统计算行不读取。",
    "成员表每个成员单位、每个险种一行；各成员合计须与情况表对应行一致。",
    "当期结余为负或有红色预警的，须填“原因分析”表。",
)


def _guide_sheet(sheet: Worksheet, table: Table) -> None:
    widths = (12, 40, 12, 90)
    for number, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    looks.apply(put(sheet["A1"], f"{table.title}填报说明"), looks.HEADLINE)
    lines = [f"依据：{table.legal_basis}　　版本：第 {table.version} 版（{table.status}）{table.note}", *RULES]
    for number, text in enumerate(lines, 2):
        looks.apply(put(sheet.cell(number, 1), text if number == 2 else f"{number - 2}. {text}"), looks.LINE)
    line = len(lines) + 3
    rows = [(row.code, row.label, _unit(row.unit), _how(row.how, row.optional)) for row in table.rows]
    members = [(table.sheets["members"], column.label, _unit(column.unit), _how(column.how, column.optional))
               for column in table.member_columns if column.is_typed]  # fmt: skip
    for number, title in enumerate(("行次", "项目", "单位", "填法"), 1):
        looks.apply(put(sheet.cell(line, number), title), looks.HEADER)
    for at, entry in enumerate([*rows, *members], line + 1):
        for number, text in enumerate(entry, 1):
            looks.apply(put(sheet.cell(at, number), text), looks.PROSE)
    looks.finish(sheet, "A2", 1, landscape=True)


def _unit(unit: str) -> str:
    return UNITS[unit] or "—"


def _how(how: str, optional: bool) -> str:
    return f"{how}（没有的可以空着）" if optional else how


def _meta_sheet(sheet: Worksheet, table: Table, prefill: Prefill) -> None:
    for line in meta_rows(table, prefill):
        sheet.append(line)
    for (cell,) in sheet.iter_rows(min_col=2, max_col=2):
        cell.data_type = "s"
    sheet.sheet_state = "veryHidden"
    sheet.protection.sheet = True


def link_to(sheet: str, cell: str) -> str:
    """The address of a cell inside the workbook, for a hyperlink."""
    return f"{quote_sheetname(sheet)}!{cell or 'A1'}"
