"""Expected headcounts and contributions not paid as due over the API: the services of the pages, for the bureau only."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter

from core.access import require_somewhere
from core.api import ScopedReadViewSet, given_by
from core.exports import attachment
from core.models import County
from core.scope import get_visible
from monitoring.models import CollectionFinding, EnrolmentTarget, FindingChange
from monitoring.serializers_warnings import LONGEST, WarningFileSerializer, WarningReasonRequest
from monitoring.services import collection as services
from monitoring.views.collection import need_collection_reader

FILE = {(200, "application/octet-stream"): OpenApiTypes.BINARY}
PERSON: dict[str, Any] = {"allow_null": True, "default": None}
BLANK: dict[str, Any] = {"required": False, "allow_blank": True, "default": "", "max_length": LONGEST}


class EnrolmentTargetSerializer(serializers.ModelSerializer[EnrolmentTarget]):
    county = serializers.CharField(source="county.code")
    fund_type = serializers.CharField()
    state = serializers.CharField(help_text="proposed 待复核，confirmed 已核定，rejected 已退回，superseded 已被替代")
    entered_by = serializers.CharField(source="entered_by.username")
    decided_by = serializers.CharField(source="decided_by.username", **PERSON)

    class Meta:
        model = EnrolmentTarget
        fields = [
            "id", "county", "fund_type", "year", "version", "expected", "basis", "state", "entered_by", "entered_at",
            "decided_by", "decided_at", "decision_note",
        ]  # fmt: skip


class FindingChangeSerializer(serializers.ModelSerializer[FindingChange]):
    act = serializers.CharField()
    actor = serializers.CharField(source="actor.username")

    class Meta:
        model = FindingChange
        fields = ["act", "text", "recovered", "actor", "at"]


class CollectionFindingSerializer(serializers.ModelSerializer[CollectionFinding]):
    """Yuan as text."""

    county = serializers.CharField(source="county.code")
    kind = serializers.CharField(help_text="deferral 违规缓缴，reduction 违规减免，arrears 拖欠保费，sham 虚假劳动关系参保")
    fund_type = serializers.CharField()
    file = WarningFileSerializer(allow_null=True)
    state = serializers.CharField(help_text="open 待处理，handled 已处理待复核，closed 已办结")
    found_by = serializers.CharField(source="found_by.username")
    changes = FindingChangeSerializer(many=True)

    class Meta:
        model = CollectionFinding
        fields = [
            "id", "county", "kind", "fund_type", "payer", "period", "amount", "recovered", "description", "file", "state",
            "found_by", "found_at", "changes",
        ]  # fmt: skip


class EnrolmentTargetRequest(serializers.Serializer[Any]):
    county = serializers.CharField(help_text="县（区）代码")
    year = serializers.IntegerField()
    fund_type = serializers.CharField(**BLANK)
    expected = serializers.IntegerField(required=False, allow_null=True, default=None)
    basis = serializers.CharField(**BLANK)


class CollectionFindingRequest(serializers.Serializer[Any]):
    county = serializers.CharField(help_text="县（区）代码")
    kind = serializers.CharField(**BLANK)
    fund_type = serializers.CharField(**BLANK)
    payer = serializers.CharField(**BLANK)
    period = serializers.CharField(**BLANK)
    amount = serializers.DecimalField(16, 2, required=False, allow_null=True, default=None)
    description = serializers.CharField(**BLANK)
    file = serializers.FileField(required=False, allow_null=True, default=None)


class FindingActRequest(serializers.Serializer[Any]):
    act = serializers.CharField(help_text="follow 跟进，handle 处理完成，close 复核办结，return 退回，reopen 重新处理")
    text = serializers.CharField(**BLANK)
    recovered = serializers.DecimalField(16, 2, required=False, default=services.ZERO, help_text="本次补缴，元")


class _BureauViewSet(ScopedReadViewSet):
    """Collection is read by posts of the bureau and observers."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        need_collection_reader(request.user)


def _county(user: Any, code: str) -> County:
    found: County = get_visible(County.objects.select_related("pooling_area"), user, code=code)
    return found


class EnrolmentTargetViewSet(_BureauViewSet):
    """应参保人数"""

    queryset = EnrolmentTarget.objects.with_places().order_by("-year", "county__code", "fund_type", "-version")
    serializer_class = EnrolmentTargetSerializer
    filterset_fields: ClassVar[dict[str, list[str]]] = {
        "county__code": ["exact"], "fund_type": ["exact"], "year": ["exact"], "state": ["exact"],
    }  # fmt: skip

    @extend_schema(request=EnrolmentTargetRequest, responses={201: EnrolmentTargetSerializer})
    def create(self, request: Request) -> Response:
        """Enter a new version, to be confirmed by a reviewer."""
        user: Any = request.user
        require_somewhere(user, services.ENTER)
        given = given_by(EnrolmentTargetRequest, request)
        made = services.enter_target(
            user, _county(user, given["county"]), given["year"], given["fund_type"], given["expected"], given["basis"]
        )
        return Response(EnrolmentTargetSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=WarningReasonRequest, responses=EnrolmentTargetSerializer)
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str | None = None) -> Response:
        """Put it in force in place of the version before; a second person only."""
        return self._decide(confirm=True)

    @extend_schema(request=WarningReasonRequest, responses=EnrolmentTargetSerializer)
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, pk: str | None = None) -> Response:
        """Send it back with a reason."""
        return self._decide(confirm=False)

    def _decide(self, *, confirm: bool) -> Response:
        user: Any = self.request.user
        note = given_by(WarningReasonRequest, self.request)["reason"]
        done = services.decide_target(user, self.get_object(), confirm=confirm, note=note)
        return Response(EnrolmentTargetSerializer(done).data)


class CollectionFindingViewSet(_BureauViewSet):
    """征缴问题"""

    queryset = CollectionFinding.objects.with_places().prefetch_related("changes__actor").order_by("-pk")
    serializer_class = CollectionFindingSerializer
    parser_classes = [MultiPartParser, FormParser, JSONParser]
    filterset_fields: ClassVar[dict[str, list[str]]] = {
        "county__code": ["exact"], "fund_type": ["exact"], "kind": ["exact"], "state": ["exact"],
    }  # fmt: skip

    @extend_schema(request=CollectionFindingRequest, responses={201: CollectionFindingSerializer})
    def create(self, request: Request) -> Response:
        """Note a payer that did not pay as due."""
        user: Any = request.user
        require_somewhere(user, services.FIND)
        given = given_by(CollectionFindingRequest, request)
        made = services.register_finding(user, _county(user, given.pop("county")), given, given.pop("file"))
        return Response(CollectionFindingSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=FindingActRequest, responses=CollectionFindingSerializer)
    @action(detail=True, methods=["post"])
    def act(self, request: Request, pk: str | None = None) -> Response:
        """Follow, handle, close, return or reopen; always with words."""
        given = given_by(FindingActRequest, request)
        user: Any = request.user
        services.act_on_finding(user, self.get_object(), given["act"], given["text"], given["recovered"])
        return Response(CollectionFindingSerializer(self.get_object()).data)

    @extend_schema(responses=FILE)
    @action(detail=True, methods=["get"])
    def file(self, request: Request, pk: str | None = None) -> FileResponse:
        """The evidence."""
        return attachment(self.get_object().file)


def register(router: DefaultRouter) -> None:
    """Called by :mod:`monitoring.api`."""
    router.register("enrolment-targets", EnrolmentTargetViewSet, basename="enrolment-target")
    router.register("collection-findings", CollectionFindingViewSet, basename="collection-finding")
