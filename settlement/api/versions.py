"""Versions of settlements over the API: the acts of the page, through the same services, within the same scope."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ScopedReadViewSet, given_by
from core.models import Alliance, FundType
from core.scope import get_visible
from settlement import services
from settlement.api.asking import ReasonRequest
from settlement.models import Adjustment, Booking, Computation, SettlementVersion, StateChange
from settlement.models.computations import MONEY_NAMES


class ComputationSerializer(serializers.ModelSerializer[Computation]):
    """The frozen inputs, the result with lines, tiers, identities and trace; amounts in yuan as strings."""

    class Meta:
        model = Computation
        fields = [
            "id", "number", "computed_at", "fingerprint", "digest", "data_to", "outcome", "label", "ratio",
            *MONEY_NAMES, "inputs", "result", "notices", "open_points",
        ]  # fmt: skip


class StateChangeSerializer(serializers.ModelSerializer[StateChange]):
    actor = serializers.CharField(allow_null=True)

    class Meta:
        model = StateChange
        fields = ["act", "source", "target", "actor", "at", "reason", "until"]


class VersionSerializer(serializers.ModelSerializer[SettlementVersion]):
    number = serializers.CharField(source="settlement.number")
    version = serializers.IntegerField(source="number")
    alliance = serializers.CharField(source="settlement.alliance.code")
    year = serializers.IntegerField(source="settlement.year")
    fund_type = serializers.CharField(source="settlement.fund_type")
    computation = ComputationSerializer()
    changes = StateChangeSerializer(many=True)

    class Meta:
        model = SettlementVersion
        fields = [
            "id", "number", "version", "alliance", "year", "fund_type", "kind", "reason", "state", "confirm_by",
            "computation", "changes",
        ]  # fmt: skip


HEAVY = tuple(f"computation__{name}" for name in ("inputs", "result", "notices", "open_points"))


class VersionSummarySerializer(VersionSerializer):
    """A line of the list: the amounts without inputs, tiers, trace and history, which a single version holds."""

    class AmountsSerializer(serializers.ModelSerializer[Computation]):
        class Meta:
            model = Computation
            fields = ["id", "number", "computed_at", "digest", "data_to", "outcome", "label", "ratio", *MONEY_NAMES]

    computation = AmountsSerializer()  # type: ignore[assignment]

    class Meta:
        model = SettlementVersion
        fields = [name for name in VersionSerializer.Meta.fields if name != "changes"]


class DraftRequest(serializers.Serializer[Any]):
    alliance = serializers.CharField(help_text="医共体编号")
    year = serializers.IntegerField()
    fund_type = serializers.ChoiceField(choices=FundType.choices)


class ReceiptRequest(serializers.Serializer[Any]):
    on = serializers.DateField()
    bank_reference = serializers.CharField(required=False, allow_blank=True, default="")


class BookingSerializer(serializers.ModelSerializer[Booking]):
    class Meta:
        model = Booking
        fields = ["id", "version", "kind", "amount", "on", "bank_reference", "recognised", "deducted"]


class CorrectionAnswer(serializers.Serializer[Any]):
    version = serializers.IntegerField(allow_null=True, help_text="更正版本")
    adjustment = serializers.IntegerField(allow_null=True, help_text="更正期外列入下一年度清算的差额")


class SettlementViewSet(ScopedReadViewSet):
    """Versions of annual settlements. Every act answers with the version as it stands afterwards."""

    queryset = SettlementVersion.objects.with_places().prefetch_related("changes__actor").order_by("-pk")
    serializer_class = VersionSerializer
    filterset_fields = {
        "settlement__alliance__code": ["exact"],
        "settlement__year": ["exact"],
        "settlement__fund_type": ["exact"],
        "state": ["exact"],
    }

    def get_queryset(self) -> Any:
        found = super().get_queryset()
        return found.prefetch_related(None).defer(*HEAVY) if self.action == "list" else found

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return VersionSummarySerializer if self.action == "list" else VersionSerializer

    @extend_schema(request=DraftRequest, responses={200: VersionSerializer})
    @action(detail=False, methods=["post"], filterset_fields=[])
    def draft(self, request: Request) -> Response:
        """Create or refresh the draft of a year and fund type."""
        given = given_by(DraftRequest, request)
        alliance = get_visible(Alliance.objects.select_related("county"), request.user, code=given["alliance"])
        outcome = services.draft(request.user, alliance, given["year"], given["fund_type"])  # type: ignore[arg-type]
        return self._answer(outcome.version)

    @extend_schema(request=None, responses=VersionSerializer)
    @action(detail=True, methods=["post"])
    def refresh(self, request: Request, pk: str | None = None) -> Response:
        services.refresh(request.user, self.get_object())  # type: ignore[arg-type]
        return self._answer(self.get_object())

    @extend_schema(request=ReasonRequest, responses=VersionSerializer)
    @action(detail=True, methods=["post"])
    def review(self, request: Request, pk: str | None = None) -> Response:
        given = given_by(ReasonRequest, request)
        return self._answer(services.review(request.user, self.get_object(), given["computation"]))  # type: ignore[arg-type]

    @extend_schema(request=ReasonRequest, responses=VersionSerializer)
    @action(detail=True, methods=["post"], url_path="return")
    def return_to_officer(self, request: Request, pk: str | None = None) -> Response:
        return self._with_reason(request, services.return_to_officer)

    @extend_schema(request=None, responses=VersionSerializer)
    @action(detail=True, methods=["post"])
    def send(self, request: Request, pk: str | None = None) -> Response:
        return self._answer(services.send(request.user, self.get_object()))  # type: ignore[arg-type]

    @extend_schema(request=ReasonRequest, responses=VersionSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str | None = None) -> Response:
        return self._with_reason(request, services.withdraw)

    @extend_schema(request=ReasonRequest, responses=VersionSerializer)
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str | None = None) -> Response:
        given = given_by(ReasonRequest, request)
        return self._answer(services.confirm(request.user, self.get_object(), given["computation"]))  # type: ignore[arg-type]

    @extend_schema(request=ReasonRequest, responses=VersionSerializer)
    @action(detail=True, methods=["post"], url_path="object")
    def object_to(self, request: Request, pk: str | None = None) -> Response:
        return self._with_reason(request, services.object_to)

    @extend_schema(request=ReasonRequest, responses=VersionSerializer)
    @action(detail=True, methods=["post"], url_path="accept-objection")
    def accept_objection(self, request: Request, pk: str | None = None) -> Response:
        return self._with_reason(request, services.accept_objection)

    @extend_schema(request=ReasonRequest, responses=VersionSerializer)
    @action(detail=True, methods=["post"], url_path="reject-objection")
    def reject_objection(self, request: Request, pk: str | None = None) -> Response:
        return self._with_reason(request, services.reject_objection)

    @extend_schema(request=ReasonRequest, responses=VersionSerializer)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str | None = None) -> Response:
        return self._with_reason(request, services.reopen)

    @extend_schema(request=ReasonRequest, responses=VersionSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str | None = None) -> Response:
        return self._with_reason(request, services.cancel)

    @extend_schema(request=ReasonRequest, responses=VersionSerializer)
    @action(detail=True, methods=["post"])
    def finalise(self, request: Request, pk: str | None = None) -> Response:
        given = given_by(ReasonRequest, request)
        done = services.finalise(request.user, self.get_object(), given["reason"], given["computation"])  # type: ignore[arg-type]
        return self._answer(done)

    @extend_schema(request=ReceiptRequest, responses={201: BookingSerializer})
    @action(detail=True, methods=["post"])
    def pay(self, request: Request, pk: str | None = None) -> Response:
        given = given_by(ReceiptRequest, request)
        booking = services.pay(request.user, self.get_object(), given["on"], given["bank_reference"])  # type: ignore[arg-type]
        return Response(BookingSerializer(booking).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=ReceiptRequest, responses={201: BookingSerializer})
    @action(detail=True, methods=["post"])
    def clear(self, request: Request, pk: str | None = None) -> Response:
        given = given_by(ReceiptRequest, request)
        booking = services.clear(request.user, self.get_object(), given["on"])  # type: ignore[arg-type]
        return Response(BookingSerializer(booking).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=ReasonRequest, responses={201: CorrectionAnswer})
    @action(detail=True, methods=["post"])
    def correct(self, request: Request, pk: str | None = None) -> Response:
        """Draft a correction; after the reopening period the difference becomes a line of a later settlement."""
        given = given_by(ReasonRequest, request)
        made = services.correct(request.user, self.get_object().settlement, given["reason"])  # type: ignore[arg-type]
        late = isinstance(made, Adjustment)
        data = {"version": None if late else made.pk, "adjustment": made.pk if late else None}
        return Response(data, status=status.HTTP_201_CREATED)

    def _with_reason(self, request: Request, service: Any) -> Response:
        return self._answer(service(request.user, self.get_object(), given_by(ReasonRequest, request)["reason"]))

    def _answer(self, version: SettlementVersion) -> Response:
        found = self.queryset.get(pk=version.pk)
        return Response(VersionSerializer(found).data)
