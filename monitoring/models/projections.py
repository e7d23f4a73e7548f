"""Where an alliance's year is heading, month by month, in versions; and the replays its ranges and errors rest on."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Q
from django.urls import reverse

from core.access import BUREAU_ROLES
from core.fields import MoneyField
from core.models import FundType, Role
from core.scope import ScopedQuerySet
from rules.money import round_ratio
from rules.periods import Month
from rules.trace import Trace

READERS = BUREAU_ROLES | {Role.OBSERVER, Role.HOSPITAL_FINANCE}


class ProjectionQuerySet(ScopedQuerySet["Projection"]):
    """A hospital sees its own alliance, a county's people their county, the city its all."""

    scope_paths = {"pooling_area": "pooling_area", "county": "county", "alliance": "alliance"}
    scope_roles = READERS

    def with_places(self) -> ProjectionQuerySet:
        return self.select_related("alliance__county__pooling_area")

    def current(self) -> ProjectionQuerySet:
        return self.filter(current=True)


class Projection(models.Model):
    """What one alliance and fund type was projected to, as seen at the end of a month. Only ``current`` ever changes.

    Amounts are yuan, None where nothing can be said; ``missing`` says why there is no projection at all. ``months`` are
    the twelve months with kind (actual, completed, missing, projected), ``changes`` the split of the difference to the
    former month's projection (it adds up to the fen), ``methods`` the errors of the methods in earlier years.
    ``inputs`` is the digest of everything it was made of: the same inputs make no new version.
    """

    alliance = models.ForeignKey("core.Alliance", models.PROTECT, related_name="+", verbose_name="医共体")
    county = models.ForeignKey("core.County", models.PROTECT, related_name="+", db_index=False, verbose_name="县（区）")
    pooling_area = models.ForeignKey("core.PoolingArea", models.PROTECT, related_name="+", verbose_name="统筹区")
    fund_type = models.CharField("险种", max_length=3, choices=FundType.choices)
    year = models.PositiveSmallIntegerField("年")
    month = models.PositiveSmallIntegerField("截至月")
    version = models.PositiveIntegerField("版本", default=1)
    current = models.BooleanField("现行", default=True)
    missing = models.CharField("未能预测的原因", max_length=300, blank=True)
    data_to = models.DateField("数据截至", null=True)

    known = MoneyField("已知发生", null=True)
    expected = MoneyField("预计全年发生", null=True)
    low = MoneyField("80% 区间下限", null=True)
    high = MoneyField("80% 区间上限", null=True)
    range_text = models.CharField("区间说明", max_length=200, blank=True)
    in_alliance = MoneyField("预计医共体内", null=True)
    outflow = MoneyField("预计医共体外", null=True)
    late = MoneyField("补足的晚报金额", null=True)

    package = MoneyField("打包总额", null=True)
    provisional = models.BooleanField("打包总额暂按上年", default=False)
    package_version = models.BigIntegerField("打包总额版本", null=True)
    prepaid = MoneyField("假设全年预付", null=True)
    prepaid_runs_out = models.CharField("预付用完月份", max_length=7, blank=True)
    package_runs_out = models.CharField("打包总额用完月份", max_length=7, blank=True)
    tier = models.CharField("落档", max_length=20, blank=True)
    tier_low = models.CharField("下限落档", max_length=20, blank=True)
    tier_high = models.CharField("上限落档", max_length=20, blank=True)
    retained = MoneyField("预计留用", null=True)
    returned = MoneyField("预计返还基金", null=True)
    fund_bears = MoneyField("预计基金分担", null=True)
    alliance_bears = MoneyField("预计医共体承担", null=True)
    cash = MoneyField("预计清算现金", null=True)
    cash_low = MoneyField("清算现金下限", null=True)
    cash_high = MoneyField("清算现金上限", null=True)
    unconfirmed = models.JSONField("待核实参数", default=list)
    tiers = models.JSONField("分档界限", default=list)

    months = models.JSONField("各月", default=list)
    factors = models.JSONField("完成因子", default=list)
    changes = models.JSONField("较上月变化", default=list)
    methods = models.JSONField("方法误差", default=dict)
    trace = models.JSONField("计算过程", default=list)
    cash_trace = models.JSONField("清算现金计算过程", default=list)
    previous = models.ForeignKey("self", models.PROTECT, null=True, related_name="+", verbose_name="上月预测")
    inputs = models.CharField("输入校验值", max_length=64)
    reason = models.CharField("形成原因", max_length=200, blank=True)
    computed_at = models.DateTimeField("计算时间")

    objects = ProjectionQuerySet.as_manager()

    class Meta:
        verbose_name = "趋势预测"
        verbose_name_plural = "趋势预测"
        ordering = ["-year", "-month", "alliance", "fund_type", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["alliance", "fund_type", "year", "month", "version"], name="projection_version_once"
            ),
            models.UniqueConstraint(
                fields=["alliance", "fund_type", "year", "month"], condition=Q(current=True), name="one_current_projection"
            ),
            models.CheckConstraint(condition=Q(month__gte=1) & Q(month__lte=12), name="projection_month_1_to_12"),
        ]
        indexes = [models.Index(fields=["year", "month", "fund_type"], condition=Q(current=True), name="projection_of_month")]

    def __str__(self) -> str:
        return f"{self.alliance} {self.get_fund_type_display()} {self.period} 趋势预测第 {self.version} 版"

    def get_absolute_url(self) -> str:
        return reverse("monitoring:projection", args=[self.pk])

    @property
    def period(self) -> Month:
        return Month(self.year, self.month)

    @property
    def difference(self) -> Decimal | None:
        """Projected year less package: positive is an overrun."""
        return None if self.expected is None or self.package is None else self.expected - self.package

    @property
    def ratio(self) -> Decimal | None:
        return self.ratio_of(self.expected)

    @property
    def low_ratio(self) -> Decimal | None:
        return self.ratio_of(self.low)

    @property
    def high_ratio(self) -> Decimal | None:
        return self.ratio_of(self.high)

    @property
    def is_overrun(self) -> bool:
        return self.difference is not None and self.difference > 0

    def ratio_of(self, amount: Decimal | None) -> Decimal | None:
        """An amount's distance from the package as a fraction of it."""
        return None if amount is None or not self.package else round_ratio((amount - self.package) / self.package)

    @property
    def steps(self) -> Trace:
        return Trace.from_json(self.trace)

    @property
    def cash_steps(self) -> Trace:
        return Trace.from_json(self.cash_trace)


class ReplayCase(models.Model):
    """What the method would have said at the end of a past month, beside what the year came to; worked out once.

    ``settled`` is the month in which the last rows of the year were known. ``said`` holds yuan by method as text.
    ``inputs`` is the digest of the year's history: when late corrections change it, the case is worked out anew.
    """

    pooling_area = models.ForeignKey("core.PoolingArea", models.PROTECT, related_name="+", verbose_name="统筹区")
    alliance = models.ForeignKey("core.Alliance", models.PROTECT, related_name="+", verbose_name="医共体")
    fund_type = models.CharField("险种", max_length=3, choices=FundType.choices)
    year = models.PositiveSmallIntegerField("年")
    month = models.PositiveSmallIntegerField("截至月")
    settled = models.CharField("全年到齐月份", max_length=7)
    truth = MoneyField("全年实际")
    whole_years = models.PositiveSmallIntegerField("当时完整往年数", default=0)
    said = models.JSONField("各方法预测", default=dict)
    low = MoneyField("区间下限", null=True)
    high = MoneyField("区间上限", null=True)
    inputs = models.CharField("输入校验值", max_length=64)

    class Meta:
        verbose_name = "预测回放"
        verbose_name_plural = "预测回放"
        ordering = ["pooling_area", "alliance", "fund_type", "year", "month"]
        constraints = [
            models.UniqueConstraint(fields=["alliance", "fund_type", "year", "month"], name="replay_case_once"),
        ]

    def __str__(self) -> str:
        return f"{self.alliance_id} {self.fund_type} {self.year}-{self.month:02d}"

    @property
    def period(self) -> Month:
        return Month(self.year, self.month)


def amount_of(data: Any) -> Decimal | None:
    """An amount kept as text in a JSON column."""
    return None if data in (None, "") else Decimal(str(data))
