"""Packages: what is refused, who may approve, what an approval leaves in the book."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from budgets import reading, services
from budgets.models import BaseYear, PackageVersion
from claims.reading import PackageScope
from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.models import Notice, TrailEvent
from ledger.accounts import Account
from ledger.models import Entry
from ledger.reading import balance, trial_balance
from ledger.services import book_of
from tests.budgets.ground import (
    HISTORY,
    B,
    adjusted,
    approved,
    drafted,
    entered,
    facts_of,
    growth,
    inputs,
    last_years,
    package,
    pdf,
    sitting,
    submitted,
)


def registered(world, year=2026):
    return balance(book_of(world.alliance, "RES"), Account.PACKAGE, alliance=world.alliance, year=year)


def refusal_of(act):
    with pytest.raises(Refused) as refusal:
        act()
    return refusal.value


def test_a_draft_keeps_every_step_with_its_clause(world):
    growth(world)
    version = drafted(world)
    assert (version.last_year_base, version.three_year_base) == (Decimal("276000000.00"), Decimal("263333333.33"))
    assert version.ceiling == Decimal("292560000.00")
    assert version.in_alliance + version.out_of_county == B
    labels = [step["label"] for step in version.trace]
    assert "前三年平均增幅" in labels and "打包总额上限" in labels
    assert all("赣医保发〔2022〕23号" in step["clause"] for step in version.trace)


def test_the_suggested_package_stays_within_the_cap(world):
    growth(world, ratio="0.01")
    version = drafted(world, inputs(None))
    assert version.total == version.suggested == version.ceiling == Decimal("278760000.00")
    assert any("上限" in warning for warning in version.warnings)


def test_a_package_one_fen_above_the_cap_is_refused_naming_growth_and_clause(world):
    growth(world)
    refusal = refusal_of(lambda: drafted(world, inputs("292560000.01")))
    assert "高于统筹区收入预算增幅" in str(refusal) and "§二(二)3" in str(refusal)
    assert drafted(world, inputs("292560000.00")).total == Decimal("292560000.00")


def test_the_database_itself_refuses_a_package_above_its_ceiling(world):
    growth(world)
    version = drafted(world)
    with pytest.raises(IntegrityError), transaction.atomic():
        PackageVersion.objects.filter(pk=version.pk).update(
            total=Decimal("300000000.00"), in_alliance=Decimal("300000000.00"), out_of_county=0
        )


@pytest.mark.parametrize("total", ["0.00", "-1.00"])
def test_a_package_that_is_not_above_zero_is_refused(world, total):
    growth(world)
    assert "大于零" in str(refusal_of(lambda: drafted(world, inputs(total))))


def test_a_package_without_an_approved_growth_is_refused(world):
    refusal = refusal_of(lambda: drafted(world))
    assert [problem.field for problem in refusal.problems] == ["收入预算增幅"]


def test_county_revenue_is_refused_as_basis_and_as_source(world):
    growth(world)
    assert "县域内的医保基金收入" in str(refusal_of(lambda: drafted(world, inputs(basis="county_revenue"))))
    years = {**HISTORY, 2025: entered("196000000.00", "80000000.00", "county_revenue")}
    assert "§四(二)" in str(refusal_of(lambda: drafted(world, inputs(years=years))))


def test_both_funds_in_one_package_are_refused(world):
    growth(world)
    refusal = refusal_of(lambda: drafted(world, fund_type="ALL"))
    assert "不得合并" in str(refusal)


def test_a_scope_without_any_service_is_refused(world):
    growth(world)
    nothing = PackageScope(general_outpatient=False, chronic_outpatient=False, inpatient=False)
    assert "打包范围" in {p.field for p in refusal_of(lambda: drafted(world, inputs(scope=nothing))).problems}


def test_entered_figures_without_their_source_are_refused_together(world):
    growth(world)
    years = {**HISTORY, 2025: services.Entered(Decimal("196000000.00"), Decimal("-1.00"), "accounts", "")}
    refusal = refusal_of(
        lambda: drafted(world, inputs(years=years, primary_amount=Decimal("1.00"), primary_source="accounts"))
    )
    assert {"2025 年", "2025 年县域外"} <= {problem.field for problem in refusal.problems}


def test_the_base_comes_from_facts_where_a_whole_year_is_there(world):
    growth(world)
    facts_of(world, 2025, "196000000.00", "80000000.00")
    years = {year: HISTORY[year] for year in (2022, 2023, 2024)}
    version = drafted(world, inputs(years=years))
    used = {year.year: (year.source, year.total if hasattr(year, "total") else year.in_alliance) for year in version.base_years.all()}
    assert used[2025] == ("facts", Decimal("196000000.00")) and used[2024][0] == "accounts"
    assert version.base_out_of_county == Decimal("80000000.00")
    assert (version.primary_share, version.primary_source) == (Decimal("0.200000"), "facts")
    assert len(BaseYear.objects.get(version=version, year=2025).factsets) == 12


def test_a_year_with_missing_months_is_no_base(world):
    growth(world)
    facts_of(world, 2025, "180000000.00", "70000000.00", months=11)
    years = {year: HISTORY[year] for year in (2022, 2023, 2024)}
    refusal = refusal_of(lambda: drafted(world, inputs(years=years)))
    assert "缺 1 个月" in str(refusal)


def test_a_primary_share_below_the_floor_warns_and_names_what_is_missing(world):
    growth(world)
    low = inputs(primary_amount=Decimal("29400000.00"), primary_source="accounts", primary_note="决算附表")
    version = drafted(world, low)
    assert version.primary_share == Decimal("0.150000")
    assert any("低于 16%" in warning and "1,960,000.00" in warning for warning in version.warnings)


def test_insured_heads_are_entered_with_those_resettled(world):
    growth(world)
    assert "异地安置" in str(refusal_of(lambda: drafted(world, inputs(resettled=None))))
    assert "大于参保人数" in str(refusal_of(lambda: drafted(world, inputs(resettled=540001))))


def test_a_version_goes_nowhere_without_a_negotiation_or_a_reason_for_none(world):
    growth(world)
    version = drafted(world)
    assert "谈判协商" in str(refusal_of(lambda: services.submit_package(world.officer, version)))
    services.record_round(world.officer, version, sitting())
    assert services.submit_package(world.officer, version).state == "submitted"


def test_a_round_needs_people_from_both_sides(world):
    growth(world)
    version = drafted(world)
    refusal = refusal_of(
        lambda: services.record_round(
            world.officer, version, services.RoundInputs(date(2026, 1, 5), "林晓岚", " ", "纪要", "")
        )
    )
    assert {problem.field for problem in refusal.problems} == {"医共体参加人", "结论"}


def test_changed_facts_send_a_draft_back_to_be_worked_out_again(world):
    growth(world)
    facts_of(world, 2025, "196000000.00", "80000000.00")
    years = {year: HISTORY[year] for year in (2022, 2023, 2024)}
    version = drafted(world, inputs(years=years))
    services.record_round(world.officer, version, sitting())
    facts_of(world, 2025, "197000000.00", "80000000.00")
    assert "已有变化" in str(refusal_of(lambda: services.submit_package(world.officer, version)))


def test_an_approved_package_is_in_force_and_registered_in_the_book(world):
    version = approved(world)
    assert registered(world) == B
    assert trial_balance(book_of(world.alliance, "RES")).balanced
    found = reading.package_in_force(world.alliance, 2026, "RES")
    assert (found.total, found.number, found.provisional, found.approved_on) == (B, 1, False, date(2026, 1, 10))
    assert found.in_alliance + found.out_of_county == B
    assert TrailEvent.objects.filter(action="budgets.approve_package", subject_id=str(version.pk)).exists()
    assert Notice.objects.filter(user=world.hospital, text__contains="已审定").exists()


def test_an_officer_cannot_approve_her_own_package(world):
    growth(world)
    version = submitted(world)
    with pytest.raises(NotAllowed, match="基金复核"):
        services.approve_package(world.officer, version)
    with pytest.raises(IntegrityError), transaction.atomic():
        PackageVersion.objects.filter(pk=version.pk).update(decided_by=world.officer)


def test_a_reviewer_who_prepared_the_version_cannot_approve_it(world):
    growth(world)
    version = submitted(world)
    PackageVersion.objects.filter(pk=version.pk).update(prepared_by=world.reviewer)
    with pytest.raises(NotAllowed, match="本人经办"):
        services.approve_package(world.reviewer, version)


def test_of_two_reviewers_one_approves_and_the_other_is_told(world):
    growth(world)
    version = submitted(world)
    services.approve_package(world.reviewer, version, decided_on=date(2026, 1, 10))
    with pytest.raises(Conflict, match="何劲松"):
        services.approve_package(world.second_reviewer, version, decided_on=date(2026, 1, 10))
    assert Entry.objects.filter(source_id=str(version.pk)).count() == 1


def test_a_stranger_may_not_prepare_a_package_here(world):
    growth(world)
    with pytest.raises(NotAllowed):
        services.draft_package(world.stranger_officer, world.alliance, 2026, "RES", inputs())


def test_a_returned_version_is_revised_and_submitted_again_under_its_number(world):
    growth(world)
    version = services.return_package(world.reviewer, submitted(world), "金额偏高")
    assert version.state == "returned"
    revised = services.revise_package(world.officer, version, inputs("280000000.00"))
    assert (revised.number, revised.state, revised.total) == (1, "draft", Decimal("280000000.00"))
    assert services.submit_package(world.officer, revised).state == "submitted"


def test_a_second_open_version_is_refused_until_the_first_is_done(world):
    growth(world)
    version = drafted(world)
    with pytest.raises(Conflict, match="在办"):
        drafted(world)
    services.withdraw_package(world.officer, version, "重新测算")
    assert drafted(world).number == 2


def test_an_adjustment_needs_its_cause_and_evidence(world):
    approved(world)
    refusal = refusal_of(lambda: drafted(world, inputs("288000000.00")))
    assert {problem.field for problem in refusal.problems} == {"调整事由", "调整说明", "依据附件"}


def test_an_adjustment_posts_the_difference_only(world):
    approved(world)
    version = adjusted(world, "270000000.00", date(2026, 6, 10))
    assert registered(world) == Decimal("270000000.00")
    posted = Entry.objects.get(source_id=str(version.pk), source_type="budgets.packageversion")
    assert {line.amount for line in posted.lines.all()} == {Decimal("-16543210.37"), Decimal("16543210.37")}
    found = reading.package_in_force(world.alliance, 2026, "RES")
    assert (found.total, found.initial_total, found.number) == (Decimal("270000000.00"), B, 2)
    assert reading.package_in_force(world.alliance, 2026, "RES", on=date(2026, 6, 9)).total == B


def test_the_cap_compares_like_for_like_when_the_scope_changes(world):
    approved(world)
    assert "上限" in str(
        refusal_of(lambda: adjusted(world, "295000000.00", date(2026, 6, 10)))
    )
    version = adjusted(
        world,
        "295000000.00",
        date(2026, 6, 10),
        scope_change=Decimal("5000000.00"),
        scope_change_note="新增门诊慢特病病种",
    )
    assert version.ceiling == Decimal("297860000.00")


def test_last_years_package_stands_in_provisionally(world):
    last_years(world)
    found = reading.package_in_force(world.alliance, 2026, "RES")
    assert (found.provisional, found.year, found.total) == (True, 2025, Decimal("270000000.00"))
    assert reading.package_in_force(world.alliance, 2027, "RES") is None


def test_a_closed_year_takes_no_version_and_opens_again(world):
    approved(world)
    services.close_year(world.reviewer, world.alliance, 2026, "RES")
    assert "关账" in str(
        refusal_of(
            lambda: services.draft_package(
                world.officer,
                world.alliance,
                2026,
                "RES",
                inputs("280000000.00", adjustment_reason="policy", reason="政策"),
                evidence=pdf(),
            )
        )
    )
    services.reopen_year(world.reviewer, world.alliance, 2026, "RES")
    assert package(world).closed_at is None


def test_an_approval_dated_tomorrow_is_refused(world):
    growth(world)
    version = submitted(world)
    tomorrow = timezone.localdate() + timezone.timedelta(days=1)
    assert "不能晚于今天" in str(
        refusal_of(lambda: services.approve_package(world.reviewer, version, decided_on=tomorrow))
    )


def test_a_replaced_growth_stops_the_approval(world):
    growth(world)
    version = submitted(world)
    growth(world, ratio="0.02")
    assert "已被替换" in str(
        refusal_of(lambda: services.approve_package(world.reviewer, version, decided_on=date(2026, 1, 10)))
    )
