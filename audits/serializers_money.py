"""How the API shows and takes the money of cases. Amounts are yuan as text with two decimals."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from audits.models import Case, Recovered
from audits.reading.money import case_money, fine_position
from audits.states import TrackKind
from core.api import YuanField
from core.models import FundType

TEXT: dict[str, Any] = {"required": False, "allow_blank": True, "default": ""}
NONE: dict[str, Any] = {"required": False, "allow_null": True, "default": None}


class FundMoneySerializer(serializers.Serializer[Any]):
    """One fund type (empty: all): decided = refused + repaid + deducted + outstanding."""

    fund_type = serializers.CharField()
    found = YuanField()
    decided = YuanField()
    refused = YuanField()
    recovery = YuanField()
    repaid = YuanField()
    deducted = YuanField()
    outstanding = YuanField()
    due = serializers.DateField(allow_null=True)


class RecoveredSerializer(serializers.ModelSerializer[Recovered]):
    fund_type = serializers.CharField(source="amount_row.fund_type")
    year = serializers.IntegerField(source="amount_row.year")
    kind = serializers.CharField()

    class Meta:
        model = Recovered
        fields = ["id", "kind", "fund_type", "year", "amount", "on", "reference", "settlement_year", "reverses", "reason"]


class FinePositionSerializer(serializers.Serializer[Any]):
    fine = YuanField()
    paid = YuanField()
    outstanding = YuanField()
    surcharge = YuanField()
    surcharge_outstanding = YuanField()
    due = serializers.DateField(allow_null=True)


class CaseMoneySerializer(serializers.ModelSerializer[Case]):
    """The money of one case with its receipts and, beside it, the fine."""

    state = serializers.CharField()
    money = serializers.SerializerMethodField()
    total = serializers.SerializerMethodField()
    recovered = serializers.SerializerMethodField()
    fine = serializers.SerializerMethodField()

    class Meta:
        model = Case
        fields = ["id", "number", "party_name", "title", "state", "money", "total", "recovered", "fine"]

    def to_representation(self, instance: Case) -> dict[str, Any]:
        self._money = case_money(instance)
        return super().to_representation(instance)

    def get_money(self, case: Case) -> list[dict[str, Any]]:
        return [dict(FundMoneySerializer(row).data) for row in self._money.rows]

    def get_total(self, case: Case) -> dict[str, Any]:
        return dict(FundMoneySerializer(self._money.total).data)

    def get_recovered(self, case: Case) -> list[dict[str, Any]]:
        return [dict(RecoveredSerializer(row).data) for row in self._money.receipts]

    def get_fine(self, case: Case) -> dict[str, Any] | None:
        track = case.tracks.filter(kind=TrackKind.PENALTY).first()
        where = fine_position(track) if track is not None else None
        return dict(FinePositionSerializer(where).data) if where is not None and where.fine else None


class CaseBriefSerializer(serializers.ModelSerializer[Case]):
    state = serializers.CharField()

    class Meta:
        model = Case
        fields = ["id", "number", "party_name", "title", "state", "filed_on"]


class AuditReasonRequest(serializers.Serializer[Any]):
    reason = serializers.CharField(**TEXT)


class ReceiveRequest(serializers.Serializer[Any]):
    fund_type = serializers.ChoiceField(choices=FundType.choices)
    amount = YuanField()
    on = serializers.DateField()
    reference = serializers.CharField()
    files = serializers.ListField(child=serializers.FileField(allow_empty_file=True), required=False, default=list)


class DeductRequest(AuditReasonRequest):
    fund_type = serializers.ChoiceField(choices=FundType.choices)


class TakeBackRequest(AuditReasonRequest):
    recovered = serializers.IntegerField(help_text="追回登记的编号")


class PayFineRequest(serializers.Serializer[Any]):
    kind = serializers.CharField(required=False, default="fine", help_text="fine 罚款，surcharge 加处罚款")
    amount = YuanField()
    on = serializers.DateField()
    reference = serializers.CharField()
    files = serializers.ListField(child=serializers.FileField(allow_empty_file=True), required=False, default=list)


class RemedyRequest(AuditReasonRequest):
    track = serializers.CharField(help_text="agreement 协议处理，penalty 行政处罚")
    kind = serializers.CharField(help_text="review 行政复议，lawsuit 行政诉讼")
    reference = serializers.CharField()
    started_on = serializers.DateField()


class EndRemedyRequest(AuditReasonRequest):
    track = serializers.CharField(help_text="agreement 协议处理，penalty 行政处罚")
    remedy = serializers.IntegerField()
    state = serializers.CharField(help_text="upheld 维持，changed 变更或撤销，withdrawn 撤回")
    ended_on = serializers.DateField()


class ProposeMeasuresRequest(serializers.Serializer[Any]):
    text = serializers.CharField(**TEXT)
    points = serializers.IntegerField(required=False, default=0)
    correct = serializers.BooleanField(required=False, default=False)
    suspend_months = serializers.IntegerField(**NONE)
    terminate = serializers.BooleanField(required=False, default=False)


class ProposePenaltyRequest(serializers.Serializer[Any]):
    fine = YuanField(**NONE)
    grade = serializers.CharField(**TEXT)
    grade_reason = serializers.CharField(**TEXT)
    facts = serializers.ListField(child=serializers.CharField(), required=False, default=list)
    suspend_months = serializers.IntegerField(**NONE)
