"""`allibe chat` as a script or a pipe uses it: the real command against a real server."""

import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.fixtures import StartServer
from tests.support.rooms_over_http import history, new_room, post
from tests.support.server import (
    ALLIBE,
    AUDIENCE,
    SECRET,
    WAIT_SECONDS,
    Server,
    clean_environment,
    free_port,
)
from tests.support.terminal import Open


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
