"""Forms and filters of audit plans. They only turn text into values; the services judge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from audits.forms_base import (
    ALL,
    ListFilter,
    choice_line,
    day_line,
    money_line,
    text_area,
    text_line,
)
from audits.models import PlanKind, PlanState, TargetState, Way
from audits.reading.risk_lists import RiskList
from core.forms import search_field
from core.models import FundType, InstitutionKind

RESULTS = [(one.value, one.label) for one in (TargetState.CHECKED, TargetState.LEAD, TargetState.SKIPPED)]
REASONS = [("cases", "近三年有已处理案件"), ("warnings", "有未解除预警"), ("points", "本年有协议记分"), ("overdue", "三年内未检查")]


class PlanFilter(ListFilter):
    state = forms.ChoiceField(label="状态", required=False, choices=[ALL, *PlanState.choices])
    kind = forms.ChoiceField(label="类型", required=False, choices=[ALL, *PlanKind.choices])
    way = forms.ChoiceField(label="方式", required=False, choices=[ALL, *Way.choices])
    year = forms.IntegerField(label="年度", required=False, min_value=2000, max_value=2100)
    county = forms.ChoiceField(label="县（区）", required=False)
    q = search_field("编号、名称、机构")

    def __init__(self, *args: Any, counties: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["county"].choices = [ALL, *counties]  # type: ignore[attr-defined]
        if len(counties) < 2:
            self.fields["county"].widget = forms.HiddenInput()


class PlanForm(forms.Form):
    """What a plan says; ``place`` only when it is made."""

    place = choice_line("范围")
    year = forms.IntegerField(
        label="年度", min_value=2000, max_value=2100,
        error_messages={
            "required": "没有填写年度。", "invalid": "年度须是四位数字。", "min_value": "年度早于 2000 年。",
            "max_value": "年度晚于 2100 年。",
        },
    )  # fmt: skip
    kind = choice_line("类型", PlanKind.choices)
    way = choice_line("方式", Way.choices)
    title = text_line("名称", 120)
    basis = text_line("依据", 300, help_text="文件名称和文号，或者举报、移交的来函")
    starts_on = day_line("开始日期")
    ends_on = day_line("结束日期")
    focus = text_area("检查重点", 5, help_text="收费和支付范围、协议履行、待遇享受、涉嫌欺诈等")

    def __init__(self, *args: Any, places: Sequence[tuple[str, str]] | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if places is None:
            del self.fields["place"]
        else:
            self.fields["place"].choices = [("", "请选择"), *places]  # type: ignore[attr-defined]


class TargetFilter(ListFilter):
    reason = forms.ChoiceField(label="理由", required=False, choices=[ALL, *REASONS])
    kind = forms.ChoiceField(label="机构类别", required=False, choices=[ALL, *InstitutionKind.choices])
    q = search_field("机构名称、编码")


class FilingForm(forms.Form):
    filing_number = text_line("涉企检查备案号", 60)
    filed_on = day_line("备案日期")


class RisksForm(forms.Form):
    """The checklist of one provider, by list with its clause."""

    risks = forms.MultipleChoiceField(
        label="检查项目", widget=forms.CheckboxSelectMultiple, error_messages={"required": "没有选择检查项目。"}
    )

    def __init__(self, *args: Any, lists: Sequence[RiskList], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        options = [(f"{one.label}（{one.clause}）", [(risk.key, risk.text) for risk in one.risks]) for one in lists]
        self.fields["risks"].choices = options  # type: ignore[attr-defined]


class ResultForm(forms.Form):
    """What came of a check; the lead's own fields only where a lead is made."""

    result = choice_line("结果", RESULTS)
    checked_on = day_line("检查日期", required=False, help_text="未检查的不填")
    note = text_area("说明", 2, required=False, help_text="未检查的必填原因")
    title = text_line("线索事由", 120, required=False, help_text="以下在转为线索时填写")
    detail = text_area("线索情况", 4, required=False)
    estimate = money_line("涉及金额（元）", required=False)
    fund_type = choice_line("险种", FundType.choices, empty="未确定", required=False)


class ReasonForm(forms.Form):
    reason = text_area("理由", 2)


class RemarkForm(forms.Form):
    reason = text_area("审批意见", 2, required=False)
