"""监控重点 (R-064): the list with its export, and the acts of proposing, deciding and ending."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from core.access import BUREAU_ROLES, Denied, NotAllowed, has_any_role, may, require
from core.errors import Problem, Refused
from core.models import County, Institution, Role
from core.scope import get_visible
from monitoring import exports_warnings
from monitoring.forms_warnings import WatchFilter, WatchForm
from monitoring.models import Warning, WatchEntry
from monitoring.reading.warning_months import institutions_to_watch
from monitoring.reading.warnings import watched
from monitoring.services import watching as services
from monitoring.views.warnings import find_warning, refused_by, warning_page

PAGE = 30
TONES = {"proposed": "warn", "approved": "run", "rejected": "bad", "ended": "ok"}
DONE = {"approve": "已核准", "reject": "已记为不予核准", "end": "已解除"}


@dataclass(frozen=True)
class EntryRow:
    """One entry with what the user may do with it; ``denied`` says why not where her post is the reason."""

    entry: WatchEntry
    may_decide: bool
    may_end: bool
    denied: str
    open: bool = False

    @property
    def tone(self) -> str:
        return TONES[self.entry.status]


def entry_rows(user: Any, entries: Sequence[WatchEntry], decide: str, end: str, opened: int | None = None) -> list[EntryRow]:
    """Rights of a list: asked once a county, not once a row."""
    known: dict[tuple[str, int], Any] = {}

    def ask(action: str, county: County) -> Any:
        if (action, county.pk) not in known:
            known[(action, county.pk)] = may(user, action, county)
        return known[(action, county.pk)]

    rows = []
    for entry in entries:
        decides, ends = ask(decide, entry.county), ask(end, entry.county)
        own = entry.proposed_by_id == user.pk
        waits, runs = entry.status == "proposed", entry.status == "approved"
        denied = ""
        if waits and decides and own:
            denied = "由您本人提出，须由另一位复核人核准。"
        elif waits and isinstance(decides, Denied):
            denied = "待基金复核核准。"
        rows.append(EntryRow(entry, waits and bool(decides) and not own, runs and bool(ends), denied, entry.pk == opened))
    return rows


def _need_bureau(user: Any) -> None:
    if not has_any_role(user, BUREAU_ROLES | {Role.OBSERVER}):
        raise NotAllowed(Denied("监控重点名单供医保局内部使用，您没有医保局岗位。确需查看的，请联系本县医保局。"))


@require_GET
def watch_list(request: HttpRequest) -> HttpResponse:
    _need_bureau(request.user)
    return watch_page(request)


def watch_page(
    request: HttpRequest, refusal: Refused | None = None, opened: int | None = None
) -> HttpResponse:
    form, found = _chosen(request)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    page.object_list = entry_rows(request.user, list(page.object_list), services.DECIDE, services.END, opened)
    context = {
        "form": form,
        "page_obj": page,
        "problems": refusal.problems if refusal else [],
        "reason": request.POST.get("reason", ""),
    }
    return render(request, "monitoring/watch.html", context, status=refusal.status if refusal else 200)


@require_GET
def watch_xlsx(request: HttpRequest) -> HttpResponse:
    """Exactly the entries of the list as filtered and sorted."""
    _need_bureau(request.user)
    form, found = _chosen(request)
    return exports_warnings.download(request, "监控重点", exports_warnings.watch_sheet(list(found), form.said()))


def _chosen(request: HttpRequest) -> tuple[WatchFilter, Any]:
    counties = [(row.code, row.name) for row in County.objects.visible_to(request.user).order_by("code")]
    form = WatchFilter(request.GET, counties=counties)
    form.is_valid()
    return form, watched(request.user, form.cleaned_data, request.GET.get("sort", ""))


def watch_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Approve, reject or end one entry; named in the address."""
    found: WatchEntry = get_visible(
        WatchEntry.objects.select_related("county__pooling_area", "institution", "warning"), request.user, pk=pk
    )
    if request.method != "POST":
        return redirect("monitoring:watch")
    if act not in DONE:
        raise Http404("没有这种办理。")
    user: Any = request.user
    require(user, services.END if act == "end" else services.DECIDE, found.county)
    reason = request.POST.get("reason", "")
    try:
        if act == "end":
            services.end_watch(user, found, reason)
        else:
            services.decide_watch(user, found, act == "approve", reason)
    except Refused as refusal:
        return watch_page(request, refusal, pk)
    messages.success(request, f"{DONE[act]}：{found.institution} {found.get_consequence_display()}。")
    return redirect(found.warning.get_absolute_url() if request.POST.get("back") == "warning" else "monitoring:watch")


def form_for(user: Any, found: Warning, data: Any) -> WatchForm:
    """The proposing form with the institutions of the warning's county."""
    rows = institutions_to_watch(user, found)
    return WatchForm(
        data,
        institutions=[(str(row.pk), row.name) for row in rows],
        initial={"valid_from": timezone.localdate()},
        auto_id="watch-%s",
    )


def watch_propose(request: HttpRequest, pk: int) -> HttpResponse:
    """Propose a consequence for an institution from the page of a distress warning."""
    found = find_warning(request, pk)
    if request.method != "POST":
        return redirect("monitoring:warning", pk)
    user: Any = request.user
    if found.county is None:
        raise Http404("本预警不涉及县（区）。")
    require(user, services.PROPOSE, found.county)
    form = form_for(user, found, request.POST)
    try:
        if not form.is_valid():
            raise refused_by(form)
        wanted = form.cleaned_data
        institution = Institution.objects.visible_to(user).filter(pk=int(wanted["institution"])).first()
        if institution is None:
            raise Refused([Problem("机构", wanted["institution"], "没有这个机构。", "请从名单中选择。")])
        services.propose_watch(
            user, found, institution, wanted["consequence"], wanted["detail"], wanted["valid_from"], wanted["valid_to"]
        )
    except Refused as refusal:
        return warning_page(request, find_warning(request, pk), refusal, watch_form=form)
    messages.success(request, f"已提出将{institution}列入监控重点，待复核核准。")
    return redirect("monitoring:warning", pk)
