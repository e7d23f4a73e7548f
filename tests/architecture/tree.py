"""The files of the project, for tests that read them."""

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
APPS = ["core", "ledger", "claims", "budgets", "settlement", "submissions", "monitoring", "audits", "portal"]
HOUSE = ["rules", *APPS, "config"]
_NOT_OURS = {".git", ".venv", "var", "vendor", "staticfiles", "node_modules", "test-results", "__pycache__"}


@cache
def files(*suffixes: str) -> tuple[Path, ...]:
    """Every file of ours with one of these suffixes (all of them without any)."""
    return tuple(sorted(path for path in _walk(ROOT) if not suffixes or path.suffix in suffixes))


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_dir():
            if path.name not in _NOT_OURS and not path.name.endswith("_cache") and path.name != ".hypothesis":
                yield from _walk(path)
        else:
            yield path


def modules(*packages: str) -> list[Path]:
    """Python files of these top-level packages, migrations left out."""
    wanted = packages or tuple(HOUSE)
    return [
        path for path in files(".py") if name(path).split("/")[0] in wanted and "migrations" not in path.parts
    ]


def name(path: Path) -> str:
    """The path as written from the root of the project."""
    return path.relative_to(ROOT).as_posix()


@cache
def syntax(path: Path) -> ast.Module:
    """The parsed module."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def existing_apps() -> list[str]:
    """Apps that are there: a package with an ``apps.py``."""
    return [app for app in APPS if (ROOT / app / "apps.py").exists()]


def project() -> dict[str, Any]:
    """pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
