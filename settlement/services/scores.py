"""The yearly assessment score: entered with its document, confirmed by another person (R-053).

A score that no grade of the scheme or the local table covers is refused, naming who must supply the grade.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation

from django.db import transaction
from django.utils import timezone

from core.access import different_person, require
from core.errors import Conflict, Problem, Refused
from core.models import Alliance, Role, StoredFile, User
from core.notices import notify_role
from core.policies import scheme_in_force
from core.trail import record
from rules.assessment import Assessed, AssessmentError, factor_of
from settlement.models import AssessmentScore, ScoreState


def record_score(
    actor: User,
    alliance: Alliance,
    year: int,
    score: Decimal,
    source: str,
    document: StoredFile | None = None,
) -> AssessmentScore:
    """Enter the assessment score (0–100) of an alliance and year with the document it stands in.

    The same score from the same source again returns the held row. Refuses a score without a grade in the scheme in
    force at the end of the year, and one without a source.
    """
    require(actor, "settlement.enter_score", alliance)
    problems = [] if source.strip() else [Problem("source", "", "没有填写考核结果文件。", "请填写文号和标题。")]
    value = _exact(score, problems)
    if value is not None:
        try:
            graded(alliance, year, value)
        except AssessmentError as error:
            problems.extend(Problem("score", p.value, p.text, p.remedy) for p in error.problems)
        except Refused as refusal:
            problems.extend(refusal.problems)
    if problems or value is None:
        raise Refused(problems)
    with transaction.atomic():
        alliance = Alliance.objects.select_for_update(no_key=True).get(pk=alliance.pk)
        held = AssessmentScore.objects.filter(alliance=alliance, year=year).exclude(state=ScoreState.WITHDRAWN)
        same = held.filter(score=value, source=source.strip()).first()
        if same is not None:
            return same
        held.filter(state=ScoreState.ENTERED).update(state=ScoreState.WITHDRAWN)
        row = AssessmentScore.objects.create(
            alliance=alliance, year=year, score=value, source=source.strip(), document=document, entered_by=actor
        )
        notify_role([Role.FUND_REVIEWER], alliance, f"待核实：{row}", f"/settlement/?year={year}")
        record(actor, "settlement.enter_score", row, f"录入{row}，依据《{row.source}》", {"score": value, "year": year})
        return row


def confirm_score(actor: User, row: AssessmentScore) -> AssessmentScore:
    """A reviewer confirms a score against its document; a former confirmed score of the year gives way."""
    require(actor, "settlement.confirm_score", row.alliance)
    with transaction.atomic():
        rows = AssessmentScore.objects.select_for_update(of=("self",), no_key=True).select_related("alliance__county", "entered_by")
        row = rows.get(pk=row.pk)
        different_person(actor, row.entered_by, "核实考核得分")
        if row.state != ScoreState.ENTERED:
            raise Conflict(
                [Problem("state", row.get_state_display(), f"该得分现在是“{row.get_state_display()}”。", "请刷新页面。")]
            )
        former = AssessmentScore.objects.confirmed().filter(alliance=row.alliance, year=row.year)
        replaced = [str(old.score) for old in former]
        former.update(state=ScoreState.WITHDRAWN)
        row.state, row.confirmed_by, row.confirmed_at = ScoreState.CONFIRMED, actor, timezone.now()
        row.save(update_fields=["state", "confirmed_by", "confirmed_at"])
        notify_role([Role.FUND_OFFICER], row.alliance, f"{row}已核实，请刷新清算试算。", f"/settlement/?year={row.year}")
        data = {"score": row.score, "year": row.year, "replaced": replaced}
        record(actor, "settlement.confirm_score", row, f"核实{row}", data)
        return row


def graded(alliance: Alliance, year: int, score: Decimal) -> Assessed:
    """The grade and factor of a score under the scheme of the year; AssessmentError when none covers it."""
    return factor_of(score, scheme_in_force(alliance, date(year, 12, 31)).scheme.grades)


def _exact(score: object, problems: list[Problem]) -> Decimal | None:
    try:
        value = Decimal(str(score).strip())
        if not value.is_finite() or isinstance(score, float):
            raise InvalidOperation
    except InvalidOperation:
        problems.append(Problem("score", str(score), "考核得分须为数字。", "请填写 0 到 100 的得分，最多两位小数。"))
        return None
    if value != value.quantize(Decimal("0.01")):
        problems.append(Problem("score", str(score), "考核得分最多两位小数。", "请按考核结果文件填写。"))
        return None
    return value
