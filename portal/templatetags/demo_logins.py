"""The accounts of the demonstration, shown at the login page of a demonstration site and nowhere else."""

from __future__ import annotations

from typing import Any

from django import template

from core.models import PoolingArea

register = template.Library()


@register.inclusion_tag("registration/demo_logins.html")
def demo_logins() -> dict[str, Any]:
    """Names, posts and the one password; nothing where no demonstration city is held."""
    from portal.demo.people import PASSWORD, logins

    if not PoolingArea.objects.filter(is_demo=True).exists():
        return {}
    return {"people": logins(), "password": PASSWORD}
