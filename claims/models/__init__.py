"""The tables of the claims app, by noun."""

from claims.models.facts import (
    COUNT_MEASURES,
    MONEY_MEASURES,
    OUT_OF_COUNTY,
    CareLocation,
    FactFundType,
    FactSet,
    FactSource,
    Method,
    MonthlyFact,
    OutflowKind,
    VisitType,
)
from claims.models.imports import (
    ClaimsImport,
    ImportFinding,
    ImportState,
    LakeFile,
    OpenReject,
    PersonKeyCheck,
    RejectState,
    lake_root,
)
from claims.models.mappings import (
    AreaSettings,
    FundMapping,
    GroupCatalogueEntry,
    MutualAidReading,
    VisitTypeMapping,
)
from claims.models.payables import MonthlyPayable, PayableTable
from claims.models.reports import REPORT_FIELDS, FundMonthlyReport, ReportField

__all__ = [
    "COUNT_MEASURES",
    "MONEY_MEASURES",
    "OUT_OF_COUNTY",
    "REPORT_FIELDS",
    "AreaSettings",
    "CareLocation",
    "ClaimsImport",
    "FactFundType",
    "FactSet",
    "FactSource",
    "FundMapping",
    "FundMonthlyReport",
    "GroupCatalogueEntry",
    "ImportFinding",
    "ImportState",
    "LakeFile",
    "Method",
    "MonthlyFact",
    "MonthlyPayable",
    "MutualAidReading",
    "OpenReject",
    "OutflowKind",
    "PayableTable",
    "PersonKeyCheck",
    "RejectState",
    "ReportField",
    "VisitType",
    "VisitTypeMapping",
    "lake_root",
]
