"""Extracts taken in end to end: what is stored, what is kept apart, what is refused as a whole."""

from datetime import date
from decimal import Decimal

import pytest
from django.test import override_settings

from claims import reading
from claims.models import ClaimsImport, FactSet, LakeFile, MonthlyFact, OpenReject, PersonKeyCheck
from claims.services import accept_import, reject_import, set_fund_mapping, set_visit_mapping, write_off_rejects
from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.jobs import run_now
from core.models import Job, Notice, StoredFile, TrailEvent
from rules.periods import Month
from tests.claims.extracts import accepted, claim, imported, in_month, received, run, written

D = Decimal
GOOD = [claim(number) for number in range(1, 41)]


def test_a_sound_extract_goes_into_the_lake_and_into_the_facts(world):
    found = imported(world, GOOD)
    assert (found.state, found.rows_total, found.rows_good, found.rows_bad) == ("accepted", 40, 40, 0)
    file = LakeFile.objects.get()
    assert (file.live, file.declared, file.rows, file.pooled_fund_paid) == (True, True, 40, D("24000.00"))
    assert file.path.exists()
    factset = FactSet.objects.get()
    assert (factset.source, factset.declared, factset.settlements, factset.claims_import) == ("claims", True, 40, found)
    assert factset.data_to == date(2026, 9, 5)
    year = reading.fund_year(world.alliance, 2026, "RES")
    assert (year.in_alliance, year.settlements, year.months_present) == (D("24000.00"), 40, (Month(2026, 9),))


def test_the_payable_of_the_method_counts_where_the_extract_has_it(world):
    rows = [claim(number, fund_payable="650.00") for number in range(1, 21)]
    imported(world, rows)
    year = reading.fund_year(world.alliance, 2026, "RES")
    assert (year.in_alliance, year.billed_in_alliance, year.measure) == (D("13000.00"), D("12000.00"), "fund_payable")


def test_rejected_rows_stay_apart_with_code_yuan_and_remedy(world):
    rows = [*GOOD, claim(90, visit_type="99"), claim(91, total_cost="999.00")]
    found = imported(world, rows)
    assert (found.state, found.rows_good, found.rows_bad, found.bad_pooled) == ("accepted", 40, 2, D("1200.00"))
    findings = {finding.code: finding for finding in found.findings.all()}
    assert set(findings) == {"C11", "C30"}
    assert (findings["C11"].rows, findings["C11"].total_cost) == (1, D("1000.00"))
    assert findings["C30"].first_rows[0]["line"] == 43
    rejects = OpenReject.objects.get()
    assert (rejects.period, rejects.rows, rejects.pooled_fund_paid, rejects.state) == (
        Month(2026, 9), 2, D("1200.00"), "open",
    )  # fmt: skip
    assert reading.fund_year(world.alliance, 2026, "RES").open_reject_share == D("0.047619")


def test_no_raw_person_id_is_left_anywhere_behind_the_upload(world, settings, tmp_path, django_capture_on_commit_callbacks):
    settings.DATA_DIR = tmp_path
    rows = [*GOOD, claim(90, visit_type="99"), claim(91, visit_type="99", person_id="360101197001019091")]
    with django_capture_on_commit_callbacks(execute=True):
        found = imported(world, rows)
    kept = [found.report.path.read_text("utf-8-sig"), repr(list(found.findings.values())), found.outcome]
    assert found.file is None and not StoredFile.objects.filter(kind="claims_extract").exists()
    kept += [str(event.data) + event.summary for event in TrailEvent.objects.all()]
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert LakeFile.objects.get().path.read_bytes() in files and found.raw_rejects.path.read_bytes() in files
    for number in (1, 40, 90):
        person = f"36010119700101{number:04d}"
        assert not any(person in text for text in kept)
        assert not any(person.encode() in content for content in files)


def test_an_open_reject_blocks_until_it_is_written_off_with_a_reason(world):
    found = imported(world, [*GOOD, claim(90, visit_type="99")])
    rejects = found.open_rejects.get()
    with pytest.raises(Refused):
        write_off_rejects(world.officer, rejects, " ")
    with pytest.raises(NotAllowed):
        write_off_rejects(world.reviewer, rejects, "系统外已结清")
    write_off_rejects(world.officer, rejects, "系统外已结清，凭证 2026-18")
    assert reading.fund_year(world.alliance, 2026, "RES").open_reject_share == 0
    with pytest.raises(Conflict):
        write_off_rejects(world.second_officer, rejects, "系统外已结清")


NATIONAL = "setl_id,psn_no\n1,2\n"
REFUSED_FILES = {
    "a header without rows": (written([]), "没有数据行"),
    "a blank file": (b"\n\n", "表头"),
    "wrong columns": (NATIONAL.encode(), "必需列"),
    "another county": (written([claim(n, insured_county="990102") for n in range(5)]), "申报的县"),
    "another period": (written([in_month(n, "2025-03") for n in range(5)]), "申报期间"),
    "broken encoding": (written(GOOD).replace(b"drg", b"\xff\xfe\xfa", 1), "字节"),
    "an old workbook": (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "xls"),
    "a zip that is no workbook": (b"PK\x03\x04" + b"\0" * 80, "工作簿"),
    "broken rows": (written(GOOD) + b"only,three,cells\n", "行"),
}


@pytest.mark.parametrize("kind", REFUSED_FILES)
def test_a_file_that_is_wrong_as_a_whole_is_sent_back_with_its_reason(world, client_of, kind):
    content, word = REFUSED_FILES[kind]
    found = imported(world, content)
    assert found.state == "rejected"
    assert found.refusal and word in found.refusal[0]["text"] + found.refusal[0]["title"]
    assert not LakeFile.objects.exists() and not FactSet.objects.exists() and not OpenReject.objects.exists()
    assert Notice.objects.filter(user=world.officer, text__contains="退回").exists()
    page = client_of(world.officer).get(f"/claims/imports/{found.pk}/").content.decode()
    assert "整份退回" in page and found.refusal[0]["remedy"][:8] in page


def test_the_byte_of_a_broken_encoding_is_named(world):
    content = written(GOOD)
    found = imported(world, content.replace(b"drg", b"\xff\xfe\xfa", 1))
    assert str(content.index(b"drg")) in found.refusal[0]["text"]


def test_nothing_is_even_received_with_a_wrong_declaration(world, monkeypatch):
    cases = [
        ({"first": "2026-10", "last": "2026-09"}, "早于"),
        ({"first": "2023-01", "last": "2026-09"}, "24 个月"),
        ({"first": "2026-09", "last": "2031-01"}, "之后"),
    ]
    for period, word in cases:
        with pytest.raises(Refused, match=word):
            received(world, GOOD, **period)
    with pytest.raises(Refused, match="0 字节"):
        received(world, b"")
    with override_settings(UPLOAD_MAX_BYTES=10), pytest.raises(Refused, match="超过"):
        received(world, GOOD)
    assert not ClaimsImport.objects.exists() and not StoredFile.objects.exists()


def test_the_same_file_is_refused_naming_when_and_by_whom_it_came(world):
    found = imported(world, GOOD)
    for period in ("2026-09", "2026-08"):
        with pytest.raises(Conflict) as refusal:
            received(world, GOOD, period, actor=world.second_officer)
        assert f"第 {found.pk} 号导入" in str(refusal.value) and "林晓岚" in str(refusal.value)
    assert ClaimsImport.objects.count() == 1
    assert not StoredFile.objects.filter(kind="claims_extract").exists()


def test_a_rejected_file_may_come_again_under_the_right_declaration(world):
    assert imported(world, GOOD, "2026-08").state == "rejected"
    assert imported(world, GOOD, "2026-09").state == "accepted"


BAD = [*GOOD[:20], *(claim(number, visit_type="99") for number in range(50, 55))]


def test_too_many_bad_rows_wait_for_an_officers_reason(world):
    found = imported(world, BAD)
    assert (found.state, found.needs_admission) == ("awaiting_decision", True)
    assert not LakeFile.objects.exists() and not FactSet.objects.exists()
    with pytest.raises(Refused, match="理由"):
        accept_import(world.officer, found, "")
    accept_import(world.officer, found, "系统升级期间的类别代码，下月更正")
    run(found)
    assert (found.state, found.admitted_reason, found.decided_by) == (
        "accepted", "系统升级期间的类别代码，下月更正", world.officer,
    )  # fmt: skip
    assert FactSet.objects.get().settlements == 20
    assert TrailEvent.objects.filter(action="claims.admit").get().actor == world.officer


def test_a_waiting_import_can_be_sent_back_and_leaves_nothing(world):
    found = imported(world, BAD)
    with pytest.raises(Refused):
        reject_import(world.officer, found, "")
    reject_import(world.officer, found, "请更正医疗类别")
    found.refresh_from_db()
    assert found.state == "rejected" and not LakeFile.objects.exists()
    with pytest.raises(Conflict):
        accept_import(world.officer, found, "还是接收")


def test_of_two_officers_the_second_is_told_who_was_first(world):
    found = imported(world, BAD)
    seen_by_the_other = ClaimsImport.objects.get(pk=found.pk)
    accept_import(world.officer, found, "先行接收，下月更正")
    with pytest.raises(Conflict, match="林晓岚"):
        accept_import(world.second_officer, seen_by_the_other, "先行接收，下月更正")
    with pytest.raises(Conflict, match="林晓岚"):
        reject_import(world.second_officer, seen_by_the_other, "请更正医疗类别")
    run(found)
    assert FactSet.objects.count() == 1


def test_only_officers_of_the_place_bring_extracts_in(world):
    for person in (world.reviewer, world.finance, world.hospital, world.admin, world.stranger_officer, world.observer):
        with pytest.raises(NotAllowed):
            received(world, GOOD, actor=person)
    assert received(world, GOOD, actor=world.county_officer)


def test_a_second_run_of_the_job_changes_nothing(world):
    found = imported(world, GOOD)
    before = (FactSet.objects.count(), LakeFile.objects.count(), MonthlyFact.objects.count(), TrailEvent.objects.count())
    Job.objects.filter(pk=found.job_id).update(state="queued")
    again = run_now(Job.objects.get(pk=found.job_id))
    assert (again.state, again.outcome) == ("done", found.outcome)
    after = (FactSet.objects.count(), LakeFile.objects.count(), MonthlyFact.objects.count(), TrailEvent.objects.count())
    assert after == before


def test_a_mapping_entered_by_the_administrator_is_used_by_the_next_import(world):
    rows = [*GOOD, claim(90, visit_type="98"), claim(91, fund_type="399")]
    assert imported(world, rows).rows_bad == 2
    set_visit_mapping(world.admin, world.area, "98", "chronic")
    set_fund_mapping(world.admin, world.area, "399", "EMP")
    corrected = accepted(world, [*rows, claim(92)])
    assert corrected.rows_bad == 0
    assert reading.fund_year(world.alliance, 2026, "EMP").in_alliance == D("600.00")


def test_a_changed_person_key_is_refused_and_the_import_can_go_on_under_the_old_one(world, settings):
    imported(world, GOOD)
    assert PersonKeyCheck.objects.count() == 1
    waiting = received(world, [claim(number) for number in range(100, 120)], "2026-09")
    old = settings.PERSON_KEY
    settings.PERSON_KEY = "another-key-" + "q" * 30
    with pytest.raises(Refused, match="PERSON_KEY"):
        received(world, [claim(500)], "2026-09")
    assert run(waiting).state == "received" and waiting.job.state == "failed"
    settings.PERSON_KEY = old
    from claims.services import retry_import

    retry_import(world.officer, waiting)
    assert run(waiting).state == "awaiting_decision"


def test_a_chinese_header_and_another_encoding_are_read(world):
    rows = [{"结算ID": "A1", **{k: v for k, v in claim(1).items() if k != "settlement_id"}}]
    text = written(rows).decode().replace("visit_id", "就诊ID").replace("total_cost", "医疗费总额（元）")
    found = imported(world, text.encode("gb18030"))
    assert (found.state, found.told["encoding"]) == ("accepted", "gb18030")
