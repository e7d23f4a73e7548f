"""``manage.py verify``: every stored settlement recomputes to the same fen, and any change behind the code shows."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, InternalError, connection, transaction
from django.db.utils import DatabaseError

from core import triggers
from settlement import services
from settlement.models import Booking, Computation, SettlementVersion, StateChange
from settlement.verification import verify_settlements
from tests.settlement import ground
from tests.settlement.ground import D


@pytest.fixture
def world(surplus_world, db):
    return surplus_world



@pytest.fixture
def settled(world):
    from django.utils import timezone

    version = ground.final(world, ground.the_draft(world))
    services.pay(world.finance, version, timezone.localdate(), "YH2026001")
    version.refresh_from_db()
    return version


def told():
    return "\n".join(f"{finding.where} {finding.text}" for finding in verify_settlements())


def test_an_untouched_settlement_verifies(settled):
    assert verify_settlements() == []


def test_the_command_speaks_of_settlements_and_fails_on_a_finding(settled):
    with triggers.lifted():
        Computation.objects.update(cash=D("207000000.01"))
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("verify", stdout=out)
    assert "有误  年度清算" in out.getvalue()


@pytest.mark.parametrize("model", [Computation, StateChange, Booking])
def test_the_database_refuses_to_change_or_delete_what_is_append_only(settled, model):
    with pytest.raises((IntegrityError, InternalError, DatabaseError)), transaction.atomic():
        model.objects.all()._raw_delete("default")
    field = {"computation": "cash", "statechange": "reason", "booking": "amount"}[model._meta.model_name]
    with (
        pytest.raises((IntegrityError, InternalError, DatabaseError)),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"UPDATE {model._meta.db_table} SET {field} = {field}")


CHANGES = {
    "a figure": lambda version: Computation.objects.update(cash=D("207000000.01")),
    "an input and its figures alike": lambda version: _coherently(version),
    "the trace": lambda version: _result(version, lambda result: result["trace"].pop()),
    "a tier": lambda version: _result(version, lambda result: result["share"]["tiers"][0].update(rate="0.90")),
    "the reason of an act": lambda version: StateChange.objects.filter(act="confirm").update(reason="同意"),
    "who acted": lambda version: SettlementVersion.objects.update(confirmed_by=version.prepared_by),
    "a removed act": lambda version: StateChange.objects.filter(act="confirm").delete(),
    "the state": lambda version: SettlementVersion.objects.update(state="confirmed"),
    "a booking": lambda version: Booking.objects.update(recognised=D("1.00")),
    "a lifted notice": lambda version: Computation.objects.update(notices=[]),
}


def _result(version, change):
    computation = Computation.objects.get(version=version)
    change(computation.result)
    Computation.objects.update(result=computation.result)


def _coherently(version):
    """A forger who recomputes everything still does not have the trail."""
    from core.policies import thaw
    from settlement.frozen import YearInputs, settled
    from settlement.services.computing import result_fields

    computation = Computation.objects.get(version=version)
    computation.inputs = {**computation.inputs, "facts_in_alliance": "196000000.00"}
    inputs = YearInputs.from_json(computation.inputs)
    for name, value in result_fields(settled(inputs, thaw(inputs.scheme))).items():
        setattr(computation, name, value)
    computation.fingerprint = inputs.fingerprint
    computation.digest = computation.computed_digest()
    computation.save()


@pytest.mark.parametrize("what", CHANGES)
def test_any_change_behind_the_triggers_is_found(settled, what):
    with triggers.lifted():
        CHANGES[what](settled)
    assert told()


def test_a_changed_ledger_is_found_too(world, settled):
    from ledger.accounts import Account
    from ledger.services import book_of, post, registering

    book = book_of(world.alliance, "RES")
    lines = registering(Account.SETTLEMENT_PAYABLE, D("5.00"), world.alliance, ground.YEAR)
    post(world.finance, book, key="stray", on=settled.finalised_at.date(), lines=lines, memo="误记")
    assert "应付清算款" in told()
