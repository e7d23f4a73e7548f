"""后台: entering scheme documents and single parameters; a fund reviewer approves them on the pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core import parameters, policies
from core.backoffice import ServiceAdmin
from core.models import Parameter, PolicyVersion
from rules.scheme import scheme_names, shipped_text


class PolicyVersionForm(forms.ModelForm):  # type: ignore[type-arg]
    """A scheme document: one shipped with the system, or a file."""

    shipped = forms.ChoiceField(label="随系统提供的方案", required=False)
    file = forms.FileField(label="方案文件（TOML）", required=False, help_text="与上一项二选一。")

    class Meta:
        model = PolicyVersion
        fields = ["pooling_area", "valid_from", "valid_to"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["shipped"].choices = [("", "---------"), *((name, name) for name in scheme_names())]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        if bool(found.get("shipped")) == bool(found.get("file")):
            raise ValidationError("请选择一个随系统提供的方案，或上传一个方案文件。")
        if found.get("file"):
            found["file"].seek(0)
            try:
                found["text"] = found["file"].read().decode("utf-8")
            except UnicodeDecodeError as error:
                raise ValidationError("方案文件不是 UTF-8 文本。") from error
        else:
            found["text"] = shipped_text(found["shipped"])
        return found


@admin.register(PolicyVersion)
class PolicyVersionAdmin(ServiceAdmin):
    paths = {"pooling_area": "pooling_area"}
    form = PolicyVersionForm
    may_change = False
    list_display = ["title", "pooling_area", "valid_from", "valid_to", "entered_by", "approved_by", "page"]
    list_select_related = ["pooling_area", "entered_by", "approved_by"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ["pooling_area", "shipped", "file", "valid_from", "valid_to"]
        return [
            "title",
            "legal_basis",
            "pooling_area",
            "valid_from",
            "valid_to",
            "sha256",
            "entered_by",
            "approved_by",
            "page",
        ]

    @admin.display(description="全文与审定")
    def page(self, version: PolicyVersion) -> SafeString:
        return format_html('<a href="{}">查看</a>', version.get_absolute_url())

    def save_by_service(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> Any:
        actor: Any = request.user
        return policies.enter_version(actor, obj.pooling_area, form.cleaned_data["text"], obj.valid_from, obj.valid_to)


class ParameterForm(forms.ModelForm):  # type: ignore[type-arg]
    key = forms.ChoiceField(label="参数")

    class Meta:
        model = Parameter
        fields = ["key", "pooling_area", "county", "value", "clause", "valid_from", "valid_to"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = sorted(parameters.definitions.values(), key=lambda definition: definition.key)
        self.fields["key"].choices = [(d.key, f"{d.label}（{d.key}，默认 {d.default}）") for d in found]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        area, county = found.get("pooling_area"), found.get("county")
        if area and county and county.pooling_area_id != area.pk:
            self.add_error("county", "县（区）不在所选统筹区内。")
        return found


@admin.register(Parameter)
class ParameterAdmin(ServiceAdmin):
    paths = {"pooling_area": "pooling_area", "county": "county"}
    form = ParameterForm
    may_change = False
    list_display = [
        "label",
        "value",
        "pooling_area",
        "county",
        "status",
        "valid_from",
        "valid_to",
        "entered_by",
        "confirmed_by",
    ]
    list_filter = ["status"]
    search_fields = ["key", "clause"]
    list_select_related = ["pooling_area", "county", "entered_by", "confirmed_by"]

    @admin.display(description="参数")
    def label(self, row: Parameter) -> str:
        return parameters.label_of(row.key)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = ["key", "pooling_area", "county", "value", "clause", "valid_from", "valid_to"]
        return [*fields, "status", "entered_by", "confirmed_by"] if obj else fields

    def save_by_service(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> Any:
        actor: Any = request.user
        place = obj.county or obj.pooling_area
        return parameters.enter_parameter(actor, obj.key, place, obj.value, obj.clause, obj.valid_from, obj.valid_to)
