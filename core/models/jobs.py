"""The truth about long work: one row a run, whatever the broker remembers."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.urls import reverse

from core.models.people import Role
from core.models.places import Alliance, County, PoolingArea
from core.scope import ScopedQuerySet


class JobState(models.TextChoices):
    QUEUED = "queued", "排队"
    RUNNING = "running", "运行中"
    DONE = "done", "完成"
    FAILED = "failed", "失败"


UNFINISHED = (JobState.QUEUED, JobState.RUNNING)


JOB_READERS = frozenset(Role) - {Role.HOSPITAL_FINANCE, Role.MEMBER_INSTITUTION, Role.TIP_SECRECY, Role.DUTY_BODY}
"""Posts that see the work going on at their place; everybody else sees what she started herself."""


class JobQuerySet(ScopedQuerySet["Job"]):
    scope_roles = JOB_READERS
    scope_paths = {"pooling_area": "pooling_area", "county": "county", "alliance": "alliance"}

    def visible_to(self, user: Any) -> JobQuerySet:
        inside = super().visible_to(user).values("pk")
        return self.filter(Q(pk__in=inside) | Q(actor=user))

    def unfinished(self) -> JobQuerySet:
        return self.filter(state__in=UNFINISHED)


class Job(models.Model):
    """One run of named work for a scope and period; at most one unfinished run of the same three."""

    name = models.CharField("任务", max_length=60)
    label = models.CharField("说明", max_length=120)
    scope = models.CharField("对象", max_length=120, blank=True)
    period = models.CharField("期间", max_length=20, blank=True)
    params = models.JSONField("参数", default=dict)
    fingerprint = models.CharField("输入指纹", max_length=64, blank=True)
    state = models.CharField("状态", max_length=10, choices=JobState.choices, default=JobState.QUEUED)
    progress_done = models.BigIntegerField("已完成", default=0)
    progress_total = models.BigIntegerField("总量", default=0)
    progress_text = models.CharField("进度说明", max_length=200, blank=True)
    outcome = models.TextField("结果", blank=True)
    attempts = models.PositiveSmallIntegerField("尝试次数", default=0)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    actor = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="jobs", verbose_name="发起人")
    pooling_area = models.ForeignKey(PoolingArea, models.PROTECT, null=True, related_name="+")
    county = models.ForeignKey(County, models.PROTECT, null=True, related_name="+")
    alliance = models.ForeignKey(Alliance, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField("提交时间", auto_now_add=True)
    started_at = models.DateTimeField("开始时间", null=True)
    heartbeat_at = models.DateTimeField("最近心跳", null=True)
    finished_at = models.DateTimeField("结束时间", null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = "任务"
        verbose_name_plural = "任务"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["name", "scope", "period"],
                condition=Q(state__in=["queued", "running"]),
                name="one_unfinished_job_per_scope",
            )
        ]
        indexes = [models.Index(fields=["state", "heartbeat_at"], name="job_stale")]

    def __str__(self) -> str:
        return f"{self.label} {self.period}".strip()

    def get_absolute_url(self) -> str:
        return reverse("core:job", args=[self.pk])

    @property
    def percent(self) -> int:
        if self.state == JobState.DONE:
            return 100
        return min(99, self.progress_done * 100 // self.progress_total) if self.progress_total else 0

    @property
    def is_finished(self) -> bool:
        return self.state in (JobState.DONE, JobState.FAILED)
