"""Bytes to frames: where lines, bodies and frames end, and what is no frame."""

import pytest

from allibe_gateway.stomp.errors import (
    FrameTooLarge,
    InvalidUtf8,
    LocalMisuse,
    MalformedFrame,
    UndefinedEscape,
    UnknownCommand,
)
from allibe_gateway.stomp.frames import Frame
from allibe_gateway.stomp.parser import FrameParser
from allibe_gateway.stomp.versions import SUPPORTED, Version
from tests.unit.gateway.stomp.streams import parse, refused

V1_0, V1_1, V1_2 = Version.V1_0, Version.V1_1, Version.V1_2


class TestFrames:
    def test_a_frame_is_command_headers_and_body(self) -> None:
        assert parse(b"SEND\ndestination:/a\nx:1\n\nhello\0") == [
            Frame("SEND", {"destination": "/a", "x": "1"}, b"hello")
        ]

    def test_headers_and_body_may_be_absent(self) -> None:
        assert parse(b"DISCONNECT\n\n\0") == [Frame("DISCONNECT", {}, b"")]

    def test_several_frames_may_share_a_chunk(self) -> None:
        frames = parse(b"BEGIN\ntransaction:1\n\n\0SEND\n\nx\0\nCOMMIT\ntransaction:1\n\n\0")
        assert [frame.command for frame in frames] == ["BEGIN", "SEND", "COMMIT"]

    def test_line_ends_between_frames_are_skipped(self) -> None:
        """1.2: "the NULL octet can be optionally followed by multiple EOLs"; heart-beats too."""
        assert len(parse(b"\n\r\n\nSEND\n\n\0\n\n\r\nSEND\n\n\0\r\n")) == 2

    def test_line_ends_alone_give_nothing(self) -> None:
        assert parse(b"\n\r\n\n") == []

    def test_a_server_s_frames_are_read_as_well(self) -> None:
        """The terminal client parses with the same code."""
        assert parse(b"MESSAGE\nmessage-id:1\n\n{}\0") == [
            Frame("MESSAGE", {"message-id": "1"}, b"{}")
        ]

    def test_a_body_may_hold_blank_lines_and_carriage_returns(self) -> None:
        assert parse(b"SEND\n\n\n\na\r\n\r\n\0")[0].body == b"\n\na\r\n\r\n"

    def test_a_body_need_not_be_utf8(self) -> None:
        """1.2, "content-type": without one, a body is a binary blob."""
        assert parse(b"SEND\n\n\xff\xfe\0")[0].body == b"\xff\xfe"

    def test_the_first_of_repeated_headers_wins(self) -> None:
        """1.2, "Repeated Header Entries"."""
        assert parse(b"MESSAGE\nfoo:World\nfoo:Hello\n\n\0")[0].headers == {"foo": "World"}

    def test_the_first_wins_after_unescaping(self) -> None:
        assert parse(b"SEND\na\\cb:1\na\\cb:2\n\n\0")[0].headers == {"a:b": "1"}

    def test_the_first_colon_divides_name_and_value(self) -> None:
        """Stock clients leave the colons of a value unescaped."""
        assert parse(b"SEND\nat:12:30\n\n\0")[0].headers == {"at": "12:30"}

    def test_an_empty_value_is_a_value(self) -> None:
        assert parse(b"SEND\nx:\n\n\0")[0].headers == {"x": ""}

    @pytest.mark.parametrize("version", SUPPORTED)
    def test_spaces_are_part_of_names_and_values(self, version: Version) -> None:
        """1.1, 1.2: "clients and servers MUST never trim or pad headers with spaces"."""
        assert parse(b"SEND\n x : y \n\n\0", version)[0].headers == {" x ": " y "}

    def test_headers_are_utf8(self) -> None:
        assert parse("SEND\n이름:값\n\n\0".encode())[0].headers == {"이름": "값"}


class TestContentLength:
    def test_it_lets_a_body_hold_nul(self) -> None:
        """1.2, "content-length": that many octets are read, whatever they are."""
        frames = parse(b"SEND\ncontent-length:3\n\na\0b\0SEND\ncontent-length:1\n\n\0\0")
        assert [frame.body for frame in frames] == [b"a\0b", b"\0"]

    @pytest.mark.parametrize("digits", [b"0", b"00", b"0" * 300])
    def test_zero_is_an_empty_body(self, digits: bytes) -> None:
        assert parse(b"SEND\ncontent-length:" + digits + b"\n\n\0")[0].body == b""

    @pytest.mark.parametrize("length", [b"2", b"3", b"04"])
    def test_it_is_the_body_s_length_in_any_spelling(self, length: bytes) -> None:
        body = b"x" * int(length)
        assert parse(b"SEND\ncontent-length:" + length + b"\n\n" + body + b"\0")[0].body == body

    @pytest.mark.parametrize(
        "value", ["", "-1", "+1", "1.0", "1e1", "x", " 1", "1 ", "٣", "²", "1_0", "0x1"]
    )
    def test_anything_but_digits_is_malformed(self, value: str) -> None:
        refused(f"SEND\ncontent-length:{value}\n\na\0".encode(), MalformedFrame)

    def test_stomp_1_0_may_pad_it(self) -> None:
        """The examples of 1.0 have a space after the colon."""
        assert parse(b"SEND\ncontent-length: 3\n\na\0b\0", V1_0)[0].body == b"a\0b"

    @pytest.mark.parametrize("body", [b"abc", b"abcde"])
    def test_a_body_of_another_length_is_malformed(self, body: bytes) -> None:
        """ "The frame still needs to be terminated with a NULL octet"."""
        refused(b"SEND\ncontent-length:4\n\n" + body + b"\0\n", MalformedFrame)

    def test_the_first_of_two_counts(self) -> None:
        stream = b"SEND\ncontent-length:1\ncontent-length:9\n\n\0\0"
        assert parse(stream)[0].body == b"\0"


class TestLineEnds:
    def test_cr_lf_ends_lines_in_1_2(self) -> None:
        """1.2: an EOL is an optional CR and an LF."""
        assert parse(b"SEND\r\na:b\r\nc:d\r\n\r\nbody\r\n\0") == [
            Frame("SEND", {"a": "b", "c": "d"}, b"body\r\n")
        ]

    @pytest.mark.parametrize("version", [V1_0, V1_1])
    def test_cr_lf_is_accepted_before_1_2_too(self, version: Version) -> None:
        """The version of a CONNECT is not known while it is read."""
        assert parse(b"CONNECT\r\nhost:a\r\n\r\n\0", version) == [Frame("CONNECT", {"host": "a"})]
        assert parse(b"SEND\r\nx:a\r\n\r\n\0", version) == [Frame("SEND", {"x": "a"})]

    def test_both_line_ends_may_mix(self) -> None:
        assert parse(b"SEND\na:b\r\nc:d\n\r\nx\n\ny\0") == [
            Frame("SEND", {"a": "b", "c": "d"}, b"x\n\ny")
        ]

    @pytest.mark.parametrize("version", [V1_0, V1_1])
    def test_a_cr_inside_a_value_stands_before_1_2(self, version: Version) -> None:
        """1.0 and 1.1 have no escape for it: a header is any octets but LF (and colon)."""
        assert parse(b"SEND\nx:a\rb\n\n\0", version)[0].headers == {"x": "a\rb"}

    def test_a_cr_inside_a_header_is_malformed_in_1_2(self) -> None:
        r"""1.2's grammar leaves CR out of names and values; `\r` is there for it."""
        refused(b"SEND\nx:a\rb\n\n\0", MalformedFrame, V1_2)

    @pytest.mark.parametrize("version", SUPPORTED)
    def test_two_carriage_returns_before_a_line_feed_are_malformed(self, version: Version) -> None:
        refused(b"SEND\nx:a\r\r\n\n\0", MalformedFrame, version)

    @pytest.mark.parametrize("stream", [b"\rSEND\n\n\0", b"\r\r\n", b"SEND\r\r\n\n\0"])
    def test_a_lone_cr_is_no_line_end(self, stream: bytes) -> None:
        refused(stream, UnknownCommand)


class TestEscapes:
    def test_names_and_values_are_unescaped_by_the_version(self) -> None:
        stream = b"SEND\nk\\c:v\\n\\\\\n\n\0"
        assert parse(stream, V1_0)[0].headers == {"k\\c": "v\\n\\\\"}
        assert parse(stream, V1_1)[0].headers == {"k:": "v\n\\"}
        assert parse(stream, V1_2)[0].headers == {"k:": "v\n\\"}

    def test_an_escaped_cr_is_undefined_in_1_1(self) -> None:
        assert parse(b"SEND\nx:\\r\n\n\0", V1_2)[0].headers == {"x": "\r"}
        refused(b"SEND\nx:\\r\n\n\0", UndefinedEscape, V1_1)

    @pytest.mark.parametrize("line", [b"x:\\t", b"\\t:x", b"x:\\"])
    def test_an_undefined_escape_is_an_error(self, line: bytes) -> None:
        refused(b"SEND\n" + line + b"\n\n\0", UndefinedEscape)

    @pytest.mark.parametrize("command", [b"CONNECT", b"STOMP", b"CONNECTED"])
    def test_frames_that_open_a_connection_are_taken_as_they_are(self, command: bytes) -> None:
        """1.2, "Value Encoding"."""
        assert parse(command + b"\npasscode:a\\t\n\n\0", V1_2)[0].headers == {"passcode": "a\\t"}

    def test_a_new_version_holds_from_the_next_frame_of_the_same_chunk(self) -> None:
        parser = FrameParser()
        parser.push(b"CONNECT\nx:\\c\n\n\0SEND\nx:\\c\n\n\0")
        connect = parser.next_frame()
        parser.version = V1_2
        send = parser.next_frame()
        assert connect == Frame("CONNECT", {"x": "\\c"})
        assert send == Frame("SEND", {"x": ":"})
        assert parser.next_frame() is None


class TestMalformed:
    def test_a_header_without_a_colon_is_malformed(self) -> None:
        assert refused(b"SEND\nnothing\n\n\0", MalformedFrame).code == "malformed_frame"

    def test_an_empty_header_name_is_malformed(self) -> None:
        """The grammar asks for at least one octet."""
        refused(b"SEND\n:value\n\n\0", MalformedFrame)

    @pytest.mark.parametrize(
        "stream",
        [
            b"\0",
            b"\n\0",
            b"SEND\0",
            b"SEND\n\0",
            b"SEND\nx:1\0",
            b"SEND\nx:1\n\0",
            b"SEND\nx\0:1\n",
        ],
    )
    def test_a_nul_before_the_blank_line_is_malformed(self, stream: bytes) -> None:
        refused(stream, MalformedFrame)

    def test_a_nul_in_the_head_is_seen_before_the_blank_line_of_a_later_frame(self) -> None:
        refused(b"SEND\nx:1\0SEND\n\n\0", MalformedFrame)

    @pytest.mark.parametrize(
        "line",
        [b"HELLO", b"send", b"SEND ", b" SEND", b"GET / HTTP/1.1", b"SEND:x", b"\xef\xbb\xbfSEND"],
    )
    def test_an_unknown_command_is_refused_at_its_own_line(self, line: bytes) -> None:
        """Commands are case sensitive. A peer of another protocol may never send a NUL."""
        assert refused(line + b"\n", UnknownCommand).code == "unknown_command"

    @pytest.mark.parametrize(
        "stream", [b"S\xff\n\n\0", b"SEND\n\xff:1\n\n\0", b"SEND\nx:\xc3\n\n\0"]
    )
    def test_a_head_that_is_not_utf8_is_refused(self, stream: bytes) -> None:
        """1.2: "The commands and headers are encoded in UTF-8"."""
        assert refused(stream, InvalidUtf8).code == "invalid_utf8"


class TestAfterAnError:
    def test_an_error_names_the_receipt_that_was_read_before_it(self) -> None:
        """1.2, "ERROR": receipt-id tells the peer which frame it was."""
        error = refused(b"SEND\nreceipt:r-1\ncontent-length:99999\n\n", FrameTooLarge)
        assert error.receipt_id == "r-1"

    def test_an_error_before_the_receipt_names_none(self) -> None:
        assert refused(b"SEND\nx\nreceipt:r-1\n\n\0", MalformedFrame).receipt_id is None

    def test_no_message_quotes_the_peer(self) -> None:
        error = refused(b"SEND\nsecret-token\n\n\0", MalformedFrame)
        assert "secret" not in error.message

    def test_the_parser_refuses_further_input(self) -> None:
        parser = FrameParser()
        with pytest.raises(UnknownCommand):
            parser.feed(b"HELLO\n")
        with pytest.raises(LocalMisuse):
            parser.feed(b"SEND\n\n\0")
        assert parser.next_frame() is None

    def test_frames_before_the_bad_one_can_be_taken_one_by_one(self) -> None:
        parser = FrameParser()
        parser.push(b"SEND\n\n1\0HELLO\n")
        assert parser.next_frame() == Frame("SEND", {}, b"1")
        with pytest.raises(UnknownCommand):
            parser.next_frame()
