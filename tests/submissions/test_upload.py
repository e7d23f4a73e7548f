"""Taking files in: a receipt at once, numbers without gaps, nothing lost, nothing mixed, refusals that name the case."""

import hashlib
import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from core import jobs
from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.models import Job, Notice, StoredFile
from submissions import services
from submissions.models import Assignment, Finding, Submission
from submissions.services.receiving import LIMIT
from submissions.states import Act
from tests.submissions import ground
from tests.submissions.ground import ODD, both, moved, typed


@pytest.fixture
def owed(world, in_time):
    return ground.assignment(world)


def acts(assignment):
    return [
        (change.act, change.submission and change.submission.number) for change in assignment.changes.order_by("pk")
    ]


def test_an_upload_gets_its_receipt_at_once_and_its_check_as_a_job(world, owed):
    content = ground.workbook(owed)
    found = services.receive(world.hospital, owed, ground.upload_of(content))
    digest = hashlib.sha256(content).hexdigest()
    assert found.receipt == f"QX-2026Q3-001-{digest[:4].upper()}"
    assert re.fullmatch(r"QX-2026Q3-001-[0-9A-F]{4}", found.receipt)
    assert (found.state, found.number, found.uploaded_at.date()) == ("received", 1, timezone.localdate())
    assert found.file.path.read_bytes() == content and found.file.sha256 == digest
    job = Job.objects.get(name="submissions.check")
    assert (job.scope, job.alliance, job.params) == (str(found.pk), world.alliance, {"submission": found.pk})
    assert Assignment.objects.get(pk=owed.pk).state == "uploaded"
    assert acts(owed) == [(Act.ASSIGN, None), (Act.UPLOAD, 1)]


def test_a_later_upload_takes_the_place_of_the_one_before_and_the_next_number(world, owed):
    first = ground.checked(world, owed)
    second = ground.received(world, owed, moved(121))
    first.refresh_from_db()
    assert (first.state, second.number, second.state) == ("replaced", 2, "received")
    assert acts(owed)[-2:] == [(Act.REPLACE, 1), (Act.UPLOAD, 2)]


def test_the_same_file_again_is_told_and_changes_nothing(world, owed):
    content = ground.workbook(owed)
    first = services.check_submission(services.receive(world.hospital, owed, ground.upload_of(content)))
    files = StoredFile.objects.count()
    with pytest.raises(Conflict, match=f"第 1 版（回执 {first.receipt}，已检查）完全相同"):
        services.receive(world.hospital, owed, ground.upload_of(content, "换了名字.xlsx"))
    assert (Submission.objects.count(), StoredFile.objects.count()) == (1, files)
    assert Submission.objects.get().state == "checked"


def test_a_file_of_an_earlier_version_may_come_back_after_another_one(world, owed):
    content = ground.workbook(owed)
    services.receive(world.hospital, owed, ground.upload_of(content))
    ground.received(world, owed, moved(121))
    assert services.receive(world.hospital, owed, ground.upload_of(content)).number == 3


def test_empty_and_oversized_files_are_refused_with_their_size(world, owed):
    with pytest.raises(Refused, match="0 字节"):
        services.receive(world.hospital, owed, SimpleUploadedFile("空.xlsx", b""))
    big = SimpleUploadedFile("大.xlsx", b"x" * (LIMIT + 1))
    with pytest.raises(Refused, match="超过 20 MB"):
        services.receive(world.hospital, owed, big)
    assert not Submission.objects.exists() and not StoredFile.objects.exists()


def test_nobody_but_the_finance_of_the_own_lead_hospital_uploads(world, owed):
    for person in (world.sister_hospital, world.member, world.officer, world.reviewer, world.admin, world.nobody):
        with pytest.raises(NotAllowed):
            services.receive(person, owed, ground.upload_of(b"x"))
    assert not Submission.objects.exists()


def test_while_a_filed_version_waits_nothing_is_uploaded(world, owed):
    filed = ground.filed(world, owed)
    with pytest.raises(Conflict, match="已报送，正在等待受理") as refusal:
        services.receive(world.hospital, owed, ground.upload_of(b"x"))
    assert filed.receipt in str(refusal.value) and "请先撤回" in str(refusal.value)


def test_an_accepted_assignment_is_closed_and_says_who_can_open_it(world, owed):
    ground.accepted(world, owed)
    with pytest.raises(Conflict, match="已受理，不再接收") as refusal:
        services.receive(world.hospital, owed, ground.upload_of(b"x"))
    assert "林晓岚" in str(refusal.value) and "重新开放" in str(refusal.value)


def test_the_moment_of_arrival_counts_however_long_the_check_takes(world, time_machine):
    time_machine.move_to("2026-10-15 23:59:58+08:00")
    owed = ground.assignment(world)
    found = ground.received(world, owed)
    time_machine.move_to("2026-10-16 00:40:00+08:00")
    checked = services.check_submission(found)
    done = services.file(world.hospital, ground.explained(world, checked))
    assert done.state == "filed" and timezone.localtime(done.uploaded_at).day == 15


def test_the_check_keeps_figures_findings_and_the_annotated_workbook(world, owed):
    found = ground.checked(world, owed, both(typed("RES", "4.1", "二千"), typed("RES", "3", 1)))
    assert found.state == "checked" and found.cells_read > 100 and found.checks_run > 10
    assert found.figures["funds"]["RES"]["4.3"]["current"] == "119447000.00"
    assert (found.table_version, len(found.table_sha256)) == ("1", 64)
    findings = list(found.findings.all())
    assert [finding.number for finding in findings] == list(range(1, len(findings) + 1))
    bad = next(finding for finding in findings if finding.code == "V02")
    assert (bad.sheet, bad.cell[0], bad.value, bad.fund_type, bad.row_code) == ("居民", "C", "二千", "RES", "4.1")
    assert found.answer.path.read_bytes()[:2] == b"PK" and found.answer.name.endswith("-检查结果.xlsx")
    assert found.file.path.read_bytes() != found.answer.path.read_bytes()
    told = Notice.objects.filter(user=world.hospital).latest("pk").text
    assert "处错误须改正" in told and found.receipt in told


def test_hard_findings_come_before_soft_ones_and_notes(world, owed):
    found = ground.checked(world, owed, both(typed("RES", "4.1", "二千"), typed("RES", "7.a", 500000)))
    order = {"refusal": 0, "hard": 1, "soft": 2, "note": 3}
    ranks = [order[finding.severity] for finding in found.findings.all()]
    assert ranks == sorted(ranks) and len(set(ranks)) > 1


def test_a_file_that_is_no_workbook_is_refused_as_a_whole_with_its_code(world, owed):
    found = services.check_submission(services.receive(world.hospital, owed, ground.upload_of(b"no workbook at all")))
    assert (found.state, found.figures, found.cells_read) == ("refused", {}, 0)
    assert [(finding.severity, finding.code[0]) for finding in found.findings.all()] == [("refusal", "F")]
    assert "文件不能读取" in Notice.objects.filter(user=world.hospital).latest("pk").text
    with pytest.raises(Conflict, match="不能读取"):
        services.file(world.hospital, found)


def test_a_workbook_of_another_alliance_is_refused_as_a_whole(world, owed):
    other = ground.assignment(world, alliance=world.east)
    found = services.check_submission(services.receive(world.hospital, owed, ground.upload_of(ground.workbook(other))))
    assert found.state == "refused" and "F12" in {finding.code for finding in found.findings.all()}


def test_checking_again_does_nothing_twice(world, owed):
    found = ground.checked(world, owed, typed("RES", "3", 1))
    before = (Finding.objects.count(), StoredFile.objects.count(), Notice.objects.count(), owed.changes.count())
    again = services.check_submission(found)
    assert again.checked_at == found.checked_at
    assert (Finding.objects.count(), StoredFile.objects.count(), Notice.objects.count(), owed.changes.count()) == before


def test_a_version_replaced_while_it_was_checked_keeps_nothing(world, owed):
    first = ground.received(world, owed)
    ground.received(world, owed, moved(121))
    done = jobs.run_now(Job.objects.get(scope=str(first.pk)))
    first.refresh_from_db()
    assert (first.state, first.findings.count(), first.answer) == ("replaced", 0, None)
    assert done.state == "done" and "已由后一次上传替代" in done.outcome


def test_a_check_that_broke_off_starts_again_when_the_file_comes_again(world, owed):
    content = ground.workbook(owed)
    first = services.receive(world.hospital, owed, ground.upload_of(content))
    kept = first.file.path.read_bytes()
    first.file.path.unlink()  # the program fails: the disk lost the file
    job = jobs.run_now(Job.objects.get(scope=str(first.pk)))
    assert job.state == "failed"
    assert "检查中断" in Notice.objects.filter(user=world.hospital).latest("pk").text
    first.file.path.write_bytes(kept)
    assert services.is_interrupted(first)
    again = services.receive(world.hospital, owed, ground.upload_of(content))
    assert (again.pk, again.receipt, Submission.objects.count()) == (first.pk, first.receipt, 1)
    jobs.run_now(Job.objects.filter(scope=str(first.pk)).latest("pk"))
    first.refresh_from_db()
    assert first.state == "checked"


def test_the_job_tells_its_outcome_in_words(world, owed):
    found = ground.received(world, owed)
    done = jobs.run_now(Job.objects.get(scope=str(found.pk)))
    assert done.state == "done" and found.receipt in done.outcome


def test_explanations_come_along_where_the_value_is_the_same(world, owed):
    first = ground.explained(world, ground.checked(world, owed, ODD))
    given = {(finding.code, finding.row_code) for finding in first.findings.exclude(explanation="")}
    assert ("S1", "14.1") in given
    second = ground.checked(world, owed, both(ODD, typed("RES", "14.2", 81), typed("ALL", "14.2", 241)))
    carried = second.findings.exclude(explanation="")
    assert {(finding.code, finding.row_code) for finding in carried} == given
    assert {finding.explained_by for finding in carried} == {world.hospital}


def test_explanations_do_not_come_along_where_the_value_changed(world, owed):
    ground.explained(world, ground.checked(world, owed, ODD))
    second = ground.checked(world, owed, both(ODD, moved(130)))
    asked = second.findings.get(code="S1", row_code="14.1")
    assert (asked.value, asked.explanation, asked.is_open_question) == ("130", "", True)


def test_a_formula_in_a_note_is_kept_as_text(world, owed):
    found = ground.checked(world, owed, typed("RES", "14.1", '\'=HYPERLINK("http://x")', "note"))
    assert found.figures["funds"]["RES"]["14.1"]["note"].lstrip("'").startswith("=HYPERLINK")


def test_the_last_moment_of_the_last_day_is_in_time_and_the_next_is_not(world, owed):
    day = timezone.make_aware(timezone.datetime(2026, 10, 15, 23, 59, 59))
    assert owed.in_time(day) and not owed.in_time(day + timedelta(seconds=1))
