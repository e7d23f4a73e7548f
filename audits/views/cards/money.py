"""The card 金额: by fund type what was decided, refused, repaid, deducted and is still owed; the fine beside it."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from audits.models import Case, FinePayment, Recovered
from audits.reading.money import CaseMoney, FundMoney, case_money, fine_position
from audits.registries import Card
from audits.states import IN_FORCE_TRACKS, TrackKind
from audits.views.money_panel import FINE_ACTS, MONEY_ACTS, REMEDY_ACTS, act_forms


def money_card(request: Any, case: Case, opened: str, form: Any) -> Card | None:
    """The same figures for the bureau and for the provider; acts for who may do them."""
    held = case_money(case)
    tracks = list(case.tracks.all())
    penalty = next((track for track in tracks if track.kind == TrackKind.PENALTY and track.state in IN_FORCE_TRACKS), None)
    if not held.rows and penalty is None:
        return None
    acts: list[Any] = []
    for track in tracks:
        track.case = case
        if track.state not in IN_FORCE_TRACKS:
            continue
        wanted: tuple[str, ...] = REMEDY_ACTS
        wanted = (*FINE_ACTS, *wanted) if track.kind == TrackKind.PENALTY else wanted
        wanted = (*MONEY_ACTS, *wanted) if track.holds_money else wanted
        acts += [(track, one) for one in act_forms(request.user, track, wanted, opened, form)]
    fine = fine_position(penalty) if penalty is not None and penalty.fine else None
    context = {
        "money": held,
        "money_rows": [(row, _due_text(row)) for row in held.rows],
        "money_heads": _heads(held),
        "money_moves": _moves(held),
        "money_today": timezone.localdate(),
        "money_acts": acts,
        "money_several": len({track.pk for track, _one in acts}) > 1,
        "fine": fine,
        "fine_moves": _payments(fine.payments) if fine else [],
        "remedies": [row for track in tracks for row in track.remedies.all()],
    }
    return Card("audits/cards/money.html", context)


def _heads(held: CaseMoney) -> dict[str, str]:
    refused = sorted({year for row in held.rows for year in row.refused_years})
    recovery = sorted({year for row in held.rows for year in row.recovery_years})
    words = {"refused": ("拒付", refused), "recovery": ("应追回", recovery)}
    return {key: f"{label}（{'、'.join(map(str, years))} 年费用）" if years else label for key, (label, years) in words.items()}


def _due_text(row: FundMoney) -> str:
    """已结清 once nothing of a recovery is owed any more; empty while the day counts."""
    return "已结清" if row.recovery and not row.outstanding else ""


def _moves(held: CaseMoney) -> list[dict[str, Any]]:
    return [_move(row) for row in held.receipts]


def _move(row: Recovered) -> dict[str, Any]:
    undone = row.reverses_id is not None or getattr(row, "reversed_by", None) is not None
    return {
        "on": row.on, "kind": f"冲销{row.get_kind_display()}" if row.reverses_id else row.get_kind_display(),
        "fund": row.amount_row.fund_type, "year": row.amount_row.year, "amount": row.amount, "reference": row.reference,
        "by": row.by, "settlement_year": row.settlement_year, "undone": undone, "reason": row.reason,
    }  # fmt: skip


def _payments(payments: tuple[FinePayment, ...]) -> list[dict[str, Any]]:
    return [
        {"on": row.paid_on, "kind": row.get_kind_display(), "amount": row.amount, "reference": row.reference}
        for row in payments
    ]
