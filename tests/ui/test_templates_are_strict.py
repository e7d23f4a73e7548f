"""Templates and scripts keep to a strict Content-Security-Policy, and the component list tells the truth."""

import hashlib
import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
COMPONENTS = ROOT / "templates" / "components"
README = (COMPONENTS / "README.md").read_text()
STATIC = ROOT / "static"

FORBIDDEN = {
    "an inline style": re.compile(r"\sstyle\s*=", re.I),
    "an inline handler": re.compile(r"\son[a-z]+\s*=", re.I),
    "an htmx handler": re.compile(r"\shx-on[:-]|hx-vals=['\"]js:|javascript:", re.I),
    "a style block": re.compile(r"<style[\s>]", re.I),
    "script code": re.compile(r"<script(?![^>]*\b(src=|type=[\"']application/json))", re.I),
    "another host": re.compile(r"(src|href|action)\s*=\s*[\"'](https?:)?//", re.I),
}


def faults_in(text):
    return [name for name, pattern in FORBIDDEN.items() if pattern.search(text)]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_no_template_holds_what_the_policy_refuses(path):
    assert faults_in(path.read_text()) == []


@pytest.mark.parametrize(
    "text",
    [
        '<p style="color:red">',
        "<a onclick='x()'>",
        '<b hx-on:click="x">',
        "<style>p{}</style>",
        "<script>x()</script>",
        '<script src="https://cdn.example/x.js"></script>',
    ],
)
def test_the_check_finds_each_fault(text):
    assert faults_in(text)


def test_every_component_is_documented_with_an_example_and_every_documented_one_exists():
    documented = set(re.findall(r"^### (\w+)$", README, re.M))
    assert documented == {path.stem for path in COMPONENTS.glob("*.html")}
    for name in documented:
        section = README.split(f"### {name}\n")[1].split("\n### ")[0]
        assert "```django" in section, f"{name} has no example"


def test_every_component_a_template_includes_exists():
    named = {
        name for path in TEMPLATES for name in re.findall(r'{% include "components/(\w+)\.html"', path.read_text())
    }
    assert named
    assert named <= {path.stem for path in COMPONENTS.glob("*.html")}


def test_every_icon_named_in_a_template_is_drawn():
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text()))
    named = {name for path in TEMPLATES for name in re.findall(r'{% icon "([\w-]+)"', path.read_text())}
    assert named <= drawn


def test_every_icon_of_the_navigation_is_drawn():
    from core.navigation import items

    drawn = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text()))
    assert {item.icon for item in items.values()} <= drawn


def test_every_behaviour_attribute_of_the_scripts_is_documented():
    used = set(re.findall(r"\[(data-[a-z-]+)[\]=]", (STATIC / "app.js").read_text()))
    inner = {
        "data-confirm-slot",
        "data-menu",
        "data-focus",
        "data-open-now",
        "data-login-form",
        "data-drop-drafts",
        "data-search",
        "data-printed",
        "data-chart",
        "data-changed",
        "data-reload-when-done",
    }
    assert used - inner <= set(re.findall(r"`(data-[a-z-]+)", README))


def test_own_scripts_evaluate_nothing_and_write_no_markup_from_text():
    for name in ("app.js", "charts.js"):
        assert not re.search(
            r"\beval\(|new Function|\.innerHTML\s*=|setAttribute\(.style|document\.write", (STATIC / name).read_text()
        )


def test_vendored_files_are_the_ones_listed_and_point_to_no_missing_map():
    vendor = STATIC / "vendor"
    listed = dict(
        reversed(line.split("  "))
        for line in re.findall(r"^[0-9a-f]{64}  \S+$", (vendor / "README.md").read_text(), re.M)
    )
    files = [path for path in vendor.iterdir() if path.suffix in (".css", ".js")]
    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files} == listed
    assert [path.name for path in files if b"sourceMappingURL" in path.read_bytes()] == []
