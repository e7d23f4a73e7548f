"""What the database itself refuses: an unbalanced or mixed entry at its sealing, and any change after it.

The conditions run unchanged on SQLite and PostgreSQL. An entry may be inserted only unsealed, so that nothing reaches
the books without passing the check.
"""

from __future__ import annotations

from core.triggers import Trigger, append_only, register
from ledger.accounts import CONTROL_PREFIX

_LINES = "FROM ledger_line WHERE entry_id = NEW.id"
_IS_CONTROL = f"CASE WHEN substr(account, 1, {len(CONTROL_PREFIX)}) = '{CONTROL_PREFIX}' THEN 1 ELSE 0 END"
_SEALING = "NEW.sealed AND NOT OLD.sealed"


def _entry_is_sealed(row: str) -> str:
    return f"EXISTS (SELECT 1 FROM ledger_entry WHERE id = {row}.entry_id AND sealed)"


def register_all() -> None:
    sealed = "a sealed entry is never changed or deleted"
    register(
        Trigger("ledger_entry_born_unsealed", "ledger_entry", "INSERT", "an entry is sealed only after its lines",
                "NEW.sealed"),
        Trigger("ledger_entry_sums_to_zero", "ledger_entry", "UPDATE", "the lines of an entry must sum to zero",
                f"{_SEALING} AND (SELECT COALESCE(SUM(amount), 0) {_LINES}) <> 0"),
        Trigger("ledger_entry_has_two_sides", "ledger_entry", "UPDATE", "an entry has at least two lines",
                f"{_SEALING} AND (SELECT COUNT(*) {_LINES}) < 2"),
        Trigger("ledger_entry_never_mixes", "ledger_entry", "UPDATE", "control and fund accounts never meet in one entry",
                f"{_SEALING} AND (SELECT COUNT(DISTINCT {_IS_CONTROL}) {_LINES}) > 1"),
        Trigger("ledger_entry_no_update", "ledger_entry", "UPDATE", sealed, "OLD.sealed"),
        Trigger("ledger_entry_no_delete", "ledger_entry", "DELETE", sealed, "OLD.sealed"),
        Trigger("ledger_line_no_insert", "ledger_line", "INSERT", sealed, _entry_is_sealed("NEW")),
        Trigger("ledger_line_no_update", "ledger_line", "UPDATE", sealed,
                f"{_entry_is_sealed('OLD')} OR {_entry_is_sealed('NEW')}"),
        Trigger("ledger_line_no_delete", "ledger_line", "DELETE", sealed, _entry_is_sealed("OLD")),
    )  # fmt: skip
    append_only("ledger_bookclosing", "closings are a history: add one, never change one")
