"""Who one is: the demo's users, tokens from elsewhere, and sessions that end."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.backstage import Backstage
from tests.support.browser import Complaints, Visit
from tests.support.chat_page import ChatPage
from tests.support.server import Server

NO_DEMO = r"status of 404 .*/api/demo/users"
"""What the browser says where the page finds out that the server is no demo."""

REFUSED = r"status of 401"
"""What it says of an answer to a token that is refused."""


@pytest.fixture
def elsewhere(private_server: Server, complaints: Complaints) -> Server:
    """A server whose tokens come from elsewhere."""
    complaints.expect(NO_DEMO)
    return private_server


def signed_in_as(chat: ChatPage, name: str) -> None:
    expect(chat.button(f"Account and settings ({name})")).to_be_visible()


def sign_out(chat: ChatPage, name: str) -> None:
    chat.button(f"Account and settings ({name})").click()
    chat.button("Sign out").click()


def asks_who_one_is(chat: ChatPage) -> None:
    expect(chat.page.get_by_role("heading", name="Who are you today?")).to_be_visible()


def test_one_picks_a_user_of_the_demo_and_sees_the_rooms(visit: Visit) -> None:
    alice = visit(None)
    asks_who_one_is(alice)
    cards = alice.page.get_by_role("main").get_by_role("button")
    expect(cards).to_have_text(["AAlice@alice", "BBob@bob", "CCarol@carol"])
    cards.filter(has_text="Alice").click()
    signed_in_as(alice, "Alice")
    expect(alice.entry("Project Team")).to_be_visible()
    expect(alice.entry("Friend Chat")).to_be_visible()


def test_the_address_may_name_the_user_and_forgets_it(visit: Visit, server: Server) -> None:
    """Else a reload after signing out would sign in again."""
    bob = visit("bob", room="1")
    signed_in_as(bob, "Bob")
    expect(bob.heading("Project Team")).to_be_visible()
    assert bob.page.url == f"{server.url}/#/rooms/1"
    sign_out(bob, "Bob")
    asks_who_one_is(bob)
    bob.page.reload()
    asks_who_one_is(bob)


def test_an_unknown_user_in_the_address_is_asked_who_they_are(visit: Visit) -> None:
    mallory = visit("mallory")
    asks_who_one_is(mallory)
    assert "mallory" not in mallory.page.url


def test_a_reload_keeps_the_session(visit: Visit) -> None:
    alice = visit("alice")
    signed_in_as(alice, "Alice")
    alice.page.reload()
    signed_in_as(alice, "Alice")


def test_two_tabs_are_two_users(visit: Visit) -> None:
    """As the sign-in screen tells them to try."""
    alice = visit("alice")
    bob = alice.another_tab("bob")
    signed_in_as(bob, "Bob")
    alice.page.reload()
    signed_in_as(alice, "Alice")
    signed_in_as(bob, "Bob")


def test_signing_out_closes_the_connection_and_leaves_nothing_on_screen(visit: Visit) -> None:
    alice = visit("alice", room="1")
    said = alice.until_live()
    (socket,) = alice.sockets
    with socket.expect_event("close"):
        sign_out(alice, "Alice")
    asks_who_one_is(alice)
    expect(alice.page.get_by_text(said)).to_have_count(0)
    assert "#" not in alice.page.url


def test_a_server_that_does_not_answer_is_asked_again(visit: Visit, complaints: Complaints) -> None:
    complaints.expect("ERR_FAILED")

    def no_answer(page: Page) -> None:
        page.route("**/api/demo/users", lambda route: route.abort())

    alice = visit(None, prepare=no_answer)
    expect(alice.page.get_by_role("alert")).to_contain_text("The server does not answer.")
    alice.page.unroute("**/api/demo/users")
    alice.button("Try again").click()
    asks_who_one_is(alice)


@pytest.mark.parametrize(
    ("token", "says"),
    [
        ("hello", "That does not look like an access token"),
        ("a.b.c", "That does not look like an access token"),
        (None, "This access token has expired"),
    ],
)
def test_a_token_that_cannot_be_good_is_not_tried(
    visit: Visit, elsewhere: Server, token: str | None, says: str
) -> None:
    chat = visit(None, elsewhere)
    chat.use_token(token or elsewhere.sign("alice", ttl=-60))
    expect(chat.page.get_by_role("alert")).to_contain_text(says)
    expect(chat.page.get_by_label("Access token")).to_have_attribute("aria-invalid", "true")


def test_a_good_token_signs_in_and_is_kept_for_the_tab(visit: Visit, elsewhere: Server) -> None:
    chat = visit(None, elsewhere)
    chat.use_token("Bearer " + elsewhere.sign("dana", name="Dana"))
    signed_in_as(chat, "Dana")
    expect(chat.page.get_by_text("No rooms yet")).to_be_visible()
    chat.page.reload()
    signed_in_as(chat, "Dana")
    assert chat.page.context.storage_state()["origins"] == []


def test_a_token_that_the_server_refuses_leads_back_to_the_sign_in(
    visit: Visit, elsewhere: Server, complaints: Complaints
) -> None:
    complaints.expect(REFUSED)
    chat = visit(None, elsewhere)
    chat.use_token(elsewhere.sign("alice", key="another server's key, " * 4))
    expect(chat.page.get_by_role("alert")).to_contain_text("Your rooms could not be loaded")
    chat.button("Sign in again").click()
    expect(chat.page.get_by_label("Access token")).to_be_visible()


def test_a_session_that_ends_in_a_room_leads_back_to_the_sign_in(
    visit: Visit, elsewhere: Server, backstage: Backstage, complaints: Complaints
) -> None:
    """The token ends, and there is no other one to be had."""
    complaints.expect(REFUSED)
    backstage.room(elsewhere, "Short visit", "alice", "bob")
    chat = visit(None, elsewhere)
    chat.use_token(elsewhere.sign("alice", ttl=8))
    chat.enter("Short visit")
    said = chat.until_live()
    (socket,) = chat.sockets
    expect(chat.banner).to_have_text("Your session has ended.")
    assert socket.is_closed()
    expect(chat.row(said)).to_be_visible()
    chat.button("Sign in again").click()
    expect(chat.page.get_by_label("Access token")).to_be_visible()
    assert len(chat.sockets) == 1


def test_the_token_of_a_living_connection_is_renewed_before_it_ends(visit: Visit) -> None:
    """Nothing is to be seen of it: no new connection, no banner."""

    def short(route: Route) -> None:
        route.continue_(url=f"{route.request.url}&ttl=6")

    def first_is_short(page: Page) -> None:
        page.route("**/api/demo/token?*", short, times=1)

    alice = visit("alice", room="1", prepare=first_is_short)
    alice.until_live()
    (socket,) = alice.sockets
    with socket.expect_event("framesent", lambda frame: "destination:/app/auth" in frame):
        pass
    alice.until_live()
    assert alice.sockets == [socket]
    assert not socket.is_closed()
