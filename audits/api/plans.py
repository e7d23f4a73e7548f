"""Audit plans and their targets over the API: what the pages do, through the same services and within the same scope."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter

from audits.api.leads import BLANK, NONE, PERSON, LeadReasonRequest
from audits.models import AuditPlan, PlanTarget
from audits.plan_acts import PlanAct
from audits.reading.plan_targets import candidates
from audits.services import plans
from audits.views.plan_targets import ACTS, chosen_institutions, find_target, perform_target
from audits.views.plans import need_plan_right, perform, place_by_key
from core.access import require_somewhere
from core.api import ScopedReadViewSet, given_by


class PlanTargetSerializer(serializers.ModelSerializer[PlanTarget]):
    institution = serializers.CharField(source="institution.code")
    institution_name = serializers.CharField(source="institution.name")
    risks = serializers.ListField(child=serializers.CharField())
    state = serializers.CharField()
    checked_by = serializers.CharField(source="checked_by.username", **PERSON)
    lead = serializers.CharField(source="lead.number", **PERSON)

    class Meta:
        model = PlanTarget
        fields = [
            "id", "institution", "institution_name", "risks", "filing_number", "filed_on", "state", "checked_on", "checked_by",
            "note", "lead",
        ]  # fmt: skip


class AuditPlanSerializer(serializers.ModelSerializer[AuditPlan]):
    """A plan as lists show it; ``county`` null is the city's own."""

    pooling_area = serializers.CharField(source="pooling_area.code")
    county = serializers.CharField(source="county.code", **PERSON)
    kind = serializers.CharField()
    way = serializers.CharField()
    state = serializers.CharField()
    prepared_by = serializers.CharField(source="prepared_by.username")
    approved_by = serializers.CharField(source="approved_by.username", **PERSON)

    class Meta:
        model = AuditPlan
        fields = [
            "id", "number", "pooling_area", "county", "year", "kind", "way", "title", "basis", "focus", "starts_on", "ends_on", "state",
            "prepared_by", "prepared_at", "approved_by", "approved_at", "remark",
        ]  # fmt: skip


class AuditPlanDetailSerializer(AuditPlanSerializer):
    targets = PlanTargetSerializer(many=True)

    class Meta(AuditPlanSerializer.Meta):
        fields = [*AuditPlanSerializer.Meta.fields, "targets"]


class PlanEditRequest(serializers.Serializer[Any]):
    year = serializers.IntegerField(**NONE)
    kind = serializers.CharField(**BLANK)
    way = serializers.CharField(**BLANK)
    title = serializers.CharField(**BLANK)
    basis = serializers.CharField(**BLANK)
    focus = serializers.CharField(**BLANK)
    starts_on = serializers.DateField(**NONE)
    ends_on = serializers.DateField(**NONE)


class AuditPlanRequest(PlanEditRequest):
    place = serializers.RegexField(r"^[CP][0-9]{1,12}$", help_text="C 加县（区）编号，或 P 加统筹区编号")


class PlanTargetsRequest(serializers.Serializer[Any]):
    institutions = serializers.ListField(child=serializers.CharField(), default=list, help_text="机构编码")


class PlanCandidateSerializer(serializers.Serializer[Any]):
    institution = serializers.CharField(source="institution.code")
    institution_name = serializers.CharField(source="institution.name")
    score = serializers.IntegerField()
    reasons = serializers.ListField(child=serializers.CharField())
    last_checked = serializers.DateField(allow_null=True)


class PlanRisksRequest(serializers.Serializer[Any]):
    risks = serializers.ListField(child=serializers.CharField(), default=list)


class PlanFilingRequest(serializers.Serializer[Any]):
    filing_number = serializers.CharField(**BLANK)
    filed_on = serializers.DateField(**NONE)


class PlanResultRequest(serializers.Serializer[Any]):
    result = serializers.CharField(help_text="checked、lead 或 skipped", **BLANK)
    checked_on = serializers.DateField(**NONE)
    note = serializers.CharField(**BLANK)
    title = serializers.CharField(**BLANK)
    detail = serializers.CharField(**BLANK)
    estimate = serializers.DecimalField(15, 2, **NONE)
    fund_type = serializers.CharField(**BLANK)


TARGET_PATH = r"targets/(?P<target>[0-9]{1,12})"


class AuditPlanViewSet(ScopedReadViewSet):
    """稽核计划"""

    queryset = AuditPlan.objects.select_related("pooling_area", "county__pooling_area", "prepared_by", "approved_by").order_by("-pk")
    serializer_class = AuditPlanSerializer
    filterset_fields: ClassVar[dict[str, list[str]]] = {
        "state": ["exact"], "kind": ["exact"], "way": ["exact"], "year": ["exact"], "county__code": ["exact"], "number": ["exact"],
    }  # fmt: skip

    def get_queryset(self) -> Any:
        found = super().get_queryset()
        if self.action == "list":
            return found
        return found.prefetch_related("targets__institution", "targets__checked_by", "targets__lead")

    def get_serializer_class(self) -> Any:
        return AuditPlanSerializer if self.action == "list" else AuditPlanDetailSerializer

    @extend_schema(request=AuditPlanRequest, responses={201: AuditPlanDetailSerializer})
    def create(self, request: Request) -> Response:
        """Begin a plan."""
        user: Any = request.user
        require_somewhere(user, f"audits.{PlanAct.PREPARE}")
        given = given_by(AuditPlanRequest, request)
        made = plans.prepare(user, place_by_key(user, given.pop("place")), given)
        return Response(AuditPlanDetailSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=PlanEditRequest, responses=AuditPlanDetailSerializer)
    @action(detail=True, methods=["post"])
    def edit(self, request: Request, pk: str | None = None) -> Response:
        found, user = self._held(PlanAct.EDIT)
        plans.edit(user, found, given_by(PlanEditRequest, request))
        return self._answer()

    @extend_schema(responses=PlanCandidateSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None, filterset_fields={})
    def candidates(self, request: Request, pk: str | None = None) -> Response:
        """Providers that are not on the plan, the riskiest first, with the reasons."""
        return Response(PlanCandidateSerializer(candidates(request.user, self.get_object()), many=True).data)

    @extend_schema(request=PlanTargetsRequest, responses=AuditPlanDetailSerializer)
    @action(detail=True, methods=["post"], url_path="targets")
    def add_targets(self, request: Request, pk: str | None = None) -> Response:
        found, user = self._held(PlanAct.TARGETS)
        places = chosen_institutions(user, given_by(PlanTargetsRequest, request)["institutions"])
        plans.add_targets(user, found, [(place, ()) for place in places])
        return self._answer()

    @extend_schema(request=None, responses=AuditPlanDetailSerializer)
    @action(detail=True, methods=["post"], url_path=f"{TARGET_PATH}/remove")
    def remove_target(self, request: Request, target: str, pk: str | None = None) -> Response:
        return self._target("remove", target, {})

    @extend_schema(request=PlanRisksRequest, responses=AuditPlanDetailSerializer)
    @action(detail=True, methods=["post"], url_path=f"{TARGET_PATH}/risks")
    def choose_risks(self, request: Request, target: str, pk: str | None = None) -> Response:
        return self._target("risks", target, given_by(PlanRisksRequest, request))

    @extend_schema(request=PlanFilingRequest, responses=AuditPlanDetailSerializer)
    @action(detail=True, methods=["post"], url_path=f"{TARGET_PATH}/filing")
    def file_check(self, request: Request, target: str, pk: str | None = None) -> Response:
        """Keep the enterprise check's filing."""
        return self._target("filing", target, given_by(PlanFilingRequest, request))

    @extend_schema(request=PlanResultRequest, responses=AuditPlanDetailSerializer)
    @action(detail=True, methods=["post"], url_path=f"{TARGET_PATH}/result")
    def record_result(self, request: Request, target: str, pk: str | None = None) -> Response:
        return self._target("result", target, given_by(PlanResultRequest, request))

    @extend_schema(request=LeadReasonRequest, responses=AuditPlanDetailSerializer)
    @action(detail=True, methods=["post"])
    def submit(self, request: Request, pk: str | None = None) -> Response:
        return self._act(PlanAct.SUBMIT)

    @extend_schema(request=LeadReasonRequest, responses=AuditPlanDetailSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str | None = None) -> Response:
        return self._act(PlanAct.APPROVE)

    @extend_schema(request=LeadReasonRequest, responses=AuditPlanDetailSerializer)
    @action(detail=True, methods=["post"], url_path="return")
    def return_it(self, request: Request, pk: str | None = None) -> Response:
        return self._act(PlanAct.RETURN)

    @extend_schema(request=LeadReasonRequest, responses=AuditPlanDetailSerializer)
    @action(detail=True, methods=["post"])
    def complete(self, request: Request, pk: str | None = None) -> Response:
        return self._act(PlanAct.COMPLETE)

    @extend_schema(request=LeadReasonRequest, responses=AuditPlanDetailSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str | None = None) -> Response:
        return self._act(PlanAct.CANCEL)

    def _held(self, act: PlanAct) -> tuple[AuditPlan, Any]:
        found: AuditPlan = self.get_object()
        need_plan_right(self.request.user, found, act)
        return found, self.request.user

    def _act(self, act: PlanAct) -> Response:
        found, user = self._held(act)
        perform(user, found, act, given_by(LeadReasonRequest, self.request)["reason"])
        return self._answer()

    def _target(self, name: str, key: str, given: dict[str, Any]) -> Response:
        found, user = self._held(ACTS[name])
        perform_target(user, find_target(found, int(key)), name, given)
        return self._answer()

    def _answer(self) -> Response:
        return Response(AuditPlanDetailSerializer(self.get_object()).data)


def register(router: DefaultRouter) -> None:
    router.register("audit-plans", AuditPlanViewSet, basename="audit-plan")
