"""Audits told in the browser: a routine check becomes a case whose decision leaves the settlement, a warning becomes points."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from audits.models import Case, Lead, PointEntry, Track, YearlyCheck
from audits.states import CaseState, LeadState, TrackKind, TrackState
from budgets.models import PrepaymentRatio
from settlement import services as settlement
from tests.audits import ground, story_ground
from tests.e2e.acting import confirm, fill, fits

LIST = {"name": "住院费用清单.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"}
OBJECTION = "JS3 一例为病情加重再次入院，病程记录可以证明，请求剔除并复核。"


@pytest.fixture(autouse=True)
def _clock(time_machine: Any, watched: Page) -> None:
    """A Tuesday in September; pages are given time, the machine may be busy with other tests."""
    watched.set_default_timeout(60_000)
    time_machine.move_to(ground.NOW)


def do(page: Page, end: str, agree: str, **fields: str | bool) -> None:
    """Fill the form whose address ends so, press its button and agree."""
    form = f"form[action$='{end}']"
    page.evaluate("document.querySelectorAll('details.folding').forEach(one => { one.open = true; })")
    for name, value in fields.items():
        if isinstance(value, bool):
            page.locator(f"{form} [name={name}]").set_checked(value)
        else:
            fill(page, form, **{name: value})
    page.locator(f"{form} button[type=submit]").last.click()
    with page.expect_navigation():
        page.locator("dialog[open]").get_by_role("button", name=agree, exact=True).click()


def send(page: Page, scope: str, button: str, **fields: str) -> None:
    """Fill a form page and send it."""
    fill(page, scope, **fields)
    with page.expect_navigation():
        page.locator("main").get_by_role("button", name=button, exact=True).first.click()


def told(page: Page, text: str) -> None:
    expect(page.locator("main")).to_contain_text(text)


def lead_of_the_check(city: Any, sign_in: Any, base: str, accessible: Any, plan: Any) -> Case:
    """The officer writes what the check found; it becomes a lead, and the reviewer files the case with two officers."""
    page = sign_in("auditor")
    target = plan.targets.get()
    page.goto(f"{base}{plan.get_absolute_url()}targets/{target.pk}/")
    fits(page, accessible)
    do(
        page, "/result/", "登记", result="lead", checked_on="2026-08-31", title="分解住院", detail="十五日内同病种再入院四例",
        note="转为线索",
    )  # fmt: skip
    lead = Lead.objects.get()
    assert (lead.source, lead.state) == ("routine", LeadState.NEW)
    story_ground.checked(city, lead)
    page = sign_in("audit_reviewer")
    page.goto(f"{base}{lead.get_absolute_url()}")
    fits(page, accessible)
    first, last = (str(day) for day in story_ground.SPAN)
    do(
        page, "/do/file/", "批准立案", claims_from=first, claims_to=last, leading="赵衡", leading_card="赣01", second="高文",
        second_card="赣02",
    )  # fmt: skip
    return Case.objects.with_places().get()


def investigated(city: Any, sign_in: Any, base: str, accessible: Any, case: Case) -> None:
    """Evidence by two officers, a finding on it, a claim typed in; put before the first review."""
    page = sign_in("auditor")
    here = f"{base}{case.get_absolute_url()}"
    page.goto(f"{here}evidence/new/")
    fits(page, accessible)
    page.set_input_files("main [name=file]", LIST)
    send(
        page, "main", "登记", kind="document", name="住院费用清单", collected_on="2026-09-01", collected_by="赵衡", witnessed_by="高文",
    )  # fmt: skip
    page.goto(f"{here}findings/new/")
    fits(page, accessible)
    page.locator("main [name=evidence]").first.check()
    send(
        page, "main", "认定", act="split_or_phantom_stay", acted_from="2025-08-01", acted_to="2025-12-31",
        text="四例患者出院后十五日内因同一疾病再次入院，分次结算。",
    )  # fmt: skip
    page.goto(f"{here}findings/1/by-hand/")
    page.locator("main [name=own]").check()
    send(
        page, "main", "登记", settlement_id="JS1", settled_on="2025-08-05", fund_type="RES", visit_type="inpatient",
        paid="6000.00", amount="6000.00",
    )  # fmt: skip
    fits(page, accessible)
    story_ground.more_claims(city, case.findings.get())
    page.goto(here)
    told(page, "13,500.00")
    fits(page, accessible)
    do(page, "/do/submit/", "提请初审")
    case.refresh_from_db()
    assert case.state == CaseState.FIRST_REVIEW


def answered(city: Any, sign_in: Any, base: str, accessible: Any, case: Case) -> Track:
    """First review, proposal, notice; the provider reads its case and objects, what it typed wrongly is kept."""
    here = f"{base}{case.get_absolute_url()}"
    page = sign_in("audit_reviewer")
    page.goto(here)
    do(page, "/do/pass_first/", "初审通过", agreement=True, penalty=True)
    page = sign_in("auditor")
    page.goto(here)
    do(page, "/agreement/money/propose/", "拟定处理意见", text="责令限期改正，拒付违规费用", points="4", correct=True)
    do(page, "/tracks/agreement/do/notify/", "送达告知书", way="直接送达")
    told(page, "青医保稽告〔2026〕1号")
    page = sign_in("member")
    page.goto(here)
    told(page, "13,500.00")
    expect(page.locator("main")).not_to_contain_text("住院费用清单")
    fits(page, accessible)
    page.goto(f"{here}tracks/agreement/statements/new/")
    fits(page, accessible)
    send(page, "section[aria-labelledby=h-whole]", "提交意见", text="请")
    told(page, "理由")
    expect(page.locator("section[aria-labelledby=h-whole] [name=text]")).to_have_value("请")
    send(page, "section[aria-labelledby=h-whole]", "提交意见", text=OBJECTION)
    return ground.fresh(case.tracks.get(kind=TrackKind.AGREEMENT))


def reviewed_again(sign_in: Any, base: str, accessible: Any, case: Case) -> None:
    """Another reviewer answers, drops the claim that was right, passes and decides."""
    here = f"{base}{case.get_absolute_url()}"
    page = sign_in("auditor")
    page.goto(here)
    do(page, "/tracks/agreement/do/put_forward/", "提请复审")
    page = sign_in("audit_reviewer")
    page.goto(here)
    told(page, "由您本人初审")
    page = sign_in("audit_second")
    statement = case.tracks.get(kind=TrackKind.AGREEMENT).statements.get()
    page.goto(f"{here}statements/{statement.pk}/")
    fill(page, "main form[method=post]:has([name=outcome])", outcome="partly", text="病程记录证明一例确需再次入院，予以剔除。")
    fits(page, accessible)
    confirm(page, "答复")
    page.goto(f"{here}findings/1/")
    fits(page, accessible)
    page.get_by_label("选择结算单 JS3").check()
    do(page, "/findings/1/drop-lines/", "剔除", reason="病情加重再次入院，有病程记录。")
    page.goto(here)
    told(page, "11,500.00")
    do(page, "/tracks/agreement/do/pass_re/", "复审通过")
    do(page, "/tracks/agreement/do/decide/", "作出决定")


def test_a_routine_check_becomes_a_case_that_leaves_the_settlement_and_is_paid_and_closed(
    city: Any, sign_in: Any, watched: Page, live_server: Any, accessible: Any, time_machine: Any
) -> None:
    base = live_server.url
    plan, draft = story_ground.ready(city)
    case = lead_of_the_check(city, sign_in, base, accessible, plan)
    investigated(city, sign_in, base, accessible, case)
    answered(city, sign_in, base, accessible, case)
    time_machine.move_to("2026-09-14 09:00:00+08:00")
    reviewed_again(sign_in, base, accessible, case)

    # Served: the refused claims leave S_in of the draft, the rest is to be repaid.
    here = f"{base}{case.get_absolute_url()}"
    page = sign_in("auditor")
    page.goto(here)
    do(page, "/tracks/agreement/do/serve/", "送达决定书", way="直接送达")
    told(page, "青医保稽决〔2026〕1号")
    fits(page, accessible)
    before = draft.computation
    settlement.refresh(city.officer, draft)
    draft.refresh_from_db()
    after = draft.computation
    assert after.in_alliance == before.in_alliance - story_ground.REFUSED
    page = sign_in("officer")
    page.goto(f"{base}/settlement/versions/{draft.pk}/")
    told(page, f"{story_ground.REFUSED:,.2f}")
    fits(page, accessible)

    # The penalty on the same facts: its fine changes nothing in the settlement.
    penalty = story_ground.penalty_served(city, case)
    assert penalty.fine == Decimal("17250.00")
    settlement.refresh(city.officer, draft)
    draft.refresh_from_db()
    assert draft.computation.in_alliance == after.in_alliance
    assert draft.computation.cash == after.cash

    # The rest is repaid, the fine goes to the treasury, both ways are done, the case is closed.
    page = sign_in("finance")
    page.goto(here)
    do(
        page, "/agreement/money/receive/", "登记退回基金", fund_type="RES", amount="1500.00", on="2026-09-14", reference="HD0914-1",
    )  # fmt: skip
    page = sign_in("auditor")
    page.goto(here)
    do(page, "/penalty/money/pay_fine/", "登记罚款缴库", kind="fine", amount="17250.00", on="2026-09-14", reference="JK0914-1")
    do(page, "/tracks/penalty/do/publish/", "登记公开决定", reason="已在县政府网站公开")
    do(page, "/tracks/agreement/do/complete/", "履行完毕")
    do(page, "/tracks/penalty/do/complete/", "履行完毕")
    page = sign_in("audit_second")
    page.goto(here)
    do(page, "/do/close/", "结案", reason="两项程序均已履行完毕")
    told(page, "已结案")
    fits(page, accessible)
    case.refresh_from_db()
    assert case.state == CaseState.CLOSED
    assert {track.state for track in case.tracks.all()} == {TrackState.DONE}


def test_a_warning_becomes_a_lead_points_a_yearly_check_and_a_lower_prepayment(
    city: Any, sign_in: Any, watched: Page, live_server: Any, accessible: Any
) -> None:
    base = live_server.url
    warning = story_ground.opened_by_warning(city)
    ground.crew(city)
    page = sign_in("auditor")
    page.goto(f"{base}{warning.get_absolute_url()}")
    fits(page, accessible)
    confirm(page, "转为稽核线索")
    lead = Lead.objects.get()
    assert (lead.source, lead.institution) == ("warning", city.lead)
    told(page, warning.number)
    fits(page, accessible)

    # Agreement handling of the lead hospital, then the points it led to.
    case = story_ground.filed(city, lead)
    track = story_ground.decided(city, case)
    assert track.state == TrackState.SERVED
    page.goto(f"{base}/audits/agreements/points/new/?case={case.pk}")
    fits(page, accessible)
    send(
        page, "main", "提出", on="2026-09-01", points="4", severity="过度检查", clause="服务协议第三十条",
        reason="协议处理决定记分",
    )  # fmt: skip
    entry = PointEntry.objects.get()
    page = sign_in("audit_reviewer")
    page.goto(f"{base}{entry.get_absolute_url()}")
    fits(page, accessible)
    confirm(page, "审定")

    # The yearly check takes half a point off for each of them.
    page = sign_in("auditor")
    page.goto(f"{base}/audits/agreements/yearly-checks/new/?institution={city.lead.code}")
    send(page, "main", "提出", year="2026", score="72.00", reason="按考核细则评分")
    check = YearlyCheck.objects.get()
    assert (check.grade, check.deduction) == ("basically_qualified", Decimal("2.00"))
    fits(page, accessible)
    page = sign_in("audit_reviewer")
    page.goto(f"{base}{check.get_absolute_url()}")
    confirm(page, "审定")
    page = sign_in("officer")
    page.goto(f"{base}{check.get_absolute_url()}")
    told(page, "4.75%")
    confirm(page, "按考核结果录入预付比例", "录入")
    fits(page, accessible)
    ratio = PrepaymentRatio.objects.get()
    assert (ratio.year, ratio.monthly_ratio, ratio.approved_at) == (2027, Decimal("0.0475"), None)
    page.goto(f"{base}/budgets/prepayments/?year=2027")
    told(page, "4.75%")
    fits(page, accessible)


def test_every_list_of_audits_fits_the_telephone_and_the_desk_and_is_accessible(
    city: Any, sign_in: Any, watched: Page, live_server: Any, accessible: Any
) -> None:
    base = live_server.url
    plan, _draft = story_ground.ready(city)
    track = ground.track_in(city, TrackKind.PENALTY, TrackState.HEARING, both=True)
    case = track.case.get_absolute_url()
    page = sign_in("auditor")
    for path in (
        "leads/", "leads/new/", "plans/", "plans/new/", plan.get_absolute_url(), "cases/", case, f"{case}evidence/1/",
        f"{case}findings/1/pick/", f"{case}findings/1/upload/", f"{case}findings/1/by-hand/", f"{case}tracks/penalty/hearing/",
        "statistics/", "fine-trial/", "agreements/", "agreements/physicians/", "agreements/points/", "agreements/yearly-checks/",
        "/help/audits/",
    ):  # fmt: skip
        page.goto(base + (path if path.startswith("/") else f"/audits/{path}"))
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        fits(page, accessible)
    page = sign_in("member")
    for path in ("/audits/cases/", case, f"{case}findings/1/", f"{case}tracks/penalty/hearing/"):
        page.goto(base + path)
        fits(page, accessible)
    page = sign_in("officer")
    for path in ("agreements/new/", f"agreements/new/?institution={city.lead.code}", "agreements/physicians/new/"):
        page.goto(f"{base}/audits/{path}")
        fits(page, accessible)
