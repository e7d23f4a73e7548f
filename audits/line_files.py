"""Workbooks and text files of settlement ids with amounts, as officers send them: read whole, every fault by sheet and row."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from audits.models import Case, Finding
from audits.services.lines import Wanted, add_lines, counties_of
from core.errors import Problem, Refused
from core.models import County, User
from core.workbook import Sheet, by_header, cell_text, read_sheets, write_workbook

ID, AMOUNT, COUNTY, NOTE = "结算单号", "认定金额", "参保县（区）", "说明"
OPTIONAL = {COUNTY: "county", NOTE: "note"}
HEADER_WITHIN = 30
LARGEST = 20 * 1024 * 1024
EXACT = 15


def template() -> bytes:
    """The empty workbook."""
    notes = (
        "每行一张结算单；认定金额留空为基金支付全额，单位元；参保县（区）填名称或代码，留空为案件所在县（区）。",
        "结算单号请按文本填写，不要让表格软件转成数字。",
    )
    return write_workbook([Sheet("结算行", (ID, AMOUNT, COUNTY, NOTE), [], notes=notes)])


def add_from_file(actor: User, finding: Finding, content: bytes, name: str) -> int:
    """Add the claims a file lists to a finding, all or none; returns how many. Raises ``Refused`` with every fault."""
    wanted, problems = read_lines(finding.case, content, name)
    return add_lines(actor, finding, wanted, f"文件“{name[:80]}”", problems)


def read_lines(case: Case, content: bytes, name: str) -> tuple[list[Wanted], list[Problem]]:
    """(claims wanted, faults); ``Refused`` when the file cannot be opened or has no such table."""
    if len(content) > LARGEST:
        raise Refused([Problem("file", name, "文件超过 20 MB。", "请分批上传。")])
    sheets = {"CSV": _csv(content, name)} if name.lower().endswith((".csv", ".txt")) else read_sheets(content, name)
    tables = {title: rows for title, rows in sheets.items() if _header(rows)}
    if not tables:
        raise Refused([Problem("file", name, f"文件中没有找到表头“{ID}、{AMOUNT}”。", "请下载模板填写。")])
    counties = {word: county for county in counties_of(case) for word in (county.code, county.name)}
    wanted: list[Wanted] = []
    problems: list[Problem] = []
    for title, rows in tables.items():
        columns = {ID: "id", AMOUNT: "amount", **{head: OPTIONAL[head] for head in OPTIONAL if head in _header(rows)}}
        for number, cells in by_header(rows, columns, title):
            one, faults = _line(case, f"{title}!{number}", cells, counties)
            problems += faults
            wanted += [one] if one else []
    return wanted, problems


def _header(rows: Sequence[Sequence[Any]]) -> list[str]:
    """The titles of the row that names the settlement ids; empty when there is none near the top."""
    for row in rows[:HEADER_WITHIN]:
        titles = [cell_text(cell) for cell in row]
        if ID in titles:
            return titles
    return []


def _line(case: Case, where: str, cells: dict[str, Any], counties: dict[str, County]) -> tuple[Wanted | None, list[Problem]]:
    problems = []
    given, text = cells["id"], cell_text(cells["id"])
    if not text:
        problems.append(Problem(where, "", "没有填写结算单号。", "请补填，或删去这一行。"))
    elif isinstance(given, float) and len(text) > EXACT:
        problems.append(Problem(where, text, "结算单号被存为数字，末几位可能已丢失。", "请按文本重新填写单号。"))
    amount_text, amount = cell_text(cells["amount"]).replace(",", ""), None
    if amount_text:
        try:
            amount = Decimal(amount_text)
        except InvalidOperation:
            problems.append(Problem(where, amount_text, "认定金额不是数字。", "请填以元为单位的数字。"))
        if amount is not None and not amount.is_finite():
            problems.append(Problem(where, amount_text, "认定金额不是数字。", "请填以元为单位的数字。"))
    place = cell_text(cells.get("county", ""))
    county = counties.get(place) if place else case.county
    if county is None:
        problems.append(Problem(where, place, f"没有名称或代码为“{place}”的参保县（区）。", "请按名称或 6 位代码填写。"))
    if problems or county is None:
        return None, problems
    return Wanted(county, text, amount, cell_text(cells.get("note", "")), where), []


def _csv(content: bytes, name: str) -> list[list[Any]]:
    for coding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(coding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return [list(row) for row in csv.reader(io.StringIO(text), delimiter="\t" if "\t" in text.split("\n", 1)[0] else ",")]
    raise Refused([Problem("file", name, "不是 UTF-8 或 GB18030 编码的文本。", "请另存为 UTF-8 编码的 CSV，或使用 xlsx。")])
