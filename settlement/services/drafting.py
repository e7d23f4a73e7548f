"""Drafting and refreshing: jobs and officers propose here, nothing is approved.

A draft with unchanged inputs stays as it is; with changed ones it gets one more computation, the former stay readable.
After the first version is final only a correction may be drafted, with the whole target, never the difference (A18).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from django.db import transaction
from django.utils import timezone

from budgets.services import close_year
from core.access import require
from core.errors import Conflict, Problem, Refused
from core.models import Alliance, FundType, User
from settlement.models import Settlement, SettlementVersion, VersionKind
from settlement.services.computing import compute
from settlement.services.inputs import Gathered, gathered_or_refused
from settlement.services.steps import begin, finish, name_of, wrong_state
from settlement.states import FINAL_STATES, Act, Transition, VersionState, action_name


class Drafted(StrEnum):
    CREATED = "created"
    REFRESHED = "refreshed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class DraftOutcome:
    """What drafting did; ``version`` is the draft."""

    version: SettlementVersion
    done: Drafted

    @property
    def text(self) -> str:
        words = {
            Drafted.CREATED: "已起草",
            Drafted.REFRESHED: "数据有变化，已重新计算",
            Drafted.UNCHANGED: "输入没有变化，未改动",
        }
        return words[self.done]


def draft(actor: User | None, alliance: Alliance, year: int, fund_type: str, today: date | None = None) -> DraftOutcome:
    """Create the draft of a year, or compute it anew if its inputs changed (yuan, R-040).

    ``actor`` None means the machine's own operator (commands). Raises ``Refused`` with every obstacle at once, and
    ``Conflict`` when the year's statement has already left the draft state.
    """
    if actor is not None:
        require(actor, action_name(Act.DRAFT), alliance)
    fund_type = FundType(fund_type).value
    gathered = gathered_or_refused(alliance, year, fund_type, today or timezone.localdate())
    with transaction.atomic():
        Settlement.objects.get_or_create(alliance=alliance, year=year, fund_type=fund_type)
        settlement = Settlement.objects.select_for_update(no_key=True).get(alliance=alliance, year=year, fund_type=fund_type)
        open_version = settlement.versions.open().with_places().first()
        if open_version is not None:
            return _refreshed(actor, open_version, gathered)
        latest = settlement.versions.filter(state__in=FINAL_STATES).order_by("-number").first()
        if latest is not None:
            raise Conflict(
                [
                    Problem(
                        "state",
                        latest.get_state_display(),
                        f"{settlement}第 {latest.number} 版{latest.get_state_display()}，不能重新起草。",
                        "数据有变化时，请在清算单上起草更正版本。",
                    )
                ]
            )
        version = new_version(actor, settlement, VersionKind.ORIGINAL, "", gathered)
        return DraftOutcome(version, Drafted.CREATED)


def refresh(actor: User, version: SettlementVersion, today: date | None = None) -> DraftOutcome:
    """Compute a draft anew if its inputs changed; the same inputs change nothing."""
    require(actor, action_name(Act.REFRESH), version.alliance)
    settlement = version.settlement
    gathered = gathered_or_refused(
        settlement.alliance, settlement.year, settlement.fund_type, today or timezone.localdate()
    )
    with transaction.atomic():
        now, _step = begin(actor, version, Act.REFRESH)
        return _refreshed(actor, now, gathered)


def cancel(actor: User, version: SettlementVersion, reason: str) -> SettlementVersion:
    """Drop a draft that should not have been made; it stays readable, another may be drafted."""
    with transaction.atomic():
        now, step = begin(actor, version, Act.CANCEL, reason)
        if now.kind == VersionKind.CORRECTION:
            close_year(actor, now.alliance, now.settlement.year, now.settlement.fund_type)
        finish(actor, now, step, f"作废 {name_of(now)} 草稿：{reason.strip()[:80]}", reason=reason)
        return now


def new_version(
    actor: User | None, settlement: Settlement, kind: str, reason: str, gathered: Gathered
) -> SettlementVersion:
    """The next version of a settlement with its first computation; the caller holds the settlement's lock."""
    version = SettlementVersion.objects.create(
        settlement=settlement,
        number=settlement.versions.count() + 1,
        kind=kind,
        reason=reason.strip(),
        prepared_by=actor,
        prepared_at=timezone.now(),
    )
    computation = compute(version, gathered, actor)
    act = Act.DRAFT if kind == VersionKind.ORIGINAL else Act.CORRECT
    finish(
        actor,
        version,
        Transition("", act, VersionState.DRAFT),
        f"{Act(act).label} {name_of(version)}，清算现金 {computation.cash:,.2f} 元",
        reason=reason,
        data={"fingerprint": computation.fingerprint},
    )
    return version


def _refreshed(actor: User | None, version: SettlementVersion, gathered: Gathered) -> DraftOutcome:
    if version.state != VersionState.DRAFT:
        raise wrong_state(version, Act.REFRESH)
    inputs, held = gathered.inputs, version.computation
    if held is not None and inputs is not None and held.fingerprint == inputs.fingerprint:
        return DraftOutcome(version, Drafted.UNCHANGED)
    before = held.cash if held is not None else None
    computation = compute(version, gathered, actor)
    version.prepared_by, version.prepared_at = actor, timezone.now()
    was = "" if before is None else f"，原为 {before:,.2f} 元"
    finish(
        actor,
        version,
        Transition(VersionState.DRAFT, Act.REFRESH, VersionState.DRAFT),
        f"刷新 {name_of(version)} 第 {computation.number} 次计算，清算现金 {computation.cash:,.2f} 元{was}",
        data={"fingerprint": computation.fingerprint},
    )
    return DraftOutcome(version, Drafted.REFRESHED)


def no_change() -> Refused:
    return Refused([Problem("inputs", "", "各项输入与已审定的版本完全相同，不需要更正。", "数据更新后再起草更正。")])
