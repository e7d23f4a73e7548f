"""The life of a package version: draft → submitted → approved | returned | withdrawn; never by one person alone.

Approval registers the package on the control account of its book; an adjustment posts the difference to what the book
already holds. A closed year, a missing growth input and everything the worksheet refuses are refused here.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from budgets.models import (
    AdjustmentReason,
    BaseYear,
    GrowthState,
    Package,
    PackageKind,
    PackageState,
    PackageVersion,
    Prepayment,
)
from budgets.refusals import missing_text
from budgets.services.figures import PackageInputs
from budgets.services.worksheet import Worked, inputs_of, work_out
from core.access import different_person, require
from core.errors import Conflict, Problem, Refused
from core.files import store_evidence
from core.models import Alliance, Role, User
from core.notices import notify, notify_role
from core.trail import record
from ledger.accounts import Account
from ledger.reading import balance
from ledger.services import book_of, post, registering
from rules.money import ZERO


@transaction.atomic
def draft_package(
    actor: User,
    alliance: Alliance,
    year: int,
    fund_type: str,
    given: PackageInputs,
    evidence: Any = None,
) -> PackageVersion:
    """Work out and keep a new version: the initial package, or an adjustment once one was approved (R-016)."""
    require(actor, "budgets.prepare_package", alliance)
    worked = work_out(alliance, year, fund_type, given)
    Package.objects.get_or_create(alliance=alliance, year=year, fund_type=fund_type)
    package = _lock(alliance, year, fund_type)
    _refuse_closed(package)
    opened = package.versions.filter(state__in=("draft", "submitted", "returned")).first()
    if opened is not None:
        raise Conflict(f"{package}已有第 {opened.number} 版在办（{opened.get_state_display()}），请先办结或撤回。")
    kind = PackageKind.ADJUSTMENT if package.versions.approved().exists() else PackageKind.INITIAL
    stored = store_evidence(evidence, "package_evidence", actor) if evidence is not None else None
    _check_adjustment(kind, given, stored)
    number = (package.versions.aggregate(last=Max("number"))["last"] or 0) + 1
    version = PackageVersion.objects.create(
        package=package,
        number=number,
        kind=kind,
        evidence=stored,
        prepared_by=actor,
        prepared_at=timezone.now(),
        **worked.columns(),
    )
    _keep_years(version, worked)
    record(
        actor, "budgets.prepare_package", version, f"起草{version}，打包总额 {version.total:,.2f} 元", _figures(version)
    )
    return version


@transaction.atomic
def revise_package(actor: User, version: PackageVersion, given: PackageInputs, evidence: Any = None) -> PackageVersion:
    """Work a draft or returned version out again with other inputs."""
    require(actor, "budgets.prepare_package", version.alliance)
    worked = work_out(version.alliance, version.package.year, version.package.fund_type, given)
    version = lock_version(version)
    if not version.is_editable:
        raise _moved(version)
    _refuse_closed(version.package)
    stored = store_evidence(evidence, "package_evidence", actor) if evidence is not None else version.evidence
    _check_adjustment(version.kind, given, stored)
    for name, value in worked.columns().items():
        setattr(version, name, value)
    version.evidence = stored
    version.state, version.prepared_by, version.prepared_at = PackageState.DRAFT, actor, timezone.now()
    version.decided_by = version.decided_at = None
    version.save()
    _keep_years(version, worked)
    record(
        actor, "budgets.prepare_package", version, f"修改{version}，打包总额 {version.total:,.2f} 元", _figures(version)
    )
    return version


@transaction.atomic
def submit_package(actor: User, version: PackageVersion) -> PackageVersion:
    """Lay a version before the reviewer: needs a negotiation round (or why there is none) and unchanged data."""
    require(actor, "budgets.prepare_package", version.alliance)
    version = lock_version(version)
    if not version.is_editable:
        raise _moved(version)
    _refuse_closed(version.package)
    problems = []
    if not version.rounds.exists() and not version.no_negotiation_reason:
        text = "没有协商记录：打包总额须与医共体谈判协商（赣医保发〔2022〕23号 §四(二)）。"
        problems.append(Problem("谈判协商", "", text, "请登记至少一轮协商，或在编制页写明未协商的原因。"))
    now = work_out(version.alliance, version.package.year, version.package.fund_type, inputs_of(version))
    if now.fingerprint != version.fingerprint:
        text = "起草之后，上年度数据、收入预算增幅或方案参数已有变化。"
        problems.append(Problem("测算", "", text, "请打开编制页重新测算后再报审。"))
    if problems:
        raise Refused(problems)
    version.state, version.submitted_by, version.submitted_at = PackageState.SUBMITTED, actor, timezone.now()
    version.decided_by = version.decided_at = None
    version.save()
    notify_role(
        {Role.FUND_REVIEWER},
        version.alliance,
        f"{version}（{version.total:,.2f} 元）待审定。",
        version.get_absolute_url(),
    )
    record(
        actor, "budgets.prepare_package", version, f"报审{version}，打包总额 {version.total:,.2f} 元", _figures(version)
    )
    return version


@transaction.atomic
def approve_package(
    actor: User, version: PackageVersion, *, decided_on: date | None = None, note: str = ""
) -> PackageVersion:
    """A second person puts the version in force from ``decided_on`` (default today) and registers it in the book."""
    require(actor, "budgets.approve_package", version.alliance)
    version = lock_version(version)
    if version.state != PackageState.SUBMITTED:
        raise _moved(version)
    different_person(actor, version.submitted_by, "审定打包预算")
    different_person(actor, version.prepared_by, "审定打包预算")
    _refuse_closed(version.package)
    decided_on = decided_on or timezone.localdate()
    problems = _decision_problems(version, decided_on)
    if problems:
        raise Refused(problems)
    version.state, version.decided_by, version.decided_at = PackageState.APPROVED, actor, timezone.now()
    version.decided_on, version.decision_note = decided_on, note.strip()
    version.save()
    package, alliance = version.package, version.alliance
    book = book_of(alliance, package.fund_type)
    difference = version.total - balance(book, Account.PACKAGE, alliance=alliance, year=package.year)
    if difference != ZERO:
        post(
            actor,
            book,
            key=f"budgets.package:{version.pk}",
            on=decided_on,
            lines=registering(Account.PACKAGE, difference, alliance, package.year),
            memo=f"{package}第 {version.number} 版{'调整' if version.kind == PackageKind.ADJUSTMENT else '核定'}",
            source=version,
        )
    notify(
        [p for p in (version.prepared_by, version.submitted_by) if p], f"{version}已审定。", version.get_absolute_url()
    )
    notify_role(
        {Role.HOSPITAL_FINANCE},
        alliance,
        f"{version}已审定，打包总额 {version.total:,.2f} 元。",
        version.get_absolute_url(),
    )
    record(
        actor, "budgets.approve_package", version, f"审定{version}，打包总额 {version.total:,.2f} 元", _figures(version)
    )
    return version


@transaction.atomic
def return_package(actor: User, version: PackageVersion, reason: str) -> PackageVersion:
    """The reviewer sends a submitted version back with a reason."""
    require(actor, "budgets.approve_package", version.alliance)
    version = lock_version(version)
    if version.state != PackageState.SUBMITTED:
        raise _moved(version)
    problems = missing_text("退回原因", reason, "请写明要改什么。")
    if problems:
        raise Refused(problems)
    different_person(actor, version.submitted_by, "退回打包预算")
    different_person(actor, version.prepared_by, "退回打包预算")
    version.state, version.decided_by, version.decided_at = PackageState.RETURNED, actor, timezone.now()
    version.decision_note = reason.strip()
    version.save()
    people = [person for person in (version.prepared_by, version.submitted_by) if person]
    notify(people, f"{version}被退回：{version.decision_note}", version.get_absolute_url())
    record(actor, "budgets.approve_package", version, f"退回{version}：{version.decision_note}")
    return version


@transaction.atomic
def withdraw_package(actor: User, version: PackageVersion, reason: str) -> PackageVersion:
    """The officer takes an open version back for good; the number stays used."""
    require(actor, "budgets.prepare_package", version.alliance)
    version = lock_version(version)
    if not version.is_open:
        raise _moved(version)
    problems = missing_text("撤回原因", reason, "请写明为何撤回。")
    if problems:
        raise Refused(problems)
    version.state, version.decision_note = PackageState.WITHDRAWN, reason.strip()
    version.decided_by = version.decided_at = None
    version.save()
    record(actor, "budgets.prepare_package", version, f"撤回{version}：{version.decision_note}")
    return version


def close_year(actor: User, alliance: Alliance, year: int, fund_type: str) -> Package:
    """Close a settled year to new versions, prepayments and payments.

    Pushed down by the settlement inside its own transaction: that service has checked the right and records the trail.
    """
    package = _lock(alliance, year, fund_type)
    if package.closed_at is None:
        package.closed_at, package.closed_by = timezone.now(), actor
        package.save(update_fields=["closed_at", "closed_by"])
    return package


def reopen_year(actor: User, alliance: Alliance, year: int, fund_type: str) -> Package:
    """Open a closed year again for a correction; pushed down like :func:`close_year`."""
    package = _lock(alliance, year, fund_type)
    package.closed_at = package.closed_by = None
    package.save(update_fields=["closed_at", "closed_by"])
    return package


def refuse_closed_year(alliance: Alliance, year: int, fund_type: str) -> None:
    """``Refused`` if the year was settled for good."""
    package = Package.objects.filter(alliance=alliance, year=year, fund_type=fund_type).first()
    if package is not None:
        _refuse_closed(package)


def closed_problems(lines: Iterable[Prepayment]) -> list[Problem]:
    """One problem for each line whose year was settled for good; one query."""
    wanted = {(line.alliance_id, line.year, line.fund_type): line for line in lines}
    closed = Package.objects.filter(
        alliance__in={key[0] for key in wanted}, year__in={key[1] for key in wanted}, closed_at__isnull=False
    ).select_related("alliance")
    return [
        _closed_problem(package)
        for package in closed
        if (package.alliance_id, package.year, package.fund_type) in wanted
    ]


def lock_version(version: PackageVersion) -> PackageVersion:
    """The version and its package, locked in this order everywhere: package first."""
    Package.objects.select_for_update(no_key=True).get(pk=version.package_id)
    return (
        PackageVersion.objects.select_for_update(of=("self",), no_key=True)
        .select_related("package__alliance__county__pooling_area", "prepared_by")
        .get(pk=version.pk)
    )


def _lock(alliance: Alliance, year: int, fund_type: str) -> Package:
    return (
        Package.objects.select_for_update(of=("self",), no_key=True)
        .select_related("alliance__county__pooling_area")
        .get(alliance=alliance, year=year, fund_type=fund_type)
    )


def _refuse_closed(package: Package) -> None:
    if package.closed_at is not None:
        raise Refused([_closed_problem(package)])


def _closed_problem(package: Package) -> Problem:
    text = f"{package}所属年度已清算关账，不能再变动。"
    return Problem("年度", str(package.year), text, "确需更正的，请在年度清算中办理更正版本。")


def _moved(version: PackageVersion) -> Conflict:
    who = f"（{version.decided_by}）" if version.decided_by else ""
    return Conflict(
        [
            Problem(
                "状态",
                version.get_state_display(),
                f"{version}现为“{version.get_state_display()}”{who}，不能再办理此步。",
                "请刷新页面查看最新状态。",
            )
        ]
    )


def _check_adjustment(kind: str, given: PackageInputs, evidence: Any) -> None:
    if kind != PackageKind.ADJUSTMENT:
        return
    problems = []
    if given.adjustment_reason not in AdjustmentReason.values:
        text = "年中调整须属于政策调整、突发重大公共卫生事件或其他客观因素（赣医保发〔2022〕23号 §二(二)5）。"
        problems.append(Problem("调整事由", given.adjustment_reason, text, "请选择调整事由。"))
    problems += missing_text("调整说明", given.reason, "请写明何事、何时、影响多少。")
    if evidence is None:
        problems.append(Problem("依据附件", "", "年中调整没有依据附件。", "请上传文件或测算依据。"))
    if problems:
        raise Refused(problems)


def _decision_problems(version: PackageVersion, decided_on: date) -> list[Problem]:
    problems = []
    year = version.package.year
    if decided_on > timezone.localdate():
        problems.append(Problem("审定日期", str(decided_on), "审定日期不能晚于今天。", "请填写实际审定日期。"))
    if not year - 1 <= decided_on.year <= year + 1:
        problems.append(Problem("审定日期", str(decided_on), f"审定日期与 {year} 年度相距过远。", "请核对日期。"))
    earlier = version.package.versions.approved().order_by("-decided_on").first()
    if earlier is not None and earlier.decided_on is not None and decided_on < earlier.decided_on:
        text = f"审定日期早于第 {earlier.number} 版的审定日期 {earlier.decided_on}。"
        problems.append(Problem("审定日期", str(decided_on), text, "请填写之后的日期。"))
    if version.growth.state != GrowthState.APPROVED:
        text = "测算所用的收入预算增幅已被替换。"
        problems.append(Problem("收入预算增幅", str(version.growth.growth), text, "请退回经办按新的增幅重新测算。"))
    return problems


def _keep_years(version: PackageVersion, worked: Worked) -> None:
    version.base_years.all().delete()
    BaseYear.objects.bulk_create(
        BaseYear(
            version=version,
            year=used.year,
            in_alliance=used.in_alliance,
            out_of_county=used.out_of_county,
            source=used.source,
            note=used.note,
            measure=used.measure,
            fingerprint=used.fingerprint,
            factsets=list(used.factsets),
            data_to=used.data_to,
        )
        for used in worked.years
    )


def _figures(version: PackageVersion) -> dict[str, Any]:
    return {
        "total": version.total,
        "in_alliance": version.in_alliance,
        "out_of_county": version.out_of_county,
        "ceiling": version.ceiling,
        "applied_growth": version.applied_growth,
        "fingerprint": version.fingerprint,
    }
