"""Other payments made for a package's year (M of the year-end formula): monthly settlements, released deposits."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from core.fields import MoneyField
from core.models import FundType
from core.scope import ScopedQuerySet


class OtherPaymentKind(models.TextChoices):
    MONTHLY_SETTLEMENT = "monthly_settlement", "按支付方式月度结算"
    DEPOSIT_RELEASE = "deposit_release", "考核预留金返还"
    OTHER = "other", "其他"


class OtherPaymentState(models.TextChoices):
    SUBMITTED = "submitted", "待审定"
    APPROVED = "approved", "待拨付"
    PAID = "paid", "已拨付"
    RETURNED = "returned", "已退回"


class OtherPaymentQuerySet(ScopedQuerySet["OtherPayment"]):
    scope_paths = {
        "pooling_area": "alliance__county__pooling_area",
        "county": "alliance__county",
        "alliance": "alliance",
    }


class OtherPayment(models.Model):
    """本年其他已付: registered by an officer, approved by a reviewer, paid with its bank receipt by fund finance."""

    alliance = models.ForeignKey("core.Alliance", models.PROTECT, related_name="other_payments", verbose_name="医共体")
    year = models.PositiveSmallIntegerField("年度")
    fund_type = models.CharField("险种", max_length=3, choices=FundType.choices)
    kind = models.CharField("种类", max_length=20, choices=OtherPaymentKind.choices)
    amount = MoneyField("金额")
    purpose = models.CharField("用途", max_length=200)
    evidence = models.ForeignKey(
        "core.StoredFile", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="依据附件"
    )
    state = models.CharField("状态", max_length=10, choices=OtherPaymentState.choices, default="submitted")
    registered_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="登记人")
    registered_at = models.DateTimeField("登记时间", auto_now_add=True)
    decided_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="审定人")
    decided_at = models.DateTimeField("审定时间", null=True)
    decision_note = models.TextField("审定或退回意见", blank=True)
    paid_on = models.DateField("到账日期", null=True)
    bank_reference = models.CharField("银行回单号", max_length=60, blank=True)
    paid_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="拨付登记人")

    objects = OtherPaymentQuerySet.as_manager()

    class Meta:
        verbose_name = "本年其他已付"
        verbose_name_plural = "本年其他已付"
        ordering = ["-year", "alliance", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="other_payment_positive"),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("registered_by")),
                name="other_payment_four_eyes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.alliance} {self.year} 年{self.get_fund_type_display()}{self.get_kind_display()}"

    def get_absolute_url(self) -> str:
        return reverse("budgets:payments")
