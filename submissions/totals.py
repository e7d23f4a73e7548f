"""Control totals of the quarterly tables, printed with a backup and compared after its restore."""

from __future__ import annotations

from django.db.models import Count, Sum

from submissions.models import AcceptedFigure, Assignment, Submission
from submissions.states import AssignmentState, SubmissionState


def control_sums() -> dict[str, str]:
    """Assignments and versions by state; the accepted fund spending in yuan of all fund sheets added up."""
    sums = {}
    for state, count in Assignment.objects.order_by("state").values_list("state").annotate(count=Count("pk")):
        sums[f"填报任务 {AssignmentState(state).label}"] = f"{count} 项"
    for state, count in Submission.objects.order_by("state").values_list("state").annotate(count=Count("pk")):
        sums[f"报表版本 {SubmissionState(state).label}"] = f"{count} 份"
    figures = AcceptedFigure.objects.aggregate(count=Count("pk"), amount=Sum("amount"))
    sums["受理数据"] = f"{figures['count']} 项，金额合计 {figures['amount'] or 0} 元"
    return sums
