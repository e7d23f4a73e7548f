"""Why spending changed: hand-worked splits, and what cannot be split is said."""

from __future__ import annotations

from decimal import Decimal

import pytest

from rules.analysis import DRIVERS, decompose
from tests.monitoring.reports_ground import BEFORE, NOW

D = Decimal
LABELS = {"fund_inpatient": "其中住院基金支出（县域内）", "charged": "打包范围内基金支出"}


def test_volume_average_category_and_outflow_are_as_worked_by_hand():
    found = decompose(NOW, BEFORE, LABELS)
    # inpatient: (300 − 250) × 500,000 ÷ 250 = 100,000 volume, rest 0; outpatient: (4,000 − 5,000) × 200,000 ÷ 5,000 = −40,000
    # volume, +40,000 average; other 50,000 − 40,000 = 10,000; outside 250,000 − 260,000 = −10,000
    assert found.drivers == {"volume": D("60000.00"), "average": D("40000.00"), "category": D("10000.00"), "outflow": D("-10000.00")}
    assert found.change == D("100000.00") and sum(found.drivers.values()) == found.change
    assert [(part.key, part.change) for part in found.parts] == [
        ("inpatient", D("100000.00")), ("outpatient", D("0.00")), ("other", D("10000.00")), ("out", D("-10000.00")), ("scope", D("0.00")),
    ]  # fmt: skip


@pytest.mark.parametrize("persons", [(7, 3), (1, 3), (0, 7), (1000001, 999999)])
def test_odd_numbers_of_persons_still_add_up_to_the_fen(persons):
    now = {**NOW, "insured_discharges_in_county": persons[0], "charged": D("1100000.01"), "fund_inpatient": D("600000.01"),
           "fund_in_county": D("850000.01"), "fund_all": D("1100000.01")}  # fmt: skip
    before = {**BEFORE, "insured_discharges_in_county": persons[1], "fund_inpatient": D("333333.33")}
    found = decompose(now, before, LABELS)
    assert sum(found.drivers.values()) == found.change == D("100000.01")
    assert all(sum(part.drivers.values()) == part.change for part in found.parts)


@pytest.mark.parametrize("former", [0, -3, None])
def test_without_former_persons_the_change_stays_whole_with_its_category(former):
    found = decompose(NOW, {**BEFORE, "insured_discharges_in_county": former}, LABELS)
    inpatient = found.parts[0]
    assert inpatient.drivers == {"category": D("100000.00")} and "不能分为人次和次均" in inpatient.note
    assert sum(found.drivers.values()) == found.change


def test_an_unknown_base_is_named_and_nothing_is_split():
    found = decompose({**NOW, "fund_inpatient": None}, BEFORE, LABELS)
    assert found.parts == () and found.missing == "缺少本期其中住院基金支出（县域内），不能分解。"
    assert decompose(NOW, {}, LABELS).change is None
    assert set(found.drivers) == set(DRIVERS) and not any(found.drivers.values())


def test_the_peers_of_a_report_are_worked_out_anew_once_one_of_their_months_was_replaced(world, monkeypatch):
    from monitoring.reading import figures as reading
    from monitoring.reading.places import ref_of
    from rules.periods import Month
    from rules.spans import Span
    from tests.monitoring.warning_ground import month_row

    places = [ref_of(world.qingxi), ref_of(world.yunling)]
    span, calls = Span.month(Month(2026, 7)), []
    worked_out = reading.figures
    monkeypatch.setattr(reading, "figures", lambda *args: calls.append(1) or worked_out(*args))

    def average():
        found = reading.figures_of_all(places, span, ["inpatient_average"])
        return found[(places[0].key, "RES", span)]["inpatient_average"].value

    month_row(world.qingxi, Month(2026, 7), inpatient_cost=300_000, discharges=100)
    assert average() == average() == 3000 and len(calls) == 1
    month_row(world.qingxi, Month(2026, 7), inpatient_cost=400_000, discharges=100)
    assert average() == 4000 and len(calls) == 2
