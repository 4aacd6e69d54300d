"""Take the pictures of the chat page: `python -m scripts.screenshots` (`make screenshots`).

Writes docs/images/*.png from a server in a temporary folder and the page as it is built. What is
said on them, and when, stands in `scripts/conversations.py`; the page's clock is set to that time,
so that pictures change only when the page does. Needs Chromium and a font with Korean in it.
"""

import asyncio
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from scripts.conversations import ENGLISH, KOREAN, NOW, Conversation
from tests.support.browser import ARGUMENTS
from tests.support.server import Server, running
from tests.support.stock import stock

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"

DESKTOP: ViewportSize = {"width": 1060, "height": 690}
PHONE: ViewportSize = {"width": 390, "height": 780}
LOOK: dict[str, Any] = {
    "viewport": DESKTOP,
    "device_scale_factor": 2,
    "locale": "en-US",
    "timezone_id": "Asia/Seoul",
    "reduced_motion": "reduce",
}


def main() -> None:
    """Take all of them."""
    IMAGES.mkdir(exist_ok=True)
    with _server(ENGLISH) as english, _server(KOREAN) as korean, _chromium() as browser:
        _english(browser, english)
        _take(_room(browser, korean, KOREAN, locale="ko-KR"), "korean")


def _english(browser: Browser, server: Server) -> None:
    light = _room(browser, server, ENGLISH)
    _take(light, "desktop")
    _take(_room(browser, server, ENGLISH, color_scheme="dark"), "dark")
    phone = _room(browser, server, ENGLISH, viewport=PHONE, is_mobile=True, has_touch=True)
    _take(phone, "phone-room")
    phone.get_by_role("button", name="Back to the rooms").tap()
    expect(phone.get_by_role("listitem")).to_have_count(len(ENGLISH.rooms))
    _take(phone, "phone-rooms")
    server.kill()
    _reconnecting(light)
    _take(light, "reconnecting")


def _reconnecting(page: Page) -> None:
    """Show what is written while the server is away, and that it is."""
    field = page.get_by_role("textbox")
    for content in ("Is the coffee machine on too?", "I bring plates and forks."):
        field.fill(content)
        field.press("Enter")
    page.clock.set_fixed_time(NOW.timestamp() + 3)
    expect(page.get_by_role("button", name="Try now")).to_be_visible()


def _room(browser: Browser, server: Server, said: Conversation, **look: Any) -> Page:
    """Return the page with the first room open."""
    first = said.rooms[0]
    page = browser.new_context(**LOOK | look).new_page()
    page.clock.set_fixed_time(NOW)
    token = server.sign(said.user, name=said.name)
    account = {"kind": "token", "user": said.user, "name": said.name, "token": token}
    page.add_init_script(f"sessionStorage['allibe.account'] = {json.dumps(json.dumps(account))}")
    page.goto(f"{server.url}/#/rooms/{first.room_id}")
    expect(page.get_by_text(first.said[-1].content).last).to_be_visible()
    expect(page.get_by_text(said.members)).to_be_visible()
    return page


def _take(page: Page, name: str) -> None:
    page.evaluate("document.activeElement?.blur()")
    page.evaluate("document.fonts.ready")
    page.screenshot(path=IMAGES / f"{name}.png", caret="hide", animations="disabled")


@contextmanager
def _server(said: Conversation) -> Iterator[Server]:
    """Give a server with the conversation's rooms."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(stock(Path(folder) / "data", *said.rooms))
        with running(Path(folder), demo=False) as server:
            yield server


@contextmanager
def _chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(ARGUMENTS)
        )


if __name__ == "__main__":
    main()
