"""The page of a reconciliation: what must be explained stands first, all or nothing is kept, both sides sign in turn."""

import pytest
from django.urls import reverse

from core.workbook import read_sheets
from tests.submissions import ground
from tests.submissions.facts import agreeing_facts
from tests.submissions.ground import LONG_ENOUGH, both, typed

pytestmark = pytest.mark.usefixtures("in_time")
DIFFERENT = both(
    typed("RES", "15.1", 330.00), typed("EMP", "15.1", 700.00), typed("ALL", "15.1", 1030.00)
)  # the facts say 310 and 620


@pytest.fixture
def accepted(world):
    agreeing_facts(world, ground.PERIOD)
    return ground.accepted(world, change=DIFFERENT)


def url(name, *args):
    return reverse(f"submissions:{name}", args=args)


def texts(accepted, *words):
    lines = accepted.reconciliation.lines.filter(must_explain=True).order_by("pk")
    return {f"text-{line.pk}": word for line, word in zip(lines, words, strict=True)}


def test_the_page_asks_only_for_what_differs_beyond_the_limit(world, client_of, accepted):
    page = client_of(world.hospital).get(url("reconciliation", accepted.pk))
    assert [one.row.code for one in page.context["asked"]] == ["15.1", "15.1"]
    assert "+200,000.00" in page.content.decode() and "+800,000.00" in page.content.decode()


def test_one_refused_word_keeps_the_others_typed_and_nothing_is_saved(world, client_of, accepted):
    client = client_of(world.hospital)
    answer = client.post(url("reconciliation-explain", accepted.pk), texts(accepted, LONG_ENOUGH, "短"))
    assert answer.status_code == 422
    assert f">{LONG_ENOUGH}</textarea>" in answer.content.decode() and ">短</textarea>" in answer.content.decode()
    assert not accepted.reconciliation.lines.exclude(explanation="").exists()


def test_the_hospital_signs_before_the_bureau_and_after_explaining(world, client_of, accepted):
    sign, page = url("reconciliation-sign", accepted.pk), url("reconciliation", accepted.pk)
    assert client_of(world.hospital).post(sign).status_code == 422
    client_of(world.hospital).post(url("reconciliation-explain", accepted.pk), texts(accepted, LONG_ENOUGH, LONG_ENOUGH))
    assert not client_of(world.officer).get(page).context["may_sign"]
    assert client_of(world.hospital).post(sign).status_code == 302
    assert client_of(world.officer).post(sign).status_code == 302
    assert "双方已签认" in client_of(world.hospital).get(page).content.decode()


def test_a_line_opens_to_its_institutions_and_months(world, client_of, accepted):
    line = accepted.reconciliation.lines.get(fund_type="RES", row_code="3")
    page = client_of(world.officer).get(url("reconciliation-rows", accepted.pk, line.pk))
    assert page.context["total"] == line.amount_facts
    assert "青溪县人民医院" in page.content.decode()
    assert client_of(world.sister_hospital).get(url("reconciliation-rows", accepted.pk, line.pk)).status_code == 404
    assert client_of(world.officer).get(url("reconciliation-rows", accepted.pk, 10**6)).status_code == 404


def test_the_export_of_a_reconciliation_holds_every_line(world, client_of, accepted):
    answer = client_of(world.officer).get(url("reconciliation-xlsx", accepted.pk))
    rows = read_sheets(answer.content, "r.xlsx")["对账"]
    assert sum(row[0] in ("居民", "职工") for row in rows) == accepted.reconciliation.lines.count()


def test_a_version_that_was_not_accepted_has_no_reconciliation(world, client_of):
    found = ground.filed(world)
    assert client_of(world.officer).get(url("reconciliation", found.pk)).status_code == 404
