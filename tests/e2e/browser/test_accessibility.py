"""For all: what axe finds in each state, what is read aloud, what the keyboard reaches."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.axe import grave_violations
from tests.support.backstage import Backstage
from tests.support.browser import PHONE, SERVER_AWAY, Complaints, StartDemo, Visit
from tests.support.chat_page import ChatPage
from tests.support.server import Server
from tests.support.socket_gate import SocketGate

REJECTED = {"code": "rejected", "message": "Not this one.", "retryable": False}

LOOKS: dict[str, Callable[[Page], None]] = {
    "light": lambda page: page.emulate_media(color_scheme="light"),
    "dark": lambda page: page.emulate_media(color_scheme="dark"),
    "dark on a phone": lambda page: page.set_viewport_size(PHONE),
    "light on a phone": lambda page: page.emulate_media(color_scheme="light"),
}
"""In this order: each changes one thing."""


@pytest.fixture
def room(server: Server, backstage: Backstage) -> str:
    room = backstage.room(server, "Open to all")
    backstage.say(server, room, "bob", "old", "See https://example.org/", "👍", "new")
    backstage.read(server, room, "alice", 2)
    return room


def nothing_grave(chat: ChatPage) -> None:
    """In no look. Leaves the window as it was."""
    size = chat.page.viewport_size
    assert size is not None
    for look, change in LOOKS.items():
        change(chat.page)
        found = grave_violations(chat.page)
        assert not found, f"{look}: " + "\n".join(found)
    chat.page.set_viewport_size(size)


def test_axe_finds_nothing_grave_on_the_sign_in(visit: Visit) -> None:
    chat = visit(None)
    expect(chat.page.get_by_role("heading", name="Who are you today?")).to_be_visible()
    nothing_grave(chat)


def test_axe_finds_nothing_grave_on_the_list_its_menu_and_dialog(visit: Visit, room: str) -> None:
    alice = visit("alice")
    expect(alice.entry("Open to all")).to_be_visible()
    nothing_grave(alice)
    alice.button("Account and settings (Alice)").click()
    nothing_grave(alice)
    alice.button("Quiet hours").click()
    alice.page.get_by_label("Send me nothing at night").check()
    nothing_grave(alice)
    alice.page.keyboard.press("Escape")
    alice.button("New room").first.click()
    dialog = alice.page.get_by_role("dialog", name="New room")
    dialog.get_by_role("button", name="Bob").click()
    dialog.get_by_role("button", name="Create room").click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    nothing_grave(alice)


def test_axe_finds_nothing_grave_in_a_room_with_messages_in_all_states(
    visit: Visit, room: str
) -> None:
    gate = SocketGate()
    alice = visit("alice", room=room, prepare=gate.attach)
    alice.until_live()
    gate.refusing = REJECTED
    alice.say("refused")
    expect(alice.row("refused")).to_contain_text("Not sent")
    gate.refusing = None
    gate.holding = True
    alice.say("waiting")
    expect(alice.row("waiting").get_by_title("Sending")).to_be_visible()
    alice.composer.fill("x" * 8000)
    expect(alice.page.get_by_text("bytes left")).to_be_visible()
    nothing_grave(alice)


def test_axe_finds_nothing_grave_among_the_members(visit: Visit, room: str) -> None:
    alice = visit("alice", room=room)
    alice.page.get_by_role("button", name="2 members").click()
    panel = alice.page.get_by_role("dialog", name="Members")
    panel.get_by_role("button", name="Remove Bob").click()
    panel.get_by_role("button", name="Leave room").click()
    nothing_grave(alice)


def test_axe_finds_nothing_grave_while_the_server_is_away(
    visit: Visit, start_demo: StartDemo, complaints: Complaints
) -> None:
    complaints.expect(SERVER_AWAY)
    server = start_demo()
    alice = visit("alice", server, room="1")
    alice.until_live()
    server.kill()
    expect(alice.button("Try now")).to_be_visible()
    nothing_grave(alice)


def test_history_is_not_read_aloud_and_what_others_write_now_is(
    visit: Visit, server: Server, backstage: Backstage, room: str
) -> None:
    alice = visit("alice", room=room)
    expect(alice.row("new")).to_be_visible()
    said = alice.until_live()
    assert read_aloud(alice) == []
    expect(alice.log).to_have_attribute("aria-live", "off")
    backstage.say(server, room, "bob", "Can you hear me?")
    expect(alice.row("Can you hear me?")).to_be_visible()
    assert read_aloud(alice) == ["Bob: Can you hear me?"]
    assert said not in "".join(read_aloud(alice))


def test_a_busy_room_is_summed_up(
    visit: Visit, server: Server, backstage: Backstage, room: str
) -> None:
    """Else a screen reader would talk without end."""
    alice = visit("alice", room=room)
    alice.until_live()
    backstage.say(server, room, "bob", *(f"line {number}" for number in range(5)))
    expect(alice.row("line 4")).to_be_visible()
    polite = alice.page.locator("[aria-live=polite]:not(:empty)")
    expect(polite).to_have_text("4 new messages. The last one, Bob: line 4")


def read_aloud(chat: ChatPage) -> list[str]:
    """Return what stands in live regions now."""
    found: list[str] = chat.page.evaluate(
        """() => [...document.querySelectorAll('[aria-live=polite], [role=status], [role=alert]')]
          .filter((region) => region.closest('[role=log]') === null)
          .map((region) => region.textContent.trim())
          .filter(Boolean)"""
    )
    return found


def test_the_keyboard_alone_is_enough(
    visit: Visit, server: Server, backstage: Backstage, room: str
) -> None:
    """From the list into the room, a message, the members, and back."""
    alice = visit("alice")
    expect(alice.entry("Open to all")).to_be_visible()
    press, focused = alice.page.keyboard.press, alice.page.locator(":focus")
    press("Tab")
    expect(focused).to_have_text("Skip to the conversation")
    tab_to(alice, lambda name: "Open to all" in name)
    press("Enter")
    expect(alice.composer).to_be_focused()
    alice.page.keyboard.type("typed")
    press("Enter")
    alice.until_stored("typed")
    tab_to(alice, lambda name: name == "Members", "Shift+Tab")
    press("Enter")
    expect(alice.page.get_by_role("dialog", name="Members")).to_be_visible()
    press("Escape")
    expect(alice.page.get_by_role("dialog", name="Members")).to_be_hidden()
    expect(focused).to_have_attribute("aria-label", "Members")
    press("Escape")
    expect(alice.entry("Open to all")).to_be_focused()
    assert backstage.contents(server, room)[-1] == "typed"


def tab_to(chat: ChatPage, is_wanted: Callable[[str], bool], key: str = "Tab") -> None:
    """Press Tab until the focus is there."""
    for _ in range(30):
        name = chat.page.evaluate(
            "document.activeElement.ariaLabel ?? document.activeElement.innerText"
        )
        if is_wanted(name):
            return
        chat.page.keyboard.press(key)
    raise AssertionError("the focus never comes there")
