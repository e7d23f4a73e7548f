"""Where the money of a case stands: decided, refused, recovered, outstanding; fines beside it. All amounts in yuan.

decided = refused + repaid + deducted + outstanding, per fund type, to the fen. Before a decision is served ``found`` alone
moves: the kept lines of the findings. Fines and their surcharge are the treasury's and stand in :func:`fine_position` only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from audits.models import AmountKind, Case, DecidedAmount, FindingLine, Recovered, RecoveryKind, Track
from audits.states import IN_FORCE_TRACKS, TrackKind, TrackState
from core.fields import MoneyField
from core.models import FundType
from ledger.accounts import Account
from rules.audit_money import position
from rules.money import ZERO
from rules.penalties import surcharge

REPAYMENT, FINE_PAYMENT = "repayment", "fine_payment"
FUND_ORDER = {fund: number for number, fund in enumerate((FundType.RESIDENT.value, FundType.EMPLOYEE.value))}
SPENT_ON = {
    "inpatient": Account.BENEFITS_INPATIENT,
    "maternity_in": Account.BENEFITS_INPATIENT,
    "chronic": Account.BENEFITS_CHRONIC,
}


class Group(NamedTuple):
    """Kept lines that share what decides their way: the year and fund paid from, whose insured, from which account."""

    year: int
    fund_type: str
    own: bool
    spending: str
    amount: Decimal


@dataclass(frozen=True)
class Owed:
    """One decided amount and what came of it; ``outstanding`` is zero for refused claims: they left S_in."""

    row: DecidedAmount
    repaid: Decimal
    deducted: Decimal

    @property
    def outstanding(self) -> Decimal:
        if self.row.kind == AmountKind.REFUSED:
            return ZERO
        return position(self.row.amount, ZERO, self.repaid, self.deducted)


@dataclass(frozen=True)
class FundMoney:
    """The money of one fund type (empty: all of them); ``due`` is the last day to repay what is outstanding."""

    fund_type: str
    found: Decimal = ZERO
    refused: Decimal = ZERO
    recovery: Decimal = ZERO
    repaid: Decimal = ZERO
    deducted: Decimal = ZERO
    refused_years: tuple[int, ...] = ()
    recovery_years: tuple[int, ...] = ()
    due: date | None = None

    @property
    def decided(self) -> Decimal:
        return self.refused + self.recovery

    @property
    def recovered(self) -> Decimal:
        return self.repaid + self.deducted

    @property
    def outstanding(self) -> Decimal:
        return position(self.decided, self.refused, self.repaid, self.deducted)


@dataclass(frozen=True)
class CaseMoney:
    """The money of a case by fund type with its total; ``track`` decides it, ``in_force`` once that was served."""

    rows: tuple[FundMoney, ...]
    total: FundMoney
    track: Track | None
    in_force: bool
    owed: tuple[Owed, ...] = ()
    receipts: tuple[Recovered, ...] = ()


@dataclass(frozen=True)
class FinePosition:
    """A served penalty's fine: what is paid into the treasury and what is still due on ``on``, surcharge apart."""

    fine: Decimal
    paid: Decimal
    surcharge: Decimal
    surcharge_paid: Decimal
    due: date | None
    days: int
    paused_days: int
    on: date
    payments: tuple[Any, ...] = field(default_factory=tuple)

    @property
    def outstanding(self) -> Decimal:
        return self.fine - self.paid

    @property
    def surcharge_outstanding(self) -> Decimal:
        return max(self.surcharge - self.surcharge_paid, ZERO)

    @property
    def settled(self) -> bool:
        return self.outstanding == 0 and self.surcharge_outstanding == 0


def spending_account(case: Case, line: FindingLine) -> Account:
    """The fund account a line was paid from: the package of the alliance that was paid for it, else the visit's kind.

    Patients insured in other counties are billed at an alliance but stay outside its package (A15).
    """
    inside = case.alliance_id is not None and (line.own or (line.alliance_id is not None and line.county_id == case.county_id))
    return Account.BENEFITS_PACKAGED if inside else SPENT_ON.get(line.visit_type, Account.BENEFITS_OUTPATIENT)


def kept_groups(case: Case) -> list[Group]:
    """The kept lines of a case summed by year, fund type, own insured and account, oldest year first."""
    found: dict[tuple[int, str, bool, str], Decimal] = {}
    lines = FindingLine.objects.kept().filter(finding__case=case).order_by()
    for line in lines.only("year", "fund_type", "own", "alliance_id", "county_id", "visit_type", "amount"):
        key = (line.year, line.fund_type, line.own, spending_account(case, line).value)
        found[key] = found.get(key, ZERO) + line.amount
    return [Group(*key, found[key]) for key in sorted(found)]


def found_total(case: Case) -> Decimal:
    """What the kept lines of a case add up to."""
    lines = FindingLine.objects.kept().filter(finding__case=case)
    return lines.aggregate(total=Coalesce(Sum("amount"), 0, output_field=MoneyField()))["total"]  # type: ignore[no-any-return]


def positions(rows: QuerySet[DecidedAmount]) -> list[Owed]:
    """Decided amounts with what was repaid and deducted of each, reversals taken off; one query."""
    kinds = {kind: Q(recovered__kind=kind) for kind in (RecoveryKind.REPAID, RecoveryKind.DEDUCTED)}
    sums = {
        f"sum_{kind.value}": Coalesce(Sum("recovered__amount", filter=test), 0, output_field=MoneyField())
        for kind, test in kinds.items()
    }
    found: Any = rows.annotate(**sums)
    return [Owed(row, row.sum_repaid, row.sum_deducted) for row in found]


def case_money(case: Case) -> CaseMoney:
    """The money of a case as it stands; five queries."""
    track = case.tracks.filter(holds_money=True).first()
    in_force = track is not None and track.state in IN_FORCE_TRACKS
    lines = FindingLine.objects.kept().filter(finding__case=case).order_by()
    found = dict(lines.values_list("fund_type").annotate(total=Sum("amount")))
    owed = positions(DecidedAmount.objects.filter(track__case=case).order_by("fund_type", "year", "pk")) if in_force else []
    receipts = Recovered.objects.filter(amount_row__track__case=case).select_related("amount_row", "by", "file", "reversed_by")
    due = _limit(track, REPAYMENT) if in_force and track is not None else None
    funds = sorted({*found, *(one.row.fund_type for one in owed)}, key=lambda fund: FUND_ORDER[fund])
    rows = tuple(_fund_money(fund, found.get(fund, ZERO), [one for one in owed if one.row.fund_type == fund], due) for fund in funds)
    return CaseMoney(rows, total_of(rows), track, in_force, tuple(owed), tuple(receipts.order_by("pk")) if in_force else ())


def total_of(rows: Iterable[FundMoney]) -> FundMoney:
    """The sum over fund types (or cases)."""
    held = tuple(rows)

    def whole(name: str) -> Decimal:
        return sum((getattr(row, name) for row in held), ZERO)

    return FundMoney("", whole("found"), whole("refused"), whole("recovery"), whole("repaid"), whole("deducted"))


def outstanding(case: Case) -> Decimal:
    """What a case still owes the fund; zero before its decision is served."""
    rows = DecidedAmount.objects.filter(track__case=case, kind=AmountKind.RECOVERY)
    return sum((one.outstanding for one in positions(rows)), ZERO)


def live_rows(track: Track) -> QuerySet[Recovered]:
    """What came back under a track and stands: neither reversals nor reversed."""
    return Recovered.objects.filter(amount_row__track=track, reverses__isnull=True, reversed_by__isnull=True)


def fine_position(track: Track, on: date | None = None) -> FinePosition:
    """The fine of a penalty track on a day (today): 3 % a day on what is late, never above the fine (行政处罚法 72、73).

    Days of reviews and suits do not count. A fine paid in parts bears the surcharge part by part.
    """
    day = on or timezone.localdate()
    payments = sorted(track.fine_payments.all(), key=lambda one: (one.paid_on, one.pk))
    fine = track.fine or ZERO
    in_force = track.kind == TrackKind.PENALTY and track.state in IN_FORCE_TRACKS
    if not in_force or not fine:
        return FinePosition(ZERO, ZERO, ZERO, ZERO, None, 0, 0, day, tuple(payments))
    due = _limit(track, FINE_PAYMENT)
    paid = [one for one in payments if one.kind == "fine"]
    spans = [(one.started_on, one.ended_on or day) for one in track.remedies.all() if one.started_on <= (one.ended_on or day)]
    parts = [(one.amount, one.paid_on) for one in paid]
    left = fine - sum((amount for amount, _on in parts), ZERO)
    if left > 0:
        parts.append((left, day))
    added, days, paused = ZERO, 0, 0
    for amount, until in parts if due is not None else []:
        assert due is not None
        part = surcharge(amount, due, until, spans)
        added, days, paused = added + part.amount, max(days, part.days), max(paused, part.paused_days)
    extra = sum((one.amount for one in payments if one.kind == "surcharge"), ZERO)
    return FinePosition(fine, fine - left, added, extra, due, days, paused, day, tuple(payments))


def track_settled(track: Track) -> bool:
    """Whether nothing is owed under a track any more: money of the fund, the fine and its surcharge."""
    if track.holds_money and outstanding(track.case):
        return False
    return track.kind != TrackKind.PENALTY or fine_position(track).settled


def nothing_outstanding(case: Case) -> bool:
    """Whether no yuan of a case is owed any more, neither to the fund nor to the treasury."""
    if outstanding(case):
        return False
    served = case.tracks.filter(kind=TrackKind.PENALTY, state__in=IN_FORCE_TRACKS)
    return all(fine_position(track).settled for track in served)


def served_cases(cases: QuerySet[Case]) -> QuerySet[Case]:
    """Those of ``cases`` whose money takes effect now: their deciding track is served and not yet performed."""
    return cases.filter(tracks__holds_money=True, tracks__state=TrackState.SERVED).distinct()


def held_adjustments(ids: Collection[int]) -> dict[int, str]:
    """Which of these settlement adjustments decisions or deductions of cases stand on: id → 案件 and its number."""
    names = ("adjustment", "track__case__number")
    refused = DecidedAmount.objects.filter(adjustment__in=ids).values_list(*names)
    deducted = Recovered.objects.filter(adjustment__in=ids).values_list("adjustment", "amount_row__track__case__number")
    return {key: f"案件 {number}" for key, number in (*refused.order_by(), *deducted.order_by()) if key is not None}


def _limit(track: Track, key: str) -> date | None:
    """The last day of the newest such limit of the track; reads what was fetched with it."""
    held = [row for row in track.deadlines.all() if row.key == key]
    return max(held, key=lambda row: row.pk).last_day if held else None


def _fund_money(fund: str, found: Decimal, owed: Sequence[Owed], due: date | None) -> FundMoney:
    refused = [one for one in owed if one.row.kind == AmountKind.REFUSED]
    recovery = [one for one in owed if one.row.kind == AmountKind.RECOVERY]
    return FundMoney(
        fund_type=fund,
        found=found,
        refused=sum((one.row.amount for one in refused), ZERO),
        recovery=sum((one.row.amount for one in recovery), ZERO),
        repaid=sum((one.repaid for one in owed), ZERO),
        deducted=sum((one.deducted for one in owed), ZERO),
        refused_years=tuple(sorted({one.row.year for one in refused})),
        recovery_years=tuple(sorted({one.row.year for one in recovery})),
        due=due if recovery else None,
    )
