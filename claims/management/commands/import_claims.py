"""``manage.py import_claims FILE --county CODE [--from 2026-07 --to 2026-09] [--user NAME]``: an extract from the shell.

The same services as the page: the file is received, checked and stored here and now; where a person must decide the
command says so and leaves the import waiting on its page.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from claims import services
from claims.models import ClaimsImport, ImportState
from core.access import NotAllowed, holders
from core.errors import Refused
from core.jobs import run_now
from core.models import County, Role, User
from core.models.jobs import JobState
from rules.errors import RuleError
from rules.periods import Month


class Command(BaseCommand):
    help = "导入医保结算明细（与页面同样的检查、留痕和确认）"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="明细文件（CSV、xlsx、Parquet）")
        parser.add_argument("--county", required=True, help="参保县（区）代码")
        parser.add_argument("--from", dest="first", default="", help="申报期间起月，例如 2026-07；不填为上月")
        parser.add_argument("--to", dest="last", default="", help="申报期间止月；不填与起月相同")
        parser.add_argument("--user", default="", help="经办人用户名；不填为该县的基金经办")
        parser.add_argument("--accept", default="", metavar="理由", help="检查后需要确认的，以此理由确认接收")

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(options["file"])
        if not path.is_file():
            raise CommandError(f"没有文件 {path}。")
        county = County.objects.select_related("pooling_area").filter(code=options["county"]).first()
        if county is None:
            raise CommandError(f"没有代码为 {options['county']} 的县（区）。")
        first, last = self._period(options["first"], options["last"])
        actor = self._actor(options["user"], county)
        try:
            found = services.receive_path(actor, county, first, last, path)
            found = self._run(found)
            if found.state == ImportState.AWAITING_DECISION and options["accept"]:
                services.accept_import(actor, found, options["accept"])
                found = self._run(ClaimsImport.objects.get(pk=found.pk))
        except (Refused, NotAllowed) as refusal:
            raise CommandError(str(refusal)) from refusal
        self._tell(found)

    def _run(self, found: ClaimsImport) -> ClaimsImport:
        assert found.job is not None
        job = run_now(found.job)
        while not job.is_finished:  # a worker was quicker: wait for it
            time.sleep(0.5)
            job.refresh_from_db()
        if job.state == JobState.FAILED:
            raise CommandError(job.outcome)
        return ClaimsImport.objects.get(pk=found.pk)

    def _tell(self, found: ClaimsImport) -> None:
        for finding in found.findings.all():
            self.stdout.write(f"  {finding.code} {finding.rows} 行，医疗费 {finding.total_cost} 元")
        if found.state == ImportState.REJECTED:
            raise CommandError(found.outcome)
        if found.state == ImportState.AWAITING_DECISION:
            for line in found.difference:
                self.stdout.write(
                    f"  {line['month']} 原有 {line['held_rows']} 行 {line['held_pooled']} 元，"
                    f"本次 {line['new_rows']} 行 {line['new_pooled']} 元"
                )
            why = "差错行超过上限" if found.needs_admission else "与已入库数据有差异"
            self.stdout.write(f"第 {found.pk} 号导入等待确认：{why}。请在导入页确认，或加 --accept 理由。")
            return
        self.stdout.write(f"第 {found.pk} 号导入：{found.outcome}")

    def _period(self, first: str, last: str) -> tuple[Month, Month]:
        try:
            start = Month.parse(first) if first else Month.of(timezone.localdate()).previous()
            return start, Month.parse(last) if last else start
        except RuleError as error:
            raise CommandError(str(error)) from error

    def _actor(self, username: str, county: County) -> User:
        if username:
            actor = User.objects.filter(username=username, is_active=True).first()
            if actor is None:
                raise CommandError(f"没有用户 {username}。")
            return actor
        officers = holders({Role.FUND_OFFICER}, county)
        if not officers:
            raise CommandError(f"{county}没有基金经办，请用 --user 指定经办人。")
        return officers[0]
