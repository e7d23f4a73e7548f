"""Who reads audits: the bureau's own posts and leaders; providers only their own cases once notified."""

from __future__ import annotations

from core.access import BUREAU_ROLES, HOSPITAL_ROLES
from core.models import Role

AUDIT_READERS = BUREAU_ROLES | {Role.OBSERVER}
"""Fund posts read them because refusals and recoveries change their settlements; leaders look."""
AUDIT_WORKERS = frozenset({Role.AUDITOR, Role.AUDIT_REVIEWER, Role.LEGAL_REVIEWER})
PROVIDERS = HOSPITAL_ROLES
