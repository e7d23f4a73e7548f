"""Pooling area › county › alliance › institution, with dated membership and the rule of who answers for whom (A15)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Q

from core.scope import ScopedQuerySet


class FundType(models.TextChoices):
    """The two packaged schemes. They are never mixed (seed 001 §二(二)3, seed 003 §二(四); A3)."""

    RESIDENT = "RES", "居民"
    EMPLOYEE = "EMP", "职工"


class InstitutionKind(models.TextChoices):
    GENERAL = "general", "综合医院"
    TCM = "tcm", "中医医院"
    MATERNAL = "maternal", "妇幼保健院"
    SPECIALIST = "specialist", "专科医院"
    TOWNSHIP = "township", "乡镇卫生院"
    COMMUNITY = "community", "社区卫生服务中心"
    VILLAGE = "village", "村卫生室"
    PRIVATE = "private", "民营医院"
    CLINIC = "clinic", "诊所"
    PHARMACY = "pharmacy", "定点零售药店"


PRIMARY_KINDS = (InstitutionKind.TOWNSHIP, InstitutionKind.COMMUNITY, InstitutionKind.VILLAGE)


class Ownership(models.TextChoices):
    PUBLIC = "public", "公立"
    PRIVATE = "private", "民营"


def valid_on(day: date, prefix: str = "") -> Q:
    """Rows whose validity period holds ``day`` (``valid_to`` is the last valid day; blank is open)."""
    return Q(**{f"{prefix}valid_from__lte": day}) & (
        Q(**{f"{prefix}valid_to__isnull": True}) | Q(**{f"{prefix}valid_to__gte": day})
    )


class PoolingAreaQuerySet(ScopedQuerySet["PoolingArea"]):
    scope_paths = {"pooling_area": "pk"}


class PoolingArea(models.Model):
    """统筹区: the area sharing one fund and one policy, normally a city."""

    code = models.CharField("区划代码", max_length=6, unique=True)
    name = models.CharField("名称", max_length=60)
    is_demo = models.BooleanField("演示数据", default=False)

    objects = PoolingAreaQuerySet.as_manager()

    class Meta:
        verbose_name = "统筹区"
        verbose_name_plural = "统筹区"
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class CountyQuerySet(ScopedQuerySet["County"]):
    scope_paths = {"pooling_area": "pooling_area", "county": "pk"}

    def on(self, day: date) -> CountyQuerySet:
        return self.filter(valid_on(day))


class County(models.Model):
    """县（区）. Codes merge and change, so they are dated and may name a successor."""

    pooling_area = models.ForeignKey(PoolingArea, models.PROTECT, related_name="counties", verbose_name="统筹区")
    code = models.CharField("区划代码", max_length=6, unique=True)
    name = models.CharField("名称", max_length=60)
    valid_from = models.DateField("启用日期")
    valid_to = models.DateField("停用日期", null=True, blank=True)
    successor = models.ForeignKey("self", models.PROTECT, null=True, blank=True, verbose_name="并入")

    objects = CountyQuerySet.as_manager()

    class Meta:
        verbose_name = "县（区）"
        verbose_name_plural = "县（区）"
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class AllianceQuerySet(ScopedQuerySet["Alliance"]):
    scope_paths = {"pooling_area": "county__pooling_area", "county": "county", "alliance": "pk"}

    def on(self, day: date) -> AllianceQuerySet:
        return self.filter(valid_on(day))


class Alliance(models.Model):
    """紧密型县域医共体: the lead hospital and its members under one management and one budget."""

    county = models.ForeignKey(County, models.PROTECT, related_name="alliances", verbose_name="县（区）")
    code = models.CharField("编号", max_length=20, unique=True)
    name = models.CharField("名称", max_length=80)
    valid_from = models.DateField("成立日期")
    valid_to = models.DateField("终止日期", null=True, blank=True)

    objects = AllianceQuerySet.as_manager()

    class Meta:
        verbose_name = "医共体"
        verbose_name_plural = "医共体"
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name

    def lead_hospital(self, day: date) -> Institution | None:
        """The institution that signs, receives the money and uploads the tables on ``day``."""
        lead = self.memberships.filter(valid_on(day), is_lead=True).select_related("institution").first()
        return lead.institution if lead else None


class InstitutionQuerySet(ScopedQuerySet["Institution"]):
    scope_paths = {
        "pooling_area": "county__pooling_area",
        "county": "county",
        "alliance": "memberships__alliance",
        "institution": "pk",
    }

    def members_of(self, alliance: Alliance, day: date) -> InstitutionQuerySet:
        return self.filter(pk__in=Membership.objects.filter(valid_on(day), alliance=alliance).values("institution_id"))


class Institution(models.Model):
    """定点医药机构 of a county of the pooling area. Places outside the pooling area are named in claims only."""

    county = models.ForeignKey(County, models.PROTECT, related_name="institutions", verbose_name="县（区）")
    code = models.CharField("国家编码", max_length=12, unique=True)
    name = models.CharField("名称", max_length=80)
    kind = models.CharField("类别", max_length=12, choices=InstitutionKind.choices)
    grade = models.PositiveSmallIntegerField("等级", choices=[(1, "一级"), (2, "二级"), (3, "三级")], default=1)
    ownership = models.CharField("性质", max_length=8, choices=Ownership.choices, default=Ownership.PUBLIC)

    objects = InstitutionQuerySet.as_manager()

    class Meta:
        verbose_name = "机构"
        verbose_name_plural = "机构"
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_primary(self) -> bool:
        """基层医疗机构 (A14): township centres, community centres, village clinics."""
        return self.kind in PRIMARY_KINDS


class MembershipQuerySet(ScopedQuerySet["Membership"]):
    scope_paths = {
        "pooling_area": "alliance__county__pooling_area",
        "county": "alliance__county",
        "alliance": "alliance",
        "institution": "institution",
    }

    def on(self, day: date) -> MembershipQuerySet:
        return self.filter(valid_on(day))


class Membership(models.Model):
    """An institution's time in an alliance; at most one alliance a day, one lead hospital an alliance a day."""

    alliance = models.ForeignKey(Alliance, models.PROTECT, related_name="memberships", verbose_name="医共体")
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="memberships", verbose_name="机构")
    is_lead = models.BooleanField("牵头医院", default=False)
    valid_from = models.DateField("加入日期")
    valid_to = models.DateField("退出日期", null=True, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = "成员单位"
        verbose_name_plural = "成员单位"
        ordering = ["alliance", "-is_lead", "institution__code"]

    def __str__(self) -> str:
        return f"{self.alliance} · {self.institution}"


class TownshipRule(models.Model):
    """A15: who is enrolled in this township belongs to this alliance."""

    alliance = models.ForeignKey(Alliance, models.PROTECT, related_name="township_rules", verbose_name="医共体")
    township_code = models.CharField("乡镇代码", max_length=12)
    township_name = models.CharField("乡镇名称", max_length=60)
    valid_from = models.DateField("启用日期")
    valid_to = models.DateField("停用日期", null=True, blank=True)

    class Meta:
        verbose_name = "参保乡镇归属"
        verbose_name_plural = "参保乡镇归属"
        ordering = ["township_code", "valid_from"]

    def __str__(self) -> str:
        return f"{self.township_name} → {self.alliance}"


class AgreedShare(models.Model):
    """A15: the share of a county's otherwise unassigned insured an alliance answers for in a year (0–1)."""

    alliance = models.ForeignKey(Alliance, models.PROTECT, related_name="agreed_shares", verbose_name="医共体")
    year = models.PositiveSmallIntegerField("年度")
    share = models.DecimalField("约定份额", max_digits=7, decimal_places=6)

    class Meta:
        verbose_name = "约定份额"
        verbose_name_plural = "约定份额"
        constraints = [
            models.UniqueConstraint(fields=["alliance", "year"], name="one_share_per_alliance_year"),
            models.CheckConstraint(
                condition=Q(share__gt=Decimal("0")) & Q(share__lte=Decimal("1")), name="share_between_0_and_1"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.alliance} {self.year}：{self.share}"


Place = PoolingArea | County | Alliance | Institution


def pooling_area_of(place: Any) -> PoolingArea | None:
    """The pooling area above any place (or of an object with a ``pooling_area``)."""
    if isinstance(place, PoolingArea):
        return place
    if isinstance(place, County):
        return place.pooling_area
    if isinstance(place, Alliance | Institution):
        return place.county.pooling_area
    return None
