"""What people find on their desks, what the search finds, and what the verification notices."""

from decimal import Decimal

from django.db import connection

from budgets import desk, services
from budgets.models import PackageVersion, Prepayment, PrepaymentBatch
from budgets.verification import verify_budgets
from core import triggers
from core.registries import home_todos, month_end_steps, verifications
from ledger.models import Line
from tests.budgets.ground import account, approved, approved_month, drafted, growth, month, paid_month, pdf, submitted


def titles(user):
    return [todo.title for todo in desk.todos(user)]


def test_the_app_joins_the_registries_of_the_house():
    assert "prepayment" in dict(month_end_steps) and "budgets" in dict(home_todos)
    assert "打包与预付对账" in dict(verifications)


def test_a_draft_is_the_officers_and_a_submitted_version_the_reviewers(world):
    growth(world)
    version = drafted(world)
    assert [title for title in titles(world.officer) if "打包预算" in title]
    assert not titles(world.reviewer)
    services.revise_package(world.officer, version, services.inputs_of(version))
    services.withdraw_package(world.officer, version, "重做")
    submitted(world)
    assert not titles(world.officer)
    (todo,) = desk.todos(world.reviewer)
    assert (todo.verb, todo.amount, todo.fund_type) == ("审定", Decimal("286543210.37"), "RES")


def test_nobody_is_asked_to_approve_what_she_prepared(world):
    growth(world)
    version = submitted(world)
    PackageVersion.objects.filter(pk=version.pk).update(prepared_by=world.reviewer)
    assert not titles(world.reviewer) and titles(world.second_reviewer)


def test_a_batch_moves_from_desk_to_desk(world):
    approved(world)
    services.propose(world.alliance, month("2026-01"))
    batch = PrepaymentBatch.objects.get()
    assert [todo.verb for todo in desk.todos(world.officer)] == ["核对报审"]
    services.submit_batch(world.officer, batch)
    assert not titles(world.officer) and [todo.verb for todo in desk.todos(world.reviewer)] == ["审定"]
    services.approve_batch(world.reviewer, batch)
    assert [todo.verb for todo in desk.todos(world.finance)] == ["拨付"]


def test_filed_plans_accounts_and_payments_wait_on_the_right_desks(world):
    approved(world)
    services.file_plan(
        world.hospital, world.alliance, 2026, title="分配办法", effective_on=month("2026-01").first_day, file=pdf()
    )
    services.enter_account(
        world.finance, world.alliance, account_name="青溪县人民医院", bank="农商银行", account_number="62284800",
        valid_from=month("2026-01").first_day,
    )  # fmt: skip
    services.register_payment(
        world.officer, world.alliance, 2026, "RES", kind="other", amount=Decimal("1.00"), purpose="补付"
    )
    assert any("签收" in title for title in titles(world.officer))
    reviewer = titles(world.reviewer)
    assert any("收款账户" in title for title in reviewer) and any("其他审定" in title for title in reviewer)
    assert not titles(world.stranger_reviewer) and not titles(world.nobody)


def test_the_search_finds_packages_and_batches_inside_the_scope_only(world):
    approved(world)
    services.propose(world.alliance, month("2026-01"))
    assert [hit.kind for hit in desk.search(world.officer, "青溪")] == ["打包预算"]
    assert [hit.kind for hit in desk.search(world.officer, "2026-01")] == ["月度预付"]
    assert desk.search(world.sister_hospital, "青溪") == [] == desk.search(world.stranger_officer, "2026-01")


def test_the_verification_finds_nothing_in_a_year_run_by_the_rules(world):
    approved(world)
    paid_month(world, "2026-01")
    approved_month(world, "2026-02")
    assert verify_budgets() == []


def test_the_verification_notices_a_changed_package_and_a_changed_line(world):
    version = approved(world)
    batch = paid_month(world, "2026-01")
    PackageVersion.objects.filter(pk=version.pk).update(
        total=Decimal("286543210.36"), in_alliance=version.in_alliance - Decimal("0.01")
    )
    assert ["打包总额" in finding.where for finding in verify_budgets()] == [True]
    PackageVersion.objects.filter(pk=version.pk).update(total=version.total, in_alliance=version.in_alliance)
    line = batch.lines.get()
    Prepayment.objects.filter(pk=line.pk).update(
        planned=line.planned + 1, amount=line.amount + 1, payable=line.payable + 1
    )
    assert [finding.text for finding in verify_budgets()] == ["业务合计 1.00 元，账上 0.00 元"]


def test_the_verification_notices_money_taken_out_of_the_books(world):
    approved(world)
    paid_month(world, "2026-01")
    with triggers.lifted(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {Line._meta.db_table} WHERE account = 'temporary_payments'")
    assert ["已预付" in finding.where for finding in verify_budgets()] == [True]


def test_an_account_replaced_keeps_its_time(world):
    first = account(world)
    second = services.enter_account(
        world.finance, world.alliance, account_name="青溪县人民医院", bank="工商银行", account_number="95588000",
        valid_from=month("2026-03").first_day,
    )  # fmt: skip
    services.approve_account(world.reviewer, second)
    first.refresh_from_db()
    assert first.valid_to == month("2026-02").last_day
