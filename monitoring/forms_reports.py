"""Forms and filters of the report pages. They only turn text into values; the services judge them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms

from core.forms import search_field
from monitoring.models.reports import ReportKind, ReportState
from monitoring.views.listing import ListFilter, choices
from rules.periods import Month
from rules.spans import HALF, KINDS, MONTH, QUARTER, YEAR, Span

OVERDUE, EVERY = "overdue", "all"
STATES = [("", "现行"), (OVERDUE, "逾期未印发"), *ReportState.choices, (EVERY, "全部版本")]
BACK = {MONTH: 12, QUARTER: 4, HALF: 2, YEAR: 2}
"""How many ended spans of each kind may be chosen for a draft."""


class ReportFilter(ListFilter):
    """Which reports: year, kind, place, state, words."""

    year = forms.TypedChoiceField(label="年度", coerce=int, required=False, empty_value=None)
    kind = forms.ChoiceField(label="类别", required=False, choices=choices(ReportKind.choices))
    place = forms.ChoiceField(label="地区", required=False)
    state = forms.ChoiceField(label="状态", required=False, choices=STATES)
    q = search_field("编号、地区、期间（2026Q3）")

    def __init__(self, *args: Any, years: Sequence[int], places: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["year"].choices = choices([(year, f"{year} 年") for year in years])  # type: ignore[attr-defined]
        self.fields["place"].choices = choices(places)  # type: ignore[attr-defined]
        if len(places) < 2:
            self.fields["place"].widget = forms.HiddenInput()


class DraftForm(forms.Form):
    """Place and ended span of a report to draft."""

    place = forms.ChoiceField(label="地区")
    span = forms.ChoiceField(label="期间")

    def __init__(self, *args: Any, places: Sequence[tuple[str, str]], today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].choices = list(places)  # type: ignore[attr-defined]
        self.fields["span"].choices = span_choices(today)  # type: ignore[attr-defined]


def span_choices(today: date) -> list[tuple[str, list[tuple[str, str]]]]:
    """The ended spans of each kind, newest first, grouped."""
    ended, groups = Month.of(today).previous(), []
    for kind, number in BACK.items():
        span = Span.of(kind, ended)
        span = span if span.last <= ended else span.previous()
        listed = []
        for _each in range(number):
            listed.append((str(span), span.text))
            span = span.previous()
        groups.append((KINDS[kind], listed))
    return groups
