"""What the party said of each finding and what it was answered, for the findings' table and for the statements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audits.models import Case, ProviderStatement, StatementReply


@dataclass(frozen=True)
class Said:
    """The latest word on one finding: whether it is agreed with, why not, and the answer if there is one."""

    agrees: bool
    text: str
    outcome: str

    @property
    def words(self) -> str:
        """认可 / 有异议：病情反复（不采纳）."""
        said = "认可" if self.agrees else "有异议"
        answer = f"（{self.outcome}）" if self.outcome and not self.agrees else ""
        return f"{said}{f'：{self.text}' if self.text else ''}{answer}"


def statements_of(case: Case) -> list[ProviderStatement]:
    """Every statement of the case, oldest first, with its files and answer; a fixed number of queries."""
    rows = ProviderStatement.objects.filter(track__case=case).select_related("track", "given_by", "reply__by")
    return list(rows.prefetch_related("files").order_by("given_at", "pk"))


def reply_of(statement: ProviderStatement) -> StatementReply | None:
    return getattr(statement, "reply", None)


def points_of(statement: ProviderStatement) -> dict[int, Mapping[str, Any]]:
    """What a statement says of each finding, by the finding's id."""
    return {int(row["finding"]): row for row in statement.points}


def said_of_findings(statements: list[ProviderStatement]) -> dict[int, Said]:
    """Finding id → the latest word on it."""
    found = {}
    for statement in statements:
        reply = reply_of(statement)
        outcome = reply.get_outcome_display() if reply is not None else ""
        for pk, row in points_of(statement).items():
            found[pk] = Said(bool(row["agrees"]), str(row["text"]), outcome)
    return found
