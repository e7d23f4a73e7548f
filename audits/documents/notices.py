"""Notices before a decision: agreement handling, administrative penalty, hearing; with the party's rights and their days."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from audits.documents.facts import (
    Facts,
    Section,
    ended,
    evidence_section,
    findings_section,
    money,
    section,
    span,
)
from audits.models import Track
from core.templatetags.fund import day
from rules.penalties import GRADE_BY_KEY


def agreement_notice(facts: Facts) -> dict[str, Any]:
    """协议处理告知书, by the agency: facts, what is meant to be done, statement within its days."""
    case, track = facts.case, _track(facts)
    return {
        "office": facts.agency,
        "addressee": facts.party,
        "sections": [
            section(sentences=[
                f"我机构于{day(case.filed_on)}对你单位{span(case.claims_from, case.claims_to)}的医疗保障基金使用情况"
                f"立案稽核（案号 {case.number}），案由：{case.title}。现将查明的事实、依据和拟作出的处理告知如下。"
            ]),
            findings_section(facts),
            evidence_section(facts),
            section("拟作出的协议处理", agreement_measures(facts, track)),
            section("你单位的权利", [
                f"你单位可以自收到本告知书之日起{facts.days('statement')}向我机构提出陈述、申辩，并可提交证据；"
                "逾期未提出的，视为放弃陈述、申辩。",
                "我机构将对你单位提出的事实、理由和证据进行复核；成立的，予以采纳，不因申辩而加重处理。",
                _hearing_right(facts, track),
            ]),
            contact(facts),
        ],
        "signed": facts.agency,
    }  # fmt: skip


def penalty_notice(facts: Facts) -> dict[str, Any]:
    """行政处罚事先告知书 (行政处罚法 44, 45, 63): facts, clauses, fine with its range, statement and hearing."""
    case, track = facts.case, _track(facts)
    rights = [
        "根据《中华人民共和国行政处罚法》第四十四条、第四十五条，你（单位）有权进行陈述和申辩。"
        f"请自收到本告知书之日起{facts.days('statement')}提出；逾期未提出的，视为放弃。"
        "本机关不因陈述、申辩而给予更重的处罚。"
    ]
    rights.append(_hearing_right(facts, track))
    return {
        "office": facts.bureau,
        "addressee": facts.party,
        "sections": [
            section(sentences=[
                f"本机关于{day(case.filed_on)}对你（单位）涉嫌违反医疗保障基金使用管理规定一案立案调查"
                f"（案号 {case.number}），案由：{case.title}。现将拟作出行政处罚的事实、理由、依据告知如下。"
            ]),
            findings_section(facts),
            evidence_section(facts),
            section("拟作出的行政处罚及裁量", penalty_measures(facts, track)),
            section("你（单位）的权利", rights),
            contact(facts),
        ],
        "signed": facts.bureau,
    }  # fmt: skip


def hearing_notice(facts: Facts) -> dict[str, Any]:
    """听证通知书: the day, announced at least seven working days before (行政处罚法 64)."""
    track = _track(facts)
    hearing = getattr(track, "hearing", None)
    held = f"{day(hearing.held_on)}在{hearing.place}" if hearing else "另行书面通知的时间和地点"
    host = f"听证主持人：{hearing.host}（非本案调查人员）。" if hearing else ""
    return {
        "office": facts.bureau,
        "addressee": facts.party,
        "sections": [
            section(sentences=[
                f"你（单位）就本机关拟作出行政处罚一案（案号 {facts.case.number}）提出的听证申请已收到。"
                f"现定于{held}举行听证。{host}"
            ]),
            section("听证权利和要求", [
                "你（单位）可以亲自参加听证，也可以委托一至二人代理；认为主持人与本案有直接利害关系的，有权申请回避。",
                "听证中可以对违法事实、证据和处罚建议进行申辩和质证。无正当理由拒不出席或者未经许可中途退出的，视为放弃听证权利。",
                "请携带身份证明、授权委托书和有关证据材料。",
            ]),
            contact(facts),
        ],
        "signed": facts.bureau,
    }  # fmt: skip


def agreement_measures(facts: Facts, track: Track) -> list[str]:
    """What is proposed or decided under the agreement, a sentence each."""
    said = []
    if track.holds_money:
        said.append(money_sentence(facts))
    measures = track.measures
    if measures.get("correct"):
        said.append("责令改正。")
    if measures.get("points"):
        said.append(f"按服务协议记 {measures['points']} 分。")
    if measures.get("suspend_months"):
        said.append(f"中止服务协议 {measures['suspend_months']} 个月。")
    if measures.get("terminate"):
        said.append("解除服务协议。")
    if measures.get("text"):
        said.append(ended(str(measures["text"])))
    return said or ["责令改正。"]


def penalty_measures(facts: Facts, track: Track) -> list[str]:
    """Return of the money, the fine with its legal range by act, the grade of discretion, a suspension."""
    grade, held, measures = GRADE_BY_KEY.get(track.grade), track.penalty, track.measures
    said = ["责令改正。", money_sentence(facts) if track.holds_money else ""]
    said += [
        f"“{item['label']}”造成损失 {_yuan(item['loss'])}，依据{item['clause']}，罚款幅度 {_range(item['lower'], item['upper'])}。"
        for item in held.get("items", ())
    ]
    said.append(f"处罚款 {money(track.fine)}。" if track.fine else "不处罚款。")
    if grade is not None:
        whole = _range(held.get("lower", ""), held.get("upper", ""))
        said.append(f"裁量等级：{grade.label}（法定幅度合计 {whole}）。{ended(track.grade_reason)}")
    if measures.get("suspend_months"):
        said.append(f"责令暂停相关责任部门 {measures['suspend_months']} 个月涉及医疗保障基金使用的医药服务。")
    said.append(ended(str(measures.get("text", ""))))
    facts.notes.extend(f"处罚依据“{clause}”待核实，送达前请核对原文。" for clause in held.get("unconfirmed", ()))
    return said


def _hearing_right(facts: Facts, track: Track) -> str:
    """The right to a hearing, where there is one (行政处罚法 63, 64)."""
    if not track.needs_hearing:
        return ""
    return (
        "根据《中华人民共和国行政处罚法》第六十三条、第六十四条，你（单位）有权要求听证。"
        f"要求听证的，应当自收到本告知书之日起{facts.days('hearing_request')}提出；逾期未提出的，视为放弃。"
    )


def _range(lower: str, upper: str) -> str:
    return f"{_yuan(lower)}至{_yuan(upper)}" if upper else f"{_yuan(lower)}以上"


def _yuan(text: str) -> str:
    return money(Decimal(text or "0"))


def money_sentence(facts: Facts) -> str:
    """What the fund lost, per fund type; refused where the year is not settled, otherwise returned."""
    held = facts.sums
    parts = [f"{label} {money(amount)}" for label, amount in (("居民基金", held.resident), ("职工基金", held.employee)) if amount]
    if not parts:
        return ""
    return (
        f"违规使用的医疗保障基金合计 {money(held.total)}（{'、'.join(parts)}），予以拒付；已经清算支付的，责令退回。"
        "居民、职工基金分别核算、分别退回。"
    )


def contact(facts: Facts) -> Section:
    return section("联系方式", [f"承办人：{facts.signed_officers()}。请以书面形式或通过本系统提交，注明案号 {facts.case.number}。"])


def _track(facts: Facts) -> Track:
    if facts.track is None:
        raise ValueError("a notice or decision belongs to a track")
    return facts.track
