"""The server's side of one STOMP connection: bytes in, events out.

No clock, no socket: the caller brings the bytes, acts on the events, sends what `replies` encodes,
and keeps the time of the heart-beats. When which frame may come is the table in `states`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from allibe_gateway.stomp.errors import StompError
from allibe_gateway.stomp.events import Event, Handled, Transactable
from allibe_gateway.stomp.frames import Frame
from allibe_gateway.stomp.limits import Limits
from allibe_gateway.stomp.parser import FrameParser
from allibe_gateway.stomp.requests import (
    read_ack,
    read_connect,
    read_disconnect,
    read_nack,
    read_send,
    read_subscribe,
    read_unsubscribe,
    refuse_body,
    required,
    unpadded,
)
from allibe_gateway.stomp.states import TRANSITIONS, State, refusal
from allibe_gateway.stomp.transactions import Transactions
from allibe_gateway.stomp.versions import Version

_LIMITS: Final = Limits()


class ServerProtocol:
    """One connection, from its first byte to DISCONNECT or the first error.

    `heart_beat` is this server's offer in milliseconds: how often it can send, and how often it
    wants to hear from the peer (0: not). What comes of it is in the Connect event.
    """

    __slots__ = ("_heart_beat", "_parser", "_row", "_state", "_transactions", "_version")

    def __init__(self, limits: Limits | None = None, heart_beat: tuple[int, int] = (0, 0)) -> None:
        limits = limits or _LIMITS
        self._parser = FrameParser(limits)
        self._transactions = Transactions(limits)
        self._heart_beat = heart_beat
        self._version: Version | None = None
        self._enter(State.AWAITING_CONNECT)

    @property
    def state(self) -> State:
        return self._state

    @property
    def version(self) -> Version:
        """The version to encode replies with: 1.0 until CONNECT has settled it."""
        return self._version or Version.V1_0

    def receive(self, chunk: bytes) -> Iterator[Event]:
        """The events of this chunk, one by one: exhaust it before the next call.

        The chunk may hold any part of the stream: half a frame, several, or line ends, which are
        heart-beats and give no event. It is parsed while the iterator runs, so that the events
        before a bad frame come out before its error is raised.

        Raises, from the iterator, a PeerViolation with its `receipt_id`: send its ERROR and close.
        The protocol is CLOSED then, and another call raises LocalMisuse at once. After DISCONNECT
        it is CLOSED too, but takes line ends, and AlreadyDisconnected comes for a further frame.
        """
        self._parser.push(chunk)
        return self._events()

    def _events(self) -> Iterator[Event]:
        next_frame = self._parser.next_frame
        try:
            while (frame := next_frame()) is not None:
                yield from self._handle(frame)
        except StompError:
            self._parser.close()
            self._transactions.clear()
            self._enter(State.CLOSED)
            raise

    def _handle(self, frame: Frame) -> Iterable[Event]:
        try:
            next_state = self._row.get(frame.command)
            if next_state is None:
                raise refusal(self._state, frame.command)
            if self._version is Version.V1_0:
                frame = unpadded(frame)
            events = _HANDLERS[frame.command](self, frame)
            refuse_body(frame, self.version)
        except StompError as error:
            error.receipt_id = frame.headers.get("receipt")
            raise
        if next_state is not self._state:
            self._enter(next_state)
        return events

    def _enter(self, state: State) -> None:
        self._state = state
        self._row = TRANSITIONS[state]

    def _connect(self, frame: Frame) -> Iterable[Event]:
        connect = read_connect(frame, self._heart_beat)
        self._version = self._parser.version = connect.version
        return (connect,)

    def _send(self, frame: Frame) -> Iterable[Event]:
        return self._now_or_at_commit(read_send(frame))

    def _ack(self, frame: Frame) -> Iterable[Event]:
        return self._now_or_at_commit(read_ack(frame, self.version))

    def _nack(self, frame: Frame) -> Iterable[Event]:
        return self._now_or_at_commit(read_nack(frame, self.version))

    def _now_or_at_commit(self, request: Transactable) -> Iterable[Event]:
        transaction = request.headers.get("transaction")
        if transaction is None:
            return (request,)
        self._transactions.hold(transaction, request)
        return ()

    def _subscribe(self, frame: Frame) -> Iterable[Event]:
        return (read_subscribe(frame, self.version),)

    def _unsubscribe(self, frame: Frame) -> Iterable[Event]:
        return (read_unsubscribe(frame, self.version),)

    def _begin(self, frame: Frame) -> Iterable[Event]:
        self._transactions.begin(required(frame, "transaction"))
        receipt = frame.headers.get("receipt")
        return () if receipt is None else (Handled("BEGIN", receipt),)

    def _commit(self, frame: Frame) -> Iterable[Event]:
        held = self._transactions.commit(required(frame, "transaction"))
        receipt = frame.headers.get("receipt")
        return held if receipt is None else (*held, Handled("COMMIT", receipt))

    def _abort(self, frame: Frame) -> Iterable[Event]:
        self._transactions.abort(required(frame, "transaction"))
        receipt = frame.headers.get("receipt")
        return () if receipt is None else (Handled("ABORT", receipt),)

    def _disconnect(self, frame: Frame) -> Iterable[Event]:
        self._transactions.clear()
        return (read_disconnect(frame),)


_HANDLERS: Final[Mapping[str, Callable[[ServerProtocol, Frame], Iterable[Event]]]] = {
    "CONNECT": ServerProtocol._connect,
    "STOMP": ServerProtocol._connect,
    "SEND": ServerProtocol._send,
    "SUBSCRIBE": ServerProtocol._subscribe,
    "UNSUBSCRIBE": ServerProtocol._unsubscribe,
    "ACK": ServerProtocol._ack,
    "NACK": ServerProtocol._nack,
    "BEGIN": ServerProtocol._begin,
    "COMMIT": ServerProtocol._commit,
    "ABORT": ServerProtocol._abort,
    "DISCONNECT": ServerProtocol._disconnect,
}
