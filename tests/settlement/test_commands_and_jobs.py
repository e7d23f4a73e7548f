"""``manage.py settle`` and the year's batch: drafts only, all obstacles told, run twice or killed they finish once."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from core import jobs
from core.models import Job, Notice, TrailEvent
from settlement import services
from settlement.jobs import ALLIANCE_JOB, REMIND_JOB, YEAR_JOB, enqueue_reminders
from settlement.models import Computation, SettlementVersion
from tests.settlement import ground
from tests.settlement.ground import YEAR, D


@pytest.fixture
def world(surplus_world, db):
    return surplus_world


def settle(*options):
    out = StringIO()
    refusal = ""
    try:
        call_command("settle", *options, stdout=out)
    except CommandError as error:
        refusal = str(error)
    return out.getvalue(), refusal


def test_settle_refreshes_the_draft_and_says_in_json_what_the_other_fund_lacks(world):
    told, refusal = settle("--alliance=QX", f"--year={YEAR}", "--json")
    resident, employee = json.loads(told)["settlements"]
    assert (resident["outcome"], resident["state"]) == ("unchanged", "draft")
    assert D(resident["result"]["cash"]) == D("207000000.00") and resident["problems"] == []
    assert employee["outcome"] == "refused" and employee["problems"][0]["field"] == "package"
    assert "不能起草" in refusal


def test_settle_approves_nothing_and_a_second_run_changes_nothing(world):
    before = (Computation.objects.count(), TrailEvent.objects.count())
    settle("--alliance=QX", f"--year={YEAR}")
    settle("--alliance=QX", f"--year={YEAR}")
    assert (Computation.objects.count(), TrailEvent.objects.count()) == before
    assert set(SettlementVersion.objects.values_list("state", flat=True)) == {"draft"}


def test_settle_leaves_a_final_year_as_it_is(world):
    ground.final(world, ground.the_draft(world))
    told, _refusal = settle("--alliance=QX", f"--year={YEAR}", "--json")
    resident = json.loads(told)["settlements"][0]
    assert (resident["outcome"], resident["state"]) == ("kept", "final")


def test_settle_names_the_known_alliances_and_accounts(world):
    assert "QX" in settle("--alliance=NOWHERE", f"--year={YEAR}")[1]
    assert "没有账号" in settle("--alliance=QX", f"--year={YEAR}", "--user=ghost")[1]


def test_settle_in_the_name_of_an_officer_makes_her_the_one_who_prepared(world):
    ground.month_facts(world, ground.Month(YEAR, 12), "16250000.00", "7600000.00")
    settle("--alliance=QX", f"--year={YEAR}", "--user=second_officer")
    assert ground.the_draft(world).prepared_by == world.second_officer


def run_all(job):
    jobs.run_now(job)
    for child in job.children.all():
        jobs.run_now(child)


def batch(world, client_of, year=YEAR):
    answer = client_of(world.officer).post(reverse("settlement:draft-year"), {"year": str(year)})
    assert answer.status_code == 302
    return Job.objects.get(name=YEAR_JOB)


def test_the_years_batch_has_one_child_an_alliance_and_one_failing_stops_no_other(world, client_of):
    ground.month_facts(world, ground.Month(YEAR, 12), "16250000.00", "7600000.00")
    job = batch(world, client_of)
    run_all(job)
    children = {child.scope: child for child in job.children.all()}
    assert set(children) == {"QX", "YL-E", "YL-W"}
    assert all(child.state == "done" for child in children.values())
    assert "已重新计算" in children["QX"].outcome and "没有已审定的打包总额" in children["YL-E"].outcome
    page = client_of(world.officer).get("/settlement/?year=2025").content.decode()
    assert "批量起草" in page and "已重新计算" in page


def test_the_batch_pressed_twice_is_one_job_and_only_officers_may_press_it(world, client_of):
    first = batch(world, client_of)
    assert batch(world, client_of).pk == first.pk
    assert client_of(world.reviewer).post(reverse("settlement:draft-year"), {"year": "2025"}).status_code == 403


def test_a_batch_killed_after_its_first_draft_is_finished_once_when_run_again(world, client_of, monkeypatch):
    ground.month_facts(world, ground.Month(YEAR, 12), "16250000.00", "7600000.00")
    job = batch(world, client_of)
    jobs.run_now(job)
    child = job.children.get(scope="QX")
    real = jobs.JobRun.progress

    def killed(self, done, total, text=""):
        raise KeyboardInterrupt

    monkeypatch.setattr(jobs.JobRun, "progress", killed)
    with pytest.raises(KeyboardInterrupt):
        jobs.run_now(child)
    assert Computation.objects.count() == 2
    monkeypatch.setattr(jobs.JobRun, "progress", real)
    jobs.requeue_all_running()
    done = jobs.run_now(Job.objects.get(pk=child.pk))
    assert done.state == "done" and "没有变化" in done.outcome
    assert Computation.objects.count() == 2 and ground.the_draft(world).changes.count() == 2


def test_an_unanswered_statement_is_reminded_of_once_and_never_taken_as_consent(world):
    version = ground.sent(world, ground.the_draft(world))
    enqueue_reminders()
    assert not Job.objects.filter(name=REMIND_JOB).exists()
    SettlementVersion.objects.filter(pk=version.pk).update(confirm_by="2026-01-05")
    Notice.objects.all().delete()
    enqueue_reminders()
    jobs.run_now(Job.objects.get(name=REMIND_JOB))
    enqueue_reminders()
    assert Job.objects.filter(name=REMIND_JOB).count() == 1
    assert Notice.objects.filter(user=world.hospital, text__contains="不视为同意").count() == 1
    version.refresh_from_db()
    assert version.state == "sent" and version.reminded_on == timezone.localdate()


def test_the_alliances_child_refuses_an_actor_without_the_post(world):
    job = jobs.enqueue(
        ALLIANCE_JOB, scope="QX", period=str(YEAR), params={"alliance": "QX"}, actor=world.observer, place=world.alliance
    )
    done = jobs.run_now(job)
    assert done.state == "failed" and "岗位" in done.outcome


def test_home_tells_each_person_what_waits_for_her(world):
    from settlement.todos import badge, search, todos

    version = ground.the_draft(world)
    assert [todo.title for todo in todos(world.reviewer)] == [f"复核清算单：{version.settlement}"]
    assert todos(world.officer) == [] == todos(world.hospital) and badge(world.reviewer) == 1
    ground.sent(world, version)
    waiting = todos(world.hospital)[0]
    assert waiting.verb == "确认" and waiting.due is not None and waiting.amount == D("207000000.00")
    assert todos(world.sister_hospital) == [] and badge(world.hospital) == 1
    services.confirm(world.hospital, version)
    assert "审定" in todos(world.reviewer)[0].title
    services.finalise(world.reviewer, version)
    assert [todo.title for todo in todos(world.finance)] == [f"支付或结清清算款：{version.settlement}"]
    assert todos(world.officer) == [] == todos(world.reviewer)
    assert [hit.kind for hit in search(world.officer, "清-2025-QX-居民")] == ["年度清算"]
    assert search(world.sister_hospital, "青溪") == [] and search(world.officer, "青溪 职工") == []


def test_a_draft_that_lacks_a_decision_does_not_wait_for_the_reviewer(world):
    from settlement.todos import todos

    for month in range(1, 13):
        ground.month_facts(world, ground.Month(YEAR, month), "18666666.66", "8333333.33")
    services.refresh(world.officer, ground.the_draft(world))
    assert todos(world.reviewer) == []


def test_home_leads_a_recovery_from_the_plan_to_its_last_instalment(world):
    from rules.periods import Month
    from settlement.todos import todos

    for month in range(1, 13):
        ground.month_facts(world, ground.Month(YEAR, month), "83333.33", "23666666.67")
    ground.prepaid(world, 1)
    version = ground.final(world, ground.drafted(world))
    assert "提出追回方案" in todos(world.officer)[0].title and todos(world.finance) == []
    plan = services.propose_order(world.officer, version, 2, Month.of(timezone.localdate()))
    assert "批准追回方案" in todos(world.reviewer)[0].title and todos(world.officer) == []
    services.approve_recovery(world.reviewer, plan)
    assert "第 1 期" in todos(world.finance)[0].title
    services.record_recovery(world.finance, plan.instalments.first(), timezone.localdate(), "YH1")
    assert "第 2 期" in todos(world.finance)[0].title
