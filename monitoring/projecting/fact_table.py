"""A fact table from a CSV file, or everything that is wrong with it, line by line.

UTF-8 (with or without BOM), comma separated, a header line with ``place,fund_type,settled,known,part,service,
settlements,yuan`` in any order and optionally ``area``: what became known in the month ``known`` (2025-10) about care
settled in ``settled``; part ``in_alliance`` or ``out_of_county``, service ``inpatient`` or ``outpatient``, yuan with at
most two decimals, reversals negative.
"""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal, InvalidOperation
from pathlib import Path

from core.errors import Problem, Refused
from rules.histories import COLUMNS, FactRow
from rules.histories.table import FUND_TYPES, OPTIONAL, PARTS, SERVICES
from rules.money import MoneyError, exact
from rules.periods import Month, PeriodError

MAX_PROBLEMS = 1000
"""Lines named at most; the number of the others is told."""
_WHOLE = re.compile(r"-?[0-9]{1,12}")
_CHOICES = {"fund_type": FUND_TYPES, "part": PARTS, "service": SERVICES}
_REQUIRED = tuple(name for name in COLUMNS if name not in OPTIONAL)


def read_fact_table(path: Path) -> list[FactRow]:
    """The rows of the file. Raises Refused naming every bad line; nothing is read from a file with one."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as missing:
        raise _refused("文件", str(path), "文件不存在", "请核对路径") from missing
    except OSError as unreadable:
        raise _refused("文件", str(path), "文件不能读取", "请核对路径和权限") from unreadable
    except UnicodeDecodeError as wrong:
        raise _refused(
            "文件", str(path), f"不是 UTF-8 文本（第 {wrong.start + 1} 字节）", "请另存为 UTF-8 的 CSV"
        ) from wrong
    if "\0" in text:
        raise _refused("文件", str(path), "文件含有空字符，不是文本文件", "请另存为 UTF-8 的 CSV")
    return parse_fact_table(text)


def parse_fact_table(text: str) -> list[FactRow]:
    """As :func:`read_fact_table`, from the text."""
    reader = csv.reader(io.StringIO(text, newline=""))
    header = [name.strip() for name in next(reader, [])]
    _check_header(header)
    problems: list[Problem] = []
    rows: list[FactRow] = []
    seen: dict[tuple[object, ...], int] = {}
    try:
        for values in reader:
            line = reader.line_num
            if not any(value.strip() for value in values):
                continue
            if len(values) != len(header):
                problems.append(
                    _problem(line, "列数", str(len(values)), f"应有 {len(header)} 列，实有 {len(values)} 列")
                )
                continue
            row, wrong = _row(line, dict(zip(header, (value.strip() for value in values), strict=True)))
            problems += wrong
            if row is None:
                continue
            earlier = seen.setdefault(row[:7], line)
            if earlier != line:
                problems.append(_problem(line, "重复", row.place, f"与第 {earlier} 行的对象、月份、部分和服务相同"))
            rows.append(row)
    except csv.Error as wrong_csv:
        problems.append(_problem(reader.line_num, "格式", "", f"不能按 CSV 读取（{wrong_csv}）"))
    if not rows and not problems:
        problems.append(Problem("文件", "", "没有数据行", "请至少给出一年的数据"))
    if problems:
        more = len(problems) - MAX_PROBLEMS
        shown = problems[:MAX_PROBLEMS]
        if more > 0:
            shown.append(Problem("文件", str(more), f"另有 {more} 处问题未列出", "请先改正以上各行"))
        raise Refused(shown)
    return rows


def _check_header(header: list[str]) -> None:
    problems = [
        Problem("表头", name, f"缺少列 {name}", f"第 1 行须含 {','.join(_REQUIRED)}")
        for name in _REQUIRED
        if name not in header
    ]
    problems += [
        Problem("表头", name, f"不认识的列“{name}”", f"可用的列：{','.join(COLUMNS)}")
        for name in header
        if name not in COLUMNS
    ]
    problems += [
        Problem("表头", name, f"列 {name} 出现多次", "每列只能出现一次")
        for name in sorted({name for name in header if header.count(name) > 1})
    ]
    if problems:
        raise Refused(problems)


def _row(line: int, cells: dict[str, str]) -> tuple[FactRow | None, list[Problem]]:
    problems: list[Problem] = []
    if not cells["place"]:
        problems.append(_problem(line, "place", "", "没有填写医共体"))
    for name, allowed in _CHOICES.items():
        if cells[name] not in allowed:
            problems.append(_problem(line, name, cells[name], f"须为 {' 或 '.join(allowed)}"))
    settled, known = (_month(line, name, cells[name], problems) for name in ("settled", "known"))
    if settled is not None and known is not None and known < settled:
        problems.append(_problem(line, "known", cells["known"], f"获知月早于结算月 {settled}"))
    if not _WHOLE.fullmatch(cells["settlements"]):
        problems.append(_problem(line, "settlements", cells["settlements"], "结算人次须为整数"))
    yuan = _yuan(line, cells["yuan"], problems)
    if problems or settled is None or known is None or yuan is None:
        return None, problems
    row = FactRow(
        cells.get("area", ""), cells["place"], cells["fund_type"], settled, known, cells["part"], cells["service"],
        int(cells["settlements"]), yuan,
    )  # fmt: skip
    return row, []


def _month(line: int, name: str, text: str, problems: list[Problem]) -> Month | None:
    try:
        return Month.parse(text)
    except PeriodError:
        problems.append(_problem(line, name, text, "月份须写成 2025-09"))
        return None


def _yuan(line: int, text: str, problems: list[Problem]) -> Decimal | None:
    try:
        return exact(Decimal(text), "金额")
    except InvalidOperation:
        problems.append(_problem(line, "yuan", text, "金额须为数字，单位元，不带千分位"))
    except MoneyError as wrong:
        problems.append(_problem(line, "yuan", text, str(wrong)))
    return None


def _problem(line: int, name: str, value: str, text: str) -> Problem:
    return Problem(f"第 {line} 行 {name}", value, f"第 {line} 行 {name}：{text}", "请改正后重新运行")


def _refused(field: str, value: str, text: str, remedy: str) -> Refused:
    return Refused([Problem(field, value, text, remedy)])
