"""What a served decision moves, and what comes back: refusals and recoveries, receipts, deductions, fines.

Every function locks case, settlements and books in this order and writes the trail last. Decided money stands on the
control account 应收稽核追回款 until it was refused in an open year's settlement, repaid or deducted; fines and surcharges are
the treasury's and touch neither the fund's books nor a settlement (domain §2.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from audits.models import (
    AmountKind,
    Case,
    DecidedAmount,
    FinePayment,
    Recovered,
    RecoveryKind,
    Remedy,
    RemedyState,
    Track,
)
from audits.preconditions import PRECONDITIONS
from audits.reading.money import Group, Owed, fine_position, kept_groups, live_rows, positions
from audits.reading.penalties import plain_problems
from audits.services.steps import begin, finish, right
from audits.services.telling import finance, officers, provider
from audits.states import Act, CaseState, TrackState
from core.access import Denied, NotAllowed
from core.errors import Conflict, Problem, Refused
from core.models import FundType, StoredFile, User
from ledger.accounts import Account
from ledger.models import Book, Entry
from ledger.services import Posting, book_of, lock_books, post, registering, reverse
from rules.audit_money import AuditLine, Receivable, allocate_receipt, split
from rules.errors import RuleError
from rules.money import ZERO
from settlement import reading as settlements
from settlement.services import lock_settlements, push_adjustment, withdraw_adjustment

REFUSED_CLAIMS, OTHER_YEAR = "refused_claims", "other_year_recovery"
FINE = "fine"
PAYMENTS = {FINE: "罚款", "surcharge": "加处罚款"}
REMEDIES = {"review": "行政复议", "lawsuit": "行政诉讼"}
LONGEST = 120


@dataclass(frozen=True)
class Effect:
    """What serving a decision did with the money, in yuan; ``text`` says it, empty where no money was decided."""

    refused: Decimal
    recovery: Decimal
    text: str

    @property
    def decided(self) -> Decimal:
        return self.refused + self.recovery


def take_effect(actor: User, track: Track) -> Effect:
    """Let the money of a decision count, inside the act that serves it, which holds the case's lock.

    Claims of the alliance's own insured in a year that is not final are refused and pushed to that settlement; the rest is
    to be recovered. Finality is read under the settlements' lock: a year that became final since the findings turns its
    refusals into recoveries, the total stays. A second call changes nothing.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("money takes effect inside the transaction that serves the decision")
    case = track.case
    held = list(track.amounts.all())
    groups = kept_groups(case) if track.holds_money else []
    if held or not groups:
        sums = {kind: sum((row.amount for row in held if row.kind == kind), ZERO) for kind in AmountKind}
        return Effect(sums[AmountKind.REFUSED], sums[AmountKind.RECOVERY], "")
    total = sum((group.amount for group in groups), ZERO)
    if track.decided_amount is not None and track.decided_amount != total:
        text = f"决定金额 {track.decided_amount:,.2f} 元与现在认定的 {total:,.2f} 元不符。"
        raise Refused([Problem("decided_amount", str(track.decided_amount), text, "请核对认定明细，重新作出决定。")])
    funds = sorted({group.fund_type for group in groups})
    if case.alliance is not None:
        lock_settlements(case.alliance, funds)
    books = _locked_books(case, funds)
    rows = _decided(actor, track, groups, _final(case, funds))
    _register(actor, case, track, books, rows)
    refused = sum((row.amount for row in rows if row.kind == AmountKind.REFUSED), ZERO)
    text = f"决定金额 {total:,.2f} 元，其中拒付 {refused:,.2f} 元、追回 {total - refused:,.2f} 元。"
    return Effect(refused, total - refused, text + "".join(_turned(groups, rows)))


def receive(
    actor: User,
    track: Track,
    *,
    fund_type: str,
    amount: Decimal,
    on: date,
    reference: str,
    files: Sequence[StoredFile] = (),
) -> list[Recovered]:
    """Record a bank receipt of money repaid to one fund (yuan), the oldest year's claims first.

    More than is owed, a used receipt number or a day before service or after today is refused.
    """
    with transaction.atomic():
        also = [*_day_problems(track, on), *_reference_problems(reference)]
        held, step = begin(actor, track, Act.RECEIVE, also=also)
        case, number = held.case, reference.strip()
        if live_rows(held).filter(reference=number).exists():
            raise Conflict([Problem("reference", number, f"回单 {number} 已经登记过。", "请核对；登记有误请先冲销。")])
        owed = [one for one in _owed(held, fund_type) if one.outstanding]
        parts = _allocated(owed, amount, fund_type)
        books = _locked_books(case, [fund_type])
        sequence = _sequence(held)
        lines: list[Posting] = [Posting(Account.EXPENDITURE_ACCOUNT, amount)]
        lines += [_spending(case, row, -part) for row, part in parts]
        memo = f"稽核追回到账 {case.number} 回单 {number}"
        key = f"audit:{held.pk}:repaid:{sequence}"
        entry = post(actor, books[fund_type], key=key, on=on, lines=lines, memo=memo, source=case)
        _relieve(actor, case, books[fund_type], f"{key}:control", parts, memo, on)
        made = [
            Recovered.objects.create(
                amount_row=row, kind=RecoveryKind.REPAID, amount=part, on=on, reference=number,
                file=files[0] if files else None, entry=entry.pk,
                by=actor, at=timezone.now(),
            )
            for row, part in parts
        ]  # fmt: skip
        left = sum((one.outstanding for one in _owed(held)), ZERO)
        fund = FundType(fund_type).label
        text = f"{case.number} 收到{fund}基金退回款 {amount:,.2f} 元（{number}），全案尚欠 {left:,.2f} 元。"
        data = {"fund_type": fund_type, "amount": str(amount), "rows": [row.pk for row in made], "left": str(left)}
        tell = [*officers(case), *provider(case)]
        finish(actor, case, step, text, track=held, data=data, files=files, tell=tell)
        return made


def deduct(actor: User, track: Track, *, fund_type: str, reason: str) -> list[Recovered]:
    """Set what one fund is still owed off against the alliance's next settlements that are not final, as D.

    Each year's claims go to the first open settlement after their year. A party outside every alliance has none.
    """
    with transaction.atomic():
        held, step = begin(actor, track, Act.DEDUCT, reason)
        case, alliance = held.case, held.case.alliance
        if alliance is None:
            text = f"{case.party_name}不属于任何医共体，没有可以扣减的清算。"
            raise Refused([Problem("alliance", "", text, "请由其退回基金，由基金财务登记到账。")])
        lock_settlements(alliance, [fund_type])
        owed = [one for one in _owed(held, fund_type) if one.outstanding]
        if not owed:
            raise _nothing_owed(fund_type)
        books, sequence = _locked_books(case, [fund_type]), _sequence(held)
        made: list[Recovered] = []
        parts = [(one.row, one.outstanding) for one in owed]
        for row, part in parts:
            year = settlements.next_open_year(alliance, fund_type, row.year)
            source = f"{case.number} 扣减 {sequence + len(made)}"
            pushed = push_adjustment(
                actor, alliance, year, fund_type, OTHER_YEAR, part, source, f"{case.party_name}：{case.title}",
                origin_year=row.year,
            )  # fmt: skip
            made.append(
                Recovered.objects.create(
                    amount_row=row, kind=RecoveryKind.DEDUCTED, amount=part, on=timezone.localdate(), reference=source,
                    settlement_year=year, adjustment=pushed.pk, reason=reason.strip()[:300], by=actor, at=timezone.now(),
                )
            )  # fmt: skip
        total = sum((part for _row, part in parts), ZERO)
        memo = f"稽核追回转清算扣减 {case.number}"
        _relieve(actor, case, books[fund_type], f"audit:{held.pk}:deducted:{sequence}", parts, memo)
        years = "、".join(str(year) for year in sorted({row.settlement_year or 0 for row in made}))
        fund = FundType(fund_type).label
        text = f"{case.number} 尚欠{fund}基金 {total:,.2f} 元转 {years} 年度清算扣减：{reason.strip()[:80]}"
        data = {"fund_type": fund_type, "amount": str(total), "rows": [row.pk for row in made]}
        finish(actor, case, step, text, track=held, reason=reason, data=data, tell=[*finance(case), *provider(case)])
        return made


def take_back(actor: User, track: Track, recovered: Recovered, reason: str) -> list[Recovered]:
    """Undo a wrong receipt (all its parts) or one deduction by reversing rows and entries; the amount is owed again.

    A receipt is taken back by who may record one, a deduction by who may make one and only while its settlement is open.
    A track that was performed is in force again, a closed case in hand again: corrections add, nothing is undone.
    """
    with transaction.atomic():
        held, step = begin(actor, track, Act.TAKE_BACK, reason)
        case = held.case
        _require_own(actor, held, recovered)
        wrong = list(_same_act(held, recovered))
        if not wrong:
            raise Conflict([Problem("recovered", recovered.reference, "这笔登记已经冲销。", "请刷新页面。")])
        fund_type, repaid = wrong[0].amount_row.fund_type, recovered.kind == RecoveryKind.REPAID
        pushed = None if repaid else _open_adjustment(case, wrong[0])
        books = _locked_books(case, [fund_type])
        if repaid and recovered.entry is not None:
            entry = Entry.objects.get(pk=recovered.entry)
            memo = f"冲销 {entry.memo}：{reason.strip()[:60]}"
            reverse(actor, entry, timezone.localdate(), f"audit:{held.pk}:back:{recovered.entry}", memo)
        parts = [(row.amount_row, -row.amount) for row in wrong]
        key = f"audit:{held.pk}:back:{recovered.kind}:{min(row.pk for row in wrong)}"
        _relieve(actor, case, books[fund_type], key, parts, f"冲销追回登记 {case.number} {recovered.reference}")
        made = [
            Recovered.objects.create(
                amount_row=row.amount_row, kind=row.kind, amount=-row.amount, on=timezone.localdate(),
                reference=row.reference, settlement_year=row.settlement_year, adjustment=row.adjustment, entry=row.entry,
                reverses=row, reason=reason.strip()[:300], by=actor, at=timezone.now(),
            )
            for row in wrong
        ]  # fmt: skip
        if pushed is not None:
            withdraw_adjustment(actor, pushed, reason, by_holder=True)
        total = sum((row.amount for row in wrong), ZERO)
        kind = RecoveryKind(recovered.kind).label
        text = f"{case.number} 冲销{kind} {total:,.2f} 元（{recovered.reference}）：{reason.strip()[:80]}"
        data: dict[str, Any] = {"rows": [row.pk for row in made], "amount": str(total)}
        if case.state == CaseState.CLOSED:
            case.state, case.closed_by, case.closed_at = CaseState.REVIEWED, None, None
            case.save(update_fields=["state", "closed_by", "closed_at"])
            text, data["reopened"] = f"{text} 案件恢复为处理中。", True
        tell = [*officers(case), *finance(case), *provider(case)]
        fields = {"done_on": None} if step.source == TrackState.DONE else {}
        finish(actor, case, step, text, track=held, reason=reason, data=data, tell=tell, fields=fields)
        return made


def pay_fine(
    actor: User,
    track: Track,
    *,
    amount: Decimal,
    on: date,
    reference: str,
    kind: str = FINE,
    files: Sequence[StoredFile] = (),
) -> FinePayment:
    """Record a fine or its surcharge paid into the treasury; at most what is due. Nothing enters the fund's books."""
    with transaction.atomic():
        also = [*_kind_problems(kind, PAYMENTS), *_day_problems(track, on), *_reference_problems(reference)]
        held, step = begin(actor, track, Act.PAY_FINE, also=also)
        case, number = held.case, reference.strip()
        if held.fine_payments.filter(reference=number).exists():
            raise Conflict([Problem("reference", number, f"缴款书 {number} 已经登记过。", "请核对缴款书号。")])
        where = fine_position(held, on)
        left = where.outstanding if kind == FINE else where.surcharge_outstanding
        if not ZERO < amount <= left:
            word = "罚款" if kind == FINE else "加处罚款"
            text = f"缴款 {amount:,.2f} 元，须大于零且不超过尚欠的{word} {left:,.2f} 元。"
            raise Refused([Problem("amount", str(amount), text, "请核对缴款书；多缴的由国库退还。")])
        made = FinePayment.objects.create(
            track=held, kind=kind, amount=amount, paid_on=on, reference=number, file=files[0] if files else None, by=actor,
            at=timezone.now(),
        )  # fmt: skip
        text = f"{case.number} {made.get_kind_display()}缴库 {amount:,.2f} 元（{number}）。"
        data = {"payment": made.pk, "kind": kind, "amount": str(amount)}
        finish(actor, case, step, text, track=held, data=data, files=files, tell=[*officers(case), *provider(case)])
        return made


def record_remedy(actor: User, track: Track, *, kind: str, reference: str, started_on: date, note: str) -> Remedy:
    """Keep that a review or a suit against the decision was accepted; the surcharge stands still meanwhile."""
    with transaction.atomic():
        also = [*_kind_problems(kind, REMEDIES), *_day_problems(track, started_on, "started_on"), *_reference_problems(reference)]
        held, step = begin(actor, track, Act.REMEDY, note, also)
        running = held.remedies.filter(state=RemedyState.RUNNING, kind=kind)
        if running.exists():
            raise Conflict([Problem("kind", kind, "同类复议（诉讼）正在审理，尚未登记结果。", "请先登记原程序的结果。")])
        made = Remedy.objects.create(
            track=held, kind=kind, reference=reference.strip(), started_on=started_on, note=note.strip()[:300], by=actor,
            at=timezone.now(),
        )  # fmt: skip
        text = f"{held.case.number} {made.get_kind_display()}受理（{made.reference}）：{note.strip()[:80]}"
        finish(actor, held.case, step, text, track=held, reason=note, data={"remedy": made.pk}, tell=officers(held.case))
        return made


def end_remedy(actor: User, remedy: Remedy, *, state: str, ended_on: date, note: str) -> Remedy:
    """Keep how a review or suit ended; from the next day on the surcharge runs again."""
    with transaction.atomic():
        held, step = begin(actor, remedy.track, Act.REMEDY, note)
        row = Remedy.objects.select_for_update(of=("self",), no_key=True).get(pk=remedy.pk)
        problems = []
        if row.state != RemedyState.RUNNING:
            raise Conflict([Problem("state", row.get_state_display(), "结果已经登记。", "请刷新页面。")])
        if state == RemedyState.RUNNING or state not in RemedyState.values:
            problems.append(Problem("state", state, "没有选择结果。", "请选择维持、变更或撤销、撤回。"))
        if not row.started_on <= ended_on <= timezone.localdate():
            text = f"终结日期 {ended_on} 须在受理日 {row.started_on} 与今天之间。"
            problems.append(Problem("ended_on", str(ended_on), text, "请核对法律文书。"))
        if problems:
            raise Refused(problems)
        row.state, row.ended_on = state, ended_on
        row.save(update_fields=["state", "ended_on"])
        text = f"{held.case.number} {row.get_kind_display()}终结：{row.get_state_display()}。{note.strip()[:80]}"
        data = {"remedy": row.pk, "state": str(state)}
        finish(actor, held.case, step, text, track=held, reason=note, data=data, tell=officers(held.case))
        return row


def _final(case: Case, funds: Sequence[str]) -> set[tuple[int, str]]:
    if case.alliance is None:
        return set()
    return {(year, fund) for fund in funds for year in settlements.final_years(case.alliance, fund)}


def _decided(
    actor: User, track: Track, groups: Sequence[Group], final: set[tuple[int, str]]
) -> list[DecidedAmount]:
    """One row per kind, year, fund and account; each refusal is pushed to its year's settlement."""
    case = track.case
    own = case.alliance is not None
    sums: dict[tuple[str, int, str, str], Decimal] = {}
    for group in groups:
        line = AuditLine(group.year, group.fund_type, group.amount, group.own)
        refused = split([line], final, own).refused > 0
        kind = AmountKind.REFUSED if refused else AmountKind.RECOVERY
        key = (kind.value, group.year, group.fund_type, group.spending)
        sums[key] = sums.get(key, ZERO) + group.amount
    rows = []
    for (kind_name, year, fund, spending), amount in sorted(sums.items()):
        adjustment = None
        if kind_name == AmountKind.REFUSED:
            assert case.alliance is not None
            why = f"{case.party_name}：{case.title}"
            pushed = push_adjustment(actor, case.alliance, year, fund, REFUSED_CLAIMS, amount, case.number, why)
            adjustment = pushed.pk
        rows.append(
            DecidedAmount.objects.create(
                track=track, kind=kind_name, year=year, fund_type=fund, spending=spending, amount=amount,
                settlement_year=year if adjustment else None, adjustment=adjustment, at=timezone.now(),
            )
        )  # fmt: skip
    return rows


def _register(actor: User, case: Case, track: Track, books: dict[str, Book], rows: Sequence[DecidedAmount]) -> None:
    """Everything decided is registered; what was refused leaves again at once: its settlement takes it."""
    for fund, book in books.items():
        mine = [row for row in rows if row.fund_type == fund]
        decided = [line for row in mine for line in registering(Account.AUDIT_RECEIVABLE, row.amount, case.alliance, row.year)]
        memo, today = f"稽核决定 {case.number}", timezone.localdate()
        post(actor, book, key=f"audit:{track.pk}:decided:{fund}", on=today, lines=decided, memo=memo, source=case)
        parts = [(row, row.amount) for row in mine if row.kind == AmountKind.REFUSED]
        if parts:
            _relieve(actor, case, book, f"audit:{track.pk}:refused:{fund}", parts, f"拒付计入清算 {case.number}")


def _relieve(
    actor: User,
    case: Case,
    book: Book,
    key: str,
    parts: Sequence[tuple[DecidedAmount, Decimal]],
    memo: str,
    on: date | None = None,
) -> Entry:
    """Take parts of decided amounts off the control account (negative: put them on again)."""
    lines = [line for row, part in parts for line in registering(Account.AUDIT_RECEIVABLE, -part, case.alliance, row.year)]
    return post(actor, book, key=key, on=on or timezone.localdate(), lines=lines, memo=memo, source=case)


def _spending(case: Case, row: DecidedAmount, amount: Decimal) -> Posting:
    packaged = row.spending == Account.BENEFITS_PACKAGED
    return Posting(Account(row.spending), amount, case.alliance if packaged else None, row.year)


def _turned(groups: Sequence[Group], rows: Sequence[DecidedAmount]) -> list[str]:
    """A sentence for each year and fund whose settlement was final: own claims that are recovered, not refused."""
    refused = {(row.year, row.fund_type) for row in rows if row.kind == AmountKind.REFUSED}
    sums: dict[tuple[int, str], Decimal] = {}
    for group in groups:
        if group.own and (group.year, group.fund_type) not in refused:
            sums[group.year, group.fund_type] = sums.get((group.year, group.fund_type), ZERO) + group.amount
    return [
        f"{year} 年度{FundType(fund).label}清算已审定，其中 {amount:,.2f} 元不再拒付，转为追回，总额不变。"
        for (year, fund), amount in sorted(sums.items())
    ]


def _locked_books(case: Case, funds: Sequence[str]) -> dict[str, Book]:
    books = {fund: book_of(case.county, fund) for fund in sorted(set(funds))}
    lock_books(books.values())
    return books


def _owed(track: Track, fund_type: str = "") -> list[Owed]:
    rows = DecidedAmount.objects.filter(track=track, kind=AmountKind.RECOVERY).order_by("year", "pk")
    return positions(rows.filter(fund_type=fund_type) if fund_type else rows)


def _allocated(owed: Sequence[Owed], amount: Decimal, fund_type: str) -> list[tuple[DecidedAmount, Decimal]]:
    if not owed:
        raise _nothing_owed(fund_type)
    rows = {str(one.row.pk): one.row for one in owed}
    due = [Receivable(str(one.row.pk), date(one.row.year, 1, 1), one.outstanding) for one in owed]
    try:
        return [(rows[part.key], part.amount) for part in allocate_receipt(due, amount)]
    except RuleError as error:
        raise Refused(plain_problems(error.problems)) from error


def _nothing_owed(fund_type: str) -> Refused:
    text = f"{FundType(fund_type).label}基金没有待追回的金额。"
    return Refused([Problem("fund_type", fund_type, text, "请核对险种。")])


def _sequence(track: Track) -> int:
    """The next number of the track's money acts; rows are never deleted, so it only grows."""
    return Recovered.objects.filter(amount_row__track=track).count() + 1


def _same_act(track: Track, recovered: Recovered) -> Sequence[Recovered]:
    rows = live_rows(track).filter(pk=recovered.pk)
    if recovered.kind == RecoveryKind.REPAID:
        rows = live_rows(track).filter(entry=recovered.entry, kind=RecoveryKind.REPAID)
    return list(rows.select_related("amount_row").order_by("pk"))


def _require_own(actor: User, track: Track, recovered: Recovered) -> None:
    """Receipts are finance's, deductions those of the officers of the case, of nobody else with their post."""
    repaid = recovered.kind == RecoveryKind.REPAID
    answer = right(actor, track, Act.RECEIVE if repaid else Act.DEDUCT)
    if answer and not repaid:
        answer = PRECONDITIONS["officer"].check(actor, track)
    if isinstance(answer, Denied):
        raise NotAllowed(answer)


def _open_adjustment(case: Case, row: Recovered) -> Any:
    """What a deduction pushed, with its settlement locked; refused once that became final."""
    fund, year = row.amount_row.fund_type, row.settlement_year
    assert case.alliance is not None and year is not None
    lock_settlements(case.alliance, [fund])
    if year in settlements.final_years(case.alliance, fund):
        text = f"{year} 年度清算已审定，扣减已经计入，不能撤回。"
        raise Refused([Problem("recovered", row.reference, text, "多扣的请在清算更正中办理。")])
    return settlements.adjustment_of(case.alliance, year, fund, row.reference)


def _kind_problems(kind: str, known: dict[str, str]) -> list[Problem]:
    if kind in known:
        return []
    return [Problem("kind", kind, f"没有类别“{kind}”。", f"可选：{'、'.join(known.values())}。")]


def _day_problems(track: Track, on: date, field: str = "on") -> list[Problem]:
    today = timezone.localdate()
    if on > today:
        return [Problem(field, str(on), f"日期 {on} 在今天之后。", "请按单据填写实际日期。")]
    if track.served_on is not None and on < track.served_on:
        return [Problem(field, str(on), f"日期 {on} 早于决定送达日 {track.served_on}。", "请核对单据日期。")]
    return []


def _reference_problems(reference: str) -> list[Problem]:
    if not reference.strip():
        return [Problem("reference", "", "没有填写单据号。", "请按回单、缴款书或受理通知书填写。")]
    if len(reference.strip()) > LONGEST:
        return [Problem("reference", reference[:20], f"单据号超过 {LONGEST} 个字。", "请改正。")]
    return []
