"""A real browser on the sample portal: uvicorn in a thread, sample services, a stream of hints."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.sample_server import SampleServer
from tests.unit.portal.portal_sample import SampleServices, Store, sample_store

CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reason = "there is no system Chromium at /usr/bin/chromium"
    for item in items:
        if Path(str(item.fspath)).is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)
            if not CHROMIUM.exists():
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="package")
def _running(tmp_path_factory) -> Iterator[SampleServer]:
    # One server for all tests, so that the browser keeps Plotly's script; what it knows is new for each test.
    server = SampleServer(SampleServices(folder=tmp_path_factory.mktemp("files")))
    yield server
    server.stop()


@pytest.fixture
def server(_running) -> SampleServer:
    _running.services.reset(sample_store())
    return _running


@pytest.fixture
def empty_server(_running) -> SampleServer:
    _running.services.reset(Store())
    return _running


@pytest.fixture
def reader_server(tmp_path) -> Iterator[SampleServer]:
    """A server on which everybody is a reader."""
    server = SampleServer(SampleServices(folder=tmp_path), "reader")
    yield server
    server.stop()


# Playwright keeps an event loop running in this thread, in which nobody else can start one: it ends with this package.
@pytest.fixture(scope="package")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def _context(browser):
    viewport = {"width": 1400, "height": 900}
    context = browser.new_context(viewport=viewport, timezone_id="Asia/Tokyo", locale="en-GB")
    yield context
    context.close()


@pytest.fixture
def page(_context):
    """A page on which any script error, refused script or failed request of ours makes the test fail."""
    page = _context.new_page()
    page.set_default_timeout(15_000)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(f"script error: {error}"))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    yield page
    found = list(faults)
    page.close()
    assert found == []
