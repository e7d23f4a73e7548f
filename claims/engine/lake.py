"""The shape of a row in the lake and the writing of its files: Parquet (zstd), one per county and month.

Money is BIGINT fen. Files are written aside in the directory the caller gives, fsynced and hashed; the caller renames
them and enters them into the manifest in the transaction that accepts the import.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from claims.engine.codes import CATALOGUE, REJECTING
from claims.engine.columns import Matched
from claims.engine.pseudonyms import SHORTEST_REPLACED
from claims.engine.reading import quoted_path
from claims.engine.reference import MutualAid
from claims.engine.rules import STORED_MONEY, quoted, used_positions
from rules.money import from_fen

LAKE_MONEY: tuple[str, ...] = STORED_MONEY
LAKE_COLUMNS: tuple[str, ...] = (
    "settlement_id",
    "visit_id",
    "person",
    "sex",
    "birth_date",
    "fund_type",
    "insurance_code",
    "insured_county",
    "enrolment_township",
    "institution_code",
    "institution_name",
    "institution_area",
    "manual",
    "visit_type",
    "visit_code",
    "admission_date",
    "discharge_date",
    "settled_on",
    "diagnosis_code",
    "method",
    "group_code",
    "group_weight",
    "bed_days",
    *LAKE_MONEY,
    "outflow_kind",
    "referral",
    "public_health_emergency",
    "reversal_of",
    "late",
    "line",
)
DERIVED = frozenset({"fund_type", "visit_type", "group_weight", "institution_name", "late", "line"})
"""Not compared when a row is held already: they follow from mappings, registers and the import, not from the extract."""
PARQUET = "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
"""Level 1 is a fifth faster than the default and no larger on these rows."""
KEPT = f"mask & {REJECTING} = 0 AND NOT skip"


@dataclass(frozen=True)
class LakeFile:
    """A file written aside. ``county`` and ``month`` ("2026-07") are blank for the rejected rows."""

    path: Path
    county: str
    month: str
    rows: int
    late: int
    total_cost: Decimal
    pooled_fund_paid: Decimal
    size: int
    sha256: str


def lake_row(reading: MutualAid, stage: str = "s", persons: str = "p") -> dict[str, str]:
    """Lake column → expression over a staged row and its person."""
    expressions = {name: f"{stage}.{name}" for name in LAKE_COLUMNS}
    expressions.update({name: f"CAST({stage}.{name} AS BIGINT)" for name in LAKE_MONEY})
    expressions["person"] = f"{persons}.pseudonym"
    if reading is MutualAid.BESIDE:
        account = f"{stage}.personal_account_paid + coalesce({stage}.mutual_aid_paid, 0)"
        expressions["personal_account_paid"] = f"CAST({account} AS BIGINT)"
    return expressions


def line_of(first_line: int, stage: str = "s") -> str:
    """The line of a staged row in the file: given by the source, else from its position."""
    return f"CAST(coalesce({stage}.given_line, {stage}.rowid + {first_line}) AS INTEGER)"


def gather_faulty(connection: Any, first_line: int) -> None:
    """Table ``faulty``: the rows any code was found on, with line, raw text and pseudonym. Rows held already are out."""
    connection.execute(
        f"""CREATE OR REPLACE TABLE faulty AS
        SELECT {line_of(first_line)} AS line, mask, raw, s.person, p.pseudonym, settlement_id, insured_county, settled_on,
               total_cost, pooled_fund_paid
        FROM stage s LEFT JOIN persons p ON p.person = s.person WHERE mask <> 0 AND NOT skip"""
    )


def write_good(
    connection: Any, reading: MutualAid, first_line: int, folder: Path, months: Iterable[tuple[str, date, int]]
) -> list[LakeFile]:
    """One file per (county, first day of month, rows) in ``months``."""
    row = lake_row(reading) | {"line": line_of(first_line)}
    select = ", ".join(f"{expression} AS {name}" for name, expression in row.items())
    files = []
    for county, first_day, _ in months:
        month = first_day.strftime("%Y-%m")
        where = f"s.insured_county = {quoted(county)} AND date_trunc('month', s.settled_on) = DATE '{first_day}'"
        path = folder / f"{county}-{month}.parquet"
        connection.execute(
            f"COPY (SELECT {select} FROM stage s JOIN persons p ON p.person = s.person WHERE {KEPT} AND {where})"
            f" TO {quoted_path(path)} {PARQUET}"
        )
        rows, late, total, pooled = _sums(connection, f"stage s WHERE {KEPT} AND {where}", "count(*) FILTER (late)")
        files.append(_sealed(path, county, month, rows, late, total, pooled))
    return files


def write_rejects(connection: Any, matched: Matched, folder: Path) -> LakeFile | None:
    """The rejected rows of table ``faulty`` with codes and raw text (JSON by header, person replaced); None if none."""
    positions = used_positions(matched)
    person_place = positions.index(matched.sources["person_id"][0])
    cells = []
    for index, place in enumerate(positions):
        value = "pseudonym" if index == person_place else f"json_extract_string(raw, '$[{index}]')"
        cells.append(f"{quoted(matched.headers[place])}, {value}")
    text = f"CAST(json_object({', '.join(cells)}) AS VARCHAR)"
    codes = ", ".join(f"CASE WHEN mask & {code.bit} <> 0 THEN '{code.code}' END" for code in CATALOGUE)
    bad = f"mask & {REJECTING} <> 0"
    rows, _, total, pooled = _sums(connection, f"faulty WHERE {bad}", "0")
    if not rows:
        return None
    path = folder / "rejects.parquet"

    def safe(expression: str) -> str:
        return f"CASE WHEN length(person) >= {SHORTEST_REPLACED} THEN replace({expression}, person, pseudonym) ELSE {expression} END"

    connection.execute(
        f"""COPY (SELECT line, {safe("settlement_id")} AS settlement_id, {safe("insured_county")} AS insured_county, settled_on,
            CAST(total_cost AS BIGINT) AS total_cost, CAST(pooled_fund_paid AS BIGINT) AS pooled_fund_paid,
            list_filter([{codes}], lambda code: code IS NOT NULL) AS codes, {safe(text)} AS raw
            FROM faulty WHERE {bad} ORDER BY line) TO {quoted_path(path)} {PARQUET}"""
    )
    return _sealed(path, "", "", rows, 0, total, pooled)


def _sums(connection: Any, source: str, late: str) -> tuple[int, int, Decimal, Decimal]:
    query = f"SELECT count(*), {late}, coalesce(sum(total_cost), 0), coalesce(sum(pooled_fund_paid), 0) FROM {source}"
    rows, late_rows, total, pooled = connection.execute(query).fetchall()[0]
    return int(rows), int(late_rows), from_fen(int(total)), from_fen(int(pooled))


def _sealed(path: Path, county: str, month: str, rows: int, late: int, total: Decimal, pooled: Decimal) -> LakeFile:
    """Flush to the disk and hash."""
    with path.open("rb") as handle:
        os.fsync(handle.fileno())
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
        size = handle.tell()
    return LakeFile(path, county, month, rows, late, total, pooled, size, digest)


def sync_folder(folder: Path) -> None:
    """Make the new names in a directory survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def parquet_list(files: Sequence[Path]) -> str:
    """``read_parquet`` over exactly these files."""
    return f"read_parquet([{', '.join(quoted_path(path) for path in files)}], union_by_name=true)"
