"""What every form and list of this app shares: fields that speak Chinese, attachments, filters told in words, exports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from core.access import Denied, NotAllowed
from core.errors import Problem, Refused
from core.exports import export_workbook
from core.files import store_evidence, upload_problems
from core.models import County
from core.workbook import Sheet

PAGE = 30
ALL = ("", "全部")


class Boxes(forms.CheckboxSelectMultiple):
    """Check boxes side by side: the group has a dress of its own, not that of a single box."""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        context["widget"]["attrs"]["class"] = "choices"
        return context


def text_area(label: str, rows: int = 3, **given: Any) -> forms.CharField:
    given.setdefault("error_messages", {"required": f"没有填写{label}。", "max_length": f"{label}超过 4000 个字，请缩短。"})
    return forms.CharField(label=label, max_length=4000, widget=forms.Textarea(attrs={"rows": rows}), **given)


def text_line(label: str, most: int, **given: Any) -> forms.CharField:
    words = {"required": f"没有填写{label}。", "max_length": f"{label}超过 {most} 个字，请缩短。"}
    return forms.CharField(label=label, max_length=most, error_messages=words, **given)


def day_line(label: str, **given: Any) -> forms.DateField:
    """A date with the browser's own picker."""
    words = {"required": f"没有填写{label}。", "invalid": f"{label}不是有效日期，请按 2026-10-16 填写。"}
    return forms.DateField(
        label=label, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}), error_messages=words, **given
    )


def money_line(label: str, **given: Any) -> forms.DecimalField:
    """Yuan with two decimals."""
    words = {
        "required": f"没有填写{label}。", "invalid": f"{label}须填数字，单位为元。", "max_decimal_places": f"{label}最多两位小数。",
        "min_value": f"{label}不能为负。", "max_digits": f"{label}太大，请核对。", "max_whole_digits": f"{label}太大，请核对。",
    }  # fmt: skip
    given.setdefault("min_value", 0)
    widget = forms.TextInput(attrs={"inputmode": "decimal"})
    return forms.DecimalField(label=label, max_digits=15, decimal_places=2, widget=widget, error_messages=words, **given)


def choice_line(label: str, options: Sequence[Any] = (), empty: str = "请选择", **given: Any) -> forms.ChoiceField:
    words = {"required": f"没有选择{label}。", "invalid_choice": f"{label}没有“%(value)s”这一项。"}
    return forms.ChoiceField(label=label, choices=[("", empty), *options], error_messages=words, **given)


class ListFilter(forms.Form):
    """A filter that can tell in words what was chosen, for the head of an export."""

    def wanted(self) -> dict[str, Any]:
        """What can be chosen; what cannot chooses nothing, the rest of the filter stays."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if name not in self.errors}

    def said(self) -> list[str]:
        told = []
        for field in self.visible_fields():
            value = self.wanted().get(field.name)
            if value in (None, "", False):
                continue
            options = {str(key): label for key, label in getattr(field.field, "choices", [])}
            told.append(f"{field.label}：{'是' if value is True else options.get(str(value), value)}")
        return ["筛选 " + "；".join(told)] if told else []


def county_choices(user: Any) -> list[tuple[str, str]]:
    return [(county.code, county.name) for county in County.objects.visible_to(user)]


def page_of(request: HttpRequest, rows: Any, size: int = PAGE) -> Page[Any]:
    return Paginator(rows, size).get_page(request.GET.get("page"))


def export(
    request: HttpRequest, title: str, header: Sequence[str], rows: Sequence[Sequence[Any]], said: Sequence[str] = (),
    money: frozenset[int] = frozenset(),
) -> HttpResponse:  # fmt: skip
    """The rows as one sheet; noted in the trail of the place of the user's first post."""
    user: Any = request.user
    grant = next(iter(user.grants_on(timezone.localdate())), None)
    if grant is None:
        raise NotAllowed(Denied("您还没有岗位，没有可导出的内容。请系统管理员授予岗位。"))
    notes = [*(("金额单位：元",) if money else ()), *said]
    sheet = Sheet(title, header, rows, money_columns=money, notes=notes)
    return export_workbook(user, grant.place, f"{title}-{timezone.localdate()}.xlsx", [sheet], place=grant.place)


def form_problems(form: Any) -> list[Problem]:
    """A form's errors as problems, so that page and service speak alike."""
    return [
        Problem(str(form[name].label) if name in form.fields else "", str(form.data.get(form.add_prefix(name), ""))[:60], str(error))
        for name, errors in form.errors.items()
        for error in errors
    ]


def values_of(form: Any, user: Any, kind: str) -> dict[str, Any]:
    """The form's values, with the files of its field ``files`` stored; everything wrong with either at once (``Refused``)."""
    fine = form.is_valid()
    uploads = form.cleaned_data.get("files") or []
    problems = [*form_problems(form), *upload_problems(uploads)]
    if problems or not fine:
        raise Refused(problems)
    return {**form.cleaned_data, "files": [store_evidence(upload, kind, user) for upload in uploads]}
