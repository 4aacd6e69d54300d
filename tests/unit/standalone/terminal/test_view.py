"""`terminal.view`: messages and notices as a person sees them; nobody controls the terminal."""

import unicodedata
from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcswidth

from allibe_standalone.terminal.view import View, visible, visible_lines
from tests.unit.standalone.terminal.entries import NOON, message


def _view(columns: int | None = None) -> View:
    return View("alice", columns=lambda: columns, zone=UTC)


def test_a_message_shows_time_and_sender_and_own_ones_are_marked() -> None:
    view = _view()
    assert view.message(message("hello"))[-1] == "12:00   bob: hello"
    assert view.message(message("hi", sender="alice"))[-1] == "12:00 * alice: hi"


def test_a_line_stands_where_a_day_begins() -> None:
    view = _view()
    day = timedelta(days=1)
    lines = [
        *view.message(message("one")),
        *view.message(message("two")),
        *view.message(message("three", sent_at=NOON + day)),
    ]
    assert lines == [
        "-- Tuesday, 4 March 2025 --",
        "12:00   bob: one",
        "12:00   bob: two",
        "-- Wednesday, 5 March 2025 --",
        "12:00   bob: three",
    ]


def test_time_and_day_are_those_of_the_users_zone() -> None:
    seoul = timezone(timedelta(hours=9))
    view = View("alice", columns=lambda: None, zone=seoul)
    late = NOON + timedelta(hours=4)
    assert view.message(message("hello", sent_at=late)) == [
        "-- Wednesday, 5 March 2025 --",
        "01:00   bob: hello",
    ]


def test_further_lines_have_a_gutter_so_that_none_poses_as_another_message() -> None:
    lines = _view().message(message("hi\n12:00 * alice: I agree\n-- Connection lost."))
    assert lines[1:] == [
        "12:00   bob: hi",
        "        | 12:00 * alice: I agree",
        "        | -- Connection lost.",
    ]


def test_padding_does_not_push_text_to_the_start_of_a_line() -> None:
    """Where the terminal would break a line, the view has broken it: with a gutter."""
    trick = "hi" + " " * 65 + "12:00 * alice: I agree"
    lines = _view(columns=80).message(message(trick))[1:]
    assert all(len(line) <= 80 for line in lines)
    assert all(line.startswith("        | ") for line in lines[1:])
    assert lines[-1].endswith("alice: I agree")


def test_a_terminal_too_narrow_for_gutters_breaks_lines_itself() -> None:
    lines = _view(columns=10).message(message("a rather long message"))
    assert lines[1:] == ["12:00   bob: a rather long message"]


def test_control_characters_are_shown_not_sent() -> None:
    lines = _view().message(message("\x1b[2Jgone\x07", sender="b\x1bob"))
    assert lines[-1] == "12:00   b\\x1bob: \\x1b[2Jgone\\x07"


def test_notices_are_marked_broken_and_harmless() -> None:
    assert _view().notice("lost:\x1b[H\nx") == ["-- lost:\\x1b[H\\x0ax"]
    assert _view(columns=20).notice("a b c d e f g h i j k") == ["-- a b c d e f g h i", "   j k"]


def test_style_stands_round_time_and_own_name_only() -> None:
    view = View("alice", columns=lambda: None, styled=True, zone=UTC)
    view.message(message("x"))
    assert view.message(message("x")) == ["\x1b[2m12:00   \x1b[0mbob: x"]
    assert view.message(message("x", sender="alice")) == [
        "\x1b[2m12:00 * \x1b[0m\x1b[1malice\x1b[0m: x"
    ]
    assert view.notice("x") == ["\x1b[2m-- x\x1b[0m"]


@pytest.mark.parametrize("styled", [True, False])
def test_wide_characters_and_long_words_are_broken_before_the_terminal_does(styled: bool) -> None:
    """In Korean too; with style the gutter still stands before each further line."""
    view = View("alice", columns=lambda: 30, styled=styled, zone=UTC)
    gutter = "\x1b[2m        | \x1b[0m" if styled else "        | "
    for content in ("안녕하세요" * 10, "안녕하세요 " * 10, "x" * 100, "one\n" + "y" * 50):
        lines = view.message(message(content))[-4:]
        assert all(line.startswith(gutter) for line in lines[1:])
        plain = [line.replace("\x1b[2m", "").replace("\x1b[0m", "") for line in lines]
        assert all(wcswidth(line) <= 30 for line in plain)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(20, 60))
def test_breaking_keeps_every_character_but_blanks(text: str, columns: int) -> None:
    lines = View("alice", columns=lambda: columns, zone=UTC).message(message(text))[1:]
    shown = lines[0][len("12:00   bob:") :] + "".join(line[10:] for line in lines[1:])
    assert "".join(shown.split()) == "".join("".join(visible_lines(text)).split())
    assert all(line.startswith("        |") for line in lines[1:])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b[H", "\\x1b[2J\\x1b[H"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x1b]52;c;cm0gLXJm\x1b\\", "\\x1b]52;c;cm0gLXJm\\x1b\\"),
        ("\x9b31mred", "\\x9b31mred"),
        ("a\bb\x7f", "a\\x08b\\x7f"),
        ("one\rtwo\nthree", "one\\x0dtwo\\x0athree"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\u2066a\u2069", "\\u2066a\\u2069"),
        ("a\u2028b\ud800", "a\\u2028b\\ud800"),
        ("a\tb", "a    b"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_instead(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize("text", ["안녕하세요", "naïve café", "👩‍👩‍👧 🎉", "שלום", "\\x1b", ""])
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


@given(st.text())
def test_nothing_that_a_terminal_obeys_gets_through(text: str) -> None:
    """Whatever the text, no line of it holds a control character or a line separator."""
    for line in [visible(text), *visible_lines(text)]:
        assert not [c for c in line if unicodedata.category(c) in {"Cc", "Zl", "Zp", "Cs"}]


def test_each_kind_of_line_end_ends_a_line() -> None:
    text = "a\nb\r\nc\rd\u2028e\x85f\x0bg"
    assert visible_lines(text) == ["a", "b", "c", "d", "e", "f", "g"]
    assert visible_lines("") == [""]
