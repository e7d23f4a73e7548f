"""What documents, measures, hand-overs and follow-ups are over the API, and what their acts ask for."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from audits.documents.kinds import KINDS, label_of
from audits.models import CaseDocument, FollowUp, Measure, MeasureKind, Referral, ReferralBody
from audits.services.follow_ups import RESULTS
from core.api import given_by
from core.errors import Refused
from core.files import store_evidence, upload_problems

FILES = "case_consequence"


class CaseDocumentSerializer(serializers.ModelSerializer[CaseDocument]):
    case = serializers.CharField(source="case.number")
    track = serializers.CharField(source="track.kind", allow_null=True, default=None)
    title = serializers.SerializerMethodField()
    sha256 = serializers.CharField(source="file.sha256")

    class Meta:
        model = CaseDocument
        fields = ["id", "case", "track", "kind", "title", "number", "version", "sha256", "made_at", "to_party"]

    def get_title(self, document: CaseDocument) -> str:
        return label_of(document.kind)


class CaseDocumentDetailSerializer(CaseDocumentSerializer):
    """With what stands in it. ``notes`` are for the bureau only and left out for others."""

    content = serializers.SerializerMethodField()

    class Meta(CaseDocumentSerializer.Meta):
        fields = [*CaseDocumentSerializer.Meta.fields, "content"]

    def get_content(self, document: CaseDocument) -> dict[str, Any]:
        if self.context.get("inside"):
            return dict(document.content)
        return {name: part for name, part in document.content.items() if name != "notes"}


class MeasureSerializer(serializers.ModelSerializer[Measure]):
    case = serializers.CharField(source="case.number")

    class Meta:
        model = Measure
        fields = [
            "id", "case", "kind", "on", "addressee", "to_party", "text", "due_on", "sent_on", "outcome", "outcome_on", "at",
        ]  # fmt: skip


class ReferralSerializer(serializers.ModelSerializer[Referral]):
    case = serializers.CharField(source="case.number")
    has_record = serializers.SerializerMethodField()

    class Meta:
        model = Referral
        fields = [
            "id", "case", "body", "body_name", "number", "handed_on", "reason", "list_of_items", "received_by", "has_record",
            "due_on", "reply", "replied_on", "at",
        ]  # fmt: skip

    def get_has_record(self, referral: Referral) -> bool:
        return referral.record_id is not None


class FollowUpSerializer(serializers.ModelSerializer[FollowUp]):
    case = serializers.CharField(source="case.number")
    lead = serializers.CharField(source="lead.number", allow_null=True, default=None)

    class Meta:
        model = FollowUp
        fields = ["id", "case", "due_on", "focus", "planned_at", "done_on", "result", "text", "lead"]


class DocumentMakeRequest(serializers.Serializer[Any]):
    case = serializers.CharField(max_length=40, help_text="案号")
    kind = serializers.ChoiceField(choices=[(kind.key, kind.label) for kind in KINDS])
    track = serializers.CharField(required=False, allow_blank=True, default="", help_text="程序：agreement 或 penalty")
    serves = serializers.IntegerField(required=False, allow_null=True, default=None, help_text="送达回证所对应的文书")


class DocumentRenewRequest(serializers.Serializer[Any]):
    reason = serializers.CharField(allow_blank=True)


class MeasureRequest(serializers.Serializer[Any]):
    case = serializers.CharField(max_length=40, help_text="案号")
    kind = serializers.ChoiceField(choices=MeasureKind.choices)
    on = serializers.DateField()
    text = serializers.CharField(max_length=4000)
    to_party = serializers.BooleanField(required=False, default=True)
    addressee = serializers.CharField(required=False, allow_blank=True, default="", max_length=120)
    due_on = serializers.DateField(required=False, allow_null=True, default=None)
    files = serializers.ListField(child=serializers.FileField(), required=False, default=list, max_length=10)


class MeasureSendRequest(serializers.Serializer[Any]):
    on = serializers.DateField()


class MeasureEndRequest(serializers.Serializer[Any]):
    on = serializers.DateField()
    outcome = serializers.CharField(max_length=4000)
    files = serializers.ListField(child=serializers.FileField(), required=False, default=list, max_length=10)


class ReferralRequest(serializers.Serializer[Any]):
    case = serializers.CharField(max_length=40, help_text="案号")
    body = serializers.ChoiceField(choices=ReferralBody.choices)
    body_name = serializers.CharField(max_length=120)
    handed_on = serializers.DateField()
    reason = serializers.CharField(max_length=4000)
    items = serializers.CharField(max_length=4000, help_text="移送材料，每行一项")
    received_by = serializers.CharField(max_length=60)
    due_on = serializers.DateField(required=False, allow_null=True, default=None)
    files = serializers.ListField(child=serializers.FileField(), required=False, default=list, max_length=1)


class ReferralRecordRequest(serializers.Serializer[Any]):
    files = serializers.ListField(child=serializers.FileField(), min_length=1, max_length=1)


class ReferralReplyRequest(serializers.Serializer[Any]):
    replied_on = serializers.DateField()
    reply = serializers.CharField(max_length=4000)
    files = serializers.ListField(child=serializers.FileField(), required=False, default=list, max_length=1)


class CaseFollowUpRequest(serializers.Serializer[Any]):
    case = serializers.CharField(max_length=40, help_text="案号")
    due_on = serializers.DateField()
    focus = serializers.CharField(max_length=300)


class FollowUpResultRequest(serializers.Serializer[Any]):
    done_on = serializers.DateField()
    result = serializers.ChoiceField(choices=list(RESULTS.items()))
    text = serializers.CharField(max_length=4000)
    next_due = serializers.DateField(required=False, allow_null=True, default=None)


def given_with_files(asked: Any, request: Request) -> dict[str, Any]:
    """What was sent, with its files stored; every file that cannot be taken is told at once (``Refused``)."""
    given = given_by(asked, request)
    user: Any = request.user
    if "files" in given:
        problems = upload_problems(given["files"])
        if problems:
            raise Refused(problems)
        given["files"] = [store_evidence(upload, FILES, user) for upload in given["files"]]
    return given
