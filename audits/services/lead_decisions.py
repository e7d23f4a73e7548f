"""The reviewer's last word on a lead: a case is opened with two officers, or the lead is refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.db import transaction
from django.utils import timezone

from audits.models import Case, Lead, PlanKind, Way
from audits.services.lead_steps import auditors, finish, name_of
from audits.services.leads import TITLE, decided_as
from audits.services.steps import begin
from audits.states import Act
from core.errors import Problem
from core.models import User

CARD = 40
Officer = tuple[User, str, bool]
"""(person, enforcement card, leads the case)"""


def file(
    actor: User,
    lead: Lead,
    *,
    kind: str,
    way: str,
    title: str,
    claims_from: date | None,
    claims_to: date | None,
    officers: Sequence[Officer],
    reason: str = "",
) -> Lead:
    """Approve the filing: opens the case of the lead's party with at least two officers who carry a card (R-110).

    Raises ``Refused`` with everything wrong at once; ``Conflict`` when refusing was put forward; ``NotAllowed``.
    """
    from audits.services.cases import open_case

    with transaction.atomic():
        problems = [*_frame_problems(kind, way, title, claims_from, claims_to), *officer_problems(actor, lead, officers)]
        held, step = begin(actor, lead, Act.FILE, None, problems)
        decided_as(held, Act.FILE)
        if claims_from is None or claims_to is None:
            raise RuntimeError("a case without its span was refused before")
        case = open_case(
            actor, held, kind=kind, way=way, title=title.strip(), claims_from=claims_from, claims_to=claims_to,
            officers=[(user, card.strip(), leads) for user, card, leads in officers],
        )  # fmt: skip
        Lead.objects.filter(merged_into=held).update(case=case)
        summary = f"批准立案：{name_of(held)}，案件 {case.number}。"
        people = [user for user, _card, _leads in officers]
        tell = [person for person in (held.proposed_by, held.assigned_to, *people) if person is not None]
        fields = {"case": case, "decided_by": actor, "decided_at": timezone.now()}
        finish(actor, held, step, summary, reason=reason, data={"case": case.number}, tell=tell, fields=fields)
        return held


def refuse(actor: User, lead: Lead, reason: str = "") -> Lead:
    """Approve that no case is opened; the reason is the one put forward."""
    with transaction.atomic():
        held, step = begin(actor, lead, Act.REFUSE, reason)
        decided_as(held, Act.REFUSE)
        summary = f"批准不予立案：{name_of(held)}。"
        tell = [person for person in (held.proposed_by, held.assigned_to) if person is not None]
        fields = {"decided_by": actor, "decided_at": timezone.now()}
        finish(actor, held, step, summary, reason=reason, tell=tell, fields=fields)
        return held


def officer_problems(actor: User, lead: Lead | Case, officers: Sequence[Officer]) -> list[Problem]:
    """Two different people of the place's auditors, each with a card, one of them leading, none of them the approver."""
    found = []
    if len({user.pk for user, _card, _leads in officers}) < 2:
        text = "办案人员不足两人。" if len(officers) < 2 else "两名办案人员是同一人。"
        found.append(Problem("officers", "", text, "请指定两名不同的稽核人员。"))
    if officers and sum(leads for _user, _card, leads in officers) != 1:
        found.append(Problem("officers", "", "主办人员须为一人。", "请指定一人主办，其余协办。"))
    here = auditors(lead)
    for user, card, _leads in officers:
        if user.pk == actor.pk:
            found.append(Problem("officers", str(user), f"{user}是立案审批人，不能办理本案。", "请另外指定办案人员。"))
        elif user not in here:
            found.append(Problem("officers", str(user), f"{user}在{lead.at}没有稽核岗位。", "请选择本地的稽核人员。"))
        if not card.strip() or len(card.strip()) > CARD:
            text = f"{user}的执法证号超过 {CARD} 个字。" if card.strip() else f"没有填写{user}的执法证号。"
            found.append(Problem("card", card[:20], text, "请填写有效的执法证号。"))
    return found


def _frame_problems(kind: str, way: str, title: str, first: date | None, last: date | None) -> list[Problem]:
    found = [
        Problem(field, given, f"没有{label}“{given}”。" if given else f"没有选择{label}。", "请从列表中选择。")
        for field, given, label, allowed in (("kind", kind, "稽核类型", PlanKind.values), ("way", way, "稽核方式", Way.values))
        if given not in allowed
    ]
    if not 0 < len(title.strip()) <= TITLE:
        text = f"案由超过 {TITLE} 个字。" if title.strip() else "没有填写案由。"
        found.append(Problem("title", title[:20], text, "请用一句话写明涉嫌的行为。"))
    for field, day, label in (("claims_from", first, "起日"), ("claims_to", last, "止日")):
        if day is None:
            found.append(Problem(field, "", f"没有填写费用所属期{label}。", "请填写日期。"))
        elif day > timezone.localdate():
            found.append(Problem(field, str(day), f"费用所属期{label} {day} 晚于今天。", "请填已经发生的期间。"))
    if first is not None and last is not None and last < first:
        found.append(Problem("claims_to", str(last), f"费用所属期止日 {last} 早于起日 {first}。", "请改正期间。"))
    return found
