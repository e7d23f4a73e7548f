"""Template filters and tags of every page: money, ratios, dates, days left, sorting, icons, tier scale.

Filters take plain values (Decimal yuan, ratios as fractions, dates) and give Chinese display text; blank is never zero, it
is shown as a dash. Rounding for display of 万元 goes through `rules.money`, the one place that rounds money.
It decides nothing; deadlines are counted by `core.working_days`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from django import template
from django.core.paginator import Page
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect, Select
from django.http import QueryDict
from django.template import Context
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from rules.money import round_fen

register = template.Library()

BLANK = "—"
MINUS = "−"
FUND_LABELS = {"EMP": "职工", "RES": "居民"}
SOON_WORKING_DAYS = 3
CALENDAR_SPAN = timedelta(days=400)


def _decimal(value: Any) -> Decimal | None:
    """The value as Decimal, or None when it is blank or no number. Floats are taken by their shortest text."""
    if value is None or value == "" or isinstance(value, bool):
        return None
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _grouped(number: Decimal, places: int) -> str:
    text = f"{abs(number):,.{places}f}"
    return f"{MINUS}{text}" if number < 0 and Decimal(text.replace(",", "")) else text


@register.filter
def yuan(value: Any) -> str:
    """Decimal yuan as `1,234.56`; blank as a dash."""
    number = _decimal(value)
    return BLANK if number is None else _grouped(round_fen(number), 2)


@register.filter
def wan(value: Any) -> str:
    """Decimal yuan as 万元 with two decimals, for cards and charts: 300000000 gives `30,000.00`."""
    number = _decimal(value)
    return BLANK if number is None else _grouped(round_fen(number / 10000), 2)


@register.filter
def percent(value: Any, places: int = 2) -> str:
    """A ratio as a fraction (0.763) in percent: `76.30%`."""
    number = _decimal(value)
    if number is None:
        return BLANK
    step = Decimal(1).scaleb(-places)
    return f"{_grouped((number * 100).quantize(step, rounding=ROUND_HALF_UP), places)}%"


@register.filter
def points(value: Any, places: int = 2) -> str:
    """A difference of two ratios as `+3.09 个百分点`."""
    text = percent(value, places)
    return BLANK if text == BLANK else f"{signed(text)[:-1]} 个百分点"


@register.filter
def signed(value: Any) -> str:
    """Put a plus before a positive amount: a number is shown as yuan, a ready text (`x|wan|signed`) keeps its form."""
    text = value if isinstance(value, str) else yuan(value)
    if text == BLANK or text.startswith((MINUS, "+", "-")) or not re.search(r"[1-9]", text):
        return text
    return f"+{text}"


@register.filter
def count(value: Any) -> str:
    """A whole number with thousands separators: persons, rows, cases."""
    number = _decimal(value)
    return BLANK if number is None else _grouped(number, 0)


@register.filter
def figure(value: Any) -> str:
    """A traced value: an amount with two decimals gets separators, any other text stays as the rule wrote it."""
    if isinstance(value, Decimal) or (isinstance(value, str) and re.fullmatch(r"-?\d+\.\d{2}", value)):
        number = _decimal(value)
        if number is not None and number == round_fen(number):
            return _grouped(number, 2)
    return BLANK if value is None or value == "" else str(value)


def _local(value: Any) -> date | None:
    if isinstance(value, datetime):
        return timezone.localtime(value) if timezone.is_aware(value) else value
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value[:10])
        except ValueError:
            return None
    return None


@register.filter
def day(value: Any, style: str = "long") -> str:
    """A date as `2026年9月30日`; `day:"short"` `9月30日`, `day:"iso"` `2026-09-30`, `day:"time"` `2026-09-30 16:40`."""
    moment = _local(value)
    if moment is None:
        return BLANK
    if style == "short":
        return f"{moment.month}月{moment.day}日"
    if style == "iso":
        return f"{moment:%Y-%m-%d}"
    if style == "time":
        return f"{moment:%Y-%m-%d %H:%M}"
    return f"{moment.year}年{moment.month}月{moment.day}日"


@register.filter
def month(value: Any) -> str:
    """A `rules.periods.Month`, a date or the text `2026-09` as `2026年9月`."""
    found = re.match(r"(\d{4})-(\d{1,2})", str(value)) if value else None
    return f"{int(found[1])}年{int(found[2])}月" if found else BLANK


@register.filter
def file_size(value: Any) -> str:
    """Bytes as `48.6 KB`."""
    number = _decimal(value)
    if number is None:
        return BLANK
    for unit in ("B", "KB", "MB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} GB"


@register.filter
def fund_label(value: Any) -> str:
    """职工 or 居民 for a fund type value (`EMP`, `RES`)."""
    return FUND_LABELS.get(str(getattr(value, "value", value)), str(value))


@register.filter
def place_of_problem(field: Any) -> str:
    """Where a problem lies in words a person knows (`H8`, `收入预算`, a file); the code's own name of a form field is not."""
    text = str(field or "")
    return "" if re.fullmatch(r"[a-z][a-z0-9_]*", text) else text


@register.filter
def pairs(value: Any) -> list[tuple[Any, Any]]:
    """Inputs of a trace step as (name, value) pairs, given a mapping, pairs, or objects with name and value."""
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, str) or not isinstance(value, Iterable):
        return [("", value)] if value else []
    found: list[tuple[Any, Any]] = []
    for item in value:
        if isinstance(item, Mapping):
            found.append((item.get("name", ""), item.get("value")))
        elif isinstance(item, Sequence) and not isinstance(item, str) and len(item) == 2:
            found.append((item[0], item[1]))
        else:
            found.append(("", item))
    return found


@register.filter
def control(field: BoundField) -> SafeString:
    """A form field's widget in the kit's dress, tied to its help and error texts for screen readers."""
    widget = field.field.widget
    if isinstance(widget, CheckboxInput | RadioSelect | CheckboxSelectMultiple):
        css = "form-check-input"
    elif isinstance(widget, Select):
        css = "form-select"
    else:
        css = "form-control"
    attrs: dict[str, str | bool] = {
        "class": " ".join(filter(None, [widget.attrs.get("class", ""), css, "is-invalid" if field.errors else ""]))
    }
    described = [f"{field.auto_id}_helptext"] if field.help_text else []
    if field.errors:
        described.append(f"{field.auto_id}_error")
        attrs["aria-invalid"] = "true"
    if described:
        attrs["aria-describedby"] = " ".join(described)
    return field.as_widget(attrs=attrs)


@register.filter
def is_checkbox(field: BoundField) -> bool:
    """Whether the label of this field belongs behind its box."""
    return isinstance(field.field.widget, CheckboxInput)


@register.filter
def bar_width(value: Any) -> str:
    """A number of percent (0 to 100) as the width of a bar; beyond the ends it stands at the end."""
    number = _decimal(value)
    return "0" if number is None else f"{min(max(number, Decimal(0)), Decimal(100)):.2f}"


@register.filter
def page_numbers(page: Page[Any]) -> list[int | str]:
    """Page numbers around the current one with gaps elided."""
    return list(page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1))


@register.simple_tag(takes_context=True)
def query_replace(context: Context, **changes: Any) -> str:
    """The current query string with some parameters replaced; None removes one, any change but `page` returns to page 1."""
    request = context.get("request")
    query = request.GET.copy() if request else QueryDict(mutable=True)
    if "page" not in changes:
        query.pop("page", None)
    for name, value in changes.items():
        if value is None or value == "":
            query.pop(name, None)
        else:
            query[name] = str(value)
    return f"?{query.urlencode()}"


@register.inclusion_tag("components/sort_link.html", takes_context=True)
def sort_link(context: Context, field: str, label: str, parameter: str = "sort") -> dict[str, Any]:
    """A column head that sorts on the server by `?sort=field`; a second press turns the order round."""
    request = context.get("request")
    current = request.GET.get(parameter, "") if request else ""
    state = {field: "up", f"-{field}": "down"}.get(current, "")
    target = f"-{field}" if state == "up" else field
    return {"label": label, "state": state, "href": query_replace(context, **{parameter: target})}


@register.simple_tag(takes_context=True)
def due(context: Context, value: Any, with_date: bool = True) -> SafeString:
    """A deadline with the working days left: `10月16日 · 剩 4 个工作日`, amber from three days on, red when passed."""
    limit = _local(value)
    if limit is None:
        return format_html('<span class="due">{}</span>', BLANK)
    limit = limit.date() if isinstance(limit, datetime) else limit
    today = _local(context.get("today")) or timezone.localdate()
    today = today.date() if isinstance(today, datetime) else today
    if limit == today:
        tone, text = "due-soon", "今天到期"
    elif limit > today:
        left = _days_left(context, today, limit)
        tone = "due-soon" if left <= SOON_WORKING_DAYS else ""
        text = f"剩 {left} 个工作日" if left else "其间无工作日"
    else:
        tone, text = "due-over", f"已逾期 {-_days_left(context, today, limit)} 个工作日"
    shown = format_html('<time datetime="{}">{}</time> · ', limit.isoformat(), day(limit, "short")) if with_date else ""
    return format_html('<span class="due {}">{}<b>{}</b></span>', tone, shown, text)


def _days_left(context: Context, today: date, limit: date) -> int:
    """Working days to a deadline; a page reads the exceptions of the calendar once, however many deadlines it shows."""
    from core.working_days import overrides_between, working_days_left

    request = context.get("request")
    if request is None or abs(limit - today) > CALENDAR_SPAN:
        return working_days_left(today, limit)
    known: dict[date, bool] | None = getattr(request, "_workday_overrides", None)
    if known is None:
        known = request._workday_overrides = overrides_between(today - CALENDAR_SPAN, today + CALENDAR_SPAN)
    return working_days_left(today, limit, known)


@register.simple_tag
@lru_cache(maxsize=256)
def icon(name: str, css: str = "") -> SafeString:
    """A drawing of static/icons.svg, hidden from screen readers: the text beside it carries the meaning."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        css,
        static("icons.svg"),
        name or "dot",
    )


@register.inclusion_tag("components/tier_scale.html")
def tier_scale(
    tiers: Iterable[Any], point: Any = None, low: Any = None, high: Any = None, text: str = ""
) -> dict[str, Any]:
    """The scale P3 … 0 … O3 with a projected point and its range.

    `tiers`: objects or mappings with label, lower, upper as signed fractions of the package (surplus negative; an open end
    is None). `point`, `low`, `high`: signed fractions; outside the drawn part they stand at its edge.
    """
    return scale_positions(tiers, point, low, high, text)


def scale_positions(tiers: Iterable[Any], point: Any, low: Any, high: Any, text: str = "") -> dict[str, Any]:
    """Positions in percent of the scale's width, as text for SVG attributes. Open ends are drawn five points wide."""
    rows = [(_part(tier, "label"), _decimal(_part(tier, "lower")), _decimal(_part(tier, "upper"))) for tier in tiers]
    bounds = [bound for _, lower, upper in rows for bound in (lower, upper) if bound is not None]
    if not bounds:
        return {"tiers": [], "marks": []}
    opening = Decimal("0.05")
    start = min(bounds) - (opening if any(lower is None for _, lower, _ in rows) else 0)
    end = max(bounds) + (opening if any(upper is None for _, _, upper in rows) else 0)
    width = (end - start) or Decimal(1)

    def place(value: Decimal) -> Decimal:
        return (min(max(value, start), end) - start) / width * 100

    drawn = []
    for index, (label, lower, upper) in enumerate(sorted(rows, key=lambda row: start if row[1] is None else row[1])):
        left, right = place(start if lower is None else lower), place(end if upper is None else upper)
        side = "overrun" if (lower is not None and lower >= 0) else "surplus"
        drawn.append(
            {
                "label": label,
                "side": side,
                "alt": index % 2 == 0,
                "x": f"{left:.2f}",
                "width": f"{right - left:.2f}",
                "middle": f"{(left + right) / 2:.2f}",
            }
        )
    marks = [
        {"x": f"{place(bound):.2f}", "text": "0" if bound == 0 else f"{signed(percent(bound, 2)).rstrip('%')}%"}
        for bound in sorted(set(bounds))
    ]
    for mark in marks:
        mark["text"] = re.sub(r"\.?0+%$", "%", mark["text"])
    scale: dict[str, Any] = {"tiers": drawn, "marks": marks, "text": text}
    at, bottom, top = _decimal(point), _decimal(low), _decimal(high)
    if at is not None:
        scale["point"] = f"{place(at):.2f}"
        scale["point_text"] = signed(percent(at))
    if bottom is not None and top is not None:
        scale["low"], scale["range_width"] = f"{place(bottom):.2f}", f"{place(top) - place(bottom):.2f}"
        scale["range_text"] = f"{signed(percent(bottom))} 至 {signed(percent(top))}"
    return scale


def _part(source: Any, name: str) -> Any:
    return source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)
