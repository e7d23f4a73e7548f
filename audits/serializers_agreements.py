"""What agreements, people, points and yearly checks look like over the API, and what their acts are asked with."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from audits.models import Agreement, AgreementChange, Physician, PhysicianKind, PointEntry, Qualification, YearlyCheck


class AgreementChangeSerializer(serializers.ModelSerializer[AgreementChange]):
    case = serializers.CharField(source="case.number", default=None)
    proposed_by = serializers.CharField(source="proposed_by.username")
    decided_by = serializers.CharField(source="decided_by.username", default=None)
    data = serializers.JSONField()  # type: ignore[assignment]

    class Meta:
        model = AgreementChange
        fields = [
            "id", "kind", "text", "data", "from_on", "until", "case", "status", "proposed_by", "proposed_at", "decided_by",
            "decided_at", "decision",
        ]  # fmt: skip


class AgreementSerializer(serializers.ModelSerializer[Agreement]):
    """An agreement as lists show it."""

    institution = serializers.CharField(source="institution.code")

    class Meta:
        model = Agreement
        fields = ["id", "number", "institution", "year", "valid_from", "valid_to", "state", "listed_disease", "version"]


class AgreementDetailSerializer(AgreementSerializer):
    """One agreement with what was agreed and the changes the caller sees."""

    changes = serializers.SerializerMethodField()
    terms: Any = serializers.JSONField()
    indicators: Any = serializers.JSONField()
    limits: Any = serializers.JSONField()

    class Meta(AgreementSerializer.Meta):
        fields = [*AgreementSerializer.Meta.fields, "terms", "indicators", "limits", "changes"]

    def get_changes(self, row: Agreement) -> list[dict[str, Any]]:
        seen = AgreementChange.objects.visible_to(self.context["request"].user).filter(agreement=row)
        rows = seen.select_related("case", "proposed_by", "decided_by").order_by("pk")
        shown: Any = AgreementChangeSerializer(rows, many=True)
        return [dict(one) for one in shown.data]


class PhysicianSerializer(serializers.ModelSerializer[Physician]):
    institution = serializers.CharField(source="institution.code")

    class Meta:
        model = Physician
        fields = ["id", "institution", "code", "name", "kind", "department", "valid_from", "valid_to"]


class QualificationSerializer(serializers.ModelSerializer[Qualification]):
    code = serializers.CharField(source="physician.code")
    institution = serializers.CharField(source="physician.institution.code")

    class Meta:
        model = Qualification
        fields = [
            "id", "code", "institution", "kind", "from_on", "until", "months", "points", "at_once", "reason", "status",
            "proposed_at", "decided_at", "decision",
        ]  # fmt: skip


class PointEntrySerializer(serializers.ModelSerializer[PointEntry]):
    institution = serializers.CharField(source="institution.code")
    physician = serializers.CharField(source="physician.code", default=None)
    case = serializers.CharField(source="case.number", default=None)

    class Meta:
        model = PointEntry
        fields = [
            "id", "institution", "physician", "case", "on", "points", "severity", "clause", "reason", "status", "proposed_at",
            "decided_at", "decision", "withdrawn_at", "withdrawn_reason",
        ]  # fmt: skip


class YearlyCheckSerializer(serializers.ModelSerializer[YearlyCheck]):
    institution = serializers.CharField(source="institution.code")
    lead_of = serializers.CharField(source="lead_of.code", default=None)
    effects = serializers.JSONField()
    trace = serializers.JSONField()

    class Meta:
        model = YearlyCheck
        fields = [
            "id", "institution", "year", "score", "points", "deduction", "grade", "lead_of", "effects", "trace", "ratio",
            "reason", "status", "proposed_at", "decided_at", "decision",
        ]  # fmt: skip


class AgreementRequest(serializers.Serializer[Any]):
    """An application; ``limits``: lines of code, name, unit, limit."""

    institution = serializers.CharField()
    year = serializers.IntegerField()
    valid_from = serializers.DateField()
    valid_to = serializers.DateField()
    listed_disease = serializers.BooleanField(default=False)
    terms = serializers.DictField(child=serializers.CharField())
    indicators = serializers.DictField(child=serializers.CharField())
    limits = serializers.CharField(default="", allow_blank=True)
    reason = serializers.CharField(default="", allow_blank=True)


class ChangeRequest(serializers.Serializer[Any]):
    kind = serializers.CharField()
    text = serializers.CharField(allow_blank=True)
    from_on = serializers.DateField()
    until = serializers.DateField(default=None, allow_null=True)
    case = serializers.IntegerField(default=None, allow_null=True)


class VerdictRequest(serializers.Serializer[Any]):
    """``approve`` false returns the proposal with its reason."""

    approve = serializers.BooleanField()
    reason = serializers.CharField(default="", allow_blank=True)


class ChangeVerdictRequest(VerdictRequest):
    change = serializers.IntegerField()


class PointReasonRequest(serializers.Serializer[Any]):
    reason = serializers.CharField(allow_blank=True)


class PhysicianRequest(serializers.Serializer[Any]):
    institution = serializers.CharField()
    code = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=PhysicianKind.choices)
    department = serializers.CharField(default="", allow_blank=True)
    valid_from = serializers.DateField()


class MoveRequest(serializers.Serializer[Any]):
    to = serializers.CharField()
    on = serializers.DateField()
    department = serializers.CharField(default="", allow_blank=True)


class EndRequest(serializers.Serializer[Any]):
    on = serializers.DateField()
    reason = serializers.CharField(allow_blank=True)


class MonthsRequest(serializers.Serializer[Any]):
    months = serializers.IntegerField()
    from_on = serializers.DateField()
    reason = serializers.CharField(allow_blank=True)


class PointRequest(serializers.Serializer[Any]):
    """``physician``: id of a registration; ``severity``: of a person a band (light, medium, serious, grave), else in words."""

    institution = serializers.CharField()
    physician = serializers.IntegerField(default=None, allow_null=True)
    on = serializers.DateField()
    points = serializers.IntegerField()
    severity = serializers.CharField()
    clause = serializers.CharField()
    reason = serializers.CharField()
    case = serializers.IntegerField(default=None, allow_null=True)


class YearlyCheckRequest(serializers.Serializer[Any]):
    institution = serializers.CharField()
    year = serializers.IntegerField()
    score = serializers.DecimalField(max_digits=7, decimal_places=4)
    reason = serializers.CharField(default="", allow_blank=True)
