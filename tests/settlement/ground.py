"""Settled years for tests of this app, made by the services a person would use: facts, package, prepayments, score.

The year is 2025; the package of 300 million and its base history lie well inside the caps, so that each test chooses
only the amounts it is about.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from budgets import services as budgets
from budgets.models import PrepaymentBatch
from claims.services import record_factset
from core.models import Alliance
from rules.money import allocate
from rules.periods import Month, months_of_year
from settlement import services
from settlement.models import AssessmentScore, CauseAnalysis, SettlementVersion
from settlement.services import record_score
from tests.budgets import ground
from tests.claims.facts import fact

YEAR = 2025
D = Decimal
HISTORY = {
    2022: ground.entered("190000000.00", "80000000.00"),
    2023: ground.entered("200000000.00", "85000000.00"),
    2024: ground.entered("210000000.00", "90000000.00"),
}


def package(world: Any, total: str = "300000000.00", fund_type: str = "RES", year: int = YEAR) -> Any:
    """An approved package of the year in force since January."""
    given = ground.inputs(total, years=HISTORY)
    return ground.approved(world, given, decided_on=date(year, 1, 10), ratio="0.10", year=year, fund_type=fund_type)


def facts(
    world: Any, inside: str, outside: str, *, fund_types: tuple[str, ...] = ("RES",), months: int = 12, year: int = YEAR
) -> None:
    """A year of facts of Qingxi's insured with a payable for every settlement, spread evenly over the months."""
    own, away = allocate(D(inside), [1] * months), allocate(D(outside), [1] * months)
    for number, month in enumerate(months_of_year(year)[:months]):
        month_facts(world, month, str(own[number]), str(away[number]), fund_types)


def month_facts(world: Any, month: Month, inside: str, outside: str, fund_types: tuple[str, ...] = ("RES",)) -> None:
    """One month of facts; the same month again makes a new version of it."""
    rows = []
    for fund_type in fund_types:
        rows += [
            fact(inside, inside, fund_type=fund_type, settlements=100),
            fact(
                outside, outside, fund_type=fund_type, institution="", institution_area="360100",
                care_location="city", outflow_kind="referred",
            ),
        ]  # fmt: skip
    record_factset(world.officer, world.qingxi, month, rows, "table")


def prepaid(world: Any, months: int, year: int = YEAR, after: int = 0) -> None:
    """So many months, those ``after`` the first ones, proposed, approved and received."""
    ground.account(world)
    for month in months_of_year(year)[after : after + months]:
        budgets.propose(world.alliance, month)
        batch = PrepaymentBatch.objects.get(month=str(month))
        budgets.submit_batch(world.officer, batch)
        batch = budgets.approve_batch(world.reviewer, batch)
        if any(line.payable for line in batch.lines.all()):
            ground.pay(world, batch)


def score(world: Any, points: str = "93", year: int = YEAR, alliance: Alliance | None = None) -> AssessmentScore:
    """A confirmed score."""
    row = record_score(world.officer, alliance or world.alliance, year, D(points), "澜医保考〔2026〕3号 考核结果通报")
    return services.confirm_score(world.reviewer, row)


def analysis(world: Any, part: str, fund_type: str = "RES") -> CauseAnalysis:
    """An approved cause analysis with its reasonable part."""
    row = services.submit_analysis(
        world.hospital,
        world.alliance,
        YEAR,
        fund_type,
        "流感高峰致住院增加，转外就医增加。",
        "医共体与经办机构共同核对，责任清楚。",
        D(part),
    )
    return services.approve_analysis(world.reviewer, row)


def drafted(world: Any, fund_type: str = "RES") -> SettlementVersion:
    return services.draft(world.officer, world.alliance, YEAR, fund_type).version


def surplus_ready(world: Any, inside: str = "195000000.00", outside: str = "90000000.00", months: int = 0) -> Any:
    """A surplus that can be reviewed: package, facts, prepayments, score, draft."""
    package(world)
    facts(world, inside, outside)
    prepaid(world, months)
    score(world)
    return drafted(world)


def the_draft(world: Any) -> SettlementVersion:
    """The draft a module's shared world was built with."""
    return SettlementVersion.objects.with_places().get(
        settlement__alliance=world.alliance, settlement__year=YEAR, settlement__fund_type="RES"
    )


def recovery_ready(world: Any) -> Any:
    """A year with almost all care outside: a surplus, and still two million to give back (E4 in small)."""
    return surplus_ready(world, "1000000.00", "284000000.00", months=1)


def overrun_ready(world: Any, inside: str = "224000000.00", outside: str = "100000000.00", months: int = 0) -> Any:
    """An overrun of 8 % that can be reviewed: package, facts, prepayments, approved analysis, refreshed draft."""
    package(world)
    facts(world, inside, outside)
    prepaid(world, months)
    version = drafted(world)
    analysis(world, str(version.computation.difference))
    return services.refresh(world.officer, version).version


def reviewed(world: Any, version: SettlementVersion) -> SettlementVersion:
    return services.review(world.reviewer, version)


def sent(world: Any, version: SettlementVersion) -> SettlementVersion:
    return services.send(world.officer, reviewed(world, version))


def confirmed(world: Any, version: SettlementVersion) -> SettlementVersion:
    return services.confirm(world.hospital, sent(world, version))


def final(world: Any, version: SettlementVersion) -> SettlementVersion:
    return services.finalise(world.reviewer, confirmed(world, version))
