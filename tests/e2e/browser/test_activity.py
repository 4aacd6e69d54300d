"""Two people in a room: who is here, who types, who has read."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.support.backstage import Backstage
from tests.support.browser import Visit
from tests.support.chat_page import ChatPage
from tests.support.server import Server


@pytest.fixture
def room(server: Server, backstage: Backstage) -> str:
    return backstage.room(server, "Kitchen")


def test_two_users_see_each_other_here_typing_and_reading(
    visit: Visit, server: Server, backstage: Backstage, room: str
) -> None:
    alice = visit("alice", room=room)
    alice.say("Anybody hungry?")
    expect(alice.row("Anybody hungry?").get_by_title("Sent", exact=True)).to_be_visible()
    expect(here(alice)).to_have_count(0)

    bob = visit("bob", room=room)
    expect(here(alice)).to_have_text("Bob is here")
    expect(here(bob)).to_have_text("Alice is here")
    expect(read(alice, "Anybody hungry?")).to_be_visible()

    bob.composer.press_sequentially("Alw", delay=20)
    expect(typing(alice)).to_have_text("Bob is typing…")
    expect(typing(bob)).to_have_text("")
    bob.say("Always")
    expect(alice.row("Always")).to_be_visible()
    expect(typing(alice)).to_have_text("")
    expect(read(bob, "Always")).to_be_visible()

    bob.button("Close room").click()
    expect(here(alice)).to_have_count(0)
    alice.say("Then I eat alone")
    expect(alice.row("Then I eat alone").get_by_title("Sent", exact=True)).to_be_visible()


def test_a_new_member_is_counted_at_once(
    visit: Visit, server: Server, backstage: Backstage, room: str
) -> None:
    alice = visit("alice", room=room)
    alice.until_live()
    members = alice.page.locator(".room-header__members")
    before = int(re.sub(r"\D", "", members.inner_text()))
    backstage.invite(server, room, "dave")
    expect(members).to_have_text(f"{before + 1} members")


def here(chat: ChatPage) -> Locator:
    """What the page says of who is here besides."""
    return chat.page.locator(".here")


def typing(chat: ChatPage) -> Locator:
    """The line that says who types."""
    return chat.page.locator(".typing")


def read(chat: ChatPage, text: str) -> Locator:
    """The mark of an own message that somebody has read."""
    return chat.row(text).get_by_title(re.compile("^Read by "))
