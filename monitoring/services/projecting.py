"""The month's projection of each alliance and fund type, written in versions; month end asks for it (order 30).

The model is :mod:`rules.forecast`; here package, prepayment and scheme join it, and what changed is written. The same
figures make no new version; a former version stays readable. Nothing is paid by it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from budgets import reading as budgets
from budgets.reading import PackageInForce
from claims import reading as claims
from claims.reading import FundYear
from core.errors import Refused
from core.models import Alliance, FundType, PoolingArea, User
from core.policies import thaw
from core.trail import record
from monitoring.models import Projection, ReplayCase
from monitoring.reading.replays import FIRST_YEAR, METHOD, CityBook, city_book
from monitoring.services.computing import compute_county_month
from rules.errors import RuleError
from rules.forecast import ForecastError, History, decompose, project, score
from rules.forecast.forecast import Forecast, RunOut
from rules.money import ZERO, allocate, round_fen
from rules.periods import Month
from rules.prepayment import plan, terms_of
from rules.scheme import Scheme
from rules.settlement import YearSettlement, settle_year
from rules.trace import Step, Trace, text_of

PROJECT = "monitoring.project"
CLAUSE = "赣医保发〔2022〕23号 §二(二)4-5、(三)1"
Key = tuple[int, str]


@dataclass(frozen=True)
class Outcome:
    """What a run did: versions ``written``, projections that stayed the ``same``, those that could not be made."""

    written: int = 0
    same: int = 0
    missing: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        told = f"写入 {self.written} 项预测" + (f"，{self.same} 项没有变化" if self.same else "")
        return f"{told}。" + (f"不能预测：{'；'.join(self.missing)}。" if self.missing else "")


@dataclass(frozen=True)
class _Ground:
    """What stands beside the facts of one alliance and fund type at the month's end."""

    package: PackageInForce | None
    scheme: Scheme | None
    paid: Decimal
    other: Decimal
    facts: FundYear


def project_month(places: Iterable[Alliance] | PoolingArea, month: Month, actor: User | None = None) -> Outcome:
    """Project every alliance and fund type as of ``month``; each alliance in a transaction of its own."""
    alliances = _alliances(places, month)
    by_area: dict[int, list[Alliance]] = {}
    for alliance in alliances:
        by_area.setdefault(alliance.county.pooling_area_id, []).append(alliance)
    total = Outcome()
    for mine in by_area.values():
        area = mine[0].county.pooling_area
        standing = list(Alliance.objects.on(month.last_day).filter(county__pooling_area=area))
        packages = budgets.packages_in_force(standing, month.year, on=month.last_day)
        book, fresh = city_book(area, month, {key: package.scope for key, package in packages.items()})
        keep_cases(fresh)
        grounds = _grounds(mine, month, packages)
        for alliance in mine:
            total = _added(total, _project(alliance, month, actor, book, grounds))
    return total


def keep_cases(fresh: Iterable[ReplayCase]) -> int:
    """Keep replayed cases; one that was kept before is replaced. Safe when two jobs do it at once."""
    rows = list(fresh)
    ReplayCase.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["alliance", "fund_type", "year", "month"],
        update_fields=["settled", "whole_years", "truth", "said", "low", "high", "inputs"],
        batch_size=500,
    )
    return len(rows)


def step_inputs(alliance: Alliance, month: Month) -> str:
    """The digest of what the month-end step reads of its own alliance: facts, packages, prepayments."""
    packages = budgets.packages_in_force([alliance], month.year, on=month.last_day)
    told = (
        METHOD,
        claims.facts_stamp({alliance.county_id}, FIRST_YEAR, month.year),
        sorted((key, package.version) for key, package in packages.items()),
        sorted((key, str(paid)) for key, paid in budgets.prepaid_of([alliance], month.year, until=month.last_day).items()),
        [str(budgets.other_payments(alliance, month.year, fund)) for fund in FundType.values],
    )
    return hashlib.sha256(repr(told).encode()).hexdigest()


def month_end_step(alliance: Alliance, month: Month, actor: User | None) -> str:
    """The step of the month's end: the projection, then the county's figures that show it."""
    outcome = project_month([alliance], month, actor)
    if outcome.written:
        compute_county_month(alliance.county, month, actor, "预测更新")
    return outcome.text


def _alliances(places: Iterable[Alliance] | PoolingArea, month: Month) -> list[Alliance]:
    if isinstance(places, PoolingArea):
        found = Alliance.objects.on(month.last_day).filter(county__pooling_area=places)
        return list(found.select_related("county__pooling_area").order_by("code"))
    return list(places)


def _added(one: Outcome, other: Outcome) -> Outcome:
    return Outcome(one.written + other.written, one.same + other.same, one.missing + other.missing)


def _grounds(alliances: Collection[Alliance], month: Month, packages: Mapping[Key, PackageInForce]) -> dict[Key, _Ground]:
    mine = {alliance.pk for alliance in alliances}
    scopes = {key: package.scope for key, package in packages.items() if key[0] in mine}
    facts = claims.fund_years(alliances, month.year, scopes, through=month)
    paid = budgets.prepaid_of(alliances, month.year, until=month.last_day)
    schemes: dict[str, Scheme | None] = {}
    found = {}
    for alliance in alliances:
        for fund in FundType.values:
            key = (alliance.pk, fund)
            package = packages.get(key)
            scheme = None
            if package is not None:
                frozen = json.dumps(package.scheme_frozen, sort_keys=True)
                if frozen not in schemes:
                    schemes[frozen] = _thawed(package)
                scheme = schemes[frozen]
            other = budgets.other_payments(alliance, month.year, fund)
            found[key] = _Ground(package, scheme, paid.get(key, ZERO), other, facts[key])
    return found


def _thawed(package: PackageInForce) -> Scheme | None:
    try:
        return thaw(package.scheme_frozen)
    except Refused:
        return None


@transaction.atomic
def _project(
    alliance: Alliance, month: Month, actor: User | None, book: CityBook, grounds: Mapping[Key, _Ground]
) -> Outcome:
    Alliance.objects.select_for_update(no_key=True).get(pk=alliance.pk)
    written: list[Projection] = []
    same, missing = 0, []
    for fund in FundType.values:
        made = _drawn(alliance, fund, month, book, grounds[(alliance.pk, fund)])
        if made is None:
            continue
        if made.missing:
            missing.append(f"{made.get_fund_type_display()}{made.missing}")
        if _kept(made):
            same += 1
        else:
            written.append(made)
    if written:
        told = {"projections": [[row.pk, row.fund_type, row.version, str(row.expected or "")] for row in written]}
        text = "、".join(f"{row.get_fund_type_display()}第 {row.version} 版" for row in written)
        record(actor, PROJECT, written[0], f"生成{alliance.name} {month} 趋势预测（{text}）", told, place=alliance)
    return Outcome(len(written), same, tuple(missing))


def _kept(made: Projection) -> bool:
    """Whether the figures are those of the current version; otherwise a new version is written."""
    same = Projection.objects.filter(
        alliance=made.alliance, fund_type=made.fund_type, year=made.year, month=made.month
    )
    held = same.filter(current=True).first()
    if held is not None and held.inputs == made.inputs:
        return True
    if held is not None:
        made.version = (same.aggregate(last=Max("version"))["last"] or 0) + 1
        made.reason = _reason(held, made)
        same.filter(current=True).update(current=False)
    made.save(force_insert=True)
    return False


def _reason(held: Projection, made: Projection) -> str:
    if [row["known"] for row in held.months] != [row["known"] for row in made.months]:
        return "月度数据有更新（晚报或更正）"
    if held.package != made.package:
        return "打包总额有变动"
    return "预付、方案或误差依据有变动"


def _drawn(alliance: Alliance, fund: str, month: Month, book: CityBook, ground: _Ground) -> Projection | None:
    """The projection, not yet written; None for a fund type that has neither facts nor a package."""
    history = book.histories.get((alliance.pk, fund))
    if (history is None or not history.delivered) and ground.package is None:
        return None
    made = Projection(
        alliance=alliance,
        county=alliance.county,
        pooling_area=alliance.county.pooling_area,
        fund_type=fund,
        year=month.year,
        month=month.month,
        data_to=ground.facts.data_to,
        computed_at=timezone.now(),
    )
    prepaid = _fill_package(made, ground, month)
    forecast = None
    if history is None or not history.delivered:
        made.missing = "没有月度数据，不能预测。请先接入数据。"
    elif not any(month.year == each.year and each <= month for each in _delivered(history)):
        made.missing = f"{month.year} 年截至 {month.month} 月还没有数据，不能预测。"
    else:
        try:
            forecast = project(history, month, book.errors, made.package, prepaid, book.pool(fund))
        except ForecastError as error:
            made.missing = str(error)[:300]
    if forecast is not None and history is not None:
        _fill_forecast(made, forecast)
        _fill_change(made, history, forecast, book)
        _fill_settlement(made, ground, prepaid)
    made.methods = _methods(book, fund, alliance.code, month)
    made.inputs = _digest(made)
    return made


def _delivered(history: History) -> list[Month]:
    return [Month(index // 12, index % 12 + 1) for index in history.delivered]


def _fill_package(made: Projection, ground: _Ground, month: Month) -> Decimal | None:
    """Package and planned prepayment; returns what will have been prepaid by the year's end, None where unknown."""
    package, scheme = ground.package, ground.scheme
    if package is None:
        return None
    made.package, made.provisional, made.package_version = package.total, package.provisional, package.version
    planned = None
    if scheme is not None:
        try:
            terms = terms_of(scheme)
            planned = plan(package.total, year=month.year, terms=terms, planned_outflow=package.out_of_county)
        except RuleError:
            planned = None
        made.tiers = _tiers(scheme)
    prepaid = max(planned.total if planned else ZERO, ground.paid)
    made.prepaid = prepaid
    return prepaid


def _fill_forecast(made: Projection, forecast: Forecast) -> None:
    made.known, made.expected = round_fen(forecast.known), forecast.expected
    made.low, made.high, made.range_text = forecast.low, forecast.high, forecast.range_text
    made.in_alliance, made.outflow, made.late = forecast.in_alliance, forecast.out_of_county, forecast.late
    made.package_runs_out = _month_text(forecast.package_run_out)
    made.prepaid_runs_out = _month_text(forecast.prepaid_run_out)
    pace = _pace(forecast, made.package)
    made.months = [
        {
            "month": str(row.month),
            "pace": None if pace is None else text_of(pace[row.month.month - 1]),
            "kind": row.kind,
            "known": text_of(row.known),
            "in_alliance": text_of(row.in_alliance),
            "outflow": text_of(row.out_of_county),
            "expected": text_of(row.expected),
        }
        for row in forecast.months
    ]
    made.factors = [
        {
            "part": part,
            "service": service,
            "factors": [text_of(factor) for factor in cell.development.factors],
            "shares": [text_of(share) for share in cell.development.shares],
            "months": list(cell.development.months),
            "sources": list(cell.development.sources),
        }
        for (part, service), cell in sorted(forecast.cells.items())
    ]
    made.trace = forecast.trace.as_json()


def _pace(forecast: Forecast, package: Decimal | None) -> list[Decimal] | None:
    """The package over the twelve months as the season of each part spreads it; None without one."""
    if package is None:
        return None
    first = forecast.as_of.year * 12
    weights = [
        sum((max(cell.level, ZERO) * cell.season.weight(first + place) for cell in forecast.cells.values()), ZERO)
        for place in range(12)
    ]
    return allocate(package, weights if sum(weights) else [1] * 12)


def _fill_change(made: Projection, history: History, forecast: Forecast, book: CityBook) -> None:
    """What changed since the former month's projection, made anew as it could be made then."""
    if made.month == 1:
        return
    made.previous = (
        Projection.objects.current()
        .filter(alliance=made.alliance, fund_type=made.fund_type, year=made.year, month=made.month - 1)
        .first()
    )
    try:
        before = project(history, made.period.previous(), book.errors, None, None, book.pool(made.fund_type))
        split = decompose(before, forecast)
    except ForecastError:
        return
    made.changes = [
        {"key": "before", "label": f"{made.month - 1} 月预测", "amount": text_of(before.expected)},
        *({"key": "part", "label": label, "amount": text_of(amount)} for label, amount in split.named()),
        {"key": "after", "label": f"{made.month} 月预测", "amount": text_of(forecast.expected)},
    ]
    made.trace += split.trace.as_json()


def _fill_settlement(made: Projection, ground: _Ground, prepaid: Decimal | None) -> None:
    """What the scheme makes of the projected year, with full assessment and nothing else settled."""
    package, scheme = ground.package, ground.scheme
    if package is None or scheme is None or made.expected is None or prepaid is None:
        return
    inside, outside = made.in_alliance or ZERO, made.outflow or ZERO
    known_inside = ground.facts.in_alliance
    sisters = round_fen(ground.facts.treated_for_sisters * inside / known_inside) if known_inside > 0 else ZERO

    def settle(s_in: Decimal, outflow: Decimal) -> YearSettlement | None:
        try:
            return settle_year(
                scheme,
                package=package.total,
                s_in=s_in,
                outflow=outflow,
                prepaid=prepaid,
                treated_for_sisters=sisters,
                other_payments=ground.other,
                ratio_base=None if scheme.ratio_base == "adjusted_package" else package.total,
                assumed_factor=Decimal(1),
            )
        except RuleError:
            return None

    settled = settle(inside, outside)
    if settled is None:
        return
    made.tier = settled.share.label
    made.retained, made.returned = settled.retained, settled.returned
    made.fund_bears, made.alliance_bears, made.cash = settled.fund_bears, settled.alliance_bears, settled.cash
    known = (scheme.parameter(key) for key in settled.unconfirmed)
    made.unconfirmed = [{"key": p.key, "label": p.title, "value": p.text, "clause": p.clause} for p in known]
    assumed = (("计划与已付取大者", prepaid), ("已预付", ground.paid), ("预计收治兄弟医共体", sisters))
    first = Step("假设", "全年预付按计划付满，考核按满分，不含以前年度扣减", assumed, prepaid, CLAUSE)
    made.cash_trace = (Trace([first]) + settled.trace).as_json()
    if made.low is None or made.high is None or made.expected <= 0 or inside < 0 or outside < 0:
        return
    low, high = (settle(*allocate(edge, [inside, outside])) for edge in (made.low, made.high))
    if low is not None and high is not None:
        made.tier_low, made.tier_high = low.share.label, high.share.label
        made.cash_low, made.cash_high = sorted((low.cash, high.cash))


def _tiers(scheme: Scheme) -> list[dict[str, str | None]]:
    """Both sides of the scheme on one scale, lowest first: signed fractions of the package, an open end None."""
    surplus = scheme.brackets.surplus.tiers if scheme.brackets.surplus else ()
    overrun = scheme.brackets.overrun.tiers if scheme.brackets.overrun else ()
    rows: list[tuple[str, Decimal | None, Decimal | None]] = [
        (tier.label, None if tier.upper is None else -tier.upper, -tier.lower) for tier in reversed(surplus)
    ]
    rows += [(tier.label, tier.lower, tier.upper) for tier in overrun]
    return [
        {"label": label, "lower": None if lower is None else text_of(lower), "upper": None if upper is None else text_of(upper)}
        for label, lower, upper in rows
    ]


def _methods(book: CityBook, fund: str, place: str, month: Month) -> dict[str, Any]:
    """Errors of the methods in earlier years: the city's in the same month and by month, and the place's own."""
    told, same = book.score(fund), book.score(fund, month.month)
    own = [case for case in book.known_cases(fund) if case.place == place and case.as_of.month == month.month]
    return {
        "cases": told.whole.cases,
        "years": sorted(int(line.label) for line in told.years),
        "same_month": _labelled(same.whole.as_json(), f"全市 {month.month} 月"),
        "own": _labelled(score(own).whole.as_json(), f"本医共体 {month.month} 月"),
        "months": [line.as_json() for line in told.months],
        "by_year": [line.as_json() for line in told.years],
    }


def _labelled(line: dict[str, Any], label: str) -> dict[str, Any]:
    return {**line, "label": label}


def _month_text(found: RunOut | None) -> str:
    return str(found.month) if found is not None and found.month is not None else ""


_FIGURES = (
    "missing", "data_to", "known", "expected", "low", "high", "range_text", "in_alliance", "outflow", "late", "package",
    "provisional", "package_version", "prepaid", "prepaid_runs_out", "package_runs_out", "tier", "tier_low", "tier_high",
    "retained", "returned", "fund_bears", "alliance_bears", "cash", "cash_low", "cash_high", "unconfirmed", "tiers",
    "months", "factors", "changes", "methods", "trace", "cash_trace",
)  # fmt: skip


def _digest(made: Projection) -> str:
    """Over every figure with its trace, which holds all inputs: what comes out the same went in the same."""
    told = {name: getattr(made, name) for name in _FIGURES}
    return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()
