"""What one STOMP connection is told: receipts, refusals, errors, and what goes to its queues.

Frames go out in the order of the calls; only receipts that `receipt_soon` was given may wait for
one another, and then for no longer than to the next frame.
"""

import asyncio
from typing import Final

from allibe_gateway.doors.base import Connection, disconnect_for
from allibe_gateway.doors.destinations import UserQueueName
from allibe_gateway.doors.stomp_queues import UserQueues
from allibe_gateway.fanout.room_feed import Joined
from allibe_gateway.stomp import ServerProtocol, StompError, Version, replies
from allibe_gateway.stomp.errors import FrameTooLarge
from allibe_gateway.trail import note
from allibe_services import __version__
from allibe_services.contracts import disconnects
from allibe_services.contracts.errors import AllibeError
from allibe_services.telemetry import GatewayMetrics

SERVER: Final = f"allibe/{__version__}"


class StompReplies:
    """Writes for a door. `soft` is whether the client asked for errors that it survives."""

    __slots__ = ("_connection", "_metrics", "_protocol", "_receipts", "queues", "soft")

    def __init__(
        self, connection: Connection, protocol: ServerProtocol, metrics: GatewayMetrics
    ) -> None:
        self._connection = connection
        self._protocol = protocol
        self._metrics = metrics
        self._receipts = b""
        self.queues = UserQueues()
        self.soft = False

    def connected(self, version: Version, offer: tuple[int, int], user: str | None) -> None:
        """Send CONNECTED. `offer` is the server's heart-beat, in ms."""
        self._write(replies.connected(version, self._connection.id, SERVER, offer, user))

    def receipt(self, receipt: str | None, extra: dict[str, str] | None = None) -> None:
        """Send a receipt, if one was asked for."""
        if receipt is not None:
            self._write(replies.receipt(receipt, self._protocol.version, extra))

    def receipt_soon(self, receipt: str | None) -> None:
        """Write it with the others of this tick: many are confirmed at once, and a write is a
        system call."""
        if receipt is None:
            return
        if not self._receipts:
            asyncio.get_running_loop().call_soon(self.flush)
        self._receipts += self._connection.framing(replies.receipt(receipt, self._protocol.version))

    def flush(self) -> None:
        """Write the receipts that wait."""
        receipts, self._receipts = self._receipts, b""
        if receipts:
            self._connection.outbox.write(receipts)

    def tell(
        self,
        error: AllibeError,
        receipt: str | None,
        destination: str | None,
        client_message_id: str | None = None,
    ) -> None:
        """Tell of a refused request: softly where the client asked for that, else by ERROR."""
        if not self.soft:
            self.fail(error, receipt)
            return
        self._count(error.code)
        body = self.queues.error_body(error, receipt, destination, client_message_id)
        self.to_queue("errors", body)

    def fail(self, error: AllibeError, receipt: str | None = None) -> None:
        """Send ERROR, then close."""
        self._count(error.code)
        extra = {"x-retryable": "true" if error.retryable else "false"}
        if error.retry_after_ms is not None:
            extra["x-retry-after-ms"] = str(error.retry_after_ms)
        version = self._protocol.version
        self._write(replies.error(error.message, error.code, version, receipt, extra=extra))
        self._connection.disconnect(disconnect_for(error))

    def refuse_frame(self, error: StompError) -> None:
        """Send ERROR for what breaks the rules of STOMP, then close."""
        self._count(error.code)
        self._write(replies.error_of(error, self._protocol.version))
        too_big = isinstance(error, FrameTooLarge)
        self._connection.disconnect(
            disconnects.MESSAGE_TOO_BIG if too_big else disconnects.PROTOCOL_ERROR
        )

    def to_queue(self, name: UserQueueName, body: bytes) -> None:
        """Send a body to a queue of the user."""
        self.flush()
        framing, version = self._connection.framing, self._protocol.version
        self._connection.outbox.write(self.queues.encode(framing, version, name, body))

    def hint(self, in_ms: int) -> bool:
        """Send when to reconnect to the queue of errors, for want of a frame of the server's own
        in STOMP; False where nobody listens.
        """
        frame = self.queues.hint(self._protocol.version, in_ms)
        if frame is not None:
            self._write(frame)
        return frame is not None

    def _count(self, code: str) -> None:
        self._metrics.errors.labels(code).inc()
        note("error_told", self._connection.id, code=code)

    def _write(self, frame: bytes) -> None:
        self.flush()
        self._connection.outbox.write(self._connection.framing(frame))


def joined_headers(joined: Joined | None) -> dict[str, str]:
    """Return what the receipt of a subscription to a room says of where it begins."""
    if joined is None:
        return {}
    headers = {"x-offset": str(joined.position.offset), "x-epoch": joined.position.epoch}
    if joined.recovered is not None:
        headers["x-recovered"] = "true" if joined.recovered else "false"
    return headers
