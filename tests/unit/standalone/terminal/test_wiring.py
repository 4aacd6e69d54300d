"""`terminal.wiring`: addresses and outputs."""

import io
import os
from pathlib import Path

import pytest
from yarl import URL

from allibe_standalone.terminal.endings import CannotChat
from allibe_standalone.terminal.wiring import Output, server_url


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


def test_characters_that_the_output_lacks_become_question_marks() -> None:
    raw = io.BytesIO()
    output = Output(io.TextIOWrapper(raw, encoding="ascii"))
    output.write("안녕 alice\n")
    assert raw.getvalue() == b"?? alice\n"


def test_an_output_that_nobody_reads_ends_the_chat_and_takes_no_more() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ends = []
    with os.fdopen(writing, "w") as stream:
        output = Output(stream)
        output.on_closed = lambda: ends.append("closed")
        output.write("one\n")
        output.write("two\n")
    assert ends == ["closed"]


def test_an_output_that_was_never_open_swallows_all(tmp_path: Path) -> None:
    output = Output(None)
    output.write("text")
    assert output.columns() is None
    with (tmp_path / "file").open("w") as file:
        assert Output(file).columns() is None
