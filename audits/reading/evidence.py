"""Whether the evidence of a case still is what was taken: files compared with their hashes, registrations not dealt with."""

from __future__ import annotations

from dataclasses import dataclass

from audits.models import Case, Evidence
from core.errors import Problem
from core.files import content_sha256

SAME, MISSING, CHANGED, UNREAD = "same", "missing", "changed", "unread"
STATES = {SAME: "一致", MISSING: "文件缺失", CHANGED: "内容与校验值不符", UNREAD: "本页未校验"}
GLANCE = 20 * 1024 * 1024
"""Bytes a page reads to check evidence; what lies beyond is checked when the case is submitted, reviewed and decided."""
HANDLED, WITHDRAWN = "handled", "withdrawn"


@dataclass(frozen=True)
class Checked:
    """One piece with the state of its file (SAME, MISSING, CHANGED, or UNREAD where a page did not read it).

    ``withdrawn``: no finding may stand on it.
    """

    evidence: Evidence
    state: str
    withdrawn: bool
    handled: bool

    @property
    def intact(self) -> bool:
        return self.state == SAME

    @property
    def broken(self) -> bool:
        return self.state in (MISSING, CHANGED)

    @property
    def state_text(self) -> str:
        return STATES[self.state]

    @property
    def waits(self) -> bool:
        """Registered before seizure and not dealt with."""
        return self.evidence.registered_until is not None and not self.handled and not self.withdrawn


def pieces(case: Case) -> list[Evidence]:
    """Every piece by number, with who took it, its file, notes and findings; a fixed number of queries."""
    found = case.evidence.select_related("file", "collected_by", "witnessed_by", "added_by")
    return list(found.prefetch_related("notes__by", "findings").order_by("number"))


def checked(case: Case, *, glance: bool = False) -> list[Checked]:
    """Every piece with its file read and hashed now; a ``glance`` reads the smallest files first, 20 MB in all."""
    rows, left = pieces(case), GLANCE
    unread: set[int] = set()
    for piece in sorted(rows, key=lambda one: one.file.size) if glance else ():
        left -= piece.file.size
        if left < 0:
            unread.add(piece.pk)
    return [check(piece, read=piece.pk not in unread) for piece in rows]


def check(piece: Evidence, *, read: bool = True) -> Checked:
    """One piece with its file read and hashed now."""
    kinds = {note.kind for note in piece.notes.all()}
    return Checked(piece, state_of(piece, read=read), WITHDRAWN in kinds, HANDLED in kinds)


def state_of(piece: Evidence, *, read: bool = True) -> str:
    """SAME, MISSING or CHANGED: the row's hash, the stored file's and the content must be one. UNREAD where the content
    was not to be read and nothing else is wrong."""
    if not piece.file.path.exists():
        return MISSING
    if piece.sha256 != piece.file.sha256 or piece.file.path.stat().st_size != piece.file.size:
        return CHANGED
    if not read:
        return UNREAD
    return SAME if piece.sha256 == content_sha256(piece.file.path) else CHANGED


def evidence_problems(case: Case, *, glance: bool = False) -> list[Problem]:
    """What is wrong with the evidence a case stands on; withdrawn pieces no longer count. Reads every file unless a
    ``glance`` will do."""
    return [
        Problem(
            "evidence", f"证据 {row.evidence.number}", f"“{row.evidence.name}”{row.state_text}（登记校验值 {row.evidence.sha256[:16]}）。",
            "请系统管理员从备份恢复原文件，或写明理由不再采用该证据。",
        )
        for row in checked(case, glance=glance)
        if row.broken and not row.withdrawn
    ]  # fmt: skip


def unhandled(case: Case) -> list[Evidence]:
    """Pieces registered before seizure (先行登记保存) that were not dealt with, whatever the day; by number."""
    found = case.evidence.filter(registered_until__isnull=False).exclude(notes__kind__in=[HANDLED, WITHDRAWN])
    return list(found.order_by("number"))
