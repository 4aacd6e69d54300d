"""Bytes for a door, from valid to hopeless: chosen by a `Random`, so that a seed repeats them."""

import json
from collections.abc import Sequence
from random import Random

from tests.support.raw_socket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame
from tests.support.stomp_client import raw

STOMP: tuple[str, ...] = (
    raw("SUBSCRIBE", "id:0", "destination:/topic/rooms/{room}", "receipt:s"),
    raw("SUBSCRIBE", "id:1", "destination:/topic/rooms/{room}", "x-since:{room}.0.1", "ack:client"),
    raw("SUBSCRIBE", "id:2", "destination:/topic/rooms/{room}/activity"),
    raw("SUBSCRIBE", "id:3", "destination:/user/queue/errors"),
    raw("SEND", "destination:/app/message", "receipt:m", body='{"roomId":"{room}","content":"a"}'),
    raw("SEND", "destination:/app/message", "content-length:35",
        body='{"roomId":"{room}","content":"안녕"}'),
    raw("SEND", "destination:/app/typing", body='{"roomId":"{room}"}'),
    raw("SEND", "destination:/app/read", body='{"roomId":"{room}","offset":1}'),
    raw("SEND", "destination:/app/visibility", body='{"visible":false}'),
    raw("SEND", "destination:/app/leave", body='{"roomId":"{room}"}'),
    raw("SEND", "destination:/app/auth", "Authorization:Bearer e30.e30.e30"),
    raw("BEGIN", "transaction:t"),
    raw("SEND", "destination:/app/message", "transaction:t",
        body='{"roomId":"{room}","content":"b","clientMessageId":"c"}'),
    raw("COMMIT", "transaction:t", "receipt:c"),
    raw("ABORT", "transaction:t"),
    raw("ACK", "id:{room}.0.1"),
    raw("NACK", "id:{room}.0.1"),
    raw("UNSUBSCRIBE", "id:0"),
    raw("DISCONNECT", "receipt:d"),
    "\n",
    "\r\n\n",
)  # fmt: skip

JSON: tuple[str, ...] = (
    '{"type":"message","content":"a","clientMessageId":"c"}',
    '{"type":"message","roomId":"{room}","content":"안녕 \\ud83d\\udc4b","sender":"alice"}',
    '{"type":"typing"}',
    '{"type":"read","offset":1}',
    '{"type":"read","offset":9007199254740993}',
    '{"type":"visibility","visible":false}',
    '{"type":"refresh","token":"e30.e30.e30"}',
    '{"type":"ping"}',
    '{"type":"ping","x":[[[[[[{"y":1e308}]]]]]]}',
    '{"type":"leave","user":"alice"}',
)

SOCKJS: tuple[str, ...] = (
    *(json.dumps([one], ensure_ascii=False) for one in STOMP),
    json.dumps(STOMP),
    "[]",
)

_TROUBLE = (
    b"\0", b"\n", b"\r", b"\\", b":", b"\xff", b"\xc3", b"\xed\xa0\x80", b'"', b"{", b"[" * 2000,
    b"content-length:9999999999999999999\n", b"receipt:\\t\n", b"-1", b"1e999", b"\\ud800",
    b"x" * 9000,
)  # fmt: skip


def body(random: Random, room: str) -> bytes:
    """Return what a SockJS request sends, from valid to hopeless."""
    return _mutated(random, random.choice(SOCKJS).replace("{room}", room).encode())


def stream(random: Random, valid: Sequence[str], room: str) -> list[bytes]:
    """Return what goes over one connection, in the pieces in which it is sent."""
    chosen = [random.choice(valid).replace("{room}", room) for _ in range(random.randint(1, 12))]
    messages = _joined(random, [one.encode() for one in chosen])
    if random.random() < 0.7:
        messages = [_mutated(random, one) for one in messages]
    wire = b"".join(_framed(random, one) for one in messages)
    if random.random() < 0.2:
        wire = _mutated(random, wire)
    if random.random() < 0.05:
        wire += random.randbytes(random.choice((10, 1000, 300_000)))
    return _split(random, wire, random.choice((0, 0, 1, 5, 30)))


def _joined(random: Random, messages: list[bytes]) -> list[bytes]:
    """Merge messages, or split all of them elsewhere, as STOMP allows."""
    kind = random.randrange(3)
    if kind == 0:
        return messages
    whole = b"".join(messages)
    return [whole] if kind == 1 else _split(random, whole, random.randint(1, 10))


def _framed(random: Random, message: bytes) -> bytes:
    """Wrap a message into WebSocket frames: one, or several with control frames between."""
    opcode = random.choice((TEXT, TEXT, BINARY))
    if random.random() < 0.7:
        return frame(message, opcode)
    first, *rest = _split(random, message, random.randint(1, 4))
    out = frame(first, opcode, final=not rest)
    for number, part in enumerate(rest, 1):
        if random.random() < 0.3:
            out += frame(random.randbytes(random.randint(0, 125)), random.choice((PING, PONG)))
        out += frame(part, CONTINUATION, final=number == len(rest))
    if random.random() < 0.05:
        out += frame(random.randbytes(random.randint(0, 10)), CLOSE)
    return out


def _mutated(random: Random, chunk: bytes) -> bytes:
    """Change, drop, repeat or put in a few bytes."""
    out = bytearray(chunk)
    for _ in range(random.choice((0, 0, 1, 1, 2, 5))):
        at = random.randint(0, len(out))
        kind = random.randrange(4)
        if kind == 0:
            out[at : at + 1] = random.randbytes(1)
        elif kind == 1:
            del out[at : at + random.randint(1, 20)]
        elif kind == 2:
            out[at:at] = random.choice(_TROUBLE)
        else:
            out[at:at] = out[at : at + random.randint(1, 200)]
    return bytes(out)


def _split(random: Random, chunk: bytes, cuts: int) -> list[bytes]:
    places = sorted(random.randint(0, len(chunk)) for _ in range(cuts))
    return [
        chunk[start:end] for start, end in zip([0, *places], [*places, len(chunk)], strict=True)
    ]
