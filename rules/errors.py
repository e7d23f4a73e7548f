"""What the rules refuse, in words for the person who typed it.

Every error is a ValueError and carries *all* problems found, each naming the field, the value, what is wrong (Chinese)
and what to do next.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Self


class RuleProblem(NamedTuple):
    """One thing that is wrong: field and value as given, text and remedy in Chinese."""

    field: str
    value: str
    text: str
    remedy: str = ""


class RuleError(ValueError):
    """An input the rules refuse; ``problems`` lists every reason."""

    def __init__(self, problems: Iterable[RuleProblem]) -> None:
        self.problems: tuple[RuleProblem, ...] = tuple(problems)
        super().__init__(";".join(problem.text for problem in self.problems))

    def __reduce__(self) -> tuple[type[RuleError], tuple[tuple[RuleProblem, ...]]]:
        return type(self), (self.problems,)

    @classmethod
    def one(cls, field: str, value: object, text: str, remedy: str = "") -> Self:
        """An error with a single problem."""
        return cls([RuleProblem(field, str(value), text, remedy)])
