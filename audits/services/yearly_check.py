"""年度检查考核 of providers (R-057, R-102): proposed with its score, approved by another person, its effects carried on.

A lower prepayment ratio is entered by a fund officer for the alliance whose lead hospital was checked, through the
budgets' own service whose reviewer approves it there. Two unqualified years in a row propose to terminate the agreement.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from audits.models import YearlyCheck
from audits.reading.agreements import running
from audits.reading.yearly_checks import Outcome, outcome_of
from audits.services import agreements
from audits.services.deciding import decide, need_status, text_problems
from budgets.services import enter_ratio
from core.access import HOSPITAL_ROLES, Allowed, Denied, actions, holders, may, require
from core.errors import Conflict, Problem, Refused
from core.models import Institution, Role, User
from core.notices import notify
from core.trail import record
from rules.errors import RuleError
from rules.trace import percent

PROPOSE, DECIDE = "audits.propose_yearly_check", "audits.decide_yearly_check"
RATIO = "budgets.enter_ratio"
REASON = 2000
YEARS = 3


def propose(actor: User, institution: Institution, year: int | None, score: Decimal | None, reason: str = "") -> YearlyCheck:
    """Propose the check of a year: the score (0–100) less the deduction for points gives grade and effects, with trace."""
    require(actor, PROPOSE, institution)
    with transaction.atomic():
        Institution.objects.select_for_update(no_key=True).get(pk=institution.pk)
        problems = _problems(institution, year, score, reason)
        if problems or year is None or score is None:
            raise Refused(problems)
        outcome = _outcome(institution, year, score)
        row = YearlyCheck.objects.create(
            institution=institution, year=year, score=score, reason=reason.strip(), proposed_by=actor,
            proposed_at=timezone.now(), **_frozen(outcome),
        )  # fmt: skip
        summary = f"提出{row}：得分 {score}，记分 {row.points} 分扣 {row.deduction} 分，待审定。"
        _tell(holders((Role.AUDIT_REVIEWER,), institution), actor, summary, row)
        _note(actor, PROPOSE, row, summary)
        return row


def decide_check(actor: User, row: YearlyCheck, approve: bool, reason: str = "") -> YearlyCheck:
    """Approve or return; another person than who proposed. Refuses to approve what the points no longer give."""
    require(actor, DECIDE, row.institution)
    with transaction.atomic():
        Institution.objects.select_for_update(no_key=True).get(pk=row.institution_id)
        held = _locked(row)
        need_status(held, "proposed", "审定")
        if approve:
            _same_outcome(held)
        decide(actor, held, "approved" if approve else "returned", reason, f"{held}")
        words = f"：{reason.strip()}" if reason.strip() else ""
        summary = f"{'审定' if approve else '退回'}{held}{words}"
        _tell([held.proposed_by, *(holders(HOSPITAL_ROLES, held.institution) if approve else [])], actor, summary, held)
        if approve:
            _carry_on(actor, held)
        _note(actor, DECIDE, held, summary)
        return held


def enter_prepayment_ratio(actor: User, row: YearlyCheck) -> YearlyCheck:
    """A fund officer enters the next year's lower ratio for the alliance led; the fund reviewer approves it there."""
    require(actor, RATIO, row.institution if row.lead_of is None else row.lead_of)
    with transaction.atomic():
        held = _locked(row)
        problems = _ratio_problems(held)
        if problems or held.lead_of is None:
            raise Conflict(problems)
        ratio = Decimal(held.effects["prepayment_ratio"])
        entered = enter_ratio(actor, held.lead_of, held.year + 1, ratio, f"{held}，记入{held.lead_of}次年按月预付比例")
        held.ratio = entered.pk
        held.save(update_fields=["ratio"])
        summary = f"按{held}录入{held.lead_of} {held.year + 1} 年每月预付比例 {percent(ratio)}，待基金复核审定。"
        _tell([held.proposed_by], actor, summary, held)
        _note(actor, RATIO, held, summary)
        return held


def may_enter_ratio(user: User, row: YearlyCheck) -> Allowed | Denied | None:
    """Whether this person may enter the ratio now; None where there is none to enter (any more)."""
    if row.lead_of is None or _ratio_problems(row):
        return None
    return may(user, RATIO, row.lead_of)


def ratio_roles() -> frozenset[str]:
    """The posts that may enter a ratio."""
    return actions[RATIO].roles


def _ratio_problems(row: YearlyCheck) -> list[Problem]:
    if row.status != "approved":
        text = f"{row}现在是“{row.get_status_display()}”。"
        return [Problem("status", row.get_status_display(), text, "审定后才能录入预付比例。")]
    if not row.lowers_prepayment:
        return [Problem("ratio", "", f"{row}不调低按月预付比例。", "不需要录入。")]
    if row.ratio is not None:
        return [Problem("ratio", str(row.ratio), f"已按{row}录入过预付比例。", "请在月度预付页面查看或审定。")]
    return []


def _outcome(institution: Institution, year: int, score: Decimal) -> Outcome:
    try:
        return outcome_of(institution, year, score)
    except RuleError as error:
        raise Refused([Problem(one.field, one.value, f"{one.text}。", f"{one.remedy}。") for one in error.problems]) from error


def _frozen(outcome: Outcome) -> dict[str, Any]:
    return {
        "points": outcome.points, "deduction": outcome.deduction.value, "grade": outcome.check.grade.key,
        "effects": outcome.effects.as_json(), "trace": outcome.trace, "lead_of": outcome.lead_of,
    }  # fmt: skip


def _same_outcome(row: YearlyCheck) -> None:
    """The points, the years before or the ratio may have moved on since it was proposed."""
    now = _frozen(_outcome(row.institution, row.year, row.score))
    if now["points"] != row.points:
        text = f"提出时记分 {row.points} 分，现在是 {now['points']} 分。"
    elif now["effects"] != row.effects or now["grade"] != row.grade or now["lead_of"] != row.lead_of:
        text = "以前年度的等次、现行预付比例或牵头医院在提出后已变化。"
    else:
        return
    raise Conflict([Problem("points", str(row.points), text, "请退回后重新提出。")])


def _carry_on(actor: User, row: YearlyCheck) -> None:
    if row.lowers_prepayment and row.lead_of is not None:
        ratio = percent(Decimal(row.effects["prepayment_ratio"]))
        text = f"按考核结果录入预付比例：{row.lead_of} {row.year + 1} 年每月 {ratio}（{row}）。"
        notify(holders(ratio_roles(), row.lead_of), text, row.get_absolute_url())
    held = running(row.institution, timezone.localdate()) if row.effects["terminated"] else None
    if held is not None and not held.changes.filter(kind="terminate", status="proposed").exists():
        text = f"{row.year - 1}、{row.year} 年度检查考核连续两年不合格，按协议约定解除协议。"
        data = {"yearly_check": row.pk}
        agreements.lay(
            actor, agreements.locked(held), "terminate", text, timezone.localdate(), data=data, named=row.proposed_by
        )


def _problems(institution: Institution, year: int | None, score: Decimal | None, reason: str) -> list[Problem]:
    today = timezone.localdate()
    problems = text_problems("reason", "说明", reason, REASON, 0)
    if year is None or not today.year - YEARS <= year <= today.year:
        text = "没有填写年度。" if year is None else f"年度 {year} 不在 {today.year - YEARS} 至 {today.year} 之间。"
        problems.append(Problem("year", str(year or ""), text, "请填考核的年度。"))
    else:
        held = YearlyCheck.objects.exclude(status="returned").filter(institution=institution, year=year).first()
        if held is not None:
            text = f"{institution} {year} 年度检查考核已有（{held.get_status_display()}，{held.get_grade_display()}）。"
            problems.append(Problem("year", str(year), text, "一家机构一年一次；待审定的请先退回。"))
    if score is None:
        problems.append(Problem("score", "", "没有填写检查得分。", "请填 0 到 100 的分数。"))
    elif not 0 <= score <= 100:
        problems.append(Problem("score", str(score), f"检查得分须在 0 到 100 之间，现为 {score}。", "请改正得分。"))
    elif -int(score.normalize().as_tuple().exponent) > 2:
        problems.append(Problem("score", str(score), f"检查得分 {score} 超过两位小数。", "请最多填两位小数。"))
    return problems


def _locked(row: YearlyCheck) -> YearlyCheck:
    rows = YearlyCheck.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related(
        "institution__county__pooling_area", "lead_of__county__pooling_area", "proposed_by", "decided_by"
    ).get(pk=row.pk)


def _tell(people: list[User], actor: User, text: str, row: YearlyCheck) -> None:
    notify([person for person in people if person.pk != actor.pk], text, row.get_absolute_url())


def _note(actor: User, action: str, row: YearlyCheck, summary: str) -> None:
    data = {
        "check": row.pk, "status": row.status, "year": row.year, "score": row.score, "points": row.points,
        "deduction": row.deduction, "grade": row.grade, "effects": row.effects, "ratio": row.ratio,
    }  # fmt: skip
    record(actor, action, row, summary, data, place=row.institution)
