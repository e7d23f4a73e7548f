"""Why a year overran and who answers for it: approved before anything is shared (seed 001 §二(三)1; R-043, A10)."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from core.fields import MoneyField
from core.models import FundType
from core.scope import ScopedQuerySet


class AnalysisState(models.TextChoices):
    SUBMITTED = "submitted", "待审定"
    APPROVED = "approved", "已审定"
    RETURNED = "returned", "已退回"


class CauseAnalysisQuerySet(ScopedQuerySet["CauseAnalysis"]):
    scope_paths = {"pooling_area": "alliance__county__pooling_area", "county": "alliance__county", "alliance": "alliance"}

    def approved(self) -> CauseAnalysisQuerySet:
        return self.filter(state=AnalysisState.APPROVED)


class CauseAnalysis(models.Model):
    """原因分析与责任认定. The newest approved one counts; ``overrun`` is what the overrun was when it was written."""

    alliance = models.ForeignKey("core.Alliance", models.PROTECT, related_name="+", verbose_name="医共体")
    year = models.PositiveSmallIntegerField("年度")
    fund_type = models.CharField("险种", max_length=3, choices=FundType.choices)
    number = models.PositiveSmallIntegerField("次序")
    causes = models.TextField("原因分析")
    responsibility = models.TextField("责任认定")
    overrun = MoneyField("分析时的超支额")
    reasonable_part = MoneyField("合理部分")
    state = models.CharField("状态", max_length=10, choices=AnalysisState.choices, default=AnalysisState.SUBMITTED)
    prepared_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="提交人")
    prepared_at = models.DateTimeField("提交时间", auto_now_add=True)
    decided_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="审定人")
    decided_at = models.DateTimeField("审定时间", null=True)
    decision = models.TextField("审定意见", blank=True)
    files = models.ManyToManyField("core.StoredFile", related_name="+", verbose_name="附件")

    objects = CauseAnalysisQuerySet.as_manager()

    class Meta:
        verbose_name = "超支原因分析"
        verbose_name_plural = "超支原因分析"
        ordering = ["alliance", "year", "fund_type", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["alliance", "year", "fund_type", "number"], name="one_analysis_per_number"
            ),
            models.UniqueConstraint(
                fields=["alliance", "year", "fund_type"],
                condition=Q(state="submitted"),
                name="one_analysis_waiting",
            ),
            models.CheckConstraint(
                condition=Q(reasonable_part__gte=0) & Q(reasonable_part__lte=F("overrun")),
                name="reasonable_part_within_overrun",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("prepared_by")), name="analysis_four_eyes"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.alliance} {self.year} 年度超支原因分析第 {self.number} 份"
