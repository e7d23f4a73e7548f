"""Months, quarters, and traces that survive storage."""

from datetime import date
from decimal import Decimal

import pytest

from rules.errors import RuleError
from rules.periods import Month, PeriodError, Quarter, months_between, months_of_year, quarters_of_year
from rules.trace import Step, Trace, percent


def test_a_month_is_parsed_printed_and_ordered() -> None:
    month = Month.parse("2026-09")
    assert str(month) == "2026-09"
    assert month < Month(2026, 10) < Month(2027, 1)
    assert (month.first_day, month.last_day) == (date(2026, 9, 1), date(2026, 9, 30))
    assert Month(2024, 2).last_day == date(2024, 2, 29)


def test_months_step_over_the_year() -> None:
    assert Month(2026, 12).next() == Month(2027, 1)
    assert Month(2026, 1).previous() == Month(2025, 12)
    assert Month(2026, 1).plus(-13) == Month(2024, 12)
    assert Month.of(date(2026, 3, 31)) == Month(2026, 3)
    assert months_between(Month(2025, 11), Month(2026, 2)) == tuple(
        Month.parse(text) for text in ("2025-11", "2025-12", "2026-01", "2026-02")
    )
    assert months_between(Month(2026, 2), Month(2026, 1)) == ()
    assert len(months_of_year(2026)) == 12


@pytest.mark.parametrize("text", ["2026-13", "2026-0", "202609", "2026-9", "二〇二六-09", "", "2026-09-01"])
def test_a_text_that_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(PeriodError, match="月份无效"):
        Month.parse(text)


def test_quarters_hold_their_months() -> None:
    quarter = Quarter.parse("2026q3")
    assert str(quarter) == "2026Q3"
    assert quarter.months == (Month(2026, 7), Month(2026, 8), Month(2026, 9))
    assert (quarter.first_day, quarter.last_day) == (date(2026, 7, 1), date(2026, 9, 30))
    assert Quarter.of(date(2026, 12, 31)).next() == Quarter(2027, 1) == Month(2027, 3).quarter
    assert quarter.previous() == quarters_of_year(2026)[1]
    for text in ("2026Q5", "2026", "Q3"):
        with pytest.raises(PeriodError, match="季度无效"):
            Quarter.parse(text)


def test_a_trace_keeps_order_and_digits_in_json() -> None:
    step = Step("超支额", "S − B", (("S", Decimal("1E+8")), ("B", Decimal("0.10"))), Decimal("99999999.90"), "§二")
    trace = Trace([step]) + Trace([step._replace(label="第二步", status="待核实")])
    stored = trace.as_json()
    assert stored[0]["inputs"] == [{"name": "S", "value": "100000000"}, {"name": "B", "value": "0.10"}]
    assert [item["status"] for item in stored] == ["confirmed", "待核实"]
    assert Trace.from_json(stored) == trace
    assert len(trace) == 2
    assert percent(Decimal("0.80")) == "80%"
    assert percent(Decimal("0.036")) == "3.6%"


def test_an_error_lists_every_problem() -> None:
    error = RuleError.one("字段", 1, "错误", "改正")
    assert str(error) == "错误"
    assert error.problems[0].remedy == "改正"
