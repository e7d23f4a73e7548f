"""What every page of the quarterly tables needs first: the object inside the user's scope, or 404."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from django.forms import Form
from django.http import FileResponse, HttpRequest

from core.access import roles_at
from core.errors import Problem, Refused
from core.exports import attachment
from core.models import Role, StoredFile
from core.scope import get_visible
from submissions.models import Assignment, Finding, Submission

BUREAU_VIEW = frozenset(Role) - {Role.HOSPITAL_FINANCE, Role.MEMBER_INSTITUTION}


def find_assignment(request: HttpRequest, pk: int) -> Assignment:
    found: Assignment = get_visible(Assignment.objects.with_places(), request.user, pk=pk)
    return found


def find_version(request: HttpRequest, pk: int) -> Submission:
    found: Submission = get_visible(Submission.objects.with_places(), request.user, pk=pk)
    return found


def versions_seen(user: Any, assignment: Assignment) -> list[Submission]:
    """The versions of an assignment the user may see, newest first, with their findings, without their figures."""
    findings = Finding.objects.only("submission", "severity", "waiver", "explanation", "number")
    seen = Submission.objects.visible_to(user).filter(assignment=assignment).defer("figures", "notes")
    seen = seen.select_related("file", "answer", "uploaded_by", "filed_by", "decided_by").order_by("-number")
    return list(seen.prefetch_related(Prefetch("findings", queryset=findings)))


def is_hospital(user: Any, assignment: Assignment) -> bool:
    """Whether the user files for this alliance."""
    return Role.HOSPITAL_FINANCE in roles_at(user, assignment.alliance)


def refused_by(form: Form) -> Refused:
    """A form's errors as problems, so that page and service speak alike."""
    return Refused(
        [
            Problem(str(form[name].label), str(form.data.get(name, "")), str(error))
            for name, errors in form.errors.items()
            for error in errors
        ]
    )

def download(stored: StoredFile | None) -> FileResponse:
    """A stored file under its own name, or 404."""
    return attachment(stored, "没有这个文件。")
