"""Two people, or two workers, at the same act in the same moment: one does it, the other is told; never both."""

import threading
from collections import Counter

import pytest
from django.db import connection, transaction
from django.utils import timezone

from budgets.models import Prepayment, PrepaymentBatch
from claims.models import ClaimsImport, FactSet, LakeFile
from core import jobs
from core.errors import Conflict
from core.models import County, Job, TrailEvent
from core.models.jobs import JobState
from core.registries import verifications
from core.trail import record, verify_chains
from ledger.models import Entry
from settlement import services
from settlement.models import Booking, Computation, SettlementVersion
from tests.budgets import ground as budgets
from tests.claims.extracts import claim, received
from tests.settlement import ground
from tests.together import PATIENCE, at_once
from tests.world import build_world


@pytest.fixture
def world(transactional_db, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    return build_world()


@pytest.fixture
def silent(monkeypatch):
    """Nobody is woken: the test itself runs the jobs."""
    monkeypatch.setattr(jobs, "_wake", lambda _pk: None)


def kinds(results):
    return Counter(type(result).__name__ for result in results)


def found_wrong():
    return [f"{finding.where}：{finding.text}" for _name, check in verifications for finding in check()]


def trail_of(action):
    return TrailEvent.objects.filter(action=action).count()


def test_two_reviewers_review_a_statement_and_one_is_told(world):
    version = ground.surplus_ready(world)
    told = at_once(
        lambda: services.review(world.reviewer, version), lambda: services.review(world.second_reviewer, version)
    )
    assert kinds(told) == {"SettlementVersion": 1, "Conflict": 1}
    assert trail_of("settlement.review") == 1
    assert found_wrong() == []


def test_two_reviewers_finalise_a_statement_and_it_is_posted_once(world):
    version = ground.confirmed(world, ground.surplus_ready(world, months=1))
    before = Entry.objects.count()
    told = at_once(
        lambda: services.finalise(world.reviewer, version), lambda: services.finalise(world.second_reviewer, version)
    )
    assert kinds(told) == {"SettlementVersion": 1, "Conflict": 1}
    assert Entry.objects.count() == before + 1
    assert found_wrong() == []


def test_two_receipts_of_one_settlement_payment_are_booked_once(world):
    version = ground.final(world, ground.surplus_ready(world, months=1))

    def pay(reference):
        return lambda: services.pay(world.finance, version, timezone.localdate(), reference)

    told = at_once(pay("YH-1"), pay("YH-2"))
    assert kinds(told) == {"Booking": 1, "Conflict": 1}
    assert Booking.objects.count() == 1
    assert found_wrong() == []


def test_the_hospital_confirms_while_the_bureau_withdraws_and_one_is_told(world):
    version = ground.sent(world, ground.surplus_ready(world))
    told = at_once(
        lambda: services.confirm(world.hospital, version),
        lambda: services.withdraw(world.officer, version, "数据须补充核对"),
    )
    assert kinds(told) == {"SettlementVersion": 1, "Conflict": 1}
    held = SettlementVersion.objects.get()
    assert held.changes.order_by("-pk").first().target == held.state
    assert found_wrong() == []


def test_two_officers_drafting_one_year_get_one_draft(world):
    ground.package(world)
    ground.facts(world, "195000000.00", "90000000.00")
    told = at_once(
        lambda: services.draft(world.officer, world.alliance, ground.YEAR, "RES"),
        lambda: services.draft(world.second_officer, world.alliance, ground.YEAR, "RES"),
    )
    assert sorted(outcome.done for outcome in told) == ["created", "unchanged"]
    assert Computation.objects.count() == 1
    assert found_wrong() == []


def test_two_month_ends_at_once_are_one(world, silent):
    budgets.approved(world)
    first, second = at_once(*[lambda: jobs.enqueue("month_end", period="2026-01", actor=world.officer)] * 2)
    assert first == second

    def work():
        for pk in Job.objects.filter(state=JobState.QUEUED).order_by("pk").values_list("pk", flat=True):
            jobs.run(pk)

    at_once(work, work)
    at_once(work, work)  # the children of the first round
    at_once(work, work)  # what the last of them asked for: the city's report
    assert set(Job.objects.values_list("state", "attempts")) == {(JobState.DONE, 1)}
    assert PrepaymentBatch.objects.count() == Prepayment.objects.count() == 1
    assert found_wrong() == []


def test_two_uploads_of_one_file_at_once_are_one_import(world, silent):
    rows = [claim(number) for number in range(1, 21)]
    told = at_once(lambda: received(world, rows), lambda: received(world, rows, actor=world.second_officer))
    assert kinds(told) == {"ClaimsImport": 1, "Conflict": 1}
    [conflict] = [result for result in told if isinstance(result, Conflict)]
    assert "同一份文件" in str(conflict)
    job = Job.objects.get()
    at_once(lambda: jobs.run(job.pk), lambda: jobs.run(job.pk))
    assert ClaimsImport.objects.get().state == "accepted"
    assert (LakeFile.objects.count(), FactSet.objects.count()) == (1, 1)
    assert found_wrong() == []


def test_two_extracts_of_one_month_at_once_never_count_a_settlement_twice(world, silent):
    first = received(world, [claim(number) for number in range(1, 21)])
    second = received(world, [claim(number) for number in range(11, 31)], actor=world.second_officer)
    at_once(lambda: jobs.run(first.job_id), lambda: jobs.run(second.job_id))
    states = Counter(ClaimsImport.objects.values_list("state", flat=True))
    assert states == {"accepted": 1, "awaiting_decision": 1}
    assert FactSet.objects.current().get().settlements == 20
    assert found_wrong() == []


def test_an_act_on_a_county_and_one_that_only_refers_to_it_do_not_block_each_other(world):
    """The first holds the county and wants the trail; the second holds the trail and, at its end, refers to the county."""
    county_held, trail_held = threading.Event(), threading.Event()

    def act_on_the_county():
        with transaction.atomic():
            locked = County.objects.select_for_update(no_key=True).get(pk=world.qingxi.pk)
            county_held.set()
            trail_held.wait(timeout=PATIENCE if connection.vendor == "postgresql" else 0)
            record(world.officer, "claims.import", locked, "入库")

    def act_elsewhere():
        county_held.wait(timeout=PATIENCE)
        with transaction.atomic():
            record(world.officer, "claims.import", world.qingxi, "填报")
            trail_held.set()

    assert at_once(act_on_the_county, act_elsewhere) == [None, None]
    assert verify_chains() == []
