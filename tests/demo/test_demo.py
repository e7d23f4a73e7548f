"""The demonstration city, loaded once with every kind of kill on the way, then judged by its figures."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import transaction

from audits.reading import held as audited
from audits.reading.held import CaseState, LeadSource, LeadState, TrackKind, TrackState
from audits.reading.money import case_money
from budgets.models import PackageVersion, Prepayment, PrepaymentBatch
from claims.models import ClaimsImport, FactSet, FundMonthlyReport, ImportFinding, MonthlyFact, OpenReject
from core.models import Job, PoolingArea, TrailEvent, User
from core.models.jobs import JobState
from core.registries import verifications
from ledger.models import Book, Entry
from ledger.reading import trial_balance
from monitoring.reading.held import WarningState, report, warnings_in
from portal.demo import audit_agreements, claims, facts, loading, people, story, tables
from portal.demo.places import COUNTIES, alliance_of
from rules.brackets import OVERRUN, SURPLUS
from rules.periods import Month, months_between
from rules.spans import Span
from settlement.models import Computation, RecoveryPlan, Settlement, SettlementVersion
from submissions.reading import held

CLAIMS_ROWS = 3000
PREPAID = (*months_between(Month(2024, 1), Month(2025, 12)), Month(2026, 10))
"""What case E4 and example 17 stand on, and the month with a held line."""
PERIODS = (tables.PERIODS[0], *tables.PERIODS[-3:])
"""The quarters in which a table stands in a state of its own, and last year's figures for one of them."""
FIGURED, WATCHED = months_between(Month(2026, 1), Month(2026, 10)), months_between(Month(2026, 7), Month(2026, 10))
"""Months with figures and, among them, those whose warnings people answered: enough for every state of a warning."""
KILLED_AT = (1, 40, 41, 260, 700, 1010, 1033, 2700, 3100)
"""Acts (rows of the trail) before which the load is killed, in the middle of whatever step it is."""
pytestmark = pytest.mark.slow


class Killed(BaseException):
    """What a kill -9 is to a transaction: nothing catches it, nothing is committed."""


def load() -> None:
    watching = loading.monitoring_steps(FIGURED, WATCHED)
    planned_steps = (loading.steps(CLAIMS_ROWS, PREPAID), loading.table_steps(PERIODS), watching, loading.audit_steps())
    for planned in planned_steps:
        loading.run_steps(planned, lambda done, of, text: None)


def load_with_kills() -> int:
    """Load, killed at each of the acts and between steps; returns how often it was killed."""
    acts, kills, pending = 0, 0, list(KILLED_AT)
    computed = TrailEvent.computed_hash

    def counted(event: TrailEvent) -> str:
        nonlocal acts
        acts += 1
        if pending and acts >= pending[0]:
            pending.pop(0)
            raise Killed
        return computed(event)

    patch = pytest.MonkeyPatch()
    patch.setattr(TrailEvent, "computed_hash", counted)
    try:
        while True:
            try:
                load()
                return kills
            except Killed:
                kills += 1
    finally:
        patch.undo()


@pytest.fixture(scope="module")
def city(django_db_setup, django_db_blocker):
    """The loaded city in a transaction that is rolled back after the last test of this module."""
    with django_db_blocker.unblock(), transaction.atomic():
        loading.begin()
        loading.begin()
        assert load_with_kills() == len(KILLED_AT)
        yield PoolingArea.objects.get(code="990100")
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _in_the_city(city, db):
    """Each test looks at the loaded city."""


def current_computations() -> list[Computation]:
    versions = SettlementVersion.objects.with_places().exclude(computation=None)
    return [version.computation for version in versions]


def test_the_city_is_plainly_marked_as_a_demonstration(city, client):
    assert city.is_demo
    page = client.get("/login/").content.decode()
    assert "演示账号" in page
    assert people.PASSWORD in page
    assert people.OFFICER in page


def test_everybody_can_log_in_with_the_documented_password():
    assert User.objects.count() == len(people.PEOPLE)
    for user in User.objects.all():
        assert user.check_password(people.PASSWORD), user.username
        assert not user.must_change_password


def test_thirty_two_years_are_settled_and_two_funds_never_meet():
    assert Settlement.objects.count() == 32
    for fund in story.FUNDS:
        assert Settlement.objects.filter(fund_type=fund).count() == 16


def test_the_outcomes_cover_every_tier_on_both_sides_and_the_balance():
    labels = {computation.label for computation in current_computations()}
    assert labels == {"P1", "P2", "P3", "平", "O1", "O2", "O3"}


def test_each_fund_has_every_tier_below_the_balance_and_above():
    for fund in story.FUNDS:
        found = SettlementVersion.objects.filter(settlement__fund_type=fund).exclude(computation=None)
        assert {"P1", "P2", "P3", "O1", "O2", "O3"} <= set(found.values_list("computation__label", flat=True))


def test_2025_stands_in_every_state_between_draft_and_paid():
    states = set(SettlementVersion.objects.filter(settlement__year=2025).values_list("state", flat=True))
    assert states == {"draft", "sent", "objected", "confirmed", "final", "paid"}


def test_example_17_is_there_to_the_fen_with_both_versions():
    versions = SettlementVersion.objects.filter(
        settlement__alliance__code=story.QX, settlement__year=2025, settlement__fund_type=story.RES
    ).order_by("number")
    first, second = [version.computation for version in versions]
    assert [version.state for version in versions] == ["paid", "sent"]
    assert (first.label, first.charged, first.cash) == ("O1", Decimal("300853209.85"), Decimal("40314886.19"))
    assert second.package == Decimal("286543210.37")
    assert second.charged == Decimal("301234567.89")
    assert second.fund_bears == Decimal("11680246.62")
    assert second.alliance_bears == Decimal("3011110.90")
    assert second.prepaid == Decimal("171925926.22")
    assert (second.label, second.cash) == ("O2", Decimal("39934787.56"))


def test_case_e4_has_a_surplus_and_yet_a_recovery_that_was_set_off():
    version = SettlementVersion.objects.get(
        settlement__alliance__code=story.YW, settlement__year=2024, settlement__fund_type=story.RES
    )
    assert version.computation.retained == Decimal("12000000.00")
    assert version.computation.cash < 0
    plan = RecoveryPlan.objects.get(version=version)
    assert (plan.method, plan.amount) == ("offset", -version.computation.cash)
    assert version.state == "recovered"
    assert sum(Prepayment.objects.filter(alliance__code=story.YW).values_list("offset", flat=True)) == plan.amount


def test_the_identities_of_the_year_end_formula_hold_for_every_settlement():
    for found in current_computations():
        assert found.in_alliance + found.outflow == found.charged
        if found.outcome == SURPLUS:
            assert found.charged + found.retained_paid == found.package - found.returned - found.forfeited
        elif found.outcome == OVERRUN:
            assert found.charged - found.alliance_bears == found.package + found.fund_bears
        else:
            assert found.charged == found.package
        cash = (
            found.in_alliance + found.treated_for_sisters + found.retained_paid - found.alliance_bears
            - found.reserve_forfeited - found.prepaid - found.other_payments - found.deductions
        )  # fmt: skip
        assert found.cash == cash


def test_the_facts_add_up_to_what_the_story_says():
    for (alliance, fund), years in story.YEARS.items():
        for year in story.SETTLED_YEARS:
            computation = SettlementVersion.objects.get(
                settlement__alliance__code=alliance, settlement__year=year, settlement__fund_type=fund, number=1
            ).computation
            assert computation.package == years[year].package
            assert computation.charged == years[year].charged


def test_verify_finds_nothing_wrong_with_it():
    findings = {name: check() for name, check in verifications}
    assert {name: found for name, found in findings.items() if found} == {}


def test_the_books_balance_and_no_account_stands_on_the_wrong_side():
    for book in Book.objects.all():
        balance = trial_balance(book, date(2026, 11, 30))
        assert balance.balanced
        assert [row.account for group in balance.groups for row in group.rows if not row.is_on_its_side] == []


def test_the_size_stays_what_an_embedded_database_carries():
    assert MonthlyFact.objects.count() <= 150_000
    assert FactSet.objects.current().count() == 3 * len(story.MONTHS)


def test_reports_of_both_funds_stand_for_every_county_and_month():
    assert FundMonthlyReport.objects.current().count() == 3 * 2 * len(story.MONTHS)


def test_one_county_lacks_the_end_of_october():
    held = FactSet.objects.current().get(county__code=story.PARTIAL_COUNTY, year=2026, month=10)
    assert not held.declared
    assert held.data_to == story.PARTIAL_TO


def test_the_claims_came_through_the_import_with_their_faults_kept_apart():
    found = ClaimsImport.objects.get()
    assert found.state == "accepted"
    assert found.rows_good + found.rows_bad == CLAIMS_ROWS
    assert found.rows_bad > 0
    assert ImportFinding.objects.filter(claims_import=found).count() >= 5
    assert OpenReject.objects.open().exists()
    for month in story.CLAIMS_MONTHS:
        held = FactSet.objects.current().get(county__code=story.CLAIMS_COUNTY, year=month.year, month=month.month)
        assert held.claims_import_id == found.pk


def test_something_waits_for_each_of_the_main_posts():
    assert PrepaymentBatch.objects.get(month="2026-11").state == "proposed"
    assert PackageVersion.objects.get(package__year=2027, package__alliance__code=story.QX).state == "returned"
    held = Prepayment.objects.get(month="2026-10", alliance__code=story.YW, fund_type=story.RES)
    assert (held.amount, held.held) == (Decimal("0.00"), held.planned)


def test_a_second_run_changes_nothing(city):
    before = (TrailEvent.objects.count(), Entry.objects.count(), FactSet.objects.count(), MonthlyFact.objects.count())
    load()
    assert before == (
        TrailEvent.objects.count(), Entry.objects.count(), FactSet.objects.count(), MonthlyFact.objects.count(),
    )  # fmt: skip


def test_a_finished_load_is_not_started_again(city, monkeypatch):
    first = loading.queue(city, CLAIMS_ROWS)
    assert first.state == JobState.QUEUED
    Job.objects.filter(pk=first.pk).update(state=JobState.DONE)
    assert loading.queue(city, CLAIMS_ROWS).pk == first.pk


def test_a_first_start_leaves_a_held_city_alone():
    before = TrailEvent.objects.count()
    call_command("demo", first_start=True)
    assert TrailEvent.objects.count() == before
    assert not Job.objects.filter(name=loading.JOB).exists()


def test_the_season_follows_the_spring_festival():
    early = sum(row.settlements for row in facts.month_rows("990103", Month(2023, 1)))
    late = sum(row.settlements for row in facts.month_rows("990103", Month(2023, 2)))
    assert early < late
    early = sum(row.settlements for row in facts.month_rows("990103", Month(2024, 1)))
    late = sum(row.settlements for row in facts.month_rows("990103", Month(2024, 2)))
    assert late < early


def test_out_of_county_care_takes_the_share_of_money_it_takes_in_such_counties():
    for computation in current_computations():
        assert Decimal("0.28") <= computation.outflow / computation.charged <= Decimal("0.48")


def test_the_primary_share_of_a_county_lies_about_the_sixteen_percent():
    for county in COUNTIES:
        for fund in story.FUNDS:
            own = [row for row in facts.month_rows(county.code, Month(2025, 6)) if row.fund_type == fund]
            inside = [row for row in own if row.care_location == facts.OWN]
            primary = [row for row in inside if _is_primary(row.institution)]
            share = sum(row.fund_payable for row in primary) / sum(row.fund_payable for row in inside)
            assert 0.13 < share < 0.20


def _is_primary(code: str) -> bool:
    return 11 <= int(code[-5:]) % 100 <= 80


def test_the_claims_of_a_full_load_have_a_countys_size():
    assert 220_000 <= claims.ROWS <= 350_000


def test_quarterly_tables_stand_in_every_state_of_their_life(city):
    states = {
        (code, str(period)): held.latest(held.assignment(alliance_of(code), period))
        for code in story.ALLIANCES
        for period in PERIODS
    }
    assert states[(tables.NOTHING[0], str(tables.NOTHING[1]))].kind == "nothing"
    assert states[(tables.RETURNED[0], str(tables.RETURNED[1]))].state == "returned"
    assert states[(tables.OVERDUE[0], str(tables.OVERDUE[1]))] is None
    again = states[(tables.SUPERSEDED[0], str(tables.SUPERSEDED[1]))]
    assert (again.number, again.state) == (2, "accepted")
    rest = [found.state for found in states.values() if found is not None and found.state != "returned"]
    assert set(rest) == {"accepted"}


def test_accepted_tables_agree_with_the_facts_and_are_signed_but_this_quarters(city):
    for code in story.ALLIANCES:
        for period in PERIODS:
            latest = held.latest(held.assignment(alliance_of(code), period))
            if latest is None or latest.kind == "nothing" or latest.state != "accepted":
                continue
            found = held.reconciliation(latest)
            assert not found.lines.filter(must_explain=True).exists()
            assert found.is_signed == (period.quarter != tables.LAST)


def test_warnings_stand_in_every_state_and_everything_people_do_was_done(city):
    found = warnings_in(city)
    assert {w.state for w in found} == set(WarningState)
    acts = {str(change.act) for w in found for change in w.changes.all()}
    assert acts >= {"raise", "send", "answer", "return", "accept", "close", "escalate", "inquire", "update", "report"}


def test_a_county_in_distress_was_reported_with_causes_and_reports_were_issued(city):
    distress = [w for w in warnings_in(city) if w.source == "distress"]
    assert distress
    assert all(w.alliance is None and w.county is not None for w in distress)
    quarter = report(city, Span.parse("2026Q3"))
    assert quarter is not None
    assert quarter.state == "issued"
    assert quarter.word is not None


def test_leads_came_from_every_source_and_ended_in_every_state(city):
    leads = audited.leads_in(city)
    assert {lead.source for lead in leads} == set(LeadSource)
    assert {lead.state for lead in leads} == set(LeadState)
    assert 25 <= len(leads) <= 40


def test_cases_and_both_of_their_ways_stand_in_every_state(city):
    cases = audited.cases_in(city)
    assert {case.state for case in cases} == set(CaseState)
    for kind in TrackKind:
        assert {track.state for case in cases for track in case.tracks.all() if track.kind == kind} == set(TrackState)


def test_decided_money_of_every_case_is_refused_recovered_or_still_owed(city):
    for case in audited.cases_in(city):
        for row in case_money(case).rows:
            assert row.decided == row.refused + row.repaid + row.deducted + row.outstanding, case.number
    amounts, back = audited.amounts_in(city), audited.recovered_in(city)
    decided = sum((track.decided_amount for track in audited.decisions_in(city)), Decimal(0))
    assert decided == sum(row.amount for row in amounts) > 0
    assert {row.kind for row in amounts} == {"refused", "recovery"}
    assert {row.kind for row in back} == {"repaid", "deducted"}


def test_refused_claims_of_the_audits_reach_open_settlements_only(city):
    refused = [row for row in audited.amounts_in(city) if row.kind == "refused"]
    assert {row.settlement_year for row in refused} == {story.CURRENT_YEAR}


def test_claims_of_the_extract_stand_behind_findings_of_its_county(city):
    lines = [line for case in audited.cases_in(city) for line in audited.lines(case) if line.county is not None]
    assert lines
    assert {line.county.code for line in lines} == {story.CLAIMS_COUNTY}


def test_points_ended_one_qualification_and_suspended_another_and_a_check_lowered_a_ratio(city):
    suspended, ended = (audited.qualifications(code)[-1] for code in (audit_agreements.REACHED_NINE, audit_agreements.AT_ONCE))
    assert (suspended.kind, suspended.points, suspended.status) == ("suspended", 9, "approved")
    assert (ended.kind, ended.points, ended.at_once, ended.status) == ("ended", 12, True, "approved")
    checks = {row.grade: row for row in audited.checks_in(city) if row.status == "approved"}
    assert checks["basically_qualified"].ratio is not None
    assert checks["qualified"].ratio is None
