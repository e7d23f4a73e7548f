"""Points: of a person within a natural year, of a provider by steps, and never of both together."""

import tomllib
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.points import (
    BANDS,
    DEFAULT_PROVIDER_SCHEME,
    ChosenSuspension,
    PersonnelEntry,
    PointsError,
    ProviderEntry,
    assessment_deduction,
    check_points,
    provider_standing,
    standing,
)
from tests.rules.golden_cases import GOLDEN

CASES = tomllib.loads((GOLDEN / "points.toml").read_text(encoding="utf-8"))
YEAR_END = date(2026, 12, 31)
ENTRIES = st.lists(st.tuples(st.dates(date(2025, 1, 1), YEAR_END), st.integers(1, 12)), max_size=8).map(
    lambda rows: [PersonnelEntry(on, points, str(number)) for number, (on, points) in enumerate(rows)]
)


@pytest.mark.parametrize("row", CASES["person"], ids=lambda row: row["id"].split()[0])
def test_a_golden_person_stands_where_the_rule_puts_it(row):
    gone = row.get("withdrawn", [])
    entries = [PersonnelEntry(on, points, number, number in gone) for on, points, number in row["entries"]]
    chosen = [ChosenSuspension(on, months) for on, months in row.get("suspensions", [])]
    found = standing(entries, row["on"], chosen, row.get("registered_on"))
    assert (found.points, found.state, found.until) == (row["points"], row["state"], row.get("until"))
    assert (found.ended_on, found.may_register_from) == (row.get("ended_on"), row.get("register_from"))
    assert found.at_once == row.get("at_once", False)
    assert len(found.lapsed) == row.get("lapsed", 0)
    assert found.settles() == (row["state"] in ("active", "suspension_due"))
    assert found.settles(emergency=True)
    assert all("23号" in step.clause for step in found.trace)


@pytest.mark.parametrize("row", CASES["provider"], ids=lambda row: str(row["points"]))
def test_a_golden_provider_reaches_its_step_and_deduction(row):
    entries = [ProviderEntry(date(2026, 3, 1), 1, str(number)) for number in range(row["points"])]
    found = provider_standing(entries, YEAR_END)
    assert found.points == row["points"]
    assert (found.step.key if found.step else "") == row["step"]
    deduction = assessment_deduction(found.points)
    assert deduction.value == Decimal(row["deduction"])
    assert deduction.capped == (row["points"] > 20)
    assert DEFAULT_PROVIDER_SCHEME.source.status == "待核实"
    assert {step.status for step in found.trace} == {"待核实"}


def test_the_points_of_a_provider_start_anew_each_natural_year():
    entries = [ProviderEntry(date(2025, 12, 31), 11, "a"), ProviderEntry(date(2026, 1, 1), 2, "b")]
    assert provider_standing(entries, date(2025, 12, 31)).step.key == "suspension"
    later = provider_standing(entries, date(2026, 1, 1))
    assert (later.points, later.step.key, later.next_step.key) == (2, "order_to_correct", "circular")


def test_the_points_of_persons_and_providers_never_mix():
    person, provider = PersonnelEntry(YEAR_END, 3, "甲"), ProviderEntry(YEAR_END, 3, "乙")
    with pytest.raises(PointsError, match="记分“乙”属另一记分制度"):
        standing([person, provider], YEAR_END)
    with pytest.raises(PointsError, match="记分“甲”属另一记分制度"):
        provider_standing([person, provider], YEAR_END)


def test_points_must_fit_the_severity_that_is_named():
    for band in BANDS:
        assert check_points(band.key, band.lower) == check_points(band.key, band.upper) == ()
        assert check_points(band.key, band.lower - 1)
        assert check_points(band.key, band.upper + 1)
    assert [(band.lower, band.upper) for band in BANDS] == [(1, 3), (4, 6), (7, 9), (10, 12)]
    assert check_points("light", 4)[0].text == "“情节较轻”应记 1–3 分，现为4分"
    assert "没有情节“mild”" in check_points("mild", 1)[0].text


def test_everything_wrong_with_points_is_said_at_once():
    entries = [PersonnelEntry(YEAR_END, 13, "a"), PersonnelEntry(YEAR_END, 0, "b"), PersonnelEntry(YEAR_END, 1, "b")]
    with pytest.raises(PointsError) as error:
        standing(entries, YEAR_END, [ChosenSuspension(YEAR_END, 7), ChosenSuspension(YEAR_END, 0)])
    text = str(error.value)
    for words in ("1–12 的整数，现为13", "现为0", "编号“b”重复", "现为 7", "现为 0"):
        assert words in text
    with pytest.raises(PointsError, match="须为非负整数"):
        assessment_deduction(-1)


def test_a_registration_before_its_time_is_refused():
    entries = [PersonnelEntry(date(2025, 3, 1), 12, "a")]
    with pytest.raises(PointsError, match="再次登记日2028-02-29早于可登记日2028-03-01"):
        standing(entries, date(2028, 6, 1), registered_on=date(2028, 2, 29))
    assert standing(entries, date(2028, 6, 1), registered_on=date(2028, 3, 1)).state == "active"


def test_a_registration_elsewhere_does_not_shed_points():
    entries = [PersonnelEntry(date(2026, 3, 1), 6, "a"), PersonnelEntry(date(2026, 6, 1), 3, "b")]
    assert standing(entries, date(2026, 6, 1), registered_on=date(2026, 4, 1)).points == 9


def test_a_second_suspension_needs_points_of_another_year():
    entries = [PersonnelEntry(date(2025, 5, 1), 9, "a"), PersonnelEntry(date(2026, 5, 1), 9, "b")]
    first, second = ChosenSuspension(date(2025, 5, 10), 1), ChosenSuspension(date(2026, 5, 10), 2)
    assert standing(entries, date(2026, 5, 20), [first, second]).until == date(2026, 7, 9)
    again = ChosenSuspension(date(2025, 8, 1), 6)
    assert standing(entries[:1], date(2025, 8, 2), [first, again]).lapsed == (again,)


def test_points_that_end_at_one_stroke_suspend_nobody():
    chosen = ChosenSuspension(date(2026, 5, 10), 1)
    assert standing([PersonnelEntry(date(2026, 5, 1), 12, "a")], YEAR_END, [chosen]).lapsed == (chosen,)


def test_a_suspension_that_has_not_begun_leaves_the_state_open():
    entries = [PersonnelEntry(date(2026, 5, 1), 9, "a")]
    assert standing(entries, date(2026, 5, 2), [ChosenSuspension(date(2026, 5, 10), 1)]).state == "suspension_due"


@given(ENTRIES)
def test_only_the_points_of_the_running_year_count(entries):
    found = standing(entries, YEAR_END)
    assert found.points == sum(entry.points for entry in entries if entry.on.year == 2026)


@given(ENTRIES, st.integers(0, 7))
def test_withdrawing_an_entry_is_as_if_it_was_never_made(entries, index):
    gone = [
        PersonnelEntry(entry.on, entry.points, entry.number, withdrawn=number == index)
        for number, entry in enumerate(entries)
    ]
    left = [entry for number, entry in enumerate(entries) if number != index]
    assert standing(gone, YEAR_END) == standing(left, YEAR_END)


@given(ENTRIES, st.randoms())
def test_the_order_in_which_entries_were_typed_does_not_matter(entries, random):
    shuffled = list(entries)
    random.shuffle(shuffled)
    first, second = standing(entries, YEAR_END), standing(shuffled, YEAR_END)
    assert (first.points, first.state, first.may_register_from) == (
        second.points,
        second.state,
        second.may_register_from,
    )


@given(ENTRIES)
def test_twelve_at_once_bars_three_years_and_longer_than_cumulated(entries):
    found = standing(entries, YEAR_END)
    if found.state == "ended":
        since_2025 = {year: [one for one in entries if one.on.year == year] for year in (2025, 2026)}
        assert any(sum(one.points for one in year) >= 12 for year in since_2025.values())
        assert found.at_once == any(one.points == 12 for one in entries)
        assert found.may_register_from.year - found.ended_on.year >= (3 if found.at_once else 1)
    else:
        assert found.points < 12


@given(st.integers(0, 200))
def test_the_deduction_never_falls_nor_passes_its_cap(points):
    deduction = assessment_deduction(points)
    assert 0 <= deduction.value <= DEFAULT_PROVIDER_SCHEME.deduction_cap
    assert deduction.value <= assessment_deduction(points + 1).value
