"""Telling of messages that nobody sees: notifications, the number in the title, the connection.

Headless Chromium shows a page's notifications nowhere and hides no tabs, so the page is given a
`Notification` that records and a document whose visibility the tests decide. It has no Web Push:
`test_push.py` is about that.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocket, expect

from tests.support.backstage import Backstage
from tests.support.browser import Visit
from tests.support.chat_page import ChatPage
from tests.support.server import Server

REPORTED_MS = 500
"""What changes on a connection is reported to presence 50 ms later (`REPORT_SECONDS`)."""

_STAGE = """
delete window.PushManager;
window.asked = 0;
window.shown = [];
window.Notification = class {
  static permission = sessionStorage.getItem('permission') ?? 'default';
  static async requestPermission() {
    window.asked += 1;
    return (this.permission = window.answer ?? 'granted');
  }
  constructor(title, { body, tag }) {
    this.told = { title, body, tag };
    window.shown.push(this);
  }
  close() { this.closed = true; }
};
let isHidden = false;
Object.defineProperty(document, 'hidden', { get: () => isHidden });
Object.defineProperty(document, 'visibilityState', {
  get: () => (isHidden ? 'hidden' : 'visible'),
});
document.hasFocus = () => !isHidden;
window.setHidden = (hidden) => {
  isHidden = hidden;
  document.dispatchEvent(new Event('visibilitychange'));
};
"""


def on_stage(page: Page) -> None:
    page.add_init_script(_STAGE)


def told(chat: ChatPage) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = chat.page.evaluate("shown.map(({ told }) => told)")
    return found


def until_told(chat: ChatPage, count: int) -> None:
    chat.until(f"shown.length >= {count}")


def ring_the_bell(chat: ChatPage) -> None:
    chat.button("Notifications").click()
    expect(chat.button("Notifications")).to_have_attribute("aria-pressed", "true")


def leave(chat: ChatPage, socket: WebSocket) -> None:
    """Close the room, and wait until the server knows: before, it tells no news of the room."""
    with answered(socket, "/app/leave"):
        chat.button("Close room").click()


def hide(chat: ChatPage) -> None:
    """Hide the page, and wait until presence knows: before, the server takes it for seen."""
    with answered(chat.sockets[-1], "/app/visibility"):
        chat.page.evaluate("setHidden(true)")
    chat.page.wait_for_timeout(REPORTED_MS)


@contextmanager
def answered(socket: WebSocket, destination: str) -> Iterator[None]:
    """Wait for the receipt of what is sent there meanwhile."""
    receipts: list[str] = []

    def sent(frame: str | bytes) -> None:
        found = re.search(r"^receipt:(.*)$", str(frame), re.MULTILINE)
        if found is not None and f"destination:{destination}" in str(frame):
            receipts.append(f"receipt-id:{found[1]}\n")

    socket.on("framesent", sent)
    with socket.expect_event(
        "framereceived", lambda frame: any(one in str(frame) for one in receipts)
    ):
        yield


@pytest.fixture
def room(server: Server, backstage: Backstage) -> str:
    return backstage.room(server, "Band")


def test_permission_is_asked_on_a_click_and_never_on_load(visit: Visit, room: str) -> None:
    alice = visit("alice", room=room, prepare=on_stage)
    alice.until_live()
    assert alice.page.evaluate("asked") == 0
    expect(alice.button("Notifications")).to_have_attribute("aria-pressed", "false")
    ring_the_bell(alice)
    assert alice.page.evaluate("asked") == 1


def test_who_refuses_is_told_where_that_can_be_changed(visit: Visit) -> None:
    alice = visit("alice", prepare=on_stage)
    alice.page.evaluate("window.answer = 'denied'")
    alice.button("Notifications").click()
    expect(alice.page.get_by_text("Notifications are blocked in your browser")).to_be_visible()
    expect(alice.button("Notifications")).to_have_attribute("aria-pressed", "false")


def test_a_message_in_another_room_is_notified_and_a_click_opens_the_room(
    visit: Visit, server: Server, backstage: Backstage, room: str
) -> None:
    alice = visit("alice", room=backstage.room(server, "Other"), prepare=on_stage)
    alice.until_live()
    ring_the_bell(alice)
    backstage.say(server, room, "bob", "Rehearsal is off")
    until_told(alice, 1)
    assert told(alice) == [{"title": "Band", "body": "Bob: Rehearsal is off", "tag": room}]
    alice.page.evaluate("shown[0].onclick()")
    expect(alice.heading("Band")).to_be_visible()
    expect(alice.row("Rehearsal is off")).to_be_visible()
    assert alice.page.evaluate("shown[0].closed")


def test_with_no_room_open_the_bell_keeps_the_connection_and_the_list_live(
    visit: Visit, server: Server, backstage: Backstage, room: str
) -> None:
    """And without it there is none: as the requirements say, it is the open room's."""
    alice = visit("alice", prepare=on_stage)
    expect(alice.entry("Band")).to_be_visible()
    assert alice.sockets == []
    with alice.page.expect_websocket():
        ring_the_bell(alice)
    backstage.say(server, room, "bob", "New strings")
    until_told(alice, 1)
    expect(alice.entry("Band")).to_contain_text("Bob: New strings")
    alice.enter("Band")
    alice.until_live()
    (socket,) = alice.sockets
    leave(alice, socket)
    backstage.say(server, room, "bob", "Still there?")
    until_told(alice, 2)
    assert not socket.is_closed()
    with socket.expect_event("close"):
        alice.button("Notifications").click()


def test_the_bell_is_remembered_by_the_browser(visit: Visit, room: str) -> None:
    alice = visit("alice", prepare=on_stage)
    ring_the_bell(alice)
    alice.page.evaluate("sessionStorage.setItem('permission', 'granted')")
    with alice.page.expect_websocket():
        alice.page.reload()
    expect(alice.button("Notifications")).to_have_attribute("aria-pressed", "true")
    assert alice.page.evaluate("asked") == 0


def test_a_hidden_tab_notifies_of_its_open_room_and_a_visible_one_does_not(
    visit: Visit, server: Server, backstage: Backstage, room: str
) -> None:
    alice = visit("alice", room=room, prepare=on_stage)
    ring_the_bell(alice)
    alice.until_live()
    backstage.say(server, room, "bob", "while you look")
    expect(alice.row("while you look")).to_be_visible()
    # Told in the same round in which notifications would be.
    expect(alice.entry("Band")).to_contain_text("while you look")
    hide(alice)
    backstage.say(server, room, "bob", "while you are away")
    until_told(alice, 1)
    assert [one["body"] for one in told(alice)] == ["Bob: while you are away"]


def test_a_hidden_tab_says_nothing_while_the_user_looks_elsewhere(
    visit: Visit, server: Server, backstage: Backstage, room: str
) -> None:
    """At another device, say: what is read there need not ring here."""
    alice = visit("alice", room=room, prepare=on_stage)
    ring_the_bell(alice)
    alice.until_live()
    laptop = visit("alice", room=room)
    laptop.until_live()
    hide(alice)
    backstage.say(server, room, "bob", "seen on the laptop")
    expect(laptop.row("seen on the laptop")).to_be_visible()
    expect(laptop.entry("Band")).to_contain_text("seen on the laptop")
    (socket,) = laptop.sockets
    leave(laptop, socket)
    backstage.say(server, room, "bob", "seen nowhere")
    until_told(alice, 1)
    assert [one["body"] for one in told(alice)] == ["Bob: seen nowhere"]


def test_own_messages_from_elsewhere_notify_of_nothing(
    visit: Visit, server: Server, backstage: Backstage, room: str
) -> None:
    alice = visit("alice", room=room, prepare=on_stage)
    ring_the_bell(alice)
    alice.until_live()
    hide(alice)
    backstage.say(server, room, "alice", "from my phone")
    backstage.say(server, room, "bob", "an answer")
    until_told(alice, 1)
    assert [one["body"] for one in told(alice)] == ["Bob: an answer"]


def test_without_the_bell_nothing_is_notified(
    visit: Visit, server: Server, backstage: Backstage, room: str
) -> None:
    alice = visit("alice", room=room, prepare=on_stage)
    alice.until_live()
    hide(alice)
    backstage.say(server, room, "bob", "psst")
    expect(alice.row("psst")).to_be_visible()
    assert told(alice) == []


def test_the_title_says_how_many_messages_are_unread(
    visit: Visit, server: Server, backstage: Backstage, room: str
) -> None:
    """What came to a hidden tab has not been read by being on it."""
    other = backstage.room(server, "Other")
    alice = visit("alice", room=room, prepare=on_stage)
    alice.until_live()
    expect(alice.page).to_have_title("Allibe")
    backstage.say(server, other, "bob", "one", "two")
    expect(alice.page).to_have_title("(2) Allibe")
    hide(alice)
    backstage.say(server, room, "bob", "three")
    expect(alice.page).to_have_title("(3) Allibe")
    expect(alice.row("three")).to_have_count(1)
    again = visit("alice")
    expect(again.entry("Band")).to_contain_text("1 unread message")
    alice.page.evaluate("setHidden(false)")
    expect(alice.page).to_have_title("(2) Allibe")
    alice.enter("Other")
    expect(alice.page).to_have_title("Allibe")
