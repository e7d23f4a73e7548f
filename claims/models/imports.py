"""Imports of claims extracts, the files they left in the lake, and what of them is still rejected.

An import is ``received → checking → accepted | rejected``, with a stop for a person's decision where one is needed.
The lake shows only files of accepted imports; readers open the files this manifest names and never list a directory.
"""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.fields import MoneyField
from core.scope import ScopedQuerySet
from rules.periods import Month, months_between


class ImportState(models.TextChoices):
    RECEIVED = "received", "已接收"
    CHECKING = "checking", "检查中"
    AWAITING_DECISION = "awaiting_decision", "待经办确认"
    ACCEPTING = "accepting", "入库中"
    ACCEPTED = "accepted", "已入库"
    REJECTED = "rejected", "已退回"


FINISHED = (ImportState.ACCEPTED, ImportState.REJECTED)


class ClaimsImportQuerySet(ScopedQuerySet["ClaimsImport"]):
    scope_paths = {"pooling_area": "county__pooling_area", "county": "county"}

    def unfinished(self) -> ClaimsImportQuerySet:
        return self.exclude(state__in=FINISHED)


class ClaimsImport(models.Model):
    """One extract a bureau delivered for one insured county and a declared period of whole months.

    ``*_cost`` is total medical cost, ``*_pooled`` what the pooled fund was billed (yuan). ``told`` is what the check
    found out about the file (format, encoding, columns left unused, reading of mutual aid). ``difference`` compares,
    per month, what is held with what this extract would put in its place; ``held`` is the fingerprint of the lake the
    comparison was made with. ``staged`` lists the files that wait beside the lake. The uploaded ``file`` is thrown away
    once the import is finished: it names persons, and nothing else here does.
    """

    county = models.ForeignKey("core.County", models.PROTECT, related_name="+", verbose_name="参保县（区）")
    period_from = models.DateField("申报期间起")
    period_to = models.DateField("申报期间止")
    file_name = models.CharField("文件名", max_length=200)
    file_size = models.BigIntegerField("字节数")
    file = models.ForeignKey("core.StoredFile", models.PROTECT, null=True, related_name="+", verbose_name="文件")
    sha256 = models.CharField("文件校验值", max_length=64, db_index=True)
    state = models.CharField("状态", max_length=20, choices=ImportState.choices, default=ImportState.RECEIVED)
    uploaded_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="上传人")
    uploaded_at = models.DateTimeField("上传时间", auto_now_add=True)
    checked_at = models.DateTimeField("检查完成时间", null=True)
    job = models.ForeignKey("core.Job", models.PROTECT, null=True, related_name="+", verbose_name="任务")

    rows_total = models.BigIntegerField("总行数", default=0)
    rows_good = models.BigIntegerField("合格行", default=0)
    rows_bad = models.BigIntegerField("退回行", default=0)
    rows_identical = models.BigIntegerField("已入库相同行", default=0)
    rows_late = models.BigIntegerField("迟到行", default=0)
    total_cost = MoneyField("医疗费总额", default=0)
    good_cost = MoneyField("合格行医疗费", default=0)
    bad_cost = MoneyField("退回行医疗费", default=0)
    good_pooled = MoneyField("合格行统筹支出", default=0)
    bad_pooled = MoneyField("退回行统筹支出", default=0)
    late_pooled = MoneyField("迟到行统筹支出", default=0)
    data_to = models.DateField("数据截至", null=True)
    told = models.JSONField("检查说明", default=dict)
    refusal = models.JSONField("整份退回原因", default=list)
    difference = models.JSONField("与已入库数据的差异", default=list)
    staged = models.JSONField("待入库文件", default=list)
    reject_months = models.JSONField("各月退回合计", default=list)
    held = models.CharField("检查时已入库数据的指纹", max_length=64, blank=True)
    report = models.ForeignKey(
        "core.StoredFile", models.PROTECT, null=True, related_name="+", verbose_name="差错报告"
    )
    raw_rejects = models.ForeignKey(
        "core.StoredFile", models.PROTECT, null=True, related_name="+", verbose_name="退回行原文"
    )

    needs_admission = models.BooleanField("退回占比超限", default=False)
    admitted_reason = models.CharField("超限接收理由", max_length=400, blank=True)
    decided_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="确认人")
    decided_at = models.DateTimeField("确认时间", null=True)
    rejected_reason = models.CharField("退回理由", max_length=400, blank=True)
    accepted_at = models.DateTimeField("入库时间", null=True)
    supersedes = models.ManyToManyField("self", symmetrical=False, related_name="superseded_by", verbose_name="替换")
    outcome = models.TextField("入库结果", blank=True)

    objects = ClaimsImportQuerySet.as_manager()

    class Meta:
        verbose_name = "明细导入"
        verbose_name_plural = "明细导入"
        ordering = ["-pk"]
        indexes = [models.Index(fields=["county", "state"], name="import_by_county_state")]
        constraints = [
            models.CheckConstraint(condition=Q(period_from__lte=models.F("period_to")), name="import_period_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.county} {self.period_text} 明细（第 {self.pk} 号导入）"

    @property
    def months(self) -> tuple[Month, ...]:
        """The declared months, first to last."""
        return months_between(Month.of(self.period_from), Month.of(self.period_to))

    @property
    def period_text(self) -> str:
        first, last = Month.of(self.period_from), Month.of(self.period_to)
        return str(first) if first == last else f"{first} 至 {last}"

    @property
    def is_finished(self) -> bool:
        return self.state in FINISHED


class ImportFinding(models.Model):
    """What one code found in a file: rows, their total cost in yuan, and the first rows (pseudonymised)."""

    claims_import = models.ForeignKey(ClaimsImport, models.CASCADE, related_name="findings", verbose_name="导入")
    code = models.CharField("代码", max_length=4)
    severity = models.CharField("处理", max_length=6)
    rows = models.BigIntegerField("行数")
    total_cost = MoneyField("医疗费总额")
    first_rows = models.JSONField("前若干行", default=list)

    class Meta:
        verbose_name = "检查结果"
        verbose_name_plural = "检查结果"
        ordering = ["code"]
        constraints = [models.UniqueConstraint(fields=["claims_import", "code"], name="one_finding_per_code")]

    def __str__(self) -> str:
        return f"{self.code} × {self.rows}"


class LakeFileQuerySet(ScopedQuerySet["LakeFile"]):
    scope_paths = {"pooling_area": "county__pooling_area", "county": "county"}

    def live(self) -> LakeFileQuerySet:
        return self.filter(live=True)


class LakeFile(models.Model):
    """The manifest: one immutable Parquet file of the lake. ``declared`` is false for late claims of earlier months."""

    claims_import = models.ForeignKey(ClaimsImport, models.PROTECT, related_name="lake_files", verbose_name="导入")
    county = models.ForeignKey("core.County", models.PROTECT, related_name="+", verbose_name="参保县（区）")
    year = models.PositiveSmallIntegerField("年")
    month = models.PositiveSmallIntegerField("月")
    name = models.CharField("文件", max_length=120, unique=True)
    rows = models.BigIntegerField("行数")
    pooled_fund_paid = MoneyField("统筹支出")
    size = models.BigIntegerField("字节数")
    sha256 = models.CharField("校验值", max_length=64)
    declared = models.BooleanField("申报期间内", default=True)
    live = models.BooleanField("有效", default=True)
    superseded_by = models.ForeignKey(
        ClaimsImport, models.PROTECT, null=True, related_name="+", verbose_name="被替换于"
    )

    objects = LakeFileQuerySet.as_manager()

    class Meta:
        verbose_name = "数据湖文件"
        verbose_name_plural = "数据湖文件"
        ordering = ["county", "year", "month", "pk"]
        indexes = [models.Index(fields=["county", "year", "month"], condition=Q(live=True), name="lake_live_files")]

    def __str__(self) -> str:
        return self.name

    @property
    def period(self) -> Month:
        return Month(self.year, self.month)

    @property
    def path(self) -> Path:
        return lake_root() / self.name


class RejectState(models.TextChoices):
    OPEN = "open", "未处理"
    REPLACED = "replaced", "已由更正明细替换"
    WRITTEN_OFF = "written_off", "已核销"


class OpenRejectQuerySet(ScopedQuerySet["OpenReject"]):
    scope_paths = {"pooling_area": "county__pooling_area", "county": "county"}

    def open(self) -> OpenRejectQuerySet:
        return self.filter(state=RejectState.OPEN)


class OpenReject(models.Model):
    """Rejected rows of one import and month: open until a corrected extract replaces them or they are written off."""

    claims_import = models.ForeignKey(ClaimsImport, models.PROTECT, related_name="open_rejects", verbose_name="导入")
    county = models.ForeignKey("core.County", models.PROTECT, related_name="+", verbose_name="参保县（区）")
    year = models.PositiveSmallIntegerField("年")
    month = models.PositiveSmallIntegerField("月")
    rows = models.BigIntegerField("行数")
    pooled_fund_paid = MoneyField("统筹支出")
    state = models.CharField("状态", max_length=12, choices=RejectState.choices, default=RejectState.OPEN)
    replaced_by = models.ForeignKey(ClaimsImport, models.PROTECT, null=True, related_name="+", verbose_name="替换导入")
    closed_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="处理人")
    closed_at = models.DateTimeField("处理时间", null=True)
    reason = models.CharField("核销理由", max_length=400, blank=True)

    objects = OpenRejectQuerySet.as_manager()

    class Meta:
        verbose_name = "退回行"
        verbose_name_plural = "退回行"
        ordering = ["county", "year", "month", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["claims_import", "year", "month"], name="one_reject_total_per_month")
        ]

    def __str__(self) -> str:
        return f"{self.period} 退回 {self.rows} 行"

    @property
    def period(self) -> Month:
        return Month(self.year, self.month)


class PersonKeyCheck(models.Model):
    """The check value of the key that pseudonymises persons: another key would make two people of one."""

    check_value = models.CharField("密钥校验值", max_length=64)
    created_at = models.DateTimeField("首次使用时间", auto_now_add=True)

    class Meta:
        verbose_name = "人员密钥校验"
        verbose_name_plural = "人员密钥校验"

    def __str__(self) -> str:
        return self.check_value[:8]


def lake_root() -> Path:
    """The directory of the lake."""
    return Path(settings.DATA_DIR) / "lake"
