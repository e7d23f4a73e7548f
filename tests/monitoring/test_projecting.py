"""The month's projection: what is written, when a new version comes, and what it says when something is missing."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from core.models import TrailEvent
from core.registries import month_end_steps
from monitoring.models import PlaceKind, Projection, ReplayCase
from monitoring.models.projections import amount_of
from monitoring.reading import projections as reading
from monitoring.reading.places import ref_of
from monitoring.services.projecting import PROJECT, month_end_step, project_month, step_inputs
from rules.periods import Month
from tests.budgets import ground
from tests.monitoring import projection_ground as facts
from tests.portal.conftest import RESIDENTS

D = Decimal
SEPTEMBER = Month(2026, 9)
PACKAGE = D("118000000.00")
SCALES = {2024: 90, 2025: 95, 2026: 100}


@pytest.fixture
def held(world):
    """Two whole years and 2026 to September, 120 million a year; a package of 118 million."""
    facts.years(world, SCALES, SEPTEMBER)
    ground.approved(world, ground.inputs(str(PACKAGE), years=RESIDENTS))
    return world


def the_one(world, month=SEPTEMBER):
    return Projection.objects.current().get(alliance=world.alliance, year=month.year, month=month.month)


def test_a_steady_year_is_projected_close_to_what_it_will_come_to(held):
    outcome = project_month([held.alliance], SEPTEMBER)
    assert (outcome.written, outcome.same, outcome.missing) == (1, 0, ())
    row = the_one(held)
    assert abs(row.expected / D("120000000") - 1) < D("0.01")
    assert row.known == D("88900000.00")
    assert row.in_alliance + row.outflow == row.expected
    assert row.data_to is not None


def test_the_twelve_months_add_up_to_the_year_and_their_pace_to_the_package(held):
    project_month([held.alliance], SEPTEMBER)
    row = the_one(held)
    lines = reading.month_lines(row)
    assert [line.month.month for line in lines] == list(range(1, 13))
    assert sum(line.expected for line in lines) == row.expected
    assert sum(line.pace for line in lines) == PACKAGE
    assert [line.kind for line in lines[9:]] == ["projected"] * 3


def test_tier_and_cash_are_those_of_the_scheme_and_the_year_end_formula(held):
    project_month([held.alliance], SEPTEMBER)
    row = the_one(held)
    overrun = row.expected - PACKAGE
    assert row.is_overrun and row.tier == "O1"
    assert row.fund_bears + row.alliance_bears == overrun
    assert row.alliance_bears == overrun - row.fund_bears
    assert abs(row.fund_bears - overrun * D("0.8")) < D("0.01")
    assert row.prepaid == D("70800000.00")  # 60 % of 118 million
    assert row.cash == row.in_alliance - row.alliance_bears - row.prepaid
    assert row.unconfirmed[0]["key"] == "overrun.O1.rate"


def test_the_months_in_which_package_and_prepayment_run_out_follow_the_projected_months(held):
    project_month([held.alliance], SEPTEMBER)
    row = the_one(held)
    assert row.package_runs_out == "2026-12"
    inside, spent = {line.month: line.in_alliance for line in reading.month_lines(row)}, D(0)
    for month, amount in inside.items():
        spent += amount
        if spent > row.prepaid:
            assert row.prepaid_runs_out == str(month)
            break


def test_what_changed_since_last_month_adds_up_to_the_fen(held):
    project_month([held.alliance], SEPTEMBER)
    changes = the_one(held).changes
    amounts = [amount_of(row["amount"]) for row in changes]
    assert changes[0]["key"] == "before" and changes[-1]["key"] == "after"
    assert sum(amounts[:-1]) == amounts[-1] == the_one(held).expected
    assert {row["label"] for row in changes[1:-1]} >= {"人次", "次均费用", "服务结构", "县外流向", "晚报补足"}


def test_a_second_run_with_the_same_inputs_writes_nothing_and_no_trail(held):
    project_month([held.alliance], SEPTEMBER)
    before = TrailEvent.objects.filter(action=PROJECT).count()
    outcome = project_month([held.alliance], SEPTEMBER)
    assert (outcome.written, outcome.same) == (0, 1)
    assert Projection.objects.count() == 1
    assert TrailEvent.objects.filter(action=PROJECT).count() == before == 1


def test_superseded_facts_give_a_new_version_and_the_old_one_stays(held):
    project_month([held.alliance], SEPTEMBER)
    first = the_one(held)
    facts.delivered(held, SEPTEMBER, 120)
    assert project_month([held.alliance], SEPTEMBER).written == 1
    second = the_one(held)
    first.refresh_from_db()
    assert (first.current, first.version, second.version) == (False, 1, 2)
    assert first.known == D("88900000.00")
    assert second.known > first.known and second.expected > first.expected
    assert "晚报或更正" in second.reason
    assert [row.version for row in reading.versions(second)] == [2, 1]


def test_a_correction_known_only_later_does_not_change_what_could_be_said_then(held):
    project_month([held.alliance], SEPTEMBER)
    facts.delivered(held, SEPTEMBER, 150, again=3)
    assert project_month([held.alliance], SEPTEMBER).written == 0


def test_a_changed_package_gives_a_new_version_that_names_the_reason(held):
    project_month([held.alliance], SEPTEMBER)
    from datetime import date

    ground.adjusted(held, "120000000.00", date(2026, 9, 20), years=RESIDENTS)
    project_month([held.alliance], SEPTEMBER)
    row = the_one(held)
    assert (row.version, row.package, row.reason) == (2, D("120000000.00"), "打包总额有变动")


def test_without_a_package_the_year_is_projected_but_no_tier_is_given(world):
    facts.years(world, SCALES, SEPTEMBER)
    assert project_month([world.alliance], SEPTEMBER).written == 1
    row = the_one(world)
    assert row.expected > D("100000000")
    assert (row.package, row.tier, row.cash, row.prepaid, row.package_runs_out) == (None, "", None, None, "")
    assert row.difference is None and row.ratio is None
    assert reading.month_lines(row)[0].pace is None


def test_without_any_facts_the_projection_says_what_is_missing(world):
    ground.approved(world, ground.inputs(str(PACKAGE), years=RESIDENTS))
    outcome = project_month([world.alliance], SEPTEMBER)
    assert "没有月度数据" in outcome.missing[0]
    row = the_one(world)
    assert "请先接入数据" in row.missing
    assert (row.expected, row.package) == (None, PACKAGE)


def test_a_year_without_its_own_months_yet_is_not_projected_from_the_last_one(world):
    facts.years(world, {2025: 95}, Month(2025, 12))
    project_month([world.alliance], Month(2026, 1))
    assert "还没有数据" in the_one(world, Month(2026, 1)).missing


def test_a_first_year_has_no_range_and_says_why(world):
    facts.years(world, {2026: 100}, Month(2026, 3))
    project_month([world.alliance], Month(2026, 3))
    row = the_one(world, Month(2026, 3))
    assert (row.low, row.high) == (None, None)
    assert "不给区间" in row.range_text
    assert row.methods["cases"] == 0


def test_replays_of_earlier_years_are_kept_and_not_worked_out_again(held, monkeypatch):
    project_month([held.alliance], SEPTEMBER)
    assert ReplayCase.objects.count() == 24  # two years of twelve months
    case = ReplayCase.objects.get(year=2025, month=9)
    assert case.truth == D("114000000.00")  # 95 percent of 120 million
    from monitoring.reading import replays

    replays._books.clear()
    monkeypatch.setattr(replays, "replay", lambda *given: pytest.fail("worked out twice"))
    project_month([held.alliance], SEPTEMBER)


def test_a_late_correction_of_an_earlier_year_makes_only_its_cases_new(held):
    project_month([held.alliance], SEPTEMBER)
    before = {(row.year, row.month): (row.pk, row.inputs) for row in ReplayCase.objects.all()}
    facts.delivered(held, Month(2025, 12), 150, again=2)
    project_month([held.alliance], SEPTEMBER)
    after = {(row.year, row.month): (row.pk, row.inputs) for row in ReplayCase.objects.all()}
    changed = {key[0] for key in before if before[key] != after[key]}
    assert changed == {2025}
    assert ReplayCase.objects.filter(year=2025).values_list("truth", flat=True).distinct().get() > D("114000000.00")


def test_enough_replays_give_an_eighty_percent_range_around_the_projection(held, monkeypatch):
    from monitoring.reading import replays

    replays._books.clear()
    monkeypatch.setattr("rules.forecast.replaying.ENOUGH_ERRORS", 2)
    project_month([held.alliance], SEPTEMBER)
    row = the_one(held)
    assert row.low < row.expected < row.high
    assert row.tier_low == row.tier_high == "O1"
    assert row.cash_low <= row.cash <= row.cash_high
    assert "80%" in row.range_text
    replays._books.clear()


def test_the_step_of_the_month_end_is_registered_between_figures_and_warnings():
    order = [name for name, _step in month_end_steps]
    assert order.index("claims") < order.index("projection")
    assert month_end_steps.get("projection").inputs is step_inputs


def test_the_digest_of_the_step_changes_with_facts_and_packages_only(held):
    before = step_inputs(held.alliance, SEPTEMBER)
    assert month_end_step(held.alliance, SEPTEMBER, None).startswith("写入 1 项预测")
    assert step_inputs(held.alliance, SEPTEMBER) == before
    facts.delivered(held, SEPTEMBER, 101)
    assert step_inputs(held.alliance, SEPTEMBER) != before


def test_reading_the_newest_projections_of_many_alliances_takes_one_query(held):
    for month in (7, 8, 9):
        project_month([held.alliance], Month(2026, month))
    with CaptureQueriesContext(connection) as captured:
        found = reading.latest([held.alliance, held.east, held.west], 2026)
    assert len(captured) == 1
    assert found[(held.alliance.pk, "RES")].month == 9
    assert set(found) == {(held.alliance.pk, "RES")}


def test_a_run_for_many_alliances_reads_the_city_once(held):
    def queries(alliances):
        from monitoring.reading import replays

        replays._books.clear()
        with CaptureQueriesContext(connection) as captured:
            project_month(alliances, SEPTEMBER)
        return len(captured)

    project_month(held.area, SEPTEMBER)
    one, three = queries([held.alliance]), queries([held.alliance, held.east, held.west])
    assert three <= one + 2 * 12  # what each alliance's own transaction asks, nothing of the city again


def test_the_base_of_the_figures_is_given_only_where_every_alliance_is_projected(held):
    project_month(held.area, SEPTEMBER)
    places = [ref_of(held.alliance), ref_of(held.qingxi), ref_of(held.yunling), ref_of(held.area)]
    found = reading.projected_sums(places, SEPTEMBER)
    expected = the_one(held).expected
    assert found == {
        (places[0].key, "RES"): {"projected": expected},
        (places[1].key, "RES"): {"projected": expected},
    }
    assert places[1].kind == PlaceKind.COUNTY


def test_at_most_one_version_of_a_month_is_current(held):
    project_month([held.alliance], SEPTEMBER)
    row = the_one(held)
    row.pk, row.version = None, 2
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_totals_are_sums_by_fund_type_without_a_range(held):
    project_month([held.alliance], SEPTEMBER)
    row = the_one(held)
    other = replace_row(row, expected=D("1000000.00"), package=D("900000.00"))
    total = reading.totals([row, other])
    assert [(each.fund, each.expected, each.package) for each in total] == [
        ("RES", row.expected + D("1000000.00"), PACKAGE + D("900000.00"))
    ]
    assert not hasattr(total[0], "low")
    assert replace(total[0], rows=()).expected is None


def replace_row(row, **changed):
    made = Projection(alliance=row.alliance, fund_type="RES", year=2026, month=9)
    for name, value in changed.items():
        setattr(made, name, value)
    return made
