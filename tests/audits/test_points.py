"""Points of providers and people: four eyes, 9 and 12, at once and cumulated, the new year, moves, appeals, the register."""

from datetime import date

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from audits.models import AgreementChange, Physician, PointEntry, Qualification
from audits.reading.points import in_effect, person_standing, provider_on
from audits.services import agreements, physicians, points, qualifications
from audits.states import TrackKind, TrackState
from audits.todos_agreements import todos
from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.models import Notice
from core.trail import history
from core.workbook import Sheet, write_workbook
from tests.audits import ground
from tests.audits.agreement_ground import CODE, NOW, REASON, TODAY, agreement, doctor, given, proposal, second_reviewer

HEADER = tuple(physicians.HEADER)


@pytest.fixture(autouse=True)
def _clock(time_machine):
    time_machine.move_to(NOW)


def rows(code=CODE, **wanted):
    return list(Qualification.objects.filter(physician__code=code, **wanted).order_by("pk"))


def suspended(world, held, months=3, start=TODAY):
    """The suspension that waits, with its months named and approved."""
    row = rows(held.code, kind="suspended", status="proposed")[0]
    named = qualifications.name_months(world.auditor, row, months, start, REASON)
    return qualifications.decide_qualification(world.audit_reviewer, named, True)


def test_points_are_proposed_by_one_and_approved_by_another(world):
    entry = proposal(world, 2, TODAY)
    assert provider_on(world.township, TODAY).points == 0
    with pytest.raises(NotAllowed):
        points.decide_points(world.auditor, entry, True)
    entry = points.decide_points(world.audit_reviewer, entry, True)
    assert (entry.status, provider_on(world.township, TODAY).points) == ("in_force", 2)
    assert [event.action for event in history(entry)] == [points.PROPOSE, points.DECIDE]
    assert Notice.objects.filter(user=world.member, text__contains="记 2 分").exists()
    with pytest.raises(Conflict, match="现在是“生效”"):
        points.decide_points(second_reviewer(world), entry, True)
    with pytest.raises(IntegrityError), transaction.atomic():
        PointEntry.objects.filter(pk=entry.pk).update(decided_by=world.auditor)
    with pytest.raises(DatabaseError), transaction.atomic():
        entry.delete()


def test_points_name_everything_wrong_at_once(world):
    held = doctor(world, since=date(2026, 8, 1))
    case = ground.opened(world)
    with pytest.raises(Refused) as refused:
        points.propose(
            world.auditor, world.township, physician=held, on=date(2026, 5, 1), points=9, severity="light", clause="", reason="不",
            case=case,
        )  # fmt: skip
    told = str(refused.value)
    for words in (
        "“情节较轻”应记 1–3 分，现为9分", "登记期间是 2026-08-01 至 今", "没有写明条款", "请至少写 4 个字",
        "还没有作出协议处理决定",
    ):  # fmt: skip
        assert words in told
    with pytest.raises(Refused, match="晚于今天"):
        proposal(world, 2, date(2026, 9, 2))
    with pytest.raises(Refused, match="须为 1 至 12 分，现为 13 分"):
        proposal(world, 13, TODAY)
    with pytest.raises(Refused, match="不在青溪县人民医院"):
        proposal(world, 2, TODAY, held, institution=world.lead)


def test_the_same_points_are_not_given_twice(world):
    proposal(world, 2, TODAY)
    with pytest.raises(Refused, match="请勿重复记分"):
        proposal(world, 2, TODAY)
    assert proposal(world, 2, TODAY, severity="串换项目").pk


def test_points_come_from_the_agreement_decision_of_a_case(world):
    track = ground.track_in(world, TrackKind.AGREEMENT, TrackState.DECIDED)
    entry = proposal(world, 4, TODAY, case=track.case)
    assert list(track.case.points.all()) == [entry]
    with pytest.raises(Refused, match="不是青溪县人民医院"):
        proposal(world, 4, TODAY, case=track.case, institution=world.lead)


def test_nine_points_ask_for_a_suspension_whose_months_are_named_and_approved(world):
    held = doctor(world)
    given(world, 6, date(2026, 3, 1), held)
    assert rows() == []
    given(world, 3, date(2026, 5, 1), held)
    (row,) = rows()
    assert (row.kind, row.status, row.months, row.points) == ("suspended", "proposed", None, 9)
    assert todos(world.auditor)[0].title.startswith("确定暂停月数")
    with pytest.raises(Refused, match="暂停月数还没有确定"):
        qualifications.decide_qualification(world.audit_reviewer, row, True)
    with pytest.raises(Refused) as refused:
        qualifications.name_months(world.auditor, row, 7, date(2026, 12, 1), "")
    told = str(refused.value)
    assert "须在 1 至 6 个月之间，现为 7 个月" in told and "2026-12-01 不在" in told and "没有写明理由" in told
    row = suspended(world, held)
    assert (row.status, row.until) == ("approved", date(2026, 11, 30))
    assert in_effect([CODE], TODAY)[CODE] == row
    assert person_standing(CODE, TODAY).state == "suspended"


def test_who_named_the_months_does_not_approve_them(world):
    held = doctor(world)
    given(world, 9, date(2026, 5, 1), held)
    both = ground.person("both_posts", "两岗", "audit_reviewer", world.area)
    row = qualifications.name_months(world.auditor, rows()[0], 2, TODAY, REASON)
    Qualification.objects.filter(pk=row.pk).update(proposed_by=both)
    with pytest.raises(NotAllowed, match="本人经办"):
        qualifications.decide_qualification(both, row, True)


def test_a_suspension_given_back_is_laid_anew_for_other_months(world):
    held = doctor(world)
    given(world, 9, date(2026, 5, 1), held)
    row = qualifications.name_months(world.auditor, rows()[0], 6, TODAY, REASON)
    qualifications.decide_qualification(world.audit_reviewer, row, False, "初犯且退回，月数偏重")
    assert [(one.status, one.months) for one in rows()] == [("returned", 6), ("proposed", None)]


def test_twelve_at_once_end_for_three_years_and_cumulated_for_one(world):
    first, second = doctor(world), doctor(world, code="D990101000002", name="王平")
    given(world, 12, date(2026, 6, 1), first)
    given(world, 6, date(2026, 2, 1), second)
    given(world, 6, date(2026, 6, 1), second)
    (at_once,), (cumulated,) = rows(first.code), rows(second.code)
    assert (at_once.kind, at_once.at_once, at_once.from_on, at_once.until) == ("ended", True, date(2026, 6, 1), date(2029, 5, 31))
    assert (cumulated.kind, cumulated.at_once, cumulated.until) == ("ended", False, date(2027, 5, 31))
    with pytest.raises(Refused, match="仍然成立，不能退回"):
        qualifications.decide_qualification(world.audit_reviewer, at_once, False, "情节可以从轻")
    with pytest.raises(NotAllowed):
        qualifications.decide_qualification(world.reviewer, at_once, True)
    assert qualifications.decide_qualification(world.audit_reviewer, at_once, True).status == "approved"


def test_an_end_takes_the_place_of_a_suspension_still_waiting(world):
    held = doctor(world)
    given(world, 9, date(2026, 5, 1), held)
    given(world, 3, date(2026, 7, 1), held)
    assert [(one.kind, one.status) for one in rows()] == [("suspended", "returned"), ("ended", "proposed")]


def test_the_new_year_clears_points_but_not_a_running_suspension(world, time_machine):
    held = doctor(world)
    given(world, 9, date(2026, 8, 1), held)
    suspended(world, held, months=6)
    time_machine.move_to("2027-01-10 09:00:00+08:00")
    now = person_standing(CODE, date(2027, 1, 10))
    assert (now.points, now.state, now.until) == (0, "suspended", date(2027, 2, 28))
    given(world, 9, date(2027, 1, 5), held)
    waiting = rows(status="proposed")
    assert [(row.kind, row.from_on) for row in waiting] == [("suspended", date(2027, 3, 1))]
    assert person_standing(CODE, date(2027, 3, 1)).state == "suspension_due"


def test_points_and_a_suspension_go_along_to_another_provider(world):
    held = doctor(world)
    given(world, 9, date(2026, 5, 1), held)
    suspended(world, held)
    moved = physicians.move(world.officer, held, world.lead, date(2026, 9, 1), "外科")
    held.refresh_from_db()
    assert (held.valid_to, moved.institution) == (date(2026, 8, 31), world.lead)
    assert person_standing(CODE, TODAY).points == 9 and CODE in in_effect([CODE], TODAY)
    given(world, 3, TODAY, moved)
    assert rows(kind="ended")[0].physician == moved


def test_an_accepted_appeal_takes_points_and_what_followed_back(world):
    held = doctor(world)
    given(world, 6, date(2026, 3, 1), held)
    last = given(world, 3, date(2026, 5, 1), held)
    row = suspended(world, held)
    with pytest.raises(Refused, match="没有写明理由"):
        points.withdraw(world.audit_reviewer, last, "")
    points.withdraw(world.audit_reviewer, last, "申诉成立，事实有误")
    assert person_standing(CODE, TODAY).points == 6
    (back,) = rows(kind="restored")
    assert (back.lifts, back.status) == (row, "proposed") and CODE in in_effect([CODE], TODAY)
    qualifications.decide_qualification(world.audit_reviewer, back, True)
    assert in_effect([CODE], TODAY) == {}


def test_a_restoration_given_back_can_be_asked_for_again(world):
    held = doctor(world)
    first = given(world, 6, date(2026, 3, 1), held)
    last = given(world, 3, date(2026, 5, 1), held)
    row = suspended(world, held)
    points.withdraw(world.audit_reviewer, last, "申诉成立，事实有误")
    qualifications.decide_qualification(world.audit_reviewer, rows(kind="restored")[0], False, "先核对申诉材料")
    points.withdraw(world.audit_reviewer, first, "申诉成立，事实有误")
    assert [(one.lifts, one.status) for one in rows(kind="restored")] == [(row, "returned"), (row, "proposed")]


def test_a_withdrawn_entry_gives_back_the_proposal_it_led_to(world):
    held = doctor(world)
    last = given(world, 12, date(2026, 5, 1), held)
    points.withdraw(world.audit_reviewer, last, "申诉成立，事实有误")
    assert [(one.kind, one.status) for one in rows()] == [("ended", "returned")]


def test_an_end_for_three_years_becomes_one_when_the_points_at_once_go(world):
    held = doctor(world)
    given(world, 6, date(2026, 2, 1), held)
    at_once = given(world, 12, date(2026, 3, 1), held)
    given(world, 6, date(2026, 4, 1), held)
    former = qualifications.decide_qualification(world.audit_reviewer, rows(status="proposed")[0], True)
    points.withdraw(world.audit_reviewer, at_once, "申诉成立，事实有误")
    (new,) = rows(status="proposed")
    assert (new.kind, new.lifts, new.until) == ("ended", former, date(2027, 3, 31))
    qualifications.decide_qualification(world.audit_reviewer, new, True)
    assert in_effect([CODE], TODAY)[CODE] == new


def test_a_provider_and_its_people_are_counted_apart(world):
    agreement(world)
    held = doctor(world)
    given(world, 12, date(2026, 5, 1), held)
    assert provider_on(world.township, TODAY).points == 0
    given(world, 8, date(2026, 5, 1))
    assert person_standing(CODE, TODAY).points == 12
    assert not AgreementChange.objects.filter(kind__in=["suspend", "terminate"]).exists()


def test_a_provider_past_the_lines_is_proposed_for_suspension_and_termination(world):
    held = agreement(world)
    given(world, 8, date(2026, 3, 1))
    assert not held.changes.exclude(kind="sign").exists()
    given(world, 1, date(2026, 4, 1))
    suspend = held.changes.get(kind="suspend")
    assert (suspend.status, suspend.data["points"], suspend.proposed_by) == ("proposed", 9, world.auditor)
    agreements.decide_change(world.audit_reviewer, suspend, True)
    given(world, 3, date(2026, 5, 1))
    terminate = held.changes.get(kind="terminate")
    agreements.decide_change(world.audit_reviewer, terminate, True)
    held.refresh_from_db()
    assert held.state == "terminated"


def test_withdrawn_points_of_a_provider_propose_to_resume(world):
    held = agreement(world)
    entry = given(world, 9, date(2026, 4, 1))
    waiting = held.changes.get(kind="suspend")
    agreements.decide_change(world.audit_reviewer, waiting, True)
    points.withdraw(world.audit_reviewer, entry, "申诉成立，事实有误")
    back = held.changes.get(kind="resume")
    agreements.decide_change(world.audit_reviewer, back, True)
    held.refresh_from_db()
    assert held.state == "in_force"


def test_withdrawn_points_give_back_a_suspension_still_waiting(world):
    held = agreement(world)
    entry = given(world, 9, date(2026, 4, 1))
    points.withdraw(world.audit_reviewer, entry, "申诉成立，事实有误")
    assert [row.status for row in held.changes.filter(kind="suspend")] == ["returned"]


def test_an_auditor_of_another_county_gives_no_points(world):
    other = ground.crew(world).other_county_auditor
    with pytest.raises(NotAllowed):
        points.propose(
            other, world.township, on=TODAY, points=2, severity="分解住院", clause="协议第三十条", reason="抽查发现问题"
        )
    assert not PointEntry.objects.visible_to(other).exists()


def test_a_provider_sees_points_in_force_only(world):
    proposal(world, 2, TODAY)
    assert not PointEntry.objects.visible_to(world.member).exists()
    entry = given(world, 3, TODAY)
    assert list(PointEntry.objects.visible_to(world.member)) == [entry]
    assert not PointEntry.objects.visible_to(world.sister_hospital).exists()


def test_a_person_is_registered_once_and_moved_not_doubled(world):
    doctor(world)
    with pytest.raises(Refused, match="请在其人员页面办理转移"):
        doctor(world, world.lead, since=TODAY)
    with pytest.raises(Refused) as refused:
        physicians.enter(world.officer, world.township, {"code": "d1", "name": "", "kind": "x", "valid_from": None})
    for words in ("“d1”无效", "没有写明姓名", "类别“x”无效", "没有填写登记日期"):
        assert words in str(refused.value)
    with pytest.raises(NotAllowed):
        physicians.enter(world.auditor, world.township, {})


def test_a_banned_person_is_registered_again_only_after_the_years(world, time_machine):
    held = doctor(world)
    given(world, 12, date(2026, 6, 1), held)
    qualifications.decide_qualification(world.audit_reviewer, rows()[0], True)
    with pytest.raises(Refused, match="2029-06-01 起才可以再次登记备案"):
        doctor(world, world.lead, since=TODAY)
    with pytest.raises(Refused, match="2029-06-01 起"):
        physicians.move(world.officer, held, world.lead, TODAY)
    time_machine.move_to("2029-06-02 09:00:00+08:00")
    again = doctor(world, world.lead, since=date(2029, 6, 1))
    held.refresh_from_db()
    assert held.valid_to == date(2029, 5, 31)
    assert person_standing(CODE, date(2029, 6, 2)).state == "active"
    assert again.institution == world.lead


def test_a_registration_is_ended_with_its_last_day(world):
    held = doctor(world)
    with pytest.raises(Refused, match="不晚于登记日期"):
        physicians.end(world.officer, held, date(2025, 12, 1), "退休离岗")
    held = physicians.end(world.officer, held, TODAY, "退休离岗")
    assert held.valid_to == TODAY
    with pytest.raises(Conflict, match="已于 2026-09-01 结束"):
        physicians.move(world.officer, held, world.lead, TODAY)


def imported(world, *lines):
    content = write_workbook([Sheet(physicians.SHEET, HEADER, lines)])
    visible = {row.code: row for row in (world.township, world.lead)}
    return physicians.read_list(world.officer, content, "名单.xlsx", visible)


def test_a_list_is_read_whole_or_not_with_every_fault_of_every_row(world):
    good = (world.township.code, "D990101000011", "刘青", "医师", "内科", "2026-01-01")
    doctor(world)
    with pytest.raises(Refused) as refused:
        imported(
            world, good, ("H00000000000", "X1", "", "院长", "", "去年"), good[:2] + ("刘青二", "药师", "", "2026-02-01"),
            (world.lead.code, CODE, "李响", "医师", "", "2026-02-01"),
        )  # fmt: skip
    told = str(refused.value)
    for words in (
        "第 3 行：国家医保代码“X1”无效", "第 3 行：没有写明姓名", "第 3 行：类别“院长”无效", "第 3 行：登记日期“去年”",
        "第 3 行：没有编码为“H00000000000”", "第 2 行：国家医保代码“D990101000011”在名单中有 2 行",
        "第 5 行：国家医保代码“D990101000001”登记的姓名是李想", "第 5 行：李想（D990101000001）已在",
    ):  # fmt: skip
        assert words in told
    assert Physician.objects.count() == 1
    made = imported(world, good, (world.lead.code, "Y990101000012", "孙药", "药师", "", "2026-01-01"))
    assert [row.kind for row in made] == ["doctor", "pharmacist"]
