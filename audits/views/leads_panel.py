"""下一步 of a lead: the acts its state knows, as forms for who may do them and as reasons for who may not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from audits.forms_leads import (
    AssignForm,
    FileForm,
    HandForm,
    MergeForm,
    OptionalReasonForm,
    ProposeForm,
    ReasonForm,
    file_initial,
)
from audits.models import Lead, LeadSource, PlanKind
from audits.reading.leads import merge_targets
from audits.services.lead_steps import auditors
from audits.services.steps import allowed_lead_acts
from audits.states import Act, LeadState, transition
from core.access import Allowed, Denied

ORDER = (
    Act.ASSIGN, Act.PROPOSE_FILE, Act.PROPOSE_REFUSE, Act.FILE, Act.REFUSE, Act.RETURN_LEAD, Act.EXTEND_LEAD, Act.MERGE, Act.HAND,
)  # fmt: skip
NEXT = {
    LeadState.NEW: (Act.ASSIGN,),
    LeadState.ASSIGNED: (Act.PROPOSE_FILE,),
    LeadState.PROPOSED: (Act.FILE, Act.REFUSE),
}
"""The acts that take a lead on: why somebody may not do them is told."""
EFFECTS = {
    Act.ASSIGN: "分派后通知核查人，期限不变。",
    Act.MERGE: "并入后本线索办结，所列结算记录随之并入。",
    Act.HAND: "移交后本线索办结，不再在本局办理。",
    Act.PROPOSE_FILE: "提请后由稽核复核审批，审批前不能更改。",
    Act.PROPOSE_REFUSE: "提请后由稽核复核审批，审批前不能更改。",
    Act.RETURN_LEAD: "退回核查人补充核查，期限不变。",
    Act.EXTEND_LEAD: "立案期限延长 15 个工作日，每条线索只能延长一次。",
    Act.FILE: "立案后成为案件，两名办案人员开始调查，办案期限从今天起算。",
    Act.REFUSE: "线索办结，不予立案。",
}


@dataclass(frozen=True)
class PanelAct:
    """One act the user may do now; ``open`` when it was just refused or is the next one."""

    act: str
    label: str
    effect: str
    url: str
    form: Any
    open: bool
    main: bool


@dataclass(frozen=True)
class Panel:
    acts: tuple[PanelAct, ...]
    denied: tuple[str, ...]


def panel_of(user: Any, lead: Lead, opened: str = "", form: Any = None) -> Panel:
    """``opened``: the act that has just failed with its bound ``form``."""
    known = [act for act in ORDER if transition("lead", lead.state, act) is not None]
    if not known:
        return Panel((), ())
    answers = allowed_lead_acts(user, lead)
    next_acts = NEXT.get(LeadState(lead.state), ())
    allowed = [act for act in known if isinstance(answers.get(act), Allowed) and _asked_for(lead, act)]
    denied = [
        answer.reason for act in next_acts if _asked_for(lead, act) and isinstance(answer := answers.get(act), Denied)
    ]  # fmt: skip
    acts = tuple(
        PanelAct(
            act=str(act), label=str(act.label), effect=EFFECTS[act], url=reverse("audits:lead-act", args=[lead.pk, str(act)]),
            form=form if opened == act else form_of(user, lead, act), open=opened == act or (not opened and act in next_acts),
            main=act in next_acts,
        )
        for act in allowed
    )  # fmt: skip
    return Panel(acts, tuple(dict.fromkeys(denied)))


def _asked_for(lead: Lead, act: str) -> bool:
    """Only what was put forward is offered for approval."""
    return act not in (Act.FILE, Act.REFUSE) or lead.proposal == act


def form_of(user: Any, lead: Lead, act: str, request: HttpRequest | None = None) -> Any:
    """The form of an act: empty, or as posted with ``request``."""
    posted: Any = (request.POST, request.FILES) if request is not None else ()
    ids: dict[str, Any] = {"auto_id": f"{act}-%s"}
    if act == Act.ASSIGN:
        people = [(str(person.pk), str(person)) for person in auditors(lead) if person.pk != lead.assigned_to_id]
        return AssignForm(*posted, people=people, **ids)
    if act == Act.MERGE:
        return MergeForm(*posted, targets=_targets(user, lead), **ids)
    if act == Act.FILE:
        people = [(str(person.pk), str(person)) for person in auditors(lead)]
        initial = file_initial(lead.title, _kind(lead), lead.received_on)
        return FileForm(*posted, people=people, initial=initial, **ids)
    forms: dict[Act, Any] = {
        Act.HAND: HandForm, Act.PROPOSE_FILE: ProposeForm, Act.PROPOSE_REFUSE: ProposeForm, Act.REFUSE: OptionalReasonForm,
    }  # fmt: skip
    return forms.get(Act(act), ReasonForm)(*posted, **ids)


def _targets(user: Any, lead: Lead) -> list[tuple[str, list[tuple[str, str]]]]:
    leads, cases = merge_targets(user, lead)
    groups = [("线索", [(f"L{row.pk}", str(row)) for row in leads]), ("案件", [(f"C{row.pk}", f"{row} {row.title}") for row in cases])]
    return [(label, rows) for label, rows in groups if rows]


def _kind(lead: Lead) -> str:
    if lead.source == LeadSource.TIP:
        return str(PlanKind.TIP)
    return str(PlanKind.SPECIAL if lead.source in (LeadSource.INSPECTION, LeadSource.DEPARTMENT) else PlanKind.ROUTINE)
