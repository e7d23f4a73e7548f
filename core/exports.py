"""Downloads that leave a trace: who took which figures out of the system, and when (R-068)."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import models, transaction
from django.http import FileResponse, Http404, HttpResponse

from core.models import StoredFile, User
from core.models.places import Place
from core.trail import record
from core.workbook import Sheet, file_response, xlsx_response


def export_workbook(
    actor: User, subject: models.Model, filename: str, sheets: Sequence[Sheet], place: Place | None = None
) -> HttpResponse:
    """The sheets as a download named ``filename``, noted in the trail of ``subject`` (or of ``place``)."""
    return _noted(actor, subject, filename, xlsx_response(filename, sheets), place)


def export_file(
    actor: User, subject: models.Model, filename: str, content: bytes, content_type: str, place: Place | None = None
) -> HttpResponse:
    """A ready file as a download, noted in the same way."""
    return _noted(actor, subject, filename, file_response(filename, content, content_type), place)


def attachment(stored: StoredFile | None, missing: str = "没有这个附件。") -> FileResponse:
    """A stored file under its own name, or 404 saying ``missing``; who may read it was asked before."""
    if stored is None or not stored.path.exists():
        raise Http404(missing)
    return FileResponse(stored.path.open("rb"), as_attachment=True, filename=stored.name)


def _noted(
    actor: User, subject: models.Model, filename: str, response: HttpResponse, place: Place | None
) -> HttpResponse:
    with transaction.atomic():
        record(actor, "core.export", subject, f"导出 {filename}", {"bytes": len(response.content)}, place=place)
    return response
