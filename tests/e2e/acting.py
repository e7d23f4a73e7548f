"""What the browser stories do again and again: run the queue, press and agree, fill, keep a download, look at a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from core.jobs import run_now
from core.models import Job

WIDTHS = (390, 1440)


def run_queued() -> None:
    """What the worker does: every queued job to its end."""
    for job in Job.objects.filter(state="queued").order_by("pk"):
        run_now(job)


def run_all() -> None:
    """Every queued job and those they queue, until none is left."""
    while Job.objects.filter(state="queued").exists():
        run_queued()


def confirm(page: Page, button: str, agree: str = "") -> None:
    """Press a button that asks once, and agree (``agree``: what the dialog's button says, if not the same)."""
    page.wait_for_load_state()  # the script that opens dialogs has run by then
    page.get_by_role("button", name=button, exact=True).first.click()
    with page.expect_navigation():
        page.locator("dialog[open]").get_by_role("button", name=agree or button, exact=True).click()


def fill(page: Page, scope: str, **values: str) -> None:
    """Fill fields by name inside ``scope``."""
    for name, value in values.items():
        field = page.locator(f"{scope} [name={name}]")
        if field.evaluate("e => e.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)


def saved(page: Page, link: str, path: Path) -> Path:
    """What a link downloads, kept at ``path``."""
    with page.expect_download() as download:
        page.get_by_role("link", name=link).first.click()
    download.value.save_as(path)
    return path


def fits(page: Page, accessible: Any) -> None:
    """A page is never wider than its screen, on the telephone and at the desk, and axe finds nothing."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        try:  # charts are drawn anew a moment after the width changed
            page.wait_for_function("() => document.documentElement.scrollWidth <= innerWidth", timeout=2000)
        except PlaywrightTimeout as error:
            raise AssertionError(f"{page.url} is wider than {width} px") from error
    page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done, 100)))")  # what follows the width is done
    accessible(page)
