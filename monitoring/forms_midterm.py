"""The form of a medium-term estimate: base year, three scenarios, basis. It reads what was typed; the service decides."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms

from core.models import FundType
from monitoring.models import MidtermState
from monitoring.views.listing import ListFilter, choices
from rules.midterm import (
    AMOUNTS,
    ASSUMPTION_LABELS,
    BASE_LABELS,
    LONGEST,
    SCENARIOS,
    SHORTEST,
    Assumptions,
    BaseYear,
)

_NUMBER = {"inputmode": "decimal", "class": "num"}


class YuanField(forms.DecimalField):
    """Yuan as people type them: thousands separators are fine, a third decimal is not."""

    widget = forms.TextInput

    def __init__(self, **given: Any) -> None:
        super().__init__(max_digits=17, decimal_places=2, widget=forms.TextInput(attrs=dict(_NUMBER)), **given)

    def to_python(self, value: Any) -> Any:
        return super().to_python(value.replace(",", "").replace("，", "") if isinstance(value, str) else value)

    def prepare_value(self, value: Any) -> Any:
        return f"{value:,.2f}" if isinstance(value, Decimal) else value


class PercentField(forms.DecimalField):
    """A yearly growth typed and shown in percent: 4.2 is 0.042."""

    widget = forms.TextInput

    def __init__(self, **given: Any) -> None:
        super().__init__(max_digits=7, decimal_places=2, widget=forms.TextInput(attrs=dict(_NUMBER)), **given)

    def to_python(self, value: Any) -> Any:
        return super().to_python(value.strip().rstrip("%％") if isinstance(value, str) else value)

    def clean(self, value: Any) -> Any:
        typed = super().clean(value)
        return typed / 100 if typed is not None else None

    def prepare_value(self, value: Any) -> Any:
        return f"{(value * 100).normalize():f}" if isinstance(value, Decimal) else value


class MidtermForm(forms.Form):
    """Fields ``year_<name>`` (the base year) and ``<scenario>_<name>`` after the names of :mod:`rules.midterm`."""

    horizon = forms.TypedChoiceField(
        label="测算年数", coerce=int, choices=[(count, f"{count} 年") for count in range(SHORTEST, LONGEST + 1)]
    )
    basis = forms.CharField(
        label="假设依据",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="写明各项增长的依据，如文件、近三年实际、政策变化。",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in BASE_LABELS.items():
            field: forms.Field = (
                forms.IntegerField(label=label, widget=forms.TextInput(attrs=dict(_NUMBER)), localize=False)
                if name == "heads"
                else YuanField(label=label)
            )
            self.fields[f"year_{name}"] = field
        for key, scenario in SCENARIOS.items():
            for name, label in ASSUMPTION_LABELS.items():
                made = YuanField if name in AMOUNTS else PercentField
                self.fields[f"{key}_{name}"] = made(label=f"{scenario}：{label}")

    def base_year_fields(self) -> list[Any]:
        return [self[f"year_{name}"] for name in BASE_LABELS]

    def assumption_rows(self) -> list[dict[str, Any]]:
        """One row an assumption, one field a scenario."""
        return [
            {"label": label, "unit": "元" if name in AMOUNTS else "%", "fields": [self[f"{key}_{name}"] for key in SCENARIOS]}
            for name, label in ASSUMPTION_LABELS.items()
        ]

    def base(self, year: int) -> BaseYear:
        typed = {name: self.cleaned_data[f"year_{name}"] for name in BASE_LABELS}
        return BaseYear(year=year, **typed)

    def scenarios(self) -> dict[str, Assumptions]:
        return {
            key: Assumptions(**{name: self.cleaned_data[f"{key}_{name}"] for name in ASSUMPTION_LABELS}) for key in SCENARIOS
        }


def initial_of(base: BaseYear | None, scenarios: Mapping[str, Assumptions]) -> dict[str, Any]:
    """The form's values of a base year and scenarios."""
    found: dict[str, Any] = {}
    if base is not None:
        found.update({f"year_{name}": getattr(base, name) for name in BASE_LABELS})
    for key, given in scenarios.items():
        found.update({f"{key}_{name}": getattr(given, name) for name in ASSUMPTION_LABELS})
    return found


class MidtermFilter(ListFilter):
    fund = forms.ChoiceField(label="险种", required=False, choices=choices(FundType.choices))
    place = forms.ChoiceField(label="统筹区、县（区）", required=False)
    state = forms.ChoiceField(label="状态", required=False, choices=choices(MidtermState.choices))

    def __init__(self, *args: Any, places: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].choices = choices(places)  # type: ignore[attr-defined]
