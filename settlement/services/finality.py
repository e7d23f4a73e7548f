"""The end of a settlement: final approval, payment, clearing without money, and corrections afterwards (R-044, A18).

Final approval posts the control accounts; fund accounts are posted by fund finance on the bank receipt only. Nothing
final is changed: a correction computes the whole target again and posts the difference.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from budgets.services import close_year, reopen_year, withdraw_offset
from core.access import different_person, require
from core.errors import Conflict, Problem, Refused, need_reason
from core.models import Role, StoredFile, User
from core.parameters import value as parameter
from rules.money import ZERO
from rules.periods import Month
from settlement import posting
from settlement.models import (
    Adjustment,
    AdjustmentKind,
    AdjustmentState,
    Booking,
    BookingKind,
    PlanState,
    RecoveryInstalment,
    RecoveryPlan,
    Settlement,
    SettlementVersion,
    VersionKind,
)
from settlement.services.adjustments import propose_late_difference
from settlement.services.drafting import new_version, no_change
from settlement.services.inputs import Gathered, gathered_or_refused
from settlement.services.steps import begin, finish, name_of
from settlement.states import FINAL_STATES, Act, Transition, VersionState, action_name


def finalise(actor: User, version: SettlementVersion, reason: str = "", seen: int | None = None) -> SettlementVersion:
    """Approve the statement for good and post what is to be paid or got back to the control accounts.

    After an objection the reviewer must answer it in ``reason``. Refuses while 暂付款 does not hold exactly P + M.
    """
    with transaction.atomic():
        now, step = begin(actor, version, Act.FINALISE, reason, seen)
        different_person(actor, now.prepared_by, "审定清算单")
        where = posting.position(now.settlement)
        check_advances(now, where)
        check_adjustments(now)
        owed = posting.outstanding(now.figures, where)
        _supersede_former(actor, now)
        now.finalised_by, now.finalised_at = actor, timezone.now()
        posting.post_control(
            actor, now, f"settlement:{now.pk}:final", timezone.localdate(), owed, f"审定 {name_of(now)}"
        )
        close_year(actor, now.alliance, now.settlement.year, now.settlement.fund_type)
        word = "应付" if owed > 0 else "应追回" if owed < 0 else "无差额，"
        amount = f"{abs(owed):,.2f} 元"
        finish(
            actor,
            now,
            step,
            f"审定 {name_of(now)}，清算现金 {now.figures.cash:,.2f} 元，{word} {amount}",
            reason=reason,
            tell=[Role.FUND_FINANCE if owed >= 0 else Role.FUND_OFFICER, Role.HOSPITAL_FINANCE],
            text=f"{name_of(now)} 已审定，{word} {amount}。",
            data={"owed": owed},
        )
        return now


def pay(
    actor: User, version: SettlementVersion, on: date, bank_reference: str, receipt: StoredFile | None = None
) -> Booking:
    """Record the bank receipt of the settlement payment: the whole amount still owed, once."""
    with transaction.atomic():
        now, step = begin(actor, version, Act.PAY)
        where = posting.position(now.settlement)
        owed = posting.outstanding(now.figures, where)
        problems = receipt_problems(now, on, bank_reference)
        if owed <= 0:
            text = "本版没有应付款。" if owed == 0 else f"本版应追回 {-owed:,.2f} 元，不是应付。"
            problems.append(Problem("amount", str(owed), text, "请办理零差额结清或追回方案。"))
        if problems:
            raise Refused(problems)
        check_advances(now, where)
        booking = book(actor, now, BookingKind.PAYMENT, owed, on, bank_reference, receipt)
        finish(
            actor,
            now,
            step,
            f"支付 {name_of(now)} 清算款 {owed:,.2f} 元，回单 {bank_reference.strip()}",
            tell=[Role.HOSPITAL_FINANCE, Role.FUND_OFFICER],
            data={"booking": booking.pk, "amount": owed},
        )
        return booking


def clear(actor: User, version: SettlementVersion, on: date) -> Booking:
    """Close a final version under which nothing is owed: the advances become benefit spending without money moving."""
    with transaction.atomic():
        now, step = begin(actor, version, Act.CLEAR)
        where = posting.position(now.settlement)
        owed = posting.outstanding(now.figures, where)
        problems = date_problems(now, on)
        if owed != 0:
            text = f"本版尚有差额 {owed:,.2f} 元，不能按零差额结清。"
            problems.append(Problem("amount", str(owed), text, "请办理支付或追回。"))
        if problems:
            raise Refused(problems)
        check_advances(now, where)
        booking = book(actor, now, BookingKind.CLEARING, ZERO, on, "", None)
        finish(actor, now, step, f"{name_of(now)} 零差额结清", data={"booking": booking.pk})
        return booking


def correct(actor: User, settlement: Settlement, reason: str) -> SettlementVersion | Adjustment:
    """Restate a final year (A18).

    Inside the reopening months: a correction version with the whole target. Later: the difference becomes a line of the
    next settlement that is not final yet, waiting for a reviewer. Refuses when nothing changed.
    """
    require(actor, action_name(Act.CORRECT), settlement.alliance)
    need_reason(reason)
    today = timezone.localdate()
    gathered = gathered_or_refused(settlement.alliance, settlement.year, settlement.fund_type, today)
    with transaction.atomic():
        settlement = Settlement.objects.select_for_update(of=("self",), no_key=True).with_places().get(pk=settlement.pk)
        latest = _latest_final(settlement)
        if gathered.inputs is not None and gathered.inputs.fingerprint == latest.figures.fingerprint:
            raise no_change()
        if today <= reopening_ends(settlement):
            reopen_year(actor, settlement.alliance, settlement.year, settlement.fund_type)
            return new_version(actor, settlement, VersionKind.CORRECTION, reason, gathered)
        return _late_line(actor, settlement, latest, gathered, reason)


def reopening_ends(settlement: Settlement) -> date:
    """The last day a correction version may be drafted: dated months after the first final approval."""
    finals = settlement.versions.exclude(finalised_at=None)
    first = finals.order_by("finalised_at").values_list("finalised_at", flat=True).first()
    if first is None:
        raise ValueError("the settlement is not final")
    day = timezone.localtime(first).date()
    months = int(parameter("settlement.reopening_months", settlement.alliance, day).decimal)
    month = Month.of(day).plus(months)
    return date(month.year, month.month, min(day.day, month.last_day.day))


def book(
    actor: User,
    version: SettlementVersion,
    kind: str,
    amount: Decimal,
    on: date,
    bank_reference: str,
    receipt: StoredFile | None,
    instalment: RecoveryInstalment | None = None,
) -> Booking:
    """Post a movement to both groups of accounts and keep it; the caller holds the lock and writes the trail.

    An offset moves no money here: its prepayment did, and relieved the control account.
    """
    where = posting.position(version.settlement)
    entry = posting.fund_lines(version, kind, amount, where)
    number = version.bookings.count() + 1
    key, memo = f"settlement:{version.pk}:{kind}:{number}", f"{BookingKind(kind).label} {name_of(version)}"
    moved = {BookingKind.PAYMENT: amount, BookingKind.RECOVERY: -amount}.get(BookingKind(kind), ZERO)
    owed = posting.outstanding(version.figures, where) - moved
    return Booking.objects.create(
        version=version,
        kind=kind,
        amount=amount,
        on=on,
        bank_reference=bank_reference.strip(),
        receipt=receipt,
        instalment=instalment,
        recognised=entry.recognised,
        deducted=entry.deducted,
        fund_entry=posting.post_fund(actor, version, f"{key}:fund", on, entry, memo),
        control_entry=posting.post_control(actor, version, f"{key}:control", on, owed, memo),
        booked_by=actor,
    )


def check_advances(version: SettlementVersion, where: posting.Position) -> None:
    """暂付款 must hold P + M less what bookings and offsets took out of it, else the statement no longer fits the books."""
    held = posting.advances(version.settlement)
    expected = posting.advanced(version.figures) - where.cleared - where.offset
    if held != expected:
        text = f"基金账上本年暂付款余额 {held:,.2f} 元，与清算单应有的 {expected:,.2f} 元不符。"
        raise Refused(
            [Problem("prepaid", str(held), text, "可能起草之后又有预付到账或冲销：请退回刷新，或先核对基金账。")]
        )


def check_adjustments(version: SettlementVersion) -> None:
    """What audits and officers entered must all be in the statement: it cannot be added once the year is final."""
    inputs, settlement = version.figures.inputs, version.settlement
    taken = {item["id"] for name in ("refused", "deductions") for item in inputs[name]}
    rows = Adjustment.objects.in_force().filter(
        alliance=settlement.alliance, year=settlement.year, fund_type=settlement.fund_type
    )
    problems = [
        Problem("adjustments", row.source, f"起草之后推送的“{row}”未计入清算单。", "请退回经办刷新试算后再审定。")
        for row in rows
        if row.pk not in taken
    ]
    if taken - {row.pk for row in rows}:
        text = "清算单计入了已经撤销的调整。"
        problems.append(Problem("adjustments", "", text, "请退回经办刷新试算后再审定。"))
    if problems:
        raise Refused(problems)


def receipt_problems(version: SettlementVersion, on: date, bank_reference: str) -> list[Problem]:
    problems = date_problems(version, on)
    if not bank_reference.strip():
        problems.append(Problem("bank_reference", "", "没有填写银行回单号。", "请按银行回单填写。"))
    return problems


def date_problems(version: SettlementVersion, on: date) -> list[Problem]:
    today = timezone.localdate()
    final_on = timezone.localtime(version.finalised_at).date() if version.finalised_at else today
    if on > today:
        return [Problem("on", str(on), "日期在今天之后。", "请填写银行回单上的日期。")]
    if on < final_on:
        return [Problem("on", str(on), f"日期早于审定日 {final_on}。", "请核对银行回单日期。")]
    return []


def _supersede_former(actor: User, version: SettlementVersion) -> None:
    """Former final versions that still wait for money give way; their plans too. The difference includes them."""
    former = version.settlement.versions.filter(state=VersionState.FINAL).exclude(pk=version.pk)
    for old in former.with_places():
        step = Transition(VersionState.FINAL, Act.SUPERSEDE, VersionState.SUPERSEDED)
        finish(actor, old, step, f"{name_of(old)} 由第 {version.number} 版取代")
    plans = RecoveryPlan.objects.filter(
        version__settlement=version.settlement, state__in=[PlanState.PROPOSED, PlanState.APPROVED]
    ).exclude(version=version)
    for plan in plans.prefetch_related("instalments"):
        for part in plan.instalments.all():
            withdraw_offset(actor, part.offset_source, f"{version.settlement.number} 第 {version.number} 版更正")
        plan.state = PlanState.SUPERSEDED
        plan.save(update_fields=["state"])


def _latest_final(settlement: Settlement) -> SettlementVersion:
    open_version = settlement.versions.open().first()
    if open_version is not None:
        text = f"第 {open_version.number} 版正在办理（{open_version.get_state_display()}），不能再起草更正。"
        raise Conflict([Problem("state", open_version.get_state_display(), text, "请先办完或退回该版本。")])
    latest = settlement.versions.filter(state__in=FINAL_STATES).select_related("computation").order_by("-number").first()
    if latest is None:
        raise Conflict([Problem("state", "", "还没有已审定的清算单，不需要更正。", "请刷新或退回现有草稿。")])
    return latest


def _late_line(
    actor: User, settlement: Settlement, latest: SettlementVersion, gathered: Gathered, reason: str
) -> Adjustment:
    assert gathered.result is not None
    carried = Adjustment.objects.filter(
        alliance=settlement.alliance,
        fund_type=settlement.fund_type,
        kind=AdjustmentKind.LATE_DIFFERENCE,
        origin_year=settlement.year,
        state__in=[AdjustmentState.PROPOSED, AdjustmentState.IN_FORCE],
    )
    already = sum((row.amount for row in carried), ZERO)
    amount = latest.figures.cash - gathered.result.cash - already
    if amount == 0:
        raise no_change()
    year = settlement.year + 1
    while Settlement.objects.filter(
        alliance=settlement.alliance, year=year, fund_type=settlement.fund_type, versions__state__in=FINAL_STATES
    ).exists():
        year += 1
    source = f"{settlement.number} 第 {latest.number} 版更正期后第 {carried.count() + 1} 次差额"
    return propose_late_difference(actor, settlement, year, amount, source, reason)
