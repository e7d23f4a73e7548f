"""What else a month is made of: reports, packages, tables, recoveries, joined sources; and what finds months behind."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import time_machine

from core import triggers
from core.jobs import run_now
from core.models import Job
from core.registries import control_sums, due_work, month_end_steps
from monitoring import jobs_figures
from monitoring.models import PlaceMonth
from monitoring.reading.places import ref_of
from monitoring.registries import figure_sources
from monitoring.services.computing import compute_county_month
from monitoring.services.outdated import outdated, with_followers
from monitoring.verification_figures import verify_figures
from rules.periods import Month
from settlement.models import BookingKind
from tests.monitoring.figures_ground import MARCH, facts, package, quota, report, sister_facts, stored, table

D = Decimal
JANUARY, FEBRUARY, APRIL, JUNE = Month(2026, 1), Month(2026, 2), Month(2026, 4), Month(2026, 6)


def computed(world, month=MARCH):
    return compute_county_month(world.qingxi, month)


def test_income_is_all_that_is_reported_and_spending_is_income_less_the_balance(world):
    facts(world)
    report(
        world.qingxi, income_employer=D("10.00"), income_interest=D("5.00"), income_transfer=D("3.00"), income_other=D("2.00"),
        balance_current=D("-4000.00"), spending_other=D("99.00"),
    )  # fmt: skip
    computed(world)
    county = stored(world.qingxi)
    assert (county.income, county.income_collected) == (D("91020.00"), D("1010.00"))
    assert county.fund_spending == D("95020.00")  # 91020 + 4000 of deficit


def test_without_a_reported_balance_spending_is_what_was_billed_and_what_was_transferred(world):
    facts(world)
    report(world.qingxi, spending_critical_illness=D("100.00"), spending_transfer=D("20.00"))
    computed(world)
    # every resident row: 60000.01+9000.50+3000.33+1200+500+111.11+20000+8000+4000+333 billed seven fen more each, ten rows
    assert stored(world.qingxi).fund_spending == D("106144.95") + D("0.70") + D("120.00")
    assert stored(world.qingxi, "EMP").fund_spending is None  # no report: not known


def test_what_a_report_leaves_blank_is_not_known_and_never_zero(world):
    facts(world)
    report(world.qingxi, income_personal=None, income_subsidy=None, hypertension_registered=10, procurement_bought=D("7.00"))
    computed(world)
    county = stored(world.qingxi)
    assert county.income is None and county.income_collected is None and county.two_registered is None
    assert county.procurement_bought == D("7.00") and county.procurement_committed is None and county.contracts is None


def test_the_two_diseases_are_added_up_where_both_are_reported(world):
    facts(world)
    report(
        world.qingxi, hypertension_registered=100, diabetes_registered=50, hypertension_managed=70, diabetes_managed=20,
        family_doctor_contracts=300,
    )  # fmt: skip
    computed(world)
    county = stored(world.qingxi)
    assert (county.two_registered, county.two_managed, county.contracts) == (150, 90, 300)


def test_insured_are_split_over_sister_alliances_by_the_agreed_shares(world):
    sister_facts(world)
    report(world.yunling, insured_heads=1001)
    compute_county_month(world.yunling, MARCH)
    assert (stored(world.east).insured, stored(world.west).insured) == (601, 400)  # 600.6 and 400.4 by largest remainder
    assert stored(world.yunling).insured == 1001 and stored(world.east_lead).insured is None


def test_a_package_counts_as_it_was_known_at_the_months_end(world):
    package(world, "1000000.00", decided_on=date(2026, 2, 10))
    package(world, "1100000.00", decided_on=date(2026, 3, 15))
    for month in (JANUARY, FEBRUARY, MARCH):
        facts(world, month)
        computed(world, month)
    known = [stored(world.alliance, month=month).package for month in (JANUARY, FEBRUARY, MARCH)]
    assert known == [D("1000000.00"), D("1000000.00"), D("1100000.00")]  # January: none yet, so the first of the year
    assert stored(world.qingxi).package == D("1100000.00") and stored(world.alliance, "EMP").package is None


def test_last_years_package_stands_in_until_this_years_is_approved(world):
    package(world, "900000.00", decided_on=date(2025, 1, 10), year=2025)
    facts(world)
    computed(world)
    assert stored(world.alliance).package == D("900000.00")


def test_an_institutions_package_is_its_part_of_the_allocation(world):
    version = package(world)
    quota(world, version, world.lead, "700000.00")
    quota(world, version, world.lead, "710000.00")
    facts(world)
    computed(world)
    assert stored(world.lead).package == D("710000.00") and stored(world.outsider).package is None


def test_nothing_prepaid_is_zero_and_institutions_have_no_prepayment(world):
    facts(world)
    computed(world)
    assert stored(world.alliance).prepaid == stored(world.qingxi).prepaid == 0
    assert stored(world.lead).prepaid is None


def test_refused_yuan_come_from_the_last_accepted_table_of_the_year(world):
    table(world, "2026Q1", {"4": "8000000.00", "13.2": "20000.00"})
    table(world, "2026Q2", {"4": "17000000.00"})
    for month in (FEBRUARY, MARCH, APRIL, JUNE):
        facts(world, month)
        computed(world, month)
    found = {month: (stored(world.alliance, month=month).checked, stored(world.alliance, month=month).refused)
             for month in (FEBRUARY, MARCH, APRIL, JUNE)}  # fmt: skip
    assert found == {
        FEBRUARY: (None, None),
        MARCH: (D("8000000.00"), D("20000.00")),
        APRIL: (D("8000000.00"), D("20000.00")),
        JUNE: (D("17000000.00"), None),  # the newer table leaves it blank
    }


def test_recoveries_are_those_ordered_and_booked_by_the_months_end(world, monkeypatch):
    facts(world)
    computed(world)
    assert (stored(world.alliance).recovery_due, stored(world.alliance).recovered) == (0, 0)
    from settlement import reading

    monkeypatch.setattr(
        reading, "recoveries", lambda alliances, until: {(world.alliance.pk, "RES"): (D("2000000.00"), D("500000.00"))}
    )
    computed(world)
    row = stored(world.qingxi)
    assert (row.recovery_due, row.recovered) == (D("2000000.00"), D("500000.00"))
    assert row.reason == "其他来源更新" and BookingKind.OFFSET in BookingKind


def test_registered_sources_join_their_bases_and_may_not_touch_others(world, monkeypatch):
    facts(world)
    monkeypatch.setattr(figure_sources, "_entries", {})
    alliance, county = ref_of(world.alliance).key, ref_of(world.qingxi).key
    asked = []

    def projected(places, month):
        asked.append((len(places), month))
        return {(alliance, "RES"): {"projected": D("1250000.00")}, (county, "RES"): {"expected_insured": 560_000}}

    figure_sources.register("tests", projected)
    computed(world)
    assert asked == [(6, MARCH)]
    assert stored(world.alliance).projected == stored(world.qingxi).projected == D("1250000.00")  # the county: its alliances
    assert stored(world.qingxi).expected_insured == 560_000 and stored(world.lead).projected is None
    figure_sources.register("tests", lambda places, month: {(alliance, "RES"): {"charged": D("1.00")}})
    with pytest.raises(ValueError, match="charged"):
        computed(world)


def test_rows_tell_which_months_stand_on_something_older(world):
    at = datetime(2026, 4, 1, 1, tzinfo=UTC)
    with time_machine.travel(at, tick=False):
        for month in (FEBRUARY, MARCH):
            facts(world, month)
        assert outdated() == {world.qingxi.pk: [FEBRUARY, MARCH]}
        computed(world, FEBRUARY)
        assert outdated({world.qingxi.pk}) == {world.qingxi.pk: [MARCH]} and outdated({world.yunling.pk}) == {}
        computed(world, MARCH)
        assert outdated() == {}
    for day, change, expected in (
        (2, lambda: report(world.qingxi, FEBRUARY), [FEBRUARY]),
        (3, lambda: package(world), [FEBRUARY, MARCH]),
        (4, lambda: table(world, "2026Q1", {"4": "5.00", "13.2": "1.00"}), [MARCH]),
        (5, lambda: facts(world, MARCH, scale=2), [MARCH]),
    ):
        with time_machine.travel(at.replace(day=day), tick=False):
            change()
        with time_machine.travel(at.replace(day=day, hour=9), tick=False):
            assert outdated() == {world.qingxi.pk: expected}
            for month in expected:
                computed(world, month)
            assert outdated() == {}, day


def test_the_look_for_outdated_months_asks_six_queries_however_many_there_are(world, django_assert_num_queries):
    for month in (JANUARY, FEBRUARY, MARCH):
        facts(world, month)
        sister_facts(world, month)
    with django_assert_num_queries(6):
        found = outdated()
    assert found == {world.qingxi.pk: [JANUARY, FEBRUARY, MARCH], world.yunling.pk: [JANUARY, FEBRUARY, MARCH]}


def test_months_that_look_back_at_a_changed_one_come_before_it():
    months = [Month(2026, number) for number in range(1, 8)]
    assert with_followers([JANUARY], months) == [FEBRUARY, MARCH, APRIL, JANUARY]
    assert with_followers([MARCH, APRIL], months) == [Month(2026, 5), JUNE, Month(2026, 7), MARCH, APRIL]


def test_the_month_end_computes_the_month_and_the_earlier_ones_that_changed(world):
    for month in (FEBRUARY, MARCH):
        facts(world, month)
    step = dict(month_end_steps)["figures"]
    told = step.run(world.alliance, MARCH, None)
    assert "2026-02 指标数据写入" in told and "2026-03 指标数据写入" in told
    assert step.run(world.alliance, MARCH, None) == "青溪县 2026-03 指标数据没有变化。全市合计尚缺 云岭县。"
    facts(world, FEBRUARY, scale=2, reason="更正")
    assert "2026-02 指标数据写入" in step.run(world.alliance, MARCH, None)
    assert stored(world.alliance, month=FEBRUARY).version == 2 and stored(world.alliance).version == 1


def test_the_month_end_sees_receipts_entered_later_with_an_earlier_day(world, monkeypatch):
    for month in (FEBRUARY, MARCH):
        facts(world, month)
    step = dict(month_end_steps)["figures"]
    step.run(world.alliance, MARCH, None)
    from budgets import reading

    paid = {(world.alliance.pk, "RES"): D("300.00")}
    monkeypatch.setattr(reading, "prepaid_of", lambda alliances, year, until=None: paid if until == FEBRUARY.last_day else {})
    step.run(world.alliance, MARCH, None)
    row = stored(world.alliance, month=FEBRUARY)
    assert (row.prepaid, row.version, row.reason) == (D("300.00"), 2, "打包预算或预付更新")
    assert stored(world.alliance).version == 1 and stored(world.lead, month=FEBRUARY).version == 1


def test_the_clock_enqueues_one_job_for_each_county_that_is_behind(world):
    facts(world)
    sister_facts(world)
    dict(due_work)["monitoring.figures"]()
    dict(due_work)["monitoring.figures"]()
    jobs = list(Job.objects.filter(name=jobs_figures.JOB).order_by("scope"))
    assert [job.scope for job in jobs] == [world.qingxi.code, world.yunling.code]
    outcomes = [run_now(job).outcome for job in jobs]
    assert "重算 1 个月" in outcomes[0] and stored(world.area).declared
    dict(due_work)["monitoring.figures"]()
    assert Job.objects.filter(name=jobs_figures.JOB).count() == 2


def both(world):
    facts(world)
    sister_facts(world)
    computed(world)
    compute_county_month(world.yunling, MARCH)


def test_sound_figures_pass_the_verification_after_any_recomputation(world):
    both(world)
    package(world, out_of_county_care=False)
    report(world.qingxi)
    facts(world, scale=3)
    assert verify_figures() == []  # behind the facts is not wrong
    computed(world)
    assert verify_figures() == []
    assert PlaceMonth.objects.filter(current=False).exists()


@pytest.mark.parametrize(
    ("place", "change", "text"),
    [
        ("alliance", {"charged": D("1.00")}, "月度事实为"),
        ("alliance", {"discharges": 1}, "校验值不符"),
        ("area", {"charged": D("1.00")}, "合计不符"),
        ("lead", {"current": False}, "现行版本"),
        ("lead", {"version": 5}, "版本不连续"),
    ],
)
def test_a_figure_changed_behind_the_sites_back_is_found(world, place, change, text):
    both(world)
    with triggers.lifted():
        PlaceMonth.objects.filter(pk=stored(getattr(world, place)).pk).update(**change)
    assert any(text in finding.text for finding in verify_figures())


def test_a_restored_database_shows_the_same_totals(world):
    both(world)
    before = dict(control_sums)["监测月度数据"]()
    assert "现行" in before["监测月度数据"]
    facts(world, scale=2)
    computed(world)
    assert dict(control_sums)["监测月度数据"]() != before
