"""Months of places, thresholds in force and warnings at every state, made as the month's end and people would make them.

The clock stands on 2026-08-14 (a Friday) unless a test moves it; July is the month judged.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from monitoring.models import PlaceMonth, Threshold, Warning
from monitoring.reading.places import PlaceRef, ref_of
from monitoring.services import thresholds, warnings
from monitoring.services.evaluating import evaluate_month
from rules.periods import Month

NOW = "2026-08-14 09:00:00+08:00"
JULY = Month(2026, 7)
AUGUST = Month(2026, 8)
REASON = "核对后认为需要继续说明"


def month_row(place: Any, month: Month, fund: str = "RES", *, declared: bool = True, **bases: Any) -> PlaceMonth:
    """The current version of a place's month; a former one is superseded."""
    ref = place if isinstance(place, PlaceRef) else ref_of(place)
    same = PlaceMonth.objects.filter(place=ref.key, fund_type=fund, year=month.year, month=month.month)
    version = same.count() + 1
    same.update(current=False)
    alliance = ref.pk if ref.kind == "alliance" else None
    return PlaceMonth.objects.create(
        kind=ref.kind, place=ref.key, pooling_area_id=ref.area, county_id=ref.county, alliance_id=alliance,
        institution_id=ref.pk if ref.kind == "institution" else None, fund_type=fund, year=month.year, month=month.month,
        version=version, declared=declared, data_to=month.last_day, inputs=f"{ref.key}-{month}-{version}",
        computed_at=timezone.now(), **{key: None if value is None else Decimal(value) for key, value in bases.items()},
    )  # fmt: skip


def share_row(place: Any, month: Month, percent: Any, fund: str = "RES", whole: int = 1_000_000) -> PlaceMonth:
    """A month whose primary share is ``percent`` of a million yuan."""
    part = None if percent is None else Decimal(whole) * Decimal(str(percent)) / 100
    return month_row(place, month, fund, fund_primary=part, fund_in_alliance=whole, charged=whole)


def funds_row(county: Any, month: Month, income: Any, spending: Any, fund: str = "EMP", **bases: Any) -> PlaceMonth:
    return month_row(county, month, fund, income=income, fund_spending=spending, **bases)


def values(**changed: Any) -> dict[str, Any]:
    """A sound threshold: primary share of alliances below 18, 17 or 16 % of a month."""
    return {
        "indicator": "primary_share", "kind": "alliance", "fund_type": "RES", "basis": "absolute", "span": "month",
        "above": False, "relative": False, "yellow": "0.18", "orange": "0.17", "red": "0.16", "min_volume": "0",
        "clause": "赣医保发〔2022〕23号 §二(二)3", "valid_from": date(2026, 1, 1), **changed,
    }  # fmt: skip


def trial(world: Any, **changed: Any) -> Threshold:
    return thresholds.start_trial(world.officer, thresholds.save_threshold(world.officer, world.area, values(**changed)))


def live(world: Any, **changed: Any) -> Threshold:
    return thresholds.approve(world.reviewer, trial(world, **changed), True, "按地方规定统一执行")


def raised(world: Any, percent: Any = "17.5", month: Month = JULY) -> Warning:
    """One warning of Qingxi's alliance by its share in a month: 17.5 yellow, 16.5 orange, 15.5 red."""
    if not Threshold.objects.exists():
        live(world)
    share_row(world.alliance, month, percent)
    evaluate_month(world.qingxi, month)
    return newest(world)


def newest(world: Any) -> Warning:
    return Warning.objects.with_places().filter(alliance=world.alliance).latest("pk")


def again(w: Warning) -> Warning:
    return Warning.objects.with_places().get(pk=w.pk)


def sent(world: Any) -> Warning:
    return warnings.send(world.officer, raised(world))


def reply(world: Any, w: Warning, by: Any = None) -> Any:
    return warnings.answer(
        by or world.hospital, w, cause="三家卫生院住院部改造，患者外转", measures="十月底前恢复全部床位",
        by_date=timezone.localdate() + timedelta(days=60), target="十一月当月占比达到 17%",
    )  # fmt: skip


def answered(world: Any) -> Warning:
    w = sent(world)
    reply(world, w)
    return again(w)


def returned(world: Any) -> Warning:
    return warnings.return_answer(world.officer, answered(world), "未说明分级收治安排")


def accepted(world: Any) -> Warning:
    return warnings.accept(world.officer, answered(world))


def closed(world: Any) -> Warning:
    return warnings.close(world.reviewer, accepted(world), "措施已落实，转入日常监测")


AT = {
    "raised": raised, "sent": sent, "answered": answered, "returned": returned, "accepted": accepted, "closed": closed,
}  # fmt: skip


def distressed(world: Any, month: Month = JULY, *, fund: str = "EMP") -> Warning:
    """Qingxi's employee fund spends more than comes in, from January to the month."""
    for number in range(1, month.month + 1):
        one = Month(month.year, number)
        if not PlaceMonth.objects.filter(place=ref_of(world.qingxi).key, fund_type=fund, year=one.year, month=number).exists():
            funds_row(world.qingxi, one, 100, 120, fund)
    evaluate_month(world.qingxi, month)
    return Warning.objects.with_places().get(cause="distress", fund_type=fund, county=world.qingxi)
