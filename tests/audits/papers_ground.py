"""What the tests of documents and measures share: the text of a Word file read back, a measure, a hand-over, a follow-up."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

from django.utils import timezone

from audits.models import Case, FollowUp, Measure, Referral
from audits.services import follow_ups, measures, referrals
from core.files import store_bytes
from core.models import StoredFile, User

TEXT = "按月核对收费清单，三十日内改正并书面报告"


def text_of(content: bytes) -> str:
    """Every paragraph and cell of a Word file, one a line; the foot last."""
    from docx import Document

    document = Document(io.BytesIO(content))
    lines = [one.text for one in document.paragraphs]
    lines += [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    lines += [one.text for section in document.sections for one in section.footer.paragraphs]
    return "\n".join(lines)


def measure(actor: User, case: Case, kind: str = "rectify", days: int = 30, **given: Any) -> Measure:
    today = timezone.localdate()
    values: dict[str, Any] = {"kind": kind, "on": today, "text": TEXT, "due_on": today + timedelta(days=days), **given}
    return measures.record_measure(actor, case, **values)


def referral(actor: User, case: Case, body: str = "police", **given: Any) -> Referral:
    today = timezone.localdate()
    values: dict[str, Any] = {
        "body": body, "body_name": "青溪县公安局", "handed_on": today, "reason": "涉嫌诈骗医疗保障基金", "items": "现场笔录\n结算清单",
        "received_by": "王警官", "due_on": today + timedelta(days=30), **given,
    }  # fmt: skip
    return referrals.refer(actor, case, **values)


def follow_up(actor: User, case: Case, days: int = 30) -> FollowUp:
    return follow_ups.plan_follow_up(actor, case, due_on=timezone.localdate() + timedelta(days=days), focus="整改是否到位")


def signed(actor: User, content: bytes = b"signed") -> StoredFile:
    return store_bytes(content, "交接记录.pdf", "case_consequence", actor, "application/pdf")
