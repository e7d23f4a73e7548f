"""Agreements a person sees, the one in force on a day, and the growth of costs a supplement rests on (R-106)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db.models import Q

from audits.models import Agreement, AgreementState
from audits.reading.sorting import sorted_queryset
from core.models import Alliance, FundType, Institution, Membership
from core.models.places import valid_on
from monitoring.reading.indicator_text import change_text, value_text
from monitoring.reading.places import ref_of
from monitoring.reading.seen import latest_month
from monitoring.reading.series import sheet
from rules.spans import Span

GROWTH = ("spending_growth", "inpatient_average", "outpatient_average", "daily_cost", "drug_share", "consumables_share", "exam_share")
SORTS = {
    "number": ("number",), "institution": ("institution__code",), "year": ("year", "institution__code"),
    "valid_to": ("valid_to",), "state": ("state",),
}  # fmt: skip


def chosen(user: Any, wanted: Mapping[str, Any], sort: str = "") -> Any:
    """The agreements of a filter the person sees, newest year first."""
    rows = Agreement.objects.visible_to(user).with_places()
    if wanted.get("county"):
        rows = rows.filter(institution__county__code=wanted["county"])
    for name in ("year", "state"):
        if wanted.get(name):
            rows = rows.filter(**{name: wanted[name]})
    if wanted.get("waiting"):
        rows = rows.filter(changes__status="proposed").distinct()
    if wanted.get("listed"):
        rows = rows.filter(listed_disease=True)
    for word in str(wanted.get("q") or "").split():
        rows = rows.filter(Q(number__icontains=word) | Q(institution__name__icontains=word) | Q(institution__code__icontains=word))
    return sorted_queryset(rows, sort, SORTS)


def running(institution: Institution, on: date) -> Agreement | None:
    """The agreement of a provider that holds on a day, suspended or not."""
    rows = Agreement.objects.filter(
        valid_on(on), institution=institution, state__in=[AgreementState.IN_FORCE, AgreementState.SUSPENDED]
    )
    return rows.with_places().order_by("-pk").first()


def led_alliance(institution: Institution, on: date) -> Alliance | None:
    """The alliance whose lead hospital a provider is on a day."""
    rows = Membership.objects.filter(valid_on(on), institution=institution, is_lead=True)
    found = rows.select_related("alliance__county__pooling_area").first()
    return found.alliance if found is not None else None


def growth_of(user: Any, institution: Institution) -> list[dict[str, str]]:
    """How a provider's costs moved this year against last, per fund type, as texts to be kept with a supplement.

    Rows ``{"fund", "span", "label", "now", "before", "change", "clause"}``; empty without figures.
    """
    place = ref_of(institution)
    latest = latest_month(user, place.kind, place)
    if latest is None:
        return []
    span = Span.to_date(latest)
    return [
        {
            "fund": str(fund.label), "span": span.text, "label": line.indicator.label,
            "now": value_text(line.indicator, line.now.value), "before": value_text(line.indicator, line.before.value),
            "change": change_text(line.indicator, line.change), "clause": line.indicator.clause,
        }
        for fund in FundType
        for line in sheet(user, place, fund.value, span)
        if line.indicator.key in GROWTH and line.now.value is not None
    ]  # fmt: skip
