"""What ``manage.py verify`` asks of documents: numbers without gaps in each series, versions without gaps, content kept."""

from __future__ import annotations

import re

from audits.documents.kinds import BY_KEY
from audits.models import CaseDocument, NumberSeries
from core.registries import Finding

NUMBER = re.compile(r"〔(\d{4})〕(\d+)号$")


def verify_documents() -> list[Finding]:
    """Every number of a document series up to its last is a document, every document's versions run from 1 on."""
    findings: list[Finding] = []
    numbers: dict[tuple[int, str, int], set[int]] = {}
    versions: dict[tuple[int, str], list[int]] = {}
    rows = CaseDocument.objects.order_by("pk").values_list(
        "case_id", "case__pooling_area_id", "case__county__code", "kind", "number", "version"
    )
    for case, area, county, kind, number, version in rows.iterator(chunk_size=2000):
        versions.setdefault((case, number), []).append(version)
        match = NUMBER.search(number)
        if match is None or kind not in BY_KEY:
            findings.append(Finding(f"文书 {number}", f"文号或文书种类“{kind}”不合格式"))
            continue
        year, count = int(match[1]), int(match[2])
        numbers.setdefault((area, BY_KEY[kind].series(county), year), set()).add(count)
    for (_case, number), held in versions.items():
        if held != list(range(1, len(held) + 1)):
            findings.append(Finding(f"文书 {number}", f"版本不连续：{'、'.join(map(str, held))}"))
    lasts = {
        (row.pooling_area_id, row.series, row.year): row.last
        for row in NumberSeries.objects.filter(series__startswith="doc-")
    }
    for key in sorted({*lasts, *numbers}):
        held_numbers, last = numbers.get(key, set()), lasts.get(key, 0)
        if held_numbers != set(range(1, last + 1)):
            missing = sorted(set(range(1, last + 1)) ^ held_numbers)[:10]
            findings.append(Finding(f"文书编号 {key[1]} {key[2]}", f"末号 {last}，缺号或多号：{'、'.join(map(str, missing))}"))
    return findings


def control_sums() -> dict[str, str]:
    """How many documents there are, for comparing a restored database."""
    return {"案件文书": f"{CaseDocument.objects.count()} 份"}
