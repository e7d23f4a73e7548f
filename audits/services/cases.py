"""What is done with a case as a whole: opened, investigated, reviewed first, suspended, extended, dismissed, closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from audits.models import Case, CaseChange, CaseOfficer, Deadline, Hearing, Lead, Track
from audits.parameters import EXPERT_OPINION
from audits.reading.findings import act_label, sums
from audits.services import deadlines
from audits.services.numbers import next_number, short_name
from audits.services.steps import begin, finish, locked_case, name_of, trail_data
from audits.services.telling import finance, officers, reviewers
from audits.states import Act, CaseState, TrackKind, action_name
from core.errors import Conflict, Problem, Refused
from core.models import Alliance, StoredFile, User
from core.notices import notify
from core.trail import record
from rules.penalties import ACT_BY_KEY, rule_on

Officer = tuple[User, str, bool]
"""(person, enforcement card, leads the case)"""
OPENING = ("decision", "investigation")
JUDGING = (
    Act.PASS_FIRST, Act.RETURN_FIRST, Act.TRIM, Act.REPLY, Act.PASS_RE, Act.RETURN_RE, Act.PASS_LEGAL, Act.RETURN_LEGAL, Act.DECIDE,
    Act.HOLD_HEARING,
)  # fmt: skip
"""Who did one of these on a case never investigates it."""
EXPERT, LONGEST_OPINION = 120, timedelta(days=366)


def open_case(
    actor: User,
    lead: Lead,
    *,
    kind: str,
    way: str,
    title: str,
    claims_from: date,
    claims_to: date,
    officers: Sequence[Officer],
) -> Case:
    """The case of a lead whose filing is approved: called inside that act, which has checked everything named here.

    The party and its places are the lead's, the alliance that of today. The days to investigate and to decide begin.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a case is opened inside the act that approves its filing")
    if lead.proposed_by is None:
        raise RuntimeError("a case is opened for a lead that somebody put forward")
    today = timezone.localdate()
    number = next_number(lead.pooling_area, f"case-{lead.county.code}", today.year)
    case = Case.objects.create(
        number=f"{short_name(lead.county)}稽〔{today.year}〕{number}号", pooling_area=lead.pooling_area, county=lead.county,
        alliance=_alliance_today(lead, today), institution=lead.institution, party_kind=lead.party_kind,
        party_name=lead.party_name, party_code=lead.party_code, kind=kind, way=way, title=title, claims_from=claims_from,
        claims_to=claims_to, filed_on=today, opened_by=lead.proposed_by, approved_by=actor,
    )  # fmt: skip
    CaseOfficer.objects.bulk_create(
        CaseOfficer(case=case, user=user, card=card, leads=leads, since=today) for user, card, leads in officers
    )
    deadlines.start_limits(case, OPENING)
    change = CaseChange.objects.create(
        case=case, act=Act.FILE, source="", target=case.state, actor=actor, at=timezone.now(), data={"lead": lead.number}
    )
    summary = f"立案：{name_of(case)}，办案人员{'、'.join(str(user) for user, _card, _leads in officers)}。"
    notify([user for user, _card, _leads in officers], summary, case.get_absolute_url())
    record(actor, action_name(Act.FILE), case, summary, trail_data(change), place=case.at)
    return case


def set_officers(actor: User, case: Case, people: Sequence[Officer], reason: str) -> Case:
    """Name who investigates from today on; who is named no more leaves, what they did stays theirs."""
    with transaction.atomic():
        now = locked_case(case)
        held, step = begin(actor, now, Act.OFFICERS, reason, also=_officer_problems(actor, now, people))
        today = timezone.localdate()
        wanted = {user.pk: (card.strip(), leads) for user, card, leads in people}
        current = {row.user_id: row for row in held.officers.filter(until__isnull=True).select_related("user")}
        same = {pk for pk, row in current.items() if wanted.get(pk) == (row.card, row.leads)}
        held.officers.filter(pk__in=[row.pk for pk, row in current.items() if pk not in same]).update(until=today)
        CaseOfficer.objects.bulk_create(
            CaseOfficer(case=held, user=user, card=card.strip(), leads=leads, since=today)
            for user, card, leads in people
            if user.pk not in same
        )
        named = "、".join(f"{user}（{'主办' if leads else '协办'}）" for user, _card, leads in people)
        summary = f"{name_of(held)}办案人员指定为{named}：{reason.strip()}"
        tell = [*(row.user for row in current.values()), *(user for user, _card, _leads in people)]
        data = {"officers": sorted(wanted), "before": sorted(current)}
        finish(actor, held, step, summary, reason=reason, data=data, tell=tell)
        return held


def submit(actor: User, case: Case, reason: str = "") -> Case:
    """Put the findings before the first review."""
    with transaction.atomic():
        held, step = begin(actor, case, Act.SUBMIT)
        found = sums(held)
        summary = f"{name_of(held)}提请初审：认定 {len(found.kept)} 项、{found.total:,.2f} 元。"
        data = {"amount": str(found.total), "findings": len(found.kept)}
        fields = {"submitted_by": actor}
        finish(actor, held, step, summary, reason=reason, data=data, tell=reviewers(held), fields=fields)
        return held


def pass_first(actor: User, case: Case, kinds: Sequence[str], reason: str = "") -> Case:
    """The first review holds: opens the chosen tracks (keys of TrackKind); the agreement track decides the money where it
    is among them. No penalty track where none of the kept findings can be penalised."""
    with transaction.atomic():
        current = locked_case(case)
        held, step = begin(actor, current, Act.PASS_FIRST, also=_kind_problems(current, kinds))
        now, total = timezone.now(), sums(held).total
        money = TrackKind.AGREEMENT if TrackKind.AGREEMENT in kinds else TrackKind.PENALTY
        for kind in sorted(set(kinds)):
            Track.objects.create(case=held, kind=kind, holds_money=kind == money, opened_at=now)
        labels = "、".join(TrackKind(kind).label for kind in sorted(set(kinds)))
        summary = f"{name_of(held)}初审通过，认定 {total:,.2f} 元，启动{labels}。{reason.strip()}"
        data = {"kinds": sorted(set(kinds)), "amount": str(total)}
        fields = {"first_reviewed_by": actor, "first_reviewed_at": now, "first_amount": total}
        finish(actor, held, step, summary, reason=reason, data=data, tell=officers(held), fields=fields)
        return held


def return_first(actor: User, case: Case, reason: str) -> Case:
    """Back to the officers, who supplement what the reason names."""
    with transaction.atomic():
        held, step = begin(actor, case, Act.RETURN_FIRST, reason)
        summary = f"{name_of(held)}初审退回：{reason.strip()}"
        finish(actor, held, step, summary, reason=reason, tell=officers(held))
        return held


def dismiss(actor: User, case: Case, reason: str) -> Case:
    """Nothing punishable was found, or the case does not belong here."""
    with transaction.atomic():
        held, step = begin(actor, case, Act.DISMISS, reason)
        summary = f"{name_of(held)}撤案：{reason.strip()}"
        fields = {"closed_by": actor, "closed_at": timezone.now(), "suspended_on": None}
        finish(actor, held, step, summary, reason=reason, tell=officers(held), fields=fields)
        return held


def suspend(actor: User, case: Case, reason: str) -> Case:
    """From today on nothing is done and no limit runs."""
    with transaction.atomic():
        held, step = begin(actor, case, Act.SUSPEND, reason)
        summary = f"{name_of(held)}中止办理：{reason.strip()}"
        finish(actor, held, step, summary, reason=reason, tell=officers(held), fields={"suspended_on": timezone.localdate()})
        return held


def resume(actor: User, case: Case, reason: str) -> Case:
    """Go on; every limit moves by the days it stood still."""
    with transaction.atomic():
        held, step = begin(actor, case, Act.RESUME, reason)
        since = held.suspended_on
        summary = f"{name_of(held)}恢复办理（自 {since} 起中止）：{reason.strip()}"
        data = {"suspended_on": str(since)}
        finish(actor, held, step, summary, reason=reason, data=data, tell=officers(held), fields={"suspended_on": None})
        return held


def extend(
    actor: User, case: Case, limit: Deadline, until: date | None, reason: str, *, minutes: StoredFile | None = None
) -> Case:
    """Give leave for more time on a running limit, up to what its rule allows; further only for the decision, with the
    ``minutes`` of the group's discussion (行政处罚程序：再延长由集体讨论决定)."""
    with transaction.atomic():
        row = deadlines.running(locked_case(case)).filter(pk=limit.pk).first()
        if row is None:
            text = f"“{deadlines.label_of(limit.key)}”的期限已经办结。"
            raise Conflict([Problem("key", limit.key, text, "请刷新页面查看最新状态。")])
        by_group = row.key == deadlines.DECISION and minutes is not None
        also = deadlines.extension_problems(row, until, timezone.localdate(), by_group=by_group)
        held, step = begin(actor, case, Act.EXTEND, reason, also=also)
        before, row.extended_to, row.extensions, row.escalations = row.last_day, until, row.extensions + 1, 0
        row.save(update_fields=["extended_to", "extensions", "escalations"])
        label = deadlines.label_of(row.key)
        summary = f"{name_of(held)}“{label}”的期限由 {before} 延长至 {until}：{reason.strip()}"
        data = {"deadline": row.pk, "key": row.key, "before": str(before), "by_group": by_group}
        files = [minutes] if minutes is not None else []
        finish(actor, held, step, summary, reason=reason, until=until, data=data, files=files, tell=officers(held))
        return held


def ask_opinion(actor: User, case: Case, expert: str, until: date | None, reason: str) -> Case:
    """An expert's opinion is asked for: the days until it is there do not count for the decision."""
    with transaction.atomic():
        held, step = begin(actor, locked_case(case), Act.COLLECT, also=_opinion_problems(case, expert, until, reason))
        assert until is not None  # the problems say so otherwise
        row = deadlines.agreed_limit(held, EXPERT_OPINION, until)
        summary = f"{name_of(held)}委托{expert.strip()}出具专家（鉴定）意见，约定 {until} 前：{reason.strip()}"
        data = {"opinion": "asked", "deadline": row.pk, "expert": expert.strip()}
        finish(actor, held, step, summary, reason=reason, until=until, data=data, tell=reviewers(held))
        return held


def end_opinion(actor: User, case: Case, reason: str) -> Case:
    """The opinion came (or was given up): the decision's days run again."""
    with transaction.atomic():
        held, step = begin(actor, case, Act.COLLECT)
        problems = [] if len(reason.strip()) >= 4 else [Problem("reason", reason.strip(), "没有写明结果。", "请至少写 4 个字。")]
        if not deadlines.running(held).filter(key=EXPERT_OPINION).exists():
            problems.append(Problem("opinion", "", f"案件 {held.number} 没有正在进行的专家（鉴定）。", "请刷新页面查看。"))
        if problems:
            raise Refused(problems)
        deadlines.end_limits(held, [EXPERT_OPINION])
        summary = f"{name_of(held)}专家（鉴定）意见办结：{reason.strip()}"
        finish(actor, held, step, summary, reason=reason, data={"opinion": "ended"}, tell=reviewers(held))
        return held


def close(actor: User, case: Case, reason: str) -> Case:
    """Everything is done and nothing is owed any more."""
    with transaction.atomic():
        held, step = begin(actor, case, Act.CLOSE, reason)
        deadlines.end_all(held)
        summary = f"{name_of(held)}结案：{reason.strip()}"
        fields = {"closed_by": actor, "closed_at": timezone.now()}
        tell = [*officers(held), *finance(held)]
        finish(actor, held, step, summary, reason=reason, tell=tell, fields=fields)
        return held


def penalty_refusals(case: Case) -> list[str]:
    """Why each kept finding cannot be penalised, where none of them can; empty when one can."""
    told = []
    for row in sums(case).kept:
        act = ACT_BY_KEY.get(row.finding.act)
        if act is not None and act.penalised and rule_on(act, row.finding.acted_to) is not None:
            return []
        why = "属违约行为，没有行政处罚" if act is not None and not act.penalised else f"行为日 {row.finding.acted_to} 没有可适用的罚则"
        told.append(f"事实 {row.finding.number}（{act_label(row.finding.act)}）{why}")
    return told


def _kind_problems(case: Case, kinds: Sequence[str]) -> list[Problem]:
    unknown = [kind for kind in kinds if kind not in TrackKind.values]
    if unknown or not kinds:
        text = f"没有“{'、'.join(unknown)}”这种程序。" if unknown else "没有选择程序。"
        return [Problem("kinds", "、".join(unknown), text, "请选择协议处理、行政处罚或两者。")]
    told = penalty_refusals(case) if TrackKind.PENALTY in kinds and case.state == CaseState.FIRST_REVIEW else []
    return [Problem("kinds", TrackKind.PENALTY.label, f"不能启动行政处罚：{'；'.join(told)}。", "请只选协议处理。")] if told else []


def _officer_problems(actor: User, case: Case, people: Sequence[Officer]) -> list[Problem]:
    from audits.services.lead_decisions import officer_problems

    found = officer_problems(actor, case, people)
    judged = set(case.changes.filter(act__in=JUDGING).exclude(actor=None).values_list("actor_id", flat=True))
    judged |= {case.approved_by_id}
    judged |= set(Hearing.objects.filter(track__case=case).values_list("host_id", flat=True))
    for user, _card, _leads in people:
        if user.pk in judged:
            found.append(Problem("officers", str(user), f"{user}审批或审核过本案，不能办理本案。", "请另外指定办案人员。"))
    return found


def _opinion_problems(case: Case, expert: str, until: date | None, reason: str) -> list[Problem]:
    problems: list[Problem] = []
    today = timezone.localdate()
    if not 0 < len(expert.strip()) <= EXPERT:
        text = f"专家（机构）名称超过 {EXPERT} 个字。" if expert.strip() else "没有填写专家（机构）名称。"
        problems.append(Problem("expert", expert.strip()[:20], text, "请写明出具意见的专家或机构。"))
    if until is None or not today < until <= today + LONGEST_OPINION:
        text = "没有填写约定日期。" if until is None else f"约定日期 {until} 不在今天以后一年之内。"
        problems.append(Problem("until", str(until or ""), text, "请填今天以后一年以内的日期。"))
    if len(reason.strip()) < 4:
        problems.append(Problem("reason", reason.strip(), "没有写明理由。", "请至少写 4 个字，说明要鉴定什么。"))
    if deadlines.running(case).filter(key=EXPERT_OPINION).exists():
        problems.append(Problem("expert", expert.strip()[:20], "本案已有正在进行的专家（鉴定）。", "请先登记其结果。"))
    return problems


def _alliance_today(lead: Lead, today: date) -> Alliance | None:
    from audits.services.leads import alliance_of

    return alliance_of(lead.institution, today) if lead.institution is not None else lead.alliance
