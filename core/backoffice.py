"""The door and the manners of the back office (后台): for administrators, inside their places, through the services.

What a service refuses is shown in the form with what was typed. Nothing is deleted. The books, the trail and the
settlements are not registered here.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db import models
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from core.access import NotAllowed, has_any_role
from core.errors import Problem, Refused
from core.models import Alliance, County, Institution, PoolingArea, Role
from core.scope import Scope, scope_of

ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})


class BackOffice(admin.AdminSite):
    site_header = "后台"
    site_title = "后台"
    index_title = "机构、人员、授权与政策"
    site_url = "/"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Only what the house itself offers; libraries register their tables in vain."""
        offered: list[Any] = [model_or_iterable] if isinstance(model_or_iterable, type) else list(model_or_iterable)
        ours = [model for model in offered if model._meta.app_label in settings.HOUSE_APPS]
        if ours:
            super().register(ours, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the user is an administrator of some place today."""
        user: Any = request.user
        return user.is_active and user.is_authenticated and has_any_role(user, ADMINISTRATORS)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is one login; who is signed in without the post is told so."""
        if request.user.is_authenticated:
            return redirect("/")
        return redirect(f"{reverse('core:login')}?next={request.GET.get('next', reverse('admin:index'))}")


def administered(request: HttpRequest) -> Scope:
    """The places whose administrator the user is."""
    user: Any = request.user
    return scope_of(user, ADMINISTRATORS)


def inside(scope: Scope, paths: dict[str, str]) -> Q:
    """A filter on rows below the administered places; ``paths`` leads to pooling area and county."""
    found = Q(pk__in=[])
    for level, path in paths.items():
        found |= Q(**{f"{path}__in": getattr(scope, level)})
    return found


PLACE_PATHS: dict[type[models.Model], dict[str, str]] = {
    PoolingArea: {"pooling_area": "pk"},
    County: {"pooling_area": "pooling_area", "county": "pk"},
    Alliance: {"pooling_area": "county__pooling_area", "county": "county"},
    Institution: {"pooling_area": "county__pooling_area", "county": "county"},
}


class ServiceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Lists what lies inside the administered places and saves by calling :meth:`save_by_service`."""

    paths: ClassVar[dict[str, str]] = {}
    may_add: ClassVar[bool] = True
    may_change: ClassVar[bool] = True
    list_per_page = 50

    def save_by_service(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> Any:
        """Call the service that owns this change and return the saved object."""
        raise RuntimeError(f"{type(self).__name__} names no service")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_authenticated)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may_add

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_change

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return super().get_queryset(request).filter(inside(administered(request), self.paths))

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        target = db_field.remote_field.model
        if target in PLACE_PATHS:
            kwargs["queryset"] = target.objects.filter(inside(administered(request), PLACE_PATHS[target]))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        problems = getattr(request, "refused", None)
        return _refusing(form, problems) if problems else form

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except (Refused, NotAllowed) as refusal:
            if isinstance(refusal, Refused):
                problems = refusal.problems
            else:
                problems = [Problem("", "", refusal.denied.reason)]
            request.refused = problems  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        saved = self.save_by_service(request, obj, form, change)
        obj.pk = saved.pk
        obj.refresh_from_db()


def _refusing(form: type[forms.ModelForm[Any]], problems: list[Problem]) -> type[forms.ModelForm[Any]]:
    """The same form, telling what the service refused beside the fields concerned."""

    class Refusing(form):  # type: ignore[valid-type, misc]
        def _post_clean(self) -> None:
            super()._post_clean()
            for problem in problems:
                field = problem.field if problem.field in self.fields else None
                self.add_error(field, f"{problem.text}{problem.remedy}")

    return Refusing
