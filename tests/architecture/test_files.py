"""What a file of this project may look like."""

import ast
import re
import tokenize

import pytest

from tests.architecture.tree import ROOT, files, modules, name, syntax

LONGEST = 500
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc"}
TEXT = (".py", ".html", ".js", ".css", ".md", ".toml", ".yml", ".yaml", ".sh", ".txt", ".in", "")


@pytest.mark.parametrize("kind", [".py", ".js", ".css", ".html"])
def test_no_file_is_too_long_to_read_in_one_go(kind):
    long = {
        name(path): lines
        for path in files(kind)
        if "migrations" not in path.parts and (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST
    }
    assert long == {}


def test_no_module_has_a_name_that_says_nothing():
    assert [name(path) for path in files(".py") if path.stem in VAGUE or path.parent.name in VAGUE] == []


def test_every_module_says_at_its_head_what_it_is():
    written = [path for path in modules() if path.read_text(encoding="utf-8").strip()]
    assert [name(path) for path in written if not ast.get_docstring(syntax(path))] == []


def test_nothing_is_left_unfinished():
    marks = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|raise NotImplemented" + r"Error)\b")
    found = [
        f"{name(path)}:{number}"
        for path in files(".py", ".html", ".js", ".css")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if marks.search(line)
    ]
    assert found == []


def test_no_test_is_switched_off():
    switched_off = re.compile(r"\b(?:pytest\.skip|mark\.skip|skipif|xfail|importorskip)\b")
    found = [
        f"{name(path)}:{token.start[0]}"
        for path in files(".py")
        if name(path).startswith("tests/") and path.name != "test_files.py"
        for token in _names(path)
        if switched_off.search(token.line)
    ]
    assert found == []


def test_no_file_names_a_folder_of_one_machine():
    places = re.compile(r"(?<![\w.:/-])/(?:wo" + r"rk|ho" + r"me/\w+|ro" + r"ot)/[\w.]")
    found = [
        f"{name(path)}:{number}: {line.strip()[:80]}"
        for path in files(*TEXT)
        if not name(path).startswith("requirements")
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if places.search(line)
    ]
    assert found == []


def test_templates_hold_no_inline_style_handler_or_script():
    inline = re.compile(
        r"""<[^>]*\s(?:style|on[a-z]+)\s*=|<style\b|<script(?![^>]*(?:\bsrc=|type="application/json"))""", re.IGNORECASE
    )
    found = [
        f"{name(path)}:{text[: match.start()].count(chr(10)) + 1}: {match.group()[:60]}"
        for path in files(".html")
        if name(path).startswith("templates/")
        for text in [re.sub(r"\{[%#].*?[%#]\}|\{\{.*?\}\}", "", path.read_text(encoding="utf-8"))]
        for match in inline.finditer(text)
    ]
    assert found == []


def test_test_names_are_sentences():
    short = [
        f"{name(path)}:{node.lineno} {node.name}"
        for path in files(".py")
        if name(path).startswith("tests/")
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and len(node.name.split("_")) < 5
    ]
    assert short == []


def test_runtime_and_development_pin_the_same_versions():
    runtime, development = _pins("requirements.txt"), _pins("requirements-dev.txt")
    assert runtime
    assert {package: development.get(package) for package in runtime} == runtime


def _pins(file):
    return dict(re.findall(r"^([\w.\[\]-]+)==(\S+)", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE))


def _names(path):
    with path.open("rb") as file:
        yield from (token for token in tokenize.tokenize(file.readline) if token.type == tokenize.NAME)
