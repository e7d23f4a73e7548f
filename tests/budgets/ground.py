"""Growth caps, packages, facts and accounts for tests of this app, made by the services a person would use."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from budgets import services
from budgets.models import Package, PackageVersion, PrepaymentBatch, RevenueGrowth
from budgets.services import Entered, PackageInputs, RoundInputs
from claims.services import record_factset
from core.models import Alliance
from rules.money import allocate
from rules.periods import Month, months_of_year
from tests.claims.facts import fact

B = Decimal("286543210.37")
"""The package whose twelve instalments of 5 % pass the cap by two fen (domain 3.2)."""


def pdf(name: str = "批复.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, b"%PDF-1.4 approved", content_type="application/pdf")


def growth(world: Any, year: int = 2026, fund_type: str = "RES", ratio: str = "0.06") -> RevenueGrowth:
    """An approved growth of the revenue budget."""
    entered = services.enter_growth(
        world.officer,
        world.area,
        fund_type,
        year,
        growth=Decimal(ratio),
        like_for_like="口径无变化",
        document_title="澜川市医保基金预算",
        evidence=pdf(),
    )
    return services.approve_growth(world.reviewer, entered)


def entered(inside: str, outside: str, source: str = "accounts") -> Entered:
    return Entered(Decimal(inside), Decimal(outside), source, "基金决算报表")


HISTORY = {
    2022: entered("170000000.00", "70000000.00"),
    2023: entered("180000000.00", "72000000.00"),
    2024: entered("186000000.00", "76000000.00"),
    2025: entered("196000000.00", "80000000.00"),
}
"""276 million last year; with 6 % growth the ceiling is 292.56 million."""


def inputs(total: Decimal | str | None = B, **changes: Any) -> PackageInputs:
    given = PackageInputs(
        years=dict(HISTORY),
        total=Decimal(total) if total is not None else None,
        insured=540000,
        resettled=9000,
        coverage_source="register",
        coverage_note="参保登记台账",
    )
    return replace(given, **changes)


def sitting(held_on: date = date(2026, 1, 5)) -> RoundInputs:
    return RoundInputs(
        held_on=held_on,
        bureau_participants="林晓岚（基金科）",
        alliance_participants="周敏（财务科）",
        minutes="双方按上年结算数协商。",
        outcome="一致同意",
        bureau_position=Decimal("280000000.00"),
        alliance_position=Decimal("290000000.00"),
    )


def drafted(world: Any, given: PackageInputs | None = None, year: int = 2026, fund_type: str = "RES") -> PackageVersion:
    return services.draft_package(world.officer, world.alliance, year, fund_type, given or inputs())


def submitted(world: Any, given: PackageInputs | None = None, **where: Any) -> PackageVersion:
    version = drafted(world, given, **where)
    services.record_round(world.officer, version, sitting())
    return services.submit_package(world.officer, version)


def approved(
    world: Any,
    given: PackageInputs | None = None,
    *,
    decided_on: date = date(2026, 1, 10),
    ratio: str = "0.06",
    **where: Any,
) -> PackageVersion:
    """A package in force from ``decided_on``, with its growth if the year has none yet."""
    year, fund_type = where.get("year", 2026), where.get("fund_type", "RES")
    if not RevenueGrowth.objects.filter(year=year, fund_type=fund_type, state="approved").exists():
        growth(world, year, fund_type, ratio)
    return services.approve_package(world.reviewer, submitted(world, given, **where), decided_on=decided_on)


def last_years(world: Any, total: str = "270000000.00") -> PackageVersion:
    """A package of 2025 in force since January 2025."""
    years = {2023: HISTORY[2023], 2024: HISTORY[2024]}
    given = inputs(total, years=years)
    return approved(world, given, decided_on=date(2025, 1, 10), ratio="0.20", year=2025)


def adjusted(world: Any, total: str, decided_on: date, **changes: Any) -> PackageVersion:
    """A mid-year adjustment in force from ``decided_on``."""
    given = inputs(total, adjustment_reason="policy", reason="药品集采政策调整", **changes)
    version = services.draft_package(world.officer, world.alliance, 2026, "RES", given, evidence=pdf())
    services.record_round(world.officer, version, sitting())
    services.submit_package(world.officer, version)
    return services.approve_package(world.reviewer, version, decided_on=decided_on)


def month(text: str) -> Month:
    return Month.parse(text)


def paid_month(world: Any, text: str, alliance: Alliance | None = None) -> PrepaymentBatch:
    """A month proposed, approved and fully received."""
    batch = approved_month(world, text, alliance)
    pay(world, batch)
    batch.refresh_from_db()
    return batch


def approved_month(world: Any, text: str, alliance: Alliance | None = None) -> PrepaymentBatch:
    services.propose(alliance or world.alliance, month(text))
    batch = PrepaymentBatch.objects.get(month=text)
    services.submit_batch(world.officer, batch)
    return services.approve_batch(world.reviewer, batch)


def pay(world: Any, batch: PrepaymentBatch) -> None:
    account(world)
    services.make_payment_file(world.finance, batch)
    for line in batch.lines.filter(payable__gt=0):
        services.record_receipt(
            world.finance,
            line,
            outcome="paid",
            on=timezone.localdate(batch.decided_at),
            reference=f"YH{line.pk:06d}",
            amount=line.payable,
        )


def account(world: Any, alliance: Alliance | None = None) -> Any:
    """An approved account of the lead hospital, once."""
    place = alliance or world.alliance
    held = place.lead_accounts.filter(approved_at__isnull=False).first()
    if held is not None:
        return held
    lead = place.lead_hospital(date(2026, 1, 1))
    made = services.enter_account(
        world.finance,
        place,
        account_name=lead.name,
        bank="澜川农商银行青溪支行",
        account_number="6228480012345678901",
        valid_from=date(2025, 1, 1),
    )
    return services.approve_account(world.reviewer, made)


def facts_of(world: Any, year: int, inside: str, outside: str, months: int = 12, fund_type: str = "RES") -> None:
    """A year of facts of Qingxi: the lead hospital has 80 % of the care inside, the township centre 20 %."""
    parts = allocate(Decimal(inside), [1] * months)
    away = allocate(Decimal(outside), [1] * months)
    for at, found in zip(months_of_year(year), range(months), strict=False):
        lead, township = allocate(parts[found], [80, 20])
        rows = [
            fact(str(lead), str(lead), fund_type=fund_type),
            fact(str(township), str(township), fund_type=fund_type, institution="H99010100011"),
            fact(
                str(away[found]), str(away[found]), fund_type=fund_type, institution="", institution_area="360100",
                care_location="city", outflow_kind="referred",
            ),
        ]  # fmt: skip
        record_factset(world.officer, world.qingxi, at, rows, "table")


def package(world: Any, year: int = 2026, fund_type: str = "RES") -> Package:
    return Package.objects.get(alliance=world.alliance, year=year, fund_type=fund_type)


def text_of(response: Any) -> str:
    return response.content.decode()


def page_of(version: PackageVersion) -> str:
    return reverse("budgets:package", args=[version.package_id])


def sheet_of(response: Any, title: str = "") -> list[Any]:
    """The rows of a downloaded workbook's sheet (default: the first)."""
    book = load_workbook(io.BytesIO(response.content))
    return list((book[title] if title else book.worksheets[0]).values)
