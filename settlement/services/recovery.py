"""Getting money back when the cash is negative: by order or by offset, always by an approved plan (A19).

The instalments add up to what is owed to the fen. An approved offset is pushed to the monthly prepayments, which hold
it back and move it between the years; it is recorded here once that prepayment was approved.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from budgets import reading as budgets
from budgets.services import push_offset
from core.access import different_person, require
from core.errors import Conflict, Problem, Refused, need_reason
from core.models import Role, StoredFile, User
from core.notices import notify_role
from core.policies import scheme_in_force
from core.trail import record
from rules.errors import RuleError
from rules.money import ZERO
from rules.periods import Month
from rules.prepayment import plan as prepayment_plan
from rules.prepayment import terms_of
from rules.repayment import Repayment, repay_by_offset, repay_in_instalments
from settlement import posting
from settlement.models import (
    Booking,
    BookingKind,
    PlanState,
    RecoveryInstalment,
    RecoveryMethod,
    RecoveryPlan,
    Settlement,
    SettlementVersion,
)
from settlement.services.finality import book, check_advances, receipt_problems
from settlement.services.steps import begin, finish, locked, name_of, statement_url
from settlement.states import Act, VersionState

EDITABLE_BATCHES = ("proposed", "returned")


def propose_order(actor: User, version: SettlementVersion, count: int, start: Month, note: str = "") -> RecoveryPlan:
    """Propose that the alliance pays back in ``count`` equal monthly instalments from ``start`` on."""
    require(actor, "settlement.propose_recovery", version.alliance)
    with transaction.atomic():
        now, owed = _owed(version)
        try:
            parts = repay_in_instalments(owed, count=count, start=start)
        except RuleError as error:
            raise _refused(error) from error
        return _propose(actor, now, RecoveryMethod.ORDER, owed, parts, note)


def propose_offsets(
    actor: User, version: SettlementVersion, offsets: Sequence[tuple[Month, Decimal]], note: str = ""
) -> RecoveryPlan:
    """Propose to hold back parts of later prepayments (yuan per month); each must fit into its month."""
    require(actor, "settlement.propose_recovery", version.alliance)
    with transaction.atomic():
        now, owed = _owed(version)
        planned = planned_prepayments(now.settlement, {month.year for month, _amount in offsets})
        try:
            parts = repay_by_offset(owed, offsets=offsets, planned=planned)
        except RuleError as error:
            raise _refused(error) from error
        return _propose(actor, now, RecoveryMethod.OFFSET, owed, parts, note)


def approve_recovery(actor: User, plan: RecoveryPlan, decision: str = "") -> RecoveryPlan:
    """A reviewer approves the plan; offsets are pushed to the prepayments of their months."""
    require(actor, "settlement.approve_recovery", plan.version.alliance)
    with transaction.atomic():
        row = _waiting(actor, plan)
        if row.method == RecoveryMethod.OFFSET:
            for part in row.instalments.all():
                push_offset(
                    actor,
                    row.version.alliance,
                    row.version.settlement.fund_type,
                    month=part.month,
                    from_year=row.version.settlement.year,
                    amount=part.amount,
                    source=part.offset_source,
                )
        return _decided(actor, row, PlanState.APPROVED, decision)


def return_recovery(actor: User, plan: RecoveryPlan, reason: str) -> RecoveryPlan:
    """A reviewer gives the plan back with a reason; another may be proposed."""
    require(actor, "settlement.approve_recovery", plan.version.alliance)
    need_reason(reason)
    with transaction.atomic():
        return _decided(actor, _waiting(actor, plan), PlanState.RETURNED, reason)


def record_recovery(
    actor: User,
    instalment: RecoveryInstalment,
    on: date,
    bank_reference: str,
    receipt: StoredFile | None = None,
) -> Booking:
    """Record the bank receipt of one instalment that came back; the last one ends the settlement."""
    return _recorded(actor, instalment, RecoveryMethod.ORDER, on, bank_reference, receipt)


def record_offset(actor: User, instalment: RecoveryInstalment, on: date) -> Booking:
    """Record an offset that an approved prepayment has made; refuses before it did."""
    return _recorded(actor, instalment, RecoveryMethod.OFFSET, on, "", None)


def planned_prepayments(settlement: Settlement, years: set[int]) -> dict[Month, Decimal]:
    """What each month of ``years`` may still hold back: lines not yet laid before the reviewer, else the plan."""
    planned: dict[Month, Decimal] = {}
    for year in sorted(year for year in years if year > settlement.year):
        package = budgets.package_in_force(settlement.alliance, year, settlement.fund_type)
        if package is None:
            continue
        terms = terms_of(scheme_in_force(settlement.alliance, date(year, 12, 31)).scheme)
        plan = prepayment_plan(package.total, year=year, terms=terms, planned_outflow=package.out_of_county)
        planned |= {part.month: part.amount for part in plan.instalments}
        for line in budgets.prepayment_year(settlement.alliance, year, settlement.fund_type).months:
            free = line.amount - line.offset if line.state in EDITABLE_BATCHES else ZERO
            planned[Month.parse(line.month)] = free
    return planned


def _owed(version: SettlementVersion) -> tuple[SettlementVersion, Decimal]:
    now = locked(version)
    owed = -posting.outstanding(now.figures, posting.position(now.settlement))
    if now.state != VersionState.FINAL:
        text = f"第 {now.number} 版是“{now.get_state_display()}”，没有待追回的款项。"
        raise Conflict([Problem("state", now.get_state_display(), text, "请刷新页面。")])
    if owed <= 0:
        raise Refused([Problem("amount", str(owed), "本版没有应追回的款项。", "应付款请由基金财务支付。")])
    if now.plans.filter(state__in=[PlanState.PROPOSED, PlanState.APPROVED]).exists():
        raise Conflict([Problem("state", "", "已有追回方案在办理或已批准。", "请先退回原方案。")])
    return now, owed


def _propose(
    actor: User,
    version: SettlementVersion,
    method: str,
    owed: Decimal,
    parts: Sequence[Repayment],
    note: str,
) -> RecoveryPlan:
    plan = RecoveryPlan.objects.create(
        version=version,
        number=version.plans.count() + 1,
        method=method,
        amount=owed,
        note=note.strip(),
        proposed_by=actor,
    )
    RecoveryInstalment.objects.bulk_create(
        RecoveryInstalment(plan=plan, number=part.number, due_on=part.month.last_day, amount=part.amount)
        for part in parts
    )
    text = f"待批准：{name_of(version)} 追回方案（{plan}，{len(parts)} 期）"
    notify_role([Role.FUND_REVIEWER], version.alliance, text, statement_url(version))
    data = {"method": method, "parts": [[str(part.month), part.amount] for part in parts]}
    record(actor, "settlement.propose_recovery", plan, text, data, place=version.alliance)
    return plan


def _waiting(actor: User, plan: RecoveryPlan) -> RecoveryPlan:
    locked(plan.version)
    row = RecoveryPlan.objects.select_related(
        "version__settlement__alliance__county__pooling_area", "version__computation", "proposed_by"
    ).get(pk=plan.pk)
    if row.state != PlanState.PROPOSED:
        text = f"追回方案已由{row.decided_by or '更正'}办理：{row.get_state_display()}。"
        raise Conflict([Problem("state", row.get_state_display(), text, "请刷新页面。")])
    different_person(actor, row.proposed_by, "批准追回方案")
    return row


def _decided(actor: User, row: RecoveryPlan, state: str, decision: str) -> RecoveryPlan:
    row.state, row.decided_by, row.decided_at, row.decision = state, actor, timezone.now(), decision.strip()
    row.save(update_fields=["state", "decided_by", "decided_at", "decision"])
    version = row.version
    text = f"{name_of(version)} 追回方案{row.get_state_display()}：{row}"
    roles = [Role.FUND_OFFICER]
    if state == PlanState.APPROVED:
        roles += [Role.FUND_FINANCE, Role.HOSPITAL_FINANCE]
    notify_role(roles, version.alliance, text, statement_url(version))
    data = {"decision": row.decision, "state": str(state), "amount": row.amount}
    record(actor, "settlement.approve_recovery", row, text, data, place=version.alliance)
    return row


def _recorded(
    actor: User,
    instalment: RecoveryInstalment,
    method: str,
    on: date,
    bank_reference: str,
    receipt: StoredFile | None,
) -> Booking:
    plan = instalment.plan
    with transaction.atomic():
        now, step = begin(actor, plan.version, Act.RECOVER)
        plan.refresh_from_db()
        problems = _instalment_problems(plan, instalment, method)
        problems += receipt_problems(now, on, bank_reference if method == RecoveryMethod.ORDER else "抵扣")
        if problems:
            raise Refused(problems)
        where = posting.position(now.settlement)
        if method == RecoveryMethod.OFFSET:
            _check_offset(now, instalment, where)
        check_advances(now, where)
        kind = BookingKind.RECOVERY if method == RecoveryMethod.ORDER else BookingKind.OFFSET
        booking = book(actor, now, kind, instalment.amount, on, bank_reference, receipt, instalment)
        left = -posting.outstanding(now.figures, posting.position(now.settlement))
        text = f"{kind.label} {name_of(now)} 第 {instalment.number} 期 {instalment.amount:,.2f} 元，尚余 {left:,.2f} 元"
        data = {"booking": booking.pk, "amount": instalment.amount, "left": left}
        if left == 0 and not plan.instalments.filter(booking=None).exists():
            finish(actor, now, step, text, tell=[Role.FUND_OFFICER, Role.HOSPITAL_FINANCE], data=data)
        else:
            record(actor, "settlement.recover", now, text, data, place=now.alliance)
        return booking


def _instalment_problems(plan: RecoveryPlan, instalment: RecoveryInstalment, method: str) -> list[Problem]:
    if plan.state != PlanState.APPROVED:
        text = f"追回方案{plan.get_state_display()}，不能登记收款。"
        return [Problem("plan", plan.get_state_display(), text, "请先由基金复核批准追回方案。")]
    if Booking.objects.filter(instalment=instalment).exists():
        raise Conflict([Problem("instalment", str(instalment.number), "这一期已经登记过。", "请刷新页面。")])
    if plan.method != method:
        return [Problem("plan", plan.get_method_display(), "登记方式与追回方案不符。", "请按方案办理。")]
    return []


def _check_offset(version: SettlementVersion, instalment: RecoveryInstalment, where: posting.Position) -> None:
    booked = Booking.objects.filter(version__settlement=version.settlement, kind=BookingKind.OFFSET)
    before = sum(booked.values_list("amount", flat=True), ZERO)
    if before + instalment.amount > where.offset:
        text = f"{instalment.month} 预付尚未审定抵扣（已抵扣 {where.offset - before:,.2f} 元）。"
        raise Refused([Problem("instalment", str(instalment.month), text, "请在该月预付批次审定后再登记。")])


def _refused(error: RuleError) -> Refused:
    return Refused([Problem(p.field, p.value, p.text, p.remedy) for p in error.problems])
