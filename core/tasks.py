"""What Celery runs: waking a job, requeueing dead ones, and the clock that asks what is due."""

from __future__ import annotations

from celery import shared_task


@shared_task(name="core.tasks.run_job")
def run_job(job_id: int) -> None:
    from core import jobs

    jobs.run(job_id)


@shared_task(name="core.tasks.requeue_stuck")
def requeue_stuck() -> None:
    from core import jobs

    jobs.requeue_stale()


@shared_task(name="core.tasks.tick")
def tick() -> None:
    """Ask every registered source what has become due; each enqueues its own jobs from rows, never from arguments."""
    import structlog

    from core.registries import due_work

    for name, look in due_work:
        try:
            look()
        except Exception:  # one that fails must not keep the others from looking
            structlog.get_logger(__name__).exception("due_work_failed", source=name)


@shared_task(name="core.tasks.append_trail_heads")
def append_trail_heads() -> None:
    from core import trail

    trail.append_heads_to_file()
