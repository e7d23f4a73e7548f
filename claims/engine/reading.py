"""Opens an extract whatever its form and hands it to DuckDB as text columns.

CSV (comma or tab; UTF-8 with or without byte-order mark, GB18030), xlsx and Parquet. Encoding is proved over the whole
file before a row is read; GB18030 is re-encoded in a stream. Messages name places (byte, line, cell), never contents.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claims.engine.refusals import Limits, Reason, RefusedFileError

BLOCK = 4 << 20
TEXT_SUFFIXES = "CSV（逗号或制表符分隔）、xlsx 或 Parquet"


@dataclass(frozen=True)
class Source:
    """An opened file. ``relation``: SQL of a table with columns c0…cN as text; row k of it is line ``first_line`` + k."""

    kind: str
    encoding: str
    headers: tuple[str, ...]
    relation: str
    first_line: int
    line_column: str | None = None  # where the relation carries the line itself
    notes: tuple[str, ...] = ()


def open_source(path: Path, workdir: Path, limits: Limits) -> Source:
    """Detect the form of ``path`` and prepare it; temporary copies go to ``workdir``. RefusedFileError with the reason."""
    size = path.stat().st_size
    if size == 0:
        raise RefusedFileError(Reason.EMPTY, "文件没有内容（0字节）。", "请重新导出。")
    if size > limits.file_bytes:
        raise RefusedFileError(
            Reason.TOO_LARGE, f"文件大小 {size >> 20} MB，超过限额 {limits.file_bytes >> 20} MB。", "请按月份分开导出。"
        )
    with path.open("rb") as handle:
        magic = handle.read(8)
    if magic[:4] == b"PAR1":
        return _parquet(path, limits)
    if magic[:4] == b"PK\x03\x04":
        from claims.engine.excel import xlsx_to_csv

        sheet = xlsx_to_csv(path, workdir / "sheet.csv", limits)
        relation = _csv_relation(sheet.path, len(sheet.headers) + 1, ",", 0)
        return Source("xlsx", "xlsx", sheet.headers, relation, 0, f"c{len(sheet.headers)}", sheet.notes)
    if magic[:4] == b"\xd0\xcf\x11\xe0":
        raise RefusedFileError(Reason.UNKNOWN_FORMAT, "这是旧版 Excel（.xls）文件。", "请另存为 xlsx 或 CSV（UTF-8）。")
    if magic[:2] == b"\x1f\x8b" or magic[:2] in (b"\xff\xfe", b"\xfe\xff"):
        what = "压缩文件（gzip）" if magic[:2] == b"\x1f\x8b" else "UTF-16 编码的文本"
        raise RefusedFileError(
            Reason.UNKNOWN_FORMAT, f"这是{what}。", f"请提供 {TEXT_SUFFIXES}，文本用 UTF-8 或 GB18030。"
        )
    return _text(path, workdir, limits)


def quoted_path(path: Path) -> str:
    """A path as a SQL string."""
    return "'" + str(path).replace("'", "''") + "'"


def broken_rows(connection: Any, source: Source, limit: int = 20) -> list[tuple[int, str]]:
    """(line, what) of rows the CSV reader could not split; the line's text is not shown."""
    relation = source.relation.removesuffix(")") + f", store_rejects=true, rejects_limit={limit})"
    connection.execute(
        f"SELECT count(*) FROM (SELECT * FROM {relation}) AS source WHERE NOT starts_with(c0, chr(0))"
    ).fetchall()
    kinds = {
        "MISSING COLUMNS": "列数不足",
        "TOO MANY COLUMNS": "列数过多",
        "UNQUOTED VALUE": "引号未闭合",
        "LINE SIZE OVER MAXIMUM": "行过长",
        "INVALID ENCODING": "编码错误",
    }
    rows = connection.execute(
        "SELECT DISTINCT line, CAST(error_type AS VARCHAR) FROM reject_errors ORDER BY line"
    ).fetchall()
    return [(int(line), kinds.get(kind, "结构错误")) for line, kind in rows[:limit]]


def _csv_relation(path: Path, columns: int, delimiter: str, skip: int) -> str:
    names = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(columns))
    return (
        f"read_csv({quoted_path(path)}, columns={{{names}}}, header=false, skip={skip}, delim='{delimiter}', quote='\"',"
        " escape='\"', auto_detect=false, max_line_size=1048576)"
    )


def _text(path: Path, workdir: Path, limits: Limits) -> Source:
    problem = _first_bad_utf8(path)
    encoding, readable = "utf-8", path
    if problem is not None:
        if problem.in_utf8_text:
            raise _broken("UTF-8", problem.offset)
        readable, encoding = workdir / "utf8.csv", "gb18030"
        _reencode(path, readable)
    with readable.open("rb") as handle:
        start = handle.read(limits.columns * 256)
    if start.startswith(codecs.BOM_UTF8):
        start, encoding = start[3:], "utf-8-sig"
    first = start.decode("utf-8", errors="ignore")
    line = first.splitlines()[0] if first.strip() else ""
    delimiter = "\t" if line.count("\t") > line.count(",") else ","
    headers, lines = _header(first, delimiter)
    if not headers:
        raise RefusedFileError(Reason.EMPTY, "文件没有表头。", "第一行应为列名，请重新导出。")
    if len(headers) > limits.columns:
        raise RefusedFileError(
            Reason.WRONG_COLUMNS, f"表头有 {len(headers)} 列，超过 {limits.columns} 列。", "请检查分隔符。"
        )
    return Source("csv", encoding, headers, _csv_relation(readable, len(headers), delimiter, lines), lines + 1)


def _header(text: str, delimiter: str) -> tuple[tuple[str, ...], int]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        row = next(reader)
    except (StopIteration, csv.Error):
        return (), 0
    return (tuple(cell.strip() for cell in row) if any(cell.strip() for cell in row) else ()), reader.line_num


@dataclass(frozen=True)
class _BadByte:
    offset: int
    in_utf8_text: bool  # what is around it reads as UTF-8: the file is UTF-8 and broken, not GB18030


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as handle:
        while block := handle.read(BLOCK):
            yield block


def _first_bad_utf8(path: Path) -> _BadByte | None:
    decoder, position, beyond_ascii = codecs.getincrementaldecoder("utf-8")(), 0, 0
    for block in _blocks(path):
        zero = block.find(b"\0")
        if zero >= 0:
            raise RefusedFileError(
                Reason.BROKEN_ENCODING, f"第 {position + zero} 字节是空字符，这不是文本文件。", f"请提供 {TEXT_SUFFIXES}。"
            )
        pending = len(decoder.getstate()[0])
        try:
            text = decoder.decode(block)
        except UnicodeDecodeError as problem:
            return _BadByte(position - pending + problem.start, _mostly_utf8(problem.object, beyond_ascii))
        beyond_ascii += 0 if text.isascii() else 1
        position += len(block)
    rest = len(decoder.getstate()[0])
    return _BadByte(position - rest, beyond_ascii > 0) if rest else None


def _mostly_utf8(block: bytes, good_blocks: int) -> bool:
    """Whether a block with a bad byte is UTF-8 all the same: GB18030 read as UTF-8 is wrong in every other character,
    a damaged UTF-8 file in a few. Blocks before it that held Chinese and were right settle it.
    """
    text = block.decode("utf-8", errors="replace").removeprefix("\ufeff")
    wrong = text.count("\ufffd")
    right = sum(1 for character in text if character > "\x7f") - wrong
    return good_blocks > 0 or right > 4 * wrong


def _reencode(path: Path, target: Path) -> None:
    """GB18030 to UTF-8 in a stream; RefusedFileError with the byte that is neither."""
    decoder, position = codecs.getincrementaldecoder("gb18030")(), 0
    with target.open("wb") as out:
        for block in _blocks(path):
            pending = len(decoder.getstate()[0])
            try:
                out.write(decoder.decode(block).encode("utf-8"))
            except UnicodeDecodeError as problem:
                raise _broken("UTF-8，也不是 GB18030", position - pending + problem.start) from None
            position += len(block)
    rest = len(decoder.getstate()[0])
    if rest:
        raise _broken("UTF-8，也不是 GB18030", position - rest)


def _broken(what: str, offset: int) -> RefusedFileError:
    return RefusedFileError(
        Reason.BROKEN_ENCODING,
        f"第 {offset} 字节（从 0 起）不是有效的 {what}。",
        "请以 UTF-8 或 GB18030 重新导出；文件可能在传输中损坏。",
    )


def _parquet(path: Path, limits: Limits) -> Source:
    import duckdb

    connection = duckdb.connect()
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({quoted_path(path)})").fetchall()
        rows = connection.execute(f"SELECT count(*) FROM read_parquet({quoted_path(path)})").fetchall()[0][0]
    except duckdb.Error:
        raise RefusedFileError(
            Reason.BROKEN_ROWS, "Parquet 文件损坏，无法读取。", "请重新导出；文件可能在传输中损坏。"
        ) from None
    finally:
        connection.close()
    if rows > limits.rows:
        raise RefusedFileError(Reason.TOO_LARGE, f"文件有 {rows} 行，超过限额 {limits.rows} 行。", "请按月份分开导出。")
    if len(described) > limits.columns:
        raise RefusedFileError(
            Reason.WRONG_COLUMNS, f"文件有 {len(described)} 列，超过 {limits.columns} 列。", "请只导出需要的列。"
        )
    casts = ", ".join(
        f'CAST("{str(name).replace(chr(34), chr(34) * 2)}" AS VARCHAR) AS c{index}'
        for index, (name, *_) in enumerate(described)
    )
    headers = tuple(str(name) for name, *_ in described)
    return Source("parquet", "parquet", headers, f"(SELECT {casts} FROM read_parquet({quoted_path(path)}))", 1)
