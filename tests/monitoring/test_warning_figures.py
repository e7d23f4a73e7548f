"""Which figure stands beside a warning: the newest that could be judged, with its month; its sides as worked out."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from core.workbook import read_sheets
from monitoring.models import Warning, WarningFigure
from monitoring.reading import warning_months
from monitoring.services import warnings as services
from tests.monitoring import desk_ground as ground

pytestmark = pytest.mark.django_db
LIST = "/monitoring/warnings/"


@pytest.fixture(autouse=True)
def _clock(time_machine):
    time_machine.move_to(ground.NOW)


def test_the_list_shows_the_newest_figure_that_could_be_judged_with_its_month(world, client_of):
    w = ground.distress(world)
    month = ground.LAST.next()
    WarningFigure.objects.create(warning=w, year=month.year, month=month.month, value=None, noted_at=timezone.now())
    client = client_of(world.officer)
    row = client.get(LIST).context["page_obj"].object_list[0]
    assert row.month == ground.LAST and "3,216,400.00" in row.value
    assert f"{ground.LAST}</span>" in client.get(LIST).content.decode()
    sheet = read_sheets(client.get(reverse("monitoring:warnings-xlsx")).content, "x.xlsx")["风险预警"]
    (line,) = [cells for cells in sheet if str(cells[0]).startswith("警-")]
    assert line[-1] == str(ground.LAST) and line[9] == row.value


def test_a_warning_without_any_value_shows_none_and_no_month(world, client_of):
    services.raise_manual(world.officer, world.alliance, "RES", "日间手术结算量骤增", "yellow", "请核实是否集中结算。")
    row = client_of(world.officer).get(LIST).context["page_obj"].object_list[0]
    assert (row.value, row.month) == ("—", None)


@pytest.mark.parametrize(
    ("key", "top", "bottom"),
    [
        ("balance_rate", "调整后打包总额 − 预计全年基金支出", "调整后打包总额"),
        ("current_balance_rate", "基金收入合计 − 基金支出合计（当期）", "基金收入合计"),
    ],
)
def test_the_sides_of_a_figure_are_named_as_they_are_worked_out(world, key, top, bottom):
    w = ground.sent(world)
    Warning.objects.filter(pk=w.pk).update(indicator=key, kind="county", place=f"C{world.qingxi.pk}", alliance=None)
    course = warning_months.course_of(Warning.objects.with_places().get(pk=w.pk), None)
    assert (course.top_label, course.bottom_label) == (top, bottom)
