"""Entering a room opens the connection, leaving closes it and clears the screen.

The requirements' own words; moving between rooms is neither, and keeps it.
"""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocket, expect

from tests.support.backstage import Backstage
from tests.support.browser import Complaints, Visit
from tests.support.chat_page import ChatPage
from tests.support.server import Server


def back(chat: ChatPage) -> None:
    chat.page.go_back()


def close_button(chat: ChatPage) -> None:
    chat.button("Close room").click()


def escape(chat: ChatPage) -> None:
    chat.composer.press("Escape")


WAYS_OUT = [close_button, back, escape]


def nothing_of_a_room(chat: ChatPage) -> None:
    expect(chat.log).to_have_count(0)
    expect(chat.composer).to_have_count(0)
    expect(chat.heading("Study group")).to_have_count(0)
    assert "/rooms/" not in chat.page.url


@pytest.fixture
def room(server: Server, backstage: Backstage) -> str:
    room = backstage.room(server, "Study group")
    backstage.say(server, room, "bob", "Chapter three today")
    return room


def test_entering_opens_one_web_socket_and_no_address_holds_the_token(
    visit: Visit, server: Server, room: str
) -> None:
    """Addresses end up in logs and histories."""
    handshakes: list[dict[str, Any]] = []
    addresses: list[str] = []

    def shaken(event: dict[str, Any]) -> None:
        handshakes.append(event)

    def listen(page: Page) -> None:
        protocol = page.context.new_cdp_session(page)
        protocol.on("Network.webSocketHandshakeResponseReceived", shaken)
        protocol.send("Network.enable")
        page.on("request", lambda request: addresses.append(request.url))

    alice = visit("alice", prepare=listen)
    expect(alice.entry("Study group")).to_be_visible()
    assert alice.sockets == []
    with alice.page.expect_response("**/api/demo/token?*") as answered:
        alice.page.reload()
    token = answered.value.json()["token"]
    alice.enter("Study group")
    expect(alice.row("Chapter three today")).to_be_visible()
    alice.until_live()
    (socket,) = alice.sockets
    assert socket.url == f"{server.url}/allibe-ws".replace("http", "ws")
    (handshake,) = handshakes
    headers = {name.lower(): value for name, value in handshake["response"]["headers"].items()}
    assert headers["sec-websocket-protocol"] == "v12.stomp"
    addresses += [socket.url, alice.page.url]
    assert not [address for address in addresses if token in address or "eyJ" in address]


@pytest.mark.parametrize("leave", WAYS_OUT)
def test_leaving_closes_the_connection_and_clears_the_screen(
    visit: Visit, room: str, leave: Callable[[ChatPage], None]
) -> None:
    """And the focus is on the room's entry, as if one had never gone."""
    alice = visit("alice")
    alice.enter("Study group")
    alice.until_live()
    (socket,) = alice.sockets
    with socket.expect_event("close"):
        leave(alice)
    nothing_of_a_room(alice)
    expect(alice.entry("Study group")).to_be_focused()
    expect(alice.banner).to_be_empty()
    assert alice.sockets == [socket]


@pytest.mark.parametrize("leave", [close_button, escape])
def test_a_room_that_the_address_opened_is_left_for_the_list(
    visit: Visit, server: Server, room: str, leave: Callable[[ChatPage], None]
) -> None:
    """There is nothing to go back to: the page before would be another site."""
    alice = visit("alice", room=room)
    expect(alice.row("Chapter three today")).to_be_visible()
    expect(alice.entry("Study group")).to_be_visible()
    leave(alice)
    nothing_of_a_room(alice)
    expect(alice.entry("Study group")).to_be_focused()
    assert alice.page.url.startswith(server.url)


def test_the_server_sees_a_clean_goodbye(visit: Visit, server: Server, room: str) -> None:
    """DISCONNECT, its RECEIPT, close code 1000: not a socket that broke."""
    alice = visit("alice", room=room)
    alice.until_live()
    (socket,) = alice.sockets
    frames: list[str] = []
    socket.on("framesent", lambda frame: frames.append(str(frame)))
    before = server.metric("allibe_gateway_disconnects_total", code="1000")
    with socket.expect_event("close"):
        alice.button("Close room").click()
    assert frames[-1].startswith("DISCONNECT\n")
    server.until_counted("allibe_gateway_disconnects_total", before + 1, code="1000")


def test_moving_between_rooms_keeps_the_one_connection(
    visit: Visit, server: Server, backstage: Backstage, room: str
) -> None:
    other = backstage.room(server, "Choir")
    alice = visit("alice", room=room)
    alice.until_live()
    (socket,) = alice.sockets
    alice.enter("Choir")
    alice.until_live()
    alice.page.go_back()
    expect(alice.heading("Study group")).to_be_visible()
    alice.until_live()
    alice.page.go_forward()
    expect(alice.heading("Choir")).to_be_visible()
    backstage.say(server, room, "bob", "only for the study group")
    backstage.say(server, other, "bob", "only for the choir")
    expect(alice.row("only for the choir")).to_be_visible()
    expect(alice.row("only for the study group")).to_have_count(0)
    assert alice.sockets == [socket]
    assert not socket.is_closed()


def test_on_entering_the_focus_is_where_one_writes(visit: Visit, room: str) -> None:
    alice = visit("alice")
    alice.enter("Study group")
    expect(alice.composer).to_be_focused()
    expect(alice.entry("Study group")).to_have_attribute("aria-current", "page")


@pytest.mark.parametrize("room_id", ["nowhere", "secret"])
def test_a_room_that_one_may_not_see_says_so_and_leads_back(
    visit: Visit, server: Server, backstage: Backstage, complaints: Complaints, room_id: str
) -> None:
    """Whether it exists or not: that is nobody's business."""
    complaints.expect("status of 40[34]")
    if room_id == "secret":
        room_id = backstage.room(server, "Secret", "alice", "bob")
    carol = visit("carol", room=room_id)
    expect(carol.page.get_by_role("alert")).to_contain_text("This room is not open to you")
    expect(carol.composer).to_have_count(0)
    carol.button("Back to the rooms").last.click()
    nothing_of_a_room(carol)
    _all_closed(carol.sockets)


def test_leaving_for_good_asks_first_and_takes_the_room_off_the_list(
    visit: Visit, room: str
) -> None:
    bob = visit("bob")
    bob.enter("Study group")
    bob.until_live()
    bob.button("Members").first.click()
    panel = bob.page.get_by_role("dialog", name="Members")
    panel.get_by_role("button", name="Leave room").click()
    expect(panel.get_by_text("Leave this room for good?")).to_be_visible()
    panel.get_by_role("button", name="Leave room").click()
    nothing_of_a_room(bob)
    expect(bob.entry("Study group")).to_have_count(0)
    _all_closed(bob.sockets)


def test_who_is_removed_sees_what_was_said_but_can_write_no_more(
    visit: Visit, server: Server, backstage: Backstage, room: str
) -> None:
    bob = visit("bob", room=room)
    said = bob.until_live()
    backstage.remove(server, room, "bob")
    backstage.say(server, room, "alice", "Bob must not read this")
    expect(bob.page.get_by_text("You cannot write here any more")).to_be_visible()
    expect(bob.composer).to_have_count(0)
    expect(bob.row(said)).to_be_visible()
    expect(bob.entry("Study group")).to_have_count(0)
    expect(bob.row("Bob must not read this")).to_have_count(0)


def _all_closed(sockets: list[WebSocket]) -> None:
    for socket in sockets:
        if not socket.is_closed():
            socket.wait_for_event("close")
