"""What evidence, findings, claim rows and statements look like over the API, and what its acts are asked with."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from audits.models import Evidence, EvidenceNote, Finding, ProviderStatement, StatementReply
from audits.reading.evidence import state_of
from audits.reading.findings import act_label

BLANK: dict[str, Any] = {"required": False, "allow_blank": True, "default": ""}
LARGEST = 2**63 - 1
"""No id is larger."""
NONE: dict[str, Any] = {"required": False, "allow_null": True, "default": None}


class EvidenceNoteSerializer(serializers.ModelSerializer[EvidenceNote]):
    kind = serializers.CharField()
    by = serializers.CharField(source="by.username")

    class Meta:
        model = EvidenceNote
        fields = ["kind", "text", "by", "at"]


class EvidenceSerializer(serializers.ModelSerializer[Evidence]):
    """One piece; ``file_state`` (same, missing, changed) is told of a single one only: its file is read for it."""

    case = serializers.CharField(source="case.number")
    kind = serializers.CharField()
    file_name = serializers.CharField(source="file.name")
    size = serializers.IntegerField(source="file.size")
    collected_by = serializers.CharField(source="collected_by.username")
    witnessed_by = serializers.CharField(source="witnessed_by.username")
    added_by = serializers.CharField(source="added_by.username")
    notes = EvidenceNoteSerializer(many=True)

    class Meta:
        model = Evidence
        fields = [
            "id", "case", "number", "kind", "name", "note", "file_name", "size", "sha256", "collected_on", "collected_at_place",
            "collected_by", "witnessed_by", "third_party", "registered_until", "added_by", "added_at", "notes",
        ]  # fmt: skip


class EvidenceDetailSerializer(EvidenceSerializer):
    file_state = serializers.SerializerMethodField()

    class Meta(EvidenceSerializer.Meta):
        fields = [*EvidenceSerializer.Meta.fields, "file_state"]

    def get_file_state(self, row: Evidence) -> str:
        return state_of(row)


class CaseFindingSerializer(serializers.ModelSerializer[Finding]):
    """``lines`` and yuan are of the rows that stand."""

    case = serializers.CharField(source="case.number")
    act_text = serializers.SerializerMethodField()
    lines = serializers.IntegerField(source="kept_lines")
    resident = serializers.DecimalField(17, 2)
    employee = serializers.DecimalField(17, 2)

    class Meta:
        model = Finding
        fields = [
            "id", "case", "number", "act", "act_text", "clause", "text", "acted_from", "acted_to", "lines", "resident", "employee",
            "dropped", "dropped_reason",
        ]  # fmt: skip

    def get_act_text(self, row: Finding) -> str:
        return act_label(row.act)


class CaseFindingLineSerializer(serializers.Serializer[Any]):
    """A claim row: persons by the beginning of their pseudonym, diagnoses by category."""

    id = serializers.IntegerField(source="line.pk")
    settlement_id = serializers.CharField(source="line.settlement_id")
    settled_on = serializers.DateField(source="line.settled_on")
    county = serializers.CharField(source="line.county.code", allow_null=True, default=None)
    fund_type = serializers.CharField(source="line.fund_type")
    visit_type = serializers.CharField(source="line.visit_type")
    person = serializers.CharField()
    diagnosis = serializers.CharField()
    alliance = serializers.CharField(source="line.alliance.code", allow_null=True, default=None)
    own = serializers.BooleanField(source="line.own")
    paid = serializers.DecimalField(17, 2, source="line.paid")
    amount = serializers.DecimalField(17, 2, source="line.amount")
    note = serializers.CharField()


class PointSerializer(serializers.Serializer[Any]):
    finding = serializers.IntegerField()
    agrees = serializers.BooleanField()
    text = serializers.CharField(**BLANK)


class ReplySerializer(serializers.ModelSerializer[StatementReply]):
    outcome = serializers.CharField()
    by = serializers.CharField(source="by.username")

    class Meta:
        model = StatementReply
        fields = ["outcome", "text", "by", "at"]


class StatementFileSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    size = serializers.IntegerField()


class StatementSerializer(serializers.ModelSerializer[ProviderStatement]):
    case = serializers.CharField(source="track.case.number")
    track = serializers.CharField(source="track.kind")
    kind = serializers.CharField()
    points = PointSerializer(many=True)
    files = StatementFileSerializer(many=True)
    given_by = serializers.CharField(source="given_by.username")
    reply = ReplySerializer(allow_null=True, default=None)

    class Meta:
        model = ProviderStatement
        fields = ["id", "case", "track", "number", "kind", "text", "points", "files", "given_by", "given_at", "is_late", "reply"]


class EvidenceRequest(serializers.Serializer[Any]):
    case = serializers.IntegerField(help_text="案件 id")
    kind = serializers.CharField(**BLANK)
    name = serializers.CharField(**BLANK)
    file = serializers.FileField(allow_empty_file=True)
    collected_on = serializers.DateField(**NONE)
    place = serializers.CharField(**BLANK)
    collected_by = serializers.CharField(help_text="用户名", **BLANK)
    witnessed_by = serializers.CharField(help_text="用户名", **BLANK)
    third_party = serializers.CharField(**BLANK)
    note = serializers.CharField(**BLANK)
    registered = serializers.BooleanField(required=False, default=False)


class EvidenceNoteRequest(serializers.Serializer[Any]):
    text = serializers.CharField(**BLANK)


class FindingAmendRequest(serializers.Serializer[Any]):
    act = serializers.CharField(**BLANK)
    clause = serializers.CharField(**BLANK)
    text = serializers.CharField(**BLANK)
    acted_from = serializers.DateField(**NONE)
    acted_to = serializers.DateField(**NONE)
    evidence = serializers.ListField(child=serializers.IntegerField(max_value=LARGEST), required=False, default=list)


class FindingRequest(FindingAmendRequest):
    case = serializers.IntegerField(help_text="案件 id")


class WantedRequest(serializers.Serializer[Any]):
    settlement_id = serializers.CharField(max_length=60)
    county = serializers.CharField(help_text="参保县（区）代码，不填为案件所在县（区）", **BLANK)
    amount = serializers.DecimalField(17, 2, help_text="不填为基金支付全额", **NONE)
    note = serializers.CharField(**BLANK)


class LinesRequest(serializers.Serializer[Any]):
    lines = WantedRequest(many=True)


class FindingReasonRequest(serializers.Serializer[Any]):
    reason = serializers.CharField(**BLANK)


class LinesDropRequest(FindingReasonRequest):
    lines = serializers.ListField(child=serializers.IntegerField(max_value=LARGEST))


class LineLowerRequest(FindingReasonRequest):
    line = serializers.IntegerField()
    amount = serializers.DecimalField(17, 2, **NONE)


class StatementRequest(serializers.Serializer[Any]):
    case = serializers.IntegerField(help_text="案件 id")
    track = serializers.CharField(help_text="agreement 或 penalty")
    kind = serializers.CharField(help_text="statement、appeal、agreed 或 hearing")
    text = serializers.CharField(**BLANK)
    points = PointSerializer(many=True, required=False)


class StatementReplyRequest(serializers.Serializer[Any]):
    outcome = serializers.CharField(**BLANK)
    text = serializers.CharField(**BLANK)
