"""A push as JSON of a bounded length: the text gives way, its end first."""

import msgspec

from allibe_fanout_worker.push.base import Push

_ENCODE = msgspec.json.Encoder().encode


class _Shown(msgspec.Struct, rename="camel"):
    """What a browser's service worker is told: enough for a notification and a click on it."""

    type: str
    room_id: str
    offset: int
    title: str
    body: str
    messages: int
    unread_count: int


def shown(push: Push, *, most: int) -> bytes | None:
    """Return what the browser is told, of at most that many bytes; None if even that is too much.

    A body that does not fit is cut, and ends in an ellipsis.
    """
    whole = _json(push, push.body)
    if len(whole) <= most:
        return whole
    # How long a character becomes in JSON depends on it (1 to 12 bytes), so the place is searched.
    fits, does_not = -1, len(push.body)
    while does_not - fits > 1:
        middle = (fits + does_not) // 2
        if len(_json(push, push.body[:middle] + "…")) <= most:
            fits = middle
        else:
            does_not = middle
    return None if fits < 0 else _json(push, push.body[:fits].rstrip() + "…")


def _json(push: Push, body: str) -> bytes:
    return _ENCODE(
        _Shown(
            type="notification",
            room_id=push.room_id,
            offset=push.offset,
            title=push.title,
            body=body,
            messages=push.messages,
            unread_count=push.unread_count,
        )
    )
