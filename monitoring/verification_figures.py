"""Do the stored figures still say what was computed? Part of ``manage.py verify``, and totals for a restored database.

Each row against its digest; a city against the sum of its counties; what alliances were charged against the facts, read the
way the overview reads them and not the way the figures were made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, Q, Sum

from budgets import reading as budgets
from claims import reading as claims
from core.models import Alliance, County
from core.registries import Finding
from monitoring.models import PlaceKind, PlaceMonth
from monitoring.services.computing import digest_of
from monitoring.services.gathering import total
from rules.indicators import BASES
from rules.periods import Month

_NAMES = tuple(base.key for base in BASES)
_COLUMNS = ("pk", "place", "fund_type", "year", "month", "version", "alliance_id", "declared", "data_to", "inputs", *_NAMES)


def verify_figures() -> list[Finding]:
    """Every finding: digests, versions, city sums, charged yuan."""
    return [*_digests(), *_versions(), *_cities(), *_charged()]


def control_sums() -> dict[str, str]:
    """Rows, versions and the charged yuan of the counties."""
    rows = PlaceMonth.objects.aggregate(
        all=Count("pk"),
        standing=Count("pk", filter=Q(current=True)),
        charged=Sum("charged", filter=Q(current=True, kind=PlaceKind.COUNTY)),
    )
    text = f"{rows['all']} 行（现行 {rows['standing']}），各县（区）打包范围内基金支出 {rows['charged'] or Decimal('0.00')} 元"
    return {"监测月度数据": text}


def _where(row: Any) -> str:
    return f"监测月度数据 {row['place']} {row['fund_type']} {Month(row['year'], row['month'])}"


def _digests() -> Iterator[Finding]:
    for row in PlaceMonth.objects.order_by("pk").values(*_COLUMNS).iterator(chunk_size=2000):
        digest = digest_of(row["alliance_id"], row["declared"], row["data_to"], row)
        if digest[16:] != row["inputs"][16:]:
            yield Finding(_where(row), f"第 {row['version']} 版内容与校验值不符，已被改动")


def _versions() -> Iterator[Finding]:
    """The newest version, and only that, is current."""
    keys = ("place", "fund_type", "year", "month")
    rows = PlaceMonth.objects.order_by().values(*keys).annotate(
        last=Max("version"), held=Count("pk"), shown=Max("version", filter=Q(current=True)), standing=Count("pk", filter=Q(current=True))
    )  # fmt: skip
    for row in rows.iterator(chunk_size=2000):
        if row["standing"] != 1 or row["shown"] != row["last"] or row["held"] != row["last"]:
            yield Finding(_where(row), f"版本不连续或现行版本不唯一：共 {row['held']} 版，现行 {row['standing']} 版")


def _cities() -> Iterator[Finding]:
    """A city's row is the sum of its counties' current rows, none of them missing."""
    rows = PlaceMonth.objects.current().filter(kind__in=(PlaceKind.CITY, PlaceKind.COUNTY)).order_by()
    counties: dict[Any, list[Any]] = defaultdict(list)
    cities = []
    for row in rows.values("kind", "pooling_area_id", "county_id", *_COLUMNS).iterator(chunk_size=2000):
        key = (row["pooling_area_id"], row["fund_type"], row["year"], row["month"])
        if row["kind"] == PlaceKind.CITY:
            cities.append((key, row))
        else:
            counties[key].append(row)
    places = list(County.objects.values_list("pk", "pooling_area_id", "valid_from", "valid_to"))
    for key, row in cities:
        day = Month(row["year"], row["month"]).last_day
        due = {pk for pk, area, first, last in places if area == key[0] and first <= day and (last is None or last >= day)}
        mine = [county for county in counties[key] if county["county_id"] in due]
        wrong = [base.label for base in BASES if row[base.key] != total([county[base.key] for county in mine])]
        if wrong or len(mine) != len(due):
            yield Finding(_where(row), f"与各县（区）合计不符：{'、'.join(wrong[:5]) or '县（区）不全'}")


def _charged() -> Iterator[Finding]:
    """What the alliances' rows say was charged, year by year, against the facts; rows behind the facts are left alone."""
    alliances = list(Alliance.objects.select_related("county").order_by("pk"))
    rows = PlaceMonth.objects.current().filter(kind=PlaceKind.ALLIANCE).order_by()
    years = sorted(rows.values_list("year", flat=True).distinct())
    for year in years:
        scopes = {key: package.scope for key, package in budgets.packages_in_force(alliances, year).items()}
        facts = claims.months_by_year(alliances, year, year, scopes)
        known = {
            (alliance, fund, detail.month.month): detail.charged
            for (alliance, fund), months in facts.items()
            for detail in months
        }
        current = {(county, month): pk for county, _year, month, pk in claims.current_factsets(
            {alliance.county_id for alliance in alliances}, {year})}  # fmt: skip
        fresh = PlaceMonth.objects.current().filter(kind=PlaceKind.COUNTY, year=year).order_by()
        made_of = {(county, month): factset for county, month, factset in fresh.values_list("county_id", "month", "factset_id")}
        names = ("place", "fund_type", "year", "month", "county_id", "alliance_id", "declared", "charged")
        for row in rows.filter(year=year, declared=True).values(*names):
            at = (row["county_id"], row["month"])
            fact = known.get((row["alliance_id"], row["fund_type"], row["month"]))
            if made_of.get(at) == current.get(at) and fact is not None and fact != row["charged"]:
                yield Finding(_where(row), f"打包范围内基金支出 {row['charged']} 元，月度事实为 {fact} 元")
