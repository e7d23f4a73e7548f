"""Projections and medium-term estimates over the API: read within the same scope as the pages; deciding by the services."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter

from core.api import ScopedReadViewSet, YuanField
from monitoring.models import MidtermEstimate, Projection
from monitoring.reading.projections import HEAVY
from monitoring.services import midterm as services


class ProjectionSerializer(serializers.ModelSerializer[Projection]):
    """A projection without its trace, as lists show it; amounts in yuan as text."""

    alliance = serializers.CharField(source="alliance.code")
    county = serializers.CharField(source="alliance.county.code")
    difference = YuanField(allow_null=True)
    ratio = serializers.DecimalField(max_digits=12, decimal_places=6, allow_null=True)

    class Meta:
        model = Projection
        fields = [
            "id", "alliance", "county", "fund_type", "year", "month", "version", "current", "missing", "data_to", "known",
            "expected", "low", "high", "range_text", "in_alliance", "outflow", "late", "package", "provisional", "prepaid",
            "difference", "ratio", "package_runs_out", "prepaid_runs_out", "tier", "tier_low", "tier_high", "retained",
            "returned", "fund_bears", "alliance_bears", "cash", "cash_low", "cash_high", "reason", "computed_at",
        ]  # fmt: skip


class ProjectionDetailSerializer(ProjectionSerializer):
    """With months, factors, change against the former month, errors of the methods and the trace."""

    months = serializers.ListField(child=serializers.DictField())
    factors = serializers.ListField(child=serializers.DictField())
    changes = serializers.ListField(child=serializers.DictField())
    methods = serializers.DictField()
    trace = serializers.ListField(child=serializers.DictField())
    cash_trace = serializers.ListField(child=serializers.DictField())

    class Meta(ProjectionSerializer.Meta):
        fields = [
            *ProjectionSerializer.Meta.fields, "months", "factors", "changes", "methods", "trace", "cash_trace",
        ]  # fmt: skip


class MidtermEstimateSerializer(serializers.ModelSerializer[MidtermEstimate]):
    pooling_area = serializers.CharField(source="pooling_area.code")
    county = serializers.CharField(source="county.code", allow_null=True, default=None)
    prepared_by = serializers.CharField(source="prepared_by.username")
    decided_by = serializers.CharField(source="decided_by.username", allow_null=True, default=None)
    base = serializers.DictField()
    typed = serializers.ListField(child=serializers.CharField())
    scenarios = serializers.DictField()
    results = serializers.DictField()

    class Meta:
        model = MidtermEstimate
        fields = [
            "id", "pooling_area", "county", "fund_type", "base_year", "horizon", "version", "state", "base", "typed",
            "scenarios", "results", "basis", "prepared_by", "prepared_at", "decided_by", "decided_at", "return_reason",
        ]  # fmt: skip


class MidtermReturnRequest(serializers.Serializer[Any]):
    reason = serializers.CharField(allow_blank=True, default="")


class ProjectionViewSet(ScopedReadViewSet):
    """趋势预测"""

    queryset = Projection.objects.with_places()
    serializer_class = ProjectionSerializer
    filterset_fields: ClassVar[dict[str, list[str]]] = {
        "alliance__code": ["exact"], "alliance__county__code": ["exact"], "fund_type": ["exact"], "year": ["exact"],
        "month": ["exact"], "current": ["exact"],
    }  # fmt: skip

    def get_queryset(self) -> Any:
        found = super().get_queryset()
        return found.defer(*HEAVY, "months", "methods") if self.action == "list" else found

    def get_serializer_class(self) -> Any:
        return ProjectionSerializer if self.action == "list" else ProjectionDetailSerializer


class MidtermEstimateViewSet(ScopedReadViewSet):
    """中期收支测算"""

    queryset = MidtermEstimate.objects.with_places()
    serializer_class = MidtermEstimateSerializer
    filterset_fields: ClassVar[dict[str, list[str]]] = {
        "county__code": ["exact"], "fund_type": ["exact"], "base_year": ["exact"], "state": ["exact"],
    }  # fmt: skip

    @extend_schema(request=None, responses=MidtermEstimateSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str | None = None) -> Response:
        """Put the draft in force; a second person only."""
        done = services.approve_midterm(request.user, self.get_object())  # type: ignore[arg-type]
        return Response(MidtermEstimateSerializer(done).data)

    @extend_schema(request=MidtermReturnRequest, responses=MidtermEstimateSerializer)
    @action(detail=True, methods=["post"], url_path="return")
    def return_it(self, request: Request, pk: str | None = None) -> Response:
        """Send the draft back with a reason."""
        asked = MidtermReturnRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        done = services.return_midterm(request.user, self.get_object(), asked.validated_data["reason"])  # type: ignore[arg-type]
        return Response(MidtermEstimateSerializer(done).data)


def register(router: DefaultRouter) -> None:
    router.register("projections", ProjectionViewSet, basename="projection")
    router.register("midterm-estimates", MidtermEstimateViewSet, basename="midterm-estimate")
