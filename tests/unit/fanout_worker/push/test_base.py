"""`push.base`: a push that no push service would take cannot be made."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allibe_fanout_worker.push.base import TTL_SECONDS, topic_of
from allibe_services.contracts.ids import ROOM_ID_PATTERN, RoomId
from tests.unit.fanout_worker.push.pushes import push


@pytest.mark.parametrize(
    "changed",
    [
        {"push_id": ""},
        {"push_id": "a.b"},
        {"push_id": "a\r\nHost: b"},
        {"push_id": "x" * 65},
        {"ttl": -1},
        {"ttl": TTL_SECONDS + 1},
        {"topic": ""},
        {"topic": "x" * 33},
        {"topic": "a=b"},
        {"topic": "주제"},
    ],
)
def test_what_would_be_refused_later_is_refused_at_once(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="is"):
        push(**changed)


@given(
    st.from_regex(ROOM_ID_PATTERN, fullmatch=True), st.from_regex(ROOM_ID_PATTERN, fullmatch=True)
)
def test_every_room_has_a_topic_of_its_own(room: str, other: str) -> None:
    """RFC 8030 §5.4: at most 32 characters, where a room id has up to 64."""
    topic = push(topic=topic_of(RoomId(room))).topic
    assert topic is not None
    assert len(topic) == 32
    assert (topic == topic_of(RoomId(other))) == (room == other)
