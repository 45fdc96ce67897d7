"""A real browser for the tests of the page.

They are collected only where `STEPBENCH_CHROMIUM` names a Chromium, as `nox -s browser` does, so that the ordinary
test run needs no browser.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = os.environ.get("STEPBENCH_CHROMIUM")
collect_ignore_glob = [] if CHROMIUM else ["test_*.py"]

# Headless and without a sandbox, for containers; and no traffic of the browser's own.
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Any]:
    """Opens a page from disk and, once its script is done, hands it over; any console error fails the test."""
    contexts, complaints = [], []

    def open_page(path: Path, **options: Any) -> Any:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
        contexts.append(context)
        context.set_offline(True)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready]", state="attached")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def opened_again() -> Callable[[Any], None]:
    """Opens a page anew by the address it has now, which `page.url` is told of only a moment later."""

    def open_again(page: Any) -> None:
        address = page.evaluate("location.href")
        page.goto("about:blank")
        page.goto(address)
        page.wait_for_selector("html[data-ready]", state="attached")

    return open_again
