"""Writing Korean: Enter that ends the composing of a syllable is no Enter that sends.

The compositions are Chromium's own (`Input.imeSetComposition`): the key events that the page gets
while one is open say `isComposing`, as those of a real input method.
"""

import pytest
from playwright.sync_api import CDPSession, expect

from tests.support.backstage import Backstage
from tests.support.browser import Visit
from tests.support.chat_page import ChatPage
from tests.support.server import Server

_RECORD_KEYS = """
window.keys = [];
addEventListener('keydown', ({ key, isComposing }) => keys.push({ key, isComposing }), true);
"""


class Keyboard:
    """A Korean input method."""

    def __init__(self, chat: ChatPage) -> None:
        self._chat = chat
        self._protocol: CDPSession = chat.page.context.new_cdp_session(chat.page)

    def compose(self, *states: str) -> None:
        """Show a syllable as it grows: ㅎ, 하, 한."""
        for state in states:
            self._protocol.send(
                "Input.imeSetComposition",
                {"text": state, "selectionStart": len(state), "selectionEnd": len(state)},
            )

    def enter_ends_it(self, text: str) -> None:
        """Press Enter, which the input method keeps, and put the text in."""
        self._press_enter()
        self._protocol.send("Input.insertText", {"text": text})

    def enter_after_it(self) -> None:
        """Press Enter as Safari tells of it: the composing is over, the key code is still 229."""
        self._chat.composer.evaluate(
            """(field) => field.dispatchEvent(new KeyboardEvent('keydown', {
              key: 'Enter', keyCode: 229, bubbles: true, cancelable: true,
            }))"""
        )

    def _press_enter(self) -> None:
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
        self._protocol.send("Input.dispatchKeyEvent", {"type": "rawKeyDown"} | key)
        self._protocol.send("Input.dispatchKeyEvent", {"type": "keyUp"} | key)


@pytest.fixture
def room(server: Server, backstage: Backstage) -> str:
    return backstage.room(server, "한글방")


@pytest.fixture
def alice(visit: Visit, room: str) -> ChatPage:
    alice = visit("alice", room=room, prepare=lambda page: page.add_init_script(_RECORD_KEYS))
    alice.until_live()
    expect(alice.composer).to_be_focused()
    return alice


def test_enter_that_ends_a_syllable_sends_nothing_and_the_next_one_sends_once(
    alice: ChatPage, server: Server, backstage: Backstage, room: str
) -> None:
    keyboard = Keyboard(alice)
    alice.composer.press_sequentially("ok ")
    keyboard.compose("ㅎ", "하", "한")
    keyboard.enter_ends_it("한")
    assert alice.page.evaluate("keys.at(-1)") == {"key": "Enter", "isComposing": True}
    expect(alice.composer).to_have_value("ok 한")
    alice.composer.press("Enter")
    alice.until_stored("ok 한")
    expect(alice.composer).to_have_value("")
    alice.until_live()
    assert backstage.contents(server, room)[1:-1] == ["ok 한"]


def test_the_last_syllable_is_not_sent_a_second_time(
    alice: ChatPage, server: Server, backstage: Backstage, room: str
) -> None:
    """What many chat pages do: they send the text, and then the input method puts in its rest."""
    keyboard = Keyboard(alice)
    for word in ("안녕", "하세요"):
        for syllable in word:
            keyboard.compose(syllable)
            keyboard.enter_ends_it(syllable)
        alice.composer.press("Enter")
        alice.until_stored(word)
    alice.until_live()
    assert backstage.contents(server, room)[1:-1] == ["안녕", "하세요"]


def test_safari_s_enter_after_the_composing_sends_nothing(
    alice: ChatPage, server: Server, backstage: Backstage, room: str
) -> None:
    keyboard = Keyboard(alice)
    keyboard.compose("네")
    keyboard.enter_ends_it("네")
    keyboard.enter_after_it()
    expect(alice.composer).to_have_value("네")
    alice.composer.press("Enter")
    alice.until_stored("네")
    alice.until_live()
    assert backstage.contents(server, room)[1:-1] == ["네"]


def test_a_composition_goes_on_while_messages_come(
    alice: ChatPage, server: Server, backstage: Backstage, room: str
) -> None:
    """The page is rendered again meanwhile; the syllable must not fall apart."""
    keyboard = Keyboard(alice)
    keyboard.compose("ㄱ", "가")
    backstage.say(server, room, "bob", "뭐 해?")
    expect(alice.row("뭐 해?")).to_be_visible()
    keyboard.compose("강")
    keyboard.enter_ends_it("강")
    expect(alice.composer).to_have_value("강")
