"""Stays and readmissions from the lake: who counts, at which level, and what reversals take back."""

from datetime import date
from decimal import Decimal

import pytest

from claims.models import LakeFile
from claims.reading import PackageScope, place_sums, readmissions
from core.models import Institution, Membership
from monitoring.services.computing import compute_county_month
from rules.periods import Month
from tests.claims.extracts import accepted, claim
from tests.monitoring.figures_ground import stored

SEPTEMBER, AUGUST, JULY = Month(2026, 9), Month(2026, 8), Month(2026, 7)
TOWNSHIP, OUTSIDER = "H99010100011", "H99010100031"
PERSON = "360101197001019999"


def stay(number, admitted, left, **changes):
    """A stay of the same person with the same illness, settled on the day of discharge."""
    given = {"person_id": PERSON, "diagnosis_code": "I10.x05", "settled_on": left, **changes}
    return claim(number, admission_date=admitted, discharge_date=left, **given)


AUGUST_STAY = stay(1, "2026-08-20", "2026-08-28")
FILLING = [claim(500 + n) for n in range(3)]


def counted(world, rows, first="2026-08", month=SEPTEMBER, **given):
    accepted(world, rows, first, "2026-09")
    found = readmissions(world.qingxi, month, **given)
    assert found is not None
    return found


def of(found, place=None):
    if place is None:
        held = found.county["RES"]
    else:
        level = found.institutions if isinstance(place, Institution) else found.alliances
        held = level.get((place.pk, "RES"), found.none)
    return (held.stays, held.readmitted)


@pytest.mark.parametrize(
    ("admitted", "diagnosis", "expected"),
    [
        ("2026-09-12", "I10.x05", 1),  # the fifteenth day
        ("2026-09-13", "I10.x05", 0),  # the sixteenth
        ("2026-08-28", "I10.x05", 1),  # the very day of discharge: a stay split in two
        ("2026-09-05", "I10.900", 1),  # another diagnosis of the same three characters
        ("2026-09-05", "i10.900", 1),
        ("2026-09-05", "I11.000", 0),
        ("2026-09-05", "", 0),
    ],
)
def test_a_readmission_is_the_same_illness_within_fifteen_days(world, admitted, diagnosis, expected):
    found = counted(world, [AUGUST_STAY, stay(2, admitted, "2026-09-20", diagnosis_code=diagnosis)])
    assert of(found) == of(found, world.lead) == of(found, world.alliance) == (1, expected)


def test_another_person_with_the_same_illness_is_no_readmission(world):
    other = stay(2, "2026-09-05", "2026-09-09", person_id="360101197001018888")
    assert of(counted(world, [AUGUST_STAY, other])) == (1, 0)


def test_every_level_asks_for_an_earlier_stay_of_its_own(world):
    found = counted(world, [
        AUGUST_STAY,
        stay(2, "2026-09-02", "2026-09-05", institution_code=TOWNSHIP),
        stay(3, "2026-09-08", "2026-09-10", institution_code=OUTSIDER),
    ])  # fmt: skip
    assert of(found) == (2, 2)  # the county sees both come back
    assert of(found, world.alliance) == (1, 1)  # the alliance its township's, not the private hospital's
    assert of(found, world.township) == (1, 0) and of(found, world.outsider) == (1, 0)
    assert of(found, world.lead) == (0, 0)


def test_a_stay_outside_the_county_counts_nowhere(world):
    away = stay(2, "2026-09-05", "2026-09-09", institution_code="H99010200001", institution_area="990102", outflow_kind="referred")
    assert of(counted(world, [AUGUST_STAY, away, *FILLING])) == (3, 0)


def test_interim_settlements_of_one_stay_are_one_stay_and_no_return_to_itself(world):
    first = stay(1, "2026-09-01", "2026-09-10", visit_id="LONG")
    second = stay(2, "2026-09-11", "2026-09-20", visit_id="LONG")
    assert of(counted(world, [first, second, stay(9, "2026-08-01", "2026-08-03", person_id="36010119700101777X")])) == (1, 0)


def reversal(number, of_number, **changes):
    amounts = ("total_cost", "eligible_cost", "pooled_fund_paid", "serious_illness_paid", "personal_account_paid", "cash_paid")
    given = stay(of_number, **changes)
    given |= {name: str(-Decimal(given[name])) for name in amounts}
    return given | {"settlement_id": f"R{number:06d}", "reversal_of": f"S{of_number:06d}"}


def test_a_stay_that_was_taken_back_is_nobodys_earlier_stay(world):
    back = reversal(1, 1, admitted="2026-08-20", left="2026-08-28", settled_on="2026-09-02")
    found = counted(world, [AUGUST_STAY, stay(2, "2026-09-05", "2026-09-09"), back])
    assert of(found) == (0, 0)  # one stay, and August's taken back in this month


def test_a_readmission_taken_back_later_leaves_that_month_as_it_was_and_lowers_this_one(world):
    rows = [
        stay(1, "2026-08-01", "2026-08-05"), stay(2, "2026-08-10", "2026-08-14"),
        reversal(1, 2, admitted="2026-08-10", left="2026-08-14", settled_on="2026-09-03"),
        *FILLING,
    ]  # fmt: skip
    found = counted(world, [*rows, claim(90, admission_date="2026-07-01", discharge_date="2026-07-03", settled_on="2026-07-03")],
                    first="2026-07")  # fmt: skip
    assert of(found) == (2, -1)
    assert of(readmissions(world.qingxi, AUGUST)) == (2, 1)


def test_without_the_month_before_stays_are_known_and_returns_are_not(world):
    accepted(world, [AUGUST_STAY, stay(2, "2026-09-05", "2026-09-09")], "2026-08", "2026-09")
    found = readmissions(world.qingxi, AUGUST)
    assert of(found) == (1, None) and found.none.readmitted is None
    compute_county_month(world.qingxi, AUGUST)
    assert (stored(world.lead, month=AUGUST).stays, stored(world.lead, month=AUGUST).readmitted) == (1, None)
    assert (stored(world.village, month=AUGUST).stays, stored(world.village, month=AUGUST).readmitted) == (0, None)


def test_a_month_whose_claims_are_not_held_is_not_known(world):
    accepted(world, [AUGUST_STAY, *(claim(n) for n in range(10, 14))], "2026-08", "2026-09")
    assert readmissions(world.qingxi, Month(2026, 10)) is None
    assert readmissions(world.yunling, SEPTEMBER) is None


def test_only_files_the_manifest_names_as_live_are_read(world):
    accepted(world, [AUGUST_STAY, stay(2, "2026-09-05", "2026-09-09")], "2026-08", "2026-09")
    corrected = [AUGUST_STAY, stay(3, "2026-09-25", "2026-09-29", settlement_id="N1", visit_id="N1")]
    accepted(world, corrected, "2026-08", "2026-09", reason="更正")
    assert LakeFile.objects.filter(live=False).exists()
    assert of(readmissions(world.qingxi, SEPTEMBER)) == (1, 0)


def test_an_alliance_counts_its_members_as_they_were_on_the_day(world):
    Membership.objects.filter(institution=world.township).update(valid_to=date(2026, 9, 15))
    found = counted(world, [
        stay(1, "2026-09-01", "2026-09-05", institution_code=TOWNSHIP),
        stay(2, "2026-09-16", "2026-09-18", institution_code=TOWNSHIP),
        stay(9, "2026-08-01", "2026-08-03", person_id="36010119700101777X"),
    ])  # fmt: skip
    assert of(found, world.alliance) == (1, 0) and of(found, world.township) == (2, 1)


def test_employees_maternity_is_left_out_unless_the_package_holds_it(world):
    births = [stay(2, "2026-09-05", "2026-09-09", fund_type="310", visit_type="52"), AUGUST_STAY, *FILLING]
    assert counted(world, births).county["EMP"].stays == 0
    scopes = {(world.alliance.pk, "EMP"): PackageScope(employee_maternity=True)}
    assert readmissions(world.qingxi, SEPTEMBER, scopes).county["EMP"].stays == 1


def test_stays_agree_with_the_discharges_of_the_facts_place_by_place(world):
    Institution.objects.create(county=world.qingxi, code="H99010100041", name="无人来的院", kind="township")
    rows = [AUGUST_STAY, *(claim(n, institution_code=TOWNSHIP if n % 3 else "H99010100001") for n in range(20, 60))]
    rows.append(reversal(1, 1, admitted="2026-08-20", left="2026-08-28", settled_on="2026-09-02"))
    found = counted(world, rows)
    compute_county_month(world.qingxi, SEPTEMBER)
    sums = place_sums(stored(world.qingxi, month=SEPTEMBER).factset_id)
    for (pk, fund), mine in sums.institutions.items():
        assert found.institutions[(pk, fund)].stays == mine["discharges"]
    assert stored(world.lead, month=SEPTEMBER).stays == stored(world.lead, month=SEPTEMBER).discharges
    assert found.county["RES"].stays == sums.county["RES"]["discharges"] == 39
