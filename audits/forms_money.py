"""Forms of the money of a case, of what is proposed on its tracks, of the fine calculator and of the statistics.

They only turn text into values; the services judge them.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone

from audits.forms_base import (
    ALL,
    Boxes,
    ListFilter,
    choice_line,
    day_line,
    money_line,
    text_area,
    text_line,
)
from audits.models import PartyKind, RemedyState
from audits.models.plans import PlanKind
from audits.reading.penalties import PARTY, REPEAT
from audits.services.money import PAYMENTS, REMEDIES
from core.forms import FilesField, search_field
from core.models import FundType
from rules.penalties import ACTS, ARTICLES, FACTS, GRADES, act_of

MOST_MONTHS = 24
GRADE_CHOICES = [(grade.key, grade.label) for grade in GRADES]
FACT_CHOICES = [(fact.key, fact.label) for fact in FACTS if fact.key != REPEAT]
OUTCOMES = [choice for choice in RemedyState.choices if choice[0] != RemedyState.RUNNING]


def months_line(label: str, **given: Any) -> forms.IntegerField:
    words = {"invalid": f"{label}须填整数月。", "min_value": f"{label}至少 1 个月。", "max_value": f"{label}至多 {MOST_MONTHS} 个月。"}
    return forms.IntegerField(
        label=label, required=False, min_value=1, max_value=MOST_MONTHS, error_messages=words,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}), **given,
    )  # fmt: skip


class ReceiveForm(forms.Form):
    """A bank receipt of one fund."""

    fund_type = choice_line("险种", FundType.choices)
    amount = money_line("到账金额（元）", help_text="按费用年度先后冲抵，不超过该险种尚欠金额")
    on = day_line("到账日期")
    reference = text_line("银行回单号", 120)
    files = FilesField(label="银行回单")  # type: ignore[assignment]


class DeductForm(forms.Form):
    fund_type = choice_line("险种", FundType.choices)
    reason = text_area("扣减理由", rows=2, help_text="该险种尚欠的全部金额计入医共体下一未审定年度清算的扣减项")


class TakeBackForm(forms.Form):
    recovered = choice_line("要冲销的登记")
    reason = text_area("冲销理由", rows=2)

    def __init__(self, *args: Any, rows: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["recovered"].choices = [("", "请选择"), *rows]  # type: ignore[attr-defined]


class PayFineForm(forms.Form):
    kind = choice_line("类别", list(PAYMENTS.items()))
    amount = money_line("缴库金额（元）")
    on = day_line("缴库日期")
    reference = text_line("缴款书号", 120)
    files = FilesField(label="缴款书")  # type: ignore[assignment]


class RemedyForm(forms.Form):
    kind = choice_line("类别", list(REMEDIES.items()))
    reference = text_line("受理文号", 120)
    started_on = day_line("受理日期")
    reason = text_area("情况", rows=2)


class EndRemedyForm(forms.Form):
    remedy = choice_line("复议（诉讼）")
    state = choice_line("结果", OUTCOMES)
    ended_on = day_line("终结日期")
    reason = text_area("情况", rows=2)

    def __init__(self, *args: Any, rows: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["remedy"].choices = [("", "请选择"), *rows]  # type: ignore[attr-defined]


class AgreementForm(forms.Form):
    """What is proposed under the agreement; the amount comes from the findings."""

    text = text_area("处理意见", help_text="写明拒付（追回）以外的处理和协议条款；金额按认定事实自动计算")
    points = forms.IntegerField(
        label="协议记分", required=False, min_value=0, max_value=100, widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        error_messages={"invalid": "协议记分须填整数。", "min_value": "协议记分不能为负。", "max_value": "协议记分不超过 100。"},
    )  # fmt: skip
    correct = forms.BooleanField(label="责令改正", required=False)
    suspend_months = months_line("中止协议（月）")
    terminate = forms.BooleanField(label="解除协议", required=False)


class PenaltyForm(forms.Form):
    """A fine within the legal range; the loss and the range come from the findings."""

    grade = choice_line("裁量等次", GRADE_CHOICES)
    facts = forms.MultipleChoiceField(
        label="裁量情节", required=False, choices=FACT_CHOICES, widget=Boxes,
        help_text="重复违规由系统按同一对象已生效的案件自动认定",
    )  # fmt: skip
    fine = money_line("罚款金额（元）", help_text="不罚款的填 0")
    suspend_months = months_line("暂停相关服务（月）", help_text="仅限罚则规定的情形")
    grade_reason = text_area("裁量理由")


class FineTrialForm(forms.Form):
    """处罚幅度试算: any act, loss and day; nothing is stored."""

    act = choice_line("违法行为")
    loss = money_line("造成基金损失（元）", help_text="定额罚款的行为可填 0")
    on = day_line("行为（终了）日")
    found_on = day_line("发现日期", required=False, help_text="用于处罚时效，不填按今天")
    party = choice_line("当事人", PartyKind.choices, required=False, empty="按行为目录")
    fine = money_line("拟罚款（元）", required=False, help_text="不填只算幅度")
    facts = forms.MultipleChoiceField(
        label="情节", required=False, choices=[(fact.key, fact.label) for fact in FACTS],
        widget=Boxes,
    )  # fmt: skip
    harm = forms.BooleanField(label="危害健康或基金安全（时效五年）", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        groups: dict[str, list[tuple[str, str]]] = {}
        for act in ACTS:
            groups.setdefault(ARTICLES[act.article], []).append((act.key, act.label))
        self.fields["act"].choices = [("", "请选择"), *groups.items()]  # type: ignore[attr-defined]
        self.fields["on"].initial = timezone.localdate()

    def party_of(self) -> str:
        """A key of ``rules.penalties.PARTIES``: as chosen, else who commits such an act."""
        chosen = self.cleaned_data.get("party")
        return PARTY[PartyKind(chosen)] if chosen else act_of(self.cleaned_data["act"]).party


class StatisticsFilter(ListFilter):
    """Which decisions the statistics count."""

    year = forms.ChoiceField(label="年度", required=False)
    county = forms.ChoiceField(label="县（区）", required=False)
    kind = forms.ChoiceField(label="稽核类型", required=False, choices=[ALL, *PlanKind.choices])
    q = search_field("机构、案号")

    def __init__(self, *args: Any, years: list[int], counties: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["year"].choices = [(str(year), f"{year} 年") for year in years]  # type: ignore[attr-defined]
        self.fields["county"].choices = [ALL, *counties]  # type: ignore[attr-defined]
        if len(counties) < 2:
            self.fields["county"].widget = forms.HiddenInput()
