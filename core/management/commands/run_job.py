"""``manage.py run_job NAME --period 2026-09 [--alliance CODE] [--dry-run]``: run named work now, in this process."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.jobs import enqueue, handlers, run_now
from core.models import Alliance, Job
from core.models.jobs import JobState


class Command(BaseCommand):
    help = "立即运行一项任务（同一输入重复运行不会重复办理）"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="任务名，例如 month_end")
        parser.add_argument("--period", default="", help="期间，例如 2026-09")
        parser.add_argument("--alliance", default="", help="只处理这个医共体（编号）")
        parser.add_argument("--dry-run", action="store_true", help="只说明会做什么，不运行")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"]
        if name not in handlers:
            raise CommandError(f"没有名为“{name}”的任务。可用：{'、'.join(sorted(handlers))}")
        alliance = None
        if options["alliance"]:
            alliance = Alliance.objects.filter(code=options["alliance"]).first()
            if alliance is None:
                raise CommandError(f"没有编号为“{options['alliance']}”的医共体。")
        if options["dry_run"]:
            self.stdout.write(f"将运行：{handlers[name].label} {options['period']} {alliance or '全部医共体'}")
            return
        params = {"alliance": alliance.code} if alliance else {}
        job = enqueue(name, scope=options["alliance"], period=options["period"], params=params, place=alliance)
        failed = [done for done in self._run_with_children(run_now(job)) if done.state == JobState.FAILED]
        if failed:
            raise CommandError(f"{len(failed)} 项任务未完成。")

    def _run_with_children(self, job: Job) -> list[Job]:
        self.stdout.write(f"[{job.get_state_display()}] {job}\n{job.outcome}")
        done = [job]
        for child in job.children.order_by("pk"):
            done.extend(self._run_with_children(run_now(child)))
        return done
