"""月度预付: a batch per pooling area and month with one line per alliance and fund type (seed 001 §二(二)4).

``planned`` is what the rules propose; changes hold or release parts of it; ``amount`` is what counts as prepaid (P);
``payable`` is what leaves the bank after an approved offset of last year's recovery (A19).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from core.fields import MoneyField
from core.models import FundType
from core.scope import ScopedQuerySet, scope_of


class BatchState(models.TextChoices):
    PROPOSED = "proposed", "待报审"
    SUBMITTED = "submitted", "待审定"
    APPROVED = "approved", "待拨付"
    PAID = "paid", "已拨付"
    RETURNED = "returned", "已退回"


EDITABLE = (BatchState.PROPOSED, BatchState.RETURNED)
DECIDED = (BatchState.APPROVED, BatchState.PAID)


class PrepaymentBatchQuerySet(ScopedQuerySet["PrepaymentBatch"]):
    scope_paths = {"pooling_area": "pooling_area"}

    def visible_to(self, user: Any) -> PrepaymentBatchQuerySet:
        """The whole batch for people of the pooling area; others reach it through the lines they may see."""
        lines = Prepayment.objects.visible_to(user).values("batch_id")
        return self.filter(Q(pooling_area__in=scope_of(user).pooling_area) | Q(pk__in=lines))


class PrepaymentBatch(models.Model):
    """One approval round of a month; ``sequence`` above 1 is a supplementary batch."""

    pooling_area = models.ForeignKey("core.PoolingArea", models.PROTECT, related_name="+", verbose_name="统筹区")
    month = models.CharField("月份", max_length=7)
    sequence = models.PositiveSmallIntegerField("批次", default=1)
    state = models.CharField("状态", max_length=10, choices=BatchState.choices, default=BatchState.PROPOSED)
    approvals = models.PositiveSmallIntegerField("审定次数", default=0)
    proposed_at = models.DateTimeField("生成时间", auto_now_add=True)
    prepared_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="经办人")
    submitted_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="报审人")
    submitted_at = models.DateTimeField("报审时间", null=True)
    decided_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="审定人")
    decided_at = models.DateTimeField("审定时间", null=True)
    decision_note = models.TextField("审定或退回意见", blank=True)
    paid_at = models.DateTimeField("付清时间", null=True)

    objects = PrepaymentBatchQuerySet.as_manager()

    class Meta:
        verbose_name = "预付批次"
        verbose_name_plural = "预付批次"
        ordering = ["-month", "pooling_area", "-sequence"]
        constraints = [
            models.UniqueConstraint(fields=["pooling_area", "month", "sequence"], name="one_batch_per_month"),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True)
                | (~Q(decided_by=F("submitted_by")) & (Q(prepared_by__isnull=True) | ~Q(decided_by=F("prepared_by")))),
                name="batch_four_eyes",
            ),
        ]

    def __str__(self) -> str:
        extra = f"（补充第 {self.sequence - 1} 批）" if self.sequence > 1 else ""
        return f"{self.pooling_area} {self.month} 预付批次{extra}"

    def get_absolute_url(self) -> str:
        return reverse("budgets:batch", args=[self.pk])

    @property
    def is_editable(self) -> bool:
        return self.state in EDITABLE

    @property
    def supplement(self) -> int:
        """The number of a supplementary batch; 0 for the month's first."""
        return self.sequence - 1

    @property
    def year(self) -> int:
        return int(self.month[:4])


class PrepaymentQuerySet(ScopedQuerySet["Prepayment"]):
    scope_paths = {
        "pooling_area": "alliance__county__pooling_area",
        "county": "alliance__county",
        "alliance": "alliance",
    }

    def visible_to(self, user: Any) -> PrepaymentQuerySet:
        """Hospitals see approved lines of their own alliance only."""
        scope = scope_of(user)
        bureau = Q(alliance__county__pooling_area__in=scope.pooling_area) | Q(alliance__county__in=scope.county)
        return super().visible_to(user).filter(bureau | Q(batch__state__in=DECIDED))

    def decided(self) -> PrepaymentQuerySet:
        return self.filter(batch__state__in=DECIDED)


class Prepayment(models.Model):
    """One month's advance to one alliance from one fund."""

    batch = models.ForeignKey(PrepaymentBatch, models.PROTECT, related_name="lines", verbose_name="批次")
    alliance = models.ForeignKey("core.Alliance", models.PROTECT, related_name="prepayments", verbose_name="医共体")
    fund_type = models.CharField("险种", max_length=3, choices=FundType.choices)
    year = models.PositiveSmallIntegerField("年度")
    month = models.CharField("月份", max_length=7)
    package_version = models.ForeignKey(
        "budgets.PackageVersion", models.PROTECT, related_name="prepayments", verbose_name="打包预算版本"
    )
    provisional = models.BooleanField("暂付")
    package_total = MoneyField("打包总额")
    cap = MoneyField("年度预付上限")
    before = MoneyField("此前累计预付")
    planned = MoneyField("本月建议")
    true_up = MoneyField("其中以前月份补差", default=0)
    held = MoneyField("暂缓（负数为补付）", default=0)
    withheld = MoneyField("按月暂扣（考核预留）", default=0)
    offset = MoneyField("冲抵上年应追回", default=0)
    amount = MoneyField("本月预付")
    payable = MoneyField("应拨付")
    projected_cash = MoneyField("预计年终现金", null=True)
    projection = models.JSONField("年终现金测算", default=list)
    warnings = models.JSONField("提示", default=list)
    trace = models.JSONField("计算过程", default=list)
    fingerprint = models.CharField("输入指纹", max_length=64)

    objects = PrepaymentQuerySet.as_manager()

    class Meta:
        verbose_name = "预付明细"
        verbose_name_plural = "预付明细"
        ordering = ["-month", "alliance", "-fund_type"]
        constraints = [
            models.UniqueConstraint(fields=["alliance", "fund_type", "month"], name="one_prepayment_per_month"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="prepayment_not_negative"),
            models.CheckConstraint(condition=Q(payable__gte=0), name="payable_not_negative"),
            models.CheckConstraint(
                condition=Q(amount=F("planned") - F("held") - F("withheld")), name="prepayment_adds_up"
            ),
            models.CheckConstraint(condition=Q(payable=F("amount") - F("offset")), name="payable_adds_up"),
        ]

    def __str__(self) -> str:
        return f"{self.alliance} {self.month} {self.get_fund_type_display()}预付"

    def get_absolute_url(self) -> str:
        return reverse("budgets:batch", args=[self.batch_id])

    @property
    def after(self) -> Decimal:
        """Yuan prepaid this year including this line."""
        after: Decimal = self.before + self.amount
        return after

    @property
    def cap_left(self) -> Decimal:
        """上限余额: yuan that may still be prepaid this year after this line."""
        left: Decimal = self.cap - self.after
        return max(left, Decimal("0.00"))


class LineChangeKind(models.TextChoices):
    HOLD = "hold", "暂缓"
    REDUCE = "reduce", "减付"
    RELEASE = "release", "补付"


class LineChange(models.Model):
    """A hold, reduction or later release with its reason; rows are added, never changed."""

    line = models.ForeignKey(Prepayment, models.PROTECT, related_name="changes", verbose_name="预付明细")
    kind = models.CharField("种类", max_length=8, choices=LineChangeKind.choices)
    amount = MoneyField("金额")
    reason = models.CharField("原因", max_length=300)
    by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="办理人")
    at = models.DateTimeField("时间", auto_now_add=True)

    class Meta:
        verbose_name = "预付变动"
        verbose_name_plural = "预付变动"
        ordering = ["line", "pk"]
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="line_change_positive")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount}"


class PaymentFile(models.Model):
    """A payment file handed to the bank: which lines, how much, by whom; kept as it was sent."""

    batch = models.ForeignKey(PrepaymentBatch, models.PROTECT, related_name="payment_files", verbose_name="批次")
    number = models.PositiveSmallIntegerField("次序")
    total = MoneyField("合计")
    lines = models.JSONField("明细", default=list)
    file = models.ForeignKey("core.StoredFile", models.PROTECT, related_name="+", verbose_name="文件")
    made_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="生成人")
    made_at = models.DateTimeField("生成时间", auto_now_add=True)

    class Meta:
        verbose_name = "拨付文件"
        verbose_name_plural = "拨付文件"
        ordering = ["batch", "-number"]
        constraints = [models.UniqueConstraint(fields=["batch", "number"], name="payment_file_number")]

    def __str__(self) -> str:
        return f"{self.batch}拨付文件 {self.number}"


class ReceiptOutcome(models.TextChoices):
    PAID = "paid", "足额到账"
    PARTIAL = "partial", "部分到账"
    FAILED = "failed", "退票未到账"


class Receipt(models.Model):
    """A bank receipt for a line. Only money that left the account is posted to the fund's books; voided, never deleted."""

    line = models.ForeignKey(Prepayment, models.PROTECT, related_name="receipts", verbose_name="预付明细")
    outcome = models.CharField("结果", max_length=8, choices=ReceiptOutcome.choices)
    on = models.DateField("银行日期")
    reference = models.CharField("银行回单号", max_length=60)
    amount = MoneyField("到账金额")
    reason = models.CharField("部分或退票原因", max_length=300, blank=True)
    recorded_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="登记人")
    recorded_at = models.DateTimeField("登记时间", auto_now_add=True)
    voided_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="作废人")
    voided_at = models.DateTimeField("作废时间", null=True)
    void_reason = models.CharField("作废原因", max_length=300, blank=True)

    class Meta:
        verbose_name = "银行回单"
        verbose_name_plural = "银行回单"
        ordering = ["line", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["line", "reference"], condition=Q(voided_at__isnull=True), name="one_receipt_per_reference"
            ),
            models.CheckConstraint(
                condition=(Q(outcome="failed") & Q(amount=0)) | (~Q(outcome="failed") & Q(amount__gt=0)),
                name="receipt_amount_fits_outcome",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.amount}"

    def get_absolute_url(self) -> str:
        return self.line.get_absolute_url()


class PrepaymentRatio(models.Model):
    """R-033: next year's monthly ratio of an alliance after its assessment, below or at the scheme's; approved."""

    alliance = models.ForeignKey("core.Alliance", models.PROTECT, related_name="+", verbose_name="医共体")
    year = models.PositiveSmallIntegerField("年度")
    monthly_ratio = models.DecimalField("每月预付比例", max_digits=7, decimal_places=6)
    reason = models.CharField("依据", max_length=300)
    entered_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="录入人")
    entered_at = models.DateTimeField("录入时间", auto_now_add=True)
    approved_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="审定人")
    approved_at = models.DateTimeField("审定时间", null=True)

    class Meta:
        verbose_name = "预付比例调整"
        verbose_name_plural = "预付比例调整"
        ordering = ["-year", "alliance", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(monthly_ratio__gte=Decimal("0")) & Q(monthly_ratio__lte=Decimal("1")),
                name="prepayment_ratio_range",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("entered_by")),
                name="prepayment_ratio_four_eyes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.alliance} {self.year} 年预付比例"


class RecoveryOffset(models.Model):
    """A19: an approved part of last year's recovery to set off against a month's prepayment; pushed by the settlement."""

    alliance = models.ForeignKey("core.Alliance", models.PROTECT, related_name="+", verbose_name="医共体")
    fund_type = models.CharField("险种", max_length=3, choices=FundType.choices)
    month = models.CharField("月份", max_length=7)
    from_year = models.PositiveSmallIntegerField("应追回年度")
    amount = MoneyField("冲抵额")
    source = models.CharField("来源单据", max_length=100, unique=True)
    pushed_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="推送人")
    pushed_at = models.DateTimeField("推送时间", auto_now_add=True)
    line = models.ForeignKey(Prepayment, models.PROTECT, null=True, related_name="offsets", verbose_name="冲抵的预付")
    settled_at = models.DateTimeField("入账时间", null=True)

    class Meta:
        verbose_name = "追回冲抵"
        verbose_name_plural = "追回冲抵"
        ordering = ["month", "pk"]
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="offset_positive")]

    def __str__(self) -> str:
        return f"{self.month} 冲抵 {self.amount}"
