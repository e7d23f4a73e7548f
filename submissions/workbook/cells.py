"""What one typed cell means: forgiving where the meaning is certain, never guessing.

Pure: takes what stood in the cell, gives the value kept inside (yuan or number), a note when it was read differently
from how it was typed, or a finding's code with words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from rules.money import exact, round_fen
from submissions.declaration import MONEY_UNIT, UNITS, WHOLE_UNITS
from submissions.workbook import codes
from submissions.workbook.codes import Code

WAN = Decimal(10_000)
NOISE = Decimal("1e-9")
MOST_NOISE = Decimal("1e-6")
"""What a spreadsheet's binary numbers may carry behind the decimals a person typed: relative, and at most."""
LIMITS = {MONEY_UNIT: Decimal(10) ** 8, "number": Decimal(10) ** 10}
WHOLE_LIMIT = Decimal(10) ** 9
LONGEST_TEXT = 500

_WIDE = str.maketrans(
    {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)} | {"\u3000": " ", "\u00a0": " ", "\u2212": "-"}
)
_AMOUNT = r"(?P<amount>[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
_NUMBER = re.compile(
    rf"(?P<open>\()?\s*(?P<sign>[+-])?\s*{_AMOUNT}\s*(?P<inside>[^\s0-9(),.+-]*)\s*(?P<close>\))?\s*(?P<unit>[^\s0-9(),.+-]*)"
)
_DATE = re.compile(r"([0-9]{4})\s*[-/.年]\s*([0-9]{1,2})\s*[-/.月]\s*([0-9]{1,2})\s*日?")


@dataclass(frozen=True)
class Cell:
    """What stands in a cell. ``value`` str, int, float, Decimal, bool, date, … or None; ``percent`` as it is shown."""

    value: Any
    percent: bool = False

    @property
    def typed(self) -> str:
        """The value as text a person sees."""
        value = self.value
        if value is None:
            return ""
        if isinstance(value, bool):
            return "TRUE" if value else "FALSE"
        if isinstance(value, float):
            return str(int(value)) if value.is_integer() and abs(value) < 10**15 else repr(value)
        if isinstance(value, datetime) and value.time() == time():
            return value.date().isoformat()
        return str(value)

    @property
    def is_blank(self) -> bool:
        return self.value is None or (isinstance(self.value, str) and not self.value.translate(_WIDE).strip())


@dataclass(frozen=True)
class Reading:
    """``value`` in yuan or as a number; ``note`` what was read instead of what was typed; else ``code`` and ``text``."""

    value: Decimal | None = None
    note: str = ""
    code: Code | None = None
    text: str = ""


def read_number(cell: Cell, unit: str, *, required: bool = False, nonnegative: bool = True) -> Reading:
    """The number in a cell of this unit (a key of ``UNITS``)."""
    if cell.is_blank:
        return Reading(code=codes.BLANK, text="此格必填，现为空。") if required else Reading()
    if isinstance(cell.value, bool):
        return Reading(code=codes.NO_NUMBER, text=f"“{cell.typed}”是逻辑值，不是数字。")
    if isinstance(cell.value, (date, time, timedelta)):
        return Reading(code=codes.DATE, text=f"“{cell.typed}”是日期或时间，不是数字。")
    if isinstance(cell.value, str):
        amount = _from_text(cell.value, unit)
        if isinstance(amount, Reading):
            return amount
    else:
        if cell.percent and unit != "percent":
            return Reading(
                code=codes.UNIT, text=f"单元格是百分数格式（存的是 {cell.typed}），本格单位是{_unit(unit)}。"
            )
        amount = Decimal(repr(cell.value)) if isinstance(cell.value, float) else Decimal(cell.value)
    noise = max(NOISE, min(NOISE * abs(amount), MOST_NOISE)) if isinstance(cell.value, (float, Decimal)) else Decimal(0)
    checked = _checked(amount, noise, unit, cell.typed, nonnegative)
    if checked.value is not None and isinstance(cell.value, str) and cell.value != str(amount):
        return Reading(checked.value, note=f"“{cell.value}” 读作 {shown(checked.value, unit)}")
    return checked


def shown(value: Decimal, unit: str) -> str:
    """A kept value as the sheet shows it: 万元 with two decimals, counts whole, both with thousands separators."""
    if unit == MONEY_UNIT:
        return f"{value / WAN:,.2f}"
    if unit in WHOLE_UNITS:
        return f"{value:,.0f}"
    return f"{value:,.2f}" if unit in ("yuan", "percent") else f"{value:,.4f}"


def read_text(cell: Cell) -> str:
    """Words as typed, blanks around cut off; a number or a date becomes its text."""
    return "".join(sign for sign in cell.typed if sign in "\n\t" or sign.isprintable() or sign == "\u3000").strip()


def read_date(cell: Cell) -> str | None:
    """The day in ISO form; '' where the cell is blank, None where it is no day for certain."""
    if cell.is_blank:
        return ""
    if isinstance(cell.value, datetime):
        return cell.value.date().isoformat()
    if isinstance(cell.value, date):
        return cell.value.isoformat()
    match = _DATE.fullmatch(cell.value.translate(_WIDE).strip()) if isinstance(cell.value, str) else None
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3])).isoformat()
    except ValueError:
        return None


def _from_text(typed: str, unit: str) -> Decimal | Reading:
    text = typed.translate(_WIDE).strip()
    match = _NUMBER.fullmatch(text)
    if match is None:
        return _no_number(typed, text)
    brackets, sign = (match["open"] is not None, match["close"] is not None), match["sign"]
    suffixes = [suffix for suffix in (match["inside"], match["unit"]) if suffix]
    if brackets[0] != brackets[1] or (brackets[0] and sign) or len(suffixes) > 1:
        return Reading(code=codes.NO_NUMBER, text=f"“{typed}”不能确定是哪个数。")
    if suffixes and suffixes[0] != UNITS[unit]:
        return _other_unit(typed, suffixes[0], unit)
    amount = Decimal(match["amount"].replace(",", ""))
    return -amount if brackets[0] or sign == "-" else amount


def _no_number(typed: str, text: str) -> Reading:
    if _DATE.fullmatch(text):
        return Reading(code=codes.DATE, text=f"“{typed}”是日期，不是数字。")
    return Reading(code=codes.NO_NUMBER, text=f"“{typed}”是文字，不能确定是哪个数。")


def _other_unit(typed: str, suffix: str, unit: str) -> Reading:
    known = suffix in (*UNITS.values(), "万", "亿元", "千元", "人数", "天", "次", "‰")
    if not known:
        return Reading(code=codes.NO_NUMBER, text=f"“{typed}”带有文字“{suffix}”，不能确定是哪个数。")
    return Reading(code=codes.UNIT, text=f"“{typed}”写的单位是“{suffix}”，本格单位是{_unit(unit)}。")


def _unit(unit: str) -> str:
    return f"“{UNITS[unit]}”" if UNITS[unit] else "数（没有单位）"


def _checked(amount: Decimal, noise: Decimal, unit: str, typed: str, nonnegative: bool) -> Reading:
    if not amount.is_finite() or abs(amount) >= LIMITS.get(unit, WHOLE_LIMIT):
        return Reading(code=codes.TOO_LARGE, text=f"“{typed}”过大，不是本格可能的数。")
    near = _nearest(amount, unit)
    if abs(near - amount) > noise:
        if unit in WHOLE_UNITS:
            return Reading(code=codes.FRACTION, text=f"“{typed}”有小数，本格按{UNITS[unit]}计，须为整数。")
        places = 4 if unit == "number" else 2
        return Reading(code=codes.DECIMALS, text=f"“{typed}”超过 {places} 位小数。")
    if nonnegative and near < 0:
        return Reading(code=codes.NEGATIVE, text=f"“{typed}”是负数，本格不能为负。")
    value = exact(near * WAN) if unit == MONEY_UNIT else near
    return Reading(value if value else abs(value))


def _nearest(amount: Decimal, unit: str) -> Decimal:
    """The nearest number with as many decimals as the unit allows: none, two or four."""
    if unit in WHOLE_UNITS:
        return (round_fen(amount / 100) * 100).to_integral_value()
    return round_fen(amount * 100) / 100 if unit == "number" else round_fen(amount)
