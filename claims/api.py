"""Claims over the API: imports with their upload and decision, coverage, facts added up, 基金月报."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter

from claims import services
from claims.models import REPORT_FIELDS, ClaimsImport, FactSet, FundMonthlyReport
from claims.reading.coverage import coverage
from claims.reading.facts import by_institution, by_location
from claims.views.places import VIEW, counties_of, county_of
from core.access import actions, require, roles_at
from core.api import ScopedReadViewSet
from core.models import County
from rules.errors import RuleError
from rules.periods import Month

MONEY: dict[str, Any] = {"max_digits": 17, "decimal_places": 2}


class MonthText(serializers.CharField):
    """A month as ``2026-09``."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            return Month.parse(super().to_internal_value(data))
        except RuleError as error:
            raise serializers.ValidationError("请按“2026-09”填写月份。") from error

    def to_representation(self, value: Any) -> str:
        return str(value)


class FindingSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    severity = serializers.CharField()
    rows = serializers.IntegerField()
    total_cost = serializers.DecimalField(**MONEY)


class ImportSerializer(serializers.ModelSerializer[ClaimsImport]):
    county = serializers.CharField(source="county.code")
    uploaded_by = serializers.CharField(source="uploaded_by.username", allow_null=True, default=None)
    findings = FindingSerializer(many=True, read_only=True)
    total_cost = serializers.DecimalField(**MONEY)
    good_pooled = serializers.DecimalField(**MONEY)
    bad_pooled = serializers.DecimalField(**MONEY)
    late_pooled = serializers.DecimalField(**MONEY)

    class Meta:
        model = ClaimsImport
        fields = [
            "id", "county", "period_from", "period_to", "file_name", "sha256", "state", "uploaded_by", "uploaded_at",
            "rows_total", "rows_good", "rows_bad", "rows_identical", "rows_late", "total_cost", "good_pooled",
            "bad_pooled", "late_pooled", "data_to", "refusal", "difference", "told", "needs_admission",
            "admitted_reason", "rejected_reason", "decided_at", "accepted_at", "outcome", "findings",
        ]  # fmt: skip


class UploadSerializer(serializers.Serializer[Any]):
    county = serializers.CharField(help_text="参保县（区）代码")
    period_from = MonthText()
    period_to = MonthText()
    file = serializers.FileField(allow_empty_file=True)


class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(required=False, allow_blank=True, default="")


class CoverageSerializer(serializers.Serializer[Any]):
    county = serializers.CharField(source="county.code")
    month = MonthText()
    version = serializers.IntegerField()
    declared = serializers.BooleanField()
    source = serializers.CharField()  # type: ignore[assignment]
    claims_import = serializers.IntegerField(allow_null=True)
    rows = serializers.IntegerField()
    late_rows = serializers.IntegerField()
    settlements = serializers.IntegerField()
    pooled_fund_paid = serializers.DecimalField(**MONEY)
    fund_payable = serializers.DecimalField(**MONEY)
    open_reject_rows = serializers.IntegerField()
    open_reject_yuan = serializers.DecimalField(**MONEY)
    data_to = serializers.DateField(allow_null=True)
    made_at = serializers.DateTimeField(allow_null=True)
    made_by = serializers.CharField()


class LocationSerializer(serializers.Serializer[Any]):
    fund_type = serializers.CharField()
    care_location = serializers.CharField()
    settlements = serializers.IntegerField()
    total_cost = serializers.DecimalField(**MONEY)
    pooled_fund_paid = serializers.DecimalField(**MONEY)
    fund_payable = serializers.DecimalField(**MONEY)


class InstitutionSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    care_location = serializers.CharField()
    settlements = serializers.IntegerField()
    discharges = serializers.IntegerField()
    total_cost = serializers.DecimalField(**MONEY)
    pooled_fund_paid = serializers.DecimalField(**MONEY)
    fund_payable = serializers.DecimalField(**MONEY)


class FactSetSerializer(serializers.ModelSerializer[FactSet]):
    county = serializers.CharField(source="county.code")
    month = MonthText(source="period")
    pooled_fund_paid = serializers.DecimalField(**MONEY)
    fund_payable = serializers.DecimalField(**MONEY)

    class Meta:
        model = FactSet
        fields = [
            "id", "county", "month", "version", "current", "declared", "source", "claims_import", "reason", "data_to",
            "rows", "settlements", "pooled_fund_paid", "fund_payable", "content", "created_at",
        ]  # fmt: skip


class FactSumsSerializer(FactSetSerializer):
    locations = LocationSerializer(many=True)
    institutions = InstitutionSerializer(many=True)

    class Meta(FactSetSerializer.Meta):
        fields = [*FactSetSerializer.Meta.fields, "locations", "institutions"]


class ReportSerializer(serializers.ModelSerializer[FundMonthlyReport]):
    county = serializers.CharField(source="county.code")
    month = MonthText(source="period")

    class Meta:
        model = FundMonthlyReport
        fields = [
            "id", "county", "fund_type", "month", "version", "current", *(field.name for field in REPORT_FIELDS),
            "note", "entered_at",
        ]  # fmt: skip
        extra_kwargs: ClassVar[dict[str, Any]] = {}

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        if any(field.name == field_name and field.kind == "yuan" for field in REPORT_FIELDS):
            return serializers.DecimalField, {**MONEY, "allow_null": True, "required": False}
        return super().build_standard_field(field_name, model_field)


class ReportEntrySerializer(serializers.Serializer[Any]):
    county = serializers.CharField(help_text="县（区）代码")
    fund_type = serializers.CharField(help_text="RES 或 EMP")
    month = MonthText()
    note = serializers.CharField(required=False, allow_blank=True, default="")
    values = serializers.DictField(child=serializers.CharField(allow_blank=True), help_text="字段名 → 数字文本；空白不等于零")


class ClaimsReadViewSet(ScopedReadViewSet):
    """Lists hold the counties where the caller may see claims; a single row of another post is refused by name."""

    def get_queryset(self) -> Any:
        found = super().get_queryset()
        if self.action != "list":
            return found
        user: Any = self.request.user
        allowed = [c.pk for c in County.objects.visible_to(user) if roles_at(user, c) & actions[VIEW].roles]
        return found.filter(county__in=allowed)

    def get_object(self) -> Any:
        found = super().get_object()
        require(self.request.user, VIEW, found.county)  # type: ignore[arg-type]
        return found


class ImportViewSet(ClaimsReadViewSet):
    """明细导入"""

    queryset = ClaimsImport.objects.select_related("county__pooling_area", "uploaded_by").prefetch_related("findings")
    serializer_class = ImportSerializer
    filterset_fields: ClassVar[dict[str, list[str]]] = {"county__code": ["exact"], "state": ["exact"], "sha256": ["exact"]}
    parser_classes = [MultiPartParser, FormParser, JSONParser]

    @extend_schema(request=UploadSerializer, responses={201: ImportSerializer})
    def create(self, request: Request) -> Response:
        """Upload an extract; the check runs as a job. 409 when the same file is in already."""
        asked = UploadSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        county = county_of(request.user, given["county"])
        user: Any = request.user
        made = services.receive_upload(user, county, given["period_from"], given["period_to"], given["file"])
        return Response(ImportSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=ReasonSerializer, responses=ImportSerializer)
    @action(detail=True, methods=["post"], filterset_fields=[])
    def accept(self, request: Request, pk: str | None = None) -> Response:
        """Confirm the difference; past the limit of bad rows ``reason`` is required."""
        return self._decided(request, services.accept_import)

    @extend_schema(request=ReasonSerializer, responses=ImportSerializer)
    @action(detail=True, methods=["post"], filterset_fields=[])
    def reject(self, request: Request, pk: str | None = None) -> Response:
        """Send the extract back with a reason."""
        return self._decided(request, services.reject_import)

    def _decided(self, request: Request, decide: Any) -> Response:
        asked = ReasonSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        made = decide(request.user, self.get_object(), asked.validated_data["reason"])
        return Response(ImportSerializer(made).data)


class CoverageViewSet(viewsets.GenericViewSet[Any]):
    """各月数据覆盖情况"""

    serializer_class = CoverageSerializer
    pagination_class = None
    filter_backends = []

    @extend_schema(
        parameters=[OpenApiParameter("county", str, required=True), OpenApiParameter("year", int, required=True)],
        responses=CoverageSerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        """The twelve months of a county and year."""
        county = county_of(request.user, request.query_params.get("county", ""))
        text = request.query_params.get("year", "")
        if not (text.isdigit() and len(text) == 4):
            raise serializers.ValidationError({"year": ["请填写四位年份。"]})
        return Response(CoverageSerializer(coverage(county, int(text)), many=True).data)


class FactSetViewSet(ClaimsReadViewSet):
    """月度事实版本及其合计"""

    queryset = FactSet.objects.select_related("county__pooling_area")
    serializer_class = FactSetSerializer
    filterset_fields: ClassVar[dict[str, list[str]]] = {
        "county__code": ["exact"], "year": ["exact"], "month": ["exact"], "current": ["exact"], "source": ["exact"],
    }  # fmt: skip

    @extend_schema(
        parameters=[OpenApiParameter(name, str) for name in ("fund_type", "care_location", "visit_type", "q")],
        responses=FactSumsSerializer,
    )
    @action(detail=True, filterset_fields=[])
    def sums(self, request: Request, pk: str | None = None) -> Response:
        """The set by place of care and by institution, under the given filters."""
        found = self.get_object()
        found.locations = by_location(found)
        found.institutions = by_institution(found, request.query_params.dict())
        return Response(FactSumsSerializer(found).data)


class ReportViewSet(ClaimsReadViewSet):
    """基金月报"""

    queryset = FundMonthlyReport.objects.select_related("county__pooling_area")
    serializer_class = ReportSerializer
    filterset_fields: ClassVar[dict[str, list[str]]] = {
        "county__code": ["exact"], "fund_type": ["exact"], "year": ["exact"], "month": ["exact"], "current": ["exact"],
    }  # fmt: skip

    @extend_schema(request=ReportEntrySerializer, responses={201: ReportSerializer})
    def create(self, request: Request) -> Response:
        """Enter one report; a month that is held gets its next version, the same again changes nothing."""
        asked = ReportEntrySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        user: Any = request.user
        counties_of(user)
        unknown = sorted(set(given["values"]) - {field.name for field in REPORT_FIELDS})
        if unknown:
            raise serializers.ValidationError({"values": [f"没有这些字段：{'、'.join(unknown)}"]})
        county = county_of(user, given["county"])
        values = services.parse_values(given["values"])
        made = services.enter_fund_report(user, county, given["fund_type"], given["month"], values, given["note"])
        return Response(ReportSerializer(made).data, status=status.HTTP_201_CREATED)


def register(router: DefaultRouter) -> None:
    router.register("claims/imports", ImportViewSet, basename="claims-import")
    router.register("claims/coverage", CoverageViewSet, basename="claims-coverage")
    router.register("claims/factsets", FactSetViewSet, basename="claims-factset")
    router.register("claims/monthly-reports", ReportViewSet, basename="claims-monthly-report")


