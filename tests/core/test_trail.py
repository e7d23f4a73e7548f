"""The trail: chained, append-only, and telling when somebody changed it behind its back."""

import json
import threading
from datetime import date
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from core import trail, triggers
from core.models import TrailEvent, TrailHead, User
from tests.world import build_world


@pytest.fixture
def three(world):
    with transaction.atomic():
        for number in range(3):
            trail.record(world.officer, "core.export", world.alliance, f"导出 {number}", {"rows": number})
    return list(TrailEvent.objects.filter(action="core.export").order_by("pk"))


def behind_the_triggers(statement, *values):
    with triggers.lifted(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def told():
    return " ".join(f"{finding.where} {finding.text}" for finding in trail.verify_chains())


def test_rows_of_an_area_form_one_chain(world, three):
    rows = list(TrailEvent.objects.filter(chain="990100").order_by("seq"))
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    assert [row.prev_hash for row in rows[1:]] == [row.hash for row in rows[:-1]]
    assert rows[0].prev_hash == "0" * 64
    assert trail.head_hash(world.alliance) == rows[-1].hash


def test_each_area_and_the_system_have_chains_of_their_own(world):
    with transaction.atomic():
        here = trail.record(world.officer, "core.export", world.alliance, "本市")
        there = trail.record(world.stranger_officer, "core.export", world.foreign_alliance, "外市")
        nowhere = trail.record(world.nobody, "core.login", world.nobody, "登录")
    assert [event.chain for event in (here, there, nowhere)] == ["990100", "990200", "system"]
    assert (there.seq, nowhere.seq) == (1, 1)


def test_a_row_keeps_places_names_and_plain_figures(world):
    with transaction.atomic():
        event = trail.record(
            None,
            "core.export",
            world.township,
            "任务导出",
            {"yuan": Decimal("1.10"), "on": date(2026, 1, 2), "of": {3}},
        )
    event.refresh_from_db()
    assert event.data == {"yuan": "1.10", "on": "2026-01-02", "of": [3]}
    assert (event.actor_name, event.pooling_area, event.county, event.alliance) == (
        "系统",
        world.area,
        world.qingxi,
        None,
    )
    assert event.hash == event.computed_hash()


def test_the_trail_is_not_written_outside_a_transaction(world, transactional_db):
    with pytest.raises(RuntimeError, match="inside the transaction"):
        trail.record(world.officer, "core.export", world.alliance, "导出")


def test_an_act_that_fails_leaves_no_row(world):
    before = TrailHead.objects.get(chain="990100").seq
    with pytest.raises(ValueError, match="fails"), transaction.atomic():
        trail.record(world.officer, "core.export", world.alliance, "导出")
        raise ValueError("the act fails")
    assert TrailHead.objects.get(chain="990100").seq == before
    assert trail.verify_chains() == []


def test_the_database_refuses_to_change_or_delete_a_row(three):
    for act in (lambda rows: rows.update(summary="x"), lambda rows: rows.delete()):
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            act(TrailEvent.objects.filter(pk=three[0].pk))


@pytest.mark.parametrize("column", ["summary", "actor_name", "action", "subject_id"])
def test_a_changed_row_is_found(three, column):
    behind_the_triggers(f"UPDATE core_trailevent SET {column} = 'x' WHERE id = %s", three[1].pk)
    assert f"第 {three[1].seq} 条 内容与哈希不符" in told()


def test_a_row_that_now_names_another_actor_is_found(world, three):
    behind_the_triggers("UPDATE core_trailevent SET actor_id = %s WHERE id = %s", world.reviewer.pk, three[0].pk)
    assert "内容与哈希不符" in told()


def test_a_changed_figure_in_the_data_is_found(three):
    behind_the_triggers("UPDATE core_trailevent SET data = %s WHERE id = %s", json.dumps({"rows": 7}), three[2].pk)
    assert "内容与哈希不符" in told()


def test_a_row_changed_together_with_its_hash_breaks_the_chain_after_it(three):
    row = three[0]
    row.summary = "改过"
    behind_the_triggers(
        "UPDATE core_trailevent SET summary = %s, hash = %s WHERE id = %s", row.summary, row.computed_hash(), row.pk
    )
    assert f"第 {row.seq + 1} 条 与前一条的哈希不相接" in told()


def test_a_removed_row_is_found(three):
    behind_the_triggers("DELETE FROM core_trailevent WHERE id = %s", three[1].pk)
    assert "序号不连续" in told()


def test_a_cut_tail_is_found_against_the_head(three):
    behind_the_triggers("DELETE FROM core_trailevent WHERE id = %s", three[2].pk)
    assert f"链首记到第 {three[2].seq} 条，实存到第 {three[1].seq} 条" in told()


def test_a_cut_tail_with_its_head_set_back_is_found_against_the_file_of_heads(three):
    trail.append_heads_to_file()
    try:
        assert trail.verify_chains() == []
        behind_the_triggers("DELETE FROM core_trailevent WHERE id = %s", three[2].pk)
        TrailHead.objects.filter(chain="990100").update(seq=three[1].seq, hash=three[1].hash)
        assert f"第 {three[2].seq} 条 与 " in told()
    finally:
        trail.head_file().unlink()


def test_a_missing_head_is_found(three):
    TrailHead.objects.filter(chain="990100").delete()
    assert "链首记录缺失" in told()


def test_the_history_of_an_object_is_its_own(world, three):
    with transaction.atomic():
        trail.record(world.officer, "core.export", world.east, "别家")
    assert [event.summary for event in trail.history(world.alliance)] == ["导出 0", "导出 1", "导出 2"]


def test_action_names_have_words_for_people():
    assert trail.action_text("core.approve_policy") == "审定政策版本"
    assert trail.action_text("core.export") == "导出"
    assert trail.action_text("unknown.act") == "unknown.act"


def test_acts_at_the_same_moment_make_one_unbroken_chain(transactional_db):
    world = build_world()
    barrier = threading.Barrier(4)
    failures = []

    def act(name):
        try:
            barrier.wait(timeout=20)
            for number in range(5):
                with transaction.atomic():
                    trail.record(
                        User.objects.get(pk=world.officer.pk), "core.export", world.alliance, f"{name}{number}"
                    )
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    assert TrailEvent.objects.filter(action="core.export").count() == 20
    assert trail.verify_chains() == []
