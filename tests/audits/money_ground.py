"""Cases ready for their money: findings with lines, tracks, decisions served through the services of the money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.db import transaction
from django.utils import timezone

from audits.models import Case, CaseOfficer, Deadline, Finding, FindingLine, PartyKind, Track
from audits.reading.money import found_total
from audits.services.money import Effect, take_effect
from audits.states import CaseState, TrackKind, TrackState
from core.models import FundType, Role, RoleGrant, User
from ledger.accounts import Account
from ledger.models import Line
from rules.money import ZERO
from settlement.models import Settlement, SettlementVersion
from tests.world import START, World

D = Decimal
YEAR = 2025
_numbers = count(1)


@dataclass(frozen=True)
class Row:
    """A claim line to find: whose insured (``own``: the case's alliance), which year and fund, how many yuan."""

    amount: str
    year: int = YEAR
    fund: str = "RES"
    own: bool = True
    visit: str = "inpatient"
    act: str = "overcharging"
    county: str = "qingxi"


def case_of(world: World, rows: list[Row], *, institution: str = "township", penalty: bool = False) -> Case:
    """A reviewed case of one provider with a finding per act; ``penalty``: a penalty track beside the agreement's."""
    party = getattr(world, institution)
    alliance = None if institution == "outsider" else world.alliance
    number, today = f"青稽〔2026〕{next(_numbers)}号", timezone.localdate()
    case = Case.objects.create(
        number=number, pooling_area=world.area, county=world.qingxi, alliance=alliance, institution=party,
        party_kind=PartyKind.PROVIDER, party_name=party.name, party_code=party.code, kind="special", way="on_site",
        title="重复收费", claims_from=date(2024, 1, 1), claims_to=date(2026, 6, 30), state=CaseState.REVIEWED,
        filed_on=today - timedelta(days=30), opened_by=world.auditor, approved_by=world.audit_reviewer,
        notified_at=timezone.now(),
    )  # fmt: skip
    CaseOfficer.objects.create(case=case, user=world.auditor, leads=True, card="甲001", since=START)
    CaseOfficer.objects.create(case=case, user=second_auditor(world), card="甲002", since=START)
    for number, act in enumerate(dict.fromkeys(row.act for row in rows), 1):
        finding = Finding.objects.create(
            case=case, number=number, act=act, clause="条例第三十八条", text="同日同项目计费两次",
            acted_from=today - timedelta(days=200), acted_to=today - timedelta(days=100), made_by=world.auditor,
            made_at=timezone.now(),
        )  # fmt: skip
        for place, row in enumerate(each for each in rows if each.act == act):
            county = getattr(world, row.county)
            FindingLine.objects.create(
                finding=finding, county=county, settlement_id=f"S{case.pk}-{number}-{place}",
                settled_on=date(row.year, 3, 1), year=row.year, fund_type=row.fund, visit_type=row.visit, person="化名-7f3a",
                alliance=alliance if row.own else None, own=row.own and alliance is not None, paid=D("999999.00"),
                amount=D(row.amount),
            )  # fmt: skip
    for kind in TrackKind if penalty else (TrackKind.AGREEMENT,):
        Track.objects.create(
            case=case, kind=kind, holds_money=kind == TrackKind.AGREEMENT, opened_at=timezone.now(), proposed_by=world.auditor
        )
    return case


def second_auditor(world: World) -> User:
    found = User.objects.filter(username="auditor-2").first()
    if found is None:
        found = User.objects.create_user(username="auditor-2", password="x", full_name="孟凡", must_change_password=False)
        RoleGrant.objects.create(user=found, role=Role.AUDITOR, valid_from=START, pooling_area=world.area)
    return found


def track_of(case: Case, kind: str = TrackKind.AGREEMENT) -> Track:
    return Track.objects.select_related("case").get(case=case, kind=kind)


def served(world: World, case: Case, kind: str = TrackKind.AGREEMENT, **fields: Any) -> tuple[Track, Effect]:
    """The track's decision taken and served today; its money takes effect through the service."""
    track, today = track_of(case, kind), timezone.localdate()
    given = {"decided_by": world.audit_reviewer, "decided_on": today, "served_on": today, **fields}
    if track.holds_money:
        given["decided_amount"] = found_total(case)
    for name, value in given.items():
        setattr(track, name, value)
    with transaction.atomic():
        effect = take_effect(world.auditor, track)
        track.state = TrackState.SERVED
        track.save()
    key = "fine_payment" if kind == TrackKind.PENALTY else "repayment"
    Deadline.objects.create(case=case, track=track, key=key, starts_on=today, due_on=given["served_on"] + timedelta(days=15))
    return track_of(case, kind), effect


def make_final(world: World, year: int, fund: str = "RES") -> None:
    """The year's settlement of Qingxi's alliance is final, as far as audits look at it."""
    settlement, _made = Settlement.objects.get_or_create(alliance=world.alliance, year=year, fund_type=fund)
    SettlementVersion.objects.create(
        settlement=settlement, number=settlement.versions.count() + 1, state="final", prepared_by=world.officer,
        reviewed_by=world.reviewer, reviewed_at=timezone.now(), finalised_by=world.reviewer, finalised_at=timezone.now(),
    )  # fmt: skip


def receivable(fund: str = "") -> Decimal:
    """What the control account of audited money holds."""
    lines = Line.objects.filter(account=Account.AUDIT_RECEIVABLE)
    if fund:
        lines = lines.filter(entry__book__fund_type=FundType(fund).value)
    return sum(lines.values_list("amount", flat=True), ZERO)


def balance_of(account: Account, **narrowed: Any) -> Decimal:
    return sum(Line.objects.filter(account=account, **narrowed).values_list("amount", flat=True), ZERO)
