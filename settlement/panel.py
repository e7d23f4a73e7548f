"""What a person may do with a version now, and for what she may not, who can: read by page and API alike."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.urls import reverse

from core.access import Allowed, Denied, may
from core.templatetags.fund import yuan
from settlement import posting
from settlement.models import SettlementVersion
from settlement.states import Act, VersionState, action_name, acts_from, transition

EFFECTS = {
    Act.REFRESH: "按现有数据重新计算，原计算保留备查。",
    Act.RETURN: "退回基金经办修改，理由通知经办人。",
    Act.REVIEW: "复核后由经办送医共体确认，输入随即冻结。",
    Act.CANCEL: "作废后可重新起草，本草稿保留备查。",
    Act.SEND: "送达医共体财务，开始计算确认期限。",
    Act.WITHDRAW: "撤回后医共体不能再看到本版，须重新复核。",
    Act.CONFIRM: "确认后由基金复核审定，只能以更正版本变更。",
    Act.OBJECT: "提出后由医保经办机构答复或重新计算，期间不付款。",
    Act.ACCEPT_OBJECTION: "退回草稿重新计算，须重新复核和送达。",
    Act.REJECT_OBJECTION: "书面答复并再次送达，重新计算确认期限。",
    Act.FINALISE: "审定后记入备查账，年度关账；只能以更正版本变更。",
    Act.REOPEN: "退回草稿，医共体的确认作废。",
}
PRIMARY = (Act.REVIEW, Act.SEND, Act.CONFIRM, Act.FINALISE)
WITH_AMOUNT = (Act.REVIEW, Act.CONFIRM, Act.FINALISE)
ON_OTHER_FORMS = (Act.PAY, Act.CLEAR, Act.RECOVER, Act.SUPERSEDE)


@dataclass(frozen=True)
class PanelAct:
    """One act: a button, or the reason why there is none."""

    act: str
    label: str
    url: str
    allowed: bool
    denied: str
    needs_reason: bool
    amount: str
    effect: str
    primary: bool


def acts_for(user: Any, version: SettlementVersion) -> list[PanelAct]:
    """The acts of the version's state that concern the user, allowed ones first."""
    rows = []
    for act in acts_from(version.state):
        if act in ON_OTHER_FORMS:
            continue
        answer = may(user, action_name(act), version.alliance)
        step = transition(version.state, act)
        assert step is not None
        rows.append(
            PanelAct(
                act=act,
                label=Act(act).label,
                url=reverse("settlement:act", args=[version.pk, act]),
                allowed=isinstance(answer, Allowed),
                denied=answer.reason if isinstance(answer, Denied) else "",
                needs_reason=step.needs_reason,
                amount=f"{yuan(version.figures.cash)} 元" if act in WITH_AMOUNT else "",
                effect=EFFECTS[Act(act)],
                primary=act in PRIMARY,
            )
        )
    return sorted(rows, key=lambda row: (not row.allowed, not row.primary))


def owed_of(version: SettlementVersion, where: posting.Position) -> Decimal | None:
    """Yuan still to pay (positive) or to get back (negative); None unless the version is final and unpaid."""
    return posting.outstanding(version.figures, where) if version.state == VersionState.FINAL else None
