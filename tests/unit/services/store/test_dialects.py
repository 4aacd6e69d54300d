"""`dialects`: what SQLite is given as JSON, and finds by it."""

import sqlite3

import pytest

from allibe_services.store.dialects import as_json

ODD = ["", "a", "\\u0000", "o'neill\\{,}\"", "[1]", "null", "1", "é", "\u2028", "방"]


def test_texts_are_found_as_they_are() -> None:
    rows = sqlite3.connect(":memory:").execute("SELECT value FROM json_each(?)", [as_json(ODD)])
    assert [value for (value,) in rows] == ODD


@pytest.mark.parametrize("given", [["alice", "alice\0x"], [("1", "alice\0x")], [("1\0", "alice")]])
def test_a_nul_finds_nobody_else(given: list[str]) -> None:
    """SQLite would take the text to end there, and find Alice."""
    with pytest.raises(ValueError, match="NUL"):
        as_json(given)
