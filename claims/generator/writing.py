"""Writes a synthetic extract: numbers become text in DuckDB, chunk by chunk, then the wanted format and encoding."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from claims.engine.columns import COLUMNS
from claims.generator.planting import Planted, add_stories, extra_rows, plant_faults, settle_order
from claims.generator.rows import BLANK, NO_PAYABLE, VISIT_CODES, Arrays, draw_chunk, group_weights, month_rows
from claims.generator.setup import Setup, days_of
from rules.periods import Month

CHUNK = 150_000
METHODS = ("FFS", "DRG", "DIP", "bed_day", "capitation", "case", "")
SPLIT = {
    "serious_illness_paid": ("hifmi_pay", "hifob_pay"),
    "other_paid": ("cvlserv_pay", "hifes_pay", "hifdm_pay", "oth_pay"),
}
EXCEL_ROWS = 200_000


@dataclass(frozen=True)
class Generated:
    """Where everything was written and what it holds."""

    extract: Path
    key: Path
    earlier: Path | None
    rows: int


@lru_cache(maxsize=1)
def example_groups() -> tuple[tuple[str, str], ...]:
    """620 group codes with weights, formed like CHS-DRG codes; not the real catalogue."""
    groups = []
    for index, weight in enumerate(group_weights().tolist()):
        code = (
            f"{'BCDEFGHIJKLMNOPQRSTUVWXYZ'[index % 25]}{'RBSTUVWZACDE'[index // 25 % 12]}{1 + index // 300}{index % 9}"
        )
        groups.append((f"{code}{index // 225}", f"{weight:.4f}"))
    return tuple(groups)


def _columns(setup: Setup) -> list[tuple[str, str, str]]:
    """(header, our column, expression) of every column of the extract, in its order."""
    expressions = _expressions(setup)
    found: list[tuple[str, str, str]] = []
    for column in COLUMNS:
        if column.name not in expressions:
            continue
        if setup.header == "national" and column.name in SPLIT:
            found += [
                (part, f"{column.name}:{part}", expressions[f"{column.name}:{part}"]) for part in SPLIT[column.name]
            ]
            continue
        names = {"national": column.whole.national, "chinese": column.whole.chinese}.get(setup.header, ())
        found.append((names[0] if names else column.name, column.name, expressions[column.name]))
    return found


def _yuan(expression: str) -> str:
    return f"CAST(CAST(({expression}) AS BIGINT) * 0.01::DECIMAL(3,2) AS VARCHAR)"


def _day(name: str) -> str:
    return f"CAST(DATE '1970-01-01' + CAST({name} AS INTEGER) AS VARCHAR)"


def _pick(values: list[str], index: str) -> str:
    quoted = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
    return f"nullif(list_extract([{quoted}], CAST({index} AS BIGINT) + 1), '')"


def _grouped(values: list[str]) -> str:
    return f"""CASE WHEN "group" = {BLANK} THEN NULL ELSE {_pick(values, '"group"')} END"""


def _expressions(setup: Setup) -> dict[str, str]:
    places = setup.institutions
    groups = example_groups()
    mutual = "" if setup.mutual_aid_inside else " + mutual"
    settlement = f"'{setup.county}' || tag || lpad(CAST(seq AS VARCHAR), 9, '0')"
    result = {
        "settlement_id": settlement,
        "visit_id": f"'V{setup.county}' || tag || lpad(CAST(visit_seq AS VARCHAR), 9, '0')",
        "person_id": f"'P{setup.county}' || lpad(CAST(person AS VARCHAR), 9, '0')",
        "sex": "CAST(sex AS VARCHAR)",
        "birth_date": _day("birth"),
        "fund_type": "CASE WHEN employee = 1 THEN '310' ELSE '390' END",
        "insured_county": f"'{setup.county}'",
        "institution_code": _pick([place.code for place in places], "place"),
        "institution_area": _pick([place.county for place in places], "place"),
        "settlement_kind": "'2'",
        "visit_type": _pick(list(VISIT_CODES), "visit_code"),
        "admission_date": _day("begin"),
        "discharge_date": _day('"end"'),
        "settled_on": f"{_day('settled')} || ' ' || CAST(TIME '00:00:00' + to_seconds(CAST(second AS BIGINT)) AS VARCHAR)",
        "diagnosis_code": "chr(CAST(65 + diagnosis % 23 AS INTEGER)) || CAST(diagnosis % 90 + 10 AS VARCHAR)"
        " || '.' || CAST(diagnosis % 9 AS VARCHAR)",
        "method": _pick(list(METHODS), "method"),
        "fund_payable": f"CASE WHEN payable = {NO_PAYABLE} THEN NULL ELSE {_yuan('payable')} END",
        "group_code": _grouped([code for code, _ in groups]),
        "group_weight": _grouped([weight for _, weight in groups]),
        "bed_days": f"CASE WHEN bed_days = {BLANK} THEN NULL ELSE CAST(bed_days AS VARCHAR) END",
        "total_cost": _yuan("total"),
        "drug_cost": _yuan("drug"),
        "tcm_cost": _yuan("tcm"),
        "consumables_cost": _yuan("consumables"),
        "exam_cost": _yuan("exam"),
        "treatment_cost": _yuan("treatment"),
        "non_covered_cost": _yuan("non_covered"),
        "eligible_cost": _yuan("eligible"),
        "deductible_paid": _yuan("deductible"),
        "pooled_fund_paid": _yuan("pooled"),
        "serious_illness_paid": _yuan("serious + supplement"),
        "serious_illness_paid:hifmi_pay": _yuan("serious"),
        "serious_illness_paid:hifob_pay": _yuan("supplement"),
        "other_paid": _yuan("civil"),
        "other_paid:cvlserv_pay": _yuan("civil"),
        "other_paid:hifes_pay": "'0.00'",
        "other_paid:hifdm_pay": "'0.00'",
        "other_paid:oth_pay": "'0.00'",
        "medical_assistance_paid": _yuan("assistance"),
        "personal_account_paid": _yuan("account"),
        "mutual_aid_paid": _yuan("mutual"),
        "cash_paid": _yuan("cash"),
        "hospital_borne": _yuan("hospital"),
        "fund_total": _yuan("pooled + serious + supplement + civil + assistance"),
        "person_total": _yuan(f"account + cash{mutual}"),
        "outflow_kind": _pick(["", "referred", "resettled", "emergency", "self_chosen"], "outflow"),
        "referral": _pick(["", "up", "down"], "referral"),
        "public_health_emergency": "CAST(emergency AS VARCHAR)",
        "reversal_flag": f"CASE WHEN reversal_seq = {BLANK} THEN '0' ELSE '1' END",
        "reversal_of": f"CASE WHEN reversal_seq = {BLANK} THEN NULL ELSE {settlement.replace('seq', 'reversal_seq')} END",
    }
    if setup.townships:
        result["enrolment_township"] = _pick(list(setup.townships), f"person % {len(setup.townships)}")
    return result


class _Writer:
    """Turns chunks into text and appends them to one CSV without a header."""

    def __init__(self, setup: Setup, folder: Path) -> None:
        import duckdb

        self.setup, self.folder = setup, folder
        self.columns = _columns(setup)
        self.names = [name for _, name, _ in self.columns]
        self.connection = duckdb.connect()
        self.connection.execute("SET threads = 1")
        self.lines = 0

    def text(self, rows: Arrays, tag: str) -> None:
        chunk = {**rows, "position": np.arange(len(rows["settled"]))}
        selects = ", ".join(f'{expression} AS "{name}"' for _, name, expression in self.columns)
        self.connection.register("numbers", chunk)
        self.connection.execute(
            f"CREATE OR REPLACE TABLE texts AS SELECT position, {selects} FROM (SELECT *, '{tag}' AS tag FROM numbers) ORDER BY position"
        )
        self.connection.unregister("numbers")

    def override(self, overrides: dict[str, list[tuple[int, str]]]) -> None:
        for column, cells in overrides.items():
            if column not in self.names:
                continue
            positions, values = [at for at, _ in cells], [text for _, text in cells]
            self.connection.execute(
                "CREATE OR REPLACE TABLE changed AS"
                " SELECT unnest($1::BIGINT[]) AS position, unnest($2::VARCHAR[]) AS value",
                [positions, values],
            )
            repeated = "SELECT o.settlement_id FROM texts o WHERE value[1] = '@' AND o.position = try_cast(value[2:] AS BIGINT)"
            value = f"coalesce(({repeated}), value)" if column == "settlement_id" else "value"
            self.connection.execute(
                f'UPDATE texts SET "{column}" = nullif({value}, \'\') FROM changed WHERE texts.position = changed.position'
            )

    def ids(self, positions: list[int]) -> dict[int, str]:
        rows = self.connection.execute(
            "SELECT position, coalesce(settlement_id, '') FROM texts WHERE position IN (SELECT unnest($1::BIGINT[]))",
            [positions],
        ).fetchall()
        return dict(rows)

    def append(self, target: Any) -> None:
        piece = self.folder / "piece.csv"
        quoted = ", ".join(f'"{name}"' for name in self.names)
        delimiter = self.setup.delimiter.replace("'", "''")
        self.connection.execute(
            f"COPY (SELECT {quoted} FROM texts ORDER BY position) TO '{piece}' (FORMAT csv, HEADER false, DELIMITER '{delimiter}')"
        )
        with piece.open("rb") as handle:
            while block := handle.read(1 << 22):
                target.write(block)
        self.lines += self.connection.execute("SELECT count(*) FROM texts").fetchall()[0][0]


def _chunks(setup: Setup, months: list[Month], counts: list[int]) -> Iterator[tuple[int, Month, int]]:
    for month, count in zip(months, counts, strict=True):
        for number, start in enumerate(range(0, count, CHUNK)):
            yield number, month, min(CHUNK, count - start)


def _prepare(setup: Setup, rng: np.random.Generator, count: int, month: Month, reserve: int) -> Planted:
    first_day, last_day = days_of(month)
    interims, reversals, stories = sizes = extra_rows(count, setup.frauds)
    base = max(1, count - interims - reversals - 4 * stories)
    planted = add_stories(
        setup, rng, draw_chunk(setup, rng, base, first_day, last_day), sizes, first_day, last_day, reserve
    )
    missing = count - planted.size
    if missing > 0:  # stories that found no room are replaced by ordinary copies
        source = np.flatnonzero(planted.rows["reversal_of"] == BLANK)[:missing]
        planted.append(source[np.arange(missing) % len(source)])
    return planted


def _numbered(planted: Planted, order: np.ndarray, first: int) -> Arrays:
    """Rows in file order with their running numbers; ids of visits and originals follow their rows."""
    number_of = np.empty(planted.size, np.int64)
    number_of[order] = first + np.arange(planted.size)
    rows = {name: values[order] for name, values in planted.rows.items()}
    rows["seq"] = number_of[order]
    rows["visit_seq"] = number_of[rows["visit"]]
    rows["reversal_seq"] = np.where(rows["reversal_of"] == BLANK, BLANK, number_of[rows["reversal_of"]])
    return rows


def generate(
    setup: Setup, folder: Path, kind: str = "csv", progress: Callable[[int, int], None] | None = None
) -> Generated:
    """Write the extract, its answer key, the institutions, groups and deaths into ``folder``.

    ``kind``: csv, xlsx or parquet. With ``earlier_rows`` a second extract of the month before is written as well and
    the main one repeats its rows: half unchanged (to be skipped), half changed (C03). Same setup, same bytes.
    """
    if kind == "xlsx" and setup.rows > EXCEL_ROWS:
        raise ValueError(f"xlsx 最多 {EXCEL_ROWS} 行，请改用 csv 或 parquet")
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"claims_{setup.county}_{setup.first}_{setup.last}"
    key: dict[str, Any] = {"rows": 0, "faults": {}, "frauds": {}, "late": [], "identical": [], "deaths": []}
    with tempfile.TemporaryDirectory(dir=folder) as scratch_name:
        scratch = Path(scratch_name)
        writer = _Writer(setup, scratch)
        body, earlier_body = scratch / "body.csv", scratch / "earlier.csv"
        with body.open("wb") as target:
            if setup.earlier_rows:
                with earlier_body.open("wb") as before:
                    _earlier(setup, writer, before, target, key)
            _main(setup, writer, target, key, progress)
        extract = _finish(setup, writer, body, folder / f"{stem}.{kind}", kind)
        earlier = (
            _finish(setup, writer, earlier_body, folder / f"{stem}_earlier.{kind}", kind)
            if setup.earlier_rows
            else None
        )
    key["rows"] = writer.lines - setup.earlier_rows
    answer = folder / f"{stem}_key.json"
    answer.write_text(json.dumps(key, ensure_ascii=False, indent=1), encoding="utf-8")
    _tables(setup, folder, key)
    return Generated(extract, answer, earlier, key["rows"])


def _main(
    setup: Setup, writer: _Writer, target: Any, key: dict[str, Any], progress: Callable[[int, int], None] | None
) -> None:
    first, line, seed_rows = 1, 2 + setup.earlier_rows, setup.rows - setup.earlier_rows
    counts = [max(0, count) for count in month_rows(setup)]
    counts[-1] -= sum(counts) - seed_rows
    for chunk, (number, month, count) in enumerate(_chunks(setup, setup.months, counts)):
        rng = np.random.default_rng([setup.seed, month.year * 12 + month.month, number])
        planted = _prepare(setup, rng, count, month, setup.population + chunk * 100_000)
        order = settle_order(planted)
        plant_faults(setup, planted, order, rng, every=chunk == 0)
        writer.text(_numbered(planted, order, first), str(month).replace("-", ""))
        position = np.empty(planted.size, np.int64)
        position[order] = np.arange(planted.size)
        _note(writer, planted, position, line, key)
        writer.append(target)
        first, line = first + planted.size, line + planted.size
        if progress:
            progress(line - 2, setup.rows)


def _note(writer: _Writer, planted: Planted, position: np.ndarray, line: int, key: dict[str, Any]) -> None:
    before = writer.ids(
        sorted(
            {int(position[uid]) for _, story in planted.frauds for uid in story}
            | {int(position[uid]) for uid in planted.late}
        )
    )
    writer.override(planted.overrides)
    wrong = writer.ids(sorted({at for places in planted.faults.values() for at in places}))
    for code, places in sorted(planted.faults.items()):
        key["faults"].setdefault(code, []).extend(
            {"line": line + at, "settlement_id": wrong[at]} for at in sorted(places)
        )
    for kind, story in planted.frauds:
        key["frauds"].setdefault(kind, []).append([before[int(position[uid])] for uid in story])
    key["late"] += [before[int(position[uid])] for uid in planted.late]
    key["deaths"] += [
        {"person_id": f"P{writer.setup.county}{person:09d}", "date": str(np.datetime64(day, "D"))}
        for person, day in planted.deaths
    ]


def _earlier(setup: Setup, writer: _Writer, before: Any, target: Any, key: dict[str, Any]) -> None:
    """The extract of the month before, and its rows once more at the head of the main one, every second changed."""
    month = setup.first.previous()
    rng = np.random.default_rng([setup.seed, 0])
    planted = _prepare(setup, rng, setup.earlier_rows, month, setup.population + 90_000_000)
    order = settle_order(planted)
    rows = _numbered(planted, order, 1)
    writer.text(rows, str(month).replace("-", "") + "E")
    writer.append(before)
    odd = [at for at in range(setup.earlier_rows) if at % 2 and rows["reversal_of"][at] == BLANK]
    writer.override({"diagnosis_code": [(at, "Z99.9") for at in odd]})
    ids = writer.ids(list(range(setup.earlier_rows)))
    key["faults"]["C03"] = [{"line": at + 2, "settlement_id": ids[at]} for at in odd]
    key["identical"] = [ids[at] for at in range(setup.earlier_rows) if at not in set(odd)]
    writer.append(target)


def _finish(setup: Setup, writer: _Writer, body: Path, path: Path, kind: str) -> Path:
    from claims.generator.formats import write_csv, write_parquet, write_xlsx

    headers = [header for header, _, _ in writer.columns]
    if kind == "csv":
        write_csv(body, path, headers, setup.delimiter, setup.encoding)
    elif kind == "parquet":
        write_parquet(body, path, headers, setup.delimiter)
    else:
        write_xlsx(body, path, headers, setup.delimiter)
    return path


def _tables(setup: Setup, folder: Path, key: dict[str, Any]) -> None:
    tables: dict[str, list[Any]] = {
        "institutions.csv": [
            ["code", "name", "county", "kind", "grade", "alliance"],
            *([p.code, p.name, p.county, p.kind, p.grade, p.alliance] for p in setup.institutions),
        ],
        "groups.csv": [["code", "weight"], *example_groups()],
        "deaths.csv": [["person_id", "date"], *([d["person_id"], d["date"]] for d in key["deaths"])],
    }
    for name, rows in tables.items():
        with (folder / name).open("w", encoding="utf-8", newline="") as handle:
            csv.writer(handle, lineterminator="\n").writerows(rows)
