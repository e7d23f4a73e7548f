"""What is held whatever its state: for whoever carries work on from where it stands."""

from __future__ import annotations

from datetime import date

from django.db.models import Max
from django.utils import timezone

from core.models import Alliance, County, Institution, PoolingArea
from monitoring.models import MidtermEstimate, Threshold, ThresholdStatus, Warning
from monitoring.models.liaison import LiaisonMeeting
from monitoring.models.reports import AnalysisReport
from monitoring.states import Act, WarningState
from rules.spans import Span

__all__ = [
    "Act",
    "AnalysisReport",
    "Warning",
    "WarningState",
    "institution",
    "meetings",
    "midterm",
    "on_trial",
    "open_distress",
    "open_warnings",
    "report",
    "resting_since",
    "warnings_in",
    "warnings_of",
]


def on_trial(area: PoolingArea) -> list[Threshold]:
    """Thresholds of an area that wait to be approved."""
    return list(Threshold.objects.filter(pooling_area=area, status=ThresholdStatus.TRIAL).order_by("pk"))


def open_warnings(area: PoolingArea) -> list[Warning]:
    """Every open warning of an area, oldest first, with when its state last changed (``moved_at``)."""
    rows = Warning.objects.open().filter(pooling_area=area).with_places().prefetch_related("changes", "answers")
    return list(rows.annotate(moved_at=Max("changes__at")).order_by("pk"))


def resting_since(w: Warning) -> date:
    """The day on which the warning came into the state it is in."""
    moved = [change.at for change in w.changes.all() if change.source != change.target and change.target == w.state]
    return timezone.localdate(max(moved, default=w.raised_at))


def report(place: object, span: Span) -> AnalysisReport | None:
    """The newest report of a place and span."""
    at = {"county": place} if isinstance(place, County) else {"pooling_area": place, "county": None}
    return AnalysisReport.objects.filter(**at, span=str(span)).order_by("-pk").first()


def open_distress(area: PoolingArea) -> list[Warning]:
    """Open warnings of a county's fund in distress, oldest first."""
    return [w for w in open_warnings(area) if w.source == "distress"]


def warnings_in(area: PoolingArea) -> list[Warning]:
    """Every warning of an area, open or closed, oldest first."""
    rows = Warning.objects.filter(pooling_area=area).with_places().prefetch_related("changes")
    return list(rows.order_by("pk"))


def warnings_of(alliance: Alliance) -> list[Warning]:
    """Every warning of an alliance, open or closed, oldest first."""
    return list(Warning.objects.filter(alliance=alliance).with_places().order_by("pk"))


def midterm(area: PoolingArea, fund_type: str) -> MidtermEstimate | None:
    """The newest medium-term estimate of a city."""
    return MidtermEstimate.objects.filter(pooling_area=area, county=None, fund_type=fund_type).order_by("-pk").first()


def institution(pk: int) -> Institution:
    return Institution.objects.select_related("county__pooling_area").get(pk=pk)


def meetings(alliance: Alliance) -> list[LiaisonMeeting]:
    return list(LiaisonMeeting.objects.filter(alliance=alliance).order_by("pk"))
