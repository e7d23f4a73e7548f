"""What a service says when it will not do a thing: every problem at once, in words a person can act on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the input.

    ``field`` names the form field, cell or file; ``value`` what was given; ``text`` says what is wrong; ``remedy`` what
    to do.
    """

    field: str
    value: str
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.text}{self.remedy}"


class Refused(Exception):
    """The input or the state does not allow the act. Carries every :class:`Problem`, never only the first."""

    status = 422

    def __init__(self, problems: Iterable[Problem] | str) -> None:
        self.problems = [Problem("", "", problems)] if isinstance(problems, str) else list(problems)
        super().__init__("；".join(str(problem) for problem in self.problems))

    def as_json(self) -> list[dict[str, str]]:
        return [asdict(problem) for problem in self.problems]


class Conflict(Refused):
    """Somebody else was first: the object is no longer in the state the caller saw."""

    status = 409


REASON_MIN = 4


def need_reason(reason: str, field: str = "reason") -> None:
    """Refuse an act that needs a reason and has none worth the name."""
    if len(reason.strip()) < REASON_MIN:
        raise Refused([Problem(field, reason.strip(), "没有写明理由。", f"请至少写 {REASON_MIN} 个字，说明原因和要求。")])
