"""Documents of a case: numbered without gaps, frozen as made, replaced by a new version with a reason, never deleted."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from audits.documents.facts import Facts
from audits.documents.kinds import ANY_TRACK, BOUND, BY_KEY, SERVED, label_of
from audits.documents.word import DOCX, content_of, word_of
from audits.models import Case, CaseDocument, Measure, Referral, Track
from audits.preconditions import PRECONDITIONS
from audits.services.numbers import hold_series, next_number, short_name
from audits.services.steps import locked_case
from audits.services.telling import provider
from audits.states import Act, CaseState, TrackState
from core.access import Allowed, Denied, NotAllowed, may, roles_at
from core.errors import Conflict, Problem, Refused, need_reason
from core.files import store_bytes
from core.models import Role, User
from core.notices import notify
from core.trail import record

MAKE = "audits.document"
FILES = "case_document"
UNNUMBERED = "（定稿时编号）"


def make_document(
    actor: User,
    case: Case,
    kind: str,
    track: Track | None = None,
    reason: str = "",
    *,
    measure: Measure | None = None,
    referral: Referral | None = None,
    serves: CaseDocument | None = None,
) -> CaseDocument:
    """Make a document inside the act it belongs to, before the act writes its trail: the first version takes the next
    number of its series, a further one keeps it and needs ``reason`` (after a return, the return's own stands for it).

    Set on ``track`` what the paper is to tell (``notified_on``, ``served_on`` …) before calling. Raises ``Refused``.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a document is made inside the transaction of the act it belongs to")
    locked_case(case)
    about = {"track": track, "measure": measure, "referral": referral, "serves": serves}
    former = CaseDocument.objects.filter(case=case, kind=kind, **about).order_by("-version").first()
    if former is not None:
        reason = reason.strip() or _returned_for(track)
        need_reason(reason)
    number = former.number if former else _next_number(case, kind)
    version = former.version + 1 if former else 1
    content = content_of(Facts(case, track, measure, referral, serves), kind, number, version)
    name = f"{label_of(kind)} {number}{f'（第 {version} 版）' if version > 1 else ''}.docx"
    return CaseDocument.objects.create(
        case=case, kind=kind, number=number, version=version, content=content, made_by=actor, made_at=timezone.now(),
        file=store_bytes(word_of(content), name, FILES, actor, DOCX), replaced_reason=reason[:300] if former else "",
        to_party=BY_KEY[kind].to_party and (measure is None or measure.to_party), **about,
    )  # fmt: skip


def hold_number(case: Case, kind: str) -> None:
    """Take the lock of a kind's series ahead of an act that writes the trail on its way to the document."""
    hold_series(case.pooling_area, BY_KEY[kind].series(case.county.code), timezone.localdate().year)


def write_document(
    actor: User, case: Case, kind: str, track: Track | None = None, serves: CaseDocument | None = None
) -> CaseDocument:
    """An officer or reviewer makes a document no act makes by itself; its first version only."""
    with transaction.atomic():
        held = locked_case(case)
        _require(actor, held)
        problems = write_problems(held, kind, track, serves)
        if problems:
            raise Refused(problems)
        if CaseDocument.objects.filter(case=held, kind=kind, track=track, serves=serves).exists():
            text = f"本案已有{label_of(kind)}，不再另行编号。"
            raise Conflict([Problem("kind", label_of(kind), text, "内容需要改动的，请在该文书上换版并写明理由。")])
        made = make_document(actor, held, kind, track, serves=serves)
        _told(actor, made)
        return made


def renew_document(actor: User, document: CaseDocument, reason: str) -> CaseDocument:
    """A new version from the rows as they are now: the number stays, the older version too; the reason is told."""
    with transaction.atomic():
        held = locked_case(document.case)
        _require(actor, held)
        need_reason(reason)
        track = held.tracks.filter(pk=document.track_id).first() if document.track_id else None
        made = make_document(
            actor, held, document.kind, track, reason, measure=document.measure, referral=document.referral, serves=document.serves
        )
        _told(actor, made)
        return made


def preview(case: Case, kind: str, track: Track | None = None, serves: CaseDocument | None = None) -> dict[str, Any]:
    """What the document would say now, without a number; nothing is kept."""
    former = CaseDocument.objects.filter(case=case, kind=kind, track=track, serves=serves).order_by("-version").first()
    number, version = (former.number, former.version + 1) if former else (UNNUMBERED, 1)
    return content_of(Facts(case, track, serves=serves), kind, number, version)


def may_make(user: User, case: Case) -> Allowed | Denied:
    """Whether this person may make documents of the case: its officers, and reviewers at its place."""
    answer = may(user, MAKE, case.at)
    if isinstance(answer, Denied) or roles_at(user, case.at) & {Role.AUDIT_REVIEWER, Role.LEGAL_REVIEWER}:
        return answer
    return PRECONDITIONS["officer"].check(user, case)


def write_problems(case: Case, kind: str, track: Track | None = None, serves: CaseDocument | None = None) -> list[Problem]:
    """Why a document cannot be made by hand in the state the case is in; empty when it can."""
    known = BY_KEY.get(kind)
    if known is None:
        return [Problem("kind", kind, f"没有文书“{kind}”。", "请从清单中选择。")]
    label = known.label
    if known.by_act:
        return [Problem("kind", label, f"{label}在送达时由系统生成。", "请在程序中办理送达；送达后内容需要改动的，可以换版。")]
    problems = []
    if known.track == ANY_TRACK and (track is None or (track.state != TrackState.HEARING and not hasattr(track, "hearing"))):
        problems.append(Problem("track", "", f"{label}只在听证阶段制作，现在没有听证。", "当事人申请听证后再制作。"))
    if kind == "service_receipt":
        if serves is None or serves.case_id != case.pk or serves.kind not in SERVED:
            problems.append(Problem("serves", str(serves or ""), "没有指明送达的是哪一份文书。", "请在该文书上选择“送达回证”。"))
    elif kind in BOUND:
        problems.append(Problem("kind", label, f"{label}随监管措施或移送一并制作。", "请先登记监管措施或移送。"))
    if kind == "closing" and case.state != CaseState.CLOSED:
        problems.append(Problem("kind", label, f"案件现在是“{case.get_state_display()}”，还没有结案。", "结案后再制作。"))
    dropped = case.tracks.filter(state=TrackState.DROPPED).exists()
    if kind == "dismissal" and case.state != CaseState.DISMISSED and not dropped:
        problems.append(Problem("kind", label, "案件没有撤案，也没有不予处理的程序。", "撤案或不予处理后再制作。"))
    if kind == "registration" and not case.evidence.filter(registered_until__isnull=False).exists():
        problems.append(Problem("kind", label, "本案没有先行登记保存的证据。", "请先在证据中登记保存期限。"))
    return problems


def _require(actor: User, case: Case) -> None:
    answer = may_make(actor, case)
    if isinstance(answer, Denied):
        raise NotAllowed(answer)


def _next_number(case: Case, kind: str) -> str:
    """青医保稽告〔2026〕12号: one series per word, county and year."""
    known, year = BY_KEY[kind], timezone.localdate().year
    count = next_number(case.pooling_area, known.series(case.county.code), year)
    return f"{short_name(case.county)}医保稽{known.word}〔{year}〕{count}号"


def _returned_for(track: Track | None) -> str:
    """The reason of the return after which a notice is made again."""
    last = track.changes.filter(act__in=[Act.RETURN_RE, Act.RETURN_LEGAL]).order_by("-pk").first() if track else None
    return f"{last.get_act_display()}：{last.reason}" if last else ""


def _told(actor: User, made: CaseDocument) -> None:
    """Notice to the party of what is addressed to it, then the trail."""
    case, label = made.case, label_of(made.kind)
    words = f"{label}{made.number}第 {made.version} 版" if made.version > 1 else f"{label}{made.number}"
    if made.to_party and (made.measure is None or made.measure.sent_on):
        notify(provider(case), f"{words}已送达：案件 {case.number}。", case.get_absolute_url())
    data = {
        "document": made.pk, "kind": made.kind, "number": made.number, "version": made.version, "sha256": made.file.sha256,
        "reason": made.replaced_reason,
    }  # fmt: skip
    record(actor, MAKE, case, f"制作{words}", data, place=case.at)
