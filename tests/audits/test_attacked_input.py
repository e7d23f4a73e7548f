"""Odd input to pages and the API of cases: answered, never an error of the server."""

from __future__ import annotations

import pytest

from audits.states import TrackKind, TrackState
from tests.audits import ground

pytestmark = pytest.mark.django_db
HUGE = 10**25


@pytest.fixture(autouse=True)
def _clock(time_machine):
    time_machine.move_to(ground.NOW)


@pytest.mark.parametrize("content", ["null", "[]", "1", '"x"', "{}"])
def test_papers_over_the_api_are_not_asked_for_with_nothing(world, client_of, content):
    ground.track_in(world, TrackKind.AGREEMENT, TrackState.NOTIFIED)
    client = client_of(world.auditor)
    for prefix in ("case-documents", "case-measures", "case-referrals", "case-follow-ups"):
        assert client.post(f"/api/v1/{prefix}/", content, content_type="application/json").status_code in (
            400,
            404,
            422,
        ), prefix


def test_ids_no_row_can_have_are_refused_over_the_api(world, client_of):
    case = ground.investigated(world)
    client, found = client_of(world.auditor), case.findings.get()
    at = f"/api/v1/audit-findings/{found.pk}"
    asked = [
        (f"{at}/drop-lines/", {"lines": [HUGE], "reason": ground.REASON}),
        (f"{at}/lower-line/", {"line": HUGE, "amount": "1.00", "reason": ground.REASON}),
        (f"{at}/amend/", {"act": "overcharging", "text": "同日同项目计费两次", "evidence": [HUGE]}),
    ]
    for address, data in asked:
        assert client.post(address, data, content_type="application/json").status_code in (400, 404, 422), address


def test_ids_no_row_can_have_are_passed_over_on_the_page(world, client_of):
    case = ground.investigated(world)
    at = f"/audits/cases/{case.pk}/findings/{case.findings.get().number}/drop-lines/"
    for key in (str(HUGE), "9" * 5000, "²", "-1"):
        answer = client_of(world.auditor).post(at, {"line": [key], "reason": ground.REASON})
        assert answer.status_code == 422 and "没有选择结算记录" in answer.content.decode()
