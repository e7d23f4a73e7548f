"""Entering and approving the bank account of a lead hospital; only an approved account receives money."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from budgets.models import LeadAccount
from budgets.refusals import missing_text
from core.access import different_person, require
from core.errors import Conflict, Problem, Refused
from core.files import store_evidence
from core.models import Alliance, Role, User
from core.notices import notify, notify_role
from core.trail import record

NUMBER = re.compile(r"\d{8,30}")


@transaction.atomic
def enter_account(
    actor: User,
    alliance: Alliance,
    *,
    account_name: str,
    bank: str,
    account_number: str,
    valid_from: date,
    evidence: Any = None,
) -> LeadAccount:
    """Enter the account of the alliance's lead hospital on ``valid_from``; a reviewer approves it."""
    require(actor, "budgets.enter_account", alliance)
    lead = alliance.lead_hospital(valid_from)
    number = re.sub(r"[\s-]", "", account_number)
    problems = missing_text("户名", account_name, "请按开户证明填写。")
    problems += missing_text("开户行", bank, "请填写开户行全称。")
    if not NUMBER.fullmatch(number):
        problems.append(Problem("账号", account_number, "账号须为 8 至 30 位数字。", "请按开户证明填写。"))
    if lead is None:
        text = f"{alliance}在 {valid_from} 没有牵头医院。"
        problems.append(Problem("牵头医院", "", text, "请管理员先登记牵头医院。"))
    elif account_name.strip() and account_name.strip() != lead.name:
        text = f"户名与牵头医院“{lead.name}”不一致，预付款只能拨给牵头医院。"
        problems.append(Problem("户名", account_name, text, "请核对户名。"))
    if problems or lead is None:
        raise Refused(problems)
    account = LeadAccount.objects.create(
        alliance=alliance,
        institution=lead,
        account_name=account_name.strip(),
        bank=bank.strip(),
        account_number=number,
        valid_from=valid_from,
        evidence=store_evidence(evidence, "lead_account", actor) if evidence is not None else None,
        entered_by=actor,
    )
    notify_role({Role.FUND_REVIEWER}, alliance, f"{alliance}收款账户待审定。", reverse("budgets:accounts"))
    record(actor, "budgets.enter_account", account, f"录入收款账户 {account}，自 {valid_from} 起")
    return account


@transaction.atomic
def approve_account(actor: User, account: LeadAccount) -> LeadAccount:
    """Put an account in force; the former one of the alliance ends the day before."""
    require(actor, "budgets.approve_account", account.alliance)
    account = _locked(account)
    different_person(actor, account.entered_by, "审定收款账户")
    former = LeadAccount.objects.approved_on(account.valid_from).filter(alliance=account.alliance)
    former.update(valid_to=account.valid_from - timedelta(days=1))
    account.approved_by, account.approved_at = actor, timezone.now()
    account.save(update_fields=["approved_by", "approved_at"])
    notify([account.entered_by], f"收款账户 {account} 已审定。", reverse("budgets:accounts"))
    record(actor, "budgets.approve_account", account, f"审定收款账户 {account}")
    return account


@transaction.atomic
def return_account(actor: User, account: LeadAccount, reason: str) -> LeadAccount:
    require(actor, "budgets.approve_account", account.alliance)
    account = _locked(account)
    problems = missing_text("退回原因", reason, "请写明要改什么。")
    if problems:
        raise Refused(problems)
    account.returned_reason = reason.strip()
    account.save(update_fields=["returned_reason"])
    notify([account.entered_by], f"收款账户 {account} 被退回：{account.returned_reason}", reverse("budgets:accounts"))
    record(actor, "budgets.approve_account", account, f"退回收款账户 {account}：{account.returned_reason}")
    return account


def _locked(account: LeadAccount) -> LeadAccount:
    Alliance.objects.select_for_update(no_key=True).get(pk=account.alliance_id)
    found = (
        LeadAccount.objects.select_for_update(of=("self",), no_key=True)
        .select_related("alliance__county__pooling_area", "institution", "entered_by")
        .get(pk=account.pk)
    )
    if found.approved_at is not None or found.returned_reason:
        raise Conflict("该账户已审定或已退回，请刷新页面。")
    return found
