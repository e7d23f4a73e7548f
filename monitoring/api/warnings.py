"""Warnings and the watch list over the API: what the pages do, through the same services and within the same scope."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import FileResponse, Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter

from core.access import BUREAU_ROLES, has_any_role, require
from core.api import ScopedReadViewSet, given_by
from core.errors import Problem, Refused
from core.exports import attachment
from core.models import Institution, Role
from core.scope import get_visible
from monitoring.models import Warning, WatchEntry
from monitoring.reading.places import place_of
from monitoring.serializers_warnings import (
    ManualWarningRequest,
    WarningAnswerRequest,
    WarningDetailSerializer,
    WarningExtendRequest,
    WarningInquireRequest,
    WarningReasonRequest,
    WarningReturnRequest,
    WarningSendRequest,
    WarningSerializer,
    WarningTalkRequest,
    WatchDecideRequest,
    WatchEntrySerializer,
    WatchRequest,
)
from monitoring.services import warnings as services
from monitoring.services import watching
from monitoring.states import Act
from monitoring.views.warnings_acts import need_right, perform, store_all

FILE = {(200, "application/octet-stream"): OpenApiTypes.BINARY}


class WarningViewSet(ScopedReadViewSet):
    """风险预警"""

    queryset = Warning.objects.with_places().order_by("-pk")
    serializer_class = WarningSerializer
    filterset_fields: ClassVar[dict[str, list[str]]] = {
        "state": ["exact"], "level": ["exact"], "fund_type": ["exact"], "cause": ["exact"], "place": ["exact"],
        "county__code": ["exact"], "alliance__code": ["exact"], "due_on": ["lte", "gte"], "number": ["exact"],
    }  # fmt: skip
    parser_classes = [MultiPartParser, FormParser, JSONParser]

    def get_queryset(self) -> Any:
        found = super().get_queryset()
        if self.action == "list":
            return found
        return found.prefetch_related("figures", "answers__answered_by", "answers__files", "changes__actor", "changes__files")

    def get_serializer_class(self) -> Any:
        return WarningSerializer if self.action == "list" else WarningDetailSerializer

    @extend_schema(request=ManualWarningRequest, responses={201: WarningDetailSerializer})
    def create(self, request: Request) -> Response:
        """Raise a warning by hand."""
        given = given_by(ManualWarningRequest, request)
        user: Any = request.user
        place = place_of(user, given["place"])
        made = services.raise_manual(
            user, place, given["fund_type"], given["title"], given["level"], given["reason"], given["indicator"]
        )
        return Response(WarningDetailSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=WarningSendRequest, responses=WarningDetailSerializer)
    @action(detail=True, methods=["post"])
    def send(self, request: Request, pk: str | None = None) -> Response:
        return self._act(Act.SEND, WarningSendRequest)

    @extend_schema(request=WarningAnswerRequest, responses=WarningDetailSerializer)
    @action(detail=True, methods=["post"])
    def answer(self, request: Request, pk: str | None = None) -> Response:
        """Answer with cause, measures, day and files."""
        return self._act(Act.ANSWER, WarningAnswerRequest)

    @extend_schema(request=WarningReasonRequest, responses=WarningDetailSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str | None = None) -> Response:
        return self._act(Act.WITHDRAW, WarningReasonRequest)

    @extend_schema(request=WarningReturnRequest, responses=WarningDetailSerializer)
    @action(detail=True, methods=["post"], url_path="return")
    def return_it(self, request: Request, pk: str | None = None) -> Response:
        return self._act(Act.RETURN, WarningReturnRequest)

    @extend_schema(request=WarningReasonRequest, responses=WarningDetailSerializer)
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, pk: str | None = None) -> Response:
        return self._act(Act.ACCEPT, WarningReasonRequest)

    @extend_schema(request=WarningInquireRequest, responses=WarningDetailSerializer)
    @action(detail=True, methods=["post"])
    def inquire(self, request: Request, pk: str | None = None) -> Response:
        return self._act(Act.INQUIRE, WarningInquireRequest)

    @extend_schema(request=WarningTalkRequest, responses=WarningDetailSerializer)
    @action(detail=True, methods=["post"])
    def talk(self, request: Request, pk: str | None = None) -> Response:
        return self._act(Act.TALK, WarningTalkRequest)

    @extend_schema(request=WarningExtendRequest, responses=WarningDetailSerializer)
    @action(detail=True, methods=["post"])
    def extend(self, request: Request, pk: str | None = None) -> Response:
        return self._act(Act.EXTEND, WarningExtendRequest)

    @extend_schema(request=WarningReasonRequest, responses=WarningDetailSerializer)
    @action(detail=True, methods=["post"])
    def report(self, request: Request, pk: str | None = None) -> Response:
        return self._act(Act.REPORT, WarningReasonRequest)

    @extend_schema(request=WarningReasonRequest, responses=WarningDetailSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: str | None = None) -> Response:
        return self._act(Act.CLOSE, WarningReasonRequest)

    @extend_schema(request=WarningReasonRequest, responses=WarningDetailSerializer)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str | None = None) -> Response:
        return self._act(Act.REOPEN, WarningReasonRequest)

    @extend_schema(request=WatchRequest, responses={201: WatchEntrySerializer})
    @action(detail=True, methods=["post"], url_path="propose-watch")
    def propose_watch(self, request: Request, pk: str | None = None) -> Response:
        """Propose a consequence for an institution of the warning's county."""
        found: Warning = self.get_object()
        user: Any = request.user
        if found.county is None:
            raise Http404("本预警不涉及县（区）。")
        require(user, watching.PROPOSE, found.county)
        given = given_by(WatchRequest, request)
        institution = get_visible(Institution.objects.all(), user, code=given["institution"])
        made = watching.propose_watch(
            user, found, institution, given["consequence"], given["detail"], given["valid_from"], given["valid_to"]
        )
        return Response(WatchEntrySerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        responses=FILE, parameters=[OpenApiParameter("file_id", OpenApiTypes.INT, OpenApiParameter.PATH)]
    )
    @action(detail=True, methods=["get"], url_path=r"files/(?P<file_id>[0-9]{1,12})")
    def file(self, request: Request, pk: str | None = None, file_id: str = "") -> FileResponse:
        """A file of an answer or an act."""
        found: Warning = self.get_object()
        rows: list[Any] = [*found.answers.all(), *found.changes.all()]
        for row in rows:
            for stored in row.files.all():
                if stored.pk == int(file_id):
                    return attachment(stored)
        return attachment(None)

    def _act(self, act: Act, asked: Any) -> Response:
        found: Warning = self.get_object()
        user: Any = self.request.user
        need_right(user, found, act)
        given = given_by(asked, self.request)
        problems: list[Problem] = []
        if "files" in given:
            given["files"] = store_all(given["files"], user, problems)
        if problems:
            raise Refused(problems)
        perform(user, found, act, given)
        return Response(WarningDetailSerializer(self.get_object()).data)


class WatchEntryViewSet(ScopedReadViewSet):
    """监控重点"""

    queryset = WatchEntry.objects.select_related(
        "county__pooling_area", "institution", "warning", "proposed_by", "decided_by"
    ).order_by("-pk")
    serializer_class = WatchEntrySerializer
    filterset_fields: ClassVar[dict[str, list[str]]] = {
        "status": ["exact"], "consequence": ["exact"], "fund_type": ["exact"], "county__code": ["exact"],
    }  # fmt: skip

    def get_queryset(self) -> Any:
        found = super().get_queryset()
        return found if has_any_role(self.request.user, BUREAU_ROLES | {Role.OBSERVER}) else found.none()

    @extend_schema(request=WatchDecideRequest, responses=WatchEntrySerializer)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, pk: str | None = None) -> Response:
        found, user = self.get_object(), request.user
        require(user, watching.DECIDE, found.county)  # type: ignore[arg-type]
        given = given_by(WatchDecideRequest, request)
        done = watching.decide_watch(user, found, given["approve"], given["reason"])  # type: ignore[arg-type]
        return Response(WatchEntrySerializer(done).data)

    @extend_schema(request=WarningReasonRequest, responses=WatchEntrySerializer)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str | None = None) -> Response:
        found, user = self.get_object(), request.user
        require(user, watching.END, found.county)  # type: ignore[arg-type]
        done = watching.end_watch(user, found, given_by(WarningReasonRequest, request)["reason"])  # type: ignore[arg-type]
        return Response(WatchEntrySerializer(done).data)


def register(router: DefaultRouter) -> None:
    router.register("warnings", WarningViewSet, basename="warning")
    router.register("watch-entries", WatchEntryViewSet, basename="watch-entry")
