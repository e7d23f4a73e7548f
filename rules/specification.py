"""The parameters a sharing scheme may have: keys, Chinese titles, kinds of value and the words for each choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """What a parameter is: Chinese title, kind of value, the choices of a choice or list, whether it is required."""

    title: str
    kind: str
    choices: Mapping[str, str] | None = None
    required: bool = False


META = {"name": "方案标识", "title": "方案名称", "place": "适用地区", "legal_basis": "文件依据"}
OPTIONAL_META = {"issued": "印发日期", "note": "说明"}

FUND_TYPES = {"EMP": "职工医保", "RES": "居民医保"}
SERVICES = {
    "general_outpatient": "普通门诊",
    "chronic_special_outpatient": "门诊慢特病",
    "inpatient": "住院",
    "out_of_county": "县域外就医",
}
EXCLUDED = {
    "personal_account": "个人账户",
    "critical_illness": "大病保险",
    "public_health_emergency": "突发公共卫生服务救治",
    "non_member": "未纳入医共体的定点医疗机构",
    "employee_maternity": "职工生育",
    "maternity_allowance": "生育津贴",
}
MODES = {"marginal": "分段累计", "whole_amount": "按所在档全额计算"}
RATIO_BASES = {
    "adjusted_package": "调整后打包总额",
    "initial_package": "年初打包总额",
    "package_after_deductions": "扣减后打包总额",
}
MEASURES = {"fund_payable": "基金应付额", "pooled_fund_paid": "统筹基金支付额", "total_cost": "医疗总费用"}
TARGETS = {
    "reserve_else_surplus": "有考核预留金时作用于预留金,否则作用于留用结余",
    "retained_surplus": "作用于留用结余",
    "reserve": "作用于考核预留金",
    "whole_payment": "作用于年终应拨付款",
}

SPEC: dict[str, Kind] = {
    "validity.from": Kind("生效日期", "date", required=True),
    "validity.to": Kind("失效日期", "date"),
    "scope.fund_types": Kind("险种", "list", FUND_TYPES, required=True),
    "scope.separate": Kind("分险种核算", "flag", required=True),
    "scope.services": Kind("打包服务范围", "list", SERVICES, required=True),
    "scope.excluded": Kind("不纳入打包", "list", EXCLUDED),
    "sharing.measure": Kind("比较口径", "choice", MEASURES, required=True),
    "sharing.ratio_base": Kind("比例基数", "choice", RATIO_BASES, required=True),
    "sharing.mode": Kind("计算方式", "choice", MODES, required=True),
    "sharing.rounding": Kind("取整规则", "choice", {"bounds_first": "先将各档界限四舍五入到分"}, required=True),
    "overrun.requires_cause_analysis": Kind("超支须先分析原因、认定合理部分", "flag"),
    "overrun.dead_band": Kind("超支免分担带", "ratio"),
    "overrun.dead_band_rate": Kind("超支免分担带内基金分担比例", "ratio"),
    "overrun.cap": Kind("基金分担封顶(占打包总额)", "ratio"),
    "surplus.dead_band": Kind("结余免分享带", "ratio"),
    "surplus.dead_band_rate": Kind("结余免分享带内医共体留用比例", "ratio"),
    "surplus.cap": Kind("医共体留用封顶(占打包总额)", "ratio"),
    "reserve.rate": Kind("考核预留金(风险金)比例", "ratio"),
    "withheld.monthly_rate": Kind("按月暂扣比例", "ratio"),
    "prepayment.cap": Kind("预付上限(占打包总额)", "ratio"),
    "prepayment.step": Kind("每月预付比例", "ratio"),
    "prepayment.base": Kind(
        "预付基数", "choice", {"package": "打包总额", "package_less_outflow": "打包总额减计划县域外支出"}
    ),
    "primary_share.floor": Kind("基层医疗机构支出占比下限", "ratio"),
    "primary_share.base": Kind(
        "基层占比的分母",
        "choice",
        {"in_alliance_spending": "医共体内基金支出", "package": "打包总额", "county_spending": "县域基金支出"},
    ),
    "assessment.target": Kind("考核系数作用对象", "choice", TARGETS, required=True),
    "budget.base": Kind(
        "打包基数", "choice", {"last_year_settled": "上年度结算支付总额", "three_year_mean": "前三年结算支付平均数"}
    ),
    "budget.reference_years": Kind("增幅参照年数", "count"),
    "budget.growth_cap": Kind(
        "总额增幅上限的参照",
        "choice",
        {"pooling_area_revenue_budget": "统筹区基金收入预算增幅", "pooled_fund": "统筹基金增幅"},
    ),
    "budget.county_revenue_refused": Kind("不得以县域基金收入打包", "flag"),
    "budget.direct_handover_refused": Kind("不得按打包额度直接全额拨付", "flag"),
    "budget.primary_by_execution": Kind("基层机构按预算执行管理、不设总额控制", "flag"),
}

TIER_FIELDS: dict[str, tuple[Kind, str]] = {
    "lower": (Kind("下限", "ratio"), "bounds_status"),
    "upper": (Kind("上限", "ratio"), "bounds_status"),
    "lower_inclusive": (Kind("含下限", "flag"), "bounds_status"),
    "upper_inclusive": (Kind("含上限", "flag"), "bounds_status"),
    "rate": (Kind("比例", "ratio"), "rate_status"),
}
GRADE_FIELDS: dict[str, tuple[Kind, str]] = {
    "lower": (Kind("得分下限", "score"), "status"),
    "upper": (Kind("得分上限", "score"), "status"),
    "lower_inclusive": (Kind("含下限", "flag"), "status"),
    "upper_inclusive": (Kind("含上限", "flag"), "status"),
    "factor": (Kind("考核系数", "ratio"), "status"),
}
GATE_FIELDS: dict[str, tuple[Kind, str]] = {
    "threshold": (Kind("门槛值", "number"), "status"),
    "closes_when": (Kind("触发方向", "choice", {"below": "低于门槛", "above": "高于门槛"}), "status"),
    "target": (Kind("作用于", "choice", {"retention": "医共体留用", "fund_share": "基金分担"}), "status"),
}
SPLIT_FIELDS: dict[str, tuple[Kind, str]] = {"share": (Kind("分配比例", "ratio"), "status")}


@dataclass(frozen=True)
class RowSpec:
    """A list of rows in a document: path, the column that names a row, its fields, and which may be left out."""

    path: str
    label: str
    title: str
    fields: Mapping[str, tuple[Kind, str]]
    optional: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()

    @property
    def prefix(self) -> str:
        """What the keys of the rows start with: ``overrun`` for overrun.tiers."""
        return self.path.removesuffix(".tiers").removesuffix(".grades")


ROWS: tuple[RowSpec, ...] = (
    RowSpec("overrun.tiers", "label", "超支", TIER_FIELDS, ("upper", "upper_inclusive")),
    RowSpec("surplus.tiers", "label", "结余", TIER_FIELDS, ("upper", "upper_inclusive")),
    RowSpec("gates", "key", "条件", GATE_FIELDS, texts=("metric", "title")),
    RowSpec("assessment.grades", "label", "考核等级", GRADE_FIELDS),
    RowSpec("retained_split", "recipient", "留用结余分配", SPLIT_FIELDS),
)
