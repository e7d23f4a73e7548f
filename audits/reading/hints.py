"""What the facts of a case suggest: a repeated offence goes to the health department (R-113), fraud to the police (R-118)."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from audits.models import Case, ReferralBody
from audits.reading.findings import sums
from audits.reading.penalties import former_offences
from core.models import ConfirmationStatus
from core.parameters import define, value
from core.templatetags.fund import yuan
from rules.money import ZERO
from rules.penalties import ACT_BY_KEY, repeat_offences

POLICE_AMOUNT = "audits.police_amount"


@dataclass(frozen=True)
class Hint:
    """A hand-over proposed to an officer: ``body`` a value of ReferralBody, why, under which clause."""

    body: str
    text: str
    clause: str
    confirmed: bool

    @property
    def body_text(self) -> str:
        return str(ReferralBody(self.body).label)


def define_parameters() -> None:
    """Called when the app is ready."""
    define(
        POLICE_AMOUNT, "欺诈骗保提示移送公安的金额", kind="yuan", default="3000",
        clause="刑法 第二百六十六条；法释〔2011〕7号 第一条（三千元至一万元以上，由省确定）",
        status=ConfirmationStatus.UNCONFIRMED,
    )  # fmt: skip


def hints(case: Case) -> list[Hint]:
    """Hand-overs the findings call for that were not done yet; three queries and the parameter's."""
    done = set(case.referrals.values_list("body", flat=True))
    kept = [row for row in sums(case).kept if row.finding.act in ACT_BY_KEY]
    found = []
    if ReferralBody.HEALTH not in done:
        former = former_offences(case)
        repeats = {one: None for row in kept for one in repeat_offences(former, row.finding.act, row.finding.acted_to)}
        if repeats:
            named = "、".join(f"{one.case_number}（{ACT_BY_KEY[one.act].label}，{one.decided_on} 决定）" for one in repeats)
            text = f"属再次违规，前案：{named}。应函请卫生健康部门追究主要负责人责任。"
            found.append(Hint(ReferralBody.HEALTH, text, "宁医保〔2019〕128号 §六(十)（R-113）", True))
    fraud = sum((row.total for row in kept if ACT_BY_KEY[row.finding.act].fraud), ZERO)
    if fraud and ReferralBody.POLICE not in done:
        limit = value(POLICE_AMOUNT, case.county, timezone.localdate())
        if fraud >= limit.decimal:
            text = f"欺诈骗保金额 {yuan(fraud)} 元，达到 {yuan(limit.decimal)} 元，涉嫌犯罪的应移送公安机关。"
            found.append(Hint(ReferralBody.POLICE, text, limit.clause, limit.is_confirmed))
    return found
