"""Downloads of stored files, each reached through the object that owns it and only by who may see that object."""

from __future__ import annotations

from typing import Any

from django.http import FileResponse, Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from budgets.models import (
    DistributionPlan,
    LeadAccount,
    NegotiationRound,
    OtherPayment,
    PackageVersion,
    PaymentFile,
    PrepaymentBatch,
    RevenueGrowth,
)
from budgets.views.requests import person
from core.access import require
from core.models import StoredFile
from core.scope import get_visible

OWNERS: dict[str, tuple[Any, str]] = {
    "growth": (RevenueGrowth, "evidence"),
    "version": (PackageVersion, "evidence"),
    "round": (NegotiationRound, "file"),
    "plan": (DistributionPlan, "file"),
    "account": (LeadAccount, "evidence"),
    "payment": (OtherPayment, "evidence"),
}


@require_GET
def owned(request: HttpRequest, kind: str, pk: int) -> HttpResponseBase:
    """The file of a growth, version, round, plan, account or payment."""
    if kind not in OWNERS:
        raise Http404("没有这类附件。")
    model, name = OWNERS[kind]
    owner = get_visible(model.objects.select_related(name), request.user, pk=pk)
    return _send(getattr(owner, name))


@require_GET
def payment_file(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A payment file as it was sent: it holds account numbers, so only who pays or approves opens it."""
    batches = PrepaymentBatch.objects.visible_to(request.user)
    made = PaymentFile.objects.select_related("file", "batch__pooling_area").filter(batch__in=batches, pk=pk).first()
    if made is None:
        raise Http404("没有找到这份拨付文件。")
    require(person(request), "budgets.open_payment_file", made.batch.pooling_area)
    return _send(made.file)


def _send(stored: StoredFile | None) -> FileResponse:
    if stored is None or not stored.path.exists():
        raise Http404("没有附件，或附件缺失，请联系系统管理员。")
    response = FileResponse(stored.path.open("rb"), as_attachment=True, filename=stored.name)
    response["X-Content-Type-Options"] = "nosniff"
    return response
