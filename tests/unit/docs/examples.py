"""The examples of docs/protocol.md: found by their fences, compared with what really comes.

A fence says what it is: ```` ```stomp > note, note ````. `>` is sent by alice, `<` is received by
her, `<>` holds both, line by line. Notes say what happens around it; test_examples knows them.
"""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from allibe_gateway.stomp import Frame

PAGE = Path(__file__).parents[3] / "docs" / "protocol.md"
EPOCHS = {"1": "5d1f0a7c", "2": "9be20c41"}
"""The epochs that the rooms have on the page."""

_FENCE = re.compile(r"^```(stomp|json) (<>|>|<) ?(.*)\n((?:.*\n)*?)```$", re.MULTILINE)
_FRAME = re.compile(r"([A-Z]+)\n((?:[^\n]+\n)+)\n([^^]*)\^@\n?")
_TIMES = frozenset({"sentAt", "lastMessageAt"})
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Block(msgspec.Struct, frozen=True):
    """One fence."""

    kind: Literal["stomp", "json"]
    direction: Literal[">", "<", "<>"]
    notes: tuple[str, ...]
    text: str


def blocks(part: str) -> list[Block]:
    """Return the fences of a part of the page."""
    return [
        msgspec.convert(
            {
                "kind": kind,
                "direction": direction,
                "notes": [note for note in notes.split(", ") if note],
                "text": text,
            },
            Block,
        )
        for kind, direction, notes, text in _FENCE.findall(part)
    ]


def frames(text: str) -> list[Frame]:
    """Return the frames that a block shows; every byte of it belongs to one."""
    assert _FRAME.sub("", text) == "", f"this is no STOMP frame: {_FRAME.sub('', text)}"
    return [
        Frame(command, dict(line.split(":", 1) for line in head.splitlines()), body.encode())
        for command, head, body in _FRAME.findall(text)
    ]


def objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects that stand one after the other."""
    decoder = json.JSONDecoder()
    while text := text.lstrip():
        found, end = decoder.raw_decode(text)
        yield found
        text = text[end:]


def turns(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield `>` or `<`, and the object, of what is said in turns."""
    for turn in re.split(r"^(?=[<>] )", text, flags=re.MULTILINE)[1:]:
        (found,) = objects(turn[2:])
        yield turn[0], found


def like(shown: object, came: object, name: str = "") -> bool:
    """Tell whether what came is what the page shows, but for times and ids that differ always."""
    if isinstance(shown, dict) and isinstance(came, dict):
        same_names = shown.keys() == came.keys()
        return same_names and all(like(shown[key], came[key], key) for key in shown)
    if name in _TIMES:
        return all(datetime.fromisoformat(str(one)).tzinfo for one in (shown, came))
    if name == "messageId":
        return all(_UUID.fullmatch(str(one)) for one in (shown, came))
    return shown == came


def like_frame(shown: Frame, came: Frame) -> bool:
    """Tell whether a frame is the shown one: the same headers in the same order, a like body."""
    if shown.command != came.command or list(shown.headers) != list(came.headers):
        return False
    free = {"session", "server", "content-length"}
    if any(shown.headers[name] != came.headers[name] for name in shown.headers.keys() - free):
        return False
    return like(json.loads(shown.body or b"null"), json.loads(came.body or b"null"))
