"""Late rows, corrected extracts and other sources: which month gets a new version, what is shown before, what stays."""

from decimal import Decimal

import pytest

from claims import reading
from claims.models import FactSet, LakeFile, OpenReject
from claims.services import accept_import, record_factset
from core.models import Job
from rules.periods import Month
from tests.claims.extracts import accepted, claim, imported, in_month, received, run
from tests.claims.facts import fact

D = Decimal
JULY, AUGUST, SEPTEMBER, OCTOBER = (Month(2026, number) for number in (7, 8, 9, 10))
QUARTER = [in_month(n + 100 * m, f"2026-{m:02d}") for m in (7, 8, 9) for n in range(20)]


def versions(month):
    sets = FactSet.objects.filter(year=month.year, month=month.month).order_by("version")
    return [(each.version, each.current, each.settlements) for each in sets]


def test_late_rows_make_a_new_version_of_their_month_only(world):
    imported(world, QUARTER, "2026-07", "2026-09")
    october = [in_month(1000 + n, "2026-10") for n in range(20)]
    found = imported(world, [*october, in_month(2000, "2026-08"), in_month(2001, "2026-08")], "2026-10")
    assert (found.state, found.rows_late, found.late_pooled) == ("accepted", 2, D("1200.00"))
    assert versions(JULY) == [(1, True, 20)]
    assert versions(AUGUST) == [(1, False, 20), (2, True, 22)]
    assert versions(SEPTEMBER) == [(1, True, 20)]
    assert versions(OCTOBER) == [(1, True, 20)]
    late = FactSet.objects.get(month=8, current=True)
    assert late.declared and "迟到" in late.reason
    assert LakeFile.objects.live().filter(month=8).count() == 2


def test_late_rows_of_a_month_never_declared_do_not_make_it_complete(world):
    september = [claim(n) for n in range(20)]
    imported(world, [*september, in_month(500, "2026-06")])
    june = FactSet.objects.get(month=6)
    assert (june.declared, june.settlements) == (False, 1)
    year = reading.fund_year(world.alliance, 2026, "RES")
    assert year.months_present == (SEPTEMBER,)
    assert Month(2026, 6) in year.months_missing


def test_a_corrected_extract_shows_the_difference_and_waits(world):
    former = imported(world, [*QUARTER, in_month(5000, "2026-08", visit_type="99")], "2026-07", "2026-09")
    corrected = [in_month(n + 800, "2026-08") for n in range(22)]
    found = imported(world, corrected, "2026-08")
    assert found.state == "awaiting_decision" and not found.needs_admission
    (line,) = found.difference
    assert (line["month"], line["kind"]) == ("2026-08", "replace")
    assert (line["held_rows"], line["held_pooled"], line["new_rows"], line["new_pooled"]) == (20, "12000.00", 22, "13200.00")
    assert versions(AUGUST) == [(1, True, 20)]
    accept_import(world.officer, found)
    run(found)
    assert found.state == "accepted" and list(found.supersedes.all()) == [former]
    assert versions(AUGUST) == [(1, False, 20), (2, True, 22)]
    assert versions(JULY) == [(1, True, 20)] and versions(SEPTEMBER) == [(1, True, 20)]
    assert set(LakeFile.objects.live().values_list("month", "claims_import_id")) == {
        (7, former.pk), (8, found.pk), (9, former.pk),
    }  # fmt: skip
    assert LakeFile.objects.get(live=False).superseded_by == found


def test_the_rejects_of_a_month_are_closed_by_its_corrected_extract(world):
    former = imported(world, [*QUARTER, in_month(5000, "2026-08", visit_type="99"), in_month(5001, "2026-09", visit_type="99")],
                      "2026-07", "2026-09")  # fmt: skip
    assert former.open_rejects.count() == 2
    found = accepted(world, [in_month(n + 800, "2026-08") for n in range(21)], "2026-08")
    states = dict(OpenReject.objects.values_list("month", "state"))
    assert states == {8: "replaced", 9: "open"}
    assert OpenReject.objects.get(month=8).replaced_by == found


def test_the_former_version_stays_readable_for_what_was_frozen(world):
    imported(world, QUARTER, "2026-07", "2026-09")
    before = reading.fund_year(world.alliance, 2026, "RES")
    accepted(world, [in_month(n + 800, "2026-08", pooled_fund_paid="500.00", cash_paid="500.00") for n in range(20)], "2026-08")
    assert reading.fund_year(world.alliance, 2026, "RES").in_alliance == before.in_alliance - D("2000.00")
    assert reading.fund_year(world.alliance, 2026, "RES", frozen_factsets=before.factsets) == before


def test_a_corrected_extract_takes_the_late_rows_of_the_former_with_it(world):
    september = [claim(n) for n in range(20)]
    imported(world, [*september, in_month(500, "2026-06")])
    accepted(world, [*september, in_month(500, "2026-06", pooled_fund_paid="700.00", cash_paid="300.00")])
    assert FactSet.objects.get(month=6, current=True).pooled_fund_paid == D("700.00")
    assert LakeFile.objects.live().filter(month=6).count() == 1


def test_late_rows_of_other_extracts_survive_a_corrected_one(world):
    imported(world, [claim(n) for n in range(20)])
    imported(world, [*(in_month(n + 100, "2026-10") for n in range(20)), claim(77)], "2026-10")
    found = accepted(world, [claim(n + 300) for n in range(25)])
    assert found.difference[0]["stays_rows"] == 1
    assert versions(SEPTEMBER)[-1] == (3, True, 26)


def test_rows_held_already_are_skipped_and_counted(world):
    imported(world, [claim(n) for n in range(20)])
    found = imported(world, [*(in_month(n + 100, "2026-10") for n in range(20)), claim(3), claim(4)], "2026-10")
    assert (found.state, found.rows_identical, found.rows_late) == ("accepted", 2, 0)
    assert versions(SEPTEMBER) == [(1, True, 20)]


def test_a_row_held_with_other_content_is_rejected(world):
    imported(world, [claim(n) for n in range(20)])
    changed = claim(3, pooled_fund_paid="601.00", cash_paid="399.00")
    found = imported(world, [*(in_month(n + 100, "2026-10") for n in range(30)), changed], "2026-10")
    assert found.findings.get().code == "C03"
    assert versions(SEPTEMBER) == [(1, True, 20)]


def test_claims_take_the_place_of_a_fact_table_once_confirmed(world):
    record_factset(world.officer, world.qingxi, SEPTEMBER, [fact("777.00", settlements=7)], "table")
    found = imported(world, [claim(n) for n in range(20)])
    assert found.state == "awaiting_decision"
    (line,) = found.difference
    assert (line["held_source"], line["held_rows"], line["held_pooled"]) == ("table", 7, "777.00")
    accept_import(world.officer, found)
    run(found)
    current = FactSet.objects.current().get()
    assert (current.source, current.version, current.settlements) == ("claims", 2, 20)


def test_late_rows_are_not_added_to_a_month_of_a_fact_table(world):
    record_factset(world.officer, world.qingxi, AUGUST, [fact("777.00", settlements=7)], "table")
    found = imported(world, [*(claim(n) for n in range(20)), in_month(500, "2026-08")])
    assert found.state == "accepted" and "2026-08" in found.outcome and "未计入" in found.outcome
    assert versions(AUGUST) == [(1, True, 7)]
    assert LakeFile.objects.live().filter(month=8).exists()


def test_a_declared_month_without_a_row_must_be_confirmed(world):
    found = imported(world, [in_month(n + 100 * m, f"2026-{m:02d}") for m in (7, 9) for n in range(20)], "2026-07", "2026-09")
    assert found.state == "awaiting_decision"
    assert [line["kind"] for line in found.difference] == ["new", "empty", "new"]
    accept_import(world.officer, found)
    run(found)
    assert versions(AUGUST) == [(1, True, 0)]
    assert AUGUST in reading.fund_year(world.alliance, 2026, "RES").months_present


def test_an_import_confirmed_after_another_changed_the_lake_is_checked_again(world):
    imported(world, [claim(n) for n in range(20)])
    slow = imported(world, [claim(n + 300) for n in range(21)])
    quick = imported(world, [claim(n + 600) for n in range(22)])
    accept_import(world.officer, quick)
    run(quick)
    accept_import(world.officer, slow)
    run(slow)
    assert quick.state == "accepted" and slow.state == "awaiting_decision"
    assert slow.difference[0]["held_rows"] == 22 and slow.decided_by is None
    accept_import(world.second_officer, slow)
    run(slow)
    assert versions(SEPTEMBER) == [(1, False, 20), (2, False, 22), (3, True, 21)]
    assert LakeFile.objects.live().count() == 1


def test_a_corrected_extract_equal_in_its_sums_keeps_the_version(world):
    rows = [claim(n) for n in range(20)]
    former = imported(world, rows)
    accepted(world, rows[::-1])
    sets = FactSet.objects.order_by("version")
    assert len({each.content for each in sets}) == 1
    assert LakeFile.objects.live().get().claims_import != former


def test_two_imports_of_a_county_run_one_after_the_other_without_a_duplicate(world):
    first = received(world, [claim(n) for n in range(20)])
    second = received(world, [claim(n + 300) for n in range(20)])
    run(second)
    run(first)
    assert {first.state, second.state} == {"accepted", "awaiting_decision"}
    assert Job.objects.filter(state="failed").count() == 0


@pytest.mark.parametrize("measure", ["2026-09", "2026-08"])
def test_a_reversal_takes_its_original_back_in_its_own_month(world, measure):
    imported(world, [in_month(n, "2026-08") for n in range(20)], "2026-08")
    amounts = ("total_cost", "eligible_cost", "pooled_fund_paid", "cash_paid")
    negative = {name: f"-{in_month(5, '2026-08')[name]}" for name in amounts}
    reversal = in_month(5, "2026-09", settlement_id="R1", reversal_of="S000005", **negative)
    found = imported(world, [*(claim(n + 300) for n in range(20)), reversal], "2026-09")
    assert found.rows_bad == 0
    year = reading.fund_year(world.alliance, 2026, "RES", through=Month.parse(measure))
    assert year.in_alliance == {"2026-08": D("12000.00"), "2026-09": D("23400.00")}[measure]
