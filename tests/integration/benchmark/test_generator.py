"""The load generator against servers that we know: it counts what comes, and finds what is wrong.

A benchmark that takes a lost message for a fast one is worse than none.
"""

import asyncio
import json
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.benchmark.bare_server import bare_server

SECONDS = 30.0
CROWD = ["--subscribers", "4", "--rooms", "2", "--publishers", "2", "--room-prefix", "room-"]


async def started(generator: Path, port: int, *words: str) -> asyncio.subprocess.Process:
    """Start the generator, which gives up soon."""
    return await asyncio.create_subprocess_exec(
        *(str(generator), "--protocol", "bare", "--port", str(port), "--token", "nobody"),
        *("--stall", "0.5", *CROWD, *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def told(generator: Path, port: int, *words: str) -> tuple[dict[str, Any], str]:
    """Return the generator's report and what it complained of."""
    return await ended(await started(generator, port, *words))


async def ended(process: asyncio.subprocess.Process) -> tuple[dict[str, Any], str]:
    """Return its report and what it complained of."""
    output, errors = await asyncio.wait_for(process.communicate(), SECONDS)
    assert bool(process.returncode) == bool(errors), (output, errors)
    return json.loads(output or b"{}"), errors.decode()


async def test_every_delivery_is_counted_once(generator: Path) -> None:
    """30 messages to 2 rooms in turn, with 2 subscribers in each."""
    async with bare_server() as server:
        report, errors = await told(generator, server.port, "--messages", "30", "--in-flight", "3")
    assert not errors
    assert (report["messages"], report["deliveries"], report["lost"]) == (30, 60, 0)
    assert 0 < report["latency_us"]["p50"] <= report["latency_us"]["max"]


async def test_everybody_may_talk(generator: Path) -> None:
    """Then there are no connections that only send."""
    async with bare_server() as server:
        words = ("--everybody", "1", "--messages", "20", "--window", "4")
        report, errors = await told(generator, server.port, *words)
    assert not errors
    assert (report["connections"], report["deliveries"]) == (4, 40)


def lost(text: str, number: int) -> Iterable[str]:
    """Not the third."""
    return [] if number == 2 else [text]


def repeated(text: str, number: int) -> Iterable[str]:
    """The third twice."""
    return [text, text] if number == 2 else [text]


def misrouted(text: str, _: int) -> Iterable[str]:
    """Each under the next number, which went to the other room."""
    number = int(text[24:34]) ^ 1
    return [f"{text[:24]}{number:010}{text[34:]}"]


@pytest.mark.parametrize(
    ("deliver", "complaint"),
    [
        (lost, "4 deliveries lost, 0 repeated, 0 in the wrong room, 0 out of order"),
        (repeated, "0 deliveries lost, 4 repeated, 0 in the wrong room, 0 out of order"),
        (misrouted, "0 repeated, 32 in the wrong room"),
    ],
)
async def test_what_is_wrong_fails_the_run(generator: Path, deliver: Any, complaint: str) -> None:
    async with bare_server(deliver) as server:
        _, errors = await told(generator, server.port, "--messages", "16", "--window", "16")
    assert complaint in errors


async def test_disorder_fails_the_run(generator: Path) -> None:
    """A sender's messages to a room come in its order to each of its subscribers."""
    kept: list[str] = []

    def swapped(text: str, number: int) -> Iterable[str]:
        if number == 2:
            kept.append(text)
            return []
        return [text, kept[0]] if number == 3 else [text]

    async with bare_server(swapped) as server:
        words = ("--rooms", "1", "--publishers", "1", "--messages", "8", "--window", "8")
        _, errors = await told(generator, server.port, *words)
    assert "0 deliveries lost, 0 repeated, 0 in the wrong room, 4 out of order" in errors


async def test_a_server_that_stands_still_is_measured_as_such(generator: Path) -> None:
    """An open loop: what is due is sent, whatever the server does, and waits.

    All 50 are due within half a second, in which nothing moves but the first one. A loop that
    waits for answers would see one slow message, and a median of nothing.
    """
    async with bare_server(pause=1.0) as server:
        words = ("--rooms", "1", "--messages", "50", "--rate", "100", "--stall", "10")
        report, errors = await told(generator, server.port, *words)
    assert not errors
    assert report["latency_us"]["p50"] > 400_000


async def test_a_generator_that_stands_still_does_not_hide_it(generator: Path) -> None:
    """No coordinated omission: a message has waited since it was due, not since it was sent.

    100 are due within 2 s, 60 of them while the generator is frozen: half of all have waited for
    0.2 s and more.
    """
    async with bare_server() as server:
        words = ("--rooms", "1", "--messages", "100", "--rate", "50", "--stall", "10")
        process = await started(generator, server.port, *words)
        await asyncio.wait_for(server.was_sent_to.wait(), SECONDS)
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(1.2)
        process.send_signal(signal.SIGCONT)
        report, errors = await ended(process)
    assert not errors
    assert report["latency_us"]["p50"] > 100_000


async def test_phases_are_measured_by_themselves(generator: Path) -> None:
    """The same crowd under one load after the other; each for a while, none for long."""
    async with bare_server() as server:
        words = ("--phases", "window=4/0.3,rate=100/0.5", "--messages", "1000000")
        report, errors = await told(generator, server.port, *words)
    assert not errors
    closed, paced = report["phases"]
    assert paced["messages"] == 50
    assert closed["deliveries"] == 2 * closed["messages"] > 0
