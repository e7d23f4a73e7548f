"""The package worksheet: base, growth, cap, refusals, primary share and members."""

from decimal import Decimal
from typing import Any

import pytest

from rules.budget import (
    Basis,
    BudgetError,
    Member,
    Worksheet,
    YearPayments,
    allocate_members,
    package_problems,
    primary_share,
    require_package,
    worksheet,
)

PAYMENTS = [
    YearPayments(2022, Decimal("180000000.00"), Decimal("70000000.00")),
    YearPayments(2023, Decimal("190000000.00"), Decimal("75000000.00")),
    YearPayments(2024, Decimal("195000000.00"), Decimal("80000000.00")),
    YearPayments(2025, Decimal("200000000.00"), Decimal("85000000.00")),
]


def sheet(**changes: Any) -> Worksheet:
    inputs: dict[str, Any] = {
        "year": 2026,
        "payments": PAYMENTS,
        "revenue_budget_growth": Decimal("0.06"),
        "volume_allowance": Decimal("0.01"),
    }
    return worksheet(**(inputs | changes))


def test_both_parts_and_both_bases_are_shown() -> None:
    work = sheet()
    assert (work.base_institutions, work.base_out_of_county) == (Decimal("200000000.00"), Decimal("85000000.00"))
    assert work.last_year_base == work.base == Decimal("285000000.00")
    assert work.three_year_base == Decimal("275000000.00")


def test_growth_is_the_mean_of_three_yearly_growth_rates() -> None:
    work = sheet()
    # 265/250 − 1 = 0.06; 275/265 − 1 = 0.037736; 285/275 − 1 = 0.036364; mean 0.0447
    assert [str(growth.ratio) for growth in work.growths] == ["0.060000", "0.037736", "0.036364"]
    assert work.mean_growth == Decimal("0.044700")
    assert work.wanted_growth == Decimal("0.054700")
    # 285,000,000.00 × 1.0547 = 300,589,500.00; ceiling 285,000,000.00 × 1.06 = 302,100,000.00
    assert (work.suggested, work.ceiling, work.capped) == (Decimal("300589500.00"), Decimal("302100000.00"), False)
    assert work.warnings == ()
    assert all(step.clause for step in work.trace)


def test_growth_is_cut_at_the_revenue_budget_growth() -> None:
    work = sheet(revenue_budget_growth=Decimal("0.05"))
    assert (work.suggested, work.capped) == (Decimal("299250000.00"), True)
    assert work.applied_growth == Decimal("0.050000")
    assert "按上限计" in work.warnings[0]


def test_a_shrinking_revenue_budget_shrinks_the_package() -> None:
    assert sheet(revenue_budget_growth=Decimal("-0.02")).suggested == Decimal("279300000.00")


def test_the_mean_of_three_years_may_be_the_base() -> None:
    work = sheet(basis=Basis.THREE_YEAR_MEAN)
    assert work.base == Decimal("275000000.00")
    assert work.suggested == Decimal("290042500.00")
    with pytest.raises(BudgetError, match="不足三年"):
        sheet(basis=Basis.THREE_YEAR_MEAN, payments=PAYMENTS[2:])


def test_growth_is_compared_like_for_like_when_the_scope_changes() -> None:
    work = sheet(scope_change=Decimal("15000000.00"), revenue_budget_growth=Decimal("0.02"))
    assert work.comparable == Decimal("300000000.00")
    assert work.ceiling == Decimal("306000000.00")


def test_fewer_years_are_used_and_said() -> None:
    work = sheet(payments=PAYMENTS[2:])
    assert work.mean_growth == Decimal("0.036364")
    assert work.three_year_base is None
    assert work.warnings[0] == "只有1个年度的增幅,不足三年"


def test_a_package_from_county_revenue_is_refused_with_its_clause() -> None:
    with pytest.raises(BudgetError, match="不得以县域内的医保基金收入确定打包总额") as refused:
        sheet(basis=Basis.COUNTY_REVENUE)
    assert "§四(二)" in str(refused.value)


def test_a_package_above_the_cap_is_refused_and_one_at_the_cap_is_not() -> None:
    work = sheet()
    assert require_package(work, Decimal("302100000.00")) == work.ceiling
    (problem,) = package_problems(work, Decimal("302100000.01"))
    assert "超过上限302100000.00元" in problem.text
    assert "高于统筹区收入预算增幅6%" in problem.text
    with pytest.raises(BudgetError):
        require_package(work, Decimal("310000000.00"))
    with pytest.raises(ValueError, match="必须大于零"):
        require_package(work, Decimal("-1.00"))


def test_wrong_inputs_are_refused_together() -> None:
    with pytest.raises(BudgetError) as refused:
        sheet(
            payments=[PAYMENTS[0], PAYMENTS[3]],
            revenue_budget_growth=Decimal("NaN"),
            volume_allowance=Decimal("-0.01"),
            basis="lottery",
        )
    assert [problem.field for problem in refused.value.problems] == ["基数", "结算数据", "收入预算增幅", "服务量增幅"]


@pytest.mark.parametrize(
    ("payments", "says"),
    [
        ([], "缺少以前年度结算支付数据"),
        (PAYMENTS[:3], "并含2025年"),
        (PAYMENTS[3:], "至少需要两年"),
        ([PAYMENTS[2], YearPayments(2025, Decimal("-1.00"), Decimal("0.00"))], "2025年医共体内机构不能为负数"),
        ([YearPayments(2024, Decimal("0.00"), Decimal("0.00")), PAYMENTS[3]], "2024年结算支付总额为零"),
    ],
)
def test_payments_must_be_complete(payments: list[YearPayments], says: str) -> None:
    with pytest.raises(BudgetError, match=says):
        sheet(payments=payments)


def test_the_primary_share_is_measured_against_its_floor() -> None:
    met = primary_share(Decimal("32000000.00"), Decimal("200000000.00"), floor=Decimal("0.16"))
    assert (met.ratio, met.met, met.shortfall) == (Decimal("0.160000"), True, Decimal("0.00"))
    below = primary_share(Decimal("31999999.99"), Decimal("200000000.00"), floor=Decimal("0.16"))
    assert (below.met, below.shortfall) == (False, Decimal("0.01"))
    assert next(iter(below.trace)).expression == "基层支出 ÷ 医共体内基金支出"
    with pytest.raises(BudgetError, match="不认识的分母"):
        primary_share(Decimal("1.00"), Decimal("2.00"), floor=Decimal("0.16"), base_name="other")
    with pytest.raises(BudgetError, match="大于医共体内基金支出"):
        primary_share(Decimal("3.00"), Decimal("2.00"), floor=Decimal("0.16"))


def test_members_share_the_package_to_the_fen_and_primary_units_have_no_quota() -> None:
    members = [
        Member("H1", "县人民医院", Decimal("60"), False),
        Member("T1", "甲镇卫生院", Decimal("25"), True),
        Member("T2", "乙镇卫生院", Decimal("15.5"), True),
    ]
    allocation = allocate_members(Decimal("100000000.00"), members)
    assert sum(part.amount for part in allocation.parts) == Decimal("100000000.00")
    assert [part.amount for part in allocation.parts] == [
        Decimal("59701492.54"),
        Decimal("24875621.89"),
        Decimal("15422885.57"),
    ]
    assert [part.is_quota for part in allocation.parts] == [True, False, False]
    assert allocation.primary_total == Decimal("40298507.46")
    assert "不设总额控制" in list(allocation.trace)[1].label


def test_members_without_weights_or_twice_are_refused() -> None:
    twice = [Member("H1", "甲", Decimal("-1"), False), Member("H1", "乙", Decimal("NaN"), False)]
    with pytest.raises(BudgetError) as refused:
        allocate_members(Decimal("1.00"), twice)
    assert [problem.field for problem in refused.value.problems] == ["H1", "H1", "H1"]
    with pytest.raises(BudgetError, match="权重合计为零"):
        allocate_members(Decimal("1.00"), [])
