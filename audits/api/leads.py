"""Leads over the API: what the pages do, through the same services and within the same scope."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter

from audits.models import Lead, LeadChange, LeadClaim
from audits.states import Act
from audits.views.leads import entered
from audits.views.leads_acts import need_right, perform
from core.api import ScopedReadViewSet, given_by

BLANK: dict[str, Any] = {"required": False, "allow_blank": True, "default": ""}
NONE: dict[str, Any] = {"required": False, "allow_null": True, "default": None}
PERSON: dict[str, Any] = {"allow_null": True, "default": None}


class LeadClaimSerializer(serializers.ModelSerializer[LeadClaim]):
    county = serializers.CharField(source="county.code", **PERSON)

    class Meta:
        model = LeadClaim
        fields = ["county", "settlement_id", "settled_on", "fund_type", "amount", "note"]


class LeadChangeSerializer(serializers.ModelSerializer[LeadChange]):
    act = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    target = serializers.CharField()
    actor = serializers.CharField(allow_null=True)
    data = serializers.JSONField()  # type: ignore[assignment]

    class Meta:
        model = LeadChange
        fields = ["id", "act", "source", "target", "actor", "at", "reason", "data"]


class LeadSerializer(serializers.ModelSerializer[Lead]):
    """A lead as lists show it; places by code, people by user name, its case and the lead it joined by number."""

    source = serializers.CharField()  # type: ignore[assignment]
    state = serializers.CharField()
    party_kind = serializers.CharField()
    county = serializers.CharField(source="county.code")
    alliance = serializers.CharField(source="alliance.code", **PERSON)
    institution = serializers.CharField(source="institution.code", **PERSON)
    assigned_to = serializers.CharField(source="assigned_to.username", **PERSON)
    proposed_by = serializers.CharField(source="proposed_by.username", **PERSON)
    case = serializers.CharField(source="case.number", **PERSON)

    class Meta:
        model = Lead
        fields = [
            "id", "number", "source", "origin_type", "origin_key", "county", "alliance", "institution", "party_kind", "party_name",
            "party_code", "fund_type", "title", "detail", "estimate", "received_on", "state", "due_on", "is_extended", "escalations",
            "assigned_to", "proposal", "proposed_by", "case", "entered_at",
        ]  # fmt: skip


class LeadDetailSerializer(LeadSerializer):
    """With the claim rows it points at and everything that happened."""

    claims = LeadClaimSerializer(many=True)
    changes = LeadChangeSerializer(many=True)

    class Meta(LeadSerializer.Meta):
        fields = [*LeadSerializer.Meta.fields, "claims", "changes"]


class LeadRequest(serializers.Serializer[Any]):
    source = serializers.CharField(**BLANK)  # type: ignore[assignment]
    county = serializers.CharField(help_text="区划代码")
    institution = serializers.CharField(help_text="机构编码", **BLANK)
    party_kind = serializers.CharField(required=False, default="provider")
    party_name = serializers.CharField(**BLANK)
    party_code = serializers.CharField(help_text="参保人员填人员摘要", **BLANK)
    fund_type = serializers.CharField(**BLANK)
    title = serializers.CharField(**BLANK)
    detail = serializers.CharField(**BLANK)
    estimate = serializers.DecimalField(15, 2, **NONE)
    received_on = serializers.DateField(**NONE)


class LeadReasonRequest(serializers.Serializer[Any]):
    reason = serializers.CharField(**BLANK)


class LeadAssignRequest(LeadReasonRequest):
    to = serializers.IntegerField(help_text="核查人的用户编号", **NONE)


class LeadMergeRequest(LeadReasonRequest):
    into = serializers.CharField(help_text="L 加线索编号或 C 加案件编号，如 L12", **BLANK)


class LeadHandRequest(LeadReasonRequest):
    to = serializers.CharField(help_text="接收单位", **BLANK)


class LeadFileRequest(LeadReasonRequest):
    kind = serializers.CharField(**BLANK)
    way = serializers.CharField(**BLANK)
    title = serializers.CharField(**BLANK)
    claims_from = serializers.DateField(**NONE)
    claims_to = serializers.DateField(**NONE)
    leading = serializers.IntegerField(help_text="主办人员的用户编号", **NONE)
    leading_card = serializers.CharField(**BLANK)
    second = serializers.IntegerField(help_text="协办人员的用户编号", **NONE)
    second_card = serializers.CharField(**BLANK)


class LeadViewSet(ScopedReadViewSet):
    """稽核线索"""

    queryset = Lead.objects.with_places().order_by("-pk")
    serializer_class = LeadSerializer
    filterset_fields: ClassVar[dict[str, list[str]]] = {
        "state": ["exact"], "source": ["exact"], "party_kind": ["exact"], "fund_type": ["exact"], "county__code": ["exact"],
        "institution__code": ["exact"], "due_on": ["lte", "gte"], "number": ["exact"],
    }  # fmt: skip

    def get_queryset(self) -> Any:
        found = super().get_queryset()
        return found if self.action == "list" else found.prefetch_related("claims__county", "changes__actor")

    def get_serializer_class(self) -> Any:
        return LeadSerializer if self.action == "list" else LeadDetailSerializer

    @extend_schema(request=LeadRequest, responses={201: LeadDetailSerializer})
    def create(self, request: Request) -> Response:
        """Enter a lead."""
        made = entered(request.user, given_by(LeadRequest, request))
        return Response(LeadDetailSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=LeadAssignRequest, responses=LeadDetailSerializer)
    @action(detail=True, methods=["post"])
    def assign(self, request: Request, pk: str | None = None) -> Response:
        return self._act(Act.ASSIGN, LeadAssignRequest)

    @extend_schema(request=LeadMergeRequest, responses=LeadDetailSerializer)
    @action(detail=True, methods=["post"])
    def merge(self, request: Request, pk: str | None = None) -> Response:
        return self._act(Act.MERGE, LeadMergeRequest)

    @extend_schema(request=LeadHandRequest, responses=LeadDetailSerializer)
    @action(detail=True, methods=["post"], url_path="hand-over")
    def hand_over(self, request: Request, pk: str | None = None) -> Response:
        return self._act(Act.HAND, LeadHandRequest)

    @extend_schema(request=LeadReasonRequest, responses=LeadDetailSerializer)
    @action(detail=True, methods=["post"], url_path="propose-filing")
    def propose_filing(self, request: Request, pk: str | None = None) -> Response:
        return self._act(Act.PROPOSE_FILE, LeadReasonRequest)

    @extend_schema(request=LeadReasonRequest, responses=LeadDetailSerializer)
    @action(detail=True, methods=["post"], url_path="propose-refusal")
    def propose_refusal(self, request: Request, pk: str | None = None) -> Response:
        return self._act(Act.PROPOSE_REFUSE, LeadReasonRequest)

    @extend_schema(request=LeadReasonRequest, responses=LeadDetailSerializer)
    @action(detail=True, methods=["post"], url_path="return")
    def return_it(self, request: Request, pk: str | None = None) -> Response:
        return self._act(Act.RETURN_LEAD, LeadReasonRequest)

    @extend_schema(request=LeadReasonRequest, responses=LeadDetailSerializer)
    @action(detail=True, methods=["post"])
    def extend(self, request: Request, pk: str | None = None) -> Response:
        return self._act(Act.EXTEND_LEAD, LeadReasonRequest)

    @extend_schema(request=LeadFileRequest, responses=LeadDetailSerializer)
    @action(detail=True, methods=["post"])
    def file(self, request: Request, pk: str | None = None) -> Response:
        """Approve the filing: opens the case."""
        return self._act(Act.FILE, LeadFileRequest)

    @extend_schema(request=LeadReasonRequest, responses=LeadDetailSerializer)
    @action(detail=True, methods=["post"])
    def refuse(self, request: Request, pk: str | None = None) -> Response:
        return self._act(Act.REFUSE, LeadReasonRequest)

    def _act(self, act: Act, asked: Any) -> Response:
        found: Lead = self.get_object()
        user: Any = self.request.user
        need_right(user, found, act)
        perform(user, found, act, given_by(asked, self.request))
        return Response(LeadDetailSerializer(self.get_object()).data)


def register(router: DefaultRouter) -> None:
    router.register("audit-leads", LeadViewSet, basename="audit-lead")
