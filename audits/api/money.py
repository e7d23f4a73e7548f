"""The money of cases over the API: what the page shows and does, through the same services and within the same scope."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter

from audits.models import Case, Track
from audits.serializers_money import (
    CaseBriefSerializer,
    CaseMoneySerializer,
    DeductRequest,
    EndRemedyRequest,
    PayFineRequest,
    ProposeMeasuresRequest,
    ProposePenaltyRequest,
    ReceiveRequest,
    RemedyRequest,
    TakeBackRequest,
)
from audits.states import Act, TrackKind
from audits.views.money import FILES, need_right, perform
from audits.views.money_panel import END_REMEDY
from core.api import ScopedReadViewSet
from core.errors import Refused
from core.files import store_evidence, upload_problems


class CaseMoneyViewSet(ScopedReadViewSet):
    """稽核金额"""

    queryset = Case.objects.with_places().order_by("-pk")
    serializer_class = CaseMoneySerializer
    filterset_fields: ClassVar[dict[str, list[str]]] = {
        "number": ["exact"], "state": ["exact"], "county__code": ["exact"], "alliance__code": ["exact"],
    }  # fmt: skip
    parser_classes = [MultiPartParser, FormParser, JSONParser]

    def get_serializer_class(self) -> Any:
        return CaseBriefSerializer if self.action == "list" else CaseMoneySerializer

    @extend_schema(request=ReceiveRequest, responses=CaseMoneySerializer)
    @action(detail=True, methods=["post"])
    def receive(self, request: Request, pk: str | None = None) -> Response:
        """A bank receipt of money repaid to one fund."""
        return self._act(Act.RECEIVE, ReceiveRequest, self._money_track())

    @extend_schema(request=DeductRequest, responses=CaseMoneySerializer)
    @action(detail=True, methods=["post"])
    def deduct(self, request: Request, pk: str | None = None) -> Response:
        """Set what is owed to one fund off against the next open settlement."""
        return self._act(Act.DEDUCT, DeductRequest, self._money_track())

    @extend_schema(request=TakeBackRequest, responses=CaseMoneySerializer)
    @action(detail=True, methods=["post"], url_path="take-back")
    def take_back(self, request: Request, pk: str | None = None) -> Response:
        """Undo a wrong receipt or deduction."""
        return self._act(Act.TAKE_BACK, TakeBackRequest, self._money_track())

    @extend_schema(request=PayFineRequest, responses=CaseMoneySerializer)
    @action(detail=True, methods=["post"], url_path="pay-fine")
    def pay_fine(self, request: Request, pk: str | None = None) -> Response:
        """A fine or its surcharge paid into the treasury."""
        return self._act(Act.PAY_FINE, PayFineRequest, self._track(TrackKind.PENALTY))

    @extend_schema(request=RemedyRequest, responses=CaseMoneySerializer)
    @action(detail=True, methods=["post"])
    def remedy(self, request: Request, pk: str | None = None) -> Response:
        """A review or suit that was accepted."""
        return self._act(Act.REMEDY, RemedyRequest, self._track(_kind(request)))

    @extend_schema(request=EndRemedyRequest, responses=CaseMoneySerializer)
    @action(detail=True, methods=["post"], url_path="end-remedy")
    def end_remedy(self, request: Request, pk: str | None = None) -> Response:
        """How a review or suit ended."""
        return self._act(END_REMEDY, EndRemedyRequest, self._track(_kind(request)))

    @extend_schema(request=ProposeMeasuresRequest, responses=CaseMoneySerializer)
    @action(detail=True, methods=["post"], url_path="propose-measures")
    def propose_measures(self, request: Request, pk: str | None = None) -> Response:
        """What is proposed under the agreement."""
        return self._act(Act.PROPOSE, ProposeMeasuresRequest, self._track(TrackKind.AGREEMENT))

    @extend_schema(request=ProposePenaltyRequest, responses=CaseMoneySerializer)
    @action(detail=True, methods=["post"], url_path="propose-penalty")
    def propose_penalty(self, request: Request, pk: str | None = None) -> Response:
        """A fine within the legal range."""
        return self._act(Act.PROPOSE, ProposePenaltyRequest, self._track(TrackKind.PENALTY))

    def _act(self, act: str, asked: Any, track: Track) -> Response:
        user: Any = self.request.user
        need_right(user, track, act)
        form = asked(data=self.request.data)
        form.is_valid(raise_exception=True)
        given = dict(form.validated_data)
        problems = upload_problems(given.get("files", ()))
        if problems:
            raise Refused(problems)
        given["files"] = [store_evidence(upload, FILES, user) for upload in given.get("files", ())]
        perform(user, track, act, given)
        return Response(CaseMoneySerializer(self.get_object()).data)

    def _money_track(self) -> Track:
        return self._found(holds_money=True)

    def _track(self, kind: str) -> Track:
        return self._found(kind=kind)

    def _found(self, **wanted: Any) -> Track:
        case: Case = self.get_object()
        track = case.tracks.filter(**wanted).first()
        if track is None:
            raise Http404("本案没有这一程序。")
        track.case = case
        return track


def _kind(request: Request) -> str:
    data: Any = request.data
    return str(data.get("track", "")) if hasattr(data, "get") else ""


def register(router: DefaultRouter) -> None:
    router.register("case-money", CaseMoneyViewSet, basename="case-money")
