"""Leads (线索) from every source, what happened to each, the claim rows they point at; audit plans and their targets."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from audits.states import LEAD_TONES, OPEN_LEADS, Act, LeadState
from core.fields import MoneyField
from core.models import FundType
from core.scope import ScopedQuerySet


class LeadSource(models.TextChoices):
    WARNING = "warning", "风险预警"
    SCREENING = "screening", "智能审核"
    TIP = "tip", "举报投诉"
    SELF_INSPECTION = "self", "自查自纠"
    DEPARTMENT = "department", "部门移交"
    INSPECTION = "inspection", "专项（飞行）检查"
    ROUTINE = "routine", "日常稽核计划"
    LISTED_DISEASE = "listed", "门诊规定病种"
    NURSING = "nursing", "医养结合机构"
    PRICE = "price", "超支付限额"
    FOLLOW_UP = "follow_up", "回头看"
    OTHER = "other", "其他"


class PartyKind(models.TextChoices):
    """Whom a lead or a case is about."""

    PROVIDER = "provider", "定点医药机构"
    PERSON = "person", "参保人员"
    PHYSICIAN = "physician", "医保医师（药师）"
    AGENCY = "agency", "经办机构"
    ENTERPRISE = "enterprise", "医药企业"


class LeadQuerySet(ScopedQuerySet["Lead"]):
    """Leads are for the bureau's own posts; a provider sees its case once it was notified, never the lead."""

    scope_paths = {"pooling_area": "pooling_area", "county": "county"}

    def visible_to(self, user: Any) -> LeadQuerySet:
        from audits.access import reads_audits

        if not reads_audits(user):
            return self.none()
        return super().visible_to(user)

    def with_places(self) -> LeadQuerySet:
        return self.select_related(
            "pooling_area", "county__pooling_area", "alliance", "institution__county", "assigned_to", "proposed_by", "case"
        )

    def open(self) -> LeadQuerySet:
        return self.filter(state__in=OPEN_LEADS)


class Lead(models.Model):
    """One suspicion with its source. ``origin_type``/``origin_key`` name what it came from, at most one lead each.

    ``party_name`` is the provider's or enterprise's name; a person is named only by pseudonym in ``party_code``.
    ``due_on`` is the last day (inclusive) to decide on filing. ``estimate`` is the yuan in question as first seen.
    """

    number = models.CharField("编号", max_length=40, unique=True)
    source = models.CharField("来源", max_length=12, choices=LeadSource.choices)
    origin_type = models.CharField("来源类别", max_length=60, blank=True)
    origin_key = models.CharField("来源编号", max_length=60, blank=True)
    pooling_area = models.ForeignKey("core.PoolingArea", models.PROTECT, related_name="+", verbose_name="统筹区")
    county = models.ForeignKey("core.County", models.PROTECT, related_name="+", verbose_name="县（区）")
    alliance = models.ForeignKey("core.Alliance", models.PROTECT, null=True, related_name="+", verbose_name="医共体")
    institution = models.ForeignKey("core.Institution", models.PROTECT, null=True, related_name="+", verbose_name="机构")
    party_kind = models.CharField("对象类别", max_length=10, choices=PartyKind.choices, default=PartyKind.PROVIDER)
    party_name = models.CharField("对象", max_length=80)
    party_code = models.CharField("对象编码", max_length=64, blank=True)
    fund_type = models.CharField("险种", max_length=3, choices=FundType.choices, blank=True)
    title = models.CharField("事由", max_length=120)
    detail = models.TextField("情况")
    estimate = MoneyField("涉及金额", null=True)
    received_on = models.DateField("收到日期")
    state = models.CharField("状态", max_length=8, choices=LeadState.choices, default=LeadState.NEW)
    due_on = models.DateField("立案期限")
    is_extended = models.BooleanField("已延长", default=False)
    escalations = models.PositiveSmallIntegerField("逾期升级次数", default=0)
    assigned_to = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="核查人")
    proposal = models.CharField("提请", max_length=12, blank=True)
    proposed_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="提请人")
    decided_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="审批人")
    decided_at = models.DateTimeField("审批时间", null=True)
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, related_name="merged", verbose_name="并入")
    case = models.ForeignKey("audits.Case", models.PROTECT, null=True, related_name="leads", verbose_name="案件")
    files = models.ManyToManyField("core.StoredFile", related_name="+", verbose_name="附件")
    entered_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="登记人")
    entered_at = models.DateTimeField("登记时间")

    objects = LeadQuerySet.as_manager()

    class Meta:
        verbose_name = "线索"
        verbose_name_plural = "线索"
        ordering = ["-received_on", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "origin_type", "origin_key"], condition=~Q(origin_key=""), name="one_lead_per_origin"
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | Q(proposed_by__isnull=True) | ~Q(decided_by=F("proposed_by")),
                name="lead_four_eyes",
            ),
        ]
        indexes = [models.Index(fields=["state", "due_on"], name="lead_waiting")]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("audits:lead", args=[self.pk])

    @property
    def tone(self) -> str:
        return LEAD_TONES[LeadState(self.state)]

    @property
    def at(self) -> Any:
        """The narrowest place the lead is about."""
        return self.institution or self.alliance or self.county

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_LEADS


class LeadClaim(models.Model):
    """A claim row a lead points at, as it was known then; appended only. ``amount`` is the fund money in question."""

    lead = models.ForeignKey(Lead, models.PROTECT, related_name="claims", verbose_name="线索")
    county = models.ForeignKey("core.County", models.PROTECT, null=True, related_name="+", verbose_name="参保县（区）")
    settlement_id = models.CharField("结算单号", max_length=60)
    settled_on = models.DateField("结算日期")
    fund_type = models.CharField("险种", max_length=3, choices=FundType.choices)
    amount = MoneyField("金额")
    note = models.CharField("说明", max_length=200, blank=True)

    class Meta:
        verbose_name = "线索结算记录"
        verbose_name_plural = "线索结算记录"
        ordering = ["lead", "pk"]
        constraints = [models.UniqueConstraint(fields=["lead", "county", "settlement_id"], name="lead_claim_once")]

    def __str__(self) -> str:
        return f"{self.settlement_id} {self.amount}"


class LeadChange(models.Model):
    """Everything that happened to a lead, oldest first; appended, never changed."""

    lead = models.ForeignKey(Lead, models.PROTECT, related_name="changes", verbose_name="线索")
    act = models.CharField("动作", max_length=12, choices=Act.choices)
    source = models.CharField("原状态", max_length=8, choices=LeadState.choices, blank=True)
    target = models.CharField("新状态", max_length=8, choices=LeadState.choices)
    actor = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="办理人")
    at = models.DateTimeField("时间")
    reason = models.TextField("说明", blank=True)
    data = models.JSONField("其他", default=dict)

    class Meta:
        verbose_name = "线索办理记录"
        verbose_name_plural = "线索办理记录"
        ordering = ["lead", "pk"]

    def __str__(self) -> str:
        return f"{self.lead_id} {self.get_act_display()}"
