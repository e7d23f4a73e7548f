"""Monthly prepayments of the demonstration: account, proposal, holds, approval, payment file, bank receipts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from budgets import services
from budgets.reading import held
from budgets.reading.held import PrepaymentBatch
from core.models import PoolingArea
from portal.demo.clock import acting_on
from portal.demo.people import FINANCE, OFFICER, REVIEWER, user
from portal.demo.places import AREA_CODE, START, alliance_of
from portal.demo.story import ALLIANCES, EMP, HP, RES, YW
from rules.periods import Month


@dataclass(frozen=True)
class Change:
    """What an officer does to a proposed line; ``amount`` None holds all of it."""

    month: Month
    alliance: str
    fund: str
    kind: str
    amount: Decimal | None
    reason: str


CHANGES = (
    Change(
        Month(2025, 9), HP, EMP, "reduce", Decimal("2000000.00"),
        "8 月住院人次异常增长，正在核查，暂减付 200 万元。",
    ),
    Change(
        Month(2025, 11), HP, EMP, "release", Decimal("2000000.00"), "核查结束，未发现违规，补付 9 月减付款。"
    ),
    Change(
        Month(2026, 10), YW, RES, "hold", None,
        "县域外支出高于计划，预计年终现金低于零，10 月预付暂缓，待与医共体约谈后确定。",
    ),
)  # fmt: skip
WEST_RATIO = (2025, Decimal("0.045"))
"""After the recovery of 2024 the western alliance is prepaid less (R-033)."""


def enter_account(code: str) -> None:
    """The lead hospital's account, entered by finance, approved by a reviewer."""
    alliance = alliance_of(code)
    account = held.account(alliance)
    if account is None:
        lead = alliance.lead_hospital(START)
        assert lead is not None
        number = f"36099{ALLIANCES.index(code) + 1:02d}00{lead.code[-8:]}"
        account = services.enter_account(
            user(FINANCE), alliance, account_name=lead.name, bank="演示银行澜川分行营业部", account_number=number,
            valid_from=START,
        )  # fmt: skip
    if account.approved_at is None:
        services.approve_account(user(REVIEWER), account)


def set_ratio() -> None:
    alliance, (year, ratio) = alliance_of(YW), WEST_RATIO
    entered = held.ratio(alliance, year)
    if entered is None:
        reason = "2024 年预计多付，2025 年每月预付比例降为 4.5%（演示）"
        entered = services.enter_ratio(user(OFFICER), alliance, year, ratio, reason)
    if entered.approved_at is None:
        services.approve_ratio(user(REVIEWER), entered)


def propose(month: Month) -> None:
    """What the month-end job does: a proposal for every alliance and fund."""
    services.propose_month(user(OFFICER), _area(), month)


def carry_through(month: Month) -> None:
    """A month's batch from proposal to the bank's receipts."""
    batch = held.batch(_area(), month)
    if batch is None or batch.lines.count() < len(ALLIANCES) * 2:
        with acting_on(date(month.year, month.month, 12), 8):
            propose(month)
        batch = held.batch(_area(), month)
    assert batch is not None
    if batch.state == "proposed":
        with acting_on(date(month.year, month.month, 12), 10):
            for change in CHANGES:
                if change.month == month:
                    _change(batch, change)
            batch = services.submit_batch(user(OFFICER), batch)
    if batch.state == "submitted":
        with acting_on(date(month.year, month.month, 13), 10):
            batch = services.approve_batch(user(REVIEWER), batch)
    if batch.state == "approved":
        _pay(batch, month)


def pay_other() -> None:
    """One other payment of the year (M): deposits released to 鹤坪."""
    alliance, year = alliance_of(HP), 2024
    payment = held.other_payment(alliance, year, RES)
    amount = Decimal("2150000.00")
    if payment is None:
        payment = services.register_payment(
            user(OFFICER), alliance, year, RES, kind="monthly_settlement", amount=amount,
            purpose="2024 年 1—6 月中医适宜技术按病种月度结算（演示）",
        )  # fmt: skip
    if payment.state == "submitted":
        payment = services.approve_payment(user(REVIEWER), payment)
    if payment.state == "approved":
        with acting_on(date(2024, 8, 22)):
            services.receive_payment(
                user(FINANCE), payment, on=date(2024, 8, 22), reference="YB20240822-0091", amount=amount
            )


def _change(batch: PrepaymentBatch, change: Change) -> None:
    line = held.lines(batch).get(alliance__code=change.alliance, fund_type=change.fund)
    if not line.changes.filter(kind=change.kind).exists():
        services.change_line(user(OFFICER), line, change.kind, change.amount, change.reason)


def _pay(batch: PrepaymentBatch, month: Month) -> None:
    finance, paid_on = user(FINANCE), date(month.year, month.month, 17)
    if not batch.payment_files.exists():
        with acting_on(date(month.year, month.month, 15), 10):
            services.make_payment_file(finance, batch)
    lines = list(held.lines(batch))
    due = services.open_amounts(lines)
    numbered = {
        line.pk: f"YB{paid_on:%Y%m%d}-{number:04d}" for number, line in enumerate(lines, start=1) if due[line.pk]
    }
    with acting_on(paid_on, 10):
        services.record_receipts(finance, batch, on=paid_on, references=numbered)


def _area() -> PoolingArea:
    return PoolingArea.objects.get(code=AREA_CODE)
