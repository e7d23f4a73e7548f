"""What is held whatever its state: for whoever carries work on from where it stands."""

from __future__ import annotations

from audits.models import (
    Agreement,
    AgreementChange,
    AuditPlan,
    Case,
    CaseDocument,
    Deadline,
    DecidedAmount,
    Evidence,
    Finding,
    FindingLine,
    FollowUp,
    Lead,
    LeadClaim,
    LeadSource,
    Measure,
    Physician,
    PlanTarget,
    PointEntry,
    ProviderStatement,
    Qualification,
    Recovered,
    Referral,
    Track,
    YearlyCheck,
)
from audits.states import Act, CaseState, LeadState, TrackKind, TrackState
from core.models import County, Institution, PoolingArea, User

__all__ = [
    "Act",
    "Agreement",
    "AuditPlan",
    "Case",
    "CaseState",
    "Lead",
    "LeadSource",
    "LeadState",
    "TrackKind",
    "TrackState",
    "agreement",
    "amounts_in",
    "came_back",
    "case",
    "cases_in",
    "change",
    "checks_in",
    "decisions_in",
    "document",
    "finding",
    "findings",
    "follow_ups",
    "lead_about",
    "leads_in",
    "limit",
    "lines",
    "measures",
    "officers",
    "physician",
    "pieces",
    "plan",
    "pointed",
    "points",
    "qualifications",
    "recovered_in",
    "referrals",
    "statements",
    "target",
    "times",
    "track",
    "yearly_check",
]


def leads_in(area: PoolingArea) -> list[Lead]:
    """Every lead of an area, oldest first."""
    return list(Lead.objects.with_places().filter(pooling_area=area).order_by("pk"))


def cases_in(area: PoolingArea) -> list[Case]:
    """Every case of an area with its tracks, oldest first."""
    return list(Case.objects.with_places().filter(pooling_area=area).prefetch_related("tracks").order_by("pk"))


def lead_about(county: County, institution: Institution | None, title: str) -> Lead | None:
    """The first lead of a place with a title."""
    rows = Lead.objects.with_places().filter(county=county, institution=institution, title=title)
    return rows.order_by("pk").first()


def case(pk: int) -> Case:
    return Case.objects.with_places().get(pk=pk)


def officers(of: Case) -> list[User]:
    """Who investigates now, the leading one first."""
    return [row.user for row in of.officers.filter(until=None).select_related("user").order_by("-leads", "pk")]


def pieces(of: Case) -> list[Evidence]:
    return list(of.evidence.order_by("number"))


def pointed(lead: Lead) -> list[LeadClaim]:
    """The claim rows a lead points at."""
    return list(lead.claims.select_related("county__pooling_area").order_by("pk"))


def track(of: Case, kind: str) -> Track:
    """One of a case's tracks, which knows the case it was given."""
    found: Track = of.tracks.get(kind=kind)
    found.case = of
    return found


def times(thing: Lead | Case | Track, act: str) -> int:
    """How often an act was done to a lead, a case (its tracks aside) or a track."""
    if isinstance(thing, Case):
        return thing.changes.filter(act=act, track=None).count()
    return thing.changes.filter(act=act).count()


def finding(of: Case, number: int) -> Finding:
    row: Finding = of.findings.get(number=number)
    return row


def findings(of: Case) -> list[Finding]:
    """The findings that still stand."""
    return list(of.findings.filter(dropped=False).order_by("number"))


def came_back(of: Track, fund_type: str) -> bool:
    """Whether any money of a fund was repaid or deducted under a track's decision."""
    return Recovered.objects.filter(amount_row__track=of, amount_row__fund_type=fund_type).exists()


def lines(of: Case) -> list[FindingLine]:
    """The lines that still stand, in order."""
    return list(FindingLine.objects.kept().filter(finding__case=of).order_by("pk"))


def statements(thing: Track) -> list[ProviderStatement]:
    return list(thing.statements.order_by("number"))



def limit(of: Case, key: str) -> Deadline:
    """A limit of the case itself that still runs."""
    row: Deadline = of.deadlines.get(key=key, track=None, ended_on=None)
    return row


def measures(of: Case) -> list[Measure]:
    return list(of.measures.order_by("pk"))


def referrals(of: Case) -> list[Referral]:
    return list(of.referrals.order_by("pk"))


def follow_ups(of: Case) -> list[FollowUp]:
    return list(of.follow_ups.order_by("pk"))


def document(of: Case, kind: str) -> CaseDocument | None:
    """The first document of a kind."""
    return CaseDocument.objects.filter(case=of, kind=kind).order_by("pk").first()


def decisions_in(area: PoolingArea) -> list[Track]:
    """The tracks of an area whose decision was served and moves money."""
    return list(Track.objects.filter(case__pooling_area=area, holds_money=True, served_on__isnull=False).order_by("pk"))


def amounts_in(area: PoolingArea) -> list[DecidedAmount]:
    return list(DecidedAmount.objects.filter(track__case__pooling_area=area).order_by("pk"))


def recovered_in(area: PoolingArea) -> list[Recovered]:
    return list(Recovered.objects.filter(amount_row__track__case__pooling_area=area).order_by("pk"))


def plan(area: PoolingArea, title: str) -> AuditPlan | None:
    return AuditPlan.objects.filter(pooling_area=area, title=title).first()


def target(held: AuditPlan, code: str) -> PlanTarget:
    row: PlanTarget = held.targets.select_related("plan", "institution__county__pooling_area").get(institution__code=code)
    return row


def agreement(institution: Institution, year: int) -> Agreement | None:
    return Agreement.objects.with_places().filter(institution=institution, year=year).order_by("-pk").first()


def change(of: Agreement, kind: str, status: str = "") -> AgreementChange | None:
    """The newest change of a kind, of any status unless one is named."""
    rows = of.changes.filter(kind=kind)
    return (rows.filter(status=status) if status else rows).order_by("-pk").first()



def physician(code: str) -> Physician | None:
    rows = Physician.objects.filter(code=code).select_related("institution__county__pooling_area")
    return rows.order_by("-valid_from", "-pk").first()


def points(institution: Institution, reason: str) -> PointEntry | None:
    return PointEntry.objects.filter(institution=institution, reason=reason).first()


def qualifications(code: str) -> list[Qualification]:
    rows = Qualification.objects.filter(physician__code=code).select_related("physician__institution__county__pooling_area")
    return list(rows.order_by("pk"))


def yearly_check(institution: Institution, year: int) -> YearlyCheck | None:
    rows = YearlyCheck.objects.filter(institution=institution, year=year)
    return rows.select_related("institution__county__pooling_area").order_by("-pk").first()


def checks_in(area: PoolingArea) -> list[YearlyCheck]:
    return list(YearlyCheck.objects.filter(institution__county__pooling_area=area).order_by("pk"))
