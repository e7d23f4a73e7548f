"""Thresholds over the API: read, enter, try, approve, end, and what one would have done in a month."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter

from core.access import BUREAU_ROLES, Denied, NotAllowed, has_any_role, require_somewhere
from core.api import ScopedReadViewSet, given_by
from core.errors import Problem, Refused
from core.models import County, PoolingArea, Role
from monitoring.models import Threshold, ThresholdStatus
from monitoring.reading import thresholds as reading
from monitoring.reading.places import place_of, visible_places
from monitoring.serializers_warnings import (
    ThresholdApproveRequest,
    ThresholdPreviewSerializer,
    ThresholdRequest,
    ThresholdSerializer,
    WarningReasonRequest,
)
from monitoring.services import thresholds as threshold_services
from rules.errors import RuleError
from rules.periods import Month

EARLIEST, LATEST = 2000, 2099
PREVIEWERS = BUREAU_ROLES | {Role.OBSERVER}


def _area(user: Any, code: str) -> PoolingArea:
    """The pooling area of a code that the caller's posts stand in or under, as on the page."""
    seen = PoolingArea.objects.visible_to(user).filter(code=code).first()
    if seen is None:
        county = County.objects.visible_to(user).filter(pooling_area__code=code).select_related("pooling_area").first()
        seen = county.pooling_area if county is not None else None
    if seen is None:
        raise Http404("没有找到这个统筹区，或者它不在您的管理范围内。")
    return seen


class ThresholdViewSet(ScopedReadViewSet):
    """预警阈值"""

    queryset = Threshold.objects.select_related(
        "pooling_area", "county__pooling_area", "alliance__county", "entered_by", "decided_by"
    ).order_by("pk")
    serializer_class = ThresholdSerializer
    filterset_fields: ClassVar[dict[str, list[str]]] = {
        "indicator": ["exact"], "kind": ["exact"], "fund_type": ["exact"], "status": ["exact"], "basis": ["exact"],
    }  # fmt: skip

    def get_queryset(self) -> Any:
        found = super().get_queryset()
        if has_any_role(self.request.user, BUREAU_ROLES | {Role.OBSERVER, Role.ADMINISTRATOR}):
            return found
        return found.filter(status=ThresholdStatus.LIVE)

    @extend_schema(request=ThresholdRequest, responses={201: ThresholdSerializer})
    def create(self, request: Request) -> Response:
        """Enter a draft; for one county its officer may, for the whole pooling area one of the city."""
        require_somewhere(request.user, threshold_services.ENTER)
        made = self._save(None)
        return Response(ThresholdSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=ThresholdRequest, responses=ThresholdSerializer)
    def update(self, request: Request, pk: str | None = None) -> Response:
        """Change a draft or one on trial."""
        return Response(ThresholdSerializer(self._save(self.get_object())).data)

    def _save(self, found: Threshold | None) -> Threshold:
        user: Any = self.request.user
        given = given_by(ThresholdRequest, self.request)
        area = _area(user, given.pop("pooling_area"))
        key = given.pop("place")
        place: Any = place_of(user, key) if key else None
        if place is not None and key[:1] not in ("C", "A"):
            text = f"阈值的适用范围不能是{place}。"
            raise Refused([Problem("place", key, text, "请填 C（县）或 A（医共体）开头的对象，全统筹区请留空。")])
        values = {**given, "county": place if key[:1] == "C" else None, "alliance": place if key[:1] == "A" else None}
        return threshold_services.save_threshold(user, area, values, found)

    @extend_schema(request=None, responses=ThresholdSerializer)
    @action(detail=True, methods=["post"])
    def trial(self, request: Request, pk: str | None = None) -> Response:
        done = threshold_services.start_trial(request.user, self.get_object())  # type: ignore[arg-type]
        return Response(ThresholdSerializer(done).data)

    @extend_schema(request=ThresholdApproveRequest, responses=ThresholdSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str | None = None) -> Response:
        found, given = self.get_object(), given_by(ThresholdApproveRequest, request)
        done = threshold_services.approve(request.user, found, given["everywhere_ok"], given["reason"])  # type: ignore[arg-type]
        return Response(ThresholdSerializer(done).data)

    @extend_schema(request=WarningReasonRequest, responses=ThresholdSerializer)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str | None = None) -> Response:
        found, given = self.get_object(), given_by(WarningReasonRequest, request)
        done = threshold_services.end(request.user, found, given["reason"])  # type: ignore[arg-type]
        return Response(ThresholdSerializer(done).data)

    @extend_schema(
        parameters=[OpenApiParameter("month", OpenApiTypes.STR, required=True, description="如 2026-09")],
        responses=ThresholdPreviewSerializer,
        filters=False,
    )
    @action(detail=True, methods=["get"], pagination_class=None)
    def preview(self, request: Request, pk: str | None = None) -> Response:
        """What it would have done in a month, at the places the caller sees; for posts of the bureau and observers."""
        found: Threshold = self.get_object()
        if not has_any_role(request.user, PREVIEWERS):
            raise NotAllowed(Denied("阈值预演供医保局各岗位和领导查看，您没有这些岗位。确需了解的，请联系本县医保局。"))
        try:
            month = Month.parse(request.query_params.get("month", ""))
        except RuleError as error:
            raise serializers.ValidationError({"month": str(error)}) from error
        if not EARLIEST <= month.year <= LATEST:
            raise serializers.ValidationError({"month": f"{month} 不在 {EARLIEST} 至 {LATEST} 年之间。"})
        seen = reading.preview(found, month, {place.key for place in visible_places(request.user, found.kind)})
        breaches = [
            {
                "place": one.place.key, "name": one.place.name, "fund_type": one.fund_type, "value": one.figure.value,
                "compared": one.compared, "level": one.level,
            }
            for one in seen.breaches
        ]  # fmt: skip
        told = {"places": seen.places, "judged": seen.judged, "everywhere": seen.everywhere, "text": seen.text}
        return Response(ThresholdPreviewSerializer({**told, "breaches": breaches}).data)


def register(router: DefaultRouter) -> None:
    router.register("warning-thresholds", ThresholdViewSet, basename="warning-threshold")
