"""Monitoring of the demonstration: figures of four years, thresholds tried and approved, a year of warnings people answered.

Everything goes through the services people use. What people do with a warning depends on its path, chosen once for all by
its place and cause, so that every state, an escalation, a letter and a talk can be seen; the last month is unfinished. An
act is taken where a warning stands in the state that asks for it: a killed load goes on where it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from zlib import crc32

from django.utils import timezone

from core.models import County, PoolingArea, User
from monitoring.reading import held
from monitoring.reading import watching as watch_reading
from monitoring.reading.held import Act, WarningState
from monitoring.services import (
    computing,
    escalating,
    evaluating,
    liaison,
    midterm,
    projecting,
    reports,
    thresholds,
    warnings,
    watching,
)
from portal.demo.people import HOSPITALS, OFFICER, REVIEWER, SECOND_OFFICER, user
from portal.demo.places import AREA_CODE, alliance_of
from portal.demo.reports import REPORTERS
from portal.demo.story import HP, LAST_MONTH, QX, YE, YW
from rules.periods import Month, months_between
from rules.spans import Span

WATCHED = months_between(Month(2025, 11), LAST_MONTH)
ADOPTED_ON, APPROVED_ON, ENDS_ON = date(2025, 10, 13), date(2025, 11, 3), date(2026, 11, 13)
FIGURES_DAY = 9
TENDED = (1, 7, 11, 14, 18, 22, 26)
"""Days after the month's figures on which people look at their warnings."""
EVERYWHERE = "全市普遍存在，先行启用并逐县约谈，年底评估后再定是否调整阈值。"
CAUSES = (
    (
        "两家卫生院住院部改造，收治量下降，患者转至县医院；外科床位使用率升高。",
        "改造于下月底完成并恢复床位；下转病人由县医院开具随访单，病种名单逐月更新。",
    ),
    (
        "呼吸道疾病就诊增多，住院人次高于上年同期，检查检验增加较快。",
        "落实分级收治标准，轻症留在基层；检查检验按临床路径核对，每月通报科室。",
    ),
    (
        "肿瘤、心血管病例转往市外较多，未办转诊的占比上升。",
        "与市医院签订远程会诊协议，未备案外出逐例回访，按月核对转诊登记。",
    ),
    (
        "年初集中结算上年跨年住院，部分药品集采品种尚未切换。",
        "分病种核对费用结构，集采品种本季度全部切换，药占比纳入科室考核。",
    ),
)
TALKED_TO, SLACK = 44, 45
"""Days after sending by which whoever was talked to answers; after the time for its measures, until a warning is closed."""
TARGETS, LONG = ("两个月内回到阈值以内", "年度内逐月回落，回到阈值以内"), 120
MORE = "请补充分机构的时间表和责任人，并说明对全年支出的影响金额。"
LETTER = "答复期限已过仍未说明原因，请书面说明支出增长的机构、病种和控制措施。"
TALK = "约谈院长和分管副院长：要求两周内提交整改方案，逐月报送执行情况。"
EXPLAINED = "增长由政策调整引起，已核实不属于异常支出，继续在月度分析中跟踪。"
FOLLOWED = "指标已连续两个月恢复正常，整改措施落实，予以解除。"
SETTLED = "整改期满，措施已逐项落实，指标较触发时趋稳，转入月度分析继续跟踪，不再单独督办。"

WATCH_TEXT = "住院支出增幅高于全县，列入监控重点，按月核查次均费用和入院指征。"
MEASURES = "一是对支出增长过快的成员单位逐家约谈；二是加强转外就医登记管理，控制未备案外出；三是四季度逐月调度预算执行。"
MEETING = {
    "held_on": date(2026, 10, 14), "place": "青溪县医保局会议室", "bureau_people": "林晓岚、方正",
    "hospital_people": "周敏、县人民医院医保办主任", "agenda": "三季度基金运行、基层支出占比、转外就医",
    "decisions": "医共体十月底前报送分机构整改计划；医保局按月提供转外明细。",
}  # fmt: skip


BASIS = "按近三年基金月报与结算数据推算，缴费标准增幅参照省级文件"
BY_HAND = {
    YW: ("10 月下旬日间手术结算量骤增", "yellow", "10 月下旬日间手术结算人次为上半月的 2.4 倍，请核实是否集中结算。"),
    YE: ("门诊慢特病处方量异常", "orange", "三季度高血压长处方量比上年同期多 31%，请说明原因和管理措施。"),
    QX: ("康复科长期住院病人增多", "yellow", "10 月末住院超过 60 日的病人比上月末多 17 人，请说明收治指征和出院计划。"),
    HP: ("检查检验费用持续上升", "yellow", "检查检验占比连续三个月高于全市中位数，请分科室说明。"),
}
"""Warnings raised by hand: alliance → title, level, reason."""


@dataclass(frozen=True)
class Path:
    """Days people let pass: before sending, answering, deciding, completing what was returned. None: not before they were
    talked to. ``measures``: days the answer names for what is to be done."""

    send: int = 1
    answer: int | None = 7
    decide: int = 4
    complete: int = 5
    returns: bool = False
    withdraws: bool = False
    explained: bool = False
    letter: bool = False
    measures: int = 75


PATHS = (
    Path(),
    Path(answer=9, decide=3, complete=21, returns=True, measures=180),
    Path(answer=25, measures=250),
    Path(answer=11, decide=30, measures=220),
    Path(answer=6, explained=True),
    Path(answer=None, letter=True),
    Path(withdraws=True),
    Path(send=6),
)


def area() -> PoolingArea:
    return PoolingArea.objects.get(code=AREA_CODE)


def figures(month: Month) -> None:
    """The bases of every place of the city for a month."""
    for county in counties():
        computing.compute_county_month(county, month)
    computing.compute_city_month(area(), month)


def adopt() -> None:
    """The shipped thresholds, on trial."""
    thresholds.adopt_defaults(user(OFFICER), area(), ADOPTED_ON.replace(day=1))


def approve() -> None:
    """The reviewer puts them into force; one that fires everywhere is put into force with a reason."""
    for threshold in held.on_trial(area()):
        thresholds.approve(user(REVIEWER), threshold, everywhere_ok=True, reason=EVERYWHERE)


def month_end(month: Month) -> None:
    """Projections of a month, its figures with them, and its warnings."""
    projecting.project_month(area(), month)
    figures(month)
    for county in counties():
        evaluating.evaluate_month(county, month)
    evaluating.evaluate_month(area(), month)


def tend() -> None:
    """Whatever is due today on every open warning; a deadline that passed goes up."""
    today = timezone.localdate()
    escalating.escalate(None, today)
    for w in held.open_warnings(area()):
        if w.source != "manual":
            _tend(w, path_of(w), today)


def path_of(w: held.Warning) -> Path:
    return PATHS[crc32(f"{w.place}{w.fund_type}{w.cause}{w.year}{w.month}".encode()) % len(PATHS)]


def _tend(w: held.Warning, path: Path, today: date) -> None:
    rested = (today - held.resting_since(w)).days
    done = {str(change.act) for change in w.changes.all()}
    officer, answerer = user(OFFICER), _answerer(w)
    if w.state == WarningState.RAISED:
        if rested >= path.send:
            warnings.send(officer, w)
    elif w.state == WarningState.SENT:
        if path.letter and w.escalations >= 2 and Act.INQUIRE not in done:
            warnings.inquire(officer, w, LETTER, today + timedelta(days=14))
        elif path.letter and Act.INQUIRE in done and Act.TALK not in done and rested >= 30:
            warnings.talk(officer, w, TALK, today, "市医保局林晓岚、医共体院长及财务负责人")
        elif path.letter and Act.TALK in done and rested >= TALKED_TO:
            _answer(answerer, w, today)
        elif path.answer is not None and rested >= path.answer:
            _answer(answerer, w, today)
            if path.withdraws and Act.WITHDRAW not in done:
                warnings.withdraw(answerer, w, "附表口径有误，更正后重新答复。")
    elif w.state == WarningState.RETURNED:
        if rested >= path.complete:
            _answer(answerer, w, today)
    elif w.state == WarningState.ANSWERED:
        if rested >= path.decide:
            if path.returns and Act.RETURN not in done:
                warnings.return_answer(officer, w, MORE)
            else:
                warnings.accept(officer, w)
    elif w.state == WarningState.ACCEPTED:
        if w.recovered:
            warnings.close(user(REVIEWER), w, FOLLOWED)
        elif path.explained and rested >= 20:
            warnings.close(user(REVIEWER), w, EXPLAINED)
        elif rested >= path.measures + SLACK:
            warnings.close(user(REVIEWER), w, SETTLED)


def _answerer(w: held.Warning) -> User:
    if w.alliance is not None:
        return user(HOSPITALS[w.alliance.code])
    return user(REPORTERS[w.county.code] if w.county is not None else SECOND_OFFICER)


def _answer(answerer: User, w: held.Warning, today: date) -> None:
    days = path_of(w).measures
    cause, measures = CAUSES[crc32(w.number.encode()) % len(CAUSES)]
    warnings.answer(
        answerer, w, cause=cause, measures=measures, by_date=today + timedelta(days=days), target=TARGETS[days > LONG]
    )


def watch() -> None:
    """In the first county in continuing distress its fastest growing hospital is put on the watch list."""
    for w in held.open_distress(area()):
        found = watch_reading.candidates(user(REVIEWER), w)
        if found and watching.is_continuing(w) and not w.watched.exists():
            house = held.institution(found[0].place.pk)
            entry = watching.propose_watch(user(OFFICER), w, house, "watch", WATCH_TEXT, timezone.localdate())
            watching.decide_watch(user(REVIEWER), entry, True, "同意，按月报送。")
            return


def report_of(county: str | None, span: Span, issue: bool) -> None:
    """The report of a county (None: of the city), drafted; with ``issue`` commented, approved by another and issued."""
    place: PoolingArea | County = next(one for one in counties() if one.code == county) if county else area()
    found = held.report(place, span)
    if found is None:
        found = reports.draft_report(user(OFFICER), place, span).report
    if not issue:
        return
    officer, reviewer = user(OFFICER), user(REVIEWER)
    if found.state == "draft":
        reports.refresh(officer, found)
        reports.comment(officer, found, "measures", MEASURES)
        found = reports.submit(officer, found)
    if found.state == "submitted":
        found = reports.approve(reviewer, found)
    if found.state == "approved":
        reports.issue(reviewer, found, release=not isinstance(place, PoolingArea))


def notice(code: str) -> None:
    """Today's warning that an officer raises by hand: one for each of the first states of its life."""
    title, level, reason = BY_HAND[code]
    alliance = alliance_of(code)
    if not any(w.title == title for w in held.warnings_of(alliance)):
        warnings.raise_manual(user(OFFICER), alliance, "RES", title, level, reason)


def carry_notice(code: str, act: str) -> None:
    """The next act on a warning raised by hand, where it still waits for it."""
    title = BY_HAND[code][0]
    w = next(one for one in held.warnings_of(alliance_of(code)) if one.title == title)
    today = timezone.localdate()
    if act == Act.SEND and w.state == WarningState.RAISED:
        warnings.send(user(OFFICER), w)
    elif act == Act.ANSWER and w.state == WarningState.SENT:
        _answer(user(HOSPITALS[code]), w, today)
    elif act == Act.RETURN and w.state == WarningState.ANSWERED:
        warnings.return_answer(user(OFFICER), w, MORE)


def look_ahead(fund: str) -> None:
    """The city's balance over five years on assumptions from the delivered ones, approved by a second person."""
    place = area()
    found = held.midterm(place, fund)
    if found is None:
        past = midterm.past_of(place, fund, timezone.localdate().year - 1)
        suggested = midterm.suggestion_of(past)
        if past.latest is None or suggested is None:
            return
        found = midterm.prepare_midterm(user(OFFICER), place, fund, past.latest, suggested.scenarios, 5, BASIS)
    if found.state == "draft":
        midterm.approve_midterm(user(REVIEWER), found)


def meet() -> None:
    """A liaison meeting with its follow-up, confirmed by the hospital, and the data handed over after it (R-067)."""
    alliance = alliance_of(QX)
    if held.meetings(alliance):
        return
    officer, hospital = user(OFFICER), user(HOSPITALS[QX])
    meeting = liaison.record_meeting(officer, alliance, MEETING)
    liaison.confirm_meeting(hospital, meeting)
    due = timezone.localdate() + timedelta(days=20)
    liaison.add_follow_up(
        officer, meeting, {"text": "按机构报送未备案转外名单核对结果", "person": "周敏", "side": "hospital", "due_on": due}
    )
    supply = {"kind": "claims", "title": "9 月县域外就医结算明细（脱敏）", "period": "2026-09", "link": "政务内网共享目录 2026-09"}
    liaison.receive_data(hospital, liaison.supply_data(officer, alliance, supply))


def counties() -> list[County]:
    return list(County.objects.filter(pooling_area__code=AREA_CODE).select_related("pooling_area").order_by("code"))
