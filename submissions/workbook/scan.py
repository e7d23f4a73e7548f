"""A first look into the parts of a workbook before the spreadsheet library opens it.

Finds what would cost a worker its time or memory (elements beyond any table, merged ranges of millions of cells) and the
stored results of formulas, which the library does not keep beside the formulas.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
from dataclasses import dataclass, field
from decimal import Decimal
from xml.etree import ElementTree

MOST_UNPACKED = 24 * 1024 * 1024
MOST_ELEMENTS = 400_000
MOST_MERGED = 50_000
"""A filled table unpacks to less than 2 MB and 30 000 elements, and merges a few dozen cells."""
_RANGES = frozenset({"mergeCell", "hyperlink", "comment"})
"""Elements whose ``ref`` the library unfolds cell by cell."""


KINDS = frozenset({"n", "str", "b", "e", "d"})
"""What a formula's result may be; a reference into the shared texts is none."""


@dataclass(frozen=True)
class Result:
    """The stored result of a formula: the type and text as they stand in the file."""

    kind: str
    text: str

    @property
    def value(self) -> str | Decimal | bool:
        if self.kind in ("str", "e", "d"):
            return self.text
        return self.text == "1" if self.kind == "b" else Decimal(self.text)


@dataclass
class Scan:
    """``results``: sheet title → cell → result; formulas without one are absent. ``too_much`` says what is beyond measure."""

    results: dict[str, dict[str, Result]] = field(default_factory=dict)
    too_much: str = ""
    merged: str = ""


def scan(content: bytes) -> Scan:
    """Look through every part, whatever its name: a part is what its package says, not what it is called."""
    seen = Scan()
    elements, wide = 0, dict[str, str]()
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        unpacked = sum(member.file_size for member in book.infolist())
        if unpacked > MOST_UNPACKED:
            seen.too_much = f"解压后 {unpacked // 1048576} MB"
            return seen
        titles = {part: title for title, part in sheet_parts(book).items()}
        for member in book.infolist():
            part = _Part(elements)
            try:
                part.look_through(book.read(member))
            except ElementTree.ParseError:
                continue
            elements = part.elements
            if elements > MOST_ELEMENTS:
                seen.too_much = f"内容超过 {MOST_ELEMENTS} 项"
                return seen
            wide |= part.wide
            if member.filename in titles:
                seen.results[titles[member.filename]] = part.results
    seen.merged = wide.pop("mergeCell", "")
    seen.too_much = "、".join(f"链接或批注占用 {ref}" for ref in wide.values())
    return seen


class _Part:
    """One part being looked through."""

    def __init__(self, elements: int) -> None:
        self.elements = elements
        self.wide: dict[str, str] = {}
        self.results: dict[str, Result] = {}

    def look_through(self, xml: bytes) -> None:
        for _event, element in ElementTree.iterparse(io.BytesIO(xml)):
            self.elements += 1
            if self.elements > MOST_ELEMENTS:
                return
            name = element.tag.rpartition("}")[2]
            if name == "c":
                self._cell(element)
                element.clear()
            elif name in _RANGES and _area(ref := element.get("ref", "")) > MOST_MERGED:
                self.wide[name] = ref

    def _cell(self, cell: ElementTree.Element) -> None:
        parts = {part.tag.rpartition("}")[2]: part for part in cell}
        if "f" in parts and (text := parts["v"].text if "v" in parts else None):
            kind = cell.get("t", "n")
            if kind in KINDS:
                self.results[cell.get("r", "")] = Result(kind, text)


def _area(ref: str) -> int:
    from openpyxl.utils.cell import range_boundaries

    if not ref:
        return 0
    try:
        left, top, right, bottom = range_boundaries(ref)
        return int((right - left + 1) * (bottom - top + 1))
    except (TypeError, ValueError):  # whole rows or columns, or no range
        return MOST_MERGED + 1


def sheet_parts(book: zipfile.ZipFile) -> dict[str, str]:
    """Sheet title → the part of the package that holds it; empty where the package does not say."""
    try:
        relations = ElementTree.fromstring(book.read("xl/_rels/workbook.xml.rels"))
        root = ElementTree.fromstring(book.read("xl/workbook.xml"))
    except (KeyError, ElementTree.ParseError):
        return {}
    targets = {
        each.get("Id"): posixpath.normpath(posixpath.join("/xl", each.get("Target", "")))[1:] for each in relations
    }
    parts = {}
    for sheet in root.iter():
        identifier = next((value for key, value in sheet.attrib.items() if key.endswith("}id")), None)
        if sheet.tag.rpartition("}")[2] == "sheet" and identifier in targets:
            parts[sheet.get("name", "")] = targets[identifier]
    return parts
