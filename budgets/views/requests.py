"""What every page of this app asks of a request: the person, her rights, and a refusal to show again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from django.http import HttpRequest
from django.utils import timezone

from core.access import actions, may
from core.errors import Problem, Refused
from core.models import Alliance, User
from core.models.places import Place


@dataclass
class Shown:
    """One form or dialog after a refusal: opened again with what was typed and why it was refused."""

    name: str = ""
    refusal: Refused | None = None
    typed: dict[str, Any] = field(default_factory=dict)
    form: Any = None

    @property
    def status(self) -> int:
        return self.refusal.status if self.refusal else (422 if self.name else 200)

    @property
    def problems(self) -> list[Problem]:
        return self.refusal.problems if self.refusal else []

    def dialogs(self) -> dict[str, dict[str, Any]]:
        """What the dialog of that name shows: open, problems, reason."""
        if not self.name:
            return {}
        return {self.name: {"open": True, "problems": self.problems, "reason": self.typed.get("reason", "")}}


def person(request: HttpRequest) -> User:
    """The signed-in user (every page of this app needs one)."""
    return cast(User, request.user)


def rights(user: User, place: Place, *names: str) -> dict[str, bool]:
    """Which of this app's acts the user may do at a place, by the part of the name after the dot."""
    return {name: bool(may(user, f"budgets.{name}", place)) for name in names}


def alliances_where(user: User, action: str) -> Any:
    """The alliances at which the user may do the act, for a form's choice."""
    roles = actions[action].roles
    grants = [grant for grant in user.grants_on(timezone.localdate()) if grant.role in roles]
    areas = [grant.pooling_area_id for grant in grants if grant.pooling_area_id]
    counties = [grant.county_id for grant in grants if grant.county_id]
    alliances = [grant.alliance_id for grant in grants if grant.alliance_id]
    seen = Alliance.objects.on(timezone.localdate()).order_by("code")
    return (
        seen.filter(county__pooling_area__in=areas) | seen.filter(county__in=counties) | seen.filter(pk__in=alliances)
    )


def year_of(request: HttpRequest) -> int:
    """The year asked for, else this one."""
    text = request.GET.get("year", "")
    return int(text) if text.isdecimal() and 2000 <= int(text) <= 2100 else timezone.localdate().year
