"""The hearing of a penalty (行政处罚法 第六十三、六十四条): announced in time, hosted by somebody who did not investigate."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone

from audits.models import Case, Hearing, Track
from audits.parameters import calendar, limit_at
from audits.services.documents import make_document
from audits.services.steps import begin, finish, name_of
from audits.services.telling import officers, provider, re_reviewers
from audits.states import Act
from core.access import holders
from core.errors import Problem, Refused
from core.models import Role, StoredFile, User
from rules.procedure import latest_before

NOTICE, HELD = "hearing_notice", "hearing_held"
PLACE, PARTICIPANTS, LONGEST = 120, 500, 4000
HOSTS = (Role.LEGAL_REVIEWER, Role.AUDIT_REVIEWER)
SHORTEST = 4


def hosts(case: Case) -> list[User]:
    """Who may host: legal or audit reviewers of the place who never investigated the case."""
    barred = set(case.officers.values_list("user_id", flat=True))
    return [user for user in holders(HOSTS, case.at) if user.pk not in barred]


def announce(actor: User, track: Track, *, held_on: date | None, place: str, host: User | None) -> Hearing:
    """Tell the provider when, where and before whom: at least so many full working days ahead, within the limit to hold it.

    The notice (听证通知书) is made with it. Announcing again puts the hearing off, under the same rules.
    """
    with transaction.atomic():
        held, step = begin(actor, track, Act.ANNOUNCE)
        today = timezone.localdate()
        problems = [*_day(held, held_on, today), *_host(held.case, host)]
        if not 0 < len(place.strip()) <= PLACE:
            text = f"地点超过 {PLACE} 个字。" if place.strip() else "没有填写听证地点。"
            problems.append(Problem("place", place.strip()[:20], text, "请写明到会议室。"))
        if problems or held_on is None or host is None:
            raise Refused(problems)
        former = Hearing.objects.filter(track=held).first()
        data: dict[str, Any] = {"held_on": str(held_on), "host": host.pk, "before": str(former.held_on) if former else ""}
        fields: dict[str, Any] = {"announced_on": today, "held_on": held_on, "host": host, "place": place.strip(), "announced_by": actor}
        concluded = former is not None and former.concluded_by_id is not None
        if former is not None and concluded:  # a further hearing after a new notice: the first stays in the changes
            data["former"] = {"held_on": str(former.held_on), "participants": former.participants, "conclusion": former.conclusion,
                              "record": former.record_id, "host": former.host_id}  # fmt: skip
            fields |= {"participants": "", "conclusion": "", "record": None, "concluded_by": None}
        made, _new = Hearing.objects.update_or_create(track=held, defaults=fields)
        words = f"（原定 {former.held_on}）" if former and not concluded else ""
        why = f"再次听证，时间 {held_on}" if concluded else f"听证由 {former.held_on} 改期至 {held_on}" if former else ""
        letter = make_document(actor, held.case, NOTICE, track=held, reason=why)
        data |= {"document": letter.pk, "sha256": letter.file.sha256}
        summary = f"{name_of(held)}定于 {held_on} 在{place.strip()}举行听证{words}，主持人{host}。"
        told = [*provider(held.case), *officers(held.case), host]
        finish(actor, held.case, step, summary, track=held, until=held_on, data=data, tell=told)
        return made


def hold(
    actor: User, track: Track, *, held_on: date | None, participants: str, conclusion: str, record_file: StoredFile | None
) -> Hearing:
    """Keep what the hearing found with its record; the case goes on to the re-review."""
    with transaction.atomic():
        held, step = begin(actor, track, Act.HOLD_HEARING, conclusion)
        row = Hearing.objects.filter(track=held).first()
        if row is None or row.concluded_by_id is not None:
            text = f"{name_of(held)}的听证还没有通知当事人。"
            raise Refused([Problem("held_on", "", text, "请先登记听证的时间、地点和主持人，并提前通知。")])
        today = timezone.localdate()
        problems = [*_held_on(row, held_on, today), *_host(held.case, row.host)]
        people = participants.strip()
        if not 0 < len(people) <= PARTICIPANTS:
            text = f"参加人超过 {PARTICIPANTS} 个字。" if people else "没有填写参加人。"
            problems.append(Problem("participants", people[:20], text, "请写明当事人、代理人和办案人员的姓名。"))
        if len(conclusion.strip()) > LONGEST:
            problems.append(Problem("conclusion", conclusion[:20], f"听证意见超过 {LONGEST} 个字。", "请缩短，细节写入笔录。"))
        if record_file is None:
            problems.append(Problem("record", "", "没有上传听证笔录。", "请上传经参加人签字的笔录扫描件。"))
        if problems or held_on is None:
            raise Refused(problems)
        row.held_on, row.participants, row.conclusion = held_on, people, conclusion.strip()
        row.record, row.concluded_by = record_file, actor
        row.save(update_fields=["held_on", "participants", "conclusion", "record", "concluded_by"])
        summary = f"{name_of(held)}于 {held_on} 举行听证，主持人{row.host}：{conclusion.strip()[:100]}"
        files = [record_file] if record_file else []
        told = [*re_reviewers(held.case), *officers(held.case)]
        finish(actor, held.case, step, summary, track=held, reason=conclusion, data={"held_on": str(held_on)}, files=files, tell=told)
        return row


def _day(track: Track, held_on: date | None, today: date) -> list[Problem]:
    if held_on is None:
        return [Problem("held_on", "", "没有填写听证日期。", "请填写日期。")]
    works = calendar(today)
    if held_on <= today or not works(held_on):
        return [Problem("held_on", str(held_on), f"听证日期 {held_on} 已过去或不是工作日。", "请填今天以后的工作日。")]
    limit = limit_at(NOTICE, track.case.at, today)
    problems = []
    if latest_before(held_on, limit.count, works) < today:
        text = f"听证须在举行 {limit.count} 个工作日前通知，{held_on} 太近。"
        problems.append(Problem("held_on", str(held_on), text, "请改为更晚的工作日。"))
    due = track.deadlines.filter(key=HELD, ended_on__isnull=True).first()
    if due is not None and held_on > due.last_day:
        text = f"听证须在 {due.last_day} 前举行，{held_on} 已超过。"
        problems.append(Problem("held_on", str(held_on), text, "请改为该日以前的工作日，或先延长期限。"))
    return problems


def _held_on(row: Hearing, held_on: date | None, today: date) -> list[Problem]:
    if held_on is None:
        return [Problem("held_on", "", "没有填写举行日期。", "请填实际举行的日期。")]
    if held_on > today:
        return [Problem("held_on", str(held_on), f"举行日期 {held_on} 还没有到。", "请在听证举行后登记。")]
    if held_on < row.held_on:
        text = f"举行日期 {held_on} 早于通知的日期 {row.held_on}，当事人没有得到充分的准备时间。"
        return [Problem("held_on", str(held_on), text, "请填实际举行的日期；改期须重新通知。")]
    return []


def _host(case: Case, host: User | None) -> list[Problem]:
    """行政处罚法 第六十四条第（四）项."""
    if host is None:
        return [Problem("host", "", "没有选择主持人。", "请选择非本案调查人员。")]
    if case.officers.filter(user=host).exists():
        return [Problem("host", str(host), f"{host}办过本案，不能主持听证。", "请选择非本案调查人员。")]
    if host not in hosts(case):
        return [Problem("host", str(host), f"{host}不是本地的稽核复核或法制审核人员。", "请从列表中选择。")]
    return []
