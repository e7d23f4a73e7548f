"""xlsx to CSV with the guards an uploaded workbook needs: unpacked size, ratio, rows, formulas without a value."""

from __future__ import annotations

import csv
import re
import zipfile
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from claims.engine.refusals import Limits, Reason, RefusedFileError

VALUELESS = re.compile(rb'<c r="([A-Z]+[0-9]+)"[^>]*><f[^>]*?(?:/>|>[^<]*</f>)(?:<v></v>|<v/>)?</c>')
CHUNK = 1 << 20


@dataclass(frozen=True)
class Sheet:
    """The first sheet with content as CSV without header; its last column is the row number in the sheet."""

    path: Path
    headers: tuple[str, ...]
    notes: tuple[str, ...]


def xlsx_to_csv(path: Path, target: Path, limits: Limits) -> Sheet:
    """Write the first non-empty sheet of a workbook as CSV. RefusedFileError names what is wrong with it."""
    _guard(path, limits)
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_path(str(path))
        names = book.sheet_names
        for name in names:
            sheet = book.get_sheet_by_name(name)
            rows = enumerate(sheet.iter_rows(), start=1)
            header = next(((number, row) for number, row in rows if any(_text(cell) for cell in row)), None)
            if header is None:
                continue
            if sheet.height > limits.xlsx_rows + 1:
                raise RefusedFileError(
                    Reason.TOO_LARGE,
                    f"工作表有 {sheet.height} 行，超过 {limits.xlsx_rows} 行。",
                    "请改用 CSV（UTF-8）导出。",
                )
            headers = tuple(_text(cell).strip() for cell in header[1])
            if len(headers) > limits.columns:
                raise RefusedFileError(Reason.WRONG_COLUMNS, f"工作表有 {len(headers)} 列。", "请只导出需要的列。")
            with target.open("w", encoding="utf-8", newline="") as handle:
                writer = csv.writer(handle, lineterminator="\n")
                for number, row in rows:
                    cells = [_text(cell) for cell in row]
                    if any(cells):
                        writer.writerow([*cells, number])
            skipped = tuple(f"只读取工作表“{name}”，其余 {len(names) - 1} 张未读。" for _ in names[1:2])
            return Sheet(target, headers, skipped)
    except CalamineError:
        raise RefusedFileError(
            Reason.UNKNOWN_FORMAT, "工作簿无法打开。", "请用 Excel 另存为 xlsx，或改用 CSV。"
        ) from None
    raise RefusedFileError(Reason.EMPTY, "工作簿中没有内容。", "请重新导出。")


def _guard(path: Path, limits: Limits) -> None:
    """The zip directory is judged before anything is unpacked (a zip bomb of 300 KB costs a gigabyte otherwise)."""
    try:
        with zipfile.ZipFile(path) as package:
            items = package.infolist()
            names = {item.filename for item in items}
            if "xl/workbook.xml" not in names:
                raise RefusedFileError(
                    Reason.UNKNOWN_FORMAT, "这是压缩包，不是 xlsx 工作簿。", "请解压后导入其中的文件。"
                )
            total = sum(item.file_size for item in items)
            worst = max(
                (item.file_size / max(item.compress_size, 1) for item in items if item.file_size > CHUNK), default=0
            )
            if total > limits.xlsx_unpacked_bytes or worst > limits.xlsx_ratio:
                raise RefusedFileError(
                    Reason.TOO_LARGE,
                    f"工作簿解压后有 {total >> 20} MB（压缩比 {worst:.0f}），超过限额。",
                    "请改用 CSV（UTF-8）导出。",
                )
            for item in items:
                if item.filename.startswith("xl/worksheets/") and item.filename.endswith(".xml"):
                    _refuse_valueless_formulas(package, item)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError):
        raise RefusedFileError(Reason.UNKNOWN_FORMAT, "工作簿已损坏或有密码。", "请去掉密码后另存为 xlsx。") from None


def _refuse_valueless_formulas(package: zipfile.ZipFile, item: zipfile.ZipInfo) -> None:
    found: list[str] = []
    with package.open(item) as stream:
        tail = b""
        while block := stream.read(CHUNK):
            window = tail + block
            if b"<f" in window:
                found += [match.group(1).decode() for match in VALUELESS.finditer(window)]
            tail = window[-2048:]
            if len(found) >= 20:
                break
    if found:
        cells = tuple(dict.fromkeys(found))
        raise RefusedFileError(
            Reason.BROKEN_ROWS,
            f"单元格 {'、'.join(cells[:10])} 是没有计算结果的公式。",
            "请在 Excel 中重算并保存，或粘贴为数值。",
            cells,
        )


def _text(cell: Any) -> str:
    """A cell as an extract would write it; binary noise of a floating-point number beyond six decimals is dropped."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else f"{cell:.6f}".rstrip("0").rstrip(".")
    if isinstance(cell, datetime):
        return cell.isoformat(" ") if cell.time() != time() else cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    return "" if cell is None else str(cell)
