"""The catalogue of findings C01–C31: what is wrong, how bad it is, what to do about it.

Data a user can read; pages, reports and documents print it as it stands. The rule behind each code is the SQL text in
``claims.engine.rules``. A rejected row is kept apart until a corrected extract replaces it; a soft finding is told and
the row accepted.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from claims.engine.columns import MONEY, PARTS_OF_COST


class Severity(StrEnum):
    """What a finding does to its row."""

    REJECT = "reject"
    SOFT = "soft"

    @property
    def label(self) -> str:
        return {"reject": "退回", "soft": "提示"}[self.value]


@dataclass(frozen=True)
class Code:
    """One kind of finding. ``columns`` are those shown as the place of the fault."""

    code: str
    title: str
    columns: tuple[str, ...]
    explanation: str
    remedy: str
    severity: Severity = Severity.REJECT

    @property
    def bit(self) -> int:
        """The bit of this code in a row's mask."""
        return 1 << (int(self.code[1:]) - 1)


_BALANCE = (
    "total_cost", "pooled_fund_paid", "serious_illness_paid", "other_paid", "medical_assistance_paid",
    "personal_account_paid", "mutual_aid_paid", "cash_paid", "hospital_borne", "fund_total", "person_total",
)

CATALOGUE: tuple[Code, ...] = (
    Code("C01", "结算ID缺失或过长", ("settlement_id",), "结算ID为空，或超过30个字符。",
         "在医保结算系统中补出结算ID后重新导出。"),
    Code("C02", "结算ID在文件中重复", ("settlement_id",), "同一结算ID在本文件中出现多次，保留第一次出现的一行。",
         "核对重复行；确属两笔结算的，分别取各自的结算ID后重新导出。"),
    Code("C03", "结算ID已入库且内容不同", ("settlement_id",), "该结算ID已经入库，而本行内容与库内不同。完全相同的行会自动跳过。",
         "确需更正的，用冲销行加新结算更正，或重新导出该月完整明细替换原导入。"),
    Code("C04", "人员编号缺失", ("person_id",), "人员编号为空。", "补出人员编号后重新导出。"),
    Code("C05", "性别代码不识别", ("sex",), "性别只接受 1（男）、2（女）、9（未说明）。", "按国家代码改正，或留空。"),
    Code("C06", "出生日期不成立", ("birth_date",), "出生日期不是有效日期，或晚于就诊日期。", "改为 YYYY-MM-DD，或留空。"),
    Code("C07", "险种类型不识别", ("fund_type",), "险种类型不在本统筹区的险种对照表中。",
         "核对险种代码；确属新险种的，请管理员在险种对照表中登记。"),
    Code("C08", "参保区划不符", ("insured_county",), "参保所属医保区划不是本统筹区的县（市、区），或不是本次申报的县。",
         "核对参保区划；外县参保人的结算请放入该县的明细。"),
    Code("C09", "医药机构编号缺失", ("institution_code",), "定点医药机构编号为空，且不是中心（手工）报销。",
         "补出机构编号；手工报销请在结算类别中注明。"),
    Code("C10", "医药机构未登记", ("institution_code", "institution_area"),
         "机构编号不在机构目录中，且机构所属区划没有表明是县域外机构。",
         "请管理员登记该机构；县域外机构请填写其所属区划（6位）。"),
    Code("C11", "医疗类别不识别", ("visit_type",), "医疗类别不在医疗类别对照表中。",
         "核对医疗类别代码；确属新类别的，请管理员在对照表中登记。"),
    Code("C12", "开始或结束日期不成立", ("admission_date", "discharge_date"), "开始日期或结束日期不是有效日期。",
         "改为 YYYY-MM-DD 后重新导出。"),
    Code("C13", "结束日期早于开始日期", ("admission_date", "discharge_date"), "结束日期在开始日期之前。", "核对两个日期后重新导出。"),
    Code("C14", "住院缺少日期", ("admission_date", "discharge_date"), "住院结算必须有开始日期和结束日期。",
         "补出入院、出院日期后重新导出。"),
    Code("C15", "结算时间缺失或不成立", ("settled_on",), "结算时间为空，或不是有效日期。", "改为 YYYY-MM-DD 或 YYYY-MM-DD HH:MM:SS。"),
    Code("C16", "结算时间晚于申报期间", ("settled_on",), "结算时间在申报期间之后。早于申报期间的按迟到结算接收。",
         "核对申报期间；属于以后月份的，随以后月份导入。"),
    Code("C17", "应分组而未分组", ("group_code",), "按DRG/DIP付费的住院没有组编码。", "完成分组后重新导出。"),
    Code("C18", "组编码不在分组目录", ("group_code",), "组编码不在已载入的分组目录中。", "核对分组方案版本，或请管理员载入新的分组目录。"),
    Code("C19", "权重（分值）不成立", ("group_weight",), "权重或分值不是数字、小数超过4位，或不大于零。", "改正，或留空由分组目录带出。"),
    Code("C20", "床日数过大", ("bed_days",), "床日数不是非负整数，或大于结束日期减开始日期加1。", "核对床日数与出入院日期。"),
    Code("C21", "金额不成立", MONEY, "金额不是数字、小数超过2位、绝对值达到一千万元，或必填金额为空。",
         "改为以元为单位、最多两位小数的数字，不带千分位逗号。"),
    Code("C22", "分项费用大于总额", (*PARTS_OF_COST, "total_cost"), "药品、中药、耗材、检查检验、治疗手术五项费用之和大于医疗费总额。",
         "核对费用分项口径。"),
    Code("C23", "政策范围内金额大于总额", ("eligible_cost", "total_cost"), "符合政策范围金额大于医疗费总额。", "核对两项金额。"),
    Code("C24", "统筹支出大于政策范围内金额", ("pooled_fund_paid", "eligible_cost"),
         "统筹基金支出大于符合政策范围金额。按病种付费时可能成立，仅作提示。", "请抽查；确有差错的更正后重新导出。", Severity.SOFT),
    Code("C25", "转外、转诊或应急标志不识别", ("outflow_kind", "referral", "public_health_emergency"),
         "转外类型只接受转诊、异地安置、急诊、自行转外；转诊方向只接受上转、下转；突发公共卫生救治只接受 0、1。", "按对照表改正，或留空。"),
    Code("C26", "冲销的原结算不存在", ("reversal_of",), "退费结算没有写明原结算ID，或原结算既未入库也不在本文件的合格行中。",
         "补出原结算ID；原结算被退回的，先更正原结算。"),
    Code("C27", "冲销与原结算不相抵", ("reversal_of", "total_cost"),
         "退费结算的人员、险种或各项金额与原结算不是一正一负，原结算本身是冲销，或已被冲销过。",
         "核对原结算；部分退费请先全额冲销再重新结算。"),
    Code("C28", "住院缺少就诊ID", ("visit_id",), "住院结算没有就诊ID（或超过30个字符），无法计算出院人次。", "补出就诊ID后重新导出。"),
    Code("C29", "付费方式不识别", ("method",), "付费方式只接受 DRG、DIP、床日、人头、病种、项目，或留空。", "按对照表改正，或留空。"),
    Code("C30", "费用不平衡", _BALANCE,
         "医疗费总额不等于统筹、大病（大额）、其他基金、医疗救助、个人账户、现金、医院负担之和（容差0.01元）；"
         "有基金支付总额、个人负担总金额的同样核对。",
         "核对各项支出，特别是个人账户共济支出是否已含在个人账户支出内。"),
    Code("C31", "非冲销行出现负数", MONEY, "不是退费结算的行出现负的金额。", "退费请填写原结算ID；否则核对正负号。"),
)
BY_CODE: dict[str, Code] = {code.code: code for code in CATALOGUE}
REJECTING: int = sum(code.bit for code in CATALOGUE if code.severity is Severity.REJECT)
"""Mask of the codes that keep a row out of the lake."""
