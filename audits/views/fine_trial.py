"""处罚幅度试算: any act, loss and day; a plain GET that stores nothing, so that the address can be passed on."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from audits.forms_base import form_problems
from audits.forms_money import FineTrialForm
from audits.reading.penalties import GRAVE, REFUSED, REPEAT, problems_of
from audits.reading.statistics import READ
from audits.views.cards.proposals import multiple_of
from core.access import require_somewhere
from core.errors import Problem, Refused
from rules.errors import RuleError
from rules.money import ZERO
from rules.penalties import (
    GRADES,
    FineItem,
    FineRange,
    GradeRange,
    Limitation,
    Need,
    fine_range,
    grade_range,
    limitation,
    needs_hearing,
    needs_legal_review,
)


@dataclass(frozen=True)
class FineTrial:
    """What the law makes of the input: the range, each grade's part of it, limitation, and what a fine needs."""

    range: FineRange
    grades: tuple[GradeRange, ...]
    limitation: Limitation
    lower_multiple: Decimal | None
    upper_multiple: Decimal | None
    fine: Decimal | None
    inside: bool
    multiple: Decimal | None
    fits: tuple[str, ...]
    hearing: Need | None
    legal: Need | None


@require_safe
def fine_trial(request: HttpRequest) -> HttpResponse:
    """The form, and the range once an act was asked."""
    require_somewhere(request.user, READ)
    asked = bool(request.GET.get("act") or request.GET.get("loss"))
    form = FineTrialForm(request.GET if asked else None)
    trial: FineTrial | None = None
    problems: list[Problem] = []
    if asked:
        try:
            trial = trial_of(form)
        except Refused as refusal:
            problems = refusal.problems
    context: dict[str, Any] = {"form": form, "trial": trial, "problems": problems, "tab": "fine"}
    return render(request, "audits/fine_trial.html", context, status=422 if problems else 200)


def trial_of(form: FineTrialForm) -> FineTrial:
    """The trial of a filled form; ``Refused`` with everything wrong with it."""
    if not form.is_valid():
        raise Refused(form_problems(form))
    given = form.cleaned_data
    facts, fine, today = given["facts"], given["fine"], timezone.localdate()
    found_on = given["found_on"] or max(today, given["on"])
    try:
        span = fine_range(
            [FineItem(given["act"], given["loss"], given["on"])], on=given["on"], decided_on=max(today, given["on"]),
            repeat=REPEAT in facts, refused=REFUSED in facts, grave=GRAVE in facts,
        )  # fmt: skip
        barred = limitation(given["on"], found_on, given["harm"])
    except RuleError as error:
        raise Refused(problems_of(error)) from error
    party = form.party_of()
    grades = tuple(grade_range(span, grade.key) for grade in GRADES)
    inside = fine is not None and span.lower <= fine and (span.upper is None or fine <= span.upper)
    fits = tuple(
        one.grade.label
        for one in grades
        if fine is not None and not one.is_empty and one.lower <= fine and (one.upper is None or fine <= one.upper)
    )
    return FineTrial(
        range=span,
        grades=grades,
        limitation=barred,
        lower_multiple=multiple_of(span.lower, span.loss or None),
        upper_multiple=multiple_of(span.upper, span.loss or None),
        fine=fine,
        inside=inside,
        multiple=multiple_of(fine, span.loss or None),
        fits=fits,
        hearing=None if fine is None else needs_hearing(party, max(fine, ZERO), bool(span.suspensions)),
        legal=None if fine is None else needs_legal_review(party, max(fine, ZERO), bool(span.suspensions)),
    )
