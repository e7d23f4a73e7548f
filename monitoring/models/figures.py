"""The bases of every place, fund type and month (rules.indicators.BASES), in versions that tell what was known when."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from core.access import BUREAU_ROLES, HOSPITAL_ROLES
from core.fields import MoneyField
from core.models import FundType, Role
from core.scope import ScopedQuerySet
from rules.indicators import BASES
from rules.periods import Month

FIGURE_READERS = frozenset(BUREAU_ROLES | HOSPITAL_ROLES | {Role.OBSERVER, Role.DUTY_BODY})
"""Posts that read figures of business; an administrator configures and reads none."""


class PlaceKind(models.TextChoices):
    CITY = "city", "全市"
    COUNTY = "county", "县（区）"
    ALLIANCE = "alliance", "医共体"
    INSTITUTION = "institution", "机构"


class PlaceMonthQuerySet(ScopedQuerySet["PlaceMonth"]):
    """A hospital sees its alliance and that alliance's members, a county's people their county; the city its all."""

    scope_roles = FIGURE_READERS
    scope_paths = {
        "pooling_area": "pooling_area",
        "county": "county",
        "alliance": "alliance",
        "institution": "institution",
    }

    def current(self) -> PlaceMonthQuerySet:
        return self.filter(current=True)


class PlaceMonth(models.Model):
    """One version of what a place's month comes to. Only ``current`` ever changes; a new version tells why it came.

    ``place`` is the kind's first letter and the id of the place (P3 city, C7 county, A12 alliance, I345 institution).
    An institution's row names the alliance it belonged to on the last day of that month. ``inputs`` is the digest of
    everything the row was made of: the same inputs make no new version.
    """

    kind = models.CharField("层级", max_length=11, choices=PlaceKind.choices)
    place = models.CharField("对象", max_length=12)
    pooling_area = models.ForeignKey("core.PoolingArea", models.PROTECT, related_name="+", verbose_name="统筹区")
    county = models.ForeignKey(
        "core.County", models.PROTECT, null=True, related_name="+", db_index=False, verbose_name="县（区）"
    )
    alliance = models.ForeignKey(
        "core.Alliance", models.PROTECT, null=True, related_name="+", db_index=False, verbose_name="医共体"
    )
    institution = models.ForeignKey(
        "core.Institution", models.PROTECT, null=True, related_name="+", db_index=False, verbose_name="机构"
    )
    fund_type = models.CharField("险种", max_length=3, choices=FundType.choices)
    year = models.PositiveSmallIntegerField("年")
    month = models.PositiveSmallIntegerField("月")
    version = models.PositiveIntegerField("版本", default=1)
    current = models.BooleanField("现行", default=True)
    declared = models.BooleanField("整月数据", default=True)
    data_to = models.DateField("数据截至", null=True)
    factset = models.ForeignKey(
        "claims.FactSet", models.PROTECT, null=True, related_name="+", db_index=False, verbose_name="月度事实版本"
    )
    inputs = models.CharField("输入校验值", max_length=64)
    reason = models.CharField("形成原因", max_length=200, blank=True)
    computed_at = models.DateTimeField("计算时间")

    objects = PlaceMonthQuerySet.as_manager()

    class Meta:
        verbose_name = "监测月度数据"
        verbose_name_plural = "监测月度数据"
        ordering = ["place", "fund_type", "year", "month", "version"]
        constraints = [
            models.UniqueConstraint(
                fields=["place", "fund_type", "year", "month", "version"], name="place_month_version_once"
            ),
            models.UniqueConstraint(
                fields=["place", "fund_type", "year", "month"], condition=Q(current=True), name="one_current_place_month"
            ),
            models.CheckConstraint(condition=Q(month__gte=1) & Q(month__lte=12), name="place_month_month_1_to_12"),
        ]
        indexes = [
            models.Index(fields=["kind", "year", "month", "fund_type"], condition=Q(current=True), name="place_month_of_kind"),
            models.Index(fields=["county", "year", "month"], name="place_month_of_county"),
        ]

    def __str__(self) -> str:
        return f"{self.place} {self.fund_type} {self.period}"

    @property
    def period(self) -> Month:
        return Month(self.year, self.month)

    def sums(self) -> dict[str, Any]:
        """The bases by key: Decimal yuan, whole numbers, None where not known."""
        return {base.key: getattr(self, base.key) for base in BASES}


for _base in BASES:
    _field: Any = (
        MoneyField(_base.label, null=True) if _base.is_money else models.BigIntegerField(_base.label, null=True)
    )
    _field.contribute_to_class(PlaceMonth, _base.key)
