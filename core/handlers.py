"""Job handlers that belong to no single app: the month-end job and its child per alliance."""

from __future__ import annotations

from dataclasses import replace

import structlog
from django.utils import timezone

from core.access import NotAllowed
from core.errors import Refused
from core.jobs import JobRun, enqueue, job
from core.models import Alliance, Job, User
from core.registries import MonthEndStep, StepEvent, StepState, month_end_steps, step_listeners
from rules.periods import Month

log = structlog.get_logger(__name__)


def look_for_month_end() -> None:
    """Once a month is over and no run for it exists, start one; asked by the clock, answered by rows.

    Waits while other work is unfinished, so that the month is read after the imports under way.
    """
    ended = Month.of(timezone.localdate()).previous()
    started = Job.objects.filter(name="month_end", scope="", period=str(ended))
    if Job.objects.unfinished().exists() or started.exists():
        return
    if Alliance.objects.on(ended.last_day).exists():
        enqueue("month_end", period=str(ended))


@job("month_end", label="月末处理")
def month_end(run: JobRun) -> str:
    """Start one child per alliance in force that month, so that one failure does not stop the others."""
    month = Month.parse(run.job.period)
    alliances = list(Alliance.objects.on(month.last_day).select_related("county__pooling_area"))
    chosen = run.params.get("alliances") or [code for code in [run.params.get("alliance")] if code]
    if chosen:
        alliances = [alliance for alliance in alliances if alliance.code in chosen]
    for done, alliance in enumerate(alliances, start=1):
        enqueue_alliance(alliance, month, run.actor, parent=run.job)
        run.progress(done, len(alliances), alliance.name)
    return f"已为 {len(alliances)} 个医共体启动 {month} 月末处理。"


def enqueue_alliance(alliance: Alliance, month: Month, actor: User | None, parent: Job | None = None) -> Job:
    """The month end of one alliance, or the one under way."""
    return enqueue(
        "month_end_alliance",
        scope=alliance.code,
        period=str(month),
        params={"alliance": alliance.code},
        actor=actor,
        place=alliance,
        parent=parent,
        label=f"月末处理 · {alliance.name}",
    )


@job("month_end_alliance", label="月末处理（单个医共体）")
def month_end_alliance(run: JobRun) -> str:
    """Every registered step in order. One that fails stops those that need it and no others; the listeners are told."""
    month = Month.parse(run.job.period)
    alliance = Alliance.objects.select_related("county__pooling_area").get(code=run.params["alliance"])
    steps = list(month_end_steps)
    for _name, listener in step_listeners:
        listener.begun(alliance, month, [(name, step.label) for name, step in steps], run.job.pk)
    told: list[str] = []
    wanting: dict[str, str] = {}
    for done, (name, step) in enumerate(steps, start=1):
        event = StepEvent(alliance, month, name, step.label, run.job.pk, StepState.RUNNING)
        without = [wanting[need] for need in step.needs if need in wanting]
        if without:
            event = replace(event, state=StepState.SKIPPED, text=f"未执行：须先完成“{'”“'.join(without)}”。")
            _tell(event)
        else:
            event = _do(step, event, run)
        if event.state != StepState.DONE:
            wanting[name] = step.label
        told.append(f"{step.label}：{event.text}")
        run.progress(done, len(steps), step.label)
    if wanting:
        raise Refused("\n".join(told))
    return "\n".join(told)


def _do(step: MonthEndStep, event: StepEvent, run: JobRun) -> StepEvent:
    """Run one step, unless it was done with the same inputs before."""
    try:
        inputs = step.inputs(event.alliance, event.month) if step.inputs else ""
        held = _held(event, inputs) if inputs else None
        if held is not None:
            return replace(event, state=StepState.DONE, text=held, inputs=inputs)
        _tell(event)
        text, state = step.run(event.alliance, event.month, run.actor), StepState.DONE
    except (Refused, NotAllowed) as refusal:
        text, state, inputs = str(refusal), StepState.FAILED, ""
    except Exception:
        log.exception("month_end_step_failed", job=event.job, step=event.name, alliance=event.alliance.code)
        text = f"程序出错，未完成。已记录日志（任务编号 {event.job}），请联系系统管理员；数据没有写入一半。"
        state, inputs = StepState.FAILED, ""
    ended = replace(event, state=state, text=text, inputs=inputs)
    _tell(ended)
    return ended


def _held(event: StepEvent, inputs: str) -> str | None:
    answers = (listener.held(event.alliance, event.month, event.name, inputs) for _name, listener in step_listeners)
    return next((answer for answer in answers if answer is not None), None)


def _tell(event: StepEvent) -> None:
    for _name, listener in step_listeners:
        listener.told(event)
