"""From a name and number kept in a trail row, a voucher or a notice to the object it speaks of and its page."""

from __future__ import annotations

from dataclasses import dataclass

from django.apps import apps


@dataclass(frozen=True)
class Subject:
    """``url`` is empty where the object has no page of its own."""

    kind: str
    label: str
    url: str


def subject_of(type_name: str, key: str) -> Subject | None:
    """The object of a type (``app.model``) and primary key; None when it names none or is gone."""
    if not type_name:
        return None
    try:
        model = apps.get_model(type_name)
    except (LookupError, ValueError):
        return None
    found = model._default_manager.filter(pk=key).first()
    if found is None:
        return None
    url = found.get_absolute_url() if hasattr(found, "get_absolute_url") else ""
    return Subject(kind_of(type_name), str(found), url)


def kind_of(type_name: str) -> str:
    """The Chinese name of a type of object."""
    try:
        return str(apps.get_model(type_name)._meta.verbose_name)
    except (LookupError, ValueError):
        return type_name
