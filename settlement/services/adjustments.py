"""Amounts pushed or agreed from outside: refused claims, recoveries of other years, deductions agreed with finance.

An audit pushes what its own procedure decided; it counts at once and carries its source. What an officer enters by hand
counts after a reviewer approved it (R-041). Fines belong to the treasury and are refused always.
"""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from core.access import different_person, require
from core.errors import Conflict, Problem, Refused, need_reason
from core.fields import MoneyField
from core.models import Alliance, FundType, Role, StoredFile, User
from core.notices import notify_role
from core.trail import record
from settlement.models import Adjustment, AdjustmentKind, AdjustmentState, Settlement
from settlement.registries import held_by
from settlement.states import FINAL_STATES

PUSHED_KINDS = (AdjustmentKind.REFUSED_CLAIMS, AdjustmentKind.OTHER_YEAR_RECOVERY)
FINE_WORDS = ("fine", "penalty", "罚款", "罚金", "滞纳金")


def push_adjustment(
    actor: User,
    alliance: Alliance,
    year: int,
    fund_type: str,
    kind: str,
    amount: Decimal,
    source: str,
    reason: str,
    *,
    origin_year: int | None = None,
    document: StoredFile | None = None,
) -> Adjustment:
    """An amount (yuan, positive) that an audit decided, for the settlement of ``year``.

    ``kind`` is ``refused_claims`` (claims of ``year`` leave S_in) or ``other_year_recovery`` (D; ``origin_year`` names
    the year it belongs to, default the year before). The same source again returns the held row; with another amount
    it is a ``Conflict``. Fines are refused.
    """
    require(actor, "settlement.push_adjustment", alliance)
    problems = _problems(kind, amount, source, reason, year, origin_year, PUSHED_KINDS)
    if problems:
        raise Refused(problems)
    if origin_year is None:
        origin_year = year if kind == AdjustmentKind.REFUSED_CLAIMS else year - 1
    with transaction.atomic():
        held = _held(alliance, year, fund_type, kind, source)
        if held is not None:
            if held.amount != amount:
                text = f"同一来源“{source}”已推送 {held.amount:,.2f} 元，与这次的 {amount:,.2f} 元不同。"
                raise Conflict([Problem("source", source, text, "请先撤销原推送，再按新金额推送。")])
            return held
        row = Adjustment.objects.create(
            alliance=alliance,
            year=year,
            fund_type=FundType(fund_type).value,
            kind=kind,
            amount=amount,
            origin_year=origin_year,
            source=source.strip(),
            reason=reason.strip(),
            document=document,
            state=AdjustmentState.IN_FORCE,
            needs_approval=False,
            entered_by=actor,
        )
        _tell_officers(row)
        record(actor, "settlement.push_adjustment", row, f"推送清算调整：{row}", _data(row))
        return row


def propose_deduction(
    actor: User,
    alliance: Alliance,
    year: int,
    fund_type: str,
    amount: Decimal,
    origin_year: int,
    source: str,
    reason: str,
    document: StoredFile | None = None,
) -> Adjustment:
    """Enter a deduction agreed with the finance bureau (yuan, positive); a reviewer approves it before it counts."""
    require(actor, "settlement.propose_deduction", alliance)
    kind = AdjustmentKind.AGREED_DEDUCTION
    problems = _problems(kind, amount, source, reason, year, origin_year, (kind,))
    if problems:
        raise Refused(problems)
    with transaction.atomic():
        if _held(alliance, year, fund_type, kind, source) is not None:
            raise Conflict([Problem("source", source, f"依据“{source}”的扣减已经登记。", "同一依据不重复登记。")])
        return _proposed(actor, alliance, year, fund_type, kind, amount, origin_year, source, reason, document)


def propose_late_difference(
    actor: User, settlement: Settlement, year: int, amount: Decimal, source: str, reason: str
) -> Adjustment:
    """A difference of a year whose reopening period has ended, as a line of a later settlement (A18).

    ``amount`` in yuan: positive lowers the later payment, negative raises it. The caller checked the right.
    """
    return _proposed(
        actor,
        settlement.alliance,
        year,
        settlement.fund_type,
        AdjustmentKind.LATE_DIFFERENCE,
        amount,
        settlement.year,
        source,
        reason,
        None,
    )


def approve_adjustment(actor: User, adjustment: Adjustment) -> Adjustment:
    """A reviewer lets a proposed amount count."""
    require(actor, "settlement.approve_deduction", adjustment.alliance)
    with transaction.atomic():
        row = _waiting(adjustment)
        different_person(actor, row.entered_by, "审定清算扣减")
        _check_year_open(row)
        return _decided(actor, row, AdjustmentState.IN_FORCE, "", f"审定清算调整：{row}")


def return_adjustment(actor: User, adjustment: Adjustment, reason: str) -> Adjustment:
    """A reviewer gives a proposed amount back."""
    require(actor, "settlement.approve_deduction", adjustment.alliance)
    need_reason(reason)
    with transaction.atomic():
        row = _waiting(adjustment)
        different_person(actor, row.entered_by, "审定清算扣减")
        return _decided(actor, row, AdjustmentState.RETURNED, reason, f"退回清算调整：{row}")


def withdraw_adjustment(actor: User, adjustment: Adjustment, reason: str, *, by_holder: bool = False) -> Adjustment:
    """Whoever may push takes back what was pushed wrongly; a final year then needs a correction.

    What a case holds is taken back by the case's own act only (``by_holder``): its books stand on it.
    """
    require(actor, "settlement.push_adjustment", adjustment.alliance)
    need_reason(reason)
    with transaction.atomic():
        row = Adjustment.objects.select_for_update(of=("self",), no_key=True).select_related("alliance__county").get(pk=adjustment.pk)
        if row.state != AdjustmentState.IN_FORCE or row.needs_approval:
            raise Conflict([Problem("state", row.get_state_display(), "这笔调整不是生效的推送，不能撤销。", "请刷新页面。")])
        holder = "" if by_holder else held_by([row.pk]).get(row.pk, "")
        if holder:
            text = f"这笔调整由{holder}推送，应收账和案件金额以它为准，不能在清算中单独撤销。"
            raise Refused([Problem("source", row.source, text, "扣减有误的，请在该案件中冲销追回登记；已送达的拒付按复议、诉讼结果办理。")])
        return _decided(actor, row, AdjustmentState.WITHDRAWN, reason, f"撤销清算调整：{row}")


def _problems(
    kind: str, amount: Decimal, source: str, reason: str, year: int, origin_year: int | None, kinds: tuple[str, ...]
) -> list[Problem]:
    problems = []
    if kind not in kinds:
        is_fine = any(word in str(kind) for word in FINE_WORDS)
        text = "罚款上缴国库，不进入基金清算。" if is_fine else f"不认识的调整类别“{kind}”。"
        problems.append(Problem("kind", str(kind), text, "请按处罚决定缴库；清算只收拒付、追回和商定扣减。"))
    elif any(word in source for word in ("罚款", "罚金")):
        problems.append(Problem("source", source, "罚款上缴国库，不进入基金清算。", "请去掉罚款，只登记追回的基金。"))
    try:
        MoneyField().to_python(amount)
        if amount <= 0:
            problems.append(Problem("amount", str(amount), "金额须大于零。", "请填写正数，单位元。"))
    except Exception:
        problems.append(Problem("amount", str(amount), "金额无效，须为最多两位小数的数字。", "请改正。"))
    if not source.strip():
        problems.append(Problem("source", "", "没有写明来源单据。", "请填写文号或案号。"))
    if len(reason.strip()) < 4:
        problems.append(Problem("reason", reason, "没有写明事由。", "请至少写 4 个字。"))
    if kind != AdjustmentKind.REFUSED_CLAIMS and origin_year is not None and origin_year >= year:
        text = f"其他年度扣款须属于 {year} 年以前，现为 {origin_year} 年。"
        problems.append(Problem("origin_year", str(origin_year), text, "本年的拒付请按“本年审核拒付”处理。"))
    return problems


def _held(alliance: Alliance, year: int, fund_type: str, kind: str, source: str) -> Adjustment | None:
    return (
        Adjustment.objects.select_for_update(no_key=True)
        .filter(alliance=alliance, year=year, fund_type=fund_type, kind=kind, source=source.strip())
        .filter(state__in=[AdjustmentState.PROPOSED, AdjustmentState.IN_FORCE])
        .first()
    )


def _proposed(
    actor: User,
    alliance: Alliance,
    year: int,
    fund_type: str,
    kind: str,
    amount: Decimal,
    origin_year: int,
    source: str,
    reason: str,
    document: StoredFile | None,
) -> Adjustment:
    row = Adjustment.objects.create(
        alliance=alliance,
        year=year,
        fund_type=FundType(fund_type).value,
        kind=kind,
        amount=amount,
        origin_year=origin_year,
        source=source.strip(),
        reason=reason.strip(),
        document=document,
        needs_approval=True,
        entered_by=actor,
    )
    notify_role([Role.FUND_REVIEWER], alliance, f"待审定清算扣减：{row}", "/settlement/")
    record(actor, "settlement.propose_deduction", row, f"登记清算扣减：{row}", _data(row))
    return row


def _waiting(adjustment: Adjustment) -> Adjustment:
    row = Adjustment.objects.select_for_update(of=("self",), no_key=True).select_related("alliance__county").get(pk=adjustment.pk)
    if row.state != AdjustmentState.PROPOSED:
        text = f"这笔扣减已由{row.decided_by}{row.get_state_display()}。"
        raise Conflict([Problem("state", row.get_state_display(), text, "请刷新页面。")])
    return row


def _check_year_open(row: Adjustment) -> None:
    final = Settlement.objects.filter(
        alliance=row.alliance, year=row.year, fund_type=row.fund_type, versions__state__in=FINAL_STATES
    )
    if row.kind == AdjustmentKind.LATE_DIFFERENCE and final.exists():
        text = f"{row.year} 年度清算已审定，不能再计入这笔差额。"
        raise Refused([Problem("year", str(row.year), text, "请退回后重新办理更正，差额将计入下一未审定年度。")])


def _decided(actor: User, row: Adjustment, state: str, reason: str, summary: str) -> Adjustment:
    row.state, row.decided_by, row.decided_at, row.decision = state, actor, timezone.now(), reason.strip()
    row.save(update_fields=["state", "decided_by", "decided_at", "decision"])
    _tell_officers(row)
    withdrawn = state == AdjustmentState.WITHDRAWN
    act = "settlement.push_adjustment" if withdrawn else "settlement.approve_deduction"
    record(actor, act, row, summary, {**_data(row), "reason": row.decision})
    return row


def _tell_officers(row: Adjustment) -> None:
    text = f"{row.alliance} {row.year} 年度清算调整“{row.source}”{row.get_state_display()}，请刷新清算试算。"
    notify_role([Role.FUND_OFFICER], row.alliance, text, f"/settlement/?year={row.year}")


def _data(row: Adjustment) -> dict[str, object]:
    return {
        "kind": row.kind,
        "state": str(row.state),
        "amount": row.amount,
        "year": row.year,
        "origin_year": row.origin_year,
        "source": row.source,
    }
