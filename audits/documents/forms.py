"""Inner papers: approval of filing and of closing, the receipt of service, the evidence list, the registration notice."""

from __future__ import annotations

from typing import Any

from audits.documents.facts import Facts, by_fund, findings_section, money, section, span, table
from audits.documents.notices import contact
from audits.models import Lead
from audits.reading.evidence import WITHDRAWN, pieces
from audits.reading.money import case_money
from audits.states import Act, TrackState
from core.templatetags.fund import day


def filing(facts: Facts) -> dict[str, Any]:
    """立案审批表: the leads it stands on, the officers, who asked and who approved."""
    case = facts.case
    leads = list(Lead.objects.filter(case=case).order_by("pk"))
    sources = [f"{lead.number}（{lead.get_source_display()}，{day(lead.received_on)}）" for lead in leads]
    return {
        "office": facts.bureau,
        "sections": [
            section(pairs=[
                ("案号", case.number),
                ("案由", case.title),
                ("当事人", facts.party),
                ("当事人类别", case.get_party_kind_display()),
                ("稽核类型和方式", f"{case.get_kind_display()}，{case.get_way_display()}"),
                ("费用所属期", span(case.claims_from, case.claims_to)),
                ("线索", "；".join(sources)),
                ("情况", "\n".join(lead.detail for lead in leads)),
                ("办案人员", facts.signed_officers()),
            ]),
        ],
        "signatures": [_signed("提请人", case.opened_by, case.filed_on), _signed("审批人", case.approved_by, case.filed_on)],
    }  # fmt: skip


def closing(facts: Facts) -> dict[str, Any]:
    """结案审批表: what was found, decided, recovered and fined, and why the case may rest."""
    case = facts.case
    total = case_money(case).total
    change = case.changes.filter(act=Act.CLOSE).order_by("-pk").first()
    tracks = []
    for track in case.tracks.order_by("kind"):
        served = f"，{day(track.served_on)}送达" if track.served_on else ""
        ended = f"，{day(track.done_on)}履行完毕" if track.done_on else ""
        fine = f"，罚款 {money(track.fine)}" if track.fine and track.state != TrackState.DROPPED else ""
        tracks.append(f"{track.get_kind_display()}：{track.get_state_display()}{served}{fine}{ended}")
    return {
        "office": facts.bureau,
        "sections": [
            section(pairs=[
                ("案号", case.number),
                ("案由", case.title),
                ("当事人", facts.party),
                ("立案日期", day(case.filed_on)),
                ("认定金额", f"{money(facts.sums.total)}（{by_fund(facts.sums.resident, facts.sums.employee)}）"),
                ("处理结果", "；".join(tracks)),
                ("拒付", money(total.refused)),
                ("应追回", money(total.recovery)),
                ("已退回", money(total.repaid)),
                ("清算扣减", money(total.deducted)),
                ("未收回", money(total.outstanding)),
                ("结案意见", change.reason if change else ""),
                ("办案人员", facts.signed_officers()),
            ]),
            findings_section(facts),
        ],
        "signatures": [_signed("结案审批人", case.closed_by, case.closed_at)],
    }  # fmt: skip


def service_receipt(facts: Facts) -> dict[str, Any]:
    """送达回证 of one document: what, to whom, how; the receiver signs on paper."""
    served = facts.serves
    if served is None:
        raise ValueError("a receipt of service belongs to a document")
    from audits.documents.kinds import label_of

    track = served.track
    return {
        "office": facts.bureau,
        "sections": [
            section(pairs=[
                ("送达文书", f"{label_of(served.kind)} {served.number}（第 {served.version} 版）"),
                ("文书校验值", served.file.sha256),
                ("受送达人", facts.party),
                ("送达方式", track.service_way if track else ""),
                ("送达日期", "　　　　年　　月　　日"),
                ("受送达人签名（盖章）", "　"),
                ("代收人及与受送达人关系", "　"),
                ("拒收事由和见证人", "　"),
                ("送达人", facts.signed_officers()),
            ]),
        ],
    }  # fmt: skip


def evidence_list(facts: Facts) -> dict[str, Any]:
    """证据登记清单: every piece with its hash; withdrawn ones stay, marked."""
    rows = []
    for piece in pieces(facts.case):
        gone = any(note.kind == WITHDRAWN for note in piece.notes.all())
        rows.append([
            str(piece.number), piece.get_kind_display(), piece.name + ("（不再采用）" if gone else ""), day(piece.collected_on),
            piece.collected_at_place or "—", f"{piece.collected_by}、{piece.witnessed_by}", piece.third_party or "—", piece.sha256,
        ])  # fmt: skip
    columns = ["种类", "名称", "取得日期", "取得地点", "取证人", "第三方", "校验值（SHA-256）"]
    return {
        "office": facts.bureau,
        "sections": [
            section(pairs=[("案号", facts.case.number), ("当事人", facts.party), ("证据", f"{len(rows)} 件")]),
            section(tables=[table("序号", columns, rows)] if rows else [], sentences=[] if rows else ["没有登记证据。"]),
        ],
        "signatures": [
            {"role": "办案人员", "name": facts.signed_officers(), "when": ""},
            {"role": "当事人（确认无误后签名）", "name": "　", "when": ""},
        ],
    }  # fmt: skip


def registration(facts: Facts) -> dict[str, Any]:
    """先行登记保存通知书 (行政处罚法 56): the pieces, and until when they are dealt with."""
    held = [piece for piece in pieces(facts.case) if piece.registered_until is not None]
    rows = [
        [str(piece.number), piece.get_kind_display(), piece.name, piece.collected_at_place or "—", day(piece.registered_until)]
        for piece in held
    ]  # fmt: skip
    columns = ["种类", "名称", "保存地点", "处理期限"]
    return {
        "office": facts.bureau,
        "addressee": facts.party,
        "sections": [
            section(sentences=[
                "根据《中华人民共和国行政处罚法》第五十六条，因证据可能灭失或者以后难以取得，本机关决定对下列证据先行登记保存，"
                f"并{facts.days('evidence_registration')}作出处理决定。在此期间，当事人或者有关人员不得销毁或者转移证据。"
            ]),
            section(tables=[table("序号", columns, rows)] if rows else [], sentences=[] if rows else ["没有登记保存的证据。"]),
            contact(facts),
        ],
        "signed": facts.bureau,
    }  # fmt: skip


def _signed(role: str, who: Any, when: Any) -> dict[str, str]:
    return {"role": role, "name": str(who or "　"), "when": day(when) if when else ""}
