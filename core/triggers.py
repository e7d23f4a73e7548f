"""Database triggers that refuse what the code never does: changing or deleting an append-only row.

Apps register the SQL for both databases; ``post_migrate`` installs all of it (SQLite table remakes drop triggers),
``/readyz`` and ``manage.py verify`` ask whether each trigger is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection

from core.registries import Finding


@dataclass(frozen=True)
class Trigger:
    """``condition`` (SQL over OLD/NEW) says when to refuse; ``event`` is UPDATE, DELETE or INSERT."""

    name: str
    table: str
    event: str
    message: str
    condition: str = ""


triggers: dict[str, Trigger] = {}


def register(*found: Trigger) -> None:
    for trigger in found:
        triggers[trigger.name] = trigger


def append_only(table: str, message: str) -> None:
    """Refuse every UPDATE and DELETE on ``table``."""
    register(
        Trigger(f"{table}_no_update", table, "UPDATE", message), Trigger(f"{table}_no_delete", table, "DELETE", message)
    )


def install(**_signal: Any) -> None:
    """Create the registered triggers whose tables exist; replaces older versions."""
    tables = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for trigger in triggers.values():
            if trigger.table in tables:
                for statement in _create(trigger):
                    cursor.execute(statement)


def missing() -> list[Finding]:
    """Registered triggers the database does not hold, or holds in other words than ours."""
    held = _held()
    findings = []
    for name, trigger in triggers.items():
        if name not in held:
            text = f"数据表 {trigger.table} 缺少防改触发器，请运行 manage.py migrate"
        elif held[name].split() != _definition(trigger).split():
            text = f"数据表 {trigger.table} 的防改触发器已被改写，请查明后运行 manage.py migrate"
        else:
            continue
        findings.append(Finding(f"触发器 {name}", text))
    return findings


@contextmanager
def lifted() -> Iterator[None]:
    """Without triggers, for test databases that are flushed; puts them back."""
    tables = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for trigger in triggers.values():
            if trigger.table in tables:
                for statement in _drop(trigger):
                    cursor.execute(statement)
    try:
        yield
    finally:
        install()


def _held() -> dict[str, str]:
    """Active triggers with what they do: the statement on SQLite, the function's body on PostgreSQL."""
    query = (
        "SELECT name, sql FROM sqlite_master WHERE type='trigger'"
        if connection.vendor == "sqlite"
        else "SELECT tgname, prosrc FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid "
        "WHERE NOT tgisinternal AND tgenabled <> 'D'"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        return dict(cursor.fetchall())


def _drop(trigger: Trigger) -> list[str]:
    if connection.vendor == "sqlite":
        return [f"DROP TRIGGER IF EXISTS {trigger.name}"]
    return [f"DROP TRIGGER IF EXISTS {trigger.name} ON {trigger.table}"]


def _create(trigger: Trigger) -> list[str]:
    if connection.vendor == "sqlite":
        return [*_drop(trigger), _definition(trigger)]
    return [
        *_drop(trigger),
        f"CREATE OR REPLACE FUNCTION {trigger.name}() RETURNS trigger LANGUAGE plpgsql AS $${_definition(trigger)}$$",
        f"CREATE TRIGGER {trigger.name} BEFORE {trigger.event} ON {trigger.table} FOR EACH ROW "
        f"EXECUTE FUNCTION {trigger.name}()",
    ]


def _definition(trigger: Trigger) -> str:
    """What the database keeps of a trigger, to be compared with what it should."""
    if connection.vendor == "sqlite":
        when = f"WHEN ({trigger.condition})" if trigger.condition else ""
        return (
            f"CREATE TRIGGER {trigger.name} BEFORE {trigger.event} ON {trigger.table} FOR EACH ROW {when} "
            f"BEGIN SELECT RAISE(ABORT, '{trigger.message}'); END"
        )
    refuse = f"RAISE EXCEPTION '{trigger.message}' USING ERRCODE = 'integrity_constraint_violation';"
    body = f"IF {trigger.condition} THEN {refuse} END IF;" if trigger.condition else refuse
    return f" BEGIN {body} RETURN {'OLD' if trigger.event == 'DELETE' else 'NEW'}; END "
