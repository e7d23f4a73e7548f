"""The people of the demonstration: one or two for each post, one documented password, plainly not for real use."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from django.contrib.auth.hashers import make_password
from django.db import transaction

from core.accounts import grant_role
from core.models import Alliance, County, Institution, PoolingArea, Role, RoleGrant, User
from core.models.places import Place
from core.trail import record
from portal.demo.places import AREA_CODE, START

PASSWORD = "lanchuan-demo-2026"
OFFICER, REVIEWER, FINANCE, AUDITOR, ADMIN = "lin.officer", "he.reviewer", "wu.finance", "zhao.auditor", "admin"
SECOND_AUDITOR, AUDIT_REVIEWER, SECOND_AUDIT_REVIEWER, LEGAL = "liu.auditor", "qian.audit", "bai.audit", "li.legal"
COUNTY_AUDITORS = {"990101": "chen.audit", "990102": "tao.audit", "990103": "pan.audit"}
MEMBER = "huang.member"
SECOND_ADMIN, SECOND_OFFICER, COUNTY_OFFICER = "admin2", "chen.officer", "fang.officer"
HOSPITALS = {
    "LC-QX": "zhou.hospital",
    "LC-YL-E": "zheng.hospital",
    "LC-YL-W": "feng.hospital",
    "LC-HP": "shen.hospital",
}
CITY, BUREAU = AREA_CODE, "澜川市医疗保障局"


@dataclass(frozen=True)
class Person:
    """``place`` is the code of a pooling area, county, alliance or institution."""

    username: str
    full_name: str
    role: str
    place: str
    employer: str

    @property
    def role_label(self) -> str:
        return Role(self.role).label


PEOPLE: tuple[Person, ...] = (
    Person(ADMIN, "邓维", Role.ADMINISTRATOR, CITY, BUREAU),
    Person(SECOND_ADMIN, "罗毅", Role.ADMINISTRATOR, CITY, BUREAU),
    Person(OFFICER, "林晓岚", Role.FUND_OFFICER, CITY, BUREAU),
    Person(SECOND_OFFICER, "陈立新", Role.FUND_OFFICER, CITY, BUREAU),
    Person(REVIEWER, "何劲松", Role.FUND_REVIEWER, CITY, BUREAU),
    Person("su.reviewer", "苏敏", Role.FUND_REVIEWER, CITY, BUREAU),
    Person(FINANCE, "吴佳", Role.FUND_FINANCE, CITY, BUREAU),
    Person(COUNTY_OFFICER, "方正", Role.FUND_OFFICER, "990101", "青溪县医疗保障局"),
    Person("tang.officer", "唐倩", Role.FUND_OFFICER, "990102", "云岭县医疗保障局"),
    Person("gao.officer", "高远", Role.FUND_OFFICER, "990103", "鹤坪县医疗保障局"),
    Person("zhou.hospital", "周敏", Role.HOSPITAL_FINANCE, "LC-QX", "青溪县人民医院"),
    Person("zheng.hospital", "郑洁", Role.HOSPITAL_FINANCE, "LC-YL-E", "云岭县人民医院"),
    Person("feng.hospital", "冯涛", Role.HOSPITAL_FINANCE, "LC-YL-W", "云岭县中医院"),
    Person("shen.hospital", "沈悦", Role.HOSPITAL_FINANCE, "LC-HP", "鹤坪县人民医院"),
    Person(MEMBER, "黄晨", Role.MEMBER_INSTITUTION, "H99010100012", "石桥镇中心卫生院"),
    Person(AUDITOR, "赵衡", Role.AUDITOR, CITY, BUREAU),
    Person(SECOND_AUDITOR, "刘畅", Role.AUDITOR, CITY, BUREAU),
    Person("chen.audit", "陈刚", Role.AUDITOR, "990101", "青溪县医疗保障局"),
    Person("tao.audit", "陶然", Role.AUDITOR, "990102", "云岭县医疗保障局"),
    Person("pan.audit", "潘越", Role.AUDITOR, "990103", "鹤坪县医疗保障局"),
    Person(AUDIT_REVIEWER, "钱理", Role.AUDIT_REVIEWER, CITY, BUREAU),
    Person(SECOND_AUDIT_REVIEWER, "白露", Role.AUDIT_REVIEWER, CITY, BUREAU),
    Person(LEGAL, "李正", Role.LEGAL_REVIEWER, CITY, BUREAU),
    Person("tan.tips", "谭雯", Role.TIP_SECRECY, CITY, BUREAU),
    Person("xu.duty", "徐国强", Role.DUTY_BODY, CITY, "澜川市卫生健康委员会"),
    Person("sun.observer", "孙建民", Role.OBSERVER, CITY, "澜川市财政局"),
)
SHOWN_AT_LOGIN = (OFFICER, REVIEWER, FINANCE, "zhou.hospital", MEMBER, "sun.observer", AUDITOR, AUDIT_REVIEWER, ADMIN)


def create_people(area: PoolingArea) -> None:
    """Accounts with the documented password and their posts; the two administrators grant each other the others' posts."""
    hashed = make_password(PASSWORD)
    users = {
        person.username: User(
            username=person.username,
            full_name=person.full_name,
            employer=person.employer,
            password=hashed,
            must_change_password=False,
            is_staff=person.role == Role.ADMINISTRATOR,
        )
        for person in PEOPLE
    }
    User.objects.bulk_create(users.values())
    first = users[ADMIN]
    RoleGrant.objects.create(user=first, role=Role.ADMINISTRATOR, pooling_area=area, valid_from=START)
    with transaction.atomic():
        record(first, "core.manage_people", area, f"开通演示账号 {len(users)} 个", place=area)
    for person in PEOPLE:
        if person.username != ADMIN:
            grant_role(first, users[person.username], person.role, place_of(person.place), START)


def place_of(code: str) -> Place:
    """The place with this code."""
    for model in (PoolingArea, County, Alliance, Institution):
        found = model.objects.filter(code=code).first()
        if found is not None:
            return found
    raise LookupError(code)


def account(username: str) -> User:
    return User.objects.get(username=username)


@cache
def user(username: str) -> User:
    """The account, read once a load: the same person acts thousands of times."""
    return account(username)


def logins() -> list[Person]:
    """What the login page shows of a demonstration."""
    return [person for person in PEOPLE if person.username in SHOWN_AT_LOGIN]
