"""Forms of documents, measures, hand-overs and follow-ups. They only turn text into values; the services judge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from audits.forms_base import choice_line, day_line, text_area, text_line
from audits.models import MeasureKind, ReferralBody
from audits.services.follow_ups import RESULTS
from core.forms import FilesField

PARTY, OTHER = "party", "other"
ADDRESSEES = [(PARTY, "当事人"), (OTHER, "其他对象")]


def ids_of(name: str) -> str:
    """How the fields of the form of an act are called in the page, where many forms stand."""
    return f"{name}_%s"


class MakeForm(forms.Form):
    """Which document; the same choice is looked at beforehand or made."""

    what = choice_line("文书")

    def __init__(self, *args: Any, targets: Sequence[tuple[str, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["what"].choices = [("", "请选择"), *targets]  # type: ignore[attr-defined]


class RenewForm(forms.Form):
    """A new version of a document that was made."""

    document = choice_line("换版的文书")
    reason = text_area("换版理由", 2)

    def __init__(self, *args: Any, documents: Sequence[tuple[str, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["document"].choices = [("", "请选择"), *documents]  # type: ignore[attr-defined]


class MeasureForm(forms.Form):
    kind = choice_line("措施", MeasureKind.choices)
    to = forms.ChoiceField(label="对象", choices=ADDRESSEES, initial=PARTY)
    addressee = text_line("对象名称", 120, required=False, help_text="对象不是当事人时填写，如“青溪县医疗保障局基金监管股”")
    on = day_line("措施日期", help_text="约谈为约谈日期，其他为发文日期")
    due_on = day_line("回复（整改）期限", required=False)
    text = text_area("内容和要求", 4, help_text="写入文书正文；不得写参保人姓名")
    files = FilesField()  # type: ignore[assignment]


class SendForm(forms.Form):
    on = day_line("送达日期")


class OutcomeForm(forms.Form):
    on = day_line("结果日期")
    outcome = text_area("结果", 3)
    files = FilesField()  # type: ignore[assignment]


class ReferralForm(forms.Form):
    body = choice_line("移送机关", ReferralBody.choices)
    body_name = text_line("机关名称", 120)
    handed_on = day_line("移送日期")
    received_by = text_line("接收人", 60)
    due_on = day_line("催复日期", required=False)
    reason = text_area("移送事由", 3)
    items = text_area("移送材料", 4, help_text="每行一项")
    files = FilesField(label="交接记录", help_text="双方签字的交接记录，一份；也可以以后补登")  # type: ignore[assignment]


class RecordForm(forms.Form):
    """The signed hand-over, later."""

    files = FilesField(label="交接记录", help_text="双方签字的交接记录，一份")  # type: ignore[assignment]


class ReplyForm(forms.Form):
    replied_on = day_line("回复日期")
    reply = text_area("回复内容", 3)
    files = FilesField(label="回复文件", help_text="一份")  # type: ignore[assignment]


class FollowUpForm(forms.Form):
    due_on = day_line("期限")
    focus = text_line("重点", 300)


class ResultForm(forms.Form):
    done_on = day_line("检查日期")
    result = choice_line("结果", list(RESULTS.items()))
    text = text_area("情况", 3)
    next_due = day_line("再次回头看期限", required=False, help_text="部分整改的必填")
