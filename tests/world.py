"""The small world most tests live in: one city with two counties and three alliances, and a foreign city beside it.

Qingxi has one alliance; Yunling has two, told apart by agreed shares. One person holds each post. ``make_extras``
things (claims, packages …) belong to the tests that need them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from core.models import (
    AgreedShare,
    Alliance,
    County,
    Institution,
    InstitutionKind,
    Membership,
    PolicyVersion,
    PoolingArea,
    Role,
    RoleGrant,
    User,
)

START = date(2020, 1, 1)
PASSWORD = "correct-horse-9"


@dataclass
class World:
    area: PoolingArea
    qingxi: County
    yunling: County
    alliance: Alliance  # of Qingxi
    east: Alliance  # of Yunling
    west: Alliance  # of Yunling
    lead: Institution  # lead hospital of Qingxi's alliance
    township: Institution  # primary member of Qingxi's alliance
    village: Institution
    east_lead: Institution
    west_lead: Institution
    outsider: Institution  # private hospital of Qingxi outside the alliance
    foreign_area: PoolingArea
    foreign_county: County
    foreign_alliance: Alliance
    officer: User  # city level
    second_officer: User
    reviewer: User  # city level
    second_reviewer: User
    finance: User
    county_officer: User  # Qingxi only
    hospital: User  # lead hospital finance of Qingxi's alliance
    sister_hospital: User  # finance of Yunling's eastern alliance
    member: User  # the township centre
    auditor: User
    audit_reviewer: User
    observer: User
    admin: User
    second_admin: User
    stranger_officer: User  # of the foreign city
    stranger_reviewer: User
    nobody: User  # an account without posts
    scheme: PolicyVersion  # jiangxi-2022 in force

    def people(self) -> dict[str, User]:
        """Everybody by the name of the attribute."""
        return {name: found for name, found in vars(self).items() if isinstance(found, User)}


def build_world() -> World:
    area = PoolingArea.objects.create(code="990100", name="澜川市")
    foreign_area = PoolingArea.objects.create(code="990200", name="邻江市")
    qingxi, yunling = (
        County.objects.create(pooling_area=area, code=code, name=name, valid_from=START)
        for code, name in (("990101", "青溪县"), ("990102", "云岭县"))
    )
    foreign_county = County.objects.create(pooling_area=foreign_area, code="990201", name="邻江县", valid_from=START)
    alliance, east, west, foreign_alliance = (
        Alliance.objects.create(county=county, code=code, name=name, valid_from=START)
        for county, code, name in (
            (qingxi, "QX", "青溪县紧密型县域医共体"),
            (yunling, "YL-E", "云岭县东部医共体"),
            (yunling, "YL-W", "云岭县西部医共体"),
            (foreign_county, "LJ", "邻江县医共体"),
        )
    )
    kinds = InstitutionKind
    lead = _institution(qingxi, "H99010100001", "青溪县人民医院", kinds.GENERAL, 2, alliance, is_lead=True)
    township = _institution(qingxi, "H99010100011", "石桥镇中心卫生院", kinds.TOWNSHIP, 1, alliance)
    village = _institution(qingxi, "H99010100021", "石桥村卫生室", kinds.VILLAGE, 1, alliance)
    outsider = _institution(qingxi, "H99010100031", "青溪康宁医院", kinds.PRIVATE, 2, None)
    east_lead = _institution(yunling, "H99010200001", "云岭县人民医院", kinds.GENERAL, 2, east, is_lead=True)
    west_lead = _institution(yunling, "H99010200002", "云岭县中医院", kinds.TCM, 2, west, is_lead=True)
    _institution(foreign_county, "H99020100001", "邻江县人民医院", kinds.GENERAL, 2, foreign_alliance, is_lead=True)
    for year in range(2020, 2031):
        AgreedShare.objects.create(alliance=east, year=year, share=Decimal("0.6"))
        AgreedShare.objects.create(alliance=west, year=year, share=Decimal("0.4"))

    people = {
        "officer": ("林晓岚", Role.FUND_OFFICER, area),
        "second_officer": ("陈立新", Role.FUND_OFFICER, area),
        "reviewer": ("何劲松", Role.FUND_REVIEWER, area),
        "second_reviewer": ("苏敏", Role.FUND_REVIEWER, area),
        "finance": ("吴佳", Role.FUND_FINANCE, area),
        "county_officer": ("方正", Role.FUND_OFFICER, qingxi),
        "hospital": ("周敏", Role.HOSPITAL_FINANCE, alliance),
        "sister_hospital": ("郑洁", Role.HOSPITAL_FINANCE, east),
        "member": ("黄晨", Role.MEMBER_INSTITUTION, township),
        "auditor": ("赵衡", Role.AUDITOR, area),
        "audit_reviewer": ("钱理", Role.AUDIT_REVIEWER, area),
        "observer": ("孙局", Role.OBSERVER, area),
        "admin": ("系统甲", Role.ADMINISTRATOR, area),
        "second_admin": ("系统乙", Role.ADMINISTRATOR, area),
        "stranger_officer": ("外市经办", Role.FUND_OFFICER, foreign_area),
        "stranger_reviewer": ("外市复核", Role.FUND_REVIEWER, foreign_area),
    }
    users = {name: _person(name, full_name, role, place) for name, (full_name, role, place) in people.items()}
    users["nobody"] = _person("nobody", "无岗", None, None)
    scheme = _adopted_scheme(area, users["admin"], users["reviewer"])
    return World(
        area=area, qingxi=qingxi, yunling=yunling, alliance=alliance, east=east, west=west, lead=lead,
        township=township, village=village, east_lead=east_lead, west_lead=west_lead, outsider=outsider,
        foreign_area=foreign_area, foreign_county=foreign_county, foreign_alliance=foreign_alliance, scheme=scheme,
        **users,
    )  # fmt: skip


def _institution(
    county: County, code: str, name: str, kind: str, grade: int, alliance: Alliance | None, is_lead: bool = False
) -> Institution:
    institution = Institution.objects.create(
        county=county, code=code, name=name, kind=kind, grade=grade,
        ownership="private" if kind == InstitutionKind.PRIVATE else "public",
    )  # fmt: skip
    if alliance is not None:
        Membership.objects.create(alliance=alliance, institution=institution, is_lead=is_lead, valid_from=START)
    return institution


def _person(username: str, full_name: str, role: str | None, place: Any) -> User:
    user = User.objects.create_user(
        username=username, password=PASSWORD, full_name=full_name, must_change_password=False,
        is_staff=role == Role.ADMINISTRATOR,
    )  # fmt: skip
    if role is not None:
        field = {PoolingArea: "pooling_area", County: "county", Alliance: "alliance", Institution: "institution"}
        RoleGrant.objects.create(user=user, role=role, valid_from=START, **{field[type(place)]: place})
    return user


def _adopted_scheme(area: PoolingArea, admin: User, reviewer: User) -> PolicyVersion:
    from core import policies
    from rules.scheme import shipped_text

    version = policies.enter_version(admin, area, shipped_text("jiangxi-2022"), START)
    return policies.approve_version(reviewer, version)


@pytest.fixture
def world(db: None) -> World:
    return build_world()


@pytest.fixture
def client_of(client: Any) -> Callable[[User], Any]:
    """``client_of(user)`` is the test client signed in as ``user``."""

    def signed_in(user: User) -> Any:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return signed_in
