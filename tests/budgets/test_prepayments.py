"""Monthly prepayments: amounts to the fen, provisional months, changes in mid-year, the cap, idempotence."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from budgets import reading, services
from budgets.models import Package, Prepayment, PrepaymentBatch
from core import jobs
from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.models import TrailEvent
from ledger.accounts import Account
from ledger.reading import balance, trial_balance
from ledger.services import book_of, post, registering
from rules.periods import months_of_year
from tests.budgets.ground import (
    B,
    account,
    adjusted,
    approved,
    approved_month,
    facts_of,
    inputs,
    last_years,
    month,
    paid_month,
    pay,
)

EACH = Decimal("14327160.52")


def line_of(world, text, fund_type="RES"):
    return Prepayment.objects.get(alliance=world.alliance, month=text, fund_type=fund_type)


def propose(world, *texts):
    for text in texts:
        services.propose(world.alliance, month(text))


def year_through(world, last, year=2026):
    propose(world, *[str(found) for found in months_of_year(year) if found.month <= last])


def held_in(world, account_, year=2026):
    return balance(book_of(world.alliance, "RES"), account_, alliance=world.alliance, year=year)


def test_december_takes_two_fen_less_so_that_the_year_is_exactly_the_cap(world):
    approved(world)
    year_through(world, 12)
    amounts = list(Prepayment.objects.order_by("month").values_list("amount", flat=True))
    assert amounts == [EACH] * 11 + [Decimal("14327160.50")]
    assert sum(amounts) == Decimal("171925926.22") == line_of(world, "2026-12").cap
    assert line_of(world, "2026-12").cap_left == 0


def test_three_hundred_million_pay_fifteen_a_month_up_to_sixty_percent(world):
    approved(world, inputs("300000000.00"), ratio="0.10")
    year_through(world, 12)
    assert set(Prepayment.objects.values_list("amount", flat=True)) == {Decimal("15000000.00")}
    assert line_of(world, "2026-12").after == Decimal("180000000.00")


def test_before_approval_last_years_package_is_prepaid_and_marked_so(world):
    last_years(world)
    propose(world, "2026-01", "2026-02")
    line = line_of(world, "2026-02")
    assert line.provisional and line.amount == Decimal("13500000.00")
    assert "暂付" in "".join(line.warnings)


def test_the_month_after_approval_trues_up_what_was_provisional(world):
    last_years(world)
    propose(world, "2026-01", "2026-02")
    approved(world, decided_on=date(2026, 3, 5))
    propose(world, "2026-03", "2026-04")
    trued, later = line_of(world, "2026-03"), line_of(world, "2026-04")
    assert not trued.provisional
    assert trued.true_up == 2 * EACH - 2 * Decimal("13500000.00")
    assert trued.amount == EACH + trued.true_up
    assert (later.amount, later.true_up) == (EACH, 0)
    assert later.after == 4 * EACH


def test_without_any_package_nothing_is_proposed_and_the_job_says_why(world):
    told = services.propose(world.alliance, month("2026-01"))
    assert "未生成预付" in told and not Prepayment.objects.exists()


def test_a_mid_year_cut_is_shared_by_the_remaining_months(world):
    approved(world)
    year_through(world, 6)
    adjusted(world, "250000000.00", date(2026, 7, 10))
    propose(world, *[f"2026-{number:02d}" for number in range(7, 13)])
    paid = 6 * EACH
    rest = Decimal("150000000.00") - paid
    amounts = list(Prepayment.objects.filter(month__gte="2026-07").order_by("month").values_list("amount", flat=True))
    assert sum(amounts) == rest
    assert amounts[0] == Decimal("10672839.48") and line_of(world, "2026-12").after == Decimal("150000000.00")


def test_a_cut_below_what_was_paid_stops_and_warns(world):
    approved(world)
    year_through(world, 6)
    adjusted(world, "140000000.00", date(2026, 7, 10))
    propose(world, "2026-07")
    line = line_of(world, "2026-07")
    assert line.amount == 0 and any("停止预付" in warning for warning in line.warnings)


def test_proposing_a_month_again_changes_nothing(world):
    approved(world)
    propose(world, "2026-01")
    before, trail = line_of(world, "2026-01"), TrailEvent.objects.count()
    assert "建议未变" in services.propose(world.alliance, month("2026-01"))
    assert TrailEvent.objects.count() == trail
    assert PrepaymentBatch.objects.count() == 1 and line_of(world, "2026-01").pk == before.pk


def test_the_month_end_job_proposes_once_however_often_it_runs(world):
    approved(world)
    for _time in range(2):
        queued = jobs.enqueue(
            "month_end_alliance", scope="QX", period="2026-01", params={"alliance": "QX"}, place=world.alliance
        )
        done = jobs.run_now(queued)
        assert done.state == "done", done.outcome
    assert Prepayment.objects.count() == 1
    assert "预付" in done.outcome


def test_a_month_left_out_is_made_up_by_the_next(world):
    approved(world)
    propose(world, "2026-01", "2026-03")
    assert line_of(world, "2026-03").amount == 2 * EACH
    propose(world, "2026-02")
    assert line_of(world, "2026-02").amount == 0


def test_a_held_amount_stays_within_the_year_and_can_be_released(world):
    approved(world)
    propose(world, "2026-01")
    services.change_line(world.officer, line_of(world, "2026-01"), "reduce", Decimal("4000000.00"), "数据核查中")
    assert line_of(world, "2026-01").amount == EACH - Decimal("4000000.00")
    propose(world, "2026-02")
    assert line_of(world, "2026-02").amount == EACH
    with pytest.raises(Refused, match="大于本年尚在暂缓"):
        services.change_line(world.officer, line_of(world, "2026-02"), "release", Decimal("4000000.01"), "核查完毕")
    services.change_line(world.officer, line_of(world, "2026-02"), "release", Decimal("4000000.00"), "核查完毕")
    assert line_of(world, "2026-02").after == 2 * EACH


def test_holding_a_whole_line_needs_a_reason_and_leaves_nothing(world):
    approved(world)
    propose(world, "2026-01")
    with pytest.raises(Refused, match="原因"):
        services.change_line(world.officer, line_of(world, "2026-01"), "hold", None, " ")
    line = services.change_line(world.officer, line_of(world, "2026-01"), "hold", None, "医共体未签协议")
    assert (line.amount, line.held, line.payable) == (0, EACH, 0)


def test_a_refreshed_proposal_keeps_its_hold(world):
    last_years(world)
    propose(world, "2026-01")
    services.change_line(world.officer, line_of(world, "2026-01"), "reduce", Decimal("1000000.00"), "核查")
    approved(world, decided_on=date(2026, 1, 20))
    propose(world, "2026-01")
    line = line_of(world, "2026-01")
    assert (line.planned, line.held, line.provisional) == (EACH, Decimal("1000000.00"), False)


def test_a_batch_is_approved_by_another_person_and_registered(world):
    approved(world)
    batch = approved_month(world, "2026-01")
    assert held_in(world, Account.PREPAYMENT_APPROVED) == EACH
    assert reading.prepaid(world.alliance, 2026, "RES") == 0
    with pytest.raises(NotAllowed):
        services.approve_batch(world.officer, batch)


def test_the_database_refuses_a_batch_approved_by_who_submitted_it(world):
    approved(world)
    batch = approved_month(world, "2026-01")
    with pytest.raises(IntegrityError), transaction.atomic():
        PrepaymentBatch.objects.filter(pk=batch.pk).update(decided_by=world.officer)


def test_of_two_reviewers_of_a_batch_one_is_told(world):
    approved(world)
    batch = approved_month(world, "2026-01")
    with pytest.raises(Conflict, match="何劲松"):
        services.approve_batch(world.second_reviewer, batch)
    assert held_in(world, Account.PREPAYMENT_APPROVED) == EACH


def test_an_outdated_proposal_cannot_be_submitted(world):
    last_years(world)
    propose(world, "2026-01")
    approved(world, decided_on=date(2026, 1, 20))
    with pytest.raises(Refused, match="重新生成"):
        services.submit_batch(world.officer, PrepaymentBatch.objects.get())


def test_the_cap_is_guarded_when_a_batch_is_approved(world):
    approved(world)
    propose(world, "2026-01")
    Prepayment.objects.update(planned=Decimal("171925926.23"), amount=Decimal("171925926.23"), payable=Decimal("171925926.23"))
    with pytest.raises(Refused, match="超过年度上限 171,925,926.22"):
        services.submit_batch(world.officer, PrepaymentBatch.objects.get())


def test_handing_over_the_whole_package_is_refused_with_its_clause(world):
    approved(world)
    propose(world, "2026-01")
    Prepayment.objects.update(planned=B, amount=B, payable=B, cap=B)
    with pytest.raises(Refused, match="不得按打包预算额度直接拨付"):
        services.submit_batch(world.officer, PrepaymentBatch.objects.get())


def test_a_supplementary_batch_takes_lines_that_come_after_submission(world):
    approved(world)
    approved_month(world, "2026-01")
    from tests.budgets.ground import approved as approve_other

    approve_other(world, inputs("100000000.00"), fund_type="EMP", ratio="0.06")
    propose(world, "2026-01")
    assert line_of(world, "2026-01", "EMP").batch.sequence == 2
    assert line_of(world, "2026-01", "RES").batch.sequence == 1


def test_a_returned_batch_can_be_worked_on_and_submitted_again(world):
    approved(world)
    propose(world, "2026-01")
    batch = services.submit_batch(world.officer, PrepaymentBatch.objects.get())
    with pytest.raises(Conflict):
        services.change_line(world.officer, line_of(world, "2026-01"), "hold", None, "核查")
    services.return_batch(world.reviewer, batch, "请减付")
    services.change_line(world.officer, line_of(world, "2026-01"), "hold", None, "核查")
    assert services.submit_batch(world.officer, batch).state == "submitted"


def test_a_reopened_batch_leaves_no_registration_behind_and_is_approved_anew(world):
    approved(world)
    batch = approved_month(world, "2026-01")
    services.reopen_batch(world.reviewer, batch, "金额有误")
    assert held_in(world, Account.PREPAYMENT_APPROVED) == 0
    services.submit_batch(world.officer, batch)
    services.approve_batch(world.second_reviewer, batch)
    assert held_in(world, Account.PREPAYMENT_APPROVED) == EACH
    assert trial_balance(book_of(world.alliance, "RES")).balanced


def test_a_receipt_moves_the_money_in_the_fund_accounts_and_relieves_the_control_account(world):
    approved(world)
    batch = paid_month(world, "2026-01")
    assert batch.state == "paid"
    assert held_in(world, Account.PREPAYMENT_APPROVED) == 0
    assert held_in(world, Account.TEMPORARY_PAYMENTS) == EACH
    book = book_of(world.alliance, "RES")
    assert balance(book, Account.EXPENDITURE_ACCOUNT) == -EACH
    assert trial_balance(book).balanced
    assert reading.prepaid(world.alliance, 2026, "RES") == EACH
    year = reading.prepayment_year(world.alliance, 2026, "RES")
    assert (year.paid, year.decided, year.cap_left) == (EACH, EACH, Decimal("157598765.70"))


def payable_line(world):
    approved(world)
    batch = approved_month(world, "2026-01")
    account(world)
    services.make_payment_file(world.finance, batch)
    return line_of(world, "2026-01")


def receipt(world, line, **changes):
    given = {"outcome": "paid", "on": timezone.localdate(), "reference": "YH1", "amount": EACH, **changes}
    return services.record_receipt(world.finance, line, **given)


def test_a_receipt_over_another_amount_is_refused(world):
    line = payable_line(world)
    with pytest.raises(Refused, match="不符"):
        receipt(world, line, amount=EACH - Decimal("0.01"))


def test_a_receipt_of_tomorrow_or_from_before_the_approval_is_refused(world):
    line = payable_line(world)
    today = timezone.localdate()
    with pytest.raises(Refused, match="不能晚于今天"):
        receipt(world, line, on=today + timedelta(days=1))
    with pytest.raises(Refused, match="早于本批预付的审定日期"):
        receipt(world, line, on=today - timedelta(days=1))


def test_a_receipt_recorded_twice_counts_once(world):
    line = payable_line(world)
    assert receipt(world, line).pk == receipt(world, line).pk
    assert reading.prepaid(world.alliance, 2026, "RES") == EACH
    with pytest.raises(Conflict, match="YH1"):
        receipt(world, line, amount=Decimal("1.00"), outcome="partial", reason="部分")


def test_a_failed_and_a_partial_payment_stay_open_until_paid(world):
    line = payable_line(world)
    with pytest.raises(Refused, match="原因"):
        receipt(world, line, outcome="failed", amount=Decimal("0.00"))
    receipt(world, line, outcome="failed", amount=Decimal("0.00"), reason="账号错误", reference="TP1")
    assert reading.prepaid(world.alliance, 2026, "RES") == 0
    receipt(world, line, outcome="partial", amount=Decimal("4327160.52"), reason="头寸不足", reference="YH2")
    assert PrepaymentBatch.objects.get().state == "approved"
    again = services.make_payment_file(world.finance, line.batch)
    assert again.total == Decimal("10000000.00")
    receipt(world, line, amount=Decimal("10000000.00"), reference="YH3")
    assert PrepaymentBatch.objects.get().state == "paid"
    assert reading.prepaid(world.alliance, 2026, "RES") == EACH
    assert held_in(world, Account.PREPAYMENT_APPROVED) == 0


def test_a_voided_receipt_is_reversed_and_can_be_recorded_again(world):
    line = payable_line(world)
    made = receipt(world, line)
    services.void_receipt(world.finance, made, "回单号抄错")
    assert reading.prepaid(world.alliance, 2026, "RES") == 0
    assert held_in(world, Account.PREPAYMENT_APPROVED) == EACH
    receipt(world, line)
    assert reading.prepaid(world.alliance, 2026, "RES") == EACH


def test_money_moves_only_after_a_payment_file_and_into_an_approved_account(world):
    approved(world)
    batch = approved_month(world, "2026-01")
    with pytest.raises(Refused, match="没有已审定的收款账户"):
        services.make_payment_file(world.finance, batch)
    with pytest.raises(Refused, match="拨付文件"):
        receipt(world, line_of(world, "2026-01"))


def test_an_approval_with_a_receipt_is_not_taken_back(world):
    line = payable_line(world)
    receipt(world, line)
    with pytest.raises(Refused, match="已有款项到账"):
        services.reopen_batch(world.reviewer, line.batch, "错了")


def test_heavy_outflow_warns_that_cash_at_year_end_falls_below_zero(world):
    approved(world, inputs("300000000.00", out_of_county=Decimal("135000000.00")), ratio="0.10")
    facts_of(world, 2026, "37500000.00", "33750000.00", months=3)
    propose(world, "2026-03")
    line = line_of(world, "2026-03")
    assert line.projected_cash == Decimal("-18000000.00")
    assert any("低于零" in warning for warning in line.warnings)
    assert any("占全年比例" in step["label"] for step in line.projection)


def test_a_closed_year_gets_no_prepayment(world):
    approved(world)
    services.close_year(world.reviewer, world.alliance, 2026, "RES")
    assert "关账" in services.propose(world.alliance, month("2026-02"))
    assert not Prepayment.objects.exists() and Package.objects.get().closed_at is not None


def test_a_lower_ratio_after_a_bad_assessment_counts_once_approved(world):
    approved(world)
    entered = services.enter_ratio(world.officer, world.alliance, 2026, Decimal("0.04"), "2025 年度考核基本合格")
    propose(world, "2026-01")
    assert line_of(world, "2026-01").amount == EACH
    with pytest.raises(NotAllowed):
        services.approve_ratio(world.officer, entered)
    services.approve_ratio(world.reviewer, entered)
    propose(world, "2026-01")
    assert line_of(world, "2026-01").amount == Decimal("11461728.41")
    with pytest.raises(Refused, match="5%"):
        services.enter_ratio(world.officer, world.alliance, 2026, Decimal("0.06"), "优秀")


def test_an_offset_of_last_years_recovery_reduces_what_the_bank_pays_not_what_is_prepaid(world):
    approved(world)
    book = book_of(world.alliance, "RES")
    owed = Decimal("1000000.00")
    post(
        world.reviewer, book, key="recovery", on=date(2026, 1, 1), memo="应追回",
        lines=registering(Account.RECOVERY_RECEIVABLE, owed, world.alliance, 2025),
    )  # fmt: skip
    for _time in range(2):
        services.push_offset(
            world.reviewer, world.alliance, "RES", month=month("2026-01"), from_year=2025, amount=owed, source="清-2025-1"
        )
    batch = approved_month(world, "2026-01")
    line = line_of(world, "2026-01")
    assert (line.amount, line.offset, line.payable) == (EACH, owed, EACH - owed)
    assert held_in(world, Account.RECOVERY_RECEIVABLE, 2025) == 0
    pay(world, batch)
    assert reading.prepaid(world.alliance, 2026, "RES") == EACH
    assert reading.prepaid(world.alliance, 2025, "RES") == 0
    assert balance(book, Account.EXPENDITURE_ACCOUNT) == -(EACH - owed)
    assert trial_balance(book).balanced


def test_a_pushed_offset_can_be_taken_back_until_its_month_is_laid_before_the_reviewer(world):
    approved(world)
    book = book_of(world.alliance, "RES")
    lines = registering(Account.RECOVERY_RECEIVABLE, Decimal("1000.00"), world.alliance, 2025)
    post(world.finance, book, key="owed", on=date(2026, 1, 5), lines=lines, memo="应追回")
    propose(world, "2026-02")
    services.push_offset(
        world.reviewer, world.alliance, "RES", month=month("2026-02"), from_year=2025, amount=Decimal("1000.00"), source="s:1"
    )
    assert line_of(world, "2026-02").offset == Decimal("1000.00")
    assert services.withdraw_offset(world.reviewer, "s:1", "清算更正") is True
    line = line_of(world, "2026-02")
    assert line.offset == 0 and line.payable == line.amount
    assert services.withdraw_offset(world.reviewer, "s:1", "清算更正") is False
    services.push_offset(
        world.reviewer, world.alliance, "RES", month=month("2026-02"), from_year=2025, amount=Decimal("1000.00"), source="s:2"
    )
    services.submit_batch(world.officer, PrepaymentBatch.objects.get(month="2026-02"))
    with pytest.raises(Conflict, match="退回该批次"):
        services.withdraw_offset(world.reviewer, "s:2", "清算更正")
