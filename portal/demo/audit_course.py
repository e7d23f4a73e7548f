"""The deeds of one matter of the demonstration's audits: what is done to which lead, case or track, and on which day.

A deed is known as done by how often its act stands in the course of the lead, case or track, so that a killed load goes
on where it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from audits.reading.held import TrackKind
from core.models import Institution, User
from core.working_days import add_working_days
from portal.demo.audit_stories import Suspicion
from portal.demo.people import AUDIT_REVIEWER, COUNTY_AUDITORS, SECOND_AUDIT_REVIEWER, user

LEAD, CASE = "lead", "case"
AGREEMENT, PENALTY = TrackKind.AGREEMENT.value, TrackKind.PENALTY.value


@dataclass(frozen=True)
class Deed:
    """An act on ``at`` (lead, case or a kind of track), the ``nth`` of its kind there; ``run`` gets what it is done to."""

    day: date
    at: str
    act: str
    nth: int
    run: Callable[[Any], object]


class Course:
    """The deeds of one matter in their order; days are working days after the lead came in."""

    def __init__(self, story: Suspicion) -> None:
        self.story = story
        self.deeds: list[Deed] = []
        self._done: Counter[tuple[str, str]] = Counter()

    def add(self, after: int, at: str, act: str, run: Callable[[Any], object]) -> None:
        self._done[at, act] += 1
        self.deeds.append(Deed(add_working_days(self.story.on, after), at, act, self._done[at, act], run))

    def always(self, after: int, run: Callable[[Any], object]) -> None:
        """A deed on the case that knows itself whether it was done."""
        self.always_on(after, CASE, run)

    def always_on(self, after: int, at: str, run: Callable[[Any], object]) -> None:
        """The same on the case or a track."""
        self.deeds.append(Deed(add_working_days(self.story.on, after), at, "", 0, run))


def institution_of(story: Suspicion) -> Institution | None:
    return None if story.person else institution(story.code)


def institution(code: str) -> Institution:
    return Institution.objects.select_related("county__pooling_area").get(code=code)


def officer(story: Suspicion) -> User:
    """Who leads the case: the county's auditor."""
    return user(COUNTY_AUDITORS[story.county])


def reviewers(story: Suspicion) -> tuple[User, User]:
    """Who reviews first, and who reviews again and decides."""
    pair = (user(AUDIT_REVIEWER), user(SECOND_AUDIT_REVIEWER))
    return pair if story.on.day % 2 else (pair[1], pair[0])
