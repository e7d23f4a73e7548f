"""The monthly fact table: a whole month or nothing, every fault with its cell."""

from decimal import Decimal

import pytest

from claims import reading
from claims.models import FactSet, MonthlyFact
from claims.services import fact_table_template, import_fact_table, record_factset
from claims.services.fact_table import COLUMNS
from claims.tables import read_table
from core.access import NotAllowed
from core.errors import Refused
from core.models import StoredFile, TrailEvent
from core.workbook import read_sheets
from rules.periods import Month
from tests.claims.facts import fact
from tests.claims.workbooks import filled

LINE = {
    "month": "2026-09", "alliance": "QX", "institution": "H99010100001", "fund_type": "居民", "visit_type": "住院",
    "method": "DRG", "settlements": 10, "discharges": 9, "bed_days": 80, "total_cost": Decimal("1000.00"),
    "eligible_cost": Decimal("900.00"), "pooled_fund_paid": Decimal("600.50"), "fund_payable": Decimal("620.00"),
}  # fmt: skip
OUTSIDE = {
    "month": "2026-09", "alliance": "QX", "institution_area": "360100", "fund_type": "居民", "visit_type": "住院",
    "care_location": "省内市外", "outflow_kind": "转诊转院", "settlements": 2, "total_cost": 500, "pooled_fund_paid": 200,
}  # fmt: skip


def imported(world, *lines, **changes):
    return import_fact_table(world.officer, world.qingxi, filled(COLUMNS, lines, **changes), "九月.xlsx")


def problems_of(world, *lines, **changes):
    with pytest.raises(Refused) as refusal:
        imported(world, *lines, **changes)
    assert not FactSet.objects.exists() and not StoredFile.objects.filter(kind="claims_fact_table").exists()
    return {problem.field.split("!")[-1]: problem.text for problem in refusal.value.problems}


def test_a_month_enters_through_the_table_and_counts_in_the_year(world):
    (made,) = imported(world, LINE, OUTSIDE)
    assert (made.source, made.rows, str(made.period)) == ("table", 2, "2026-09")
    year = reading.fund_year(world.alliance, 2026, "RES")
    assert (year.in_alliance, year.out_of_county, year.measure) == (Decimal("620.00"), Decimal("200.00"), "fund_payable")
    inside = MonthlyFact.objects.get(factset=made, institution=world.lead)
    assert (inside.care_location, inside.bed_days, inside.discharges) == ("own_alliance", 80, 9)


def test_a_blank_payable_counts_as_billed_and_says_so(world):
    imported(world, {**LINE, "fund_payable": None})
    year = reading.fund_year(world.alliance, 2026, "RES")
    assert (year.in_alliance, year.measure) == (Decimal("600.50"), "pooled_fund_paid")


def test_the_same_file_again_makes_no_version(world):
    imported(world, LINE)
    imported(world, LINE)
    assert FactSet.objects.count() == 1


def test_a_later_table_replaces_the_month_as_a_new_version(world):
    imported(world, LINE)
    imported(world, {**LINE, "fund_payable": Decimal("700.00")})
    assert list(FactSet.objects.order_by("version").values_list("version", "current")) == [(1, False), (2, True)]


def test_the_registers_say_where_care_was_given(world):
    at = {"method": "", "fund_payable": None}
    (made,) = imported(
        world,
        {**LINE, **at, "institution": "H99010100031"},
        {**LINE, **at, "institution": "H99010200001"},
    )
    locations = dict(MonthlyFact.objects.filter(factset=made).values_list("institution__code", "care_location"))
    assert locations == {"H99010100031": "in_county", "H99010200001": "city"}


@pytest.mark.parametrize(
    ("change", "cell", "text"),
    [
        ({"month": "九月"}, "A2", "不是月份"),
        ({"alliance": "YL-E"}, "B2", "不属于青溪县"),
        ({"institution": "H00000000000"}, "C2", "没有填就医地"),
        ({"institution_area": "3601"}, "D2", "6 位"),
        ({"fund_type": "商业"}, "E2", "不在可选范围"),
        ({"visit_type": None}, "F2", "没有填写"),
        ({"care_location": "省外"}, "H2", "与机构目录不符"),
        ({"settlements": "1.5"}, "J2", "须为整数"),
        ({"settlements": -1}, "J2", "不能为负数"),
        ({"discharges": 11}, "K2", "大于结算人次"),
        ({"grouped_cases": 3}, "N2", "大于应分组"),
        ({"total_cost": "12.345"}, "Q2", "最多两位小数"),
        ({"eligible_cost": 2000}, "R2", "大于医疗费总额"),
        ({"pooled_fund_paid": 2000}, "S2", "大于医疗费总额"),
        ({"pooled_fund_paid": "很多"}, "S2", "不是数字"),
        ({"drug_cost": 700, "exam_cost": 400}, "Q2", "之和大于"),
    ],
)
def test_a_faulty_cell_is_named_and_nothing_is_taken(world, change, cell, text):
    assert text in problems_of(world, {**LINE, **change})[cell]


def test_all_faults_of_a_file_are_told_at_once(world):
    problems = problems_of(world, {**LINE, "settlements": "x"}, {**LINE, "fund_type": "?", "total_cost": None})
    assert {"J2", "E3", "Q3"} <= problems.keys()


def test_the_same_grain_twice_is_refused_with_both_lines(world):
    assert "第 2 行" in problems_of(world, LINE, LINE)["A3"]


def test_missing_columns_and_an_empty_file_are_refused(world):
    assert "缺少列：结算人次" in next(iter(problems_of(world, LINE, leave_out=["settlements"]).values()))
    assert "没有数据行" in next(iter(problems_of(world).values()))


def test_a_month_made_from_claims_is_not_replaced_by_a_table(world):
    record_factset(world.officer, world.qingxi, Month(2026, 9), [fact("1.00")], "claims")
    with pytest.raises(Refused) as refusal:
        imported(world, LINE)
    assert "医保结算明细" in str(refusal.value)
    assert FactSet.objects.current().get().source == "claims"


def test_only_the_officer_of_the_place_may_load_a_table(world):
    content = filled(COLUMNS, [LINE])
    for person in (world.reviewer, world.hospital, world.stranger_officer, world.admin):
        with pytest.raises(NotAllowed):
            import_fact_table(person, world.qingxi, content, "x.xlsx")
    assert import_fact_table(world.county_officer, world.qingxi, content, "x.xlsx")


def test_the_template_is_accepted_once_it_is_filled(world):
    sheets = read_sheets(fact_table_template(), "模板.xlsx")
    assert list(sheets) == ["月度事实表", "填写说明"]
    assert sheets["月度事实表"][0] == [column.title for column in COLUMNS]
    rows, problems = read_table(fact_table_template(), "模板.xlsx", COLUMNS)
    assert rows == [] and [problem.text for problem in problems] == ["表中没有数据行。"]


def test_the_import_is_on_the_trail_with_the_file(world):
    imported(world, LINE)
    event = TrailEvent.objects.latest("pk")
    assert event.actor == world.officer and event.county == world.qingxi
    assert event.data["sha256"] == StoredFile.objects.get(kind="claims_fact_table").sha256
