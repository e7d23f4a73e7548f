"""Figures of accepted tables, which other apps read, and their reconciliation with the monthly facts."""

from __future__ import annotations

from django.db import models

from core.fields import MoneyField
from core.scope import ScopedQuerySet
from submissions.models.versions import FUND_SHEETS, Submission


class AcceptedFigureQuerySet(ScopedQuerySet["AcceptedFigure"]):
    scope_paths = {
        "pooling_area": "submission__assignment__alliance__county__pooling_area",
        "county": "submission__assignment__alliance__county",
        "alliance": "submission__assignment__alliance",
    }


class AcceptedFigure(models.Model):
    """One cell of an accepted table: ``amount`` in yuan or ``number``. ``institution`` empty: the fund sheet itself.

    ``key`` is the row code of a fund sheet or the column key of the member sheet.
    """

    submission = models.ForeignKey(Submission, models.PROTECT, related_name="accepted_figures", verbose_name="报表版本")
    fund_type = models.CharField("险种", max_length=3, choices=FUND_SHEETS)
    institution = models.CharField("机构编号", max_length=20, blank=True)
    key = models.CharField("项目", max_length=20)
    amount = MoneyField("金额", null=True)
    number = models.DecimalField("数值", max_digits=18, decimal_places=4, null=True)

    objects = AcceptedFigureQuerySet.as_manager()

    class Meta:
        verbose_name = "受理数据"
        verbose_name_plural = "受理数据"
        ordering = ["submission", "fund_type", "institution", "key"]
        constraints = [
            models.UniqueConstraint(
                fields=["submission", "fund_type", "institution", "key"], name="accepted_figure_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.fund_type} {self.institution} {self.key}".strip()


class Reconciliation(models.Model):
    """An accepted table against the monthly facts: made at acceptance, made again when the facts change, signed by both."""

    submission = models.OneToOneField(
        Submission, models.PROTECT, related_name="reconciliation", verbose_name="报表版本"
    )
    factsets = models.JSONField("所用月度数据版本", default=list)
    data_to = models.DateField("数据截至", null=True)
    made_at = models.DateTimeField("形成时间")
    hospital_signed_by = models.ForeignKey(
        "core.User", models.PROTECT, null=True, related_name="+", verbose_name="医共体签认人"
    )
    hospital_signed_at = models.DateTimeField("医共体签认时间", null=True)
    bureau_signed_by = models.ForeignKey(
        "core.User", models.PROTECT, null=True, related_name="+", verbose_name="医保局签认人"
    )
    bureau_signed_at = models.DateTimeField("医保局签认时间", null=True)

    class Meta:
        verbose_name = "报表对账"
        verbose_name_plural = "报表对账"

    def __str__(self) -> str:
        return f"{self.submission} 对账"

    @property
    def is_signed(self) -> bool:
        return self.hospital_signed_at is not None and self.bureau_signed_at is not None


class ReconciliationLine(models.Model):
    """One row of one fund type: filed, in the facts, difference. ``amount_*`` in yuan or ``number_*``, never both."""

    reconciliation = models.ForeignKey(Reconciliation, models.CASCADE, related_name="lines", verbose_name="对账")
    fund_type = models.CharField("险种", max_length=3, choices=FUND_SHEETS)
    row_code = models.CharField("行次", max_length=10)
    amount_filed = MoneyField("报表金额", null=True)
    amount_facts = MoneyField("系统金额", null=True)
    number_filed = models.DecimalField("报表数值", max_digits=18, decimal_places=4, null=True)
    number_facts = models.DecimalField("系统数值", max_digits=18, decimal_places=4, null=True)
    must_explain = models.BooleanField("须说明", default=False)
    explanation = models.TextField("说明", blank=True)
    explained_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="说明人")
    explained_at = models.DateTimeField("说明时间", null=True)

    class Meta:
        verbose_name = "对账行"
        verbose_name_plural = "对账行"
        ordering = ["reconciliation", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["reconciliation", "fund_type", "row_code"], name="reconciliation_line_once")
        ]

    def __str__(self) -> str:
        return f"{self.fund_type} {self.row_code}"
