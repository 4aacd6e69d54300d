"""What is measured: each scenario, its target and its one figure."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.crowd import ROOM_PREFIX
from bench.errors import BenchError
from bench.server import running

# The generator bounds itself (--time-limit, 300 s); this is for the case that it fails to.
RUN_SECONDS = 360.0

Report = dict[str, Any]  # the generator's line of JSON


@dataclass(frozen=True)
class Setting:
    """How this run of the benchmark is set up."""

    generator: Path
    server_command: str
    server_core: int
    load_core: int
    quick: bool
    repeat: int = 1
    """Runs of each scenario."""


@dataclass(frozen=True)
class Measurement:
    """One repetition: the figure to judge by, and what else was seen."""

    figure: float
    report: Report = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Something that can be measured again and again, each time from a fresh start."""

    name: str
    title: str
    unit: str
    target: float | None = None
    more_is_better: bool = True
    command: str  # without the options that differ in every run

    def as_run(self, quick: bool) -> str:
        """Return the command with what a quick run, or a full one, makes of it."""
        return self.command

    def measure(self, setting: Setting) -> Measurement:
        """Raises BenchError with the reason when there is nothing to measure."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class ServerLoad(Scenario):
    """A fresh server on one core, the generator on the other; any wrong delivery is a failure."""

    quick: str  # options of a quick run, which replace those of the command
    figure: Callable[[Report], float]
    rooms: int = 1

    def as_run(self, quick: bool) -> str:
        return replaced(self.command, self.quick) if quick else self.command

    def measure(self, setting: Setting) -> Measurement:
        with running(setting.server_command, setting.server_core) as server:
            server.create_rooms(self.rooms)
            words = [str(setting.generator), *self.as_run(setting.quick).split()[1:]]
            words += ["--room-prefix", ROOM_PREFIX, "--rooms", str(self.rooms)]
            words += ["--port", str(server.port), "--token", server.token]
            words += ["--pid", str(server.pid)]
            report: Report = json.loads(output(setting.load_core, words))
        return Measurement(self.figure(report), report)


@dataclass(frozen=True, kw_only=True)
class StompCore(Scenario):
    """The codec and its state machine alone, by `bench/stomp_core.py`."""

    def measure(self, setting: Setting) -> Measurement:
        """Takes the slowest of the lines about SEND frames."""
        if not Path(__file__).with_name("stomp_core.py").exists():
            raise BenchError("bench/stomp_core.py is not there yet")
        text = output(setting.server_core, [sys.executable, "-m", "bench.stomp_core"])
        rates = re.findall(r"^SEND.*?([\d,]+(?:\.\d+)?) frames/s", text, re.MULTILINE)
        if not rates:
            raise BenchError(f"no line with SEND and frames/s in: {text[-200:]!r}")
        return Measurement(min(float(rate.replace(",", "")) for rate in rates))


def replaced(command: str, options: str) -> str:
    """Return the command with these options for its own of the same names; each has a value."""
    program, *old = command.split()
    new = options.split()
    values = dict(zip(old[::2], old[1::2], strict=True))
    values |= dict(zip(new[::2], new[1::2], strict=True))
    return " ".join([program, *(word for pair in values.items() for word in pair)])


def output(core: int | None, words: list[str], seconds: float = RUN_SECONDS) -> str:
    """What a program prints, kept to one core or not. Raises BenchError with its last line."""
    pinned = words if core is None else ["taskset", "-c", str(core), *words]
    try:
        done = subprocess.run(pinned, capture_output=True, text=True, check=False, timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"{words[0]}: no end after {seconds:.0f} s") from error
    if done.returncode != 0:
        raise BenchError((done.stderr.strip() or f"ended with {done.returncode}").splitlines()[-1])
    return done.stdout


def _fan_out(
    name: str, said: str, options: str, quick: str, target: float | None = None
) -> ServerLoad:
    return ServerLoad(
        name=name,
        title=f"1,000 subscribers of one room, {said}",
        unit="deliveries per server CPU-second",
        target=target,
        command=f"load --subscribers 1000 {options}",
        quick=quick,
        figure=lambda report: float(report["deliveries_per_cpu_second"]),
    )


SCENARIOS: tuple[Scenario, ...] = (
    _fan_out("fan-out-8", "8 in flight", "--window 8 --messages 3000", "--messages 500", 400_000),
    _fan_out(
        "fan-out-8-strict",
        "8 in flight, each until the last one has it",
        "--in-flight 8 --messages 3000",
        "--messages 500",
    ),
    _fan_out(
        "fan-out-1", "1 in flight", "--in-flight 1 --messages 1000", "--messages 200", 140_000
    ),
    ServerLoad(
        name="latency",
        title="from SEND to delivery, p50, at 200 msg/s to 10 subscribers",
        unit="ms",
        target=2.0,
        more_is_better=False,
        command="load --subscribers 10 --rate 200 --messages 4000",
        quick="--messages 600",
        figure=lambda report: float(report["latency_us"]["p50"]) / 1000,
    ),
    ServerLoad(
        name="idle",
        title="10,000 idle connections, authenticated and subscribed",
        unit="KiB resident each",
        target=16.0,
        more_is_better=False,
        command="load --subscribers 10000 --idle 5",
        quick="--idle 1",
        figure=lambda report: float(report["kib_per_connection"]),
    ),
    StompCore(
        name="stomp-core",
        title="the STOMP core alone, SEND frames of the slowest kind",
        unit="frames a second",
        target=80_000,
        command="python -m bench.stomp_core",
    ),
)
