"""What every act of the API may be told, and reading it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

MONEY: dict[str, Any] = {"max_digits": 17, "decimal_places": 2}


class ReasonRequest(serializers.Serializer[Any]):
    reason = serializers.CharField(required=False, allow_blank=True, default="")
    computation = serializers.IntegerField(required=False, allow_null=True, default=None, help_text="所见计算的编号")
