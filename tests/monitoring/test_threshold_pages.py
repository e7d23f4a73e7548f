"""Pages of the thresholds: entered, tried, previewed, approved by another, ended; the author is told what would fire."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse

from core.workbook import read_sheets
from monitoring.models import Threshold
from tests.monitoring import desk_ground as ground

pytestmark = pytest.mark.django_db
GIVEN = {
    "indicator": "primary_share", "kind": "alliance", "place": "", "fund_type": "RES", "basis": "absolute", "span": "to_date",
    "above": "0", "yellow": "16", "orange": "", "red": "15.5", "min_volume": "", "clause": "赣医保发〔2022〕23号 §二(二)3",
    "valid_from": "2026-01-01", "valid_to": "", "note": "",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _clock(time_machine):
    time_machine.move_to(ground.NOW)


def url(name, *args):
    return reverse(f"monitoring:{name}", args=args)


def shown(page):
    return [row["threshold"].pk for row in page.context["page_obj"]]


def test_an_officer_enters_percent_and_the_rule_keeps_fractions(world, client_of):
    answer = client_of(world.officer).post(url("threshold-new"), GIVEN)
    made = Threshold.objects.get()
    assert answer.status_code == 302 and answer.url == made.get_absolute_url()
    assert (made.yellow, made.orange, made.red) == (Decimal("0.16"), None, Decimal("0.155"))
    assert made.status == "draft" and not made.above
    page = client_of(world.officer).get(url("threshold-edit", made.pk))
    assert page.context["form"]["yellow"].value() == "16"


def test_each_threshold_of_the_list_folds_its_clause_for_the_telephone(world, client_of):
    made = ground.threshold(world)
    text = client_of(world.officer).get(url("thresholds")).content.decode()
    row = text[text.index("whole narrow-only") :].partition("</details>")[0]
    assert made.clause in row and "医共体 · 居民 · 绝对值" in row and "2026-01-01" in row


def test_money_levels_are_kept_as_they_are_typed(world, client_of):
    given = {**GIVEN, "indicator": "inpatient_average", "above": "1", "yellow": "4500", "red": "5000.5"}
    client_of(world.officer).post(url("threshold-new"), given)
    made = Threshold.objects.get()
    assert (made.yellow, made.red) == (Decimal(4500), Decimal("5000.5"))


def test_what_is_wrong_with_a_rule_is_told_and_what_was_typed_stays(world, client_of):
    given = {**GIVEN, "yellow": "15", "red": "16", "note": "留着的说明"}
    page = client_of(world.officer).post(url("threshold-new"), given)
    text = page.content.decode()
    assert page.status_code == 422 and "逐级加重" in text and "留着的说明" in text
    page = client_of(world.officer).post(url("threshold-new"), {**GIVEN, "clause": "", "yellow": "百分之十六"})
    text = page.content.decode()
    assert page.status_code == 422 and "没有填写依据" in text and "黄级须填数字" in text and 'value="百分之十六"' in text
    assert not Threshold.objects.exists()


def test_looking_at_suggestions_saves_nothing_and_keeps_the_form(world, client_of):
    ground.fill(world)
    page = client_of(world.officer).post(url("threshold-new"), {**GIVEN, "suggest": "1", "clause": ""})
    assert page.status_code == 200 and not Threshold.objects.exists()
    assert page.context["form"]["yellow"].value() == "16"
    assert page.context["offer"]["text"]


def test_only_officers_enter_and_others_read_why_not(world, client_of):
    for person in (world.reviewer, world.hospital, world.observer):
        answer = client_of(person).get(url("threshold-new"))
        assert answer.status_code == 403 and "岗位" in answer.content.decode()
    assert client_of(world.hospital).post(url("threshold-new"), GIVEN).status_code == 403


def test_a_county_officer_sets_rules_for_her_county_only(world, client_of):
    client = client_of(world.county_officer)
    assert client.post(url("threshold-new"), GIVEN).status_code == 403  # not everywhere
    assert client.post(url("threshold-new"), {**GIVEN, "place": f"C{world.yunling.pk}"}).status_code == 422
    assert not Threshold.objects.exists()
    assert client.post(url("threshold-new"), {**GIVEN, "place": f"C{world.qingxi.pk}"}).status_code == 302
    assert Threshold.objects.get().county == world.qingxi


def test_a_rule_goes_from_draft_over_trial_into_force_by_two_people(world, client_of):
    ground.fill(world)
    ground.fill(world, world.east)
    one = ground.threshold(world, status="draft", yellow=Decimal("0.14"), red=Decimal("0.12"))
    client_of(world.officer).post(url("threshold-act", one.pk, "trial"))
    one.refresh_from_db()
    assert one.status == "trial"
    assert client_of(world.officer).post(url("threshold-act", one.pk, "approve")).status_code == 403
    page = client_of(world.reviewer).get(url("threshold", one.pk))
    assert page.context["may_approve"] and page.context["preview"].judged == 2 and page.context["breaches"] == []
    client_of(world.reviewer).post(url("threshold-act", one.pk, "approve"), {"reason": ""})
    one.refresh_from_db()
    assert one.status == "live" and one.decided_by == world.reviewer


def test_a_rule_that_fires_everywhere_is_shouted_and_needs_a_word(world, client_of):
    ground.fill(world)
    ground.fill(world, world.east)
    one = ground.threshold(world, status="trial", yellow=Decimal("0.30"), red=Decimal("0.20"))
    client = client_of(world.reviewer)
    page = client.get(url("threshold", one.pk))
    assert page.context["preview"].everywhere and "会对所有可判断的地方" in page.content.decode()
    page = client.post(url("threshold-act", one.pk, "approve"), {"reason": "先看看"})
    assert page.status_code == 422 and "先看看" in page.content.decode()
    page = client.post(url("threshold-act", one.pk, "approve"), {"reason": "", "everywhere_ok": "on"})
    assert page.status_code == 422 and page.context["everywhere_ok"]
    client.post(url("threshold-act", one.pk, "approve"), {"reason": "全市普遍偏低，统一整改", "everywhere_ok": "on"})
    one.refresh_from_db()
    assert one.status == "live"


def test_the_preview_lists_places_of_the_chosen_month_within_scope(world, client_of):
    ground.fill(world)
    ground.fill(world, world.east)
    one = ground.threshold(world, status="trial", span="month", yellow=Decimal("0.15"), red=Decimal("0.12"))
    page = client_of(world.officer).get(url("threshold", one.pk) + "?month=2026-09")
    assert {row["place"].name for row in page.context["breaches"]} == {world.alliance.name, world.east.name}
    page = client_of(world.officer).get(url("threshold", one.pk) + "?month=2026-03")
    assert page.context["breaches"] == [] and str(page.context["month"]) == "2026-03"
    page = client_of(world.county_officer).get(url("threshold", one.pk) + "?month=2026-09")
    assert {row["place"].name for row in page.context["breaches"]} == {world.alliance.name}


def test_ending_needs_a_reason_and_keeps_the_rule(world, client_of):
    one = ground.threshold(world)
    client = client_of(world.reviewer)
    assert client.post(url("threshold-act", one.pk, "end"), {"reason": ""}).status_code == 422
    client.post(url("threshold-act", one.pk, "end"), {"reason": "改按县级阈值执行"})
    one.refresh_from_db()
    assert one.status == "ended"
    assert client_of(world.officer).get(url("threshold", one.pk)).status_code == 200


def test_a_rule_in_force_is_not_edited_any_more(world, client_of):
    one = ground.threshold(world)
    page = client_of(world.officer).post(url("threshold-edit", one.pk), {**GIVEN, "yellow": "15.9"})
    assert page.status_code == 409
    one.refresh_from_db()
    assert one.yellow == Decimal("0.16")


def test_defaults_are_adopted_once_and_start_on_trial(world, client_of):
    client = client_of(world.officer)
    assert "采用默认阈值" in client.get(url("thresholds")).content.decode()
    client.post(url("thresholds-adopt"))
    rules = Threshold.objects.all()
    assert len(rules) > 5 and {rule.status for rule in rules} == {"trial"} and all(rule.clause for rule in rules)
    assert "随系统提供的默认阈值" not in client.get(url("thresholds")).content.decode()
    assert client_of(world.county_officer).post(url("thresholds-adopt")).status_code == 403
    assert client_of(world.hospital).post(url("thresholds-adopt")).status_code == 403


def test_hospitals_read_what_is_in_force_and_nothing_else(world, client_of):
    live, trial = ground.threshold(world), ground.threshold(world, status="trial", indicator="drug_share", above=True)
    client = client_of(world.hospital)
    assert shown(client.get(url("thresholds"))) == [live.pk]
    page = client.get(url("threshold", live.pk))
    assert page.status_code == 200 and page.context["preview"] is None and page.context["suggested"] == []
    assert client.get(url("threshold", trial.pk)).status_code == 404
    assert client_of(world.stranger_officer).get(url("threshold", live.pk)).status_code == 404


def test_the_export_holds_the_filtered_rules(world, client_of):
    ground.threshold(world)
    drug = ground.threshold(world, status="trial", indicator="drug_share", above=True, yellow=Decimal("0.3"), red=None)
    client = client_of(world.officer)
    assert shown(client.get(url("thresholds") + "?status=trial")) == [drug.pk]
    assert shown(client.get(url("thresholds") + "?q=药占比")) == [drug.pk]
    rows = read_sheets(client.get(url("thresholds-xlsx") + "?status=trial").content, "x.xlsx")["预警阈值"]
    assert [(row[0], row[6]) for row in rows if row[0] in ("药占比", "基层支出占比")] == [("药占比", "高于 30.00%")]


def test_the_list_of_rules_asks_the_same_queries(world, client_of, django_assert_max_num_queries):
    ground.threshold(world)
    client = client_of(world.officer)
    client.get(url("thresholds"))
    with django_assert_max_num_queries(30) as few:
        client.get(url("thresholds"))
    for key in ("drug_share", "exam_share", "consumables_share", "non_covered", "own_burden"):
        ground.threshold(world, status="trial", indicator=key, above=True)
    with django_assert_max_num_queries(len(few)):
        assert len(shown(client.get(url("thresholds")))) == 6
