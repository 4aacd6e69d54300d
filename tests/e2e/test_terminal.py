"""`allibe chat` as a person or a script uses it: the real command against a real server."""

import json
import os
import pty
import re
import signal
import subprocess
import termios
import threading
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from tests.support.fixtures import StartServer
from tests.support.server import (
    ALLIBE,
    AUDIENCE,
    SECRET,
    WAIT_SECONDS,
    Server,
    clean_environment,
    eventually,
    free_port,
)
from tests.support.terminal import Open

_open = build_opener(ProxyHandler({})).open
_numbers = count(1)


def ask(server: Server, user: str, method: str, path: str, body: object = None) -> object:
    """Call the HTTP side as a user; return what it answers."""
    request = Request(
        f"{server.url}/api/chat{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {server.token(user)}",
            "Content-Type": "application/json",
        },
    )
    with _open(request, timeout=WAIT_SECONDS) as answer:
        return json.loads(answer.read())


def new_room(server: Server, *members: str) -> str:
    """Make a room of alice's, with these members besides; return its id."""
    room = f"terminal-{next(_numbers)}"
    body = {"roomId": room, "name": "Terminals", "members": list(members)}
    ask(server, "alice", "POST", "/rooms", body)
    return room


def post(server: Server, room: str, content: str) -> None:
    """Post a message of alice's over HTTP."""
    ask(server, "alice", "POST", f"/rooms/{room}/messages", {"content": content})


def history(server: Server, room: str) -> list[str]:
    """Return what the server has stored, oldest first."""
    page = ask(server, "alice", "GET", f"/rooms/{room}/messages?limit=200")
    assert isinstance(page, dict)
    return [message["content"] for message in page["messages"]]


def test_a_pipe_is_sent_shown_and_over(server: Server, chat: Open) -> None:
    room = new_room(server)
    post(server, room, "before")
    terminal = chat(server, room, "alice")
    terminal.type("hello", "안녕하세요")
    assert terminal.end() == 0
    assert terminal.messages == ["before", "hello", "안녕하세요"]
    assert history(server, room) == ["before", "hello", "안녕하세요"]


def test_a_long_pipe_keeps_to_the_limits_and_to_its_order(
    start_server: StartServer, chat: Open
) -> None:
    """More at once than a user may: the rest waits as the server says, and none overtakes."""
    server = start_server(ALLIBE_LIMIT_USER_MESSAGES="40/20")
    room = new_room(server)
    lines = [f"line {number}" for number in range(60)]
    terminal = chat(server, room, "alice")
    terminal.type(*lines)
    assert terminal.end() == 0
    assert history(server, room) == lines
    assert server.metric("allibe_limit_exceeded_total", enforced="true", limit="user_messages")


def test_the_last_twenty_messages_are_shown_to_whoever_types_nothing(
    server: Server, chat: Open
) -> None:
    room = new_room(server)
    for number in range(25):
        post(server, room, f"message {number}")
    terminal = chat(server, room, "alice")
    assert terminal.end() == 0
    assert terminal.messages == [f"message {number}" for number in range(5, 25)]


def test_an_input_that_was_never_open_is_an_empty_one(server: Server) -> None:
    """Some supervisors start programs so; the number 0 must not fall to the event loop."""
    room = new_room(server)
    post(server, room, "hello")
    command = [str(ALLIBE), "chat", "--room", room, "--user", "alice", "--url", server.url]
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$0" "$@" <&-', *command],
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
        env=clean_environment({}),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "alice: hello" in done.stdout


def test_two_terminals_see_one_another(server: Server, chat: Open) -> None:
    room = new_room(server, "bob")
    alice, bob = chat(server, room, "alice"), chat(server, room, "bob")
    alice.type("hello bob")
    bob.until("alice: hello bob")
    bob.type("hello alice", "/who")
    alice.until("bob: hello alice")
    bob.until("Members: alice (owner), bob")
    assert alice.end() == bob.end() == 0
    assert any(line[5:] == " * alice: hello bob" for line in alice.lines)
    assert any(line[5:] == "   alice: hello bob" for line in bob.lines)


def test_a_server_that_is_killed_and_comes_back_costs_and_doubles_nothing(
    start_server: StartServer, chat: Open
) -> None:
    """Lines typed before, while and after it is down arrive once, in order, at both ends."""
    server = start_server()
    room = new_room(server, "bob")
    alice, bob = chat(server, room, "alice"), chat(server, room, "bob")
    typed = [f"line {number}" for number in range(60)]
    alice.type("hello")
    bob.until("hello")
    bob.type(*typed[:30])
    alice.until("line 1")
    server.kill()
    bob.until("Connection lost")
    bob.type(*typed[30:50])
    server.restart()
    alice.until("line 49")
    bob.type(*typed[50:])
    alice.until("line 59")
    assert bob.end() == alice.end() == 0
    assert history(server, room) == ["hello", *typed]
    assert alice.messages == bob.messages == ["hello", *typed]
    for terminal in (alice, bob):
        notices = [line for line in terminal.lines if "onnect" in line]
        assert notices == ["-- Connection lost. Trying again.", "-- Connected again."]


def test_a_restart_is_told_and_so_is_an_absence_too_long_to_be_replayed(
    start_server: StartServer, chat: Open
) -> None:
    server = start_server(ALLIBE_RECOVERY_MESSAGES="5")
    terminal = chat(server, "1", "bob")
    terminal.type("hello")
    terminal.until("hello")
    server.stop()
    terminal.until("-- Connection lost (service restart: resume). Trying again.")
    terminal.signal(signal.SIGSTOP)
    server.restart()
    for number in range(30):
        post(server, "1", f"missed {number}")
    terminal.signal(signal.SIGCONT)
    terminal.until("Connected again")
    post(server, "1", "live")
    terminal.until("live")
    assert terminal.end() == 0
    assert "-- Not everything since then can be shown; these are the latest messages." in (
        terminal.lines
    )
    missed = [f"missed {number}" for number in range(10, 30)]
    assert terminal.messages == ["hello", *missed, "live"]


def test_what_is_refused_is_one_line_and_exit_code_1(server: Server, chat: Open) -> None:
    refused = {
        "There is no such room.": ("unknown", "alice"),
        "You are not a member of this room.": ("2", "carol"),
        "user is one of alice, bob, carol": ("1", "dave"),
        "a room id is 1 to 64 of A-Z, a-z, 0-9, _ and -": ("no/room", "alice"),
        "The token is not valid. Start again with a new --token.": ("1", "alice", "--token", "x"),
        "the token is of bob, not of alice": ("1", "alice", "--token", server.token("bob")),
    }
    terminals = {line: chat(server, *arguments) for line, arguments in refused.items()}
    for line, terminal in terminals.items():
        assert terminal.wait() == 1
        assert terminal.lines == [f"allibe: {line}"]


def test_a_server_that_is_not_there_is_one_line_too(tmp_path: Path, chat: Open) -> None:
    nowhere = Server(tmp_path)
    nowhere.port = free_port()
    terminal = chat(nowhere, "1", "alice")
    assert terminal.wait() == 1
    assert terminal.lines == [
        f"allibe: cannot connect to 127.0.0.1:{nowhere.port}: Connection refused"
    ]


def test_without_a_demo_the_configured_secret_signs_the_token(
    private_server: Server, chat: Open
) -> None:
    room = new_room(private_server)
    environment = {"ALLIBE_JWT_SECRET": SECRET, "ALLIBE_JWT_AUDIENCE": AUDIENCE}
    signed = chat(private_server, room, "alice", **environment)
    signed.type("hello")
    assert signed.end() == 0
    wrong = chat(private_server, room, "alice", ALLIBE_JWT_SECRET=SECRET[::-1])
    assert wrong.wait() == 1
    assert wrong.lines == [
        "allibe: The token is not valid. Is ALLIBE_JWT_SECRET that of this server?"
    ]
    neither = chat(private_server, room, "alice")
    assert neither.wait() == 1
    assert "no --token, no ALLIBE_JWT_SECRET" in neither.text


def test_a_given_token_that_expires_ends_the_chat(server: Server, chat: Open) -> None:
    terminal = chat(server, "1", "alice", "--token", server.token("alice", ttl=2))
    assert terminal.wait() == 1
    assert terminal.lines[-1] == ("allibe: The token has expired. Start again with a new --token.")


def test_no_content_controls_the_terminal(server: Server, chat: Open) -> None:
    room = new_room(server, "bob")
    bob = chat(server, room, "bob")
    post(server, room, "\x1b[2J\x1b]0;title\x07\x9b31mred\x08\nfake: line")
    bob.until("fake: line")
    assert bob.end() == 0
    assert bob.lines[-2].endswith("alice: \\x1b[2J\\x1b]0;title\\x07\\x9b31mred\\x08")
    assert bob.lines[-1] == "        | fake: line"


def test_a_line_that_is_too_long_is_refused_and_the_next_one_goes_out(
    server: Server, chat: Open
) -> None:
    room = new_room(server)
    terminal = chat(server, room, "alice")
    terminal.type("x" * 100_000, "short")
    assert terminal.end() == 1
    assert history(server, room) == ["short"]
    assert "-- Not sent: The content is longer than 8192 bytes of UTF-8." in terminal.lines
    assert terminal.lines[-1] == "allibe: 1 line was not sent"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_cleanly(server: Server, chat: Open, number: int) -> None:
    room = new_room(server)
    terminal = chat(server, room, "alice")
    terminal.type("hello")
    terminal.until("hello")
    terminal.signal(number)
    assert terminal.wait() == 0
    assert terminal.messages == ["hello"]


class Screen:
    """`allibe chat` on a terminal of its own; `text` is all that it wrote to it."""

    def __init__(self, server: Server, room: str, user: str) -> None:
        self.room = room
        self._master, self.slave = pty.openpty()
        termios.tcsetwinsize(self.slave, (24, 80))
        self._process = subprocess.Popen(
            [ALLIBE, "chat", "--room", room, "--user", user, "--url", server.url],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            start_new_session=True,
            env=clean_environment(_TERMINAL),
        )
        self.text = ""
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def rows(self) -> list[str]:
        """What a person sees, top to bottom, from the first row that holds something."""
        return rendered(self.text)

    def until_row(self, *ends: str) -> None:
        """Wait until the last rows end so."""
        eventually(
            lambda: (
                len(rows := self.rows) >= len(ends)
                and all(map(str.endswith, rows[-len(ends) :], ends))
            ),
            f"the last rows are {ends!r}",
            log=lambda: repr(self.rows),
        )

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def until(self, text: str) -> None:
        eventually(lambda: text in self.text, f"{text!r} is shown", log=lambda: repr(self.text))

    def wait(self) -> int:
        return self._process.wait(WAIT_SECONDS)

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(WAIT_SECONDS)
        os.close(self.slave)
        os.close(self._master)

    def _read(self) -> None:
        try:
            while chunk := os.read(self._master, 65536):
                self.text += chunk.decode()
        except OSError:
            return


_CONTROL = re.compile(r"\x1b\[\??([\d;]*)([A-Za-z])|\x1b.|[\r\n\b\x07]|[^\x1b\r\n\b\x07]+")


def rendered(text: str) -> list[str]:
    """Return the rows that a terminal shows after the text: what is used of ECMA-48, and no more.

    Wide characters take one cell here; nothing below depends on where a row ends.
    """
    rows, row, column = [""], 0, 0
    for match in _CONTROL.finditer(text):
        numbers, final = match[1] or "", match[2]
        count = int(numbers) if numbers.isdigit() else 1
        if match[0] == "\n":
            row += 1
        elif match[0] == "\r":
            column = 0
        elif match[0] == "\b" or final == "D":
            column = max(0, column - (count if final else 1))
        elif final == "A":
            row = max(0, row - count)
        elif final == "C":
            column += count
        elif final == "K":
            rows[row] = rows[row][:column]
        elif final == "J":
            rows = [*rows[:row], rows[row][:column]]
        elif final is None and not match[0].startswith(("\x1b", "\x07")):
            rows[row] = (
                rows[row][:column].ljust(column) + match[0] + (rows[row][column + len(match[0]) :])
            )
            column += len(match[0])
        rows += [""] * (row + 1 - len(rows))
    return [stripped for one in rows if (stripped := one.rstrip())]


_TERMINAL: Mapping[str, str] = {
    "TZ": "UTC",
    "TERM": "xterm-256color",
    "PROMPT_TOOLKIT_NO_CPR": "1",  # this terminal never says where its cursor is
}


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
