"""Who sees which rows."""

import pytest
from django.http import Http404

from core.models import Alliance, County, Institution, Job, PolicyVersion, PoolingArea, TrailEvent
from core.scope import get_visible


def names(queryset):
    return sorted(str(found) for found in queryset)


@pytest.mark.parametrize(
    ("person", "alliances", "counties", "areas"),
    [
        ("officer", 3, 2, 1),
        ("county_officer", 1, 1, 0),
        ("hospital", 1, 0, 0),
        ("member", 0, 0, 0),
        ("observer", 3, 2, 1),
        ("stranger_officer", 1, 1, 1),
        ("nobody", 0, 0, 0),
    ],
)
def test_each_person_sees_the_places_below_the_post(world, person, alliances, counties, areas):
    user = getattr(world, person)
    seen = [model.objects.visible_to(user).count() for model in (Alliance, County, PoolingArea)]
    assert seen == [alliances, counties, areas]


def test_institutions_are_seen_through_every_level_without_doubles(world):
    assert names(Institution.objects.visible_to(world.hospital)) == [
        "石桥村卫生室",
        "石桥镇中心卫生院",
        "青溪县人民医院",
    ]
    assert names(Institution.objects.visible_to(world.member)) == ["石桥镇中心卫生院"]
    assert Institution.objects.visible_to(world.county_officer).count() == 4
    assert Institution.objects.visible_to(world.officer).count() == 6


def test_the_adopted_scheme_is_seen_by_everybody_of_its_area_once(world):
    for person in (world.officer, world.county_officer, world.hospital, world.member):
        assert list(PolicyVersion.objects.visible_to(person)) == [world.scheme]
    assert not PolicyVersion.objects.visible_to(world.stranger_officer).exists()


def test_the_trail_is_for_the_bureau_and_administrators_of_the_place(world):
    assert TrailEvent.objects.visible_to(world.auditor).count() == 2
    assert TrailEvent.objects.visible_to(world.admin).count() == 2
    for person in (world.hospital, world.member, world.observer, world.county_officer, world.stranger_officer):
        assert not TrailEvent.objects.visible_to(person).exists()


def test_a_hospital_sees_the_jobs_it_started_and_not_the_bureaus(world):
    theirs = Job.objects.create(name="a", label="a", actor=world.hospital, alliance=world.alliance)
    bureau = Job.objects.create(
        name="b", label="b", actor=world.officer, alliance=world.alliance, county=world.qingxi, pooling_area=world.area
    )
    assert list(Job.objects.visible_to(world.hospital)) == [theirs]
    assert list(Job.objects.visible_to(world.county_officer)) == [bureau]
    assert list(Job.objects.visible_to(world.officer)) == [bureau]


def test_what_lies_outside_answers_like_what_does_not_exist(world):
    assert get_visible(Alliance.objects.all(), world.officer, pk=world.alliance.pk) == world.alliance
    for pk in (world.foreign_alliance.pk, 999_999, "x"):
        with pytest.raises(Http404):
            get_visible(Alliance.objects.all(), world.officer, pk=pk)


def test_a_visitor_without_an_account_sees_nothing(world):
    from django.contrib.auth.models import AnonymousUser

    assert not Alliance.objects.visible_to(AnonymousUser()).exists()
