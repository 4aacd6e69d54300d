"""`terminal.line_editor`: keys and bytes to lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allibe_standalone.terminal.line_editor import LineEditor, LineSplitter


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ("abc\x7f\x08d", "ad"),
        ("\x7f", ""),
        ("two words \x17", "two "),
        ("word\x17", ""),
        ("gone\x15here", "here"),
        ("a\tb", "a b"),
        ("a\x1b[Db\x1b[1;5Cc\x1bOPd\x1bxe", "abcde"),
        ("\x1b[200~pasted\x1b[201~", "pasted"),
        ("a\x00\x01\x9bb", "ab"),
        ("한글\x7f", "한"),
        ("e\u0301\x7f", ""),
    ],
)
def test_keys_make_the_text(keys: str, text: str) -> None:
    editor = LineEditor()
    assert editor.feed(keys.encode()) == []
    assert editor.text == text


def test_enter_gives_the_line_and_begins_another() -> None:
    editor = LineEditor()
    assert editor.feed(b"one\rtwo\nthr") == ["one", "two"]
    assert editor.text == "thr"


def test_a_character_in_two_chunks_is_one_character() -> None:
    editor = LineEditor()
    for byte in "가".encode():
        editor.feed(bytes([byte]))
    assert editor.text == "가"


def test_ctrl_d_ends_an_empty_line_only() -> None:
    editor = LineEditor()
    editor.feed(b"x\x04")
    assert not editor.ended
    editor.feed(b"\x7f\x04")
    assert editor.ended


def test_a_line_that_was_not_entered_is_not_sent() -> None:
    editor = LineEditor()
    editor.feed(b"half a li")
    assert editor.rest() == ""


def test_a_pipe_gives_lines_and_what_follows_the_last_line_end() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"one\r\ntw") == ["one"]
    assert splitter.feed(b"o\n\nthr") == ["two", ""]
    assert splitter.rest() == "thr"
    assert not splitter.ended


def test_what_is_not_utf8_does_not_stop_a_pipe() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"a\xffb\n\xea\xb0") == ["a\ufffdb"]
    assert splitter.rest() == "\ufffd"


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(1, 5))
def test_any_chunking_gives_the_same_lines(text: str, size: int) -> None:
    data = text.encode()
    whole, parts = LineSplitter(), LineSplitter()
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    lines = [line for chunk in chunks for line in parts.feed(chunk)]
    assert lines == whole.feed(data)
    assert parts.rest() == whole.rest()
