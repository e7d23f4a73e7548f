"""From due to accepted and back: who may do what when, what stands in the way, what is kept of it."""

from datetime import date

import pytest
from django.db import DatabaseError, transaction

from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.models import Notice, TrailEvent
from core.registries import verifications
from submissions import services, todos, totals
from submissions.models import AcceptedFigure, Assignment, Reconciliation, Submission, SubmissionChange, Waiver
from submissions.owed import accepted_periods, last_of
from submissions.states import Act
from submissions.verification import verify_submissions
from tests.submissions import ground
from tests.submissions.ground import LONG_ENOUGH, ODD, both, moved, typed

WRONG = both(typed("RES", "4.1", "二千"), typed("EMP", "3", 1))


@pytest.fixture
def owed(world, in_time):
    return ground.assignment(world)


def state(assignment):
    return Assignment.objects.get(pk=assignment.pk).state


def seen_by(user):
    return set(Submission.objects.visible_to(user).values_list("number", flat=True))


def told(user):
    return Notice.objects.filter(user=user).latest("pk").text


def acts(assignment):
    return [change.act for change in assignment.changes.order_by("pk")]


def test_a_sound_table_goes_from_upload_to_acceptance(world, owed):
    checked = ground.checked(world, owed)
    assert not [finding for finding in checked.findings.all() if finding.is_blocking]
    filed = services.file(world.hospital, ground.explained(world, checked))
    assert (filed.state, filed.filed_by, state(owed)) == ("filed", world.hospital, "filed")
    assert "待受理" in told(world.officer) and filed.receipt in told(world.officer)
    done = services.accept(world.officer, filed)
    assert (done.state, done.decided_by, state(owed)) == ("accepted", world.officer, "accepted")
    assert "受理" in told(world.hospital)
    assert acts(owed)[-2:] == [Act.FILE, Act.ACCEPT]
    assert verify_submissions() == []


def test_accepting_keeps_every_typed_figure_and_makes_the_reconciliation(world, owed):
    done = ground.accepted(world, owed)
    spending = AcceptedFigure.objects.get(submission=done, fund_type="RES", institution="", key="4.3")
    assert str(spending.amount) == "119447000.00"
    assert AcceptedFigure.objects.exclude(institution="").filter(submission=done).exists()
    assert Reconciliation.objects.get(submission=done).made_at


def test_errors_keep_a_table_from_being_filed_and_are_named_all_at_once(world, owed):
    checked = ground.checked(world, owed, both(WRONG, ODD))
    with pytest.raises(Refused) as refusal:
        services.file(world.hospital, checked)
    by_field = {problem.field: problem for problem in refusal.value.problems}
    assert set(by_field) == {"findings", "explanations"}
    assert "V02（居民 C" in by_field["findings"].text
    assert (Submission.objects.get(pk=checked.pk).state, state(owed)) == ("checked", "uploaded")


def test_every_question_wants_an_explanation_of_twenty_characters_at_least(world, owed):
    checked = ground.checked(world, owed, ODD)
    questions = [finding for finding in checked.findings.all() if finding.is_open_question]
    assert questions
    texts = {finding.pk: "情况属实" for finding in questions}
    with pytest.raises(Refused) as refusal:
        services.explain(world.hospital, checked, texts)
    assert [problem.field for problem in refusal.value.problems] == [f"text-{pk}" for pk in sorted(texts)]
    assert "4 个字，须为 20–500 字" in refusal.value.problems[0].text
    with pytest.raises(Refused, match="501 个字"):
        services.explain(world.hospital, checked, {questions[0].pk: "长" * 501})
    assert not checked.findings.exclude(explanation="").exists()
    services.explain(world.hospital, checked, {questions[0].pk: LONG_ENOUGH})
    kept = checked.findings.get(pk=questions[0].pk)
    assert (kept.explanation, kept.explained_by) == (LONG_ENOUGH, world.hospital)
    done = ground.explained(world, checked)
    assert services.file(world.hospital, done).state == "filed"


def test_an_explanation_can_be_taken_back_until_the_table_is_filed(world, owed):
    checked = ground.explained(world, ground.checked(world, owed, ODD))
    finding = checked.findings.exclude(explanation="")[0]
    services.explain(world.hospital, checked, {finding.pk: " "})
    finding.refresh_from_db()
    assert (finding.explanation, finding.explained_by, finding.explained_at) == ("", None, None)
    services.file(world.hospital, ground.explained(world, checked))
    with pytest.raises(Conflict, match="已报送"):
        services.explain(world.hospital, checked, {finding.pk: LONG_ENOUGH})


def test_errors_cannot_be_explained_away(world, owed):
    checked = ground.checked(world, owed, WRONG)
    hard = checked.findings.filter(severity="hard")[0]
    with pytest.raises(Refused, match="不是本版需要说明"):
        services.explain(world.hospital, checked, {hard.pk: LONG_ENOUGH})


def test_the_bureau_sees_what_was_filed_and_never_the_drafts(world, owed):
    ground.checked(world, owed, WRONG)
    assert (seen_by(world.hospital), seen_by(world.officer), seen_by(world.observer)) == ({1}, set(), set())
    filed = ground.filed(world, owed)
    assert (seen_by(world.hospital), seen_by(world.officer), seen_by(world.sister_hospital)) == ({1, 2}, {2}, set())
    services.withdraw(world.hospital, filed, "发现成员表有误")
    assert seen_by(world.officer) == set()


def test_a_withdrawn_table_can_be_filed_again_as_it_is(world, owed):
    filed = ground.filed(world, owed)
    with pytest.raises(Refused, match="没有写明理由"):
        services.withdraw(world.hospital, filed, " ")
    withdrawn = services.withdraw(world.hospital, filed, "发现成员表有误")
    assert (withdrawn.state, withdrawn.filed_by, state(owed)) == ("checked", None, "uploaded")
    assert "撤回" in told(world.officer)
    assert services.file(world.hospital, withdrawn).state == "filed"


def test_a_returned_table_can_be_filed_again_even_after_the_deadline(world, owed, time_machine):
    returned = ground.returned(world, owed)
    assert (returned.state, state(owed)) == ("returned", "returned")
    assert "成员表与总表口径不一致" in told(world.hospital)
    time_machine.move_to("2026-10-20 09:00:00+08:00")
    again = ground.filed(world, owed, moved(121))
    assert (again.state, again.number) == ("filed", 2)
    assert not services.is_late(again)


def test_a_table_uploaded_after_the_last_day_needs_an_officers_admission(world, owed, time_machine):
    time_machine.move_to("2026-10-16 00:00:01+08:00")
    late = ground.explained(world, ground.checked(world, owed))
    with pytest.raises(Refused, match="已逾期") as refusal:
        services.file(world.hospital, late)
    assert "林晓岚" in str(refusal.value) and "准予迟报" in str(refusal.value)
    services.admit_late(world.officer, owed, date(2026, 10, 20), "机房停电一日，已核实")
    assert "准予" in told(world.hospital)
    assert services.file(world.hospital, late).state == "filed"
    assert Assignment.objects.get(pk=owed.pk).admitted_by == world.officer


def test_a_late_admission_wants_a_later_day_and_a_reason(world, owed, time_machine):
    with pytest.raises(Refused, match="不早于所填日期"):
        services.admit_late(world.officer, owed, date(2026, 10, 15), "机房停电一日")
    time_machine.move_to("2026-10-18 09:00:00+08:00")
    with pytest.raises(Refused, match="已经过去"):
        services.admit_late(world.officer, owed, date(2026, 10, 17), "机房停电一日")
    with pytest.raises(Refused, match="一年以内"):
        services.admit_late(world.officer, owed, date(9999, 12, 31), "机房停电一日")
    with pytest.raises(Refused, match="没有写明理由"):
        services.admit_late(world.officer, owed, date(2026, 10, 20), "")
    with pytest.raises(NotAllowed):
        services.admit_late(world.hospital, owed, date(2026, 10, 20), "机房停电一日")


def test_nothing_to_report_is_a_version_of_its_own_and_not_a_missing_table(world, owed):
    with pytest.raises(Refused, match="没有写明理由"):
        services.report_nothing(world.hospital, owed, "")
    nothing = services.report_nothing(world.hospital, owed, "本医共体本期尚未运行，无基金收支")
    assert (nothing.kind, nothing.state, nothing.number, nothing.file, state(owed)) == (
        "nothing", "filed", 1, None, "filed",
    )  # fmt: skip
    assert nothing.receipt.startswith("QX-2026Q3-001-")
    assert "无数据上报" in told(world.officer)
    done = services.accept(world.officer, nothing)
    assert (done.state, state(owed)) == ("accepted", "accepted")
    assert not AcceptedFigure.objects.exists() and verify_submissions() == []


def test_nothing_to_report_puts_a_draft_out_of_the_way(world, owed):
    draft = ground.checked(world, owed)
    services.report_nothing(world.hospital, owed, "本医共体本期尚未运行")
    draft.refresh_from_db()
    assert draft.state == "replaced"
    with pytest.raises(Conflict, match="等待受理"):
        services.report_nothing(world.hospital, owed, "本医共体本期尚未运行")


def test_nothing_to_report_after_the_last_day_needs_an_admission_too(world, owed, time_machine):
    time_machine.move_to("2026-10-16 09:00:00+08:00")
    with pytest.raises(Refused, match="已逾期"):
        services.report_nothing(world.hospital, owed, "本医共体本期尚未运行")
    assert not Submission.objects.exists()


def test_whoever_filed_or_uploaded_never_accepts(world, owed):
    from core.models import Role, RoleGrant

    filed = ground.filed(world, owed)
    RoleGrant.objects.create(
        user=world.hospital, role=Role.FUND_OFFICER, alliance=world.alliance, valid_from=date(2020, 1, 1)
    )
    both_posts = type(world.hospital).objects.get(pk=world.hospital.pk)
    with pytest.raises(NotAllowed, match="不能由本人复核"):
        services.accept(both_posts, filed)
    assert Submission.objects.get(pk=filed.pk).state == "filed"


@pytest.mark.parametrize("post", ["hospital", "sister_hospital", "member", "reviewer", "observer", "auditor", "admin"])
def test_only_an_officer_returns_accepts_and_reopens(world, owed, post):
    filed = ground.filed(world, owed)
    person = getattr(world, post)
    for act in (
        lambda: services.accept(person, filed),
        lambda: services.return_submission(person, filed, "请核对成员表"),
        lambda: services.reopen(person, owed, "请补报成员表"),
        lambda: services.close_reopening(person, owed, "不再更正"),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert Submission.objects.get(pk=filed.pk).state == "filed"


def test_a_second_officer_is_told_who_was_first(world, owed):
    filed = ground.filed(world, owed)
    services.accept(world.officer, filed)
    with pytest.raises(Conflict, match="林晓岚已办理“受理报表”"):
        services.return_submission(world.second_officer, filed, "请核对成员表")


def test_a_reopened_table_stays_in_force_until_the_next_one_is_accepted(world, owed):
    first = ground.accepted(world, owed)
    with pytest.raises(Refused, match="没有写明理由"):
        services.reopen(world.officer, owed, "")
    services.reopen(world.officer, owed, "成员单位漏报一家，须更正")
    assert "重新开放" in told(world.hospital)
    with pytest.raises(Conflict, match="本来就可以上传"):
        services.reopen(world.second_officer, owed, "成员单位漏报一家")
    second = ground.filed(world, owed, moved(121))
    first.refresh_from_db()
    assert (first.state, state(owed)) == ("accepted", "filed")
    services.accept(world.officer, second)
    first.refresh_from_db()
    now = Assignment.objects.get(pk=owed.pk)
    assert (first.state, now.state, now.reopened, now.is_closed) == ("superseded", "accepted", False, True)
    assert acts(owed)[-2:] == [Act.SUPERSEDE, Act.ACCEPT]
    assert AcceptedFigure.objects.filter(submission=first).exists()
    assert verify_submissions() == []


def test_a_reopening_is_taken_back_and_the_accepted_table_goes_on_standing(world, owed):
    first = ground.accepted(world, owed)
    services.reopen(world.officer, owed, "成员单位漏报一家，须更正")
    draft = ground.checked(world, owed, moved(121))
    with pytest.raises(Refused, match="没有写明理由"):
        services.close_reopening(world.officer, owed, " ")
    services.close_reopening(world.officer, owed, "经核对原报表无误，不再更正")
    first.refresh_from_db()
    draft.refresh_from_db()
    now = Assignment.objects.get(pk=owed.pk)
    assert (first.state, draft.state) == ("accepted", "replaced")
    assert (now.state, now.reopened, now.is_closed) == ("accepted", False, True)
    assert acts(owed)[-2:] == [Act.REPLACE, Act.CLOSE]
    assert "结束" in told(world.hospital) and "第 1 版为准" in told(world.hospital)
    assert TrailEvent.objects.get(action="submissions.close").data["reason"] == "经核对原报表无误，不再更正"
    assert last_of(now, list(now.versions.all())) == first
    with pytest.raises(Conflict, match="不再接收新的版本"):
        ground.received(world, owed, moved(122))
    assert verify_submissions() == []


def test_a_reopening_is_not_closed_over_a_filed_table_but_after_its_return(world, owed):
    ground.accepted(world, owed)
    services.reopen(world.officer, owed, "成员单位漏报一家，须更正")
    second = ground.filed(world, owed, moved(121))
    with pytest.raises(Conflict, match="正在等待受理"):
        services.close_reopening(world.officer, owed, "不再更正")
    assert (state(owed), Submission.objects.get(pk=second.pk).state) == ("filed", "filed")
    services.return_submission(world.officer, second, "更正理由不成立，请核对")
    services.close_reopening(world.officer, owed, "不再更正，仍以原报表为准")
    assert (state(owed), Submission.objects.get(pk=second.pk).state) == ("accepted", "replaced")


def test_what_was_not_reopened_cannot_be_closed(world, owed):
    for _step in range(2):
        with pytest.raises(Conflict, match="没有重新开放"):
            services.close_reopening(world.officer, owed, "不再更正，仍以原报表为准")
        if state(owed) == "due":
            ground.accepted(world, owed)
    assert Act.CLOSE not in acts(owed)


def test_a_period_stays_in_the_export_while_its_reopened_table_is_made_anew(world, owed):
    assert accepted_periods(world.officer) == []
    ground.accepted(world, owed)
    services.reopen(world.officer, owed, "成员单位漏报一家，须更正")
    ground.filed(world, owed, moved(121))
    assert [str(period) for period in accepted_periods(world.officer)] == ["2026Q3"]


def test_a_waiver_lets_one_check_pass_for_one_row_with_a_reason(world, owed):
    checked = ground.checked(world, owed, typed("EMP", "3", 1))
    hard = [finding for finding in checked.findings.all() if finding.is_blocking]
    assert {finding.code for finding in hard} >= {"H1"}
    first = hard[0]
    with pytest.raises(Refused, match="没有写明理由"):
        services.waive(world.reviewer, owed, first.code, first.fund_type, first.row_code, "", "")
    for finding in hard:
        key = (finding.code, finding.fund_type, finding.row_code)
        if not Waiver.objects.filter(code=key[0], fund_type=key[1], row_code=key[2]).exists():
            services.waive(world.reviewer, owed, *key, "", "系统切换期口径未统一，已核实")
    first.refresh_from_db()
    assert first.waiver.granted_by == world.reviewer and not first.is_blocking
    assert services.file(world.hospital, ground.explained(world, checked)).state == "filed"


def test_a_waiver_given_before_holds_for_the_next_upload(world, owed):
    services.waive(world.reviewer, owed, "H1", "EMP", "", "", "系统切换期口径未统一，已核实")
    checked = ground.checked(world, owed, both(typed("EMP", "3", 1), typed("RES", "3", 1)))
    waived = {(finding.code, finding.fund_type) for finding in checked.findings.exclude(waiver=None)}
    assert waived == {("H1", "EMP")}
    assert ("H1", "RES") in {
        (finding.code, finding.fund_type) for finding in checked.findings.all() if finding.is_blocking
    }


def test_only_a_reviewer_waives_and_only_what_can_be_waived(world, owed):
    for person in (world.officer, world.hospital, world.stranger_reviewer):
        with pytest.raises(NotAllowed):
            services.waive(person, owed, "H1", "", "", "", "系统切换期口径未统一")
    for code in ("F01", "V02", "", "H99"):
        with pytest.raises(Refused) as refusal:
            services.waive(world.reviewer, owed, code, "", "", "", "系统切换期口径未统一")
        assert refusal.value.problems[0].field == "code"
    services.waive(world.reviewer, owed, "H1", "", "", "", "系统切换期口径未统一")
    with pytest.raises(Conflict, match="何劲松准予"):
        services.waive(world.second_reviewer, owed, "H1", "", "", "", "系统切换期口径未统一")


def test_the_record_of_acts_cannot_be_changed_and_nothing_is_deleted(world, owed):
    done = ground.accepted(world, owed)
    refused = [
        lambda: SubmissionChange.objects.filter(submission=done).update(reason="改写"),
        lambda: SubmissionChange.objects.filter(submission=done).delete(),
        lambda: AcceptedFigure.objects.filter(submission=done).update(number=1),
        lambda: Submission.objects.filter(pk=done.pk)._raw_delete("default"),
        lambda: Assignment.objects.filter(pk=owed.pk)._raw_delete("default"),
    ]
    for act in refused:
        with pytest.raises(DatabaseError), transaction.atomic():
            act()


def test_verify_names_a_changed_figure_a_swapped_file_and_a_rewritten_state(world, owed):
    done = ground.accepted(world, owed)
    done.figures["funds"]["RES"]["4.3"]["current"] = "1.00"
    Submission.objects.filter(pk=done.pk).update(figures=done.figures, answer=None)
    texts = [finding.text for finding in verify_submissions()]
    assert texts == ["受理数据 RES 4.3 为 119447000.00，报表中是 1.00"]
    Submission.objects.filter(pk=done.pk).update(file=done.answer, state="filed")
    texts = " ".join(finding.text for finding in verify_submissions())
    assert "与办理记录不符" in texts and ("已被调换" in texts or "与轨迹不符" in texts)


def test_a_stolen_reconciliation_or_a_missing_accepter_is_named(world, owed):
    from core import triggers

    done = ground.accepted(world, owed)
    with triggers.lifted():
        Reconciliation.objects.filter(submission=done).delete()
    Submission.objects.filter(pk=done.pk).update(decided_by=None)
    assert {finding.text for finding in verify_submissions()} == {
        "没有受理人，或受理人就是报送人", "已受理而没有对账",
    }  # fmt: skip


def test_every_act_stands_in_the_trail_with_its_version(world, owed):
    returned = ground.returned(world, owed)
    events = TrailEvent.objects.filter(subject_type="submissions.submission", subject_id=str(returned.pk)).order_by(
        "pk"
    )
    named = [event.action.removeprefix("submissions.") for event in events]
    assert [name for name in named if name != "explain"] == ["upload", "check", "file", "return"]
    assert {event.alliance for event in events} == {world.alliance}
    assert events.last().data["sha256"] == returned.file.sha256
    assert dict(verifications)["轨迹链"]() == []


def test_the_desk_asks_each_side_for_what_is_its_turn(world, owed):
    assert [todo.title for todo in todos.todos(world.hospital)] == [f"报送：{owed}"]
    assert todos.todos(world.officer) == [] and todos.badge(world.officer) == 0
    ground.checked(world, owed)
    assert todos.todos(world.hospital)[0].title.startswith("核对检查结果并报送")
    returned = ground.returned(world, owed, moved(121))
    assert returned.number == 2 and todos.todos(world.hospital)[0].title.startswith("改正退回的报表")
    filed = ground.filed(world, owed, moved(122))
    assert todos.badge(world.hospital) == 0 and todos.badge(world.officer) == 1
    assert todos.todos(world.county_officer)[0].title == f"受理：{owed}"
    services.accept(world.officer, filed)
    assert todos.badge(world.officer) == todos.badge(world.stranger_officer) == 0


def test_the_search_finds_a_receipt_and_a_period_inside_the_own_places(world, owed):
    filed = ground.filed(world, owed)
    assert [hit.url for hit in todos.search(world.officer, filed.receipt)] == [filed.get_absolute_url()]
    assert [hit.url for hit in todos.search(world.officer, "青溪 2026Q3")] == [owed.get_absolute_url()]
    assert todos.search(world.stranger_officer, filed.receipt) == todos.search(world.stranger_officer, "青溪") == []


def test_the_control_sums_count_states_and_the_accepted_money(world, owed):
    ground.accepted(world, owed)
    sums = totals.control_sums()
    assert (sums["填报任务 已受理"], sums["填报任务 待报"], sums["报表版本 已受理"]) == ("1 项", "2 项", "1 份")
    assert "金额合计" in sums["受理数据"]
