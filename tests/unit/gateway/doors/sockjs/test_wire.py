"""`wire` and `encodings`: frames as sockjs-protocol 0.3.3 has them, whatever their texts hold."""

import json
import re
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from allibe_gateway.doors.sockjs import wire
from allibe_gateway.doors.sockjs.encodings import ENCODINGS, BadCallback
from allibe_gateway.websocket_frames import text_frame
from allibe_services.contracts import disconnects

UNSAFE = [
    *range(0x20),
    *range(0x200C, 0x2010),
    *range(0x2028, 0x2030),
    *range(0x2060, 0x2070),
    *range(0xFFF0, 0x10000),
]
"""`escapable_by_server` of "JSON Unicode Encoding"."""

TEXTS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from([*map(chr, UNSAFE)]))
BY_NAME = {one.name: one for one in ENCODINGS}


@given(st.lists(TEXTS, min_size=1))
def test_members_become_one_frame_with_the_same_texts(texts: list[str]) -> None:
    """In pure UTF-8, on one line, with nothing in it that a browser might change."""
    frame = wire.message_frame(b"".join(wire.quoted(text.encode()) for text in texts)).decode()
    assert frame[0] == "a"
    assert json.loads(frame[1:]) == texts
    assert not {*map(chr, UNSAFE)} & {*frame}


def test_what_must_be_escaped_is_escaped_as_the_protocol_spells_it() -> None:
    """Its own test compares bytes: lower case, four digits."""
    text = "".join(map(chr, UNSAFE[0x20:]))
    expected = "".join(f"\\u{code:04x}" for code in UNSAFE[0x20:])
    assert wire.quoted(text.encode()) == f'"{expected}",'.encode()


@given(TEXTS)
def test_a_websocket_message_has_one_member(text: str) -> None:
    quoted = wire.quoted(text.encode())
    assert wire.websocket_message(text.encode()) == text_frame(b"a[%b]" % quoted[:-1])


@given(st.lists(TEXTS))
def test_what_a_client_sends_is_read(texts: list[str]) -> None:
    """However it escapes; empty texts are nothing."""
    expected = [text.encode() for text in texts if text]
    for ascii_only in (True, False):
        assert wire.messages_of(json.dumps(texts, ensure_ascii=ascii_only).encode()) == expected


@given(st.binary())
def test_anything_else_is_refused_in_one_way(body: bytes) -> None:
    try:
        found = wire.messages_of(body)
    except wire.BrokenMessages:
        return
    assert [one.decode() for one in found] == [one for one in json.loads(body) if one]


@pytest.mark.parametrize(
    "body", [b'["\\ud800"]', b'["\xed\xa0\x80"]', b"[" * 100_000, b'{"a":"b"}']
)
def test_lone_surrogates_and_other_values_are_refused(body: bytes) -> None:
    with pytest.raises(wire.BrokenMessages):
        wire.messages_of(body)


@pytest.mark.parametrize("reason", disconnects.TABLE, ids=lambda one: str(one.code))
def test_a_closing_frame_has_code_and_reason(reason: disconnects.Disconnect) -> None:
    frame = wire.close_frame(reason)
    assert json.loads(frame[1:]) == [reason.code, reason.reason]


@given(TEXTS)
def test_a_frame_in_a_script_is_a_string_and_cannot_leave_it(text: str) -> None:
    """A page's parser knows `</script>` and `<!--` before JavaScript is read."""
    frame = wire.message_frame(wire.quoted(text.encode()))
    for name in ("jsonp", "htmlfile"):
        wrapped = BY_NAME[name].wrap(frame, b"back").decode()
        found = re.search(r'\((".*")\);', wrapped)
        assert found is not None
        assert json.loads(found[1]) == frame.decode()
        assert not re.search("[<>&\u2028\u2029]", found[1])


@given(TEXTS)
@example("100% %41")
def test_a_frame_of_an_event_source_is_one_event(text: str) -> None:
    """sockjs-client undoes percent-encoding there; what it would undo has to survive."""
    frame = wire.message_frame(wire.quoted(text.encode()))
    wrapped = BY_NAME["eventsource"].wrap(frame, b"").decode()
    found = re.fullmatch(r"data: ([^\r\n]*)\r\n\r\n", wrapped)
    assert found is not None
    assert unquote(found[1]) == frame.decode()


def test_preludes_are_as_long_as_browsers_need() -> None:
    preludes = {name: one.prelude(b"back") for name, one in BY_NAME.items()}
    assert preludes["xhr_streaming"] == b"h" * 2048 + b"\n"
    assert preludes["eventsource"] == b"\r\n"
    assert len(preludes["htmlfile"]) > 1024
    assert b"parent.back;" in preludes["htmlfile"]
    assert preludes["xhr"] == preludes["jsonp"] == b""


@given(st.text())
def test_a_callback_is_a_name_or_refused(name: str) -> None:
    try:
        found = BY_NAME["jsonp"].callback(name)
    except BadCallback:
        return
    assert re.fullmatch(rb"[a-zA-Z0-9_.-]+", found)


def test_a_callback_is_required_only_where_there_is_one() -> None:
    assert BY_NAME["xhr"].callback("<>") == b""
    assert BY_NAME["htmlfile"].callback("_jp.a1b2c3") == b"_jp.a1b2c3"
    with pytest.raises(BadCallback, match="required"):
        BY_NAME["jsonp"].callback(None)
