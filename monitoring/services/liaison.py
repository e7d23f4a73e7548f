"""Meetings between bureau and hospital, their follow-ups, and data given by one side to the other (R-067)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone

from core.access import Denied, NotAllowed, different_person, holders, require, roles_at
from core.errors import Conflict, Problem, Refused, need_reason
from core.files import store_evidence
from core.models import Alliance, Role, User
from core.notices import notify
from core.trail import record
from monitoring.models.liaison import (
    DataSupply,
    FollowUpState,
    LiaisonMeeting,
    MeetingFollowUp,
    MeetingState,
    Side,
    SupplyKind,
    SupplyState,
)

RECORD, CONFIRM = "monitoring.record_meeting", "monitoring.confirm_meeting"
FOLLOW, SUPPLY = "monitoring.meeting_follow_up", "monitoring.supply_data"
ROLE_OF = {Side.BUREAU: Role.FUND_OFFICER, Side.HOSPITAL: Role.HOSPITAL_FINANCE}
NEEDED = {
    "place": "地点", "bureau_people": "医保局参加人", "hospital_people": "医共体参加人", "agenda": "议题",
    "decisions": "议定事项",
}  # fmt: skip
LONGEST = {"place": 120, "bureau_people": 300, "hospital_people": 300, "agenda": 4000, "decisions": 4000}
"""Most signs of a text; more is refused by name."""


def record_meeting(actor: User, alliance: Alliance, values: Mapping[str, Any], upload: Any = None) -> LiaisonMeeting:
    """Write down a meeting that took place; the hospital is asked to confirm it."""
    require(actor, RECORD, alliance)
    _refuse(_meeting_problems(values))
    with transaction.atomic():
        stored = store_evidence(upload, "meeting", actor) if upload else None
        made = LiaisonMeeting.objects.create(
            alliance=alliance, held_on=values["held_on"], entered_by=actor, file=stored,
            **{name: str(values[name]).strip() for name in NEEDED},
        )  # fmt: skip
        text = f"登记{made}，请医共体确认"
        notify(holders({Role.HOSPITAL_FINANCE}, alliance), text, made.get_absolute_url())
        record(actor, RECORD, made, text, {"sha256": stored.sha256 if stored else ""}, place=alliance)
        return made


def revise_meeting(actor: User, meeting: LiaisonMeeting, values: Mapping[str, Any], upload: Any = None) -> LiaisonMeeting:
    """Correct what is not confirmed yet, most often after an objection; the hospital is asked again."""
    require(actor, RECORD, meeting.alliance)
    _refuse(_meeting_problems(values))
    with transaction.atomic():
        held = _locked_meeting(meeting)
        _need_unconfirmed(held)
        before = {name: str(getattr(held, name)) for name in ("held_on", *NEEDED)}
        held.held_on, held.state = values["held_on"], MeetingState.RECORDED
        for name in NEEDED:
            setattr(held, name, str(values[name]).strip())
        if upload:
            held.file = store_evidence(upload, "meeting", actor)
        held.save(update_fields=["held_on", "state", "file", *NEEDED])
        text = f"更正{held}，请医共体确认"
        notify(holders({Role.HOSPITAL_FINANCE}, held.alliance), text, held.get_absolute_url())
        record(actor, RECORD, held, text, {"before": before}, place=held.alliance)
        return held


def confirm_meeting(actor: User, meeting: LiaisonMeeting) -> LiaisonMeeting:
    """The hospital agrees with what was written down."""
    _require_hospital(actor, meeting)
    return _decide(actor, meeting, MeetingState.CONFIRMED, "")


def object_to_meeting(actor: User, meeting: LiaisonMeeting, objection: str) -> LiaisonMeeting:
    """The hospital says what is wrong in it."""
    _require_hospital(actor, meeting)
    need_reason(objection)
    return _decide(actor, meeting, MeetingState.OBJECTED, objection.strip())


def add_follow_up(actor: User, meeting: LiaisonMeeting, values: Mapping[str, Any]) -> MeetingFollowUp:
    """Something one side is to do by a day."""
    require(actor, RECORD, meeting.alliance)
    problems = []
    text, person, side, due_on = (values.get(name) for name in ("text", "person", "side", "due_on"))
    if not str(text or "").strip():
        problems.append(Problem("text", "", "没有填写事项。", "请写明要办的事。"))
    if not str(person or "").strip():
        problems.append(Problem("person", "", "没有填写责任人。", "请写姓名。"))
    problems += [*_too_long("text", "事项", text, 300), *_too_long("person", "责任人", person, 60)]
    if side not in Side.values:
        problems.append(Problem("side", str(side or ""), "没有选择责任方。", "请选医保局或医共体。"))
    if not isinstance(due_on, date) or due_on < meeting.held_on:
        problems.append(Problem("due_on", str(due_on or ""), "期限没有填写，或早于会议日期。", "请改正日期。"))
    if problems or due_on is None:
        raise Refused(problems)
    with transaction.atomic():
        made = MeetingFollowUp.objects.create(
            meeting=meeting, text=str(text).strip(), person=str(person).strip(), side=str(side), due_on=due_on
        )
        told = f"{meeting}待办：{made.text}（{made.get_side_display()} {made.person}，{made.due_on} 前）"
        notify(_other(holders({ROLE_OF[Side(made.side)]}, meeting.alliance), actor), told, meeting.get_absolute_url())
        record(actor, FOLLOW, meeting, told, {"follow_up": made.pk}, place=meeting.alliance)
        return made


def finish_follow_up(actor: User, follow_up: MeetingFollowUp, result: str) -> MeetingFollowUp:
    """Done, with what was done; by somebody of the side that owes it."""
    alliance = follow_up.meeting.alliance
    require(actor, FOLLOW, alliance)
    need_reason(result, "result")
    with transaction.atomic():
        held = MeetingFollowUp.objects.select_for_update(of=("self",), no_key=True).select_related("meeting").get(
            pk=follow_up.pk
        )
        if side_of(actor, alliance) != held.side:
            raise NotAllowed(Denied(f"这项待办由{held.get_side_display()}（{held.person}）办理，不能由对方办结。"))
        if held.state == FollowUpState.DONE:
            raise Conflict([Problem("state", "已办结", "这项待办已办结。", "请刷新页面查看。")])
        held.state, held.result, held.done_by, held.done_at = FollowUpState.DONE, result.strip(), actor, timezone.now()
        held.save(update_fields=["state", "result", "done_by", "done_at"])
        text = f"办结{held.meeting}待办：{held.text}"
        everybody = holders({Role.FUND_OFFICER, Role.HOSPITAL_FINANCE}, alliance)
        notify(_other(everybody, actor), text, held.meeting.get_absolute_url())
        record(actor, FOLLOW, held.meeting, text, {"follow_up": held.pk, "result": held.result}, place=alliance)
        return held


def supply_data(actor: User, alliance: Alliance, values: Mapping[str, Any], upload: Any = None) -> DataSupply:
    """Give data to the other side: a file or a link. The giver's side is that of the actor's post."""
    require(actor, SUPPLY, alliance)
    giver = side_of(actor, alliance)
    title, period, link = (str(values.get(name) or "").strip() for name in ("title", "period", "link"))
    problems = []
    if values.get("kind") not in SupplyKind.values:
        problems.append(Problem("kind", str(values.get("kind") or ""), "没有选择类别。", "请选择。"))
    if not title:
        problems.append(Problem("title", "", "没有填写内容。", "请写明是什么数据。"))
    if not period:
        problems.append(Problem("period", "", "没有填写所属期间。", "例如 2026-05 或 2026Q2。"))
    if not upload and not link:
        problems.append(Problem("file", "", "没有文件，也没有链接。", "请上传文件，或填写链接、取数位置。"))
    problems += [*_too_long("title", "内容", title, 160), *_too_long("period", "所属期间", period, 40)]
    problems += [*_too_long("link", "链接", link, 300), *_too_long("note", "说明", values.get("note"), 300)]
    if "://" in link and not link.startswith(("http://", "https://")):
        problems.append(Problem("link", link, "链接只能以 http:// 或 https:// 开头。", "请改正，或写明取数位置。"))
    _refuse(problems)
    with transaction.atomic():
        stored = store_evidence(upload, "supply", actor) if upload else None
        made = DataSupply.objects.create(
            alliance=alliance, giver=giver, kind=values["kind"], title=title, period=period, link=link, file=stored,
            sent_by=actor, sent_at=timezone.now(), note=str(values.get("note") or "").strip(),
        )  # fmt: skip
        text = f"{made}，请签收"
        notify(holders({ROLE_OF[Side(made.taker)]}, alliance), text, made.get_absolute_url())
        record(actor, SUPPLY, made, text, {"sha256": stored.sha256 if stored else "", "link": link}, place=alliance)
        return made


def receive_data(actor: User, supply: DataSupply) -> DataSupply:
    """The other side acknowledges that it has the data."""
    require(actor, SUPPLY, supply.alliance)
    with transaction.atomic():
        held = _open_supply(supply)
        if side_of(actor, held.alliance) != held.taker:
            raise NotAllowed(Denied(f"这份数据由{held.get_giver_display()}提供，须由{Side(held.taker).label}签收。"))
        different_person(actor, held.sent_by, str(held))
        held.state, held.received_by, held.received_at = SupplyState.RECEIVED, actor, timezone.now()
        held.save(update_fields=["state", "received_by", "received_at"])
        text = f"已签收：{held}"
        notify([held.sent_by], text, held.get_absolute_url())
        record(actor, SUPPLY, held, text, place=held.alliance)
        return held


def withdraw_data(actor: User, supply: DataSupply, reason: str) -> DataSupply:
    """The giver takes back what was given by mistake and not acknowledged yet."""
    require(actor, SUPPLY, supply.alliance)
    need_reason(reason)
    with transaction.atomic():
        held = _open_supply(supply)
        if side_of(actor, held.alliance) != held.giver:
            raise NotAllowed(Denied(f"这份数据由{held.get_giver_display()}提供，只能由提供方撤回。"))
        held.state, held.note = SupplyState.WITHDRAWN, reason.strip()[:300]
        held.save(update_fields=["state", "note"])
        text = f"撤回：{held}，理由：{reason.strip()}"
        notify(holders({ROLE_OF[Side(held.taker)]}, held.alliance), text, held.get_absolute_url())
        record(actor, SUPPLY, held, text, place=held.alliance)
        return held


def note_opened(actor: User, subject: LiaisonMeeting | DataSupply) -> None:
    """Who took the file out of the system."""
    with transaction.atomic():
        name = subject.file.name if subject.file else ""
        record(actor, "core.export", subject, f"下载 {name}", place=subject.alliance)


def side_of(user: User, alliance: Alliance) -> str:
    """For which side the user acts at the alliance: the bureau's officer, else the hospital."""
    return Side.BUREAU if Role.FUND_OFFICER in roles_at(user, alliance) else Side.HOSPITAL


def _meeting_problems(values: Mapping[str, Any]) -> list[Problem]:
    problems = [
        Problem(name, "", f"没有填写{label}。", "请填写。")
        for name, label in NEEDED.items()
        if not str(values.get(name) or "").strip()
    ]
    for name, label in NEEDED.items():
        problems += _too_long(name, label, values.get(name), LONGEST[name])
    held_on = values.get("held_on")
    if not isinstance(held_on, date):
        problems.append(Problem("held_on", str(held_on or ""), "没有填写会议日期。", "请填写。"))
    elif held_on > timezone.localdate():
        problems.append(Problem("held_on", str(held_on), "会议日期在今天之后。", "会议开过以后再登记。"))
    return problems


def _too_long(name: str, label: str, given: Any, most: int) -> list[Problem]:
    text = str(given or "").strip()
    return [Problem(name, text[:20], f"{label}有 {len(text)} 个字，最多 {most} 个字。", "请缩短。")] if len(text) > most else []


def _require_hospital(actor: User, meeting: LiaisonMeeting) -> None:
    """Who acts for the bureau at the alliance does not also speak for the hospital, whatever other post she holds."""
    require(actor, CONFIRM, meeting.alliance)
    if side_of(actor, meeting.alliance) != Side.HOSPITAL:
        raise NotAllowed(Denied("会议由医保局登记，须由医共体的人员确认或提出异议，您在此处也任基金经办，不能代医共体办理。"))


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise Refused(problems)


def _locked_meeting(meeting: LiaisonMeeting) -> LiaisonMeeting:
    return LiaisonMeeting.objects.select_for_update(of=("self",), no_key=True).with_places().get(pk=meeting.pk)


def _need_unconfirmed(held: LiaisonMeeting) -> None:
    if held.state == MeetingState.CONFIRMED:
        raise Conflict([Problem("state", "已确认", f"{held}已由{held.decided_by}确认，不能再改。", "请另行登记一次会议。")])


def _decide(actor: User, meeting: LiaisonMeeting, state: str, objection: str) -> LiaisonMeeting:
    with transaction.atomic():
        held = _locked_meeting(meeting)
        _need_unconfirmed(held)
        different_person(actor, held.entered_by, str(held))
        held.state, held.objection, held.decided_by, held.decided_at = state, objection, actor, timezone.now()
        held.save(update_fields=["state", "objection", "decided_by", "decided_at"])
        text = f"{held}：{held.get_state_display()}" + (f"，{objection}" if objection else "")
        notify([held.entered_by], text, held.get_absolute_url())
        record(actor, CONFIRM, held, text, place=held.alliance)
        return held


def _open_supply(supply: DataSupply) -> DataSupply:
    held = DataSupply.objects.select_for_update(of=("self",), no_key=True).with_places().get(pk=supply.pk)
    if held.state != SupplyState.SENT:
        raise Conflict([Problem("state", held.get_state_display(), f"这份数据{held.get_state_display()}。", "请刷新页面查看。")])
    return held


def _other(people: list[User], actor: User) -> list[User]:
    return [person for person in people if person.pk != actor.pk]
