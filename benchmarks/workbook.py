"""One quarterly workbook: seconds to make the template, to read and check an upload, to answer it.

    python benchmarks/workbook.py                  # 20 members: 3 sheets of 73 rows, 40 member lines
    python benchmarks/workbook.py --members 60

The floor is opening and saving the same file with openpyxl in the same run, which nobody who returns a user's own workbook
gets around. Every tenth cell carries a mistake, so that the answer has work to do. No database is needed.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
READ_TARGET, ANSWER_TARGET = 0.3, 0.5  # seconds of one process
ROUNDS = 5


def best(work: Callable[[], object]) -> float:
    """The least processor time of several rounds."""
    taken = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return min(taken)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--members", type=int, default=20)
    given = parser.parse_args()

    from django.conf import settings

    settings.configure(USE_TZ=True)
    from openpyxl import load_workbook

    from submissions.checks import CheckContext, run_checks
    from submissions.declaration import FUND_SHEETS, shipped_table
    from submissions.figures import Placed
    from submissions.periods import TablePeriod
    from submissions.workbook import Expected, Prefill, PrefillMember, answer_workbook, read_workbook, template_workbook

    table, period = shipped_table(), TablePeriod.parse("2026Q3")
    members = tuple(PrefillMember(f"H{at:011d}", f"第 {at} 卫生院", "乡镇卫生院") for at in range(given.members))
    values = {
        (fund, row.code, "current"): Decimal(1_000_000 if row.is_money else 100)
        for fund in FUND_SHEETS
        for row in table.typed_rows
    }
    lines = {
        (member.institution, fund, column.key): Decimal(10_000 if column.is_money else 10)
        for member in members
        for fund in ("RES", "EMP")
        for column in table.member_columns
        if column.is_typed
    }
    prefill = Prefill("QX01", "青溪县医共体", "青溪县", "青溪县人民医院", period, 1, members, values, lines)
    expected = Expected(
        "QX01", period, 1, frozenset(member.institution for member in members), lambda name, version: table
    )
    book = load_workbook(io.BytesIO(template_workbook(table, prefill)))
    for at, row in enumerate(table.typed_rows):
        if at % 10 == 0:
            book[table.sheets["RES"]][table.cell(row.code)].value = "12,3x"
    saved = io.BytesIO()
    book.save(saved)
    content = saved.getvalue()

    def open_and_save() -> None:
        load_workbook(io.BytesIO(content)).save(io.BytesIO())

    def read_and_check() -> list[Placed]:
        read = read_workbook(content, "x.xlsx", expected)
        context = CheckContext(table=table, period=period, figures=read.figures)
        return [Placed(one, *read.layout.place_of(one)) for one in [*read.found, *run_checks(context)]]

    placed, read = read_and_check(), read_workbook(content, "x.xlsx", expected)
    floor = best(open_and_save)
    print(f"{len(content) / 1024:.0f} KB, {read.cells_read:,} cells read, {len(placed)} findings")
    print(f"floor: openpyxl open and save  {floor:6.3f} s")
    missed = 0
    for label, work, target in (
        ("template", lambda: template_workbook(table, prefill), None),
        ("read and check", read_and_check, READ_TARGET),
        ("answer", lambda: answer_workbook(content, read, placed), ANSWER_TARGET),
    ):
        seconds = best(work)
        missed += target is not None and seconds > target
        wanted = f"  (target {target})" if target else ""
        print(f"{label:<30} {seconds:6.3f} s  × floor {seconds / floor:.2f}{wanted}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
