"""A WebSocket that speaks SockJS: frames for opening, closing and heart-beats of its own."""

from typing import Final

from allibe_gateway.connection import WebSocketConnection
from allibe_gateway.doors.base import Door
from allibe_gateway.doors.sockjs import wire
from allibe_gateway.websocket_frames import text_frame
from allibe_services.contracts.disconnects import Disconnect
from allibe_services.contracts.errors import AllibeError

_OPEN: Final = text_frame(wire.OPEN)
_HEART_BEAT: Final = text_frame(wire.HEART_BEAT)


class SockJsWebSocket(WebSocketConnection):
    """To be run with a `SockJsDoor`."""

    framing = staticmethod(wire.websocket_message)

    __slots__ = ("_next_sockjs_beat",)

    def begin(self, door: Door, refusal: AllibeError | None = None) -> None:
        """Tell the client that it is open, then serve it as any other."""
        self._next_sockjs_beat = self._loop.time() + self._limits.sockjs_heart_beat_seconds
        self.outbox.write(_OPEN)
        super().begin(door, refusal)

    def disconnect(self, reason: Disconnect) -> None:
        """Tell the client why, for whom the WebSocket's own close is no event; then close."""
        if not self.closing:
            self.outbox.write(text_frame(wire.close_frame(reason)))
        super().disconnect(reason)

    def beat(self, now: float) -> None:
        """Send heart-beats of SockJS too: a client may have wished for none of STOMP."""
        super().beat(now)
        if now >= self._next_sockjs_beat:
            self._next_sockjs_beat = now + self._limits.sockjs_heart_beat_seconds
            self.outbox.write(_HEART_BEAT)
