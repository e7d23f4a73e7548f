"""Money columns: Decimal yuan in Python, integer fen in the database.

SQLite keeps DECIMAL as REAL and loses fen from sixteen digits on; integers are exact on both databases and
``Sum`` over them stays exact too. Averages and products are computed in Python, never in SQL.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.expressions import Combinable

from rules.money import from_fen, to_fen


class MoneyField(models.BigIntegerField):  # type: ignore[type-arg]
    """Decimal yuan with at most two decimals; refuses float, NaN and a third decimal (``ValidationError``)."""

    description = "Money in yuan, stored as integer fen"

    # what django-stubs takes the attribute of a model instance for
    _pyi_private_set_type: Decimal | int | str | Combinable  # type: ignore[assignment]
    _pyi_private_get_type: Decimal  # type: ignore[assignment]
    _pyi_lookup_exact_type: Decimal | int  # type: ignore[assignment]

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Decimal | None:
        return None if value is None else from_fen(int(value))

    def to_python(self, value: Any) -> Decimal | None:
        if value is None or value == "":
            return None
        return _as_yuan(value)

    def get_prep_value(self, value: Any) -> int | None:
        if value is None:
            return None
        if hasattr(value, "resolve_expression"):
            return value  # type: ignore[no-any-return]
        return to_fen(_as_yuan(value))

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if hasattr(value, "as_sql"):
            return value
        return self.get_prep_value(value)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return value if prepared else self.get_prep_value(value)

    def value_to_string(self, obj: models.Model) -> str:
        value = self.value_from_object(obj)
        return "" if value is None else str(value)

    def formfield(self, **kwargs: Any) -> Any:
        kwargs.setdefault("max_digits", 17)
        kwargs.setdefault("decimal_places", 2)
        kwargs["form_class"] = forms.DecimalField
        kwargs.pop("min_value", None)
        kwargs.pop("max_value", None)
        return models.Field.formfield(self, **kwargs)

    @property
    def validators(self) -> list[Any]:
        return []


def _as_yuan(value: Any) -> Decimal:
    if isinstance(value, bool | float):
        raise ValidationError("金额不能用浮点数表示，请使用小数字符串。")
    try:
        yuan = value if isinstance(value, Decimal) else Decimal(str(value).replace(",", "").strip())
        to_fen(yuan)
    except (ValueError, ArithmeticError) as error:
        raise ValidationError(f"“{value}”不是有效金额：须为数字，最多两位小数。") from error
    return yuan
