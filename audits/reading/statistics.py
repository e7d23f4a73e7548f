"""稽核统计 of a year: what decisions served in it found, refused, recovered, left outstanding and fined (yuan).

A decision belongs to the year it was served in; what came back of it is counted up to today. Receipts of one decided amount
are spread over its acts in proportion to their claims, fines over their acts in proportion to the loss, to the fen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import QuerySet, Sum

from audits.models import AmountKind, Case, DecidedAmount, Finding, FindingLine, FinePayment, Track
from audits.models.plans import PlanKind
from audits.reading.findings import act_label
from audits.reading.money import Owed, positions, spending_account
from audits.states import IN_FORCE_TRACKS, TrackKind
from rules.money import ZERO, allocate

READ = "audits.statistics"
BY = {"act": "违规行为", "provider": "机构（对象）", "county": "县（区）", "kind": "稽核类型"}
AMOUNTS = ("found", "refused", "recovery", "repaid", "deducted", "outstanding", "fine", "fine_paid")
LABELS = {
    "found": "认定违规", "refused": "拒付", "recovery": "应追回", "repaid": "已退回", "deducted": "已扣减", "outstanding": "未追回",
    "fine": "罚款", "fine_paid": "罚款已缴库",
}  # fmt: skip


@dataclass(frozen=True)
class Sums:
    """One row of a table; ``cases`` counts the cases that have a part in it."""

    key: str
    label: str
    cases: int
    found: Decimal
    refused: Decimal
    recovery: Decimal
    repaid: Decimal
    deducted: Decimal
    fine: Decimal
    fine_paid: Decimal

    @property
    def outstanding(self) -> Decimal:
        return self.recovery - self.repaid - self.deducted

    @property
    def recovered(self) -> Decimal:
        return self.repaid + self.deducted

    @property
    def amounts(self) -> list[Decimal]:
        """As the columns of :data:`AMOUNTS`."""
        return [getattr(self, name) for name in AMOUNTS]


@dataclass(frozen=True)
class Part:
    """What one act of one case contributed."""

    case: Case
    act: str
    found: Decimal = ZERO
    refused: Decimal = ZERO
    recovery: Decimal = ZERO
    repaid: Decimal = ZERO
    deducted: Decimal = ZERO
    fine: Decimal = ZERO
    fine_paid: Decimal = ZERO


@dataclass(frozen=True)
class Statistics:
    """The tables of a year by :data:`BY`, largest first; every table has the same total."""

    year: int
    tables: dict[str, tuple[Sums, ...]]
    total: Sums


class _Weight(NamedTuple):
    act: str
    amount: Decimal


def statistics(cases: QuerySet[Case], year: int) -> Statistics:
    """The year over ``cases`` (already narrowed to what the reader may see); four queries."""
    tracks = Track.objects.filter(case__in=cases, state__in=IN_FORCE_TRACKS, served_on__year=year)
    served = list(tracks.select_related("case__county", "case__institution").order_by("pk"))
    parts = [*_money(served), *_fines(served)]
    tables = {by: _table(parts, _key_of(by)) for by in BY}
    return Statistics(year, tables, _sums("", "合计", parts))


def years_of(cases: QuerySet[Case]) -> list[int]:
    """The years in which decisions on these cases were served, newest first."""
    days = Track.objects.filter(case__in=cases, state__in=IN_FORCE_TRACKS, served_on__isnull=False)
    return sorted({day.year for day in days.dates("served_on", "year")}, reverse=True)


def _money(served: Sequence[Track]) -> list[Part]:
    tracks = {track.pk: track for track in served if track.holds_money}
    cases = {track.case_id: track.case for track in tracks.values()}
    owed = positions(DecidedAmount.objects.filter(track__in=list(tracks)).order_by("pk"))
    refused = {(one.row.track_id, one.row.year, one.row.fund_type) for one in owed if one.row.kind == AmountKind.REFUSED}
    by_case = {track.case_id: track.pk for track in tracks.values()}
    weights: dict[tuple[Any, ...], dict[str, Decimal]] = {}
    for line, amount in _line_groups(cases):
        track = by_case[line.finding.case_id]
        is_refused = line.own and (track, line.year, line.fund_type) in refused
        kind = AmountKind.REFUSED if is_refused else AmountKind.RECOVERY
        spending = spending_account(cases[line.finding.case_id], line)
        acts = weights.setdefault((track, kind.value, line.year, line.fund_type, spending.value), {})
        acts[line.finding.act] = acts.get(line.finding.act, ZERO) + amount
    parts: list[Part] = []
    for one in owed:
        row = one.row
        key = (row.track_id, row.kind, row.year, row.fund_type, row.spending)
        shares = [_Weight(*item) for item in sorted(weights.get(key, {"": row.amount}).items())]
        parts += _spread(tracks[row.track_id].case, one, shares)
    return parts


def _line_groups(cases: dict[int, Case]) -> Iterable[tuple[FindingLine, Decimal]]:
    """Kept lines summed by what decides their way and their act, each group as an unsaved line with its finding."""
    names = (
        "finding__case_id", "finding__act", "year", "fund_type", "own", "alliance_id", "county_id", "visit_type",
    )  # fmt: skip
    rows = FindingLine.objects.kept().filter(finding__case__in=list(cases)).order_by()
    for case, act, year, fund, own, alliance, county, visit, amount in rows.values_list(*names).annotate(sum=Sum("amount")):
        line = FindingLine(year=year, fund_type=fund, own=own, alliance_id=alliance, county_id=county, visit_type=visit)
        line.finding = Finding(case_id=case, act=act)
        yield line, amount


def _spread(case: Case, one: Owed, shares: Sequence[_Weight]) -> Iterable[Part]:
    weights = [share.amount for share in shares]
    whole = zip(
        shares, allocate(one.row.amount, weights), allocate(one.repaid, weights), allocate(one.deducted, weights),
        strict=True,
    )  # fmt: skip
    for share, amount, repaid, deducted in whole:
        is_refused = one.row.kind == AmountKind.REFUSED
        yield Part(
            case, share.act, amount, amount if is_refused else ZERO, ZERO if is_refused else amount, repaid, deducted
        )


def _fines(served: Sequence[Track]) -> list[Part]:
    tracks = [track for track in served if track.kind == TrackKind.PENALTY and track.fine]
    payments = FinePayment.objects.filter(track__in=[track.pk for track in tracks], kind="fine").order_by()
    paid = dict(payments.values_list("track_id").annotate(sum=Sum("amount")))
    parts = []
    for track in tracks:
        items = track.penalty.get("items", [])
        acts = [item.get("act", "") for item in items] or [""]
        losses = [Decimal(item["loss"]) for item in items] or [Decimal(1)]
        weights = losses if sum(losses) else [Decimal(1)] * len(losses)
        fines = allocate(track.fine or ZERO, weights)
        in_treasury = allocate(paid.get(track.pk, ZERO), weights)
        for act, fine, came in zip(acts, fines, in_treasury, strict=True):
            parts.append(Part(track.case, act, fine=fine, fine_paid=came))
    return parts


def _key_of(by: str) -> Callable[[Part], tuple[str, str]]:
    kinds = dict(PlanKind.choices)
    keys: dict[str, Callable[[Part], tuple[str, str]]] = {
        "act": lambda part: (part.act, act_label(part.act) or "未列明"),
        "provider": lambda part: (part.case.party_code or part.case.party_name, part.case.party_name),
        "county": lambda part: (part.case.county.code, part.case.county.name),
        "kind": lambda part: (part.case.kind, str(kinds.get(part.case.kind, part.case.kind))),
    }
    return keys[by]


def _table(parts: Sequence[Part], key_of: Callable[[Part], tuple[str, str]]) -> tuple[Sums, ...]:
    found: dict[tuple[str, str], list[Part]] = {}
    for part in parts:
        found.setdefault(key_of(part), []).append(part)
    rows = [_sums(*key, held) for key, held in found.items()]
    return tuple(sorted(rows, key=lambda row: (-row.found, -row.fine, row.label)))


def _sums(key: str, label: str, parts: Sequence[Part]) -> Sums:
    names = ("found", "refused", "recovery", "repaid", "deducted", "fine", "fine_paid")
    sums = {name: sum((getattr(part, name) for part in parts), ZERO) for name in names}
    return Sums(key, label, len({part.case.pk for part in parts}), **sums)
