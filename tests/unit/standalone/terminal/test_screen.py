"""`terminal.screen`: what comes in goes above what is being typed."""

from allibe_standalone.terminal.line_editor import LineEditor
from allibe_standalone.terminal.screen import PromptScreen, Screen


def _prompt(columns: int = 40) -> tuple[PromptScreen, LineEditor, list[str]]:
    written: list[str] = []
    editor = LineEditor()
    screen = PromptScreen(written.append, editor=editor, erase="<erase>", columns=lambda: columns)
    return screen, editor, written


def test_a_pipe_gets_lines_and_nothing_else() -> None:
    written: list[str] = []
    screen = Screen(written.append)
    screen.show(["one", "two"])
    screen.set_status("offline")
    screen.refresh()
    screen.close()
    assert "".join(written) == "one\ntwo\n"


def test_a_line_that_comes_in_leaves_the_typed_one_as_it_was() -> None:
    screen, editor, written = _prompt()
    editor.feed(b"half a li")
    screen.show(["12:00   bob: hi"])
    assert written == ["\r<erase>12:00   bob: hi\n> half a li"]


def test_the_prompt_shows_the_end_of_a_line_that_is_too_long() -> None:
    """The typed line stays on one row, or it could not be erased."""
    screen, editor, written = _prompt(columns=20)
    editor.feed("0123456789가나다라마바사".encode())
    screen.refresh()
    assert written == ["\r<erase>> 789가나다라마바사"]


def test_the_status_is_drawn_when_it_changes() -> None:
    screen, _, written = _prompt()
    screen.set_status("offline")
    screen.set_status("offline")
    screen.set_status("")
    assert written == ["\r<erase>offline> ", "\r<erase>> "]


def test_closing_leaves_an_empty_line_for_the_shell() -> None:
    screen, editor, written = _prompt()
    editor.feed(b"never sent")
    screen.close()
    assert written == ["\r<erase>"]
