"""What warnings, thresholds and watch entries look like over the API, and what its acts are asked with."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from core.forms import MOST_FILES
from monitoring.models import Threshold, Warning, WarningAnswer, WarningChange, WarningFigure, WatchEntry

PERSON: dict[str, Any] = {"allow_null": True, "default": None}


class WarningFigureSerializer(serializers.ModelSerializer[WarningFigure]):
    level = serializers.CharField()
    trace = serializers.JSONField()
    data = serializers.JSONField()  # type: ignore[assignment]

    class Meta:
        model = WarningFigure
        fields = [
            "year", "month", "value", "compared", "threshold_value", "level", "affected", "data_to", "trace", "data",
            "noted_at",
        ]  # fmt: skip


class WarningFileSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField()


class WarningAnswerSerializer(serializers.ModelSerializer[WarningAnswer]):
    answered_by = serializers.CharField(source="answered_by.username")
    files = WarningFileSerializer(many=True)

    class Meta:
        model = WarningAnswer
        fields = ["id", "number", "cause", "measures", "target", "by_date", "files", "answered_by", "answered_at"]


class WarningChangeSerializer(serializers.ModelSerializer[WarningChange]):
    act = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    target = serializers.CharField()
    actor = serializers.CharField(allow_null=True)
    data = serializers.JSONField()  # type: ignore[assignment]
    files = WarningFileSerializer(many=True)

    class Meta:
        model = WarningChange
        fields = ["id", "act", "source", "target", "actor", "at", "reason", "until", "data", "files"]


class WarningSerializer(serializers.ModelSerializer[Warning]):
    """A warning as lists show it; ``place`` is the kind's letter and the id (A12)."""

    source = serializers.CharField()  # type: ignore[assignment]
    kind = serializers.CharField()
    place_name = serializers.CharField(source="at.name")
    county = serializers.CharField(source="county.code", **PERSON)
    alliance = serializers.CharField(source="alliance.code", **PERSON)
    institution = serializers.CharField(source="institution.code", **PERSON)
    level = serializers.CharField()
    state = serializers.CharField()

    class Meta:
        model = Warning
        fields = [
            "id", "number", "source", "kind", "place", "place_name", "county", "alliance", "institution", "fund_type",
            "cause", "indicator", "threshold", "title", "level", "year", "month", "state", "raised_at", "sent_at", "due_on",
            "escalations", "recovered", "closed_at",
        ]  # fmt: skip


class WarningDetailSerializer(WarningSerializer):
    """With every figure, answer and act."""

    figures = WarningFigureSerializer(many=True)
    answers = WarningAnswerSerializer(many=True)
    changes = WarningChangeSerializer(many=True)

    class Meta(WarningSerializer.Meta):
        fields = [*WarningSerializer.Meta.fields, "figures", "answers", "changes"]


class ThresholdSerializer(serializers.ModelSerializer[Threshold]):
    pooling_area = serializers.CharField(source="pooling_area.code")
    county = serializers.CharField(source="county.code", **PERSON)
    alliance = serializers.CharField(source="alliance.code", **PERSON)
    indicator = serializers.CharField()
    kind = serializers.CharField()
    fund_type = serializers.CharField()
    basis = serializers.CharField()
    span = serializers.CharField()
    status = serializers.CharField()
    entered_by = serializers.CharField(source="entered_by.username")
    decided_by = serializers.CharField(source="decided_by.username", **PERSON)

    class Meta:
        model = Threshold
        fields = [
            "id", "pooling_area", "county", "alliance", "indicator", "kind", "fund_type", "basis", "span", "above",
            "relative", "yellow", "orange", "red", "min_volume", "clause", "valid_from", "valid_to", "status", "trial_from",
            "note", "entered_by", "entered_at", "decided_by", "decided_at",
        ]  # fmt: skip


class WatchEntrySerializer(serializers.ModelSerializer[WatchEntry]):
    county = serializers.CharField(source="county.code")
    institution = serializers.CharField(source="institution.code")
    warning = serializers.CharField(source="warning.number")
    consequence = serializers.CharField()
    status = serializers.CharField()
    proposed_by = serializers.CharField(source="proposed_by.username")
    decided_by = serializers.CharField(source="decided_by.username", **PERSON)

    class Meta:
        model = WatchEntry
        fields = [
            "id", "county", "institution", "warning", "fund_type", "consequence", "detail", "valid_from", "valid_to",
            "status", "proposed_by", "proposed_at", "decided_by", "decided_at", "decided_reason",
        ]  # fmt: skip


LONGEST = 4000
"""Signs of a text and files of an act, as on the pages."""


class WarningReasonRequest(serializers.Serializer[Any]):
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=LONGEST)


class WarningSendRequest(serializers.Serializer[Any]):
    days = serializers.IntegerField(required=False, allow_null=True, default=None, help_text="答复期限，工作日；不给按参数")


class WarningReturnRequest(WarningReasonRequest):
    days = serializers.IntegerField(required=False, allow_null=True, default=None, help_text="补充期限，工作日；不给按参数")


class WarningAnswerRequest(serializers.Serializer[Any]):
    cause = serializers.CharField(required=False, allow_blank=True, default="")
    measures = serializers.CharField(required=False, allow_blank=True, default="")
    target = serializers.CharField(required=False, allow_blank=True, default="")
    by_date = serializers.DateField(required=False, allow_null=True, default=None)
    files = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True), required=False, default=list, max_length=MOST_FILES
    )


class WarningInquireRequest(WarningReasonRequest):
    until = serializers.DateField(required=False, allow_null=True, default=None)
    files = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True), required=False, default=list, max_length=MOST_FILES
    )


class WarningTalkRequest(WarningReasonRequest):
    held_on = serializers.DateField(required=False, allow_null=True, default=None)
    participants = serializers.CharField(required=False, allow_blank=True, default="")
    files = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True), required=False, default=list, max_length=MOST_FILES
    )


class WarningExtendRequest(WarningReasonRequest):
    until = serializers.DateField(required=False, allow_null=True, default=None)


class ManualWarningRequest(WarningReasonRequest):
    place = serializers.CharField(help_text="对象：P 统筹区、C 县、A 医共体、I 机构，加编号，如 A12")
    fund_type = serializers.CharField(required=False, allow_blank=True, default="")
    title = serializers.CharField(required=False, allow_blank=True, default="")
    level = serializers.CharField(required=False, allow_blank=True, default="")
    indicator = serializers.CharField(required=False, allow_blank=True, default="")


class WatchRequest(serializers.Serializer[Any]):
    institution = serializers.CharField(help_text="机构编号")
    consequence = serializers.CharField(required=False, allow_blank=True, default="")
    detail = serializers.CharField(required=False, allow_blank=True, default="")
    valid_from = serializers.DateField(required=False, allow_null=True, default=None)
    valid_to = serializers.DateField(required=False, allow_null=True, default=None)


class WatchDecideRequest(WarningReasonRequest):
    approve = serializers.BooleanField(help_text="true 核准，false 不予核准")


class ThresholdRequest(serializers.Serializer[Any]):
    """Levels as fractions (0.16 = 16 %); ``place`` empty for the whole pooling area, else C7 or A12."""

    pooling_area = serializers.CharField(help_text="统筹区代码")
    place = serializers.CharField(required=False, allow_blank=True, default="")
    indicator = serializers.CharField()
    kind = serializers.CharField()
    fund_type = serializers.CharField(required=False, allow_blank=True, default="")
    basis = serializers.CharField(required=False, default="absolute")
    span = serializers.CharField(required=False, default="to_date")
    above = serializers.BooleanField(required=False, default=True)
    relative = serializers.BooleanField(required=False, default=False)
    yellow = serializers.DecimalField(18, 6, required=False, allow_null=True, default=None)
    orange = serializers.DecimalField(18, 6, required=False, allow_null=True, default=None)
    red = serializers.DecimalField(18, 6, required=False, allow_null=True, default=None)
    min_volume = serializers.DecimalField(18, 2, required=False, default=Decimal(0))
    clause = serializers.CharField(required=False, allow_blank=True, default="")
    valid_from = serializers.DateField(required=False, allow_null=True, default=None)
    valid_to = serializers.DateField(required=False, allow_null=True, default=None)
    note = serializers.CharField(required=False, allow_blank=True, default="")


class ThresholdApproveRequest(WarningReasonRequest):
    everywhere_ok = serializers.BooleanField(required=False, default=False, help_text="对所有地方都会预警时仍要启用")


class ThresholdBreachSerializer(serializers.Serializer[Any]):
    place = serializers.CharField()
    name = serializers.CharField()
    fund_type = serializers.CharField()
    value = serializers.DecimalField(20, 6, allow_null=True)
    compared = serializers.DecimalField(20, 6, allow_null=True)
    level = serializers.CharField()


class ThresholdPreviewSerializer(serializers.Serializer[Any]):
    places = serializers.IntegerField()
    judged = serializers.IntegerField()
    everywhere = serializers.BooleanField()
    text = serializers.CharField()
    breaches = ThresholdBreachSerializer(many=True)
