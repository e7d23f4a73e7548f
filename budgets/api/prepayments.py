"""Monthly batches, their lines, receipts, and other payments over the API: the services of the pages."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from budgets import services
from budgets.api.inputs import PackageReasonSerializer, person, typed, yuan
from budgets.models import (
    LineChangeKind,
    OtherPayment,
    OtherPaymentKind,
    PaymentFile,
    Prepayment,
    PrepaymentBatch,
    Receipt,
    ReceiptOutcome,
)
from core.api import ScopedReadViewSet
from core.models import Alliance, PoolingArea
from core.scope import get_visible
from rules.periods import Month


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


class PaymentFileSerializer(serializers.ModelSerializer[PaymentFile]):
    name = serializers.CharField(source="file.name")
    sha256 = serializers.CharField(source="file.sha256")

    class Meta:
        model = PaymentFile
        fields = ["id", "batch", "number", "name", "sha256", "made_at"]


class OtherPaymentInputSerializer(serializers.Serializer[Any]):
    alliance = serializers.CharField()
    year = serializers.IntegerField()
    fund_type = serializers.CharField()
    kind = serializers.ChoiceField(choices=OtherPaymentKind.choices)
    amount = yuan()
    purpose = serializers.CharField(allow_blank=True)


class OtherReceiptInputSerializer(serializers.Serializer[Any]):
    on = serializers.DateField()
    reference = serializers.CharField(max_length=60, allow_blank=True)
    amount = yuan()


class BatchViewSet(ScopedReadViewSet):
    """Monthly batches and their acts."""

    queryset = PrepaymentBatch.objects.select_related("pooling_area").order_by("-month", "sequence")
    serializer_class = PrepaymentBatchSerializer
    filterset_fields: ClassVar[Any] = ["month", "state"]

    @extend_schema(request=ProposeMonthSerializer, responses=ProposedSerializer)
    @action(detail=False, methods=["post"])
    def propose(self, request: Request) -> Response:
        """Propose a month for a pooling area; says what was done for each alliance and fund."""
        given = typed(ProposeMonthSerializer, request)
        area = get_visible(PoolingArea.objects.all(), request.user, code=given["pooling_area"])
        return Response({"told": services.propose_month(person(request), area, Month.parse(given["month"]))})

    @extend_schema(request=None, responses=PrepaymentBatchSerializer)
    @action(detail=True, methods=["post"])
    def submit(self, request: Request, pk: str | None = None) -> Response:
        return self._told(services.submit_batch(person(request), self.get_object()))

    @extend_schema(request=PackageReasonSerializer, responses=PrepaymentBatchSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str | None = None) -> Response:
        note = typed(PackageReasonSerializer, request)["reason"]
        return self._told(services.approve_batch(person(request), self.get_object(), note))

    @extend_schema(request=PackageReasonSerializer, responses=PrepaymentBatchSerializer)
    @action(detail=True, methods=["post"], url_path="return", url_name="return")
    def send_back(self, request: Request, pk: str | None = None) -> Response:
        reason = typed(PackageReasonSerializer, request)["reason"]
        return self._told(services.return_batch(person(request), self.get_object(), reason))

    @extend_schema(request=PackageReasonSerializer, responses=PrepaymentBatchSerializer)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str | None = None) -> Response:
        reason = typed(PackageReasonSerializer, request)["reason"]
        return self._told(services.reopen_batch(person(request), self.get_object(), reason))

    @extend_schema(request=PackageReasonSerializer, responses=PrepaymentBatchSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str | None = None) -> Response:
        reason = typed(PackageReasonSerializer, request)["reason"]
        return self._told(services.withdraw_batch(person(request), self.get_object(), reason))

    @extend_schema(request=None, responses={201: PaymentFileSerializer})
    @action(detail=True, methods=["post"], url_path="payment-files")
    def payment_files(self, request: Request, pk: str | None = None) -> Response:
        """Write the bank's file of everything not yet paid; it is downloaded from the batch's page."""
        made = services.make_payment_file(person(request), self.get_object())
        return Response(PaymentFileSerializer(made).data, status=status.HTTP_201_CREATED)

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
        given = typed(PrepaymentChangeSerializer, request)
        line = services.change_line(person(request), self.get_object(), given["kind"], given["amount"], given["reason"])
        return Response(PrepaymentSerializer(line).data)

    @extend_schema(request=BankReceiptInputSerializer, responses={201: BankReceiptSerializer})
    @action(detail=True, methods=["post"])
    def receipts(self, request: Request, pk: str | None = None) -> Response:
        given = typed(BankReceiptInputSerializer, request)
        made = services.record_receipt(person(request), self.get_object(), **given)
        return Response(BankReceiptSerializer(made).data, status=status.HTTP_201_CREATED)


class OtherPaymentViewSet(ScopedReadViewSet):
    """Other payments of the year: registered, approved, paid."""

    queryset = OtherPayment.objects.select_related("alliance__county__pooling_area").order_by("-pk")
    serializer_class = OtherPaymentSerializer
    filterset_fields: ClassVar[Any] = ["year", "fund_type", "state"]

    @extend_schema(request=OtherPaymentInputSerializer, responses={201: OtherPaymentSerializer})
    def create(self, request: Request) -> Response:
        """Register a payment."""
        given = typed(OtherPaymentInputSerializer, request)
        alliances = Alliance.objects.select_related("county__pooling_area")
        alliance = get_visible(alliances, request.user, code=given.pop("alliance"))
        year, fund_type = given.pop("year"), given.pop("fund_type")
        made = services.register_payment(person(request), alliance, year, fund_type, **given)
        return Response(OtherPaymentSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=OtherPaymentSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str | None = None) -> Response:
        return Response(OtherPaymentSerializer(services.approve_payment(person(request), self.get_object())).data)

    @extend_schema(request=PackageReasonSerializer, responses=OtherPaymentSerializer)
    @action(detail=True, methods=["post"], url_path="return", url_name="return")
    def send_back(self, request: Request, pk: str | None = None) -> Response:
        reason = typed(PackageReasonSerializer, request)["reason"]
        return Response(
            OtherPaymentSerializer(services.return_payment(person(request), self.get_object(), reason)).data
        )

    @extend_schema(request=OtherReceiptInputSerializer, responses=OtherPaymentSerializer)
    @action(detail=True, methods=["post"])
    def receipt(self, request: Request, pk: str | None = None) -> Response:
        """Record the bank's receipt."""
        given = typed(OtherReceiptInputSerializer, request)
        return Response(
            OtherPaymentSerializer(services.receive_payment(person(request), self.get_object(), **given)).data
        )
