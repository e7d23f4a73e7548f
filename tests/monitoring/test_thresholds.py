"""Thresholds from the first draft to their end: what may be entered, who decides, which one holds, what history suggests."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.trail import history
from monitoring.models import Threshold, Warning
from monitoring.reading.places import ref_of
from monitoring.reading.thresholds import in_force, preview, suggestions, threshold_for
from monitoring.services import thresholds
from monitoring.services.evaluating import evaluate_month
from rules.periods import Month
from tests.monitoring import warning_ground as ground
from tests.monitoring.warning_ground import JULY, REASON, live, month_row, share_row, trial, values

ON = date(2026, 7, 31)


@pytest.fixture(autouse=True)
def _clock(time_machine):
    time_machine.move_to(ground.NOW)


def save(world, who=None, threshold=None, **changed):
    return thresholds.save_threshold(who or world.officer, world.area, values(**changed), threshold)


def test_a_threshold_is_entered_tried_approved_and_ended(world):
    draft = save(world)
    assert (draft.status, draft.yellow, draft.entered_by) == ("draft", Decimal("0.18"), world.officer)
    held = thresholds.start_trial(world.officer, draft)
    assert (held.status, held.trial_from) == ("trial", date(2026, 8, 14))
    held = thresholds.approve(world.reviewer, held)
    assert (held.status, held.decided_by) == ("live", world.reviewer)
    held = thresholds.end(world.reviewer, held, "地方另行规定")
    assert (held.status, held.valid_to) == ("ended", date(2026, 8, 14))
    actions = list(history(held).values_list("action", flat=True))
    assert actions == [thresholds.ENTER, thresholds.ENTER, thresholds.APPROVE, thresholds.END]


def test_a_live_threshold_is_never_edited_only_replaced(world):
    held = live(world)
    with pytest.raises(Conflict, match="停用后另行设定"):
        save(world, threshold=held, yellow="0.20")
    replacement = trial(world, yellow="0.20")
    with pytest.raises(Conflict, match="请先停用原阈值"):
        thresholds.approve(world.reviewer, replacement)
    thresholds.end(world.reviewer, held, "提高标准")
    later = thresholds.save_threshold(world.officer, world.area, {"valid_from": date(2026, 8, 15)}, replacement)
    assert thresholds.approve(world.reviewer, later).status == "live"


def test_a_draft_can_be_mended_until_it_is_in_force(world):
    held = save(world)
    held = save(world, threshold=held, yellow="0.19", note="按县级讨论意见")
    assert (held.yellow, Threshold.objects.count()) == (Decimal("0.19"), 1)
    held = thresholds.start_trial(world.officer, held)
    assert save(world, threshold=held, orange=None).orange is None


def test_everything_wrong_with_a_threshold_is_said_at_once(world):
    with pytest.raises(Refused) as refusal:
        save(
            world, above=True, relative=True, yellow="18", orange="17", red="16", min_volume="-1", clause=" ",
            valid_to=date(2025, 1, 1), county=world.qingxi, alliance=world.east,
        )  # fmt: skip
    fields = {problem.field for problem in refusal.value.problems}
    assert fields == {"above", "relative", "yellow", "orange", "red", "min_volume", "clause", "valid_to", "alliance"}
    assert any("1800%" in problem.text for problem in refusal.value.problems)
    assert not Threshold.objects.exists()


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"yellow": None, "orange": None, "red": ""}, "yellow", "至少要填一级"),
        ({"yellow": "0.16", "red": "0.16", "orange": None}, "red", "黄 > 橙 > 红"),
        ({"yellow": "abc"}, "yellow", "须填数字"),
        ({"yellow": "NaN"}, "yellow", "不是有效的界限值"),
        ({"yellow": "0.1800001"}, "yellow", "小数超过六位"),
        ({"indicator": "nothing"}, "indicator", "没有“nothing”这一项"),
        ({"indicator": ""}, "indicator", "没有选择"),
        ({"kind": "institution"}, "kind", "没有这一层级的数据"),
        ({"basis": "pace"}, "basis", "可以与序时进度比"),
        ({"indicator": "prepaid_rate", "above": True, "yellow": "0.5", "orange": None, "red": "0.6", "min_volume": "5"},
         "min_volume", "没有规模口径"),
        ({"valid_from": None}, "valid_from", "没有填写启用日期"),
        ({"valid_from": "2026-13-01"}, "valid_from", "不是日期"),
        ({"kind": "county", "alliance": "mine"}, "alliance", "不能限定医共体"),
        ({"kind": "city", "county": "mine"}, "county", "不能限定县或医共体"),
    ],
)  # fmt: skip
def test_a_senseless_threshold_is_refused_with_the_field(world, changed, field, words):
    places = {"alliance": world.alliance, "county": world.qingxi}
    changed = {name: places[name] if given == "mine" else given for name, given in changed.items()}
    with pytest.raises(Refused, match=words) as refusal:
        save(world, **changed)
    assert field in {problem.field for problem in refusal.value.problems}


def test_rights_stand_at_the_place_the_threshold_is_for(world):
    with pytest.raises(NotAllowed):
        save(world, who=world.county_officer)
    mine = save(world, who=world.county_officer, county=world.qingxi)
    assert mine.entered_by == world.county_officer
    with pytest.raises(NotAllowed):
        save(world, who=world.county_officer, county=world.yunling)
    for person in (world.hospital, world.reviewer, world.stranger_officer, world.admin):
        with pytest.raises(NotAllowed):
            save(world, who=person)
    with pytest.raises(NotAllowed):
        thresholds.approve(world.officer, trial(world))


def test_a_county_of_another_city_is_no_place_for_a_threshold(world):
    with pytest.raises(Refused, match="不属于澜川市"):
        save(world, county=world.foreign_county)


def test_who_entered_a_threshold_does_not_approve_it(world):
    from core.models import Role, RoleGrant

    held = trial(world)
    RoleGrant.objects.create(user=world.officer, role=Role.FUND_REVIEWER, county=world.qingxi, valid_from=date(2020, 1, 1))
    Threshold.objects.filter(pk=held.pk).update(county=world.qingxi)
    held.refresh_from_db()
    world.officer.__dict__.pop("_grants", None)
    with pytest.raises(NotAllowed):
        thresholds.approve(type(world.officer).objects.get(pk=world.officer.pk), held)
    with pytest.raises(IntegrityError), transaction.atomic():
        Threshold.objects.filter(pk=held.pk).update(decided_by=world.officer)


def test_only_a_trial_is_approved_and_only_a_draft_is_tried(world):
    draft = save(world)
    with pytest.raises(Conflict, match="不能核准启用"):
        thresholds.approve(world.reviewer, draft)
    held = thresholds.start_trial(world.officer, draft)
    with pytest.raises(Conflict, match="不能开始试运行"):
        thresholds.start_trial(world.officer, held)
    thresholds.end(world.officer, held, "设定有误，作废")
    with pytest.raises(Conflict, match="不能停用"):
        thresholds.end(world.officer, held, "设定有误，作废")


def test_ending_a_live_threshold_is_for_the_reviewer_with_a_reason(world):
    held = live(world)
    with pytest.raises(NotAllowed):
        thresholds.end(world.officer, held, REASON)
    with pytest.raises(Refused, match="没有写明理由"):
        thresholds.end(world.reviewer, held, "")


def test_a_threshold_that_fires_everywhere_goes_live_only_on_purpose(world):
    for alliance in (world.alliance, world.east, world.west):
        share_row(alliance, JULY, 12)
    held = trial(world)
    seen = preview(held, JULY)
    assert (seen.places, seen.judged, len(seen.breaches), seen.everywhere) == (3, 3, 3, True)
    assert "所有可判断的地方都会触发" in seen.text and "12%" in seen.text
    with pytest.raises(Refused, match="在所有地方都会触发"):
        thresholds.approve(world.reviewer, held)
    with pytest.raises(Refused, match="没有写明理由"):
        thresholds.approve(world.reviewer, held, everywhere_ok=True)
    assert thresholds.approve(world.reviewer, held, True, "全市普遍偏低，需要全部督办").status == "live"


def test_a_preview_tells_places_apart_and_leaves_small_ones_out(world):
    share_row(world.alliance, JULY, 12)
    share_row(world.east, JULY, 30)
    share_row(world.west, JULY, 12, whole=1000)
    seen = preview(trial(world, min_volume="5000"), JULY)
    assert (seen.places, seen.judged, [one.place.code for one in seen.breaches]) == (3, 2, ["QX"])
    assert (seen.breaches[0].level, seen.everywhere) == ("red", False)
    assert "没有可判断的数据" in preview(trial(world, fund_type="EMP"), JULY).text


def test_the_narrower_threshold_holds_in_place_of_the_wider(world):
    wide = live(world)
    county = live(world, county=world.yunling)
    narrow = live(world, alliance=world.east, county=None)
    places = [ref_of(one) for one in (world.alliance, world.east, world.west)]
    held = in_force(places, ON)
    assert [held[place, "RES"] for place in places] == [[wide], [narrow], [county]]
    assert (places[0], "EMP") not in held
    assert narrow.county == world.yunling


def test_a_threshold_of_one_fund_holds_before_one_of_both(world):
    both, own = live(world, fund_type=""), live(world)
    place = ref_of(world.alliance)
    assert threshold_for(place, "RES", "primary_share", ON) == [own]
    assert threshold_for(place, "EMP", "primary_share", ON) == [both]
    assert threshold_for(place, "EMP", "drug_share", ON) == []


def test_an_ended_threshold_held_until_its_day(world):
    held = thresholds.end(world.reviewer, live(world), "地方另行规定")
    place = ref_of(world.alliance)
    assert threshold_for(place, "RES", "primary_share", date(2026, 8, 14)) == [held]
    assert threshold_for(place, "RES", "primary_share", date(2026, 8, 15)) == []
    assert threshold_for(place, "RES", "primary_share", date(2025, 12, 31)) == []


def test_thresholds_of_many_places_take_two_queries(world, django_assert_num_queries):
    live(world)
    places = [ref_of(one) for one in (world.alliance, world.east, world.west, world.lead, world.township)]
    with django_assert_num_queries(2):
        in_force(places, ON)


def test_a_trial_is_judged_and_counted_and_warns_nobody(world):
    trial(world)
    share_row(world.alliance, JULY, 12)
    outcome = evaluate_month(world.qingxi, JULY)
    assert (outcome.trial, outcome.raised) == (1, 0) and "试运行阈值触发 1 项" in outcome.text
    assert not Warning.objects.exists()


def test_the_shipped_defaults_are_adopted_once_on_trial(world):
    added = thresholds.adopt_defaults(world.officer, world.area)
    assert added == len(thresholds.shipped()) > 25
    assert thresholds.adopt_defaults(world.officer, world.area) == 0
    held = {(row.indicator, row.kind, row.fund_type, row.basis): row for row in Threshold.objects.all()}
    assert all(row.status == "trial" and row.clause and row.valid_from == date(2026, 7, 1) for row in held.values())
    assert held["primary_share", "alliance", "", "absolute"].red == Decimal("0.16")
    pace = held["execution", "alliance", "", "pace"]
    assert (pace.yellow, pace.red) == (Decimal("0.05"), Decimal("0.10"))
    assert (held["payable_months", "county", "EMP", "absolute"].yellow, held["payable_months", "city", "RES", "absolute"].red) == (12, 3)
    assert held["inpatient_average", "institution", "", "last_year"].relative
    with pytest.raises(NotAllowed):
        thresholds.adopt_defaults(world.hospital, world.area)


def test_the_floor_of_the_primary_share_follows_the_local_parameter(world):
    from core.parameters import confirm_parameter, enter_parameter

    entered = enter_parameter(world.admin, "budgets.primary_share_floor", world.area, "0.2", "地方文件", date(2026, 1, 1))
    confirm_parameter(world.reviewer, entered)
    thresholds.adopt_defaults(world.officer, world.area)
    assert Threshold.objects.get(indicator="primary_share", kind="alliance").red == Decimal("0.2")


def test_history_suggests_levels_that_few_values_would_have_passed(world):
    for back in range(24):
        share_row(world.alliance, JULY.plus(-back), 10 + back)
    found = suggestions(world.area, "primary_share", "alliance", "RES", "absolute", "month", False, JULY)
    # 24 values 10 … 33 %: from below the 5th, the 3rd and the 2nd
    assert (found.yellow, found.orange, found.red, found.sample) == (Decimal("0.14"), Decimal("0.12"), Decimal("0.11"), 24)
    assert "近 24 个月" in found.text and not found.relative
    assert suggestions(world.area, "primary_share", "alliance", "EMP", "absolute", "month", False, JULY) is None


def test_too_few_values_give_no_suggestion(world):
    for back in range(19):
        share_row(world.alliance, JULY.plus(-back), 10 + back)
    assert suggestions(world.area, "primary_share", "alliance", "RES", "absolute", "month", False, JULY) is None
    share_row(world.alliance, JULY.plus(-19), 40)
    assert suggestions(world.area, "primary_share", "alliance", "RES", "absolute", "month", False, JULY).sample == 20


def test_suggestions_against_last_year_come_as_rates(world):
    for back in range(36):
        month = JULY.plus(-back)
        month_row(world.alliance, month, inpatient_cost=1000 * (1 + (month.year - 2023)), discharges=1)
    found = suggestions(world.area, "inpatient_average", "alliance", "RES", "last_year", "month", True, JULY)
    # 7 months of 2026 grew by a third, 12 of 2025 by a half, 5 of 2024 doubled: the 20th of 24 is the first of these
    assert found.relative and (found.sample, found.yellow, found.red) == (24, Decimal(1), Decimal(1))
    low = suggestions(world.area, "inpatient_average", "alliance", "RES", "last_year", "month", False, JULY)
    assert low.yellow == Decimal("0.333333")


def test_a_quarterly_threshold_is_judged_at_the_quarters_end_only(world):
    held = live(world, span="quarter")
    for number in range(4, 8):
        share_row(world.alliance, Month(2026, number), 12)
    assert evaluate_month(world.qingxi, JULY).raised == 0
    assert evaluate_month(world.qingxi, Month(2026, 6)).raised == 1
    assert preview(held, JULY).judged == 1
