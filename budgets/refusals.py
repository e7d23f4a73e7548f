"""Turning what the rules refuse into what a service refuses, and the checks every service of this app asks."""

from __future__ import annotations

from typing import Any

from core.errors import Problem, Refused
from rules.errors import RuleError


def problems_of(error: RuleError) -> list[Problem]:
    """The problems of a rule as the pages and the API speak of them."""
    return [Problem(found.field, found.value, _stop(found.text), _stop(found.remedy)) for found in error.problems]


def refused(error: RuleError) -> Refused:
    return Refused(problems_of(error))


def missing_text(label: str, value: Any, remedy: str) -> list[Problem]:
    """One problem if a required text is blank."""
    return [] if str(value or "").strip() else [Problem(label, "", f"没有填写{label}。", remedy)]


def _stop(text: str) -> str:
    return text if not text or text.endswith(("。", "！", "？")) else f"{text}。"
