"""``manage.py backtest``: what the projection would have said in every past month, against what the years came to."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

from django.core.management.base import BaseCommand, CommandError

from core.errors import Refused
from monitoring.projecting import database_histories, read_fact_table
from rules.forecast import GROWTH, PROJECTION, RATE, STRAIGHT, Case, History, Line, Score, replay, score
from rules.histories import generated_rows, held_years

NAMES = {PROJECTION: "推算", STRAIGHT: "直线外推", GROWTH: "去年同期增速", RATE: "去年全年增速"}
HALF = 6
FORMAT = """事实表 CSV（UTF-8）：首行为列名 place,fund_type,settled,known,part,service,settlements,yuan，可加 area（统筹区）。
每行是“known（获知月，如 2025-10）新获知的 settled（结算月）的金额”；part 为 in_alliance 或 out_of_county，
service 为 inpatient 或 outpatient，fund_type 为 RES 或 EMP，yuan 以元为单位，最多两位小数，冲销为负数。"""


class Command(BaseCommand):
    requires_system_checks: list[str] = []
    help = "回放往年每个月末的全年推算，与直线外推、去年增速法比较误差，并检验 80% 区间。" + FORMAT

    def add_arguments(self, parser: ArgumentParser) -> None:
        source = parser.add_mutually_exclusive_group()
        source.add_argument("--facts", type=Path, metavar="FILE.csv", help="用这份事实表代替数据库")
        source.add_argument("--generated", action="store_true", help="用随程序附带的模拟历史（默认只看留出的年份）")
        parser.add_argument("--from-month", type=int, default=1, help="只计这个月末及以后的推算（1–12）")
        parser.add_argument("--years", type=int, nargs="*", help="只计这些年份，如 --years 2023 2024")
        parser.add_argument("--json", action="store_true", help="以 JSON 输出")
        parser.add_argument("--places", action="store_true", help="另列各医共体")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["from_month"] <= 12:
            raise CommandError("--from-month 须在 1 至 12 之间")
        histories, source = self._histories(options)
        years = options["years"] or (held_years() if options["generated"] else None)
        chosen = [
            case
            for case in replay(histories)
            if case.as_of.month >= options["from_month"] and (years is None or case.year in years)
        ]
        found = score(chosen)
        if options["json"]:
            self.stdout.write(json.dumps(_document(found, chosen, source, options), ensure_ascii=False, indent=1))
            return
        self.stdout.write("\n".join(_lines(found, chosen, source, options)))

    def _histories(self, options: dict[str, Any]) -> tuple[list[History], str]:
        if options["facts"] is not None:
            try:
                rows = read_fact_table(options["facts"])
            except Refused as refused:
                for problem in refused.problems:
                    self.stderr.write(f"{problem.text}，{problem.remedy}" if problem.remedy else problem.text)
                raise CommandError("事实表有误，未作任何计算。") from refused
            return History.from_rows(rows), f"事实表 {options['facts'].name}"
        if options["generated"]:
            return History.from_rows(generated_rows()), "附带的模拟历史"
        return database_histories(), "数据库"


def _late(cases: Sequence[Case]) -> Score:
    """The table of the second half of each year: what the projection is held to."""
    return score([case for case in cases if case.as_of.month >= HALF])


def _document(found: Score, cases: Sequence[Case], source: str, options: dict[str, Any]) -> dict[str, Any]:
    document = {"source": source, "from_month": options["from_month"], "methods": NAMES, **found.as_json()}
    return {**document, "from_june": _late(cases).as_json()}


def _lines(found: Score, cases: Sequence[Case], source: str, options: dict[str, Any]) -> list[str]:
    if not cases:
        return [f"回放依据：{source}。没有可回放的年份：至少需要一个十二个月数据齐全的年度。"]
    places = len({(case.area, case.place, case.fund_type) for case in cases})
    lines = [
        f"回放依据：{source}；{places} 个“医共体×险种”，{options['from_month']} 月末起，共 {len(cases)} 次推算",
        "误差 = |预计全年 − 实际全年| ÷ 实际全年，取平均；各法只用当时已知的数据，每种方法只与推算比较双方都有结果的次数",
        "",
        *_table("年度", [*found.years, found.whole]),
    ]
    if options["from_month"] < HALF:
        late = _late(cases)
        lines += ["", *_table(f"{HALF}月末起", [*late.years, late.whole])]
    lines += ["", *_table("推算月", found.months)]
    if options["places"]:
        lines += ["", *_table("医共体", found.places)]
    return lines


def _table(head: str, rows: Sequence[Line]) -> list[str]:
    columns = [head, "次数", *NAMES.values(), "比直线低", "比同期增速低", "80%区间命中", "有区间"]
    cells = [columns]
    for line in rows:
        cells.append(
            [
                line.label,
                str(line.cases),
                *(_percent(line.errors[method], 2) for method in NAMES),
                _percent(line.improvement[STRAIGHT], 1),
                _percent(line.improvement[GROWTH], 1),
                _percent(line.coverage, 1),
                str(line.ranged),
            ]
        )
    widths = [max(_width(row[index]) for row in cells) for index in range(len(columns))]
    return ["  ".join(_pad(row[index], width, index) for index, width in enumerate(widths)) for row in cells]


def _percent(ratio: Decimal | None, places: int) -> str:
    return "—" if ratio is None else f"{ratio * 100:.{places}f}%"


def _width(text: str) -> int:
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def _pad(text: str, width: int, index: int) -> str:
    space = " " * (width - _width(text))
    return text + space if index == 0 else space + text
