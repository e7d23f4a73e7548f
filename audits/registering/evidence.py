"""Registers who may open evidence and single claim rows of cases."""

from __future__ import annotations


def join() -> None:
    """Called when the site starts."""
    from audits.access import AUDIT_WORKERS, PROVIDERS
    from audits.services.evidence import OPEN as OPEN_EVIDENCE
    from audits.services.findings import OPEN as OPEN_LINES
    from core.access import BUREAU_ROLES, register_action

    register_action(OPEN_EVIDENCE, "查看案件证据", AUDIT_WORKERS)
    register_action(OPEN_LINES, "查看案件结算明细行", BUREAU_ROLES | PROVIDERS)
