"""后台: accounts and posts. Passwords are shown once; a post is ended, never removed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from core import accounts
from core.backoffice import ADMINISTRATORS, PLACE_PATHS, ServiceAdmin, administered, inside
from core.models import County, PoolingArea, RoleGrant, User
from core.models.places import Place


class AccountForm(forms.ModelForm):  # type: ignore[type-arg]
    """An account; opening one needs the place whose administrator opens it."""

    area = forms.ModelChoiceField(PoolingArea.objects.none(), label="统筹区", required=False)
    county = forms.ModelChoiceField(County.objects.none(), label="县（区）", required=False)
    reason = forms.CharField(label="停用原因", required=False, max_length=200, help_text="取消“有效”时必填，留痕备查。")

    class Meta:
        model = User
        fields = ["username", "full_name", "employer", "is_active"]

    @property
    def place(self) -> Place | None:
        found: Place | None = self.cleaned_data.get("county") or self.cleaned_data.get("area")
        return found

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        if not found.get("county") and not found.get("area"):
            self.add_error("area", "请选择以哪个统筹区或县（区）的管理员身份办理。")
        return found


@admin.register(User)
class AccountAdmin(ServiceAdmin):
    form = AccountForm
    list_display = ["username", "full_name", "employer", "is_active", "last_login"]
    search_fields = ["username", "full_name", "employer"]
    list_filter = ["is_active"]
    actions = ["give_new_password"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """People with a post in the administered places, and those who have none anywhere."""
        grants = RoleGrant.objects.filter(_grants_inside(request))
        return User.objects.filter(Q(pk__in=grants.values("user_id")) | Q(grants=None))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ["username", "full_name", "employer", "area", "county"]
        return ["username", "full_name", "employer", "is_active", "reason", "area", "county"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["username"] if obj else []

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        for name, model in (("area", PoolingArea), ("county", County)):
            choices = model.objects.filter(inside(administered(request), PLACE_PATHS[model]))
            form.base_fields[name].queryset = choices
            if name == "area":
                form.base_fields[name].initial = choices.first()
        return form

    def save_by_service(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> Any:
        actor: Any = request.user
        if not change:
            user, password = accounts.open_account(actor, form.place, obj.username, obj.full_name, obj.employer)
            self._tell(request, user, password)
            return user
        user = User.objects.get(pk=obj.pk)
        if {"full_name", "employer"} & set(form.changed_data):
            user = accounts.rename_person(actor, user, form.place, obj.full_name, obj.employer)
        if "is_active" in form.changed_data and not obj.is_active:
            user = accounts.disable_account(actor, user, form.place, form.cleaned_data["reason"])
        elif "is_active" in form.changed_data:
            user, password = accounts.enable_account(actor, user, form.place)
            self._tell(request, user, password)
        return user

    @admin.action(description="重置所选账号的密码")
    def give_new_password(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        place = _own_place(request)
        for user in chosen:
            self._tell(request, user, accounts.reset_password(request.user, user, place))  # type: ignore[arg-type]

    def _tell(self, request: HttpRequest, user: User, password: str) -> None:
        text = f"账号 {user.username}（{user.full_name}）的一次性密码：{password}。只显示这一次，首次登录须修改。"
        self.message_user(request, text, messages.WARNING)


class GrantForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = RoleGrant
        fields = ["user", "role", "pooling_area", "county", "alliance", "institution", "valid_from", "valid_to"]

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        chosen = [name for name in ("pooling_area", "county", "alliance", "institution") if found.get(name)]
        if not self.instance.pk and len(chosen) != 1:
            raise ValidationError("请在统筹区、县（区）、医共体、机构中选择一个，且只选一个。")
        return found


@admin.register(RoleGrant)
class RoleGrantAdmin(ServiceAdmin):
    form = GrantForm
    list_display = ["user", "role", "pooling_area", "county", "alliance", "institution", "valid_from", "valid_to"]
    list_filter = ["role"]
    search_fields = ["user__username", "user__full_name"]
    list_select_related = ["user", "pooling_area", "county", "alliance", "institution"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[RoleGrant]:
        return RoleGrant.objects.filter(_grants_inside(request))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fixed = ["user", "role", "pooling_area", "county", "alliance", "institution", "valid_from", "granted_by"]
        return fixed if obj else []

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user":
            kwargs["queryset"] = User.objects.filter(is_active=True)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_by_service(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> Any:
        actor: Any = request.user
        if not change:
            return accounts.grant_role(actor, obj.user, obj.role, obj.place, obj.valid_from, obj.valid_to)
        held = RoleGrant.objects.get(pk=obj.pk)
        return accounts.end_grant(actor, held, obj.valid_to) if obj.valid_to else held


def _grants_inside(request: HttpRequest) -> Q:
    """Grants at the administered places and everywhere below them."""
    scope = administered(request)
    found = inside(scope, {"pooling_area": "pooling_area", "county": "county"})
    found |= inside(scope, {"pooling_area": "county__pooling_area"})
    for level in ("alliance", "institution"):
        found |= inside(scope, {"pooling_area": f"{level}__county__pooling_area", "county": f"{level}__county"})
    return found


def _own_place(request: HttpRequest) -> Place:
    """The first place whose administrator the user is."""
    user: Any = request.user
    grants: list[RoleGrant] = user.grants_on(timezone.localdate())
    return next(grant.place for grant in grants if grant.role in ADMINISTRATORS)
