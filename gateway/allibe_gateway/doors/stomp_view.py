"""MESSAGE frames of a subscription, shared by all subscriptions whose frames are equal."""

from functools import lru_cache

from allibe_gateway.fanout.entries import Entry
from allibe_gateway.stomp import MessageEncoder, Version
from allibe_gateway.websocket_frames import text_frame


class StompView:
    """Equal for equal (version, subscription id, destination, ack header)."""

    __slots__ = ("_encode", "_hash", "_key")

    def __init__(
        self, version: Version, subscription_id: str | None, destination: str, *, ack: bool
    ) -> None:
        self._key = (version, subscription_id, destination, ack)
        self._hash = hash(self._key)
        self._encode = MessageEncoder(version, subscription_id, destination, ack=ack).encode

    def encode(self, entry: Entry) -> bytes:
        """Return the entry's MESSAGE as a WebSocket text message."""
        return text_frame(self._encode(entry.message_id, entry.body))

    def frame(self, message_id: str, body: bytes) -> bytes:
        """Return a MESSAGE without its WebSocket header."""
        return self._encode(message_id, body)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, StompView) and self._key == other._key)

    def __hash__(self) -> int:
        return self._hash


@lru_cache(maxsize=4096)
def stomp_view(
    version: Version, subscription_id: str | None, destination: str, *, ack: bool
) -> StompView:
    """Return a view; most clients use the same few subscription ids, so most share one."""
    return StompView(version, subscription_id, destination, ack=ack)
