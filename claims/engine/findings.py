"""What a check has to say: counts per code, the first rows of each, months touched, files written."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from claims.engine.codes import CATALOGUE, Code
from claims.engine.columns import MONEY, Matched, title
from claims.engine.lake import LakeFile
from claims.engine.pseudonyms import SHORTEST_REPLACED
from claims.engine.reference import OUTFLOW_KINDS, REFERRALS, YES_NO, MutualAid
from claims.engine.refusals import Refusal
from claims.engine.rules import REQUIRED_MONEY, used_positions
from rules.money import from_fen

ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Issue:
    """One faulty place: line, header and value as the file has them (person identifiers replaced)."""

    line: int
    code: str
    column: str
    value: str
    settlement_id: str
    text: str
    remedy: str


@dataclass(frozen=True)
class CodeFindings:
    """All rows of one code: their number, their total cost in yuan, and the first of them."""

    code: Code
    rows: int
    total_cost: Decimal
    issues: tuple[Issue, ...]


@dataclass(frozen=True)
class MonthTouched:
    """Accepted rows of one county and month. Yuan."""

    county: str
    month: str
    rows: int
    late: int
    total_cost: Decimal
    pooled_fund_paid: Decimal


@dataclass(frozen=True)
class MutualAidFinding:
    """Which reading of 个人账户共济支出 was used and what the other one would have given."""

    used: MutualAid
    chosen_by_file: bool
    unbalanced: int
    other_would_balance: int

    @property
    def text(self) -> str:
        how = "按文件判定" if self.chosen_by_file else "按统筹区设置"
        sentence = f"个人账户共济支出{how}：{self.used.label}；不平衡 {self.unbalanced} 行。"
        if self.other_would_balance:
            other = MutualAid.BESIDE if self.used is MutualAid.INSIDE else MutualAid.INSIDE
            sentence += f"其中 {self.other_would_balance} 行若按“{other.label}”则平衡，请核对统筹区设置。"
        return sentence


@dataclass(frozen=True)
class CheckResult:
    """The outcome of a check. With a ``refusal`` no file of good rows exists; counts are given as far as known.

    Yuan are total cost; ``rejected_unknown`` rows have no readable amount and are not in the rejected yuan.
    """

    refusal: Refusal | None = None
    kind: str = ""
    encoding: str = ""
    unused_headers: tuple[str, ...] = ()
    rows: int = 0
    good: int = 0
    rejected: int = 0
    identical: int = 0
    late: int = 0
    total_cost: Decimal = ZERO
    good_cost: Decimal = ZERO
    rejected_cost: Decimal = ZERO
    rejected_pooled: Decimal = ZERO
    rejected_unknown: int = 0
    findings: tuple[CodeFindings, ...] = ()
    months: tuple[MonthTouched, ...] = ()
    files: tuple[LakeFile, ...] = ()
    rejects: LakeFile | None = None
    mutual_aid: MutualAidFinding | None = None
    notes: tuple[str, ...] = field(default_factory=tuple)

    @property
    def accepted(self) -> bool:
        return self.refusal is None

    def count(self, code: str) -> int:
        """Rows found by a code."""
        return next((entry.rows for entry in self.findings if entry.code.code == code), 0)


def collect_findings(connection: Any, matched: Matched, limit: int) -> tuple[CodeFindings, ...]:
    """Every code found in table ``faulty``, with its first ``limit`` rows, in the order of the catalogue."""
    counts = ", ".join(
        f"count(*) FILTER (mask & {code.bit} <> 0), sum(total_cost) FILTER (mask & {code.bit} <> 0)"
        for code in CATALOGUE
    )
    sums = connection.execute(f"SELECT {counts} FROM faulty").fetchall()[0]
    found = []
    for index, code in enumerate(CATALOGUE):
        rows = int(sums[2 * index])
        if rows:
            cost = from_fen(int(sums[2 * index + 1] or 0))
            found.append(CodeFindings(code, rows, cost, _issues(connection, matched, code, limit)))
    return tuple(found)


def _issues(connection: Any, matched: Matched, code: Code, limit: int) -> tuple[Issue, ...]:
    rows = connection.execute(
        f"SELECT line, raw, person, pseudonym, settlement_id FROM faulty WHERE mask & {code.bit} <> 0 ORDER BY line LIMIT {limit}"
    ).fetchall()
    issues = []
    for line, raw, person, replaced, settlement in rows:
        cells = dict(zip(used_positions(matched), json.loads(raw or "[]"), strict=False))

        def safe(text: str, person: str = person, replaced: str = replaced) -> str:
            return text.replace(person, replaced) if person and len(person) >= SHORTEST_REPLACED else text

        places = _places(code, matched, cells) or [code.columns[0]]
        header = "、".join(dict.fromkeys(matched.header_of(name) for name in places))
        value = "；".join(safe(_value(matched, cells, name)) for name in places)
        issues.append(Issue(int(line), code.code, header, value, safe(settlement or ""), code.title, code.remedy))
    return tuple(issues)


def _value(matched: Matched, cells: dict[int, str | None], name: str) -> str:
    values = [cells.get(place) or "" for place in matched.sources.get(name, ())]
    return "（文件无此列）" if not values else " + ".join(value or "（空）" for value in values)


def _places(code: Code, matched: Matched, cells: dict[int, str | None]) -> list[str]:
    """The columns to show: of wide codes only the faulty ones, else all columns of the code the file has."""
    present = [name for name in code.columns if name in matched.sources]
    test = {"C21": _no_amount, "C31": _negative, "C25": _unknown_flag}.get(code.code)
    if test is None:
        return present
    return [
        name for name in present if any(test(name, (cells.get(place) or "").strip()) for place in matched.sources[name])
    ]


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _no_amount(name: str, text: str) -> bool:
    if not text:
        return name in REQUIRED_MONEY
    number = _decimal(text)
    return number is None or not number.is_finite() or abs(number) >= 10_000_000 or number != round(number, 2)


def _negative(name: str, text: str) -> bool:
    number = _decimal(text)
    return name in MONEY and number is not None and number < 0


def _unknown_flag(name: str, text: str) -> bool:
    known = {"outflow_kind": OUTFLOW_KINDS, "referral": REFERRALS, "public_health_emergency": YES_NO}[name]
    return bool(text) and text not in known


def missing_columns_text(matched: Matched) -> tuple[str, tuple[str, ...]]:
    """What a refusal for wrong columns says, and the headers that were found."""
    parts = []
    if matched.missing:
        wanted = "；".join(f"{title(c.name)}（{' / '.join(_spellings(c))}）" for c in matched.missing)
        parts.append(f"缺少 {len(matched.missing)} 个必需列：{wanted}。")
    if matched.repeated:
        parts.append(f"列名重复：{'、'.join(matched.repeated)}。")
    return "".join(parts), matched.headers


def _spellings(column: Any) -> list[str]:
    parts = [" + ".join(part.national[0] for part in column.parts)] if column.parts else []
    return [*column.whole.national[:1], *parts, column.name]
