"""Forms and filters of cases. They only turn text into values; the services judge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from audits.forms_base import ALL, ListFilter, choice_line, day_line, text_area, text_line
from audits.models import LeadSource, PlanKind
from audits.reading.cases import OPEN, SUSPENDED, WAITING
from audits.services.tracks import WAYS
from audits.states import CaseState, TrackKind, TrackState
from core.forms import FilesField, search_field

OFFICERS = ("leading", "second", "third", "fourth")
OFFICER_LABELS = {"leading": "主办人员", "second": "协办人员", "third": "协办人员（第三人）", "fourth": "协办人员（第四人）"}


def track_choices() -> list[tuple[str, str]]:
    """Either way in any state, then in each."""
    found = [ALL]
    for kind in TrackKind:
        found.append((kind.value, f"有{kind.label}"))
        found += [(f"{kind.value}-{state.value}", f"{kind.label}：{state.label}") for state in TrackState]
    return found


class CaseFilter(ListFilter):
    """Which cases of those the user sees; a party has fewer ways to ask."""

    state = forms.ChoiceField(
        label="状态", required=False,
        choices=[ALL, (WAITING, "待我办理"), (OPEN, "未办结"), (SUSPENDED, "中止"), *CaseState.choices],
    )  # fmt: skip
    track = forms.ChoiceField(label="程序", required=False, choices=track_choices())
    kind = forms.ChoiceField(label="稽核类型", required=False, choices=[ALL, *PlanKind.choices])
    source = forms.ChoiceField(label="来源", required=False, choices=[ALL, *LeadSource.choices])
    county = forms.ChoiceField(label="县（区）", required=False)
    overdue = forms.BooleanField(label="已逾期", required=False)
    mine = forms.BooleanField(label="我承办的", required=False)
    q = search_field("案号、案由、对象")

    def __init__(self, *args: Any, counties: Sequence[tuple[str, str]], inside: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["county"].choices = [ALL, *counties]  # type: ignore[attr-defined]
        if len(counties) < 2:
            self.fields["county"].widget = forms.HiddenInput()
        if not inside:
            for name in ("source", "mine", "track", "county"):
                del self.fields[name]
            states = [ALL, (WAITING, "待我单位办理"), (OPEN, "未办结"), (CaseState.CLOSED.value, CaseState.CLOSED.label)]
            self.fields["state"].choices = states  # type: ignore[attr-defined]


class PlaceForm(forms.Form):
    reason = text_line("公开的地方", 200, help_text="网址或公告栏，如“县政府网站 行政处罚公示”")


class OfficersForm(forms.Form):
    """Who investigates from today on, the first of them leading."""

    def __init__(self, *args: Any, people: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for number, name in enumerate(OFFICERS):
            label, needed = OFFICER_LABELS[name], number < 2
            self.fields[name] = choice_line(label, people, "请选择" if needed else "不设", required=needed)
            self.fields[f"{name}_card"] = text_line(f"{label}执法证号", 40, required=needed)
        self.fields["reason"] = text_area("理由", 2)


class PassFirstForm(forms.Form):
    """``kinds``: the ways the case goes on."""

    agreement = forms.BooleanField(label="启动协议处理（拒付、追回、协议措施）", required=False)
    penalty = forms.BooleanField(label="启动行政处罚（罚款）", required=False)
    reason = text_area("初审意见", 2, required=False)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        given["kinds"] = [kind.value for kind in TrackKind if given.get(kind.value)]
        return given


class ExtendForm(forms.Form):
    limit = choice_line("期限")
    until = day_line("延长至")
    reason = text_area("理由", 2)
    files = FilesField(label="集体讨论记录", help_text="只有办案期限再次延长时需要，一份")  # type: ignore[assignment]

    def __init__(self, *args: Any, limits: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["limit"].choices = [("", "请选择"), *limits]  # type: ignore[attr-defined]


class ServiceForm(forms.Form):
    """The day and the way something was served."""

    on = day_line("送达日期")
    way = choice_line("送达方式", [(way, way) for way in WAYS])
    files = FilesField(label="送达凭证（可多选）")  # type: ignore[assignment]


class ExpertForm(forms.Form):
    expert = text_line("专家（机构）", 120)
    until = day_line("约定日期", help_text="到登记结果为止的期间不计入办案期限")
    reason = text_area("鉴定事项", 2)


class ResultForm(forms.Form):
    reason = text_area("结果", 2)
