"""An accepted table against the monthly facts: lines and differences, explanations, signatures, the rows behind a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from core.access import BUREAU_ROLES, may, require, roles_at
from core.errors import Problem, Refused
from core.exports import export_workbook
from core.models import Role
from core.templatetags.fund import day
from core.trail import head_hash
from submissions import services, tidy
from submissions.declaration import Row, Table
from submissions.models import Reconciliation, ReconciliationLine, Submission
from submissions.preview import FUND_NAMES
from submissions.reading.behind import lines_behind
from submissions.states import Act, SubmissionState, action_name
from submissions.views.acts import typed_texts
from submissions.views.finding import find_version, is_hospital
from submissions.views.version import table_of_version

DRILLED = 400


@dataclass(frozen=True)
class LineShown:
    """One line with its row's label and the difference as it is told."""

    line: ReconciliationLine
    row: Row
    filed: Decimal | None
    facts: Decimal | None
    typed: str

    @property
    def is_money(self) -> bool:
        return self.row.is_money

    @property
    def difference(self) -> Decimal | None:
        return None if self.filed is None or self.facts is None else self.filed - self.facts

    @property
    def share(self) -> Decimal | None:
        """The difference as a fraction of what the system holds."""
        difference = self.difference
        return None if difference is None or not self.facts else difference / self.facts

    @property
    def is_open(self) -> bool:
        return self.line.must_explain and not self.line.explanation


@require_GET
def reconciliation(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, *_find(request, pk))


@require_GET
def reconciliation_xlsx(request: HttpRequest, pk: int) -> HttpResponse:
    """Every line with its difference and explanation."""
    found, record = _find(request, pk)
    lines = _lines(found, record, {})
    name = f"{found.alliance.name}_{found.assignment.of.text.replace(' ', '')}_对账.xlsx"
    return export_workbook(request.user, found, name, tidy.reconciliation_sheets(found, record, lines))  # type: ignore[arg-type]


def reconciliation_explain(request: HttpRequest, pk: int) -> HttpResponse:
    """Save every explanation of the page with one button; all or none."""
    found, record = _find(request, pk)
    if request.method != "POST":
        return redirect("submissions:reconciliation", pk)
    require(request.user, action_name(Act.EXPLAIN), found.alliance)  # type: ignore[arg-type]
    texts = typed_texts(request)
    try:
        services.explain_lines(request.user, record, texts)  # type: ignore[arg-type]
    except Refused as refusal:
        return _page(request, found, record, refusal, texts)
    messages.success(request, "差异说明已保存。")
    return redirect("submissions:reconciliation", pk)


def reconciliation_sign(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign for the side the user stands on."""
    found, record = _find(request, pk)
    if request.method != "POST":
        return redirect("submissions:reconciliation", pk)
    require(request.user, action_name(Act.SIGN), found.alliance)  # type: ignore[arg-type]
    try:
        services.sign(request.user, record)  # type: ignore[arg-type]
    except Refused as refusal:
        return _page(request, found, record, refusal)
    messages.success(request, "已签认对账。")
    return redirect("submissions:reconciliation", pk)


@require_GET
def reconciliation_rows(request: HttpRequest, pk: int, line: int) -> HttpResponse:
    """The institutions and months behind what the system says of one line."""
    found, record = _find(request, pk)
    shown = next((one for one in _lines(found, record, {}) if one.line.pk == line), None)
    if shown is None:
        raise Http404("没有这一行。")
    behind = lines_behind(found, shown.line, shown.row)
    context = {
        "version": found,
        "assignment": found.assignment,
        "period": found.assignment.of,
        "shown": shown,
        "months": _by_month(behind),
        "rows": behind[:DRILLED],
        "row_count": len(behind),
        "total": sum((one.value for one in behind), Decimal(0)),
        "county": found.alliance.county if roles_at(request.user, found.alliance) & BUREAU_ROLES else None,  # type: ignore[arg-type]
    }
    return render(request, "submissions/reconciliation_rows.html", context)


def _find(request: HttpRequest, pk: int) -> tuple[Submission, Reconciliation]:
    found = find_version(request, pk)
    record = Reconciliation.objects.select_related("hospital_signed_by", "bureau_signed_by").filter(submission=found)
    made = record.first()
    if made is None:
        raise Http404("这一版还没有对账；受理后由系统自动对账。")
    return found, made


def _lines(found: Submission, record: Reconciliation, typed: dict[int, str]) -> list[LineShown]:
    table = _table(found)
    shown = []
    for line in record.lines.select_related("explained_by"):
        row = table.by_code[line.row_code]
        filed, facts = (
            (line.amount_filed, line.amount_facts) if row.is_money else (line.number_filed, line.number_facts)
        )
        shown.append(LineShown(line, row, filed, facts, typed.get(line.pk, line.explanation)))
    return shown


def _table(found: Submission) -> Table:
    table = table_of_version(found)
    if table is None:
        raise Http404("这一版所用的报表定义已经没有了。")
    return table


def _by_month(behind: Sequence[Any]) -> list[dict[str, Any]]:
    months: dict[Any, Decimal] = {}
    for one in behind:
        months[one.month] = months.get(one.month, Decimal(0)) + one.value
    return [{"month": month, "value": value} for month, value in sorted(months.items())]


def _page(
    request: HttpRequest,
    found: Submission,
    record: Reconciliation,
    refusal: Refused | None = None,
    typed: dict[int, str] | None = None,
) -> HttpResponse:
    user: Any = request.user
    lines = _lines(found, record, typed or {})
    must = [one for one in lines if one.line.must_explain]
    hospital = is_hospital(user, found.assignment)
    officer = Role.FUND_OFFICER in roles_at(user, found.alliance)
    complete = any(one.facts is not None for one in lines)
    turn = record.hospital_signed_at is None if hospital else officer and record.hospital_signed_at is not None
    may_explain = bool(may(user, action_name(Act.EXPLAIN), found.alliance)) and record.hospital_signed_at is None
    context: dict[str, Any] = {
        "version": found,
        "assignment": found.assignment,
        "period": found.assignment.of,
        "record": record,
        "groups": [
            {"fund": fund, "label": label, "lines": [one for one in lines if one.line.fund_type == fund]}
            for fund, label in FUND_NAMES.items()
        ],
        "asked": must,
        "must": len(must),
        "open": sum(1 for one in must if one.is_open),
        "different": sum(1 for one in lines if one.difference),
        "line_count": len(lines),
        "may_explain": may_explain,
        "complete": complete,
        "may_sign": complete and turn and record.bureau_signed_at is None and found.state == SubmissionState.ACCEPTED,
        "side": "医共体" if hospital else "医保局",
        "signatures": _signatures(record),
        "trail_head": head_hash(found.alliance),
        "problems": [Problem("", "", one.text, one.remedy) for one in refusal.problems] if refusal else [],
    }
    return render(request, "submissions/reconciliation.html", context, status=refusal.status if refusal else 200)


def _signatures(record: Reconciliation) -> list[dict[str, Any]]:
    sides = (
        ("医共体（牵头医院）", record.hospital_signed_by, record.hospital_signed_at),
        ("医保局经办", record.bureau_signed_by, record.bureau_signed_at),
    )
    return [
        {"role": role, "name": str(who), "when": day(when, "time")} if when else {"role": role, "pending": "待签认"}
        for role, who, when in sides
    ]
