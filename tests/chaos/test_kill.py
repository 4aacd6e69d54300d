"""kill -9 of `allibe serve` in the middle of a stream of sends, several times, at random moments.

`ALLIBE_CHAOS_SEED` repeats a run's choices (not its every interleaving), `ALLIBE_CHAOS_ROUNDS`
makes it longer: `ALLIBE_CHAOS_ROUNDS=100 pytest tests/chaos/test_kill.py -s`.
"""

import asyncio
import os
import random
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.chaos.checker import Run, check
from tests.chaos.listeners import JsonListener, Listener, StompListener, message_of
from tests.chaos.senders import JsonSender, Ledger, Sender, StompSender
from tests.support.clients import Clients
from tests.support.fixtures import StartServer
from tests.support.server import WAIT_SECONDS, Server

ROUNDS = int(os.environ.get("ALLIBE_CHAOS_ROUNDS", "5"))
ROUND_SECONDS = 30
"""For the test's time limit; a round takes about a second and a half."""

MEMBERS = {"1": {"alice", "bob", "carol"}, "2": {"alice", "bob"}}
"""The rooms of the demo."""

RECOVERY_MESSAGES = 100_000
"""No gap is too long here, so that every recovery must be complete."""

SETTINGS = {
    "ALLIBE_RECOVERY_MESSAGES": str(RECOVERY_MESSAGES),
    # A handful of messages: most recoveries read pages of the log as well as the tail.
    "ALLIBE_TAIL_BYTES": "4096",
    # No error in the middle: then order could be lost by the senders' own repeats.
    "ALLIBE_PUBLISH_SECONDS": "60",
}


@pytest.mark.timeout(60 + ROUNDS * ROUND_SECONDS)
async def test_kill_9_loses_nothing_doubles_nothing_and_keeps_the_order(
    start_server: StartServer, clients: Clients
) -> None:
    """I1 to I6, over both doors, for senders and subscribers that come back by themselves."""
    seed = os.environ.get("ALLIBE_CHAOS_SEED") or secrets.token_hex(4)
    print(f"ALLIBE_CHAOS_SEED={seed} ALLIBE_CHAOS_ROUNDS={ROUNDS}")
    server = start_server(demo=True, **SETTINGS)
    ledger = Ledger()
    senders = _senders(server, clients, ledger, seed)
    listeners = _listeners(server, clients, seed)
    sending = [asyncio.create_task(sender.run()) for sender in senders]
    listening = [asyncio.create_task(listener.run()) for listener in listeners]

    await _kill_again_and_again(server, random.Random(seed), [*sending, *listening])
    for sender in senders:
        sender.end()
    async with asyncio.timeout(WAIT_SECONDS):
        await asyncio.gather(*sending)
    history = {
        room: [message_of(one) for one in await clients.api(server, "alice").history(room)]
        for room in MEMBERS
    }
    async with asyncio.timeout(WAIT_SECONDS):
        for listener in listeners:
            for room in listener.streams:
                await listener.has(room, len(history[room]))
    await _end(listening)

    streams = [stream for listener in listeners for stream in listener.streams.values()]
    violations = check(
        Run(MEMBERS, ledger.attempts, ledger.receipts, streams, history, RECOVERY_MESSAGES)
    )
    lives = [life for stream in streams for life in stream.lives if life.began is not None]
    resumed = [life for life in lives if life.recovered]
    print(
        f"{len(ledger.attempts)} messages, {len(ledger.receipts)} receipts, {len(lives)} "
        f"subscriptions, {len(resumed)} of them recovered, {len(violations)} violations"
    )
    shown = "\n".join(str(violation) for violation in violations[:20])
    assert not violations, f"seed {seed}: {len(violations)} violations\n{shown}"
    # That nothing happened would be no proof.
    assert len(ledger.receipts) >= len(ledger.attempts) > 10 * ROUNDS
    assert len(resumed) >= 2 * ROUNDS


def _senders(server: Server, clients: Clients, ledger: Ledger, seed: str) -> list[Sender]:
    devices: tuple[tuple[type[Sender], str, str], ...] = (
        (StompSender, "alice", "1"),
        (StompSender, "bob", "1"),
        (StompSender, "bob", "2"),
        (JsonSender, "carol", "1"),
        (JsonSender, "alice", "2"),
    )
    return [
        kind(
            f"{user}-{room}-{kind.__name__}",
            user,
            room,
            places=[server],
            clients=clients,
            ledger=ledger,
            seed=seed,
        )
        for kind, user, room in devices
    ]


def _listeners(server: Server, clients: Clients, seed: str) -> list[Listener]:
    devices: tuple[tuple[type[Listener], str, tuple[str, ...]], ...] = (
        (StompListener, "alice", ("1", "2")),
        (StompListener, "carol", ("1",)),
        (JsonListener, "bob", ("1",)),
        (JsonListener, "bob", ("2",)),
    )
    return [
        kind(
            f"{user}'s {kind.__name__} {' '.join(rooms)}",
            user,
            *rooms,
            places=[server],
            clients=clients,
            seed=seed,
        )
        for kind, user, rooms in devices
    ]


async def _kill_again_and_again(
    server: Server, choose: random.Random, everybody: list["asyncio.Task[None]"]
) -> None:
    """Kill it at random moments: at work, while it cannot write, and while it starts."""
    for number in range(ROUNDS):
        await _for_a_while(everybody, choose.uniform(0.05, 1.2))
        if number % 2 == 0:
            # Commands pile up: whoever receipts what is not stored is found out.
            with _locked(server.database):
                await _for_a_while(everybody, choose.uniform(0.05, 0.3))
                server.kill()
        else:
            server.kill()
        if choose.random() < 0.4:
            server.launch()
            await _for_a_while(everybody, choose.uniform(0.1, 0.9))
            server.kill()
        began = time.monotonic()
        await asyncio.to_thread(server.start)
        print(f"round {number + 1}: back after {time.monotonic() - began:.1f} s")
    await _for_a_while(everybody, 0.3)


@contextmanager
def _locked(database: Path) -> Iterator[None]:
    """Keep everybody else from writing."""
    connection = sqlite3.connect(database, isolation_level=None, timeout=WAIT_SECONDS)
    try:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")
    finally:
        connection.close()


async def _for_a_while(everybody: list["asyncio.Task[None]"], seconds: float) -> None:
    """Let time pass; fail at once if one of the clients fails."""
    done, _ = await asyncio.wait(everybody, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    for task in done:
        task.result()


async def _end(tasks: list["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
