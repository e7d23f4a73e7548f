"""Money over the API: yuan with two decimals as text, whatever the column stores."""

from decimal import Decimal

from rest_framework import serializers

import core.api  # noqa: F401 - registers the field
from ledger.models import Line


class LineSerializer(serializers.ModelSerializer):
    class Meta:
        model = Line
        fields = ["amount"]


def test_a_money_field_keeps_its_fen_over_the_api():
    assert LineSerializer(Line(amount=Decimal("207000000.01"))).data == {"amount": "207000000.01"}


def test_a_third_decimal_is_refused_at_the_door():
    asked = LineSerializer(data={"amount": "1.001"})
    assert not asked.is_valid() and "amount" in asked.errors
