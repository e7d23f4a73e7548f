"""docs/operations.md lists every variable the settings read, and none that nothing reads."""

import re

from tests.architecture.tree import ROOT


def _read_by_the_settings():
    text = (ROOT / "config/settings.py").read_text(encoding="utf-8")
    return set(re.findall(r"_environment\.\w+\(\s*\"([A-Z_]+)\"", text))


def _documented():
    section = (ROOT / "docs/operations.md").read_text(encoding="utf-8").split("\n## Environment\n")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}


def test_every_variable_of_the_settings_is_documented_and_no_other():
    assert _documented() == _read_by_the_settings()


def test_the_variables_of_the_containers_are_named_in_the_same_place():
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    named = set(re.findall(r"\$\{([A-Z_]+)[:}]", compose)) | set(re.findall(r"\$\$\{([A-Z_]+)", compose))
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    assert sorted(name for name in named if f"`{name}`" not in text) == []
