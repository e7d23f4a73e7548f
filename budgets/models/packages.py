"""打包预算: one package per alliance, year and fund type, in numbered versions that are never overwritten once approved.

Carries seed 001 §二(二)1-3 and 5: scope flags, base of in-alliance and out-of-county payments, three-year growth, volume,
cap, coverage of all insured, adjustment with a reason. Employees' and residents' money is never in one row (A3).
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from core.fields import MoneyField
from core.models import FundType
from core.scope import ScopedQuerySet, scope_of


class PackageState(models.TextChoices):
    DRAFT = "draft", "起草中"
    SUBMITTED = "submitted", "待审定"
    APPROVED = "approved", "已审定"
    RETURNED = "returned", "已退回"
    WITHDRAWN = "withdrawn", "已撤回"


EDITABLE = (PackageState.DRAFT, PackageState.RETURNED)
OPEN = (PackageState.DRAFT, PackageState.SUBMITTED, PackageState.RETURNED)
SHOWN_TO_HOSPITALS = (PackageState.SUBMITTED, PackageState.APPROVED)


class PackageKind(models.TextChoices):
    INITIAL = "initial", "年初核定"
    ADJUSTMENT = "adjustment", "年中调整"


class AdjustmentReason(models.TextChoices):
    """The objective causes of seed 001 §二(二)5 (R-016)."""

    POLICY = "policy", "政策调整"
    HEALTH_EVENT = "health_event", "突发重大公共卫生事件"
    OBJECTIVE = "objective", "其他客观因素"


class FigureSource(models.TextChoices):
    """Where a figure of the worksheet comes from. County revenue is named so that it can be refused (R-017)."""

    FACTS = "facts", "医保结算明细汇总"
    STATEMENT = "statement", "年度清算单"
    ACCOUNTS = "accounts", "基金决算报表"
    REPORT = "report", "基金月报"
    REGISTER = "register", "参保登记台账"
    COUNTY_REVENUE = "county_revenue", "县域基金收入"


class PackageQuerySet(ScopedQuerySet["Package"]):
    scope_paths = {
        "pooling_area": "alliance__county__pooling_area",
        "county": "alliance__county",
        "alliance": "alliance",
        "institution": "alliance__memberships__institution",
    }


class Package(models.Model):
    """The head of a package: locked to number its versions; closed once the year is settled for good."""

    alliance = models.ForeignKey("core.Alliance", models.PROTECT, related_name="packages", verbose_name="医共体")
    year = models.PositiveSmallIntegerField("年度")
    fund_type = models.CharField("险种", max_length=3, choices=FundType.choices)
    closed_at = models.DateTimeField("年度关账时间", null=True, blank=True)
    closed_by = models.ForeignKey(
        "core.User", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="关账人"
    )

    objects = PackageQuerySet.as_manager()

    class Meta:
        verbose_name = "打包预算"
        verbose_name_plural = "打包预算"
        ordering = ["-year", "alliance", "-fund_type"]
        constraints = [
            models.UniqueConstraint(fields=["alliance", "year", "fund_type"], name="one_package_per_year_and_fund")
        ]

    def __str__(self) -> str:
        return f"{self.alliance} {self.year} 年{self.get_fund_type_display()}打包预算"

    def get_absolute_url(self) -> str:
        return reverse("budgets:package", args=[self.pk])


class PackageVersionQuerySet(ScopedQuerySet["PackageVersion"]):
    scope_paths = {
        "pooling_area": "package__alliance__county__pooling_area",
        "county": "package__alliance__county",
        "alliance": "package__alliance",
        "institution": "package__alliance__memberships__institution",
    }

    def visible_to(self, user: Any) -> PackageVersionQuerySet:
        """Hospitals see what was laid before the reviewer and what is in force, not the bureau's drafts."""
        scope = scope_of(user)
        bureau = Q(package__alliance__county__pooling_area__in=scope.pooling_area) | Q(
            package__alliance__county__in=scope.county
        )
        return super().visible_to(user).filter(bureau | Q(state__in=SHOWN_TO_HOSPITALS))

    def approved(self) -> PackageVersionQuerySet:
        return self.filter(state=PackageState.APPROVED)


class PackageVersion(models.Model):
    """One worked version: frozen inputs, every step with its clause, who prepared, submitted and approved it."""

    package = models.ForeignKey(Package, models.PROTECT, related_name="versions", verbose_name="打包预算")
    number = models.PositiveSmallIntegerField("版本")
    kind = models.CharField("种类", max_length=10, choices=PackageKind.choices, default=PackageKind.INITIAL)
    state = models.CharField("状态", max_length=10, choices=PackageState.choices, default=PackageState.DRAFT)

    adjustment_reason = models.CharField("调整事由", max_length=12, choices=AdjustmentReason.choices, blank=True)
    reason = models.TextField("说明", blank=True)
    evidence = models.ForeignKey(
        "core.StoredFile", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="依据附件"
    )

    general_outpatient = models.BooleanField("普通门诊", default=True)
    chronic_outpatient = models.BooleanField("门诊慢特病", default=True)
    inpatient = models.BooleanField("住院", default=True)
    out_of_county_care = models.BooleanField("县域外就医", default=True)
    employee_maternity = models.BooleanField("职工生育", default=False)

    policy_version = models.ForeignKey("core.PolicyVersion", models.PROTECT, related_name="+", verbose_name="政策版本")
    scheme_frozen = models.JSONField("方案冻结", default=dict)
    growth = models.ForeignKey("budgets.RevenueGrowth", models.PROTECT, related_name="+", verbose_name="收入预算增幅")
    basis = models.CharField("基数口径", max_length=20)
    base_in_alliance = MoneyField("上年医共体内结算支付")
    base_out_of_county = MoneyField("上年县域外支付")
    last_year_base = MoneyField("上年结算基数")
    three_year_base = MoneyField("前三年平均基数", null=True)
    scope_change = MoneyField("口径调整", default=0)
    scope_change_note = models.CharField("口径调整说明", max_length=300, blank=True)
    mean_growth = models.DecimalField("前三年平均增幅", max_digits=9, decimal_places=6)
    volume_allowance = models.DecimalField("服务量增幅", max_digits=7, decimal_places=6)
    growth_cap = models.DecimalField("增幅上限", max_digits=9, decimal_places=6)
    applied_growth = models.DecimalField("总额增幅", max_digits=9, decimal_places=6)
    ceiling = MoneyField("打包总额上限")
    suggested = MoneyField("测算总额")
    total = MoneyField("打包总额")
    in_alliance = MoneyField("其中医共体内")
    out_of_county = MoneyField("其中县域外（计划）")
    warnings = models.JSONField("提示", default=list)
    trace = models.JSONField("计算过程", default=list)
    fingerprint = models.CharField("输入指纹", max_length=64)
    data_to = models.DateField("数据截至", null=True)

    insured = models.PositiveIntegerField("参保人数", null=True)
    resettled = models.PositiveIntegerField("其中异地安置", null=True)
    coverage_source = models.CharField("人数来源", max_length=16, choices=FigureSource.choices, blank=True)
    coverage_note = models.CharField("人数来源说明", max_length=200, blank=True)
    coverage_data_to = models.DateField("人数截至", null=True)

    primary_amount = MoneyField("基层医疗机构支出", null=True)
    primary_share = models.DecimalField("基层支出占比", max_digits=9, decimal_places=6, null=True)
    primary_floor = models.DecimalField("占比下限", max_digits=7, decimal_places=6, null=True)
    primary_base = models.CharField("占比分母", max_length=24, blank=True)
    primary_source = models.CharField("基层支出来源", max_length=16, choices=FigureSource.choices, blank=True)
    primary_note = models.CharField("基层支出来源说明", max_length=200, blank=True)
    primary_trace = models.JSONField("基层占比计算", default=list)

    no_negotiation_reason = models.TextField("未协商原因", blank=True)

    prepared_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="起草人")
    prepared_at = models.DateTimeField("起草时间")
    submitted_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="报审人")
    submitted_at = models.DateTimeField("报审时间", null=True)
    decided_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="审定人")
    decided_at = models.DateTimeField("审定时间", null=True)
    decided_on = models.DateField("审定日期", null=True)
    decision_note = models.TextField("审定或退回意见", blank=True)

    objects = PackageVersionQuerySet.as_manager()

    class Meta:
        verbose_name = "打包预算版本"
        verbose_name_plural = "打包预算版本"
        ordering = ["package", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["package", "number"], name="package_version_number"),
            models.UniqueConstraint(
                fields=["package"], condition=Q(state__in=["draft", "submitted", "returned"]), name="one_open_version"
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True)
                | (~Q(decided_by=F("submitted_by")) & ~Q(decided_by=F("prepared_by"))),
                name="package_four_eyes",
            ),
            models.CheckConstraint(condition=Q(total__gt=0), name="package_positive"),
            models.CheckConstraint(condition=Q(total__lte=F("ceiling")), name="package_within_cap"),
            models.CheckConstraint(
                condition=Q(total=F("in_alliance") + F("out_of_county")), name="package_parts_add_up"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.package}第 {self.number} 版"

    def get_absolute_url(self) -> str:
        return f"{reverse('budgets:package', args=[self.package_id])}?version={self.number}"

    @property
    def alliance(self) -> Any:
        return self.package.alliance

    @property
    def alliance_id(self) -> int:
        return self.package.alliance_id

    @property
    def is_editable(self) -> bool:
        return self.state in EDITABLE

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


class BaseYear(models.Model):
    """The settled payments of one earlier year as the worksheet used them, saying whether facts or an entered source."""

    version = models.ForeignKey(PackageVersion, models.CASCADE, related_name="base_years", verbose_name="版本")
    year = models.PositiveSmallIntegerField("年度")
    in_alliance = MoneyField("医共体内")
    out_of_county = MoneyField("县域外")
    source = models.CharField("来源", max_length=16, choices=FigureSource.choices)
    note = models.CharField("来源说明", max_length=200, blank=True)
    measure = models.CharField("金额口径", max_length=20, blank=True)
    fingerprint = models.CharField("数据指纹", max_length=64, blank=True)
    factsets = models.JSONField("数据版本", default=list)
    data_to = models.DateField("数据截至", null=True)

    class Meta:
        verbose_name = "基数年度"
        verbose_name_plural = "基数年度"
        ordering = ["version", "year"]
        constraints = [models.UniqueConstraint(fields=["version", "year"], name="one_base_per_year")]

    def __str__(self) -> str:
        return f"{self.year} 年"
