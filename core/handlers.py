"""Job handlers that belong to no single app: the month-end job and its child per alliance."""

from __future__ import annotations

from django.utils import timezone

from core.jobs import JobRun, enqueue, job
from core.models import Alliance, Job
from core.registries import month_end_steps
from rules.periods import Month


def look_for_month_end() -> None:
    """Once a month is over and no run for it exists, start one; asked by the clock, answered by rows.

    Waits while other work is unfinished, so that the month is read after the imports under way.
    """
    ended = Month.of(timezone.localdate()).previous()
    if Job.objects.unfinished().exists() or Job.objects.filter(name="month_end", period=str(ended)).exists():
        return
    if Alliance.objects.on(ended.last_day).exists():
        enqueue("month_end", period=str(ended))


@job("month_end", label="月末处理")
def month_end(run: JobRun) -> str:
    """Start one child per alliance in force that month, so that one failure does not stop the others."""
    month = Month.parse(run.job.period)
    alliances = list(Alliance.objects.on(month.last_day).select_related("county__pooling_area"))
    if run.params.get("alliance"):
        alliances = [alliance for alliance in alliances if alliance.code == run.params["alliance"]]
    for done, alliance in enumerate(alliances, start=1):
        enqueue(
            "month_end_alliance",
            scope=alliance.code,
            period=run.job.period,
            params={"alliance": alliance.code},
            actor=run.actor,
            place=alliance,
            parent=run.job,
            label=f"月末处理 · {alliance.name}",
        )
        run.progress(done, len(alliances), alliance.name)
    return f"已为 {len(alliances)} 个医共体启动 {month} 月末处理。"


@job("month_end_alliance", label="月末处理（单个医共体）")
def month_end_alliance(run: JobRun) -> str:
    """Every registered step in order; each step is idempotent and says what it did."""
    month = Month.parse(run.job.period)
    alliance = Alliance.objects.select_related("county__pooling_area").get(code=run.params["alliance"])
    steps = list(month_end_steps)
    told = []
    for done, (_name, step) in enumerate(steps, start=1):
        told.append(f"{step.label}：{step.run(alliance, month, run.actor)}")
        run.progress(done, len(steps), step.label)
    return "\n".join(told)
