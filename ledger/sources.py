"""From a voucher to the business object behind it, which belongs to a higher app and is known by its name only."""

from __future__ import annotations

from dataclasses import dataclass

from django.apps import apps

from ledger.models import Entry


@dataclass(frozen=True)
class SourceLink:
    """``url`` is empty where the object has no page of its own."""

    kind: str
    label: str
    url: str


def source_link(entry: Entry) -> SourceLink | None:
    """The object an entry was posted for; None when it names none or it is gone."""
    if not entry.source_type:
        return None
    try:
        model = apps.get_model(entry.source_type)
    except (LookupError, ValueError):
        return None
    found = model._default_manager.filter(pk=entry.source_id).first()
    if found is None:
        return None
    url = found.get_absolute_url() if hasattr(found, "get_absolute_url") else ""
    return SourceLink(str(model._meta.verbose_name), str(found), url)
