"""Thresholds: dated, per place and indicator, with levels, tried before they count (seed 001 §二(三)3)."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from core.models import FundType
from core.scope import ScopedQuerySet, scope_of
from monitoring.models.figures import PlaceKind
from rules.indicators import INDICATORS


class Basis(models.TextChoices):
    """What the figure is held against. The levels are values of the indicator (``absolute``), its change on the same
    period last year (``last_year``), its distance from the peers' median (``peers``), or from the pace (``pace``)."""

    ABSOLUTE = "absolute", "绝对值"
    LAST_YEAR = "last_year", "与上年同期比"
    PEERS = "peers", "与同类中位数比"
    PACE = "pace", "与序时进度比"


class SpanKind(models.TextChoices):
    MONTH = "month", "当月"
    TO_DATE = "to_date", "本年累计"
    QUARTER = "quarter", "当季"


class ThresholdStatus(models.TextChoices):
    """draft → trial (evaluated, warns nobody) → live (approved by a second person) → ended."""

    DRAFT = "draft", "草稿"
    TRIAL = "trial", "试运行"
    LIVE = "live", "启用"
    ENDED = "ended", "已停用"


class Level(models.TextChoices):
    YELLOW = "yellow", "黄"
    ORANGE = "orange", "橙"
    RED = "red", "红"


class ThresholdQuerySet(ScopedQuerySet["Threshold"]):
    scope_paths = {
        "pooling_area": "pooling_area",
        "county": "pooling_area__counties",
        "alliance": "pooling_area__counties__alliances",
    }

    def visible_to(self, user: Any) -> ThresholdQuerySet:
        """The city's rules for everybody in it; those of one county or alliance for the posts there and above."""
        scope = scope_of(user, self.scope_roles)
        mine = Q(county=None, alliance=None) | Q(pooling_area__in=scope.pooling_area) | Q(county__in=scope.county)
        mine |= Q(county__alliances__in=scope.alliance, alliance=None) | Q(alliance__in=scope.alliance)
        return super().visible_to(user).filter(mine).distinct()


class Threshold(models.Model):
    """One rule. ``county``/``alliance`` empty: everywhere in the pooling area; the narrower rule wins over the wider.

    ``above``: a breach is a figure above the level (else below). Levels may be blank, at least one is set, and they
    worsen from yellow to red. ``relative``: with ``last_year`` and ``peers`` the levels are fractions of the compared
    value (0.08 = +8 %), else differences in the indicator's own unit (0.02 = 2 percentage points).
    """

    pooling_area = models.ForeignKey("core.PoolingArea", models.PROTECT, related_name="+", verbose_name="统筹区")
    county = models.ForeignKey("core.County", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="县（区）")
    alliance = models.ForeignKey(
        "core.Alliance", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="医共体"
    )
    indicator = models.CharField("指标", max_length=24, choices=[(one.key, one.label) for one in INDICATORS])
    kind = models.CharField("适用层级", max_length=11, choices=PlaceKind.choices)
    fund_type = models.CharField("险种", max_length=3, choices=FundType.choices, blank=True)
    basis = models.CharField("比较方式", max_length=9, choices=Basis.choices, default=Basis.ABSOLUTE)
    span = models.CharField("期间", max_length=7, choices=SpanKind.choices, default=SpanKind.TO_DATE)
    above = models.BooleanField("高于为异常", default=True)
    relative = models.BooleanField("按比例比较", default=False)
    yellow = models.DecimalField("黄", max_digits=18, decimal_places=6, null=True, blank=True)
    orange = models.DecimalField("橙", max_digits=18, decimal_places=6, null=True, blank=True)
    red = models.DecimalField("红", max_digits=18, decimal_places=6, null=True, blank=True)
    min_volume = models.DecimalField("最小规模", max_digits=18, decimal_places=2, default=0)
    clause = models.CharField("依据", max_length=200)
    valid_from = models.DateField("启用日期")
    valid_to = models.DateField("停用日期", null=True, blank=True)
    status = models.CharField("状态", max_length=5, choices=ThresholdStatus.choices, default=ThresholdStatus.DRAFT)
    trial_from = models.DateField("试运行自", null=True, blank=True)
    note = models.CharField("说明", max_length=300, blank=True)
    entered_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="设定人")
    entered_at = models.DateTimeField("设定时间", auto_now_add=True)
    decided_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="核准人")
    decided_at = models.DateTimeField("核准时间", null=True)

    objects = ThresholdQuerySet.as_manager()

    class Meta:
        verbose_name = "预警阈值"
        verbose_name_plural = "预警阈值"
        ordering = ["indicator", "kind", "fund_type", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("entered_by")), name="threshold_four_eyes"
            ),
            models.CheckConstraint(
                condition=Q(yellow__isnull=False) | Q(orange__isnull=False) | Q(red__isnull=False),
                name="threshold_has_a_level",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_indicator_display()}（{self.get_kind_display()}，{self.get_basis_display()}）"

    def get_absolute_url(self) -> str:
        return reverse("monitoring:threshold", args=[self.pk])
