"""What ``manage.py verify`` asks of claims: the lake's files are there and unchanged, the facts follow from them."""

from __future__ import annotations

from claims import lake
from claims.engine.reference import Reference
from claims.models import FactSet, FactSource, LakeFile
from claims.services import fact_rows
from claims.services.claim_facts import facts_of_files
from claims.services.factsets import prepare_facts
from claims.services.registers import fingerprint_of, reference_for
from core.registries import Finding

_MADE_OF_CLAIMS = ("settlements", "total_cost", "pooled_fund_paid", "own_payable")


def verify_manifest() -> list[Finding]:
    """Every file of the manifest exists with its checksum, replaced ones included: they are what was known when."""
    findings = []
    for file in LakeFile.objects.order_by("pk").iterator():
        if not file.path.exists():
            findings.append(Finding(f"数据湖文件 {file.name}", "文件缺失"))
        elif lake.sha256_of(file.path) != file.sha256:
            findings.append(Finding(f"数据湖文件 {file.name}", "内容与清单校验值不符"))
    return findings


def verify_facts() -> list[Finding]:
    """Stored rows match their checksum; current sets made from claims are what the lake gives today.

    Where the registers have changed since, rows may have moved between alliances; then only the sums must agree.
    """
    findings = []
    references: dict[int, Reference] = {}
    for factset in FactSet.objects.select_related("county__pooling_area").order_by("pk").iterator(chunk_size=200):
        rows = fact_rows.read(factset)
        if fact_rows.content_of(rows) != factset.content:
            findings.append(Finding(str(factset), "事实行与校验值不符，已被改动"))
        elif factset.current and factset.source == FactSource.CLAIMS:
            if factset.county_id not in references:
                references[factset.county_id] = reference_for(factset.county)
            findings += _against_the_lake(factset, rows, references[factset.county_id])
    return findings


def _against_the_lake(factset: FactSet, rows: list[fact_rows.StoredRow], reference: Reference) -> list[Finding]:
    import duckdb

    files = [file.path for file in lake.live_files(factset.county, [factset.period])]
    try:
        facts = facts_of_files(files, reference, factset.county, factset.period)
    except duckdb.Error:
        return [Finding(str(factset), "数据湖文件缺失或读不出，不能重算")]
    again = prepare_facts(factset.county, factset.period, facts)
    if again.content == factset.content:
        return []
    if fingerprint_of(reference) == factset.reference:
        return [Finding(str(factset), "由数据湖重算的事实与所存不同")]
    moved = [name for name in _MADE_OF_CLAIMS if fact_rows.total(rows, name) != fact_rows.total(again.rows, name)]
    return [Finding(str(factset), f"由数据湖重算的合计与所存不同：{'、'.join(moved)}")] if moved else []
