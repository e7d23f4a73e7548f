"""Each upload with its original file, what was read from it, what was found, and every act on it."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from core.access import HOSPITAL_ROLES
from core.models import FundType
from core.scope import ScopedQuerySet
from submissions.models.assignments import Assignment
from submissions.states import SEEN_BY_BUREAU, TONES, Act, SubmissionKind, SubmissionState

FUND_SHEETS = [*FundType.choices, ("ALL", "合计")]


class Severity(models.TextChoices):
    REFUSAL = "refusal", "不能读取"
    HARD = "hard", "硬性错误"
    SOFT = "soft", "需说明"
    NOTE = "note", "提示"


class SubmissionQuerySet(ScopedQuerySet["Submission"]):
    scope_paths = {
        "pooling_area": "assignment__alliance__county__pooling_area",
        "county": "assignment__alliance__county",
        "alliance": "assignment__alliance",
    }

    def visible_to(self, user: Any) -> SubmissionQuerySet:
        """Hospital posts see every version of theirs; the bureau what was filed, not the drafts."""
        inside = super().visible_to(user)
        own = [
            grant.alliance_id
            for grant in user.grants_on(timezone.localdate())
            if grant.role in HOSPITAL_ROLES and grant.alliance_id
        ]
        return inside.filter(Q(assignment__alliance__in=own) | Q(filed_at__isnull=False))

    def with_places(self) -> SubmissionQuerySet:
        return self.select_related(
            "assignment__alliance__county__pooling_area", "file", "answer", "uploaded_by", "filed_by", "decided_by"
        )


class Submission(models.Model):
    """第 n 版 of an assignment. ``figures`` is what was read: see :mod:`submissions.figures`."""

    assignment = models.ForeignKey(Assignment, models.PROTECT, related_name="versions", verbose_name="填报任务")
    number = models.PositiveSmallIntegerField("版本")
    kind = models.CharField("类别", max_length=10, choices=SubmissionKind.choices, default=SubmissionKind.WORKBOOK)
    state = models.CharField("状态", max_length=10, choices=SubmissionState.choices, default=SubmissionState.RECEIVED)
    receipt = models.CharField("回执编号", max_length=40, unique=True)
    file = models.ForeignKey("core.StoredFile", models.PROTECT, null=True, related_name="+", verbose_name="原始文件")
    answer = models.ForeignKey(
        "core.StoredFile", models.PROTECT, null=True, related_name="+", verbose_name="标注工作簿"
    )
    table_version = models.CharField("报表版本", max_length=20, blank=True)
    table_sha256 = models.CharField("报表版本校验值", max_length=64, blank=True)
    figures = models.JSONField("读取的数据", default=dict)
    notes = models.JSONField("读取说明", default=list)
    cells_read = models.PositiveIntegerField("读取单元格", default=0)
    checks_run = models.PositiveIntegerField("检查条数", default=0)
    checked_at = models.DateTimeField("检查时间", null=True)
    reason = models.TextField("无数据理由", blank=True)
    uploaded_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="上传人")
    uploaded_at = models.DateTimeField("上传时间")
    filed_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="报送人")
    filed_at = models.DateTimeField("报送时间", null=True)
    decided_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="受理人")
    decided_at = models.DateTimeField("受理时间", null=True)

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        verbose_name = "报表版本"
        verbose_name_plural = "报表版本"
        ordering = ["assignment", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["assignment", "number"], name="submission_number_once"),
            models.UniqueConstraint(
                fields=["assignment"],
                condition=Q(state__in=["received", "refused", "checked", "filed", "returned"]),
                name="one_open_submission",
            ),
            models.UniqueConstraint(
                fields=["assignment"], condition=Q(state="accepted"), name="one_accepted_submission"
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True)
                | (~Q(decided_by=F("uploaded_by")) & (Q(filed_by__isnull=True) | ~Q(decided_by=F("filed_by")))),
                name="submission_four_eyes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.assignment} 第 {self.number} 版"

    def get_absolute_url(self) -> str:
        return reverse("submissions:version", args=[self.pk])

    @property
    def alliance(self) -> Any:
        return self.assignment.alliance

    @property
    def tone(self) -> str:
        return TONES[SubmissionState(self.state)]

    @property
    def is_filed(self) -> bool:
        return self.state in SEEN_BY_BUREAU


class Waiver(models.Model):
    """A reviewer lets one check pass for one assignment: who, why. A row, never a switch."""

    assignment = models.ForeignKey(Assignment, models.PROTECT, related_name="waivers", verbose_name="填报任务")
    code = models.CharField("检查代码", max_length=10)
    fund_type = models.CharField("险种", max_length=3, blank=True, choices=FUND_SHEETS)
    row_code = models.CharField("行次", max_length=20, blank=True)
    institution = models.CharField("机构编号", max_length=20, blank=True)
    reason = models.TextField("理由")
    granted_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="准予人")
    granted_at = models.DateTimeField("准予时间", auto_now_add=True)

    class Meta:
        verbose_name = "检查豁免"
        verbose_name_plural = "检查豁免"
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.code} 豁免"


class Finding(models.Model):
    """One thing a check found: where, what value, what is wrong, how to mend it."""

    submission = models.ForeignKey(Submission, models.CASCADE, related_name="findings", verbose_name="报表版本")
    number = models.PositiveIntegerField("序号")
    code = models.CharField("代码", max_length=10)
    severity = models.CharField("级别", max_length=10, choices=Severity.choices)
    sheet = models.CharField("工作表", max_length=40, blank=True)
    cell = models.CharField("单元格", max_length=12, blank=True)
    fund_type = models.CharField("险种", max_length=3, blank=True, choices=FUND_SHEETS)
    row_code = models.CharField("行次", max_length=20, blank=True)
    institution = models.CharField("机构编号", max_length=20, blank=True)
    place = models.CharField("位置说明", max_length=120, blank=True)
    value = models.CharField("填报值", max_length=200, blank=True)
    text = models.TextField("问题")
    remedy = models.TextField("改法", blank=True)
    waiver = models.ForeignKey(Waiver, models.PROTECT, null=True, related_name="findings", verbose_name="豁免")
    explanation = models.TextField("说明", blank=True)
    explained_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="说明人")
    explained_at = models.DateTimeField("说明时间", null=True)

    class Meta:
        verbose_name = "检查发现"
        verbose_name_plural = "检查发现"
        ordering = ["submission", "number"]
        constraints = [models.UniqueConstraint(fields=["submission", "number"], name="finding_number_once")]

    def __str__(self) -> str:
        return f"{self.code} {self.sheet} {self.cell}".strip()

    @property
    def is_blocking(self) -> bool:
        return self.severity in (Severity.REFUSAL, Severity.HARD) and self.waiver_id is None

    @property
    def is_open_question(self) -> bool:
        return self.severity == Severity.SOFT and self.waiver_id is None and not self.explanation


class SubmissionChange(models.Model):
    """One act on an assignment or a version: who, when, from where to where, why. Append-only."""

    assignment = models.ForeignKey(Assignment, models.PROTECT, related_name="changes", verbose_name="填报任务")
    submission = models.ForeignKey(
        Submission, models.PROTECT, null=True, related_name="changes", verbose_name="报表版本"
    )
    act = models.CharField("办理", max_length=12, choices=Act.choices)
    source = models.CharField("原状态", max_length=10, blank=True)
    target = models.CharField("新状态", max_length=10, blank=True)
    actor = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="办理人")
    at = models.DateTimeField("时间")
    reason = models.TextField("理由", blank=True)

    class Meta:
        verbose_name = "报表办理记录"
        verbose_name_plural = "报表办理记录"
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.get_act_display()} {self.at:%Y-%m-%d %H:%M}"
