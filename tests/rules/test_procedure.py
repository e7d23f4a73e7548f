"""Limits: counted over the holidays and shifted working days of 2026, moved by pauses, late only after the last day."""

import tomllib
from datetime import date, timedelta

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.dated import STATUSES
from rules.procedure import (
    LIMIT_BY_KEY,
    LIMITS,
    UNITS,
    ProcedureError,
    after_limit,
    deadline,
    due_on,
    last_day,
    with_pauses,
)
from tests.rules.golden_cases import GOLDEN

CASES = tomllib.loads((GOLDEN / "procedure.toml").read_text(encoding="utf-8"))
CHINA = holidays.country_holidays("CN", language="zh_CN")
DAYS_2026 = st.dates(date(2026, 1, 1), date(2026, 9, 1))


def is_working(day):
    return CHINA.is_working_day(day)


def days_between(first, last):
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


@pytest.mark.parametrize("row", CASES["limit"], ids=lambda row: f"{row['key']} {row['start']}")
def test_a_golden_limit_ends_on_its_day(row):
    pauses = [tuple(span) for span in row.get("pauses", [])]
    limit = LIMIT_BY_KEY[row["key"]]
    found = deadline(limit, row["start"], is_working, pauses=pauses, extended=row.get("extended", False))
    assert found.due == row["due"], row["working"]
    assert list(found.trace)[-1].value == str(row["due"])
    if not (pauses or limit.before or row.get("extended")):
        assert due_on(row["start"], limit.count, limit.unit, is_working) == row["due"]


def test_every_limit_names_its_event_unit_basis_and_status():
    assert len({limit.key for limit in LIMITS}) == len(LIMITS)
    assert all(limit.unit in UNITS and limit.event and limit.source.basis for limit in LIMITS)
    assert {limit.source.status for limit in LIMITS} == set(STATUSES)
    assert all(bool(limit.extension) == bool(limit.extended_by) for limit in LIMITS)
    assert LIMIT_BY_KEY["filing"].text == "发现线索后 15 个工作日（经批准可延长 15 个工作日）"
    assert LIMIT_BY_KEY["hearing_notice"].text == "举行听证前 7 个工作日"


@given(DAYS_2026, st.integers(1, 60))
def test_a_working_day_limit_holds_exactly_that_many_working_days(start, count):
    due = due_on(start, count, "working_days", is_working)
    assert is_working(due)
    assert sum(map(is_working, days_between(start + timedelta(days=1), due))) == count


@given(DAYS_2026, st.integers(1, 100))
def test_a_day_limit_ends_on_the_first_working_day_not_before_it(start, count):
    due, raw = due_on(start, count, "days", is_working), last_day(start, count, "days", is_working)
    assert raw == start + timedelta(days=count)
    assert is_working(due)
    assert not any(map(is_working, days_between(raw, due)[:-1]))


@given(
    DAYS_2026,
    st.integers(1, 40),
    st.sampled_from(["working_days", "days"]),
    st.lists(st.tuples(st.integers(1, 90), st.integers(0, 20)), max_size=4),
)
def test_the_days_outside_pauses_up_to_the_end_are_the_limit(start, count, unit, spans):
    pauses = [(start + timedelta(days=first), start + timedelta(days=first + more)) for first, more in spans]
    due = with_pauses(last_day(start, count, unit, is_working), pauses, unit, is_working)
    counted = [
        day
        for day in days_between(start + timedelta(days=1), due)
        if not any(first <= day <= last for first, last in pauses) and (unit == "days" or is_working(day))
    ]
    assert len(counted) == count if unit == "working_days" else len(counted) >= count
    assert is_working(due)
    assert not any(first <= due <= last for first, last in pauses)
    if unit == "days":
        assert not any(map(is_working, counted[count:-1]))


def test_a_pause_after_the_end_or_before_the_start_changes_nothing():
    limit = LIMIT_BY_KEY["filing"]
    plain = deadline(limit, date(2026, 3, 2), is_working).due
    before, after = (date(2026, 2, 1), date(2026, 3, 2)), (plain + timedelta(days=1), plain + timedelta(days=9))
    assert deadline(limit, date(2026, 3, 2), is_working, pauses=[before, after]).due == plain
    across = (date(2026, 2, 24), date(2026, 3, 3))
    assert deadline(limit, date(2026, 3, 2), is_working, pauses=[across]).due == due_on(
        plain, 1, "working_days", is_working
    )


def test_an_end_moved_off_a_day_of_rest_is_moved_out_of_a_pause_too():
    pause = (date(2026, 3, 16), date(2026, 3, 18))
    assert due_on(date(2026, 3, 5), 10, "days", is_working) == date(2026, 3, 16)
    assert with_pauses(date(2026, 3, 15), [pause], "days", is_working) == date(2026, 3, 19)


def test_the_last_day_is_in_time_and_the_next_too_late():
    due = date(2026, 10, 12)
    assert not after_limit(due, due)
    assert after_limit(date(2026, 10, 13), due)


def test_limits_that_cannot_be_counted_are_refused_with_all_reasons():
    with pytest.raises(ProcedureError) as error:
        due_on(date(2026, 1, 1), 0, "weeks", is_working)
    assert [problem.field for problem in error.value.problems] == ["期限单位", "期限"]
    with pytest.raises(ProcedureError, match="没有工作日"):
        due_on(date(2026, 1, 1), 1, "working_days", lambda day: False)
    with pytest.raises(ProcedureError, match="不能延长"):
        deadline(LIMIT_BY_KEY["service"], date(2026, 1, 1), is_working, extended=True)
    with pytest.raises(ProcedureError, match="止日2026-01-02早于起日2026-01-03"):
        with_pauses(date(2026, 1, 9), [(date(2026, 1, 3), date(2026, 1, 2))], "days", is_working)
    with pytest.raises(ProcedureError, match="止日2026-01-02早于起日2026-01-03"):
        deadline(LIMIT_BY_KEY["filing"], date(2026, 1, 2), is_working, pauses=[(date(2026, 1, 3), date(2026, 1, 2))])
