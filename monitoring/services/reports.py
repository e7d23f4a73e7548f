"""Analysis reports: drafted from the figures, commented, submitted, approved by another person, issued as Word (R-070).

A draft is refreshed as often as the figures move, its comments stay; what was submitted is frozen, what was issued is
never changed: a new version takes its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from core.access import different_person, may, require
from core.errors import Conflict, Problem, Refused, need_reason
from core.files import store_bytes
from core.models import County, PoolingArea, Role, User
from core.notices import notify_role
from core.parameters import value as parameter
from core.texts import plain
from core.trail import record
from monitoring.models import AnalysisReport, ReportChange, ReportComment
from monitoring.models.reports import (
    COMMENT,
    EDITABLE,
    OPEN_REPORTS,
    ReportAct,
    ReportKind,
    ReportState,
    ReportStep,
    report_action,
    report_step,
)
from monitoring.reading.places import ref_of
from monitoring.reading.reports import inputs_of
from monitoring.services.reports_tables import Difference, differences, digest_of
from monitoring.services.reports_writing import SECTIONS, TITLES, write
from rules.spans import MONTH, TO_DATE, Span

DUE_DAYS = "monitoring.report_due_days"
LONGEST_COMMENT = 5000
COMMENTED = tuple(key for key, _title in SECTIONS)


@dataclass(frozen=True)
class Drafted:
    """What drafting did: the version, whether it is new, and which figures changed."""

    report: AnalysisReport
    created: bool
    changed: tuple[Difference, ...]
    text: str


def due_on(span: Span, days: int) -> date | None:
    """The last day for a quarter, half-year or year: natural days after its end. A monthly analysis has none.

    Nor has a correction of what was issued: the duty was done.
    """
    return None if span.kind == MONTH else span.last.last_day + timedelta(days=days)


def draft_report(actor: User | None, place: PoolingArea | County, span: Span) -> Drafted:
    """Draft the report of a place and span, or refresh its draft: figures anew, comments stay. One open version at most.

    A job (``actor`` None) leaves what is under way or issued as it is and says so; a person who drafts over an issued
    report opens its next version.
    """
    if actor is not None:
        require(actor, report_action(ReportAct.DRAFT), place)
    today = timezone.localdate()
    problems = []
    if span.kind == TO_DATE:
        problems.append(Problem("期间", str(span), "报告按月、季、半年或年编写。", "请填写如 2026-09、2026Q3、2026H1、2026 的期间。"))
    elif span.last.last_day >= today:
        problems.append(Problem("期间", str(span), f"{span.text}还没有结束。", "请在期末之后起草。"))
    if problems:
        raise Refused(problems)
    with transaction.atomic():
        type(place)._default_manager.select_for_update(no_key=True).get(pk=place.pk)  # two drafts wait for each other
        newest = _versions(place, span).order_by("-version").first()
        if newest is not None and newest.state in EDITABLE:
            return _refreshed(actor, newest, today)
        if newest is not None and newest.state in OPEN_REPORTS:
            text = f"{newest}第 {newest.version} 版现在是“{newest.get_state_display()}”，数据已冻结，没有改动。"
            if actor is None:
                return Drafted(newest, False, (), text)
            raise Conflict([Problem("state", newest.get_state_display(), text, "请先撤回或退回，再刷新数据。")])
        if newest is not None and actor is None:
            return Drafted(newest, False, (), _standing_text(newest))
        return _drafted(actor, place, span, today, newest)


def refresh(actor: User | None, report: AnalysisReport) -> Drafted:
    """Write a draft's figures anew; tells what changed."""
    with transaction.atomic():
        now, _step = _begin(actor, report, ReportAct.REFRESH)
        return _refreshed(actor, now, timezone.localdate())


def comment(actor: User, report: AnalysisReport, section: str, text: str) -> ReportComment:
    """Write beside a section; the former text stays in the history. Only while the report is a draft."""
    require(actor, COMMENT, report.at)
    words = plain(text).strip()
    problems = []
    if section not in COMMENTED:
        problems.append(Problem("章节", section, "没有这个章节。", "请刷新页面后重试。"))
    if len(words) > LONGEST_COMMENT:
        problems.append(Problem("说明", f"{len(words)} 字", f"说明超过 {LONGEST_COMMENT} 字。", "请删减后保存。"))
    if problems:
        raise Refused(problems)
    with transaction.atomic():
        now = _locked(report)
        if now.state not in EDITABLE:
            raise _wrong_state(now, "填写说明")
        latest = now.comments.filter(section=section).last()
        if latest is not None and latest.text == words:
            return latest
        made = ReportComment.objects.create(
            report=now, section=section, text=words, written_by=actor, written_at=timezone.now()
        )
        record(actor, COMMENT, now, f"填写 {now}“{TITLES[section]}”说明", {"comment": made.pk, "text": words}, place=now.at)
        return made


def submit(actor: User, report: AnalysisReport, seen: str = "") -> AnalysisReport:
    """Hand the draft to a reviewer: figures current, measures written."""
    with transaction.atomic():
        now, step = _begin(actor, report, ReportAct.SUBMIT, seen=seen)
        problems = submit_problems(now)
        if problems:
            raise Refused(problems)
        now.submitted_by, now.submitted_at = actor, timezone.now()
        _finish(actor, now, step, f"提交 {now}第 {now.version} 版", tell=[Role.FUND_REVIEWER], text=f"{now}已提交，请审定。")
        return now


def submit_problems(report: AnalysisReport) -> list[Problem]:
    """Why a draft cannot be submitted now; empty when it can."""
    problems = []
    if report.inputs != inputs_of(report.at, report.of):
        problems.append(Problem("数据", "", "起草之后数据有变化，报告不是最新的。", "请先刷新数据，核对说明后再提交。"))
    measures = report.comments.filter(section="measures").last()
    if measures is None or not measures.text:
        problems.append(Problem(TITLES["measures"], "", "没有填写措施与建议。", "请写明可操作的对策建议后提交。"))
    return problems


def withdraw(actor: User, report: AnalysisReport, reason: str) -> AnalysisReport:
    """The officer takes a submission back before it is decided."""
    with transaction.atomic():
        now, step = _begin(actor, report, ReportAct.WITHDRAW, reason)
        now.submitted_by = now.submitted_at = None
        _finish(actor, now, step, f"撤回提交 {now}：{reason.strip()[:80]}", reason=reason, tell=[Role.FUND_REVIEWER])
        return now


def return_report(actor: User, report: AnalysisReport, reason: str) -> AnalysisReport:
    """The reviewer gives it back, even after approving, as long as it is not issued."""
    with transaction.atomic():
        now, step = _begin(actor, report, ReportAct.RETURN, reason)
        now.submitted_by = now.submitted_at = now.approved_by = now.approved_at = None
        _finish(actor, now, step, f"退回 {now}：{reason.strip()[:80]}", reason=reason, tell=[Role.FUND_OFFICER])
        return now


def approve(actor: User, report: AnalysisReport, seen: str = "") -> AnalysisReport:
    """A second person approves what was submitted, as it was seen."""
    with transaction.atomic():
        now, step = _begin(actor, report, ReportAct.APPROVE, seen=seen)
        for author in (now.submitted_by, now.prepared_by):
            different_person(actor, author, "审定分析报告")
        now.approved_by, now.approved_at = actor, timezone.now()
        _finish(actor, now, step, f"审定 {now}第 {now.version} 版", tell=[Role.FUND_OFFICER])
        return now


def issue(actor: User, report: AnalysisReport, release: bool = False, seen: str = "") -> AnalysisReport:
    """Issue the approved report as Word; it supersedes the version issued before. ``release``: hospitals see the circular."""
    from monitoring.documents.word import DOCX, report_document

    with transaction.atomic():
        now, step = _begin(actor, report, ReportAct.ISSUE, seen=seen)
        before = _versions(now.at, now.of).filter(state=ReportState.ISSUED).first()
        if before is not None:
            _supersede(actor, before, now)
        now.issued_by, now.issued_at, now.released = actor, timezone.now(), release
        now.state = step.target
        name = f"{now}{f'（第 {now.version} 版）' if now.version > 1 else ''}.docx"
        now.word = store_bytes(report_document(now), name, "analysis_report", actor, DOCX)
        told = [Role.FUND_OFFICER, Role.OBSERVER]
        if release:
            _tell_hospitals(now)
        _finish(
            actor, now, step, f"印发 {now}第 {now.version} 版{'，通报发医疗机构' if release else ''}", tell=told,
            text=f"{now}已印发。", data={"word": now.word.sha256, "released": release},
        )  # fmt: skip
        return now


def recall(actor: User, report: AnalysisReport, reason: str) -> AnalysisReport:
    """Take an issued report back with a reason: it stays as it was, marked; a new version can be drafted."""
    with transaction.atomic():
        now, step = _begin(actor, report, ReportAct.RECALL, reason)
        _finish(actor, now, step, f"撤回印发 {now}：{reason.strip()[:80]}", reason=reason, tell=[Role.FUND_OFFICER, Role.OBSERVER])
        return now


def changed_since(report: AnalysisReport) -> tuple[Difference, ...]:
    """What the report would say otherwise if it were written today; nothing while its data are the same."""
    if report.inputs == inputs_of(report.at, report.of):
        return ()
    return tuple(differences(report.content, write(report.at, report.of, date.fromisoformat(report.content["written_on"]))))


def allowed_acts(user: User, report: AnalysisReport) -> dict[str, Any]:
    """Acts that the state allows → ``Allowed`` or ``Denied``."""
    return {
        act: may(user, report_action(act), report.at)
        for act in ReportAct
        if act not in (ReportAct.DRAFT, ReportAct.SUPERSEDE) and report_step(report.state, act)
    }


def trail_data(change: ReportChange) -> dict[str, Any]:
    """What the trail keeps of an act: enough to find any later change of the row."""
    return {
        "change": change.pk, "act": str(change.act), "from": str(change.source), "to": str(change.target),
        "reason": change.reason, "digest": change.digest,
    }  # fmt: skip


def _versions(place: PoolingArea | County, span: Span) -> Any:
    rows = AnalysisReport.objects.select_for_update(of=("self",), no_key=True).with_places()
    return rows.filter(place=ref_of(place).key, span=str(span))


def _locked(report: AnalysisReport) -> AnalysisReport:
    rows = AnalysisReport.objects.select_for_update(of=("self",), no_key=True).with_places()
    found: AnalysisReport = rows.select_related(
        "submitted_by", "prepared_by", "approved_by", "issued_by"
    ).get(pk=report.pk)
    return found


def _begin(
    actor: User | None, report: AnalysisReport, act: str, reason: str = "", seen: str = ""
) -> tuple[AnalysisReport, ReportStep]:
    """Right, lock, state and reason of an act; ``seen`` is the digest the person had before her eyes."""
    if actor is not None:
        require(actor, report_action(act), report.at)
    now = _locked(report)
    step = report_step(now.state, act)
    if step is None:
        raise _wrong_state(now, str(ReportAct(act).label))
    if seen and seen != now.digest:
        raise Conflict([Problem("内容", "", "报告在您打开之后已重新生成。", "请刷新页面，看过新的内容再办理。")])
    if step.needs_reason:
        need_reason(reason)
    return now, step


def _wrong_state(report: AnalysisReport, what: str) -> Conflict:
    last = report.changes.select_related("actor").last()
    who = f"（{last.actor or '系统'}已办理“{last.get_act_display()}”）" if last else ""
    text = f"{report}第 {report.version} 版现在是“{report.get_state_display()}”{who}，不能办理“{what}”。"
    return Conflict([Problem("state", report.get_state_display(), text, "请刷新页面查看最新状态。")])


def _finish(
    actor: User | None, report: AnalysisReport, step: ReportStep, summary: str, *, reason: str = "", tell: Any = (),
    text: str = "", data: dict[str, Any] | None = None,
) -> ReportChange:  # fmt: skip
    """Write the new state, its row, the notices and, last, the trail."""
    report.state = step.target
    report.save()
    change = ReportChange.objects.create(
        report=report, act=step.act, source=step.source, target=step.target, actor=actor, at=timezone.now(),
        reason=reason.strip(), digest=report.digest,
    )  # fmt: skip
    if tell:
        notify_role(list(tell), report.at, text or summary, report.get_absolute_url())
    record(actor, report_action(step.act), report, summary, {**trail_data(change), **(data or {})}, place=report.at)
    return change


def _drafted(
    actor: User | None, place: PoolingArea | County, span: Span, today: date, former: AnalysisReport | None
) -> Drafted:
    days = int(parameter(DUE_DAYS, place, span.last.last_day).decimal)
    report = AnalysisReport(
        number=f"析-{span}-{place.code}",
        pooling_area=place if isinstance(place, PoolingArea) else place.pooling_area,
        county=None if isinstance(place, PoolingArea) else place,
        place=ref_of(place).key,
        kind=ReportKind(span.kind),
        span=str(span),
        ends_on=span.last.last_day,
        version=1 if former is None else former.version + 1,
        due_on=None if former is not None and former.state == ReportState.ISSUED else due_on(span, days),
        prepared_by=actor,
        prepared_at=timezone.now(),
    )
    _fill(report, today)
    report.save(force_insert=True)
    if former is not None:
        _carry(former, report)
    text = f"已起草 {report}{f'第 {report.version} 版' if report.version > 1 else ''}。"
    step = ReportStep("", ReportAct.DRAFT, ReportState.DRAFT)
    _finish(actor, report, step, text, tell=[Role.FUND_OFFICER] if actor is None else [])
    changed = tuple(differences(former.content, report.content)) if former else ()
    return Drafted(report, True, changed, text)


def _refreshed(actor: User | None, report: AnalysisReport, today: date) -> Drafted:
    """Nothing is written when nothing but the day changed."""
    before, digest, inputs = report.content, report.digest, report.inputs
    _fill(report, today)
    changed = tuple(differences(before, report.content))
    if report.inputs == inputs and {**report.content, "written_on": ""} == {**before, "written_on": ""}:
        report.content, report.digest = before, digest
        return Drafted(report, False, (), f"{report}数据没有变化。")
    text = f"刷新 {report}：{len(changed)} 处数字变化。" if changed else f"刷新 {report}：文字更新，数字没有变化。"
    _finish(actor, report, ReportStep(report.state, ReportAct.REFRESH, report.state), text)
    return Drafted(report, False, changed, text)


def _fill(report: AnalysisReport, today: date) -> None:
    report.inputs = inputs_of(report.at, report.of)
    report.content = write(report.at, report.of, today)
    report.digest = digest_of(report.content)
    reach = report.content["data_to"]
    report.data_to = date.fromisoformat(reach) if reach else None
    report.made_at = timezone.now()


def _carry(former: AnalysisReport, report: AnalysisReport) -> None:
    """The newest comment of every section goes on into the next version."""
    newest = {one.section: one for one in former.comments.order_by("pk")}
    ReportComment.objects.bulk_create(
        ReportComment(report=report, section=one.section, text=one.text, written_by_id=one.written_by_id,
                      written_at=one.written_at, carried=True)
        for one in newest.values() if one.text
    )  # fmt: skip


def _supersede(actor: User, before: AnalysisReport, by: AnalysisReport) -> None:
    step = report_step(before.state, ReportAct.SUPERSEDE)
    assert step is not None
    _finish(actor, before, step, f"{before}第 {before.version} 版由第 {by.version} 版取代")


def _tell_hospitals(report: AnalysisReport) -> None:
    from django.urls import reverse

    from core.notices import notify
    from monitoring.reading.reports import hospital_people

    text = f"{report.at}医疗机构运行通报（{report.of.text}）已发布。"
    notify(hospital_people(report.at), text, reverse("monitoring:circular", args=[report.pk]))


def _standing_text(report: AnalysisReport) -> str:
    if report.state == ReportState.RECALLED:
        return f"{report}已撤回印发，请基金经办起草新版。"
    if report.inputs == inputs_of(report.at, report.of):
        return f"{report}已印发，数据没有变化。"
    return f"{report}已印发；印发后数据有变化，如需更正请基金经办起草新版。"
