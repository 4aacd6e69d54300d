"""MESSAGE frames of a subscription, shared by all subscriptions whose frames are equal."""

from functools import lru_cache

from allibe_gateway.doors.base import Framing
from allibe_gateway.fanout.entries import Entry
from allibe_gateway.stomp import MessageEncoder, Version


class StompView:
    """Equal for equal (framing, version, subscription id, destination, ack header)."""

    __slots__ = ("_encode", "_framing", "_hash", "_key")

    def __init__(
        self,
        framing: Framing,
        version: Version,
        subscription_id: str | None,
        destination: str,
        *,
        ack: bool,
    ) -> None:
        self._framing = framing
        self._key = (framing, version, subscription_id, destination, ack)
        self._hash = hash(self._key)
        self._encode = MessageEncoder(version, subscription_id, destination, ack=ack).encode

    def encode(self, entry: Entry) -> bytes:
        """Return the entry's MESSAGE as finished bytes."""
        return self._framing(self._encode(entry.message_id, entry.body))

    encode_for_one = encode

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, StompView) and self._key == other._key)

    def __hash__(self) -> int:
        return self._hash


@lru_cache(maxsize=4096)
def stomp_view(
    framing: Framing, version: Version, subscription_id: str | None, destination: str, *, ack: bool
) -> StompView:
    """Return a view; most clients use the same few subscription ids, so most share one."""
    return StompView(framing, version, subscription_id, destination, ack=ack)
