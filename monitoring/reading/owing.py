"""What a month still lacks at each alliance, and who owes it: facts, fund report, accepted table, package."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from budgets.reading import packages_in_force
from claims.reading import coverage_of, current_reports
from core.models import Alliance, FundType, Role, RoleGrant
from core.models.places import valid_on
from rules.periods import Month
from submissions.reading import standings

NAMED = 3
OFFICER, HOSPITAL = Role.FUND_OFFICER, Role.HOSPITAL_FINANCE


@dataclass(frozen=True)
class Owed:
    """One thing missing. ``people`` hold the post that must bring it; ``url`` is where."""

    what: str
    post: str
    people: tuple[str, ...]
    url: str

    @property
    def who(self) -> str:
        return f"{self.post}{'、'.join(self.people)}" if self.people else f"{self.post}（此处尚无人任此岗）"

    @property
    def text(self) -> str:
        return f"{self.what}——{self.who}"


def owed(alliances: Collection[Alliance], month: Month) -> dict[int, list[Owed]]:
    """By alliance id, in the same number of queries whatever their number. Alliances come with county and area."""
    rows = list(alliances)
    counties = list({alliance.county_id: alliance.county for alliance in rows}.values())
    declared = {cell.county.pk for cell in coverage_of(counties, month.year) if cell.month == month and cell.declared}
    reports = Counter(
        county
        for county, _year, number, _pk in current_reports([county.pk for county in counties], [month.year])
        if number == month.month
    )
    packages = packages_in_force(rows, month.year, on=month.last_day)
    tables = standings(rows, month.quarter) if is_quarter_end(month) else {}
    posts = _Posts(rows)
    found: dict[int, list[Owed]] = defaultdict(list)
    for alliance in rows:
        add = found[alliance.pk].append
        if alliance.county_id not in declared:
            officers = posts.at(OFFICER, alliance, below=False)
            add(Owed(f"{alliance.county} {month} 医保结算明细", "经办", officers, reverse("claims:list")))
        if reports[alliance.county_id] < len(FundType):
            officers = posts.at(OFFICER, alliance, below=False)
            add(Owed(f"{alliance.county} {month} 基金月报", "经办", officers, reverse("claims:monthly_report")))
        lacking = [fund.label for fund in FundType if (alliance.pk, fund.value) not in packages]
        if lacking:
            officers = posts.at(OFFICER, alliance, below=False)
            add(Owed(f"{month.year} 年打包预算（{'、'.join(lacking)}）", "经办", officers, reverse("budgets:list")))
        table = tables.get(alliance.pk)
        if table is not None and not table.accepted:
            what = f"{month.quarter} 季度报表（{table.text}，期限 {table.last_day}）"
            post, role = ("医共体财务", HOSPITAL) if table.waits_for_hospital else ("经办", OFFICER)
            add(Owed(what, post, posts.at(role, alliance, below=role == HOSPITAL), table.url))
    return dict(found)


def is_quarter_end(month: Month) -> bool:
    return month.month % 3 == 0


class _Posts:
    """Who holds a post for an alliance: those nearest to it, at most three names. One query for all alliances."""

    def __init__(self, alliances: Iterable[Alliance]) -> None:
        areas = {alliance.county.pooling_area_id for alliance in alliances}
        grants = RoleGrant.objects.filter(
            Q(pooling_area__in=areas) | Q(county__pooling_area__in=areas) | Q(alliance__county__pooling_area__in=areas),
            valid_on(timezone.localdate()),
            role__in=[OFFICER, HOSPITAL],
            user__is_active=True,
        )
        self._held: dict[tuple[str, str, int], list[str]] = defaultdict(list)
        for grant in grants.select_related("user").order_by("user__username"):
            for level in ("alliance", "county", "pooling_area"):
                place = getattr(grant, f"{level}_id")
                if place is not None:
                    self._held[(grant.role, level, place)].append(str(grant.user))

    def at(self, role: str, alliance: Alliance, *, below: bool) -> tuple[str, ...]:
        """``below``: posts at the alliance itself count too."""
        nearest = [("county", alliance.county_id), ("pooling_area", alliance.county.pooling_area_id)]
        if below:
            nearest.insert(0, ("alliance", alliance.pk))
        for level, place in nearest:
            if people := self._held.get((role, level, place)):
                return tuple(people[:NAMED])
        return ()
