"""Queries that span models: the yearly list, the versions a person sees, and the months behind a statement.

Their number does not grow with the number of alliances.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Max, Min, Prefetch, Q
from django.utils import timezone

from claims import reading as claims
from core.kept import kept
from core.models import Alliance, FundType, User
from core.models.places import AllianceQuerySet
from rules.money import ZERO
from rules.periods import Month
from settlement import posting
from settlement.frozen import YearInputs
from settlement.models import (
    Adjustment,
    AssessmentScore,
    Booking,
    BookingKind,
    CauseAnalysis,
    Computation,
    PlanState,
    RecoveryPlan,
    ScoreState,
    Settlement,
)
from settlement.models import (
    SettlementVersion as SettlementVersion,
)
from settlement.states import FINAL_STATES, VersionState


@dataclass(frozen=True)
class YearRow:
    """One alliance and fund type in the yearly list; ``version`` is the newest the user may see."""

    alliance: Alliance
    fund_type: str
    version: SettlementVersion | None

    @property
    def computation(self) -> Computation | None:
        return self.version.computation if self.version is not None else None

    @property
    def state(self) -> str:
        return self.version.state if self.version is not None else ""

    @property
    def state_text(self) -> str:
        return self.version.get_state_display() if self.version is not None else "未起草"

    @property
    def tone(self) -> str:
        return self.version.tone if self.version is not None else ""

    @property
    def due(self) -> date | None:
        waiting = self.version is not None and self.version.state == VersionState.SENT
        return self.version.confirm_by if waiting and self.version is not None else None


SORTS = ("alliance", "package", "charged", "ratio", "cash", "state")


def alliances_of_year(year: int) -> AllianceQuerySet:
    """Alliances that stood on any day of the year: one that ended in June is settled too."""
    ends = Q(valid_to__isnull=True) | Q(valid_to__gte=date(year, 1, 1))
    return Alliance.objects.filter(ends, valid_from__lte=date(year, 12, 31))


def year_rows(user: User, year: int) -> list[YearRow]:
    """Every alliance the user sees in ``year``, both fund types, drafted or not; kept until the trail moves."""
    return kept("settlement rows", (user.pk, year), lambda: _year_rows(user, year))


def _year_rows(user: User, year: int) -> list[YearRow]:
    alliances = alliances_of_year(year).visible_to(user).select_related("county").order_by("code")
    versions = (
        SettlementVersion.objects.visible_to(user)
        .exclude(state=VersionState.CANCELLED)
        .select_related("computation")
        .order_by("-number")
    )
    settlements = (
        Settlement.objects.visible_to(user)
        .filter(year=year)
        .prefetch_related(Prefetch("versions", queryset=versions, to_attr="seen"))
    )
    found = {(row.alliance_id, row.fund_type): row for row in settlements}
    rows = []
    for alliance in alliances:
        for fund in FundType:
            settlement: Any = found.get((alliance.pk, fund.value))
            newest = settlement.seen[0] if settlement is not None and settlement.seen else None
            if newest is not None:
                newest.settlement = settlement
                settlement.alliance = alliance
            rows.append(YearRow(alliance, fund.value, newest))
    return rows


def sorted_rows(rows: Sequence[YearRow], wanted: str) -> list[YearRow]:
    """By a column of the list, ``-`` in front for descending; rows without a figure last."""
    name, backwards = wanted.lstrip("-"), wanted.startswith("-")
    if name not in SORTS:
        return list(rows)
    if name == "alliance":
        return sorted(rows, key=lambda row: row.alliance.code, reverse=backwards)
    if name == "state":
        return sorted(rows, key=lambda row: row.state, reverse=backwards)
    with_figures = [row for row in rows if row.computation is not None]
    without = [row for row in rows if row.computation is None]
    return sorted(with_figures, key=lambda row: getattr(row.computation, name), reverse=backwards) + without


def years() -> list[int]:
    """The years a list may show, newest first: from the first alliance or settlement to last year."""
    last = timezone.localdate().year
    oldest = Alliance.objects.aggregate(first=Min("valid_from"))["first"]
    newest = Settlement.objects.aggregate(last=Max("year"))["last"] or last - 1
    first = max(oldest.year if oldest else last - 1, last - 8)
    return list(range(max(newest, last), first - 1, -1))


def versions_seen(user: User, settlement: Settlement) -> list[SettlementVersion]:
    """The versions of a settlement the user may see, oldest first."""
    seen = SettlementVersion.objects.visible_to(user).filter(settlement=settlement)
    return list(seen.exclude(state=VersionState.CANCELLED).select_related("computation").order_by("number"))


def analyses_of(settlement: Settlement) -> list[CauseAnalysis]:
    """The analyses of the year, newest first."""
    rows = CauseAnalysis.objects.filter(
        alliance=settlement.alliance_id, year=settlement.year, fund_type=settlement.fund_type
    )
    return list(rows.select_related("prepared_by", "decided_by").prefetch_related("files").order_by("-number"))


def version_of(alliance: Alliance, year: int, fund_type: str, kind: str) -> SettlementVersion | None:
    """The first version of a kind (``original``, ``correction``) of a settlement, whatever its state."""
    rows = SettlementVersion.objects.with_places().filter(
        settlement__alliance=alliance, settlement__year=year, settlement__fund_type=fund_type, kind=kind
    )
    return rows.order_by("number").first()


def outstanding(version: SettlementVersion) -> Decimal:
    """Yuan still to pay (positive) or to get back (negative) under a version."""
    return posting.outstanding(version.figures, posting.position(version.settlement))


def final_years(alliance: Alliance, fund_type: str) -> frozenset[int]:
    """The years of an alliance whose settlement of a fund type is final: claims of them are recovered, not refused."""
    rows = Settlement.objects.filter(alliance=alliance, fund_type=fund_type, versions__state__in=FINAL_STATES)
    return frozenset(rows.values_list("year", flat=True))


def next_open_year(alliance: Alliance, fund_type: str, after: int) -> int:
    """The first year after ``after`` whose settlement is not final: where a recovery of ``after`` becomes D."""
    final = final_years(alliance, fund_type)
    year = after + 1
    while year in final:
        year += 1
    return year


def amounts_by_id(ids: Iterable[int]) -> dict[int, Decimal]:
    """Yuan of these adjustments as far as they are in force."""
    return dict(Adjustment.objects.in_force().filter(pk__in=list(ids)).values_list("pk", "amount"))


def sources_among(references: Iterable[str]) -> list[str]:
    """Which of these documents an adjustment in force names as its source."""
    rows = Adjustment.objects.in_force().filter(source__in=list(references))
    return sorted(set(rows.values_list("source", flat=True)))


def score_of(alliance: Alliance, year: int) -> AssessmentScore | None:
    """The score of a year that was not withdrawn, confirmed or not."""
    rows = AssessmentScore.objects.filter(alliance=alliance, year=year).exclude(state=ScoreState.WITHDRAWN)
    return rows.order_by("-pk").first()


def adjustment_of(alliance: Alliance, year: int, fund_type: str, source: str) -> Adjustment | None:
    """The amount entered from a source for a settlement."""
    rows = Adjustment.objects.filter(alliance=alliance, year=year, fund_type=fund_type, source=source)
    return rows.order_by("-pk").first()


def bookings_of(version: SettlementVersion) -> list[Booking]:
    """What was booked under a version, oldest first, with its vouchers."""
    return list(version.bookings.select_related("fund_entry__book", "control_entry__book", "booked_by").order_by("pk"))


def plans_of(version: SettlementVersion) -> list[RecoveryPlan]:
    """The recovery plans of a version with their instalments and what was booked, newest first."""
    rows = version.plans.select_related("proposed_by", "decided_by").prefetch_related("instalments__booking")
    return list(rows.order_by("-number"))


def adjustments_seen(user: User) -> Any:
    """Adjustments inside the user's scope, newest first."""
    rows = Adjustment.objects.visible_to(user).select_related("alliance__county", "entered_by", "decided_by", "document")
    return rows.order_by("-pk")


def analyses_seen(user: User) -> Any:
    """Cause analyses inside the user's scope, newest first."""
    rows = CauseAnalysis.objects.visible_to(user).select_related("alliance", "prepared_by", "decided_by")
    return rows.order_by("-pk")


def scores_seen(user: User, year: int) -> Any:
    """Assessment scores of a year inside the user's scope."""
    rows = AssessmentScore.objects.visible_to(user).filter(year=year)
    return rows.select_related("alliance__county", "entered_by", "confirmed_by", "document")


@dataclass(frozen=True)
class MonthBehind:
    """What one frozen month put into a statement, in yuan."""

    month: Month
    in_alliance: Decimal
    out_of_county: Decimal
    at_sisters: Decimal
    treated_for_sisters: Decimal
    settlements: int

    @property
    def charged(self) -> Decimal:
        return self.in_alliance + self.out_of_county + self.at_sisters


def months_behind(version: SettlementVersion) -> list[MonthBehind]:
    """The frozen fact sets month by month; their sums are the facts the statement was computed from."""
    inputs = YearInputs.from_json(version.figures.inputs)
    scope = claims.PackageScope.from_json(inputs.scope)
    rows: list[MonthBehind] = []
    for text in inputs.months:
        month = Month.parse(text)
        year = claims.fund_year(
            version.settlement.alliance,
            inputs.year,
            inputs.fund_type,
            scope,
            through=month,
            frozen_factsets=inputs.factsets,
        )
        rows.append(
            MonthBehind(
                month,
                year.in_alliance - sum((row.in_alliance for row in rows), ZERO),
                year.out_of_county - sum((row.out_of_county for row in rows), ZERO),
                year.at_sisters - sum((row.at_sisters for row in rows), ZERO),
                year.treated_for_sisters - sum((row.treated_for_sisters for row in rows), ZERO),
                year.settlements - sum(row.settlements for row in rows),
            )
        )
    return rows


def recoveries(alliances: Sequence[Alliance], until: date) -> dict[tuple[int, str], tuple[Decimal, Decimal]]:
    """(ordered back by approved plans, come back) in yuan up to a day, by (alliance id, fund type); two queries."""
    keys = [alliance.pk for alliance in alliances]
    found: dict[tuple[int, str], tuple[Decimal, Decimal]] = {}
    plans = RecoveryPlan.objects.filter(
        state=PlanState.APPROVED, decided_at__date__lte=until, version__settlement__alliance__in=keys
    )
    booked = Booking.objects.filter(
        kind__in=(BookingKind.RECOVERY, BookingKind.OFFSET), on__lte=until, version__settlement__alliance__in=keys
    )
    names = ("version__settlement__alliance_id", "version__settlement__fund_type", "amount")
    for alliance, fund, amount in plans.order_by().values_list(*names):
        due, received = found.get((alliance, fund), (ZERO, ZERO))
        found[(alliance, fund)] = (due + amount, received)
    for alliance, fund, amount in booked.order_by().values_list(*names):
        due, received = found.get((alliance, fund), (ZERO, ZERO))
        found[(alliance, fund)] = (due, received + amount)
    return found
