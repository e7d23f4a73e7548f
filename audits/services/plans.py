"""Audit plans (R-110): prepared, submitted, approved by another person, carried out target by target, completed.

An on-site check of a privately owned provider is an enterprise check (涉企检查): its filing number is kept before the
result. Texts of a result stay on the target; the trail names the plan and the provider.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from audits.models import AuditPlan, LeadSource, PlanKind, PlanTarget, TargetState, Way
from audits.plan_acts import PlanAct, PlanRow, plan_action, plan_row
from audits.reading.risk_lists import is_private, lists_for, own_risks
from audits.services.leads import enter_lead
from audits.services.numbers import next_number, short_name
from core.access import Allowed, Denied, NotAllowed, different_person, holders, may, require, roles_at
from core.errors import Conflict, Problem, Refused, need_reason
from core.models import County, Institution, PoolingArea, Role, User
from core.notices import notify
from core.trail import record

TITLE, BASIS, FOCUS, NOTE, FILING = 120, 300, 4000, 300, 60
YEARS = 3
SOURCES = {PlanKind.ROUTINE: LeadSource.ROUTINE, PlanKind.SPECIAL: LeadSource.INSPECTION, PlanKind.TIP: LeadSource.TIP}
ORIGIN = "audits.plantarget"


def prepare(actor: User, place: PoolingArea | County, wanted: Mapping[str, Any]) -> AuditPlan:
    """Begin a plan of a county or of the city. ``wanted``: year, kind, way, title, basis, focus, starts_on, ends_on."""
    require(actor, plan_action(PlanAct.PREPARE), place)
    problems = _plan_problems(wanted)
    if problems:
        raise Refused(problems)
    county, area = (place, place.pooling_area) if isinstance(place, County) else (None, place)
    with transaction.atomic():
        series, short = ("plan-city", f"{area}本级") if county is None else (f"plan-{county.code}", short_name(county))
        number = next_number(area, series, wanted["year"])
        plan = AuditPlan.objects.create(
            number=f"{short}稽计〔{wanted['year']}〕{number}号", pooling_area=area, county=county, prepared_by=actor,
            prepared_at=timezone.now(), **_values(wanted),
        )  # fmt: skip
        _note(actor, plan, PlanAct.PREPARE, f"编制稽核计划 {plan}")
        return plan


def edit(actor: User, plan: AuditPlan, wanted: Mapping[str, Any]) -> AuditPlan:
    """Change a draft; its number and place stay."""
    with transaction.atomic():
        held, _row = _begin(actor, plan, PlanAct.EDIT)
        problems = _plan_problems(wanted)
        if not problems and wanted["year"] != held.year:
            text = f"计划编号属于 {held.year} 年度，不能改为 {wanted['year']} 年度。"
            problems.append(Problem("year", str(wanted["year"]), text, "请另行编制该年度的计划。"))
        if problems:
            raise Refused(problems)
        changed = {name: given for name, given in _values(wanted).items() if getattr(held, name) != given}
        for name, given in changed.items():
            setattr(held, name, given)
        held.save(update_fields=list(changed))
        _note(actor, held, PlanAct.EDIT, f"修改稽核计划 {held}", {"changed": sorted(changed)})
        return held


def add_targets(actor: User, plan: AuditPlan, chosen: Sequence[tuple[Institution, Sequence[str]]]) -> list[PlanTarget]:
    """Put providers on a draft, each with the risks looked for; no risks named: those of its kind (R-112)."""
    with transaction.atomic():
        held, _row = _begin(actor, plan, PlanAct.TARGETS)
        known = set(held.targets.values_list("institution_id", flat=True))
        problems = [] if chosen else [Problem("institution", "", "没有选择检查对象。", "请至少选择一家机构。")]
        for institution, risks in chosen:
            if institution.pk in known:
                problems.append(Problem("institution", str(institution), f"{institution}已在计划中。", "请勿重复添加。"))
            known.add(institution.pk)
            problems += _target_problems(held, institution, risks)
        if problems:
            raise Refused(problems)
        made = [
            PlanTarget.objects.create(plan=held, institution=institution, risks=list(risks) or own_risks(institution))
            for institution, risks in chosen
        ]
        names = "、".join(str(institution) for institution, _risks in chosen[:5])
        more = f"等 {len(chosen)} 家" if len(chosen) > 5 else ""
        data = {"institutions": [institution.code for institution, _risks in chosen]}
        _note(actor, held, PlanAct.TARGETS, f"稽核计划 {held.number} 增加检查对象：{names}{more}", data)
        return made


def remove_target(actor: User, target: PlanTarget) -> None:
    """Take a provider off a draft."""
    with transaction.atomic():
        held, _row = _begin(actor, target.plan, PlanAct.TARGETS)
        rows = PlanTarget.objects.select_for_update(of=("self",), no_key=True).select_related("institution")
        row = rows.filter(pk=target.pk, plan=held).first()
        if row is None:
            raise Conflict([Problem("target", str(target.institution), f"{target.institution}已不在计划中。", "请刷新页面。")])
        name, code = str(row.institution), row.institution.code
        row.delete()
        _note(actor, held, PlanAct.TARGETS, f"稽核计划 {held.number} 移除检查对象：{name}", {"removed": code})


def choose_risks(actor: User, target: PlanTarget, risks: Sequence[str]) -> PlanTarget:
    """What is looked for at one provider of a draft, out of the lists of its kind."""
    with transaction.atomic():
        held, _row = _begin(actor, target.plan, PlanAct.TARGETS)
        problems = _target_problems(held, target.institution, risks)
        if not risks:
            problems.append(Problem("risks", "", f"没有为{target.institution}选择检查项目。", "请至少选择一项。"))
        if problems:
            raise Refused(problems)
        target.risks = list(risks)
        target.save(update_fields=["risks"])
        summary = f"稽核计划 {held.number}：{target.institution}检查项目改为 {len(risks)} 项"
        _note(actor, held, PlanAct.TARGETS, summary, {"target": target.pk, "risks": list(risks)})
        return target


def submit(actor: User, plan: AuditPlan) -> AuditPlan:
    """Put a plan with at least one target forward."""
    with transaction.atomic():
        held, row = _begin(actor, plan, PlanAct.SUBMIT)
        if not held.targets.exists():
            raise Refused([Problem("targets", "", "计划中没有检查对象。", "请先增加检查对象再报批。")])
        summary = f"稽核计划 {held} 报批，共 {held.targets.count()} 个检查对象。"
        return _move(actor, held, row, summary, tell=holders((Role.AUDIT_REVIEWER,), place_of(held)))


def approve(actor: User, plan: AuditPlan, remark: str = "") -> AuditPlan:
    """Another person than who prepared it approves; from now on results are recorded."""
    with transaction.atomic():
        held, row = _begin(actor, plan, PlanAct.APPROVE)
        different_person(actor, held.prepared_by, f"稽核计划 {held.number}")
        fields = {"approved_by": actor, "approved_at": timezone.now(), "remark": _remark(remark)}
        return _move(actor, held, row, f"批准稽核计划 {held}", tell=[held.prepared_by], fields=fields)


def return_plan(actor: User, plan: AuditPlan, reason: str) -> AuditPlan:
    """Back to its draft, saying what to change."""
    with transaction.atomic():
        held, row = _begin(actor, plan, PlanAct.RETURN, reason)
        different_person(actor, held.prepared_by, f"稽核计划 {held.number}")
        summary = f"退回稽核计划 {held}：{reason.strip()}"
        return _move(actor, held, row, summary, tell=[held.prepared_by], fields={"remark": _remark(reason)})


def file_enterprise_check(actor: User, target: PlanTarget, number: str, filed_on: date | None) -> PlanTarget:
    """Keep the enterprise check's filing (涉企检查备案) before going there."""
    with transaction.atomic():
        held, row = _waiting(actor, target, PlanAct.ENTERPRISE)
        problems = []
        if not number.strip() or len(number.strip()) > FILING:
            text = f"备案号超过 {FILING} 个字。" if number.strip() else "没有填写备案号。"
            problems.append(Problem("filing_number", number[:20], text, "请填写涉企检查备案系统的备案号。"))
        if filed_on is None or filed_on > timezone.localdate():
            text = "没有填写备案日期。" if filed_on is None else f"备案日期 {filed_on} 晚于今天。"
            problems.append(Problem("filed_on", str(filed_on or ""), text, "请填备案的日期。"))
        if problems:
            raise Refused(problems)
        row.filing_number, row.filed_on = number.strip(), filed_on
        row.save(update_fields=["filing_number", "filed_on"])
        _note(actor, held, PlanAct.ENTERPRISE, f"稽核计划 {held.number} 登记{row.institution}的涉企检查备案", {"target": row.pk})
        return row


def record_result(
    actor: User,
    target: PlanTarget,
    *,
    result: str,
    checked_on: date | None,
    note: str,
    title: str = "",
    detail: str = "",
    estimate: Decimal | None = None,
    fund_type: str = "",
) -> PlanTarget:
    """What came of a target: nothing found, a lead (entered here, of the plan's kind), or not checked and why."""
    with transaction.atomic():
        held, row = _waiting(actor, target, PlanAct.RESULT)
        problems = _result_problems(held, row, result, checked_on, note, title, detail)
        if problems:
            raise Refused(problems)
        if result == TargetState.LEAD:
            row.lead = enter_lead(
                actor, source=SOURCES[PlanKind(held.kind)], county=row.institution.county, institution=row.institution,
                title=title, detail=detail, estimate=estimate, fund_type=fund_type, origin_type=ORIGIN,
                origin_key=str(row.pk), received_on=checked_on,
            )  # fmt: skip
        row.state, row.note, row.checked_by = result, note.strip(), actor
        row.checked_on = checked_on if result != TargetState.SKIPPED else None
        row.save(update_fields=["state", "note", "checked_by", "checked_on", "lead"])
        summary = f"稽核计划 {held.number}：{row.institution} {TargetState(result).label}"
        _note(actor, held, PlanAct.RESULT, summary, {"target": row.pk, "result": result})
        return row


def complete(actor: User, plan: AuditPlan) -> AuditPlan:
    """Every target has a result."""
    with transaction.atomic():
        held, row = _begin(actor, plan, PlanAct.COMPLETE)
        waiting = held.targets.filter(state=TargetState.WAITING).select_related("institution")
        if waiting:
            names = "、".join(str(one.institution) for one in waiting[:5])
            text = f"还有 {len(waiting)} 个对象没有登记结果：{names}{'等' if len(waiting) > 5 else ''}。"
            raise Refused([Problem("targets", str(len(waiting)), text, "请先登记检查结果，没有检查的写明原因。")])
        return _move(actor, held, row, f"完成稽核计划 {held}", tell=holders((Role.AUDIT_REVIEWER,), place_of(held)))


def cancel(actor: User, plan: AuditPlan, reason: str) -> AuditPlan:
    """Give a plan up: its auditors while it is a draft, the reviewer afterwards."""
    with transaction.atomic():
        held, row = _begin(actor, plan, PlanAct.CANCEL, reason)
        summary = f"取消稽核计划 {held}：{reason.strip()}"
        return _move(actor, held, row, summary, tell=[held.prepared_by], fields={"remark": _remark(reason)})


def place_of(plan: AuditPlan) -> PoolingArea | County:
    return plan.county or plan.pooling_area


def allowed_plan_acts(user: User, plan: AuditPlan) -> dict[PlanAct, Allowed | Denied]:
    """Every act the plan's state knows, with the answer for this user."""
    found: dict[PlanAct, Allowed | Denied] = {}
    for act in PlanAct:
        row = plan_row(plan.state, act)
        if row is not None:
            found[act] = _right(user, plan, row)
    return found


def _right(user: User, plan: AuditPlan, row: PlanRow) -> Allowed | Denied:
    answer = may(user, plan_action(row.act), place_of(plan))
    if answer and not roles_at(user, place_of(plan)) & row.roles:
        needed = "、".join(sorted(Role(role).label for role in row.roles))
        return Denied(f"“{plan.get_state_display()}”的计划由{needed}办理“{PlanAct(row.act).label}”。")
    if answer and row.act in (PlanAct.APPROVE, PlanAct.RETURN) and plan.prepared_by_id == user.pk:
        return Denied(f"稽核计划 {plan.number} 由您本人编制，不能由本人审批。请由另一位稽核复核办理。")
    return answer


def _begin(actor: User, plan: AuditPlan, act: str, reason: str | None = None) -> tuple[AuditPlan, PlanRow]:
    held = (
        AuditPlan.objects.select_for_update(of=("self",), no_key=True)
        .select_related("pooling_area", "county__pooling_area", "prepared_by")
        .get(pk=plan.pk)
    )
    require(actor, plan_action(act), place_of(held))
    row = plan_row(held.state, act)
    if row is None:
        text = f"稽核计划 {held.number} 现在是“{held.get_state_display()}”，不能办理“{PlanAct(act).label}”。"
        raise Conflict([Problem("state", held.get_state_display(), text, "请刷新页面查看最新状态。")])
    answer = _right(actor, held, row)
    if isinstance(answer, Denied):
        raise NotAllowed(answer)
    if row.needs_reason:
        need_reason(reason or "")
    return held, row


def _waiting(actor: User, target: PlanTarget, act: str) -> tuple[AuditPlan, PlanTarget]:
    held, _row = _begin(actor, target.plan, act)
    rows = PlanTarget.objects.select_for_update(of=("self",), no_key=True).select_related("institution__county__pooling_area")
    row = rows.get(pk=target.pk, plan=held)
    if row.state != TargetState.WAITING:
        text = f"{row.institution}已登记结果“{row.get_state_display()}”。"
        raise Conflict([Problem("state", row.get_state_display(), text, "请刷新页面查看。")])
    return held, row


def _move(
    actor: User, plan: AuditPlan, row: PlanRow, summary: str, *, tell: Sequence[User] = (), fields: dict[str, Any] | None = None
) -> AuditPlan:
    plan.state = row.target
    for name, given in (fields or {}).items():
        setattr(plan, name, given)
    plan.save(update_fields=["state", *(fields or {})])
    notify([person for person in tell if person.pk != actor.pk], summary, plan.get_absolute_url())
    _note(actor, plan, row.act, summary, {"from": row.source, "to": row.target})
    return plan


def _note(actor: User, plan: AuditPlan, act: str, summary: str, data: dict[str, Any] | None = None) -> None:
    record(actor, plan_action(act), plan, summary, data, place=place_of(plan))


def _remark(text: str) -> str:
    if len(text.strip()) > NOTE:
        raise Refused([Problem("remark", text[:20], f"意见超过 {NOTE} 个字。", "请缩短。")])
    return text.strip()


def _values(wanted: Mapping[str, Any]) -> dict[str, Any]:
    texts = {name: str(wanted[name]).strip() for name in ("kind", "way", "title", "basis", "focus")}
    return {**texts, "year": wanted["year"], "starts_on": wanted["starts_on"], "ends_on": wanted["ends_on"]}


def _plan_problems(wanted: Mapping[str, Any]) -> list[Problem]:
    found = []
    for name, label, allowed in (("kind", "计划类型", PlanKind.values), ("way", "稽核方式", Way.values)):
        if wanted[name] not in allowed:
            found.append(Problem(name, str(wanted[name] or ""), f"没有选择{label}。", "请从列表中选择。"))
    for name, label, most in (("title", "名称", TITLE), ("basis", "依据", BASIS), ("focus", "检查重点", FOCUS)):
        given = str(wanted[name] or "").strip()
        if not given:
            found.append(Problem(name, "", f"没有填写{label}。", "请填写。"))
        elif len(given) > most:
            found.append(Problem(name, given[:20], f"{label}有 {len(given)} 个字，超过 {most} 个字。", "请缩短。"))
    year, starts, ends = wanted["year"], wanted["starts_on"], wanted["ends_on"]
    this_year = timezone.localdate().year
    if year is None or abs(year - this_year) > YEARS:
        text = "没有填写年度。" if year is None else f"年度 {year} 距今年超过 {YEARS} 年。"
        found.append(Problem("year", str(year or ""), text, "请填计划实施的年度。"))
    for name, given, label in (("starts_on", starts, "开始日期"), ("ends_on", ends, "结束日期")):
        if given is None:
            found.append(Problem(name, "", f"没有填写{label}。", "请填写日期。"))
    if starts is not None and ends is not None and ends < starts:
        found.append(Problem("ends_on", str(ends), f"结束日期 {ends} 早于开始日期 {starts}。", "请改正日期。"))
    if starts is not None and year is not None and starts.year != year:
        found.append(Problem("starts_on", str(starts), f"开始日期 {starts} 不在 {year} 年度内。", "请改正日期或者年度。"))
    return found


def _target_problems(plan: AuditPlan, institution: Institution, risks: Sequence[str]) -> list[Problem]:
    found = []
    inside = institution.county_id == plan.county_id if plan.county_id else institution.county.pooling_area_id == plan.pooling_area_id
    if not inside:
        found.append(Problem("institution", str(institution), f"{institution}不在{place_of(plan)}。", "请选择本地的机构。"))
    known = {risk.key for one in lists_for(institution) for risk in one.risks}
    for key in risks:
        if key not in known:
            found.append(Problem("risks", key, f"{institution}的检查清单里没有“{key}”。", "请从该类机构的清单中选择。"))
    return found


def _result_problems(
    plan: AuditPlan, target: PlanTarget, result: str, checked_on: date | None, note: str, title: str, detail: str
) -> list[Problem]:
    if result not in (TargetState.CHECKED, TargetState.LEAD, TargetState.SKIPPED):
        return [Problem("result", result, "没有选择检查结果。", "请选择未发现问题、转为线索或者未检查。")]
    found = []
    if len(note.strip()) > NOTE:
        found.append(Problem("note", note[:20], f"说明超过 {NOTE} 个字。", "请缩短。"))
    elif result == TargetState.SKIPPED and len(note.strip()) < 4:
        found.append(Problem("note", note.strip(), "没有写明未检查的原因。", "请至少写 4 个字。"))
    if result == TargetState.SKIPPED:
        return found
    today = timezone.localdate()
    if checked_on is None:
        found.append(Problem("checked_on", "", "没有填写检查日期。", "请填实际检查的日期。"))
    elif not plan.starts_on <= checked_on <= today:
        text = f"检查日期 {checked_on} 早于计划开始日期 {plan.starts_on} 或者晚于今天。"
        found.append(Problem("checked_on", str(checked_on), text, "请填实际检查的日期。"))
    if plan.way == Way.ON_SITE and is_private(target.institution):
        found += _filing_problems(target, checked_on)
    if result == TargetState.LEAD:
        for name, given, label in (("title", title, "线索事由"), ("detail", detail, "线索情况")):
            if not given.strip():
                found.append(Problem(name, "", f"没有填写{label}。", "转为线索时必填。"))
    return found


def _filing_problems(target: PlanTarget, checked_on: date | None) -> list[Problem]:
    if not target.filing_number:
        text = f"{target.institution}是民营机构，实地检查须先办理涉企检查备案，还没有登记备案号。"
        return [Problem("filing_number", "", text, "请先登记备案号和备案日期。")]
    if checked_on is not None and target.filed_on is not None and checked_on < target.filed_on:
        text = f"检查日期 {checked_on} 早于涉企检查备案日期 {target.filed_on}。"
        return [Problem("checked_on", str(checked_on), text, "实地检查应在备案之后进行，请核对日期。")]
    return []
