"""What a place, fund type and month is known by: sums that add up over months and places, and stocks that do not.

Money is yuan, everything else whole numbers. A flow of several months is their sum, a stock is that of the last month;
both add up over the counties of a city. ``inside`` means care given in the place, ``insured`` care of its insured.
"""

from __future__ import annotations

from typing import NamedTuple


class Base(NamedTuple):
    """``source``: facts, lake, report (基金月报), budget, table (accepted quarterly tables), other. ``stock``: no flow."""

    key: str
    label: str
    unit: str
    source: str
    stock: bool = False

    @property
    def is_money(self) -> bool:
        return self.unit == "元"


BASES: tuple[Base, ...] = (
    # what the package is charged and where the fund's money went, by the insured (for an institution: what it did)
    Base("charged", "打包范围内基金支出", "元", "facts"),
    Base("fund_all", "参保人基金支出合计", "元", "facts"),
    Base("fund_in_county", "县域内基金支出", "元", "facts"),
    Base("fund_in_alliance", "医共体内基金支出", "元", "facts"),
    Base("fund_primary", "基层机构基金支出", "元", "facts"),
    Base("fund_inpatient", "其中住院基金支出（县域内）", "元", "facts"),
    Base("fund_outpatient", "其中门诊基金支出（县域内）", "元", "facts"),
    Base("insured_discharges", "参保人出院人次", "人次", "facts"),
    Base("insured_discharges_in_county", "参保人县域内出院人次", "人次", "facts"),
    Base("insured_discharges_out", "参保人县域外出院人次", "人次", "facts"),
    Base("insured_discharges_unregistered", "其中自行外出（未备案）", "人次", "facts"),
    # care given inside the place
    Base("inpatient_cost", "住院医疗费用", "元", "facts"),
    Base("discharges", "出院人次", "人次", "facts"),
    Base("bed_days", "住院床日", "床日", "facts"),
    Base("outpatient_cost", "门诊医疗费用", "元", "facts"),
    Base("visits", "门诊人次", "人次", "facts"),
    Base("visits_primary", "基层门诊人次", "人次", "facts"),
    Base("total_cost", "医疗费用总额", "元", "facts"),
    Base("drug_cost", "药品费（含中药）", "元", "facts"),
    Base("consumables_cost", "耗材费", "元", "facts"),
    Base("exam_cost", "检查检验费", "元", "facts"),
    Base("eligible_cost", "政策范围内费用", "元", "facts"),
    Base("non_covered_cost", "目录外（全自费）费用", "元", "facts"),
    Base("pooled_paid", "统筹基金支付", "元", "facts"),
    Base("serious_paid", "大病（大额）支付", "元", "facts"),
    Base("own_paid", "个人负担（个人账户与现金）", "元", "facts"),
    Base("groupable", "应分组病例", "例", "facts"),
    Base("grouped", "已分组病例", "例", "facts"),
    Base("weight", "权重合计（万分之一）", "万分之一", "facts"),
    Base("referrals_up", "上转人次", "人次", "facts"),
    Base("referrals_down", "下转人次", "人次", "facts"),
    # persons are known in the lake only
    Base("stays", "可追踪的出院人次", "人次", "lake"),
    Base("readmitted", "15日内同类再入院", "人次", "lake"),
    # 基金月报 of a county
    Base("insured", "期末参保人数", "人", "report", True),
    Base("expected_insured", "应参保人数", "人", "other", True),
    Base("income", "基金收入合计", "元", "report"),
    Base("income_collected", "征缴收入（个人与单位缴费）", "元", "report"),
    Base("fund_spending", "基金支出合计（当期）", "元", "report"),
    Base("balance", "累计结余", "元", "report", True),
    Base("contracts", "家庭医生签约人数", "人", "report", True),
    Base("two_registered", "两病登记人数", "人", "report", True),
    Base("two_managed", "两病规范管理人数", "人", "report", True),
    Base("procurement_committed", "集采约定金额", "元", "report"),
    Base("procurement_bought", "集采完成金额", "元", "report"),
    # budgets and ledger, as known at the month's end
    Base("package", "调整后打包总额", "元", "budget", True),
    Base("prepaid", "累计预付", "元", "budget", True),
    # accepted quarterly tables (cumulative) and settlement
    Base("checked", "累计申报支付（季度报表第 4 行）", "元", "table", True),
    Base("refused", "累计拒付金额（季度报表第 13.2 行）", "元", "table", True),
    Base("recovery_due", "应追回金额", "元", "other", True),
    Base("recovered", "已追回金额", "元", "other", True),
    # tips (joined by the supervision of a later capability)
    Base("tips_received", "受理举报件数", "件", "other", True),
    Base("tips_closed", "办结举报件数", "件", "other", True),
    Base("tips_in_time", "按期办结举报件数", "件", "other", True),
    # the projection of the month
    Base("projected", "预计全年基金支出", "元", "other", True),
)
BASE_BY_KEY = {base.key: base for base in BASES}
FACT_BASES = tuple(base.key for base in BASES if base.source == "facts")
