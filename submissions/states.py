"""The life of an assignment and of each version filed for it, as data. Nothing here reads the database.

due → uploaded → filed → returned or accepted; a version accepted later supersedes the former. Every step can be taken
back with a reason; what was accepted is never overwritten.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import TextChoices

from core.models import Role


class AssignmentState(TextChoices):
    DUE = "due", "待报"
    UPLOADED = "uploaded", "已上传"
    FILED = "filed", "已报送"
    RETURNED = "returned", "已退回"
    ACCEPTED = "accepted", "已受理"


class SubmissionKind(TextChoices):
    WORKBOOK = "workbook", "工作簿"
    NOTHING = "nothing", "无数据上报"


class SubmissionState(TextChoices):
    RECEIVED = "received", "检查中"
    REFUSED = "refused", "不能读取"
    CHECKED = "checked", "已检查"
    FILED = "filed", "已报送"
    RETURNED = "returned", "已退回"
    ACCEPTED = "accepted", "已受理"
    SUPERSEDED = "superseded", "已被替代"
    REPLACED = "replaced", "已重新上传"


class Act(TextChoices):
    UPLOAD = "upload", "上传报表"
    CHECK = "check", "检查报表"
    EXPLAIN = "explain", "填写说明"
    NOTHING = "nothing", "无数据上报"
    FILE = "file", "报送报表"
    WITHDRAW = "withdraw", "撤回报送"
    RETURN = "return", "退回报表"
    ACCEPT = "accept", "受理报表"
    REOPEN = "reopen", "重新开放报送"
    CLOSE = "close", "结束重新开放"
    ADMIT = "admit", "准予迟报"
    WAIVE = "waive", "准予豁免检查"
    SUPERSEDE = "supersede", "由后一版替代"
    REPLACE = "replace", "由后一次上传替代"
    SIGN = "sign", "签认对账"
    ASSIGN = "assign", "下达填报任务"


HOSPITAL = frozenset({Role.HOSPITAL_FINANCE})
OFFICER = frozenset({Role.FUND_OFFICER})
ROLES: dict[str, frozenset[str]] = {
    Act.UPLOAD: HOSPITAL,
    Act.EXPLAIN: HOSPITAL,
    Act.NOTHING: HOSPITAL,
    Act.FILE: HOSPITAL,
    Act.WITHDRAW: HOSPITAL,
    Act.RETURN: OFFICER,
    Act.ACCEPT: OFFICER,
    Act.REOPEN: OFFICER,
    Act.CLOSE: OFFICER,
    Act.ADMIT: OFFICER,
    Act.WAIVE: frozenset({Role.FUND_REVIEWER}),
    Act.SIGN: HOSPITAL | OFFICER,
    Act.ASSIGN: OFFICER,
}


@dataclass(frozen=True)
class Transition:
    """``act`` on a version in ``source`` leads to ``target`` and the assignment to ``assignment``."""

    source: str
    act: str
    target: str
    assignment: str
    needs_reason: bool = False


S, A = SubmissionState, AssignmentState
TRANSITIONS: tuple[Transition, ...] = (
    Transition(S.CHECKED, Act.FILE, S.FILED, A.FILED),
    Transition(S.FILED, Act.WITHDRAW, S.CHECKED, A.UPLOADED, needs_reason=True),
    Transition(S.FILED, Act.RETURN, S.RETURNED, A.RETURNED, needs_reason=True),
    Transition(S.FILED, Act.ACCEPT, S.ACCEPTED, A.ACCEPTED),
)
REPLACEABLE = (S.RECEIVED, S.REFUSED, S.CHECKED, S.RETURNED)
"""Versions that a new upload takes the place of; a filed one must be withdrawn, an accepted one reopened first."""
GIVING_BACK = (Act.RETURN, Act.REOPEN)
"""What the bureau itself gave back was filed in time or admitted before: it is neither late nor overdue again."""
UNFILED = (A.DUE, A.UPLOADED, A.RETURNED)
SEEN_BY_BUREAU = (S.FILED, S.RETURNED, S.ACCEPTED, S.SUPERSEDED)
TONES = {
    S.RECEIVED: "run", S.REFUSED: "bad", S.CHECKED: "warn", S.FILED: "run", S.RETURNED: "bad", S.ACCEPTED: "ok",
    S.SUPERSEDED: "", S.REPLACED: "",
}  # fmt: skip
ASSIGNMENT_TONES = {A.DUE: "", A.UPLOADED: "warn", A.FILED: "run", A.RETURNED: "bad", A.ACCEPTED: "ok"}


def action_name(act: str) -> str:
    """The registered name of an act, for rights and for the trail."""
    return f"submissions.{act}"


def transition(source: str, act: str) -> Transition | None:
    return next((row for row in TRANSITIONS if row.source == source and row.act == act), None)
