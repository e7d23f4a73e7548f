"""The overview over the API: the figures of an alliance's year, fund types apart; read only, same right as the page."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter

from core.access import require
from core.models import Alliance
from core.scope import get_visible
from portal.figures import FundCard, full_cards
from portal.reading.access import ACTION
from portal.reading.outlook import default_year, outlooks

MONEY: dict[str, Any] = {"max_digits": 17, "decimal_places": 2, "allow_null": True}
RATIO: dict[str, Any] = {"max_digits": 12, "decimal_places": 6, "allow_null": True}


class YearSerializer(serializers.Serializer[Any]):
    year = serializers.IntegerField(required=False, min_value=2000, max_value=2099)


class OverviewSerializer(serializers.Serializer[Any]):
    """One fund type of one alliance; yuan as text with two decimals, ratios as fractions, null where unknown."""

    fund_type = serializers.CharField(source="outlook.fund_type")
    year = serializers.IntegerField(source="outlook.year")
    data_to = serializers.DateField(source="outlook.data_to", allow_null=True)
    package = serializers.DecimalField(source="outlook.total", **MONEY)
    provisional = serializers.SerializerMethodField()
    prepaid = serializers.DecimalField(source="outlook.prepaid", **MONEY)
    prepayment_cap = serializers.DecimalField(source="cap", **MONEY)
    in_alliance = serializers.DecimalField(source="outlook.facts.in_alliance", **MONEY)
    outflow = serializers.DecimalField(source="outlook.facts.outflow", **MONEY)
    charged = serializers.DecimalField(source="outlook.charged", **MONEY)
    execution = serializers.DecimalField(source="outlook.execution", **RATIO)
    pace = serializers.DecimalField(source="outlook.pace", **RATIO)
    estimate = serializers.SerializerMethodField()
    fingerprint = serializers.CharField(source="outlook.facts.fingerprint")

    def get_provisional(self, card: FundCard) -> bool:
        return card.outlook.package is not None and card.outlook.package.provisional

    def get_estimate(self, card: FundCard) -> dict[str, Any] | None:
        """The projection or simple estimate of the year's end with its trace; null without data for it."""
        end, season = card.outlook.end, card.outlook.season
        if end is None or season is None:
            return None
        return {
            "method": "projection" if card.outlook.projection else season.method,
            "expected": str(end.expected),
            "low": None if end.low is None else str(end.low),
            "high": None if end.high is None else str(end.high),
            "range": card.outlook.range_text,
            "tier": card.outlook.shared.label if card.outlook.shared else None,
            "cash": str(card.cash.settled.cash) if card.cash else None,
            "trace": card.trace_of("end").as_json(),
        }


class OverviewViewSet(viewsets.ViewSet):
    """Answers by the alliance's code; outside the caller's scope 404, without the post 403 with the reason."""

    lookup_field = "code"

    @extend_schema(
        parameters=[OpenApiParameter("code", str, OpenApiParameter.PATH), OpenApiParameter("year", int)],
        responses=OverviewSerializer(many=True),
    )
    def retrieve(self, request: Request, code: str) -> Response:
        """Both fund types of an alliance's year (default: the last year with data)."""
        place = get_visible(Alliance.objects.select_related("county__pooling_area"), request.user, code=code)
        require(request.user, ACTION, place)  # type: ignore[arg-type]
        asked = YearSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        year = asked.validated_data.get("year") or default_year([place], timezone.localdate())
        cards = full_cards(outlooks([place], year), place)
        return Response(OverviewSerializer(cards, many=True).data)


def register(router: DefaultRouter) -> None:
    router.register("overview", OverviewViewSet, basename="overview")
