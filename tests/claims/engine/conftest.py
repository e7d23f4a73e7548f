"""A small place and small files for the engine: no database, no Django."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from claims.engine.check import check_file
from claims.engine.findings import CheckResult
from claims.engine.reference import AllianceRef, InstitutionRef, MutualAid, Reference, Span

KEY = b"a key of the tests, long enough"
START = date(2020, 1, 1)
REFERENCE = Reference(
    pooling_area="990100",
    counties=frozenset({"990101", "990102"}),
    institutions=(
        InstitutionRef("H99010100001", "990101", "general", (Span("QX", START),)),
        InstitutionRef("H99010100002", "990101", "township", (Span("QX", START),)),
        InstitutionRef("P99010100003", "990101", "pharmacy"),
    ),
    alliances=(AllianceRef("QX", "990101"),),
    declared_county="990101",
    period_from=date(2026, 7, 1),
    period_to=date(2026, 9, 30),
    groups={"ES19": Decimal("0.8125"), "BR23": Decimal("1.9000")},
    settles_by_groups=True,
    mutual_aid=MutualAid.INSIDE,
)
_serial = itertools.count(1)


def stay(**changes: Any) -> dict[str, str]:
    """A resident's stay in the county hospital that balances: 1,000.00 of which the pooled fund pays 600.00."""
    number = next(_serial)
    row = {
        "settlement_id": f"S{number:06d}", "visit_id": f"V{number:06d}", "person_id": f"36010119700101{number:04d}",
        "sex": "2", "birth_date": "1970-01-01", "fund_type": "390", "insured_county": "990101",
        "institution_code": "H99010100001", "institution_name": "", "institution_area": "990101", "settlement_kind": "2",
        "visit_type": "21", "admission_date": "2026-09-01", "discharge_date": "2026-09-05",
        "settled_on": "2026-09-05 10:11:12", "diagnosis_code": "J18.9", "method": "DRG", "fund_payable": "580.00",
        "group_code": "ES19", "group_weight": "0.8125", "bed_days": "4", "total_cost": "1000.00", "drug_cost": "300.00",
        "tcm_cost": "100.00", "consumables_cost": "100.00", "exam_cost": "200.00", "treatment_cost": "300.00",
        "non_covered_cost": "100.00", "eligible_cost": "900.00", "deductible_paid": "200.00",
        "pooled_fund_paid": "600.00", "serious_illness_paid": "50.00", "other_paid": "20.00",
        "medical_assistance_paid": "30.00", "personal_account_paid": "100.00", "mutual_aid_paid": "40.00",
        "cash_paid": "195.00", "hospital_borne": "5.00", "fund_total": "700.00", "person_total": "295.00",
        "outflow_kind": "", "referral": "", "public_health_emergency": "0", "reversal_flag": "0", "reversal_of": "",
    }  # fmt: skip
    row.update({name: str(value) for name, value in changes.items()})
    return row


def clinic(**changes: Any) -> dict[str, str]:
    """An outpatient visit: no stay, no group."""
    plain = {"visit_type": "11", "method": "ffs", "group_code": "", "group_weight": "", "bed_days": "", "fund_payable": "",
             "admission_date": "2026-09-05", "visit_id": ""}  # fmt: skip
    return stay(**{**plain, **changes})


AMOUNTS = (
    "total_cost", "drug_cost", "tcm_cost", "consumables_cost", "exam_cost", "treatment_cost", "non_covered_cost",
    "eligible_cost", "deductible_paid", "pooled_fund_paid", "serious_illness_paid", "other_paid",
    "medical_assistance_paid", "personal_account_paid", "mutual_aid_paid", "cash_paid", "hospital_borne", "fund_total",
    "person_total", "fund_payable",
)  # fmt: skip


def reversal(original: Mapping[str, str], **changes: Any) -> dict[str, str]:
    """The row that takes a settlement back."""
    negated = {name: f"-{original[name]}" if original[name] else "" for name in AMOUNTS}
    row = {**original, **negated, "settlement_id": f"R{next(_serial):06d}", "reversal_flag": "1",
           "reversal_of": original["settlement_id"]}  # fmt: skip
    row.update({name: str(value) for name, value in changes.items()})
    return row


def write_csv(
    path: Path, rows: Iterable[Mapping[str, str]], headers: Mapping[str, str] | None = None, encoding: str = "utf-8",
    delimiter: str = ",",
) -> Path:
    """Rows by our column names; ``headers`` renames them in the file."""
    rows = list(rows)
    names = list(rows[0]) if rows else list(stay())
    with path.open("w", encoding=encoding, newline="") as handle:
        writer = csv.writer(handle, delimiter=delimiter, lineterminator="\n")
        writer.writerow([(headers or {}).get(name, name) for name in names])
        writer.writerows([[row.get(name, "") for name in names] for row in rows])
    return path


Checker = Callable[..., CheckResult]


@pytest.fixture
def check(tmp_path: Path) -> Checker:
    """``check(rows or path, held=(), **changes of the reference)`` → result."""
    runs = itertools.count(1)

    def run(source: Path | Iterable[Mapping[str, str]], held: Iterable[Path] = (), **options: Any) -> CheckResult:
        folder = tmp_path / f"run{next(runs)}"
        folder.mkdir()
        path = source if isinstance(source, Path) else write_csv(folder / "extract.csv", source)
        given = {name: options.pop(name) for name in ("limits", "admit_bad_rows", "progress") if name in options}
        return check_file(path, replace(REFERENCE, **options), list(held), KEY, folder / "work", **given)

    return run


def stored(result: CheckResult) -> list[dict[str, Any]]:
    """All accepted rows of a result, ordered by line."""
    import duckdb

    if not result.files:
        return []
    found = duckdb.connect().execute(f"SELECT * FROM read_parquet({[str(file.path) for file in result.files]}) ORDER BY line")
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def codes_by_line(result: CheckResult) -> dict[int, set[str]]:
    """Line → codes found there."""
    found: dict[int, set[str]] = {}
    for entry in result.findings:
        for issue in entry.issues:
            found.setdefault(issue.line, set()).add(issue.code)
    return found
