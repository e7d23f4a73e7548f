"""Making a month's facts again from the same claims, after the registers of institutions or alliances were corrected."""

from __future__ import annotations

from django.db import transaction

from claims import lake
from claims.models import FactSet, FactSource
from claims.services.claim_facts import facts_of_files
from claims.services.factsets import prepare_facts, store_factset
from claims.services.receiving import JOB
from claims.services.registers import fingerprint_of, reference_for
from core.access import require
from core.errors import Conflict, Problem, Refused
from core.models import County, User
from core.trail import record
from rules.periods import Month


def refresh_facts(actor: User, county: County, month: Month, reason: str) -> tuple[FactSet, bool]:
    """The month's facts under the registers as they stand now; a new version if anything moved.

    Returns the current set and whether it is new. Refused for a month that was not made from claims.
    """
    require(actor, JOB, county)
    if len(reason.strip()) < 4:
        raise Refused([Problem("reason", reason, "重新汇总须说明理由。", "请写明更正了哪些登记信息。")])
    held = lake.live_files(county)
    current = FactSet.objects.current().filter(county=county, year=month.year, month=month.month).first()
    if current is None or current.source != FactSource.CLAIMS:
        raise Refused([Problem("month", str(month), "这个月的事实不是由结算明细形成的。", "请重新上传月度事实表。")])
    reference = reference_for(county)
    facts = facts_of_files([file.path for file in held if file.month == month], reference, county, month)
    prepared = prepare_facts(county, month, facts)
    with transaction.atomic():
        locked = County.objects.select_for_update(of=("self",), no_key=True).select_related("pooling_area").get(pk=county.pk)
        if lake.fingerprint(lake.live_files(locked)) != lake.fingerprint(held):
            raise Conflict(f"{county}刚刚有明细入库，请重新办理。")
        made, is_new = store_factset(
            actor,
            locked,
            prepared,
            FactSource.CLAIMS,
            data_to=current.data_to,
            claims_import=current.claims_import,
            declared=current.declared,
            reason=f"按现行登记重新汇总：{reason.strip()}",
            reference=fingerprint_of(reference),
        )
        if is_new:
            summary = f"{county} {month} 按现行登记重新汇总，形成第 {made.version} 版：{reason.strip()}"
            record(actor, JOB, made, summary, {"former": current.pk, "content": made.content}, place=county)
    return made, is_new
