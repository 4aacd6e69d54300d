"""`terminal.view`: messages and notices as a person sees them."""

from datetime import UTC, timedelta, timezone

from allibe_standalone.terminal.view import Style, View
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
    view = View("alice", zone=seoul)
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
    assert _view(columns=20).notice("a b c d e f g h i j k") == ["-- a b c d e f g", "   h i j k"]


def test_style_stands_round_time_and_own_name_only() -> None:
    view = View("alice", style=Style(bold="<b>", dim="<d>", end="</>"), zone=UTC)
    view.message(message("x"))
    assert view.message(message("x")) == ["<d>12:00   </>bob: x"]
    assert view.message(message("x", sender="alice")) == ["<d>12:00 * </><b>alice</>: x"]
    assert view.notice("x") == ["<d>-- x</>"]
