"""What was said before: over a reload, by days and senders, read and unread, what one had begun."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.support.backstage import Backstage
from tests.support.browser import StartDemo, Visit
from tests.support.chat_page import ChatPage
from tests.support.server import Server
from tests.support.stock import PastRoom, Said

SEOUL = "Asia/Seoul"


@pytest.fixture
def room(server: Server, backstage: Backstage) -> str:
    return backstage.room(server, "Book club")


def unread_line(chat: ChatPage) -> Locator:
    return chat.log.get_by_text("New messages", exact=True)


def stands_above(line: Locator, row: Locator) -> None:
    """The line is part of the row that it stands above."""
    expect(row.filter(has=line.page.get_by_text("New messages", exact=True))).to_have_count(1)
    expect(line).to_have_count(1)


def test_a_reload_keeps_the_room_and_its_history(
    visit: Visit, server: Server, backstage: Backstage, room: str
) -> None:
    backstage.say(server, room, "bob", "one", "two")
    alice = visit("alice")
    alice.enter("Book club")
    alice.say("three")
    alice.until_stored("three")
    alice.page.reload()
    expect(alice.heading("Book club")).to_be_visible()
    expect(alice.texts).to_have_text(["one", "two", "three"])
    alice.until_stored("three")
    alice.until_live()


def test_what_one_began_to_write_is_kept_per_room(
    visit: Visit, server: Server, backstage: Backstage, room: str
) -> None:
    backstage.room(server, "Garden")
    alice = visit("alice", room=room)
    alice.composer.fill("I liked the")
    alice.enter("Garden")
    expect(alice.composer).to_have_value("")
    alice.composer.fill("The tomatoes")
    expect(alice.entry("Book club")).to_contain_text("Draft: I liked the")
    alice.page.reload()
    expect(alice.composer).to_have_value("The tomatoes")
    alice.enter("Book club")
    expect(alice.composer).to_have_value("I liked the")
    alice.composer.press("End")
    alice.composer.press_sequentially(" ending")
    alice.composer.press("Enter")
    alice.until_stored("I liked the ending")
    alice.enter("Garden")
    expect(alice.entry("Book club")).to_contain_text("You: I liked the ending")


def test_the_line_for_unread_messages_stays_where_it_was_on_entering(
    visit: Visit, server: Server, backstage: Backstage, room: str
) -> None:
    backstage.say(server, room, "bob", "old", "new", "newer")
    backstage.read(server, room, "alice", 1)
    alice = visit("alice", room=room)
    stands_above(unread_line(alice), alice.row("new"))
    expect(alice.entry("Book club")).not_to_contain_text("unread")
    backstage.say(server, room, "bob", "newest")
    expect(alice.row("newest")).to_be_visible()
    alice.until_live()
    stands_above(unread_line(alice), alice.row("new"))
    alice.button("Close room").click()
    alice.enter("Book club")
    expect(alice.row("newest")).to_be_visible()
    expect(unread_line(alice)).to_have_count(0)


@pytest.mark.parametrize("late", ["neither", "the room", "its messages"])
def test_a_room_opens_at_its_first_unread_message(
    visit: Visit, server: Server, backstage: Backstage, room: str, late: str
) -> None:
    """Even when it is pages up, and whichever answer comes first.

    What is below has not been read by being there.
    """
    backstage.say(server, room, "bob", *(f"Page {number}" for number in range(1, 131)))
    backstage.read(server, room, "alice", 40)
    answers = {"the room": f"**/rooms/{room}", "its messages": "**/messages?limit=*"}
    held: list[Route] = []
    came: list[str] = []

    def hold(page: Page) -> None:
        def keep(route: Route) -> None:
            held.append(route)

        if late in answers:
            page.route(answers[late], keep, times=1)
        page.on("requestfinished", lambda request: came.append(request.url))

    alice = visit("alice", room=room, prepare=hold)
    if late in answers:
        first = f"/rooms/{room}" if late == "its messages" else "/messages?limit=50"
        while not held or not any(url.endswith(first) for url in came):
            alice.page.wait_for_timeout(10)
        alice.page.wait_for_timeout(200)  # for what would be wrong
        held[0].continue_()
    stands_above(unread_line(alice), alice.row("Page 41"))
    expect(alice.row("Page 41").locator(".bubble")).to_be_in_viewport(ratio=1)
    expect(alice.row("Page 130")).not_to_be_in_viewport()
    expect(alice.entry("Book club")).to_contain_text("90 unread messages")
    alice.page.get_by_role("button", name="Jump to the latest message").click()
    expect(alice.row("Page 130")).to_be_in_viewport()
    expect(alice.entry("Book club")).not_to_contain_text("unread")


def test_a_message_that_is_stored_while_the_first_page_is_read_is_not_lost(
    visit: Visit, server: Server, backstage: Backstage, room: str
) -> None:
    """The answer has no messages then, but says that there are some: `nextAfter`, `lastOffset`."""
    backstage.say(server, room, "bob", "just in time")

    def read_before_it_was_stored(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"messages": [], "nextAfter": 0})

    def hold(page: Page) -> None:
        page.route("**/messages?limit=*", read_before_it_was_stored, times=1)

    alice = visit("alice", room=room, prepare=hold)
    expect(alice.row("just in time")).to_be_visible()


def test_who_reads_further_up_is_told_how_many_messages_came(
    visit: Visit, server: Server, backstage: Backstage, room: str
) -> None:
    """And stays where one is, until one asks for the way back."""
    backstage.say(server, room, "bob", *(f"Page {number}" for number in range(1, 41)))
    backstage.read(server, room, "alice", 40)
    alice = visit("alice", room=room)
    alice.until_live()
    jump = alice.page.get_by_role("button", name="Jump to the latest message")
    expect(jump).to_have_count(0)
    alice.scroll_up_to(alice.row("Page 1"))
    expect(alice.row("Page 1")).to_be_in_viewport()
    expect(jump).to_have_accessible_name("Jump to the latest message")
    backstage.say(server, room, "bob", "a")
    expect(jump).to_have_accessible_name("Jump to the latest message, 1 new message")
    backstage.say(server, room, "bob", "b", "c")
    expect(jump).to_have_accessible_name("Jump to the latest message, 3 new messages")
    expect(alice.row("Page 1")).to_be_in_viewport()
    expect(alice.entry("Book club")).to_contain_text("3 unread messages")
    jump.click()
    expect(alice.row("c")).to_be_in_viewport()
    expect(jump).to_have_count(0)
    expect(alice.entry("Book club")).not_to_contain_text("unread")


def test_who_is_at_the_end_stays_at_the_end(
    visit: Visit, server: Server, backstage: Backstage, room: str
) -> None:
    alice = visit("alice", room=room)
    alice.until_live()
    for number in range(30):
        backstage.say(server, room, "bob", f"line {number}\nand more of it")
    expect(alice.texts.last).to_have_text("line 29 and more of it")
    expect(alice.rows.last).to_be_in_viewport(ratio=1)


_MIDNIGHT = datetime.now(ZoneInfo(SEOUL)).replace(hour=0, minute=0, second=0, microsecond=0)
_EVENING = _MIDNIGHT - timedelta(hours=2)
PAST = (
    Said("bob", "Good evening", _EVENING),
    Said("bob", "Anybody there?", _EVENING + timedelta(minutes=4)),
    Said("bob", "I waited", _EVENING + timedelta(minutes=20)),
    Said("alice", "Now I am", _EVENING + timedelta(minutes=21)),
    Said("bob", "Too late", _MIDNIGHT - timedelta(minutes=1)),
    Said("bob", "Good night", _MIDNIGHT + timedelta(minutes=1)),
)


def test_days_are_separated_and_what_one_says_in_a_row_stands_together(
    visit: Visit, start_demo: StartDemo
) -> None:
    """In the reader's own time zone. Five minutes of silence begin a new group."""
    server = start_demo(PastRoom("old", "Long ago", ("alice", "bob"), PAST))
    alice = visit("alice", server, room="old", timezone_id=SEOUL)
    expect(alice.texts).to_have_text([said.content for said in PAST])
    days = alice.log.locator(".day")
    expect(days).to_have_text(["Yesterday", "Today"])
    expect(alice.row("Good evening").locator(".day")).to_have_count(1)
    expect(alice.row("Good night").locator(".day")).to_have_count(1)
    named = [
        said.content for said in PAST if alice.row(said.content).locator(".message__sender").count()
    ]
    assert named == ["Good evening", "I waited", "Too late", "Good night"]
    expect(alice.row("Anybody there?").get_by_role("time")).to_have_text("10:04 PM")
