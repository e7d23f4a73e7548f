"""The same text as csv in an encoding, as xlsx or as Parquet, byte for byte reproducible."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

FIXED = (2026, 1, 1, 0, 0, 0)


def write_csv(body: Path, path: Path, headers: list[str], delimiter: str, encoding: str) -> None:
    """Header and body in the wanted encoding (utf-8, utf-8-sig, gb18030)."""
    first = io.StringIO()
    csv.writer(first, delimiter=delimiter, lineterminator="\n").writerow(headers)
    with path.open("wb") as target, body.open("rb") as source:
        target.write(first.getvalue().encode(encoding))
        if encoding.startswith("utf-8"):
            while block := source.read(1 << 22):
                target.write(block)
        else:
            for line in io.TextIOWrapper(source, encoding="utf-8", newline=""):
                target.write(line.encode(encoding))


def write_parquet(body: Path, path: Path, headers: list[str], delimiter: str) -> None:
    """All columns as text, as bureaus' own tools tend to write them."""
    import duckdb

    names = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(len(headers)))
    selects = ", ".join(f'c{index} AS "{header}"' for index, header in enumerate(headers))
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    connection.execute(
        f"COPY (SELECT {selects} FROM read_csv('{body}', columns={{{names}}}, header=false, delim='{delimiter}',"
        f" quote='\"', escape='\"', auto_detect=false)) TO '{path}' (FORMAT parquet, COMPRESSION zstd)"
    )
    connection.close()


def write_xlsx(body: Path, path: Path, headers: list[str], delimiter: str) -> None:
    """One sheet of text cells; times inside the package are fixed so that the bytes are."""
    from datetime import datetime  # Excel knows no time zones

    from openpyxl import Workbook

    book = Workbook(write_only=True)
    book.properties.created = book.properties.modified = datetime(*FIXED)  # noqa: DTZ001
    sheet = book.create_sheet("结算明细")
    sheet.append(headers)
    with body.open(encoding="utf-8", newline="") as handle:
        for row in csv.reader(handle, delimiter=delimiter):
            sheet.append([cell or None for cell in row])
    packed = io.BytesIO()
    book.save(packed)
    with zipfile.ZipFile(packed) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for item in source.infolist():
            data = source.read(item)
            if item.filename == "docProps/core.xml":
                data = _fixed_times(data)
            target.writestr(zipfile.ZipInfo(item.filename, FIXED), data, zipfile.ZIP_DEFLATED)


def _fixed_times(core: bytes) -> bytes:
    import re

    return re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2026-01-01T00:00:00Z", core)
