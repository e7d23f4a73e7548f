"""What follows from points, laid as proposals for a second person (R-101, R-104; 医保发〔2024〕23号).

Worked out anew with every entry put in force or withdrawn: proposals whose points no longer stand are given back, decided
ones are proposed to be lifted. Called inside the service that changed the points, with the person or provider locked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from audits.models import Agreement, AgreementChange, AgreementState, Physician, PointEntry, Qualification
from audits.reading.agreements import running
from audits.reading.points import person_standing, provider_on
from audits.services import agreements
from audits.services.deciding import settle
from core.access import holders
from core.models import Role, User
from core.notices import notify
from rules.points import DEFAULT_PROVIDER_SCHEME, ENDED, SUSPENDED, SUSPENSION_DUE, ProviderStep, Standing

CHANGES = {"suspension": "suspend", "termination": "terminate"}
SETTLED = "所依据的记分已变动，系统退回。"
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Due:
    """What a person's points ask for now: ``kind`` suspended or ended; ``from_on`` the day it may begin."""

    kind: str
    from_on: date
    until: date | None
    points: int
    at_once: bool


def due_for(code: str, on: date) -> tuple[Due | None, Standing]:
    """What the points of a person ask for on a day and her standing; None while nothing is due."""
    now = person_standing(code, on)
    if now.state == ENDED and now.ended_on is not None and now.may_register_from is not None:
        until = now.may_register_from - ONE_DAY
        return Due("ended", now.ended_on, until, now.points, now.at_once), now
    after, start = now, on
    if now.state == SUSPENDED and now.until is not None:
        start = now.until + ONE_DAY
        after = person_standing(code, start)
    if after.state == SUSPENSION_DUE:
        return Due("suspended", start, None, now.points, False), now
    return None, now


def follow_person(actor: User, entry: PointEntry) -> None:
    """Lay, give back or propose to lift what one entry of a person changed."""
    if entry.physician is None:
        return
    code, today = entry.physician.code, timezone.localdate()
    due, now = due_for(code, today)
    rows = Qualification.objects.select_for_update(of=("self",), no_key=True).filter(physician__code=code)
    held = list(rows.select_related("physician").order_by("pk"))
    lifted = {row.lifts_id for row in held if row.lifts_id is not None and row.status != "returned"}
    groundless = {
        row.pk: row for row in held if row.status == "approved" and row.kind != "restored" and _is_groundless(row, due, now, today)
    }  # fmt: skip
    for row in held:
        if row.status == "proposed" and not _still_due(row, due, groundless):
            settle(actor, row, SETTLED)
    ended = next((row for row in held if row.kind == "ended" and row.pk in groundless and row.pk not in lifted), None)
    if due is not None and not any(_answers(row, due) for row in held):
        _lay(actor, entry, due, ended if due.kind == "ended" else None)
    for row in groundless.values():
        if row.pk not in lifted and not (row is ended and due is not None and due.kind == "ended"):
            _lift(actor, entry, row, now.points)


def lay_again(actor: User, row: Qualification) -> None:
    """A suspension given back for other months is laid anew."""
    due, _now = due_for(row.physician.code, timezone.localdate())
    if due is not None and due.kind == row.kind:
        _create(actor, row.physician, row.proposed_by, due, row.reason)


def follow_provider(actor: User, entry: PointEntry) -> None:
    """Lay a suspension or termination of the agreement once a provider's points reach it, and the way back."""
    year, institution, today = entry.on.year, entry.institution, timezone.localdate()
    now = provider_on(institution, date(year, 12, 31))
    step = now.step
    kind = CHANGES.get(step.key, "") if step is not None else ""
    pending = AgreementChange.objects.select_for_update(of=("self",), no_key=True).filter(
        agreement__institution=institution, status="proposed", data__points_year=year
    )
    for change in pending.select_related("agreement"):
        if change.kind != kind and not (change.kind == "resume" and not kind):
            settle(actor, change, SETTLED)
    if entry.status == "in_force" and step is not None and step != _step_before(now.points - entry.points):
        text = f"{institution} {year} 年协议记分累计 {now.points} 分，达到“{step.label}”（{step.from_points} 分起）。"
        _tell_auditors(institution, text, entry.get_absolute_url())
    held = running(institution, today)
    if held is None:
        if kind:
            _tell_auditors(institution, f"{institution}没有履行中的服务协议，不能提出协议变更，请核对。", entry.get_absolute_url())
        return
    _propose(actor, entry, agreements.locked(held), kind, now.points, year)


def _propose(actor: User, entry: PointEntry, held: Agreement, kind: str, points: int, year: int) -> None:
    """``kind``: what the points ask for, empty when they ask for nothing that changes the agreement."""
    rows = held.changes.filter(data__points_year=year)
    if kind and not rows.filter(kind=kind, status__in=["proposed", "approved"]).exists():
        if held.state == AgreementState.IN_FORCE or kind == "terminate":
            text = f"{year} 年协议记分累计 {points} 分，按协议约定{agreements.KINDS[kind]}。"
            _lay_change(actor, entry, held, kind, text, {"points_year": year, "points": points})
    elif not kind and held.state == AgreementState.SUSPENDED and rows.filter(kind="suspend", status="approved").exists():
        text = f"中止协议所依据的 {year} 年记分已撤销，现累计 {points} 分，提请恢复协议。"
        _lay_change(actor, entry, held, "resume", text, {"points_year": year, "points": points})


def _lay_change(actor: User, entry: PointEntry, held: Agreement, kind: str, text: str, data: dict[str, Any]) -> None:
    if held.changes.filter(kind=kind, status="proposed").exists():
        return
    agreements.lay(actor, held, kind, text, timezone.localdate(), case=entry.case, data=data, named=entry.proposed_by)


def _step_before(points: int) -> ProviderStep | None:
    reached = [step for step in DEFAULT_PROVIDER_SCHEME.steps if points >= step.from_points]
    return reached[-1] if reached else None


def _answers(row: Qualification, due: Due) -> bool:
    """Whether a row, proposed or decided, already answers what is due."""
    if row.kind != due.kind:
        return False
    if due.kind == "ended":
        return row.status in ("proposed", "approved") and row.until == due.until
    return row.status == "proposed"


def _still_due(row: Qualification, due: Due | None, groundless: dict[int, Qualification]) -> bool:
    if row.kind == "restored":
        return row.lifts_id in groundless
    return due is not None and row.kind == due.kind and (due.kind == "suspended" or row.until == due.until)


def _is_groundless(row: Qualification, due: Due | None, now: Standing, today: date) -> bool:
    """A decided row that still runs though its points no longer stand."""
    if row.until is not None and row.until < today:
        return False
    if row.kind == "suspended":
        return any((one.on, one.months) == (row.from_on, row.months) for one in now.lapsed)
    return due is None or due.kind != "ended" or due.until != row.until


def _lay(actor: User, entry: PointEntry, due: Due, lifts: Qualification | None) -> None:
    physician = entry.physician
    if physician is None:
        return
    newest = Physician.objects.filter(code=physician.code).order_by("-valid_from", "-pk").select_related("institution").first()
    how = "一次性记满" if due.at_once else "自然年度内累计"
    what = "终止医保支付资格" if due.kind == "ended" else "暂停医保支付资格（月数待定）"
    _create(actor, newest or physician, entry.proposed_by, due, f"{how} {due.points} 分，{what}。{entry.reason}", lifts)


def _create(
    actor: User, physician: Physician, named: User, due: Due, reason: str, lifts: Qualification | None = None
) -> Qualification:
    row = Qualification.objects.create(
        physician=physician, kind=due.kind, from_on=due.from_on, until=due.until, points=due.points, at_once=due.at_once,
        reason=reason, lifts=lifts, proposed_by=named, proposed_at=timezone.now(),
    )  # fmt: skip
    roles = (Role.AUDITOR,) if due.kind == "suspended" else (Role.AUDIT_REVIEWER,)
    asked = "请确定暂停月数" if due.kind == "suspended" else "待审定"
    text = f"{physician.institution}{physician.name}{row.get_kind_display()}：{due.points} 分，{asked}。"
    _tell(holders(roles, physician.institution), actor, text, physician.get_absolute_url())
    return row


def _lift(actor: User, entry: PointEntry, row: Qualification, points: int) -> None:
    made = Qualification.objects.create(
        physician=row.physician, kind="restored", from_on=timezone.localdate(), points=points, lifts=row,
        reason=f"{row.get_kind_display()}所依据的记分已撤销，现累计 {points} 分。{entry.withdrawn_reason}",
        proposed_by=entry.proposed_by, proposed_at=timezone.now(),
    )  # fmt: skip
    text = f"{row.physician.institution}{row.physician.name}{made.get_kind_display()}待审定：{made.reason}"
    _tell(holders((Role.AUDIT_REVIEWER,), row.physician.institution), actor, text, row.physician.get_absolute_url())


def _tell_auditors(institution: Any, text: str, url: str) -> None:
    notify(holders((Role.AUDITOR,), institution), text, url)


def _tell(people: Iterable[User], actor: User, text: str, url: str) -> None:
    notify([person for person in people if person.pk != actor.pk], text, url)
