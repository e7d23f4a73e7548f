"""What people do with a warning: send, answer, return, accept, inquire, talk, extend, close, reopen, raise by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from core.access import Allowed, Denied, require
from core.errors import Conflict, Problem, Refused, need_reason
from core.models import County, FundType, PoolingArea, StoredFile, User
from core.models.places import Place
from monitoring.models import Level, Warning, WarningAnswer
from monitoring.parameters import ANSWER_DAYS, DECIDE_DAYS, RETURN_DAYS
from monitoring.reading.places import ref_of
from monitoring.services.raising import (
    alliance_of,
    announce,
    create_warning,
    lock_place,
    next_number,
)
from monitoring.services.rights import answerers, city_people, closers, deciders, four_eyes, right
from monitoring.services.steps import begin, due_after, finish, name_of, state_text
from monitoring.states import OPEN_STATES, ROLES, Act, transition
from rules.indicators import BY_KEY
from rules.periods import Month

RAISE_MANUAL = "monitoring.raise_manual"
SHORTEST, LONGEST = 4, 4000
TARGET, PARTICIPANTS, TITLE = 200, 500, 120
LATEST = timedelta(days=366)
EXTENSION = timedelta(days=92)


def send(actor: User, w: Warning, days: int | None = None) -> Warning:
    """Send a raised warning to the one who is to answer, with so many working days (the parameter's unless given)."""
    with transaction.atomic():
        held, step = begin(actor, w, Act.SEND)
        due = due_after(held, ANSWER_DAYS, days)
        summary = f"送达{name_of(held)}，请于 {due} 前答复。"
        fields = {"sent_at": timezone.now(), "sent_by": actor, "due_on": due, "escalations": 0}
        finish(actor, held, step, summary, until=due, tell=answerers(held), fields=fields)
        return held


def answer(
    actor: User,
    w: Warning,
    *,
    cause: str,
    measures: str,
    by_date: date | None,
    target: str = "",
    files: Sequence[StoredFile] = (),
) -> WarningAnswer:
    """Say why, what is done about it and until when. A late answer is taken and marked late."""
    with transaction.atomic():
        held, step = begin(actor, w, Act.ANSWER)
        today = timezone.localdate()
        problems = [*_text("cause", cause, "原因"), *_text("measures", measures, "措施"), *_by_date(by_date, today)]
        if len(target.strip()) > TARGET:
            problems.append(Problem("target", "", f"目标超过 {TARGET} 个字。", "请缩短，细节写入措施。"))
        if problems or by_date is None:
            raise Refused(problems)
        made = WarningAnswer.objects.create(
            warning=held,
            number=held.answers.count() + 1,
            cause=cause.strip(),
            measures=measures.strip(),
            target=target.strip(),
            by_date=by_date,
            answered_by=actor,
            answered_at=timezone.now(),
        )
        if files:
            made.files.set(files)
        late = held.due_on is not None and today > held.due_on
        due = due_after(held, DECIDE_DAYS)
        data = {"answer": made.pk, "due_before": str(held.due_on or ""), "late": late}
        summary = f"第 {made.number} 次答复{name_of(held)}{'（逾期）' if late else ''}，请于 {due} 前审定。"
        fields = {"due_on": due, "escalations": 0}
        finish(actor, held, step, summary, until=due, data=data, tell=deciders(held), fields=fields)
        return made


def withdraw(actor: User, w: Warning, reason: str) -> Warning:
    """Take an answer back before it is decided; the former deadline holds again."""
    with transaction.atomic():
        held, step = begin(actor, w, Act.WITHDRAW, reason)
        last = held.changes.filter(act=Act.ANSWER).last()
        former = str(last.data.get("due_before", "")) if last else ""
        due = date.fromisoformat(former) if former else due_after(held, ANSWER_DAYS)
        summary = f"撤回{name_of(held)}的答复：{reason.strip()}"
        fields = {"due_on": due, "escalations": 0}
        finish(actor, held, step, summary, reason=reason, until=due, tell=deciders(held), fields=fields)
        return held


def return_answer(actor: User, w: Warning, reason: str, days: int | None = None) -> Warning:
    """Give an answer back to be completed within so many working days."""
    with transaction.atomic():
        held, step = begin(actor, w, Act.RETURN, reason)
        due = due_after(held, RETURN_DAYS, days)
        summary = f"退回{name_of(held)}的答复，请于 {due} 前补充：{reason.strip()}"
        fields = {"due_on": due, "escalations": 0}
        finish(actor, held, step, summary, reason=reason, until=due, tell=answerers(held), fields=fields)
        return held


def accept(actor: User, w: Warning, reason: str = "") -> Warning:
    """Agree with an answer; from now on the measures are followed until the day it names."""
    with transaction.atomic():
        held, step = begin(actor, w, Act.ACCEPT, reason)
        last = held.answers.order_by("-number").first()
        due = last.by_date if last else None
        summary = f"采纳{name_of(held)}的答复，转整改跟踪{f'至 {due}' if due else ''}。{reason.strip()}"
        fields = {"accepted_by": actor, "due_on": due, "escalations": 0}
        finish(actor, held, step, summary, reason=reason, until=due, tell=answerers(held), fields=fields)
        return held


def inquire(
    actor: User, w: Warning, reason: str, until: date | None, files: Sequence[StoredFile] = ()
) -> Warning:
    """Keep that a letter of inquiry went out, what it asks and until when."""
    with transaction.atomic():
        held, step = begin(actor, w, Act.INQUIRE, reason)
        today = timezone.localdate()
        if until is None or not today <= until <= today + LATEST:
            text = f"发函的答复期限{f' {until} ' if until else ''}{'不在今天起一年之内' if until else '没有填写'}。"
            raise Refused([Problem("until", str(until or ""), text, "请填今天以后一年以内的日期。")])
        summary = f"就{name_of(held)}发函询问，请于 {until} 前复函：{reason.strip()}"
        finish(actor, held, step, summary, reason=reason, until=until, files=files, tell=answerers(held))
        return held


def talk(
    actor: User,
    w: Warning,
    reason: str,
    held_on: date | None,
    participants: str,
    files: Sequence[StoredFile] = (),
) -> Warning:
    """Keep that somebody was talked to: when, who took part, what about."""
    with transaction.atomic():
        held, step = begin(actor, w, Act.TALK, reason)
        today, people = timezone.localdate(), participants.strip()
        problems = []
        if held_on is None or not today - LATEST <= held_on <= today:
            text = "没有填写约谈日期。" if held_on is None else f"约谈日期 {held_on} 不在过去一年之内。"
            problems.append(Problem("held_on", str(held_on or ""), text, "请填实际约谈的日期，约谈后再记录。"))
        if not people or len(people) > PARTICIPANTS:
            text = f"参加人员超过 {PARTICIPANTS} 个字。" if people else "没有填写参加人员。"
            problems.append(Problem("participants", people[:20], text, "请写明双方参加人员的姓名和职务。"))
        if problems:
            raise Refused(problems)
        summary = f"就{name_of(held)}约谈（{held_on}）：{reason.strip()}"
        data = {"held_on": str(held_on), "participants": people}
        finish(actor, held, step, summary, reason=reason, data=data, files=files, tell=answerers(held))
        return held


def extend(actor: User, w: Warning, until: date | None, reason: str) -> Warning:
    """Give more time to answer."""
    with transaction.atomic():
        held, step = begin(actor, w, Act.EXTEND, reason)
        today = timezone.localdate()
        problems = []
        if until is None:
            problems.append(Problem("until", "", "没有填写新的期限。", "请填写日期。"))
        elif until < today or (held.due_on is not None and until <= held.due_on):
            text = f"新的期限 {until} 不晚于现在的期限 {held.due_on} 或已经过去。"
            problems.append(Problem("until", str(until), text, "请填更晚的日期。"))
        elif until > today + EXTENSION:
            text = f"新的期限 {until} 距今超过 {EXTENSION.days} 日。"
            problems.append(Problem("until", str(until), text, "请填较近的日期，到期仍需要时再延长。"))
        if problems:
            raise Refused(problems)
        summary = f"{name_of(held)}答复期限由 {held.due_on} 延至 {until}：{reason.strip()}"
        fields = {"due_on": until, "escalations": 0}
        finish(actor, held, step, summary, reason=reason, until=until, tell=answerers(held), fields=fields)
        return held


def report(actor: User, w: Warning, reason: str) -> Warning:
    """A county reports a warning of its fund to the city (the system does so by itself on distress)."""
    with transaction.atomic():
        held, step = begin(actor, w, Act.REPORT)
        need_reason(reason)
        summary = f"上报{name_of(held)}：{reason.strip()}"
        finish(actor, held, step, summary, reason=reason, tell=city_people(held))
        return held


def close(actor: User, w: Warning, reason: str) -> Warning:
    """A reviewer lifts the warning: the figure has recovered, or for a reason that is kept."""
    with transaction.atomic():
        held, step = begin(actor, w, Act.CLOSE, reason)
        why = "指标已恢复" if held.recovered else "指标尚未恢复"
        words = "：" + reason.strip() if reason.strip() else ""
        summary = f"解除{name_of(held)}（{why}）{words}"
        fields = {"closed_at": timezone.now(), "closed_by": actor, "due_on": None}
        tell = answerers(held) if held.sent_at else deciders(held)
        data = {"recovered": held.recovered}
        finish(actor, held, step, summary, reason=reason, data=data, tell=tell, fields=fields)
        return held


def reopen(actor: User, w: Warning, reason: str) -> Warning:
    """Ask anew about a closed warning, unless the same cause has a newer open one."""
    with transaction.atomic():
        lock_place(w.county or w.pooling_area)
        held, step = begin(actor, w, Act.REOPEN, reason)
        other = Warning.objects.open().filter(place=held.place, fund_type=held.fund_type, cause=held.cause).first()
        if other is not None:
            text = f"同一事项已有未解除的预警 {other.number}（{other.get_state_display()}）。"
            raise Conflict([Problem("state", other.get_state_display(), text, "请在那一条预警上继续办理。")])
        due = due_after(held, ANSWER_DAYS)
        now = timezone.now()
        fields: dict[str, Any] = {
            "closed_at": None, "closed_by": None, "accepted_by": None, "recovered": False, "due_on": due, "escalations": 0,
            "sent_at": held.sent_at or now, "sent_by": held.sent_by or actor,
        }  # fmt: skip
        summary = f"重新打开{name_of(held)}，请于 {due} 前答复：{reason.strip()}"
        finish(actor, held, step, summary, reason=reason, until=due, tell=answerers(held), fields=fields)
        return held


def raise_manual(
    actor: User, place: Place, fund_type: str, title: str, level: str, reason: str, indicator: str = ""
) -> Warning:
    """An officer raises a warning that no threshold gave; it goes its way like any other."""
    require(actor, RAISE_MANUAL, place)
    problems = []
    if fund_type not in FundType.values:
        problems.append(Problem("fund_type", fund_type, "没有选择险种。", "请选择居民或职工。"))
    if level not in Level.values:
        problems.append(Problem("level", level, "没有选择等级。", "请选择黄、橙或红。"))
    if not title.strip() or len(title.strip()) > TITLE:
        text = f"事由超过 {TITLE} 个字。" if title.strip() else "没有填写事由。"
        problems.append(Problem("title", title.strip()[:20], text, "请用一句话写明什么异常。"))
    if indicator and indicator not in BY_KEY:
        problems.append(Problem("indicator", indicator, f"没有“{indicator}”这个指标。", "请从列表中选择，或留空。"))
    if len(reason.strip()) < SHORTEST:
        problems.append(Problem("reason", reason.strip(), "没有写明情况。", f"请至少写 {SHORTEST} 个字。"))
    if problems:
        raise Refused(problems)
    with transaction.atomic():
        ref = ref_of(place)
        lock_place(place if isinstance(place, PoolingArea | County) else place.county)
        today = timezone.localdate()
        number = next_number(ref, fund_type, today)
        cause = indicator or f"manual-{today.year}-{number.rsplit('-', 1)[1]}"
        other = Warning.objects.open().filter(place=ref.key, fund_type=fund_type, cause=cause).first()
        if other is not None:
            text = f"同一事项已有未解除的预警 {other.number}（{other.get_state_display()}）。"
            raise Conflict([Problem("indicator", indicator, text, "请在那一条预警上继续办理。")])
        w = create_warning(
            ref,
            alliance_of(ref, today),
            number=number,
            source="manual",
            fund_type=fund_type,
            cause=cause,
            indicator=indicator,
            title=title.strip(),
            level=level,
            month=Month.of(today),
        )
        announce(actor, w, f"人工发起{name_of(w)}：{reason.strip()}", reason=reason, tell=())
        return w


def allowed_acts(user: User, w: Warning) -> dict[Act, Allowed | Denied]:
    """Every act of people with whether this one may do it now, or why not: what the panel shows."""
    found: dict[Act, Allowed | Denied] = {}
    for name in ROLES:
        act = Act(name)
        allowed = right(user, w, act)
        if allowed and transition(w.state, act) is None:
            allowed = Denied(state_text(w, act))
        found[act] = four_eyes(user, w, act) if allowed else allowed
    return found


def waiting_for(w: Warning) -> list[User]:
    """Whose turn it is."""
    from monitoring.states import WAITING_FOR_HOSPITAL, WarningState

    if w.state in WAITING_FOR_HOSPITAL:
        return answerers(w)
    if w.state in (WarningState.RAISED, WarningState.ANSWERED):
        return deciders(w)
    return closers(w) if w.state in OPEN_STATES else []


def _text(name: str, given: str, label: str) -> list[Problem]:
    length = len(given.strip())
    if SHORTEST <= length <= LONGEST:
        return []
    text = f"{label}超过 {LONGEST} 个字。" if length > LONGEST else f"没有写明{label}。"
    return [Problem(name, given.strip()[:20], text, f"请写 {SHORTEST}–{LONGEST} 个字，说明具体情况。")]


def _by_date(by_date: date | None, today: date) -> list[Problem]:
    if by_date is None:
        return [Problem("by_date", "", "没有填写完成日期。", "请填写措施完成的日期。")]
    if not today <= by_date <= today + LATEST:
        return [Problem("by_date", str(by_date), f"完成日期 {by_date} 已过去或超过一年。", "请填今天以后一年以内的日期。")]
    return []
