"""The side navigation: each app names its pages once, from ``AppConfig.ready``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.urls import reverse

from core.access import has_any_role
from core.kept import kept

GROUP_ORDER = ["", "预算与资金", "数据", "监测", "清算", "监管", "账与公开", "系统"]


@dataclass(frozen=True)
class NavItem:
    group: str
    label: str
    url_name: str
    icon: str
    order: int
    roles: frozenset[str] | None
    badge: Callable[[Any], int] | None
    shown_to: Callable[[Any], bool] | None


items: dict[str, NavItem] = {}


def register_nav(
    *,
    group: str,
    label: str,
    url_name: str,
    icon: str,
    order: int = 50,
    roles: Iterable[str] | None = None,
    badge: Callable[[Any], int] | None = None,
    shown_to: Callable[[Any], bool] | None = None,
) -> None:
    """Add a page to the side navigation. ``roles`` None shows it to everybody who is signed in.

    ``shown_to`` narrows it further where the post alone does not tell (a post at a county, not at the city).
    """
    held = frozenset(roles) if roles else None
    items[url_name] = NavItem(group, label, url_name, icon, order, held, badge, shown_to)


def groups_for(user: Any, path: str) -> list[dict[str, Any]]:
    """The groups a user sees, with the item of the current page marked."""
    shown = [
        item
        for item in items.values()
        if (item.roles is None or has_any_role(user, item.roles)) and (item.shown_to is None or item.shown_to(user))
    ]
    urls = {item.url_name: reverse(item.url_name) for item in shown}
    current = max((url for url in urls.values() if path.startswith(url)), key=len, default="")
    groups = []
    for group in GROUP_ORDER:
        entries = [
            {
                "label": item.label,
                "url": urls[item.url_name],
                "icon": item.icon,
                "active": urls[item.url_name] == current and (current != "/" or path == "/"),
                "badge": kept("badge", (item.url_name, user.pk), partial(item.badge, user)) if item.badge else 0,
            }
            for item in sorted(shown, key=lambda item: item.order)
            if item.group == group
        ]
        if entries:
            groups.append({"label": group, "items": entries})
    return groups
