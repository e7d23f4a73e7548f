"""Service agreements, physicians, points and yearly checks of the demonstration, and what they led to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import partial

from django.utils import timezone

from audits.reading import held
from audits.reading.agreement_terms import terms_for
from audits.reading.agreements import led_alliance
from audits.services import agreements, physicians, points, qualifications, yearly_check
from core.models import Institution, User
from portal.demo.audit_course import institution
from portal.demo.audit_stories import (
    CLOSED,
    HP1,
    HP_TCM,
    QX1,
    QX_BONE,
    QX_PRIVATE,
    QX_STONE,
    QX_TCM,
    RUNNING,
    YL1,
    YL_EYE,
    YL_TCM,
    YL_TONGJI,
    Suspicion,
)
from portal.demo.people import (
    AUDIT_REVIEWER,
    COUNTY_AUDITORS,
    OFFICER,
    REVIEWER,
    SECOND_AUDIT_REVIEWER,
    user,
)
from portal.demo.places import county_of

Deed = tuple[date, str, Callable[[], object]]
SIGNED = {2025: (QX1, YL1, YL_TCM, HP1, QX_STONE, QX_BONE), 2026: (QX1, QX_TCM, YL1, YL_TCM, HP1, HP_TCM, QX_STONE, QX_PRIVATE, YL_EYE)}
ON = {2025: date(2025, 1, 8), 2026: date(2026, 1, 7)}
LIMITS = "XB05BA0138,复方氨基酸注射液,瓶,38.50\nZA06BA0272,益气养血口服液,盒,62.40"
CLAUSE = "服务协议“记分与年度考核”条款"
PEOPLE = (
    ("D990101000011", "李想", "doctor", "呼吸内科", QX1), ("D990101000012", "周宁", "doctor", "心血管内科", QX1),
    ("D990101000013", "吴迪", "pharmacist", "药剂科", QX1), ("D990101000021", "程远", "doctor", "针灸科", QX_TCM),
    ("D990101000031", "黄蓉", "doctor", "全科", QX_STONE), ("D990101000032", "石磊", "nurse", "住院部", QX_STONE),
    ("D990101000041", "马力", "doctor", "影像科", QX_PRIVATE), ("D990101000042", "罗成", "technician", "检验科", QX_PRIVATE),
    ("D990102000011", "谢芳", "doctor", "骨科", YL1), ("D990102000021", "岳峰", "doctor", "康复科", YL_TCM),
    ("D990103000011", "何晶", "doctor", "放射科", HP1), ("D990103000012", "方圆", "pharmacist", "中药房", HP_TCM),
)  # fmt: skip
REACHED_NINE, AT_ONCE, MOVED = "D990101000031", "D990101000041", "D990101000012"


def deeds() -> list[Deed]:
    """(day, what, act), each of which does nothing where it was done."""
    found: list[Deed] = []
    for year, codes in SIGNED.items():
        found += [(ON[year], f"{year} 年度服务协议", partial(_sign, code, year)) for code in codes]
    stone, private = _story(QX_STONE), _story(QX_PRIVATE)
    found += [
        (date(2025, 12, 16), "到期不续签",
         partial(_change, QX_BONE, 2025, "expire", "医疗机构搬迁，本年度期满后不再续签。", date(2026, 1, 1), None)),
        (date(2026, 1, 5), "到期不续签", partial(_decide, QX_BONE, 2025, "expire")),
        (date(2026, 1, 8), "不予签订", _refuse_signing),
        (date(2026, 5, 11), "补充协议",
         partial(_change, QX1, 2026, "supplement", "按上年增长情况，补充约定检查检验费用增幅上限。", date(2026, 5, 11), None)),
        (date(2026, 5, 18), "补充协议", partial(_decide, QX1, 2026, "supplement")),
        (date(2026, 6, 8), "开通规定病种",
         partial(_change, QX_TCM, 2026, "listed_on", "设施和人员符合规定病种结算条件。", date(2026, 6, 8), None)),
        (date(2026, 6, 10), "开通规定病种", partial(_decide, QX_TCM, 2026, "listed_on")),
        (date(2026, 8, 17), "解除协议",
         partial(_change, YL_EYE, 2026, "terminate", "机构申请停业，协商解除协议。", date(2026, 8, 17), None)),
        (date(2026, 8, 20), "解除协议", partial(_decide, YL_EYE, 2026, "terminate")),
        (date(2026, 11, 11), "2027 年度服务协议", partial(_apply, QX1, 2027)),
        (date(2025, 1, 9), "医保医师", _register),
        (date(2026, 4, 1), "人员转移", _move),
        (date(2026, 7, 20), "机构记分", partial(_points, QX_STONE, "", 4, "分解住院 3 例以上", "分解住院，协议处理决定记 4 分。", stone)),
        (date(2026, 7, 21), "人员记分", partial(_points, QX_STONE, REACHED_NINE, 5, "medium", "分解住院病例的主管医师。", stone)),
        (date(2026, 9, 9), "人员记分", partial(_points, QX_STONE, REACHED_NINE, 4, "medium", "复查仍有低指征收治。", None)),
        (date(2026, 9, 14), "暂停资格", _suspend),
        (date(2026, 8, 25), "机构记分",
         partial(_points, QX_PRIVATE, "", 9, "虚构医药服务项目", "虚构检查检验项目，协议处理决定记 9 分。", private)),
        (date(2026, 8, 26), "人员记分", partial(_points, QX_PRIVATE, AT_ONCE, 12, "grave", "出具无影像资料的检查报告。", private)),
        (date(2026, 8, 31), "终止资格", _end),
        (date(2026, 9, 2), "中止协议", partial(_decide, QX_PRIVATE, 2026, "suspend")),
        (date(2026, 10, 20), "机构记分", partial(_points, HP_TCM, "", 2, "串换饮片", "串换中药饮片，记 2 分。", None)),
        (date(2026, 11, 10), "人员记分", partial(_propose_points, HP_TCM, "D990103000012", 3, "light", "调配饮片未核对规格。")),
        (date(2026, 10, 28), "撤销记分", _withdraw),
        (date(2026, 2, 9), "年度考核", partial(_check, QX1, 2025, "94.50", True)),
        (date(2026, 2, 10), "年度考核", partial(_check, HP1, 2025, "91.00", True)),
        (date(2026, 11, 6), "年度考核", partial(_check, YL1, 2026, "66.00", True)),
        (date(2026, 11, 9), "预付比例", _lower_ratio),
        (date(2026, 11, 12), "年度考核", partial(_check, QX_STONE, 2026, "87.00", False)),
    ]  # fmt: skip
    return found


def _story(code: str) -> Suspicion:
    return next(one for one in (*RUNNING, *CLOSED) if one.code == code)


def _case(story: Suspicion | None) -> held.Case | None:
    if story is None:
        return None
    lead = held.lead_about(county_of(story.county), institution(story.code), story.title)
    return lead.case if lead is not None else None


def _auditor(at: Institution) -> User:
    return user(COUNTY_AUDITORS[at.county.code])


# --- agreements ----------------------------------------------------------------------------------------------------


def _apply(code: str, year: int) -> held.Agreement:
    at = institution(code)
    found = held.agreement(at, year)
    if found is not None:
        return found
    asked = terms_for(at, date(year, 1, 1), led_alliance(at, timezone.localdate()) is not None)
    wanted = {
        "year": year, "valid_from": date(year, 1, 1), "valid_to": date(year, 12, 31), "listed_disease": False,
        "terms": {one.key: one.text for one in asked.terms}, "indicators": {one.key: str(one.target) for one in asked.indicators},
        "limits": LIMITS, "reason": "",
    }  # fmt: skip
    return agreements.enter(user(OFFICER), at, wanted)


def _sign(code: str, year: int) -> None:
    found = _apply(code, year)
    _approve(found, "sign", True)


def _refuse_signing() -> None:
    found = _apply(YL_TONGJI, 2026)
    _approve(found, "sign", False)


def _approve(found: held.Agreement, kind: str, approve: bool) -> None:
    change = held.change(found, kind, "proposed")
    if change is None:
        return
    sanction = kind in agreements.SANCTIONS
    words = "同意。" if approve else "消防验收未通过，不符合定点条件，不予签订。"
    agreements.decide_change(user(AUDIT_REVIEWER if sanction else REVIEWER), change, approve, words)


def _change(code: str, year: int, kind: str, text: str, from_on: date, until: date | None) -> None:
    found = held.agreement(institution(code), year)
    assert found is not None, code
    if held.change(found, kind) is None:
        sanction = kind in agreements.SANCTIONS
        by = _auditor(found.institution) if sanction else user(OFFICER)
        agreements.propose_change(by, found, kind, text=text, from_on=from_on, until=until)


def _decide(code: str, year: int, kind: str) -> None:
    found = held.agreement(institution(code), year)
    assert found is not None, code
    _approve(found, kind, True)


# --- people and points ---------------------------------------------------------------------------------------------


def _register() -> None:
    for code, name, kind, department, where in PEOPLE:
        if held.physician(code) is None:
            wanted = {"code": code, "name": name, "kind": kind, "department": department, "valid_from": timezone.localdate()}
            physicians.enter(user(OFFICER), institution(where), wanted)


def _move() -> None:
    person = held.physician(MOVED)
    assert person is not None
    if person.institution.code != QX_TCM:
        physicians.move(user(OFFICER), person, institution(QX_TCM), timezone.localdate(), "内科")


def _propose_points(
    code: str, person: str, count: int, severity: str, reason: str, story: Suspicion | None = None
) -> None:
    at = institution(code)
    if held.points(at, reason) is None:
        who = held.physician(person) if person else None
        points.propose(
            _auditor(at), at, physician=who, on=timezone.localdate(), points=count, severity=severity, clause=CLAUSE, reason=reason,
            case=_case(story),
        )  # fmt: skip


def _points(code: str, person: str, count: int, severity: str, reason: str, story: Suspicion | None) -> None:
    _propose_points(code, person, count, severity, reason, story)
    entry = held.points(institution(code), reason)
    assert entry is not None
    if entry.status == "proposed":
        points.decide_points(user(AUDIT_REVIEWER), entry, True, "情节认定准确。")


def _withdraw() -> None:
    entry = held.points(institution(HP_TCM), "串换中药饮片，记 2 分。")
    assert entry is not None
    if entry.status == "in_force":
        points.withdraw(user(SECOND_AUDIT_REVIEWER), entry, "申诉成立：该批饮片规格由供应商错发，撤销记分。")


def _suspend() -> None:
    """Nine points: the officer names the months, the reviewer decides."""
    row = held.qualifications(REACHED_NINE)[-1]
    if row.months is None:
        qualifications.name_months(_auditor(row.physician.institution), row, 2, timezone.localdate(), "首次记满 9 分，暂停两个月。")
    row = held.qualifications(REACHED_NINE)[-1]
    if row.status == "proposed":
        qualifications.decide_qualification(user(AUDIT_REVIEWER), row, True, "同意。")


def _end() -> None:
    row = held.qualifications(AT_ONCE)[-1]
    if row.status == "proposed":
        qualifications.decide_qualification(user(AUDIT_REVIEWER), row, True, "一次性记满 12 分，终止支付资格。")


# --- yearly checks -------------------------------------------------------------------------------------------------


def _check(code: str, year: int, score: str, approve: bool) -> None:
    at = institution(code)
    row = held.yearly_check(at, year)
    if row is None:
        row = yearly_check.propose(_auditor(at), at, year, Decimal(score), "按年度检查考核细则评分（演示）。")
    if approve and row.status == "proposed":
        yearly_check.decide_check(user(AUDIT_REVIEWER), row, True, "评分有据，同意。")


def _lower_ratio() -> None:
    """Basically qualified: the fund officer enters next year's lower ratio, which waits for the fund reviewer."""
    row = held.yearly_check(institution(YL1), 2026)
    assert row is not None
    if row.lowers_prepayment and row.ratio is None:
        yearly_check.enter_prepayment_ratio(user(OFFICER), row)
