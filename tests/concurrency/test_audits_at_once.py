"""Money of cases at the same moment: two receipts, a service beside a finality, one claim for two cases."""

from collections import Counter
from decimal import Decimal

import pytest
from django.utils import timezone

from audits.models import DecidedAmount, FindingLine, Recovered
from audits.reading.money import outstanding
from audits.services import money, tracks
from audits.services.lines import add_lines
from audits.states import TrackKind, TrackState
from audits.verification_money import verify_money
from core.errors import Refused
from core.trail import verify_chains
from settlement import services as settlements
from settlement.models import Adjustment
from settlement.reading import final_years
from tests.audits import findings_ground, money_ground
from tests.audits import ground as cases_ground
from tests.settlement import ground as settlement_ground
from tests.together import at_once
from tests.world import build_world

D = Decimal


@pytest.fixture
def world(transactional_db, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    return build_world()


def kinds(results):
    return Counter(type(result).__name__ for result in results)


def test_two_receipts_at_once_never_repay_more_than_is_owed(world):
    money_ground.make_final(world, money_ground.YEAR - 1)
    case = money_ground.case_of(world, [money_ground.Row("1000.00", year=money_ground.YEAR - 1)])
    track, _effect = money_ground.served(world, case)
    today = timezone.localdate()

    def one(reference):
        return lambda: money.receive(
            world.finance, track, fund_type="RES", amount=D("700.00"), on=today, reference=reference
        )

    results = at_once(one("回单-1"), one("回单-2"))
    assert kinds(results) == {"list": 1, "Refused": 1}
    assert Recovered.objects.count() == 1 and outstanding(case) == money_ground.receivable() == D("300.00")
    assert verify_money() == [] and verify_chains() == []


def test_a_decision_served_while_its_year_becomes_final_counts_exactly_once(world):
    version = settlement_ground.surplus_ready(world)
    year = version.settlement.year
    settlements.review(world.reviewer, version)
    track = cases_ground.track_in(world, TrackKind.AGREEMENT, TrackState.TO_DECIDE)
    FindingLine.objects.filter(own=True).update(year=year, fund_type=version.settlement.fund_type)
    people = cases_ground.crew(world)
    track = tracks.decide(people.second, track)
    version.refresh_from_db()
    results = at_once(
        lambda: tracks.serve(people.officer, track),
        lambda: settlements.finalise(world.second_reviewer, version),
    )
    assert kinds(results)["Track"] == 1, results
    final = year in final_years(world.alliance, version.settlement.fund_type)
    pushed = Adjustment.objects.in_force().filter(year=year)
    refused = sum(DecidedAmount.objects.filter(kind="refused").values_list("amount", flat=True), D("0.00"))
    assert refused == sum(pushed.values_list("amount", flat=True), D("0.00")) == (D("0.00") if final else D("1000.00"))
    assert refused + outstanding(track.case) == D("1500.00")
    assert final or isinstance(results[1], Refused), results
    assert verify_money() == [] and verify_chains() == []


def test_one_claim_taken_into_two_cases_at_once_is_found_once(world, time_machine):
    time_machine.move_to(findings_ground.CLOCK, tick=True)
    partner = findings_ground.person("partner", "高文", "auditor", pooling_area=world.area)
    officers = [world.auditor, partner]
    held = [findings_ground.open_case(world, officers, f"青稽〔2026〕{number}号") for number in (1, 2)]
    findings_ground.claims(world)
    made = [cases_ground.finding(world, case) for case in held]

    def one(finding):
        return lambda: add_lines(world.auditor, finding, [findings_ground.wanted(world, 1)])

    results = at_once(*[one(finding) for finding in made])
    assert kinds(results) == {"int": 1, "Refused": 1}, results
    assert FindingLine.objects.count() == 1 and verify_chains() == []
