"""Who owes the table by when: dated duties kept by administrators; the assignments of a period made from them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from core.access import require
from core.errors import Problem, Refused
from core.models import Alliance, PoolingArea, Role, User
from core.models.places import valid_on
from core.notices import notify_role
from core.trail import record
from submissions.models import Assignment, Duty
from submissions.periods import TablePeriod
from submissions.services.steps import change_row, page_of, trail_data
from submissions.services.tables import TABLE
from submissions.states import Act, AssignmentState, action_name

MANAGE = "submissions.manage_duties"
LONGEST_DAYS = 90
FIELDS = ("pooling_area_id", "county_id", "table", "quarters", "days_after", "valid_from", "valid_to", "basis")


def save_duty(actor: User, duty: Duty) -> Duty:
    """Add or change a dated duty. What was assigned already stays as it was."""
    require(actor, MANAGE, duty.pooling_area)
    with transaction.atomic():
        PoolingArea.objects.select_for_update(no_key=True).get(pk=duty.pooling_area_id)
        problems = _problems(duty)
        if problems:
            raise Refused(problems)
        held = Duty.objects.filter(pk=duty.pk).first() if duty.pk else None
        before = {name: getattr(held, name) for name in FIELDS} if held else {}
        after = {name: getattr(duty, name) for name in FIELDS}
        if before == after:
            return duty
        duty.save()
        verb = "更改" if held else "新增"
        data = {"before": before, "after": after}
        record(actor, MANAGE, duty, f"{verb}填报职责：{duty}", data, place=duty.county or duty.pooling_area)
        return duty


def assign_period(period: TablePeriod, actor: User | None = None) -> int:
    """Make the assignments of a period that duties ask for and that are not there yet; returns how many.

    ``actor`` None is the quarter-end job; a person needs the right at every place concerned.
    """
    made = 0
    for alliance, duty in owed(period):
        if actor is not None:
            require(actor, action_name(Act.ASSIGN), alliance)
        made += _assign(alliance, duty, period, actor)
    return made


def owed(period: TablePeriod) -> list[tuple[Alliance, Duty]]:
    """The alliances that exist at the period's end and owe the table, with their duty, less those assigned already."""
    day = period.last_day
    quarter = str(period.quarter.quarter)
    duties = [
        duty
        for duty in Duty.objects.filter(valid_on(day), table=TABLE).select_related("county", "pooling_area")
        if quarter in duty.quarters
    ]
    if not duties:
        return []
    done = Assignment.objects.filter(table=TABLE, period=str(period)).values("alliance_id")
    alliances = Alliance.objects.on(day).exclude(pk__in=done).select_related("county__pooling_area").order_by("code")
    pairs = [(alliance, _duty_of(alliance, duties)) for alliance in alliances]
    return [(alliance, duty) for alliance, duty in pairs if duty is not None]


def _duty_of(alliance: Alliance, duties: list[Duty]) -> Duty | None:
    """A county's own duty goes before that of the whole area."""
    own = [duty for duty in duties if duty.county_id == alliance.county_id]
    area = [
        duty for duty in duties if duty.county_id is None and duty.pooling_area_id == alliance.county.pooling_area_id
    ]
    return next(iter([*own, *area]), None)


def _assign(alliance: Alliance, duty: Duty, period: TablePeriod, actor: User | None) -> bool:
    with transaction.atomic():
        try:
            with transaction.atomic():
                assignment = Assignment.objects.create(
                    alliance=alliance,
                    table=duty.table,
                    period=str(period),
                    due_on=period.last_day + timedelta(days=duty.days_after),
                    basis=duty.basis,
                )
        except IntegrityError:  # assigned at the same moment by somebody else
            return False
        change = change_row(assignment, None, Act.ASSIGN, "", AssignmentState.DUE, actor)
        text = f"请于 {assignment.due_on} 前报送{assignment}。"
        notify_role([Role.HOSPITAL_FINANCE], alliance, text, page_of(assignment))
        data: dict[str, Any] = {**trail_data(change), "due_on": assignment.due_on, "basis": assignment.basis}
        record(actor, action_name(Act.ASSIGN), assignment, f"下达{assignment}，期限 {assignment.due_on}", data)
        return True


def _problems(duty: Duty) -> list[Problem]:
    found = []
    if duty.table != TABLE:
        found.append(Problem("table", duty.table, f"没有“{duty.table}”这张报表。", f"请填“{TABLE}”。"))
    if not duty.quarters or set(duty.quarters) - set("1234") or len(set(duty.quarters)) != len(duty.quarters):
        found.append(
            Problem(
                "quarters", duty.quarters, "报送期须由不重复的 1 至 4 组成。", "例如 1234（每季）、24（半年、全年）。"
            )
        )
    if not 1 <= duty.days_after <= LONGEST_DAYS:
        found.append(
            Problem("days_after", str(duty.days_after), f"期限须为期末后 1 至 {LONGEST_DAYS} 日。", "请改正。")
        )
    if duty.valid_to is not None and duty.valid_to < duty.valid_from:
        found.append(Problem("valid_to", str(duty.valid_to), "失效日期早于生效日期。", "请改正日期。"))
    if duty.county is not None and duty.county.pooling_area_id != duty.pooling_area_id:
        found.append(Problem("county", str(duty.county), "县（区）不在所选统筹区内。", "请改正。"))
    if not found and (other := _overlapping(duty)):
        found.append(
            Problem("valid_from", str(duty.valid_from), f"与已有的填报职责“{other}”生效期重叠。", "请先让原职责失效。")
        )
    return found


def _overlapping(duty: Duty) -> Duty | None:
    same = Duty.objects.exclude(pk=duty.pk).filter(
        Q(valid_to=None) | Q(valid_to__gte=duty.valid_from),
        pooling_area=duty.pooling_area_id,
        county=duty.county_id,
        table=duty.table,
    )
    same = same if duty.valid_to is None else same.filter(valid_from__lte=duty.valid_to)
    return next((other for other in same if set(other.quarters) & set(duty.quarters)), None)
