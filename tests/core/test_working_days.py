"""Working days against the State Council's notice for 2026, and the entered exceptions."""

from datetime import date

import pytest

from core.models import WorkdayOverride
from core.working_days import add_working_days, is_working_day, working_days_left

pytestmark = pytest.mark.django_db

SHIFTED_2026 = [
    date(2026, 1, 4),
    date(2026, 2, 14),
    date(2026, 2, 28),
    date(2026, 5, 9),
    date(2026, 9, 20),
    date(2026, 10, 10),
]
WEEKDAYS_OFF_2026 = [
    date(2026, 1, 1), date(2026, 1, 2), date(2026, 2, 16), date(2026, 2, 23), date(2026, 4, 6), date(2026, 5, 1),
    date(2026, 5, 5), date(2026, 6, 19), date(2026, 9, 25), date(2026, 10, 1), date(2026, 10, 7),
]  # fmt: skip


@pytest.mark.parametrize("day", SHIFTED_2026, ids=str)
def test_a_weekend_day_shifted_to_work_in_2026_is_a_working_day(day):
    assert day.weekday() >= 5
    assert is_working_day(day)


@pytest.mark.parametrize("day", WEEKDAYS_OFF_2026, ids=str)
def test_a_weekday_of_a_statutory_holiday_in_2026_is_no_working_day(day):
    assert day.weekday() < 5
    assert not is_working_day(day)


def test_ordinary_weeks_work_from_monday_to_friday():
    assert [is_working_day(date(2026, 11, day)) for day in range(16, 23)] == [True] * 5 + [False] * 2


def test_an_entered_exception_outweighs_the_calendar_both_ways():
    WorkdayOverride.objects.create(day=date(2026, 11, 21), is_working=True, note="通知")
    WorkdayOverride.objects.create(day=date(2026, 11, 20), is_working=False, note="通知")
    assert is_working_day(date(2026, 11, 21))
    assert not is_working_day(date(2026, 11, 20))
    assert add_working_days(date(2026, 11, 19), 1) == date(2026, 11, 21)


def test_counting_forward_passes_over_the_national_holiday():
    assert add_working_days(date(2026, 9, 30), 0) == date(2026, 9, 30)
    assert add_working_days(date(2026, 9, 30), 1) == date(2026, 10, 8)
    assert add_working_days(date(2026, 9, 30), 3) == date(2026, 10, 10)
    assert add_working_days(date(2026, 9, 30), 4) == date(2026, 10, 12)


def test_fifteen_working_days_after_a_quarter_end_across_spring_festival():
    assert add_working_days(date(2025, 12, 31), 15) == date(2026, 1, 22)


@pytest.mark.parametrize(
    ("today", "due", "left"),
    [
        (date(2026, 9, 30), date(2026, 9, 30), 0),
        (date(2026, 9, 30), date(2026, 10, 7), 0),
        (date(2026, 9, 30), date(2026, 10, 9), 2),
        (date(2026, 10, 9), date(2026, 9, 30), -2),
        (date(2026, 10, 5), date(2026, 10, 4), -1),
    ],
)
def test_days_left_count_working_days_only_and_overdue_is_never_zero(today, due, left):
    assert working_days_left(today, due) == left


def test_adding_and_counting_agree_over_a_whole_year():
    for offset in (1, 2, 5, 10, 20, 60):
        for start in (date(2026, 1, 9), date(2026, 2, 12), date(2026, 9, 29), date(2026, 12, 30)):
            assert working_days_left(start, add_working_days(start, offset)) == offset
