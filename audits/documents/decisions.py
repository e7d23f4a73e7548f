"""Decisions: agreement handling, administrative penalty, no penalty or dismissal; with what may be done against them."""

from __future__ import annotations

from typing import Any

from audits.documents.facts import (
    Facts,
    Section,
    ended,
    evidence_section,
    findings_section,
    section,
    span,
    table,
)
from audits.documents.notices import agreement_measures, contact, penalty_measures
from audits.models import AmountKind, DecidedAmount, StatementKind, Track
from core.templatetags.fund import day, yuan

WAYS = {AmountKind.REFUSED: "拒付", AmountKind.RECOVERY: "追回"}


def agreement_decision(facts: Facts) -> dict[str, Any]:
    """协议处理决定书, by the agency: facts, answer to the statements, handling, repayment, ways of redress."""
    case, track = facts.case, _track(facts)
    return {
        "office": facts.agency,
        "addressee": facts.party,
        "sections": [
            section(sentences=[
                f"我机构对你单位{span(case.claims_from, case.claims_to)}的医疗保障基金使用情况立案稽核（案号 {case.number}），"
                f"案由：{case.title}。{_notified(track)}现决定如下。"
            ]),
            findings_section(facts),
            evidence_section(facts),
            statements(track),
            section("处理决定", agreement_measures(facts, track), tables=_amounts(track)),
            section("履行", [_repayment(facts, track)]),
            section("救济途径", [
                "对本决定有异议的，可以与我机构协商解决，或提请医疗保障行政部门协调处理；"
                f"也可以自收到本决定书之日起{facts.days('review_application')}依法申请行政复议，"
                f"或者自收到之日起{facts.days('lawsuit')}依法向人民法院提起行政诉讼。",
                "（《医疗机构医疗保障定点管理暂行办法》《零售药店医疗保障定点管理暂行办法》）",
            ]),
            contact(facts),
        ],
        "signed": facts.agency,
        "signed_on": track.decided_on,
    }  # fmt: skip


def penalty_decision(facts: Facts) -> dict[str, Any]:
    """行政处罚决定书 (行政处罚法 59): facts, evidence, clauses, kind and amount, payment, review and lawsuit, office and day."""
    case, track = facts.case, _track(facts)
    said = penalty_measures(facts, track)
    performing = [_repayment(facts, track)]
    if track.fine:
        performing.append(
            f"罚款请自收到本决定书之日起{facts.days('fine_payment')}缴入国库指定账户。逾期不缴纳的，"
            "依照《中华人民共和国行政处罚法》第七十二条，每日按罚款数额的百分之三加处罚款，加处罚款的数额不超过罚款的数额；"
            "行政复议、行政诉讼期间加处罚款的数额不予计算。罚款上缴国库，不冲抵应退回的基金。"
        )
    return {
        "office": facts.bureau,
        "addressee": facts.party,
        "sections": [
            section("当事人", pairs=[("名称", facts.party), ("机构编码", _code(facts)), ("案由", case.title), ("案号", case.number)]),
            section(sentences=[
                f"本机关于{day(case.filed_on)}对你（单位）涉嫌违反医疗保障基金使用管理规定一案立案调查。{_notified(track)}"
            ]),
            findings_section(facts),
            evidence_section(facts),
            statements(track),
            section("处罚决定", said, tables=_amounts(track)),
            section("履行", performing),
            section("救济途径", [
                f"如不服本决定，可以自收到本决定书之日起{facts.days('review_application')}向{case.county}人民政府申请行政复议，"
                f"也可以自收到之日起{facts.days('lawsuit')}依法向人民法院提起行政诉讼。"
                "复议、诉讼期间，行政处罚不停止执行，法律另有规定的除外。",
                "逾期不申请复议、不提起诉讼又不履行的，本机关将依法申请人民法院强制执行。",
            ]),
            contact(facts),
        ],
        "signed": facts.bureau,
        "signed_on": track.decided_on,
    }  # fmt: skip


def dismissal(facts: Facts) -> dict[str, Any]:
    """不予处罚（撤案）决定书: of a dismissed case, or of tracks that were dropped; why is what the act said."""
    case = facts.case
    last = case.changes.filter(act__in=["dismiss", "drop"]).order_by("-pk").first()
    return {
        "office": facts.bureau,
        "addressee": facts.party,
        "sections": [
            section(sentences=[
                f"本机关于{day(case.filed_on)}对你（单位）立案调查（案号 {case.number}），案由：{case.title}。"
                "经调查、审核，决定不予处罚（撤销立案）。"
            ]),
            section("理由", [last.reason if last else ""]),
            section(sentences=["不予处罚不影响依法追回违规使用的医疗保障基金。"] if facts.sums.total else []),
        ],
        "signed": facts.bureau,
    }  # fmt: skip


def statements(track: Track) -> Section:
    """What the party said and whether it was adopted; that nothing was said where it said nothing."""
    rows = list(track.statements.select_related("reply").order_by("number"))
    said = []
    for row in rows:
        reply = getattr(row, "reply", None)
        answer = f"复审意见：{reply.get_outcome_display()}。{ended(reply.text)}" if reply else ""
        said.append(f"{day(row.given_at)}{row.get_kind_display()}：{ended(row.text)}{answer}")
    if not any(row.kind != StatementKind.HEARING for row in rows):
        said.insert(0, "在规定期限内未提出陈述、申辩。")
    hearing = getattr(track, "hearing", None)
    if hearing is not None and hearing.conclusion:
        said.append(f"{day(hearing.held_on)}举行听证。听证意见：{ended(hearing.conclusion)}")
    return section("陈述、申辩和听证情况", said)


def _notified(track: Track) -> str:
    return f"告知书已于{day(track.notified_on)}送达。" if track.notified_on else ""


def _repayment(facts: Facts, track: Track) -> str:
    if not track.holds_money or not facts.sums.total:
        return ""
    return (
        f"应退回的基金请自收到本决定书之日起{facts.days('repayment')}退回医疗保障基金账户，并注明案号；"
        "逾期未退回的，从以后的清算中扣减。拒付的费用不再纳入年度清算。"
    )


def _amounts(track: Track) -> list[dict[str, Any]]:
    """What takes effect by fund type and year, where the decision has already been served."""
    sums: dict[tuple[str, str, int], Any] = {}
    for row in DecidedAmount.objects.filter(track=track).order_by("fund_type", "kind", "year"):
        key = (row.get_fund_type_display(), WAYS[AmountKind(row.kind)], row.year)
        sums[key] = sums.get(key, 0) + row.amount
    rows = [(fund, kind, str(year), yuan(amount)) for (fund, kind, year), amount in sums.items()]
    if rows:
        rows.append(("合计", "", "", yuan(sum(sums.values()))))
    return [table("险种", ["方式", "费用年度", "金额（元）"], rows)] if rows else []


def _code(facts: Facts) -> str:
    return facts.case.institution.code if facts.case.institution else ""


def _track(facts: Facts) -> Track:
    if facts.track is None:
        raise ValueError("a decision belongs to a track")
    return facts.track
