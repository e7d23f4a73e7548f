"""The building blocks of a report's content: tables of strings, the same for page, Word and workbook; and what changed.

A table has columns with a unit (``row``: the row's own, ``diff``: a difference of the row's own) and rows with cells of
text or None. Nothing is rounded or worded here twice: whoever shows a cell calls :func:`shown`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any

from core.templatetags.fund import BLANK, count, percent, points, signed, wan, yuan
from rules.trace import Trace, text_of

Content = dict[str, Any]
WORDS = frozenset({"text", "word"})
"""Units of cells that are no figures: prose, and short words that never break."""


def table(
    key: str, title: str, columns: Sequence[tuple[str, str]], rows: Iterable[Content], fund: str = "", note: str = "",
    head: str = "项目",
) -> Content:  # fmt: skip
    """``columns`` are (label, unit); the first column of the shown table, under ``head``, is the rows' own label."""
    return {
        "key": f"{key}-{fund}" if fund else key, "title": title, "fund": fund, "note": note, "head": head,
        "columns": [{"label": label, "unit": unit} for label, unit in columns], "rows": list(rows),
    }  # fmt: skip


def row(
    label: str, cells: Sequence[Any], *, unit: str = "", total: bool = False, trace: Trace | None = None, note: str = ""
) -> Content:
    """Cells as Decimal, whole number, text or None (not known)."""
    return {
        "label": label, "cells": [None if cell is None else text_of(cell) for cell in cells], "unit": unit,
        "total": total, "note": note, "trace": trace.as_json() if trace else [],
    }  # fmt: skip


def section(key: str, title: str, sentences: Sequence[Mapping[str, str]], tables: Sequence[Content]) -> Content:
    return {"key": key, "title": title, "sentences": [dict(one) for one in sentences], "tables": list(tables)}


def unit_of(column: Mapping[str, str], line: Mapping[str, Any]) -> str:
    """The unit of a cell."""
    if column["unit"] == "row":
        return str(line["unit"])
    if column["unit"] == "diff":
        return {"ratio": "points", "points": "points"}.get(line["unit"], f"{line['unit']}±")
    return column["unit"]


def shown(value: str | None, unit: str) -> str:
    """A cell as people read it: yuan with separators, ratios in percent, differences of ratios in points."""
    if value is None or value == "":
        return BLANK
    if unit in WORDS:
        return value
    plain = unit.removesuffix("±")
    text = {
        "yuan": yuan, "ratio": percent, "growth": percent, "points": points, "count": count, "wan": wan,
    }.get(plain, yuan)(value)  # fmt: skip
    return signed(text) if unit.endswith("±") or plain == "growth" else text


def canonical(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest_of(content: Mapping[str, Any]) -> str:
    return sha256(canonical(content).encode()).hexdigest()


@dataclass(frozen=True)
class Difference:
    """One figure that two contents tell differently."""

    where: str
    former: str
    now: str


def differences(former: Mapping[str, Any], now: Mapping[str, Any]) -> list[Difference]:
    """Every cell that changed, came or went, in the order of the newer content."""
    old, new = dict(_cells(former)), dict(_cells(now))
    found = [Difference(where, old.get(where, BLANK), text) for where, text in new.items() if old.get(where) != text]
    return found + [Difference(where, text, BLANK) for where, text in old.items() if where not in new]


def _cells(content: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for part in content.get("sections", ()):
        for one in part["tables"]:
            for line in one["rows"]:
                for column, cell in zip(one["columns"], line["cells"], strict=True):
                    unit = unit_of(column, line)
                    if unit not in WORDS:
                        yield f"{one['title']} · {line['label']} · {column['label']}", shown(cell, unit)


def decimal_of(value: str | None, unit: str) -> Decimal | int | str | None:
    """A cell for a workbook: numbers as numbers, text as text."""
    if value is None:
        return None
    if unit in WORDS:
        return value
    number = Decimal(value)
    return int(number) if unit.removesuffix("±") == "count" else number
