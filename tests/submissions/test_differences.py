"""Two versions cell by cell: what differs, where, in the unit of the sheet."""

from decimal import Decimal

from submissions import reading
from submissions.figures import Cause
from tests.submissions.accepting import accepted_version, filed_version
from tests.submissions.figures import LEAD, sound_figures, yuan

D = Decimal


def compared(world, change):
    """A sound accepted version, and a second one after ``change``."""
    first = accepted_version(world)
    figures = sound_figures()
    change(figures)
    return reading.differences(first, filed_version(world, figures))


def test_equal_versions_differ_in_no_cell(world):
    assert compared(world, lambda figures: None) == []


def test_a_changed_amount_is_told_in_ten_thousands_with_its_cell(world):
    def change(figures):
        figures.funds["RES"]["5.3"].current = yuan("2308.15")

    [found] = compared(world, change)
    assert (found.sheet, found.label, found.old, found.new) == ("居民", "5.3 自行外出", "2,380.15", "2,308.15")
    assert (found.change, found.numeric, found.cell[0]) == ("−72.00", True, "C")


def test_counts_notes_and_other_columns_are_compared_too(world):
    def change(figures):
        figures.funds["EMP"]["7.a"].current = D(160001)
        figures.funds["EMP"]["7.a"].note = "更正"
        figures.funds["ALL"]["3"].budget = None

    found = compared(world, change)
    assert [(one.label, one.old, one.new, one.change) for one in found] == [
        ("7.a 基层", "160,000", "160,001", "+1"),
        ("7.a 基层 · 说明", "", "更正", ""),
        ("3 范围内基金支出 · 年度预算", "93,391.56", "", ""),
    ]


def test_members_are_compared_by_institution_and_not_by_line(world):
    def change(figures):
        figures.members.reverse()
        next(one for one in figures.members if one.institution == LEAD).values["score"] = D("95.5")

    [found] = compared(world, change)
    assert found.label.startswith("青溪县人民医院") and found.label.endswith("考核得分")
    assert (found.old, found.new, found.institution) == ("92", "95.5", LEAD)


def test_a_member_that_left_is_told_value_by_value(world):
    def change(figures):
        figures.members[:] = [one for one in figures.members if (one.institution, one.fund_type) != (LEAD, "EMP")]

    found = compared(world, change)
    assert {one.new for one in found} == {""}
    assert ("drug_cost", "12,000.00") in {(one.column, one.old) for one in found}


def test_lines_of_the_cause_analysis_are_compared_by_their_number(world):
    def change(figures):
        figures.causes.append(Cause("RES", "县外就医", "转诊增加", "加强日间手术", "医务科", "2026-12-31"))

    found = compared(world, change)
    assert [one.label for one in found][:3] == ["第 1 条 · 险种", "第 1 条 · 原因类别", "第 1 条 · 原因分析"]
    assert all(one.old == "" and not one.numeric for one in found)
    assert found[0].new == "居民"
