"""Money after the statement is final: the plan of a recovery, its instalments, and what was booked on receipts.

Negative cash is never set off silently (A19): a plan of instalments or of offsets against next year's prepayments is
proposed by one person and approved by another. Bookings are append-only.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from core.fields import MoneyField
from core.scope import ScopedQuerySet
from rules.periods import Month


class RecoveryMethod(models.TextChoices):
    ORDER = "order", "限期退回"
    OFFSET = "offset", "抵扣次年预付"


class PlanState(models.TextChoices):
    PROPOSED = "proposed", "待批准"
    APPROVED = "approved", "已批准"
    RETURNED = "returned", "已退回"
    SUPERSEDED = "superseded", "已被取代"


class RecoveryPlanQuerySet(ScopedQuerySet["RecoveryPlan"]):
    scope_paths = {
        "pooling_area": "version__settlement__alliance__county__pooling_area",
        "county": "version__settlement__alliance__county",
        "alliance": "version__settlement__alliance",
    }


class RecoveryPlan(models.Model):
    """How an alliance gives money back; the instalments add up to ``amount`` to the fen."""

    version = models.ForeignKey("settlement.SettlementVersion", models.PROTECT, related_name="plans")
    number = models.PositiveSmallIntegerField("次序")
    method = models.CharField("方式", max_length=8, choices=RecoveryMethod.choices)
    amount = MoneyField("应追回")
    note = models.TextField("说明", blank=True)
    state = models.CharField("状态", max_length=10, choices=PlanState.choices, default=PlanState.PROPOSED)
    proposed_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="提出人")
    proposed_at = models.DateTimeField("提出时间", auto_now_add=True)
    decided_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="批准人")
    decided_at = models.DateTimeField("批准时间", null=True)
    decision = models.TextField("批准意见", blank=True)

    objects = RecoveryPlanQuerySet.as_manager()

    class Meta:
        verbose_name = "追回方案"
        verbose_name_plural = "追回方案"
        ordering = ["version", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["version", "number"], name="recovery_plan_once"),
            models.UniqueConstraint(
                fields=["version"], condition=Q(state__in=["proposed", "approved"]), name="one_recovery_plan_in_force"
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("proposed_by")), name="recovery_plan_four_eyes"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="recovery_plan_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.get_method_display()} {self.amount} 元"


class RecoveryInstalment(models.Model):
    """One part: paid back by ``due_on``, or held back from the prepayment of that day's month."""

    plan = models.ForeignKey(RecoveryPlan, models.PROTECT, related_name="instalments")
    number = models.PositiveSmallIntegerField("期次")
    due_on = models.DateField("期限")
    amount = MoneyField("金额")

    class Meta:
        verbose_name = "追回分期"
        verbose_name_plural = "追回分期"
        ordering = ["plan", "number"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="recovery_instalment_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="recovery_instalment_positive"),
        ]

    def __str__(self) -> str:
        return f"第 {self.number} 期 {self.amount} 元"

    @property
    def month(self) -> Month:
        return Month.of(self.due_on)

    @property
    def offset_source(self) -> str:
        """The name under which it is pushed to the prepayments."""
        return f"settlement.instalment:{self.pk}"


class BookingKind(models.TextChoices):
    PAYMENT = "payment", "支付清算款"
    RECOVERY = "recovery", "收到退回款"
    OFFSET = "offset", "抵扣次年预付"
    CLEARING = "clearing", "零差额结清"


class Booking(models.Model):
    """Money that moved (or a clearing without money), with the vouchers it made. Amounts in yuan, never negative.

    ``recognised`` is what this booking added to the benefit spending of the year, ``deducted`` what it took off the
    spending of other years (both may be negative in a correction).
    """

    version = models.ForeignKey("settlement.SettlementVersion", models.PROTECT, related_name="bookings")
    kind = models.CharField("类别", max_length=8, choices=BookingKind.choices)
    amount = MoneyField("金额")
    on = models.DateField("日期")
    bank_reference = models.CharField("银行回单号", max_length=60, blank=True)
    receipt = models.ForeignKey("core.StoredFile", models.PROTECT, null=True, related_name="+", verbose_name="回单")
    instalment = models.OneToOneField(
        RecoveryInstalment, models.PROTECT, null=True, related_name="booking", verbose_name="分期"
    )
    recognised = MoneyField("确认的待遇支出")
    deducted = MoneyField("冲减其他年度支出")
    fund_entry = models.ForeignKey("ledger.Entry", models.PROTECT, null=True, related_name="+", verbose_name="基金账凭证")
    control_entry = models.ForeignKey(
        "ledger.Entry", models.PROTECT, null=True, related_name="+", verbose_name="备查账凭证"
    )
    booked_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="记账人")
    booked_at = models.DateTimeField("记账时间", auto_now_add=True)

    class Meta:
        verbose_name = "清算收付"
        verbose_name_plural = "清算收付"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["version"], condition=Q(kind__in=["payment", "clearing"]), name="a_version_is_paid_once"
            ),
            models.CheckConstraint(
                condition=(Q(kind="clearing") & Q(amount=0)) | (~Q(kind="clearing") & Q(amount__gt=0)),
                name="booking_amount_sign",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount} 元"
