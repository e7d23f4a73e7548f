"""Sheets of what the claims pages show: the same rows, the same totals."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from decimal import Decimal

from claims.models import REPORT_FIELDS, ClaimsImport, FactSet, FundMonthlyReport, PayableTable
from claims.reading.coverage import MonthCoverage
from claims.reading.facts import InstitutionLine, total_of
from claims.reading.imports import Finding
from claims.reading.payables import PayableLine
from core.models import FundType
from core.workbook import Sheet


def import_sheets(imports: Iterable[ClaimsImport], notes: Sequence[str]) -> list[Sheet]:
    header = [
        "导入号", "参保县（区）", "申报期间", "状态", "文件", "上传人", "上传时间", "总行数", "合格行", "退回行", "迟到行",
        "相同行", "合格行统筹支出", "退回行统筹支出", "数据截至",
    ]  # fmt: skip
    rows = [
        [
            found.pk, found.county.name, found.period_text, found.get_state_display(), found.file_name,
            str(found.uploaded_by or "系统"), f"{found.uploaded_at:%Y-%m-%d %H:%M}", found.rows_total, found.rows_good,
            found.rows_bad, found.rows_late, found.rows_identical, found.good_pooled, found.bad_pooled, found.data_to,
        ]
        for found in imports
    ]  # fmt: skip
    return [Sheet("明细导入", header, rows, frozenset({12, 13}), ["单位：元", *notes])]


def reject_sheets(found: ClaimsImport, findings: Sequence[Finding]) -> list[Sheet]:
    """A summary by code and the report's rows."""
    summary = [
        [f.code, f.title, "退回" if f.rejects else "提示", f.rows, f.total_cost, f.explanation, f.remedy] for f in findings
    ]
    sheets = [
        Sheet(
            "汇总",
            ["代码", "问题", "处理", "行数", "医疗费总额", "说明", "改正方法"],
            summary,
            frozenset({4}),
            [f"{found}；每类列出前 1000 行；单位：元；人员编号已换成密钥摘要"],
        )
    ]
    if found.report is not None:
        with found.report.path.open(encoding="utf-8-sig", newline="") as source:
            lines = list(csv.reader(source))
        sheets.append(Sheet("明细", lines[0], lines[1:]))
    return sheets


def coverage_sheets(cells: Iterable[MonthCoverage], notes: Sequence[str]) -> list[Sheet]:
    header = [
        "县（区）", "月份", "版本", "来源", "整月", "导入号", "行数", "其中迟到行", "结算人次", "统筹基金记账", "基金应付",
        "未处理退回行", "未处理退回统筹支出", "退回占比", "数据截至", "经办", "形成时间",
    ]  # fmt: skip
    rows = [
        [
            cell.county.name, str(cell.month), cell.version or None, cell.source_text, "是" if cell.declared else "否",
            cell.claims_import, cell.rows, cell.late_rows, cell.settlements, cell.pooled_fund_paid, cell.fund_payable,
            cell.open_reject_rows, cell.open_reject_yuan, cell.reject_share, cell.data_to, cell.made_by,
            f"{cell.made_at:%Y-%m-%d %H:%M}" if cell.made_at else None,
        ]
        for cell in cells
    ]  # fmt: skip
    return [Sheet("覆盖情况", header, rows, frozenset({9, 10, 12}), ["单位：元", *notes])]


def fact_sheets(title: str, lines: Sequence[InstitutionLine], notes: Sequence[str]) -> list[Sheet]:
    header = ["机构编号", "机构", "所属区划", "就医地", "结算人次", "出院人次", "医疗费总额", "统筹基金记账", "基金应付"]
    rows: list[list[object]] = [
        [
            line.code, line.name, line.area, line.location_text, line.settlements, line.discharges, line.total_cost,
            line.pooled_fund_paid, line.fund_payable,
        ]
        for line in lines
    ]  # fmt: skip
    sums = total_of(list(lines))
    rows.append(
        ["合计", None, None, None, sums["settlements"], None, sums["total_cost"], sums["pooled_fund_paid"], sums["fund_payable"]]
    )
    return [Sheet(title, header, rows, frozenset({6, 7, 8}), ["单位：元", *notes])]


def factset_sheets(sets: Iterable[FactSet], notes: Sequence[str]) -> list[Sheet]:
    header = ["县（区）", "月份", "版本", "现行", "文件", "行数", "结算人次", "统筹基金记账", "基金应付", "经办", "形成时间"]
    rows = [
        [
            each.county.name, str(each.period), each.version, "是" if each.current else "否",
            each.file.name if each.file else each.reason, each.rows, each.settlements, each.pooled_fund_paid,
            each.fund_payable, str(each.created_by or "系统"), f"{each.created_at:%Y-%m-%d %H:%M}",
        ]
        for each in sets
    ]  # fmt: skip
    return [Sheet("月度事实表", header, rows, frozenset({7, 8}), ["单位：元", *notes])]


def payable_table_sheets(tables: Iterable[PayableTable], notes: Sequence[str]) -> list[Sheet]:
    header = ["县（区）", "月份", "版本", "现行", "文件", "病例数", "记账金额", "应付金额", "上传人", "上传时间"]
    rows = [
        [
            each.county.name, str(each.period), each.version, "是" if each.current else "否", each.file.name, each.cases,
            each.billed, each.payable, str(each.uploaded_by), f"{each.uploaded_at:%Y-%m-%d %H:%M}",
        ]
        for each in tables
    ]  # fmt: skip
    return [Sheet("付费方式应付表", header, rows, frozenset({6, 7}), ["单位：元", *notes])]


def report_sheets(reports: Iterable[FundMonthlyReport], notes: Sequence[str]) -> list[Sheet]:
    header = ["县（区）", "险种", "月份", "版本", *(field.label for field in REPORT_FIELDS), "说明", "填报人"]
    rows = [
        [
            report.county.name, report.get_fund_type_display(), str(report.period), report.version,
            *(getattr(report, field.name) for field in REPORT_FIELDS), report.note, str(report.entered_by or "系统"),
        ]
        for report in reports
    ]  # fmt: skip
    money = frozenset(index + 4 for index, field in enumerate(REPORT_FIELDS) if field.kind == "yuan")
    return [Sheet("基金月报", header, rows, money, ["空白不等于零；单位：人、元", *notes])]


def payable_sheets(title: str, lines: Sequence[PayableLine]) -> list[Sheet]:
    header = ["机构", "险种", "付费方式", "病例数", "记账金额", "应付金额", "付费方式影响", "事实人次", "事实记账", "记账差异"]
    rows: list[list[object]] = [
        [
            line.institution, FundType(line.fund_type).label, line.method_text, line.cases, line.billed, line.payable,
            line.method_effect, line.held_settlements, line.held_billed, line.billed_difference,
        ]
        for line in lines
    ]  # fmt: skip
    zero = Decimal("0.00")
    rows.append(
        [
            "合计", None, None, sum(line.cases for line in lines), sum((line.billed for line in lines), zero),
            sum((line.payable for line in lines), zero), sum((line.method_effect for line in lines), zero),
            sum(line.held_settlements for line in lines), sum((line.held_billed for line in lines), zero),
            sum((line.billed_difference for line in lines), zero),
        ]
    )  # fmt: skip
    return [Sheet(title[:31], header, rows, frozenset({4, 5, 6, 8, 9}), ["单位：元"])]
