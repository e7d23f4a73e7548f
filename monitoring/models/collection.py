"""The watch over enrolment and collection: expected headcounts, and findings about contributions not paid as due (R-006, R-007)."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from core.fields import MoneyField
from core.models import FundType
from core.scope import ScopedQuerySet


class TargetState(models.TextChoices):
    PROPOSED = "proposed", "待复核"
    CONFIRMED = "confirmed", "已核定"
    REJECTED = "rejected", "已退回"
    SUPERSEDED = "superseded", "已被替代"


class FindingKind(models.TextChoices):
    """What 128号 §二(二) forbids."""

    DEFERRAL = "deferral", "违规缓缴"
    REDUCTION = "reduction", "违规减免"
    ARREARS = "arrears", "拖欠保费"
    SHAM = "sham", "虚假劳动关系参保"


class FindingState(models.TextChoices):
    OPEN = "open", "待处理"
    HANDLED = "handled", "已处理待复核"
    CLOSED = "closed", "已办结"


class FindingAct(models.TextChoices):
    REGISTER = "register", "登记"
    FOLLOW = "follow", "跟进"
    HANDLE = "handle", "处理完成"
    CLOSE = "close", "复核办结"
    RETURN = "return", "退回继续处理"
    REOPEN = "reopen", "重新处理"


TARGET_TONES = {
    TargetState.PROPOSED: "warn", TargetState.CONFIRMED: "ok", TargetState.REJECTED: "bad", TargetState.SUPERSEDED: "",
}  # fmt: skip
FINDING_TONES = {FindingState.OPEN: "bad", FindingState.HANDLED: "warn", FindingState.CLOSED: "ok"}
_PATHS = {"pooling_area": "county__pooling_area", "county": "county"}


class EnrolmentTargetQuerySet(ScopedQuerySet["EnrolmentTarget"]):
    scope_paths = _PATHS

    def with_places(self) -> EnrolmentTargetQuerySet:
        return self.select_related("county__pooling_area", "entered_by", "decided_by")


class EnrolmentTarget(models.Model):
    """How many persons of a county should be insured in a year (应参保人数), in versions; one is confirmed at a time."""

    county = models.ForeignKey("core.County", models.PROTECT, related_name="+", verbose_name="县（区）")
    fund_type = models.CharField("险种", max_length=3, choices=FundType.choices)
    year = models.PositiveSmallIntegerField("年度")
    version = models.PositiveIntegerField("版本")
    expected = models.PositiveBigIntegerField("应参保人数")
    basis = models.CharField("依据", max_length=300)
    state = models.CharField("状态", max_length=10, choices=TargetState.choices, default=TargetState.PROPOSED)
    entered_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="填报人")
    entered_at = models.DateTimeField("填报时间", auto_now_add=True)
    decided_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="复核人")
    decided_at = models.DateTimeField("复核时间", null=True)
    decision_note = models.CharField("复核意见", max_length=300, blank=True)

    objects = EnrolmentTargetQuerySet.as_manager()

    class Meta:
        verbose_name = "应参保人数"
        verbose_name_plural = "应参保人数"
        ordering = ["-year", "county__code", "fund_type", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["county", "fund_type", "year", "version"], name="target_version_once"),
            models.UniqueConstraint(
                fields=["county", "fund_type", "year"], condition=Q(state="confirmed"), name="one_confirmed_target"
            ),
            models.UniqueConstraint(
                fields=["county", "fund_type", "year"], condition=Q(state="proposed"), name="one_proposed_target"
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("entered_by")), name="target_four_eyes"
            ),
            models.CheckConstraint(condition=Q(expected__gt=0), name="target_above_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.county} {self.year} 年{self.get_fund_type_display()}应参保人数第 {self.version} 版"

    def get_absolute_url(self) -> str:
        return f"{reverse('monitoring:targets')}?year={self.year}"

    @property
    def tone(self) -> str:
        return TARGET_TONES[TargetState(self.state)]


class CollectionFindingQuerySet(ScopedQuerySet["CollectionFinding"]):
    """Of the bureau only: an alliance has no part in collection."""

    scope_paths = _PATHS

    def with_places(self) -> CollectionFindingQuerySet:
        return self.select_related("county__pooling_area", "found_by", "file")


class CollectionFinding(models.Model):
    """One payer that did not pay as due. ``amount`` in yuan, ``recovered`` what was paid since."""

    county = models.ForeignKey("core.County", models.PROTECT, related_name="+", verbose_name="县（区）")
    kind = models.CharField("类型", max_length=9, choices=FindingKind.choices)
    fund_type = models.CharField("险种", max_length=3, choices=FundType.choices)
    payer = models.CharField("缴费单位", max_length=120)
    period = models.CharField("所属期间", max_length=40)
    amount = MoneyField("涉及金额")
    recovered = MoneyField("已补缴", default=0)
    description = models.TextField("情况")
    file = models.ForeignKey("core.StoredFile", models.PROTECT, null=True, related_name="+", verbose_name="证据")
    state = models.CharField("状态", max_length=7, choices=FindingState.choices, default=FindingState.OPEN)
    found_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="登记人")
    found_at = models.DateTimeField("登记时间", auto_now_add=True)
    handled_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="处理人")
    closed_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="复核人")

    objects = CollectionFindingQuerySet.as_manager()

    class Meta:
        verbose_name = "征缴问题"
        verbose_name_plural = "征缴问题"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_by__isnull=True) | ~Q(closed_by=F("handled_by")), name="finding_four_eyes"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="finding_amount_above_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.county} {self.payer} {self.get_kind_display()}（{self.period}）"

    def get_absolute_url(self) -> str:
        return reverse("monitoring:finding", args=[self.pk])

    @property
    def tone(self) -> str:
        return FINDING_TONES[FindingState(self.state)]


class FindingChange(models.Model):
    """Everything that was done about a finding. Never changed."""

    finding = models.ForeignKey(CollectionFinding, models.PROTECT, related_name="changes", verbose_name="征缴问题")
    act = models.CharField("办理", max_length=8, choices=FindingAct.choices)
    text = models.TextField("内容", blank=True)
    recovered = MoneyField("本次补缴", default=0)
    actor = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="办理人")
    at = models.DateTimeField("时间")

    class Meta:
        verbose_name = "征缴问题办理记录"
        verbose_name_plural = "征缴问题办理记录"
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.finding} {self.get_act_display()}"
