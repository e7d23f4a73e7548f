"""Evidence, findings with claim rows, and statements over the API: the pages' services, within the same scope."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter

from audits.access import reads_audits
from audits.models import Case, Evidence, Finding, ProviderStatement, StatementKind, Track
from audits.reading.lines import LineRow, is_inside, kept_lines_of
from audits.serializers_findings import (
    CaseFindingLineSerializer,
    CaseFindingSerializer,
    EvidenceDetailSerializer,
    EvidenceNoteRequest,
    EvidenceRequest,
    EvidenceSerializer,
    FindingAmendRequest,
    FindingReasonRequest,
    FindingRequest,
    LineLowerRequest,
    LinesDropRequest,
    LinesRequest,
    StatementReplyRequest,
    StatementRequest,
    StatementSerializer,
)
from audits.services import evidence as evidence_services
from audits.services import findings as finding_services
from audits.services import lines as line_services
from audits.services import statements as statement_services
from audits.states import Act
from audits.views.evidence import FILES, need_post, sent
from audits.views.statements import need_right
from core.api import given_by
from core.errors import Problem, Refused
from core.files import store_evidence, upload_problems
from core.models import FundType, User
from core.scope import get_visible

FILE = {(200, "application/octet-stream"): OpenApiTypes.BINARY}


class _OfCases(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    """Rows of the cases the caller sees; ``case_path`` leads from the row to its case."""

    case_path = "case"
    inside_only = False

    def get_queryset(self) -> Any:
        rows: Any = super().get_queryset()
        user: Any = self.request.user
        if self.inside_only and not reads_audits(user):
            return rows.none()
        return rows.filter(**{f"{self.case_path}__in": Case.objects.visible_to(user).values("pk")})


def case_of(user: Any, pk: int) -> Case:
    found: Case = get_visible(Case.objects.with_places(), user, pk=pk)
    return found


class EvidenceViewSet(_OfCases):
    """案件证据"""

    queryset = (
        Evidence.objects.select_related("case", "file", "collected_by", "witnessed_by", "added_by")
        .prefetch_related("notes__by").order_by("-pk")
    )  # fmt: skip
    inside_only = True
    filterset_fields: ClassVar[dict[str, list[str]]] = {"case": ["exact"], "kind": ["exact"], "sha256": ["exact"]}
    parser_classes = [MultiPartParser, FormParser, JSONParser]

    def get_serializer_class(self) -> Any:
        return EvidenceSerializer if self.action == "list" else EvidenceDetailSerializer

    @extend_schema(request=EvidenceRequest, responses={201: EvidenceDetailSerializer})
    def create(self, request: Request) -> Response:
        """Register a piece of evidence."""
        given = given_by(EvidenceRequest, request)
        case = case_of(request.user, given.pop("case"))
        need_post(request.user, case, Act.COLLECT)
        upload = given.pop("file")
        problems = upload_problems([upload])
        people: dict[str, Any] = {}
        for name in ("collected_by", "witnessed_by"):
            username = given.pop(name)
            people[name] = User.objects.filter(username=username).first()
            if username and people[name] is None:
                problems.append(Problem(name, username, f"没有用户“{username}”。", "请填写办案人员的用户名。"))
        if problems:
            raise Refused(problems)
        user: Any = request.user
        made = evidence_services.add_evidence(user, case, file=store_evidence(upload, FILES, user), **people, **given)
        return Response(EvidenceDetailSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=EvidenceNoteRequest, responses=EvidenceDetailSerializer)
    @action(detail=True, methods=["post"])
    def handle(self, request: Request, pk: str | None = None) -> Response:
        """Say how a registered piece was dealt with."""
        return self._note(evidence_services.handle)

    @extend_schema(request=EvidenceNoteRequest, responses=EvidenceDetailSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str | None = None) -> Response:
        """No longer stand on a piece."""
        return self._note(evidence_services.withdraw)

    @extend_schema(responses=FILE)
    @action(detail=True, methods=["get"])
    def file(self, request: Request, pk: str | None = None) -> HttpResponse:
        """The file; the download is recorded."""
        piece: Evidence = self.get_object()
        evidence_services.note_opened(request.user, piece, "下载")  # type: ignore[arg-type]
        return sent(piece, as_attachment=True)

    def _note(self, do: Any) -> Response:
        piece: Evidence = self.get_object()
        need_post(self.request.user, piece.case, Act.COLLECT)
        do(self.request.user, piece, given_by(EvidenceNoteRequest, self.request)["text"])
        return Response(EvidenceDetailSerializer(self.get_object()).data)


class FindingViewSet(_OfCases):
    """认定事实"""

    queryset = Finding.objects.select_related("case").order_by("-pk")
    serializer_class = CaseFindingSerializer
    filterset_fields: ClassVar[dict[str, list[str]]] = {"case": ["exact"], "act": ["exact"], "dropped": ["exact"]}

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        if not reads_audits(self.request.user):
            rows = rows.filter(dropped=False)
        return with_sums(rows)

    @extend_schema(request=FindingRequest, responses={201: CaseFindingSerializer})
    def create(self, request: Request) -> Response:
        """Make a finding; the clause is the catalogue's unless given."""
        given = given_by(FindingRequest, request)
        case = case_of(request.user, given.pop("case"))
        need_post(request.user, case, Act.FIND)
        made = finding_services.make_finding(request.user, case, **given)  # type: ignore[arg-type]
        return self._shown(made, status.HTTP_201_CREATED)

    @extend_schema(request=FindingAmendRequest, responses=CaseFindingSerializer)
    @action(detail=True, methods=["post"])
    def amend(self, request: Request, pk: str | None = None) -> Response:
        """Word a finding anew while the case is investigated."""
        found = self._found(Act.FIND)
        finding_services.amend_finding(request.user, found, **given_by(FindingAmendRequest, request))  # type: ignore[arg-type]
        return self._shown(found)

    @extend_schema(responses=CaseFindingLineSerializer(many=True))
    @action(detail=True, methods=["get"])
    def lines(self, request: Request, pk: str | None = None) -> Response:
        """The claim rows that stand, a page at a time; looking at them is recorded."""
        found = self._found()
        finding_services.note_lines_opened(request.user, found.case, f"事实 {found.number} 的结算行（接口）")  # type: ignore[arg-type]
        inside = is_inside(request.user, found.case)  # type: ignore[arg-type]
        page = self.paginate_queryset(kept_lines_of(found))
        rows = [LineRow(line, inside) for line in (page or [])]
        return self.get_paginated_response(CaseFindingLineSerializer(rows, many=True).data)

    @extend_schema(request=LinesRequest, responses=CaseFindingSerializer)
    @action(detail=True, methods=["post"], url_path="add-lines")
    def add_lines(self, request: Request, pk: str | None = None) -> Response:
        """Add claims of the extract by their settlement ids, all or none."""
        found = self._found(Act.FIND)
        asked = given_by(LinesRequest, request)["lines"]
        counties = {county.code: county for county in line_services.counties_of(found.case)}
        wanted, problems = [], []
        for number, row in enumerate(asked, 1):
            county = counties.get(row["county"]) if row["county"] else found.case.county
            if county is None:
                problems.append(Problem(f"lines[{number}]", row["county"], "没有这个参保县（区）。", "请填写区划代码。"))
                continue
            wanted.append(line_services.Wanted(county, row["settlement_id"], row["amount"], row["note"], f"lines[{number}]"))
        line_services.add_lines(request.user, found, wanted, "接口", problems)  # type: ignore[arg-type]
        return self._shown(found)

    @extend_schema(request=LinesDropRequest, responses=CaseFindingSerializer)
    @action(detail=True, methods=["post"], url_path="drop-lines")
    def drop_lines(self, request: Request, pk: str | None = None) -> Response:
        """Take claim rows out with a reason."""
        found, given = self._found(), given_by(LinesDropRequest, request)
        mine = list(found.lines.filter(pk__in=given["lines"]).values_list("pk", flat=True))
        finding_services.drop_lines(request.user, found.case, mine, given["reason"])  # type: ignore[arg-type]
        return self._shown(found)

    @extend_schema(request=LineLowerRequest, responses=CaseFindingSerializer)
    @action(detail=True, methods=["post"], url_path="lower-line")
    def lower_line(self, request: Request, pk: str | None = None) -> Response:
        """Find less money on one claim row."""
        found, given = self._found(), given_by(LineLowerRequest, request)
        line = get_object_or_404(found.lines.select_related("finding__case"), pk=given["line"])
        finding_services.lower_line(request.user, line, given["amount"], given["reason"])  # type: ignore[arg-type]
        return self._shown(found)

    @extend_schema(request=FindingReasonRequest, responses=CaseFindingSerializer)
    @action(detail=True, methods=["post"])
    def drop(self, request: Request, pk: str | None = None) -> Response:
        """Let a finding fall with all its rows."""
        found = self._found()
        finding_services.drop_finding(request.user, found, given_by(FindingReasonRequest, request)["reason"])  # type: ignore[arg-type]
        return self._shown(found)

    def _found(self, act: str = "") -> Finding:
        found: Finding = self.get_object()
        found.case = case_of(self.request.user, found.case_id)
        if act:
            need_post(self.request.user, found.case, act)
        return found

    def _shown(self, found: Finding, code: int = status.HTTP_200_OK) -> Response:
        row = with_sums(Finding.objects.select_related("case")).get(pk=found.pk)
        return Response(CaseFindingSerializer(row).data, status=code)


def with_sums(rows: Any) -> Any:
    """Findings with the number and yuan of their rows that stand."""
    kept = Q(lines__dropped_at__isnull=True, dropped=False)
    zero: Any = 0
    return rows.annotate(
        kept_lines=Count("lines", filter=kept),
        resident=Coalesce(Sum("lines__amount", filter=kept & Q(lines__fund_type=FundType.RESIDENT)), zero),
        employee=Coalesce(Sum("lines__amount", filter=kept & Q(lines__fund_type=FundType.EMPLOYEE)), zero),
    )


class StatementViewSet(_OfCases):
    """当事人意见"""

    queryset = (
        ProviderStatement.objects.select_related("track__case", "given_by", "reply__by").prefetch_related("files").order_by("-pk")
    )
    serializer_class = StatementSerializer
    case_path = "track__case"
    filterset_fields: ClassVar[dict[str, list[str]]] = {"track__case": ["exact"], "kind": ["exact"], "is_late": ["exact"]}

    @extend_schema(request=StatementRequest, responses={201: StatementSerializer})
    def create(self, request: Request) -> Response:
        """State, object, agree or ask for a hearing on a notice."""
        given = given_by(StatementRequest, request)
        user: Any = request.user
        case = case_of(user, given["case"])
        rows = case.tracks.all() if is_inside(user, case) else case.tracks.filter(notified_on__isnull=False)
        track: Track = get_object_or_404(rows, kind=given["track"])
        track.case = case
        need_right(user, track, Act.ASK_HEARING if given["kind"] == StatementKind.HEARING else Act.STATE)
        points = [statement_services.Point(**point) for point in given.get("points", ())]
        if given["kind"] == StatementKind.AGREED:
            made = statement_services.agree(user, track, given["text"])
        elif given["kind"] == StatementKind.HEARING:
            made = statement_services.ask_hearing(user, track, given["text"])
        else:
            made = statement_services.give_statement(user, track, text=given["text"], points=points, kind=given["kind"])
        return Response(StatementSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=StatementReplyRequest, responses=StatementSerializer)
    @action(detail=True, methods=["post"])
    def reply(self, request: Request, pk: str | None = None) -> Response:
        """Answer a statement, once."""
        found: ProviderStatement = self.get_object()
        need_right(request.user, found.track, Act.REPLY)
        given = given_by(StatementReplyRequest, request)
        statement_services.reply(request.user, found, given["outcome"], given["text"])  # type: ignore[arg-type]
        return Response(StatementSerializer(self.get_object()).data)


def register(router: DefaultRouter) -> None:
    router.register("audit-evidence", EvidenceViewSet, basename="audit-evidence")
    router.register("audit-findings", FindingViewSet, basename="audit-finding")
    router.register("audit-statements", StatementViewSet, basename="audit-statement")
