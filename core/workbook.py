"""Reading workbooks people send without being hurt by them, and writing ones that open everywhere.

Before anything is parsed the zip directory is checked: member names, unpacked size, ratio, macros, external links.
Text that starts like a formula is written as text, so that nothing typed by one person runs on another's machine.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.http import HttpResponse

from core.errors import Problem, Refused
from core.texts import plain

MAX_UNPACKED = 300 * 1024 * 1024
MAX_RATIO = 200
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass
class Sheet:
    """One sheet to write. ``rows`` hold str, int, Decimal, date or None; ``money_columns`` count from 0."""

    title: str
    header: Sequence[str]
    rows: Iterable[Sequence[Any]]
    money_columns: frozenset[int] = frozenset()
    notes: Sequence[str] = field(default_factory=tuple)


def check_xlsx(source: Path | bytes, name: str) -> None:
    """Refuse, by name, what is not a plain xlsx: other formats, bombs, macros, external links, entity declarations."""
    found = faults_of_file(source, name)
    if found:
        raise Refused([problem for _kind, problem in found])


def faults_of_file(source: Path | bytes, name: str) -> list[tuple[str, Problem]]:
    """What keeps a file from being opened, as (kind, problem): nothing of it has been parsed yet.

    Kinds: xls, encrypted, other_format, cut_off, bomb, no_workbook, macro, links, damaged, entities.
    """

    def fault(kind: str, text: str, remedy: str) -> tuple[str, Problem]:
        return kind, Problem("file", name, text, remedy)

    head = source[:8] if isinstance(source, bytes) else source.open("rb").read(8)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        content = source if isinstance(source, bytes) else source.read_bytes()
        kind = "encrypted" if "EncryptedPackage".encode("utf-16-le") in content else "xls"
        return [fault(kind, "这是旧版 xls 或加密的工作簿。", "请去掉密码，另存为 xlsx 后上传。")]
    try:
        book = zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source)
        members = book.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        kind = "cut_off" if head.startswith(b"PK\x03\x04") else "other_format"
        text = "文件不是完整的 xlsx 工作簿（可能是改了扩展名或传输中断）。"
        return [fault(kind, text, "请用 Excel 或 WPS 另存为 xlsx。")]
    found = []
    unpacked = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members) or 1
    if unpacked > MAX_UNPACKED or (unpacked > 10 * 1024 * 1024 and unpacked / packed > MAX_RATIO):
        text = f"文件解压后过大（{unpacked // 1048576} MB），疑似异常压缩。"
        found.append(fault("bomb", text, "请删去多余内容后另存。"))
    names = {member.filename for member in members}
    if "xl/workbook.xml" not in names:
        found.append(fault("no_workbook", "压缩包里没有工作簿。", "请上传 xlsx 工作簿。"))
    if any(member.endswith("vbaProject.bin") for member in names):
        found.append(fault("macro", "工作簿含有宏。", "请另存为不含宏的 xlsx。"))
    if any(member.startswith("xl/externalLinks/") for member in names):
        remedy = "请断开外部链接（数据—编辑链接）后另存。"
        found.append(fault("links", "工作簿含有指向其他文件的链接。", remedy))
    return found or [fault(*each) for each in _faults_inside(book, members)]


_DECLARATIONS = tuple(
    mark.encode(coding) for mark in ("<!DOCTYPE", "<!ENTITY") for coding in ("ascii", "utf-16-le", "utf-16-be")
)
_STEP = 1024 * 1024


def _faults_inside(book: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo]) -> list[tuple[str, str, str]]:
    """Every member must unpack to what the directory says (sizes that lie hide a bomb); none may declare entities."""
    declares = False
    try:
        for member in members:
            tail = b""
            with book.open(member) as part:
                while block := part.read(_STEP):
                    if not declares:
                        declares = any(mark in tail + block for mark in _DECLARATIONS)
                        tail = block[-24:]
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError, ValueError):
        text = "工作簿内容损坏，或与压缩目录所写的大小不符。"
        return [("damaged", text, "请用 Excel 或 WPS 打开并另存为 xlsx。")]
    if declares:
        text = "工作簿的内部文件带有实体声明（DOCTYPE），正常的工作簿没有，可能用来攻击系统。"
        return [("entities", text, "请在 Excel 或 WPS 中新建工作簿，或重新下载模板填写。")]
    return []


def read_sheets(source: Path | bytes, name: str) -> dict[str, list[list[Any]]]:
    """All sheets as rows of cells (str, float, bool, date, ''), after :func:`check_xlsx`."""
    from python_calamine import CalamineWorkbook

    check_xlsx(source, name)
    try:
        book = CalamineWorkbook.from_object(io.BytesIO(source) if isinstance(source, bytes) else str(source))
        return {title: book.get_sheet_by_name(title).to_python() for title in book.sheet_names}
    except Exception as error:
        raise Refused(
            [Problem("file", name, "工作簿内容损坏，无法读取。", "请用 Excel 或 WPS 打开并另存为 xlsx 后再上传。")]
        ) from error


def cell_text(value: Any) -> str:
    """A cell as the text a person sees: no ``.0`` behind whole numbers, dates in ISO form."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == value.min.time() else value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value).strip()


def safe_csv_cell(value: Any) -> str:
    """Text for a CSV cell that no spreadsheet will run as a formula."""
    text = cell_text(value)
    if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not _is_number(text):
        return "'" + text
    return text


def write_workbook(sheets: Sequence[Sheet]) -> bytes:
    """A workbook with frozen header, number formats and readable widths."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    book = Workbook(write_only=True)
    bold, fill = Font(bold=True), PatternFill("solid", fgColor="DCE6F5")
    for sheet in sheets:
        page = book.create_sheet(sheet.title[:31])
        page.freeze_panes = f"A{len(sheet.notes) + 2}"
        for number, title in enumerate(sheet.header, start=1):
            page.column_dimensions[get_column_letter(number)].width = max(12, min(40, len(title) * 2 + 4))
        for note in sheet.notes:
            page.append([plain(note)])
        header = []
        for title in sheet.header:
            cell = WriteOnlyCell(page, value=plain(title))
            cell.font, cell.fill, cell.alignment = bold, fill, Alignment(wrap_text=True, vertical="center")
            header.append(cell)
        page.append(header)
        for row in sheet.rows:
            cells = []
            for number, value in enumerate(row):
                cell = WriteOnlyCell(page, value=plain(value) if isinstance(value, str) else value)
                if isinstance(value, str):
                    cell.data_type = "s"
                elif isinstance(value, Decimal) and number in sheet.money_columns:
                    cell.number_format = "#,##0.00"
                cells.append(cell)
            page.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def xlsx_response(filename: str, sheets: Sequence[Sheet]) -> HttpResponse:
    """A download named ``filename`` (Chinese allowed)."""
    return file_response(filename, write_workbook(sheets), XLSX)


def file_response(filename: str, content: bytes, content_type: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(filename)}"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def by_header(rows: list[list[Any]], wanted: Mapping[str, str], sheet: str) -> list[tuple[int, dict[str, Any]]]:
    """Rows below a header row as dicts: ``wanted`` maps Chinese header → our name. Yields (row number, values).

    Refuses, naming the sheet, when a wanted header is missing and says what was found.
    """
    for number, row in enumerate(rows, start=1):
        titles = [cell_text(cell) for cell in row]
        if len(set(titles) & set(wanted)) >= max(1, len(wanted) // 2):
            missing = [title for title in wanted if title not in titles]
            if missing:
                raise Refused(
                    [
                        Problem(
                            f"{sheet}!{number}",
                            "、".join(title for title in titles if title),
                            f"工作表“{sheet}”缺少列：{'、'.join(missing)}。",
                            "请按模板补齐列名。",
                        )
                    ]
                )
            places = {wanted[title]: titles.index(title) for title in wanted}
            return [
                (line, {name: (cells[at] if at < len(cells) else "") for name, at in places.items()})
                for line, cells in enumerate(rows[number:], start=number + 1)
                if any(cell_text(cell) for cell in cells)
            ]
    raise Refused([Problem(sheet, "", f"工作表“{sheet}”里没有找到表头。", f"表头须包含：{'、'.join(wanted)}。")])


def _is_number(text: str) -> bool:
    try:
        Decimal(text)
    except ArithmeticError:
        return False
    return True
