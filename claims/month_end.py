"""The first step of a month's end: are the claims of the alliance's county there?"""

from __future__ import annotations

from claims.models import FactSet
from claims.reading.coverage import coverage
from core.models import Alliance, User
from rules.periods import Month


def tell_coverage(alliance: Alliance, month: Month, actor: User | None) -> str:
    """What is held for the month and which months of the year are missing up to it; writes nothing."""
    months = [cell for cell in coverage(alliance.county, month.year) if cell.month <= month]
    missing = [str(cell.month) for cell in months if not cell.declared]
    held = months[-1]
    told = (
        f"{month} 数据已接入（{held.source_text}第 {held.version} 版，截至 {held.data_to}）"
        if held.declared
        else f"{month} 数据尚未接入"
    )
    if held.open_reject_rows:
        told += f"，未处理的退回行 {held.open_reject_rows} 行"
    return f"{told}。" + (f"本年缺少：{'、'.join(missing)}。" if missing else "本年各月齐全。")


def held_counties(counties: list[int], month: Month) -> set[int]:
    """Counties whose whole month is held."""
    sets = FactSet.objects.current().filter(county__in=counties, year=month.year, month=month.month, declared=True)
    return set(sets.values_list("county_id", flat=True))
