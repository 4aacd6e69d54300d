"""The list of rooms: what it says of each, in which order, and how it changes before one's eyes."""

from datetime import datetime
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, expect

from tests.support.backstage import Backstage
from tests.support.browser import Complaints, Visit
from tests.support.chat_page import ChatPage
from tests.support.server import Server

SEOUL = "Asia/Seoul"


def names(chat: ChatPage) -> list[str]:
    return chat.rooms.locator(".room-entry__name").all_inner_texts()


def badge(chat: ChatPage, name: str, count: int) -> None:
    messages = "message" if count == 1 else "messages"
    expect(chat.entry(name)).to_contain_text(f"{count} unread {messages}")


def test_an_entry_says_what_was_said_last_when_and_how_much_is_unread(
    visit: Visit, server: Server, backstage: Backstage
) -> None:
    room = backstage.room(server, "Lunch")
    backstage.say(server, room, "bob", "Hungry?", "Noodles\n  at noon")
    at = datetime.fromisoformat(backstage.history(server, room)[-1]["sentAt"])
    alice = visit("alice", timezone_id=SEOUL)
    entry = alice.entry("Lunch")
    expect(entry).to_contain_text("Bob: Noodles at noon")
    local = at.astimezone(ZoneInfo(SEOUL))
    expect(entry.get_by_role("time")).to_have_text(f"{local:%-I:%M %p}")
    badge(alice, "Lunch", 2)
    assert alice.sockets == []


def test_a_room_without_messages_says_so(
    visit: Visit, server: Server, backstage: Backstage
) -> None:
    backstage.room(server, "Silence")
    alice = visit("alice")
    expect(alice.entry("Silence")).to_contain_text("No messages yet")
    expect(alice.entry("Silence")).not_to_contain_text("unread")


def test_the_latest_activity_stands_first(
    visit: Visit, server: Server, backstage: Backstage
) -> None:
    older, newer = backstage.room(server, "Older"), backstage.room(server, "Newer")
    backstage.say(server, newer, "bob", "one")
    backstage.say(server, older, "bob", "two")
    alice = visit("alice")
    expect(alice.rooms.locator(".room-entry__name").first).to_have_text("Older")
    assert names(alice)[:2] == ["Older", "Newer"]


def test_a_message_moves_its_room_to_the_top_and_raises_its_badge(
    visit: Visit, server: Server, backstage: Backstage
) -> None:
    """Live: nothing is loaded again, and the rooms are the elements that they were."""
    quiet, open_room = backstage.room(server, "Quiet"), backstage.room(server, "Open room")
    backstage.say(server, open_room, "bob", "first")
    alice = visit("alice", room=open_room)
    alice.until_live()
    expect(alice.rooms.locator(".room-entry__name").first).to_have_text("Open room")
    alice.entry("Quiet").evaluate("(entry) => { entry.seenBefore = true; }")
    requests: list[str] = []
    alice.page.on("request", lambda request: requests.append(request.url))
    for count, content in enumerate(("hello?", "anybody?"), 1):
        backstage.say(server, quiet, "bob", content)
        badge(alice, "Quiet", count)
        expect(alice.entry("Quiet")).to_contain_text(f"Bob: {content}")
        expect(alice.rooms.locator(".room-entry__name").first).to_have_text("Quiet")
    assert alice.entry("Quiet").evaluate("(entry) => entry.seenBefore")
    assert requests == []


def test_reading_a_room_clears_its_badge_on_all_screens(
    visit: Visit, server: Server, backstage: Backstage
) -> None:
    room = backstage.room(server, "Read me")
    backstage.say(server, room, "bob", "one", "two")
    desk, sofa = visit("alice"), visit("alice", room=backstage.room(server, "Elsewhere"))
    sofa.until_live()
    badge(sofa, "Read me", 2)
    desk.enter("Read me")
    expect(desk.row("two")).to_be_visible()
    for screen in (desk, sofa):
        expect(screen.entry("Read me")).not_to_contain_text("unread")


def test_a_new_room_opens_and_appears_at_those_invited(
    visit: Visit, server: Server, backstage: Backstage
) -> None:
    bob = visit("bob", room=backstage.room(server, "Bob's"))
    bob.until_live()
    alice = visit("alice")
    alice.button("New room").first.click()
    dialog = alice.page.get_by_role("dialog", name="New room")
    dialog.get_by_label("Name").fill("Weekend hike")
    dialog.get_by_role("button", name="Bob").click()
    expect(dialog.get_by_label("Invite")).to_have_value("bob")
    dialog.get_by_role("button", name="Create room").click()
    expect(dialog).to_be_hidden()
    expect(alice.heading("Weekend hike")).to_be_visible()
    expect(alice.entry("Weekend hike")).to_be_visible()
    expect(bob.entry("Weekend hike")).to_be_visible()
    alice.say("Who brings water?")
    badge(bob, "Weekend hike", 1)
    bob.enter("Weekend hike")
    expect(bob.row("Who brings water?")).to_be_visible()


def test_the_dialog_for_a_new_room_says_what_is_wrong_and_gives_the_focus_back(
    visit: Visit,
) -> None:
    alice = visit("alice")
    opener = alice.button("New room").first
    opener.click()
    dialog = alice.page.get_by_role("dialog", name="New room")
    dialog.get_by_role("button", name="Create room").click()
    expect(dialog.get_by_role("alert")).to_have_text("Please give the room a name.")
    dialog.get_by_label("Name").fill("Fine")
    dialog.get_by_label("Invite").fill("bob, käse")
    expect(dialog.get_by_role("alert")).to_have_text("“käse” cannot be a user ID.")
    alice.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()


def test_a_room_appears_when_one_is_invited_and_goes_when_one_is_removed(
    visit: Visit, server: Server, backstage: Backstage
) -> None:
    here = backstage.room(server, "Here", "alice", "carol")
    there = backstage.room(server, "There", "alice", "bob")
    carol = visit("carol", room=here)
    carol.until_live()
    backstage.invite(server, there, "carol")
    expect(carol.entry("There")).to_be_visible()
    backstage.remove(server, there, "carol")
    expect(carol.entry("There")).to_have_count(0)
    expect(carol.heading("Here")).to_be_visible()


def test_without_rooms_the_list_invites_to_create_one(
    visit: Visit, private_server: Server, complaints: Complaints
) -> None:
    complaints.expect(r"status of 404 .*/api/demo/users")
    chat = visit(None, private_server)
    chat.use_token(private_server.sign("newcomer"))
    pane = chat.page.get_by_role("navigation", name="Rooms")
    expect(pane.get_by_text("No rooms yet")).to_be_visible()
    pane.get_by_text("New room").click()
    expect(chat.page.get_by_role("dialog", name="New room")).to_be_visible()


def test_a_list_that_cannot_be_loaded_can_be_tried_again(
    visit: Visit, complaints: Complaints
) -> None:
    complaints.expect("status of 503")

    def broken(page: Page) -> None:
        page.route("**/api/chat/rooms?*", lambda route: route.fulfill(status=503))
        page.route("**/api/chat/rooms", lambda route: route.fulfill(status=503))

    alice = visit("alice", prepare=broken)
    alert = alice.page.get_by_role("alert")
    expect(alert).to_contain_text("Your rooms could not be loaded")
    alice.page.unroute_all()
    alert.get_by_role("button", name="Try again").click()
    expect(alice.entry("Project Team")).to_be_visible()


def test_many_rooms_can_be_searched(visit: Visit, server: Server, backstage: Backstage) -> None:
    for number in range(9):
        backstage.room(server, f"Club {number}", "carol", "bob")
    backstage.room(server, "등산 모임", "carol", "bob")
    carol = visit("carol")
    search = carol.page.get_by_role("searchbox", name="Search rooms")
    search.fill("등산")
    expect(carol.rooms).to_have_count(1)
    search.fill("CLUB 7")
    expect(carol.rooms).to_have_count(1)
    expect(carol.entry("Club 7")).to_be_visible()
    search.fill("nothing")
    expect(carol.page.get_by_text("No room is called “nothing”.")).to_be_visible()
