"""A report as its pages and workbooks show it: cells in people's words, the newest comment beside each section."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.workbook import Sheet
from monitoring.models import AnalysisReport, ReportComment
from monitoring.services.reports_tables import decimal_of, shown, unit_of

UNITS = {
    "yuan": "元", "ratio": "比例", "growth": "比例", "points": "百分点差", "months": "个月", "days": "日", "number": "", "count": "个",
    "text": "", "word": "",
}  # fmt: skip
CIRCULAR = "circular"


def shown_sections(content: Mapping[str, Any], comments: Sequence[ReportComment] = ()) -> list[dict[str, Any]]:
    """Sections with shown tables; ``comment`` is the newest of the section, ``former`` how many came before it."""
    newest: dict[str, list[ReportComment]] = {}
    for one in comments:
        newest.setdefault(one.section, []).append(one)
    return [
        {
            "key": part["key"],
            "title": part["title"],
            "sentences": part["sentences"],
            "tables": [_table(one) for one in part["tables"]],
            "comment": newest.get(part["key"], [None])[-1],
            "former": newest.get(part["key"], [])[:-1],
        }
        for part in content["sections"]
    ]


def circular_of(report: AnalysisReport) -> dict[str, Any]:
    """The one section of a report that hospitals may see."""
    return next(part for part in shown_sections(report.content) if part["key"] == CIRCULAR)


def _table(one: Mapping[str, Any]) -> dict[str, Any]:
    columns = one["columns"]
    return {
        **one,
        "heads": [{"label": column["label"], "css": _css(column["unit"])} for column in columns],
        "lines": [
            {
                **line,
                "id": f"t-{one['key']}-{number}",
                "shown": [
                    {"text": shown(cell, unit_of(column, line)), "css": _css(column["unit"])}
                    for column, cell in zip(columns, line["cells"], strict=True)
                ],
            }
            for number, line in enumerate(one["rows"])
        ],
    }


def _css(unit: str) -> str:
    return {"text": "text", "word": "nowrap"}.get(unit, "num")


def report_sheets(report: AnalysisReport, comments: Iterable[ReportComment]) -> list[Sheet]:
    """Every table as a sheet of numbers, before them the sentences and comments."""
    newest = {one.section: one for one in comments}
    text_rows = [
        [part["title"], kind, text]
        for part in report.content["sections"]
        for kind, texts in (
            ("正文", [said["text"] for said in part["sentences"]]),
            ("说明", [newest[part["key"]].text] if part["key"] in newest else []),
        )
        for text in texts
    ]
    notes = [
        f"{report}第 {report.version} 版（{report.get_state_display()}）",
        f"编号 {report.number}，数据截至 {report.content['data_to'] or '—'}",
    ]
    return [
        Sheet("正文与说明", ["章节", "类别", "内容"], text_rows, notes=notes),
        *table_sheets(one for part in report.content["sections"] for one in part["tables"]),
    ]


def circular_sheets(report: AnalysisReport) -> list[Sheet]:
    part = next(part for part in report.content["sections"] if part["key"] == CIRCULAR)
    return table_sheets(part["tables"])


def table_sheets(tables: Iterable[Mapping[str, Any]]) -> list[Sheet]:
    """Numbers as numbers: yuan, fractions, whole numbers; the unit of a row stands in a column where rows differ."""
    sheets = []
    for number, one in enumerate(tables, start=1):
        columns = one["columns"]
        mixed = any(column["unit"] in ("row", "diff") for column in columns)
        header = [one["head"], *(["单位"] if mixed else []), *(_head(column) for column in columns)]
        rows = [
            [
                line["label"],
                *([UNITS.get(line["unit"], "")] if mixed else []),
                *(decimal_of(cell, unit_of(column, line)) for column, cell in zip(columns, line["cells"], strict=True)),
            ]
            for line in one["rows"]
        ]
        first = 2 if mixed else 1
        money = frozenset(first + at for at, column in enumerate(columns) if column["unit"].removesuffix("±") == "yuan")
        notes = [one["title"], *([one["note"]] if one["note"] else [])]
        sheets.append(Sheet(f"{number} {one['title']}", header, rows, money_columns=money, notes=notes))
    return sheets


def _head(column: Mapping[str, str]) -> str:
    unit = UNITS.get(column["unit"].removesuffix("±"), "")
    return f"{column['label']}（{unit}）" if unit else column["label"]

