"""Findings: made by the officers from the catalogue of acts; dropped or reduced by the reviews, never raised again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from audits.models import Case, Evidence, Finding, FindingLine, PartyKind, Track
from audits.reading.evidence import WITHDRAWN
from audits.reading.findings import DECIDED_TRACKS, act_label, sums
from audits.services.steps import begin, carrier, failing, finish, right
from audits.states import Act, CaseState, TrackState, Transition, transition
from core.access import Denied, NotAllowed, may, require
from core.errors import Conflict, Problem, Refused, need_reason
from core.models import User
from core.trail import record
from rules.money import ZERO, round_fen
from rules.penalties import ACT_BY_KEY, ACTS, AGENCY, PERSON, PROVIDER, acts_for
from rules.penalties import Act as Violation

OPEN = "audits.open_lines"
TEXT, CLAUSE, REASON = 4000, 200, 300
SHORTEST = 4
PARTIES = {PartyKind.PROVIDER: PROVIDER, PartyKind.PERSON: PERSON, PartyKind.AGENCY: AGENCY, PartyKind.PHYSICIAN: PROVIDER}


def violations(case: Case) -> tuple[Violation, ...]:
    """The acts the case's party can commit; all of them for parties the catalogue does not know."""
    party = PARTIES.get(PartyKind(case.party_kind))
    return acts_for(party) if party else ACTS


def make_finding(
    actor: User,
    case: Case,
    *,
    act: str,
    text: str,
    acted_from: date | None,
    acted_to: date | None,
    clause: str = "",
    evidence: Collection[int] = (),
) -> Finding:
    """Say what was violated, when and on which evidence (ids); the clause is the catalogue's unless given."""
    with transaction.atomic():
        held, step = begin(actor, case, Act.FIND)
        problems = _act_problems(held, act)
        clause = clause.strip() or (ACT_BY_KEY[act].clause if act in ACT_BY_KEY else "")
        pieces, faults = _evidence(held, evidence)
        problems += [*_said(text, clause), *_acted(acted_from, acted_to), *faults]
        if problems or acted_from is None or acted_to is None:
            raise Refused(problems)
        made = Finding.objects.create(
            case=held,
            number=(held.findings.aggregate(last=Max("number"))["last"] or 0) + 1,
            act=act,
            clause=clause,
            text=text.strip(),
            acted_from=acted_from,
            acted_to=acted_to,
            made_by=actor,
            made_at=timezone.now(),
        )
        made.evidence.set(pieces)
        summary = f"案件 {held.number} 认定事实 {made.number}：{act_label(act)}（{acted_from} 至 {acted_to}，{clause}）"
        finish(actor, held, step, summary, data={"finding": made.pk, "evidence": [piece.number for piece in pieces]})
        return made


def amend_finding(
    actor: User,
    finding: Finding,
    *,
    act: str,
    text: str,
    acted_from: date | None,
    acted_to: date | None,
    clause: str = "",
    evidence: Collection[int] = (),
) -> Finding:
    """Word a finding anew or stand it on other evidence while the case is investigated; the former text stays in the course."""
    with transaction.atomic():
        held, step = begin(actor, finding.case, Act.FIND)
        row = kept_finding(held, finding)
        clause = clause.strip() or (ACT_BY_KEY[act].clause if act in ACT_BY_KEY else "")
        pieces, faults = _evidence(held, evidence)
        problems = [*_act_problems(held, act), *_said(text, clause), *_acted(acted_from, acted_to), *faults]
        if problems or acted_from is None or acted_to is None:
            raise Refused(problems)
        before = {"act": row.act, "clause": row.clause, "text": row.text, "from": str(row.acted_from), "to": str(row.acted_to),
                  "evidence": list(row.evidence.order_by("number").values_list("number", flat=True))}  # fmt: skip
        row.act, row.clause, row.text, row.acted_from, row.acted_to = act, clause, text.strip(), acted_from, acted_to
        row.save(update_fields=["act", "clause", "text", "acted_from", "acted_to"])
        row.evidence.set(pieces)
        summary = f"案件 {held.number} 修改事实 {row.number}：{act_label(act)}（{acted_from} 至 {acted_to}，{clause}）"
        finish(actor, held, step, summary, data={"finding": row.pk, "before": before})
        return row


def drop_finding(actor: User, finding: Finding, reason: str) -> Finding:
    """Let a finding fall with all its lines: its officers while they investigate, a review afterwards."""
    with transaction.atomic():
        held, thing, step = trimming(actor, finding.case, reason)
        row = kept_finding(held, finding)
        _short_reason(reason)
        amount = next(one.total for one in sums(held).rows if one.finding.pk == row.pk)
        if _only_penalty(held, thing):
            return _spare_finding(actor, held, thing, step, row, reason)
        row.dropped, row.dropped_reason = True, reason.strip()
        row.save(update_fields=["dropped", "dropped_reason"])
        summary = f"案件 {held.number} 不予认定事实 {row.number}（{act_label(row.act)}，{amount} 元）：{reason.strip()}"
        finish(actor, held, step, summary, track=thing, reason=reason, data={"finding": row.pk, "amount": str(amount)})
        return row


def drop_lines(actor: User, case: Case, lines: Collection[int], reason: str) -> int:
    """Take claim rows (ids of lines) out of a case with a reason; returns how many. All of them or none."""
    with transaction.atomic():
        held, thing, step = trimming(actor, case, reason)
        _short_reason(reason)
        rows = _kept_lines(held, lines)
        if _only_penalty(held, thing):
            return _spare_lines(actor, held, thing, step, rows, ZERO, reason)
        now = timezone.now()
        for row in rows:
            row.dropped_at, row.dropped_by, row.dropped_reason = now, actor, reason.strip()
        FindingLine.objects.bulk_update(rows, ["dropped_at", "dropped_by", "dropped_reason"], batch_size=300)
        amount = sum((row.amount for row in rows), Decimal("0.00"))
        summary = f"案件 {held.number} 剔除 {len(rows)} 行结算记录，共 {amount} 元：{reason.strip()}"
        finish(actor, held, step, summary, track=thing, reason=reason, data={"lines": [row.pk for row in rows], "amount": str(amount)})
        return len(rows)


def lower_line(actor: User, line: FindingLine, amount: Decimal | None, reason: str) -> FindingLine:
    """Find less money on a claim row; nobody raises it again once the case was submitted."""
    with transaction.atomic():
        held, thing, step = trimming(actor, line.finding.case, reason)
        _short_reason(reason)
        row = _kept_lines(held, [line.pk])[0]
        spares = _only_penalty(held, thing)
        counted = row.amount if not spares or row.penalty_amount is None else row.penalty_amount
        if amount is None or not _lower(amount, counted):
            text = f"核减后的金额须大于 0、小于现认定的 {counted} 元，最多两位小数。"
            raise Refused([Problem("amount", str(amount or ""), text, "全部不认定的，请剔除这一行。")])
        if spares:
            _spare_lines(actor, held, thing, step, [row], amount, reason)
            return row
        before, row.amount = row.amount, amount
        row.save(update_fields=["amount"])
        summary = f"案件 {held.number} 结算单 {row.settlement_id} 认定金额由 {before} 元核减为 {amount} 元：{reason.strip()}"
        data = {"lines": [row.pk], "before": str(before), "after": str(amount)}
        finish(actor, held, step, summary, track=thing, reason=reason, data=data)
        return row


@transaction.atomic
def note_lines_opened(actor: User, case: Case, what: str) -> None:
    """Say who looked at claim rows of a case (R-068); ``what`` names them in words."""
    require(actor, OPEN, case.at)
    record(actor, OPEN, case, f"查看案件 {case.number} {what}", place=case.at)


def may_open_lines(user: User, case: Case) -> bool:
    """Whether the user's post allows looking at single claim rows of the case."""
    return bool(may(user, OPEN, case.at))


def may_now(user: User, thing: Case | Track, act: str) -> bool:
    """Whether the user may do an act on the case or track as it stands, without asking about all the other acts."""
    row = transition(carrier(thing), thing.state, act)
    return row is not None and bool(right(user, thing, act)) and not failing(user, thing, row, glance=True)


def require_trim(actor: User, case: Case) -> None:
    """Refuse whoever has no post that takes anything out of a case, before anything of it is read or typed."""
    answer = right(actor, case, Act.TRIM) or right(actor, case, Act.FIND)
    if isinstance(answer, Denied):
        raise NotAllowed(answer)


def trimming(actor: User, case: Case, reason: str) -> tuple[Case, Track | None, Transition]:
    """Whose turn it is to take something out of a case, locked: its officers, the first reviewer, or a re-reviewer.

    Returns the case, the track whose re-review it is, and the step. Once the money is decided the penalty's re-review
    takes out of the penalty only (``_only_penalty``); else any decision on the case freezes what was found.
    """
    case = Case.objects.with_places().get(pk=case.pk)  # the caller's may be stale; the act itself checks again under the lock
    require_trim(actor, case)
    need_reason(reason)
    if case.state in (CaseState.INVESTIGATING, CaseState.FIRST_REVIEW):
        held, step = begin(actor, case, Act.FIND if case.state == CaseState.INVESTIGATING else Act.TRIM, reason)
        return held, None, step
    tracks = list(case.tracks.order_by("-holds_money", "pk"))
    decided = next((track for track in tracks if track.state in DECIDED_TRACKS), None)
    reviewed = next((track for track in tracks if track.state == TrackState.RE_REVIEW), None)
    if decided is not None and not (decided.holds_money and reviewed is not None):
        text = f"案件 {case.number} 的{decided.get_kind_display()}已作出决定，认定的事实和金额不再变动。"
        raise Conflict([Problem("state", decided.get_state_display(), text, "决定有误的，请通过复议或撤销决定处理。")])
    if reviewed is None:
        text = f"案件 {case.number} 现在是“{case.get_state_display()}”，认定只能在调查、初审或复审中剔除、核减。"
        raise Conflict([Problem("state", case.get_state_display(), text, "请在复审时办理。")])
    track, step = begin(actor, reviewed, Act.TRIM, reason)
    return track.case, track, step


def _only_penalty(case: Case, track: Track | None) -> bool:
    """Whether a re-review can only lessen the penalty: the money of the findings was decided on the other way."""
    return track is not None and not track.holds_money and money_decided(case)


def money_decided(case: Case) -> bool:
    """Whether what a case found was decided: from then on a re-review only lessens the penalty."""
    return case.tracks.filter(holds_money=True, state__in=DECIDED_TRACKS).exists()


def _spare_finding(
    actor: User, case: Case, track: Track | None, step: Transition, row: Finding, reason: str
) -> Finding:
    if row.spared:
        raise Conflict([Problem("finding", str(row.number), f"事实 {row.number} 已不计入处罚。", "请刷新页面查看最新情况。")])
    row.spared = True
    row.save(update_fields=["spared"])
    summary = f"案件 {case.number} 事实 {row.number}（{act_label(row.act)}）不计入处罚，已决定的基金损失不变：{reason.strip()}"
    finish(actor, case, step, summary, track=track, reason=reason, data={"finding": row.pk, "spared": True})
    return row


def _spare_lines(
    actor: User, case: Case, track: Track | None, step: Transition, rows: Sequence[FindingLine], amount: Decimal, reason: str
) -> int:
    """Leave ``amount`` yuan of each line for the fine; what was decided of it stays."""
    for row in rows:
        row.penalty_amount = amount
    FindingLine.objects.bulk_update(rows, ["penalty_amount"], batch_size=300)
    words = f"{len(rows)} 行结算记录不再计入处罚" if not amount else f"结算单 {rows[0].settlement_id} 计入处罚的金额核减为 {amount} 元"
    summary = f"案件 {case.number} {words}，已决定的基金损失不变：{reason.strip()}"
    data = {"lines": [row.pk for row in rows], "penalty_amount": str(amount)}
    finish(actor, case, step, summary, track=track, reason=reason, data=data)
    return len(rows)


def _lower(amount: Decimal, counted: Decimal) -> bool:
    """Whether an amount of at most two decimals lies between nothing and what counts now."""
    return amount.is_finite() and ZERO < amount < counted and amount == round_fen(amount)


def kept_finding(case: Case, finding: Finding) -> Finding:
    """The finding as it stands now, of a locked case; ``Conflict`` when it was dropped."""
    row: Finding = case.findings.get(pk=finding.pk)
    if row.dropped:
        text = f"事实 {row.number} 已不予认定：{row.dropped_reason}"
        raise Conflict([Problem("finding", str(row.number), text, "请刷新页面查看最新情况。")])
    return row


def _kept_lines(case: Case, lines: Collection[int]) -> list[FindingLine]:
    wanted = set(lines)
    rows = list(FindingLine.objects.kept().filter(finding__case=case, pk__in=wanted).order_by("pk"))
    if not wanted:
        raise Refused([Problem("lines", "", "没有选择结算记录。", "请勾选要剔除的行。")])
    if len(rows) != len(wanted):
        text = f"选择的 {len(wanted)} 行中有 {len(wanted) - len(rows)} 行已被剔除或不属于本案。"
        raise Conflict([Problem("lines", str(len(wanted)), text, "请刷新页面后重新选择。")])
    return rows


def _short_reason(reason: str) -> None:
    if len(reason.strip()) > REASON:
        raise Refused([Problem("reason", reason.strip()[:20], f"理由超过 {REASON} 个字。", "请缩短。")])


def _act_problems(case: Case, act: str) -> list[Problem]:
    if act in {one.key for one in violations(case)}:
        return []
    text = f"“{act_label(act)}”不是{case.get_party_kind_display()}的违规行为。" if act in ACT_BY_KEY else "没有选择违规行为。"
    return [Problem("act", act, text, "请从目录中选择。")]


def _said(text: str, clause: str) -> list[Problem]:
    problems = []
    length = len(text.strip())
    if not SHORTEST <= length <= TEXT:
        told = "没有写明事实。" if length < SHORTEST else f"事实超过 {TEXT} 个字。"
        problems.append(Problem("text", text.strip()[:20], told, f"请写 {SHORTEST}–{TEXT} 个字，说明时间、行为和后果。"))
    if not clause or len(clause) > CLAUSE:
        told = f"条款超过 {CLAUSE} 个字。" if clause else "没有写明违反的条款。"
        problems.append(Problem("clause", clause[:20], told, "请写明法规名称和条、款、项。"))
    return problems


def _acted(first: date | None, last: date | None) -> list[Problem]:
    problems = []
    for field, label, day in (("acted_from", "行为起", first), ("acted_to", "行为止", last)):
        if day is None:
            problems.append(Problem(field, "", f"没有填写{label}日期。", "请填违规行为发生的日期。"))
        elif day > timezone.localdate():
            problems.append(Problem(field, str(day), f"{label}日期 {day} 还没有到。", "请填违规行为发生的日期。"))
    if first is not None and last is not None and last < first:
        problems.append(Problem("acted_to", str(last), f"行为止 {last} 早于行为起 {first}。", "请改正日期。"))
    return problems


def _evidence(case: Case, wanted: Collection[int]) -> tuple[list[Evidence], list[Problem]]:
    """The pieces by number; faults name those of other cases and those withdrawn."""
    found = {piece.pk: piece for piece in case.evidence.filter(pk__in=list(wanted)).prefetch_related("notes")}
    problems: list[Problem] = []
    for pk in wanted:
        piece: Any = found.get(pk)
        if piece is None:
            problems.append(Problem("evidence", str(pk), f"证据（{pk}）不属于本案。", "请从本案证据中选择。"))
        elif any(note.kind == WITHDRAWN for note in piece.notes.all()):
            problems.append(Problem("evidence", str(piece), f"{piece}已不再采用。", "请选择其他证据。"))
    return sorted(found.values(), key=lambda piece: piece.number), problems
