"""Pages of cases: who sees what, both tracks with their limits, what may be done and why not, what is kept on failure."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from audits.models import Case, CaseChange, Deadline, FindingLine, Lead, Track
from audits.services import cases, statements, tracks
from audits.states import Act, CaseState, TrackKind, TrackState
from core.models import StoredFile
from core.parameters import confirm_parameter, enter_parameter
from core.workbook import read_sheets
from tests.audits import ground

pytestmark = pytest.mark.django_db
AGREEMENT, PENALTY = TrackKind.AGREEMENT, TrackKind.PENALTY
BOTH = (AGREEMENT.value, PENALTY.value)


@pytest.fixture(autouse=True)
def _clock(time_machine):
    time_machine.move_to(ground.NOW)


def url(name, *args):
    return reverse(f"audits:{name}", args=args)


def act(case, name):
    return url("case-act", case.pk, str(name))


def on_track(track, name):
    return url("track-act", track.case_id, track.kind, str(name))


def page(client, case):
    return client.get(url("case", case.pk))


def text_of(answer):
    return re.sub(r"\s+", " ", answer.content.decode())


def numbers(answer):
    return [row["case"].number for row in answer.context["rows"]]


def panel(answer):
    """{title: (acts, links, {labels: reason})}"""
    return {
        group.title: ([one.act for one in group.acts], [one.label for one in group.links], dict(group.denied))
        for group in answer.context["panel"]
    }


def pdf(name="回证.pdf"):
    return SimpleUploadedFile(name, b"%PDF-1.4 receipt")


# ---- the list


def test_the_list_puts_open_cases_with_the_nearest_limit_first(world, client_of):
    closed = ground.case_in(world, CaseState.CLOSED)
    waiting, fresh = ground.case_in(world, CaseState.FIRST_REVIEW), ground.case_in(world, CaseState.INVESTIGATING)
    answer = client_of(world.auditor).get(url("cases"))
    assert numbers(answer) == [waiting.number, fresh.number, closed.number]
    row = answer.context["rows"][0]
    assert row["case"].due == date(2026, 9, 15) and row["due_label"] == "初审" and row["case"].found == Decimal("1500.00")
    assert "1,500.00" in text_of(answer) and "9月15日" in text_of(answer)


def test_the_list_filters_by_everything_it_offers(world, client_of):
    first = ground.case_in(world, CaseState.FIRST_REVIEW)
    second = ground.track_in(world, PENALTY, TrackState.NOTIFIED).case
    third = ground.case_in(world, CaseState.INVESTIGATING, institution=world.east_lead)
    Case.objects.filter(pk=third.pk).update(kind="tip", title="虚构住院")
    Lead.objects.filter(case=third).update(source="tip")
    cases.suspend(world.audit_reviewer, ground.again(first), ground.REASON)
    client = client_of(world.auditor)

    def found(query):
        return set(numbers(client.get(f"{url('cases')}?{query}")))

    assert found("state=first") == {first.number}
    assert found("state=open") == {first.number, second.number, third.number}
    assert found("state=suspended") == {first.number}
    assert found("track=penalty") == {second.number} == found("track=penalty-notified")
    assert found("track=agreement") == found("track=penalty-served") == set()
    assert found("kind=tip") == found("source=tip") == {third.number}
    assert found("county=990102") == {third.number} == found("q=虚构") == found("q=云岭")
    assert found("state=nonsense") == {first.number, second.number, third.number}
    assert numbers(client.get(url("cases") + "?sort=-number"))[0] == third.number


def test_mine_are_the_cases_i_investigate_and_waiting_those_that_ask_me(world, client_of):
    case = ground.case_in(world, CaseState.FIRST_REVIEW)
    client = client_of(world.auditor)
    assert numbers(client.get(url("cases") + "?mine=on")) == [case.number]
    assert numbers(client.get(url("cases") + "?state=waiting")) == []
    assert numbers(client_of(ground.crew(world).spare).get(url("cases") + "?mine=on")) == []
    assert numbers(client_of(world.audit_reviewer).get(url("cases") + "?state=waiting")) == [case.number]


def test_only_running_limits_past_their_day_count_as_overdue(world, client_of, time_machine):
    late, still = ground.case_in(world, CaseState.FIRST_REVIEW), ground.case_in(world, CaseState.FIRST_REVIEW)
    cases.suspend(world.audit_reviewer, still, ground.REASON)
    time_machine.move_to("2026-09-16 09:00:00+08:00")
    answer = client_of(world.auditor).get(url("cases") + "?overdue=on")
    assert numbers(answer) == [late.number] and "已逾期" in text_of(answer)
    strip = {one["label"]: one.get("value") for one in answer.context["strip"]}
    assert strip["已逾期"] == 1 and strip["待初审"] == 1 and strip["中止"] == 0


def test_the_strip_counts_what_the_filter_leaves(world, client_of):
    ground.case_in(world, CaseState.FIRST_REVIEW)
    ground.case_in(world, CaseState.DISMISSED)
    strip = client_of(world.observer).get(url("cases")).context["strip"]
    assert [one.get("value") for one in strip[:5]] == [1, 0, 1, 0, 0] and strip[-1]["money"] == Decimal("1500.00")


def test_the_export_holds_exactly_the_rows_of_the_page_with_equal_totals(world, client_of):
    ground.case_in(world, CaseState.INVESTIGATING)
    served = ground.track_in(world, AGREEMENT, TrackState.SERVED).case
    client = client_of(world.auditor)
    rows = read_sheets(client.get(url("cases-xlsx")).content, "x.xlsx")["稽核案件"]
    total = next(row for row in rows if row[0] == "合计")
    assert (Decimal(str(total[7])), Decimal(str(total[8]))) == (Decimal("3000.00"), Decimal("1500.00"))
    rows = read_sheets(client.get(url("cases-xlsx") + "?track=agreement").content, "x.xlsx")["稽核案件"]
    assert [row[0] for row in rows if str(row[0]).startswith("青稽")] == [served.number]
    assert "程序：有协议处理" in str(rows)


def test_the_list_asks_the_same_queries_however_many_cases(world, client_of, django_assert_max_num_queries):
    ground.track_in(world, PENALTY, TrackState.NOTIFIED, both=True)
    client = client_of(world.auditor)
    client.get(url("cases"))
    with django_assert_max_num_queries(60) as few:
        client.get(url("cases"))
    for _number in range(6):
        ground.track_in(world, PENALTY, TrackState.NOTIFIED, both=True)
    with django_assert_max_num_queries(len(few)):
        assert len(numbers(client.get(url("cases")))) == 7


def test_a_county_auditor_and_a_stranger_see_only_their_places(world, client_of):
    case = ground.case_in(world, CaseState.FIRST_REVIEW)
    people = ground.crew(world)
    assert numbers(client_of(people.county_auditor).get(url("cases"))) == [case.number]
    assert page(client_of(people.county_auditor), case).status_code == 200
    for stranger in (people.other_county_auditor, world.stranger_officer, world.nobody):
        assert numbers(client_of(stranger).get(url("cases"))) == []
        assert page(client_of(stranger), case).status_code == 404
        assert client_of(stranger).post(act(case, Act.PASS_FIRST), {"agreement": "on"}).status_code == 404


# ---- one case, for the bureau


@pytest.mark.parametrize("state", list(CaseState))
def test_a_case_in_every_state_opens_for_every_post_of_the_bureau(world, client_of, state):
    case = ground.case_in(world, state, kinds=BOTH)
    for who in (world.auditor, world.audit_reviewer, ground.crew(world).legal, world.finance, world.officer, world.observer):
        answer = page(client_of(who), case)
        assert answer.status_code == 200 and case.number in text_of(answer)


def test_the_stepper_names_dates_people_and_limits(world, client_of):
    case = ground.case_in(world, CaseState.FIRST_REVIEW)
    answer = page(client_of(world.audit_reviewer), case)
    steps = {step.label: step for step in answer.context["steps"]}
    assert [step.state for step in steps.values()] == ["done", "done", "done", "current", "todo", "todo"]
    assert steps["调查取证"].who == "赵衡" and steps["调查取证"].when == ground.TODAY
    limit = steps["初审"].limits[0]
    assert limit.last_day == date(2026, 9, 15) and limit.is_running and not limit.late
    assert "剩 10 个工作日" in text_of(answer) and answer.context["decision_limit"].last_day == date(2026, 11, 30)


def test_unconfirmed_limits_are_marked_until_the_parameter_is_confirmed(world, client_of):
    case = ground.case_in(world, CaseState.FIRST_REVIEW)
    client = client_of(world.audit_reviewer)
    assert not page(client, case).context["limits"][0].confirmed and "待核实" in text_of(page(client, case))
    for key in ("decision", "investigation", "first_review"):
        entered = enter_parameter(world.admin, f"audits.limit.{key}", world.area, "20", "澜医保发〔2026〕9号", date(2026, 1, 1))
        confirm_parameter(world.reviewer, entered)
    answer = page(client, case)
    assert all(row.confirmed for row in answer.context["limits"]) and not answer.context["unconfirmed"]


def test_both_tracks_stand_side_by_side_with_their_own_steps(world, client_of):
    case = ground.track_in(world, PENALTY, TrackState.LEGAL, both=True).case
    answer = page(client_of(world.auditor), case)
    lanes = {lane.track.kind: {step.label: step.state for step in lane.steps} for lane in answer.context["lanes"]}
    assert lanes[AGREEMENT]["拟定和告知"] == "current" and lanes[AGREEMENT]["复审"] == "todo"
    assert lanes[PENALTY]["复审"] == "done" and lanes[PENALTY]["法制审核"] == "current" and "听证" not in lanes[PENALTY]


def test_a_track_below_the_limits_never_shows_a_legal_review(world, client_of):
    case = ground.track_in(world, AGREEMENT, TrackState.DECIDED).case
    lane = page(client_of(world.auditor), case).context["lanes"][0]
    assert [step.label for step in lane.steps] == ["拟定和告知", "陈述申辩", "复审", "作出决定", "送达决定", "履行"]
    assert lane.steps[3].who == "赵启明"


def test_dropped_tracks_and_dismissed_cases_end_where_they_were(world, client_of):
    track = ground.track_in(world, AGREEMENT, TrackState.RE_REVIEW)
    tracks.drop(ground.crew(world).second, track, ground.REASON)
    lane = page(client_of(world.auditor), track.case).context["lanes"][0]
    assert [(step.label, step.state) for step in lane.steps][-2:] == [("陈述申辩", "done"), ("不予处理", "refused")]
    dismissed = ground.case_in(world, CaseState.DISMISSED)
    steps = page(client_of(world.auditor), dismissed).context["steps"]
    assert [(step.label, step.state) for step in steps] == [
        ("线索登记", "done"), ("立案", "done"), ("调查取证", "done"), ("撤案", "refused"),
    ]  # fmt: skip


def test_reviews_stand_side_by_side_with_who_and_how_much(world, client_of):
    track = ground.track_in(world, PENALTY, TrackState.TO_DECIDE, big=True)
    reviews = page(client_of(world.auditor), track.case).context["reviews"]
    assert [(one.label, one.who, one.amount, one.less) for one in reviews] == [
        ("初审", "钱理", Decimal("150000.00"), Decimal("0.00")),
        ("复审（行政处罚）", "赵启明", Decimal("150000.00"), Decimal("0.00")),
        ("法制审核（行政处罚）", "冯律", None, Decimal(0)),
    ]


def test_what_the_re_review_took_off_is_shown_against_the_first_review(world, client_of):
    track = ground.track_in(world, AGREEMENT, TrackState.RE_REVIEW)
    FindingLine.objects.filter(finding__case=track.case, fund_type="EMP").update(dropped_at=timezone.now())
    tracks.pass_re(ground.crew(world).second, track, "剔除职工 1 行")
    answer = page(client_of(world.auditor), track.case)
    again = answer.context["reviews"][1]
    assert (again.amount, again.less, again.text) == (Decimal("1000.00"), Decimal("500.00"), "剔除职工 1 行")
    assert "比初审减 500.00" in text_of(answer)


def test_the_page_asks_the_same_queries_however_much_a_case_holds(world, client_of, django_assert_max_num_queries):
    case = ground.case_in(world, CaseState.INVESTIGATING)
    client = client_of(world.auditor)
    page(client, case)
    with django_assert_max_num_queries(100) as few:
        page(client, case)
    for number in range(6):
        piece = ground.evidence(world, case, f"more {number}".encode())
        ground.line(ground.finding(world, case, pieces=[piece]), 100)
        CaseChange.objects.create(case=case, act=Act.COLLECT, target=case.state, actor=world.auditor, at=case.opened_by.date_joined)
        Deadline.objects.create(case=case, key=f"k{number}", starts_on=ground.TODAY, due_on=ground.TODAY, ended_on=ground.TODAY)
    with django_assert_max_num_queries(len(few)):
        assert page(client, case).status_code == 200


# ---- what comes next


def test_the_panel_offers_the_reviewer_the_review_and_the_officer_nothing(world, client_of):
    case = ground.case_in(world, CaseState.FIRST_REVIEW)
    acts, links, denied = panel(page(client_of(world.audit_reviewer), case))["案件"]
    assert acts[:2] == [Act.PASS_FIRST, Act.RETURN_FIRST] and Act.DISMISS in acts and Act.RESUME not in acts
    assert links == ["剔除（核减）认定"] and denied == {}
    assert panel(page(client_of(world.auditor), case)).get("案件", ([], [], {}))[0] == []


def test_the_panel_says_why_not_only_within_the_persons_own_posts(world, client_of):
    case = ground.case_in(world, CaseState.INVESTIGATING)
    acts, links, denied = panel(page(client_of(ground.crew(world).spare), case))["案件"]
    assert acts == links == [] and len(denied) == 1
    labels, reason = next(iter(denied.items()))
    assert "提请初审" in labels and "您不是本案办案人员" in reason
    assert panel(page(client_of(world.observer), case)) == {} == panel(page(client_of(world.officer), case))


def test_a_suspended_case_offers_resuming_alone_and_says_why(world, client_of):
    case = ground.case_in(world, CaseState.FIRST_REVIEW)
    cases.suspend(world.audit_reviewer, case, ground.REASON)
    answer = page(client_of(world.audit_reviewer), case)
    acts, _links, denied = panel(answer)["案件"]
    assert acts == [Act.RESUME, Act.DISMISS] and "中止办理" in " ".join(denied.values())
    assert "各项期限暂停计算" in text_of(answer)


def test_dangerous_acts_name_amount_and_effect_in_their_dialog(world, client_of):
    track = ground.track_in(world, PENALTY, TrackState.TO_DECIDE, big=True)
    group = page(client_of(ground.crew(world).second), track.case).context["panel"][-1]
    decide = next(one for one in group.acts if one.act == Act.DECIDE)
    assert decide.amount == "150,000.00 元" and decide.effect.startswith("罚款 225,000.00 元。") and decide.danger and decide.open
    assert 'data-confirm-amount="150,000.00 元"' in text_of(page(client_of(ground.crew(world).second), track.case))


def test_a_case_goes_its_whole_way_by_the_forms_of_its_page(world, client_of):
    people = ground.crew(world)
    case = ground.case_in(world, CaseState.INVESTIGATING)

    def done(who, address, **given):
        answer = client_of(who).post(address, given)
        assert (answer.status_code, answer.headers.get("Location")) == (302, url("case", case.pk)), text_of(answer)[:400]

    done(people.officer, act(case, Act.SUBMIT), reason="证据齐全")
    done(people.reviewer, act(case, Act.RETURN_FIRST), reason="请补充收费清单")
    done(people.officer, act(case, Act.SUBMIT))
    done(people.reviewer, act(case, Act.PASS_FIRST), agreement="on", reason="事实清楚")
    track = case.tracks.get()
    ground.propose(world, track)
    done(people.officer, on_track(track, Act.NOTIFY), on="2026-09-01", way="直接送达", files=pdf())
    statements.agree(world.member, ground.fresh(track))
    done(people.officer, on_track(track, Act.PUT_FORWARD))
    done(people.second, on_track(track, Act.RETURN_RE), reason="处理意见过重")
    ground.propose(world, track)
    done(people.officer, on_track(track, Act.NOTIFY), on="2026-09-01", way="邮寄送达")
    Deadline.objects.filter(track=track, ended_on__isnull=True).update(due_on=date(2026, 8, 31))
    done(people.officer, on_track(track, Act.PUT_FORWARD))
    done(people.second, on_track(track, Act.PASS_RE), reason="同意")
    done(people.second, on_track(track, Act.DECIDE))
    done(people.officer, on_track(track, Act.SERVE), on="2026-09-01", way="直接送达")
    ground.settle(world, track)
    done(people.officer, on_track(track, Act.COMPLETE))
    done(people.second, act(case, Act.CLOSE), reason="已全部履行")
    assert ground.again(case).state == CaseState.CLOSED and ground.fresh(track).state == TrackState.DONE
    served = CaseChange.objects.filter(track=track, act=Act.NOTIFY).first()
    file = served.files.get()
    got = client_of(people.spare).get(url("change-file", case.pk, served.pk, file.pk))
    assert b"".join(got.streaming_content) == b"%PDF-1.4 receipt"
    assert client_of(world.member).get(url("change-file", case.pk, served.pk, file.pk)).status_code == 403
    assert client_of(people.other_county_auditor).get(url("change-file", case.pk, served.pk, file.pk)).status_code == 404


def test_officers_are_named_with_their_cards_and_the_former_stay_on_record(world, client_of):
    case, people = ground.case_in(world, CaseState.INVESTIGATING), ground.crew(world)
    shown = next(one for one in page(client_of(people.reviewer), case).context["panel"][0].acts if one.act == Act.OFFICERS)
    assert shown.form.initial["leading"] == str(people.officer.pk) and shown.form.initial["second_card"] == "赣02"
    given = {
        "leading": people.spare.pk, "leading_card": "赣03", "second": people.officer.pk, "second_card": "赣01", "reason": "原办案人员出差",
    }  # fmt: skip
    assert client_of(people.reviewer).post(act(case, Act.OFFICERS), given).status_code == 302
    answer = page(client_of(people.reviewer), case)
    assert [str(row.user) for row in answer.context["officers"]] == ["马骏", "赵衡"]
    assert "高文（执法证 赣02" in text_of(answer)


def test_suspending_resuming_extending_and_experts_go_through_the_page(world, client_of):
    case, people = ground.case_in(world, CaseState.INVESTIGATING), ground.crew(world)
    limit = Deadline.objects.get(case=case, key="decision")
    client = client_of(people.reviewer)
    given = {"limit": limit.pk, "until": "2026-12-20", "reason": "案情复杂，需要补充"}
    assert client.post(act(case, Act.EXTEND), given).status_code == 302
    assert Deadline.objects.get(pk=limit.pk).extended_to == date(2026, 12, 20)
    client = client_of(people.officer)
    given = {"expert": "市医学会", "until": "2026-09-20", "reason": "病历是否符合指征"}
    assert client.post(act(case, "ask_opinion"), given).status_code == 302
    acts = panel(page(client, case))["案件"][0]
    assert "end_opinion" in acts and "ask_opinion" not in acts
    assert client.post(act(case, "end_opinion"), {"reason": "意见已收到"}).status_code == 302
    client = client_of(people.reviewer)
    assert client.post(act(case, Act.SUSPEND), {"reason": "等待公安机关意见"}).status_code == 302
    assert ground.again(case).is_suspended
    assert client.post(act(case, Act.RESUME), {"reason": "公安机关已回复"}).status_code == 302
    assert not ground.again(case).is_suspended


def test_a_refused_act_keeps_what_was_typed_and_changes_nothing(world, client_of):
    case = ground.case_in(world, CaseState.FIRST_REVIEW)
    client = client_of(world.audit_reviewer)
    answer = client.post(act(case, Act.PASS_FIRST), {"reason": "事实清楚，证据确凿"})
    assert answer.status_code == 422 and "没有选择程序" in text_of(answer)
    shown = next(one for one in answer.context["panel"][0].acts if one.act == Act.PASS_FIRST)
    assert shown.open and "事实清楚，证据确凿" in text_of(answer)
    answer = client.post(act(case, Act.RETURN_FIRST), {"reason": ""})
    assert answer.status_code == 422 and "没有填写理由" in text_of(answer)
    assert ground.again(case).state == CaseState.FIRST_REVIEW


def test_what_was_typed_stays_even_when_somebody_else_was_first(world, client_of):
    case = ground.case_in(world, CaseState.FIRST_REVIEW)
    cases.pass_first(ground.crew(world).second, case, [AGREEMENT])
    answer = client_of(world.audit_reviewer).post(act(case, Act.RETURN_FIRST), {"reason": "缺少现场照片两张"})
    assert answer.status_code == 409 and "赵启明已办理“初审通过”" in text_of(answer)
    kept = next(one for one in answer.context["panel"][0].acts if one.act == Act.RETURN_FIRST)
    assert kept.blocked and "缺少现场照片两张" in text_of(answer) and "现在不能办理" in text_of(answer)


def test_a_notice_served_in_the_future_or_without_a_way_is_refused_at_once(world, client_of):
    track = ground.track_in(world, AGREEMENT, TrackState.TO_NOTIFY)
    ground.propose(world, track)
    answer = client_of(world.auditor).post(on_track(track, Act.NOTIFY), {"on": "2026-09-02", "way": "直接送达"})
    assert answer.status_code == 422 and "还没有到" in text_of(answer)
    answer = client_of(world.auditor).post(on_track(track, Act.NOTIFY), {"on": "tomorrow", "way": "口头"})
    assert {problem.field for problem in answer.context["problems"]} == {"送达日期", "送达方式"}
    assert ground.fresh(track).state == TrackState.TO_NOTIFY


def test_a_file_of_a_wrong_kind_is_told_before_any_is_kept(world, client_of):
    track = ground.track_in(world, AGREEMENT, TrackState.TO_NOTIFY)
    ground.propose(world, track)
    before = StoredFile.objects.count()
    given = {"on": "2026-09-01", "way": "直接送达", "files": [pdf(), pdf("run.exe")]}
    answer = client_of(world.auditor).post(on_track(track, Act.NOTIFY), given)
    assert answer.status_code == 422 and "run.exe" in text_of(answer) and StoredFile.objects.count() == before


def test_deciding_is_denied_to_who_investigated_with_the_reason(world, client_of):
    track = ground.track_in(world, AGREEMENT, TrackState.TO_DECIDE)
    track.case.officers.create(user=ground.crew(world).second, card="x", since=ground.TODAY, until=ground.TODAY)
    answer = client_of(ground.crew(world).second).post(on_track(track, Act.DECIDE))
    assert answer.status_code == 403 and "不能由本人审核或决定" in text_of(answer)
    assert client_of(world.auditor).post(on_track(track, Act.DECIDE)).status_code == 403
    assert Track.objects.get(pk=track.pk).state == TrackState.TO_DECIDE


def test_addresses_of_acts_lead_back_to_the_case_when_opened(world, client_of):
    track = ground.track_in(world, AGREEMENT, TrackState.TO_NOTIFY)
    client = client_of(world.auditor)
    for address in (act(track.case, Act.SUBMIT), on_track(track, Act.NOTIFY)):
        answer = client.get(address)
        assert answer.status_code == 302 and answer.headers["Location"] == url("case", track.case_id)
    assert client.post(act(track.case, "nonsense")).status_code == 404
    assert client.post(act(track.case, Act.ESCALATE)).status_code == 404
    assert client.post(url("track-act", track.case_id, "penalty", str(Act.NOTIFY))).status_code == 404


# ---- the party's own view


def test_a_party_knows_nothing_of_a_case_before_its_notice(world, client_of):
    track = ground.track_in(world, AGREEMENT, TrackState.TO_NOTIFY)
    for who in (world.member, world.hospital):
        client = client_of(who)
        assert numbers(client.get(url("cases"))) == [] and page(client, track.case).status_code == 404
        assert "没有已告知本单位的案件" in text_of(client.get(url("cases")))
    ground.onward(world, track, TrackState.NOTIFIED)
    for who in (world.member, world.hospital):
        assert numbers(client_of(who).get(url("cases"))) == [track.case.number]
    assert page(client_of(world.sister_hospital), track.case).status_code == 404


def test_a_party_reads_what_it_was_told_and_until_when_it_may_speak(world, client_of):
    track = ground.track_in(world, PENALTY, TrackState.NOTIFIED, both=True, big=True)
    answer = page(client_of(world.member), track.case)
    text = text_of(answer)
    assert [one["track"].kind for one in answer.context["notices"]] == [PENALTY]
    assert "9月8日" in text and "剩 5 个工作日" in text and "您有权要求听证" in text and "告知书 2026年9月1日 直接送达" in text
    assert panel(answer) == {"行政处罚": ([], ["陈述申辩", "申请听证"], {})}
    assert 'id="card-statements"' in text


def test_a_party_sees_neither_leads_nor_officers_nor_the_bureaus_own_steps(world, client_of):
    track = ground.track_in(world, AGREEMENT, TrackState.TO_DECIDE, both=True)
    CaseChange.objects.create(
        case=track.case, act=Act.RETURN_FIRST, target=CaseState.REVIEWED, actor=world.audit_reviewer,
        at=track.case.opened_by.date_joined, reason="内部意见不外传",
    )  # fmt: skip
    answer = page(client_of(world.hospital), track.case)
    text = text_of(answer)
    lead = track.case.leads.get()
    for hidden in ("内部意见不外传", lead.number, "赵启明", "钱理", "待决定", "执法证", "待告知", "初审"):
        assert hidden not in text, hidden
    assert "医保局审核中" in text and "行政处罚" not in [one["track"].get_kind_display() for one in answer.context["notices"]]
    assert [event["label"] for event in answer.context["events"]] == ["告知书送达（协议处理）", "提出意见（协议处理）"]
    assert {"lanes", "reviews", "leads", "officers"}.isdisjoint(answer.context.keys())


def test_a_party_reads_a_decision_and_what_is_due_once_it_was_served(world, client_of):
    track = ground.track_in(world, AGREEMENT, TrackState.DECIDED)
    before = page(client_of(world.member), track.case)
    assert before.context["notices"][0]["served"] is None and "决定认定金额" not in text_of(before)
    tracks.serve(world.auditor, track)
    answer = page(client_of(world.member), track.case)
    told = answer.context["notices"][0]
    assert told["served"].decided_amount == Decimal("1500.00") and told["owed"] == Decimal("500.00")
    assert [one.row.key for one in told["due"]] == ["repayment"] and "尚应退回基金" in text_of(answer)


def test_the_list_of_a_party_offers_no_internal_filter_and_no_internal_column(world, client_of):
    track = ground.track_in(world, AGREEMENT, TrackState.TO_DECIDE, both=True)
    client = client_of(world.member)
    answer = client.get(url("cases") + "?mine=on&source=tip")
    assert numbers(answer) == [track.case.number]
    assert set(answer.context["form"].fields) == {"state", "kind", "overdue", "q"}
    assert answer.context["rows"][0]["tracks"] == [{"kind": "协议处理", "text": "医保局审核中", "tone": "run"}]
    assert answer.context["rows"][0]["case"].due is None
    rows = str(read_sheets(client.get(url("cases-xlsx")).content, "x.xlsx"))
    assert "办案人员" not in rows and "赵衡" not in rows and "待决定" not in rows


def test_providers_find_their_cases_in_the_navigation_and_others_too(world, client_of):
    link = f'href="{url("cases")}"'
    for who in (world.member, world.hospital, world.auditor, world.observer):
        assert link in text_of(client_of(who).get("/help/"))
    assert link not in text_of(client_of(world.nobody).get("/help/"))
