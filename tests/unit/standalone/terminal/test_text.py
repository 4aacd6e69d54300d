"""`terminal.text`: what others write cannot control the terminal; where lines break."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allibe_standalone.terminal.text import tail, visible, visible_lines, width, wrap


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


def test_wide_characters_take_two_columns_and_marks_none() -> None:
    assert width("abc") == 3
    assert width("안녕") == 4
    assert width("e\u0301") == 1
    assert width("a\u200db") == 2


def test_text_breaks_at_blanks_where_it_can_and_anywhere_else_where_it_must() -> None:
    assert wrap("the quick brown fox", 10) == ["the quick", "brown fox"]
    assert wrap("the quick", 9) == ["the quick"]
    assert wrap("a abcdefghijkl", 5) == ["a", "abcde", "fghij", "kl"]
    assert wrap("안녕하세요", 4) == ["안녕", "하세", "요"]
    assert wrap("", 5) == [""]


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])), st.integers(2, 30))
def test_wrapping_keeps_every_character_but_blanks(text: str, columns: int) -> None:
    pieces = wrap(text, columns)
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")
    assert all(width(piece) <= columns for piece in pieces)


def test_a_terminal_narrower_than_a_character_still_ends() -> None:
    assert wrap("안녕", 1) == ["안", "녕"]


def test_the_tail_is_what_fits() -> None:
    assert tail("abcdef", 3) == "def"
    assert tail("안녕하세요", 5) == "세요"
    assert tail("ab", 5) == "ab"
    assert tail("ab", 0) == ""
