"""An empty installation beside the tests' own: a data directory and a database of its own, used through manage.py."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

from django.conf import settings
from django.db import connection

from tests.architecture.tree import ROOT

PATIENCE = 120


class Elsewhere:
    def __init__(self, data_dir: Path, database_url: str) -> None:
        self.data_dir = data_dir
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        self.environment = {
            **kept,
            "ENV": "embedded",
            "DATA_DIR": str(data_dir),
            "DATABASE_URL": database_url,
            "PERSON_KEY": settings.PERSON_KEY,
            "PYTHONIOENCODING": "utf-8",
            "LOG_LEVEL": "ERROR",
        }

    def manage(self, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *map(str, arguments)],
            cwd=ROOT,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=PATIENCE,
        )


@contextmanager
def an_empty_installation(folder: Path) -> Iterator[Elsewhere]:
    """On the kind of database the suite runs on."""
    data_dir = folder / "elsewhere"
    if connection.vendor == "sqlite":
        yield Elsewhere(data_dir, "")
        return
    name = f"restore_{uuid4().hex[:12]}"
    given = connection.settings_dict
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    try:
        who = (
            f"{quote(given['USER'])}:{quote(given['PASSWORD'])}@{given['HOST'] or 'localhost'}:{given['PORT'] or 5432}"
        )
        yield Elsewhere(data_dir, f"postgres://{who}/{name}")
    finally:
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
