"""Filters of the ledger's pages and the form that closes a book."""

from __future__ import annotations

from typing import Any

from django import forms

from core.forms import PeriodFilter, day_field, search_field
from core.models import Alliance, PoolingArea
from ledger.accounts import Account, Group
from ledger.models import Book, Line


class TrialFilter(forms.Form):
    """Whose book and up to which day."""

    fund = forms.CharField(required=False, widget=forms.HiddenInput)
    area = forms.ChoiceField(label="统筹区", required=False)
    until = day_field("截至")

    def __init__(self, *args: Any, areas: list[PoolingArea], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["area"].choices = [(area.code, area.name) for area in areas]  # type: ignore[attr-defined]
        if len(areas) < 2:
            self.fields["area"].widget = forms.HiddenInput()


class AccountFilter(PeriodFilter):
    """Which lines of an account."""

    alliance = forms.ModelChoiceField(Alliance.objects.none(), label="医共体", required=False, empty_label="全部")
    year = forms.TypedChoiceField(label="打包年度", required=False, coerce=int, empty_value=None)
    field_order = ["alliance", "year", "since", "until"]

    def __init__(self, *args: Any, book: Book, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lines = Line.objects.filter(entry__book=book, account=account).order_by()
        alliances = Alliance.objects.filter(pk__in=lines.values("alliance_id"))
        self.fields["alliance"].queryset = alliances  # type: ignore[attr-defined]
        years = lines.exclude(year=None).values_list("year", flat=True).distinct().order_by("-year")
        self.fields["year"].choices = [("", "全部"), *((year, f"{year} 年度") for year in years)]  # type: ignore[attr-defined]


class EntryFilter(PeriodFilter):
    """Which vouchers of a book."""

    fund = forms.CharField(required=False, widget=forms.HiddenInput)
    area = forms.CharField(required=False, widget=forms.HiddenInput)
    q = search_field("凭证号、摘要、业务键")
    group = forms.ChoiceField(
        label="科目", required=False, choices=[("", "全部"), *((group.value, group.label) for group in Group)]
    )
    alliance = forms.ModelChoiceField(Alliance.objects.none(), label="医共体", required=False, empty_label="全部")
    field_order = ["fund", "area", "q", "group", "alliance", "since", "until"]

    def __init__(self, *args: Any, area: PoolingArea, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        alliances = Alliance.objects.filter(county__pooling_area=area)
        self.fields["alliance"].queryset = alliances  # type: ignore[attr-defined]


class ClosingForm(forms.Form):
    """Close or reopen a book; an empty date reopens it from its beginning."""

    through = day_field("结账至", help_text="反结账时填写要退回到的日期，不填为全部反结。")
    reason = forms.CharField(label="说明", max_length=200)
