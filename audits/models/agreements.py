"""Service agreements (服务协议), points of providers and of physicians, payment qualification, the yearly check."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from audits.access import reads_audits
from core.scope import ScopedQuerySet
from rules.points import BAND_BY_KEY
from rules.yearly_check import GRADES

TONES = {
    "applied": "warn", "in_force": "ok", "suspended": "bad", "terminated": "bad", "expired": "", "refused": "",
    "proposed": "warn", "approved": "ok", "returned": "", "withdrawn": "",
}  # fmt: skip


DECIDED = [("proposed", "待审定"), ("approved", "已审定"), ("returned", "已退回")]
"""What becomes of a proposal that a second person decides."""


class AgreementState(models.TextChoices):
    APPLIED = "applied", "申请中"
    IN_FORCE = "in_force", "履行中"
    SUSPENDED = "suspended", "中止"
    TERMINATED = "terminated", "解除"
    EXPIRED = "expired", "到期未续签"
    REFUSED = "refused", "不予签订"


STANDING = (AgreementState.APPLIED, AgreementState.IN_FORCE, AgreementState.SUSPENDED)


class AgreementQuerySet(ScopedQuerySet["Agreement"]):
    scope_paths = {
        "pooling_area": "institution__county__pooling_area",
        "county": "institution__county",
        "alliance": "institution__memberships__alliance",
        "institution": "institution",
    }

    def visible_to(self, user: Any) -> AgreementQuerySet:
        """A provider sees its agreements once they were signed."""
        seen = super().visible_to(user)
        unsigned = [AgreementState.APPLIED, AgreementState.REFUSED]
        return seen if reads_audits(user) else seen.exclude(state__in=unsigned)

    def with_places(self) -> AgreementQuerySet:
        return self.select_related("institution__county__pooling_area")

    def standing(self) -> AgreementQuerySet:
        """Applied for, in force or suspended: what no other agreement of the same days may stand beside."""
        return self.filter(state__in=STANDING)


class Agreement(models.Model):
    """The agreement of one provider for a year (R-100…R-106). ``terms`` and ``indicators`` hold what was agreed as rows
    ``{"key", "label", "text", "clause"}`` / ``{"key", "label", "target", "unit", "clause"}``, ``limits`` the agreed payment
    limits (R-086) as ``{"code", "name", "unit", "limit"}``; ``version`` names the shipped terms they were made of.
    Supplements and exits are changes of their own."""

    institution = models.ForeignKey("core.Institution", models.PROTECT, related_name="+", verbose_name="机构")
    number = models.CharField("协议编号", max_length=60, unique=True)
    year = models.PositiveSmallIntegerField("年度")
    valid_from = models.DateField("自")
    valid_to = models.DateField("至")
    terms = models.JSONField("条款", default=list)
    indicators = models.JSONField("指标", default=list)
    limits = models.JSONField("支付限额", default=list)
    version = models.CharField("条款版本", max_length=20)
    listed_disease = models.BooleanField("门诊规定病种结算", default=False)
    state = models.CharField("状态", max_length=10, choices=AgreementState.choices, default=AgreementState.APPLIED)
    prepared_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="经办人")
    prepared_at = models.DateTimeField("登记时间")
    approved_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="审定人")
    approved_at = models.DateTimeField("审定时间", null=True)

    objects = AgreementQuerySet.as_manager()

    class Meta:
        verbose_name = "服务协议"
        verbose_name_plural = "服务协议"
        ordering = ["-year", "institution__code", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("prepared_by")), name="agreement_four_eyes"
            ),
            models.CheckConstraint(condition=Q(valid_to__gte=F("valid_from")), name="agreement_span"),
            models.UniqueConstraint(
                fields=["institution", "year"],
                condition=Q(state__in=["applied", "in_force", "suspended"]),
                name="one_agreement_a_year",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.institution}"

    def get_absolute_url(self) -> str:
        return reverse("audits:agreement", args=[self.pk])

    @property
    def tone(self) -> str:
        return TONES[self.state]


class AgreementChangeQuerySet(ScopedQuerySet["AgreementChange"]):
    scope_paths = {
        "pooling_area": "agreement__institution__county__pooling_area",
        "county": "agreement__institution__county",
        "alliance": "agreement__institution__memberships__alliance",
        "institution": "agreement__institution",
    }

    def visible_to(self, user: Any) -> AgreementChangeQuerySet:
        """A provider sees what was approved."""
        seen = super().visible_to(user)
        return seen if reads_audits(user) else seen.filter(status="approved")


class AgreementChange(models.Model):
    """Signing, supplement, suspension, resumption, termination, listed-disease function on or off; proposed by one person,
    decided by another. ``data`` holds the growth figures a supplement rests on, or the points that led to it."""

    KINDS = [
        ("sign", "签订"), ("supplement", "补充协议"), ("suspend", "中止协议"), ("resume", "恢复协议"),
        ("terminate", "解除协议"), ("expire", "到期不续签"), ("listed_on", "开通规定病种结算"), ("listed_off", "取消规定病种结算"),
    ]  # fmt: skip
    agreement = models.ForeignKey(Agreement, models.PROTECT, related_name="changes", verbose_name="协议")
    kind = models.CharField("变更", max_length=10, choices=KINDS)
    text = models.TextField("内容")
    data = models.JSONField("其他", default=dict)
    from_on = models.DateField("自")
    until = models.DateField("至", null=True)
    case = models.ForeignKey("audits.Case", models.PROTECT, null=True, related_name="agreement_changes", verbose_name="案件")
    file = models.ForeignKey("core.StoredFile", models.PROTECT, null=True, related_name="+", verbose_name="文件")
    status = models.CharField("状态", max_length=8, choices=DECIDED, default="proposed")
    proposed_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="提出人")
    proposed_at = models.DateTimeField("提出时间")
    decided_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="审定人")
    decided_at = models.DateTimeField("审定时间", null=True)
    decision = models.CharField("审定意见", max_length=300, blank=True)

    objects = AgreementChangeQuerySet.as_manager()

    class Meta:
        verbose_name = "协议变更"
        verbose_name_plural = "协议变更"
        ordering = ["agreement", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("proposed_by")), name="agreement_change_four_eyes"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agreement} {self.get_kind_display()}"

    @property
    def tone(self) -> str:
        return TONES[self.status]


class PhysicianKind(models.TextChoices):
    DOCTOR = "doctor", "医师"
    PHARMACIST = "pharmacist", "药师"
    NURSE = "nurse", "护理"
    TECHNICIAN = "technician", "技术"


class PhysicianQuerySet(ScopedQuerySet["Physician"]):
    scope_paths = {
        "pooling_area": "institution__county__pooling_area",
        "county": "institution__county",
        "alliance": "institution__memberships__alliance",
        "institution": "institution",
    }


class Physician(models.Model):
    """医保支付资格人员: a doctor or pharmacist whose services the fund pays, at one provider in a time."""

    institution = models.ForeignKey("core.Institution", models.PROTECT, related_name="+", verbose_name="机构")
    code = models.CharField("国家医保代码", max_length=20)
    name = models.CharField("姓名", max_length=40)
    kind = models.CharField("类别", max_length=10, choices=PhysicianKind.choices, default=PhysicianKind.DOCTOR)
    department = models.CharField("科室", max_length=60, blank=True)
    valid_from = models.DateField("自")
    valid_to = models.DateField("至", null=True)

    objects = PhysicianQuerySet.as_manager()

    class Meta:
        verbose_name = "医保医师（药师）"
        verbose_name_plural = "医保医师（药师）"
        ordering = ["institution__code", "code"]
        constraints = [
            models.UniqueConstraint(fields=["code", "institution"], condition=Q(valid_to__isnull=True), name="physician_once")
        ]

    def __str__(self) -> str:
        return f"{self.name}（{self.institution}）"

    def get_absolute_url(self) -> str:
        return reverse("audits:physician", args=[self.pk])


class PointQuerySet(ScopedQuerySet["PointEntry"]):
    scope_paths = {
        "pooling_area": "institution__county__pooling_area",
        "county": "institution__county",
        "alliance": "institution__memberships__alliance",
        "institution": "institution",
    }

    def visible_to(self, user: Any) -> PointQuerySet:
        """A provider sees the points in force, not those still proposed."""
        seen = super().visible_to(user)
        return seen if reads_audits(user) else seen.exclude(status__in=["proposed", "returned"])


class PointEntry(models.Model):
    """Points for one breach of a provider (``physician`` None) or of one of its people; the two never mix.

    Proposed by one person, approved by another; withdrawn with a reason when an appeal is accepted.
    """

    institution = models.ForeignKey("core.Institution", models.PROTECT, related_name="+", verbose_name="机构")
    physician = models.ForeignKey(Physician, models.PROTECT, null=True, related_name="points", verbose_name="人员")
    case = models.ForeignKey("audits.Case", models.PROTECT, null=True, related_name="points", verbose_name="案件")
    on = models.DateField("记分日期")
    points = models.PositiveSmallIntegerField("记分")
    severity = models.CharField("情形", max_length=40)
    clause = models.CharField("条款", max_length=200)
    reason = models.TextField("事由")
    status = models.CharField(
        "状态", max_length=9, default="proposed",
        choices=[("proposed", "待审定"), ("in_force", "生效"), ("returned", "已退回"), ("withdrawn", "已撤销")],
    )  # fmt: skip
    proposed_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="提出人")
    proposed_at = models.DateTimeField("提出时间")
    decided_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="审定人")
    decided_at = models.DateTimeField("审定时间", null=True)
    decision = models.CharField("审定意见", max_length=300, blank=True)
    withdrawn_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="撤销人")
    withdrawn_at = models.DateTimeField("撤销时间", null=True)
    withdrawn_reason = models.CharField("撤销理由", max_length=300, blank=True)

    objects = PointQuerySet.as_manager()

    class Meta:
        verbose_name = "协议记分"
        verbose_name_plural = "协议记分"
        ordering = ["-on", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("proposed_by")), name="points_four_eyes"
            ),
            models.CheckConstraint(condition=Q(points__gt=0), name="points_positive"),
        ]
        indexes = [models.Index(fields=["institution", "on"], name="points_of_a_year")]

    def __str__(self) -> str:
        return f"{self.subject} {self.on} {self.points} 分"

    def get_absolute_url(self) -> str:
        return reverse("audits:point", args=[self.pk])

    @property
    def subject(self) -> str:
        """Whose points they are: the person's name, else the provider's."""
        return self.physician.name if self.physician is not None else self.institution.name

    @property
    def severity_text(self) -> str:
        """The severity of a person's breach by its name; a provider's is written out."""
        return BAND_BY_KEY[self.severity].label if self.severity in BAND_BY_KEY else self.severity

    @property
    def tone(self) -> str:
        return "bad" if self.status == "in_force" else TONES[self.status]


class QualificationQuerySet(ScopedQuerySet["Qualification"]):
    scope_paths = {
        "pooling_area": "physician__institution__county__pooling_area",
        "county": "physician__institution__county",
        "alliance": "physician__institution__memberships__alliance",
        "institution": "physician__institution",
    }

    def visible_to(self, user: Any) -> QualificationQuerySet:
        """A provider sees what was approved."""
        seen = super().visible_to(user)
        return seen if reads_audits(user) else seen.filter(status="approved")


class Qualification(models.Model):
    """A suspension or end of a person's payment qualification (医保支付资格) after points; decided by a second person.

    Proposed by the system in the name of who proposed the points. A suspension is without ``months`` (1–6) until an
    officer names them. ``ended``: ``until`` is the last day without the right to register again. ``restored`` takes back
    ``lifts`` whose points no longer stand.
    """

    physician = models.ForeignKey(Physician, models.PROTECT, related_name="qualifications", verbose_name="人员")
    kind = models.CharField(
        "处理", max_length=9, choices=[("suspended", "暂停支付资格"), ("ended", "终止支付资格"), ("restored", "恢复支付资格")]
    )
    from_on = models.DateField("自")
    until = models.DateField("至", null=True)
    months = models.PositiveSmallIntegerField("暂停月数", null=True)
    lifts = models.ForeignKey("self", models.PROTECT, null=True, related_name="lifted_by", verbose_name="所恢复的处理")
    points = models.PositiveSmallIntegerField("年度累计记分")
    at_once = models.BooleanField("一次性记满", default=False)
    reason = models.TextField("事由")
    status = models.CharField("状态", max_length=8, choices=DECIDED, default="proposed")
    proposed_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="提出人")
    proposed_at = models.DateTimeField("提出时间")
    decided_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="审定人")
    decided_at = models.DateTimeField("审定时间", null=True)
    decision = models.CharField("审定意见", max_length=300, blank=True)

    objects = QualificationQuerySet.as_manager()

    class Meta:
        verbose_name = "支付资格处理"
        verbose_name_plural = "支付资格处理"
        ordering = ["physician", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("proposed_by")), name="qualification_four_eyes"
            ),
            models.UniqueConstraint(fields=["lifts"], condition=~Q(status="returned"), name="qualification_lifted_once"),
        ]

    def __str__(self) -> str:
        return f"{self.physician} {self.get_kind_display()}"

    @property
    def tone(self) -> str:
        return "bad" if self.status == "approved" and self.kind != "restored" else TONES[self.status]


class YearlyCheckQuerySet(ScopedQuerySet["YearlyCheck"]):
    scope_paths = {
        "pooling_area": "institution__county__pooling_area",
        "county": "institution__county",
        "alliance": "institution__memberships__alliance",
        "institution": "institution",
    }

    def visible_to(self, user: Any) -> YearlyCheckQuerySet:
        """A provider sees what was approved."""
        seen = super().visible_to(user)
        return seen if reads_audits(user) else seen.filter(status="approved")


class YearlyCheck(models.Model):
    """年度检查考核 of a provider: score after the points' deduction, grade, effects frozen with their trace (R-057).

    ``effects``: what :func:`rules.yearly_check.effects` said. Approved by a second person; the lead hospital's lower
    prepayment ratio is entered for the alliance by a fund officer through the budgets' own service, whose reviewer approves
    it there; ``ratio`` is the id of what was entered.
    """

    institution = models.ForeignKey("core.Institution", models.PROTECT, related_name="+", verbose_name="机构")
    year = models.PositiveSmallIntegerField("年度")
    score = models.DecimalField("检查得分", max_digits=5, decimal_places=2)
    points = models.PositiveSmallIntegerField("协议记分")
    deduction = models.DecimalField("记分折算扣分", max_digits=5, decimal_places=2)
    grade = models.CharField("等次", max_length=20, choices=[(grade.key, grade.label) for grade in GRADES])
    lead_of = models.ForeignKey("core.Alliance", models.PROTECT, null=True, related_name="+", verbose_name="牵头的医共体")
    effects = models.JSONField("影响", default=dict)
    trace = models.JSONField("计算依据", default=list)
    reason = models.TextField("说明", blank=True)
    status = models.CharField("状态", max_length=8, choices=DECIDED, default="proposed")
    ratio = models.PositiveBigIntegerField("预付比例调整", null=True)
    proposed_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="提出人")
    proposed_at = models.DateTimeField("提出时间")
    decided_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="审定人")
    decided_at = models.DateTimeField("审定时间", null=True)
    decision = models.CharField("审定意见", max_length=300, blank=True)

    objects = YearlyCheckQuerySet.as_manager()

    class Meta:
        verbose_name = "年度检查考核"
        verbose_name_plural = "年度检查考核"
        ordering = ["-year", "institution__code", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "year"], condition=~Q(status="returned"), name="one_yearly_check"
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("proposed_by")), name="yearly_check_four_eyes"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.institution} {self.year} 年度检查考核{self.get_grade_display()}"

    def get_absolute_url(self) -> str:
        return reverse("audits:yearly-check", args=[self.pk])

    @property
    def tone(self) -> str:
        return TONES[self.status]

    @property
    def final_score(self) -> Decimal:
        """The score after the deduction, never below zero."""
        return max(self.score - self.deduction, Decimal(0))

    @property
    def lowers_prepayment(self) -> bool:
        """Whether a lower monthly ratio is to be entered for the alliance whose lead hospital this is."""
        return self.lead_of_id is not None and Decimal(self.effects["prepayment_factor"]) < 1
