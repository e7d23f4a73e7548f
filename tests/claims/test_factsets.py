"""Fact sets: versions of a month, one of them current, none of them lost."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from claims.models import FactSet, MonthlyFact
from claims.services import record_factset
from core.access import NotAllowed
from core.errors import Refused
from core.models import TrailEvent
from rules.periods import Month
from tests.claims.facts import fact

SEPTEMBER = Month(2026, 9)


def test_facts_are_stored_with_the_registers_of_the_month(world):
    made = record_factset(world.officer, world.qingxi, SEPTEMBER, [fact("120.05", "100.00")], "table")
    row = MonthlyFact.objects.get(factset=made)
    assert (row.institution, row.institution_kind, row.institution_grade, row.ownership) == (
        world.lead, "general", 2, "public",
    )  # fmt: skip
    assert (row.alliance, row.treating_alliance) == (world.alliance, world.alliance)
    assert (row.fund_payable, row.pooled_fund_paid, row.own_payable) == (
        Decimal("120.05"), Decimal("100.00"), Decimal("120.05"),
    )  # fmt: skip
    assert (made.version, made.current, made.rows, made.fund_payable) == (1, True, 1, Decimal("120.05"))


def test_recording_the_same_content_again_changes_nothing(world):
    rows = [fact("1.00"), fact("2.00", visit_type="outpatient")]
    first = record_factset(world.officer, world.qingxi, SEPTEMBER, rows, "table")
    events = TrailEvent.objects.count()
    assert record_factset(world.officer, world.qingxi, SEPTEMBER, rows[::-1], "table") == first
    assert FactSet.objects.count() == 1
    assert TrailEvent.objects.count() == events


def test_other_content_makes_the_next_version_and_keeps_the_former(world):
    first = record_factset(world.officer, world.qingxi, SEPTEMBER, [fact("1.00")], "table")
    second = record_factset(world.officer, world.qingxi, SEPTEMBER, [fact("3.00")], "table")
    first.refresh_from_db()
    assert (first.current, second.current, second.version) == (False, True, 2)
    assert MonthlyFact.objects.get(factset=first).fund_payable == Decimal("1.00")


def test_the_database_refuses_two_current_versions_of_a_month(world):
    first = record_factset(world.officer, world.qingxi, SEPTEMBER, [fact("1.00")], "table")
    record_factset(world.officer, world.qingxi, SEPTEMBER, [fact("3.00")], "table")
    with pytest.raises(IntegrityError), transaction.atomic():
        FactSet.objects.filter(pk=first.pk).update(current=True)


def test_an_alliance_of_another_county_is_refused_by_name(world):
    with pytest.raises(Refused) as refusal:
        record_factset(world.officer, world.qingxi, SEPTEMBER, [fact("1.00", alliance="YL-E")], "table")
    assert "YL-E" in str(refusal.value)
    assert not FactSet.objects.exists()


def test_facts_of_a_foreign_place_cannot_be_recorded(world):
    for person in (world.stranger_officer, world.hospital, world.reviewer):
        with pytest.raises(NotAllowed):
            record_factset(person, world.qingxi, SEPTEMBER, [fact("1.00")], "table")


def test_an_unregistered_institution_is_kept_as_text(world):
    rows = [fact("5.00", care_location="province", institution="H36010000077", institution_area="360100")]
    made = record_factset(world.officer, world.qingxi, SEPTEMBER, rows, "table")
    row = MonthlyFact.objects.get(factset=made)
    assert (row.institution, row.institution_code, row.treating_alliance) == (None, "H36010000077", None)


def test_what_happened_is_on_the_trail_of_the_pooling_area(world):
    made = record_factset(world.officer, world.qingxi, SEPTEMBER, [fact("1.00")], "table")
    event = TrailEvent.objects.filter(action="claims.import").latest("pk")
    assert (event.chain, event.county, event.subject_id) == ("990100", world.qingxi, str(made.pk))
