"""Dividing a package's in-alliance part among the members: draft, submit, approve; sums exactly to the part.

Primary units are managed by budget execution without a quota (seed 000 §四(七), R-021): their amount is a reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from budgets.models import AllocationState, AllocationVersion, MemberAllocation, Package, PackageState, PackageVersion
from budgets.refusals import missing_text, refused
from budgets.services.figures import policy_day
from budgets.services.packages import refuse_closed_year
from budgets.services.worksheet import scope_of_version
from claims.reading import member_spending
from core.access import different_person, require
from core.errors import Conflict, Problem, Refused
from core.models import Institution, Role, User
from core.notices import notify, notify_role
from core.trail import record
from rules.budget import Member, allocate_members
from rules.errors import RuleError
from rules.money import ZERO, exact

EDITABLE = (AllocationState.DRAFT, AllocationState.RETURNED)
OPEN = (*EDITABLE, AllocationState.SUBMITTED)


def proposed_weights(version: PackageVersion) -> dict[int, Decimal]:
    """Last year's fund spending of each present member (yuan) by institution id; members without spending weigh 0."""
    package = version.package
    lines = member_spending(package.alliance, package.year - 1, package.fund_type, scope_of_version(version))
    spent = {line.institution.pk: line.amount for line in lines}
    return {member.pk: max(spent.get(member.pk, ZERO), ZERO) for member in members_of(version)}


def members_of(version: PackageVersion) -> list[Institution]:
    """The members today within the package year, else on its nearest day."""
    package = version.package
    return list(Institution.objects.members_of(package.alliance, policy_day(package.year)).order_by("code"))


@transaction.atomic
def draft_allocation(
    actor: User, version: PackageVersion, *, amounts: Mapping[int, Decimal] | None = None, note: str = ""
) -> AllocationVersion:
    """Make or rework the open allocation of a package.

    ``amounts`` (yuan by institution id) are typed and must add up exactly; None divides by last year's spending.
    """
    require(actor, "budgets.prepare_allocation", version.alliance)
    package = _locked_package(version.package)
    refuse_closed_year(package.alliance, package.year, package.fund_type)
    if version.state == PackageState.WITHDRAWN:
        raise Conflict("该打包预算版本已撤回，不能据此分配。")
    members = {member.pk: member for member in members_of(version)}
    weights = proposed_weights(version)
    lines, trace = _by_weight(version, members, weights) if amounts is None else _typed(version, members, amounts)
    opened = package.allocations.filter(state__in=OPEN).first()
    if opened is not None and opened.state == AllocationState.SUBMITTED:
        raise Conflict(f"{opened}待审定，不能再改。请先由复核退回。")
    if opened is None:
        number = (package.allocations.aggregate(last=Max("number"))["last"] or 0) + 1
        opened = AllocationVersion(package=package, number=number)
    opened.package_version, opened.total, opened.trace = version, version.in_alliance, trace
    opened.method, opened.note = "weights" if amounts is None else "typed", note.strip()
    opened.state, opened.prepared_by, opened.prepared_at = AllocationState.DRAFT, actor, timezone.now()
    opened.decided_by = opened.decided_at = None
    opened.save()
    opened.lines.all().delete()
    MemberAllocation.objects.bulk_create(
        MemberAllocation(
            version=opened,
            institution=members[pk],
            weight=weights.get(pk),
            amount=amount,
            is_quota=not members[pk].is_primary,
        )
        for pk, amount in lines.items()
    )
    record(actor, "budgets.prepare_allocation", opened, f"编制{opened}，合计 {opened.total:,.2f} 元，{len(lines)} 户")
    return opened


@transaction.atomic
def submit_allocation(actor: User, allocation: AllocationVersion) -> AllocationVersion:
    """Lay an allocation before the reviewer; it must still add up to the in-alliance part of its package version."""
    require(actor, "budgets.prepare_allocation", allocation.alliance)
    allocation = _locked(allocation, EDITABLE)
    total = sum((line.amount for line in allocation.lines.all()), ZERO)
    if total != allocation.package_version.in_alliance:
        text = f"成员合计 {total:,.2f} 元与医共体内部分 {allocation.package_version.in_alliance:,.2f} 元不符。"
        raise Refused([Problem("成员分配", str(total), text, "请重新编制后报审。")])
    allocation.state, allocation.submitted_by = AllocationState.SUBMITTED, actor
    allocation.submitted_at = timezone.now()
    allocation.save()
    notify_role({Role.FUND_REVIEWER}, allocation.alliance, f"{allocation}待审定。", allocation.get_absolute_url())
    record(actor, "budgets.prepare_allocation", allocation, f"报审{allocation}，合计 {allocation.total:,.2f} 元")
    return allocation


@transaction.atomic
def approve_allocation(actor: User, allocation: AllocationVersion) -> AllocationVersion:
    """A second person approves; the package version it divides must be in force."""
    require(actor, "budgets.approve_allocation", allocation.alliance)
    allocation = _locked(allocation, (AllocationState.SUBMITTED,))
    different_person(actor, allocation.submitted_by, "审定成员分配")
    different_person(actor, allocation.prepared_by, "审定成员分配")
    current = allocation.package.versions.approved().order_by("-number").first()
    if current is None or current.pk != allocation.package_version_id:
        text = f"成员分配依据的是第 {allocation.package_version.number} 版，不是在执行的打包预算版本。"
        raise Refused([Problem("打包预算版本", "", text, "请先审定打包预算，或按在执行版本重新编制分配。")])
    _decide(actor, allocation, AllocationState.APPROVED, "")
    notify([allocation.prepared_by], f"{allocation}已审定。", allocation.get_absolute_url())
    notify_role({Role.HOSPITAL_FINANCE}, allocation.alliance, f"{allocation}已审定。", allocation.get_absolute_url())
    record(actor, "budgets.approve_allocation", allocation, f"审定{allocation}，合计 {allocation.total:,.2f} 元")
    return allocation


@transaction.atomic
def return_allocation(actor: User, allocation: AllocationVersion, reason: str) -> AllocationVersion:
    require(actor, "budgets.approve_allocation", allocation.alliance)
    allocation = _locked(allocation, (AllocationState.SUBMITTED,))
    problems = missing_text("退回原因", reason, "请写明要改什么。")
    if problems:
        raise Refused(problems)
    different_person(actor, allocation.submitted_by, "退回成员分配")
    different_person(actor, allocation.prepared_by, "退回成员分配")
    _decide(actor, allocation, AllocationState.RETURNED, reason.strip())
    notify([allocation.prepared_by], f"{allocation}被退回：{reason.strip()}", allocation.get_absolute_url())
    record(actor, "budgets.approve_allocation", allocation, f"退回{allocation}：{reason.strip()}")
    return allocation


def _by_weight(
    version: PackageVersion, members: Mapping[int, Institution], weights: Mapping[int, Decimal]
) -> tuple[dict[int, Decimal], list[dict[str, object]]]:
    listed = [
        Member(member.code, member.name, weights.get(pk, ZERO), member.is_primary) for pk, member in members.items()
    ]
    try:
        divided = allocate_members(version.in_alliance, listed)
    except RuleError as error:
        raise refused(error) from error
    by_code = {part.code: part.amount for part in divided.parts}
    return {pk: by_code[member.code] for pk, member in members.items()}, divided.trace.as_json()


def _typed(
    version: PackageVersion, members: Mapping[int, Institution], amounts: Mapping[int, Decimal]
) -> tuple[dict[int, Decimal], list[dict[str, object]]]:
    problems = []
    for pk, amount in amounts.items():
        if pk not in members:
            problems.append(Problem("成员单位", str(pk), "该机构不是本医共体的成员单位。", "请核对成员名单。"))
            continue
        try:
            if exact(amount, members[pk].name) < 0:
                problems.append(Problem(members[pk].name, str(amount), "分配额不能为负数。", "请改正金额。"))
        except RuleError as error:
            problems += refused(error).problems
    absent = [member.name for pk, member in members.items() if pk not in amounts]
    if absent:
        problems.append(Problem("成员单位", "、".join(absent[:5]), "有成员单位没有填写分配额。", "没有的请填 0。"))
    total = sum(amounts.values(), ZERO)
    if not problems and total != version.in_alliance:
        difference = total - version.in_alliance
        text = f"成员合计 {total:,.2f} 元与医共体内部分 {version.in_alliance:,.2f} 元相差 {difference:,.2f} 元。"
        problems.append(Problem("成员分配", str(total), text, "请调整到分毫不差。"))
    if problems:
        raise Refused(problems)
    return dict(amounts), []


def _locked_package(package: Package) -> Package:
    return (
        Package.objects.select_for_update(of=("self",), no_key=True)
        .select_related("alliance__county__pooling_area")
        .get(pk=package.pk)
    )


def _locked(allocation: AllocationVersion, wanted: tuple[AllocationState, ...]) -> AllocationVersion:
    _locked_package(allocation.package)
    found = (
        AllocationVersion.objects.select_for_update(of=("self",), no_key=True)
        .select_related("package__alliance__county__pooling_area", "package_version", "prepared_by")
        .get(pk=allocation.pk)
    )
    if found.state not in wanted:
        raise Conflict(f"{found}现为“{found.get_state_display()}”，不能再办理此步。请刷新页面。")
    return found


def _decide(actor: User, allocation: AllocationVersion, state: str, note: str) -> None:
    allocation.state, allocation.decided_by, allocation.decided_at = state, actor, timezone.now()
    allocation.decision_note = note
    allocation.save()
