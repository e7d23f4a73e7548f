"""The lake and its manifest: what verification finds, what cleaning takes, what a page reads."""

import os
import time
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from claims import lake, reading
from claims.models import FactSet, LakeFile, MonthlyFact, lake_root
from claims.reading.rows import claim_rows
from claims.services import import_payables, record_factset, refresh_facts
from claims.services.payables import COLUMNS as PAYABLE_COLUMNS
from claims.verification import verify_facts, verify_manifest
from core import triggers
from core.errors import Refused
from core.models import AgreedShare, Membership, TrailEvent
from core.registries import home_todos, month_end_steps
from rules.periods import Month
from tests.claims.extracts import accepted, claim, imported, in_month
from tests.claims.facts import fact
from tests.claims.test_payables import LINE as PAYABLE
from tests.claims.workbooks import filled

SEPTEMBER = Month(2026, 9)
ROWS = [claim(n) for n in range(20)]


def test_sound_data_pass_the_verification(world):
    imported(world, [*ROWS, in_month(500, "2026-08")])
    import_payables(world.officer, world.qingxi, filled(PAYABLE_COLUMNS, [PAYABLE]), "应付.xlsx")
    record_factset(world.officer, world.yunling, SEPTEMBER, [fact("5.00", alliance="YL-E")], "table")
    assert verify_manifest() == [] and verify_facts() == []


def test_a_changed_or_missing_lake_file_is_found(world):
    imported(world, [*ROWS, in_month(500, "2026-08")])
    august, september = LakeFile.objects.order_by("month")
    with september.path.open("r+b") as file:
        file.seek(100)
        file.write(b"x")
    august.path.unlink()
    assert {finding.where.split()[-1]: finding.text for finding in verify_manifest()} == {
        september.name: "内容与清单校验值不符",
        august.name: "文件缺失",
    }
    with pytest.raises(CommandError, match="核验发现"):
        call_command("verify")


def test_a_changed_fact_is_found(world):
    imported(world, ROWS)
    with triggers.lifted():
        MonthlyFact.objects.filter(pk=MonthlyFact.objects.first().pk).update(fund_payable=Decimal("1.00"))
    (finding,) = verify_facts()
    assert "改动" in finding.text


def test_a_lake_that_gives_other_facts_is_found(world):
    imported(world, ROWS)
    with triggers.lifted():
        LakeFile.objects.update(live=False)
    (finding,) = verify_facts()
    assert "重算" in finding.text


def test_registers_changed_later_move_rows_but_not_sums(world):
    imported(world, ROWS)
    Membership.objects.filter(institution=world.lead).delete()
    AgreedShare.objects.all().delete()
    assert verify_facts() == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE claims_monthlyfact SET settlements = 9",
        "DELETE FROM claims_monthlyfact",
        "UPDATE claims_factset SET content = 'x'",
        "DELETE FROM claims_lakefile",
        "UPDATE claims_lakefile SET sha256 = 'x'",
    ],
)
def test_the_database_refuses_to_change_what_settlements_stand_on(world, statement):
    imported(world, ROWS)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_cleaning_takes_nameless_files_after_a_grace_time_only(world):
    imported(world, ROWS)
    kept = LakeFile.objects.get().path
    nameless = kept.with_name("import-00009999-declared.parquet")
    nameless.write_bytes(b"left behind")
    staging = lake_root() / lake.STAGING / "9999"
    staging.mkdir(parents=True)
    assert lake.clean() == 0
    old = time.time() - 3 * 86400
    for path in (nameless, staging, kept):
        os.utime(path, (old, old))
    assert lake.clean() == 2
    assert kept.exists() and not nameless.exists() and not staging.exists()


def test_files_of_an_import_that_waits_are_never_cleaned(world):
    waiting = imported(world, [*ROWS, *(claim(n, visit_type="99") for n in range(50, 60))])
    assert waiting.state == "awaiting_decision"
    lake.clean(timezone.now() + timedelta(days=30))
    assert any(lake.staging_of(waiting).glob("*.parquet"))


def test_rows_behind_a_month_are_read_page_by_page(world):
    accepted(world, [*ROWS, claim(90, institution_code="H99010100011", pooled_fund_paid="500.00", cash_paid="500.00")])
    every = claim_rows(world.qingxi, SEPTEMBER, {}, 0, 10)
    assert (every.total, every.pooled_fund_paid, len(every.rows)) == (21, Decimal("12500.00"), 10)
    one = claim_rows(world.qingxi, SEPTEMBER, {"institution": "H99010100011"}, 0, 10)
    assert [row.settlement_id for row in one.rows] == ["S000090"]
    assert (one.rows[0].total_cost, one.rows[0].fund_text, one.rows[0].visit_text) == (Decimal("1000.00"), "居民", "住院")
    assert claim_rows(world.yunling, SEPTEMBER, {}, 0, 10).total == 0


def test_the_rows_add_up_to_the_facts_they_stand_behind(world, client_of):
    imported(world, ROWS)
    factset = FactSet.objects.get()
    assert claim_rows(world.qingxi, SEPTEMBER, {}, 0, 1).pooled_fund_paid == factset.pooled_fund_paid
    client = client_of(world.auditor)
    page = client.get("/claims/facts/990101/2026-09/rows/", {"institution": "H99010100001"}).content.decode()
    assert "S000001" in page and "360101" not in page
    event = TrailEvent.objects.filter(action="claims.open_rows").get()
    assert event.actor == world.auditor and "青溪县人民医院" in event.summary


def test_looking_at_rows_needs_a_post_for_it(world, client_of):
    imported(world, ROWS)
    url = "/claims/facts/990101/2026-09/rows/"
    assert client_of(world.observer).get(url).status_code == 403
    assert client_of(world.admin).get(url).status_code == 403
    assert client_of(world.hospital).get(url).status_code == 404
    assert not TrailEvent.objects.filter(action="claims.open_rows").exists()


def test_corrected_registers_move_rows_when_the_month_is_made_again(world, client_of):
    imported(world, ROWS)
    assert reading.fund_year(world.alliance, 2026, "RES").in_alliance == Decimal("12000.00")
    Membership.objects.filter(institution=world.lead).delete()
    client = client_of(world.officer)
    url = "/claims/facts/990101/2026-09/"
    refused = client.post(f"{url}refresh/", {"reason": ""})
    assert refused.status_code == 422 and "data-open-now" in refused.content.decode()
    assert client.post(f"{url}refresh/", {"reason": "人民医院本月未入医共体"}).status_code == 302
    current = FactSet.objects.current().get()
    assert (current.version, current.pooled_fund_paid) == (2, Decimal("12000.00"))
    year = reading.fund_year(world.alliance, 2026, "RES")
    assert (year.in_alliance, year.in_county_outside) == (Decimal("0.00"), Decimal("12000.00"))
    assert client.post(f"{url}refresh/", {"reason": "再次汇总"}).status_code == 302
    assert FactSet.objects.count() == 2
    assert verify_facts() == []
    assert client_of(world.reviewer).post(f"{url}refresh/", {"reason": "再次汇总"}).status_code == 403


def test_a_month_of_a_table_is_not_made_again_from_claims(world):
    record_factset(world.officer, world.qingxi, SEPTEMBER, [fact("5.00")], "table")
    with pytest.raises(Refused):
        refresh_facts(world.officer, world.qingxi, SEPTEMBER, "登记更正")


def test_the_month_end_says_what_is_there_and_what_is_missing(world):
    imported(world, [*ROWS, claim(90, visit_type="99")])
    step = dict(month_end_steps)["claims"]
    told = step.run(world.alliance, SEPTEMBER, None)
    assert "2026-09 数据已接入（医保结算明细第 1 版" in told and "退回行 1 行" in told and "2026-08" in told
    assert "尚未接入" in step.run(world.east, SEPTEMBER, None)


@pytest.mark.parametrize("held", [True, False])
def test_a_missing_last_month_is_something_to_do(world, time_machine, held):
    time_machine.move_to("2026-10-08 09:00:00+08:00")
    if held:
        imported(world, ROWS)
    titles = [todo.title for todo in dict(home_todos)["claims"](world.county_officer)]
    assert titles == ([] if held else ["接入青溪县 2026-09 医保结算数据"])
