"""Forms and filters of the settlement's pages. They only turn text into values; the services judge them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms

from core.forms import day_field, search_field
from core.models import Alliance, FundType
from rules.errors import RuleError
from rules.periods import Month
from rules.scheme import load_scheme, scheme_names
from settlement.models import RecoveryMethod
from settlement.states import VersionState

YUAN = {"max_digits": 17, "decimal_places": 2}
FUNDS = [("", "全部"), *FundType.choices]
NOT_DRAFTED = "none"


def money_field(label: str, **given: Any) -> forms.DecimalField:
    """Yuan with at most two decimals; thousands separators are allowed."""
    return YuanField(label=label, **{**YUAN, **given})


class YuanField(forms.DecimalField):
    """As DecimalField, reading 300,000,000.00 and full-width commas too."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "class": "num", "autocomplete": "off"})

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            value = value.replace(",", "").replace("，", "").replace(" ", "")
        return super().to_python(value)

    def widget_attrs(self, widget: Any) -> dict[str, Any]:
        return {}


class SettlementFilter(forms.Form):
    """Which rows of the yearly list."""

    year = forms.TypedChoiceField(label="年度", coerce=int, required=False)
    county = forms.ChoiceField(label="县（区）", required=False)
    fund = forms.ChoiceField(label="险种", required=False, choices=FUNDS)
    state = forms.ChoiceField(
        label="状态", required=False, choices=[("", "全部"), (NOT_DRAFTED, "未起草"), *VersionState.choices]
    )
    q = search_field("医共体名称、单号")

    def __init__(self, *args: Any, years: list[int], counties: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["year"].choices = [(year, f"{year} 年度") for year in years]  # type: ignore[attr-defined]
        self.fields["county"].choices = [("", "全部"), *counties]  # type: ignore[attr-defined]
        if len(counties) < 2:
            self.fields["county"].widget = forms.HiddenInput()

    def said(self) -> list[str]:
        """The chosen filters in words, for the head of an export."""
        if not self.is_valid():
            return []
        told = []
        for field in self.visible_fields():
            value = self.cleaned_data.get(field.name)
            if value not in (None, ""):
                choices = dict(getattr(field.field, "choices", []))
                told.append(f"{field.label}：{choices.get(value, value)}")
        return ["筛选 " + "；".join(told)] if told else []


class CalculatorForm(forms.Form):
    """试算: any scheme, package and charged amount; the rest is optional."""

    scheme = forms.ChoiceField(label="方案")
    package = money_field("打包总额 B", min_value=Decimal("0.01"), help_text="调整后打包总额，单位元")
    charged = money_field("全年发生 S", min_value=0, help_text="县域内加县域外的基金应付额，单位元")
    reasonable = money_field("其中合理超支", min_value=0, required=False, help_text="不填为超支全部合理；其余由医共体承担")
    score = forms.DecimalField(
        label="考核得分",
        required=False,
        max_digits=5,
        decimal_places=2,
        help_text="只影响留用结余；不填按系数 1",
        widget=forms.TextInput(attrs={"inputmode": "decimal", "class": "num", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scheme"].choices = [(name, load_scheme(name).title) for name in scheme_names()]  # type: ignore[attr-defined]


class AnalysisForm(forms.Form):
    """原因分析与责任认定."""

    causes = forms.CharField(label="原因分析", widget=forms.Textarea(attrs={"rows": 4}))
    responsibility = forms.CharField(label="责任认定", widget=forms.Textarea(attrs={"rows": 3}))
    reasonable_part = money_field("认定的合理部分")


class YearAnalysisForm(AnalysisForm):
    """The same for people who do not see the draft: they name alliance, year and fund type."""

    alliance = forms.ModelChoiceField(Alliance.objects.none(), label="医共体", empty_label=None)
    year = forms.IntegerField(label="年度", min_value=2000, max_value=2999)
    fund_type = forms.ChoiceField(label="险种", choices=FundType.choices)
    field_order = ["alliance", "year", "fund_type", "causes", "responsibility", "reasonable_part"]

    def __init__(self, *args: Any, alliances: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["alliance"].queryset = alliances  # type: ignore[attr-defined]


class ScoreForm(forms.Form):
    """An assessment score with its document."""

    alliance = forms.ModelChoiceField(Alliance.objects.none(), label="医共体", empty_label=None)
    year = forms.IntegerField(label="年度", min_value=2000, max_value=2999)
    score = forms.CharField(label="得分", max_length=8, widget=forms.TextInput(attrs={"inputmode": "decimal"}))
    source = forms.CharField(label="考核结果文件", max_length=200, help_text="文号和标题")
    document = forms.FileField(label="文件", required=False)

    def __init__(self, *args: Any, alliances: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["alliance"].queryset = alliances  # type: ignore[attr-defined]


class DeductionForm(forms.Form):
    """A deduction agreed with the finance bureau."""

    alliance = forms.ModelChoiceField(Alliance.objects.none(), label="医共体", empty_label=None)
    year = forms.IntegerField(label="计入的清算年度", min_value=2000, max_value=2999)
    fund_type = forms.ChoiceField(label="险种", choices=FundType.choices)
    amount = money_field("金额")
    origin_year = forms.IntegerField(label="所属年度", min_value=2000, max_value=2999)
    source = forms.CharField(label="依据", max_length=120, help_text="与财政部门商定的文号或会议纪要")
    reason = forms.CharField(label="事由", widget=forms.Textarea(attrs={"rows": 2}))
    document = forms.FileField(label="依据文件", required=False)

    def __init__(self, *args: Any, alliances: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["alliance"].queryset = alliances  # type: ignore[attr-defined]


class MonthField(forms.CharField):
    """A month of the browser's picker (2026-03) as ``rules.periods.Month``."""

    widget = forms.TextInput(attrs={"type": "month", "placeholder": "2026-03"})

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            return Month.parse(text)
        except RuleError as error:
            raise forms.ValidationError(error.problems[0].text) from error


class RecoveryForm(forms.Form):
    """How an alliance gives money back: so many monthly instalments, or offsets against later prepayments."""

    method = forms.ChoiceField(label="方式", choices=RecoveryMethod.choices)
    start = MonthField(label="起始月份")
    count = forms.IntegerField(label="期数", min_value=1, max_value=12, initial=1)
    note = forms.CharField(label="说明", required=False, widget=forms.Textarea(attrs={"rows": 2}))


class ReceiptForm(forms.Form):
    """A bank receipt."""

    on = day_field("回单日期")
    bank_reference = forms.CharField(label="银行回单号", max_length=60, required=False)
    receipt = forms.FileField(label="回单文件", required=False)
