"""Leads (线索): entered from any source, assigned, extended once, merged, handed over, put forward, returned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils import timezone

from audits.models import Case, CaseChange, Lead, LeadChange, LeadClaim, LeadSource, PartyKind
from audits.parameters import calendar, limit_at
from audits.services.lead_steps import ENTER, attach, auditors, finish, name_of, reviewers, trail_data
from audits.services.numbers import next_number, short_name
from audits.services.steps import begin
from audits.states import Act
from core.access import require
from core.errors import Conflict, Problem, Refused
from core.models import Alliance, County, FundType, Institution, Membership, StoredFile, User
from core.models.places import valid_on
from core.notices import notify
from core.trail import record
from rules.procedure import due_on

TITLE, NAME, DETAIL, BODY = 120, 80, 4000, 80
MOST = Decimal("9999999999999.99")
FILING = "filing"


@dataclass(frozen=True)
class PointedClaim:
    """A claim row a lead points at; ``county`` is where the person is insured, ``amount`` the fund yuan in question."""

    county: County | None
    settlement_id: str
    settled_on: date
    fund_type: str
    amount: Decimal
    note: str = ""


def enter_lead(
    actor: User | None,
    *,
    source: str,
    county: County,
    institution: Institution | None = None,
    party_kind: str = PartyKind.PROVIDER,
    party_name: str = "",
    party_code: str = "",
    title: str,
    detail: str,
    estimate: Decimal | None = None,
    origin_type: str = "",
    origin_key: str = "",
    claims: Sequence[PointedClaim] = (),
    files: Sequence[StoredFile] = (),
    received_on: date | None = None,
    fund_type: str = "",
) -> Lead:
    """Enter a lead of any source and return it; the lead already held where the same origin comes again.

    ``actor`` None is a job. ``origin_type``/``origin_key`` name what it came from (``app.model`` and key).
    ``received_on`` (default today) begins the limit for the filing decision. A provider is named by ``institution``; a
    person only by the pseudonym in ``party_code``. Raises ``Refused`` with every problem, ``NotAllowed``.
    """
    today = timezone.localdate()
    place = institution or county
    if actor is not None:
        require(actor, ENTER, place)
    name = party_name.strip() or (str(institution) if institution is not None else "")
    received = received_on or today
    problems = _problems(source, county, institution, party_kind, name, party_code, title, detail, estimate, fund_type)
    if received > today:
        text = f"收到日期 {received} 晚于今天。"
        problems.append(Problem("received_on", str(received), text, "请填实际收到线索的日期。"))
    problems += _claim_problems(claims)
    if problems:
        raise Refused(problems)
    with transaction.atomic():
        held = _same_origin(source, origin_type, origin_key)
        if held is not None:
            return held
        alliance = alliance_of(institution, received)
        limit = limit_at(FILING, place, received)
        due = due_on(received, limit.count, limit.unit, calendar(received))
        try:
            with transaction.atomic():
                number = next_number(county.pooling_area, f"lead-{county.code}", today.year)
                lead = Lead.objects.create(
                    number=f"{short_name(county)}线〔{today.year}〕{number}号",
                    source=source, origin_type=origin_type, origin_key=origin_key, pooling_area=county.pooling_area,
                    county=county, alliance=alliance, institution=institution, party_kind=party_kind, party_name=name,
                    party_code=party_code.strip(), fund_type=fund_type, title=title.strip(), detail=detail.strip(),
                    estimate=estimate, received_on=received, due_on=due,
                    entered_by=actor, entered_at=timezone.now(),
                )  # fmt: skip
        except IntegrityError:  # another entered the same origin meanwhile: the number goes back with the savepoint
            held = _same_origin(source, origin_type, origin_key)
            if held is None:
                raise
            return held
        point_at(lead, claims)
        attach(lead, files)
        change = LeadChange.objects.create(
            lead=lead, act=Act.ENTER, source="", target=lead.state, actor=actor, at=lead.entered_at,
            data={"origin": origin_type} if origin_type else {},
        )  # fmt: skip
        summary = f"登记{name_of(lead)}，请于 {lead.due_on} 前决定是否立案。"
        notify(reviewers(lead), summary, lead.get_absolute_url())
        record(actor, ENTER, lead, summary, trail_data(change), place=county)
        return lead


def _same_origin(source: str, origin_type: str, origin_key: str) -> Lead | None:
    if not origin_key:
        return None
    same = {"source": source, "origin_type": origin_type, "origin_key": origin_key}
    return Lead.objects.with_places().filter(**same).first()


def alliance_of(institution: Institution | None, day: date) -> Alliance | None:
    """The alliance the institution belongs to on a day."""
    if institution is None:
        return None
    member = Membership.objects.filter(valid_on(day), institution=institution)
    found = member.select_related("alliance__county__pooling_area").first()
    return found.alliance if found else None


def point_at(lead: Lead, claims: Sequence[PointedClaim]) -> None:
    """Keep the claim rows as known now."""
    LeadClaim.objects.bulk_create(
        LeadClaim(
            lead=lead, county=row.county, settlement_id=row.settlement_id, settled_on=row.settled_on, fund_type=row.fund_type,
            amount=row.amount, note=row.note[:200],
        )
        for row in claims
    )  # fmt: skip


def _problems(
    source: str, county: County, institution: Institution | None, party_kind: str, name: str, code: str, title: str,
    detail: str, estimate: Decimal | None, fund_type: str,
) -> list[Problem]:  # fmt: skip
    found = [
        Problem(field, given, f"没有{label}“{given}”。" if given else f"没有选择{label}。", "请从列表中选择。")
        for field, given, label, allowed in (
            ("source", source, "线索来源", LeadSource.values),
            ("party_kind", party_kind, "对象类别", PartyKind.values),
            ("fund_type", fund_type, "险种", ["", *FundType.values]),
        )
        if given not in allowed
    ]
    if institution is not None and institution.county_id != county.pk:
        text = f"{institution}属于{institution.county}，不在{county}。"
        found.append(Problem("institution", str(institution), text, "请选择机构所在的县（区）。"))
    if party_kind == PartyKind.PROVIDER and institution is None:
        found.append(Problem("institution", "", "对象是定点医药机构，没有选择机构。", "请选择机构。"))
    if not name and not (party_kind == PartyKind.PERSON and code.strip()):
        remedy = "参保人员填人员摘要，其他对象填名称。"
        found.append(Problem("party_name", "", "没有填写对象。", remedy))
    texts = (("title", title, "事由", TITLE), ("detail", detail, "情况", DETAIL), ("party_name", name, "对象", NAME))
    for field, given, label, most in texts:
        if len(given.strip()) > most:
            found.append(Problem(field, given[:20], f"{label}有 {len(given.strip())} 个字，超过 {most} 个字。", "请缩短。"))
        elif not given.strip() and field != "party_name":
            found.append(Problem(field, "", f"没有填写{label}。", "请写明时间、内容和依据。" if field == "detail" else "请用一句话写明。"))
    if estimate is not None and not 0 <= estimate <= MOST:
        found.append(Problem("estimate", str(estimate), f"涉及金额 {estimate} 元不在 0 至 {MOST} 元之间。", "请填非负金额，不知道时不填。"))
    return found


def _claim_problems(claims: Sequence[PointedClaim]) -> list[Problem]:
    seen: set[tuple[int | None, str]] = set()
    found = []
    for row in claims:
        key = (row.county.pk if row.county else None, row.settlement_id)
        if key in seen:
            found.append(Problem("claims", row.settlement_id, f"结算单 {row.settlement_id} 列了两次。", "请只选一次。"))
        seen.add(key)
    return found


def assign(actor: User, lead: Lead, to: User | None, reason: str = "") -> Lead:
    """Charge an auditor of the place with checking the lead; again to somebody else while it is being checked."""
    with transaction.atomic():
        held, step = begin(actor, lead, Act.ASSIGN)
        if to is None:
            raise Refused([Problem("to", "", "没有选择核查人。", "请选择本地的稽核人员。")])
        if to not in auditors(held):
            text = f"{to}在{held.at}没有稽核岗位，不能核查本线索。"
            raise Refused([Problem("to", str(to), text, "请选择本地的稽核人员，或请系统管理员授予岗位。")])
        if held.assigned_to_id == to.pk:
            raise Refused([Problem("to", str(to), f"本线索已经由{to}核查。", "请选择另一位稽核人员。")])
        summary = f"分派{name_of(held)}由{to}核查，请于 {held.due_on} 前提出意见。"
        tell = [person for person in (to, held.assigned_to) if person is not None]
        data = {"to": to.pk, "name": str(to), "before": str(held.assigned_to or "")}
        finish(actor, held, step, summary, reason=reason, data=data, tell=tell, fields={"assigned_to": to})
        return held


def extend(actor: User, lead: Lead, reason: str) -> Lead:
    """Give leave for the limit's extension (15 working days), once and before the limit is over."""
    with transaction.atomic():
        held, step = begin(actor, lead, Act.EXTEND_LEAD, reason)
        if held.due_on < timezone.localdate():
            text = f"立案期限 {held.due_on} 已经届满，不能再延长。"
            raise Refused([Problem("due_on", str(held.due_on), text, "请尽快审批立案或者不予立案。")])
        limit = limit_at(FILING, held.at, held.received_on)
        due = due_on(held.due_on, limit.extension, limit.unit, calendar(held.due_on))
        summary = f"{name_of(held)}的立案期限由 {held.due_on} 延至 {due}。"
        data = {"before": str(held.due_on), "due_on": str(due)}
        tell = [held.assigned_to] if held.assigned_to else []
        fields = {"due_on": due, "is_extended": True, "escalations": 0}
        finish(actor, held, step, summary, reason=reason, data=data, tell=tell, fields=fields)
        return held


def merge(actor: User, lead: Lead, reason: str, *, into: Lead | None = None, case: Case | None = None) -> Lead:
    """Join the lead to another open one of the same party, or to an open case of it; its claim rows go along."""
    with transaction.atomic():
        into_case = Case.objects.select_for_update(no_key=True).get(pk=case.pk) if case is not None else None
        into_lead = _other(lead, into) if into is not None else None
        target = into_case or into_lead
        held, step = begin(actor, lead, Act.MERGE, reason, _merge_problems(lead, target))
        if target is None:
            raise RuntimeError("a merge without a target was refused before")
        if into_lead is not None:
            known = set(into_lead.claims.values_list("county", "settlement_id"))
            point_at(
                into_lead,
                [
                    PointedClaim(
                        row.county, row.settlement_id, row.settled_on, row.fund_type, row.amount, row.note or f"来自 {held.number}"
                    )
                    for row in held.claims.select_related("county")
                    if (row.county_id, row.settlement_id) not in known
                ],
            )  # fmt: skip
            LeadChange.objects.create(
                lead=into_lead, act=Act.MERGE, source=into_lead.state, target=into_lead.state, actor=actor, at=timezone.now(),
                data={"from": held.pk, "number": held.number},
            )  # fmt: skip
        if into_case is not None:
            CaseChange.objects.create(
                case=into_case, act=Act.MERGE, source=into_case.state, target=into_case.state, actor=actor, at=timezone.now(),
                reason=f"线索 {held.number} 并入本案", data={"lead": held.pk},
            )  # fmt: skip
        summary = f"{name_of(held)}并入{'案件' if into_case else '线索'} {target.number}。"
        tell = [person for person in (held.assigned_to, into_lead.assigned_to if into_lead else None) if person is not None]
        fields = {"merged_into": into_lead, "case": into_case, "decided_by": actor, "decided_at": timezone.now()}
        finish(actor, held, step, summary, reason=reason, data={"into": target.number}, tell=tell, fields=fields)
        return held


def _other(lead: Lead, into: Lead) -> Lead:
    """Both rows locked in the order of their keys, so that two merges never wait for each other."""
    rows = Lead.objects.select_for_update(of=("self",), no_key=True).with_places().filter(pk__in={lead.pk, into.pk})
    return next(row for row in rows.order_by("pk") if row.pk == into.pk)


def _merge_problems(lead: Lead, target: Lead | Case | None) -> list[Problem]:
    if target is None:
        return [Problem("into", "", "没有选择并入哪一条线索或者哪一个案件。", "请选择同一对象的线索或者案件。")]
    if isinstance(target, Lead) and target.pk == lead.pk:
        return [Problem("into", target.number, "线索不能并入自己。", "请选择另一条线索或者案件。")]
    found = []
    what = "线索" if isinstance(target, Lead) else "案件"
    if not target.is_open:
        text = f"{what} {target.number} 现在是“{target.get_state_display()}”，不能再并入。"
        found.append(Problem("into", target.number, text, "请选择尚未办结的线索或者案件。"))
    if not same_party(lead, target):
        text = f"{what} {target.number} 的对象是{target.party_name}，与本线索的{lead.party_name}不是同一对象。"
        found.append(Problem("into", target.number, text, "只有同一对象的线索可以并入。"))
    return found


def same_party(one: Lead | Case, other: Lead | Case) -> bool:
    """Whether two are about the same provider, person, agency or enterprise of one pooling area."""
    if one.pooling_area_id != other.pooling_area_id or one.party_kind != other.party_kind:
        return False
    if one.party_kind == PartyKind.PROVIDER:
        return one.institution_id is not None and one.institution_id == other.institution_id
    if one.party_code or other.party_code:
        return one.party_code == other.party_code
    return one.institution_id == other.institution_id and one.county_id == other.county_id and one.party_name == other.party_name


def hand_over(actor: User, lead: Lead, to: str, reason: str) -> Lead:
    """Give a lead that is not ours to the body that is to handle it; ``to`` names the body."""
    with transaction.atomic():
        body, problems = to.strip(), []
        if not body or len(body) > BODY:
            text = f"接收单位超过 {BODY} 个字。" if body else "没有填写接收单位。"
            problems.append(Problem("to", body[:20], text, "请写明接收线索的单位。"))
        held, step = begin(actor, lead, Act.HAND, reason, problems)
        summary = f"{name_of(held)}移交其他单位处理。"
        tell = [held.assigned_to] if held.assigned_to else []
        fields = {"decided_by": actor, "decided_at": timezone.now()}
        finish(actor, held, step, summary, reason=reason, data={"to": body}, tell=tell, fields=fields)
        return held


def propose(actor: User, lead: Lead, *, filing: bool, reason: str, files: Sequence[StoredFile] = ()) -> Lead:
    """The one who checked the lead says whether to open a case, and why."""
    with transaction.atomic():
        act = Act.PROPOSE_FILE if filing else Act.PROPOSE_REFUSE
        held, step = begin(actor, lead, act, reason)
        attach(held, files)
        summary = f"核查完毕，提请{'立案' if filing else '不予立案'}：{name_of(held)}，请于 {held.due_on} 前审批。"
        fields = {"proposal": str(Act.FILE if filing else Act.REFUSE), "proposed_by": actor}
        finish(actor, held, step, summary, reason=reason, tell=reviewers(held), fields=fields)
        return held


def return_lead(actor: User, lead: Lead, reason: str) -> Lead:
    """Back to the one who checks it."""
    with transaction.atomic():
        held, step = begin(actor, lead, Act.RETURN_LEAD, reason)
        summary = f"{name_of(held)}退回核查，意见见线索页面。"
        tell = [held.assigned_to] if held.assigned_to else []
        finish(actor, held, step, summary, reason=reason, tell=tell, fields={"proposal": "", "proposed_by": None})
        return held


def decided_as(lead: Lead, act: str) -> None:
    """Only what was put forward can be approved; otherwise the lead goes back."""
    if lead.proposal != act:
        asked = "立案" if lead.proposal == Act.FILE else "不予立案"
        text = f"核查人提请的是{asked}，不能办理“{Act(act).label}”。"
        raise Conflict([Problem("proposal", asked, text, "不同意时请退回核查。")])
