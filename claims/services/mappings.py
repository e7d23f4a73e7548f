"""A pooling area's own reading of codes: insurance types, visit types, groups, mutual aid; kept by the administrator.

The defaults of the extract's description are written for an area on first use, so that what a check used is always in
the tables and never only in code.
"""

from __future__ import annotations

from django.db import transaction

from claims.engine.reference import FUND_TYPES, VISIT_TYPES
from claims.models import (
    AreaSettings,
    FactFundType,
    FundMapping,
    GroupCatalogueEntry,
    MutualAidReading,
    VisitType,
    VisitTypeMapping,
)
from claims.tables import Kind, TableColumn, read_table, refuse_if
from core.access import require
from core.errors import Problem, Refused
from core.models import PoolingArea, User
from core.trail import record

EDIT = "claims.edit_mappings"
GROUP_COLUMNS = (
    TableColumn("code", "组编码", Kind.TEXT),
    TableColumn("name", "组名称", Kind.TEXT, required=False),
    TableColumn("weight", "权重（分值）", Kind.WEIGHT),
)


def settings_of(area: PoolingArea) -> AreaSettings:
    """The area's settings; on first use they and the default mappings are written."""
    found = AreaSettings.objects.filter(pooling_area=area).first()
    if found is not None:
        return found
    with transaction.atomic():
        locked = PoolingArea.objects.select_for_update(no_key=True).get(pk=area.pk)
        settings, is_new = AreaSettings.objects.get_or_create(pooling_area=locked)
        if is_new:
            FundMapping.objects.bulk_create(
                FundMapping(pooling_area=locked, code=code, fund_type=fund_type) for code, fund_type in FUND_TYPES.items()
            )
            VisitTypeMapping.objects.bulk_create(
                VisitTypeMapping(pooling_area=locked, prefix=prefix, visit_type=str(visit_type))
                for prefix, visit_type in VISIT_TYPES.items()
            )
            record(None, EDIT, settings, f"{locked}按默认对照表建立险种与医疗类别对照")
        return settings


@transaction.atomic
def set_fund_mapping(actor: User, area: PoolingArea, code: str, fund_type: str, note: str = "") -> FundMapping:
    """Read ``code`` as ``fund_type`` from the next import on."""
    require(actor, EDIT, area)
    _refuse_blank_or_unknown("code", code, fund_type, FactFundType.values, 40)
    settings_of(area)
    mapping, _ = FundMapping.objects.update_or_create(
        pooling_area=area, code=code.strip(), defaults={"fund_type": fund_type, "note": note.strip()[:120]}
    )
    record(actor, EDIT, mapping, f"险种对照：{mapping}", {"note": mapping.note})
    return mapping


@transaction.atomic
def set_visit_mapping(actor: User, area: PoolingArea, prefix: str, visit_type: str, note: str = "") -> VisitTypeMapping:
    """Read visit codes starting with ``prefix`` as ``visit_type`` from the next import on; the longest prefix wins."""
    require(actor, EDIT, area)
    _refuse_blank_or_unknown("prefix", prefix, visit_type, VisitType.values, 40)
    settings_of(area)
    mapping, _ = VisitTypeMapping.objects.update_or_create(
        pooling_area=area, prefix=prefix.strip(), defaults={"visit_type": visit_type, "note": note.strip()[:120]}
    )
    record(actor, EDIT, mapping, f"医疗类别对照：{mapping}", {"note": mapping.note})
    return mapping


@transaction.atomic
def remove_mapping(actor: User, mapping: FundMapping | VisitTypeMapping) -> None:
    """Codes no longer mapped are refused by the next import (C07, C11)."""
    require(actor, EDIT, mapping.pooling_area)
    kept, text = type(mapping)(pk=mapping.pk, pooling_area=mapping.pooling_area), str(mapping)
    mapping.delete()
    record(actor, EDIT, kept, f"删除对照：{text}", place=kept.pooling_area)


@transaction.atomic
def set_area_settings(actor: User, area: PoolingArea, mutual_aid: str, settles_by_groups: bool) -> AreaSettings:
    """Fix the reading of 个人账户共济支出 and whether inpatients by DRG/DIP must carry a group."""
    require(actor, EDIT, area)
    if mutual_aid not in MutualAidReading.values:
        raise Refused([Problem("mutual_aid", mutual_aid, "共济支出口径无法识别。", "请从列表中选择。")])
    settings = settings_of(area)
    settings.mutual_aid, settings.settles_by_groups = mutual_aid, settles_by_groups
    settings.save(update_fields=["mutual_aid", "settles_by_groups"])
    groups = "须有组编码" if settles_by_groups else "不要求组编码"
    record(actor, EDIT, settings, f"明细口径：共济支出{settings.get_mutual_aid_display()}；按组付费住院{groups}")
    return settings


@transaction.atomic
def load_group_catalogue(actor: User, area: PoolingArea, content: bytes, name: str) -> int:
    """Replace the area's group catalogue by a workbook; returns the number of groups."""
    require(actor, EDIT, area)
    rows, problems = read_table(content, name, GROUP_COLUMNS)
    seen: set[str] = set()
    for row in rows:
        if row.values["code"] in seen:
            problems.append(row.problem("code", "组编码重复。", "请删去重复的行。"))
        if row.values["weight"] <= 0:
            problems.append(row.problem("weight", "权重（分值）须大于零。", "请按分组方案填写。"))
        seen.add(row.values["code"])
    refuse_if(problems)
    settings = settings_of(area)
    GroupCatalogueEntry.objects.filter(pooling_area=area).delete()
    GroupCatalogueEntry.objects.bulk_create(
        (
            GroupCatalogueEntry(
                pooling_area=area,
                code=row.values["code"][:30],
                name=(row.values["name"] or "")[:120],
                weight_e4=int(row.values["weight"] * 10000),
            )
            for row in rows
        ),
        batch_size=500,
    )
    record(actor, EDIT, settings, f"{area}载入分组目录“{name}”，{len(rows)} 组")
    return len(rows)


def _refuse_blank_or_unknown(field: str, code: str, value: str, allowed: list[str], longest: int) -> None:
    problems = []
    if not code.strip():
        problems.append(Problem(field, code, "没有填写代码。", "请填写系统导出的代码或名称。"))
    if len(code.strip()) > longest:
        problems.append(Problem(field, code, f"代码超过 {longest} 个字符。", "请核对。"))
    if value not in allowed:
        problems.append(Problem("value", value, "归入的类别无法识别。", "请从列表中选择。"))
    if problems:
        raise Refused(problems)
