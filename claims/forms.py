"""Forms and filters of the claims pages. They read what was typed; what is allowed is decided by the services."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from claims.models import (
    REPORT_FIELDS,
    CareLocation,
    FactFundType,
    FundMonthlyReport,
    ImportState,
    MutualAidReading,
    VisitType,
)
from core.forms import search_field
from core.models import County, FundType, PoolingArea
from rules.errors import RuleError
from rules.periods import Month


class MonthField(forms.CharField):
    """A month as ``2026-09``; cleans to :class:`rules.periods.Month`."""

    widget = forms.TextInput(attrs={"type": "month", "placeholder": "2026-09"})

    def clean(self, value: Any) -> Month | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            return Month.parse(text)
        except RuleError as error:
            raise forms.ValidationError("请按“2026-09”填写月份。") from error


class CountyForm(forms.Form):
    """A form about one of the counties a person works for."""

    county = forms.ModelChoiceField(County.objects.none(), label="参保县（区）", to_field_name="code", empty_label="请选择")

    def __init__(self, *args: Any, counties: Sequence[County], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["county"]
        field.queryset = County.objects.filter(pk__in=[county.pk for county in counties])  # type: ignore[attr-defined]
        if len(counties) == 1:
            field.initial = counties[0].code


class UploadForm(CountyForm):
    """An extract with what it is declared to be."""

    period_from = MonthField(label="申报期间起月")
    period_to = MonthField(label="申报期间止月")
    file = forms.FileField(label="明细文件", allow_empty_file=True)


class TableUploadForm(CountyForm):
    """A filled workbook of one county."""

    file = forms.FileField(label="工作簿（xlsx）", allow_empty_file=True)


class CountyFilter(forms.Form):
    """Lists that may be narrowed to one county."""

    county = forms.ChoiceField(label="县（区）", required=False)

    def __init__(self, *args: Any, counties: Sequence[County], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "全部"), *((county.code, county.name) for county in counties)]
        self.fields["county"].choices = choices  # type: ignore[attr-defined]

    def said(self) -> list[str]:
        """The chosen filters in words, for the head of an export."""
        if not self.is_valid():
            return []
        chosen = []
        for field in self.visible_fields():
            value = self.cleaned_data.get(field.name)
            if value not in (None, ""):
                labels = dict(getattr(field.field, "choices", []))
                chosen.append(f"{field.label}：{labels.get(value, value)}")
        return ["筛选 " + "；".join(chosen)] if chosen else []


class ImportFilter(CountyFilter):
    q = search_field("文件名、导入号、上传人")
    state = forms.ChoiceField(label="状态", required=False, choices=[("", "全部"), *ImportState.choices])
    month = MonthField(label="包含月份", required=False)
    field_order = ["q", "county", "state", "month"]


class TableFilter(CountyFilter):
    """Workbooks taken in; older versions only when asked for."""

    q = search_field("文件名")
    month = MonthField(label="月份", required=False)
    versions = forms.BooleanField(label="含旧版本", required=False)
    field_order = ["q", "county", "month", "versions"]


class YearFilter(CountyFilter):
    """A year of coverage."""

    year = forms.TypedChoiceField(label="年度", required=False, coerce=int, empty_value=None)
    field_order = ["county", "year"]

    def __init__(self, *args: Any, years: Sequence[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["year"].choices = [(year, f"{year} 年") for year in years]  # type: ignore[attr-defined]


class FactFilter(forms.Form):
    """Which institutions of a month."""

    q = search_field("机构名称或编号")
    fund_type = forms.ChoiceField(label="险种", required=False, choices=[("", "全部"), *FactFundType.choices])
    care_location = forms.ChoiceField(label="就医地", required=False, choices=[("", "全部"), *CareLocation.choices])
    visit_type = forms.ChoiceField(label="医疗类别", required=False, choices=[("", "全部"), *VisitType.choices])


class ReportFilter(YearFilter):
    fund_type = forms.ChoiceField(label="险种", required=False, choices=[("", "全部"), *FundType.choices])
    field_order = ["county", "fund_type", "year"]


class ReportForm(CountyForm):
    """基金月报 by hand. Values stay texts here; the service reads and judges them."""

    fund_type = forms.ChoiceField(label="险种", choices=FundType.choices)
    month = MonthField(label="月份")
    note = forms.CharField(label="说明", required=False, max_length=300)
    field_order = ["county", "fund_type", "month"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        note = self.fields.pop("note")
        for field in REPORT_FIELDS:
            unit = "人" if field.kind == "persons" else "元"
            self.fields[field.name] = forms.CharField(
                label=f"{field.label}（{unit}）",
                required=False,
                widget=forms.TextInput(attrs={"class": "num", "inputmode": "decimal", "autocomplete": "off"}),
            )
        self.fields["note"] = note

    @staticmethod
    def initial_of(report: FundMonthlyReport) -> dict[str, Any]:
        """What the form shows of a report held."""
        shown: dict[str, Any] = {
            "county": report.county.code,
            "fund_type": report.fund_type,
            "month": str(report.period),
            "note": report.note,
        }
        for field in REPORT_FIELDS:
            value = getattr(report, field.name)
            shown[field.name] = "" if value is None else str(value)
        return shown

    def groups(self) -> list[tuple[str, list[Any]]]:
        """The value fields under their headings."""
        found: dict[str, list[Any]] = {}
        for field in REPORT_FIELDS:
            found.setdefault(field.group, []).append(self[field.name])
        return list(found.items())

    def typed(self) -> dict[str, str]:
        return {field.name: self.data.get(field.name, "") for field in REPORT_FIELDS}


class MappingForm(forms.Form):
    """One line of a mapping table."""

    code = forms.CharField(label="代码或名称", max_length=40)
    target = forms.ChoiceField(label="归入")
    note = forms.CharField(label="说明", required=False, max_length=120)

    def __init__(self, *args: Any, choices: Sequence[tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["target"].choices = choices  # type: ignore[attr-defined]


class AreaSettingsForm(forms.Form):
    mutual_aid = forms.ChoiceField(
        label="个人账户共济支出",
        required=False,
        choices=MutualAidReading.choices,
        help_text="与个人账户支出的关系；不定的逐份文件试算，结果写在导入页。",
    )
    settles_by_groups = forms.BooleanField(label="DRG/DIP 住院必须有组编码（否则按 C17 退回）", required=False)


class AreaFilter(forms.Form):
    area = forms.ChoiceField(label="统筹区", required=False)

    def __init__(self, *args: Any, areas: Sequence[PoolingArea], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["area"].choices = [(area.code, area.name) for area in areas]  # type: ignore[attr-defined]
