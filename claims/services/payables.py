"""Monthly payables by method (A5): imported whole or not at all, laid over the month's facts as a new version."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from django.db import transaction
from django.db.models import Max

from claims.models import FactSet, Method, MonthlyPayable, PayableTable
from claims.services import fact_rows
from claims.services.factsets import prepare_facts, store_factset
from claims.tables import Kind, TableColumn, TableRow, choices_of, read_table, refuse_if, template
from core.access import require
from core.errors import Problem
from core.files import store_bytes
from core.models import County, FundType, Institution, StoredFile, User
from core.trail import record
from core.workbook import XLSX
from rules.periods import Month

COLUMNS = (
    TableColumn("month", "月份", Kind.MONTH),
    TableColumn("institution", "机构编号", Kind.TEXT, note="国家医保编码，12 位"),
    TableColumn("fund_type", "险种", Kind.CHOICE, choices=choices_of(FundType.choices)),
    TableColumn("method", "付费方式", Kind.CHOICE, choices=choices_of([c for c in Method.choices if c[0]])),
    TableColumn("cases", "病例数", Kind.WHOLE),
    TableColumn("billed", "记账金额", Kind.YUAN),
    TableColumn("payable", "应付金额", Kind.YUAN),
)


def payables_template() -> bytes:
    """The empty workbook of payables by method."""
    return template(
        "付费方式应付",
        COLUMNS,
        ["只填本县参保人在各机构的结算；记账金额为统筹基金按项目记账合计，应付金额为按付费方式核定的统筹基金应付。单位：元。"],
    )


@transaction.atomic
def import_payables(actor: User, county: County, content: bytes, name: str) -> list[PayableTable]:
    """Store the tables of every month in the workbook and lay them over the facts held for these months.

    Raises ``Refused`` with every faulty cell. A month delivered again with the same lines makes no version.
    """
    require(actor, "claims.import", county)
    rows, problems = read_table(content, name, COLUMNS)
    institutions = _institutions(county, rows)
    refuse_if([*problems, *_faults(rows, institutions, county)])
    by_month: dict[Month, list[TableRow]] = defaultdict(list)
    for row in rows:
        by_month[row.values["month"]].append(row)
    stored = store_bytes(content, name, "claims_payables", actor, XLSX)
    locked = County.objects.select_for_update(no_key=True).get(pk=county.pk)
    tables, changed = [], []
    for month in sorted(by_month):
        table, is_new = _store(actor, locked, month, by_month[month], institutions, stored)
        tables.append(table)
        if is_new:
            changed.append(str(month))
            _lay_over(actor, locked, month, table)
    record(
        actor,
        "claims.import",
        tables[0],
        f"{county}导入付费方式应付表“{name}”：{len(rows)} 行，{len(changed)} 个月份有变化",
        {"months": changed, "payable": [str(table.payable) for table in tables]},
        place=county,
    )
    return tables


def _store(
    actor: User,
    county: County,
    month: Month,
    rows: list[TableRow],
    institutions: dict[str, Institution],
    stored: StoredFile,
) -> tuple[PayableTable, bool]:
    held = PayableTable.objects.filter(county=county, year=month.year, month=month.month)
    current = held.filter(current=True).first()
    lines = {
        (institutions[r.values["institution"]].pk, r.values["fund_type"], r.values["method"]): (
            r.values["cases"], r.values["billed"], r.values["payable"],
        )
        for r in rows
    }  # fmt: skip
    if current is not None:
        same = {
            (line.institution_id, line.fund_type, line.method): (line.cases, line.billed, line.payable)
            for line in current.lines.all()
        }
        if same == lines:
            return current, False
    last = held.aggregate(last=Max("version"))["last"] or 0
    held.filter(current=True).update(current=False)
    table = PayableTable.objects.create(
        county=county,
        year=month.year,
        month=month.month,
        version=last + 1,
        file=stored,
        cases=sum(line[0] for line in lines.values()),
        billed=sum((line[1] for line in lines.values()), Decimal("0.00")),
        payable=sum((line[2] for line in lines.values()), Decimal("0.00")),
        uploaded_by=actor,
    )
    MonthlyPayable.objects.bulk_create(
        (
            MonthlyPayable(
                table=table, institution_id=key[0], fund_type=key[1], method=key[2],
                cases=line[0], billed=line[1], payable=line[2],
            )
            for key, line in lines.items()
        ),
        batch_size=500,
    )  # fmt: skip
    return table, True


def _lay_over(actor: User, county: County, month: Month, table: PayableTable) -> None:
    current = FactSet.objects.current().filter(county=county, year=month.year, month=month.month).first()
    if current is None:
        return
    store_factset(
        actor,
        county,
        prepare_facts(county, month, fact_rows.to_facts(fact_rows.read(current))),
        current.source,
        data_to=current.data_to,
        claims_import=current.claims_import,
        declared=current.declared,
        reason=f"付费方式应付表第 {table.version} 版",
        reference=current.reference,
        file=current.file,
    )


def _institutions(county: County, rows: list[TableRow]) -> dict[str, Institution]:
    codes = {row.values["institution"] for row in rows}
    found = Institution.objects.filter(county__pooling_area=county.pooling_area_id, code__in=codes)
    return {institution.code: institution for institution in found}


def _faults(rows: list[TableRow], institutions: dict[str, Institution], county: County) -> list[Problem]:
    problems: list[Problem] = []
    seen = set()
    for row in rows:
        values = row.values
        if values["institution"] not in institutions:
            problems.append(
                row.problem("institution", f"机构不在{county.pooling_area}的机构目录中。", "请核对编号，或请管理员登记该机构。")
            )
        key = (values["month"], values["institution"], values["fund_type"], values["method"])
        if key in seen:
            problems.append(row.problem("method", "同一月份、机构、险种、付费方式出现两次。", "请合并为一行。"))
        seen.add(key)
        if values["cases"] == 0 and (values["billed"] or values["payable"]):
            problems.append(row.problem("cases", "病例数为 0 而金额不为 0。", "请核对病例数。"))
    return problems
