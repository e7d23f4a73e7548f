"""The month's end step by step, killed and repeated; who owes what; closing a month and opening it again."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import jobs
from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.jobs import enqueue, run_now
from core.models import Alliance, Job, Notice, TrailEvent
from core.models.jobs import JobState
from core.registries import MonthEndStep, month_end_steps
from monitoring.models import Period, PeriodChange, PlaceMonth, StepRun
from monitoring.reading import periods as reading
from monitoring.reading.owing import owed
from monitoring.reading.runs import alliance_runs, month_lines
from monitoring.services import periods
from rules.periods import Month

MAY = Month(2026, 5)
REASON = "县里系统停机，资料下月补齐"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel("2026-06-03 09:00:00+08:00", tick=False) as travelled:
        yield travelled


@pytest.fixture(autouse=True)
def _silent(monkeypatch):
    monkeypatch.setattr(jobs, "_wake", lambda job_id: None)


class Steps:
    """Three steps: facts, figures that need them, and one that needs nothing; each remembers what it did."""

    def __init__(self, monkeypatch):
        self.calls: list[str] = []
        self.kept: set[str] = set()
        self.fails: dict[str, BaseException] = {}
        self.inputs = "a" * 64
        entries = {
            "facts": (10, MonthEndStep("数据", self._step("facts"))),
            "figures": (20, MonthEndStep("指标", self._step("figures"), needs=("facts",), inputs=self._inputs)),
            "free": (30, MonthEndStep("预付", self._step("free"))),
        }
        monkeypatch.setattr(month_end_steps, "_entries", entries)

    def _inputs(self, _alliance, _month):
        return self.inputs

    def _step(self, name):
        def run(alliance, month, actor):
            self.calls.append(f"{name} {alliance.code}")
            if name in self.fails and alliance.code == "QX":
                raise self.fails[name]
            self.kept.add(f"{name} {alliance.code} {month}")
            return f"{name}已办"

        return run


@pytest.fixture
def steps(monkeypatch):
    return Steps(monkeypatch)


def run_one(world, alliance=None):
    alliance = alliance or world.alliance
    return run_now(
        enqueue("month_end_alliance", scope=alliance.code, period=str(MAY), params={"alliance": alliance.code}, place=alliance)
    )


def states(alliance):
    rows = StepRun.objects.filter(alliance=alliance, year=2026, month=5)
    return dict(rows.values_list("step", "state"))


def place_month(world, charged, version=1, current=True, at=None):
    return PlaceMonth.objects.create(
        kind="county", place=f"C{world.qingxi.pk}", pooling_area=world.area, county=world.qingxi, fund_type="RES",
        year=2026, month=5, version=version, current=current, inputs="x" * 64, computed_at=at or timezone.now(),
        charged=Decimal(charged), reason="迟到明细" if version > 1 else "",
    )  # fmt: skip


# --- the steps of a run ----------------------------------------------------------------------------------------------


def test_every_step_leaves_its_state_time_and_words(world, steps):
    job = run_one(world)
    row = StepRun.objects.get(alliance=world.alliance, step="figures")
    assert (row.state, row.outcome, row.attempts, row.job_id) == ("done", "figures已办", 1, job.pk)
    assert row.started_at == row.finished_at == timezone.now()
    assert job.state == JobState.DONE
    assert job.outcome == "数据：facts已办\n指标：figures已办\n预付：free已办"


def test_a_failing_step_stops_what_needs_it_and_nothing_else(world, steps):
    steps.fails["facts"] = Refused("缺 2026-05 数据。")
    job = run_one(world)
    assert states(world.alliance) == {"facts": "failed", "figures": "skipped", "free": "done"}
    assert job.state == JobState.FAILED
    assert "缺 2026-05 数据" in job.outcome
    skipped = StepRun.objects.get(alliance=world.alliance, step="figures")
    assert skipped.outcome == "未执行：须先完成“数据”。"
    assert skipped.missing[0] == "青溪县 2026-05 医保结算明细——经办方正"
    assert steps.calls == ["facts QX", "free QX"]


def test_a_program_error_of_one_alliance_leaves_the_others_alone(world, steps):
    steps.fails["figures"] = ZeroDivisionError("boom")
    parent = run_now(enqueue("month_end", period=str(MAY)))
    done = {child.scope: run_now(child) for child in parent.children.all()}
    assert {code: child.state for code, child in done.items()} == {
        "QX": "failed", "YL-E": "done", "YL-W": "done", "LJ": "done",
    }  # fmt: skip
    assert "程序出错" in done["QX"].outcome and "boom" not in done["QX"].outcome
    assert states(world.alliance)["free"] == "done"


@pytest.mark.parametrize("name", ["facts", "figures", "free"])
def test_a_worker_killed_in_any_step_is_followed_by_one_with_the_same_result(world, steps, name):
    steps.fails[name] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        run_one(world)
    assert states(world.alliance)[name] == "running"
    steps.fails.clear()
    jobs.requeue_all_running()
    job = run_now(Job.objects.get(name="month_end_alliance"))
    assert (job.state, job.attempts) == (JobState.DONE, 2)
    assert states(world.alliance) == {"facts": "done", "figures": "done", "free": "done"}
    assert steps.kept == {f"{step} QX 2026-05" for step in ("facts", "figures", "free")}
    assert job.outcome == "数据：facts已办\n指标：figures已办\n预付：free已办"


def test_a_rerun_does_not_repeat_a_done_step_with_the_same_inputs(world, steps):
    run_one(world)
    run_one(world)
    assert steps.calls.count("figures QX") == 1
    assert steps.calls.count("free QX") == 2
    steps.inputs = "b" * 64
    run_one(world)
    assert steps.calls.count("figures QX") == 2
    assert StepRun.objects.get(alliance=world.alliance, step="figures").inputs == "b" * 64


def test_a_rerun_after_a_failure_does_only_what_was_not_done(world, steps):
    steps.fails["free"] = Refused("暂缓。")
    run_one(world)
    steps.fails.clear()
    assert run_one(world).state == JobState.DONE
    assert steps.calls.count("figures QX") == 1
    assert StepRun.objects.get(alliance=world.alliance, step="free").attempts == 2


def test_a_step_whose_digest_cannot_be_made_is_failed_not_the_job(world, steps, monkeypatch):
    def broken(_alliance, _month):
        raise ValueError("no digest")

    entries = dict(month_end_steps._entries)
    entries["figures"] = (20, MonthEndStep("指标", lambda *_: "x", inputs=broken))
    monkeypatch.setattr(month_end_steps, "_entries", entries)
    run_one(world)
    assert states(world.alliance) == {"facts": "done", "figures": "failed", "free": "done"}


# --- starting it -----------------------------------------------------------------------------------------------------


def test_a_county_officer_starts_the_alliances_of_the_county_only(world, steps):
    job = run_now(periods.start_month_end(world.county_officer, MAY))
    assert {child.scope for child in job.children.all()} == {"QX"}
    job = run_now(periods.start_month_end(world.officer, MAY))
    assert {child.scope for child in Job.objects.filter(name="month_end_alliance")} == {"QX", "YL-E", "YL-W"}
    assert TrailEvent.objects.filter(action=periods.RUN).count() == 2


def test_a_month_that_is_not_over_cannot_be_run_or_closed(world, steps):
    for act in (
        lambda: periods.start_month_end(world.officer, Month(2026, 6)),
        lambda: periods.close_period(world.reviewer, world.area, Month(2026, 6), REASON),
    ):
        with pytest.raises(Refused, match="尚未结束"):
            act()
    assert not Job.objects.exists() and not Period.objects.exists()


def test_only_the_officer_starts_and_only_the_reviewer_closes(world, steps):
    with pytest.raises(NotAllowed, match="基金经办"):
        periods.start_month_end(world.reviewer, MAY, world.alliance)
    with pytest.raises(NotAllowed, match="基金复核"):
        periods.close_period(world.officer, world.area, MAY, REASON)
    with pytest.raises(NotAllowed):
        periods.close_period(world.stranger_reviewer, world.area, MAY, REASON)


def test_a_manual_run_of_one_city_does_not_keep_the_clock_from_starting_the_others(world, steps):
    from core.handlers import look_for_month_end

    run_now(periods.start_month_end(world.officer, MAY))
    Job.objects.update(state="done")
    look_for_month_end()
    assert Job.objects.filter(name="month_end", scope="", period="2026-05").count() == 1


# --- closing and opening again ---------------------------------------------------------------------------------------


def run_all(world):
    for alliance in (world.alliance, world.east, world.west):
        run_one(world, alliance)


def test_a_month_with_every_step_done_is_closed_without_a_reason(world, steps):
    run_all(world)
    period = periods.close_period(world.reviewer, world.area, MAY)
    assert period.is_closed and reading.is_closed(world.area.pk, MAY)
    assert not reading.is_closed(world.area.pk, Month(2026, 4))
    assert not reading.is_closed(world.foreign_area.pk, MAY)
    assert reading.closed_months(world.area.pk) == {MAY}
    assert Notice.objects.filter(user=world.officer, text__contains="已结账").exists()
    with pytest.raises(Conflict, match="何劲松结账"):
        periods.close_period(world.second_reviewer, world.area, MAY)


def test_a_month_with_steps_not_done_needs_a_reason_that_is_kept(world, steps):
    run_one(world)
    with pytest.raises(Refused, match="还有 6 项月末步骤未完成"):
        periods.close_period(world.reviewer, world.area, MAY)
    assert not Period.objects.filter(state="closed").exists()
    periods.close_period(world.reviewer, world.area, MAY, REASON)
    change = PeriodChange.objects.get()
    assert (len(change.undone), change.reason) == (6, REASON)
    assert change.undone[0] == "云岭县东部医共体 · 数据（未开始）"


def test_opening_again_needs_a_reason_and_both_acts_stay_told(world, steps):
    periods.close_period(world.reviewer, world.area, MAY, REASON)
    with pytest.raises(Refused, match="没有写明理由"):
        periods.reopen_period(world.reviewer, world.area, MAY, "")
    periods.reopen_period(world.reviewer, world.area, MAY, "数据有误须重算")
    assert not reading.is_closed(world.area.pk, MAY)
    with pytest.raises(Conflict, match="没有结账"):
        periods.reopen_period(world.reviewer, world.area, MAY, "再开一次试试")
    assert list(PeriodChange.objects.values_list("act", flat=True)) == ["close", "reopen"]
    assert TrailEvent.objects.filter(action__in=[periods.CLOSE, periods.REOPEN]).count() == 2


def test_a_step_run_on_a_closed_month_says_so_and_the_reason_too(world, steps):
    run_all(world)
    periods.close_period(world.reviewer, world.area, MAY)
    assert reading.closed_mark(world.area.pk, MAY) == "结账后更正："
    assert reading.closed_mark(world.area.pk, Month(2026, 4)) == ""
    run_one(world)
    assert StepRun.objects.get(alliance=world.alliance, step="free").after_close
    assert not StepRun.objects.get(alliance=world.alliance, step="figures").after_close
    assert reading.corrections(Period.objects.get()) == 4


def test_figures_recomputed_after_the_closing_carry_the_mark(world):
    from monitoring.services.computing import compute_county_month
    from tests.settlement import ground

    ground.facts(world, "195000000.00", "90000000.00")
    month = Month(ground.YEAR, 5)
    county = type(world.qingxi).objects.select_related("pooling_area").get(pk=world.qingxi.pk)
    periods.close_period(world.reviewer, world.area, month, REASON)
    compute_county_month(county, month)
    made = PlaceMonth.objects.filter(kind="county", year=month.year, month=5)
    assert made.exists() and all(row.reason.startswith("结账后更正：") for row in made)


def test_what_changed_since_the_closing_stands_beside_what_was_known(world, steps, clock):
    place_month(world, "100.00", current=False)
    clock.shift(timedelta(hours=1))
    period = periods.close_period(world.reviewer, world.area, MAY, REASON)
    assert reading.changed_places(period, world.officer) == []
    clock.shift(timedelta(hours=1))
    place_month(world, "130.50", version=2)
    (change,) = reading.changed_places(period, world.officer)
    assert (change.place, change.charged_then, change.charged_now) == ("青溪县", Decimal("100.00"), Decimal("130.50"))
    assert (change.difference, change.reason) == (Decimal("30.50"), "迟到明细")


def test_facts_that_come_after_the_closing_are_named_by_county(world, steps):
    from tests.settlement import ground

    period = periods.close_period(world.reviewer, world.area, MAY, REASON)
    assert reading.changed_facts(period, world.officer) == []
    ground.facts(world, "195000000.00", "90000000.00")
    year = Period.objects.create(pooling_area=world.area, year=ground.YEAR, month=5)
    PeriodChange.objects.create(
        period=year, act="close", source="open", target="closed", actor=world.reviewer, at=timezone.now(), facts={}
    )
    assert [(row.county, row.version_then, row.version_now) for row in reading.changed_facts(year, world.officer)] == [("青溪县", 0, 1)]


def test_the_record_of_a_closing_is_never_changed(world, steps):
    from django.db import DatabaseError, transaction

    periods.close_period(world.reviewer, world.area, MAY, REASON)
    with pytest.raises(DatabaseError), transaction.atomic():
        PeriodChange.objects.update(reason="改写")


# --- what is missing and who owes it ---------------------------------------------------------------------------------


def test_what_is_missing_names_the_holders_nearest_to_the_place(world):
    found = owed([Alliance.objects.select_related("county__pooling_area").get(pk=pk) for pk in (world.alliance.pk, world.east.pk)], MAY)
    mine = {one.what: one.people for one in found[world.alliance.pk]}
    assert mine["青溪县 2026-05 医保结算明细"] == ("方正",)
    assert mine["2026 年打包预算（居民、职工）"] == ("方正",)
    theirs = {one.what: one.who for one in found[world.east.pk]}
    assert theirs["云岭县 2026-05 基金月报"] == "经办林晓岚、陈立新"


def test_a_table_not_filed_is_owed_by_the_hospital_and_one_filed_by_the_officer(world):
    from tests.submissions import ground

    alliance = Alliance.objects.select_related("county__pooling_area").get(pk=world.alliance.pk)
    with time_machine.travel(ground.IN_TIME, tick=False):
        owing = ground.assignment(world)
        (one,) = [one for one in owed([alliance], Month(2026, 9))[alliance.pk] if "季度报表" in one.what]
        assert one.who == "医共体财务周敏" and one.url == owing.get_absolute_url()
        ground.filed(world, owing)
        (one,) = [one for one in owed([alliance], Month(2026, 9))[alliance.pk] if "季度报表" in one.what]
        assert one.who == "经办方正"
        assert not any("季度报表" in one.what for one in owed([alliance], Month(2026, 8))[alliance.pk])


def test_a_post_nobody_holds_is_said_to_be_empty(world):
    world.county_officer.grants.all().delete()
    world.officer.grants.all().delete()
    world.second_officer.grants.all().delete()
    alliance = Alliance.objects.select_related("county__pooling_area").get(pk=world.alliance.pk)
    assert owed([alliance], MAY)[alliance.pk][0].who == "经办（此处尚无人任此岗）"


def test_the_grid_asks_the_same_questions_for_any_number_of_alliances(world, steps):
    run_all(world)

    def queries():
        user = type(world.officer).objects.get(pk=world.officer.pk)
        with CaptureQueriesContext(connection) as asked:
            runs = alliance_runs(user, MAY)
        return len(asked), len(runs)

    few, three = queries()
    for number in range(4):
        Alliance.objects.create(county=world.yunling, code=f"YL-{number}", name=f"第{number}医共体", valid_from="2020-01-01")
    many, seven = queries()
    assert (three, seven) == (3, 7)
    assert few == many


def test_the_list_of_months_counts_what_the_user_sees(world, steps):
    run_all(world)
    (line,) = month_lines(world.county_officer)
    assert (line.month, line.alliances, line.done, line.total, line.percent) == (MAY, 1, 3, 3, 100)
    assert month_lines(world.stranger_officer)[0].done == 0
    assert month_lines(world.hospital)[0].done == 0


# --- the pages -------------------------------------------------------------------------------------------------------


def test_the_run_page_shows_states_words_and_who_owes_what(world, steps, client_of):
    steps.fails["facts"] = Refused("缺 2026-05 数据。")
    run_all(world)
    page = client_of(world.officer).get("/monitoring/runs/2026-05/").content.decode()
    for text in ("缺 2026-05 数据", "未执行：须先完成", "青溪县 2026-05 医保结算明细", "经办方正", "重新运行", "全部运行"):
        assert text in page
    assert "结账</button>" not in page
    assert client_of(world.reviewer).get("/monitoring/runs/2026-05/").status_code == 200


def test_the_grid_is_filtered_by_state_and_exported_as_shown(world, steps, client_of):
    import io

    import openpyxl

    steps.fails["facts"] = Refused("缺数据。")
    run_all(world)
    client = client_of(world.officer)
    page = client.get("/monitoring/runs/2026-05/?state=failed").content.decode()
    assert "青溪县紧密型县域医共体" in page and "云岭县东部医共体" not in page
    answer = client.get("/monitoring/runs/2026-05/export/?state=failed")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0][0] == "筛选 状态：未完成"
    assert [(row[0], row[3], row[4]) for row in rows[2:]] == [
        ("QX", "数据", "未完成"), ("QX", "指标", "未执行"), ("QX", "预付", "完成"),
    ]  # fmt: skip


def test_starting_from_the_page_is_refused_abroad_and_to_other_posts(world, steps, client_of):
    client = client_of(world.officer)
    assert client.post("/monitoring/runs/2026-05/start/", {"alliance": world.alliance.pk}).status_code == 302
    assert client.post("/monitoring/runs/2026-05/start/", {"alliance": world.foreign_alliance.pk}).status_code == 404
    assert client.post("/monitoring/runs/2026-06/start/").status_code == 422
    assert client.post("/monitoring/runs/2026-05/").status_code == 405
    assert client.get("/monitoring/runs/2026-05/start/").status_code == 302
    assert client.get("/monitoring/runs/2026-13/").status_code == 404
    assert client_of(world.reviewer).post("/monitoring/runs/2026-05/start/").status_code == 403
    assert client_of(world.hospital).get("/monitoring/runs/2026-05/").status_code == 403
    assert client_of(world.hospital).get("/monitoring/runs/").status_code == 403
    assert Job.objects.count() == 1


def test_closing_from_the_page_keeps_what_was_typed_when_it_is_refused(world, steps, client_of):
    client = client_of(world.reviewer)
    refused = client.post("/monitoring/runs/2026-05/close/", {"area": world.area.pk, "reason": "急"})
    assert refused.status_code == 422
    assert "还有 9 项月末步骤未完成" in refused.content.decode() and ">急</textarea>" in refused.content.decode()
    assert client.post("/monitoring/runs/2026-05/close/", {"area": world.foreign_area.pk}).status_code == 404
    done = client.post("/monitoring/runs/2026-05/close/", {"area": world.area.pk, "reason": REASON}, follow=True)
    assert "由何劲松结账" in done.content.decode() and "结账以来没有变化" in done.content.decode()
    again = client.post("/monitoring/runs/2026-05/close/", {"area": world.area.pk, "reason": REASON})
    assert again.status_code == 409
    assert client_of(world.officer).post("/monitoring/runs/2026-05/reopen/", {"area": world.area.pk}).status_code == 403


def test_the_list_of_months_is_filtered_sorted_and_exported(world, steps, client_of):
    run_all(world)
    client = client_of(world.officer)
    assert "9 / 9" in client.get("/monitoring/runs/").content.decode()
    assert "没有符合条件的月份" in client.get("/monitoring/runs/?state=closed").content.decode()
    assert client.get("/monitoring/runs/?sort=-failed&year=2026&page=9").status_code == 200
    assert client.get("/monitoring/runs/?sort=nonsense&year=abc").status_code == 200
    assert client.get("/monitoring/runs/export/").status_code == 200


def test_the_quarter_and_the_year_show_their_own_work(world, client_of):
    client = client_of(world.officer)
    with time_machine.travel("2027-01-05 09:00:00+08:00", tick=False):
        page = client_of(world.officer).get("/monitoring/runs/2026-12/").content.decode()
    assert "季末事项" in page and "尚未下达" in page and "年末试算" in page and "未起草" in page
    assert "季末事项" not in client.get("/monitoring/runs/2026-05/").content.decode()


def test_failed_steps_wait_for_the_officer_and_a_finished_month_for_the_reviewer(world, steps):
    from monitoring.period_todos import todos

    steps.fails["free"] = Refused("暂缓。")
    run_all(world)
    assert [todo.title for todo in todos(world.officer)] == ["月末处理未完成：2026-05"]
    assert todos(world.reviewer) == []
    steps.fails.clear()
    run_one(world)
    assert todos(world.officer) == []
    assert [todo.title for todo in todos(world.reviewer)] == ["月份结账：2026-05"]
    periods.close_period(world.reviewer, world.area, MAY)
    assert todos(world.reviewer) == []


def test_a_foreign_month_is_not_seen_by_another_city(world, steps):
    run_all(world)
    assert not StepRun.objects.visible_to(world.stranger_officer).exists()
    periods.close_period(world.reviewer, world.area, MAY)
    assert not Period.objects.visible_to(world.stranger_officer).exists()
    assert not Period.objects.visible_to(world.hospital).exists()
    assert Period.objects.visible_to(world.county_officer).count() == 1
