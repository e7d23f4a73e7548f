"""Sending notices by e-mail: each exactly once, whatever dies in between, and none lost to a failing server.

A delivery is claimed (``sending``, committed) before its mail is handed to the server and noted after it. A worker that
dies before claiming leaves it waiting; one that dies after it leaves it ``sending``: nobody can know whether the server
took it, so it is not repeated by itself but shown as unsure to the person, who may ask again. What the server refuses
waits longer each time. A mail holds the words of the notice and its link, nothing else.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, get_connection
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from core.errors import Conflict, Problem, Refused
from core.jobs import JobRun, enqueue, job
from core.models import DeliveryState, Job, MailDelivery, MailMode, MessagePreference, NoticeKind, User
from core.models.jobs import JobState
from core.notices import DEFAULT_MODES, mail_is_on
from core.trail import record
from core.working_days import is_working_day

log = structlog.get_logger(__name__)

JOB, CHOOSE, REPEAT = "messages.send", "core.message_preferences", "core.repeat_mail"
DIGEST_AT = time(8, 0)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=5), timedelta(hours=6)
MAX_ATTEMPTS = 20
SITE = "医共体医保基金监管平台"
SUBJECT_LENGTH = 60


def look_for_mail() -> None:
    """Asked by the clock: is a mail due?"""
    if mail_is_on() and (_due(timezone.now()).exists() or _orphans().exists()):
        enqueue(JOB, label="发送邮件通知")


@job(JOB, label="发送邮件通知")
def send(run: JobRun) -> str:
    """Send what is due. The only job of its name at a time: what another run left in ``sending`` has lost its worker."""
    if not mail_is_on():
        return "没有设置邮件服务器，未发送。"
    unsure = _orphans(run.job).update(state=DeliveryState.UNSURE, error="发送时程序中断，不能确定对方是否收到")
    now = timezone.now()
    batches = _batches(list(_due(now).select_related("user", "notice").order_by("pk")))
    if not batches:
        return _told(0, 0, unsure)
    connection = get_connection()
    try:
        connection.open()
    except Exception as error:
        for batch in batches:
            _failed(batch, error, now)
        return _told(0, len(batches), unsure)
    sent = 0
    try:
        for done, batch in enumerate(batches, start=1):
            sent += _send_one(connection, batch, now)
            run.progress(done, len(batches), f"{done} 封")
    finally:
        connection.close()
    return _told(sent, len(batches) - sent, unsure)


def mode_of(user: User) -> dict[str, str]:
    """What the person chose for every kind, or its default."""
    held = dict(user.message_preferences.values_list("kind", "mode"))
    return {kind: held.get(kind, DEFAULT_MODES[kind]) for kind in NoticeKind.values}


def choose(user: User, email: str, modes: dict[str, str]) -> None:
    """Keep the person's own address and choices; what waits follows the new choice."""
    address = email.strip()
    problems = []
    if address:
        try:
            validate_email(address)
        except ValidationError:
            problems.append(Problem("email", address, "邮箱地址不对。", "请按 name@example.cn 的样子填写。"))
    for kind, mode in modes.items():
        if kind not in NoticeKind.values or mode not in MailMode.values:
            problems.append(Problem(kind, mode, "没有这种选择。", "请选即时发送、每日汇总或不发邮件。"))
    if problems:
        raise Refused(problems)
    with transaction.atomic():
        held = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        held.email = address
        held.save(update_fields=["email"])
        user.email = address
        for kind, mode in modes.items():
            MessagePreference.objects.update_or_create(user=held, kind=kind, defaults={"mode": mode})
            waiting = MailDelivery.objects.filter(user=held, notice__kind=kind, state=DeliveryState.WAITING)
            if mode == MailMode.NONE:
                waiting.update(state=DeliveryState.DROPPED, error="本人选择不发邮件")
            else:
                waiting.update(mode=mode)
        chosen = "，".join(f"{NoticeKind(kind).label}{MailMode(mode).label}" for kind, mode in modes.items())
        record(held, CHOOSE, held, f"{held}设置邮件通知：{chosen}", {"address": bool(address), **modes})


def repeat(user: User, delivery: MailDelivery) -> MailDelivery:
    """Send once more what failed for good or ended unsure, at the person's own wish."""
    with transaction.atomic():
        held = MailDelivery.objects.select_for_update(of=("self",), no_key=True).get(pk=delivery.pk, user=user)
        if not held.can_repeat:
            raise Conflict([Problem("state", held.get_state_display(), "这封邮件不用再发。", "请刷新页面查看。")])
        held.state, held.attempts, held.next_try_at, held.error = DeliveryState.WAITING, 0, None, ""
        held.mode = MailMode.AT_ONCE
        held.save(update_fields=["state", "attempts", "next_try_at", "error", "mode"])
        record(user, REPEAT, held, f"{user}要求再次发送邮件通知")
        return held


def _due(now: datetime) -> Any:
    """Waiting deliveries whose time has come: at once, or in the digest of a working morning."""
    ready = Q(next_try_at=None) | Q(next_try_at__lte=now)
    chosen = Q(mode=MailMode.AT_ONCE)
    morning = _morning(now)
    if morning is not None:
        chosen |= Q(mode=MailMode.DAILY, created_at__lt=morning)
    return MailDelivery.objects.filter(ready, chosen, state=DeliveryState.WAITING)


def _morning(now: datetime) -> datetime | None:
    """Eight o'clock of today when it is a working day and past it; what came before goes into the digest."""
    local = timezone.localtime(now)
    if local.time() < DIGEST_AT or not is_working_day(local.date()):
        return None
    return local.replace(hour=DIGEST_AT.hour, minute=DIGEST_AT.minute, second=0, microsecond=0)


def _orphans(current: Job | None = None) -> Any:
    """What is marked as being sent though nobody sends: the job that did is not running."""
    running = Job.objects.filter(name=JOB, state=JobState.RUNNING)
    if current is not None:
        running = running.exclude(pk=current.pk)
    rows = MailDelivery.objects.filter(state=DeliveryState.SENDING)
    return rows.none() if running.exists() else rows


def _batches(due: Sequence[MailDelivery]) -> list[list[MailDelivery]]:
    """A mail for each notice wanted at once, one for all of a person's digest; nobody is mailed without an address."""
    gone = [row.pk for row in due if not row.user.is_active or not row.user.email]
    if gone:
        MailDelivery.objects.filter(pk__in=gone).update(state=DeliveryState.DROPPED, error="账号已停用或没有邮箱地址")
    singles = [[row] for row in due if row.pk not in gone and row.mode == MailMode.AT_ONCE]
    digests: dict[int, list[MailDelivery]] = defaultdict(list)
    for row in due:
        if row.pk not in gone and row.mode == MailMode.DAILY:
            digests[row.user_id].append(row)
    return singles + list(digests.values())


def _send_one(connection: Any, batch: Sequence[MailDelivery], now: datetime) -> bool:
    """Claim, hand over, note. What somebody else claimed meanwhile is left to him."""
    mail = uuid.uuid4().hex
    rows = MailDelivery.objects.filter(pk__in=[row.pk for row in batch])
    claimed = rows.filter(state=DeliveryState.WAITING).update(
        state=DeliveryState.SENDING, mail=mail, attempts=F("attempts") + 1
    )
    if not claimed:
        return False
    mine = list(MailDelivery.objects.filter(mail=mail).select_related("user", "notice").order_by("pk"))
    try:
        message(mine, mail, connection).send()
    except Exception as error:
        _failed(mine, error, now, counted=True)
        return False
    MailDelivery.objects.filter(mail=mail).update(state=DeliveryState.SENT, sent_at=timezone.now(), error="")
    return True


def message(batch: Sequence[MailDelivery], mail: str, connection: Any = None) -> EmailMessage:
    """The mail of one or several notices of one person."""
    first = batch[0]
    if first.mode == MailMode.AT_ONCE:
        subject = " ".join(first.notice.text.split())
        subject = subject if len(subject) <= SUBJECT_LENGTH else subject[: SUBJECT_LENGTH - 1] + "…"
    else:
        subject = f"通知汇总：{len(batch)} 条"
    lines = [f"{first.user}：", ""]
    for row in batch:
        lines.append(f"[{row.notice.get_kind_display()}] {row.notice.text}")
        if row.notice.url:
            lines.append(settings.SITE_URL.rstrip("/") + row.notice.url)
        lines.append("")
    lines.append("请登录系统查看和办理。本邮件由系统自动发送，请勿回复；在“通知 › 邮件设置”中可以更改或停止。")
    headers = {"Message-ID": f"<{mail}@fund.local>", "Auto-Submitted": "auto-generated"}
    return EmailMessage(
        f"【{SITE}】{subject}", "\n".join(lines), settings.DEFAULT_FROM_EMAIL or None, [first.user.email],
        headers=headers, connection=connection,
    )  # fmt: skip


def _failed(batch: Sequence[MailDelivery], error: Exception, now: datetime, *, counted: bool = False) -> None:
    """Wait longer each time; after the last try it stays failed, to be seen and asked for again."""
    text = f"{type(error).__name__}：{error}"[:300]
    log.warning("mail_failed", deliveries=[row.pk for row in batch], error=type(error).__name__)
    for row in batch:
        attempts = row.attempts if counted else row.attempts + 1
        over = attempts >= MAX_ATTEMPTS
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(attempts - 1, 10))
        MailDelivery.objects.filter(pk=row.pk, state__in=[DeliveryState.WAITING, DeliveryState.SENDING]).update(
            state=DeliveryState.FAILED if over else DeliveryState.WAITING,
            attempts=attempts,
            next_try_at=None if over else now + pause,
            error=text,
        )


def _told(sent: int, failed: int, unsure: int) -> str:
    parts = [f"已发送 {sent} 封邮件"]
    if failed:
        parts.append(f"{failed} 封未发出，将自动重试")
    if unsure:
        parts.append(f"{unsure} 条上次发送中断，结果不明，已告知本人")
    return "，".join(parts) + "。"
