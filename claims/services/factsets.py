"""Writing fact sets: the one way facts enter, for the claims import, the monthly fact table and the demonstration.

A version is a whole month of a county's insured. Recording the same content again changes nothing; anything else makes
the next version, and the former one stays readable. A monthly payable table in force is laid over every new version.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import Max

from claims.models import ClaimsImport, FactSet
from claims.services import fact_rows
from claims.services.fact_rows import FactRow, PlaceCodes, StoredRow
from claims.services.overlay import table_in_force, with_payables
from core.access import require
from core.errors import Conflict, Problem, Refused
from core.models import County, StoredFile, User
from core.trail import record
from rules.money import from_fen
from rules.periods import Month


@transaction.atomic
def record_factset(
    actor: User | None,
    county: County,
    month: Month,
    facts: Sequence[FactRow],
    source: str,
    *,
    data_to: date | None = None,
    claims_import: ClaimsImport | None = None,
    declared: bool = True,
    reason: str = "",
    reference: str = "",
) -> FactSet:
    """Make ``facts`` the current version of a county's month, or return the current one if nothing differs.

    ``facts`` is the whole month, never an addition to it. ``actor`` None means a job. ``data_to`` is the last day the
    data reach (default: the last of the month). Raises ``Refused`` when an alliance is not of the county.
    """
    if actor is not None:
        require(actor, "claims.import", county)
    made, is_new = store_factset(
        actor, county, prepare_facts(county, month, facts), source,
        data_to=data_to, claims_import=claims_import, declared=declared, reason=reason, reference=reference,
    )  # fmt: skip
    if is_new:
        record(
            actor,
            "claims.import",
            made,
            f"{county} {month} 月度事实形成第 {made.version} 版（{made.get_source_display()}），{made.rows} 行",
            {"settlements": made.settlements, "fund_payable": made.fund_payable, "content": made.content},
            place=county,
        )
    return made


@dataclass(frozen=True)
class PreparedFacts:
    """A month's rows as they will be stored. Made before a transaction so that the transaction stays short."""

    month: Month
    rows: list[StoredRow]
    content: str
    payables: int | None


def prepare_facts(county: County, month: Month, facts: Sequence[FactRow]) -> PreparedFacts:
    """Rows with the registers and the payables in force. Raises ``Refused`` when an alliance is not of the county."""
    codes = PlaceCodes(county, month, facts)
    unknown = codes.unknown_alliances(facts)
    if unknown:
        listed = "、".join(sorted(unknown))
        raise Refused([Problem("alliance", listed, f"医共体编号 {listed} 不属于{county}。", "请核对医共体编号。")])
    table = table_in_force(county, month)
    rows = fact_rows.to_stored(with_payables(table, facts), codes)
    return PreparedFacts(month, rows, fact_rows.content_of(rows), table.pk if table else None)


def store_factset(
    actor: User | None,
    county: County,
    prepared: PreparedFacts,
    source: str,
    *,
    data_to: date | None = None,
    claims_import: ClaimsImport | None = None,
    declared: bool = True,
    reason: str = "",
    reference: str = "",
    file: StoredFile | None = None,
) -> tuple[FactSet, bool]:
    """:func:`record_factset` without the right and the trail, for services that record a larger act themselves.

    Returns the set and whether it is new. Runs inside the service's transaction and locks the county; ``Conflict``
    when another payable table came into force since the rows were prepared.
    """
    locked = County.objects.select_for_update(no_key=True).get(pk=county.pk)
    month = prepared.month
    table = table_in_force(locked, month)
    if prepared.payables != (table.pk if table else None):
        raise Conflict(f"{county} {month} 的付费方式应付表刚刚更新，请重新办理。")
    versions = FactSet.objects.filter(county=county, year=month.year, month=month.month)
    current = versions.filter(current=True).first()
    if current is not None and _says_the_same(current, prepared.content, source, declared, claims_import):
        return current, False
    last = versions.aggregate(last=Max("version"))["last"] or 0
    versions.filter(current=True).update(current=False)
    rows = prepared.rows
    made = FactSet.objects.create(
        county=locked,
        year=month.year,
        month=month.month,
        version=last + 1,
        source=source,
        declared=declared,
        claims_import=claims_import,
        reason=reason[:200],
        data_to=data_to or month.last_day,
        rows=len(rows),
        settlements=fact_rows.total(rows, "settlements"),
        pooled_fund_paid=from_fen(fact_rows.total(rows, "pooled_fund_paid")),
        fund_payable=from_fen(fact_rows.total(rows, "fund_payable")),
        content=prepared.content,
        reference=reference,
        file=file,
        created_by=actor,
    )
    fact_rows.insert(made, rows)
    return made, True


def _says_the_same(
    current: FactSet, content: str, source: str, declared: bool, claims_import: ClaimsImport | None
) -> bool:
    return (
        current.content == content
        and current.source == source
        and current.declared == declared
        and current.claims_import_id == (claims_import.pk if claims_import else None)
    )
