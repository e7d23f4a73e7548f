"""Everything one package's page shows, gathered once; shown again with what was typed after a refusal."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from budgets.forms import ApprovalForm, RoundForm
from budgets.models import AllocationState, AllocationVersion, Package, PackageState, PackageVersion
from budgets.reading import prepayment_year
from budgets.views.requests import Shown, person, rights
from claims.reading import member_spending
from core.access import may
from core.models import User
from core.scope import get_visible
from core.templatetags.fund import day
from core.trail import history
from ledger.reading import entries_of
from rules.budget import PRIMARY_BASES
from rules.money import ZERO

COMPARED = 4
STATE_TONES = {"draft": "", "submitted": "run", "approved": "ok", "returned": "bad", "withdrawn": ""}


def package_page(request: HttpRequest, pk: int, shown: Shown, number: int | None = None) -> HttpResponse:
    """Render a package at the asked version (default: the one being worked on, else the latest)."""
    user = person(request)
    package = get_visible(Package.objects.select_related("alliance__county__pooling_area"), user, pk=pk)
    versions = list(
        PackageVersion.objects.visible_to(user)
        .filter(package=package)
        .select_related("growth__evidence", "policy_version", "prepared_by", "submitted_by", "decided_by", "evidence")
        .order_by("number")
    )
    if not versions:
        raise Http404("没有找到这项内容，或者它还没有报审。")
    for version in versions:
        version.package = package
    version = _chosen(versions, number or _asked(request))
    held = rights(
        user,
        package.alliance,
        "prepare_package",
        "approve_package",
        "prepare_allocation",
        "approve_allocation",
    )
    allocations = _allocations(user, package)
    context = {
        "package": package,
        "version": version,
        "versions": versions,
        "tone": STATE_TONES[version.state],
        "steps": _steps(version),
        "years": _years(version),
        "rounds": list(version.rounds.select_related("file", "recorded_by")),
        "compare": _compare(versions),
        "primary_base": PRIMARY_BASES.get(version.primary_base, ""),
        "scope": _scope(version),
        "allocation": _allocation(package, allocations, version),
        "allocations": allocations,
        "prepaid": prepayment_year(package.alliance, package.year, package.fund_type),
        "events": _events(version),
        "entries": list(entries_of(version)) if may(user, "ledger.read", package.alliance) else [],
        "may_open_facts": bool(may(user, "claims.view", package.alliance)),
        "rights": held,
        "buttons": _buttons(user, package, version, held),
        "dialogs": shown.dialogs(),
        "returned_allocation": shown.dialogs().get("allocation-return", {}),
        "page_problems": shown.problems if shown.name in ("submit", "allocation-submit", "allocation-approve") else [],
        "approval_form": _form(shown, "approve") or ApprovalForm(initial={"decided_on": timezone.localdate()}),
        "round_form": _form(shown, "round") or RoundForm(),
        "unconfirmed": _unconfirmed(version),
        "own_url": f"{reverse('budgets:package', args=[package.pk])}?version={version.number}",
    }
    return render(request, "budgets/package.html", context, status=shown.status)


def _asked(request: HttpRequest) -> int | None:
    text = request.GET.get("version", "")
    return int(text) if text.isdecimal() else None


def _chosen(versions: list[PackageVersion], number: int | None) -> PackageVersion:
    if number is not None:
        for version in versions:
            if version.number == number:
                return version
        raise Http404("没有这个版本。")
    opened = [version for version in versions if version.is_open]
    approved = [version for version in versions if version.state == PackageState.APPROVED]
    return (opened or approved or versions)[-1]


def _form(shown: Shown, name: str) -> Any:
    return shown.form if shown.name == name else None


def _steps(version: PackageVersion) -> list[dict[str, Any]]:
    """Draft, negotiation, submission, approval: who and when."""
    order = {"draft": 0, "returned": 0, "withdrawn": 0, "submitted": 2, "approved": 3}
    reached = order[version.state]
    rounds = version.rounds.count()
    negotiated = bool(rounds or version.no_negotiation_reason)
    drafted = {
        "label": "起草测算",
        "state": "refused" if version.state == PackageState.RETURNED else ("done" if reached else "current"),
        "who": str(version.prepared_by),
        "when": day(version.prepared_at, "time"),
        "note": version.decision_note if version.state == PackageState.RETURNED else "",
    }
    talked = {
        "label": "谈判协商",
        "state": "done" if negotiated else ("current" if not reached else "todo"),
        "note": f"{rounds} 轮" if rounds else ("未协商，已说明原因" if negotiated else "至少一轮"),
    }
    sent = {
        "label": "报审",
        "state": "done" if reached >= 2 else "todo",
        "who": str(version.submitted_by or ""),
        "when": day(version.submitted_at, "time") if version.submitted_at else "",
    }
    decided = {
        "label": "审定执行",
        "state": "done" if reached == 3 else ("current" if reached == 2 else "todo"),
        "who": str(version.decided_by) if reached == 3 else ("基金复核" if reached == 2 else ""),
        "when": day(version.decided_on, "iso") if reached == 3 else "",
    }
    return [drafted, talked, sent, decided]


def _years(version: PackageVersion) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    before = None
    for used in version.base_years.all():
        total = used.in_alliance + used.out_of_county
        growth = total / before - 1 if before else None
        rows.append({"used": used, "total": total, "growth": growth})
        before = total
    return rows


def _compare(versions: list[PackageVersion]) -> dict[str, Any] | None:
    chosen = [version for version in versions if version.state != PackageState.WITHDRAWN][-COMPARED:]
    if len(chosen) < 2:
        return None
    first, last = chosen[0], chosen[-1]
    names = (
        ("上年结算基数", "last_year_base", False),
        ("前三年平均基数", "three_year_base", False),
        ("口径调整", "scope_change", False),
        ("打包总额上限", "ceiling", False),
        ("测算总额", "suggested", False),
        ("打包总额", "total", True),
        ("其中医共体内", "in_alliance", False),
        ("其中县域外（计划）", "out_of_county", False),
    )
    rows = []
    for label, name, total in names:
        values = [getattr(version, name) for version in chosen]
        both = getattr(first, name) is not None and getattr(last, name) is not None
        difference = getattr(last, name) - getattr(first, name) if both else None
        rows.append({"label": label, "values": values, "difference": difference, "total": total})
    return {
        "versions": [
            {
                "label": f"第 {version.number} 版",
                "note": f"{version.get_kind_display()} · {version.get_state_display()}",
                "url": f"?version={version.number}",
            }
            for version in chosen
        ],
        "rows": rows,
        "from": first.number,
        "to": last.number,
    }


def _scope(version: PackageVersion) -> dict[str, list[str]]:
    flags = (
        ("普通门诊", version.general_outpatient),
        ("门诊慢特病", version.chronic_outpatient),
        ("住院", version.inpatient),
        ("县域外就医", version.out_of_county_care),
        ("职工生育", version.employee_maternity),
    )
    inside = [label for label, flag in flags if flag]
    outside = [
        label for label, flag in flags if not flag and not (label == "职工生育" and version.package.fund_type == "RES")
    ]
    return {"inside": inside, "outside": [*outside, "个人账户", "大病保险", "突发公共卫生救治", "医共体外定点机构"]}


def _allocations(user: User, package: Package) -> list[AllocationVersion]:
    found = AllocationVersion.objects.visible_to(user).filter(package=package)
    if not (
        may(user, "budgets.prepare_allocation", package.alliance)
        or may(user, "budgets.approve_allocation", package.alliance)
    ):
        found = found.filter(state=AllocationState.APPROVED)
    allocations = list(
        found.exclude(state=AllocationState.WITHDRAWN)
        .select_related("prepared_by", "submitted_by", "decided_by", "package_version")
        .order_by("number")
    )
    for allocation in allocations:
        allocation.package = package
    return allocations


def _allocation(
    package: Package, allocations: list[AllocationVersion], version: PackageVersion
) -> dict[str, Any] | None:
    """The allocation shown: the open one, else the latest; beside each member what it has spent this year."""
    if not allocations:
        return None
    chosen = next(
        (found for found in reversed(allocations) if found.state != AllocationState.APPROVED), allocations[-1]
    )
    spent = {
        line.institution.pk: line.amount for line in member_spending(package.alliance, package.year, package.fund_type)
    }
    rows: list[dict[str, Any]] = []
    for line in chosen.lines.select_related("institution"):
        executed = spent.get(line.institution_id)
        rate = executed * 100 / line.amount if executed is not None and line.amount else None
        rows.append({"line": line, "executed": executed, "rate": rate})
    primary = sum((row["line"].amount for row in rows if not row["line"].is_quota), ZERO)
    return {
        "chosen": chosen,
        "rows": rows,
        "primary": primary,
        "primary_share": primary / chosen.total if chosen.total else None,
        "executed": sum(spent.values(), ZERO) if spent else None,
        "tone": STATE_TONES[chosen.state],
        "outdated": chosen.package_version.number != version.number or chosen.total != version.in_alliance,
    }


def _events(version: PackageVersion) -> list[dict[str, Any]]:
    found = history(version).order_by("-pk")[:12]
    return [{"label": event.summary, "when": timezone.localtime(event.at), "who": event.actor_name} for event in found]


def _buttons(user: User, package: Package, version: PackageVersion, held: dict[str, bool]) -> dict[str, bool]:
    """Which acts the page offers; the services decide again."""
    prepared = user.pk in (version.prepared_by_id, version.submitted_by_id)
    submitted = version.state == PackageState.SUBMITTED
    opened = package.closed_at is None
    return {
        "edit": held["prepare_package"] and version.is_editable and opened,
        "submit": held["prepare_package"] and version.is_editable and opened,
        "withdraw": held["prepare_package"] and version.is_open,
        "approve": held["approve_package"] and submitted and not prepared and opened,
        "return": held["approve_package"] and submitted and not prepared,
        "adjust": held["prepare_package"] and version.state == PackageState.APPROVED and opened,
        "round": held["prepare_package"] and version.is_editable,
        "allocate": held["prepare_allocation"] and version.state != PackageState.WITHDRAWN and opened,
    }


def _unconfirmed(version: PackageVersion) -> list[dict[str, str]]:
    return [
        {"label": step["label"], "value": step["value"], "clause": step["clause"]}
        for step in (*version.trace, *version.primary_trace)
        if step.get("status", "confirmed") != "confirmed"
    ]
