"""Prefill, expectation and comparison of a table: everything as it stood on the period's last day."""

from datetime import date
from decimal import Decimal

from budgets import services as budgets
from budgets.models import Receipt
from budgets.reading import prepaid_of
from claims.services import record_factset
from core import parameters
from core.models import Membership
from rules.periods import Month
from submissions import sources
from submissions.checks import run_checks
from submissions.declaration import shipped_table
from submissions.parameters import limits_at
from submissions.periods import TablePeriod
from submissions.registries import prefill_sources
from tests.budgets import ground
from tests.submissions.accepting import accepted_version, owed, sound_facts
from tests.submissions.figures import LEAD, Q3, TOWNSHIP, VILLAGE, sound_figures, yuan

D = Decimal
Q1, Q2 = TablePeriod.parse("2026Q1"), TablePeriod.parse("2026Q2")
EACH = D("14327160.52")


def prefilled(world, period=Q3):
    return sources.prefill_of(owed(world, period), shipped_table())


def context(world, figures=None, period=Q3):
    return sources.context_of(owed(world, period), figures or sound_figures(), shipped_table())


def test_the_head_of_a_template_names_place_period_and_members(world):
    made = prefilled(world)
    assert (made.alliance_code, made.county_name, made.lead_name) == ("QX", "青溪县", "青溪县人民医院")
    assert (made.period, made.assignment) == (Q3, owed(world).pk)
    assert [(member.institution, member.level_text) for member in made.members] == [
        (LEAD, "综合医院"), (TOWNSHIP, "乡镇卫生院"), (VILLAGE, "村卫生室"),
    ]  # fmt: skip


def test_members_are_those_of_the_last_day(world):
    Membership.objects.filter(institution=world.village).update(valid_to=date(2026, 6, 30))
    assert [member.institution for member in prefilled(world).members] == [LEAD, TOWNSHIP]
    assert sources.expected_of(owed(world)).members == {LEAD, TOWNSHIP}
    assert sources.expected_of(owed(world, Q2)).members == {LEAD, TOWNSHIP, VILLAGE}


def test_an_upload_may_be_read_on_any_known_version_of_the_table(world):
    expected = sources.expected_of(owed(world))
    assert (expected.alliance_code, expected.period, expected.assignment) == ("QX", Q3, owed(world).pk)
    assert expected.tables("situation", "1") == shipped_table()
    assert expected.tables("situation", "99") is None


def test_the_package_in_force_on_the_last_day_is_prefilled(world, time_machine):
    time_machine.move_to("2026-10-10 09:00:00+08:00")
    ground.approved(world)
    ground.adjusted(world, "290000000.00", date(2026, 5, 1))
    first, second = prefilled(world, Q1).values, prefilled(world, Q2).values
    assert first[("RES", "2", "current")] == first[("RES", "3", "budget")] == ground.B
    assert second[("RES", "2", "current")] == D("290000000.00")
    assert second[("RES", "4", "budget")] + second[("RES", "5", "budget")] == D("290000000.00")
    assert ("EMP", "2", "current") not in second and ("ALL", "2", "current") not in second


def test_before_the_package_is_approved_last_years_stands_in(world, time_machine):
    time_machine.move_to("2026-04-10 09:00:00+08:00")
    ground.last_years(world)
    assert prefilled(world, Q1).values[("RES", "2", "current")] == D("270000000.00")


def test_prepayments_count_to_the_last_day_and_not_beyond(world, time_machine):
    time_machine.move_to("2026-03-20 09:00:00+08:00")
    ground.approved(world)
    ground.paid_month(world, "2026-01")
    time_machine.move_to("2026-04-10 09:00:00+08:00")
    ground.paid_month(world, "2026-02")
    assert prefilled(world, Q1).values[("RES", "2.1", "current")] == EACH
    assert prefilled(world, Q2).values[("RES", "2.1", "current")] == 2 * EACH
    assert prefilled(world, Q1).values[("ALL", "2.1", "current")] == EACH
    assert prepaid_of([world.alliance], 2026) == {(world.alliance.pk, "RES"): 2 * EACH}


def test_a_receipt_voided_after_the_period_was_never_paid(world, time_machine):
    time_machine.move_to("2026-03-20 09:00:00+08:00")
    ground.approved(world)
    ground.paid_month(world, "2026-01")
    time_machine.move_to("2026-04-10 09:00:00+08:00")
    budgets.void_receipt(world.finance, Receipt.objects.get(), "银行退票")
    assert prefilled(world, Q1).values[("RES", "2.1", "current")] == 0


def test_last_years_accepted_figures_fill_their_column(world):
    last_year = sound_figures(period=Q3.last_year)
    accepted_version(world, last_year, period=Q3.last_year)
    values = prefilled(world).values
    assert values[("RES", "9.6", "last")] == yuan("18452.15")
    assert values[("ALL", "8", "last")] == 24618 * 3
    assert ("RES", "11.4", "last") not in values
    held = context(world)
    assert held.last_year == last_year and held.previous is None


def test_the_accepted_table_of_the_period_before_is_compared(world):
    accepted_version(world, sound_figures(period=Q2), period=Q2)
    assert context(world).previous == sound_figures(period=Q2)
    assert context(world, period=Q1).previous is None


def test_the_approved_allocation_fills_the_members_budgets(world):
    version = ground.approved(world)
    inside = version.in_alliance
    amounts = {world.lead.pk: inside - 300, world.township.pk: D(200), world.village.pk: D(100)}
    made = budgets.draft_allocation(world.officer, version, amounts=amounts)
    assert prefilled(world).member_values == {}
    budgets.approve_allocation(world.reviewer, budgets.submit_allocation(world.officer, made))
    assert prefilled(world).member_values == {
        (LEAD, "RES", "budget"): inside - 300,
        (TOWNSHIP, "RES", "budget"): D("200.00"),
        (VILLAGE, "RES", "budget"): D("100.00"),
    }


def test_audit_rows_stay_blank_until_a_source_is_registered(world, monkeypatch):
    assert ("RES", "13.2", "current") not in prefilled(world).values
    monkeypatch.setattr(prefill_sources, "_entries", {})

    def audits(alliance, period, fund_type):
        assert (alliance, period) == (world.alliance, Q3)
        return {"checked": D(3), "refused": D("5000.00")} if fund_type == "RES" else {"checked": D(1)}

    prefill_sources.register("audit", audits)
    values = prefilled(world).values
    assert (values[("RES", "13.1", "current")], values[("ALL", "13.1", "current")]) == (3, 4)
    assert values[("RES", "13.2", "current")] == D("5000.00")
    assert ("EMP", "13.2", "current") not in values


def test_facts_are_compared_only_when_every_month_is_there(world):
    sound_facts(world)
    assert context(world).facts["RES"]["charged"] == yuan("22890.09")
    record_factset(world.officer, world.qingxi, Month(2026, 2), [], "claims", declared=False)
    assert context(world).facts == {}


def test_sound_figures_pass_every_check_with_the_systems_own_sources(world, time_machine):
    time_machine.move_to("2026-10-10 09:00:00+08:00")
    sound_facts(world)
    accepted_version(world, sound_figures(period=Q3.last_year), period=Q3.last_year)
    figures = sound_figures()
    for fund in ("RES", "EMP", "ALL"):
        figures.funds[fund]["2.1"].current = D(0)
    assert run_checks(context(world, figures)) == []


def test_the_ledger_and_the_package_are_compared_as_of_the_last_day(world, time_machine):
    time_machine.move_to("2026-10-10 09:00:00+08:00")
    ground.approved(world)
    held = context(world)
    assert held.package == {"RES": ground.B}
    assert held.prepaid == {"RES": 0, "EMP": 0}
    assert held.budgets["RES"]["3"] == ground.B
    codes = {(found.code, found.fund_type, found.row_code, found.column) for found in run_checks(held)}
    assert {("H9", "RES", "2", "current"), ("H9", "RES", "3", "budget"), ("H8", "RES", "2.1", "current")} <= codes


def test_limits_are_dated_parameters_of_the_place(world):
    assert limits_at(world.alliance, Q3.last_day).max_change == D("0.20")
    given = parameters.enter_parameter(
        world.admin, "submissions.max_change", world.area, "0.30", "澜医保〔2026〕8号", date(2026, 7, 1)
    )
    assert limits_at(world.alliance, Q3.last_day).max_change == D("0.20")
    parameters.confirm_parameter(world.reviewer, given)
    assert limits_at(world.alliance, Q3.last_day).max_change == D("0.30")
    assert limits_at(world.alliance, Q2.last_day).max_change == D("0.20")


def test_the_countys_spending_is_read_where_it_is_the_base(world):
    sound_facts(world)
    given = parameters.enter_parameter(
        world.admin, "budgets.primary_share_base", world.area, "county", "澜医保〔2026〕8号", date(2026, 1, 1)
    )
    parameters.confirm_parameter(world.reviewer, given)
    assert context(world).facts["RES"]["county"] == yuan("22890.09") + yuan("310.00")
