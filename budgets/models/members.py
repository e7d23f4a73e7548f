"""Division of a package's in-alliance part among the members (R-021): primary units by budget execution, no quota."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from core.fields import MoneyField
from core.scope import ScopedQuerySet


class AllocationState(models.TextChoices):
    DRAFT = "draft", "起草中"
    SUBMITTED = "submitted", "待审定"
    APPROVED = "approved", "已审定"
    RETURNED = "returned", "已退回"
    WITHDRAWN = "withdrawn", "已撤回"


class AllocationVersionQuerySet(ScopedQuerySet["AllocationVersion"]):
    scope_paths = {
        "pooling_area": "package__alliance__county__pooling_area",
        "county": "package__alliance__county",
        "alliance": "package__alliance",
        "institution": "package__alliance__memberships__institution",
    }


class AllocationVersion(models.Model):
    """成员分配: one division of the in-alliance part of a package version; sums exactly to it."""

    package = models.ForeignKey("budgets.Package", models.PROTECT, related_name="allocations", verbose_name="打包预算")
    package_version = models.ForeignKey(
        "budgets.PackageVersion", models.PROTECT, related_name="allocations", verbose_name="打包预算版本"
    )
    number = models.PositiveSmallIntegerField("版本")
    state = models.CharField("状态", max_length=10, choices=AllocationState.choices, default=AllocationState.DRAFT)
    total = MoneyField("分配总额")
    method = models.CharField(
        "分配办法", max_length=10, choices=[("weights", "按上年支出权重"), ("typed", "逐户填写")], default="weights"
    )
    note = models.TextField("说明", blank=True)
    trace = models.JSONField("计算过程", default=list)
    prepared_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="起草人")
    prepared_at = models.DateTimeField("起草时间")
    submitted_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="报审人")
    submitted_at = models.DateTimeField("报审时间", null=True)
    decided_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="审定人")
    decided_at = models.DateTimeField("审定时间", null=True)
    decision_note = models.TextField("审定或退回意见", blank=True)

    objects = AllocationVersionQuerySet.as_manager()

    class Meta:
        verbose_name = "成员分配"
        verbose_name_plural = "成员分配"
        ordering = ["package", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["package", "number"], name="allocation_number"),
            models.UniqueConstraint(
                fields=["package"],
                condition=Q(state__in=["draft", "submitted", "returned"]),
                name="one_open_allocation",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True)
                | (~Q(decided_by=F("submitted_by")) & ~Q(decided_by=F("prepared_by"))),
                name="allocation_four_eyes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.package}成员分配第 {self.number} 版"

    def get_absolute_url(self) -> str:
        return reverse("budgets:package", args=[self.package_id]) + "#allocation"

    @property
    def alliance(self) -> Any:
        return self.package.alliance

    @property
    def alliance_id(self) -> int:
        return self.package.alliance_id


class MemberAllocation(models.Model):
    """A member's part. ``is_quota`` False: managed by budget execution, the amount is a reference (seed 000 §四(七))."""

    version = models.ForeignKey(AllocationVersion, models.CASCADE, related_name="lines", verbose_name="分配版本")
    institution = models.ForeignKey("core.Institution", models.PROTECT, related_name="+", verbose_name="成员单位")
    weight = MoneyField("权重（上年支出）", null=True)
    amount = MoneyField("分配额")
    is_quota = models.BooleanField("额度管理")

    class Meta:
        verbose_name = "成员分配明细"
        verbose_name_plural = "成员分配明细"
        ordering = ["version", "-is_quota", "institution__code"]
        constraints = [
            models.UniqueConstraint(fields=["version", "institution"], name="one_line_per_member"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="member_amount_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.institution} {self.amount}"
