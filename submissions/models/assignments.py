"""Who owes which table by when, and under which version of the table."""

from __future__ import annotations

from datetime import date, datetime, time

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils import timezone

from core.scope import ScopedQuerySet
from submissions.periods import TablePeriod
from submissions.states import ASSIGNMENT_TONES, GIVING_BACK, UNFILED, AssignmentState

QUARTERS = [("1", "一季度"), ("2", "半年"), ("3", "三季度"), ("4", "全年")]
STATUS = [("proposed", "待核准"), ("approved", "已核准"), ("rejected", "不予核准")]


class TableVersionQuerySet(ScopedQuerySet["TableVersion"]):
    scope_paths = {
        "pooling_area": "pooling_area",
        "county": "pooling_area__counties",
        "alliance": "pooling_area__counties__alliances",
    }

    def visible_to(self, user: object) -> TableVersionQuerySet:
        return super().visible_to(user).distinct()


class TableVersion(models.Model):
    """A loaded version of a table's declaration; the shipped one needs no row. Never changed once approved."""

    pooling_area = models.ForeignKey("core.PoolingArea", models.PROTECT, related_name="+", verbose_name="统筹区")
    table = models.CharField("报表", max_length=20)
    version = models.CharField("版本", max_length=20)
    document = models.TextField("定义文档")
    sha256 = models.CharField("校验值", max_length=64)
    valid_from = models.DateField("自哪一期末日起用")
    status = models.CharField("状态", max_length=10, choices=STATUS, default="proposed")
    entered_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="载入人")
    entered_at = models.DateTimeField("载入时间", auto_now_add=True)
    decided_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="核准人")
    decided_at = models.DateTimeField("核准时间", null=True)

    objects = TableVersionQuerySet.as_manager()

    class Meta:
        verbose_name = "报表版本"
        verbose_name_plural = "报表版本"
        ordering = ["table", "-valid_from", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["pooling_area", "table", "version"], name="table_version_once"),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("entered_by")), name="table_version_four_eyes"
            ),
        ]

    def __str__(self) -> str:
        return f"季度报表第 {self.version} 版"

    def get_absolute_url(self) -> str:
        return reverse("submissions:table-version", args=[self.pk])


class Duty(models.Model):
    """A dated duty to file: which alliances, which periods of the year, how many days after the period's end."""

    pooling_area = models.ForeignKey("core.PoolingArea", models.PROTECT, related_name="+", verbose_name="统筹区")
    county = models.ForeignKey(
        "core.County",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="县（区）",
        help_text="空着：全市",
    )
    table = models.CharField("报表", max_length=20, default="situation")
    quarters = models.CharField("报送期", max_length=10, default="1234", help_text="一至四季度末的数字，如 1234、24")
    days_after = models.PositiveSmallIntegerField("期末后几日内（自然日）", default=15)
    valid_from = models.DateField("生效日期")
    valid_to = models.DateField("失效日期", null=True, blank=True)
    basis = models.CharField("依据", max_length=120, default="宁医保〔2019〕128号 §三(四)")

    class Meta:
        verbose_name = "填报职责"
        verbose_name_plural = "填报职责"
        ordering = ["pooling_area", "table", "valid_from"]

    def __str__(self) -> str:
        return f"{self.county or self.pooling_area} 季度报表（期末后 {self.days_after} 日内）"


class AssignmentQuerySet(ScopedQuerySet["Assignment"]):
    scope_paths = {
        "pooling_area": "alliance__county__pooling_area",
        "county": "alliance__county",
        "alliance": "alliance",
    }

    def with_places(self) -> AssignmentQuerySet:
        return self.select_related("alliance__county__pooling_area")

    def with_standing(self) -> AssignmentQuerySet:
        """With what :meth:`Assignment.is_overdue` asks for, so that many rows need no query each."""
        from submissions.models.versions import SubmissionChange

        given_back = SubmissionChange.objects.filter(assignment=OuterRef("pk"), act__in=GIVING_BACK)
        return self.annotate(given_back=Exists(given_back))

    def overdue(self, today: date) -> AssignmentQuerySet:
        """The rows of which :meth:`Assignment.is_overdue` is true."""
        return self.exclude(changes__act__in=GIVING_BACK).filter(
            Q(admitted_until__isnull=True) | Q(admitted_until__lt=today),
            state__in=UNFILED,
            due_on__lt=today,
            reopened=False,
        )


class Assignment(models.Model):
    """What one alliance owes for one period. Created by the quarter-end job from the duties; never deleted."""

    alliance = models.ForeignKey("core.Alliance", models.PROTECT, related_name="+", verbose_name="医共体")
    table = models.CharField("报表", max_length=20, default="situation")
    period = models.CharField("期间", max_length=6)
    due_on = models.DateField("期限")
    basis = models.CharField("依据", max_length=120, blank=True)
    state = models.CharField("状态", max_length=10, choices=AssignmentState.choices, default=AssignmentState.DUE)
    reopened = models.BooleanField("重新开放", default=False)
    admitted_until = models.DateField("准予迟报至", null=True, blank=True)
    admitted_by = models.ForeignKey(
        "core.User", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="准予人"
    )
    admitted_reason = models.TextField("迟报理由", blank=True)
    reminded = models.CharField("已提醒", max_length=20, blank=True)
    created_at = models.DateTimeField("下达时间", auto_now_add=True)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        verbose_name = "填报任务"
        verbose_name_plural = "填报任务"
        ordering = ["-period", "alliance__code"]
        constraints = [
            models.UniqueConstraint(fields=["alliance", "table", "period"], name="one_assignment_a_period"),
        ]
        indexes = [models.Index(fields=["state", "due_on"], name="assignment_due")]

    def __str__(self) -> str:
        return f"{self.alliance} {self.of.text}基金运行情况表"

    def get_absolute_url(self) -> str:
        return reverse("submissions:assignment", args=[self.pk])

    @property
    def of(self) -> TablePeriod:
        return TablePeriod.parse(self.period)

    @property
    def tone(self) -> str:
        return ASSIGNMENT_TONES[AssignmentState(self.state)]

    @property
    def last_day(self) -> date:
        """The last day on which an upload is in time: the due date, or the later one that was granted."""
        return max(self.due_on, self.admitted_until) if self.admitted_until else self.due_on

    def in_time(self, moment: datetime) -> bool:
        """Whether an upload at ``moment`` counts as filed in time (to 24:00 of the last day)."""
        return timezone.localtime(moment) <= timezone.make_aware(datetime.combine(self.last_day, time.max))

    @property
    def is_given_back(self) -> bool:
        """Whether the bureau returned a version or reopened the table: what was filed before is not late again."""
        known: bool | None = getattr(self, "given_back", None)
        if known is not None:
            return known
        return self.changes.filter(act__in=GIVING_BACK).exists()

    def is_overdue(self, today: date) -> bool:
        """Neither filed nor accepted, the last day passed, and never given back: the one rule for all pages and notices."""
        passed = self.state in UNFILED and not self.reopened and self.last_day < today
        return passed and not self.is_given_back

    @property
    def is_closed(self) -> bool:
        """Accepted and not opened again: nothing more is taken in."""
        return self.state == AssignmentState.ACCEPTED and not self.reopened
