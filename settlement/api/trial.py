"""``POST /api/v1/share/``: 试算 over the API. Stores nothing."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import given_by
from rules.scheme import scheme_names
from settlement.api.asking import MONEY
from settlement.trial import share_trial


class ShareRequest(serializers.Serializer[Any]):
    scheme = serializers.ChoiceField(choices=[(name, name) for name in scheme_names()])
    package = serializers.DecimalField(**MONEY)
    charged = serializers.DecimalField(**MONEY)
    reasonable = serializers.DecimalField(required=False, allow_null=True, default=None, **MONEY)
    score = serializers.DecimalField(required=False, allow_null=True, default=None, max_digits=5, decimal_places=2)


class TierAnswer(serializers.Serializer[Any]):
    label = serializers.CharField()  # type: ignore[assignment]
    lower = serializers.CharField()
    upper = serializers.CharField(allow_null=True)
    amount = serializers.CharField()
    rate = serializers.CharField()
    shared = serializers.CharField()
    rest = serializers.CharField()
    clause = serializers.CharField()
    status = serializers.CharField()


class ShareAnswer(serializers.Serializer[Any]):
    """The main figures; amounts in yuan as strings. The answer holds the whole trace as well."""

    scheme = serializers.CharField()
    outcome = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    difference = serializers.CharField()
    fund_bears = serializers.CharField()
    alliance_bears = serializers.CharField()
    alliance_keeps = serializers.CharField()
    returned_to_fund = serializers.CharField()
    factor = serializers.CharField()
    retained_paid = serializers.CharField()
    forfeited = serializers.CharField()
    tiers = TierAnswer(many=True)
    unconfirmed = serializers.ListField(child=serializers.CharField())
    trace = serializers.ListField(child=serializers.DictField())


class ShareViewSet(viewsets.ViewSet):
    """试算: open to everybody who is signed in."""

    @extend_schema(request=ShareRequest, responses=ShareAnswer)
    def create(self, request: Request) -> Response:
        given = given_by(ShareRequest, request)
        trial = share_trial(
            given["scheme"], given["package"], given["charged"], given["reasonable"], given["score"]
        )
        return Response(trial.as_json())
