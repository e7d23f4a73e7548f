"""The trail a user may see, and her own notices."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db import models
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from core.access import Denied, NotAllowed, has_any_role
from core.exports import export_workbook
from core.forms import TrailFilter
from core.models import TrailEvent
from core.models.trail import TRAIL_READERS
from core.notices import mark_all_read
from core.subjects import kind_of
from core.trail import action_text, head_hash
from core.workbook import Sheet

PAGE = 50
EXPORT_LIMIT = 100_000


@require_GET
def trail_list(request: HttpRequest) -> HttpResponse:
    form, events = _events(request)
    page = Paginator(events, PAGE).get_page(request.GET.get("page"))
    context = {"page_obj": page, "rows": [_row(event) for event in page], "form": form}
    return render(request, "core/trail.html", context)


@require_GET
def trail_xlsx(request: HttpRequest) -> HttpResponse:
    """The chosen rows with their hashes, so that they can be checked outside."""
    form, events = _events(request)
    user: Any = request.user
    place = next(grant.place for grant in user.grants_on(timezone.localdate()) if grant.role in TRAIL_READERS)
    rows = [
        [event.chain, event.seq, timezone.localtime(event.at).strftime("%Y-%m-%d %H:%M:%S"), event.actor_name,
         action_text(event.action), kind_of(event.subject_type), event.subject_id, event.summary, event.hash]
        for event in events[:EXPORT_LIMIT]
    ]  # fmt: skip
    header = ["链", "序号", "时间", "操作人", "动作", "对象", "对象编号", "摘要", "哈希"]
    notes = [f"{place}　导出时链首 {head_hash(place)}", *form.said()]
    name = f"操作轨迹-{timezone.localdate()}.xlsx"
    return export_workbook(user, user, name, [Sheet("操作轨迹", header, rows, notes=notes)], place=place)


@require_http_methods(["GET", "POST"])
def notice_list(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    if request.method == "POST":
        mark_all_read(user)
        return redirect("core:notices")
    page = Paginator(user.notices.all(), PAGE).get_page(request.GET.get("page"))
    return render(request, "core/notices.html", {"page_obj": page})


def _events(request: HttpRequest) -> tuple[TrailFilter, models.QuerySet[TrailEvent]]:
    user: Any = request.user
    if not has_any_role(user, TRAIL_READERS):
        raise NotAllowed(
            Denied("操作轨迹供医保部门各岗位和系统管理员核查使用。本单位办理过的事项，可在相应页面的办理记录中查看。")
        )
    events = TrailEvent.objects.visible_to(user)
    names = events.order_by("action").values_list("action", flat=True).distinct()
    form = TrailFilter(request.GET, actions=[(name, action_text(name)) for name in names])
    wanted = form.cleaned_data if form.is_valid() else {}
    if wanted.get("q"):
        events = events.filter(Q(summary__icontains=wanted["q"]) | Q(actor_name__icontains=wanted["q"]))
    if wanted.get("action"):
        events = events.filter(action=wanted["action"])
    if wanted.get("since"):
        events = events.filter(at__date__gte=wanted["since"])
    if wanted.get("until"):
        events = events.filter(at__date__lte=wanted["until"])
    return form, events


def _row(event: TrailEvent) -> dict[str, Any]:
    return {"event": event, "action": action_text(event.action), "kind": kind_of(event.subject_type)}
