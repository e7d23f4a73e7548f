"""The second door: a monthly fact table in a workbook, for counties that cannot export claims.

Every month in the file is the whole month. It is checked like claims are: against the registers, every fault at once,
nothing taken from a faulty file. A month made from claims is not replaced by a table.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.db import transaction

from claims.models import (
    OUT_OF_COUNTY,
    CareLocation,
    FactFundType,
    FactSet,
    FactSource,
    Method,
    OutflowKind,
    VisitType,
)
from claims.services.fact_rows import GRAIN, FactRow
from claims.services.factsets import prepare_facts, store_factset
from claims.tables import Kind, TableColumn, TableRow, choices_of, read_table, refuse_if, template
from core.access import require
from core.errors import Problem
from core.files import store_bytes
from core.models import Alliance, County, Institution, Membership, User
from core.trail import record
from core.workbook import XLSX
from rules.money import to_fen
from rules.periods import Month

_COUNTS = (
    ("settlements", "结算人次"),
    ("discharges", "出院人次"),
    ("bed_days", "床日数"),
    ("groupable_cases", "应分组病例"),
    ("grouped_cases", "已分组病例"),
    ("referrals_up", "上转人次"),
    ("referrals_down", "下转人次"),
)
_AMOUNTS = (
    ("total_cost", "医疗费总额"),
    ("eligible_cost", "政策范围内金额"),
    ("pooled_fund_paid", "统筹基金记账"),
    ("fund_payable", "基金应付"),
    ("drug_cost", "药品费"),
    ("tcm_cost", "中药费"),
    ("consumables_cost", "耗材费"),
    ("exam_cost", "检查检验费"),
    ("treatment_cost", "治疗手术费"),
    ("non_covered_cost", "全自费金额"),
    ("deductible_paid", "起付线"),
    ("serious_illness_paid", "大病（大额）支出"),
    ("medical_assistance_paid", "医疗救助支出"),
    ("other_paid", "其他基金支出"),
    ("personal_account_paid", "个人账户支出"),
    ("cash_paid", "个人现金支出"),
    ("hospital_borne", "医院负担金额"),
    ("excluded_fund", "突发公共卫生救治基金"),
)
_NEEDED = {"settlements", "total_cost", "pooled_fund_paid"}
_COST_PARTS = ("drug_cost", "tcm_cost", "consumables_cost", "exam_cost", "treatment_cost")

COLUMNS = (
    TableColumn("month", "月份", Kind.MONTH),
    TableColumn("alliance", "责任医共体编号", Kind.TEXT, required=False, note="参保人归属的医共体；无归属的留空"),
    TableColumn("institution", "机构编号", Kind.TEXT, required=False, note="县域外机构不在目录中的，填所属区划"),
    TableColumn("institution_area", "机构所属区划", Kind.TEXT, required=False, note="6 位；目录内机构可空"),
    TableColumn("fund_type", "险种", Kind.CHOICE, choices=choices_of(FactFundType.choices)),
    TableColumn("visit_type", "医疗类别", Kind.CHOICE, choices=choices_of(VisitType.choices)),
    TableColumn("method", "付费方式", Kind.CHOICE, required=False, choices=choices_of(Method.choices)),
    TableColumn("care_location", "就医地", Kind.CHOICE, required=False, choices=choices_of(CareLocation.choices), note="目录内机构可空"),
    TableColumn("outflow_kind", "转外类型", Kind.CHOICE, required=False, choices=choices_of(OutflowKind.choices)),
    *(TableColumn(name, title, Kind.WHOLE, required=name in _NEEDED) for name, title in _COUNTS),
    *(TableColumn(name, title, Kind.YUAN, required=name in _NEEDED) for name, title in _AMOUNTS),
    TableColumn("weight", "权重（分值）合计", Kind.WEIGHT, required=False),
)


def fact_table_template() -> bytes:
    """The empty monthly fact table."""
    return template(
        "月度事实表",
        COLUMNS,
        [
            "每个月份须填完整一个月、本县全部参保人的结算汇总；再次上传同一月份即替换为新版本。",
            "金额单位为元；基金应付留空时按统筹基金记账计（清算单上会注明）。",
        ],
    )


class _Registers:
    """The county's alliances, the area's institutions and who belonged to whom."""

    def __init__(self, county: County, rows: list[TableRow]) -> None:
        self.county = county
        self.alliances = {alliance.code: alliance for alliance in Alliance.objects.filter(county=county)}
        codes = {row.values["institution"] for row in rows if row.values["institution"]}
        self.institutions = {
            found.code: found
            for found in Institution.objects.filter(
                county__pooling_area=county.pooling_area_id, code__in=codes
            ).select_related("county")
        }
        self.memberships = list(
            Membership.objects.filter(institution__in=self.institutions.values()).values_list(
                "institution_id", "alliance__code", "valid_from", "valid_to"
            )
        )

    def alliance_of(self, institution: Institution, month: Month) -> str:
        for pk, code, start, end in self.memberships:
            if pk == institution.pk and start <= month.last_day and (end is None or end >= month.first_day):
                return str(code)
        return ""

    def location(self, row: TableRow) -> str | None:
        """Where care was given as the registers say; None where the file must say it."""
        institution = self.institutions.get(row.values["institution"] or "")
        if institution is None:
            return None
        if institution.county_id != self.county.pk:
            return CareLocation.CITY
        treating = self.alliance_of(institution, row.values["month"])
        if not treating:
            return CareLocation.IN_COUNTY
        if treating == row.values["alliance"]:
            return CareLocation.OWN_ALLIANCE
        return CareLocation.SISTER_ALLIANCE


@transaction.atomic
def import_fact_table(actor: User, county: County, content: bytes, name: str) -> list[FactSet]:
    """Make the months of the workbook the current facts of the county. Raises ``Refused`` with every faulty cell."""
    require(actor, "claims.import", county)
    rows, problems = read_table(content, name, COLUMNS)
    registers = _Registers(county, rows)
    refuse_if([*problems, *_faults(rows, registers), *_claimed_months(county, rows)])
    by_month: dict[Month, list[FactRow]] = defaultdict(list)
    for row in rows:
        by_month[row.values["month"]].append(_fact(row, registers))
    stored = store_bytes(content, name, "claims_fact_table", actor, XLSX)
    made = []
    changed = []
    for month in sorted(by_month):
        factset, is_new = store_factset(
            actor, county, prepare_facts(county, month, by_month[month]), FactSource.TABLE, reason=f"月度事实表“{name}”", file=stored
        )
        made.append(factset)
        if is_new:
            changed.append(str(month))
    record(
        actor,
        "claims.import",
        made[0],
        f"{county}导入月度事实表“{name}”：{len(rows)} 行，{len(changed)} 个月份形成新版本",
        {"months": changed, "sha256": stored.sha256},
        place=county,
    )
    return made


def _fact(row: TableRow, registers: _Registers) -> FactRow:
    values = row.values
    institution = registers.institutions.get(values["institution"] or "")
    measures: dict[str, Any] = {name: values[name] or 0 for name, _title in _COUNTS}
    measures.update({name: to_fen(values[name]) if values[name] is not None else 0 for name, _title in _AMOUNTS})
    if values["fund_payable"] is None:
        measures["fund_payable"] = measures["pooled_fund_paid"]
    else:
        measures["payable_settlements"] = measures["settlements"]
    return FactRow(
        fund_type=values["fund_type"],
        visit_type=values["visit_type"],
        care_location=str(values["care_location"] or registers.location(row)),
        institution=values["institution"] or "",
        institution_area=institution.county.code if institution else values["institution_area"] or "",
        alliance=values["alliance"] or "",
        method=values["method"] or "",
        outflow_kind=values["outflow_kind"] or "",
        weight_sum=int((values["weight"] or 0) * 10000),
        **measures,
    )


def _faults(rows: list[TableRow], registers: _Registers) -> list[Problem]:
    problems: list[Problem] = []
    seen: dict[tuple[Any, ...], int] = {}
    for row in rows:
        values = row.values
        key = (values["month"], *(values.get(name) for name in GRAIN if name in values))
        if key in seen:
            problems.append(row.problem("month", f"与第 {seen[key]} 行的月份和各分类完全相同。", "请合并为一行。"))
        seen.setdefault(key, row.line)
        problems += _place_faults(row, registers)
        problems += _amount_faults(row)
    return problems


def _place_faults(row: TableRow, registers: _Registers) -> list[Problem]:
    values, problems = row.values, []
    if values["alliance"] and values["alliance"] not in registers.alliances:
        problems.append(row.problem("alliance", f"医共体编号不属于{registers.county}。", "请核对编号。"))
    registered = registers.location(row)
    given = values["care_location"]
    if registered is None and given is None:
        problems.append(row.problem("institution", "机构不在目录中，又没有填就医地。", "请填就医地，或请管理员登记该机构。"))
    if registered is None and given is not None and given not in OUT_OF_COUNTY:
        problems.append(row.problem("institution", "县内机构必须在机构目录中。", "请核对编号，或请管理员登记该机构。"))
    if registered is not None and given is not None and given != registered:
        label = CareLocation(registered).label
        problems.append(row.problem("care_location", f"与机构目录不符：该机构此月为“{label}”。", "请改正，或留空。"))
    area = values["institution_area"]
    if area and not (len(area) == 6 and area.isdigit()):
        problems.append(row.problem("institution_area", "区划代码须为 6 位数字。", "请改正，或留空。"))
    return problems


def _amount_faults(row: TableRow) -> list[Problem]:
    values, problems = row.values, []
    total, eligible = values["total_cost"], values["eligible_cost"]
    if eligible is not None and eligible > total:
        problems.append(row.problem("eligible_cost", "政策范围内金额大于医疗费总额。", "请核对两项金额。"))
    if values["pooled_fund_paid"] > total:
        problems.append(row.problem("pooled_fund_paid", "统筹基金记账大于医疗费总额。", "请核对两项金额。"))
    if sum(values[name] or 0 for name in _COST_PARTS) > total:
        problems.append(row.problem("total_cost", "药品、中药、耗材、检查、治疗之和大于医疗费总额。", "请核对分项。"))
    if (values["discharges"] or 0) > values["settlements"]:
        problems.append(row.problem("discharges", "出院人次大于结算人次。", "请核对人次。"))
    if (values["grouped_cases"] or 0) > (values["groupable_cases"] or 0):
        problems.append(row.problem("grouped_cases", "已分组病例大于应分组病例。", "请核对病例数。"))
    return problems


def _claimed_months(county: County, rows: list[TableRow]) -> list[Problem]:
    first_of = {row.values["month"]: row for row in reversed(rows)}
    made = FactSet.objects.current().filter(county=county, source=FactSource.CLAIMS, declared=True)
    claimed = {factset.period for factset in made}
    return [
        row.problem("month", f"{month} 的事实已由医保结算明细形成，不能用事实表替换。", "请删去这个月份；数据有误的请导入更正明细。")
        for month, row in sorted(first_of.items())
        if month in claimed
    ]
