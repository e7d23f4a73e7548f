"""Single dated parameters: their definitions in code, their values per pooling area or county in the database.

A definition carries the default, its clause and whether that default is confirmed. A value entered by an administrator
counts from its date once a fund reviewer has confirmed it (A1's rule for every official figure).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q

from core.models import ConfirmationStatus, County, Parameter, PoolingArea
from core.models.places import pooling_area_of, valid_on


@dataclass(frozen=True)
class Definition:
    """``default`` as text; ``kind`` is ``ratio`` (0–1), ``yuan``, ``days``, ``months``, ``number`` or ``choice``."""

    key: str
    label: str
    kind: str
    default: str
    clause: str
    status: str
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Value:
    key: str
    label: str
    text: str
    clause: str
    status: str

    @property
    def decimal(self) -> Decimal:
        return Decimal(self.text)

    @property
    def is_confirmed(self) -> bool:
        return self.status == ConfirmationStatus.CONFIRMED


definitions: dict[str, Definition] = {}


def define(
    key: str,
    label: str,
    *,
    kind: str,
    default: str,
    clause: str,
    status: str = ConfirmationStatus.CONFIRMED,
    choices: tuple[tuple[str, str], ...] = (),
) -> None:
    definitions[key] = Definition(key, label, kind, default, clause, status, choices)


def value(key: str, place: Any, on: date) -> Value:
    """The value in force at ``place`` on ``on``: the county's own, else the pooling area's, else the default."""
    definition = definitions[key]
    area = place if isinstance(place, PoolingArea) else pooling_area_of(place)
    county = place if isinstance(place, County) else getattr(place, "county", None)
    rows = (
        Parameter.objects.filter(valid_on(on), key=key, pooling_area=area, status=ConfirmationStatus.CONFIRMED)
        .filter(Q(county=None) | Q(county=county))
        .order_by("-valid_from", "-pk")
    )
    chosen = max(rows, key=lambda row: row.county_id is not None, default=None)
    if chosen is None:
        return Value(key, definition.label, definition.default, definition.clause, definition.status)
    return Value(key, definition.label, chosen.value, chosen.clause, chosen.status)


define(
    "claims.max_reject_share",
    "清算允许的拒收金额占比上限",
    kind="ratio",
    default="0.005",
    clause="设计默认值：有月份的未处理拒收金额超过此占比时不予清算",
)
define(
    "claims.max_bad_rows",
    "导入允许的错误行占比上限",
    kind="ratio",
    default="0.05",
    clause="设计默认值：超过此占比的文件整份退回，经办可说明理由后接收",
)
define(
    "budgets.primary_share_floor",
    "基层医疗机构支出占比下限",
    kind="ratio",
    default="0.16",
    clause="赣医保发〔2022〕23号 §二(二)3：不低于16%，具体由统筹区确定",
)
define(
    "budgets.primary_share_base",
    "基层支出占比的分母",
    kind="choice",
    default="in_alliance",
    clause="决定 A14：默认以医共体内基金支出为分母",
    choices=(("in_alliance", "医共体内基金支出"), ("package", "打包总额"), ("county", "全县基金支出")),
)
define(
    "settlement.reopening_months",
    "年度清算后可更正的月数",
    kind="months",
    default="12",
    clause="决定 A18：更正期内以更正版本办理，逾期列入下一年度清算（时限待地方确定）",
    status=ConfirmationStatus.UNCONFIRMED,
)
define(
    "settlement.confirm_days",
    "医共体确认清算单的工作日",
    kind="days",
    default="10",
    clause="设计默认值：送达后的确认期限（时限待地方确定）",
    status=ConfirmationStatus.UNCONFIRMED,
)
