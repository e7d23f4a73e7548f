"""Claim rows behind a finding: chosen from the extract, taken from a workbook, or entered where no extract exists.

A claim of the case's own party and time only, neither reversed nor decided elsewhere, and over all cases never more than
the fund paid. Lines are added under the lock of the insured's county, so that two cases cannot both take the rest of one
claim.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction

from audits.models import Case, Finding, FindingLine, PartyKind
from audits.reading.findings import claims_held, decided_cases
from audits.services.findings import kept_finding
from audits.services.steps import begin, finish
from audits.states import Act
from budgets.reading import package_in_force
from claims.reading import CaseClaim, PackageScope, claims_by_id, holds_claims
from core.errors import Problem, Refused
from core.models import Alliance, County, FundType, Institution, User
from rules.money import to_fen
from rules.periods import Month

MOST_LINES = 50_000
MOST_PROBLEMS = 300
NOTE, ID = 200, 60
ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Wanted:
    """A claim wanted as a line: ``amount`` None means all that the fund paid. ``where`` names its place in a file."""

    county: County
    settlement_id: str
    amount: Decimal | None = None
    note: str = ""
    where: str = "settlement_id"


@dataclass(frozen=True)
class _Bound:
    """What claims a case may hold: its days, its party."""

    case: Case
    institutions: frozenset[str] | None  # codes; None: no provider
    person: str

    def faults(self, claim: CaseClaim) -> Iterable[tuple[str, str]]:
        case = self.case
        if not case.claims_from <= claim.settled_on <= case.claims_to:
            yield f"结算日期 {claim.settled_on} 不在费用所属期 {case.claims_from} 至 {case.claims_to} 内。", "请核对，或另立案件。"
        if self.institutions is not None and claim.institution_code not in self.institutions:
            yield f"是机构 {claim.institution_code or '（未列）'} 的结算，不是{case.party_name}的。", "请核对结算单号。"
        if self.person and claim.person != self.person:
            yield f"不是{case.party_name}本人的结算。", "请核对结算单号。"
        if claim.fund_type not in FundType.values:
            yield f"属于{claim.fund_text}，不在本系统管理的居民、职工基金内。", "请移送相应主管部门。"
        if claim.reverses:
            yield f"是冲销 {claim.reverses} 的记录。", "冲销记录不能作为违规结算。"
        if claim.reversed_by:
            yield f"已由 {claim.reversed_by} 冲销，基金没有支付。", "请剔除这一行。"


def bound_of(case: Case) -> _Bound:
    """The case's party: its institution, the members of its alliance in the span, or one insured person."""
    if case.institution_id is not None:
        return _Bound(case, frozenset({case.institution.code}), "")  # type: ignore[union-attr]
    if case.party_kind == PartyKind.PERSON:
        return _Bound(case, None, case.party_code)
    if case.alliance_id is not None:
        members = Institution.objects.filter(
            memberships__alliance=case.alliance_id, memberships__valid_from__lte=case.claims_to
        )
        return _Bound(case, frozenset(members.values_list("code", flat=True)), "")
    return _Bound(case, None, "")


def counties_of(case: Case) -> list[County]:
    """Whose insured a case may be about: anyone of the pooling area at a provider, else the case's own county."""
    if case.institution_id is None and case.alliance_id is None:
        return [case.county]
    return list(County.objects.filter(pooling_area=case.pooling_area_id).select_related("pooling_area").order_by("code"))


def add_lines(
    actor: User, finding: Finding, wanted: Sequence[Wanted], source: str = "", also: Sequence[Problem] = ()
) -> int:
    """Add claims of the extract to a finding, all or none; returns how many. ``source`` names the file they came from.

    Raises ``Refused`` with every fault of every row (the first 300 of them); ``also``: what was wrong with the file itself.
    """
    with transaction.atomic():
        held, step = begin(actor, finding.case, Act.FIND)
        row = kept_finding(held, finding)
        if not wanted and not also:
            raise Refused([Problem("lines", "", "没有选择结算记录。", "请勾选结算记录，或上传写有结算单号的工作簿。")])
        if len(wanted) > MOST_LINES:
            raise Refused([Problem("lines", str(len(wanted)), f"一次最多加入 {MOST_LINES} 行。", "请分批上传。")])
        _lock({one.county.pk for one in wanted})
        problems, rows = _judged(held, row, wanted)
        refuse_if([*also, *problems])
        count, amount = _write(row, rows)
        words = f"（{source}）" if source else ""
        summary = f"案件 {held.number} 事实 {row.number} 加入 {count} 行结算记录，共 {amount} 元{words}"
        finish(actor, held, step, summary, data={"finding": row.pk, "lines": count, "amount": str(amount), "source": source})
        return count


def add_by_hand(
    actor: User,
    finding: Finding,
    *,
    county: County,
    settlement_id: str,
    settled_on: date | None,
    fund_type: str,
    paid: Decimal | None,
    amount: Decimal | None,
    own: bool = False,
    visit_type: str = "",
    note: str = "",
) -> FindingLine:
    """Enter one claim of a month for which the insured's county has no extract. ``own``: insured by the case's alliance."""
    with transaction.atomic():
        held, step = begin(actor, finding.case, Act.FIND)
        row = kept_finding(held, finding)
        # entered by hand it is held against the same number of every county, so none of them may take it meanwhile
        _lock(County.objects.filter(pooling_area=held.pooling_area_id).values_list("pk", flat=True))
        number = settlement_id.strip()
        problems = _typed(held, county, number, settled_on, fund_type, paid, amount, own, note)
        if not problems and number and paid is not None and amount is not None:
            known = _Known(held, row, [number])
            problems += [Problem("settlement_id", number, text, remedy) for text, remedy in known.faults(None, number, amount, paid)]
        if problems or settled_on is None or paid is None or amount is None:
            raise Refused(problems)
        made = FindingLine(
            finding=row, county=None, settlement_id=number, settled_on=settled_on, year=settled_on.year, fund_type=fund_type,
            visit_type=visit_type, alliance=held.alliance if own else None, own=own, paid=paid, amount=amount,
            note=note.strip(),
        )  # fmt: skip
        _write(row, [made])
        summary = f"案件 {held.number} 事实 {row.number} 手工登记{county}结算单 {number}，认定 {amount} 元（该月没有明细）"
        finish(actor, held, step, summary, data={"finding": row.pk, "settlement_id": number, "amount": str(amount)})
        return made


def refuse_if(problems: Sequence[Problem]) -> None:
    """Raise with every problem; beyond 300 the rest is counted."""
    if not problems:
        return
    shown = list(problems[:MOST_PROBLEMS])
    if len(problems) > MOST_PROBLEMS:
        shown.append(Problem("", "", f"另有 {len(problems) - MOST_PROBLEMS} 处问题未列出。", "请先改正以上各处后重新提交。"))
    raise Refused(shown)


def _lock(counties: Iterable[int]) -> None:
    """One case after another takes claims of a county's insured; taken after the case's row."""
    list(County.objects.select_for_update(no_key=True).filter(pk__in=list(counties)).order_by("pk").values_list("pk"))


def _judged(case: Case, finding: Finding, wanted: Sequence[Wanted]) -> tuple[list[Problem], list[FindingLine]]:
    """Every fault of every wanted claim, and the lines of those without."""
    bound, known = bound_of(case), _Known(case, finding, [one.settlement_id for one in wanted])
    counties = {one.county.pk: one.county for one in wanted}
    found = {
        pk: claims_by_id(county, {one.settlement_id for one in wanted if one.county.pk == pk})
        for pk, county in counties.items()
    }
    inside = _Inside(case)
    times = Counter((one.county.pk, one.settlement_id) for one in wanted)
    problems, rows = [], []
    for one in wanted:
        claim = found[one.county.pk].get(one.settlement_id)
        faults = list(_faults(one, claim, bound, known, times))
        name = f"结算单 {one.settlement_id or '（空）'} "
        problems += [Problem(one.where, one.settlement_id, name + text, remedy) for text, remedy in faults]
        if claim is not None and not faults:
            rows.append(_line(finding, one, claim, inside))
    return problems, rows


def _faults(
    one: Wanted, claim: CaseClaim | None, bound: _Bound, known: _Known, times: Counter[tuple[int, str]]
) -> Iterable[tuple[str, str]]:
    if times[one.county.pk, one.settlement_id] > 1:
        yield f"重复列出 {times[one.county.pk, one.settlement_id]} 次。", "请只保留一行。"
    if len(one.note.strip()) > NOTE:
        yield f"的说明超过 {NOTE} 个字。", "请缩短。"
    if claim is None:
        yield f"在{one.county}的结算明细中没有。", "请核对单号和参保县（区）；该月没有明细的，可手工登记。"
        return
    yield from bound.faults(claim)
    amount = claim.pooled_fund_paid if one.amount is None else one.amount
    wrong = amount_fault(amount, claim.pooled_fund_paid)
    if wrong:
        yield wrong
    elif claim.standing:
        yield from known.faults(one.county.pk, one.settlement_id, amount, claim.pooled_fund_paid)


def amount_fault(amount: Decimal, paid: Decimal) -> tuple[str, str] | None:
    """What is wrong with the yuan found on a claim of which the fund paid ``paid``."""
    try:
        to_fen(amount)
    except (ValueError, ArithmeticError):
        return f"认定金额 {amount} 不是最多两位小数的金额。", "请改正金额。"
    if amount <= 0:
        return f"认定金额 {amount} 元须大于 0。", "没有违规金额的结算不必列入。"
    if amount > paid:
        return f"认定金额 {amount} 元超过基金支付 {paid} 元。", f"请改为不超过 {paid} 元。"
    return None


class _Known:
    """What other lines, of this case and of others, hold of the wanted claims already."""

    def __init__(self, case: Case, finding: Finding, ids: Sequence[str]) -> None:
        self.case, self.finding = case, finding
        self.rows = claims_held(case.pooling_area_id, ids)
        others = {row.case for rows in self.rows.values() for row in rows} - {case.pk}
        self.decided = decided_cases(others) if others else set()

    def faults(self, county: int | None, settlement_id: str, amount: Decimal, paid: Decimal) -> Iterable[tuple[str, str]]:
        """A claim entered by hand knows no county and meets the same number of every county."""
        held = [row for row in self.rows.get(settlement_id, ()) if county is None or row.county in (None, county)]
        if any(row.finding == self.finding.pk for row in held):
            yield f"已在事实 {self.finding.number} 中。", "不必重复加入；金额有误的，请先剔除原来的一行。"
            return
        decided = sorted({row.number for row in held if row.case in self.decided})
        if decided:
            yield f"已在案件 {'、'.join(decided)} 作出决定。", "同一笔结算不能再次处理，请剔除这一行。"
            return
        already = sum((row.amount for row in held), ZERO)
        if already + amount > paid:
            said = "、".join(
                f"本案事实 {row.finding_number}" if row.case == self.case.pk else f"案件 {row.number} 事实 {row.finding_number}"
                for row in held
            )
            yield f"已由{said}认定 {already} 元，再认定 {amount} 元超过基金支付 {paid} 元。", f"最多还可认定 {paid - already} 元。"


class _Inside:
    """Whether a claim lies inside the package of the case's own alliance, so that refusing it changes S_in (A6, A15)."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.visits: dict[tuple[int, str], frozenset[str]] = {}
        found = Alliance.objects.filter(county__pooling_area=case.pooling_area_id)
        self.alliances = {row.code: row for row in found}

    def own(self, claim: CaseClaim) -> bool:
        alliance = self.alliances.get(claim.alliance)
        if alliance is None or alliance.pk != self.case.alliance_id or claim.excluded:
            return False
        key = (claim.settled_on.year, claim.fund_type)
        if key not in self.visits:
            held = package_in_force(alliance, *key)
            self.visits[key] = (held.scope if held else PackageScope.DEFAULT).visit_types(key[1])
        return claim.visit_type in self.visits[key]


def _line(finding: Finding, one: Wanted, claim: CaseClaim, inside: _Inside) -> FindingLine:
    return FindingLine(
        finding=finding, county=one.county, settlement_id=claim.settlement_id, settled_on=claim.settled_on,
        year=claim.settled_on.year, fund_type=claim.fund_type, visit_type=claim.visit_type, person=claim.person[:64],
        diagnosis=claim.diagnosis_code[:40], alliance=inside.alliances.get(claim.alliance), own=inside.own(claim),
        paid=claim.pooled_fund_paid, amount=claim.pooled_fund_paid if one.amount is None else one.amount, note=one.note.strip(),
    )  # fmt: skip


def _write(finding: Finding, rows: Sequence[FindingLine]) -> tuple[int, Decimal]:
    """Write the lines; one dropped from this finding before stands up again with its new amount."""
    gone = {(line.county_id, line.settlement_id): line for line in finding.lines.filter(dropped_at__isnull=False)}
    fresh, again = [], []
    for row in rows:
        former: Any = gone.get((row.county_id, row.settlement_id))
        if former is None:
            fresh.append(row)
            continue
        for name in ("amount", "paid", "own", "alliance", "note", "settled_on", "year", "fund_type", "visit_type"):
            setattr(former, name, getattr(row, name))
        former.dropped_at, former.dropped_by, former.dropped_reason = None, None, ""
        again.append(former)
    FindingLine.objects.bulk_create(fresh, batch_size=500)
    if again:
        names = ["amount", "paid", "own", "alliance", "note", "settled_on", "year", "fund_type", "visit_type", "dropped_at",
                 "dropped_by", "dropped_reason"]  # fmt: skip
        FindingLine.objects.bulk_update(again, names, batch_size=300)
    return len(rows), sum((row.amount for row in rows), ZERO)


def _typed(
    case: Case, county: County, number: str, settled_on: date | None, fund_type: str, paid: Decimal | None,
    amount: Decimal | None, own: bool, note: str,
) -> list[Problem]:
    problems = []
    if not 0 < len(number) <= ID:
        problems.append(Problem("settlement_id", number[:20], f"结算单号须填 1–{ID} 个字。", "请按结算单填写。"))
    if fund_type not in FundType.values:
        problems.append(Problem("fund_type", fund_type, "没有选择险种。", "请选择居民或职工。"))
    if county.pk not in {one.pk for one in counties_of(case)}:
        problems.append(Problem("county", str(county), f"{county}的参保人不在本案范围内。", "请核对参保县（区）。"))
    if settled_on is None:
        problems.append(Problem("settled_on", "", "没有填写结算日期。", "请按结算单填写。"))
    elif not case.claims_from <= settled_on <= case.claims_to:
        text = f"结算日期 {settled_on} 不在费用所属期 {case.claims_from} 至 {case.claims_to} 内。"
        problems.append(Problem("settled_on", str(settled_on), text, "请核对，或另立案件。"))
    elif holds_claims(county, Month.of(settled_on)):
        text = f"{county} {Month.of(settled_on)} 已有结算明细，不能手工登记。"
        problems.append(Problem("settled_on", str(settled_on), text, "请从结算明细中选取，或上传结算单号。"))
    if paid is None or amount is None:
        problems.append(Problem("amount", "", "没有填写基金支付或认定金额。", "请按结算单填写，单位元。"))
    elif wrong := amount_fault(amount, paid):
        problems.append(Problem("amount", str(amount), *wrong))
    if own and case.alliance_id is None:
        problems.append(Problem("own", "", f"{case.party_name}不属于任何医共体，没有本医共体参保人。", "请取消勾选。"))
    if len(note.strip()) > NOTE:
        problems.append(Problem("note", note.strip()[:20], f"说明超过 {NOTE} 个字。", "请缩短。"))
    return problems
