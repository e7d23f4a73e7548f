"""Liaison meetings, their follow-ups and data supply over the API: the services of the pages, within the same scope."""

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
from core.models import Alliance
from core.scope import get_visible
from monitoring.models import DataSupply, LiaisonMeeting, MeetingFollowUp
from monitoring.serializers_warnings import LONGEST, WarningFileSerializer, WarningReasonRequest
from monitoring.services import liaison
from monitoring.views.liaison import download_noted
from monitoring.views.supply import need_standing

FILE = {(200, "application/octet-stream"): OpenApiTypes.BINARY}
PERSON: dict[str, Any] = {"allow_null": True, "default": None}
BLANK: dict[str, Any] = {"required": False, "allow_blank": True, "default": "", "max_length": LONGEST}
DAY: dict[str, Any] = {"required": False, "allow_null": True, "default": None}
UPLOAD: dict[str, Any] = {"required": False, "allow_null": True, "default": None}


class MeetingFollowUpSerializer(serializers.ModelSerializer[MeetingFollowUp]):
    meeting = serializers.IntegerField(source="meeting_id")
    side = serializers.CharField(help_text="bureau 医保局，hospital 医共体")
    state = serializers.CharField()
    done_by = serializers.CharField(source="done_by.username", **PERSON)

    class Meta:
        model = MeetingFollowUp
        fields = ["id", "meeting", "text", "side", "person", "due_on", "state", "result", "done_by", "done_at"]


class LiaisonMeetingSerializer(serializers.ModelSerializer[LiaisonMeeting]):
    alliance = serializers.CharField(source="alliance.code")
    file = WarningFileSerializer(allow_null=True)
    state = serializers.CharField(help_text="recorded 待确认，objected 有异议，confirmed 已确认")
    entered_by = serializers.CharField(source="entered_by.username")
    decided_by = serializers.CharField(source="decided_by.username", **PERSON)
    follow_ups = MeetingFollowUpSerializer(many=True)

    class Meta:
        model = LiaisonMeeting
        fields = [
            "id", "alliance", "held_on", "place", "bureau_people", "hospital_people", "agenda", "decisions", "file", "state",
            "entered_by", "entered_at", "decided_by", "decided_at", "objection", "follow_ups",
        ]  # fmt: skip


class DataSupplySerializer(serializers.ModelSerializer[DataSupply]):
    alliance = serializers.CharField(source="alliance.code")
    giver = serializers.CharField(help_text="bureau 医保局，hospital 医共体")
    kind = serializers.CharField()
    file = WarningFileSerializer(allow_null=True)
    state = serializers.CharField(help_text="sent 待签收，received 已签收，withdrawn 已撤回")
    sent_by = serializers.CharField(source="sent_by.username")
    received_by = serializers.CharField(source="received_by.username", **PERSON)

    class Meta:
        model = DataSupply
        fields = [
            "id", "alliance", "giver", "kind", "title", "period", "file", "link", "state", "sent_by", "sent_at",
            "received_by", "received_at", "note",
        ]  # fmt: skip


class MeetingTextRequest(serializers.Serializer[Any]):
    held_on = serializers.DateField(**DAY)
    place = serializers.CharField(**BLANK)
    bureau_people = serializers.CharField(**BLANK)
    hospital_people = serializers.CharField(**BLANK)
    agenda = serializers.CharField(**BLANK)
    decisions = serializers.CharField(**BLANK)
    file = serializers.FileField(**UPLOAD)


class MeetingRequest(MeetingTextRequest):
    alliance = serializers.CharField(help_text="医共体编号")


class FollowUpRequest(serializers.Serializer[Any]):
    text = serializers.CharField(**BLANK)
    side = serializers.CharField(**BLANK)
    person = serializers.CharField(**BLANK)
    due_on = serializers.DateField(**DAY)


class FollowUpDoneRequest(serializers.Serializer[Any]):
    result = serializers.CharField(**BLANK)


class DataSupplyRequest(serializers.Serializer[Any]):
    alliance = serializers.CharField(help_text="医共体编号")
    kind = serializers.CharField(**BLANK)
    title = serializers.CharField(**BLANK)
    period = serializers.CharField(**BLANK)
    link = serializers.CharField(**BLANK)
    note = serializers.CharField(**BLANK)
    file = serializers.FileField(**UPLOAD)


def _alliance(user: Any, code: str) -> Alliance:
    found: Alliance = get_visible(Alliance.objects.select_related("county__pooling_area"), user, code=code)
    return found


class LiaisonMeetingViewSet(ScopedReadViewSet):
    """联络会议"""

    queryset = LiaisonMeeting.objects.with_places().prefetch_related("follow_ups__done_by").order_by("-held_on", "-pk")
    serializer_class = LiaisonMeetingSerializer
    parser_classes = [MultiPartParser, FormParser, JSONParser]
    filterset_fields: ClassVar[dict[str, list[str]]] = {
        "alliance__code": ["exact"], "alliance__county__code": ["exact"], "state": ["exact"], "held_on": ["gte", "lte"],
    }  # fmt: skip

    @extend_schema(request=MeetingRequest, responses={201: LiaisonMeetingSerializer})
    def create(self, request: Request) -> Response:
        """Write down a meeting that took place."""
        user: Any = request.user
        require_somewhere(user, liaison.RECORD)
        given = given_by(MeetingRequest, request)
        made = liaison.record_meeting(user, _alliance(user, given.pop("alliance")), given, given.pop("file"))
        return Response(LiaisonMeetingSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=MeetingTextRequest, responses=LiaisonMeetingSerializer)
    def update(self, request: Request, pk: str | None = None) -> Response:
        """Correct what is not confirmed yet."""
        given = given_by(MeetingTextRequest, request)
        liaison.revise_meeting(request.user, self.get_object(), given, given.pop("file"))  # type: ignore[arg-type]
        return self._answer()

    @extend_schema(request=None, responses=LiaisonMeetingSerializer)
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str | None = None) -> Response:
        liaison.confirm_meeting(request.user, self.get_object())  # type: ignore[arg-type]
        return self._answer()

    @extend_schema(request=WarningReasonRequest, responses=LiaisonMeetingSerializer)
    @action(detail=True, methods=["post"], url_path="object")
    def object_to(self, request: Request, pk: str | None = None) -> Response:
        reason = given_by(WarningReasonRequest, request)["reason"]
        liaison.object_to_meeting(request.user, self.get_object(), reason)  # type: ignore[arg-type]
        return self._answer()

    @extend_schema(request=FollowUpRequest, responses={201: MeetingFollowUpSerializer})
    @action(detail=True, methods=["post"], url_path="follow-ups")
    def follow_up(self, request: Request, pk: str | None = None) -> Response:
        """Something one side is to do by a day."""
        made = liaison.add_follow_up(request.user, self.get_object(), given_by(FollowUpRequest, request))  # type: ignore[arg-type]
        return Response(MeetingFollowUpSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses=FILE)
    @action(detail=True, methods=["get"])
    def file(self, request: Request, pk: str | None = None) -> FileResponse:
        """The minutes; the download is noted."""
        return download_noted(request.user, self.get_object())

    def _answer(self) -> Response:
        return Response(LiaisonMeetingSerializer(self.get_object()).data)


class MeetingFollowUpViewSet(ScopedReadViewSet):
    """会议待办"""

    queryset = MeetingFollowUp.objects.select_related("meeting__alliance__county__pooling_area", "done_by").order_by("due_on", "pk")
    serializer_class = MeetingFollowUpSerializer
    filterset_fields: ClassVar[dict[str, list[str]]] = {
        "meeting__alliance__code": ["exact"], "side": ["exact"], "state": ["exact"], "due_on": ["gte", "lte"],
    }  # fmt: skip

    @extend_schema(request=FollowUpDoneRequest, responses=MeetingFollowUpSerializer)
    @action(detail=True, methods=["post"])
    def done(self, request: Request, pk: str | None = None) -> Response:
        """Done, with what was done; by somebody of the side that owes it."""
        result = given_by(FollowUpDoneRequest, request)["result"]
        liaison.finish_follow_up(request.user, self.get_object(), result)  # type: ignore[arg-type]
        return Response(MeetingFollowUpSerializer(self.get_object()).data)


class DataSupplyViewSet(ScopedReadViewSet):
    """数据提供"""

    queryset = DataSupply.objects.with_places().order_by("-sent_at", "-pk")
    serializer_class = DataSupplySerializer
    parser_classes = [MultiPartParser, FormParser, JSONParser]
    filterset_fields: ClassVar[dict[str, list[str]]] = {
        "alliance__code": ["exact"], "giver": ["exact"], "kind": ["exact"], "state": ["exact"], "sent_at": ["date__gte", "date__lte"],
    }  # fmt: skip

    @extend_schema(request=DataSupplyRequest, responses={201: DataSupplySerializer})
    def create(self, request: Request) -> Response:
        """Give data to the other side: a file or a link."""
        user: Any = request.user
        require_somewhere(user, liaison.SUPPLY)
        given = given_by(DataSupplyRequest, request)
        made = liaison.supply_data(user, _alliance(user, given.pop("alliance")), given, given.pop("file"))
        return Response(DataSupplySerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=DataSupplySerializer)
    @action(detail=True, methods=["post"])
    def receive(self, request: Request, pk: str | None = None) -> Response:
        """The other side acknowledges that it has the data."""
        done = liaison.receive_data(request.user, self.get_object())  # type: ignore[arg-type]
        return Response(DataSupplySerializer(done).data)

    @extend_schema(request=WarningReasonRequest, responses=DataSupplySerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str | None = None) -> Response:
        reason = given_by(WarningReasonRequest, request)["reason"]
        done = liaison.withdraw_data(request.user, self.get_object(), reason)  # type: ignore[arg-type]
        return Response(DataSupplySerializer(done).data)

    @extend_schema(responses=FILE)
    @action(detail=True, methods=["get"])
    def file(self, request: Request, pk: str | None = None) -> FileResponse:
        """The file, unless it was withdrawn; the download is noted."""
        found: DataSupply = self.get_object()
        need_standing(found)
        return download_noted(request.user, found)


def register(router: DefaultRouter) -> None:
    """Called by :mod:`monitoring.api`."""
    router.register("liaison-meetings", LiaisonMeetingViewSet, basename="liaison-meeting")
    router.register("meeting-follow-ups", MeetingFollowUpViewSet, basename="meeting-follow-up")
    router.register("data-supplies", DataSupplyViewSet, basename="data-supply")
