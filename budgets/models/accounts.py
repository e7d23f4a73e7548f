"""Bank accounts of lead hospitals: dated, entered by fund finance, approved by a reviewer before money may go there."""

from __future__ import annotations

from datetime import date

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from core.models.places import valid_on
from core.scope import ScopedQuerySet


class LeadAccountQuerySet(ScopedQuerySet["LeadAccount"]):
    scope_paths = {
        "pooling_area": "alliance__county__pooling_area",
        "county": "alliance__county",
        "alliance": "alliance",
    }

    def approved_on(self, day: date) -> LeadAccountQuerySet:
        return self.filter(valid_on(day), approved_at__isnull=False, returned_reason="")


class LeadAccount(models.Model):
    """收款账户 of an alliance's lead hospital from a date on."""

    alliance = models.ForeignKey("core.Alliance", models.PROTECT, related_name="lead_accounts", verbose_name="医共体")
    institution = models.ForeignKey("core.Institution", models.PROTECT, related_name="+", verbose_name="牵头医院")
    account_name = models.CharField("户名", max_length=80)
    bank = models.CharField("开户行", max_length=80)
    account_number = models.CharField("账号", max_length=40)
    evidence = models.ForeignKey(
        "core.StoredFile", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="开户证明"
    )
    valid_from = models.DateField("启用日期")
    valid_to = models.DateField("停用日期", null=True, blank=True)
    entered_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="录入人")
    entered_at = models.DateTimeField("录入时间", auto_now_add=True)
    approved_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="审定人")
    approved_at = models.DateTimeField("审定时间", null=True)
    returned_reason = models.CharField("退回原因", max_length=300, blank=True)

    objects = LeadAccountQuerySet.as_manager()

    class Meta:
        verbose_name = "收款账户"
        verbose_name_plural = "收款账户"
        ordering = ["alliance", "-valid_from", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("entered_by")), name="lead_account_four_eyes"
            )
        ]

    def __str__(self) -> str:
        return f"{self.institution} · {self.bank} 尾号 {self.account_number[-4:]}"

    def get_absolute_url(self) -> str:
        return reverse("budgets:accounts")
