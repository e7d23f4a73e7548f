"""What the money of cases asks of a person on the home page: receipts due for fund finance, fines due for the officers."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import Prefetch

from audits.models import AmountKind, Case, Deadline, DecidedAmount, Track
from audits.reading.money import REPAYMENT, fine_position, positions, served_cases
from audits.states import TrackKind, TrackState
from core.access import has_any_role
from core.models import Role, User
from core.registries import Todo
from rules.money import ZERO

LIMIT = 20


def todos(user: User) -> list[Todo]:
    """Nearest day first; a handful of queries whatever the number of cases."""
    found: list[Todo] = []
    if has_any_role(user, {Role.FUND_FINANCE}):
        found += _receipts(user)
    if has_any_role(user, {Role.AUDITOR}):
        found += _fines(user)
    return sorted(found, key=lambda one: (one.due is None, one.due))[:LIMIT]


def _receipts(user: User) -> list[Todo]:
    """One for each case and fund type that still owes."""
    cases = {case.pk: case for case in served_cases(Case.objects.visible_to(user))}
    rows = DecidedAmount.objects.filter(track__case__in=list(cases), kind=AmountKind.RECOVERY).select_related("track")
    sums: dict[tuple[int, str], Decimal] = {}
    for one in positions(rows):
        key = (one.row.track.case_id, one.row.fund_type)
        sums[key] = sums.get(key, ZERO) + one.outstanding
    limits = Deadline.objects.filter(case__in=list(cases), key=REPAYMENT).order_by("pk")
    due = {limit.case_id: limit.last_day for limit in limits}
    return [
        Todo(
            f"登记稽核追回到账：{cases[case].party}",
            cases[case].get_absolute_url(),
            f"{cases[case].number} {cases[case].title}",
            fund_type=fund,
            amount=left,
            due=due.get(case),
            verb="登记",
        )
        for (case, fund), left in sums.items()
        if left
    ]


def _fines(user: User) -> list[Todo]:
    """Fines of the officer's own cases that are not paid yet."""
    tracks = Track.objects.filter(
        kind=TrackKind.PENALTY, state=TrackState.SERVED, fine__gt=0, case__officers__user=user,
        case__officers__until__isnull=True, case__in=Case.objects.visible_to(user),
    )  # fmt: skip
    limits = Prefetch("deadlines", Deadline.objects.order_by("pk"))
    found = []
    for track in tracks.select_related("case").prefetch_related("fine_payments", "remedies", limits).order_by("pk")[:LIMIT]:
        where = fine_position(track)
        if where.settled:
            continue
        extra = f" 尚欠加处罚款 {where.surcharge_outstanding:,.2f} 元" if where.surcharge_outstanding else ""
        found.append(
            Todo(
                f"催缴罚款：{track.case.party}",
                track.case.get_absolute_url(),
                f"{track.case.number} {track.case.title}{extra}",
                amount=where.outstanding,
                due=where.due,
                verb="登记缴库",
            )
        )
    return found
