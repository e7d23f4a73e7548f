"""What the handbook tells of audits, all of it from the data the site works by: states, limits, acts and their penalties,
points. Nothing here decides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from audits.parameters import ALL_LIMITS, count_key, extension_key, hearing_thresholds, legal_thresholds
from audits.preconditions import PRECONDITIONS
from audits.states import (
    CASE_ROWS,
    LEAD_ROWS,
    TRACK_ROWS,
    Act,
    CaseState,
    LeadState,
    TrackState,
    Transition,
)
from core.models import Role
from core.parameters import values
from rules import points
from rules.penalties import ACTS, ARTICLES, PARTIES, PenaltyRule
from rules.penalties import RULES as PENALTY_RULES
from rules.procedure import UNITS, Limit

CLOCK = "系统"
ONLY_IF = {"": "", "refused": "拒不改正的，", "repeat": "重复违规的，"}


@dataclass(frozen=True)
class ActText:
    """One row of the state table in words: who may do the act in its state, what must hold, where it leads.

    ``starts`` and ``ends`` name limits; ``target`` is empty where the state stays.
    """

    state: str
    act: str
    who: str
    needs: tuple[str, ...]
    reason: bool
    target: str
    starts: tuple[str, ...]
    ends: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """The rows of leads, of cases or of tracks, state by state."""

    anchor: str
    title: str
    rows: tuple[ActText, ...]


@dataclass(frozen=True)
class LimitText:
    """A limit with the days in force at a place."""

    key: str
    label: str
    event: str
    length: str
    extension: str
    basis: str
    confirmed: bool


@dataclass(frozen=True)
class RangeText:
    """What a dated rule makes of an act."""

    text: str
    clause: str
    span: str
    confirmed: bool


@dataclass(frozen=True)
class OffenceText:
    """One act of the catalogue with every rule that penalised it; none: handled under the agreement only."""

    key: str
    label: str
    party: str
    fraud: bool
    article: str
    clause: str
    confirmed: bool
    ranges: tuple[RangeText, ...]


@dataclass(frozen=True)
class PointText:
    """One line of a points scheme."""

    label: str
    text: str


@dataclass(frozen=True)
class SchemeText:
    """A points scheme with its bands or steps."""

    title: str
    rows: tuple[PointText, ...]
    clause: str
    confirmed: bool


def tables() -> tuple[Table, ...]:
    """The whole state table: leads, cases, tracks."""
    held: tuple[tuple[str, str, Any, Sequence[Transition]], ...] = (
        ("leads", "线索", LeadState, LEAD_ROWS), ("cases", "案件", CaseState, CASE_ROWS),
        ("tracks", "协议处理、行政处罚", TrackState, TRACK_ROWS),
    )  # fmt: skip
    return tuple(
        Table(anchor, title, tuple(_row(row, states) for state in states for row in rows if row.source == state))
        for anchor, title, states, rows in held
    )


def limits_at(place: Any, on: date) -> list[LimitText]:
    """Every limit with the days in force at a place (None: as shipped) on a day; one query."""
    held = values([key for limit in ALL_LIMITS.values() for key in _keys(limit)], place, on)
    found = []
    for limit in ALL_LIMITS.values():
        count, unit = held[count_key(limit.key)], UNITS[limit.unit]
        more = held.get(extension_key(limit.key))
        found.append(
            LimitText(
                key=limit.key, label=limit.label, event=f"{limit.event}{'前' if limit.before else '后'}",
                length=f"{int(count.decimal)} {unit}",
                extension=f"{int(more.decimal)} {unit}（{limit.extended_by}批准）" if more else "",
                basis="；".join(filter(None, [count.clause, limit.note])), confirmed=count.is_confirmed,
            )
        )  # fmt: skip
    return found


def thresholds_at(place: Any, on: date) -> list[PointText]:
    """From which fine a hearing may be asked for and a legal review is due at a place."""
    found = []
    for label, held in (("可以要求听证", hearing_thresholds(place, on)), ("须法制审核", legal_thresholds(place, on))):
        mark = "" if held.source.confirmed else "（待核实）"
        text = f"对个人罚款 {held.person:,f} 元、对单位罚款 {held.organisation:,f} 元以上；暂停、解除协议{mark}"
        found.append(PointText(label, text))
    return found


def offences() -> list[OffenceText]:
    """The catalogue of acts with their penalties by the day of the act."""
    return [
        OffenceText(
            act.key, act.label, PARTIES[act.party], act.fraud, ARTICLES[act.article], act.clause, act.source.confirmed,
            tuple(_range(rule) for rule in PENALTY_RULES if act.article in rule.articles),
        )
        for act in ACTS
    ]  # fmt: skip


def schemes() -> list[SchemeText]:
    """Points of persons (national) and of providers (agreement)."""
    bands = [PointText(band.label, f"每次记 {band.lower}–{band.upper} 分") for band in points.BANDS]
    least, most = points.SUSPEND_MONTHS
    thresholds = [
        PointText(f"自然年度内累计满 {points.SUSPEND_AT} 分", f"暂停医保支付资格 {least}–{most} 个月"),
        PointText(f"自然年度内累计满 {points.END_AT} 分", f"终止医保支付资格，{points.BAN_YEARS} 年内不得再次登记备案"),
        PointText(f"一次记满 {points.END_AT} 分", f"终止医保支付资格，{points.BAN_YEARS_AT_ONCE} 年内不得再次登记备案"),
        PointText("年末", "记分清零，已开始的暂停、终止继续执行"),
    ]
    found = [SchemeText("定点医药机构相关人员医保支付资格记分", (*bands, *thresholds), points.CLAUSE, True)]
    for scheme in points.PROVIDER_SCHEMES.values():
        steps = [PointText(f"自然年度内满 {step.from_points} 分", step.label) for step in scheme.steps]
        yearly = f"每分扣年度考核 {scheme.deduction_per_point} 分，至多 {scheme.deduction_cap} 分"
        found.append(SchemeText(scheme.title, (*steps, PointText("年度考核", yearly)), scheme.clause, scheme.source.confirmed))
    return found


def _row(row: Transition, states: Any) -> ActText:
    return ActText(
        state=states(row.source).label,
        act=Act(row.act).label,
        who="、".join(sorted(Role(role).label for role in row.roles)) or CLOCK,
        needs=tuple(PRECONDITIONS[name].label for name in row.needs),
        reason=row.needs_reason,
        target="" if row.target == row.source else states(row.target).label,
        starts=_labels(row.starts),
        ends=_labels(row.ends),
    )


def _labels(keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(ALL_LIMITS[key].label if key in ALL_LIMITS else "专家（鉴定）意见" for key in keys)


def _keys(limit: Limit) -> list[str]:
    return [count_key(limit.key), *([extension_key(limit.key)] if limit.extension else [])]


def _range(rule: PenaltyRule) -> RangeText:
    first, last = rule.source.valid_from, rule.source.valid_to
    span = f"{first or '—'} 至 {last}" if last else f"{first} 起" if first else "一直适用"
    return RangeText(f"{ONLY_IF[rule.only_if]}{_bounds(rule)}", rule.clause, span, rule.source.confirmed)


def _bounds(rule: PenaltyRule) -> str:
    if rule.lower is None and rule.upper is None:
        return "不处罚款"
    unit = "倍损失金额" if rule.measure == "multiple" else "元"
    return f"{_number(rule.lower)}–{_number(rule.upper)} {unit}" if rule.upper is not None else f"{_number(rule.lower)} {unit}以上"


def _number(value: Decimal | None) -> str:
    return f"{value or 0:,f}"
