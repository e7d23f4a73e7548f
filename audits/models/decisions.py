"""What a decision moves: the amounts by year and fund type, money that came back, deductions, fines.

Fines and surcharges belong to the treasury: they are kept here and never reach the fund's books or a settlement.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q

from audits.models.cases import Case, Track
from audits.models.leads import PartyKind
from core.fields import MoneyField
from core.models import FundType
from core.scope import ScopedQuerySet
from ledger.accounts import Account


class AmountKind(models.TextChoices):
    REFUSED = "refused", "拒付（退出 S_in）"
    RECOVERY = "recovery", "追回"


class DecidedAmount(models.Model):
    """One amount of a served decision, in yuan: claims of ``year`` refused, or to be recovered.

    ``spending``: the fund account the claims were paid from, which a repayment credits. ``settlement_year``: the settlement
    a refusal was pushed to (its own year). Rows are written once, when the decision is served; what is paid, deducted or
    taken back are rows of their own.
    """

    track = models.ForeignKey(Track, models.PROTECT, related_name="amounts", verbose_name="程序")
    kind = models.CharField("类别", max_length=8, choices=AmountKind.choices)
    year = models.PositiveSmallIntegerField("费用年度")
    fund_type = models.CharField("险种", max_length=3, choices=FundType.choices)
    spending = models.CharField("原列支科目", max_length=40, choices=Account.choices)
    amount = MoneyField("金额")
    settlement_year = models.PositiveSmallIntegerField("计入清算年度", null=True)
    adjustment = models.PositiveBigIntegerField("清算调整", null=True)
    at = models.DateTimeField("生效时间")

    class Meta:
        verbose_name = "决定金额"
        verbose_name_plural = "决定金额"
        ordering = ["track", "fund_type", "year", "kind"]
        constraints = [
            models.UniqueConstraint(fields=["track", "kind", "year", "fund_type", "spending"], name="decided_amount_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="decided_amount_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.year} {self.fund_type} {self.amount}"


class RecoveryKind(models.TextChoices):
    REPAID = "repaid", "退回基金"
    DEDUCTED = "deducted", "清算扣减"


class Recovered(models.Model):
    """A part of a recovery that came back: paid by the provider or deducted in a settlement; appended, never changed.

    A wrong row is taken back by a row with ``reverses`` (its amount negative). ``entry`` is the fund voucher's id.
    """

    amount_row = models.ForeignKey(DecidedAmount, models.PROTECT, related_name="recovered", verbose_name="应追回")
    kind = models.CharField("方式", max_length=8, choices=RecoveryKind.choices)
    amount = MoneyField("金额")
    on = models.DateField("日期")
    reference = models.CharField("凭证", max_length=120)
    file = models.ForeignKey("core.StoredFile", models.PROTECT, null=True, related_name="+", verbose_name="回单")
    settlement_year = models.PositiveSmallIntegerField("计入清算年度", null=True)
    adjustment = models.PositiveBigIntegerField("清算调整", null=True)
    entry = models.PositiveBigIntegerField("记账凭证", null=True)
    reverses = models.OneToOneField("self", models.PROTECT, null=True, related_name="reversed_by", verbose_name="冲销")
    reason = models.CharField("说明", max_length=300, blank=True)
    by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="登记人")
    at = models.DateTimeField("登记时间")

    class Meta:
        verbose_name = "追回记录"
        verbose_name_plural = "追回记录"
        ordering = ["amount_row", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=(Q(reverses__isnull=True) & Q(amount__gt=0)) | (Q(reverses__isnull=False) & Q(amount__lt=0)),
                name="recovered_sign",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.on} {self.amount}"


class FinePayment(models.Model):
    """A fine (or its surcharge) paid into the treasury (国库); appended, never changed."""

    track = models.ForeignKey(Track, models.PROTECT, related_name="fine_payments", verbose_name="程序")
    kind = models.CharField("类别", max_length=9, choices=[("fine", "罚款"), ("surcharge", "加处罚款")])
    amount = MoneyField("金额")
    paid_on = models.DateField("缴库日期")
    reference = models.CharField("缴款书号", max_length=120)
    file = models.ForeignKey("core.StoredFile", models.PROTECT, null=True, related_name="+", verbose_name="缴款书")
    by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="登记人")
    at = models.DateTimeField("登记时间")

    class Meta:
        verbose_name = "罚款缴库"
        verbose_name_plural = "罚款缴库"
        ordering = ["track", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["track", "reference"], name="fine_payment_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="fine_payment_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.paid_on} {self.amount}"


class RemedyState(models.TextChoices):
    RUNNING = "running", "审理中"
    UPHELD = "upheld", "维持"
    CHANGED = "changed", "变更或撤销"
    WITHDRAWN = "withdrawn", "撤回"


class Remedy(models.Model):
    """Administrative review or lawsuit against a served decision; its days do not count for the surcharge."""

    track = models.ForeignKey(Track, models.PROTECT, related_name="remedies", verbose_name="程序")
    kind = models.CharField("类别", max_length=7, choices=[("review", "行政复议"), ("lawsuit", "行政诉讼")])
    reference = models.CharField("文号", max_length=120)
    started_on = models.DateField("受理日期")
    ended_on = models.DateField("终结日期", null=True)
    state = models.CharField("结果", max_length=9, choices=RemedyState.choices, default=RemedyState.RUNNING)
    note = models.CharField("说明", max_length=300, blank=True)
    by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="登记人")
    at = models.DateTimeField("登记时间")

    class Meta:
        verbose_name = "复议诉讼"
        verbose_name_plural = "复议诉讼"
        ordering = ["track", "pk"]
        constraints = [models.CheckConstraint(condition=Q(ended_on__isnull=True) | Q(ended_on__gte=F("started_on")), name="remedy_span")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.reference}"


class MeasureKind(models.TextChoices):
    TALK = "talk", "约谈"
    CIRCULAR = "circular", "通报批评"
    INQUIRY = "inquiry", "函询"
    RECTIFY = "rectify", "责令改正"
    ACCOUNTABILITY = "dual", "一案双查"


class _OfCaseQuerySet(ScopedQuerySet[Any]):
    """Rows of a case: bureau posts see those of their places, others what ``for_party`` leaves once it was notified."""

    scope_paths = {
        "pooling_area": "case__pooling_area", "county": "case__county", "alliance": "case__alliance",
        "institution": "case__institution",
    }  # fmt: skip
    for_party: Q | None = None

    def visible_to(self, user: Any) -> Any:
        from audits.access import PROVIDERS, reads_audits
        from core.access import has_any_role

        if reads_audits(user):
            return super().visible_to(user)
        if self.for_party is None or not has_any_role(user, PROVIDERS):
            return self.none()
        known = Q(case__notified_at__isnull=False, case__party_kind=PartyKind.PROVIDER)
        return super().visible_to(user).filter(known & self.for_party)

    def with_case(self) -> Any:
        return self.select_related(
            "case__pooling_area", "case__county__pooling_area", "case__alliance__county__pooling_area", "case__institution"
        )


class MeasureQuerySet(_OfCaseQuerySet):
    """The party sees what is addressed to it, once it was sent."""

    for_party = Q(to_party=True, sent_on__isnull=False)


class Measure(models.Model):
    """A supervisory measure beside the decision (R-085, R-113, R-116): talk, circular, inquiry letter, order to correct,
    examining the supervising bureau too (一案双查). ``outcome`` is filled once, when it ends.

    ``to_party``: addressed to the case's own party, which sees it from ``sent_on`` on."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="measures", verbose_name="案件")
    kind = models.CharField("措施", max_length=8, choices=MeasureKind.choices)
    on = models.DateField("日期")
    addressee = models.CharField("对象", max_length=120)
    to_party = models.BooleanField("对象为当事人")
    text = models.TextField("内容")
    due_on = models.DateField("回复（整改）期限", null=True)
    sent_on = models.DateField("送达日期", null=True)
    reminded_on = models.DateField("催办日期", null=True)
    files = models.ManyToManyField("core.StoredFile", related_name="+", verbose_name="附件")
    by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="登记人")
    at = models.DateTimeField("登记时间")
    outcome = models.TextField("结果", blank=True)
    outcome_on = models.DateField("结果日期", null=True)
    outcome_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="结果登记人")

    objects = MeasureQuerySet.as_manager()

    class Meta:
        verbose_name = "监管措施"
        verbose_name_plural = "监管措施"
        ordering = ["case", "pk"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.addressee} {self.on}"


class ReferralBody(models.TextChoices):
    POLICE = "police", "公安机关"
    DISCIPLINE = "discipline", "纪检监察机关"
    HEALTH = "health", "卫生健康部门"
    MARKET = "market", "市场监管部门"
    OTHER = "other", "其他部门"


class Referral(models.Model):
    """A hand-over (R-118): what was given to whom, against whose signature, and what came back."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="referrals", verbose_name="案件")
    body = models.CharField("移送机关", max_length=10, choices=ReferralBody.choices)
    body_name = models.CharField("机关名称", max_length=120)
    number = models.CharField("移送文号", max_length=60)
    handed_on = models.DateField("移送日期")
    reason = models.TextField("事由")
    list_of_items = models.TextField("移送材料")
    received_by = models.CharField("接收人", max_length=60)
    record = models.ForeignKey("core.StoredFile", models.PROTECT, null=True, related_name="+", verbose_name="交接记录")
    due_on = models.DateField("催复日期", null=True)
    reminded_on = models.DateField("催办日期", null=True)
    by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="办理人")
    at = models.DateTimeField("登记时间")
    reply = models.TextField("回复", blank=True)
    replied_on = models.DateField("回复日期", null=True)
    reply_file = models.ForeignKey("core.StoredFile", models.PROTECT, null=True, related_name="+", verbose_name="回复文件")
    reply_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="回复登记人")

    objects = _OfCaseQuerySet.as_manager()

    class Meta:
        verbose_name = "移送"
        verbose_name_plural = "移送"
        ordering = ["case", "pk"]

    def __str__(self) -> str:
        return f"{self.get_body_display()} {self.number}"


class FollowUp(models.Model):
    """回头看 (R-114): whether a rectification holds, checked by a day; not rectified becomes a new lead."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="follow_ups", verbose_name="案件")
    due_on = models.DateField("期限")
    reminded_on = models.DateField("催办日期", null=True)
    planned_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="安排人")
    planned_at = models.DateTimeField("安排时间")
    focus = models.CharField("重点", max_length=300)
    done_on = models.DateField("检查日期", null=True)
    done_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="检查人")
    result = models.CharField(
        "结果", max_length=8, blank=True, choices=[("mended", "已整改"), ("partly", "部分整改"), ("not", "未整改")]
    )
    text = models.TextField("情况", blank=True)
    lead = models.ForeignKey("audits.Lead", models.PROTECT, null=True, related_name="+", verbose_name="新线索")

    objects = _OfCaseQuerySet.as_manager()

    class Meta:
        verbose_name = "回头看"
        verbose_name_plural = "回头看"
        ordering = ["case", "pk"]

    def __str__(self) -> str:
        return f"{self.case_id} {self.due_on}"


class CaseDocumentQuerySet(_OfCaseQuerySet):
    """The party sees what is addressed to it; the letter of a measure from its sending on."""

    for_party = Q(to_party=True) & (Q(measure__isnull=True) | Q(measure__sent_on__isnull=False))


class CaseDocument(models.Model):
    """A document made from the case's rows: notice, decision, receipt of service, transfer letter …; versions kept.

    ``number`` is gapless within its series; a new version keeps the number. ``content`` is what the template was filled
    with, frozen. ``measure`` or ``referral`` is what the letter tells; ``serves`` the document a receipt of service is for.
    """

    case = models.ForeignKey(Case, models.PROTECT, related_name="documents", verbose_name="案件")
    track = models.ForeignKey(Track, models.PROTECT, null=True, related_name="documents", verbose_name="程序")
    kind = models.CharField("文书", max_length=24)
    number = models.CharField("文号", max_length=60)
    version = models.PositiveIntegerField("版本", default=1)
    content = models.JSONField("内容", default=dict)
    file = models.ForeignKey("core.StoredFile", models.PROTECT, related_name="+", verbose_name="文件")
    made_by = models.ForeignKey("core.User", models.PROTECT, related_name="+", verbose_name="制作人")
    made_at = models.DateTimeField("制作时间")
    replaced_reason = models.CharField("换版说明", max_length=300, blank=True)
    measure = models.ForeignKey(Measure, models.PROTECT, null=True, related_name="documents", verbose_name="监管措施")
    referral = models.ForeignKey(Referral, models.PROTECT, null=True, related_name="documents", verbose_name="移送")
    to_party = models.BooleanField("发当事人", default=False)
    serves = models.ForeignKey("self", models.PROTECT, null=True, related_name="receipts", verbose_name="送达文书")

    objects = CaseDocumentQuerySet.as_manager()

    class Meta:
        verbose_name = "文书"
        verbose_name_plural = "文书"
        ordering = ["case", "number", "version"]
        constraints = [models.UniqueConstraint(fields=["case", "number", "version"], name="document_version_once")]

    def __str__(self) -> str:
        return f"{self.number}（第 {self.version} 版）"
