"""`terminal.console`: lines in, lines out. The prompt is in tests/e2e/test_terminal_screen.py."""

import io
import os
import subprocess
import sys
import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allibe_standalone.terminal.console import LINES_AHEAD, Console, console, lines_of
from allibe_standalone.terminal.endings import CannotChat


async def _lines(data: bytes) -> list[str]:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        return [line async for line in lines_of(file.fileno())]


async def test_a_pipe_gives_lines_and_what_follows_the_last_line_end() -> None:
    assert await _lines(b"one\r\ntwo\n\nthr") == ["one", "two", "", "thr"]
    assert await _lines(b"") == []


async def test_a_line_comes_as_soon_as_it_is_complete() -> None:
    """Whoever types into a pipe does not wait for its end."""
    reading, writing = os.pipe()
    os.write(writing, "한글\nhal".encode())
    lines = lines_of(reading)
    assert await anext(lines) == "한글"
    os.write(writing, b"f\n")
    assert await anext(lines) == "half"
    os.close(writing)
    assert [line async for line in lines] == []
    os.close(reading)


async def test_what_is_not_utf8_does_not_stop_a_pipe() -> None:
    assert await _lines(b"a\xffb\n\xea\xb0") == ["a\ufffdb", "\ufffd"]


async def test_a_long_file_is_read_whole() -> None:
    lines = [str(number) for number in range(3 * LINES_AHEAD)]
    assert await _lines("\n".join(lines).encode()) == lines


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]))))
async def test_only_line_feeds_end_a_line(lines: list[str]) -> None:
    assert await _lines("".join(f"{line}\n" for line in lines).encode()) == lines


def test_characters_that_the_output_lacks_become_question_marks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    with console() as made:
        assert not made.interactive
        made.show(["안녕 alice", "two"])
    assert raw.getvalue() == b"?? alice\ntwo\n"


def test_an_output_that_nobody_reads_ends_the_chat_and_takes_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        with pytest.raises(CannotChat, match="the output was closed"):
            Console().show(["one"])
        Console().show(["two"])


def test_servers_do_not_load_what_the_prompt_needs() -> None:
    """Every command imports the command line; only `chat` pays for the editor."""
    code = (
        "import sys, allibe_standalone.cli; "
        "sys.exit(bool({'prompt_toolkit', 'wcwidth'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=30).returncode == 0
