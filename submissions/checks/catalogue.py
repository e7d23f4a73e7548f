"""Every check by its code: handbook, page and API list what stands here."""

from __future__ import annotations

from dataclasses import replace

from submissions.checks import hard, soft
from submissions.checks.context import HARD, SOFT, Check, CheckContext
from submissions.figures import Found

CATALOGUE: tuple[Check, ...] = (
    Check("H1", HARD, "金额行等于各分行之和", "请核对合计行与各分行；每个相加的行允许 0.01 万元舍入差。", hard.sums),
    Check("H2", HARD, "人次等于各级别之和", "人次须逐级相加，不允许有差。", hard.level_sums),
    Check("H3", HARD, "成员表合计等于情况表", "请核对成员表各行与情况表，两处须同口径。", hard.members_add_up),
    Check(
        "H4", HARD, "累计数不小于上期", "请填 1 月起的累计数；确因更正减少的，在“说明”列写明“更正”及原因。", hard.not_below_last_period
    ),
    Check("H5", HARD, "居民加职工等于合计", "请核对三张表的同一行；合计须等于居民与职工之和。", hard.funds_add_up),
    Check("H6", HARD, "不超过所属的上限", "基金支出 ≤ 政策范围内费用 ≤ 医疗总费用；其中项不大于总项；床日不小于出院人次。", hard.chains),
    Check("H7", HARD, "人次为整数，数值不为负", "人数、人次、床日填整数；除注明可为负的行外不得为负。", hard.counts),
    Check("H8", HARD, "累计预付等于支付账", "以支付账为准；期末以后收到的不计入本期。", hard.prepaid_is_the_ledgers),
    Check("H9", HARD, "打包总额等于有效版本", "打包总额和年度预算已预填，不得改动；对预算有异议的请联系医保局。", hard.package_in_force),
    Check(
        "H10", HARD, "上年同期等于上年已受理报表", "此列已预填，不得改动；上年报表有误的，请申请重新开放更正。", hard.last_year_as_accepted
    ),
    Check("H11", HARD, "结余为负或红色预警须附原因分析", "请在“原因分析”表为该险种填写原因分析和整改措施。", hard.causes_are_given),
    Check("H12", HARD, "考核得分在 0 到 100 之间", "请填百分制得分；没有考核的空着。", hard.scores),
    Check("S1", SOFT, "与上年同期相比变动过大", "数值属实的，说明变动原因；填错的改正后重新上传。", soft.changes),
    Check("S2", SOFT, "次均费用偏离历史水平", "请核对费用与人次；属实的说明原因。", soft.averages),
    Check("S3", SOFT, "基层支出占比偏低", "请说明基层占比低于规定的原因和提高措施。", soft.primary),
    Check("S4", SOFT, "县外支出占比上升", "请说明县外就医增加的原因和引导措施。", soft.outflow),
    Check("S5", SOFT, "药占比上升", "请说明药品费用增加的原因和控制措施。", soft.drugs),
    Check("S6", SOFT, "与结算系统月度数据不一致", "请与医保局核对口径；属实的说明差异来源。", soft.facts),
    Check("S7", SOFT, "平均住院日异常", "请核对床日与出院人次；属实的（如长期住院）说明原因。", soft.stays),
    Check("S8", SOFT, "成员单位次均住院费用偏离历史水平", "请核对该单位的费用与人次；属实的说明原因。", soft.member_averages),
    Check("S9", SOFT, "成员单位预算执行过快", "请说明该单位支出快于序时进度的原因和控制措施。", soft.member_pace),
)
BY_CODE: dict[str, Check] = {check.code: check for check in CATALOGUE}


def run_checks(context: CheckContext) -> list[Found]:
    """Everything every check finds, hard ones first, each with its code, severity and remedy."""
    return [
        replace(
            found,
            code=check.code,
            severity=check.severity_on(context.period),
            remedy=found.remedy or check.remedy,
        )
        for check in CATALOGUE
        for found in check.run(context)
    ]
