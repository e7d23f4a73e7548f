"""What a penalty needs and what becomes of it: hearing, legal review, surcharge, limitation, repeated offences.

Figures in ``thresholds.toml``. A barred act is not fined any more, but what the fund lost is still recovered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from rules.dated import Source, read, source_of
from rules.errors import RuleProblem
from rules.money import non_negative, positive, round_fen
from rules.penalties.acts import ACT_BY_KEY, NATURAL, PARTIES, PenaltyError, act_of, unknown
from rules.periods import months_after
from rules.trace import Step, Trace, percent

Span = tuple[date, date]
_DATA = read(Path(__file__).parent / "thresholds.toml")
_PARAMETERS = {row["key"]: row for row in _DATA["parameters"]}
SURCHARGE_RATE = Decimal(_PARAMETERS["surcharge"]["rate"])
LIMITATION_YEARS: int = _PARAMETERS["limitation"]["years"]
LIMITATION_YEARS_WITH_HARM: int = _PARAMETERS["limitation"]["years_with_harm"]
REPEAT_MONTHS: int = _PARAMETERS["repeat"]["months"]


@dataclass(frozen=True)
class Thresholds:
    """Fines from which a hearing must be offered or a legal review held, in yuan."""

    person: Decimal
    organisation: Decimal
    clause: str
    source: Source


@dataclass(frozen=True)
class Need:
    """Whether a step is required, and every reason why."""

    needed: bool
    reasons: tuple[str, ...]
    clause: str
    status: str


@dataclass(frozen=True)
class Surcharge:
    """``days`` counted after the due day without paused ones; ``capped``: held at the fine. Yuan."""

    amount: Decimal
    days: int
    paused_days: int
    capped: bool
    trace: Trace


@dataclass(frozen=True)
class Limitation:
    """``until`` is the last day on which discovery still allows a penalty; ``recovers`` always: money is returned."""

    barred: bool
    until: date
    recovers: bool
    trace: Trace


@dataclass(frozen=True)
class Offence:
    """An act a provider was finally decided on before."""

    act: str
    decided_on: date
    case_number: str


THRESHOLDS = {
    row["key"]: Thresholds(Decimal(row["person"]), Decimal(row["organisation"]), row["clause"], source_of(row))
    for row in _DATA["thresholds"]
}
DEFAULT_THRESHOLDS = THRESHOLDS["guangdong"]


def needs_hearing(
    party: str,
    fine: Decimal,
    suspension: bool = False,
    termination: bool = False,
    *,
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
) -> Need:
    """Whether the party must be told of its right to a hearing; ``fine`` in yuan, a fine on the threshold counts."""
    reasons = _reasons(party, fine, suspension, termination, thresholds)
    return Need(bool(reasons), tuple(reasons), thresholds.clause, thresholds.source.status)


def needs_legal_review(
    party: str,
    fine: Decimal,
    suspension: bool = False,
    termination: bool = False,
    major_interest: bool = False,
    *,
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
) -> Need:
    """Whether a third person must review the decision in law before it is taken; as a hearing, or major interest."""
    reasons = _reasons(party, fine, suspension, termination, thresholds)
    if major_interest:
        reasons.append("涉及重大公共利益")
    return Need(bool(reasons), tuple(reasons), thresholds.clause, thresholds.source.status)


def surcharge(fine: Decimal, due_on: date, paid_on: date, paused: Sequence[Span] = ()) -> Surcharge:
    """3 % of the fine for each day after ``due_on`` up to ``paid_on``, never above the fine.

    ``paused``: first and last day of reviews and suits, both included; overlapping spans count once.
    PenaltyError lists spans whose end is before their start.
    """
    fine = positive(fine, "罚款金额")
    problems = [
        RuleProblem("暂停期间", f"{first}—{last}", f"暂停期间的止日{last}早于起日{first}", "请改正期间")
        for first, last in paused
        if last < first
    ]
    if problems:
        raise PenaltyError(problems)
    late = max((paid_on - due_on).days, 0)
    held = {day for first, last in paused for day in _days(max(first, due_on + timedelta(days=1)), min(last, paid_on))}
    days = late - len(held)
    full = round_fen(fine * SURCHARGE_RATE * days)
    amount = min(full, fine)
    clause, status = _PARAMETERS["surcharge"]["clause"], _PARAMETERS["surcharge"]["status"]
    counted = (("缴纳期限", str(due_on)), ("缴清日", str(paid_on)), ("复议诉讼期间", len(held)))
    priced = (("罚款", fine), ("日率", percent(SURCHARGE_RATE)), ("天数", days))
    steps = [
        Step("加处天数", "缴清日 − 缴纳期限 − 复议诉讼期间天数", counted, days, clause, "天", status),
        Step("加处罚款", "罚款 × 日率 × 天数，不超过罚款本数", priced, amount, clause, "元", status),
    ]
    return Surcharge(amount, days, len(held), full > fine, Trace(steps))


def limitation(act_on: date, found_on: date, harm: bool = False) -> Limitation:
    """Whether an act found on ``found_on`` may still be penalised; ``act_on``: its (last) day.

    Two years, five with harm to life, health or finance. PenaltyError when it was found before it was done.
    """
    if found_on < act_on:
        raise PenaltyError.one("发现日期", found_on, f"发现日{found_on}早于行为日{act_on}", "请核对两个日期")
    years = LIMITATION_YEARS_WITH_HARM if harm else LIMITATION_YEARS
    until = months_after(act_on, 12 * years)
    barred = found_on > until
    row = _PARAMETERS["limitation"]
    inputs = (("行为（终了）日", str(act_on)), ("年数", years), ("发现日", str(found_on)), ("届满日", str(until)))
    value = "已过时效，不再给予行政处罚，损失仍应追回" if barred else "未过时效"
    words = "行为终了日 + 年数，届满日前发现的可以处罚"
    return Limitation(
        barred, until, True, Trace([Step("处罚时效", words, inputs, value, row["clause"], "", row["status"])])
    )


def repeat_offences(
    former: Sequence[Offence], act: str, on: date, *, months: int = REPEAT_MONTHS
) -> tuple[Offence, ...]:
    """The ``former`` offences that make an act of ``on`` a repeated one, oldest first.

    They count when they are of the same article and were decided before ``on``, at most ``months`` earlier.
    PenaltyError lists every unknown act.
    """
    problems = unknown([act, *(one.act for one in former)])
    if problems:
        raise PenaltyError(problems)
    article = act_of(act).article
    counting = [
        one
        for one in former
        if ACT_BY_KEY[one.act].article == article and one.decided_on < on and on <= months_after(one.decided_on, months)
    ]
    return tuple(sorted(counting, key=lambda one: (one.decided_on, one.case_number)))


def _reasons(party: str, fine: Decimal, suspension: bool, termination: bool, thresholds: Thresholds) -> list[str]:
    if party not in PARTIES:
        raise PenaltyError.one("当事人类别", party, f"没有当事人类别“{party}”", f"可选：{'、'.join(PARTIES)}")
    fine = non_negative(fine, "罚款金额")
    limit = thresholds.person if party in NATURAL else thresholds.organisation
    kind = "个人" if party in NATURAL else "法人或其他组织"
    reasons = [f"对{kind}罚款 {fine:,f} 元，达到 {limit:,f} 元"] if fine >= limit else []
    reasons += ["暂停联网结算或医药服务"] if suspension else []
    return reasons + (["解除服务协议"] if termination else [])


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
