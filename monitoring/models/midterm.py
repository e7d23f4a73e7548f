"""中期收支测算: base year, assumptions of three scenarios and what they come to, in versions a second person approves."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from core.access import BUREAU_ROLES
from core.models import FundType, Role
from core.models.places import Place
from core.scope import ScopedQuerySet


class MidtermState(models.TextChoices):
    DRAFT = "draft", "待审定"
    RETURNED = "returned", "已退回"
    APPROVED = "approved", "已审定"
    REPLACED = "replaced", "已被替换"


class MidtermQuerySet(ScopedQuerySet["MidtermEstimate"]):
    """The fund's own matter: the city's people see all, a county's people their county's. Hospitals see none."""

    scope_paths = {"pooling_area": "pooling_area", "county": "county"}
    scope_roles = BUREAU_ROLES | {Role.OBSERVER}

    def with_places(self) -> MidtermQuerySet:
        return self.select_related("pooling_area", "county__pooling_area", "prepared_by", "decided_by")


class MidtermEstimate(models.Model):
    """One version, of a city's fund or of a county's; ``place_key`` is that of monitoring.reading.places (P3, C7).

    ``base``, ``suggested`` and ``scenarios`` hold figures as text, ``results`` the years of each scenario; ``typed`` names
    the base figures that a person entered in place of the delivered ones. At most one version of a place, fund type and
    base year is approved at a time.
    """

    pooling_area = models.ForeignKey("core.PoolingArea", models.PROTECT, related_name="+", verbose_name="统筹区")
    county = models.ForeignKey("core.County", models.PROTECT, null=True, related_name="+", verbose_name="县（区）")
    place_key = models.CharField("对象", max_length=12)
    fund_type = models.CharField("险种", max_length=3, choices=FundType.choices)
    base_year = models.PositiveSmallIntegerField("基期年度")
    horizon = models.PositiveSmallIntegerField("测算年数")
    version = models.PositiveIntegerField("版本")
    state = models.CharField("状态", max_length=8, choices=MidtermState.choices, default=MidtermState.DRAFT)
    base = models.JSONField("基期数据", default=dict)
    typed = models.JSONField("人工填写的基期项目", default=list)
    scenarios = models.JSONField("三种情景的假设", default=dict)
    suggested = models.JSONField("建议的假设", default=dict)
    results = models.JSONField("测算结果", default=dict)
    basis = models.TextField("假设依据")
    prepared_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="编制人")
    prepared_at = models.DateTimeField("编制时间")
    decided_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="审定人")
    decided_at = models.DateTimeField("审定时间", null=True)
    return_reason = models.TextField("退回原因", blank=True)

    objects = MidtermQuerySet.as_manager()

    class Meta:
        verbose_name = "中期收支测算"
        verbose_name_plural = "中期收支测算"
        ordering = ["-base_year", "pooling_area", "-place_key", "fund_type", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["place_key", "fund_type", "base_year", "version"], name="midterm_version_once"
            ),
            models.UniqueConstraint(
                fields=["place_key", "fund_type", "base_year"],
                condition=Q(state="approved"),
                name="one_midterm_in_force",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("prepared_by")), name="midterm_four_eyes"
            ),
            models.CheckConstraint(condition=Q(horizon__gte=3) & Q(horizon__lte=5), name="midterm_three_to_five_years"),
        ]

    def __str__(self) -> str:
        return f"{self.place} {self.get_fund_type_display()} {self.span} 中期收支测算第 {self.version} 版"

    def get_absolute_url(self) -> str:
        return reverse("monitoring:midterm-estimate", args=[self.pk])

    @property
    def place(self) -> Place:
        return self.county or self.pooling_area

    @property
    def span(self) -> str:
        return f"{self.base_year + 1}–{self.base_year + self.horizon} 年"

    def scenario(self, key: str) -> dict[str, Any]:
        return dict(self.results.get(key, {}))

    def last_balance(self, key: str) -> Decimal | None:
        """The balance (yuan) at the end of the last estimated year of a scenario."""
        years = self.scenario(key).get("years") or []
        return Decimal(years[-1]["balance"]) if years else None
