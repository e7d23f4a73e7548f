"""Hand-overs of a case to another body (R-118): the letter with its number, the record of hand-over, the reply once."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.utils import timezone

from audits.models import Case, Referral, ReferralBody
from audits.services.documents import make_document
from audits.services.steps import begin, finish
from audits.services.telling import observers, officers, reviewers
from audits.states import Act
from core.errors import Conflict, Problem
from core.models import StoredFile, User
from core.texts import plain


def refer(
    actor: User,
    case: Case,
    *,
    body: str,
    body_name: str,
    handed_on: date,
    reason: str,
    items: str,
    received_by: str,
    record: StoredFile | None = None,
    due_on: date | None = None,
) -> Referral:
    """Hand the case's clues to another body: the numbered letter is made with it. ``items``: one material a line.

    ``record`` is the signed hand-over; it may follow with :func:`attach_record`. ``due_on``: when to ask for the reply.
    Raises ``Refused`` with every problem, ``NotAllowed``, ``Conflict``.
    """
    given = {name: plain(text).strip() for name, text in (("body_name", body_name), ("items", items), ("received_by", received_by))}
    words = plain(reason).strip()
    with transaction.atomic():
        held, step = begin(actor, case, Act.REFER, words, _problems(case, body, given, handed_on, due_on))
        referral = Referral.objects.create(
            case=held, body=body, body_name=given["body_name"], handed_on=handed_on, reason=words,
            list_of_items=given["items"], received_by=given["received_by"], record=record, due_on=due_on, by=actor,
            at=timezone.now(),
        )  # fmt: skip
        letter = make_document(actor, held, "transfer", referral=referral)
        referral.number = letter.number
        referral.save(update_fields=["number"])
        summary = f"移送{referral.get_body_display()}（案件 {held.number}），{letter.number}"
        finish(
            actor, held, step, summary, reason=words, until=due_on, files=[record] if record else [],
            tell=[*reviewers(held), *observers(held)],
            data={"referral": referral.pk, "body": body, "number": letter.number, "document": letter.pk, "sha256": letter.file.sha256},
        )  # fmt: skip
        return referral


def attach_record(actor: User, referral: Referral, record: StoredFile) -> Referral:
    """The signed record of hand-over, where it was not there at once. Once."""
    with transaction.atomic():
        held, step = begin(actor, referral.case, Act.REFER)
        now = _locked(referral, held)
        if now.record_id is not None:
            raise _done(f"移送 {now.number} 的交接记录已登记，不能更换。")
        now.record = record
        now.save(update_fields=["record"])
        finish(
            actor, held, step, f"登记移送交接记录 {now.number}（案件 {held.number}）", files=[record],
            data={"referral": now.pk, "record": record.sha256},
        )  # fmt: skip
        return now


def note_reply(
    actor: User, referral: Referral, *, reply: str, replied_on: date, file: StoredFile | None = None
) -> Referral:
    """What the other body answered. Once."""
    words = plain(reply).strip()
    problems = []
    if replied_on > timezone.localdate():
        problems.append(Problem("replied_on", str(replied_on), "回复日期晚于今天。", "请在收到之后登记。"))
    if replied_on < referral.handed_on:
        problems.append(
            Problem("replied_on", str(replied_on), f"回复日期早于移送日期 {referral.handed_on}。", "请核对日期。")
        )
    with transaction.atomic():
        held, step = begin(actor, referral.case, Act.REFER, words, problems)
        now = _locked(referral, held)
        if now.replied_on is not None:
            raise _done(f"移送 {now.number} 的回复已由{now.reply_by}于 {now.replied_on} 登记。")
        now.reply, now.replied_on, now.reply_by, now.reply_file = words, replied_on, actor, file
        now.save(update_fields=["reply", "replied_on", "reply_by", "reply_file"])
        finish(
            actor, held, step, f"登记移送回复 {now.number}（案件 {held.number}）", reason=words, files=[file] if file else [],
            tell=[*officers(held), *reviewers(held)], data={"referral": now.pk, "replied_on": str(replied_on)},
        )  # fmt: skip
        return now


def _problems(case: Case, body: str, given: dict[str, str], handed_on: date, due_on: date | None) -> list[Problem]:
    problems = []
    if body not in ReferralBody.values:
        problems.append(Problem("body", body, f"没有移送机关“{body}”。", "请从清单中选择。"))
    for name, label, remedy in (
        ("body_name", "机关名称", "请填写全称，如“青溪县公安局”。"),
        ("items", "移送材料", "请逐行列出移送的材料。"),
        ("received_by", "接收人", "请填写在交接记录上签收的人。"),
    ):
        if not given[name]:
            problems.append(Problem(name, "", f"没有填写{label}。", remedy))
    for name, most in (("body_name", 120), ("received_by", 60)):
        if len(given[name]) > most:
            problems.append(Problem(name, given[name], f"超过 {most} 个字。", "请缩短。"))
    if handed_on > timezone.localdate():
        problems.append(Problem("handed_on", str(handed_on), "移送日期晚于今天。", "请在移送当日登记。"))
    elif handed_on < case.filed_on:
        problems.append(Problem("handed_on", str(handed_on), f"移送日期早于立案日期 {case.filed_on}。", "请核对日期。"))
    if due_on is not None and due_on < handed_on:
        problems.append(Problem("due_on", str(due_on), f"催复日期早于移送日期 {handed_on}。", "请改正日期。"))
    return problems


def _locked(referral: Referral, case: Case) -> Referral:
    now: Referral = Referral.objects.select_for_update(of=("self",), no_key=True).get(pk=referral.pk)
    now.case = case
    return now


def _done(text: str) -> Conflict:
    return Conflict([Problem("state", "", text, "请刷新页面查看最新状态。")])
