"""Rounds of negotiation between bureau and alliance about a package (seed 001 §四(二), R-018)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from core.fields import MoneyField
from core.scope import ScopedQuerySet


class NegotiationRoundQuerySet(ScopedQuerySet["NegotiationRound"]):
    scope_paths = {
        "pooling_area": "version__package__alliance__county__pooling_area",
        "county": "version__package__alliance__county",
        "alliance": "version__package__alliance",
    }


class NegotiationRound(models.Model):
    """谈判协商: who sat on both sides, what each proposed, what was agreed, and the signed minutes."""

    version = models.ForeignKey(
        "budgets.PackageVersion", models.PROTECT, related_name="rounds", verbose_name="打包预算版本"
    )
    number = models.PositiveSmallIntegerField("轮次")
    held_on = models.DateField("协商日期")
    bureau_participants = models.CharField("医保部门参加人", max_length=300)
    alliance_participants = models.CharField("医共体参加人", max_length=300)
    bureau_position = MoneyField("医保部门意见（元）", null=True, blank=True)
    alliance_position = MoneyField("医共体意见（元）", null=True, blank=True)
    minutes = models.TextField("协商纪要")
    outcome = models.CharField("结论", max_length=200)
    file = models.ForeignKey(
        "core.StoredFile", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="签字纪要"
    )
    recorded_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="记录人")
    recorded_at = models.DateTimeField("记录时间", auto_now_add=True)

    objects = NegotiationRoundQuerySet.as_manager()

    class Meta:
        verbose_name = "谈判协商"
        verbose_name_plural = "谈判协商"
        ordering = ["version", "number"]
        constraints = [
            models.UniqueConstraint(fields=["version", "number"], name="negotiation_number"),
            models.CheckConstraint(
                condition=~Q(bureau_participants="") & ~Q(alliance_participants=""), name="negotiation_has_both_sides"
            ),
        ]

    def __str__(self) -> str:
        return f"第 {self.number} 轮（{self.held_on}）"
