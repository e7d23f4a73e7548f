"""Drafts: every term and its source, every obstacle at once, refreshing, and what a trial assumes."""

from datetime import date
from decimal import Decimal

import pytest

from core.access import NotAllowed
from core.errors import Conflict, Refused
from rules.periods import Month
from settlement import services
from settlement.models import Computation, Settlement, SettlementVersion
from settlement.services import Drafted
from tests.settlement import ground
from tests.settlement.ground import YEAR, D


def test_a_surplus_year_is_settled_from_facts_package_prepayments_and_score(world):
    version = ground.surplus_ready(world, months=1)
    c = version.computation
    assert (c.package, c.in_alliance, c.outflow, c.charged) == (
        D("300000000.00"), D("195000000.00"), D("90000000.00"), D("285000000.00"),
    )  # fmt: skip
    assert (c.retained, c.retained_paid, c.returned) == (D("12000000.00"), D("12000000.00"), D("3000000.00"))
    assert c.prepaid == D("15000000.00")
    assert c.cash == D("195000000.00") + D("12000000.00") - D("15000000.00")
    assert c.label == "P1" and c.outcome == "surplus" and c.ratio == Decimal("-0.05")
    assert c.open_points == []
    assert c.inputs["measure"] == "fund_payable" and len(c.inputs["factsets"]) == 12
    assert c.data_to == date(2025, 12, 31)


def test_an_overrun_year_without_analysis_is_a_trial_that_says_so(world):
    ground.package(world)
    ground.facts(world, "224000000.00", "100000000.00")
    version = ground.drafted(world)
    assert version.computation.fund_bears == D("17400000.00")
    assert version.computation.alliance_bears == D("6600000.00")
    assert version.computation.inputs["assumes_reasonable"] is True
    assert "原因分析" in version.computation.open_points[0]["text"]


def test_the_approved_reasonable_part_is_shared_and_the_rest_is_the_alliances(world):
    ground.package(world)
    ground.facts(world, "224000000.00", "100000000.00")
    version = ground.drafted(world)
    ground.analysis(world, "10000000.00")
    outcome = services.refresh(world.officer, version)
    assert outcome.done == Drafted.REFRESHED
    assert outcome.version.computation.fund_bears == D("8000000.00")
    assert outcome.version.computation.alliance_bears == D("16000000.00")
    assert outcome.version.computation.open_points == []


def test_the_same_inputs_again_change_nothing(world):
    version = ground.surplus_ready(world)
    outcome = services.draft(world.officer, world.alliance, YEAR, "RES")
    assert outcome.done == Drafted.UNCHANGED and outcome.version.pk == version.pk
    assert Computation.objects.count() == 1 and SettlementVersion.objects.count() == 1
    assert version.changes.count() == 1


def test_changed_facts_make_a_new_computation_and_keep_the_former(world):
    version = ground.surplus_ready(world)
    before = version.computation.cash
    ground.month_facts(world, Month(YEAR, 12), "16000000.00", "7500000.00")
    outcome = services.refresh(world.officer, version)
    assert outcome.done == Drafted.REFRESHED
    assert outcome.version.computation.number == 2
    assert [one.number for one in outcome.version.computations.order_by("number")] == [1, 2]
    assert outcome.version.computations.get(number=1).cash == before != outcome.version.computation.cash


def test_every_obstacle_is_told_at_once(world):
    ground.facts(world, "100000000.00", "50000000.00", months=10)
    with pytest.raises(Refused) as refused:
        services.draft(world.officer, world.alliance, YEAR, "RES")
    fields = [problem.field for problem in refused.value.problems]
    assert fields == ["package", "months", "score"]
    assert "2025-11、2025-12" in str(refused.value)
    assert Settlement.objects.count() == 0


def test_a_year_that_is_not_over_cannot_be_settled(world):
    with pytest.raises(Refused, match="尚未结束"):
        services.draft(world.officer, world.alliance, YEAR, "RES", today=date(2025, 12, 31))


def test_last_years_package_standing_in_provisionally_is_refused(world):
    ground.package(world, year=2024)
    with pytest.raises(Refused, match="暂定"):
        services.draft(world.officer, world.alliance, YEAR, "RES")


def test_rejected_yuan_above_the_limit_refuse_the_settlement(world):
    from claims.models import OpenReject

    ground.package(world)
    ground.facts(world, "195000000.00", "90000000.00")
    OpenReject.objects.create(
        claims_import=_import_of_may(world), county=world.qingxi, year=YEAR, month=5, rows=120,
        pooled_fund_paid=D("500000.00"),
    )  # fmt: skip
    with pytest.raises(Refused, match="拒收金额"):
        services.draft(world.officer, world.alliance, YEAR, "RES")


def test_a_surplus_without_a_score_is_a_trial_at_factor_one_that_cannot_be_reviewed(world):
    ground.package(world)
    ground.facts(world, "195000000.00", "90000000.00")
    version = ground.drafted(world)
    assert version.computation.inputs["assumes_factor"] is True
    with pytest.raises(Refused, match="没有已核实的考核得分"):
        services.review(world.reviewer, version)


def test_the_two_fund_types_are_settled_apart(world):
    ground.package(world)
    ground.package(world, "60000000.00", "EMP")
    ground.facts(world, "195000000.00", "90000000.00", fund_types=("RES",))
    for month in range(1, 13):
        _both(world, month)
    ground.score(world)
    resident, employee = ground.drafted(world, "RES"), ground.drafted(world, "EMP")
    assert resident.settlement_id != employee.settlement_id
    assert resident.computation.package == D("300000000.00")
    assert employee.computation.package == D("60000000.00")
    assert employee.computation.charged == D("51000000.00")
    assert employee.computation.retained == D("6600000.00")


def test_a_stranger_and_a_reviewer_cannot_draft(world):
    for person in (world.reviewer, world.hospital, world.stranger_officer, world.observer):
        with pytest.raises(NotAllowed):
            services.draft(person, world.alliance, YEAR, "RES")


def test_a_sent_statement_is_not_refreshed_behind_the_hospitals_back(world):
    version = ground.sent(world, ground.surplus_ready(world))
    with pytest.raises(Conflict, match="待医共体确认"):
        services.draft(world.officer, world.alliance, YEAR, "RES")
    version.refresh_from_db()
    assert version.computations.count() == 1


def _both(world, month):
    from claims.services import record_factset
    from tests.claims.facts import fact

    rows = [
        fact("16250000.00", "16250000.00"),
        fact("4250000.00", "4250000.00", fund_type="EMP"),
        fact("7500000.00", "7500000.00", institution="", institution_area="360100", care_location="city"),
    ]
    record_factset(world.officer, world.qingxi, Month(YEAR, month), rows, "table")


def _import_of_may(world):
    from claims.models import ClaimsImport

    return ClaimsImport.objects.create(
        county=world.qingxi, period_from=date(YEAR, 5, 1), period_to=date(YEAR, 5, 31), file_name="claims-2025-05.csv",
        file_size=7, uploaded_by=world.officer,
    )  # fmt: skip
