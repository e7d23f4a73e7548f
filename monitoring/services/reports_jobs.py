"""Reports written by the clock: each month's end drafts the county's, and the city's once its counties are there.

Jobs only draft and refresh; a person comments and submits, another approves. Every run is idempotent.
"""

from __future__ import annotations

from datetime import date, timedelta

from django.utils import timezone

from core.errors import Refused
from core.jobs import JobRun, enqueue, job
from core.models import Alliance, County, PoolingArea, User
from monitoring.models import AnalysisReport, PlaceKind, PlaceMonth
from monitoring.models.reports import EDITABLE, OPEN_REPORTS, ReportState
from monitoring.reading.places import ref_of, refs_by_key
from monitoring.reading.reports import inputs_of
from monitoring.services.reports import draft_report
from rules.periods import Month
from rules.spans import HALF, MONTH, QUARTER, YEAR, Span

JOB = "monitoring.report"
DAYS_AHEAD = 7
"""This many days before the last day a summary is drafted even where months are missing: it then says what is missing."""


def spans_ending(month: Month) -> list[Span]:
    """The month, and the quarter, half-year and year that end with it."""
    return [Span.month(month), *(span for kind in (QUARTER, HALF, YEAR) if (span := Span.of(kind, month)).last == month)]


def month_step(alliance: Alliance, month: Month, _actor: User | None) -> str:
    """Draft or refresh the county's reports of the month and of the longer spans it ends; then ask for the city's."""
    county, told = alliance.county, []
    for span in [*spans_ending(month), *_open_spans(county, month)]:
        told.append(_draft(county, span))
    for span in spans_ending(month):
        if text := _ask_for_city(county.pooling_area, span):
            told.append(text)
    return "".join(told)


def look_for_summaries() -> None:
    """Asked by the clock: is a summary of the last quarter (half-year, year) due that nobody has drafted yet?"""
    for key, span in owed_summaries(timezone.localdate()):
        ask(key, span)


def owed_summaries(today: date) -> list[tuple[str, Span]]:
    """Places and spans without any report, once their last month is held or their last day is near."""
    ended = Month.of(today).previous()
    last = ended.plus(-(ended.month % 3))
    spans = [span for span in spans_ending(last) if span.kind != MONTH]
    counties = Alliance.objects.on(last.last_day).order_by().values_list("county_id", "county__pooling_area_id").distinct()
    places = {f"C{county}" for county, _area in counties} | {f"P{area}" for _county, area in counties}
    written = set(AnalysisReport.objects.filter(span__in=[str(span) for span in spans]).order_by().values_list("place", "span"))
    missing = [(key, span) for span in spans for key in sorted(places) if (key, str(span)) not in written]
    if not missing:
        return []
    held = PlaceMonth.objects.current().filter(
        kind__in=(PlaceKind.CITY, PlaceKind.COUNTY), year=last.year, month=last.month, declared=True
    )
    ready = set(held.order_by().values_list("place", flat=True))
    near = today + timedelta(days=DAYS_AHEAD) >= last.last_day + timedelta(days=15)
    return [(key, span) for key, span in missing if near or key in ready]


def ask(key: str, span: Span) -> None:
    """One job a place and span; the same data make no second run."""
    place = _place(key)
    enqueue(
        JOB, scope=key, period=str(span), params={"place": key, "span": str(span)}, fingerprint=inputs_of(place, span), place=place,
        label=f"起草分析报告 · {place} {span.text}",
    )  # fmt: skip


@job(JOB, label="起草分析报告")
def draft_job(run: JobRun) -> str:
    return draft_report(None, _place(run.params["place"]), Span.parse(run.params["span"])).text


def _draft(place: PoolingArea | County, span: Span) -> str:
    try:
        return draft_report(None, place, span).text
    except Refused as refusal:
        return f"{span.text}报告未起草：{refusal}"


def _open_spans(county: County, month: Month) -> list[Span]:
    """Spans with a draft that hold the month without ending with it."""
    rows = AnalysisReport.objects.filter(place=ref_of(county).key, state__in=EDITABLE, ends_on__gt=month.last_day)
    spans = [Span.parse(text) for text in rows.order_by("span").values_list("span", flat=True)]
    return [span for span in spans if span.year == month.year]


def _ask_for_city(area: PoolingArea, span: Span) -> str:
    counties = Alliance.objects.on(span.last.last_day).filter(county__pooling_area=area).order_by()
    keys = {f"C{pk}" for pk in counties.values_list("county_id", flat=True)}
    standing = (*OPEN_REPORTS, ReportState.ISSUED)
    written = set(AnalysisReport.objects.filter(place__in=keys, span=str(span), state__in=standing).values_list("place", flat=True))
    if keys - written:
        return f"全市{span.text}报告待另外 {len(keys - written)} 个县（区）起草后汇总。"
    ask(ref_of(area).key, span)
    return f"各县（区）已齐，全市{span.text}报告已安排起草或刷新。"


def _place(key: str) -> PoolingArea | County:
    found = refs_by_key([key])[key]
    if found.kind == PlaceKind.CITY:
        return PoolingArea.objects.get(pk=found.pk)
    return County.objects.select_related("pooling_area").get(pk=found.pk)
