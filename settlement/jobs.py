"""Long work of the settlement: the year's batch with one child per alliance, and reminders when an answer is overdue.

Jobs only propose: a child drafts or refreshes both fund types of its alliance, each in its own short transaction, so
that a killed one is simply run again. What an alliance lacks is told in the outcome; the others go on.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from core.access import may
from core.errors import Conflict, Refused
from core.jobs import JobRun, enqueue, job
from core.models import Alliance, FundType, Job, Role, User
from core.notices import notify_role
from core.trail import record
from settlement.models import SettlementVersion
from settlement.models.versions import SettlementVersionQuerySet
from settlement.reading import alliances_of_year
from settlement.services import draft
from settlement.services.steps import locked, name_of, statement_url
from settlement.states import Act, VersionState, action_name

YEAR_JOB, ALLIANCE_JOB, REMIND_JOB = "settlement.draft_year", "settlement.draft_alliance", "settlement.remind"


def enqueue_year(actor: User, year: int) -> Job:
    """Start drafting a year for every alliance the actor may see; returns the job with its progress."""
    seen = alliances_of_year(year).visible_to(actor).select_related("county__pooling_area")
    codes = sorted(alliance.code for alliance in seen if may(actor, action_name(Act.DRAFT), alliance))
    grants = [grant for grant in actor.grants_on(timezone.localdate()) if grant.role == Role.FUND_OFFICER]
    place = grants[0].place if grants else None
    return enqueue(
        YEAR_JOB,
        scope="" if place is None else f"{place._meta.model_name}:{place.pk}",
        period=str(year),
        params={"alliances": codes},
        actor=actor,
        place=place,
        label="年度清算起草",
    )


@job(YEAR_JOB, label="年度清算起草")
def draft_year(run: JobRun) -> str:
    """One child per alliance, so that one that cannot be settled does not stop the others."""
    codes = run.params["alliances"]
    for done, code in enumerate(codes, start=1):
        alliance = Alliance.objects.select_related("county__pooling_area").get(code=code)
        enqueue(
            ALLIANCE_JOB,
            scope=code,
            period=run.job.period,
            params={"alliance": code},
            actor=run.actor,
            place=alliance,
            parent=run.job,
            label=f"年度清算起草 · {alliance.name}",
        )
        run.progress(done, len(codes), alliance.name)
    return f"已为 {len(codes)} 个医共体启动 {run.job.period} 年度清算起草。"


@job(ALLIANCE_JOB, label="年度清算起草（单个医共体）")
def draft_alliance(run: JobRun) -> str:
    """Draft or refresh both fund types; a fund type that cannot be drafted says why."""
    alliance = Alliance.objects.select_related("county__pooling_area").get(code=run.params["alliance"])
    told = []
    for done, fund in enumerate(FundType, start=1):
        try:
            outcome = draft(run.actor, alliance, int(run.job.period), fund)
            cash = outcome.version.figures.cash
            told.append(f"{fund.label}：{outcome.text}，清算现金 {cash:,.2f} 元")
        except Conflict as conflict:
            told.append(f"{fund.label}：未改动。{conflict}")
        except Refused as refusal:
            told.append(f"{fund.label}：未起草。{refusal}")
        run.progress(done, len(FundType), fund.label)
    return "\n".join(told)


def enqueue_reminders() -> None:
    """Asked by the clock: is there a sent statement whose day has passed without a reminder?"""
    if _unanswered().exists():
        enqueue(REMIND_JOB, period=str(timezone.localdate()), label="清算确认逾期提醒")


@job(REMIND_JOB, label="清算确认逾期提醒")
def remind(run: JobRun) -> str:
    """Tell hospital and officer once that the day has passed. Silence is not consent: nothing moves."""
    done = 0
    for version in list(_unanswered().with_places()):
        with transaction.atomic():
            now = locked(version)
            if now.state != VersionState.SENT or now.reminded_on is not None:
                continue
            now.reminded_on = timezone.localdate()
            now.save(update_fields=["reminded_on"])
            text = f"{name_of(now)} 的确认期限 {now.confirm_by} 已过，尚未确认或提出异议；逾期不视为同意。"
            notify_role([Role.HOSPITAL_FINANCE, Role.FUND_OFFICER], now.alliance, text, statement_url(now))
            record(run.actor, "settlement.remind", now, text, {"confirm_by": now.confirm_by}, place=now.alliance)
            done += 1
    return f"已提醒 {done} 份逾期未答复的清算单。"


def _unanswered() -> SettlementVersionQuerySet:
    today = timezone.localdate()
    return SettlementVersion.objects.filter(state=VersionState.SENT, confirm_by__lt=today, reminded_on=None)
