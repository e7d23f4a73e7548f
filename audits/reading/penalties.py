"""The legal range of a penalty as the kept findings of a case call for it now, and whether a frozen proposal still holds.

Acts under the agreement only, acts of days without a rule and acts found after their limitation are not fined: they stay
in ``skipped`` with the reason, and what they cost the fund is recovered all the same.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Min
from django.utils import timezone

from audits.models import Case, Finding, PartyKind, Track
from audits.parameters import hearing_thresholds, legal_thresholds
from audits.reading.findings import act_label, sums
from audits.states import IN_FORCE_TRACKS, TrackKind
from core.errors import Problem
from rules.errors import RuleError
from rules.money import ZERO
from rules.penalties import (
    ACT_BY_KEY,
    AGENCY,
    PERSON,
    PROVIDER,
    FineItem,
    FineRange,
    GradeRange,
    Limitation,
    Need,
    Offence,
    check_fine,
    fine_range,
    grade_range,
    limitation,
    needs_hearing,
    needs_legal_review,
    repeat_offences,
    rule_on,
    suspension_problems,
)

PARTY = {
    PartyKind.PROVIDER: PROVIDER, PartyKind.PERSON: PERSON, PartyKind.PHYSICIAN: PERSON, PartyKind.AGENCY: AGENCY,
    PartyKind.ENTERPRISE: PROVIDER,
}  # fmt: skip
REFUSED, GRAVE, REPEAT = "refused", "grave", "repeat"


@dataclass(frozen=True)
class Fined:
    """A kept finding the range counts; ``loss`` yuan."""

    finding: Finding
    loss: Decimal


@dataclass(frozen=True)
class Skipped:
    """A kept finding that is not fined, and why."""

    finding: Finding
    loss: Decimal
    why: str
    limitation: Limitation | None = None


@dataclass(frozen=True)
class LegalRange:
    """What the law leaves: ``range`` None when nothing can be fined, ``problems`` why it cannot be worked out."""

    range: FineRange | None
    fined: tuple[Fined, ...]
    skipped: tuple[Skipped, ...]
    repeats: tuple[Offence, ...]
    problems: tuple[Problem, ...]

    @property
    def loss(self) -> Decimal:
        return sum((one.loss for one in self.fined), ZERO)

    @property
    def barred(self) -> tuple[Skipped, ...]:
        return tuple(one for one in self.skipped if one.limitation is not None)


@dataclass(frozen=True)
class Judged:
    """A fine judged against a range: the grade's part of it, everything wrong, what the track then needs."""

    grade: GradeRange | None
    problems: tuple[Problem, ...]
    hearing: Need
    legal: Need


def party_of(case: Case) -> str:
    return PARTY[PartyKind(case.party_kind)]


def found_on(case: Case) -> date:
    """The day the acts were found: when the first lead of the case came in, at the latest its filing."""
    first = case.leads.aggregate(first=Min("received_on"))["first"]
    return case.filed_on if first is None else min(first, case.filed_on)


def former_offences(case: Case) -> tuple[Offence, ...]:
    """What the same party was decided on before, by decisions in force."""
    tracks = Track.objects.filter(state__in=IN_FORCE_TRACKS, decided_on__isnull=False).exclude(case=case)
    if case.institution_id is not None:
        tracks = tracks.filter(case__institution=case.institution_id, case__party_kind=case.party_kind)
    elif case.party_code:
        tracks = tracks.filter(case__party_code=case.party_code, case__party_kind=case.party_kind)
    else:
        return ()
    rows = tracks.filter(case__findings__dropped=False).order_by()
    names = ("case__findings__act", "decided_on", "case__number")
    return tuple(Offence(*row) for row in rows.values_list(*names).distinct() if row[0] in ACT_BY_KEY)


def legal_range(case: Case, facts: Collection[str] = (), on: date | None = None) -> LegalRange:
    """The range of all kept findings, decided ``on`` (today); ``facts`` may hold ``refused`` and ``grave``."""
    day, discovered = on or timezone.localdate(), found_on(case)
    fined: list[Fined] = []
    skipped: list[Skipped] = []
    for row in sums(case).kept:
        kept = _why_not_fined(row.finding, row.total, discovered, case.harm)
        if kept is None:
            fined.append(Fined(row.finding, row.penal))
        else:
            skipped.append(kept)
    former = former_offences(case)
    repeats = {offence: None for one in fined for offence in repeat_offences(former, one.finding.act, one.finding.acted_to)}
    if not fined:
        return LegalRange(None, (), tuple(skipped), (), ())
    items = [FineItem(one.finding.act, one.loss, one.finding.acted_to) for one in fined]
    try:
        legal = fine_range(
            items, on=day, decided_on=day, repeat=bool(repeats), refused=REFUSED in facts, grave=GRAVE in facts
        )
    except RuleError as error:
        return LegalRange(None, tuple(fined), tuple(skipped), tuple(repeats), problems_of(error))
    return LegalRange(legal, tuple(fined), tuple(skipped), tuple(repeats), ())


def judge(
    case: Case, legal: LegalRange, *, grade: str, fine: Decimal, reason: str, facts: Collection[str], months: int | None
) -> Judged:
    """Everything wrong with a fine at once; empty ``problems``: it may be proposed."""
    problems = list(legal.problems)
    part: GradeRange | None = None
    if legal.range is None:
        if not problems and fine:
            text = "本案没有可以给予行政处罚的行为，只作协议处理或追回，不能罚款。"
            problems.append(Problem("fine", str(fine), text, "请把罚款填 0 或不启动处罚。"))
    else:
        problems += plain_problems(check_fine(legal.range, grade, fine, reason, facts))
        problems += plain_problems(suspension_problems(legal.range, months))
        try:
            part = grade_range(legal.range, grade)
        except RuleError:
            part = None
    day, whole = timezone.localdate(), max(fine, ZERO)
    place = case.county
    party, suspends = party_of(case), bool(months)
    hearing = needs_hearing(party, whole, suspends, thresholds=hearing_thresholds(place, day))
    legal_need = needs_legal_review(party, whole, suspends, thresholds=legal_thresholds(place, day))
    return Judged(part, tuple(problems), hearing, legal_need)


def range_of(track: Track) -> LegalRange:
    """The legal range of a track's case now, with the facts its proposal named."""
    return legal_range(track.case, tuple(track.penalty.get("facts", ())))


def penalty_problems(track: Track) -> list[Problem]:
    """Why the frozen fine cannot go on: lines were dropped, the range moved, or it lies outside. Empty: it holds."""
    if track.kind != TrackKind.PENALTY or not track.penalty:
        return []
    frozen, now = track.penalty, range_of(track)
    if now.problems:
        return list(now.problems)
    loss = "0.00" if now.range is None else str(now.range.loss)
    bounds = ["0.00", "0.00"] if now.range is None else [str(now.range.lower), _text(now.range.upper)]
    remedy = "请退回办案人员按现在的认定重新拟定处罚幅度。"
    problems = []
    if frozen["loss"] != loss:
        text = f"拟定处罚时造成的基金损失为 {frozen['loss']} 元，现在认定为 {loss} 元。"
        problems.append(Problem("penalty", frozen["loss"], text, remedy))
    elif [frozen["lower"], frozen["upper"]] != bounds:
        text = f"拟定处罚时的法定幅度为 {frozen['lower']}—{frozen['upper']} 元，现在为 {bounds[0]}—{bounds[1]} 元。"
        problems.append(Problem("penalty", frozen["lower"], text, remedy))
    if problems or now.range is None:
        return problems
    found = check_fine(now.range, track.grade, track.fine or ZERO, track.grade_reason, frozen.get("facts", ()))
    return plain_problems(found)


def problems_of(error: RuleError) -> tuple[Problem, ...]:
    return tuple(plain_problems(error.problems))


def plain_problems(found: Any) -> list[Problem]:
    """Problems of the rules as people of the pages get them."""
    return [Problem(one.field, one.value, _ended(one.text), _ended(one.remedy)) for one in found]


def _why_not_fined(finding: Finding, loss: Decimal, discovered: date, harm: bool) -> Skipped | None:
    act = ACT_BY_KEY.get(finding.act)
    if finding.spared:
        return Skipped(finding, loss, "复审认为不计入处罚，已决定的基金损失不变")
    if act is None or not act.penalised:
        return Skipped(finding, loss, f"“{act_label(finding.act)}”属违约，只作协议处理，没有行政处罚")
    if rule_on(act, finding.acted_to) is None:
        return Skipped(finding, loss, f"行为日 {finding.acted_to} 没有可适用的罚则，只作协议处理")
    barred = limitation(finding.acted_to, max(discovered, finding.acted_to), harm)
    if barred.barred:
        return Skipped(finding, loss, f"处罚时效已于 {barred.until} 届满，不再处罚，损失仍应追回", barred)
    return None


def _text(amount: Decimal | None) -> str:
    return "" if amount is None else str(amount)


def _ended(text: str) -> str:
    return text if not text or text.endswith(("。", "！", "？")) else f"{text}。"
