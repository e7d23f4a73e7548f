"""Quarterly tables over the API: what the pages do, through the same services, within the same scope."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import FileResponse, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter

from core.access import require
from core.api import ScopedReadViewSet, given_by
from core.models import PoolingArea
from core.scope import get_visible
from core.texts import whole
from core.workbook import XLSX, file_response
from submissions import services
from submissions.models import Assignment, Finding, Submission, SubmissionChange, TableVersion, Waiver
from submissions.models.versions import FUND_SHEETS
from submissions.states import Act, action_name
from submissions.views.finding import download

WORKBOOK = {(200, XLSX): OpenApiTypes.BINARY}


class QuarterlyChangeSerializer(serializers.ModelSerializer[SubmissionChange]):
    actor = serializers.CharField(allow_null=True)

    class Meta:
        model = SubmissionChange
        fields = ["act", "source", "target", "actor", "at", "reason"]


class QuarterlyFindingSerializer(serializers.ModelSerializer[Finding]):
    waived = serializers.SerializerMethodField()

    class Meta:
        model = Finding
        fields = [
            "id", "number", "code", "severity", "sheet", "cell", "fund_type", "row_code", "institution", "place",
            "value", "text", "remedy", "waived", "explanation", "explained_at",
        ]  # fmt: skip

    def get_waived(self, finding: Finding) -> bool:
        return finding.waiver_id is not None


class QuarterlyAssignmentSerializer(serializers.ModelSerializer[Assignment]):
    alliance = serializers.CharField(source="alliance.code")
    county = serializers.CharField(source="alliance.county.code")
    last_day = serializers.DateField()

    class Meta:
        model = Assignment
        fields = [
            "id", "alliance", "county", "table", "period", "due_on", "last_day", "basis", "state", "reopened",
            "admitted_until", "admitted_reason", "created_at",
        ]  # fmt: skip


class QuarterlyVersionSerializer(serializers.ModelSerializer[Submission]):
    """A version without its content, as lists show it."""

    alliance = serializers.CharField(source="assignment.alliance.code")
    period = serializers.CharField(source="assignment.period")
    file_name = serializers.CharField(source="file.name", default="")
    sha256 = serializers.CharField(source="file.sha256", default="")
    uploaded_by = serializers.CharField(source="uploaded_by.username")
    filed_by = serializers.CharField(source="filed_by.username", allow_null=True, default=None)
    decided_by = serializers.CharField(source="decided_by.username", allow_null=True, default=None)

    class Meta:
        model = Submission
        fields = [
            "id", "assignment", "alliance", "period", "number", "kind", "state", "receipt", "file_name", "sha256",
            "table_version", "cells_read", "checks_run", "checked_at", "reason", "uploaded_by", "uploaded_at",
            "filed_by", "filed_at", "decided_by", "decided_at",
        ]  # fmt: skip


class QuarterlyVersionDetailSerializer(QuarterlyVersionSerializer):
    """With findings, what was read (amounts in yuan as text), and every act."""

    findings = QuarterlyFindingSerializer(many=True)
    changes = QuarterlyChangeSerializer(many=True)
    figures = serializers.JSONField()
    notes = serializers.ListField(child=serializers.CharField())

    class Meta(QuarterlyVersionSerializer.Meta):
        fields = [*QuarterlyVersionSerializer.Meta.fields, "notes", "figures", "findings", "changes"]


class TableVersionSerializer(serializers.ModelSerializer[TableVersion]):
    pooling_area = serializers.CharField(source="pooling_area.code")
    status = serializers.CharField()

    class Meta:
        model = TableVersion
        fields = [
            "id", "pooling_area", "table", "version", "sha256", "valid_from", "status", "entered_at", "decided_at",
        ]  # fmt: skip


class QuarterlyWaiverSerializer(serializers.ModelSerializer[Waiver]):
    class Meta:
        model = Waiver
        fields = ["id", "assignment", "code", "fund_type", "row_code", "institution", "reason", "granted_at"]


class QuarterlyUploadRequest(serializers.Serializer[Any]):
    file = serializers.FileField(allow_empty_file=True)


class QuarterlyActRequest(serializers.Serializer[Any]):
    reason = serializers.CharField(required=False, allow_blank=True, default="")


class AdmitRequest(QuarterlyActRequest):
    until = serializers.DateField(help_text="准予报送到哪一天")


class WaiveRequest(QuarterlyActRequest):
    code = serializers.CharField(max_length=10, help_text="检查代码，如 S1")
    fund_type = serializers.ChoiceField(choices=FUND_SHEETS, required=False, allow_blank=True, default="")
    row_code = serializers.CharField(max_length=20, required=False, allow_blank=True, default="")
    institution = serializers.CharField(max_length=20, required=False, allow_blank=True, default="")


class ExplainRequest(serializers.Serializer[Any]):
    texts = serializers.DictField(child=serializers.CharField(allow_blank=True), help_text="发现的 id → 说明")


class LoadRequest(serializers.Serializer[Any]):
    pooling_area = serializers.CharField(help_text="统筹区代码")
    document = serializers.CharField(help_text="报表定义（TOML）", trim_whitespace=False)


class DecideRequest(serializers.Serializer[Any]):
    approve = serializers.BooleanField(help_text="true 核准，false 不予核准")


class AssignmentViewSet(ScopedReadViewSet):
    """填报任务"""

    queryset = Assignment.objects.with_places()
    serializer_class = QuarterlyAssignmentSerializer
    filterset_fields: ClassVar[dict[str, list[str]]] = {
        "alliance__code": ["exact"], "period": ["exact"], "state": ["exact"], "due_on": ["lte", "gte"],
    }  # fmt: skip
    parser_classes = [MultiPartParser, FormParser, JSONParser]

    def allowed(self, act: str) -> Assignment:
        """The assignment, once the caller's post is known to allow the act: the form is judged afterwards."""
        found: Assignment = self.get_object()
        require(self.request.user, action_name(act), found.alliance)  # type: ignore[arg-type]
        return found

    @extend_schema(responses=WORKBOOK)
    @action(detail=True, methods=["get"])
    def template(self, request: Request, pk: str | None = None) -> HttpResponse:
        """The workbook to fill, prefilled for this alliance and period."""
        from submissions.sources import prefill_of
        from submissions.workbook import template_workbook

        found = self.get_object()
        table = services.table_in_force(found.alliance.county.pooling_area, found.of)
        content = template_workbook(table, prefill_of(found, table))
        return file_response(
            f"{found.alliance.name}_{found.of.text.replace(' ', '')}_{table.title}.xlsx", content, XLSX
        )

    @extend_schema(request=QuarterlyUploadRequest, responses={201: QuarterlyVersionSerializer})
    @action(detail=True, methods=["post"])
    def upload(self, request: Request, pk: str | None = None) -> Response:
        """Hand in a filled workbook; the answer carries the receipt, the check runs as a job. 409 for the same file."""
        found = self.allowed(Act.UPLOAD)
        made = services.receive(request.user, found, given_by(QuarterlyUploadRequest, request)["file"])  # type: ignore[arg-type]
        return Response(QuarterlyVersionSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=QuarterlyActRequest, responses={201: QuarterlyVersionSerializer})
    @action(detail=True, methods=["post"])
    def nothing(self, request: Request, pk: str | None = None) -> Response:
        """Report that there is nothing to report, with the reason."""
        found = self.allowed(Act.NOTHING)
        made = services.report_nothing(request.user, found, given_by(QuarterlyActRequest, request)["reason"])  # type: ignore[arg-type]
        return Response(QuarterlyVersionSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=QuarterlyActRequest, responses=QuarterlyAssignmentSerializer)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str | None = None) -> Response:
        """Open an accepted assignment for a further version."""
        found = self.allowed(Act.REOPEN)
        done = services.reopen(request.user, found, given_by(QuarterlyActRequest, request)["reason"])  # type: ignore[arg-type]
        return Response(QuarterlyAssignmentSerializer(done).data)

    @extend_schema(request=QuarterlyActRequest, responses=QuarterlyAssignmentSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: str | None = None) -> Response:
        """Take a reopening back; the accepted version stays."""
        found = self.allowed(Act.CLOSE)
        done = services.close_reopening(request.user, found, given_by(QuarterlyActRequest, request)["reason"])  # type: ignore[arg-type]
        return Response(QuarterlyAssignmentSerializer(done).data)

    @extend_schema(request=AdmitRequest, responses=QuarterlyAssignmentSerializer)
    @action(detail=True, methods=["post"])
    def admit(self, request: Request, pk: str | None = None) -> Response:
        """Let a late table be filed until a day, with a reason."""
        found, given = self.allowed(Act.ADMIT), given_by(AdmitRequest, request)
        done = services.admit_late(request.user, found, given["until"], given["reason"])  # type: ignore[arg-type]
        return Response(QuarterlyAssignmentSerializer(done).data)

    @extend_schema(request=WaiveRequest, responses={201: QuarterlyWaiverSerializer})
    @action(detail=True, methods=["post"])
    def waive(self, request: Request, pk: str | None = None) -> Response:
        """Let one check pass for this assignment."""
        found, given = self.allowed(Act.WAIVE), given_by(WaiveRequest, request)
        made = services.waive(request.user, found, **given)  # type: ignore[arg-type]
        return Response(QuarterlyWaiverSerializer(made).data, status=status.HTTP_201_CREATED)


class SubmissionViewSet(ScopedReadViewSet):
    """报表版本"""

    queryset = Submission.objects.with_places().order_by("-pk")
    serializer_class = QuarterlyVersionSerializer
    filterset_fields: ClassVar[dict[str, list[str]]] = {
        "assignment": ["exact"], "assignment__alliance__code": ["exact"], "assignment__period": ["exact"],
        "state": ["exact"], "receipt": ["exact"],
    }  # fmt: skip

    def get_queryset(self) -> Any:
        found = super().get_queryset()
        if self.action == "list":
            return found.defer("figures", "notes")
        return found.prefetch_related("findings", "changes__actor")

    def get_serializer_class(self) -> Any:
        return QuarterlyVersionSerializer if self.action == "list" else QuarterlyVersionDetailSerializer

    @extend_schema(request=ExplainRequest, responses=QuarterlyVersionDetailSerializer)
    @action(detail=True, methods=["post"])
    def explain(self, request: Request, pk: str | None = None) -> Response:
        """Write explanations of soft findings, all or none."""
        found, given = self.get_object(), given_by(ExplainRequest, request)["texts"]
        strange = sorted(key for key in given if whole(key) is None)
        if strange:
            raise serializers.ValidationError({"texts": [f"发现的 id 须是数字：{'、'.join(strange)}"]})
        services.explain(request.user, found, {int(key): text for key, text in given.items()})  # type: ignore[arg-type]
        return self._answer()

    @extend_schema(request=None, responses=QuarterlyVersionDetailSerializer)
    @action(detail=True, methods=["post"])
    def file(self, request: Request, pk: str | None = None) -> Response:
        """Hand the checked version in."""
        services.file(request.user, self.get_object())  # type: ignore[arg-type]
        return self._answer()

    @extend_schema(request=QuarterlyActRequest, responses=QuarterlyVersionDetailSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str | None = None) -> Response:
        services.withdraw(request.user, self.get_object(), given_by(QuarterlyActRequest, request)["reason"])  # type: ignore[arg-type]
        return self._answer()

    @extend_schema(request=QuarterlyActRequest, responses=QuarterlyVersionDetailSerializer)
    @action(detail=True, methods=["post"], url_path="return")
    def return_it(self, request: Request, pk: str | None = None) -> Response:
        reason = given_by(QuarterlyActRequest, request)["reason"]
        services.return_submission(request.user, self.get_object(), reason)  # type: ignore[arg-type]
        return self._answer()

    @extend_schema(request=None, responses=QuarterlyVersionDetailSerializer)
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, pk: str | None = None) -> Response:
        services.accept(request.user, self.get_object())  # type: ignore[arg-type]
        return self._answer()

    @extend_schema(responses=WORKBOOK)
    @action(detail=True, methods=["get"])
    def original(self, request: Request, pk: str | None = None) -> FileResponse:
        """The workbook as it was uploaded, byte by byte."""
        return download(self.get_object().file)

    @extend_schema(responses=WORKBOOK)
    @action(detail=True, methods=["get"])
    def answer(self, request: Request, pk: str | None = None) -> FileResponse:
        """The same workbook with its bad cells marked."""
        return download(self.get_object().answer)

    def _answer(self) -> Response:
        return Response(QuarterlyVersionDetailSerializer(self.get_object()).data)


class TableVersionViewSet(ScopedReadViewSet):
    """报表版本定义"""

    queryset = TableVersion.objects.select_related("pooling_area").order_by("-pk")
    serializer_class = TableVersionSerializer
    filterset_fields: ClassVar[dict[str, list[str]]] = {"table": ["exact"], "status": ["exact"]}

    @extend_schema(request=LoadRequest, responses={201: TableVersionSerializer})
    def create(self, request: Request) -> Response:
        """Load the document of an official form; a fund reviewer decides on it."""
        given = given_by(LoadRequest, request)
        area = get_visible(PoolingArea.objects.all(), request.user, code=given["pooling_area"])
        made = services.load_table_version(request.user, area, given["document"])  # type: ignore[arg-type]
        return Response(TableVersionSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=DecideRequest, responses=TableVersionSerializer)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, pk: str | None = None) -> Response:
        found, given = self.get_object(), given_by(DecideRequest, request)
        done = services.decide_table_version(request.user, found, given["approve"])  # type: ignore[arg-type]
        return Response(TableVersionSerializer(done).data)


def register(router: DefaultRouter) -> None:
    router.register("quarterly-assignments", AssignmentViewSet, basename="quarterly-assignment")
    router.register("quarterly-submissions", SubmissionViewSet, basename="quarterly-submission")
    router.register("quarterly-table-versions", TableVersionViewSet, basename="quarterly-table-version")
