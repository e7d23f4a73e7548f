"""``manage.py restore DIR``: take a backup back into an empty database and data directory, upgrade it, verify it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.backup.manifest import MANIFEST, sha256_of
from core.backup.restoring import differing_sums, restore_backup
from core.errors import Refused


class Command(BaseCommand):
    help = "从备份目录恢复（只恢复到空的数据库和空的 DATA_DIR），恢复后自动核验"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", type=Path, help="manage.py backup 产生的目录")

    def handle(self, *args: Any, **options: Any) -> None:
        source: Path = options["directory"].resolve()
        try:
            manifest = restore_backup(source)
        except Refused as refusal:
            raise CommandError("\n".join(map(str, refusal.problems))) from refusal
        self.stdout.write(f"已恢复 {manifest.made_at} 的备份（清单校验值 {sha256_of(source / MANIFEST)}）")
        for section, totals in manifest.sums.items():
            for label, total in totals.items():
                self.stdout.write(f"{section}  {label}：{total}")
        if manifest.lost:
            self.stdout.write("备份时已缺失或损坏的文件：\n" + "\n".join(f"      {text}" for text in manifest.lost))
        differing = differing_sums(manifest)
        if differing:
            raise CommandError("数据已恢复，但合计与备份时不同：\n" + "\n".join(differing))
        self.stdout.write("合计与备份时一致。开始核验：")
        call_command("verify", stdout=self.stdout)
