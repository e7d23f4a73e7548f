"""A month's figures against the thresholds in force: raise once per cause, worsen, update, restate, recover.

Everything is read for a whole county in a constant number of queries; each cause that has something new is then written
in its own transaction. Earlier months whose facts changed since they were noted are judged again first. An open warning
is followed by the threshold it was raised under, whatever became of that since; a closed one until it has recovered,
unless another threshold of its indicator is in force.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from core.models import Alliance, County, Institution, InstitutionKind, PoolingArea, User
from monitoring.models import Basis, PlaceKind, PlaceMonth, Threshold, ThresholdStatus, Warning
from monitoring.parameters import RECOVER_MONTHS, whole
from monitoring.reading.judging import Judged, judge_all, worst
from monitoring.reading.places import PlaceRef, ref_of
from monitoring.reading.thresholds import in_force
from monitoring.reading.warnings import told
from monitoring.services.distress import distress_signals
from monitoring.services.following import Known, Tally, carry_out, known_warnings, plan
from monitoring.services.raising import Signal
from rules.indicators import BY_KEY
from rules.periods import Month
from rules.warnings import COMPARED, shown

STALE_MONTHS = 24
"""How far back noted months are looked at for changed facts."""
Wanted = dict[tuple[PlaceRef, str], list[Threshold]]
Causes = dict[tuple[str, str, str], list[Known]]


@dataclass(frozen=True)
class Outcome:
    """``trial`` counts breaches of thresholds on trial, which warn nobody; ``unjudged`` figures without a value."""

    raised: int = 0
    worsened: int = 0
    updated: int = 0
    recovered: int = 0
    restated: int = 0
    trial: int = 0
    unjudged: int = 0
    text: str = ""


def evaluate_month(at: County | PoolingArea, month: Month, actor: User | None = None) -> Outcome:
    """Judge every place of a county (of a pooling area: the city itself) for the month and follow every cause."""
    places = places_at(at, month)
    recover = whole(RECOVER_MONTHS, at, month.last_day)
    known = _known(at)
    tally = Tally()
    stale = _stale(known)
    for earlier in sorted(set(stale) - {month}):
        again = [signal for signal in _judge(at, places, earlier, known).signals if signal.key in stale[earlier]]
        _follow(again, at, known, recover, actor, tally)
        known = _known(at)
    judged = _judge(at, places, month, known)
    _follow(judged.signals, at, known, recover, actor, tally)
    return _outcome(month, tally, judged)


def places_at(at: County | PoolingArea, month: Month) -> list[PlaceRef]:
    """The county, its alliances and its providers of care; of a pooling area the city alone."""
    if isinstance(at, PoolingArea):
        return [ref_of(at)]
    alliances = Alliance.objects.on(month.last_day).filter(county=at).select_related("county__pooling_area")
    houses = Institution.objects.filter(county=at).exclude(kind=InstitutionKind.PHARMACY)
    return [ref_of(place) for place in (at, *alliances, *houses.select_related("county__pooling_area"))]


@dataclass(frozen=True)
class _Month:
    """What a month says: the signals that may matter, breaches of thresholds on trial, figures not judged."""

    signals: list[Signal]
    trial: int
    unjudged: int


def _judge(at: County | PoolingArea, places: Sequence[PlaceRef], month: Month, known: Causes) -> _Month:
    """One signal a place, fund and cause: the gravest of its thresholds; and the distress of a county's funds.

    What is within or not judged and has no warning says nothing.
    """
    live = in_force(places, month.last_day)
    tried = in_force(places, month.last_day, trial=True)
    kept = _kept(places, known, live, month)
    wanted: Wanted = {
        key: [*live.get(key, ()), *tried.get(key, ()), *kept.get(key, ())] for key in {**live, **tried, **kept}
    }
    former = {(key, rule.pk) for key, rules in kept.items() for rule in rules}
    grouped: dict[tuple[str, str, str], list[Judged]] = defaultdict(list)
    trial = 0
    for row in judge_all(wanted, month, {key[:2] for key in known}):
        if row.threshold.status == ThresholdStatus.TRIAL:
            trial += bool(row.level)
        else:
            grouped[row.place.key, row.fund_type, row.threshold.indicator].append(row)
    signals, unjudged = [], 0
    for key, rows in grouped.items():
        held = known.get(key, [])
        chosen = worst(rows, held[0].warning.threshold_id if held else None)
        unjudged += chosen.level is None
        if chosen.level or held:
            ended = ((chosen.place, chosen.fund_type), chosen.threshold.pk) in former
            signals.append(signal_of(chosen, month, ended))
    if isinstance(at, County):
        signals += distress_signals(at, ref_of(at), month)
    return _Month(signals, trial, unjudged)


def _kept(places: Sequence[PlaceRef], known: Causes, live: Wanted, month: Month) -> Wanted:
    """The thresholds that hold no longer, ended or replaced by another, of warnings still followed by them; by place and
    fund type. A closed warning that has not recovered is left to a threshold of its indicator in force, if there is one.
    """
    refs = {place.key: place for place in places}
    found: Wanted = defaultdict(list)
    for (place, fund, _cause), rows in known.items():
        warning = rows[0].warning
        rule = warning.threshold
        if rule is None or place not in refs or rule.valid_from > month.last_day:
            continue
        key = (refs[place], fund)
        held = live.get(key, ())
        if not warning.is_open and (warning.recovered or any(one.indicator == rule.indicator for one in held)):
            continue
        if rule.pk not in {one.pk for one in held}:
            found[key].append(rule)
    return found


def signal_of(row: Judged, month: Month, former: bool = False) -> Signal:
    """A judgement as what the month says of its cause. ``former``: its threshold is no longer in force."""
    figure, judged, threshold = row.figure, row.judgement, row.threshold
    data: dict[str, Any] = {"span": str(figure.span), "basis": str(threshold.basis)}
    known = row.level is not None and figure.value is not None
    if figure.value is not None:
        data["shown"] = told(threshold.indicator, figure.value)
    return Signal(
        place=row.place,
        fund_type=row.fund_type,
        cause=threshold.indicator,
        month=month,
        level=row.level if known else None,
        title=title_of(row),
        indicator=threshold.indicator,
        threshold=threshold,
        value=figure.value if known else None,
        compared=row.compared,
        bound=judged.bound,
        affected=judged.affected,
        data_to=figure.data_to,
        trace=judged.trace.as_json(),
        data=data,
        rows=figure.rows,
        why_not="" if known else (row.why_not or figure.missing),
        former=former,
    )


def title_of(row: Judged) -> str:
    """基层支出占比低于 16%, 次均住院费用比上年同期高 8% 以上, 预算执行率快于序时进度 5 个百分点以上."""
    threshold, unit = row.threshold, BY_KEY[row.threshold.indicator].unit
    label = BY_KEY[threshold.indicator].label
    levels = {"yellow": threshold.yellow, "orange": threshold.orange, "red": threshold.red}
    level = levels.get(row.level or "") if row.level else None
    if level is None:
        level = next(one for one in levels.values() if one is not None)
    if threshold.basis == Basis.ABSOLUTE:
        return f"{label}{'高于' if threshold.above else '低于'} {shown(unit, level)}"
    by = shown("ratio" if threshold.relative else "points" if unit == "ratio" else unit, abs(level))
    by += " 以上" if by.endswith("%") else "以上"
    if threshold.basis == Basis.PACE:
        return f"{label}快于{COMPARED[threshold.basis]} {by}"
    return f"{label}比{COMPARED[threshold.basis]}{'高' if threshold.above else '低'} {by}"


def _known(at: County | PoolingArea) -> Causes:
    """The warnings of the place with their figures; two queries."""
    rows = Warning.objects.select_related("threshold")
    if isinstance(at, County):
        rows = rows.filter(county=at)
    else:
        rows = rows.filter(pooling_area=at, kind=PlaceKind.CITY)
    return known_warnings(list(rows))


def _stale(known: Causes) -> dict[Month, set[tuple[str, str, str]]]:
    """Noted months whose rows are no longer the current ones, with the causes concerned; one query."""
    noted: dict[int, set[tuple[Month, tuple[str, str, str]]]] = defaultdict(set)
    newest = max((one.last for rows in known.values() for one in rows), default=None)
    if newest is None:
        return {}
    for key, rows in known.items():
        for one in rows:
            for month, figure in one.figures.items():
                if month > newest.plus(-STALE_MONTHS) and figure.value is not None:
                    for pk in figure.data.get("rows", ()):
                        noted[pk].add((month, key))
    old = PlaceMonth.objects.filter(
        current=False, place__in={key[0] for key in known}, year__gte=newest.year - STALE_MONTHS // 12 - 2
    ).values_list("pk", flat=True)
    found: dict[Month, set[tuple[str, str, str]]] = defaultdict(set)
    for pk in old:
        for month, key in noted.get(pk, ()):
            found[month].add(key)
    return found


def _follow(
    signals: Iterable[Signal],
    at: County | PoolingArea,
    known: Causes,
    recover: int,
    actor: User | None,
    tally: Tally,
) -> None:
    """Carry out what has something to do."""
    for signal in signals:
        if plan(signal, known.get(signal.key, []), recover):
            carry_out(signal, at, recover, actor, tally)


def _outcome(month: Month, tally: Tally, judged: _Month) -> Outcome:
    trial, unjudged = judged.trial, judged.unjudged
    counts = tally.counts
    names = (("raised", "新触发"), ("worsened", "升级"), ("updated", "更新"), ("restated", "更正"), ("recovered", "恢复"))
    done = [f"{label} {counts[name]} 条" for name, label in names if counts[name]]
    text = f"{month} 预警：{'、'.join(done) if done else '没有变化'}。"
    if trial:
        text += f"试运行阈值触发 {trial} 项（不发预警）。"
    if unjudged:
        text += f"{unjudged} 项没有数据或规模不足，未判断。"
    return Outcome(
        raised=counts["raised"],
        worsened=counts["worsened"],
        updated=counts["updated"],
        recovered=counts["recovered"],
        restated=counts["restated"],
        trial=trial,
        unjudged=unjudged,
        text=text,
    )

