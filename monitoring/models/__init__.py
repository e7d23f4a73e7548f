"""Rows of the monitoring app."""

from monitoring.models.collection import CollectionFinding, EnrolmentTarget, FindingChange
from monitoring.models.figures import PlaceKind, PlaceMonth
from monitoring.models.liaison import DataSupply, LiaisonMeeting, MeetingFollowUp
from monitoring.models.midterm import MidtermEstimate, MidtermState
from monitoring.models.periods import Period, PeriodChange, StepRun
from monitoring.models.projections import Projection, ReplayCase
from monitoring.models.reports import AnalysisReport, ReportChange, ReportComment
from monitoring.models.thresholds import Basis, Level, Threshold, ThresholdStatus
from monitoring.models.warnings import (
    Warning,
    WarningAnswer,
    WarningChange,
    WarningFigure,
    WatchEntry,
)

__all__ = [
    "AnalysisReport",
    "Basis",
    "CollectionFinding",
    "DataSupply",
    "EnrolmentTarget",
    "FindingChange",
    "Level",
    "LiaisonMeeting",
    "MeetingFollowUp",
    "MidtermEstimate",
    "MidtermState",
    "Period",
    "PeriodChange",
    "PlaceKind",
    "PlaceMonth",
    "Projection",
    "ReplayCase",
    "ReportChange",
    "ReportComment",
    "StepRun",
    "Threshold",
    "ThresholdStatus",
    "Warning",
    "WarningAnswer",
    "WarningChange",
    "WarningFigure",
    "WatchEntry",
]
