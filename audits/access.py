"""Who reads audits: the bureau's own posts and leaders; providers only their own cases once notified."""

from __future__ import annotations

from typing import Any

from core.access import BUREAU_ROLES, HOSPITAL_ROLES, has_any_role
from core.models import Role

AUDIT_READERS = BUREAU_ROLES | {Role.OBSERVER}
"""Fund posts read them because refusals and recoveries change their settlements; leaders look."""
AUDIT_WORKERS = frozenset({Role.AUDITOR, Role.AUDIT_REVIEWER, Role.LEGAL_REVIEWER})
PROVIDERS = HOSPITAL_ROLES


def reads_audits(user: Any) -> bool:
    """Whether the person reads audits as one of the bureau. Whoever holds a provider's post anywhere reads as a provider:
    leads, evidence and unserved cases never reach a party through a second post."""
    return has_any_role(user, AUDIT_READERS) and not has_any_role(user, PROVIDERS)
