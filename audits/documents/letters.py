"""Letters of supervisory measures (talk, circular, inquiry, order to correct) and of a hand-over to another body."""

from __future__ import annotations

from typing import Any

from audits.documents.facts import Facts, by_fund, findings_section, money, section
from audits.documents.notices import contact
from audits.models import Measure, Referral
from core.templatetags.fund import day


def talk(facts: Facts) -> dict[str, Any]:
    """约谈通知书: when, about what."""
    measure = _measure(facts)
    return _letter(facts, measure, [
        section(sentences=[f"因{facts.case.title}（案号 {facts.case.number}），定于{day(measure.on)}约谈你单位负责人。"]),
        section("约谈内容和要求", measure.text.splitlines()),
        section(sentences=[_by(measure, "报送整改情况")]),
    ])  # fmt: skip


def circular(facts: Facts) -> dict[str, Any]:
    """通报: what was found and what is demanded; sums, no persons."""
    measure = _measure(facts)
    held = facts.sums
    return _letter(facts, measure, [
        section(sentences=[
            f"{facts.party}{facts.case.title}，经查涉及医疗保障基金 {money(held.total)}"
            f"（{by_fund(held.resident, held.employee)}），现予以通报。"
        ]),
        section("通报内容和要求", measure.text.splitlines()),
        section(sentences=[_by(measure, "报送整改情况")]),
    ])  # fmt: skip


def inquiry(facts: Facts) -> dict[str, Any]:
    """询问函: what must be answered in writing, until when."""
    measure = _measure(facts)
    return _letter(facts, measure, [
        section(sentences=[f"我局正在办理{facts.case.title}一案（案号 {facts.case.number}），请就下列事项书面说明。"]),
        section("询问事项", measure.text.splitlines()),
        section(sentences=[_by(measure, "书面答复并加盖公章")]),
    ])  # fmt: skip


def rectify(facts: Facts) -> dict[str, Any]:
    """责令改正通知书 (条例 38, 39): what to put right, until when."""
    measure = _measure(facts)
    return _letter(facts, measure, [
        section(sentences=[f"经查，你单位存在下列问题（案号 {facts.case.number}），现责令改正。"]),
        findings_section(facts, "存在的问题"),
        section("改正要求", measure.text.splitlines()),
        section(sentences=[_by(measure, "改正，并书面报告改正情况"), "逾期不改正的，依法从重处理。"]),
    ])  # fmt: skip


def transfer(facts: Facts) -> dict[str, Any]:
    """案件移送函 (R-118): why, the facts, the list of what is handed over, and the reply asked for."""
    referral = _referral(facts)
    said = [f"请于{day(referral.due_on)}前将受理和处理情况函告我局。"] if referral.due_on else []
    items = [line.strip() for line in referral.list_of_items.splitlines() if line.strip()]
    return {
        "office": facts.bureau,
        "addressee": referral.body_name,
        "sections": [
            section(sentences=[
                f"我局在办理{facts.case.title}一案（案号 {facts.case.number}，当事人：{facts.party}）中，"
                "发现有关线索属于你单位职责范围，现依法移送。"
            ]),
            section("移送事由", referral.reason.splitlines()),
            findings_section(facts, "查明的情况"),
            section("移送材料", [f"{number}. {item}" for number, item in enumerate(items, start=1)]),
            section(sentences=said),
            section("交接", pairs=[("移交人", str(referral.by)), ("接收人", referral.received_by), ("移送日期", day(referral.handed_on))]),
        ],
        "signed": facts.bureau,
        "signed_on": referral.handed_on,
    }  # fmt: skip


def _letter(facts: Facts, measure: Measure, sections: list[Any]) -> dict[str, Any]:
    return {
        "office": facts.bureau,
        "addressee": facts.party if measure.to_party else measure.addressee,
        "sections": [*sections, contact(facts)],
        "signed": facts.bureau,
    }


def _by(measure: Measure, what: str) -> str:
    return f"请于{day(measure.due_on)}前{what}。" if measure.due_on else ""


def _measure(facts: Facts) -> Measure:
    if facts.measure is None:
        raise ValueError("this letter belongs to a measure")
    return facts.measure


def _referral(facts: Facts) -> Referral:
    if facts.referral is None:
        raise ValueError("a letter of transfer belongs to a referral")
    return facts.referral
