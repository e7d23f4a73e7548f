"""Figures of business are for posts that work with them: an administrator configures and reads none; places stay apart."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from core.models import PoolingArea, Role, RoleGrant, User
from monitoring.models import PlaceMonth, Threshold, Warning
from monitoring.reading import seen
from monitoring.reading.thresholds import preview
from monitoring.services import thresholds, warnings
from monitoring.services.rights import four_eyes
from monitoring.states import Act
from tests.monitoring import pages_ground
from tests.monitoring import warning_ground as ground
from tests.monitoring.warning_ground import JULY, again, live, share_row, trial, values
from tests.world import START

pytestmark = pytest.mark.django_db
PAGES = (
    "", "overview.xlsx", "league/", "league/export.xlsx", "heat/", "heat/export.xlsx", "indicators/inpatient_average/",
    "indicators/inpatient_average/export.xlsx", "places/A{alliance}/", "places/A{alliance}/months.xlsx",
    "places/A{alliance}/trace/inpatient_average/", "indicators/inpatient_average/?place=A{alliance}", "?place=A{alliance}",
)  # fmt: skip
API = ("/api/v1/indicator-figures/", "/api/v1/place-months/", "/api/v1/indicator-figures/?place=A{alliance}")


@pytest.fixture(autouse=True)
def _clock(time_machine):
    time_machine.move_to(ground.NOW)


@pytest.mark.parametrize("address", [*(f"/monitoring/{page}" for page in PAGES), *API])
def test_an_administrator_is_refused_business_figures_with_the_reason(world, client_of, address):
    pages_ground.months(world.alliance)
    address = address.format(alliance=world.alliance.pk)
    assert client_of(world.officer).get(address).status_code == 200
    answer = client_of(world.admin).get(address)
    assert answer.status_code == 403 and "查看运行监测" in answer.content.decode()


def test_one_version_of_a_month_is_refused_to_an_administrator(world, client_of):
    (row, *_rest) = pages_ground.months(world.alliance)
    pk = PlaceMonth.objects.filter(place=row.place).first().pk
    assert client_of(world.admin).get(f"/api/v1/place-months/{pk}/").status_code == 403


def test_the_catalogue_of_indicators_is_open_to_an_administrator(world, client_of):
    assert client_of(world.admin).get("/api/v1/indicators/").status_code == 200


def test_an_administrator_reads_no_warning_and_no_preview_but_every_threshold(world, client_of):
    w = ground.sent(world)
    client = client_of(world.admin)
    assert client.get(w.get_absolute_url()).status_code == 404
    assert client.get("/api/v1/warnings/").json()["results"] == []
    assert not Warning.objects.visible_to(world.admin).exists()
    page = client.get(w.threshold.get_absolute_url())
    assert page.status_code == 200 and page.context["preview"] is None and page.context["suggested"] == []
    assert client.get(f"/api/v1/warning-thresholds/{w.threshold_id}/preview/?month=2026-07").status_code == 403


def test_an_administrator_who_works_for_a_hospital_sees_its_figures_only(world, client_of):
    RoleGrant.objects.create(user=world.admin, role=Role.HOSPITAL_FINANCE, alliance=world.alliance, valid_from=START)
    pages_ground.months(world.alliance)
    pages_ground.months(world.east)
    admin = User.objects.get(pk=world.admin.pk)
    client = client_of(admin)
    assert client.get(f"/monitoring/places/A{world.alliance.pk}/").status_code == 200
    assert client.get(f"/monitoring/places/A{world.east.pk}/").status_code == 404
    assert [place.pk for place in seen.seen_places(admin, "alliance")] == [world.alliance.pk]
    assert {place.name for place in seen.seen_places(admin, "institution")} == {
        "青溪县人民医院", "石桥镇中心卫生院", "石桥村卫生室"
    }  # fmt: skip
    assert seen.seen_places(admin, "county") == seen.seen_places(admin, "city") == []
    rows = client.get("/api/v1/place-months/").json()["results"]
    assert {row["place"] for row in rows} == {f"A{world.alliance.pk}"}


def test_who_has_no_post_is_told_so_and_not_refused(world, client_of):
    assert "您还没有岗位" in client_of(world.nobody).get("/monitoring/").content.decode()


# --- thresholds ------------------------------------------------------------------------------------------------------


def breached(world):
    held = live(world)
    for place in (world.alliance, world.east):
        share_row(place, JULY, "12")
    return held


def test_a_preview_names_only_the_places_the_reader_sees(world, client_of):
    held = breached(world)
    client = client_of(world.county_officer)
    page = client.get(f"{held.get_absolute_url()}?month=2026-07").content.decode()
    told = client.get(f"/api/v1/warning-thresholds/{held.pk}/preview/?month=2026-07").json()
    assert "青溪县紧密型县域医共体" in told["text"] and "触发 2 项" in told["text"]
    assert "云岭县东部医共体" not in told["text"] and "云岭县东部医共体" not in page
    assert [one["name"] for one in told["breaches"]] == ["青溪县紧密型县域医共体"]
    assert "云岭县东部医共体" in client_of(world.officer).get(f"{held.get_absolute_url()}?month=2026-07").content.decode()
    assert len(preview(held, JULY).breaches) == 2


@pytest.mark.parametrize("month", ["", "x", "1900-01", "2999-12", "2026-13"])
def test_a_preview_of_no_month_is_refused(world, client_of, month):
    held = live(world)
    address = f"/api/v1/warning-thresholds/{held.pk}/preview/"
    assert client_of(world.officer).get(address, {"month": month}).status_code == 400


def given(**changed):
    told = {name: value for name, value in values(**changed).items() if value is not None}
    return {"pooling_area": "990100", **told, "valid_from": str(date(2026, 1, 1))}


def post(client, address, data):
    return client.post(address, data, content_type="application/json")


def test_a_county_officer_enters_a_threshold_of_the_county_over_the_api(world, client_of):
    client = client_of(world.county_officer)
    base = "/api/v1/warning-thresholds/"
    for place in (f"C{world.qingxi.pk}", f"A{world.alliance.pk}"):
        answer = post(client, base, given(place=place))
        assert (answer.status_code, answer.json()["county"]) == (201, "990101")
    assert post(client, base, given()).status_code == 403  # the whole area is the city's
    assert post(client, base, given(place=f"C{world.yunling.pk}")).status_code == 404
    assert post(client, base, given(place=f"I{world.lead.pk}")).status_code == 422
    assert post(client, base, {**given(), "pooling_area": "990200"}).status_code == 404
    assert post(client_of(world.hospital), base, given()).status_code == 403
    assert Threshold.objects.count() == 2


def test_a_county_officer_changes_her_own_draft_and_nobody_elses(world, client_of):
    mine = post(client_of(world.county_officer), "/api/v1/warning-thresholds/", given(place=f"C{world.qingxi.pk}")).json()
    client = client_of(world.county_officer)
    address = f"/api/v1/warning-thresholds/{mine['id']}/"
    changed = client.put(address, given(place=f"C{world.qingxi.pk}", red="0.15"), content_type="application/json")
    assert changed.json()["red"] == "0.150000"
    assert client.put(address, given(), content_type="application/json").status_code == 403
    city = trial(world)
    other = client.put(f"/api/v1/warning-thresholds/{city.pk}/", given(), content_type="application/json")
    assert other.status_code == 403


def test_a_rule_of_one_county_or_alliance_is_unknown_elsewhere(world, client_of):
    city = live(world)
    own = live(world, county=world.qingxi)
    eastern = live(world, county=world.yunling, alliance=world.east)
    county = live(world, county=world.yunling)
    shown = {
        person.username: set(Threshold.objects.visible_to(person).values_list("pk", flat=True))
        for person in (world.officer, world.county_officer, world.hospital, world.sister_hospital, world.stranger_officer)
    }
    assert shown["officer"] == {city.pk, own.pk, eastern.pk, county.pk}
    assert shown["county_officer"] == shown["hospital"] == {city.pk, own.pk}
    assert shown["sister_hospital"] == {city.pk, eastern.pk, county.pk} and shown["stranger_officer"] == set()
    assert client_of(world.hospital).get(eastern.get_absolute_url()).status_code == 404


def test_adopting_the_defaults_stays_with_the_city(world, client_of):
    assert post(client_of(world.county_officer), "/monitoring/warnings/thresholds/adopt/", {}).status_code == 403
    assert thresholds.adopt_defaults(world.officer, PoolingArea.objects.get(pk=world.area.pk)) > 0


# --- four eyes -------------------------------------------------------------------------------------------------------


def test_who_answered_does_not_close_the_warning(world):
    from core.access import NotAllowed

    w = ground.sent(world)
    RoleGrant.objects.create(user=world.reviewer, role=Role.HOSPITAL_FINANCE, alliance=world.alliance, valid_from=START)
    both = User.objects.get(pk=world.reviewer.pk)
    ground.reply(world, w, both)
    w = again(w)
    with pytest.raises(NotAllowed, match="由您本人提交"):
        warnings.close(both, w, "措施已落实，转入日常监测")
    assert not four_eyes(both, w, Act.CLOSE)
    assert warnings.close(world.second_reviewer, w, "措施已落实，转入日常监测").state == "closed"


def test_an_odd_month_or_year_in_an_address_breaks_nothing(world, client_of):
    client = client_of(world.officer)
    assert client.get("/monitoring/collection/?month=1900-01").status_code == 200
    assert client.get("/monitoring/midterm/new/?year=1").status_code == 422
    assert client.get(f"/monitoring/midterm/new/?year={'9' * 15}").status_code == 422


def test_levels_compared_with_peers_are_suggested_from_the_same_peers_the_page_shows(world):
    from monitoring.reading.peers import peer_history, peer_medians
    from monitoring.reading.places import ref_of
    from monitoring.reading.thresholds import suggestions
    from rules.spans import Span

    houses = [pages_ground.township(world, number) for number in range(6)]
    for number, house in enumerate(houses):
        pages_ground.months(house, inpatient_cost=Decimal(1_000_000 * (number + 1)))
    pages_ground.months(world.lead, inpatient_cost=Decimal(90_000_000))  # a county hospital is no peer of a township centre
    span = Span.month(pages_ground.MONTHS[-1])
    refs = [ref_of(house) for house in houses]
    now = peer_medians(refs, span, ["inpatient_average"], ["RES"])
    assert {key[0]: value for key, value in now.items()} == {
        key[0]: value for key, value in peer_history(refs, [span], "inpatient_average", ["RES"]).items()
    }
    found = suggestions(
        world.area, "inpatient_average", "institution", "RES", "peers", "month", True, pages_ground.MONTHS[-1]
    )
    # 6 months × 6 centres beside the median of the other five: 1/4, 2/4, 3/4, 4/3, 5/3, 6/3; the hospital has no peers
    assert found is not None and found.relative
    assert (found.sample, found.yellow, found.orange) == (36, Decimal("0.666667"), Decimal(1))
    assert "近 6 个月" in found.text


def test_an_administrator_is_led_to_the_thresholds_and_to_no_empty_list(world, client_of):
    ground.sent(world)
    client, warnings_link = client_of(world.admin), 'href="/monitoring/warnings/"'
    answer = client.get(reverse("monitoring:warnings"))
    assert (answer.status_code, answer["Location"]) == (302, reverse("monitoring:thresholds"))
    page = client.get(reverse("monitoring:thresholds")).content.decode()
    assert page.count("预警阈值") > 2 and warnings_link not in page and "监控重点" not in page
    officer = client_of(world.officer).get(reverse("monitoring:warnings")).content.decode()
    assert warnings_link in officer and "预警阈值" not in officer
