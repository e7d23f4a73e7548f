"""What every document takes from the rows of its case: party, officers, findings with their yuan, days to act in.

Persons appear only by pseudonym. A figure not yet checked against official text is noted for the officer, never printed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone

from audits.models import Case, CaseDocument, CaseOfficer, Measure, PartyKind, Referral, Track
from audits.parameters import limit_at
from audits.reading.findings import Sums, sums
from audits.states import TrackKind
from core.models import FundType
from core.templatetags.fund import day, yuan
from core.trail import head_hash
from core.working_days import is_working_day
from rules.procedure import UNITS, due_on

Section = dict[str, Any]
BLANK = "—"
AFTER_SERVICE = frozenset({"fine_payment", "repayment", "review_application", "lawsuit"})
"""Limits that begin when the decision is served; the others begin when the notice is."""


@dataclass
class Facts:
    """A document being written. ``notes`` collects what the officer must know and the paper does not say."""

    case: Case
    track: Track | None = None
    measure: Measure | None = None
    referral: Referral | None = None
    serves: CaseDocument | None = None
    on: date = field(default_factory=timezone.localdate)
    notes: list[str] = field(default_factory=list)
    _sums: Sums | None = None

    @property
    def sums(self) -> Sums:
        """The findings with their yuan, read once."""
        if self._sums is None:
            self._sums = sums(self.case)
        return self._sums

    @property
    def bureau(self) -> str:
        return f"{self.case.county}医疗保障局"

    @property
    def agency(self) -> str:
        """Who handles the agreement: the agency, not the bureau."""
        return f"{self.case.county}医疗保障经办机构"

    @property
    def party(self) -> str:
        """How the party is addressed; a person by pseudonym only."""
        case = self.case
        if case.party_kind == PartyKind.PERSON:
            return f"参保人员（化名编码 {case.party_code or BLANK}）"
        return str(case.party_name)

    @property
    def trail_head(self) -> str:
        return head_hash(self.case.at)

    def officers(self) -> list[CaseOfficer]:
        return list(self.case.officers.filter(until__isnull=True).select_related("user"))

    def signed_officers(self) -> str:
        return "、".join(f"{one.user}（执法证号 {one.card}）" for one in self.officers()) or BLANK

    def days(self, key: str) -> str:
        """A limit in words with its last day: ``5 个工作日内（至 2026年12月1日）``; an unconfirmed one is noted."""
        limit = limit_at(key, self.case.county, self.on)
        words = f"{limit.count} {UNITS[limit.unit]}"
        if not limit.source.confirmed:
            self.notes.append(f"期限“{limit.label}”{words}待核实（{limit.source.basis}），送达前请核对。")
        return f"{words}内（至{day(self._last_day(key, limit.count, limit.unit))}）"

    def _last_day(self, key: str, count: int, unit: str) -> date:
        """The running limit's own last day where it has begun, else counted from the day of service or today."""
        track = self.track
        running = track.deadlines.filter(key=key, ended_on__isnull=True).last() if track else None
        if running is not None:
            last: date = running.last_day
            return last
        begun = (track.served_on if key in AFTER_SERVICE else track.notified_on) if track else None
        return due_on(begun or self.on, count, unit, is_working_day)


def section(
    title: str = "", sentences: Any = (), pairs: Any = (), tables: Any = ()
) -> Section:
    """One part of a document as it is frozen: paragraphs, label-text pairs, tables."""
    return {
        "title": title,
        "sentences": [text for text in sentences if text],
        "pairs": [{"label": label, "text": text or BLANK} for label, text in pairs],
        "tables": list(tables),
    }


def table(head: str, columns: Any, rows: Any) -> dict[str, Any]:
    """``rows`` are sequences of texts, the first cell the line's label."""
    return {"head": head, "columns": list(columns), "rows": [{"label": row[0], "cells": list(row[1:])} for row in rows]}


def money(amount: Decimal | None) -> str:
    return f"{yuan(amount)} 元"


def ended(text: str) -> str:
    """The text as a sentence: with its full stop, where it has any words."""
    words = text.strip()
    return words if not words or words[-1] in "。！？；" else f"{words}。"


def span(first: date, last: date) -> str:
    return f"{day(first)}至{day(last)}"


def by_fund(resident: Decimal, employee: Decimal) -> str:
    """居民 1.00 元、职工 2.00 元: only the fund types that have any."""
    parts = [f"{label} {money(amount)}" for label, amount in ((_label("RES"), resident), (_label("EMP"), employee)) if amount]
    return "、".join(parts) or "不涉及基金金额"


def _label(fund: str) -> str:
    return f"{FundType(fund).label}基金"


def findings_section(facts: Facts, title: str = "违规事实和依据") -> Section:
    """Every finding that stands: what, when, under which clause, how many claims and how much per fund type."""
    held = facts.sums
    said = [
        f"{number}. {row.act_text}（{span(row.finding.acted_from, row.finding.acted_to)}）：{ended(row.finding.text)}"
        f"违反{row.finding.clause}。"
        for number, row in enumerate(held.kept, start=1)
    ]  # fmt: skip
    rows = [
        [str(number), row.act_text, str(row.lines), yuan(row.resident), yuan(row.employee), yuan(row.total)]
        for number, row in enumerate(held.kept, start=1)
    ]  # fmt: skip
    if facts.track is not None and facts.track.kind == TrackKind.PENALTY and held.spared:
        said.append(f"上述金额中 {money(held.spared)}不计入行政处罚的计算。")
    rows.append(["合计", "", str(held.lines), yuan(held.resident), yuan(held.employee), yuan(held.total)])
    tables = [table("序号", ["违规行为", "结算记录（条）", "居民基金（元）", "职工基金（元）", "合计（元）"], rows)] if held.kept else []
    return section(title, said or ["没有认定违规事实。"], tables=tables)


def evidence_section(facts: Facts) -> Section:
    """The evidence in short: number, kind, name; what third parties gave by its kind only, as the party reads this.

    The list with hashes is a document of its own.
    """
    rows = facts.case.evidence.exclude(notes__kind="withdrawn").order_by("number")
    names = [
        f"{row.number}. {row.get_kind_display()}{'' if row.third_party else f'“{row.name}”'}（{day(row.collected_on)}取得）"
        for row in rows
    ]
    return section("证据", ["以上事实有下列证据证明：" + "；".join(names) + "。"] if names else [])
