"""The analysis report as a Word document: the same content as the page, so the figures cannot differ."""

from __future__ import annotations

import io
from typing import Any

from core.templatetags.fund import day
from monitoring.documents.template import TEMPLATE
from monitoring.models import AnalysisReport
from monitoring.services.reports_tables import shown, unit_of

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def report_document(report: AnalysisReport) -> bytes:
    """The bytes of the filled template."""
    from docxtpl import DocxTemplate

    document = DocxTemplate(TEMPLATE)
    document.render(_content(report), autoescape=True)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _content(report: AnalysisReport) -> dict[str, Any]:
    newest = {one.section: one.text for one in report.comments.order_by("pk")}
    return {
        "area": report.pooling_area.name,
        "title": str(report),
        "number": report.number,
        "version": report.version,
        "state": report.get_state_display(),
        "data_to": report.content["data_to"] or "—",
        "made": day(report.made_at, "time"),
        "due": day(report.due_on, "iso") if report.due_on else "",
        "sections": [
            {
                "title": part["title"],
                "sentences": [one["text"] for one in part["sentences"]],
                "comments": [line for line in newest.get(part["key"], "").splitlines() if line.strip()],
                "tables": [_table(one) for one in part["tables"]],
            }
            for part in report.content["sections"]
        ],
        "prepared": str(report.prepared_by or "系统"),
        "submitted": _signed(report.submitted_by, report.submitted_at),
        "approved": _signed(report.approved_by, report.approved_at),
        "issued": _signed(report.issued_by, report.issued_at),
        "digest": report.digest,
    }


def _table(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": one["title"],
        "head": one["head"],
        "columns": [column["label"] for column in one["columns"]],
        "note": one["note"],
        "rows": [
            {
                "label": line["label"],
                "cells": [shown(cell, unit_of(column, line)) for column, cell in zip(one["columns"], line["cells"], strict=True)],
            }
            for line in one["rows"]
        ],
    }


def _signed(who: Any, when: Any) -> str:
    return f"{who} {day(when, 'iso')}" if who else "—"
