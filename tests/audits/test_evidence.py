"""Evidence: two officers, kept by its hash, registered for seven working days, never changed; what tampering blocks."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import DatabaseError, connection, transaction

from audits.models import CaseOfficer
from audits.reading.evidence import checked, evidence_problems, unhandled
from audits.services.evidence import add_evidence, handle, note_opened, withdraw
from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.models import TrailEvent
from core.registries import home_todos
from tests.audits.findings_ground import finding, ground, piece, stored

__all__ = ["ground"]


def texts(refusal):
    return "；".join(str(problem) for problem in refusal.value.problems)


def test_evidence_is_numbered_and_kept_by_its_hash(ground):
    first, second = piece(ground), piece(ground, b"second", name="询问笔录", kind="talk", third_party="青溪司法鉴定所")
    assert (first.number, second.number, second.third_party) == (1, 2, "青溪司法鉴定所")
    assert first.sha256 == first.file.sha256 and first.registered_until is None
    assert [row.intact for row in checked(ground.case)] == [True, True] and evidence_problems(ground.case) == []
    change = ground.case.changes.get(act="collect", data__evidence=second.pk)
    assert change.actor == ground.officer and change.data["sha256"] == second.sha256
    assert TrailEvent.objects.filter(action="audits.collect", actor=ground.officer).count() == 2


def test_every_fault_of_new_evidence_is_told_at_once(ground):
    piece(ground)
    with pytest.raises(Refused) as refusal:
        add_evidence(
            ground.officer, ground.case, kind="?", name=" ", file=stored(), collected_on=date(2026, 10, 13),
            collected_by=ground.officer, witnessed_by=ground.officer, note="字" * 301,
        )  # fmt: skip
    told = texts(refusal)
    for word in (
        "没有选择证据种类", "没有填写证据名称", "2026-10-13 还没有到", "都是赵衡", "说明超过 300 个字", "与证据 1 现场检查笔录内容完全相同",
    ):  # fmt: skip
        assert word in told, word


def test_evidence_is_taken_by_two_officers_of_the_case(ground):
    with pytest.raises(Refused) as refusal:
        piece(ground, witnessed_by=ground.legal)
    assert "共同取证人法务在 2026-09-10 不是本案办案人员（赵衡、高文）" in texts(refusal)
    CaseOfficer.objects.filter(user=ground.partner).update(until=date(2026, 9, 9))
    with pytest.raises(Refused) as refusal:
        piece(ground)
    assert "共同取证人高文在 2026-09-10 不是本案办案人员" in texts(refusal)
    assert piece(ground, collected_on=date(2026, 9, 9)).number == 1


def test_evidence_from_before_the_filing_is_taken_from_the_first_officers(ground):
    assert piece(ground, collected_on=date(2026, 8, 20)).collected_on == date(2026, 8, 20)


def test_only_officers_of_the_case_register_evidence(ground):
    other = finding(ground)
    with pytest.raises(NotAllowed) as refusal:
        add_evidence(
            ground.first, other.case, kind="record", name="笔录", file=stored(), collected_on=date(2026, 9, 10),
            collected_by=ground.officer, witnessed_by=ground.partner,
        )  # fmt: skip
    assert "登记证据" in str(refusal.value)
    ground.to("closed")
    with pytest.raises(Conflict):
        piece(ground)


@pytest.mark.parametrize(
    ("taken", "until"),
    [
        (date(2026, 9, 14), date(2026, 9, 22)),  # Sunday the 20th is a working day before the national holiday
        (date(2026, 9, 29), date(2026, 10, 14)),  # 1–7 October off, Saturday the 10th works
    ],
)
def test_registration_ends_after_seven_working_days(ground, taken, until):
    made = piece(ground, registered=True, collected_on=taken)
    assert made.registered_until == until
    assert unhandled(ground.case) == [made]


def test_dealing_with_a_registration_late_is_taken_and_marked(ground):
    made = piece(ground, registered=True, collected_on=date(2026, 9, 14))
    with pytest.raises(Refused):
        handle(ground.officer, made, "好")
    handle(ground.officer, made, "解除登记保存，原件退还机构")
    assert unhandled(ground.case) == []
    assert ground.case.changes.last().data["late"] is True
    with pytest.raises(Conflict) as refusal:
        handle(ground.partner, made, "再次处理一遍")
    assert "已由赵衡登记“登记保存已处理”" in texts(refusal)
    with pytest.raises(Refused):
        handle(ground.officer, piece(ground, b"other"), "没有登记保存过")


def test_withdrawn_evidence_stays_but_nothing_stands_on_it(ground):
    made = piece(ground, registered=True)
    withdraw(ground.partner, made, "与本案没有关联")
    (row,) = checked(ground.case)
    assert row.withdrawn and row.intact and not row.waits and unhandled(ground.case) == []
    with pytest.raises(Refused) as refusal:
        finding(ground, evidence=[made.pk])
    assert "证据 1 现场检查笔录已不再采用" in texts(refusal)


def test_a_changed_file_is_named_with_its_hash(ground):
    whole, changed, gone = piece(ground), piece(ground, b"two", name="病历"), piece(ground, b"three", name="照片", kind="photo")
    changed.file.path.write_bytes(b"tw0")
    gone.file.path.unlink()
    assert [row.state for row in checked(ground.case)] == ["same", "changed", "missing"]
    problems = evidence_problems(ground.case)
    assert [problem.value for problem in problems] == ["证据 2", "证据 3"]
    assert "“病历”内容与校验值不符" in problems[0].text and changed.sha256[:16] in problems[0].text
    assert "“照片”文件缺失" in problems[1].text
    withdraw(ground.officer, gone, "原件遗失，不再采用")
    assert [problem.value for problem in evidence_problems(ground.case)] == ["证据 2"]
    assert whole.number == 1
    changed.file.path.unlink()  # later tests store the same content again


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audits_evidence SET sha256 = 'x'", "DELETE FROM audits_evidence", "UPDATE audits_evidencenote SET text = 'x'"],
)
def test_the_database_refuses_to_change_evidence(ground, statement):
    withdraw(ground.officer, piece(ground), "与本案没有关联")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_opening_evidence_needs_a_post_and_leaves_a_trace(ground):
    made = piece(ground)
    note_opened(ground.legal, made, "查看")
    event = TrailEvent.objects.get(action="audits.open_evidence")
    assert event.actor == ground.legal and "查看案件 青稽〔2026〕1号 证据 1" in event.summary
    for user in (ground.world.officer, ground.world.member, ground.world.observer):
        with pytest.raises(NotAllowed):
            note_opened(user, made, "查看")


def test_evidence_tampered_with_blocks_the_submission(ground):
    from audits.services.steps import allowed_acts

    made = piece(ground, b"tampered later")
    finding(ground, evidence=[made.pk])
    assert allowed_acts(ground.officer, ground.again())["submit"]
    made.file.path.write_bytes(b"tampered")
    answer = allowed_acts(ground.officer, ground.again())["submit"]
    assert not answer and "证据" in answer.reason and "内容与校验值不符" in answer.reason


def test_registered_evidence_is_something_to_do_for_its_officers(ground):
    made = piece(ground, registered=True, collected_on=date(2026, 9, 29))
    found = dict(home_todos)["audits.evidence"]
    for user in (ground.officer, ground.partner):
        (todo,) = found(user)
        assert (todo.due, todo.title) == (date(2026, 10, 14), "处理登记保存的证据 1 现场检查笔录")
    assert found(ground.first) == [] and found(ground.world.member) == []
    handle(ground.officer, made, "解除登记保存，退还机构")
    assert found(ground.officer) == []
