"""The glossary tells the truth about the code."""

import re

from portal.handbook import glossary
from tests.architecture.tree import modules

WORDS = frozenset(
    word for path in modules() for word in re.findall(r"[A-Za-z_][A-Za-z0-9_]*", path.read_text(encoding="utf-8"))
)


def test_every_name_of_the_glossary_occurs_in_the_code_unless_it_is_still_to_come():
    missing = [term.identifier for term in glossary() if not term.planned and term.identifier not in WORDS]
    assert missing == []


def test_a_name_marked_as_coming_later_is_not_in_the_code_yet():
    arrived = [term.identifier for term in glossary() if term.planned and term.identifier in WORDS]
    assert arrived == []


def test_every_term_stands_once_and_has_a_definition():
    names = [term.chinese for term in glossary()]
    assert len(names) > 60
    assert len(names) == len(set(names))
    assert all(term.definition and term.identifier for term in glossary())
