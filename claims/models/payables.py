"""What the payment methods owe, delivered monthly where the extract does not carry it (A5)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from claims.models.facts import Method
from core.fields import MoneyField
from core.models import FundType
from core.scope import ScopedQuerySet
from rules.periods import Month


class PayableTableQuerySet(ScopedQuerySet["PayableTable"]):
    scope_paths = {"pooling_area": "county__pooling_area", "county": "county"}

    def current(self) -> PayableTableQuerySet:
        return self.filter(current=True)


class PayableTable(models.Model):
    """One delivery for the insured of a county and a month; a later one replaces it and both stay readable."""

    county = models.ForeignKey("core.County", models.PROTECT, related_name="+", verbose_name="参保县（区）")
    year = models.PositiveSmallIntegerField("年")
    month = models.PositiveSmallIntegerField("月")
    version = models.PositiveIntegerField("版本")
    current = models.BooleanField("现行", default=True)
    file = models.ForeignKey("core.StoredFile", models.PROTECT, related_name="+", verbose_name="文件")
    cases = models.BigIntegerField("病例数")
    billed = MoneyField("记账金额")
    payable = MoneyField("应付金额")
    uploaded_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="上传人")
    uploaded_at = models.DateTimeField("上传时间", auto_now_add=True)

    objects = PayableTableQuerySet.as_manager()

    class Meta:
        verbose_name = "付费方式应付表"
        verbose_name_plural = "付费方式应付表"
        ordering = ["county", "-year", "-month", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["county", "year", "month", "version"], name="payable_version_once"),
            models.UniqueConstraint(
                fields=["county", "year", "month"], condition=Q(current=True), name="one_current_payable_table"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.county} {self.period} 付费方式应付表第 {self.version} 版"

    @property
    def period(self) -> Month:
        return Month(self.year, self.month)


class MonthlyPayable(models.Model):
    """What one method owes one institution for a fund type: cases, billed item by item, and payable (yuan)."""

    table = models.ForeignKey(PayableTable, models.PROTECT, related_name="lines", verbose_name="应付表")
    institution = models.ForeignKey("core.Institution", models.PROTECT, related_name="+", verbose_name="机构")
    fund_type = models.CharField("险种", max_length=3, choices=FundType.choices)
    method = models.CharField("付费方式", max_length=12, choices=Method.choices)
    cases = models.BigIntegerField("病例数")
    billed = MoneyField("记账金额")
    payable = MoneyField("应付金额")

    class Meta:
        verbose_name = "付费方式应付"
        verbose_name_plural = "付费方式应付"
        ordering = ["institution__code", "fund_type", "method"]
        constraints = [
            models.UniqueConstraint(fields=["table", "institution", "fund_type", "method"], name="payable_line_once")
        ]

    def __str__(self) -> str:
        return f"{self.institution} {self.get_method_display()}"
