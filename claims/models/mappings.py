"""How a pooling area's codes are read: insurance types, visit types, the group catalogue and its own settings."""

from __future__ import annotations

from django.db import models

from claims.models.facts import FactFundType, VisitType
from core.scope import ScopedQuerySet


class MutualAidReading(models.TextChoices):
    TRY_BOTH = "", "逐份文件试算"
    INSIDE = "inside", "已含在个人账户支出内"
    BESIDE = "beside", "在个人账户支出之外另列"


class FundMappingQuerySet(ScopedQuerySet["FundMapping"]):
    scope_paths = {"pooling_area": "pooling_area"}


class FundMapping(models.Model):
    """险种类型 (a code or its name) → resident, employee, or a memo that is never packaged."""

    pooling_area = models.ForeignKey("core.PoolingArea", models.PROTECT, related_name="+", verbose_name="统筹区")
    code = models.CharField("险种代码或名称", max_length=40)
    fund_type = models.CharField("归入", max_length=4, choices=FactFundType.choices)
    note = models.CharField("说明", max_length=120, blank=True)

    objects = FundMappingQuerySet.as_manager()

    class Meta:
        verbose_name = "险种对照"
        verbose_name_plural = "险种对照"
        ordering = ["code"]
        constraints = [models.UniqueConstraint(fields=["pooling_area", "code"], name="fund_mapping_once")]

    def __str__(self) -> str:
        return f"{self.code} → {self.get_fund_type_display()}"


class VisitTypeMappingQuerySet(ScopedQuerySet["VisitTypeMapping"]):
    scope_paths = {"pooling_area": "pooling_area"}


class VisitTypeMapping(models.Model):
    """医疗类别 → visit type. Digits are a prefix and the longest wins (2101 → 21); a name must match whole."""

    pooling_area = models.ForeignKey("core.PoolingArea", models.PROTECT, related_name="+", verbose_name="统筹区")
    prefix = models.CharField("医疗类别前缀或名称", max_length=40)
    visit_type = models.CharField("归入", max_length=16, choices=VisitType.choices)
    note = models.CharField("说明", max_length=120, blank=True)

    objects = VisitTypeMappingQuerySet.as_manager()

    class Meta:
        verbose_name = "医疗类别对照"
        verbose_name_plural = "医疗类别对照"
        ordering = ["prefix"]
        constraints = [models.UniqueConstraint(fields=["pooling_area", "prefix"], name="visit_mapping_once")]

    def __str__(self) -> str:
        return f"{self.prefix} → {self.get_visit_type_display()}"


class AreaSettings(models.Model):
    """What differs by pooling area in reading extracts."""

    pooling_area = models.OneToOneField("core.PoolingArea", models.PROTECT, related_name="+", verbose_name="统筹区")
    mutual_aid = models.CharField(
        "个人账户共济支出口径", max_length=6, choices=MutualAidReading.choices, blank=True, default=""
    )
    settles_by_groups = models.BooleanField("住院按组付费须有组编码", default=False)

    class Meta:
        verbose_name = "明细口径设置"
        verbose_name_plural = "明细口径设置"

    def __str__(self) -> str:
        return f"{self.pooling_area}明细口径"


class GroupCatalogueEntry(models.Model):
    """One DRG/DIP group of the area's catalogue with its weight or points (four decimals, in ten-thousandths)."""

    pooling_area = models.ForeignKey("core.PoolingArea", models.PROTECT, related_name="+", verbose_name="统筹区")
    code = models.CharField("组编码", max_length=30)
    name = models.CharField("组名称", max_length=120, blank=True)
    weight_e4 = models.BigIntegerField("权重（分值）×10000")

    class Meta:
        verbose_name = "分组目录"
        verbose_name_plural = "分组目录"
        ordering = ["code"]
        constraints = [models.UniqueConstraint(fields=["pooling_area", "code"], name="group_once")]

    def __str__(self) -> str:
        return self.code
