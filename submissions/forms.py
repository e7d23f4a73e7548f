"""Forms and filters of the quarterly tables' pages. They only turn text into values; the services judge them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from core.forms import search_field
from submissions.models.versions import FUND_SHEETS
from submissions.owed import OVERDUE
from submissions.states import AssignmentState

STATES = [("", "全部"), (OVERDUE, "逾期未报"), *AssignmentState.choices]


class SaidForm(forms.Form):
    """A filter that can tell in words what was chosen, for the head of an export."""

    def said(self) -> list[str]:
        if not self.is_valid():
            return []
        told = []
        for field in self.visible_fields():
            value = self.cleaned_data.get(field.name)
            if value not in (None, "", []):
                choices = {str(key): label for key, label in getattr(field.field, "choices", [])}
                values = value if isinstance(value, list) else [value]
                told.append(f"{field.label}：{'、'.join(str(choices.get(str(one), one)) for one in values)}")
        return ["筛选 " + "；".join(told)] if told else []


class MatrixFilter(SaidForm):
    """Which rows of the matrix: alliances × periods of a year."""

    year = forms.TypedChoiceField(label="年度", coerce=int, required=False)
    county = forms.ChoiceField(label="县（区）", required=False)
    state = forms.ChoiceField(label="含有状态", required=False, choices=STATES)
    q = search_field("医共体名称或编号")

    def __init__(self, *args: Any, years: Sequence[int], counties: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["year"].choices = [(year, f"{year} 年") for year in years]  # type: ignore[attr-defined]
        self.fields["county"].choices = [("", "全部"), *counties]  # type: ignore[attr-defined]
        if len(counties) < 2:
            self.fields["county"].widget = forms.HiddenInput()


class ListFilter(SaidForm):
    """Which of the own assignments."""

    year = forms.TypedChoiceField(label="年度", coerce=int, required=False, empty_value=None)
    state = forms.ChoiceField(label="状态", required=False, choices=STATES)
    q = search_field("期间，如 2026 年 1–9 月")

    def __init__(self, *args: Any, years: Sequence[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["year"].choices = [("", "全部"), *((year, f"{year} 年") for year in years)]  # type: ignore[attr-defined]


class UploadForm(forms.Form):
    file = forms.FileField(
        label="填好的工作簿（xlsx）", allow_empty_file=True, widget=forms.FileInput(attrs={"accept": ".xlsx"})
    )


class AdmitForm(forms.Form):
    """A later day for one assignment."""

    until = forms.DateField(label="准予迟报至", widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))
    reason = forms.CharField(label="理由", widget=forms.Textarea(attrs={"rows": 2}))


class WaiveForm(forms.Form):
    """One check let pass for one assignment."""

    code = forms.ChoiceField(label="检查代码")
    fund_type = forms.ChoiceField(label="险种", required=False, choices=[("", "不限"), *FUND_SHEETS])
    row_code = forms.CharField(label="行次", required=False, max_length=20, help_text="如 4.p；不填为该代码的全部行")
    institution = forms.CharField(label="机构编号", required=False, max_length=20, help_text="成员表的检查才填")
    reason = forms.CharField(label="理由", widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, codes: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].choices = [("", "请选择"), *codes]  # type: ignore[attr-defined]


class ExportForm(SaidForm):
    """Any set of periods and alliances as one tidy table."""

    periods = forms.MultipleChoiceField(label="期间", required=False, widget=forms.CheckboxSelectMultiple)
    alliances = forms.MultipleChoiceField(label="医共体", required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(
        self, *args: Any, periods: Sequence[tuple[str, str]], alliances: Sequence[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["periods"].choices = list(periods)  # type: ignore[attr-defined]
        self.fields["alliances"].choices = list(alliances)  # type: ignore[attr-defined]
