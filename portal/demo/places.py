"""The invented city: 澜川市 (code 990100; 99 is allocated to no place), three counties, four alliances, their members.

青溪 is the small county of the model figures, 云岭 the large one with two alliances told apart by townships and an
agreed share, 鹤坪 the middle one. The village clinics of a township stand together as one institution.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.models import (
    AgreedShare,
    Alliance,
    County,
    Institution,
    InstitutionKind,
    Membership,
    PoolingArea,
    TownshipRule,
)
from core.models.places import Ownership
from portal.demo.story import HP, QX, YE, YW

START = date(2020, 1, 1)
AREA_CODE, AREA_NAME = "990100", "澜川市"
CITY_HOSPITALS = ("H99010000001", "H99010000002", "H99010000003")
KINDS = InstitutionKind


@dataclass(frozen=True)
class AllianceSpec:
    """``hospitals``: (name, kind), the lead first; ``townships``: (name, relative size)."""

    code: str
    name: str
    hospitals: tuple[tuple[str, str], ...]
    townships: tuple[tuple[str, int], ...]
    agreed_share: Decimal | None = None


@dataclass(frozen=True)
class CountySpec:
    """``insured``: residents and employees at the end of 2021; ``method``: how inpatient care is paid."""

    code: str
    name: str
    insured: tuple[int, int]
    method: str
    alliances: tuple[AllianceSpec, ...]
    outsiders: tuple[tuple[str, str], ...]


COUNTIES: tuple[CountySpec, ...] = (
    CountySpec(
        "990101", "青溪县", (356_204, 38_966), "drg",
        (
            AllianceSpec(
                QX, "青溪县紧密型县域医共体",
                (("青溪县人民医院", KINDS.GENERAL), ("青溪县中医院", KINDS.TCM), ("青溪县妇幼保健院", KINDS.MATERNAL)),
                (
                    ("城关社区卫生服务中心", 30), ("石桥镇中心卫生院", 29), ("竹溪镇中心卫生院", 23), ("柳林镇卫生院", 23),
                    ("大营镇卫生院", 24), ("双河镇卫生院", 17), ("沙溪镇卫生院", 16), ("龙泉镇卫生院", 16),
                    ("青山乡卫生院", 14), ("白云乡卫生院", 13), ("东岭乡卫生院", 11), ("南坪乡卫生院", 10),
                ),
            ),
        ),
        (("青溪康宁医院", KINDS.PRIVATE), ("青溪仁和骨科医院", KINDS.PRIVATE), ("青溪县定点药店（合计）", KINDS.PHARMACY)),
    ),
    CountySpec(
        "990102", "云岭县", (708_530, 83_210), "dip",
        (
            AllianceSpec(
                YE, "云岭县东部医共体",
                (("云岭县人民医院", KINDS.GENERAL), ("云岭县妇幼保健院", KINDS.MATERNAL)),
                (
                    ("云东镇中心卫生院", 28), ("临江镇中心卫生院", 25), ("松口镇卫生院", 20), ("大坝镇卫生院", 19),
                    ("枫林镇卫生院", 17), ("石门镇卫生院", 16), ("新塘乡卫生院", 13), ("黄沙乡卫生院", 12),
                    ("高桥乡卫生院", 11), ("水口乡卫生院", 10),
                ),
                Decimal("0.55"),
            ),
            AllianceSpec(
                YW, "云岭县西部医共体",
                (("云岭县中医院", KINDS.TCM), ("云岭县第二人民医院", KINDS.GENERAL)),
                (
                    ("云西镇中心卫生院", 27), ("古城镇中心卫生院", 24), ("梅坑镇卫生院", 19), ("桃源镇卫生院", 17),
                    ("上坪乡卫生院", 14), ("下坪乡卫生院", 12), ("岭背乡卫生院", 11), ("源头乡卫生院", 9),
                ),
                Decimal("0.45"),
            ),
        ),
        (("云岭同济医院", KINDS.PRIVATE), ("云岭爱眼眼科医院", KINDS.PRIVATE), ("云岭县定点药店（合计）", KINDS.PHARMACY)),
    ),
    CountySpec(
        "990103", "鹤坪县", (538_415, 58_733), "drg",
        (
            AllianceSpec(
                HP, "鹤坪县紧密型县域医共体",
                (
                    ("鹤坪县人民医院", KINDS.GENERAL), ("鹤坪县中医院", KINDS.TCM), ("鹤坪县妇幼保健院", KINDS.MATERNAL),
                    ("鹤坪县第三人民医院", KINDS.SPECIALIST),
                ),
                (
                    ("鹤坪镇社区卫生服务中心", 31), ("长塘镇中心卫生院", 28), ("安平镇中心卫生院", 25), ("洛河镇卫生院", 22),
                    ("柏树镇卫生院", 20), ("金沙镇卫生院", 19), ("永宁镇卫生院", 18), ("麻坪乡卫生院", 14),
                    ("团山乡卫生院", 13), ("牛角乡卫生院", 12), ("茶园乡卫生院", 11), ("阳坡乡卫生院", 10),
                    ("清水乡卫生院", 9),
                ),
            ),
        ),
        (("鹤坪博爱医院", KINDS.PRIVATE), ("鹤坪县定点药店（合计）", KINDS.PHARMACY)),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class InstitutionSpec:
    """``size`` weighs it among its kind; ``alliance`` is blank outside."""

    code: str
    name: str
    kind: str
    grade: int
    county: str
    alliance: str
    is_lead: bool
    size: int


def institutions_of(county: CountySpec) -> list[InstitutionSpec]:
    """Every institution of a county with its national code, always in the same order."""
    found: list[InstitutionSpec] = []

    def add(serial: int, name: str, kind: str, grade: int, alliance: str, size: int, is_lead: bool = False) -> None:
        letter = "P" if kind == KINDS.PHARMACY else "H"
        code = f"{letter}{county.code}{serial:05d}"
        found.append(InstitutionSpec(code, name, kind, grade, county.code, alliance, is_lead, size))

    for block, alliance in enumerate(county.alliances):
        base = block * 100
        for number, (name, kind) in enumerate(alliance.hospitals):
            size = {0: 64, 1: 26, 2: 8, 3: 6}[number]
            add(base + 1 + number, name, kind, 2, alliance.code, size, is_lead=number == 0)
        for number, (name, size) in enumerate(alliance.townships):
            kind = KINDS.COMMUNITY if "社区" in name else KINDS.TOWNSHIP
            add(base + 11 + number, name, kind, 1, alliance.code, size)
            clinics = 6 + size // 3
            place = name.removesuffix("社区卫生服务中心").removesuffix("中心卫生院").removesuffix("卫生院")
            add(base + 41 + number, f"{place}村卫生室（{clinics} 家）", KINDS.VILLAGE, 1, alliance.code, size)
    for number, (name, kind) in enumerate(county.outsiders):
        add(901 + number, name, kind, 1 if kind == KINDS.PHARMACY else 2, "", 10)
    return found


def create_places() -> PoolingArea:
    """The city with its counties, alliances, institutions, memberships and the rules of who answers for whom (A15)."""
    area = PoolingArea.objects.create(code=AREA_CODE, name=AREA_NAME, is_demo=True)
    for spec in COUNTIES:
        county = County.objects.create(pooling_area=area, code=spec.code, name=spec.name, valid_from=START)
        alliances = {
            entry.code: Alliance.objects.create(county=county, code=entry.code, name=entry.name, valid_from=START)
            for entry in spec.alliances
        }
        listed = institutions_of(spec)
        Institution.objects.bulk_create(
            Institution(
                county=county,
                code=entry.code,
                name=entry.name,
                kind=entry.kind,
                grade=entry.grade,
                ownership=Ownership.PUBLIC if entry.alliance else Ownership.PRIVATE,
            )
            for entry in listed
        )
        held = {found.code: found for found in county.institutions.all()}
        Membership.objects.bulk_create(
            Membership(
                alliance=alliances[entry.alliance],
                institution=held[entry.code],
                is_lead=entry.is_lead,
                valid_from=START,
            )
            for entry in listed
            if entry.alliance
        )
        if len(spec.alliances) > 1:
            _tell_apart(spec, alliances)
    return area


def _tell_apart(spec: CountySpec, alliances: dict[str, Alliance]) -> None:
    number = 0
    for entry in spec.alliances:
        for name, _size in entry.townships:
            number += 1
            TownshipRule.objects.create(
                alliance=alliances[entry.code],
                township_code=f"{spec.code}{100 + number}",
                township_name=name.removesuffix("中心卫生院").removesuffix("卫生院"),
                valid_from=START,
            )
        assert entry.agreed_share is not None
        AgreedShare.objects.bulk_create(
            AgreedShare(alliance=alliances[entry.code], year=year, share=entry.agreed_share)
            for year in range(2021, 2028)
        )


def alliance_of(code: str) -> Alliance:
    """An alliance with its county and pooling area."""
    return Alliance.objects.select_related("county__pooling_area").get(code=code)


def county_of(code: str) -> County:
    """A county with its pooling area."""
    return County.objects.select_related("pooling_area").get(code=code)
