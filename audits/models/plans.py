"""Audit plans (R-110): routine, special or tip; on site or by documents; whom they check, with the enterprise filing."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from core.scope import ScopedQuerySet


class PlanKind(models.TextChoices):
    ROUTINE = "routine", "日常稽核"
    SPECIAL = "special", "专项稽核"
    TIP = "tip", "举报稽核"


class Way(models.TextChoices):
    ON_SITE = "on_site", "实地稽核"
    DOCUMENT = "document", "书面稽核"


class PlanState(models.TextChoices):
    DRAFT = "draft", "编制中"
    SUBMITTED = "submitted", "待审批"
    APPROVED = "approved", "实施中"
    DONE = "done", "已完成"
    CANCELLED = "cancelled", "已取消"


class TargetState(models.TextChoices):
    WAITING = "waiting", "未检查"
    CHECKED = "checked", "未发现问题"
    LEAD = "lead", "转为线索"
    SKIPPED = "skipped", "未检查（说明）"


class AuditPlanQuerySet(ScopedQuerySet["AuditPlan"]):
    scope_paths = {"pooling_area": "pooling_area", "county": "county"}

    def visible_to(self, user: Any) -> AuditPlanQuerySet:
        from audits.access import reads_audits

        return super().visible_to(user) if reads_audits(user) else self.none()


class AuditPlan(models.Model):
    """``county`` None: the city's own plan over all its counties. Approved by another than who prepared it."""

    number = models.CharField("编号", max_length=40, unique=True)
    pooling_area = models.ForeignKey("core.PoolingArea", models.PROTECT, related_name="+", verbose_name="统筹区")
    county = models.ForeignKey("core.County", models.PROTECT, null=True, related_name="+", verbose_name="县（区）")
    year = models.PositiveSmallIntegerField("年度")
    kind = models.CharField("类型", max_length=8, choices=PlanKind.choices)
    way = models.CharField("方式", max_length=8, choices=Way.choices)
    title = models.CharField("名称", max_length=120)
    basis = models.CharField("依据", max_length=300)
    focus = models.TextField("检查重点")
    starts_on = models.DateField("开始")
    ends_on = models.DateField("结束")
    state = models.CharField("状态", max_length=9, choices=PlanState.choices, default=PlanState.DRAFT)
    prepared_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="编制人")
    prepared_at = models.DateTimeField("编制时间")
    approved_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="审批人")
    approved_at = models.DateTimeField("审批时间", null=True)
    remark = models.CharField("审批意见", max_length=300, blank=True)

    objects = AuditPlanQuerySet.as_manager()

    class Meta:
        verbose_name = "稽核计划"
        verbose_name_plural = "稽核计划"
        ordering = ["-year", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("prepared_by")), name="audit_plan_four_eyes"
            ),
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="audit_plan_dates"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("audits:plan", args=[self.pk])


class PlanTarget(models.Model):
    """One provider to check, the risks looked for (keys of the risk lists, R-112) and what came of it.

    ``filing_number`` is the enterprise check's filing (涉企检查备案), due for privately owned providers before an on-site
    check.
    """

    plan = models.ForeignKey(AuditPlan, models.PROTECT, related_name="targets", verbose_name="计划")
    institution = models.ForeignKey("core.Institution", models.PROTECT, related_name="+", verbose_name="机构")
    risks = models.JSONField("检查项目", default=list)
    filing_number = models.CharField("涉企检查备案号", max_length=60, blank=True)
    filed_on = models.DateField("备案日期", null=True)
    state = models.CharField("结果", max_length=8, choices=TargetState.choices, default=TargetState.WAITING)
    checked_on = models.DateField("检查日期", null=True)
    checked_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="检查人")
    note = models.CharField("说明", max_length=300, blank=True)
    lead = models.ForeignKey("audits.Lead", models.PROTECT, null=True, related_name="+", verbose_name="线索")

    class Meta:
        verbose_name = "检查对象"
        verbose_name_plural = "检查对象"
        ordering = ["plan", "institution__code"]
        constraints = [models.UniqueConstraint(fields=["plan", "institution"], name="plan_target_once")]

    def __str__(self) -> str:
        return f"{self.plan_id} {self.institution}"
