"""Small extracts for tests: rows that balance, written as the file a bureau would send, and taken in by the job."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from claims.models import ClaimsImport
from claims.services import accept_import, receive_upload
from core.jobs import run_now
from core.models import Job
from rules.periods import Month

SEPTEMBER = Month(2026, 9)


def claim(number: int, **changes: Any) -> dict[str, str]:
    """A resident's stay in the lead hospital of Qingxi in September: 1,000 yuan, of these 600 from the pooled fund."""
    row = {
        "settlement_id": f"S{number:06d}",
        "visit_id": f"V{number:06d}",
        "person_id": f"36010119700101{number:04d}",
        "fund_type": "390",
        "insured_county": "990101",
        "institution_code": "H99010100001",
        "institution_area": "990101",
        "visit_type": "21",
        "admission_date": "2026-09-01",
        "discharge_date": "2026-09-05",
        "settled_on": "2026-09-05",
        "method": "drg",
        "total_cost": "1000.00",
        "eligible_cost": "900.00",
        "pooled_fund_paid": "600.00",
        "serious_illness_paid": "0.00",
        "personal_account_paid": "0.00",
        "cash_paid": "400.00",
    }
    row.update({name: str(value) for name, value in changes.items()})
    return row


def in_month(number: int, month: str, **changes: Any) -> dict[str, str]:
    """The same settled on the 5th of another month."""
    days = {"admission_date": f"{month}-01", "discharge_date": f"{month}-05", "settled_on": f"{month}-05"}
    return claim(number, **{**days, **changes})


def written(rows: Sequence[Mapping[str, str]], encoding: str = "utf-8") -> bytes:
    """A CSV with our column names."""
    out = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row)) or list(claim(1))
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode(encoding)


def received(
    world: Any,
    content: bytes | Sequence[Mapping[str, str]],
    first: str = "2026-09",
    last: str = "",
    name: str = "明细.csv",
    actor: Any = None,
    county: Any = None,
) -> ClaimsImport:
    """Uploaded, not yet checked."""
    data = content if isinstance(content, bytes) else written(content)
    upload = SimpleUploadedFile(name, data)
    months = Month.parse(first), Month.parse(last or first)
    return receive_upload(actor or world.officer, county or world.qingxi, *months, upload)


def run(claims_import: ClaimsImport) -> ClaimsImport:
    """The import after its job has run."""
    claims_import.refresh_from_db()
    run_now(Job.objects.get(pk=claims_import.job_id))
    claims_import.refresh_from_db()
    return claims_import


def imported(world: Any, content: Any, *args: Any, **kwargs: Any) -> ClaimsImport:
    """Uploaded and checked, and stored if nobody must decide."""
    return run(received(world, content, *args, **kwargs))


def accepted(world: Any, content: Any, *args: Any, reason: str = "已核对，先行接收", **kwargs: Any) -> ClaimsImport:
    """Uploaded, checked, confirmed where that is asked for, stored."""
    found = imported(world, content, *args, **kwargs)
    if found.state == "awaiting_decision":
        accept_import(world.officer, found, reason)
        run(found)
    assert found.state == "accepted", (found.state, found.outcome, found.job and found.job.outcome)
    return found
