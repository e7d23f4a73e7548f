"""Builds ``report.docx``, the template of the analysis report: ``python -m monitoring.documents.template``.

A4 landscape, so that the circular's table keeps every amount on one line. The shipped file is what is filled; this is run
again only when its form changes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

TEMPLATE = Path(__file__).parent / "report.docx"
HEAD_FILL = "DCE6F5"


def build(path: Path = TEMPLATE) -> None:
    """Write the template with its loops (docxtpl tags)."""
    from docx import Document
    from docx.enum.section import WD_ORIENT
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Mm, Pt, RGBColor

    document = Document()
    page = document.sections[0]
    page.orientation = WD_ORIENT.LANDSCAPE
    page.page_width, page.page_height = Mm(297), Mm(210)
    page.left_margin = page.right_margin = Mm(18)
    page.top_margin = page.bottom_margin = Mm(16)
    _font(document.styles["Normal"], 11)
    for number, size in ((1, 18), (2, 13), (3, 11)):
        style = document.styles[f"Heading {number}"]
        _font(style, size)
        style.font.color.rgb = RGBColor(0, 0, 0)

    def line(text: str, size: int = 0, center: bool = False, italic: bool = False) -> Any:
        paragraph = document.add_paragraph()
        run = paragraph.add_run(text)
        run.italic = italic
        if size:
            run.font.size = Pt(size)
        if center:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        paragraph.paragraph_format.space_after = Pt(3)
        return paragraph

    line("{{ area }}医疗保障局", 11, center=True)
    document.add_heading("{{ title }}", 1).alignment = WD_ALIGN_PARAGRAPH.CENTER
    line("编号 {{ number }}　第 {{ version }} 版　{{ state }}　数据截至 {{ data_to }}　生成 {{ made }}", 9, center=True)
    line("{%p if due %}")
    line("报送期限 {{ due }}（期末后 15 日内）", 9, center=True)
    line("{%p endif %}")
    line("{%p for part in sections %}")
    document.add_heading("{{ part.title }}", 2)
    line("{%p for said in part.sentences %}")
    line("{{ said }}")
    line("{%p endfor %}")
    line("{%p for said in part.comments %}")
    line("说明：{{ said }}", italic=True)
    line("{%p endfor %}")
    line("{%p for one in part.tables %}")
    document.add_heading("{{ one.title }}", 3)
    _table(document)
    line("{{ one.note }}", 9)
    line("{%p endfor %}")
    line("{%p endfor %}")
    document.add_heading("签署", 2)
    line("起草：{{ prepared }}　提交：{{ submitted }}　审定：{{ approved }}　印发：{{ issued }}", 10)
    line("内容校验值 {{ digest }}", 8)
    document.save(str(path))


def _table(document: Any) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Pt

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
            paragraph = cell.paragraphs[0]
            paragraph.add_run(text).font.size = Pt(8)
            paragraph.paragraph_format.space_after = Pt(0)
            if number == 2 and column:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
            if number == 0:
                paragraph.runs[0].bold = True
                fill = OxmlElement("w:shd")
                fill.set(qn("w:val"), "clear")
                fill.set(qn("w:fill"), HEAD_FILL)
                cell._tc.get_or_add_tcPr().append(fill)
    head = OxmlElement("w:tblHeader")
    head.set(qn("w:val"), "true")
    table.rows[0]._tr.get_or_add_trPr().append(head)


def _font(style: Any, size: int) -> None:
    from docx.oxml.ns import qn
    from docx.shared import Pt

    style.font.name, style.font.size = "Noto Sans CJK SC", Pt(size)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for kind in ("w:eastAsia", "w:hAnsi", "w:ascii"):
        fonts.set(qn(kind), "宋体")


if __name__ == "__main__":
    build()
