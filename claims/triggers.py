"""Facts and manifest rows are written once: the database refuses to change what a settlement may stand on."""

from __future__ import annotations

from core.triggers import Trigger, append_only, register

_FIXED_OF_SET = ("county_id", "year", "month", "version", "source", "content", "rows", "pooled_fund_paid", "fund_payable")
_FIXED_OF_FILE = ("claims_import_id", "county_id", "year", "month", "name", "rows", "pooled_fund_paid", "sha256")


def register_triggers() -> None:
    """Facts never change; of a fact set only which one is current; of a manifest row only whether it counts."""
    append_only("claims_monthlyfact", "monthly facts are never changed or deleted")
    append_only("claims_monthlypayable", "monthly payables are never changed or deleted")
    register(
        _fixed("claims_factset", _FIXED_OF_SET, "a fact set is never changed"),
        Trigger("claims_factset_no_delete", "claims_factset", "DELETE", "a fact set is never deleted"),
        _fixed("claims_lakefile", _FIXED_OF_FILE, "a manifest row is never changed"),
        Trigger("claims_lakefile_no_delete", "claims_lakefile", "DELETE", "a manifest row is never deleted"),
    )


def _fixed(table: str, columns: tuple[str, ...], message: str) -> Trigger:
    changed = " OR ".join(f"OLD.{column} <> NEW.{column}" for column in columns)
    return Trigger(f"{table}_fixed", table, "UPDATE", message, changed)
