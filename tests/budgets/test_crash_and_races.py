"""Acts that are killed half way and acts that meet: nothing half written, one succeeds, the other is told."""

from decimal import Decimal

import pytest
from django.utils import timezone

from budgets import services
from budgets.models import PackageVersion, Prepayment, PrepaymentBatch, Receipt
from core.errors import Conflict
from core.models import TrailEvent
from ledger.accounts import Account
from ledger.models import Entry
from ledger.reading import balance, trial_balance
from ledger.services import book_of
from tests.budgets.ground import B, account, approved, approved_month, growth, month, submitted
from tests.together import at_once
from tests.world import build_world


class Killed(BaseException):
    """What a worker sees when it dies: not an Exception, so nothing catches it."""


def killed_at_the_trail(monkeypatch, module):
    """Make the last statement of a service die as the process would."""

    def die(*_args, **_given):
        raise Killed

    monkeypatch.setattr(f"budgets.services.{module}.record", die)


def test_an_approval_killed_before_its_trail_leaves_no_entry_and_runs_again(world, monkeypatch):
    growth(world)
    version = submitted(world)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        killed_at_the_trail(patch, "packages")
        services.approve_package(world.reviewer, version, decided_on=month("2026-01").first_day)
    assert not Entry.objects.exists() and PackageVersion.objects.get().state == "submitted"
    services.approve_package(world.reviewer, version, decided_on=month("2026-01").first_day)
    assert balance(book_of(world.alliance, "RES"), Account.PACKAGE) == B


def test_a_proposal_killed_half_way_is_finished_once_by_the_next_run(world, monkeypatch):
    approved(world)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        killed_at_the_trail(patch, "proposals")
        services.propose(world.alliance, month("2026-01"))
    assert not Prepayment.objects.exists() and not PrepaymentBatch.objects.exists()
    services.propose(world.alliance, month("2026-01"))
    services.propose(world.alliance, month("2026-01"))
    assert Prepayment.objects.count() == 1


def test_a_batch_approval_killed_half_way_posts_nothing_and_then_once(world, monkeypatch):
    approved(world)
    services.propose(world.alliance, month("2026-01"))
    batch = services.submit_batch(world.officer, PrepaymentBatch.objects.get())
    with monkeypatch.context() as patch, pytest.raises(Killed):
        killed_at_the_trail(patch, "batches")
        services.approve_batch(world.reviewer, batch)
    book = book_of(world.alliance, "RES")
    assert balance(book, Account.PREPAYMENT_APPROVED) == 0
    services.approve_batch(world.reviewer, batch)
    assert balance(book, Account.PREPAYMENT_APPROVED) == Decimal("14327160.52")
    assert trial_balance(book).balanced


def test_a_receipt_killed_half_way_is_recorded_once_when_typed_again(world, monkeypatch):
    approved(world)
    batch = approved_month(world, "2026-01")
    account(world)
    services.make_payment_file(world.finance, batch)
    line = Prepayment.objects.get()
    given = {"outcome": "paid", "on": timezone.localdate(), "reference": "YH1", "amount": line.payable}
    with monkeypatch.context() as patch, pytest.raises(Killed):
        killed_at_the_trail(patch, "payments")
        services.record_receipt(world.finance, line, **given)
    assert not Receipt.objects.exists()
    services.record_receipt(world.finance, line, **given)
    assert balance(book_of(world.alliance, "RES"), Account.TEMPORARY_PAYMENTS) == line.payable


@pytest.mark.django_db(transaction=True)
def test_two_reviewers_at_once_approve_a_package_once():
    world = build_world()
    growth(world)
    version = submitted(world)
    day = month("2026-01").first_day
    told = at_once(
        lambda: services.approve_package(world.reviewer, version, decided_on=day),
        lambda: services.approve_package(world.second_reviewer, version, decided_on=day),
    )
    assert sorted(type(answer).__name__ for answer in told) == ["Conflict", "PackageVersion"]
    assert balance(book_of(world.alliance, "RES"), Account.PACKAGE) == B
    assert TrailEvent.objects.filter(action="budgets.approve_package").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_reviewers_at_once_approve_a_batch_once():
    world = build_world()
    approved(world)
    services.propose(world.alliance, month("2026-01"))
    batch = services.submit_batch(world.officer, PrepaymentBatch.objects.get())
    told = at_once(
        lambda: services.approve_batch(world.reviewer, batch),
        lambda: services.approve_batch(world.second_reviewer, batch),
    )
    assert sum(isinstance(answer, Conflict) for answer in told) == 1
    assert balance(book_of(world.alliance, "RES"), Account.PREPAYMENT_APPROVED) == Decimal("14327160.52")


@pytest.mark.django_db(transaction=True)
def test_two_month_ends_at_once_make_one_line():
    world = build_world()
    approved(world)
    told = at_once(*[lambda: services.propose(world.alliance, month("2026-01"))] * 2)
    assert all(isinstance(answer, str) for answer in told), told
    assert Prepayment.objects.count() == PrepaymentBatch.objects.count() == 1
