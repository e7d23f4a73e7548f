"""What is wrong with a threshold as entered: everything at once, in words a person can act on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from core.errors import Problem, Refused
from core.models import FundType
from monitoring.models import Basis, Level, PlaceKind, Threshold
from monitoring.models.thresholds import SpanKind
from rules.indicators import BY_KEY, Better
from rules.warnings import Levels

NUMBERS = ("yellow", "orange", "red", "min_volume")
PACED = "execution"
LARGEST_RATIO = 3
LARGEST = Decimal(10) ** 12


def cleaned(values: dict[str, Any]) -> dict[str, Any]:
    """The fields with numbers and dates as such; text of a form or of the shipped file is understood.

    Raises ``Refused`` for what is no number or no date.
    """
    known = {field.name for field in Threshold._meta.get_fields()}
    found = {name: given for name, given in values.items() if name in known}
    problems = []
    for name in NUMBERS:
        given = found.get(name)
        if name not in found or isinstance(given, Decimal):
            continue
        text = "" if given is None else str(given).strip()
        if not text:
            found[name] = Decimal(0) if name == "min_volume" else None
            continue
        try:
            found[name] = Decimal(text)
        except InvalidOperation:
            problems.append(Problem(name, text, f"“{label(name)}”须填数字，现为“{text}”。", "例如 0.08 表示 8%。"))
    for name in ("valid_from", "valid_to"):
        given = found.get(name)
        if name not in found or given is None or isinstance(given, date):
            continue
        try:
            found[name] = date.fromisoformat(str(given).strip()) if str(given).strip() else None
        except ValueError:
            problems.append(Problem(name, str(given), f"“{label(name)}”不是日期。", "请按 2026-09-30 填写。"))
    if problems:
        raise Refused(problems)
    return found


def label(name: str) -> str:
    """The Chinese name of a field."""
    return str(Threshold._meta.get_field(name).verbose_name)  # type: ignore[union-attr]


def problems_of(threshold: Threshold) -> list[Problem]:
    """Every problem of a threshold that is to be saved."""
    found = list(_choices(threshold))
    if not found:
        found += _meaning(threshold)
        found += _levels(threshold)
    found += _places(threshold)
    found += _dates(threshold)
    return found


def _choices(threshold: Threshold) -> Iterator[Problem]:
    allowed: dict[str, list[str]] = {
        "indicator": list(BY_KEY),
        "kind": list(PlaceKind.values),
        "fund_type": ["", *FundType.values],
        "basis": list(Basis.values),
        "span": list(SpanKind.values),
    }
    for name, values in allowed.items():
        given = str(getattr(threshold, name) or "")
        if given not in values:
            text = f"“{label(name)}”没有“{given}”这一项。" if given else f"没有选择“{label(name)}”。"
            yield Problem(name, given, text, "请从列表中选择。")


def _meaning(threshold: Threshold) -> Iterator[Problem]:
    indicator = BY_KEY[threshold.indicator]
    if threshold.kind not in indicator.places:
        names = "、".join(str(PlaceKind(kind).label) for kind in indicator.places)
        yield Problem("kind", threshold.kind, f"“{indicator.label}”没有这一层级的数据。", f"请选择：{names}。")
    if threshold.basis == Basis.PACE and threshold.indicator != PACED:
        text = f"只有“{BY_KEY[PACED].label}”可以与序时进度比。"
        yield Problem("basis", threshold.basis, text, "请改用其他比较方式。")
    if threshold.relative and threshold.basis not in (Basis.LAST_YEAR, Basis.PEERS):
        text = "只有与上年同期或同类中位数比时可以“按比例比较”。"
        yield Problem("relative", "是", text, "请取消勾选，或改变比较方式。")
    if indicator.better == Better.LOW and not threshold.above:
        yield Problem("above", "低于", f"“{indicator.label}”越低越好，低于某值不是异常。", "请选择“高于为异常”。")
    if indicator.better == Better.HIGH and threshold.above:
        yield Problem("above", "高于", f"“{indicator.label}”越高越好，高于某值不是异常。", "请取消“高于为异常”。")
    if threshold.min_volume < 0:
        yield Problem("min_volume", str(threshold.min_volume), "最小规模不能为负。", "不限制规模请填 0。")
    elif threshold.min_volume > 0 and not indicator.volume:
        text = f"“{indicator.label}”没有规模口径，不能设最小规模。"
        yield Problem("min_volume", str(threshold.min_volume), text, "请填 0。")
    if not threshold.clause.strip():
        yield Problem("clause", "", "没有填写依据。", "请填写文号和条款。")
    for name in ("clause", "note"):
        limit = 200 if name == "clause" else 300
        if len(getattr(threshold, name)) > limit:
            yield Problem(name, "", f"“{label(name)}”超过 {limit} 个字。", "请缩短。")


def _levels(threshold: Threshold) -> Iterator[Problem]:
    levels = Levels(
        threshold.basis, threshold.above, threshold.relative, threshold.yellow, threshold.orange, threshold.red, ""
    )
    held = levels.held()
    if not held:
        yield Problem("yellow", "", "黄、橙、红三级至少要填一级。", "请填写界限值。")
        return
    for name, level in held:
        if not level.is_finite() or abs(level) >= LARGEST:
            yield Problem(name, str(level), f"“{Level(name).label}”不是有效的界限值。", "请填写数字。")
            return
        if level != round(level, 6):
            yield Problem(name, str(level), f"“{Level(name).label}”小数超过六位。", "请保留六位以内小数。")
    unit = BY_KEY[threshold.indicator].unit
    if unit in ("ratio", "points") or threshold.relative or threshold.basis == Basis.PACE:
        for name, level in held:
            if abs(level) > LARGEST_RATIO:
                text = f"“{Level(name).label}”填了 {level.normalize():f}，是比例的 {abs(level) * 100:.0f}%。"
                yield Problem(name, str(level), text, "比例请用小数填写，例如 0.08 表示 8%。")
    if not levels.is_ordered():
        order = "黄 < 橙 < 红" if threshold.above else "黄 > 橙 > 红"
        yield Problem("red", "", f"界限没有逐级加重：{'高于' if threshold.above else '低于'}为异常时须 {order}。", "请改正。")


def _places(threshold: Threshold) -> Iterator[Problem]:
    county, alliance = threshold.county, threshold.alliance
    if county is not None and county.pooling_area_id != threshold.pooling_area_id:
        yield Problem("county", str(county), f"{county}不属于{threshold.pooling_area}。", "请重新选择。")
    if alliance is not None and county is not None and alliance.county_id != county.pk:
        yield Problem("alliance", str(alliance), f"{alliance}不属于{county}。", "请重新选择。")
    if threshold.kind == PlaceKind.CITY and (county is not None or alliance is not None):
        yield Problem("county", str(county or alliance), "全市层级的阈值不能限定县或医共体。", "请留空。")
    elif threshold.kind == PlaceKind.COUNTY and alliance is not None:
        yield Problem("alliance", str(alliance), "县级层级的阈值不能限定医共体。", "请留空。")


def _dates(threshold: Threshold) -> Iterator[Problem]:
    if getattr(threshold, "valid_from", None) is None:
        yield Problem("valid_from", "", "没有填写启用日期。", "请填写。")
    elif threshold.valid_to is not None and threshold.valid_to < threshold.valid_from:
        yield Problem("valid_to", str(threshold.valid_to), "停用日期早于启用日期。", "请改正日期。")
