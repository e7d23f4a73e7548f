"""The database part of a backup: one consistent view, dumped while people work on, and loaded into an empty database.

SQLite: the online backup of the file, taken inside a read transaction. PostgreSQL: every table by COPY inside one
REPEATABLE READ transaction, so that no client tool of the server's version is needed. Whatever is read inside
``snapshot()`` belongs to the same moment.
"""

from __future__ import annotations

import gzip
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from core.errors import Refused

FOLDER = "database"
SQLITE_FILE = f"{FOLDER}/db.sqlite3"
MIGRATIONS_TABLE = "django_migrations"


def is_sqlite() -> bool:
    return connection.vendor == "sqlite"


@contextmanager
def snapshot() -> Iterator[None]:
    """A read-only view of the database at one moment; writers go on beside it."""
    if connection.in_atomic_block:
        raise RuntimeError("a snapshot needs a transaction of its own")
    if not is_sqlite():
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
        return
    with connection.cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")
        try:
            cursor.execute("SELECT count(*) FROM sqlite_master")  # the view begins with the first read
            yield
        finally:
            cursor.execute("ROLLBACK")


def dump(folder: Path) -> dict[str, list[str]]:
    """Write the database below ``folder``; returns the columns of each table (PostgreSQL). Call inside ``snapshot``."""
    (folder / FOLDER).mkdir()
    return _dump_sqlite(folder / SQLITE_FILE) if is_sqlite() else _dump_tables(folder)


def migrations() -> list[list[str]]:
    """What has been applied, as [app, name] in order."""
    return sorted([app, name] for app, name in MigrationRecorder(connection).applied_migrations())


def refuse_unless_empty() -> None:
    """Raise ``Refused`` when the database holds any table."""
    tables = connection.introspection.table_names()
    if tables:
        raise Refused(
            f"数据库“{connection.settings_dict['NAME']}”不是空的（已有 {len(tables)} 张表），没有恢复任何内容。"
            "请新建一个空库，或换用另一个 DATA_DIR。"
        )


def refuse_unless_it_fits(database: str, applied: list[list[str]]) -> None:
    """Raise ``Refused`` when the backup is from the other database or from a newer version of the program."""
    if database != connection.vendor:
        names = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
        raise Refused(
            f"备份来自 {names.get(database, database)}，当前配置的数据库是 {names.get(connection.vendor)}。"
            "请按 DATABASE_URL 配置同一种数据库后恢复。"
        )
    known = MigrationExecutor(connection).loader.disk_migrations
    unknown = [f"{app}.{name}" for app, name in applied if (app, name) not in known]
    if unknown:
        raise Refused(f"备份由更新的程序版本制作（{'、'.join(unknown[:3])}）。请先升级程序再恢复。")


def load(folder: Path, tables: dict[str, list[str]], applied: list[list[str]]) -> None:
    """Fill the empty database with what ``dump`` wrote, in the state of migrations it had then."""
    if is_sqlite():
        _load_sqlite(folder / SQLITE_FILE)
    else:
        _migrate_to(applied)
        _load_tables(folder, tables)


def table_file(table: str) -> str:
    return f"{FOLDER}/{table}.copy.gz"


def _dump_sqlite(path: Path) -> dict[str, list[str]]:
    connection.ensure_connection()
    with closing(sqlite3.connect(path)) as target:
        connection.connection.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")
        damage = target.execute("PRAGMA quick_check").fetchall()
    if damage != [("ok",)]:
        raise Refused(f"数据库文件已损坏（{damage[0][0]}），没有备份。请停止系统，用最近一份完好的备份恢复。")
    return {}


def _dump_tables(folder: Path) -> dict[str, list[str]]:
    columns: dict[str, list[str]] = {}
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        held = connection.introspection.django_table_names(only_existing=True, include_views=False)
        for table in sorted(set(held) - {MIGRATIONS_TABLE}):
            described = connection.introspection.get_table_description(cursor, table)
            columns[table] = [column.name for column in described]
            listed = ", ".join(map(quote, columns[table]))
            with gzip.open(folder / table_file(table), "wb", compresslevel=4) as out:
                cursor.cursor.copy_expert(f"COPY {quote(table)} ({listed}) TO STDOUT", out)
    return columns


def _load_sqlite(source: Path) -> None:
    target = Path(connection.settings_dict["NAME"])
    connection.close()
    for suffix in ("", "-wal", "-shm"):
        target.with_name(target.name + suffix).unlink(missing_ok=True)
    aside = target.with_name(target.name + ".restoring")
    shutil.copyfile(source, aside)
    os.replace(aside, target)


def _migrate_to(applied: list[list[str]]) -> None:
    """Make the tables as they were when the backup was made; what came since is for the upgrade afterwards."""
    executor = MigrationExecutor(connection)
    done = {(app, name) for app, name in applied}
    graph = executor.loader.graph
    last = [
        node
        for node in sorted(done)
        if node in graph.nodes
        and not any(child.key[0] == node[0] and child.key in done for child in graph.node_map[node].children)
    ]
    executor.migrate(last)


def _load_tables(folder: Path, tables: dict[str, list[str]]) -> None:
    quote = connection.ops.quote_name
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(map(quote, tables))}")
        for table, columns in tables.items():
            listed = ", ".join(map(quote, columns))
            with gzip.open(folder / table_file(table), "rb") as source:
                cursor.cursor.copy_expert(f"COPY {quote(table)} ({listed}) FROM STDIN", cast(BinaryIO, source))
        for table in tables:
            _continue_numbers(cursor, table)


def _continue_numbers(cursor: Any, table: str) -> None:
    quote = connection.ops.quote_name
    for sequence in connection.introspection.get_sequences(cursor, table):
        column = quote(sequence["column"])
        cursor.execute(
            f"SELECT setval(pg_get_serial_sequence(%s, %s), coalesce(max({column}), 1), max({column}) IS NOT NULL)"
            f" FROM {quote(table)}",
            [quote(table), sequence["column"]],
        )
