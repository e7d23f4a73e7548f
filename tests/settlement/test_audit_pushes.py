"""What audits push lowers the draft; a statement cannot become final without it; fines do nothing here."""

import pytest

from audits.services import money
from core.errors import Refused
from settlement import reading, services
from settlement.models import Adjustment
from tests.audits import money_ground
from tests.audits.money_ground import Row
from tests.settlement import ground
from tests.settlement.ground import YEAR, D


@pytest.fixture
def world(surplus_world, db):
    return surplus_world


def served(world, *rows, **more):
    return money_ground.served(world, money_ground.case_of(world, list(rows), **more))[0]


def test_a_served_decision_lowers_the_spending_of_the_draft(world):
    version = ground.the_draft(world)
    inside = version.figures.in_alliance
    served(world, Row("230987.63", year=YEAR))
    figures = services.refresh(world.officer, version).version.figures
    assert figures.in_alliance == inside - D("230987.63")


def test_a_deduction_of_an_audit_lowers_the_cash_of_the_next_open_settlement(world):
    version = ground.the_draft(world)
    cash = version.figures.cash
    money_ground.make_final(world, YEAR - 1)
    track = served(world, Row("500000.00", year=YEAR - 1))
    money.deduct(world.auditor, track, fund_type="RES", reason="机构申请从清算款中扣减")
    figures = services.refresh(world.officer, version).version.figures
    assert figures.cash == cash - D("500000.00") and figures.deductions == D("500000.00")


def test_a_fine_does_nothing_to_a_draft(world):
    version = ground.the_draft(world)
    before = version.figures.fingerprint
    case = money_ground.case_of(world, [Row("100.00", year=YEAR, own=False)], penalty=True)
    money_ground.served(world, case, "penalty", fine=D("150.00"), grade="ordinary")
    track = money_ground.track_of(case, "penalty")
    money.pay_fine(world.auditor, track, amount=D("150.00"), on=track.served_on, reference="缴款书-1")
    assert services.refresh(world.officer, version).version.figures.fingerprint == before
    assert not Adjustment.objects.exists()


def test_a_statement_does_not_become_final_without_what_was_pushed_after_its_draft(world):
    version = ground.the_draft(world)
    version = services.review(world.reviewer, version)
    version = services.confirm(world.hospital, services.send(world.officer, version))
    served(world, Row("230987.63", year=YEAR))
    with pytest.raises(Refused, match="未计入清算单"):
        services.finalise(world.reviewer, version)
    version = services.reopen(world.reviewer, version, "计入稽核拒付后重新清算")
    version = services.refresh(world.officer, version).version
    version = ground.final(world, version)
    assert version.figures.inputs["refused"][0]["amount"] == "230987.63"


def test_after_the_final_approval_the_same_claims_are_recovered_instead(world):
    ground.final(world, ground.the_draft(world))
    assert reading.final_years(world.alliance, "RES") == {YEAR}
    assert reading.next_open_year(world.alliance, "RES", YEAR - 1) == YEAR + 1
    case = money_ground.case_of(world, [Row("230987.63", year=YEAR)])
    _track, effect = money_ground.served(world, case)
    assert (effect.refused, effect.recovery) == (D("0.00"), D("230987.63"))
    assert not Adjustment.objects.exists() and "转为追回" in effect.text
