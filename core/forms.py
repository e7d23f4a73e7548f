"""Fields every app's forms may use, and the filters of core's lists."""

from __future__ import annotations

from typing import Any

from django import forms

from core.models.jobs import JobState

MOST_FILES = 10


def day_field(label: str, **given: Any) -> forms.DateField:
    """An optional date with the browser's own picker."""
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    return forms.DateField(label=label, required=False, widget=widget, **given)


def search_field(placeholder: str) -> forms.CharField:
    return forms.CharField(
        label="查找", required=False, widget=forms.TextInput(attrs={"type": "search", "placeholder": placeholder})
    )


class ManyFiles(forms.FileInput):
    allow_multiple_selected = True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Any]:
        return list(files.getlist(name)) if hasattr(files, "getlist") else []


class FilesField(forms.FileField):
    """Any number of attachments up to ``MOST_FILES``; kind, size and content are judged when they are stored."""

    widget = ManyFiles

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", "附件（可多选）")
        kwargs.setdefault("help_text", f"PDF、Word、Excel、图片等，每份不超过 50 MB，最多 {MOST_FILES} 份")
        super().__init__(required=False, allow_empty_file=True, max_length=200, **kwargs)

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        given = [one for one in (data if isinstance(data, list | tuple) else [data]) if one]
        if len(given) > MOST_FILES:
            raise forms.ValidationError(f"附件有 {len(given)} 份，最多 {MOST_FILES} 份，请合并或压缩后上传。")
        return [super(FilesField, self).clean(one, initial) for one in given]


class PeriodFilter(forms.Form):
    """A period of days that must not run backwards."""

    since = day_field("自")
    until = day_field("至")

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        since, until = found.get("since"), found.get("until")
        if since and until and until < since:
            self.add_error("until", "结束日期早于开始日期。")
        return found

    def said(self) -> list[str]:
        """The chosen filters in words, for the head of an export."""
        if not self.is_valid():
            return []
        chosen = [
            f"{field.label}：{self.cleaned_data[field.name]}"
            for field in self.visible_fields()
            if self.cleaned_data.get(field.name) not in (None, "")
        ]
        return ["筛选 " + "；".join(chosen)] if chosen else []


class JobFilter(PeriodFilter):
    q = search_field("任务、期间")
    state = forms.ChoiceField(label="状态", required=False, choices=[("", "全部"), *JobState.choices])
    field_order = ["q", "state", "since", "until"]


class TrailFilter(PeriodFilter):
    q = search_field("摘要、操作人")
    action = forms.ChoiceField(label="动作", required=False)
    field_order = ["q", "action", "since", "until"]

    def __init__(self, *args: Any, actions: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["action"].choices = [("", "全部"), *actions]  # type: ignore[attr-defined]
