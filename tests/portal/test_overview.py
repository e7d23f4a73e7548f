"""The overview shows what the readings say, to whom it may concern, in a constant number of queries."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from budgets import services
from budgets.reading import package_in_force, prepaid
from claims.reading import fund_year, member_spending
from claims.services import record_factset
from core.models import Institution, Membership, TrailEvent
from core.templatetags.fund import wan, yuan
from portal.figures import full_cards, fund_totals
from portal.reading.members import member_table
from portal.reading.outlook import cash_outlook, outlooks
from rules.periods import Month
from tests.budgets import ground
from tests.claims.facts import fact
from tests.portal.sheets import money, rows_of
from tests.portal.year import month_of_facts, years_of_facts

D = Decimal
PAGE = reverse("portal:alliance", args=["QX"])


def residents(world):
    return outlooks([world.alliance], 2026)[(world.alliance.pk, "RES")]


def queries(client, url):
    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_the_figures_are_those_of_the_readings(filled):
    seen = residents(filled)
    facts = fund_year(filled.alliance, 2026, "RES")
    assert (seen.charged, seen.facts.in_alliance, seen.facts.outflow) == (
        facts.charged,
        facts.in_alliance,
        facts.outflow,
    )
    assert seen.charged == D("88900000.00")
    assert seen.total == package_in_force(filled.alliance, 2026, "RES").total == D("118000000.00")
    assert seen.prepaid == prepaid(filled.alliance, 2026, "RES")
    assert seen.execution == D("0.753390")


def test_the_year_end_is_spending_over_the_share_of_earlier_years_and_falls_into_its_tier(filled):
    seen = residents(filled)
    assert seen.season.share == D("0.740833")  # 889 ÷ 1,200
    assert seen.end.expected == D("120000053.99")  # 88,900,000 ÷ 0.740833
    assert seen.is_overrun
    assert seen.shared.label == "O1"
    assert seen.end.low is not None
    card = full_cards(outlooks([filled.alliance], 2026), filled.alliance)[0]
    assert card.tier == "O1"
    assert card.is_unconfirmed


def test_the_projected_cash_takes_the_planned_prepayment_of_the_whole_year(filled):
    seen = residents(filled)
    cash = cash_outlook(seen, D("0.00"))
    assert cash.prepaid == D("70800000.00")  # 60 % of 118 million
    settled = cash.settled
    assert settled.charged == seen.end.expected
    assert settled.cash == settled.s_in - settled.alliance_bears - cash.prepaid
    assert settled.s_in == D("86400038.88")  # 72 % inside: 64,008,000 ÷ 0.740833


def test_a_month_that_is_only_partly_there_counts_as_charged_but_not_in_the_estimate(filled):
    before = residents(filled)
    month_of_facts(filled, Month(2026, 10), 30, data_to=date(2026, 10, 9), funds={"RES": "1"})
    after = residents(filled)
    assert after.charged > before.charged
    assert (after.spent, after.end.expected) == (before.spent, before.end.expected)


def test_without_a_whole_earlier_year_the_page_says_that_there_is_no_range(world, today, client_of):
    years_of_facts(world, {2026: 100}, through=2)
    page = client_of(world.officer).get(PAGE).content.decode()
    assert "没有完整往年数据，按月份平均，不给区间" in page
    assert residents(world).end.low is None


def test_last_years_package_stands_in_provisionally_and_is_marked(world, today, client_of):
    ground.last_years(world)
    page = client_of(world.officer).get(PAGE).content.decode()
    assert "暂按上年" in page
    assert wan(D("270000000.00")) in page


def test_every_key_figure_of_the_page_opens_its_trace(filled, client_of):
    client = client_of(filled.officer)
    page = client.get(PAGE).content.decode().replace("&amp;", "&")
    expected = {
        "package": ("118,000,000.00", "医共体内 + 县域外（计划）"),
        "prepaid": ("70,800,000.00", "年度预付上限"),
        "charged": ("88,900,000.00", "医共体内 S_in + 医共体外 X"),
        "end": ("120,000,053.99", "占全年比例"),
        "cash": ("86,400,038.88", "年终拨付"),
        "outflow": ("24,892,000.00", "医共体外发生 X ÷ 累计发生 S"),
        "primary": ("10,668,000.00", "基层支出"),
    }
    for name, texts in expected.items():
        url = f"{reverse('portal:figure-trace', args=['QX', name])}?year=2026&fund=RES"
        assert f'href="{url}"' in page, name
        trace = client.get(url).content.decode()
        assert all(text in trace for text in (*texts, "条款")), name
    assert client.get(reverse("portal:figure-trace", args=["QX", "nothing"])).status_code == 404
    assert (
        reverse("portal:months", args=["QX"])
        in client.get(reverse("portal:figure-trace", args=["QX", "end"])).content.decode()
    )


def test_ids_on_the_page_are_unique(filled, client_of):
    page = client_of(filled.officer).get(PAGE).content.decode()
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_the_member_table_adds_up_to_the_fund_year(filled):
    seen = residents(filled)
    table = member_table(seen)
    spending = {line.institution.name: line.amount for line in member_spending(filled.alliance, 2026, "RES")}
    assert {row.name: row.charged for row in table.rows if row.code != "village"} == {
        name: amount for name, amount in spending.items() if name != "石桥村卫生室"
    }
    assert sum(row.charged for row in table.rows) == table.inside.charged == seen.facts.in_alliance
    assert table.inside.charged + table.outflow.charged == table.total.charged == seen.charged
    assert sum(row.expected for row in table.rows) == table.inside.expected
    assert table.inside.expected + table.outflow.expected == table.total.expected == seen.end.expected


def test_village_clinics_stand_in_one_line_with_their_number(filled):
    for number in range(3):
        clinic = Institution.objects.create(
            county=filled.qingxi, code=f"H9901010004{number}", name=f"村卫生室{number}", kind="village"
        )
        Membership.objects.create(alliance=filled.alliance, institution=clinic, valid_from=date(2020, 1, 1))
    names = [row.name for row in member_table(residents(filled)).rows]
    assert names == ["青溪县人民医院", "石桥镇中心卫生院", "村卫生室（4 家）"]


def test_spending_without_a_registered_institution_stays_visible_in_the_table(world, today):
    rows = [fact("100.00"), fact("7.00", institution="", treating_alliance="QX")]
    record_factset(None, world.qingxi, Month(2026, 1), rows, "demo")
    table = member_table(residents(world))
    assert {row.name: row.charged for row in table.rows}["未登记机构"] == D("7.00")
    assert table.total.charged == D("107.00")


def test_allocations_stand_beside_spending_and_primary_units_without_quota(filled):
    version = ground.package(filled).versions.get(state="approved")
    made = services.submit_allocation(filled.officer, services.draft_allocation(filled.officer, version))
    services.approve_allocation(filled.reviewer, made)
    table = member_table(residents(filled))
    assert sum(row.allocation for row in table.rows) == table.inside.allocation == version.in_alliance
    lead, township, _village = table.rows
    assert (lead.reference, township.reference) == (False, True)
    assert lead.balance == lead.allocation - lead.expected


def test_the_export_holds_the_lines_order_and_totals_of_the_page(filled, client_of):
    client = client_of(filled.hospital)
    for sort in ("", "charged", "-charged", "-expected"):
        page = client.get(PAGE, {"sort": sort}).content.decode()
        body = page.split('id="members"')[1]
        shown = re.findall(r'<th scope="row">([^<]+)</th>', body)
        charged = re.findall(r'data-trace-title="[^"]+">([^<]+)</a>', body)
        rows = rows_of(client.get(reverse("portal:members-xlsx", args=["QX"]), {"sort": sort}), "居民")[2:]
        assert [row[0] for row in rows] == shown, sort
        assert [yuan(money(row[4])) for row in rows] == charged
        assert money(rows[-1][4]) == D("88900000.00")


def test_the_months_behind_the_figures_add_up_and_are_exported_as_shown(filled, client_of):
    client = client_of(filled.officer)
    page = client.get(reverse("portal:months", args=["QX"])).content.decode()
    assert "88,900,000.00" in page
    assert "2026年9月" in page
    facts = reverse("claims:facts", args=["990101", "2026-09"])
    assert facts in page
    assert client.get(facts).status_code == 200
    assert facts not in client_of(filled.hospital).get(reverse("portal:months", args=["QX"])).content.decode()
    client = client_of(filled.officer)
    rows = rows_of(client.get(reverse("portal:months-xlsx", args=["QX"])), "居民")
    assert len(rows) == 2 + 9 + 1
    assert money(rows[-1][6]) == sum(money(row[6]) for row in rows[2:-1]) == D("88900000.00")


def test_a_line_of_the_member_table_opens_its_formula(filled, client_of):
    client = client_of(filled.observer)
    url = reverse("portal:member-trace", args=["QX"])
    lead = client.get(url, {"row": "H99010100001", "fund": "RES"}).content.decode()
    assert "占医共体内" in lead
    assert "53,340,000.00" in lead  # 60 of 100 of 88.9 million
    assert "合计" in client.get(url, {"row": "total"}).content.decode()
    assert client.get(url, {"row": "H00000000000"}).status_code == 404
    assert client.get(url).status_code == 404


def test_an_empty_year_says_what_to_do_next(filled, client_of):
    page = client_of(filled.officer).get(PAGE, {"year": "2019"}).content.decode()
    assert "这一年还没有数据" in page
    assert "数据接入" in page


def test_a_year_that_is_none_falls_back_to_the_last_one_with_data(filled, client_of):
    client = client_of(filled.officer)
    for year in ("abc", "-1", "99999", "２０２６", ""):
        assert "2026 年度 · 牵头医院" in client.get(PAGE, {"year": year}).content.decode(), year


@pytest.mark.parametrize(
    ("person", "target"),
    [
        ("officer", "/overview/city/990100/"),
        ("observer", "/overview/city/990100/"),
        ("county_officer", "/overview/county/990101/"),
        ("hospital", "/overview/alliance/QX/"),
        ("sister_hospital", "/overview/alliance/YL-E/"),
    ],
)
def test_the_overview_opens_on_the_persons_own_level(world, client_of, person, target):
    answer = client_of(world.people()[person]).get(reverse("portal:overview"))
    assert (answer.status_code, answer.get("Location")) == (302, target)


@pytest.mark.parametrize("person", ["nobody", "admin", "member"])
def test_who_has_no_level_is_told_whom_to_ask(world, client_of, person):
    answer = client_of(world.people()[person]).get(reverse("portal:overview"))
    assert answer.status_code == 200
    assert "系统管理员" in answer.content.decode()


@pytest.mark.parametrize(
    ("person", "url"),
    [
        ("stranger_officer", "/overview/alliance/QX/"),
        ("stranger_officer", "/overview/alliance/QX/months/"),
        ("stranger_officer", "/overview/alliance/QX/trace/end/"),
        ("stranger_officer", "/overview/alliance/QX/members.xlsx"),
        ("stranger_officer", "/overview/alliance/QX/months.xlsx"),
        ("stranger_officer", "/overview/alliance/QX/members/trace/?row=total"),
        ("stranger_officer", "/overview/city/990100/"),
        ("stranger_officer", "/overview/city/990100/alliances.xlsx"),
        ("stranger_officer", "/overview/county/990101/"),
        ("stranger_officer", "/overview/county/990101/alliances.xlsx"),
        ("stranger_officer", "/api/v1/overview/QX/"),
        ("sister_hospital", "/overview/alliance/QX/"),
        ("sister_hospital", "/overview/county/990102/"),
        ("hospital", "/overview/city/990100/"),
        ("hospital", "/overview/county/990101/"),
        ("hospital", "/overview/alliance/YL-E/"),
        ("county_officer", "/overview/county/990102/"),
        ("county_officer", "/overview/city/990100/"),
        ("member", "/overview/alliance/QX/"),
        ("nobody", "/overview/alliance/QX/"),
        ("officer", "/overview/alliance/XX/"),
    ],
)
def test_a_place_outside_the_scope_does_not_exist(world, client_of, person, url):
    assert client_of(world.people()[person]).get(url).status_code == 404


@pytest.mark.parametrize(
    "url", ["/overview/alliance/QX/", "/overview/city/990100/", "/overview/county/990101/", "/api/v1/overview/QX/"]
)
def test_an_administrator_has_no_business_right_and_is_told_which_post_has(world, client_of, url):
    answer = client_of(world.admin).get(url)
    assert answer.status_code == 403
    assert "查看基金总览" in answer.content.decode()
    assert "基金经办" in answer.content.decode()


def test_the_city_adds_up_each_fund_by_itself(filled, client_of):
    east = {"institution": "H99010200001", "alliance": "YL-E"}
    rows = [fact("1000.00", **east), fact("300.00", fund_type="EMP", **east)]
    record_factset(None, filled.yunling, Month(2026, 1), rows, "demo")
    alliances = [filled.alliance, filled.east, filled.west]
    found = outlooks(alliances, 2026)
    totals = {total.fund: total for total in fund_totals(found, alliances)}
    for fund in ("RES", "EMP"):
        assert totals[fund].charged == sum(fund_year(place, 2026, fund).charged for place in alliances)
    assert totals["RES"].charged == D("88901000.00")
    assert totals["EMP"].charged == D("22225300.00")
    assert totals["RES"].package == D("118000000.00")
    assert totals["RES"].execution == D("0.753390")  # of those with a package
    page = client_of(filled.officer).get("/overview/city/990100/").content.decode()
    assert "8,890.10" in page
    assert "2,222.53" in page
    assert wan(D("88901000.00") + D("22225300.00")) not in page


def test_the_city_workbook_holds_what_the_page_shows(filled, client_of):
    client = client_of(filled.observer)
    page = client.get("/overview/city/990100/").content.decode()
    answer = client.get("/overview/city/990100/alliances.xlsx")
    for sheet, expected in (("居民", D("88900000.00")), ("职工", D("22225000.00"))):
        rows = rows_of(answer, sheet)
        assert [row[1] for row in rows[1:-1]] == [filled.alliance.name, filled.east.name, filled.west.name]
        assert money(rows[-1][6]) == expected
        assert wan(expected) in page


def test_a_county_lists_its_own_alliances_only(filled, client_of):
    page = client_of(filled.county_officer).get("/overview/county/990101/").content.decode()
    assert filled.alliance.name in page
    assert filled.east.name not in page


def test_more_members_and_months_do_not_cost_more_queries_on_the_alliance_page(filled, client_of):
    client = client_of(filled.officer)
    before = queries(client, PAGE)
    for number in range(10):
        made = Institution.objects.create(
            county=filled.qingxi, code=f"H9901010005{number}", name=f"卫生院{number}", kind="township"
        )
        Membership.objects.create(alliance=filled.alliance, institution=made, valid_from=date(2020, 1, 1))
    month_of_facts(filled, Month(2026, 10), funds={"RES": "1", "EMP": "0.25"})
    assert queries(client, PAGE) == before


def test_more_alliances_with_data_do_not_cost_more_queries_on_the_city_page(filled, client_of):
    client = client_of(filled.officer)
    before = queries(client, "/overview/city/990100/")
    for number in (1, 2, 3):
        rows = [
            fact("1000.00", institution="H99010200001", alliance="YL-E"),
            fact("700.00", institution="H99010200002", alliance="YL-W"),
        ]
        record_factset(None, filled.yunling, Month(2026, number), rows, "demo")
    assert queries(client, "/overview/city/990100/") == before


def test_an_export_is_noted_in_the_trail(filled, client_of):
    client_of(filled.hospital).get(reverse("portal:members-xlsx", args=["QX"]))
    event = TrailEvent.objects.filter(action="core.export").latest("pk")
    assert event.actor == filled.hospital
    assert event.alliance == filled.alliance


def test_the_api_gives_the_same_figures_as_the_page(filled, client_of):
    answer = client_of(filled.hospital).get("/api/v1/overview/QX/").json()
    residents_, employees = answer
    assert (residents_["fund_type"], employees["fund_type"]) == ("RES", "EMP")
    assert residents_["charged"] == "88900000.00"
    assert residents_["package"] == "118000000.00"
    assert residents_["estimate"]["expected"] == "120000053.99"
    assert residents_["estimate"]["tier"] == "O1"
    assert employees["estimate"]["tier"] == "P1"
    assert client_of(filled.hospital).get("/api/v1/overview/QX/", {"year": "nonsense"}).status_code == 400
