"""What the clients of a program write down, and what must hold over it.

`tests.chaos.checker` knows I1 to I6 for members who stay. Here memberships come and go, so what a
non-member must not get or do (I6) is noted as it happens.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.chaos.checker import Attempt, Key, Life, Message, Receipt, Run, Stream, check

RECOVERY_MESSAGES = 8
"""So few that programs of a few steps are beyond it now and then."""


@dataclass
class Sent:
    """A message that somebody began to send.

    `by_member` unless the sender was known to be none, at that time and until it was answered.
    """

    source: str
    room: str
    sender: str
    name: str
    content: str
    by_member: bool
    ordered: bool = True
    answered: bool = False

    @property
    def key(self) -> Key:
        return self.room, self.sender, self.name


@dataclass
class Subscription:
    """One life of a stream, and what it may be given.

    `until` is the last offset before the membership ended; None: it has not.
    """

    stream: Stream
    life: Life
    by_member: bool
    until: int | None = None
    answered: bool = False
    lives: bool = True


@dataclass
class Record:
    """All that happened in a program."""

    sent: dict[Key, Sent] = field(default_factory=dict)
    receipts: list[Receipt] = field(default_factory=list)
    streams: dict[str, Stream] = field(default_factory=dict)
    subscriptions: list[Subscription] = field(default_factory=list)
    members: dict[str, set[str]] = field(default_factory=dict)
    ever_members: dict[str, set[str]] = field(default_factory=dict)

    def is_member(self, user: str, room: str) -> bool:
        return user in self.members[room]

    def removed(self, user: str, room: str, last: int) -> None:
        """Note that a membership is over, and the last offset by then."""
        self.members[room].discard(user)
        for one in self._of(user, room):
            if one.until is None:
                one.until = last
                one.lives = False

    def added(self, user: str, room: str) -> None:
        """Note that a membership began: what was not answered yet may count by now."""
        self.members[room].add(user)
        self.ever_members[room].add(user)
        for one in self._of(user, room):
            if not one.answered:
                one.by_member, one.until, one.lives = True, None, True
        for sent in self.sent.values():
            if (sent.sender, sent.room) == (user, room) and not sent.answered:
                sent.by_member = True

    def _of(self, user: str, room: str) -> Iterator[Subscription]:
        for one in self.subscriptions:
            if (one.stream.user, one.stream.room) == (user, room):
                yield one

    def violations(self, history: dict[str, list[Message]]) -> list[str]:
        """Return what must not be; the rooms are the lists that `history` holds."""
        for stream in self.streams.values():
            mine = [one for one in self.subscriptions if one.stream is stream]
            stream.complete = any(one.lives and one.answered for one in mine[-1:])
        run = Run(
            members=self.ever_members,
            attempts=[
                Attempt(one.source, one.room, one.sender, one.name, one.content, one.ordered)
                for one in self.sent.values()
            ],
            receipts=self.receipts,
            streams=list(self.streams.values()),
            history=history,
            recovery_messages=RECOVERY_MESSAGES,
        )
        return [*map(str, check(run)), *self._against_non_members(history)]

    def _against_non_members(self, history: dict[str, list[Message]]) -> Iterator[str]:
        for messages in history.values():
            for message in messages:
                sent = self.sent.get(message.key)
                if sent is not None and not sent.by_member:
                    yield f"I6: a non-member posted {message}"
        for one in self.subscriptions:
            if not one.by_member and (one.life.began is not None or one.life.got):
                yield f"I6: {one.stream.name} subscribed as a non-member"
            for message in one.life.got:
                if one.until is not None and message.offset > one.until:
                    yield f"I6: {one.stream.name} left at {one.until} and was given {message}"
