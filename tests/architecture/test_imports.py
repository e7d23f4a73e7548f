"""Who may import whom, and what may be loaded when the site starts."""

import ast
import os
import subprocess
import sys

from django.conf import settings

from tests.architecture.tree import ROOT, existing_apps, modules, name, project, syntax

DOORS = {"services", "reading", "registries"}
OPEN_APPS = {"core", "ledger"}


def test_the_import_contracts_are_kept():
    run = subprocess.run(
        [str(ROOT / ".venv/bin/lint-imports")] if (ROOT / ".venv/bin/lint-imports").exists() else ["lint-imports"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_app_is_installed_type_checked_and_under_the_import_contract():
    apps = existing_apps()
    assert apps == settings.HOUSE_APPS
    assert sorted(project()["tool"]["importlinter"]["root_packages"]) == sorted(["config", "rules", *apps])
    assert sorted(project()["tool"]["mypy"]["files"]) == sorted(["config", "rules", *apps])


def test_another_app_is_entered_only_through_its_services_and_reading():
    closed = set(existing_apps()) - OPEN_APPS
    trespassers = [
        f"{name(path)}:{line} imports {module}"
        for path in modules(*existing_apps())
        for line, module in _imports(path)
        if (parts := module.split("."))[0] in closed - {name(path).split("/")[0]}
        and (len(parts) == 1 or parts[1] not in DOORS)
    ]
    assert trespassers == []


def test_starting_the_site_loads_no_slow_library():
    slow = ("pandas", "numpy", "duckdb", "openpyxl", "docxtpl", "docx", "python_calamine")
    code = (
        "import django, sys; django.setup(); import config.urls, config.wsgi; "
        f"print([m for m in {slow!r} if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "[]"


def _imports(path):
    """(line, dotted module) of each import; ``from claims import models`` counts as ``claims.models``."""
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            if "." in node.module:
                yield node.lineno, node.module
            else:
                yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
