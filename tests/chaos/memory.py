"""How much memory each process had at most (I7), also those that are killed meanwhile."""

import asyncio
from pathlib import Path

from deploy.cluster.service import Service
from tests.chaos.checker import Memory

ALLOWED = 200 << 20
"""Bytes resident. They have 100 MiB when idle, had 108 in the longest walk so far, and may hold 64
MiB of messages."""

LOOK_SECONDS = 0.5


class Watch:
    """Looks at the processes of services until its task is cancelled."""

    def __init__(self, services: list[Service]) -> None:
        self._services = services
        self._highest: dict[str, int] = {}

    async def run(self) -> None:
        while True:
            for service in self._services:
                highest = self._highest.get(service.name, 0)
                self._highest[service.name] = max(highest, _peak(service))
            await asyncio.sleep(LOOK_SECONDS)

    def memory(self) -> list[Memory]:
        """Return what was seen."""
        return [Memory(name, highest, ALLOWED) for name, highest in self._highest.items()]


def _peak(service: Service) -> int:
    """Return the most that the process had so far, 0 when it is gone."""
    try:
        status = Path(f"/proc/{service.pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
