"""What cases ask of a person on the home page, the number in the navigation, and the search."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from audits.models import Case, CaseOfficer, Deadline, PartyKind, ProviderStatement, StatementKind, Track
from audits.states import ENDED_TRACKS, CaseState, TrackState
from core.access import HOSPITAL_ROLES, has_any_role
from core.models import Role, User
from core.registries import SearchHit, Todo
from core.scope import scope_of

LIMIT = 20
HITS = 8
TO_STATE = ("statement", "hearing_request")
TO_PERFORM = ("repayment", "fine_payment", "publication")


@dataclass(frozen=True)
class Ask:
    """Cases or tracks that wait for one post: ``rows``, what is asked, and the limits (first known) that say until when."""

    rows: QuerySet[Any]
    what: str
    verb: str
    limits: tuple[str, ...] = ()


def asks(user: Any) -> list[Ask]:
    """Everything that waits for the user's posts, one query each; a suspended case asks nothing of the bureau."""
    found: list[Ask] = []
    if has_any_role(user, {Role.AUDITOR}):
        found += _officer(user)
    if has_any_role(user, {Role.AUDIT_REVIEWER}):
        found += _reviewer(user)
    if has_any_role(user, {Role.LEGAL_REVIEWER}):
        found += _legal(user)
    if has_any_role(user, HOSPITAL_ROLES):
        found += _provider(user)
    return found


def todos(user: User) -> list[Todo]:
    """What is mine and until when, nearest day first."""
    held = [(ask, row) for ask in asks(user) for row in ask.rows[:LIMIT]]
    days = _days(row for _ask, row in held)
    found = [_todo(ask, row, days) for ask, row in held]
    return sorted(found, key=lambda todo: (todo.due is None, todo.due or date.max, todo.title))[:LIMIT]


def badge(user: Any) -> int:
    """How many cases and tracks wait for the user."""
    return sum(ask.rows.count() for ask in asks(user))


def search(user: User, text: str) -> list[SearchHit]:
    """By number, party or title; only what the user may see."""
    words = text.split()
    if not words:
        return []
    rows = Case.objects.visible_to(user)
    for word in words:
        rows = rows.filter(Q(number__icontains=word) | Q(party_name__icontains=word) | Q(title__icontains=word))
    return [
        SearchHit(f"{row} {row.title}（{row.get_state_display()}）", row.get_absolute_url(), "稽核案件")
        for row in rows.order_by("-filed_on", "-pk")[:HITS]
    ]


def _officer(user: Any) -> list[Ask]:
    mine = CaseOfficer.objects.filter(user=user, until__isnull=True).values("case_id")
    cases = Case.objects.filter(pk__in=mine, suspended_on__isnull=True)
    tracks = _tracks(Q(case__in=mine))
    agreed = ProviderStatement.objects.filter(
        track=OuterRef("pk"), kind=StatementKind.AGREED, given_at__date__gte=OuterRef("notified_on")
    )
    served = tracks.filter(state=TrackState.SERVED)
    return [
        Ask(cases.filter(state=CaseState.INVESTIGATING), "调查取证", "办理", ("supplement", "investigation", "decision")),
        Ask(tracks.filter(state=TrackState.TO_NOTIFY, proposed_at__isnull=True), "拟定处理意见", "拟定", ("notify",)),
        Ask(tracks.filter(state=TrackState.TO_NOTIFY, proposed_at__isnull=False), "送达告知书", "送达", ("notify",)),
        Ask(
            tracks.filter(state=TrackState.NOTIFIED).filter(~Exists(_running(TO_STATE, late=False)) | Exists(agreed)),
            "提请复审", "提请", ("statement",),
        ),
        Ask(tracks.filter(state=TrackState.DECIDED), "送达决定书", "送达", ("service",)),
        Ask(served.filter(Exists(_running(("publication",)))), "公开处罚决定", "登记", ("publication",)),
        Ask(served.filter(Exists(_running(TO_PERFORM, late=True))), "催促履行", "查看", TO_PERFORM),
        Ask(served.filter(~Exists(_running(TO_PERFORM))), "登记履行完毕", "登记"),
    ]  # fmt: skip


def _reviewer(user: Any) -> list[Ask]:
    barred = CaseOfficer.objects.filter(user=user).values("case_id")
    cases = Case.objects.filter(_at(user, Role.AUDIT_REVIEWER), suspended_on__isnull=True).exclude(pk__in=barred)
    tracks = _tracks(_at(user, Role.AUDIT_REVIEWER, "case__")).exclude(case__in=barred)
    open_tracks = Track.objects.filter(case=OuterRef("pk")).exclude(state__in=ENDED_TRACKS)
    return [
        Ask(cases.filter(state=CaseState.FIRST_REVIEW), "初审", "审核", ("first_review",)),
        Ask(tracks.filter(state=TrackState.RE_REVIEW).exclude(case__first_reviewed_by=user), "复审", "审核", ("re_review",)),
        Ask(tracks.filter(state=TrackState.TO_DECIDE).exclude(proposed_by=user), "作出决定", "决定", ("decision",)),
        Ask(cases.filter(~Exists(open_tracks), state=CaseState.REVIEWED, tracks__isnull=False).distinct(), "结案", "结案"),
    ]


def _legal(user: Any) -> list[Ask]:
    tracks = _tracks(_at(user, Role.LEGAL_REVIEWER, "case__"))
    judged = Q(case__first_reviewed_by=user) | Q(re_reviewed_by=user)
    return [
        Ask(tracks.filter(state=TrackState.HEARING), "举行听证", "办理", ("hearing_held",)),
        Ask(tracks.filter(state=TrackState.LEGAL).exclude(judged), "法制审核", "审核", ("legal_review",)),
    ]


def _provider(user: Any) -> list[Ask]:
    finance, member = scope_of(user, frozenset({Role.HOSPITAL_FINANCE})), scope_of(user, frozenset({Role.MEMBER_INSTITUTION}))
    own = Q(case__alliance__in=finance.alliance) | Q(case__institution__in=member.institution)
    tracks = Track.objects.filter(own, case__party_kind=PartyKind.PROVIDER, case__notified_at__isnull=False)
    tracks = tracks.select_related("case").order_by("pk")
    said = ProviderStatement.objects.filter(track=OuterRef("pk"), given_at__date__gte=OuterRef("notified_on"))
    to_state = tracks.filter(Exists(_running(TO_STATE, late=False)), ~Exists(said), state=TrackState.NOTIFIED)
    served = tracks.filter(state=TrackState.SERVED)
    return [
        Ask(to_state, "陈述申辩", "提出意见", TO_STATE),
        Ask(served.filter(Exists(_running(("repayment",)))), "退回基金", "查看", ("repayment",)),
        Ask(served.filter(Exists(_running(("fine_payment",)))), "缴纳罚款", "查看", ("fine_payment",)),
    ]


def _tracks(where: Q) -> QuerySet[Track]:
    rows = Track.objects.filter(where, case__suspended_on__isnull=True, case__state=CaseState.REVIEWED)
    return rows.select_related("case").order_by("pk")


def _running(keys: Iterable[str], *, late: bool | None = None) -> QuerySet[Deadline]:
    """Running limits of the outer track: any, only those that passed, or only those that did not."""
    rows = Deadline.objects.filter(track=OuterRef("pk"), key__in=list(keys), ended_on__isnull=True)
    if late is None:
        return rows
    today, dated = timezone.localdate(), rows.annotate(last=Coalesce("extended_to", "due_on"))
    return dated.filter(last__lt=today) if late else dated.filter(last__gte=today)


def _at(user: Any, role: str, prefix: str = "") -> Q:
    """Cases at the places where the user holds a post."""
    scope, found = scope_of(user, frozenset({role})), Q(pk__in=[])
    for level in ("pooling_area", "county", "alliance", "institution"):
        found |= Q(**{f"{prefix}{level}__in": getattr(scope, level)})
    return found


def _days(rows: Iterable[Any]) -> dict[tuple[int, int | None, str], Deadline]:
    """(case, track, key) → running limit, of every case asked about; one query."""
    cases = {row.pk if isinstance(row, Case) else row.case_id for row in rows}
    found = Deadline.objects.filter(case__in=cases, ended_on__isnull=True)
    return {(row.case_id, row.track_id, row.key): row for row in found}


def _todo(ask: Ask, row: Case | Track, days: dict[tuple[int, int | None, str], Deadline]) -> Todo:
    case = row if isinstance(row, Case) else row.case
    track = None if isinstance(row, Case) else row.pk
    limit = next(
        (days[found] for key in ask.limits for found in ((case.pk, track, key), (case.pk, None, key)) if found in days), None
    )
    late = f"，已逾期升级 {limit.escalations} 次" if limit is not None and limit.escalations else ""
    kind = "" if isinstance(row, Case) else f"{row.get_kind_display()}，"
    return Todo(
        f"{ask.what}：{case}",
        case.get_absolute_url(),
        f"{kind}{case.title}{late}",
        amount=case.first_amount,
        due=limit.last_day if limit is not None else None,
        verb=ask.verb,
    )
