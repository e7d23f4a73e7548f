"""Money in the database: whole fen, exact sums, and no float anywhere near."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import F, Sum

from core.fields import MoneyField
from ledger.accounts import Account
from ledger.models import Line
from ledger.services import book_of, post
from tests.ledger.books import PAID_ON, paying

FIELD = MoneyField("金额")


def written(world, *amounts):
    book = book_of(world.area, "RES")
    for number, amount in enumerate(amounts):
        lines = paying(world.alliance, Decimal(amount))
        post(world.finance, book, key=f"k{number}", on=PAID_ON, lines=lines, memo="拨付")
    return Line.objects.filter(account=Account.TEMPORARY_PAYMENTS).order_by("pk")


def test_yuan_go_in_and_come_out_with_two_decimals(world):
    line = written(world, "14327160.5").get()
    assert str(line.amount) == "14327160.50"


def test_the_database_holds_whole_fen(world):
    written(world, "14327160.52")
    with connection.cursor() as cursor:
        cursor.execute("SELECT MAX(amount) FROM ledger_line")
        assert cursor.fetchone()[0] == 1432716052


def test_a_thousand_sums_of_ten_fen_make_a_hundred_yuan(world):
    lines = written(world, *["0.10"] * 50)
    assert lines.aggregate(total=Sum("amount"))["total"] == Decimal("5.00")


def test_sums_and_comparisons_stay_exact_at_the_far_end(world):
    lines = written(world, "90071992547409.93", "0.01")
    assert lines.aggregate(total=Sum("amount"))["total"] == Decimal("90071992547409.94")
    assert lines.filter(amount__gt=Decimal("90071992547409.92")).count() == 1
    assert lines.filter(amount=Decimal("0.01")).count() == 1
    assert lines.filter(amount__in=[Decimal("0.01"), Decimal("0.02")]).count() == 1


def test_an_empty_sum_is_none_and_never_zero(world):
    assert Line.objects.aggregate(total=Sum("amount"))["total"] is None


def test_a_column_can_be_compared_with_another(world):
    assert written(world, "1.00").filter(amount=F("amount")).count() == 1


@pytest.mark.parametrize("value", [1.5, True, "abc", "1.005", "NaN", Decimal("Infinity"), Decimal("0.001")])
def test_what_is_no_exact_amount_is_refused(value):
    with pytest.raises(ValidationError):
        FIELD.to_python(value)
    with pytest.raises(ValidationError):
        FIELD.get_prep_value(value)


@pytest.mark.parametrize(
    ("value", "yuan"), [("1,234.50", "1234.50"), (" 7 ", "7"), (5, "5"), (Decimal("0.01"), "0.01")]
)
def test_what_people_type_is_understood(value, yuan):
    assert FIELD.to_python(value) == Decimal(yuan)


def test_blank_is_not_zero():
    assert FIELD.to_python("") is None
    assert FIELD.get_prep_value(None) is None
    assert FIELD.from_db_value(None, None, connection) is None


def test_the_form_field_takes_two_decimals_and_no_more():
    field = FIELD.formfield()
    assert field.clean("1234.56") == Decimal("1234.56")
    with pytest.raises(ValidationError):
        field.clean("1234.567")


def test_an_amount_is_serialised_as_text(world):
    line = written(world, "0.30").get()
    assert Line._meta.get_field("amount").value_to_string(line) == "0.30"
