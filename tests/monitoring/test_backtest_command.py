"""``manage.py backtest``: histories of the database, of a file, of the shipped cities; a wrong file computes nothing."""

import io
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import time_machine
from django.core.management import CommandError, call_command

from claims.reading import months_by_year, triangle
from core.models import Alliance
from monitoring.projecting import database_histories, read_fact_table
from monitoring.reading.replays import histories_of
from rules.forecast import Errors, History, project, replay
from rules.histories import FactRow, as_csv, city_rows
from rules.periods import Month, months_between
from tests.portal.year import month_of_facts

D = Decimal
HEADER = "place,fund_type,settled,known,part,service,settlements,yuan"
GOOD = "甲医共体,RES,2025-01,2025-02,in_alliance,inpatient,10,1234.50"


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("backtest", *arguments, stdout=out)
    return out.getvalue()


def refusals(path) -> list[str]:
    errors = io.StringIO()
    out = io.StringIO()
    with pytest.raises(CommandError, match="未作任何计算"):
        call_command("backtest", "--facts", str(path), stdout=out, stderr=errors)
    assert out.getvalue() == ""
    return errors.getvalue().splitlines()


@pytest.fixture
def file(tmp_path):
    def written(text: str | bytes):
        path = tmp_path / "facts.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return written


def even(first: str, last: str, yuan: int = 100) -> list[FactRow]:
    months = months_between(Month.parse(first), Month.parse(last))
    return [FactRow("", "甲", "RES", month, month, "in_alliance", "inpatient", 1, D(yuan)) for month in months]


def known_at(month: Month, days: int = 5) -> time_machine.travel:
    """The clock on a day of the month after: when a month's facts are delivered."""
    after = month.next()
    return time_machine.travel(datetime(after.year, after.month, days, tzinfo=UTC), tick=False)


def deliver(world, first: Month, last: Month, scale: int = 100) -> None:
    for month in months_between(first, last):
        with known_at(month):
            month_of_facts(world, month, scale)


def test_a_file_of_facts_is_replayed_and_printed_by_year_and_method(file):
    rows = [*even("2022-01", "2024-12"), *even("2025-01", "2025-12", 120)]
    text = run("--facts", str(file(as_csv(rows))))
    assert "事实表 facts.csv；1 个“医共体×险种”，1 月末起，共 48 次推算" in text
    lines = [line.split() for line in text.splitlines() if line.strip()]
    ours = [case.error("projection") for case in replay(History.from_rows(rows)) if case.year == 2025]
    means = [f"{sum(errors) / len(errors) * 100:.2f}%" for errors in (ours, ours[5:])]
    assert [line[1:4] for line in lines if line[0] == "2025"] == [["12", means[0], "0.00%"], ["7", means[1], "0.00%"]]
    assert [line[0] for line in lines if line[1] == "次数"] == ["年度", "6月末起", "推算月"]
    months = [f"{month}月" for month in range(1, 13)]
    assert [line[0] for line in lines if line[0].endswith("月")] == ["推算月", *months]


def test_the_same_comes_as_json_with_exact_figures(file):
    path = file(as_csv([*even("2022-01", "2024-12"), *even("2025-01", "2025-12", 120)]))
    found = json.loads(run("--facts", str(path), "--json", "--from-month", "6", "--years", "2025"))
    assert found["whole"]["cases"] == 7 and [line["label"] for line in found["years"]] == ["2025"]
    assert found["whole"]["errors"]["straight_line"] == "0.000000"
    assert found["from_june"]["whole"] == found["whole"]
    assert D(found["whole"]["errors"]["projection"]) > 0


def test_the_shipped_cities_are_replayed_in_their_held_years(monkeypatch):
    few = [row for row in city_rows(0) if row.place.startswith("甲市1县") and row.settled.year >= 2019]
    monkeypatch.setattr("monitoring.management.commands.backtest.generated_rows", lambda: few)
    found = json.loads(run("--generated", "--json", "--from-month", "6"))
    assert [line["label"] for line in found["years"]] == ["2023", "2024", "2025"]
    assert found["source"] == "附带的模拟历史" and len(found["places"]) == 4
    assert D(found["whole"]["improvement"]["straight_line"]) > D("0.3")


def test_a_history_without_a_whole_year_says_so_instead_of_a_table(file):
    assert "没有可回放的年份" in run("--facts", str(file(as_csv(even("2025-01", "2025-11")))))


@pytest.mark.parametrize("month", ["0", "13"])
def test_a_month_outside_the_year_is_refused_by_the_command(month):
    with pytest.raises(CommandError, match="--from-month"):
        run("--from-month", month)


def test_a_file_is_read_with_its_columns_in_any_order_and_a_byte_order_mark(file):
    header = "yuan,settlements,service,part,known,settled,fund_type,place,area"
    text = f"{header}\n-5.5,-1,outpatient,out_of_county,2025-03,2025-01,EMP,乙,甲市\n\n"
    found = read_fact_table(file("\ufeff".encode() + text.encode()))
    assert found == [
        FactRow("甲市", "乙", "EMP", Month(2025, 1), Month(2025, 3), "out_of_county", "outpatient", -1, D("-5.50"))
    ]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (",RES,2025-01,2025-02,in_alliance,inpatient,1,1.00", "第 3 行 place：没有填写医共体"),
        ("甲,UEB,2025-01,2025-02,in_alliance,inpatient,1,1.00", "第 3 行 fund_type：须为 RES 或 EMP"),
        ("甲,RES,2025-13,2025-02,in_alliance,inpatient,1,1.00", "第 3 行 settled：月份须写成 2025-09"),
        ("甲,RES,2025-01,202502,in_alliance,inpatient,1,1.00", "第 3 行 known：月份须写成 2025-09"),
        ("甲,RES,2025-03,2025-02,in_alliance,inpatient,1,1.00", "第 3 行 known：获知月早于结算月 2025-03"),
        ("甲,RES,2025-01,2025-02,inside,inpatient,1,1.00", "第 3 行 part：须为 in_alliance 或 out_of_county"),
        ("甲,RES,2025-01,2025-02,in_alliance,stay,1,1.00", "第 3 行 service：须为 inpatient 或 outpatient"),
        ("甲,RES,2025-01,2025-02,in_alliance,inpatient,1.5,1.00", "第 3 行 settlements：结算人次须为整数"),
        ("甲,RES,2025-01,2025-02,in_alliance,inpatient,1,一元", "第 3 行 yuan：金额须为数字"),
        ("甲,RES,2025-01,2025-02,in_alliance,inpatient,1,NaN", "第 3 行 yuan：金额不是有效数字"),
        ("甲,RES,2025-01,2025-02,in_alliance,inpatient,1,1.005", "第 3 行 yuan：金额最多两位小数"),
        ("甲,RES,2025-01,2025-02,in_alliance,inpatient,1", "第 3 行 列数：应有 8 列，实有 7 列"),
        (GOOD, "第 3 行 重复：与第 2 行的对象、月份、部分和服务相同"),
    ],
)
def test_a_bad_line_is_named_by_its_number_and_what_is_wrong(file, line, text):
    told = refusals(file(f"{HEADER}\n{GOOD}\n{line}\n"))
    assert len(told) >= 1 and told[0].startswith(text)


def test_every_bad_line_is_named_at_once_and_not_only_the_first(file):
    bad = "甲,UEB,2025-1,2025-02,inside,inpatient,x,1.00"
    told = refusals(file("\n".join([HEADER, bad, GOOD, "甲", GOOD.replace("1234.50", "1.2.3")])))
    assert [line.split("：")[0] for line in told] == [
        "第 2 行 fund_type", "第 2 行 part", "第 2 行 settled", "第 2 行 settlements", "第 4 行 列数", "第 5 行 yuan",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "缺少列 place"),
        ("place,yuan\n甲,1\n", "缺少列 fund_type"),
        (f"{HEADER},colour\n", "不认识的列“colour”"),
        (f"{HEADER},place\n", "列 place 出现多次"),
        (f"{HEADER}\n", "没有数据行"),
        ("医共体\n".encode("gb18030"), "不是 UTF-8 文本"),
        (f"{HEADER}\n\0".encode(), "空字符"),
    ],
)
def test_a_file_that_is_no_fact_table_is_refused_with_what_it_lacks(file, text, told):
    assert any(told in line for line in refusals(file(text)))


def test_a_file_that_is_not_there_is_refused_by_its_name(tmp_path):
    assert "文件不存在" in refusals(tmp_path / "nowhere.csv")[0]


def test_no_more_bad_lines_are_listed_than_a_person_can_read(file):
    told = refusals(file(HEADER + "\n" + "甲\n" * 1200))
    assert len(told) == 1001 and "另有 200 处问题未列出" in told[-1]


def test_an_empty_database_says_that_there_is_nothing_to_replay(world):
    assert "没有可回放的年份" in run()


def test_the_database_is_replayed_as_its_facts_were_delivered(world):
    deliver(world, Month(2024, 1), Month(2025, 12))
    found = json.loads(run("--json", "--from-month", "6"))
    assert [line["label"] for line in found["years"]] == ["2024", "2025"]
    assert found["places"][0]["label"] == "澜川市 青溪县紧密型县域医共体 RES"
    assert D(found["years"][1]["errors"]["projection"]) < D("0.03")


def test_what_the_months_came_to_is_what_the_series_of_the_alliance_says(world):
    deliver(world, Month(2025, 1), Month(2025, 3))
    key = (world.alliance.pk, "RES")
    history = histories_of(world.area, [world.alliance], Month(2025, 12), {})[key]
    for month in months_by_year([world.alliance], 2025, 2025)[key]:
        at = month.month.year * 12 + month.month.month - 1
        assert history.known(at, at) == month.charged > 0
        inside = sum(series.known(at, at) for (part, _), series in history.yuan.items() if part == "in_alliance")
        assert inside == month.in_alliance


def test_a_version_written_later_is_known_only_from_then_on(world):
    deliver(world, Month(2025, 1), Month(2025, 2), 100)
    with known_at(Month(2025, 3)):
        month_of_facts(world, Month(2025, 1), 110)
    found = [row for row in triangle([world.alliance]).newly if row.settled == Month(2025, 1)]
    first = [row for row in found if row.known == Month(2025, 1)]
    later = [row for row in found if row.known == Month(2025, 3)]
    assert len(first) + len(later) == len(found)
    assert sum(row.yuan for row in later) * 10 == sum(row.yuan for row in first) > 0


def test_a_month_loaded_long_afterwards_counts_at_once_but_tells_no_delay(world):
    with known_at(Month(2026, 3)):
        month_of_facts(world, Month(2024, 5))
    found = triangle([world.alliance])
    assert {row.known for row in found.newly} == {Month(2024, 5)}
    assert found.untold == {world.qingxi.pk: {Month(2024, 5)}}
    history = database_histories()[0]
    assert all(series.untold == {2024 * 12 + 4} for series in history.yuan.values())


@pytest.mark.parametrize("late", [1, 2, 5])
def test_months_loaded_together_a_few_months_late_are_no_late_claims(world, late):
    with known_at(Month(2025, 1).plus(late)):
        month_of_facts(world, Month(2025, 1), 100)
    with known_at(Month(2025, 9)):
        month_of_facts(world, Month(2025, 1), 110)
    found = triangle([world.alliance])
    assert found.untold == {world.qingxi.pk: {Month(2025, 1)}}
    assert {row.known for row in found.newly} == {Month(2025, 1), Month(2025, 9)}  # the correction came later indeed
    assert sum(row.yuan for row in found.newly if row.known == Month(2025, 9)) > 0


def test_a_month_delivered_in_the_month_after_its_own_is_told_as_it_came(world):
    with known_at(Month(2025, 1), days=28):
        month_of_facts(world, Month(2025, 1))
    found = triangle([world.alliance])
    assert found.untold == {} and {row.known for row in found.newly} == {Month(2025, 1)}


def test_any_number_of_alliances_and_versions_is_read_in_two_queries(world, django_assert_num_queries):
    deliver(world, Month(2025, 1), Month(2025, 3))
    with known_at(Month(2025, 4)):
        month_of_facts(world, Month(2025, 2), 105)
    alliances = list(Alliance.objects.filter(county__pooling_area=world.area))
    with django_assert_num_queries(2):
        assert len(histories_of(world.area, alliances, Month(2025, 12), {})) == 1
    with django_assert_num_queries(1 + 2 + 1):  # the alliances, the city's versions and sums, no version of the other
        assert database_histories()[0].place == world.alliance.name


def test_a_history_of_the_database_is_projected_with_errors_of_its_own_replays(world):
    deliver(world, Month(2023, 1), Month(2025, 6))
    history = database_histories()[0]
    found = project(history, Month(2025, 6), Errors.of(replay([history])))
    assert isinstance(history, History) and found.low is None and "不足 20 例" in found.range_text
    # weights of the months add up to 1,200, of 100,000 yuan each inside the package's scope
    assert abs(found.expected - 120_000_000) < 600_000
