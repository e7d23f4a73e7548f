"""Expected headcounts and the watch over collection: confirmed by a second person, hinted by figures, followed to the end."""

from __future__ import annotations

import io
from decimal import Decimal

import openpyxl
import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.models import County, TrailEvent
from monitoring.liaison_todos import collection_todos
from monitoring.models import CollectionFinding, EnrolmentTarget, FindingChange, PlaceMonth
from monitoring.reading.collection import collection_lines, expected_heads, latest_month
from monitoring.reading.places import ref_of
from monitoring.registries import figure_sources
from monitoring.services import collection
from rules.periods import Month

BASIS = "统计局 2025 年末常住人口"
MAY = Month(2026, 5)
VALUES = {
    "kind": "arrears", "fund_type": "EMP", "payer": "青溪建材有限公司", "period": "2026-01 至 2026-03",
    "amount": Decimal("12000.00"), "description": "连续三个月未缴职工医保费",
}  # fmt: skip
WORDS = "已约谈单位负责人"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel("2026-06-03 09:00:00+08:00", tick=False) as travelled:
        yield travelled


def target(world, expected=100_000, county=None, fund="RES"):
    return collection.enter_target(world.officer, county or world.qingxi, 2026, fund, expected, BASIS)


def confirmed(world, **given):
    return collection.decide_target(world.reviewer, target(world, **given), confirm=True)


def a_finding(world, **changed):
    return collection.register_finding(world.officer, world.qingxi, {**VALUES, **changed})


def months(world, county, income, heads, expected=None, last_income="1000.00", last_heads=96_000):
    """January to May of this year and the last, the same every month."""
    for year, collected, insured in ((2025, last_income, last_heads), (2026, income, heads)):
        for number in range(1, 6):
            PlaceMonth.objects.create(
                kind="county", place=f"C{county.pk}", pooling_area=world.area, county=county, fund_type="RES", year=year,
                month=number, inputs="x" * 64, computed_at=timezone.now(), income_collected=Decimal(collected),
                insured=insured, expected_insured=expected,
            )  # fmt: skip


# --- expected headcounts ---------------------------------------------------------------------------------------------


def test_a_headcount_counts_only_when_a_second_person_confirmed_it(world):
    proposed = target(world)
    refs = [ref_of(world.qingxi), ref_of(world.yunling), ref_of(world.area)]
    assert expected_heads(refs, MAY) == {}
    held = collection.decide_target(world.reviewer, proposed, confirm=True)
    assert held.state == "confirmed"
    assert expected_heads(refs, MAY) == {(f"C{world.qingxi.pk}", "RES"): {"expected_insured": 100_000}}
    assert expected_heads(refs, Month(2025, 5)) == {}
    assert dict(figure_sources)["enrolment targets"] is expected_heads


def test_a_new_version_replaces_the_one_in_force_and_keeps_it(world):
    confirmed(world)
    confirmed(world, expected=101_000)
    rows = EnrolmentTarget.objects.order_by("version").values_list("version", "expected", "state")
    assert list(rows) == [(1, 100_000, "superseded"), (2, 101_000, "confirmed")]
    assert TrailEvent.objects.filter(action=collection.DECIDE).count() == 2


def test_a_returned_headcount_leaves_the_one_in_force(world):
    confirmed(world)
    second = target(world, expected=90_000)
    with pytest.raises(Refused):
        collection.decide_target(world.reviewer, second, confirm=False)
    collection.decide_target(world.reviewer, second, confirm=False, note="依据不足，请附统计局函")
    assert expected_heads([ref_of(world.qingxi)], MAY)[(f"C{world.qingxi.pk}", "RES")] == {"expected_insured": 100_000}
    with pytest.raises(Conflict, match="已退回"):
        collection.decide_target(world.reviewer, second, confirm=True)


def test_a_second_proposal_waits_for_the_first_to_be_decided(world):
    target(world)
    with pytest.raises(Conflict, match="尚待复核"):
        target(world)
    target(world, fund="EMP")


def test_everything_wrong_with_a_headcount_is_told_at_once(world):
    with pytest.raises(Refused) as refusal:
        collection.enter_target(world.officer, world.qingxi, 2031, "ALL", 0, " ")
    assert [problem.field for problem in refusal.value.problems] == ["fund_type", "year", "expected", "basis"]
    with pytest.raises(NotAllowed):
        collection.enter_target(world.county_officer, world.yunling, 2026, "RES", 1, BASIS)
    with pytest.raises(NotAllowed):
        collection.decide_target(world.officer, target(world), confirm=True)


# --- hints -----------------------------------------------------------------------------------------------------------


def test_a_county_below_last_year_and_below_the_floor_is_hinted(world):
    months(world, world.qingxi, income="900.00", heads=94_000, expected=100_000)
    months(world, world.yunling, income="1100.00", heads=97_000, expected=100_000)
    assert latest_month(world.officer) == MAY
    lines = {(line.place.name, line.fund_type): line for line in collection_lines(world.officer, MAY)}
    low = lines[("青溪县", "RES")]
    assert low.hints == ("征缴收入低于上年同期", "参保人数低于上年同期", "参保率低于 95%")
    assert (low.income.value, low.enrolment.value) == (Decimal("-0.1"), Decimal("0.94"))
    assert lines[("云岭县", "RES")].hints == ()
    assert lines[("青溪县", "EMP")].hints == () and lines[("青溪县", "EMP")].income.value is None


def test_exactly_as_much_as_last_year_and_exactly_the_floor_is_no_hint(world):
    months(world, world.qingxi, income="1000.00", heads=95_000, expected=100_000, last_heads=95_000)
    (line,) = [line for line in collection_lines(world.county_officer, MAY) if line.fund_type == "RES"]
    assert line.enrolment.value == Decimal("0.95") and line.hints == ()


def test_an_unknown_headcount_makes_no_hint_and_no_figure(world):
    months(world, world.qingxi, income="1000.00", heads=96_000)
    (line,) = [line for line in collection_lines(world.county_officer, MAY) if line.fund_type == "RES"]
    assert line.enrolment.value is None and line.hints == ()


def test_the_lines_cost_the_same_queries_for_any_number_of_counties(world, django_assert_num_queries):
    months(world, world.qingxi, income="900.00", heads=94_000)
    world.officer.grants_on(timezone.localdate())
    with django_assert_num_queries(2):
        collection_lines(world.officer, MAY)
    for number in range(5):
        County.objects.create(pooling_area=world.area, code=f"99011{number}", name=f"第{number}县", valid_from="2020-01-01")
    with django_assert_num_queries(2):
        assert len(collection_lines(world.officer, MAY)) == 14


# --- findings --------------------------------------------------------------------------------------------------------


def test_a_finding_is_followed_handled_and_closed_by_a_second_person(world):
    finding = a_finding(world)
    collection.act_on_finding(world.officer, finding, "follow", WORDS, Decimal("2000.00"))
    handled = collection.act_on_finding(world.officer, finding, "handle", "其余已补缴到账", Decimal("10000.00"))
    assert (handled.state, handled.recovered) == ("handled", Decimal("12000.00"))
    assert [todo.title.split("：")[0] for todo in collection_todos(world.reviewer)] == ["复核征缴问题"]
    closed = collection.act_on_finding(world.reviewer, finding, "close", "凭证齐全，同意办结")
    assert (closed.state, closed.closed_by) == ("closed", world.reviewer)
    assert list(FindingChange.objects.values_list("act", "recovered")) == [
        ("register", Decimal("0.00")), ("follow", Decimal("2000.00")), ("handle", Decimal("10000.00")),
        ("close", Decimal("0.00")),
    ]  # fmt: skip


def test_a_closed_finding_is_opened_again_with_words(world):
    finding = a_finding(world)
    collection.act_on_finding(world.officer, finding, "handle", WORDS)
    collection.act_on_finding(world.reviewer, finding, "return", "缺补缴凭证")
    collection.act_on_finding(world.officer, finding, "handle", WORDS)
    collection.act_on_finding(world.reviewer, finding, "close", "同意办结")
    reopened = collection.act_on_finding(world.reviewer, finding, "reopen", "又发现拖欠")
    assert (reopened.state, reopened.closed_by) == ("open", None)


def test_more_than_was_owed_cannot_be_recovered_and_nothing_is_kept(world):
    finding = a_finding(world)
    for amount in (Decimal("12000.01"), Decimal("-1.00")):
        with pytest.raises(Refused, match="补缴合计不能超过涉及金额 12,000.00 元"):
            collection.act_on_finding(world.officer, finding, "follow", WORDS, amount)
    finding.refresh_from_db()
    assert finding.recovered == 0 and finding.changes.count() == 1


def test_the_wrong_state_and_the_wrong_post_are_refused(world):
    finding = a_finding(world)
    with pytest.raises(Conflict, match="待处理"):
        collection.act_on_finding(world.reviewer, finding, "close", "同意办结")
    with pytest.raises(NotAllowed):
        collection.act_on_finding(world.reviewer, finding, "follow", WORDS)
    with pytest.raises(NotAllowed):
        collection.register_finding(world.hospital, world.qingxi, VALUES)
    collection.register_finding(world.auditor, world.qingxi, VALUES)
    collection.act_on_finding(world.officer, finding, "handle", WORDS)
    with pytest.raises(Refused, match="复核时不登记补缴"):
        collection.act_on_finding(world.reviewer, finding, "close", "同意办结", Decimal("1.00"))


def test_everything_wrong_with_a_finding_is_told_at_once(world):
    with pytest.raises(Refused) as refusal:
        collection.register_finding(world.officer, world.qingxi, {"amount": Decimal("0")})
    assert [problem.field for problem in refusal.value.problems] == [
        "kind", "fund_type", "payer", "period", "description", "amount",
    ]  # fmt: skip


# --- pages -----------------------------------------------------------------------------------------------------------


def test_the_page_shows_hints_and_register_and_exports_both(world, client_of):
    months(world, world.qingxi, income="900.00", heads=94_000, expected=100_000)
    a_finding(world)
    a_finding(world, payer="云上物流公司", kind="sham")
    client = client_of(world.officer)
    page = client.get("/monitoring/collection/?kind=sham").content.decode()
    assert "参保率低于 95%" in page and "云上物流公司" in page and "青溪建材有限公司" not in page
    answer = client.get("/monitoring/collection/export/?kind=sham")
    rows = list(openpyxl.load_workbook(io.BytesIO(answer.content)).active.iter_rows(values_only=True))
    assert rows[1][0] == "筛选 类型：虚假劳动关系参保" and rows[3][3] == "云上物流公司" and len(rows) == 4
    answer = client.get("/monitoring/collection/hints/export/")
    rows = list(openpyxl.load_workbook(io.BytesIO(answer.content)).active.iter_rows(values_only=True))
    assert ("青溪县", "居民") in {row[:2] for row in rows}
    assert client.get("/monitoring/collection/?month=nonsense&by=-income&sort=amount").status_code == 200
    assert client.post("/monitoring/collection/").status_code == 405


def test_the_page_without_figures_says_what_to_do_next(world, client_of):
    assert "还没有可比的数据" in client_of(world.officer).get("/monitoring/collection/").content.decode()


def test_a_finding_is_registered_and_acted_on_from_its_page(world, client_of, tmp_path, settings):
    settings.DATA_DIR = tmp_path
    client = client_of(world.officer)
    typed = {**VALUES, "county": world.qingxi.pk, "file": SimpleUploadedFile("欠费.pdf", b"%PDF-1.4")}
    wrong = client.post("/monitoring/collection/new/", {**typed, "payer": "", "file": ""})
    assert wrong.status_code == 422 and "连续三个月未缴" in wrong.content.decode()
    typed["file"] = SimpleUploadedFile("欠费.pdf", b"%PDF-1.4")
    assert client.post("/monitoring/collection/new/", typed).status_code == 302
    finding = CollectionFinding.objects.get()
    url = finding.get_absolute_url()
    assert client.get(f"{url}file/").status_code == 200
    assert client.post(f"{url}follow/", {"text": "短", "recovered": "5"}).status_code == 422
    assert client.post(f"{url}handle/", {"text": WORDS, "recovered": "not a number"}).status_code == 422
    assert client.post(f"{url}handle/", {"text": WORDS, "recovered": "12000"}).status_code == 302
    assert client.post(f"{url}handle/", {"text": WORDS}).status_code == 409
    assert client.post(f"{url}nonsense/", {"text": WORDS}).status_code == 404
    assert client.post(f"{url}close/", {"text": WORDS}).status_code == 403
    assert client_of(world.reviewer).post(f"{url}close/", {"text": "同意办结"}).status_code == 302


def test_hospitals_and_strangers_do_not_see_collection(world, client_of):
    finding, proposed = a_finding(world), target(world)
    assert client_of(world.hospital).get("/monitoring/collection/").status_code == 403
    for user in (world.hospital, world.stranger_officer):
        client = client_of(user)
        assert client.get(finding.get_absolute_url()).status_code == 404
        assert client.post(f"/monitoring/collection/targets/{proposed.pk}/confirm/").status_code == 404
    assert client_of(world.hospital).get("/monitoring/collection/targets/").status_code == 403
    assert "青溪建材" not in client_of(world.stranger_officer).get("/monitoring/collection/").content.decode()


def test_a_headcount_is_entered_and_confirmed_from_the_page(world, client_of):
    client = client_of(world.officer)
    typed = {"county": world.qingxi.pk, "year": 2026, "fund_type": "RES", "expected": 100000, "basis": BASIS}
    wrong = client.post("/monitoring/collection/targets/", {**typed, "expected": -5})
    assert wrong.status_code == 422 and BASIS in wrong.content.decode()
    assert client.post("/monitoring/collection/targets/", {**typed, "county": world.foreign_county.pk}).status_code == 422
    assert client.post("/monitoring/collection/targets/", typed).status_code == 302
    row = EnrolmentTarget.objects.get()
    assert client.post(f"/monitoring/collection/targets/{row.pk}/confirm/").status_code == 403
    reviewer = client_of(world.reviewer)
    assert "核定" in reviewer.get("/monitoring/collection/targets/").content.decode()
    assert reviewer.post(f"/monitoring/collection/targets/{row.pk}/reject/", {"reason": ""}).status_code == 422
    assert reviewer.post(f"/monitoring/collection/targets/{row.pk}/confirm/").status_code == 302
    assert reviewer.post(f"/monitoring/collection/targets/{row.pk}/confirm/").status_code == 409
    assert reviewer.get("/monitoring/collection/targets/export/?year=2026&fund=RES").status_code == 200
    assert "没有符合条件的记录" in reviewer.get("/monitoring/collection/targets/?year=2025").content.decode()
