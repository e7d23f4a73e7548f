"""Evidence (证据) with its hash, what was found (认定事实) and the claim rows behind it, what the provider says of it."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from audits.models.cases import Case, Track
from core.fields import MoneyField
from core.models import FundType


class EvidenceKind(models.TextChoices):
    DOCUMENT = "document", "书证"
    DATA = "data", "电子数据"
    RECORD = "record", "现场检查笔录"
    TALK = "talk", "询问笔录"
    PHOTO = "photo", "照片录像"
    OPINION = "opinion", "专家（鉴定）意见"
    STATEMENT = "statement", "当事人陈述"
    OTHER = "other", "其他"


class Evidence(models.Model):
    """One piece, kept by its sha-256; appended, never changed. Taken by two officers of the case.

    ``registered_until``: registered before seizure (先行登记保存), to be dealt with by that day; ``handled`` rows tell how.
    ``third_party`` names who supplied or examined it when it was not the officers.
    """

    case = models.ForeignKey(Case, models.PROTECT, related_name="evidence", verbose_name="案件")
    number = models.PositiveIntegerField("序号")
    kind = models.CharField("种类", max_length=9, choices=EvidenceKind.choices)
    name = models.CharField("名称", max_length=120)
    note = models.CharField("说明", max_length=300, blank=True)
    file = models.ForeignKey("core.StoredFile", models.PROTECT, related_name="+", verbose_name="文件")
    sha256 = models.CharField("校验值", max_length=64)
    collected_on = models.DateField("取得日期")
    collected_at_place = models.CharField("取得地点", max_length=120, blank=True)
    collected_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="取证人")
    witnessed_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="共同取证人")
    third_party = models.CharField("第三方", max_length=120, blank=True)
    registered_until = models.DateField("登记保存期限", null=True)
    added_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="登记人")
    added_at = models.DateTimeField("登记时间")

    class Meta:
        verbose_name = "证据"
        verbose_name_plural = "证据"
        ordering = ["case", "number"]
        constraints = [
            models.UniqueConstraint(fields=["case", "number"], name="evidence_number_once"),
            models.CheckConstraint(condition=~Q(collected_by=F("witnessed_by")), name="evidence_by_two_officers"),
        ]

    def __str__(self) -> str:
        return f"证据 {self.number} {self.name}"


class EvidenceNote(models.Model):
    """What came later to a piece of evidence: handled after registration, withdrawn with a reason; appended only."""

    evidence = models.ForeignKey(Evidence, models.PROTECT, related_name="notes", verbose_name="证据")
    kind = models.CharField("类别", max_length=9, choices=[("handled", "登记保存已处理"), ("withdrawn", "不再采用")])
    text = models.CharField("说明", max_length=300)
    by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="办理人")
    at = models.DateTimeField("时间")

    class Meta:
        verbose_name = "证据附注"
        verbose_name_plural = "证据附注"
        ordering = ["evidence", "pk"]

    def __str__(self) -> str:
        return f"{self.evidence_id} {self.get_kind_display()}"


class Finding(models.Model):
    """One fact of violation: ``act`` is a key of :data:`rules.penalties.ACTS`. Its yuan are the sum of its kept lines.

    ``spared``: the penalty's re-review took it out of the penalty after its money had been decided.
    """

    case = models.ForeignKey(Case, models.PROTECT, related_name="findings", verbose_name="案件")
    number = models.PositiveIntegerField("序号")
    act = models.CharField("违规行为", max_length=40)
    clause = models.CharField("条款", max_length=200)
    text = models.TextField("事实")
    acted_from = models.DateField("行为起")
    acted_to = models.DateField("行为止")
    dropped = models.BooleanField("不予认定", default=False)
    dropped_reason = models.CharField("不予认定理由", max_length=300, blank=True)
    spared = models.BooleanField("不计入处罚", default=False)
    evidence = models.ManyToManyField(Evidence, related_name="findings", verbose_name="证据")
    made_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="认定人")
    made_at = models.DateTimeField("认定时间")

    class Meta:
        verbose_name = "认定事实"
        verbose_name_plural = "认定事实"
        ordering = ["case", "number"]
        constraints = [
            models.UniqueConstraint(fields=["case", "number"], name="case_finding_number_once"),
            models.CheckConstraint(condition=Q(acted_to__gte=F("acted_from")), name="finding_span"),
        ]

    def __str__(self) -> str:
        return f"事实 {self.number} {self.act}"


class FindingLineQuerySet(models.QuerySet["FindingLine"]):
    def kept(self) -> FindingLineQuerySet:
        return self.filter(dropped_at__isnull=True, finding__dropped=False)


class FindingLine(models.Model):
    """A claim row behind a finding. ``amount`` yuan of the pooled fund are in question, at most ``paid`` of the claim.

    ``county`` is where the person is insured (whose lake holds the row); None: entered by hand where no extract exists.
    ``alliance`` answers for the insured person (A15); ``own`` tells whether that is the case's own alliance, so that a
    refused claim leaves its S_in. ``penalty_amount``: what the penalty's re-review left of it for the fine, after the money
    had been decided (None: all of it). A line is dropped by a review with a reason, never deleted once submitted.
    """

    finding = models.ForeignKey(Finding, models.PROTECT, related_name="lines", verbose_name="事实")
    county = models.ForeignKey("core.County", models.PROTECT, null=True, related_name="+", verbose_name="参保县（区）")
    settlement_id = models.CharField("结算单号", max_length=60)
    settled_on = models.DateField("结算日期")
    year = models.PositiveSmallIntegerField("年度")
    fund_type = models.CharField("险种", max_length=3, choices=FundType.choices)
    visit_type = models.CharField("就医类别", max_length=14, blank=True)
    person = models.CharField("参保人（化名）", max_length=64, blank=True)
    diagnosis = models.CharField("主要诊断", max_length=40, blank=True)
    alliance = models.ForeignKey("core.Alliance", models.PROTECT, null=True, related_name="+", verbose_name="责任医共体")
    own = models.BooleanField("本医共体参保人")
    paid = MoneyField("基金支付")
    amount = MoneyField("认定金额")
    penalty_amount = MoneyField("计入处罚的金额", null=True)
    note = models.CharField("说明", max_length=200, blank=True)
    dropped_at = models.DateTimeField("剔除时间", null=True)
    dropped_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="剔除人")
    dropped_reason = models.CharField("剔除理由", max_length=300, blank=True)

    objects = FindingLineQuerySet.as_manager()

    class Meta:
        verbose_name = "认定结算记录"
        verbose_name_plural = "认定结算记录"
        ordering = ["finding", "settled_on", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["finding", "county", "settlement_id"], name="finding_line_once"),
            models.CheckConstraint(condition=Q(amount__gt=0) & Q(amount__lte=F("paid")), name="finding_line_within_paid"),
            models.CheckConstraint(
                condition=Q(penalty_amount__isnull=True) | (Q(penalty_amount__gte=0) & Q(penalty_amount__lte=F("amount"))),
                name="finding_line_penalty_part",
            ),
        ]
        indexes = [models.Index(fields=["settlement_id"], name="finding_line_claim")]

    def __str__(self) -> str:
        return f"{self.settlement_id} {self.amount}"


class StatementKind(models.TextChoices):
    STATEMENT = "statement", "陈述申辩"
    AGREED = "agreed", "无异议"
    APPEAL = "appeal", "申诉"
    HEARING = "hearing", "听证申请"


class ProviderStatement(models.Model):
    """What the provider said on a track's notice; appended, never changed. ``points`` by finding:
    [{"finding": pk, "agrees": bool, "text": str}]. The reply is the reviewer's, given once."""

    track = models.ForeignKey(Track, models.PROTECT, related_name="statements", verbose_name="程序")
    number = models.PositiveIntegerField("序号")
    kind = models.CharField("类别", max_length=9, choices=StatementKind.choices)
    text = models.TextField("意见")
    points = models.JSONField("逐项意见", default=list)
    files = models.ManyToManyField("core.StoredFile", related_name="+", verbose_name="附件")
    given_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="提出人")
    given_at = models.DateTimeField("提出时间")
    is_late = models.BooleanField("逾期提出", default=False)

    class Meta:
        verbose_name = "当事人意见"
        verbose_name_plural = "当事人意见"
        ordering = ["track", "number"]
        constraints = [models.UniqueConstraint(fields=["track", "number"], name="statement_number_once")]

    def __str__(self) -> str:
        return f"{self.track_id} {self.get_kind_display()} {self.number}"


class StatementReply(models.Model):
    """The reviewer's answer to one statement: adopted wholly, partly or not, and why."""

    statement = models.OneToOneField(ProviderStatement, models.PROTECT, related_name="reply", verbose_name="意见")
    outcome = models.CharField("采纳情况", max_length=7, choices=[("adopted", "采纳"), ("partly", "部分采纳"), ("refused", "不采纳")])
    text = models.TextField("理由")
    by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="答复人")
    at = models.DateTimeField("答复时间")

    class Meta:
        verbose_name = "申辩答复"
        verbose_name_plural = "申辩答复"
        ordering = ["statement"]

    def __str__(self) -> str:
        return f"{self.statement_id} {self.get_outcome_display()}"


class Hearing(models.Model):
    """The hearing of a track: notice at least seven working days before, a host who did not investigate, its record.

    The row is made when it is announced; ``conclusion`` and ``record`` are filled once, when it was held. A hearing put off
    keeps its row with the new day; what was announced before stands in the case's changes.
    """

    track = models.OneToOneField(Track, models.PROTECT, related_name="hearing", verbose_name="程序")
    announced_on = models.DateField("通知日期")
    held_on = models.DateField("举行日期")
    host = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="主持人")
    place = models.CharField("地点", max_length=120)
    announced_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="通知人")
    participants = models.CharField("参加人", max_length=500, blank=True)
    conclusion = models.TextField("听证意见", blank=True)
    record = models.ForeignKey("core.StoredFile", models.PROTECT, null=True, related_name="+", verbose_name="听证笔录")
    concluded_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="结论登记人")

    class Meta:
        verbose_name = "听证"
        verbose_name_plural = "听证"
        ordering = ["track"]

    def __str__(self) -> str:
        return f"{self.track_id} {self.held_on}"
