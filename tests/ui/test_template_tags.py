"""What the filters and tags of `core.templatetags.fund` print."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django import forms
from django.core.paginator import Paginator
from django.template import Context, Template
from django.test import RequestFactory

from core.models import WorkdayOverride
from core.templatetags import fund
from rules.periods import Month
from rules.trace import Step, Trace


def render(source, query="", **context):
    request = RequestFactory().get(f"/list/{query}")
    return Template("{% load fund %}" + source).render(Context({"request": request, **context}))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Decimal("286543210.37"), "286,543,210.37"),
        (Decimal("-380098.63"), "−380,098.63"),
        (Decimal("0"), "0.00"),
        (Decimal("-0.00"), "0.00"),
        (12, "12.00"),
        ("1234.5", "1,234.50"),
    ],
)
def test_yuan_has_separators_two_decimals_and_a_real_minus(value, shown):
    assert fund.yuan(value) == shown


@pytest.mark.parametrize("value", [None, "", "无", Decimal("NaN"), True])
def test_what_is_blank_or_no_number_is_a_dash_and_never_zero(value):
    assert [fund.yuan(value), fund.wan(value), fund.percent(value), fund.count(value)] == ["—"] * 4


def test_wan_rounds_half_up_to_two_decimals_of_ten_thousand_yuan():
    assert fund.wan(Decimal("300000000")) == "30,000.00"
    assert fund.wan(Decimal("150.00")) == "0.02"
    assert fund.wan(Decimal("-149.99")) == "−0.01"
    assert fund.wan(Decimal("-10.00")) == "0.00"


def test_percent_takes_a_fraction():
    assert fund.percent(Decimal("0.763")) == "76.30%"
    assert fund.percent(Decimal("0.7635"), 1) == "76.4%"
    assert fund.percent(Decimal("-0.0413")) == "−4.13%"


def test_a_difference_of_ratios_is_told_in_points():
    assert fund.points(Decimal("0.0309")) == "+3.09 个百分点"
    assert fund.points(None) == "—"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Decimal("381358.04"), "+381,358.04"),
        (Decimal("-1"), "−1.00"),
        (Decimal("0"), "0.00"),
        ("2.99%", "+2.99%"),
        ("—", "—"),
    ],
)
def test_signed_marks_what_is_positive_and_leaves_zero_and_blank(value, shown):
    assert fund.signed(value) == shown


def test_a_traced_value_gets_separators_only_when_it_is_an_amount():
    assert fund.figure("14691357.52") == "14,691,357.52"
    assert fund.figure(Decimal("0.8")) == "0.80"
    assert fund.figure(Decimal("0.051271")) == "0.051271"
    assert fund.figure("80%") == "80%"
    assert fund.figure("2025") == "2025"


def test_dates_months_and_sizes_in_words():
    assert fund.day(date(2026, 9, 30)) == "2026年9月30日"
    assert fund.day(date(2026, 9, 30), "short") == "9月30日"
    assert fund.day(date(2026, 9, 3), "iso") == "2026-09-03"
    assert fund.day(None) == "—"
    assert fund.month(Month(2026, 9)) == fund.month("2026-09") == fund.month(date(2026, 9, 1)) == "2026年9月"
    assert [fund.file_size(size) for size in (900, 49766, 5_300_000, 3_221_225_472)] == [
        "900 B",
        "48.6 KB",
        "5.1 MB",
        "3.0 GB",
    ]


def test_a_moment_is_shown_in_the_time_of_the_place():
    assert fund.day(datetime(2026, 9, 30, 16, 40, tzinfo=UTC), "time") == "2026-10-01 00:40"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("limit", "tone", "words"),
    [
        (date(2026, 10, 12), "due-soon", "今天到期"),
        (date(2026, 10, 15), "due-soon", "剩 3 个工作日"),
        (date(2026, 10, 16), "due ", "剩 4 个工作日"),
        (date(2026, 10, 9), "due-over", "已逾期 2 个工作日"),
    ],
)
def test_a_deadline_shows_its_working_days_left(limit, tone, words):
    # 10 October 2026 is a Saturday worked in exchange for the holiday week.
    shown = render("{% due limit %}", limit=limit, today=date(2026, 10, 12))
    assert tone in shown
    assert words in shown
    assert f'datetime="{limit.isoformat()}"' in shown


@pytest.mark.django_db
def test_a_deadline_follows_the_calendar_of_the_bureau():
    WorkdayOverride.objects.create(day=date(2026, 10, 14), is_working=False)
    assert "剩 2 个工作日" in render("{% due limit %}", limit=date(2026, 10, 15), today=date(2026, 10, 12))


@pytest.mark.django_db
def test_many_deadlines_of_a_page_cost_one_query(django_assert_num_queries):
    limits = [date(2026, 10, day) for day in range(1, 31)]
    with django_assert_num_queries(1):
        render("{% for limit in limits %}{% due limit %}{% endfor %}", limits=limits, today=date(2026, 10, 12))


def test_a_missing_deadline_is_a_dash():
    assert render("{% due limit %}", limit=None) == '<span class="due">—</span>'


def test_query_replace_keeps_the_filters_and_starts_again_at_page_one():
    assert render("{% query_replace page=2 %}", "?fund=RES&page=7") == "?fund=RES&amp;page=2"
    assert render("{% query_replace fund='EMP' %}", "?fund=RES&page=7&q=x") == "?fund=EMP&amp;q=x"
    assert render("{% query_replace fund=None %}", "?fund=RES&page=7") == "?"


def test_a_sort_link_turns_the_order_round_at_the_second_press():
    assert 'href="?q=a&amp;sort=amount"' in render('{% sort_link "amount" "金额" %}', "?q=a&page=3")
    up = render('{% sort_link "amount" "金额" %}', "?sort=amount")
    assert 'href="?sort=-amount"' in up
    assert "sort-up" in up
    assert "sort-down" in render('{% sort_link "amount" "金额" %}', "?sort=-amount")


def test_paging_keeps_the_query_and_names_the_rows():
    shown = render(
        '{% include "components/paging.html" with page_obj=page %}',
        "?q=a&page=2",
        page=Paginator(range(45), 20).page(2),
    )
    assert "共 45 条，第 21–40 条" in shown
    assert "?q=a&amp;page=3" in shown
    assert 'aria-current="page"' in shown


TIERS = [
    {"label": "P2", "lower": None, "upper": Decimal("-0.10")},
    {"label": "P1", "lower": Decimal("-0.10"), "upper": Decimal("0")},
    {"label": "O1", "lower": Decimal("0"), "upper": Decimal("0.05")},
    {"label": "O2", "lower": Decimal("0.05"), "upper": None},
]


def test_the_tier_scale_covers_its_width_without_gaps():
    drawn = fund.scale_positions(TIERS, None, None, None)["tiers"]
    assert drawn[0]["x"] == "0.00"
    assert [float(one["x"]) + float(one["width"]) for one in drawn[:-1]] == pytest.approx(
        [float(one["x"]) for one in drawn[1:]]
    )
    assert float(drawn[-1]["x"]) + float(drawn[-1]["width"]) == pytest.approx(100)
    assert [one["side"] for one in drawn] == ["surplus", "surplus", "overrun", "overrun"]


def test_the_tier_scale_places_point_and_range_and_stops_at_its_ends():
    scale = fund.scale_positions(TIERS, Decimal("0.025"), Decimal("0"), Decimal("0.9"))
    assert scale["point"] == "70.00"
    assert scale["low"] == "60.00"
    assert float(scale["low"]) + float(scale["range_width"]) == 100
    assert [mark["text"] for mark in scale["marks"]] == ["−10%", "0", "+5%"]


def test_the_tier_scale_says_aloud_what_it_draws():
    shown = render(
        "{% tier_scale tiers=tiers point=point low=low high=high %}",
        tiers=TIERS,
        point=Decimal("0.0299"),
        low=Decimal("0.0079"),
        high=Decimal("0.0520"),
    )
    assert "预计 +2.99%，区间 +0.79% 至 +5.20%" in shown


def test_a_trace_shows_formula_inputs_value_clause_and_an_unconfirmed_step_from_steps_and_from_json():
    trace = Trace(
        [
            Step(
                "超支",
                "S − B",
                (("S", Decimal("301234567.89")),),
                Decimal("14691357.52"),
                "§二（三）1",
                status="待核实",
            )
        ]
    )
    for steps in (trace, trace.as_json()):
        shown = render('{% include "components/trace.html" with steps=steps only %}', steps=steps)
        for words in ("S − B", "301,234,567.89", "14,691,357.52", "§二（三）1", "待核实"):
            assert words in shown


def test_a_failed_field_keeps_what_was_typed_and_points_to_its_error():
    class Form(forms.Form):
        amount = forms.DecimalField(label="打包总额", help_text="单位为元。")

    shown = render(
        '{% include "components/form_field.html" with field=form.amount only %}', form=Form({"amount": "二百"})
    )
    assert 'value="二百"' in shown
    assert 'aria-invalid="true"' in shown
    assert 'aria-describedby="id_amount_helptext id_amount_error"' in shown
    assert 'id="id_amount_error"' in shown


def test_an_icon_is_hidden_from_screen_readers():
    assert '#wallet"' in render('{% icon "wallet" %}')
    assert 'aria-hidden="true"' in render('{% icon "wallet" %}')


def test_a_fund_badge_takes_the_value_or_the_member():
    from core.models import FundType

    assert ">居民<" in render('{% include "components/fund_badge.html" with fund=fund only %}', fund="RES")
    assert "fund-EMP" in render(
        '{% include "components/fund_badge.html" with fund=fund only %}', fund=FundType.EMPLOYEE
    )


def test_a_refused_dialog_alone_shows_the_problems_of_the_page():
    source = '{% include "components/confirm.html" with confirm_id="x" button="审定" title="审定？" action="/a/" open=opened %}'
    problems = [{"text": "没有上传依据文件。"}]
    assert "没有上传依据文件" not in render(source, problems=problems, opened=False)
    assert "没有上传依据文件" in render(source, problems=problems, opened=True)
