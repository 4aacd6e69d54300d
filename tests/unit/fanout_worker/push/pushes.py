"""A push, for tests that look at a part of it."""

from typing import Any

from allibe_fanout_worker.push.base import Push
from allibe_services.contracts.ids import RoomId, UserId


def push(**changed: Any) -> Push:
    """Return a push; every field can be changed."""
    values: dict[str, Any] = {
        "push_id": "0193-a_b",
        "user": UserId("alice"),
        "room_id": RoomId("project"),
        "offset": 42,
        "title": "Project Team",
        "body": "안녕하세요",
        "messages": 3,
        "unread_count": 5,
        "ttl": 3600,
    }
    return Push(**values | changed)
