"""Starting a month's end, closing a month and opening it again.

A closed month still takes in late facts as new versions: what was issued from it stays as it was, and every recomputation
says that it came after the closing. The reviewer closes, with a reason when steps are not done.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from core.access import holders, may, require
from core.errors import Conflict, Problem, Refused, need_reason
from core.handlers import enqueue_alliance
from core.jobs import enqueue
from core.models import Alliance, Job, PoolingArea, Role, User
from core.notices import notify
from core.registries import month_end_steps
from core.trail import record
from monitoring.models.periods import Period, PeriodAct, PeriodChange, PeriodState, RunState, StepRun
from monitoring.reading.periods import facts_of
from rules.periods import Month

RUN, CLOSE, REOPEN = "monitoring.run_month_end", "monitoring.close_period", "monitoring.reopen_period"
JOB = "month_end"


def start_month_end(actor: User, month: Month, alliance: Alliance | None = None) -> Job:
    """Run the month's end of one alliance, or of every alliance the officer answers for; what runs already is returned."""
    _need_over(month)
    if alliance is not None:
        require(actor, RUN, alliance)
        _need_in_force(alliance, month)
        with transaction.atomic():
            job = enqueue_alliance(alliance, month, actor)
            record(actor, RUN, job, f"启动 {month} 月末处理：{alliance}", {"month": str(month)}, place=alliance)
        return job
    seen = Alliance.objects.on(month.last_day).visible_to(actor).select_related("county__pooling_area").order_by("code")
    mine = [one for one in seen if may(actor, RUN, one)]
    if not mine:
        raise Refused([Problem("month", str(month), "您经办的范围内当月没有医共体。", "请核对月份，或请系统管理员授予岗位。")])
    place = next(grant.place for grant in actor.grants_on(timezone.localdate()) if grant.role == Role.FUND_OFFICER)
    with transaction.atomic():
        job = enqueue(
            JOB,
            scope=f"{place._meta.model_name}:{place.pk}",
            period=str(month),
            params={"alliances": [one.code for one in mine]},
            actor=actor,
            place=place,
        )
        record(actor, RUN, job, f"启动 {month} 月末处理：{len(mine)} 个医共体", {"month": str(month)}, place=place)
    return job


def close_period(actor: User, area: PoolingArea, month: Month, reason: str = "") -> Period:
    """Close a month that is over; steps that are not done need a reason. Raises ``Conflict`` when it is closed."""
    require(actor, CLOSE, area)
    _need_over(month)
    if not Alliance.objects.filter(county__pooling_area=area).on(month.last_day).exists():
        raise Refused([Problem("month", str(month), f"{area} {month} 月末没有存续的医共体，没有可结账的内容。", "请核对月份。")])
    with transaction.atomic():
        period = _locked(area, month)
        if period.is_closed:
            raise Conflict([Problem("state", "已结账", f"{period}已由{period.closed_by}结账。", "请刷新页面查看。")])
        lacking = undone(area, month)
        if lacking:
            _need_reason_for(lacking, reason)
        now = timezone.now()
        _move(actor, period, PeriodAct.CLOSE, PeriodState.CLOSED, reason, closed_at=now, closed_by=actor, undone=lacking)
        text = f"{period}已结账。" + (f"尚有 {len(lacking)} 项未完成，理由：{reason.strip()}" if lacking else "")
        notify(holders({Role.FUND_OFFICER}, area), text, period.get_absolute_url())
        record(actor, CLOSE, period, text, {"undone": len(lacking), "reason": reason.strip()}, place=area)
        return period


def reopen_period(actor: User, area: PoolingArea, month: Month, reason: str) -> Period:
    """Open a closed month again, always with a reason."""
    require(actor, REOPEN, area)
    need_reason(reason)
    with transaction.atomic():
        period = _locked(area, month)
        if not period.is_closed:
            raise Conflict([Problem("state", period.get_state_display(), f"{period}没有结账，不用重新打开。", "请刷新页面。")])
        _move(actor, period, PeriodAct.REOPEN, PeriodState.REOPENED, reason)
        text = f"{period}已重新打开：{reason.strip()}"
        notify(holders({Role.FUND_OFFICER}, area), text, period.get_absolute_url())
        record(actor, REOPEN, period, text, {"reason": reason.strip()}, place=area)
        return period


def undone(area: PoolingArea, month: Month) -> list[str]:
    """Every step of every alliance of the area that is not done for the month, in words; two queries."""
    alliances = list(Alliance.objects.filter(county__pooling_area=area).on(month.last_day).order_by("code"))
    runs = {
        (row.alliance_id, row.step): row
        for row in StepRun.objects.filter(alliance__in=alliances, year=month.year, month=month.month)
    }
    lacking = []
    for alliance in alliances:
        for name, step in month_end_steps:
            row = runs.get((alliance.pk, name))
            state = row.state if row is not None else RunState.WAITING
            if state != RunState.DONE:
                lacking.append(f"{alliance} · {step.label}（{RunState(state).label}）")
    return lacking


def _need_over(month: Month) -> None:
    if month.last_day >= timezone.localdate():
        raise Refused([Problem("month", str(month), f"{month} 尚未结束。", "请在次月 1 日以后办理。")])


def _need_in_force(alliance: Alliance, month: Month) -> None:
    if not Alliance.objects.on(month.last_day).filter(pk=alliance.pk).exists():
        raise Refused([Problem("alliance", str(alliance), f"该医共体 {month} 月末不在存续期内。", "请核对月份。")])


def _need_reason_for(lacking: list[str], reason: str) -> None:
    try:
        need_reason(reason)
    except Refused:
        named = "；".join(lacking[:3]) + ("等" if len(lacking) > 3 else "")
        text = f"还有 {len(lacking)} 项月末步骤未完成：{named}。"
        raise Refused([Problem("reason", reason.strip(), text, "请先补办，或写明仍要结账的理由（至少 4 个字）。")]) from None


def _locked(area: PoolingArea, month: Month) -> Period:
    Period.objects.get_or_create(pooling_area=area, year=month.year, month=month.month)
    held = Period.objects.select_for_update(of=("self",), no_key=True).select_related("pooling_area", "closed_by")
    return held.get(pooling_area=area, year=month.year, month=month.month)


def _move(
    actor: User, period: Period, act: str, state: str, reason: str, undone: list[str] | None = None, **fields: Any
) -> None:
    PeriodChange.objects.create(
        period=period, act=act, source=period.state, target=state, actor=actor, at=timezone.now(),
        reason=reason.strip(), undone=undone or [], facts=facts_of(period.pooling_area_id, period.of),
    )  # fmt: skip
    period.state, period.reason = state, reason.strip()
    for name, value in fields.items():
        setattr(period, name, value)
    period.save(update_fields=["state", "reason", *fields])
