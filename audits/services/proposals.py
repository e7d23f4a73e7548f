"""What an officer proposes on a track: measures under the agreement, or a fine within the legal range, frozen with its trace.

Everything wrong is said at once. The frozen range is compared with the findings again at every later step
(``penalty_in_range``): when lines were dropped meanwhile it must be made anew.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from audits.models import Track
from audits.parameters import hearing_thresholds, legal_thresholds
from audits.reading.money import found_total
from audits.reading.penalties import Judged, LegalRange, judge, legal_range, party_of, penalty_problems, range_of
from audits.services.steps import begin, finish
from audits.services.telling import reviewers
from audits.states import Act, TrackKind
from core.errors import Problem, Refused
from core.models import User
from rules.money import ZERO
from rules.penalties import GRADE_BY_KEY, Need, needs_hearing, needs_legal_review

__all__ = ["penalty_problems", "propose", "range_of"]

SHORTEST, LONGEST = 4, 2000
MOST_POINTS = 100
SUSPENSION_MONTHS = (1, 12)


def propose(
    actor: User,
    track: Track,
    *,
    text: str = "",
    points: int = 0,
    correct: bool = False,
    suspend_months: int | None = None,
    terminate: bool = False,
    fine: Decimal | None = None,
    grade: str = "",
    grade_reason: str = "",
    facts: Sequence[str] = (),
) -> Track:
    """Propose what a track is to decide; the amounts come from the kept findings and are never typed.

    Agreement track: ``text`` says what is ordered, beside ``points``, an order to ``correct``, a suspension or the
    termination. Penalty track: ``fine`` (yuan, 0 for none), ``grade`` and ``grade_reason``, the ``facts`` it rests on.
    """
    with transaction.atomic():
        held, step = begin(actor, track, Act.PROPOSE)
        case = held.case
        if held.kind == TrackKind.AGREEMENT:
            measures = _measures(held, text, points, correct, suspend_months, terminate)
            fields: dict[str, Any] = {"measures": measures, **_needs(held, ZERO, suspend_months, terminate)}
            summary = f"拟定{case.number}协议处理意见：{_measures_text(measures)}"
        else:
            amount = ZERO if fine is None else fine
            legal = legal_range(case, facts)
            judged = judge(
                case, legal, grade=grade, fine=amount, reason=grade_reason, facts=facts, months=suspend_months
            )
            missing = [] if fine is not None else [Problem("fine", "", "没有填写罚款金额。", "不罚款的请填 0。")]
            if missing or judged.problems:
                raise Refused([*missing, *judged.problems])
            fields = {
                "fine": amount,
                "grade": grade,
                "grade_reason": grade_reason.strip(),
                "measures": {"suspend_months": suspend_months or 0, "text": text.strip()},
                "penalty": frozen(legal, judged, facts, suspend_months),
                "needs_hearing": judged.hearing.needed,
                "needs_legal": judged.legal.needed,
            }
            label = GRADE_BY_KEY[grade].label if grade in GRADE_BY_KEY else "不予处罚"
            summary = f"拟定{case.number}行政处罚：{label}，罚款 {amount:,.2f} 元"
        fields |= {"proposed_by": actor, "proposed_at": timezone.now()}
        amounts = {"fine": str(fields.get("fine", "")), "found": str(found_total(case))}
        data = {"kind": str(held.kind), "measures": fields["measures"], **amounts}
        tell = reviewers(case)
        finish(actor, case, step, summary, track=held, reason=grade_reason or text, data=data, tell=tell, fields=fields)
        return held


def frozen(legal: LegalRange, judged: Judged, facts: Collection[str], months: int | None) -> dict[str, Any]:
    """The range as it stood: strings and numbers only, with the whole trace."""
    span = legal.range
    found: dict[str, Any] = {
        "on": str(timezone.localdate()),
        "facts": list(facts),
        "suspend_months": months,
        "skipped": [
            {"finding": one.finding.number, "act": one.finding.act, "loss": str(one.loss), "why": one.why}
            for one in legal.skipped
        ],
        "repeats": [
            {"act": one.act, "decided_on": str(one.decided_on), "case": one.case_number} for one in legal.repeats
        ],
        "hearing": _need(judged.hearing),
        "legal": _need(judged.legal),
    }
    if span is None:
        return {**found, "items": [], "loss": "0.00", "lower": "0.00", "upper": "0.00", "trace": [], "unconfirmed": []}
    part = judged.grade
    return {
        **found,
        "items": [
            {
                "finding": fined.finding.number, "act": one.act.key, "label": one.act.label, "loss": str(one.loss),
                "act_on": str(one.act_on), "lower": str(one.lower), "upper": _text(one.upper),
                "clause": one.rule.clause, "note": one.note,
            }
            for fined, one in zip(legal.fined, span.items, strict=True)
        ],
        "loss": str(span.loss),
        "lower": str(span.lower),
        "upper": _text(span.upper),
        "grade_lower": "" if part is None else str(part.lower),
        "grade_upper": "" if part is None else _text(part.upper),
        "corrections": list(span.corrections),
        "further": list(span.further),
        "unconfirmed": list(span.unconfirmed),
        "trace": [*span.trace.as_json(), *([] if part is None else part.trace.as_json())],
    }  # fmt: skip


def _measures(
    track: Track, text: str, points: int, correct: bool, months: int | None, terminate: bool
) -> dict[str, Any]:
    problems = []
    low, high = SUSPENSION_MONTHS
    if not SHORTEST <= len(text.strip()) <= LONGEST:
        words = f"处理意见须为 {SHORTEST} 至 {LONGEST} 个字，现为 {len(text.strip())} 个字。"
        problems.append(Problem("text", text.strip()[:20], words, "请写明处理内容和依据条款。"))
    if not 0 <= points <= MOST_POINTS:
        problems.append(Problem("points", str(points), f"协议记分须在 0 至 {MOST_POINTS} 之间。", "请按记分办法填写。"))
    if months is not None and not low <= months <= high:
        words = f"中止协议月数须在 {low} 至 {high} 之间，现为 {months}。"
        problems.append(Problem("suspend_months", str(months), words, "不中止的请留空。"))
    if months is not None and terminate:
        problems.append(Problem("terminate", "", "同时选了中止协议和解除协议。", "请只选一种。"))
    if not (correct or points or months or terminate) and not found_total(track.case):
        words = "没有拒付或追回的金额，也没有任何协议措施。"
        problems.append(Problem("text", "", words, "请选择责令改正、记分、中止或解除，或由复核不予处理。"))
    if problems:
        raise Refused(problems)
    return {
        "text": text.strip(), "points": points, "correct": correct, "suspend_months": months or 0, "terminate": terminate,
        "amount": str(found_total(track.case)),
    }  # fmt: skip


def _measures_text(measures: dict[str, Any]) -> str:
    told = [f"拒付（追回）{Decimal(measures['amount']):,.2f} 元"] if Decimal(measures["amount"]) else []
    told += ["责令改正"] if measures["correct"] else []
    told += [f"记 {measures['points']} 分"] if measures["points"] else []
    told += [f"中止协议 {measures['suspend_months']} 个月"] if measures["suspend_months"] else []
    told += ["解除协议"] if measures["terminate"] else []
    return "、".join(told)


def _needs(track: Track, fine: Decimal, months: int | None, terminate: bool) -> dict[str, bool]:
    party, place, day = party_of(track.case), track.case.county, timezone.localdate()
    suspends = bool(months)
    hearing = needs_hearing(party, fine, suspends, terminate, thresholds=hearing_thresholds(place, day))
    legal = needs_legal_review(party, fine, suspends, terminate, thresholds=legal_thresholds(place, day))
    return {"needs_hearing": hearing.needed, "needs_legal": legal.needed}


def _need(need: Need) -> dict[str, Any]:
    return {"needed": need.needed, "reasons": list(need.reasons), "clause": need.clause, "status": need.status}


def _text(amount: Decimal | None) -> str:
    return "" if amount is None else str(amount)
