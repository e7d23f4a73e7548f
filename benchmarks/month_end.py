"""The month's end over a province: figures of one month for 100 counties, and for one, in PostgreSQL.

    python benchmarks/month_end.py                                  # 100 counties, 12 months of 5,000 fact rows each
    python benchmarks/month_end.py --counties 10 --months 3         # the same, smaller
    python benchmarks/month_end.py --steps                          # every registered month-end step, not the figures alone
    python benchmarks/month_end.py --keep                           # leaves its database for the next run

Makes a database of its own beside the one ``DATABASE_URL`` names and drops it at the end. The facts are written by the
database itself, so that they take minutes and not hours; places, packages and reports are as the site would hold them. The
floor is a plain grouped SELECT of every county's rows of the month, and as many rows as the figures have inserted into an
empty table without an index: what nobody can do without.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
SERVER = os.environ.get("DATABASE_URL") or "postgres://root@127.0.0.1:5432/test"
NAME = "benchmark_month_end"
ALL_SECONDS, ONE_SECONDS = 300, 3
FIGURES_SECONDS = 90
GRAINS = 10


def database_url(name: str) -> str:
    parts = urlsplit(SERVER)
    return urlunsplit(parts._replace(path=f"/{name}"))


def server(statement: str) -> None:
    import psycopg2

    connection = psycopg2.connect(SERVER.replace("postgres://", "postgresql://", 1))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


def build(counties: int, institutions: int, months: int, rows: int, last: Any) -> list[Any]:
    """The city, its places, two packages and reports an alliance, and the facts of every month; the counties."""
    from django.db import connection

    from claims.models import FactSet, FundMonthlyReport
    from core.models import Alliance, County, Institution, Membership, PoolingArea
    from rules.periods import months_between

    area = PoolingArea.objects.create(code="970000", name="压测市")
    since = date(2018, 1, 1)
    places = County.objects.bulk_create(
        County(pooling_area=area, code=f"97{number:04}", name=f"压测县{number}", valid_from=since) for number in range(1, counties + 1)
    )
    alliances = Alliance.objects.bulk_create(
        Alliance(county=county, code=f"B{county.code}", name=f"{county.name}医共体", valid_from=since) for county in places
    )
    kinds = ["general", "tcm", "maternal"] + ["township"] * 24 + ["private"] * 8
    made = Institution.objects.bulk_create(
        (
            Institution(
                county=county, code=f"H{county.code}{number:05}", name=f"机构{number}",
                kind=kinds[number] if number < len(kinds) else "village",
            )
            for county in places
            for number in range(institutions)
        ),
        batch_size=5000,
    )  # fmt: skip
    of = {alliance.county_id: alliance for alliance in alliances}
    Membership.objects.bulk_create(
        (
            Membership(alliance=of[place.county_id], institution=place, is_lead=place.code.endswith("00000"), valid_from=since)
            for place in made
            if place.kind != "private"
        ),
        batch_size=5000,
    )
    held = months_between(last.plus(1 - months), last)
    sets = FactSet.objects.bulk_create(
        (
            FactSet(
                county=county, year=month.year, month=month.month, version=1, source="table", data_to=month.last_day, rows=rows,
                settlements=0, pooled_fund_paid=0, fund_payable=0, content=f"{county.code}{month}",
            )
            for month in held
            for county in places
        ),
        batch_size=2000,
    )  # fmt: skip
    FundMonthlyReport.objects.bulk_create(
        FundMonthlyReport(
            county=county, fund_type=fund, year=month.year, month=month.month, version=1, insured_heads=500_000,
            income_personal=10_000_000, income_subsidy=40_000_000, balance_accumulated=300_000_000,
        )
        for month in held for county in places for fund in ("RES", "EMP")
    )  # fmt: skip
    with connection.cursor() as cursor:
        for start in range(0, len(sets), 100):
            write_facts(cursor, [found.pk for found in sets[start : start + 100]], rows / (institutions * 2 * GRAINS))
        cursor.execute("ANALYZE")
    return places


def write_facts(cursor: Any, sets: list[int], share: float) -> None:
    """Ten grains for every institution and fund type, thinned to the wanted number of rows."""
    money = (
        "total_cost", "drug_cost", "tcm_cost", "consumables_cost", "exam_cost", "treatment_cost", "eligible_cost",
        "non_covered_cost", "deductible_paid", "pooled_fund_paid", "fund_payable", "own_payable", "serious_illness_paid",
        "medical_assistance_paid", "other_paid", "personal_account_paid", "cash_paid", "hospital_borne", "excluded_fund",
    )  # fmt: skip
    counts = (
        "settlements", "discharges", "bed_days", "weight_sum", "groupable_cases", "grouped_cases", "referrals_up",
        "referrals_down", "payable_settlements", "own_payable_settlements",
    )  # fmt: skip
    amounts = ", ".join(f"(200000 + (i.id * {7 + at} + g * 977 + s.month * 31) % 90000) / {at + 2}" for at in range(len(money)))
    numbers = ", ".join(f"(i.id * {3 + at} + g * 13 + s.month) % 40" for at in range(len(counts)))
    cursor.execute(
        f"""INSERT INTO claims_monthlyfact (factset_id, alliance_id, institution_id, institution_code, institution_kind,
            institution_grade, ownership, treating_alliance_id, fund_type, visit_type, method, care_location, outflow_kind,
            institution_area, {", ".join(money)}, {", ".join(counts)})
        SELECT s.id, a.id, i.id, i.code, i.kind, i.grade, i.ownership, a.id, f.fund,
            (ARRAY['outpatient', 'chronic', 'inpatient', 'pharmacy'])[1 + g % 4], (ARRAY['drg', 'ffs', 'case'])[1 + g / 4],
            CASE WHEN i.kind = 'private' THEN 'in_county' WHEN g = 9 AND i.id % 5 = 0 THEN 'city' ELSE 'own_alliance' END,
            CASE WHEN g = 9 AND i.id % 5 = 0 THEN 'referred' ELSE '' END, c.code, {amounts}, {numbers}
        FROM claims_factset s JOIN core_county c ON c.id = s.county_id JOIN core_alliance a ON a.county_id = c.id
            JOIN core_institution i ON i.county_id = c.id CROSS JOIN (VALUES ('RES'), ('EMP')) AS f(fund)
            CROSS JOIN generate_series(0, {GRAINS - 1}) AS g
        WHERE s.id = ANY(ARRAY{sets}) AND (i.id * 37 + g * 101 + s.month) % 1000 < {int(share * 1000)}"""
    )  # fmt: skip


def floor_reading(counties: list[Any], month: Any) -> float:
    """Seconds for a plain grouped SELECT of every county's rows."""
    from django.db import connection

    began = time.perf_counter()
    with connection.cursor() as cursor:
        for county in counties:
            cursor.execute(
                "SELECT f.institution_id, f.fund_type, f.visit_type, SUM(f.fund_payable), SUM(f.total_cost) FROM claims_monthlyfact f"
                " JOIN claims_factset s ON s.id = f.factset_id AND s.current WHERE s.county_id = %s AND s.year = %s AND s.month = %s"
                " GROUP BY 1, 2, 3",
                [county.pk, month.year, month.month],
            )
            cursor.fetchall()
    return time.perf_counter() - began


def floor_writing(month: Any) -> tuple[float, int]:
    """Seconds to write the month's figures once more into an empty table without an index, and how many rows they are."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE figures_again AS SELECT * FROM monitoring_placemonth WHERE FALSE")
        began = time.perf_counter()
        cursor.execute(
            "INSERT INTO figures_again SELECT * FROM monitoring_placemonth WHERE current AND year = %s AND month = %s",
            [month.year, month.month],
        )
        return time.perf_counter() - began, cursor.rowcount


@contextmanager
def own_database(keep: bool) -> Iterator[bool]:
    """Yields whether the database holds a former run's data."""
    import psycopg2

    held = keep
    if keep:
        try:
            psycopg2.connect(database_url(NAME).replace("postgres://", "postgresql://", 1)).close()
        except psycopg2.OperationalError:
            held = False
    if not held:
        server(f"DROP DATABASE IF EXISTS {NAME}")
        server(f"CREATE DATABASE {NAME}")
    os.environ.update(
        DATABASE_URL=database_url(NAME), DJANGO_SETTINGS_MODULE="config.settings", LOG_LEVEL="ERROR",
        DATA_DIR=os.environ.get("DATA_DIR") or tempfile.mkdtemp(prefix="month-end-"),
    )  # fmt: skip
    os.environ.setdefault("ALLOWED_HOSTS", "127.0.0.1")
    os.environ.setdefault("HTTPS", "0")
    os.environ.setdefault("SECRET_KEY", "benchmark-only-" + "k" * 40)
    os.environ.setdefault("PERSON_KEY", "benchmark-only-" + "p" * 40)
    try:
        yield held
    finally:
        if not keep:
            from django.conf import settings
            from django.db import connections

            if settings.configured:
                connections.close_all()
            server(f"DROP DATABASE IF EXISTS {NAME}")


def timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--counties", type=int, default=100)
    parser.add_argument("--institutions", type=int, default=250)
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--rows", type=int, default=5000, help="fact rows a county and month")
    parser.add_argument("--steps", action="store_true", help="every month-end step")
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args()
    with own_database(given.keep) as held:
        return run(given, held)


def run(given: argparse.Namespace, held: bool) -> int:
    import django

    django.setup()
    from django.apps import apps
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    from core.models import Alliance, County
    from core.registries import month_end_steps
    from monitoring.jobs_figures import month_end_step
    from monitoring.services.computing import compute_county_month
    from rules.periods import Month

    last = Month(2026, 9)
    if held:
        counties = list(County.objects.select_related("pooling_area").order_by("code"))
    else:
        settings.MIGRATION_MODULES = {config.label: None for config in apps.get_app_configs()}  # straight from the models
        call_command("migrate", run_syncdb=True, verbosity=0)
        took = timed(lambda: build(given.counties, given.institutions, given.months, given.rows, last))
        counties = list(County.objects.select_related("pooling_area").order_by("code"))
        print(f"built {len(counties)} counties × {given.months} months in {took:.0f} s")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM claims_monthlyfact")
        facts = cursor.fetchone()[0]
    print(f"{facts:,} fact rows, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before")
    for alliance in Alliance.objects.select_related("county__pooling_area"):  # the two years before, as they are in use
        month_end_step(alliance, last.previous(), None)
    floor_reading(counties, last)
    reading = floor_reading(counties, last)
    each = [timed(partial(compute_county_month, county, last)) for county in counties]
    writing, rows = floor_writing(last)
    floor = reading + writing
    again = sum(timed(partial(compute_county_month, county, last)) for county in counties)
    print(f"{'':<44}{'seconds':>9}{'× floor':>9}")
    print(f"{'floor: grouped SELECT of the same facts':<44}{reading:>9.2f}{reading / floor:>9.2f}")
    print(f"{f'floor: {rows:,} rows into a bare table':<44}{writing:>9.2f}{writing / floor:>9.2f}")
    print(f"{f'figures of a month, {len(counties)} counties':<44}{sum(each):>9.2f}{sum(each) / floor:>9.1f}")
    print(f"{'  one county, median':<44}{statistics.median(each):>9.2f}{statistics.median(each) * len(each) / floor:>9.1f}")
    print(f"{'  one county, worst':<44}{max(each):>9.2f}{max(each) * len(each) / floor:>9.1f}")
    print(f"{'the same again, nothing changed':<44}{again:>9.2f}{again / floor:>9.1f}")
    ok = sum(each) <= FIGURES_SECONDS * len(counties) / 100 and max(each) <= ONE_SECONDS
    if given.steps:
        alliances = list(Alliance.objects.select_related("county__pooling_area").order_by("code"))
        total = 0.0
        for name, step in month_end_steps:
            took = sum(timed(partial(step.run, alliance, last, None)) for alliance in alliances)
            total += took
            print(f"{f'step {name}: {step.label}':<44}{took:>9.2f}{took / floor:>9.1f}")
        print(f"{'every step':<44}{total:>9.2f}{total / floor:>9.1f}")
        ok = ok and total <= ALL_SECONDS
    print(f"target: figures ≤ {FIGURES_SECONDS} s for 100 counties, ≤ {ONE_SECONDS} s for one: {'met' if ok else 'missed'}")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
