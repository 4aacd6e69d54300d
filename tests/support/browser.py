"""Chromium for the tests of the page, and what its pages complain of.

One browser per test file, not per session: while Playwright's synchronous interface is open, a
loop runs in this thread, and no async test of the same process could.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize, expect, sync_playwright

from tests.support.backstage import Backstage, open_backstage
from tests.support.chat_page import ChatPage
from tests.support.places import Place
from tests.support.server import Server, running
from tests.support.stock import PastRoom, stock

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)

WAIT_MS = 15_000
"""For whatever takes milliseconds on a machine that is not overloaded."""

DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 360, "height": 740}

SERVER_AWAY = "|".join(
    (
        r"net::ERR_(CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE|SOCKET_NOT_CONNECTED)",
        r"WebSocket connection to '[^']*' failed",
    )
)
"""What the browser itself says of requests while the server is down."""

_TELL_OF_VIOLATIONS = """
addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
  console.error(`policy violated: ${violatedDirective} ${blockedURI}`);
});
"""

expect.set_options(timeout=WAIT_MS)


class Complaints:
    """Collects what goes wrong in the pages of a test: scripts, console, policy."""

    def __init__(self) -> None:
        self._all: list[str] = []
        self._expected: list[str] = []

    def listen_to(self, page: Page) -> None:
        """Collect from a page, from now on."""
        page.on("console", self._written)
        page.on("pageerror", lambda error: self._all.append(f"uncaught: {error}"))
        page.on("crash", lambda _: self._all.append("the page crashed"))

    def expect(self, pattern: str) -> None:
        """Take these for no fault."""
        self._expected.append(pattern)

    def unexpected(self) -> list[str]:
        """Return all others."""
        return [
            text
            for text in self._all
            if not any(re.search(pattern, text) for pattern in self._expected)
        ]

    def _written(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning", "assert"):
            self._all.append(f"console: {message.text} ({message.location.get('url')})")


class Visit(Protocol):
    """Opens the page in a window of its own: nobody else's storage, nobody else's session.

    As a user of the demo, or as nobody yet; with `room` that room is open. `prepare` is called
    before the page is loaded. Further arguments are those of Playwright's `new_context`.
    """

    def __call__(
        self,
        user: str | None,
        at: Place | None = None,
        *,
        room: str | None = None,
        prepare: Callable[[Page], object] | None = None,
        **context: Any,
    ) -> ChatPage: ...


class StartDemo(Protocol):
    """Starts `allibe serve --demo` with rooms that have a past, and with settings."""

    def __call__(self, *rooms: PastRoom, **environment: str) -> Server: ...


@pytest.fixture(scope="session")
def installed_chromium() -> str:
    """Where Chromium is. Without it the tests fail and say what installs it."""
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("Chromium is missing: scripts/chromium.sh installs it", pytrace=False)
    return path


@pytest.fixture(scope="module")
def browser(installed_chromium: str) -> Iterator[Browser]:
    """The browser of a test file."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=installed_chromium, args=list(ARGUMENTS)
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def shared_demo(built_page: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The `server` of a test file: started after the page was built, without others' rooms."""
    with running(tmp_path_factory.mktemp("demo")) as server:
        yield server


@pytest.fixture(scope="module")
def shared_private(built_page: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The `private_server` of a test file, likewise."""
    with running(tmp_path_factory.mktemp("private"), demo=False) as server:
        yield server


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """What the test's pages complained of; at its end there must be nothing unexpected."""
    complaints = Complaints()
    yield complaints
    found = complaints.unexpected()
    assert not found, "the page complained:\n" + "\n".join(found)


@pytest.fixture
def start_demo(
    built_page: None, shared_backstage: Backstage, tmp_path: Path
) -> Iterator[StartDemo]:
    """Start demos of the test's own, which it may break; pages are closed before they end."""
    with ExitStack() as stack:

        def start(*rooms: PastRoom, **environment: str) -> Server:
            folder = tmp_path / f"demo-{len(list(tmp_path.iterdir()))}"
            if rooms:
                shared_backstage.run(stock(folder / "data", *rooms))
            return stack.enter_context(running(folder, environment=environment))

        yield start


@pytest.fixture
def visit(
    browser: Browser, server: Place, start_demo: StartDemo, complaints: Complaints
) -> Iterator[Visit]:
    """Open pages; all windows are closed at the test's end."""

    def open_page(
        user: str | None,
        at: Place | None = None,
        *,
        room: str | None = None,
        prepare: Callable[[Page], object] | None = None,
        **options: Any,
    ) -> ChatPage:
        context = browser.new_context(
            **({"viewport": DESKTOP, "locale": "en-US", "reduced_motion": "reduce"} | options)
        )
        context.set_default_timeout(WAIT_MS)
        context.add_init_script(_TELL_OF_VIOLATIONS)
        context.on("page", complaints.listen_to)
        page = context.new_page()
        if prepare is not None:
            prepare(page)
        chat = ChatPage(page, at or server)
        chat.go(user, room)
        return chat

    yield open_page
    close_windows(browser)


def close_windows(browser: Browser) -> None:
    """Close all windows of a browser."""
    for context in browser.contexts:
        context.close()


@pytest.fixture(scope="session")
def shared_backstage() -> Iterator[Backstage]:
    with open_backstage() as backstage:
        yield backstage


@pytest.fixture
def backstage(shared_backstage: Backstage, server: Place, browser: Browser) -> Iterator[Backstage]:
    """Rooms and messages without a page. The rooms of `server` are gone at the test's end."""
    yield shared_backstage
    close_windows(browser)  # else a page may ask for a room of which it has just heard news
    shared_backstage.clear(server)
