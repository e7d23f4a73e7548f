"""What the rules need to know about the place: small frozen tables the caller fills from its registers.

No file of the lake and no rule reads the application's database; whoever calls the engine says what was in force.
Codes of alliances, institutions and areas are text. ``valid_to`` is the last valid day, ``None`` means open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

RESIDENT = "RES"
EMPLOYEE = "EMP"
MEMO = "MEMO"  # other insurance: kept as memo rows, never packaged


class VisitType(StrEnum):
    """医疗类别 as facts know it."""

    OUTPATIENT = "outpatient"
    CHRONIC = "chronic"
    INPATIENT = "inpatient"
    PHARMACY = "pharmacy"
    MATERNITY_OUTPATIENT = "maternity_out"
    MATERNITY_INPATIENT = "maternity_in"


INPATIENT_TYPES = (VisitType.INPATIENT, VisitType.MATERNITY_INPATIENT)
MATERNITY_TYPES = (VisitType.MATERNITY_OUTPATIENT, VisitType.MATERNITY_INPATIENT)


class MutualAid(StrEnum):
    """Whether 个人账户共济支出 lies inside 个人账户支出 or stands beside it; differs by pooling area."""

    INSIDE = "inside"
    BESIDE = "beside"

    @property
    def label(self) -> str:
        return {"inside": "已含在个人账户支出内", "beside": "在个人账户支出之外另列"}[self.value]


FUND_TYPES: Mapping[str, str] = MappingProxyType({
    "310": EMPLOYEE, "职工基本医疗保险": EMPLOYEE, "职工医保": EMPLOYEE, "职工": EMPLOYEE, "EMP": EMPLOYEE,
    "390": RESIDENT, "391": RESIDENT, "392": RESIDENT, "城乡居民基本医疗保险": RESIDENT, "城乡居民医保": RESIDENT,
    "居民医保": RESIDENT, "居民": RESIDENT, "RES": RESIDENT,
    "320": MEMO, "330": MEMO, "340": MEMO, "510": MEMO, "公务员医疗补助": MEMO, "大额医疗费用补助": MEMO,
    "离休人员医疗保障": MEMO, "生育保险": MEMO,
})
VISIT_TYPES: Mapping[str, str] = MappingProxyType({
    "11": VisitType.OUTPATIENT, "12": VisitType.OUTPATIENT, "13": VisitType.OUTPATIENT,
    "14": VisitType.CHRONIC, "15": VisitType.CHRONIC,
    "21": VisitType.INPATIENT, "22": VisitType.INPATIENT, "23": VisitType.INPATIENT, "24": VisitType.INPATIENT,
    "41": VisitType.PHARMACY, "51": VisitType.MATERNITY_OUTPATIENT, "52": VisitType.MATERNITY_INPATIENT,
    "普通门诊": VisitType.OUTPATIENT, "门诊慢特病": VisitType.CHRONIC, "住院": VisitType.INPATIENT,
    "普通住院": VisitType.INPATIENT, "定点药店购药": VisitType.PHARMACY, "药店购药": VisitType.PHARMACY,
    "生育门诊": VisitType.MATERNITY_OUTPATIENT, "生育住院": VisitType.MATERNITY_INPATIENT,
    **{value.value: value for value in VisitType},
})
"""Keys of digits are prefixes, the longest wins (2101 → 21); other keys match whole."""
METHODS: Mapping[str, str] = MappingProxyType({
    "drg": "drg", "dip": "dip", "bed_day": "bed_day", "capitation": "capitation", "case": "case", "ffs": "ffs",
    "按病组": "drg", "按病种分值": "dip", "按床日": "bed_day", "床日": "bed_day", "按人头": "capitation", "人头": "capitation",
    "按病种": "case", "单病种": "case", "病种": "case", "按项目": "ffs", "项目": "ffs",
})
OUTFLOW_KINDS: Mapping[str, str] = MappingProxyType({
    "referred": "referred", "resettled": "resettled", "emergency": "emergency", "self_chosen": "self_chosen",
    "转诊": "referred", "转诊转院": "referred", "异地安置": "resettled", "长期异地": "resettled", "急诊": "emergency",
    "异地急诊": "emergency", "自行转外": "self_chosen", "自行外出": "self_chosen",
})
REFERRALS: Mapping[str, str] = MappingProxyType({"up": "up", "down": "down", "上转": "up", "下转": "down"})
YES_NO: Mapping[str, str] = MappingProxyType({"0": "0", "1": "1", "否": "0", "是": "1"})
MANUAL_KINDS: Mapping[str, str] = MappingProxyType({
    "1": "manual", "manual": "manual", "中心报销": "manual", "手工报销": "manual", "零星报销": "manual",
})
SEXES: Mapping[str, str] = MappingProxyType({"1": "1", "2": "2", "9": "9", "男": "1", "女": "2", "未说明": "9"})


@dataclass(frozen=True)
class Span:
    """Membership of an alliance in a time."""

    alliance: str
    valid_from: date
    valid_to: date | None = None

    def holds(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True)
class InstitutionRef:
    """A registered institution: the county it lies in and its dated membership."""

    code: str
    county: str
    kind: str = ""
    memberships: tuple[Span, ...] = ()


@dataclass(frozen=True)
class AllianceRef:
    """An alliance of a county in its time."""

    code: str
    county: str
    valid_from: date = date(2000, 1, 1)
    valid_to: date | None = None


@dataclass(frozen=True)
class TownshipRef:
    """A15: who is enrolled in ``township`` (its code or its name) belongs to ``alliance``."""

    township: str
    county: str
    alliance: str
    valid_from: date = date(2000, 1, 1)
    valid_to: date | None = None


@dataclass(frozen=True)
class ShareRef:
    """A15: the share of a county's otherwise unassigned insured an alliance answers for in a year."""

    county: str
    year: int
    alliance: str
    share: Decimal


@dataclass(frozen=True)
class Reference:
    """Everything a check or the making of facts may ask about the place and the declaration.

    ``declared_county`` ``None``: the file may hold every county of the pooling area. ``mutual_aid`` ``None``: the
    reading under which more rows balance is used and named. ``groups``: code → weight of the loaded catalogue.
    """

    pooling_area: str
    counties: frozenset[str]
    institutions: tuple[InstitutionRef, ...] = ()
    alliances: tuple[AllianceRef, ...] = ()
    townships: tuple[TownshipRef, ...] = ()
    shares: tuple[ShareRef, ...] = ()
    declared_county: str | None = None
    period_from: date = date(2000, 1, 1)
    period_to: date = date(2099, 12, 31)
    fund_types: Mapping[str, str] = field(default_factory=lambda: FUND_TYPES)
    visit_types: Mapping[str, str] = field(default_factory=lambda: VISIT_TYPES)
    groups: Mapping[str, Decimal] | None = None
    settles_by_groups: bool = False
    mutual_aid: MutualAid | None = None
