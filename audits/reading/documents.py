"""What a person sees of a case's documents: by number with their versions, and which ones can be made or looked at now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from audits.documents.kinds import ANY_TRACK, BOUND, KINDS, SERVED, label_of
from audits.models import Case, CaseDocument, Track
from audits.states import TrackState


@dataclass(frozen=True)
class Paper:
    """One numbered document: its newest version and the older ones, newest first."""

    newest: CaseDocument
    older: tuple[CaseDocument, ...]

    @property
    def label(self) -> str:
        return label_of(self.newest.kind)

    @property
    def notes(self) -> list[str]:
        """What the officer must check before it goes out."""
        return list(self.newest.content.get("notes", ()))

    @property
    def is_served(self) -> bool:
        """Whether a receipt of service belongs to it."""
        return self.newest.kind in SERVED


@dataclass(frozen=True)
class Target:
    """A document as a form names it: kind, track and the document a receipt is for, as ``kind:track:serves``."""

    kind: str
    track: Track | None = None
    serves: CaseDocument | None = None

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.track.pk if self.track else ''}:{self.serves.pk if self.serves else ''}"

    @property
    def label(self) -> str:
        words = label_of(self.kind)
        if self.serves is not None:
            return f"{words}（{label_of(self.serves.kind)}{self.serves.number}）"
        return f"{words}（{self.track.get_kind_display()}）" if self.track is not None and self.kind == "hearing_notice" else words


def papers(user: Any, case: Case) -> list[Paper]:
    """The documents of a case this person sees, by the time their first version was made; one query."""
    rows = CaseDocument.objects.visible_to(user).filter(case=case).select_related("file", "made_by", "track", "measure")
    held: dict[str, list[CaseDocument]] = {}
    for row in rows.order_by("pk"):
        held.setdefault(row.number, []).append(row)
    return [Paper(rows[-1], tuple(reversed(rows[:-1]))) for rows in held.values()]


def targets(case: Case, made: Iterable[CaseDocument]) -> list[Target]:
    """Every document of a case that is not made from a measure or referral: to make by hand or to look at beforehand."""
    tracks = [track for track in case.tracks.order_by("kind") if track.state != TrackState.DROPPED]
    found = []
    for kind in KINDS:
        if kind.key == "service_receipt":
            found += [Target(kind.key, one.track, one) for one in made if one.kind in SERVED]
        elif kind.track:
            found += [Target(kind.key, track) for track in tracks if kind.track in (track.kind, ANY_TRACK)]
        elif kind.key not in BOUND:
            found.append(Target(kind.key))
    return found


def target_of(case: Case, key: str) -> Target | None:
    """The target a form or address names; None where the case has no such thing."""
    kind, track, serves = (*key.split(":"), "", "", "")[:3]
    if kind not in {one.key for one in KINDS}:
        return None
    try:
        return Target(
            kind,
            case.tracks.get(pk=int(track)) if track else None,
            case.documents.select_related("track", "file").get(pk=int(serves)) if serves else None,
        )
    except (Track.DoesNotExist, CaseDocument.DoesNotExist, ValueError):
        return None
