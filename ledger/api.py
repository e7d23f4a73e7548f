"""The books over the API: read only, for the same people as the pages."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter

from core.api import ScopedReadViewSet
from ledger import reading
from ledger.accounts import Account
from ledger.models import Book, Entry, Line


class BookSerializer(serializers.ModelSerializer[Book]):
    pooling_area = serializers.CharField(source="pooling_area.code")

    class Meta:
        model = Book
        fields = ["id", "pooling_area", "fund_type", "head_seq", "head_hash"]


class LineSerializer(serializers.ModelSerializer[Line]):
    code = serializers.SerializerMethodField()
    alliance = serializers.CharField(source="alliance.code", allow_null=True, default=None)
    amount = serializers.DecimalField(max_digits=17, decimal_places=2)

    class Meta:
        model = Line
        fields = ["account", "code", "alliance", "year", "amount"]

    def get_code(self, line: Line) -> str:
        return Account(line.account).code


class EntrySerializer(serializers.ModelSerializer[Entry]):
    number = serializers.CharField()
    lines = LineSerializer(many=True)

    class Meta:
        model = Entry
        fields = ["id", "book", "number", "on", "key", "memo", "source_type", "source_id", "reverses", "at", "lines"]


class TrialRowSerializer(serializers.Serializer[Any]):
    account = serializers.CharField()
    code = serializers.CharField(source="account.code")
    label = serializers.CharField(source="account.label")  # type: ignore[assignment]
    group = serializers.CharField(source="account.group")
    opening = serializers.DecimalField(max_digits=17, decimal_places=2)
    debit = serializers.DecimalField(max_digits=17, decimal_places=2)
    credit = serializers.DecimalField(max_digits=17, decimal_places=2)
    closing = serializers.DecimalField(max_digits=17, decimal_places=2)


class TrialBalanceSerializer(serializers.Serializer[Any]):
    until = serializers.DateField()
    balanced = serializers.BooleanField()
    fund = TrialRowSerializer(many=True, source="fund.rows")
    control = TrialRowSerializer(many=True, source="control.rows")


class UntilSerializer(serializers.Serializer[Any]):
    until = serializers.DateField(required=False)


class ReadersOnly(ScopedReadViewSet):
    """A list holds what the caller's post reads; one book or voucher of her area without that post is refused by name."""

    area_path: ClassVar[str]

    def get_queryset(self) -> Any:
        found = super().get_queryset()
        if self.action == "list":
            found = found.filter(**{f"{self.area_path}__in": reading.areas_of(self.request.user)})
        return found

    def get_object(self) -> Any:
        found = super().get_object()
        book = found if isinstance(found, Book) else found.book
        user: Any = self.request.user
        reading.require_reader(user, book.pooling_area)
        return found


class BookViewSet(ReadersOnly):
    area_path = "pooling_area"
    queryset = Book.objects.select_related("pooling_area")
    serializer_class = BookSerializer
    filterset_fields = ["fund_type"]

    @extend_schema(parameters=[OpenApiParameter("until", str)], responses=TrialBalanceSerializer)
    @action(detail=True, url_path="trial-balance", filterset_fields=[])
    def trial_balance(self, request: Request, pk: str | None = None) -> Response:
        """Opening, debits, credits and closing of every account up to a day (default: today); debit positive."""
        asked = UntilSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        trial = reading.trial_balance(self.get_object(), asked.validated_data.get("until"))
        return Response(TrialBalanceSerializer(trial).data)


class EntryViewSet(ReadersOnly):
    area_path = "book__pooling_area"
    queryset = (
        Entry.objects.select_related("book__pooling_area").prefetch_related("lines__alliance").order_by("book", "seq")
    )
    serializer_class = EntrySerializer
    filterset_fields = {"book": ["exact"], "on": ["gte", "lte"], "source_type": ["exact"], "source_id": ["exact"]}


def register(router: DefaultRouter) -> None:
    router.register("ledger/books", BookViewSet, basename="ledger-book")
    router.register("ledger/entries", EntryViewSet, basename="ledger-entry")
