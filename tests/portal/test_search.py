"""The search finds places inside the scope, handbook pages, codes, clauses and terms, and nothing of others."""

from __future__ import annotations

import pytest

from portal.reading.search import found_for


def labels(user, text):
    return {kind: [hit.label for hit in hits] for kind, hits in found_for(user, text)}


def test_an_officer_finds_the_county_the_alliance_and_its_members(world):
    found = labels(world.officer, "青溪")
    assert found["县（区）"] == ["青溪县"]
    assert found["医共体"] == ["青溪县紧密型县域医共体"]
    assert any("青溪县人民医院" in label for label in found["机构"])


def test_a_member_leads_to_its_alliance_and_an_outsider_stands_without_link(world):
    hits = {hit.label: hit.url for hit in dict(found_for(world.officer, "青溪"))["机构"]}
    assert hits["青溪县人民医院（H99010100001）"] == "/overview/alliance/QX/#members"
    assert hits["青溪康宁医院（H99010100031）"] == ""


def test_a_hospital_finds_nothing_of_the_sister_alliance(world):
    found = labels(world.hospital, "云岭")
    assert not {"县（区）", "医共体", "机构"} & set(found)


def test_a_stranger_finds_nothing_of_another_city(world, client_of):
    assert not {"县（区）", "医共体", "机构"} & set(labels(world.stranger_officer, "青溪"))
    assert "没有找到" in client_of(world.stranger_officer).get("/search/", {"q": "青溪县人民医院"}).content.decode()


@pytest.mark.parametrize(
    ("text", "kind", "part"),
    [
        ("C10", "错误代码", "C10"),
        ("超支分担", "公式与条款", "超支分担"),
        ("§二(二)4", "公式与条款", "月度预付"),
        ("清算", "帮助", "年度清算"),
        ("基层医疗机构", "术语", "is_primary"),
    ],
)
def test_codes_formulas_clauses_pages_and_terms_are_found(world, text, kind, part):
    assert any(part in label for label in labels(world.observer, text)[kind])


def test_the_search_box_of_every_page_leads_here_and_keeps_what_was_typed(world, client_of):
    client = client_of(world.officer)
    assert 'action="/search/"' in client.get("/").content.decode()
    page = client.get("/search/", {"q": "<b>青溪"}).content.decode()
    assert "&lt;b&gt;青溪" in page
    assert "<b>青溪" not in page


def test_an_empty_search_asks_no_source(world, client_of):
    page = client_of(world.officer).get("/search/", {"q": "  "}).content.decode()
    assert "查找机构、单号、指标、条款" in page
    assert "没有找到" not in page
