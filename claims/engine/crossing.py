"""Rules that look beyond one row: repeats in the file (C02), rows held already (C03), reversals (C26, C27).

They work on table ``stage`` and mark rows in place. What is held is read by semi-join on the ids of this file, from the
list of files the caller names.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from claims.engine.codes import BY_CODE, REJECTING
from claims.engine.columns import Matched
from claims.engine.lake import DERIVED, KEPT, LAKE_COLUMNS, LAKE_MONEY, lake_row, parquet_list
from claims.engine.reading import Source
from claims.engine.reference import MutualAid
from claims.engine.rules import load_table, lookup, raw_text, trimmed

NEGATED = tuple(name for name in LAKE_MONEY if name not in ("fund_payable", "mutual_aid_paid"))

RAW_LIMIT = 200_000
"""Rows found only by these rules whose raw text is fetched; beyond, the file is a wrong one and the text no help."""


def mark_repeats(connection: Any) -> None:
    """C02: every row whose id an earlier row of the file carries. Ids are grouped by hash first, to save memory."""
    connection.execute(
        """CREATE OR REPLACE TABLE marks AS
        SELECT s.rowid AS row, s.settlement_id FROM stage s
        SEMI JOIN (SELECT hash(settlement_id) AS h FROM stage WHERE settlement_id IS NOT NULL GROUP BY h HAVING count(*) > 1) d
        ON d.h = hash(s.settlement_id)"""
    )
    connection.execute(
        """CREATE OR REPLACE TABLE marks AS SELECT row FROM marks
        QUALIFY row_number() OVER (PARTITION BY settlement_id ORDER BY row) > 1"""
    )
    _apply(connection, "C02")


def mark_held(connection: Any, held: Sequence[Path], reading: MutualAid) -> None:
    """Rows held already: the same content is skipped, other content is C03."""
    if not held:
        return
    names = [name for name in LAKE_COLUMNS if name not in DERIVED]
    expressions = lake_row(reading)
    same = " AND ".join(f"{expressions[name]} IS NOT DISTINCT FROM h.{name}" for name in names)
    connection.execute(
        f"""CREATE OR REPLACE TABLE held AS SELECT {", ".join(names)} FROM {parquet_list(held)} h
        SEMI JOIN stage s ON s.settlement_id = h.settlement_id"""
    )
    connection.execute(
        f"""CREATE OR REPLACE TABLE compared AS SELECT s.rowid AS row, {same} AS same
        FROM stage s JOIN held h ON h.settlement_id = s.settlement_id LEFT JOIN persons p ON p.person = s.person
        WHERE s.mask & {REJECTING} = 0"""
    )
    connection.execute("UPDATE stage SET skip = TRUE FROM compared c WHERE stage.rowid = c.row AND c.same")
    connection.execute("CREATE OR REPLACE TABLE marks AS SELECT row FROM compared WHERE NOT same")
    _apply(connection, "C03")


def mark_reversals(connection: Any, held: Sequence[Path], reading: MutualAid) -> None:
    """C26: no original; C27: the original is not negated, is itself a reversal or was reversed before."""
    count = connection.execute(f"SELECT count(*) FROM stage s WHERE reversal_of IS NOT NULL AND {KEPT}").fetchall()[0][
        0
    ]
    if not count:
        return
    row = lake_row(reading)
    wanted = ["settlement_id", "person", "fund_type", "reversal_of", "fund_payable", *NEGATED]
    select = ", ".join(f"{row[name]} AS {name}" for name in wanted)
    joined = "stage s LEFT JOIN persons p ON p.person = s.person"
    connection.execute(
        f"""CREATE OR REPLACE TABLE reversing AS SELECT s.rowid AS row, {select} FROM {joined}
        WHERE s.reversal_of IS NOT NULL AND {KEPT}"""
    )
    sources = [
        f"SELECT {select} FROM {joined} SEMI JOIN reversing r ON r.reversal_of = s.settlement_id"
        f" WHERE s.mask & {REJECTING} = 0 AND NOT s.skip"
    ]
    if held:
        kept = ", ".join(wanted)
        sources.append(
            f"SELECT {kept} FROM {parquet_list(held)} h SEMI JOIN reversing r ON r.reversal_of = h.settlement_id"
        )
    connection.execute(f"CREATE OR REPLACE TABLE original AS {' UNION ALL '.join(sources)}")
    connection.execute(
        "CREATE OR REPLACE TABLE marks AS SELECT row FROM reversing r ANTI JOIN original o ON o.settlement_id = r.reversal_of"
    )
    _apply(connection, "C26")
    negates = " AND ".join(f"coalesce(r.{name}, 0) + coalesce(o.{name}, 0) = 0" for name in NEGATED)
    before = (
        f" OR r.reversal_of IN (SELECT reversal_of FROM {parquet_list(held)} WHERE reversal_of IS NOT NULL)"
        if held
        else ""
    )
    connection.execute(
        f"""CREATE OR REPLACE TABLE marks AS SELECT DISTINCT row FROM (
            SELECT r.row, o.reversal_of IS NOT NULL OR NOT ({negates})
                OR r.person IS DISTINCT FROM o.person OR r.fund_type IS DISTINCT FROM o.fund_type
                OR r.fund_payable IS DISTINCT FROM -o.fund_payable
                OR row_number() OVER (PARTITION BY r.reversal_of ORDER BY r.row) > 1{before} AS wrong
            FROM reversing r JOIN original o ON o.settlement_id = r.reversal_of) WHERE wrong"""
    )
    _apply(connection, "C27")


def fetch_raw(connection: Any, matched: Matched, source: Source) -> None:
    """Read once more the text of rows that only these rules found; the k-th row of an id is the k-th of that id."""
    missing = "mask <> 0 AND raw IS NULL"
    if not connection.execute(f"SELECT count(*) FROM stage WHERE {missing}").fetchall()[0][0]:
        return
    cell = trimmed(f"c{matched.sources['settlement_id'][0]}")
    connection.execute(
        f"CREATE OR REPLACE TABLE wanted AS SELECT DISTINCT settlement_id FROM"
        f" (SELECT settlement_id FROM stage WHERE {missing} ORDER BY rowid LIMIT {RAW_LIMIT})"
    )
    ids = {key: "" for (key,) in connection.execute("SELECT settlement_id FROM wanted").fetchall()}
    load_table(connection, "wanted", ids)
    connection.execute(
        f"""CREATE OR REPLACE TABLE again AS SELECT {cell} AS settlement_id, {raw_text(matched)} AS raw
        FROM {source.relation} WHERE {lookup("wanted", ids, cell)} IS NOT NULL"""
    )
    number = "row_number() OVER (PARTITION BY settlement_id ORDER BY rowid) AS number"
    connection.execute(
        f"""UPDATE stage SET raw = found.raw FROM (
            SELECT s.row, a.raw
            FROM (SELECT settlement_id, rowid AS row, {number} FROM stage SEMI JOIN wanted USING (settlement_id)) s
            JOIN (SELECT settlement_id, raw, {number} FROM again) a USING (settlement_id, number)) found
        WHERE stage.rowid = found.row AND stage.raw IS NULL AND stage.mask <> 0"""
    )


def _apply(connection: Any, code: str) -> None:
    """Set the bit of a code on the rows of table ``marks``."""
    if connection.execute("SELECT count(*) FROM marks").fetchall()[0][0]:
        connection.execute(f"UPDATE stage SET mask = mask | {BY_CODE[code].bit} FROM marks m WHERE stage.rowid = m.row")
