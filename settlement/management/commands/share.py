"""``manage.py share``: share an overrun or a surplus by a shipped scheme; stores nothing."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import Refused
from rules.scheme import DEFAULT_SCHEME
from settlement.trial import ShareTrial, share_trial


class Command(BaseCommand):
    help = "试算：按方案计算超支分担或结余留用（元）"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--scheme", default=DEFAULT_SCHEME, help="方案标识")
        parser.add_argument("--package", required=True, type=_amount, help="打包总额（元）")
        parser.add_argument("--charged", required=True, type=_amount, help="全年发生（元）")
        parser.add_argument("--reasonable", type=_amount, default=None, help="合理超支（元），不填为全部")
        parser.add_argument("--score", type=_amount, default=None, help="考核得分")
        parser.add_argument("--json", action="store_true", help="输出 JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            trial = share_trial(
                options["scheme"], options["package"], options["charged"], options["reasonable"], options["score"]
            )
        except Refused as refusal:
            if options["json"]:
                self.stdout.write(json.dumps({"problems": refusal.as_json()}, ensure_ascii=False))
            raise CommandError(str(refusal)) from refusal
        if options["json"]:
            self.stdout.write(json.dumps(trial.as_json(), ensure_ascii=False))
            return
        self._tell(trial)

    def _tell(self, trial: ShareTrial) -> None:
        result = trial.result
        self.stdout.write(f"{trial.scheme.title}（{trial.scheme.legal_basis}）")
        self.stdout.write(f"{trial.outcome_text} {result.difference:,.2f} 元，落档 {result.label}")
        for tier in result.tiers:
            self.stdout.write(f"  {tier.label}  {tier.amount:,.2f} × {tier.rate:%} = {tier.shared:,.2f}")
        if trial.is_overrun:
            self.stdout.write(f"基金分担 {result.fund_bears:,.2f}，医共体承担 {result.alliance_bears:,.2f}")
        else:
            self.stdout.write(f"医共体留用 {result.alliance_keeps:,.2f}，返还统筹基金 {result.returned_to_fund:,.2f}")
        for notice in trial.unconfirmed:
            self.stdout.write(f"待核实：{notice['label']} 取 {notice['value']}（{notice['clause']}）")


def _amount(text: str) -> Decimal:
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation as error:
        raise CommandError(f"“{text}”不是数字：请填写金额（元），如 300000000.00") from error
