"""Warnings, what was known of their figure month by month, what was answered, everything that happened; the watch list."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from core.fields import MoneyField
from core.models import FundType
from core.scope import ScopedQuerySet
from monitoring.models.figures import FIGURE_READERS, PlaceKind
from monitoring.models.thresholds import Level, Threshold
from monitoring.states import OPEN_STATES, TONES, Act, WarningState
from rules.periods import Month

SOURCES = [("threshold", "指标阈值"), ("distress", "基金出险"), ("manual", "人工发起")]


class WarningQuerySet(ScopedQuerySet["Warning"]):
    """Hospitals see the sent warnings of their alliance and its members; a county its own; the city all."""

    scope_roles = FIGURE_READERS
    scope_paths = {
        "pooling_area": "pooling_area",
        "county": "county",
        "alliance": "alliance",
        "institution": "institution",
    }

    def visible_to(self, user: Any) -> WarningQuerySet:
        """Unsent warnings and those of a county's fund are for bureau posts only."""
        from core.access import BUREAU_ROLES, has_any_role
        from core.models import Role

        seen = super().visible_to(user)
        if has_any_role(user, BUREAU_ROLES | {Role.OBSERVER}):
            return seen
        return seen.filter(sent_at__isnull=False, alliance__isnull=False)

    def with_places(self) -> WarningQuerySet:
        return self.select_related("pooling_area", "county", "alliance__county__pooling_area", "institution", "threshold")

    def open(self) -> WarningQuerySet:
        return self.filter(state__in=OPEN_STATES)


class Warning(models.Model):
    """One cause at one place: at most one open warning a place, fund type and cause.

    ``cause`` is what makes two breaches the same (the indicator's key, or ``distress``). ``year``/``month`` are those of
    the first breach; the newest figure stands in :class:`WarningFigure`. ``due_on`` is the day (inclusive) by which the
    one whose turn it is must act. ``escalations`` counts deadlines missed since the last answer.
    """

    number = models.CharField("单号", max_length=40, unique=True)
    source = models.CharField("来源", max_length=9, choices=SOURCES, default="threshold")
    kind = models.CharField("层级", max_length=11, choices=PlaceKind.choices)
    place = models.CharField("对象", max_length=12)
    pooling_area = models.ForeignKey("core.PoolingArea", models.PROTECT, related_name="+", verbose_name="统筹区")
    county = models.ForeignKey("core.County", models.PROTECT, null=True, related_name="+", verbose_name="县（区）")
    alliance = models.ForeignKey("core.Alliance", models.PROTECT, null=True, related_name="+", verbose_name="医共体")
    institution = models.ForeignKey("core.Institution", models.PROTECT, null=True, related_name="+", verbose_name="机构")
    fund_type = models.CharField("险种", max_length=3, choices=FundType.choices)
    cause = models.CharField("原因", max_length=24)
    indicator = models.CharField("指标", max_length=24, blank=True)
    threshold = models.ForeignKey(Threshold, models.PROTECT, null=True, related_name="+", verbose_name="阈值")
    title = models.CharField("事由", max_length=120)
    level = models.CharField("等级", max_length=6, choices=Level.choices)
    year = models.PositiveSmallIntegerField("首次触发年")
    month = models.PositiveSmallIntegerField("首次触发月")
    state = models.CharField("状态", max_length=8, choices=WarningState.choices, default=WarningState.RAISED)
    raised_at = models.DateTimeField("触发时间")
    sent_at = models.DateTimeField("送达时间", null=True)
    sent_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="送达人")
    due_on = models.DateField("期限", null=True)
    escalations = models.PositiveSmallIntegerField("逾期升级次数", default=0)
    recovered = models.BooleanField("指标已恢复", default=False)
    closed_at = models.DateTimeField("解除时间", null=True)
    closed_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="解除人")
    accepted_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="采纳人")

    objects = WarningQuerySet.as_manager()

    class Meta:
        verbose_name = "风险预警"
        verbose_name_plural = "风险预警"
        ordering = ["-raised_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["place", "fund_type", "cause"],
                condition=Q(state__in=[str(state) for state in OPEN_STATES]),
                name="one_open_warning_per_cause",
            ),
            models.CheckConstraint(
                condition=Q(closed_by__isnull=True) | Q(accepted_by__isnull=True) | ~Q(closed_by=F("accepted_by")),
                name="warning_closed_by_another",
            ),
        ]
        indexes = [models.Index(fields=["state", "due_on"], name="warning_waiting")]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("monitoring:warning", args=[self.pk])

    @property
    def period(self) -> Month:
        return Month(self.year, self.month)

    @property
    def tone(self) -> str:
        return TONES[WarningState(self.state)]

    @property
    def at(self) -> Any:
        """The place the warning is about."""
        return self.institution or self.alliance or self.county or self.pooling_area

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES


class WarningFigure(models.Model):
    """The figure of a warning as one month knew it; appended, never changed. ``threshold_value`` is the level breached.

    ``data`` holds what the causes page shows (trend, peers, distress causes …) as strings.
    """

    warning = models.ForeignKey(Warning, models.PROTECT, related_name="figures", verbose_name="预警")
    year = models.PositiveSmallIntegerField("年")
    month = models.PositiveSmallIntegerField("月")
    value = models.DecimalField("指标值", max_digits=20, decimal_places=6, null=True)
    compared = models.DecimalField("比较值", max_digits=20, decimal_places=6, null=True)
    threshold_value = models.DecimalField("阈值", max_digits=20, decimal_places=6, null=True)
    level = models.CharField("等级", max_length=6, choices=Level.choices, blank=True)
    affected = MoneyField("涉及金额", null=True)
    data_to = models.DateField("数据截至", null=True)
    trace = models.JSONField("计算依据", default=list)
    data = models.JSONField("其他", default=dict)
    place_month = models.ForeignKey(
        "monitoring.PlaceMonth", models.PROTECT, null=True, related_name="+", verbose_name="监测月度数据"
    )
    noted_at = models.DateTimeField("记录时间")

    class Meta:
        verbose_name = "预警指标值"
        verbose_name_plural = "预警指标值"
        ordering = ["warning", "pk"]

    def __str__(self) -> str:
        return f"{self.warning_id} {self.year}-{self.month:02d} {self.value}"


class WarningAnswer(models.Model):
    """What the hospital (or the county) answered, one row a version; never changed."""

    warning = models.ForeignKey(Warning, models.PROTECT, related_name="answers", verbose_name="预警")
    number = models.PositiveIntegerField("次数")
    cause = models.TextField("原因")
    measures = models.TextField("措施")
    target = models.CharField("目标", max_length=200, blank=True)
    by_date = models.DateField("完成日期")
    files = models.ManyToManyField("core.StoredFile", related_name="+", verbose_name="附件")
    answered_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="答复人")
    answered_at = models.DateTimeField("答复时间")

    class Meta:
        verbose_name = "预警答复"
        verbose_name_plural = "预警答复"
        ordering = ["warning", "number"]
        constraints = [models.UniqueConstraint(fields=["warning", "number"], name="warning_answer_once")]

    def __str__(self) -> str:
        return f"{self.warning_id} 第 {self.number} 次答复"


class WarningChange(models.Model):
    """Everything that happened to a warning, oldest first; appended, never changed. ``data``: talk participants etc."""

    warning = models.ForeignKey(Warning, models.PROTECT, related_name="changes", verbose_name="预警")
    act = models.CharField("动作", max_length=10, choices=Act.choices)
    source = models.CharField("原状态", max_length=8, choices=WarningState.choices, blank=True)
    target = models.CharField("新状态", max_length=8, choices=WarningState.choices)
    actor = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="办理人")
    at = models.DateTimeField("时间")
    reason = models.TextField("说明", blank=True)
    until = models.DateField("期限", null=True)
    data = models.JSONField("其他", default=dict)
    files = models.ManyToManyField("core.StoredFile", related_name="+", verbose_name="附件")

    class Meta:
        verbose_name = "预警办理记录"
        verbose_name_plural = "预警办理记录"
        ordering = ["warning", "pk"]

    def __str__(self) -> str:
        return f"{self.warning_id} {self.get_act_display()}"


CONSEQUENCES = [
    ("watch", "纳入监控重点"),
    ("quota", "下调医保基金定额"),
    ("grade", "降低考核等级"),
    ("agreement", "协议中严格管理"),
]
WATCH_STATUS = [("proposed", "待核准"), ("approved", "已核准"), ("rejected", "不予核准"), ("ended", "已解除")]


class WatchEntryQuerySet(ScopedQuerySet["WatchEntry"]):
    scope_paths = {
        "pooling_area": "county__pooling_area",
        "county": "county",
    }


class WatchEntry(models.Model):
    """R-064: in a county in continuing distress a provider with abnormal spending is watched, its quota cut, its grade
    lowered. Proposed by an officer, approved by a reviewer; the effect on budgets is theirs to carry out."""

    county = models.ForeignKey("core.County", models.PROTECT, related_name="+", verbose_name="县（区）")
    institution = models.ForeignKey("core.Institution", models.PROTECT, related_name="+", verbose_name="机构")
    warning = models.ForeignKey(Warning, models.PROTECT, related_name="watched", verbose_name="出险预警")
    fund_type = models.CharField("险种", max_length=3, choices=FundType.choices)
    consequence = models.CharField("措施", max_length=9, choices=CONSEQUENCES)
    detail = models.CharField("内容", max_length=300)
    valid_from = models.DateField("自")
    valid_to = models.DateField("至", null=True, blank=True)
    status = models.CharField("状态", max_length=8, choices=WATCH_STATUS, default="proposed")
    proposed_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="提出人")
    proposed_at = models.DateTimeField("提出时间", auto_now_add=True)
    decided_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="核准人")
    decided_at = models.DateTimeField("核准时间", null=True)
    decided_reason = models.CharField("核准意见", max_length=300, blank=True)

    objects = WatchEntryQuerySet.as_manager()

    class Meta:
        verbose_name = "监控重点"
        verbose_name_plural = "监控重点"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("proposed_by")), name="watch_four_eyes"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.institution} {self.get_consequence_display()}"
