"""Packages, prepayments and their approvals over the API: the same queries and the same services as the pages."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar, cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter

from budgets import services
from budgets.models import (
    BaseYear,
    DistributionPlan,
    LineChangeKind,
    MemberAllocation,
    NegotiationRound,
    OtherPayment,
    PackageVersion,
    Prepayment,
    PrepaymentBatch,
    Receipt,
    ReceiptOutcome,
    RevenueGrowth,
)
from budgets.reading import member_allocations
from budgets.services import PackageInputs
from claims.reading import PackageScope
from core.api import ScopedReadViewSet
from core.models import Alliance, PoolingArea, User
from core.scope import get_visible
from rules.budget import Basis
from rules.periods import Month


def yuan(**given: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=17, decimal_places=2, **given)


def ratio(**given: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=9, decimal_places=6, **given)


class RevenueGrowthSerializer(serializers.ModelSerializer[RevenueGrowth]):
    pooling_area = serializers.CharField(source="pooling_area.code")

    class Meta:
        model = RevenueGrowth
        fields = ["id", "pooling_area", "fund_type", "year", "growth", "like_for_like", "document_title", "state"]


class BaseYearSerializer(serializers.ModelSerializer[BaseYear]):
    in_alliance = yuan()
    out_of_county = yuan()

    class Meta:
        model = BaseYear
        fields = ["year", "in_alliance", "out_of_county", "source", "note", "measure", "data_to", "fingerprint"]


class NegotiationRoundSerializer(serializers.ModelSerializer[NegotiationRound]):
    bureau_position = yuan(allow_null=True)
    alliance_position = yuan(allow_null=True)

    class Meta:
        model = NegotiationRound
        fields = [
            "number", "held_on", "bureau_participants", "alliance_participants", "bureau_position",
            "alliance_position", "minutes", "outcome",
        ]  # fmt: skip


class PackageVersionSerializer(serializers.ModelSerializer[PackageVersion]):
    alliance = serializers.CharField(source="package.alliance.code")
    year = serializers.IntegerField(source="package.year")
    fund_type = serializers.CharField(source="package.fund_type")
    last_year_base = yuan()
    three_year_base = yuan(allow_null=True)
    ceiling = yuan()
    suggested = yuan()
    total = yuan()
    in_alliance = yuan()
    out_of_county = yuan()
    base_years = BaseYearSerializer(many=True)
    rounds = NegotiationRoundSerializer(many=True)

    class Meta:
        model = PackageVersion
        fields = [
            "id", "alliance", "year", "fund_type", "number", "kind", "state", "adjustment_reason", "reason", "basis",
            "last_year_base", "three_year_base", "mean_growth", "volume_allowance", "growth_cap", "applied_growth",
            "ceiling", "suggested", "total", "in_alliance", "out_of_county", "insured", "resettled", "primary_share",
            "primary_floor", "warnings", "trace", "fingerprint", "data_to", "decided_on", "base_years", "rounds",
        ]  # fmt: skip


class PackageDraftSerializer(serializers.Serializer[Any]):
    """What a new package needs; everything left out comes from facts."""

    alliance = serializers.CharField()
    year = serializers.IntegerField()
    fund_type = serializers.CharField()
    basis = serializers.CharField(default=Basis.LAST_YEAR_SETTLED.value)
    volume_allowance = ratio(default=Decimal(0))
    total = yuan(required=False, allow_null=True, default=None)
    out_of_county = yuan(required=False, allow_null=True, default=None)
    scope = serializers.DictField(child=serializers.BooleanField(), required=False, default=dict)
    no_negotiation_reason = serializers.CharField(required=False, default="", allow_blank=True)

    def validate_scope(self, flags: dict[str, bool]) -> PackageScope:
        try:
            return PackageScope.from_json(flags)
        except TypeError as error:
            raise serializers.ValidationError("打包范围里有不认识的项目。") from error


class PackageReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(allow_blank=True, default="")


class PackageApprovalSerializer(serializers.Serializer[Any]):
    decided_on = serializers.DateField(required=False, allow_null=True, default=None)
    note = serializers.CharField(required=False, allow_blank=True, default="")


class PrepaymentSerializer(serializers.ModelSerializer[Prepayment]):
    alliance = serializers.CharField(source="alliance.code")
    package_total = yuan()
    cap = yuan()
    before = yuan()
    planned = yuan()
    true_up = yuan()
    held = yuan()
    withheld = yuan()
    offset = yuan()
    amount = yuan()
    payable = yuan()
    cap_left = yuan()
    projected_cash = yuan(allow_null=True)

    class Meta:
        model = Prepayment
        fields = [
            "id", "batch", "alliance", "fund_type", "year", "month", "provisional", "package_total", "cap", "before",
            "planned", "true_up", "held", "withheld", "offset", "amount", "payable", "cap_left", "projected_cash",
            "warnings", "trace",
        ]  # fmt: skip


class PrepaymentBatchSerializer(serializers.ModelSerializer[PrepaymentBatch]):
    pooling_area = serializers.CharField(source="pooling_area.code")

    class Meta:
        model = PrepaymentBatch
        fields = ["id", "pooling_area", "month", "sequence", "state", "submitted_at", "decided_at", "paid_at"]


class ProposeMonthSerializer(serializers.Serializer[Any]):
    pooling_area = serializers.CharField()
    month = serializers.RegexField(r"^\d{4}-(0[1-9]|1[0-2])$")


class ProposedSerializer(serializers.Serializer[Any]):
    told = serializers.ListField(child=serializers.CharField())


class PrepaymentChangeSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=LineChangeKind.choices)
    amount = yuan(required=False, allow_null=True, default=None)
    reason = serializers.CharField(allow_blank=True)


class BankReceiptInputSerializer(serializers.Serializer[Any]):
    outcome = serializers.ChoiceField(choices=ReceiptOutcome.choices)
    on = serializers.DateField()
    reference = serializers.CharField(max_length=60)
    amount = yuan()
    reason = serializers.CharField(required=False, allow_blank=True, default="")


class BankReceiptSerializer(serializers.ModelSerializer[Receipt]):
    amount = yuan()

    class Meta:
        model = Receipt
        fields = ["id", "line", "outcome", "on", "reference", "amount", "reason", "voided_at"]


class MemberAllocationSerializer(serializers.ModelSerializer[MemberAllocation]):
    institution = serializers.CharField(source="institution.code")
    name = serializers.CharField(source="institution.name")
    amount = yuan()
    weight = yuan(allow_null=True)

    class Meta:
        model = MemberAllocation
        fields = ["institution", "name", "weight", "amount", "is_quota"]


class OtherPaymentSerializer(serializers.ModelSerializer[OtherPayment]):
    alliance = serializers.CharField(source="alliance.code")
    amount = yuan()

    class Meta:
        model = OtherPayment
        fields = [
            "id",
            "alliance",
            "year",
            "fund_type",
            "kind",
            "amount",
            "purpose",
            "state",
            "paid_on",
            "bank_reference",
        ]


class DistributionPlanSerializer(serializers.ModelSerializer[DistributionPlan]):
    alliance = serializers.CharField(source="alliance.code")
    sha256 = serializers.CharField(source="file.sha256")

    class Meta:
        model = DistributionPlan
        fields = ["id", "alliance", "year", "number", "title", "effective_on", "uploaded_at", "sha256"]


class GrowthViewSet(ScopedReadViewSet):
    queryset = RevenueGrowth.objects.select_related("pooling_area")
    serializer_class = RevenueGrowthSerializer
    filterset_fields: ClassVar[Any] = ["fund_type", "year", "state"]


class PackageVersionViewSet(ScopedReadViewSet):
    """Versions of packages; a POST drafts one, the acts move it on."""

    queryset = (
        PackageVersion.objects.select_related("package__alliance__county__pooling_area")
        .prefetch_related("base_years", "rounds")
        .order_by("-package__year", "package", "number")
    )
    serializer_class = PackageVersionSerializer
    filterset_fields: ClassVar[Any] = {
        "package__year": ["exact"],
        "package__fund_type": ["exact"],
        "package__alliance__code": ["exact"],
        "state": ["exact"],
    }

    @extend_schema(request=PackageDraftSerializer, responses={201: PackageVersionSerializer})
    def create(self, request: Request) -> Response:
        """Work out and keep a new version."""
        typed = _typed(PackageDraftSerializer, request)
        alliance = get_visible(
            Alliance.objects.select_related("county__pooling_area"), request.user, code=typed.pop("alliance")
        )
        year, fund_type = typed.pop("year"), typed.pop("fund_type")
        made = services.draft_package(_person(request), alliance, year, fund_type, PackageInputs(**typed))
        return Response(PackageVersionSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=PackageVersionSerializer)
    @action(detail=True, methods=["post"])
    def submit(self, request: Request, pk: str | None = None) -> Response:
        return self._told(services.submit_package(_person(request), self.get_object()))

    @extend_schema(request=PackageApprovalSerializer, responses=PackageVersionSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str | None = None) -> Response:
        typed = _typed(PackageApprovalSerializer, request)
        return self._told(services.approve_package(_person(request), self.get_object(), **typed))

    @extend_schema(request=PackageReasonSerializer, responses=PackageVersionSerializer)
    @action(detail=True, methods=["post"], url_path="return", url_name="return")
    def send_back(self, request: Request, pk: str | None = None) -> Response:
        reason = _typed(PackageReasonSerializer, request)["reason"]
        return self._told(services.return_package(_person(request), self.get_object(), reason))

    @extend_schema(request=PackageReasonSerializer, responses=PackageVersionSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str | None = None) -> Response:
        reason = _typed(PackageReasonSerializer, request)["reason"]
        return self._told(services.withdraw_package(_person(request), self.get_object(), reason))

    @extend_schema(responses=MemberAllocationSerializer(many=True))
    @action(detail=True, filterset_fields=[], pagination_class=None)
    def members(self, request: Request, pk: str | None = None) -> Response:
        """The approved member allocation in force for the version's package."""
        package = self.get_object().package
        lines = member_allocations(package.alliance, package.year, package.fund_type)
        return Response(MemberAllocationSerializer(lines, many=True).data)

    def _told(self, version: PackageVersion) -> Response:
        return Response(PackageVersionSerializer(version).data)


class BatchViewSet(ScopedReadViewSet):
    """Monthly batches and their acts."""

    queryset = PrepaymentBatch.objects.select_related("pooling_area").order_by("-month", "sequence")
    serializer_class = PrepaymentBatchSerializer
    filterset_fields: ClassVar[Any] = ["month", "state"]

    @extend_schema(request=ProposeMonthSerializer, responses=ProposedSerializer)
    @action(detail=False, methods=["post"])
    def propose(self, request: Request) -> Response:
        """Propose a month for a pooling area; says what was done for each alliance and fund."""
        typed = _typed(ProposeMonthSerializer, request)
        area = get_visible(PoolingArea.objects.all(), request.user, code=typed["pooling_area"])
        return Response({"told": services.propose_month(_person(request), area, Month.parse(typed["month"]))})

    @extend_schema(request=None, responses=PrepaymentBatchSerializer)
    @action(detail=True, methods=["post"])
    def submit(self, request: Request, pk: str | None = None) -> Response:
        return self._told(services.submit_batch(_person(request), self.get_object()))

    @extend_schema(request=PackageApprovalSerializer, responses=PrepaymentBatchSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str | None = None) -> Response:
        note = _typed(PackageApprovalSerializer, request)["note"]
        return self._told(services.approve_batch(_person(request), self.get_object(), note))

    @extend_schema(request=PackageReasonSerializer, responses=PrepaymentBatchSerializer)
    @action(detail=True, methods=["post"], url_path="return", url_name="return")
    def send_back(self, request: Request, pk: str | None = None) -> Response:
        reason = _typed(PackageReasonSerializer, request)["reason"]
        return self._told(services.return_batch(_person(request), self.get_object(), reason))

    @extend_schema(request=PackageReasonSerializer, responses=PrepaymentBatchSerializer)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str | None = None) -> Response:
        reason = _typed(PackageReasonSerializer, request)["reason"]
        return self._told(services.reopen_batch(_person(request), self.get_object(), reason))

    def _told(self, batch: PrepaymentBatch) -> Response:
        return Response(PrepaymentBatchSerializer(batch).data)


class PrepaymentViewSet(ScopedReadViewSet):
    """Lines of batches; holds, reductions, releases and bank receipts."""

    queryset = Prepayment.objects.select_related("alliance__county__pooling_area", "batch__pooling_area").order_by(
        "-month", "alliance", "fund_type"
    )
    serializer_class = PrepaymentSerializer
    filterset_fields: ClassVar[Any] = {
        "year": ["exact"],
        "month": ["exact"],
        "fund_type": ["exact"],
        "alliance__code": ["exact"],
        "batch": ["exact"],
    }

    @extend_schema(request=PrepaymentChangeSerializer, responses=PrepaymentSerializer)
    @action(detail=True, methods=["post"])
    def change(self, request: Request, pk: str | None = None) -> Response:
        typed = _typed(PrepaymentChangeSerializer, request)
        line = services.change_line(
            _person(request), self.get_object(), typed["kind"], typed["amount"], typed["reason"]
        )
        return Response(PrepaymentSerializer(line).data)

    @extend_schema(request=BankReceiptInputSerializer, responses={201: BankReceiptSerializer})
    @action(detail=True, methods=["post"])
    def receipts(self, request: Request, pk: str | None = None) -> Response:
        typed = _typed(BankReceiptInputSerializer, request)
        made = services.record_receipt(_person(request), self.get_object(), **typed)
        return Response(BankReceiptSerializer(made).data, status=status.HTTP_201_CREATED)


class OtherPaymentViewSet(ScopedReadViewSet):
    queryset = OtherPayment.objects.select_related("alliance__county__pooling_area")
    serializer_class = OtherPaymentSerializer
    filterset_fields: ClassVar[Any] = ["year", "fund_type", "state"]


class PlanViewSet(ScopedReadViewSet):
    queryset = DistributionPlan.objects.select_related("alliance", "file")
    serializer_class = DistributionPlanSerializer
    filterset_fields: ClassVar[Any] = ["year"]

    def get_queryset(self) -> Any:
        return super().get_queryset().distinct()


def _typed(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    asked = serializer(data=request.data)
    asked.is_valid(raise_exception=True)
    return cast(dict[str, Any], asked.validated_data)


def _person(request: Request) -> User:
    return cast(User, request.user)


def register(router: DefaultRouter) -> None:
    router.register("budgets/growths", GrowthViewSet, basename="budget-growth")
    router.register("budgets/packages", PackageVersionViewSet, basename="budget-package")
    router.register("budgets/batches", BatchViewSet, basename="budget-batch")
    router.register("budgets/prepayments", PrepaymentViewSet, basename="budget-prepayment")
    router.register("budgets/payments", OtherPaymentViewSet, basename="budget-payment")
    router.register("budgets/plans", PlanViewSet, basename="budget-plan")
