"""Account life: opening, posts that do not go together, leavers, passwords, and whose people an administrator may touch."""

from datetime import date, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from core import accounts, trail
from core.access import INCOMPATIBLE, NotAllowed
from core.errors import Conflict, Refused
from core.models import County, PoolingArea, Role, RoleGrant, TrailEvent, User
from core.places import save_county
from tests.world import PASSWORD, START

TODAY = date(2026, 11, 20)


@pytest.fixture(autouse=True)
def _fixed_day(time_machine):
    time_machine.move_to(TODAY)


def grant(world, role, place, user=None, valid_from=TODAY, valid_to=None, actor=None):
    return accounts.grant_role(actor or world.admin, user or world.nobody, role, place, valid_from, valid_to)


def test_a_new_account_must_change_its_first_password(world):
    user, password = accounts.open_account(world.admin, world.area, " li.na ", " 李娜 ", "医保局")
    assert (user.username, user.full_name, user.must_change_password) == ("li.na", "李娜", True)
    assert user.check_password(password)
    assert password not in str(TrailEvent.objects.latest("pk").data) + TrailEvent.objects.latest("pk").summary


def test_opening_an_account_lists_everything_that_is_missing(world):
    with pytest.raises(Refused) as refusal:
        accounts.open_account(world.admin, world.area, " ", " ")
    assert {problem.field for problem in refusal.value.problems} == {"username", "full_name"}


def test_user_names_are_unique_whatever_their_case(world):
    with pytest.raises(Refused, match="已被使用"):
        accounts.open_account(world.admin, world.area, "Officer", "某人")


@pytest.mark.parametrize("person", ["officer", "reviewer", "hospital", "stranger_officer", "nobody"])
def test_only_administrators_of_the_place_manage_people(world, person):
    actor = getattr(world, person)
    with pytest.raises(NotAllowed):
        accounts.open_account(actor, world.area, "x", "某人")
    with pytest.raises(NotAllowed):
        grant(world, Role.OBSERVER, world.area, actor=actor)


def test_nobody_grants_a_post_to_herself(world):
    with pytest.raises(NotAllowed, match="不能给自己授予岗位"):
        grant(world, Role.OBSERVER, world.area, user=world.admin)


@pytest.mark.parametrize("pair", INCOMPATIBLE, ids=lambda pair: str(pair))
@pytest.mark.parametrize("turned", [False, True])
def test_posts_that_check_each_other_are_never_held_by_one_person(world, pair, turned):
    first, second = reversed(pair) if turned else pair
    places = {Role.HOSPITAL_FINANCE: world.alliance, Role.MEMBER_INSTITUTION: world.township}
    grant(world, first, places.get(first, world.area))
    with pytest.raises(Refused, match="不相容"):
        grant(world, second, places.get(second, world.area))


def test_incompatible_posts_collide_above_and_below_each_other_but_not_side_by_side(world):
    grant(world, Role.FUND_OFFICER, world.qingxi)
    with pytest.raises(Refused, match="不相容"):
        grant(world, Role.FUND_REVIEWER, world.area)
    with pytest.raises(Refused, match="不相容"):
        grant(world, Role.FUND_REVIEWER, world.qingxi)
    assert grant(world, Role.FUND_REVIEWER, world.yunling)


def test_an_incompatible_post_of_next_month_is_seen_today(world):
    grant(world, Role.FUND_OFFICER, world.area, valid_from=TODAY + timedelta(days=30))
    with pytest.raises(Refused, match="不相容"):
        grant(world, Role.FUND_REVIEWER, world.area)
    assert grant(world, Role.FUND_REVIEWER, world.area, valid_to=TODAY + timedelta(days=29))


def test_a_post_that_has_ended_stands_in_no_ones_way(world):
    grant(world, Role.FUND_OFFICER, world.area, valid_from=START, valid_to=TODAY - timedelta(days=1))
    assert grant(world, Role.FUND_REVIEWER, world.area)


@pytest.mark.parametrize(
    ("role", "place", "said"),
    [
        (Role.HOSPITAL_FINANCE, "area", "须授予在医共体上"),
        (Role.HOSPITAL_FINANCE, "lead", "须授予在医共体上"),
        (Role.MEMBER_INSTITUTION, "alliance", "须授予在机构上"),
        (Role.FUND_OFFICER, "alliance", "须授予在统筹区或县（区）上"),
        (Role.ADMINISTRATOR, "lead", "须授予在统筹区或县（区）上"),
    ],
)
def test_a_post_belongs_to_its_level_of_place(world, role, place, said):
    with pytest.raises(Refused, match=said):
        grant(world, role, getattr(world, place))


def test_an_observer_may_stand_anywhere(world):
    for place in (world.area, world.qingxi, world.alliance, world.lead):
        grant(world, Role.OBSERVER, place)


def test_a_post_cannot_end_before_it_begins(world):
    with pytest.raises(Refused, match="早于"):
        grant(world, Role.OBSERVER, world.area, valid_to=TODAY - timedelta(days=1))
    held = grant(world, Role.OBSERVER, world.area)
    with pytest.raises(Refused, match="早于"):
        accounts.end_grant(world.admin, held, TODAY - timedelta(days=1))


def test_ending_a_post_keeps_the_row_and_never_lengthens_it(world):
    held = grant(world, Role.OBSERVER, world.area, valid_to=TODAY + timedelta(days=10))
    assert accounts.end_grant(world.admin, held, TODAY).valid_to == TODAY
    with pytest.raises(Refused, match="另行授予"):
        accounts.end_grant(world.admin, held, TODAY + timedelta(days=400))


def test_a_leaver_keeps_the_account_and_loses_every_post(world):
    coming = grant(world, Role.OBSERVER, world.area, user=world.officer, valid_from=TODAY + timedelta(days=9))
    accounts.disable_account(world.admin, world.officer, world.area, "调离")
    user = User.objects.get(pk=world.officer.pk)
    coming.refresh_from_db()
    assert not user.is_active
    assert user.grants_on(TODAY) == user.grants_on(TODAY + timedelta(days=9)) == []
    assert "调离" in TrailEvent.objects.latest("pk").summary


def test_a_leaver_is_signed_out_at_the_next_request(world, client_of):
    client = client_of(world.officer)
    assert client.get(reverse("core:jobs")).status_code == 200
    accounts.disable_account(world.admin, world.officer, world.area, "调离")
    assert client.get(reverse("core:jobs")).status_code == 302


def test_disabling_needs_a_reason_and_another_person(world):
    with pytest.raises(Refused, match="没有填写停用原因"):
        accounts.disable_account(world.admin, world.officer, world.area, " ")
    with pytest.raises(NotAllowed, match="不能停用自己"):
        accounts.disable_account(world.admin, world.admin, world.area, "x")


def test_a_disabled_account_comes_back_without_its_posts(world):
    accounts.disable_account(world.admin, world.officer, world.area, "借调")
    user, password = accounts.enable_account(world.admin, world.officer, world.area)
    assert user.is_active
    assert user.must_change_password
    assert user.check_password(password)
    assert user.grants_on(TODAY) == []
    with pytest.raises(Conflict, match="没有停用"):
        accounts.enable_account(world.admin, user, world.area)


def test_an_administrator_reaches_no_person_with_a_post_elsewhere(world):
    acts = [
        lambda user: accounts.reset_password(world.admin, user, world.area),
        lambda user: accounts.disable_account(world.admin, user, world.area, "x"),
        lambda user: accounts.enable_account(world.admin, user, world.area),
        lambda user: accounts.rename_person(world.admin, user, world.area, "改名", ""),
    ]
    for act in acts:
        with pytest.raises(NotAllowed):
            act(world.stranger_officer)
    world.stranger_officer.refresh_from_db()
    assert world.stranger_officer.check_password(PASSWORD)
    assert world.stranger_officer.full_name == "外市经办"


def test_a_reset_password_works_once_and_must_be_changed(world, client):
    password = accounts.reset_password(world.admin, world.officer, world.area)
    client.post(reverse("core:login"), {"username": "officer", "password": password})
    assert client.get(reverse("core:jobs")).url == reverse("core:password")
    client.post(
        reverse("core:password"),
        {"old_password": password, "new_password1": "long-and-new-7", "new_password2": "long-and-new-7"},
    )
    assert client.get(reverse("core:jobs")).status_code == 200


@pytest.mark.parametrize(
    ("old", "new", "again", "said"),
    [
        ("wrong", "long-and-new-7", "long-and-new-7", "原密码不对"),
        (PASSWORD, "long-and-new-7", "long-and-new-8", "不一致"),
        (PASSWORD, PASSWORD, PASSWORD, "与原密码相同"),
        (PASSWORD, "short1", "short1", "密码"),
        (PASSWORD, "12345678901234", "12345678901234", "数字"),
    ],
)
def test_a_password_that_will_not_do_is_refused_with_the_reason(world, old, new, again, said):
    with pytest.raises(Refused, match=said):
        accounts.change_own_password(world.officer, old, new, again)
    world.officer.refresh_from_db()
    assert world.officer.check_password(PASSWORD)


def test_a_corrected_name_keeps_the_old_one_in_the_trail(world):
    accounts.rename_person(world.admin, world.officer, world.area, "林晓兰", "医保中心")
    noted = TrailEvent.objects.latest("pk")
    assert noted.data["before"]["full_name"] == "林晓岚"
    with pytest.raises(Refused):
        accounts.rename_person(world.admin, world.officer, world.area, " ", "")


def test_the_login_before_this_one_is_remembered(world, client):
    first = timezone.now() - timedelta(days=3)
    User.objects.filter(pk=world.officer.pk).update(last_login=first)
    client.post(reverse("core:login"), {"username": "officer", "password": PASSWORD})
    world.officer.refresh_from_db()
    assert world.officer.previous_login_at == first
    assert TrailEvent.objects.latest("pk").action == "core.login"


def test_the_first_city_is_opened_at_the_console_with_two_administrators(db, capsys):
    call_command("open_city", "360900", "宜春市", "--administrator", "wang", "王一", "--administrator", "zhao", "赵二")
    told = capsys.readouterr().out
    wang = User.objects.get(username="wang")
    assert wang.must_change_password
    assert any(wang.check_password(word) for word in told.split())
    county = County(pooling_area=PoolingArea.objects.get(), code="360901", name="某县", valid_from=START)
    assert save_county(wang, county).pk
    assert trail.verify_chains() == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["360900", "宜春市", "--administrator", "wang", "王一"], "至少需要两名"),
        (["36", "宜春市", "--administrator", "wang", "王一", "--administrator", "zhao", "赵二"], "六位数字"),
        (["360900", "宜春市", "--administrator", "wang", "王一", "--administrator", "Wang", "赵二"], "用户名相同"),
    ],
)
def test_a_city_that_cannot_be_opened_leaves_nothing_behind(db, given, said):
    with pytest.raises(CommandError, match=said):
        call_command("open_city", *given)
    assert not User.objects.exists()
    assert not PoolingArea.objects.exists()


def test_the_database_itself_refuses_a_grant_at_two_places_or_to_oneself(world):
    from django.db import IntegrityError, transaction

    for given in (
        {"pooling_area": world.area, "county": world.qingxi},
        {},
        {"pooling_area": world.area, "granted_by": world.nobody},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            RoleGrant.objects.create(user=world.nobody, role=Role.OBSERVER, valid_from=TODAY, **given)
