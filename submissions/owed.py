"""What is owed by when, as the list and the matrix show it: assignments with the last version the user may see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Max, Min, Prefetch, QuerySet
from django.utils import timezone

from core.models import Alliance
from rules.periods import Quarter
from submissions.models import Assignment, Submission
from submissions.periods import TablePeriod
from submissions.states import ASSIGNMENT_TONES, UNFILED, AssignmentState, SubmissionKind, SubmissionState

OVERDUE = "overdue"
NEXT_STEPS = {
    AssignmentState.DUE: "下载模板填报，上传工作簿",
    AssignmentState.UPLOADED: "看检查结果，改正、说明后报送",
    AssignmentState.FILED: "等待医保局受理",
    AssignmentState.RETURNED: "按退回意见改正后重新上传",
    AssignmentState.ACCEPTED: "核对对账并签认",
}
MATRIX_SORTS = ("alliance", "county", "open", "overdue")
LIST_SORTS = ("period", "due", "state")


@dataclass(frozen=True)
class Owed:
    """One assignment with its last version the user sees."""

    assignment: Assignment
    last: Submission | None
    today: date

    @property
    def is_overdue(self) -> bool:
        return self.assignment.is_overdue(self.today)

    @property
    def is_excused(self) -> bool:
        """Open past its last day and yet not overdue: the bureau gave it back."""
        return self.is_open and self.assignment.last_day < self.today and not self.is_overdue

    @property
    def state(self) -> str:
        return OVERDUE if self.is_overdue else self.assignment.state

    @property
    def text(self) -> str:
        """The state in words; what an accepted or filed version says about itself goes with it."""
        label = str(AssignmentState(self.assignment.state).label)
        if self.last is not None and self.last.kind == SubmissionKind.NOTHING and self.assignment.state not in UNFILED:
            label = f"{label}（无数据）"
        return label

    @property
    def tone(self) -> str:
        return "bad" if self.is_overdue else ASSIGNMENT_TONES[AssignmentState(self.assignment.state)]

    @property
    def is_open(self) -> bool:
        return self.assignment.state in UNFILED

    @property
    def late(self) -> bool:
        """Filed, but after the last day."""
        filed = self.last
        if filed is None or filed.filed_at is None or self.assignment.in_time(filed.uploaded_at):
            return False
        return not self.assignment.is_given_back

    @property
    def next_step(self) -> str:
        if self.last is not None and self.last.state == SubmissionState.REFUSED and self.is_open:
            return "文件不能读取，按提示另存后重新上传"
        if self.assignment.state == AssignmentState.ACCEPTED and self._is_settled:
            return "已办结"
        return NEXT_STEPS[AssignmentState(self.assignment.state)]

    @property
    def _is_settled(self) -> bool:
        """Nothing was reported, or both sides signed the reconciliation."""
        if self.last is None or self.last.kind == SubmissionKind.NOTHING:
            return True
        found = getattr(self.last, "reconciliation", None)
        return found is not None and found.is_signed

    @property
    def url(self) -> str:
        return self.assignment.get_absolute_url()


@dataclass
class MatrixRow:
    """One alliance and its four periods of the year; None where nothing is owed."""

    alliance: Alliance
    cells: list[Owed | None] = field(default_factory=list)

    @property
    def open(self) -> int:
        return sum(1 for cell in self.cells if cell is not None and cell.is_open)

    @property
    def overdue(self) -> int:
        return sum(1 for cell in self.cells if cell is not None and cell.is_overdue)


def years(user: Any) -> list[int]:
    """The years with assignments the user sees and the current one, newest first."""
    bounds = Assignment.objects.visible_to(user).aggregate(first=Min("period"), last=Max("period"))
    this = timezone.localdate().year
    first = int(bounds["first"][:4]) if bounds["first"] else this
    last = int(bounds["last"][:4]) if bounds["last"] else this
    return list(range(max(this, last), first - 1, -1))


def accepted_periods(user: Any) -> list[TablePeriod]:
    """The periods with an accepted table the user sees, newest first; a reopened one stays while its successor is made."""
    rows = Assignment.objects.visible_to(user).filter(versions__state=SubmissionState.ACCEPTED).order_by("-period")
    return [TablePeriod.parse(text) for text in rows.values_list("period", flat=True).distinct()]


def owed(user: Any, year: int | None = None) -> list[Owed]:
    """The assignments the user sees, newest period first, each with its last visible version: two queries."""
    rows: QuerySet[Assignment] = Assignment.objects.visible_to(user).with_places().with_standing()
    if year is not None:
        rows = rows.filter(period__startswith=f"{year}Q")
    seen = Submission.objects.visible_to(user).select_related("uploaded_by", "reconciliation").order_by("number")
    rows = rows.prefetch_related(Prefetch("versions", queryset=seen.defer("figures", "notes"), to_attr="seen"))
    now = today()
    return [Owed(row, last_of(row, row.seen), now) for row in rows]


def last_of(assignment: Assignment, versions: Sequence[Submission]) -> Submission | None:
    """The version an assignment stands on: the accepted one, even where a draft of a reopening came after it; else the last."""
    if assignment.state == AssignmentState.ACCEPTED:
        accepted = [one for one in versions if one.state == SubmissionState.ACCEPTED]
        if accepted:
            return accepted[0]
    return max(versions, key=lambda one: one.number, default=None)


def today() -> date:
    return timezone.localdate()


def last_period() -> TablePeriod:
    """The last period that is over today."""
    return TablePeriod.ended_before(timezone.localdate())


def periods_of(year: int) -> list[TablePeriod]:
    return [TablePeriod(Quarter(year, number)) for number in (1, 2, 3, 4)]


def matrix_rows(user: Any, year: int) -> list[MatrixRow]:
    """Every alliance the user sees that stood in the year or owes something, with its four periods."""
    found = {(row.assignment.alliance_id, row.assignment.period): row for row in owed(user, year)}
    owing = {alliance for alliance, _period in found}
    first, last = date(year, 1, 1), date(year, 12, 31)
    alliances = [
        alliance
        for alliance in Alliance.objects.visible_to(user).select_related("county").order_by("code")
        if alliance.pk in owing
        or (alliance.valid_from <= last and (alliance.valid_to is None or alliance.valid_to >= first))
    ]
    names = [str(period) for period in periods_of(year)]
    return [MatrixRow(alliance, [found.get((alliance.pk, name)) for name in names]) for alliance in alliances]


def overdue_of(rows: Iterable[MatrixRow]) -> list[Owed]:
    """Everything overdue in the rows, longest first."""
    late = [cell for row in rows for cell in row.cells if cell is not None and cell.is_overdue]
    return sorted(late, key=lambda cell: (cell.assignment.last_day, cell.assignment.alliance.code))


def sorted_matrix(rows: Sequence[MatrixRow], wanted: str) -> list[MatrixRow]:
    name, backwards = wanted.lstrip("-"), wanted.startswith("-")
    if name not in MATRIX_SORTS:
        return list(rows)
    keys: dict[str, Any] = {
        "alliance": lambda row: row.alliance.code,
        "county": lambda row: (row.alliance.county.code, row.alliance.code),
        "open": lambda row: row.open,
        "overdue": lambda row: row.overdue,
    }
    return sorted(rows, key=keys[name], reverse=backwards)


def sorted_list(rows: Sequence[Owed], wanted: str) -> list[Owed]:
    name, backwards = wanted.lstrip("-"), wanted.startswith("-")
    if name not in LIST_SORTS:
        return list(rows)
    keys: dict[str, Any] = {
        "period": lambda row: row.assignment.period,
        "due": lambda row: row.assignment.last_day,
        "state": lambda row: row.state,
    }
    return sorted(rows, key=keys[name], reverse=backwards)
