"""The workbook of a quarterly table: made as a template, read when it comes back, answered with what is wrong in it.

The spreadsheet library is loaded with the first call, not when the site starts.
"""

from __future__ import annotations

from collections.abc import Sequence

from submissions.declaration import Table
from submissions.figures import Placed, Read
from submissions.workbook.codes import CODES, Code
from submissions.workbook.model import Expected, Prefill, PrefillMember
from submissions.workbook.refusals import Unreadable

__all__ = [
    "CODES", "Code", "Expected", "Prefill", "PrefillMember", "Unreadable", "answer_workbook", "read_workbook", "template_workbook",
]  # fmt: skip


def template_workbook(table: Table, prefill: Prefill) -> bytes:
    """The prefilled template of one alliance and period as xlsx."""
    from submissions.workbook import template

    return template.template_workbook(table, prefill)


def read_workbook(content: bytes, name: str, expected: Expected) -> Read:
    """What an upload says. Raises :class:`Unreadable` with every reason why it cannot be read as a whole."""
    from submissions.workbook import reader

    return reader.read_workbook(content, name, expected)


def answer_workbook(content: bytes, read: Read | None, placed: Sequence[Placed]) -> bytes:
    """The same workbook with findings marked and listed; ``read`` is None for one refused as a whole."""
    from submissions.workbook import answer

    return answer.answer_workbook(content, read, placed)
