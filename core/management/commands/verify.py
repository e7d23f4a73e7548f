"""``manage.py verify``: trail chains, triggers, files, ledger, lake and settlements, each by its registered check."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.registries import verifications


class Command(BaseCommand):
    help = "核验轨迹链、基金账、数据湖校验值与清算复算"

    def handle(self, *args: Any, **options: Any) -> None:
        total = 0
        for name, check in verifications:
            findings = check()
            total += len(findings)
            self.stdout.write(f"{'通过' if not findings else '有误'}  {name}")
            for finding in findings:
                self.stdout.write(f"      {finding.where}：{finding.text}")
        if total:
            raise CommandError(f"核验发现 {total} 处问题。")
        self.stdout.write("全部通过。")
