"""Forms and filters of leads. They only turn text into values; the services judge."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
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
from audits.models import LeadSource, PartyKind, PlanKind, Way
from audits.reading.leads import OPEN, WAITING
from audits.states import LeadState
from core.forms import FilesField, search_field
from core.models import FundType

SOURCE_HELP = {
    LeadSource.PRICE: "写明药品（耗材）名称、医保编码、协议约定的支付限额和实际结算价，金额填超出限额的部分",
    LeadSource.NURSING: "写明涉嫌串换为医疗费用的养老费用、分解收费或者套餐式检查，以及涉及的住院时段",
    LeadSource.LISTED_DISEASE: "写明病种、备案情况和涉嫌的行为（备案不实、诱导配药、超量配药），金额填统筹支付",
    LeadSource.TIP: "举报人的姓名、电话和住址不得写在这里，只写举报的内容",
}
"""What a lead of a source must tell, beyond what every lead tells (R-119, R-120, agreed limits)."""


class LeadFilter(ListFilter):
    """Which leads of those the user sees."""

    state = forms.ChoiceField(
        label="状态", required=False, choices=[ALL, (WAITING, "待我办理"), (OPEN, "未办结"), *LeadState.choices]
    )
    source = forms.ChoiceField(label="来源", required=False, choices=[ALL, *LeadSource.choices])
    county = forms.ChoiceField(label="县（区）", required=False)
    overdue = forms.BooleanField(label="已逾期", required=False)
    mine = forms.BooleanField(label="我核查的", required=False)
    q = search_field("编号、事由、对象")

    def __init__(self, *args: Any, counties: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["county"].choices = [ALL, *counties]  # type: ignore[attr-defined]
        if len(counties) < 2:
            self.fields["county"].widget = forms.HiddenInput()


class LeadForm(forms.Form):
    """A lead entered by hand, of any source."""

    source = choice_line("来源", LeadSource.choices)
    received_on = day_line("收到日期", help_text="发现线索的日期，从次日起计算立案期限")
    county = choice_line("县（区）")
    party_kind = choice_line("对象类别", PartyKind.choices, initial=PartyKind.PROVIDER)
    institution = choice_line("机构", required=False, empty="不针对机构", help_text="对象是定点医药机构时必选")
    party_name = text_line(
        "对象名称", 80, required=False, help_text="对象是机构时可不填；参保人员不写姓名，填下面的人员摘要"
    )
    party_code = text_line("人员摘要或编码", 64, required=False, help_text="参保人员填人员摘要，医师填国家医保代码")
    fund_type = choice_line("险种", FundType.choices, required=False, empty="未确定")
    estimate = money_line("涉及金额（元）", required=False, help_text="统筹基金支付的金额，不知道时不填")
    title = text_line("事由", 120)
    detail = text_area("情况", 6, help_text="时间、内容和依据；不得写举报人的身份")
    files = FilesField()  # type: ignore[assignment]

    def __init__(self, *args: Any, counties: Sequence[Any], institutions: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["county"].choices = [("", "请选择"), *counties]  # type: ignore[attr-defined]
        self.fields["institution"].choices = [("", "不针对机构"), *institutions]  # type: ignore[attr-defined]


class ClaimLeadForm(forms.Form):
    """What is said of the claim rows that were picked."""

    source = choice_line("来源", [(LeadSource.SCREENING, "智能审核"), *((s.value, s.label) for s in (
        LeadSource.ROUTINE, LeadSource.LISTED_DISEASE, LeadSource.NURSING, LeadSource.PRICE, LeadSource.OTHER,
    ))])  # fmt: skip
    title = text_line("事由", 120)
    detail = text_area("情况", 4)


class ReasonForm(forms.Form):
    reason = text_area("理由", 3)


class OptionalReasonForm(forms.Form):
    reason = text_area("意见", 3, required=False)


class AssignForm(forms.Form):
    to = choice_line("核查人")
    reason = text_area("要求", 2, required=False)

    def __init__(self, *args: Any, people: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].choices = [("", "请选择"), *people]  # type: ignore[attr-defined]


class MergeForm(forms.Form):
    into = choice_line("并入", help_text="只列出同一对象的未办结线索和案件")
    reason = text_area("理由", 2)

    def __init__(self, *args: Any, targets: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["into"].choices = [("", "请选择"), *targets]  # type: ignore[attr-defined]


class HandForm(forms.Form):
    to = text_line("接收单位", 80)
    reason = text_area("理由", 2)


class ProposeForm(forms.Form):
    reason = text_area("核查情况和意见", 5)
    files = FilesField()  # type: ignore[assignment]


class FileForm(forms.Form):
    """The case a lead becomes: its frame and two officers with their enforcement cards."""

    kind = choice_line("稽核类型", PlanKind.choices)
    way = choice_line("稽核方式", Way.choices)
    title = text_line("案由", 120)
    claims_from = day_line("费用所属期自")
    claims_to = day_line("费用所属期至")
    leading = choice_line("主办人员")
    leading_card = text_line("主办人员执法证号", 40)
    second = choice_line("协办人员")
    second_card = text_line("协办人员执法证号", 40)
    reason = text_area("审批意见", 2, required=False)

    def __init__(self, *args: Any, people: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("leading", "second"):
            self.fields[name].choices = [("", "请选择"), *people]  # type: ignore[attr-defined]


def file_initial(title: str, kind: str, received: date) -> dict[str, Any]:
    """The year up to the day the lead came."""
    return {
        "kind": kind, "way": Way.ON_SITE, "title": title, "claims_from": date(received.year, 1, 1), "claims_to": received,
    }  # fmt: skip
