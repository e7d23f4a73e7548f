"""The month's end over the API: the months, one month's steps and what is owed, start, close, reopen – as the pages do."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter

from core.access import require_somewhere
from core.api import given_by
from core.models import Alliance, PoolingArea
from core.scope import get_visible
from monitoring.models import Period, PeriodChange
from monitoring.reading.runs import AllianceRun, alliance_runs, areas_of, month_lines, need_reader
from monitoring.serializers_warnings import WarningReasonRequest
from monitoring.services import periods
from rules.periods import Month, PeriodError

MONTH = [OpenApiParameter("month", OpenApiTypes.STR, OpenApiParameter.PATH, description="如 2026-09")]


class MonthEndSerializer(serializers.Serializer[Any]):
    """A month: how many of its steps are done, and whether it is closed."""

    month = serializers.CharField()
    alliances = serializers.IntegerField()
    done = serializers.IntegerField()
    total = serializers.IntegerField()
    failed = serializers.IntegerField()
    started = serializers.DateTimeField(allow_null=True)
    finished = serializers.DateTimeField(allow_null=True)
    state = serializers.CharField(help_text="open 未结账，closed 已结账，reopened 已重新打开")


class PeriodChangeSerializer(serializers.ModelSerializer[PeriodChange]):
    act = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    target = serializers.CharField()
    actor = serializers.CharField(source="actor.username")

    class Meta:
        model = PeriodChange
        fields = ["act", "source", "target", "actor", "at", "reason"]


class PeriodSerializer(serializers.ModelSerializer[Period]):
    """The month of one pooling area."""

    pooling_area = serializers.CharField(source="pooling_area.code")
    state = serializers.CharField()
    closed_by = serializers.CharField(source="closed_by.username", allow_null=True, default=None)
    changes = PeriodChangeSerializer(many=True)

    class Meta:
        model = Period
        fields = ["pooling_area", "year", "month", "state", "closed_at", "closed_by", "reason", "changes"]


class MonthEndStepSerializer(serializers.Serializer[Any]):
    """``outcome`` is what the step said; ``state`` waiting, running, done, failed or skipped."""

    step = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    state = serializers.CharField()
    outcome = serializers.CharField(source="run.outcome", default="")
    attempts = serializers.IntegerField(source="run.attempts", default=0)
    started_at = serializers.DateTimeField(source="run.started_at", allow_null=True, default=None)
    finished_at = serializers.DateTimeField(source="run.finished_at", allow_null=True, default=None)
    after_close = serializers.BooleanField(source="run.after_close", default=False)


class MonthEndAllianceSerializer(serializers.Serializer[Any]):
    alliance = serializers.CharField(source="alliance.code")
    name = serializers.CharField(source="alliance.name")
    county = serializers.CharField(source="alliance.county.code")
    state = serializers.CharField()
    steps = MonthEndStepSerializer(source="cells", many=True)
    owed = serializers.SerializerMethodField()

    def get_owed(self, run: AllianceRun) -> list[str]:
        return [one.text for one in run.owed]


class MonthEndDetailSerializer(serializers.Serializer[Any]):
    """``periods``: those that were ever closed; ``alliances``: those the caller sees."""

    month = serializers.CharField()
    periods = PeriodSerializer(many=True)
    alliances = MonthEndAllianceSerializer(many=True)


class MonthEndStartRequest(serializers.Serializer[Any]):
    alliance = serializers.CharField(required=False, allow_blank=True, default="", help_text="医共体编号；不填为本人经办的全部")


class MonthEndJobSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    state = serializers.CharField()
    period = serializers.CharField()


class PeriodActRequest(WarningReasonRequest):
    pooling_area = serializers.CharField(help_text="统筹区代码")


class MonthEndViewSet(viewsets.GenericViewSet[Any]):
    """月末处理"""

    serializer_class = MonthEndSerializer
    filter_backends = []
    lookup_field = "month"
    lookup_value_regex = "[^/.]+"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        need_reader(request.user)

    def list(self, request: Request) -> Response:
        """The months that ran or were closed, and the last one that is over, newest first."""
        page = self.paginate_queryset(month_lines(request.user))
        return self.get_paginated_response(MonthEndSerializer(page, many=True).data)

    @extend_schema(parameters=MONTH, responses=MonthEndDetailSerializer)
    def retrieve(self, request: Request, month: str) -> Response:
        """Every step of every alliance the caller sees, and what is missing."""
        of = _month(month)
        held = Period.objects.visible_to(request.user).filter(year=of.year, month=of.month)
        rows = held.select_related("pooling_area", "closed_by").prefetch_related("changes__actor")
        told = {"month": str(of), "periods": rows, "alliances": alliance_runs(request.user, of)}
        return Response(MonthEndDetailSerializer(told).data)

    @extend_schema(parameters=MONTH, request=MonthEndStartRequest, responses={202: MonthEndJobSerializer})
    @action(detail=True, methods=["post"])
    def start(self, request: Request, month: str) -> Response:
        """Run the month's end of one alliance, or of all the caller answers for; what runs already is returned."""
        user: Any = request.user
        of = _month(month)
        require_somewhere(user, periods.RUN)
        code = given_by(MonthEndStartRequest, request)["alliance"]
        rows = Alliance.objects.select_related("county__pooling_area")
        job = periods.start_month_end(user, of, get_visible(rows, user, code=code) if code else None)
        return Response(MonthEndJobSerializer(job).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(parameters=MONTH, request=PeriodActRequest, responses=PeriodSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, month: str) -> Response:
        """Close the month of a pooling area; steps that are not done need a reason."""
        area, of, reason = self._asked(month)
        user: Any = request.user
        return Response(PeriodSerializer(periods.close_period(user, area, of, reason)).data)

    @extend_schema(parameters=MONTH, request=PeriodActRequest, responses=PeriodSerializer)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, month: str) -> Response:
        """Open a closed month again, with a reason."""
        area, of, reason = self._asked(month)
        user: Any = request.user
        return Response(PeriodSerializer(periods.reopen_period(user, area, of, reason)).data)

    def _asked(self, month: str) -> tuple[PoolingArea, Month, str]:
        of = _month(month)
        given = given_by(PeriodActRequest, self.request)
        area = next((one for one in areas_of(self.request.user) if one.code == given["pooling_area"]), None)
        if area is None:
            raise Http404("没有找到这个统筹区，或者它不在您的管理范围内。")
        return area, of, given["reason"]


def _month(text: str) -> Month:
    try:
        return Month.parse(text)
    except PeriodError as error:
        raise Http404("没有这个月份，请按“2026-09”填写。") from error


def register(router: DefaultRouter) -> None:
    """Called by :mod:`monitoring.api`."""
    router.register("month-ends", MonthEndViewSet, basename="month-end")
