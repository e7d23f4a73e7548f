"""下一步 of a case: the acts its state and its tracks' states know, as forms for who may do them and as reasons for who may not.

Acts whose forms stand in a card (evidence, findings, money …) are led to by a link.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from audits.forms_cases import (
    OFFICERS,
    ExpertForm,
    ExtendForm,
    OfficersForm,
    PassFirstForm,
    PlaceForm,
    ResultForm,
    ServiceForm,
)
from audits.forms_leads import OptionalReasonForm, ReasonForm
from audits.models import Case, Track
from audits.parameters import EXPERT_OPINION
from audits.services import cases, deadlines
from audits.services.lead_steps import auditors
from audits.services.steps import allowed_acts, allowed_track_acts
from audits.states import Act, CaseState, TrackKind, TrackState, transition
from core.access import Allowed, Denied, roles_at
from core.templatetags.fund import yuan
from rules.procedure import UNITS

ASK_OPINION, END_OPINION = "ask_opinion", "end_opinion"
"""Two acts of the officers that belong to 登记证据 in the state table."""
CASE_ORDER = (
    Act.SUBMIT, Act.PASS_FIRST, Act.RETURN_FIRST, Act.CLOSE, Act.RESUME, Act.OFFICERS, ASK_OPINION, END_OPINION, Act.EXTEND,
    Act.SUSPEND, Act.DISMISS,
)  # fmt: skip
TRACK_ORDER = (
    Act.NOTIFY, Act.PUT_FORWARD, Act.PASS_RE, Act.RETURN_RE, Act.PASS_LEGAL, Act.RETURN_LEGAL, Act.DECIDE, Act.SERVE, Act.PUBLISH,
    Act.COMPLETE, Act.DROP,
)  # fmt: skip
LABELS = {ASK_OPINION: "委托专家（鉴定）", END_OPINION: "登记专家（鉴定）结果"}
IN_CARDS = {
    Act.COLLECT: "evidence", Act.FIND: "findings", Act.TRIM: "findings", Act.STATE: "statements", Act.ASK_HEARING: "statements",
    Act.REPLY: "statements", Act.ANNOUNCE: "statements", Act.HOLD_HEARING: "statements", Act.RECEIVE: "money",
    Act.DEDUCT: "money", Act.TAKE_BACK: "money", Act.PAY_FINE: "money", Act.REMEDY: "money", Act.CONSEQUENCE: "audits.measures",
    Act.REFER: "audits.referrals", Act.FOLLOW_UP: "audits.follow_ups",
}  # fmt: skip
"""Acts whose forms other cards hold, by the name the card is registered under; ``PROPOSE`` is the track's own card."""
PROPOSALS = {TrackKind.AGREEMENT: "measures", TrackKind.PENALTY: "penalty"}
NEXT_OF_CASE = {
    CaseState.INVESTIGATING: (Act.SUBMIT,), CaseState.FIRST_REVIEW: (Act.PASS_FIRST,), CaseState.REVIEWED: (Act.CLOSE,),
}  # fmt: skip
NEXT_OF_TRACK = {
    TrackState.TO_NOTIFY: (Act.NOTIFY,), TrackState.NOTIFIED: (Act.PUT_FORWARD,), TrackState.RE_REVIEW: (Act.PASS_RE,),
    TrackState.LEGAL: (Act.PASS_LEGAL,), TrackState.TO_DECIDE: (Act.DECIDE,), TrackState.DECIDED: (Act.SERVE,),
    TrackState.SERVED: (Act.COMPLETE,),
}  # fmt: skip
"""The acts that take a case on: shown open for who may do them."""
DANGEROUS = frozenset({Act.DISMISS, Act.DROP, Act.DECIDE, Act.SERVE, Act.CLOSE})
EFFECTS = {
    Act.SUBMIT: "提请后由稽核复核初审，初审期间不能更改认定。",
    Act.PASS_FIRST: "启动所选程序，认定金额固定为初审金额，此后只能核减。",
    Act.RETURN_FIRST: "退回办案人员补充调查，重新计算补充调查期限。",
    Act.CLOSE: "结案后不再办理，各项期限终止。",
    Act.RESUME: "恢复办理，各项期限按中止的天数顺延。",
    Act.OFFICERS: "未再指定的人员从今天起退出办案，已办理的内容保留其姓名。",
    ASK_OPINION: "从今天起到登记结果为止的期间不计入办案期限。",
    END_OPINION: "办案期限从今天起恢复计算。",
    Act.EXTEND: "期限改为所选日期，理由记入办理经过。",
    Act.SUSPEND: "从今天起停止办理，各项期限暂停计算。",
    Act.DISMISS: "案件终止，不作处理，不能恢复。",
    Act.NOTIFY: "生成告知书并编号，当事人从此可以看到案件，从送达之日起计算陈述申辩期限。",
    Act.PUT_FORWARD: "提请后由另一名稽核复核复审，当事人不能再提出意见。",
    Act.PASS_RE: "达到标准的转法制审核，否则转作出决定。",
    Act.RETURN_RE: "退回办案人员重新拟定处理意见并重新告知。",
    Act.PASS_LEGAL: "转作出决定。",
    Act.RETURN_LEGAL: "退回复审。",
    Act.DECIDE: "决定作出后不能更改，须在期限内送达。",
    Act.SERVE: "决定生效：拒付金额退出本年度清算的 S_in，其余记为应追回；罚款上缴国库，不入基金账。",
    Act.PUBLISH: "登记后公开期限办结。",
    Act.COMPLETE: "本程序办结。",
    Act.DROP: "本程序终止，不作处理，不能恢复。",
}
FUND_ACTS = frozenset({Act.SUBMIT, Act.PASS_FIRST, Act.PASS_RE, Act.DECIDE, Act.SERVE})
"""Acts whose dialog names the yuan they are about."""


@dataclass(frozen=True)
class PanelAct:
    """One act; ``open`` when it was just refused or is the next one, ``blocked`` when it can no longer be done but what was
    typed is still there."""

    act: str
    label: str
    effect: str
    amount: str
    url: str
    form: Any
    open: bool
    main: bool
    danger: bool
    blocked: bool = False


@dataclass(frozen=True)
class Link:
    """An act whose form stands in a card."""

    label: str
    anchor: str


@dataclass(frozen=True)
class Group:
    """The acts of the case itself or of one track."""

    title: str
    acts: tuple[PanelAct, ...]
    links: tuple[Link, ...]
    denied: tuple[tuple[str, str], ...]

    @property
    def is_empty(self) -> bool:
        return not (self.acts or self.links or self.denied)


def opened_name(thing: Case | Track, act: str) -> str:
    """How the page names an act: the act itself, or ``penalty-notify``."""
    return act if isinstance(thing, Case) else f"{thing.kind}-{act}"


def panel_of(
    user: Any, case: Case, tracks: Sequence[Track], total: Decimal, cards: frozenset[str], opened: str = "", form: Any = None
) -> list[Group]:
    """``total``: the yuan found; ``cards``: names of those on the page; ``opened``: the act that has just failed with its ``form``."""
    mine = {role for place in (case.at, case.alliance) if place is not None for role in roles_at(user, place)}
    things: list[Case | Track] = [case, *tracks]
    groups = [_group(user, thing, frozenset(mine), total, cards, opened, form) for thing in things]
    return [group for group in groups if not group.is_empty]


def form_of(user: Any, thing: Case | Track, act: str, request: HttpRequest | None = None) -> Any:
    """The form of an act: empty with what is known, or as posted with ``request``."""
    posted: tuple[Any, ...] = (request.POST, request.FILES) if request is not None else ()
    ids: dict[str, Any] = {"auto_id": f"{opened_name(thing, act)}-%s"}
    if isinstance(thing, Case):
        if act == Act.OFFICERS:
            people = [(str(one.pk), str(one)) for one in auditors(thing)]
            return OfficersForm(*posted, people=people, initial=_officers(thing), **ids)
        if act == Act.EXTEND:
            return ExtendForm(*posted, limits=_extendable(thing), **ids)
        if act == Act.PASS_FIRST:
            if not posted:
                ids["initial"] = {"agreement": True, "penalty": not cases.penalty_refusals(thing)}
            return PassFirstForm(*posted, **ids)
    if act in (Act.NOTIFY, Act.SERVE):
        ids["initial"] = {"on": timezone.localdate()}
        return ServiceForm(*posted, **ids)
    forms: dict[str, Any] = {
        ASK_OPINION: ExpertForm, END_OPINION: ResultForm, Act.PUBLISH: PlaceForm, Act.SUBMIT: OptionalReasonForm,
        Act.PUT_FORWARD: OptionalReasonForm, Act.PASS_RE: OptionalReasonForm, Act.PASS_LEGAL: OptionalReasonForm,
        Act.DECIDE: OptionalReasonForm, Act.COMPLETE: OptionalReasonForm,
    }  # fmt: skip
    return forms.get(act, ReasonForm)(*posted, **ids)


def anchor_of(card: str) -> str:
    """The id of a card in the page."""
    return f"card-{card.replace('.', '-').replace('_', '-')}"


def state_act(act: str) -> Act:
    """The act of the state table that allows it."""
    return Act.COLLECT if act in (ASK_OPINION, END_OPINION) else Act(act)


def _group(
    user: Any, thing: Case | Track, mine: frozenset[str], total: Decimal, cards: frozenset[str], opened: str, form: Any
) -> Group:
    on = "case" if isinstance(thing, Case) else "track"
    rows = {act: row for act in Act if (row := transition(on, thing.state, act)) is not None and row.roles & mine}
    answers: dict[Act, Any] = {}
    if rows:
        answers = dict(allowed_acts(user, thing) if isinstance(thing, Case) else allowed_track_acts(user, thing))
    order = CASE_ORDER if isinstance(thing, Case) else TRACK_ORDER
    waits = _next(thing)
    acts = []
    for act in order:
        name = opened_name(thing, act)
        allowed = state_act(act) in rows and isinstance(answers.get(state_act(act)), Allowed) and _asked_for(thing, act)
        refused = opened == name and form is not None
        if allowed or refused:
            acts.append(_panel_act(user, thing, act, total, form if refused else None, act in waits, not opened, not allowed))
    links = [
        Link(act.label, anchor_of(name))
        for act in rows
        if (name := _card_of(thing, act)) in cards and isinstance(answers[act], Allowed)
    ]
    return Group(
        title="案件" if isinstance(thing, Case) else thing.get_kind_display(),
        acts=tuple(acts),
        links=tuple(links),
        denied=_denied(thing, {act: answers[act] for act in rows}),
    )


def _panel_act(
    user: Any, thing: Case | Track, act: str, total: Decimal, refused: Any, main: bool, fresh: bool, blocked: bool
) -> PanelAct:
    if isinstance(thing, Case):
        url = reverse("audits:case-act", args=[thing.pk, str(act)])
    else:
        url = reverse("audits:track-act", args=[thing.case_id, thing.kind, str(act)])
    return PanelAct(
        act=str(act), label=LABELS.get(act) or str(Act(act).label), effect=_effect(thing, act), amount=_amount(thing, act, total),
        url=url, form=refused if refused is not None else form_of(user, thing, act), open=refused is not None or (main and fresh),
        main=main, danger=act in DANGEROUS, blocked=blocked,
    )  # fmt: skip


def _next(thing: Case | Track) -> tuple[Act, ...]:
    if isinstance(thing, Case):
        return (Act.RESUME,) if thing.is_suspended else NEXT_OF_CASE.get(CaseState(thing.state), ())
    return NEXT_OF_TRACK.get(TrackState(thing.state), ())


def _card_of(thing: Case | Track, act: str) -> str:
    """The card that holds an act's form; empty where the panel itself does."""
    if act == Act.PROPOSE and isinstance(thing, Track):
        return PROPOSALS[TrackKind(thing.kind)]
    return IN_CARDS.get(Act(act), "")


def _asked_for(thing: Case | Track, act: str) -> bool:
    """Only what makes sense now: an opinion is asked for once at a time, limits are extended where one can be."""
    if isinstance(thing, Track):
        return True
    if act in (ASK_OPINION, END_OPINION):
        return (act == END_OPINION) == deadlines.running(thing).filter(key=EXPERT_OPINION).exists()
    return act != Act.EXTEND or bool(_extendable(thing))


def _denied(thing: Case | Track, answers: dict[Act, Any]) -> tuple[tuple[str, str], ...]:
    """Why the person's own posts cannot do what the state knows; acts refused for the same reason in one line."""
    told: dict[str, list[str]] = {}
    case = thing if isinstance(thing, Case) else thing.case
    for act, answer in answers.items():
        needless = act == (Act.SUSPEND if case.is_suspended else Act.RESUME)
        if isinstance(answer, Denied) and not needless:
            told.setdefault(answer.reason, []).append(act.label)
    return tuple(("、".join(labels), reason) for reason, labels in told.items())


def _amount(thing: Case | Track, act: str, total: Decimal) -> str:
    if act not in FUND_ACTS or (isinstance(thing, Track) and not thing.holds_money):
        return ""
    return f"{yuan(total)} 元"


def _effect(thing: Case | Track, act: str) -> str:
    fine = thing.fine if isinstance(thing, Track) and thing.kind == TrackKind.PENALTY else None
    named = f"罚款 {yuan(fine)} 元。" if fine is not None and act in (Act.NOTIFY, Act.PASS_RE, Act.DECIDE, Act.SERVE) else ""
    return named + EFFECTS[act]


def _officers(case: Case) -> dict[str, Any]:
    rows = case.officers.filter(until__isnull=True).order_by("-leads", "pk")[: len(OFFICERS)]
    found: dict[str, Any] = {}
    for name, row in zip(OFFICERS, rows, strict=False):
        found |= {name: str(row.user_id), f"{name}_card": row.card}
    return found


def _extendable(case: Case) -> list[tuple[str, str]]:
    """Running limits that may be extended."""
    rows = deadlines.running(case).filter(extension__gt=0, count__gt=0).select_related("track").order_by("pk")
    return [
        (
            str(row.pk),
            f"{deadlines.label_of(row.key)}{f'（{row.track.get_kind_display()}）' if row.track else ''}："
            f"现到 {row.last_day}，可延长 {row.extension} {UNITS[row.unit]}",
        )
        for row in rows
    ]
