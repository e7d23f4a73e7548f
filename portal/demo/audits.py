"""Audits of the demonstration: from the lead to the first review, a working day at a time, by the services people use."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from django.utils import timezone

from audits.reading import held
from audits.reading.held import Act, CaseState, LeadSource, LeadState
from audits.services import (
    cases,
    documents,
    escalating,
    evidence,
    findings,
    lead_decisions,
    lead_sources,
    leads,
    lines,
)
from claims.reading import search_claims
from core.files import store_upload
from core.models import FundType, User
from monitoring.reading.held import Warning, warnings_of
from portal.demo import audit_plans, audit_tracks
from portal.demo.audit_course import (
    AGREEMENT,
    CASE,
    LEAD,
    PENALTY,
    Course,
    Deed,
    institution_of,
    officer,
    reviewers,
)
from portal.demo.audit_stories import SUSPICIONS, Suspicion
from portal.demo.evidence import attachment
from portal.demo.people import AUDITOR, SECOND_AUDITOR, user
from portal.demo.places import alliance_of, county_of
from rules.periods import Month

CARDS = {"chen.audit": "赣LC-0117", "tao.audit": "赣LC-0218", "pan.audit": "赣LC-0322", AUDITOR: "赣LC-0003", SECOND_AUDITOR: "赣LC-0009"}
LATEST = date(2026, 11, 13)
"""The story's last day: deeds planned for later are not done yet."""
READ_TO = date(2026, 10, 30)
"""The day up to which people have read what the audits told them."""
ESCALATED_ON = tuple(LATEST - timedelta(days=7 * week) for week in range(10))
REASON = "经核查，证据能够相互印证，事实清楚，提请按程序办理。"
MOST = Decimal("2000000")


def deeds_of(story: Suspicion) -> list[Deed]:
    """Everything people did about a matter up to the story's last day."""
    course = Course(story)
    _lead(course)
    if story.case:
        _investigate(course)
    return [deed for deed in course.deeds if deed.day <= LATEST]


def do(story: Suspicion, deed: Deed) -> None:
    """The deed, unless it was done before."""
    if deed.at == LEAD and deed.act == Act.ENTER:
        if lead_of(story) is None:
            deed.run(story)
        return
    lead = lead_of(story)
    assert lead is not None, story.title
    thing: Any = lead
    if deed.at != LEAD:
        assert lead.case is not None, story.title
        thing = held.case(lead.case.pk)
        thing = thing if deed.at == CASE else held.track(thing, deed.at)
    if not deed.nth or held.times(thing, deed.act) < deed.nth:
        deed.run(thing)


def escalate() -> None:
    """What passed its limit goes up, every step that is due by now."""
    while escalating.escalate(None, timezone.localdate()):
        pass


def lead_of(story: Suspicion) -> held.Lead | None:
    if story.warned:
        return lead_sources.held_for_warning(_warning(story))
    return held.lead_about(county_of(story.county), institution_of(story), story.title)


# --- the lead ------------------------------------------------------------------------------------------------------


def _lead(course: Course) -> None:
    story, end = course.story, course.story.lead
    first, _second = reviewers(story)
    course.add(0, LEAD, Act.ENTER, _enter)
    if end == LeadState.NEW:
        return
    if end == LeadState.HANDED:
        course.add(3, LEAD, Act.HAND, lambda lead: leads.hand_over(first, lead, "县市场监督管理局", "属于药品经营监管职责，移交处理。"))
        return
    if end == LeadState.MERGED:
        course.add(2, LEAD, Act.MERGE, lambda lead: _merge(first, lead, story))
        return
    course.add(1, LEAD, Act.ASSIGN, lambda lead: leads.assign(first, lead, officer(story), "请核查结算明细和病历，提出意见。"))
    if "longer" in story.turns:
        course.add(9, LEAD, Act.EXTEND_LEAD, lambda lead: leads.extend(first, lead, "病历量大，需要调取系统日志，同意延长。"))
    if end == LeadState.ASSIGNED:
        return
    filing = end != LeadState.REFUSED and "refusal" not in story.turns
    act, words = (Act.PROPOSE_FILE, REASON) if filing else (Act.PROPOSE_REFUSE, "经核查，收费有依据，未发现违规，建议不予立案。")
    course.add(5, LEAD, act, lambda lead: leads.propose(officer(story), lead, filing=filing, reason=words))
    if "sent_back" in story.turns:
        course.add(6, LEAD, Act.RETURN_LEAD, lambda lead: leads.return_lead(first, lead, "请补充结算明细比对结果后再报。"))
        course.add(7, LEAD, act, lambda lead: leads.propose(officer(story), lead, filing=filing, reason=f"已补充比对结果。{words}"))
    if end == LeadState.REFUSED:
        course.add(7, LEAD, Act.REFUSE, lambda lead: lead_decisions.refuse(first, lead, "同意不予立案。"))
    elif end == LeadState.FILED:
        course.add(8, LEAD, Act.FILE, lambda lead: _file(lead, story))


def _enter(story: Suspicion) -> None:
    county, auditor = county_of(story.county), officer(story)
    if story.warned:
        lead_sources.lead_from_warning(user(AUDITOR), _warning(story))
    elif story.source == LeadSource.ROUTINE:
        audit_plans.check_with_lead(auditor, story)
    elif "screened" in story.turns:
        month = Month.of(story.on).previous()
        ids = _extract(story, month)
        lead_sources.lead_from_claims(
            auditor, county, month, ids, source=story.source, title=story.title, detail=story.detail
        )  # fmt: skip
    else:
        kind = "person" if story.person else "provider"
        leads.enter_lead(
            auditor, source=story.source, county=county, institution=institution_of(story), party_kind=kind,
            party_code=story.person, title=story.title, detail=story.detail, estimate=story.estimate,
        )  # fmt: skip


def _extract(story: Suspicion, month: Month) -> list[str]:
    """Claims of the provider in the month that nobody took back, the first of them."""
    span = (month.first_day, month.last_day)
    found = search_claims(county_of(story.county), span, {"institutions": [story.code]}, 0, 4 * story.extract)
    good = [row for row in found.rows if row.standing and row.fund_type in FundType.values and 0 < row.pooled_fund_paid < MOST]
    return [row.settlement_id for row in good][: story.extract]


def _warning(story: Suspicion) -> Warning:
    return warnings_of(alliance_of(story.warned))[0]


def _merge(reviewer: User, lead: held.Lead, story: Suspicion) -> None:
    other = next(
        one for one in SUSPICIONS
        if one.code == story.code and one is not story and bool(one.case) == ("into_case" in story.turns) and one.on <= story.on
    )  # fmt: skip
    into = lead_of(other)
    assert into is not None
    reason = "同一对象、同一事实，并案核查。"
    if into.case is not None:
        leads.merge(reviewer, lead, reason, case=into.case)
    else:
        leads.merge(reviewer, lead, reason, into=into)


def _file(lead: held.Lead, story: Suspicion) -> None:
    first, last = _claims_span(story)
    tip = story.source == LeadSource.TIP
    lead_decisions.file(
        reviewers(story)[0], lead, kind="tip" if tip else "routine" if story.source == LeadSource.ROUTINE else "special",
        way="document" if "screened" in story.turns else "on_site", title=lead.title[:120], claims_from=first, claims_to=last,
        officers=_officers(story), reason="同意立案，请两名办案人员依法取证。",
    )  # fmt: skip


def _officers(story: Suspicion, partner: str = "") -> list[tuple[User, str, bool]]:
    lead, helper = officer(story), user(partner or story.partner)
    return [(lead, CARDS[lead.username], True), (helper, CARDS[helper.username], False)]


def _claims_span(story: Suspicion) -> tuple[date, date]:
    last = date(story.year, 12, 31) if story.on.year > story.year else Month.of(story.on).previous().last_day
    return date(story.year, 1, 1), last


# --- the investigation ---------------------------------------------------------------------------------------------


def _investigate(course: Course) -> None:
    """Evidence and facts; on to the first review where the matter went that far."""
    story, turns = course.story, course.story.turns
    first, _second = reviewers(story)
    seized = bool({"registered", "registered_open"} & set(turns))
    course.add(10, CASE, Act.COLLECT, lambda case: _collect(case, story, "现场检查笔录", "record", seized))
    course.add(12, CASE, Act.COLLECT, lambda case: _collect(case, story, "结算明细与费用清单", "data"))
    if "registered" in turns:
        course.add(13, CASE, Act.COLLECT, lambda case: _handle(case, story))
    if "papers" in turns:
        course.always(12, partial(_write, "filing"))
        course.always(13, partial(_write, "evidence_list"))
    course.add(14, CASE, Act.FIND, lambda case: _find(case, story, story.act))
    if story.extract:
        course.add(14, CASE, Act.FIND, lambda case: _extract_lines(case, story))
    for number in range(len(story.amounts)):
        course.add(14, CASE, Act.FIND, partial(_typed_line, story, number))
    if "second_fact" in turns:
        course.add(15, CASE, Act.FIND, lambda case: _find(case, story, "records_not_kept"))
    if "officers" in turns:
        others, why = _officers(story, AUDITOR), "原协办人员外出培训，更换一名办案人员。"
        course.add(15, CASE, Act.OFFICERS, lambda case: cases.set_officers(first, case, others, why))
    if "suspended" in turns:
        course.add(15, CASE, Act.SUSPEND, lambda case: cases.suspend(first, case, "须以另案的鉴定结论为依据，暂时不能继续。"))
    if story.case != CaseState.INVESTIGATING:
        _submit(course)


def _submit(course: Course) -> None:
    story, turns, me = course.story, course.story.turns, officer(course.story)
    first, _second = reviewers(story)
    after = 16
    if "resumed" in turns:
        course.add(15, CASE, Act.SUSPEND, lambda case: cases.suspend(first, case, "关键证人住院，暂时不能询问。"))
        course.add(21, CASE, Act.RESUME, lambda case: cases.resume(first, case, "证人出院，已完成询问，恢复办理。"))
        after = 22
    course.add(after, CASE, Act.SUBMIT, lambda case: cases.submit(me, case, REASON))
    if story.case == CaseState.DISMISSED:
        why = "收费有物价部门批复依据，不构成违规，予以撤案。"
        course.add(after + 4, CASE, Act.DISMISS, lambda case: cases.dismiss(first, case, why))
        course.always(after + 5, partial(_write, "dismissal"))
    elif story.case != CaseState.FIRST_REVIEW:
        if "letter_first" in turns:
            missing = "第 1 项事实缺少当事人陈述，请补充询问笔录。"
            course.add(after + 3, CASE, Act.RETURN_FIRST, lambda case: cases.return_first(first, case, missing))
            course.add(after + 6, CASE, Act.COLLECT, lambda case: _collect(case, story, "询问笔录", "talk"))
            course.add(after + 7, CASE, Act.SUBMIT, lambda case: cases.submit(me, case, "已补充询问笔录，再次提请初审。"))
            after += 7
        _go_on(course, after + 3)


def _go_on(course: Course, passed: int) -> None:
    """The first review and what follows it; ``passed`` is its working day."""
    story, turns, me = course.story, course.story.turns, officer(course.story)
    first, second = reviewers(story)
    kinds = [kind for kind, state in ((AGREEMENT, story.agreement), (PENALTY, story.penalty)) if state]
    course.add(passed, CASE, Act.PASS_FIRST, lambda case: cases.pass_first(first, case, kinds, "事实清楚，证据充分。"))
    if "opinion" in turns:
        course.add(passed + 1, CASE, Act.COLLECT, lambda case: _ask_opinion(me, case))
        course.add(passed + 3, CASE, Act.EXTEND, lambda case: _extend(first, case))
        course.add(passed + 5, CASE, Act.COLLECT, lambda case: cases.end_opinion(me, case, "专家意见：重复检查无指征，支持认定。"))
    ended = audit_tracks.add_tracks(course, passed)
    audit_tracks.add_consequences(course, passed + 2, ended)
    if story.case == CaseState.CLOSED:
        course.add(ended + 3, CASE, Act.CLOSE, lambda case: cases.close(second, case, "决定已履行完毕，材料齐全，同意结案。"))
        if "papers" in turns:
            course.always(ended + 4, partial(_write, "closing"))


def _collect(case: held.Case, story: Suspicion, name: str, kind: str, registered: bool = False) -> None:
    me, helper = officer(story), user(story.partner)
    file = store_upload(attachment(f"{case.party_name or case.party_code}{name}（{case.number}）"), "audit_evidence", me)
    evidence.add_evidence(
        me, case, kind=kind, name=name, file=file, collected_on=timezone.localdate(), collected_by=me, witnessed_by=helper,
        place=case.party_name or "办公地点", registered=registered,
    )  # fmt: skip


def _handle(case: held.Case, story: Suspicion) -> None:
    piece = next(one for one in held.pieces(case) if one.registered_until is not None)
    evidence.handle(officer(story), piece, "已复制留存，原件退还当事人。")


def _ask_opinion(me: User, case: held.Case) -> None:
    cases.ask_opinion(me, case, "澜川市医疗质量控制中心", timezone.localdate() + timedelta(days=20), "请就检查指征是否成立出具意见。")


def _extend(reviewer: User, case: held.Case) -> None:
    limit = held.limit(case, "decision")
    cases.extend(reviewer, case, limit, limit.last_day + timedelta(days=15), "案情复杂，须等待专家意见，批准延长十五日。")


def _find(case: held.Case, story: Suspicion, act: str) -> None:
    first, last = _claims_span(story)
    known = act == story.act
    text = story.detail or f"{case.title}：检查期间的病历、医嘱与收费记录不符。"
    findings.make_finding(
        officer(story), case, act=act, text=text if known else "部分处方、检查报告未按规定归档，现场不能提供。",
        acted_from=first, acted_to=last, evidence=[piece.pk for piece in held.pieces(case)],
    )  # fmt: skip


def _extract_lines(case: held.Case, story: Suspicion) -> None:
    lead = lead_of(story)
    assert lead is not None
    county = county_of(story.county)
    wanted = [lines.Wanted(county, row.settlement_id) for row in held.pointed(lead)]
    lines.add_lines(officer(story), held.finding(case, 1), wanted)


def _typed_line(story: Suspicion, number: int, case: held.Case) -> None:
    """A claim of a month without an extract: the last ``outside`` of them of insured of another county."""
    first, last = _claims_span(story)
    months = min(last.month, 6)
    on = date(story.year, 1 + number % months, 6 + 3 * number)
    amount = Decimal(story.amounts[number])
    foreign = number >= len(story.amounts) - story.outside
    county = county_of("990102" if foreign and story.county != "990102" else "990101" if foreign else story.county)
    lines.add_by_hand(
        officer(story), held.finding(case, 1), county=county, settlement_id=f"JS{on:%Y%m%d}{story.code[-7:]}{number + 1:03d}",
        settled_on=on, fund_type=FundType.EMPLOYEE if number % 3 == 2 else FundType.RESIDENT, paid=amount + 100 * number, amount=amount,
        own=case.alliance is not None and not foreign, visit_type="inpatient", note="该月没有结算明细，按结算单登记",
    )  # fmt: skip


def _write(kind: str, case: held.Case) -> None:
    if held.document(case, kind) is None:
        by = held.officers(case)[0]
        documents.write_document(by, case, kind)

