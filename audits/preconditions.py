"""What must hold before an act, by the names the state table uses: small classes that answer with the reason and the remedy.

Every one is asked with the person and the thing (lead, case or track). ``personal`` ones are about who asks, so that a
refusal means 403; the others are about the thing. Reading only.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from django.utils import timezone

from audits.models import Case, CaseOfficer, Lead, PartyKind, StatementKind, Track
from audits.states import ENDED_TRACKS, Act, TrackKind
from core.access import Allowed, Denied, holders
from core.models import Role, User

Answer = Allowed | Denied
RE_REVIEWS = (Act.PASS_RE, Act.RETURN_RE, Act.REPLY)
PRECONDITIONS: dict[str, Precondition] = {}
MOST = 3


class Precondition(ABC):
    """``label`` says what must hold, for the handbook's state table."""

    label: ClassVar[str] = ""
    personal: ClassVar[bool] = False

    @abstractmethod
    def check(self, user: User, thing: Any) -> Answer:
        """Whether it holds for this person and thing now."""

    def glance(self, user: User, thing: Any) -> Answer:
        """The same as far as it is cheap to know, for pages that only offer the act."""
        return self.check(user, thing)


def named(name: str) -> Callable[[type[Precondition]], type[Precondition]]:
    """Register a precondition under the name the state table uses."""

    def register(kind: type[Precondition]) -> type[Precondition]:
        PRECONDITIONS[name] = kind()
        return kind

    return register


def case_of(thing: Case | Track) -> Case:
    """The case a track belongs to, or the case itself."""
    return thing if isinstance(thing, Case) else thing.case


# --- leads ---------------------------------------------------------------------------------------------------------


@named("assigned_to_me")
class AssignedToMe(Precondition):
    label, personal = "线索的核查人", True

    def check(self, user: User, thing: Lead) -> Answer:
        if thing.assigned_to_id == user.pk:
            return Allowed()
        return Denied(f"线索 {thing.number} 由{thing.assigned_to or '尚未指定的人'}核查，须由其本人提请，或请稽核复核重新分派。")


@named("extended_once")
class NotYetExtended(Precondition):
    label = "立案期限尚未延长"

    def check(self, user: User, thing: Lead) -> Answer:
        if not thing.is_extended:
            return Allowed()
        return Denied(f"线索 {thing.number} 的立案期限已延长过一次，到 {thing.due_on}，不能再延长。请在期限内决定是否立案。")


@named("not_proposer")
class NotProposer(Precondition):
    label, personal = "不是提请人", True

    def check(self, user: User, thing: Lead) -> Answer:
        if thing.proposed_by_id != user.pk:
            return Allowed()
        return Denied(f"线索 {thing.number} 由您本人提请，不能由本人审批。请由另一位稽核复核办理，或请系统管理员指定。")


@named("two_officers_named")
class TwoOfficersAtHand(Precondition):
    label = "此处至少有两名稽核人员可以办案"

    def check(self, user: User, thing: Lead) -> Answer:
        here = [one for one in holders((Role.AUDITOR,), thing.at) if one.pk != user.pk]
        if len(here) >= 2:
            return Allowed()
        return Denied(f"立案须指定两名有执法证的办案人员，{thing.at}现有稽核人员 {len(here)} 人。请系统管理员授予稽核岗位后再批准。")


# --- who asks ------------------------------------------------------------------------------------------------------


@named("officer")
class IsOfficer(Precondition):
    label, personal = "本案办案人员", True

    def check(self, user: User, thing: Case | Track) -> Answer:
        rows = list(CaseOfficer.objects.filter(case=case_of(thing), until__isnull=True).select_related("user"))
        if any(row.user_id == user.pk for row in rows):
            return Allowed()
        people = "、".join(str(row.user) for row in rows) or "尚未指定"
        return Denied(f"案件 {case_of(thing).number} 的办案人员是{people}，您不是本案办案人员。请由其办理，或请稽核复核指定您办案。")


@named("not_officer")
class IsNotOfficer(Precondition):
    label, personal = "没有参与本案调查", True

    def check(self, user: User, thing: Case | Track) -> Answer:
        case = case_of(thing)
        took_part = case.opened_by_id == user.pk or case.officers.filter(user=user).exists()
        if not took_part and not case.findings.filter(made_by=user).exists():
            return Allowed()
        text = f"案件 {case.number} 由您本人参与调查，不能由本人审核或决定。请由另一位未参与调查的同事办理，或请系统管理员指定。"
        return Denied(text)


@named("not_first_reviewer")
class NotFirstReviewer(Precondition):
    label, personal = "不是初审人", True

    def check(self, user: User, thing: Track) -> Answer:
        if thing.case.first_reviewed_by_id != user.pk and not did(user, thing.case, Act.PASS_FIRST):
            return Allowed()
        return Denied(f"案件 {thing.case.number} 由您本人初审，复审须由另一人办理。请由另一位稽核复核办理，或请系统管理员指定。")


@named("third_person")
class ThirdPerson(Precondition):
    label, personal = "不是初审人、复审人", True

    def check(self, user: User, thing: Track) -> Answer:
        known = (thing.case.first_reviewed_by_id, thing.re_reviewed_by_id)
        if user.pk not in known and not did(user, thing.case, Act.PASS_FIRST) and not did(user, thing.case, *RE_REVIEWS, track=thing):
            return Allowed()
        return Denied(f"案件 {thing.case.number} 由您本人初审或复审，法制审核须由第三人办理。请由另一位法制审核人员办理。")


@named("own_case")
class OwnCase(Precondition):
    label, personal = "本案当事人", True

    def check(self, user: User, thing: Track) -> Answer:
        case = thing.case
        mine = case.party_kind == PartyKind.PROVIDER and any(
            (grant.role == Role.HOSPITAL_FINANCE and grant.alliance_id is not None and grant.alliance_id == case.alliance_id)
            or (grant.role == Role.MEMBER_INSTITUTION and grant.institution_id is not None and grant.institution_id == case.institution_id)
            for grant in user.grants_on(timezone.localdate())
        )
        if mine:
            return Allowed()
        return Denied(f"案件 {case.number} 的当事人是{case.party_name}，须由其医共体财务或本单位人员提出。")


# --- the case ------------------------------------------------------------------------------------------------------


@named("not_suspended")
class NotSuspended(Precondition):
    label = "没有中止"

    def check(self, user: User, thing: Case | Track) -> Answer:
        case = case_of(thing)
        if not case.is_suspended:
            return Allowed()
        return Denied(f"案件 {case.number} 自 {case.suspended_on} 起中止办理。请稽核复核恢复办案后再办。")


@named("suspended")
class Suspended(Precondition):
    label = "已经中止"

    def check(self, user: User, thing: Case) -> Answer:
        return Allowed() if thing.is_suspended else Denied(f"案件 {thing.number} 没有中止，不需要恢复。")


@named("two_officers")
class TwoOfficers(Precondition):
    label = "两名以上办案人员，其中一人主办"

    def check(self, user: User, thing: Case) -> Answer:
        rows = list(thing.officers.filter(until__isnull=True))
        if len(rows) >= 2 and any(row.leads for row in rows):
            return Allowed()
        return Denied(f"案件 {thing.number} 现有办案人员 {len(rows)} 人，调查取证不得少于两人且须有一人主办。请稽核复核指定办案人员。")


@named("has_findings")
class HasFindings(Precondition):
    label = "有认定的事实"

    def check(self, user: User, thing: Case | Track) -> Answer:
        case = case_of(thing)
        if case.findings.filter(dropped=False).exists():
            return Allowed()
        way = "撤案" if isinstance(thing, Case) else "对本程序作不予处理"
        return Denied(f"案件 {case.number} 没有认定的事实。请办案人员先认定事实；确无违法违规的，由稽核复核{way}。")


@named("findings_evidenced")
class FindingsEvidenced(Precondition):
    label = "每项事实都有证据"

    def check(self, user: User, thing: Case | Track) -> Answer:
        from audits.reading.findings import unevidenced

        bare = unevidenced(case_of(thing))
        if not bare:
            return Allowed()
        numbers = "、".join(str(finding.number) for finding in bare)
        return Denied(f"事实 {numbers} 没有采用的证据。请办案人员为其附上证据，或不再认定；已在复审的，由复审人剔除。")


@named("evidence_intact")
class EvidenceIntact(Precondition):
    label = "证据与登记的校验值一致"

    def check(self, user: User, thing: Case | Track) -> Answer:
        from audits.reading.evidence import evidence_problems

        found = evidence_problems(case_of(thing))
        return Denied(_told(found)) if found else Allowed()

    def glance(self, user: User, thing: Case | Track) -> Answer:
        from audits.reading.evidence import evidence_problems

        found = evidence_problems(case_of(thing), glance=True)
        return Denied(_told(found)) if found else Allowed()


@named("registered_handled")
class RegisteredHandled(Precondition):
    label = "先行登记保存的证据已处理"

    def check(self, user: User, thing: Case) -> Answer:
        from audits.reading.evidence import unhandled

        waiting = unhandled(thing)
        if not waiting:
            return Allowed()
        names = "、".join(f"{row}（期限 {row.registered_until}）" for row in waiting[:MOST])
        return Denied(f"先行登记保存的证据尚未处理：{names}。请办案人员登记处理结果。")


@named("tracks_ended")
class TracksEnded(Precondition):
    label = "各程序都已办结"

    def check(self, user: User, thing: Case) -> Answer:
        tracks = list(thing.tracks.all())
        going = [f"{track.get_kind_display()}（{track.get_state_display()}）" for track in tracks if track.state not in ENDED_TRACKS]
        if tracks and not going:
            return Allowed()
        return Denied(f"案件 {thing.number} 尚未办结的程序：{'、'.join(going) or '尚未启动任何程序'}。请办案人员办结后再提请结案。")


@named("nothing_outstanding")
class NothingOutstanding(Precondition):
    label = "没有未追回的金额"

    def check(self, user: User, thing: Case) -> Answer:
        from audits.reading.money import nothing_outstanding, outstanding

        if nothing_outstanding(thing):
            return Allowed()
        owed = outstanding(thing)
        what = f"尚有 {owed:,.2f} 元应追回基金没有退回" if owed else "罚款或加处罚款尚未缴清"
        return Denied(f"案件 {thing.number} {what}，不能结案。请先追回、转清算扣减或缴清。")


# --- a track -------------------------------------------------------------------------------------------------------


@named("proposed")
class Proposed(Precondition):
    label = "已拟定处理意见"

    def check(self, user: User, thing: Track) -> Answer:
        if thing.proposed_at is not None:
            return Allowed()
        return Denied(f"{thing.get_kind_display()}还没有拟定处理意见。请办案人员先拟定。")


@named("penalty_in_range")
class PenaltyInRange(Precondition):
    label = "罚款在法定幅度内"

    def check(self, user: User, thing: Track) -> Answer:
        from audits.reading.penalties import penalty_problems

        found = penalty_problems(thing)
        return Denied(_told(found)) if found else Allowed()


@named("has_hearing_right")
class HasHearingRight(Precondition):
    label = "有权要求听证"

    def check(self, user: User, thing: Track) -> Answer:
        if thing.needs_hearing:
            return Allowed()
        text = "拟作出的处理没有达到听证标准，不能申请听证。可在陈述申辩期内提出陈述、申辩。"
        return Denied(text)


@named("within_hearing_limit")
class WithinHearingLimit(Precondition):
    label = "在申请听证的期限内"

    def check(self, user: User, thing: Track) -> Answer:
        row = thing.deadlines.filter(key="hearing_request", ended_on__isnull=True).first()
        if row is None or row.paused_on is not None or timezone.localdate() <= row.last_day:
            return Allowed()
        return Denied(f"申请听证的期限已于 {row.last_day} 届满，逾期申请不予受理。仍可在复审前提出陈述、申辩。")


@named("statement_period_over")
class StatementPeriodOver(Precondition):
    label = "陈述申辩期已满，或当事人无异议"

    def check(self, user: User, thing: Track) -> Answer:
        today = timezone.localdate()
        rows = thing.deadlines.filter(key__in=["statement", "hearing_request"], ended_on__isnull=True)
        last = max((row.last_day for row in rows), default=None)
        if last is None or today > last:
            return Allowed()
        if agreed_now(thing):
            return Allowed()
        return Denied(f"当事人的陈述申辩（听证申请）期限到 {last}，期满前不能提请复审；当事人书面表示无异议的除外。")


@named("statements_answered")
class StatementsAnswered(Precondition):
    label = "当事人的意见都已答复"

    def check(self, user: User, thing: Track) -> Answer:
        open_ones = thing.statements.filter(reply__isnull=True).exclude(kind__in=[StatementKind.AGREED, StatementKind.HEARING])
        numbers = "、".join(str(number) for number in open_ones.order_by("number").values_list("number", flat=True))
        return Denied(f"当事人第 {numbers} 次意见尚未答复。请复审人逐件答复是否采纳及理由。") if numbers else Allowed()


@named("within_claims")
class WithinClaims(Precondition):
    label = "认定金额不超过基金支付"

    def check(self, user: User, thing: Track) -> Answer:
        from audits.reading.findings import over_claims

        found = over_claims(thing.case)
        return Denied(_told(found)) if found else Allowed()


@named("claims_standing")
class ClaimsStanding(Precondition):
    label = "认定的结算没有冲销或更正"

    def check(self, user: User, thing: Track) -> Answer:
        from audits.reading.claims_now import changed_claims

        found = changed_claims(thing.case, penalty=not thing.holds_money)
        return Denied(_told(found)) if found else Allowed()

    def glance(self, user: User, thing: Track) -> Answer:
        return Allowed()


@named("not_barred")
class NotBarred(Precondition):
    label = "没有超过处罚时效"

    def check(self, user: User, thing: Track) -> Answer:
        from audits.reading.penalties import range_of

        if thing.kind != TrackKind.PENALTY or not thing.fine:
            return Allowed()
        legal = range_of(thing)
        if legal.fined or not legal.barred:
            return Allowed()
        told = "；".join(f"事实 {one.finding.number}：{one.why}" for one in legal.barred)
        return Denied(f"{told}。请对行政处罚作不予处理，或退回重新拟定为不罚款。")


@named("owed")
class Owed(Precondition):
    label = "尚有应追回的金额"

    def check(self, user: User, thing: Track) -> Answer:
        from audits.reading.money import outstanding

        if thing.holds_money and outstanding(thing.case):
            return Allowed()
        return Denied(f"案件 {thing.case.number} 没有应追回而未追回的金额。")


@named("came_back")
class CameBack(Precondition):
    label = "有追回登记"

    def check(self, user: User, thing: Track) -> Answer:
        from audits.reading.money import live_rows

        if live_rows(thing).exists():
            return Allowed()
        return Denied(f"案件 {thing.case.number} 的{thing.get_kind_display()}没有可以冲销的追回登记。")


@named("fine_owed")
class FineOwed(Precondition):
    label = "尚有应缴的罚款"

    def check(self, user: User, thing: Track) -> Answer:
        from audits.reading.money import fine_position

        if not fine_position(thing).settled:
            return Allowed()
        return Denied(f"案件 {thing.case.number} 的{thing.get_kind_display()}没有应缴未缴的罚款。")


@named("to_publish")
class ToPublish(Precondition):
    label = "处罚决定尚未公开"

    def check(self, user: User, thing: Track) -> Answer:
        if thing.deadlines.filter(key="publication", ended_on__isnull=True).exists():
            return Allowed()
        return Denied("没有待公开的处罚决定：协议处理不公开，或处罚决定已登记公开。")


@named("track_settled")
class TrackSettled(Precondition):
    label = "款项已结清，处罚决定已公开"

    def check(self, user: User, thing: Track) -> Answer:
        from audits.reading.money import fine_position, outstanding, track_settled

        left = [] if track_settled(thing) else ["款项尚未结清"]
        if left:
            owed = outstanding(thing.case) if thing.holds_money else 0
            left = [f"尚有 {owed:,.2f} 元应追回" if owed else f"罚款尚欠 {fine_position(thing).outstanding:,.2f} 元（加处罚款另计）"]
        if thing.deadlines.filter(key="publication", ended_on__isnull=True).exists():
            left.append("处罚决定尚未登记公开")
        return Denied(f"案件 {thing.case.number} {'，'.join(left)}，不能登记履行完毕。") if left else Allowed()


def did(user: User, case: Case, *acts: str, track: Track | None = None) -> bool:
    """Whether the person ever did one of these acts in a case (or on one track): posts change, what was done stays."""
    rows = case.changes.filter(actor=user, act__in=acts)
    return (rows if track is None else rows.filter(track=track)).exists()


def agreed_now(track: Track) -> bool:
    """Whether the party agreed to the notice that stands: consent to a former one, even of the same day, is spent."""
    notice = track.changes.filter(act=Act.NOTIFY).order_by("-pk").first()
    agreed = track.statements.filter(kind=StatementKind.AGREED)
    return (agreed if notice is None else agreed.filter(given_at__gte=notice.at)).exists()


def _told(found: list[Any]) -> str:
    """The first few problems in one text; how many more there are."""
    more = f"另有 {len(found) - MOST} 处同类问题。" if len(found) > MOST else ""
    return "".join(str(problem) for problem in found[:MOST]) + more
