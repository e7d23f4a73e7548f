"""Builds the three Word templates on one letterhead: ``python -m audits.documents.letterhead``.

``letter.docx`` (notices, decisions, letters), ``form.docx`` (approval forms, receipts) and ``list.docx`` (landscape lists).
The shipped files are what is filled; this is run again only when their form changes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LETTER, FORM, LIST = "letter", "form", "list"
HEAD_FILL = "DCE6F5"
HEAD_RED = "B00000"
INDENT = 22
LAST_COLUMN = {LETTER: 122, FORM: 134, LIST: 200}
"""Millimetres left for the text of a pair beside its label."""


def template_of(layout: str) -> Path:
    """The shipped template of a layout."""
    return HERE / f"{layout}.docx"


def build(layout: str) -> None:
    """Write the template of a layout with its loops (docxtpl tags)."""
    from docx import Document
    from docx.enum.section import WD_ORIENT
    from docx.shared import Mm, Pt, RGBColor

    document = Document()
    page = document.sections[0]
    page.page_width, page.page_height = Mm(210), Mm(297)
    page.left_margin = page.right_margin = Mm(26 if layout == LETTER else 20)
    page.top_margin = page.bottom_margin = Mm(22)
    if layout == LIST:
        page.orientation = WD_ORIENT.LANDSCAPE
        page.page_width, page.page_height = Mm(297), Mm(210)
    _font(document.styles["Normal"], 11)
    for number, size in ((1, 18), (2, 12)):
        style = document.styles[f"Heading {number}"]
        _font(style, size)
        style.font.color.rgb = RGBColor(0, 0, 0)
        style.paragraph_format.space_before = Pt(8)
    _head(document, layout)
    _body(document, layout)
    _foot(document, layout)
    document.save(str(template_of(layout)))


def _head(document: Any, layout: str) -> None:
    """The office in red over a red line on letters, in black on forms; title, number, addressee."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import RGBColor

    office = _line(document, "{{ office }}", 22 if layout == LETTER else 12, center=True)
    if layout == LETTER:
        run = office.runs[0]
        run.bold, run.font.color.rgb = True, RGBColor.from_string(HEAD_RED)
        border, below = OxmlElement("w:pBdr"), OxmlElement("w:bottom")
        for name, value in (("val", "single"), ("sz", "12"), ("space", "6"), ("color", HEAD_RED)):
            below.set(qn(f"w:{name}"), value)
        border.append(below)
        office._p.get_or_add_pPr().append(border)
    document.add_heading("{{ title }}", 1).alignment = WD_ALIGN_PARAGRAPH.CENTER
    _line(document, "{{ number }}", 10, center=True)
    _line(document, "{%p if addressee %}")
    _line(document, "{{ addressee }}：")
    _line(document, "{%p endif %}")


def _body(document: Any, layout: str) -> None:
    """Every section: its sentences, its pairs as a table of two columns, its tables."""
    _line(document, "{%p for part in sections %}")
    _line(document, "{%p if part.title %}")
    document.add_heading("{{ part.title }}", 2)
    _line(document, "{%p endif %}")
    _line(document, "{%p for said in part.sentences %}")
    _line(document, "{{ said }}", indent=layout == LETTER)
    _line(document, "{%p endfor %}")
    _line(document, "{%p if part.pairs %}")
    _pairs(document, layout)
    _line(document, " ", 5)
    _line(document, "{%p endif %}")
    _line(document, "{%p for one in part.tables %}")
    _table(document)
    _line(document, " ", 5)
    _line(document, "{%p endfor %}")
    _line(document, "{%p endfor %}")


def _foot(document: Any, layout: str) -> None:
    """Who signs and when; on every page the version and the head of the trail."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    _line(document, "{%p if signed_office %}")
    for text in ("{{ signed_office }}", "{{ signed_on }}"):
        _line(document, text).alignment = WD_ALIGN_PARAGRAPH.RIGHT
    _line(document, "{%p endif %}")
    _line(document, "{%p for who in signatures %}")
    _line(document, "{{ who.role }}：{{ who.name }}　{{ who.when }}", 10)
    _line(document, "{%p endfor %}")
    foot = document.sections[0].footer.paragraphs[0]
    foot.add_run("案号 {{ case }}　第 {{ version }} 版　办理轨迹链首 {{ trail_head }}")
    foot.runs[0].font.size = _points(7)
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER


def _line(document: Any, text: str, size: int = 0, center: bool = False, indent: bool = False) -> Any:
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    paragraph = document.add_paragraph()
    run = paragraph.add_run(text)
    if size:
        run.font.size = _points(size)
    if center:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    if indent:
        paragraph.paragraph_format.first_line_indent = _points(INDENT)
    paragraph.paragraph_format.space_after = _points(4)
    return paragraph


def _pairs(document: Any, layout: str) -> None:
    from docx.shared import Mm

    rows = (("{%tr for pair in part.pairs %}", ""), ("{{ pair.label }}", "{{ pair.text }}"), ("{%tr endfor %}", ""))
    table = document.add_table(rows=len(rows), cols=2)
    table.style, table.autofit = "Table Grid", False
    widths = Mm(36), Mm(LAST_COLUMN[layout])
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width
    for number, texts in enumerate(rows):
        for column, text in enumerate(texts):
            cell = table.cell(number, column)
            cell.width = widths[column]
            _fill(cell, text, 10, bold=column == 0, shaded=column == 0)


def _table(document: Any) -> None:
    rows = (
        ("{{ one.head }}", "{%tc for column in one.columns %}", "{{ column }}", "{%tc endfor %}"),
        ("{%tr for line in one.rows %}", "", "", ""),
        ("{{ line.label }}", "{%tc for cell in line.cells %}", "{{ cell }}", "{%tc endfor %}"),
        ("{%tr endfor %}", "", "", ""),
    )
    table = document.add_table(rows=len(rows), cols=4)
    table.style, table.autofit = "Table Grid", True
    for number, texts in enumerate(rows):
        for column, text in enumerate(texts):
            cell = table.cell(number, column)
            width = cell._tc.get_or_add_tcPr().get_or_add_tcW()
            width.type, width.w = "auto", 0
            _fill(cell, text, 9, bold=number == 0, shaded=number == 0)
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    head = OxmlElement("w:tblHeader")
    head.set(qn("w:val"), "true")
    table.rows[0]._tr.get_or_add_trPr().append(head)


def _fill(cell: Any, text: str, size: int, *, bold: bool, shaded: bool) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    paragraph = cell.paragraphs[0]
    run = paragraph.add_run(text)
    run.font.size, run.bold = _points(size), bold
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = _points(2)
    if shaded:
        fill = OxmlElement("w:shd")
        fill.set(qn("w:val"), "clear")
        fill.set(qn("w:fill"), HEAD_FILL)
        cell._tc.get_or_add_tcPr().append(fill)


def _points(size: int) -> Any:
    from docx.shared import Pt

    return Pt(size)


def _font(style: Any, size: int) -> None:
    from docx.oxml.ns import qn

    style.font.name, style.font.size = "Noto Sans CJK SC", _points(size)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for kind in ("w:eastAsia", "w:hAnsi", "w:ascii"):
        fonts.set(qn(kind), "宋体")


if __name__ == "__main__":
    for each in (LETTER, FORM, LIST):
        build(each)
