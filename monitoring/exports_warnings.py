"""Workbooks of the warnings, the thresholds and the watch list: exactly what the pages show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from core.access import Denied, NotAllowed
from core.exports import export_workbook
from core.models import FundType
from core.templatetags.fund import day
from core.workbook import Sheet
from monitoring.models import Threshold, WatchEntry
from monitoring.reading.warnings import WarningRow, against


def warning_sheet(rows: Sequence[WarningRow], said: Sequence[str]) -> Sheet:
    header = [
        "单号", "等级", "状态", "险种", "县（区）", "对象", "层级", "指标", "事由", "指标值", "阈值", "涉及金额（元）", "触发时间",
        "送达时间", "期限", "逾期", "升级次数", "数据截至", "指标值月份",
    ]  # fmt: skip
    lines = [_warning_line(row) for row in rows]
    for fund, label in FundType.choices:  # never one sum of both
        mine = [row.affected for row in rows if row.warning.fund_type == fund and row.affected is not None]
        if mine:
            lines.append([f"合计（{label}）", *[""] * 10, sum(mine), *[""] * 7])
    return Sheet("风险预警", header, lines, frozenset({11}), tuple(said))


def _warning_line(row: WarningRow) -> list[Any]:
    found = row.warning
    return [
        found.number, found.get_level_display(), found.get_state_display(), found.get_fund_type_display(),
        str(found.county or ""), str(found.at), found.get_kind_display(), row.indicator, found.title, row.value, row.limit,
        row.affected, day(found.raised_at, "time"), day(found.sent_at, "time") if found.sent_at else "", found.due_on,
        "是" if row.is_overdue else "", found.escalations, row.data_to,
        str(row.month or ""),
    ]  # fmt: skip


def threshold_sheet(rows: Sequence[Threshold], said: Sequence[str]) -> Sheet:
    header = [
        "指标", "适用层级", "适用范围", "险种", "比较方式", "期间", "黄", "橙", "红", "最小规模", "依据", "启用日期", "停用日期",
        "状态", "设定人", "核准人", "说明",
    ]  # fmt: skip
    lines = [
        [
            row.get_indicator_display(), row.get_kind_display(), str(row.alliance or row.county or row.pooling_area),
            row.get_fund_type_display() or "两险种", row.get_basis_display(), row.get_span_display(),
            against(row, row.yellow), against(row, row.orange), against(row, row.red), row.min_volume, row.clause,
            row.valid_from, row.valid_to, row.get_status_display(), str(row.entered_by), str(row.decided_by or ""), row.note,
        ]
        for row in rows
    ]  # fmt: skip
    return Sheet("预警阈值", header, lines, notes=tuple(said))


def watch_sheet(rows: Sequence[WatchEntry], said: Sequence[str]) -> Sheet:
    header = [
        "县（区）", "机构编号", "机构", "险种", "措施", "内容", "自", "至", "状态", "预警单号", "提出人", "提出时间", "核准人", "核准时间",
        "核准意见",
    ]  # fmt: skip
    lines = [
        [
            str(row.county), row.institution.code, str(row.institution), row.get_fund_type_display(),
            row.get_consequence_display(), row.detail, row.valid_from, row.valid_to, row.get_status_display(),
            row.warning.number, str(row.proposed_by), day(row.proposed_at, "time"), str(row.decided_by or ""),
            day(row.decided_at, "time") if row.decided_at else "", row.decided_reason,
        ]
        for row in rows
    ]  # fmt: skip
    return Sheet("监控重点", header, lines, notes=tuple(said))


def download(request: HttpRequest, title: str, sheet: Sheet) -> HttpResponse:
    """The sheet as a workbook, noted in the trail of the place of the user's post."""
    place = place_of_post(request)
    name = f"{title}-{timezone.localdate()}.xlsx"
    return export_workbook(request.user, place, name, [sheet], place=place)  # type: ignore[arg-type]


def place_of_post(request: HttpRequest) -> Any:
    grant = next(iter(request.user.grants_on(timezone.localdate())), None)  # type: ignore[union-attr]
    if grant is None:
        raise NotAllowed(Denied("您还没有岗位，没有可导出的内容。请系统管理员授予岗位。"))
    return grant.place
