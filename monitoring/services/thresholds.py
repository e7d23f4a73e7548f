"""Thresholds: entered by an officer, tried, approved by a reviewer, ended; a live one is never edited."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from core.access import different_person, require
from core.errors import Conflict, Problem, Refused, need_reason
from core.models import FundType, PoolingArea, User
from core.parameters import value as parameter
from core.trail import record
from monitoring.models import Threshold, ThresholdStatus
from monitoring.reading.thresholds import latest_month, preview
from monitoring.services.threshold_checks import cleaned, problems_of
from rules.periods import Month

ENTER, APPROVE = "monitoring.enter_threshold", "monitoring.approve_threshold"
END = "monitoring.end_threshold"
DEFAULTS = Path(__file__).resolve().parent.parent / "defaults" / "thresholds.toml"
FIELDS = (
    "county", "alliance", "indicator", "kind", "fund_type", "basis", "span", "above", "relative", "yellow", "orange",
    "red", "min_volume", "clause", "valid_from", "valid_to", "note",
)  # fmt: skip
EDITABLE = (ThresholdStatus.DRAFT, ThresholdStatus.TRIAL)


def save_threshold(
    actor: User, area: PoolingArea, values: dict[str, Any], threshold: Threshold | None = None
) -> Threshold:
    """Enter a draft or change one (or one on trial). ``values``: the model's fields by name (county, alliance: objects).

    Raises ``Refused`` with everything wrong at once; ``Conflict`` for one that is in force or ended.
    """
    with transaction.atomic():
        held = Threshold(pooling_area=area) if threshold is None else _locked(threshold)
        if threshold is not None:
            require(actor, ENTER, place_of(held))
            _need(held, EDITABLE, "修改")
        for name, given in cleaned(values).items():
            if name in FIELDS:
                setattr(held, name, given)
        if held.alliance is not None and held.county is None:
            held.county = held.alliance.county
        found = problems_of(held)
        if found:
            raise Refused(found)
        require(actor, ENTER, place_of(held))
        held.entered_by = actor
        held.save()
        summary = f"{'录入' if threshold is None else '修改'}预警阈值“{describe(held)}”"
        record(actor, ENTER, held, summary, _data(held), place=place_of(held))
        return held


def start_trial(actor: User, threshold: Threshold) -> Threshold:
    """Judge with it from now on, warn nobody."""
    require(actor, ENTER, place_of(threshold))
    with transaction.atomic():
        held = _locked(threshold)
        _need(held, (ThresholdStatus.DRAFT,), "开始试运行")
        held.status, held.trial_from = ThresholdStatus.TRIAL, timezone.localdate()
        held.save(update_fields=["status", "trial_from"])
        record(actor, ENTER, held, f"预警阈值“{describe(held)}”开始试运行", _data(held), place=place_of(held))
        return held


def approve(actor: User, threshold: Threshold, everywhere_ok: bool = False, reason: str = "") -> Threshold:
    """Put a threshold on trial into force; another person than the one who entered it.

    Raises ``Refused`` when it would fire for every place, unless that is wanted and a reason is given; ``Conflict`` while
    another one for the same thing is in force.
    """
    require(actor, APPROVE, place_of(threshold))
    with transaction.atomic():
        PoolingArea.objects.select_for_update(no_key=True).get(pk=threshold.pooling_area_id)
        held = _locked(threshold)
        different_person(actor, held.entered_by, f"预警阈值“{describe(held)}”")
        _need(held, (ThresholdStatus.TRIAL,), "核准启用")
        _need_alone(held)
        month = latest_month(held)
        seen = preview(held, month) if month else None
        if seen is not None and seen.everywhere:
            if not everywhere_ok:
                remedy = "确需启用的，请勾选“全部触发也启用”并写明理由。"
                raise Refused([Problem("everywhere_ok", "", f"该阈值在所有地方都会触发：{seen.text}", remedy)])
            need_reason(reason)
        held.status, held.decided_by, held.decided_at = ThresholdStatus.LIVE, actor, timezone.now()
        held.save(update_fields=["status", "decided_by", "decided_at"])
        told = seen.text if seen else "没有数据可预览。"
        summary = f"核准启用预警阈值“{describe(held)}”。{told}" + (f"理由：{reason.strip()}" if reason.strip() else "")
        record(actor, APPROVE, held, summary, {**_data(held), "reason": reason.strip()}, place=place_of(held))
        return held


def end(actor: User, threshold: Threshold, reason: str) -> Threshold:
    """Take a threshold out of force from tomorrow on (a draft or trial at once); it is kept as it was."""
    live = threshold.status == ThresholdStatus.LIVE
    require(actor, END if live else ENTER, place_of(threshold))
    with transaction.atomic():
        held = _locked(threshold)
        _need(held, (*EDITABLE, ThresholdStatus.LIVE), "停用")
        if (held.status == ThresholdStatus.LIVE) != live:
            require(actor, END, place_of(held))
        need_reason(reason)
        today = timezone.localdate()
        held.status = ThresholdStatus.ENDED
        held.valid_to = today if held.valid_to is None else min(today, held.valid_to)
        held.save(update_fields=["status", "valid_to"])
        summary = f"停用预警阈值“{describe(held)}”：{reason.strip()}"
        record(actor, END, held, summary, {**_data(held), "reason": reason.strip()}, place=place_of(held))
        return held


def adopt_defaults(actor: User, area: PoolingArea, valid_from: date | None = None) -> int:
    """The shipped defaults as thresholds on trial; what the area has already is left alone. How many are new.

    They hold from ``valid_from`` (the first of last month) once approved.
    """
    require(actor, ENTER, area)
    today = timezone.localdate()
    start = valid_from or Month.of(today).previous().first_day
    with transaction.atomic():
        PoolingArea.objects.select_for_update(no_key=True).get(pk=area.pk)
        standing = {
            _same(row) for row in Threshold.objects.filter(pooling_area=area).exclude(status=ThresholdStatus.ENDED)
        }
        added = 0
        for row in shipped():
            held = Threshold(pooling_area=area, valid_from=start, note="系统内置默认值", **cleaned(row))
            held.status, held.trial_from, held.entered_by = ThresholdStatus.TRIAL, today, actor
            if key := row.get("red_parameter"):
                held.red = parameter(str(key), area, today).decimal
            if _same(held) in standing:
                continue
            found = problems_of(held)
            if found:
                raise Refused(found)
            held.save()
            added += 1
            record(actor, ENTER, held, f"采用默认预警阈值“{describe(held)}”，开始试运行", _data(held), place=area)
        return added


def shipped() -> list[dict[str, Any]]:
    """The shipped defaults, one row a kind of place."""
    rows = tomllib.loads(DEFAULTS.read_text(encoding="utf-8"))["threshold"]
    return [{**row, "kind": kind} for row in rows for kind in row["kinds"]]


def place_of(threshold: Threshold) -> Any:
    """Whose threshold it is: rights and trail stand there."""
    return threshold.county or threshold.pooling_area


def describe(threshold: Threshold) -> str:
    """医共体（居民）预算执行率：与序时进度比，高于 黄 0.05、红 0.1."""
    levels = "、".join(
        f"{name} {level.normalize():f}"
        for name, level in (("黄", threshold.yellow), ("橙", threshold.orange), ("红", threshold.red))
        if level is not None
    )
    fund = FundType(threshold.fund_type).label if threshold.fund_type else "居民、职工"
    at = threshold.alliance or threshold.county or threshold.pooling_area
    return (
        f"{at}·{threshold.get_kind_display()}（{fund}）{threshold.get_indicator_display()}："
        f"{threshold.get_basis_display()}，{threshold.get_span_display()}，{'高于' if threshold.above else '低于'} {levels}"
    )


def _locked(threshold: Threshold) -> Threshold:
    rows = Threshold.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("pooling_area", "county__pooling_area", "alliance__county__pooling_area").get(pk=threshold.pk)


def _need(threshold: Threshold, states: tuple[str, ...], act: str) -> None:
    if threshold.status in states:
        return
    state = threshold.get_status_display()
    remedy = "启用的阈值不能修改，请停用后另行设定。" if threshold.status == ThresholdStatus.LIVE else "请刷新页面查看最新状态。"
    raise Conflict([Problem("status", state, f"该阈值现在是“{state}”，不能{act}。", remedy)])


def _need_alone(threshold: Threshold) -> None:
    """Raise ``Conflict`` while another threshold says something about the very same thing."""
    rows = Threshold.objects.filter(
        status=ThresholdStatus.LIVE,
        **{name: getattr(threshold, name) for name in _SAME},
    ).exclude(pk=threshold.pk)
    rows = rows.filter(Q(valid_to=None) | Q(valid_to__gte=threshold.valid_from))
    if threshold.valid_to is not None:
        rows = rows.filter(valid_from__lte=threshold.valid_to)
    other = rows.first()
    if other is not None:
        text = f"同一事项已有启用的阈值（{other.valid_from} 起，{other.entered_by}设定）。"
        raise Conflict([Problem("indicator", str(other), text, "请先停用原阈值，再核准新的。")])


_SAME = ("pooling_area_id", "county_id", "alliance_id", "indicator", "kind", "fund_type", "basis", "span")


def _same(threshold: Threshold) -> tuple[Any, ...]:
    return tuple(str(getattr(threshold, name) or "") for name in _SAME)


def _data(threshold: Threshold) -> dict[str, Any]:
    return {
        "threshold": threshold.pk,
        "status": str(threshold.status),
        **{name: str(getattr(threshold, name) if getattr(threshold, name) is not None else "") for name in FIELDS},
    }
