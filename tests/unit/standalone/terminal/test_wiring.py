"""`terminal.wiring`: addresses."""

import pytest
from yarl import URL

from allibe_standalone.terminal.endings import CannotChat
from allibe_standalone.terminal.wiring import server_url


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("https://chat.example.org/", "https://chat.example.org"),
        ("ws://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("wss://chat.example.org", "https://chat.example.org"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://example.org/chat?x=1#y", "https://example.org/chat"),
    ],
)
def test_an_address_may_be_that_of_http_or_websocket(given: str, meant: str) -> None:
    assert server_url(given) / "api" == URL(f"{meant}/api")


@pytest.mark.parametrize(
    "given", ["", "127.0.0.1:8080", "ftp://x", "http://", "http://u:p@x", "http://x:y"]
)
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(CannotChat, match="http://host:port"):
        server_url(given)
