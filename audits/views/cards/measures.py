"""监管措施, 移送 and 回头看 of a case's page: what was done, what waits, what the findings suggest, and the forms."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from audits.access import reads_audits
from audits.documents.kinds import OF_MEASURE
from audits.forms_papers import (
    FollowUpForm,
    MeasureForm,
    OutcomeForm,
    RecordForm,
    ReferralForm,
    ReplyForm,
    ResultForm,
    SendForm,
    ids_of,
)
from audits.models import Case, FollowUp, Measure, Referral
from audits.reading.hints import Hint, hints
from audits.registries import Card
from audits.services.steps import failing, right, state_text
from audits.states import Act, transition
from core.access import Denied

MEASURE, REFERRAL, FOLLOW_UP = "measure", "referral", "follow-up"


def measures(request: HttpRequest, case: Case, opened: str, form: Any) -> Card | None:
    """The party sees what was sent to it; nothing while there is nothing."""
    user: Any = request.user
    inside = reads_audits(user)
    may, why = _may(user, case, Act.CONSEQUENCE, inside)
    rows = list(Measure.objects.visible_to(user).filter(case=case).select_related("by", "outcome_by").prefetch_related("files"))
    if not rows and not inside:
        return None
    return Card("audits/cards/measures.html", {
        "measures": [
            {
                "row": row,
                "overdue": _overdue(row.due_on, row.outcome_on),
                "send": _own(form, opened, f"send-{row.pk}", SendForm) if may and _to_send(row) else None,
                "send_open": opened == f"send-{row.pk}",
                "end": _own(form, opened, f"end-{row.pk}", OutcomeForm)
                if may and _to_end(row) else None,
                "end_open": opened == f"end-{row.pk}",
            }
            for row in rows
        ],
        "measures_may": may,
        "measures_why": why,
        "measures_inside": inside,
        "measure_form": _own(form, opened, MEASURE, MeasureForm),
        "measure_open": opened == MEASURE,
    })  # fmt: skip


def referrals(request: HttpRequest, case: Case, opened: str, form: Any) -> Card | None:
    """For the bureau only, with what the findings suggest."""
    user: Any = request.user
    if not reads_audits(user):
        return None
    may, why = _may(user, case, Act.REFER, True)
    rows = Referral.objects.visible_to(user).filter(case=case).select_related("by", "record", "reply_file", "reply_by")
    found = hints(case)
    return Card("audits/cards/referrals.html", {
        "referrals": [
            {
                "row": row,
                "overdue": _overdue(row.due_on, row.replied_on),
                "record": _own(form, opened, f"record-{row.pk}", RecordForm)
                if may and row.record_id is None else None,
                "record_open": opened == f"record-{row.pk}",
                "reply": _own(form, opened, f"reply-{row.pk}", ReplyForm)
                if may and row.replied_on is None else None,
                "reply_open": opened == f"reply-{row.pk}",
            }
            for row in rows
        ],
        "referral_hints": found,
        "referrals_may": may,
        "referrals_why": why,
        "referral_form": _own(form, opened, REFERRAL, ReferralForm, initial=_proposed(found)),
        "referral_open": opened == REFERRAL,
    })  # fmt: skip


def follow_ups(request: HttpRequest, case: Case, opened: str, form: Any) -> Card | None:
    """For the bureau only."""
    user: Any = request.user
    if not reads_audits(user):
        return None
    may, why = _may(user, case, Act.FOLLOW_UP, True)
    rows = FollowUp.objects.visible_to(user).filter(case=case).select_related("planned_by", "done_by", "lead")
    return Card("audits/cards/follow_ups.html", {
        "follow_ups": [
            {
                "row": row,
                "overdue": _overdue(row.due_on, row.done_on),
                "finish": _own(form, opened, f"finish-{row.pk}", ResultForm)
                if may and row.done_on is None else None,
                "finish_open": opened == f"finish-{row.pk}",
            }
            for row in rows
        ],
        "follow_ups_may": may,
        "follow_ups_why": why,
        "follow_up_form": _own(form, opened, FOLLOW_UP, FollowUpForm),
        "follow_up_open": opened == FOLLOW_UP,
    })  # fmt: skip


def _may(user: Any, case: Case, act: str, inside: bool) -> tuple[bool, str]:
    """Whether the act is allowed now; for the bureau's auditors why not."""
    answer, row = right(user, case, act), transition("case", case.state, act)
    if not inside or isinstance(answer, Denied):
        return False, ""
    if row is None:
        return False, state_text(case, act)
    refusals = failing(user, case, row)
    return not refusals, "".join(denied.reason for _name, denied in refusals)


def _own(form: Any, opened: str, name: str, form_class: Any, **given: Any) -> Any:
    """The refused form of this act with what was typed, else a fresh one; its fields' ids are its own in the page."""
    return form if opened == name and form is not None else form_class(auto_id=ids_of(name), **given)


def _overdue(due: Any, done: Any) -> bool:
    return due is not None and done is None and due < timezone.localdate()


def _to_send(row: Measure) -> bool:
    return row.kind in OF_MEASURE and row.sent_on is None


def _to_end(row: Measure) -> bool:
    return row.outcome_on is None and not _to_send(row)


def _proposed(found: list[Hint]) -> dict[str, str]:
    """The first hint fills the form."""
    return {"body": found[0].body, "reason": found[0].text} if found else {}
