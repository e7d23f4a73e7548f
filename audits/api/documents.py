"""Documents, measures, hand-overs and follow-ups over the API: the services of the pages, within the same scope."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import Http404, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter

from audits.access import reads_audits
from audits.models import Case, CaseDocument, FollowUp, Measure, Referral
from audits.serializers_papers import (
    CaseDocumentDetailSerializer,
    CaseDocumentSerializer,
    CaseFollowUpRequest,
    DocumentMakeRequest,
    DocumentRenewRequest,
    FollowUpResultRequest,
    FollowUpSerializer,
    MeasureEndRequest,
    MeasureRequest,
    MeasureSendRequest,
    MeasureSerializer,
    ReferralRecordRequest,
    ReferralReplyRequest,
    ReferralRequest,
    ReferralSerializer,
    given_with_files,
)
from audits.services import documents, follow_ups, measures, referrals
from audits.services.steps import right
from audits.states import Act
from audits.views.papers import file_of
from core.access import Denied, NotAllowed
from core.api import ScopedReadViewSet
from core.scope import get_visible

WORD = {(200, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"): OpenApiTypes.BINARY}


class _OfCaseViewSet(ScopedReadViewSet):
    """Rows of cases; acts need the right before their input is judged."""

    parser_classes = [MultiPartParser, FormParser, JSONParser]
    act: ClassVar[str] = ""

    def case_of(self) -> Case:
        """The case the request names by its number, in scope and with the right to the act; 404 or 403 otherwise."""
        data: Any = self.request.data
        number = str(data.get("case", "")) if hasattr(data, "get") else ""
        found: Case = get_visible(Case.objects.with_places(), self.request.user, number=number)
        self.need(found)
        return found

    def need(self, case: Case) -> None:
        answer = right(self.request.user, case, self.act)  # type: ignore[arg-type]
        if isinstance(answer, Denied):
            raise NotAllowed(answer)

    def mine(self) -> Any:
        """The row in scope, with the right to the act."""
        found = self.get_object()
        self.need(found.case)
        return found


class CaseDocumentViewSet(_OfCaseViewSet):
    """案件文书"""

    queryset = CaseDocument.objects.with_case().select_related("track", "file").order_by("-pk")
    serializer_class = CaseDocumentSerializer
    filterset_fields: ClassVar[dict[str, list[str]]] = {
        "case__number": ["exact"], "kind": ["exact"], "number": ["exact"], "version": ["exact"],
    }  # fmt: skip

    def get_queryset(self) -> Any:
        found = super().get_queryset()
        return found.defer("content") if self.action == "list" else found

    def get_serializer_class(self) -> Any:
        return CaseDocumentSerializer if self.action == "list" else CaseDocumentDetailSerializer

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "inside": reads_audits(self.request.user)}

    def need(self, case: Case) -> None:
        answer = documents.may_make(self.request.user, case)  # type: ignore[arg-type]
        if isinstance(answer, Denied):
            raise NotAllowed(answer)

    @extend_schema(request=DocumentMakeRequest, responses={201: CaseDocumentDetailSerializer})
    def create(self, request: Request) -> Response:
        """Make a document that no act makes by itself."""
        case = self.case_of()
        given = given_with_files(DocumentMakeRequest, request)
        track = case.tracks.filter(kind=given["track"]).first() if given["track"] else None
        if given["track"] and track is None:
            raise Http404("本案没有这一程序。")
        serves = get_visible(CaseDocument.objects.filter(case=case), request.user, pk=given["serves"]) if given["serves"] else None
        made = documents.write_document(
            request.user, case, given["kind"], serves.track if serves is not None else track, serves  # type: ignore[arg-type]
        )  # fmt: skip
        return self._answer(made, status.HTTP_201_CREATED)

    @extend_schema(request=DocumentRenewRequest, responses={201: CaseDocumentDetailSerializer})
    @action(detail=True, methods=["post"])
    def renew(self, request: Request, pk: str | None = None) -> Response:
        """A new version under the same number."""
        found = self.mine()
        made = documents.renew_document(request.user, found, given_with_files(DocumentRenewRequest, request)["reason"])  # type: ignore[arg-type]
        return self._answer(made, status.HTTP_201_CREATED)

    @extend_schema(responses=WORD)
    @action(detail=True, methods=["get"])
    def file(self, request: Request, pk: str | None = None) -> HttpResponse:
        """The stored Word file."""
        return file_of(request.user, self.get_object())

    def _answer(self, made: CaseDocument, code: int) -> Response:
        return Response(CaseDocumentDetailSerializer(made, context=self.get_serializer_context()).data, status=code)


class MeasureViewSet(_OfCaseViewSet):
    """监管措施"""

    act = Act.CONSEQUENCE
    queryset = Measure.objects.with_case().order_by("-pk")
    serializer_class = MeasureSerializer
    filterset_fields: ClassVar[dict[str, list[str]]] = {
        "case__number": ["exact"], "kind": ["exact"], "due_on": ["lte", "gte"], "outcome_on": ["isnull"],
    }  # fmt: skip

    @extend_schema(request=MeasureRequest, responses={201: MeasureSerializer})
    def create(self, request: Request) -> Response:
        """Record a measure; its letter is made with it."""
        case = self.case_of()
        given = given_with_files(MeasureRequest, request)
        del given["case"]
        made = measures.record_measure(request.user, case, **given)  # type: ignore[arg-type]
        return Response(MeasureSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=MeasureSendRequest, responses=MeasureSerializer)
    @action(detail=True, methods=["post"])
    def send(self, request: Request, pk: str | None = None) -> Response:
        done = measures.send_measure(request.user, self.mine(), given_with_files(MeasureSendRequest, request)["on"])  # type: ignore[arg-type]
        return Response(MeasureSerializer(done).data)

    @extend_schema(request=MeasureEndRequest, responses=MeasureSerializer)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str | None = None) -> Response:
        """What came of it, once."""
        found = self.mine()
        done = measures.end_measure(request.user, found, **given_with_files(MeasureEndRequest, request))  # type: ignore[arg-type]
        return Response(MeasureSerializer(done).data)


class ReferralViewSet(_OfCaseViewSet):
    """移送"""

    act = Act.REFER
    queryset = Referral.objects.with_case().order_by("-pk")
    serializer_class = ReferralSerializer
    filterset_fields: ClassVar[dict[str, list[str]]] = {
        "case__number": ["exact"], "body": ["exact"], "due_on": ["lte", "gte"], "replied_on": ["isnull"],
    }  # fmt: skip

    @extend_schema(request=ReferralRequest, responses={201: ReferralSerializer})
    def create(self, request: Request) -> Response:
        """Hand a case over; its letter is made with it."""
        case = self.case_of()
        given = given_with_files(ReferralRequest, request)
        files = given.pop("files")
        del given["case"]
        made = referrals.refer(request.user, case, **given, record=files[0] if files else None)  # type: ignore[arg-type]
        return Response(ReferralSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=ReferralRecordRequest, responses=ReferralSerializer)
    @action(detail=True, methods=["post"])
    def attach(self, request: Request, pk: str | None = None) -> Response:
        """The signed record of hand-over, once."""
        found = self.mine()
        done = referrals.attach_record(request.user, found, given_with_files(ReferralRecordRequest, request)["files"][0])  # type: ignore[arg-type]
        return Response(ReferralSerializer(done).data)

    @extend_schema(request=ReferralReplyRequest, responses=ReferralSerializer)
    @action(detail=True, methods=["post"])
    def reply(self, request: Request, pk: str | None = None) -> Response:
        """What was answered, once."""
        found = self.mine()
        given = given_with_files(ReferralReplyRequest, request)
        files = given.pop("files")
        done = referrals.note_reply(request.user, found, **given, file=files[0] if files else None)  # type: ignore[arg-type]
        return Response(ReferralSerializer(done).data)


class FollowUpViewSet(_OfCaseViewSet):
    """回头看"""

    act = Act.FOLLOW_UP
    queryset = FollowUp.objects.with_case().select_related("lead").order_by("-pk")
    serializer_class = FollowUpSerializer
    filterset_fields: ClassVar[dict[str, list[str]]] = {
        "case__number": ["exact"], "due_on": ["lte", "gte"], "done_on": ["isnull"], "result": ["exact"],
    }  # fmt: skip

    @extend_schema(request=CaseFollowUpRequest, responses={201: FollowUpSerializer})
    def create(self, request: Request) -> Response:
        """Plan a check."""
        case = self.case_of()
        given = given_with_files(CaseFollowUpRequest, request)
        made = follow_ups.plan_follow_up(request.user, case, due_on=given["due_on"], focus=given["focus"])  # type: ignore[arg-type]
        return Response(FollowUpSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=FollowUpResultRequest, responses=FollowUpSerializer)
    @action(detail=True, methods=["post"])
    def finish(self, request: Request, pk: str | None = None) -> Response:
        """What was found, once; not mended: a new lead."""
        found = self.mine()
        done = follow_ups.finish_follow_up(request.user, found, **given_with_files(FollowUpResultRequest, request))  # type: ignore[arg-type]
        return Response(FollowUpSerializer(done).data)


def register(router: DefaultRouter) -> None:
    """Called by :mod:`audits.api`."""
    router.register("case-documents", CaseDocumentViewSet, basename="case-document")
    router.register("case-measures", MeasureViewSet, basename="case-measure")
    router.register("case-referrals", ReferralViewSet, basename="case-referral")
    router.register("case-follow-ups", FollowUpViewSet, basename="case-follow-up")
