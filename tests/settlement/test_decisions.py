"""What people decide before a review: the reasonable part of an overrun, and the assessment score."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from core import policies
from core.access import NotAllowed
from core.errors import Conflict, Refused
from rules.scheme import shipped_text
from settlement import services
from settlement.models import AssessmentScore, CauseAnalysis, ScoreState
from tests.settlement import ground
from tests.settlement.ground import YEAR, D

CAUSES, DUTY = "流感高峰致住院增加，转外就医增加。", "医共体与经办机构共同核对，责任清楚。"


def overrun(world):
    ground.package(world)
    ground.facts(world, "224000000.00", "100000000.00")
    return ground.drafted(world)


def submit(world, part="24000000.00", causes=CAUSES, duty=DUTY, actor=None):
    return services.submit_analysis(actor or world.hospital, world.alliance, YEAR, "RES", causes, duty, D(part))


def test_an_overrun_is_not_reviewed_before_its_causes_are(world):
    version = overrun(world)
    with pytest.raises(Refused, match="原因分析"):
        services.review(world.reviewer, version)
    submit(world)
    with pytest.raises(Refused, match="原因分析"):
        services.review(world.reviewer, version)


def test_everything_missing_in_an_analysis_is_told_at_once(world):
    overrun(world)
    with pytest.raises(Refused) as refused:
        submit(world, "24000000.01", "多", "")
    assert [problem.field for problem in refused.value.problems] == ["causes", "responsibility", "reasonable_part"]


def test_without_an_overrun_there_is_nothing_to_analyse(world):
    ground.surplus_ready(world)
    with pytest.raises(Refused, match="没有超支"):
        submit(world)


def test_an_analysis_is_decided_by_a_reviewer_who_did_not_write_it(world):
    overrun(world)
    row = submit(world)
    for person in (world.officer, world.hospital, world.finance):
        with pytest.raises(NotAllowed):
            services.approve_analysis(person, row)
    services.approve_analysis(world.reviewer, row)
    with pytest.raises(Conflict, match="何劲松"):
        services.approve_analysis(world.second_reviewer, row)


def test_one_analysis_waits_at_a_time_and_a_returned_one_can_be_replaced(world):
    overrun(world)
    row = submit(world)
    with pytest.raises(Conflict, match="待审定"):
        submit(world)
    services.return_analysis(world.reviewer, row, "请补充转外就医明细")
    assert submit(world, "20000000.00").number == 2


def test_the_database_keeps_the_reasonable_part_inside_the_overrun(world):
    overrun(world)
    row = submit(world)
    with pytest.raises(IntegrityError), transaction.atomic():
        CauseAnalysis.objects.filter(pk=row.pk).update(reasonable_part=D("24000000.01"))


def test_an_approved_part_above_a_smaller_overrun_must_be_decided_anew(world):
    from rules.periods import Month

    version = overrun(world)
    services.approve_analysis(world.reviewer, submit(world))
    ground.month_facts(world, Month(YEAR, 12), "8000000.00", "8333333.33")
    version = services.refresh(world.officer, version).version
    assert any("大于现在的超支额" in point["text"] for point in version.computation.open_points)
    with pytest.raises(Refused, match="重新提交"):
        services.review(world.reviewer, version)


def test_a_nothing_covered_scheme_needs_no_analysis(world):
    entered = policies.enter_version(world.admin, world.area, shipped_text("ningde-2019"), date(2021, 1, 1))
    policies.approve_version(world.reviewer, entered)
    ground.package(world)
    ground.facts(world, "209000000.00", "100000000.00")
    version = ground.drafted(world)
    assert version.computation.fund_bears == 0 and version.computation.alliance_bears == D("9000000.00")
    assert version.computation.open_points == []
    assert services.review(world.reviewer, version).state == "reviewed"


def test_a_score_is_entered_by_one_and_confirmed_by_another(world):
    row = services.record_score(world.officer, world.alliance, YEAR, D("93"), "澜医保考〔2026〕3号")
    with pytest.raises(NotAllowed):
        services.confirm_score(world.officer, row)
    services.confirm_score(world.reviewer, row)
    with pytest.raises(Conflict):
        services.confirm_score(world.second_reviewer, row)


@pytest.mark.parametrize(
    ("score", "source", "said"),
    [
        ("101", "文", "0到100之间"),
        ("九十", "文", "须为数字"),
        ("93.125", "文", "两位小数"),
        ("93", " ", "考核结果文件"),
        ("84", "文", "由统筹区医保部门商财政、卫生健康部门确定"),
    ],
)
def test_a_score_nobody_can_use_is_refused_and_says_what_to_do(world, score, source, said):
    with pytest.raises(Refused, match=said):
        services.record_score(world.officer, world.alliance, YEAR, score, source)
    assert not AssessmentScore.objects.exists()


def test_the_same_score_again_is_the_held_row_and_a_confirmed_correction_replaces_it(world):
    first = ground.score(world, "93")
    assert services.record_score(world.officer, world.alliance, YEAR, D("93"), first.source).pk == first.pk
    second = services.record_score(world.officer, world.alliance, YEAR, D("95"), "更正通报")
    services.confirm_score(world.reviewer, second)
    first.refresh_from_db()
    assert first.state == ScoreState.WITHDRAWN
    assert AssessmentScore.objects.confirmed().get().score == D("95")


def test_e2_a_local_grade_adopted_with_its_document_pays_ninety_five_percent(world):
    local = shipped_text("jiangxi-2022") + (
        '\n[[assessment.grades]]\nlabel = "良好"\nlower = 80.0\nupper = 90.0\nlower_inclusive = true\n'
        'upper_inclusive = false\nfactor = 0.95\nclause = "澜医保发〔2024〕5号 第八条"\nstatus = "confirmed"\n'
    )
    entered = policies.enter_version(world.admin, world.area, local, date(2024, 1, 1))
    policies.approve_version(world.reviewer, entered)
    ground.package(world)
    ground.facts(world, "195000000.00", "90000000.00")
    ground.score(world, "84")
    computation = ground.drafted(world).computation
    assert computation.retained_paid == D("11400000.00") and computation.forfeited == D("600000.00")
    assert computation.cash == D("206400000.00")
    assert any(notice["key"] == "assessment.target" for notice in computation.notices)
