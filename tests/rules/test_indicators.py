"""Every indicator of the catalogue against a case worked by hand, and what the catalogue must keep to."""

import tomllib
from decimal import Decimal

import pytest

from rules.indicators import BASE_BY_KEY, BASES, BY_KEY, INDICATORS, PRIMARY_BASES, Kind, Window, add_up, compute
from rules.indicators.bases import FACT_BASES
from rules.trace import Trace
from tests.rules.golden_cases import GOLDEN

D = Decimal
CASES = tomllib.loads((GOLDEN / "indicators.toml").read_text(encoding="utf-8"))["indicator"]


def sums(case, name):
    return {key: D(value) for key, value in case.get(name, {}).items()}


def window_of(case):
    return Window(
        now=sums(case, "now"),
        before=sums(case, "before"),
        to_date=sums(case, "to_date"),
        year=sums(case, "year"),
        pace=D(case["pace"]) if "pace" in case else None,
        pace_text="历年占比",
        primary_base=case.get("primary_base", "in_alliance"),
        months=case.get("months", 1),
    )


@pytest.mark.parametrize("case", CASES, ids=[f"{number}-{case['key']}" for number, case in enumerate(CASES)])
def test_an_indicator_is_what_was_worked_out_by_hand(case):
    found = compute(case["key"], window_of(case))
    assert found.missing == case.get("missing", "")
    if "value" not in case:
        assert found.value is None and len(found.trace) == 0 and found.top is None
        return
    assert found.value == D(case["value"]) and str(found.value) == case["value"]
    last = list(found.trace)[-1]
    assert (last.label, last.value) == (found.indicator.label, found.value)
    if "clause" in case:
        assert last.clause.startswith(case["clause"])


def test_every_indicator_has_a_golden_case_with_value_clause_and_working():
    worked = {case["key"] for case in CASES if "value" in case and case.get("clause") and case["working"]}
    assert worked == set(BY_KEY)
    assert all(set(case) <= {"key", "clause", "now", "before", "to_date", "year", "pace", "primary_base", "months", "value",
                             "missing", "working"} for case in CASES)  # fmt: skip


def test_the_trace_of_every_worked_case_can_be_redone_with_a_calculator():
    """Quotients: the inputs of the last quotient give top and bottom, whose division is the value before its scale."""
    for case in CASES:
        found = compute(case["key"], window_of(case))
        if found.value is None or found.indicator.kind == Kind.PACE:
            continue
        scale = D(found.indicator.scale) / (10_000 if found.key == "cmi" else 1)
        worked = found.top * scale / found.bottom - (1 if found.indicator.kind == Kind.CHANGE else 0)
        assert abs(worked - found.value) <= D("0.005"), case
        shown = [value for step in found.trace for _name, value in step.inputs]
        assert found.bottom in shown or found.indicator.scale != 1, case


def test_the_catalogue_names_only_bases_that_exist_and_no_key_twice():
    assert len(BY_KEY) == len(INDICATORS) and len(BASE_BY_KEY) == len(BASES)
    for one in INDICATORS:
        named = [base.removeprefix("-") for base in (*one.top, *one.bottom)] + [base for base in (one.volume, one.affected) if base]
        assert set(named) <= set(BASE_BY_KEY), one.key
        assert one.label and one.expression and one.clause and one.places, one.key
        assert not one.affected or BASE_BY_KEY[one.affected].is_money, one.key
        assert one.over in ("now", "to_date", "year") and one.unit in ("ratio", "yuan", "days", "months", "number", "points")


def test_a_quotient_never_divides_a_stock_of_one_place_by_a_flow_of_part_of_its_time():
    """A flow of a month over a yearly stock would be a twelfth of the truth: such indicators run over the year to date or
    twelve months; the primary share scales the package by the months."""
    for one in INDICATORS:
        flows = [base for base in one.top if not BASE_BY_KEY[base.removeprefix("-")].stock]
        stocks = [base for base in one.bottom if BASE_BY_KEY[base.removeprefix("-")].stock]
        if flows and stocks:
            assert one.over in ("to_date", "year"), one.key
    assert BASE_BY_KEY[PRIMARY_BASES["package"][0]].stock


def test_months_add_up_flows_and_keep_the_last_stock():
    months = [{"charged": D("1.10"), "insured": 5}, {"charged": D("2.20"), "insured": None}, {"charged": D("3.30"), "insured": 7}]
    found = add_up(months)
    assert found["charged"] == D("6.60") and found["insured"] == 7 and found["income"] is None
    assert add_up(months[:2])["insured"] is None
    assert add_up([{"charged": D("1.00")}, {"charged": None}])["charged"] is None
    assert set(add_up([]).values()) == {None}


def test_zero_is_a_value_and_blank_is_none():
    assert compute("drug_share", Window(now={"drug_cost": D("0.00"), "total_cost": D("5.00")})).value == 0
    assert compute("drug_share", Window(now={"drug_cost": None, "total_cost": D("5.00")})).missing == "缺少药品费（含中药）。"


def test_volume_and_affected_yuan_are_told_even_where_the_quotient_has_no_value():
    found = compute("inpatient_average", Window(now={"inpatient_cost": D("7.00"), "discharges": 0}))
    assert (found.value, found.volume, found.affected, found.trace) == (None, 0, D("7.00"), Trace())


def test_facts_know_more_bases_than_any_other_source():
    assert set(FACT_BASES) == {base.key for base in BASES if base.source == "facts"} and len(FACT_BASES) > 25
