"""What every test shares: no network beyond this machine, the system's browser, triggers lifted for a flush."""

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import TransactionTestCase

from core import triggers
from tests.world import client_of, world  # noqa: F401 - fixtures of every test

_BROWSER_STORIES = Path(__file__).parent / "e2e"
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Browser stories run only when they are named: ``./test tests/e2e``."""
    if collection_path == _BROWSER_STORIES and not any("e2e" in argument for argument in config.args):
        return True
    return None


@pytest.fixture(autouse=True, scope="session")
def _no_network() -> Iterator[None]:
    """Refuse connections that leave this machine, except to the Redis server the suite was given."""
    allowed = _LOOPBACK | {urlsplit(settings.REDIS_URL).hostname}
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in allowed:
            raise AssertionError(f"a test tried to reach {address[0]}: tests have no network")
        return connect(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", guarded)
    yield
    patch.undo()


@pytest.fixture(autouse=True, scope="session")
def _flush_past_the_triggers() -> Iterator[None]:
    """A transactional test ends by emptying every table, which the append-only triggers would refuse."""
    empty = TransactionTestCase._fixture_teardown

    def lifted(self: TransactionTestCase) -> None:
        with triggers.lifted():
            empty(self)

    patch = pytest.MonkeyPatch()
    patch.setattr(TransactionTestCase, "_fixture_teardown", lifted)
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def _no_figures_of_another_test() -> None:
    """Figures of a city are kept in the process by the digests of its rows, which tests write as they like."""
    from monitoring.reading import figures

    figures._of_all.clear()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The system's Chromium, kept off the network."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    return {
        **browser_type_launch_args,
        **({"executable_path": found} if found else {}),
        "args": [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
        ],
    }
