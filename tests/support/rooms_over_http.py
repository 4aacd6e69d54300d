"""Rooms for tests without an event loop: made, posted to and read over HTTP."""

import json
from itertools import count
from urllib.request import ProxyHandler, Request, build_opener

from tests.support.server import WAIT_SECONDS, Server

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
