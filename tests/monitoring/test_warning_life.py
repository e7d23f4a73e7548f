"""Who may do what with a warning when, what stands in the way, what is kept of it and who hears of it."""

from datetime import date

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from core.access import Allowed, Denied, NotAllowed
from core.errors import Conflict, Refused
from core.models import Notice, Role, RoleGrant, TrailEvent, User
from core.registries import control_sums, month_end_steps, trail_texts, verifications
from core.trail import history
from monitoring.models import Warning, WarningAnswer, WarningChange, WarningFigure
from monitoring.services import warnings
from monitoring.states import ROLES, TRANSITIONS, Act, WarningState
from monitoring.verification_warnings import verify_warnings
from tests.monitoring import warning_ground as ground
from tests.monitoring.warning_ground import REASON, again, reply

UNTIL = date(2026, 9, 30)
DO = {
    Act.SEND: lambda who, w: warnings.send(who, w),
    Act.ANSWER: lambda who, w: warnings.answer(who, w, cause=REASON, measures=REASON, by_date=UNTIL),
    Act.WITHDRAW: lambda who, w: warnings.withdraw(who, w, REASON),
    Act.RETURN: lambda who, w: warnings.return_answer(who, w, REASON),
    Act.ACCEPT: lambda who, w: warnings.accept(who, w),
    Act.INQUIRE: lambda who, w: warnings.inquire(who, w, REASON, UNTIL),
    Act.TALK: lambda who, w: warnings.talk(who, w, REASON, date(2026, 8, 13), "县医保局方正、医院周敏"),
    Act.EXTEND: lambda who, w: warnings.extend(who, w, UNTIL, REASON),
    Act.REPORT: lambda who, w: warnings.report(who, w, REASON),
    Act.CLOSE: lambda who, w: warnings.close(who, w, REASON),
    Act.REOPEN: lambda who, w: warnings.reopen(who, w, REASON),
}
PEOPLE = {
    Role.FUND_OFFICER: ("officer", "second_officer", "county_officer"),
    Role.FUND_REVIEWER: ("reviewer", "second_reviewer"),
    Role.HOSPITAL_FINANCE: ("hospital",),
}
LEADS_TO = {(row.source, row.act): row.target for row in TRANSITIONS}
EVERYBODY = (
    "officer", "county_officer", "reviewer", "finance", "hospital", "sister_hospital", "member", "auditor", "observer",
    "admin", "stranger_officer", "stranger_reviewer", "nobody",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _clock(time_machine):
    time_machine.move_to(ground.NOW)


def told(user):
    return list(Notice.objects.filter(user=user).order_by("pk").values_list("text", flat=True))


def acts(w):
    return [change.act for change in w.changes.order_by("pk")]


@pytest.mark.parametrize("state", ground.AT)
def test_each_act_goes_by_the_table_of_states_and_posts(world, state):
    """Every act × every person at this state: done with the state it leads to, or refused and nothing changed."""
    w = ground.AT[state](world)
    assert w.state == state
    for act, do in DO.items():
        allowed_people = {name for role in ROLES[act] for name in PEOPLE.get(role, ())} if act != Act.REPORT else set()
        for name in EVERYBODY:
            who = User.objects.get(pk=getattr(world, name).pk)
            shown = warnings.allowed_acts(who, again(w))[act]
            before = WarningChange.objects.count()
            if name not in allowed_people:
                with pytest.raises(NotAllowed) as refusal:
                    do(who, w)
                assert isinstance(shown, Denied) and shown.reason == refusal.value.denied.reason
            elif (state, act) not in LEADS_TO:
                with pytest.raises(Conflict, match=Act(act).label):
                    do(who, w)
                assert isinstance(shown, Denied) and Act(act).label in shown.reason
            else:
                assert isinstance(shown, Allowed)
                with transaction.atomic():
                    do(who, w)
                    assert again(w).state == LEADS_TO[state, act]
                    transaction.set_rollback(True)
            assert WarningChange.objects.count() == before
    assert again(w).state == state


def test_a_warning_goes_from_the_breach_to_its_end_and_tells_everybody_in_turn(world):
    w = ground.raised(world)
    assert (w.number, w.level, w.title) == ("警-2026-0814-QX-RES-01", "yellow", "基层支出占比低于 18%")
    assert any("触发黄色预警" in text for text in told(world.county_officer)) and told(world.hospital) == []
    assert not Warning.objects.visible_to(world.hospital).exists()
    w = warnings.send(world.officer, w)
    assert (w.due_on, w.sent_by) == (date(2026, 8, 28), world.officer)
    assert "请于 2026-08-28 前答复" in told(world.hospital)[-1] and Warning.objects.visible_to(world.hospital).exists()
    made = reply(world, w)
    assert (made.number, again(w).state, again(w).due_on) == (1, "answered", date(2026, 8, 21))
    assert "第 1 次答复" in told(world.county_officer)[-1]
    w = warnings.return_answer(world.officer, w, "未说明分级收治安排", days=3)
    assert (w.state, w.due_on) == ("returned", date(2026, 8, 19))
    assert reply(world, w).number == 2
    w = warnings.accept(world.officer, w)
    assert (w.state, w.accepted_by, w.due_on) == ("accepted", world.officer, date(2026, 10, 13))
    w = warnings.close(world.reviewer, w, "措施已落实")
    assert (w.state, w.closed_by, w.due_on) == ("closed", world.reviewer, None)
    assert acts(w) == ["raise", "send", "answer", "return", "answer", "accept", "close"]
    assert [event.action for event in history(w)][-1] == "monitoring.close"
    assert verify_warnings() == []


def test_a_red_warning_is_sent_by_the_system_at_once(world):
    w = ground.raised(world, "15.5")
    assert (w.level, w.state, w.sent_by, w.due_on) == ("red", "sent", None, date(2026, 8, 28))
    assert acts(w) == ["raise", "send"] and "系统送达红色预警" in told(world.hospital)[-1]
    assert len(told(world.county_officer)) == 1


@pytest.mark.parametrize(("chosen", "percent", "state"), [("none", "15.5", "raised"), ("all", "17.5", "sent")])
def test_which_warnings_the_system_sends_is_a_parameter(world, chosen, percent, state):
    from core.parameters import confirm_parameter, enter_parameter

    entered = enter_parameter(world.admin, "monitoring.auto_send", world.area, chosen, "地方规定", date(2026, 1, 1))
    confirm_parameter(world.reviewer, entered)
    assert ground.raised(world, percent).state == state


def test_everything_wrong_with_an_answer_is_said_at_once(world):
    w = ground.sent(world)
    with pytest.raises(Refused) as refusal:
        warnings.answer(world.hospital, w, cause=" 无 ", measures="", by_date=None, target="目" * 201)
    assert {problem.field for problem in refusal.value.problems} == {"cause", "measures", "by_date", "target"}
    with pytest.raises(Refused, match="已过去或超过一年"):
        warnings.answer(world.hospital, w, cause=REASON, measures=REASON, by_date=date(2026, 8, 13))
    with pytest.raises(Refused, match="超过 4000 个字"):
        warnings.answer(world.hospital, w, cause="长" * 4001, measures=REASON, by_date=UNTIL)
    assert not WarningAnswer.objects.exists()


def test_an_answer_keeps_its_files_and_an_earlier_one_stays_as_it_was(world, tmp_path, settings):
    from core.files import store_bytes

    settings.DATA_DIR = tmp_path
    file = store_bytes(b"plan", "床位恢复计划.pdf", "warning", world.hospital)
    w = ground.sent(world)
    first = warnings.answer(world.hospital, w, cause=REASON, measures=REASON, by_date=UNTIL, files=[file])
    assert [one.name for one in first.files.all()] == ["床位恢复计划.pdf"]
    w = warnings.inquire(world.officer, w, REASON, UNTIL, files=[file])
    assert w.changes.last().files.count() == 1 and w.changes.last().until == UNTIL
    with pytest.raises(DatabaseError), transaction.atomic():
        WarningAnswer.objects.filter(pk=first.pk).update(cause="改过")


def test_a_late_answer_is_taken_and_marked_late(world, time_machine):
    w = ground.sent(world)
    time_machine.move_to("2026-08-31 09:00:00+08:00")
    reply(world, w)
    assert w.changes.last().data["late"] is True
    assert "（逾期）" in told(world.county_officer)[-1]


def test_withdrawing_brings_back_the_former_deadline(world, time_machine):
    w = ground.answered(world)
    time_machine.move_to("2026-08-17 09:00:00+08:00")
    w = warnings.withdraw(world.hospital, w, "附件传错，需更换")
    assert (w.state, w.due_on) == ("sent", date(2026, 8, 28))


def test_who_accepted_an_answer_does_not_close_the_warning(world):
    RoleGrant.objects.create(user=world.nobody, role=Role.FUND_OFFICER, pooling_area=world.area, valid_from=date(2020, 1, 1))
    RoleGrant.objects.create(user=world.nobody, role=Role.FUND_REVIEWER, county=world.qingxi, valid_from=date(2020, 1, 1))
    w = warnings.accept(world.nobody, ground.answered(world))
    with pytest.raises(NotAllowed, match="由您本人采纳"):
        warnings.close(world.nobody, w, REASON)
    with pytest.raises(IntegrityError), transaction.atomic():
        Warning.objects.filter(pk=w.pk).update(closed_by=world.nobody)
    assert warnings.close(world.reviewer, w, REASON).state == "closed"


@pytest.mark.parametrize("days", [0, 61, -3])
def test_a_deadline_has_a_sensible_number_of_days(world, days):
    w = ground.raised(world)
    with pytest.raises(Refused, match="不在 1–60 之间"):
        warnings.send(world.officer, w, days)
    assert again(w).state == "raised"


@pytest.mark.parametrize(
    ("until", "words"),
    [(None, "没有填写新的期限"), (date(2026, 8, 28), "不晚于现在的期限"), (date(2027, 1, 1), "超过 92 日")],
)
def test_an_extension_names_a_later_day_that_is_not_too_far(world, until, words):
    with pytest.raises(Refused, match=words):
        warnings.extend(world.officer, ground.sent(world), until, REASON)


def test_an_extension_starts_the_escalation_anew(world):
    w = ground.sent(world)
    Warning.objects.filter(pk=w.pk).update(escalations=2)
    w = warnings.extend(world.officer, w, date(2026, 9, 10), REASON)
    assert (w.state, w.due_on, w.escalations) == ("sent", date(2026, 9, 10), 0)


def test_a_talk_is_kept_with_its_day_and_people(world):
    w = ground.sent(world)
    with pytest.raises(Refused) as refusal:
        warnings.talk(world.officer, w, REASON, date(2026, 8, 15), " ")
    assert {problem.field for problem in refusal.value.problems} == {"held_on", "participants"}
    w = warnings.talk(world.officer, w, REASON, date(2026, 8, 14), "方正、周敏")
    assert w.changes.last().data == {"held_on": "2026-08-14", "participants": "方正、周敏"}


def test_an_inquiry_asks_for_a_day_to_come(world):
    w = ground.sent(world)
    for until in (None, date(2026, 8, 13), date(2028, 1, 1)):
        with pytest.raises(Refused):
            warnings.inquire(world.officer, w, REASON, until)


def test_closing_needs_a_reason_until_the_figure_has_recovered(world):
    w = ground.accepted(world)
    with pytest.raises(Refused, match="没有写明理由"):
        warnings.close(world.reviewer, w, "")
    Warning.objects.filter(pk=w.pk).update(recovered=True)
    assert warnings.close(world.reviewer, w, "").state == "closed"


def test_a_closed_warning_is_reopened_unless_a_newer_one_is_open(world):
    w = warnings.reopen(world.reviewer, ground.closed(world), "整改没有见效")
    assert (w.state, w.closed_by, w.accepted_by, w.due_on) == ("sent", None, None, date(2026, 8, 28))
    w = warnings.close(world.reviewer, w, REASON)
    newer = ground.raised(world, "15.5", ground.AUGUST)
    assert newer.pk != w.pk
    with pytest.raises(Conflict, match=newer.number):
        warnings.reopen(world.reviewer, w, REASON)


def test_an_officer_raises_a_warning_by_hand(world):
    w = warnings.raise_manual(world.officer, world.alliance, "RES", "门诊统筹支出异常", "orange", "明细中有集中开药")
    assert (w.state, w.source, w.cause) == ("raised", "manual", "manual-2026-01")
    second = warnings.raise_manual(world.officer, world.township, "RES", "住院天数偏短", "yellow", "现场核查发现")
    assert (second.alliance, second.institution) == (world.alliance, world.township)
    third = warnings.raise_manual(world.officer, world.alliance, "RES", "药占比偏高", "yellow", REASON, "drug_share")
    assert third.number.endswith("QX-RES-02")
    with pytest.raises(Conflict, match=third.number):
        warnings.raise_manual(world.officer, world.alliance, "RES", "药占比偏高", "red", REASON, "drug_share")
    with pytest.raises(NotAllowed):
        warnings.raise_manual(world.hospital, world.alliance, "RES", "自查", "yellow", REASON)
    with pytest.raises(NotAllowed):
        warnings.raise_manual(world.stranger_officer, world.alliance, "RES", "自查", "yellow", REASON)
    assert warnings.send(world.officer, w).state == "sent" and verify_warnings() == []


def test_everything_wrong_with_a_warning_by_hand_is_said_at_once(world):
    with pytest.raises(Refused) as refusal:
        warnings.raise_manual(world.officer, world.alliance, "XX", " ", "purple", "无", "nothing")
    fields = {problem.field for problem in refusal.value.problems}
    assert fields == {"fund_type", "title", "level", "reason", "indicator"}


def test_a_provider_outside_every_alliance_is_answered_for_by_the_county(world):
    w = warnings.raise_manual(world.officer, world.outsider, "RES", "次均费用畸高", "red", REASON)
    w = warnings.send(world.officer, w)
    assert "次均费用畸高" in told(world.county_officer)[-1]
    reply(world, w, world.county_officer)
    with pytest.raises(NotAllowed, match="澜川市医保局办理"):
        warnings.accept(world.county_officer, w)
    assert warnings.accept(world.officer, w).state == "accepted"


def test_what_was_noted_and_done_is_never_changed_or_deleted(world):
    w = ground.answered(world)
    for rows in (w.changes, w.figures, w.answers):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(warning=w)
        with pytest.raises(DatabaseError), transaction.atomic():
            type(rows.first())._default_manager.filter(pk=rows.first().pk)._raw_delete("default")
    with pytest.raises(DatabaseError), transaction.atomic():
        Warning.objects.filter(pk=w.pk)._raw_delete("default")


def test_the_verification_notices_a_changed_state_and_a_missing_trace(world):
    w = ground.accepted(world)
    assert dict(verifications)["风险预警"]() == []
    Warning.objects.filter(pk=w.pk).update(state=WarningState.ANSWERED, sent_at=None)
    WarningFigure.objects.create(warning=w, year=2026, month=9, value=1, noted_at=w.raised_at)
    texts = " ".join(finding.text for finding in verify_warnings())
    assert "与办理记录不符" in texts and "没有送达时间" in texts and "没有计算依据" in texts


def test_the_verification_notices_an_act_the_trail_does_not_know(world):
    w = ground.sent(world)
    TrailEvent.objects.count()
    WarningChange.objects.create(warning=w, act=Act.EXTEND, source="sent", target="sent", at=w.raised_at)
    assert any("与轨迹不符" in finding.text for finding in verify_warnings())


def test_the_engine_is_joined_to_the_house(world):
    ground.accepted(world)
    sums = dict(control_sums)["风险预警"]()
    assert sums["风险预警 整改跟踪"] == "1 条" and sums["预警阈值 启用"] == "1 项"
    assert "warnings" in dict(month_end_steps)
    assert trail_texts.get("monitoring.escalate") == "逾期升级"
