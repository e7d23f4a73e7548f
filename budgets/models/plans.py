"""The alliance's own plan for distributing the packaged fund, filed with county bureau and agency branch (R-020)."""

from __future__ import annotations

from django.db import models
from django.urls import reverse

from core.scope import ScopedQuerySet


class PlanSide(models.TextChoices):
    BUREAU = "bureau", "县医保局"
    BRANCH = "branch", "经办机构县级管理部"


class DistributionPlanQuerySet(ScopedQuerySet["DistributionPlan"]):
    scope_paths = {
        "pooling_area": "alliance__county__pooling_area",
        "county": "alliance__county",
        "alliance": "alliance",
        "institution": "alliance__memberships__institution",
    }


class DistributionPlan(models.Model):
    """打包基金分配管理办法: uploaded by the lead hospital, versions kept, acknowledged by both bodies."""

    alliance = models.ForeignKey(
        "core.Alliance", models.PROTECT, related_name="distribution_plans", verbose_name="医共体"
    )
    year = models.PositiveSmallIntegerField("年度")
    number = models.PositiveSmallIntegerField("版本")
    title = models.CharField("名称", max_length=200)
    summary = models.TextField("要点", blank=True)
    effective_on = models.DateField("施行日期")
    file = models.ForeignKey("core.StoredFile", models.PROTECT, related_name="+", verbose_name="文件")
    uploaded_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="上传人")
    uploaded_at = models.DateTimeField("上传时间", auto_now_add=True)

    objects = DistributionPlanQuerySet.as_manager()

    class Meta:
        verbose_name = "分配办法"
        verbose_name_plural = "分配办法"
        ordering = ["-year", "alliance", "-number"]
        constraints = [models.UniqueConstraint(fields=["alliance", "year", "number"], name="plan_number")]

    def __str__(self) -> str:
        return f"{self.alliance} {self.year} 年分配办法第 {self.number} 版"

    def get_absolute_url(self) -> str:
        return reverse("budgets:plans")


class PlanAcknowledgement(models.Model):
    """One body's receipt of a filed plan."""

    plan = models.ForeignKey(DistributionPlan, models.PROTECT, related_name="acknowledgements", verbose_name="分配办法")
    side = models.CharField("抄报单位", max_length=8, choices=PlanSide.choices)
    by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="签收人")
    at = models.DateTimeField("签收时间", auto_now_add=True)
    remark = models.CharField("意见", max_length=300, blank=True)

    class Meta:
        verbose_name = "分配办法签收"
        verbose_name_plural = "分配办法签收"
        ordering = ["plan", "side"]
        constraints = [models.UniqueConstraint(fields=["plan", "side"], name="plan_acknowledged_once")]

    def __str__(self) -> str:
        return f"{self.get_side_display()}签收"
