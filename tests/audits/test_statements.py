"""What the provider says, in time and late; agreeing; asking for a hearing; answers given once; the hearing itself."""

from __future__ import annotations

from datetime import date

import pytest

from audits.models import CaseDocument, Deadline, Hearing, StatementKind
from audits.reading.statements import points_of
from audits.services.hearings import announce, hold, hosts
from audits.services.statements import Point, agree, ask_hearing, give_statement, reply
from audits.services.steps import allowed_track_acts
from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.models import Notice
from tests.audits.findings_ground import finding, ground, person, piece, stored

__all__ = ["ground"]
DUE = date(2026, 10, 14)


@pytest.fixture
def notified(ground):
    """A notified penalty track with a right to a hearing; both limits end on 14 October."""
    ground.finding = finding(ground, evidence=[piece(ground).pk])
    track = ground.track("notified", "penalty", needs_hearing=True)
    for key in ("statement", "hearing_request"):
        Deadline.objects.create(
            case=track.case, track=track, key=key, starts_on=track.notified_on, due_on=DUE, count=5, unit="working_days"
        )
    ground.notified = track
    return ground


def told(refusal):
    return "；".join(str(problem) for problem in refusal.value.problems)


def say(ground, **given):
    values = {"text": "部分事实有出入。", "points": [Point(ground.finding.pk, False, "3 对系病情反复")], **given}
    return give_statement(ground.world.member, ground.notified, **values)


def test_the_provider_states_finding_by_finding(notified):
    made = say(notified, files=[stored(b"proof", "病历.pdf")])
    assert (made.number, made.kind, made.is_late, made.given_by) == (1, "statement", False, notified.world.member)
    assert points_of(made)[notified.finding.pk] == {"finding": notified.finding.pk, "agrees": False, "text": "3 对系病情反复"}
    assert [file.name for file in made.files.all()] == ["病历.pdf"]
    assert Notice.objects.filter(user=notified.officer, text__contains="1 项事实有异议").exists()
    assert say(notified, kind=StatementKind.APPEAL).number == 2


def test_the_alliance_speaks_for_its_member_and_nobody_else_does(notified):
    give_statement(notified.world.hospital, notified.notified, text="由医共体代为陈述。")
    for user in (notified.world.sister_hospital, notified.officer, notified.world.officer):
        with pytest.raises(NotAllowed):
            give_statement(user, notified.notified, text="代为陈述。")


def test_every_fault_of_a_statement_is_told_at_once(notified):
    points = [Point(notified.finding.pk, False, ""), Point(notified.finding.pk, True), Point(424242, True)]
    with pytest.raises(Refused) as refusal:
        say(notified, text="字", points=points, kind="agreed")
    for word in ("没有写明理由", "须是陈述申辩或申诉", "对事实 1 有异议，没有写明理由", "事实 1 填写了两次", "（424242）"):
        assert word in told(refusal), word


@pytest.mark.parametrize(("day", "late"), [("2026-10-14", False), ("2026-10-15", True)])
def test_a_statement_after_the_last_day_is_taken_and_marked_late(notified, time_machine, day, late):
    time_machine.move_to(f"{day} 23:30:00+08:00")
    assert say(notified).is_late is late
    assert notified.notified.changes.last().data["late"] is late


def test_nothing_is_taken_once_the_track_went_on(notified):
    notified.notified.state = "re_review"
    notified.notified.save()
    with pytest.raises(Conflict):
        say(notified)


def test_agreeing_ends_the_waiting(notified):
    assert not allowed_track_acts(notified.officer, notified.notified)["put_forward"]
    made = agree(notified.world.member, notified.notified)
    assert made.kind == StatementKind.AGREED and "无异议" in made.text
    assert points_of(made)[notified.finding.pk]["agrees"] is True
    assert allowed_track_acts(notified.officer, notified.notified)["put_forward"]
    with pytest.raises(Conflict):
        agree(notified.world.hospital, notified.notified)


def test_the_reviewer_answers_a_statement_once(notified):
    made = say(notified)
    notified.notified.state = "re_review"
    notified.notified.save()
    assert not allowed_track_acts(notified.second, notified.notified)["pass_re"]
    with pytest.raises(Refused) as refusal:
        reply(notified.second, made, "?", "短")
    assert "没有选择采纳情况" in told(refusal) and "没有写明理由" in told(refusal)
    with pytest.raises(NotAllowed):
        reply(notified.first, made, "partly", "2 行病历支持，予以剔除。")
    reply(notified.second, made, "partly", "2 行病历支持，予以剔除。")
    assert allowed_track_acts(notified.second, notified.notified)["pass_re"]
    with pytest.raises(Conflict) as refusal:
        reply(notified.second, made, "refused", "再次答复一遍。")
    assert "第 1 份意见（陈述申辩）已由赵启明答复：部分采纳" in told(refusal)


def test_a_hearing_is_asked_for_in_time_by_who_has_the_right(notified, time_machine):
    made = ask_hearing(notified.world.member, notified.notified, "请求就罚款幅度听证。")
    notified.notified.refresh_from_db()
    assert (made.kind, notified.notified.state) == ("hearing", "hearing")
    assert Deadline.objects.filter(track=notified.notified, key="hearing_held", ended_on__isnull=True).exists()
    assert not Deadline.objects.filter(key__in=["statement", "hearing_request"], ended_on__isnull=True).exists()


@pytest.mark.parametrize(("right", "day", "word"), [(False, "2026-10-12", "听证标准"), (True, "2026-10-15", "已于 2026-10-14 届满")])
def test_a_hearing_without_right_or_too_late_is_refused(notified, time_machine, right, day, word):
    notified.notified.needs_hearing = right
    notified.notified.save()
    time_machine.move_to(f"{day} 09:00:00+08:00")
    with pytest.raises(Refused) as refusal:
        ask_hearing(notified.world.member, notified.notified, "请求听证。")
    assert word in told(refusal)


@pytest.fixture
def asked(notified):
    ask_hearing(notified.world.member, notified.notified, "请求就罚款幅度听证。")
    notified.notified.refresh_from_db()
    return notified


def call(ground, day, host=None, actor=None):
    return announce(actor or ground.legal, ground.notified, held_on=day, place="县医保局三楼会议室", host=host or ground.legal)


def test_a_hearing_is_announced_seven_working_days_ahead(asked):
    # today is Monday 12 October: the 13th–21st are seven working days, the 21st is too early, the 22nd not
    with pytest.raises(Refused) as refusal:
        call(asked, date(2026, 10, 20))
    assert "须在举行 7 个工作日前通知，2026-10-20 太近" in told(refusal)
    made = call(asked, date(2026, 10, 21))
    assert (made.announced_on, made.host, made.conclusion) == (date(2026, 10, 12), asked.legal, "")
    assert Notice.objects.filter(user=asked.world.member, text__contains="定于 2026-10-21 在县医保局三楼会议室举行听证").exists()
    assert asked.notified.statements.get().number == 1
    assert CaseDocument.objects.get(kind="hearing_notice").track == asked.notified
    put_off = call(asked, date(2026, 10, 23))
    assert list(CaseDocument.objects.order_by("version").values_list("version", flat=True)) == [1, 2]
    assert put_off.pk == made.pk and asked.notified.changes.last().data["before"] == "2026-10-21"


@pytest.mark.parametrize(
    ("day", "word"),
    [
        (None, "没有填写听证日期"), (date(2026, 10, 24), "不是工作日"), (date(2026, 10, 12), "已过去"),
        (date(2026, 12, 1), "已超过"),
    ],
)  # fmt: skip
def test_a_hearing_on_an_unfit_day_is_refused(asked, day, word):
    with pytest.raises(Refused) as refusal:
        call(asked, day)
    assert word in told(refusal)


def test_nobody_hosts_who_investigated(asked):
    with pytest.raises(Refused) as refusal:
        announce(asked.legal, asked.notified, held_on=date(2026, 10, 22), place=" ", host=asked.partner)
    assert "高文办过本案，不能主持听证" in told(refusal) and "没有填写听证地点" in told(refusal)
    with pytest.raises(Refused):
        call(asked, date(2026, 10, 22), host=asked.world.officer)
    stranger = person("far_legal", "外市法务", "legal_reviewer", pooling_area=asked.world.foreign_area)
    assert asked.legal in hosts(asked.again()) and stranger not in hosts(asked.again())
    with pytest.raises(NotAllowed):
        call(asked, date(2026, 10, 22), actor=asked.officer)


def kept(ground, **given):
    values = {
        "held_on": date(2026, 10, 22), "participants": "当事人黄晨，办案人员赵衡、高文", "conclusion": "事实清楚，建议维持拟处罚意见。",
        "record_file": stored(b"record", "听证笔录.pdf"), **given,
    }  # fmt: skip
    return hold(ground.legal, ground.notified, **values)


def test_a_held_hearing_leads_to_the_re_review(asked, time_machine):
    with pytest.raises(Refused) as refusal:
        kept(asked)
    assert "还没有通知当事人" in told(refusal)
    call(asked, date(2026, 10, 22))
    with pytest.raises(Refused) as refusal:
        kept(asked, participants="", record_file=None)
    for word in ("2026-10-22 还没有到", "没有填写参加人", "没有上传听证笔录"):
        assert word in told(refusal), word
    time_machine.move_to("2026-10-22 17:00:00+08:00")
    made = kept(asked)
    asked.notified.refresh_from_db()
    assert asked.notified.state == "re_review" and made.concluded_by == asked.legal
    assert Hearing.objects.get().record.name == "听证笔录.pdf"
    assert Deadline.objects.filter(track=asked.notified, key="re_review", ended_on__isnull=True).exists()


def test_a_hearing_before_the_announced_day_is_refused(asked, time_machine):
    call(asked, date(2026, 10, 22))
    time_machine.move_to("2026-10-21 17:00:00+08:00")
    with pytest.raises(Refused) as refusal:
        kept(asked, held_on=date(2026, 10, 21))
    assert "早于通知的日期 2026-10-22" in told(refusal)
