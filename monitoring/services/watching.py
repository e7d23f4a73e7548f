"""The watch list of R-064: proposed by an officer, decided by a reviewer, ended when the county has recovered."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone

from core.access import different_person, holders, require
from core.errors import Conflict, Problem, Refused, need_reason
from core.models import County, Institution, Role, User
from core.notices import notify
from core.trail import record
from monitoring.models import Warning, WatchEntry
from monitoring.models.warnings import CONSEQUENCES
from monitoring.services.raising import DISTRESS
from monitoring.services.steps import locked

PROPOSE, DECIDE, END = "monitoring.propose_watch", "monitoring.decide_watch", "monitoring.end_watch"
DETAIL = 300
STANDING = ("proposed", "approved")


def is_continuing(w: Warning) -> bool:
    """Whether the newest known figure of a distress warning says 连续出险."""
    last = w.figures.exclude(value=None).order_by("year", "month", "pk").last()
    return w.source == DISTRESS and last is not None and bool(last.data.get("continuing"))


def propose_watch(
    actor: User,
    warning: Warning,
    institution: Institution,
    consequence: str,
    detail: str,
    valid_from: date | None,
    valid_to: date | None = None,
) -> WatchEntry:
    """Propose what the policy allows against one provider of a county in continuing distress."""
    county = _county_of(warning)
    require(actor, PROPOSE, county)
    with transaction.atomic():
        held = locked(warning)
        if not held.is_open:
            text = f"预警 {held.number} 已解除。"
            raise Conflict([Problem("warning", held.number, text, "没有正在进行的出险预警，不能再列入。")])
        problems = []
        if not is_continuing(held):
            text = "该县（区）基金尚未连续出险。"
            problems.append(Problem("warning", held.number, text, "纳入监控重点等措施只用于连续出险的县（区）。"))
        if institution.county_id != county.pk:
            problems.append(Problem("institution", str(institution), f"{institution}不在{county}。", "请重新选择。"))
        if consequence not in dict(CONSEQUENCES):
            problems.append(Problem("consequence", consequence, "没有选择措施。", "请从列表中选择。"))
        if not detail.strip() or len(detail.strip()) > DETAIL:
            text = f"内容超过 {DETAIL} 个字。" if detail.strip() else "没有写明内容。"
            problems.append(Problem("detail", detail.strip()[:20], text, "请写明依据的数据和具体要求。"))
        if valid_from is None:
            problems.append(Problem("valid_from", "", "没有填写开始日期。", "请填写。"))
        elif valid_to is not None and valid_to < valid_from:
            problems.append(Problem("valid_to", str(valid_to), "结束日期早于开始日期。", "请改正。"))
        if problems or valid_from is None:
            raise Refused(problems)
        same = WatchEntry.objects.filter(
            institution=institution, consequence=consequence, fund_type=held.fund_type, status__in=STANDING
        ).first()
        if same is not None:
            text = f"{institution}已有同样的措施（{same.get_status_display()}）。"
            raise Conflict([Problem("institution", str(institution), text, "请先核准或解除原有的。")])
        entry = WatchEntry.objects.create(
            county=county,
            institution=institution,
            warning=held,
            fund_type=held.fund_type,
            consequence=consequence,
            detail=detail.strip(),
            valid_from=valid_from,
            valid_to=valid_to,
            proposed_by=actor,
        )
        summary = f"提出对{institution}“{entry.get_consequence_display()}”（{held.number}）：{entry.detail}"
        notify(holders((Role.FUND_REVIEWER,), county), summary, held.get_absolute_url())
        record(actor, PROPOSE, entry, summary, _data(entry), place=county)
        return entry


def decide_watch(actor: User, entry: WatchEntry, approve: bool, reason: str) -> WatchEntry:
    """Approve or reject; another person than the one who proposed. A rejection says why."""
    require(actor, DECIDE, entry.county)
    with transaction.atomic():
        held = _locked(entry)
        _need(held, "proposed", "核准")
        different_person(actor, held.proposed_by, f"对{held.institution}的措施")
        if not approve:
            need_reason(reason)
        held.status = "approved" if approve else "rejected"
        held.decided_by, held.decided_at, held.decided_reason = actor, timezone.now(), reason.strip()[:DETAIL]
        held.save(update_fields=["status", "decided_by", "decided_at", "decided_reason"])
        words = f"：{reason.strip()}" if reason.strip() else ""
        summary = f"{'核准' if approve else '不予核准'}对{held.institution}“{held.get_consequence_display()}”{words}"
        tell = [held.proposed_by, *(_finance(held) if approve else [])]
        notify(tell, summary)
        record(actor, DECIDE, held, summary, _data(held), place=held.county)
        return held


def end_watch(actor: User, entry: WatchEntry, reason: str) -> WatchEntry:
    """Lift an approved measure from today on."""
    require(actor, END, entry.county)
    with transaction.atomic():
        held = _locked(entry)
        _need(held, "approved", "解除")
        need_reason(reason)
        held.status, held.valid_to = "ended", max(held.valid_from, timezone.localdate())
        held.save(update_fields=["status", "valid_to"])
        summary = f"解除对{held.institution}“{held.get_consequence_display()}”：{reason.strip()}"
        notify([held.proposed_by, *_finance(held)], summary)
        record(actor, END, held, summary, {**_data(held), "reason": reason.strip()}, place=held.county)
        return held


def _county_of(warning: Warning) -> County:
    if warning.county is None:
        text = "全市基金的预警没有对应的县（区）。"
        raise Refused([Problem("warning", warning.number, text, "请在县（区）的出险预警上提出。")])
    return warning.county


def _finance(entry: WatchEntry) -> list[User]:
    """The hospital that answers for the provider."""
    return holders((Role.HOSPITAL_FINANCE, Role.MEMBER_INSTITUTION), entry.institution)


def _locked(entry: WatchEntry) -> WatchEntry:
    rows = WatchEntry.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("county__pooling_area", "institution__county__pooling_area", "warning", "proposed_by").get(
        pk=entry.pk
    )


def _need(entry: WatchEntry, status: str, act: str) -> None:
    if entry.status != status:
        state = entry.get_status_display()
        text = f"该措施现在是“{state}”，不能{act}。"
        raise Conflict([Problem("status", state, text, "请刷新页面查看最新状态。")])


def _data(entry: WatchEntry) -> dict[str, Any]:
    return {
        "entry": entry.pk,
        "status": entry.status,
        "institution": entry.institution.code,
        "consequence": entry.consequence,
        "fund_type": entry.fund_type,
        "valid_from": entry.valid_from,
        "valid_to": entry.valid_to,
        "warning": entry.warning_id,
    }
