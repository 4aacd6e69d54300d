"""`allibe chat` as a person uses it: the real command on a terminal."""

import termios
from collections.abc import Iterator

import pytest

from tests.support.rooms_over_http import history, new_room, post
from tests.support.screen import Screen
from tests.support.server import Server


@pytest.fixture
def screen(server: Server) -> Iterator[Screen]:
    """bob's terminal, in a room of alice's."""
    made = Screen(server, new_room(server, "bob"), "bob")
    yield made
    made.close()


def test_on_a_terminal_what_comes_in_leaves_the_typed_line_alone(
    server: Server, screen: Screen
) -> None:
    """Also: Backspace works, Ctrl-D leaves, and the shell gets its terminal back as it was."""
    before = _modes(screen.slave)
    screen.until("/quit leaves")
    screen.type("half a linX\x7f")
    screen.until_row("> half a lin")
    post(server, screen.room, "interrupting")
    screen.until_row("alice: interrupting", "> half a lin")
    screen.type("e 안녕\r")
    screen.until_row("* bob: half a line 안녕", ">")
    assert "\x1b[1mbob\x1b[0m: half a line 안녕" in screen.text
    assert history(server, screen.room) == ["interrupting", "half a line 안녕"]
    screen.type("\x04")
    assert screen.wait() == 0
    assert _modes(screen.slave) == before


@pytest.mark.parametrize("leave", ["\x03", "half a line\x03", "/quit\r"])
def test_on_a_terminal_ctrl_c_and_quit_leave_it_as_it_was(screen: Screen, leave: str) -> None:
    before = _modes(screen.slave)
    screen.until("/quit leaves")
    screen.type(leave)
    assert screen.wait() == 0
    assert _modes(screen.slave) == before
    assert "Traceback" not in screen.text


def test_on_a_terminal_no_content_controls_it(server: Server, screen: Screen) -> None:
    screen.until("/quit leaves")
    post(server, screen.room, "\x1b[2J\x9b31m\u202e" + " " * 70 + "12:00 * bob: never said")
    screen.until("never said")
    assert not {"\x1b[2J", "\x9b", "\u202e"} & {
        screen.text[i : i + n] for n in (1, 4) for i in range(len(screen.text))
    }
    assert not [row for row in screen.rows if row.startswith("12:00")]


def _modes(descriptor: int) -> list[object]:
    return list(termios.tcgetattr(descriptor))
