"""What no file or database can hold is taken out where it comes in; what only looks like a number is none."""

import pytest

from core.models import TrailEvent
from core.registries import due_work
from core.tasks import tick
from core.texts import plain, whole
from core.trail import record
from core.workbook import Sheet, read_sheets, write_workbook

BREAK = "第一行\x0b第二行\x00"


def test_control_characters_go_and_line_ends_stay():
    assert plain("甲\x00乙\x0b丙\t丁\n戊") == "甲乙丙\t丁\n戊"


@pytest.mark.parametrize("text", ["²", "１２", "-1", "", "1.0", "9" * 16, "十"])
def test_only_a_short_run_of_ascii_digits_is_a_whole_number(text):
    assert whole(text) is None
    assert whole("2026") == 2026


def test_a_workbook_is_written_whatever_was_typed_into_its_texts():
    content = write_workbook([Sheet("甲", ["表头\x0b"], [[BREAK]], notes=["注\x01"])])
    assert read_sheets(content, "x.xlsx") == {"甲": [["注"], ["表头"], ["第一行第二行"]]}


def test_the_trail_keeps_a_summary_that_can_be_exported(world, django_capture_on_commit_callbacks):
    record(world.officer, "core.login", world.officer, BREAK, place=world.area)
    assert TrailEvent.objects.latest("pk").summary == "第一行第二行"


def test_a_page_asked_with_control_characters_answers_as_without(world, client_of):
    client = client_of(world.officer)
    assert client.get("/search/?q=%00%0b青溪").status_code == 200
    for address in ("/settlement/?year=²", "/submissions/?year=²", "/claims/coverage/?page=²", "/claims/?q=²"):
        assert client.get(address).status_code == 200, address


def test_a_source_of_due_work_that_fails_does_not_keep_the_others_from_looking(monkeypatch):
    looked = []
    entries = {"a": (1, lambda: 1 / 0), "b": (2, lambda: looked.append("b"))}
    monkeypatch.setattr(due_work, "_entries", entries)
    tick()
    assert looked == ["b"]
