"""kill -9 at every commit point of an import, a month end, a settlement, a quarter: the next worker finishes it, once."""

import signal

import pytest
from django.db import connection, transaction

from budgets.models import Prepayment, PrepaymentBatch
from claims.models import ClaimsImport, FactSet, LakeFile, MonthlyFact, OpenReject
from core import triggers
from core.jobs import enqueue
from core.models import Job, Notice, TrailEvent
from core.models.jobs import JobState
from core.registries import verifications
from ledger.models import Entry
from settlement.jobs import enqueue_year
from settlement.models import Computation, SettlementVersion
from submissions.models import Assignment, Finding, Submission, SubmissionChange
from tests.budgets import ground as budgets
from tests.claims.extracts import claim, in_month, received
from tests.crash.worker import run_worker
from tests.settlement import ground as settlements
from tests.submissions import ground as tables
from tests.world import build_world

SURROUNDINGS = {"django_migrations", "django_content_type", "auth_permission"}


def an_import(world):
    """Two months, a bad row, a late row of a month before."""
    rows = [in_month(number, f"2026-0{8 + number % 2}") for number in range(1, 41)]
    rows += [claim(90, visit_type="99"), in_month(91, "2026-07")]
    received(world, rows, "2026-08", "2026-09")


def a_month_end(world):
    """January on an approved package."""
    budgets.approved(world)
    enqueue("month_end", period="2026-01", actor=world.officer)


def a_settlement(world):
    """A year with package, facts and paid prepayments, whose statements the job drafts."""
    settlements.package(world)
    settlements.facts(world, "195000000.00", "90000000.00")
    settlements.prepaid(world, 1)
    enqueue_year(world.officer, settlements.YEAR)


def a_quarter(world):
    """An uploaded table with an error in it to be checked, and the next quarter's assignments to be made."""
    tables.received(world, tables.assignment(world), tables.typed("RES", "3", 1))
    enqueue("submissions.assign", period="2026Q4")


def everything_done():
    """What the finished work left, without the numbers of rows."""
    return {
        "jobs": sorted(Job.objects.values_list("name", "period", "state")),
        "trail": sorted(TrailEvent.objects.values_list("action", flat=True)),
        "notices": sorted(Notice.objects.values_list("user__username", flat=True)),
        "imports": list(ClaimsImport.objects.values_list("state", "rows_good", "rows_bad", "rows_late", "good_pooled")),
        "lake": sorted(LakeFile.objects.values_list("year", "month", "rows", "pooled_fund_paid", "live")),
        "factsets": sorted(FactSet.objects.values_list("year", "month", "version", "current", "pooled_fund_paid")),
        "facts": MonthlyFact.objects.count(),
        "rejects": sorted(OpenReject.objects.values_list("year", "month", "rows", "pooled_fund_paid")),
        "batches": sorted(PrepaymentBatch.objects.values_list("month", "sequence", "state")),
        "prepayments": sorted(Prepayment.objects.values_list("alliance__code", "fund_type", "month", "amount")),
        "versions": sorted(SettlementVersion.objects.values_list("settlement__fund_type", "number", "state")),
        "computations": sorted(Computation.objects.values_list("number", "charged", "cash")),
        "entries": Entry.written.count(),
        "assignments": sorted(Assignment.objects.values_list("alliance__code", "period", "state")),
        "tables": list(Submission.objects.values_list("number", "state", "cells_read", "answer__name")),
        "findings": sorted(Finding.objects.values_list("number", "code", "cell")),
        "acts": sorted(SubmissionChange.objects.values_list("act", "target")),
    }


def found_wrong():
    return [f"{finding.where}：{finding.text}" for _name, check in verifications for finding in check()]


def lake_files(data_dir):
    return sorted(path.name for path in (data_dir / "lake").rglob("*.parquet"))


def empty_every_table():
    """Faster than a flush; the numbers of rows go on."""
    with transaction.atomic(), triggers.lifted(), connection.cursor() as cursor:
        for table in set(connection.introspection.django_table_names(only_existing=True)) - SURROUNDINGS:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")
        connection.check_constraints()


@pytest.fixture
def data_dir(tmp_path, settings):
    settings.DATA_DIR = tmp_path
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(("story", "points"), [(an_import, 12), (a_month_end, 20), (a_settlement, 12), (a_quarter, 8)])
def test_a_worker_killed_at_any_commit_point_is_followed_by_one_that_finishes_once(
    story, points, transactional_db, data_dir, settings, tmp_path
):
    database = str(connection.settings_dict["NAME"])
    outcomes = {}
    die_at, ended = 0, -signal.SIGKILL
    while ended == -signal.SIGKILL:
        die_at += 1
        settings.DATA_DIR = tmp_path / str(die_at)
        settings.DATA_DIR.mkdir()
        story(build_world())
        connection.close()
        ended = run_worker(database, settings.DATA_DIR, die_at)
        if ended == -signal.SIGKILL:
            assert run_worker(database, settings.DATA_DIR) == 0
        outcomes[die_at] = everything_done(), found_wrong(), lake_files(settings.DATA_DIR)
        empty_every_table()
    assert ended == 0
    assert die_at > points, "the work has fewer commit points than it had: are they still seen?"
    undisturbed, wrong, files = outcomes.pop(die_at)
    assert wrong == []
    assert {state for _name, _period, state in undisturbed["jobs"]} == {JobState.DONE}
    for point, (done, wrong, there) in outcomes.items():
        assert (done, wrong) == (undisturbed, []), f"killed at commit point {point}"
        assert len(there) == len(files), f"killed at commit point {point}"
