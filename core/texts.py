"""Texts as people send them: without signs no file or database can hold, and whole numbers that are whole numbers."""

from __future__ import annotations

import re

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
LONGEST_NUMBER = 15


def plain(text: str) -> str:
    """The text without control characters (Word's soft line break, NUL); tabs and line ends stay."""
    return _CONTROLS.sub("", text)


def whole(text: str) -> int | None:
    """The number of a text of ASCII digits, at most fifteen; None for anything else, superscripts and the like included."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER else None
