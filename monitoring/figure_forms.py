"""Filters of the indicator pages. What an address asks wrongly is told by the page; the form only shows choices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from core.forms import search_field

Choices = Sequence[Any]


class FigureFilter(forms.Form):
    """Selects in the order given, the fund type kept behind them."""

    fund = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, chosen: dict[str, str], selects: Sequence[tuple[str, str, Choices]], search: str = "") -> None:
        super().__init__(chosen, auto_id="f-%s")
        for name, label, choices in selects:
            self.fields[name] = forms.ChoiceField(label=label, choices=choices, required=False)
        if search:
            self.fields["q"] = search_field(search)
        self.is_valid()
