"""Every column of the claims extract: its names, its type, whether a file without it is refused.

The one declaration from which header matching, error texts, templates and documents derive. A header may be written
with the national platform's field name, its Chinese name or ours, in any order and mixed. Where the national form
spreads one of our columns over several fields (大病保险 + 大额补助), the column is their sum; where a field has two names
in use, the first one found wins and the other is listed as unused.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How the text of a cell is read."""

    TEXT = "text"
    DATE = "date"
    MONEY = "money"  # yuan with at most two decimals, below ten million; kept as fen
    INTEGER = "integer"
    DECIMAL4 = "decimal4"  # at most four decimals


@dataclass(frozen=True)
class Field:
    """One header of an extract: accepted spellings, best first."""

    national: tuple[str, ...] = ()
    chinese: tuple[str, ...] = ()

    @property
    def spellings(self) -> tuple[str, ...]:
        return self.national + self.chinese


@dataclass(frozen=True)
class Column:
    """One of our columns. ``parts``: fields that, where the whole is absent, are added up to give it."""

    name: str
    title: str
    kind: Kind = Kind.TEXT
    required: bool = False
    whole: Field = Field()
    parts: tuple[Field, ...] = ()
    stored: bool = True  # False: only checked against, not kept in the lake
    note: str = ""

    @property
    def spellings(self) -> tuple[str, ...]:
        """Every header under which the whole column is recognised."""
        return (*self.whole.national, *self.whole.chinese, self.name)


def _column(
    name: str, title: str, national: str = "", chinese: str = "", kind: Kind = Kind.TEXT, *,
    required: bool = False, parts: tuple[Field, ...] = (), stored: bool = True, note: str = "",
) -> Column:
    others = tuple(word for word in chinese.split() if word != title)
    return Column(name, title, kind, required, Field(tuple(national.split()), (title, *others)), parts, stored, note)


def _part(national: str, chinese: str) -> Field:
    return Field(tuple(national.split()), tuple(chinese.split()))


_SERIOUS = (
    _part("hifmi_pay", "大病保险支出 居民大病保险支出 居民大病保险资金支出"),
    _part("hifob_pay", "大额补助支出 大额医疗费用补助支出 职工大额医疗费用补助基金支出"),
)
_OTHER = (
    _part("cvlserv_pay", "公务员医疗补助支出 公务员医疗补助资金支出"),
    _part("hifes_pay", "企业补充医疗保险支出 企业补充医疗保险基金支出"),
    _part("hifdm_pay", "伤残人员医疗保障支出 伤残人员医疗保障基金支出"),
    _part("oth_pay othfund_pay", "其他支出 其它支出"),
)

COLUMNS: tuple[Column, ...] = (
    _column("settlement_id", "结算ID", "setl_id", "结算编号", required=True),
    _column("visit_id", "就诊ID", "mdtrt_id", "就诊编号", required=True, note="同一次住院的多次结算共用一个就诊ID"),
    _column("person_id", "人员编号", "psn_no", "个人编号", required=True, note="导入时即换成密钥摘要"),
    _column("sex", "性别", "gend"),
    _column("birth_date", "出生日期", "brdy", kind=Kind.DATE),
    _column("fund_type", "险种类型", "insutype", "险种", required=True),
    _column("insured_county", "参保所属医保区划", "insu_admdvs", "参保地医保区划", required=True),
    _column("enrolment_township", "参保乡镇", note="一县有两个及以上医共体时据此判定责任医共体"),
    _column("institution_code", "定点医药机构编号", "fixmedins_code", "医药机构编号 定点医疗机构编号", required=True),
    _column("institution_name", "定点医药机构名称", "fixmedins_name", "医药机构名称 定点医疗机构名称"),
    _column("institution_area", "医药机构所属区划", "fixmedins_poolarea", "定点医药机构所属区划", required=True),
    _column("settlement_kind", "结算类别", "setl_type", "结算方式", note="1 中心报销(手工) / 2 联网结算"),
    _column("visit_type", "医疗类别", "med_type", required=True),
    _column("admission_date", "开始日期", "begndate", "入院日期", Kind.DATE, required=True),
    _column("discharge_date", "结束日期", "enddate", "出院日期", Kind.DATE, required=True),
    _column("settled_on", "结算时间", "setl_time", "结算日期", Kind.DATE, required=True),
    _column("diagnosis_code", "病种编码", "dise_codg", "主诊断编码 病种/主诊断编码"),
    _column("method", "付费方式"),
    _column("fund_payable", "按付费方式应付", kind=Kind.MONEY, note="付费方式下基金应付；空白即按项目记账金额"),
    _column("group_code", "DRG/DIP组编码", chinese="DRG组编码 DIP组编码"),
    _column("group_weight", "权重/分值", chinese="权重 分值", kind=Kind.DECIMAL4),
    _column("bed_days", "床日数", chinese="住院床日", kind=Kind.INTEGER),
    _column("total_cost", "医疗费总额", "medfee_sumamt", kind=Kind.MONEY, required=True),
    _column("drug_cost", "药品费", kind=Kind.MONEY),
    _column("tcm_cost", "中药费", kind=Kind.MONEY),
    _column("consumables_cost", "耗材费", kind=Kind.MONEY),
    _column("exam_cost", "检查检验费", kind=Kind.MONEY),
    _column("treatment_cost", "治疗手术费", kind=Kind.MONEY),
    _column("non_covered_cost", "全自费金额", "fulamt_ownpay_amt", kind=Kind.MONEY),
    _column("eligible_cost", "符合政策范围金额", "inscp_scp_amt", kind=Kind.MONEY, required=True),
    _column("deductible_paid", "实际支付起付线", "act_pay_dedc", kind=Kind.MONEY),
    _column("pooled_fund_paid", "统筹基金支出", "hifp_pay", "基本医疗保险统筹基金支出", Kind.MONEY, required=True),
    _column("serious_illness_paid", "大病保险/大额补助支出", kind=Kind.MONEY, required=True, parts=_SERIOUS),
    _column("other_paid", "其他基金支出", chinese="公务员/企业补充/伤残/其他", kind=Kind.MONEY, parts=_OTHER),
    _column("medical_assistance_paid", "医疗救助支出", "maf_pay", "医疗救助基金支出", Kind.MONEY),
    _column("personal_account_paid", "个人账户支出", "acct_pay", kind=Kind.MONEY, required=True),
    _column("mutual_aid_paid", "个人账户共济支出", "acct_mulaid_pay", "个人账户共济支付金额", Kind.MONEY),
    _column("cash_paid", "个人现金支出", "psn_cash_pay cash_payamt", kind=Kind.MONEY, required=True),
    _column("hospital_borne", "医院负担金额", "hosp_part_amt ownpay_hosp_part", kind=Kind.MONEY),
    _column("fund_total", "基金支付总额", "fund_pay_sumamt", kind=Kind.MONEY, stored=False),
    _column("person_total", "个人负担总金额", "psn_part_amt", kind=Kind.MONEY, stored=False),
    _column("outflow_kind", "转外类型"),
    _column("referral", "转诊方向"),
    _column("public_health_emergency", "突发公共卫生救治"),
    _column("reversal_flag", "退费结算标志", "refd_setl_flag", stored=False),
    _column("reversal_of", "原结算ID", "init_setl_id", "原结算编号"),
)
BY_NAME: dict[str, Column] = {column.name: column for column in COLUMNS}
MONEY: tuple[str, ...] = tuple(column.name for column in COLUMNS if column.kind is Kind.MONEY)
PARTS_OF_COST: tuple[str, ...] = ("drug_cost", "tcm_cost", "consumables_cost", "exam_cost", "treatment_cost")
PAID_BY_FUNDS: tuple[str, ...] = ("pooled_fund_paid", "serious_illness_paid", "other_paid", "medical_assistance_paid")
PAID_BY_PERSON: tuple[str, ...] = ("personal_account_paid", "cash_paid")


def title(name: str) -> str:
    """The Chinese name of one of our columns."""
    return BY_NAME[name].title


def normalised(header: str) -> str:
    """A header without byte-order mark, blanks, full-width forms, letter case and unit in brackets."""
    text = unicodedata.normalize("NFKC", header).replace("\ufeff", "").lower()
    return re.sub(r"\((元|人民币|单位:元)\)$", "", re.sub(r"\s+", "", text))


@dataclass(frozen=True)
class Matched:
    """Which headers feed which column. ``sources`` maps our name to the positions of the headers to add up."""

    headers: tuple[str, ...]
    sources: dict[str, tuple[int, ...]]
    unused: tuple[str, ...]
    missing: tuple[Column, ...]
    repeated: tuple[str, ...]

    @property
    def usable(self) -> bool:
        return not self.missing and not self.repeated

    def header_of(self, name: str) -> str:
        """The header(s) of the file a column was read from, or its Chinese name where the file lacks it."""
        positions = self.sources.get(name, ())
        return " + ".join(self.headers[position] for position in positions) or title(name)


def match_headers(headers: Sequence[str]) -> Matched:
    """Find our columns in the headers of a file, in any of the three spellings and any order."""
    keys = [normalised(header) for header in headers]
    position = {key: index for index, key in reversed(list(enumerate(keys))) if key}
    sources: dict[str, tuple[int, ...]] = {}
    for column in COLUMNS:
        found = _first(column.spellings, position)
        if found is not None:
            sources[column.name] = (found,)
            continue
        parts = tuple(index for part in column.parts if (index := _first(part.spellings, position)) is not None)
        if parts:
            sources[column.name] = parts
    used = {index for positions in sources.values() for index in positions}
    counts = Counter(keys)
    repeated = tuple(headers[index] for index in sorted(used) if counts[keys[index]] > 1)
    unused = tuple(header for index, header in enumerate(headers) if index not in used and keys[index])
    missing = tuple(column for column in COLUMNS if column.required and column.name not in sources)
    return Matched(tuple(headers), sources, unused, missing, repeated)


def _first(spellings: Sequence[str], position: dict[str, int]) -> int | None:
    return next((position[key] for key in map(normalised, spellings) if key in position), None)
