"""What cases and their tracks look like over the API, for the bureau and for a party, and what their acts are asked with."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from audits.models import Case, CaseChange, CaseOfficer, Deadline, Track
from audits.reading.cases import PARTY_LIMITS, told_case_state, told_state, told_tracks
from audits.serializers_money import AuditReasonRequest
from audits.states import IN_FORCE_TRACKS
from core.api import YuanField

PERSON: dict[str, Any] = {"allow_null": True, "default": None}
FILES = serializers.ListField(child=serializers.FileField(allow_empty_file=True), required=False, default=list)


class CaseOfficerSerializer(serializers.ModelSerializer[CaseOfficer]):
    user = serializers.CharField(source="user.username")

    class Meta:
        model = CaseOfficer
        fields = ["user", "leads", "card", "since", "until"]


class CaseDeadlineSerializer(serializers.ModelSerializer[Deadline]):
    """``last_day`` counts to its end; ``track`` null: of the case itself."""

    track = serializers.CharField(source="track.kind", **PERSON)
    last_day = serializers.DateField()

    class Meta:
        model = Deadline
        fields = [
            "id", "key", "track", "count", "unit", "extension", "starts_on", "due_on", "extended_to", "last_day", "paused_on",
            "pauses", "ended_on", "escalations",
        ]  # fmt: skip


class CaseChangeSerializer(serializers.ModelSerializer[CaseChange]):
    act = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    track = serializers.CharField(source="track.kind", **PERSON)
    actor = serializers.CharField(source="actor.username", **PERSON)
    data = serializers.JSONField()  # type: ignore[assignment]

    class Meta:
        model = CaseChange
        fields = ["id", "track", "act", "source", "target", "actor", "at", "reason", "until", "data"]


class AuditTrackSerializer(serializers.ModelSerializer[Track]):
    """One way of a case, for the bureau."""

    case = serializers.CharField(source="case.number")
    kind = serializers.CharField()
    state = serializers.CharField()
    proposed_by = serializers.CharField(source="proposed_by.username", **PERSON)
    re_reviewed_by = serializers.CharField(source="re_reviewed_by.username", **PERSON)
    legal_by = serializers.CharField(source="legal_by.username", **PERSON)
    decided_by = serializers.CharField(source="decided_by.username", **PERSON)

    class Meta:
        model = Track
        fields = [
            "id", "case", "kind", "state", "holds_money", "opened_at", "proposed_by", "proposed_at", "fine", "grade",
            "grade_reason", "measures", "needs_hearing", "needs_legal", "notified_on", "re_reviewed_by", "re_reviewed_at",
            "legal_by", "legal_at", "decided_by", "decided_on", "decided_amount", "served_on", "service_way", "done_on",
        ]  # fmt: skip


class PartyTrackSerializer(serializers.ModelSerializer[Track]):
    """One way of a case as its party may know it: what it was told, and the decision once it was served."""

    case = serializers.CharField(source="case.number")
    kind = serializers.CharField()
    state_text = serializers.SerializerMethodField()
    fine = serializers.SerializerMethodField()
    decided_amount = serializers.SerializerMethodField()
    decided_on = serializers.SerializerMethodField()

    class Meta:
        model = Track
        fields = [
            "id", "case", "kind", "state_text", "needs_hearing", "notified_on", "fine", "decided_amount", "decided_on",
            "served_on", "service_way", "done_on",
        ]  # fmt: skip

    def get_state_text(self, track: Track) -> str:
        return told_state(track)[0]

    def get_fine(self, track: Track) -> str | None:
        return _yuan(track, track.fine)

    def get_decided_amount(self, track: Track) -> str | None:
        return _yuan(track, track.decided_amount)

    def get_decided_on(self, track: Track) -> str | None:
        return str(track.decided_on) if track.state in IN_FORCE_TRACKS else None


class _CaseSerializer(serializers.ModelSerializer[Case]):
    pooling_area = serializers.CharField(source="pooling_area.code")
    county = serializers.CharField(source="county.code")
    alliance = serializers.CharField(source="alliance.code", **PERSON)
    institution = serializers.CharField(source="institution.code", **PERSON)
    kind = serializers.CharField()
    party_kind = serializers.CharField()


class AuditCaseSerializer(_CaseSerializer):
    """A case as lists of the bureau show it; ``found``: yuan of the kept findings."""

    way = serializers.CharField()
    state = serializers.CharField()
    found = YuanField()
    tracks = AuditTrackSerializer(many=True)

    class Meta:
        model = Case
        fields = [
            "id", "number", "pooling_area", "county", "alliance", "institution", "party_kind", "party_name", "party_code",
            "kind", "way", "title", "claims_from", "claims_to", "harm", "state", "filed_on", "notified_at", "suspended_on",
            "closed_at", "first_amount", "found", "tracks",
        ]  # fmt: skip


class AuditCaseDetailSerializer(AuditCaseSerializer):
    """With its officers, limits and everything that happened."""

    first_reviewed_by = serializers.CharField(source="first_reviewed_by.username", **PERSON)
    officers = CaseOfficerSerializer(many=True)
    deadlines = CaseDeadlineSerializer(many=True)
    changes = CaseChangeSerializer(many=True)

    class Meta(AuditCaseSerializer.Meta):
        fields = [
            *AuditCaseSerializer.Meta.fields, "first_reviewed_by", "first_reviewed_at", "officers", "deadlines", "changes",
        ]  # fmt: skip


class PartyCaseSerializer(_CaseSerializer):
    """A case as its party sees it: never the bureau's own steps, people or notes."""

    state_text = serializers.SerializerMethodField()
    tracks = serializers.SerializerMethodField()
    deadlines = serializers.SerializerMethodField()

    class Meta:
        model = Case
        fields = [
            "id", "number", "pooling_area", "county", "alliance", "institution", "party_kind", "party_name", "kind", "title",
            "claims_from", "claims_to", "notified_at", "state_text", "tracks", "deadlines",
        ]  # fmt: skip

    def get_state_text(self, case: Case) -> str:
        return told_case_state(case)[0]

    def get_tracks(self, case: Case) -> list[dict[str, Any]]:
        return list(PartyTrackSerializer(told_tracks(list(case.tracks.all())), many=True).data)

    def get_deadlines(self, case: Case) -> list[dict[str, Any]]:
        told = {track.pk for track in told_tracks(list(case.tracks.all()))}
        rows = [row for row in case.deadlines.all() if row.key in PARTY_LIMITS and row.track_id in told]
        return list(CaseDeadlineSerializer(rows, many=True).data)


class CaseActSerializer(serializers.Serializer[Any]):
    """Whether the caller may do an act now, and every reason why not; ``track`` empty: on the case itself."""

    track = serializers.CharField()
    act = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    allowed = serializers.BooleanField()
    reason = serializers.CharField()


class OfficerRequest(serializers.Serializer[Any]):
    user = serializers.CharField(help_text="用户名")
    card = serializers.CharField(required=False, allow_blank=True, default="", help_text="执法证号")
    leads = serializers.BooleanField(required=False, default=False, help_text="主办")


class CaseOfficersRequest(AuditReasonRequest):
    officers = OfficerRequest(many=True)


class CasePassRequest(AuditReasonRequest):
    kinds = serializers.ListField(child=serializers.CharField(), help_text="agreement 协议处理、penalty 行政处罚")


class CaseExtendRequest(AuditReasonRequest):
    limit = serializers.IntegerField(help_text="deadlines 中的编号")
    until = serializers.DateField(required=False, allow_null=True, default=None)
    files = FILES


class CaseExpertRequest(AuditReasonRequest):
    expert = serializers.CharField(required=False, allow_blank=True, default="")
    until = serializers.DateField(required=False, allow_null=True, default=None)


class TrackServiceRequest(serializers.Serializer[Any]):
    on = serializers.DateField(required=False, allow_null=True, default=None, help_text="送达日期，不给按今天")
    way = serializers.CharField(required=False, default="直接送达")
    files = FILES


def _yuan(track: Track, amount: Any) -> str | None:
    return str(amount) if amount is not None and track.state in IN_FORCE_TRACKS else None
