"""Fund distress: seen every month for every county and fund, at the city at once, with the causes the policy names."""

from datetime import date
from decimal import Decimal

import pytest

from core.access import Allowed, NotAllowed
from core.models import Notice, Role, RoleGrant
from monitoring.models import Warning, WarningChange
from monitoring.services import warnings
from monitoring.services.distress import judge_distress
from monitoring.services.evaluating import evaluate_month
from monitoring.states import Act
from monitoring.verification_warnings import verify_warnings
from rules.periods import Month
from tests.monitoring import warning_ground as ground
from tests.monitoring.warning_ground import AUGUST, JULY, REASON, again, distressed, funds_row, reply

JUNE = JULY.previous()


@pytest.fixture(autouse=True)
def _clock(time_machine):
    time_machine.move_to(ground.NOW)


def told(user):
    return list(Notice.objects.filter(user=user).order_by("pk").values_list("text", flat=True))


def acts(w):
    return [change.act for change in w.changes.order_by("pk")]


def parameter(world, key, text):
    from core.parameters import confirm_parameter, enter_parameter

    confirm_parameter(world.reviewer, enter_parameter(world.admin, key, world.area, text, "地方规定", date(2026, 1, 1)))


def test_distress_is_reported_to_the_city_and_asked_of_the_county_at_once(world):
    w = distressed(world)
    assert (w.source, w.kind, w.county, w.level, w.state) == ("distress", "county", world.qingxi, "red", "sent")
    assert acts(w) == ["raise", "report", "send"] and w.due_on == date(2026, 8, 28)
    assert w.title == "职工基金出险：本年累计收不抵支、当月收不抵支"
    for person in (world.officer, world.second_officer, world.reviewer, world.observer):
        assert any("基金出险" in text and "上报" in text for text in told(person)), person
    assert any("系统送达" in text for text in told(world.county_officer))
    assert told(world.hospital) == [] and not Warning.objects.visible_to(world.hospital).exists()
    figure = w.figures.get()
    assert (figure.value, figure.affected, figure.threshold_value) == (Decimal("-140.00"), Decimal("140.00"), Decimal(0))
    assert figure.data["text"] == "本年累计收不抵支、当月收不抵支" and figure.data["causes"] == []
    assert "没有上年同期" in figure.data["causes_missing"] and figure.trace
    assert verify_warnings() == []


def test_the_causes_add_up_to_the_worsening_in_the_policys_order(world):
    before = {"fund_inpatient": 500, "fund_outpatient": 180, "fund_all": 900, "fund_in_county": 680,
              "insured_discharges_in_county": 100, "inpatient_cost": 800, "discharges": 100}  # fmt: skip
    now = {"fund_inpatient": 660, "fund_outpatient": 200, "fund_all": 1160, "fund_in_county": 860,
           "insured_discharges_in_county": 110, "inpatient_cost": 990, "discharges": 110}  # fmt: skip
    january = Month(2026, 1)
    funds_row(world.qingxi, january.plus(-12), 1000, 1000, **before)
    funds_row(world.qingxi, january, 900, 1300, **now)
    evaluate_month(world.qingxi, january)
    data = Warning.objects.get().figures.get().data
    shares = {cause["key"]: cause["share"] for cause in data["causes"]}
    assert shares == {
        "income": "100.00", "admissions": "50.00", "average_cost": "110.00", "category_inpatient": "160.00",
        "category_outpatient": "20.00", "category_out_of_county": "80.00", "category_other": "40.00",
    }  # fmt: skip
    assert data["worsening"] == "400.00"
    assert sum(Decimal(cause["share"]) for cause in data["causes"] if cause["counted"]) == Decimal("400.00")
    average = data["causes"][2]
    assert (average["label"], average["now"], average["before"], average["change"]) == ("次均住院费用", "9.00", "8.00", "1.00")
    labels = [step["label"] for step in Warning.objects.get().figures.get().trace]
    assert "住院人次影响" in labels and "各项影响合计" in labels


def test_a_fund_that_holds_gives_no_warning(world):
    funds_row(world.qingxi, Month(2026, 1), 100, 100)
    assert evaluate_month(world.qingxi, Month(2026, 1)).raised == 0 and not Warning.objects.exists()
    assert judge_distress(world.qingxi, "EMP", Month(2026, 1)).level == ""


def test_without_the_monthly_report_nothing_is_judged(world):
    funds_row(world.qingxi, Month(2026, 2), 100, 200)
    assert judge_distress(world.qingxi, "EMP", Month(2026, 2)) is None
    assert evaluate_month(world.qingxi, Month(2026, 2)).raised == 0


def test_a_months_shortfall_alone_counts_for_employees_and_not_for_residents(world):
    for fund in ("EMP", "RES"):
        funds_row(world.qingxi, Month(2026, 1), 500, 100, fund)
        funds_row(world.qingxi, Month(2026, 2), 50, 100, fund)
    evaluate_month(world.qingxi, Month(2026, 2))
    w = Warning.objects.get()
    assert (w.fund_type, w.level, w.state, w.figures.get().affected) == ("EMP", "yellow", "sent", Decimal("50.00"))


def test_which_funds_a_single_month_counts_for_is_a_parameter(world):
    parameter(world, "monitoring.distress_single_month", "none")
    funds_row(world.qingxi, Month(2026, 1), 500, 100)
    funds_row(world.qingxi, Month(2026, 2), 50, 100)
    assert evaluate_month(world.qingxi, Month(2026, 2)).raised == 0


def test_a_year_end_expected_short_is_told_before_it_is_one(world):
    for number in range(1, 13):
        funds_row(world.qingxi, Month(2025, number), 100, 80 if number <= 7 else 140)
    for number in range(1, 8):
        funds_row(world.qingxi, Month(2026, number), 100, 95)
    evaluate_month(world.qingxi, JULY)
    w = Warning.objects.get()
    data = w.figures.get().data
    assert (w.level, w.title, data["kinds"]) == ("orange", "职工基金出险：预计全年收不抵支", ["projected"])
    # 700 ÷ (7/12 as six decimals) and 665 ÷ (560/1 260 as six decimals)
    assert (data["projected_income"], data["projected_spending"]) == ("1200.00", "1496.25")
    assert w.figures.get().affected == Decimal("296.25")


def test_a_month_that_only_adds_to_it_notes_the_figure_and_does_not_report_again(world):
    parameter(world, "monitoring.continuing_periods", "5")
    w = distressed(world)
    reports = WarningChange.objects.filter(act=Act.REPORT).count()
    assert distressed(world, AUGUST).pk == w.pk
    assert w.figures.count() == 2 and WarningChange.objects.filter(act=Act.REPORT).count() == reports


def test_distress_in_two_quarters_running_is_continuing_and_reported_again(world):
    march, april = Month(2026, 3), Month(2026, 4)
    w = distressed(world, march)
    assert w.figures.get().data["continuing"] is False
    distressed(world, april)
    assert w.figures.last().data["continuing"] is True
    assert acts(w) == ["raise", "report", "send", "update", "report"]
    assert any("连续出险" in text for text in told(world.observer))
    distressed(world, Month(2026, 5))
    assert WarningChange.objects.filter(act=Act.REPORT).count() == 2
    assert evaluate_month(world.qingxi, Month(2026, 5)).text == "2026-05 预警：没有变化。"


def test_what_counts_as_continuing_is_a_parameter(world):
    parameter(world, "monitoring.continuing_unit", "month")
    parameter(world, "monitoring.continuing_periods", "3")
    assert distressed(world, Month(2026, 2)).figures.get().data["continuing"] is False
    assert distressed(world, Month(2026, 3)).figures.last().data["continuing"] is True


def test_the_county_answers_and_the_city_decides(world):
    w = distressed(world)
    for person in (world.hospital, world.officer, world.reviewer):
        with pytest.raises(NotAllowed, match="须由青溪县医保局的经办办理") as refusal:
            reply(world, w, person)
    assert "方正" in refusal.value.denied.reason
    reply(world, w, world.county_officer)
    assert "第 1 次答复" in told(world.officer)[-1]
    with pytest.raises(NotAllowed, match="由澜川市医保局办理"):
        warnings.accept(world.county_officer, w)
    assert isinstance(warnings.allowed_acts(world.officer, again(w))[Act.ACCEPT], Allowed)
    w = warnings.accept(world.officer, w)
    assert warnings.close(world.reviewer, w, "已追加补助，收支恢复平衡").state == "closed"
    assert verify_warnings() == []


def test_where_the_county_has_no_officer_one_of_the_city_answers_and_another_decides(world):
    RoleGrant.objects.filter(user=world.county_officer).update(valid_to=date(2026, 8, 1))
    w = distressed(world)
    reply(world, w, world.officer)
    with pytest.raises(NotAllowed, match="由您本人提交"):
        warnings.accept(world.officer, w)
    assert warnings.accept(world.second_officer, w).state == "accepted"


def test_a_county_reports_its_funds_warning_to_the_city_itself(world):
    w = distressed(world)
    with pytest.raises(NotAllowed):
        warnings.report(world.reviewer, w, REASON)
    before = len(told(world.observer))
    warnings.report(world.county_officer, w, "已启动应急措施，请市局协调")
    assert len(told(world.observer)) == before + 1


def test_an_observer_of_another_city_hears_nothing(world):
    stranger = world.nobody
    RoleGrant.objects.create(user=stranger, role=Role.OBSERVER, pooling_area=world.foreign_area, valid_from=date(2020, 1, 1))
    distressed(world)
    assert told(stranger) == [] and told(world.stranger_officer) == []


def test_a_corrected_monthly_report_is_noted_and_recovers_the_fund(world):
    w = distressed(world, Month(2026, 1))
    funds_row(world.qingxi, Month(2026, 1), 200, 120)
    outcome = evaluate_month(world.qingxi, Month(2026, 1))
    assert outcome.restated == 1 and w.figures.last().level == ""
    funds_row(world.qingxi, Month(2026, 2), 200, 120)
    assert evaluate_month(world.qingxi, Month(2026, 2)).recovered == 1
    assert again(w).recovered and not w.figures.last().data["continuing"]


def test_a_reversal_month_with_negative_spending_is_no_distress(world):
    funds_row(world.qingxi, Month(2026, 1), 10, -50)
    assert judge_distress(world.qingxi, "EMP", Month(2026, 1)).level == ""
    assert JUNE < JULY


def test_the_reason_names_a_shortfall_with_a_true_minus_and_no_stray_space(world):
    w = distressed(world)
    distressed(world, AUGUST)
    shown = w.figures.latest("pk").data["shown"]
    assert shown.startswith("累计当期结余 −") and shown.endswith(" 元")
    assert f"2026-08 为{shown}（" in w.changes.filter(act=Act.UPDATE).latest("pk").reason
