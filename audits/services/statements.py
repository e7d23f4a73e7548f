"""What the provider says on a notice: finding by finding, that it agrees, or that it wants a hearing; and the answers.

Said by the provider itself on the track it was notified of; kept as it was said, late or not. The reviewer answers each
statement once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from audits.models import Case, ProviderStatement, StatementKind, StatementReply, Track
from audits.preconditions import agreed_now
from audits.services.deadlines import end_limits
from audits.services.steps import begin, finish, name_of
from audits.services.telling import legal, officers
from audits.states import Act
from core.errors import Conflict, Problem
from core.models import StoredFile, User

OUTCOMES = {"adopted": "采纳", "partly": "部分采纳", "refused": "不采纳"}
LONGEST, POINT = 4000, 1000
SHORTEST = 4
LIMIT = "statement"
KINDS = (StatementKind.STATEMENT, StatementKind.APPEAL)


@dataclass(frozen=True)
class Point:
    """What is said of one finding (its id); an objection says why."""

    finding: int
    agrees: bool
    text: str = ""


def give_statement(
    actor: User,
    track: Track,
    *,
    text: str,
    points: Sequence[Point] = (),
    files: Sequence[StoredFile] = (),
    kind: str = StatementKind.STATEMENT,
) -> ProviderStatement:
    """State or object (陈述申辩, 申诉). Taken as long as the track waits, also after the limit: then it is marked late."""
    with transaction.atomic():
        problems = _problems(track.case, kind, text, points)
        held, step = begin(actor, track, Act.STATE, text, problems)
        objects = sum(1 for point in points if not point.agrees)
        made = _keep(actor, held, kind, text, points, files)
        words = f"，{objects} 项事实有异议" if objects else ""
        summary = f"{held.case.party}就{name_of(held)}提出{made.get_kind_display()}{'（逾期）' if made.is_late else ''}{words}。"
        data = {"statement": made.pk, "late": made.is_late, "objections": objects}
        finish(actor, held.case, step, summary, track=held, reason=text, data=data, files=files, tell=officers(held.case))
        return made


def agree(actor: User, track: Track, text: str = "", files: Sequence[StoredFile] = ()) -> ProviderStatement:
    """Say that nothing is objected to (无异议): nobody waits for the days to state any longer."""
    with transaction.atomic():
        said = text.strip() or "对告知的事实、理由、依据和处理意见无异议，不再陈述申辩。"
        points = [Point(pk, True) for pk in _findings(track.case)]
        held, step = begin(actor, track, Act.STATE, said, _length(said))
        if agreed_now(held):
            raise Conflict([Problem("kind", "无异议", f"已对{name_of(held)}表示无异议。", "不必重复提交。")])
        made = _keep(actor, held, StatementKind.AGREED, said, points, files)
        end_limits(held.case, (LIMIT,), track=held)
        summary = f"{held.case.party}对{name_of(held)}表示无异议。"
        finish(actor, held.case, step, summary, track=held, reason=said, data={"statement": made.pk}, files=files, tell=officers(held.case))
        return made


def ask_hearing(actor: User, track: Track, text: str, files: Sequence[StoredFile] = ()) -> ProviderStatement:
    """Ask for a hearing (行政处罚法 第六十四条); right and limit are preconditions of the act."""
    with transaction.atomic():
        held, step = begin(actor, track, Act.ASK_HEARING, text, _length(text))
        made = _keep(actor, held, StatementKind.HEARING, text, (), files)
        summary = f"{held.case.party}就{name_of(held)}申请听证。"
        told = [*officers(held.case), *legal(held.case)]
        finish(actor, held.case, step, summary, track=held, reason=text, data={"statement": made.pk}, files=files, tell=told)
        return made


def reply(actor: User, statement: ProviderStatement, outcome: str, text: str) -> StatementReply:
    """Answer one statement in the re-review: adopted wholly, partly or not, and why. Given once, seen by the provider."""
    with transaction.atomic():
        problems = [*_length(text, "理由")]
        if outcome not in OUTCOMES:
            problems.append(Problem("outcome", outcome, "没有选择采纳情况。", "请选择采纳、部分采纳或不采纳。"))
        held, step = begin(actor, statement.track, Act.REPLY, text, problems)
        former = StatementReply.objects.filter(statement=statement).select_related("by").first()
        if former is not None:
            told = f"{_name(statement)}已由{former.by}答复：{former.get_outcome_display()}。"
            raise Conflict([Problem("statement", str(statement.number), told, "每份意见答复一次，不能更改。")])
        made = StatementReply.objects.create(
            statement=statement, outcome=outcome, text=text.strip(), by=actor, at=timezone.now()
        )
        summary = f"答复{held.case.party}就{name_of(held)}的{_name(statement)}：{OUTCOMES[outcome]}。"
        data = {"statement": statement.pk, "reply": made.pk, "outcome": outcome}
        finish(actor, held.case, step, summary, track=held, reason=text, data=data, tell=officers(held.case))
        return made


def _keep(
    actor: User, track: Track, kind: str, text: str, points: Sequence[Point], files: Sequence[StoredFile]
) -> ProviderStatement:
    made = ProviderStatement.objects.create(
        track=track,
        number=(track.statements.aggregate(last=Max("number"))["last"] or 0) + 1,
        kind=kind,
        text=text.strip(),
        points=[{"finding": point.finding, "agrees": point.agrees, "text": point.text.strip()} for point in points],
        given_by=actor,
        given_at=timezone.now(),
        is_late=_is_late(track),
    )
    if files:
        made.files.set(files)
    return made


def _is_late(track: Track) -> bool:
    """Whether the last day to state, as it stands now, has passed."""
    limit = track.deadlines.filter(key=LIMIT).order_by("-pk").first()
    return limit is not None and timezone.localdate() > limit.last_day


def _findings(case: Case) -> dict[int, int]:
    """Standing findings: id → number."""
    return dict(case.findings.filter(dropped=False).order_by("number").values_list("pk", "number"))


def _problems(case: Case, kind: str, text: str, points: Sequence[Point]) -> list[Problem]:
    problems = [*_length(text)]
    if kind not in KINDS:
        problems.append(Problem("kind", kind, "意见类别须是陈述申辩或申诉。", "表示无异议、申请听证请用相应的办理。"))
    known, seen = _findings(case), set()
    for point in points:
        number = known.get(point.finding)
        if number is None:
            problems.append(Problem("points", str(point.finding), f"告知的事实中没有（{point.finding}）。", "请按告知书逐项填写。"))
            continue
        field = f"事实 {number}"
        if point.finding in seen:
            problems.append(Problem(field, "", f"事实 {number} 填写了两次。", "每项事实填一次意见。"))
        seen.add(point.finding)
        length = len(point.text.strip())
        if not point.agrees and length < SHORTEST:
            problems.append(Problem(field, point.text.strip(), f"对事实 {number} 有异议，没有写明理由。", f"请至少写 {SHORTEST} 个字。"))
        elif length > POINT:
            problems.append(Problem(field, point.text[:20], f"对事实 {number} 的意见超过 {POINT} 个字。", "请缩短，细节可附材料。"))
    return problems


def _length(text: str, label: str = "意见") -> list[Problem]:
    """Too short is told by the frame of the act."""
    if len(text.strip()) <= LONGEST:
        return []
    return [Problem("text", text.strip()[:20], f"{label}超过 {LONGEST} 个字。", "请缩短，细节可附材料。")]


def _name(statement: ProviderStatement) -> str:
    return f"第 {statement.number} 份意见（{statement.get_kind_display()}）"
