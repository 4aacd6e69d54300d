"""The types of bodies: what they document agrees with what is checked."""

import re

import msgspec
import pytest

from allibe_rooms_api.schemas import MOST_OFFSET, ReadPosition, RoomSummary, pattern
from allibe_services.contracts.ids import USER_ID_PATTERN, is_user_id
from allibe_services.contracts.rooms import Room


@pytest.mark.parametrize("text", ['"', "\\", "a-b", "a,b", "#", "*", " ", "", "x" * 129, "가"])
def test_a_documented_pattern_matches_what_is_checked(text: str) -> None:
    documented = pattern(USER_ID_PATTERN)["pattern"]
    assert isinstance(documented, str)
    assert (re.search(documented, text) is not None) == is_user_id(text)


def test_a_documented_pattern_has_no_escape_that_javascript_refuses() -> None:
    r"""`\"` is an error in a regular expression with the flag `u` (ECMA-262)."""
    assert r"\"" not in str(pattern(USER_ID_PATTERN)["pattern"])


def test_the_greatest_offset_is_one_that_javascript_knows_exactly() -> None:
    body = b'{"offset":%d}'
    assert msgspec.json.decode(body % MOST_OFFSET, type=ReadPosition).offset == 2**53 - 1
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(body % (MOST_OFFSET + 1), type=ReadPosition)


def test_a_summary_lacks_only_what_is_a_members_own() -> None:
    own = {"unread_count", "read_offset", "role", "muted", "muted_until"}
    assert set(RoomSummary.__struct_fields__) == set(Room.__struct_fields__) - own
