"""The chat page as its user sees it: what can be read on it, and what can be done."""

import re
from urllib.parse import urlencode
from uuid import uuid4

from playwright.sync_api import Locator, Page, WebSocket, expect

from tests.support.places import Place


class ChatPage:
    """One tab, in English unless a test says otherwise."""

    def __init__(self, page: Page, server: Place) -> None:
        self.page = page
        self.server = server
        self.sockets: list[WebSocket] = []
        page.on("websocket", self._opened)

    def go(self, user: str | None = None, room: str | None = None) -> None:
        """Load the page; as a user of the demo, with a room open."""
        query = f"?{urlencode({'user': user})}" if user else ""
        self.page.goto(f"{self.server.url}/{query}{address(room)}")

    def another_tab(self, user: str | None = None, room: str | None = None) -> "ChatPage":
        """Open a further tab in the same window."""
        tab = ChatPage(self.page.context.new_page(), self.server)
        tab.go(user, room)
        return tab

    def use_token(self, token: str) -> None:
        """Sign in with an access token."""
        self.page.get_by_label("Access token").fill(token)
        self.button("Sign in").click()

    def button(self, name: str) -> Locator:
        """The button of exactly that name."""
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def rooms(self) -> Locator:
        """The list's entries, from the top."""
        return self.page.get_by_role("navigation", name="Rooms").get_by_role("listitem")

    def entry(self, name: str) -> Locator:
        """The list's entry for a room."""
        named = self.page.get_by_text(name, exact=True)
        return self.rooms.filter(has=named).get_by_role("link")

    def enter(self, name: str) -> None:
        """Open a room of the list, and wait until one can write there.

        The list moves while news comes, and a room that moves between press and release of the
        button is not clicked: so not before it stands.
        """
        self.entry(name).evaluate(STANDS)
        self.entry(name).click()
        expect(self.heading(name)).to_be_visible()
        expect(self.composer).to_be_visible()

    def heading(self, name: str) -> Locator:
        """The name of the open room."""
        return self.page.get_by_role("heading", name=name, exact=True)

    @property
    def log(self) -> Locator:
        """The messages of the open room."""
        return self.page.get_by_role("log")

    @property
    def rows(self) -> Locator:
        """One per message that is in the document."""
        return self.log.get_by_role("article")

    @property
    def texts(self) -> Locator:
        """What the messages say."""
        return self.rows.locator(".bubble__text")

    def row(self, text: str) -> Locator:
        """The row of a message, by what it says."""
        says = self.page.locator(".bubble__text").get_by_text(text, exact=True)
        return self.rows.filter(has=says)

    def scroll_up_to(self, row: Locator) -> None:
        """Turn the mouse's wheel until a row is in the window and stays there."""
        self.log.hover()
        for _ in range(100):
            if row.evaluate_all(_IS_IN_WINDOW):
                self.until_at_rest()
                if row.evaluate_all(_IS_IN_WINDOW):
                    return
            self.page.mouse.wheel(0, -400)
            self.page.wait_for_timeout(20)
        raise AssertionError("the row is nowhere above")

    def until_at_rest(self) -> None:
        """Wait until the messages have stood still for a while.

        After a jump to the end the list holds on to it for 150 ms, for what is measured late.
        """
        self.page.evaluate(_AT_REST)

    def until(self, condition: str) -> None:
        """Wait until an expression is true; looked at in each frame.

        Not Playwright's `wait_for_function`: it evaluates in a way that the page's policy forbids.
        """
        self.page.evaluate(_UNTIL % (condition, condition))

    @property
    def composer(self) -> Locator:
        """Where one writes."""
        return self.page.get_by_role("textbox", name="Message to ")

    def say(self, *contents: str) -> None:
        """Write messages, and send each with Enter."""
        for content in contents:
            self.composer.fill(content)
            self.composer.press("Enter")

    def until_stored(self, text: str, *, seconds: float | None = None) -> None:
        """Wait until the server has an own message; others may have read it by then."""
        timeout = None if seconds is None else seconds * 1000
        expect(self.row(text).get_by_title(_STORED)).to_be_visible(timeout=timeout)

    def until_live(self) -> str:
        """Wait until new messages come. Says something: it goes out only then. Returns what."""
        text = f"Live? {uuid4()}"
        self.say(text)
        self.until_stored(text)
        # The list is in its new order: what one clicks next does not move away.
        expect(self.page.locator(".room-entry").first).to_contain_text(text)
        return text

    @property
    def banner(self) -> Locator:
        """What is said of a connection that is not there."""
        return self.page.locator(".banner").get_by_role("status")

    def _opened(self, socket: WebSocket) -> None:
        self.sockets.append(socket)


_STORED = re.compile("^(Sent$|Read by )")

STILL = """
() => Promise.all(document.getAnimations()
  .filter(({ playState, effect }) =>
    playState === 'running' && Number.isFinite(effect.getComputedTiming().endTime))
  .map(({ finished }) => finished.catch(() => {})))
"""
"""Waits for what moves or fades: places and colours on the way are nobody's."""

STANDS = """
(element) => new Promise((resolve) => {
  const begun = performance.now();
  let top = null, since = begun;
  const look = () => {
    const now = performance.now(), { top: present } = element.getBoundingClientRect();
    if (present !== top) [top, since] = [present, now];
    if (now - since > 300 || now - begun > 5_000) resolve();
    else requestAnimationFrame(look);
  };
  look();
})
"""
"""Waits until an element has stood still for longer than news takes to move it; 5 s at most."""

_UNTIL = """async () => {
  const end = performance.now() + 15_000;
  while (!(%s)) {
    if (performance.now() > end) throw new Error(`waited in vain: ${() => %s}`);
    await new Promise(requestAnimationFrame);
  }
}"""

_IS_IN_WINDOW = """(rows) => rows.some((row) => {
  const { top, bottom } = row.getBoundingClientRect();
  const log = row.closest('[role=log]')?.getBoundingClientRect();
  return log !== undefined && top >= log.top && bottom <= log.bottom;
})"""

_AT_REST = """async () => {
  const log = document.querySelector('[role=log]');
  let last = '';
  for (let calm = 0; calm < 15; calm += 1) {
    const now = `${log.scrollTop} ${log.scrollHeight}`;
    if (now !== last) calm = 0;
    last = now;
    await new Promise(requestAnimationFrame);
  }
}"""


def address(room: str | None) -> str:
    """Return the part of an address that opens a room."""
    return "" if room is None else f"#/rooms/{room}"


def said_by_two(alice: ChatPage, bob: ChatPage) -> list[str]:
    """Let the two talk in an empty room; return what both of them see, in one order."""
    alice.say("Did you feed the cat?")
    expect(bob.row("Did you feed the cat?")).to_be_visible()
    bob.say("She fed herself.", "냉장고가 열려 있었어요 🐈")
    said = ["Did you feed the cat?", "She fed herself.", "냉장고가 열려 있었어요 🐈"]
    for chat in (alice, bob):
        expect(chat.texts).to_have_text(said)
    return said
