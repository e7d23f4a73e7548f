"""Registers the rights of every act of leads, cases and tracks, and what the database itself refuses to change."""

from __future__ import annotations

APPENDED = (
    "casechange", "leadchange", "leadclaim", "evidence", "evidencenote", "statementreply", "decidedamount", "recovered",
    "finepayment", "casedocument",
)  # fmt: skip
KEPT = (
    "lead", "case", "track", "deadline", "finding", "findingline", "providerstatement", "hearing", "remedy", "measure",
    "referral", "followup", "agreement", "agreementchange", "physician", "pointentry", "qualification", "yearlycheck",
    "auditplan", "caseofficer",
)  # fmt: skip


def join() -> None:
    """Called when the site starts."""
    from audits.states import Act, action_name, roles_of
    from core import triggers
    from core.access import register_action
    from core.registries import trail_texts

    for act in Act:
        roles = roles_of(act)
        if roles:
            register_action(action_name(act), act.label, roles)
        else:
            trail_texts.register(action_name(act), act.label)
    for table in APPENDED:
        triggers.append_only(f"audits_{table}", f"rows of audits_{table} are never changed or deleted")
    for table in KEPT:
        name = f"audits_{table}"
        triggers.register(triggers.Trigger(f"{name}_no_delete", name, "DELETE", f"rows of {name} are never deleted"))
