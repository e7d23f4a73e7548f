"""The payment qualification of people (医保支付资格): the months of a suspension named, what is proposed decided.

The proposals themselves come from the points (:mod:`audits.services.consequences`). Emergency and rescue services are
settled whatever is decided here.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from audits.models import Physician, Qualification
from audits.services.consequences import due_for, lay_again
from audits.services.deciding import decide, need_status, text_problems
from core.access import HOSPITAL_ROLES, holders, require
from core.errors import Conflict, Problem, Refused
from core.models import Role, User
from core.notices import notify
from core.trail import record
from rules.points import SUSPEND_MONTHS, ChosenSuspension

NAME, DECIDE = "audits.name_suspension", "audits.decide_qualification"
REASON = 2000
AHEAD = timedelta(days=31)


def name_months(actor: User, row: Qualification, months: int | None, from_on: date | None, reason: str) -> Qualification:
    """Name the whole months (1–6) and first day of a suspension that the points ask for; who does so proposes it."""
    require(actor, NAME, row.physician.institution)
    with transaction.atomic():
        held = _locked(row)
        need_status(held, "proposed", "确定月数")
        problems = text_problems("reason", "理由", reason, REASON, 4)
        if held.kind != "suspended":
            problems.append(Problem("kind", held.kind, f"{held.get_kind_display()}没有月数。", "请直接审定。"))
        lower, upper = SUSPEND_MONTHS
        if months is None or not lower <= months <= upper:
            text = "没有填写暂停月数。" if months is None else f"暂停须在 {lower} 至 {upper} 个月之间，现为 {months} 个月。"
            problems.append(Problem("months", str(months or ""), text, "请改正月数。"))
        due, _now = due_for(held.physician.code, timezone.localdate())
        first = due.from_on if due is not None else timezone.localdate()
        if from_on is None or not first <= from_on <= first + AHEAD:
            text = "没有填写起始日期。" if from_on is None else f"起始日期 {from_on} 不在 {first} 至 {first + AHEAD} 之间。"
            problems.append(Problem("from_on", str(from_on or ""), text, "请填今天起一个月内的日期；正在暂停的从期满次日起。"))
        if problems or months is None or from_on is None:
            raise Refused(problems)
        held.months, held.from_on, held.reason = months, from_on, reason.strip()
        held.until = ChosenSuspension(from_on, months).last_day
        held.proposed_by, held.proposed_at = actor, timezone.now()
        held.save(update_fields=["months", "from_on", "until", "reason", "proposed_by", "proposed_at"])
        summary = f"拟对{_name(held)}暂停医保支付资格 {months} 个月（{from_on} 至 {held.until}）：{held.reason}"
        _tell(holders((Role.AUDIT_REVIEWER,), held.physician.institution), actor, summary, held)
        _note(actor, NAME, held, summary)
        return held


def decide_qualification(actor: User, row: Qualification, approve: bool, reason: str = "") -> Qualification:
    """Approve or return; another person than who proposed. A suspension returned is laid anew for other months; an end
    whose points stand cannot be returned, the points are withdrawn first."""
    require(actor, DECIDE, row.physician.institution)
    with transaction.atomic():
        held = _locked(row)
        need_status(held, "proposed", "审定")
        problems = _ground_problems(held, approve)
        if problems:
            raise Refused(problems)
        decide(actor, held, "approved" if approve else "returned", reason, f"对{_name(held)}的{held.get_kind_display()}")
        if not approve and held.kind == "suspended":
            lay_again(actor, held)
        words = f"：{reason.strip()}" if reason.strip() else ""
        span = f"（{held.from_on} 至 {held.until or '长期'}）" if approve and held.kind != "restored" else ""
        summary = f"{'审定' if approve else '退回'}对{_name(held)}{held.get_kind_display()}{span}{words}"
        provider = holders(HOSPITAL_ROLES, held.physician.institution) if approve else []
        _tell([held.proposed_by, *provider], actor, summary, held)
        _note(actor, DECIDE, held, summary)
        return held


def _ground_problems(row: Qualification, approve: bool) -> list[Problem]:
    """What keeps a proposal from being decided so, judged by the points as they stand now."""
    if row.kind == "restored":
        return []
    due, now = due_for(row.physician.code, timezone.localdate())
    stands = due is not None and due.kind == row.kind and (row.kind == "suspended" or due.until == row.until)
    if not approve:
        if row.kind == "ended" and stands:
            text = f"年度记分 {now.points} 分仍然成立，不能退回终止支付资格。"
            return [Problem("status", "", text, "记分确有错误的，请先撤销记分。")]
        return []
    if not stands:
        text = f"按现在的记分（{now.points} 分）不再应{row.get_kind_display()}。"
        raise Conflict([Problem("points", str(now.points), text, "请刷新页面查看现在的处理建议。")])
    if row.kind == "suspended" and row.months is None:
        text = f"{row.physician.name}的暂停月数还没有确定。"
        return [Problem("months", "", text, "请稽核人员先确定暂停月数和起始日期。")]
    return []


def _locked(row: Qualification) -> Qualification:
    list(Physician.objects.select_for_update(no_key=True).filter(code=row.physician.code).order_by("pk"))
    rows = Qualification.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("physician__institution__county__pooling_area", "proposed_by", "decided_by").get(pk=row.pk)


def _name(row: Qualification) -> str:
    return f"{row.physician.institution}{row.physician.get_kind_display()}{row.physician.name}"


def _tell(people: list[User], actor: User, text: str, row: Qualification) -> None:
    notify([person for person in people if person.pk != actor.pk], text, row.physician.get_absolute_url())


def _note(actor: User, action: str, row: Qualification, summary: str) -> None:
    data: dict[str, Any] = {
        "qualification": row.pk, "status": row.status, "kind": row.kind, "months": row.months, "from_on": row.from_on,
        "until": row.until, "points": row.points, "code": row.physician.code,
    }  # fmt: skip
    record(actor, action, row.physician, summary, data, place=row.physician.institution)
