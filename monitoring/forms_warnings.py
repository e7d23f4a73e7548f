"""Forms and filters of warnings, thresholds and the watch list. They only turn text into values; the services judge."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms

from core.forms import FilesField, day_field, search_field
from core.models import FundType
from monitoring.models import Basis, Level, PlaceKind, ThresholdStatus
from monitoring.models.thresholds import SpanKind
from monitoring.models.warnings import CONSEQUENCES, WATCH_STATUS
from monitoring.reading.warnings import OPEN, OTHER_CAUSES, WAITING
from monitoring.states import WarningState
from rules.indicators import INDICATORS

ALL = ("", "全部")
FUNDS = [ALL, *FundType.choices]
INDICATOR_CHOICES = [(one.key, one.label) for one in INDICATORS]


class SaidForm(forms.Form):
    """A filter that can tell in words what was chosen, for the head of an export."""

    def said(self) -> list[str]:
        if not self.is_valid():
            return []
        told = []
        for field in self.visible_fields():
            value = self.cleaned_data.get(field.name)
            if value in (None, "", False, []):
                continue
            choices = {str(key): label for key, label in getattr(field.field, "choices", [])}
            told.append(f"{field.label}：{'是' if value is True else choices.get(str(value), value)}")
        return ["筛选 " + "；".join(told)] if told else []


class WarningFilter(SaidForm):
    """Which warnings of those the user sees."""

    state = forms.ChoiceField(
        label="状态", required=False,
        choices=[ALL, (WAITING, "待我办理"), (OPEN, "未解除"), *WarningState.choices],
    )  # fmt: skip
    level = forms.ChoiceField(label="等级", required=False, choices=[ALL, *reversed(Level.choices)])
    fund_type = forms.ChoiceField(label="险种", required=False, choices=FUNDS)
    cause = forms.ChoiceField(label="指标", required=False, choices=[ALL, *OTHER_CAUSES.items(), *INDICATOR_CHOICES])
    place = forms.ChoiceField(label="地区", required=False)
    overdue = forms.BooleanField(label="已逾期", required=False)
    q = search_field("单号、事由、机构")

    def __init__(
        self, *args: Any, places: Sequence[tuple[str, str]], states: Sequence[str] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].choices = [ALL, *places]  # type: ignore[attr-defined]
        if len(places) < 2:
            self.fields["place"].widget = forms.HiddenInput()
        if states is not None:
            kept = [(key, label) for key, label in self.fields["state"].choices if key in ("", OPEN, WAITING, *states)]  # type: ignore[attr-defined]
            self.fields["state"].choices = kept  # type: ignore[attr-defined]


class ThresholdFilter(SaidForm):
    indicator = forms.ChoiceField(label="指标", required=False, choices=[ALL, *INDICATOR_CHOICES])
    kind = forms.ChoiceField(label="层级", required=False, choices=[ALL, *PlaceKind.choices])
    basis = forms.ChoiceField(label="比较方式", required=False, choices=[ALL, *Basis.choices])
    fund_type = forms.ChoiceField(label="险种", required=False, choices=FUNDS)
    status = forms.ChoiceField(label="状态", required=False, choices=[ALL, *ThresholdStatus.choices])
    q = search_field("指标、依据、说明")


class WatchFilter(SaidForm):
    status = forms.ChoiceField(label="状态", required=False, choices=[ALL, *WATCH_STATUS])
    consequence = forms.ChoiceField(label="措施", required=False, choices=[ALL, *CONSEQUENCES])
    fund_type = forms.ChoiceField(label="险种", required=False, choices=FUNDS)
    county = forms.ChoiceField(label="县（区）", required=False)
    q = search_field("机构、预警单号、内容")

    def __init__(self, *args: Any, counties: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["county"].choices = [ALL, *counties]  # type: ignore[attr-defined]
        if len(counties) < 2:
            self.fields["county"].widget = forms.HiddenInput()


def text_area(label: str, rows: int = 3, **given: Any) -> forms.CharField:
    given.setdefault("error_messages", {"required": f"没有填写{label}。"})
    return forms.CharField(label=label, max_length=4000, widget=forms.Textarea(attrs={"rows": rows}), **given)


def needed_day(label: str) -> forms.DateField:
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    return forms.DateField(
        label=label, widget=widget,
        error_messages={"required": f"没有填写{label}。", "invalid": f"{label}不是有效日期，请按 2026-10-16 填写。"},
    )  # fmt: skip


def days_field(label: str) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, required=False, min_value=1, max_value=60,
        error_messages={
            "invalid": f"{label}须是整数。", "min_value": f"{label}至少 1 个工作日。", "max_value": f"{label}至多 60 个工作日。",
        },
    )  # fmt: skip


class SendForm(forms.Form):
    days = days_field("答复期限（工作日）")


class AnswerForm(forms.Form):
    """What a hospital (or a county) answers."""

    cause = text_area("原因", 4)
    measures = text_area("措施", 4)
    target = forms.CharField(label="目标", required=False, max_length=200)
    by_date = needed_day("完成日期")
    files = FilesField()  # type: ignore[assignment]


class ReasonForm(forms.Form):
    reason = text_area("理由", 3)


class CloseForm(forms.Form):
    """A reason is needed unless the figure has recovered; the service says so."""

    reason = text_area("理由", 3, required=False, help_text="指标尚未恢复的，必须写明理由")


class DecideForm(forms.Form):
    """Return needs the reason, acceptance does not; the service says so."""

    reason = text_area("审定意见", 5, required=False, help_text="退回时必填，写明要补充什么")
    days = days_field("退回后补充期限（工作日）")


class InquireForm(forms.Form):
    reason = text_area("询问事项", 4)
    until = needed_day("复函期限")
    files = FilesField()  # type: ignore[assignment]


class TalkForm(forms.Form):
    held_on = needed_day("约谈日期")
    participants = forms.CharField(
        label="参加人员", max_length=500, error_messages={"required": "没有填写参加人员。"},
    )  # fmt: skip
    reason = text_area("约谈内容和要求", 4)
    files = FilesField()  # type: ignore[assignment]


class ExtendForm(forms.Form):
    until = needed_day("延长至")
    reason = text_area("理由", 3)


class ManualForm(forms.Form):
    """A warning raised by hand."""

    place = forms.ChoiceField(label="对象", error_messages={"required": "没有选择对象。"})
    fund_type = forms.ChoiceField(label="险种", choices=FundType.choices, error_messages={"required": "没有选择险种。"})
    level = forms.ChoiceField(label="等级", choices=Level.choices, error_messages={"required": "没有选择等级。"})
    indicator = forms.ChoiceField(label="相关指标", required=False, choices=[("", "无"), *INDICATOR_CHOICES])
    title = forms.CharField(
        label="事由", max_length=120, error_messages={"required": "没有填写事由。", "max_length": "事由超过 120 字。"},
    )  # fmt: skip
    reason = text_area("情况说明", 5)

    def __init__(self, *args: Any, places: Sequence[tuple[str, Sequence[tuple[str, str]]]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].choices = [("", "请选择"), *places]  # type: ignore[attr-defined]


class WatchForm(forms.Form):
    """A consequence proposed for an institution of a county in distress."""

    institution = forms.ChoiceField(label="机构", error_messages={"required": "没有选择机构。"})
    consequence = forms.ChoiceField(label="措施", choices=CONSEQUENCES)
    detail = forms.CharField(
        label="内容", max_length=300, widget=forms.Textarea(attrs={"rows": 2}), error_messages={"required": "没有填写内容。"},
    )  # fmt: skip
    valid_from = needed_day("自")
    valid_to = day_field("至", help_text="不填为到解除为止")

    def __init__(self, *args: Any, institutions: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["institution"].choices = [("", "请选择"), *institutions]  # type: ignore[attr-defined]


def level_field(label: str) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, required=False, max_digits=18, decimal_places=6,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        error_messages={"invalid": f"{label}级须填数字。", "max_decimal_places": f"{label}级最多 6 位小数。"},
    )  # fmt: skip


class ThresholdForm(forms.Form):
    """One threshold. Levels of ratios are typed in percent and kept as fractions."""

    indicator = forms.ChoiceField(label="指标", choices=[("", "请选择"), *INDICATOR_CHOICES], error_messages={"required": "没有选择指标。"})
    kind = forms.ChoiceField(label="适用层级", choices=PlaceKind.choices, initial=PlaceKind.ALLIANCE)
    place = forms.ChoiceField(label="适用范围", required=False)
    fund_type = forms.ChoiceField(label="险种", required=False, choices=[("", "两险种"), *FundType.choices])
    basis = forms.ChoiceField(label="比较方式", choices=Basis.choices)
    span = forms.ChoiceField(label="期间", choices=SpanKind.choices, initial=SpanKind.TO_DATE)
    above = forms.TypedChoiceField(
        label="方向", choices=[("1", "高于为异常"), ("0", "低于为异常")], coerce=lambda text: text == "1",
    )  # fmt: skip
    relative = forms.BooleanField(
        label="按比例比较", required=False, help_text="与上年同期或同类比时，以比较值的百分之几计"
    )
    yellow = level_field("黄")
    orange = level_field("橙")
    red = level_field("红")
    min_volume = forms.DecimalField(label="最小规模", required=False, min_value=0, max_digits=18, decimal_places=2)
    clause = forms.CharField(label="依据", max_length=200, error_messages={"required": "没有填写依据。"})
    valid_from = needed_day("启用日期")
    valid_to = day_field("停用日期")
    note = forms.CharField(label="说明", required=False, max_length=300, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, places: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].choices = list(places)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        factor = scale_of(found.get("indicator", ""), found.get("basis", ""), bool(found.get("relative")))
        for name in ("yellow", "orange", "red"):
            if found.get(name) is not None:
                found[name] = found[name] / factor
        found["min_volume"] = found.get("min_volume") or Decimal(0)
        return found


def scale_of(indicator: str, basis: str, relative: bool) -> int:
    """100 where a level is typed and shown in percent (ratios, points, and relative comparisons), else 1."""
    unit = next((one.unit for one in INDICATORS if one.key == indicator), "")
    if basis in (Basis.LAST_YEAR, Basis.PEERS) and relative:
        return 100
    return 100 if unit in ("ratio", "points") else 1
