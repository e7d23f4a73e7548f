"""A waiver can name every cell a finding can name; what is longer than it can hold is refused in words, not by the database."""

import json

import pytest
from django.urls import reverse

from submissions.declaration import shipped_table
from submissions.models import Finding, Waiver
from tests.submissions import ground
from tests.submissions.test_submission_api import OWED

REASON = "系统切换期口径未统一，已核实"


@pytest.fixture
def owed(world, in_time):
    return ground.assignment(world)


@pytest.fixture
def ask(client_of, world, owed):
    def post(**data):
        body = json.dumps({"code": "H3", "reason": REASON, **data})
        return client_of(world.reviewer).post(f"{OWED}{owed.pk}/waive/", body, content_type="application/json")

    return post


def test_a_waiver_holds_the_name_of_every_row_and_member_column(ask):
    longest = max((column.key for column in shipped_table().member_columns), key=len)
    assert len(longest) > 10
    assert ask(row_code=longest).status_code == 201
    assert Waiver.objects.get().row_code == longest
    sizes = [model._meta.get_field("row_code").max_length for model in (Waiver, Finding)]
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize(
    ("field", "value"), [("code", "H" * 11), ("fund_type", "RESX"), ("row_code", "4" * 21), ("institution", "M" * 21)]
)
def test_what_a_waiver_cannot_hold_is_refused_by_its_field(ask, field, value):
    answer = ask(**{field: value})
    assert answer.status_code in (400, 422) and field in answer.content.decode()
    assert not Waiver.objects.exists()


def test_the_page_takes_a_member_column_and_refuses_what_is_longer(world, owed, client_of):
    page, address = client_of(world.reviewer), reverse("submissions:assignment-act", args=[owed.pk, "waive"])
    given = {"code": "H3", "fund_type": "RES", "institution": "", "reason": REASON}
    assert page.post(address, {**given, "row_code": "x" * 21}).status_code == 422
    assert page.post(address, {**given, "row_code": "outpatient_fund"}).status_code == 302
    assert Waiver.objects.get().row_code == "outpatient_fund"
