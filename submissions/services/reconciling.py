"""Reconciliation of an accepted table with the monthly facts: made at acceptance, made again when the facts change.

Each row with a fact is compared for residents and employees; what is further apart than the limit must be explained by
the hospital. The hospital signs first, once everything is explained, then the bureau. New facts keep the words of rows
that did not change; where a row changed, its words and both signatures fall.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from claims.reading import current_factsets, current_reports
from core import parameters
from core.access import different_person, require, roles_at
from core.errors import Conflict, Problem, Refused
from core.models import Alliance, Role, User
from core.notices import notify_role
from core.trail import record
from submissions.checks.context import tolerance
from submissions.checks.soft import beyond
from submissions.declaration import Row
from submissions.figures import Figures
from submissions.models import Reconciliation, ReconciliationLine, Submission
from submissions.parameters import FACTS_SHARE
from submissions.periods import TablePeriod
from submissions.services.accepted import table_of_version
from submissions.services.steps import HOSPITAL, OFFICER, change_row, locked, name_of, page_of, tell_and_record
from submissions.sources import FUNDS, Compared, compared
from submissions.states import Act, SubmissionKind, SubmissionState, action_name

RENEW = "submissions.reconcile"
REPORT = "report:"
MIN_WORDS, MAX_WORDS = 4, 500
_FIELDS = ("amount_filed", "amount_facts", "number_filed", "number_facts", "must_explain")


def reconcile(submission: Submission) -> Reconciliation:
    """Make the reconciliation of an accepted version, or make it again from the facts as they are now.

    Made for the first time it is told of by the acceptance; made again it has its own trail row and notices.
    """
    with transaction.atomic():
        held = locked(submission)
        if held.state != SubmissionState.ACCEPTED or held.kind != SubmissionKind.WORKBOOK:
            text = f"{name_of(held)}现在是“{held.get_state_display()}”，只对已受理的报表对账。"
            raise Conflict([Problem("state", held.get_state_display(), text, "请先受理报表。")])
        alliance, period = held.assignment.alliance, held.assignment.of
        # Read before the facts: what changes in between makes the result outdated, never wrongly current.
        stands_on = _Current({alliance.county_id}, {period.year}).of(alliance.county_id, period)
        beside = compared(alliance, period)
        lines = _lines(held, beside)
        made = Reconciliation.objects.filter(submission=held).first() or Reconciliation(submission=held)
        made.factsets, made.data_to, made.made_at = stands_on, beside.measures[FUNDS[0]].data_to, timezone.now()
        if not made._state.adding:
            return _renew(made, held, lines)
        made.save()
        for line in lines:
            line.reconciliation = made
        ReconciliationLine.objects.bulk_create(lines)
        return made


def explain_line(actor: User, line: ReconciliationLine, text: str) -> Reconciliation:
    """The hospital says why one row and the facts differ."""
    return explain_lines(actor, line.reconciliation, {line.pk: text})


def explain_lines(actor: User, reconciliation: Reconciliation, texts: Mapping[int, str]) -> Reconciliation:
    """The hospital says why rows and facts differ; ``texts`` by the line's id, an empty one takes it back.

    Raises ``Refused`` with every text that is too short, too long or for no line of this reconciliation; then nothing is
    kept. ``Conflict`` once the hospital has signed.
    """
    alliance = reconciliation.submission.assignment.alliance
    require(actor, action_name(Act.EXPLAIN), alliance)
    with transaction.atomic():
        held = _locked(reconciliation)
        if held.hospital_signed_at is not None:
            when = timezone.localtime(held.hospital_signed_at)
            text = f"对账已由{held.hospital_signed_by}于 {when:%Y-%m-%d %H:%M} 签认，说明不能再改。"
            raise Conflict([Problem("explanation", "", text, "月度数据变化时对账会重新形成，签认随之失效。")])
        lines = {line.pk: line for line in held.lines.all()}
        problems = [problem for pk, text in sorted(texts.items()) for problem in _text_problems(lines, pk, text)]
        if problems:
            raise Refused(problems)
        changed = [lines[pk] for pk, text in sorted(texts.items()) if lines[pk].explanation != text.strip()]
        if not changed:
            return held
        for line in changed:
            line.explanation = texts[line.pk].strip()
            line.explained_by, line.explained_at = (actor, timezone.now()) if line.explanation else (None, None)
        ReconciliationLine.objects.bulk_update(changed, ["explanation", "explained_by", "explained_at"])
        named = "、".join(f"{line.get_fund_type_display()}第 {line.row_code} 行" for line in changed)
        told = [[line.fund_type, line.row_code, line.explanation] for line in changed]
        record(
            actor, action_name(Act.EXPLAIN), held, f"说明{held}的差异：{named}", {"lines": told}, place=alliance
        )  # fmt: skip
        return held


def sign(actor: User, reconciliation: Reconciliation) -> Reconciliation:
    """The hospital signs once every line is explained, then the bureau; never the same person."""
    alliance = reconciliation.submission.assignment.alliance
    require(actor, action_name(Act.SIGN), alliance)
    with transaction.atomic():
        held = _locked(reconciliation)
        roles = roles_at(actor, alliance)
        if held.hospital_signed_at is None:
            _sign_for_hospital(actor, held, Role.HOSPITAL_FINANCE in roles)
            who, tell = "医共体", OFFICER
        else:
            _sign_for_bureau(actor, held, Role.FUND_OFFICER in roles)
            who, tell = "医保局", HOSPITAL
        held.save()
        submission = held.submission
        change = change_row(submission.assignment, submission, Act.SIGN, submission.state, submission.state, actor)
        differing = sum(line.must_explain for line in held.lines.all())
        summary = f"{who}签认{held}，须说明的差异 {differing} 行"
        data = {"side": who, "differing": differing, "factsets": held.factsets}
        tell_and_record(actor, change, summary, tell=tell, data=data)
        return held


def outdated() -> list[Submission]:
    """Accepted versions whose reconciliation stands on data that are no longer current; three queries if there are none."""
    places = ("submission__assignment__alliance__county_id", "submission__assignment__period")
    rows = Reconciliation.objects.filter(submission__state=SubmissionState.ACCEPTED).order_by("pk")
    held = [
        (pk, county, TablePeriod.parse(period), set(stands_on))
        for pk, county, period, stands_on in rows.values_list("submission_id", *places, "factsets")
    ]
    current = _Current({county for _pk, county, _period, _on in held}, {period.year for _pk, _county, period, _on in held})
    changed = [pk for pk, county, period, stands_on in held if set(current.of(county, period)) != stands_on]
    return list(Submission.objects.with_places().filter(pk__in=changed).order_by("pk")) if changed else []


class _Current:
    """The fact sets, and the fund reports of the insured, that a comparison made now stands on; two queries."""

    def __init__(self, counties: Collection[int], years: Collection[int]) -> None:
        self.sets: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
        self.reports: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
        for held, rows in (
            (self.sets, current_factsets(counties, years)),
            (self.reports, current_reports(counties, years)),
        ):
            for county, year, month, pk in rows:
                held[(county, year)].append((month, pk))

    def of(self, county: int, period: TablePeriod) -> list[int | str]:
        key = (county, period.year)
        sets = [pk for month, pk in sorted(self.sets[key]) if month <= period.months]
        return [*sets, *(f"{REPORT}{pk}" for month, pk in sorted(self.reports[key]) if month == period.months)]


def refresh_reconciliations() -> int:
    """Make every outdated reconciliation again; returns how many. One that was superseded meanwhile is left alone."""
    done = 0
    for submission in outdated():
        try:
            reconcile(submission)
        except Conflict:
            continue
        done += 1
    return done


def is_complete(reconciliation: Reconciliation) -> bool:
    """Whether the facts of every month were there: without them nothing was compared."""
    return any(line.amount_facts is not None for line in reconciliation.lines.all())


def _lines(submission: Submission, beside: Compared) -> list[ReconciliationLine]:
    table, figures = table_of_version(submission), Figures.from_json(submission.figures)
    limit = limit_of(submission.assignment.alliance, submission)
    lines = []
    for fund in FUNDS:
        known = beside.measures[fund].values if beside.is_complete else {}
        for row in table.typed_rows:
            if row.fact:
                filed, facts = figures.current(fund, row.code), known.get(row.fact)
                money = row.is_money
                line = ReconciliationLine(
                    fund_type=fund,
                    row_code=row.code,
                    amount_filed=filed if money else None,
                    amount_facts=facts if money else None,
                    number_filed=None if money else filed,
                    number_facts=None if money else facts,
                    must_explain=_must_explain(row, filed, facts, limit),
                )
                lines.append(line)
    return lines


def limit_of(alliance: Alliance, submission: Submission) -> Decimal:
    """The share beyond which a difference must be explained, as in force at the period's end."""
    return parameters.value(FACTS_SHARE, alliance, submission.assignment.of.last_day).decimal


def _must_explain(row: Row, filed: Decimal | None, facts: Decimal | None, limit: Decimal) -> bool:
    if facts is None or (filed is None and row.optional):
        return False
    return beyond(filed or Decimal(0), facts, limit, tolerance(row.unit))


def _renew(held: Reconciliation, submission: Submission, lines: Iterable[ReconciliationLine]) -> Reconciliation:
    """Keep the words of lines that say the same, clear those of the others and, with them, the signatures."""
    existing = {(line.fund_type, line.row_code): line for line in held.lines.all()}
    changed = []
    for line in lines:
        former = existing[(line.fund_type, line.row_code)]
        if any(getattr(former, name) != getattr(line, name) for name in _FIELDS):
            for name in _FIELDS:
                setattr(former, name, getattr(line, name))
            former.explanation, former.explained_by, former.explained_at = "", None, None
            changed.append(former)
    ReconciliationLine.objects.bulk_update(changed, [*_FIELDS, "explanation", "explained_by", "explained_at"])
    signed = held.hospital_signed_at is not None
    if changed:
        held.hospital_signed_by = held.hospital_signed_at = None
        held.bureau_signed_by = held.bureau_signed_at = None
    held.save()
    text = f"月度数据已更新，{held}重新形成，{len(changed)} 行有变化"
    if changed:
        text += "，原签认失效，请重新说明和签认" if signed else "，有差异的请说明"
        notify_role([*HOSPITAL, *OFFICER], submission.assignment.alliance, text, page_of(submission))
    data = {"changed": [[line.fund_type, line.row_code] for line in changed], "factsets": held.factsets, "signed": signed}
    record(None, RENEW, held, text, data, place=submission.assignment.alliance)
    return held


def _locked(reconciliation: Reconciliation) -> Reconciliation:
    """The reconciliation as it stands, its assignment locked; Conflict when its version was superseded."""
    submission = locked(reconciliation.submission)
    held = Reconciliation.objects.select_related("hospital_signed_by", "bureau_signed_by").get(pk=reconciliation.pk)
    held.submission = submission
    if submission.state != SubmissionState.ACCEPTED:
        text = f"{name_of(submission)}现在是“{submission.get_state_display()}”，它的对账不再办理。"
        raise Conflict([Problem("state", submission.get_state_display(), text, "请办理现行版本的对账。")])
    return held


def _sign_for_hospital(actor: User, held: Reconciliation, allowed: bool) -> None:
    if not allowed:
        text = "医共体尚未签认，医保局在其后签认。"
        raise Conflict([Problem("sign", "", text, "请先由医共体财务说明差异并签认。")])
    if not is_complete(held):
        text = f"{held.submission.assignment.of.text}的月度数据尚未齐全，还没有可核对的数。"
        raise Refused([Problem("sign", "", text, "月度数据齐全后对账会自动形成，再签认。")])
    open_lines = [line for line in held.lines.all() if line.must_explain and not line.explanation]
    if open_lines:
        raise Refused(
            [
                Problem(
                    f"explanation-{line.pk}",
                    "",
                    f"{line.get_fund_type_display()}第 {line.row_code} 行的差异还没有说明。",
                    "请写明差异原因后再签认。",
                )
                for line in open_lines
            ]
        )
    held.hospital_signed_by, held.hospital_signed_at = actor, timezone.now()


def _sign_for_bureau(actor: User, held: Reconciliation, allowed: bool) -> None:
    if held.bureau_signed_at is not None or not allowed:
        done = "双方均已签认" if held.bureau_signed_at is not None else f"医共体已由{held.hospital_signed_by}签认"
        raise Conflict([Problem("sign", "", f"{done}，不需要再次签认。", "请刷新页面查看最新状态。")])
    different_person(actor, held.hospital_signed_by, str(held))
    held.bureau_signed_by, held.bureau_signed_at = actor, timezone.now()


def _text_problems(lines: Mapping[int, ReconciliationLine], pk: int, text: str) -> list[Problem]:
    line, count = lines.get(pk), len(text.strip())
    field = f"explanation-{pk}"
    if line is None:
        return [Problem(field, "", "这份对账里没有这一行。", "请刷新页面后重新填写。")]
    where = f"{line.get_fund_type_display()}第 {line.row_code} 行"
    if 0 < count < MIN_WORDS:
        return [Problem(field, text.strip(), f"{where}的说明太短。", f"请至少写 {MIN_WORDS} 个字，说明差异原因。")]
    if count > MAX_WORDS:
        return [Problem(field, text.strip(), f"{where}的说明有 {count} 个字，过长。", f"请压缩到 {MAX_WORDS} 字以内。")]
    return []
