"""Indicators over the API: the catalogue, figures of places and spans, the months they are worked out of."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter

from core.api import ScopedReadViewSet
from core.models import FundType
from monitoring.models import PlaceKind, PlaceMonth
from monitoring.reading import seen
from monitoring.reading.figures import figures
from monitoring.reading.indicator_text import change_of, indicators_of
from rules.indicators import BASES, INDICATORS


class IndicatorSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    group = serializers.CharField()
    unit = serializers.CharField(help_text="ratio、points（比例之差）、yuan、days、months、number")
    better = serializers.CharField(help_text="low 越低越好，high 越高越好，neither 看变化")
    places = serializers.ListField(child=serializers.CharField(), help_text="适用层级")
    expression = serializers.CharField()
    clause = serializers.CharField()
    over = serializers.CharField(help_text="now 当期，to_date 1 月至期末，year 近 12 个月")
    volume = serializers.CharField(help_text="数值背后的量（基数名）")
    note = serializers.CharField()


class IndicatorFigureSerializer(serializers.Serializer[Any]):
    """``value`` is null with the reason in ``missing``; ratios are fractions."""

    place = serializers.CharField()
    code = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField()
    fund_type = serializers.CharField()
    span = serializers.CharField()
    indicator = serializers.CharField()
    value = serializers.DecimalField(max_digits=24, decimal_places=6, allow_null=True)
    last_year = serializers.DecimalField(max_digits=24, decimal_places=6, allow_null=True)
    change = serializers.DecimalField(max_digits=24, decimal_places=6, allow_null=True)
    volume = serializers.DecimalField(max_digits=24, decimal_places=2, allow_null=True)
    data_to = serializers.DateField(allow_null=True)
    missing = serializers.CharField()


class PlaceMonthSerializer(serializers.ModelSerializer[PlaceMonth]):
    """A version of a place's month: its bases, money in yuan."""

    class Meta:
        model = PlaceMonth
        fields = [
            "id", "kind", "place", "fund_type", "year", "month", "version", "current", "declared", "data_to", "reason",
            "computed_at", *(base.key for base in BASES),
        ]  # fmt: skip


class IndicatorViewSet(viewsets.GenericViewSet[Any]):
    """监测指标"""

    serializer_class = IndicatorSerializer
    filter_backends = []
    lookup_value_regex = "[a-z_]+"

    def list(self, request: Request) -> Response:
        """Every indicator with formula and clause."""
        page = self.paginate_queryset(INDICATORS)
        return self.get_paginated_response(IndicatorSerializer(page, many=True).data)

    @extend_schema(parameters=[OpenApiParameter("id", OpenApiTypes.STR, OpenApiParameter.PATH)])
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(IndicatorSerializer(seen.indicator_of(pk)).data)


class IndicatorFigureViewSet(viewsets.GenericViewSet[Any]):
    """指标数值"""

    serializer_class = IndicatorFigureSerializer
    filter_backends = []

    @extend_schema(
        parameters=[
            OpenApiParameter("kind", OpenApiTypes.STR, enum=list(PlaceKind.values), description="层级，默认本人最高一级"),
            OpenApiParameter("span", OpenApiTypes.STR, description="2026-09、2026Q3、2026H1、2026、2026M09；默认累计至最近的足月"),
            OpenApiParameter("indicator", OpenApiTypes.STR, description="指标，可重复；不填为全部"),
            OpenApiParameter("fund_type", OpenApiTypes.STR, enum=list(FundType.values), description="不填为两险种，分列"),
            OpenApiParameter("place", OpenApiTypes.STR, description="对象键，如 A12；可重复"),
        ]
    )
    def list(self, request: Request) -> Response:
        """A line per place, fund type and indicator, never summed over fund types; foreign places are 404."""
        user: Any = request.user
        given = request.query_params
        wanted = [seen.seen_place(user, key) for key in dict.fromkeys(given.getlist("place"))]
        kind = seen.kind_of(user, given.get("kind", ""), wanted[0].kind if wanted else "")
        places = [place for place in wanted if place.kind == kind] if wanted else seen.seen_places(user, kind)
        if wanted and not places:
            raise Http404("所给的地方不属于这个层级。")
        asked = given.get("span", "")
        span = seen.span_of(asked, None if asked else seen.default_end(user, kind, places if wanted else ()))
        funds = [seen.fund_of(given["fund_type"])] if given.get("fund_type") else list(FundType.values)
        named = dict.fromkeys(given.getlist("indicator"))
        keys = [seen.wanted_indicator(key, kind, "").key for key in named] or [one.key for one in indicators_of(kind)]
        lines = [(place, fund, key) for place in places for fund in funds for key in keys]
        page = self.paginate_queryset(lines) or []
        before = span.year_before()
        chosen: Any = page
        found = figures(
            list(dict.fromkeys(place for place, _fund, _key in chosen)),
            [span, before],
            list(dict.fromkeys(key for _place, _fund, key in chosen)),
            list(dict.fromkeys(fund for _place, fund, _key in chosen)),
        )
        rows = []
        for place, fund, key in chosen:
            now, then = found[(place.key, fund, span)][key], found[(place.key, fund, before)][key]
            rows.append(
                {
                    "place": place.key, "code": place.code, "name": place.name, "kind": place.kind, "fund_type": fund,
                    "span": str(span), "indicator": key, "value": now.value, "last_year": then.value,
                    "change": change_of(now.indicator, now.value, then.value), "volume": now.reading.volume,
                    "data_to": now.data_to, "missing": now.missing,
                }
            )  # fmt: skip
        return self.get_paginated_response(IndicatorFigureSerializer(rows, many=True).data)


class PlaceMonthViewSet(ScopedReadViewSet):
    """监测月度数据（各版本）"""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        seen.need_reader(request.user)

    queryset = PlaceMonth.objects.order_by("place", "fund_type", "year", "month", "version")
    serializer_class = PlaceMonthSerializer
    filterset_fields: ClassVar[dict[str, list[str]]] = {
        "kind": ["exact"], "place": ["exact"], "fund_type": ["exact"], "year": ["exact", "gte", "lte"],
        "month": ["exact"], "current": ["exact"], "declared": ["exact"],
    }  # fmt: skip


def register(router: DefaultRouter) -> None:
    router.register("indicators", IndicatorViewSet, basename="indicator")
    router.register("indicator-figures", IndicatorFigureViewSet, basename="indicator-figure")
    router.register("place-months", PlaceMonthViewSet, basename="place-month")
