"""Points for breaches of providers and of their people: proposed, approved by another person, withdrawn (R-101, R-104).

With every change the standing is worked out anew and what follows from it is laid before a second person: the suspension
or end of a person's payment qualification, the suspension or termination of a provider's agreement.
"""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.utils import timezone

from audits.models import Case, Physician, PointEntry, YearlyCheck
from audits.services.consequences import follow_person, follow_provider
from audits.services.deciding import decide, need_status, note_problems, text_problems
from audits.states import TrackKind, TrackState
from core.access import HOSPITAL_ROLES, holders, require
from core.errors import Problem, Refused
from core.models import Institution, Role, User
from core.notices import notify
from core.trail import record
from rules.points import DEFAULT_PROVIDER_SCHEME, check_points

PROPOSE, DECIDE, WITHDRAW = "audits.propose_points", "audits.decide_points", "audits.withdraw_points"
DECIDED_TRACKS = (TrackState.DECIDED, TrackState.SERVED, TrackState.DONE)
SEVERITY, CLAUSE, REASON = 40, 200, 2000
MOST = max(step.from_points for step in DEFAULT_PROVIDER_SCHEME.steps)


def propose(
    actor: User, institution: Institution, *, physician: Physician | None = None, on: date | None, points: int | None,
    severity: str, clause: str, reason: str, case: Case | None = None,
) -> PointEntry:  # fmt: skip
    """Propose points of a provider, or of one of its people with a severity of the national bands.

    ``case``: one of the same provider whose agreement handling was decided. Everything wrong is told at once.
    """
    require(actor, PROPOSE, institution)
    with transaction.atomic():
        _lock(institution, physician)
        problems = [
            *_value_problems(physician, points, severity), *_day_problems(physician, on, institution),
            *text_problems("clause", "条款", clause, CLAUSE), *text_problems("reason", "事由", reason, REASON, 4),
            *(_case_problems(case, institution) if case is not None else []),
        ]  # fmt: skip
        if problems or on is None or points is None:
            raise Refused(problems)
        problems = _twice(institution, physician, case, on, severity, points)
        if problems:
            raise Refused(problems)
        entry = PointEntry.objects.create(
            institution=institution, physician=physician, case=case, on=on, points=points, severity=severity.strip(),
            clause=clause.strip(), reason=reason.strip(), proposed_by=actor, proposed_at=timezone.now(),
        )  # fmt: skip
        summary = f"提出对{name_of(entry)}记 {points} 分（{entry.severity_text}），待审定。"
        _tell(holders((Role.AUDIT_REVIEWER,), institution), actor, summary, entry)
        _note(actor, PROPOSE, entry, summary)
        return entry


def decide_points(actor: User, entry: PointEntry, approve: bool, reason: str = "") -> PointEntry:
    """Put points in force or return them; another person than who proposed them. What follows is laid at once."""
    require(actor, DECIDE, entry.institution)
    with transaction.atomic():
        held = _locked(entry)
        decide(actor, held, "in_force" if approve else "returned", reason, f"对{name_of(held)}的记分")
        words = f"：{reason.strip()}" if reason.strip() else ""
        summary = f"{'审定' if approve else '退回'}对{name_of(held)}记 {held.points} 分（{held.severity_text}）{words}"
        provider = holders(HOSPITAL_ROLES, held.institution) if approve else []
        _tell([held.proposed_by, *provider], actor, summary, held)
        if approve:
            _follow(actor, held)
        _note(actor, DECIDE, held, summary)
        return held


def withdraw(actor: User, entry: PointEntry, reason: str) -> PointEntry:
    """Take points back because an appeal was accepted: they count as never made, and what rested on them is reviewed."""
    require(actor, WITHDRAW, entry.institution)
    with transaction.atomic():
        held = _locked(entry)
        need_status(held, "in_force", "撤销")
        problems = note_problems(reason, True)
        if problems:
            raise Refused(problems)
        held.status, held.withdrawn_by, held.withdrawn_at = "withdrawn", actor, timezone.now()
        held.withdrawn_reason = reason.strip()
        held.save(update_fields=["status", "withdrawn_by", "withdrawn_at", "withdrawn_reason"])
        summary = f"撤销对{name_of(held)}的 {held.points} 分（{held.on}）：{held.withdrawn_reason}"
        _tell([held.proposed_by, *holders(HOSPITAL_ROLES, held.institution)], actor, summary, held)
        _follow(actor, held)
        _review_check(actor, held)
        _note(actor, WITHDRAW, held, summary)
        return held


def name_of(entry: PointEntry) -> str:
    """青溪县人民医院医师李想, or the provider alone."""
    if entry.physician is None:
        return str(entry.institution)
    return f"{entry.institution}{entry.physician.get_kind_display()}{entry.physician.name}"


def _follow(actor: User, entry: PointEntry) -> None:
    if entry.physician is None:
        follow_provider(actor, entry)
    else:
        follow_person(actor, entry)


def _review_check(actor: User, entry: PointEntry) -> None:
    """Whoever made a yearly check out of the points hears that they are gone."""
    if entry.physician is not None:
        return
    rows = YearlyCheck.objects.exclude(status="returned").filter(institution=entry.institution, year=entry.on.year)
    for check in rows.select_related("proposed_by"):
        text = f"{check}所依据的记分已撤销 {entry.points} 分，请核对考核结果。"
        notify([check.proposed_by], text, check.get_absolute_url())


def _lock(institution: Institution, physician: Physician | None) -> None:
    """One at a time for a provider's points, and for those of a person wherever she works."""
    if physician is None:
        Institution.objects.select_for_update(no_key=True).get(pk=institution.pk)
    else:
        list(Physician.objects.select_for_update(no_key=True).filter(code=physician.code).order_by("pk"))


def _locked(entry: PointEntry) -> PointEntry:
    _lock(entry.institution, entry.physician)
    rows = PointEntry.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related(
        "institution__county__pooling_area", "physician__institution", "case", "proposed_by", "decided_by"
    ).get(pk=entry.pk)


def _value_problems(physician: Physician | None, points: int | None, severity: str) -> list[Problem]:
    if points is None:
        return [Problem("points", "", "没有填写记分。", "请填写分值。"), *text_problems("severity", "情形", severity, SEVERITY)]
    if physician is not None:
        fields = {"情节": "severity", "记分": "points"}
        return [Problem(fields[one.field], one.value, f"{one.text}。", f"{one.remedy}。") for one in check_points(severity, points)]
    problems = text_problems("severity", "情形", severity, SEVERITY)
    if not 1 <= points <= MOST:
        problems.append(Problem("points", str(points), f"机构一次记分须为 1 至 {MOST} 分，现为 {points} 分。", "请改正分值。"))
    return problems


def _day_problems(physician: Physician | None, on: date | None, institution: Institution) -> list[Problem]:
    today = timezone.localdate()
    if on is None:
        return [Problem("on", "", "没有填写记分日期。", "请填写日期。")]
    problems = []
    if not date(today.year - 1, 1, 1) <= on <= today:
        text = f"记分日期 {on} 晚于今天或早于去年年初。"
        problems.append(Problem("on", str(on), text, "记分按自然年度计，请填处理决定的日期。"))
    if physician is not None and physician.institution_id != institution.pk:
        text = f"{physician.name}登记在{physician.institution}，不在{institution}。"
        problems.append(Problem("physician", physician.code, text, "请选择该机构的人员。"))
    elif physician is not None and (on < physician.valid_from or (physician.valid_to is not None and on > physician.valid_to)):
        span = f"{physician.valid_from} 至 {physician.valid_to or '今'}"
        text = f"{physician.name}在{institution}的登记期间是 {span}，记分日期 {on} 不在其内。"
        problems.append(Problem("on", str(on), text, "请核对日期，或选择当时的登记。"))
    return problems


def _case_problems(case: Case, institution: Institution) -> list[Problem]:
    if case.institution_id != institution.pk:
        text = f"案件 {case.number} 的对象是{case.party_name}，不是{institution}。"
        return [Problem("case", case.number, text, "请选择该机构的案件，或留空。")]
    if not case.tracks.filter(kind=TrackKind.AGREEMENT, state__in=DECIDED_TRACKS).exists():
        text = f"案件 {case.number} 还没有作出协议处理决定。"
        return [Problem("case", case.number, text, "请在作出协议处理决定后记分。")]
    return []


def _twice(
    institution: Institution, physician: Physician | None, case: Case | None, on: date, severity: str, points: int
) -> list[Problem]:
    same = PointEntry.objects.filter(
        institution=institution, physician=physician, case=case, on=on, severity=severity.strip(), points=points,
        status__in=["proposed", "in_force"],
    ).first()  # fmt: skip
    if same is None:
        return []
    when, state = timezone.localdate(same.proposed_at), same.get_status_display()
    text = f"同一对象、同一日期、同样情形的 {same.points} 分已于 {when} 提出（{state}）。"
    return [Problem("points", str(same.points), text, "请勿重复记分；确属另一行为的，请在情形或日期上区分。")]


def _tell(people: list[User], actor: User, text: str, entry: PointEntry) -> None:
    notify([person for person in people if person.pk != actor.pk], text, entry.get_absolute_url())


def _note(actor: User, action: str, entry: PointEntry, summary: str) -> None:
    data = {
        "entry": entry.pk, "status": entry.status, "points": entry.points, "on": entry.on, "case": entry.case_id,
        "physician": entry.physician.code if entry.physician is not None else "", "severity": entry.severity,
    }  # fmt: skip
    record(actor, action, entry, summary, data, place=entry.institution)
