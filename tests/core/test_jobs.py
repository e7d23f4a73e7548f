"""Long work: queued once, claimed once, requeued after a kill, silent when its time is over."""

import threading
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from core import jobs
from core.access import Denied, NotAllowed
from core.errors import Refused
from core.models import Job
from core.models.jobs import JobState
from core.registries import MonthEndStep, month_end_steps


@pytest.fixture
def woken(monkeypatch):
    """Ids of jobs the broker was told of."""
    from core.tasks import run_job

    found = []
    monkeypatch.setattr(run_job, "delay", found.append)
    return found


@pytest.fixture
def handler():
    """Registers handlers for a test; ``ran`` counts their runs."""
    ran = []

    def register(run=lambda run: "好了", name="tests.work"):
        def counted(job_run):
            ran.append(job_run.job.pk)
            return run(job_run)

        jobs.job(name, label="试做")(counted)
        return ran

    yield register
    for name in [name for name in jobs.handlers if name.startswith("tests.")]:
        del jobs.handlers[name]


def enqueue(**given):
    return jobs.enqueue("tests.work", **given)


def refresh(job):
    job.refresh_from_db()
    return job


def test_a_job_starts_only_when_its_cause_is_committed(db, handler, woken, django_capture_on_commit_callbacks):
    handler()
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        job = enqueue()
        assert woken == []
    assert len(callbacks) == 1
    assert woken == [job.pk]


def test_a_cause_that_is_rolled_back_leaves_no_job(transactional_db, handler, woken):
    handler()
    with pytest.raises(ValueError, match="undone"), transaction.atomic():
        enqueue()
        raise ValueError("undone")
    assert not Job.objects.exists()
    assert woken == []


def test_unfinished_work_of_the_same_scope_and_period_is_not_queued_twice(db, handler, woken):
    handler()
    first = enqueue(scope="QX", period="2026-09")
    assert enqueue(scope="QX", period="2026-09") == first
    assert enqueue(scope="QX", period="2026-10") != first
    assert enqueue(scope="YL", period="2026-09") != first


def test_a_rerun_with_the_same_inputs_does_nothing_and_with_new_inputs_runs(db, handler, woken):
    ran = handler()
    first = jobs.run_now(enqueue(scope="QX", fingerprint="a"))
    assert enqueue(scope="QX", fingerprint="a") == first
    second = jobs.run_now(enqueue(scope="QX", fingerprint="b"))
    again = jobs.run_now(enqueue(scope="QX", fingerprint="a"))
    assert len({first.pk, second.pk, again.pk}) == 3
    assert len(ran) == 3


def test_a_failed_run_may_be_repeated_with_the_same_inputs(db, handler, woken):
    def fail(run):
        raise Refused("数据不全。")

    handler(fail)
    first = jobs.run_now(enqueue(fingerprint="a"))
    assert (first.state, first.outcome) == (JobState.FAILED, "数据不全。")
    assert enqueue(fingerprint="a") != first


def test_a_finished_job_tells_its_outcome_and_full_progress(world, handler, woken):
    def work(run):
        run.progress(1, 4, "第一步")
        held = Job.objects.get(pk=run.job.pk)
        assert (held.percent, held.progress_text, held.state) == (25, "第一步", JobState.RUNNING)
        assert (run.params, run.actor) == ({"a": 1}, world.officer)
        return "处理 4 项。"

    handler(work)
    job = jobs.run_now(enqueue(params={"a": 1}, actor=world.officer, place=world.alliance))
    assert (job.state, job.outcome, job.percent, job.attempts) == (JobState.DONE, "处理 4 项。", 100, 1)
    assert (job.pooling_area, job.county, job.alliance) == (world.area, world.qingxi, world.alliance)
    assert job.finished_at >= job.started_at


def test_a_refusal_of_rights_fails_the_job_with_its_reason(db, handler, woken):
    def fail(run):
        raise NotAllowed(Denied("没有这个岗位。"))

    handler(fail)
    assert jobs.run_now(enqueue()).outcome == "没有这个岗位。"


def test_a_program_error_fails_the_job_without_showing_the_code(db, handler, woken):
    def fail(run):
        raise KeyError("secret_name")

    handler(fail)
    job = jobs.run_now(enqueue())
    assert job.state == JobState.FAILED
    assert f"任务编号 {job.pk}" in job.outcome
    assert "secret_name" not in job.outcome


def test_a_finished_job_is_not_run_again(db, handler, woken):
    ran = handler()
    job = jobs.run_now(enqueue())
    assert jobs.run_now(job) == job
    assert jobs.run(job.pk) is None
    assert len(ran) == 1


def test_one_of_two_workers_gets_the_job(transactional_db, handler, woken):
    ran = handler()
    job = enqueue()
    results = at_once(lambda: jobs.run(job.pk), lambda: jobs.run(job.pk))
    assert sorted(result is None for result in results) == [False, True]
    assert len(ran) == 1


def test_two_people_enqueueing_the_same_work_get_one_job(transactional_db, handler, woken):
    handler()
    found = at_once(*[lambda: enqueue(scope="QX", period="2026-09")] * 4)
    assert len({job.pk for job in found}) == 1
    assert Job.objects.count() == 1


def test_jobs_of_a_killed_worker_run_again_at_the_next_start(db, handler, woken):
    ran = handler()
    job = enqueue()
    Job.objects.filter(pk=job.pk).update(
        state=JobState.RUNNING, attempts=1, created_at=timezone.now() - timedelta(minutes=5)
    )
    assert jobs.requeue_all_running() == 1
    assert woken == [job.pk]
    assert jobs.run(job.pk).state == JobState.DONE
    assert refresh(job).attempts == 2
    assert len(ran) == 1


def test_only_jobs_without_a_fresh_heartbeat_are_taken_as_dead(db, handler, woken):
    handler()
    alive, dead = enqueue(scope="a"), enqueue(scope="b")
    now = timezone.now()
    Job.objects.filter(pk=alive.pk).update(state=JobState.RUNNING, heartbeat_at=now - timedelta(seconds=30))
    Job.objects.filter(pk=dead.pk).update(state=JobState.RUNNING, heartbeat_at=now - timedelta(seconds=90))
    assert jobs.requeue_stale() == 1
    assert (refresh(alive).state, refresh(dead).state) == (JobState.RUNNING, JobState.QUEUED)


def test_a_wake_up_that_was_lost_is_repeated(db, handler, woken):
    handler()
    old, new = enqueue(scope="old"), enqueue(scope="new")
    Job.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(minutes=1))
    jobs.requeue_stale()
    assert woken == [old.pk]
    assert refresh(new).state == JobState.QUEUED


def test_a_job_that_dies_five_times_is_given_up_and_says_so(db, handler, woken):
    handler()
    job = enqueue()
    Job.objects.filter(pk=job.pk).update(state=JobState.RUNNING, attempts=5)
    assert jobs.requeue_all_running() == 0
    assert refresh(job).state == JobState.FAILED
    assert "中断 5 次" in job.outcome


def test_a_run_given_up_as_dead_does_not_overwrite_the_later_attempt(db, handler, woken):
    def slow(run):
        if run.job.attempts == 1:
            Job.objects.filter(pk=run.job.pk).update(heartbeat_at=timezone.now() - timedelta(minutes=5))
            jobs.requeue_stale()
            jobs.run_now(run.job)
            return "第一次"
        return "第二次"

    handler(slow)
    job = enqueue()
    jobs.run_now(job)
    assert (refresh(job).outcome, job.attempts, job.state) == ("第二次", 2, JobState.DONE)


def test_the_month_end_starts_one_child_for_each_alliance(world, woken):
    parent = jobs.run_now(jobs.enqueue("month_end", period="2026-09", actor=world.officer))
    children = Job.objects.filter(parent=parent)
    assert {child.scope for child in children} == {"QX", "YL-E", "YL-W", "LJ"}
    assert "4 个医共体" in parent.outcome


def test_a_failing_alliance_does_not_stop_the_others(world, woken, monkeypatch):
    def step(alliance, month, actor):
        if alliance == world.east:
            raise Refused("缺 2026-08 数据。")
        return f"{alliance.code} {month}"

    monkeypatch.setattr(month_end_steps, "_entries", {"tests": (1, MonthEndStep("试做", step))})
    parent = jobs.run_now(jobs.enqueue("month_end", period="2026-09"))
    done = {child.scope: jobs.run_now(child) for child in parent.children.all()}
    assert done["YL-E"].state == JobState.FAILED
    assert "缺 2026-08 数据" in done["YL-E"].outcome
    assert [done[code].state for code in ("QX", "YL-W", "LJ")] == [JobState.DONE] * 3
    assert done["QX"].outcome == "试做：QX 2026-09"


def test_the_command_runs_a_job_for_one_alliance_and_can_only_tell(world, woken, capsys):
    call_command("run_job", "month_end", "--period", "2026-09", "--alliance", "QX", "--dry-run")
    assert "将运行：月末处理 2026-09 青溪县紧密型县域医共体" in capsys.readouterr().out
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["no_such"], "没有名为“no_such”的任务"), (["month_end", "--alliance", "ZZ"], "没有编号为“ZZ”的医共体")],
)
def test_the_command_refuses_names_it_does_not_know(world, arguments, said):
    with pytest.raises(CommandError, match=said):
        call_command("run_job", *arguments)


def test_every_scheduled_task_exists():
    from django.conf import settings

    from config.celery import app
    from core import tasks  # noqa: F401

    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= set(app.tasks)


def at_once(*acts):
    barrier, results = threading.Barrier(len(acts)), [None] * len(acts)

    def run(place, act):
        try:
            barrier.wait(timeout=20)
            results[place] = act()
        except Exception as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results
