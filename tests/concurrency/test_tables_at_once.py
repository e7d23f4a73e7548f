"""Two people, or two workers, at the same quarterly table in the same moment: nothing lost, nothing mixed, nothing twice."""

from collections import Counter
from datetime import date

import pytest

from core import jobs
from core.errors import Conflict
from core.models import Job, Notice, StoredFile
from core.registries import verifications
from submissions import services
from submissions.models import AcceptedFigure, Assignment, Finding, Reconciliation, Submission
from submissions.services.deadlines import remind
from tests.submissions import ground
from tests.submissions.ground import PERIOD, moved
from tests.together import at_once
from tests.world import build_world


@pytest.fixture
def world(transactional_db, settings, tmp_path, time_machine, monkeypatch):
    settings.DATA_DIR = tmp_path
    time_machine.move_to(ground.IN_TIME)
    monkeypatch.setattr(jobs, "_wake", lambda _pk: None)  # the test itself runs the jobs
    return build_world()


def kinds(results):
    return Counter(type(result).__name__ for result in results)


def found_wrong():
    return [f"{finding.where}：{finding.text}" for _name, check in verifications for finding in check()]


def test_two_uploads_at_once_get_a_number_each_and_the_later_one_is_open(world):
    owed = ground.assignment(world)
    contents = [ground.workbook(owed, moved(count)) for count in (121, 122)]
    told = at_once(*[lambda c=c: services.receive(world.hospital, owed, ground.upload_of(c)) for c in contents])
    assert kinds(told) == {"Submission": 2}
    rows = list(Submission.objects.order_by("number"))
    assert [(row.number, row.state) for row in rows] == [(1, "replaced"), (2, "received")]
    assert len({row.receipt for row in rows}) == 2
    assert {row.file.path.read_bytes() for row in rows} == set(contents)
    for result, content in zip(told, contents, strict=True):
        assert result.file.path.read_bytes() == content  # everybody's receipt names her own file
    at_once(*[lambda pk=pk: jobs.run(pk) for pk in Job.objects.values_list("pk", flat=True)])
    assert list(Submission.objects.order_by("number").values_list("state", flat=True)) == ["replaced", "checked"]
    assert found_wrong() == []


def test_the_same_file_twice_at_once_is_one_version(world):
    owed = ground.assignment(world)
    content = ground.workbook(owed)
    told = at_once(*[lambda: services.receive(world.hospital, owed, ground.upload_of(content))] * 2)
    assert kinds(told) == {"Submission": 1, "Conflict": 1}
    [conflict] = [result for result in told if isinstance(result, Conflict)]
    assert "完全相同" in str(conflict)
    assert Submission.objects.count() == StoredFile.objects.count() == Job.objects.count() == 1


def test_two_workers_checking_one_upload_keep_its_findings_once(world):
    found = ground.received(world)
    at_once(*[lambda: services.check_submission(found)] * 2)
    found.refresh_from_db()
    assert found.state == "checked"
    numbers = list(Finding.objects.values_list("number", flat=True))
    assert len(numbers) == len(set(numbers))
    assert Notice.objects.filter(user=world.hospital, text__startswith="检查").count() == 1
    assert found.changes.filter(act="check").count() == 1
    assert found_wrong() == []


def test_two_officers_accept_at_once_and_one_is_told(world):
    filed = ground.filed(world)
    told = at_once(lambda: services.accept(world.officer, filed), lambda: services.accept(world.second_officer, filed))
    assert kinds(told) == {"Submission": 1, "Conflict": 1}
    assert Reconciliation.objects.count() == 1
    keys = AcceptedFigure.objects.values_list("fund_type", "institution", "key")
    assert len(keys) == len(set(keys))
    assert found_wrong() == []


def test_the_hospital_withdraws_while_the_bureau_accepts_and_one_is_told(world):
    filed = ground.filed(world)
    told = at_once(
        lambda: services.withdraw(world.hospital, filed, "成员表有误"), lambda: services.accept(world.officer, filed)
    )
    assert kinds(told) == {"Submission": 1, "Conflict": 1}
    assert found_wrong() == []


def test_a_file_comes_in_while_nothing_to_report_is_filed_and_both_are_kept_or_one_is_told(world):
    owed = ground.assignment(world)
    content = ground.workbook(owed)
    told = at_once(
        lambda: services.receive(world.hospital, owed, ground.upload_of(content)),
        lambda: services.report_nothing(world.hospital, owed, "本期尚未运行"),
    )
    assert isinstance(told[1], Submission) and isinstance(told[0], Submission | Conflict)
    assert Submission.objects.get(kind="nothing").state == "filed"
    assert Submission.objects.exclude(state__in=("filed", "replaced")).count() == 0
    assert found_wrong() == []


def test_two_clocks_assign_and_remind_each_alliance_once(world):
    ground.duty(world)
    made = at_once(*[lambda: services.assign_period(PERIOD)] * 2)
    assert sum(made) == Assignment.objects.count() == 3
    sent = at_once(*[lambda: remind(today=date(2026, 10, 14))] * 2)
    assert sum(sent) == 3
    assert Notice.objects.filter(user=world.hospital, text__contains="尚未报送").count() == 1
    assert found_wrong() == []
