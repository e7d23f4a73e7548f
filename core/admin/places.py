"""后台: pooling area, counties, alliances, institutions, membership, townships, agreed shares, shifted working days."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from core import places
from core.backoffice import PLACE_PATHS, ServiceAdmin, administered, inside
from core.models import (
    AgreedShare,
    Alliance,
    County,
    Institution,
    Membership,
    PoolingArea,
    TownshipRule,
    WorkdayOverride,
)

BY_ALLIANCE = {"pooling_area": "alliance__county__pooling_area", "county": "alliance__county"}


@admin.register(PoolingArea)
class PoolingAreaAdmin(ServiceAdmin):
    paths = PLACE_PATHS[PoolingArea]
    may_add = False
    list_display = ["code", "name"]
    fields = ["code", "name"]
    readonly_fields = ["code"]

    def save_by_service(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> Any:
        return places.save_pooling_area(request.user, obj)  # type: ignore[arg-type]


@admin.register(County)
class CountyAdmin(ServiceAdmin):
    paths = PLACE_PATHS[County]
    list_display = ["code", "name", "valid_from", "valid_to", "successor"]
    search_fields = ["code", "name"]

    def save_by_service(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> Any:
        return places.save_county(request.user, obj)  # type: ignore[arg-type]


@admin.register(Alliance)
class AllianceAdmin(ServiceAdmin):
    paths = PLACE_PATHS[Alliance]
    list_display = ["code", "name", "county", "valid_from", "valid_to"]
    list_filter = [("county", admin.RelatedOnlyFieldListFilter)]
    search_fields = ["code", "name"]
    list_select_related = ["county"]

    def save_by_service(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> Any:
        return places.save_alliance(request.user, obj)  # type: ignore[arg-type]


@admin.register(Institution)
class InstitutionAdmin(ServiceAdmin):
    paths = PLACE_PATHS[Institution]
    list_display = ["code", "name", "county", "kind", "grade", "ownership"]
    list_filter = ["kind", "grade", "ownership"]
    search_fields = ["code", "name"]
    list_select_related = ["county"]

    def save_by_service(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> Any:
        return places.save_institution(request.user, obj)  # type: ignore[arg-type]


@admin.register(Membership)
class MembershipAdmin(ServiceAdmin):
    paths = BY_ALLIANCE
    list_display = ["alliance", "institution", "is_lead", "valid_from", "valid_to"]
    list_filter = ["is_lead"]
    search_fields = ["institution__name", "institution__code", "alliance__name"]
    list_select_related = ["alliance", "institution"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["alliance", "institution"] if obj else []

    def save_by_service(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> Any:
        return places.save_membership(request.user, obj)  # type: ignore[arg-type]


@admin.register(TownshipRule)
class TownshipRuleAdmin(ServiceAdmin):
    paths = BY_ALLIANCE
    list_display = ["township_code", "township_name", "alliance", "valid_from", "valid_to"]
    search_fields = ["township_code", "township_name"]
    list_select_related = ["alliance"]

    def save_by_service(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> Any:
        return places.save_township_rule(request.user, obj)  # type: ignore[arg-type]


class AgreedSharesForm(forms.ModelForm):  # type: ignore[type-arg]
    """All alliances of a county for a year at once: their shares must add up to one."""

    county = forms.ModelChoiceField(County.objects.none(), label="县（区）")
    shares = forms.CharField(
        label="份额",
        widget=forms.Textarea(attrs={"rows": 6, "cols": 40}),
        help_text="每行一个医共体：编号、空格、份额（小数），例如 QX-E 0.6；各行合计须为 1。",
    )

    class Meta:
        model = AgreedShare
        fields = ["year"]

    def clean_shares(self) -> dict[str, Decimal]:
        found: dict[str, Decimal] = {}
        for number, line in enumerate(self.cleaned_data["shares"].splitlines(), start=1):
            code, _space, share = line.strip().rpartition(" ")
            if not line.strip():
                continue
            try:
                found[code.strip()] = Decimal(share)
            except ArithmeticError as error:
                raise ValidationError(f"第 {number} 行“{line}”不是“编号 份额”。") from error
        return found

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        county, shares = found.get("county"), found.get("shares")
        if county and shares:
            known = {alliance.code: alliance for alliance in county.alliances.all()}
            for code in shares.keys() - known.keys():
                self.add_error("shares", f"{county}没有编号为“{code}”的医共体。")
            found["shares"] = {known[code]: share for code, share in shares.items() if code in known}
        return found

    def validate_unique(self) -> None:
        """Setting a year again replaces its shares."""


@admin.register(AgreedShare)
class AgreedShareAdmin(ServiceAdmin):
    paths = BY_ALLIANCE
    form = AgreedSharesForm
    may_change = False
    list_display = ["county", "year", "alliance", "share"]
    list_filter = ["year"]
    list_select_related = ["alliance__county"]
    fields = ["county", "year", "shares"]

    @admin.display(description="县（区）")
    def county(self, share: AgreedShare) -> County:
        return share.alliance.county

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["alliance", "year", "share"] if obj else ["county", "year", "shares"]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if "county" in form.base_fields:
            form.base_fields["county"].queryset = County.objects.filter(
                inside(administered(request), PLACE_PATHS[County])
            )
        return form

    def save_by_service(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> Any:
        given = form.cleaned_data
        return places.set_agreed_shares(request.user, given["county"], given["year"], given["shares"])[0]  # type: ignore[arg-type]


@admin.register(WorkdayOverride)
class WorkdayOverrideAdmin(ServiceAdmin):
    list_display = ["day", "is_working", "note"]
    date_hierarchy = "day"

    def get_queryset(self, request: HttpRequest) -> QuerySet[WorkdayOverride]:
        return WorkdayOverride.objects.all()

    def save_by_service(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> Any:
        return places.save_workday(request.user, obj)  # type: ignore[arg-type]
