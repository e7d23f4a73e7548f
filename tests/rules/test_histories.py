"""The shipped histories hold what they promise, and are what was committed before the projection model."""

from collections import defaultdict
from decimal import Decimal
from functools import cache
from hashlib import sha256

from rules.histories import FactRow, as_csv, city_rows, held_years
from rules.histories.generator import settings
from rules.histories.table import IN_ALLIANCE, INPATIENT, OUT_OF_COUNTY
from rules.periods import Month

PINNED = {
    0: "f8ef7731867d1b33303a86f10640f09760554042c7df43bf45ae165eb96e2725",
    1: "5bbf16440312bc25fac57809306ee98ab3d7fea929e7d5daeb889c87a308e996",
    2: "0c60ec76cfb48bac34a2a271da22fccb15379302e1236f365b80160b139aa058",
}


@cache
def city(number: int) -> list[FactRow]:
    return city_rows(number)


def by_year(rows: list[FactRow]) -> dict[int, Decimal]:
    found: dict[int, Decimal] = defaultdict(Decimal)
    for row in rows:
        found[row.settled.year] += row.yuan
    return found


def test_the_histories_are_to_the_byte_those_committed_before_the_model():
    made = {number: sha256(as_csv(city(number)).encode()).hexdigest() for number in PINNED}
    assert made == PINNED and len(PINNED) == len(settings()["city"])


def test_ten_years_of_eight_alliances_and_both_funds_are_there_every_month():
    places = {(row.place, row.fund_type) for row in city(0)}
    assert len({place for place, _ in places}) == 8 and len(places) == 16
    months = {(row.place, row.fund_type, row.settled) for row in city(0)}
    assert len(months) == 16 * 120
    assert held_years() == (2023, 2024, 2025)


def test_a_city_draws_the_same_whichever_others_were_drawn_before():
    assert city_rows(1) == city(1)


def test_the_epidemic_year_falls_and_the_rebound_year_rises():
    for number in range(3):
        years = by_year(city(number))
        assert Decimal("-0.12") < years[2020] / years[2019] - 1 < Decimal("-0.03")
        assert Decimal("0.10") < years[2023] / years[2022] - 1 < Decimal("0.22")
        for year in (2017, 2018, 2019, 2024, 2025):
            assert Decimal("0.02") < years[year] / years[year - 1] - 1 < Decimal("0.11")


def test_the_spring_festival_moves_spending_between_january_and_february():
    months: dict[Month, Decimal] = defaultdict(Decimal)
    for row in city(0):
        months[row.settled] += row.yuan
    share = {
        year: months[Month(year, 1)] / (months[Month(year, 1)] + months[Month(year, 2)]) for year in (2016, 2017, 2018)
    }
    assert share[2017] < share[2016] - Decimal("0.03") and share[2017] < share[2018] - Decimal("0.03")


def test_outside_claims_are_known_up_to_three_months_late_and_ever_sooner():
    late: dict[int, Decimal] = defaultdict(Decimal)
    whole: dict[int, Decimal] = defaultdict(Decimal)
    for row in city(2):
        lag = (row.known.year - row.settled.year) * 12 + row.known.month - row.settled.month
        assert 0 <= lag <= (3 if row.part == OUT_OF_COUNTY else 1)
        if row.part == OUT_OF_COUNTY:
            whole[row.settled.year] += row.yuan
            late[row.settled.year] += row.yuan if lag else Decimal(0)
    assert late[2016] / whole[2016] > Decimal("0.5") > late[2025] / whole[2025] > Decimal("0.2")


def test_a_third_to_two_fifths_of_the_money_goes_outside_and_some_months_are_negative():
    rows = [row for number in range(3) for row in city(number)]
    outside = sum(row.yuan for row in rows if row.part == OUT_OF_COUNTY)
    assert Decimal("0.22") < outside / sum(row.yuan for row in rows) < Decimal("0.45")
    assert any(row.yuan < 0 for row in rows)
    inpatient = [row for row in rows if row.part == IN_ALLIANCE and row.service == INPATIENT]
    average = sum(row.yuan for row in inpatient) / sum(row.settlements for row in inpatient)
    assert 2000 < average < 5000


def test_every_amount_is_whole_fen_and_the_table_has_one_line_a_row():
    text = as_csv(city(0)[:50])
    assert text.count("\n") == 51 and text.startswith("area,place,fund_type,settled,known,part,service,settlements")
    assert all(row.yuan == row.yuan.quantize(Decimal("0.01")) for row in city(0))
