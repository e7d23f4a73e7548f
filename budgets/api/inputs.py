"""What the API of budgets has in common: exact amounts, the typed input, the person."""

from __future__ import annotations

from typing import Any, cast

from rest_framework import serializers
from rest_framework.request import Request

from core.models import User


def yuan(**given: Any) -> serializers.DecimalField:
    """An amount in yuan with two decimals, sent as text."""
    return serializers.DecimalField(max_digits=17, decimal_places=2, **given)


def ratio(**given: Any) -> serializers.DecimalField:
    """A ratio with six decimals (0.042 for 4.2 %)."""
    return serializers.DecimalField(max_digits=9, decimal_places=6, **given)


class PackageReasonSerializer(serializers.Serializer[Any]):
    """Why something is sent back, withdrawn or opened again."""

    reason = serializers.CharField(allow_blank=True, default="")


def typed(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The input as the serializer reads it; what is wrong with it answers 400."""
    asked = serializer(data=request.data)
    asked.is_valid(raise_exception=True)
    return cast(dict[str, Any], asked.validated_data)


def person(request: Request) -> User:
    return cast(User, request.user)
