"""Findings and their claim lines: from the extract, by hand; what is refused; who takes lines out and when no more."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from audits.models import Case, Finding, FindingLine, Track
from audits.reading.findings import over_claims, sums, unevidenced
from audits.services.evidence import withdraw
from audits.services.findings import (
    amend_finding,
    drop_finding,
    drop_lines,
    lower_line,
    make_finding,
    note_lines_opened,
    violations,
)
from audits.services.lines import Wanted, add_by_hand, add_lines
from claims.models import LakeFile
from core import triggers
from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.models import TrailEvent
from tests.audits.findings_ground import (
    EAST,
    OUTSIDER,
    TOWNSHIP,
    claims,
    finding,
    ground,
    open_case,
    piece,
    wanted,
    with_lines,
)
from tests.claims.extracts import accepted, claim

D = Decimal
__all__ = ["ground"]


def told(refusal):
    return "；".join(str(problem) for problem in refusal.value.problems)


# --- findings ------------------------------------------------------------------------------------------------------


def test_a_finding_takes_its_clause_from_the_catalogue(ground):
    made = finding(ground, evidence=[piece(ground).pk])
    assert (made.number, made.clause) == (1, "条例第三十八条第（一）项")
    assert [row.number for row in made.evidence.all()] == [1] and unevidenced(ground.case) == []
    assert finding(ground, act="overcharging", clause="服务协议第 5 条").clause == "服务协议第 5 条"
    summary = TrailEvent.objects.filter(action="audits.find").order_by("pk").last().summary
    assert "事实 2：重复收费" in summary


def test_every_fault_of_a_finding_is_told_at_once(ground):
    with pytest.raises(Refused) as refusal:
        make_finding(
            ground.officer, ground.case, act="lending_card", text="短", acted_from=date(2026, 9, 2), acted_to=date(2026, 9, 1),
            clause="条" * 201, evidence=[987654],
        )  # fmt: skip
    for word in ("不是定点医药机构的违规行为", "没有写明事实", "条款超过 200 个字", "早于行为起", "（987654）不属于本案"):
        assert word in told(refusal), word
    with pytest.raises(Refused) as refusal:
        finding(ground, act="", acted_to=date(2026, 10, 13))
    assert "没有选择违规行为" in told(refusal) and "2026-10-13 还没有到" in told(refusal)


def test_each_kind_of_party_has_its_own_acts(ground):
    keys = {kind: {act.key for act in violations(Case(party_kind=kind))} for kind in ("provider", "person", "enterprise")}
    assert "overcharging" in keys["provider"] and "overcharging" not in keys["person"]
    assert "lending_card" in keys["person"] and keys["provider"] | keys["person"] <= keys["enterprise"]


def test_a_finding_on_withdrawn_evidence_only_is_unevidenced(ground):
    bare, one, both = finding(ground), piece(ground), piece(ground, b"other")
    stood = finding(ground, evidence=[one.pk])
    kept = finding(ground, evidence=[one.pk, both.pk])
    withdraw(ground.officer, one, "来源不合法")
    assert unevidenced(ground.case) == [bare, stood]
    drop_finding(ground.officer, bare, "不能成立")
    amend_finding(
        ground.partner, stood, act=stood.act, text="改写后的事实", acted_from=stood.acted_from, acted_to=stood.acted_to,
        evidence=[both.pk],
    )  # fmt: skip
    assert unevidenced(ground.case) == [] and kept.number == 3
    change = ground.case.changes.last()
    assert change.data["before"]["text"] == stood.text and change.data["before"]["evidence"] == [1]


def test_only_officers_find_and_only_while_they_investigate(ground):
    with pytest.raises(NotAllowed):
        make_finding(ground.first, ground.case, act="overcharging", text="重复收费", acted_from=None, acted_to=None)
    ground.to("first")
    with pytest.raises(Conflict):
        finding(ground)


# --- lines from the extract ------------------------------------------------------------------------------------------


def test_lines_hold_what_the_extract_says_of_the_claim(ground):
    claims(ground.world)
    made = with_lines(ground, None, "100.25")
    whole, part = made.lines.all()
    assert (whole.paid, whole.amount, part.amount, part.paid) == (D("600.00"), D("600.00"), D("100.25"), D("600.00"))
    assert (whole.county, whole.year, whole.fund_type, whole.visit_type) == (ground.world.qingxi, 2026, "RES", "inpatient")
    assert (whole.diagnosis, whole.alliance, whole.own) == ("J44.100", ground.world.alliance, True)
    assert len(whole.person) == 64 or len(whole.person) >= 32
    assert "36010119700101" not in whole.person
    row = sums(ground.case).rows[0]
    assert (row.lines, row.resident, row.employee, row.total) == (2, D("700.25"), D("0.00"), D("700.25"))
    assert ground.case.changes.last().data["amount"] == "700.25"


def test_every_faulty_claim_is_told_with_its_fault(ground):
    rows = [
        claim(1, institution_code=TOWNSHIP),
        claim(2),  # of the county hospital
        claim(3, institution_code=TOWNSHIP, fund_type="320"),
        claim(4, institution_code=TOWNSHIP),
        claim(5, institution_code=TOWNSHIP, total_cost="-1000.00", eligible_cost="-900.00", pooled_fund_paid="-600.00",
              cash_paid="-400.00", reversal_of="S000004", visit_id="V000004", person_id="360101197001010004"),
    ]  # fmt: skip
    accepted(ground.world, rows)
    made = finding(ground)
    asked = [
        wanted(ground.world, 1, "600.01"), wanted(ground.world, 2), wanted(ground.world, 3), wanted(ground.world, 4),
        wanted(ground.world, 5), wanted(ground.world, 6), wanted(ground.world, 6), wanted(ground.world, 1, "0"),
    ]  # fmt: skip
    with pytest.raises(Refused) as refusal:
        add_lines(ground.officer, made, asked)
    for word in (
        "S000001 重复列出 2 次", "认定金额 600.01 元超过基金支付 600.00 元", "S000002 是机构 H99010100001 的结算，不是石桥镇中心卫生院的",
        "S000003 属于其他险种", "S000004 已由 S000005 冲销", "S000005 是冲销 S000004 的记录", "S000006 在青溪县的结算明细中没有",
        "认定金额 0 元须大于 0",
    ):  # fmt: skip
        assert word in told(refusal), (word, told(refusal))
    assert not FindingLine.objects.exists()


def test_claims_outside_the_span_of_the_case_are_refused(ground):
    claims(ground.world)
    Case.objects.update(claims_to=date(2026, 9, 4))
    with pytest.raises(Refused) as refusal:
        add_lines(ground.officer, finding(ground), [wanted(ground.world, 1)])
    assert "结算日期 2026-09-05 不在费用所属期 2025-10-01 至 2026-09-04 内" in told(refusal)


def test_only_the_first_three_hundred_faults_are_listed(ground):
    claims(ground.world)
    with pytest.raises(Refused) as refusal:
        add_lines(ground.officer, finding(ground), [wanted(ground.world, 1000 + n) for n in range(350)])
    assert len(refusal.value.problems) == 301 and "另有 50 处" in refusal.value.problems[-1].text


def test_insured_of_other_alliances_are_recovered_not_refused(ground):
    rows = [
        claim(1, institution_code=TOWNSHIP, insured_county="990102"),  # agreed shares: nobody alone answers
        claim(2, institution_code=TOWNSHIP, insured_county="990102", fund_type="310", visit_type="52"),
    ]
    accepted(ground.world, rows, county=ground.world.yunling)
    accepted(ground.world, [claim(3, institution_code=TOWNSHIP, fund_type="310", visit_type="52")])
    made = finding(ground)
    add_lines(ground.officer, made, [wanted(ground.world, n, county=ground.world.yunling) for n in (1, 2)])
    add_lines(ground.officer, made, [wanted(ground.world, 3)])
    lines = {line.settlement_id: line for line in made.lines.all()}
    assert (lines["S000001"].alliance, lines["S000001"].own) == (None, False)
    # employees' maternity care is no part of the package (A21), so refusing it leaves S_in alone
    assert (lines["S000003"].alliance, lines["S000003"].own) == (ground.world.alliance, False)


# --- one claim, several findings and cases ---------------------------------------------------------------------------


def test_a_claim_in_two_findings_never_exceeds_what_was_paid(ground):
    claims(ground.world)
    with_lines(ground, "400.00")
    second = finding(ground, act="overcharging")
    with pytest.raises(Refused) as refusal:
        add_lines(ground.officer, second, [wanted(ground.world, 1, "200.01")])
    assert "已由本案事实 1认定 400.00 元，再认定 200.01 元超过基金支付 600.00 元" in told(refusal)
    assert "最多还可认定 200.00 元" in told(refusal)
    add_lines(ground.officer, second, [wanted(ground.world, 1, "200.00")])
    assert sums(ground.case).total == D("600.00") and over_claims(ground.case) == []
    with pytest.raises(Refused) as refusal:
        add_lines(ground.officer, second, [wanted(ground.world, 1, "0.01")])
    assert "已在事实 2 中" in told(refusal)


def test_a_claim_of_another_case_is_named_with_that_case(ground):
    claims(ground.world)
    other = open_case(ground.world, [ground.officer, ground.partner], "青稽〔2026〕2号")
    with_lines(ground, "500.00")
    second = finding(ground, other)
    with pytest.raises(Refused) as refusal:
        add_lines(ground.officer, second, [wanted(ground.world, 1, "200.00")])
    assert "已由案件 青稽〔2026〕1号 事实 1认定 500.00 元" in told(refusal)
    Case.objects.filter(pk=ground.case.pk).update(state="dismissed")
    add_lines(ground.officer, second, [wanted(ground.world, 1, "200.00")])
    Case.objects.filter(pk=ground.case.pk).update(state="investigate")
    (problem,) = over_claims(ground.again())
    assert "各案认定合计 700.00 元，超过基金支付 600.00 元（另见案件 青稽〔2026〕2号）" in problem.text


def test_a_claim_decided_in_another_case_is_refused(ground):
    claims(ground.world)
    with_lines(ground, "100.00")
    ground.track("decided")
    other = open_case(ground.world, [ground.officer, ground.partner], "青稽〔2026〕2号")
    with pytest.raises(Refused) as refusal:
        add_lines(ground.officer, finding(ground, other), [wanted(ground.world, 1, "1.00")])
    assert "已在案件 青稽〔2026〕1号 作出决定" in told(refusal)
    Track.objects.update(state="dropped")
    add_lines(ground.officer, finding(ground, other), [wanted(ground.world, 1)])


# --- by hand ---------------------------------------------------------------------------------------------------------


def by_hand(ground, made, **given):
    values = {
        "county": ground.world.qingxi, "settlement_id": "HAND-1", "settled_on": date(2026, 8, 3), "fund_type": "RES",
        "paid": D("300.00"), "amount": D("120.00"), "own": True, **given,
    }  # fmt: skip
    return add_by_hand(ground.officer, made, **values)


def test_claims_are_entered_by_hand_where_no_extract_exists(ground):
    claims(ground.world)  # September only
    made = finding(ground)
    line = by_hand(ground, made)
    assert (line.county, line.own, line.alliance, line.year) == (None, True, ground.world.alliance, 2026)
    with pytest.raises(Refused) as refusal:
        by_hand(ground, made, settled_on=date(2026, 9, 3), settlement_id="HAND-2")
    assert "青溪县 2026-09 已有结算明细，不能手工登记" in told(refusal)
    with pytest.raises(Refused) as refusal:
        by_hand(ground, made)
    assert "已在事实 1 中" in told(refusal)


def test_every_fault_of_a_claim_by_hand_is_told_at_once(ground):
    made = finding(ground)
    with pytest.raises(Refused) as refusal:
        by_hand(
            ground, made, county=ground.world.foreign_county, settlement_id=" ", settled_on=date(2025, 9, 30), fund_type="?",
            amount=D("300.01"), note="字" * 201,
        )  # fmt: skip
    for word in (
        "结算单号须填", "没有选择险种", "邻江县的参保人不在本案范围内", "不在费用所属期", "300.01 元超过基金支付 300.00 元", "说明超过 200",
    ):  # fmt: skip
        assert word in told(refusal), word


def test_a_claim_by_hand_counts_with_the_extract_that_came_later(ground):
    made = finding(ground)
    by_hand(ground, made, settlement_id="S000001", settled_on=date(2026, 9, 5), paid=D("600.00"), amount=D("600.00"))
    claims(ground.world)
    with pytest.raises(Refused) as refusal:
        add_lines(ground.officer, finding(ground, act="overcharging"), [wanted(ground.world, 1, "0.01")])
    assert "已由本案事实 1认定 600.00 元" in told(refusal)


# --- reviews take out, nobody puts in ----------------------------------------------------------------------------------


def test_the_first_reviewer_takes_out_lines_and_lowers_them(ground):
    claims(ground.world)
    made = with_lines(ground, None, None, None)
    case = ground.to("first")
    first, second, third = made.lines.all()
    with pytest.raises(NotAllowed):
        drop_lines(ground.officer, case, [first.pk], "不属于本项")
    assert drop_lines(ground.first, case, [first.pk], "病情确需再次入院") == 1
    lower_line(ground.first, second, D("250.50"), "只认定床位费")
    row = sums(case).rows[0]
    assert (row.lines, row.dropped_lines, row.total) == (2, 1, D("850.50"))
    change = case.changes.filter(act="trim").first()
    assert change.data == {"lines": [first.pk], "amount": "600.00"} and change.reason == "病情确需再次入院"
    for amount in ("250.50", "600.00", "0", "-1", "100.001"):
        with pytest.raises(Refused):
            lower_line(ground.first, second, D(amount), "试着改高些")
    with pytest.raises(Conflict):
        drop_lines(ground.first, case, [first.pk, third.pk], "一行已经剔除")
    with pytest.raises(Refused):
        drop_lines(ground.first, case, [third.pk], "短")


def test_the_re_reviewer_is_another_person_than_the_first(ground):
    claims(ground.world)
    made = with_lines(ground, None, None)
    track = ground.track("re_review")
    line = made.lines.first()
    with pytest.raises(NotAllowed) as refusal:
        drop_lines(ground.first, ground.again(), [line.pk], "采纳申辩意见")
    assert "初审" in str(refusal.value)
    drop_lines(ground.second, ground.again(), [line.pk], "采纳申辩意见")
    assert track.changes.get(act="trim").actor == ground.second
    drop_finding(ground.second, made, "全部采纳申辩意见")
    assert sums(ground.again()).total == D("0.00")
    with pytest.raises(Conflict) as refusal:
        drop_finding(ground.second, made, "再次剔除一遍")
    assert "事实 1 已不予认定：全部采纳申辩意见" in told(refusal)


@pytest.mark.parametrize(("state", "word"), [("notified", "只能在调查、初审或复审中"), ("decided", "已作出决定"), ("served", "已作出决定")])
def test_after_the_notice_findings_stand_until_the_re_review(ground, state, word):
    claims(ground.world)
    made = with_lines(ground, None)
    ground.track(state)
    with pytest.raises(Conflict) as refusal:
        drop_lines(ground.second, ground.again(), [made.lines.get().pk], "采纳申辩意见")
    assert word in told(refusal)
    with pytest.raises(Conflict):
        add_lines(ground.officer, made, [wanted(ground.world, 2)])


def test_money_decided_on_one_track_is_not_changed_in_the_others_re_review(ground):
    claims(ground.world)
    made = with_lines(ground, None)
    ground.track("served")
    ground.track("re_review", "penalty")
    drop_finding(ground.second, made, "处罚不成立")
    made.refresh_from_db()
    assert (made.dropped, made.spared) == (False, True) and sums(ground.case).total == D("600.00")


def test_officers_correct_their_lines_while_they_investigate(ground):
    claims(ground.world)
    made = with_lines(ground, None, None)
    line = made.lines.first()
    drop_lines(ground.partner, ground.again(), [line.pk], "金额录入有误")
    add_lines(ground.officer, made, [wanted(ground.world, 1, "10.00")])
    line.refresh_from_db()
    assert (line.amount, line.dropped_at, line.dropped_reason) == (D("10.00"), None, "")
    assert made.lines.count() == 2 and sums(ground.case).total == D("610.00")


def test_rows_of_another_case_cannot_be_taken_out(ground):
    claims(ground.world)
    other = open_case(ground.world, [ground.officer, ground.partner], "青稽〔2026〕2号")
    line = with_lines(ground, "1.00", case=other).lines.get()
    with pytest.raises(Conflict):
        drop_lines(ground.officer, ground.again(), [line.pk], "不属于本案")


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audits_findingline", "DELETE FROM audits_finding",
        "UPDATE audits_findingline SET amount = paid + 1", "UPDATE audits_findingline SET amount = 0",
    ],
)  # fmt: skip
def test_the_database_refuses_to_lose_or_raise_lines(ground, statement):
    claims(ground.world)
    with_lines(ground, None)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_looking_at_rows_of_a_case_leaves_a_trace(ground):
    note_lines_opened(ground.first, ground.case, "事实 1 的结算行，第 1 页")
    event = TrailEvent.objects.get(action="audits.open_lines")
    assert event.summary == "查看案件 青稽〔2026〕1号 事实 1 的结算行，第 1 页"
    for user in (ground.world.observer, ground.world.sister_hospital, ground.world.admin):
        with pytest.raises(NotAllowed):
            note_lines_opened(user, ground.case, "结算行")


def test_a_file_outside_the_manifest_gives_no_claims(ground):
    claims(ground.world)
    with triggers.lifted():
        LakeFile.objects.update(live=False)
    with pytest.raises(Refused) as refusal:
        add_lines(ground.officer, finding(ground), [wanted(ground.world, 1)])
    assert "在青溪县的结算明细中没有" in told(refusal)


def test_a_case_of_an_alliance_takes_its_members_claims_only(ground):
    accepted(ground.world, [claim(1, institution_code=TOWNSHIP), claim(2, institution_code=OUTSIDER), claim(3, institution_code=EAST)])
    officers = [ground.officer, ground.partner]
    case = open_case(ground.world, officers, "青稽〔2026〕3号", institution=None, party_name="青溪县紧密型县域医共体")
    made = finding(ground, case)
    add_lines(ground.officer, made, [wanted(ground.world, 1)])
    with pytest.raises(Refused) as refusal:
        add_lines(ground.officer, made, [wanted(ground.world, 2), wanted(ground.world, 3)])
    assert len(refusal.value.problems) == 2 and OUTSIDER in told(refusal)


def test_a_case_of_a_person_takes_the_persons_own_claims(ground):
    claims(ground.world, 2)
    probe = with_lines(ground, "1.00")
    pseudonym = probe.lines.get().person
    case = open_case(
        ground.world, [ground.officer, ground.partner], "青稽〔2026〕4号", institution=None, alliance=None, party_kind="person",
        party_name="参保人 甲", party_code=pseudonym,
    )  # fmt: skip
    made = finding(ground, case, act="lending_card", text="出借本人医保凭证")
    with pytest.raises(Refused) as refusal:
        add_lines(ground.officer, made, [wanted(ground.world, 2)])
    assert "不是参保人 甲本人的结算" in told(refusal)
    add_lines(ground.officer, made, [Wanted(ground.world.qingxi, "S000001", D("5.00"))])
    assert made.lines.get().own is False and Finding.objects.filter(case=case).count() == 1


def test_ten_thousand_lines_are_added_in_five_seconds(ground):
    from time import perf_counter

    from audits.line_files import add_from_file
    from core.workbook import Sheet, write_workbook

    claims(ground.world, 10_000)
    made = finding(ground)
    rows = [(f"S{number:06d}", D("1.00")) for number in range(1, 10_001)]
    book = write_workbook([Sheet("结算行", ("结算单号", "认定金额"), rows)])
    started = perf_counter()
    assert add_from_file(ground.officer, made, book, "清单.xlsx") == 10_000
    assert perf_counter() - started < 5
    assert sums(ground.case).total == D("10000.00") and over_claims(ground.case) == []
