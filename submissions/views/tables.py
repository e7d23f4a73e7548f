"""A loaded version of the table: what it renames and reorders, and the reviewer's decision on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from core.access import may
from core.errors import Refused
from core.scope import get_visible
from core.trail import history
from submissions import services
from submissions.declaration import Table, parse_table, shipped_table
from submissions.models import TableVersion
from submissions.services.tables import DECIDE, PROPOSED

TONES = {"proposed": "warn", "approved": "ok", "rejected": "bad"}


@dataclass(frozen=True)
class Moved:
    """One row that the version shows otherwise than the shipped one."""

    code: str
    before: str
    after: str
    row_before: int
    row_after: int


@require_GET
def table_version(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, _found(request, pk))


@require_POST
def table_version_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """A fund reviewer approves or declines the version."""
    found, user = _found(request, pk), request.user
    approve = request.POST.get("decision") == "approve"
    try:
        decided = services.decide_table_version(user, found, approve)  # type: ignore[arg-type]
    except Refused as refusal:
        return _page(request, _found(request, pk), refusal)
    messages.success(request, f"已办理：{decided}，{decided.get_status_display()}。")
    return redirect(decided)


def changes(table: Table, shipped: Table) -> list[Moved]:
    """Rows renamed or moved, in the order of the new version."""
    rows = []
    for row in table.rows:
        old = shipped.by_code[row.code]
        before, after = shipped.row_number(row.code), table.row_number(row.code)
        if (old.label, before) != (row.label, after):
            rows.append(Moved(row.code, old.label, row.label, before, after))
    return rows


def _found(request: HttpRequest, pk: int) -> TableVersion:
    rows = TableVersion.objects.select_related("pooling_area", "entered_by", "decided_by")
    found: TableVersion = get_visible(rows, request.user, pk=pk)
    return found


def _page(request: HttpRequest, found: TableVersion, refusal: Refused | None = None) -> HttpResponse:
    user: Any = request.user
    table = parse_table(found.document)
    context = {
        "version": found,
        "table": table,
        "tone": TONES[found.status],
        "changes": changes(table, shipped_table()),
        "may_decide": found.status == PROPOSED and bool(may(user, DECIDE, found.pooling_area)),
        "decline": {"decision": "decline"},
        "approve": {"decision": "approve"},
        "events": history(found),
        "problems": refusal.problems if refusal else [],
    }
    return render(request, "submissions/table_version.html", context, status=refusal.status if refusal else 200)
