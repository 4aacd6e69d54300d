"""What a system is to the benchmark: how it starts, how one talks to it, what it promises."""

import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.crowd import ROOM_PREFIX, Crowd
from bench.errors import BenchError
from deploy.cluster.servers import ProgramMissing, ServerFailed

MOST_AT_ONCE = 500
"""Messages that are on their way while what will have been missed is sent."""


@dataclass(frozen=True, kw_only=True)
class Promises:
    """What a system does for its figures, in a few words each, as the document shows it."""

    stores: str
    orders: str
    authenticates: str
    brings_back: str
    """What somebody gets who was away."""
    processes: str
    """What ran, all of it on the server's core."""


class Running(ABC):
    """A system that is ready for its crowd."""

    @abstractmethod
    def options(self) -> list[str]:
        """Return the generator's options: where, as whom, in which words, whose CPU and memory."""

    def before_storm(self, missed: int) -> list[list[str]]:
        """Return the runs of the generator after which the crowd has missed messages.

        That many in each room, by somebody in each; a Storm asks for it where a system resumes.
        """
        raise NotImplementedError

    def missed_from(self) -> int:
        """Return the number of the first message that a subscriber gets who comes back."""
        raise NotImplementedError

    def restart(self) -> list[str]:
        """Restart what clients connect to; return a line for each room: the last that was seen."""
        raise NotImplementedError

    def database_reads(self) -> int | None:
        """Return how often what clients connect to has read its database since it was started.

        None where that is not known.
        """
        return None


class System(ABC):
    """One that can be started for a crowd, again and again, each time fresh."""

    name: str
    title: str
    promises: Promises
    durable = False
    """Whether it confirms and delivers messages that outlive a restart."""
    resumes = False
    """Whether who was away over a restart gets what was missed."""

    @abstractmethod
    def version(self) -> str:
        """Return what is measured, with its version. BenchError where it is not installed."""

    @abstractmethod
    def running(
        self, crowd: Crowd, *, core: int, durable: bool = False
    ) -> AbstractContextManager[Running]:
        """Start it on one core, all its processes, and stop it at the end.

        `durable`: what the crowd says is to outlive a restart, where that is a choice. BenchError
        with the reason when it does not start.
        """


@contextmanager
def started_on(core: int) -> Iterator[Path]:
    """Yield a folder; what this thread starts is kept to the core, what it starts after is not.

    An affinity given later would be too late: Erlang counts its cores when it starts.
    """
    allowed = os.sched_getaffinity(0)
    with tempfile.TemporaryDirectory(prefix="allibe-bench-") as folder:
        try:
            os.sched_setaffinity(0, {core})
            yield Path(folder)
        except (ServerFailed, ProgramMissing) as error:
            raise BenchError(_ends(str(error))) from error
        finally:
            os.sched_setaffinity(0, allowed)


def reached(protocol: str, ports: Sequence[int], pids: Sequence[int]) -> list[str]:
    """Return options of the generator: which words, to which ports, of which processes."""
    return [
        *("--protocol", protocol, "--port", ",".join(map(str, ports))),
        *("--pid", ",".join(map(str, pids))),
    ]


def talking(crowd: Crowd, messages: int) -> list[str]:
    """Return options by which one subscriber of each room sends, and the others are away."""
    at_once = min(crowd.rooms, MOST_AT_ONCE)
    return [
        *("--subscribers", str(crowd.rooms), "--everybody", "1", "--messages", str(messages)),
        *("--window", str(at_once)),
    ]


def room_names(crowd: Crowd) -> list[str]:
    """Return the names of the crowd's rooms."""
    return [f"{ROOM_PREFIX}{number}" for number in range(1, crowd.rooms + 1)]


def _ends(text: str) -> str:
    """What went wrong, and the last that the log has."""
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[0] if len(lines) == 1 else f"{lines[0]}: {lines[-1]}"
