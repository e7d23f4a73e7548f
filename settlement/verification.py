"""Does every stored settlement still say what it said, and do the books agree with it? Part of ``manage.py verify``.

Each computation is recomputed from its frozen inputs and the thawed scheme to the same fen, its digest compared with
the trail, the version's state with its last change, each change with the trail, and the control accounts and 暂付款
with what the statements and bookings leave standing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core.errors import Refused
from core.models import TrailEvent
from core.policies import thaw
from core.registries import Finding
from ledger.accounts import Account
from ledger.models import Line
from rules.errors import RuleError
from rules.money import ZERO
from settlement import posting
from settlement.frozen import YearInputs, fingerprint_of, settled
from settlement.models import Booking, Computation, Settlement, SettlementVersion, StateChange
from settlement.models.computations import MONEY_NAMES
from settlement.services.computing import result_fields
from settlement.services.steps import trail_data
from settlement.states import FINAL_STATES, Act

VERSION_LABEL = SettlementVersion._meta.label_lower
LABELS = {field.name: field.verbose_name for field in Computation._meta.fields}
SIGNED = {
    Act.REVIEW: "reviewed_by_id",
    Act.SEND: "sent_by_id",
    Act.CONFIRM: "confirmed_by_id",
    Act.FINALISE: "finalised_by_id",
}


def verify_settlements() -> list[Finding]:
    """Every finding, in the order of the settlements."""
    findings: list[Finding] = []
    settlements = Settlement.objects.select_related("alliance__county__pooling_area").prefetch_related(
        "versions__computations__policy_version", "versions__changes", "versions__bookings", "versions__computation"
    )
    for settlement in settlements:
        versions = sorted(settlement.versions.all(), key=lambda version: version.number)
        for version in versions:
            version.settlement = settlement
            findings.extend(_verify_version(version))
        findings.extend(_verify_books(settlement, versions))
    return findings


def _verify_version(version: SettlementVersion) -> Iterator[Finding]:
    where = f"{version.settlement.number} 第 {version.number} 版"
    events = {
        event.data.get("change"): event.data
        for event in TrailEvent.objects.filter(subject_type=VERSION_LABEL, subject_id=str(version.pk))
        if "change" in event.data
    }
    computations = sorted(version.computations.all(), key=lambda one: one.number)
    for computation in computations:
        yield from _verify_computation(f"{where}第 {computation.number} 次计算", computation, events)
    if version.computation_id != (computations[-1].pk if computations else None):
        yield Finding(where, "现行计算不是最近一次计算")
    yield from _verify_changes(where, version, events)


def _verify_computation(where: str, computation: Computation, events: dict[Any, dict[str, Any]]) -> Iterator[Finding]:
    if computation.digest != computation.computed_digest():
        yield Finding(where, "内容与校验值不符，已被改动")
    if all(event.get("digest") != computation.digest for event in events.values()):
        yield Finding(where, "校验值与轨迹所记不符，已被改动")
    if computation.fingerprint != fingerprint_of(computation.inputs):
        yield Finding(where, "冻结的输入与输入指纹不符")
    try:
        again = result_fields(settled(YearInputs.from_json(computation.inputs), thaw(computation.inputs["scheme"])))
    except (RuleError, Refused, KeyError, TypeError, ValueError, ArithmeticError) as error:
        yield Finding(where, f"不能由冻结的输入复算：{error}")
        return
    for name in MONEY_NAMES:
        if again[name] != getattr(computation, name):
            label = LABELS[name]
            yield Finding(where, f"{label} 复算得 {again[name]}，存为 {getattr(computation, name)}")
    for name, title in (("outcome", "结果"), ("label", "落档"), ("ratio", "比率"), ("result", "逐项、分档或计算步骤")):
        if again[name] != getattr(computation, name):
            yield Finding(where, f"{title}与复算不同")
    if any(not item["holds"] for item in computation.result["identities"]):
        yield Finding(where, "勾稽关系不成立")


def _verify_changes(where: str, version: SettlementVersion, events: dict[Any, dict[str, Any]]) -> Iterator[Finding]:
    changes: list[StateChange] = sorted(version.changes.all(), key=lambda change: change.pk)
    computations = {one.pk: one for one in version.computations.all()}
    if not changes or changes[-1].target != version.state:
        yield Finding(where, f"状态“{version.get_state_display()}”与办理记录不符")
    for change in changes:
        told = dict(events.get(change.pk, {}))
        expected = trail_data(change, computations.get(change.computation_id or 0))
        if any(told.get(name) != value for name, value in expected.items()):
            yield Finding(where, f"办理记录“{change.get_act_display()}”与轨迹不符，已被改动或缺失")
    missing = set(events) - {change.pk for change in changes}
    if missing:
        yield Finding(where, f"轨迹中有 {len(missing)} 条办理记录已不在清算单上")
    for act, field in SIGNED.items():
        signed = getattr(version, field)
        actors = {change.actor_id for change in changes if change.act == act}
        if signed is not None and signed not in actors:
            yield Finding(where, f"“{Act(act).label}”的签署人与办理记录不符")


def _verify_books(settlement: Settlement, versions: list[SettlementVersion]) -> Iterator[Finding]:
    final = [version for version in versions if version.state in FINAL_STATES]
    where = settlement.number
    owed = ZERO
    if final:
        owed = posting.outstanding(final[-1].figures, posting.position(settlement))
    for account, expected in (
        (Account.SETTLEMENT_PAYABLE, max(owed, ZERO)),
        (Account.RECOVERY_RECEIVABLE, max(-owed, ZERO)),
    ):
        held = posting.control_balance(settlement, account)
        if held != expected:
            yield Finding(where, f"备查账“{account.label}”余额 {held}，应为 {expected}")
    booked = [booking for version in versions for booking in version.bookings.all() if booking.kind == "offset"]
    if booked and sum((booking.amount for booking in booked), ZERO) > posting.moved_by_offsets(settlement):
        yield Finding(where, "登记的抵扣多于预付批次实际抵扣")
    for version in versions:
        for booking in sorted(version.bookings.all(), key=lambda one: one.pk):
            yield from _verify_booking(f"{where} {booking}", settlement, booking)


def _verify_booking(where: str, settlement: Settlement, booking: Booking) -> Iterator[Finding]:
    lines = list(Line.objects.filter(entry=booking.fund_entry_id).values_list("account", "year", "amount"))
    benefits = [(year, amount) for account, year, amount in lines if account == Account.BENEFITS_PACKAGED]
    recognised = sum((amount for year, amount in benefits if year == settlement.year), ZERO)
    deducted = -sum((amount for year, amount in benefits if year != settlement.year), ZERO)
    bank = -sum((amount for account, _year, amount in lines if account == Account.EXPENDITURE_ACCOUNT), ZERO)
    expected = {"payment": booking.amount, "recovery": -booking.amount}.get(booking.kind, ZERO)
    if (recognised, deducted, bank) != (booking.recognised, booking.deducted, expected):
        yield Finding(where, "与基金账凭证不符")
