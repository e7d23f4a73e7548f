"""Long work: enqueued with the change that causes it, run by a worker, resumed after a kill, never done twice.

The ``Job`` row is the truth; the broker only wakes a worker. A handler is idempotent, reports progress and returns the
outcome in words for people. A rerun with the same input fingerprint does nothing; with new inputs it is lawful.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from core.access import NotAllowed
from core.errors import Refused
from core.models import Job, User
from core.models.jobs import JobState
from core.trail import places_of

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 5
STALE_AFTER = timedelta(seconds=60)
MAX_ATTEMPTS = 5


class JobRun:
    """What a handler sees of its job."""

    def __init__(self, job: Job) -> None:
        self.job = job

    @property
    def params(self) -> dict[str, Any]:
        return self.job.params  # type: ignore[no-any-return]

    @property
    def actor(self) -> User | None:
        return self.job.actor

    def progress(self, done: int, total: int, text: str = "") -> None:
        """Tell how far the work is; shown as a bar. Also the heartbeat."""
        Job.objects.filter(pk=self.job.pk).update(
            progress_done=done, progress_total=total, progress_text=text[:200], heartbeat_at=timezone.now()
        )


@dataclass(frozen=True)
class Handler:
    name: str
    label: str
    run: Callable[[JobRun], str]


handlers: dict[str, Handler] = {}


def job(name: str, label: str) -> Callable[[Callable[[JobRun], str]], Callable[[JobRun], str]]:
    """Register ``handler(run) -> outcome text`` under ``name``."""

    def register(handler: Callable[[JobRun], str]) -> Callable[[JobRun], str]:
        handlers[name] = Handler(name, label, handler)
        return handler

    return register


def enqueue(
    name: str,
    *,
    scope: str = "",
    period: str = "",
    params: dict[str, Any] | None = None,
    fingerprint: str = "",
    actor: User | None = None,
    place: Any = None,
    parent: Job | None = None,
    label: str = "",
) -> Job:
    """The unfinished job of this name, scope and period, or a new one that starts when the transaction commits.

    With a ``fingerprint`` equal to that of the latest finished run, returns that run and starts nothing.
    """
    with transaction.atomic():
        same = Job.objects.select_for_update(no_key=True).filter(name=name, scope=scope, period=period)
        unfinished = same.unfinished().first()
        if unfinished is not None:
            return unfinished
        if fingerprint:
            latest = same.filter(state=JobState.DONE).order_by("-pk").first()
            if latest is not None and latest.fingerprint == fingerprint:
                return latest
        area, county, alliance = places_of(place)
        try:
            with transaction.atomic():
                created = Job.objects.create(
                    name=name,
                    label=label or handlers[name].label,
                    scope=scope,
                    period=period,
                    params=params or {},
                    fingerprint=fingerprint,
                    actor=actor,
                    parent=parent,
                    pooling_area=area,
                    county=county,
                    alliance=alliance,
                )
        except IntegrityError:  # somebody enqueued the same work at the same moment
            return Job.objects.filter(name=name, scope=scope, period=period).latest("pk")
        transaction.on_commit(lambda: _wake(created.pk))
        return created


def run(job_id: int) -> Job | None:
    """Run a queued job in this process under a heartbeat; None if somebody else has it."""
    claimed = _claim(job_id)
    if claimed is None:
        return None
    with _heartbeat(job_id):
        return _execute(claimed)


def run_now(queued: Job) -> Job:
    """Run a queued job to its end in the caller's thread (commands and tests); a finished one is returned as it is."""
    claimed = _claim(queued.pk)
    if claimed is None:
        return Job.objects.get(pk=queued.pk)
    return _execute(claimed)


def requeue_all_running() -> int:
    """Before the only worker starts: whatever still says "running" died with its worker. Wakes queued ones too."""
    return _requeue(Q(state=JobState.RUNNING))


def requeue_stale() -> int:
    """Running jobs without a fresh heartbeat are queued again; lost wake-ups are repeated."""
    return _requeue(Q(state=JobState.RUNNING) & Q(heartbeat_at__lt=timezone.now() - STALE_AFTER))


def _requeue(dead: Q) -> int:
    exhausted = Job.objects.filter(dead, attempts__gte=MAX_ATTEMPTS)
    exhausted.update(
        state=JobState.FAILED,
        finished_at=timezone.now(),
        outcome=f"任务中断 {MAX_ATTEMPTS} 次仍未完成，已停止重试。请联系系统管理员查看日志后重新提交。",
    )
    revived = list(Job.objects.filter(dead).values_list("pk", flat=True))
    Job.objects.filter(dead, pk__in=revived).update(state=JobState.QUEUED)
    overdue = Q(created_at__lt=timezone.now() - timedelta(seconds=20)) | Q(pk__in=revived)
    for pk in Job.objects.filter(overdue, state=JobState.QUEUED).values_list("pk", flat=True):
        _wake(pk)
    return len(revived)


def _wake(job_id: int) -> None:
    from core.tasks import run_job

    run_job.delay(job_id)


def _claim(job_id: int) -> Job | None:
    with transaction.atomic():
        found = Job.objects.select_for_update(no_key=True).filter(pk=job_id, state=JobState.QUEUED).first()
        if found is None:
            return None
        found.state = JobState.RUNNING
        found.attempts += 1
        found.started_at = found.heartbeat_at = timezone.now()
        found.save(update_fields=["state", "attempts", "started_at", "heartbeat_at"])
        return found


def _execute(claimed: Job) -> Job:
    try:
        outcome, state = handlers[claimed.name].run(JobRun(claimed)), JobState.DONE
    except (Refused, NotAllowed) as refusal:
        outcome, state = str(refusal), JobState.FAILED
    except Exception:
        log.exception("job_failed", job=claimed.pk, name=claimed.name)
        outcome = f"程序出错，未完成。已记录日志（任务编号 {claimed.pk}），请联系系统管理员；数据没有写入一半。"
        state = JobState.FAILED
    # A run that was given up as dead and requeued has no say any more: the later attempt tells the outcome.
    mine = Job.objects.filter(pk=claimed.pk, attempts=claimed.attempts, state=JobState.RUNNING)
    mine.update(state=state, outcome=outcome, finished_at=timezone.now())
    return Job.objects.get(pk=claimed.pk)


@contextmanager
def _heartbeat(job_id: int) -> Iterator[None]:
    stopped = threading.Event()

    def beat() -> None:
        while not stopped.wait(HEARTBEAT_SECONDS):
            try:
                Job.objects.filter(pk=job_id).update(heartbeat_at=timezone.now())
            except Exception:
                log.warning("heartbeat_missed", job=job_id)
        connection.close()

    thread = threading.Thread(target=beat, name=f"heartbeat-{job_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
