"""Dated policy: adopted scheme documents with a status per parameter, and single dated parameters."""

from __future__ import annotations

from datetime import date

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from core.models.files import StoredFile
from core.models.people import User
from core.models.places import County, PoolingArea, valid_on
from core.scope import ScopedQuerySet


class ConfirmationStatus(models.TextChoices):
    CONFIRMED = "confirmed", "已核实"
    UNCONFIRMED = "unconfirmed", "待核实"


class PolicyVersionQuerySet(ScopedQuerySet["PolicyVersion"]):
    scope_paths = {
        "pooling_area": "pooling_area",
        "county": "pooling_area__counties",
        "alliance": "pooling_area__counties__alliances",
        "institution": "pooling_area__counties__institutions",
    }

    def visible_to(self, user: object) -> PolicyVersionQuerySet:
        return super().visible_to(user).distinct()

    def approved_on(self, day: date) -> PolicyVersionQuerySet:
        return self.filter(valid_on(day), approved_at__isnull=False)


class PolicyVersion(models.Model):
    """A scheme document (TOML) as a pooling area adopted it: text, sha-256, dates, who entered and who approved."""

    pooling_area = models.ForeignKey(PoolingArea, models.PROTECT, related_name="policy_versions", verbose_name="统筹区")
    scheme_name = models.CharField("方案", max_length=60)
    title = models.CharField("标题", max_length=120)
    legal_basis = models.CharField("依据文件", max_length=200)
    document = models.TextField("方案全文（TOML）")
    sha256 = models.CharField("校验值", max_length=64)
    valid_from = models.DateField("启用日期")
    valid_to = models.DateField("停用日期", null=True, blank=True)
    entered_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name="录入人")
    entered_at = models.DateTimeField("录入时间", auto_now_add=True)
    approved_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="审定人"
    )
    approved_at = models.DateTimeField("审定时间", null=True, blank=True)

    objects = PolicyVersionQuerySet.as_manager()

    class Meta:
        verbose_name = "政策版本"
        verbose_name_plural = "政策版本"
        ordering = ["pooling_area", "-valid_from", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("entered_by")),
                name="policy_version_four_eyes",
            )
        ]

    def __str__(self) -> str:
        return f"{self.title}（{self.valid_from}起）"

    def get_absolute_url(self) -> str:
        return reverse("core:policy", args=[self.pk])


class PolicyParameter(models.Model):
    """An official value for one parameter of an adopted scheme: entered with its document, confirmed by a reviewer."""

    policy_version = models.ForeignKey(
        PolicyVersion, models.PROTECT, related_name="entered_parameters", verbose_name="政策版本"
    )
    key = models.CharField("参数", max_length=80)
    value = models.CharField("取值", max_length=60)
    document_title = models.CharField("正式文件", max_length=200)
    document_file = models.ForeignKey(StoredFile, models.PROTECT, null=True, blank=True, verbose_name="文件")
    entered_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name="录入人")
    entered_at = models.DateTimeField("录入时间", auto_now_add=True)
    confirmed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="核实人"
    )
    confirmed_at = models.DateTimeField("核实时间", null=True, blank=True)

    class Meta:
        verbose_name = "政策参数核实"
        verbose_name_plural = "政策参数核实"
        ordering = ["policy_version", "key", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True) | ~Q(confirmed_by=F("entered_by")),
                name="policy_parameter_four_eyes",
            )
        ]

    def __str__(self) -> str:
        return f"{self.key} = {self.value}"


class Parameter(models.Model):
    """A dated value of a single parameter (definitions: ``core.parameters``) for a pooling area or one county."""

    key = models.CharField("参数", max_length=80)
    pooling_area = models.ForeignKey(PoolingArea, models.PROTECT, related_name="parameters", verbose_name="统筹区")
    county = models.ForeignKey(County, models.PROTECT, null=True, blank=True, verbose_name="县（区）")
    value = models.CharField("取值", max_length=60)
    clause = models.CharField("依据", max_length=200)
    status = models.CharField(
        "核实状态", max_length=12, choices=ConfirmationStatus.choices, default=ConfirmationStatus.UNCONFIRMED
    )
    valid_from = models.DateField("启用日期")
    valid_to = models.DateField("停用日期", null=True, blank=True)
    entered_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name="录入人")
    confirmed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="核实人"
    )

    class Meta:
        verbose_name = "参数"
        verbose_name_plural = "参数"
        ordering = ["key", "-valid_from", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True) | ~Q(confirmed_by=F("entered_by")), name="parameter_four_eyes"
            )
        ]

    def __str__(self) -> str:
        return f"{self.key} = {self.value}"
