"""One settlement per alliance, year and fund type; its versions; and every change of a version's state.

A version is drafted by one person and approved by another (the database holds it too). What it computed lies in
``Computation``; who did what, when, why and until when lies in ``StateChange``, which is never changed.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils import timezone

from core.access import HOSPITAL_ROLES
from core.models import FundType
from core.scope import LEVELS, ScopedQuerySet
from settlement.models.computations import Computation
from settlement.states import OPEN_STATES, SEEN_BY_HOSPITAL, TONES, Act, VersionState


def inside_scope(user: Any, paths: dict[str, str], sent: Q) -> Q:
    """Rows at the places of the user's posts; at those of hospital posts only rows that were ``sent`` to them.

    A post at a single institution sees no settlement: the statement goes to the lead hospital (seed 001 §二(二)4).
    """
    inside = Q(pk__in=[])
    if not user.is_authenticated or not user.is_active:
        return inside
    for grant in user.grants_on(timezone.localdate()):
        for level in LEVELS:
            place = getattr(grant, f"{level}_id")
            if place is not None and level in paths:
                here = Q(**{paths[level]: place})
                inside |= here & sent if grant.role in HOSPITAL_ROLES else here
    return inside


class SettlementQuerySet(ScopedQuerySet["Settlement"]):
    scope_paths = {"pooling_area": "alliance__county__pooling_area", "county": "alliance__county", "alliance": "alliance"}

    def visible_to(self, user: Any) -> SettlementQuerySet:
        sent = SettlementVersion.objects.filter(settlement=OuterRef("pk"), state__in=SEEN_BY_HOSPITAL)
        return self.filter(inside_scope(user, self.scope_paths, Q(Exists(sent))))

    def with_places(self) -> SettlementQuerySet:
        return self.select_related("alliance__county__pooling_area")


class Settlement(models.Model):
    """年度清算 of one alliance, year and fund type (A3). Never combined, never deleted."""

    alliance = models.ForeignKey("core.Alliance", models.PROTECT, related_name="+", verbose_name="医共体")
    year = models.PositiveSmallIntegerField("年度")
    fund_type = models.CharField("险种", max_length=3, choices=FundType.choices)
    created_at = models.DateTimeField("建立时间", auto_now_add=True)

    objects = SettlementQuerySet.as_manager()

    class Meta:
        verbose_name = "年度清算"
        verbose_name_plural = "年度清算"
        ordering = ["-year", "alliance__code", "fund_type"]
        constraints = [
            models.UniqueConstraint(fields=["alliance", "year", "fund_type"], name="one_settlement_a_year_and_fund")
        ]

    def __str__(self) -> str:
        return f"{self.alliance} {self.year} 年度{self.get_fund_type_display()}清算"

    @property
    def number(self) -> str:
        """单号, printed on the statement."""
        return f"清-{self.year}-{self.alliance.code}-{self.get_fund_type_display()}"


class VersionKind(models.TextChoices):
    ORIGINAL = "original", "首次清算"
    CORRECTION = "correction", "更正"


class SettlementVersionQuerySet(ScopedQuerySet["SettlementVersion"]):
    scope_paths = {
        "pooling_area": "settlement__alliance__county__pooling_area",
        "county": "settlement__alliance__county",
        "alliance": "settlement__alliance",
    }

    def visible_to(self, user: Any) -> SettlementVersionQuerySet:
        return self.filter(inside_scope(user, self.scope_paths, Q(state__in=SEEN_BY_HOSPITAL)))

    def open(self) -> SettlementVersionQuerySet:
        return self.filter(state__in=OPEN_STATES)

    def with_places(self) -> SettlementVersionQuerySet:
        """With all that a statement's head prints, in one query."""
        return self.select_related(
            "settlement__alliance__county__pooling_area", "computation", "prepared_by", "reviewed_by", "sent_by",
            "confirmed_by", "finalised_by",
        )  # fmt: skip


class SettlementVersion(models.Model):
    """第 n 版: the original or a correction (A18). At most one open version a settlement."""

    settlement = models.ForeignKey(Settlement, models.PROTECT, related_name="versions", verbose_name="年度清算")
    number = models.PositiveSmallIntegerField("版本")
    kind = models.CharField("类别", max_length=10, choices=VersionKind.choices, default=VersionKind.ORIGINAL)
    reason = models.TextField("更正原因", blank=True)
    state = models.CharField("状态", max_length=12, choices=VersionState.choices, default=VersionState.DRAFT)
    computation = models.ForeignKey(
        "settlement.Computation", models.PROTECT, null=True, related_name="+", verbose_name="现行计算"
    )
    prepared_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="经办人")
    prepared_at = models.DateTimeField("起草时间", null=True)
    reviewed_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="复核人")
    reviewed_at = models.DateTimeField("复核时间", null=True)
    sent_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="送达人")
    sent_at = models.DateTimeField("送达时间", null=True)
    confirm_by = models.DateField("确认期限", null=True)
    reminded_on = models.DateField("逾期提醒日期", null=True)
    confirmed_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="确认人")
    confirmed_at = models.DateTimeField("确认时间", null=True)
    finalised_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="审定人")
    finalised_at = models.DateTimeField("审定时间", null=True)

    objects = SettlementVersionQuerySet.as_manager()

    class Meta:
        verbose_name = "清算版本"
        verbose_name_plural = "清算版本"
        ordering = ["settlement", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["settlement", "number"], name="settlement_version_once"),
            models.UniqueConstraint(
                fields=["settlement"],
                condition=Q(state__in=[state.value for state in OPEN_STATES]),
                name="one_open_settlement_version",
            ),
            models.CheckConstraint(
                condition=(Q(reviewed_by__isnull=True) | Q(prepared_by__isnull=True) | ~Q(reviewed_by=F("prepared_by")))
                & (Q(finalised_by__isnull=True) | Q(prepared_by__isnull=True) | ~Q(finalised_by=F("prepared_by"))),
                name="settlement_four_eyes",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "cancelled"]) | Q(reviewed_at__isnull=False),
                name="settlement_reviewed_before_sent",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.settlement} 第 {self.number} 版"

    def get_absolute_url(self) -> str:
        return reverse("settlement:statement", args=[self.pk])

    @property
    def figures(self) -> Computation:
        """The current computation; every version gets its first one in the transaction that makes it."""
        if self.computation is None:
            raise ValueError(f"{self} was never computed")
        return self.computation

    @property
    def alliance(self) -> Any:
        return self.settlement.alliance

    @property
    def tone(self) -> str:
        """The tone of the state's badge."""
        return TONES[VersionState(self.state)]

    @property
    def alliance_id(self) -> int:
        return self.settlement.alliance_id

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES


class StateChange(models.Model):
    """One act on a version: who, when, from where to where, why, and until when the next person has. Append-only."""

    version = models.ForeignKey(SettlementVersion, models.PROTECT, related_name="changes", verbose_name="清算版本")
    act = models.CharField("办理", max_length=20, choices=Act.choices)
    source = models.CharField("原状态", max_length=12, blank=True)
    target = models.CharField("新状态", max_length=12, choices=VersionState.choices)
    actor = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="办理人")
    at = models.DateTimeField("时间")
    reason = models.TextField("理由", blank=True)
    until = models.DateField("办理期限", null=True)
    computation = models.ForeignKey(
        "settlement.Computation", models.PROTECT, null=True, related_name="+", verbose_name="所依据的计算"
    )
    files = models.ManyToManyField("core.StoredFile", related_name="+", verbose_name="附件")

    class Meta:
        verbose_name = "清算办理记录"
        verbose_name_plural = "清算办理记录"
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.get_act_display()} → {self.get_target_display()}"
