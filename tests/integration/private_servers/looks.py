"""What the machine says about servers: processes, listeners, bytes on a connection."""

import ipaddress
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path

from deploy.cluster.servers.processes import Process

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_LISTEN = "0A"


def mentions(folder: Path) -> list[str]:
    """Return the command lines of processes that have to do with a folder."""
    text = str(folder).encode()
    return [name for name, told in _told_of_processes() if text in told]


def listeners(processes: Iterable[Process]) -> dict[int, set[Address]]:
    """Return the ports that these processes listen on, each with its addresses."""
    sockets = {target for process in processes for target in _descriptors(process.pid)}
    found: dict[int, set[Address]] = {}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTEN and f"socket:[{fields[9]}]" in sockets:
                address, _, port = fields[1].partition(":")
                found.setdefault(int(port, 16), set()).add(_address(address))
    return found


def check_loopback(processes: Iterable[Process], *ports: int) -> None:
    """Fail unless exactly these ports are listened on, on addresses of loopback alone."""
    found = listeners(processes)
    assert found.keys() == set(ports)
    assert all(address.is_loopback for addresses in found.values() for address in addresses)


def exchange(port: int, data: bytes, *, timeout: float = 10) -> bytes:
    """Connect, send bytes, and return what comes back first."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        connection.sendall(data)
        return connection.recv(4096)


def _told_of_processes() -> Iterator[tuple[str, bytes]]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            told = command + (process / "environ").read_bytes()
            yield command.decode(), told + bytes((process / "cwd").readlink())
        except OSError:
            continue  # gone, or another user's


def _descriptors(pid: int) -> set[str]:
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.add(str(link.readlink()))
        except FileNotFoundError:
            continue
    return found


def _address(text: str) -> Address:
    # proc(5): 32-bit words in the machine's byte order.
    words = [bytes.fromhex(text[at : at + 8])[::-1] for at in range(0, len(text), 8)]
    return ipaddress.ip_address(b"".join(words))
