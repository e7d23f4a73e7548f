"""``manage.py open_city``: the first pooling area of an installation with its administrators.

From there on places, people and posts are kept in the back office. Two administrators are needed because nobody grants
a post to herself. One-time passwords are printed once and must be changed at the first login.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core import accounts
from core.errors import Refused


class Command(BaseCommand):
    help = "建立统筹区和它的首批系统管理员（新装系统时运行一次）"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("code", help="统筹区区划代码，六位，例如 360900")
        parser.add_argument("name", help="统筹区名称，例如 宜春市")
        parser.add_argument(
            "--administrator",
            nargs=2,
            action="append",
            metavar=("用户名", "姓名"),
            required=True,
            help="系统管理员；请至少给出两名（本人不能给自己授予岗位）",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            area, opened = accounts.open_city(options["code"], options["name"], options["administrator"])
        except Refused as refusal:
            raise CommandError("\n".join(str(problem) for problem in refusal.problems)) from refusal
        self.stdout.write(f"已建立统筹区 {area.code} {area.name}。一次性密码只显示这一次，首次登录须修改：")
        for user, password in opened:
            self.stdout.write(f"  {user.username}（{user.full_name}）  {password}")
