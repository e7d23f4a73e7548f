"""The statement as a Word document, filled into the shipped template ``documents/statement.docx``.

The same :class:`Statement` as the page, so the figures cannot differ; each download is noted in the trail.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone

from core.models import User
from core.templatetags.fund import day, percent, yuan
from core.trail import record
from core.workbook import file_response
from settlement.models import SettlementVersion
from settlement.statement import Statement, side_by_side

TEMPLATE = Path(__file__).parent / "documents" / "statement.docx"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def statement_document(
    version: SettlementVersion, signed: list[dict[str, Any]], head_hash: str, seen: Sequence[SettlementVersion]
) -> bytes:
    """The bytes of the filled template."""
    from docxtpl import DocxTemplate

    document = DocxTemplate(TEMPLATE)
    document.render(_content(version, signed, head_hash, seen), autoescape=True)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def statement_response(
    actor: User,
    version: SettlementVersion,
    signed: list[dict[str, Any]],
    head_hash: str,
    seen: Sequence[SettlementVersion],
) -> HttpResponse:
    """The document as a download, noted in the trail."""
    content = statement_document(version, signed, head_hash, seen)
    name = f"{version.settlement.number}-第{version.number}版.docx"
    with transaction.atomic():
        record(actor, "core.export", version, f"导出 {name}", {"bytes": len(content)}, place=version.alliance)
    return file_response(name, content, DOCX)


def _content(
    version: SettlementVersion, signed: list[dict[str, Any]], head_hash: str, seen: Sequence[SettlementVersion]
) -> dict[str, Any]:
    shown, settlement, computation = Statement(version), version.settlement, version.figures
    former = [other for other in seen if other.number < version.number][-1:]
    shared, rest = ("基金分担", "医共体承担") if shown.is_overrun else ("医共体留用", "返还统筹")
    return {
        "area": settlement.alliance.county.pooling_area.name,
        "alliance": settlement.alliance.name,
        "year": settlement.year,
        "fund": settlement.get_fund_type_display(),
        "number": settlement.number,
        "version": f"第 {version.number} 版（{version.get_kind_display()}）",
        "state": version.get_state_display(),
        "scheme": shown.scheme_text,
        "data_to": shown.inputs.data_to or "—",
        "cash_text": shown.cash_text,
        "cash": yuan(computation.cash),
        "outcome": f"{shown.outcome_text} {shown.ratio_text}，落档 {computation.label}",
        "notices": [
            f"待核实：{notice['label']} 取 {notice['value']}（{notice['clause']}）。{notice['effect']}。"
            for notice in shown.notices
        ]
        + shown.remarks,
        "blocks": [
            {
                "title": block.title,
                "lines": [
                    {
                        "sign": line.sign,
                        "label": line.label,
                        "amount": yuan(line.amount),
                        "clause": line.steps[-1]["clause"] if line.steps else "",
                    }
                    for line in block.lines
                ],
            }
            for block in shown.blocks
        ],
        "shared": shared,
        "rest": rest,
        "tiers": [
            {
                "label": tier.label,
                "lower": yuan(tier.lower),
                "upper": yuan(tier.upper),
                "amount": yuan(tier.amount),
                "rate": percent(tier.rate, 0) + ("（待核实）" if tier.unconfirmed else ""),
                "shared": yuan(tier.shared),
                "rest": yuan(tier.rest),
            }
            for tier in shown.tiers
        ]
        + _unreasonable(shown),
        "totals": {
            "amount": yuan(shown.difference),
            "shared": yuan(shown.tier_totals["shared"]),
            "rest": yuan(computation.alliance_bears if shown.is_overrun else computation.returned),
        },
        "steps": [
            {
                "label": step["label"],
                "expression": step["expression"],
                "inputs": "；".join(f"{one['name']} {one['value']}" for one in step["inputs"]),
                "value": step["value"],
                "clause": step["clause"],
            }
            for step in shown.result["trace"]
        ],
        "identities": [
            {"name": item["name"], "left": yuan(item["left"]), "right": yuan(item["right"])} for item in shown.identities
        ],
        "premises": [{"name": name, "text": text} for name, text in shown.premises],
        "comparison": [
            {"label": row["label"], "values": [_figure(value) for value in row["values"]]}
            for row in (side_by_side([former[0], version]) if former else [])
        ],
        "signatures": [
            {"role": line["role"], "name": line.get("name") or line.get("pending", ""), "when": line.get("when", "")}
            for line in signed
        ],
        "head_hash": head_hash,
        "digest": computation.digest,
        "printed": day(timezone.localtime(), "time"),
    }


def _unreasonable(shown: Statement) -> list[dict[str, str]]:
    """The part of an overrun outside every tier, as a row of the table."""
    if not shown.unreasonable:
        return []
    amount = yuan(shown.unreasonable)
    blank = {"lower": "—", "upper": "—", "rate": "0%", "shared": "0.00"}
    return [{"label": "不合理部分", "amount": amount, "rest": amount, **blank}]


def _figure(value: Any) -> str:
    return value if isinstance(value, str) else yuan(value)
