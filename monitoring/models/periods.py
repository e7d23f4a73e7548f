"""Months of a pooling area, open or closed, and what became of every month-end step of every alliance."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.urls import reverse

from core.models.jobs import JOB_READERS
from core.scope import ScopedQuerySet
from rules.periods import Month


class PeriodState(models.TextChoices):
    OPEN = "open", "未结账"
    CLOSED = "closed", "已结账"
    REOPENED = "reopened", "已重新打开"


class PeriodAct(models.TextChoices):
    CLOSE = "close", "结账"
    REOPEN = "reopen", "重新打开"


class RunState(models.TextChoices):
    WAITING = "waiting", "未开始"
    RUNNING = "running", "进行中"
    DONE = "done", "完成"
    FAILED = "failed", "未完成"
    SKIPPED = "skipped", "未执行"


PERIOD_TONES = {PeriodState.OPEN: "", PeriodState.CLOSED: "ok", PeriodState.REOPENED: "warn"}
RUN_TONES = {
    RunState.WAITING: "", RunState.RUNNING: "run", RunState.DONE: "ok", RunState.FAILED: "bad", RunState.SKIPPED: "warn",
}  # fmt: skip


class PeriodQuerySet(ScopedQuerySet["Period"]):
    """Everybody of the bureau whose post stands in the area sees its months; hospitals have no part in them."""

    scope_roles = JOB_READERS
    scope_paths = {
        "pooling_area": "pooling_area",
        "county": "pooling_area__counties",
        "alliance": "pooling_area__counties__alliances",
    }

    def visible_to(self, user: Any) -> PeriodQuerySet:
        return super().visible_to(user).distinct()


class Period(models.Model):
    """A month of a pooling area. No row: open, never closed. Facts that come after closing still come in as new versions."""

    pooling_area = models.ForeignKey("core.PoolingArea", models.PROTECT, related_name="+", verbose_name="统筹区")
    year = models.PositiveSmallIntegerField("年")
    month = models.PositiveSmallIntegerField("月")
    state = models.CharField("状态", max_length=8, choices=PeriodState.choices, default=PeriodState.OPEN)
    closed_at = models.DateTimeField("结账时间", null=True)
    closed_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="结账人")
    reason = models.TextField("理由", blank=True)

    objects = PeriodQuerySet.as_manager()

    class Meta:
        verbose_name = "会计期间"
        verbose_name_plural = "会计期间"
        ordering = ["-year", "-month"]
        constraints = [
            models.UniqueConstraint(fields=["pooling_area", "year", "month"], name="one_period_a_month"),
            models.CheckConstraint(condition=Q(month__gte=1) & Q(month__lte=12), name="period_month_1_to_12"),
            models.CheckConstraint(
                condition=~Q(state="closed") | Q(closed_at__isnull=False, closed_by__isnull=False),
                name="closed_period_says_by_whom",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pooling_area} {self.of}"

    def get_absolute_url(self) -> str:
        return reverse("monitoring:run", args=[str(self.of)])

    @property
    def of(self) -> Month:
        return Month(self.year, self.month)

    @property
    def is_closed(self) -> bool:
        return self.state == PeriodState.CLOSED

    @property
    def tone(self) -> str:
        return PERIOD_TONES[PeriodState(self.state)]


class PeriodChange(models.Model):
    """One closing or reopening, with the steps that were not done and the facts' versions then. Never changed."""

    period = models.ForeignKey(Period, models.PROTECT, related_name="changes", verbose_name="期间")
    act = models.CharField("办理", max_length=6, choices=PeriodAct.choices)
    source = models.CharField("原状态", max_length=8, choices=PeriodState.choices)
    target = models.CharField("新状态", max_length=8, choices=PeriodState.choices)
    actor = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="办理人")
    at = models.DateTimeField("时间")
    reason = models.TextField("理由", blank=True)
    undone = models.JSONField("当时未完成的步骤", default=list)
    facts = models.JSONField("当时的月度数据版本", default=dict)

    class Meta:
        verbose_name = "结账记录"
        verbose_name_plural = "结账记录"
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.period} {self.get_act_display()}"


class StepRunQuerySet(ScopedQuerySet["StepRun"]):
    scope_roles = JOB_READERS
    scope_paths = {
        "pooling_area": "alliance__county__pooling_area",
        "county": "alliance__county",
        "alliance": "alliance",
    }


class StepRun(models.Model):
    """The last run of one month-end step for one alliance and month. ``missing``: what was owed when it did not end well.

    ``inputs`` is the digest of what a done step read; ``after_close`` says that it ran on a closed month.
    """

    alliance = models.ForeignKey("core.Alliance", models.PROTECT, related_name="+", verbose_name="医共体")
    year = models.PositiveSmallIntegerField("年")
    month = models.PositiveSmallIntegerField("月")
    step = models.CharField("步骤", max_length=40)
    label = models.CharField("步骤名称", max_length=60)
    state = models.CharField("状态", max_length=8, choices=RunState.choices, default=RunState.WAITING)
    outcome = models.TextField("结果", blank=True)
    missing = models.JSONField("当时还缺", default=list)
    inputs = models.CharField("输入校验值", max_length=64, blank=True)
    attempts = models.PositiveIntegerField("运行次数", default=0)
    started_at = models.DateTimeField("开始时间", null=True)
    finished_at = models.DateTimeField("结束时间", null=True)
    after_close = models.BooleanField("结账后更正", default=False)
    job = models.ForeignKey("core.Job", models.SET_NULL, null=True, related_name="+", verbose_name="任务")

    objects = StepRunQuerySet.as_manager()

    class Meta:
        verbose_name = "月末步骤"
        verbose_name_plural = "月末步骤"
        ordering = ["alliance", "year", "month", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["alliance", "year", "month", "step"], name="one_step_run"),
        ]
        indexes = [models.Index(fields=["year", "month"], name="step_run_month")]

    def __str__(self) -> str:
        return f"{self.alliance} {self.of} {self.label}"

    @property
    def of(self) -> Month:
        return Month(self.year, self.month)

    @property
    def tone(self) -> str:
        return RUN_TONES[RunState(self.state)]
