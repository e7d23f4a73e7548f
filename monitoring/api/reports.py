"""Analysis reports and circulars over the API: what the pages do, through the same services, within the same scope."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter

from core.access import require
from core.api import ScopedReadViewSet
from core.errors import Problem, Refused
from core.exports import export_file
from monitoring.models import AnalysisReport, ReportChange, ReportComment
from monitoring.models.reports import COMMENT, ReportAct, report_action
from monitoring.reading.places import place_of
from monitoring.services import reports as services
from rules.periods import PeriodError
from rules.spans import Span

WORD = {(200, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"): OpenApiTypes.BINARY}


class ReportChangeSerializer(serializers.ModelSerializer[ReportChange]):
    actor = serializers.CharField(allow_null=True)

    class Meta:
        model = ReportChange
        fields = ["act", "source", "target", "actor", "at", "reason", "digest"]


class ReportCommentSerializer(serializers.ModelSerializer[ReportComment]):
    written_by = serializers.CharField(source="written_by.username")

    class Meta:
        model = ReportComment
        fields = ["section", "text", "written_by", "written_at", "carried"]


class AnalysisReportSerializer(serializers.ModelSerializer[AnalysisReport]):
    """A version without its content, as lists show it."""

    pooling_area = serializers.CharField(source="pooling_area.code")
    county = serializers.CharField(source="county.code", allow_null=True, default=None)
    title = serializers.CharField(source="__str__")

    class Meta:
        model = AnalysisReport
        fields = [
            "id", "number", "title", "pooling_area", "county", "place", "kind", "span", "ends_on", "version", "state", "due_on",
            "digest", "data_to", "made_at", "released", "prepared_at", "submitted_at", "approved_at", "issued_at",
        ]  # fmt: skip


class AnalysisReportDetailSerializer(AnalysisReportSerializer):
    """With the content (figures as text, yuan), the comments and every act."""

    content = serializers.JSONField()
    comments = ReportCommentSerializer(many=True)
    changes = ReportChangeSerializer(many=True)

    class Meta(AnalysisReportSerializer.Meta):
        fields = [*AnalysisReportSerializer.Meta.fields, "content", "comments", "changes"]


class CircularSerializer(serializers.ModelSerializer[AnalysisReport]):
    """The chapter on level-2 and higher hospitals of an issued report, nothing else of it."""

    pooling_area = serializers.CharField(source="pooling_area.code")
    county = serializers.CharField(source="county.code", allow_null=True, default=None)
    circular = serializers.SerializerMethodField()

    class Meta:
        model = AnalysisReport
        fields = ["id", "pooling_area", "county", "span", "data_to", "issued_at", "circular"]

    def get_circular(self, report: AnalysisReport) -> dict[str, Any]:
        return next(part for part in report.content["sections"] if part["key"] == "circular")


class ReportDraftRequest(serializers.Serializer[Any]):
    place = serializers.CharField(max_length=12, help_text="对象，如 P1（全市）、C7（县）")
    span = serializers.CharField(max_length=7, help_text="期间，如 2026-09、2026Q3、2026H1、2026")


class ReportActRequest(serializers.Serializer[Any]):
    reason = serializers.CharField(required=False, allow_blank=True, default="")


class ReportSeenRequest(serializers.Serializer[Any]):
    seen = serializers.CharField(
        required=False, allow_blank=True, default="", help_text="所见版本的 digest；报告已被改动时不办理（409）"
    )


class ReportIssueRequest(ReportSeenRequest):
    release = serializers.BooleanField(required=False, default=False, help_text="通报发医疗机构")


class ReportCommentRequest(serializers.Serializer[Any]):
    section = serializers.ChoiceField(choices=[(key, key) for key in services.COMMENTED])
    text = serializers.CharField(allow_blank=True)


def _given(serializer: Any, request: Request) -> dict[str, Any]:
    asked = serializer(data=request.data)
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)


class AnalysisReportViewSet(ScopedReadViewSet):
    """分析报告"""

    queryset = AnalysisReport.objects.with_places().order_by("-ends_on", "-pk")
    serializer_class = AnalysisReportSerializer
    filterset_fields: ClassVar[dict[str, list[str]]] = {
        "place": ["exact"], "kind": ["exact"], "span": ["exact"], "state": ["exact"], "due_on": ["lte", "gte"],
    }  # fmt: skip

    def get_queryset(self) -> Any:
        found = super().get_queryset()
        return found.defer("content") if self.action == "list" else found.prefetch_related("comments__written_by", "changes__actor")

    def get_serializer_class(self) -> Any:
        return AnalysisReportSerializer if self.action == "list" else AnalysisReportDetailSerializer

    def allowed(self, name: str) -> AnalysisReport:
        found: AnalysisReport = self.get_object()
        require(self.request.user, name, found.at)  # type: ignore[arg-type]
        return found

    @extend_schema(request=ReportDraftRequest, responses={201: AnalysisReportDetailSerializer})
    def create(self, request: Request) -> Response:
        """Draft the report of a place and span, or refresh its draft."""
        given = _given(ReportDraftRequest, request)
        place = place_of(request.user, given["place"])
        try:
            span = Span.parse(given["span"])
        except PeriodError as error:
            raise Refused([Problem("span", given["span"], str(error))]) from error
        if given["place"][:1] not in ("P", "C"):
            raise Refused([Problem("place", given["place"], "报告按全市或县（区）编写。", "请填写 P 或 C 开头的对象。")])
        drafted = services.draft_report(request.user, place, span)  # type: ignore[arg-type]
        return Response(AnalysisReportDetailSerializer(drafted.report).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=AnalysisReportDetailSerializer)
    @action(detail=True, methods=["post"])
    def refresh(self, request: Request, pk: str | None = None) -> Response:
        services.refresh(request.user, self.allowed(report_action(ReportAct.REFRESH)))  # type: ignore[arg-type]
        return self._answer()

    @extend_schema(request=ReportCommentRequest, responses=AnalysisReportDetailSerializer)
    @action(detail=True, methods=["post"])
    def comment(self, request: Request, pk: str | None = None) -> Response:
        services.comment(request.user, self.allowed(COMMENT), **_given(ReportCommentRequest, request))  # type: ignore[arg-type]
        return self._answer()

    @extend_schema(request=ReportSeenRequest, responses=AnalysisReportDetailSerializer)
    @action(detail=True, methods=["post"])
    def submit(self, request: Request, pk: str | None = None) -> Response:
        found = self.allowed(report_action(ReportAct.SUBMIT))
        services.submit(request.user, found, _given(ReportSeenRequest, request)["seen"])  # type: ignore[arg-type]
        return self._answer()

    @extend_schema(request=ReportActRequest, responses=AnalysisReportDetailSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str | None = None) -> Response:
        found = self.allowed(report_action(ReportAct.WITHDRAW))
        services.withdraw(request.user, found, _given(ReportActRequest, request)["reason"])  # type: ignore[arg-type]
        return self._answer()

    @extend_schema(request=ReportActRequest, responses=AnalysisReportDetailSerializer)
    @action(detail=True, methods=["post"], url_path="return")
    def return_it(self, request: Request, pk: str | None = None) -> Response:
        found = self.allowed(report_action(ReportAct.RETURN))
        services.return_report(request.user, found, _given(ReportActRequest, request)["reason"])  # type: ignore[arg-type]
        return self._answer()

    @extend_schema(request=ReportSeenRequest, responses=AnalysisReportDetailSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str | None = None) -> Response:
        found = self.allowed(report_action(ReportAct.APPROVE))
        services.approve(request.user, found, _given(ReportSeenRequest, request)["seen"])  # type: ignore[arg-type]
        return self._answer()

    @extend_schema(request=ReportIssueRequest, responses=AnalysisReportDetailSerializer)
    @action(detail=True, methods=["post"])
    def issue(self, request: Request, pk: str | None = None) -> Response:
        found = self.allowed(report_action(ReportAct.ISSUE))
        given = _given(ReportIssueRequest, request)
        services.issue(request.user, found, given["release"], given["seen"])  # type: ignore[arg-type]
        return self._answer()

    @extend_schema(request=ReportActRequest, responses=AnalysisReportDetailSerializer)
    @action(detail=True, methods=["post"])
    def recall(self, request: Request, pk: str | None = None) -> Response:
        found = self.allowed(report_action(ReportAct.RECALL))
        services.recall(request.user, found, _given(ReportActRequest, request)["reason"])  # type: ignore[arg-type]
        return self._answer()

    @extend_schema(responses=WORD)
    @action(detail=True, methods=["get"])
    def word(self, request: Request, pk: str | None = None) -> HttpResponse:
        """The issued Word file; before that the draft as it stands."""
        from monitoring.documents.word import DOCX, report_document

        found = self.get_object()
        content = found.word.path.read_bytes() if found.word else report_document(found)
        return export_file(request.user, found, f"{found}.docx", content, DOCX, found.at)  # type: ignore[arg-type]

    def _answer(self) -> Response:
        return Response(AnalysisReportDetailSerializer(self.get_object()).data)


class CircularViewSet(ScopedReadViewSet):
    """医疗机构通报"""

    queryset = AnalysisReport.objects.with_places().order_by("-ends_on", "-pk")
    serializer_class = CircularSerializer

    def get_queryset(self) -> Any:
        return AnalysisReport.objects.circulars_for(self.request.user).with_places().order_by("-ends_on", "-pk")


def register(router: DefaultRouter) -> None:
    """Called by :mod:`monitoring.api`."""
    router.register("analysis-reports", AnalysisReportViewSet, basename="analysis-report")
    router.register("circulars", CircularViewSet, basename="circular")
