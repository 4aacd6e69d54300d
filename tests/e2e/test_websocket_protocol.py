"""RFC 6455 through our own set-up, by the areas of the Autobahn test suite, on a bare socket.

The JSON door stands for an echo: `{"type":"ping"}` in a message is answered by `pong`. Each case
says which bytes go out, what must come back, and the close code; None: the connection lives.

Framing is `websockets`'s. Where it is milder than the RFC, or stricter, the case says so (`MILD`,
`STRICT`): what a server accepts too much there harms nobody, and no client misses what it refuses.
"""

from contextlib import suppress
from dataclasses import dataclass

import pytest

from tests.support.clients import Clients
from tests.support.raw_socket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, RawWebSocket
from tests.support.raw_socket import frame as _frame
from tests.support.server import Server
from tests.support.stomp_client import raw

MOST = 256 * 1024
"""Bytes of a WebSocket message."""

PROTOCOL_ERROR, INVALID_TEXT, TOO_BIG = 1002, 1007, 1009
NO_CODE = 0
"""Of a close frame that has none: a close is answered by the same."""

ASK = b'{"type":"ping"}'
ANSWER = (TEXT, b'{"type":"pong"}')
REFUSAL = b'{"type":"error","code":"bad_request"'


def ask(filler: bytes) -> bytes:
    """Return a request that is answered by `ANSWER`, with text that nobody looks at."""
    return b'{"type":"ping","x":"%b"}' % filler


def long(length: int) -> bytes:
    """Return a request of so many bytes."""
    return ask(b"x" * (length - len(ask(b""))))


def part(payload: bytes, opcode: int = CONTINUATION) -> bytes:
    """Return a frame that does not end its message."""
    return _frame(payload, opcode, final=False)


def text_in_parts(*parts: bytes) -> bytes:
    """Return a text message in fragments."""
    first, *middle, last = parts
    return b"".join([part(first, TEXT), *(part(one) for one in middle), _frame(last, CONTINUATION)])


def close(code: int, reason: bytes = b"") -> bytes:
    return _frame(code.to_bytes(2, "big") + reason, CLOSE)


def bytewise(stream: bytes) -> tuple[bytes, ...]:
    return tuple(stream[place : place + 1] for place in range(len(stream)))


@dataclass(frozen=True)
class Case:
    """What is sent, in pieces as they go out, and what comes back."""

    what: str
    sent: bytes | tuple[bytes, ...]
    back: tuple[tuple[int, bytes], ...] = (ANSWER,)
    closes: int | None = None

    def __str__(self) -> str:
        return self.what


def fatal(what: str, sent: bytes, closes: int = PROTOCOL_ERROR, *, after: int = 0) -> Case:
    """Return a case that ends the connection, `after` so many answers."""
    return Case(what, sent, (ANSWER,) * after, closes)


FRAMING = [
    *(
        Case(f"a text of {length} bytes", _frame(long(length)))
        for length in (125, 126, 127, 128, 65_535, 65_536)
    ),
    Case("binary", _frame(ASK, BINARY)),
    Case("a mask", _frame(ASK, mask=b"\x01\x80\xff\x7f")),
    Case("byte by byte", bytewise(_frame(long(130)))),
    Case("three messages in one segment", _frame(ASK) * 3, (ANSWER,) * 3),
    Case("an empty text, which is no JSON", _frame(b""), ((TEXT, REFUSAL),)),
    fatal("no mask (§5.1)", _frame(ASK, mask=None)),
    Case("MILD: a length that needs no 16 bits (§5.2)", b"\x81\xfe\0\x0f" + bytes(4) + ASK),
]  # fmt: skip

PINGS = [
    Case("a ping without content", _frame(b"", PING), ((PONG, b""),)),
    Case("a ping of bytes that are no text", _frame(b"\0\xff\xfe", PING), ((PONG, b"\0\xff\xfe"),)),
    Case("a ping of 125 bytes", _frame(b"p" * 125, PING), ((PONG, b"p" * 125),)),
    Case("a ping byte by byte", bytewise(_frame(b"slow", PING)), ((PONG, b"slow"),)),
    Case("ten pings", b"".join(_frame(b"%d" % n, PING) for n in range(10)),
         tuple((PONG, b"%d" % n) for n in range(10))),
    Case("pongs that nobody asked for", _frame(b"", PONG) + _frame(b"x", PONG) + _frame(ASK)),
    fatal("a ping of 126 bytes", _frame(b"p" * 126, PING)),
    fatal("a ping of 64 KiB", _frame(b"p" * 65_536, PING)),
    fatal("a pong of 126 bytes", _frame(b"p" * 126, PONG)),
]  # fmt: skip

RESERVED = [
    *(
        fatal(f"reserved bits {bits:03b} on opcode {opcode}", _frame(b"", opcode, reserved=bits))
        for bits in (1, 2, 3, 4, 7)
        for opcode in (TEXT, BINARY, CLOSE, PING)
    ),
    *(fatal(f"opcode {opcode}", _frame(b"", opcode)) for opcode in (3, 4, 5, 6, 7)),
    *(fatal(f"opcode {opcode}", _frame(b"", opcode)) for opcode in (11, 12, 13, 14, 15)),
    fatal("a reserved bit after a message", _frame(ASK) + _frame(ASK, reserved=4), after=1),
    fatal("a reserved opcode after a message", _frame(ASK) + _frame(ASK, 11), after=1),
]

FRAGMENTS = [
    Case("two parts", text_in_parts(ASK[:4], ASK[4:])),
    Case("a part for each byte", text_in_parts(*bytewise(ASK))),
    Case("all of that byte by byte", bytewise(text_in_parts(*bytewise(ASK)))),
    Case("empty parts", text_in_parts(b"", ASK, b"", b"")),
    Case("binary in parts", part(ASK[:4], BINARY) + _frame(ASK[4:], CONTINUATION)),
    Case("a ping between parts is answered first",
         part(ASK[:4], TEXT) + _frame(b"now", PING) + _frame(ASK[4:], CONTINUATION),
         ((PONG, b"now"), ANSWER)),
    Case("a pong between parts",
         part(ASK[:4], TEXT) + _frame(b"", PONG) + _frame(ASK[4:], CONTINUATION)),
    fatal("a ping in parts", part(b"a", PING) + _frame(b"b", CONTINUATION)),
    fatal("a pong in parts", part(b"a", PONG) + _frame(b"b", CONTINUATION)),
    fatal("a close in parts", part(b"\x03\xe8", CLOSE) + _frame(b"", CONTINUATION)),
    fatal("a last part of nothing", _frame(ASK, CONTINUATION)),
    fatal("a part of nothing", part(ASK)),
    fatal("a message after a first part that is empty", part(b"", TEXT) + _frame(ASK)),
    fatal("a part after the last", text_in_parts(ASK, b"") + _frame(ASK, CONTINUATION), after=1),
    fatal("a message between parts", part(ASK, TEXT) + _frame(ASK)),
    fatal("the first part of another between parts", part(ASK, TEXT) + part(ASK, TEXT)),
]  # fmt: skip

VALID_TEXT = {
    "Greek": "κόσμε".encode(),
    "Korean": "안녕하세요".encode(),
    "an emoji": "👋🏽".encode(),
    "the last of two bytes": b"\xdf\xbf",
    "the first of three bytes": b"\xe0\xa0\x80",
    "before the surrogates": b"\xed\x9f\xbf",
    "after the surrogates": b"\xee\x80\x80",
    "no character, U+FFFE": b"\xef\xbf\xbe",
    "no character, U+FFFF": b"\xef\xbf\xbf",
    "the first of four bytes": b"\xf0\x90\x80\x80",
    "the last of all": b"\xf4\x8f\xbf\xbf",
}
INVALID_BYTES = {
    "a continuation byte alone": b"\x80",
    "a first byte alone": b"\xc3",
    "two of three bytes": b"\xe2\x82",
    "three of four bytes": b"\xf0\x9f\x91",
    "a character that another cuts off": b"\xe2\x82A",
    "a slash in two bytes": b"\xc0\xaf",
    "a slash in three bytes": b"\xe0\x80\xaf",
    "NUL in two bytes": b"\xc0\x80",
    "a high surrogate": b"\xed\xa0\x80",
    "a low surrogate": b"\xed\xbf\xbf",
    "both surrogates": b"\xed\xa0\x80\xed\xb0\x80",
    "after the last of all": b"\xf4\x90\x80\x80",
    "five bytes": b"\xf8\x88\x80\x80\x80",
    "FE": b"\xfe",
    "FF": b"\xff",
}
TEXTS = [
    *(Case(name, _frame(ask(one))) for name, one in VALID_TEXT.items()),
    *(
        Case(f"{name}, a part for each byte", text_in_parts(*bytewise(ask(one))))
        for name, one in VALID_TEXT.items()
    ),
    *(fatal(name, _frame(ask(one)), INVALID_TEXT) for name, one in INVALID_BYTES.items()),
    *(
        fatal(f"{name}, a part for each byte", text_in_parts(*bytewise(ask(one))), INVALID_TEXT)
        for name, one in INVALID_BYTES.items()
    ),
    fatal("a message that ends within a character", _frame(ask(b"")[:-2] + b"\xc3"), INVALID_TEXT),
    Case("MILD: bad text is noticed at the end of its message (§8.1 allows both)",
         part(b"\xff", TEXT) + _frame(b"on", PING) + _frame(ASK, CONTINUATION),
         ((PONG, b"on"),), INVALID_TEXT),
    Case("binary that is no text is no JSON", _frame(b"\xff", BINARY), ((TEXT, REFUSAL),)),
]  # fmt: skip

CLOSES = [
    fatal("a close without a code", _frame(b"", CLOSE), NO_CODE),
    *(
        fatal(f"close {code}", close(code, b"bye"), code)
        for code in (*range(1000, 1004), *range(1007, 1014), 3000, 3999, 4000, 4999)
    ),
    fatal("a reason of 123 bytes", close(1000, b"r" * 123), 1000),
    fatal("a reason in Korean", close(1000, "안녕".encode()), 1000),
    fatal("a message, then a close", _frame(ASK) + close(1000), 1000, after=1),
    fatal("after a close nothing is read", close(1000) + _frame(ASK) + _frame(b"", PING), 1000),
    fatal("STRICT: a close between parts (§5.4)", part(ASK, TEXT) + close(1000)),
    fatal("half a code", _frame(b"\x03", CLOSE)),
    fatal("a reason of 124 bytes", close(1000, b"r" * 124)),
    fatal("a reason that is no text", close(1000, b"\xff"), INVALID_TEXT),
    *(
        fatal(f"close {code}", close(code))
        for code in (0, 999, *range(1004, 1007), 1015, 1016, 1100, 2000, 2999, 5000, 65_535)
    ),
]  # fmt: skip

LIMITS = [
    Case("the longest message", _frame(long(MOST))),
    Case("the longest message, in parts of 1 KiB",
         text_in_parts(*(long(MOST)[at : at + 1024] for at in range(0, MOST, 1024)))),
    fatal("a byte too many", _frame(long(MOST + 1)), TOO_BIG),
    fatal("a length of too many, before the bytes", b"\x81\xff" + (MOST + 1).to_bytes(8, "big"),
          TOO_BIG),
    fatal("a length of 2^63, the bit that must be 0", b"\x81\xff\x80" + bytes(7), TOO_BIG),
    fatal("a byte too many, in parts",
          part(long(MOST), TEXT) + _frame(b" ", CONTINUATION), TOO_BIG),
    Case("the limit is a message's, not a connection's", _frame(long(MOST)) * 3, (ANSWER,) * 3),
]  # fmt: skip


@pytest.fixture
async def room(server: Server, clients: Clients) -> str:
    return await clients.api(server, "alice").new_room()


def door(server: Server, room: str) -> RawWebSocket:
    return RawWebSocket(server, f"/ws/chat?roomId={room}&token={server.token('alice')}")


async def answer(client: RawWebSocket) -> tuple[int, bytes]:
    """Return the next frame, but who has the room on screen: that comes when it comes."""
    while (found := await client.read())[1].startswith(b'{"type":"presence"'):
        pass
    return found


@pytest.mark.parametrize(
    "case",
    [*FRAMING, *PINGS, *RESERVED, *FRAGMENTS, *TEXTS, *CLOSES, *LIMITS],
    ids=str,
)
async def test_the_web_socket_does_as_rfc_6455_says(server: Server, room: str, case: Case) -> None:
    """And after a close frame the server ends the TCP connection (§7.1.1)."""
    async with door(server, room) as client:
        assert b'"joined"' in (await answer(client))[1]
        with suppress(ConnectionError):  # what is fatal need not be read to its end
            for piece in (case.sent,) if isinstance(case.sent, bytes) else case.sent:
                await client.send_bytes(piece)
        for opcode, start in case.back:
            came, payload = await answer(client)
            assert (came, payload[: len(start)]) == (opcode, start)
        if case.closes is None:
            await client.send("alive?", PING)
            assert await answer(client) == (PONG, b"alive?")
        else:
            opcode, payload = await answer(client)
            assert (opcode, int.from_bytes(payload[:2], "big")) == (CLOSE, case.closes)
            with suppress(ConnectionError):  # after a violation it does not wait for that
                await client.send_bytes(close(1000))
            await client.until_gone()


@pytest.mark.parametrize("soft", ["true", "false"])
async def test_text_that_is_not_utf_8_is_never_stored(
    server: Server, clients: Clients, room: str, soft: str
) -> None:
    """§8.1. Over STOMP too: not in a body, not in part of it, not where nobody looks at it."""
    for filler in ('"content":"\udcff"', '"content":"x","y":"\udced\udca0\udc80"'):
        body = f'{{"roomId":"{room}",{filler}}}'
        stream = raw("SEND", "destination:/app/message", body=body).encode(errors="surrogateescape")
        async with RawWebSocket(server, "/allibe-ws") as client:
            token = server.token("alice")
            lines = ("accept-version:1.2", f"x-soft-errors:{soft}", f"Authorization:{token}")
            await client.send(raw("CONNECT", *lines))
            assert b"CONNECTED" in (await client.read())[1]
            await client.send_bytes(_frame(stream))
            assert await client.read_to_the_end() == (b"", INVALID_TEXT)
    assert await clients.api(server, "alice").contents(room) == []


async def test_no_extension_is_agreed_on(server: Server, room: str) -> None:
    """Nothing is compressed (RFC 7692): that would be work and memory for each connection."""
    async with door(server, room) as client:
        assert b"sec-websocket-extensions" not in client.head.lower()
