"""The gateway's limits. docs/settings.md lists those that are settings."""

import msgspec


class Limits(msgspec.Struct, frozen=True):
    """How much one connection may ask for, and how long things may take (seconds, bytes)."""

    websocket_message_bytes: int = 256 * 1024
    """Longest WebSocket message: several STOMP frames of 64 KiB, and still little memory."""

    compression: bool = False
    """Whether clients that offer permessage-deflate get it."""

    slow_consumer_bytes: int = 1024 * 1024
    """Unsent bytes at which a connection is closed: minutes of a lively room."""

    slow_consumers_bytes: int = 128 * 1024 * 1024
    """Unsent bytes of all connections at which those furthest behind are closed: 1,000 that do not
    read would else hold 1 GiB."""

    shed_bytes: int = 64 * 1024
    """Unsent bytes at which typing and the like are skipped for a connection."""

    sockjs_sessions: int = 10_000
    """SockJS sessions over HTTP on a gateway, those that ended just now included."""

    sockjs_response_bytes: int = 128 * 1024
    """Bytes after which an answer that streams ends and is asked for again: browsers keep all of
    it until then."""

    sockjs_heart_beat_seconds: float = 25.0
    """SockJS heart-beat: shorter than the 35 s after which sockjs-client gives up a poll. An answer
    that streams ends after two of them without another request: who is there asks for the next."""

    sockjs_disconnect_seconds: float = 5.0
    """Time for a SockJS client to ask for more before its session is over."""

    subscriptions: int = 100
    """Subscriptions per connection: a phone shows one room, a wall of rooms a few dozen."""

    in_flight: int = 256
    """Messages of one connection without a receipt yet; beyond, its socket is not read."""

    recovery_messages: int = 500
    """Longest gap that is replayed; a client further behind loads history instead."""

    tail_bytes: int = 256 * 1024
    """Bytes of newest messages kept per room for recovery."""

    sign_in_seconds: float = 10.0
    """Time for a token to come after the connection opened."""

    heart_beat_seconds: float = 10.0
    """Heart-beat offered in both directions."""

    silent_intervals: int = 2
    """Heart-beat intervals of silence after which a peer is dead: one may be late, or get lost. It
    is noticed and gone within half an interval more."""

    subscribe_seconds: float = 10.0
    """Time for a subscription to be bound and recovered."""

    receipt_seconds: float = 10.0
    """Time for what a connection sent to be settled when it disconnects or drains."""

    close_seconds: float = 3.0
    """Time for a peer to answer a close before the socket is dropped."""

    drain_rate: int = 200
    """Connections a second that are sent away while the gateway drains. More where its time is
    too short for that."""

    hand_over_seconds: float = 1.0
    """Time for a client that was told its slot to come back elsewhere before it is sent away."""
