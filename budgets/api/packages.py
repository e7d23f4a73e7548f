"""Growth caps, packages, negotiation, allocation and plans over the API: the services of the pages."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from budgets import services
from budgets.api.inputs import PackageReasonSerializer, person, ratio, typed, yuan
from budgets.models import (
    AllocationVersion,
    BaseYear,
    DistributionPlan,
    MemberAllocation,
    NegotiationRound,
    PackageVersion,
    PlanSide,
    RevenueGrowth,
)
from budgets.reading import member_allocations
from budgets.services import PackageInputs, RoundInputs
from claims.reading import PackageScope
from core.api import ScopedReadViewSet
from core.models import Alliance, Institution, PoolingArea
from core.scope import get_visible
from rules.budget import Basis


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


class PackageApprovalSerializer(serializers.Serializer[Any]):
    decided_on = serializers.DateField(required=False, allow_null=True, default=None)
    note = serializers.CharField(required=False, allow_blank=True, default="")


class MemberAllocationSerializer(serializers.ModelSerializer[MemberAllocation]):
    institution = serializers.CharField(source="institution.code")
    name = serializers.CharField(source="institution.name")
    amount = yuan()
    weight = yuan(allow_null=True)

    class Meta:
        model = MemberAllocation
        fields = ["institution", "name", "weight", "amount", "is_quota"]


class DistributionPlanSerializer(serializers.ModelSerializer[DistributionPlan]):
    alliance = serializers.CharField(source="alliance.code")
    sha256 = serializers.CharField(source="file.sha256")

    class Meta:
        model = DistributionPlan
        fields = ["id", "alliance", "year", "number", "title", "effective_on", "uploaded_at", "sha256"]


class GrowthEntrySerializer(serializers.Serializer[Any]):
    """A growth with its evidence (multipart)."""

    pooling_area = serializers.CharField()
    fund_type = serializers.CharField()
    year = serializers.IntegerField()
    growth = ratio()
    like_for_like = serializers.CharField(allow_blank=True, default="")
    document_title = serializers.CharField(allow_blank=True, default="")
    evidence = serializers.FileField(required=False, allow_null=True, default=None)
    previous_income = yuan(required=False, allow_null=True, default=None)
    budgeted_income = yuan(required=False, allow_null=True, default=None)


class NegotiationInputSerializer(serializers.Serializer[Any]):
    held_on = serializers.DateField()
    bureau_participants = serializers.CharField(allow_blank=True)
    alliance_participants = serializers.CharField(allow_blank=True)
    minutes = serializers.CharField(allow_blank=True)
    outcome = serializers.CharField(allow_blank=True)
    bureau_position = yuan(required=False, allow_null=True, default=None)
    alliance_position = yuan(required=False, allow_null=True, default=None)


class AllocationInputSerializer(serializers.Serializer[Any]):
    """``amounts`` (yuan by institution code) or nothing, to divide by last year's spending."""

    amounts = serializers.DictField(child=yuan(), required=False, allow_null=True, default=None)
    note = serializers.CharField(required=False, allow_blank=True, default="")


class AllocationSerializer(serializers.ModelSerializer[AllocationVersion]):
    total = yuan()
    lines = MemberAllocationSerializer(many=True)

    class Meta:
        model = AllocationVersion
        fields = ["id", "package", "package_version", "number", "state", "total", "method", "note", "lines"]


class AcknowledgementInputSerializer(serializers.Serializer[Any]):
    side = serializers.ChoiceField(choices=PlanSide.choices)
    remark = serializers.CharField(required=False, allow_blank=True, default="")


class GrowthViewSet(ScopedReadViewSet):
    """Growth caps: entered with evidence, approved or returned by another person."""

    queryset = RevenueGrowth.objects.select_related("pooling_area")
    serializer_class = RevenueGrowthSerializer
    filterset_fields: ClassVar[Any] = ["fund_type", "year", "state"]

    @extend_schema(request={"multipart/form-data": GrowthEntrySerializer}, responses={201: RevenueGrowthSerializer})
    def create(self, request: Request) -> Response:
        """Enter a growth."""
        given = typed(GrowthEntrySerializer, request)
        area = get_visible(PoolingArea.objects.all(), request.user, code=given.pop("pooling_area"))
        made = services.enter_growth(person(request), area, **given)
        return Response(RevenueGrowthSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=RevenueGrowthSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str | None = None) -> Response:
        return Response(RevenueGrowthSerializer(services.approve_growth(person(request), self.get_object())).data)

    @extend_schema(request=PackageReasonSerializer, responses=RevenueGrowthSerializer)
    @action(detail=True, methods=["post"], url_path="return", url_name="return")
    def send_back(self, request: Request, pk: str | None = None) -> Response:
        reason = typed(PackageReasonSerializer, request)["reason"]
        return Response(
            RevenueGrowthSerializer(services.return_growth(person(request), self.get_object(), reason)).data
        )


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
        given = typed(PackageDraftSerializer, request)
        alliance = get_visible(
            Alliance.objects.select_related("county__pooling_area"), request.user, code=given.pop("alliance")
        )
        year, fund_type = given.pop("year"), given.pop("fund_type")
        made = services.draft_package(person(request), alliance, year, fund_type, PackageInputs(**given))
        return Response(PackageVersionSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=PackageVersionSerializer)
    @action(detail=True, methods=["post"])
    def submit(self, request: Request, pk: str | None = None) -> Response:
        return self._told(services.submit_package(person(request), self.get_object()))

    @extend_schema(request=PackageApprovalSerializer, responses=PackageVersionSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str | None = None) -> Response:
        given = typed(PackageApprovalSerializer, request)
        return self._told(services.approve_package(person(request), self.get_object(), **given))

    @extend_schema(request=PackageReasonSerializer, responses=PackageVersionSerializer)
    @action(detail=True, methods=["post"], url_path="return", url_name="return")
    def send_back(self, request: Request, pk: str | None = None) -> Response:
        reason = typed(PackageReasonSerializer, request)["reason"]
        return self._told(services.return_package(person(request), self.get_object(), reason))

    @extend_schema(request=PackageReasonSerializer, responses=PackageVersionSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str | None = None) -> Response:
        reason = typed(PackageReasonSerializer, request)["reason"]
        return self._told(services.withdraw_package(person(request), self.get_object(), reason))

    @extend_schema(request=NegotiationInputSerializer, responses={201: NegotiationRoundSerializer})
    @action(detail=True, methods=["post"])
    def rounds(self, request: Request, pk: str | None = None) -> Response:
        """Record a round of negotiation."""
        given = RoundInputs(**typed(NegotiationInputSerializer, request))
        made = services.record_round(person(request), self.get_object(), given)
        return Response(NegotiationRoundSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=AllocationInputSerializer, responses={201: AllocationSerializer})
    @action(detail=True, methods=["post"])
    def allocate(self, request: Request, pk: str | None = None) -> Response:
        """Divide the in-alliance part among the members."""
        given = typed(AllocationInputSerializer, request)
        amounts = given["amounts"]
        if amounts is not None:
            ids = dict(Institution.objects.filter(code__in=amounts).values_list("code", "pk"))
            amounts = {ids.get(code, 0): amount for code, amount in amounts.items()}
        made = services.draft_allocation(person(request), self.get_object(), amounts=amounts, note=given["note"])
        return Response(AllocationSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses=MemberAllocationSerializer(many=True))
    @action(detail=True, filterset_fields=[], pagination_class=None)
    def members(self, request: Request, pk: str | None = None) -> Response:
        """The approved member allocation in force for the version's package."""
        package = self.get_object().package
        lines = member_allocations(package.alliance, package.year, package.fund_type)
        return Response(MemberAllocationSerializer(lines, many=True).data)

    def _told(self, version: PackageVersion) -> Response:
        return Response(PackageVersionSerializer(version).data)


class AllocationViewSet(ScopedReadViewSet):
    """Allocations of packages and their approval."""

    queryset = (
        AllocationVersion.objects.select_related("package__alliance__county__pooling_area", "package_version")
        .prefetch_related("lines__institution")
        .order_by("-pk")
    )
    serializer_class = AllocationSerializer
    filterset_fields: ClassVar[Any] = ["package", "state"]

    @extend_schema(request=None, responses=AllocationSerializer)
    @action(detail=True, methods=["post"])
    def submit(self, request: Request, pk: str | None = None) -> Response:
        return Response(AllocationSerializer(services.submit_allocation(person(request), self.get_object())).data)

    @extend_schema(request=None, responses=AllocationSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str | None = None) -> Response:
        return Response(AllocationSerializer(services.approve_allocation(person(request), self.get_object())).data)

    @extend_schema(request=PackageReasonSerializer, responses=AllocationSerializer)
    @action(detail=True, methods=["post"], url_path="return", url_name="return")
    def send_back(self, request: Request, pk: str | None = None) -> Response:
        reason = typed(PackageReasonSerializer, request)["reason"]
        return Response(
            AllocationSerializer(services.return_allocation(person(request), self.get_object(), reason)).data
        )


class PlanViewSet(ScopedReadViewSet):
    queryset = DistributionPlan.objects.select_related("alliance", "file")
    serializer_class = DistributionPlanSerializer
    filterset_fields: ClassVar[Any] = ["year"]

    def get_queryset(self) -> Any:
        return super().get_queryset().distinct()

    @extend_schema(request=AcknowledgementInputSerializer, responses=DistributionPlanSerializer)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str | None = None) -> Response:
        """One of the two bodies confirms that it received the plan."""
        given, plan = typed(AcknowledgementInputSerializer, request), self.get_object()
        services.acknowledge_plan(person(request), plan, given["side"], given["remark"])
        return Response(DistributionPlanSerializer(plan).data)
