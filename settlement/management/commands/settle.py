"""``manage.py settle``: create or refresh one draft per fund type of an alliance and year; approves nothing."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import Conflict, Refused
from core.models import Alliance, FundType, User
from settlement.models import SettlementVersion
from settlement.services import draft
from settlement.states import VersionState


class Command(BaseCommand):
    help = "起草或刷新一个医共体一个年度的清算（每个险种一份草稿，不做任何审定）"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--alliance", required=True, help="医共体编号")
        parser.add_argument("--year", required=True, type=int, help="年度")
        parser.add_argument("--user", default="", help="以哪位基金经办的名义起草（不填为系统）")
        parser.add_argument("--json", action="store_true", help="输出 JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        alliance = Alliance.objects.select_related("county__pooling_area").filter(code=options["alliance"]).first()
        if alliance is None:
            known = "、".join(Alliance.objects.values_list("code", flat=True)[:20])
            raise CommandError(f"没有编号为“{options['alliance']}”的医共体。可用编号：{known}")
        actor = None
        if options["user"]:
            actor = User.objects.filter(username=options["user"], is_active=True).first()
            if actor is None:
                raise CommandError(f"没有账号“{options['user']}”。")
        told = [_drafted(actor, alliance, options["year"], fund) for fund in FundType]
        if options["json"]:
            data = {"alliance": alliance.code, "year": options["year"], "settlements": told}
            self.stdout.write(json.dumps(data, ensure_ascii=False))
        else:
            for row in told:
                self.stdout.write(f"{row['fund_label']}：{row['text']}")
                for problem in row["problems"]:
                    self.stdout.write(f"    {problem['text']}{problem['remedy']}")
        if any(row["outcome"] == "refused" for row in told):
            raise CommandError("有险种不能起草，原因见上。")


def _drafted(actor: User | None, alliance: Alliance, year: int, fund: FundType) -> dict[str, Any]:
    row: dict[str, Any] = {"fund_type": fund.value, "fund_label": fund.label, "problems": []}
    try:
        outcome = draft(actor, alliance, year, fund)
    except Conflict as conflict:
        return {**row, "outcome": "kept", "text": str(conflict), **_held(alliance, year, fund)}
    except Refused as refusal:
        return {**row, "outcome": "refused", "text": "未起草", "problems": refusal.as_json()}
    version = outcome.version
    return {
        **row,
        "outcome": outcome.done.value,
        "text": f"{outcome.text}，清算现金 {version.figures.cash:,.2f} 元",
        "problems": version.figures.open_points,
        **_told(version),
    }


def _held(alliance: Alliance, year: int, fund: FundType) -> dict[str, Any]:
    versions = SettlementVersion.objects.filter(
        settlement__alliance=alliance, settlement__year=year, settlement__fund_type=fund
    )
    latest = versions.exclude(state=VersionState.CANCELLED).with_places().order_by("-number").first()
    return _told(latest) if latest is not None else {}


def _told(version: SettlementVersion) -> dict[str, Any]:
    assert version.computation is not None
    return {
        "number": version.settlement.number,
        "version": version.number,
        "state": str(version.state),
        "fingerprint": version.figures.fingerprint,
        "notices": version.figures.notices,
        "result": version.figures.result,
    }
