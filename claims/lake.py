"""The Parquet lake and its manifest: placing files, reading what the manifest names, cleaning, verifying.

Files are immutable and named by import; they are written aside, fsynced and renamed before the transaction that puts
them into the manifest. A file without a manifest row is invisible to every reader and removed after a grace time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from claims.models import ClaimsImport, ImportState, LakeFile, lake_root
from core.models import County
from rules.periods import Month

GRACE = timedelta(hours=24)
STAGING = ".staging"


@dataclass(frozen=True)
class Held:
    """A file of the manifest that counts."""

    pk: int
    month: Month
    declared: bool
    path: Path
    rows: int
    pooled_fund_paid: Decimal
    sha256: str
    claims_import: int


def staging_of(claims_import: ClaimsImport) -> Path:
    """The directory an import works in before it is accepted."""
    return lake_root() / STAGING / str(claims_import.pk)


def live_files(county: County, months: Collection[Month] | None = None) -> list[Held]:
    """What the lake holds for the insured of a county, oldest month first."""
    rows = LakeFile.objects.live().filter(county=county).order_by("year", "month", "pk")
    if months is not None:
        rows = rows.filter(year__in={month.year for month in months})
    held = [
        Held(row.pk, row.period, row.declared, row.path, row.rows, row.pooled_fund_paid, row.sha256, row.claims_import_id)
        for row in rows
    ]
    return held if months is None else [file for file in held if file.month in set(months)]


def fingerprint(held: Iterable[Held]) -> str:
    """Changes with every file that enters or leaves."""
    return hashlib.sha256(",".join(str(file.pk) for file in held).encode()).hexdigest()


def name_of(claims_import: ClaimsImport, county: County, month: Month, declared: bool) -> str:
    """Where a staged file of an import goes, relative to the lake."""
    kind = "declared" if declared else "late"
    return f"{county.code}/{month.year}/{month.month:02d}/import-{claims_import.pk:08d}-{kind}.parquet"


def place(staged: Path, name: str, sha256: str) -> None:
    """Rename a staged file into the lake; a second time after a kill it is found already there."""
    target = lake_root() / name
    if not staged.exists():
        if target.exists() and sha256_of(target) == sha256:
            return
        raise FileNotFoundError(f"staged file of {name} is gone")
    target.parent.mkdir(parents=True, exist_ok=True)
    with staged.open("rb") as handle:
        os.fsync(handle.fileno())
    os.replace(staged, target)
    _fsync_directory(target.parent)


def clear_staging(claims_import: ClaimsImport) -> None:
    shutil.rmtree(staging_of(claims_import), ignore_errors=True)


def fresh_staging(claims_import: ClaimsImport) -> Path:
    """An empty working directory."""
    clear_staging(claims_import)
    path = staging_of(claims_import)
    path.mkdir(parents=True)
    return path


def clean(now: datetime | None = None) -> int:
    """Remove files no manifest row names and staging of finished imports, both past the grace time; returns how many."""
    root = lake_root()
    if not root.exists():
        return 0
    limit = (now or timezone.now()) - GRACE
    known = set(LakeFile.objects.values_list("name", flat=True))
    removed = 0
    for path in root.rglob("*.parquet"):
        name = path.relative_to(root)
        if name.parts[0] != STAGING and name.as_posix() not in known and _older(path, limit):
            path.unlink()
            removed += 1
    staging = root / STAGING
    finished = (ImportState.ACCEPTED, ImportState.REJECTED)
    for path in staging.iterdir() if staging.exists() else ():
        working = path.name.isdigit() and ClaimsImport.objects.filter(pk=path.name).exclude(state__in=finished).exists()
        if not working and _older(path, limit):
            shutil.rmtree(path, ignore_errors=True)
            removed += 1
    return removed


def reader() -> Any:
    """A DuckDB connection for short questions from a page."""
    import duckdb

    spill = Path(settings.DATA_DIR) / "tmp" / "duckdb"
    return duckdb.connect(config={"memory_limit": "512MB", "threads": 2, "temp_directory": str(spill)})


def sha256_of(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _older(path: Path, limit: datetime) -> bool:
    return datetime.fromtimestamp(path.stat().st_mtime, tz=limit.tzinfo) < limit


def _fsync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
