"""Writing the bases of a county's month: a new version of what changed and of nothing else.

A row's digest covers what it says; the county's rows also name the versions they were made of, so that rows tell whether
they are up to date (:mod:`monitoring.services.outdated`). One short transaction a county-month, one for the city's sums.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db import transaction
from django.utils import timezone

from core.models import County, PoolingArea, User
from core.trail import record
from monitoring.models import PlaceKind, PlaceMonth
from monitoring.reading.periods import closed_mark
from monitoring.reading.places import PlaceRef, ref_of
from monitoring.services.gathering import FUNDS, CountyMonth, gather, is_newest, total
from rules.indicators import BASES
from rules.periods import Month

ACTION = "monitoring.figures"
BATCH = 400
TRIES = 3
SOURCES = {
    "facts": "月度事实", "lake": "结算明细", "report": "基金月报", "budget": "打包预算或预付", "table": "季度报表",
    "other": "其他来源",
}  # fmt: skip
_NAMES = tuple(base.key for base in BASES)
_MONEY = frozenset(base.key for base in BASES if base.is_money)
_HELD = ("pk", "place", "fund_type", "version", "inputs", "factset_id", "alliance_id", "declared", "data_to", *_NAMES)


@dataclass(frozen=True)
class Outcome:
    """Rows written and left as they were; ``text`` says it to people."""

    written: int
    unchanged: int
    text: str


@dataclass(frozen=True)
class _Row:
    """A row as it should be."""

    place: PlaceRef
    fund_type: str
    alliance: int | None
    factset: int | None
    declared: bool
    data_to: date | None
    sums: Mapping[str, Any]
    stamp: tuple[Any, ...] = ()

    @cached_property
    def key(self) -> tuple[str, str]:
        return (self.place.key, self.fund_type)

    @cached_property
    def digest(self) -> str:
        return digest_of(self.alliance, self.declared, self.data_to, self.sums, self.stamp)


def compute_county_month(county: County, month: Month, actor: User | None = None, reason: str = "") -> Outcome:
    """Bring the rows of a county's month and the city's sums up to what is known now; the same inputs write nothing."""
    for _try in range(TRIES):
        gathered = gather(county, month)
        if gathered is None:
            return Outcome(0, 0, f"{county} {month} 没有月度数据和基金月报，不计算。")
        done = _write_county(gathered, actor, reason)
        if done is not None:
            break
    else:
        return Outcome(0, 0, f"{county} {month} 的数据正在更新，稍后自动重算。")
    city, told = compute_city_month(county.pooling_area, month, actor, reason)
    return Outcome(done.written + city, done.unchanged, f"{done.text}{told}")


def compute_city_month(area: PoolingArea, month: Month, actor: User | None = None, reason: str = "") -> tuple[int, str]:
    """The sums of the counties, once each has its rows; (rows written, what to add to the outcome)."""
    counties = list(County.objects.on(month.last_day).filter(pooling_area=area).order_by("code"))
    with transaction.atomic():
        PoolingArea.objects.select_for_update(no_key=True).get(pk=area.pk)
        found = _current(month, kind=PlaceKind.COUNTY, county__in=counties)
        keys = {(ref_of(county).key, fund) for county in counties for fund in FUNDS}
        missing = [county for county in counties if (ref_of(county).key, FUNDS[0]) not in found]
        if missing:
            return 0, f"全市合计尚缺 {_named(missing)}。"
        mine = [held for key, held in found.items() if key in keys]
        rows = [_city_row(area, fund, [held for held in mine if held["fund_type"] == fund]) for fund in FUNDS]
        held = _current(month, kind=PlaceKind.CITY, pooling_area=area)
        changed = [row for row in rows if _differs(row, held)]
        if changed:
            _store(changed, held, month, timezone.now(), {}, reason or "县（区）数据更新")
            record(actor, ACTION, area, f"{area} {month} 监测数据合计更新", {"rows": len(changed)}, place=area)
    return len(changed), "全市合计已更新。" if changed else ""


def _city_row(area: PoolingArea, fund: str, counties: Sequence[Mapping[str, Any]]) -> _Row:
    """Sums, stocks too; a base that one county does not know is not known for the city."""
    reach = [row["data_to"] for row in counties]
    return _Row(
        place=ref_of(area),
        fund_type=fund,
        alliance=None,
        factset=None,
        declared=all(row["declared"] for row in counties),
        data_to=None if None in reach else min(reach),
        sums={name: total([row[name] for row in counties]) for name in _NAMES},
    )


def _write_county(gathered: CountyMonth, actor: User | None, reason: str) -> Outcome | None:
    """None when facts or reports were replaced while they were read."""
    county, month, held_month = gathered.county, gathered.month, gathered.held
    rows = [
        _Row(
            place=found.place,
            fund_type=found.fund_type,
            alliance=found.alliance,
            factset=held_month.factset,
            declared=held_month.declared,
            data_to=held_month.data_to,
            sums=found.sums,
            stamp=gathered.stamp if found.place.kind == PlaceKind.COUNTY else (),
        )
        for found in gathered.rows
    ]
    with transaction.atomic():
        County.objects.select_for_update(no_key=True).get(pk=county.pk)
        if not is_newest(gathered):
            return None
        held = _current(month, county=county)
        changed = [row for row in rows if _differs(row, held)]
        if not changed:
            return Outcome(0, len(rows), f"{county} {month} 指标数据没有变化。")
        reasons = {row.key: _reason(row, held.get(row.key), gathered, reason) for row in changed}
        _store(changed, held, month, gathered.taken_at, reasons, reason)
        why = reasons[next((row.key for row in changed if row.place.kind == PlaceKind.COUNTY), changed[0].key)]
        summary = f"{county} {month} 监测数据更新 {len(changed)} 行：{why}"
        data = {"rows": len(changed), "unchanged": len(rows) - len(changed), "factset": held_month.factset}
        record(actor, ACTION, county, summary, data, place=county)
    text = f"{county} {month} 指标数据写入 {len(changed)} 行，{len(rows) - len(changed)} 行没有变化。"
    return Outcome(len(changed), len(rows) - len(changed), text)


def _current(month: Month, **where: Any) -> dict[tuple[str, str], dict[str, Any]]:
    rows = PlaceMonth.objects.current().filter(year=month.year, month=month.month, **where).order_by()
    return {(row["place"], row["fund_type"]): row for row in rows.values(*_HELD)}


def _differs(row: _Row, held: Mapping[tuple[str, str], Mapping[str, Any]]) -> bool:
    before = held.get(row.key)
    return before is None or before["inputs"] != row.digest


def _store(
    changed: Collection[_Row],
    held: Mapping[tuple[str, str], Mapping[str, Any]],
    month: Month,
    at: datetime,
    reasons: Mapping[tuple[str, str], str],
    reason: str,
) -> None:
    replaced = [held[row.key]["pk"] for row in changed if row.key in held]
    for start in range(0, len(replaced), BATCH):
        PlaceMonth.objects.filter(pk__in=replaced[start : start + BATCH]).update(current=False)
    mark = closed_mark(next(iter(changed)).place.area, month)
    PlaceMonth.objects.bulk_create(
        (_made(row, held.get(row.key), month, at, mark + reasons.get(row.key, reason)) for row in changed),
        batch_size=BATCH,
    )


def _made(row: _Row, before: Mapping[str, Any] | None, month: Month, at: datetime, reason: str) -> PlaceMonth:
    place = row.place
    return PlaceMonth(
        kind=place.kind,
        place=row.key[0],
        pooling_area_id=place.area,
        county_id=place.county,
        alliance_id=row.alliance,
        institution_id=place.pk if place.kind == PlaceKind.INSTITUTION else None,
        fund_type=row.fund_type,
        year=month.year,
        month=month.month,
        version=before["version"] + 1 if before else 1,
        declared=row.declared,
        data_to=row.data_to,
        factset_id=row.factset,
        inputs=row.digest,
        reason=reason[:200],
        computed_at=at,
        **row.sums,
    )


def _reason(row: _Row, before: Mapping[str, Any] | None, gathered: CountyMonth, given: str) -> str:
    """Why there is a new version: the first one, or what moved."""
    if before is None:
        return given or "首次计算"
    moved = {base.source for base in BASES if before[base.key] != row.sums[base.key]}
    if before["declared"] != row.declared or before["data_to"] != row.data_to or before["factset_id"] != row.factset:
        moved.add("facts")
    words = []
    for source, word in SOURCES.items():
        if source not in moved:
            continue
        version = ""
        if source == "facts" and gathered.held.factset != before["factset_id"]:
            version = f"第 {gathered.held.version} 版{f'（{gathered.held.reason}）' if gathered.held.reason else ''}"
        words.append(f"{word}{version}更新")
    if before["alliance_id"] != row.alliance:
        words.append("医共体归属变化")
    return "；".join(part for part in (given, "、".join(words) or "来源版本更新") if part)


def digest_of(
    alliance: int | None, declared: bool, data_to: date | None, sums: Mapping[str, Any], stamp: Iterable[Any] = ()
) -> str:
    """sha-256 of what a row says; the stamp of a county's row comes first, as sixteen characters of its own digest."""
    values = [None if sums[name] is None else _plain(name, sums[name]) for name in _NAMES]
    told = json.dumps([alliance, declared, str(data_to or ""), values])
    content = hashlib.sha256(told.encode()).hexdigest()
    mark = hashlib.sha256(json.dumps([str(part) for part in stamp]).encode()).hexdigest()
    return mark[:16] + content[:48]


def _plain(name: str, value: Decimal | int) -> str:
    return f"{Decimal(value):.2f}" if name in _MONEY else str(int(value))


def _named(counties: Sequence[County]) -> str:
    names = "、".join(str(county) for county in counties[:5])
    return f"{names} 等 {len(counties)} 个县（区）" if len(counties) > 5 else names


__all__ = ["ACTION", "Outcome", "compute_city_month", "compute_county_month", "digest_of"]
