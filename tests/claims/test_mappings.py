"""The area's own reading of codes: seeded once, edited by the administrator, on the trail."""

from decimal import Decimal

import pytest

from claims.engine.reference import FUND_TYPES, VISIT_TYPES
from claims.models import FundMapping, GroupCatalogueEntry, VisitTypeMapping
from claims.services import (
    load_group_catalogue,
    remove_mapping,
    set_area_settings,
    set_fund_mapping,
    set_visit_mapping,
    settings_of,
)
from claims.services.mappings import GROUP_COLUMNS
from core.access import NotAllowed
from core.errors import Refused
from core.models import TrailEvent
from tests.claims.workbooks import filled


def test_first_use_writes_the_default_mappings_once(world):
    settings_of(world.area)
    settings_of(world.area)
    assert dict(FundMapping.objects.values_list("code", "fund_type")) == dict(FUND_TYPES)
    assert VisitTypeMapping.objects.count() == len(VISIT_TYPES)
    assert TrailEvent.objects.filter(action="claims.edit_mappings").count() == 1


def test_areas_are_read_by_their_own_tables(world):
    settings_of(world.foreign_area)
    set_fund_mapping(world.admin, world.area, "399", "RES", "新设险种")
    assert FundMapping.objects.filter(code="399").get().pooling_area == world.area


def test_an_existing_code_is_changed_and_a_removed_one_is_gone(world):
    mapping = set_visit_mapping(world.admin, world.area, "2107", "inpatient")
    assert set_visit_mapping(world.admin, world.area, "2107", "chronic").pk == mapping.pk
    mapping.refresh_from_db()
    assert mapping.visit_type == "chronic"
    remove_mapping(world.admin, mapping)
    assert not VisitTypeMapping.objects.filter(prefix="2107").exists()
    assert TrailEvent.objects.latest("pk").summary == "删除对照：2107 → 门诊慢特病"


def test_blank_and_unknown_entries_are_refused_together(world):
    with pytest.raises(Refused) as refusal:
        set_fund_mapping(world.admin, world.area, " ", "XYZ")
    assert [problem.field for problem in refusal.value.problems] == ["code", "value"]


def test_only_an_administrator_of_the_area_edits_the_tables(world):
    mapping = set_fund_mapping(world.admin, world.area, "399", "RES")
    for person in (world.officer, world.reviewer, world.hospital, world.stranger_officer):
        with pytest.raises(NotAllowed):
            set_fund_mapping(person, world.area, "399", "EMP")
        with pytest.raises(NotAllowed):
            remove_mapping(person, mapping)
        with pytest.raises(NotAllowed):
            set_area_settings(person, world.area, "inside", True)


def test_the_settings_say_how_mutual_aid_is_read(world):
    settings = set_area_settings(world.admin, world.area, "beside", settles_by_groups=True)
    assert (settings.mutual_aid, settings.settles_by_groups) == ("beside", True)
    with pytest.raises(Refused):
        set_area_settings(world.admin, world.area, "elsewhere", settles_by_groups=False)


def test_a_group_catalogue_replaces_the_former_one_whole(world):
    first = [{"code": "AA19", "name": "甲", "weight": Decimal("1.2345")}, {"code": "BB21", "weight": 2}]
    assert load_group_catalogue(world.admin, world.area, filled(GROUP_COLUMNS, first), "目录.xlsx") == 2
    load_group_catalogue(world.admin, world.area, filled(GROUP_COLUMNS, [{"code": "CC01", "weight": "0.8"}]), "目录.xlsx")
    assert list(GroupCatalogueEntry.objects.values_list("code", "weight_e4")) == [("CC01", 8000)]


def test_a_faulty_catalogue_is_refused_and_the_former_one_kept(world):
    load_group_catalogue(world.admin, world.area, filled(GROUP_COLUMNS, [{"code": "AA19", "weight": 1}]), "目录.xlsx")
    faulty = [{"code": "BB21", "weight": 0}, {"code": "BB21", "weight": "1.23456"}, {"code": "BB21", "weight": 1}]
    with pytest.raises(Refused) as refusal:
        load_group_catalogue(world.admin, world.area, filled(GROUP_COLUMNS, faulty[:1] + faulty[2:]), "目录.xlsx")
    assert [problem.field for problem in refusal.value.problems] == ["数据!C2", "数据!A3"]
    with pytest.raises(Refused):
        load_group_catalogue(world.admin, world.area, filled(GROUP_COLUMNS, faulty[1:2]), "目录.xlsx")
    assert GroupCatalogueEntry.objects.get().code == "AA19"
