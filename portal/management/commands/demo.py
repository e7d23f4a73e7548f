"""``manage.py demo [--first-start] [--wait]``: the demonstration city 澜川市, plainly marked 演示.

Makes places, people and the scheme at once and leaves the rest to a job. ``--first-start`` (what ``./run`` asks) does
nothing where any pooling area exists; ``--wait`` runs the job in this process. Run again, it goes on or does nothing.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.jobs import run_now
from core.models import Job, PoolingArea
from core.models.jobs import JobState
from portal.demo import claims
from portal.demo.loading import begin, queue, queue_tables
from portal.demo.people import PASSWORD
from portal.demo.places import AREA_CODE, AREA_NAME


class Command(BaseCommand):
    help = "载入演示数据（虚构的澜川市）"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--first-start", action="store_true", help="已有任何统筹区时什么都不做")
        parser.add_argument("--wait", action="store_true", help="在本进程内载入完再返回")
        parser.add_argument("--claims", type=int, default=claims.ROWS, help="结算明细的行数（默认为真实规模）")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["first_start"] and PoolingArea.objects.exists():
            return
        if PoolingArea.objects.filter(code=AREA_CODE, is_demo=False).exists():
            raise CommandError(f"区划代码 {AREA_CODE} 已用于实际数据，不载入演示数据。")
        area = begin()
        job = queue(area, options["claims"])
        self.stdout.write(f"演示城市“{AREA_NAME}”已建立，各账号密码均为 {PASSWORD}。")
        if options["wait"]:
            self._finish(job)
            self._finish(queue_tables(area))
        elif job.state != JobState.DONE or queue_tables(area).state != JobState.DONE:
            self.stdout.write("其余数据由后台任务载入，可在“任务”页查看进度。")

    def _finish(self, job: Job) -> None:
        done = run_now(job)
        self.stdout.write(done.outcome)
        if done.state == JobState.FAILED:
            raise CommandError("演示数据没有载入完。")
