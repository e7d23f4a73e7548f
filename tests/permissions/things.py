"""One of everything a URL may name, all of it Qingxi's: what the permission table is asked about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from budgets import services as budgets
from budgets.models import LeadAccount, PackageVersion, PrepaymentBatch, Receipt, RevenueGrowth
from claims.models import ClaimsImport, OpenReject
from core import policies
from core.models import Job
from ledger.models import Book, Entry
from portal.handbook import BY_SLUG
from settlement import services as settlement
from settlement.models import AssessmentScore, SettlementVersion
from submissions import services as submissions
from submissions.declaration import shipped_text
from submissions.models import Submission
from submissions.periods import TablePeriod
from tests.budgets import ground as budget_ground
from tests.claims.extracts import claim, imported
from tests.permissions.audited import audited
from tests.permissions.monitored import monitored
from tests.settlement import ground
from tests.submissions import ground as table_ground
from tests.world import World, build_world

# Pages a person without an account may open.
PUBLIC = {"healthz", "readyz", "core:login"}
PERSONAS = (
    "officer", "reviewer", "finance", "county_officer", "hospital", "member", "auditor", "audit_reviewer", "observer",
    "admin",
)  # fmt: skip
FOREIGN = ("stranger_officer", "stranger_reviewer", "sister_hospital", "nobody")

# URL name → which thing its ``pk`` names, and the other values of the route.
NAMED_BY: dict[str, tuple[str, dict[str, Any]]] = {
    "core:job": ("job", {}),
    "core:job-progress": ("job", {}),
    "core:parameter-confirm": ("parameter", {}),
    "core:parameter-document": ("parameter", {}),
    "core:parameter-confirm-single": ("parameter", {}),
    "core:policy": ("policy", {}),
    "core:policy-approve": ("policy", {}),
    "ledger:entry": ("entry", {}),
    "claims:import": ("import", {}),
    "claims:import-accept": ("import", {}),
    "claims:import-reject": ("import", {}),
    "claims:import-retry": ("import", {}),
    "claims:rejects-csv": ("import", {}),
    "claims:rejects-xlsx": ("import", {}),
    "claims:write-off": ("reject", {}),
    "budgets:package": ("package", {}),
    "budgets:edit": ("budget", {}),
    "budgets:package-trace": ("budget", {}),
    "budgets:package-xlsx": ("budget", {}),
    "budgets:round": ("budget", {}),
    "budgets:package-approve": ("budget", {}),
    "budgets:package-act": ("budget", {"action": "submit"}),
    "budgets:allocation": ("budget", {}),
    "budgets:growth-act": ("growth", {"action": "approve"}),
    "budgets:plan-acknowledge": ("plan", {"side": "bureau"}),
    "budgets:ratio-approve": ("ratio", {}),
    "budgets:batch": ("batch", {}),
    "budgets:batch-xlsx": ("batch", {}),
    "budgets:batch-act": ("batch", {"action": "submit"}),
    "budgets:line-trace": ("line", {}),
    "budgets:line-change": ("line", {}),
    "budgets:line-receipt": ("line", {}),
    "budgets:receipt-void": ("receipt", {}),
    "budgets:payment-file": ("file", {}),
    "budgets:account-act": ("account", {"action": "approve"}),
    "settlement:score-confirm": ("score", {}),
    "settlement:adjustment-decide": ("adjustment", {"decision": "approve"}),
    "settlement:statement": ("version", {}),
    "settlement:statement-word": ("version", {}),
    "settlement:statement-xlsx": ("version", {}),
    "settlement:facts": ("version", {}),
    "settlement:act": ("version", {"act": "confirm"}),
    "settlement:pay": ("version", {}),
    "settlement:correct": ("version", {}),
    "settlement:analysis-submit": ("version", {}),
    "settlement:recovery-propose": ("version", {}),
    "submissions:assignment": ("owed", {}),
    "submissions:template": ("owed", {}),
    "submissions:upload": ("owed", {}),
    "submissions:nothing": ("owed", {}),
    "submissions:assignment-act": ("owed", {"act": "admit"}),
    "submissions:version": ("filed", {}),
    "submissions:progress": ("filed", {}),
    "submissions:original": ("filed", {}),
    "submissions:answer": ("filed", {}),
    "submissions:explain": ("filed", {}),
    "submissions:act": ("filed", {"act": "return"}),
    "submissions:diff": ("filed", {}),
    "submissions:members": ("filed", {}),
    "submissions:receipt": ("filed", {}),
    "submissions:table-version": ("table_version", {}),
    "submissions:table-version-decide": ("table_version", {}),
    "submissions:reconciliation": ("accepted", {}),
    "submissions:reconciliation-xlsx": ("accepted", {}),
    "submissions:reconciliation-explain": ("accepted", {}),
    "submissions:reconciliation-sign": ("accepted", {}),
}


@dataclass
class Things:
    """``args`` holds, per URL name (or per parameter name), the values to reverse it with."""

    world: World
    version: SettlementVersion
    args: dict[str, dict[str, Any]]


def build_things() -> Things:
    world = build_world()
    version = ground.sent(world, ground.surplus_ready(world, months=1))
    rows = [claim(number) for number in range(1, 40)] + [claim(40, total_cost="12,3x")]
    found = imported(world, rows)
    return Things(world, version, {**_arguments(world, version, found), **monitored(world), **audited(world)})


def _arguments(world: World, version: SettlementVersion, found: ClaimsImport) -> dict[str, dict[str, Any]]:
    """Per URL name the values to reverse it with."""
    budget = PackageVersion.objects.get()
    batch = PrepaymentBatch.objects.get()
    entered = policies.enter_value(world.admin, world.scheme, "overrun.O1.rate", "0.8", "赣医保发〔2022〕23号")
    plan = budgets.file_plan(
        world.hospital, world.alliance, 2025, title="内部分配办法", effective_on=date(2025, 3, 1),
        file=budget_ground.pdf("方案.pdf"),
    )  # fmt: skip
    adjustment = settlement.push_adjustment(
        world.auditor, world.alliance, 2025, "RES", "other_year_recovery", Decimal("1.00"), "青稽〔2026〕1号", "往年追回",
        origin_year=2024,
    )  # fmt: skip
    ratio = budgets.enter_ratio(world.officer, world.alliance, 2026, Decimal("0.04"), "上年度考核为基本合格")
    book = Book.objects.get(pooling_area=world.area, fund_type="RES")
    accepted, filed = tables(world)
    things: dict[str, Any] = {
        "version": version.pk,
        "budget": budget.pk,
        "package": budget.package_id,
        "batch": batch.pk,
        "line": batch.lines.get().pk,
        "file": batch.payment_files.get().pk,
        "receipt": Receipt.objects.get().pk,
        "ratio": ratio.pk,
        "parameter": entered.pk,
        "account": LeadAccount.objects.get().pk,
        "growth": RevenueGrowth.objects.get().pk,
        "plan": plan.pk,
        "adjustment": adjustment.pk,
        "score": AssessmentScore.objects.get().pk,
        "entry": Entry.objects.filter(book=book).order_by("pk")[0].pk,
        "import": found.pk,
        "reject": OpenReject.objects.get().pk,
        "job": Job.objects.get(name="claims.import").pk,
        "policy": world.scheme.pk,
        "owed": filed.assignment_id,
        "filed": filed.pk,
        "accepted": accepted.pk,
        "table_version": submissions.load_table_version(world.admin, world.area, official_form()).pk,
    }
    book_args = {"book": book.pk}
    month = {"county": world.qingxi.code, "month": "2026-09"}
    args: dict[str, dict[str, Any]] = {
        "ledger:account": book_args | {"account": "temporary_payments"},
        "ledger:account-xlsx": book_args | {"account": "temporary_payments"},
        "ledger:close": book_args,
        "ledger:reopen": book_args,
        "claims:facts": month,
        "claims:facts-xlsx": month,
        "claims:rows": month,
        "claims:facts-refresh": month,
        "portal:city": {"code": world.area.code},
        "portal:city-xlsx": {"code": world.area.code},
        "portal:county": {"code": world.qingxi.code},
        "portal:county-xlsx": {"code": world.qingxi.code},
        **{
            f"portal:{name}": {"code": world.alliance.code}
            for name in ("alliance", "members-xlsx", "member-trace", "months", "months-xlsx")
        },
        "portal:figure-trace": {"code": world.alliance.code, "name": "package"},
        "portal:help-topic": {"slug": next(iter(BY_SLUG))},
        "budgets:file": {"kind": "plan", "pk": things["plan"]},
    }
    args["submissions:reconciliation-rows"] = {"pk": accepted.pk, "line": accepted.reconciliation.lines.all()[1].pk}
    for name, (thing, extra) in NAMED_BY.items():
        args[name] = {"pk": things[thing], **extra}
    return args


def official_form() -> str:
    """The shipped table under another version number."""
    return shipped_text().replace('version = "1"', 'version = "2026-1"', 1)


def tables(world: World) -> tuple[Submission, Submission]:
    """An accepted quarterly table and a filed one, of a year without a package: their figures need not agree with it."""
    first, second = (table_ground.assignment(world, TablePeriod.parse(text)) for text in ("2024Q2", "2024Q3"))
    return table_ground.accepted(world, first), table_ground.filed(world, second)


def named_urls() -> dict[str, str]:
    """Every page's URL name and route; the API and the admin have tables of their own."""
    found: dict[str, str] = {}

    def walk(patterns: list[Any], space: str, route: str) -> None:
        for pattern in patterns:
            if isinstance(pattern, URLResolver) and pattern.namespace not in ("admin", "api"):
                walk(pattern.url_patterns, pattern.namespace or space, route + str(pattern.pattern))
            elif isinstance(pattern, URLPattern) and pattern.name:
                found[f"{space}:{pattern.name}" if space else pattern.name] = route + str(pattern.pattern)

    walk(get_resolver().url_patterns, "", "")
    return found
