"""The approved growth of a pooling area's revenue budget: the cap of every package of that fund and year (A20)."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from core.fields import MoneyField
from core.models import FundType
from core.scope import ScopedQuerySet


class GrowthState(models.TextChoices):
    SUBMITTED = "submitted", "待审定"
    APPROVED = "approved", "已审定"
    RETURNED = "returned", "已退回"
    SUPERSEDED = "superseded", "已被替换"


class RevenueGrowthQuerySet(ScopedQuerySet["RevenueGrowth"]):
    scope_paths = {
        "pooling_area": "pooling_area",
        "county": "pooling_area__counties",
        "alliance": "pooling_area__counties__alliances",
        "institution": "pooling_area__counties__institutions",
    }

    def visible_to(self, user: object) -> RevenueGrowthQuerySet:
        return super().visible_to(user).distinct()


class RevenueGrowth(models.Model):
    """收入预算增幅: one entered figure; at most one of a pooling area, fund and year is approved at a time."""

    pooling_area = models.ForeignKey("core.PoolingArea", models.PROTECT, related_name="+", verbose_name="统筹区")
    fund_type = models.CharField("险种", max_length=3, choices=FundType.choices)
    year = models.PositiveSmallIntegerField("年度")
    growth = models.DecimalField("收入预算增幅", max_digits=9, decimal_places=6)
    previous_income = MoneyField("上年收入预算（同口径）", null=True, blank=True)
    budgeted_income = MoneyField("本年收入预算（同口径）", null=True, blank=True)
    like_for_like = models.TextField("同口径说明")
    document_title = models.CharField("依据文件", max_length=200)
    evidence = models.ForeignKey("core.StoredFile", models.PROTECT, related_name="+", verbose_name="依据附件")
    state = models.CharField("状态", max_length=10, choices=GrowthState.choices, default=GrowthState.SUBMITTED)
    entered_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="录入人")
    entered_at = models.DateTimeField("录入时间", auto_now_add=True)
    decided_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="审定人")
    decided_at = models.DateTimeField("审定时间", null=True)
    return_reason = models.TextField("退回原因", blank=True)

    objects = RevenueGrowthQuerySet.as_manager()

    class Meta:
        verbose_name = "收入预算增幅"
        verbose_name_plural = "收入预算增幅"
        ordering = ["-year", "fund_type", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["pooling_area", "fund_type", "year"],
                condition=Q(state="approved"),
                name="one_growth_in_force",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("entered_by")), name="growth_four_eyes"
            ),
            models.CheckConstraint(condition=Q(growth__gt=Decimal("-1")), name="growth_above_minus_one"),
        ]

    def __str__(self) -> str:
        return f"{self.pooling_area} {self.year} 年{self.get_fund_type_display()}收入预算增幅"

    def get_absolute_url(self) -> str:
        return reverse("budgets:growth")
