"""The tables every other app stands on, by noun."""

from core.models.calendar import WorkdayOverride
from core.models.files import StoredFile
from core.models.jobs import Job
from core.models.messages import DeliveryState, MailDelivery, MailMode, MessagePreference, NoticeKind
from core.models.notices import Notice
from core.models.people import Role, RoleGrant, User
from core.models.places import (
    AgreedShare,
    Alliance,
    County,
    FundType,
    Institution,
    InstitutionKind,
    Membership,
    Ownership,
    PoolingArea,
    TownshipRule,
)
from core.models.policy import ConfirmationStatus, Parameter, PolicyParameter, PolicyVersion
from core.models.trail import TrailEvent, TrailHead

__all__ = [
    "AgreedShare",
    "Alliance",
    "ConfirmationStatus",
    "County",
    "DeliveryState",
    "FundType",
    "Institution",
    "InstitutionKind",
    "Job",
    "MailDelivery",
    "MailMode",
    "Membership",
    "MessagePreference",
    "Notice",
    "NoticeKind",
    "Ownership",
    "Parameter",
    "PolicyParameter",
    "PolicyVersion",
    "PoolingArea",
    "Role",
    "RoleGrant",
    "StoredFile",
    "TownshipRule",
    "TrailEvent",
    "TrailHead",
    "User",
    "WorkdayOverride",
]
