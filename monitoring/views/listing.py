"""What every list of this part shares: filters told in words, sorting by named columns, paging, export of what is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django import forms
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from core.access import Denied, NotAllowed
from core.exports import export_workbook
from core.models import County
from core.workbook import Sheet

PAGE = 30


class ListFilter(forms.Form):
    """A filter that can tell in words what was chosen, for the head of an export."""

    def wanted(self) -> dict[str, Any]:
        return self.cleaned_data if self.is_valid() else {}

    def said(self) -> list[str]:
        told = []
        for field in self.visible_fields():
            value = self.wanted().get(field.name)
            if value not in (None, ""):
                choices = {str(key): label for key, label in getattr(field.field, "choices", [])}
                told.append(f"{field.label}：{choices.get(str(value), value)}")
        return ["筛选 " + "；".join(told)] if told else []


class EntryForm(forms.Form):
    """A form whose ``needed`` fields must be filled; the others may stay empty."""

    needed: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.needed:
            self.fields[name].required = True


def choices(options: Sequence[tuple[Any, str]], empty: str = "全部") -> list[tuple[Any, str]]:
    return [("", empty), *options]


def county_choices(user: Any) -> list[tuple[str, str]]:
    return [(county.code, county.name) for county in County.objects.visible_to(user)]


def sorted_queryset(rows: Any, asked: str, columns: Mapping[str, Sequence[str]]) -> Any:
    """Ordered by the named column (``-name`` backwards); an unknown name leaves the order of the model."""
    name, backwards = asked.removeprefix("-"), asked.startswith("-")
    if name not in columns:
        return rows
    return rows.order_by(*(f"-{field}" if backwards else field for field in columns[name]), "pk")


def sorted_list(rows: Sequence[Any], asked: str, columns: Mapping[str, Callable[[Any], Any]]) -> list[Any]:
    name, backwards = asked.removeprefix("-"), asked.startswith("-")
    if name not in columns:
        return list(rows)
    return sorted(rows, key=columns[name], reverse=backwards)


def page_of(request: HttpRequest, rows: Any, size: int = PAGE) -> Page[Any]:
    return Paginator(rows, size).get_page(request.GET.get("page"))


def own_place(request: HttpRequest) -> Any:
    """The place of the user's first post: in whose trail an export is noted."""
    user: Any = request.user
    grant = next(iter(user.grants_on(timezone.localdate())), None)
    if grant is None:
        raise NotAllowed(Denied("您还没有岗位，没有可导出的内容。请系统管理员授予岗位。"))
    return grant.place


def export(
    request: HttpRequest,
    title: str,
    header: Sequence[str],
    rows: Sequence[Sequence[Any]],
    said: Sequence[str] = (),
    money: frozenset[int] = frozenset(),
) -> HttpResponse:
    """The rows as one sheet; noted in the trail."""
    user: Any = request.user
    place = own_place(request)
    notes = [*(("金额单位：元",) if money else ()), *said]
    sheet = Sheet(title, header, rows, money_columns=money, notes=notes)
    return export_workbook(user, place, f"{title}-{timezone.localdate()}.xlsx", [sheet], place=place)


def local(moment: Any) -> str:
    """A moment as an export writes it."""
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M") if moment else ""
