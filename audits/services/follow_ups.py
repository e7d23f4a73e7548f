"""回头看 (R-114): planned with its last day, checked once; what was not mended becomes a new lead."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.utils import timezone

from audits.models import Case, FollowUp, LeadSource
from audits.services.leads import enter_lead
from audits.services.steps import begin, finish
from audits.services.telling import officers, reviewers
from audits.states import Act
from core.errors import Conflict, Problem
from core.models import User
from core.texts import plain

ORIGIN = "audits.followup"
MENDED, PARTLY, NOT_MENDED = "mended", "partly", "not"
RESULTS = {MENDED: "已整改", PARTLY: "部分整改", NOT_MENDED: "未整改"}
MOST_FOCUS = 300


def plan_follow_up(actor: User, case: Case, *, due_on: date, focus: str) -> FollowUp:
    """Plan a check of what was ordered, ``due_on`` its last day, ``focus`` what to look at."""
    words = plain(focus).strip()
    with transaction.atomic():
        held, step = begin(actor, case, Act.FOLLOW_UP, words, [*_due_problems("due_on", due_on), *_focus_problems(words)])
        planned = _planned(actor, held, due_on, words)
        finish(
            actor, held, step, f"安排回头看（案件 {held.number}），期限 {due_on}", reason=words, until=due_on,
            tell=officers(held), data={"follow_up": planned.pk},
        )  # fmt: skip
        return planned


def finish_follow_up(
    actor: User, follow_up: FollowUp, *, done_on: date, result: str, text: str, next_due: date | None = None
) -> FollowUp:
    """What was found, once. Not mended: a new lead. Partly: another check until ``next_due``."""
    words = plain(text).strip()
    with transaction.atomic():
        problems = _result_problems(follow_up, done_on, result, next_due)
        held, step = begin(actor, follow_up.case, Act.FOLLOW_UP, words, problems)
        now: FollowUp = FollowUp.objects.select_for_update(of=("self",), no_key=True).get(pk=follow_up.pk)
        now.case = held
        if now.done_on is not None:
            text = f"回头看的结果已由{now.done_by}于 {now.done_on} 登记。"
            raise Conflict([Problem("state", "", text, "请刷新页面查看最新状态。")])
        now.done_on, now.done_by, now.result, now.text = done_on, actor, result, words
        if result == NOT_MENDED:
            now.lead = enter_lead(
                actor, source=LeadSource.FOLLOW_UP, county=held.county, institution=held.institution,
                party_kind=held.party_kind, party_name=held.party_name, party_code=held.party_code,
                title=f"{held.title}（回头看未整改）"[:120], detail=f"案件 {held.number} 回头看发现未整改：{words}",
                origin_type=ORIGIN, origin_key=str(now.pk),
            )  # fmt: skip
        now.save(update_fields=["done_on", "done_by", "result", "text", "lead"])
        again = _planned(actor, held, next_due, now.focus) if result == PARTLY and next_due else None
        finish(
            actor, held, step, f"登记回头看结果（案件 {held.number}）：{RESULTS[result]}", reason=words, until=next_due,
            tell=reviewers(held),
            data={
                "follow_up": now.pk, "result": result, "lead": now.lead.number if now.lead else "", "next": again.pk if again else "",
            },
        )  # fmt: skip
        return now


def _planned(actor: User, case: Case, due_on: date, focus: str) -> FollowUp:
    return FollowUp.objects.create(case=case, due_on=due_on, focus=focus, planned_by=actor, planned_at=timezone.now())


def _due_problems(field: str, due_on: date) -> list[Problem]:
    if due_on >= timezone.localdate():
        return []
    return [Problem(field, str(due_on), "回头看期限早于今天。", "请填写今天或以后的日期。")]


def _focus_problems(focus: str) -> list[Problem]:
    if len(focus) <= MOST_FOCUS:
        return []
    return [Problem("focus", f"{len(focus)} 字", f"重点超过 {MOST_FOCUS} 个字。", "请缩短。")]


def _result_problems(follow_up: FollowUp, done_on: date, result: str, next_due: date | None) -> list[Problem]:
    problems = []
    if result not in RESULTS:
        problems.append(Problem("result", result, "没有选择结果。", f"请从{'、'.join(RESULTS.values())}中选择。"))
    if done_on > timezone.localdate():
        problems.append(Problem("done_on", str(done_on), "检查日期晚于今天。", "请在检查之后登记。"))
    elif done_on < timezone.localdate(follow_up.planned_at):
        problems.append(Problem("done_on", str(done_on), "检查日期早于安排日期。", "请核对日期。"))
    if result == PARTLY and next_due is None:
        problems.append(Problem("next_due", "", "部分整改的，没有填写再次回头看的期限。", "请填写期限。"))
    elif result == PARTLY and next_due is not None:
        problems += _due_problems("next_due", next_due)
    return problems
