"""Monthly payables by method: laid over the facts to the fen, replaced whole, reconciled in the open."""

from decimal import Decimal

import pytest

from claims import reading
from claims.models import FactSet, MonthlyFact, PayableTable
from claims.reading.payables import reconciled
from claims.services import import_payables, record_factset
from claims.services.payables import COLUMNS
from core.access import NotAllowed
from core.errors import Refused
from rules.periods import Month
from tests.claims.facts import fact
from tests.claims.workbooks import filled

SEPTEMBER = Month(2026, 9)
D = Decimal
LINE = {
    "month": "2026-09", "institution": "H99010100001", "fund_type": "居民", "method": "DRG", "cases": 3,
    "billed": D("300.00"), "payable": D("100.01"),
}  # fmt: skip


@pytest.fixture
def facts(world):
    rows = [
        fact("100.00", visit_type="inpatient"),
        fact("200.00", visit_type="maternity_in", settlements=2),
        fact("50.00", method="ffs"),
        fact("40.00", institution="H99010100011"),
    ]
    return record_factset(world.officer, world.qingxi, SEPTEMBER, rows, "table")


def loaded(world, *lines):
    return import_payables(world.officer, world.qingxi, filled(COLUMNS, lines), "应付.xlsx")


def test_a_payable_is_split_by_billing_and_makes_a_new_version(world, facts):
    loaded(world, LINE)
    current = FactSet.objects.current().get()
    assert (current.version, current.source, current.reason) == (2, "table", "付费方式应付表第 1 版")
    rows = MonthlyFact.objects.filter(factset=current, institution=world.lead, method="drg")
    assert sorted(rows.values_list("fund_payable", "own_payable", "payable_settlements")) == [
        (D("33.34"), D("100.00"), 1),
        (D("66.67"), D("200.00"), 2),
    ]
    year = reading.fund_year(world.alliance, 2026, "RES")
    assert year.in_alliance == D("190.01")
    assert year.billed_in_alliance == D("390.00")
    assert year.measure == "mixed"


def test_a_later_table_starts_again_from_the_facts_own_payables(world, facts):
    loaded(world, LINE)
    loaded(world, {**LINE, "institution": "H99010100011", "payable": D("45.00"), "cases": 1, "billed": D("40.00")})
    assert reading.fund_year(world.alliance, 2026, "RES").in_alliance == D("395.00")
    assert list(PayableTable.objects.order_by("version").values_list("current", flat=True)) == [False, True]


def test_the_same_table_again_changes_nothing(world, facts):
    loaded(world, LINE)
    loaded(world, LINE)
    assert (PayableTable.objects.count(), FactSet.objects.count()) == (1, 2)


def test_a_table_before_its_facts_waits_for_them(world):
    loaded(world, LINE)
    made = record_factset(world.officer, world.qingxi, SEPTEMBER, [fact("100.00")], "table")
    assert made.fund_payable == D("100.01")
    assert reading.fund_year(world.alliance, 2026, "RES").measure == "fund_payable"


def test_what_does_not_meet_the_facts_is_shown_not_spread(world, facts):
    (table,) = loaded(world, LINE, {**LINE, "method": "DIP", "payable": D("9.00"), "billed": D("8.00")})
    drg, dip = sorted(reconciled(table), key=lambda line: line.method, reverse=True)
    assert (drg.held_settlements, drg.held_billed, drg.billed_difference) == (3, D("300.00"), D("0.00"))
    assert (dip.held_billed, dip.billed_difference, dip.method_effect) == (D("0.00"), D("8.00"), D("1.00"))
    assert reading.fund_year(world.alliance, 2026, "RES").in_alliance == D("190.01")


@pytest.mark.parametrize(
    ("change", "cell"),
    [
        ({"institution": "H36010000001"}, "B2"),
        ({"method": "包干"}, "D2"),
        ({"cases": 0}, "E2"),
        ({"payable": D("1.001")}, "G2"),
        ({"payable": -1}, "G2"),
    ],
)
def test_a_faulty_line_refuses_the_whole_table(world, facts, change, cell):
    with pytest.raises(Refused) as refusal:
        loaded(world, {**LINE, **change}, {**LINE, "institution": "H99010100011"})
    assert cell in {problem.field.split("!")[-1] for problem in refusal.value.problems}
    assert not PayableTable.objects.exists() and FactSet.objects.count() == 1


def test_the_same_line_twice_is_refused(world):
    with pytest.raises(Refused) as refusal:
        loaded(world, LINE, LINE)
    assert "出现两次" in str(refusal.value)


def test_a_hospital_cannot_deliver_its_own_payables(world):
    for person in (world.hospital, world.member, world.stranger_officer, world.reviewer):
        with pytest.raises(NotAllowed):
            import_payables(person, world.qingxi, filled(COLUMNS, [LINE]), "x.xlsx")
