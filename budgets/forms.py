"""Forms and filters of this app's pages. They read what was typed; the services decide what is allowed."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone

from budgets.models import (
    AdjustmentReason,
    BatchState,
    FigureSource,
    LineChangeKind,
    OtherPaymentKind,
    OtherPaymentState,
    ReceiptOutcome,
)
from budgets.services import Entered, PackageInputs, RoundInputs
from budgets.services.figures import YEARS_BACK
from claims.reading import PackageScope
from core.forms import search_field
from core.models import Alliance, FundType, Institution
from rules.budget import Basis
from rules.money import ZERO

TYPED_SOURCES = [
    (source.value, source.label) for source in FigureSource if source not in (FigureSource.FACTS, FigureSource.REGISTER)
]
HEAD_SOURCES = [(source.value, source.label) for source in (FigureSource.REGISTER, FigureSource.REPORT)]
BASES = [
    (Basis.LAST_YEAR_SETTLED.value, "上年度结算支付总额"),
    (Basis.THREE_YEAR_MEAN.value, "前三年结算支付平均数"),
    (Basis.COUNTY_REVENUE.value, "县域基金收入（政策不允许）"),
]


class YuanField(forms.DecimalField):
    """Yuan as people type them: thousands separators are fine, a third decimal is not."""

    widget = forms.TextInput

    def __init__(self, **given: Any) -> None:
        given.setdefault("max_digits", 17)
        given.setdefault("decimal_places", 2)
        given.setdefault("widget", forms.TextInput(attrs={"inputmode": "decimal", "class": "num"}))
        super().__init__(**given)

    def to_python(self, value: Any) -> Any:
        return super().to_python(value.replace(",", "").replace("，", "") if isinstance(value, str) else value)

    def prepare_value(self, value: Any) -> Any:
        return f"{value:,.2f}" if isinstance(value, Decimal) else value


class PercentField(forms.DecimalField):
    """A ratio typed and shown in percent: 4.2 is 0.042."""

    widget = forms.TextInput

    def __init__(self, **given: Any) -> None:
        given.setdefault("max_digits", 9)
        given.setdefault("decimal_places", 4)
        given.setdefault("widget", forms.TextInput(attrs={"inputmode": "decimal", "class": "num"}))
        super().__init__(**given)

    def to_python(self, value: Any) -> Any:
        return super().to_python(value.strip().rstrip("%％") if isinstance(value, str) else value)

    def clean(self, value: Any) -> Any:
        typed = super().clean(value)
        return typed / 100 if typed is not None else None

    def prepare_value(self, value: Any) -> Any:
        return f"{(value * 100).normalize():f}" if isinstance(value, Decimal) else value


def _day(label: str, **given: Any) -> forms.DateField:
    return forms.DateField(label=label, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}), **given)


def _text(label: str, rows: int = 3, **given: Any) -> forms.CharField:
    return forms.CharField(label=label, widget=forms.Textarea(attrs={"rows": rows}), **given)


def year_choices() -> list[tuple[int, str]]:
    this = timezone.localdate().year
    return [(year, f"{year} 年度") for year in range(this + 1, this - 5, -1)]


class YearFilter(forms.Form):
    """Packages of one year."""

    year = forms.TypedChoiceField(label="年度", coerce=int, required=False)
    fund = forms.ChoiceField(label="险种", required=False, choices=[("", "全部"), *FundType.choices])
    state = forms.ChoiceField(
        label="状态",
        required=False,
        choices=[
            ("", "全部"),
            ("none", "未起草"),
            ("draft", "起草中"),
            ("submitted", "待审定"),
            ("returned", "已退回"),
            ("approved", "已审定"),
        ],
    )
    q = search_field("医共体、县（区）")

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.fields["year"].choices = year_choices()  # type: ignore[attr-defined]


class PackageForm(forms.Form):
    """Everything an officer decides about a package; figures left blank come from the facts."""

    basis = forms.ChoiceField(label="基数口径", choices=BASES, initial=Basis.LAST_YEAR_SETTLED.value)
    volume_allowance = PercentField(
        label="服务量增幅", initial=Decimal(0), help_text="适当考虑服务数量增幅，填百分数。"
    )
    total = YuanField(label="打包总额", required=False, help_text="协商确定的总额；不填则取测算额。")
    out_of_county = YuanField(label="其中县域外（计划）", required=False, help_text="不填则按上年县域内外比例划分。")
    scope_change = YuanField(label="口径调整", required=False, help_text="上年按今年范围计会多（负数为少）多少。")
    scope_change_note = forms.CharField(label="口径调整说明", required=False, max_length=300)
    general_outpatient = forms.BooleanField(label="普通门诊", required=False, initial=True)
    chronic_outpatient = forms.BooleanField(label="门诊慢特病", required=False, initial=True)
    inpatient = forms.BooleanField(label="住院", required=False, initial=True)
    out_of_county_care = forms.BooleanField(label="县域外就医", required=False, initial=True)
    employee_maternity = forms.BooleanField(label="职工生育", required=False)
    insured = forms.IntegerField(label="参保人数", required=False, min_value=0)
    resettled = forms.IntegerField(label="其中异地安置", required=False, min_value=0)
    coverage_source = forms.ChoiceField(label="人数来源", required=False, choices=[("", "基金月报"), *HEAD_SOURCES[:1]])
    coverage_note = forms.CharField(label="人数来源说明", required=False, max_length=200)
    primary_amount = YuanField(label="上年基层医疗机构支出", required=False)
    primary_source = forms.ChoiceField(
        label="基层支出来源", required=False, choices=[("", "医保结算明细汇总"), *TYPED_SOURCES]
    )
    primary_note = forms.CharField(label="基层支出来源说明", required=False, max_length=200)
    no_negotiation_reason = _text("未协商的原因", 2, required=False, help_text="已登记协商的不必填写。")
    adjustment_reason = forms.ChoiceField(
        label="调整事由", required=False, choices=[("", "请选择"), *AdjustmentReason.choices]
    )
    reason = _text("说明", 3, required=False)
    evidence = forms.FileField(label="依据附件", required=False)

    SCOPE = ("general_outpatient", "chronic_outpatient", "inpatient", "out_of_county_care", "employee_maternity")
    COVERAGE = ("insured", "resettled", "coverage_source", "coverage_note")
    PRIMARY = ("primary_amount", "primary_source", "primary_note")
    ADJUSTMENT = ("adjustment_reason", "reason", "evidence")

    def __init__(self, *args: Any, year: int, fund_type: str, adjusting: bool = False, **given: Any) -> None:
        super().__init__(*args, **given)
        self.years = list(range(year - 1, year - 1 - YEARS_BACK, -1))
        for name in ("adjustment_reason", "reason"):
            self.fields[name].required = adjusting
        if fund_type != FundType.EMPLOYEE:
            del self.fields["employee_maternity"]
        for earlier in self.years:
            self.fields[f"inside_{earlier}"] = YuanField(label=f"{earlier} 年医共体内", required=False)
            self.fields[f"outside_{earlier}"] = YuanField(label=f"{earlier} 年县域外", required=False)
            self.fields[f"source_{earlier}"] = forms.ChoiceField(
                label=f"{earlier} 年来源", required=False, choices=[("", "医保结算明细汇总"), *TYPED_SOURCES]
            )
            self.fields[f"note_{earlier}"] = forms.CharField(
                label=f"{earlier} 年来源说明", required=False, max_length=200
            )

    def year_rows(self) -> list[dict[str, Any]]:
        names = ("inside", "outside", "source", "note")
        return [{"year": year, **{name: self[f"{name}_{year}"] for name in names}} for year in self.years]

    def group(self, names: Iterable[str]) -> list[Any]:
        return [self[name] for name in names if name in self.fields]

    @property
    def scope_fields(self) -> list[Any]:
        return self.group(self.SCOPE)

    @property
    def coverage_fields(self) -> list[Any]:
        return self.group(self.COVERAGE)

    @property
    def primary_fields(self) -> list[Any]:
        return self.group(self.PRIMARY)

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        for year in self.years:
            inside, outside = found.get(f"inside_{year}"), found.get(f"outside_{year}")
            if (inside is None) != (outside is None) and not self.errors.get(f"inside_{year}"):
                blank = f"inside_{year}" if inside is None else f"outside_{year}"
                self.add_error(blank, "两项须同时填写，没有的填 0。")
            elif inside is not None and not found.get(f"source_{year}"):
                self.add_error(f"source_{year}", "手工填写的请选择来源。")
        return found

    def inputs(self) -> PackageInputs:
        """What was typed, as the service takes it. Call after ``is_valid``."""
        typed = self.cleaned_data
        years = {
            year: Entered(
                typed[f"inside_{year}"], typed[f"outside_{year}"], typed[f"source_{year}"], typed[f"note_{year}"]
            )
            for year in self.years
            if typed.get(f"inside_{year}") is not None
        }
        scope = {name: bool(typed.get(name)) for name in self.SCOPE}
        scope["out_of_county"] = scope.pop("out_of_county_care")
        kept = (
            "basis", "volume_allowance", "total", "out_of_county", "scope_change_note", "insured", "resettled",
            "coverage_source", "coverage_note", "primary_amount", "primary_source", "primary_note",
            "no_negotiation_reason", "adjustment_reason", "reason",
        )  # fmt: skip
        return PackageInputs(
            scope=PackageScope(**scope),
            scope_change=typed["scope_change"] or ZERO,
            years=years,
            **{name: typed[name] for name in kept},
        )

    @classmethod
    def initial_of(cls, given: PackageInputs) -> dict[str, Any]:
        """The initial values that show these inputs again."""
        scope = given.scope.as_json()
        scope["out_of_county_care"] = scope.pop("out_of_county")
        initial: dict[str, Any] = {
            name: getattr(given, name) for name in cls.base_fields if hasattr(given, name) and name != "evidence"
        }
        initial |= scope
        initial["scope_change"] = given.scope_change or None
        for year, entered in given.years.items():
            initial |= {
                f"inside_{year}": entered.in_alliance,
                f"outside_{year}": entered.out_of_county,
                f"source_{year}": entered.source,
                f"note_{year}": entered.note,
            }
        return initial


class RoundForm(forms.Form):
    """One sitting of the negotiation."""

    held_on = _day("协商日期")
    bureau_participants = forms.CharField(label="医保部门参加人", max_length=300)
    alliance_participants = forms.CharField(label="医共体参加人", max_length=300)
    bureau_position = YuanField(label="医保部门意见", required=False)
    alliance_position = YuanField(label="医共体意见", required=False)
    minutes = _text("协商纪要")
    outcome = forms.CharField(label="结论", max_length=200)
    file = forms.FileField(label="签字纪要", required=False)

    def inputs(self) -> RoundInputs:
        return RoundInputs(**{name: value for name, value in self.cleaned_data.items() if name != "file"})


class ApprovalForm(forms.Form):
    """The reviewer's decision."""

    decided_on = _day("审定日期")
    note = forms.CharField(label="审定意见", required=False, max_length=300)


class AllocationForm(forms.Form):
    """Typed parts of the members."""

    note = _text("说明", 2, required=False)

    def __init__(self, *args: Any, members: list[Institution], **given: Any) -> None:
        super().__init__(*args, **given)
        self.members = members
        for member in members:
            self.fields[f"amount_{member.pk}"] = YuanField(label=member.name)

    def amounts(self) -> dict[int, Decimal]:
        return {member.pk: self.cleaned_data[f"amount_{member.pk}"] for member in self.members}


class GrowthForm(forms.Form):
    """The growth of the revenue budget with its evidence."""

    year = forms.TypedChoiceField(label="年度", coerce=int)
    fund_type = forms.ChoiceField(label="险种", choices=FundType.choices)
    growth = PercentField(label="收入预算增幅", help_text="填百分数，如 4.2。")
    previous_income = YuanField(label="上年收入预算（同口径）", required=False)
    budgeted_income = YuanField(label="本年收入预算（同口径）", required=False)
    like_for_like = _text("同口径说明", 2, help_text="口径无变化的请写明“口径无变化”。")
    document_title = forms.CharField(label="依据文件", max_length=200)
    evidence = forms.FileField(label="依据附件")

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.fields["year"].choices = year_choices()  # type: ignore[attr-defined]


class PlanForm(forms.Form):
    """The alliance's own distribution plan."""

    alliance = forms.ModelChoiceField(Alliance.objects.none(), label="医共体", empty_label=None)
    year = forms.TypedChoiceField(label="年度", coerce=int)
    title = forms.CharField(label="办法名称", max_length=200)
    effective_on = _day("施行日期")
    summary = _text("要点", 3, required=False)
    file = forms.FileField(label="办法全文")

    def __init__(self, *args: Any, alliances: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.fields["alliance"].queryset = alliances  # type: ignore[attr-defined]
        self.fields["year"].choices = year_choices()  # type: ignore[attr-defined]


class BatchFilter(forms.Form):
    """Prepayments of one year."""

    year = forms.TypedChoiceField(label="年度", coerce=int, required=False)
    fund = forms.ChoiceField(label="险种", required=False, choices=[("", "全部"), *FundType.choices])
    q = search_field("医共体、县（区）")

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.fields["year"].choices = year_choices()  # type: ignore[attr-defined]


class BatchStateFilter(forms.Form):
    """Batches of the same year in one state; keeps what the list above is filtered by."""

    year = forms.CharField(required=False, widget=forms.HiddenInput(attrs={"id": "id_batch_year"}))
    fund = forms.CharField(required=False, widget=forms.HiddenInput(attrs={"id": "id_batch_fund"}))
    q = forms.CharField(required=False, widget=forms.HiddenInput(attrs={"id": "id_batch_q"}))
    state = forms.ChoiceField(label="批次状态", required=False, choices=[("", "全部"), *BatchState.choices])


class ProposeForm(forms.Form):
    """Which month to propose."""

    month = forms.RegexField(
        r"^\d{4}-(0[1-9]|1[0-2])$",
        label="月份",
        widget=forms.TextInput(attrs={"type": "month"}),
        error_messages={"invalid": "请按“2026-09”填写月份。"},
    )


class ChangeForm(forms.Form):
    """Hold, reduce or release a line."""

    kind = forms.ChoiceField(label="办理", choices=LineChangeKind.choices)
    amount = YuanField(label="金额", required=False, help_text="全部暂缓不必填写。")
    reason = _text("原因", 2)


class ReceiptForm(forms.Form):
    """What the bank did with a line."""

    outcome = forms.ChoiceField(label="结果", choices=ReceiptOutcome.choices)
    on = _day("银行日期")
    reference = forms.CharField(label="银行回单号", max_length=60)
    amount = YuanField(label="到账金额", help_text="退票填 0。")
    reason = forms.CharField(label="部分或退票原因", required=False, max_length=300)


class RatioForm(forms.Form):
    """Next year's monthly ratio of an alliance after its assessment."""

    alliance = forms.ModelChoiceField(Alliance.objects.none(), label="医共体", empty_label="请选择")
    year = forms.TypedChoiceField(label="年度", coerce=int)
    monthly_ratio = PercentField(label="每月预付比例", help_text="填百分数，不超过方案规定的每月比例。")
    reason = forms.CharField(label="依据（考核等级与文件）", max_length=300)

    def __init__(self, *args: Any, alliances: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.fields["alliance"].queryset = alliances  # type: ignore[attr-defined]
        self.fields["year"].choices = year_choices()  # type: ignore[attr-defined]


class AccountForm(forms.Form):
    """The bank account of a lead hospital."""

    alliance = forms.ModelChoiceField(Alliance.objects.none(), label="医共体", empty_label="请选择")
    account_name = forms.CharField(label="户名", max_length=80, help_text="须与牵头医院名称一致。")
    bank = forms.CharField(label="开户行", max_length=80)
    account_number = forms.CharField(
        label="账号", max_length=40, widget=forms.TextInput(attrs={"inputmode": "numeric"})
    )
    valid_from = _day("启用日期")
    evidence = forms.FileField(label="开户证明", required=False)

    def __init__(self, *args: Any, alliances: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.fields["alliance"].queryset = alliances  # type: ignore[attr-defined]


class PaymentFilter(forms.Form):
    """Other payments of a year."""

    year = forms.TypedChoiceField(label="年度", coerce=int, required=False, empty_value=None)
    fund = forms.ChoiceField(label="险种", required=False, choices=[("", "全部"), *FundType.choices])
    state = forms.ChoiceField(label="状态", required=False, choices=[("", "全部"), *OtherPaymentState.choices])
    q = search_field("医共体、用途、回单号")

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.fields["year"].choices = [("", "全部"), *year_choices()]  # type: ignore[attr-defined]


class PaymentForm(forms.Form):
    """Another payment for a package's year."""

    alliance = forms.ModelChoiceField(Alliance.objects.none(), label="医共体", empty_label="请选择")
    year = forms.TypedChoiceField(label="年度", coerce=int)
    fund_type = forms.ChoiceField(label="险种", choices=FundType.choices)
    kind = forms.ChoiceField(label="种类", choices=OtherPaymentKind.choices)
    amount = YuanField(label="金额")
    purpose = forms.CharField(label="用途", max_length=200)
    evidence = forms.FileField(label="依据附件", required=False)

    def __init__(self, *args: Any, alliances: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.fields["alliance"].queryset = alliances  # type: ignore[attr-defined]
        self.fields["year"].choices = year_choices()  # type: ignore[attr-defined]


class PaymentReceiptForm(forms.Form):
    """The bank's receipt of another payment."""

    on = _day("银行日期")
    reference = forms.CharField(label="银行回单号", max_length=60)
    amount = YuanField(label="到账金额")
