"""The append-only trail: one hash chain per pooling area, refused to UPDATE and DELETE by the database itself."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.db import models

from core.models.people import Role
from core.models.places import Alliance, County, PoolingArea
from core.scope import ScopedQuerySet

GENESIS = "0" * 64


TRAIL_READERS = frozenset(
    {
        Role.FUND_OFFICER,
        Role.FUND_REVIEWER,
        Role.FUND_FINANCE,
        Role.AUDITOR,
        Role.AUDIT_REVIEWER,
        Role.LEGAL_REVIEWER,
        Role.ADMINISTRATOR,
    }
)
"""Posts that read the trail of their place; the other side of a negotiation does not."""


class TrailEventQuerySet(ScopedQuerySet["TrailEvent"]):
    scope_roles = TRAIL_READERS
    scope_paths = {"pooling_area": "pooling_area", "county": "county", "alliance": "alliance"}


class TrailEvent(models.Model):
    """One act: who, when, what, on which object, with which figures; ``hash`` covers the row and its predecessor."""

    chain = models.CharField("链", max_length=10)
    seq = models.PositiveBigIntegerField("序号")
    at = models.DateTimeField("时间")
    actor = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="操作人")
    actor_name = models.CharField("操作人姓名", max_length=60)
    action = models.CharField("动作", max_length=60)
    subject_type = models.CharField("对象类型", max_length=60)
    subject_id = models.CharField("对象编号", max_length=40)
    summary = models.CharField("摘要", max_length=400)
    data = models.JSONField("数据", default=dict)
    pooling_area = models.ForeignKey(PoolingArea, models.PROTECT, null=True, related_name="+")
    county = models.ForeignKey(County, models.PROTECT, null=True, related_name="+")
    alliance = models.ForeignKey(Alliance, models.PROTECT, null=True, related_name="+")
    prev_hash = models.CharField("前一哈希", max_length=64)
    hash = models.CharField("哈希", max_length=64)

    objects = TrailEventQuerySet.as_manager()

    class Meta:
        verbose_name = "操作轨迹"
        verbose_name_plural = "操作轨迹"
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["chain", "seq"], name="trail_chain_seq")]
        indexes = [models.Index(fields=["subject_type", "subject_id"], name="trail_subject")]

    def __str__(self) -> str:
        return self.summary

    def computed_hash(self) -> str:
        """The hash this row must carry: canonical JSON of its content after its predecessor's hash."""
        content: dict[str, Any] = {
            "chain": self.chain,
            "seq": self.seq,
            "at": self.at.isoformat(),
            "actor": self.actor_id,
            "actor_name": self.actor_name,
            "action": self.action,
            "subject": [self.subject_type, self.subject_id],
            "summary": self.summary,
            "data": self.data,
            "places": [self.pooling_area_id, self.county_id, self.alliance_id],
        }
        text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256((self.prev_hash + text).encode()).hexdigest()


class TrailHead(models.Model):
    """The last row of a chain; locked as the last statement of every service."""

    chain = models.CharField("链", max_length=10, primary_key=True)
    seq = models.PositiveBigIntegerField("序号", default=0)
    hash = models.CharField("哈希", max_length=64, default=GENESIS)

    class Meta:
        verbose_name = "轨迹链首"
        verbose_name_plural = "轨迹链首"

    def __str__(self) -> str:
        return f"{self.chain} #{self.seq}"
