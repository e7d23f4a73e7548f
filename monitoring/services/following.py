"""What a month's signal does to the warnings of its cause: raise, worsen, update, restate, recover, or nothing.

:func:`plan` decides on what is known and reads nothing; :func:`carry_out` decides again under the lock and writes, one
transaction a cause. The same signal twice does nothing twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from core.models import County, PoolingArea, User
from core.notices import notify
from core.templatetags.fund import MINUS
from core.trail import record
from monitoring.models import Warning, WarningFigure
from monitoring.parameters import ANSWER_DAYS
from monitoring.services.raising import (
    DISTRESS,
    Signal,
    lock_place,
    note_figure,
    raise_warning,
    report_to_city,
    send_at_once,
    sends_at_once,
)
from monitoring.services.rights import answerers, closers, deciders
from monitoring.services.steps import change_row, due_after, finish, move, must, name_of, trail_data
from monitoring.states import Act, WarningState, action_name
from rules.periods import Month
from rules.warnings import LEVEL_NAMES, is_recovered, worsens

Figures = Mapping[Month, WarningFigure]


@dataclass(frozen=True)
class Known:
    """A warning with the newest figure of every month noted on it."""

    warning: Warning
    figures: Figures

    @property
    def last(self) -> Month:
        return max(self.figures, default=self.warning.period)


@dataclass(frozen=True)
class Deed:
    """``act`` on ``known`` (None: a new warning). ``recovered`` is what the flag comes to afterwards."""

    act: str
    known: Known | None = None
    worse: bool = False
    recovered: bool = False
    remark: str = ""


@dataclass
class Tally:
    """What has been done, for the outcome."""

    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, name: str) -> None:
        self.counts[name] += 1


def known_warnings(warnings: Sequence[Warning]) -> dict[tuple[str, str, str], list[Known]]:
    """Warnings (newest first) by place, fund type and cause with their figures; one query."""
    figures: dict[int, dict[Month, WarningFigure]] = defaultdict(dict)
    rows = WarningFigure.objects.filter(warning__in=[w.pk for w in warnings]).defer("trace").order_by("pk")
    for row in rows:
        figures[row.warning_id][Month(row.year, row.month)] = row
    found: dict[tuple[str, str, str], list[Known]] = defaultdict(list)
    for w in sorted(warnings, key=lambda one: -one.pk):
        found[w.place, w.fund_type, w.cause].append(Known(w, figures[w.pk]))
    return found


def plan(signal: Signal, known: Sequence[Known], recover_months: int) -> list[Deed]:
    """What is to be done; empty when the signal says nothing new. ``known`` newest first."""
    newest = known[0] if known else None
    if signal.former and (newest is None or (newest.warning.recovered and not newest.warning.is_open)):
        return []
    deeds = [
        Deed(Act.RESTATE, one, recovered=one.warning.recovered)
        for one in known[1:]
        if signal.month in one.figures and _differs(one.figures[signal.month], signal)
    ]
    if newest is None:
        return [Deed(Act.RAISE)] if signal.level else []
    noted = newest.figures.get(signal.month)
    if noted is not None and not _differs(noted, signal):
        return deeds
    if noted is None and signal.month < newest.warning.period:
        return deeds
    act = Act.UPDATE if noted is None or noted.value is None else Act.RESTATE
    recovered = _recovered(newest, signal, recover_months)
    if newest.warning.is_open:
        worse = worsens(newest.warning.level, signal.level or "")
        return [*deeds, Deed(act, newest, worse=worse, recovered=recovered)]
    return deeds + _after_closing(signal, newest, noted, act, recovered)


def _after_closing(
    signal: Signal, newest: Known, noted: WarningFigure | None, act: str, recovered: bool
) -> list[Deed]:
    """A closed warning goes on being noted until its figure has recovered; only then, or worse, is a new one raised.

    A threshold no longer in force raises none.
    """
    closed = newest.warning
    level = signal.level or ""
    if signal.former:
        return [Deed(act, newest, recovered=recovered)]
    if noted is not None and noted.value is not None:
        anew = bool(level) and (noted.level == "" or worsens(closed.level, level))
        raised = [Deed(Act.RAISE, remark=f"{signal.month} 数据更正后再次触发，原预警 {closed.number}。")] if anew else []
        return [Deed(act, newest, recovered=closed.recovered and not anew), *raised]
    if closed.recovered:
        return [Deed(Act.RAISE)] if level else []
    if worsens(closed.level, level):
        return [Deed(Act.RAISE, remark=f"较已解除的预警 {closed.number} 加重。")]
    return [Deed(act, newest, recovered=recovered)]


def carry_out(
    signal: Signal, place: County | PoolingArea, recover_months: int, actor: User | None, tally: Tally
) -> None:
    """Decide again under the lock of the place and write: one transaction."""
    with transaction.atomic():
        lock_place(place)
        rows = Warning.objects.select_for_update(of=("self",), no_key=True).with_places()
        held = list(rows.filter(place=signal.place.key, fund_type=signal.fund_type, cause=signal.cause))
        known = known_warnings(held).get(signal.key, [])
        for deed in plan(signal, known, recover_months):
            if deed.known is None:
                raise_warning(signal, place, actor, deed.remark)
                tally.add("raised")
            else:
                _follow(signal, deed.known, deed, actor, tally)


def _follow(signal: Signal, known: Known, deed: Deed, actor: User | None, tally: Tally) -> None:
    w = known.warning
    before = known.figures.get(signal.month)
    continued = bool(signal.data.get("continuing")) and not _was_continuing(known)
    note_figure(w, signal)
    words = _words(signal, before)
    recovers = deed.recovered and not w.recovered
    if deed.act == Act.RESTATE or not deed.worse:
        step = must(w.state, deed.act)
        move(w, step, {"recovered": deed.recovered})
        change = change_row(w, step, actor, words, data={"month": str(signal.month)})
        tally.add("restated" if deed.act == Act.RESTATE else "updated")
        if recovers:
            tally.add("recovered")
            if w.is_open:
                notify(closers(w), f"{name_of(w)}的指标已恢复，可以解除。", w.get_absolute_url())
        summary = f"{name_of(w)}{'数据更正' if deed.act == Act.RESTATE else '数据更新'}：{words}"
        record(actor, action_name(deed.act), w, summary, trail_data(change), place=w.alliance or w.at)
    if deed.worse:
        _worsen(signal, w, words, actor)
        tally.add("worsened")
    if signal.source == DISTRESS and w.is_open and (deed.worse or continued):
        report_to_city(actor, w, signal)


def _worsen(signal: Signal, w: Warning, words: str, actor: User | None) -> None:
    step = must(w.state, Act.WORSEN)
    fields: dict[str, Any] = {
        "level": signal.level,
        "title": signal.title[:120],
        "threshold": signal.threshold or w.threshold,
        "recovered": False,
    }
    due = None
    if w.state == WarningState.ACCEPTED:
        due = due_after(w, ANSWER_DAYS)
        fields |= {"due_on": due, "escalations": 0, "accepted_by": None}
    former = w.get_level_display()
    told = [*(answerers(w) if w.sent_at else []), *deciders(w)]
    summary = f"预警 {w.number}（{w.at} {w.get_fund_type_display()}）由{former}升为{LEVEL_NAMES[signal.level or '']}：{words}"
    data = {"month": str(signal.month), "from": former}
    finish(actor, w, step, summary, reason=words, until=due, data=data, tell=told, fields=fields)
    if w.state == WarningState.RAISED and sends_at_once(w):
        send_at_once(actor, w)


def _differs(noted: WarningFigure, signal: Signal) -> bool:
    """Whether the month says something else than was noted."""
    return (noted.value, noted.level, noted.affected) != (signal.value, signal.level or "", signal.affected) or bool(
        signal.data.get("continuing")
    ) != bool(noted.data.get("continuing"))


def _recovered(known: Known, signal: Signal, months: int) -> bool:
    levels: dict[Month, str | None] = {
        month: figure.level if figure.value is not None else None for month, figure in known.figures.items()
    }
    levels[signal.month] = signal.level
    return is_recovered([levels[month] for month in sorted(levels)], months)


def _was_continuing(known: Known) -> bool:
    return any(figure.data.get("continuing") for figure in known.figures.values())


def _words(signal: Signal, before: WarningFigure | None) -> str:
    shown = str(signal.data.get("shown", signal.value))
    if signal.level is None:
        return f"{signal.month} {signal.why_not or '没有数据'}"
    former = "，阈值已停用，按触发时的阈值" if signal.former else ""
    gap = " " if shown[:1].isascii() or shown[:1] == MINUS else ""
    told = f"{signal.month} 为{gap}{shown}（{LEVEL_NAMES[signal.level]}{former}）"
    if before is not None and before.value is not None:
        return f"{told}，原为 {before.data.get('shown', before.value)}（{LEVEL_NAMES[before.level]}）"
    return told
