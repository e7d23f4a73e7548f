"""Figures in the background: the month-end step, one job a county for what is behind, and the look that starts it."""

from __future__ import annotations

from django.utils import timezone

from claims import reading as claims
from core.jobs import JobRun, enqueue, job
from core.models import Alliance, County, User
from monitoring.services.computing import compute_county_month
from monitoring.services.outdated import outdated, prepaid_later, with_followers
from rules.periods import Month

JOB = "monitoring.figures"
MONTHS_BACK = 24


def month_end_step(alliance: Alliance, month: Month, actor: User | None) -> str:
    """The county's month and every month of the two years before that stands on something older than what is held."""
    county = alliance.county
    behind = [found for found in outdated({county.pk}).get(county.pk, []) if month.plus(-MONTHS_BACK) <= found < month]
    months = _in_order(county, behind, before=month)
    months += [found for found in prepaid_later(county, month) if found not in months]
    texts = []
    for found in [*months, month]:
        outcome = compute_county_month(county, found, actor)
        if outcome.written or found == month:
            texts.append(outcome.text)
    return "".join(texts)


@job(JOB, label="指标计算")
def compute_behind(run: JobRun) -> str:
    """Every month of a county that is behind, oldest first; a second run finds nothing to do."""
    county = County.objects.select_related("pooling_area").get(code=run.params["county"])
    months = _in_order(county, outdated({county.pk}).get(county.pk, []))
    written = 0
    for done, month in enumerate(months, start=1):
        written += compute_county_month(county, month, run.actor).written
        run.progress(done, len(months), str(month))
    return f"{county}：重算 {len(months)} 个月，写入 {written} 行。" if months else f"{county}：没有需要重算的月份。"


def enqueue_county(county: County, actor: User | None = None) -> None:
    """Bring a county's figures up to date in the background."""
    enqueue(
        JOB, scope=county.code, period=str(timezone.localdate()), params={"county": county.code}, actor=actor,
        place=county, label=f"指标计算 · {county}",
    )  # fmt: skip


def look_for_outdated() -> None:
    """Asked by the clock: do facts, reports, packages or tables say more than the figures?"""
    behind = outdated()
    for county in County.objects.filter(pk__in=behind).order_by("code"):
        enqueue_county(county)


def _in_order(county: County, months: list[Month], before: Month | None = None) -> list[Month]:
    if not months:
        return []
    held = [month for _county, month in claims.month_sources({county.pk})]
    return [month for month in with_followers(months, held) if before is None or month < before]
