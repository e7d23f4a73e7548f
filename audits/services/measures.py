"""Supervisory measures of a case (R-085, R-113, R-116): recorded with their letter, sent, ended once with an outcome."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.db import transaction
from django.utils import timezone

from audits.documents.kinds import OF_MEASURE
from audits.models import Case, Measure, MeasureKind
from audits.services.documents import make_document
from audits.services.steps import begin, finish
from audits.services.telling import officers, provider
from audits.states import Act
from core.errors import Conflict, Problem
from core.models import StoredFile, User
from core.texts import plain

MOST_ADDRESSEE = 120


def record_measure(
    actor: User,
    case: Case,
    *,
    kind: str,
    on: date,
    text: str,
    to_party: bool = True,
    addressee: str = "",
    due_on: date | None = None,
    files: Sequence[StoredFile] = (),
) -> Measure:
    """Record a measure and make its letter (一案双查 has none). ``on``: the day of the talk or of the letter.

    ``to_party``: addressed to the case's party, which sees it once sent; otherwise ``addressee`` names who gets it.
    ``due_on``: the last day to answer or put right. Raises ``Refused`` with every problem, ``NotAllowed``, ``Conflict``.
    """
    words, to = plain(text).strip(), plain(addressee).strip()
    with transaction.atomic():
        held, step = begin(actor, case, Act.CONSEQUENCE, words, _problems(case, kind, on, to_party, to, due_on))
        measure = Measure.objects.create(
            case=held, kind=kind, on=on, addressee=held.party_name if to_party else to, to_party=to_party, text=words,
            due_on=due_on, by=actor, at=timezone.now(),
        )  # fmt: skip
        if files:
            measure.files.set(files)
        letter = make_document(actor, held, OF_MEASURE[MeasureKind(kind)], measure=measure) if kind in OF_MEASURE else None
        summary = f"登记{measure.get_kind_display()}（案件 {held.number}）{f'，文书 {letter.number}' if letter else ''}"
        finish(
            actor, held, step, summary, reason=words, until=due_on, files=files,
            data={"measure": measure.pk, "kind": kind, "document": letter.number if letter else "",
                  "sha256": letter.file.sha256 if letter else ""},
        )  # fmt: skip
        return measure


def send_measure(actor: User, measure: Measure, on: date) -> Measure:
    """The letter reached its addressee on a day (today at the latest); from then on the party sees it. Once."""
    with transaction.atomic():
        held, step = begin(actor, measure.case, Act.CONSEQUENCE, None, _day_problems("sent_on", "送达日期", on, measure.case))
        now = _locked(measure, held)
        if now.sent_on is not None:
            raise _done(f"{now.get_kind_display()}已于 {now.sent_on} 送达。")
        now.sent_on = on
        now.save(update_fields=["sent_on"])
        summary = f"送达{now.get_kind_display()}（案件 {held.number}），对象：{now.addressee if not now.to_party else '当事人'}"
        told = [*officers(held), *(provider(held) if now.to_party else [])]
        finish(actor, held, step, summary, tell=told, until=now.due_on, data={"measure": now.pk, "sent_on": str(on)})
        return now


def end_measure(
    actor: User, measure: Measure, *, outcome: str, on: date, files: Sequence[StoredFile] = ()
) -> Measure:
    """What came of it, once: the answer, the state of rectification, who was held accountable."""
    words = plain(outcome).strip()
    with transaction.atomic():
        held, step = begin(actor, measure.case, Act.CONSEQUENCE, words, _day_problems("outcome_on", "结果日期", on, measure.case))
        now = _locked(measure, held)
        if now.outcome_on is not None:
            raise _done(f"{now.get_kind_display()}的结果已由{now.outcome_by}于 {now.outcome_on} 登记。")
        if now.kind in OF_MEASURE and now.sent_on is None:
            raise _done(f"{now.get_kind_display()}还没有送达，不能登记结果。")
        now.outcome, now.outcome_on, now.outcome_by = words, on, actor
        now.save(update_fields=["outcome", "outcome_on", "outcome_by"])
        summary = f"登记{now.get_kind_display()}结果（案件 {held.number}）"
        finish(actor, held, step, summary, reason=words, files=files, data={"measure": now.pk, "outcome_on": str(on)})
        return now


def _problems(case: Case, kind: str, on: date, to_party: bool, addressee: str, due_on: date | None) -> list[Problem]:
    problems = []
    if kind not in MeasureKind.values:
        problems.append(Problem("kind", kind, f"没有监管措施“{kind}”。", "请从清单中选择。"))
    if to_party and kind == MeasureKind.ACCOUNTABILITY:
        text = "一案双查的对象是负有监管责任的部门，不是当事人。"
        problems.append(Problem("to_party", "当事人", text, "请改选“其他对象”并填写部门名称。"))
    if not to_party and not addressee:
        problems.append(Problem("addressee", "", "没有填写对象。", "请填写单位名称，或选择对象为当事人。"))
    if len(addressee) > MOST_ADDRESSEE:
        problems.append(Problem("addressee", addressee, f"对象超过 {MOST_ADDRESSEE} 个字。", "请缩短。"))
    if on < case.filed_on:
        problems.append(Problem("on", str(on), f"措施日期早于立案日期 {case.filed_on}。", "请核对日期。"))
    if due_on is not None and due_on < on:
        problems.append(Problem("due_on", str(due_on), f"期限早于措施日期 {on}。", "请改正期限。"))
    return problems


def _day_problems(field: str, label: str, on: date, case: Case) -> list[Problem]:
    """A day something happened: not before the filing, not in the future."""
    if on > timezone.localdate():
        return [Problem(field, str(on), f"{label}晚于今天。", "请在发生之后登记。")]
    if on < case.filed_on:
        return [Problem(field, str(on), f"{label}早于立案日期 {case.filed_on}。", "请核对日期。")]
    return []


def _locked(measure: Measure, case: Case) -> Measure:
    """The row as it stands, under the lock of its case; its case is the locked one."""
    now: Measure = Measure.objects.select_for_update(of=("self",), no_key=True).get(pk=measure.pk)
    now.case = case
    return now


def _done(text: str) -> Conflict:
    return Conflict([Problem("state", "", text, "请刷新页面查看最新状态。")])
