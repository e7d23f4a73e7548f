"""What the browser stories of audits stand on: a drafted year, an approved plan, the people of a case, a case decided."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from audits.models import AuditPlan, Case, Finding, Lead, Track
from audits.services import lead_decisions, leads, lines, plans
from audits.states import TrackKind, TrackState
from core.models import FundType
from settlement.models import SettlementVersion
from tests.audits import ground, leads_ground
from tests.settlement import ground as settled
from tests.world import World

PLAN_STARTS, SPAN = date(2026, 8, 3), (date(2025, 7, 1), date(2025, 12, 31))
REFUSED, RECOVERED, DROPPED = Decimal("10000.00"), Decimal("1500.00"), Decimal("2000.00")


def ready(world: World) -> tuple[AuditPlan, SettlementVersion]:
    """Last year's residents drafted, and this year's plan approved with the township centre on it."""
    people = ground.crew(world)
    draft = settled.surplus_ready(world)
    plan = leads_ground.draft(world, starts_on=PLAN_STARTS)
    plans.add_targets(people.officer, plan, [(world.township, ())])
    plans.submit(people.officer, plan)
    return plans.approve(people.reviewer, plan), draft


def checked(world: World, lead: Lead) -> Lead:
    """Assigned and put forward for filing by the officer."""
    people = ground.crew(world)
    held = leads.assign(people.reviewer, lead, people.officer)
    return leads.propose(people.officer, held, filing=True, reason=ground.REASON)


def filed(world: World, lead: Lead) -> Case:
    """The case of a lead, with both officers."""
    people = ground.crew(world)
    held = lead_decisions.file(
        people.reviewer, checked(world, lead), kind="special", way="document", title=lead.title[:120], claims_from=date(2026, 1, 1),
        claims_to=date(2026, 6, 30), officers=[(people.officer, "赣01", True), (people.partner, "赣02", False)],
    )  # fmt: skip
    return Case.objects.with_places().get(pk=held.case_id)


def more_claims(world: World, finding: Finding) -> None:
    """Beside the one typed in the browser: one more to be refused, one that the review drops, one of Yunling's insured."""
    people = ground.crew(world)
    for number, county, amount, own in (
        ("JS2", world.qingxi, Decimal("4000.00"), True), ("JS3", world.qingxi, DROPPED, True),
        ("JS4", world.yunling, RECOVERED, False),
    ):  # fmt: skip
        lines.add_by_hand(
            people.officer, finding, county=county, settlement_id=number, settled_on=date(2025, 9, 10), fund_type=FundType.RESIDENT,
            paid=amount, amount=amount, own=own, visit_type="inpatient",
        )  # fmt: skip


def penalty_served(world: World, case: Case) -> Track:
    """The penalty way from its proposal to the served decision, the party agreeing."""
    return ground.onward(world, case.tracks.get(kind=TrackKind.PENALTY), TrackState.SERVED)


def decided(world: World, case: Case) -> Track:
    """The agreement way of a case of the lead hospital under investigation, to its served decision."""
    from audits.services import cases, proposals, statements, tracks

    people = ground.crew(world)
    fact = ground.finding(world, case, act="excessive_service", pieces=[ground.evidence(world, case)])
    ground.line(fact, 3000)
    cases.submit(people.officer, case)
    cases.pass_first(people.reviewer, case, [TrackKind.AGREEMENT.value])
    track = ground.fresh(case.tracks.get())
    proposals.propose(people.officer, track, text="责令改正，拒付违规费用，协议记分", points=4, correct=True)
    tracks.notify(people.officer, ground.fresh(track))
    statements.agree(world.hospital, ground.fresh(track))
    for step, actor in ((tracks.put_forward, people.officer), (tracks.pass_re, people.second), (tracks.decide, people.second)):
        step(actor, ground.fresh(track))
    return tracks.serve(people.officer, ground.fresh(track))


def opened_by_warning(world: World) -> Any:
    """A warning of Qingxi's alliance that was sent."""
    from tests.monitoring import desk_ground

    return desk_ground.sent(world)
