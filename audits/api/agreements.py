"""Agreements, people, points, qualifications and yearly checks over the API: the pages' services, within the same scope."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter

from audits.models import Agreement, AgreementChange, Physician, PointEntry, Qualification, YearlyCheck
from audits.serializers_agreements import (
    AgreementDetailSerializer,
    AgreementRequest,
    AgreementSerializer,
    ChangeRequest,
    ChangeVerdictRequest,
    EndRequest,
    MonthsRequest,
    MoveRequest,
    PhysicianRequest,
    PhysicianSerializer,
    PointEntrySerializer,
    PointReasonRequest,
    PointRequest,
    QualificationSerializer,
    VerdictRequest,
    YearlyCheckRequest,
    YearlyCheckSerializer,
)
from audits.services import agreements, physicians, points, qualifications, yearly_check
from audits.views.agreement_parts import find_case, find_institution, need_reader
from audits.views.points import proposed
from core.access import require
from core.api import ScopedReadViewSet, given_by
from core.scope import get_visible

EXACT = ["exact"]


class _ReadersViewSet(ScopedReadViewSet):
    """Read by the posts that open the pages."""

    def get_queryset(self) -> Any:
        need_reader(self.request.user)
        return super().get_queryset()


class AgreementViewSet(_ReadersViewSet):
    """服务协议"""

    queryset = Agreement.objects.with_places().order_by("pk")
    filterset_fields: ClassVar[dict[str, list[str]]] = {"year": EXACT, "state": EXACT, "institution__code": EXACT}

    def get_serializer_class(self) -> Any:
        return AgreementDetailSerializer if self.action != "list" else AgreementSerializer

    @extend_schema(request=AgreementRequest, responses={201: AgreementDetailSerializer})
    def create(self, request: Request) -> Response:
        """Apply for an agreement."""
        user: Any = request.user
        given = given_by(AgreementRequest, request)
        made = agreements.enter(user, find_institution(user, given.pop("institution")), given)
        return self._shown(made, status.HTTP_201_CREATED)

    @extend_schema(request=ChangeRequest, responses=AgreementDetailSerializer)
    @action(detail=True, methods=["post"])
    def change(self, request: Request, pk: str | None = None) -> Response:
        """Propose a change."""
        user: Any = request.user
        found, given = self.get_object(), given_by(ChangeRequest, request)
        require(user, agreements.proposing(given["kind"]), found.institution)
        case = find_case(user, given["case"])
        agreements.propose_change(
            user, found, given["kind"], text=given["text"], from_on=given["from_on"], until=given["until"], case=case
        )
        return self._shown(found)

    @extend_schema(request=ChangeVerdictRequest, responses=AgreementDetailSerializer)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, pk: str | None = None) -> Response:
        """Approve or return a change, or the application."""
        user: Any = request.user
        found, given = self.get_object(), given_by(ChangeVerdictRequest, request)
        rows = AgreementChange.objects.select_related("agreement__institution__county")
        change = get_visible(rows, user, pk=given["change"], agreement=found)
        agreements.decide_change(user, change, given["approve"], given["reason"])
        return self._shown(found)

    def _shown(self, row: Agreement, code: int = status.HTTP_200_OK) -> Response:
        fresh = Agreement.objects.with_places().get(pk=row.pk)
        return Response(AgreementDetailSerializer(fresh, context={"request": self.request}).data, status=code)


class PhysicianViewSet(_ReadersViewSet):
    """医保医师（药师）"""

    queryset = Physician.objects.select_related("institution__county__pooling_area").order_by("pk")
    serializer_class = PhysicianSerializer
    filterset_fields: ClassVar[dict[str, list[str]]] = {"code": EXACT, "kind": EXACT, "institution__code": EXACT}

    @extend_schema(request=PhysicianRequest, responses={201: PhysicianSerializer})
    def create(self, request: Request) -> Response:
        user: Any = request.user
        given = given_by(PhysicianRequest, request)
        made = physicians.enter(user, find_institution(user, given.pop("institution")), given)
        return Response(PhysicianSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=MoveRequest, responses=PhysicianSerializer)
    @action(detail=True, methods=["post"])
    def move(self, request: Request, pk: str | None = None) -> Response:
        user: Any = request.user
        found, given = self.get_object(), given_by(MoveRequest, request)
        made = physicians.move(user, found, find_institution(user, given["to"]), given["on"], given["department"])
        return Response(PhysicianSerializer(made).data)

    @extend_schema(request=EndRequest, responses=PhysicianSerializer)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str | None = None) -> Response:
        user: Any = request.user
        found, given = self.get_object(), given_by(EndRequest, request)
        return Response(PhysicianSerializer(physicians.end(user, found, given["on"], given["reason"])).data)


class QualificationViewSet(_ReadersViewSet):
    """支付资格处理"""

    queryset = Qualification.objects.select_related("physician__institution__county__pooling_area").order_by("pk")
    serializer_class = QualificationSerializer
    filterset_fields: ClassVar[dict[str, list[str]]] = {"status": EXACT, "kind": EXACT, "physician__code": EXACT}

    @extend_schema(request=MonthsRequest, responses=QualificationSerializer)
    @action(detail=True, methods=["post"])
    def months(self, request: Request, pk: str | None = None) -> Response:
        """Name the months of a suspension."""
        user: Any = request.user
        found, given = self.get_object(), given_by(MonthsRequest, request)
        done = qualifications.name_months(user, found, given["months"], given["from_on"], given["reason"])
        return Response(QualificationSerializer(done).data)

    @extend_schema(request=VerdictRequest, responses=QualificationSerializer)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, pk: str | None = None) -> Response:
        user: Any = request.user
        found, given = self.get_object(), given_by(VerdictRequest, request)
        done = qualifications.decide_qualification(user, found, given["approve"], given["reason"])
        return Response(QualificationSerializer(done).data)


class PointViewSet(_ReadersViewSet):
    """协议记分"""

    queryset = PointEntry.objects.select_related(
        "institution__county__pooling_area", "physician__institution", "case"
    ).order_by("pk")
    serializer_class = PointEntrySerializer
    filterset_fields: ClassVar[dict[str, list[str]]] = {
        "status": EXACT, "institution__code": EXACT, "physician__code": EXACT, "on": ["exact", "gte", "lte"],
    }  # fmt: skip

    @extend_schema(request=PointRequest, responses={201: PointEntrySerializer})
    def create(self, request: Request) -> Response:
        user: Any = request.user
        given = given_by(PointRequest, request)
        made = proposed(user, find_institution(user, given["institution"]), {**given, "band": given["severity"]})
        return Response(PointEntrySerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=VerdictRequest, responses=PointEntrySerializer)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, pk: str | None = None) -> Response:
        user: Any = request.user
        found, given = self.get_object(), given_by(VerdictRequest, request)
        return Response(PointEntrySerializer(points.decide_points(user, found, given["approve"], given["reason"])).data)

    @extend_schema(request=PointReasonRequest, responses=PointEntrySerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str | None = None) -> Response:
        user: Any = request.user
        found, given = self.get_object(), given_by(PointReasonRequest, request)
        return Response(PointEntrySerializer(points.withdraw(user, found, given["reason"])).data)


class YearlyCheckViewSet(_ReadersViewSet):
    """年度检查考核"""

    queryset = YearlyCheck.objects.select_related(
        "institution__county__pooling_area", "lead_of__county__pooling_area"
    ).order_by("pk")
    serializer_class = YearlyCheckSerializer
    filterset_fields: ClassVar[dict[str, list[str]]] = {
        "year": EXACT, "grade": EXACT, "status": EXACT, "institution__code": EXACT,
    }  # fmt: skip

    @extend_schema(request=YearlyCheckRequest, responses={201: YearlyCheckSerializer})
    def create(self, request: Request) -> Response:
        user: Any = request.user
        given = given_by(YearlyCheckRequest, request)
        institution = find_institution(user, given["institution"])
        made = yearly_check.propose(user, institution, given["year"], given["score"], given["reason"])
        return Response(YearlyCheckSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=VerdictRequest, responses=YearlyCheckSerializer)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, pk: str | None = None) -> Response:
        user: Any = request.user
        found, given = self.get_object(), given_by(VerdictRequest, request)
        return Response(YearlyCheckSerializer(yearly_check.decide_check(user, found, given["approve"], given["reason"])).data)

    @extend_schema(request=None, responses=YearlyCheckSerializer)
    @action(detail=True, methods=["post"])
    def ratio(self, request: Request, pk: str | None = None) -> Response:
        """Enter the lower prepayment ratio the grade brings, as a fund officer."""
        user: Any = request.user
        return Response(YearlyCheckSerializer(yearly_check.enter_prepayment_ratio(user, self.get_object())).data)


def register(router: DefaultRouter) -> None:
    router.register("agreements", AgreementViewSet, basename="agreement")
    router.register("physicians", PhysicianViewSet, basename="physician")
    router.register("qualifications", QualificationViewSet, basename="qualification")
    router.register("points", PointViewSet, basename="point")
    router.register("yearly-checks", YearlyCheckViewSet, basename="yearly-check")
