"""Single dated parameters: their definitions in code, their values per pooling area or county in the database.

A definition carries the default, its clause and whether that default is confirmed. A value entered by an administrator
counts from its date once a fund reviewer has confirmed it (A1's rule for every official figure).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q

from core.access import different_person, require
from core.errors import Conflict, Problem, Refused
from core.models import ConfirmationStatus, County, Parameter, PoolingArea, User
from core.models.places import pooling_area_of, valid_on
from core.trail import record


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
    return values([key], place, on)[key]


def values(keys: Iterable[str], place: Any, on: date) -> dict[str, Value]:
    """The same for several parameters in one query."""
    wanted = list(keys)
    area = place if isinstance(place, PoolingArea) else pooling_area_of(place)
    county = place if isinstance(place, County) else getattr(place, "county", None)
    rows = (
        Parameter.objects.filter(
            valid_on(on), key__in=wanted, pooling_area=area, status=ConfirmationStatus.CONFIRMED
        )
        .filter(Q(county=None) | Q(county=county))
        .order_by("-valid_from", "-pk")
    )
    held: dict[str, list[Parameter]] = {key: [] for key in wanted}
    for row in rows:
        held[row.key].append(row)
    return {key: _in_force(definitions[key], held[key]) for key in wanted}


def values_by_county(
    key: str, places: Iterable[tuple[int, int | None]], on: date
) -> dict[tuple[int, int | None], Value]:
    """One parameter for many (pooling area id, county id or None) in one query."""
    wanted = set(places)
    rows = Parameter.objects.filter(
        valid_on(on), key=key, pooling_area__in={area for area, _county in wanted}, status=ConfirmationStatus.CONFIRMED
    ).order_by("-valid_from", "-pk")
    held = list(rows)
    return {
        (area, county): _in_force(
            definitions[key],
            [row for row in held if row.pooling_area_id == area and row.county_id in (None, county)],
        )
        for area, county in wanted
    }


def _in_force(definition: Definition, rows: list[Parameter]) -> Value:
    chosen = max(rows, key=lambda row: row.county_id is not None, default=None)
    if chosen is None:
        return Value(definition.key, definition.label, definition.default, definition.clause, definition.status)
    return Value(definition.key, definition.label, chosen.value, chosen.clause, chosen.status)


def label_of(key: str) -> str:
    """The Chinese name of a parameter."""
    return definitions[key].label if key in definitions else key


def enter_parameter(
    actor: User,
    key: str,
    place: PoolingArea | County,
    text: str,
    clause: str,
    valid_from: date,
    valid_to: date | None = None,
) -> Parameter:
    """Enter a dated value for a pooling area or one county; it counts once a fund reviewer has confirmed it."""
    require(actor, "core.enter_policy", place)
    problems = []
    if key not in definitions:
        problems.append(Problem("key", key, f"没有名为“{key}”的参数。", "请从清单中选择。"))
    elif fault := _fault(definitions[key], text.strip()):
        problems.append(Problem("value", text, fault, "请按依据文件填写。"))
    if not clause.strip():
        problems.append(Problem("clause", "", "没有填写依据。", "请填写文号和条款。"))
    if valid_to is not None and valid_to < valid_from:
        problems.append(Problem("valid_to", str(valid_to), "停用日期早于启用日期。", "请改正日期。"))
    if problems:
        raise Refused(problems)
    with transaction.atomic():
        entered = Parameter.objects.create(
            key=key,
            pooling_area=place if isinstance(place, PoolingArea) else place.pooling_area,
            county=place if isinstance(place, County) else None,
            value=text.strip(),
            clause=clause.strip(),
            valid_from=valid_from,
            valid_to=valid_to,
            entered_by=actor,
        )
        summary = (
            f"录入参数“{label_of(entered.key)}” = {entered.value}（{place}，{valid_from} 起），依据：{entered.clause}"
        )
        record(actor, "core.enter_policy", entered, summary, place=place)
        return entered


def confirm_parameter(actor: User, entered: Parameter) -> Parameter:
    """A fund reviewer confirms an entered value against its document; it counts from its date."""
    place = entered.county or entered.pooling_area
    require(actor, "core.confirm_parameter", place)
    with transaction.atomic():
        entered = Parameter.objects.select_for_update(no_key=True).get(pk=entered.pk)
        different_person(actor, entered.entered_by, "核实参数")
        if entered.status == ConfirmationStatus.CONFIRMED:
            raise Conflict(f"该参数取值已由{entered.confirmed_by}核实。")
        entered.status, entered.confirmed_by = ConfirmationStatus.CONFIRMED, actor
        entered.save(update_fields=["status", "confirmed_by"])
        record(
            actor,
            "core.confirm_parameter",
            entered,
            f"核实参数“{label_of(entered.key)}” = {entered.value}",
            place=place,
        )
        return entered


def _fault(definition: Definition, text: str) -> str:
    """What is wrong with a value of this kind, or an empty text."""
    if definition.kind == "choice":
        labels = "、".join(f"{value}（{label}）" for value, label in definition.choices)
        return "" if text in dict(definition.choices) else f"“{definition.label}”只能取：{labels}。"
    try:
        number = Decimal(text)
    except ArithmeticError:
        return f"“{definition.label}”须填数字。"
    if not number.is_finite() or number < 0:
        return f"“{definition.label}”不能为负。"
    if definition.kind == "ratio" and number > 1:
        return f"“{definition.label}”是比例，须在 0 到 1 之间，例如 0.16 表示 16%。"
    if definition.kind in ("days", "months") and number != number.to_integral_value():
        return f"“{definition.label}”须填整数。"
    return ""


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
