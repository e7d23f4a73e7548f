"""What the URLs of audits name, all of it about Qingxi's township centre: a lead, a plan, a case with its parts, an agreement …"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone

from audits.models import Lead
from audits.services import agreements, plans, statements, yearly_check
from audits.services.leads import assign
from audits.services.points import decide_points
from audits.states import TrackKind, TrackState
from core.files import store_bytes
from monitoring.models import Warning
from tests.audits import agreement_ground, ground, leads_ground, papers_ground
from tests.world import World


def more_people(world: World) -> dict[str, Any]:
    """Who else is asked about these pages: the legal reviewer of the city, an auditor of the other county."""
    crew = ground.crew(world)
    return {"legal": crew.legal, "far_auditor": crew.other_county_auditor}


def audited(world: World) -> dict[str, dict[str, Any]]:
    """Per URL name the values to reverse it with."""
    crew, today = ground.crew(world), timezone.localdate()
    file = store_bytes(b"tip", "举报信.pdf", "audit_lead", world.auditor)
    lead = assign(crew.reviewer, leads_ground.lead(world, institution=world.township, files=[file]), crew.officer)
    return {
        **_leads(world, lead, file.pk),
        **_plans(world),
        **_case(world, crew),
        **_agreements(world, today),
    }


def _leads(world: World, lead: Lead, file: int) -> dict[str, dict[str, Any]]:
    return {
        "audits:lead": {"pk": lead.pk},
        "audits:lead-act": {"pk": lead.pk, "act": "prop_file"},
        "audits:lead-file": {"pk": lead.pk, "file": file},
        "audits:lead-from-warning": {"pk": Warning.objects.filter(alliance=world.alliance).latest("pk").pk},
        "audits:lead-from-claims": {"county": world.qingxi.code, "month": "2026-09"},
    }


def _plans(world: World) -> dict[str, dict[str, Any]]:
    plan = leads_ground.draft(world, starts_on=date(2026, 7, 1))
    target = plans.add_targets(world.auditor, plan, [(world.township, ())])[0]
    here = {"pk": plan.pk}
    return {
        **{f"audits:{name}": here for name in ("plan", "plan-edit", "plan-targets", "plan-targets-xlsx")},
        "audits:plan-act": here | {"act": "plan_submit"},
        "audits:plan-target": here | {"target": target.pk},
        "audits:plan-target-act": here | {"target": target.pk, "act": "result"},
    }


def _case(world: World, crew: ground.Crew) -> dict[str, dict[str, Any]]:
    """One case whose agreement decision is served, with a measure, a hand-over and a check planned; its penalty is told."""
    track = ground.track_in(world, TrackKind.AGREEMENT, TrackState.SERVED, both=True, institution=world.township)
    case = track.case
    penalty = ground.onward(world, case.tracks.get(kind=TrackKind.PENALTY), TrackState.NOTIFIED)
    paper = store_bytes(b"statement", "申辩材料.pdf", "audit_statement", world.member)
    said = statements.give_statement(world.member, penalty, text="部分病例确有再入院指征", files=[paper])
    signed = papers_ground.signed(crew.officer)
    measure = papers_ground.measure(crew.officer, case, files=[signed])
    referral = papers_ground.referral(crew.officer, case, record=signed)
    check = papers_ground.follow_up(crew.officer, case)
    document = case.documents.filter(kind="agreement_notice").get()
    change = case.changes.filter(files=paper).get()
    fact, piece = case.findings.get(), case.evidence.get()
    here, way = {"pk": case.pk}, {"pk": case.pk, "kind": TrackKind.PENALTY.value}
    finding = here | {"number": fact.number}
    names = (
        "case", "document-make", "document-renew", "document-preview", "measure-new", "referral-new", "follow-up-new",
        "evidence-new", "finding-new", "findings-xlsx",
    )  # fmt: skip
    facts = (
        "finding", "finding-edit", "finding-rows", "finding-xlsx", "finding-drop", "lines-drop", "lines-pick", "lines-upload",
        "lines-template", "line-hand",
    )  # fmt: skip
    return {
        **{f"audits:{name}": here for name in names},
        **{f"audits:{name}": finding for name in facts},
        **{f"audits:{name}": here | {"number": piece.number} for name in ("evidence", "evidence-file", "evidence-shown")},
        "audits:evidence-act": here | {"number": piece.number, "act": "withdraw"},
        "audits:line-lower": finding | {"line": fact.lines.first().pk},
        **{f"audits:{name}": way for name in ("statement-new", "statement-agree", "hearing", "hearing-ask", "hearing-record")},
        "audits:hearing-act": way | {"act": "announce"},
        "audits:statement": here | {"statement": said.pk},
        "audits:statement-file": here | {"statement": said.pk, "file": paper.pk},
        "audits:case-act": here | {"act": "suspend"},
        "audits:track-act": way | {"act": "put_forward"},
        "audits:change-file": here | {"change": change.pk, "file": paper.pk},
        "audits:case-money-act": here | {"kind": TrackKind.AGREEMENT.value, "act": "receive"},
        **{f"audits:{name}": {"pk": document.pk} for name in ("document", "document-file")},
        **{f"audits:{name}": {"pk": measure.pk} for name in ("measure-send", "measure-end")},
        "audits:measure-file": {"pk": measure.pk, "file": signed.pk},
        **{f"audits:{name}": {"pk": referral.pk} for name in ("referral-attach", "referral-reply", "referral-record")},
        "audits:follow-up-finish": {"pk": check.pk},
    }


def _agreements(world: World, today: date) -> dict[str, dict[str, Any]]:
    signed = agreement_ground.agreement(world, world.township)
    change = agreements.propose_change(
        world.officer, signed, "supplement", text="补充约定检查检验费用增幅", from_on=today, file=papers_ground.signed(world.officer)
    )
    doctor = agreement_ground.doctor(world, world.township)
    point = agreement_ground.proposal(world, 4, today)
    decide_points(world.audit_reviewer, agreement_ground.proposal(world, 9, today, doctor), True)
    row = doctor.qualifications.get()
    check = yearly_check.propose(world.auditor, world.township, today.year, Decimal("88.00"))
    person, entry, checked = {"pk": doctor.pk}, {"pk": point.pk}, {"pk": check.pk}
    return {
        **{f"audits:{name}": {"pk": signed.pk} for name in ("agreement", "agreement-change")},
        **{
            f"audits:{name}": {"pk": signed.pk, "change": change.pk} for name in ("agreement-change-decide", "agreement-change-file")
        },
        **{f"audits:{name}": person for name in ("physician", "physician-move", "physician-end")},
        **{f"audits:{name}": person | {"row": row.pk} for name in ("qualification-months", "qualification-decide")},
        **{f"audits:{name}": entry for name in ("point", "point-decide", "point-withdraw")},
        **{f"audits:{name}": checked for name in ("yearly-check", "yearly-check-decide", "yearly-check-ratio")},
    }
