"""One typed cell: read where its meaning is certain, told where it is not, never guessed and never rounded."""

import math
from datetime import date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from submissions.workbook import codes
from submissions.workbook.cells import Cell, read_date, read_number, read_text, shown

FULL_WIDTH = str.maketrans("0123456789,.()-", "０１２３４５６７８９，．（）－")
AMOUNTS = st.integers(0, 10**9).map(lambda fen: Decimal(fen).scaleb(-2))


def wan(value, **how):
    return read_number(Cell(value), "wan", **how)


@pytest.mark.parametrize(
    ("typed", "yuan"),
    [
        ("１５，０００万元", "150000000.00"),
        ("15,000.00", "150000000.00"),
        ("　15000.5 ", "150005000.00"),
        ("15000.50 万元", "150005000.00"),
        ("+7.5", "75000.00"),
        (".5", "5000.00"),
        ("0007", "70000.00"),
        ("0", "0.00"),
        ("1,234,567.89万元", "12345678900.00"),
    ],
)
def test_a_number_typed_as_text_is_read_where_it_is_certain(typed, yuan):
    assert wan(typed).value == Decimal(yuan)


@pytest.mark.parametrize(
    "typed", ["（12.50）", "(12.50)", "-12.5", "－１２．５０", "\u221212.50", "(12.50万元)", "(12.50)万元"]
)
def test_brackets_and_every_kind_of_minus_mean_a_negative_number(typed):
    assert wan(typed, nonnegative=False).value == Decimal("-125000.00")


@pytest.mark.parametrize(
    "typed",
    [
        "约三千", "—", "-", "/", "无", "15,00", "1,5000", "1.2.3", "15 000", "1e3", "12..5", "(12", "12)", "(-12)", "()",
        "15.", "１²", "①", "٣", "=1+1", "+", "¥15", "12万元万元", "0x10", "nan", "Infinity", "1_000",
    ],
)  # fmt: skip
def test_what_could_mean_more_than_one_number_is_told_not_guessed(typed):
    reading = wan(typed)
    assert (reading.code, reading.value) == (codes.NO_NUMBER, None)
    assert typed in reading.text


@pytest.mark.parametrize(
    ("typed", "unit"),
    [
        ("2906496.60元", "wan"), ("1.5亿元", "wan"), ("15万", "wan"), ("24,618人", "visits"), ("24618人次", "persons"),
        ("12%", "wan"), ("5床日", "cases"), ("7万元", "number"),
    ],
)  # fmt: skip
def test_a_unit_other_than_that_of_the_cell_is_never_converted(typed, unit):
    reading = read_number(Cell(typed), unit)
    assert (reading.code, reading.value) == (codes.UNIT, None)


@pytest.mark.parametrize(
    ("unit", "typed", "value"),
    [
        ("persons", "352,816人", 352816),
        ("visits", "12人次", 12),
        ("days", "9 床日", 9),
        ("cases", "3例", 3),
        ("percent", "12.5%", "12.5"),
    ],
)
def test_the_unit_of_the_cell_may_stand_behind_the_number(unit, typed, value):
    assert read_number(Cell(typed), unit).value == Decimal(value)


def test_what_is_read_differently_from_how_it_was_typed_is_told():
    assert wan("１５，０００万元").note == "“１５，０００万元” 读作 15,000.00"
    assert read_number(Cell("9,000人"), "persons").note == "“9,000人” 读作 9,000"
    assert read_number(Cell("1.03120"), "number").code is None
    assert wan("15000").note == ""
    assert wan(15000).note == ""


def test_blank_is_not_zero_and_a_required_blank_is_told():
    for blank in (None, "", "  ", "　"):
        assert wan(blank).value is None
        assert wan(blank).code is None
        assert wan(blank, required=True).code is codes.BLANK
    assert wan(0, required=True).value == 0


@pytest.mark.parametrize(
    "value", [date(2026, 9, 30), datetime.fromisoformat("2026-09-30"), time(9, 30), "2026-09-30", "2026年9月30日"]
)
def test_a_date_is_no_number(value):
    assert wan(value).code is codes.DATE


@pytest.mark.parametrize("value", [True, False])
def test_a_logical_value_is_no_number(value):
    assert wan(value).code is codes.NO_NUMBER


def test_a_cell_shown_as_percent_is_not_taken_for_an_amount():
    assert read_number(Cell(0.12, percent=True), "wan").code is codes.UNIT


@pytest.mark.parametrize("value", [10**8, 1e300, math.inf, "100,000,000", -(10**9)])
def test_a_number_too_large_for_its_cell_is_told(value):
    assert wan(value, nonnegative=False).code is codes.TOO_LARGE


def test_a_fraction_of_a_person_is_told_and_a_whole_number_with_decimals_is_read():
    assert read_number(Cell(12.5), "persons").code is codes.FRACTION
    assert read_number(Cell("12.50"), "persons").code is codes.FRACTION
    assert read_number(Cell(12.0), "persons").value == 12
    assert read_number(Cell("12.00"), "persons").value == 12


@given(AMOUNTS)
def test_a_binary_number_is_read_as_the_decimal_it_shows(amount):
    assert wan(float(amount)).value == amount * 10_000


@given(st.lists(AMOUNTS, min_size=2, max_size=12))
def test_the_noise_of_a_binary_sum_disappears_exactly(amounts):
    total = sum(amounts)
    if total < 10**8:
        assert wan(sum(map(float, amounts))).value == total * 10_000


@given(st.integers(0, 10**9), st.integers(1, 9))
def test_a_real_third_decimal_is_never_rounded_away(fen, third):
    amount = Decimal(fen).scaleb(-2) + Decimal(third).scaleb(-3)
    if amount < 10**8:
        assert wan(float(amount)).code is codes.DECIMALS
        assert wan(str(amount)).code is codes.DECIMALS


@given(
    AMOUNTS,
    st.booleans(),
    st.booleans(),
    st.sampled_from(["", "万元", " 万元"]),
    st.sampled_from(["", " ", "　", "\u00a0"]),
)
def test_every_lawful_way_of_typing_an_amount_gives_the_same_yuan(amount, grouped, wide, unit, blank):
    if amount >= 10**8:
        return
    text = f"{amount:,.2f}" if grouped else f"{amount:.2f}"
    text = blank + (text.translate(FULL_WIDTH) if wide else text) + unit + blank
    assert wan(text).value == amount * 10_000


@given(
    st.one_of(st.text(), st.from_regex(r"[-(（]?[0-9０-９,，.]{1,9}[)）]?(万元|元|人|%)?", fullmatch=True)),
    st.sampled_from(["wan", "visits", "number"]),
)
def test_any_text_gives_a_value_or_a_finding_and_keeps_every_digit(text, unit):
    reading = read_number(Cell(text), unit, required=True, nonnegative=False)
    assert (reading.value is None) == (reading.code is not None)
    if reading.value is not None:
        digits = "".join(
            sign
            for sign in text.translate(str.maketrans("０１２３４５６７８９．", "0123456789."))
            if sign in "0123456789."
        )
        scale = 10_000 if unit == "wan" else 1
        assert abs(reading.value) == Decimal(digits) * scale


def test_kept_values_are_shown_in_the_unit_of_the_sheet():
    assert shown(Decimal("150000000.00"), "wan") == "15,000.00"
    assert shown(Decimal("24618"), "visits") == "24,618"
    assert shown(Decimal("1.0312"), "number") == "1.0312"


def test_days_are_read_in_the_ways_people_write_them():
    for typed in (
        "2026-12-31",
        "2026/12/31",
        "2026.12.31",
        "2026年12月31日",
        "２０２６－１２－３１",
        date(2026, 12, 31),
    ):
        assert read_date(Cell(typed)) == "2026-12-31"
    assert read_date(Cell(None)) == ""
    for typed in ("年底前", "12月31日", "2026-13-01", 46387):
        assert read_date(Cell(typed)) is None


def test_words_are_kept_without_invisible_signs():
    assert read_text(Cell(" 含\u200b10 月\x07 ")) == "含10 月"
    assert read_text(Cell("=1+1")) == "=1+1"
