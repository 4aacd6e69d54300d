"""Did it hold? The invariants of DESIGN §1, checked over what everybody wrote down.

A pure function over a `Run`: what was sent, what was receipted, what each subscriber was given,
and the history at the end. It knows nothing of servers, so it works for any of them, and is
tested with planted faults (`test_checker.py`).

I1  every receipted message is in history exactly once per (room, sender, clientMessageId)
I2  history holds nothing that nobody sent
I3  each subscriber's stream is a contiguous slice of history, in order
I4  per-sender order is kept
I5  recovery from offset n continues with n+1
I6  nothing crosses rooms or reaches a non-member
I7  memory is bounded
I8  recovery is complete within a stated time of its SUBSCRIBE, and nothing stays unseen for longer
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

Key = tuple[str, str, str]
"""Room, sender, clientMessageId."""


@dataclass(frozen=True)
class Message:
    """A message as history and subscribers show it."""

    room: str
    epoch: str
    offset: int
    message_id: str
    sender: str
    client_message_id: str
    content: str

    @property
    def key(self) -> Key:
        return self.room, self.sender, self.client_message_id


@dataclass(frozen=True)
class Attempt:
    """A message that a source (one device of a sender) began to send; repeats are not noted.

    `ordered` unless the source went on with later messages after this one may have failed: who
    repeats a message when the next is under way has given up its order.
    """

    source: str
    room: str
    sender: str
    client_message_id: str
    content: str
    ordered: bool = True

    @property
    def key(self) -> Key:
        return self.room, self.sender, self.client_message_id


@dataclass(frozen=True)
class Receipt:
    """The server's word that it has a message; with its offset where the door tells it."""

    room: str
    sender: str
    client_message_id: str
    offset: int | None = None

    @property
    def key(self) -> Key:
        return self.room, self.sender, self.client_message_id


@dataclass
class Life:
    """One subscription, from its beginning until the connection ended.

    `since` is the offset that it asked to go on from, `began` the end of the log that the server
    named when it began (None: it ended before that), `recovered` what the server said, `seconds`
    how long that took from its SUBSCRIBE on, or how long it was waited for in vain.
    """

    since: int | None = None
    began: int | None = None
    recovered: bool | None = None
    seconds: float = 0.0
    got: list[Message] = field(default_factory=list)


@dataclass
class Stream:
    """All that one subscriber was given of one room, over all its lives.

    `complete` when it was listening at the end of the run, after all was quiet.
    """

    name: str
    user: str
    room: str
    complete: bool = True
    lives: list[Life] = field(default_factory=list)


@dataclass(frozen=True)
class Memory:
    """The most memory that a process had resident, and may have; in bytes."""

    process: str
    highest: int
    allowed: int


@dataclass
class Run:
    """What everybody wrote down."""

    members: dict[str, set[str]]
    attempts: list[Attempt]
    receipts: list[Receipt]
    streams: list[Stream]
    history: dict[str, list[Message]]
    recovery_messages: int
    """The longest gap that the server promised to replay."""
    recovery_seconds: float = 10.0
    """How soon it promised to begin a subscription."""
    unseen: float = 0.0
    """How long after all was stored, and nothing was wrong any more, somebody had not seen all."""
    unseen_seconds: float = 30.0
    """How soon it promised to find a lost last event."""
    memory: list[Memory] = field(default_factory=list)


@dataclass(frozen=True)
class Violation:
    """One thing that must not be."""

    invariant: str
    what: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.what}"


def check(run: Run) -> list[Violation]:
    """Return every violation; none means that all invariants held."""
    return [
        *(Violation("I1", what) for what in _stored_once(run)),
        *(Violation("I2", what) for what in _sent_by_somebody(run)),
        *(Violation("I4", what) for what in _in_the_order_of_sending(run)),
        *(Violation("I6", what) for what in _within_rooms(run)),
        *(Violation("I7", what) for what in _within_memory(run)),
        *(Violation("I8", what) for what in _in_time(run)),
        *(violation for stream in run.streams for violation in _stream(run, stream)),
    ]


def _stored_once(run: Run) -> Iterator[str]:
    stored = list(_all(run.history))
    by_key = {message.key: message for message in stored}
    yield from _repeated("stored twice", (message.key for message in stored))
    yield from _repeated("one messageId twice", (message.message_id for message in stored))
    for room, messages in run.history.items():
        for place, message in enumerate(messages, start=1):
            if message.offset != place:
                yield f"offset {message.offset} stands at place {place} of room {room}"
    for receipt in run.receipts:
        found = by_key.get(receipt.key)
        if found is None:
            yield f"receipted and not stored: {receipt}"
        elif receipt.offset not in (None, found.offset):
            yield f"receipted at another offset than {found.offset}: {receipt}"


def _sent_by_somebody(run: Run) -> Iterator[str]:
    sent = {attempt.key: attempt.content for attempt in run.attempts}
    for message in _all(run.history):
        if message.key not in sent:
            yield f"stored and never sent: {message}"
        elif message.content != sent[message.key]:
            yield f"stored with another content than sent: {message}"


def _in_the_order_of_sending(run: Run) -> Iterator[str]:
    source_of = {attempt.key: attempt.source for attempt in run.attempts if attempt.ordered}
    order = {attempt.key: number for number, attempt in enumerate(run.attempts)}
    for messages in run.history.values():
        last: dict[str, Message] = {}
        for message in messages:
            source = source_of.get(message.key)
            if source is None:
                continue  # it promised no order, or I2 says that nobody sent it
            before = last.get(source)
            if before is not None and order[before.key] > order[message.key]:
                yield f"{source} sent these the other way round: {before}, {message}"
            last[source] = message


def _within_rooms(run: Run) -> Iterator[str]:
    for room, messages in run.history.items():
        for message in messages:
            if message.room != room:
                yield f"in the history of room {room}: {message}"
            if message.sender not in run.members.get(room, set()):
                yield f"sent by a non-member: {message}"
    for stream in run.streams:
        got = [message for life in stream.lives for message in life.got]
        if got and stream.user not in run.members.get(stream.room, set()):
            yield f"{stream.name} is no member of room {stream.room} and was given {got[0]}"
        for message in got:
            if message.room != stream.room:
                yield f"{stream.name} listens to room {stream.room} and was given {message}"


def _within_memory(run: Run) -> Iterator[str]:
    for one in run.memory:
        if one.highest > one.allowed:
            yield f"{one.process} had {one.highest >> 20} MiB, and may have {one.allowed >> 20}"


def _in_time(run: Run) -> Iterator[str]:
    if run.unseen > run.unseen_seconds:
        yield f"what was stored was unseen by somebody for {run.unseen:.1f} s"
    for stream in run.streams:
        for life in stream.lives:
            if life.seconds > run.recovery_seconds:
                since = "" if life.since is None else f" after {life.since}"
                yield f"{stream.name} waited {life.seconds:.1f} s for a subscription{since}"


def _stream(run: Run, stream: Stream) -> Iterator[Violation]:
    history = {message.offset: message for message in run.history.get(stream.room, [])}
    last: int | None = None
    for life in stream.lives:
        yield from _beginning(run, stream, life)
        last = _continued(life, last)
        for message in life.got:
            if history.get(message.offset) != message:
                what = f"{stream.name} was given what is not in history: {message}"
                yield Violation("I3", what)
            if last is not None and message.offset != last + 1:
                what = f"{stream.name} was given {message.offset} after {last}"
                invariant = "I5" if message is life.got[0] and life.recovered else "I3"
                yield Violation(invariant, what)
            last = message.offset
    if stream.complete and history and last != max(history):
        yield Violation("I3", f"{stream.name} ends at {last}, history at {max(history)}")


def _beginning(run: Run, stream: Stream, life: Life) -> Iterator[Violation]:
    """What the server said of a recovery must be true, and not less than it promised."""
    if life.since is None or life.began is None:
        return
    missed = life.began - life.since
    if life.recovered is None:
        yield Violation("I5", f"{stream.name} asked to recover and was told nothing of it")
    elif life.recovered and len(life.got) < missed:
        what = f"{stream.name} missed {missed}, was given {len(life.got)}, and told that is all"
        yield Violation("I5", what)
    elif not life.recovered and missed <= run.recovery_messages:
        yield Violation("I5", f"{stream.name} missed only {missed}, and was not recovered")


def _continued(life: Life, last: int | None) -> int | None:
    """Return the offset that the life's first message follows; None where any may come."""
    if life.since is not None and life.recovered is not False:
        return life.since
    return life.began if life.began is not None else last


def _all(history: Mapping[str, list[Message]]) -> Iterator[Message]:
    for messages in history.values():
        yield from messages


def _repeated(what: str, things: Iterable[object]) -> Iterator[str]:
    for thing, times in Counter(things).items():
        if times > 1:
            yield f"{what}: {thing}"
