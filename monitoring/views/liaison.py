"""联络会议: what was talked over with each alliance, what was agreed, who does what by when."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from core.access import actions, has_any_role, may, require, require_somewhere
from core.errors import Refused
from core.forms import day_field, search_field
from core.models import Alliance
from core.scope import get_visible
from monitoring.models.liaison import FollowUpState, LiaisonMeeting, MeetingFollowUp, MeetingState, Side
from monitoring.services import liaison
from monitoring.views.listing import EntryForm, ListFilter, choices, county_choices, export, page_of, sorted_queryset

SORTS = {"held": ("held_on",), "alliance": ("alliance__code", "held_on"), "state": ("state", "held_on"), "open": ("open_count",)}
TEXT = forms.Textarea(attrs={"rows": 3})


class MeetingFilter(ListFilter):
    county = forms.ChoiceField(label="县（区）", required=False)
    state = forms.ChoiceField(label="状态", required=False, choices=choices(MeetingState.choices))
    since = day_field("自")
    until = day_field("至")
    q = search_field("议题、议定事项、医共体")

    def __init__(self, *args: Any, counties: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["county"].choices = choices(counties)  # type: ignore[attr-defined]


class MeetingForm(EntryForm):
    needed = ("alliance", "held_on", *liaison.NEEDED)
    alliance = forms.ModelChoiceField(label="医共体", queryset=Alliance.objects.none(), required=False)
    held_on = day_field("会议日期")
    place = forms.CharField(label="地点", required=False, max_length=120)
    bureau_people = forms.CharField(label="医保局参加人", required=False, max_length=300)
    hospital_people = forms.CharField(label="医共体参加人", required=False, max_length=300)
    agenda = forms.CharField(label="议题", required=False, widget=TEXT)
    decisions = forms.CharField(label="议定事项", required=False, widget=TEXT)
    file = forms.FileField(label="会议纪要文件", required=False, help_text="pdf、Word、图片等，50 MB 以内")

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        seen = Alliance.objects.visible_to(user).order_by("code")
        self.fields["alliance"].queryset = seen  # type: ignore[attr-defined]


class FollowUpForm(EntryForm):
    needed = ("text", "side", "person", "due_on")
    text = forms.CharField(label="事项", required=False, max_length=300)
    side = forms.ChoiceField(label="责任方", required=False, choices=choices(Side.choices, "请选择"))
    person = forms.CharField(label="责任人", required=False, max_length=60)
    due_on = day_field("期限")


@require_GET
def meeting_list(request: HttpRequest) -> HttpResponse:
    form, rows = _rows(request)
    user: Any = request.user
    context = {
        "form": form,
        "page_obj": page_of(request, rows),
        "export_url": reverse("monitoring:liaison-xlsx"),
        "may_record": _may_somewhere(user, liaison.RECORD),
    }
    return render(request, "monitoring/meetings.html", context)


@require_GET
def meeting_list_xlsx(request: HttpRequest) -> HttpResponse:
    form, found = _rows(request)
    rows = [
        [row.held_on, row.alliance.name, row.place, row.bureau_people, row.hospital_people, row.agenda, row.decisions,
         row.get_state_display(), row.open_count, str(row.entered_by)]
        for row in found
    ]  # fmt: skip
    header = ["日期", "医共体", "地点", "医保局参加人", "医共体参加人", "议题", "议定事项", "状态", "未办结待办", "登记人"]
    return export(request, "联络会议", header, rows, form.said())


def meeting_new(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    require_somewhere(user, liaison.RECORD)
    form = MeetingForm(request.POST or None, request.FILES or None, user=user)
    problems, status = [], 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            alliance = get_visible(
                Alliance.objects.select_related("county__pooling_area"), user, pk=form.cleaned_data["alliance"].pk
            ) if form.cleaned_data["alliance"] else None  # fmt: skip
            if alliance is None:
                form.add_error("alliance", "请选择医共体。")
            else:
                try:
                    made = liaison.record_meeting(user, alliance, form.cleaned_data, form.cleaned_data["file"])
                except Refused as refusal:
                    problems, status = refusal.problems, refusal.status
                else:
                    messages.success(request, f"已登记：{made}，待医共体确认。")
                    return redirect(made)
    context = {"form": form, "problems": problems, "title": "登记联络会议", "back": reverse("monitoring:liaison")}
    return render(request, "monitoring/liaison_form.html", context, status=status)


@require_GET
def meeting(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, pk)


def meeting_edit(request: HttpRequest, pk: int) -> HttpResponse:
    found = _found(request, pk)
    user: Any = request.user
    require(user, liaison.RECORD, found.alliance)
    names = ("held_on", *liaison.NEEDED)
    initial = {name: getattr(found, name) for name in names}
    form = MeetingForm(request.POST or None, request.FILES or None, user=user, initial=initial)
    del form.fields["alliance"]
    problems, status = [], 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                liaison.revise_meeting(user, found, form.cleaned_data, form.cleaned_data["file"])
            except Refused as refusal:
                problems, status = refusal.problems, refusal.status
            else:
                messages.success(request, "已更正，待医共体确认。")
                return redirect(found)
    context = {"form": form, "problems": problems, "title": f"更正：{found}", "back": found.get_absolute_url()}
    return render(request, "monitoring/liaison_form.html", context, status=status)


def meeting_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """confirm, object or follow: named in the address."""
    found = _found(request, pk)
    if act not in ("confirm", "object", "follow"):
        raise Http404("没有这种办理。")
    if request.method != "POST":
        return redirect(found)
    user: Any = request.user
    form = FollowUpForm(request.POST)
    try:
        if act == "confirm":
            liaison.confirm_meeting(user, found)
        elif act == "object":
            liaison.object_to_meeting(user, found, request.POST.get("reason", ""))
        else:
            form.full_clean()  # what is wrong is told by the service, all at once
            liaison.add_follow_up(user, found, form.cleaned_data)
    except Refused as refusal:
        return _page(request, pk, refusal, act)
    messages.success(request, {"confirm": "已确认。", "object": "异议已送达医保局。", "follow": "已加入待办。"}[act])
    return redirect(found)


def follow_up_done(request: HttpRequest, pk: int) -> HttpResponse:
    rows = MeetingFollowUp.objects.select_related("meeting__alliance__county__pooling_area")
    found = get_visible(rows, request.user, pk=pk)
    if request.method != "POST":
        return redirect(found.meeting)
    user: Any = request.user
    try:
        liaison.finish_follow_up(user, found, request.POST.get("reason", ""))
    except Refused as refusal:
        return _page(request, found.meeting_id, refusal, f"done-{found.pk}")
    messages.success(request, "已办结。")
    return redirect(found.meeting)


@require_GET
def meeting_file(request: HttpRequest, pk: int) -> HttpResponseBase:
    return download_noted(request.user, _found(request, pk))


def download_noted(user: Any, found: Any) -> FileResponse:
    """The file of a meeting or of supplied data; who took it stands in the trail."""
    if found.file is None or not found.file.path.exists():
        raise Http404("没有附文件。")
    liaison.note_opened(user, found)
    return FileResponse(found.file.path.open("rb"), as_attachment=True, filename=found.file.name)


def _found(request: HttpRequest, pk: int) -> LiaisonMeeting:
    found: LiaisonMeeting = get_visible(LiaisonMeeting.objects.with_places(), request.user, pk=pk)
    return found


def _may_somewhere(user: Any, action: str) -> bool:
    return has_any_role(user, actions[action].roles)


def _rows(request: HttpRequest) -> tuple[MeetingFilter, Any]:
    form = MeetingFilter(request.GET, counties=county_choices(request.user))
    wanted = form.wanted()
    open_count = Count("follow_ups", filter=Q(follow_ups__state=FollowUpState.OPEN))
    rows = LiaisonMeeting.objects.visible_to(request.user).with_places().annotate(open_count=open_count)
    rows = rows.order_by("-held_on", "-pk")  # a count drops the order of the model
    if wanted.get("county"):
        rows = rows.filter(alliance__county__code=wanted["county"])
    if wanted.get("state"):
        rows = rows.filter(state=wanted["state"])
    if wanted.get("since"):
        rows = rows.filter(held_on__gte=wanted["since"])
    if wanted.get("until"):
        rows = rows.filter(held_on__lte=wanted["until"])
    if text := (wanted.get("q") or "").strip():
        rows = rows.filter(Q(agenda__icontains=text) | Q(decisions__icontains=text) | Q(alliance__name__icontains=text))
    return form, sorted_queryset(rows, request.GET.get("sort", ""), SORTS)


def _page(request: HttpRequest, pk: int, refusal: Refused | None = None, act: str = "") -> HttpResponse:
    user: Any = request.user
    found = _found(request, pk)
    today = timezone.localdate()
    side = liaison.side_of(user, found.alliance)
    may_follow = bool(may(user, liaison.FOLLOW, found.alliance))
    context = {
        "meeting": found,
        "follow_ups": [
            {
                "row": row,
                "overdue": row.is_overdue(today),
                "may": may_follow and side == row.side and row.state == FollowUpState.OPEN,
                "open": act == f"done-{row.pk}",
            }
            for row in found.follow_ups.select_related("done_by")
        ],
        "form": FollowUpForm(request.POST if act == "follow" else None),
        "may_record": bool(may(user, liaison.RECORD, found.alliance)),
        "may_confirm": bool(may(user, liaison.CONFIRM, found.alliance)),
        "act": act,
        "problems": refusal.problems if refusal else [],
    }
    return render(request, "monitoring/meeting.html", context, status=refusal.status if refusal else 200)
