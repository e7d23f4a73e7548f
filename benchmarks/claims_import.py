"""Claims import: the engine with all rules and the keyed hash against a raw COPY of the same file in the same run.

    python benchmarks/claims_import.py                       # 3,000,000 rows of one county's year, about five minutes
    python benchmarks/claims_import.py --rows 200000 --runs 1
    python benchmarks/claims_import.py --shuffle             # rows in random order: the worst case of a real export
    python benchmarks/claims_import.py --folder /tmp/bench   # keeps the extract for the next run

The floor is a client COPY of every column as text into an unlogged table without an index, in the PostgreSQL that
``DATABASE_URL`` names. Each engine run is a process of its own, so that its peak memory is its own; floor and engine
take turns. The rows hold one planted fault in two hundred, and the counts found are compared with the answer key.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rules.periods import Month  # noqa: E402

DATABASE = os.environ.get("DATABASE_URL") or "postgres://root@127.0.0.1:5432/test"
TARGETS = {"2GB": (0.35, 2500), "1GB": (0.25, 1200)}  # DuckDB's limit → (share of the floor, MB of the process)
SLOWEST = 15  # times bulk_create
FACTS = 1.0  # seconds for the facts of all rows
TABLE = "benchmark_claims_floor"
ORM_ROWS = 20_000


def make_extract(folder: Path, rows: int, shuffle: bool) -> Path:
    """The extract of one county's year; made once per folder and size."""
    from claims.generator import example_setup, generate

    target = folder / f"{rows}{'-shuffled' if shuffle else ''}"
    done = target / "done"
    if not done.exists():
        setup = example_setup(rows, faults=0.005, first=Month(2026, 1), last=Month(2026, 12))
        path = generate(setup, target).extract
        if shuffle:
            shuffled(path)
        done.write_text(path.name)
    return target / done.read_text()


def shuffled(path: Path) -> None:
    import duckdb

    source = f"read_csv('{path}', all_varchar=true, header=true, delim=',', quote='\"')"
    turned = path.with_suffix(".turned")
    duckdb.connect().execute(f"COPY (SELECT * FROM {source} ORDER BY hash(mdtrt_id, setl_id)) TO '{turned}' (FORMAT csv, HEADER)")
    turned.replace(path)


def floor_seconds(path: Path) -> float:
    """Seconds of a raw COPY of the file as text."""
    import psycopg2

    with path.open(encoding="utf-8") as handle:
        header = next(csv.reader(handle))
    with psycopg2.connect(DATABASE) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")
        cursor.execute(f"CREATE UNLOGGED TABLE {TABLE} ({', '.join(f'{name} text' for name in header)})")
        connection.commit()
        start = time.perf_counter()
        with path.open("rb") as handle:
            cursor.copy_expert(f"COPY {TABLE} FROM STDIN WITH (FORMAT csv, HEADER true)", handle, size=1 << 20)
        connection.commit()
        seconds = time.perf_counter() - start
        cursor.execute(f"DROP TABLE {TABLE}")
    connection.close()
    return seconds


def reference_of(folder: Path) -> Any:
    from claims.engine.reference import AllianceRef, InstitutionRef, MutualAid, Reference, ShareRef, Span

    start = Month(2020, 1).first_day
    institutions = [
        InstitutionRef(row["code"], row["county"], row["kind"], (Span(row["alliance"], start),) if row["alliance"] else ())
        for row in csv.DictReader((folder / "institutions.csv").open(encoding="utf-8"))
    ]
    groups = {row["code"]: Decimal(row["weight"]) for row in csv.DictReader((folder / "groups.csv").open(encoding="utf-8"))}
    pair = ("YGT1A", "YGT1B")
    return Reference(
        pooling_area="990100",
        counties=frozenset({"990101", "990102", "990103"}),
        institutions=tuple(institutions),
        alliances=tuple(AllianceRef(code, "990101") for code in pair),
        shares=tuple(ShareRef("990101", 2026, code, Decimal(share)) for code, share in zip(pair, ("0.6", "0.4"), strict=True)),
        declared_county="990101",
        period_from=Month(2026, 1).first_day,
        period_to=Month(2026, 12).last_day,
        groups=groups,
        settles_by_groups=True,
        mutual_aid=MutualAid.INSIDE,
    )


def engine_run(path: Path, memory: str) -> None:
    """One check of the file in this process; prints its figures as JSON. Interpreter start and imports count."""
    import shutil

    from claims.engine.check import check_file
    from claims.engine.refusals import Limits

    work = Path(tempfile.mkdtemp(dir=path.parent))
    try:
        result = check_file(path, reference_of(path.parent), [], b"a key for the benchmark", work, limits=Limits(memory=memory))
        assert result.refusal is None, result.refusal
        figures = {
            "cpu": time.process_time(),
            "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            "good": result.good,
            "counts": {entry.code.code: entry.rows for entry in result.findings},
            "stored": sum(file.size for file in result.files) // (1 << 20),
            "facts": facts_seconds(path, [file.path for file in result.files]) if memory == "1GB" else None,
        }
        print(json.dumps(figures))
    finally:
        shutil.rmtree(work)


def facts_seconds(path: Path, files: list[Path]) -> tuple[float, float, int]:
    """(seconds for all twelve months, for the slowest one, facts) from the files just written; second of two rounds."""
    import duckdb

    from claims.engine.facts import monthly_facts

    reference, taken, facts = reference_of(path.parent), [], 0
    by_month = {file.stem.split("-", 1)[1]: file for file in files}
    for _ in range(2):
        taken, facts = [], 0
        for month, file in sorted(by_month.items()):
            connection = duckdb.connect(config={"memory_limit": "512MB", "threads": 2})
            start = time.perf_counter()
            facts += len(monthly_facts(connection, [file], reference, "990101", Month.parse(month)))
            taken.append(time.perf_counter() - start)
            connection.close()
    return sum(taken), max(taken), facts


def engine_seconds(path: Path, memory: str) -> tuple[float, dict[str, Any]]:
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, __file__, "--engine", str(path), "--memory", memory], check=True, capture_output=True, text=True
    )
    return time.perf_counter() - start, json.loads(done.stdout.splitlines()[-1])


def bulk_create_rate(path: Path) -> float:
    """Rows per second of reading the CSV, building model objects and bulk_create, without any rule."""
    import dj_database_url
    import django
    from django.conf import settings

    settings.configure(DATABASES={"default": dj_database_url.parse(DATABASE)}, INSTALLED_APPS=[], USE_TZ=True)
    django.setup()
    from django.db import connection, models, transaction

    with path.open(encoding="utf-8", newline="") as handle:
        reader = csv.DictReader(handle)
        names = list(reader.fieldnames or ())
        meta = type("Meta", (), {"app_label": "benchmark", "db_table": "benchmark_claims_orm"})
        fields = {name: models.CharField(max_length=60, null=True) for name in names}
        row_class: Any = type("ClaimRow", (models.Model,), {"__module__": __name__, "Meta": meta, **fields})
        with connection.schema_editor() as editor:
            editor.create_model(row_class)
        try:
            start = time.perf_counter()
            with transaction.atomic():
                batch = [row_class(**row) for row, _ in zip(reader, range(ORM_ROWS), strict=False)]
                row_class.objects.bulk_create(batch, batch_size=1000)
            return len(batch) / (time.perf_counter() - start)
        finally:
            with connection.schema_editor() as editor:
                editor.delete_model(row_class)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=3_000_000)
    parser.add_argument("--runs", type=int, default=3, help="alternating runs, the median counts (default 3)")
    parser.add_argument("--shuffle", action="store_true", help="rows in random order")
    parser.add_argument("--folder", type=Path, help="where the extract is kept (default: a temporary directory)")
    parser.add_argument("--engine", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--memory", default="1GB", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.engine:
        engine_run(options.engine, options.memory)
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        path = make_extract(options.folder or Path(scratch), options.rows, options.shuffle)
        return measure(path, options.rows, options.runs)


def measure(path: Path, rows: int, runs: int) -> int:
    key = json.loads(next(path.parent.glob("*_key.json")).read_text())
    planted = {code: len(entries) for code, entries in key["faults"].items()}
    floors: list[float] = []
    taken: dict[str, list[float]] = {memory: [] for memory in TARGETS}
    figures: dict[str, dict[str, Any]] = {}
    for _ in range(runs):
        for memory in TARGETS:
            floors.append(floor_seconds(path))
            seconds, figures[memory] = engine_seconds(path, memory)
            taken[memory].append(seconds)
            if figures[memory]["counts"] != planted:
                raise SystemExit(f"found {figures[memory]['counts']}, planted {planted}")
    floor = statistics.median(floors)
    print(f"{rows:,} rows, {path.stat().st_size / 1e6:,.0f} MB; every planted fault found, nothing else")
    spread = f"(of {len(floors)}: {min(floors):.1f}–{max(floors):.1f})"
    print(f"floor: raw unlogged COPY       {floor:6.1f} s  {rows / floor:>9,.0f} rows/s  {spread}")
    missed = 0
    for memory, (target, most) in TARGETS.items():
        median = statistics.median(taken[memory])
        ratio, rss = floor / median, figures[memory]["rss"]
        missed += ratio < target or rss > most
        print(f"engine, memory_limit {memory:<8}  {median:6.1f} s  {rows / median:>9,.0f} rows/s  ratio {ratio:.2f} (target {target})"
              f"  peak {rss:,} MB (target {most:,})  own CPU {figures[memory]['cpu']:.0f} s")  # fmt: skip
    orm = bulk_create_rate(path)
    rate = rows / statistics.median(taken["1GB"])
    missed += rate < SLOWEST * orm
    times = f"the engine is {rate / orm:.0f} times as fast (target {SLOWEST})"
    print(f"bulk_create of {ORM_ROWS:,} rows, no rule  {orm:>9,.0f} rows/s  {times}")
    total, slowest, facts = figures["1GB"]["facts"]
    missed += total > FACTS * rows / 3_000_000
    print(f"facts of all months            {total:6.2f} s  slowest month {slowest:.3f} s  {facts:,} facts  (target {FACTS} s for 3 M)")
    print(f"lake {figures['1GB']['stored']:,} MB of Parquet")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
