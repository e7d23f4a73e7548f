"""Rights by post, place and day; four eyes; refusals that say who can help."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from core.access import (
    Denied,
    NotAllowed,
    different_person,
    has_any_role,
    holders,
    may,
    register_action,
    require,
    roles_at,
)
from core.models import Membership, Role, RoleGrant, User
from tests.world import START

ACT = "tests.approve"


@pytest.fixture(autouse=True)
def act():
    from core.access import actions

    register_action(ACT, "审定", {Role.FUND_REVIEWER})
    yield
    del actions[ACT]


def fresh(user):
    return User.objects.get(pk=user.pk)


def test_a_post_at_the_city_holds_in_every_place_below_it(world):
    for place in (world.area, world.qingxi, world.alliance, world.lead, world.outsider):
        assert may(world.reviewer, ACT, place)


def test_a_post_holds_in_no_foreign_place(world):
    for place in (world.foreign_area, world.foreign_county, world.foreign_alliance):
        assert not may(world.reviewer, ACT, place)


def test_a_county_post_holds_in_its_county_and_not_above_or_beside_it(world):
    RoleGrant.objects.create(user=world.nobody, role=Role.FUND_REVIEWER, county=world.qingxi, valid_from=START)
    user = fresh(world.nobody)
    assert may(user, ACT, world.qingxi)
    assert may(user, ACT, world.alliance)
    assert may(user, ACT, world.township)
    assert not may(user, ACT, world.yunling)
    assert not may(user, ACT, world.east)
    assert not may(user, ACT, world.area)


def test_an_alliance_post_reaches_its_members_of_today_only(world):
    assert Role.HOSPITAL_FINANCE in roles_at(world.hospital, world.township)
    assert Role.HOSPITAL_FINANCE not in roles_at(world.hospital, world.outsider)
    Membership.objects.filter(institution=world.township).update(valid_to=timezone.localdate() - timedelta(days=1))
    assert Role.HOSPITAL_FINANCE not in roles_at(fresh(world.hospital), world.township)


def test_a_member_post_does_not_reach_its_alliance_or_its_siblings(world):
    assert roles_at(world.member, world.township) == {Role.MEMBER_INSTITUTION}
    assert roles_at(world.member, world.alliance) == set()
    assert roles_at(world.member, world.lead) == set()


@pytest.mark.parametrize(
    ("offset_from", "offset_to", "holds"), [(0, 0, True), (-9, -1, False), (1, 9, False), (-1, None, True)]
)
def test_a_post_holds_from_its_first_to_its_last_day(world, offset_from, offset_to, holds):
    today = timezone.localdate()
    RoleGrant.objects.create(
        user=world.nobody, role=Role.FUND_REVIEWER, pooling_area=world.area, valid_from=today + timedelta(days=offset_from),
        valid_to=None if offset_to is None else today + timedelta(days=offset_to),
    )  # fmt: skip
    assert bool(may(fresh(world.nobody), ACT, world.area)) is holds


def test_a_disabled_account_holds_nothing(world):
    User.objects.filter(pk=world.reviewer.pk).update(is_active=False)
    assert not may(fresh(world.reviewer), ACT, world.area)


def test_a_refusal_names_the_act_the_post_one_has_and_who_can_do_it(world):
    answer = may(world.officer, ACT, world.alliance)
    assert isinstance(answer, Denied)
    for told in ("审定", "基金复核", "基金经办", "何劲松", "苏敏"):
        assert told in answer.reason


def test_a_refusal_says_so_when_nobody_holds_the_post(world):
    answer = may(world.stranger_officer, ACT, world.foreign_area)
    assert isinstance(answer, Denied)
    RoleGrant.objects.filter(user=world.stranger_reviewer).update(valid_to=date(2020, 12, 31))
    assert "此处尚无人任此岗" in may(world.stranger_officer, ACT, world.foreign_area).reason


def test_require_raises_what_may_denies(world):
    require(world.reviewer, ACT, world.area)
    with pytest.raises(NotAllowed, match="基金复核"):
        require(world.officer, ACT, world.area)


def test_holders_are_the_active_people_at_or_above_the_place(world):
    assert holders({Role.FUND_REVIEWER}, world.alliance) == [world.reviewer, world.second_reviewer]
    assert holders({Role.FUND_OFFICER}, world.alliance) == [world.county_officer, world.officer, world.second_officer]
    assert holders({Role.FUND_OFFICER}, world.east) == [world.officer, world.second_officer]
    assert holders({Role.HOSPITAL_FINANCE}, world.township) == [world.hospital]


def test_who_prepared_a_thing_never_approves_it(world):
    different_person(world.reviewer, world.officer, "打包预算")
    different_person(world.reviewer, None, "打包预算")
    with pytest.raises(NotAllowed, match="由您本人经办"):
        different_person(world.officer, fresh(world.officer), "打包预算")


def test_having_a_role_anywhere_is_enough_for_the_navigation(world):
    assert has_any_role(world.county_officer, {Role.FUND_OFFICER})
    assert not has_any_role(world.county_officer, {Role.FUND_REVIEWER})
