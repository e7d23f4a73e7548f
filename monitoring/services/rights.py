"""Who may do what with a warning. The hospital answers for its alliance, a county's fund is answered by the county.

What has an alliance is answered by that alliance's finance and decided by the bureau that looks after it. What has none (a
county's fund, the city's, a provider outside every alliance) is answered by the county's own officer and decided by the
city; where a county has no officer of its own, one of the city answers and another decides.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from core.access import Allowed, Denied, NotAllowed, holders, may, roles_at
from core.models import Role, RoleGrant, User
from core.models.places import valid_on
from monitoring.models import Warning
from monitoring.states import ROLES, Act, action_name

OFFICER, REVIEWER = (Role.FUND_OFFICER,), (Role.FUND_REVIEWER,)
ANSWERING = (Act.ANSWER, Act.WITHDRAW)


def right(user: User, w: Warning, act: str) -> Allowed | Denied:
    """Whether the post allows the act on this warning, whatever its state."""
    if w.alliance is not None:
        if act == Act.REPORT:
            return Denied("上报市医保局适用于县（区）基金的预警；医共体和机构的预警由本级经办处理。")
        return may(user, action_name(act), w.alliance)
    if act in ANSWERING or (act == Act.REPORT and w.county is not None):
        return _may_answer(user, w, act)
    if roles_at(user, w.pooling_area) & ROLES[act]:
        return Allowed()
    return Denied(lambda: f"{w.at}的预警由{w.pooling_area}医保局办理。{_reason(may(user, action_name(act), w.pooling_area))}")


def require_right(user: User, w: Warning, act: str) -> None:
    """Raise :class:`NotAllowed` unless the post allows the act."""
    answer = right(user, w, act)
    if isinstance(answer, Denied):
        raise NotAllowed(answer)


def four_eyes(user: User, w: Warning, act: str) -> Allowed | Denied:
    """Who answered neither accepts nor closes; who accepted does not close."""
    if act in (Act.ACCEPT, Act.RETURN, Act.CLOSE):
        last = w.answers.order_by("-number").first()
        if last is not None and last.answered_by_id == user.pk:
            if act == Act.CLOSE:
                return Denied("最近一次答复由您本人提交，不能由本人解除预警。请由另一位复核办理，或请系统管理员指定。")
            return Denied("这份答复由您本人提交，不能由本人审定。请由另一位经办办理，或请系统管理员指定。")
    if act == Act.CLOSE and w.accepted_by_id == user.pk:
        return Denied("这份答复由您本人采纳，不能由本人解除预警。请由另一位复核办理，或请系统管理员指定。")
    return Allowed()


def answerers(w: Warning) -> list[User]:
    """Who is asked for an answer."""
    if w.alliance is not None:
        return holders((Role.HOSPITAL_FINANCE,), w.alliance)
    return _county_officers(w) or holders(OFFICER, w.pooling_area)


def deciders(w: Warning) -> list[User]:
    """Which officers look after the warning: those of the county where it has its own, else those of the city."""
    if w.alliance is None:
        return holders(OFFICER, w.pooling_area)
    return _county_officers(w) or holders(OFFICER, w.alliance)


def closers(w: Warning) -> list[User]:
    return holders(REVIEWER, w.pooling_area if w.alliance is None else w.alliance)


def city_people(w: Warning) -> list[User]:
    """Every officer, reviewer and observer of the pooling area."""
    return holders((*OFFICER, *REVIEWER, Role.OBSERVER), w.pooling_area)


def _may_answer(user: User, w: Warning, act: str) -> Allowed | Denied:
    own = _county_officers(w)
    if user in own:
        return Allowed()
    if not own and roles_at(user, w.pooling_area) & {Role.FUND_OFFICER}:
        return Allowed()
    named = "、".join(str(person) for person in (own or holders(OFFICER, w.pooling_area))[:3])
    whose = f"{w.county}医保局" if w.county is not None and own else f"{w.pooling_area}医保局"
    who = f"可请{named}办理，" if named else ""
    return Denied(f"“{Act(act).label}”须由{whose}的经办办理，您不在此岗。{who}或请系统管理员授予岗位。")


def _county_officers(w: Warning) -> list[User]:
    if w.county_id is None:
        return []
    grants = RoleGrant.objects.filter(
        valid_on(timezone.localdate()), county=w.county_id, role=Role.FUND_OFFICER, user__is_active=True
    ).select_related("user")
    return sorted({grant.user for grant in grants}, key=lambda user: user.username)


def _reason(answer: Any) -> str:
    return answer.reason if isinstance(answer, Denied) else ""
