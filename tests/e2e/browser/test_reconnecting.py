"""The server dies and comes back in the middle of a chat: nothing is lost, nothing comes twice."""

import re
import time
from threading import Thread

import pytest
from playwright.sync_api import expect

from tests.support.backstage import Backstage
from tests.support.browser import SERVER_AWAY, Complaints, StartDemo, Visit
from tests.support.chat_page import ChatPage
from tests.support.server import Server

TALL = {"width": 1000, "height": 3000}
"""High enough that all rows of a test are in the document."""

_BANNER_TIMES = """
window.bannerAt = null;
new MutationObserver(() => {
  const text = document.querySelector('.banner [role=status]')?.textContent;
  if (text) window.bannerAt ??= Date.now();
}).observe(document, { childList: true, subtree: true, characterData: true });
"""


@pytest.fixture
def own_server(start_demo: StartDemo, complaints: Complaints) -> Server:
    """One that is killed."""
    complaints.expect(SERVER_AWAY)
    return start_demo()


def two_in_a_room(
    visit: Visit, server: Server, backstage: Backstage
) -> tuple[ChatPage, ChatPage, str]:
    """Return alice's page and bob's, both live in the room whose id it returns."""
    room = backstage.room(server, "Storm")
    alice = visit("alice", server, room=room, viewport=TALL)
    bob = visit("bob", server, room=room, viewport=TALL)
    alice.say("alice 0")
    bob.say("bob 0")
    for chat in (alice, bob):
        expect(chat.rows).to_have_count(2)
    alice.until_stored("alice 0")
    bob.until_stored("bob 0")
    return alice, bob, room


def is_back(chat: ChatPage) -> None:
    expect(chat.banner).to_be_empty(timeout=40_000)


def test_a_lost_connection_is_told_after_two_seconds_and_not_before(
    visit: Visit, own_server: Server
) -> None:
    alice = visit(
        "alice", own_server, room="1", prepare=lambda page: page.add_init_script(_BANNER_TIMES)
    )
    alice.until_live()
    killed = time.time() * 1000
    own_server.kill()
    expect(alice.banner).to_have_text(re.compile("Reconnecting|Connecting"))
    expect(alice.button("Try now")).to_be_visible()
    shown_after = alice.page.evaluate("bannerAt") - killed
    print(f"banner after {shown_after:.0f} ms")
    assert 1_900 < shown_after < 3_500
    own_server.restart()
    alice.button("Try now").click()
    is_back(alice)
    alice.until_live()
    assert len(alice.sockets) >= 2


def test_a_restart_needs_nobody_to_do_anything(
    visit: Visit, own_server: Server, backstage: Backstage
) -> None:
    """A deployment: the server says goodbye, and the page comes back by itself."""
    alice = visit("alice", own_server, room="1")
    alice.until_live()
    own_server.restart()
    backstage.say(own_server, "1", "bob", "after the restart")
    expect(alice.row("after the restart")).to_be_visible()
    alice.until_live()
    is_back(alice)


def test_nothing_is_lost_or_doubled_when_the_server_is_killed_while_both_write(
    visit: Visit, own_server: Server, backstage: Backstage
) -> None:
    """SIGKILL between the sends, twice; what was under way may or may not have been stored."""
    alice, bob, room = two_in_a_room(visit, own_server, backstage)
    number = 0
    for _ in range(2):
        killing = Thread(target=own_server.kill)
        for count in range(12):
            number += 1
            if count == 5:
                killing.start()
            alice.say(f"alice {number}")
            bob.say(f"bob {number}")
        killing.join()
        own_server.restart()
        for chat, name in ((alice, "alice"), (bob, "bob")):
            # As if the network were back: it comes at once then, and not in up to 8 s.
            chat.page.evaluate("dispatchEvent(new Event('online'))")
            chat.until_stored(f"{name} {number}")
    total = 2 * (number + 1)
    stored = backstage.contents(own_server, room)
    for name in ("alice", "bob"):
        mine = backstage.contents(own_server, room, name)
        assert mine == [f"{name} {n}" for n in range(number + 1)]
    for chat in (alice, bob):
        expect(chat.rows).to_have_count(total)
        expect(chat.page.get_by_title("Sending")).to_have_count(0)
        assert chat.texts.all_inner_texts() == stored
        is_back(chat)


def test_what_is_written_while_the_server_is_down_goes_out_once_and_in_order(
    visit: Visit, own_server: Server, backstage: Backstage
) -> None:
    """By itself: nobody presses anything. And what others wrote meanwhile stands before it."""
    alice, bob, room = two_in_a_room(visit, own_server, backstage)
    bob.button("Close room").click()
    own_server.kill()
    written = [f"down {number}" for number in range(5)]
    alice.say(*written)
    for content in written:
        expect(alice.row(content).get_by_title("Sending")).to_be_visible()
    expect(alice.banner).not_to_be_empty()
    own_server.restart()
    for content in written:
        alice.until_stored(content, seconds=40)
    is_back(alice)
    expected = ["alice 0", "bob 0", *written]
    assert sorted(backstage.contents(own_server, room)[:2]) == expected[:2]
    assert backstage.contents(own_server, room)[2:] == written
    assert alice.texts.all_inner_texts()[2:] == written
    bob.enter("Storm")
    expect(bob.rows).to_have_count(len(expected))


def test_what_was_written_while_the_server_was_down_survives_that_the_page_is_closed(
    visit: Visit, own_server: Server, backstage: Backstage
) -> None:
    alice, _, room = two_in_a_room(visit, own_server, backstage)
    own_server.kill()
    alice.say("first", "second")
    expect(alice.row("second").get_by_title("Sending")).to_be_visible()
    alice.page.goto("about:blank")
    own_server.restart()
    alice.go(None, room)
    alice.until_stored("second")
    assert backstage.contents(own_server, room, "alice") == ["alice 0", "first", "second"]
    assert alice.texts.all_inner_texts()[-2:] == ["first", "second"]
    alice.page.reload()
    alice.until_live()
    assert backstage.contents(own_server, room, "alice")[:3] == ["alice 0", "first", "second"]
    expect(alice.row("second")).to_have_count(1)


def test_what_waits_goes_out_without_its_room_being_open(
    visit: Visit, own_server: Server, backstage: Backstage
) -> None:
    """Whoever wrote on the train does not have to look for the room again."""
    alice, bob, room = two_in_a_room(visit, own_server, backstage)
    own_server.kill()
    alice.say("from the train")
    expect(alice.row("from the train").get_by_title("Sending")).to_be_visible()
    alice.button("Close room").click()
    own_server.restart()
    expect(bob.row("from the train")).to_be_visible(timeout=40_000)
    assert backstage.contents(own_server, room, "alice") == ["alice 0", "from the train"]


def test_two_tabs_of_one_user_do_not_send_a_waiting_message_twice(
    visit: Visit, own_server: Server, backstage: Backstage
) -> None:
    """They share the storage that it waits in."""
    alice, bob, room = two_in_a_room(visit, own_server, backstage)
    second = alice.another_tab("alice", room)
    second.until_live()
    own_server.kill()
    alice.say("once")
    expect(alice.row("once").get_by_title("Sending")).to_be_visible()
    own_server.restart()
    third = alice.another_tab("alice", room)
    for tab in (alice, second, third):
        tab.until_stored("once", seconds=40)
    expect(bob.row("once")).to_be_visible()
    for tab in (alice, second, third, bob):
        expect(tab.row("once")).to_have_count(1)
    assert backstage.contents(own_server, room, "alice").count("once") == 1
