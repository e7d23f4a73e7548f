"""Versions of the table: the shipped one, and official forms an administrator loads and a fund reviewer approves.

A loaded version holds for every period that ends on or after its ``valid_from``; it may rename and reorder, not compute
differently: row codes, units, sums, formulas and sources mean the same in every version.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import TypeAlias

from django.db import transaction
from django.utils import timezone

from core.access import different_person, require
from core.errors import Conflict, Problem, Refused
from core.models import PoolingArea, Role, User
from core.notices import notify, notify_role
from core.trail import record
from submissions.declaration import TABLES, CauseColumn, MemberColumn, Row, Table, parse_table, shipped_table
from submissions.models import TableVersion
from submissions.periods import TablePeriod
from submissions.workbook import Expected, Prefill, PrefillMember, read_workbook, template_workbook

TABLE = "situation"
LOAD, DECIDE = "submissions.load_table", "submissions.decide_table"
APPROVED, PROPOSED, REJECTED = "approved", "proposed", "rejected"
Part: TypeAlias = Row | MemberColumn | CauseColumn
FREE: dict[type[Part], frozenset[str]] = {
    Row: frozenset({"code", "label", "how", "level", "optional"}),
    MemberColumn: frozenset({"key", "label", "how", "width", "optional"}),
    CauseColumn: frozenset({"key", "label", "width", "choices"}),
}
"""What a loaded version may word or arrange anew; every other field says what a figure means."""


def table_in_force(area: PoolingArea, period: TablePeriod) -> Table:
    """The version a period is filed on: the latest approved one in force at its end, else the shipped one."""
    row = (
        TableVersion.objects.filter(pooling_area=area, table=TABLE, status=APPROVED, valid_from__lte=period.last_day)
        .order_by("-valid_from", "-pk")
        .first()
    )
    return parse_table(row.document) if row else shipped_table(TABLE)


def table_of(area: PoolingArea, table: str, version: str) -> Table | None:
    """A certain version, approved or shipped; None when there is none. Names come from uploaded files: trust nothing."""
    row = TableVersion.objects.filter(pooling_area=area, table=table, version=version, status=APPROVED).first()
    if row is not None:
        return parse_table(row.document)
    return shipped_table(table, version) if _is_shipped(table, version) else None


def load_table_version(actor: User, area: PoolingArea, text: str) -> TableVersion:
    """An administrator enters the document of an official form; it waits for a fund reviewer."""
    require(actor, LOAD, area)
    table = parse_table(text)
    problems = _problems(area, table) or _trial(table)
    if problems:
        raise Refused(problems)
    with transaction.atomic():
        PoolingArea.objects.select_for_update(no_key=True).get(pk=area.pk)
        if TableVersion.objects.filter(pooling_area=area, table=table.name, version=table.version).exists():
            raise Conflict([_taken(table)])
        row = TableVersion.objects.create(
            pooling_area=area,
            table=table.name,
            version=table.version,
            document=text,
            sha256=table.sha256,
            valid_from=table.valid_from,
            entered_by=actor,
        )
        notify_role(
            [Role.FUND_REVIEWER], area, f"待核准：{table.title}第 {table.version} 版，自 {table.valid_from} 起用"
        )
        record(actor, LOAD, row, f"载入{table.title}第 {table.version} 版，自 {table.valid_from} 起用", _data(row))
        return row


def decide_table_version(actor: User, row: TableVersion, approve: bool) -> TableVersion:
    """A reviewer other than the one who loaded it approves the version or declines it."""
    require(actor, DECIDE, row.pooling_area)
    with transaction.atomic():
        held = (
            TableVersion.objects.select_for_update(of=("self",), no_key=True)
            .select_related("pooling_area")
            .get(pk=row.pk)
        )
        different_person(actor, held.entered_by, str(held))
        if held.status != PROPOSED:
            text = f"{held}已由{held.decided_by}办理（{held.get_status_display()}）。"
            raise Conflict([Problem("status", held.get_status_display(), text, "请刷新页面查看最新状态。")])
        held.status = APPROVED if approve else REJECTED
        held.decided_by, held.decided_at = actor, timezone.now()
        held.save(update_fields=["status", "decided_by", "decided_at"])
        verb = "核准" if approve else "不予核准"
        notify([held.entered_by], f"{actor}{verb}了报表版本：{held}", held.get_absolute_url())
        record(actor, DECIDE, held, f"{verb}报表版本：{held}", _data(held))
        return held


def _problems(area: PoolingArea, table: Table) -> list[Problem]:
    from submissions.workbook import structure  # loads the spreadsheet library

    found = []
    if table.name != TABLE:
        found.append(Problem("table", table.name, f"没有“{table.name}”这张报表。", f"table 须写为“{TABLE}”。"))
    if not re.fullmatch(r"[0-9A-Za-z.\-]{1,20}", table.version):
        found.append(Problem("version", table.version, "版本只能用字母、数字、点和连字符，最长 20 位。", "请改正。"))
    if _is_shipped(table.name, table.version) or (
        TableVersion.objects.filter(pooling_area=area, table=table.name, version=table.version).exists()
    ):
        found.append(_taken(table))
    if table.name == TABLE:
        found += [*_strange_codes(table), *_other_meanings(table)]
    for title in sorted(structure.OURS & set(table.sheets.values())):
        found.append(Problem("sheets", title, f"工作表名称“{title}”由系统自用。", "请另用一个名称。"))
    return found


def _strange_codes(table: Table) -> list[Problem]:
    """Renaming and reordering is free; a row no check knows, or one that is missing, needs a new program."""
    ours, theirs = set(shipped_table(TABLE).by_code), set(table.by_code)
    found = []
    if missing := sorted(ours - theirs):
        text = f"缺少行次 {'、'.join(missing)}：检查和指标用到这些行。"
        found.append(Problem("row", "、".join(missing), text, "请保留这些行；官方表式没有的行可写 optional = true。"))
    if unknown := sorted(theirs - ours):
        text = f"多出行次 {'、'.join(unknown)}：系统没有这些行的口径。"
        found.append(Problem("row", "、".join(unknown), text, "请用第 1 版的行次；新增项目须升级系统。"))
    return found


def _other_meanings(table: Table) -> list[Problem]:
    """Every field by which a row or column would mean something else than in the shipped version."""
    ours = shipped_table(TABLE)
    found = list(_changed("行次", ours.by_code, table.by_code))
    for where, shipped, given in (
        ("成员表的列", ours.member_by_key, table.member_by_key),
        ("原因分析表的列", _causes(ours), _causes(table)),
    ):
        for key in sorted(set(shipped) ^ set(given)):
            text = f"{where} {key} {'缺少' if key in shipped else '是多出的'}：各版的列须与第 {ours.version} 版相同。"
            found.append(Problem(where, key, text, "请用第 1 版的列；增减列须升级系统。"))
        found += _changed(where, shipped, given)
    return found


def _causes(table: Table) -> dict[str, CauseColumn]:
    return {column.key: column for column in table.cause_columns}


def _changed(where: str, shipped: Mapping[str, Part], given: Mapping[str, Part]) -> Iterator[Problem]:
    for key, ours in shipped.items():
        theirs = given.get(key)
        for field in fields(ours) if theirs is not None else ():
            before, after = _plain(getattr(ours, field.name)), _plain(getattr(theirs, field.name))
            if field.name not in FREE[type(ours)] and before != after:
                text = f"{where} {key} 的 {field.name}：第 1 版为“{before}”，现为“{after}”。"
                remedy = "新版本只能改名称、填法说明和次序；请恢复，口径变化须升级系统。"
                yield Problem(f"{key}.{field.name}", after, text, remedy)


def _plain(value: object) -> str:
    """A field in words; the order of what is added up does not matter."""
    if isinstance(value, bool):
        return str(value).lower()
    return "、".join(sorted(value)) if isinstance(value, tuple) else str(value)


def _trial(table: Table) -> list[Problem]:
    """Whether a template can be made of the version and read back: said now, not when the hospitals upload."""
    period, member = TablePeriod.parse("2026Q4"), PrefillMember("TRIAL", "试填单位", "成员单位")
    prefill = Prefill("TRIAL", "试填医共体", "试填县", "试填医院", period, 1, (member,))
    expected = Expected("TRIAL", period, 1, frozenset({member.institution}), lambda _table, _version: table)
    try:
        read_workbook(template_workbook(table, prefill), "试填.xlsx", expected)
    except Refused as refusal:
        return [
            Problem("document", one.value, f"按本版生成的模板不能读回：{one.text}", one.remedy)
            for one in refusal.problems
        ]
    except Exception as error:  # whatever a label, a width or a name makes the workbook library raise
        text = f"按本版不能生成可用的模板：{error}"
        return [Problem("document", "", text, "请核对名称、列宽和文字中的特殊字符，以第 1 版为样本修改。")]
    return []


def _taken(table: Table) -> Problem:
    return Problem(
        "version", table.version, f"第 {table.version} 版已经有了。", "版本定下后不再改动，请另用一个版本号。"
    )


def _is_shipped(table: str, version: str) -> bool:
    return f"{table}-{version}.toml" in {path.name for path in TABLES.glob("*.toml")}


def _data(row: TableVersion) -> dict[str, object]:
    return {"version": row.version, "sha256": row.sha256, "valid_from": row.valid_from, "status": row.status}
