"""The two ways of a case of the demonstration after its first review, the money that came back, and what stands beside."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from django.utils import timezone

from audits.reading import held
from audits.reading.held import Act, TrackState
from audits.reading.money import case_money, fine_position, found_total
from audits.services import (
    findings,
    follow_ups,
    hearings,
    measures,
    money,
    proposals,
    referrals,
    statements,
    tracks,
)
from core.files import store_upload
from core.models import User
from core.working_days import add_working_days
from portal.demo.audit_course import AGREEMENT, CASE, PENALTY, Course, officer, reviewers
from portal.demo.audit_stories import QX_STONE, Suspicion
from portal.demo.evidence import attachment
from portal.demo.people import FINANCE, HOSPITALS, LEGAL, MEMBER, user
from rules.money import round_fen

FRAUD = ("phantom_service", "induced_fake_treatment")
ORDINARY, FRAUDULENT = Decimal("1.5"), Decimal("3.5")
"""Multiples of the loss proposed: in the middle of what the regulation leaves for acts without and with fraud."""
FIVE_DAYS, HEARING_NOTICE = 6, 9
"""Working days after which the days to state have passed; working days a hearing is announced ahead."""
S = TrackState


def add_tracks(course: Course, opened: int) -> int:
    """The deeds of both ways from the working day of the first review on; returns the last one's."""
    story, end = course.story, opened
    wait = 14 if "trim" in story.turns else 0
    for kind, state, first in ((AGREEMENT, story.agreement, opened), (PENALTY, story.penalty, opened + wait)):
        if state:
            end = max(end, _way(course, kind, state, first))
    return end


def _way(course: Course, kind: str, stop: str, opened: int) -> int:
    story = course.story
    me, (_first, second) = officer(story), reviewers(story)
    if stop == S.TO_NOTIFY:
        return opened
    if stop == S.DROPPED:
        reason = "已按协议处理，违法行为轻微并及时改正，不予行政处罚。" if kind == PENALTY else "机构已停业退出协议，协议处理不再进行。"
        course.add(opened + 2, kind, Act.DROP, lambda track: tracks.drop(second, track, reason))
        return opened + 2
    course.add(opened + 1, kind, Act.PROPOSE, lambda track: _propose(story, track))
    told = opened + 2
    course.add(told, kind, Act.NOTIFY, lambda track: tracks.notify(me, track))
    heard = stop == S.HEARING or (kind == PENALTY and "hearing" in story.turns)
    if heard:
        day = add_working_days(story.on, told + 5 + HEARING_NOTICE)
        asked = "对处理幅度有异议，要求举行听证。"
        course.add(told + 3, kind, Act.ASK_HEARING, lambda track: statements.ask_hearing(_party(story, track), track, asked))
        course.add(
            told + 5, kind, Act.ANNOUNCE,
            lambda track: hearings.announce(user(LEGAL), track, held_on=day, place="市医保局二楼会议室", host=user(LEGAL)),
        )  # fmt: skip
        if stop == S.HEARING:
            return told + 5
        course.add(told + 5 + HEARING_NOTICE, kind, Act.HOLD_HEARING, lambda track: _hold(story, track))
        back = told + 5 + HEARING_NOTICE
    else:
        back = _stated(course, kind, stop, told)
        if stop == S.NOTIFIED:
            return told + 3
        course.add(back, kind, Act.PUT_FORWARD, lambda track: tracks.put_forward(me, track, "陈述申辩期已满，提请复审。"))
    if stop == S.RE_REVIEW:
        return back
    if _appeals(story, kind) and not heard:
        course.add(back + 2, kind, Act.REPLY, lambda track: _reply(second, story, track))
    if kind == AGREEMENT and "told_again" in story.turns:
        course.add(back + 3, kind, Act.RETURN_RE, lambda track: tracks.return_re(second, track, "告知书未列明整改期限，请重新告知。"))
        course.add(back + 4, kind, Act.PROPOSE, lambda track: _propose(story, track))
        course.add(back + 5, kind, Act.NOTIFY, lambda track: tracks.notify(me, track))
        back += 5 + FIVE_DAYS
        course.add(back, kind, Act.PUT_FORWARD, lambda track: tracks.put_forward(me, track, "重新告知后无新的意见，提请复审。"))
    if kind == AGREEMENT and "trim" in story.turns:
        course.add(back + 2, kind, Act.TRIM, lambda track: _trim(second, track))
    course.add(back + 3, kind, Act.PASS_RE, lambda track: tracks.pass_re(second, track, "复审认定的事实和金额准确。"))
    if stop == S.LEGAL:
        return back + 3
    if "legal_again" in story.turns and kind == PENALTY:
        short = "裁量理由未写明持续时间，请补充说明。"
        course.add(back + 4, kind, Act.RETURN_LEGAL, lambda track: tracks.return_legal(user(LEGAL), track, short))
        course.add(back + 5, kind, Act.PASS_RE, lambda track: tracks.pass_re(second, track, "已补充裁量理由，再次报审。"))
    course.always_on(back + 6, kind, _pass_legal)
    if stop == S.TO_DECIDE:
        return back + 6
    course.add(back + 8, kind, Act.DECIDE, lambda track: tracks.decide(second, track, "经集体讨论，作出决定。"))
    if stop == S.DECIDED:
        return back + 8
    served = back + 10
    course.add(served, kind, Act.SERVE, lambda track: tracks.serve(me, track))
    return _carried_out(course, kind, stop, served)


def _stated(course: Course, kind: str, stop: str, told: int) -> int:
    """What the party says, and the day on which its days are over."""
    story = course.story
    if story.person or _outside(story):
        return told + FIVE_DAYS
    if _appeals(story, kind) or stop == S.NOTIFIED:
        course.add(told + 3, kind, Act.STATE, lambda track: _state(story, track))
        return told + FIVE_DAYS
    course.add(told + 3, kind, Act.STATE, lambda track: statements.agree(_party(story, track), track))
    return told + FIVE_DAYS


def _carried_out(course: Course, kind: str, stop: str, served: int) -> int:
    story, me = course.story, officer(course.story)
    if kind == PENALTY:
        course.add(served + 3, kind, Act.PUBLISH, lambda track: tracks.publish(me, track, "已在市医疗保障局网站公开。"))
        if "remedy" in story.turns:
            course.add(served + 8, kind, Act.REMEDY, lambda track: _remedy(me, track))
        elif stop == S.DONE or "hand_fine" in story.turns:
            course.add(served + 6, kind, Act.PAY_FINE, lambda track: _pay_fine(me, track, half=stop != S.DONE))
    if "half" in story.turns:
        course.always_on(served + 7, kind, partial(_repay, half=True))
    elif "deduct" in story.turns:
        course.always_on(served + 7, kind, partial(_repay, half=True))
        course.always_on(served + 9, kind, partial(_deduct, story))
    elif stop == S.DONE:
        course.always_on(served + 8, kind, partial(_repay, half=False))
    if stop == S.DONE:
        course.add(served + 11, kind, Act.COMPLETE, lambda track: tracks.complete(me, track, "款项已结清。"))
    return served + 11


# --- acts ----------------------------------------------------------------------------------------------------------


def _outside(story: Suspicion) -> bool:
    """Providers outside every alliance have nobody here who could answer."""
    return 900 <= int(story.code[-3:]) <= 999


def _party(story: Suspicion, track: Any) -> User:
    return user(MEMBER) if story.code == QX_STONE else user(HOSPITALS[track.case.alliance.code])


def _appeals(story: Suspicion, kind: str) -> bool:
    return ("appeal" if kind == AGREEMENT else "appeal_penalty") in story.turns


def _propose(story: Suspicion, track: Any) -> None:
    me = officer(story)
    if track.kind == AGREEMENT:
        months = 3 if "suspend_agreement" in story.turns else None
        text = "责令限期改正，拒付（追回）违规费用，按协议记分。依据服务协议“违法违规行为处理”条款。"
        proposals.propose(me, track, text=text, correct=True, points=4 if months is None else 9, suspend_months=months)
        return
    fraud = story.act in FRAUD
    fine = round_fen(found_total(track.case) * (FRAUDULENT if fraud else ORDINARY))
    proposals.propose(
        me, track, fine=fine, grade="ordinary", grade_reason="违法行为持续数月，配合调查，情节一般。",
        suspend_months=6 if fraud else None, text="暂停相关责任部门涉及基金使用的医药服务六个月。" if fraud else "",
    )  # fmt: skip


def _state(story: Suspicion, track: Any) -> None:
    facts = held.findings(track.case)
    why = "部分病例病情需要，请求重新核对病历。"
    points = [statements.Point(row.pk, number > 0, "" if number else why) for number, row in enumerate(facts)]
    me = _party(story, track)
    file = store_upload(attachment(f"{track.case.number}申辩材料"), "audit_statement", me)
    text = "对认定的部分病例有异议：再次入院属病情变化，医嘱和病程记录可以证明，请求剔除。"
    statements.give_statement(me, track, text=text, points=points, files=[file])


def _reply(reviewer: User, story: Suspicion, track: Any) -> None:
    adopted = "trim" in story.turns
    text = "经复核病历，其中一例理由成立，予以剔除；其余不采纳。" if adopted else "所附病历不能证明诊疗必要性，不予采纳。"
    statements.reply(reviewer, held.statements(track)[0], "partly" if adopted else "refused", text)


def _trim(reviewer: User, track: Any) -> None:
    findings.drop_lines(reviewer, track.case, [held.lines(track.case)[0].pk], "病程记录证明诊疗必要，采纳申辩意见。")


def _hold(story: Suspicion, track: Any) -> None:
    legal = user(LEGAL)
    record = store_upload(attachment(f"{track.case.number}听证笔录"), "audit_hearing", legal)
    hearings.hold(
        legal, track, held_on=timezone.localdate(), participants="当事人委托代理人、办案人员、记录人",
        conclusion="当事人对事实无异议，请求从轻；事实清楚，幅度适当，建议维持。", record_file=record,
    )  # fmt: skip


def _pass_legal(track: Any) -> None:
    if track.state == S.LEGAL:
        tracks.pass_legal(user(LEGAL), track, "主体、程序、依据、幅度合法。")


def _repay(track: Any, half: bool) -> None:
    """What is still owed to each fund, or about half of it; once."""
    if not track.holds_money:
        return
    for row in case_money(track.case).rows:
        if row.outstanding and not held.came_back(track, row.fund_type):
            amount = round_fen(row.outstanding / 2) if half else row.outstanding
            reference = f"HD{timezone.localdate():%Y%m%d}{track.case.pk:04d}-{row.fund_type}"
            money.receive(user(FINANCE), track, fund_type=row.fund_type, amount=amount, on=timezone.localdate(), reference=reference)


def _deduct(story: Suspicion, track: Any) -> None:
    if not track.holds_money:
        return
    for row in case_money(track.case).rows:
        if row.outstanding:
            money.deduct(officer(story), track, fund_type=row.fund_type, reason="当事人书面同意在下次清算中扣减。")


def _pay_fine(me: User, track: Any, half: bool) -> None:
    owed = fine_position(track).outstanding
    amount = round_fen(owed / 2) if half else owed
    money.pay_fine(me, track, amount=amount, on=timezone.localdate(), reference=f"JK{timezone.localdate():%Y%m%d}{track.pk:04d}")


def _remedy(me: User, track: Any) -> None:
    money.record_remedy(
        me, track, kind="review", reference=f"澜府复〔{timezone.localdate().year}〕{track.pk}号（演示）",
        started_on=timezone.localdate(), note="当事人认为处罚幅度过重，申请行政复议。",
    )  # fmt: skip


# --- beside the decision -------------------------------------------------------------------------------------------


def add_consequences(course: Course, after: int, ended: int) -> None:
    """Measures, hand-overs and checks afterwards, as far as the matter has them."""
    story, turns = course.story, course.story.turns
    me = officer(story)
    for turn, kind, text in (
        ("rectify", "rectify", "请在三十日内完成收费项目自查，更正收费目录，并报送整改报告。"),
        ("talk", "talk", "约谈主要负责人，通报核查情况，要求说明原因并限期整改。"),
        ("circular", "circular", "将查处情况在全市定点医药机构范围内通报。"),
    ):
        if turn in turns:
            course.add(after, CASE, Act.CONSEQUENCE, partial(_measure, me, kind, text))
            course.add(after + 1, CASE, Act.CONSEQUENCE, partial(_send_measure, me))
            course.add(after + 15, CASE, Act.CONSEQUENCE, partial(_end_measure, me))
    for turn, body, name in (("police", "police", "澜川市公安局"), ("health", "health", "澜川市卫生健康委员会")):
        if turn in turns:
            course.add(after + 2, CASE, Act.REFER, partial(_refer, me, body, name))
    if "health" in turns:
        course.add(after + 18, CASE, Act.REFER, lambda case: _replied(me, case))
    for turn, result in (("follow_up_mended", "mended"), ("follow_up_not", "not")):
        if turn in turns:
            course.add(ended + 5, CASE, Act.FOLLOW_UP, lambda case: _plan_follow_up(me, case))
            course.add(ended + 30, CASE, Act.FOLLOW_UP, partial(_finish_follow_up, me, result))


def _measure(me: User, kind: str, text: str, case: held.Case) -> None:
    today = timezone.localdate()
    measures.record_measure(me, case, kind=kind, on=today, text=text, due_on=today + timedelta(days=30))


def _send_measure(me: User, case: held.Case) -> None:
    measures.send_measure(me, held.measures(case)[-1], timezone.localdate())


def _end_measure(me: User, case: held.Case) -> None:
    text = "已提交整改报告：更正收费项目，完善核对制度。"
    measures.end_measure(me, held.measures(case)[-1], outcome=text, on=timezone.localdate())


def _refer(me: User, body: str, name: str, case: held.Case) -> None:
    today = timezone.localdate()
    record = store_upload(attachment(f"{case.number}移送交接记录（{name}）"), "audit_referral", me)
    referrals.refer(
        me, case, body=body, body_name=name, handed_on=today, reason="涉嫌骗取医疗保障基金，属于你单位职责，现将线索移送。",
        items="案件调查报告\n证据清单及复制件\n结算明细", received_by="王建（演示）", record=record, due_on=today + timedelta(days=30),
    )  # fmt: skip


def _replied(me: User, case: held.Case) -> None:
    text = "已对相关责任医师立案调查，处理结果另行函告。"
    referrals.note_reply(me, held.referrals(case)[0], reply=text, replied_on=timezone.localdate())


def _plan_follow_up(me: User, case: held.Case) -> None:
    follow_ups.plan_follow_up(me, case, due_on=timezone.localdate() + timedelta(days=60), focus="核查整改后三个月的收费与处方。")


def _finish_follow_up(me: User, result: str, case: held.Case) -> None:
    text = "抽查 30 份病历，收费与记录一致。" if result == "mended" else "抽查 30 份处方，仍有 6 份超量开药。"
    follow_ups.finish_follow_up(me, held.follow_ups(case)[0], done_on=timezone.localdate(), result=result, text=text)
