"""试算: any scheme, any package, any charged amount; a plain GET, so that the address can be passed on."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from core.errors import Problem, Refused
from settlement.forms import CalculatorForm
from settlement.trial import ShareTrial, share_trial
from settlement.views.acts import refused_by

EXAMPLE = {"scheme": "jiangxi-2022", "package": "300000000.00", "charged": "324000000.00"}


@require_GET
def calculator(request: HttpRequest) -> HttpResponse:
    """The form, and the result once something was asked."""
    asked = any(request.GET.get(name) for name in ("package", "charged"))
    form = CalculatorForm(request.GET if asked else None, initial=EXAMPLE)
    trial: ShareTrial | None = None
    problems: list[Problem] = []
    if asked:
        try:
            trial = _trial(form)
        except Refused as refusal:
            problems = refusal.problems
    context: dict[str, Any] = {"form": form, "trial": trial, "problems": problems}
    return render(request, "settlement/calculator.html", context, status=422 if problems else 200)


def _trial(form: CalculatorForm) -> ShareTrial:
    if not form.is_valid():
        raise refused_by(form)
    given = form.cleaned_data
    score: Decimal | None = given["score"]
    return share_trial(given["scheme"], given["package"], given["charged"], given["reasonable"], score)
