"""The month-end step: proposes each alliance's and fund type's prepayment of a month. Pays and posts nothing.

Provisional on last year's package before approval, trued up afterwards, the rest shared again after a mid-year change
(A16). Running it again changes nothing unless the package, the terms or earlier months changed; lines that were laid
before the reviewer are never touched.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from decimal import Decimal

from django.db import transaction
from django.urls import reverse

from budgets.models import (
    BatchState,
    PackageState,
    PackageVersion,
    Prepayment,
    PrepaymentBatch,
    RecoveryOffset,
)
from budgets.models.packages import PackageKind
from budgets.models.prepayments import EDITABLE
from budgets.reading.prepayments import ratio_in_force
from budgets.reading.projection import project
from budgets.services.packages import refuse_closed_year
from budgets.services.worksheet import scope_of_version
from core.access import require
from core.errors import Conflict, Refused
from core.models import Alliance, FundType, PoolingArea, Role, User
from core.notices import notify_role
from core.policies import scheme_in_force
from core.trail import record
from rules import prepayment as rule
from rules.errors import RuleError
from rules.money import ZERO, round_fen
from rules.periods import Month, months_of_year
from rules.scheme import Scheme
from rules.trace import text_of


@dataclass(frozen=True)
class Ground:
    """What a month's prepayment stands on: the version in force, whether it is last year's, the scheme and its terms."""

    version: PackageVersion
    provisional: bool
    scheme: Scheme
    terms: rule.Terms


def propose_month(actor: User, area: PoolingArea, month: Month) -> list[str]:
    """Propose a month for every alliance of the area that stood on its last day; one told line per fund type."""
    require(actor, "budgets.prepare_prepayment", area)
    told = []
    alliances = Alliance.objects.on(month.last_day).filter(county__pooling_area=area)
    for alliance in alliances.select_related("county__pooling_area"):
        told.append(f"{alliance}：{propose(alliance, month, actor)}")
    return told


def propose(alliance: Alliance, month: Month, actor: User | None = None) -> str:
    """Propose both funds of one alliance and month; says in Chinese what was done. Called by the month-end job."""
    return "；".join(
        f"{FundType(fund_type).label}{_propose_one(alliance, fund_type, month, actor)}" for fund_type in FundType.values
    )


@transaction.atomic
def _propose_one(alliance: Alliance, fund_type: str, month: Month, actor: User | None) -> str:
    PoolingArea.objects.select_for_update(no_key=True).get(pk=alliance.county.pooling_area_id)
    held = (
        Prepayment.objects.select_related("batch")
        .filter(alliance=alliance, fund_type=fund_type, month=str(month))
        .first()
    )
    if held is not None and held.batch.state not in EDITABLE:
        return f"{held.batch.get_state_display()}，不再变动"
    try:
        refuse_closed_year(alliance, month.year, fund_type)
        ground = ground_of(alliance, fund_type, month)
        if ground is None:
            return "本年打包总额未审定，上年也没有，未生成预付"
        figures = _figures(alliance, fund_type, month, ground)
    except Refused as refusal:
        return f"未生成预付：{refusal}"
    except RuleError as error:
        return f"未生成预付：{error}"
    if held is not None and held.fingerprint == figures["fingerprint"]:
        return "建议未变"
    batch = held.batch if held is not None else _open_batch(alliance, month)
    line = held or Prepayment(batch=batch, alliance=alliance, fund_type=fund_type, year=month.year, month=str(month))
    _settle_amounts(line, figures, ground.scheme)
    line.save()
    _attach_offsets(line)
    record(
        actor,
        "budgets.prepare_prepayment",
        line,
        f"生成{line}建议 {line.planned:,.2f} 元" + ("（暂付）" if line.provisional else ""),
        {"planned": line.planned, "before": line.before, "cap": line.cap, "version": line.package_version_id},
    )
    return f"建议预付 {line.amount:,.2f} 元" + ("（暂付）" if line.provisional else "")


def ground_of(alliance: Alliance, fund_type: str, month: Month) -> Ground | None:
    """The package in force on the month's last day, else last year's provisionally, with the terms of the scheme."""
    version = version_in_force(alliance, fund_type, month)
    if version is None:
        return None
    scheme = scheme_in_force(alliance, month.last_day).scheme
    terms = rule.terms_of(scheme)
    ratio = ratio_in_force(alliance, month.year)
    if ratio is not None:
        terms = replace(terms, step=ratio.monthly_ratio, clause=f"{terms.clause}；{ratio.reason}")
    return Ground(version, version.package.year != month.year, scheme, terms)


def ids_in_force(lines: Collection[Prepayment]) -> dict[int, int]:
    """Which approved version each line's month is to be prepaid on (:func:`version_in_force`), by the line's id."""
    years = {line.year for line in lines}
    approved = (
        PackageVersion.objects.filter(
            state=PackageState.APPROVED,
            package__alliance__in={line.alliance_id for line in lines},
            package__year__in=years | {year - 1 for year in years},
        )
        .order_by("package__year", "number")
        .values_list("pk", "package__alliance_id", "package__fund_type", "package__year", "decided_on")
    )
    found = {}
    for line in lines:
        last_day = Month.parse(line.month).last_day
        for pk, alliance, fund_type, year, decided_on in approved:
            mine = (alliance, fund_type) == (line.alliance_id, line.fund_type) and line.year - 1 <= year <= line.year
            if mine and decided_on is not None and decided_on <= last_day:
                found[line.pk] = pk
    return found


def version_in_force(alliance: Alliance, fund_type: str, month: Month) -> PackageVersion | None:
    """The approved version a month is prepaid on; its year tells whether it is provisional."""
    return (
        PackageVersion.objects.filter(
            state=PackageState.APPROVED,
            package__alliance=alliance,
            package__fund_type=fund_type,
            package__year__in=(month.year - 1, month.year),
            decided_on__lte=month.last_day,
        )
        .select_related("package__alliance__county")
        .order_by("-package__year", "-number")
        .first()
    )


def _figures(alliance: Alliance, fund_type: str, month: Month, ground: Ground) -> dict[str, object]:
    version = ground.version
    others = list(
        Prepayment.objects.filter(alliance=alliance, fund_type=fund_type, year=month.year).exclude(month=str(month))
    )
    paid = sum((line.amount for line in others), ZERO)
    kept = max(sum((line.held + line.withheld for line in others), ZERO), ZERO)
    elapsed: list[Decimal] = []
    if not ground.provisional and version.kind == PackageKind.ADJUSTMENT:
        elapsed = _elapsed(month, version, others)
    plan = rule.plan(
        version.total,
        year=month.year,
        terms=ground.terms,
        paid=elapsed,
        planned_outflow=version.out_of_county,
        provisional=ground.provisional,
    )
    if ground.provisional or elapsed:
        proposal = rule.propose(plan, month, paid=paid, held=kept)
    else:
        proposal = rule.true_up(plan, month, paid=paid, held=kept)
    projection = project(
        alliance,
        month.year,
        fund_type,
        scheme=ground.scheme,
        package=version.total,
        planned_parts=(version.in_alliance, version.out_of_county),
        prepaid=plan.total,
        scope=scope_of_version(version),
        through=month,
    )
    warnings = list(proposal.warnings)
    if projection is not None and projection.cash < 0:
        warnings.append(
            f"预计年终现金 {projection.cash:,.2f} 元，低于零（{projection.method_text}）：县域外支出较高，按上限预付将多付，请考虑减付"
        )
    inputs = {
        "version": version.pk,
        "trace": proposal.trace.as_json(),
        "projection": projection.trace.as_json() if projection else [],
    }
    return {
        "package_version": version,
        "provisional": ground.provisional,
        "package_total": version.total,
        "cap": proposal.cap,
        "before": paid,
        "planned": proposal.amount,
        "true_up": proposal.true_up,
        "warnings": warnings,
        "trace": proposal.trace.as_json(),
        "projected_cash": projection.cash if projection else None,
        "projection": projection.trace.as_json() if projection else [],
        "fingerprint": hashlib.sha256(
            json.dumps(inputs, ensure_ascii=False, sort_keys=True, default=text_of).encode()
        ).hexdigest(),
    }


def _elapsed(month: Month, version: PackageVersion, others: list[Prepayment]) -> list[Decimal]:
    """Planned amounts of the months before the first one under this version; empty when it is January."""
    first = min((line.month for line in others if line.package_version_id == version.pk), default=str(month))
    first = min(first, str(month))
    planned = {line.month: line.planned for line in others}
    return [planned.get(str(found), ZERO) for found in months_of_year(month.year) if str(found) < first]


def _settle_amounts(line: Prepayment, figures: dict[str, object], scheme: Scheme) -> None:
    for name, value in figures.items():
        setattr(line, name, value)
    if line.held > line.planned:
        line.warnings = [*line.warnings, f"建议额降低，暂缓额由 {line.held:,.2f} 元改为 {line.planned:,.2f} 元"]
        line.held = line.planned
    compute_amount(line, scheme)


def compute_amount(line: Prepayment, scheme: Scheme) -> None:
    """Amount and payable from planned, held, the scheme's monthly withholding and the offsets that fit."""
    rate = scheme.withheld_monthly_rate
    line.withheld = round_fen((line.planned - line.held) * rate) if rate else ZERO
    line.amount = line.planned - line.held - line.withheld
    offsets = fitting_offsets(line)
    line.offset = sum((offset.amount for offset in offsets), ZERO)
    line.payable = line.amount - line.offset


def fitting_offsets(line: Prepayment) -> list[RecoveryOffset]:
    """The pushed offsets of the month that fit wholly into its amount, in the order they came."""
    left, fitting = line.amount, []
    waiting = RecoveryOffset.objects.filter(
        alliance=line.alliance, fund_type=line.fund_type, month=line.month, settled_at=None
    )
    for offset in waiting.order_by("pk"):
        if offset.amount <= left:
            fitting.append(offset)
            left -= offset.amount
    return fitting


def _attach_offsets(line: Prepayment) -> None:
    RecoveryOffset.objects.filter(line=line, settled_at=None).update(line=None)
    RecoveryOffset.objects.filter(pk__in=[offset.pk for offset in fitting_offsets(line)]).update(line=line)


def _open_batch(alliance: Alliance, month: Month) -> PrepaymentBatch:
    """The month's batch that still takes lines, or a new one; the reviewer's and paid ones are left alone."""
    area = alliance.county.pooling_area
    batches = PrepaymentBatch.objects.select_for_update(no_key=True).filter(pooling_area=area, month=str(month))
    opened = batches.filter(state__in=EDITABLE).order_by("sequence").first()
    if opened is not None:
        return opened
    made = PrepaymentBatch.objects.create(
        pooling_area=area, month=str(month), sequence=batches.count() + 1, state=BatchState.PROPOSED
    )
    notify_role(
        {Role.FUND_OFFICER}, area, f"{made}已生成建议，请核对后报审。", reverse("budgets:batch", args=[made.pk])
    )
    return made


@transaction.atomic
def push_offset(
    actor: User | None,
    alliance: Alliance,
    fund_type: str,
    *,
    month: Month,
    from_year: int,
    amount: Decimal,
    source: str,
) -> RecoveryOffset:
    """Set part of a recovery of ``from_year`` (yuan) off against a month's prepayment (A19).

    Pushed down by the settlement's approved repayment plan, whose service checked the right; ``source`` names it once:
    the same again returns the held row. Refused when the month was already laid before the reviewer.
    """
    PoolingArea.objects.select_for_update(no_key=True).get(pk=alliance.county.pooling_area_id)
    held = RecoveryOffset.objects.filter(source=source).first()
    if held is not None:
        if (held.alliance_id, held.fund_type, held.month, held.amount) != (alliance.pk, fund_type, str(month), amount):
            raise Conflict(f"单据 {source} 已推送过不同的冲抵（{held.month}，{held.amount:,.2f} 元）。")
        return held
    line = (
        Prepayment.objects.select_related("batch")
        .filter(alliance=alliance, fund_type=fund_type, month=str(month))
        .first()
    )
    if line is not None and line.batch.state not in EDITABLE:
        raise Conflict(f"{line}{line.batch.get_state_display()}，不能再冲抵，请选以后的月份。")
    made = RecoveryOffset.objects.create(
        alliance=alliance,
        fund_type=fund_type,
        month=str(month),
        from_year=from_year,
        amount=amount,
        source=source,
        pushed_by=actor,
    )
    if line is not None:
        compute_amount(line, scheme_in_force(alliance, month.last_day).scheme)
        line.save()
        _attach_offsets(line)
    record(
        actor,
        "budgets.prepare_prepayment",
        made,
        f"{alliance} {from_year} 年应追回款 {amount:,.2f} 元冲抵 {month} {FundType(fund_type).label}预付",
        {"source": source, "amount": amount},
    )
    return made


@transaction.atomic
def withdraw_offset(actor: User, source: str, reason: str) -> bool:
    """Take a pushed set-off back that no approved prepayment has made yet; whether there was one.

    Pushed down by the settlement when its plan gives way. Refused while the month lies before the reviewer.
    """
    held = RecoveryOffset.objects.select_related("alliance__county", "line__batch").filter(source=source).first()
    if held is None or held.settled_at is not None:
        return False
    PoolingArea.objects.select_for_update(no_key=True).get(pk=held.alliance.county.pooling_area_id)
    line = held.line
    if line is not None and line.batch.state not in EDITABLE:
        raise Conflict(f"{line}{line.batch.get_state_display()}，其中的冲抵不能撤销，请先退回该批次。")
    record(
        actor,
        "budgets.prepare_prepayment",
        held,
        f"撤销 {held.alliance} {held.from_year} 年应追回款 {held.amount:,.2f} 元对 {held.month} 预付的冲抵：{reason}",
        {"source": source, "amount": held.amount},
        place=held.alliance,
    )
    held.delete()
    if line is not None:
        compute_amount(line, scheme_in_force(held.alliance, Month.parse(held.month).last_day).scheme)
        line.save()
        _attach_offsets(line)
    return True
