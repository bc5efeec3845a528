"""A real Chromium before a real server. A missing browser or a missing front end is an error that says what to do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, sync_playwright

import lenslab.web
from tests.web.conftest import fresh_throttles, library, own_places, study

__all__ = ["fresh_throttles", "library", "own_places", "study"]

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NO_BROWSER = (
    "no Chromium for the browser tests: name one with CHROMIUM=/path/to/chromium, or install the system's "
    "(apt-get install chromium), or Playwright's own: python -m playwright install chromium"
)
NO_BUNDLE = "the front end is not built: run `npm ci && npm run build` in frontend/"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    given = os.environ.get("CHROMIUM")
    found = given or next((path for path in map(shutil.which, NAMES) if path), None)
    with pytest.MonkeyPatch.context() as environment, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread; the tests ask the database from it, one after the other.
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        try:
            started = playwright.chromium.launch(executable_path=found, args=FLAGS)
        except Error as error:
            pytest.fail(f"{NO_BROWSER}\n{error}", pytrace=False)
        yield started
        started.close()


@pytest.fixture(scope="session", autouse=True)
def bundle() -> None:
    if not (Path(lenslab.web.__file__).parent / "static" / "dist" / "page.js").is_file():
        pytest.fail(NO_BUNDLE, pytrace=False)


Open = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, live_server: Any, library: None) -> Iterator[Open]:  # noqa: ARG001 - asked for its effect
    """Opens pages; afterwards, nothing may have left the host and no page may have complained."""
    contexts: list[BrowserContext] = []
    strangers: list[str] = []
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    def opened(address: str = "/paper/1806.02891", **options: Any) -> Page:
        context = browser.new_context(
            **{"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce", **options}
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        host = urlsplit(live_server.url).netloc
        page.on("request", lambda request: strangers.append(request.url) if _leaves(request.url, host) else None)
        page.goto(live_server.url + address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert strangers == []
    assert complaints == []


def _leaves(address: str, host: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme not in ("data", "blob", "about") and parts.netloc != host
