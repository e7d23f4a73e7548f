"""The yearly checks a person sees, and what a check of a provider's year comes to before it is written (R-057, R-102)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils import timezone

from audits.models import YearlyCheck
from audits.reading.agreements import led_alliance
from audits.reading.points import provider_on
from audits.reading.sorting import sorted_queryset
from budgets.reading import monthly_ratio
from core.models import Alliance, Institution
from core.policies import scheme_in_force
from rules.points import Deduction, assessment_deduction
from rules.yearly_check import Check, Effects, check, effects

YEARS_BACK = 5
SORTS = {
    "institution": ("institution__code",), "year": ("year", "institution__code"), "score": ("score",), "points": ("points",),
    "grade": ("grade",), "status": ("status",),
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """A checked year: points of the year, their deduction, the grade and its effects; ``lead_of`` the alliance led."""

    points: int
    deduction: Deduction
    check: Check
    effects: Effects
    lead_of: Alliance | None

    @property
    def trace(self) -> list[dict[str, Any]]:
        return (self.deduction.trace + self.check.trace + self.effects.trace).as_json()


def outcome_of(institution: Institution, year: int, score: Decimal) -> Outcome:
    """What a score comes to with the provider's points in force and the grades of the years before.

    The prepayment ratio begins at what holds for the next year. Raises the rules' errors and ``Refused`` without a scheme.
    """
    last = min(date(year, 12, 31), timezone.localdate())
    points = provider_on(institution, date(year, 12, 31)).points
    deduction = assessment_deduction(points)
    checked = check(score, deduction.value)
    alliance = led_alliance(institution, last)
    return Outcome(
        points, deduction, checked, effects(checked.grade.key, former_grades(institution, year), _ratio(institution, alliance, year)),
        alliance,
    )  # fmt: skip


def former_grades(institution: Institution, year: int) -> list[str]:
    """The approved grades of the years before, oldest first; empty text: not checked."""
    rows = YearlyCheck.objects.filter(institution=institution, year__lt=year, year__gte=year - YEARS_BACK, status="approved")
    held = dict(rows.values_list("year", "grade"))
    return [held.get(one, "") for one in range(year - YEARS_BACK, year)]


def chosen(user: Any, wanted: Mapping[str, Any], sort: str = "") -> Any:
    """The checks of a filter the person sees, newest year first."""
    rows = YearlyCheck.objects.visible_to(user).select_related(
        "institution__county__pooling_area", "lead_of", "proposed_by", "decided_by"
    )
    if wanted.get("county"):
        rows = rows.filter(institution__county__code=wanted["county"])
    for name in ("year", "grade", "status"):
        if wanted.get(name):
            rows = rows.filter(**{name: wanted[name]})
    for word in str(wanted.get("q") or "").split():
        rows = rows.filter(Q(institution__name__icontains=word) | Q(institution__code__icontains=word))
    return sorted_queryset(rows, sort, SORTS)


def _ratio(institution: Institution, alliance: Alliance | None, year: int) -> Decimal:
    """The next year's monthly ratio of the alliance led; of a provider that leads none, the scheme's (it is not changed)."""
    today = timezone.localdate()
    if alliance is not None:
        return monthly_ratio(alliance, year + 1, today) or Decimal(0)
    return scheme_in_force(institution, today).scheme.prepayment_step or Decimal(0)
