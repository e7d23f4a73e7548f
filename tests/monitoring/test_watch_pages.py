"""Distress and the watch list: causes, who answers, who is proposed, approved and taken off again."""

from __future__ import annotations

import pytest
from django.urls import reverse

from core.workbook import read_sheets
from monitoring.models import WatchEntry
from tests.monitoring import desk_ground as ground

pytestmark = pytest.mark.django_db
ANSWER = {"cause": "参保人数下降，收入减少。", "measures": "开展扩面征缴，控制次均费用。", "target": "", "by_date": "2026-12-31"}


@pytest.fixture(autouse=True)
def _clock(time_machine):
    time_machine.move_to(ground.NOW)


def url(name, *args):
    return reverse(f"monitoring:{name}", args=args)


def act(w, name):
    return url("warning-act", w.pk, name)


def text_of(page):
    return page.content.decode()


def test_a_distress_shows_the_causes_the_policy_names(world, client_of):
    w = ground.distress(world)
    text = text_of(client_of(world.officer).get(url("warning", w.pk)))
    assert "出险原因" in text and "2,084,500.00" in text and "64.81%" in text and "6,120" in text


def test_the_county_answers_its_own_distress_and_the_city_decides(world, client_of):
    w = ground.distress(world)
    assert client_of(world.officer).post(act(w, "answer"), ANSWER).status_code == 403
    client_of(world.county_officer).post(act(w, "answer"), ANSWER)
    w.refresh_from_db()
    assert w.state == "answered"
    client_of(world.officer).post(act(w, "accept"), {})
    w.refresh_from_db()
    assert w.state == "accepted"


def propose(client, world, w, **changes):
    given = {
        "institution": str(world.lead.pk), "consequence": "watch", "detail": "次均费用增长 12%，逐月核查", "valid_from": "2026-10-12",
    }  # fmt: skip
    return client.post(url("watch-propose", w.pk), {**given, **changes})


def test_an_institution_is_proposed_approved_and_taken_off_the_watch_list(world, client_of):
    w = ground.distress(world)
    assert propose(client_of(world.officer), world, w).status_code == 302
    entry = WatchEntry.objects.get()
    page = client_of(world.reviewer).get(url("watch"))
    assert [row.entry for row in page.context["page_obj"]] == [entry] and page.context["page_obj"][0].may_decide
    assert not client_of(world.officer).get(url("watch")).context["page_obj"][0].may_decide
    client_of(world.reviewer).post(url("watch-act", entry.pk, "approve"), {"reason": "同意"})
    entry.refresh_from_db()
    assert entry.status == "approved"
    client_of(world.reviewer).post(url("watch-act", entry.pk, "end"), {"reason": "费用已回落到正常"})
    entry.refresh_from_db()
    assert entry.status == "ended"


def test_a_refused_proposal_keeps_its_form_open_with_the_text(world, client_of):
    w = ground.distress(world)
    page = propose(client_of(world.officer), world, w, valid_from="不知道")
    assert page.status_code == 422 and page.context["watch_open"] and "次均费用增长 12%" in text_of(page)


def test_the_watch_list_is_for_the_bureau_and_exports_what_it_shows(world, client_of):
    w = ground.distress(world)
    propose(client_of(world.officer), world, w)
    propose(client_of(world.officer), world, w, institution=str(world.township.pk), consequence="quota")
    assert client_of(world.hospital).get(url("watch")).status_code == 403
    assert client_of(world.hospital).get(url("watch-xlsx")).status_code == 403
    assert list(client_of(world.stranger_officer).get(url("watch")).context["page_obj"]) == []
    client = client_of(world.observer)
    page = client.get(url("watch") + "?consequence=quota")
    assert [row.entry.institution for row in page.context["page_obj"]] == [world.township]
    rows = read_sheets(client.get(url("watch-xlsx") + "?consequence=quota").content, "x.xlsx")["监控重点"]
    assert [row[2] for row in rows if str(row[1]).startswith("H")] == ["石桥镇中心卫生院"]


def test_deciding_on_a_foreign_watch_entry_answers_404(world, client_of):
    w = ground.distress(world)
    propose(client_of(world.officer), world, w)
    entry = WatchEntry.objects.get()
    assert client_of(world.stranger_reviewer).post(url("watch-act", entry.pk, "approve"), {}).status_code == 404
    assert client_of(world.officer).post(url("watch-act", entry.pk, "approve"), {}).status_code == 403
    page = client_of(world.reviewer).post(url("watch-act", entry.pk, "reject"), {"reason": ""})
    assert page.status_code == 422
