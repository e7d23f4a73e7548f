"""Is every piece of evidence still what was registered, withdrawn ones too? Part of ``manage.py verify``."""

from __future__ import annotations

from audits.models import Evidence
from audits.reading.evidence import check
from core.registries import Finding


def verify_evidence() -> list[Finding]:
    """Each piece whose file is missing or whose content differs from the hash it was registered with. Reads every file."""
    rows = Evidence.objects.select_related("case", "file").prefetch_related("notes").order_by("pk")
    findings: list[Finding] = []
    for piece in rows.iterator(chunk_size=500):
        row = check(piece)
        if row.broken:
            gone = "（已不再采用）" if row.withdrawn else ""
            text = f"{row.state_text}{gone}，登记校验值 {piece.sha256[:16]}"
            findings.append(Finding(f"案件 {piece.case.number} {piece}", text))
    return findings
