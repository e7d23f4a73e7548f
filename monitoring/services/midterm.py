"""Preparing, revising and approving the medium-term estimate of a city's or county's fund (R-019)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from core.access import different_person, require
from core.errors import Conflict, Problem, Refused, need_reason
from core.models import County, FundType, PoolingArea, Role, User
from core.models.places import Place, pooling_area_of
from core.notices import notify, notify_role
from core.trail import record
from monitoring.models import MidtermEstimate, MidtermState
from monitoring.reading.midterm import FundPast, fund_pasts
from monitoring.reading.places import ref_of
from rules.errors import RuleError
from rules.midterm import BASE_LABELS, Assumptions, BaseYear, MidTerm, Suggestion, estimate_all, suggest
from rules.trace import text_of

PREPARE, DECIDE = "monitoring.prepare_midterm", "monitoring.decide_midterm"
EDITABLE = (MidtermState.DRAFT, MidtermState.RETURNED)
BASIS_MIN = 10


def past_of(place: Place, fund_type: str, last: int) -> FundPast:
    """The delivered whole years up to ``last`` that an estimate may start from."""
    ref = ref_of(place)
    return fund_pasts([ref], [fund_type], last)[(ref.key, fund_type)]


def suggestion_of(past: FundPast) -> Suggestion | None:
    """Assumptions suggested from delivered years; None without any."""
    return suggest(past.years) if past.years else None


@transaction.atomic
def prepare_midterm(
    actor: User, place: Place, fund_type: str, base: BaseYear, scenarios: Mapping[str, Assumptions], horizon: int, basis: str
) -> MidtermEstimate:
    """A new version in draft. Raises ``Refused`` with every wrong figure, ``Conflict`` while another draft is open."""
    require(actor, PREPARE, place)
    if fund_type not in FundType.values:
        raise Refused([Problem("fund_type", fund_type, "职工与居民须分别测算，不能合并。", "请选择一个险种。")])
    _lock(place)
    key = ref_of(place).key
    same = MidtermEstimate.objects.filter(place_key=key, fund_type=fund_type, base_year=base.year)
    waiting = same.filter(state=MidtermState.DRAFT).first()
    if waiting is not None:
        raise Conflict(
            [Problem("base_year", str(base.year), f"{waiting}正在等待审定，不能再编一版。", "请先修改或审定那一版。")]
        )
    last = same.order_by("-version").values_list("version", flat=True).first()
    made = MidtermEstimate(
        pooling_area=pooling_area_of(place),
        county=place if isinstance(place, County) else None,
        place_key=key,
        fund_type=fund_type,
        base_year=base.year,
        version=(last or 0) + 1,
    )
    _fill(actor, made, base, scenarios, horizon, basis)
    made.save(force_insert=True)
    _tell_reviewers(made)
    record(actor, PREPARE, made, f"编制{made}", _told(made), place=place)
    return made


@transaction.atomic
def revise_midterm(
    actor: User, estimate: MidtermEstimate, base: BaseYear, scenarios: Mapping[str, Assumptions], horizon: int, basis: str
) -> MidtermEstimate:
    """Change a version that is not approved yet; it waits for its approval (again)."""
    require(actor, PREPARE, estimate.place)
    now = _locked(estimate, EDITABLE, "修改")
    if base.year != now.base_year:
        text = f"这一版的基期是 {now.base_year} 年，不能改成 {base.year} 年。"
        raise Refused([Problem("base_year", str(base.year), text, "换基期请另编一版。")])
    others = MidtermEstimate.objects.filter(
        place_key=now.place_key, fund_type=now.fund_type, base_year=now.base_year, state=MidtermState.DRAFT
    ).exclude(pk=now.pk)
    if others.exists():
        raise Conflict([Problem("state", "", "同一基期的另一版正在等待审定。", "请先审定或退回那一版。")])
    _fill(actor, now, base, scenarios, horizon, basis)
    now.state, now.return_reason, now.decided_by, now.decided_at = MidtermState.DRAFT, "", None, None
    now.save()
    _tell_reviewers(now)
    record(actor, PREPARE, now, f"修改{now}", _told(now), place=now.place)
    return now


@transaction.atomic
def approve_midterm(actor: User, estimate: MidtermEstimate) -> MidtermEstimate:
    """Put a version in force; the approved one of the same place, fund type and base year is kept as replaced."""
    require(actor, DECIDE, estimate.place)
    now = _locked(estimate, (MidtermState.DRAFT,), "审定")
    different_person(actor, now.prepared_by, "审定中期收支测算")
    MidtermEstimate.objects.filter(
        place_key=now.place_key, fund_type=now.fund_type, base_year=now.base_year, state=MidtermState.APPROVED
    ).update(state=MidtermState.REPLACED)
    _decide(actor, now, MidtermState.APPROVED, "")
    notify([now.prepared_by], f"{now}已审定。", now.get_absolute_url())
    record(actor, DECIDE, now, f"审定{now}", _told(now), place=now.place)
    return now


@transaction.atomic
def return_midterm(actor: User, estimate: MidtermEstimate, reason: str) -> MidtermEstimate:
    """Send a draft back with a reason; its preparer revises it."""
    require(actor, DECIDE, estimate.place)
    now = _locked(estimate, (MidtermState.DRAFT,), "退回")
    different_person(actor, now.prepared_by, "退回中期收支测算")
    need_reason(reason)
    _decide(actor, now, MidtermState.RETURNED, reason.strip())
    notify([now.prepared_by], f"{now}被退回：{now.return_reason}", now.get_absolute_url())
    record(actor, DECIDE, now, f"退回{now}：{now.return_reason}", {"reason": now.return_reason}, place=now.place)
    return now


def base_of(estimate: MidtermEstimate) -> BaseYear:
    """The base year of a stored version."""
    return BaseYear(
        year=estimate.base_year,
        heads=int(estimate.base["heads"]),
        **{name: Decimal(estimate.base[name]) for name in BASE_LABELS if name != "heads"},
    )


def scenarios_of(estimate: MidtermEstimate) -> dict[str, Assumptions]:
    """The assumptions of a stored version."""
    return {key: assumptions_of(held) for key, held in estimate.scenarios.items()}


def assumptions_of(held: Mapping[str, str]) -> Assumptions:
    return Assumptions(**{each.name: Decimal(held[each.name]) for each in fields(Assumptions)})


def computed(estimate: MidtermEstimate) -> dict[str, Any]:
    """What the stored inputs come to today: equal to ``results`` unless the formula or a row was changed."""
    return _results(estimate_all(base_of(estimate), scenarios_of(estimate), estimate.horizon))


def _fill(
    actor: User,
    made: MidtermEstimate,
    base: BaseYear,
    scenarios: Mapping[str, Assumptions],
    horizon: int,
    basis: str,
) -> None:
    problems = []
    last_over = timezone.localdate().year - 1
    if not 2000 <= base.year <= last_over:
        problems.append(Problem("base_year", str(base.year), f"基期须是已结束的年度（{last_over} 年或以前）。", "请重新选择基期。"))
    if len(basis.strip()) < BASIS_MIN:
        problems.append(Problem("basis", basis.strip(), "没有写明假设依据。", f"请至少写 {BASIS_MIN} 个字，说明各项增长的依据。"))
    try:
        found = estimate_all(base, scenarios, horizon)
    except RuleError as error:
        raise Refused([*problems, *(Problem(*each) for each in error.problems)]) from error
    if problems:
        raise Refused(problems)
    past = past_of(made.place, made.fund_type, base.year)
    delivered = next((row.base for row in past.years if row.base.year == base.year), None)
    suggested = suggestion_of(past)
    made.base = {name: text_of(getattr(base, name)) for name in BASE_LABELS}
    made.typed = [name for name in BASE_LABELS if delivered is None or getattr(delivered, name) != getattr(base, name)]
    made.scenarios = {key: _texts(given) for key, given in scenarios.items()}
    made.suggested = (
        {
            "scenarios": {key: _texts(given) for key, given in suggested.scenarios.items()},
            "trace": suggested.trace.as_json(),
            "gaps": list(past.gaps),
        }
        if suggested
        else {"scenarios": {}, "trace": [], "gaps": list(past.gaps)}
    )
    made.horizon, made.basis, made.results = horizon, basis.strip(), _results(found)
    made.prepared_by, made.prepared_at = actor, timezone.now()


def _results(found: Mapping[str, MidTerm]) -> dict[str, Any]:
    return {
        key: {
            "years": [
                {
                    **{name: text_of(value) if isinstance(value, Decimal) else value for name, value in asdict(line).items()},
                    "income": text_of(line.income),
                    "spending": text_of(line.spending),
                    "result": text_of(line.result),
                }
                for line in result.years
            ],
            "runs_out": str(result.runs_out or ""),
            "trace": result.trace.as_json(),
        }
        for key, result in found.items()
    }


def _texts(given: Assumptions) -> dict[str, str]:
    return {name: text_of(value) for name, value in asdict(given).items()}


def _lock(place: Place) -> None:
    area = pooling_area_of(place)
    assert area is not None  # an estimate is a city's or a county's
    PoolingArea.objects.select_for_update(no_key=True).get(pk=area.pk)


def _locked(estimate: MidtermEstimate, states: tuple[str, ...], act: str) -> MidtermEstimate:
    _lock(estimate.place)
    now = MidtermEstimate.objects.select_for_update(of=("self",), no_key=True).with_places().get(pk=estimate.pk)
    if now.state not in states:
        who = f"（{now.decided_by}）" if now.decided_by else ""
        text = f"{now}现在是“{now.get_state_display()}”{who}，不能{act}。"
        raise Conflict([Problem("state", now.get_state_display(), text, "请刷新页面；要更改已审定的测算，请另编一版。")])
    return now


def _decide(actor: User, now: MidtermEstimate, state: str, reason: str) -> None:
    now.state, now.decided_by, now.decided_at, now.return_reason = state, actor, timezone.now(), reason
    now.save(update_fields=["state", "decided_by", "decided_at", "return_reason"])


def _tell_reviewers(made: MidtermEstimate) -> None:
    notify_role({Role.FUND_REVIEWER}, made.place, f"{made}待审定。", made.get_absolute_url())


def _told(made: MidtermEstimate) -> dict[str, Any]:
    return {
        "base_year": made.base_year,
        "horizon": made.horizon,
        "version": made.version,
        "balances": {key: str(made.last_balance(key)) for key in made.results},
    }
