"""The yuan of a case: parts add up to the whole, receipts never exceed what is owed, nothing goes below zero."""

import tomllib
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.audit_money import AuditMoneyError, Receivable, allocate_receipt, position, split
from rules.money import from_fen
from tests.rules.golden_cases import GOLDEN

CASES = tomllib.loads((GOLDEN / "audit_money.toml").read_text(encoding="utf-8"))
YUAN = st.integers(1, 10**11).map(from_fen)
LINES = st.lists(
    st.tuples(st.integers(2023, 2026), st.sampled_from(["EMP", "RES"]), YUAN, st.booleans()), min_size=1, max_size=12
)
OWED = st.lists(
    st.tuples(st.dates(date(2025, 1, 1), date(2026, 12, 31)), st.integers(0, 10**9).map(from_fen)),
    min_size=1,
    max_size=8,
)


@pytest.mark.parametrize("row", CASES["split"], ids=lambda row: row["id"].split()[0])
def test_a_golden_case_is_refused_or_recovered_by_year(row):
    lines = [(year, fund, Decimal(amount), own) for year, fund, amount, own in row["lines"]]
    final = [tuple(year) if isinstance(year, list) else year for year in row["final"]]
    found = split(lines, final, row.get("own", True))
    assert [list(part) for part in found.parts] == [
        [kind, year, fund, Decimal(amount)] for kind, year, fund, amount in row["parts"]
    ]
    assert list(found.trace)[-1].value == found.total


@pytest.mark.parametrize("row", CASES["receipt"], ids=lambda row: row["id"].split()[0])
def test_a_golden_receipt_pays_the_oldest_first(row):
    owed = [Receivable(key, since, Decimal(amount)) for key, since, amount in row["receivables"]]
    paid = allocate_receipt(owed, Decimal(row["amount"]))
    assert [list(part) for part in paid] == [[key, Decimal(amount)] for key, amount in row["paid"]]


@pytest.mark.parametrize("row", CASES["position"], ids=lambda row: row["outstanding"])
def test_a_golden_position_leaves_what_is_outstanding(row):
    amounts = [Decimal(row[name]) for name in ("decided", "refused", "repaid", "deducted")]
    assert position(*amounts) == Decimal(row["outstanding"])


@given(LINES, st.sets(st.integers(2023, 2026)), st.booleans())
def test_the_parts_of_a_case_add_up_to_the_whole(lines, final, own):
    found = split(lines, final, own)
    assert sum(part.amount for part in found.parts) == found.total == sum(line[2] for line in lines)
    assert found.refused + found.recovery == found.total
    assert len({part[:3] for part in found.parts}) == len(found.parts)
    assert not [part for part in found.parts if part.kind == "refused" and (part.year in final or not own)]
    meant = sum(amount for year, _fund, amount, inside in lines if own and inside and year not in final)
    assert found.refused == meant


@given(OWED, st.integers(1, 10**10).map(from_fen))
def test_a_receipt_is_used_up_oldest_first_or_refused(rows, amount):
    owed = [Receivable(str(number), since, left) for number, (since, left) in enumerate(rows)]
    total = sum(one.outstanding for one in owed)
    if amount > total:
        with pytest.raises(AuditMoneyError, match=f"多出 {amount - total:,f} 元"):
            allocate_receipt(owed, amount)
        return
    paid = dict(allocate_receipt(owed, amount))
    assert sum(paid.values()) == amount
    in_order = sorted(owed, key=lambda one: (one.since, one.key))
    left = [one.outstanding - paid.get(one.key, Decimal(0)) for one in in_order]
    first_open = next((number for number, rest in enumerate(left) if rest), len(left))
    assert all(rest >= 0 for rest in left)
    assert not [one for one in in_order[first_open + 1 :] if one.key in paid]


@given(*[st.integers(0, 10**9).map(from_fen)] * 4)
def test_decided_is_always_refused_repaid_deducted_and_outstanding(decided, refused, repaid, deducted):
    if refused + repaid + deducted > decided:
        with pytest.raises(AuditMoneyError, match="合计超过决定金额"):
            position(decided, refused, repaid, deducted)
        return
    outstanding = position(decided, refused, repaid, deducted)
    assert outstanding >= 0
    assert decided == refused + repaid + deducted + outstanding


def test_every_line_that_is_no_amount_is_named():
    with pytest.raises(AuditMoneyError) as error:
        split(
            [(2026, "EMP", Decimal(0), True), (2026, "EMP", Decimal(1), True), (2026, "EMP", Decimal("-2"), True)], []
        )
    assert [problem.field for problem in error.value.problems] == ["第1行金额", "第3行金额"]
    with pytest.raises(AuditMoneyError, match="没有可以拒付或追回的明细"):
        split([], [2025])


def test_a_receivable_listed_twice_is_refused_with_the_amounts():
    owed = [Receivable("A", date(2026, 1, 1), Decimal(5)), Receivable("A", date(2026, 1, 2), Decimal(5))]
    with pytest.raises(AuditMoneyError) as error:
        allocate_receipt(owed, Decimal("10.01"))
    assert "“A”重复列出" in str(error.value)
    assert "收款 10.01 元大于尚欠 10.00 元，多出 0.01 元" in str(error.value)
