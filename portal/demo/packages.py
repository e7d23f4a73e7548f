"""Packages of the demonstration: growth caps, negotiation, approval, the mid-year change of example 17, next year's draft.

Each function carries its package from wherever it stands to the state the story wants, so that a load that was killed
between two acts goes on with the next one.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from budgets import services
from budgets.reading import held
from budgets.reading.held import PackageVersion
from budgets.services import Entered, PackageInputs, RoundInputs
from core.models import FundType, PoolingArea
from portal.demo import story
from portal.demo.clock import acting_on
from portal.demo.evidence import attachment
from portal.demo.people import HOSPITALS, OFFICER, REVIEWER, user
from portal.demo.places import AREA_CODE, alliance_of
from portal.demo.story import EMP, QX, RES
from rules.money import round_fen

ACCOUNTS = "accounts"
NEXT_YEAR = story.CURRENT_YEAR + 1
ADJUSTED_ON = date(2025, 9, 12)
PLANNED_OUT_OF_COUNTY = {(QX, RES, 2026): Decimal("90000000.00"), (QX, EMP, 2026): Decimal("27200000.00")}


def growth(year: int, fund: str, approve: bool = True) -> None:
    """The approved growth of the revenue budget for a fund and year (A20)."""
    area = PoolingArea.objects.get(code=AREA_CODE)
    entered = held.growth(area, fund, year)
    label = FundType(fund).label
    if entered is None:
        title = f"澜川市 {year} 年{label}基本医疗保险基金收入预算（演示）"
        entered = services.enter_growth(
            user(OFFICER), area, fund, year, growth=story.GROWTH[year][fund], like_for_like="口径无变化",
            document_title=title, evidence=attachment(title),
        )  # fmt: skip
    if approve and entered.state == "submitted":
        services.approve_growth(user(REVIEWER), entered)


def initial(code: str, fund: str, year: int) -> None:
    """The package of a year: drafted, negotiated twice, approved by the second person."""
    day = story.APPROVED_ON[year]
    alliance = alliance_of(code)
    version = held.version(alliance, fund, year, 1)
    if version is None:
        with acting_on(day - timedelta(days=2)):
            version = services.draft_package(user(OFFICER), alliance, year, fund, _inputs(code, fund, year))
    if version.is_editable:
        _negotiate(version, day - timedelta(days=2))
        with acting_on(day - timedelta(days=1), 15):
            version = services.submit_package(user(OFFICER), version)
    if version.state == "submitted":
        with acting_on(day, 10):
            services.approve_package(user(REVIEWER), version, decided_on=day, note="同意按协商结果核定")


def adjust_example_17() -> None:
    """The mid-year adjustment that leads to the package of example 17 (R-016)."""
    alliance = alliance_of(QX)
    version = held.version(alliance, RES, 2025, 2)
    if version is None:
        given = PackageInputs(
            total=story.YEARS[(QX, RES)][2025].package,
            adjustment_reason="policy",
            reason="2025 年 7 月起门诊慢特病病种扩围，预计增加支出 2,543,210.37 元，按政策调整核增。",
            no_negotiation_reason="调整额按政策测算，已书面征求医共体意见。",
            years=_entered(QX, RES, 2025),
        )
        with acting_on(ADJUSTED_ON - timedelta(days=3)):
            paper = attachment("门诊慢特病扩围增支测算（演示）")
            version = services.draft_package(user(OFFICER), alliance, 2025, RES, given, evidence=paper)
    if version.is_editable:
        with acting_on(ADJUSTED_ON - timedelta(days=1)):
            version = services.submit_package(user(OFFICER), version)
    if version.state == "submitted":
        with acting_on(ADJUSTED_ON):
            services.approve_package(user(REVIEWER), version, decided_on=ADJUSTED_ON, note="同意调整")


def allocate(code: str, fund: str, approve: bool) -> None:
    """The division of this year's package among the members; primary units without a quota (R-021)."""
    version = held.version(alliance_of(code), fund, story.CURRENT_YEAR, 1)
    assert version is not None
    allocation = held.allocation(version)
    if allocation is None:
        note = "按上年基金支出权重分配；基层机构按预算执行管理，不设总额控制。"
        allocation = services.draft_allocation(user(OFFICER), version, note=note)
    if allocation.state == "draft":
        allocation = services.submit_allocation(user(OFFICER), allocation)
    if approve and allocation.state == "submitted":
        services.approve_allocation(user(REVIEWER), allocation)


def file_plan(code: str, acknowledge: bool) -> None:
    """The alliance's own distribution plan, copied to the county bureau and the agency branch (R-020)."""
    alliance = alliance_of(code)
    plan = held.plan(alliance, story.CURRENT_YEAR)
    if plan is None:
        title = f"{alliance.name} {story.CURRENT_YEAR} 年打包基金内部分配办法（演示）"
        plan = services.file_plan(
            user(HOSPITALS[code]), alliance, story.CURRENT_YEAR, title=title, effective_on=date(story.CURRENT_YEAR, 1, 1),
            file=attachment(title), summary="结余留用部分按县、乡、村三级分配，向基层倾斜，分配方案经职代会通过。",
        )  # fmt: skip
    if acknowledge:
        for side, actor in (("bureau", REVIEWER), ("branch", OFFICER)):
            if not plan.acknowledgements.filter(side=side).exists():
                services.acknowledge_plan(user(actor), plan, side)


def draft_next_year(code: str, returned: bool) -> None:
    """Next year's residents' package in the making: worked on this year's expected figures, sent back once."""
    alliance = alliance_of(code)
    version = held.version(alliance, RES, NEXT_YEAR, 1)
    if version is None:
        figures = story.YEARS[(code, RES)][story.CURRENT_YEAR]
        note = "1—10 月实际结算加 11、12 月预计，年终决算后更新"
        entered = Entered(figures.charged - figures.outflow, figures.outflow, ACCOUNTS, note)
        given = PackageInputs(years={story.CURRENT_YEAR: entered}, volume_allowance=Decimal("0.005"))
        version = services.draft_package(user(OFFICER), alliance, NEXT_YEAR, RES, given)
    if not returned or version.state == "returned":
        return
    if version.is_editable:
        _negotiate(version, date(2026, 11, 9))
        with acting_on(date(2026, 11, 11)):
            version = services.submit_package(user(OFFICER), version)
    if version.state == "submitted":
        with acting_on(date(2026, 11, 12)):
            reason = "请补充基层医疗机构支出占比低于 16% 的改进措施，并说明 11、12 月预计数的依据。"
            services.return_package(user(REVIEWER), version, reason)


def _inputs(code: str, fund: str, year: int) -> PackageInputs:
    figures = story.YEARS[(code, fund)][year]
    first = year == story.SETTLED_YEARS[0]
    total = story.EXAMPLE_17.initial_package if (code, fund, year) == (QX, RES, 2025) else figures.package
    last_inside = story.earlier_years(code, fund, year)[2021][0] if first else None
    return PackageInputs(
        total=total,
        out_of_county=PLANNED_OUT_OF_COUNTY.get((code, fund, year)),
        volume_allowance=Decimal("0.010"),
        years=_entered(code, fund, year),
        primary_amount=round_fen(last_inside * Decimal("0.172")) if last_inside else None,
        primary_source=ACCOUNTS if first else "",
        primary_note="2021 年基金决算报表（演示）" if first else "",
    )


def _entered(code: str, fund: str, year: int) -> dict[int, Entered]:
    """Years before the claims data begin come from the final accounts."""
    wanted = range(max(year - 4, 2018), 2022)
    return {
        earlier: Entered(inside, outside, ACCOUNTS, f"{earlier} 年医保基金决算报表（演示）")
        for earlier, (inside, outside) in story.earlier_years(code, fund, year).items()
        if earlier in wanted
    }


def _negotiate(version: PackageVersion, day: date) -> None:
    """Two sittings: the sides begin apart and agree on the total."""
    held = version.rounds.count()
    names = "林晓岚（经办）、何劲松（复核）"
    lead = version.alliance.lead_hospital(day)
    others = f"{lead}院长、财务科长，乡镇卫生院代表 2 人"
    low, high = round_fen(version.total * Decimal("0.99")), round_fen(version.total * Decimal("1.03"))
    given = [
        RoundInputs(
            day, names, others,
            "医保部门按上年结算数和收入预算增幅提出意见；医共体要求考虑人口老龄化和新增床位。双方约定补充数据后再议。",
            "双方意见相差较大，未达成一致", low, high,
        ),
        RoundInputs(
            day, names, others,
            "医共体补充了服务量数据。双方同意按协商数报审，年度中有政策调整的另行核定。",
            f"同意打包总额 {version.total:,.2f} 元", version.total, version.total,
        ),
    ]  # fmt: skip
    for number in range(held, len(given)):
        with acting_on(day, 10 + 4 * number):
            services.record_round(
                user(OFFICER), version, given[number], attachment(f"{version}协商纪要{number + 1}（演示）")
            )
