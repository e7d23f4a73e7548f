"""Recovery plans over the API: proposed, approved, and booked instalment by instalment."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ScopedReadViewSet, given_by
from core.errors import Refused
from core.scope import get_visible
from rules.errors import RuleError
from rules.periods import Month
from settlement import services
from settlement.api.asking import MONEY, ReasonRequest
from settlement.api.versions import BookingSerializer, ReceiptRequest
from settlement.models import RecoveryInstalment, RecoveryMethod, RecoveryPlan, SettlementVersion


class InstalmentSerializer(serializers.ModelSerializer[RecoveryInstalment]):
    class Meta:
        model = RecoveryInstalment
        fields = ["id", "number", "due_on", "amount"]


class PlanSerializer(serializers.ModelSerializer[RecoveryPlan]):
    instalments = InstalmentSerializer(many=True)

    class Meta:
        model = RecoveryPlan
        fields = ["id", "version", "number", "method", "amount", "note", "state", "decision", "instalments"]


class OffsetRequest(serializers.Serializer[Any]):
    month = serializers.CharField(help_text="2026-03")
    amount = serializers.DecimalField(**MONEY)


class PlanRequest(serializers.Serializer[Any]):
    """Equal instalments from ``start`` on, or the offsets month by month."""

    version = serializers.IntegerField()
    method = serializers.ChoiceField(choices=RecoveryMethod.choices)
    start = serializers.CharField(required=False, allow_blank=True, default="")
    count = serializers.IntegerField(required=False, default=1)
    offsets = OffsetRequest(many=True, required=False, default=list)
    note = serializers.CharField(required=False, allow_blank=True, default="")


class RecoveryViewSet(ScopedReadViewSet):
    """Plans by which an alliance gives money back."""

    queryset = (
        RecoveryPlan.objects.select_related("version__settlement__alliance__county__pooling_area")
        .prefetch_related("instalments")
        .order_by("-pk")
    )
    serializer_class = PlanSerializer
    filterset_fields = ["state", "method", "version"]

    @extend_schema(request=PlanRequest, responses={201: PlanSerializer})
    def create(self, request: Request) -> Response:
        given = given_by(PlanRequest, request)
        version = get_visible(SettlementVersion.objects.with_places(), request.user, pk=given["version"])
        user: Any = request.user
        if given["method"] == RecoveryMethod.ORDER:
            plan = services.propose_order(user, version, given["count"], _month(given["start"]), given["note"])
        else:
            offsets = [(_month(row["month"]), row["amount"]) for row in given["offsets"]]
            plan = services.propose_offsets(user, version, offsets, given["note"])
        return Response(PlanSerializer(plan).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=ReasonRequest, responses=PlanSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str | None = None) -> Response:
        reason = given_by(ReasonRequest, request)["reason"]
        return Response(PlanSerializer(services.approve_recovery(request.user, self.get_object(), reason)).data)  # type: ignore[arg-type]

    @extend_schema(request=ReasonRequest, responses=PlanSerializer)
    @action(detail=True, methods=["post"], url_path="return")
    def return_it(self, request: Request, pk: str | None = None) -> Response:
        reason = given_by(ReasonRequest, request)["reason"]
        return Response(PlanSerializer(services.return_recovery(request.user, self.get_object(), reason)).data)  # type: ignore[arg-type]

    @extend_schema(request=ReceiptRequest, responses={201: BookingSerializer})
    @action(detail=True, methods=["post"], url_path=r"instalments/(?P<number>\d+)/record")
    def record(self, request: Request, pk: str | None = None, number: str = "") -> Response:
        """Record what came back for one instalment."""
        plan: RecoveryPlan = self.get_object()
        given = given_by(ReceiptRequest, request)
        part = plan.instalments.filter(number=int(number)).first()
        if part is None:
            raise Refused(f"追回方案没有第 {number} 期。")
        part.plan = plan
        user: Any = request.user
        if plan.method == RecoveryMethod.ORDER:
            booking = services.record_recovery(user, part, given["on"], given["bank_reference"])
        else:
            booking = services.record_offset(user, part, given["on"])
        return Response(BookingSerializer(booking).data, status=status.HTTP_201_CREATED)


def _month(text: str) -> Month:
    try:
        return Month.parse(text)
    except RuleError as error:
        raise Refused(error.problems[0].text) from error
