"""Adopted schemes and confirmed values: two people for each, and nothing in force without them."""

from datetime import date

import pytest

from core import policies
from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.models import PolicyParameter, TrailEvent
from rules.scheme import shipped_text

KEY = "overrun.O1.rate"
YEAR_END = date(2026, 12, 31)


def entered(world, value="0.7", **changes):
    given = {"key": KEY, "value": value, "document_title": "赣医保发〔2026〕1号", **changes}
    return policies.enter_value(world.admin, world.scheme, **given)


def rate(world, on=YEAR_END, place=None):
    scheme = policies.scheme_in_force(place or world.alliance, on).scheme
    return str(scheme.parameter(KEY).value)


def test_a_version_is_entered_by_one_and_approved_by_another(world):
    version = policies.enter_version(world.admin, world.area, shipped_text("ningde-2019"), date(2027, 1, 1))
    assert policies.scheme_in_force(world.area, date(2027, 6, 1)).version == world.scheme
    policies.approve_version(world.reviewer, version)
    assert policies.scheme_in_force(world.alliance, date(2027, 6, 1)).version == version
    assert policies.scheme_in_force(world.alliance, YEAR_END).version == world.scheme
    assert list(TrailEvent.objects.order_by("-pk").values_list("action", flat=True)[:2]) == [
        "core.approve_policy", "core.enter_policy",
    ]  # fmt: skip


def test_approving_a_second_time_says_who_was_first(world):
    with pytest.raises(Conflict, match="何劲松"):
        policies.approve_version(world.second_reviewer, world.scheme)


def test_only_administrators_enter_and_only_reviewers_approve(world):
    text = shipped_text("ningde-2019")
    for person in (world.officer, world.reviewer, world.hospital, world.stranger_officer):
        with pytest.raises(NotAllowed):
            policies.enter_version(person, world.area, text, YEAR_END)
    version = policies.enter_version(world.admin, world.area, text, YEAR_END)
    for person in (world.admin, world.second_admin, world.officer, world.stranger_reviewer):
        with pytest.raises(NotAllowed):
            policies.approve_version(person, version)


def test_who_entered_a_version_cannot_approve_it_with_a_second_post(world):
    from core.models import Role, RoleGrant, User
    from tests.world import START

    version = policies.enter_version(world.admin, world.area, shipped_text("ningde-2019"), YEAR_END)
    RoleGrant.objects.create(user=world.admin, role=Role.FUND_REVIEWER, pooling_area=world.area, valid_from=START)
    with pytest.raises(NotAllowed, match="由您本人经办"):
        policies.approve_version(User.objects.get(pk=world.admin.pk), version)


def test_a_faulty_document_is_refused_with_every_problem(world):
    broken = shipped_text("jiangxi-2022").replace('value = "marginal"', 'value = "sometimes"', 1)
    with pytest.raises(Refused) as refusal:
        policies.enter_version(world.admin, world.area, broken, YEAR_END)
    assert refusal.value.problems
    with pytest.raises(Refused):
        policies.enter_version(world.admin, world.area, "not toml [", YEAR_END)


def test_a_version_cannot_end_before_it_begins(world):
    with pytest.raises(Refused, match="早于"):
        policies.enter_version(world.admin, world.area, shipped_text("ningde-2019"), YEAR_END, date(2026, 1, 1))


def test_a_place_without_an_approved_scheme_is_told_what_to_do(world):
    with pytest.raises(Refused, match="没有已审定的打包方案"):
        policies.scheme_in_force(world.foreign_alliance, YEAR_END)
    with pytest.raises(Refused, match="2019"):
        policies.scheme_in_force(world.alliance, date(2019, 12, 31))


def test_an_entered_value_counts_only_when_confirmed_by_another(world):
    assert rate(world) == "0.80"
    row = entered(world)
    assert rate(world) == "0.80"
    policies.confirm_value(world.reviewer, row)
    assert rate(world) == "0.7"
    assert KEY not in [parameter.key for parameter in policies.unconfirmed(world.scheme)]


def test_confirming_twice_is_a_conflict(world):
    row = entered(world)
    policies.confirm_value(world.reviewer, row)
    with pytest.raises(Conflict, match="何劲松"):
        policies.confirm_value(world.second_reviewer, row)


def test_confirming_is_for_reviewers_of_the_place(world):
    row = entered(world)
    for person in (world.admin, world.officer, world.stranger_reviewer):
        with pytest.raises(NotAllowed):
            policies.confirm_value(person, row)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"value": "seven"}, "不能取这个值"),
        ({"value": "1.7"}, "不能取这个值"),
        ({"key": "no.such"}, "不能取这个值"),
        ({"document_title": " "}, "没有填写正式文件"),
    ],
)
def test_a_value_that_cannot_be_is_refused(world, changes, said):
    with pytest.raises(Refused, match=said):
        entered(world, **changes)
    assert not PolicyParameter.objects.exists()


def test_the_latest_confirmed_value_wins(world):
    for value in ("0.7", "0.75"):
        policies.confirm_value(world.reviewer, entered(world, value))
    assert rate(world) == "0.75"


def test_a_frozen_scheme_thaws_to_what_it_was(world):
    policies.confirm_value(world.reviewer, entered(world, "0.7"))
    frozen = policies.scheme_in_force(world.alliance, YEAR_END).frozen()
    policies.confirm_value(world.reviewer, entered(world, "0.75"))
    assert str(policies.thaw(frozen).parameter(KEY).value) == "0.7"


def test_a_document_changed_after_the_freezing_is_refused(world):
    frozen = policies.scheme_in_force(world.alliance, YEAR_END).frozen()
    type(world.scheme).objects.filter(pk=world.scheme.pk).update(document=world.scheme.document + "\n")
    with pytest.raises(Refused, match="校验值不符"):
        policies.thaw(frozen)
