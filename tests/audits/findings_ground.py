"""Cases under investigation with two officers, a reviewer of each kind and claims in the lake: what these tests stand on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from audits.models import Case, CaseOfficer, Finding, Track
from audits.services.evidence import add_evidence
from audits.services.findings import make_finding
from audits.services.lines import Wanted, add_lines
from core.files import store_bytes
from core.models import Role, RoleGrant, StoredFile, User
from tests.claims.extracts import accepted, claim
from tests.world import PASSWORD, START

D = Decimal
TODAY = date(2026, 10, 12)
CLOCK = "2026-10-12 10:00:00+08:00"
TOWNSHIP, OUTSIDER, EAST = "H99010100011", "H99010100031", "H99010200001"


@dataclass
class Ground:
    """The world with a case of the township centre; ``partner`` is the second officer."""

    world: Any
    case: Case
    officer: User
    partner: User
    first: User
    second: User
    legal: User

    def again(self) -> Case:
        return Case.objects.with_places().get(pk=self.case.pk)

    def to(self, state: str) -> Case:
        """The case put into a state without its acts."""
        Case.objects.filter(pk=self.case.pk).update(state=state, first_reviewed_by=self.first, submitted_by=self.officer)
        return self.again()

    def track(self, state: str, kind: str = "agreement", **given: Any) -> Track:
        """A track in a state, of a case that was reviewed first by ``first`` and notified."""
        case = self.to("reviewed")
        Case.objects.filter(pk=case.pk).update(notified_at="2026-09-20T00:00:00Z")
        values = {"holds_money": kind == "agreement", "opened_at": "2026-09-20T00:00:00Z", "notified_on": date(2026, 9, 28), **given}
        return Track.objects.create(case=self.again(), kind=kind, state=state, **values)


def person(name: str, full_name: str, role: str, **place: Any) -> User:
    user: User = User.objects.create_user(username=name, password=PASSWORD, full_name=full_name, must_change_password=False)
    RoleGrant.objects.create(user=user, role=role, valid_from=START, **place)
    return user


def open_case(ground_world: Any, officers: list[User], number: str = "青稽〔2026〕1号", **given: Any) -> Case:
    """A case of the township centre over the year to September 2026, filed on 1 September."""
    world = ground_world
    values: dict[str, Any] = {
        "pooling_area": world.area, "county": world.qingxi, "alliance": world.alliance, "institution": world.township,
        "party_kind": "provider", "party_name": world.township.name, "kind": "special", "way": "on_site", "title": "分解住院",
        "claims_from": date(2025, 10, 1), "claims_to": date(2026, 9, 30), "filed_on": date(2026, 9, 1),
        "opened_by": officers[0], "approved_by": world.audit_reviewer, **given,
    }  # fmt: skip
    made = Case.objects.create(number=number, **values)
    for index, user in enumerate(officers):
        CaseOfficer.objects.create(case=made, user=user, leads=index == 0, card=f"执{index}", since=made.filed_on)
    return made


@pytest.fixture
def ground(world: Any, time_machine: Any) -> Ground:
    time_machine.move_to(CLOCK)
    partner = person("partner", "高文", Role.AUDITOR, pooling_area=world.area)
    second = person("second_review", "赵启明", Role.AUDIT_REVIEWER, pooling_area=world.area)
    legal = person("legal", "法务", Role.LEGAL_REVIEWER, pooling_area=world.area)
    case = open_case(world, [world.auditor, partner])
    return Ground(world, case, world.auditor, partner, world.audit_reviewer, second, legal)


def stored(content: bytes = b"%PDF-1.4 record", name: str = "现场检查笔录.pdf", kind: str = "audit_evidence") -> StoredFile:
    return store_bytes(content, name, kind, None, "application/pdf")


def piece(ground: Ground, content: bytes = b"%PDF-1.4 record", **given: Any) -> Any:
    """A piece of evidence taken by both officers."""
    values: dict[str, Any] = {
        "kind": "record", "name": "现场检查笔录", "file": stored(content), "collected_on": date(2026, 9, 10),
        "collected_by": ground.officer, "witnessed_by": ground.partner, **given,
    }  # fmt: skip
    return add_evidence(ground.officer, ground.case, **values)


def finding(ground: Ground, case: Case | None = None, **given: Any) -> Finding:
    values: dict[str, Any] = {
        "act": "split_or_phantom_stay", "text": "19 对住院出院后 15 日内再入院。", "acted_from": date(2026, 8, 1),
        "acted_to": date(2026, 9, 30), **given,
    }  # fmt: skip
    return make_finding(ground.officer, case or ground.case, **values)


def claims(world: Any, count: int = 5, **changes: Any) -> None:
    """Residents' stays of Qingxi in the township centre in September: 600 yuan each, ids S000001 and on."""
    accepted(world, [claim(n, institution_code=TOWNSHIP, diagnosis_code="J44.100", **changes) for n in range(1, count + 1)])


def wanted(world: Any, number: int, amount: str | None = None, county: Any = None) -> Wanted:
    return Wanted(county or world.qingxi, f"S{number:06d}", None if amount is None else D(amount))


def with_lines(ground: Ground, *amounts: str | None, case: Case | None = None) -> Finding:
    """A finding with lines on S000001 and on; None takes all the fund paid."""
    made = finding(ground, case)
    add_lines(ground.officer, made, [wanted(ground.world, n, amount) for n, amount in enumerate(amounts, 1)])
    return made
