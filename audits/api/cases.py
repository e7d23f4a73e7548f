"""Cases and their two tracks over the API: what the pages do, through the same services and within the same scope."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter

from audits.access import reads_audits
from audits.models import Case, Track
from audits.reading.cases import found_yuan, told_tracks
from audits.serializers_cases import (
    AuditCaseDetailSerializer,
    AuditCaseSerializer,
    AuditTrackSerializer,
    CaseActSerializer,
    CaseExpertRequest,
    CaseExtendRequest,
    CaseOfficersRequest,
    CasePassRequest,
    PartyCaseSerializer,
    PartyTrackSerializer,
    TrackServiceRequest,
)
from audits.serializers_money import AuditReasonRequest
from audits.serializers_papers import given_with_files
from audits.services import cases
from audits.services.steps import allowed_acts, allowed_track_acts
from audits.states import Act, roles_of
from audits.views.case_acts import need_right, perform
from audits.views.case_panel import ASK_OPINION, END_OPINION
from core.access import Denied, has_any_role
from core.api import ScopedReadViewSet, given_by
from core.errors import Problem, Refused
from core.models import User

EXACT = ["exact"]
SENT = [MultiPartParser, FormParser, JSONParser]


class AuditCaseViewSet(ScopedReadViewSet):
    """稽核案件"""

    queryset = Case.objects.with_places().select_related("first_reviewed_by").order_by("-filed_on", "-pk")
    filterset_fields: ClassVar[dict[str, list[str]]] = {
        "number": EXACT, "state": EXACT, "kind": EXACT, "way": EXACT, "party_kind": EXACT, "county__code": EXACT,
        "alliance__code": EXACT, "institution__code": EXACT, "filed_on": ["gte", "lte"],
    }  # fmt: skip
    parser_classes = SENT

    def get_queryset(self) -> Any:
        people = ("proposed_by", "re_reviewed_by", "legal_by", "decided_by", "case")
        rows = super().get_queryset().annotate(found=found_yuan())
        rows = rows.prefetch_related(*(f"tracks__{one}" for one in people), "deadlines__track")
        if self.action == "list":
            return rows
        return rows.prefetch_related("officers__user", "changes__actor", "changes__track")

    def get_serializer_class(self) -> Any:
        if not getattr(self, "swagger_fake_view", False) and not reads_audits(self.request.user):
            return PartyCaseSerializer
        return AuditCaseSerializer if self.action == "list" else AuditCaseDetailSerializer

    @extend_schema(responses=CaseActSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def acts(self, request: Request, pk: str | None = None) -> Response:
        """Every act on the case and its tracks: whether the caller may do it now, and why not."""
        return Response(CaseActSerializer(acts_of(request.user, self.get_object()), many=True).data)

    @extend_schema(request=AuditReasonRequest, responses=AuditCaseDetailSerializer)
    @action(detail=True, methods=["post"])
    def submit(self, request: Request, pk: str | None = None) -> Response:
        """Put the findings before the first review."""
        return self._act(Act.SUBMIT, AuditReasonRequest)

    @extend_schema(request=CasePassRequest, responses=AuditCaseDetailSerializer)
    @action(detail=True, methods=["post"], url_path="pass-first")
    def pass_first(self, request: Request, pk: str | None = None) -> Response:
        """The first review holds; opens the chosen tracks."""
        return self._act(Act.PASS_FIRST, CasePassRequest)

    @extend_schema(request=AuditReasonRequest, responses=AuditCaseDetailSerializer)
    @action(detail=True, methods=["post"], url_path="return-first")
    def return_first(self, request: Request, pk: str | None = None) -> Response:
        return self._act(Act.RETURN_FIRST, AuditReasonRequest)

    @extend_schema(request=CaseOfficersRequest, responses=AuditCaseDetailSerializer)
    @action(detail=True, methods=["post"], url_path="set-officers")
    def set_officers(self, request: Request, pk: str | None = None) -> Response:
        """Name who investigates from today on, with the enforcement cards."""
        found, user = self._mine(Act.OFFICERS)
        given = given_by(CaseOfficersRequest, request)
        cases.set_officers(user, found, named(given["officers"]), given["reason"])
        return self._shown()

    @extend_schema(request=CaseExtendRequest, responses=AuditCaseDetailSerializer)
    @action(detail=True, methods=["post"])
    def extend(self, request: Request, pk: str | None = None) -> Response:
        """More time on a running limit."""
        return self._act(Act.EXTEND, CaseExtendRequest)

    @extend_schema(request=CaseExpertRequest, responses=AuditCaseDetailSerializer)
    @action(detail=True, methods=["post"], url_path="ask-opinion")
    def ask_opinion(self, request: Request, pk: str | None = None) -> Response:
        """An expert's opinion: the days until it is there do not count for the decision."""
        return self._act(ASK_OPINION, CaseExpertRequest)

    @extend_schema(request=AuditReasonRequest, responses=AuditCaseDetailSerializer)
    @action(detail=True, methods=["post"], url_path="end-opinion")
    def end_opinion(self, request: Request, pk: str | None = None) -> Response:
        return self._act(END_OPINION, AuditReasonRequest)

    @extend_schema(request=AuditReasonRequest, responses=AuditCaseDetailSerializer)
    @action(detail=True, methods=["post"])
    def suspend(self, request: Request, pk: str | None = None) -> Response:
        return self._act(Act.SUSPEND, AuditReasonRequest)

    @extend_schema(request=AuditReasonRequest, responses=AuditCaseDetailSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str | None = None) -> Response:
        return self._act(Act.RESUME, AuditReasonRequest)

    @extend_schema(request=AuditReasonRequest, responses=AuditCaseDetailSerializer)
    @action(detail=True, methods=["post"])
    def dismiss(self, request: Request, pk: str | None = None) -> Response:
        return self._act(Act.DISMISS, AuditReasonRequest)

    @extend_schema(request=AuditReasonRequest, responses=AuditCaseDetailSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: str | None = None) -> Response:
        """Everything is done and nothing is owed any more."""
        return self._act(Act.CLOSE, AuditReasonRequest)

    def _act(self, act: str, asked: Any) -> Response:
        found, user = self._mine(act)
        perform(user, found, act, given_with_files(asked, self.request))
        return self._shown()

    def _mine(self, act: str) -> tuple[Case, Any]:
        found: Case = self.get_object()
        need_right(self.request.user, found, act)
        return found, self.request.user

    def _shown(self) -> Response:
        return Response(AuditCaseDetailSerializer(self.get_object()).data)


class AuditTrackViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    """案件的协议处理和行政处罚程序"""

    queryset = Track.objects.select_related(
        "case__pooling_area", "case__county__pooling_area", "case__alliance__county", "case__institution__county", "proposed_by",
        "re_reviewed_by", "legal_by", "decided_by",
    ).order_by("-case__filed_on", "-pk")  # fmt: skip
    filterset_fields: ClassVar[dict[str, list[str]]] = {
        "case__number": EXACT, "kind": EXACT, "state": EXACT, "served_on": ["gte", "lte"], "notified_on": ["gte", "lte"],
    }  # fmt: skip
    parser_classes = SENT

    def get_queryset(self) -> Any:
        rows: Any = super().get_queryset()
        user: Any = self.request.user
        if getattr(self, "swagger_fake_view", False):
            return rows.none()
        rows = rows.filter(case__in=Case.objects.visible_to(user).values("pk"))
        return rows if reads_audits(user) else rows.filter(notified_on__isnull=False)

    def filter_queryset(self, queryset: Any) -> Any:
        """A party hears in which step of the bureau's its case is from nobody, a filter included."""
        given = self.request.query_params.get("state", "")
        if given and not reads_audits(self.request.user):
            raise Refused([Problem("state", given, "当事人不能按办理状态筛选程序。", "请去掉 state，或按送达日期筛选。")])
        return super().filter_queryset(queryset)

    def get_serializer_class(self) -> Any:
        fake = getattr(self, "swagger_fake_view", False)
        return AuditTrackSerializer if fake or reads_audits(self.request.user) else PartyTrackSerializer

    @extend_schema(request=TrackServiceRequest, responses=AuditTrackSerializer)
    @action(detail=True, methods=["post"])
    def notify(self, request: Request, pk: str | None = None) -> Response:
        """Serve the notice of what is proposed."""
        return self._act(Act.NOTIFY, TrackServiceRequest)

    @extend_schema(request=AuditReasonRequest, responses=AuditTrackSerializer)
    @action(detail=True, methods=["post"], url_path="put-forward")
    def put_forward(self, request: Request, pk: str | None = None) -> Response:
        return self._act(Act.PUT_FORWARD, AuditReasonRequest)

    @extend_schema(request=AuditReasonRequest, responses=AuditTrackSerializer)
    @action(detail=True, methods=["post"], url_path="pass-re")
    def pass_re(self, request: Request, pk: str | None = None) -> Response:
        """The re-review holds; on to the legal review where the limits require one."""
        return self._act(Act.PASS_RE, AuditReasonRequest)

    @extend_schema(request=AuditReasonRequest, responses=AuditTrackSerializer)
    @action(detail=True, methods=["post"], url_path="return-re")
    def return_re(self, request: Request, pk: str | None = None) -> Response:
        return self._act(Act.RETURN_RE, AuditReasonRequest)

    @extend_schema(request=AuditReasonRequest, responses=AuditTrackSerializer)
    @action(detail=True, methods=["post"], url_path="pass-legal")
    def pass_legal(self, request: Request, pk: str | None = None) -> Response:
        return self._act(Act.PASS_LEGAL, AuditReasonRequest)

    @extend_schema(request=AuditReasonRequest, responses=AuditTrackSerializer)
    @action(detail=True, methods=["post"], url_path="return-legal")
    def return_legal(self, request: Request, pk: str | None = None) -> Response:
        return self._act(Act.RETURN_LEGAL, AuditReasonRequest)

    @extend_schema(request=AuditReasonRequest, responses=AuditTrackSerializer)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, pk: str | None = None) -> Response:
        return self._act(Act.DECIDE, AuditReasonRequest)

    @extend_schema(request=TrackServiceRequest, responses=AuditTrackSerializer)
    @action(detail=True, methods=["post"])
    def serve(self, request: Request, pk: str | None = None) -> Response:
        """Serve the decision: its money takes effect."""
        return self._act(Act.SERVE, TrackServiceRequest)

    @extend_schema(request=AuditReasonRequest, responses=AuditTrackSerializer)
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str | None = None) -> Response:
        return self._act(Act.PUBLISH, AuditReasonRequest)

    @extend_schema(request=AuditReasonRequest, responses=AuditTrackSerializer)
    @action(detail=True, methods=["post"])
    def complete(self, request: Request, pk: str | None = None) -> Response:
        return self._act(Act.COMPLETE, AuditReasonRequest)

    @extend_schema(request=AuditReasonRequest, responses=AuditTrackSerializer)
    @action(detail=True, methods=["post"])
    def drop(self, request: Request, pk: str | None = None) -> Response:
        return self._act(Act.DROP, AuditReasonRequest)

    def _act(self, act: str, asked: Any) -> Response:
        found: Track = self.get_object()
        need_right(self.request.user, found, act)
        perform(self.request.user, found, act, given_with_files(asked, self.request))
        return Response(AuditTrackSerializer(self.get_object()).data)


def acts_of(user: Any, case: Case) -> list[dict[str, Any]]:
    """The acts of people on a case and its tracks; a party hears of its own acts only, on what it was told of."""
    inside = reads_audits(user)
    tracks = list(case.tracks.all())
    answers: list[tuple[str, dict[Act, Any]]] = [("", allowed_acts(user, case))]
    for track in tracks if inside else told_tracks(tracks):
        track.case = case
        answers.append((track.kind, allowed_track_acts(user, track)))
    return [
        {
            "track": kind, "act": str(act), "label": act.label, "allowed": bool(answer),
            "reason": answer.reason if isinstance(answer, Denied) else "",
        }
        for kind, held in answers
        for act, answer in held.items()
        if inside or has_any_role(user, roles_of(act))
    ]  # fmt: skip


def named(officers: list[dict[str, Any]]) -> list[tuple[User, str, bool]]:
    """The officers by user name; every unknown one at once."""
    people = {user.username: user for user in User.objects.filter(username__in=[one["user"] for one in officers], is_active=True)}
    problems = [
        Problem("officers", one["user"], f"没有用户名为“{one['user']}”的在用人员。", "请核对用户名。")
        for one in officers
        if one["user"] not in people
    ]
    if problems:
        raise Refused(problems)
    return [(people[one["user"]], one["card"], one["leads"]) for one in officers]


def register(router: DefaultRouter) -> None:
    router.register("audit-cases", AuditCaseViewSet, basename="audit-case")
    router.register("audit-tracks", AuditTrackViewSet, basename="audit-track")
