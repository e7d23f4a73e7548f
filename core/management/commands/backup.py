"""``manage.py backup DIR``: database snapshot, stored files, lake, trail heads and person key into a new directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.backup.making import make_backup
from core.errors import Refused


class Command(BaseCommand):
    help = "备份整个系统到一个新目录（不停机；目录已存在时拒绝）"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", type=Path, help="新目录，例如 /backup/2026-11-22")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = make_backup(options["directory"])
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        for section, totals in made.manifest.sums.items():
            for label, total in totals.items():
                self.stdout.write(f"{section}  {label}：{total}")
        self.stdout.write(
            f"已备份 {len(made.manifest.files)} 个文件、{made.size / 2**20:.1f} MB 到 {options['directory']}"
        )
        self.stdout.write(f"清单校验值（请另行抄存，恢复时核对）：{made.checksum}")
        if made.manifest.lost:
            lost = "\n".join(f"      {text}" for text in made.manifest.lost)
            raise CommandError(f"备份已完成，但以下文件在本系统中缺失或损坏，请查明：\n{lost}")
