"""Two people in a room: what one writes, the other reads."""

from statistics import median

import pytest
from playwright.sync_api import expect

from tests.support.backstage import Backstage
from tests.support.browser import Visit
from tests.support.chat_page import said_by_two
from tests.support.server import Server
from tests.support.socket_gate import SocketGate

REJECTED = {"code": "rejected", "message": "Not this one.", "retryable": False}


@pytest.fixture
def room(server: Server, backstage: Backstage) -> str:
    return backstage.room(server, "Kitchen")


def test_two_users_see_each_others_messages_in_one_order(
    visit: Visit, server: Server, backstage: Backstage, room: str
) -> None:
    alice, bob = visit("alice", room=room), visit("bob", room=room)
    expect(alice.page.get_by_text("No messages yet").last).to_be_visible()
    said = said_by_two(alice, bob)
    assert backstage.contents(server, room) == said
    expect(alice.row("She fed herself.")).to_contain_text("Bob")
    expect(alice.row("She fed herself.").get_by_title("Sent")).to_have_count(0)


def test_an_own_message_shows_at_once_and_is_settled_when_the_server_has_it(
    visit: Visit, room: str
) -> None:
    gate = SocketGate()
    alice = visit("alice", room=room, prepare=gate.attach)
    alice.until_live()
    gate.holding = True
    alice.say("On its way")
    expect(alice.composer).to_have_value("")
    expect(alice.row("On its way").get_by_title("Sending")).to_be_visible()
    row = alice.row("On its way").element_handle()
    gate.release()
    alice.until_stored("On its way")
    assert row.is_visible(), "the row was replaced by another"
    expect(alice.row("On its way")).to_have_count(1)


def test_a_message_shows_in_another_window_within_100_ms(
    visit: Visit, server: Server, backstage: Backstage, room: str
) -> None:
    """From the key press in one to the painted frame in the other; the median of ten."""
    alice, bob = visit("alice", room=room), visit("bob", room=room)
    backstage.say(server, room, "bob", "Ready")
    for chat in (alice, bob):
        expect(chat.row("Ready")).to_be_visible()
        chat.until_live()
    alice.page.evaluate(
        """() => {
          window.pressed = {};
          addEventListener('keydown', ({ key, target }) => {
            if (key !== 'Enter') return;
            window.pressed[target.value] = performance.timeOrigin + performance.now();
          }, true);
        }"""
    )
    bob.page.evaluate(
        """() => {
          window.painted = {};
          const look = () => requestAnimationFrame(() => {
            const at = performance.timeOrigin + performance.now();
            for (const text of document.querySelectorAll('[role=log] .bubble__text'))
              window.painted[text.textContent] ??= at;
          });
          new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
        }"""
    )
    contents = [f"Tick {number}" for number in range(10)]
    for content in contents:
        alice.say(content)
        expect(bob.row(content)).to_be_visible()
    pressed = alice.page.evaluate("window.pressed")
    painted = bob.page.evaluate("window.painted")
    latencies = sorted(painted[content] - pressed[content] for content in contents)
    print(f"latency: median {median(latencies):.0f} ms, most {latencies[-1]:.0f} ms")
    assert 0 < median(latencies) < 100


def test_a_refused_message_can_be_sent_again_or_discarded(
    visit: Visit, server: Server, backstage: Backstage, room: str
) -> None:
    gate = SocketGate()
    alice = visit("alice", room=room, prepare=gate.attach)
    said = alice.until_live()
    gate.refusing = REJECTED
    alice.say("Spam?", "Surely spam")
    for content in ("Spam?", "Surely spam"):
        row = alice.row(content)
        expect(row).to_contain_text("Not sent: The room does not take this message.")
    gate.refusing = None
    alice.row("Surely spam").get_by_role("button", name="Discard").click()
    expect(alice.row("Surely spam")).to_have_count(0)
    alice.row("Spam?").get_by_role("button", name="Send again").click()
    alice.until_stored("Spam?")
    assert backstage.contents(server, room) == [said, "Spam?"]


def test_what_others_write_is_text_whatever_it_looks_like(
    visit: Visit, server: Server, backstage: Backstage, room: str
) -> None:
    """Content is never markup: nothing runs, nothing is loaded, nothing is formatted."""
    evil = [
        "<script>document.title = 'hacked'</script>",
        "<img src=x onerror=\"document.title = 'hacked'\">",
        "<b>bold</b> &amp; &lt;i&gt;",
        "javascript:document.title='hacked'",
    ]
    backstage.say(server, room, "bob", *evil)
    alice = visit("alice", room=room)
    expect(alice.texts).to_have_text(evil)
    inside = alice.texts.evaluate_all("(texts) => texts.map((text) => text.children.length)")
    assert inside == [0] * len(evil)
    expect(alice.entry("Kitchen")).to_contain_text(evil[-1])
    assert alice.page.title() == "Allibe"


def test_links_open_elsewhere_and_tell_nothing_of_where_one_came_from(
    visit: Visit, server: Server, backstage: Backstage, room: str
) -> None:
    backstage.say(
        server, room, "bob", "See https://example.org/a_(b)?q=1. And (http://example.net)!"
    )
    alice = visit("alice", room=room)
    links = alice.rows.get_by_role("link")
    expect(links).to_have_text(["https://example.org/a_(b)?q=1", "http://example.net"])
    for link in links.all():
        rel = (link.get_attribute("rel") or "").split()
        assert {"noopener", "noreferrer"} <= set(rel)
        assert link.get_attribute("target") == "_blank"


def test_enter_sends_shift_and_enter_begins_a_line_and_blanks_are_not_sent(
    visit: Visit, server: Server, backstage: Backstage, room: str
) -> None:
    alice = visit("alice", room=room)
    alice.composer.press_sequentially("one")
    alice.composer.press("Shift+Enter")
    alice.composer.press_sequentially("two")
    assert backstage.contents(server, room) == []
    alice.composer.press("Enter")
    alice.until_stored("one two")
    alice.composer.fill("  \n ")
    expect(alice.button("Send")).to_be_disabled()
    alice.composer.press("Enter")
    alice.composer.fill("three")
    alice.button("Send").click()
    alice.until_stored("three")
    expect(alice.composer).to_be_focused()
    assert backstage.contents(server, room) == ["one\ntwo", "three"]


def test_a_message_that_is_too_long_stays_in_the_field(
    visit: Visit, server: Server, backstage: Backstage, room: str
) -> None:
    """8 KiB of UTF-8, as the server counts: a syllable of Hangul is three bytes."""
    alice = visit("alice", room=room)
    alice.composer.fill("가" * 2732)
    expect(alice.page.get_by_text("4 bytes too long")).to_be_visible()
    expect(alice.button("Send")).to_be_disabled()
    alice.composer.press("Enter")
    alice.composer.fill("가" * 2730)
    expect(alice.page.get_by_text("2 bytes left")).to_be_visible()
    alice.composer.press("Enter")
    alice.until_stored("가" * 2730)
    assert backstage.contents(server, room) == ["가" * 2730]


def test_members_are_invited_promoted_and_removed_in_the_room(
    visit: Visit, server: Server, backstage: Backstage, room: str
) -> None:
    alice, carol = visit("alice", room=room), visit("carol", room="1")
    carol.until_live()
    alice.button("2 members").click()
    panel = alice.page.get_by_role("dialog", name="Members")
    panel.get_by_label("Invite by user ID").fill("carol")
    panel.get_by_role("button", name="Invite").click()
    expect(panel.get_by_text("Carol is a member now.")).to_be_visible()
    expect(carol.entry("Kitchen")).to_be_visible()
    panel.get_by_label("Role of Carol").select_option("Admin")
    expect(panel.get_by_label("Role of Carol")).to_be_enabled()
    assert backstage.roles(server, room)["carol"] == "admin"
    panel.get_by_role("button", name="Remove Carol").click()
    panel.get_by_role("button", name="Remove", exact=True).click()
    expect(panel.get_by_text("@carol")).to_have_count(0)
    expect(carol.entry("Kitchen")).to_have_count(0)
    alice.page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(alice.button("2 members")).to_be_focused()
