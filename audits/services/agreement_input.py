"""What is typed for an agreement: every fault at once, and the rows that are kept of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils import timezone

from audits.reading.agreement_terms import Terms
from audits.services.deciding import text_problems
from core.errors import Problem
from core.models import Institution
from rules.trace import text_of

TERM, ROWS, NAME = 2000, 500, 80
CODE = re.compile(r"[A-Za-z0-9]{4,40}")
SPLIT = re.compile(r"[,，\t]")
MOST = Decimal(1_000_000)


def entry_problems(institution: Institution, wanted: Mapping[str, Any], asked: Terms) -> list[Problem]:
    """Everything wrong with an application, field by field."""
    return [
        *_span_problems(wanted), *_term_problems(wanted.get("terms") or {}, asked),
        *_indicator_problems(wanted.get("indicators") or {}, asked), *limit_rows(str(wanted.get("limits") or ""))[1],
        *_listed_problems(institution, wanted, asked),
    ]  # fmt: skip


def agreed(
    wanted: Mapping[str, Any], asked: Terms
) -> tuple[list[dict[str, str]], list[dict[str, str]], list[dict[str, str]]]:
    """The checked input as rows of terms, indicators and payment limits."""
    texts, targets = wanted["terms"], wanted["indicators"]
    terms = [{"key": one.key, "label": one.label, "text": str(texts[one.key]).strip(), "clause": one.clause} for one in asked.terms]
    indicators = [
        {"key": one.key, "label": one.label, "target": text_of(Decimal(targets[one.key])), "unit": one.unit, "clause": one.clause}
        for one in asked.indicators
    ]
    return terms, indicators, limit_rows(str(wanted.get("limits") or ""))[0]


def limit_rows(text: str) -> tuple[list[dict[str, str]], list[Problem]]:
    """Lines of code, name, unit, limit in yuan (R-086) as rows, and what is wrong with each line."""
    rows: list[dict[str, str]] = []
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if len(lines) > ROWS:
        problems.append(Problem("limits", str(len(lines)), f"支付限额有 {len(lines)} 行，最多 {ROWS} 行。", "请只列非招标药品。"))
    for number, line in lines[:ROWS]:
        parts = [part.strip() for part in SPLIT.split(line)]
        if len(parts) != 4 or not all(parts):
            text = f"支付限额第 {number} 行应有四项，现有 {len([part for part in parts if part])} 项。"
            problems.append(Problem("limits", line[:40], text, "请按“医保编码，名称，单位，限额（元）”填写。"))
            continue
        code, name, unit, limit = parts
        if not CODE.fullmatch(code):
            problems.append(Problem("limits", code, f"支付限额第 {number} 行的编码“{code}”无效。", "请填 4–40 位字母和数字。"))
        elif code in seen:
            text = f"支付限额第 {number} 行的编码“{code}”与第 {seen[code]} 行重复。"
            problems.append(Problem("limits", code, text, "请删去一行。"))
        seen.setdefault(code, number)
        problems += text_problems("limits", f"第 {number} 行的名称", name, NAME)
        amount = _number(limit)
        if amount is None or not 0 < amount <= MOST or -amount.normalize().as_tuple().exponent > 4:  # type: ignore[operator]
            text = f"支付限额第 {number} 行的限额“{limit}”无效。"
            problems.append(Problem("limits", limit, text, "请填大于 0 的数字，单位为元，最多四位小数。"))
        else:
            rows.append({"code": code, "name": name, "unit": unit, "limit": text_of(amount)})
    return rows, problems


def _span_problems(wanted: Mapping[str, Any]) -> list[Problem]:
    problems: list[Problem] = []
    today = timezone.localdate()
    year, since, until = wanted.get("year"), wanted.get("valid_from"), wanted.get("valid_to")
    if year is None or abs(year - today.year) > 1:
        text = "没有填写年度。" if year is None else f"年度 {year} 不是今年、去年或者明年。"
        problems.append(Problem("year", str(year or ""), text, "请填协议的年度。"))
    for name, label, given in (("valid_from", "起始日期", since), ("valid_to", "期满日期", until)):
        if given is None:
            problems.append(Problem(name, "", f"没有填写{label}。", "请填写日期。"))
        elif year is not None and given.year != year:
            problems.append(Problem(name, str(given), f"{label} {given} 不在 {year} 年度内。", "协议一年一签，请改正。"))
    if since is not None and until is not None and until < since:
        problems.append(Problem("valid_to", str(until), f"期满日期 {until} 早于起始日期 {since}。", "请改正日期。"))
    if isinstance(until, date) and until < today:
        problems.append(Problem("valid_to", str(until), f"期满日期 {until} 已过，不能签订已到期的协议。", "请改正日期。"))
    return problems


def _term_problems(given: Mapping[str, Any], asked: Terms) -> list[Problem]:
    known = {one.key for one in asked.terms}
    problems = [
        Problem("terms", key, f"该机构的协议没有“{key}”这一条款。", f"条款版本 {asked.key}，请核对。")
        for key in given if key not in known
    ]  # fmt: skip
    for one in asked.terms:
        problems += text_problems(f"term_{one.key}", f"条款“{one.label}”", str(given.get(one.key) or ""), TERM)
    return problems


def _indicator_problems(given: Mapping[str, Any], asked: Terms) -> list[Problem]:
    known = {one.key for one in asked.indicators}
    problems = [
        Problem("indicators", key, f"该机构的协议没有“{key}”这一指标。", f"条款版本 {asked.key}，请核对。")
        for key in given if key not in known
    ]  # fmt: skip
    for one in asked.indicators:
        value = _number(given.get(one.key))
        span = f"{text_of(one.lower)} 至 {text_of(one.upper)} {one.unit}"
        if value is None:
            typed = str(given.get(one.key) or "")
            text = f"指标“{one.label}”的目标值“{typed}”不是数字。" if typed else f"没有填写指标“{one.label}”的目标值。"
            problems.append(Problem(f"indicator_{one.key}", typed, text, f"请填 {span}。"))
        elif not one.lower <= value <= one.upper:
            text = f"指标“{one.label}”的目标值 {text_of(value)} 超出范围。"
            problems.append(Problem(f"indicator_{one.key}", text_of(value), text, f"请填 {span}。"))
    return problems


def _listed_problems(institution: Institution, wanted: Mapping[str, Any], asked: Terms) -> list[Problem]:
    if wanted.get("listed_disease") and not any(one.key == "listed_disease" for one in asked.terms):
        text = f"{institution}是{institution.get_kind_display()}，不开通门诊规定病种结算。"
        return [Problem("listed_disease", "是", text, "请取消勾选。")]
    return []


def _number(given: Any) -> Decimal | None:
    try:
        value = Decimal(str(given).strip())
    except InvalidOperation:
        return None
    return value if value.is_finite() else None
