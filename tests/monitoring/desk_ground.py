"""A warning to look at: eighteen months of Qingxi's figures, a threshold on them, a warning in any state."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from monitoring.models import PlaceMonth, Threshold, ThresholdStatus, Warning, WarningFigure
from monitoring.reading.places import ref_of
from monitoring.services import raising
from monitoring.services import warnings as services
from rules.periods import Month, months_between
from tests.world import World

NOW = "2026-10-12 09:00:00+08:00"
LAST = Month(2026, 9)
FIRST = Month(2025, 1)
INSIDE = {  # yuan inside the alliance and at its primary members, month by month
    "2026-01": ("16748200.00", "2779900.00"),
    "2026-02": ("14370200.00", "2366000.00"),
    "2026-03": ("18396300.00", "3029700.00"),
    "2026-04": ("18305700.00", "2887800.00"),
    "2026-05": ("17779600.00", "2790400.00"),
    "2026-06": ("17643100.00", "2681200.00"),
    "2026-07": ("18072600.00", "2679300.00"),
    "2026-08": ("18151000.00", "2570600.00"),
    "2026-09": ("17308600.00", "2414200.00"),
}
FLAT = ("18000000.00", "3000000.00")


def month_of(place: Any, month: Month, fund: str = "RES", **bases: Any) -> PlaceMonth:
    """One current month of a place with the bases given, zero for what every indicator asks of it."""
    ref = ref_of(place)
    return PlaceMonth.objects.create(
        kind=ref.kind, place=ref.key, pooling_area_id=ref.area, county_id=ref.county,
        alliance=place if ref.kind == "alliance" else bases.pop("member_of", None),
        institution=place if ref.kind == "institution" else None,
        fund_type=fund, year=month.year, month=month.month, data_to=month.last_day, inputs=f"{ref.key}{month}",
        computed_at=datetime(month.year, month.month, 1, tzinfo=UTC) + timedelta(days=40), **bases,
    )  # fmt: skip


def fill(world: World, place: Any = None, fund: str = "RES", left_out: Sequence[str] = ()) -> None:
    """Qingxi's months from January 2025 without those ``left_out``, and those of its members."""
    place = place or world.alliance
    for month in months_between(FIRST, LAST):
        if str(month) in left_out:
            continue
        inside, primary = INSIDE.get(str(month), FLAT)
        month_of(
            place, month, fund, fund_in_alliance=Decimal(inside), fund_primary=Decimal(primary), charged=Decimal(inside),
            fund_in_county=Decimal(inside), fund_all=Decimal(inside),
        )  # fmt: skip
    if place != world.alliance:
        return
    for member, share in ((world.lead, "0.80"), (world.township, "0.15"), (world.village, "0.05")):
        for month in months_between(FIRST, LAST):
            inside, primary = INSIDE.get(str(month), FLAT)
            own = Decimal("0.00") if member == world.lead else (Decimal(primary) * Decimal(share) * 5).quantize(Decimal("0.01"))
            charged = (Decimal(inside) * Decimal(share)).quantize(Decimal("0.01"))
            month_of(member, month, fund, charged=charged, fund_primary=own, member_of=world.alliance)


def threshold(world: World, status: str = ThresholdStatus.LIVE, **fields: Any) -> Threshold:
    """At least 16 % of what is paid inside the alliance goes to its primary members."""
    given: dict[str, Any] = {
        "indicator": "primary_share", "kind": "alliance", "fund_type": "RES", "basis": "absolute", "span": "to_date",
        "above": False, "yellow": Decimal("0.16"), "red": Decimal("0.155"), "clause": "赣医保发〔2022〕23号 §二(二)3",
        "valid_from": date(2026, 1, 1), "status": status, "entered_by": world.officer,
    }  # fmt: skip
    if status == ThresholdStatus.LIVE:
        given |= {"decided_by": world.reviewer, "decided_at": timezone.now()}
    return Threshold.objects.create(pooling_area=world.area, **{**given, **fields})


def raised(world: World, place: Any = None, **fields: Any) -> Warning:
    """A red warning of the primary share, not yet sent."""
    place = place or world.alliance
    ref = ref_of(place)
    given: dict[str, Any] = {
        "source": "threshold", "fund_type": "RES", "cause": "primary_share", "indicator": "primary_share",
        "title": "基层支出占比低于 16%", "level": "red", "threshold": None,
    }  # fmt: skip
    given |= fields
    with transaction.atomic():
        number = raising.next_number(ref, given["fund_type"], timezone.localdate())
        w = raising.create_warning(
            ref, raising.alliance_of(ref, timezone.localdate()), month=LAST, number=number, **given
        )
        raising.announce(None, w, f"触发{w.number}")
    return w


def noted(w: Warning, value: str = "0.154357", month: Month = LAST, **fields: Any) -> WarningFigure:
    """The newest figure of a warning."""
    given: dict[str, Any] = {
        "value": Decimal(value), "threshold_value": Decimal("0.155"), "level": w.level, "affected": Decimal("884827.39"),
        "data_to": month.last_day, "noted_at": timezone.now(),
    }  # fmt: skip
    return WarningFigure.objects.create(warning=w, year=month.year, month=month.month, **{**given, **fields})


def sent(world: World, place: Any = None, **fields: Any) -> Warning:
    w = raised(world, place, **fields)
    noted(w)
    by = world.officer
    return services.send(by, w)


def answered(world: World, w: Warning | None = None, files: Any = ()) -> Warning:
    w = w or sent(world)
    services.answer(
        world.hospital, w, cause="三家卫生院住院部改造，收治量下降。", measures="十月底前恢复全部床位，下转病人开随访单。",
        by_date=date(2026, 12, 31), target="12 月当月占比达到 18%", files=files,
    )  # fmt: skip
    return Warning.objects.with_places().get(pk=w.pk)


def accepted(world: World, recovered: bool = False) -> Warning:
    w = answered(world)
    services.accept(world.officer, w, "同意按计划整改。")
    Warning.objects.filter(pk=w.pk).update(recovered=recovered)
    return Warning.objects.with_places().get(pk=w.pk)


def distress(world: World) -> Warning:
    """Qingxi's fund spends more than it takes in: of the county, without an alliance."""
    w = raised(world, world.qingxi, source="distress", cause="distress", indicator="", title="居民基金当期收不抵支", level="red")
    causes = [
        {"key": "income", "label": "筹资情况（当期收入）", "unit": "元", "now": "38125500.00", "before": "40210000.00",
         "change": "-2084500.00", "share": "2084500.00", "ratio": "0.648085", "text": "上年同期收入 − 本期收入", "counted": True},
        {"key": "admissions", "label": "住院人次", "unit": "人次", "now": "6120", "before": "5870", "change": "250",
         "share": "1131900.00", "ratio": "0.351915", "text": "（本期人次 − 上年人次）× 上年次均基金支出", "counted": True},
    ]  # fmt: skip
    noted(
        w, "-3216400.00", threshold_value=Decimal("0.00"), affected=Decimal("3216400.00"),
        data={"text": "当期支出大于收入", "continuing": True, "income": "38125500.00", "spending": "41341900.00",
              "projected_income": "", "projected_spending": "", "causes": causes},
    )  # fmt: skip
    return services.send(world.officer, w)
