"""Keeping the figures of an accepted version as rows, so that other apps read cells and never workbooks."""

from __future__ import annotations

from collections.abc import Iterator

from submissions.declaration import Table
from submissions.figures import Figures
from submissions.models import AcceptedFigure, Submission
from submissions.services.tables import table_of


def table_of_version(submission: Submission) -> Table:
    """The declaration the version was filed on."""
    assignment = submission.assignment
    table = table_of(assignment.alliance.county.pooling_area, assignment.table, submission.table_version)
    if table is None:
        raise LookupError(f"no table {assignment.table} {submission.table_version}")
    return table


def store_accepted(submission: Submission) -> int:
    """Write every filled cell of the version, inside the transaction that accepts it; returns how many."""
    table, figures = table_of_version(submission), Figures.from_json(submission.figures)
    rows = [*_fund_rows(submission, table, figures), *_member_rows(submission, table, figures)]
    return len(AcceptedFigure.objects.bulk_create(rows, batch_size=400))


def _fund_rows(submission: Submission, table: Table, figures: Figures) -> Iterator[AcceptedFigure]:
    for fund, rows in figures.funds.items():
        for code, held in rows.items():
            if held.current is not None:
                money = table.by_code[code].is_money
                yield AcceptedFigure(
                    submission=submission,
                    fund_type=fund,
                    key=code,
                    amount=held.current if money else None,
                    number=None if money else held.current,
                )


def _member_rows(submission: Submission, table: Table, figures: Figures) -> Iterator[AcceptedFigure]:
    for member in figures.members:
        for key, value in member.values.items():
            if value is not None:
                money = table.member_by_key[key].is_money
                yield AcceptedFigure(
                    submission=submission,
                    fund_type=member.fund_type,
                    institution=member.institution,
                    key=key,
                    amount=value if money else None,
                    number=None if money else value,
                )
