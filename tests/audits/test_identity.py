"""A year of cases: decided = refused + repaid + deducted + outstanding in audits, settlements and books, to the fen.

Sixty cases from a fixed seed: providers inside and outside alliances, both funds, dropped lines, receipts in parts,
take-backs, deductions, settlements that become final in between, fines beside them. The test keeps its own account.
"""

from __future__ import annotations

import random
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from audits.models import Case, FinePayment
from audits.reading.money import case_money, total_of
from audits.reading.statistics import BY, statistics
from audits.services import money
from audits.verification_money import verify_money
from core.errors import Refused
from ledger.accounts import Account
from ledger.models import Entry
from ledger.reading import verify_ledger
from rules.money import ZERO, from_fen
from settlement.models import Adjustment
from settlement.reading import final_years
from tests.audits import money_ground as ground
from tests.audits.money_ground import D, Row

CASES = 60
FUNDS = ("RES", "EMP")
YEARS = (2023, 2024, 2025)
ACTS = ("overcharging", "substitution", "excessive_service")
pytestmark = pytest.mark.django_db
TODAY = timezone.localdate


class Held:
    """The test's own account of one fund, in yuan."""

    def __init__(self) -> None:
        self.refused = self.recovery = self.repaid = self.deducted = ZERO

    @property
    def outstanding(self) -> Decimal:
        return self.recovery - self.repaid - self.deducted


class Year:
    """The generator of the year; ``kept`` is the test's own account by case and fund."""

    def __init__(self, world: Any, seed: int) -> None:
        self.world, self.dice = world, random.Random(seed)
        self.kept: dict[tuple[int, str], Held] = defaultdict(Held)
        self.receipts = 0

    def yuan(self, most: int = 900_000) -> str:
        return str(from_fen(self.dice.randint(1, most)))

    def rows(self) -> list[Row]:
        return [
            Row(
                self.yuan(), self.dice.choice(YEARS), self.dice.choice(FUNDS), self.dice.random() < 0.7,
                self.dice.choice(("inpatient", "outpatient", "chronic", "")), self.dice.choice(ACTS),
                self.dice.choice(("qingxi", "yunling")),
            )
            for _number in range(self.dice.randint(1, 6))
        ]  # fmt: skip

    def open_case(self) -> Any:
        case = ground.case_of(
            self.world, self.rows(), institution=self.dice.choice(("township", "lead", "outsider")),
            penalty=self.dice.random() < 0.4,
        )  # fmt: skip
        lines = [line for finding in case.findings.all() for line in finding.lines.all()]
        for line in self.dice.sample(lines, self.dice.randint(0, len(lines) - 1)):
            line.dropped_at, line.dropped_by, line.dropped_reason = timezone.now(), self.world.audit_reviewer, "复审采纳申辩"
            line.save()
        self._expect(case)
        track, _effect = ground.served(self.world, case)
        if case.tracks.count() == 2:
            self._fine(case)
        return track

    def _expect(self, case: Case) -> None:
        """Worked out line by line, without the services: own, in an alliance, year not final means refused."""
        for finding in case.findings.all():
            for line in finding.lines.filter(dropped_at=None):
                mine = self.kept[case.pk, line.fund_type]
                inside = case.alliance is not None and line.own
                if inside and line.year not in final_years(case.alliance, line.fund_type):
                    mine.refused += line.amount
                else:
                    mine.recovery += line.amount

    def _fine(self, case: Case) -> None:
        fine = D(self.yuan(5_000_000))
        track, _effect = ground.served(self.world, case, "penalty", fine=fine, grade="ordinary")
        if self.dice.random() < 0.7:
            money.pay_fine(self.world.auditor, track, amount=fine, on=TODAY(), reference=f"缴款书-{case.pk}")

    def act(self, track: Any) -> None:
        fund = self.dice.choice(FUNDS)
        mine = self.kept[track.case_id, fund]
        choice = self.dice.random()
        if choice < 0.5 and mine.outstanding:
            part = from_fen(self.dice.randint(1, int(mine.outstanding * 100)))
            self.receipts += 1
            made = money.receive(
                self.world.finance, track, fund_type=fund, amount=part, on=TODAY(), reference=f"YH-{self.receipts}"
            )
            mine.repaid += part
            if self.dice.random() < 0.3:
                money.take_back(self.world.finance, track, made[0], "回单登记有误")
                mine.repaid -= part
        elif choice < 0.7 and mine.outstanding and track.case.alliance is not None:
            part = mine.outstanding
            made = money.deduct(self.world.auditor, track, fund_type=fund, reason="机构申请从清算款中扣减")
            mine.deducted += part
            if self.dice.random() < 0.3:
                money.take_back(self.world.auditor, track, made[0], "机构改为现金退回")
                mine.deducted -= made[0].amount
        elif choice < 0.8:
            with pytest.raises(Refused):
                too_much = mine.outstanding + D("0.01")
                money.receive(
                    self.world.finance, track, fund_type=fund, amount=too_much, on=TODAY(), reference="YH-多收"
                )

    def sum_of(self, name: str, fund: str) -> Decimal:
        return sum((getattr(held, name) for (_case, each), held in self.kept.items() if each == fund), ZERO)


@pytest.fixture
def year(world: Any) -> Year:
    made = Year(world, seed=20261122)
    tracks = []
    for number in range(CASES):
        if number in (15, 30, 45):
            ground.make_final(world, YEARS[number // 15 - 1], made.dice.choice(FUNDS))
        tracks.append(made.open_case())
        for track in made.dice.sample(tracks, min(len(tracks), 3)):
            made.act(track)
    return made


def test_a_year_of_cases_holds_to_the_fen_in_audits_settlements_and_books(year):
    assert verify_money() == [] and verify_ledger() == []
    money_rows = [row for case in Case.objects.all() for row in case_money(case).rows]
    for fund in FUNDS:
        whole = total_of(row for row in money_rows if row.fund_type == fund)
        # the audits agree with the test's own account
        for name in ("refused", "recovery", "repaid", "deducted", "outstanding"):
            assert getattr(whole, name) == year.sum_of(name, fund), (fund, name)
        assert whole.found == whole.decided == whole.refused + whole.repaid + whole.deducted + whole.outstanding
        # the settlements
        pushed = Adjustment.objects.in_force().filter(fund_type=fund)
        for kind, amount in (("refused_claims", whole.refused), ("other_year_recovery", whole.deducted)):
            assert sum(pushed.filter(kind=kind).values_list("amount", flat=True), ZERO) == amount, (fund, kind)
        # the books
        assert ground.receivable(fund) == whole.outstanding
        assert ground.balance_of(Account.EXPENDITURE_ACCOUNT, entry__book__fund_type=fund) == whole.repaid
    assert all(year.sum_of(name, fund) for name in ("refused", "repaid", "deducted", "outstanding") for fund in FUNDS)


def test_no_fine_of_the_year_stands_in_a_voucher_or_an_adjustment(year):
    fines = set(year_fines())
    assert len(fines) > 10
    assert not Entry.objects.filter(key__contains="fine").exists()
    assert not Adjustment.objects.filter(amount__in=fines).exists()


def year_fines() -> list[Decimal]:
    return list(FinePayment.objects.values_list("amount", flat=True))


def test_every_table_of_the_statistics_has_the_totals_of_the_cases(year, django_assert_num_queries):
    with django_assert_num_queries(4):
        found = statistics(Case.objects.all(), TODAY().year)
    whole = total_of(case_money(case).total for case in Case.objects.all())
    names = ("found", "refused", "recovery", "repaid", "deducted", "outstanding")
    assert [getattr(found.total, name) for name in names] == [getattr(whole, name) for name in names]
    for by in BY:
        for name in (*names, "fine", "fine_paid"):
            assert sum((getattr(row, name) for row in found.tables[by]), ZERO) == getattr(found.total, name), (by, name)
    assert found.total.fine_paid == sum(year_fines(), ZERO)
