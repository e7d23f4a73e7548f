"""``manage.py gen_claims OUT --county CODE --from 2026-07 --to 2026-09 --rows N``: a synthetic extract with its key."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from claims.generator import Place, Setup, example_institutions, generate, read_institutions
from rules.periods import Month, PeriodError


class Command(BaseCommand):
    requires_system_checks: list[str] = []
    help = "生成任意规模的模拟医保结算明细（固定种子，含埋设的差错、欺诈及答案），不含任何真实数据。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("out", type=Path, help="输出目录")
        parser.add_argument("--county", default="990101", help="参保县区划代码（6位）")
        parser.add_argument("--from", dest="first", default="2026-07", help="起始月，如 2026-07")
        parser.add_argument("--to", dest="last", default="2026-09", help="终止月，如 2026-09")
        parser.add_argument("--rows", type=int, default=10_000, help="行数")
        parser.add_argument("--faults", type=float, default=0.005, help="埋设差错行的比例")
        parser.add_argument("--frauds", type=float, default=0.001, help="埋设欺诈故事的比例")
        parser.add_argument("--seed", type=int, default=20260101, help="种子：相同则逐字节相同")
        parser.add_argument("--institutions", type=Path, help="机构清单 CSV：code,name,county,kind,grade,alliance")
        parser.add_argument("--registered", action="store_true", help="用本系统登记的机构代替示例机构")
        parser.add_argument("--format", choices=["csv", "xlsx", "parquet"], default="csv")
        parser.add_argument("--header", choices=["national", "chinese", "ours"], default="national", help="列名写法")
        parser.add_argument("--encoding", choices=["utf-8", "utf-8-sig", "gb18030"], default="utf-8")
        parser.add_argument("--tab", action="store_true", help="以制表符分隔")
        parser.add_argument("--townships", nargs="*", default=[], help="参保乡镇（增加“参保乡镇”一列）")
        parser.add_argument("--mutual-aid-beside", action="store_true", help="共济支出在个人账户支出之外另列")
        parser.add_argument("--earlier-rows", type=int, default=0, help="另生成上月明细的行数，并在本文件中重复（用于 C03）")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["rows"] < 1:
            raise CommandError("--rows 须为正整数")
        try:
            first, last = Month.parse(options["first"]), Month.parse(options["last"])
        except PeriodError as problem:
            raise CommandError(str(problem)) from problem
        if last < first:
            raise CommandError("终止月早于起始月")
        setup = Setup(
            county=options["county"],
            first=first,
            last=last,
            rows=options["rows"],
            institutions=self._institutions(options),
            seed=options["seed"],
            faults=options["faults"],
            frauds=options["frauds"],
            header=options["header"],
            encoding=options["encoding"],
            delimiter="\t" if options["tab"] else ",",
            townships=tuple(options["townships"]),
            mutual_aid_inside=not options["mutual_aid_beside"],
            earlier_rows=options["earlier_rows"],
        )
        try:
            made = generate(setup, options["out"], options["format"])
        except ValueError as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(f"{made.extract}：{made.rows} 行；答案 {made.key.name}")

    def _institutions(self, options: dict[str, Any]) -> tuple[Place, ...]:
        if options["institutions"]:
            try:
                return read_institutions(options["institutions"])
            except (OSError, ValueError) as problem:
                raise CommandError(f"机构清单无法读取：{problem}") from problem
        if options["registered"]:
            return _registered(options["county"])
        return example_institutions()


def _registered(county: str) -> tuple[Place, ...]:
    """The county's registered institutions, with the example's hospitals outside for care elsewhere."""
    from core.models import Institution

    found = Institution.objects.filter(county__code=county).order_by("code").select_related("county")
    own = tuple(Place(entry.code, entry.name, entry.county.code, entry.kind, entry.grade) for entry in found)
    elsewhere = tuple(place for place in example_institutions() if place.kind == "general" and place.grade == 3)
    if not own:
        raise CommandError(f"系统中没有登记 {county} 的机构")
    return own + elsewhere
