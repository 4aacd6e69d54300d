"""A connection without a socket."""

from allibe_gateway.fanout.outbox import Outbox
from allibe_gateway.websocket_frames import text_frame
from allibe_services.contracts.disconnects import Disconnect
from tests.unit.gateway.fakes import FakeTransport


class FakeConnection:
    """A connection that keeps what its door does to it."""

    framing = staticmethod(text_frame)
    deflated = False

    def __init__(self) -> None:
        self.id = "c1"
        self.transport = FakeTransport()
        self.outbox = Outbox(self.transport, most=1 << 20, shed=1 << 16, overflow=lambda: None)
        self.closed_with: list[Disconnect] = []
        self.heart_beats: tuple[float, float] | None = None

    def expect_heart_beats(self, *, send_seconds: float, receive_seconds: float) -> None:
        self.heart_beats = (send_seconds, receive_seconds)

    def disconnect(self, reason: Disconnect) -> None:
        self.closed_with.append(reason)
        self.outbox.close()

    @property
    def closing(self) -> bool:
        return bool(self.closed_with)
