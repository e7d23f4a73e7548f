"""工作台: what a person must do, by when, and what changed since she was here."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from core.access import has_any_role
from core.exports import export_workbook
from core.kept import kept
from core.models import Alliance, FundType, User
from core.models.jobs import JOB_READERS
from portal.exports import todo_sheet
from portal.figures import FundCard, fund_cards
from portal.reading import desk
from portal.reading.access import overview_alliances
from portal.reading.outlook import default_year, outlooks

VERBOSE_WEEKDAYS = "一二三四五六日"


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    today, now = timezone.localdate(), timezone.now()
    fund, on = _filters(request)
    what = desk.desk(user, today, fund, on)
    told, news_count, since = desk.news(user, now)
    alliances = overview_alliances(user)
    cards = _cards(alliances[0], today) if alliances else []
    context = {
        "desk": what,
        "fund": fund,
        "due_day": on,
        "funds": FundType.choices,
        "weekday": f"星期{VERBOSE_WEEKDAYS[today.weekday()]}",
        "cards": cards,
        "alliance": alliances[0] if alliances else None,
        "other_alliances": len(alliances) - 1,
        "data_to": max((card.outlook.data_to for card in cards if card.outlook.data_to), default=None),
        "month_end": desk.month_end(user),
        "sees_work": has_any_role(user, JOB_READERS),
        "running": desk.running_jobs(user),
        "news": told,
        "news_count": news_count,
        "since": since,
        "has_posts": bool(user.grants_on(today)),
    }
    return render(request, "portal/home.html", context)


@require_safe
def todos_xlsx(request: HttpRequest) -> HttpResponse:
    """The list exactly as the filter shows it."""
    user: Any = request.user
    fund, on = _filters(request)
    found = desk.desk(user, timezone.localdate(), fund, on).todos
    return export_workbook(user, user, "我的待办.xlsx", [todo_sheet(found)], place=_own_place(user))


def _cards(alliance: Alliance, today: date) -> list[FundCard]:
    def cards() -> list[FundCard]:
        return fund_cards(outlooks([alliance], default_year([alliance], today)), alliance)

    return kept("home cards", alliance.pk, cards)


def _filters(request: HttpRequest) -> tuple[str, str]:
    fund = request.GET.get("fund", "")
    return (fund if fund in FundType.values else ""), request.GET.get("due", "")


def _own_place(user: User) -> Any:
    grants = user.grants_on(timezone.localdate())
    return grants[0].place if grants else None
