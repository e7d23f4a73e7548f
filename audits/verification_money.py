"""Does the money of every case agree with the findings, the settlements and the books? Part of ``manage.py verify``.

Per case and fund type, to the fen: kept lines = decided; decided = refused + repaid + deducted + outstanding; refused and
deducted = the adjustments in force; outstanding = the control account 应收稽核追回款; repaid = the fund vouchers. Fines stand
in no book and no settlement.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from django.db.models import Sum

from audits.models import AmountKind, Case, DecidedAmount, FindingLine, FinePayment, Recovered, RecoveryKind, Track
from audits.reading.money import Owed, positions
from audits.states import IN_FORCE_TRACKS
from core.registries import Finding
from ledger.accounts import Account
from ledger.models import Entry, Line
from rules.audit_money import position
from rules.errors import RuleError
from rules.money import ZERO
from settlement import reading as settlements

CASE_LABEL = Case._meta.label_lower
PREFIX = "audit:"


def verify_money() -> list[Finding]:
    """Every finding, case by case; a handful of queries whatever their number."""
    rows = DecidedAmount.objects.select_related("track__case").order_by("track", "pk")
    owed: dict[int, list[Owed]] = {}
    for one in positions(rows):
        owed.setdefault(one.row.track_id, []).append(one)
    tracks = Track.objects.filter(holds_money=True, state__in=IN_FORCE_TRACKS).select_related("case").order_by("pk")
    kept = _kept()
    pushed = settlements.amounts_by_id(_adjustments())
    findings: list[Finding] = []
    for track in tracks:
        mine = owed.pop(track.pk, [])
        findings += _verify_case(track, mine, kept, pushed)
    findings += [Finding(str(mine[0].row.track), "决定尚未送达，却已有决定金额") for mine in owed.values()]
    findings += _verify_recovered(pushed)
    findings += _verify_books()
    findings += _verify_fines()
    return findings


def control_sums() -> dict[str, str]:
    """What a restored database must show again."""
    decided = DecidedAmount.objects.aggregate(total=Sum("amount"))["total"] or ZERO
    back = Recovered.objects.aggregate(total=Sum("amount"))["total"] or ZERO
    fines = FinePayment.objects.aggregate(total=Sum("amount"))["total"] or ZERO
    return {"稽核决定金额": f"{decided}", "已追回": f"{back}", "罚款缴库": f"{fines}", "案件": str(Case.objects.count())}


def _kept() -> dict[tuple[int, str], Decimal]:
    lines = FindingLine.objects.kept().order_by().values_list("finding__case_id", "fund_type")
    return {(case, fund): amount for case, fund, amount in lines.annotate(sum=Sum("amount"))}


def _adjustments() -> set[int]:
    decided = DecidedAmount.objects.exclude(adjustment=None).values_list("adjustment", flat=True)
    deducted = Recovered.objects.exclude(adjustment=None).values_list("adjustment", flat=True)
    return {key for key in (*decided, *deducted) if key is not None}


def _verify_case(
    track: Track, owed: list[Owed], kept: dict[tuple[int, str], Decimal], pushed: dict[int, Decimal]
) -> Iterator[Finding]:
    where = track.case.number
    funds = {one.row.fund_type for one in owed} | {fund for case, fund in kept if case == track.case_id}
    for fund in sorted(funds):
        mine = [one for one in owed if one.row.fund_type == fund]
        decided = sum((one.row.amount for one in mine), ZERO)
        found = kept.get((track.case_id, fund), ZERO)
        if decided != found:
            yield Finding(where, f"{fund} 决定金额 {decided} 与认定的结算记录 {found} 不符")
        refused = sum((one.row.amount for one in mine if one.row.kind == AmountKind.REFUSED), ZERO)
        try:
            position(decided, refused, sum((one.repaid for one in mine), ZERO), sum((one.deducted for one in mine), ZERO))
        except RuleError as error:
            yield Finding(where, f"{fund} {error}")
    total = sum((one.row.amount for one in owed), ZERO)
    if track.decided_amount is not None and track.decided_amount != total:
        yield Finding(where, f"决定书金额 {track.decided_amount} 与生效金额 {total} 不符")
    for one in owed:
        if one.row.kind == AmountKind.REFUSED and pushed.get(one.row.adjustment or 0) != one.row.amount:
            yield Finding(where, f"{one.row.year} 年拒付 {one.row.amount} 与清算调整 {pushed.get(one.row.adjustment or 0)} 不符")


def _verify_recovered(pushed: dict[int, Decimal]) -> Iterator[Finding]:
    """Every deduction in force is an adjustment in force of the same amount; every receipt has its fund voucher."""
    live = Recovered.objects.filter(reverses=None, reversed_by=None).select_related("amount_row__track__case").order_by("pk")
    receipts: dict[int, Decimal] = {}
    for row in live:
        where = f"{row.amount_row.track.case.number} {row.reference}"
        if row.kind == RecoveryKind.DEDUCTED and pushed.get(row.adjustment or 0) != row.amount:
            yield Finding(where, f"扣减 {row.amount} 与清算调整 {pushed.get(row.adjustment or 0)} 不符")
        if row.kind == RecoveryKind.REPAID:
            receipts[row.entry or 0] = receipts.get(row.entry or 0, ZERO) + row.amount
    banked = Line.objects.filter(
        entry__source_type=CASE_LABEL, account=Account.EXPENDITURE_ACCOUNT, entry__reverses=None, entry__reversed_by=None
    ).order_by()
    booked = dict(banked.values_list("entry_id").annotate(sum=Sum("amount")))
    if booked != receipts:
        yield Finding("稽核追回", f"登记的退回 {sum(receipts.values(), ZERO)} 与基金账到账 {sum(booked.values(), ZERO)} 不符")


def _verify_books() -> Iterator[Finding]:
    """The control account of each case and fund type holds what is outstanding."""
    held: dict[tuple[str, str], Decimal] = {}
    lines = Line.objects.filter(account=Account.AUDIT_RECEIVABLE).order_by()
    for source, fund, amount in lines.values_list("entry__source_id", "entry__book__fund_type").annotate(sum=Sum("amount")):
        held[source, fund] = amount
    numbers: dict[str, str] = {}
    expected: dict[tuple[str, str], Decimal] = {}
    for one in positions(DecidedAmount.objects.select_related("track__case")):
        case = str(one.row.track.case_id)
        numbers[case] = one.row.track.case.number
        expected[case, one.row.fund_type] = expected.get((case, one.row.fund_type), ZERO) + one.outstanding
    for key in sorted({*held, *expected}):
        if held.get(key, ZERO) != expected.get(key, ZERO):
            text = f"{key[1]} 账面应收稽核追回款 {held.get(key, ZERO)}，应为 {expected.get(key, ZERO)}"
            yield Finding(numbers.get(key[0], key[0]), text)


def _verify_fines() -> Iterator[Finding]:
    """No voucher and no settlement adjustment carries a fine."""
    allowed = ("decided", "refused", "repaid", "deducted", "back")
    for key in Entry.objects.filter(source_type=CASE_LABEL).values_list("key", flat=True):
        parts = key.split(":")
        if not key.startswith(PREFIX) or len(parts) < 3 or parts[2] not in allowed:
            yield Finding("稽核", f"凭证 {key} 不是稽核拒付、追回的凭证；罚款不得进入基金账")
    payments = FinePayment.objects.values_list("reference", flat=True)
    yield from (
        Finding("稽核", f"缴款书 {source} 出现在清算调整中，罚款不得进入清算") for source in settlements.sources_among(payments)
    )
