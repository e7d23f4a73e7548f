"""Cases (案件), who works on them, their two tracks, their deadlines and everything that happened."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from audits.models.leads import PartyKind
from audits.models.plans import PlanKind, Way
from audits.states import (
    CASE_TONES,
    OPEN_CASES,
    TRACK_TONES,
    Act,
    CaseState,
    TrackKind,
    TrackState,
)
from core.fields import MoneyField
from core.scope import ScopedQuerySet
from rules.procedure import WORKING_DAYS


class CaseQuerySet(ScopedQuerySet["Case"]):
    """Bureau posts see the cases of their places; a provider its own (an alliance its members') once notified."""

    scope_paths = {"pooling_area": "pooling_area", "county": "county", "alliance": "alliance", "institution": "institution"}

    def visible_to(self, user: Any) -> CaseQuerySet:
        from audits.access import PROVIDERS, reads_audits
        from core.access import has_any_role

        seen = super().visible_to(user)
        if reads_audits(user):
            return seen
        if not has_any_role(user, PROVIDERS):
            return self.none()
        return seen.filter(notified_at__isnull=False, party_kind=PartyKind.PROVIDER)

    def with_places(self) -> CaseQuerySet:
        return self.select_related("pooling_area", "county__pooling_area", "alliance__county__pooling_area", "institution")

    def open(self) -> CaseQuerySet:
        return self.filter(state__in=OPEN_CASES)


class Case(models.Model):
    """One party's suspected violations from filing to the last yuan. ``alliance`` is the party's on the day of filing.

    ``suspended_on`` set: nothing but resuming is done and no limit runs. ``notified_at``: since when the provider sees it.
    ``harm``: with harm to health or finance (limitation of five years instead of two).
    """

    number = models.CharField("案号", max_length=40, unique=True)
    pooling_area = models.ForeignKey("core.PoolingArea", models.PROTECT, related_name="+", verbose_name="统筹区")
    county = models.ForeignKey("core.County", models.PROTECT, related_name="+", verbose_name="县（区）")
    alliance = models.ForeignKey("core.Alliance", models.PROTECT, null=True, related_name="+", verbose_name="医共体")
    institution = models.ForeignKey("core.Institution", models.PROTECT, null=True, related_name="+", verbose_name="机构")
    party_kind = models.CharField("对象类别", max_length=10, choices=PartyKind.choices)
    party_name = models.CharField("对象", max_length=80)
    party_code = models.CharField("对象编码", max_length=64, blank=True)
    kind = models.CharField("稽核类型", max_length=8, choices=PlanKind.choices)
    way = models.CharField("稽核方式", max_length=8, choices=Way.choices)
    title = models.CharField("案由", max_length=120)
    claims_from = models.DateField("费用所属期自")
    claims_to = models.DateField("费用所属期至")
    harm = models.BooleanField("危害健康或基金安全", default=False)
    state = models.CharField("状态", max_length=11, choices=CaseState.choices, default=CaseState.INVESTIGATING)
    filed_on = models.DateField("立案日期")
    opened_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="提请人")
    approved_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="立案审批人")
    submitted_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="提请初审人")
    first_reviewed_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="初审人")
    first_reviewed_at = models.DateTimeField("初审时间", null=True)
    first_amount = MoneyField("初审认定金额", null=True)
    notified_at = models.DateTimeField("首次告知时间", null=True)
    suspended_on = models.DateField("中止日期", null=True)
    closed_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="结案审批人")
    closed_at = models.DateTimeField("结案时间", null=True)

    objects = CaseQuerySet.as_manager()

    class Meta:
        verbose_name = "稽核案件"
        verbose_name_plural = "稽核案件"
        ordering = ["-filed_on", "-pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(opened_by=F("approved_by")), name="case_filing_four_eyes"),
            models.CheckConstraint(
                condition=Q(first_reviewed_by__isnull=True) | ~Q(first_reviewed_by=F("submitted_by")),
                name="case_first_review_four_eyes",
            ),
            models.CheckConstraint(condition=Q(claims_to__gte=F("claims_from")), name="case_claims_span"),
        ]
        indexes = [models.Index(fields=["state", "filed_on"], name="case_by_state")]

    def __str__(self) -> str:
        return f"{self.number} {self.party}"

    def get_absolute_url(self) -> str:
        return reverse("audits:case", args=[self.pk])

    @property
    def tone(self) -> str:
        return CASE_TONES[CaseState(self.state)]

    @property
    def at(self) -> Any:
        """The narrowest place the case is about."""
        return self.institution or self.alliance or self.county

    @property
    def party(self) -> str:
        """Whom it is about in words; a person is never named, only its kind."""
        return self.party_name or self.get_party_kind_display()

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_CASES

    @property
    def is_suspended(self) -> bool:
        return self.suspended_on is not None


class CaseOfficer(models.Model):
    """An officer's time on a case; ``card`` is the enforcement card (执法证号). At most one leads at a time."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="officers", verbose_name="案件")
    user = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="办案人员")
    leads = models.BooleanField("主办", default=False)
    card = models.CharField("执法证号", max_length=40)
    since = models.DateField("自")
    until = models.DateField("至", null=True)

    class Meta:
        verbose_name = "办案人员"
        verbose_name_plural = "办案人员"
        ordering = ["case", "-leads", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["case", "user"], condition=Q(until__isnull=True), name="case_officer_once"),
            models.UniqueConstraint(
                fields=["case"], condition=Q(until__isnull=True, leads=True), name="case_has_one_lead_officer"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}（{'主办' if self.leads else '协办'}）"


class Track(models.Model):
    """One of the two ways of a case after its first review; what is proposed and decided on it.

    ``measures`` (proposal): {"points": int, "suspend_months": int, "terminate": bool, "text": str}; ``penalty``: the frozen
    range, grade and trace of :func:`rules.penalties.fine_range`. ``holds_money``: this track's decision refuses and
    recovers (the agreement track where there is one, else the penalty track), so money is decided once.
    """

    case = models.ForeignKey(Case, models.PROTECT, related_name="tracks", verbose_name="案件")
    kind = models.CharField("程序", max_length=9, choices=TrackKind.choices)
    state = models.CharField("状态", max_length=9, choices=TrackState.choices, default=TrackState.TO_NOTIFY)
    holds_money = models.BooleanField("认定基金损失的程序")
    opened_at = models.DateTimeField("启动时间")
    proposed_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="拟定人")
    proposed_at = models.DateTimeField("拟定时间", null=True)
    fine = MoneyField("罚款", null=True)
    grade = models.CharField("裁量等级", max_length=10, blank=True)
    grade_reason = models.TextField("裁量理由", blank=True)
    measures = models.JSONField("处理措施", default=dict)
    penalty = models.JSONField("处罚幅度", default=dict)
    needs_hearing = models.BooleanField("有权要求听证", default=False)
    needs_legal = models.BooleanField("须法制审核", default=False)
    notified_on = models.DateField("告知送达日期", null=True)
    re_reviewed_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="复审人")
    re_reviewed_at = models.DateTimeField("复审时间", null=True)
    legal_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="法制审核人")
    legal_at = models.DateTimeField("法制审核时间", null=True)
    decided_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="决定人")
    decided_on = models.DateField("决定日期", null=True)
    decided_amount = MoneyField("决定金额", null=True)
    served_on = models.DateField("送达日期", null=True)
    service_way = models.CharField("送达方式", max_length=20, blank=True)
    done_on = models.DateField("履行完毕日期", null=True)

    class Meta:
        verbose_name = "办理程序"
        verbose_name_plural = "办理程序"
        ordering = ["case", "kind"]
        constraints = [
            models.UniqueConstraint(fields=["case", "kind"], name="case_track_once"),
            models.UniqueConstraint(fields=["case"], condition=Q(holds_money=True), name="case_money_on_one_track"),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("proposed_by")), name="track_decided_by_another"
            ),
            models.CheckConstraint(
                condition=Q(legal_by__isnull=True) | Q(re_reviewed_by__isnull=True) | ~Q(legal_by=F("re_reviewed_by")),
                name="track_legal_by_a_third",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case} {self.get_kind_display()}"

    @property
    def tone(self) -> str:
        return TRACK_TONES[TrackState(self.state)]


class Deadline(models.Model):
    """A limit that runs in a case (or track): begun and ended by acts, extended with a reason, paused while suspended.

    ``due_on`` counts to the end of that day. ``ended_on`` None: it still runs. ``paused_on``: since when it stands still.
    ``count`` of ``unit`` (as :mod:`rules.procedure`) from ``starts_on``, at most ``extension`` more, as they were that day;
    0 where the day itself was agreed. ``pauses``: [first, last] days not counted, ISO dates, both included.
    """

    case = models.ForeignKey(Case, models.PROTECT, related_name="deadlines", verbose_name="案件")
    track = models.ForeignKey(Track, models.PROTECT, null=True, related_name="deadlines", verbose_name="程序")
    key = models.CharField("期限", max_length=20)
    count = models.PositiveSmallIntegerField("天数", default=0)
    unit = models.CharField("单位", max_length=12, default=WORKING_DAYS)
    extension = models.PositiveSmallIntegerField("可延长天数", default=0)
    starts_on = models.DateField("起算日")
    due_on = models.DateField("届满日")
    extended_to = models.DateField("延长至", null=True)
    extensions = models.PositiveSmallIntegerField("延长次数", default=0)
    paused_on = models.DateField("暂停自", null=True)
    pauses = models.JSONField("不计入期间", default=list)
    ended_on = models.DateField("办结日", null=True)
    escalations = models.PositiveSmallIntegerField("逾期升级次数", default=0)

    class Meta:
        verbose_name = "办案期限"
        verbose_name_plural = "办案期限"
        ordering = ["case", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "track", "key"], condition=Q(ended_on__isnull=True, track__isnull=False), name="one_running_track_limit"
            ),
            models.UniqueConstraint(
                fields=["case", "key"], condition=Q(ended_on__isnull=True, track__isnull=True), name="one_running_case_limit"
            ),
        ]
        indexes = [models.Index(fields=["ended_on", "due_on"], name="deadline_running")]

    def __str__(self) -> str:
        return f"{self.case_id} {self.key} {self.last_day}"

    @property
    def last_day(self) -> Any:
        """The day that counts now: the extended one where there is one."""
        return self.extended_to or self.due_on


class CaseChange(models.Model):
    """Everything that happened to a case or one of its tracks, oldest first; appended, never changed."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="changes", verbose_name="案件")
    track = models.ForeignKey(Track, models.PROTECT, null=True, related_name="changes", verbose_name="程序")
    act = models.CharField("动作", max_length=12, choices=Act.choices)
    source = models.CharField("原状态", max_length=11, blank=True)
    target = models.CharField("新状态", max_length=11)
    actor = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="办理人")
    at = models.DateTimeField("时间")
    reason = models.TextField("说明", blank=True)
    until = models.DateField("期限", null=True)
    data = models.JSONField("其他", default=dict)
    files = models.ManyToManyField("core.StoredFile", related_name="+", verbose_name="附件")

    class Meta:
        verbose_name = "案件办理记录"
        verbose_name_plural = "案件办理记录"
        ordering = ["case", "pk"]

    def __str__(self) -> str:
        return f"{self.case_id} {self.get_act_display()}"


class NumberSeries(models.Model):
    """The last number given of a series (leads, cases, plans, one kind of document) of a place in a year: no gaps."""

    pooling_area = models.ForeignKey("core.PoolingArea", models.PROTECT, related_name="+", verbose_name="统筹区")
    series = models.CharField("编号序列", max_length=40)
    year = models.PositiveSmallIntegerField("年")
    last = models.PositiveIntegerField("末号", default=0)

    class Meta:
        verbose_name = "编号序列"
        verbose_name_plural = "编号序列"
        ordering = ["pooling_area", "series", "year"]
        constraints = [models.UniqueConstraint(fields=["pooling_area", "series", "year"], name="number_series_once")]

    def __str__(self) -> str:
        return f"{self.series} {self.year} {self.last}"
