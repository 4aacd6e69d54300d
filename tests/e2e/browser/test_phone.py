"""Small windows: one pane at a time, nothing beside the edge. And large ones: both."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.support.backstage import Backstage
from tests.support.browser import PHONE, Visit
from tests.support.chat_page import STILL, ChatPage
from tests.support.server import Server

NARROW = {"width": 320, "height": 568}
LONG = "https://example.org/" + "a" * 200 + " " + "ㅋ" * 150


@pytest.fixture
def room(server: Server, backstage: Backstage) -> str:
    room = backstage.room(server, "A room whose name is longer than a small phone is wide")
    backstage.say(server, room, "bob", "Hi", LONG)
    return room


def list_of(chat: ChatPage) -> Locator:
    return chat.page.get_by_role("navigation", name="Rooms")


def fits(chat: ChatPage) -> None:
    """Nothing can be scrolled sideways, and no control is beside the edge."""
    chat.page.evaluate(STILL)
    wider = chat.page.evaluate(
        """() => [...document.querySelectorAll('*')]
          .filter((one) => one.scrollWidth > one.clientWidth
            && /auto|scroll/.test(getComputedStyle(one).overflowX))
          .map((one) => one.className)"""
    )
    assert wider == []
    assert chat.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    outside = chat.page.evaluate(
        """() => [...document.querySelectorAll('button, a, textarea, input, select')]
          .filter((one) => one.checkVisibility())
          .map((one) => [one.getBoundingClientRect(), one.ariaLabel ?? one.textContent])
          .filter(([{ left, right, width }]) => width > 1 && (left < 0 || right > innerWidth))
          .map(([, name]) => name)"""
    )
    assert outside == []


def test_a_phone_shows_the_list_or_the_room(visit: Visit, room: str) -> None:
    bob = visit("bob", viewport=PHONE, has_touch=True, is_mobile=True)
    expect(list_of(bob)).to_be_visible()
    bob.rooms.first.get_by_role("link").tap()
    expect(bob.row("Hi")).to_be_visible()
    expect(list_of(bob)).to_be_hidden()
    expect(bob.composer).to_be_visible()
    expect(bob.composer).not_to_be_focused()
    bob.until_live()
    (socket,) = bob.sockets
    with socket.expect_event("close"):
        bob.button("Back to the rooms").tap()
    expect(list_of(bob)).to_be_visible()
    expect(bob.log).to_have_count(0)


def test_the_phones_own_back_leads_to_the_list(visit: Visit, room: str) -> None:
    bob = visit("bob", viewport=PHONE, has_touch=True, is_mobile=True)
    bob.rooms.first.get_by_role("link").tap()
    expect(bob.row("Hi")).to_be_visible()
    bob.page.go_back()
    expect(list_of(bob)).to_be_visible()
    expect(bob.log).to_have_count(0)


def test_a_desktop_shows_both_and_needs_no_way_back(visit: Visit, room: str) -> None:
    bob = visit("bob", room=room)
    expect(bob.row("Hi")).to_be_visible()
    expect(list_of(bob)).to_be_visible()
    expect(bob.button("Back to the rooms")).to_be_hidden()
    expect(bob.button("Close room")).to_be_visible()


def test_320_pixels_are_enough(visit: Visit, room: str) -> None:
    """WCAG 1.4.10: also what a desktop shows at 400 %."""
    bob = visit(None, viewport=NARROW)
    expect(bob.page.get_by_role("heading", name="Who are you today?")).to_be_visible()
    fits(bob)
    bob.go("bob")
    expect(bob.rooms.first).to_be_visible()
    fits(bob)
    bob.button("New room").first.click()
    expect(bob.page.get_by_role("dialog")).to_be_visible()
    fits(bob)
    bob.page.keyboard.press("Escape")
    bob.button("Account and settings (Bob)").click()
    expect(bob.page.get_by_role("dialog")).to_be_visible()
    fits(bob)
    bob.page.keyboard.press("Escape")
    bob.go(None, room)
    expect(bob.row(LONG)).to_be_visible()
    bob.say(LONG)
    fits(bob)
    bob.page.get_by_role("button", name="2 members").click()
    expect(bob.page.get_by_role("dialog", name="Members")).to_contain_text("@alice")
    fits(bob)


def test_dark_mode_follows_the_system_or_what_was_chosen(visit: Visit) -> None:
    def background(chat: ChatPage) -> int:
        """Return how bright it is, 0 to 255."""
        colour = chat.page.evaluate("getComputedStyle(document.body).backgroundColor")
        found = re.findall(r"\d+", colour)
        return sum(map(int, found[:3])) // 3

    light, dark = visit("alice"), visit("alice", color_scheme="dark")
    expect(light.rooms.first).to_be_visible()
    expect(dark.rooms.first).to_be_visible()
    assert background(light) > 200
    assert background(dark) < 60
    light.button("Account and settings (Alice)").click()
    light.page.get_by_text("Dark", exact=True).click()
    assert background(light) < 60
    light.page.reload()
    expect(light.rooms.first).to_be_visible()
    assert background(light) < 60
    light.page.emulate_media(color_scheme="light")
    assert background(light) < 60


def test_the_composer_grows_with_the_text_up_to_a_part_of_the_window(
    visit: Visit, room: str
) -> None:
    bob = visit("bob", room=room, viewport=PHONE)
    one_line = bob.composer.bounding_box()
    bob.composer.fill("\n".join("four"))
    four_lines = bob.composer.bounding_box()
    bob.composer.fill("\n".join("x" * 100))
    many_lines = bob.composer.bounding_box()
    assert one_line
    assert four_lines
    assert many_lines
    assert one_line["height"] * 2 < four_lines["height"] < many_lines["height"]
    assert many_lines["height"] < PHONE["height"] / 2
    expect(bob.rows.last).to_be_in_viewport()


def test_who_is_at_the_end_stays_there_whatever_the_windows_height(
    visit: Visit, server: Server, backstage: Backstage
) -> None:
    """Also when the browser itself scrolls, as it does where the window gets higher."""
    room = backstage.room(server, "Tall")
    backstage.say(server, room, "bob", *(f"Line {number}" for number in range(1, 41)))
    backstage.read(server, room, "alice", 40)
    alice = visit("alice", room=room, viewport={"width": 1200, "height": 800})
    last = alice.row("Line 40").locator(".bubble")
    for height in (850, 500, 800, 500, 850):
        expect(last).to_be_in_viewport(ratio=1)
        alice.until_at_rest()
        alice.page.set_viewport_size({"width": 1200, "height": height})
    expect(last).to_be_in_viewport(ratio=1)
    alice.until_at_rest()
    backstage.say(server, room, "bob", "Follow me")
    expect(alice.row("Follow me").locator(".bubble")).to_be_in_viewport(ratio=1)
    expect(alice.entry("Tall")).not_to_contain_text("unread")
    jump = alice.page.get_by_role("button", name="Jump to the latest message")
    expect(jump).to_have_count(0)
    alice.until_at_rest()
    alice.log.hover()
    alice.page.mouse.wheel(0, -137)
    expect(jump).to_be_visible()
    alice.page.set_viewport_size({"width": 1200, "height": 500})
    alice.until_at_rest()
    expect(jump).to_be_visible()
    alice.page.set_viewport_size({"width": 1200, "height": 950})  # 37 px hidden: no scrolling
    expect(jump).to_have_count(0)
