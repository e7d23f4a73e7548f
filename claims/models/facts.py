"""Monthly facts: what the claims of one insured county and month add up to, in versions that stay readable.

The grain and the measures are those of the claims extract's description: money in fen, everything else whole numbers.
A late claim, a correction or a payable table makes a new version of its month; the former ones tell what was known when.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from core.fields import MoneyField
from core.models import FundType
from core.scope import ScopedQuerySet
from rules.periods import Month


class FactSource(models.TextChoices):
    CLAIMS = "claims", "医保结算明细"
    TABLE = "table", "月度事实表"
    DEMO = "demo", "演示数据"


class FactFundType(models.TextChoices):
    """The two packaged schemes and the rest, which is kept as a memo and never packaged."""

    RESIDENT = FundType.RESIDENT.value, "居民"
    EMPLOYEE = FundType.EMPLOYEE.value, "职工"
    MEMO = "MEMO", "其他险种"


class VisitType(models.TextChoices):
    OUTPATIENT = "outpatient", "普通门诊"
    CHRONIC = "chronic", "门诊慢特病"
    INPATIENT = "inpatient", "住院"
    PHARMACY = "pharmacy", "药店购药"
    MATERNITY_OUTPATIENT = "maternity_out", "生育门诊"
    MATERNITY_INPATIENT = "maternity_in", "生育住院"


class Method(models.TextChoices):
    UNKNOWN = "", "未注明"
    DRG = "drg", "DRG"
    DIP = "dip", "DIP"
    BED_DAY = "bed_day", "按床日"
    CAPITATION = "capitation", "按人头"
    CASE = "case", "按病种"
    FFS = "ffs", "按项目"


class CareLocation(models.TextChoices):
    """Where care was given, seen from the insured person's responsible alliance (A15) and county."""

    OWN_ALLIANCE = "own_alliance", "本医共体"
    SISTER_ALLIANCE = "sister_alliance", "县内其他医共体"
    IN_COUNTY = "in_county", "县内医共体外"
    CITY = "city", "市内县外"
    PROVINCE = "province", "省内市外"
    OUTSIDE = "outside", "省外"


OUT_OF_COUNTY = (CareLocation.CITY, CareLocation.PROVINCE, CareLocation.OUTSIDE)


class OutflowKind(models.TextChoices):
    UNKNOWN = "", "未注明"
    REFERRED = "referred", "转诊转院"
    RESETTLED = "resettled", "异地安置"
    EMERGENCY = "emergency", "异地急诊"
    SELF_CHOSEN = "self_chosen", "自行外出"


MONEY_MEASURES = (
    "total_cost", "drug_cost", "tcm_cost", "consumables_cost", "exam_cost", "treatment_cost", "eligible_cost",
    "non_covered_cost", "deductible_paid", "pooled_fund_paid", "fund_payable", "own_payable", "serious_illness_paid",
    "medical_assistance_paid", "other_paid", "personal_account_paid", "cash_paid", "hospital_borne", "excluded_fund",
)  # fmt: skip
COUNT_MEASURES = (
    "settlements", "discharges", "bed_days", "weight_sum", "groupable_cases", "grouped_cases", "referrals_up",
    "referrals_down", "payable_settlements", "own_payable_settlements",
)  # fmt: skip


class FactSetQuerySet(ScopedQuerySet["FactSet"]):
    scope_paths = {"pooling_area": "county__pooling_area", "county": "county"}

    def current(self) -> FactSetQuerySet:
        return self.filter(current=True)


class FactSet(models.Model):
    """One version of the facts of a county's insured in a month. Exactly one version a month is current.

    ``declared`` says whether the whole month was delivered; a month known only by late claims of other extracts is
    not. ``content`` is the sha-256 of the rows, ``reference`` that of the registers the rows were made with.
    """

    county = models.ForeignKey("core.County", models.PROTECT, related_name="+", verbose_name="参保县（区）")
    year = models.PositiveSmallIntegerField("年")
    month = models.PositiveSmallIntegerField("月")
    version = models.PositiveIntegerField("版本")
    current = models.BooleanField("现行", default=True)
    declared = models.BooleanField("整月数据", default=True)
    source = models.CharField("来源", max_length=8, choices=FactSource.choices)
    claims_import = models.ForeignKey(
        "claims.ClaimsImport", models.PROTECT, null=True, related_name="factsets", verbose_name="导入"
    )
    file = models.ForeignKey("core.StoredFile", models.PROTECT, null=True, related_name="+", verbose_name="来源文件")
    reason = models.CharField("形成原因", max_length=200, blank=True)
    data_to = models.DateField("数据截至", null=True)
    rows = models.PositiveIntegerField("行数")
    settlements = models.BigIntegerField("结算人次")
    pooled_fund_paid = MoneyField("统筹基金记账")
    fund_payable = MoneyField("基金应付")
    content = models.CharField("内容校验值", max_length=64)
    reference = models.CharField("登记信息校验值", max_length=64, blank=True)
    created_at = models.DateTimeField("形成时间", auto_now_add=True)
    created_by = models.ForeignKey("core.User", models.PROTECT, null=True, related_name="+", verbose_name="经办")

    objects = FactSetQuerySet.as_manager()

    class Meta:
        verbose_name = "月度事实版本"
        verbose_name_plural = "月度事实版本"
        ordering = ["county", "-year", "-month", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["county", "year", "month", "version"], name="factset_version_once"),
            models.UniqueConstraint(
                fields=["county", "year", "month"], condition=Q(current=True), name="one_current_factset"
            ),
            models.CheckConstraint(condition=Q(month__gte=1) & Q(month__lte=12), name="factset_month_1_to_12"),
        ]

    def __str__(self) -> str:
        return f"{self.county} {self.period} 第 {self.version} 版"

    @property
    def period(self) -> Month:
        return Month(self.year, self.month)


class MonthlyFact(models.Model):
    """One row of a fact set. Written once by :mod:`claims.services.factsets`, never changed.

    ``alliance`` is responsible for the insured (A15), ``treating_alliance`` is the one the institution belonged to.
    ``pooled_fund_paid`` is what was billed; ``own_payable`` what the extract says the payment method owes (billed
    where it says nothing) and ``fund_payable`` the same after a monthly payable table (A5). ``*_settlements`` count
    the settlements for which a payable was delivered. ``excluded_fund`` is the part of ``fund_payable`` for public
    health emergencies. ``weight_sum`` is in ten-thousandths.
    """

    factset = models.ForeignKey(
        FactSet, models.PROTECT, related_name="facts", db_index=False, verbose_name="版本"
    )
    alliance = models.ForeignKey(
        "core.Alliance", models.PROTECT, null=True, related_name="+", db_index=False, verbose_name="责任医共体"
    )
    institution = models.ForeignKey(
        "core.Institution", models.PROTECT, null=True, related_name="+", db_index=False, verbose_name="机构"
    )
    institution_code = models.CharField("机构编号", max_length=30, blank=True)
    institution_area = models.CharField("机构所属区划", max_length=6, blank=True)
    institution_kind = models.CharField("机构类别", max_length=12, blank=True)
    institution_grade = models.PositiveSmallIntegerField("机构等级", null=True)
    ownership = models.CharField("机构性质", max_length=8, blank=True)
    treating_alliance = models.ForeignKey(
        "core.Alliance", models.PROTECT, null=True, related_name="+", db_index=False, verbose_name="就医医共体"
    )
    fund_type = models.CharField("险种", max_length=4, choices=FactFundType.choices)
    visit_type = models.CharField("医疗类别", max_length=16, choices=VisitType.choices)
    method = models.CharField("付费方式", max_length=12, choices=Method.choices, blank=True)
    care_location = models.CharField("就医地", max_length=16, choices=CareLocation.choices)
    outflow_kind = models.CharField("转外类型", max_length=12, choices=OutflowKind.choices, blank=True)

    settlements = models.IntegerField("结算人次", default=0)
    discharges = models.IntegerField("出院人次", default=0)
    bed_days = models.IntegerField("床日数", default=0)
    total_cost = MoneyField("医疗费总额", default=0)
    drug_cost = MoneyField("药品费", default=0)
    tcm_cost = MoneyField("中药费", default=0)
    consumables_cost = MoneyField("耗材费", default=0)
    exam_cost = MoneyField("检查检验费", default=0)
    treatment_cost = MoneyField("治疗手术费", default=0)
    eligible_cost = MoneyField("政策范围内金额", default=0)
    non_covered_cost = MoneyField("全自费金额", default=0)
    deductible_paid = MoneyField("起付线", default=0)
    pooled_fund_paid = MoneyField("统筹基金记账", default=0)
    fund_payable = MoneyField("基金应付", default=0)
    own_payable = MoneyField("明细所载基金应付", default=0)
    payable_settlements = models.IntegerField("有应付金额的结算人次", default=0)
    own_payable_settlements = models.IntegerField("明细载有应付金额的结算人次", default=0)
    serious_illness_paid = MoneyField("大病（大额）支出", default=0)
    medical_assistance_paid = MoneyField("医疗救助支出", default=0)
    other_paid = MoneyField("其他基金支出", default=0)
    personal_account_paid = MoneyField("个人账户支出", default=0)
    cash_paid = MoneyField("个人现金支出", default=0)
    hospital_borne = MoneyField("医院负担金额", default=0)
    weight_sum = models.BigIntegerField("权重（分值）合计", default=0)
    groupable_cases = models.IntegerField("应分组病例", default=0)
    grouped_cases = models.IntegerField("已分组病例", default=0)
    referrals_up = models.IntegerField("上转人次", default=0)
    referrals_down = models.IntegerField("下转人次", default=0)
    excluded_fund = MoneyField("突发公共卫生救治基金", default=0)

    class Meta:
        verbose_name = "月度事实"
        verbose_name_plural = "月度事实"
        ordering = ["pk"]
        indexes = [models.Index(fields=["factset", "fund_type", "alliance"], name="fact_by_set_fund_alliance")]

    def __str__(self) -> str:
        return f"{self.factset_id} · {self.institution_code}"

