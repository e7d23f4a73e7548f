"""What a served decision refuses and recovers, what comes back, and what the books and settlements say of it."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from audits.models import DecidedAmount, FinePayment, Recovered
from audits.reading.money import case_money, fine_position, nothing_outstanding, outstanding, track_settled
from audits.services import money
from audits.verification_money import verify_money
from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.models import TrailEvent
from ledger.accounts import Account
from ledger.models import Entry, Line
from settlement.models import Adjustment, AdjustmentState
from tests.audits import money_ground as ground
from tests.audits.money_ground import YEAR, D, Row

TODAY = timezone.localdate
pytestmark = pytest.mark.django_db


def receipt(world, track, amount, reference="YH-1", fund="RES", **more):
    return money.receive(
        more.pop("actor", world.finance), track, fund_type=fund, amount=D(amount), on=more.pop("on", TODAY()),
        reference=reference, **more
    )  # fmt: skip


def recovery(world, amount="1000.00", year=YEAR - 1, **more):
    """A served decision whose money is all to be recovered: the year is final."""
    ground.make_final(world, year)
    case = ground.case_of(world, [Row(amount, year=year, **more)])
    return case, ground.served(world, case)[0]


def test_own_claims_of_an_open_year_are_refused_and_pushed_to_its_settlement(world):
    case = ground.case_of(world, [Row("120.50"), Row("79.50"), Row("30.00", fund="EMP")])
    _track, effect = ground.served(world, case)
    assert (effect.refused, effect.recovery) == (D("230.00"), D("0.00"))
    pushed = {(row.fund_type, row.kind, row.year): row.amount for row in Adjustment.objects.in_force()}
    assert pushed == {("RES", "refused_claims", YEAR): D("200.00"), ("EMP", "refused_claims", YEAR): D("30.00")}
    assert {row.source for row in Adjustment.objects.all()} == {case.number}
    assert ground.receivable() == 0 and outstanding(case) == 0
    assert verify_money() == []


def test_claims_of_a_final_year_and_of_other_counties_patients_are_recovered(world):
    ground.make_final(world, YEAR - 1)
    rows = [Row("100.00", year=YEAR - 1), Row("40.00", own=False, county="yunling"), Row("10.00")]
    case = ground.case_of(world, rows)
    _track, effect = ground.served(world, case)
    assert (effect.refused, effect.recovery) == (D("10.00"), D("140.00"))
    spent = dict(DecidedAmount.objects.filter(kind="recovery").values_list("year", "spending"))
    assert spent == {YEAR - 1: Account.BENEFITS_PACKAGED, YEAR: Account.BENEFITS_INPATIENT}
    assert ground.receivable("RES") == outstanding(case) == D("140.00")
    assert verify_money() == []


def test_a_settlement_final_before_the_decision_turns_refusals_into_recoveries_of_the_same_total(world):
    case = ground.case_of(world, [Row("500.00"), Row("20.00", fund="EMP")])
    before = case_money(case).total.found
    ground.make_final(world, YEAR)
    _track, effect = ground.served(world, case)
    assert effect.decided == before == D("520.00")
    assert (effect.refused, effect.recovery) == (D("20.00"), D("500.00"))
    assert f"{YEAR} 年度居民清算已审定，其中 500.00 元不再拒付，转为追回，总额不变。" in effect.text
    assert verify_money() == []


def test_a_provider_outside_every_alliance_repays_everything_to_the_accounts_it_was_paid_from(world):
    case = ground.case_of(world, [Row("60.00"), Row("5.00", visit="chronic")], institution="outsider")
    track, effect = ground.served(world, case)
    assert effect.recovery == D("65.00") and not Adjustment.objects.exists()
    receipt(world, track, "65.00")
    assert ground.balance_of(Account.BENEFITS_INPATIENT) == D("-60.00")
    assert ground.balance_of(Account.BENEFITS_CHRONIC) == D("-5.00")
    assert ground.balance_of(Account.EXPENDITURE_ACCOUNT) == D("65.00")
    assert ground.receivable() == 0 and verify_money() == []


def test_taking_effect_twice_changes_nothing_more(world):
    case = ground.case_of(world, [Row("100.00", own=False)])
    track, first = ground.served(world, case)
    entries = Entry.objects.count()
    with transaction.atomic():
        again = money.take_effect(world.auditor, track)
    assert again.decided == first.decided == D("100.00")
    assert (DecidedAmount.objects.count(), Entry.objects.count()) == (1, entries)


def test_a_decided_amount_that_no_longer_fits_the_findings_is_refused(world):
    case = ground.case_of(world, [Row("100.00"), Row("7.00")])
    track = ground.track_of(case)
    track.decided_amount = D("107.00")
    line = case.findings.get().lines.first()
    line.dropped_at, line.dropped_by = timezone.now(), world.audit_reviewer
    line.save()
    with pytest.raises(Refused, match=r"决定金额 107\.00 元与现在认定的 7\.00 元不符"), transaction.atomic():
        money.take_effect(world.auditor, track)


def test_a_receipt_pays_the_oldest_year_first_and_enters_the_fund_book(world):
    for year in (2023, 2024):
        ground.make_final(world, year)
    case = ground.case_of(world, [Row("100.00", year=2024), Row("50.00", year=2023)])
    track, _effect = ground.served(world, case)
    made = receipt(world, track, "70.00")
    assert [(row.amount_row.year, row.amount) for row in made] == [(2023, D("50.00")), (2024, D("20.00"))]
    assert ground.balance_of(Account.EXPENDITURE_ACCOUNT) == D("70.00")
    assert ground.balance_of(Account.BENEFITS_PACKAGED, year=2023, alliance=world.alliance) == D("-50.00")
    assert ground.receivable() == outstanding(case) == D("80.00")
    assert track.changes.last().act == "receive" and "尚欠 80.00 元" in _summary()
    assert verify_money() == []


def _summary():
    return TrailEvent.objects.filter(action="audits.receive").last().summary


def test_more_than_is_owed_is_refused_naming_both_amounts(world):
    _case, track = recovery(world)
    with pytest.raises(Refused, match=r"收款 1,000\.01 元大于尚欠 1,000\.00 元，多出 0\.01 元"):
        receipt(world, track, "1000.01")
    with pytest.raises(Refused, match="职工基金没有待追回的金额"):
        receipt(world, track, "1.00", fund="EMP")
    assert not Recovered.objects.exists()


def test_everything_wrong_with_a_receipt_is_told_at_once(world):
    _case, track = recovery(world)
    with pytest.raises(Refused) as refused:
        receipt(world, track, "1.00", reference=" ", on=TODAY() + timedelta(days=1))
    assert [problem.field for problem in refused.value.problems] == ["on", "reference"]


def test_the_same_receipt_number_is_not_recorded_twice(world):
    _case, track = recovery(world)
    receipt(world, track, "10.00")
    with pytest.raises(Conflict, match="回单 YH-1 已经登记过"):
        receipt(world, track, "10.00")
    assert ground.receivable() == D("990.00")


def test_only_fund_finance_records_receipts(world):
    _case, track = recovery(world)
    with pytest.raises(NotAllowed, match="登记退回基金"):
        receipt(world, track, "10.00", actor=world.auditor)


def test_a_wrong_receipt_is_taken_back_by_reversing_rows_and_entries(world):
    case, track = recovery(world)
    row = receipt(world, track, "400.00")[0]
    money.take_back(world.finance, track, row, "回单属于另一案件")
    assert outstanding(case) == ground.receivable() == D("1000.00")
    assert ground.balance_of(Account.EXPENDITURE_ACCOUNT) == 0
    assert list(Recovered.objects.values_list("amount", flat=True)) == [D("400.00"), D("-400.00")]
    with pytest.raises(Refused, match="没有可以冲销的追回登记"):
        money.take_back(world.finance, track, row, "再冲销一次")
    receipt(world, track, "40.00")
    with pytest.raises(Conflict, match="已经冲销"):
        money.take_back(world.finance, track, row, "再冲销一次")
    assert outstanding(case) == D("960.00") and verify_money() == []


def test_a_deduction_becomes_d_of_the_next_settlement_that_is_not_final(world):
    case, track = recovery(world, year=2023)
    ground.make_final(world, 2024)
    row = money.deduct(world.auditor, track, fund_type="RES", reason="机构申请从清算款中扣减")[0]
    assert (row.settlement_year, row.amount) == (2025, D("1000.00"))
    pushed = Adjustment.objects.get()
    assert (pushed.kind, pushed.year, pushed.origin_year, pushed.amount) == ("other_year_recovery", 2025, 2023, D("1000.00"))
    assert outstanding(case) == ground.receivable() == 0
    assert not Line.objects.filter(account=Account.EXPENDITURE_ACCOUNT).exists()
    with pytest.raises(Refused, match="没有应追回而未追回的金额"):
        money.deduct(world.auditor, track, fund_type="RES", reason="再扣减一次")
    assert verify_money() == []


def test_a_deduction_is_taken_back_only_while_its_settlement_is_open(world):
    case, track = recovery(world)
    row = money.deduct(world.auditor, track, fund_type="RES", reason="机构申请从清算款中扣减")[0]
    with pytest.raises(NotAllowed, match="转清算扣减"):
        money.take_back(world.finance, track, row, "改为现金退回")
    money.take_back(world.auditor, track, row, "改为现金退回")
    assert outstanding(case) == ground.receivable() == D("1000.00")
    assert Adjustment.objects.get().state == AdjustmentState.WITHDRAWN and verify_money() == []
    again = money.deduct(world.auditor, track, fund_type="RES", reason="仍从清算款中扣减")[0]
    ground.make_final(world, again.settlement_year)
    with pytest.raises(Refused, match="清算已审定，扣减已经计入"):
        money.take_back(world.auditor, track, again, "改为现金退回")


def test_a_party_outside_every_alliance_has_no_settlement_to_deduct_from(world):
    case = ground.case_of(world, [Row("60.00")], institution="outsider")
    track, _effect = ground.served(world, case)
    with pytest.raises(Refused, match="不属于任何医共体"):
        money.deduct(world.auditor, track, fund_type="RES", reason="从清算款中扣减")


def fined(world, fine="10000.00", days=0):
    case = ground.case_of(world, [Row("10000.00")], penalty=True)
    ground.served(world, case)
    track, _effect = ground.served(
        world, case, "penalty", fine=D(fine), grade="ordinary", served_on=TODAY() - timedelta(days=days)
    )
    return case, track


def test_a_fine_is_paid_into_the_treasury_and_never_enters_the_books_or_a_settlement(world):
    case, track = fined(world)
    entries, adjustments = Entry.objects.count(), Adjustment.objects.count()
    money.pay_fine(world.auditor, track, amount=D("10000.00"), on=TODAY(), reference="缴款书-1")
    assert fine_position(track).settled and track_settled(track) and nothing_outstanding(case)
    assert (Entry.objects.count(), Adjustment.objects.count()) == (entries, adjustments)
    assert FinePayment.objects.get().amount == D("10000.00") and verify_money() == []
    with pytest.raises(Refused, match="没有应缴未缴的罚款"):
        money.pay_fine(world.auditor, track, amount=D("1.00"), on=TODAY(), reference="缴款书-2")


def test_a_late_fine_bears_three_percent_a_day_and_never_more_than_itself(world):
    _case, track = fined(world, days=25)
    where = fine_position(track)
    assert (where.days, where.surcharge) == (10, D("3000.00")) and not where.settled
    assert fine_position(track, TODAY() + timedelta(days=365)).surcharge == D("10000.00")
    money.pay_fine(world.auditor, track, amount=D("10000.00"), on=TODAY(), reference="缴款书-1")
    assert fine_position(track, TODAY() + timedelta(days=9)).surcharge == D("3000.00")
    money.pay_fine(world.auditor, track, amount=D("3000.00"), on=TODAY(), reference="缴款书-2", kind="surcharge")
    assert fine_position(track).settled


def test_the_surcharge_stands_still_during_a_review_or_suit(world):
    _case, track = fined(world, days=25)
    remedy = money.record_remedy(
        world.auditor, track, kind="review", reference="复议〔2026〕1号", started_on=TODAY() - timedelta(days=5),
        note="机构申请行政复议，已受理",
    )  # fmt: skip
    assert fine_position(track).surcharge == D("1200.00")  # four late days before, six days of review not counted
    money.end_remedy(world.auditor, remedy, state="upheld", ended_on=TODAY() - timedelta(days=3), note="复议维持原决定")
    where = fine_position(track)
    assert (where.days, where.paused_days, where.surcharge) == (7, 3, D("2100.00"))


def test_a_fine_payment_above_what_is_due_is_refused(world):
    _case, track = fined(world)
    with pytest.raises(Refused, match=r"不超过尚欠的罚款 10,000\.00 元"):
        money.pay_fine(world.auditor, track, amount=D("10000.01"), on=TODAY(), reference="缴款书-1")


def test_the_database_keeps_decided_amounts_unchanged(world):
    recovery(world)
    with pytest.raises(IntegrityError), transaction.atomic():
        DecidedAmount.objects.create(
            track=DecidedAmount.objects.get().track, kind="recovery", year=YEAR, fund_type="RES", amount=D("0.00"),
            spending=Account.BENEFITS_PACKAGED, at=timezone.now(),
        )  # fmt: skip


def test_verification_finds_money_that_does_not_fit_the_findings_or_the_settlements(world):
    case = ground.case_of(world, [Row("100.00")])
    ground.served(world, case)
    Adjustment.objects.update(state="withdrawn")
    line = case.findings.get().lines.get()
    line.amount = D("99.00")
    line.save()
    texts = [finding.text for finding in verify_money()]
    assert any("与认定的结算记录 99.00 不符" in text for text in texts)
    assert any("年拒付 100.00 与清算调整 None 不符" in text for text in texts)
