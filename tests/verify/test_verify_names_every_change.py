"""``manage.py verify`` after somebody with rights on the server changed something behind the program's back."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from claims.models import LakeFile, MonthlyFact
from core import triggers
from core.models import StoredFile, TrailEvent
from ledger.models import Entry
from settlement.models import Computation, SettlementVersion
from tests.claims.extracts import accepted, claim
from tests.settlement import ground


@pytest.fixture
def filled(world, settings, tmp_path):
    """A final settlement with a paid prepayment, and an extract in the lake."""
    settings.DATA_DIR = tmp_path
    version = ground.final(world, ground.surplus_ready(world, months=1))
    accepted(world, [claim(number) for number in range(1, 21)])
    return version


def sql(statement, *values):
    with triggers.lifted(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        assert cursor.rowcount == 1


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def told(capsys):
    """What the command printed; it must fail."""
    capsys.readouterr()
    with pytest.raises(CommandError, match="核验发现"):
        call_command("verify")
    return capsys.readouterr().out


def test_a_sound_installation_passes_every_check(filled, capsys):
    call_command("verify")
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "全部通过。"
    assert all(line.startswith("通过") for line in lines[:-1])
    for name in (
        "轨迹链",
        "防改触发器",
        "文件校验值",
        "基金账",
        "数据湖清单",
        "月度事实",
        "打包与预付对账",
        "年度清算",
    ):
        assert any(line.endswith(name) for line in lines), name


def test_a_changed_trail_row_is_named(filled, capsys):
    event = TrailEvent.objects.order_by("pk")[5]
    sql("UPDATE core_trailevent SET summary = %s WHERE id = %s", "没有这回事", event.pk)
    out = told(capsys)
    assert "有误  轨迹链" in out
    assert f"轨迹 {event.chain} 第 {event.seq} 条：内容与哈希不符" in out


def test_a_removed_trail_row_is_named(filled, capsys):
    event = TrailEvent.objects.order_by("pk")[5]
    sql("DELETE FROM core_trailevent WHERE id = %s", event.pk)
    assert f"轨迹 {event.chain} 第 {event.seq + 1} 条：序号不连续" in told(capsys)


def test_a_changed_ledger_row_is_named(filled, capsys):
    entry = Entry.objects.order_by("pk").last()
    sql("UPDATE ledger_line SET amount = amount + 100 WHERE id = %s", entry.lines.first().pk)
    out = told(capsys)
    assert "有误  基金账" in out
    assert f"凭证 {entry.number}：内容与哈希不符" in out
    assert f"凭证 {entry.number}：借贷不平，相差 1.00 元" in out


def test_a_flipped_bit_of_a_lake_file_is_named(filled, capsys):
    file = LakeFile.objects.get()
    flip(file.path)
    out = told(capsys)
    assert "有误  数据湖清单" in out
    assert f"数据湖文件 {file.name}：内容与清单校验值不符" in out


def test_a_missing_lake_file_is_named(filled, capsys):
    file = LakeFile.objects.get()
    file.path.unlink()
    assert f"数据湖文件 {file.name}：文件缺失" in told(capsys)


def test_a_changed_fact_is_named(filled, capsys):
    fact = MonthlyFact.objects.select_related("factset").order_by("pk").last()
    sql("UPDATE claims_monthlyfact SET fund_payable = fund_payable + 1 WHERE id = %s", fact.pk)
    assert f"{fact.factset}：事实行与校验值不符" in told(capsys)


def test_a_changed_settlement_amount_is_named(filled, capsys):
    computation = Computation.objects.get()
    sql("UPDATE settlement_computation SET cash = cash + 1 WHERE id = %s", computation.pk)
    out = told(capsys)
    assert "有误  年度清算" in out
    assert f"{filled.settlement.number} 第 1 版第 1 次计算：内容与校验值不符" in out
    assert "清算现金 复算得" in out


def test_a_settlement_set_back_to_another_state_is_named(filled, capsys):
    sql("UPDATE settlement_settlementversion SET state = 'draft' WHERE id = %s", filled.pk)
    assert SettlementVersion.objects.get().state == "draft"
    assert "与办理记录不符" in told(capsys)


def test_a_changed_evidence_file_is_named(filled, capsys):
    stored = StoredFile.objects.order_by("pk").first()
    flip(stored.path)
    assert f"文件 {stored.name}：内容与校验值不符" in told(capsys)


def test_a_dropped_trigger_is_named(filled, capsys):
    name = "ledger_entry_no_update"
    table = " ON ledger_entry" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {name}{table}")
    assert f"触发器 {name}：" in told(capsys)
