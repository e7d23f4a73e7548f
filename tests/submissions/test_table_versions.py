"""An official form becomes another version without a line of code: loaded by one person, approved by another."""

from datetime import date

import pytest

from core.access import NotAllowed
from core.errors import Conflict, Refused
from core.models import Notice, TrailEvent
from submissions import services, todos
from submissions.declaration import shipped_table, shipped_text
from submissions.models import TableVersion
from submissions.periods import TablePeriod
from tests.submissions import ground

Q2, Q3 = TablePeriod.parse("2026Q2"), TablePeriod.parse("2026Q3")


def official(version="2026-1", since="2026-09-30", **renamed):
    """The shipped form with another version, date and labels."""
    text = shipped_text().replace('version = "1"', f'version = "{version}"', 1)
    text = text.replace("valid_from = 2019-01-01", f"valid_from = {since}", 1)
    for old, new in renamed.items():
        assert old in text
        text = text.replace(old, new)
    return text


def test_without_a_loaded_version_the_shipped_one_is_in_force(world):
    assert services.table_in_force(world.area, Q3) == shipped_table()


def test_a_loaded_version_is_in_force_once_another_person_has_approved_it(world):
    row = services.load_table_version(world.admin, world.area, official(医共体内="医疗集团内"))
    assert services.table_in_force(world.area, Q3).version == "1"
    assert services.table_of(world.area, "situation", "2026-1") is None
    assert "待核准" in Notice.objects.get(user=world.reviewer).text
    decided = services.decide_table_version(world.reviewer, row, True)
    assert (decided.status, decided.decided_by) == ("approved", world.reviewer)
    table = services.table_in_force(world.area, Q3)
    assert (table.version, table.by_code["4"].label) == ("2026-1", "医疗集团内")
    assert services.table_of(world.area, "situation", "2026-1") == table


def test_a_period_that_ended_before_the_version_keeps_the_former_one(world):
    row = services.load_table_version(world.admin, world.area, official())
    services.decide_table_version(world.reviewer, row, True)
    assert services.table_in_force(world.area, Q2).version == "1"
    assert services.table_in_force(world.foreign_area, Q3).version == "1"
    assert services.table_of(world.area, "situation", "1") == shipped_table()


def test_the_latest_of_several_approved_versions_holds(world):
    for version, since in (("2026-1", "2026-03-31"), ("2026-2", "2026-06-30"), ("2026-3", "2026-12-31")):
        row = services.load_table_version(world.admin, world.area, official(version, since))
        services.decide_table_version(world.reviewer, row, True)
    assert services.table_in_force(world.area, Q3).version == "2026-2"


def test_a_declined_version_never_comes_into_force(world):
    row = services.load_table_version(world.admin, world.area, official())
    services.decide_table_version(world.reviewer, row, False)
    assert services.table_in_force(world.area, Q3).version == "1"
    assert services.table_of(world.area, "situation", "2026-1") is None
    with pytest.raises(Conflict, match="不予核准"):
        services.decide_table_version(world.second_reviewer, row, True)


def test_who_may_load_may_not_approve_and_the_other_way_round(world):
    for person in (world.reviewer, world.officer, world.hospital):
        with pytest.raises(NotAllowed):
            services.load_table_version(person, world.area, official())
    row = services.load_table_version(world.admin, world.area, official())
    for person in (world.admin, world.second_admin, world.officer, world.stranger_reviewer):
        with pytest.raises(NotAllowed):
            services.decide_table_version(person, row, True)
    assert TableVersion.objects.get().status == "proposed"


def test_a_version_number_is_given_once(world):
    with pytest.raises(Refused, match="第 1 版已经有了"):
        services.load_table_version(world.admin, world.area, shipped_text())
    services.load_table_version(world.admin, world.area, official())
    with pytest.raises(Refused, match="第 2026-1 版已经有了"):
        services.load_table_version(world.admin, world.area, official(医共体内="医疗集团内"))


def test_a_document_that_drops_or_invents_rows_is_refused_by_name(world):
    with pytest.raises(Refused) as refusal:
        services.load_table_version(world.admin, world.area, official(**{'code = "14.3"': 'code = "99"'}))
    assert ["缺少行次 14.3" in str(refusal.value), "多出行次 99" in str(refusal.value)] == [True, True]
    with pytest.raises(Refused, match="不是有效的 TOML"):
        services.load_table_version(world.admin, world.area, "version = ")


def test_the_name_of_a_version_inside_a_file_is_no_path(world):
    for table, version in (("../tables/situation", "1"), ("situation", "../1"), ("", ""), ("other", "1")):
        assert services.table_of(world.area, table, version) is None


def test_loading_and_deciding_stand_in_the_trail(world):
    row = services.load_table_version(world.admin, world.area, official())
    services.decide_table_version(world.reviewer, row, True)
    events = TrailEvent.objects.filter(subject_type="submissions.tableversion").order_by("pk")
    assert [event.data["status"] for event in events] == ["proposed", "approved"]
    assert {event.data["sha256"] for event in events} == {row.sha256}


def test_the_reviewer_finds_the_version_on_the_desk_and_decides_on_its_page(world, client_of):
    row = services.load_table_version(
        world.admin, world.area, official(**{'label = "医共体内"': 'label = "医疗集团内"'})
    )
    [todo] = todos.todos(world.reviewer)
    assert (todo.title, todo.url, todos.todos(world.officer)) == (
        "核准季度报表第 2026-1 版",
        row.get_absolute_url(),
        [],
    )
    page = client_of(world.reviewer).get(todo.url)
    assert [(moved.code, moved.after) for moved in page.context["changes"]] == [("4", "医疗集团内")]
    assert client_of(world.stranger_reviewer).get(todo.url).status_code == 404
    assert client_of(world.officer).post(f"{todo.url}decide/", {"decision": "approve"}).status_code == 403
    decided = client_of(world.reviewer).post(f"{todo.url}decide/", {"decision": "approve"}, follow=True)
    assert "已核准" in decided.content.decode() and todos.todos(world.reviewer) == []
    again = client_of(world.second_reviewer).post(f"{todo.url}decide/", {"decision": "decline"})
    assert again.status_code == 409 and "何劲松" in again.content.decode()


def test_a_workbook_of_a_loaded_version_with_rows_in_another_order_is_read_by_code(world, in_time):
    text = official(**{'label = "医共体内"': 'label = "医疗集团内"'})
    head, *rows = text.split("[[row]]")
    last, tail = rows[-1].split("[[member_column]]", 1)
    rows = [*rows[:-1], last]
    swapped = [rows[1], rows[0], *rows[2:]]
    text = "[[row]]".join([head, *swapped]) + "[[member_column]]" + tail
    row = services.load_table_version(world.admin, world.area, text)
    services.decide_table_version(world.reviewer, row, True)
    found = ground.checked(world)
    assert (found.state, found.table_version, found.table_sha256) == ("checked", "2026-1", row.sha256)
    assert found.figures["funds"]["RES"]["4.3"]["current"] == "119447000.00"
    assert TableVersion.objects.get().valid_from == date(2026, 9, 30)
