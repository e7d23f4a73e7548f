"""Analysis reports: what was written of a period, by version, with the editor's comments and every act (R-060, R-070)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from core.access import BUREAU_ROLES
from core.models import Role
from core.scope import ScopedQuerySet
from rules.spans import Span


class ReportKind(models.TextChoices):
    MONTH = "month", "月度分析"
    QUARTER = "quarter", "季度汇总"
    HALF = "half", "半年度汇总"
    YEAR = "year", "年度汇总"


class ReportState(models.TextChoices):
    DRAFT = "draft", "草稿"
    SUBMITTED = "submitted", "待审定"
    RETURNED = "returned", "已退回"
    APPROVED = "approved", "已审定"
    ISSUED = "issued", "已印发"
    RECALLED = "recalled", "已撤回"
    SUPERSEDED = "superseded", "已被新版取代"


class ReportAct(models.TextChoices):
    DRAFT = "draft", "起草报告"
    REFRESH = "refresh", "刷新数据"
    SUBMIT = "submit", "提交审定"
    WITHDRAW = "withdraw", "撤回提交"
    RETURN = "return", "退回修改"
    APPROVE = "approve", "审定报告"
    ISSUE = "issue", "印发报告"
    RECALL = "recall", "撤回印发"
    SUPERSEDE = "supersede", "由新版取代"


OFFICER, REVIEWER = frozenset({Role.FUND_OFFICER}), frozenset({Role.FUND_REVIEWER})
REPORT_READERS = frozenset(BUREAU_ROLES | {Role.OBSERVER})
REPORT_ROLES: dict[str, frozenset[str]] = {
    ReportAct.DRAFT: OFFICER,
    ReportAct.REFRESH: OFFICER,
    ReportAct.SUBMIT: OFFICER,
    ReportAct.WITHDRAW: OFFICER,
    ReportAct.RETURN: REVIEWER,
    ReportAct.APPROVE: REVIEWER,
    ReportAct.ISSUE: REVIEWER,
    ReportAct.RECALL: REVIEWER,
}


@dataclass(frozen=True)
class ReportStep:
    """``act`` done in ``source`` leads to ``target``; ``needs_reason`` when the person must say why."""

    source: str
    act: str
    target: str
    needs_reason: bool = False


S, A = ReportState, ReportAct
REPORT_STEPS: tuple[ReportStep, ...] = (
    ReportStep(S.DRAFT, A.REFRESH, S.DRAFT),
    ReportStep(S.RETURNED, A.REFRESH, S.RETURNED),
    ReportStep(S.DRAFT, A.SUBMIT, S.SUBMITTED),
    ReportStep(S.RETURNED, A.SUBMIT, S.SUBMITTED),
    ReportStep(S.SUBMITTED, A.WITHDRAW, S.DRAFT, needs_reason=True),
    ReportStep(S.SUBMITTED, A.RETURN, S.RETURNED, needs_reason=True),
    ReportStep(S.SUBMITTED, A.APPROVE, S.APPROVED),
    ReportStep(S.APPROVED, A.RETURN, S.RETURNED, needs_reason=True),
    ReportStep(S.APPROVED, A.ISSUE, S.ISSUED),
    ReportStep(S.ISSUED, A.RECALL, S.RECALLED, needs_reason=True),
    ReportStep(S.ISSUED, A.SUPERSEDE, S.SUPERSEDED),
)
OPEN_REPORTS = (S.DRAFT, S.SUBMITTED, S.RETURNED, S.APPROVED)
EDITABLE = (S.DRAFT, S.RETURNED)
FROZEN = (S.ISSUED, S.RECALLED, S.SUPERSEDED)
REPORT_TONES = {
    S.DRAFT: "", S.SUBMITTED: "warn", S.RETURNED: "bad", S.APPROVED: "run", S.ISSUED: "ok", S.RECALLED: "bad",
    S.SUPERSEDED: "",
}  # fmt: skip


def report_step(source: str, act: str) -> ReportStep | None:
    return next((row for row in REPORT_STEPS if row.source == source and row.act == act), None)


def report_action(act: str) -> str:
    """The registered name of an act, for rights and for the trail."""
    return f"monitoring.report_{act}"


COMMENT = report_action("comment")


class AnalysisReportQuerySet(ScopedQuerySet["AnalysisReport"]):
    """A county's reports for its posts and the city's, the city's for the city's; hospitals see released circulars only."""

    scope_paths = {"pooling_area": "pooling_area", "county": "county"}
    scope_roles = REPORT_READERS

    def with_places(self) -> AnalysisReportQuerySet:
        return self.select_related("pooling_area", "county__pooling_area")

    def open(self) -> AnalysisReportQuerySet:
        return self.filter(state__in=OPEN_REPORTS)

    def circulars_for(self, user: Any) -> AnalysisReportQuerySet:
        """Issued reports whose circular the user may read: readers' own, and released ones for the hospitals there."""
        from core.scope import scope_of

        alliances = scope_of(user, frozenset({Role.HOSPITAL_FINANCE})).alliance
        released = self.filter(released=True).filter(
            Q(county__alliances__in=alliances) | Q(county=None, pooling_area__counties__alliances__in=alliances)
        )
        rows = self.filter(Q(pk__in=self.visible_to(user).values("pk")) | Q(pk__in=released.values("pk")))
        return rows.filter(state=ReportState.ISSUED)


class AnalysisReport(models.Model):
    """One version of the report of a place and span. ``place`` is its key (P3, C7), ``span`` the text of a Span.

    ``content`` is the whole report as figures and sentences (strings), frozen when submitted; ``inputs`` the digest of
    what it was made of, so that a later change of facts shows. ``due_on`` counts natural days, the last one included.
    """

    number = models.CharField("编号", max_length=40)
    pooling_area = models.ForeignKey("core.PoolingArea", models.PROTECT, related_name="+", verbose_name="统筹区")
    county = models.ForeignKey("core.County", models.PROTECT, null=True, related_name="+", verbose_name="县（区）")
    place = models.CharField("对象", max_length=12)
    kind = models.CharField("类别", max_length=7, choices=ReportKind.choices)
    span = models.CharField("期间", max_length=7)
    ends_on = models.DateField("期末")
    version = models.PositiveIntegerField("版本", default=1)
    state = models.CharField("状态", max_length=10, choices=ReportState.choices, default=ReportState.DRAFT)
    due_on = models.DateField("报送期限", null=True)
    content = models.JSONField("内容", default=dict)
    digest = models.CharField("内容校验值", max_length=64)
    inputs = models.CharField("数据校验值", max_length=64)
    data_to = models.DateField("数据截至", null=True)
    made_at = models.DateTimeField("数据生成时间")
    released = models.BooleanField("通报发医疗机构", default=False)
    word = models.ForeignKey("core.StoredFile", models.PROTECT, null=True, related_name="+", verbose_name="Word 文件")
    prepared_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="起草人")
    prepared_at = models.DateTimeField("起草时间")
    submitted_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="提交人")
    submitted_at = models.DateTimeField("提交时间", null=True)
    approved_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="审定人")
    approved_at = models.DateTimeField("审定时间", null=True)
    issued_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="印发人")
    issued_at = models.DateTimeField("印发时间", null=True)

    objects = AnalysisReportQuerySet.as_manager()

    class Meta:
        verbose_name = "分析报告"
        verbose_name_plural = "分析报告"
        ordering = ["-ends_on", "place", "kind", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["place", "span", "version"], name="one_report_version"),
            models.UniqueConstraint(
                fields=["place", "span"],
                condition=Q(state__in=[str(state) for state in OPEN_REPORTS]),
                name="one_open_report",
            ),
            models.UniqueConstraint(
                fields=["place", "span"], condition=Q(state=str(ReportState.ISSUED)), name="one_issued_report"
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True)
                | (~Q(approved_by=F("submitted_by")) & (Q(prepared_by__isnull=True) | ~Q(approved_by=F("prepared_by")))),
                name="report_four_eyes",
            ),
        ]
        indexes = [models.Index(fields=["state", "due_on"], name="report_waiting")]

    def __str__(self) -> str:
        return f"{self.at}{self.of.text.replace(' ', '')}基金运行{self.title}"

    def get_absolute_url(self) -> str:
        return reverse("monitoring:report", args=[self.pk])

    @property
    def at(self) -> Any:
        """The county or pooling area the report is about."""
        return self.county or self.pooling_area

    @property
    def of(self) -> Span:
        return Span.parse(self.span)

    @property
    def title(self) -> str:
        return "分析报告" if self.kind == ReportKind.MONTH else "汇总分析报告"

    @property
    def tone(self) -> str:
        return REPORT_TONES[ReportState(self.state)]

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_REPORTS

    @property
    def is_editable(self) -> bool:
        return self.state in EDITABLE

    def is_overdue(self, today: date) -> bool:
        """Not issued although the last day is over."""
        return self.is_open and self.due_on is not None and self.due_on < today


class ReportComment(models.Model):
    """What an editor wrote beside a section; the newest of a section counts, the former ones stay."""

    report = models.ForeignKey(AnalysisReport, models.PROTECT, related_name="comments", verbose_name="报告")
    section = models.CharField("章节", max_length=12)
    text = models.TextField("内容", blank=True)
    written_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="填写人")
    written_at = models.DateTimeField("填写时间")
    carried = models.BooleanField("沿用上一版", default=False)

    class Meta:
        verbose_name = "报告说明"
        verbose_name_plural = "报告说明"
        ordering = ["report", "pk"]

    def __str__(self) -> str:
        return f"{self.report_id} {self.section}"


class ReportChange(models.Model):
    """Every act on a version; appended, never changed. ``digest`` is that of the content then."""

    report = models.ForeignKey(AnalysisReport, models.PROTECT, related_name="changes", verbose_name="报告")
    act = models.CharField("动作", max_length=9, choices=ReportAct.choices)
    source = models.CharField("原状态", max_length=10, choices=ReportState.choices, blank=True)
    target = models.CharField("新状态", max_length=10, choices=ReportState.choices)
    actor = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="办理人")
    at = models.DateTimeField("时间")
    reason = models.TextField("说明", blank=True)
    digest = models.CharField("内容校验值", max_length=64)

    class Meta:
        verbose_name = "报告办理记录"
        verbose_name_plural = "报告办理记录"
        ordering = ["report", "pk"]

    def __str__(self) -> str:
        return f"{self.report_id} {self.get_act_display()}"
