"""The yearly assessment score of an alliance, with the document it stands in (seed 001 §二(三)2; R-053)."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q

from core.scope import ScopedQuerySet


class ScoreState(models.TextChoices):
    ENTERED = "entered", "待核实"
    CONFIRMED = "confirmed", "已核实"
    WITHDRAWN = "withdrawn", "已撤销"


class AssessmentScoreQuerySet(ScopedQuerySet["AssessmentScore"]):
    scope_paths = {"pooling_area": "alliance__county__pooling_area", "county": "alliance__county", "alliance": "alliance"}

    def confirmed(self) -> AssessmentScoreQuerySet:
        return self.filter(state=ScoreState.CONFIRMED)


class AssessmentScore(models.Model):
    """A score of 0–100 for an alliance and year; entered by one person, confirmed by another."""

    alliance = models.ForeignKey("core.Alliance", models.PROTECT, related_name="+", verbose_name="医共体")
    year = models.PositiveSmallIntegerField("年度")
    score = models.DecimalField("得分", max_digits=5, decimal_places=2)
    source = models.CharField("依据文件", max_length=200)
    document = models.ForeignKey("core.StoredFile", models.PROTECT, null=True, related_name="+", verbose_name="文件")
    state = models.CharField("状态", max_length=10, choices=ScoreState.choices, default=ScoreState.ENTERED)
    entered_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="录入人")
    entered_at = models.DateTimeField("录入时间", auto_now_add=True)
    confirmed_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="核实人")
    confirmed_at = models.DateTimeField("核实时间", null=True)

    objects = AssessmentScoreQuerySet.as_manager()

    class Meta:
        verbose_name = "年度考核得分"
        verbose_name_plural = "年度考核得分"
        ordering = ["-year", "alliance__code", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["alliance", "year"], condition=Q(state="confirmed"), name="one_confirmed_score_a_year"
            ),
            models.CheckConstraint(
                condition=Q(score__gte=Decimal(0)) & Q(score__lte=Decimal(100)), name="score_between_0_and_100"
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True) | ~Q(confirmed_by=F("entered_by")), name="score_four_eyes"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.alliance} {self.year} 年度考核 {self.score} 分"
