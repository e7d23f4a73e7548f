"""The dated parameters of the warnings: each with its clause and whether that is confirmed (A1's rule)."""

from __future__ import annotations

from datetime import date
from typing import Any

from core.models import ConfirmationStatus
from core.parameters import define, value

_DESIGN = "设计默认值：风险预警办理（待地方确定）"
ANSWER_DAYS, RETURN_DAYS = "monitoring.answer_days", "monitoring.return_days"
DECIDE_DAYS, ESCALATE_DAYS = "monitoring.decide_days", "monitoring.escalate_days"
RECOVER_MONTHS, AUTO_SEND = "monitoring.recover_months", "monitoring.auto_send"
SINGLE_MONTH = "monitoring.distress_single_month"
CONTINUING_UNIT, CONTINUING_PERIODS = "monitoring.continuing_unit", "monitoring.continuing_periods"
WATCH_GROWTH = "monitoring.watch_growth"

_DISTRESS = "宁医保〔2019〕128号 §三(四)（当期、连续出险的口径待地方确定）"
_DEFINED: tuple[tuple[str, str, str, str, str, tuple[tuple[str, str], ...]], ...] = (
    (ANSWER_DAYS, "预警答复期限（工作日）", "days", "10", _DESIGN, ()),
    (RETURN_DAYS, "退回后补充答复期限（工作日）", "days", "5", _DESIGN, ()),
    (DECIDE_DAYS, "审定预警答复期限（工作日）", "days", "5", _DESIGN, ()),
    (ESCALATE_DAYS, "逾期后再次升级的间隔（工作日）", "days", "2", _DESIGN, ()),
    (RECOVER_MONTHS, "认定指标恢复所需的连续正常月数", "months", "2", _DESIGN, ()),
    (AUTO_SEND, "由系统直接送达的预警", "choice", "red", _DESIGN,
     (("none", "都由经办送达"), ("red", "红色预警"), ("all", "全部预警"))),
    (SINGLE_MONTH, "单月收不抵支即作出险信号的险种", "choice", "EMP", _DISTRESS,
     (("none", "都不"), ("EMP", "职工（按月征缴）"), ("both", "居民和职工"))),
    (CONTINUING_UNIT, "认定连续出险的期间", "choice", "quarter", _DISTRESS, (("month", "月"), ("quarter", "季"))),
    (CONTINUING_PERIODS, "认定连续出险的期数", "number", "2", _DISTRESS, ()),
    (WATCH_GROWTH, "机构支出增幅高于全县增幅即列为异常的幅度", "ratio", "0.05", _DISTRESS, ()),
)  # fmt: skip


def define_parameters() -> None:
    """Called when the app is ready: the administrator's pages list what is defined."""
    for key, label, kind, default, clause, choices in _DEFINED:
        define(
            key, label, kind=kind, default=default, clause=clause, status=ConfirmationStatus.UNCONFIRMED, choices=choices
        )


def whole(key: str, place: Any, on: date) -> int:
    """A parameter that is a number of days, months or periods."""
    return int(value(key, place, on).decimal)
