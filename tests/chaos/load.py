"""Several clients on several gateways, who write down all that they do and are given.

A lap: rooms of its own, a load on them while faults come and go, then quiet, then the checker.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.chaos.checker import Message, Run, check
from tests.chaos.listeners import JsonListener, Listener, StompListener, Stranger, message_of
from tests.chaos.memory import Watch
from tests.chaos.senders import JsonSender, Ledger, Sender, StompSender
from tests.chaos.stage import RECOVERY_MESSAGES, Stage
from tests.support.clients import Clients

QUIET_SECONDS = 60.0
"""After the last fault: until all is receipted, and then until every listener has all. A shard may
wait 15 s for a worker that is gone, a lost last event 30 s for the next comparison."""

UNSEEN_SECONDS = 30.0
COMING_BACK_SECONDS = 5.0
"""Promised for a lost last event, and what a client takes that is not connected just then."""

SENDERS_PAUSE = 0.1
PATIENCE = (2.0, 8.0)
"""Seconds that a sender waits for a receipt. The time limit of a publish is 5 s."""

LONGEST_LIFE = 6.0
"""Seconds that a listener stays connected, at most: recoveries are what is to be checked."""

EVERYBODY = ("alice", "bob", "carol")


@dataclass(frozen=True)
class Posts:
    """A sender to be: `most` under way; only with one it has an order whatever happens."""

    kind: type[Sender]
    user: str
    room: int
    most: int = 1
    soft: bool = False


@dataclass(frozen=True)
class Hears:
    """A listener to be."""

    kind: type[Listener]
    user: str
    rooms: tuple[int, ...]


MEMBERS = (EVERYBODY, EVERYBODY, EVERYBODY[:2], EVERYBODY[:2])
"""Of each room. Four rooms lie in two to four shards, so as a rule both workers have some."""

SENDERS = (
    Posts(StompSender, "alice", 0),
    Posts(StompSender, "bob", 0, soft=True),
    Posts(JsonSender, "carol", 0),
    Posts(JsonSender, "alice", 1),
    Posts(StompSender, "carol", 1, most=8, soft=True),
    Posts(StompSender, "bob", 2),
    Posts(StompSender, "alice", 2, most=8),
    Posts(JsonSender, "alice", 3, most=8),
    Posts(StompSender, "bob", 3, soft=True),
)
LISTENERS = (
    Hears(StompListener, "alice", (0, 1, 2, 3)),
    Hears(StompListener, "carol", (0,)),
    Hears(JsonListener, "bob", (1,)),
    Hears(JsonListener, "bob", (2,)),
    Hears(StompListener, "bob", (3, 0)),
    Hears(Stranger, "mallory", (3,)),
)


class Load:
    """One lap's clients. `begin`, then `for_a_while` as often as you like, then `finish`."""

    def __init__(
        self,
        stage: Stage,
        clients: Clients,
        seed: str,
        *,
        patience: tuple[float, float] = PATIENCE,
        quiet_seconds: float = QUIET_SECONDS,
        longest_life: float | None = LONGEST_LIFE,
    ) -> None:
        """`quiet_seconds` is how long quiet is waited for: what is missing then is missing.

        `patience` is the senders', `longest_life` the listeners'.
        """
        self.ledger = Ledger()
        self.senders: list[Sender] = []
        self.listeners: list[Listener] = []
        self.members: dict[str, set[str]] = {}
        self.stage, self._clients, self._seed = stage, clients, seed
        self._patience, self._quiet_seconds = patience, quiet_seconds
        self._longest_life = longest_life
        self._watch = Watch(stage.cluster.services)
        self._sending: list[asyncio.Task[None]] = []
        self._others: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        """Make the rooms, let everybody connect and send; return when all senders have sent."""
        await self._make_rooms()
        rooms = list(self.members)
        for number, one in enumerate(SENDERS):
            self.senders.append(self._sender(number, one, rooms))
        for number, other in enumerate(LISTENERS):
            self.listeners.append(self._listener(number, other, rooms))
        self._sending = [asyncio.create_task(sender.run()) for sender in self.senders]
        self._others = [asyncio.create_task(listener.run()) for listener in self.listeners]
        self._others.append(asyncio.create_task(self._watch.run()))
        async with asyncio.timeout(QUIET_SECONDS):
            while len(self.ledger.receipts) < 3 * len(SENDERS):
                await self.for_a_while(0.05)

    async def for_a_while(self, seconds: float) -> None:
        """Let time pass; fail at once if one of the clients fails."""
        everybody = [*self._sending, *self._others]
        done, _ = await asyncio.wait(
            everybody, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION
        )
        for task in done:
            task.result()

    async def finish(self) -> Run:
        """Stop sending, wait until all is quiet, and return what everybody wrote down.

        Fails when a sender gets no receipt; all that is missing otherwise the checker will say.
        """
        for sender in self.senders:
            sender.end()
        if not await self._until(lambda: all(task.done() for task in self._sending)):
            waits = "\n".join(_state(one) for one in self.senders if one.waits_for)
            raise AssertionError(f"no receipts after {self._quiet_seconds:.0f} s:\n{waits}")
        history = await self._history()
        stored = asyncio.get_running_loop().time()
        await self._until(lambda: self._have_all(history))
        unseen = asyncio.get_running_loop().time() - stored
        await self.stop()
        streams = [stream for one in self.listeners for stream in one.streams.values()]
        return Run(
            self.members,
            self.ledger.attempts,
            self.ledger.receipts,
            streams,
            history,
            RECOVERY_MESSAGES,
            unseen=unseen,
            unseen_seconds=UNSEEN_SECONDS + COMING_BACK_SECONDS,
            memory=self._watch.memory(),
        )

    async def stop(self) -> None:
        """End all clients, however they are doing."""
        tasks = [*self._sending, *self._others]
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _history(self) -> dict[str, list[Message]]:
        """Return the log of each room, once all is in it that was receipted, or should be."""
        api = self._clients.api(self.stage.front, "alice")
        receipted = {receipt.key for receipt in self.ledger.receipts}
        deadline = asyncio.get_running_loop().time() + self._quiet_seconds
        while True:
            history = {
                room: [message_of(one) for one in await api.history(room)] for room in self.members
            }
            stored = {one.key for messages in history.values() for one in messages}
            if receipted <= stored or asyncio.get_running_loop().time() > deadline:
                return history
            await self.for_a_while(0.3)

    async def _make_rooms(self) -> None:
        api = self._clients.api(self.stage.front, "alice")
        for members in MEMBERS:
            room = await api.new_room(None, *members[1:])
            self.members[room] = set(members)

    async def _until(self, is_so: Callable[[], bool]) -> bool:
        """Return whether it became so in time."""
        deadline = asyncio.get_running_loop().time() + self._quiet_seconds
        while not is_so():
            if asyncio.get_running_loop().time() > deadline:
                return False
            await self.for_a_while(0.05)
        return True

    def _have_all(self, history: dict[str, list[Message]]) -> bool:
        """Tell whether each listener has been given the last message."""
        return all(
            one.at(room) >= history[room][-1].offset
            for one in self.listeners
            for room, stream in one.streams.items()
            if stream.complete and history[room]
        )

    def _sender(self, number: int, one: Posts, rooms: Sequence[str]) -> Sender:
        return one.kind(
            f"{one.user}-{one.room}-{number}",
            one.user,
            rooms[one.room],
            places=self.stage.places,
            clients=self._clients,
            ledger=self.ledger,
            seed=self._seed,
            most=one.most,
            ordered=one.most == 1,
            soft=one.soft,
            pause=SENDERS_PAUSE,
            patience=self._patience,
        )

    def _listener(self, number: int, one: Hears, rooms: Sequence[str]) -> Listener:
        listener = one.kind(
            f"{one.user}'s {one.kind.__name__} {number}",
            one.user,
            *(rooms[room] for room in one.rooms),
            places=self.stage.places,
            clients=self._clients,
            seed=self._seed,
            longest_life=self._longest_life,
        )
        if one.kind is Stranger:
            for stream in listener.streams.values():
                stream.complete = False
        return listener


@asynccontextmanager
async def under_load(load: Load, story: Callable[[], str]) -> AsyncIterator[Load]:
    """Run a load; when something fails, tell the story and the ends of the logs."""
    try:
        await load.begin()
        yield load
    except BaseException:
        print(f"{story()}\n{load.stage.tails()}")
        raise
    finally:
        await load.stop()


def told(run: Run) -> str:
    """Return what a run consisted of, in a line."""
    lives = [life for stream in run.streams for life in stream.lives if life.began is not None]
    recovered = [life for life in lives if life.recovered]
    slowest = max((life.seconds for life in lives), default=0.0)
    highest = max((one.highest for one in run.memory), default=0)
    return (
        f"{len(run.attempts)} messages, {len(run.receipts)} receipts, {len(lives)} subscriptions, "
        f"{len(recovered)} recoveries (slowest {slowest:.1f} s), seen after {run.unseen:.1f} s, "
        f"at most {highest >> 20} MiB"
    )


def judge(run: Run, story: str) -> None:
    """Fail, with the story, when the run has violations, or when nothing happened in it."""
    violations = check(run)
    shown = "\n".join(str(violation) for violation in violations[:20])
    assert not violations, f"{story}\n{len(violations)} violations\n{shown}"
    assert len(run.receipts) >= len(run.attempts) > 3 * len(SENDERS), story


def _state(sender: Sender) -> str:
    waits = ", ".join(sender.waits_for)
    return f"{sender.name} waits for {waits}; last error: {sender.last_error}"
