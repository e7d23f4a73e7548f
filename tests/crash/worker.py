"""A worker in a process of its own that dies by SIGKILL at a chosen commit point, and the next one that does not.

Commit points are all moments before something lasts: a COMMIT (the open transaction dies with the process), a write outside
a transaction, a file renamed into place. What only tells progress is none. The process is forked from a server that has
loaded the application and done nothing else, so that a hundred of them cost seconds.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

PATIENCE = 60


class Deathbed:
    """Counts commit points and kills the process at the one it was given; 0 is never."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.passed = 0

    def point(self) -> None:
        self.passed += 1
        if self.passed == self.last:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(self, act: Callable[..., Any]) -> Callable[..., Any]:
        def acted(*args: Any, **kwargs: Any) -> Any:
            self.point()
            return act(*args, **kwargs)

        return acted

    def before_lonely_writes(self, execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        writes = sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE"))
        if writes and "progress_text" not in sql and not context["connection"].in_atomic_block:
            self.point()
        return execute(sql, params, many, context)


def work(database: str, data_dir: str, die_at: int) -> None:
    """Take up what a dead worker left and do every queued job, as the worker of a site does after its start."""
    from django.conf import settings
    from django.db import connection
    from django.db.backends.base.base import BaseDatabaseWrapper

    from core import jobs
    from core.models import Job
    from core.models.jobs import JobState

    connection.settings_dict["NAME"] = database
    settings.DATA_DIR = Path(data_dir)
    deathbed = Deathbed(die_at)
    if die_at:
        BaseDatabaseWrapper._commit = deathbed.before(BaseDatabaseWrapper._commit)  # type: ignore[method-assign]
        os.replace = deathbed.before(os.replace)
        connection.execute_wrappers.append(deathbed.before_lonely_writes)
    jobs._wake = lambda _pk: None  # this loop looks for itself
    jobs.requeue_all_running()
    while (queued := Job.objects.filter(state=JobState.QUEUED).order_by("pk").first()) is not None:
        jobs.run_now(queued)
    connection.close()


def run_worker(database: str, data_dir: Path, die_at: int = 0) -> int:
    """The exit code of such a process: 0 when all was done, -9 when it was killed."""
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["tests.crash.preloaded"])
    process = server.Process(target=work, args=(database, str(data_dir), die_at))
    process.start()
    process.join(timeout=PATIENCE)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise AssertionError(f"the worker was still at work after {PATIENCE} s")
    return process.exitcode
