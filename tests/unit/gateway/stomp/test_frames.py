"""One frame: escaping by version, encoding, and how it looks in a log."""

import pytest

from allibe_gateway.stomp.errors import LocalMisuse, StompError, UndefinedEscape
from allibe_gateway.stomp.escaping import escape, header_rules, unescape
from allibe_gateway.stomp.frames import (
    CLIENT_COMMANDS,
    COMMANDS_WITH_BODY,
    SERVER_COMMANDS,
    Frame,
    encode,
)
from allibe_gateway.stomp.versions import SUPPORTED, Version

V1_0, V1_1, V1_2 = Version.V1_0, Version.V1_1, Version.V1_2


class TestEscaping:
    def test_stomp_1_0_knows_no_escapes(self) -> None:
        """1.0 has no section on encoding: a backslash is a backslash."""
        assert escape("a\\b", V1_0) == "a\\b"
        assert unescape("a\\cb\\q\\", V1_0) == "a\\cb\\q\\"

    def test_stomp_1_1_escapes_backslash_line_feed_and_colon(self) -> None:
        r"""1.1, "Value Encoding": \n, \c and \\, and nothing for CR."""
        assert escape("a\\b\nc:d\r", V1_1) == "a\\\\b\\nc\\cd\r"
        assert unescape("a\\\\b\\nc\\cd", V1_1) == "a\\b\nc:d"

    def test_stomp_1_2_escapes_the_carriage_return_too(self) -> None:
        r"""1.2, "Value Encoding": \r as well."""
        assert escape("\r\n:\\", V1_2) == "\\r\\n\\c\\\\"
        assert unescape("\\r\\n\\c\\\\", V1_2) == "\r\n:\\"

    def test_sequences_are_read_from_left_to_right(self) -> None:
        r"""`\\n` is an escaped backslash and an n, not a backslash and an escaped LF."""
        assert unescape("\\\\n", V1_2) == "\\n"
        assert unescape("\\\\\\n", V1_2) == "\\\n"

    @pytest.mark.parametrize(
        ("wire", "version"),
        [
            ("\\t", V1_2),  # the specification's own example
            ("\\t", V1_1),
            ("\\r", V1_1),  # defined in 1.2 only
            ("\\\n", V1_1),
            ("end\\", V1_1),
            ("end\\", V1_2),
            ("\\N", V1_2),  # case matters
        ],
    )
    def test_an_undefined_escape_is_an_error(self, wire: str, version: Version) -> None:
        """1.2: "Undefined escape sequences MUST be treated as a fatal protocol error"."""
        with pytest.raises(UndefinedEscape) as caught:
            unescape(wire, version)
        assert caught.value.code == "undefined_escape"

    @pytest.mark.parametrize("command", ["CONNECT", "STOMP", "CONNECTED"])
    @pytest.mark.parametrize("version", SUPPORTED)
    def test_frames_that_open_a_connection_are_never_escaped(
        self, command: str, version: Version
    ) -> None:
        """1.1 and 1.2: "to remain backward compatible with STOMP 1.0"."""
        assert header_rules(command, version) is V1_0
        assert encode(Frame(command, {"host": "a:1\\n"}), version).split(b"\n")[1] == b"host:a:1\\n"

    @pytest.mark.parametrize("version", SUPPORTED)
    def test_all_other_frames_go_by_their_version(self, version: Version) -> None:
        assert header_rules("SEND", version) is version


class TestEncode:
    def test_a_frame_is_command_headers_blank_line_body_and_nul(self) -> None:
        frame = Frame("SEND", {"destination": "/app/message", "receipt": "1"}, b"hello")
        wire = b"SEND\ndestination:/app/message\nreceipt:1\n\nhello\0"
        assert encode(frame, V1_2) == wire

    def test_a_frame_without_headers_or_body_is_complete(self) -> None:
        assert encode(Frame("DISCONNECT", {}), V1_2) == b"DISCONNECT\n\n\0"

    def test_names_and_values_are_escaped_and_utf8(self) -> None:
        wire = encode(Frame("SEND", {"k:1": "안녕:\r"}), V1_2)
        assert wire == "SEND\nk\\c1:안녕\\c\\r\n\n\0".encode()

    def test_an_empty_value_is_kept(self) -> None:
        assert encode(Frame("SEND", {"x": ""}), V1_0) == b"SEND\nx:\n\n\0"

    def test_a_nul_in_the_body_is_fine_with_its_content_length(self) -> None:
        """1.2, "content-length": a body with NUL octets must have the header."""
        frame = Frame("MESSAGE", {"content-length": "3"}, b"a\0b")
        assert encode(frame, V1_2) == b"MESSAGE\ncontent-length:3\n\na\0b\0"

    @pytest.mark.parametrize(
        ("frame", "version"),
        [
            (Frame("HELLO", {}), V1_2),
            (Frame("send", {}), V1_2),  # commands are case sensitive
            (Frame("SEND", {"x": "a\0"}), V1_2),
            (Frame("SEND", {"\0": "a"}), V1_1),
            (Frame("SEND", {"x": "a\nb"}), V1_0),
            (Frame("CONNECTED", {"user-name": "a\nreceipt:1"}), V1_2),
            (Frame("SEND", {"a:b": "c"}), V1_0),
            (Frame("CONNECT", {"a:b": "c"}), V1_2),
            (Frame("SEND", {"": "c"}), V1_2),
            (Frame("SEND", {"x": "a\r"}), V1_1),
            (Frame("SEND", {"x": "a\r"}), V1_0),
            (Frame("SEND", {"x": "\ud800"}), V1_2),
            (Frame("SEND", {}, b"a\0b"), V1_2),
            (Frame("SEND", {"content-length": "2"}, b"abc"), V1_2),
            (Frame("SEND", {"content-length": "x"}), V1_2),
            (Frame("SUBSCRIBE", {}, b"abc"), V1_2),
        ],
        ids=repr,
    )
    def test_what_a_version_cannot_carry_is_our_misuse(
        self, frame: Frame, version: Version
    ) -> None:
        """Better an error here than a frame that the peer reads as something else."""
        with pytest.raises(LocalMisuse) as caught:
            encode(frame, version)
        assert caught.value.code == "local_misuse"

    def test_client_and_server_commands_do_not_overlap(self) -> None:
        assert not CLIENT_COMMANDS & SERVER_COMMANDS
        assert {"SEND", "MESSAGE", "ERROR"} == COMMANDS_WITH_BODY


class TestLogs:
    def test_a_frame_prints_its_command_header_names_and_harmless_values(self) -> None:
        frame = Frame("SEND", {"destination": "/app/message", "receipt": "7"}, b"secret words")
        assert str(frame) == "SEND destination='/app/message' receipt='7' <12 bytes>"

    def test_a_frame_without_headers_prints_without_a_gap(self) -> None:
        assert str(Frame("DISCONNECT", {})) == "DISCONNECT <0 bytes>"

    @pytest.mark.parametrize("name", ["Authorization", "authorization", "passcode", "login", "tok"])
    @pytest.mark.parametrize("show", [str, repr, "{}".format])
    def test_values_that_may_be_secret_never_show(self, name: str, show: type[str]) -> None:
        """Tokens never appear in logs; an unknown header is hidden too."""
        frame = Frame("CONNECT", {name: "Bearer abc.def"}, b"hunter2")
        shown = show(frame)
        assert f"{name}=<hidden>" in shown
        assert "abc" not in shown
        assert "hunter2" not in shown

    def test_a_long_value_is_elided_in_the_middle(self) -> None:
        shown = str(Frame("SEND", {"destination": "/topic/" + "x" * 1000 + "/end"}))
        assert "'/topic/xxx" in shown
        assert "/end'" in shown
        assert "…" in shown
        assert len(shown) < 100

    def test_a_line_break_in_a_header_cannot_forge_a_log_line(self) -> None:
        shown = str(Frame("SEND", {"receipt": "a\nERROR forged", "x\ny": "z"}))
        assert "\n" not in shown


class TestErrors:
    def test_every_error_has_a_code_of_its_own(self) -> None:
        """Codes are stable names that clients may branch on."""
        codes = [error.code for error in _leaves(StompError)]
        assert len(codes) == len(set(codes)) == 19
        assert "stomp_error" not in codes

    def test_an_error_carries_its_message_and_the_receipt_it_is_about(self) -> None:
        error = UndefinedEscape("what happened", receipt_id="r-1")
        assert (str(error), error.message, error.receipt_id) == (
            "what happened",
            "what happened",
            "r-1",
        )


def _leaves(error: type[StompError]) -> list[type[StompError]]:
    below = error.__subclasses__()
    return [leaf for child in below for leaf in _leaves(child)] if below else [error]
