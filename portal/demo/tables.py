"""Quarterly tables of the demonstration: three years filed from the facts, and one table in every state of its life.

The workbook a hospital would fill is the template itself with every figure entered; it goes through the same upload,
check, filing and acceptance. 青溪 filed this quarter a second time (superseded), 云岭东部's was returned, 云岭西部 had
nothing to report for its first quarter, 鹤坪 is overdue.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from django.core.files.uploadedfile import SimpleUploadedFile

from core import jobs
from core.models import Job, PoolingArea
from portal.demo.clock import acting_on
from portal.demo.people import ADMIN, HOSPITALS, OFFICER, user
from portal.demo.places import AREA_CODE, START, alliance_of
from portal.demo.story import HP, QX, YE, YW
from rules.periods import Quarter
from submissions import services
from submissions.reading import held
from submissions.reading.held import Assignment, Submission, TablePeriod

LAST = Quarter(2026, 3)
PERIODS = tuple(
    TablePeriod(Quarter(year, quarter))
    for year in (2024, 2025, 2026)
    for quarter in (1, 2, 3, 4)
    if Quarter(year, quarter) <= LAST
)
NOTHING = (YW, TablePeriod(Quarter(2024, 1)))
SUPERSEDED = (QX, TablePeriod(Quarter(2026, 2)))
RETURNED = (YE, TablePeriod(LAST))
OVERDUE = (HP, TablePeriod(LAST))
BED_DAYS = {("RES", "12.1"): Decimal(86), ("RES", "12.2"): Decimal(5160), ("RES", "12.3"): Decimal("928800.00")}
NO_DATA = "2024 年 4 月才完成信息系统切换，一季度无法按本表口径取数，二季度起合并累计上报。"
EXPLANATIONS = {
    "S1": "与上年同期相比变化较大：今年住院需求回升、慢特病登记人数增加，已逐家核对结算数据，数值属实。",
    "S2": "次均费用与往年相比变化较大：病种结构变化，三、四级手术占比上升，已核对结算清单，数值属实。",
    "S3": "基层住院能力仍弱，部分卫生院改造期间收治下降；已安排下派专家和病种下沉，四季度可回到目标以上。",
    "S4": "县域外就医比重上升，主要是肿瘤、心血管转诊病例；已与上级医院签订远程会诊协议，争取留治。",
    "S5": "药占比上升主要由慢病长处方和国谈药使用增加造成，已由药事委员会复核，未见不合理用药。",
}
CAUSES = (
    (
        "居民", "住院人次", "参保人住院需求继续释放，乡镇卫生院收治不足，轻症病例上浮到牵头医院，支出快于序时进度。",
        "下派专科团队到中心卫生院，明确下转病种目录；每月通报各成员单位住院率和次均费用。",
    ),
    (
        "职工", "县外就医", "肿瘤、心血管等病种转往上级医院较多，县域外次均费用高，占支出比重上升。",
        "与上级医院共建胸痛、肿瘤专科联盟，请专家定期坐诊手术，落实转诊备案审核。",
    ),
)  # fmt: skip
ANY_EXPLANATION = "已与结算数据逐项核对，差异来自口径和时间差，数值属实，佐证材料留存备查。"


def duty() -> None:
    """The duty of the whole area: every quarter, fifteen days after its end (seed 000 §三(四))."""
    area = PoolingArea.objects.get(code=AREA_CODE)
    if held.duty(area) is None:
        services.save_duty(user(ADMIN), held.new_duty(area, START))


def assign(period: TablePeriod) -> None:
    services.assign_period(period)


def carry(code: str, period: TablePeriod) -> None:
    """One alliance's table of a period, from upload to where the story leaves it."""
    assignment = held.assignment(alliance_of(code), period)
    if assignment is None or (code, period) == OVERDUE:
        return
    filed_on = period.last_day + timedelta(days=11)
    if (code, period) == NOTHING:
        if held.latest(assignment) is None:
            with acting_on(filed_on):
                services.report_nothing(
                    user(HOSPITALS[code]), assignment, NO_DATA
                )  # fmt: skip
        _accept(assignment, filed_on)
        return
    _file(assignment, filed_on)
    if (code, period) == RETURNED:
        latest = held.latest(assignment)
        if latest is not None and latest.state == "filed":
            with acting_on(filed_on + timedelta(days=2)):
                services.return_submission(
                    user(OFFICER), latest, "成员表考核得分未填，原因分析未写明责任单位，请补充后重新报送。"
                )
        return
    _accept(assignment, filed_on)
    if (code, period) == SUPERSEDED:
        _again(assignment, date(2026, 8, 6))


def _again(assignment: Assignment, on: date) -> None:
    """An accepted table is opened again for a correction; the second version supersedes the first."""
    latest, now = held.latest(assignment), held.assignment(assignment.alliance, assignment.of)
    assert now is not None and latest is not None
    if latest.number > 1 and latest.state == "accepted":
        return
    if now.is_closed:
        with acting_on(on):
            services.reopen(user(OFFICER), now, "县医院补报 6 月按床日结算数据，请更正后重新报送。")
            services.admit_late(user(OFFICER), now, on + timedelta(days=7), "更正补报，经核实同意延期报送。")
    _file(now, on + timedelta(days=1), BED_DAYS)
    _accept(now, on + timedelta(days=1))


def _file(assignment: Assignment, on: date, extra: dict[tuple[str, str], Decimal] | None = None) -> None:
    hospital = user(HOSPITALS[assignment.alliance.code])
    latest = held.latest(assignment)
    if latest is None or (extra and latest.state == "accepted"):
        name = f"{assignment.alliance.name}_{assignment.of.text}_基金运行情况表.xlsx"
        with acting_on(on, 10):
            latest = services.receive(
                hospital, assignment, SimpleUploadedFile(name, services.filled_workbook(assignment, extra, _causes(assignment)))
            )
    if latest.state == "received":
        with acting_on(on, 10):
            for queued in Job.objects.filter(name="submissions.check", scope=str(latest.pk), state="queued"):
                jobs.run_now(queued)
            latest = services.check_submission(latest)
    if latest.state == "checked":
        with acting_on(on, 15):
            texts = {
                found.pk: EXPLANATIONS.get(found.code, ANY_EXPLANATION)
                for found in latest.findings.all()
                if found.is_open_question
            }
            if texts:
                services.explain(hospital, latest, texts)
            services.file(hospital, latest)


def _causes(assignment: Assignment) -> list[dict[str, str]]:
    """A cause analysis for both funds: required where the current balance is negative, welcome elsewhere."""
    due = str(assignment.of.last_day + timedelta(days=60))
    lead = assignment.alliance.lead_hospital(assignment.of.last_day)
    return [
        {"fund_type": fund, "kind": kind, "cause": cause, "measure": measure, "owner": str(lead or ""), "due": due}
        for fund, kind, cause, measure in CAUSES
    ]


def _accept(assignment: Assignment, on: date) -> None:
    latest = held.latest(assignment)
    if latest is not None and latest.state == "filed":
        with acting_on(on + timedelta(days=4)):
            latest = services.accept(user(OFFICER), latest)
    if latest is not None and latest.state == "accepted":
        _sign(latest, on + timedelta(days=6))


def _sign(submission: Submission, on: date) -> None:
    """Both sides sign what the facts agree with; this quarter's reconciliations still wait."""
    found = held.reconciliation(submission)
    if found is None or submission.assignment.of.quarter == LAST or found.lines.filter(must_explain=True).exists():
        return
    hospital = user(HOSPITALS[submission.assignment.alliance.code])
    with acting_on(on):
        if found.hospital_signed_at is None:
            found = services.sign(hospital, found)
        if found.bureau_signed_at is None:
            services.sign(user(OFFICER), found)
