"""The audits of the demonstration as data: who was suspected of what, on which day, and how far each matter has gone.

Leads come from every source and end in every state; cases and their two ways stand in every state. The days between the
acts are working days counted from the day the lead came in (:mod:`portal.demo.audits`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from audits.reading.held import CaseState, LeadSource, LeadState, TrackState
from portal.demo.story import YE

C, L, S, T = CaseState, LeadState, LeadSource, TrackState
LIU, ZHAO = "liu.auditor", "zhao.auditor"


@dataclass(frozen=True)
class Suspicion:
    """One lead and what became of it. ``agreement`` and ``penalty``: where these ways stand, blank where not taken.

    ``amounts``: yuan found claim by claim (typed in: the year has no extract); blank with ``extract``, where claims of the
    county's extract are taken. ``outside`` of them belong to insured of elsewhere. ``year``: of the claims.
    ``turns``: what happened on the way, beside the ordinary course.
    """

    on: date
    source: str
    code: str
    title: str
    detail: str
    lead: str = L.FILED
    case: str = ""
    agreement: str = ""
    penalty: str = ""
    act: str = "overcharging"
    year: int = 2026
    amounts: tuple[str, ...] = ()
    outside: int = 0
    extract: int = 0
    partner: str = ZHAO
    turns: tuple[str, ...] = ()
    warned: str = ""
    person: str = ""

    @property
    def county(self) -> str:
        """The code of the county: institution codes begin with it."""
        return self.code[1:7]

    @property
    def estimate(self) -> Decimal | None:
        return sum((Decimal(amount) for amount in self.amounts), Decimal(0)) or None


QX1, QX_TCM, QX_STONE, QX_BAMBOO, QX_WILLOW = "H99010100001", "H99010100002", "H99010100012", "H99010100013", "H99010100014"
QX_CAMP, QX_PRIVATE, QX_BONE, QX_PHARMACY = "H99010100015", "H99010100901", "H99010100902", "P99010100903"
YL1, YL_EAST, YL_RIVER, YL_TCM, YL_SECOND, YL_WEST = (
    "H99010200001", "H99010200011", "H99010200012", "H99010200101", "H99010200102", "H99010200111",
)  # fmt: skip
YL_TONGJI, YL_EYE = "H99010200901", "H99010200902"
HP1, HP_TCM, HP_THIRD, HP_LONG, HP_PEACE, HP_PRIVATE = (
    "H99010300001", "H99010300002", "H99010300004", "H99010300012", "H99010300013", "H99010300901",
)  # fmt: skip

SMALL = ("1286.40", "942.75", "1563.20", "817.90", "2104.35")
MIDDLE = ("6820.00", "5317.60", "7944.25", "4108.90", "9236.15", "3875.40")
LARGE = ("48230.50", "36917.80", "52104.00", "41368.25", "29755.60")

CLOSED = (
    Suspicion(
        date(2025, 2, 17), S.INSPECTION, YL1, "重复收取静脉输液、护理费用", "省级飞行检查移交：护理级别与收费不符，同日重复计收输液费。",
        case=C.CLOSED, agreement=T.DONE, penalty=T.DONE, year=2024, amounts=MIDDLE, partner=ZHAO,
        turns=("appeal", "trim", "rectify", "follow_up_mended", "papers"),
    ),
    Suspicion(
        date(2025, 4, 8), S.TIP, QX_BONE, "骨科耗材进销存不符", "群众举报：耗材收费数量多于采购数量。",
        case=C.CLOSED, agreement=T.DONE, act="substitution", year=2024, amounts=SMALL, turns=("letter_first", "talk"), partner=LIU,
    ),
    Suspicion(
        date(2025, 6, 10), S.SELF_INSPECTION, HP_LONG, "检验项目超标准收费", "自查自纠报告：血常规按高于目录价格收取，主动退回。",
        case=C.CLOSED, agreement=T.DONE, year=2024, amounts=SMALL, partner=LIU, turns=("told_again",),
    ),
    Suspicion(
        date(2025, 8, 19), S.DEPARTMENT, HP_PRIVATE, "虚构理疗项目", "市场监管部门移交：理疗室设备与收费记录不符。",
        case=C.CLOSED, penalty=T.DONE, act="phantom_service", year=2024, amounts=SMALL, partner=ZHAO,
        turns=("health", "circular"),
    ),
    Suspicion(
        date(2025, 10, 13), S.OTHER, QX_CAMP, "违规收取空调费", "日常巡查发现，经核查收费有依据。",
        case=C.DISMISSED, amounts=SMALL, year=2024, partner=LIU, turns=("papers",),
    ),
    Suspicion(
        date(2025, 11, 4), S.LISTED_DISEASE, YL_WEST, "门诊慢特病超量开药", "规定病种处方抽查：同月多次开具长处方。",
        case=C.CLOSED, agreement=T.DONE, penalty=T.DROPPED, act="excessive_service", year=2024, amounts=MIDDLE, partner=LIU,
        turns=("sent_back", "follow_up_not"),
    ),
    Suspicion(
        date(2026, 3, 3), S.NURSING, QX_WILLOW, "养老护理费用作为住院费用结算", "医养结合机构专项核查：护理床位与住院床位混用。",
        case=C.CLOSED, agreement=T.DONE, act="nursing_care_as_medical", amounts=MIDDLE, partner=ZHAO, outside=2,
        turns=("resumed", "talk"),
    ),
)  # fmt: skip
"""Finished: what was decided came back, fines were paid."""

RUNNING = (
    Suspicion(
        date(2026, 3, 23), S.ROUTINE, QX_STONE, "分解住院、低指征入院", "年度日常稽核实地检查：15 日内同病种再入院 11 例。",
        case=C.CLOSED, agreement=T.DONE, penalty=T.DONE, act="split_or_phantom_stay", amounts=MIDDLE, partner=LIU, outside=1,
        turns=("appeal", "trim", "second_fact", "rectify", "deduct", "papers"),
    ),
    Suspicion(
        date(2026, 4, 15), S.DEPARTMENT, QX_PRIVATE, "虚构检查检验项目骗取基金", "卫生健康部门移交：检查报告无原始影像。",
        case=C.REVIEWED, agreement=T.SERVED, penalty=T.SERVED, act="phantom_service", amounts=LARGE, partner=ZHAO,
        turns=("registered", "police", "half", "remedy", "suspend_agreement"),
    ),
    Suspicion(
        date(2026, 5, 18), S.PRICE, YL_SECOND, "非招标药品超支付限额收费", "支付限额比对：12 种药品收费高于协议限额。",
        case=C.REVIEWED, agreement=T.DONE, penalty=T.SERVED, act="price_above_limit", amounts=LARGE, outside=2, partner=LIU,
        turns=("hearing", "hand_fine", "legal_again"),
    ),
    Suspicion(
        date(2026, 8, 24), S.INSPECTION, HP_TCM, "串换中药饮片", "专项检查：同名饮片按高价规格结算。",
        case=C.REVIEWED, agreement=T.DROPPED, penalty=T.SERVED, act="substitution", amounts=MIDDLE, outside=2, partner=LIU,
        turns=("half",),
    ),
    Suspicion(
        date(2026, 9, 1), S.TIP, YL_RIVER, "挂床住院", "群众举报：住院期间多日无诊疗记录。",
        case=C.REVIEWED, agreement=T.SERVED, penalty=T.DECIDED, act="split_or_phantom_stay", amounts=MIDDLE, partner=ZHAO,
        turns=("appeal", "second_fact"), outside=1,
    ),
    Suspicion(
        date(2026, 9, 2), S.INSPECTION, HP1, "过度检查", "专项检查：同一住院期间重复影像检查。",
        case=C.REVIEWED, agreement=T.DECIDED, penalty=T.LEGAL, act="excessive_service", amounts=LARGE, partner=ZHAO,
        turns=("opinion",),
    ),
    Suspicion(
        date(2026, 8, 20), S.SCREENING, QX1, "重复收取监护费", "智能审核：同日重复计收心电监护费，涉及多份病历。",
        case=C.REVIEWED, agreement=T.SERVED, penalty=T.TO_DECIDE, extract=14, partner=LIU, turns=("screened", "appeal"),
    ),
    Suspicion(
        date(2026, 9, 10), S.DEPARTMENT, YL_TCM, "超标准收取理疗费", "财政部门移交：理疗项目按次收费、按部位计费。",
        case=C.REVIEWED, agreement=T.LEGAL, penalty=T.DROPPED, amounts=LARGE, partner=LIU, turns=("suspend_agreement",),
    ),
    Suspicion(
        date(2026, 9, 15), S.LISTED_DISEASE, HP_PEACE, "慢特病购药与住院时间重叠", "规定病种比对：住院期间门诊取药 23 人次。",
        case=C.REVIEWED, agreement=T.TO_DECIDE, penalty=T.RE_REVIEW, act="out_of_scope_billing", amounts=SMALL, partner=ZHAO,
        turns=("appeal_penalty",),
    ),
    Suspicion(
        date(2026, 9, 17), S.PRICE, HP_THIRD, "精神科治疗项目套高收费", "收费比对：工娱治疗按心理治疗收费。",
        case=C.REVIEWED, agreement=T.RE_REVIEW, penalty=T.HEARING, amounts=LARGE, partner=LIU, turns=("appeal",),
    ),
    Suspicion(
        date(2026, 9, 21), S.TIP, YL_EAST, "村卫生室代刷医保卡", "群众举报：未就诊产生门诊统筹结算。",
        case=C.REVIEWED, agreement=T.HEARING, penalty=T.NOTIFIED, act="phantom_service", amounts=LARGE, partner=ZHAO,
        turns=("suspend_agreement",),
    ),
    Suspicion(
        date(2026, 9, 21), S.SCREENING, QX_TCM, "中医适宜技术超范围结算", "智能审核：医保目录外项目对应目录内编码。",
        case=C.REVIEWED, agreement=T.NOTIFIED, penalty=T.TO_NOTIFY, act="out_of_scope_billing", extract=10, partner=LIU,
        turns=("screened", "letter_first"),
    ),
    Suspicion(
        date(2026, 9, 28), S.WARNING, YL1, "", "", case=C.REVIEWED, agreement=T.TO_NOTIFY, act="excessive_service", amounts=SMALL,
        partner=ZHAO, warned=YE,
    ),
    Suspicion(
        date(2026, 10, 9), S.NURSING, QX_BAMBOO, "医养结合床位挂床结算", "医养结合核查：入住老人与住院登记不符。",
        case=C.FIRST_REVIEW, act="nursing_care_as_medical", amounts=SMALL, partner=LIU, turns=("second_fact",),
    ),
    Suspicion(
        date(2026, 10, 9), S.DEPARTMENT, "H99010200000", "出借医保凭证给他人使用", "公安机关移交：他人持其医保凭证购药 5 次。",
        case=C.FIRST_REVIEW, act="using_others_card", amounts=SMALL, partner=ZHAO, person="R-7F2A9C",
    ),
    Suspicion(
        date(2026, 10, 12), S.TIP, YL_TONGJI, "诱导住院", "群众举报：免费接送、减免自付费用吸引住院。",
        case=C.INVESTIGATING, act="induced_fake_treatment", amounts=MIDDLE, partner=LIU, turns=("registered_open", "officers"),
    ),
    Suspicion(
        date(2026, 9, 23), S.OTHER, HP_PRIVATE, "串换诊疗项目", "日常巡查：理疗处方与收费项目不一致。",
        case=C.INVESTIGATING, act="substitution", amounts=SMALL, partner=LIU, turns=("suspended",),
    ),
)  # fmt: skip
"""Under way: one for every state of a case and of each of its ways."""

WAITING = (
    Suspicion(date(2026, 8, 31), S.TIP, YL_EYE, "白内障手术耗材多计", "群众举报：单眼手术计收两枚晶体。", lead=L.REFUSED, amounts=SMALL),
    Suspicion(
        date(2026, 9, 18), S.OTHER, QX_PHARMACY, "药店串换生活用品", "日常巡查：陈列区与结算商品不符。",
        lead=L.HANDED, amounts=SMALL,
    ),
    Suspicion(
        date(2026, 10, 14), S.TIP, QX1, "住院押金与结算金额不符", "群众举报，内容与正在办理的案件相同。",
        lead=L.MERGED, turns=("into_case",),
    ),
    Suspicion(
        date(2026, 10, 19), S.SELF_INSPECTION, HP_TCM, "床位费按高等级收取", "自查自纠：床位费按三人间标准收取四人间。",
        lead=L.ASSIGNED, amounts=SMALL,
    ),
    Suspicion(date(2026, 10, 20), S.TIP, HP_TCM, "床位费多收", "群众举报：病房床位费高于公示。", lead=L.MERGED, turns=("into_lead",)),
    Suspicion(
        date(2026, 10, 21), S.OTHER, YL_WEST, "理疗项目时长不足", "日常巡查：理疗记录时长少于收费时长。",
        lead=L.ASSIGNED, turns=("longer",),
    ),
    Suspicion(
        date(2026, 10, 26), S.SCREENING, QX_STONE, "限二线用药超范围支付", "智能审核：使用前无一线用药记录。",
        lead=L.PROPOSED, extract=5, turns=("screened",),
    ),
    Suspicion(
        date(2026, 10, 27), S.INSPECTION, HP_LONG, "化验单与收费不一致", "专项检查抽查 20 份，2 份无化验单。",
        lead=L.PROPOSED, amounts=SMALL, turns=("refusal",),
    ),
    Suspicion(date(2026, 11, 2), S.DEPARTMENT, YL_SECOND, "低指征住院", "卫生健康部门移交病历评查意见。", lead=L.ASSIGNED, amounts=SMALL),
    Suspicion(date(2026, 11, 5), S.PRICE, QX_PHARMACY, "中药饮片超限额", "支付限额比对。", lead=L.NEW, amounts=SMALL),
    Suspicion(date(2026, 11, 9), S.TIP, HP1, "检查后未出报告", "群众举报：已付费检查无报告。", lead=L.NEW),
    Suspicion(
        date(2026, 11, 11), S.LISTED_DISEASE, YL_EAST, "慢特病认定材料不全", "规定病种抽查：认定依据缺失 6 份。",
        lead=L.NEW, amounts=SMALL,
    ),
)  # fmt: skip
"""Leads that never became a case, or not yet."""

SUSPICIONS = (*CLOSED, *RUNNING, *WAITING)
