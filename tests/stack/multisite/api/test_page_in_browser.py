"""The page in Chromium: by keyboard, on a phone, live, and without scripts."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import pytest
import uvicorn

from harness.stack.multisite.api.live import BackendState
from harness.stack.multisite.api.page.routes import COOKIE
from harness.stack.multisite.inventory import seen, versions
from harness.stack.multisite.inventory.database import Database
from harness.stack.multisite.inventory.seen import Seen
from tests.stack.multisite.api.conftest import Api

CHROMIUM = shutil.which("chromium")
playwright = pytest.importorskip("playwright.sync_api", reason="not shown here: no Playwright: setup/browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="not shown here: no Chromium: setup/browser")

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
UP = BackendState("api", "dijon", "10.0.0.1:80", "up", in_use=True, draining=False)
# A sandbox of its own needs what root in a container lacks; the rest keeps it from asking anybody but us.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-smooth-scrolling",
)
PHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()


class Served:
    """The platform's API on a port of its own, until it is stopped."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self._server = uvicorn.Server(uvicorn.Config(api.client.app, port=0, log_level="warning", lifespan="off"))
        self._thread = Thread(target=self._server.run)
        self._thread.start()
        while not self._server.started:
            self._thread.join(0.01)

    @property
    def url(self) -> str:
        (listening,) = self._server.servers[0].sockets
        return f"http://127.0.0.1:{listening.getsockname()[1]}/"

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()


@pytest.fixture
def served(small: Api, database: Database) -> Iterator[Served]:
    """One backend that stopped answering once, and two configurations."""
    small.daemon.states = [UP]
    with database.writing() as session:
        for minute, up in enumerate((True, False, True)):
            at = NOW + timedelta(minutes=minute)
            seen.record(session, [Seen("api", "10.0.0.1:80", up, at, 1.5, None, True)])
        for digest, ports in (("c" * 64, {}), ("d" * 64, {f"port {n}": "x" * 200 for n in range(80)})):
            versions.noted(session, digest, ports, NOW)
            versions.applied(session, digest, NOW)
    running = Served(small)
    yield running
    running.stop()


@pytest.fixture
def page(browser: Any, served: Served) -> Iterator[Any]:
    """Somebody who has logged in; whatever the browser refuses or misses fails the test."""
    context = browser.new_context(locale="en-GB")
    context.add_cookies([{"name": COOKIE, "value": served.api.tokens["read"], "url": served.url}])
    found = context.new_page()
    complaints: list[str] = []
    found.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    found.on("pageerror", lambda error: complaints.append(str(error)))
    found.goto(served.url)
    yield found
    context.close()
    assert complaints == []


def test_one_logs_in_and_out_by_keyboard(browser: Any, served: Served) -> None:
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(served.url)
    page.keyboard.type("nonsense")
    page.keyboard.press("Enter")
    assert page.get_by_role("alert").inner_text() == "Nobody was given this token."
    page.keyboard.type(served.api.tokens["read"])
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="api").wait_for()
    for wanted in ("Français", "Log out"):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.innerText") == wanted
    page.keyboard.press("Enter")
    page.get_by_label("Token").wait_for()
    context.close()


def test_it_follows_what_happens_and_leaves_the_reader_where_he_is(page: Any, served: Served) -> None:
    """Nothing is loaded anew: what is open, focused and scrolled to stays so."""
    page.evaluate("window.same = true")
    summary = page.locator("summary").first
    summary.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    diff = page.locator("details[open] pre")
    page.keyboard.press("PageDown")
    page.wait_for_function("document.activeElement.scrollTop > 0")
    reached = diff.evaluate("one => one.scrollTop")
    served.api.daemon.states = [replace(UP, verdict="down", in_use=False)]
    page.get_by_text("A service has no backend left").wait_for()
    assert "0 of 1 backends answer" in page.get_by_role("status").inner_text()
    assert page.evaluate("[window.same, document.activeElement.id, document.activeElement.scrollTop]") == [
        True,
        diff.get_attribute("id"),
        reached,
    ]


def test_it_says_when_nobody_answers_any_more(browser: Any, served: Served) -> None:
    context = browser.new_context(locale="fr-FR")
    context.add_cookies([{"name": COOKIE, "value": served.api.tokens["read"], "url": served.url}])
    page = context.new_page()
    page.goto(served.url)
    assert not page.get_by_role("alert").is_visible()
    served.stop()
    page.get_by_role("alert").wait_for()
    assert page.get_by_role("alert").inner_text().startswith("pas de réponse")
    assert page.get_by_text("10.0.0.1:80").first.is_visible()
    context.close()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_on_a_phone_nothing_is_beyond_the_edge(page: Any, language: str) -> None:
    page.set_viewport_size(PHONE)
    if page.locator("html").get_attribute("lang") != language:
        page.get_by_role("button", name="Français").click()
        page.wait_for_function("document.documentElement.lang === 'fr'")
    page.locator("summary").first.click()
    page.locator("details[open] pre").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    shown = page.locator("td, h1, h2, p, summary, button")
    beyond = "all => all.filter(one => one.getBoundingClientRect().right > innerWidth).map(one => one.outerHTML)"
    assert shown.evaluate_all(beyond) == []


def test_without_scripts_it_is_loaded_again_by_itself(browser: Any, served: Served) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    context.add_cookies([{"name": COOKIE, "value": served.api.tokens["read"], "url": served.url}])
    page = context.new_page()
    page.goto(served.url)
    assert page.get_by_text("All is well").is_visible()
    served.api.daemon.states = [replace(UP, verdict="down", in_use=False)]
    page.get_by_text("A service has no backend left").wait_for()
    context.close()
