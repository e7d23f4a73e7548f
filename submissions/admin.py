"""后台: duties to file and versions of the table, kept by administrators through the services."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from core.backoffice import ServiceAdmin
from submissions import services
from submissions.models import Duty, TableVersion


@admin.register(Duty)
class DutyAdmin(ServiceAdmin):
    paths = {"pooling_area": "pooling_area"}
    list_display = ["pooling_area", "county", "quarters", "days_after", "valid_from", "valid_to", "basis"]
    list_select_related = ["pooling_area", "county"]
    fields = ["pooling_area", "county", "quarters", "days_after", "valid_from", "valid_to", "basis"]

    def save_by_service(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> Any:
        return services.save_duty(request.user, obj)  # type: ignore[arg-type]


class TableVersionForm(forms.ModelForm):  # type: ignore[type-arg]
    """The document of an official form, made from the shipped one by renaming and reordering."""

    file = forms.FileField(
        label="定义文件（TOML）", help_text="以随系统附带的 situation-1.toml 为样本，只改名称和次序。"
    )

    class Meta:
        model = TableVersion
        fields = ["pooling_area"]

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        if found.get("file"):
            found["file"].seek(0)
            try:
                found["text"] = found["file"].read().decode("utf-8")
            except UnicodeDecodeError as error:
                raise ValidationError({"file": "定义文件不是 UTF-8 文本。"}) from error
        return found


@admin.register(TableVersion)
class TableVersionAdmin(ServiceAdmin):
    paths = {"pooling_area": "pooling_area"}
    form = TableVersionForm
    may_change = False
    list_display = ["table", "version", "pooling_area", "valid_from", "status", "entered_by", "decided_by"]
    list_select_related = ["pooling_area", "entered_by", "decided_by"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ["pooling_area", "file"]
        return [
            "table", "version", "pooling_area", "valid_from", "status", "sha256", "entered_by", "entered_at",
            "decided_by", "decided_at",
        ]  # fmt: skip

    def save_by_service(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> Any:
        return services.load_table_version(request.user, obj.pooling_area, form.cleaned_data["text"])  # type: ignore[arg-type]
