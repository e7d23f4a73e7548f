"""Computing a county's month: versions, reasons, what changes and what does not, and what a kill leaves behind."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from claims.services import record_factset
from core.models import Institution, Membership, TrailEvent
from monitoring.models import PlaceKind, PlaceMonth
from monitoring.reading.figures import figures
from monitoring.reading.places import ref_of
from monitoring.services import computing
from monitoring.services.computing import compute_county_month
from rules.periods import Month
from rules.spans import Span
from tests.monitoring.figures_ground import (
    MARCH,
    OUTSIDER,
    TOWNSHIP,
    facts,
    package,
    qingxi_rows,
    report,
    row,
    sister_facts,
    stored,
)

D = Decimal
FEBRUARY = MARCH.previous()
APRIL_1 = datetime(2026, 4, 1, 1, tzinfo=UTC)
MAY_1 = datetime(2026, 5, 1, 1, tzinfo=UTC)


def versions(place, fund="RES", month=MARCH):
    rows = PlaceMonth.objects.filter(place=ref_of(place).key, fund_type=fund, year=month.year, month=month.month)
    return list(rows.order_by("version"))


def test_a_second_run_over_the_same_inputs_writes_nothing(world):
    facts(world)
    first = compute_county_month(world.qingxi, MARCH)
    again = compute_county_month(world.qingxi, MARCH)
    assert first.written == PlaceMonth.objects.count() == 2 * (1 + 1 + 4)  # county, alliance, four institutions
    assert (again.written, again.unchanged) == (0, first.written)
    assert TrailEvent.objects.filter(action=computing.ACTION).count() == 1
    assert {row.version for row in PlaceMonth.objects.all()} == {1}
    assert stored(world.qingxi).reason == "首次计算"


def test_every_place_knows_whom_it_belongs_to(world):
    facts(world)
    compute_county_month(world.qingxi, MARCH)
    lead, outsider, alliance, county = map(stored, (world.lead, world.outsider, world.alliance, world.qingxi))
    assert (lead.alliance, lead.institution, lead.county) == (world.alliance, world.lead, world.qingxi)
    assert (outsider.alliance, outsider.institution) == (None, world.outsider)
    assert (alliance.alliance, alliance.institution, county.alliance) == (world.alliance, None, None)
    assert set(PlaceMonth.objects.visible_to(world.hospital).values_list("place", flat=True)) == {
        ref_of(place).key for place in (world.alliance, world.lead, world.township, world.village)
    }
    assert not PlaceMonth.objects.visible_to(world.stranger_officer).exists()


def test_superseded_facts_change_that_month_only_and_the_old_version_stays_readable(world):
    with time_machine.travel(APRIL_1, tick=False):
        for month in (FEBRUARY, MARCH):
            facts(world, month)
            compute_county_month(world.qingxi, month)
    with time_machine.travel(MAY_1, tick=False):
        late = [row("100.00", institution="", institution_area="360000", care_location="province", outflow_kind="referred")]
        record_factset(None, world.qingxi, MARCH, qingxi_rows() + late, "table", reason="迟到明细")
        outcome = compute_county_month(world.qingxi, MARCH)
    assert outcome.written == 3 and outcome.unchanged == 9  # the county's two rows name their facts; one alliance row moved
    old, new = versions(world.alliance)
    assert (old.current, new.current, new.version) == (False, True, 2)
    assert new.charged - old.charged == D("99.00")
    assert new.reason == "月度事实第 2 版（迟到明细）更新"
    assert len(versions(world.lead)) == 1 and len(versions(world.alliance, month=FEBRUARY)) == 1
    ref, span = ref_of(world.alliance), Span.month(MARCH)

    def charged(known_at=None):
        found = figures([ref], [span], ["spending_growth"], ["RES"], known_at=known_at)
        return found[(ref.key, "RES", span)]["spending_growth"].reading.volume

    assert (charged(), charged(APRIL_1), charged(MAY_1)) == (new.charged, old.charged, new.charged)


def test_a_kill_in_the_middle_leaves_nothing_half(world, monkeypatch):
    facts(world)
    compute_county_month(world.qingxi, MARCH)
    before = list(PlaceMonth.objects.order_by("pk").values_list("pk", "current"))
    facts(world, scale=2)

    def die(*_args, **_given):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(computing, "record", die)
        with pytest.raises(KeyboardInterrupt):
            compute_county_month(world.qingxi, MARCH)
    assert list(PlaceMonth.objects.order_by("pk").values_list("pk", "current")) == before
    compute_county_month(world.qingxi, MARCH)
    once, twice = versions(world.alliance)
    assert (once.current, twice.current, once.charged, twice.charged) == (False, True, D("104478.51"), D("208957.01"))


def test_a_kill_between_the_county_and_the_city_is_made_good_by_the_next_run(world, monkeypatch):
    for make, county in ((facts, world.qingxi), (sister_facts, world.yunling)):
        make(world)
        compute_county_month(county, MARCH)
    facts(world, scale=2)

    def die(*_args, **_given):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(computing, "compute_city_month", die)
        with pytest.raises(KeyboardInterrupt):
            compute_county_month(world.qingxi, MARCH)
    assert stored(world.qingxi).version == 2 and stored(world.area).version == 1
    assert compute_county_month(world.qingxi, MARCH).written == 2  # the city's two rows; nothing of the county
    assert stored(world.area).charged == stored(world.qingxi).charged + stored(world.yunling).charged


def test_facts_replaced_while_they_are_read_are_read_again(world, monkeypatch):
    facts(world)
    gather = computing.gather
    calls = []

    def interrupted(county, month):
        found = gather(county, month)
        calls.append(found.held.factset)
        if len(calls) == 1:
            facts(world, scale=2)
        return found

    monkeypatch.setattr(computing, "gather", interrupted)
    compute_county_month(world.qingxi, MARCH)
    assert len(calls) == 2 and stored(world.qingxi).factset_id == calls[1] and len(versions(world.qingxi)) == 1


def test_queries_do_not_grow_with_the_institutions(world):
    def queries(month):
        with CaptureQueriesContext(connection) as found:
            compute_county_month(world.qingxi, month)
        return sum(query["sql"].startswith("SELECT") for query in found.captured_queries)

    april, may = MARCH.next(), MARCH.next().next()
    for month in (MARCH, april):
        facts(world, month)
        few = queries(month)
    more = []
    for number in range(120):
        code = f"H9901019{number:04}"
        place = Institution.objects.create(county=world.qingxi, code=code, name=f"村卫生室{number}", kind="village")
        Membership.objects.create(alliance=world.alliance, institution=place, valid_from=date(2020, 1, 1))
        more.append(row("10.00", institution=code, visit_type="outpatient"))
    record_factset(None, world.qingxi, may, qingxi_rows() + more, "table")
    assert queries(may) == few
    assert PlaceMonth.objects.filter(kind=PlaceKind.INSTITUTION, month=5).count() == 2 * 124


def test_an_institution_that_changed_alliance_mid_year_belongs_where_it_was_each_month(world):
    Membership.objects.filter(institution=world.east_lead).update(valid_to=date(2026, 3, 15))
    Membership.objects.create(alliance=world.west, institution=world.east_lead, valid_from=date(2026, 3, 16))
    for month in (FEBRUARY, MARCH):
        sister_facts(world, month)
        compute_county_month(world.yunling, month)
    before, after = stored(world.east_lead, month=FEBRUARY), stored(world.east_lead)
    assert (before.alliance, after.alliance) == (world.east, world.west)
    assert before.charged == after.charged  # what was done there stays where it was done


def test_an_institution_without_a_case_this_month_has_zeros_and_no_gap(world):
    facts(world, FEBRUARY)
    compute_county_month(world.qingxi, FEBRUARY)
    rows = [one for one in qingxi_rows() if one.institution not in (TOWNSHIP, OUTSIDER)]
    record_factset(None, world.qingxi, MARCH, rows, "table")
    compute_county_month(world.qingxi, MARCH)
    for place in (world.township, world.outsider):
        assert stored(place).charged == 0 and stored(place).discharges == 0 and stored(place).fund_all is None


def test_a_month_of_reversals_is_negative_and_its_quotients_say_why_they_have_no_value(world):
    record_factset(None, world.qingxi, MARCH, [row("-500.00", settlements=-2, discharges=-2, bed_days=-9)], "table")
    compute_county_month(world.qingxi, MARCH)
    mine = stored(world.alliance)
    assert (mine.charged, mine.discharges) == (D("-495.00"), -2)
    ref, span = ref_of(world.alliance), Span.month(MARCH)
    found = figures([ref], [span], ["inpatient_average"], ["RES"])[(ref.key, "RES", span)]["inpatient_average"]
    assert found.value is None and "冲销大于发生" in found.missing


def test_sister_alliances_are_charged_for_their_own_insured_wherever_treated(world):
    sister_facts(world)
    compute_county_month(world.yunling, MARCH)
    east, west, county = map(stored, (world.east, world.west, world.yunling))
    assert east.charged == D("36630.00")  # (30000 + 7000) × 99 %
    assert west.charged == D("28215.00")  # (20000 + 2500 + 6000) × 99 %
    assert county.charged == east.charged + west.charged
    assert east.fund_in_alliance == D("29700.00") and east.fund_in_county == D("36630.00")
    assert stored(world.east_lead).charged == D("32175.00")  # 30000 + 2500, and nobody's 1000 are not packaged


def test_a_month_known_by_late_claims_only_stays_marked(world):
    facts(world, declared=False)
    compute_county_month(world.qingxi, MARCH)
    assert not stored(world.alliance).declared
    ref, span = ref_of(world.alliance), Span.month(MARCH)
    found = figures([ref], [span], ["inpatient_average"], ["RES"])[(ref.key, "RES", span)]["inpatient_average"]
    assert found.value is None and found.missing_months == (MARCH,)


def test_a_month_without_facts_and_reports_writes_nothing_and_says_so(world):
    outcome = compute_county_month(world.qingxi, MARCH)
    assert outcome.written == 0 and "没有月度数据和基金月报" in outcome.text
    assert not PlaceMonth.objects.exists()


def test_a_report_without_facts_gives_the_funds_own_bases_and_leaves_the_others_blank(world):
    report(world.qingxi)
    compute_county_month(world.qingxi, MARCH)
    county = stored(world.qingxi)
    assert (county.insured, county.balance, county.declared) == (540_001, D("500000.00"), False)
    assert county.charged is None and county.fund_spending is None and county.factset is None
    assert not PlaceMonth.objects.filter(kind=PlaceKind.INSTITUTION).exists()


def test_a_city_waits_for_its_last_county_and_says_which(world):
    facts(world)
    outcome = compute_county_month(world.qingxi, MARCH)
    assert "全市合计尚缺 云岭县" in outcome.text
    assert not PlaceMonth.objects.filter(kind=PlaceKind.CITY).exists()
    sister_facts(world, MARCH)
    assert "全市合计已更新" in compute_county_month(world.yunling, MARCH).text
    assert stored(world.area).declared


def test_a_stock_that_one_county_does_not_know_is_not_known_for_the_city(world):
    facts(world)
    sister_facts(world)
    report(world.qingxi)
    for county in (world.qingxi, world.yunling):
        compute_county_month(county, MARCH)
    assert stored(world.area).insured is None
    report(world.yunling, insured_heads=100)
    compute_county_month(world.yunling, MARCH)
    assert stored(world.area).insured == 540_101 and stored(world.area).balance == D("1000000.00")
    assert stored(world.area).version == 2


def test_data_of_the_city_reach_as_far_as_those_of_its_last_county(world):
    facts(world, data_to=date(2026, 3, 20))
    sister_facts(world)
    for county in (world.qingxi, world.yunling):
        compute_county_month(county, MARCH)
    assert stored(world.area).data_to == date(2026, 3, 20)


def test_another_package_scope_moves_what_was_charged_and_says_so(world):
    facts(world)
    compute_county_month(world.qingxi, MARCH)
    before = stored(world.alliance).charged
    package(world, out_of_county_care=False)
    compute_county_month(world.qingxi, MARCH)
    after = stored(world.alliance)
    assert before - after.charged == D("31680.00")  # (20000 + 8000 + 4000) × 99 %
    assert after.package == D("1200000.00") and after.reason == "月度事实更新、打包预算或预付更新"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE monitoring_placemonth SET charged = 1",
        "UPDATE monitoring_placemonth SET insured = 1",
        "UPDATE monitoring_placemonth SET reason = 'x'",
        "DELETE FROM monitoring_placemonth",
    ],
)
def test_the_database_refuses_to_change_or_delete_a_figure(world, statement):
    facts(world)
    compute_county_month(world.qingxi, MARCH)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_version_that_was_replaced_never_becomes_current_again(world):
    facts(world)
    compute_county_month(world.qingxi, MARCH)
    facts(world, scale=2)
    compute_county_month(world.qingxi, MARCH)
    old = versions(world.alliance)[0]
    PlaceMonth.objects.filter(place=old.place, current=True).update(current=False)
    with pytest.raises(DatabaseError), transaction.atomic():
        PlaceMonth.objects.filter(pk=old.pk).update(current=True)


def test_months_are_kept_apart_by_fund_type(world):
    facts(world)
    compute_county_month(world.qingxi, MARCH)
    assert stored(world.alliance, "EMP").charged == D("5841.00")  # (5000 + 900) × 99 %; maternity of 700 is not packaged
    assert stored(world.alliance).charged == stored(world.qingxi).charged != stored(world.alliance, "EMP").charged
    assert Month(2026, 3) == stored(world.alliance).period
