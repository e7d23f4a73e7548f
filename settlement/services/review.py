"""From the draft to the hospital's answer: review, sending, confirmation or objection, and every way back.

Who drafted does not review (R-068). What the reviewer approves is what she saw and what the data still say. Silence of
the hospital is never consent: the day passes, both sides are reminded, nothing moves.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from core.access import different_person
from core.errors import Problem, Refused
from core.models import Role, StoredFile, User
from core.parameters import value as parameter
from core.working_days import add_working_days
from settlement.models import SettlementVersion
from settlement.services.inputs import gather
from settlement.services.steps import begin, finish, name_of
from settlement.states import Act


def review(actor: User, version: SettlementVersion, seen: int | None = None) -> SettlementVersion:
    """Approve a draft. Refuses, with everything at once, what is missing, undecided or no longer current."""
    with transaction.atomic():
        now, step = begin(actor, version, Act.REVIEW, seen=seen)
        different_person(actor, now.prepared_by, "复核清算单")
        problems = review_problems(now)
        if problems:
            raise Refused(problems)
        now.reviewed_by, now.reviewed_at = actor, timezone.now()
        finish(
            actor,
            now,
            step,
            f"复核 {name_of(now)}，清算现金 {now.figures.cash:,.2f} 元",
            tell=[Role.FUND_OFFICER],
            text=f"{name_of(now)} 已复核，请送医共体确认。",
        )
        return now


def review_problems(version: SettlementVersion) -> list[Problem]:
    """Why a draft cannot be reviewed now; empty when it can."""
    settlement, today = version.settlement, timezone.localdate()
    found = gather(settlement.alliance, settlement.year, settlement.fund_type, today)
    problems = [*found.blocking, *found.open_points]
    if found.inputs is not None and found.inputs.fingerprint != version.figures.fingerprint:
        problems.append(
            Problem("inputs", "", "起草之后数据或参数有变化，清算单不是最新的。", "请基金经办刷新试算后再复核。")
        )
    return problems


def return_to_officer(actor: User, version: SettlementVersion, reason: str) -> SettlementVersion:
    """The reviewer gives a draft (or a reviewed version) back with a reason."""
    with transaction.atomic():
        now, step = begin(actor, version, Act.RETURN, reason)
        _forget_approvals(now)
        finish(
            actor,
            now,
            step,
            f"退回 {name_of(now)}：{reason.strip()[:80]}",
            reason=reason,
            tell=[Role.FUND_OFFICER],
        )
        return now


def send(actor: User, version: SettlementVersion) -> SettlementVersion:
    """Send a reviewed statement to the alliance; it has ``settlement.confirm_days`` working days to answer."""
    with transaction.atomic():
        now, step = begin(actor, version, Act.SEND)
        _deliver(now, actor)
        finish(
            actor,
            now,
            step,
            f"送达 {name_of(now)}，确认期限 {now.confirm_by}",
            until=now.confirm_by,
            tell=[Role.HOSPITAL_FINANCE],
            text=f"{now.settlement} 清算单已送达，请在 {now.confirm_by} 前确认或提出异议。",
        )
        return now


def withdraw(actor: User, version: SettlementVersion, reason: str) -> SettlementVersion:
    """Take a sent statement back before the hospital answered."""
    with transaction.atomic():
        now, step = begin(actor, version, Act.WITHDRAW, reason)
        _forget_approvals(now)
        finish(
            actor,
            now,
            step,
            f"撤回 {name_of(now)}：{reason.strip()[:80]}",
            reason=reason,
            tell=[Role.HOSPITAL_FINANCE, Role.FUND_OFFICER],
        )
        return now


def confirm(actor: User, version: SettlementVersion, seen: int | None = None) -> SettlementVersion:
    """The alliance's finance agrees with the statement."""
    with transaction.atomic():
        now, step = begin(actor, version, Act.CONFIRM, seen=seen)
        now.confirmed_by, now.confirmed_at = actor, timezone.now()
        finish(
            actor,
            now,
            step,
            f"{now.alliance}确认 {name_of(now)}，清算现金 {now.figures.cash:,.2f} 元",
            tell=[Role.FUND_REVIEWER, Role.FUND_OFFICER],
            text=f"{now.alliance}已确认 {name_of(now)}，请审定。",
        )
        return now


def object_to(
    actor: User, version: SettlementVersion, reason: str, files: Sequence[StoredFile] = ()
) -> SettlementVersion:
    """The alliance's finance disagrees, with a reason and its evidence, within the days it was given."""
    with transaction.atomic():
        now, step = begin(actor, version, Act.OBJECT, reason)
        today = timezone.localdate()
        if now.confirm_by is not None and today > now.confirm_by:
            text = f"异议须在 {now.confirm_by} 前提出，今天已是 {today}。"
            raise Refused([Problem("confirm_by", str(now.confirm_by), text, "请与医保经办机构联系，由其撤回后重新送达。")])
        finish(
            actor,
            now,
            step,
            f"{now.alliance}对 {name_of(now)} 提出异议：{reason.strip()[:80]}",
            reason=reason,
            files=files,
            tell=[Role.FUND_OFFICER, Role.FUND_REVIEWER],
        )
        return now


def accept_objection(actor: User, version: SettlementVersion, reason: str) -> SettlementVersion:
    """The objection is right: back to the draft, to be computed anew."""
    with transaction.atomic():
        now, step = begin(actor, version, Act.ACCEPT_OBJECTION, reason)
        _forget_approvals(now)
        finish(
            actor,
            now,
            step,
            f"采纳对 {name_of(now)} 的异议：{reason.strip()[:80]}",
            reason=reason,
            tell=[Role.HOSPITAL_FINANCE, Role.FUND_OFFICER],
        )
        return now


def reject_objection(actor: User, version: SettlementVersion, reason: str) -> SettlementVersion:
    """The objection is answered and the statement sent once more, with new days to answer."""
    with transaction.atomic():
        now, step = begin(actor, version, Act.REJECT_OBJECTION, reason)
        different_person(actor, now.prepared_by, "答复异议")
        _deliver(now, now.sent_by)
        finish(
            actor,
            now,
            step,
            f"答复对 {name_of(now)} 的异议并再次送达：{reason.strip()[:80]}",
            reason=reason,
            until=now.confirm_by,
            tell=[Role.HOSPITAL_FINANCE],
        )
        return now


def reopen(actor: User, version: SettlementVersion, reason: str) -> SettlementVersion:
    """Back to the draft after the confirmation, before anything was posted."""
    with transaction.atomic():
        now, step = begin(actor, version, Act.REOPEN, reason)
        _forget_approvals(now)
        finish(
            actor,
            now,
            step,
            f"重新打开 {name_of(now)}：{reason.strip()[:80]}",
            reason=reason,
            tell=[Role.HOSPITAL_FINANCE, Role.FUND_OFFICER],
        )
        return now


def _deliver(version: SettlementVersion, sender: User | None) -> None:
    today = timezone.localdate()
    days = int(parameter("settlement.confirm_days", version.alliance, today).decimal)
    version.sent_by, version.sent_at = sender, timezone.now()
    version.confirm_by, version.reminded_on = add_working_days(today, days), None


def _forget_approvals(version: SettlementVersion) -> None:
    version.reviewed_by = version.reviewed_at = None
    version.sent_by = version.sent_at = version.confirm_by = version.reminded_on = None
    version.confirmed_by = version.confirmed_at = None
