"""Service agreements: applied for, signed, supplemented, suspended, resumed, ended (R-100…R-106, R-119).

Designation is kept apart from auditing (R-068): fund posts apply for and sign, supplement, let expire and open the
listed-disease function; audit posts suspend, resume, terminate and close it. Always one proposes, another decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from audits.models import Agreement, AgreementChange, AgreementState, Case
from audits.reading.agreement_terms import terms_for
from audits.reading.agreements import growth_of, led_alliance
from audits.services.agreement_input import agreed, entry_problems
from audits.services.deciding import decide, need_status, note_problems, text_problems
from audits.services.numbers import next_number, short_name
from core.access import HOSPITAL_ROLES, Allowed, Denied, holders, may, require
from core.errors import Problem, Refused
from core.models import Institution, Role, StoredFile, User
from core.notices import notify
from core.trail import record

ENTER, DECIDE = "audits.enter_agreement", "audits.decide_agreement"
SANCTION, DECIDE_SANCTION = "audits.propose_agreement_sanction", "audits.decide_agreement_sanction"
SANCTIONS = frozenset({"suspend", "resume", "terminate", "listed_off"})
A = AgreementState
SOURCES: dict[str, tuple[str, ...]] = {
    "supplement": (A.IN_FORCE,), "suspend": (A.IN_FORCE,), "resume": (A.SUSPENDED,), "terminate": (A.IN_FORCE, A.SUSPENDED),
    "expire": (A.IN_FORCE, A.SUSPENDED), "listed_on": (A.IN_FORCE,), "listed_off": (A.IN_FORCE, A.SUSPENDED),
}  # fmt: skip
TARGETS = {"suspend": A.SUSPENDED, "resume": A.IN_FORCE, "terminate": A.TERMINATED, "expire": A.EXPIRED}
KINDS = dict(AgreementChange.KINDS)
TEXT = 2000
CLOSING = timedelta(days=60)


def enter(actor: User, institution: Institution, wanted: Mapping[str, Any]) -> Agreement:
    """Apply for a provider's agreement of a year with the terms, indicators and payment limits negotiated.

    ``wanted``: year, valid_from, valid_to, listed_disease, terms {key: text}, indicators {key: target}, limits (lines of
    code, name, unit, limit), reason. Everything wrong is told at once; a standing agreement of the same days refuses.
    """
    require(actor, ENTER, institution)
    today = timezone.localdate()
    asked = terms_for(institution, wanted.get("valid_from") or today, led_alliance(institution, today) is not None)
    with transaction.atomic():
        _lock_institution(institution)
        problems = [*entry_problems(institution, wanted, asked), *_overlaps(institution, wanted)]
        if problems:
            raise Refused(problems)
        terms, indicators, limits = agreed(wanted, asked)
        county = institution.county
        number = next_number(county.pooling_area, f"agreement-{county.code}", wanted["year"])
        agreement = Agreement.objects.create(
            institution=institution, number=f"{short_name(county)}医协〔{wanted['year']}〕{number}号", year=wanted["year"],
            valid_from=wanted["valid_from"], valid_to=wanted["valid_to"], terms=terms, indicators=indicators, limits=limits,
            version=asked.key, listed_disease=bool(wanted.get("listed_disease")), prepared_by=actor,
            prepared_at=timezone.now(),
        )  # fmt: skip
        change = AgreementChange.objects.create(
            agreement=agreement, kind="sign", text=str(wanted.get("reason") or "").strip() or f"签订 {agreement.year} 年度协议",
            from_on=agreement.valid_from, until=agreement.valid_to, proposed_by=actor, proposed_at=timezone.now(),
        )  # fmt: skip
        summary = f"登记{institution}的服务协议申请 {agreement.number}（{agreement.valid_from} 至 {agreement.valid_to}），待审定。"
        _tell(holders((Role.FUND_REVIEWER,), institution), actor, summary, agreement)
        _note(actor, ENTER, agreement, change, summary)
        return agreement


def propose_change(
    actor: User, agreement: Agreement, kind: str, *, text: str, from_on: date | None, until: date | None = None,
    case: Case | None = None, file: StoredFile | None = None,
) -> AgreementChange:  # fmt: skip
    """Propose a change of a running agreement. A supplement keeps the growth figures as its ground (R-106)."""
    require(actor, proposing(kind), agreement.institution)
    with transaction.atomic():
        held = locked(agreement)
        problems = _change_problems(held, kind, text, from_on, until, case)
        if problems or from_on is None:
            raise Refused(problems)
        data = {"growth": growth_of(actor, held.institution)} if kind == "supplement" else {}
        return lay(actor, held, kind, text.strip(), from_on, until=until, case=case, file=file, data=data)


def lay(
    actor: User, held: Agreement, kind: str, text: str, from_on: date, *, until: date | None = None,
    case: Case | None = None, file: StoredFile | None = None, data: dict[str, Any] | None = None, named: User | None = None,
) -> AgreementChange:  # fmt: skip
    """Write a checked proposal on a locked agreement and tell who decides it.

    Points and yearly checks lay what follows from them here, in the name of who proposed those (``named``).
    """
    change = AgreementChange.objects.create(
        agreement=held, kind=kind, text=text, from_on=from_on, until=until, case=case, file=file, data=data or {},
        proposed_by=named or actor, proposed_at=timezone.now(),
    )  # fmt: skip
    summary = f"提出对{held.institution}服务协议 {held.number} {KINDS[kind]}（自 {from_on} 起）：{text}"
    role = Role.AUDIT_REVIEWER if kind in SANCTIONS else Role.FUND_REVIEWER
    _tell(holders((role,), held.institution), actor, summary, held)
    _note(actor, proposing(kind), held, change, summary)
    return change


def decide_change(actor: User, change: AgreementChange, approve: bool, reason: str = "") -> AgreementChange:
    """Approve or return a proposed change (or the application itself); another person than who proposed it.

    An approved one takes effect at once, so not before its first day. An application returned is not signed (不予签订).
    """
    require(actor, deciding(change.kind), change.agreement.institution)
    with transaction.atomic():
        agreement = locked(change.agreement)
        held = _locked_change(change, agreement)
        kind, today = held.kind, timezone.localdate()
        need_status(held, "proposed", "审定")
        if approve and kind != "sign":
            problems = [*_state_problems(agreement, kind), *note_problems(reason, False)]
            if held.from_on > today:
                text = f"{KINDS[kind]}自 {held.from_on} 起生效，今天是 {today}。"
                problems.append(Problem("from_on", str(held.from_on), text, "请在生效当日或之后审定，或退回改日期。"))
            if problems:
                raise Refused(problems)
        if approve and kind == "sign" and agreement.valid_to < today:
            text = f"协议 {agreement.number} 的期限 {agreement.valid_to} 已过。"
            raise Refused([Problem("valid_to", str(agreement.valid_to), text, "请退回，按现在的年度重新申请。")])
        decide(actor, held, "approved" if approve else "returned", reason, f"{agreement.institution}服务协议{KINDS[kind]}")
        _take_effect(actor, agreement, kind, approve)
        words = f"：{reason.strip()}" if reason.strip() else ""
        verdict = "审定" if approve else "不予签订" if kind == "sign" else "退回"
        summary = f"{verdict}{agreement.institution}服务协议 {agreement.number} {KINDS[kind]}{words}"
        told = [held.proposed_by, *(holders(HOSPITAL_ROLES, agreement.institution) if approve else [])]
        _tell(told, actor, summary, agreement)
        _note(actor, deciding(kind), agreement, held, summary)
        return held


def proposing(kind: str) -> str:
    """The right to propose a kind of change."""
    return SANCTION if kind in SANCTIONS else ENTER


def deciding(kind: str) -> str:
    """The right to decide it."""
    return DECIDE_SANCTION if kind in SANCTIONS else DECIDE


def allowed_changes(user: User, agreement: Agreement) -> dict[str, Allowed | Denied]:
    """Every kind of change with whether this person may propose it now or why not."""
    rights = {name: may(user, name, agreement.institution) for name in (ENTER, SANCTION)}
    pending = set(agreement.changes.filter(status="proposed").values_list("kind", flat=True))
    found: dict[str, Allowed | Denied] = {}
    for kind in SOURCES:
        answer = rights[proposing(kind)]
        problems = _state_problems(agreement, kind)
        if answer and problems:
            answer = Denied("".join(problem.text for problem in problems))
        elif answer and kind in pending:
            answer = Denied(f"已有待审定的“{KINDS[kind]}”。")
        found[kind] = answer
    return found


def locked(agreement: Agreement) -> Agreement:
    """The agreement as it stands now; after the case and before anything else of the act."""
    rows = Agreement.objects.select_for_update(of=("self",), no_key=True).with_places()
    return rows.select_related("prepared_by").get(pk=agreement.pk)


def _take_effect(actor: User, agreement: Agreement, kind: str, approve: bool) -> None:
    fields: dict[str, Any] = {}
    if kind == "sign":
        state = A.IN_FORCE if approve else A.REFUSED
        fields = {"state": state, "approved_by": actor, "approved_at": timezone.now()}
    elif approve and kind in TARGETS:
        fields = {"state": TARGETS[kind]}
    elif approve and kind in ("listed_on", "listed_off"):
        fields = {"listed_disease": kind == "listed_on"}
    for name, given in fields.items():
        setattr(agreement, name, given)
    if fields:
        agreement.save(update_fields=list(fields))


def _overlaps(institution: Institution, wanted: Mapping[str, Any]) -> list[Problem]:
    since, until, year = wanted.get("valid_from"), wanted.get("valid_to"), wanted.get("year")
    if since is None or until is None or year is None:
        return []
    others = Agreement.objects.standing().filter(institution=institution, valid_from__lte=until, valid_to__gte=since)
    same_year = Agreement.objects.standing().filter(institution=institution, year=year)
    return [
        Problem(
            "valid_from", f"{since} 至 {until}",
            f"{institution}已有协议 {other.number}（{other.get_state_display()}，{other.valid_from} 至 {other.valid_to}）。",
            "同一年度、同一时间只能有一份协议，请核对起止日期，或先解除原协议。",
        )
        for other in (others | same_year).distinct()
    ]  # fmt: skip


def _change_problems(
    agreement: Agreement, kind: str, text: str, from_on: date | None, until: date | None, case: Case | None
) -> list[Problem]:
    if kind not in SOURCES:
        return [Problem("kind", kind, "没有选择变更事项。", "请从列表中选择。")]
    problems = [*_state_problems(agreement, kind), *text_problems("text", "内容", text, TEXT, 4)]
    today = timezone.localdate()
    if from_on is None:
        problems.append(Problem("from_on", "", "没有填写生效日期。", "请填写日期。"))
    elif kind == "expire":
        problems += _expiry_problems(agreement, from_on, today)
    elif not max(agreement.valid_from, today - timedelta(days=366)) <= from_on <= agreement.valid_to:
        wording = f"生效日期 {from_on} 不在协议期限 {agreement.valid_from} 至 {agreement.valid_to} 内，或早于一年前。"
        problems.append(Problem("from_on", str(from_on), wording, "请改正日期。"))
    if until is not None and from_on is not None and not from_on <= until <= agreement.valid_to:
        wording = f"截止日期 {until} 早于生效日期，或晚于协议期满日 {agreement.valid_to}。"
        problems.append(Problem("until", str(until), wording, "请改正日期。"))
    if until is not None and kind not in ("suspend", "supplement"):
        problems.append(Problem("until", str(until), f"{KINDS[kind]}没有截止日期。", "请留空。"))
    if case is not None and case.institution_id != agreement.institution_id:
        wording = f"案件 {case.number} 的对象是{case.party_name}，不是{agreement.institution}。"
        problems.append(Problem("case", case.number, wording, "请选择该机构的案件，或留空。"))
    if agreement.changes.filter(kind=kind, status="proposed").exists():
        problems.append(Problem("kind", kind, f"已有待审定的“{KINDS[kind]}”。", "请先审定或退回原有的。"))
    return problems


def _expiry_problems(agreement: Agreement, from_on: date, today: date) -> list[Problem]:
    problems = []
    first = agreement.valid_to + timedelta(days=1)
    if from_on != first:
        text = f"到期不续签自期满次日 {first} 起，填的是 {from_on}。"
        problems.append(Problem("from_on", str(from_on), text, "请改正日期；期满前终止的请用解除协议。"))
    if today < agreement.valid_to - CLOSING:
        text = f"协议到 {agreement.valid_to} 才期满。"
        problems.append(Problem("kind", "expire", text, f"请在期满前 {CLOSING.days} 日内提出。"))
    return problems


def _state_problems(agreement: Agreement, kind: str) -> list[Problem]:
    if agreement.state not in SOURCES[kind]:
        state = agreement.get_state_display()
        text = f"协议 {agreement.number} 现在是“{state}”，不能办理“{KINDS[kind]}”。"
        return [Problem("state", state, text, "请刷新页面查看最新状态。")]
    if kind != "expire" and agreement.valid_to < timezone.localdate():
        text = f"协议 {agreement.number} 已于 {agreement.valid_to} 期满，不能办理“{KINDS[kind]}”。"
        return [Problem("valid_to", str(agreement.valid_to), text, "请办理新年度的协议，或办理到期不续签。")]
    if kind in ("listed_on", "listed_off") and agreement.listed_disease == (kind == "listed_on"):
        now = "已开通" if agreement.listed_disease else "没有开通"
        return [Problem("kind", kind, f"协议 {agreement.number} {now}门诊规定病种结算。", "请核对。")]
    return []


def _lock_institution(institution: Institution) -> None:
    Institution.objects.select_for_update(no_key=True).get(pk=institution.pk)


def _locked_change(change: AgreementChange, agreement: Agreement) -> AgreementChange:
    rows = AgreementChange.objects.select_for_update(of=("self",), no_key=True).select_related("proposed_by", "decided_by", "case")
    held = rows.get(pk=change.pk, agreement=agreement)
    held.agreement = agreement
    return held


def _tell(people: Any, actor: User, text: str, agreement: Agreement) -> None:
    notify([person for person in people if person.pk != actor.pk], text, agreement.get_absolute_url())


def _note(actor: User, action: str, agreement: Agreement, change: AgreementChange, summary: str) -> None:
    data = {
        "change": change.pk, "kind": change.kind, "status": change.status, "state": str(agreement.state),
        "from_on": change.from_on, "until": change.until, "case": change.case_id, **change.data,
    }  # fmt: skip
    record(actor, action, agreement, summary, data, place=agreement.institution)

