"""The card of the money for the bureau and the provider, its forms, the fine calculator, the statistics and the API."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from audits.models import Recovered
from audits.reading.money import outstanding
from audits.todos_money import todos
from audits.views.cards.money import money_card
from audits.views.cards.proposals import measures_card, penalty_card
from core.workbook import read_sheets
from tests.audits import money_ground as ground
from tests.audits.money_ground import YEAR, D, Row

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate


def served(world, *rows, **more):
    ground.make_final(world, YEAR - 1)
    case = ground.case_of(world, list(rows) or [Row("1000.00", year=YEAR - 1), Row("55.50", fund="EMP")], **more)
    return ground.served(world, case)[0]


def shown(card, user, case):
    """The card as this person gets it; empty where there is none."""
    request = RequestFactory().get("/")
    request.user = user
    made = card(request, case, "", None)
    return "" if made is None else render_to_string(made.template, made.context, request)


def act_url(track, act):
    return reverse("audits:case-money-act", args=[track.case_id, track.kind, act])


def receipt(**more):
    return {"fund_type": "RES", "amount": "400.00", "on": str(TODAY()), "reference": "YH-1", **more}


def test_the_card_shows_the_figures_of_both_funds_to_bureau_and_provider_alike(world):
    track = served(world)
    for user in (world.auditor, world.hospital, world.member):
        text = shown(money_card, user, track.case)
        assert "1,000.00" in text and "55.50" in text and "1,055.50" in text
        assert f"拒付（{YEAR} 年费用）" in text and f"应追回（{YEAR - 1} 年费用）" in text
    assert "登记退回基金" in shown(money_card, world.finance, track.case)
    assert "转清算扣减" in shown(money_card, world.auditor, track.case)
    assert "<form" not in shown(money_card, world.hospital, track.case)


def test_before_the_decision_is_served_the_card_shows_only_what_was_found(world):
    case = ground.case_of(world, [Row("77.70")])
    text = shown(money_card, world.auditor, case)
    assert "77.70" in text and "决定送达后生效" in text and "登记退回基金" not in text


def test_finance_records_a_receipt_from_the_page_and_the_card_tells_it(world, client_of):
    track = served(world)
    answer = client_of(world.finance).post(act_url(track, "receive"), receipt())
    assert answer.status_code == 302 and outstanding(track.case) == D("600.00")
    text = shown(money_card, world.hospital, track.case)
    assert "YH-1" in text and "600.00" in text
    row = Recovered.objects.get()
    answer = client_of(world.finance).post(act_url(track, "take_back"), {"recovered": row.pk, "reason": "回单属于另一案件"})
    assert answer.status_code == 302 and outstanding(track.case) == D("1000.00")
    assert "已冲销" in shown(money_card, world.finance, track.case)


def test_a_refused_receipt_keeps_what_was_typed_and_says_both_amounts(world, client_of):
    track = served(world)
    answer = client_of(world.finance).post(act_url(track, "receive"), receipt(amount="1000.01", reference="YH-保留"))
    text = answer.content.decode()
    assert answer.status_code == 422 and "多出 0.01 元" in text and "YH-保留" in text


def test_who_may_not_act_on_the_money_is_refused_and_strangers_do_not_find_the_case(world, client_of):
    track = served(world)
    assert client_of(world.hospital).post(act_url(track, "receive"), receipt()).status_code == 403
    assert client_of(world.stranger_officer).post(act_url(track, "receive"), receipt()).status_code == 404
    assert client_of(world.finance).post(act_url(track, "nonsense"), receipt()).status_code == 404
    assert client_of(world.finance).get(act_url(track, "receive")).status_code == 302
    assert not Recovered.objects.exists()


def test_the_officer_proposes_a_fine_from_the_page_and_the_party_sees_it_once_notified(world, client_of):
    case = ground.case_of(world, [Row("126594.00")], penalty=True)
    track = ground.track_of(case, "penalty")
    text = shown(penalty_card, world.auditor, case)
    assert "126,594.00 – 253,188.00" in text and "拟定处理意见" in text and "data-fine-slider" in text
    given = {"grade": "ordinary", "fine": "189891.00", "grade_reason": "违法事实清楚，配合调查", "suspend_months": ""}
    answer = client_of(world.auditor).post(act_url(track, "propose"), given)
    assert answer.status_code == 302
    text = shown(penalty_card, world.auditor, case)
    assert "189,891.00 元" in text and "1.5000 倍" in text and "须告知听证权利" in text and "须法制审核" in text
    assert shown(penalty_card, world.hospital, case) == ""
    track.refresh_from_db()
    track.notified_on, track.state = TODAY(), "notified"
    track.save()
    text = shown(penalty_card, world.hospital, case)
    assert "189,891.00 元" in text and "须法制审核" not in text


def test_measures_are_proposed_from_the_page_and_shown_on_their_card(world, client_of):
    case = ground.case_of(world, [Row("100.00")])
    track = ground.track_of(case)
    given = {"text": "拒付违规费用并责令改正", "points": "6", "correct": "on", "suspend_months": ""}
    assert client_of(world.auditor).post(act_url(track, "propose"), given).status_code == 302
    text = shown(measures_card, world.audit_reviewer, case)
    assert "拒付违规费用并责令改正" in text and "6 分" in text and "100.00 元" in text
    assert shown(measures_card, world.member, case) == ""


def test_a_late_fine_shows_its_surcharge_and_stays_out_of_the_fund_columns(world):
    case = ground.case_of(world, [Row("10000.00")], penalty=True)
    ground.served(world, case)
    ground.served(world, case, "penalty", fine=D("10000.00"), served_on=TODAY() - timedelta(days=25))
    text = shown(money_card, world.auditor, case)
    assert "罚款（上缴国库）" in text and "3,000.00 元" in text and "登记罚款缴库" in text


def test_the_fine_calculator_gives_range_grades_limitation_and_needs_by_a_link(world, client_of):
    url = reverse("audits:fine-trial")
    query = {"act": "overcharging", "loss": "126594.00", "on": "2026-06-30", "fine": "151912.80"}
    text = client_of(world.auditor).get(url, query).content.decode()
    assert "126,594.00 – 253,188.00" in text and "1.2000 倍" in text and "须告知听证权利" in text and "从轻处罚" in text
    old = client_of(world.auditor).get(url, query | {"on": "2022-01-01"}).content.decode()
    assert "不再处罚，损失仍应追回" in old
    wrong = client_of(world.auditor).get(url, {"act": "", "loss": "x", "on": "2026-06-30"})
    assert wrong.status_code == 422 and "没有选择违法行为" in wrong.content.decode()
    assert client_of(world.hospital).get(url).status_code == 403


def test_the_statistics_page_and_its_workbook_have_the_same_totals(world, client_of, django_assert_max_num_queries):
    for number in range(4):
        ground.served(world, ground.case_of(world, [Row(f"{number + 1}00.00"), Row("5.50", fund="EMP", act="substitution")]))
    client = client_of(world.auditor)
    with django_assert_max_num_queries(40):
        text = client.get(reverse("audits:statistics")).content.decode()
    assert "1,022.00" in text and "按违规行为" in text and "data-chart" in text
    answer = client.get(reverse("audits:statistics-xlsx"))
    sheets = read_sheets(answer.content, "x.xlsx")
    assert len(sheets) == 4
    for rows in sheets.values():
        total = next(row for row in rows if row[0] == "合计")
        assert [Decimal(str(cell)).quantize(D("0.01")) for cell in total[2:5]] == [D("1022.00"), D("1022.00"), D("0.00")]


def test_statistics_are_narrowed_by_filter_and_place_and_closed_to_providers(world, client_of):
    ground.served(world, ground.case_of(world, [Row("321.00")]))
    url = reverse("audits:statistics")
    assert "321.00" in client_of(world.observer).get(url).content.decode()
    assert "没有符合条件的决定" in client_of(world.observer).get(url, {"q": "不存在"}).content.decode()
    assert "321.00" not in client_of(world.stranger_officer).get(url).content.decode()
    assert client_of(world.hospital).get(url).status_code == 403


def test_receipts_due_are_a_to_do_of_fund_finance_and_fines_of_the_officer(world, django_assert_max_num_queries):
    track = served(world, penalty=True)
    ground.served(world, track.case, "penalty", fine=D("2000.00"))
    found = todos(world.finance)
    assert [(one.fund_type, one.amount) for one in found] == [("RES", D("1000.00"))] and found[0].due is not None
    assert [one.amount for one in todos(world.auditor)] == [D("2000.00")]
    assert todos(world.hospital) == []
    for _number in range(5):
        served_again = ground.case_of(world, [Row("10.00", year=YEAR - 1)], penalty=True)
        ground.served(world, served_again)
        ground.served(world, served_again, "penalty", fine=D("15.00"))
    with django_assert_max_num_queries(8):
        assert len(todos(world.finance)) == 6
    with django_assert_max_num_queries(8):
        assert len(todos(world.auditor)) == 6


def test_the_api_shows_and_moves_the_money_through_the_same_services(world, client_of):
    track = served(world)
    url = reverse("api:case-money-detail", args=[track.case_id])
    held = client_of(world.finance).get(url).json()
    assert held["total"]["outstanding"] == "1000.00" and held["money"][0]["fund_type"] == "RES"
    answer = client_of(world.finance).post(f"{url}receive/", receipt(amount="1.00"), content_type="application/json")
    assert answer.status_code == 200 and answer.json()["total"]["repaid"] == "1.00"
    answer = client_of(world.finance).post(f"{url}receive/", receipt(amount="9999.00", reference="YH-2"), content_type="application/json")
    assert answer.status_code == 422 and "多出" in answer.json()["problems"][0]["text"]
    assert client_of(world.auditor).post(f"{url}receive/", receipt(), content_type="application/json").status_code == 403
    assert client_of(world.stranger_officer).get(url).status_code == 404
