"""The overview names the gravest open warnings that the person sees at the place, and nobody else's."""

from __future__ import annotations

import pytest
import time_machine
from django.urls import reverse

from tests.monitoring import desk_ground

ALLIANCE = reverse("portal:alliance", args=["QX"])
COUNTY, CITY = reverse("portal:county", args=["990101"]), reverse("portal:city", args=["990100"])


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(desk_ground.NOW, tick=False):
        yield


def page(client, url):
    return client.get(url).content.decode()


def test_an_open_warning_stands_on_the_overview_of_its_alliance_county_and_city(world, client_of):
    w = desk_ground.sent(world)
    client = client_of(world.officer)
    for url in (ALLIANCE, COUNTY, CITY):
        shown = page(client, url)
        assert w.title in shown, url
        assert w.get_absolute_url() in shown, url
    assert w.title not in page(client, f"{ALLIANCE}?fund=EMP")


def test_a_warning_that_was_not_sent_or_is_closed_is_not_shown_to_the_hospital(world, client_of):
    w = desk_ground.raised(world)
    assert w.title not in page(client_of(world.hospital), ALLIANCE)
    assert w.title in page(client_of(world.officer), ALLIANCE)
    desk_ground.services.send(world.officer, w)
    assert w.title in page(client_of(world.hospital), ALLIANCE)
    desk_ground.services.close(world.reviewer, w, "已核实，不属于异常")
    assert w.title not in page(client_of(world.officer), ALLIANCE)


def test_the_sister_hospitals_overview_never_names_the_warning_of_another_alliance(world, client_of):
    w = desk_ground.sent(world, world.east)
    assert w.title in page(client_of(world.sister_hospital), reverse("portal:alliance", args=["YL-E"]))
    assert w.title not in page(client_of(world.hospital), ALLIANCE)
