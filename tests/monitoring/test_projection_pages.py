"""Pages, exports and API of the projection: what they show, to whom, and with how many queries."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core.models import RoleGrant, User
from core.templatetags.fund import wan, yuan
from monitoring.models import Projection
from monitoring.services.projecting import project_month
from portal.reading.outlook import outlooks
from rules.periods import Month
from tests.budgets import ground
from tests.monitoring import projection_ground as facts
from tests.portal.conftest import RESIDENTS
from tests.portal.sheets import money, rows_of

D = Decimal
LIST = reverse("monitoring:projections")
SEPTEMBER = Month(2026, 9)


@pytest.fixture
def projected(world):
    """Qingxi's residents in July, August and September 2026: a year before, a package of 118 million."""
    facts.years(world, {2025: 95, 2026: 100}, SEPTEMBER)
    ground.approved(world, ground.inputs("118000000.00", years=RESIDENTS))
    for month in (7, 8, 9):
        project_month([world.alliance], Month(2026, month))
    return world


def made(world, alliance, fund="RES", month=9, **changed):
    """A stored projection without a model behind it."""
    given = {
        "expected": D("120000000.00"), "low": D("115000000.00"), "high": D("126000000.00"), "package": D("118000000.00"),
        "in_alliance": D("86000000.00"), "outflow": D("34000000.00"), "known": D("88900000.00"), "tier": "O1",
        "prepaid": D("70800000.00"), "cash": D("15000000.00"), "inputs": "x", "computed_at": timezone.now(),
    }  # fmt: skip
    given.update(changed)
    return Projection.objects.create(
        alliance=alliance, county=alliance.county, pooling_area=alliance.county.pooling_area, fund_type=fund, year=2026,
        month=month, **given,
    )  # fmt: skip


def text_of(client, url):
    response = client.get(url)
    assert response.status_code == 200, url
    return response.content.decode()


def the_one(month=9):
    return Projection.objects.current().get(year=2026, month=month)


def test_the_list_shows_the_newest_month_with_range_tier_and_error(projected, client_of):
    page = text_of(client_of(projected.officer), LIST)
    row = the_one()
    assert wan(row.expected) in page
    assert "截至 2026年9月" in page
    assert "落档标尺" in page
    assert row.package_runs_out in page and row.prepaid_runs_out in page
    assert "80% 区间不能相加" in page


def test_the_list_filters_by_month_fund_county_state_and_name(projected, client_of):
    made(projected, projected.east, expected=D("100000000.00"), low=None, high=None)
    client = client_of(projected.officer)
    east, qingxi = projected.east.name, projected.alliance.name
    assert east in text_of(client, LIST)
    for query, seen in {
        "month=2026-08": qingxi, "county=990102": east, "state=overrun": qingxi, "state=surplus": east, "q=东部": east,
    }.items():  # fmt: skip
        page = text_of(client, f"{LIST}?{query}")
        body = page[page.index("<tbody") :] if "<tbody" in page else ""
        other = east if seen == qingxi else qingxi
        assert seen in body and other not in body, query
    assert "没有预测" in text_of(client, f"{LIST}?fund=EMP")


def test_an_unknown_month_or_sort_in_the_address_breaks_nothing(projected, client_of):
    client = client_of(projected.officer)
    assert projected.alliance.name in text_of(client, f"{LIST}?month=2031-13&sort=nothing&page=99")


def test_the_export_holds_exactly_the_rows_and_sums_of_the_list(projected, client_of):
    made(projected, projected.east, expected=D("100000000.00"))
    client = client_of(projected.officer)
    rows = rows_of(client.get(f"{reverse('monitoring:projections-xlsx')}?sort=-expected"), "趋势预测")
    header = next(number for number, row in enumerate(rows) if row[0] == "县（区）")
    body, total = rows[header + 1 : -1], rows[-1]
    assert [row[2] for row in body] == [projected.alliance.name, projected.east.name]
    assert total[0] == "合计"
    assert money(total[6]) == the_one_of(projected.alliance).expected + D("100000000.00")
    assert total[7] in (None, "")


def the_one_of(alliance):
    return Projection.objects.current().get(alliance=alliance, month=9)


def test_the_page_of_one_projection_shows_its_parts_and_opens_its_traces(projected, client_of):
    client = client_of(projected.officer)
    row = the_one()
    page = text_of(client, row.get_absolute_url())
    for told in (wan(row.expected), wan(row.cash), "较上月预测的变化", "晚报补足", "方法误差", "按月平均推算", "晚报进展系数"):
        assert told in page, told
    assert yuan(row.expected) in page
    trace = text_of(client, reverse("monitoring:projection-trace", args=[row.pk, "expected"]))
    assert "预计全年发生" in trace and "条款" in trace
    assert "年终拨付" in text_of(client, reverse("monitoring:projection-trace", args=[row.pk, "cash"]))
    assert client.get(reverse("monitoring:projection-trace", args=[row.pk, "nothing"])).status_code == 404


def test_former_projections_stand_beside_what_the_next_month_came_to(projected, client_of):
    page = text_of(client_of(projected.officer), the_one().get_absolute_url())
    part = page[page.index("本年各月预测与后来的实际") :]
    assert the_one(7).get_absolute_url() in part and the_one(8).get_absolute_url() in part
    assert wan(D("9800000.00")) in part  # September came to 98 ÷ 1,200 of 120 million


def test_ids_of_the_page_are_unique_and_no_style_stands_in_it(projected, client_of):
    page = text_of(client_of(projected.officer), the_one().get_absolute_url())
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert " style=" not in page


def test_the_export_of_the_page_holds_the_twelve_months(projected, client_of):
    import io

    from openpyxl import load_workbook

    row = the_one()
    answer = client_of(projected.officer).get(reverse("monitoring:projection-xlsx", args=[row.pk]))
    book = load_workbook(io.BytesIO(answer.content))
    assert book.sheetnames == ["预测结果", "各月", "较上月变化", "进展系数", "往年回放误差", "本年各月预测"]
    months = [line for line in book["各月"].iter_rows(values_only=True) if str(line[0]).startswith("2026-")]
    assert sum(money(line[5]) for line in months) == row.expected


def test_an_old_version_says_so_and_points_to_the_one_in_force(projected, client_of):
    old = the_one()
    facts.delivered(projected, SEPTEMBER, 120)
    project_month([projected.alliance], SEPTEMBER)
    page = text_of(client_of(projected.officer), old.get_absolute_url())
    assert "这是旧版本" in page
    assert the_one().get_absolute_url() in page


def test_a_projection_without_a_package_shows_its_year_but_no_tier(world, client_of):
    row = made(world, world.alliance, package=None, tier="", prepaid=None, cash=None)
    page = text_of(client_of(world.officer), row.get_absolute_url())
    assert wan(row.expected) in page
    assert "还没有审定的打包总额，不能落档" in page
    assert "没有打包总额" in text_of(client_of(world.officer), LIST)


def test_a_projection_that_could_not_be_made_says_why(world, client_of):
    row = made(world, world.alliance, expected=None, low=None, high=None, missing="没有月度数据，不能预测。请先接入数据。")
    assert "没有月度数据" in text_of(client_of(world.officer), row.get_absolute_url())
    assert "没有月度数据" in text_of(client_of(world.officer), LIST)


def test_hospitals_see_their_own_alliance_and_nobody_sees_a_foreign_one(world, client_of):
    own, sister = made(world, world.alliance), made(world, world.east)
    foreign = made(world, world.foreign_alliance)
    seen = {
        world.officer: ({own, sister}, {foreign}),
        world.county_officer: ({own}, {sister, foreign}),
        world.hospital: ({own}, {sister, foreign}),
        world.observer: ({own, sister}, {foreign}),
        world.member: (set(), {own, sister, foreign}),
        world.admin: (set(), {own, sister, foreign}),
        world.nobody: (set(), {own, sister, foreign}),
    }
    for user, (visible, hidden) in seen.items():
        client = client_of(user)
        for row in visible:
            assert client.get(row.get_absolute_url()).status_code == 200, (user, row)
        for row in hidden:
            for name, args in (("projection", []), ("projection-xlsx", []), ("projection-trace", ["expected"])):
                assert client.get(reverse(f"monitoring:{name}", args=[row.pk, *args])).status_code == 404, (user, row)


def test_the_list_asks_the_same_number_of_queries_for_many_alliances(world, client_of):
    def queries():
        client = client_of(world.officer)
        client.get(LIST)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(LIST).status_code == 200
        return len(captured)

    made(world, world.alliance)
    one = queries()
    for alliance in (world.east, world.west):
        for fund in ("RES", "EMP"):
            made(world, alliance, fund)
    assert queries() == one


def test_the_pages_only_show_and_refuse_to_be_posted_to(projected, client_of):
    client = client_of(projected.officer)
    row = the_one()
    for url in (LIST, row.get_absolute_url(), reverse("monitoring:projections-xlsx")):
        assert client.post(url).status_code == 405


def test_the_interface_gives_the_same_figures_and_hides_the_foreign(projected, client_of):
    foreign = made(projected, projected.foreign_alliance)
    client = client_of(projected.officer)
    row = the_one_of(projected.alliance)
    listed = client.get("/api/v1/projections/?month=9&current=true").json()
    rows = listed["results"] if isinstance(listed, dict) else listed
    assert [one["expected"] for one in rows] == [str(row.expected)]
    detail = client.get(f"/api/v1/projections/{row.pk}/").json()
    assert len(detail["months"]) == 12 and detail["trace"]
    assert client.get(f"/api/v1/projections/{foreign.pk}/").status_code == 404


def test_the_navigation_offers_the_projection_to_those_who_may_read_it(world, client_of):
    for user, offered in ((world.officer, True), (world.hospital, True), (world.member, False), (world.admin, False)):
        assert (f'href="{LIST}"' in client_of(user).get("/").content.decode()) is offered, user


def test_the_overview_takes_the_stored_projection_of_the_newest_month(projected, client_of):
    row = the_one()
    seen = outlooks([projected.alliance], 2026)[(projected.alliance.pk, "RES")]
    assert seen.projection == row
    assert (seen.end.expected, seen.difference) == (row.expected, row.difference)
    assert seen.shared.label == row.tier
    page = text_of(client_of(projected.officer), f"{reverse('portal:alliance', args=['QX'])}?year=2026")
    assert wan(row.difference) in page
    assert row.get_absolute_url() in page
    assert f"总额用完 {row.package_runs_out}" in page
    trace = text_of(
        client_of(projected.officer), f"{reverse('portal:figure-trace', args=['QX', 'end'])}?year=2026&fund=RES"
    )
    assert "预计全年发生" in trace and yuan(row.expected) in trace


def test_the_overview_falls_back_to_the_simple_estimate_without_the_newest_month(projected, client_of):
    Projection.objects.filter(month=9).update(current=False)
    seen = outlooks([projected.alliance], 2026)[(projected.alliance.pk, "RES")]
    assert seen.projection is None
    assert seen.end.expected == D("120000053.99")  # 88,900,000 ÷ 0.740833, as before
    page = text_of(client_of(projected.officer), f"{reverse('portal:alliance', args=['QX'])}?year=2026")
    assert "简单估计" in page


def test_the_overviews_cash_is_that_of_the_projection(projected):
    from portal.reading.outlook import cash_outlook

    row = the_one()
    seen = outlooks([projected.alliance], 2026)[(projected.alliance.pk, "RES")]
    cash = cash_outlook(seen, D("0.00"))
    assert cash.settled.cash == row.cash
    assert cash.settled.s_in == row.in_alliance


def test_a_leaver_sees_nothing_any_more(world, client_of):
    row = made(world, world.alliance)
    RoleGrant.objects.filter(user=world.hospital).update(valid_to="2020-12-31")
    assert client_of(User.objects.get(pk=world.hospital.pk)).get(row.get_absolute_url()).status_code == 404
