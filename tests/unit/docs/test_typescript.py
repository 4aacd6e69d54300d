"""The client's table says what the server's does, in the form that its formatter keeps."""

import re

import pytest

from allibe_services.contracts.disconnects import TABLE, Disconnect
from scripts import typescript


def test_every_disconnect_is_there_with_all_that_the_server_says_of_it() -> None:
    lines = re.sub(r"\{\s+|,\n\s+(?=\})", "{ ", typescript.disconnects())
    for one in TABLE:
        entry = re.search(rf"code: {one.code},([^}}]*)", lines)
        assert entry is not None
        assert " ".join(entry[1].split()).rstrip(" {") == (
            f"reason: '{one.reason}', reconnect: {str(one.reconnect).lower()}, "
            f"delayMs: {one.delay_ms}, newToken: {str(one.new_token).lower()}"
        )


def test_no_line_is_longer_than_the_formatter_leaves_it() -> None:
    assert max(map(len, typescript.disconnects().splitlines())) <= typescript.WIDTH


@pytest.mark.parametrize(
    ("reason", "shown"),
    [("bye", "'bye'"), ("don't", '"don\'t"'), ("안녕", "'안녕'"), ("a\\b", r"'a\\b'")],
)
def test_a_reason_is_quoted_as_the_formatter_does(reason: str, shown: str) -> None:
    assert f"reason: {shown}," in typescript._entry(Disconnect(4000, reason, reconnect=False))
