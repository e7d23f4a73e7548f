"""Every check passes sound figures and finds the one thing that was changed."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from submissions.checks import BY_CODE, CATALOGUE, HARD, NOTE, SOFT, Limits, run_checks
from submissions.figures import Cause
from submissions.periods import TablePeriod
from tests.submissions.figures import LEAD, Q3, TOWNSHIP, sound_context, sound_figures, yuan

D = Decimal


def row(code, wan=None, *, fund="RES", column="current", number=None, note=None):
    """A change of one cell of a fund sheet."""

    def change(context):
        held = context.figures.funds[fund][code]
        if note is not None:
            held.note = note
        setattr(held, column, D(number) if number is not None else None if wan is None else yuan(wan))
        return context

    return change


def member(institution, key, wan=None, *, fund="RES", number=None):
    """A change of one cell of the member sheet."""

    def change(context):
        for line in context.figures.members:
            if (line.institution, line.fund_type) == (institution, fund):
                line.values[key] = D(number) if number is not None else yuan(wan)
        return context

    return change


def beside(**changes):
    """A change of what the table is compared with."""
    return lambda context: replace(context, **changes)


def overspent(context):
    """A package, in force and filed, that the spending outruns."""
    package = yuan("28000.00")
    for fund, value in (("RES", package), ("ALL", package + context.figures.funds["EMP"]["2"].current)):
        context.figures.funds[fund]["2"].current = context.figures.funds[fund]["2"].last = value
    return context


def last_years(code, wan=None, number=None):
    """Another figure in last year's accepted table and in the column that repeats it."""

    def change(context):
        value = D(number) if number is not None else yuan(wan)
        last_year = sound_figures(context.table)
        last_year.funds["RES"][code].current = value
        context.figures.funds["RES"][code].last = value
        return replace(context, last_year=last_year)

    return change


def members_last_year(institution, key, wan):
    def change(context):
        last_year = sound_figures(context.table)
        for line in last_year.members:
            if (line.institution, line.fund_type) == (institution, "RES"):
                line.values[key] = yuan(wan)
        return replace(context, last_year=last_year)

    return change


# code → (what is changed, fund type, row or column, institution, words of the finding)
FAILING = {
    "H1": (row("5.3", "2308.15"), "RES", "5.3", "", "7,140.57"),
    "H2": (row("7.a", number=79000), "RES", "7", "", "差 1,000"),
    "H3": (member(TOWNSHIP, "outpatient_fund", "5000000.00"), "RES", "outpatient_fund", TOWNSHIP, "情况表第 4.1 行"),
    "H4": (row("14.1", number=90), "RES", "14.1", "", "少 30"),
    "H5": (row("9.6", "55000.00", fund="ALL"), "ALL", "9.6", "", "少 356.45"),
    "H6": (row("9.6", "30000.00"), "RES", "9.6", "", "大于第 9 行“医疗总费用（医共体内）” 28,004.83"),
    "H7": (row("8.o", number="6000.5"), "RES", "8.o", "", "不是整数"),
    "H8": (row("2.1", "15000.00"), "RES", "2.1", "", "支付账截至 9月30日为 13,500.00，多 1,500.00"),
    "H9": (beside(package={"RES": yuan("30000.00")}), "RES", "2", "", "有效的打包预算为 30,000.00"),
    "H10": (row("9.2", "3999.00", column="last"), "RES", "9.2", "", "2025 年同期已受理 4,000.00，少 1.00"),
    "H11": (overspent, "RES", "", "", "当期结余 −1,890.09，小于零"),
    "H12": (member(LEAD, "score", number=101), "RES", "score", LEAD, "0 到 100"),
    "S1": (last_years("9.3", "3176.95"), "RES", "9.3", "", "较上年同期 3,176.95 增长 23.60%（限 ±20.00%）"),
    "S2": (last_years("9.i", "9000.00"), "RES", "9.i", "", "是其 2.40 倍"),
    "S3": (beside(limits=Limits(primary_floor=D("0.21"))), "RES", "4.p", "", "占医共体内支出 20.27%，低于 21.00%"),
    "S4": (last_years("5", "6000.00"), "RES", "5", "", "+5.30 个百分点（限 3）"),
    "S5": (last_years("9.1", "6800.00"), "RES", "9.1", "", "+3.57 个百分点"),
    "S6": (beside(facts={"RES": {"charged": yuan("22000.00")}}), "RES", "3", "", "结算系统 1–9 月为 22,000.00"),
    "S7": (member(TOWNSHIP, "bed_days", number=300000), "RES", "bed_days", TOWNSHIP, "平均住院日 64.96 天"),
    "S8": (members_last_year(LEAD, "inpatient_cost", "7000.00"), "RES", "inpatient_cost", LEAD, "是其 2.57 倍"),
    "S9": (member(LEAD, "budget", "14000.00"), "RES", "spending", LEAD, "快于序时进度 75.00% 达 14.29%"),
}


def found_by(code, context):
    return [found for found in run_checks(context) if found.code == code]


def test_no_check_finds_anything_in_sound_figures():
    assert run_checks(sound_context()) == []


@pytest.mark.parametrize("period", ["2026Q1", "2026Q2", "2026Q4"])
def test_sound_figures_are_sound_in_every_period(period):
    assert run_checks(sound_context(period=TablePeriod.parse(period))) == []


def test_a_passing_and_a_failing_case_exist_for_every_code():
    assert set(FAILING) == set(BY_CODE)
    assert [check.code for check in CATALOGUE] == list(BY_CODE)


@pytest.mark.parametrize("code", [check.code for check in CATALOGUE])
def test_one_change_is_found_at_its_place_with_words_and_a_remedy(code):
    change, fund, where, institution, words = FAILING[code]
    assert found_by(code, sound_context()) == []
    found = next(found for found in found_by(code, change(sound_context())) if found.row_code == where)
    assert (found.fund_type, found.institution) == (fund, institution)
    assert words in found.text
    assert found.remedy and found.place and len(found.place) <= 120
    assert found.severity == BY_CODE[code].severity == (HARD if code.startswith("H") else SOFT)


def test_all_errors_are_told_at_once():
    context = row("2.1", "15000.00")(row("7.a", number=79000)(row("9.6", "30000.00")(sound_context())))
    assert {"H8", "H2", "H6"} <= {found.code for found in run_checks(context)}


def test_a_hard_finding_before_its_blocking_date_is_only_a_note():
    check = replace(BY_CODE["H8"], blocking_from=date(2026, 10, 1))
    assert check.severity_on(Q3) == NOTE
    assert check.severity_on(TablePeriod.parse("2026Q4")) == HARD
    soft = replace(BY_CODE["S1"], blocking_from=date(2030, 1, 1))
    assert soft.severity_on(Q3) == SOFT


def test_swapped_digits_are_named_at_the_cell_they_stand_in():
    [found] = found_by("H1", row("5.3", "2308.15")(sound_context()))[:1]
    assert found.text == "5.1、5.2、5.3、5.4、5.5 合计 7,140.57，第 5 行 7,212.57，差 72.00。"
    assert found.remedy == "疑为数字换位（2,380.15 误作 2,308.15）；请核对后改正。"
    assert found.value == "2,308.15"


def test_a_sum_that_is_wrong_without_a_slip_is_named_at_the_sum():
    [found] = [found for found in found_by("H1", row("5.3", "2400.00")(sound_context())) if found.fund_type == "RES"]
    assert (found.row_code, found.value) == ("5", "7,212.57")


def test_yuan_typed_as_ten_thousands_is_named_at_the_member():
    [found] = found_by("H3", member(TOWNSHIP, "outpatient_fund", "5000000.00")(sound_context()))
    assert found.value == "5,000,000.00"
    assert found.remedy == "该格像是按元填报，本表单位为万元；改为 500.00。"


def test_a_ledger_figure_typed_in_yuan_is_named_so():
    [found] = found_by("H8", row("2.1", "135000000.00")(sound_context()))
    assert "改为 13,500.00" in found.remedy


@pytest.mark.parametrize(("wan", "passes"), [("7212.62", True), ("7212.63", False)])
def test_a_cent_of_ten_thousand_is_allowed_for_every_summed_line(wan, passes):
    context = row("5", wan)(sound_context())
    at_five = [found for found in found_by("H1", context) if found.row_code == "5" and "5.1" in found.text]
    assert (at_five == []) is passes


def test_counts_are_allowed_no_difference_at_all():
    assert found_by("H2", row("8.a", number=4617)(sound_context()))
    assert found_by("H3", member(LEAD, "visits", number=60001)(sound_context()))


def test_a_blank_part_is_not_taken_for_zero():
    assert found_by("H1", row("5.5", None)(sound_context())) == []


def test_a_correction_named_in_the_note_may_lower_a_cumulative_figure():
    assert found_by("H4", row("14.1", number=90, note="更正 8 月重复上报")(sound_context())) == []
    assert found_by("H4", row("14.1", number=90, note="核对无误")(sound_context()))


def test_stocks_and_budgets_may_fall_within_a_year():
    context = row("1", number=350000)(row("2", "31000.00")(sound_context()))
    assert found_by("H4", context) == []


def test_an_optional_row_blank_in_one_fund_adds_up_from_the_other():
    assert found_by("H5", row("14.3", "10.00", fund="ALL")(row("14.3", None)(sound_context()))) == []
    [found] = found_by("H5", row("14.3", None, fund="ALL")(sound_context()))
    assert found.text.startswith("合计没有填")


@pytest.mark.parametrize(
    ("institution", "key", "wan", "number"),
    [(LEAD, "outpatient_cost", "2400.00", None), (LEAD, "drug_cost", "30000.00", None), (LEAD, "bed_days", None, 100)],
)
def test_a_member_keeps_the_same_limits_as_the_alliance(institution, key, wan, number):
    found = found_by("H6", member(institution, key, wan, number=number)(sound_context()))
    assert [(one.institution, one.row_code) for one in found] == [(institution, key)]


def test_a_negative_figure_is_refused_unless_its_row_allows_it():
    assert found_by("H7", row("9.5", "-1.00")(sound_context()))
    assert found_by("H7", row("11.5", "-1.00")(sound_context())) == []


def test_a_budget_other_than_the_one_in_force_is_refused():
    [found] = [found for found in found_by("H9", row("4", "1.00", column="budget")(sound_context())) if found.row_code == "4"]
    assert found.column == "budget"


def test_a_blank_budget_is_refused_where_one_is_in_force():
    context = row("4", None, column="budget")(sound_context())
    [found] = found_by("H9", context)
    assert (found.fund_type, found.row_code, found.column, found.value) == ("RES", "4", "budget", "")
    assert found.text.startswith("没有填；2026年9月30日有效的打包预算为") and found.remedy.startswith("改为 ")
    assert found_by("H9", replace(context, budgets={})) == []


def test_a_blank_package_is_left_to_the_reader_unless_its_row_may_stay_blank():
    context = row("2", None)(sound_context())
    assert found_by("H9", context) == []
    free = tuple(replace(one, optional=one.code == "2" or one.optional) for one in context.table.rows)
    [found] = found_by("H9", replace(context, table=replace(context.table, rows=free)))
    assert (found.row_code, found.column) == ("2", "current")


def test_what_was_not_accepted_last_year_must_stay_blank():
    assert found_by("H10", row("11.4", "12.00", column="last")(sound_context()))
    [found] = found_by("H10", row("9.2", None, column="last")(sound_context()))
    assert found.remedy == "改为 4,000.00。"


def test_nothing_is_compared_with_what_is_not_known():
    context = sound_context(previous=None, last_year=None, package={}, prepaid={}, facts={}, budgets={})
    row("2.1", "1.00")(row("2", "99999.00")(context))
    assert {found.code for found in run_checks(context)} <= {"H5", "S1"}


def test_causes_with_measures_answer_for_a_negative_balance():
    context = overspent(sound_context())
    context.figures.causes.append(Cause("RES", "县外就医", "转诊增加", "", "医务科", "2026-12-31"))
    [found] = found_by("H11", context)
    assert "没有同时写明原因和整改措施" in found.text
    context.figures.causes[0].measure = "开展日间手术"
    assert found_by("H11", context) == []


def test_a_primary_share_below_its_floor_needs_causes_too():
    found = found_by("H11", sound_context(limits=Limits(primary_floor=D("0.21"))))
    assert [one.fund_type for one in found] == ["RES", "EMP"]


def test_the_base_of_the_primary_share_is_a_parameter():
    context = sound_context(limits=Limits(primary_base="package"))
    assert "占打包总额（按月数）" in found_by("S3", context)[0].text
    assert found_by("S3", sound_context(limits=Limits(primary_base="county"))) == []


def test_differences_within_the_rounding_of_the_sheet_need_no_words():
    facts = {"RES": {"charged": yuan("22890.09") + 49}}
    assert found_by("S6", sound_context(facts=facts)) == []
    assert found_by("S6", sound_context(facts={"RES": {"discharges": D(0)}}))


def test_the_period_before_serves_where_no_year_before_is_known():
    context = sound_context(last_year=None)
    for held in context.figures.funds["RES"].values():
        held.last = None
    context.previous.funds["RES"]["9.i"].current = yuan("9000.00")
    [found] = found_by("S2", context)
    assert "上期" in found.text
