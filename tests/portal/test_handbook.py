"""The handbook: every written page opens, and what is generated holds all that the code declares."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.template.loader import get_template
from django.urls import NoReverseMatch, reverse

from claims.reading import finding_codes
from core import policies
from portal import handbook
from rules.forecast import estimate, replaying, season
from rules.scheme import load_scheme, scheme_names
from submissions.declaration import shipped_table
from submissions.reading.handbook import check_codes


@pytest.mark.parametrize("topic", handbook.TOPICS, ids=lambda topic: topic.slug)
def test_every_written_page_opens_for_everybody_and_names_its_people(world, client_of, topic):
    page = client_of(world.member).get(reverse("portal:help-topic", args=[topic.slug])).content.decode()
    assert topic.title in page
    assert topic.people in page
    assert 'aria-current="page"' in page


@pytest.mark.parametrize("topic", [t for t in handbook.TOPICS if t.url_name], ids=lambda topic: topic.slug)
def test_every_page_a_topic_explains_exists(topic):
    try:
        assert reverse(topic.url_name)
    except NoReverseMatch:
        pytest.fail(f"{topic.slug} explains {topic.url_name}, which is no page")


def test_a_page_that_is_not_written_does_not_exist(world, client_of):
    assert client_of(world.officer).get("/help/nothing/").status_code == 404


def test_the_index_leads_to_every_page(world, client_of):
    page = client_of(world.officer).get("/help/").content.decode()
    for topic in handbook.TOPICS:
        assert reverse("portal:help-topic", args=[topic.slug]) in page
        assert get_template(topic.template)


def test_every_error_code_is_listed_with_its_remedy(world, client_of):
    page = client_of(world.hospital).get("/help/codes/").content.decode()
    for code in finding_codes():
        assert f'id="{code.code}"' in page
        assert code.title in page
    assert len(finding_codes()) >= 31


def test_the_stored_projection_is_explained_with_its_constants_and_its_errors(world, client_of):
    page = client_of(world.officer).get("/help/formulas/").content.decode()
    trend = page[page.index('id="trend"') : page.index('id="indicators"')]
    for word in ("月份权重", "进展系数", "月均水平", "80% 区间", "1.03%", "4.35%", "87.3%", "manage.py backtest"):
        assert word in trend, word
    for constant in (estimate.FADE, estimate.LEVEL_MONTHS, season.POOL_YEARS):
        assert str(constant) in trend
    assert f"{replaying.REACH:.0%}" in trend and f"{estimate.CLIP:.0%}" in trend


def test_every_formula_carries_a_clause_on_every_step(world, client_of):
    page = client_of(world.officer).get("/help/formulas/").content.decode()
    for formula in handbook.formulas():
        assert f'id="{formula.anchor}"' in page
        assert len(formula.trace) > 0
        assert all(step.clause for step in formula.trace), formula.anchor
    assert "11,680,246.62" in page  # the worked example of the overrun
    assert "14,327,160.50" in page  # December of the worked example of prepayment


def test_the_formula_page_shows_the_parameters_in_force_at_the_persons_place(world, client_of):
    page = client_of(world.officer).get("/help/formulas/").content.decode()
    assert "本统筹区现行" in page
    assert "待核实" in page
    entered = policies.enter_value(world.admin, world.scheme, "overrun.O1.rate", "0.70", "赣医保发〔2022〕23号正式文本")
    policies.confirm_value(world.reviewer, entered)
    assert "10,247,530.56" in client_of(world.officer).get("/help/formulas/").content.decode()
    assert "随系统提供" in client_of(world.stranger_officer).get("/help/formulas/").content.decode()


@pytest.mark.parametrize("name", scheme_names())
def test_the_formulas_can_be_worked_for_every_shipped_scheme(name):
    scheme = load_scheme(name)
    titles = [formula.title for formula in handbook.formulas(scheme)]
    assert "打包总额" in titles
    assert ("超支分担" in titles) == (scheme.brackets.overrun is not None)


def test_the_glossary_page_narrows_to_what_is_asked(world, client_of):
    page = client_of(world.officer).get("/help/glossary/", {"q": "合理超支"}).content.decode()
    assert "reasonable_overrun" in page
    assert "PoolingArea" not in page
    assert "没有这条术语" in client_of(world.officer).get("/help/glossary/", {"q": "天气"}).content.decode()


def test_pages_ask_a_visitor_to_sign_in_first(db, client):
    for url in ("/", "/overview/", "/help/", "/search/", "/help/formulas/"):
        answer = client.get(url)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/login/")


def test_the_worked_example_of_the_year_end_cash_is_the_one_of_the_policy_examples():
    cash = next(formula for formula in handbook.formulas() if formula.anchor == "cash")
    assert list(cash.trace)[-1].value == Decimal("37400000.00")


def test_every_row_of_the_quarterly_table_says_how_it_is_filled(world, client_of):
    page = client_of(world.hospital).get("/help/rows/").content.decode()
    table = shipped_table()
    for row in table.rows:
        assert f'id="row-{row.code}"' in page
        assert row.how.replace("&", "&amp;") in page, row.code
    for column in table.member_columns:
        assert column.title in page


def test_every_code_of_the_quarterly_checks_is_listed_with_its_remedy(world, client_of):
    page = client_of(world.officer).get("/help/codes/").content.decode()
    codes = check_codes()
    assert {"H1", "S1", "F01", "V01"} <= {one.code for one in codes}
    for one in codes:
        assert f'id="{one.code}"' in page and one.title in page
        assert one.remedy
