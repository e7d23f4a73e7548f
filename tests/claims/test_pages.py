"""The pages: who may see them, what they keep, that their queries do not grow with the rows."""

from decimal import Decimal
from io import BytesIO

import pytest
from django.urls import reverse

from claims.models import FactSet, FundMonthlyReport, PayableTable
from claims.services import enter_fund_report, import_payables, record_factset
from claims.services.fact_table import COLUMNS
from claims.services.payables import COLUMNS as PAYABLE_COLUMNS
from core.models import TrailEvent
from core.workbook import read_sheets
from rules.periods import Month
from tests.claims.facts import fact
from tests.claims.test_fact_table import LINE
from tests.claims.test_payables import LINE as PAYABLE
from tests.claims.workbooks import filled

SEPTEMBER = Month(2026, 9)
PAGES = [
    "claims:list", "claims:list-xlsx", "claims:coverage", "claims:coverage-xlsx", "claims:fact_table", "claims:fact_table-xlsx",
    "claims:fact_table-template", "claims:monthly_report", "claims:monthly_report-xlsx", "claims:monthly_report-template",
    "claims:payables", "claims:payables-xlsx", "claims:payables-template", "claims:mappings",
]  # fmt: skip


@pytest.fixture
def held(world):
    record_factset(world.officer, world.qingxi, SEPTEMBER, [fact("100.00"), fact("20.00", visit_type="outpatient")], "table")
    enter_fund_report(world.officer, world.qingxi, "RES", SEPTEMBER, {"insured_heads": 1234})
    import_payables(world.officer, world.qingxi, filled(PAYABLE_COLUMNS, [PAYABLE]), "应付.xlsx")
    return world


def named(file, name):
    stream = BytesIO(file)
    stream.name = name
    return stream


@pytest.mark.parametrize("page", PAGES)
def test_everybody_of_the_bureau_reads_the_pages(held, client_of, page):
    for person in (held.officer, held.county_officer, held.reviewer, held.finance, held.auditor, held.observer, held.admin):
        assert client_of(person).get(reverse(page)).status_code == 200, person


@pytest.mark.parametrize("page", [*PAGES, "claims:upload", "claims:report-new"])
def test_hospitals_do_not_find_the_pages(held, client_of, page):
    for person in (held.hospital, held.sister_hospital, held.member, held.nobody):
        assert client_of(person).get(reverse(page)).status_code == 404, person


def test_what_belongs_to_one_county_is_not_found_by_strangers(held, client_of):
    factset = FactSet.objects.current().get()
    report = FundMonthlyReport.objects.get()
    table, payables = factset.county, PayableTable.objects.get()
    urls = [
        reverse("claims:facts", args=[table.code, factset.period]),
        reverse("claims:facts-xlsx", args=[table.code, factset.period]),
        reverse("claims:rows", args=[table.code, factset.period]),
        reverse("claims:report", args=[report.pk]),
        reverse("claims:payable-table", args=[payables.pk]),
        reverse("claims:payable-table-xlsx", args=[payables.pk]),
    ]
    for person in (held.stranger_officer, held.hospital, held.member):
        client = client_of(person)
        assert {url: client.get(url).status_code for url in urls} == dict.fromkeys(urls, 404)
    client = client_of(held.county_officer)
    assert [client.get(url).status_code for url in urls] == [200, 200, 404, 200, 200, 200]  # a table has no claim rows


def test_the_foreign_officer_sees_her_own_city_only(held, client_of):
    text = client_of(held.stranger_officer).get(reverse("claims:coverage")).content.decode()
    assert "邻江县" in text and "青溪县" not in text


def test_who_may_not_enter_is_told_why(held, client_of):
    client = client_of(held.reviewer)
    for url in (reverse("claims:upload"), reverse("claims:report-new")):
        answer = client.get(url)
        assert answer.status_code == 403 and "基金经办" in answer.content.decode()
    assert client.post(reverse("claims:fact_table"), {"county": "990101"}).status_code == 403
    assert client.post(reverse("claims:mapping-fund"), {"fund-code": "1", "fund-target": "RES"}).status_code == 403


def test_a_fact_table_is_uploaded_on_its_page(world, client_of):
    client = client_of(world.county_officer)
    answer = client.post(
        reverse("claims:fact_table"), {"county": "990101", "file": named(filled(COLUMNS, [LINE]), "九月.xlsx")}
    )
    assert answer.status_code == 302
    page = client.get(reverse("claims:fact_table")).content.decode()
    assert "九月.xlsx" in page and "620.00" in page


def test_a_faulty_table_comes_back_with_every_fault_and_the_chosen_county(world, client_of):
    content = filled(COLUMNS, [{**LINE, "settlements": "x", "total_cost": None}])
    answer = client_of(world.officer).post(
        reverse("claims:fact_table"), {"county": "990102", "file": named(content, "九月.xlsx")}
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "数据!J2" in page and "数据!Q2" in page
    assert '<option value="990102" selected>' in page
    assert not FactSet.objects.exists()


def test_a_bomb_or_another_kind_of_file_is_refused_on_the_page(world, client_of):
    answer = client_of(world.officer).post(
        reverse("claims:payables"), {"county": "990101", "file": named(b"PK\x03\x04 no workbook", "应付.xlsx")}
    )
    assert answer.status_code == 422 and "xlsx" in answer.content.decode()


def test_the_report_form_keeps_what_was_typed(world, client_of):
    typed = {
        "county": "990101", "fund_type": "EMP", "month": "2026-09", "insured_heads": "12.5", "income_personal": "7,000.10",
        "note": "补报",
    }  # fmt: skip
    answer = client_of(world.officer).post(reverse("claims:report-new"), typed)
    page = answer.content.decode()
    assert answer.status_code == 422
    for text in ('value="12.5"', 'value="7,000.10"', 'value="补报"', 'value="2026-09"', '<option value="EMP" selected>', "须为整数"):
        assert text in page
    assert not FundMonthlyReport.objects.exists()


def test_a_report_is_entered_and_corrected_as_a_second_version(world, client_of):
    client = client_of(world.officer)
    typed = {"county": "990101", "fund_type": "RES", "month": "2026-09", "insured_heads": "1200"}
    first = client.post(reverse("claims:report-new"), typed)
    form = client.get(reverse("claims:report-new"), {"from": FundMonthlyReport.objects.get().pk}).content.decode()
    assert first.status_code == 302 and 'value="1200"' in form
    client.post(reverse("claims:report-new"), {**typed, "insured_heads": "1300", "balance_current": "-5.00"})
    latest = FundMonthlyReport.objects.get(current=True)
    page = client.get(reverse("claims:report", args=[latest.pk])).content.decode()
    assert latest.version == 2 and "1,300" in page and "1,200" in page and "−5.00" in page


def test_an_export_holds_what_the_page_shows_and_is_logged(held, client_of):
    client = client_of(held.officer)
    url = reverse("claims:facts-xlsx", args=["990101", "2026-09"])
    rows = read_sheets(client.get(url, {"visit_type": "outpatient"}).content, "x")["机构事实"]
    assert rows[-1][-1] == 16.67 and len(rows) == 5
    assert TrailEvent.objects.filter(action="core.export").latest("pk").actor == held.officer


@pytest.mark.parametrize("sort", ["period", "-period", "fund_payable", "-billed", "payable", "nonsense", "-created_by__password"])
def test_lists_sort_by_their_own_columns_and_ignore_others(held, client_of, sort):
    client = client_of(held.officer)
    for page in ("claims:fact_table", "claims:payables", "claims:list", "claims:monthly_report"):
        assert client.get(reverse(page), {"sort": sort}).status_code == 200


def test_older_versions_are_listed_when_asked_for(held, client_of):
    client = client_of(held.officer)
    import_payables(held.officer, held.qingxi, filled(PAYABLE_COLUMNS, [{**PAYABLE, "cases": 4}]), "更正.xlsx")
    page = reverse("claims:payables")
    assert "应付.xlsx" not in (current := client.get(page).content.decode()) and "第 2 版" in current
    both = read_sheets(client.get(reverse("claims:payables-xlsx"), {"versions": "on"}).content, "x")["付费方式应付表"]
    assert [row[2] for row in both[-2:]] == [2.0, 1.0]


def test_the_administrator_edits_a_mapping_on_its_page(world, client_of):
    client = client_of(world.admin)
    given = {"area": "990100", "fund-code": "399", "fund-target": "RES", "fund-note": "试点"}
    assert client.post(reverse("claims:mapping-fund"), given).status_code == 302
    assert "399" in client.get(reverse("claims:mappings")).content.decode()
    refused = client.post(reverse("claims:mapping-fund"), {**given, "fund-code": "", "fund-note": "仍在"})
    assert refused.status_code == 422 and "仍在" in refused.content.decode()


def test_mappings_of_another_area_cannot_be_reached(world, client_of):
    client = client_of(world.admin)
    assert client.get(reverse("claims:mappings"), {"area": "990200"}).status_code == 404
    assert client.post(reverse("claims:mapping-visit"), {"area": "990200"}).status_code == 404


def test_pages_ask_the_same_number_of_questions_however_much_is_held(world, client_of):
    client = client_of(world.officer)

    def fill(months):
        for number in months:
            rows = [fact("10.00", institution=code) for code in ("H99010100001", "H99010100011", "H99010100021")]
            record_factset(world.officer, world.qingxi, Month(2026, number), rows[: number % 3 + 1], "table")
            record_factset(world.officer, world.yunling, Month(2026, number), [fact("1.00", alliance="YL-E")], "table")
            enter_fund_report(world.officer, world.qingxi, "RES", Month(2026, number), {"insured_heads": number})

    fill([1])
    urls = [reverse(name) for name in ("claims:list", "claims:coverage", "claims:monthly_report", "claims:fact_table")]
    urls.append(reverse("claims:facts", args=["990101", "2026-01"]))
    counts = {url: _queries(client, url) for url in urls}
    fill(range(2, 11))
    assert {url: _queries(client, url) for url in urls} == counts
    assert max(counts.values()) <= 25


def _queries(client, url):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_amounts_on_the_coverage_page_are_those_of_the_facts(held, client_of):
    page = client_of(held.officer).get(reverse("claims:coverage"), {"year": 2026}).content.decode()
    assert "0.01" in page and "月度事实表" in page and "第 2 版" in page
    assert Decimal("120.00") == FactSet.objects.current().get().pooled_fund_paid
