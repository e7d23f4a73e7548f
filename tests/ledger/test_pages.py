"""The pages of the books: who sees them, what they show, what they export."""

import io
from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from core.models import TrailEvent
from ledger import reading
from ledger.accounts import Account
from ledger.models import BookClosing, Entry
from ledger.services import close_period, post
from ledger.services import reverse as reverse_entry
from tests.ledger.books import MONTHLY, PACKAGE, PAID_ON, a_paid_month, paying

READERS = ["officer", "reviewer", "finance", "auditor", "audit_reviewer", "observer"]
OUTSIDE = ["hospital", "sister_hospital", "member", "nobody"]


@pytest.fixture
def book(world):
    a_paid_month(world, "EMP")
    return a_paid_month(world)


def pages(book):
    entry = Entry.objects.filter(book=book).first()
    return [
        reverse("ledger:list"),
        reverse("ledger:trial-balance-xlsx"),
        reverse("ledger:entries"),
        reverse("ledger:entries-xlsx"),
        reverse("ledger:entry", args=[entry.pk]),
        reverse("ledger:account", args=[book.pk, "temporary_payments"]),
        reverse("ledger:account-xlsx", args=[book.pk, "temporary_payments"]),
    ]


def sheet(response):
    return list(load_workbook(io.BytesIO(response.content)).worksheets[0].values)


@pytest.mark.parametrize("person", READERS)
def test_people_of_the_bureau_and_observers_read_the_books(world, client_of, book, person):
    client = client_of(getattr(world, person))
    assert [client.get(url).status_code for url in pages(book)] == [200] * 7


@pytest.mark.parametrize("person", OUTSIDE)
def test_hospitals_and_strangers_find_no_books(world, client_of, book, person):
    client = client_of(getattr(world, person))
    assert [client.get(url).status_code for url in pages(book)] == [404] * 7


def test_an_administrator_is_told_why_the_books_stay_closed(world, client_of, book):
    client = client_of(world.admin)
    responses = [client.get(url) for url in pages(book)]
    assert {response.status_code for response in responses} == {403}
    assert all("查看基金账" in response.content.decode() for response in responses)


def test_a_county_officer_is_sent_to_the_pages_of_the_county(world, client_of, book):
    client = client_of(world.county_officer)
    listing = client.get(reverse("ledger:list"))
    assert listing.status_code == 403
    assert "基金账按统筹区设立" in listing.content.decode()
    assert client.get(reverse("ledger:entry", args=[Entry.objects.first().pk])).status_code == 404


def test_a_foreign_officer_finds_her_own_empty_book_only(world, client_of, book):
    client = client_of(world.stranger_officer)
    assert "这本账还没有凭证" in client.get(reverse("ledger:list")).content.decode()
    assert client.get(reverse("ledger:list"), {"area": "990100"}).status_code == 404
    assert client.get(reverse("ledger:entry", args=[Entry.objects.first().pk])).status_code == 404
    assert client.get(reverse("ledger:account", args=[book.pk, "temporary_payments"])).status_code == 404
    assert client.get(reverse("ledger:trial-balance-xlsx")).status_code == 404


@pytest.mark.parametrize(
    ("person", "shown"),
    [("finance", True), ("observer", True), ("admin", False), ("county_officer", False), ("hospital", False)],
)
def test_the_navigation_shows_the_books_to_those_who_read_them(world, client_of, person, shown):
    page = client_of(getattr(world, person)).get(reverse("core:jobs"))
    assert (f'href="{reverse("ledger:list")}"' in page.content.decode()) is shown


def test_the_trial_balance_shows_both_groups_and_says_they_balance(world, client_of, book):
    text = client_of(world.finance).get(reverse("ledger:list"), {"until": "2026-12-31"}).content.decode()
    assert text.count("借贷平衡") == 2
    assert f"{PACKAGE:,.2f}" in text
    assert "基金科目试算平衡表" in text
    assert "备查科目试算平衡表" in text


def test_each_fund_has_its_own_page(world, client_of, book):
    post(world.finance, book, key="more", on=PAID_ON, lines=paying(world.alliance, Decimal("7777.77")), memo="补拨")
    client = client_of(world.finance)
    assert "补拨" in client.get(reverse("ledger:list"), {"fund": "RES"}).content.decode()
    assert "补拨" not in client.get(reverse("ledger:list"), {"fund": "EMP"}).content.decode()
    assert client.get(reverse("ledger:list"), {"fund": "ALL"}).status_code == 404


def test_the_exported_trial_balance_has_the_totals_of_the_page(world, client_of, book):
    rows = sheet(client_of(world.finance).get(reverse("ledger:trial-balance-xlsx"), {"until": "2026-12-31"}))
    fund = reading.trial_balance(book, date(2026, 12, 31)).fund
    assert rows[-1] == (
        "合计",
        None,
        *(_number(v) for v in (fund.opening, fund.debit, fund.credit, fund.closing_debit, fund.closing_credit)),
    )
    assert rows[1] == ("试算平衡", *[None] * 6)


def test_the_exported_account_has_the_lines_and_totals_of_the_page(world, client_of, book):
    url = reverse("ledger:account-xlsx", args=[book.pk, "control_prepayment_approved"])
    rows = sheet(client_of(world.finance).get(url, {"alliance": world.alliance.pk, "year": 2026}))
    assert rows[1][0] == "筛选 医共体：青溪县紧密型县域医共体；打包年度：2026"
    assert [row[5:] for row in rows[4:6]] == [(_number(MONTHLY), None, _number(MONTHLY)), (None, _number(MONTHLY), 0)]
    assert rows[-1][5:] == (_number(MONTHLY), _number(MONTHLY), 0)


def test_an_export_leaves_a_trace_with_the_name_of_the_file(world, client_of, book):
    client_of(world.auditor).get(reverse("ledger:entries-xlsx"))
    noted = TrailEvent.objects.get(action="core.export")
    assert noted.actor == world.auditor
    assert noted.summary.startswith("导出 澜川市居民凭证-")


def test_the_lines_of_an_account_start_from_the_balance_before_the_chosen_day(world, client_of, book):
    url = reverse("ledger:account", args=[book.pk, "control_prepayment_approved"])
    response = client_of(world.finance).get(url, {"since": "2026-01-21"})
    assert (response.context["opening"], response.context["closing"]) == (MONTHLY, 0)
    assert [row["standing"] for row in response.context["rows"]] == [0]


def test_a_wrong_order_of_days_is_told_and_everything_is_shown(world, client_of, book):
    url = reverse("ledger:account", args=[book.pk, "temporary_payments"])
    response = client_of(world.finance).get(url, {"since": "2026-02-01", "until": "2026-01-01"})
    assert "结束日期早于开始日期" in response.content.decode()
    assert len(response.context["rows"]) == 1


def test_an_unknown_account_is_not_found(world, client_of, book):
    assert client_of(world.finance).get(reverse("ledger:account", args=[book.pk, "pocket"])).status_code == 404


@pytest.mark.parametrize(
    ("asked", "numbers"),
    [
        ({"q": "拨付一月"}, [3]),
        ({"q": "RES-000002"}, [2]),
        ({"q": "package:QX"}, [1]),
        ({"group": "fund"}, [3]),
        ({"group": "control"}, [4, 2, 1]),
        ({"since": "2026-01-21"}, [4, 3]),
        ({"until": "2026-01-20"}, [2, 1]),
    ],
)
def test_vouchers_are_found_by_text_number_group_and_day(world, client_of, book, asked, numbers):
    response = client_of(world.finance).get(reverse("ledger:entries"), asked)
    assert [row["entry"].seq for row in response.context["rows"]] == numbers


def test_vouchers_are_sorted_by_number_or_day_both_ways(world, client_of, book):
    post(world.finance, book, key="late", on=date(2026, 1, 2), lines=paying(world.alliance), memo="补记")
    client = client_of(world.finance)
    found = {
        order: [row["entry"].seq for row in client.get(reverse("ledger:entries"), {"sort": order}).context["rows"]]
        for order in ("seq", "-seq", "on", "-on", "no_such")
    }
    assert found["seq"] == [1, 2, 3, 4, 5]
    assert found["-seq"] == found["no_such"] == [5, 4, 3, 2, 1]
    assert found["on"] == [5, 1, 2, 3, 4]
    assert found["-on"] == [4, 3, 2, 1, 5]


@pytest.mark.parametrize(
    ("text", "found"), [("RES-000003", 1), ("res-3", 1), ("paid:QX:RES", 1), ("RES-9", 0), ("拨付", 0)]
)
def test_the_search_box_finds_a_voucher_by_number_or_key(world, book, text, found):
    hits = reading.search(world.auditor, text)
    assert len(hits) == found
    assert reading.search(world.hospital, text) == []
    assert all(hit.url == Entry.objects.get(book=book, seq=3).get_absolute_url() for hit in hits)


def test_vouchers_are_found_by_their_alliance(world, client_of, book):
    a_paid_month(world, "RES", world.east)
    response = client_of(world.finance).get(reverse("ledger:entries"), {"alliance": world.east.pk})
    assert [row["entry"].seq for row in response.context["rows"]] == [8, 7, 6, 5]


def test_a_list_of_vouchers_costs_the_same_queries_whatever_its_length(
    world, client_of, book, django_assert_max_num_queries
):
    for number in range(30):
        post(world.finance, book, key=f"more {number}", on=PAID_ON, lines=paying(world.alliance), memo="拨付")
    client = client_of(world.finance)
    with django_assert_max_num_queries(14):
        client.get(reverse("ledger:entries"))
    with django_assert_max_num_queries(18):
        client.get(reverse("ledger:list"))
    with django_assert_max_num_queries(18):
        client.get(reverse("ledger:account", args=[book.pk, "temporary_payments"]))


def test_a_voucher_and_its_reversal_point_to_each_other(world, client_of, book):
    entry = Entry.objects.get(book=book, seq=3)
    undone = reverse_entry(world.finance, entry, PAID_ON, "back", "退回：账号有误")
    client = client_of(world.finance)
    assert undone.get_absolute_url() in client.get(entry.get_absolute_url()).content.decode()
    page = client.get(undone.get_absolute_url()).content.decode()
    assert entry.get_absolute_url() in page
    assert f"{MONTHLY:,.2f}" in page


def test_a_voucher_names_the_object_it_was_posted_for(world, client_of, book):
    page = client_of(world.finance).get(Entry.objects.get(book=book, seq=3).get_absolute_url()).content.decode()
    assert "医共体：青溪县紧密型县域医共体" in page


def test_finance_closes_and_reopens_a_book_on_its_page(world, client_of, book):
    client = client_of(world.finance)
    done = client.post(
        reverse("ledger:close", args=[book.pk]), {"through": "2026-01-31", "reason": "一月结账"}, follow=True
    )
    assert "已结账至 2026-01-31" in done.content.decode()
    client.post(reverse("ledger:reopen", args=[book.pk]), {"through": "", "reason": "补记"})
    assert [row.through for row in BookClosing.objects.order_by("pk")] == [date(2026, 1, 31), None]


@pytest.mark.parametrize("typed", [{"through": "", "reason": "结账"}, {"through": "2026-01-31", "reason": ""}])
def test_an_incomplete_closing_keeps_what_was_typed(world, client_of, book, typed):
    response = client_of(world.finance).post(reverse("ledger:close", args=[book.pk]), typed)
    assert response.status_code == 422
    assert (typed["through"] or typed["reason"]) in response.content.decode()
    assert not BookClosing.objects.exists()


def test_closing_a_closed_day_again_says_so_on_the_page(world, client_of, book):
    close_period(world.finance, book, date(2026, 1, 31), "结账")
    response = client_of(world.finance).post(
        reverse("ledger:close", args=[book.pk]), {"through": "2026-01-31", "reason": "再结"}
    )
    assert response.status_code == 422
    assert "本账已结至 2026-01-31" in response.content.decode()


@pytest.mark.parametrize(
    ("person", "status"), [("officer", 403), ("auditor", 403), ("hospital", 404), ("stranger_officer", 404)]
)
def test_nobody_else_closes_a_book(world, client_of, book, person, status):
    response = client_of(getattr(world, person)).post(
        reverse("ledger:close", args=[book.pk]), {"through": "2026-01-31", "reason": "结账"}
    )
    assert response.status_code == status
    assert not BookClosing.objects.exists()


def test_the_form_for_closing_is_shown_to_finance_only(world, client_of, book):
    url = reverse("ledger:close", args=[book.pk])
    assert url in client_of(world.finance).get(reverse("ledger:list")).content.decode()
    assert url not in client_of(world.officer).get(reverse("ledger:list")).content.decode()


def test_the_api_gives_the_same_trial_balance_as_strings(world, client_of, book):
    client = client_of(world.auditor)
    (found,) = client.get("/api/v1/ledger/books/", {"fund_type": "RES"}).json()["results"]
    answer = client.get(f"/api/v1/ledger/books/{found['id']}/trial-balance/", {"until": "2026-12-31"}).json()
    paid = next(row for row in answer["fund"] if row["account"] == Account.TEMPORARY_PAYMENTS)
    assert (paid["code"], paid["closing"], answer["balanced"]) == ("1101", str(MONTHLY), True)
    assert client.get(f"/api/v1/ledger/books/{found['id']}/trial-balance/", {"until": "soon"}).status_code == 400


def test_the_api_gives_vouchers_with_their_lines(world, client_of, book):
    client = client_of(world.officer)
    listed = client.get("/api/v1/ledger/entries/", {"book": book.pk, "on__gte": "2026-01-25"}).json()["results"]
    assert [row["number"] for row in listed] == ["RES-000003", "RES-000004"]
    one = client.get(f"/api/v1/ledger/entries/{listed[0]['id']}/").json()
    assert [(line["code"], line["alliance"], line["amount"]) for line in one["lines"]] == [
        ("1101", "QX", str(MONTHLY)), ("1003", None, str(-MONTHLY)),
    ]  # fmt: skip


def test_the_api_keeps_the_books_from_the_same_people_as_the_pages(world, client_of, book):
    detail = f"/api/v1/ledger/books/{book.pk}/"
    for person in (world.hospital, world.county_officer, world.stranger_officer):
        client = client_of(person)
        assert client.get("/api/v1/ledger/books/").json()["count"] == 0
        assert client.get(detail).status_code == 404
    refused = client_of(world.admin).get(detail)
    assert refused.status_code == 403
    assert "查看基金账" in refused.json()["detail"]


def test_the_api_writes_no_voucher(world, client_of, book):
    client = client_of(world.finance)
    assert client.post("/api/v1/ledger/entries/", {}).status_code == 405
    assert client.delete(f"/api/v1/ledger/entries/{Entry.objects.first().pk}/").status_code == 405


def _number(value):
    number = float(value)
    return int(number) if number.is_integer() else number
