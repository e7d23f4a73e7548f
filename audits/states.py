"""The life of a lead, of a case and of its two tracks as data. Nothing here reads the database.

A case is investigated and reviewed once; then its agreement handling (协议处理, the agency's) and its administrative
penalty (行政处罚, the bureau's) go their own ways as tracks, and the case is closed when both have ended. A row says who
may do an act in a state, what must hold (names of :mod:`audits.preconditions`), whether a reason is due and which limits
(keys of :mod:`rules.procedure`) begin and end with it.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import TextChoices

from core.models import Role


class LeadState(TextChoices):
    NEW = "new", "待分派"
    ASSIGNED = "assigned", "核查中"
    PROPOSED = "proposed", "待审批"
    FILED = "filed", "已立案"
    MERGED = "merged", "已并入"
    REFUSED = "refused", "不予立案"
    HANDED = "handed", "已移交"


class CaseState(TextChoices):
    INVESTIGATING = "investigate", "调查取证"
    FIRST_REVIEW = "first", "待初审"
    REVIEWED = "reviewed", "处理中"
    CLOSED = "closed", "已结案"
    DISMISSED = "dismissed", "已撤案"


class TrackKind(TextChoices):
    AGREEMENT = "agreement", "协议处理"
    PENALTY = "penalty", "行政处罚"


class TrackState(TextChoices):
    TO_NOTIFY = "to_notify", "待告知"
    NOTIFIED = "notified", "陈述申辩期"
    HEARING = "hearing", "听证"
    RE_REVIEW = "re_review", "待复审"
    LEGAL = "legal", "待法制审核"
    TO_DECIDE = "to_decide", "待决定"
    DECIDED = "decided", "待送达"
    SERVED = "served", "执行中"
    DONE = "done", "已履行"
    DROPPED = "dropped", "不予处理"


class Act(TextChoices):
    ENTER = "enter", "登记线索"
    ASSIGN = "assign", "分派线索"
    MERGE = "merge", "并入线索"
    HAND = "hand", "移交线索"
    PROPOSE_FILE = "prop_file", "提请立案"
    PROPOSE_REFUSE = "prop_refuse", "提请不予立案"
    RETURN_LEAD = "return_lead", "退回核查"
    EXTEND_LEAD = "extend_lead", "延长立案期限"
    FILE = "file", "批准立案"
    REFUSE = "refuse", "批准不予立案"

    OFFICERS = "officers", "指定办案人员"
    COLLECT = "collect", "登记证据"
    FIND = "find", "认定事实"
    TRIM = "trim", "剔除（核减）认定"
    SUBMIT = "submit", "提请初审"
    PASS_FIRST = "pass_first", "初审通过"
    RETURN_FIRST = "return_first", "初审退回"
    DISMISS = "dismiss", "撤案"
    SUSPEND = "suspend", "中止办案"
    RESUME = "resume", "恢复办案"
    EXTEND = "extend", "延长办案期限"
    CONSEQUENCE = "consequence", "登记监管措施"
    REFER = "refer", "移送"
    FOLLOW_UP = "follow_up", "回头看"
    CLOSE = "close", "结案"
    ESCALATE = "escalate", "逾期升级"

    PROPOSE = "propose", "拟定处理意见"
    NOTIFY = "notify", "送达告知书"
    STATE = "state", "陈述申辩"
    ASK_HEARING = "ask_hearing", "申请听证"
    ANNOUNCE = "announce", "通知听证"
    HOLD_HEARING = "hold_hearing", "举行听证"
    PUT_FORWARD = "put_forward", "提请复审"
    REPLY = "reply", "答复申辩"
    PASS_RE = "pass_re", "复审通过"
    RETURN_RE = "return_re", "复审退回"
    PASS_LEGAL = "pass_legal", "法制审核通过"
    RETURN_LEGAL = "return_legal", "法制审核退回"
    DECIDE = "decide", "作出决定"
    SERVE = "serve", "送达决定书"
    RECEIVE = "receive", "登记退回基金"
    DEDUCT = "deduct", "转清算扣减"
    TAKE_BACK = "take_back", "冲销追回登记"
    PAY_FINE = "pay_fine", "登记罚款缴库"
    REMEDY = "remedy", "登记复议诉讼"
    PUBLISH = "publish", "登记公开决定"
    COMPLETE = "complete", "履行完毕"
    DROP = "drop", "不予处理"


AUDITOR = frozenset({Role.AUDITOR})
REVIEWER = frozenset({Role.AUDIT_REVIEWER})
LEGAL = frozenset({Role.LEGAL_REVIEWER})
FINANCE = frozenset({Role.FUND_FINANCE})
PROVIDER = frozenset({Role.HOSPITAL_FINANCE, Role.MEMBER_INSTITUTION})


@dataclass(frozen=True)
class Transition:
    """``act`` in ``source`` leads to ``target``; ``roles`` may do it when every one of ``needs`` holds.

    ``starts`` and ``ends`` are keys of procedural limits. ``on`` is what carries the state: lead, case, or track.
    """

    on: str
    source: str
    act: str
    target: str
    roles: frozenset[str]
    needs: tuple[str, ...] = ()
    needs_reason: bool = False
    starts: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()


L, C, T, A = LeadState, CaseState, TrackState, Act
_OPEN_LEADS = (L.NEW, L.ASSIGNED)
_OPEN_CASES = (C.INVESTIGATING, C.FIRST_REVIEW, C.REVIEWED)
_BEFORE_DECISION = (T.TO_NOTIFY, T.NOTIFIED, T.RE_REVIEW, T.LEGAL, T.TO_DECIDE)

LEAD_ROWS: tuple[Transition, ...] = (
    *(Transition("lead", s, A.ASSIGN, L.ASSIGNED, REVIEWER) for s in _OPEN_LEADS),
    *(Transition("lead", s, A.MERGE, L.MERGED, REVIEWER, needs_reason=True, ends=("filing",)) for s in _OPEN_LEADS),
    *(Transition("lead", s, A.HAND, L.HANDED, REVIEWER, needs_reason=True, ends=("filing",)) for s in _OPEN_LEADS),
    Transition("lead", L.ASSIGNED, A.PROPOSE_FILE, L.PROPOSED, AUDITOR, ("assigned_to_me",), needs_reason=True),
    Transition("lead", L.ASSIGNED, A.PROPOSE_REFUSE, L.PROPOSED, AUDITOR, ("assigned_to_me",), needs_reason=True),
    *(Transition("lead", s, A.EXTEND_LEAD, s, REVIEWER, ("extended_once",), needs_reason=True) for s in (*_OPEN_LEADS, L.PROPOSED)),
    Transition("lead", L.PROPOSED, A.RETURN_LEAD, L.ASSIGNED, REVIEWER, ("not_proposer",), needs_reason=True),
    Transition("lead", L.PROPOSED, A.FILE, L.FILED, REVIEWER, ("not_proposer", "two_officers_named"), ends=("filing",)),
    Transition("lead", L.PROPOSED, A.REFUSE, L.REFUSED, REVIEWER, ("not_proposer",), ends=("filing",)),
    *(Transition("lead", s, A.ESCALATE, s, frozenset()) for s in (*_OPEN_LEADS, L.PROPOSED)),
)  # fmt: skip

CASE_ROWS: tuple[Transition, ...] = (
    *(Transition("case", s, A.OFFICERS, s, REVIEWER, ("not_suspended", "not_officer"), needs_reason=True) for s in _OPEN_CASES),
    Transition("case", C.INVESTIGATING, A.COLLECT, C.INVESTIGATING, AUDITOR, ("officer", "not_suspended")),
    Transition("case", C.REVIEWED, A.COLLECT, C.REVIEWED, AUDITOR, ("officer", "not_suspended")),
    Transition("case", C.INVESTIGATING, A.FIND, C.INVESTIGATING, AUDITOR, ("officer", "not_suspended")),
    Transition("case", C.INVESTIGATING, A.SUBMIT, C.FIRST_REVIEW, AUDITOR,
               ("officer", "not_suspended", "two_officers", "has_findings", "findings_evidenced", "evidence_intact", "registered_handled"),
               starts=("first_review",), ends=("investigation", "supplement")),
    Transition("case", C.FIRST_REVIEW, A.TRIM, C.FIRST_REVIEW, REVIEWER, ("not_suspended", "not_officer"), needs_reason=True),
    Transition("case", C.FIRST_REVIEW, A.PASS_FIRST, C.REVIEWED, REVIEWER,
               ("not_suspended", "not_officer", "has_findings", "evidence_intact"), starts=("notify",), ends=("first_review",)),
    Transition("case", C.FIRST_REVIEW, A.RETURN_FIRST, C.INVESTIGATING, REVIEWER,
               ("not_suspended", "not_officer"), needs_reason=True, starts=("supplement",), ends=("first_review",)),
    *(Transition("case", s, A.DISMISS, C.DISMISSED, REVIEWER, ("not_officer", "registered_handled"), needs_reason=True,
                 ends=("decision", "investigation", "supplement", "first_review", "expert_opinion"))
      for s in (C.INVESTIGATING, C.FIRST_REVIEW)),
    *(Transition("case", s, A.SUSPEND, s, REVIEWER, ("not_suspended", "not_officer"), needs_reason=True) for s in _OPEN_CASES),
    *(Transition("case", s, A.RESUME, s, REVIEWER, ("suspended", "not_officer"), needs_reason=True) for s in _OPEN_CASES),
    *(Transition("case", s, A.EXTEND, s, REVIEWER, ("not_suspended", "not_officer"), needs_reason=True) for s in _OPEN_CASES),
    *(Transition("case", s, A.CONSEQUENCE, s, AUDITOR, ("officer",), needs_reason=True) for s in (*_OPEN_CASES, C.CLOSED)),
    *(Transition("case", s, A.REFER, s, AUDITOR, ("officer",), needs_reason=True) for s in (*_OPEN_CASES, C.CLOSED)),
    *(Transition("case", s, A.FOLLOW_UP, s, AUDITOR, (), needs_reason=True) for s in (C.REVIEWED, C.CLOSED)),
    Transition("case", C.REVIEWED, A.CLOSE, C.CLOSED, REVIEWER,
               ("not_suspended", "not_officer", "tracks_ended", "nothing_outstanding", "registered_handled"), needs_reason=True),
    *(Transition("case", s, A.ESCALATE, s, frozenset()) for s in _OPEN_CASES),
)  # fmt: skip

TRACK_ROWS: tuple[Transition, ...] = (
    Transition("track", T.TO_NOTIFY, A.PROPOSE, T.TO_NOTIFY, AUDITOR, ("officer", "not_suspended")),
    Transition("track", T.TO_NOTIFY, A.NOTIFY, T.NOTIFIED, AUDITOR,
               ("officer", "not_suspended", "proposed", "penalty_in_range"), starts=("statement", "hearing_request"), ends=("notify",)),
    Transition("track", T.NOTIFIED, A.STATE, T.NOTIFIED, PROVIDER, ("own_case",), needs_reason=True),
    Transition("track", T.NOTIFIED, A.ASK_HEARING, T.HEARING, PROVIDER, ("own_case", "has_hearing_right", "within_hearing_limit"),
               needs_reason=True, starts=("hearing_held",), ends=("hearing_request", "statement")),
    Transition("track", T.HEARING, A.ANNOUNCE, T.HEARING, LEGAL, ("not_suspended", "not_officer")),
    Transition("track", T.HEARING, A.HOLD_HEARING, T.RE_REVIEW, LEGAL, ("not_suspended", "not_officer"),
               needs_reason=True, starts=("re_review",), ends=("hearing_held",)),
    Transition("track", T.NOTIFIED, A.PUT_FORWARD, T.RE_REVIEW, AUDITOR, ("officer", "not_suspended", "statement_period_over"),
               starts=("re_review",), ends=("statement", "hearing_request")),
    Transition("track", T.RE_REVIEW, A.REPLY, T.RE_REVIEW, REVIEWER,
               ("not_suspended", "not_officer", "not_first_reviewer"), needs_reason=True),
    Transition("track", T.RE_REVIEW, A.TRIM, T.RE_REVIEW, REVIEWER,
               ("not_suspended", "not_officer", "not_first_reviewer"), needs_reason=True),
    Transition("track", T.RE_REVIEW, A.PASS_RE, T.TO_DECIDE, REVIEWER,
               ("not_suspended", "not_officer", "not_first_reviewer", "has_findings", "findings_evidenced", "statements_answered",
                "penalty_in_range"),
               ends=("re_review",)),
    Transition("track", T.RE_REVIEW, A.RETURN_RE, T.TO_NOTIFY, REVIEWER,
               ("not_suspended", "not_officer", "not_first_reviewer"), needs_reason=True, starts=("notify",), ends=("re_review",)),
    Transition("track", T.TO_DECIDE, A.RETURN_RE, T.RE_REVIEW, REVIEWER,
               ("not_suspended", "not_officer", "not_first_reviewer"), needs_reason=True, starts=("re_review",)),
    Transition("track", T.LEGAL, A.PASS_LEGAL, T.TO_DECIDE, LEGAL,
               ("not_suspended", "not_officer", "third_person"), ends=("legal_review",)),
    Transition("track", T.LEGAL, A.RETURN_LEGAL, T.RE_REVIEW, LEGAL, ("not_suspended", "not_officer", "third_person"),
               needs_reason=True, starts=("re_review",), ends=("legal_review",)),
    Transition("track", T.TO_DECIDE, A.DECIDE, T.DECIDED, REVIEWER,
               ("not_suspended", "not_officer", "has_findings", "findings_evidenced", "evidence_intact", "penalty_in_range",
                "within_claims", "claims_standing", "not_barred"),
               starts=("service",), ends=("decision",)),
    Transition("track", T.DECIDED, A.SERVE, T.SERVED, AUDITOR, ("officer", "not_suspended"),
               starts=("fine_payment", "repayment", "publication"), ends=("service",)),
    Transition("track", T.SERVED, A.RECEIVE, T.SERVED, FINANCE, ("owed",)),
    Transition("track", T.SERVED, A.DEDUCT, T.SERVED, AUDITOR, ("officer", "owed"), needs_reason=True),
    Transition("track", T.SERVED, A.TAKE_BACK, T.SERVED, FINANCE | AUDITOR, ("came_back",), needs_reason=True),
    Transition("track", T.DONE, A.TAKE_BACK, T.SERVED, FINANCE | AUDITOR, ("came_back",), needs_reason=True),
    Transition("track", T.SERVED, A.PAY_FINE, T.SERVED, AUDITOR, ("officer", "fine_owed")),
    Transition("track", T.SERVED, A.REMEDY, T.SERVED, AUDITOR, ("officer",), needs_reason=True),
    Transition("track", T.SERVED, A.PUBLISH, T.SERVED, AUDITOR, ("officer", "to_publish"), needs_reason=True, ends=("publication",)),
    Transition("track", T.SERVED, A.COMPLETE, T.DONE, AUDITOR, ("officer", "track_settled"),
               ends=("fine_payment", "repayment", "publication")),
    *(Transition("track", s, A.DROP, T.DROPPED, REVIEWER, ("not_suspended", "not_officer"), needs_reason=True,
                 ends=("notify", "statement", "hearing_request", "re_review", "legal_review", "decision")) for s in _BEFORE_DECISION),
    *(Transition("track", s, A.ESCALATE, s, frozenset())
      for s in (*_BEFORE_DECISION, T.HEARING, T.DECIDED, T.SERVED)),
)  # fmt: skip
"""``PASS_RE`` leads to ``LEGAL`` instead where the limits require a legal review (``Track.needs_legal``)."""

ROWS = (*LEAD_ROWS, *CASE_ROWS, *TRACK_ROWS)
OPEN_LEADS = (L.NEW, L.ASSIGNED, L.PROPOSED)
OPEN_CASES = _OPEN_CASES
ENDED_TRACKS = (T.DONE, T.DROPPED)
IN_FORCE_TRACKS = (T.SERVED, T.DONE)
"""A decision counts in money once it has been served."""
LEAD_TONES = {
    L.NEW: "warn", L.ASSIGNED: "run", L.PROPOSED: "warn", L.FILED: "ok", L.MERGED: "", L.REFUSED: "", L.HANDED: "",
}  # fmt: skip
CASE_TONES = {
    C.INVESTIGATING: "run", C.FIRST_REVIEW: "warn", C.REVIEWED: "run", C.CLOSED: "ok", C.DISMISSED: "",
}  # fmt: skip
TRACK_TONES = {
    T.TO_NOTIFY: "warn", T.NOTIFIED: "run", T.HEARING: "warn", T.RE_REVIEW: "warn", T.LEGAL: "warn", T.TO_DECIDE: "warn",
    T.DECIDED: "run", T.SERVED: "run", T.DONE: "ok", T.DROPPED: "",
}  # fmt: skip


def action_name(act: str) -> str:
    """The registered name of an act, for rights and for the trail."""
    return f"audits.{act}"


def transition(on: str, source: str, act: str) -> Transition | None:
    return next((row for row in ROWS if row.on == on and row.source == source and row.act == act), None)


def roles_of(act: str) -> frozenset[str]:
    """Every role that may do the act in some state; empty for acts of the clock."""
    if act == Act.ENTER:
        return AUDITOR | REVIEWER
    return frozenset().union(*(row.roles for row in ROWS if row.act == act))
