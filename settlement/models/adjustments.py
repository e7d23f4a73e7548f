"""Amounts that enter a settlement from outside the facts: refused claims, recoveries of other years, agreed deductions.

Claims refused for this year leave S_in as if never billed; recoveries of *other* years are D. Fines go to the treasury
and are refused here always (domain §2.4). A deduction agreed with the finance bureau needs a second person (R-041).
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from core.fields import MoneyField
from core.models import FundType
from core.scope import ScopedQuerySet


class AdjustmentKind(models.TextChoices):
    REFUSED_CLAIMS = "refused_claims", "本年审核拒付（退出 S_in）"
    OTHER_YEAR_RECOVERY = "other_year_recovery", "以前年度追回（D）"
    AGREED_DEDUCTION = "agreed_deduction", "商财政部门确定的扣减（D）"
    LATE_DIFFERENCE = "late_difference", "更正期外的以前年度差额（D）"


DEDUCTION_KINDS = (
    AdjustmentKind.OTHER_YEAR_RECOVERY,
    AdjustmentKind.AGREED_DEDUCTION,
    AdjustmentKind.LATE_DIFFERENCE,
)


class AdjustmentState(models.TextChoices):
    PROPOSED = "proposed", "待审定"
    IN_FORCE = "in_force", "计入清算"
    RETURNED = "returned", "已退回"
    WITHDRAWN = "withdrawn", "已撤销"


class AdjustmentQuerySet(ScopedQuerySet["Adjustment"]):
    scope_paths = {"pooling_area": "alliance__county__pooling_area", "county": "alliance__county", "alliance": "alliance"}

    def in_force(self) -> AdjustmentQuerySet:
        return self.filter(state=AdjustmentState.IN_FORCE)


class Adjustment(models.Model):
    """One amount with its source. Positive lowers the cash; only a late difference may be negative (owed to them)."""

    alliance = models.ForeignKey("core.Alliance", models.PROTECT, related_name="+", verbose_name="医共体")
    year = models.PositiveSmallIntegerField("计入的清算年度")
    fund_type = models.CharField("险种", max_length=3, choices=FundType.choices)
    kind = models.CharField("类别", max_length=20, choices=AdjustmentKind.choices)
    amount = MoneyField("金额")
    origin_year = models.PositiveSmallIntegerField("所属年度")
    source = models.CharField("来源", max_length=120)
    reason = models.TextField("事由")
    document = models.ForeignKey("core.StoredFile", models.PROTECT, null=True, related_name="+", verbose_name="依据文件")
    state = models.CharField("状态", max_length=10, choices=AdjustmentState.choices, default=AdjustmentState.PROPOSED)
    needs_approval = models.BooleanField("须另一人审定")
    entered_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="录入人")
    entered_at = models.DateTimeField("录入时间", auto_now_add=True)
    decided_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="审定人")
    decided_at = models.DateTimeField("审定时间", null=True)
    decision = models.TextField("审定意见", blank=True)

    objects = AdjustmentQuerySet.as_manager()

    class Meta:
        verbose_name = "清算调整"
        verbose_name_plural = "清算调整"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["alliance", "year", "fund_type", "kind", "source"],
                condition=Q(state__in=["proposed", "in_force"]),
                name="one_adjustment_per_source",
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0) | (Q(kind="late_difference") & ~Q(amount=0)), name="adjustment_amount_sign"
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | Q(state="withdrawn") | ~Q(decided_by=F("entered_by")),
                name="adjustment_four_eyes",
            ),
            models.CheckConstraint(
                condition=Q(needs_approval=False) | ~Q(state="in_force") | Q(decided_by__isnull=False),
                name="adjustment_approved_before_force",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.source} {self.amount} 元"

    @property
    def pk_text(self) -> str:
        """The key as text, to name its dialogs."""
        return str(self.pk)
