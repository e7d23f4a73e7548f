"""Adjustments, scores and cause analyses over the API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ScopedReadViewSet, given_by
from core.models import Alliance, FundType
from core.scope import get_visible
from settlement import services
from settlement.api.asking import MONEY, ReasonRequest
from settlement.models import Adjustment, AssessmentScore, CauseAnalysis


class AdjustmentSerializer(serializers.ModelSerializer[Adjustment]):
    alliance = serializers.CharField(source="alliance.code", read_only=True)

    class Meta:
        model = Adjustment
        fields = [
            "id", "alliance", "year", "fund_type", "kind", "amount", "origin_year", "source", "reason", "state",
            "needs_approval",
        ]  # fmt: skip


class AdjustmentRequest(serializers.Serializer[Any]):
    alliance = serializers.CharField()
    year = serializers.IntegerField()
    fund_type = serializers.ChoiceField(choices=FundType.choices)
    kind = serializers.CharField(help_text="refused_claims、other_year_recovery 或 agreed_deduction")
    amount = serializers.DecimalField(**MONEY)
    origin_year = serializers.IntegerField(required=False, allow_null=True, default=None)
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    reason = serializers.CharField(allow_blank=True)


class AdjustmentViewSet(ScopedReadViewSet):
    """Refused claims, recoveries of other years and agreed deductions."""

    queryset = Adjustment.objects.select_related("alliance__county__pooling_area").order_by("-pk")
    serializer_class = AdjustmentSerializer
    filterset_fields = ["year", "fund_type", "kind", "state"]

    @extend_schema(request=AdjustmentRequest, responses={201: AdjustmentSerializer})
    def create(self, request: Request) -> Response:
        """Push an audit's amount, or propose an agreed deduction."""
        given = given_by(AdjustmentRequest, request)
        alliance = get_visible(Alliance.objects.select_related("county"), request.user, code=given.pop("alliance"))
        kind, origin = given.pop("kind"), given.pop("origin_year")
        if kind == "agreed_deduction":
            origin_year = origin if origin is not None else given["year"] - 1
            made = services.propose_deduction(request.user, alliance, origin_year=origin_year, **given)  # type: ignore[arg-type]
        else:
            made = services.push_adjustment(request.user, alliance, kind=kind, origin_year=origin, **given)  # type: ignore[arg-type]
        return Response(AdjustmentSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=AdjustmentSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str | None = None) -> Response:
        return Response(AdjustmentSerializer(services.approve_adjustment(request.user, self.get_object())).data)  # type: ignore[arg-type]

    @extend_schema(request=ReasonRequest, responses=AdjustmentSerializer)
    @action(detail=True, methods=["post"], url_path="return")
    def return_it(self, request: Request, pk: str | None = None) -> Response:
        reason = given_by(ReasonRequest, request)["reason"]
        return Response(AdjustmentSerializer(services.return_adjustment(request.user, self.get_object(), reason)).data)  # type: ignore[arg-type]

    @extend_schema(request=ReasonRequest, responses=AdjustmentSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str | None = None) -> Response:
        reason = given_by(ReasonRequest, request)["reason"]
        row = services.withdraw_adjustment(request.user, self.get_object(), reason)  # type: ignore[arg-type]
        return Response(AdjustmentSerializer(row).data)


class ScoreSerializer(serializers.ModelSerializer[AssessmentScore]):
    alliance = serializers.CharField(source="alliance.code", read_only=True)

    class Meta:
        model = AssessmentScore
        fields = ["id", "alliance", "year", "score", "source", "state"]


class ScoreRequest(serializers.Serializer[Any]):
    alliance = serializers.CharField()
    year = serializers.IntegerField()
    score = serializers.CharField()
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment]


class ScoreViewSet(ScopedReadViewSet):
    """Yearly assessment scores."""

    queryset = AssessmentScore.objects.select_related("alliance__county__pooling_area").order_by("-pk")
    serializer_class = ScoreSerializer
    filterset_fields = ["year", "state"]

    @extend_schema(request=ScoreRequest, responses={201: ScoreSerializer})
    def create(self, request: Request) -> Response:
        """Enter a score with its document; a reviewer confirms it."""
        given = given_by(ScoreRequest, request)
        alliance = get_visible(Alliance.objects.select_related("county"), request.user, code=given.pop("alliance"))
        made = services.record_score(request.user, alliance, **given)  # type: ignore[arg-type]
        return Response(ScoreSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=ScoreSerializer)
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str | None = None) -> Response:
        return Response(ScoreSerializer(services.confirm_score(request.user, self.get_object())).data)  # type: ignore[arg-type]


class AnalysisSerializer(serializers.ModelSerializer[CauseAnalysis]):
    alliance = serializers.CharField(source="alliance.code", read_only=True)

    class Meta:
        model = CauseAnalysis
        fields = [
            "id", "alliance", "year", "fund_type", "number", "causes", "responsibility", "overrun", "reasonable_part",
            "state", "decision",
        ]  # fmt: skip


class AnalysisRequest(serializers.Serializer[Any]):
    alliance = serializers.CharField()
    year = serializers.IntegerField()
    fund_type = serializers.ChoiceField(choices=FundType.choices)
    causes = serializers.CharField(allow_blank=True)
    responsibility = serializers.CharField(allow_blank=True)
    reasonable_part = serializers.DecimalField(**MONEY)


class AnalysisViewSet(ScopedReadViewSet):
    """Cause analyses of overruns."""

    queryset = CauseAnalysis.objects.select_related("alliance__county__pooling_area").order_by("-pk")
    serializer_class = AnalysisSerializer
    filterset_fields = ["year", "fund_type", "state"]

    @extend_schema(request=AnalysisRequest, responses={201: AnalysisSerializer})
    def create(self, request: Request) -> Response:
        given = given_by(AnalysisRequest, request)
        alliance = get_visible(Alliance.objects.select_related("county"), request.user, code=given.pop("alliance"))
        made = services.submit_analysis(request.user, alliance, **given)  # type: ignore[arg-type]
        return Response(AnalysisSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=ReasonRequest, responses=AnalysisSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str | None = None) -> Response:
        reason = given_by(ReasonRequest, request)["reason"]
        return Response(AnalysisSerializer(services.approve_analysis(request.user, self.get_object(), reason)).data)  # type: ignore[arg-type]

    @extend_schema(request=ReasonRequest, responses=AnalysisSerializer)
    @action(detail=True, methods=["post"], url_path="return")
    def return_it(self, request: Request, pk: str | None = None) -> Response:
        reason = given_by(ReasonRequest, request)["reason"]
        return Response(AnalysisSerializer(services.return_analysis(request.user, self.get_object(), reason)).data)  # type: ignore[arg-type]
