"""Every URL of the site for every kind of person: the answers stand in ``expected.txt``, a new URL without lines fails.

A line reads ``METHOD name status: people; …``. ``UPDATE_PERMISSIONS=1`` writes the file anew, to be read line by line in
the diff. The rules that no line may break are tests of their own below.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from tests.permissions.audited import more_people
from tests.permissions.things import FOREIGN, PERSONAS, PUBLIC, Things, build_things, named_urls

TABLE = Path(__file__).parent / "expected.txt"
URLS = sorted(named_urls())
# Things of these URLs are made by acts that the stories of their own apps tell; their rights are tested there.
TOLD_ELSEWHERE = {
    "budgets:allocation-act", "budgets:payment-act", "claims:report", "claims:payable-table", "claims:payable-table-xlsx",
    "claims:mapping-fund-remove", "claims:mapping-visit-remove", "settlement:analysis-decide", "settlement:analysis-file",
    "settlement:change-file", "settlement:recovery-decide", "settlement:instalment-record",
    "core:mail-repeat", "monitoring:warning-answer-file", "monitoring:warning-change-file", "monitoring:meeting-file",
    "monitoring:supply-file", "monitoring:finding-file", "audits:referral-reply-file",
}  # fmt: skip
# Their address names an indicator or a month and no place: everybody gets her own places there.
OWN_PLACES = {f"monitoring:{name}" for name in ("indicator", "indicator-xlsx", "run", "run-xlsx", "run-start", "run-close", "run-reopen")}
ALIKE = {"audit_reviewer"}  # holds the same rights as the auditor on the pages of all other apps
AUDITS = "audits:"
ASKED = tuple(name for name in (*PERSONAS, *FOREIGN) if name not in ALIKE)
SIGNING = {"core:login", "core:logout", "core:password"}


@pytest.fixture(scope="module")
def things(django_db_setup: None, django_db_blocker: Any) -> Iterator[Things]:
    with django_db_blocker.unblock():
        outer = transaction.atomic()
        outer.__enter__()
        try:
            yield build_things()
        finally:
            transaction.set_rollback(True)
            outer.__exit__(None, None, None)


@pytest.fixture(scope="module")
def clients(things: Things) -> dict[str, Client]:
    asked = {name: getattr(things.world, name) for name in (*ASKED, *ALIKE)} | more_people(things.world)
    found = {}
    for name, user in asked.items():
        found[name] = Client(raise_request_exception=False)
        found[name].force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return found


def expected() -> dict[tuple[str, str], str]:
    lines = TABLE.read_text(encoding="utf-8").splitlines() if TABLE.exists() else []
    return {(line.split()[0], line.split()[1]): line for line in lines}


def answers(clients: dict[str, Client], name: str, args: dict[str, Any]) -> list[str]:
    """The lines of a URL; POST is asked only where the page is not read-only."""
    url, lines = reverse(name, kwargs=args), []
    for method in ("GET", "POST"):
        by_status: dict[int, list[str]] = {}
        for person, client in clients.items():
            if person not in ASKED and not name.startswith(AUDITS):
                continue
            inner = transaction.savepoint()
            status = getattr(client, method.lower())(url).status_code
            transaction.savepoint_rollback(inner)
            by_status.setdefault(status, []).append(person)
            if method == "POST" and status == 405:
                break
        if set(by_status) != {405}:
            told = "; ".join(f"{status}: {' '.join(people)}" for status, people in sorted(by_status.items()))
            lines.append(f"{method} {name} {told}")
    return lines


@pytest.mark.parametrize("name", [name for name in URLS if name not in TOLD_ELSEWHERE | SIGNING])
def test_a_url_answers_everybody_as_the_table_says(name: str, things: Things, clients: Any, db: None) -> None:
    found = answers(clients, name, things.args.get(name, {}))
    table = expected()
    if os.environ.get("UPDATE_PERMISSIONS"):
        kept = {key: line for key, line in table.items() if key[1] != name}
        kept |= {(line.split()[0], name): line for line in found}
        TABLE.write_text("\n".join(kept[key] for key in sorted(kept, key=lambda key: key[::-1])) + "\n", encoding="utf-8")
        return
    assert found == [table[key] for key in sorted(table) if key[1] == name]


@pytest.mark.parametrize("name", URLS)
def test_a_person_who_is_not_signed_in_is_led_to_the_login(name: str, things: Things, client: Client) -> None:
    if name in PUBLIC | TOLD_ELSEWHERE:
        return
    response = client.get(reverse(name, kwargs=things.args.get(name, {})))
    if name.startswith("api"):
        assert response.status_code in (401, 403)
    else:
        assert (response.status_code, response.url.split("?")[0]) == (302, "/login/")


def test_nothing_of_another_city_or_hospital_ever_answers_and_nothing_breaks() -> None:
    shared = {"core:policy", "budgets:growth-act", "submissions:table-version"}  # the same for the whole city
    routes = named_urls()
    for (_method, name), line in expected().items():
        assert " 500:" not in line
        if "<" not in routes[name] or name in ("portal:help-topic", *shared, *OWN_PLACES):
            continue
        for part in line.split(" ", 2)[2].split("; "):
            status, people = part.split(": ")
            if status not in ("403", "404", "405"):
                assert not set(people.split()) & set(FOREIGN), line


def test_no_list_names_a_place_of_another_city_or_sister(things: Things, clients: Any, db: None) -> None:
    for name, route in named_urls().items():
        if ("<" in route and name not in OWN_PLACES) or name in PUBLIC | SIGNING or name.startswith("api"):
            continue
        for person, foreign in (("stranger_officer", ("青溪", "云岭")), ("sister_hospital", ("青溪",))):
            response = clients[person].get(reverse(name, kwargs=things.args.get(name, {})))
            body = b"".join(response.streaming_content) if response.streaming else response.content
            for word in foreign:
                assert word not in body.decode("utf-8", errors="ignore"), (name, person)
