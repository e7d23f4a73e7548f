"""What changed since last month, worked by hand, and what holds for any history."""

from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.forecast import Decomposition, Forecast, ForecastError, History, decompose, project, replay
from rules.forecast.development import Development
from rules.forecast.estimate import CellEstimate, CellMonth, PoolView
from rules.forecast.history import Cell
from rules.forecast.replaying import NO_SPREAD
from rules.forecast.season import EVEN, Season
from rules.histories import FactRow
from rules.periods import Month

D = Decimal
IN, OUT = ("in_alliance", "inpatient"), ("out_of_county", "inpatient")
VISITS = ("in_alliance", "outpatient")
ONES = tuple([D(1)] * 6)


def estimated(cell: Cell, months: list[Decimal]) -> CellEstimate:
    development = Development(ONES, ONES, tuple([0] * 6), tuple(["none"] * 6))
    rows = tuple(CellMonth(D(0), amount, "projected") for amount in months)
    return CellEstimate(cell, Season(EVEN, D(0), (), False), development, D(0), (), rows)


def forecast(as_of: str, december: Mapping[Cell, tuple[int, int]], january: int = 0) -> Forecast:
    """A year of which only January and December hold anything: (settlements, yuan each) of December by cell."""
    yuan, counts = {}, {}
    for number, (cell, (count, each)) in enumerate(december.items()):
        first = D(january) if number == 0 else D(0)
        yuan[cell] = estimated(cell, [first, *[D(0)] * 10, D(count * each)])
        counts[cell] = estimated(cell, [*[D(0)] * 11, D(count)])
    view = PoolView(D(0), D(0), (), {}, {})
    return Forecast("甲", "RES", Month.parse(as_of), yuan, counts, view, NO_SPREAD)


def changed(before: Mapping[Cell, tuple[int, int]], after: Mapping[Cell, tuple[int, int]]) -> Decomposition:
    found = decompose(forecast("2023-05", before), forecast("2023-06", after))
    assert found.total == sum(count * each for count, each in after.values()) - sum(
        count * each for count, each in before.values()
    )
    return found


def parts(found: Decomposition) -> tuple[Decimal, ...]:
    return found.volume, found.price, found.mix, found.outflow, found.late, found.unsplit


def test_more_settlements_at_the_same_price_are_volume():
    assert parts(changed({IN: (100, 1000)}, {IN: (110, 1000)})) == (10_000, 0, 0, 0, 0, 0)


def test_a_higher_average_at_the_same_number_is_price():
    assert parts(changed({IN: (100, 1000)}, {IN: (100, 1080)})) == (0, 8_000, 0, 0, 0, 0)


def test_patients_who_leave_the_county_are_outflow():
    # 120 stays; outside 20 → 30 of them: 120 × (30/120 − 20/120) × (3000 − 1000)
    found = changed({IN: (100, 1000), OUT: (20, 3000)}, {IN: (90, 1000), OUT: (30, 3000)})
    assert parts(found) == (0, 0, 0, 20_000, 0, 0)


def test_visits_in_place_of_stays_are_mix():
    # 200 settlements as before; stays 100 → 90 at 1000, visits 100 → 110 at 50: −10 × 1000 + 10 × 50
    found = changed({IN: (100, 1000), VISITS: (100, 50)}, {IN: (90, 1000), VISITS: (110, 50)})
    assert parts(found) == (0, 0, -9_500, 0, 0, 0)


def test_everything_at_once_still_adds_up():
    # volume 220/200 − 1 of 105,000 = 10,500; mix (120 − 110) × 1000 + (100 − 110) × 50 = 9,500; price 120 × 20
    found = changed({IN: (100, 1000), VISITS: (100, 50)}, {IN: (120, 1020), VISITS: (100, 50)})
    assert parts(found) == (10_500, 2_400, 9_500, 0, 0, 0)


def test_what_became_known_of_past_months_is_late():
    before, after = forecast("2023-05", {IN: (1, 10)}, january=500), forecast("2023-06", {IN: (1, 10)}, january=530)
    found = decompose(before, after)
    assert parts(found) == (0, 0, 0, 0, 30, 0)
    assert found.trace.as_json()[0]["value"] == "30" and dict(found.named())["晚报补足"] == 30


def test_a_service_without_numbers_of_settlements_is_not_split():
    assert parts(changed({IN: (100, 1000), VISITS: (0, 50)}, {IN: (100, 1000), VISITS: (0, 50)})) == (0,) * 6
    found = changed({IN: (0, 1000)}, {IN: (100, 1000)})
    assert parts(found) == (0, 0, 0, 0, 0, 100_000)


def test_two_years_or_two_places_cannot_be_compared():
    one = forecast("2023-05", {IN: (1, 10)})
    with pytest.raises(ForecastError, match="先后颠倒"):
        decompose(one, forecast("2023-05", {IN: (1, 10)}))
    with pytest.raises(ForecastError, match="不属同一年度"):
        decompose(one, forecast("2024-01", {IN: (1, 10)}))
    other = forecast("2023-06", {IN: (1, 10)})
    object.__setattr__(other, "place", "乙")
    with pytest.raises(ForecastError, match="不是同一医共体"):
        decompose(one, other)


cells = st.tuples(
    st.integers(0, 47),
    st.integers(0, 4),
    st.sampled_from(("in_alliance", "out_of_county")),
    st.sampled_from(("inpatient", "outpatient")),
    st.integers(-3, 400),
    st.integers(-(10**6), 10**9),
)


def rows_of(drawn: list[tuple[int, int, str, str, int, int]], factor: int = 1) -> list[FactRow]:
    first = Month(2020, 1)
    return [
        FactRow(
            "", "甲", "EMP", first.plus(month), first.plus(month + lag), part, service, count, D(fen * factor) / 100
        )
        for month, lag, part, service, count, fen in drawn
    ]


@given(st.lists(cells, min_size=1, max_size=60), st.integers(1, 12))
def test_any_history_is_projected_or_refused_and_adds_up(drawn, month):
    place = History.from_rows(rows_of(drawn))[0]
    try:
        before, after = (project(place, Month(2023, max(1, month + step))) for step in (-1, 0))
    except ForecastError:
        return
    for found in (before, after):
        assert found.expected == sum(row.expected for row in found.months) == found.in_alliance + found.out_of_county
        assert found.expected == sum(cell.expected for cell in found.cells.values())
        assert found.expected == found.expected.quantize(D("0.01"))
        assert found.trace.as_json()
    if before.as_of < after.as_of:
        assert decompose(before, after).total == after.expected - before.expected
    replay([place])


@given(st.lists(cells, min_size=8, max_size=60), st.integers(1, 12))
def test_ten_times_the_money_gives_ten_times_the_year(drawn, month):
    one, ten = (History.from_rows(rows_of(drawn, factor))[0] for factor in (1, 10))
    try:
        small = project(one, Month(2023, month)).expected
    except ForecastError:
        return
    large = project(ten, Month(2023, month)).expected
    assert abs(large - small * 10) <= D("12.00")  # every level, month and completion is rounded to the fen
