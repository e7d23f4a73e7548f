"""清算单: the page of one version, its print, Word and workbook, the months behind it, and the files of its acts."""

from __future__ import annotations

from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from core.access import BUREAU_ROLES, may, roles_at
from core.errors import Refused
from core.exports import export_workbook
from core.models import StoredFile, User
from core.parameters import value as parameter
from core.scope import get_visible
from core.trail import head_hash
from settlement import exports, posting, reading, word
from settlement.forms import AnalysisForm, ReceiptForm, RecoveryForm
from settlement.models import AnalysisState, Settlement, SettlementVersion, StateChange
from settlement.panel import acts_for, owed_of
from settlement.services.finality import reopening_ends
from settlement.statement import Statement, side_by_side
from settlement.states import FINAL_STATES, Act, VersionState, action_name
from settlement.views.stages import signatures, stages


def find_version(request: HttpRequest, pk: int) -> SettlementVersion:
    """The version inside the user's scope, or 404."""
    found = get_visible(SettlementVersion.objects.with_places(), request.user, pk=pk)
    if found.computation is None:
        raise Http404("这份清算单还没有计算结果。")
    return found  # type: ignore[no-any-return]


@require_GET
def statement(request: HttpRequest, pk: int) -> HttpResponse:
    return statement_page(request, find_version(request, pk))


@require_GET
def statement_word(request: HttpRequest, pk: int) -> HttpResponse:
    """The statement as a Word document, with the same figures."""
    version = find_version(request, pk)
    seen = reading.versions_seen(request.user, version.settlement)  # type: ignore[arg-type]
    signed = signatures(version, reading.bookings_of(version))
    return word.statement_response(request.user, version, signed, head_hash(version.alliance), seen)  # type: ignore[arg-type]


@require_GET
def statement_xlsx(request: HttpRequest, pk: int) -> HttpResponse:
    """The statement as a workbook, with the same figures and every step."""
    version = find_version(request, pk)
    sheets = exports.statement_sheets(Statement(version))
    name = f"{version.settlement.number}-第{version.number}版.xlsx"
    return export_workbook(request.user, version, name, sheets)  # type: ignore[arg-type]


@require_GET
def facts(request: HttpRequest, pk: int) -> HttpResponse:
    """The frozen months behind a statement."""
    version = find_version(request, pk)
    rows = reading.months_behind(version)
    names = ("in_alliance", "out_of_county", "at_sisters", "treated_for_sisters", "charged", "settlements")
    totals = {name: sum(getattr(row, name) for row in rows) for name in names}
    context = {
        "version": version,
        "statement": Statement(version),
        "rows": rows,
        "totals": totals,
        "county": version.alliance.county if roles_at(request.user, version.alliance) & BUREAU_ROLES else None,  # type: ignore[arg-type]
    }
    return render(request, "settlement/facts.html", context)


@require_GET
def change_file(request: HttpRequest, pk: int, change: int, file: int) -> FileResponse:
    """A file that was handed in with an act on a version the user sees."""
    version = find_version(request, pk)
    row = StateChange.objects.filter(version=version, pk=change).first()
    return _download(row.files.filter(pk=file).first() if row is not None else None)


@require_GET
def analysis_file(request: HttpRequest, pk: int, analysis: int, file: int) -> FileResponse:
    """A file of a cause analysis of the settlement the user sees."""
    version = find_version(request, pk)
    rows = [row for row in reading.analyses_of(version.settlement) if row.pk == analysis]
    return _download(rows[0].files.filter(pk=file).first() if rows else None)


def _download(stored: StoredFile | None) -> FileResponse:
    if stored is None:
        raise Http404("没有这个附件。")
    return FileResponse(stored.path.open("rb"), as_attachment=True, filename=stored.name)


def statement_page(
    request: HttpRequest, version: SettlementVersion, refusal: Refused | None = None, **typed: Any
) -> HttpResponse:
    """The page; after a refusal with its problems and with what was typed."""
    user: Any = request.user
    settlement, shown = version.settlement, Statement(version)
    seen = reading.versions_seen(user, settlement)
    former = [other for other in seen if other.number < version.number]
    other_fund = (
        Settlement.objects.visible_to(user)
        .filter(alliance=settlement.alliance_id, year=settlement.year)
        .exclude(pk=settlement.pk)
        .first()
    )
    other = reading.versions_seen(user, other_fund) if other_fund is not None else []
    is_bureau = bool(roles_at(user, settlement.alliance) & BUREAU_ROLES)
    where = posting.position(settlement)
    bookings = reading.bookings_of(version)
    context: dict[str, Any] = {
        "version": version,
        "settlement": settlement,
        "statement": shown,
        "computation": version.computation,
        "stages": stages(version, bookings),
        "confirm_days": parameter("settlement.confirm_days", settlement.alliance, timezone.localdate()),
        "signatures": signatures(version, bookings),
        "trail_head": head_hash(settlement.alliance),
        "seen": seen,
        "former": former[-1] if former else None,
        "comparison": side_by_side([former[-1], version]) if former else [],
        "comparison_heads": _comparison_heads([*former[-1:], version]),
        "difference": version.figures.cash - former[-1].figures.cash if former else None,
        "other_version": other[-1] if other else None,
        "acts": acts_for(user, version),
        "settled": where.settled if where.paid or where.recovered or where.offset else None,
        "owed": owed_of(version, where),
        "changes": version.changes.select_related("actor").prefetch_related("files"),
        "analyses": reading.analyses_of(settlement),
        "plans": reading.plans_of(version),
        "bookings": bookings,
        "computations": version.computations.order_by("-number") if is_bureau else [],
        "is_bureau": is_bureau,
        "lead": settlement.alliance.lead_hospital(version.prepared_at.date()) if version.prepared_at else None,
        "may_analyse": _may_analyse(user, version),
        "may_decide_analysis": bool(may(user, "settlement.approve_analysis", settlement.alliance)),
        "may_pay": bool(may(user, action_name(Act.PAY), settlement.alliance)),
        "may_propose_recovery": bool(may(user, "settlement.propose_recovery", settlement.alliance)),
        "may_decide_recovery": bool(may(user, "settlement.approve_recovery", settlement.alliance)),
        "correction": _correction(user, version, seen),
        "analysis_form": typed.get("analysis_form") or AnalysisForm(),
        "recovery_form": typed.get("recovery_form") or RecoveryForm(),
        "receipt_form": typed.get("receipt_form") or ReceiptForm(),
        "reason": typed.get("reason", ""),
        "problems": refusal.problems if refusal else [],
    }
    return render(request, "settlement/statement.html", context, status=refusal.status if refusal else 200)


def _comparison_heads(versions: list[SettlementVersion]) -> list[dict[str, Any]]:


    return [
        {
            "label": f"第 {version.number} 版",
            "note": version.get_state_display(),
            "url": reverse("settlement:statement", args=[version.pk]),
        }
        for version in versions
    ]


def _may_analyse(user: User, version: SettlementVersion) -> bool:
    """Whether the form for a cause analysis belongs on the page: an overrun in draft, and the right."""
    if not Statement(version).is_overrun or version.state != VersionState.DRAFT:
        return False
    waiting = any(row.state == AnalysisState.SUBMITTED for row in reading.analyses_of(version.settlement))
    return not waiting and bool(may(user, "settlement.submit_analysis", version.alliance))


def _correction(user: User, version: SettlementVersion, seen: list[SettlementVersion]) -> dict[str, Any] | None:
    """What the page says about a correction of the newest final version."""
    newest = seen[-1] if seen else version
    if newest.pk != version.pk or version.state not in FINAL_STATES:
        return None
    if not may(user, action_name(Act.CORRECT), version.alliance):
        return None
    return {"until": reopening_ends(version.settlement)}


