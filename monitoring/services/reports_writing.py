"""Writes a report's content from the figures: eight sections of sentences and tables, both fund types always apart.

Nothing is invented: what is not known stays blank, and the first section says what is missing and who owes it.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from core.models import County, FundType, PoolingArea
from core.parameters import value as parameter
from monitoring.models import Level, Warning
from monitoring.reading import reports as reading
from monitoring.reading.figures import Figure, Key, figures, figures_of_all
from monitoring.reading.places import ref_of
from monitoring.reading.reports import BaseSums, Hospital, growth
from monitoring.reading.warnings import is_overdue
from monitoring.services import reports_words as words
from monitoring.services.reports_tables import Content, row, section, table
from rules.analysis import CLAUSE, DRIVERS, decompose
from rules.indicators import BY_KEY
from rules.spans import Span
from rules.trace import Trace

SECTIONS = (
    ("data", "数据说明"),
    ("fund", "一、基金收支与结余"),
    ("indicators", "二、主要指标与同期、同类比较"),
    ("causes", "三、支出变动的原因"),
    ("warnings", "四、预警与答复"),
    ("members", "五、支出增长过快的成员单位"),
    ("circular", "六、二级及以上定点医疗机构通报"),
    ("projection", "七、趋势预测"),
    ("measures", "八、措施与建议"),
)
TITLES = dict(SECTIONS)
FAST_POINTS = "monitoring.report_fast_points"
CIRCULAR_KEYS = ("inpatient_average", "outpatient_average", "length_of_stay", "drug_share", "execution")
OWN_BASES = ("charged", "fund_all")
LISTED_WARNINGS, LISTED_MEMBERS = 100, 60
FUND_LINES = (
    ("charged", "打包范围内基金支出"), ("income", "基金收入合计"), ("income_collected", "其中：征缴收入"),
    ("fund_spending", "基金支出合计（当期）"), ("current", "当期结余"), ("balance", "累计结余（期末）"),
    ("package", "打包总额"),
)  # fmt: skip
FUND_FIGURES = ("current_balance_rate", "payable_months", "execution", "pace_gap", "prepaid_rate")
Place = PoolingArea | County


class Writing:
    """Everything one report is written from, read once. ``lead`` is January to the span's end where the report is monthly."""

    def __init__(self, place: Place, span: Span, today: date) -> None:
        self.place, self.span, self.today = place, span, today
        self.ref = ref_of(place)
        self.is_city = isinstance(place, PoolingArea)
        self.spans = reading.spans_of(span)
        self.lead = self.spans[-1]
        on = span.last.last_day
        self.sisters = reading.county_refs(place, on)
        self.counties = self.sisters if self.is_city else [self.ref]
        self.members, self.hospitals = reading.institutions_of(place, on)
        own = {one.ref.key: one.ref for one in (*self.members, *self.hospitals)}
        shown = list({ref.key: ref for ref in (self.ref, *self.counties)}.values())
        self.sums: BaseSums = reading.base_sums(shown, span, reading.ALL_BASES)
        self.own_sums: BaseSums = reading.base_sums(list(own.values()), span, OWN_BASES)
        keys = [key for key, one in BY_KEY.items() if self.ref.kind in one.places]
        asked = [*self.spans, *(one.year_before() for one in self.spans)]
        self.found: dict[Key, dict[str, Figure]] = figures([self.ref], asked, keys)
        self.peers = figures_of_all(self.sisters, span, keys)
        self.inside = figures(list(own.values()), [self.lead], (*CIRCULAR_KEYS, "pace_gap"))
        self.warnings: list[Warning] = reading.warnings_of(place, span)
        self.gaps = reading.gaps(place, self.counties, span, self.sums)
        self.fast_points: Decimal = parameter(FAST_POINTS, place, on).decimal

    def value(self, fund: str, span: Span, key: str) -> Decimal | None:
        found = self.found.get((self.ref.key, fund, span), {}).get(key)
        return found.value if found else None

    def trace(self, fund: str, span: Span, key: str) -> Trace | None:
        found = self.found.get((self.ref.key, fund, span), {}).get(key)
        return found.reading.trace if found else None

    def pair(self, place: str, fund: str, span: Span, base: str) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
        """Now, a year before, growth of one base; ``current`` is income less spending."""
        held = self.own_sums if place.startswith("I") else self.sums
        now, before = (_money(held.of(place, fund, one), base) for one in (span, span.year_before()))
        return now, before, growth(now, before)


def write(place: Place, span: Span, today: date) -> Content:
    """The content of a report. Reads only; the number of queries does not grow with the place."""
    given = Writing(place, span, today)
    reach = given.sums.data_to(given.ref.key, given.lead)
    return {
        "place": {"key": given.ref.key, "name": given.ref.name, "kind": given.ref.kind},
        "span": str(span),
        "text": span.text,
        "written_on": today.isoformat(),
        "data_to": reach.isoformat() if reach else None,
        "sections": [
            _data(given), _fund(given), _indicators(given), _causes(given), _warnings(given), _members(given),
            _circular(given), _projection(given), section("measures", TITLES["measures"], [], []),
        ],
    }  # fmt: skip


def _data(given: Writing) -> Content:
    said = [{"text": f"{gap.text}，由{gap.owed_by}补报。", "fund": "", "tone": "warn"} for gap in given.gaps]
    if not said:
        said = [{"text": f"{words.short(given.lead)}各项数据已齐。", "fund": ""}]
    return section("data", TITLES["data"], said, [])


def _fund(given: Writing) -> Content:
    said, tables = [], []
    for fund in FundType:
        for span in reversed(given.spans):
            sums = given.sums.of(given.ref.key, fund.value, span)
            growths = {base: given.pair(given.ref.key, fund.value, span, base)[2] for base in ("charged", "income", "fund_spending")}
            told = words.fund_sentences(fund.label, span, sums, growths, given.value(fund.value, span, "payable_months"))
            if span == given.lead and sums:
                pace = words.pace_sentence(
                    fund.label, sums.get("package"), given.value(fund.value, span, "execution"), given.value(fund.value, span, "pace_gap")
                )
                told = [*told, pace] if pace else told
            if told:
                said.append({"text": "；".join(told) + "。", "fund": fund.value})
            elif span == given.span:
                said.append({"text": f"{words.short(span)}{fund.label}数据不全，不作计算。", "fund": fund.value, "tone": "warn"})
        tables.append(_fund_table(given, fund))
    if given.is_city:
        tables.extend(_county_table(given, fund) for fund in FundType)
    return section("fund", TITLES["fund"], said, tables)


def _fund_table(given: Writing, fund: Any) -> Content:
    """Each line for the span and for January to its end: now, a year before, growth."""
    rows, columns = [], []
    for span in given.spans:
        name = words.short(span)
        columns += [(name, "row"), (f"{name}上年同期", "row"), (f"{name}同比", "growth")]
    for base, label in FUND_LINES:
        cells = [cell for span in given.spans for cell in given.pair(given.ref.key, fund.value, span, base)]
        rows.append(row(label, cells, unit="yuan"))
    for key in FUND_FIGURES:
        cells = []
        for span in given.spans:
            cells += [given.value(fund.value, span, key), given.value(fund.value, span.year_before(), key), None]
        rows.append(row(BY_KEY[key].label, cells, unit=BY_KEY[key].unit, trace=given.trace(fund.value, given.lead, key)))
    return table("fund", f"{fund.label}基金收支与结余", columns, rows, fund.value, "金额单位：元")


def _county_table(given: Writing, fund: Any) -> Content:
    """Each county and their sum; a sum is shown only where every county is known."""
    rows, totals = [], [Decimal(0), Decimal(0)]
    complete = [True, True]
    for county in given.counties:
        now, before, change = given.pair(county.key, fund.value, given.lead, "charged")
        for number, amount in enumerate((now, before)):
            complete[number] = complete[number] and amount is not None
            totals[number] += amount or 0
        rows.append(row(county.name, [now, before, change], unit="yuan"))
    now, before = (totals[number] if complete[number] and given.counties else None for number in (0, 1))
    rows.append(row("合计", [now, before, growth(now, before)], unit="yuan", total=True))
    columns = [("本年累计", "yuan"), ("上年同期", "yuan"), ("同比", "growth")]
    title = f"{words.short(given.lead)}各县（区）{fund.label}打包范围内基金支出"
    return table("counties", title, columns, rows, fund.value, "金额单位：元", "县（区）")


def _indicators(given: Writing) -> Content:
    said, tables = [], []
    peer_word = "各县中位数" if given.is_city else "同类（各县）中位数"
    for fund in FundType:
        rows, values, unknown = [], {}, []
        for key, indicator in BY_KEY.items():
            if given.ref.kind not in indicator.places:
                continue
            now = given.value(fund.value, given.span, key)
            before = given.value(fund.value, given.span.year_before(), key)
            middle = reading.median(_peer_values(given, fund.value, key))
            change = None if now is None or before is None else now - before
            values[key] = (now, before, middle)
            cells = [now, before, change, middle]
            if given.lead != given.span:
                cells.append(given.value(fund.value, given.lead, key))
            if all(cell is None for cell in cells):
                unknown.append(indicator.label)
                continue
            held = given.found[(given.ref.key, fund.value, given.span)][key]
            rows.append(row(indicator.label, cells, unit=indicator.unit, trace=held.reading.trace, note=held.missing))
        columns = [("本期", "row"), ("上年同期", "row"), ("变动", "diff"), (peer_word, "row")]
        if given.lead != given.span:
            columns.append(("本年累计", "row"))
        note = "同类不足三个的不给中位数" + (f"；没有数据未列：{'、'.join(unknown)}" if unknown else "")
        tables.append(table("indicators", f"{words.short(given.span)}{fund.label}主要指标", columns, rows, fund.value, note, "指标"))
        if text := words.indicator_sentence(fund.label, given.span, values):
            said.append({"text": text, "fund": fund.value})
    return section("indicators", TITLES["indicators"], said, tables)


def _peer_values(given: Writing, fund: str, key: str) -> list[Decimal]:
    held = (given.peers[(county.key, fund, given.span)].get(key) for county in given.sisters)
    return [found.value for found in held if found is not None and found.value is not None]


def _causes(given: Writing) -> Content:
    said, tables = [], []
    for fund in FundType:
        for span in reversed(given.spans):
            sums = [given.sums.of(given.ref.key, fund.value, one) for one in (span, span.year_before())]
            found = decompose(sums[0], sums[1], reading.LABELS)
            if found.missing:
                said.append({"text": f"{words.short(span)}{fund.label}：{found.missing}", "fund": fund.value, "tone": "warn"})
                continue
            said.append({"text": words.cause_sentence(fund.label, span, found), "fund": fund.value})
            rows = [
                row(
                    part.label, [part.now, part.before, part.change, *(part.drivers.get(key) for key in DRIVERS)],
                    unit="yuan", note=part.note,
                )
                for part in found.parts
            ]  # fmt: skip
            total = [found.now, found.before, found.change, *found.drivers.values()]
            rows.append(row("合计", total, unit="yuan", total=True, trace=found.trace))
            columns = [("本期", "yuan"), ("上年同期", "yuan"), ("变动", "yuan±"), *((label, "yuan±") for label in DRIVERS.values())]
            title = f"{words.short(span)}{fund.label}支出变动分解"
            tables.append(table(f"causes-{span.kind}", title, columns, rows, fund.value, f"金额单位：元。{CLAUSE}", "类别"))
    return section("causes", TITLES["causes"], said, tables)


def _warnings(given: Writing) -> Content:
    names = ("raised", "open", "answered", "overdue", "closed")
    counts = {level: dict.fromkeys(names, 0) for level in Level}
    for warning in given.warnings:
        held = counts[Level(warning.level)]
        held["raised"] += reading.raised_in(warning, given.span)
        held["open"] += warning.is_open
        held["answered"] += bool(warning.answers.all())
        held["overdue"] += is_overdue(warning, given.today)
        held["closed"] += not warning.is_open
    total = {name: sum(held[name] for held in counts.values()) for name in names}
    rows = [row(f"{Level(level).label}色", [held[name] for name in names], unit="count") for level, held in reversed(counts.items())]
    rows.append(row("合计", [total[name] for name in names], unit="count", total=True))
    columns = [("本期触发", "count"), ("在办", "count"), ("已答复", "count"), ("逾期", "count"), ("已解除", "count")]
    listed = [_warning_row(given, warning) for warning in given.warnings[:LISTED_WARNINGS]]
    more = len(given.warnings) - len(listed)
    detail = [("险种", "word"), ("等级", "word"), ("事由", "text"), ("涉及金额", "yuan"), ("状态", "word"), ("答复的原因", "text"),
              ("措施", "text")]  # fmt: skip
    note = f"另有 {more} 条见预警清单。" if more else ""
    tables = [table("warnings", "预警与答复情况", columns, rows, head="等级", note="在办、逾期截至报告生成日")]
    if listed:
        tables.append(table("warning-list", "预警明细", detail, listed, note=note, head="预警"))
    return section("warnings", TITLES["warnings"], [{"text": words.warning_sentence(given.span, total), "fund": ""}], tables)


def _warning_row(given: Writing, warning: Warning) -> Content:
    answers = sorted(warning.answers.all(), key=lambda one: one.number)
    known = sorted(warning.figures.all(), key=lambda one: one.pk)
    cause, measures = (answers[-1].cause, answers[-1].measures) if answers else (None, None)
    state = warning.get_state_display() + ("（逾期）" if is_overdue(warning, given.today) else "")
    return row(
        f"{warning.number} {warning.at}",
        [warning.get_fund_type_display(), warning.get_level_display(), warning.title,
         known[-1].affected if known else None, state, cause, measures],
    )  # fmt: skip


def _members(given: Writing) -> Content:
    said, tables = [], []
    for fund in FundType:
        own = given.pair(given.ref.key, fund.value, given.lead, "charged")[2]
        fast = [line for one in given.members if (line := _fast(given, one, fund.value, own)) is not None]
        fast.sort(key=lambda line: (-(line[0] if line[0] is not None else Decimal(-1)), line[1].ref.code))
        names = [one.ref.name for _rate, one, _cells in fast]
        said.append({"text": words.fast_sentence(fund.label, given.lead, names, given.fast_points), "fund": fund.value})
        if not fast:
            continue
        columns = [("医共体", "word"), ("基金支出", "yuan"), ("上年同期", "yuan"), ("增速", "growth"), ("高于本地", "points"),
                   ("执行率", "ratio"), ("序时进度差", "points")]  # fmt: skip
        rows = [row(one.ref.name, cells, unit="yuan") for _rate, one, cells in fast[:LISTED_MEMBERS]]
        note = f"金额单位：元。共 {len(fast)} 家，列前 {len(rows)} 家" if len(fast) > len(rows) else "金额单位：元"
        title = f"{words.short(given.lead)}{fund.label}支出增长过快的成员单位"
        tables.append(table("members", title, columns, rows, fund.value, note, "成员单位"))
    return section("members", TITLES["members"], said, tables)


def _fast(
    given: Writing, one: Hospital, fund: str, own: Decimal | None
) -> tuple[Decimal | None, Hospital, list[Any]] | None:
    """The line of a member that grew faster than its place, or ran ahead of the pace, by the points of the parameter."""
    now, before, rate = given.pair(one.ref.key, fund, given.lead, "charged")
    held = given.inside.get((one.ref.key, fund, given.lead), {})
    execution, gap = (held[key].value if key in held else None for key in ("execution", "pace_gap"))
    faster = rate - own if rate is not None and own is not None else None
    if not ((faster is not None and faster > given.fast_points) or (gap is not None and gap > given.fast_points)):
        return None
    return rate, one, [one.alliance, now, before, rate, faster, execution, gap]


def _circular(given: Writing) -> Content:
    """R-060: every hospital of the second grade and higher with its rank by growth (1 is the fastest)."""
    said, tables = [], []
    for fund in FundType:
        lines = [(one, given.pair(one.ref.key, fund.value, given.lead, "fund_all")) for one in given.hospitals]
        ranked = sorted(
            lines, key=lambda line: (line[1][2] is None, -(line[1][2] or Decimal(0)), -(line[1][0] or Decimal(0)), line[0].ref.code)
        )
        rows, rank, before = [], 0, None
        for number, (one, (now, former, rate)) in enumerate(ranked, start=1):
            if rate is not None and rate != before:
                rank, before = number, rate
            held = given.inside.get((one.ref.key, fund.value, given.lead), {})
            values = [held[key].value if key in held else None for key in CIRCULAR_KEYS]
            rows.append(row(
                one.ref.name,
                [rank if rate is not None else None, *([one.county] if given.is_city else []), one.grade, now, former, rate, *values],
                unit="yuan",
            ))  # fmt: skip
        columns = [("增速位次", "count"), *([("县（区）", "word")] if given.is_city else []), ("等级", "word"), ("基金支出", "yuan"),
                   ("上年同期", "yuan"), ("增速", "growth"), *((BY_KEY[key].label, BY_KEY[key].unit) for key in CIRCULAR_KEYS)]  # fmt: skip
        fastest = next(((one.ref.name, sums[2]) for one, sums in ranked if sums[2] is not None), ("", None))
        if text := words.circular_sentence(fund.label, given.lead, len(rows), *fastest):
            said.append({"text": text, "fund": fund.value})
            title = f"{words.short(given.lead)}{fund.label}二级及以上定点医疗机构运行情况"
            tables.append(table("circular", title, columns, rows, fund.value, "金额单位：元；位次按基金支出增速由高到低", "机构"))
    if not said:
        said.append({"text": "没有登记二级及以上定点医疗机构。", "fund": ""})
    return section("circular", TITLES["circular"], said, tables)


def _projection(given: Writing) -> Content:
    held = reading.latest_projections(given.place, given.span)
    said, tables = [], []
    for fund in FundType:
        mine = [one for one in held if one.fund_type == fund.value]
        if not mine:
            said.append({"text": f"{fund.label}尚无本期趋势预测。", "fund": fund.value, "tone": "warn"})
            continue
        rows = [
            row(
                one.alliance.name,
                [str(one.period), one.package, one.expected, one.low, one.high, one.ratio, one.tier or None, one.missing or None],
                unit="yuan", trace=Trace.from_json(one.trace),
            )
            for one in mine
        ]  # fmt: skip
        columns = [("截至月", "word"), ("打包总额", "yuan"), ("预计全年", "yuan"), ("下限（80%）", "yuan"), ("上限（80%）", "yuan"),
                   ("预计超支率（负为结余）", "growth"), ("落档", "word"), ("未能预测的原因", "text")]  # fmt: skip
        tables.append(table("projection", f"{fund.label}全年趋势预测", columns, rows, fund.value, "金额单位：元", "医共体"))
        over = [one.alliance.name for one in mine if one.difference is not None and one.difference > 0]
        known = sum(1 for one in mine if one.expected is not None)
        told = f"{fund.label}已预测 {known} 个医共体，预计超支 {len(over)} 个"
        said.append({"text": f"{told}{'：' + '、'.join(over[:5]) if over else ''}。", "fund": fund.value})
    return section("projection", TITLES["projection"], said, tables)


def _money(sums: dict[str, Decimal | None], base: str) -> Decimal | None:
    if base != "current":
        return sums.get(base)
    income, spending = sums.get("income"), sums.get("fund_spending")
    return None if income is None or spending is None else income - spending

