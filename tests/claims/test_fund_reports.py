"""基金月报: every field optional, blank is not zero, every change a version."""

from datetime import date
from decimal import Decimal

import pytest

from claims import reading
from claims.models import FundMonthlyReport
from claims.services import enter_fund_report, import_fund_reports, parse_values
from claims.services.reports import COLUMNS
from core.access import NotAllowed
from core.errors import Refused
from core.models import TrailEvent
from rules.periods import Month
from tests.claims.workbooks import filled

AUGUST, SEPTEMBER = Month(2026, 8), Month(2026, 9)


def entered(world, month=SEPTEMBER, county=None, fund_type="RES", **values):
    return enter_fund_report(world.officer, county or world.qingxi, fund_type, month, values)


def test_blank_fields_stay_blank_and_zero_stays_zero(world):
    report = entered(world, insured_heads=540_000, income_interest=Decimal("0.00"))
    report.refresh_from_db()
    assert (report.insured_heads, report.income_interest, report.income_subsidy) == (540_000, Decimal("0.00"), None)


def test_a_changed_field_makes_the_next_version_and_the_same_report_none(world):
    entered(world, insured_heads=100)
    entered(world, insured_heads=100)
    assert FundMonthlyReport.objects.count() == 1
    entered(world, insured_heads=101)
    assert list(FundMonthlyReport.objects.order_by("version").values_list("version", "current")) == [(1, False), (2, True)]


def test_parts_may_not_exceed_their_whole(world):
    with pytest.raises(Refused) as refusal:
        entered(world, insured_heads=10, resettled_heads=11, diabetes_registered=1, diabetes_managed=2)
    assert [problem.field for problem in refusal.value.problems] == ["resettled_heads", "diabetes_managed"]


def test_typed_texts_are_read_and_every_bad_one_is_named():
    assert parse_values({"insured_heads": "1,234", "balance_current": "-5.50"})["balance_current"] == Decimal("-5.50")
    with pytest.raises(Refused) as refusal:
        parse_values({"insured_heads": "12.5", "income_personal": "-1", "income_other": "abc"})
    assert [problem.field for problem in refusal.value.problems] == ["insured_heads", "income_personal", "income_other"]


def test_a_workbook_enters_many_months_or_none(world):
    lines = [
        {"month": "2026-08", "fund_type": "居民", "insured_heads": 100},
        {"month": "2026-09", "fund_type": "职工", "insured_heads": 20, "income_employer": Decimal("88.10")},
    ]
    import_fund_reports(world.finance, world.qingxi, filled(COLUMNS, lines), "月报.xlsx")
    assert set(FundMonthlyReport.objects.values_list("fund_type", "month", "insured_heads")) == {
        ("RES", 8, 100), ("EMP", 9, 20),
    }  # fmt: skip
    with pytest.raises(Refused) as refusal:
        import_fund_reports(
            world.finance,
            world.qingxi,
            filled(COLUMNS, [{**lines[0], "insured_heads": 200}, {**lines[1], "insured_heads": "x"}, lines[0]]),
            "月报.xlsx",
        )
    assert {problem.field.split("!")[-1] for problem in refusal.value.problems} == {"C3", "A4"}
    assert FundMonthlyReport.objects.count() == 2


def test_an_unchanged_workbook_makes_no_version(world):
    content = filled(COLUMNS, [{"month": "2026-08", "fund_type": "RES", "insured_heads": 100}])
    for _time in range(2):
        import_fund_reports(world.officer, world.qingxi, content, "月报.xlsx")
    assert FundMonthlyReport.objects.count() == 1


def test_heads_come_from_the_latest_month_that_reports_them(world):
    entered(world, AUGUST, insured_heads=100, resettled_heads=7)
    entered(world, SEPTEMBER, income_interest=Decimal("3.00"))
    heads = reading.insured_heads(world.alliance, 2026, "RES")
    assert (heads.insured, heads.resettled, heads.data_to, heads.estimated) == (100, 7, date(2026, 8, 31), False)
    assert reading.insured_heads(world.alliance, 2026, "EMP") is None


def test_heads_of_two_alliances_follow_the_agreed_shares(world):
    entered(world, county=world.yunling, insured_heads=101)
    east, west = (reading.insured_heads(alliance, 2026, "RES") for alliance in (world.east, world.west))
    assert (east.insured, west.insured, east.estimated) == (61, 40, True)
    assert east.resettled is None


def test_reports_are_entered_at_ones_own_place_only(world):
    for person in (world.hospital, world.reviewer, world.stranger_officer):
        with pytest.raises(NotAllowed):
            enter_fund_report(person, world.qingxi, "RES", SEPTEMBER, {"insured_heads": 1})
    with pytest.raises(NotAllowed):
        enter_fund_report(world.county_officer, world.yunling, "RES", SEPTEMBER, {"insured_heads": 1})
    assert enter_fund_report(world.county_officer, world.qingxi, "RES", SEPTEMBER, {"insured_heads": 1})


def test_what_was_entered_is_on_the_trail(world):
    entered(world, insured_heads=100, balance_current=Decimal("-2.50"))
    assert TrailEvent.objects.latest("pk").data == {"insured_heads": 100, "balance_current": "-2.50"}
