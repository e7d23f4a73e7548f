"""Expected headcounts entered by one person and confirmed by another; findings about contributions (R-006, R-007).

Clause: 宁医保〔2019〕128号 §二(二) – heads and collected income not below last year, enrolment at least 95 %, no illegal
deferral, reduction, arrears or sham enrolment.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from core.access import different_person, holders, require
from core.errors import Conflict, Problem, Refused, need_reason
from core.files import store_evidence
from core.models import County, FundType, Role, User
from core.notices import notify
from core.trail import record
from monitoring.models.collection import (
    CollectionFinding,
    EnrolmentTarget,
    FindingAct,
    FindingChange,
    FindingKind,
    FindingState,
    TargetState,
)

ENTER, DECIDE = "monitoring.enter_target", "monitoring.decide_target"
FIND, REVIEW = "monitoring.collection_finding", "monitoring.review_collection_finding"
ZERO = Decimal("0.00")
MOST_PERSONS, MOST_YUAN = 1_000_000_000, Decimal("1000000000000.00")
LONGEST = {"basis": 300, "payer": 120, "period": 40, "description": 4000}
SOURCE = {
    FindingAct.FOLLOW: FindingState.OPEN, FindingAct.HANDLE: FindingState.OPEN, FindingAct.CLOSE: FindingState.HANDLED,
    FindingAct.RETURN: FindingState.HANDLED, FindingAct.REOPEN: FindingState.CLOSED,
}  # fmt: skip
TARGET = {
    FindingAct.FOLLOW: FindingState.OPEN, FindingAct.HANDLE: FindingState.HANDLED, FindingAct.CLOSE: FindingState.CLOSED,
    FindingAct.RETURN: FindingState.OPEN, FindingAct.REOPEN: FindingState.OPEN,
}  # fmt: skip
REVIEWS = (FindingAct.CLOSE, FindingAct.RETURN, FindingAct.REOPEN)


def enter_target(actor: User, county: County, year: int, fund_type: str, expected: int | None, basis: str) -> EnrolmentTarget:
    """A new version of a county's expected headcount (persons), to be confirmed by the reviewer."""
    require(actor, ENTER, county)
    problems = []
    if fund_type not in FundType.values:
        problems.append(Problem("fund_type", fund_type, "没有选择险种。", "请选居民或职工。"))
    if not 2000 <= year <= timezone.localdate().year + 1:
        problems.append(Problem("year", str(year)[:20], "年度不对。", "请填写四位年份，最晚为明年。"))
    if expected is None or not 0 < expected <= MOST_PERSONS:
        text = f"应参保人数须大于 0，且不超过 {MOST_PERSONS:,}。"
        problems.append(Problem("expected", str(expected or "")[:20], text, "请填写人数（人）。"))
    if not basis.strip() or len(basis.strip()) > LONGEST["basis"]:
        text = f"依据超过 {LONGEST['basis']} 个字。" if basis.strip() else "没有写依据。"
        problems.append(Problem("basis", basis.strip()[:20], text, "请写明数据来源，例如统计局年末常住人口。"))
    if problems or expected is None:
        raise Refused(problems)
    with transaction.atomic():
        County.objects.select_for_update(no_key=True).get(pk=county.pk)
        same = EnrolmentTarget.objects.filter(county=county, fund_type=fund_type, year=year)
        waiting = same.filter(state=TargetState.PROPOSED).first()
        if waiting is not None:
            raise Conflict([Problem("version", str(waiting.version), f"{waiting}尚待复核。", "请等复核后再报新的版本。")])
        last = same.order_by("-version").values_list("version", flat=True).first() or 0
        made = EnrolmentTarget.objects.create(
            county=county, fund_type=fund_type, year=year, version=last + 1, expected=expected, basis=basis.strip(),
            entered_by=actor,
        )  # fmt: skip
        text = f"待复核：{made} {made.expected:,} 人"
        notify(holders({Role.FUND_REVIEWER}, county), text, made.get_absolute_url())
        record(actor, ENTER, made, text, {"expected": made.expected}, place=county)
        return made


def decide_target(actor: User, target: EnrolmentTarget, *, confirm: bool, note: str = "") -> EnrolmentTarget:
    """The reviewer confirms, which replaces the version in force, or returns with a reason."""
    require(actor, DECIDE, target.county)
    if not confirm:
        need_reason(note)
    with transaction.atomic():
        held = EnrolmentTarget.objects.select_for_update(of=("self",), no_key=True).with_places().get(pk=target.pk)
        different_person(actor, held.entered_by, str(held))
        if held.state != TargetState.PROPOSED:
            raise Conflict([Problem("state", held.get_state_display(), f"{held}{held.get_state_display()}。", "请刷新页面。")])
        if confirm:
            EnrolmentTarget.objects.filter(
                county=held.county, fund_type=held.fund_type, year=held.year, state=TargetState.CONFIRMED
            ).update(state=TargetState.SUPERSEDED)
        held.state = TargetState.CONFIRMED if confirm else TargetState.REJECTED
        held.decided_by, held.decided_at, held.decision_note = actor, timezone.now(), note.strip()[:300]
        held.save(update_fields=["state", "decided_by", "decided_at", "decision_note"])
        text = f"{held}{held.get_state_display()}" + (f"：{note.strip()}" if note.strip() else "")
        notify([held.entered_by], text, held.get_absolute_url())
        record(actor, DECIDE, held, text, {"expected": held.expected}, place=held.county)
        return held


def register_finding(actor: User, county: County, values: Mapping[str, Any], upload: Any = None) -> CollectionFinding:
    """Note a payer that did not pay as due."""
    require(actor, FIND, county)
    problems = []
    if values.get("kind") not in FindingKind.values:
        problems.append(Problem("kind", str(values.get("kind") or ""), "没有选择类型。", "请选择。"))
    if values.get("fund_type") not in FundType.values:
        problems.append(Problem("fund_type", str(values.get("fund_type") or ""), "没有选择险种。", "请选择。"))
    texts = {"payer": "缴费单位", "period": "所属期间", "description": "情况"}
    for name, label in texts.items():
        given = str(values.get(name) or "").strip()
        if not given:
            problems.append(Problem(name, "", f"没有填写{label}。", "请填写。"))
        elif len(given) > LONGEST[name]:
            problems.append(Problem(name, given[:20], f"{label}超过 {LONGEST[name]} 个字。", "请缩短。"))
    amount = values.get("amount")
    if not isinstance(amount, Decimal) or not amount.is_finite() or not 0 < amount <= MOST_YUAN:
        text = f"涉及金额须大于 0，且不超过 {MOST_YUAN:,} 元。"
        problems.append(Problem("amount", str(amount or "")[:20], text, "请填写金额（元）。"))
    if problems or amount is None:
        raise Refused(problems)
    with transaction.atomic():
        stored = store_evidence(upload, "collection", actor) if upload else None
        made = CollectionFinding.objects.create(
            county=county, kind=values["kind"], fund_type=values["fund_type"], amount=amount, file=stored, found_by=actor,
            **{name: str(values[name]).strip() for name in texts},
        )  # fmt: skip
        _change(actor, made, FindingAct.REGISTER, made.description)
        text = f"登记征缴问题：{made}"
        notify([one for one in holders({Role.FUND_OFFICER}, county) if one.pk != actor.pk], text, made.get_absolute_url())
        record(actor, FIND, made, text, {"amount": made.amount}, place=county)
        return made


def act_on_finding(
    actor: User, finding: CollectionFinding, act: str, text: str, recovered: Decimal = ZERO
) -> CollectionFinding:
    """Follow, handle (with what was paid since), close, return or reopen; every step with words."""
    if act not in SOURCE:
        raise Refused([Problem("act", str(act)[:20], "没有这种办理。", f"可选：{'、'.join(SOURCE)}。")])
    right = REVIEW if act in REVIEWS else FIND
    require(actor, right, finding.county)
    need_reason(text, "text")
    with transaction.atomic():
        held = CollectionFinding.objects.select_for_update(of=("self",), no_key=True).with_places().get(pk=finding.pk)
        if held.state != SOURCE[FindingAct(act)]:
            label = FindingAct(act).label
            said = f"现在是“{held.get_state_display()}”，不能办理“{label}”。"
            raise Conflict([Problem("state", held.get_state_display(), said, "请刷新页面查看。")])
        if act == FindingAct.CLOSE:
            different_person(actor, held.handled_by, str(held))
            held.closed_by = actor
        if recovered and act in REVIEWS:
            raise Refused([Problem("recovered", str(recovered), "复核时不登记补缴。", "补缴由经办在跟进或处理时登记。")])
        if recovered < 0 or held.recovered + recovered > held.amount:
            said = f"补缴合计不能超过涉及金额 {held.amount:,.2f} 元，也不能为负。"
            raise Refused([Problem("recovered", str(recovered), said, "请核对金额。")])
        if act == FindingAct.HANDLE:
            held.handled_by = actor
        if act == FindingAct.REOPEN:
            held.closed_by = None
        held.recovered += recovered
        held.state = TARGET[FindingAct(act)]
        held.save(update_fields=["state", "recovered", "handled_by", "closed_by"])
        _change(actor, held, act, text, recovered)
        told = f"{FindingAct(act).label}：{held}"
        roles = {Role.FUND_REVIEWER} if act == FindingAct.HANDLE else {Role.FUND_OFFICER}
        if act != FindingAct.FOLLOW:
            people = [one for one in holders(roles, held.county) if one.pk != actor.pk]
            notify(people, told, held.get_absolute_url())
        record(actor, right, held, told, {"act": act, "text": text.strip(), "recovered": recovered}, place=held.county)
        return held


def _change(actor: User, finding: CollectionFinding, act: str, text: str, recovered: Decimal = ZERO) -> None:
    FindingChange.objects.create(
        finding=finding, act=act, text=text.strip(), recovered=recovered, actor=actor, at=timezone.now()
    )
