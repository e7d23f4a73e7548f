"""The handbook's page on audits: the state table, limits, acts with their penalties and points, all from the data."""

from __future__ import annotations

import re
from datetime import date

import pytest
from django.urls import reverse

from audits.parameters import ALL_LIMITS, count_key
from audits.preconditions import PRECONDITIONS
from audits.reading import handbook
from audits.states import ROWS, Act, CaseState, TrackState
from core.models import Role
from core.parameters import confirm_parameter, enter_parameter
from rules.penalties import ACTS

pytestmark = pytest.mark.django_db
TODAY = date(2026, 9, 1)


@pytest.fixture(autouse=True)
def _clock(time_machine):
    time_machine.move_to("2026-09-01 09:00:00+08:00")


@pytest.fixture
def page(world, client_of):
    return client_of(world.member).get(reverse("portal:help-audits")).content.decode()


def test_every_row_of_the_state_table_is_told_exactly_once(page):
    told = [row for table in handbook.tables() for row in table.rows]
    assert len(told) == len(ROWS) == sum(len(table.rows) for table in handbook.tables())
    assert len(re.findall(r"<tr><th scope=\"row\" class=\"nowrap\">", page)) == len(ROWS)


def test_a_row_names_posts_conditions_target_and_limits(world):
    rows = {(row.state, row.act): row for row in handbook.tables()[2].rows}
    legal = rows[TrackState.LEGAL.label, Act.PASS_LEGAL.label]
    assert legal.who == Role.LEGAL_REVIEWER.label
    assert legal.needs == ("没有中止", "没有参与本案调查", "不是初审人、复审人")
    assert legal.target == TrackState.TO_DECIDE.label and legal.ends == ("法制审核",)
    notify = rows[TrackState.TO_NOTIFY.label, Act.NOTIFY.label]
    assert notify.starts == ("当事人陈述申辩", "当事人申请听证") and notify.ends == ("拟定意见并送达告知书",)
    assert not notify.reason and rows[TrackState.RE_REVIEW.label, Act.RETURN_RE.label].reason


def test_acts_of_the_clock_are_shown_as_the_systems_own(world):
    rows = {(row.state, row.act): row.who for row in handbook.tables()[1].rows}
    assert rows[CaseState.INVESTIGATING.label, Act.ESCALATE.label] == "系统"
    assert rows[CaseState.INVESTIGATING.label, Act.SUBMIT.label] == Role.AUDITOR.label


def test_every_precondition_has_words_for_the_reader(page):
    for name in {name for row in ROWS for name in row.needs}:
        assert PRECONDITIONS[name].label and PRECONDITIONS[name].label in page, name


def test_every_limit_stands_with_its_days_and_its_basis(page):
    for key, limit in ALL_LIMITS.items():
        assert f'id="limit-{key}"' in page and limit.label in page
    assert "国家医疗保障局令第4号" in page and "待核实" in page


def test_limits_are_those_confirmed_at_the_readers_place(world, client_of):
    entered = enter_parameter(world.admin, count_key("decision"), world.area, "80", "澜医保发〔2026〕9号", date(2026, 1, 1))
    assert _decision(world.township).length == "90 日"
    confirm_parameter(world.reviewer, entered)
    own, foreign = _decision(world.township), _decision(world.foreign_county)
    assert own.length == "80 日" and own.confirmed and own.basis.startswith("澜医保发〔2026〕9号")
    assert foreign.length == "90 日" and not foreign.confirmed
    assert "80 日" in client_of(world.member).get(reverse("portal:help-audits")).content.decode()


def test_every_act_stands_with_the_penalty_of_its_day(page):
    offences = {one.key: one for one in handbook.offences()}
    assert set(offences) == {act.key for act in ACTS}
    for act in ACTS:
        assert f'id="act-{act.key}"' in page
    overcharging = [(one.text, one.span) for one in offences["overcharging"].ranges]
    assert ("1–2 倍损失金额", "2021-05-01 起") in overcharging
    assert ("重复违规的，2 倍损失金额以上", "2020-01-01 至 2021-04-30") in overcharging
    assert all(bool(offences[act.key].ranges) == act.penalised for act in ACTS)
    assert "只作协议处理，没有行政处罚" in page


def test_points_of_persons_and_of_providers_never_stand_in_one_scheme(page):
    persons, providers = handbook.schemes()
    assert [row.text for row in persons.rows][:4] == [f"每次记 {span} 分" for span in ("1–3", "4–6", "7–9", "10–12")]
    assert "自然年度内累计满 9 分" in page and "3 年内不得再次登记备案" in page
    assert persons.confirmed and not providers.confirmed


def test_the_page_opens_for_an_account_without_posts(world, client_of):
    assert client_of(world.nobody).get(reverse("portal:help-audits")).status_code == 200


def test_the_page_asks_few_queries_however_long_it_is(world, client_of, django_assert_max_num_queries):
    client = client_of(world.nobody)
    client.get(reverse("portal:help-audits"))
    with django_assert_max_num_queries(20):
        client.get(reverse("portal:help-audits"))


def _decision(place):
    return next(one for one in handbook.limits_at(place, TODAY) if one.key == "decision")
