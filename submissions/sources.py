"""What a table is prefilled with and compared with: package, ledger, allocations, accepted tables, members, facts.

All of it as it stood on the last day of the period, so that a late or repeated check says the same as an early one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from budgets.reading import PackageInForce, member_allocations, packages_in_force, prepaid_of
from claims.reading import Measures, fund_years, measures
from core.models import Alliance, Institution
from rules.money import ZERO
from submissions.checks import CheckContext
from submissions.declaration import Table
from submissions.figures import Figures
from submissions.models import Assignment, Submission
from submissions.parameters import limits_at
from submissions.periods import TablePeriod
from submissions.registries import prefill_sources
from submissions.states import SubmissionKind, SubmissionState

if TYPE_CHECKING:
    from submissions.workbook import Expected, Prefill

FUNDS = ("RES", "EMP")
BUDGETS = {"charged": "total", "in_alliance": "in_alliance", "outflow": "out_of_county"}
"""Fact key of a row with a yearly budget → the part of the package it shows."""


@dataclass(frozen=True)
class Compared:
    """Package and facts of an alliance at a period's end, by fund type."""

    packages: Mapping[str, PackageInForce]
    measures: Mapping[str, Measures]

    @property
    def is_complete(self) -> bool:
        """Whether every month of the period was delivered."""
        return all(found.is_complete for found in self.measures.values())

    def budgets(self, table: Table) -> dict[str, dict[str, Decimal]]:
        return {
            fund: {row.code: getattr(package, BUDGETS[row.fact]) for row in table.rows if row.budget and row.fact in BUDGETS}
            for fund, package in self.packages.items()
        }


def compared(alliance: Alliance, period: TablePeriod) -> Compared:
    """The packages in force on the last day, and the measures of the facts under their scopes."""
    packages = packages_in_force([alliance], period.year, on=period.last_day)
    scopes = {key: package.scope for key, package in packages.items()}
    found = measures([alliance], period.last_month, scopes)
    return Compared(
        {fund: packages[(alliance.pk, fund)] for fund in FUNDS if (alliance.pk, fund) in packages},
        {fund: found[(alliance.pk, fund)] for fund in FUNDS},
    )


def context_of(assignment: Assignment, figures: Figures, table: Table) -> CheckContext:
    """What the checks of an upload for ``assignment`` compare ``figures`` with."""
    alliance, period = assignment.alliance, assignment.of
    beside = compared(alliance, period)
    before = accepted_before(assignment)
    limits = limits_at(alliance, period.last_day)
    facts = {fund: dict(found.values) for fund, found in beside.measures.items() if found.is_complete}
    if limits.primary_base == "county":
        years = fund_years([alliance], period.year, through=period.last_month)
        for fund, values in facts.items():
            values["county"] = years[(alliance.pk, fund)].county_total
    return CheckContext(
        table=table,
        period=period,
        figures=figures,
        previous=before.get(str(period.previous)) if period.previous else None,
        last_year=before.get(str(period.last_year)),
        package={fund: package.total for fund, package in beside.packages.items()},
        prepaid=prepaid(alliance, period),
        facts=facts,
        budgets=beside.budgets(table),
        limits=limits,
    )


def prefill_of(assignment: Assignment, table: Table) -> Prefill:
    """What the template of ``assignment`` is filled with."""
    from submissions.workbook import Prefill, PrefillMember

    alliance, period = assignment.alliance, assignment.of
    lead = alliance.lead_hospital(period.last_day)
    packages = packages_in_force([alliance], period.year, on=period.last_day)
    beside = Compared({fund: packages[(alliance.pk, fund)] for fund in FUNDS if (alliance.pk, fund) in packages}, {})
    return Prefill(
        alliance_code=alliance.code,
        alliance_name=alliance.name,
        county_name=alliance.county.name,
        lead_name=lead.name if lead else "",
        period=period,
        assignment=assignment.pk,
        members=tuple(
            PrefillMember(member.code, member.name, member.get_kind_display()) for member in members_of(alliance, period)
        ),
        values=_values(assignment, table, beside),
        member_values=_member_values(alliance, period, table),
    )


def expected_of(assignment: Assignment) -> Expected:
    """What an uploaded workbook must have been made for."""
    from submissions.services.tables import table_of
    from submissions.workbook import Expected

    alliance, period = assignment.alliance, assignment.of
    area = alliance.county.pooling_area
    return Expected(
        alliance_code=alliance.code,
        period=period,
        assignment=assignment.pk,
        members=frozenset(member.code for member in members_of(alliance, period)),
        tables=lambda table, version: table_of(area, table, version),
    )


def members_of(alliance: Alliance, period: TablePeriod) -> list[Institution]:
    """The members on the period's last day, the lead hospital first."""
    lead = alliance.lead_hospital(period.last_day)
    found = Institution.objects.members_of(alliance, period.last_day).order_by("code")
    return sorted(found, key=lambda member: lead is None or member.pk != lead.pk)


def prepaid(alliance: Alliance, period: TablePeriod) -> dict[str, Decimal]:
    """Yuan prepaid for the year through the period's last day, by fund type, from the ledger."""
    paid = prepaid_of([alliance], period.year, until=period.last_day)
    return {fund: paid.get((alliance.pk, fund), ZERO) for fund in FUNDS}


def accepted_before(assignment: Assignment) -> dict[str, Figures]:
    """The accepted tables of the period before and of the same period last year, by period."""
    period = assignment.of
    wanted = [str(period.last_year), *([str(period.previous)] if period.previous else [])]
    rows = Submission.objects.filter(
        state=SubmissionState.ACCEPTED,
        kind=SubmissionKind.WORKBOOK,
        assignment__alliance=assignment.alliance_id,
        assignment__table=assignment.table,
        assignment__period__in=wanted,
    )
    return {name: Figures.from_json(stored) for name, stored in rows.values_list("assignment__period", "figures")}


def _values(assignment: Assignment, table: Table, beside: Compared) -> dict[tuple[str, str, str], Decimal]:
    alliance, period = assignment.alliance, assignment.of
    paid = prepaid(alliance, period)
    given = {fund: _registered(alliance, period, fund) for fund in FUNDS}
    values: dict[tuple[str, str, str], Decimal] = {}
    for row in table.typed_rows:
        for fund in FUNDS:
            package = beside.packages.get(fund)
            known = {"package": package.total if package else None, "prepaid": paid[fund], **given[fund]}
            value = known.get(row.prefill) if row.prefill else None
            if value is not None:
                values[(fund, row.code, "current")] = value
    for fund, rows in beside.budgets(table).items():
        values.update({(fund, code, "budget"): value for code, value in rows.items()})
    _add_totals(values)
    last_year = accepted_before(assignment).get(str(period.last_year))
    if last_year is not None:
        for fund in last_year.funds:
            for row in table.typed_rows:
                value = last_year.current(fund, row.code)
                if value is not None:
                    values[(fund, row.code, "last")] = value
    return values


def _registered(alliance: Alliance, period: TablePeriod, fund: str) -> dict[str, Decimal]:
    """What the registered sources know, by ``prefix.key``."""
    return {
        f"{prefix}.{key}": value
        for prefix, source in prefill_sources
        for key, value in source(alliance, period, fund).items()
    }


def _add_totals(values: dict[tuple[str, str, str], Decimal]) -> None:
    """The total's cell where both funds' are known."""
    for (fund, code, column), value in list(values.items()):
        other = values.get(("EMP", code, column))
        if fund == "RES" and other is not None:
            values[("ALL", code, column)] = value + other


def _member_values(alliance: Alliance, period: TablePeriod, table: Table) -> dict[tuple[str, str, str], Decimal]:
    columns = [column.key for column in table.member_columns if column.prefill == "allocation"]
    return {
        (line.institution.code, fund, key): line.amount
        for fund in FUNDS
        for line in (member_allocations(alliance, period.year, fund) if columns else [])
        for key in columns
    }
