"""A browser page that fails its test on any script error, policy violation or missing file."""

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.world import PASSWORD, World, build_world

PATIENCE = 30_000
"""Milliseconds a page may take on a busy machine; what is there at once is not waited for."""
expect.set_options(timeout=PATIENCE)


@pytest.fixture
def city(live_server: LiveServer) -> World:
    """The world of the tests behind a server with real pages."""
    return build_world()


@pytest.fixture
def watched(page: Page, live_server: LiveServer) -> Iterator[Page]:
    """A page in Chinese whose every error counts; 4xx answers of the pages themselves are the test's own business."""
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on("console", lambda message: _note(faults, message.type, message.text))
    page.on(
        "response",
        lambda answer: faults.append(f"{answer.status} {answer.url}")
        if answer.status >= 500 or (answer.status >= 400 and "/static/" in answer.url)
        else None,
    )
    page.set_default_timeout(PATIENCE)
    yield page
    assert faults == []


def _note(faults: list[str], kind: str, text: str) -> None:
    if "Content Security Policy" in text or (kind == "error" and "Failed to load resource" not in text):
        faults.append(f"console: {text}")


@pytest.fixture
def sign_in(watched: Page, live_server: LiveServer) -> Callable[[str], Page]:
    """``sign_in(username)`` ends a former session and returns the page signed in as that person."""

    def signed_in(username: str, password: str = PASSWORD) -> Page:
        watched.context.clear_cookies()
        watched.goto(f"{live_server.url}/login/")
        watched.get_by_label("用户名").fill(username)
        watched.get_by_label("密码").fill(password)
        watched.get_by_role("button", name="登录").click()
        return watched

    return signed_in


@pytest.fixture
def accessible() -> Callable[[Page], None]:
    """``accessible(page)`` fails with what axe finds."""

    def check(page: Page) -> None:
        page.evaluate("scrollTo({top: 0, behavior: 'instant'})")  # else the fixed top band lies over what was last filled
        rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
        results = Axe().run(page, options={"runOnly": rules, "resultTypes": ["violations"]})  # what passed is not listed node by node
        assert results.violations_count == 0, results.generate_report()

    return check
