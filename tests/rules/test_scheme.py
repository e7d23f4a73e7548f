"""Scheme documents: cited, dated, refused with every problem at once."""

from datetime import date
from decimal import Decimal

import pytest

from rules.document import SchemeError
from rules.scheme import DEFAULT_SCHEME, Scheme, load_scheme, scheme_names, shipped_text
from rules.trace import UNCONFIRMED

TEXT = shipped_text(DEFAULT_SCHEME)


def problems_of(text: str) -> list[str]:
    with pytest.raises(SchemeError) as refused:
        Scheme.from_toml(text)
    return [problem.text for problem in refused.value.problems]


@pytest.mark.parametrize("name", scheme_names())
def test_every_parameter_of_a_shipped_scheme_has_clause_and_status(name: str) -> None:
    scheme = load_scheme(name)
    assert scheme.name == name
    for parameter in scheme.parameters():
        assert parameter.clause.strip()
        assert parameter.status in ("confirmed", UNCONFIRMED)
        assert parameter.legal_basis == scheme.legal_basis
        assert parameter.title
        assert parameter.text
        assert scheme.parameter(parameter.key) == parameter


@pytest.mark.parametrize("name", scheme_names())
def test_a_scheme_written_out_reads_back_the_same(name: str) -> None:
    scheme = load_scheme(name)
    again = Scheme.from_toml(scheme.to_toml())
    assert again == scheme
    assert again.sha256 == scheme.sha256
    assert hash(again) == hash(scheme)


def test_the_default_scheme_comes_first_and_holds_the_jiangxi_parameters() -> None:
    assert scheme_names()[0] == DEFAULT_SCHEME == "jiangxi-2022"
    scheme = load_scheme()
    assert (scheme.prepayment_cap, scheme.prepayment_step) == (Decimal("0.60"), Decimal("0.05"))
    assert (scheme.primary_share_floor, scheme.primary_share_base) == (Decimal("0.16"), "in_alliance_spending")
    assert scheme.fund_types == ("EMP", "RES")
    assert scheme.separate
    assert scheme.requires_cause_analysis
    assert scheme.valid_on(date(2022, 12, 28))
    assert not scheme.valid_on(date(2022, 12, 27))


def test_exactly_what_nobody_has_checked_is_listed_as_unconfirmed() -> None:
    keys = [parameter.key for parameter in load_scheme().unconfirmed()]
    assert keys == ["primary_share.base", "assessment.target", "overrun.O1.rate"]
    points = load_scheme("zhejiang-drg-points")
    assert len(points.unconfirmed()) == len(points.parameters())


def test_an_official_value_makes_a_new_scheme_with_its_source() -> None:
    before = load_scheme()
    after = before.with_parameter(
        "overrun.O1.rate", "0.70", clause="赣医保发〔2022〕23号 §二(三)1(正式文本)", wording="医保基金分担70%"
    )
    parameter = after.parameter("overrun.O1.rate")
    assert (parameter.value, parameter.text, parameter.status) == (Decimal("0.70"), "70%", "confirmed")
    assert parameter.wording == "医保基金分担70%"
    assert parameter.clause.endswith("(正式文本)")
    assert before.parameter("overrun.O1.rate").status == UNCONFIRMED
    assert after.sha256 != before.sha256


def test_a_parameter_may_end_a_scheme_or_be_added_with_its_clause() -> None:
    scheme = load_scheme().with_parameter("validity.to", "2027-12-31", clause="赣医保发〔2028〕1号")
    assert scheme.valid_to == date(2027, 12, 31)
    assert not scheme.valid_on(date(2028, 1, 1))
    with pytest.raises(SchemeError, match="没有写明条款"):
        load_scheme().with_parameter("validity.to", "2027-12-31")
    with pytest.raises(SchemeError, match="没有参数:surplus.bonus"):
        load_scheme().with_parameter("surplus.bonus", "1")


def test_a_bound_moves_only_together_with_its_neighbour() -> None:
    scheme = load_scheme()
    with pytest.raises(SchemeError, match="有缺口"):
        scheme.with_parameter("overrun.O1.upper", Decimal("0.04"))
    moved = scheme.with_parameters(
        {"overrun.O1.upper": (Decimal("0.04"), "confirmed"), "overrun.O2.lower": (Decimal("0.04"), "confirmed")}
    )
    assert moved.share(Decimal("100000000.00"), Decimal("105000000.00")).fund_bears == Decimal("3800000.00")


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("overrun.O1.rate", "1.01", "不能大于1"),
        ("overrun.O1.rate", "-0.1", "不能为负数"),
        ("overrun.O1.rate", "八成", "须为十进制数"),
        ("overrun.O1.rate", "0.1234567", "最多6位小数"),
        ("overrun.O1.rate", 0.8, "须为十进制数"),
        ("sharing.mode", "progressive", "须为以下之一"),
        ("scope.separate", "也许", "须为 true 或 false"),
        ("scope.fund_types", "EMP,EMP", "不重复"),
        ("validity.from", "2022年", "须为日期"),
        ("budget.reference_years", "0", "正整数"),
        ("prepayment.step", "0.61", "大于预付上限"),
        ("assessment.全额拨付.lower", "101", "须在0到100之间"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(key: str, value: str, says: str) -> None:
    with pytest.raises(SchemeError, match=says):
        load_scheme().with_parameter(key, value)


def test_an_unconfirmed_status_needs_one_of_two_words() -> None:
    with pytest.raises(SchemeError, match="confirmed 或 待核实"):
        load_scheme().with_parameter("overrun.O1.rate", "0.8", "maybe")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("upper = 0.05\n", "upper = 0.06\n", "超支侧“O1”档与“O2”档重叠(5%至6%)"),
        ("upper = 0.05\n", "upper = 0.04\n", "超支侧“O1”档与“O2”档之间有缺口(4%至5%)"),
        ("upper = 0.05\n", "upper = 0.00\n", "上限0%须大于下限0%"),
        (
            "upper = 0.05\nlower_inclusive = false\nupper_inclusive = true",
            "lower_inclusive = false",
            "没有上限,却不是最后一档",
        ),
        ("lower = 0.00\nupper = 0.05", "lower = 0.01\nupper = 0.05", "应从0%起"),
        (
            "upper = 0.05\nlower_inclusive = false\nupper_inclusive = true",
            "upper = 0.05\nlower_inclusive = false\nupper_inclusive = false",
            "不属于“O1”档和“O2”档",
        ),
        (
            "upper = 0.10\nlower_inclusive = false\nupper_inclusive = false",
            "upper = 0.10\nlower_inclusive = false\nupper_inclusive = true",
            "同时属于“P1”档和“P2”档",
        ),
        ("lower = 0.15\n", "lower = 0.15\nupper = 0.2\nupper_inclusive = true\n", "最后一档“P3”须无上限"),
        ('label = "O2"', 'label = "O1"', "“O1”重复"),
        ('label = "O2"', 'label = "带内"', "保留名称"),
        ("rate = 0.60\n", "", "缺少比例"),
        ('rate_status = "待核实"\n', "", "状态rate_status"),
        ("[validity.from]\nvalue = 2022-12-28", "[validity.to]\nvalue = 2022-12-28", "缺少参数“生效日期”"),
        ("[prepayment.cap]\nvalue = 0.60\n", "[prepayment.cap]\n", "须写明 value"),
        ("[prepayment.base]", "[prepayment.bass]", "不认识的参数:prepayment.bass"),
        ('title = "江西省', 'titel = "江西省', "缺少方案名称"),
        ('legal_basis = "赣医保发〔2022〕23号"', 'legal_basis = ""', "缺少文件依据"),
        ("factor = 1.00", "factor = 1.01", "不能大于1"),
        ("lower = 90.0", "lower = 100.0\nbonus = 1", "不认识的参数:assessment.全额拨付.bonus"),
        ("issued = 2022-12-28", 'issued = "去年"', "印发日期不是日期"),
    ],
)
def test_a_malformed_document_is_refused(old: str, new: str, says: str) -> None:
    assert TEXT.count(old) >= 1
    assert any(says in text for text in problems_of(TEXT.replace(old, new, 1)))


def test_a_document_is_refused_with_all_its_problems() -> None:
    broken = (
        TEXT.replace("upper = 0.05\n", "upper = 0.07\n")
        .replace("rate = 0.80\n", "rate = 1.80\n", 1)
        .replace('status = "confirmed"\nwording = "原则上按', 'status = "ok"\nwording = "原则上按')
        .replace("[validity.from]\nvalue = 2022-12-28", "[validity.from]\nvalue = 2022")
        .replace("lower = 0.15\n", "lower = 0.16\n")
    )
    found = "\n".join(problems_of(broken))
    for says in ("不能大于1", "“预付上限(占打包总额)”的状态", "“生效日期”须为日期", "有缺口(15%至16%)"):
        assert says in found


def test_a_scheme_without_tiers_or_without_toml_is_refused() -> None:
    assert problems_of("name = ")[0].startswith("方案文件不是有效的TOML格式")
    head, _, _ = TEXT.partition("[[overrun.tiers]]")
    assert "方案没有任何超支或结余分档" in problems_of(head)


def test_overlapping_grades_and_incomplete_splits_are_refused() -> None:
    grade = """
[[assessment.grades]]
label = "良好"
lower = 80
upper = 90
lower_inclusive = true
upper_inclusive = true
factor = 0.95
clause = "本地考核办法"
status = "confirmed"

[[retained_split]]
recipient = "县级医院"
share = 0.6
clause = "本地办法"
status = "confirmed"
"""
    found = "\n".join(problems_of(TEXT + grade))
    assert "考核等级“良好”[80, 90]与“全额拨付”[90.0, 100.0]重叠" in found
    assert "留用结余分配比例合计须为100%,现为60%" in found


def test_validity_must_not_end_before_it_begins() -> None:
    with pytest.raises(SchemeError, match="早于生效日期"):
        load_scheme().with_parameter("validity.to", "2022-01-01", clause="某文件")


def test_a_dead_band_needs_its_rate() -> None:
    text = shipped_text("city-five-tiers")
    start = text.index("[overrun.dead_band_rate]")
    end = text.index("[surplus.dead_band]")
    assert any("须同时写明" in problem for problem in problems_of(text[:start] + text[end:]))


def test_an_unknown_scheme_names_the_choices() -> None:
    with pytest.raises(SchemeError, match="没有名为“../scheme”的方案") as refused:
        load_scheme("../scheme")
    assert "jiangxi-2022" in refused.value.problems[0].remedy
