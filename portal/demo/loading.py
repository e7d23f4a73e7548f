"""The order in which the demonstration happens, and its loading as a resumable job with visible progress.

:func:`begin` makes what a first login needs (places, people, the scheme); everything else is a list of steps ordered by
their day. A step that was done is recognised by what it wrote, so that a killed load goes on and a second one changes
nothing. Every act is a short transaction of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db import transaction

from core import policies
from core.jobs import JobRun, enqueue, job
from core.models import Job, PoolingArea
from core.notices import mark_all_read
from core.registries import trail_texts
from portal.demo import (
    audit_agreements,
    audit_plans,
    audits,
    books,
    claims,
    facts,
    monitoring,
    packages,
    people,
    prepayments,
    reports,
    settlements,
    story,
    tables,
)
from portal.demo.audit_stories import SUSPICIONS
from portal.demo.clock import acting_on
from portal.demo.places import AREA_CODE, COUNTIES, START, create_places
from portal.demo.story import ALLIANCES, CURRENT_YEAR, EMP, FUNDS, HP, QX, RES, SETTLED_YEARS, YE, YW
from rules.periods import Month
from rules.scheme import shipped_text
from rules.spans import QUARTER, Span
from submissions.reading.held import TablePeriod

JOB, TABLES_JOB, MONITORING_JOB, AUDITS_JOB = "demo.load", "demo.tables", "demo.monitoring", "demo.audits"
LOCAL_GRADE = """
[[assessment.grades]]
label = "基本合格(本地)"
lower = 80.0
upper = 90.0
lower_inclusive = true
upper_inclusive = false
factor = 0.95
clause = "澜医保发〔2022〕1号(演示)"
status = "待核实"
wording = "年度考核80分及以上不满90分的,按95%拨付"
"""
NOTICES_READ_TO = 21
"""Days before today up to which the people of the story have read their notices."""

trail_texts.register(books.ACTION, "记账（演示）")


@dataclass(frozen=True)
class Step:
    """Something that happened on a day of the story, or (a job of its own) now; ``group`` sums the measured seconds."""

    day: date
    order: int
    group: str
    text: str
    run: Callable[[], object]
    in_real_time: bool = False


def begin() -> PoolingArea:
    """Places, people and the adopted scheme, in one transaction: enough to log in and look around."""
    with transaction.atomic():
        held = PoolingArea.objects.filter(code=AREA_CODE, is_demo=True).first()
        if held is not None:
            return held
        area = create_places()
        people.create_people(area)
        document = shipped_text("jiangxi-2022") + LOCAL_GRADE
        version = policies.enter_version(people.account(people.ADMIN), area, document, date(2022, 1, 1))
        policies.approve_version(people.account(people.REVIEWER), version)
        return area


def queue(area: PoolingArea, claims_rows: int = claims.ROWS) -> Job:
    """The loading job, started when the transaction commits; one that is done is not started again."""
    params = {"claims_rows": claims_rows}
    return enqueue(JOB, params=params, fingerprint="1", actor=people.account(people.ADMIN), place=area)


def queue_tables(area: PoolingArea) -> Job:
    """The quarterly tables, a job of their own after the rest: the city is complete enough to work in without them."""
    return enqueue(TABLES_JOB, fingerprint="1", actor=people.account(people.ADMIN), place=area)


def queue_monitoring(area: PoolingArea) -> Job:
    """Indicators, a year of warnings, projections and reports: they read all the rest."""
    return enqueue(MONITORING_JOB, fingerprint="1", actor=people.account(people.ADMIN), place=area)


def queue_audits(area: PoolingArea) -> Job:
    """Leads and cases, last: one of them begins with a warning."""
    return enqueue(AUDITS_JOB, fingerprint="1", actor=people.account(people.ADMIN), place=area)


@job(AUDITS_JOB, label="载入演示数据：稽核案件")
def load_audits(run: JobRun) -> str:
    """Two years of leads, cases and agreements."""
    seconds = run_steps(audit_steps(), run.progress)
    return f"演示稽核案件已载入：2025 年 1 月至 2026 年 11 月，用时 {sum(seconds.values()):.1f} 秒。"


@job(MONITORING_JOB, label="载入演示数据：运行监测")
def load_monitoring(run: JobRun) -> str:
    """Four years of figures and twelve months of warnings."""
    seconds = run_steps(monitoring_steps(), run.progress)
    queue_audits(PoolingArea.objects.get(code=AREA_CODE))
    return f"演示运行监测已载入：2022 年 1 月至 2026 年 10 月，用时 {sum(seconds.values()):.1f} 秒。"


@job(TABLES_JOB, label="载入演示数据：季度报表")
def load_tables(run: JobRun) -> str:
    """Three years of quarterly tables, from template to acceptance."""
    seconds = run_steps(table_steps(), run.progress)
    queue_monitoring(PoolingArea.objects.get(code=AREA_CODE))
    return f"演示季度报表已载入：2024 年一季度至 2026 年三季度，用时 {sum(seconds.values()):.1f} 秒。"


@job(JOB, label="载入演示数据")
def load(run: JobRun) -> str:
    """Do every step in its order; progress counts steps."""
    seconds = run_steps(steps(run.params["claims_rows"]), run.progress)
    queue_tables(PoolingArea.objects.get(code=AREA_CODE))
    told = "，".join(f"{group} {spent:.1f} 秒" for group, spent in seconds.items())
    return f"演示数据已载入：2022 年 1 月至 2026 年 10 月。用时：{told}。"


def run_steps(planned: list[Step], progress: Callable[[int, int, str], None]) -> dict[str, float]:
    """Do them; returns the seconds spent by group of steps."""
    seconds: dict[str, float] = {}
    shown = 0.0
    try:
        for done, step in enumerate(planned):
            began = time.monotonic()
            if began - shown > 0.5:
                progress(done, len(planned), step.text)
                shown = began
            if step.in_real_time:
                step.run()
            else:
                with acting_on(step.day):
                    step.run()
            seconds[step.group] = seconds.get(step.group, 0.0) + time.monotonic() - began
    finally:
        for remembered in (people.user, facts.year_rows, reports.all_reports):
            remembered.cache_clear()
    progress(len(planned), len(planned), "完成")
    return seconds


def steps(claims_rows: int, prepaid: Collection[Month] = story.MONTHS) -> list[Step]:
    """The story in the order of its days; a shorter one has fewer claims and prepays only some months."""
    # After the facts of every month before the extract's own: stored earlier, its late claims would make those months.
    received = story.CLAIMS_MONTHS[0].first_day.replace(day=9)
    made = Step(received, 0, "结算明细", "生成一个县的结算明细", _bind(claims.receive, claims_rows), in_real_time=True)
    taken = Step(story.LAST_MONTH.next().first_day, 3, "结算明细", "结算明细入库", claims.finish, in_real_time=True)
    planned = [made, taken, *_yearly(), *_monthly(prepaid), *_closing()]
    return sorted(planned, key=lambda step: (step.day, step.order))


def _yearly() -> list[Step]:
    found = [Step(date(2022, 1, 4), 1, "账簿", "期初余额", books.open_books)]
    for code in ALLIANCES:
        found.append(Step(date(2022, 1, 5), 1, "预付", "收款账户", _bind(prepayments.enter_account, code)))
    for year in (*SETTLED_YEARS, CURRENT_YEAR):
        for fund in FUNDS:
            found.append(
                Step(date(year - 1, 12, 20), 1, "打包", f"{year} 年收入预算增幅", _bind(packages.growth, year, fund))
            )
            for code in ALLIANCES:
                text = f"{year} 年打包预算"
                found.append(Step(story.APPROVED_ON[year], 1, "打包", text, _bind(packages.initial, code, fund, year)))
    found.append(Step(date(2025, 1, 7), 1, "预付", "调整预付比例", prepayments.set_ratio))
    found.append(Step(packages.ADJUSTED_ON, 1, "打包", "2025 年中调整", packages.adjust_example_17))
    found.append(Step(date(2024, 8, 20), 1, "预付", "其他已付", prepayments.pay_other))
    for year in SETTLED_YEARS:
        found += _settling(year)
    return found


def _settling(year: int) -> list[Step]:
    found = []
    days = settlements.days_of(year)
    for code in ALLIANCES:
        if (code, year) in story.SCORES:
            found.append(
                Step(
                    days.draft - timedelta(days=12),
                    1,
                    "清算",
                    f"{year} 年考核得分",
                    _bind(settlements.score, code, year),
                )
            )
        for fund in FUNDS:
            text = f"{year} 年清算"
            found.append(Step(days.draft, 5, "清算", text, _bind(settlements.first_version, code, fund, year)))
    return found


def _monthly(prepaid: Collection[Month]) -> list[Step]:
    found = []
    for month in story.MONTHS:
        after = month.next().first_day
        found.append(Step(month.first_day, 2, "账簿", f"{month} 用款", _bind(books.allot, month)))
        if month in prepaid:
            run = _bind(prepayments.carry_through, month)
            found.append(Step(month.first_day.replace(day=12), 6, "预付", f"{month} 预付", run))
        for county in COUNTIES:
            if county.code != story.CLAIMS_COUNTY or month not in story.CLAIMS_MONTHS:
                run = _bind(settlements.month_facts, county, month)
                found.append(Step(after.replace(day=8), 1, "事实", f"{month} {county.name}结算数据", run))
            run = _bind(reports.report, county.code, month)
            found.append(Step(after.replace(day=8), 2, "月报", f"{month} {county.name}基金月报", run))
        found.append(Step(after.replace(day=8), 3, "账簿", f"{month} 收支", _bind(books.close_month, month)))
        if month.month == 12:
            found.append(
                Step(after.replace(day=8), 4, "账簿", f"{month.year} 年结转", _bind(books.close_year, month.year))
            )
        if month in story.OFFSETS_2024_WEST:
            run = _bind(settlements.record_offsets, month)
            found.append(Step(month.first_day.replace(day=18), 1, "清算", f"{month} 抵扣", run))
    return found


def table_steps(periods: Collection[TablePeriod] = tables.PERIODS) -> list[Step]:
    """The tables hospitals owe, period by period; a shorter story has fewer of them."""
    found = [Step(START, 9, "季度报表", "填报职责", tables.duty)]
    for period in periods:
        assigned, filed = period.last_day + timedelta(days=1), period.last_day + timedelta(days=11)
        found.append(Step(assigned, 5, "季度报表", f"{period.text}填报任务", _bind(tables.assign, period)))
        for code in ALLIANCES:
            run = _bind(tables.carry, code, period)
            found.append(Step(filed, 8, "季度报表", f"{period.text}基金运行情况表", run))
    return sorted(found, key=lambda step: (step.day, step.order))


def monitoring_steps(months: Collection[Month] = story.MONTHS, watched: Collection[Month] = monitoring.WATCHED) -> list[Step]:
    """Figures of every month, then a year of warnings and what people did; a shorter story has fewer months."""
    group = "运行监测"
    found = [
        Step(monitoring.ADOPTED_ON, 1, group, "默认阈值试运行", monitoring.adopt),
        Step(monitoring.APPROVED_ON, 1, group, "核准阈值", monitoring.approve),
        Step(date(2026, 10, 14), 8, group, "联席会议", monitoring.meet),
        Step(date(2026, 11, 11), 8, group, "监控重点", monitoring.watch),
    ]
    for month in months:
        day = month.next().first_day.replace(day=monitoring.FIGURES_DAY)
        found.append(Step(day, 4, group, f"{month} 指标", _bind(monitoring.figures, month)))
        if month in watched:
            found.append(Step(day, 5, group, f"{month} 预测与预警", _bind(monitoring.month_end, month)))
            tended = [day + timedelta(days=days) for days in monitoring.TENDED]
            found += [
                Step(on, 7, group, f"{month} 预警办理", monitoring.tend) for on in tended if on <= monitoring.ENDS_ON
            ]
    for code, deeds in (
        (story.YW, ((12, ""),)),
        (story.YE, ((2, ""), (3, "send"), (11, "answer"))),
        (story.QX, ((5, ""), (6, "send"))),
        (story.HP, ((2, ""), (3, "send"), (6, "answer"), (12, "return"))),
    ):
        for day_of_november, act in deeds:
            run = _bind(monitoring.carry_notice, code, act) if act else _bind(monitoring.notice, code)
            found.append(Step(date(2026, 11, day_of_november), 8, group, "人工预警", run))
    found += [Step(date(2026, 10, 15), 8, group, "中期收支测算", _bind(monitoring.look_ahead, fund)) for fund in story.FUNDS]
    last = story.LAST_MONTH
    for place, span, issue, on in (
        (None, Span.month(last.previous()), True, date(2026, 10, 13)),
        (None, Span.of(QUARTER, last.previous()), True, date(2026, 10, 14)),
        ("990101", Span.of(QUARTER, last.previous()), True, date(2026, 10, 14)),
        ("990101", Span.month(last), False, date(2026, 11, 12)),
        (None, Span.month(last), False, date(2026, 11, 12)),
    ):
        run = _bind(monitoring.report_of, place, span, issue)
        found.append(Step(on, 9, group, f"{span.text}分析报告", run))
    return sorted(found, key=lambda step: (step.day, step.order))


def audit_steps() -> list[Step]:
    """Every deed of every matter in the order of their days, with agreements, plans and what passed its limit."""
    group = "稽核案件"
    found = [Step(day, 1, group, text, run) for day, text, run in (*audit_agreements.deeds(), *audit_plans.deeds())]
    for matter in SUSPICIONS:
        for order, deed in enumerate(audits.deeds_of(matter), 2):
            text = f"{matter.title or '预警线索'}：{deed.act}"
            found.append(Step(deed.day, order, group, text, _bind(audits.do, matter, deed)))
    found += [Step(day, 99, group, "逾期升级", audits.escalate) for day in audits.ESCALATED_ON]
    found.append(Step(audits.READ_TO, 100, "通知", "整理通知", _read_old_notices))
    return sorted(found, key=lambda step: (step.day, step.order))


def _closing() -> list[Step]:
    """What is under way: example 17 corrected, this month's batch proposed, next year's packages in the making."""
    found = [
        Step(date(2026, 3, 18), 1, "清算", "以前年度追回", settlements.push_recoveries),
        Step(date(2024, 3, 19), 1, "清算", "商定扣减", _deduction),
        Step(date(2026, 9, 15), 1, "清算", "稽核拒付", settlements.push_refusals),
        Step(settlements.LATE_ON, 1, "事实", "迟到结算", settlements.late_claims),
        Step(settlements.CORRECTED_ON, 2, "清算", "2025 年更正", settlements.correct_example_17),
        Step(date(2026, 11, 6), 1, "打包", "2027 年收入预算增幅", _bind(packages.growth, packages.NEXT_YEAR, RES)),
        Step(
            date(2026, 11, 6), 2, "打包", "2027 年收入预算增幅", _bind(packages.growth, packages.NEXT_YEAR, EMP, False)
        ),
        Step(date(2026, 11, 9), 1, "打包", "2027 年打包预算", _bind(packages.draft_next_year, QX, True)),
        Step(date(2026, 11, 10), 1, "打包", "2027 年打包预算", _bind(packages.draft_next_year, HP, False)),
        Step(date(2026, 11, 12), 6, "预付", "2026-11 预付建议", _bind(prepayments.propose, story.LAST_MONTH.next())),
        Step(date(2026, 11, 1), 2, "账簿", "2026-11 用款", _bind(books.allot, story.LAST_MONTH.next())),
        Step(date(2026, 11, 13), 9, "通知", "整理通知", _read_old_notices),
    ]
    for code, fund, approve in ((QX, RES, True), (QX, EMP, True), (YE, RES, True), (HP, RES, False)):
        run = _bind(packages.allocate, code, fund, approve)
        found.append(Step(date(2026, 2, 10), 1, "打包", "成员分配", run))
    for code, acknowledge in ((QX, True), (YW, True), (YE, False)):
        run = _bind(packages.file_plan, code, acknowledge)
        found.append(Step(date(2026, 2, 24), 1, "打包", "分配办法", run))
    return found


def _deduction() -> None:
    settlements.deduct(HP, RES, 2023, Decimal("1284600.00"), "澜财社〔2024〕17号（演示）")


def _read_old_notices() -> None:
    """Who looks in for the first time finds this month's notices, not four years of them."""
    for person in people.PEOPLE:
        mark_all_read(people.user(person.username))


def _bind(function: Callable[..., object], *arguments: object) -> Callable[[], object]:
    return lambda: function(*arguments)
