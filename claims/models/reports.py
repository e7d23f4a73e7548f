"""基金月报: what claims cannot tell about a county's fund in a month. Every field is optional; blank is not zero."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models
from django.db.models import Q

from core.fields import MoneyField
from core.models import FundType
from core.scope import ScopedQuerySet
from rules.periods import Month


@dataclass(frozen=True)
class ReportField:
    """``kind``: ``persons`` (whole number ≥ 0) or ``yuan`` (may be negative where ``signed``)."""

    name: str
    label: str
    kind: str
    group: str
    signed: bool = False


REPORT_FIELDS: tuple[ReportField, ...] = (
    ReportField("insured_heads", "期末参保人数", "persons", "参保"),
    ReportField("resettled_heads", "其中异地安置", "persons", "参保"),
    ReportField("retired_heads", "其中退休人员", "persons", "参保"),
    ReportField("income_personal", "个人缴费收入", "yuan", "收入"),
    ReportField("income_employer", "单位缴费收入", "yuan", "收入"),
    ReportField("income_subsidy", "财政补助收入", "yuan", "收入"),
    ReportField("income_interest", "利息收入", "yuan", "收入"),
    ReportField("income_transfer", "转移及上下级收入", "yuan", "收入"),
    ReportField("income_other", "其他收入", "yuan", "收入"),
    ReportField("spending_critical_illness", "划转大病保险", "yuan", "明细外支出"),
    ReportField("spending_maternity_allowance", "生育津贴", "yuan", "明细外支出"),
    ReportField("spending_transfer", "转移及上下级支出", "yuan", "明细外支出"),
    ReportField("spending_other", "其他支出", "yuan", "明细外支出"),
    ReportField("balance_current", "当期结余", "yuan", "结余", signed=True),
    ReportField("balance_accumulated", "累计结余", "yuan", "结余", signed=True),
    ReportField("family_doctor_contracts", "家庭医生签约人数", "persons", "健康管理"),
    ReportField("hypertension_registered", "高血压登记人数", "persons", "健康管理"),
    ReportField("hypertension_managed", "高血压规范管理人数", "persons", "健康管理"),
    ReportField("diabetes_registered", "糖尿病登记人数", "persons", "健康管理"),
    ReportField("diabetes_managed", "糖尿病规范管理人数", "persons", "健康管理"),
    ReportField("procurement_committed", "集采约定金额", "yuan", "集中采购"),
    ReportField("procurement_bought", "集采完成金额", "yuan", "集中采购"),
)


class FundMonthlyReportQuerySet(ScopedQuerySet["FundMonthlyReport"]):
    scope_paths = {"pooling_area": "county__pooling_area", "county": "county"}

    def current(self) -> FundMonthlyReportQuerySet:
        return self.filter(current=True)


def _persons(label: str) -> models.BigIntegerField[int | None, int | None]:
    return models.BigIntegerField(label, null=True, blank=True)


def _yuan(label: str) -> MoneyField:
    return MoneyField(label, null=True, blank=True)


class FundMonthlyReport(models.Model):
    """One version of the report of a county, fund type and month; the highest version is current."""

    county = models.ForeignKey("core.County", models.PROTECT, related_name="+", verbose_name="县（区）")
    fund_type = models.CharField("险种", max_length=3, choices=FundType.choices)
    year = models.PositiveSmallIntegerField("年")
    month = models.PositiveSmallIntegerField("月")
    version = models.PositiveIntegerField("版本")
    current = models.BooleanField("现行", default=True)

    insured_heads = _persons("期末参保人数")
    resettled_heads = _persons("其中异地安置")
    retired_heads = _persons("其中退休人员")
    income_personal = _yuan("个人缴费收入")
    income_employer = _yuan("单位缴费收入")
    income_subsidy = _yuan("财政补助收入")
    income_interest = _yuan("利息收入")
    income_transfer = _yuan("转移及上下级收入")
    income_other = _yuan("其他收入")
    spending_critical_illness = _yuan("划转大病保险")
    spending_maternity_allowance = _yuan("生育津贴")
    spending_transfer = _yuan("转移及上下级支出")
    spending_other = _yuan("其他支出")
    balance_current = _yuan("当期结余")
    balance_accumulated = _yuan("累计结余")
    family_doctor_contracts = _persons("家庭医生签约人数")
    hypertension_registered = _persons("高血压登记人数")
    hypertension_managed = _persons("高血压规范管理人数")
    diabetes_registered = _persons("糖尿病登记人数")
    diabetes_managed = _persons("糖尿病规范管理人数")
    procurement_committed = _yuan("集采约定金额")
    procurement_bought = _yuan("集采完成金额")

    note = models.CharField("说明", max_length=300, blank=True)
    file = models.ForeignKey("core.StoredFile", models.PROTECT, null=True, related_name="+", verbose_name="来源文件")
    entered_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="填报人")
    entered_at = models.DateTimeField("填报时间", auto_now_add=True)

    objects = FundMonthlyReportQuerySet.as_manager()

    class Meta:
        verbose_name = "基金月报"
        verbose_name_plural = "基金月报"
        ordering = ["county", "fund_type", "-year", "-month", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["county", "fund_type", "year", "month", "version"], name="fund_report_version_once"
            ),
            models.UniqueConstraint(
                fields=["county", "fund_type", "year", "month"],
                condition=Q(current=True),
                name="one_current_fund_report",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.county} {self.get_fund_type_display()} {self.period} 基金月报第 {self.version} 版"

    @property
    def period(self) -> Month:
        return Month(self.year, self.month)
