"""Meetings of the bureau with an alliance's lead hospital, what was agreed, and data given by one side to the other (R-067)."""

from __future__ import annotations

from datetime import date

from django.db import models
from django.db.models import Q
from django.urls import reverse

from core.access import BUREAU_ROLES
from core.models import Role
from core.scope import ScopedQuerySet


class Side(models.TextChoices):
    BUREAU = "bureau", "医保局"
    HOSPITAL = "hospital", "医共体"


class MeetingState(models.TextChoices):
    RECORDED = "recorded", "待医共体确认"
    OBJECTED = "objected", "医共体有异议"
    CONFIRMED = "confirmed", "已确认"


class FollowUpState(models.TextChoices):
    OPEN = "open", "未办结"
    DONE = "done", "已办结"


class SupplyKind(models.TextChoices):
    CLAIMS = "claims", "结算明细"
    FACTS = "facts", "月度数据"
    BUDGET = "budget", "预算执行"
    INDICATORS = "indicators", "监测指标"
    GROUPING = "grouping", "病种分组"
    OTHER = "other", "其他"


class SupplyState(models.TextChoices):
    SENT = "sent", "待签收"
    RECEIVED = "received", "已签收"
    WITHDRAWN = "withdrawn", "已撤回"


MEETING_TONES = {MeetingState.RECORDED: "warn", MeetingState.OBJECTED: "bad", MeetingState.CONFIRMED: "ok"}
SUPPLY_TONES = {SupplyState.SENT: "warn", SupplyState.RECEIVED: "ok", SupplyState.WITHDRAWN: ""}
LIAISON_READERS = frozenset(BUREAU_ROLES | {Role.HOSPITAL_FINANCE, Role.OBSERVER})
_PATHS = {"pooling_area": "alliance__county__pooling_area", "county": "alliance__county", "alliance": "alliance"}


class LiaisonMeetingQuerySet(ScopedQuerySet["LiaisonMeeting"]):
    scope_roles = LIAISON_READERS
    scope_paths = _PATHS

    def with_places(self) -> LiaisonMeetingQuerySet:
        return self.select_related("alliance__county__pooling_area", "entered_by", "decided_by", "file")


class LiaisonMeeting(models.Model):
    """One meeting. The bureau writes it down, the hospital confirms or objects; a confirmed one is not changed."""

    alliance = models.ForeignKey("core.Alliance", models.PROTECT, related_name="+", verbose_name="医共体")
    held_on = models.DateField("日期")
    place = models.CharField("地点", max_length=120)
    bureau_people = models.CharField("医保局参加人", max_length=300)
    hospital_people = models.CharField("医共体参加人", max_length=300)
    agenda = models.TextField("议题")
    decisions = models.TextField("议定事项")
    file = models.ForeignKey("core.StoredFile", models.PROTECT, null=True, related_name="+", verbose_name="会议纪要")
    state = models.CharField("状态", max_length=9, choices=MeetingState.choices, default=MeetingState.RECORDED)
    entered_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="登记人")
    entered_at = models.DateTimeField("登记时间", auto_now_add=True)
    decided_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="确认人")
    decided_at = models.DateTimeField("确认时间", null=True)
    objection = models.TextField("异议", blank=True)

    objects = LiaisonMeetingQuerySet.as_manager()

    class Meta:
        verbose_name = "联络会议"
        verbose_name_plural = "联络会议"
        ordering = ["-held_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="confirmed") | Q(decided_by__isnull=False, decided_at__isnull=False),
                name="confirmed_meeting_says_by_whom",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.held_on} {self.alliance}联络会议"

    def get_absolute_url(self) -> str:
        return reverse("monitoring:meeting", args=[self.pk])

    @property
    def tone(self) -> str:
        return MEETING_TONES[MeetingState(self.state)]


class MeetingFollowUpQuerySet(ScopedQuerySet["MeetingFollowUp"]):
    scope_roles = LIAISON_READERS
    scope_paths = {level: f"meeting__{path}" for level, path in _PATHS.items()}


class MeetingFollowUp(models.Model):
    """Something a side is to do by a day. ``result`` is what was done."""

    meeting = models.ForeignKey(LiaisonMeeting, models.PROTECT, related_name="follow_ups", verbose_name="会议")
    text = models.CharField("事项", max_length=300)
    side = models.CharField("责任方", max_length=8, choices=Side.choices)
    person = models.CharField("责任人", max_length=60)
    due_on = models.DateField("期限")
    state = models.CharField("状态", max_length=4, choices=FollowUpState.choices, default=FollowUpState.OPEN)
    result = models.TextField("办理结果", blank=True)
    done_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="办结人")
    done_at = models.DateTimeField("办结时间", null=True)

    objects = MeetingFollowUpQuerySet.as_manager()

    class Meta:
        verbose_name = "会议待办"
        verbose_name_plural = "会议待办"
        ordering = ["due_on", "pk"]

    def __str__(self) -> str:
        return self.text

    def is_overdue(self, today: date) -> bool:
        return self.state == FollowUpState.OPEN and self.due_on < today


class DataSupplyQuerySet(ScopedQuerySet["DataSupply"]):
    scope_roles = LIAISON_READERS
    scope_paths = _PATHS

    def with_places(self) -> DataSupplyQuerySet:
        return self.select_related("alliance__county__pooling_area", "sent_by", "received_by", "file")


class DataSupply(models.Model):
    """Data one side gave the other: a file or a link, when, by whom, and when the other side acknowledged it."""

    alliance = models.ForeignKey("core.Alliance", models.PROTECT, related_name="+", verbose_name="医共体")
    giver = models.CharField("提供方", max_length=8, choices=Side.choices)
    kind = models.CharField("类别", max_length=10, choices=SupplyKind.choices)
    title = models.CharField("内容", max_length=160)
    period = models.CharField("所属期间", max_length=40)
    file = models.ForeignKey("core.StoredFile", models.PROTECT, null=True, related_name="+", verbose_name="文件")
    link = models.CharField("链接或取数位置", max_length=300, blank=True)
    state = models.CharField("状态", max_length=9, choices=SupplyState.choices, default=SupplyState.SENT)
    sent_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="提供人")
    sent_at = models.DateTimeField("提供时间")
    received_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="签收人")
    received_at = models.DateTimeField("签收时间", null=True)
    note = models.CharField("说明", max_length=300, blank=True)

    objects = DataSupplyQuerySet.as_manager()

    class Meta:
        verbose_name = "数据提供"
        verbose_name_plural = "数据提供"
        ordering = ["-sent_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(file__isnull=False) | ~Q(link=""), name="supply_has_file_or_link"),
            models.CheckConstraint(
                condition=Q(received_by__isnull=True) | ~Q(received_by=models.F("sent_by")), name="supply_two_people"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_giver_display()}提供{self.title}（{self.period}）"

    def get_absolute_url(self) -> str:
        return reverse("monitoring:supply", args=[self.pk])

    @property
    def tone(self) -> str:
        return SUPPLY_TONES[SupplyState(self.state)]

    @property
    def taker(self) -> str:
        """The side that receives."""
        return Side.HOSPITAL if self.giver == Side.BUREAU else Side.BUREAU
