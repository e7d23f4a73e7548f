"""Settlements of the demonstration, carried act by act to where the story leaves each of them.

2022 to 2024 are finished: paid, got back by instalments, or (case E4) set off against next year's prepayments. 2025
stands in every state in between, and example 17 waits for the hospital's answer to its corrected second version.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.utils import timezone

from claims.reading.coverage import versions_held
from claims.services import record_factset
from portal.demo import facts, story
from portal.demo.clock import acting_on
from portal.demo.people import AUDITOR, COUNTY_OFFICER, FINANCE, HOSPITALS, OFFICER, REVIEWER, user
from portal.demo.places import CountySpec, alliance_of, county_of
from portal.demo.story import EMP, HP, QX, RES, YE, YW
from rules.money import allocate
from rules.periods import Month
from settlement import reading, services
from settlement.reading import SettlementVersion

DRAFT, REVIEWED, SENT, CONFIRMED, OBJECTED, FINAL, PAID = (
    "draft", "reviewed", "sent", "confirmed", "objected", "final", "paid",
)  # fmt: skip
ORDER = (DRAFT, REVIEWED, SENT, CONFIRMED, FINAL, PAID)
STOPS_2025: dict[tuple[str, str], str] = {
    (QX, RES): PAID, (QX, EMP): PAID, (YE, RES): SENT, (YE, EMP): OBJECTED, (YW, RES): FINAL, (YW, EMP): CONFIRMED,
    (HP, RES): DRAFT, (HP, EMP): DRAFT,
}  # fmt: skip
LATE_ON, CORRECTED_ON = date(2026, 9, 22), date(2026, 9, 25)
INSTALMENTS = 3
CAUSES = (
    "年度住院人次较上年增长，出院人次中三、四级手术占比上升；门诊慢特病登记人数增加，县域外转诊病例的次均费用上升。",
    "经核对，增长主要来自疫后就医需求释放和病种结构变化；未发现分解住院，基层首诊落实不到位的责任由医共体承担整改。",
)


@dataclass(frozen=True)
class Days:
    """The days of a settlement's acts."""

    draft: date
    analysis: date
    review: date
    send: date
    answer: date
    final: date
    money: date


def days_of(year: int) -> Days:
    """In the spring of the following year."""
    after = year + 1
    return Days(
        date(after, 4, 10), date(after, 4, 17), date(after, 4, 22), date(after, 4, 23), date(after, 4, 29),
        date(after, 5, 6), date(after, 5, 8),
    )  # fmt: skip


def recent(days: int) -> date:
    """``days`` before today, but never before the story's last month is over."""
    return max(timezone.localdate() - timedelta(days=days), story.LAST_MONTH.next().first_day)


def score(code: str, year: int) -> None:
    """The assessment score with its document, confirmed by a second person (R-053)."""
    alliance, value = alliance_of(code), Decimal(story.SCORES[(code, year)])
    row = reading.score_of(alliance, year)
    if row is None:
        row = services.record_score(user(OFFICER), alliance, year, value, f"澜医保考〔{year + 1}〕3号（演示）")
    if row.state == "entered":
        services.confirm_score(user(REVIEWER), row)


def deduct(code: str, fund: str, year: int, amount: Decimal, source: str) -> None:
    """A deduction agreed with the finance bureau (R-041)."""
    alliance = alliance_of(code)
    row = reading.adjustment_of(alliance, year, fund, source)
    if row is None:
        reason = "以前年度重复结算，经与财政部门核对确认扣回。"
        row = services.propose_deduction(user(OFFICER), alliance, year, fund, amount, year - 1, source, reason)
    if row.state == "proposed":
        services.approve_adjustment(user(REVIEWER), row)


def push_recoveries() -> None:
    """What audits of 2024 recovered, for the settlement of example 17 (D)."""
    for source, amount in story.EXAMPLE_17.recovered:
        services.push_adjustment(
            user(AUDITOR), alliance_of(QX), 2025, RES, "other_year_recovery", Decimal(amount), source,
            "2024 年度稽核追回，双方已确认。",
        )  # fmt: skip


def push_refusals() -> None:
    """Claims of 2025 refused after its first settlement."""
    for source, amount in story.EXAMPLE_17.refused:
        services.push_adjustment(
            user(AUDITOR), alliance_of(QX), 2025, RES, "refused_claims", Decimal(amount), source,
            "2025 年度结算中的不合规收费，已由医院核认，拒付。",
        )  # fmt: skip


def late_claims() -> None:
    """The late claims of example 17 make a second version of December 2025."""
    month, county = Month(2025, 12), county_of("990101")
    if versions_held(county)[month] > 1:
        return
    rows = facts.with_late_claims(facts.month_rows("990101", month))
    record_factset(
        user(COUNTY_OFFICER), county, month, rows, "demo", reason="跨省异地就医迟到结算 1,036 行",
    )  # fmt: skip


def month_facts(county: CountySpec, month: Month) -> None:
    """A month of facts as the county's extract would have given them; one county's last month is not whole yet."""
    held = county_of(county.code)
    if month in versions_held(held):
        return
    rows, declared, data_to = facts.month_rows(county.code, month), True, month.last_day
    if county.code == story.PARTIAL_COUNTY and month == story.LAST_MONTH:
        share = story.PARTIAL_TO.day / month.last_day.day
        rows, declared, data_to = facts.first_days(rows, share), False, story.PARTIAL_TO
    record_factset(user(OFFICER), held, month, rows, "demo", declared=declared, data_to=data_to)


def first_version(code: str, fund: str, year: int) -> None:
    """The year's first statement from draft to where the story leaves it."""
    stop = STOPS_2025[(code, fund)] if year == story.SETTLED_YEARS[-1] else PAID
    days, alliance = days_of(year), alliance_of(code)
    version = reading.version_of(alliance, year, fund, "original")
    if version is None:
        with acting_on(days.draft):
            version = services.draft(user(OFFICER), alliance, year, fund).version
    if version.state == DRAFT and stop != DRAFT:
        _analyse(version, days)
    recent_days = year == story.SETTLED_YEARS[-1] and stop not in (PAID, FINAL)
    _carry(version, stop, _recently(days) if recent_days else days)


def correct_example_17() -> None:
    """The correction after late and refused claims: the whole target again, the difference to get back (A18)."""
    alliance = alliance_of(QX)
    version = reading.version_of(alliance, 2025, RES, "correction")
    days = Days(CORRECTED_ON, date(2026, 9, 28), recent(9), recent(6), recent(6), recent(6), recent(6))
    if version is None:
        paid = reading.version_of(alliance, 2025, RES, "original")
        assert paid is not None
        reason = "跨省迟到结算 1,036 行，县外增加 612,345.67 元；稽核拒付 3 案，县域内减少 230,987.63 元。"
        with acting_on(CORRECTED_ON):
            made = services.correct(user(OFFICER), paid.settlement, reason)
        assert isinstance(made, SettlementVersion)
        version = made
    if version.state == DRAFT:
        _analyse(version, days)
    _carry(version, SENT, days)


def record_offsets(month: Month) -> None:
    """After a prepayment batch was approved: what it set off of the western alliance's recovery of 2024 (E4)."""
    version = reading.version_of(alliance_of(YW), 2024, RES, "original")
    assert version is not None
    plan = reading.plans_of(version)[0]
    for part in plan.instalments.filter(due_on=month.last_day, booking=None):
        services.record_offset(user(FINANCE), part, timezone.localdate())


def _analyse(version: SettlementVersion, days: Days) -> None:
    """Causes and responsibility of an overrun by the hospital, approved by a reviewer; then the draft is refreshed."""
    settlement, computation = version.settlement, version.computation
    assert computation is not None
    overrun = computation.charged - computation.package
    if overrun <= 0:
        return
    analysis = next((row for row in reading.analyses_of(settlement) if row.reasonable_part == overrun), None)
    if analysis is None:
        with acting_on(days.analysis):
            analysis = services.submit_analysis(
                user(HOSPITALS[settlement.alliance.code]), settlement.alliance, settlement.year, settlement.fund_type,
                *CAUSES, overrun,
            )  # fmt: skip
    if analysis.state == "submitted":
        with acting_on(days.analysis, 15):
            services.approve_analysis(user(REVIEWER), analysis, "原因清楚，超支部分认定为合理。")
    with acting_on(days.analysis, 16):
        services.refresh(user(OFFICER), version)


def _carry(version: SettlementVersion, stop: str, days: Days) -> None:
    """From the version's state through the acts in their order up to ``stop``."""
    hospital = user(HOSPITALS[version.settlement.alliance.code])
    acts: dict[str, tuple[date, Callable[[SettlementVersion], SettlementVersion]]] = {
        DRAFT: (days.review, lambda now: services.review(user(REVIEWER), now)),
        REVIEWED: (days.send, lambda now: services.send(user(OFFICER), now)),
        SENT: (days.answer, lambda now: services.confirm(hospital, now)),
        CONFIRMED: (days.final, lambda now: services.finalise(user(REVIEWER), now)),
    }
    if stop == OBJECTED:
        acts[SENT] = (days.answer, lambda now: _object(hospital, now))
    while version.state != stop and version.state in acts:
        day, act = acts[version.state]
        with acting_on(day, 9 + 2 * ORDER.index(version.state)):
            version = act(version)
    if version.state == FINAL and stop == PAID:
        _settle_money(version, days)


def _object(hospital: object, version: SettlementVersion) -> SettlementVersion:
    reason = "12 月住院病例中 43 例为急危重症转诊，入组权重偏低，请求复核后重新核定医共体内基金应付额。"
    return services.object_to(hospital, version, reason)  # type: ignore[arg-type]


def _settle_money(version: SettlementVersion, days: Days) -> None:
    owed = reading.outstanding(version)
    reference = f"YB{days.money:%Y%m%d}-{version.pk:04d}"
    with acting_on(days.money, 10):
        if owed > 0:
            services.pay(user(FINANCE), version, days.money, reference)
        elif owed == 0 and not version.plans.exists():
            services.clear(user(FINANCE), version, days.money)
        else:
            _recover(version, -owed, days)


def _recover(version: SettlementVersion, owed: Decimal, days: Days) -> None:
    """Case E4 by offset against next year's prepayments, any other recovery by instalments to the bank."""
    settlement = version.settlement
    by_offset = settlement.alliance.code == YW
    plan = next((held for held in reading.plans_of(version) if held.state in ("proposed", "approved")), None)
    if plan is None and by_offset:
        parts = allocate(owed, [1] * len(story.OFFSETS_2024_WEST))
        offsets = list(zip(story.OFFSETS_2024_WEST, parts, strict=True))
        plan = services.propose_offsets(user(OFFICER), version, offsets, "结余留用后仍多付，分四个月抵扣预付。")
    elif plan is None:
        start = Month.of(days.money).next()
        plan = services.propose_order(user(OFFICER), version, INSTALMENTS, start, "分三期退回支出户。")
    if plan.state == "proposed":
        plan = services.approve_recovery(user(REVIEWER), plan, "同意")
    if not by_offset:
        for part in plan.instalments.filter(booking=None).order_by("number"):
            with acting_on(part.due_on, 10):
                services.record_recovery(user(FINANCE), part, part.due_on, f"HK{part.due_on:%Y%m%d}-{part.pk:04d}")


def _recently(days: Days) -> Days:
    return Days(days.draft, days.analysis, recent(12), recent(8), recent(4), recent(3), recent(2))
