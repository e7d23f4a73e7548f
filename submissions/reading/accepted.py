"""Accepted tables: whole, by alliance, and cell by cell for many alliances and periods."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Max

from core.models import Alliance, Institution, PoolingArea
from rules.periods import Month, quarters_of_year
from submissions.declaration import UNITS, Table, shipped_table
from submissions.figures import Figures
from submissions.models import AcceptedFigure, Submission
from submissions.periods import TablePeriod
from submissions.services.tables import TABLE, table_of
from submissions.states import SubmissionKind, SubmissionState

FUND_ORDER = {"RES": 0, "EMP": 1, "ALL": 2}


@dataclass(frozen=True)
class FigureRow:
    """One accepted cell. ``institution`` empty: the fund sheet. ``value`` in yuan where ``unit`` is 元."""

    alliance: Alliance
    period: TablePeriod
    fund_type: str
    institution: str
    institution_name: str
    code: str
    label: str
    unit: str
    value: Decimal
    is_money: bool


def accepted(alliances: Collection[Alliance], period: TablePeriod, table: str = TABLE) -> dict[int, Figures]:
    """The accepted table of each alliance that has one, by alliance id; one query. "Nothing to report" has none."""
    rows = Submission.objects.filter(
        state=SubmissionState.ACCEPTED,
        kind=SubmissionKind.WORKBOOK,
        assignment__alliance__in=[alliance.pk for alliance in alliances],
        assignment__period=str(period),
        assignment__table=table,
    )
    return {pk: Figures.from_json(stored) for pk, stored in rows.values_list("assignment__alliance_id", "figures")}


def accepted_figures(
    alliances: Collection[Alliance],
    periods: Collection[TablePeriod],
    *,
    keys: Collection[str] | None = None,
    members: bool = True,
    table: str = TABLE,
) -> list[FigureRow]:
    """Every accepted cell as one row, by alliance, period, fund type, institution and the order of the table.

    ``keys`` keeps only these rows and member columns; ``members`` False leaves the member sheet out. Three queries and one
    for each version of the table that was filed on.
    """
    found = AcceptedFigure.objects.filter(
        submission__state=SubmissionState.ACCEPTED,
        submission__assignment__alliance__in=[alliance.pk for alliance in alliances],
        submission__assignment__period__in=[str(period) for period in periods],
        submission__assignment__table=table,
    )
    if keys is not None:
        found = found.filter(key__in=list(keys))
    if not members:
        found = found.filter(institution="")
    places = {alliance.pk: alliance for alliance in alliances}
    cells = found.order_by().values_list(
        "submission__assignment__alliance_id", "submission__assignment__period", "submission__table_version",
        "submission__assignment__alliance__county__pooling_area", "fund_type", "institution", "key", "amount", "number",
    )  # fmt: skip
    rows = list(cells)
    names = _names({row[5] for row in rows if row[5]})
    labels = {key: _labels(_table(*key, table)) for key in {(row[3], row[2]) for row in rows}}
    made = []
    for alliance, period, version, area, fund, institution, key, amount, number in rows:
        at, label, unit = labels[(area, version)].get((bool(institution), key), (9999, key, ""))
        money = amount is not None
        value = number if amount is None else amount
        if value is None:
            continue
        row = FigureRow(
            places[alliance], TablePeriod.parse(period), fund, institution, names.get(institution, institution), key, label,
            "元" if money else unit, value, money,
        )  # fmt: skip
        made.append(((row.alliance.code, period, bool(institution), FUND_ORDER[fund], institution, at), row))
    return [row for _order, row in sorted(made, key=lambda one: one[0])]


def _names(codes: Collection[str]) -> dict[str, str]:
    return dict(Institution.objects.filter(code__in=list(codes)).values_list("code", "name"))


def _table(area: int, version: str, table: str) -> Table:
    return table_of(PoolingArea(pk=area), table, version) or shipped_table(table)


def _labels(table: Table) -> dict[tuple[bool, str], tuple[int, str, str]]:
    """(of the member sheet, key) → order, label, unit."""
    rows = {(False, row.code): (at, row.label, UNITS[row.unit]) for at, row in enumerate(table.rows)}
    columns = {(True, column.key): (at, column.label, UNITS[column.unit]) for at, column in enumerate(table.member_columns)}
    return rows | columns


def latest_amounts(
    alliances: Collection[Alliance], through: Month, keys: Collection[str], table: str = TABLE
) -> dict[tuple[int, str], dict[str, Decimal]]:
    """Money cells of the latest accepted table of the year up to a month, by (alliance id, fund type); one query."""
    periods = [str(TablePeriod(quarter)) for quarter in quarters_of_year(through.year) if quarter.months[2] <= through]
    rows = AcceptedFigure.objects.filter(
        submission__state=SubmissionState.ACCEPTED,
        submission__assignment__alliance__in=[alliance.pk for alliance in alliances],
        submission__assignment__period__in=periods,
        submission__assignment__table=table,
        institution="",
        key__in=list(keys),
    )
    names = ("submission__assignment__alliance_id", "fund_type", "submission__assignment__period", "key", "amount")
    latest: dict[tuple[int, str], tuple[str, dict[str, Decimal]]] = {}
    for alliance, fund, period, key, amount in rows.order_by("submission__assignment__period").values_list(*names):
        held = latest.get((alliance, fund))
        if held is None or held[0] != period:
            held = latest[(alliance, fund)] = (period, {})
        if amount is not None:
            held[1][key] = amount
    return {key: cells for key, (_period, cells) in latest.items()}


def accepted_at(counties: Collection[int] | None = None, table: str = TABLE) -> dict[tuple[int, str], datetime]:
    """When a table of a county (None: of every county) and period was last accepted; one query."""
    rows = Submission.objects.filter(
        state=SubmissionState.ACCEPTED, decided_at__isnull=False, assignment__table=table
    ).order_by()
    if counties is not None:
        rows = rows.filter(assignment__alliance__county__in=counties)
    found = rows.values_list("assignment__alliance__county_id", "assignment__period").annotate(at=Max("decided_at"))
    return {(county, period): at for county, period, at in found}
