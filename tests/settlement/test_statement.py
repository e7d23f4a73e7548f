"""The statement: every block adds up, every line opens its steps, page, Word, workbook and months say the same."""

import io
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from core.models import TrailEvent
from core.templatetags.fund import yuan
from core.trail import head_hash
from core.workbook import read_sheets
from settlement import exports, reading, services, word
from settlement.statement import Statement, side_by_side
from settlement.views.stages import signatures
from tests.settlement import ground
from tests.settlement.ground import YEAR, D


@pytest.fixture
def world(surplus_world, db):
    return surplus_world


@pytest.fixture
def overrun(world):
    """The draft of the shared world turned into an overrun of 8 % with half of it reasonable."""
    for month in range(1, 13):
        ground.month_facts(world, ground.Month(YEAR, month), "18666666.66", "8333333.33")
    version = services.refresh(world.officer, ground.the_draft(world)).version
    ground.analysis(world, "10000000.00")
    return services.refresh(world.officer, version).version


def check(statement):
    for block in statement.blocks:
        *parts, total = block.lines
        last = 0
        running = D("0.00")
        for number, line in enumerate(block.lines):
            if line.is_total:
                assert line.amount == abs(running) if line.key == "difference" else line.amount == running, line.label
                last = number
            else:
                running += line.signed_amount
        assert last == len(block.lines) - 1 and total.is_total
        assert parts
    assert all(line.steps and line.steps[-1]["value"] == str(line.amount) for line in statement.lines if _exact(line))
    assert all(item["holds"] for item in statement.identities)


def _exact(line):
    """Lines whose last step is the line itself; those of the sharing end with the other side's part."""
    return line.key not in ("fund_bears", "returned", "difference", "forfeited", "reserve_forfeited")


def test_the_lines_of_a_surplus_add_up_with_a_pocket_calculator(world):
    statement = Statement(ground.the_draft(world))
    check(statement)
    assert statement.line("cash").amount == D("207000000.00")
    assert statement.line("entitled").amount == D("297000000.00")  # S + R × f


def test_the_lines_of_an_overrun_add_up_and_the_unreasonable_part_stands_apart(overrun):
    statement = Statement(overrun)
    check(statement)
    assert statement.computation.fund_bears == D("8000000.00")
    assert statement.tier_totals["amount"] + statement.unreasonable == statement.difference
    assert any("未认定为合理" in remark for remark in statement.remarks)


def test_the_waterfall_ends_where_the_statement_ends(world, overrun):
    for version in (overrun,):
        steps = Statement(version).waterfall["steps"]
        assert steps[0]["name"] == "打包总额 B" and steps[-1]["name"] == "清算现金"
        level = Decimal(0)
        for step in steps:
            level = Decimal(step["value"]) if step["kind"] == "total" else level + Decimal(step["value"])
        assert level == Decimal(steps[-1]["value"])


def test_unconfirmed_parameters_say_what_another_value_would_give(overrun):
    notice = Statement(overrun).notices[0]
    assert notice["key"] == "overrun.O1.rate" and "例如若为 70%" in notice["effect"]
    assert "基金分担 7,000,000.00 元（少 1,000,000.00 元）" in notice["effect"]


def test_the_months_behind_add_up_to_the_facts_even_after_new_data_came(world):
    version = ground.the_draft(world)
    ground.month_facts(world, ground.Month(YEAR, 6), "99000000.00", "1.00")
    rows = reading.months_behind(version)
    assert sum(row.in_alliance for row in rows) == version.computation.in_alliance == D("195000000.00")
    assert sum(row.charged for row in rows) == version.computation.charged
    assert len(rows) == 12


def test_the_workbook_has_the_totals_of_the_page(world, overrun):
    statement = Statement(overrun)
    from core.workbook import write_workbook

    sheets = read_sheets(write_workbook(exports.statement_sheets(statement)), "statement.xlsx")
    lines = {row[0]: row[2] for row in sheets["清算单"] if len(row) > 2 and isinstance(row[2], float | int)}
    assert D(str(lines["清算现金（应付医共体）"])) == overrun.computation.cash
    tiers = [row for row in sheets["分档"] if row and row[0] == "合计"][0]
    assert D(str(tiers[5])) == overrun.computation.fund_bears
    assert D(str(tiers[6])) == overrun.computation.alliance_bears
    assert any("待核实" in str(row[0]) for row in sheets["清算单"][:6])


def test_the_word_document_has_the_figures_the_notice_and_the_signatures(world, overrun):
    from docx import Document

    content = word.statement_document(overrun, signatures(overrun, []), head_hash(world.area), [overrun])
    document = Document(io.BytesIO(content))
    text = "\n".join(paragraph.text for paragraph in document.paragraphs)
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    assert yuan(overrun.computation.cash) in text and "待核实：超支O1 比例" in text
    assert head_hash(world.area) in text and overrun.computation.digest in text
    for amount in (overrun.computation.fund_bears, overrun.computation.alliance_bears, overrun.computation.package):
        assert yuan(amount) in cells
    assert "林晓岚" in cells and "{{" not in text and "{%" not in text


def test_a_correction_stands_beside_its_former_version(world):
    version = ground.final(world, ground.the_draft(world))
    ground.month_facts(world, ground.Month(YEAR, 12), "16250000.00", "7600000.00")
    second = services.correct(world.officer, version.settlement, "跨省迟到结算")
    rows = {row["label"]: row for row in side_by_side([version, second])}
    assert rows["县外及兄弟 X"]["difference"] == D("100000.00")
    assert rows["清算现金"]["difference"] == D("-80000.00")
    content = word.statement_document(second, signatures(second, []), head_hash(world.area), [version, second])
    assert content[:2] == b"PK"


def test_downloads_are_noted_in_the_trail(world, client_of):
    version = ground.the_draft(world)
    client = client_of(world.officer)
    for name in ("statement-word", "statement-xlsx"):
        assert client.get(reverse(f"settlement:{name}", args=[version.pk])).status_code == 200
    noted = TrailEvent.objects.filter(action="core.export", actor=world.officer)
    assert noted.count() == 2 and timezone.localdate() == timezone.localtime(noted.first().at).date()


def test_a_measure_without_payables_is_said_on_the_statement(world):
    from claims.services import record_factset
    from tests.claims.facts import fact

    for month in range(1, 13):
        rows = [
            fact("16250000.00", method="ffs"),
            fact("7500000.00", institution="", institution_area="360100", care_location="city", method=""),
        ]
        record_factset(world.officer, world.qingxi, ground.Month(YEAR, month), rows, "table")
    version = services.refresh(world.officer, ground.the_draft(world)).version
    assert version.computation.inputs["measure"] == "pooled_fund_paid"
    assert any("统筹基金记账额" in remark for remark in Statement(version).remarks)
