"""Dated single parameters: entered with their basis, in force once confirmed, the county's own before the city's."""

from datetime import date

import pytest

from core import parameters
from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.models import Parameter, TrailEvent
from tests.world import START

KEY = "budgets.primary_share_floor"
ON = date(2026, 6, 30)


def entered(world, text="0.18", place=None, valid_from=START, **changes):
    given = {"key": KEY, "text": text, "clause": "澜医保〔2026〕1号", "valid_to": None, **changes}
    return parameters.enter_parameter(
        world.admin, given["key"], place or world.area, given["text"], given["clause"], valid_from, given["valid_to"]
    )


def in_force(world, text="0.18", **given):
    return parameters.confirm_parameter(world.reviewer, entered(world, text, **given))


def test_without_an_entry_the_default_holds_with_its_clause(world):
    found = parameters.value(KEY, world.alliance, ON)
    assert (found.text, found.is_confirmed) == ("0.16", True)
    assert "不低于16%" in found.clause
    assert not parameters.value("settlement.confirm_days", world.alliance, ON).is_confirmed


def test_an_entry_counts_once_a_reviewer_confirmed_it(world):
    row = entered(world)
    assert parameters.value(KEY, world.alliance, ON).text == "0.16"
    parameters.confirm_parameter(world.reviewer, row)
    found = parameters.value(KEY, world.alliance, ON)
    assert (str(found.decimal), found.clause) == ("0.18", "澜医保〔2026〕1号")
    assert parameters.value(KEY, world.foreign_alliance, ON).text == "0.16"


def test_a_value_of_the_county_outweighs_that_of_the_city(world):
    in_force(world, "0.18")
    in_force(world, "0.20", place=world.qingxi)
    assert parameters.value(KEY, world.alliance, ON).text == "0.20"
    assert parameters.value(KEY, world.east, ON).text == "0.18"
    assert parameters.value(KEY, world.area, ON).text == "0.18"
    assert parameters.value(KEY, world.qingxi, ON).text == "0.20"


def test_the_value_follows_the_day(world):
    in_force(world, "0.18", valid_from=date(2026, 1, 1), valid_to=date(2026, 12, 31))
    in_force(world, "0.19", valid_from=date(2027, 1, 1))
    days = [date(2025, 12, 31), date(2026, 12, 31), date(2027, 1, 1)]
    assert [parameters.value(KEY, world.alliance, day).text for day in days] == ["0.16", "0.18", "0.19"]


def test_of_two_overlapping_values_the_later_begun_holds(world):
    in_force(world, "0.18", valid_from=date(2026, 1, 1))
    in_force(world, "0.17", valid_from=START)
    assert parameters.value(KEY, world.alliance, ON).text == "0.18"


@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        (KEY, "1.01", "0 到 1 之间"),
        (KEY, "-0.1", "不能为负"),
        (KEY, "百分之十六", "须填数字"),
        (KEY, "NaN", "不能为负"),
        ("settlement.confirm_days", "7.5", "须填整数"),
        ("budgets.primary_share_base", "everything", "只能取"),
        ("no.such", "1", "没有名为"),
    ],
)
def test_a_value_that_does_not_fit_its_kind_is_refused(world, key, text, said):
    with pytest.raises(Refused, match=said):
        entered(world, text, key=key)
    assert not Parameter.objects.exists()


def test_everything_that_is_wrong_is_told_at_once(world):
    with pytest.raises(Refused) as refusal:
        entered(world, "2", clause=" ", valid_to=date(2019, 1, 1))
    assert [problem.field for problem in refusal.value.problems] == ["value", "clause", "valid_to"]


def test_entering_and_confirming_are_two_posts(world):
    with pytest.raises(NotAllowed):
        parameters.enter_parameter(world.reviewer, KEY, world.area, "0.18", "x", START)
    row = entered(world)
    for person in (world.admin, world.officer, world.stranger_reviewer):
        with pytest.raises(NotAllowed):
            parameters.confirm_parameter(person, row)
    parameters.confirm_parameter(world.reviewer, row)
    with pytest.raises(Conflict, match="何劲松"):
        parameters.confirm_parameter(world.second_reviewer, row)


def test_both_acts_leave_their_trace(world):
    in_force(world)
    texts = list(TrailEvent.objects.order_by("-pk").values_list("summary", flat=True)[:2])
    assert texts[0] == "核实参数“基层医疗机构支出占比下限” = 0.18"
    assert "依据：澜医保〔2026〕1号" in texts[1]


def test_every_defined_parameter_has_a_usable_default_and_a_clause():
    for definition in parameters.definitions.values():
        assert definition.clause, definition.key
        assert parameters._fault(definition, definition.default) == "", definition.key


def test_a_new_county_reads_parameters_like_any_other(world):
    assert parameters.value(KEY, world.yunling, ON).text == "0.16"
    assert parameters.value(KEY, world.township, ON).text == "0.16"
