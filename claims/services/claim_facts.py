"""From claims in the lake to rows of facts: the engine adds them up, here they get the names facts are stored under."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from claims import lake
from claims.engine.reference import Reference
from claims.services.fact_rows import FactRow
from core.models import County
from rules.periods import Month

_MONEY = ("total_cost", "drug_cost", "tcm_cost", "consumables_cost", "exam_cost", "treatment_cost", "eligible_cost", "non_covered_cost", "deductible_paid", "pooled_fund_paid", "serious_illness_paid", "medical_assistance_paid", "other_paid", "personal_account_paid", "cash_paid", "hospital_borne")


def facts_of_files(files: Sequence[Path], reference: Reference, county: County, month: Month) -> list[FactRow]:
    if not files:
        return []
    members = {i.code: next((s.alliance for s in i.memberships), "") for i in reference.institutions}
    places = {i.code: i.county for i in reference.institutions}
    own = [a.code for a in reference.alliances if a.county == county.code]
    with lake.reader() as connection:
        sums = ", ".join(f"coalesce(sum({name}),0)::BIGINT" for name in _MONEY)
        rows = connection.execute(
            f"""SELECT fund_type, visit_type, coalesce(institution_code,''), coalesce(institution_area,''), coalesce(method,''), coalesce(outflow_kind,''),
            sum(CASE WHEN reversal_of IS NULL THEN 1 ELSE -1 END)::BIGINT, coalesce(sum(coalesce(fund_payable,pooled_fund_paid)),0)::BIGINT, coalesce(sum(CASE WHEN fund_payable IS NULL THEN 0 WHEN reversal_of IS NULL THEN 1 ELSE -1 END),0)::BIGINT, {sums}
            FROM read_parquet($1, union_by_name=true) GROUP BY 1,2,3,4,5,6""", [[str(f) for f in files]]).fetchall()
    out = []
    for fund, visit, code, area, method, outflow, n, payable, delivered, *money in rows:
        place = places.get(code)
        if place == county.code:
            loc = "own_alliance" if members.get(code) == own[0] else "in_county" if not members.get(code) else "sister_alliance"
        else:
            loc = "city" if area[:4] == county.code[:4] else "province"
        out.append(FactRow(fund, visit, loc, code, area, own[0], method=method, outflow_kind=outflow, settlements=n, fund_payable=payable, payable_settlements=delivered, **dict(zip(_MONEY, money))))
    return out
