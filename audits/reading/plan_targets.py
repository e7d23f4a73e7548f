"""Plans as lists show them, and whom to check next: every provider of a plan's place with the reasons that speak for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Max, Q, QuerySet, Sum
from django.utils import timezone

from audits.models import AuditPlan, Case, PlanTarget, PointEntry, TargetState, Track
from audits.models.plans import AuditPlanQuerySet
from audits.reading.risk_lists import is_private, lists_for
from audits.reading.sorting import sorted_queryset
from audits.states import IN_FORCE_TRACKS
from core.models import Institution
from monitoring.reading.warnings import seen_by

COVERAGE_YEARS = 3
COVERAGE_CLAUSE = "医保监管意见稿范文四 §二(三)3"
CHECKED = (TargetState.CHECKED, TargetState.LEAD)
SORTS: dict[str, Sequence[str]] = {
    "number": ("county__code", "pk"), "year": ("year",), "kind": ("kind",), "state": ("state",),
    "starts": ("starts_on",), "ends": ("ends_on",),
}  # fmt: skip


@dataclass(frozen=True)
class Candidate:
    """A provider with what speaks for checking it; ``score`` orders the proposal, ``reasons`` say it in words."""

    institution: Institution
    warnings: int
    points: int
    cases: int
    last_checked: date | None
    overdue: bool
    label: str

    @property
    def score(self) -> int:
        """Repeat findings weigh most, then warnings, then points and a check that is due."""
        return 4 * self.cases + 2 * self.warnings + (1 if self.points else 0) + (1 if self.overdue else 0)

    @property
    def is_private(self) -> bool:
        return is_private(self.institution)

    @property
    def reasons(self) -> list[str]:
        found = []
        if self.cases:
            found.append(f"近 {COVERAGE_YEARS} 年已处理案件 {self.cases} 件{'，屡次违规' if self.cases > 1 else ''}")
        if self.warnings:
            found.append(f"未解除预警 {self.warnings} 条")
        if self.points:
            found.append(f"本年协议记分 {self.points} 分")
        if self.overdue:
            last = f"上次检查 {self.last_checked}" if self.last_checked else "没有检查记录"
            found.append(f"{COVERAGE_YEARS} 年内未检查（{last}）")
        return found


def candidates(user: Any, plan: AuditPlan, wanted: Mapping[str, Any] | None = None) -> list[Candidate]:
    """Providers of the plan's place that are not on it, the riskiest first: six queries whatever their number."""
    asked = wanted or {}
    today = timezone.localdate()
    since = _years_before(today)
    rows = Institution.objects.visible_to(user).select_related("county")
    rows = rows.filter(county=plan.county_id) if plan.county_id else rows.filter(county__pooling_area=plan.pooling_area_id)
    rows = rows.exclude(pk__in=plan.targets.values("institution"))
    for word in (asked.get("q") or "").split():
        rows = rows.filter(Q(name__icontains=word) | Q(code__icontains=word))
    if asked.get("kind"):
        rows = rows.filter(kind=asked["kind"])
    places = list(rows)
    keys = [place.pk for place in places]
    warned = _counted(seen_by(user).open().filter(institution__in=keys).order_by().values("institution"), Count("pk"))
    points = PointEntry.objects.filter(institution__in=keys, physician=None, status="in_force", on__year=today.year)
    pointed = _counted(points.order_by().values("institution"), Sum("points"))
    served = Track.objects.filter(state__in=IN_FORCE_TRACKS, case__institution__in=keys, served_on__gte=since)
    handled = {
        row["case__institution"]: row["found"]
        for row in served.order_by().values("case__institution").annotate(found=Count("case", distinct=True))
    }
    visits = PlanTarget.objects.filter(institution__in=keys, state__in=CHECKED)
    checked = _counted(visits.order_by().values("institution"), Max("checked_on"))
    cased = _counted(Case.objects.filter(institution__in=keys).order_by().values("institution"), Max("filed_on"))
    found = []
    for place in places:
        days = [day for day in (checked.get(place.pk), cased.get(place.pk)) if day is not None]
        last = max(days, default=None)
        found.append(
            Candidate(
                place, warned.get(place.pk, 0), pointed.get(place.pk, 0) or 0, handled.get(place.pk, 0), last,
                last is None or last < since, lists_for(place)[0].label,
            )
        )  # fmt: skip
    if asked.get("reason"):
        found = [one for one in found if _has(one, asked["reason"])]
    return sorted(found, key=lambda one: (-one.score, one.last_checked or date.min, one.institution.code))


def _has(one: Candidate, reason: str) -> bool:
    held = {"warnings": one.warnings, "points": one.points, "cases": one.cases, "overdue": one.overdue}
    return bool(held.get(reason))


def _counted(rows: QuerySet[Any], what: Any) -> dict[int, Any]:
    return {row["institution"]: row["found"] for row in rows.annotate(found=what)}


def _years_before(day: date) -> date:
    """The same day three years earlier; 28 February for a leap day."""
    try:
        return day.replace(year=day.year - COVERAGE_YEARS)
    except ValueError:
        return day.replace(year=day.year - COVERAGE_YEARS, day=28)


def chosen_plans(user: Any, wanted: Mapping[str, Any], sort: str = "") -> AuditPlanQuerySet:
    """The plans of a filter with how many targets they have and how many have a result."""
    found: AuditPlanQuerySet = AuditPlan.objects.visible_to(user).select_related(
        "pooling_area", "county__pooling_area", "prepared_by", "approved_by"
    )
    for name in ("state", "kind", "way", "year"):
        if wanted.get(name):
            found = found.filter(**{name: wanted[name]})
    if wanted.get("county"):
        found = found.filter(county__code=wanted["county"])
    for word in (wanted.get("q") or "").split():
        named = PlanTarget.objects.filter(institution__name__icontains=word).values("plan")
        found = found.filter(Q(number__icontains=word) | Q(title__icontains=word) | Q(pk__in=named))
    counted = found.annotate(
        all_targets=Count("targets", distinct=True),
        done_targets=Count("targets", filter=~Q(targets__state=TargetState.WAITING), distinct=True),
        led_targets=Count("targets", filter=Q(targets__state=TargetState.LEAD), distinct=True),
    )
    return sorted_queryset(counted.order_by("-year", "-pk"), sort, SORTS)  # type: ignore[no-any-return]
