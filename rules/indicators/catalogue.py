"""Every indicator of domain §5 (and the collection indicators of R-006): name, unit, direction, formula in words, clause.

``top`` and ``bottom`` name bases, ``-`` in front subtracts. ``over`` says which months they are summed over: the period
itself (``now``), January to its end (``to_date``) or the last twelve months (``year``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

S000 = "宁医保〔2019〕128号 §三(四)"
S001 = "赣医保发〔2022〕23号 §二(三)3"
CITY, COUNTY, ALLIANCE, INSTITUTION = "city", "county", "alliance", "institution"
FUND = (COUNTY, CITY)
INSURED = (ALLIANCE, COUNTY, CITY)
EVERY = (INSTITUTION, ALLIANCE, COUNTY, CITY)


class Better(StrEnum):
    """Which way is good; ``neither`` is watched for jumps both ways."""

    LOW = "low"
    HIGH = "high"
    NEITHER = "neither"


class Kind(StrEnum):
    """``quotient`` top ÷ bottom; ``change`` top now ÷ a year ago − 1; ``pace`` quotient less the usual share of the
    year; ``primary`` quotient whose bottom a parameter chooses (A14)."""

    QUOTIENT = "quotient"
    CHANGE = "change"
    PACE = "pace"
    PRIMARY = "primary"


@dataclass(frozen=True)
class Indicator:
    """``unit``: ratio (shown as %), yuan, days, months, number, points (difference of ratios). ``volume`` is the base
    that says how much stands behind a value; ``affected`` the base whose yuan a breach concerns (empty: none)."""

    key: str
    label: str
    unit: str
    better: Better
    places: tuple[str, ...]
    expression: str
    top: tuple[str, ...]
    bottom: tuple[str, ...] = ()
    clause: str = S000
    kind: Kind = Kind.QUOTIENT
    over: str = "now"
    scale: int = 1
    volume: str = ""
    affected: str = ""
    group: str = "基金"
    note: str = ""


LOW, HIGH, NEITHER = Better.LOW, Better.HIGH, Better.NEITHER
INDICATORS: tuple[Indicator, ...] = (
    Indicator("execution", "预算执行率", "ratio", LOW, EVERY, "本年累计打包范围内基金支出 ÷ 打包总额（机构：成员额度）",
              ("charged",), ("package",), over="to_date", volume="charged", affected="charged", clause=S001),
    Indicator("pace_gap", "序时进度差", "points", LOW, EVERY, "预算执行率 − 历年同期占比（无往年时为月数 ÷ 12）",
              ("charged",), ("package",), kind=Kind.PACE, over="to_date", volume="charged", affected="charged", clause=S001),
    Indicator("current_balance_rate", "当期结余率", "ratio", HIGH, FUND, "（当期收入 − 当期支出）÷ 当期收入",
              ("income", "-fund_spending"), ("income",), affected="fund_spending"),
    Indicator("payable_months", "累计结余可支付月数", "months", HIGH, FUND, "累计结余 ÷（近 12 个月基金支出 ÷ 12）",
              ("balance",), ("fund_spending",), over="year", scale=12, affected="balance"),
    Indicator("spending_growth", "基金支出增长率", "ratio", LOW, EVERY, "本期打包范围内基金支出 ÷ 上年同期 − 1",
              ("charged",), kind=Kind.CHANGE, volume="charged", affected="charged"),
    Indicator("income_change", "征缴收入同比", "ratio", HIGH, FUND, "本期征缴收入 ÷ 上年同期 − 1",
              ("income_collected",), kind=Kind.CHANGE, affected="income_collected", group="征缴",
              clause="宁医保〔2019〕128号 §二(二)"),
    Indicator("insured_change", "参保人数同比", "ratio", HIGH, FUND, "期末参保人数 ÷ 上年同期末 − 1",
              ("insured",), kind=Kind.CHANGE, group="征缴", clause="宁医保〔2019〕128号 §二(二)"),
    Indicator("enrolment", "参保率", "ratio", HIGH, FUND, "期末参保人数 ÷ 应参保人数",
              ("insured",), ("expected_insured",), group="征缴", clause="宁医保〔2019〕128号 §二(二)：≥95%"),
    Indicator("inpatient_average", "次均住院费用", "yuan", LOW, EVERY, "住院医疗费用 ÷ 出院人次",
              ("inpatient_cost",), ("discharges",), volume="discharges", affected="inpatient_cost", group="费用"),
    Indicator("outpatient_average", "次均门诊费用", "yuan", LOW, EVERY, "门诊医疗费用 ÷ 门诊人次",
              ("outpatient_cost",), ("visits",), volume="visits", affected="outpatient_cost", group="费用"),
    Indicator("length_of_stay", "平均住院日", "days", LOW, EVERY, "住院床日 ÷ 出院人次",
              ("bed_days",), ("discharges",), volume="discharges", affected="inpatient_cost", group="费用"),
    Indicator("daily_cost", "日均住院费用", "yuan", LOW, EVERY, "住院医疗费用 ÷ 住院床日",
              ("inpatient_cost",), ("bed_days",), volume="discharges", affected="inpatient_cost", group="费用"),
    Indicator("admission_rate", "住院率", "ratio", LOW, INSURED, "近 12 个月参保人出院人次 ÷ 期末参保人数",
              ("insured_discharges",), ("insured",), over="year", volume="insured_discharges", affected="fund_all", group="服务"),
    Indicator("in_county_rate", "县域内就诊率（住院）", "ratio", HIGH, INSURED, "参保人县域内出院人次 ÷ 参保人出院人次",
              ("insured_discharges_in_county",), ("insured_discharges",), volume="insured_discharges", affected="fund_all",
              clause=S001, group="服务"),
    Indicator("in_county_fund", "基金县域内支出占比", "ratio", HIGH, INSURED, "县域内基金支出 ÷ 参保人基金支出合计",
              ("fund_in_county",), ("fund_all",), volume="insured_discharges", affected="fund_all", clause=S001, group="服务"),
    Indicator("primary_share", "基层支出占比", "ratio", HIGH, INSURED, "基层机构基金支出 ÷ 分母（参数：基层支出占比的分母）",
              ("fund_primary",), ("fund_in_alliance",), kind=Kind.PRIMARY, over="now", volume="charged",
              affected="fund_in_alliance", clause="赣医保发〔2022〕23号 §二(二)3：≥16%；决定 A14", group="服务"),
    Indicator("primary_visits", "基层诊疗人次占比", "ratio", HIGH, INSURED, "基层门诊人次 ÷ 县域内门诊人次",
              ("visits_primary",), ("visits",), volume="visits", group="服务"),
    Indicator("referred_out", "转外率", "ratio", LOW, INSURED, "参保人县域外出院人次 ÷ 参保人出院人次",
              ("insured_discharges_out",), ("insured_discharges",), volume="insured_discharges", affected="fund_all",
              clause=S001, group="服务"),
    Indicator("unregistered_out", "未备案转外占比", "ratio", LOW, INSURED, "自行外出（未备案）出院人次 ÷ 县域外出院人次",
              ("insured_discharges_unregistered",), ("insured_discharges_out",), volume="insured_discharges_out",
              clause="赣医保发〔2022〕23号 §四(二)", group="服务"),
    Indicator("reimbursement", "实际报销比", "ratio", HIGH, EVERY, "（统筹基金 + 大病大额）÷ 医疗费用总额",
              ("pooled_paid", "serious_paid"), ("total_cost",), volume="total_cost", group="待遇",
              note="个人账户和医疗救助不计入"),
    Indicator("policy_reimbursement", "政策范围内报销比", "ratio", HIGH, EVERY, "（统筹基金 + 大病大额）÷ 政策范围内费用",
              ("pooled_paid", "serious_paid"), ("eligible_cost",), volume="eligible_cost", group="待遇"),
    Indicator("non_covered", "目录外占比", "ratio", LOW, EVERY, "目录外费用 ÷ 医疗费用总额",
              ("non_covered_cost",), ("total_cost",), volume="total_cost", affected="total_cost", group="待遇"),
    Indicator("own_burden", "个人负担率", "ratio", LOW, EVERY, "（个人账户 + 现金）÷ 医疗费用总额",
              ("own_paid",), ("total_cost",), volume="total_cost", affected="total_cost", group="待遇"),
    Indicator("drug_share", "药占比", "ratio", LOW, EVERY, "药品费 ÷ 医疗费用总额",
              ("drug_cost",), ("total_cost",), volume="total_cost", affected="total_cost", group="费用"),
    Indicator("consumables_share", "耗占比", "ratio", LOW, EVERY, "耗材费 ÷ 医疗费用总额",
              ("consumables_cost",), ("total_cost",), volume="total_cost", affected="total_cost", group="费用"),
    Indicator("exam_share", "检查检验占比", "ratio", LOW, EVERY, "检查检验费 ÷ 医疗费用总额",
              ("exam_cost",), ("total_cost",), volume="total_cost", affected="total_cost", group="费用"),
    Indicator("balance_rate", "预计结余率（负为超支）", "ratio", HIGH, INSURED, "（打包总额 − 预计全年基金支出）÷ 打包总额",
              ("package", "-projected"), ("package",), volume="charged", affected="projected",
              clause="赣医保发〔2022〕23号 §二(三)1"),
    Indicator("prepaid_rate", "预拨率", "ratio", LOW, INSURED, "累计预付 ÷ 打包总额",
              ("prepaid",), ("package",), affected="prepaid", clause="赣医保发〔2022〕23号 §二(二)4：≤60%"),
    Indicator("cmi", "病例组合指数（CMI）", "number", NEITHER, EVERY, "权重合计 ÷ 已分组病例",
              ("weight",), ("grouped",), volume="grouped", affected="fund_inpatient", group="支付方式"),
    Indicator("grouping_rate", "入组率", "ratio", HIGH, EVERY, "已分组病例 ÷ 应分组病例",
              ("grouped",), ("groupable",), volume="groupable", affected="fund_inpatient", group="支付方式"),
    Indicator("readmission", "15日再入院率", "ratio", LOW, EVERY, "15日内同类再入院人次 ÷ 可追踪的出院人次",
              ("readmitted",), ("stays",), volume="stays", affected="fund_inpatient", group="服务",
              note="须有结算明细；同一人、同一机构或医共体，主要诊断前三位相同"),
    Indicator("referral_ratio", "上转／下转人次比", "number", LOW, (ALLIANCE, COUNTY, CITY), "上转人次 ÷ 下转人次",
              ("referrals_up",), ("referrals_down",), volume="referrals_up", clause="赣医保发〔2022〕23号 §三(四)", group="服务"),
    Indicator("two_diseases", "两病规范管理率", "ratio", HIGH, FUND, "两病规范管理人数 ÷ 两病登记人数",
              ("two_managed",), ("two_registered",), group="健康管理"),
    Indicator("contracted", "家庭医生签约率", "ratio", HIGH, FUND, "家庭医生签约人数 ÷ 期末参保人数",
              ("contracts",), ("insured",), group="健康管理"),
    Indicator("refusal", "拒付率", "ratio", NEITHER, (ALLIANCE,), "累计拒付金额 ÷ 累计申报支付（同一季度报表）",
              ("refused",), ("checked",), affected="refused", group="监管"),
    Indicator("recovery", "追回率", "ratio", HIGH, INSURED, "已追回金额 ÷ 应追回金额",
              ("recovered",), ("recovery_due",), affected="recovery_due", group="监管"),
    Indicator("tips_closed_rate", "举报办结率", "ratio", HIGH, FUND, "办结件数 ÷ 受理件数",
              ("tips_closed",), ("tips_received",), group="监管", clause="临政办发〔2024〕2号 (十九)"),
    Indicator("tips_in_time_rate", "举报按期办结率", "ratio", HIGH, FUND, "按期办结件数 ÷ 办结件数",
              ("tips_in_time",), ("tips_closed",), group="监管", clause="临政办发〔2024〕2号 (十九)"),
    Indicator("procurement", "集采完成率", "ratio", HIGH, FUND, "集采完成金额 ÷ 集采约定金额",
              ("procurement_bought",), ("procurement_committed",), over="to_date", group="支付方式",
              clause="赣医保发〔2022〕23号 §三(二)"),
)  # fmt: skip
BY_KEY = {indicator.key: indicator for indicator in INDICATORS}
