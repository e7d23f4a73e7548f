"""Pages of the quarterly tables: who sees what, what is kept when something fails, and a constant number of queries."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from core.models import Alliance, Institution, Job, Membership
from core.workbook import read_sheets
from submissions import services
from submissions.models import Assignment, Submission
from tests.submissions import ground
from tests.submissions.ground import LONG_ENOUGH, both, typed
from tests.world import START

pytestmark = pytest.mark.usefixtures("in_time")
WRONG = both(typed("RES", "5.3", 2308.15), typed("RES", "8.o", "六千人次"))


def url(name, *args):
    return reverse(f"submissions:{name}", args=args)


@pytest.fixture
def owed(world):
    return ground.assignment(world)


@pytest.fixture
def with_soft(world, owed):
    """A checked version with something to explain and nothing to mend."""
    return ground.checked(world, owed, typed("RES", "9.3", 3176.95, "last"))


def more_alliances(world, count):
    """Further alliances of Yunling that owe the period too."""
    for number in range(count):
        alliance = Alliance.objects.create(
            county=world.yunling, code=f"YL-{number:02d}", name=f"云岭第{number}医共体", valid_from=START
        )
        lead = Institution.objects.create(
            county=world.yunling, code=f"H99010209{number:03d}", name=f"云岭第{number}医院", kind="general", grade=2
        )
        Membership.objects.create(alliance=alliance, institution=lead, is_lead=True, valid_from=START)


# ---- lists


def test_a_hospital_sees_what_it_owes_and_the_next_step(world, client_of, owed):
    page = client_of(world.hospital).get(url("list"))
    text = page.content.decode()
    assert page.templates[0].name == "submissions/list.html"
    assert [row.assignment for row in page.context["page_obj"]] == [owed]
    assert "现在要办" in text and "10月15日" in text and "剩 3 个工作日" in text
    assert "下载模板填报，上传工作簿" in text


def test_the_bureau_sees_every_alliance_and_period_of_the_year(world, client_of, owed):
    ground.filed(world, owed)
    page = client_of(world.officer).get(url("list") + "?year=2026")
    rows = {row.alliance.code: row.cells for row in page.context["page_obj"]}
    assert set(rows) == {"QX", "YL-E", "YL-W"}
    assert [cell.state if cell else "" for cell in rows["QX"]] == ["", "", "filed", ""]
    assert rows["YL-E"][2].state == "due"
    assert page.context["overdue"] == []


def test_what_is_overdue_is_named_in_words_and_listed_apart(world, client_of, owed, time_machine):
    time_machine.move_to("2026-10-19 09:00:00+08:00")
    page = client_of(world.officer).get(url("list") + "?year=2026")
    assert {cell.assignment.alliance.code for cell in page.context["overdue"]} == {"QX", "YL-E", "YL-W"}
    text = page.content.decode()
    assert "逾期未报" in text and "逾期，期限 10月15日" in text


def test_the_matrix_filters_searches_and_sorts(world, client_of, owed):
    ground.filed(world, owed)
    client = client_of(world.officer)

    def codes(query):
        return [row.alliance.code for row in client.get(f"{url('list')}?year=2026&{query}").context["page_obj"]]

    assert codes("state=filed") == ["QX"]
    assert codes("state=due") == ["YL-E", "YL-W"]
    assert codes("county=990102") == ["YL-E", "YL-W"]
    assert codes("q=东部") == ["YL-E"]
    assert codes("sort=-alliance")[0] == "YL-W"


def test_the_export_of_the_matrix_holds_exactly_what_is_shown(world, client_of, owed):
    ground.filed(world, owed)
    answer = client_of(world.officer).get(url("matrix-xlsx") + "?year=2026&county=990102")
    rows = read_sheets(answer.content, "x.xlsx")["2026年报送情况"]
    assert [row[2] for row in rows if str(row[2]).startswith(("QX", "YL"))] == ["YL-E", "YL-W"]
    assert "云岭县" in str(rows[0])


def test_a_county_officer_sees_her_county_and_a_stranger_nothing(world, client_of, owed):
    page = client_of(world.county_officer).get(url("list") + "?year=2026")
    assert {row.alliance.code for row in page.context["page_obj"]} == {"QX"}
    page = client_of(world.stranger_officer).get(url("list") + "?year=2026")
    assert {row.alliance.code for row in page.context["page_obj"]} == {"LJ"}
    assert [row.cells for row in page.context["page_obj"]] == [[None] * 4]


def test_the_matrix_asks_the_same_queries_however_many_alliances(world, client_of, django_assert_max_num_queries):
    ground.assignment(world)
    client = client_of(world.officer)
    client.get(url("list"))
    with django_assert_max_num_queries(40) as few:
        client.get(url("list") + "?year=2026")
    more_alliances(world, 12)
    services.assign_period(ground.PERIOD)
    with django_assert_max_num_queries(len(few)):
        assert len(client.get(url("list") + "?year=2026").context["page_obj"]) == 15


def test_the_list_asks_the_same_queries_however_many_periods(world, client_of, owed, django_assert_max_num_queries):
    client = client_of(world.hospital)
    client.get(url("list"))
    with django_assert_max_num_queries(30) as few:
        client.get(url("list"))
    for year in (2023, 2024, 2025):
        for number in (1, 2, 3, 4):
            Assignment.objects.create(alliance=world.alliance, period=f"{year}Q{number}", due_on=f"{year + 1}-01-15", state="accepted")
    with django_assert_max_num_queries(len(few)):
        assert len(client.get(url("list")).context["page_obj"]) == 13


def test_any_periods_and_alliances_come_out_as_one_tidy_table(world, client_of, owed):
    ground.accepted(world, owed)
    client = client_of(world.officer)
    assert "2026 年 1–9 月" in client.get(url("export")).content.decode()
    assert client.get(url("export") + "?format=xlsx").status_code == 422
    answer = client.get(url("export") + "?format=xlsx&periods=2026Q3&alliances=QX")
    rows = read_sheets(answer.content, "x.xlsx")["受理数据"]
    assert {row[0] for row in rows if row[2] == "2026Q3"} == {"QX"}
    lines = client.get(url("export") + "?format=csv&periods=2026Q3").content.decode("utf-8-sig").splitlines()
    assert len(lines) == 1 + len([row for row in rows if row[2] == "2026Q3"])
    assert "没有受理过的报表" in client_of(world.sister_hospital).get(url("export")).content.decode()


# ---- an assignment


def test_a_template_is_made_for_the_alliance_and_the_period(world, client_of, owed):
    answer = client_of(world.hospital).get(url("template", owed.pk))
    assert answer.status_code == 200
    assert "居民" in read_sheets(answer.content, "t.xlsx")


def test_an_upload_is_received_with_its_receipt_and_waits_for_its_check(world, client_of, owed):
    client = client_of(world.hospital)
    answer = client.post(url("upload", owed.pk), {"file": ground.upload_of(ground.workbook(owed))}, follow=True)
    found = Submission.objects.get()
    assert answer.redirect_chain == [(url("version", found.pk), 302)]
    text = answer.content.decode()
    assert found.receipt in text and "正在检查" in text
    assert url("progress", found.pk) in text
    assert client.get(url("progress", found.pk)).status_code == 200


def test_an_upload_without_a_file_says_so_on_the_same_page(world, client_of, owed):
    answer = client_of(world.hospital).post(url("upload", owed.pk), {})
    assert answer.status_code == 422
    assert "没有选择文件" in answer.content.decode()


def test_the_same_file_twice_names_the_version_that_holds_it(world, client_of, owed):
    content = ground.workbook(owed)
    services.check_submission(services.receive(world.hospital, owed, ground.upload_of(content)))
    answer = client_of(world.hospital).post(url("upload", owed.pk), {"file": ground.upload_of(content)})
    assert answer.status_code == 409
    assert "完全相同" in answer.content.decode()


def test_acts_are_refused_before_their_form_is_judged(world, client_of, owed):
    for person, act in ((world.hospital, "admit"), (world.officer, "waive"), (world.observer, "reopen")):
        assert client_of(person).post(url("assignment-act", owed.pk, act), {}).status_code == 403
    for name in ("upload", "nothing"):
        assert client_of(world.officer).post(url(name, owed.pk), {}).status_code == 403


def test_an_assignment_of_a_foreign_place_does_not_exist(world, client_of, owed):
    for person in (world.sister_hospital, world.stranger_officer, world.member, world.nobody):
        for name in ("assignment", "template", "upload", "nothing"):
            assert client_of(person).get(url(name, owed.pk)).status_code == 404, (person, name)
            assert client_of(person).post(url(name, owed.pk)).status_code in (404, 405), (person, name)


def test_a_refused_reason_stays_in_its_open_dialog(world, client_of, owed):
    answer = client_of(world.hospital).post(url("nothing", owed.pk), {"reason": "无"})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "data-open-now" in text and ">无</textarea>" in text


def test_nothing_to_report_is_filed_and_seen_by_the_bureau(world, client_of, owed):
    client_of(world.hospital).post(url("nothing", owed.pk), {"reason": "本期停业改造，没有发生医保结算"})
    found = Submission.objects.get()
    page = client_of(world.officer).get(url("version", found.pk)).content.decode()
    assert "本期停业改造" in page and "无数据上报" in page
    matrix = client_of(world.officer).get(url("list") + "?year=2026").content.decode()
    assert "已报送（无数据）" in matrix


def test_a_later_day_that_is_refused_keeps_what_was_typed(world, client_of, owed):
    answer = client_of(world.officer).post(
        url("assignment-act", owed.pk, "admit"), {"until": "2026-10-01", "reason": "系统故障，统一顺延"}
    )
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "系统故障，统一顺延" in text and 'value="2026-10-01"' in text
    answer = client_of(world.officer).post(
        url("assignment-act", owed.pk, "admit"), {"until": "2026-10-30", "reason": "系统故障，统一顺延"}, follow=True
    )
    assert "准予迟报至 2026年10月30日" in answer.content.decode()


def test_a_get_after_a_lost_session_leads_back_to_the_page(world, client_of, with_soft):
    client = client_of(world.hospital)
    owed = with_soft.assignment
    for name, args, page in (
        ("explain", (with_soft.pk,), url("version", with_soft.pk)),
        ("act", (with_soft.pk, "file"), url("version", with_soft.pk)),
        ("upload", (owed.pk,), url("assignment", owed.pk)),
        ("nothing", (owed.pk,), url("assignment", owed.pk)),
    ):
        answer = client.get(url(name, *args))
        assert (answer.status_code, answer.url) == (302, page)


# ---- a version


def test_a_version_lists_every_error_with_its_place_in_the_preview(world, client_of, owed):
    found = ground.checked(world, owed, WRONG)
    page = client_of(world.hospital).get(url("version", found.pk) + "?sheet=RES")
    text = page.content.decode()
    assert page.context["tally"].blocking == found.findings.filter(severity="hard").count() >= 2
    for row in page.context["hard"]:
        one = row["finding"]
        assert one.text.replace('"', "&quot;").split("“")[0] in text
        if row["sheet"] == "RES" and one.cell:
            assert f'href="?sheet=RES#f-{one.number}"' in text
            assert f'id="f-{one.number}"' in text
    assert "六千人次" in text


def test_every_sheet_of_the_preview_opens_and_places_its_marks(world, client_of, owed):
    found = ground.checked(world, owed, WRONG)
    client = client_of(world.hospital)
    for key, shown in (("RES", "期末参保人数"), ("ALL", "期末参保人数"), ("members", "石桥镇中心卫生院"), ("causes", "没有填写")):
        page = client.get(url("version", found.pk) + f"?sheet={key}")
        assert page.context["preview"].key == key
        assert shown in page.content.decode()
        for row in [*page.context["hard"], *page.context["soft"]]:
            if row["sheet"] == key != "causes":
                assert f'id="f-{row["finding"].number}"' in page.content.decode(), row["finding"]


def test_a_file_that_cannot_be_read_says_why_and_offers_the_next_upload(world, client_of, owed):
    made = services.receive(world.hospital, owed, SimpleUploadedFile("表.xlsx", b"PK\x03\x04 cut off"))
    found = services.check_submission(made)
    text = client_of(world.hospital).get(url("version", found.pk)).content.decode()
    assert "整份不能读取" in text and "改法" in text
    assert f"{url('assignment', owed.pk)}#upload" in text


def test_explanations_are_saved_with_one_button_and_kept_when_one_is_refused(world, client_of, with_soft):
    soft = [one for one in with_soft.findings.all() if one.severity == "soft"]
    assert soft
    client = client_of(world.hospital)
    texts = {f"text-{one.pk}": LONG_ENOUGH for one in soft}
    refused = client.post(url("explain", with_soft.pk), texts | {f"text-{soft[0].pk}": "太短"})
    assert refused.status_code == 422
    assert ">太短</textarea>" in refused.content.decode()
    assert with_soft.findings.exclude(explanation="").count() == 0
    client.post(url("explain", with_soft.pk), texts)
    assert with_soft.findings.exclude(explanation="").count() == len(soft)


def test_filing_saves_what_was_typed_and_hands_it_in(world, client_of, with_soft):
    texts = {f"text-{one.pk}": LONG_ENOUGH for one in with_soft.findings.filter(severity="soft")}
    answer = client_of(world.hospital).post(url("act", with_soft.pk, "file"), texts, follow=True)
    assert answer.status_code == 200
    with_soft.refresh_from_db()
    assert with_soft.state == "filed"
    assert "已报送，待受理" in answer.content.decode()


def test_filing_a_version_with_errors_is_refused_with_every_reason(world, client_of, owed):
    found = ground.checked(world, owed, WRONG)
    answer = client_of(world.hospital).post(url("act", found.pk, "file"), {})
    assert answer.status_code == 422
    assert "处错误没有改正" in answer.content.decode()


def test_drafts_are_seen_by_their_hospital_alone(world, client_of, with_soft):
    assert client_of(world.hospital).get(url("version", with_soft.pk)).status_code == 200
    for person in (world.officer, world.reviewer, world.sister_hospital, world.stranger_officer, world.member):
        for name in ("version", "original", "answer", "receipt", "diff", "members", "progress", "explain"):
            assert client_of(person).get(url(name, with_soft.pk)).status_code == 404, (person, name)


def test_the_officer_returns_with_a_reason_and_the_hospital_reads_it(world, client_of, owed):
    found = ground.filed(world, owed)
    client = client_of(world.officer)
    answer = client.post(url("act", found.pk, "return"), {"reason": ""})
    assert answer.status_code == 422
    client.post(url("act", found.pk, "return"), {"reason": "成员表少一家卫生院，请补报"})
    page = client_of(world.hospital).get(url("version", found.pk)).content.decode()
    assert "成员表少一家卫生院，请补报" in page and "已退回" in page


def test_the_officer_accepts_and_the_filer_may_not(world, client_of, owed):
    found = ground.filed(world, owed)
    assert client_of(world.hospital).post(url("act", found.pk, "accept")).status_code == 403
    answer = client_of(world.officer).post(url("act", found.pk, "accept"), follow=True)
    found.refresh_from_db()
    assert found.state == "accepted"
    assert "已受理" in answer.content.decode()


def test_the_original_and_the_answer_come_back_byte_by_byte(world, client_of, owed):
    found = ground.checked(world, owed, WRONG)
    client = client_of(world.hospital)
    for name, stored in (("original", found.file), ("answer", found.answer)):
        answer = client.get(url(name, found.pk))
        assert b"".join(answer.streaming_content) == stored.path.read_bytes()


def test_the_receipt_tells_number_person_file_checksum_and_timeliness(world, client_of, owed):
    found = ground.filed(world, owed)
    text = client_of(world.hospital).get(url("receipt", found.pk)).content.decode()
    for part in (found.receipt, found.file.name, found.file.sha256, "周敏", "按期", "data-print"):
        assert part in text, part


def test_two_versions_are_compared_cell_by_cell(world, client_of, owed):
    ground.checked(world, owed)
    second = ground.checked(world, owed, typed("RES", "5.3", 2308.15))
    page = client_of(world.hospital).get(url("diff", second.pk))
    text = page.content.decode()
    assert len(page.context["rows"]) == 1
    assert "2,380.15" in text and "2,308.15" in text and "5.3" in text


def test_a_first_version_has_nothing_to_be_compared_with(world, client_of, owed):
    found = ground.checked(world, owed)
    assert "没有另一版可以比较" in client_of(world.hospital).get(url("diff", found.pk)).content.decode()


def test_members_are_told_with_their_averages_and_shares(world, client_of, owed):
    found = ground.checked(world, owed)
    page = client_of(world.hospital).get(url("members", found.pk))
    groups = page.context["groups"]
    assert [group.fund_type for group in groups] == ["RES", "EMP"]
    assert [line.name for line in groups[0].lines][0] == "青溪县人民医院"
    assert groups[0].total.spending == sum(line.spending for line in groups[0].lines)
    assert "药占比" in page.content.decode()


def test_a_blank_of_one_member_is_named_and_makes_no_ratio_of_the_total(world, client_of, owed):
    def no_budget(book, table):
        sheet = book[table.sheets["members"]]
        keys = [column.key for column in table.member_columns]
        sheet.cell(table.header_row + 1, keys.index("budget") + 1).value = None

    whole = ground.checked(world, owed)
    client = client_of(world.hospital)
    before = client.get(url("members", whole.pk)).context["groups"][0].total
    found = ground.checked(world, owed, no_budget)
    page = client.get(url("members", found.pk))
    group = page.context["groups"][0]
    assert before.execution is not None and before.blank == {}
    assert [line.budget for line in group.lines].count(None) == 1
    assert group.total.budget == sum(line.budget for line in group.lines if line.budget is not None)
    assert (group.total.execution, group.total.blank) == (None, {"budget": 1})
    assert group.total.spending == before.spending and group.total.drug_share == before.drug_share
    assert "缺 1 家" in page.content.decode()


def test_an_officer_ends_a_reopening_from_the_page_with_a_reason(world, client_of, owed):
    accepted = ground.accepted(world, owed)
    client, act = client_of(world.officer), url("assignment-act", owed.pk, "close")
    assert act not in client.get(url("assignment", owed.pk)).content.decode()
    services.reopen(world.officer, owed, "成员单位漏报一家，须更正")
    assert act in client.get(url("assignment", owed.pk)).content.decode()
    assert act not in client_of(world.hospital).get(url("assignment", owed.pk)).content.decode()
    assert client_of(world.hospital).post(act, {"reason": "不再更正"}).status_code == 403
    refused = client_of(world.officer).post(act, {"reason": ""})
    assert refused.status_code == 422 and "data-open-now" in refused.content.decode()
    ground.checked(world, owed, ground.moved(121))
    page = client_of(world.officer).post(act, {"reason": "经核对原报表无误"}, follow=True)
    assert "已结束重新开放" in page.content.decode() and page.context["row"].last == accepted
    mine = client_of(world.hospital).get(url("assignment", owed.pk))
    assert mine.context["row"].last == accepted and "经核对原报表无误" in mine.content.decode()


def test_a_version_asks_the_same_queries_however_many_findings(world, client_of, owed, django_assert_max_num_queries):
    client = client_of(world.hospital)
    few_found = ground.checked(world, owed, typed("RES", "5.3", 2308.15))
    client.get(url("version", few_found.pk))
    with django_assert_max_num_queries(60) as few:
        client.get(url("version", few_found.pk))

    def many(book, table):
        for row in table.typed_rows:
            book[table.sheets["RES"]][table.cell(row.code)].value = "无法读取的文字"

    many_found = ground.checked(world, owed, many)
    assert many_found.findings.count() > 30
    with django_assert_max_num_queries(len(few) + 1):  # one more for the versions before it
        client.get(url("version", many_found.pk))


def test_the_check_of_a_new_version_can_be_followed_by_colleagues_too(world, client_of, owed):
    found = ground.received(world, owed)
    assert Job.objects.filter(name="submissions.check", scope=str(found.pk)).exists()
    assert client_of(world.hospital).get(url("progress", found.pk)).status_code == 200
    assert client_of(world.sister_hospital).get(url("progress", found.pk)).status_code == 404
